/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an outage is: a scan over countries, their regions, and networks, and over windows of 5 to 120 minutes, for the
 * one in which there are more reports than is usual there, by the likelihood ratio of Poisson counts (Kulldorff,
 * Communications in Statistics Theory and Methods 26, 1997, its form with known expectations): c·ln(c/e) - (c - e).
 *
 * What is usual of a place is its share of all reports outside the outage, times what is usual of the whole. Where 60 %
 * of the regions that report at all have three times as many as usual and more, the outage is everywhere.
 *
 * Of a kind of place that reports seldom named before and name now, as when databases of networks were brought a week
 * ago, nothing usual is known: it is left out until what came before names it half as often as what comes now.
 */
#ifndef HOLDFAST_IMPACT_WHERE_H
#define HOLDFAST_IMPACT_WHERE_H

#include <stdint.h>

#include "impact/count.h"
#include "impact/outage.h"

#define WHERE_PLACES_MAX 4096 /* those that come later are not looked at, but counted */
#define WHERE_BUCKETS_MAX 576 /* of an outage: two days, from its beginning on */
#define WHERE_WINDOW_MAX 24   /* buckets: 120 minutes */
#define WHERE_GLOBAL_PERCENT 60
#define WHERE_GLOBAL_TIMES 3

struct where; /* opaque */

/* Of an outage of so many buckets that began at `began_ns`. -ENOMEM. */
int where_new(int64_t began_ns, uint32_t buckets, struct where **where);
void where_free(struct where *where);
/* Counts before and in the outage; those behind it are passed over. -ENOMEM. */
int where_add(struct where *where, const struct report_count *count);
/* `expected_milli`: what is usual of the whole, of each bucket. Fills places, global, regions_up, regions. */
void where_find(const struct where *where, const uint32_t *expected_milli, struct outage *outage);
/*
 * The share of reports before the outage that came from a network, of those whose network is known: per cent; 100: not
 * known.
 */
uint32_t where_usual_percent(const struct where *where, uint32_t network);
/* Counts of places that there was no room for: a place, as often as it came. */
uint32_t where_refused(const struct where *where);

#endif
