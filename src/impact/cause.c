/* SPDX-License-Identifier: Apache-2.0 */
#include "impact/cause.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "impact/count.h"
#include "impact/words.h"

#define PERMYRIAD 10000

const char *const cause_names[CAUSES + 1] = {
	[CAUSE_ATTACK] = "attack",
	[CAUSE_OWN_CHANGE] = "own_change",
	[CAUSE_PROVIDER] = "provider",
	[CAUSE_UNKNOWN] = "unknown",
};

WORDS(cause, enum cause, cause_names)

static int64_t plus(int64_t ns, int64_t more)
{
	return time_plus((struct capture_time){ ns }, more).ns;
}

bool cause_explains(const struct cause_era *era, int64_t began_ns, int64_t at_ns)
{
	return began_ns >= plus(era->from_ns, -CAUSE_EARLY_NS) && at_ns >= plus(era->from_ns, -CAUSE_EARLY_NS) &&
	       at_ns < plus(era->to_ns, CAUSE_RECOVERY_NS);
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void ask_eras(const struct cause_era *eras, uint32_t count, int64_t began_ns, struct cause_piece *piece)
{
	for (uint32_t i = 0; i < count; i++) {
		enum cause cause = eras[i].cause;

		piece->can[cause] = piece->can[cause] || cause_explains(&eras[i], began_ns, piece->from_ns);
		/* It went on when the cause came: that may have kept it up. */
		piece->touches[cause] = piece->touches[cause] || cause_explains(&eras[i], INT64_MAX, piece->from_ns);
	}
	for (unsigned i = 0; i < CAUSE_UNKNOWN; i++)
		piece->count += piece->can[i];
	piece->can[CAUSE_UNKNOWN] = piece->touches[CAUSE_UNKNOWN] = piece->count == 0;
}

uint32_t cause_cut(const struct cause_era *eras, uint32_t count, int64_t from_ns, int64_t to_ns,
                   struct cause_piece pieces[CAUSE_PIECES_MAX])
{
	int64_t cuts[CAUSE_PIECES_MAX + 1];
	uint32_t cuts_count = 0;

	count = count < CAUSE_ERAS_MAX ? count : CAUSE_ERAS_MAX;
	cuts[cuts_count++] = from_ns;
	cuts[cuts_count++] = to_ns;
	for (uint32_t i = 0; i < count; i++) {
		const int64_t edges[] = { plus(eras[i].from_ns, -CAUSE_EARLY_NS),
			                  plus(eras[i].to_ns, CAUSE_RECOVERY_NS) };

		for (unsigned k = 0; k < 2; k++)
			if (edges[k] > from_ns && edges[k] < to_ns)
				cuts[cuts_count++] = edges[k];
	}
	qsort(cuts, cuts_count, sizeof(cuts[0]), by_time);
	for (uint32_t i = 0; i + 1 < cuts_count; i++) {
		pieces[i] = (struct cause_piece){ .from_ns = cuts[i], .to_ns = cuts[i + 1] };
		ask_eras(eras, count, from_ns, &pieces[i]);
	}
	return cuts_count - 1;
}

/* ---- accounts ---- */

struct accounting {
	struct cause_era eras[CAUSE_ERAS_MAX];
	struct cause_piece pieces[CAUSE_PIECES_MAX];
	uint32_t eras_count;
	const struct outage *outage;
	const uint64_t *excess_milli;
	uint32_t buckets;
	uint64_t total;
};

/* Of the buckets whose middle is in [from_ns, to_ns). */
static uint64_t excess_in(const struct accounting *a, int64_t from_ns, int64_t to_ns)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < a->buckets; i++) {
		int64_t middle = a->outage->began_ns + i * COUNT_BUCKET_NS + COUNT_BUCKET_NS / 2;

		if (middle >= from_ns && middle < to_ns)
			sum += a->excess_milli[i];
	}
	return sum;
}

static uint32_t permyriad(uint64_t part, uint64_t of)
{
	for (; part > UINT64_MAX / PERMYRIAD; part /= 2)
		of /= 2;
	return of ? (uint32_t)(part * PERMYRIAD / of) : 0;
}

/* Of those that can explain it the one that began last. */
static const struct cause_era *nearest(const struct accounting *a, int64_t began_ns, int64_t at_ns)
{
	const struct cause_era *best = NULL;

	for (uint32_t i = 0; i < a->eras_count; i++)
		if (cause_explains(&a->eras[i], began_ns, at_ns) && (!best || a->eras[i].from_ns > best->from_ns))
			best = &a->eras[i];
	return best;
}

static void add_interval(struct cause_account *account, const struct cause_interval *interval)
{
	struct cause_interval *last =
		account->intervals_count ? &account->intervals[account->intervals_count - 1] : NULL;
	bool same = last && last->to_ns == interval->from_ns && last->cause == interval->cause &&
	            last->reference == interval->reference && last->several == interval->several;

	if (!same && account->intervals_count < CAUSE_INTERVALS_MAX) {
		account->intervals[account->intervals_count++] = *interval;
		return;
	}
	last->to_ns = interval->to_ns;
	last->share += interval->share;
}

static void account_wave(struct accounting *a, int64_t from_ns, int64_t to_ns, uint64_t sums[CAUSES][3],
                         struct cause_account *account)
{
	uint32_t count = cause_cut(a->eras, a->eras_count, from_ns, to_ns, a->pieces);

	for (uint32_t i = 0; i < count; i++) {
		const struct cause_piece *piece = &a->pieces[i];
		const struct cause_era *era = nearest(a, from_ns, piece->from_ns);
		uint64_t weight = excess_in(a, piece->from_ns, piece->to_ns);
		struct cause_interval interval = { .from_ns = piece->from_ns,
			                           .to_ns = piece->to_ns,
			                           .cause = era ? era->cause : CAUSE_UNKNOWN,
			                           .several = piece->count > 1,
			                           .reference = era ? era->reference : 0,
			                           .share = permyriad(weight, a->total) };

		if (piece->to_ns == piece->from_ns)
			continue;
		for (unsigned k = 0; k < CAUSES; k++) {
			sums[k][0] += piece->can[k] && piece->count <= 1 ? weight : 0;
			sums[k][1] += piece->can[k] ? weight / (piece->count ? piece->count : 1) : 0;
			sums[k][2] += piece->can[k] || piece->touches[k] ? weight : 0;
		}
		add_interval(account, &interval);
	}
}

int cause_account(const struct cause_era *eras, uint32_t count, const struct outage *outage,
                  const uint64_t *excess_milli, uint32_t buckets, struct cause_account *account)
{
	int64_t last_ns = outage->began_ns + buckets * COUNT_BUCKET_NS;
	struct accounting *a = calloc(1, sizeof(*a));
	uint64_t sums[CAUSES][3] = { { 0 } };

	if (!a)
		return -ENOMEM;
	a->outage = outage;
	a->excess_milli = excess_milli;
	a->buckets = buckets;
	a->eras_count = count < CAUSE_ERAS_MAX ? count : CAUSE_ERAS_MAX;
	for (uint32_t i = 0; i < a->eras_count; i++) {
		a->eras[i] = eras[i];
		a->eras[i].from_ns = count_bucket(eras[i].from_ns);
	}
	for (uint32_t i = 0; i < buckets; i++)
		a->total += excess_milli[i];
	memset(account, 0, sizeof(*account));
	for (uint32_t i = 0; i < outage->waves_count && i < OUTAGE_WAVES_MAX; i++)
		account_wave(a, outage->waves[i].began_ns,
		             outage->waves[i].ended_ns ? outage->waves[i].ended_ns : last_ns, sums, account);
	for (unsigned k = 0; k < CAUSES; k++)
		account->shares[k] =
			(struct cause_share){ permyriad(sums[k][0], a->total), permyriad(sums[k][1], a->total),
			                      permyriad(sums[k][2], a->total) };
	free(a);
	return 0;
}
