/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Countries out of the rows. Databases disagree, so a country's share is an interval: low counts the rows where all
 * databases that know the address say it, high those where any does. A database that knows nothing has no say, and what
 * none knows is nowhere: it is not in what the shares are of.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "trace/trace.h"

struct sum {
	uint64_t held, sources_low, sources_high, packets_low, packets_high;
};

/* Sums of estimates that came from outside must not wrap. */
static void add(uint64_t *sum, uint64_t more)
{
	*sum = more > UINT64_MAX - *sum ? UINT64_MAX : *sum + more;
}

/* Adds a row to what is said in it, once each; false where nothing is. */
static bool add_row(struct sum sums[GEO_CODES], const struct trace_row *row)
{
	size_t said[GEO_COUNTRY_DATABASES_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < GEO_COUNTRY_DATABASES_MAX; i++) {
		size_t code = geo_code_index(row->country[i]);
		bool again = code == GEO_CODES;

		for (unsigned k = 0; k < count; k++)
			again |= said[k] == code;
		if (!again)
			said[count++] = code;
	}
	for (unsigned k = 0; k < count; k++) {
		struct sum *sum = &sums[said[k]];

		add(&sum->held, row->held);
		add(&sum->sources_high, row->sources);
		add(&sum->packets_high, row->packets);
		if (count == 1) {
			add(&sum->sources_low, row->sources);
			add(&sum->packets_low, row->packets);
		}
	}
	return count > 0;
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static int most_first(const void *a, const void *b)
{
	const struct trace_country *x = a, *y = b;

	if (x->sources_high != y->sources_high)
		return x->sources_high > y->sources_high ? -1 : 1;
	if (x->sources_low != y->sources_low)
		return x->sources_low > y->sources_low ? -1 : 1;
	return memcmp(x->code, y->code, sizeof(x->code));
}

uint32_t trace_countries(const struct trace *trace, struct trace_country *countries, uint32_t max)
{
	struct trace_country all[GEO_CODES];
	struct sum sums[GEO_CODES];
	uint64_t sources = 0, packets = 0;
	uint32_t count = 0;

	memset(sums, 0, sizeof(sums));
	for (uint32_t i = 0; i < trace->rows_count; i++) {
		if (!add_row(sums, &trace->rows[i]))
			continue;
		add(&sources, trace->rows[i].sources);
		add(&packets, trace->rows[i].packets);
	}
	for (size_t code = 0; code < GEO_CODES; code++) {
		const struct sum *sum = &sums[code];

		if (sum->sources_high == 0 && sum->packets_high == 0)
			continue;
		all[count] = (struct trace_country){
			.held = sum->held,
			.sources_low = share(sum->sources_low, sources),
			.sources_high = share(sum->sources_high, sources),
			.packets_low = share(sum->packets_low, packets),
			.packets_high = share(sum->packets_high, packets),
		};
		geo_code_at(code, all[count++].code);
	}
	qsort(all, count, sizeof(all[0]), most_first);
	count = count < max ? count : max;
	if (count)
		memcpy(countries, all, count * sizeof(all[0]));
	return count;
}
