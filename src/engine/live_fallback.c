/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services under attack: what peace is like at them, and what is ordered where no signature is safe
 * (defend/fallback.h).
 */
#include <stdlib.h>

#include "engine/live_inside.h"
#include "observe/protocol.h"

#define FALLBACK_VAIN 2 /* so many searches in vain, and sources are looked at */

static bool is_attacked(const struct live *l, const struct served *s, const struct prefix *scope)
{
	for (unsigned j = s->first; j < s->first + s->count; j++)
		if (prefix_covers(&l->prefixes[j], scope) || prefix_covers(scope, &l->prefixes[j]))
			return true;
	return false;
}

/* The service with the longest prefix that holds the scope, or else lies in it; service_count: none. */
unsigned live_service_of(const struct live *l, const struct prefix *scope)
{
	unsigned found = l->service_count;
	int best = -1;

	for (unsigned i = 0; i < l->service_count; i++) {
		const struct served *s = &l->services[i];

		for (unsigned j = s->first; j < s->first + s->count; j++) {
			const struct prefix *p = &l->prefixes[j];
			int length = prefix_covers(p, scope) ? p->length + 1 : prefix_covers(scope, p) ? 0 : -1;

			if (length > best) {
				best = length;
				found = i;
			}
		}
	}
	return found;
}

static enum quota_class class_of(uint8_t protocol)
{
	return protocol == PROTOCOL_TCP ? QUOTA_TCP : protocol == PROTOCOL_UDP ? QUOTA_UDP : QUOTA_REST;
}

/* What peace is like, of the services that may have to fall back on it. */
void live_learn_peace(struct live *l, const struct packet *packets, uint32_t count)
{
	for (uint32_t k = 0; l->learns && k < count; k++) {
		const struct observation *o = &packets[k].observation;
		struct prefix to = prefix_of(&o->dst, address_is_ipv4(&o->dst) ? 32 : 128);
		unsigned service = live_service_of(l, &to);

		if (service < l->service_count && l->services[service].fallback != FALLBACK_NONE &&
		    !(o->flags & OBSERVATION_DROPPED))
			quotas_count(l->quotas, service, class_of(o->protocol), &o->src, o->weight,
			             o->time.ns / NS_PER_S);
	}
}

void live_note_attacked(struct live *l)
{
	l->attacked = 0;
	for (unsigned i = 0; i < l->service_count; i++) {
		for (unsigned k = 0; k < INCIDENT_LIST_MAX; k++) {
			const struct live_case *c = &l->cases[k];

			if (c->begun && !c->over && !c->absorbed && is_attacked(l, &l->services[i], &c->scope))
				l->attacked |= 1ULL << i;
		}
		quotas_freeze(l->quotas, i, l->attacked >> i & 1);
	}
}

/* Its packets are dealt with by the kernel, as far as this host's own sockets answer. */
static enum fallback_state by_kernel(const struct served *s, uint8_t kind)
{
	const struct vector *v = vector_get(kind);

	if (!s->local || v->class != VECTOR_STATELESS || v->protocol != PROTOCOL_TCP)
		return FALLBACK_NOT_NEEDED;
	return kind == VECTOR_SYN ? FALLBACK_COOKIES : FALLBACK_STATE;
}

static bool has_fallback(const struct live *l, uint64_t incident, const struct rule *rule)
{
	for (unsigned i = 0; i < HELD_MAX; i++) {
		const struct life *life = &l->held[i].life;

		if (l->held[i].used && life_is_there(life) && life->fallback && life->incident == incident &&
		    rule_covers(&life->rule, rule))
			return true;
	}
	return false;
}

/* A rule for one vector, unless there is one; how it stands with it. */
static enum fallback_state fall_back_for(struct live *l, struct live_case *c, unsigned service,
                                         const struct incident *inc, const struct incident_part *part)
{
	const struct served *s = &l->services[service];
	const struct sample *sample = &part->window->sample;
	struct life_attack attack = live_attack_of(inc);
	struct observation *list, first;
	enum fallback_state state;
	struct fallback_peace peace;
	enum quota_class class;
	bool has_match;
	struct signature signature;
	struct life_plan plan;
	struct match match;

	state = by_kernel(s, part->kind);
	if (state != FALLBACK_NOT_NEEDED)
		return state;
	list = sample_list(sample);
	l->counters.no_memory += !list && sample->used > 0;
	has_match = list && fallback_match(list, sample->used, &match);
	free(list);
	if (!has_match)
		return state;
	sample_read(sample, 0, &first);
	class = class_of(first.protocol);
	peace.source_pps = quotas_of_source(l->quotas, service, class);
	peace.all_pps = quotas_of_all(l->quotas, service, class);
	state = fallback_plan(s->fallback, &peace, &attack, &match, &plan, &signature);
	if (state != FALLBACK_LIMITS && state != FALLBACK_PREFERS)
		return state;
	if (has_fallback(l, c->id, &plan.rule))
		return state;
	if (live_rule_is_banned(l, c->id, &plan.rule))
		return FALLBACK_REVOKED;
	(void)live_rule_order(l, c, &plan, &signature);
	return state;
}

/* Where searches have come to nothing and too much passes, of each vector that is left. */
void live_fall_back(struct live *l, uint32_t index, const struct incident *inc)
{
	struct live_case *c = &l->cases[index];
	struct rate latest = live_case_rate(l, c, RESIDUAL_SLOTS);
	unsigned service = live_service_of(l, &inc->scope);
	enum fallback_state state = FALLBACK_NOT_NEEDED;

	if (!inc->wave_open || c->vain < FALLBACK_VAIN || live_passing_ppm(&latest) <= SIGNATURE_RESIDUAL_PPM ||
	    live_rules_await(l, c->id) || time_since(l->now, c->looked) < LIVE_SEEK_NS)
		return;
	c->looked = l->now;
	if (service == l->service_count)
		state = FALLBACK_NO_SERVICE;
	for (uint32_t i = 0; i < inc->parts_count && service < l->service_count; i++) {
		enum fallback_state of = FALLBACK_NOT_NEEDED;
		const struct sample *sample = &inc->parts[i].window->sample;

		/* Of these the link's router must never have one too many. */
		if (inc->parts[i].kind == VECTOR_DISCOVERY)
			continue;
		if (sample->used >= LIVE_SAMPLE_LEAST && live_rules_leave(l, c->id, sample))
			of = fall_back_for(l, c, service, inc, &inc->parts[i]);
		if (state == FALLBACK_NOT_NEEDED)
			state = of;
	}
	if (state != FALLBACK_NOT_NEEDED && c->fallback != state) {
		c->fallback = state;
		c->changed = true;
	}
}

/* The attack is over: what rests on who sends holds nobody up any more. */
void live_fallbacks_end(struct live *l, const struct live_case *c)
{
	for (unsigned i = 0; i < HELD_MAX; i++) {
		struct held *h = &l->held[i];

		if (h->used && life_is_there(&h->life) && h->life.fallback && h->life.incident == c->id) {
			h->owe_add = false;
			live_rule_let_go(h, LIFE_GONE, l->now, "the attack is over");
		}
	}
}
