/* SPDX-License-Identifier: Apache-2.0 */
#include "impact/belief.h"

#include "base/real.h"
#include "impact/probe.h"
#include "impact/words.h"

#define MILLI 1000
#define PERMYRIAD 10000
#define REPORTS_FULL_MILLI 3000 /* three times as many as usual say all that reports can say */
#define PROBES_MIN 3            /* vantage points; with fewer each says VANTAGE_ALONE */
#define PROBES_AGREE 2          /* of them, in as many networks */
#define VANTAGE_ALONE 2000
#define SIGNAL_TOTAL_MIN 20 /* answers, connections */
#define SIGNAL_TIMES 5      /* as usual; */
#define SIGNAL_SHARE 5000   /* ... and so much: thousandths of a per cent */
#define SIGNAL_SHARE_FULL 50000
#define SIGNAL_AT_FIRST 3000
#define SIGNAL_GOOD (-2000) /* each that is watched and is as usual */
#define LATENCY_TIMES 3
#define LATENCY_SAYS 2000
#define SLOW_PERCENT 50
#define NETWORK_PERCENT 70
#define FILTERED_MIN 10
#define MAJOR_PERCENT 90 /* of vantage points */
#define SURE 9800
#define LIKELY 5000

const char *const belief_word_names[BELIEF_WORDS + 1] = {
	[BELIEF_NOTHING] = "nothing",
	[BELIEF_ELEVATED_REPORTS] = "elevated_user_reports",
	[BELIEF_INVESTIGATING] = "investigating",
	[BELIEF_PARTIAL_OUTAGE] = "partial_outage",
	[BELIEF_MAJOR_OUTAGE] = "major_outage",
};
const char *const belief_fault_names[BELIEF_FAULTS + 1] = {
	[BELIEF_FAULT_UNKNOWN] = "unknown",
	[BELIEF_DOWN] = "down",
	[BELIEF_SLOW] = "slow",
	[BELIEF_FILTERED] = "own_filter",
	[BELIEF_NETWORK] = "user_network",
};

WORDS(belief_word, enum belief_word, belief_word_names)
WORDS(belief_fault, enum belief_fault, belief_fault_names)

static int32_t clamp(int32_t x, int32_t most)
{
	return x > most ? most : x < -most ? -most : x;
}

static int32_t weigh_reports(const struct belief_input *input)
{
	uint32_t more = input->ratio_milli > MILLI ? input->ratio_milli - MILLI : 0;

	if (!input->alarm)
		return 0;
	if (more >= REPORTS_FULL_MILLI - MILLI)
		return BELIEF_REPORTS_MAX;
	return (int32_t)((uint64_t)more * BELIEF_REPORTS_MAX / (REPORTS_FULL_MILLI - MILLI));
}

static bool fails(const struct belief_probe *probe)
{
	return probe->bad > probe->good;
}

bool belief_probe_is_blind(const struct belief_probe *probe)
{
	uint32_t failed = probe->canaries_failed < probe->canaries ? probe->canaries_failed : probe->canaries;

	return probe->good + (uint64_t)probe->bad == 0 || probe_is_blind(probe->canaries - failed, failed);
}

/* How many networks those are in that fail, or that do not. */
static uint32_t networks_of(const struct belief_input *input, uint32_t count, bool failing)
{
	uint32_t networks = 0;

	for (uint32_t i = 0; i < count; i++) {
		bool seen = belief_probe_is_blind(&input->probes[i]) || fails(&input->probes[i]) != failing;

		for (uint32_t k = 0; k < i && !seen; k++)
			seen = !belief_probe_is_blind(&input->probes[k]) && fails(&input->probes[k]) == failing &&
			       input->probes[k].network == input->probes[i].network;
		networks += !seen;
	}
	return networks;
}

static int32_t weigh_probes(const struct belief_input *input, struct belief *belief)
{
	uint32_t count = input->probes_count < BELIEF_VANTAGES_MAX ? input->probes_count : BELIEF_VANTAGES_MAX;
	uint32_t failing, seeing;

	for (uint32_t i = 0; i < count; i++) {
		if (belief_probe_is_blind(&input->probes[i]))
			belief->vantages_unknown++;
		else
			belief->vantages++;
		belief->vantages_failed += !belief_probe_is_blind(&input->probes[i]) && fails(&input->probes[i]);
	}
	failing = networks_of(input, count, true);
	seeing = networks_of(input, count, false);
	if (belief->vantages < PROBES_MIN)
		return clamp(((int32_t)failing - (int32_t)seeing) * VANTAGE_ALONE, BELIEF_PROBES_MAX);
	if (belief->vantages_failed >= PROBES_AGREE && failing >= PROBES_AGREE)
		return BELIEF_PROBES_MAX;
	if (belief->vantages_failed == 0)
		return seeing >= PROBES_AGREE ? -BELIEF_PROBES_MAX : -VANTAGE_ALONE;
	return 0;
}

/* Thousandths of a per cent; 0 where too little was seen. */
static uint64_t share_of(const struct belief_input *input, enum signal_kind kind)
{
	uint64_t good = input->signals[kind].good, bad = input->signals[kind].bad;

	good = good < UINT32_MAX ? good : UINT32_MAX; /* that their sum and product fit */
	bad = bad < UINT32_MAX ? bad : UINT32_MAX;
	return good + bad < SIGNAL_TOTAL_MIN ? 0 : bad * 100 * MILLI / (good + bad);
}

static bool is_watched(const struct belief_input *input, enum signal_kind kind)
{
	return input->signals[kind].good >= SIGNAL_TOTAL_MIN || input->signals[kind].bad >= SIGNAL_TOTAL_MIN;
}

static bool is_slow(const struct belief_input *input)
{
	return input->usual_latency_ms && input->latency_ms / LATENCY_TIMES >= input->usual_latency_ms;
}

static int32_t weigh_signals(const struct belief_input *input)
{
	static const enum signal_kind kinds[] = { SIGNAL_EDGE_5XX, SIGNAL_CONNECTIONS, SIGNAL_HANDSHAKES, SIGNAL_NEL };
	int32_t most = 0, least = 0;

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint64_t share = share_of(input, kinds[i]), usual = input->signals[kinds[i]].usual_bad_milli;
		int32_t says;

		if (!is_watched(input, kinds[i]))
			continue;
		if (share < SIGNAL_SHARE || share / SIGNAL_TIMES < usual) {
			least += share <= 2 * usual || share < SIGNAL_SHARE / 5 ? SIGNAL_GOOD : 0;
			continue;
		}
		says = SIGNAL_AT_FIRST;
		if (share >= SIGNAL_SHARE_FULL)
			says = BELIEF_SIGNALS_MAX;
		else
			says += (int32_t)((share - SIGNAL_SHARE) * (BELIEF_SIGNALS_MAX - SIGNAL_AT_FIRST) /
			                  (SIGNAL_SHARE_FULL - SIGNAL_SHARE));
		most = says > most ? says : most;
	}
	if (is_slow(input) && most < LATENCY_SAYS)
		most = LATENCY_SAYS;
	return most > 0 ? most : clamp(least, BELIEF_SIGNALS_MAX);
}

static enum belief_fault fault_of(const struct belief_input *input, const struct belief *belief)
{
	uint64_t refused = input->signals[SIGNAL_FILTERED].bad, others = input->signals[SIGNAL_FILTERED].good;

	if (belief->reports + belief->probes + belief->signals <= 0 && !input->alarm)
		return BELIEF_FAULT_UNKNOWN;
	if (refused >= FILTERED_MIN && refused >= others)
		return BELIEF_FILTERED;
	if (belief->probes > 0 || belief->signals >= SIGNAL_AT_FIRST)
		return BELIEF_DOWN;
	if (is_slow(input) || input->slow_percent >= SLOW_PERCENT)
		return BELIEF_SLOW;
	if (input->networks_percent >= NETWORK_PERCENT && belief->probes < 0)
		return BELIEF_NETWORK;
	return BELIEF_FAULT_UNKNOWN;
}

static bool is_major(const struct belief_input *input, const struct belief *belief)
{
	return (belief->vantages >= PROBES_MIN && belief->vantages_failed * 100 >= belief->vantages * MAJOR_PERCENT) ||
	       share_of(input, SIGNAL_EDGE_5XX) >= SIGNAL_SHARE_FULL ||
	       share_of(input, SIGNAL_CONNECTIONS) >= SIGNAL_SHARE_FULL;
}

struct belief belief_of(const struct belief_input *input)
{
	struct belief belief = { .reports = weigh_reports(input) };

	belief.probes = weigh_probes(input, &belief);
	belief.signals = weigh_signals(input);
	belief.log_odds = BELIEF_PRIOR + belief.reports + belief.probes + belief.signals;
	belief.permyriad = (uint32_t)(PERMYRIAD / (1 + real_exp(-(double)belief.log_odds / MILLI)) + 0.5);
	if (belief.permyriad >= SURE)
		belief.word = is_major(input, &belief) ? BELIEF_MAJOR_OUTAGE : BELIEF_PARTIAL_OUTAGE;
	else if (belief.permyriad >= LIKELY)
		belief.word = BELIEF_INVESTIGATING;
	else if (belief.reports > 0)
		belief.word = BELIEF_ELEVATED_REPORTS;
	belief.fault = fault_of(input, &belief);
	return belief;
}

enum component_status belief_status(const struct belief *belief)
{
	switch (belief->word) {
	case BELIEF_MAJOR_OUTAGE:
		return COMPONENT_MAJOR_OUTAGE;
	case BELIEF_PARTIAL_OUTAGE:
		return COMPONENT_PARTIAL_OUTAGE;
	case BELIEF_INVESTIGATING:
		return COMPONENT_DEGRADED;
	case BELIEF_NOTHING:
	case BELIEF_ELEVATED_REPORTS:
	case BELIEF_WORDS:
		break;
	}
	return COMPONENT_OPERATIONAL;
}
