/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/cost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_GBPS 1.0 /* less is not sold */
#define HOURS_A_DAY 24.0

static const char *const names[] = {
	[COST_PER_GBPS_HOUR] = "gbps_hour",
	[COST_PER_HOUR] = "hour",
	[COST_PER_DAY] = "day",
	[COST_PER_ATTACK] = "attack",
};

const char *cost_per_name(enum cost_per per)
{
	return per < sizeof(names) / sizeof(names[0]) ? names[per] : "unknown";
}

static bool is_text(const char *text, size_t size)
{
	return text[0] && memchr(text, '\0', size);
}

static bool is_date(const char *date)
{
	static const char shape[] = "0000-00-00";
	size_t length = strlen(date);

	for (size_t i = 0; i < length; i++)
		if (i >= sizeof(shape) - 1 || (shape[i] == '-' ? date[i] != '-' : date[i] < '0' || date[i] > '9'))
			return false;
	return length == 4 || length == 7 || length == 10;
}

const char *cost_price_wrong(const struct cost_price *price)
{
	if (!is_text(price->what, sizeof(price->what)))
		return "what is sold is not said, or too long";
	if (!is_text(price->source, sizeof(price->source)) || strncmp(price->source, "https://", 8) != 0)
		return "the source is not an https:// address of at most 159 octets";
	if (!is_text(price->date, sizeof(price->date)) || !is_date(price->date))
		return "the date is not a year, month or day (2021, 2021-08, 2021-08-14)";
	if (!(price->low > 0 && price->low <= price->mid && price->mid <= price->high && price->high < 1e12))
		return "prices are not 0 < low <= mid <= high < 1e12";
	if (!(price->up_to_gbps >= 0 && price->up_to_gbps < 1e9))
		return "up_to_gbps is not a number of Gbit/s from 0 on";
	return NULL;
}

static double whole(double x)
{
	double floor = x < 1e15 ? (double)(uint64_t)x : x;

	return floor < x ? floor + 1 : floor;
}

/* How many of what is sold it takes. */
static double units(enum cost_per per, double hours, double gbps)
{
	switch (per) {
	case COST_PER_GBPS_HOUR:
		return whole(hours) * (gbps > LEAST_GBPS ? gbps : LEAST_GBPS);
	case COST_PER_HOUR:
		return whole(hours);
	case COST_PER_DAY:
		return whole(hours / HOURS_A_DAY);
	case COST_PER_ATTACK:
		break;
	}
	return 1;
}

static int by_price(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

void cost_make(const struct cost_price *prices, uint32_t count, double hours, double gbps, struct cost *cost)
{
	double mids[COST_PRICES_MAX];
	const char *first = NULL, *last = NULL;
	uint32_t used = 0;

	*cost = (struct cost){ .hours = hours, .gbps = gbps };
	if (!(hours > 0 && gbps > 0))
		return;
	for (uint32_t i = 0; i < count && used < COST_PRICES_MAX; i++) {
		const struct cost_price *price = &prices[i];
		double n = units(price->per, hours, gbps);

		if (price->up_to_gbps > 0 && gbps > price->up_to_gbps)
			continue;
		cost->low = used == 0 || price->low * n < cost->low ? price->low * n : cost->low;
		cost->high = price->high * n > cost->high ? price->high * n : cost->high;
		first = !first || strcmp(price->date, first) < 0 ? price->date : first;
		last = !last || strcmp(price->date, last) > 0 ? price->date : last;
		mids[used++] = price->mid * n;
	}
	if (used == 0)
		return;
	qsort(mids, used, sizeof(mids[0]), by_price);
	cost->known = true;
	cost->mid = (mids[(used - 1) / 2] + mids[used / 2]) / 2;
	(void)snprintf(cost->basis, sizeof(cost->basis),
	               "%u of %u published offers, of %s to %s, reach this size; hours and days are sold whole", used,
	               count, first, last);
}
