/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as people read them. Integers only. A space inside a result is WORDS_TIE, which whoever wraps lines prints as
 * a space and never breaks at: "41 kpps" stays together.
 */
#ifndef HOLDFAST_TELL_WORDS_H
#define HOLDFAST_TELL_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/time.h"

#define WORDS_SIZE 48
#define WORDS_TIE "\005"
#define WORDS_BITS_PER_OCTET 8 /* rates are told in bits */

/* A letter as a sentence begins with it: ASCII. */
char words_capital(char letter);
/* "31,204" */
const char *words_count(uint64_t n, char text[WORDS_SIZE]);
/* "830 pps", "4.1 Mpps", "160 Mbit/s", "86 MB": at most three digits, decimal prefixes; `unit` has at most 8 octets. */
const char *words_scaled(uint64_t n, const char *unit, char text[WORDS_SIZE]);
/* "under 1 ms", "420 ms", "3.2 s", "23 s", "3 min 20 s", "2 h 5 min", "3 d 4 h"; a negative one as 0. */
const char *words_duration(int64_t ns, char text[WORDS_SIZE]);
/*
 * Parts per million as per cent. Down: never more than there is ("99.9 %" up to all but none). Up: never less ("0.03
 * %").
 */
const char *words_share_down(uint64_t ppm, char text[WORDS_SIZE]);
const char *words_share_up(uint64_t ppm, char text[WORDS_SIZE]);
/* "2025-03-10 09:45:12"; of that "09:45:12"; UTC, cut off. */
const char *words_date_time(struct capture_time t, char text[WORDS_SIZE]);
const char *words_clock(struct capture_time t, char text[WORDS_SIZE]);
/* "Fri, 27 Nov 2026 09:40:00 +0000": as mail (RFC 5322 section 3.3) and RSS have it. */
const char *words_date_mail(struct capture_time t, char text[WORDS_SIZE]);
/* As it is shown where all that is shown takes so long: "09:45:12.345", "09:45:12", "03-10 09:45". */
const char *words_clock_within(struct capture_time t, int64_t span_ns, char text[WORDS_SIZE]);

/*
 * The character at `text`, which is not at its end: writes its code point and returns its octets. 0 where they are no
 * UTF-8 (RFC 3629: shortest form, no surrogates).
 */
size_t words_utf8(const char *text, uint32_t *code);

/*
 * A sentence with its holes filled: `put` is given what stands between them, in one piece or several whole characters
 * each, and for each "%s" the next of the arguments, which are texts.
 */
void words_fill(FILE *out, const char *pattern, void (*put)(FILE *out, const char *text), va_list arguments);

/* Whether a character can be shown without moving a cursor, hiding, or turning the direction of the text around it. */
bool words_is_printable(uint32_t code);

#endif
