/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/real.h"
#include "tell/picture.h"

#define PAD_SHARE 16 /* so much of its time is shown of the quiet before, and after */
#define PAD_MIN_NS (60 * NS_PER_S)
#define BAND_DEVIATIONS 2
#define MILLI 1000

void picture_init(struct picture *picture, int64_t from_ns, int64_t to_ns)
{
	int64_t pad = to_ns > from_ns ? (to_ns - from_ns) / PAD_SHARE : 0, span;

	memset(picture, 0, sizeof(*picture));
	pad = pad > PAD_MIN_NS ? pad : PAD_MIN_NS;
	picture->from_ns = count_bucket(from_ns - pad);
	span = count_bucket((to_ns > from_ns ? to_ns : from_ns) + pad + COUNT_BUCKET_NS - 1) - picture->from_ns;
	picture->bucket_ns = COUNT_BUCKET_NS * (1 + (span / COUNT_BUCKET_NS - 1) / PICTURE_POINTS_MAX);
	picture->buckets = (uint32_t)((span + picture->bucket_ns - 1) / picture->bucket_ns);
	/* Seconds divide buckets: points are as fine as there is room, and end where buckets end. */
	picture->count = picture->buckets * (PICTURE_POINTS_MAX / picture->buckets);
	picture->step_ns = picture->bucket_ns / (picture->count / picture->buckets);
}

int64_t picture_end(const struct picture *picture)
{
	return picture->from_ns + picture->bucket_ns * picture->buckets;
}

bool picture_in_buckets(enum picture_kind kind)
{
	return kind >= PICTURE_REPORTS;
}

/* NULL: there is no room. */
static struct picture_lane *lane_of(struct picture *picture, enum picture_kind kind, const char *component)
{
	struct picture_lane *lane;

	for (uint32_t i = 0; i < picture->lanes_count; i++)
		if (picture->lanes[i].kind == kind && strcmp(picture->lanes[i].component, component) == 0)
			return &picture->lanes[i];
	if (picture->lanes_count == PICTURE_LANES_MAX) {
		picture->lanes_refused++;
		return NULL;
	}
	lane = &picture->lanes[picture->lanes_count++];
	lane->kind = kind;
	(void)snprintf(lane->component, sizeof(lane->component), "%s", component);
	return lane;
}

/* Whether a moment is in the picture, and in which of its buckets. */
static bool bucket_at(const struct picture *picture, int64_t ns, uint32_t *at)
{
	if (ns < picture->from_ns || ns >= picture_end(picture))
		return false;
	*at = (uint32_t)((ns - picture->from_ns) / picture->bucket_ns);
	return true;
}

/* ---- the shield's ---- */

static void put_rate(struct picture_lane *lane, uint32_t at, uint64_t part, uint64_t whole)
{
	if (!lane)
		return;
	/*
	 * Of several attacks at a time each one's series is of the whole host: they agree, or one has seen less of it.
	 */
	if (lane->known[at] && lane->parts[1][at] >= whole)
		return;
	lane->known[at] = true;
	lane->parts[0][at] = part < whole ? part : whole;
	lane->parts[1][at] = whole;
}

/* Means over what of a series begins within a point; where a series is coarser, of the one that holds its middle. */
static void sum_point(const struct series *series, int64_t from_ns, int64_t to_ns, struct course_point *sum)
{
	int64_t first = (from_ns - series->from.ns + series->step_ns - 1) / series->step_ns;

	memset(sum, 0, sizeof(*sum));
	for (int64_t i = first < 0 ? 0 : first; i < series->count && series->from.ns + i * series->step_ns < to_ns;
	     i++) {
		const struct course_point *p = &series->points[i];

		sum->seconds += p->seconds;
		sum->arrived += p->arrived;
		sum->dropped += p->dropped;
		sum->answered += p->answered;
		sum->lost += p->lost;
	}
	if (sum->seconds == 0) {
		const struct course_point *p =
			series_at(series, (struct capture_time){ from_ns + (to_ns - from_ns) / 2 });

		if (p)
			*sum = *p;
	}
}

void picture_series(struct picture *picture, const struct series *series)
{
	struct picture_lane *attack, *users;

	if (series->count == 0 || series->step_ns <= 0 || series->from.ns >= picture_end(picture) ||
	    series->from.ns + series->step_ns * series->count <= picture->from_ns)
		return;
	attack = lane_of(picture, PICTURE_ATTACK, "");
	users = lane_of(picture, PICTURE_USERS, "");
	for (uint32_t i = 0; i < picture->count; i++) {
		int64_t at_ns = picture->from_ns + picture->step_ns * i;
		struct course_point sum;

		sum_point(series, at_ns, at_ns + picture->step_ns, &sum);
		if (sum.seconds == 0)
			continue;
		put_rate(attack, i, sum.dropped / sum.seconds, sum.arrived / sum.seconds);
		put_rate(users, i, (sum.answered - (sum.lost < sum.answered ? sum.lost : sum.answered)) / sum.seconds,
		         sum.answered / sum.seconds);
	}
}

void picture_attack(struct picture *picture, const struct picture_attack *attack)
{
	if (attack->from_ns >= picture_end(picture) || attack->to_ns < picture->from_ns)
		return;
	if (picture->attacks_count == PICTURE_ATTACKS_MAX)
		picture->attacks_refused++;
	else
		picture->attacks[picture->attacks_count++] = *attack;
}

/* ---- what users and machines say ---- */

void picture_report(struct picture *picture, const struct report_count *count)
{
	struct picture_lane *lane;
	uint32_t at;

	if (!bucket_at(picture, count->bucket_ns, &at) || !(lane = lane_of(picture, PICTURE_REPORTS, count->component)))
		return;
	lane->known[at] = true;
	lane->parts[0][at] += count->accepted;
	lane->parts[1][at] += count->shielded;
}

void picture_signal(struct picture *picture, const struct signal_count *count)
{
	static const enum picture_kind kinds[SIGNAL_KINDS] = {
		[SIGNAL_PROBE] = PICTURE_PROBES,
		[SIGNAL_EDGE_5XX] = PICTURE_EDGE,
		[SIGNAL_CONNECTIONS] = PICTURE_CONNECTIONS,
		[SIGNAL_HANDSHAKES] = PICTURE_HANDSHAKES,
		[SIGNAL_NEL] = PICTURE_NEL,
	};
	struct picture_lane *lane;
	uint32_t at;

	if (!kinds[count->kind] || count->good + count->bad == 0 || !bucket_at(picture, count->bucket_ns, &at) ||
	    !(lane = lane_of(picture, kinds[count->kind], count->component)))
		return;
	lane->known[at] = true;
	lane->parts[0][at] += count->bad;
	lane->parts[1][at] += count->good;
}

void picture_usual(struct picture *picture, const char *component, int64_t bucket_ns,
                   const struct baseline_usual *usual)
{
	struct picture_lane *lane;
	double deviation, low, high;
	uint32_t at;

	if (usual->basis == OUTAGE_NOTHING_KNOWN || !bucket_at(picture, bucket_ns, &at) ||
	    !(lane = lane_of(picture, PICTURE_REPORTS, component)))
		return;
	deviation = BAND_DEVIATIONS * real_sqrt(usual->variance);
	low = usual->mean > deviation ? usual->mean - deviation : 0;
	high = usual->mean + deviation;
	lane->known[at] = true; /* nobody has reported anything is known, too */
	lane->usual = true;
	lane->parts[2][at] += (uint64_t)(low * MILLI);
	lane->parts[3][at] += (uint64_t)(high * MILLI + 0.5);
}

/* ---- what is known of it ---- */

static void put_spans(struct picture *picture, const struct picture_outage *outage, const struct harm *harm)
{
	for (uint32_t i = 0; i < harm->causes.intervals_count; i++) {
		struct picture_span *span = &picture->spans[picture->spans_count];

		if (picture->spans_count == PICTURE_SPANS_MAX) {
			picture->spans_refused++;
			continue;
		}
		memcpy(span->outage, outage->id, sizeof(span->outage));
		memcpy(span->component, harm->outage.component, sizeof(span->component));
		span->interval = harm->causes.intervals[i];
		picture->spans_count++;
	}
}

/* An outage is no longer in the picture. */
static void drop_spans(struct picture *picture, const char *outage)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < picture->spans_count; i++)
		if (strcmp(picture->spans[i].outage, outage) != 0)
			picture->spans[kept++] = picture->spans[i];
	picture->spans_count = kept;
}

void picture_outage(struct picture *picture, const char *id, const struct harm *harm)
{
	const struct outage *o = &harm->outage;
	struct picture_outage *kept;
	uint32_t at = picture->outages_count;

	if (o->began_ns >= picture_end(picture) || (o->ended_ns && o->ended_ns <= picture->from_ns))
		return;
	while (at > 0 && picture->outages[at - 1].excess < o->excess)
		at--;
	if (picture->outages_count < PICTURE_OUTAGES_MAX)
		picture->outages_count++;
	else
		picture->outages_refused++;
	if (at == PICTURE_OUTAGES_MAX)
		return;
	if (picture->outages_refused) /* the smallest of those that were kept goes */
		drop_spans(picture, picture->outages[PICTURE_OUTAGES_MAX - 1].id);
	memmove(&picture->outages[at + 1], &picture->outages[at],
	        (picture->outages_count - 1 - at) * sizeof(*picture->outages));
	kept = &picture->outages[at];
	*kept = (struct picture_outage){
		.began_ns = o->began_ns,
		.ended_ns = o->ended_ns,
		.reports = o->reports,
		.raw = o->raw,
		.shielded = o->shielded,
		.excess = o->excess,
		.belief = harm->belief.permyriad,
		.word = harm->belief.word,
		.incident = harm->incident,
		.delay_ns = harm->delay_ns,
	};
	(void)snprintf(kept->id, sizeof(kept->id), "%s", id);
	memcpy(kept->component, o->component, sizeof(kept->component));
	memcpy(kept->shares, harm->causes.shares, sizeof(kept->shares));
	put_spans(picture, kept, harm);
}

void picture_mark(struct picture *picture, const struct picture_mark *mark)
{
	uint32_t at = picture->marks_count;

	if (mark->at_ns >= picture_end(picture) || mark->to_ns < picture->from_ns)
		return;
	if (picture->marks_count == PICTURE_MARKS_MAX) {
		picture->marks_refused++;
		return;
	}
	while (at > 0 && picture->marks[at - 1].at_ns > mark->at_ns)
		at--;
	memmove(&picture->marks[at + 1], &picture->marks[at], (picture->marks_count++ - at) * sizeof(*mark));
	picture->marks[at] = *mark;
}

bool picture_has_harm(const struct picture *picture)
{
	if (picture->marks_count || picture->outages_count)
		return true;
	for (uint32_t i = 0; i < picture->lanes_count; i++)
		if (picture_in_buckets(picture->lanes[i].kind))
			return true;
	return false;
}
