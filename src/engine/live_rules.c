/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules from their order on. Each has a place of its own (struct held) until the place is needed; what is owed to who
 * asks is a mark there, so that no order can be lost and no queue overflow. What was let go or hit users is not made
 * again: a ban.
 */
#include <errno.h>

#include "base/share.h"
#include "engine/live_inside.h"
#include "measure/slot.h"

#define FORCE_NS (20 * NS_PER_MS) /* from the shield's answer until the last packet that it came too late for is seen */
#define REVIEW_FIRST_NS NS_PER_S  /* after the first rules all of the attack is looked at once more (live_seek.c) */

/* ---- places and bans ---- */

static struct held *held_of(struct live *l, uint64_t handle)
{
	for (unsigned i = 0; i < HELD_MAX; i++)
		if (l->held[i].used && l->held[i].life.handle == handle)
			return &l->held[i];
	return NULL;
}

static unsigned count_there(const struct live *l)
{
	unsigned count = 0;

	for (unsigned i = 0; i < HELD_MAX; i++)
		count += l->held[i].used && life_is_there(&l->held[i].life);
	return count;
}

/* A free place, or that of the rule that has been gone longest; NULL where LIVE_RULES_MAX are there. */
static struct held *find_place(struct live *l)
{
	struct held *best = NULL;

	if (count_there(l) >= LIVE_RULES_MAX) {
		l->counters.rules_refused++;
		return NULL;
	}
	for (unsigned i = 0; i < HELD_MAX; i++) {
		struct held *h = &l->held[i];

		if (!h->used)
			return h;
		if (life_is_there(&h->life) || h->owe_remove)
			continue;
		if (!best || time_since(best->life.changed, h->life.changed) > 0)
			best = h;
	}
	return best;
}

static void ban(struct live *l, const struct life *life, bool by_hand)
{
	l->counters.bans_pushed_out += l->ban_count == LIVE_BANS_MAX;
	l->bans[l->ban_next] = (struct ban){ .incident = life->incident, .by_hand = by_hand, .rule = life->rule };
	l->ban_next = (l->ban_next + 1) % LIVE_BANS_MAX;
	if (l->ban_count < LIVE_BANS_MAX)
		l->ban_count++;
}

bool live_rule_is_banned(const struct live *l, uint64_t incident, const struct rule *rule)
{
	for (unsigned i = 0; i < l->ban_count; i++) {
		const struct ban *b = &l->bans[i];

		if (b->incident == incident &&
		    (rule_covers(rule, &b->rule) || (b->by_hand && rule_covers(&b->rule, rule))))
			return true;
	}
	return false;
}

struct held *live_rule_order(struct live *l, const struct live_case *c, const struct life_plan *plan,
                             const struct signature *signature)
{
	struct held *h = find_place(l);

	if (!h)
		return NULL;
	*h = (struct held){ .used = true, .owe_add = true, .for_ns = LIFE_TTL_MIN_NS };
	life_begin(&h->life, ++l->last_handle, c->id, plan, signature, l->now);
	return h;
}

/* ---- what the rules that are there do ---- */

bool live_rules_catch(const struct live *l, uint64_t incident, const struct observation *o)
{
	for (unsigned i = 0; i < HELD_MAX; i++) {
		const struct held *h = &l->held[i];

		if (h->used && life_is_there(&h->life) && !h->life.fallback && h->life.incident == incident &&
		    match_test(&h->life.rule.match, o))
			return true;
	}
	return false;
}

/* Of a vector's sample, more than may be left is caught by no rule that is there. */
bool live_rules_leave(const struct live *l, uint64_t incident, const struct sample *sample)
{
	uint64_t left = 0;

	for (uint32_t i = 0; i < sample->used; i++) {
		struct observation o;

		sample_read(sample, i, &o);
		left += !live_rules_catch(l, incident, &o);
	}
	return left * PPM > (uint64_t)sample->used * SIGNATURE_RESIDUAL_PPM;
}

bool live_rules_await(const struct live *l, uint64_t incident)
{
	for (unsigned i = 0; i < HELD_MAX; i++)
		if (l->held[i].used && l->held[i].life.incident == incident && l->held[i].life.state == LIFE_PROPOSED)
			return true;
	return false;
}

/* ---- what becomes of them ---- */

/* The shield is to forget it. */
void live_rule_let_go(struct held *h, enum life_state state, struct capture_time now, const char *why)
{
	h->owe_renew = false;
	h->owe_remove = true;
	life_end(&h->life, state, now, why);
}

/* Its successor is there, or will not be. */
static void settle_replaced(struct live *l, uint64_t handle, bool there)
{
	for (unsigned i = 0; i < HELD_MAX; i++) {
		struct held *h = &l->held[i];

		if (!h->used || h->replaced_by != handle)
			continue;
		h->replaced_by = 0;
		if (there && life_is_there(&h->life))
			live_rule_let_go(h, LIFE_GONE, l->now,
			                 h->life.state == LIFE_SHADOW ? "it hit no user: enforced now"
			                                              : "a better rule has taken its place");
	}
}

void live_ruled(struct live *l, uint64_t handle, uint32_t number, int result)
{
	struct held *h = held_of(l, handle);
	struct live_case *c;

	live_begin_input(l);
	if (!h || h->life.state != LIFE_PROPOSED)
		return;
	life_ruled(&h->life, number, result, l->now);
	settle_replaced(l, handle, result >= 0);
	/* What the shield cannot do it will not be able to do in a moment. */
	if (result < 0 && result != -ENOSPC && result != -ENOMEM)
		ban(l, &h->life, true);
	c = live_case_find(l, h->life.incident);
	if (!c)
		return;
	c->changed = true;
	if (result < 0) {
		c->vain++;
		return;
	}
	if (h->life.fallback)
		return;
	c->has_since = true;
	c->since = time_plus(l->now, FORCE_NS);
	c->passed = 0;
	if (c->reviews == 0)
		c->review = time_plus(l->now, REVIEW_FIRST_NS);
}

void live_rule_gone(struct live *l, uint64_t handle)
{
	struct held *h = held_of(l, handle);

	live_begin_input(l);
	if (!h || !life_is_there(&h->life))
		return;
	h->owe_add = h->owe_renew = false;
	if (time_since(h->life.expires, l->now) <= NS_PER_S) {
		life_end(&h->life, LIFE_GONE, l->now, "it has expired");
	} else {
		ban(l, &h->life, true);
		life_end(&h->life, LIFE_GONE, l->now, "somebody has let it go: not made again in this incident");
	}
	settle_replaced(l, handle, false);
	live_case_note_change(l, h->life.incident);
}

/* What was proven in the shadow takes its own place. */
static void enforce(struct live *l, struct held *shadow)
{
	struct live_case *c = live_case_find(l, shadow->life.incident);
	const struct incident *inc = c ? engine_incident(l->engine, (uint32_t)(c - l->cases)) : NULL;
	struct life_plan plan;
	struct held *h;

	/* Of what packets have just made part of another, the other takes the rule with the next tick. */
	if (!inc || c->over || shadow->replaced_by)
		return;
	life_enforced(&shadow->life, inc->peak_packets * SLOTS_PER_SECOND, &plan);
	h = live_rule_order(l, c, &plan, &shadow->life.signature);
	if (h)
		shadow->replaced_by = h->life.handle;
}

static void revoke(struct live *l, struct held *h)
{
	struct live_case *c = live_case_find(l, h->life.incident);

	h->owe_renew = false;
	h->owe_remove = true;
	ban(l, &h->life, false);
	settle_replaced(l, h->life.handle, false);
	if (!c)
		return;
	if (h->life.fallback) {
		c->changed = true;
		return;
	}
	c->revoked++;
	c->vain = 0;
	c->changed = true;
}

void live_rule_counted(struct live *l, uint64_t handle, const struct life_count *count)
{
	struct held *h = held_of(l, handle);

	live_begin_input(l);
	if (!h)
		return;
	switch (life_counted(&h->life, count, l->now)) {
	case LIFE_STAYS:
		break;
	case LIFE_CHANGED:
		live_case_note_change(l, h->life.incident);
		break;
	case LIFE_ENFORCE:
		enforce(l, h);
		break;
	case LIFE_REVOKE:
		revoke(l, h);
		break;
	}
}

/* The shield keeps it while it is wanted, and is not asked at every match. */
void live_rules_keep(struct live *l)
{
	for (unsigned i = 0; i < HELD_MAX; i++) {
		struct held *h = &l->held[i];
		struct capture_time until;
		int64_t left;

		if (!h->used || !life_is_there(&h->life) || h->owe_add || h->life.state == LIFE_PROPOSED)
			continue;
		if (time_since(l->now, h->life.expires) >= 0) {
			h->owe_renew = false;
			life_end(&h->life, LIFE_GONE, l->now, "it has expired: nothing matched it any more");
			live_case_note_change(l, h->life.incident);
			continue;
		}
		until = life_wanted_until(&h->life);
		left = time_since(until, l->now);
		if (left <= 0 || time_since(until, h->life.expires) < left / 4)
			continue;
		h->for_ns = left;
		h->life.expires = until;
		h->owe_renew = true;
	}
}

/* Rules that stand on its scope are its own, be they of an earlier attack. */
void live_rules_adopt(struct live *l, struct live_case *c)
{
	for (unsigned i = 0; i < HELD_MAX; i++) {
		struct held *h = &l->held[i];

		if (!h->used || !life_is_there(&h->life) || h->life.incident == c->id)
			continue;
		if (!prefix_covers(&c->scope, &h->life.rule.scope) && !prefix_covers(&h->life.rule.scope, &c->scope))
			continue;
		h->life.incident = c->id;
		if (h->life.state != LIFE_PROPOSED && !c->has_since) {
			c->has_since = true;
			c->since = l->now;
		}
	}
}

/* ---- orders ---- */

static struct live_order order_of(const struct held *h, enum live_order_type type)
{
	struct live_order order = { .type = type, .handle = h->life.handle };

	if (type != LIVE_REMOVE_RULE)
		order.for_ns = h->for_ns;
	if (type != LIVE_ADD_RULE)
		return order;
	order.rule = h->life.rule;
	order.shadow = h->life.shadow;
	order.spare = h->life.spare;
	order.probe = h->life.probe;
	order.known = h->life.known;
	order.each = h->life.each;
	order.source_pps = h->life.source_pps;
	order.arm_pps = h->life.arm_pps;
	memcpy(order.reason, h->life.signature.reason, sizeof(order.reason));
	order.reason[sizeof(order.reason) - 1] = '\0';
	return order;
}

/* Whether an order is still to be given. */
static bool *owed_of(struct held *h, enum live_order_type type)
{
	switch (type) {
	case LIVE_REMOVE_RULE:
		return &h->owe_remove;
	case LIVE_ADD_RULE:
		return &h->owe_add;
	case LIVE_RENEW_RULE:
		break;
	}
	return &h->owe_renew;
}

/* Removals first: they make room. */
bool live_next_order(struct live *l, struct live_order *order)
{
	static const enum live_order_type types[] = { LIVE_REMOVE_RULE, LIVE_ADD_RULE, LIVE_RENEW_RULE };

	for (unsigned k = 0; k < sizeof(types) / sizeof(types[0]); k++) {
		for (unsigned i = 0; i < HELD_MAX; i++) {
			struct held *h = &l->held[i];
			bool *owed = owed_of(h, types[k]);

			if (!h->used || !*owed)
				continue;
			*owed = false;
			*order = order_of(h, types[k]);
			return true;
		}
	}
	return false;
}
