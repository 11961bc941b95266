/* SPDX-License-Identifier: Apache-2.0 */
#include "impact/surge.h"

#include <string.h>

#include "base/real.h"

#define CALM_RATIO 1.5
#define HOURS_INFLATION 1.6   /* from hour to hour reports may become so many times as many by themselves */
#define CALM_RATIO_HOURS 2.25 /* where only the hours before are known: those that follow may have more by themselves */
#define CALM_TAIL 0.01
#define C2_DEVIATIONS 3.0
#define PRONOUNCED_PERCENT 80
#define MILLI 1000
#define MERGE_BUCKETS (SURGE_MERGE_NS / COUNT_BUCKET_NS)
#define JOIN_BUCKETS (SURGE_JOIN_NS / COUNT_BUCKET_NS)

void surge_init(struct surge *surge, const char *component, uint32_t streams)
{
	memset(surge, 0, sizeof(*surge));
	for (size_t i = 0; component[i] && i + 1 < sizeof(surge->component); i++)
		surge->component[i] = component[i];
	baseline_init(&surge->baseline);
	cusum_init(&surge->cusum, streams);
	surge->bucket = surge->usual_hour = INT64_MIN;
	surge->rising = INT64_MAX;
}

static struct surge_bucket *latest_at(struct surge *surge, int64_t bucket)
{
	return &surge->latest[bucket % SURGE_PENDING_MAX];
}

/* ---- what is usual ---- */

static void expect(struct surge *surge, int64_t hour)
{
	if (hour == surge->usual_hour && surge->usual.basis > OUTAGE_HOURS_KNOWN)
		return;
	surge->usual_hour = hour;
	baseline_at(&surge->baseline, hour, &surge->usual);
	cusum_expect(&surge->cusum,
	             surge->usual.mean * (surge->usual.basis == OUTAGE_HOURS_KNOWN ? HOURS_INFLATION : 1),
	             surge->usual.dispersion);
}

/* All that waits but for the last `keep`. */
static void learn(struct surge *surge, uint32_t keep)
{
	for (; surge->pending > keep; surge->pending--) {
		int64_t bucket = surge->bucket - surge->pending + 1;

		baseline_learn(&surge->baseline, bucket / BASELINE_BUCKETS, latest_at(surge, bucket)->count);
	}
}

static uint32_t quarter(struct surge *surge)
{
	uint32_t sum = 0;

	for (int64_t i = 0; i < SURGE_QUARTER; i++)
		sum += surge->bucket >= i ? latest_at(surge, surge->bucket - i)->count : 0;
	return sum;
}

/* EARS C2's own threshold, where its baseline is what is known. */
static bool beyond_c2(const struct surge *surge, uint32_t sum)
{
	if (surge->usual.basis == OUTAGE_WEEKS_KNOWN)
		return true;
	return sum >
	       SURGE_QUARTER * surge->usual.mean + C2_DEVIATIONS * real_sqrt(SURGE_QUARTER * surge->usual.variance);
}

/* ---- the outage ---- */

static void append(struct surge *surge, const struct surge_bucket *bucket)
{
	if (surge->buckets_count < SURGE_BUCKETS_MAX)
		surge->buckets[surge->buckets_count++] = *bucket;
}

static struct surge_wave *last_wave(struct surge *surge)
{
	return &surge->waves[surge->waves_count - 1];
}

static void begin_wave(struct surge *surge)
{
	int64_t began = surge->rising < surge->bucket ? surge->rising : surge->bucket;
	int64_t oldest = surge->bucket - SURGE_PENDING_MAX + 1;

	began = began > oldest ? began : oldest;
	surge->state = SURGE_ALARM;
	surge->last_alarm = surge->bucket;
	/* What was learned of it all the same. */
	for (int64_t bucket = surge->bucket - surge->pending; bucket >= began; bucket--)
		baseline_forget(&surge->baseline, bucket / BASELINE_BUCKETS, latest_at(surge, bucket)->count);
	surge->pending = 0;
	if (!surge->is_out) {
		surge->is_out = true;
		surge->began = began;
		surge->alarm = surge->bucket;
		surge->basis = surge->usual.basis;
		surge->waves_count = surge->waves_joined = surge->buckets_count = 0;
		for (int64_t bucket = began; bucket <= surge->bucket; bucket++)
			append(surge, latest_at(surge, bucket));
	} else if (began - last_wave(surge)->ended < MERGE_BUCKETS || surge->waves_count == OUTAGE_WAVES_MAX) {
		surge->waves_joined += began - last_wave(surge)->ended >= MERGE_BUCKETS;
		last_wave(surge)->ended = INT64_MAX;
		return;
	}
	surge->waves[surge->waves_count++] = (struct surge_wave){ began, INT64_MAX };
}

static void end_wave(struct surge *surge, int64_t ended)
{
	surge->state = SURGE_QUIET;
	surge->cusum.sum = 0;
	surge->rising = INT64_MAX;
	last_wave(surge)->ended = ended;
}

/* Whether the last SURGE_CALM buckets are as usual. */
static bool calm(struct surge *surge)
{
	double ratio = surge->usual.basis == OUTAGE_HOURS_KNOWN ? CALM_RATIO_HOURS : CALM_RATIO;
	double sum = 0, expected = 0;

	if (surge->bucket - surge->last_alarm < SURGE_CALM)
		return false;
	for (int64_t i = 0; i < SURGE_CALM; i++) {
		const struct surge_bucket *bucket = latest_at(surge, surge->bucket - i);
		double mean = (double)bucket->expected_milli / MILLI;

		sum += bucket->count;
		expected += mean;
		if (bucket->count > ratio * mean &&
		    cusum_tail(bucket->count, mean, surge->usual.dispersion) <= CALM_TAIL)
			return false;
	}
	return sum < ratio * expected;
}

static enum surge_news in_alarm(struct surge *surge)
{
	surge->pending = 0;
	if (calm(surge)) {
		end_wave(surge, surge->bucket - SURGE_CALM + 1);
		return SURGE_CALMED;
	}
	if (surge->buckets_count == SURGE_BUCKETS_MAX) {
		end_wave(surge, surge->bucket + 1);
		surge->over = true;
		baseline_init(&surge->baseline); /* what was usual is no more */
		surge->usual_hour = INT64_MIN;
		return SURGE_OVER;
	}
	return SURGE_NOTHING;
}

static enum surge_news in_quiet(struct surge *surge, uint32_t count)
{
	if (surge->usual.basis == OUTAGE_NOTHING_KNOWN || cusum_add(&surge->cusum, count) <= 0) {
		surge->cusum.sum = 0;
		surge->rising = INT64_MAX;
		learn(surge, 0);
	} else {
		uint32_t sum = quarter(surge);

		if (surge->rising == INT64_MAX)
			surge->rising = surge->bucket;
		if (surge->cusum.sum >= surge->cusum.threshold && sum >= SURGE_REPORTS_MIN && beyond_c2(surge, sum)) {
			begin_wave(surge);
			return SURGE_BEGAN;
		}
		/* Where only the hours before are known, what is usual has to follow the rhythm of the day. */
		learn(surge, surge->usual.basis == OUTAGE_HOURS_KNOWN ? 0 : SURGE_PENDING_MAX - 1);
	}
	if (surge->is_out &&
	    (surge->bucket - last_wave(surge)->ended >= JOIN_BUCKETS || surge->buckets_count == SURGE_BUCKETS_MAX)) {
		surge->over = true;
		return SURGE_OVER;
	}
	return SURGE_NOTHING;
}

static enum surge_news step(struct surge *surge, int64_t number, uint32_t count)
{
	struct surge_bucket bucket;
	double milli;

	if (surge->over)
		surge->is_out = surge->over = false;
	surge->bucket = number;
	expect(surge, number / BASELINE_BUCKETS);
	milli = surge->usual.mean * MILLI + 0.5;
	bucket = (struct surge_bucket){ count, milli < UINT32_MAX ? (uint32_t)milli : UINT32_MAX };
	*latest_at(surge, number) = bucket;
	surge->pending++;
	if (surge->is_out)
		append(surge, &bucket);
	return surge->state == SURGE_ALARM ? in_alarm(surge) : in_quiet(surge, count);
}

enum surge_news surge_add(struct surge *surge, int64_t number, uint32_t count)
{
	if (surge->bucket != INT64_MIN && number != surge->bucket + 1) {
		char component[COMPONENT_ID_SIZE];
		double threshold = surge->cusum.threshold;

		memcpy(component, surge->component, sizeof(component));
		surge_init(surge, component, 1);
		surge->cusum.threshold = threshold;
	}
	return step(surge, number, count);
}

/* ---- what is known of it ---- */

static int64_t time_of(int64_t bucket)
{
	return bucket * COUNT_BUCKET_NS;
}

static uint64_t excess_milli(const struct surge_bucket *bucket)
{
	uint64_t count = (uint64_t)bucket->count * MILLI;

	return count > bucket->expected_milli ? count - bucket->expected_milli : 0;
}

/* Where the largest quarter of an hour in buckets [from, to) begins. */
static uint32_t find_peak(const struct surge_bucket *buckets, uint32_t from, uint32_t to, uint64_t *most)
{
	uint32_t best = from;

	*most = 0;
	for (uint32_t i = from; i < to; i++) {
		uint64_t sum = 0;

		for (uint32_t k = i; k < to && k < i + SURGE_QUARTER; k++)
			sum += buckets[k].count;
		if (sum > *most) {
			*most = sum;
			best = i;
		}
	}
	return best;
}

/* The shortest run of buckets with PRONOUNCED_PERCENT of the excess, the first of equals. */
static void find_pronounced(const uint64_t *excess, uint32_t count, uint32_t *from, uint32_t *to)
{
	uint64_t total = 0, sum = 0, wanted;
	uint32_t left = 0, best = count + 1;

	for (uint32_t i = 0; i < count; i++)
		total += excess[i];
	wanted = total / 100 * PRONOUNCED_PERCENT + total % 100 * PRONOUNCED_PERCENT / 100;
	*from = 0;
	*to = count;
	for (uint32_t i = 0; i < count; i++) {
		sum += excess[i];
		while (left < i && sum - excess[left] >= wanted)
			sum -= excess[left++];
		if (sum >= wanted && i + 1 - left < best) {
			best = i + 1 - left;
			*from = left;
			*to = i + 1;
		}
	}
}

static void tell_wave(const struct surge *surge, const struct surge_wave *wave, uint64_t *excess, struct outage *outage)
{
	uint32_t from = (uint32_t)(wave->began - surge->began), to = surge->buckets_count, peak;
	struct outage_wave *told = &outage->waves[outage->waves_count++];
	uint64_t most, milli = 0;

	if (wave->ended != INT64_MAX && wave->ended - surge->began < to)
		to = (uint32_t)(wave->ended - surge->began);
	peak = find_peak(surge->buckets, from, to, &most);
	*told = (struct outage_wave){ .began_ns = time_of(wave->began),
		                      .peak_began_ns = time_of(surge->began + peak),
		                      .ended_ns = wave->ended == INT64_MAX ? 0 : time_of(wave->ended) };
	told->peak_ended_ns = time_of(surge->began + (peak + SURGE_QUARTER < to ? peak + SURGE_QUARTER : to));
	for (uint32_t i = from; i < to; i++) {
		excess[i] = excess_milli(&surge->buckets[i]);
		milli += excess[i];
		told->reports += surge->buckets[i].count;
	}
	told->excess = (milli + MILLI / 2) / MILLI;
	outage->reports += told->reports;
	outage->excess += told->excess;
	if (most > outage->peak_reports) {
		outage->peak_reports = most;
		outage->peak_began_ns = told->peak_began_ns;
		outage->peak_ended_ns = told->peak_ended_ns;
	}
	outage->ended_ns = told->ended_ns;
}

uint32_t surge_excess(const struct surge *surge, uint64_t excess_milli[SURGE_BUCKETS_MAX])
{
	struct outage outage = { .waves_count = 0 };

	memset(excess_milli, 0, SURGE_BUCKETS_MAX * sizeof(*excess_milli));
	if (!surge->is_out)
		return 0;
	for (uint32_t i = 0; i < surge->waves_count; i++)
		tell_wave(surge, &surge->waves[i], excess_milli, &outage);
	return surge->buckets_count;
}

bool surge_outage(const struct surge *surge, struct outage *outage)
{
	static const int64_t half = OUTAGE_PRONOUNCED_NS;
	uint64_t excess[SURGE_BUCKETS_MAX];
	uint32_t from, to, count = surge->is_out ? surge->buckets_count : 0;

	if (count == 0)
		return false;
	memset(outage, 0, sizeof(*outage));
	memset(excess, 0, sizeof(excess));
	memcpy(outage->component, surge->component, sizeof(outage->component));
	outage->began_ns = time_of(surge->began);
	outage->alarm_ns = time_of(surge->alarm + 1);
	outage->basis = surge->basis;
	outage->waves_joined = surge->waves_joined;
	for (uint32_t i = 0; i < surge->waves_count; i++)
		tell_wave(surge, &surge->waves[i], excess, outage);
	find_pronounced(excess, count, &from, &to);
	outage->pronounced_from_ns = time_of(surge->began + from);
	outage->pronounced_from_ns -= outage->pronounced_from_ns % half;
	outage->pronounced_to_ns = time_of(surge->began + to) + half - 1;
	outage->pronounced_to_ns -= outage->pronounced_to_ns % half;
	return true;
}
