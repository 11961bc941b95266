/* SPDX-License-Identifier: Apache-2.0 */
/* Enumerations as stable words, each from one table. */
#ifndef HOLDFAST_IMPACT_WORDS_H
#define HOLDFAST_IMPACT_WORDS_H

#include <stdbool.h>

/* False: none of them is `word`. */
bool words_find(const char *const *words, unsigned count, const char *word, unsigned *which);

/* Defines NAME_name() and NAME_find() of an enumeration's table, which has NULL behind its last word. */
#define WORDS(name, type, table)                                                              \
	const char *name##_name(type value)                                                   \
	{                                                                                     \
		return (table)[value];                                                        \
	}                                                                                     \
	bool name##_find(const char *word, type *value)                                       \
	{                                                                                     \
		unsigned which;                                                               \
                                                                                              \
		if (!words_find(table, sizeof(table) / sizeof((table)[0]) - 1, word, &which)) \
			return false;                                                         \
		*value = (type)which;                                                         \
		return true;                                                                  \
	}

#endif
