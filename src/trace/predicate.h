/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The language in which a claim is put so that evidence can meet it:
 *
 *     predicate := term { "and" term | "or" term } | "not" predicate | "(" predicate ")"
 *     term      := "share" "(" key "=" value ["," "by" "=" ("sources" | "packets")] ")" compare number
 *                | "count" "(" ("sources" | "packets" | "networks" | "countries" | "devices" | "waves" | "vectors") ")" compare number
 *                | "family" "(" name ")" | "spoofed" | "coordinated" | "amplified"
 *                | "size" compare rate | "duration" compare time | "cost" compare money
 *                | "outage" ["within" time ".." time | compare duration] | "cause" "=" ("attack" | "change" | "provider" | "unknown")
 *                | "actor" "=" text
 *     key       := "country" | "network" | "vector" | "family"
 *     compare   := ">=" | "<=" | ">" | "<" | "="
 *
 * doc/claims.md is its manual. A text that does not parse is refused with the character where.
 */
#ifndef HOLDFAST_TRACE_PREDICATE_H
#define HOLDFAST_TRACE_PREDICATE_H

#include <stddef.h>

#define PREDICATE_TEXT_MAX 512

struct predicate; /* opaque */

/* 0; -EINVAL with `at` the offset of the character and `error` what is wrong; -ENOMEM. Free with predicate_free(). */
int predicate_parse(const char *text, struct predicate **predicate, size_t *at, char error[160]);
void predicate_free(struct predicate *predicate);
/* As it would be typed; parses to the same. */
const char *predicate_text(const struct predicate *predicate);

#endif
