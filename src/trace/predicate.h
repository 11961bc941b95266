/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The language in which a claim is put so that evidence can meet it:
 *
 *     predicate := side { "or" side }
 *     side      := factor { "and" factor }
 *     factor    := "not" factor | "(" predicate ")" | term
 *     term      := "share" "(" key "=" value ["," "by" "=" ("sources" | "packets")] ")" compare share
 *                | "count" "(" ("sources" | "packets" | "networks" | "countries" | "devices" | "waves" | "vectors") ")" compare number
 *                | "family" "(" name ")" | "spoofed" | "coordinated" | "amplified"
 *                | "size" compare rate | "duration" compare duration | "cost" compare money
 *                | "outage" ["within" time ".." time | compare duration] | "cause" "=" ("attack" | "change" | "provider" | "unknown")
 *                | "actor" "=" name
 *     key       := "country" | "network" | "vector" | "family"
 *     compare   := ">=" | "<=" | ">" | "<" | "="
 *     share     := 0.5 | 50 %;  number := 86400 | 86,400 | 1.5M;  rate := 3 Tbps | 40 Mpps;  duration := 1h30m;  money := $1000 | 1000 USD
 *     time      := 09:30 (UTC, of the day on which the incident began) | 2026-03-10T09:30Z
 *     name      := letters, digits, "_", "-", "." | a text in double quotes
 *
 * Words are read in small letters and in capitals. doc/claims.md is its manual. A text that does not parse is refused
 * with the character where.
 */
#ifndef HOLDFAST_TRACE_PREDICATE_H
#define HOLDFAST_TRACE_PREDICATE_H

#include <stddef.h>

#define PREDICATE_TEXT_MAX 512 /* octets, of what is typed and of what is printed */
#define PREDICATE_TERMS_MAX 16
#define PREDICATE_DEPTH_MAX 32 /* parentheses and words that wait for what is behind them */
#define PREDICATE_ERROR_SIZE 160

struct predicate; /* opaque; trace/predicate_inside.h */

/* 0; -EINVAL with `at` the offset of the character and `error` what is wrong; -ENOMEM. Free with predicate_free(). */
int predicate_parse(const char *text, struct predicate **predicate, size_t *at, char error[PREDICATE_ERROR_SIZE]);
void predicate_free(struct predicate *predicate);
/* As it would be typed; parses to the same. */
const char *predicate_text(const struct predicate *predicate);

#endif
