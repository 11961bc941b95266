/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules for an incident: when they are sought, of which of its packets, and which of the signatures that come of it
 * become rules beside those that are there. At first of each vector's sample; once there are rules, of what passes, and
 * now and then of all.
 */
#include <errno.h>

#include "base/share.h"
#include "engine/live_inside.h"
#include "measure/slot.h"

#define RESIDUAL_PACKETS 50       /* that pass, before rules are sought for them */
#define RESIDUAL_LEAST 25         /* of one vector */
#define RESIDUAL_CAUGHT 20        /* of these a rule catches so many at least, … */
#define RESIDUAL_CAUGHT_PPM 10000 /* … and so much a second of what the attack had at its peak */
#define SAMPLE_CAUGHT 10 /* of a vector's sample a rule catches so many at least: fewer may be normal packets */
#define RESIDUAL_BACK_NS (10 * NS_PER_S) /* what passed longer ago is not looked at */
#define REVIEW_FACTOR 4 /* all of the attack is looked at again after so many times as long as before */
#define REVIEWS_MAX 3
#define VAIN_MAX 31      /* searches in vain are counted so far: the pause between them has long been the longest */
#define KEEPS_PPM 980000 /* of a rule's coverage: what a tighter one must have to take its place */

_Static_assert(LIVE_PASSED_MAX <= LIVE_ATTACK_MAX, "a search takes all that passed");

/* ---- of a signature, a rule ---- */

/* Of the incident's rules that stay. */
static uint64_t budget_used(const struct live *l, uint64_t incident, const bool goes[HELD_MAX])
{
	uint64_t used = 0;

	for (unsigned i = 0; i < HELD_MAX; i++) {
		const struct held *h = &l->held[i];

		if (h->used && life_is_there(&h->life) && !h->life.fallback && !h->replaced_by && !goes[i] &&
		    h->life.incident == incident && h->life.rule.action == RULE_DROP)
			used += h->life.signature.bound_ppm;
	}
	return used;
}

/* Of what one rule catches of the attack's sample, nearly all is caught by the other too. */
static bool takes_place(const struct incident *inc, const struct rule *better, const struct rule *of)
{
	uint64_t caught = 0, both = 0;

	for (uint32_t i = 0; i < inc->parts_count; i++) {
		const struct sample *sample = &inc->parts[i].window->sample;

		for (uint32_t j = 0; j < sample->used; j++) {
			struct observation o;

			sample_read(sample, j, &o);
			if (!match_test(&of->match, &o))
				continue;
			caught++;
			both += match_test(&better->match, &o);
		}
	}
	return caught > 0 && both * PPM >= caught * KEEPS_PPM;
}

/* Of normal packets a smaller share. */
static bool hits_less(const struct signature *a, const struct signature *b)
{
	return (uint64_t)a->baseline_hits * b->baseline_samples < (uint64_t)b->baseline_hits * a->baseline_samples;
}

/* The same packets: proven where it only counts, dropped where it lets some pass. */
static bool is_stronger(const struct life_plan *plan, const struct life *life)
{
	return (life->shadow && !plan->shadow) ||
	       (life->rule.action == RULE_RATE_LIMIT && plan->rule.action == RULE_DROP);
}

enum way { WAY_STAYS, WAY_WIDER, WAY_BETTER };

/*
 * Whether a rule that is there is to give way: to a wider one; to a better one: that is stronger, or acts at less where
 * this one is armed and its packets pass, or, where all of the attack was looked at again, catches the same and costs
 * less.
 */
static enum way way_of(const struct life *life, const struct life_plan *plan, const struct signature *g,
                       const struct incident *inc, bool review)
{
	bool wider = rule_covers(&plan->rule, &life->rule), narrower = rule_covers(&life->rule, &plan->rule);

	if (narrower && life->state == LIFE_ARMED && plan->arm_pps < life->arm_pps)
		return WAY_BETTER;
	if (wider && narrower)
		return is_stronger(plan, life) ? WAY_BETTER : WAY_STAYS;
	if (wider)
		return WAY_WIDER;
	return review && g->has_bound && life->signature.has_bound && hits_less(g, &life->signature) &&
	                       prefix_covers(&plan->rule.scope, &life->rule.scope) &&
	                       takes_place(inc, &plan->rule, &life->rule)
	               ? WAY_BETTER
	               : WAY_STAYS;
}

/*
 * Whether the signature is no better than what is there. Marks in `replaces` whose place it is to take; *better: one of
 * them is worse than it.
 */
static bool is_known(const struct live *l, const struct life_plan *plan, const struct signature *g,
                     const struct incident *inc, bool review, bool replaces[HELD_MAX], bool *better)
{
	bool known = false;

	*better = false;
	for (unsigned i = 0; i < HELD_MAX; i++) {
		const struct held *h = &l->held[i];
		enum way way;

		replaces[i] = false;
		if (!h->used || !life_is_there(&h->life) || h->life.fallback || h->replaced_by)
			continue;
		way = way_of(&h->life, plan, g, inc, review);
		replaces[i] = way != WAY_STAYS;
		*better = *better || way == WAY_BETTER;
		known = known || (way == WAY_STAYS && rule_covers(&h->life.rule, &plan->rule));
	}
	return known;
}

/* What its vectors say of it. */
struct life_attack live_attack_of(const struct incident *inc)
{
	struct life_attack attack = {
		.scope = inc->scope,
		.peak_pps = inc->peak_packets * SLOTS_PER_SECOND,
		.reflection = true,
	};

	for (uint32_t i = 0; i < inc->parts_count; i++) {
		const struct vector *v = vector_get(inc->parts[i].kind);

		attack.provokes = attack.provokes || v->evidence->answered_1s || v->class == VECTOR_CONVERSATION ||
		                  v->class == VECTOR_APPLICATION;
		attack.reflection = attack.reflection && v->class == VECTOR_REFLECTION;
	}
	return attack;
}

/* Of the attack's sample, a share that the rules there are do not. */
static bool catches_more(const struct live *l, uint64_t incident, const struct incident *inc, const struct rule *rule)
{
	uint64_t all = 0, more = 0;

	for (uint32_t i = 0; i < inc->parts_count; i++) {
		const struct sample *sample = &inc->parts[i].window->sample;

		all += sample->used;
		for (uint32_t j = 0; j < sample->used; j++) {
			struct observation o;

			sample_read(sample, j, &o);
			more += match_test(&rule->match, &o) && !live_rules_catch(l, incident, &o);
		}
	}
	return more * PPM > all * SIGNATURE_RESIDUAL_PPM;
}

/* Of a signature, a rule; true where there is a new one. */
static bool make_rule(struct live *l, struct live_case *c, const struct incident *inc, const struct signature *g,
                      bool review)
{
	struct life_attack attack = live_attack_of(inc);
	bool replaces[HELD_MAX], better;
	struct life_plan plan;
	struct held *made;

	if (!life_plan(g, &attack, &plan) || live_rule_is_banned(l, c->id, &plan.rule) ||
	    is_known(l, &plan, g, inc, review, replaces, &better))
		return false;
	if (plan.rule.action == RULE_DROP && budget_used(l, c->id, replaces) + g->bound_ppm > SIGNATURE_BUDGET_PPM)
		return false;
	if (review && !better && !catches_more(l, c->id, inc, &plan.rule))
		return false;
	made = live_rule_order(l, c, &plan, g);
	if (!made)
		return false;
	for (unsigned i = 0; i < HELD_MAX; i++)
		if (replaces[i] && &l->held[i] != made)
			l->held[i].replaced_by = made->life.handle;
	return true;
}

/* ---- searches ---- */

/* The latest packets of a kind that came since and were not dropped, in their order; at what rate they passed. */
static uint32_t collect_passed(const struct live *l, const struct incident *inc, uint8_t kind,
                               struct capture_time since, const struct observation *packets[LIVE_ATTACK_MAX],
                               uint64_t *pps)
{
	uint64_t first = l->passed_count > LIVE_PASSED_MAX ? l->passed_count - LIVE_PASSED_MAX : 0;
	uint64_t weight = 0;
	uint32_t count = 0;

	*pps = 0;
	for (uint64_t i = first; i < l->passed_count; i++) {
		const struct observation *o = &l->passed[i % LIVE_PASSED_MAX];

		if (l->passed_kind[i % LIVE_PASSED_MAX] == kind && time_since(o->time, since) >= 0 &&
		    live_hits_scope(&inc->scope, o)) {
			packets[count++] = o;
			weight += o->weight;
		}
	}
	if (count && time_since(l->now, packets[0]->time) > 0)
		*pps = share_of(NS_PER_S, weight, (uint64_t)time_since(l->now, packets[0]->time));
	return count;
}

/* Of a vector's sample, into `room`. */
static uint32_t collect_sampled(const struct sample *sample, struct observation room[LIVE_ATTACK_MAX],
                                const struct observation *packets[LIVE_ATTACK_MAX])
{
	uint32_t step = (sample->used + LIVE_ATTACK_MAX - 1) / LIVE_ATTACK_MAX, count = 0;

	for (uint32_t i = 0; i < sample->used; i += step) {
		sample_read(sample, i, &room[count]);
		packets[count] = &room[count];
		count++;
	}
	return count;
}

/* What a search is for: of what it was given, so much must be caught by a rule that it must be the attack's. */
struct aim {
	uint32_t caught; /* packets */
	bool passed;     /* it was given what passes … */
	uint64_t pps;    /* … at this rate */
	bool review;
};

static bool is_worth_it(const struct incident *inc, const struct signature *g, const struct aim *aim, uint32_t sampled)
{
	uint64_t peak_pps = inc->peak_packets * SLOTS_PER_SECOND;

	return share_of(sampled, g->added_ppm, PPM) >= aim->caught &&
	       (!aim->passed || share_of(aim->pps, g->added_ppm, PPM) >= share_of(peak_pps, RESIDUAL_CAUGHT_PPM, PPM));
}

/* One search; how many rules came of it. */
static uint32_t search_for(struct live *l, uint32_t index, const struct engine_search *search, const struct aim *aim)
{
	struct live_case *c = &l->cases[index];
	struct finding finding;
	uint32_t made = 0;
	int rc;

	l->counters.searches++;
	l->searches_left--;
	rc = engine_find(l->engine, index, search, &finding);
	if (rc < 0) {
		l->counters.no_memory += rc == -ENOMEM;
		return 0;
	}
	for (uint32_t i = 0; i < finding.signatures.count && finding.signatures.sampled >= RESIDUAL_LEAST; i++) {
		const struct signature *g = &finding.signatures.signatures[i];

		/* Among all that is looked at are normal packets, and they are not what is sought. */
		if (is_worth_it(finding.incident, g, aim, finding.signatures.sampled))
			made += make_rule(l, c, finding.incident, g, aim->review);
	}
	if (!aim->review)
		c->advice = finding.advice;
	finding_fini(&finding);
	return made;
}

/* For what passes of a vector since then: how many rules came of it. -1: too little passes. */
static int seek_passed(struct live *l, uint32_t index, uint32_t part, struct capture_time since)
{
	const struct incident *inc = engine_incident(l->engine, index);
	const struct observation *packets[LIVE_ATTACK_MAX];
	struct aim aim = { .caught = RESIDUAL_CAUGHT, .passed = true };
	struct engine_search search = {
		.normal_max = LIVE_NORMAL_MAX,
		.attack = packets,
		.attack_count = collect_passed(l, inc, inc->parts[part].kind, since, packets, &aim.pps),
		.young = true,
		.rules_only = true,
	};

	return search.attack_count < RESIDUAL_LEAST ? -1 : (int)search_for(l, index, &search, &aim);
}

/* For a vector's sample: how many rules came of it. -1: there is too little of it. */
static int seek_sampled(struct live *l, uint32_t index, uint32_t part)
{
	const struct sample *sample = &engine_incident(l->engine, index)->parts[part].window->sample;
	const struct observation *packets[LIVE_ATTACK_MAX];
	struct aim aim = { .caught = SAMPLE_CAUGHT };
	struct engine_search search = {
		.normal_max = LIVE_NORMAL_MAX,
		.attack = packets,
		.attack_count = collect_sampled(sample, l->sought, packets),
		.young = true,
		.rules_only = true,
	};

	if (search.attack_count < LIVE_SAMPLE_LEAST)
		return -1;
	l->cases[index].sought |= 1u << part;
	return (int)search_for(l, index, &search, &aim);
}

/*
 * Rules for an incident: vector by vector, for what several have in common is no more than that they are packets; of
 * each, for what passes since, or else for its sample.
 */
static void seek(struct live *l, uint32_t index, const struct capture_time *passed_since)
{
	uint32_t parts = engine_incident(l->engine, index)->parts_count;
	struct live_case *c = &l->cases[index];

	if (c->turn >= parts)
		c->turn = 0;
	if (c->turn == 0)
		c->made = 0;
	/* At first for all that a tick has time for; later one search a tick, for others wait. */
	for (bool searched = false; c->turn < parts && l->searches_left && (!searched || !passed_since); c->turn++) {
		int made =
			passed_since ? seek_passed(l, index, c->turn, *passed_since) : seek_sampled(l, index, c->turn);

		searched = made >= 0;
		if (searched)
			c->made += (uint32_t)made;
	}
	if (c->turn < parts) {
		c->searched = time_plus(l->now, -LIVE_SEEK_MAX_NS);
		c->passed = RESIDUAL_PACKETS;
	} else if (c->made) {
		c->vain = 0;
	} else if (c->vain < VAIN_MAX) {
		c->vain++;
	}
}

/*
 * Vectors that were noticed after there were rules for others, each once and one a tick: they are evidence by
 * themselves, and what passes of them need not add up first. True where one was sought for.
 */
static bool seek_newcomer(struct live *l, uint32_t index)
{
	const struct incident *inc = engine_incident(l->engine, index);
	struct live_case *c = &l->cases[index];

	for (uint32_t i = 0; i < inc->parts_count; i++) {
		const struct sample *sample = &inc->parts[i].window->sample;
		const char *advice = c->advice;
		int made;

		if ((c->sought & 1u << i) || sample->used < LIVE_SAMPLE_LEAST)
			continue;
		if (!live_rules_leave(l, c->id, sample)) {
			c->sought |= 1u << i;
			continue;
		}
		made = seek_sampled(l, index, i);
		if (made > 0) {
			c->vain = 0;
			c->advice = advice;
		}
		if (made >= 0)
			return true;
	}
	return false;
}

/* All of it once more, and rules that are better than those there are. */
static void review(struct live *l, uint32_t index)
{
	struct engine_search search = {
		.attack_max = LIVE_ATTACK_MAX, .normal_max = LIVE_NORMAL_MAX, .young = true, .rules_only = true
	};
	struct aim aim = { .review = true };

	(void)search_for(l, index, &search, &aim);
}

/* ---- when ---- */

static uint64_t packets_sampled(const struct incident *inc)
{
	uint64_t seen = 0;

	for (uint32_t i = 0; i < inc->parts_count; i++)
		seen += inc->parts[i].window->sample.seen;
	return seen;
}

static int64_t seek_pause(const struct live_case *c)
{
	int64_t pause = LIVE_SEEK_NS;

	for (uint32_t i = 0; i < c->vain && pause < LIVE_SEEK_MAX_NS; i++)
		pause *= 2;
	return pause;
}

/* Whether, and for which of its packets, rules are to be sought. */
void live_seek(struct live *l, uint32_t index, const struct incident *inc)
{
	struct live_case *c = &l->cases[index];
	struct rate latest = live_case_rate(l, c, RESIDUAL_SLOTS);
	struct capture_time since;

	/* The next tick begins with who could not be looked at in this one. */
	if (l->searches_left == 0) {
		if (!l->waits) {
			l->waits = true;
			l->first = index;
		}
		return;
	}
	if (!inc->wave_open || c->revoked >= LIVE_REVOKED_MAX || live_rules_await(l, c->id) ||
	    (c->has_since && seek_newcomer(l, index)) || time_since(l->now, c->searched) < seek_pause(c))
		return;
	if (!c->has_since) {
		uint64_t sampled = packets_sampled(inc);

		if (sampled < LIVE_SAMPLE_LEAST ||
		    (sampled < LIVE_SAMPLE_FIRST && time_since(l->now, c->wave_at) < LIVE_SAMPLE_NS))
			return;
		c->searched = l->now;
		c->passed = 0;
		seek(l, index, NULL);
		return;
	}
	if (c->reviews < REVIEWS_MAX && time_since(l->now, c->review) >= 0) {
		c->reviews++;
		c->review = time_plus(l->now, time_since(c->review, c->seen) * (REVIEW_FACTOR - 1));
		c->searched = l->now;
		review(l, index);
		return;
	}
	if (c->passed < RESIDUAL_PACKETS || time_since(l->now, c->since) <= 0)
		return;
	if (live_passing_ppm(&latest) <= SIGNATURE_RESIDUAL_PPM ||
	    (latest.packets - latest.dropped) * PPM < inc->peak_packets * RESIDUAL_SLOTS / 2 * SIGNATURE_RESIDUAL_PPM) {
		c->passed = 0;
		return;
	}
	since = c->since;
	if (time_since(l->now, since) > RESIDUAL_BACK_NS)
		since = time_plus(l->now, -RESIDUAL_BACK_NS);
	c->searched = l->now;
	c->passed = 0;
	seek(l, index, &since);
}
