/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the lines of a component's access logs come to, in buckets of five minutes (count.h): answers and those of 5xx,
 * how long they took, from how many clients. Lines come roughly by time; ACCESS_BUCKETS_MAX buckets are open at once,
 * and one that has to make room is given out early: counts of the same cell add up wherever they go.
 *
 * How long answers took is a histogram with eight bins to each doubling, from microseconds to a day: the 90th
 * percentile is told as the upper end of its bin, at most an eighth too high.
 */
#ifndef HOLDFAST_IMPACT_ACCESS_COUNT_H
#define HOLDFAST_IMPACT_ACCESS_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hll.h"
#include "base/prefix.h"
#include "impact/access_log.h"
#include "impact/count.h"

#define ACCESS_BUCKETS_MAX 12
#define ACCESS_BINS 296         /* 8 << 37 microseconds are more than a day */
#define ACCESS_LATENCY_SHARE 90 /* per cent */

struct access_bucket {
	int64_t bucket_ns;     /* -1: none */
	uint64_t answers, bad; /* of those, with 5xx */
	uint64_t unanswered;   /* requests that ended without an answer */
	uint64_t octets;
	uint64_t timed; /* answers of which it is known how long they took */
	uint32_t bins[ACCESS_BINS];
	struct hll clients, clients_bad; /* addresses; of those whom an answer of 5xx met */
};

struct access_count {
	struct access_bucket buckets[ACCESS_BUCKETS_MAX]; /* in no order */
	const struct prefix *trusted; /* proxies: who is behind them counts as the client; the caller's */
	uint32_t trusted_count;
	uint64_t early; /* buckets that had to make room */
	int (*give)(void *context,
	            const struct access_bucket *bucket); /* a bucket is over; what is not 0 is returned */
	void *context;
};

void access_count_init(struct access_count *count, const struct prefix *trusted, uint32_t trusted_count,
                       int (*give)(void *context, const struct access_bucket *bucket), void *context);
/* 0, or give()'s. */
int access_count_add(struct access_count *count, const struct access_entry *entry);
/* Gives out, by time, the buckets that end at or before `end_ns`; INT64_MAX: all. 0, or give()'s: the rest stays. */
int access_count_end(struct access_count *count, int64_t end_ns);

/* Adds one bucket to another of the same time. */
void access_bucket_add(struct access_bucket *into, const struct access_bucket *from);
/* Milliseconds, rounded up, within which `percent` of the answers came; 0: not known. */
uint32_t access_bucket_latency_ms(const struct access_bucket *bucket, unsigned percent);
/* As signals of this host: how many were written, at most 2. */
unsigned access_bucket_signals(const struct access_bucket *bucket, const char *component,
                               struct signal_count signals[2]);
/*
 * On whose behalf a request came: the peer, or, where that is a trusted proxy, the address it forwarded. False: not
 * known.
 */
bool access_client(const struct access_entry *entry, const struct prefix *trusted, uint32_t trusted_count,
                   struct address *client);

#endif
