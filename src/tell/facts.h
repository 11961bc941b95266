/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon's answers (doc/control.md) and documents on record say, read with care: what is missing or of another
 * type is 0, "" or not known, never a crash.
 */
#ifndef HOLDFAST_TELL_FACTS_H
#define HOLDFAST_TELL_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/time.h"

uint64_t fact_count(const json_t *object, const char *key);
const char *fact_text(const json_t *object, const char *key);
/* A number of seconds; false where it is null or none. */
bool fact_duration(const json_t *object, const char *key, int64_t *ns);
/* RFC 3339 in UTC; false where it is null or none. */
bool fact_time(const json_t *object, const char *key, struct capture_time *time);

#endif
