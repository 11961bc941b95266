/* SPDX-License-Identifier: Apache-2.0 */
#include "defend/fallback.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "observe/protocol.h"

#define PERCENT 100
#define ARM_TIMES 2 /* what is usual of all sources, so often, is an attack again */

/* clang-format off */
static const struct {
	const char *name, *says;
} states[] = {
	[FALLBACK_NOT_NEEDED] = { "not_needed", "" },
	[FALLBACK_NO_SERVICE] = { "no_service", "no safe signature, and the target is no service that is configured" },
	[FALLBACK_OFF]        = { "off", "no safe signature, and the service is to have no fall-back" },
	[FALLBACK_UNLEARNED]  = { "not_learned", "no safe signature, and too little is known of peace to limit sources" },
	[FALLBACK_COOKIES]    = { "cookies", "no safe signature: SYNs are answered with cookies" },
	[FALLBACK_STATE]      = { "state", "no safe signature: packets of no connection are dropped" },
	[FALLBACK_LIMITS]     = { "limit", "no safe signature: each source is limited to twice what is usual in peace" },
	[FALLBACK_PREFERS]    = { "prefer_known", "no safe signature: sources known from peace are preferred, others share what is usual" },
	[FALLBACK_REVOKED]    = { "revoked", "no safe signature, and limits on sources hit users: let go" },
};
/* clang-format on */

const char *fallback_state_name(enum fallback_state state)
{
	return (unsigned)state < sizeof(states) / sizeof(states[0]) ? states[state].name : "unknown";
}

const char *fallback_state_says(enum fallback_state state)
{
	return (unsigned)state < sizeof(states) / sizeof(states[0]) ? states[state].says : "";
}

const char *fallback_state_says_of(const char *name)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i].name, name) == 0)
			return states[i].says;
	return "";
}

/* ------------------------------------------------------------------ whose packets */

/* Boyer and Moore's vote: who is like more than half of all that were put to it, if anybody is, leads at the end. */
struct vote {
	const struct observation *leader;
	uint32_t ahead; /* by so many */
};

static void vote(struct vote *v, const struct observation *o, bool is_like_leader)
{
	if (v->ahead == 0) {
		*v = (struct vote){ o, 1 };
		return;
	}
	if (is_like_leader)
		v->ahead++;
	else
		v->ahead--;
}

/* A packet of the protocol that most are of; NULL: there are none. */
static const struct observation *leading_protocol(const struct observation *packets, uint32_t count)
{
	struct vote v = { NULL, 0 };

	for (uint32_t i = 0; i < count; i++)
		vote(&v, &packets[i], v.leader && packets[i].protocol == v.leader->protocol);
	return v.leader;
}

static bool has_port_of(const struct observation *o, uint8_t protocol)
{
	return o->protocol == protocol && o->flags & OBSERVATION_PORTS;
}

/* A packet to the port that most of that protocol go to; NULL: none has a port. */
static const struct observation *leading_port(const struct observation *packets, uint32_t count, uint8_t protocol)
{
	struct vote v = { NULL, 0 };

	for (uint32_t i = 0; i < count; i++)
		if (has_port_of(&packets[i], protocol))
			vote(&v, &packets[i], v.leader && packets[i].dst_port == v.leader->dst_port);
	return v.leader;
}

static struct match_term protocol_term(uint8_t protocol)
{
	struct match_term term = { .field = MATCH_PROTO, .value.range = { protocol, protocol } };

	if (protocol == PROTOCOL_TCP)
		term = (struct match_term){ .field = MATCH_TCP };
	else if (protocol == PROTOCOL_UDP)
		term = (struct match_term){ .field = MATCH_UDP };
	else if (protocol == PROTOCOL_ICMP)
		term = (struct match_term){ .field = MATCH_ICMP };
	else if (protocol == PROTOCOL_ICMPV6)
		term = (struct match_term){ .field = MATCH_ICMP6 };
	return term;
}

bool fallback_match(const struct observation *packets, uint32_t count, struct match *match)
{
	const struct observation *of, *to;
	uint32_t hits = 0;

	of = leading_protocol(packets, count);
	if (!of)
		return false;
	*match = (struct match){ .count = 1, .terms[0] = protocol_term(of->protocol) };
	to = leading_port(packets, count, of->protocol);
	for (uint32_t i = 0; i < count && to; i++)
		hits += has_port_of(&packets[i], of->protocol) && packets[i].dst_port == to->dst_port;
	if (to && (uint64_t)hits * PERCENT >= (uint64_t)count * FALLBACK_PORT_PERCENT)
		match->terms[match->count++] =
			(struct match_term){ .field = MATCH_DST_PORT, .value.range = { to->dst_port, to->dst_port } };
	return true;
}

/* ------------------------------------------------------------------ the rule */

static bool has_ports(const struct match *match)
{
	return match->terms[0].field == MATCH_TCP || match->terms[0].field == MATCH_UDP;
}

enum fallback_state fallback_plan(enum fallback_allowed allowed, const struct fallback_peace *peace,
                                  const struct life_attack *attack, const struct match *match, struct life_plan *plan,
                                  struct signature *signature)
{
	uint32_t source_pps = rule_rate((uint64_t)peace->source_pps * FALLBACK_TIMES, FALLBACK_SOURCE_PPS_MIN);
	uint32_t all_pps = rule_rate(peace->all_pps, FALLBACK_ALL_PPS_MIN);
	uint64_t arm = attack->peak_pps / LIFE_ARM_SHARE;
	bool prefers = allowed == FALLBACK_PREFER_KNOWN;

	if (allowed == FALLBACK_NONE)
		return FALLBACK_OFF;
	if (peace->source_pps == 0 || peace->all_pps == 0)
		return FALLBACK_UNLEARNED;
	/* Peace must not make it act. */
	if (arm < (uint64_t)all_pps * ARM_TIMES)
		arm = (uint64_t)all_pps * ARM_TIMES;
	*plan = (struct life_plan){
		.rule = { .scope = attack->scope,
		          .match = *match,
		          .action = RULE_RATE_LIMIT,
		          .rate_pps = prefers ? all_pps : source_pps },
		.spare = !attack->provokes && has_ports(match),
		.fallback = true,
		.known = prefers,
		.each = !prefers,
		.source_pps = prefers ? source_pps : 0,
		.arm_pps = rule_rate(arm, LIFE_ARM_PPS_MIN),
	};
	*signature =
		(struct signature){ .match = *match, .action = RULE_RATE_LIMIT, .rate_limit_pps = plan->rule.rate_pps };
	if (prefers)
		(void)snprintf(signature->reason, sizeof(signature->reason),
		               "no safe signature: sources known from peace pass, up to %" PRIu32
		               " packets/s each; all others share %" PRIu32,
		               source_pps, all_pps);
	else
		(void)snprintf(signature->reason, sizeof(signature->reason),
		               "no safe signature: %" PRIu32
		               " packets/s of each source, twice what nearly all send in peace",
		               source_pps);
	return prefers ? FALLBACK_PREFERS : FALLBACK_LIMITS;
}
