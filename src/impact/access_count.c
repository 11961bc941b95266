/* SPDX-License-Identifier: Apache-2.0 */
#include "impact/access_count.h"

#include <string.h>

#include "base/hash.h"

#define NONE (-1)
#define FINE_BITS 3 /* eight bins to a doubling */

void access_count_init(struct access_count *count, const struct prefix *trusted, uint32_t trusted_count,
                       int (*give)(void *context, const struct access_bucket *bucket), void *context)
{
	memset(count, 0, sizeof(*count));
	for (unsigned i = 0; i < ACCESS_BUCKETS_MAX; i++)
		count->buckets[i].bucket_ns = NONE;
	count->trusted = trusted;
	count->trusted_count = trusted_count;
	count->give = give;
	count->context = context;
}

/* ---- how long ---- */

static unsigned bin_of(int64_t us)
{
	uint64_t value = (uint64_t)us;
	unsigned doublings;

	if (value < 1u << FINE_BITS)
		return (unsigned)value;
	doublings = 63 - (unsigned)__builtin_clzll(value) - FINE_BITS;
	doublings = (doublings + 1) * (1u << FINE_BITS) + (unsigned)((value >> doublings) & ((1u << FINE_BITS) - 1));
	return doublings < ACCESS_BINS ? doublings : ACCESS_BINS - 1;
}

/* The first microsecond beyond a bin. */
static uint64_t bin_end(unsigned bin)
{
	unsigned doublings = bin >> FINE_BITS, fine = bin & ((1u << FINE_BITS) - 1);

	if (doublings == 0)
		return fine + 1;
	return (uint64_t)((1u << FINE_BITS) + fine + 1) << (doublings - 1);
}

uint32_t access_bucket_latency_ms(const struct access_bucket *bucket, unsigned percent)
{
	uint64_t wanted = (bucket->timed * percent + 99) / 100, seen = 0;

	for (unsigned i = 0; i < ACCESS_BINS && bucket->timed > 0; i++) {
		seen += bucket->bins[i];
		if (seen >= wanted)
			return (uint32_t)((bin_end(i) + 999) / 1000);
	}
	return 0;
}

/* ---- buckets ---- */

static int give_out(struct access_count *count, struct access_bucket *bucket)
{
	int result = count->give(count->context, bucket);

	if (result == 0)
		bucket->bucket_ns = NONE;
	return result;
}

static int bucket_at(struct access_count *count, int64_t bucket_ns, struct access_bucket **found)
{
	struct access_bucket *free_one = NULL, *oldest = &count->buckets[0];

	for (unsigned i = 0; i < ACCESS_BUCKETS_MAX; i++) {
		struct access_bucket *bucket = &count->buckets[i];

		if (bucket->bucket_ns == bucket_ns) {
			*found = bucket;
			return 0;
		}
		if (bucket->bucket_ns == NONE)
			free_one = bucket;
		if (bucket->bucket_ns < oldest->bucket_ns)
			oldest = bucket;
	}
	if (!free_one) {
		int result = give_out(count, oldest);

		if (result != 0)
			return result;
		count->early++;
		free_one = oldest;
	}
	memset(free_one, 0, sizeof(*free_one));
	free_one->bucket_ns = bucket_ns;
	*found = free_one;
	return 0;
}

bool access_client(const struct access_entry *entry, const struct prefix *trusted, uint32_t trusted_count,
                   struct address *client)
{
	bool proxied = entry->has_peer && prefixes_contain(trusted, trusted_count, &entry->peer);

	if (proxied && entry->has_forwarded)
		*client = entry->forwarded;
	else
		*client = entry->peer;
	return entry->has_peer && (!proxied || entry->has_forwarded);
}

int access_count_add(struct access_count *count, const struct access_entry *entry)
{
	bool is_bad = entry->status >= 500 && entry->status <= 599;
	struct access_bucket *bucket;
	struct address client;
	int result = bucket_at(count, count_bucket(entry->time_ns), &bucket);

	if (result != 0)
		return result;
	if (entry->status == 0) {
		bucket->unanswered++;
		return 0;
	}
	bucket->answers++;
	bucket->bad += is_bad;
	bucket->octets += entry->bytes > 0 && bucket->octets < UINT64_MAX / 2 ? (uint64_t)entry->bytes : 0;
	if (entry->duration_us >= 0 && bucket->timed < UINT32_MAX) {
		bucket->timed++;
		bucket->bins[bin_of(entry->duration_us)]++;
	}
	if (access_client(entry, count->trusted, count->trusted_count, &client)) {
		uint64_t hash = hash_address(0, &client);

		hll_add(&bucket->clients, hash);
		if (is_bad)
			hll_add(&bucket->clients_bad, hash);
	}
	return 0;
}

int access_count_end(struct access_count *count, int64_t end_ns)
{
	for (;;) {
		struct access_bucket *oldest = NULL;
		int result;

		for (unsigned i = 0; i < ACCESS_BUCKETS_MAX; i++) {
			struct access_bucket *bucket = &count->buckets[i];

			if (bucket->bucket_ns != NONE && bucket->bucket_ns <= end_ns - COUNT_BUCKET_NS &&
			    (!oldest || bucket->bucket_ns < oldest->bucket_ns))
				oldest = bucket;
		}
		if (!oldest)
			return 0;
		result = give_out(count, oldest);
		if (result != 0)
			return result;
	}
}

void access_bucket_add(struct access_bucket *into, const struct access_bucket *from)
{
	into->answers += from->answers;
	into->bad += from->bad;
	into->unanswered += from->unanswered;
	into->octets += from->octets;
	into->timed += from->timed;
	for (unsigned i = 0; i < ACCESS_BINS; i++)
		into->bins[i] += from->bins[i];
	hll_merge(&into->clients, &from->clients);
	hll_merge(&into->clients_bad, &from->clients_bad);
}

static uint32_t small(uint64_t number)
{
	return number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
}

unsigned access_bucket_signals(const struct access_bucket *bucket, const char *component,
                               struct signal_count signals[2])
{
	unsigned written = 0;

	if (bucket->answers > 0)
		signals[written++] = (struct signal_count){ .bucket_ns = bucket->bucket_ns,
			                                    .kind = SIGNAL_EDGE_5XX,
			                                    .good = small(bucket->answers - bucket->bad),
			                                    .bad = small(bucket->bad) };
	if (bucket->timed > 0)
		signals[written++] =
			(struct signal_count){ .bucket_ns = bucket->bucket_ns,
			                       .kind = SIGNAL_LATENCY,
			                       .good = small(bucket->timed),
			                       .value = access_bucket_latency_ms(bucket, ACCESS_LATENCY_SHARE) };
	for (unsigned i = 0; i < written; i++)
		memcpy(signals[i].component, component, strlen(component) + 1);
	return written;
}
