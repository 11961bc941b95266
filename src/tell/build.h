/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of JSON, built without an eye on memory: allocations fail rarely, and the builder says so once, at the end. */
#ifndef HOLDFAST_TELL_BUILD_H
#define HOLDFAST_TELL_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct build {
	bool failed;
};

/* Both take `value` in every case; it may be NULL, and so may what takes it: then the build has failed. */
void build_set(struct build *b, json_t *object, const char *key, json_t *value);
void build_append(struct build *b, json_t *array, json_t *value);
/* As large as it gets: JSON's integers have a sign. */
json_t *build_integer(uint64_t n);

#endif
