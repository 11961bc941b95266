/* SPDX-License-Identifier: Apache-2.0 */
/* The languages in which the public is told, and what of writing differs between them. */
#ifndef HOLDFAST_TELL_LANGUAGE_H
#define HOLDFAST_TELL_LANGUAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "tell/words.h"

enum language { LANGUAGE_EN, LANGUAGE_FR, LANGUAGES };

#define LANGUAGE_TEXT_SIZE 80

/* In UTC. */
struct language_time {
	unsigned year, month, day, hour, minute;
};

struct language_time language_time(struct capture_time t);

/* "en", "fr" (BCP 47). */
const char *language_code(enum language language);
/* What its speakers call it: "English", "Français". */
const char *language_name(enum language language);
/* false: there is none of that code. */
bool language_find(const char *code, enum language *language);

/* Dates and times in UTC, the zone said wherever a clock is. Spaces that must not be broken at are WORDS_TIE. */
/* "27 November 2026, 09:40 UTC"; "27 novembre 2026 à 09:40 UTC" */
const char *language_date_time(enum language language, struct capture_time t, char text[LANGUAGE_TEXT_SIZE]);
/* "27 November 2026"; "1er novembre 2026" */
const char *language_date(enum language language, struct capture_time t, char text[LANGUAGE_TEXT_SIZE]);
/* "27 Nov"; "27 nov." */
const char *language_day(enum language language, struct capture_time t, char text[LANGUAGE_TEXT_SIZE]);
/* "09:40 UTC" */
const char *language_clock(struct capture_time t, char text[LANGUAGE_TEXT_SIZE]);
/* "November 2026"; month is 1 to 12, its name begins as in a title. */
const char *language_month(enum language language, unsigned year, unsigned month, char text[LANGUAGE_TEXT_SIZE]);
/* "31,204"; "31 204" */
const char *language_count(enum language language, uint64_t n, char text[LANGUAGE_TEXT_SIZE]);
/* A number as words.h has it, with the sign before what is less than one; in its place. */
const char *language_decimal(enum language language, char *text);
/* "99.98 %"; "99,98 %": never more than there is. */
const char *language_share_down(enum language language, uint64_t ppm, char text[LANGUAGE_TEXT_SIZE]);
/* "3 h 20 min"; "3 j 4 h" */
const char *language_duration(enum language language, int64_t ns, char text[LANGUAGE_TEXT_SIZE]);

#endif
