/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/words.h"

#include <stdarg.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/share.h"

#define T WORDS_TIE
#define FINE_NS (10 * NS_PER_S)          /* of what takes less, milliseconds are shown … */
#define COARSE_NS (20 * 3600 * NS_PER_S) /* … and of what takes more, days */
#define MS_LENGTH 4                      /* ".345" */
#define HOLE "%s"                        /* in a sentence */
#define PIECE_SIZE 512                   /* of what stands between two of them, at a time */

char words_capital(char letter)
{
	return letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
}

const char *words_count(uint64_t n, char text[WORDS_SIZE])
{
	char digits[24];
	size_t length = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n);
	char *at = text;

	for (size_t i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return text;
}

const char *words_scaled(uint64_t n, const char *unit, char text[WORDS_SIZE])
{
	static const char prefixes[] = { 'k', 'M', 'G', 'T', 'P', 'E' };
	uint64_t scale = 1000;
	unsigned i = 0;

	if (n < 1000) {
		snprintf(text, WORDS_SIZE, "%" PRIu64 T "%s", n, unit);
		return text;
	}
	/* 999,500 is one million, not a thousand thousands */
	while (i + 1 < sizeof(prefixes) && n / scale >= 999 && n >= scale * 1000 - scale / 2) {
		scale *= 1000;
		i++;
	}
	if (n < scale * 10 - scale / 20) {
		uint64_t tenths = (n + scale / 20) / (scale / 10);

		snprintf(text, WORDS_SIZE, "%" PRIu64 ".%u" T "%c%s", tenths / 10, (unsigned)(tenths % 10), prefixes[i],
		         unit);
	} else {
		snprintf(text, WORDS_SIZE, "%" PRIu64 T "%c%s", n / scale + (n % scale >= scale / 2), prefixes[i],
		         unit);
	}
	return text;
}

const char *words_duration(int64_t ns, char text[WORDS_SIZE])
{
	uint64_t ms = ns > 0 ? (uint64_t)ns / NS_PER_MS : 0;
	uint64_t s = (ms + 500) / 1000;

	if (ms == 0)
		snprintf(text, WORDS_SIZE, "under" T "1" T "ms");
	else if (ms < 1000)
		snprintf(text, WORDS_SIZE, "%" PRIu64 T "ms", ms);
	else if (ms < 9950)
		snprintf(text, WORDS_SIZE, "%" PRIu64 ".%u" T "s", (ms + 50) / 1000, (unsigned)((ms + 50) / 100 % 10));
	else if (s < 60)
		snprintf(text, WORDS_SIZE, "%" PRIu64 T "s", s);
	else if (s < 3600 && s % 60 == 0)
		snprintf(text, WORDS_SIZE, "%" PRIu64 T "min", s / 60);
	else if (s < 3600)
		snprintf(text, WORDS_SIZE, "%" PRIu64 T "min" T "%u" T "s", s / 60, (unsigned)(s % 60));
	else if (s < 86400 && s / 60 % 60 == 0)
		snprintf(text, WORDS_SIZE, "%" PRIu64 T "h", s / 3600);
	else if (s < 86400)
		snprintf(text, WORDS_SIZE, "%" PRIu64 T "h" T "%u" T "min", s / 3600, (unsigned)(s / 60 % 60));
	else if (s / 3600 % 24 == 0)
		snprintf(text, WORDS_SIZE, "%" PRIu64 T "d", s / 86400);
	else
		snprintf(text, WORDS_SIZE, "%" PRIu64 T "d" T "%u" T "h", s / 86400, (unsigned)(s / 3600 % 24));
	return text;
}

/* Two digits behind the point below one per cent, one above; what is cut off counts as one more where `up`. */
static const char *share(uint64_t ppm, bool up, char text[WORDS_SIZE])
{
	uint64_t step = ppm < 10000 ? 100 : 1000; /* .01 %, .1 % */
	uint64_t steps = ppm / step + (up && ppm % step != 0);

	if (ppm >= PPM || steps * step >= PPM)
		snprintf(text, WORDS_SIZE, "100" T "%%");
	else if (ppm == 0)
		snprintf(text, WORDS_SIZE, "0" T "%%");
	else if (steps == 0)
		snprintf(text, WORDS_SIZE, "under" T "0.01" T "%%");
	else if (step == 100 && steps < 100)
		snprintf(text, WORDS_SIZE, "0.%02u" T "%%", (unsigned)steps);
	else if (step == 100)
		snprintf(text, WORDS_SIZE, "1.0" T "%%");
	else
		snprintf(text, WORDS_SIZE, "%" PRIu64 ".%u" T "%%", steps / 10, (unsigned)(steps % 10));
	return text;
}

const char *words_share_down(uint64_t ppm, char text[WORDS_SIZE])
{
	return share(ppm, false, text);
}

const char *words_share_up(uint64_t ppm, char text[WORDS_SIZE])
{
	return share(ppm, true, text);
}

#define DATE_LENGTH 10
#define DATE_TIME_LENGTH 19

const char *words_date_time(struct capture_time t, char text[WORDS_SIZE])
{
	char whole[TIME_TEXT_SIZE];

	time_format(t, whole);
	memcpy(text, whole, DATE_TIME_LENGTH);
	text[DATE_LENGTH] = ' ';
	text[DATE_TIME_LENGTH] = '\0';
	return text;
}

const char *words_date_mail(struct capture_time t, char text[WORDS_SIZE])
{
	static const char *const days[] = {
		"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"
	}; /* 1970-01-01 was the first */
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
		                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	const int64_t week_s = 7 * 86400LL;
	int64_t in_week = (t.ns / NS_PER_S % week_s + week_s) % week_s;
	char whole[TIME_TEXT_SIZE];

	(void)time_format(t, whole); /* "2026-11-27T09:40:00" */
	(void)snprintf(text, WORDS_SIZE, "%s, %.2s %s %.4s %.8s +0000", days[in_week / 86400], whole + 8,
	               months[(whole[5] - '0') * 10 + whole[6] - '1'], whole, whole + 11);
	return text;
}

static const char *day_clock(struct capture_time t, char text[WORDS_SIZE])
{
	char whole[WORDS_SIZE];

	words_date_time(t, whole);
	memcpy(text, whole + strlen("2025-"), strlen("03-10 09:45"));
	text[strlen("03-10 09:45")] = '\0';
	return text;
}

/* What stands behind the date, up to column `end` of the whole. */
static const char *clock_part(struct capture_time t, size_t end, char text[WORDS_SIZE])
{
	char whole[TIME_TEXT_SIZE];

	time_format(t, whole);
	memcpy(text, whole + DATE_LENGTH + 1, end - DATE_LENGTH - 1);
	text[end - DATE_LENGTH - 1] = '\0';
	return text;
}

const char *words_clock(struct capture_time t, char text[WORDS_SIZE])
{
	return clock_part(t, DATE_TIME_LENGTH, text);
}

const char *words_clock_within(struct capture_time t, int64_t span_ns, char text[WORDS_SIZE])
{
	if (span_ns >= COARSE_NS)
		return day_clock(t, text);
	return clock_part(t, span_ns < FINE_NS ? DATE_TIME_LENGTH + MS_LENGTH : DATE_TIME_LENGTH, text);
}

size_t words_utf8(const char *text, uint32_t *code)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };
	uint8_t first = (uint8_t)text[0];

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		uint32_t value = first & (uint8_t)~forms[i].mask;

		if ((first & forms[i].mask) != forms[i].lead)
			continue;
		for (size_t k = 1; k <= i; k++) { /* the end of the text is no continuation octet: never read past it */
			if (((uint8_t)text[k] & 0xc0) != 0x80)
				return 0;
			value = value << 6 | ((uint8_t)text[k] & 0x3f);
		}
		if (value < forms[i].least || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
			return 0;
		*code = value;
		return i + 1;
	}
	return 0;
}

void words_fill(FILE *out, const char *pattern, void (*put)(FILE *out, const char *text), va_list arguments)
{
	while (*pattern) {
		const char *hole = strstr(pattern, HOLE);
		size_t length = hole ? (size_t)(hole - pattern) : strlen(pattern);
		char piece[PIECE_SIZE];

		if (length >= sizeof(piece))
			for (length = sizeof(piece) - 1; ((uint8_t)pattern[length] & 0xc0) == 0x80;)
				length--;
		memcpy(piece, pattern, length);
		piece[length] = '\0';
		put(out, piece);
		pattern += length;
		if (pattern == hole) {
			put(out, va_arg(arguments, const char *));
			pattern += strlen(HOLE);
		}
	}
}

static const struct {
	uint32_t first, last;
} unprintable[] = {
	{ 0x00, 0x1f },     { 0x7f, 0x9f },     /* controls */
	{ 0x200b, 0x200f }, { 0x2028, 0x202e }, /* without width; line breaks; changes of direction */
	{ 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff0, 0xffff }, { 0xe0000, 0x10ffff },
};

bool words_is_printable(uint32_t code)
{
	for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++)
		if (code >= unprintable[i].first && code <= unprintable[i].last)
			return false;
	return true;
}
