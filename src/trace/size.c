/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/size.h"

#include <errno.h>
#include <stdlib.h>

#include "base/time.h"
#include "trace/chance.h"
#include "trace/real.h"

#define SLOTS_A_SECOND 10 /* of 100 ms, as peaks are counted in */
#define QUANTILE 1.959964 /* 95 % on two sides */

static uint64_t at_most(uint64_t value, uint64_t bound)
{
	return value < bound ? value : bound;
}

static int by_time(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* The last bit of a source's waves is of all from there on. */
static uint32_t wave_bit(uint32_t wave)
{
	return wave < ROSTER_WAVES ? wave : ROSTER_WAVES - 1;
}

/* ---- at once ---- */

/* Seconds since the wave began in which a source was active; false: not in this wave. */
static bool active_in(const struct roster_source *source, uint32_t wave, const struct size_wave *w, int64_t *from,
                      int64_t *to)
{
	int64_t first = source->first_ns > w->began_ns ? source->first_ns : w->began_ns;
	int64_t last = source->last_ns < w->ended_ns ? source->last_ns : w->ended_ns;

	if (!(source->waves >> wave_bit(wave) & 1) || last < first)
		return false;
	*from = (first - w->began_ns) / NS_PER_S;
	*to = (last - w->began_ns) / NS_PER_S;
	return true;
}

/* Most sources whose spans share a second: beginnings and ends in order, side by side. */
static uint64_t most_at_once(const struct size_input *input, uint32_t wave, int64_t *begins, int64_t *ends)
{
	uint64_t most = 0, count = 0;

	for (uint32_t i = 0; i < input->count; i++)
		if (active_in(&input->sources[i], wave, &input->waves[wave], &begins[count], &ends[count]))
			count++;
	qsort(begins, count, sizeof(*begins), by_time);
	qsort(ends, count, sizeof(*ends), by_time);
	for (uint64_t begun = 0, ended = 0; begun < count; begun++) {
		while (ends[ended] < begins[begun])
			ended++;
		most = begun + 1 - ended > most ? begun + 1 - ended : most;
	}
	return most;
}

static int count_at_once(const struct size_input *input, uint64_t *at_once)
{
	int64_t *begins = calloc((size_t)input->count * 2 + 1, sizeof(*begins));
	uint64_t most = 0;

	if (!begins)
		return -ENOMEM;
	for (uint32_t w = 0; w < input->waves_count; w++) {
		const struct size_wave *wave = &input->waves[w];
		uint64_t here = most_at_once(input, w, begins, begins + input->count) * input->stands_for;

		if (wave->peak_packets && wave->peak_packets <= UINT64_MAX / SLOTS_A_SECOND)
			here = at_most(here, wave->peak_packets * SLOTS_A_SECOND);
		most = here > most ? here : most;
	}
	free(begins);
	*at_once = most;
	return 0;
}

/* ---- capture and recapture ---- */

/* The largest and the next, by sources. */
static void two_largest(const uint64_t sources[ROSTER_WAVES], uint32_t largest[2])
{
	largest[0] = 0;
	for (uint32_t i = 1; i < ROSTER_WAVES; i++)
		if (sources[i] > sources[largest[0]])
			largest[0] = i;
	largest[1] = largest[0] == 0;
	for (uint32_t i = 0; i < ROSTER_WAVES; i++)
		if (i != largest[0] && sources[i] > sources[largest[1]])
			largest[1] = i;
}

static void chapman(const struct size_input *input, struct size_estimate *size)
{
	uint64_t sources[ROSTER_WAVES] = { 0 }, in_both = 0;
	uint32_t largest[2];
	double n1, n2, m, scale = (double)input->stands_for, estimate, variance, seen, unseen, spread;

	for (uint32_t i = 0; i < input->count; i++)
		for (uint32_t bits = input->sources[i].waves; bits; bits &= bits - 1)
			sources[__builtin_ctz(bits)]++;
	two_largest(sources, largest);
	if (sources[largest[1]] == 0)
		return;
	for (uint32_t i = 0; i < input->count; i++)
		in_both += (input->sources[i].waves >> largest[0] & input->sources[i].waves >> largest[1] & 1) != 0;
	n1 = (double)sources[largest[0]];
	n2 = (double)sources[largest[1]];
	m = (double)in_both;
	estimate = (n1 + 1) * (n2 + 1) / (m + 1) - 1;
	variance = (n1 + 1) * (n2 + 1) * (n1 - m) * (n2 - m) / ((m + 1) * (m + 1) * (m + 2));
	/* Scaled; of N sources each is held with probability 1/scale: N (scale - 1) more variance. */
	estimate *= scale;
	variance = variance * scale * scale + estimate * (scale - 1);
	seen = (n1 + n2 - m) * scale;
	size->chapman = estimate;
	unseen = estimate - seen;
	if (scale > 1) {
		/* What was seen is itself an estimate: the interval lies around the whole. */
		seen = 0;
		unseen = estimate;
	}
	if (unseen <= 0) {
		size->chapman_low = size->chapman_high = estimate;
		return;
	}
	spread = real_exp(QUANTILE * __builtin_sqrt(real_log(1 + variance / (unseen * unseen))));
	size->chapman_low = seen + unseen / spread;
	size->chapman_high = seen + unseen * spread;
}

static double chao1(const struct size_input *input)
{
	double once = 0, twice = 0;

	for (uint32_t i = 0; i < input->count; i++) {
		once += input->sources[i].observed == 1;
		twice += input->sources[i].observed == 2;
	}
	return ((double)input->count + once * (once - 1) / (2 * (twice + 1))) * (double)input->stands_for;
}

int size_make(const struct size_input *input, struct size_estimate *size)
{
	struct size_estimate made = {
		.known = input->count > 0,
		.in_all = input->distinct,
		.chapman = CHANCE_UNKNOWN,
		.chapman_low = CHANCE_UNKNOWN,
		.chapman_high = CHANCE_UNKNOWN,
		.chao1 = CHANCE_UNKNOWN,
	};
	int result = count_at_once(input, &made.at_once);

	if (result != 0)
		return result;
	if (input->count > 0) {
		made.at_once = at_most(made.at_once, made.in_all);
		chapman(input, &made);
		made.chao1 = chao1(input);
	}
	*size = made;
	return 0;
}
