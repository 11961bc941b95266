/* SPDX-License-Identifier: Apache-2.0 */
#include "defend/life.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/share.h"
#include "observe/observation.h"

#define PERCENT 100

static const char *const names[] = {
	[LIFE_PROPOSED] = "proposed", [LIFE_SHADOW] = "shadow",   [LIFE_ENFORCED] = "enforced",
	[LIFE_ARMED] = "armed",       [LIFE_REVOKED] = "revoked", [LIFE_GONE] = "gone",
};

const char *life_state_name(enum life_state state)
{
	return (unsigned)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

bool life_is_there(const struct life *life)
{
	return life->state != LIFE_REVOKED && life->state != LIFE_GONE;
}

static void enter(struct life *life, enum life_state state, struct capture_time now)
{
	life->state = state;
	life->changed = now;
}

/* Says why; its state changes with it. */
#define MOVE(life, state, now, ...)                                            \
	do {                                                                   \
		(void)snprintf((life)->why, sizeof((life)->why), __VA_ARGS__); \
		enter(life, state, now);                                       \
	} while (0)

void life_end(struct life *life, enum life_state state, struct capture_time now, const char *why)
{
	MOVE(life, state, now, "%s", why);
}

/* ------------------------------------------------------------------ what is ordered */

/* Whether it can match a packet that opens a TCP connection, and whether it matches nothing else. */
static void look_at_openings(const struct match *match, bool *some, bool *only)
{
	bool tcp = true, says_flags = false, opens = true;

	for (unsigned i = 0; i < match->count; i++) {
		const struct match_term *term = &match->terms[i];

		switch ((int)term->field) {
		case MATCH_UDP:
		case MATCH_ICMP:
		case MATCH_ICMP6:
		case MATCH_ICMP_TYPE:
		case MATCH_ICMP_CODE:
		case MATCH_PROTO:
		case MATCH_FRAGMENT:
			tcp = tcp && term->negated;
			break;
		case MATCH_TCP_FLAGS:
			says_flags = !term->negated;
			opens = term->negated || (term->value.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
			break;
		default:
			break;
		}
	}
	*some = tcp && opens;
	*only = tcp && opens && says_flags;
}

/* Conversations have ports. */
static bool has_ports(const struct match *match)
{
	for (unsigned i = 0; i < match->count; i++) {
		const struct match_term *term = &match->terms[i];

		if (!term->negated && (term->field == MATCH_ICMP || term->field == MATCH_ICMP6 ||
		                       term->field == MATCH_PROTO || term->field == MATCH_FRAGMENT))
			return false;
	}
	return true;
}

/* Nothing speaks against it but that little was seen. */
static bool is_unproven(const struct signature *g)
{
	return g->action == RULE_NONE && g->baseline_hits == 0 && g->verified_hits == 0;
}

static uint32_t unproven_pps(uint64_t peak_pps)
{
	return rule_rate(peak_pps / LIFE_UNPROVEN_SHARE, LIFE_UNPROVEN_PPS_MIN);
}

bool life_plan(const struct signature *g, const struct life_attack *attack, struct life_plan *plan)
{
	bool some, only;

	if (!signature_is_pointed(&g->match))
		return false;
	*plan = (struct life_plan){
		.rule = { .scope = attack->scope,
		          .match = g->match,
		          .action = g->action,
		          .rate_pps = g->rate_limit_pps },
		.arm_pps = rule_rate(attack->peak_pps / LIFE_ARM_SHARE, LIFE_ARM_PPS_MIN),
	};
	look_at_openings(&g->match, &some, &only);
	plan->probe = some;
	plan->spare = !only && !attack->provokes && has_ports(&g->match);
	if (is_unproven(g) && attack->reflection && plan->spare) {
		plan->rule.action = RULE_RATE_LIMIT;
		plan->rule.rate_pps = unproven_pps(attack->peak_pps);
		plan->shadow = true;
	} else if (g->action != RULE_DROP && g->action != RULE_RATE_LIMIT) {
		return false;
	}
	return true;
}

void life_enforced(const struct life *shadow, uint64_t peak_pps, struct life_plan *plan)
{
	*plan = (struct life_plan){
		.rule = shadow->rule,
		.spare = shadow->spare,
		.probe = shadow->probe,
		.arm_pps = shadow->arm_pps,
	};
	plan->rule.rate_pps = unproven_pps(peak_pps);
}

/* ------------------------------------------------------------------ life */

static int64_t ttl_ns(const struct life *life)
{
	int64_t ttl = time_times(life->gap_ns, LIFE_GAPS);

	if (ttl < LIFE_TTL_MIN_NS)
		ttl = LIFE_TTL_MIN_NS;
	for (uint32_t i = 1; i < life->waves && ttl < LIFE_TTL_MAX_NS; i++)
		ttl *= 2;
	return ttl < LIFE_TTL_MAX_NS ? ttl : LIFE_TTL_MAX_NS;
}

struct capture_time life_wanted_until(const struct life *life)
{
	return time_plus(life->last_match, ttl_ns(life));
}

void life_begin(struct life *life, uint64_t handle, uint64_t incident, const struct life_plan *plan,
                const struct signature *signature, struct capture_time now)
{
	*life = (struct life){
		.handle = handle,
		.rule = plan->rule,
		.signature = *signature,
		.made = now,
		.last_match = now,
		.expires = time_plus(now, LIFE_TTL_MIN_NS),
		.arm_pps = plan->arm_pps,
		.waves = 1,
		.spare = plan->spare,
		.probe = plan->probe,
		.fallback = plan->fallback,
		.known = plan->known,
		.each = plan->each,
		.source_pps = plan->source_pps,
		.incident = incident,
		.count.active = true,
	};
	MOVE(life, LIFE_PROPOSED, now, "%s",
	     plan->shadow ? "to count first, for little is known of normal traffic" : "the shield is asked for it");
	life->shadow = plan->shadow;
}

void life_ruled(struct life *life, uint32_t number, int result, struct capture_time now)
{
	if (life->state != LIFE_PROPOSED)
		return;
	if (result < 0) {
		MOVE(life, LIFE_GONE, now, "the shield refused it: %s", strerror(-result));
		return;
	}
	life->number = number;
	if (life->shadow)
		MOVE(life, LIFE_SHADOW, now, "little is known of normal traffic: it only counts for now");
	else
		MOVE(life, LIFE_ENFORCED, now, "%.*s", LIFE_REASON_SIZE - 1, life->signature.reason);
}

/* What it was seen to cost since it began to act. */
static bool hits_users(struct life *life, struct capture_time now)
{
	uint64_t matched = life->count.matched - life->base.matched,
		 answered = life->count.answered - life->base.answered, probes = life->count.probes - life->base.probes,
		 completed = life->count.completed - life->base.completed,
		 known_lost = life->count.known_lost - life->base.known_lost;

	/* Whom it spares it is to spare: it costs what it drops of those who are known. */
	if (life->fallback && known_lost >= LIFE_KNOWN_LOST &&
	    known_lost * PERCENT > (life->count.dropped - life->base.dropped) * LIFE_KNOWN_PERCENT) {
		MOVE(life, LIFE_REVOKED, now, "%" PRIu64 " packets that it dropped were of sources known from peace",
		     known_lost);
		return true;
	}
	if (life->fallback)
		return false;
	if (completed >= LIFE_PROBES_COMPLETED && completed * PERCENT > probes * LIFE_PROBES_PERCENT) {
		MOVE(life, LIFE_REVOKED, now, "%" PRIu64 " of %" PRIu64 " probes completed handshakes", completed,
		     probes);
		return true;
	}
	if (life->spare && answered >= LIFE_ANSWERED && answered * PPM > matched * LIFE_ANSWERED_PPM) {
		MOVE(life, LIFE_REVOKED, now,
		     "%" PRIu64 " of %" PRIu64 " packets that matched were of answered conversations", answered,
		     matched);
		return true;
	}
	return false;
}

enum life_advice life_counted(struct life *life, const struct life_count *count, struct capture_time now)
{
	bool was_active = life->count.active;

	if (life->state == LIFE_PROPOSED || !life_is_there(life))
		return LIFE_STAYS;
	/* Counts that fall are another's. */
	if (count->matched < life->count.matched)
		return LIFE_STAYS;
	if (count->active && !was_active)
		life->base = life->count;
	if (count->matched > life->count.matched && count->active)
		life->last_match = now;
	life->count = *count;
	if ((count->active || life->state == LIFE_SHADOW) && hits_users(life, now))
		return LIFE_REVOKE;
	if (life->state == LIFE_SHADOW)
		return count->matched >= LIFE_SHADOW_MATCHED && time_since(now, life->changed) >= LIFE_SHADOW_NS
		               ? LIFE_ENFORCE
		               : LIFE_STAYS;
	if (count->active == was_active)
		return LIFE_STAYS;
	if (count->active)
		MOVE(life, LIFE_ENFORCED, now, "matches came at %" PRIu32 " a second again", life->arm_pps);
	else
		MOVE(life, LIFE_ARMED, now, "hardly a match for %d s", LIFE_HOLD_S);
	return LIFE_CHANGED;
}

void life_meet_wave(struct life *life, struct capture_time now)
{
	int64_t gap = time_since(now, life->last_match);

	if (gap > life->gap_ns)
		life->gap_ns = gap;
	life->waves++;
}
