/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it would cost to rent an attack of this size: a range, never a fact about who paid. Prices are one table in a file
 * (data/prices.json in the sources, built in; `prices:` in the configuration names another), each with its source.
 * "Needs a state" is never concluded from cost.
 */
#ifndef HOLDFAST_TRACE_COST_H
#define HOLDFAST_TRACE_COST_H

#include <stdbool.h>
#include <stdint.h>

#define COST_PRICES_MAX 32
#define COST_TEXT_SIZE 160

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

#endif
