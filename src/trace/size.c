/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/size.h"

#include <errno.h>
#include <stdlib.h>

#include "base/real.h"
#include "base/time.h"
#include "measure/slot.h"
#include "trace/chance.h"

#define BINS_MAX 1048576  /* seconds of a wave told apart; of a longer one, so many times two, four … */
#define QUANTILE 1.959964 /* 95 % on two sides */

static uint64_t at_most(uint64_t value, uint64_t bound)
{
	return value < bound ? value : bound;
}

/* The last bit of a source's waves is of all from there on. */
static uint32_t wave_bit(uint32_t wave)
{
	return wave < ROSTER_WAVES ? wave : ROSTER_WAVES - 1;
}

/* ---- at once ---- */

static int64_t since(int64_t from_ns, int64_t to_ns)
{
	return time_since((struct capture_time){ to_ns }, (struct capture_time){ from_ns });
}

/* In which bins of a wave a source was active, the first and the last; false: in none. */
static bool active_in(const struct roster_source *source, uint32_t wave, const struct size_wave *w, int64_t bin_ns,
                      size_t *from, size_t *to)
{
	int64_t first = source->first_ns > w->began_ns ? source->first_ns : w->began_ns;
	int64_t last = source->last_ns < w->ended_ns ? source->last_ns : w->ended_ns;

	if (!(source->waves >> wave_bit(wave) & 1) || last < first)
		return false;
	*from = (size_t)(since(w->began_ns, first) / bin_ns);
	*to = (size_t)(since(w->began_ns, last) / bin_ns);
	return true;
}

/* Most sources whose spans share a bin: by how many more there are in each than in the one before. */
static int most_at_once(const struct size_input *input, uint32_t wave, uint64_t *most)
{
	const struct size_wave *w = &input->waves[wave];
	int64_t length = since(w->began_ns, w->ended_ns);
	int64_t bin_ns = NS_PER_S, active = 0, top = 0;
	int64_t *more;
	size_t bins, from, to;

	if (length < 0)
		return 0;
	while (length / bin_ns >= BINS_MAX)
		bin_ns *= 2;
	bins = (size_t)(length / bin_ns) + 1;
	more = calloc(bins + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	for (uint32_t i = 0; i < input->count; i++) {
		if (!active_in(&input->sources[i], wave, w, bin_ns, &from, &to))
			continue;
		more[from]++;
		more[to + 1]--;
	}
	for (size_t i = 0; i < bins; i++) {
		active += more[i];
		top = active > top ? active : top;
	}
	free(more);
	*most = (uint64_t)top;
	return 0;
}

static int count_at_once(const struct size_input *input, uint64_t *at_once)
{
	uint64_t most = 0;

	for (uint32_t w = 0; w < input->waves_count; w++) {
		const struct size_wave *wave = &input->waves[w];
		uint64_t here = 0;
		int result = most_at_once(input, w, &here);

		if (result != 0)
			return result;
		here *= input->stands_for;
		if (wave->peak_packets && wave->peak_packets <= UINT64_MAX / SLOTS_PER_SECOND)
			here = at_most(here, wave->peak_packets * SLOTS_PER_SECOND);
		most = here > most ? here : most;
	}
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
