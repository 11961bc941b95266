/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it would cost to rent an attack of this size: a range, never a fact about who paid. Prices are one table in a
 * file (data/prices.json in the sources, built in, or a file in its form), each with its source. "Needs a state" is
 * never concluded from cost.
 *
 * Only what is sold at this size or larger counts: a price for 50 Gbit/s says nothing of 500. Of those that do, low is
 * the cheapest offer's low, high the dearest's high, mid the median of their mids. Hours and days are sold whole.
 */
#ifndef HOLDFAST_TRACE_COST_H
#define HOLDFAST_TRACE_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COST_PRICES_MAX 32
#define COST_TEXT_SIZE 160
#define COST_ERROR_SIZE 200
#define COST_FILE_MAX 65536 /* octets */

enum cost_per { COST_PER_GBPS_HOUR, COST_PER_HOUR, COST_PER_DAY, COST_PER_ATTACK };

struct cost_price {
	enum cost_per per;
	double low, mid, high; /* US dollars */
	double up_to_gbps;     /* what is sold; 0: any */
	char what[COST_TEXT_SIZE], source[COST_TEXT_SIZE], date[16];
};

struct cost {
	bool known;
	double hours, gbps;         /* of the waves: sum of their lengths, mean rate while they lasted */
	double low, mid, high;      /* US dollars */
	char basis[COST_TEXT_SIZE]; /* which prices, in words */
};

/*
 * Of a file, or of its text, in the form of data/prices.json. 0; -EBADMSG: something in it is wrong; -EFBIG: it is
 * larger than COST_FILE_MAX; -EINVAL: it is no regular file; -ENOMEM; -errno. Where it is not 0 `error` says what is
 * wrong, and where.
 */
int cost_prices_read(const char *path, struct cost_price prices[COST_PRICES_MAX], uint32_t *count,
                     char error[COST_ERROR_SIZE]);
int cost_prices_parse(const char *text, size_t length, struct cost_price prices[COST_PRICES_MAX], uint32_t *count,
                      char error[COST_ERROR_SIZE]);
/* Those of data/prices.json when this was built. */
const struct cost_price *cost_prices(uint32_t *count);
const char *cost_per_name(enum cost_per per); /* "gbps_hour", "hour", "day", "attack" */
/* What is wrong with a row, or NULL. */
const char *cost_price_wrong(const struct cost_price *price);
/* `hours` of waves together, at a mean of `gbps` while they lasted; unknown where either is not above 0. */
void cost_make(const struct cost_price *prices, uint32_t count, double hours, double gbps, struct cost *cost);

#endif
