/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capture time as text: RFC 3339, UTC, proleptic Gregorian calendar, without libc's calendar (which reads the zone of
 * the process). 64 bits of nanoseconds reach from 1677-09-21 to 2262-04-11, so the year always has four digits
 * and needs no clamp. Leap seconds do not exist in Unix time and are never printed.
 */
#include "base/time.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SECONDS_PER_DAY 86400
#define DAYS_PER_YEAR 365
#define DAYS_PER_4_YEARS (4 * DAYS_PER_YEAR + 1)
#define DAYS_PER_CENTURY (25 * DAYS_PER_4_YEARS - 1)
#define DAYS_PER_ERA (4 * DAYS_PER_CENTURY + 1) /* the calendar repeats every 400 years */
#define FIRST_YEAR 1600                         /* an era starts there, before all that can be said */
#define FRACTION_DIGITS 9
#define DAYS_1600_MARCH_TO_EPOCH 135080 /* 1600-03-01 to 1970-01-01 */

_Static_assert(INT64_MIN / NS_PER_S / SECONDS_PER_DAY - 1 + DAYS_1600_MARCH_TO_EPOCH > 0, "days never turn negative");

/*
 * Years are counted from March, which puts the leap day at a year's end, where it disturbs nothing. Months from March
 * then have 31 30 31 30 31 | 31 30 31 30 31 | 31 (28) days: 153 in every five.
 */
static void date_of(uint32_t days, uint32_t *year, uint32_t *month, uint32_t *day)
{
	uint32_t era = days / DAYS_PER_ERA;
	uint32_t in_era = days % DAYS_PER_ERA;
	uint32_t century = in_era / DAYS_PER_CENTURY;
	uint32_t in_century, quad, in_quad, of_quad, in_year, march_month;

	if (century > 3) /* the last day of an era is the leap day of its 400th year, not of a fifth century */
		century = 3;
	in_century = in_era - century * DAYS_PER_CENTURY;
	quad = in_century / DAYS_PER_4_YEARS;
	in_quad = in_century % DAYS_PER_4_YEARS;
	of_quad = in_quad / DAYS_PER_YEAR;
	if (of_quad > 3) /* likewise the last day of four years */
		of_quad = 3;
	in_year = in_quad - of_quad * DAYS_PER_YEAR;

	march_month = (5 * in_year + 2) / 153;
	*day = in_year - (153 * march_month + 2) / 5 + 1;
	*month = march_month < 10 ? march_month + 3 : march_month - 9;
	*year = FIRST_YEAR + era * 400 + century * 100 + quad * 4 + of_quad + (*month <= 2);
}

/* Writes `value` in exactly `digits` decimal digits; returns what follows them. */
static char *put(char *at, uint32_t value, unsigned digits)
{
	for (unsigned i = digits; i-- > 0; value /= 10)
		at[i] = (char)('0' + value % 10);
	return at + digits;
}

const char *time_format(struct capture_time t, char text[TIME_TEXT_SIZE])
{
	int64_t seconds = t.ns / NS_PER_S;
	int64_t fraction = t.ns % NS_PER_S;
	uint32_t since, second_of_day, ns, year, month, day;
	char *at = text;

	if (fraction < 0) { /* before 1970: the fraction still counts forwards */
		fraction += NS_PER_S;
		seconds--;
	}
	ns = (uint32_t)fraction;
	seconds += (int64_t)DAYS_1600_MARCH_TO_EPOCH * SECONDS_PER_DAY;
	since = (uint32_t)(seconds / SECONDS_PER_DAY);
	second_of_day = (uint32_t)(seconds % SECONDS_PER_DAY);
	date_of(since, &year, &month, &day);

	at = put(at, year, 4);
	*at++ = '-';
	at = put(at, month, 2);
	*at++ = '-';
	at = put(at, day, 2);
	*at++ = 'T';
	at = put(at, second_of_day / 3600, 2);
	*at++ = ':';
	at = put(at, second_of_day / 60 % 60, 2);
	*at++ = ':';
	at = put(at, second_of_day % 60, 2);
	*at++ = '.';
	at = ns % NS_PER_US ? put(at, ns, 9) : put(at, ns / NS_PER_US, 6);
	*at++ = 'Z';
	*at = '\0';
	return text;
}

/* The days before the one that date_of() makes the same date of. */
static uint32_t days_of(uint32_t year, uint32_t month, uint32_t day)
{
	uint32_t march_month = month > 2 ? month - 3 : month + 9;
	uint32_t since = year - FIRST_YEAR - (month <= 2); /* years from March 1600 */

	return since * DAYS_PER_YEAR + since / 4 - since / 100 + since / 400 + (153 * march_month + 2) / 5 + day - 1;
}

/* Takes exactly `digits` decimal digits and what must follow them; false where they are not there. */
static bool take(const char **at, unsigned digits, char then, uint32_t *value)
{
	uint32_t sum = 0;

	for (; digits > 0; digits--, ++*at) {
		if (**at < '0' || **at > '9')
			return false;
		sum = sum * 10 + (uint32_t)(**at - '0');
	}
	if (then && *(*at)++ != then)
		return false;
	*value = sum;
	return true;
}

/* What may stand behind the second: "Z", ".5Z" */
static bool take_fraction(const char *at, uint32_t *ns)
{
	unsigned digits = 0;

	*ns = 0;
	if (*at == '.') {
		for (at++; digits < FRACTION_DIGITS && *at >= '0' && *at <= '9'; digits++)
			*ns = *ns * 10 + (uint32_t)(*at++ - '0');
		if (digits == 0)
			return false;
		for (; digits < FRACTION_DIGITS; digits++)
			*ns *= 10;
	}
	return at[0] == 'Z' && at[1] == '\0';
}

int time_parse(const char *text, struct capture_time *t)
{
	uint32_t year, month, day, hour, minute, second, ns, days, again[3];
	const char *at = text;
	int64_t seconds, sum;

	if (!take(&at, 4, '-', &year) || !take(&at, 2, '-', &month) || !take(&at, 2, 'T', &day) ||
	    !take(&at, 2, ':', &hour) || !take(&at, 2, ':', &minute) || !take(&at, 2, '\0', &second) ||
	    !take_fraction(at, &ns))
		return -EINVAL;
	if (year <= FIRST_YEAR || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
	    second > 59)
		return -EINVAL;
	days = days_of(year, month, day);
	date_of(days, &again[0], &again[1], &again[2]);
	if (again[1] != month || again[2] != day) /* the 30th of February */
		return -EINVAL;
	seconds = ((int64_t)days - DAYS_1600_MARCH_TO_EPOCH) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
	sum = ns;
	if (seconds < 0) { /* the second that begins before all time ends in it */
		seconds++;
		sum -= NS_PER_S;
	}
	if (__builtin_mul_overflow(seconds, NS_PER_S, &seconds) || __builtin_add_overflow(sum, seconds, &sum))
		return -EINVAL;
	t->ns = sum;
	return 0;
}

int time_parse_typed(const char *text, struct capture_time now, struct capture_time *t)
{
	char today[TIME_TEXT_SIZE], whole[TIME_TEXT_SIZE];
	size_t length = strlen(text);
	struct capture_time read;

	if (time_parse(text, t) == 0)
		return 0;
	(void)time_format(now, today);
	if (length == sizeof("2026-03-10T09:40") - 1)
		(void)snprintf(whole, sizeof(whole), "%.16s:00Z", text);
	else if (length == sizeof("09:40") - 1)
		(void)snprintf(whole, sizeof(whole), "%.11s%.5s:00Z", today, text);
	else
		return -EINVAL;
	if (time_parse(whole, &read) != 0)
		return -EINVAL;
	if (length == sizeof("09:40") - 1 && read.ns > now.ns)
		read.ns -= SECONDS_PER_DAY * NS_PER_S;
	*t = read;
	return 0;
}

unsigned time_month(const char name[3])
{
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
		                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

	for (unsigned i = 0; i < sizeof(months) / sizeof(months[0]); i++)
		if (memcmp(name, months[i], 3) == 0)
			return i + 1;
	return 0;
}
