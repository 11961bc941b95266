/* SPDX-License-Identifier: Apache-2.0 */
/* Outside libraries that are loaded when they are first used, by whoever needs them, and nobody else. */
#ifndef HOLDFAST_TELL_LIBRARY_H
#define HOLDFAST_TELL_LIBRARY_H

#include <stddef.h>

/* A function of it, and where its pointer goes in the caller's struct. */
struct library_function {
	const char *name;
	size_t offset;
};

/*
 * 0, with all pointers set; -ENOSYS where the library, or one of them, is not there. It stays loaded: it was not made
 * to go.
 */
int library_load(const char *library, const struct library_function *functions, size_t count, void *into);

#endif
