/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules are what search.h finds, one after the other in what those before leave; here is said what may be done by each,
 * at what cost.
 */
#include "defend/signature.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/root.h"
#include "base/share.h"
#include "defend/search.h"
#include "observe/protocol.h"

#define RULE_ADDS_PPM 20000 /* a rule that catches less than a fiftieth is not worth having */
#define LIMIT_PPS_MIN 10
#define LIMIT_CLIENT_PPS 50 /* what a person's browser needs */
#define VERIFIED_LOST_PPM 10000
#define OPENINGS_LOST_PPM \
	10000 /* a rule on SYNs may lose at most this share of normal ones, however few they are among all packets */

/* Poisson upper limits at 95 % for 0, 1, 2 … events, in thousandths, rounded up (Garwood 1936). */
static const uint32_t poisson_95[] = { 2996,  4744,  6296,  7754,  9154,  10514, 11843, 13149, 14435, 15706, 16963,
	                               18208, 19443, 20669, 21887, 23098, 24302, 25500, 26693, 27879, 29063 };

#define BOUND_HITS_MAX 1000000000000000 /* 1.645 sqrt(k) is far below a thousandth of k there */
#define POISSON_TABLE (sizeof(poisson_95) / sizeof(poisson_95[0]))

uint32_t signature_bound_ppm(uint64_t hits, uint64_t n)
{
	__extension__ typedef unsigned __int128 wide;
	wide upper; /* in thousandths */

	if (n == 0)
		return PPM;
	if (hits < POISSON_TABLE)
		upper = poisson_95[hits];
	else if (hits > BOUND_HITS_MAX) /* its own share, and as much again as the largest bound below adds */
		upper = (wide)hits * 1000 + (wide)hits;
	else /* normal approximation with its first correction, rounded up: k + 1 + 1.645 sqrt(k + 1) + 0.7 */
		upper = (hits + 1) * 1000 + (root_floor((hits + 1) * 10000) + 1) * 1645 / 100 + 700;
	upper = (upper * 1000 + n - 1) / n;
	return upper > PPM ? PPM : (uint32_t)upper;
}

/* Whether it says of which protocol, service or content, and not only of what size. */
static bool names_a_kind(const struct match *match)
{
	for (unsigned i = 0; i < match->count; i++)
		if (match->terms[i].field != MATCH_LENGTH && match->terms[i].field != MATCH_PAYLOAD_LENGTH &&
		    match->terms[i].field != MATCH_TTL && match->terms[i].field != MATCH_DF &&
		    match->terms[i].field != MATCH_FRAGMENT)
			return true;
	return false;
}

bool signature_is_pointed(const struct match *match)
{
	bool transport = false, one_length = false;

	for (unsigned i = 0; i < match->count; i++) {
		const struct match_term *term = &match->terms[i];

		if (term->negated)
			continue;
		switch (term->field) {
		case MATCH_UDP:
		case MATCH_TCP:
			transport = true;
			break;
		case MATCH_LENGTH:
		case MATCH_PAYLOAD_LENGTH:
			one_length = one_length || term->value.range.low == term->value.range.high;
			break;
		case MATCH_ICMP:
		case MATCH_ICMP6:
		case MATCH_PROTO:
		case MATCH_FRAGMENT:
		case MATCH_SRC_PORT:
		case MATCH_DST_PORT:
		case MATCH_IP_ID:
		case MATCH_WINDOW:
		case MATCH_MSS:
		case MATCH_ICMP_TYPE:
		case MATCH_ICMP_CODE:
		case MATCH_SRC_NET:
		case MATCH_TCP_FLAGS:
		case MATCH_OPTIONS:
		case MATCH_PAYLOAD:
			return true;
		case MATCH_IP:
		case MATCH_IP6:
		case MATCH_DF:
		case MATCH_TTL:
		case MATCH_DST_NET:
		case MATCH_FIELDS:
			break;
		}
	}
	return transport && one_length;
}

/* ------------------------------------------------------------------ rules */

__attribute__((format(printf, 2, 3))) static void say(struct signature *signature, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(signature->reason, sizeof(signature->reason), format, arguments);
	va_end(arguments);
}

static bool only_opens(const struct match *match)
{
	for (unsigned i = 0; i < match->count; i++)
		if (match->terms[i].field == MATCH_TCP_FLAGS && !match->terms[i].negated)
			return (match->terms[i].value.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	return false;
}

/* Of the normal packets that open a connection, how many does a rule on opening packets match? In parts per million. */
static uint32_t openings_lost_ppm(const struct signature_input *input, const struct match *match)
{
	uint64_t openings = 0, lost = 0;

	for (uint32_t i = 0; i < input->baseline_count; i++) {
		const struct observation *o = input->baseline[i];

		if (!(o->flags & OBSERVATION_TCP) || (o->tcp.flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
			continue;
		openings++;
		lost += match_test(match, o);
	}
	return openings ? (uint32_t)(lost * PPM / openings) : 0;
}

/* Whether it catches what keeps IPv6 going, as part of the attack. */
static bool catches_discovery(const struct signature_input *input, const struct match *match)
{
	for (uint32_t i = 0; i < input->attack_count; i++)
		if (protocol_is_discovery(input->attack[i]) && match_test(match, input->attack[i]))
			return true;
	return false;
}

static void choose_action(const struct signature_input *input, struct signature *g, uint32_t budget_used)
{
	bool opens = only_opens(&g->match);
	uint32_t openings_ppm = opens ? openings_lost_ppm(input, &g->match) : 0;
	/* What was seen, apart from what a small sample leaves possible. */
	bool hardly_any = (uint64_t)g->baseline_hits * PPM <= (uint64_t)g->baseline_samples * SIGNATURE_DROP_PPM;
	uint32_t lost_centi_percent = (g->bound_ppm + 99) / 100; /* rounded up: it is an upper bound */
	uint64_t usual;

	g->action = RULE_NONE;
	if (catches_discovery(input, &g->match)) {
		say(g,
		    "it would catch neighbour discovery, that of the router too: without it there is no IPv6, so nothing may be lost");
	} else if (!g->has_bound) {
		say(g,
		    "no normal traffic to this target was seen before or after: what the rule would cost cannot be known");
	} else if ((uint64_t)g->verified_hits * PPM > (uint64_t)g->verified_samples * VERIFIED_LOST_PPM) {
		g->action = opens ? RULE_CHALLENGE : RULE_NONE;
		say(g, "%u of %u packets of users who are being served meanwhile match", g->verified_hits,
		    g->verified_samples);
	} else if (openings_ppm > OPENINGS_LOST_PPM) {
		g->action = RULE_CHALLENGE;
		say(g, "%u.%u %% of the normal new connections look the same: let each prove its address (SYN cookies)",
		    openings_ppm / 10000, openings_ppm / 1000 % 10);
	} else if (input->clients_only && g->bound_ppm <= SIGNATURE_LIMIT_PPM && hardly_any) {
		g->action = RULE_RATE_LIMIT;
		g->rate_limit_pps = LIMIT_CLIENT_PPS;
		say(g, "%u of %u normal packets match; these clients are real, so they are limited and not dropped",
		    g->baseline_hits, g->baseline_samples);
	} else if (g->bound_ppm <= SIGNATURE_DROP_PPM && budget_used + g->bound_ppm <= SIGNATURE_BUDGET_PPM) {
		g->action = RULE_DROP;
		say(g, "%u of %u normal packets match: with 95 %% confidence at most %u.%02u %% would be lost",
		    g->baseline_hits, g->baseline_samples, lost_centi_percent / 100, lost_centi_percent % 100);
	} else if (g->bound_ppm <= SIGNATURE_LIMIT_PPM && hardly_any) {
		usual = input->baseline_packets * g->baseline_hits / (g->baseline_samples ? g->baseline_samples : 1) /
		        (input->baseline_seconds ? input->baseline_seconds : 1);
		g->action = RULE_RATE_LIMIT;
		g->rate_limit_pps = (uint32_t)(2 * usual + LIMIT_PPS_MIN);
		say(g,
		    "%u of %u normal packets match: a drop is not proven safe (up to %u.%02u %% lost), so what is usual may pass",
		    g->baseline_hits, g->baseline_samples, lost_centi_percent / 100, lost_centi_percent % 100);
	} else if (opens) {
		g->action = RULE_CHALLENGE;
		say(g, "not proven safe on %u normal packets: let each new connection prove its address (SYN cookies)",
		    g->baseline_samples);
	} else if (g->baseline_hits == 0) {
		say(g, "no normal packet matches, but %u are too few to prove it safe (up to %u.%01u %% lost)",
		    g->baseline_samples, lost_centi_percent / 100, lost_centi_percent / 10 % 10);
	} else {
		say(g, "%u of %u normal packets match: too many to lose", g->baseline_hits, g->baseline_samples);
	}
}

static bool names_clients(const struct match *match)
{
	for (unsigned i = 0; i < match->count; i++)
		if (match->terms[i].field == MATCH_SRC_NET)
			return true;
	return false;
}

static struct signature make_signature(const struct signature_input *input, const struct search_found *found,
                                       uint32_t budget_used)
{
	struct signature g = {
		.match = found->match,
		.coverage_ppm = (uint32_t)(found->covered * PPM / input->attack_count),
		.added_ppm = (uint32_t)(found->caught * PPM / input->attack_count),
		.has_bound = found->judges > 0,
		.baseline_samples = (uint32_t)found->judges,
		.baseline_hits = (uint32_t)found->hits,
		.bound_ppm = signature_bound_ppm(found->hits, found->judges),
		.verified_samples = input->verified_count,
		.verified_hits = (uint32_t)found->verified_hits,
	};

	choose_action(input, &g, budget_used);
	return g;
}

/*
 * "length 40-1500", "udp and ttl 48-56" hold no normal packet where none is known that could be so. Of two, one that
 * says what it drops, if that catches half as much; on sizes alone none is taken.
 */
static bool find_best(struct search *search, struct search_found *best)
{
	uint64_t caught;
	bool kind;

	if (!search_run(search, false))
		return false;
	search_specialise(search);
	*best = search_found(search);
	if (signature_is_pointed(&best->match))
		return true;
	kind = names_a_kind(&best->match);
	caught = best->caught;
	if (!search_run(search, true) || (kind && search_found(search).caught * 2 < caught)) {
		if (!kind || !search_run(search, false))
			return false;
	}
	search_specialise(search);
	*best = search_found(search);
	return true;
}

static int find_rules(const struct signature_input *input, struct search *search, struct signature_set *set)
{
	uint32_t budget_used = 0, attack = input->attack_count;

	while (set->count < SIGNATURES_MAX && search_left(search) * PPM > (uint64_t)attack * SIGNATURE_RESIDUAL_PPM) {
		struct signature *g = &set->signatures[set->count];
		struct search_found best;

		if (search_begin(search) < 0)
			return -ENOMEM;
		if (!find_best(search, &best))
			break;
		if (best.caught * PPM < (uint64_t)attack * RULE_ADDS_PPM)
			break;
		*g = make_signature(input, &best, budget_used);
		if (input->clients_only && !names_clients(&g->match))
			break;
		/* "length 40-1500" is a description, not a rule. */
		if (!g->has_bound && !names_a_kind(&g->match))
			break;
		/*
		 * A rule that is neither safe nor a challenge is worth saying only where it shows what is missing to
		 * prove it.
		 */
		if (g->action == RULE_NONE && g->has_bound && g->baseline_hits + g->verified_hits > 0)
			break;
		set->count++;
		if (g->action == RULE_DROP)
			budget_used += g->bound_ppm;
		search_take(search);
	}
	return 0;
}

static uint32_t residual(const struct signature_input *input, const struct signature_set *set)
{
	uint64_t through = 0;

	if (input->attack_count == 0)
		return PPM;
	for (uint32_t i = 0; i < input->attack_count; i++) {
		bool caught = false;

		for (uint32_t j = 0; j < set->count && !caught; j++)
			caught = (set->signatures[j].action == RULE_DROP ||
			          set->signatures[j].action == RULE_RATE_LIMIT) &&
			         match_test(&set->signatures[j].match, input->attack[i]);
		through += !caught;
	}
	return (uint32_t)(through * PPM / input->attack_count);
}

int signature_find(const struct signature_input *input, struct signature_set *set)
{
	struct search *search;
	int result;

	*set = (struct signature_set){ .sampled = input->attack_count, .residual_ppm = PPM };
	result = search_new(input, &search);
	if (result != 0)
		return result;
	result = find_rules(input, search, set);
	set->residual_ppm = residual(input, set);
	search_free(search);
	return result;
}
