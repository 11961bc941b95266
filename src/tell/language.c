/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/language.h"

#include <stdio.h>
#include <string.h>

#define NBSP WORDS_TIE

static const struct words {
	const char *code, *name;
	const char *months[12], *short_months[12];
	const char *first;     /* behind the first day of a month */
	const char *at;        /* between day and clock */
	const char *thousands; /* between groups of digits */
	char decimal;          /* before what is less than one */
	const char *under;
	const char *days; /* what a day is in a duration */
} languages[LANGUAGES] = {
	[LANGUAGE_EN] = {
		.code = "en", .name = "English", .first = "", .at = ", ", .thousands = ",", .decimal = '.', .under = "under", .days = "d",
		.months = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
		            "November", "December" },
		.short_months = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" },
	},
	[LANGUAGE_FR] = {
		.code = "fr", .name = "Français", .first = "er", .at = " à" NBSP, .thousands = NBSP, .decimal = ',', .under = "moins" NBSP "de", .days = "j",
		.months = { "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
		            "novembre", "décembre" },
		.short_months = { "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.",
		                  "déc." },
	},
};

const char *language_code(enum language language)
{
	return languages[language].code;
}

const char *language_name(enum language language)
{
	return languages[language].name;
}

bool language_find(const char *code, enum language *language)
{
	for (unsigned i = 0; i < LANGUAGES; i++)
		if (strcmp(languages[i].code, code) == 0) {
			*language = (enum language)i;
			return true;
		}
	return false;
}

/* ---- dates ---- */

static unsigned digits(const char *at, unsigned count)
{
	unsigned value = 0;

	for (unsigned i = 0; i < count; i++)
		value = value * 10 + (unsigned)(at[i] - '0');
	return value;
}

struct language_time language_time(struct capture_time t)
{
	char text[TIME_TEXT_SIZE];

	(void)time_format(t, text); /* "2025-03-10T09:45:12Z" */
	return (struct language_time){ .year = digits(text, 4),
		                       .month = digits(text + 5, 2),
		                       .day = digits(text + 8, 2),
		                       .hour = digits(text + 11, 2),
		                       .minute = digits(text + 14, 2) };
}

static int put_date(const struct words *words, struct capture_time t, char text[LANGUAGE_TEXT_SIZE])
{
	struct language_time at = language_time(t);

	return snprintf(text, LANGUAGE_TEXT_SIZE, "%u%s" NBSP "%s" NBSP "%u", at.day, at.day == 1 ? words->first : "",
	                words->months[at.month - 1], at.year);
}

const char *language_date(enum language language, struct capture_time t, char text[LANGUAGE_TEXT_SIZE])
{
	(void)put_date(&languages[language], t, text);
	return text;
}

const char *language_day(enum language language, struct capture_time t, char text[LANGUAGE_TEXT_SIZE])
{
	struct language_time at = language_time(t);

	(void)snprintf(text, LANGUAGE_TEXT_SIZE, "%u%s" NBSP "%s", at.day, at.day == 1 ? languages[language].first : "",
	               languages[language].short_months[at.month - 1]);
	return text;
}

const char *language_clock(struct capture_time t, char text[LANGUAGE_TEXT_SIZE])
{
	struct language_time at = language_time(t);

	(void)snprintf(text, LANGUAGE_TEXT_SIZE, "%02u:%02u" NBSP "UTC", at.hour, at.minute);
	return text;
}

const char *language_date_time(enum language language, struct capture_time t, char text[LANGUAGE_TEXT_SIZE])
{
	const struct words *words = &languages[language];
	struct language_time at = language_time(t);
	int length = put_date(words, t, text);

	if (length > 0 && length < LANGUAGE_TEXT_SIZE)
		(void)snprintf(text + length, LANGUAGE_TEXT_SIZE - (size_t)length, "%s%02u:%02u" NBSP "UTC", words->at,
		               at.hour, at.minute);
	return text;
}

const char *language_month(enum language language, unsigned year, unsigned month, char text[LANGUAGE_TEXT_SIZE])
{
	(void)snprintf(text, LANGUAGE_TEXT_SIZE, "%s" NBSP "%u", languages[language].months[month - 1], year);
	text[0] = words_capital(text[0]);
	return text;
}

/* ---- numbers ---- */

const char *language_count(enum language language, uint64_t n, char text[LANGUAGE_TEXT_SIZE])
{
	char plain[WORDS_SIZE];
	size_t length = 0;

	(void)words_count(n, plain);
	for (const char *at = plain; *at; at++)
		length += (size_t)snprintf(text + length, LANGUAGE_TEXT_SIZE - length, *at == ',' ? "%s" : "%.1s",
		                           *at == ',' ? languages[language].thousands : at);
	return text;
}

const char *language_decimal(enum language language, char *text)
{
	for (char *at = text; *at; at++)
		*at = *at == '.' ? languages[language].decimal : *at;
	return text;
}

const char *language_share_down(enum language language, uint64_t ppm, char text[LANGUAGE_TEXT_SIZE])
{
	/* Hundredths of a per cent, cut: 999,999 of a million are 99.99 %. */
	uint64_t hundredths = ppm / 100;

	if (hundredths % 100 == 0)
		(void)snprintf(text, LANGUAGE_TEXT_SIZE, "%u" NBSP "%%", (unsigned)(hundredths / 100));
	else
		(void)snprintf(text, LANGUAGE_TEXT_SIZE, "%u.%02u" NBSP "%%", (unsigned)(hundredths / 100),
		               (unsigned)(hundredths % 100));
	return language_decimal(language, text);
}

const char *language_duration(enum language language, int64_t ns, char text[LANGUAGE_TEXT_SIZE])
{
	static const char under[] = "under", day[] = WORDS_TIE "d";
	char plain[WORDS_SIZE];
	const char *rest = words_duration(ns, plain);
	char *days = strstr(plain, day);

	if (days)
		days[1] = languages[language].days[0];
	if (strncmp(rest, under, strlen(under)) == 0)
		(void)snprintf(text, LANGUAGE_TEXT_SIZE, "%s%s", languages[language].under, rest + strlen(under));
	else
		(void)snprintf(text, LANGUAGE_TEXT_SIZE, "%s", rest);
	return language_decimal(language, text);
}
