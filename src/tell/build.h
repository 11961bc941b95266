/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of JSON, built without an eye on memory: allocations fail rarely, and the builder says so once, at the end.
 * And how they are written.
 */
#ifndef HOLDFAST_TELL_BUILD_H
#define HOLDFAST_TELL_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

struct build {
	bool failed;
};

/* Both take `value` in every case; it may be NULL, and so may what takes it: then the build has failed. */
void build_set(struct build *b, json_t *object, const char *key, json_t *value);
void build_append(struct build *b, json_t *array, json_t *value);
/* As large as it gets: JSON's integers have a sign. */
json_t *build_integer(uint64_t n);
/* RFC 3339, as time_format() writes it. The latter: null where it is 0. */
json_t *build_time(int64_t ns);
json_t *build_time_or_null(int64_t ns);
/* The ID of an incident; null where it is 0. */
json_t *build_incident(uint64_t incident);
/*
 * A string that may hold anything (a file's name): what is no UTF-8 becomes U+FFFD, an octet a time, and what is beyond
 * `max` octets of the result is cut off. NULL becomes null.
 */
json_t *build_text(const char *text, size_t max);

/*
 * Two columns of indentation, members in the order in which they were set, a line's end at the end. Reals have six
 * digits, and more where less would not be read back as the same. 0 or -errno of what failed.
 */
int build_write(FILE *out, json_t *root);

#endif
