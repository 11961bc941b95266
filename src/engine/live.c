/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is decided when. Packets only count; decisions fall with the ticks. Each incident of the present generation's engine
 * has a case here, at the engine's index. A rule has a place of its own (struct held) from its order on until the place is
 * needed; what is owed to who asks (orders, news) is a mark on what it concerns, so that none can be lost and no queue can
 * overflow.
 *
 * How much of an attack passes is what its incident counted less what was dropped on its scope, by slots of 100 ms.
 */
#include "engine/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/share.h"
#include "base/varint.h"
#include "engine/learned.h"
#include "engine/live_inside.h"
#include "measure/slot.h"
#include "observe/protocol.h"

#define FORCE_NS (20 * NS_PER_MS) /* from the shield's answer until the last packet that it came too late for is seen */
#define RESIDUAL_PACKETS 50       /* that pass, before rules are sought for them */
#define RESIDUAL_LEAST 25         /* of one vector */
#define RESIDUAL_CAUGHT 20        /* of these a rule catches so many at least, … */
#define RESIDUAL_CAUGHT_PPM 10000 /* … and so much a second of what the attack had at its peak */
#define SAMPLE_CAUGHT 10 /* of a vector's sample a rule catches so many at least: fewer may be normal packets */
#define RESIDUAL_SLOTS 2 /* over which what passes is judged */
#define RESIDUAL_BACK_NS (10 * NS_PER_S) /* what passed longer ago is not looked at */
#define BEGAN_NS (500 * NS_PER_MS)       /* an incident is told of so late: neighbours may yet be gathered */
#define REVIEW_FIRST_NS NS_PER_S         /* after the first rules all of the attack is looked at once more, … */
#define REVIEW_FACTOR 4                  /* … and again after so many times as long */
#define REVIEWS_MAX 3
#define TRY_AGAIN_NS (60 * NS_PER_S) /* after a generation could not be made */
#define FALLBACK_VAIN 2              /* so many searches in vain, and sources are looked at */
#define KEEPS_PPM 980000             /* of a rule's coverage: what a tighter one must have to take its place */

_Static_assert(LIVE_PASSED_MAX <= LIVE_ATTACK_MAX, "a search takes all that passed");

/* ------------------------------------------------------------------ beginning and end */

static int take_services(struct live *l, const struct live_service *services, unsigned count)
{
	if (count > LIVE_SERVICES_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++) {
		struct served *s = &l->services[i];

		if (services[i].prefix_count > LIVE_SERVICE_PREFIXES_MAX - l->prefix_count)
			return -EINVAL;
		memcpy(s->name, services[i].name, sizeof(s->name));
		s->name[sizeof(s->name) - 1] = '\0';
		s->local = services[i].local;
		s->fallback = services[i].fallback;
		l->learns = l->learns || s->fallback != FALLBACK_NONE;
		s->first = l->prefix_count;
		s->count = services[i].prefix_count;
		if (s->count)
			memcpy(&l->prefixes[s->first], services[i].prefixes, s->count * sizeof(l->prefixes[0]));
		l->prefix_count += s->count;
	}
	l->service_count = count;
	return 0;
}

int live_make(uint64_t seed, const struct live_service *services, unsigned service_count, struct live **live)
{
	struct live *l = calloc(1, sizeof(*l));
	int rc = -ENOMEM;

	if (!l)
		return rc;
	l->seed = seed;
	l->engine = engine_new(seed);
	l->quotas = quotas_new(service_count < LIVE_SERVICES_MAX ? service_count : LIVE_SERVICES_MAX, seed);
	if (l->engine && l->quotas)
		rc = take_services(l, services, service_count);
	if (rc < 0) {
		live_free(l);
		return rc;
	}
	l->number = l->last_number = 1;
	*live = l;
	return 0;
}

/*
 * What is kept over a restart, of which what the engine has learned is one part; what nothing but that is, is read too.
 *
 *     checkpoint = mark length octets-of-engine_save() count { name { quota } } sum
 */
#define KEPT_MARK "HFLQ"
#define KEPT_MARK_SIZE 4
#define KEPT_ROOM(engine, services) \
	(KEPT_MARK_SIZE + (engine) + (services) * (LIVE_NAME_SIZE + QUOTA_CLASSES * QUOTA_PACKED_MAX) + 64)

static unsigned service_named(const struct live *l, const char *name)
{
	unsigned i = 0;

	while (i < l->service_count && strcmp(l->services[i].name, name) != 0)
		i++;
	return i;
}

static int restore_quotas(struct live *l, struct cursor *c)
{
	uint64_t count = cursor_varint(c);
	struct quotas *passed_over = quotas_new(1, 0);

	if (!passed_over)
		return -ENOMEM;
	for (uint64_t i = 0; i < count && !c->failed; i++) {
		uint64_t length = cursor_varint(c);
		const uint8_t *text = length < LIVE_NAME_SIZE ? cursor_take(c, length) : NULL;
		char name[LIVE_NAME_SIZE] = "";
		unsigned at;

		if (!text) {
			c->failed = true;
			break;
		}
		memcpy(name, text, length);
		at = service_named(l, name);
		for (unsigned k = 0; k < QUOTA_CLASSES; k++) {
			bool here = at < l->service_count;

			quotas_unpack(c, here ? l->quotas : passed_over, here ? at : 0, (enum quota_class)k);
		}
	}
	quotas_free(passed_over);
	return c->failed || cursor_left(c) ? -EBADMSG : 0;
}

static uint64_t read_64(const uint8_t *at)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < 8; i++)
		value = value << 8 | at[i];
	return value;
}

static int restore(struct live *l, const uint8_t *checkpoint, size_t length)
{
	struct cursor c = cursor_over(checkpoint, length);
	const uint8_t *mark = cursor_take(&c, KEPT_MARK_SIZE), *engine;
	uint64_t engine_length;
	int rc;

	if (!mark || memcmp(mark, KEPT_MARK, KEPT_MARK_SIZE) != 0)
		return engine_restore(l->engine, checkpoint, length);
	if (length < KEPT_MARK_SIZE + 8 || read_64(checkpoint + length - 8) != learned_sum(checkpoint, length - 8))
		return -EBADMSG;
	cursor_limit(&c, length - 8 - KEPT_MARK_SIZE);
	engine_length = cursor_varint(&c);
	engine = engine_length <= cursor_left(&c) ? cursor_take(&c, engine_length) : NULL;
	if (!engine)
		return -EBADMSG;
	rc = engine_restore(l->engine, engine, engine_length);
	return rc < 0 ? rc : restore_quotas(l, &c);
}

int live_new(uint64_t seed, const struct live_service *services, unsigned service_count, const uint8_t *checkpoint,
             size_t length, struct live **live)
{
	struct live *l;
	int rc = live_make(seed, services, service_count, &l);

	if (rc < 0)
		return rc;
	if (checkpoint)
		rc = restore(l, checkpoint, length);
	if (rc < 0 && rc != -EBADMSG) {
		live_free(l);
		return rc;
	}
	*live = l;
	return rc;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	engine_free(l->engine);
	engine_free(l->warming);
	engine_free(l->finished);
	quotas_free(l->quotas);
	free(l);
}

int live_save(const struct live *l, uint8_t **checkpoint, size_t *length)
{
	uint8_t *engine, *made;
	size_t engine_length, at = KEPT_MARK_SIZE;
	uint64_t sum;
	int rc;

	if (!l->engine)
		return -EINVAL;
	rc = engine_save(l->engine, &engine, &engine_length);
	if (rc < 0)
		return rc;
	made = malloc(KEPT_ROOM(engine_length, l->service_count));
	if (!made) {
		free(engine);
		return -ENOMEM;
	}
	memcpy(made, KEPT_MARK, KEPT_MARK_SIZE);
	at += varint_write(made + at, engine_length);
	memcpy(made + at, engine, engine_length);
	free(engine);
	at += engine_length;
	at += varint_write(made + at, l->service_count);
	for (unsigned i = 0; i < l->service_count; i++) {
		size_t name = strlen(l->services[i].name);

		at += varint_write(made + at, name);
		memcpy(made + at, l->services[i].name, name);
		at += name;
		for (unsigned k = 0; k < QUOTA_CLASSES; k++)
			at += quotas_pack(l->quotas, i, (enum quota_class)k, made + at);
	}
	sum = learned_sum(made, at);
	for (unsigned i = 0; i < 8; i++)
		made[at++] = (uint8_t)(sum >> (56 - 8 * i));
	*checkpoint = made;
	*length = at;
	return 0;
}

const struct engine *live_engine(const struct live *l)
{
	return l->engine;
}

static int make_findings(struct engine *e)
{
	int rc;

	do
		rc = engine_make_finding(e);
	while (rc > 0);
	return rc;
}

const struct engine *live_finished(struct live *l)
{
	if (l->finished)
		l->counters.no_memory += make_findings(l->finished) < 0;
	return l->finished;
}

struct engine *live_take_finished(struct live *l)
{
	struct engine *finished = l->finished;

	l->finished = NULL;
	return finished;
}

uint32_t live_generation(const struct live *l)
{
	return l->number;
}

uint32_t live_warming(const struct live *l)
{
	return l->warming_number;
}

struct live_counters live_counters(const struct live *l)
{
	struct live_counters counters = l->counters;

	counters.sources_uncounted = quotas_refused(l->quotas);
	return counters;
}

/* With an input what was finished before has been told. */
static void begin_input(struct live *l)
{
	engine_free(l->finished);
	l->finished = NULL;
	l->owe_finished = false;
}

/* ------------------------------------------------------------------ rules */

static struct held *held_of(struct live *l, uint64_t handle)
{
	for (unsigned i = 0; i < HELD_MAX; i++)
		if (l->held[i].used && l->held[i].life.handle == handle)
			return &l->held[i];
	return NULL;
}

static struct live_case *case_of(struct live *l, uint64_t incident)
{
	for (unsigned i = 0; i < INCIDENT_LIST_MAX; i++)
		if (l->cases[i].begun && !l->cases[i].absorbed && l->cases[i].id == incident)
			return &l->cases[i];
	return NULL;
}

static void note_change(struct live *l, uint64_t incident)
{
	struct live_case *c = case_of(l, incident);

	if (c)
		c->changed = true;
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

static bool is_banned(const struct live *l, uint64_t incident, const struct rule *rule)
{
	for (unsigned i = 0; i < l->ban_count; i++) {
		const struct ban *b = &l->bans[i];

		if (b->incident == incident &&
		    (rule_covers(rule, &b->rule) || (b->by_hand && rule_covers(&b->rule, rule))))
			return true;
	}
	return false;
}

static struct held *order_rule(struct live *l, const struct live_case *c, const struct life_plan *plan,
                               const struct signature *signature)
{
	struct held *h = find_place(l);

	if (!h)
		return NULL;
	*h = (struct held){ .used = true, .owe_add = true, .for_ns = LIFE_TTL_MIN_NS };
	life_begin(&h->life, ++l->last_handle, c->id, plan, signature, l->now);
	return h;
}

/* The shield is to forget it. */
static void let_go(struct held *h, enum life_state state, struct capture_time now, const char *why)
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
			let_go(h, LIFE_GONE, l->now,
			       h->life.state == LIFE_SHADOW ? "it hit no user: enforced now"
			                                    : "a better rule has taken its place");
	}
}

void live_ruled(struct live *l, uint64_t handle, uint32_t number, int result)
{
	struct held *h = held_of(l, handle);
	struct live_case *c;

	begin_input(l);
	if (!h || h->life.state != LIFE_PROPOSED)
		return;
	life_ruled(&h->life, number, result, l->now);
	settle_replaced(l, handle, result >= 0);
	/* What the shield cannot do it will not be able to do in a moment. */
	if (result < 0 && result != -ENOSPC && result != -ENOMEM)
		ban(l, &h->life, true);
	c = case_of(l, h->life.incident);
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

	begin_input(l);
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
	note_change(l, h->life.incident);
}

/* What was proven in the shadow takes its own place. */
static void enforce(struct live *l, struct held *shadow)
{
	struct live_case *c = case_of(l, shadow->life.incident);
	struct life_plan plan;
	struct held *h;
	uint32_t index;

	if (!c || c->over || shadow->replaced_by)
		return;
	index = (uint32_t)(c - l->cases);
	life_enforced(&shadow->life, engine_incident(l->engine, index)->peak_packets * SLOTS_PER_SECOND, &plan);
	h = order_rule(l, c, &plan, &shadow->life.signature);
	if (h)
		shadow->replaced_by = h->life.handle;
}

static void revoke(struct live *l, struct held *h)
{
	struct live_case *c = case_of(l, h->life.incident);

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

	begin_input(l);
	if (!h)
		return;
	switch (life_counted(&h->life, count, l->now)) {
	case LIFE_STAYS:
		break;
	case LIFE_CHANGED:
		note_change(l, h->life.incident);
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
static void keep_rules(struct live *l)
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
			note_change(l, h->life.incident);
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

/* ------------------------------------------------------------------ looking for rules */

/* The packet, or the tunnel packet around it. */
static bool hits_scope(const struct prefix *scope, const struct observation *o)
{
	return prefix_contains(scope, &o->dst) ||
	       ((o->flags & OBSERVATION_TUNNELLED) && prefix_contains(scope, &o->outer.dst));
}

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
 * Whether a rule that is there is to give way: to a wider one; to a better one: that is stronger, or acts at less where this
 * one is armed and its packets pass, or, where all of the attack was looked at again, catches the same and costs less.
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
 * Whether the signature is no better than what is there. Marks in `replaces` whose place it is to take; *better: one of them
 * is worse than it.
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
static struct life_attack attack_of(const struct incident *inc)
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

static bool is_caught(const struct live *l, uint64_t incident, const struct observation *o)
{
	for (unsigned i = 0; i < HELD_MAX; i++) {
		const struct held *h = &l->held[i];

		if (h->used && life_is_there(&h->life) && !h->life.fallback && h->life.incident == incident &&
		    match_test(&h->life.rule.match, o))
			return true;
	}
	return false;
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
			more += match_test(&rule->match, &o) && !is_caught(l, incident, &o);
		}
	}
	return more * PPM > all * SIGNATURE_RESIDUAL_PPM;
}

/* Of a signature, a rule; true where there is a new one. */
static bool make_rule(struct live *l, struct live_case *c, const struct incident *inc, const struct signature *g,
                      bool review)
{
	struct life_attack attack = attack_of(inc);
	bool replaces[HELD_MAX], better;
	struct life_plan plan;
	struct held *made;

	if (!life_plan(g, &attack, &plan) || is_banned(l, c->id, &plan.rule) ||
	    is_known(l, &plan, g, inc, review, replaces, &better))
		return false;
	if (plan.rule.action == RULE_DROP && budget_used(l, c->id, replaces) + g->bound_ppm > SIGNATURE_BUDGET_PPM)
		return false;
	if (review && !better && !catches_more(l, c->id, inc, &plan.rule))
		return false;
	made = order_rule(l, c, &plan, g);
	if (!made)
		return false;
	for (unsigned i = 0; i < HELD_MAX; i++)
		if (replaces[i] && &l->held[i] != made)
			l->held[i].replaced_by = made->life.handle;
	return true;
}

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
		    hits_scope(&inc->scope, o)) {
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
 * Rules for an incident: vector by vector, for what several have in common is no more than that they are packets; of each, for
 * what passes since, or else for its sample.
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
	} else if (c->vain < 31) {
		c->vain++;
	}
}

/* Of a vector's sample, more than may be left is caught by no rule that is there. */
static bool is_left_over(const struct live *l, uint64_t incident, const struct sample *sample)
{
	uint64_t left = 0;

	for (uint32_t i = 0; i < sample->used; i++) {
		struct observation o;

		sample_read(sample, i, &o);
		left += !is_caught(l, incident, &o);
	}
	return left * PPM > (uint64_t)sample->used * SIGNATURE_RESIDUAL_PPM;
}

/*
 * Vectors that were noticed after there were rules for others, each once and one a tick: they are evidence by themselves, and
 * what passes of them need not add up first. True where one was sought for.
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
		if (!is_left_over(l, c->id, sample)) {
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

static bool awaits_answer(const struct live *l, uint64_t incident)
{
	for (unsigned i = 0; i < HELD_MAX; i++)
		if (l->held[i].used && l->held[i].life.incident == incident && l->held[i].life.state == LIFE_PROPOSED)
			return true;
	return false;
}

/* The latest `slots` slots, the present one among them. */
static struct rate sum_rates(const struct live *l, const struct live_case *c, unsigned slots)
{
	int64_t now = slot_of(l->now.ns);
	struct rate sum = { .slot = now };

	for (unsigned i = 0; i < RATE_SLOTS; i++) {
		const struct rate *r = &c->rates[i];

		if (now - r->slot >= slots)
			continue;
		sum.packets += r->packets;
		sum.bytes += r->bytes;
		sum.dropped += r->dropped;
	}
	return sum;
}

static uint32_t passing_ppm(const struct rate *rate)
{
	if (rate->packets == 0 || rate->dropped >= rate->packets)
		return 0;
	return (uint32_t)share_of(PPM, rate->packets - rate->dropped, rate->packets);
}

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
static void seek_where_due(struct live *l, uint32_t index, const struct incident *inc)
{
	struct live_case *c = &l->cases[index];
	struct rate latest = sum_rates(l, c, RESIDUAL_SLOTS);
	struct capture_time since;

	/* The next tick begins with who could not be looked at in this one. */
	if (l->searches_left == 0) {
		if (!l->waits) {
			l->waits = true;
			l->first = index;
		}
		return;
	}
	if (!inc->wave_open || c->revoked >= LIVE_REVOKED_MAX || awaits_answer(l, c->id) ||
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
	if (passing_ppm(&latest) <= SIGNATURE_RESIDUAL_PPM ||
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

/* ------------------------------------------------------------------ where no signature is safe */

static bool is_attacked(const struct live *l, const struct served *s, const struct prefix *scope)
{
	for (unsigned j = s->first; j < s->first + s->count; j++)
		if (prefix_covers(&l->prefixes[j], scope) || prefix_covers(scope, &l->prefixes[j]))
			return true;
	return false;
}

/* The service with the longest prefix that holds the scope, or else lies in it; service_count: none. */
static unsigned service_of(const struct live *l, const struct prefix *scope)
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
static void learn_peace(struct live *l, const struct packet *packets, uint32_t count)
{
	for (uint32_t k = 0; l->learns && k < count; k++) {
		const struct observation *o = &packets[k].observation;
		struct prefix to = prefix_of(&o->dst, address_is_ipv4(&o->dst) ? 32 : 128);
		unsigned service = service_of(l, &to);

		if (service < l->service_count && l->services[service].fallback != FALLBACK_NONE &&
		    !(o->flags & OBSERVATION_DROPPED))
			quotas_count(l->quotas, service, class_of(o->protocol), &o->src, o->weight,
			             o->time.ns / NS_PER_S);
	}
}

static void note_attacked(struct live *l)
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

/* Whether the rules there are leave more of a vector's sample than is to be left. */
static bool is_left(const struct live *l, uint64_t incident, const struct sample *sample)
{
	uint64_t left = 0;

	for (uint32_t i = 0; i < sample->used; i++) {
		struct observation o;

		sample_read(sample, i, &o);
		left += !is_caught(l, incident, &o);
	}
	return sample->used >= LIVE_SAMPLE_LEAST && left * PPM > sample->used * (uint64_t)SIGNATURE_RESIDUAL_PPM;
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
	struct life_attack attack = attack_of(inc);
	enum fallback_state state;
	enum quota_class class;
	struct fallback_peace peace;
	struct observation *list, first;
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
	if (is_banned(l, c->id, &plan.rule))
		return FALLBACK_REVOKED;
	(void)order_rule(l, c, &plan, &signature);
	return state;
}

/* Where searches have come to nothing and too much passes, of each vector that is left. */
static void fall_back(struct live *l, uint32_t index, const struct incident *inc)
{
	struct live_case *c = &l->cases[index];
	struct rate latest = sum_rates(l, c, RESIDUAL_SLOTS);
	unsigned service = service_of(l, &inc->scope);
	enum fallback_state state = FALLBACK_NOT_NEEDED;

	if (!inc->wave_open || c->vain < FALLBACK_VAIN || passing_ppm(&latest) <= SIGNATURE_RESIDUAL_PPM ||
	    awaits_answer(l, c->id) || time_since(l->now, c->looked) < LIVE_SEEK_NS)
		return;
	c->looked = l->now;
	if (service == l->service_count)
		state = FALLBACK_NO_SERVICE;
	for (uint32_t i = 0; i < inc->parts_count && service < l->service_count; i++) {
		enum fallback_state of = FALLBACK_NOT_NEEDED;

		if (is_left(l, c->id, &inc->parts[i].window->sample))
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
static void end_fallbacks(struct live *l, const struct live_case *c)
{
	for (unsigned i = 0; i < HELD_MAX; i++) {
		struct held *h = &l->held[i];

		if (h->used && life_is_there(&h->life) && h->life.fallback && h->life.incident == c->id) {
			h->owe_add = false;
			let_go(h, LIFE_GONE, l->now, "the attack is over");
		}
	}
}

/* ------------------------------------------------------------------ incidents */

static struct rate *rate_now(struct live *l, struct live_case *c)
{
	int64_t slot = slot_of(l->now.ns);
	struct rate *r = &c->rates[slot_ring_index(slot, RATE_SLOTS)];

	if (r->slot != slot)
		*r = (struct rate){ .slot = slot };
	return r;
}

/* Rules that stand on its scope are its own, be they of an earlier attack. */
static void adopt_rules(struct live *l, struct live_case *c)
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

static void begin_case(struct live *l, struct live_case *c, const struct incident *inc)
{
	*c = (struct live_case){
		.begun = true,
		.id = inc->id,
		.scope = inc->scope,
		.seen = l->now,
		.searched = time_plus(l->now, -LIVE_SEEK_NS),
		.parts = inc->parts_count,
	};
	for (unsigned i = 0; i < RATE_SLOTS; i++)
		c->rates[i].slot = INT64_MIN / 2;
	adopt_rules(l, c);
}

/* A wave: its rules meet it; those that are armed act by themselves. */
static void begin_wave(struct live *l, struct live_case *c)
{
	c->wave_at = l->now;
	c->vain = 0;
	for (unsigned i = 0; i < HELD_MAX; i++) {
		struct life *life = &l->held[i].life;

		if (l->held[i].used && life_is_there(life) && life->incident == c->id && life->state != LIFE_PROPOSED)
			life_meet_wave(life, l->now);
	}
}

static void measure(struct live *l, struct live_case *c, const struct incident *inc)
{
	struct rate *r = rate_now(l, c);

	/* What is gathered from others has been counted there. */
	if (inc->packets > c->packets && time_since(l->now, c->seen) > 0)
		r->packets += inc->packets - c->packets;
	if (inc->bytes > c->bytes && time_since(l->now, c->seen) > 0)
		r->bytes += inc->bytes - c->bytes;
	r->dropped += c->dropped;
	c->packets = inc->packets;
	c->bytes = inc->bytes;
	c->dropped = 0;
}

static void watch_case(struct live *l, uint32_t index, const struct incident *inc)
{
	struct live_case *c = &l->cases[index];

	if (!c->begun)
		begin_case(l, c, inc);
	if (c->over)
		return;
	if (!prefix_equal(&c->scope, &inc->scope)) {
		c->scope = inc->scope;
		c->changed = true;
		c->vain = 0;
		adopt_rules(l, c);
	}
	if (inc->parts_count > c->parts) {
		c->parts = inc->parts_count;
		c->changed = true;
		c->vain = 0;
	}
	if (inc->waves_count != c->waves || (inc->wave_open && !c->wave_open)) {
		if (inc->wave_open)
			begin_wave(l, c);
		c->changed = true;
	}
	c->waves = inc->waves_count;
	c->wave_open = inc->wave_open;
	measure(l, c, inc);
	seek_where_due(l, index, inc);
	fall_back(l, index, inc);
	if (incident_is_over(inc, l->now)) {
		c->over = true;
		end_fallbacks(l, c);
		c->owe_began = c->owe_began || !c->told;
		c->told = c->owe_ended = true;
	}
}

/* It has become part of another, and its rules are the other's. */
static void leave_case(struct live *l, struct live_case *c)
{
	struct live_case *into = NULL;

	c->absorbed = true;
	c->owe_ended = c->told && !c->over;
	c->over = true;
	c->owe_began = c->owe_began && c->owe_ended;
	for (uint32_t i = 0; i < engine_incident_count(l->engine); i++) {
		const struct incident *inc = engine_incident(l->engine, i);

		if (inc && !inc->is_scan && prefix_covers(&inc->scope, &c->scope) && l->cases[i].begun &&
		    !l->cases[i].over) {
			into = &l->cases[i];
			break;
		}
	}
	if (into && into != c) {
		into->scope = engine_incident(l->engine, (uint32_t)(into - l->cases))->scope;
		into->changed = true;
		into->vain = 0;
		into->revoked += c->revoked;
		adopt_rules(l, into);
	}
}

static void tell_changes(struct live *l, struct live_case *c)
{
	if (!c->begun || c->absorbed || c->over)
		return;
	if (!c->told) {
		if (time_since(l->now, c->seen) < BEGAN_NS)
			return;
		c->told = c->owe_began = true;
		c->changed = false;
		c->told_at = l->now;
	} else if (c->changed && time_since(l->now, c->told_at) >= LIVE_NEWS_NS) {
		c->owe_changed = true;
		c->changed = false;
		c->told_at = l->now;
	}
}

static void watch(struct live *l)
{
	uint32_t count = engine_incident_count(l->engine), first = l->waits ? l->first : 0;

	l->searches_left = LIVE_SEARCHES_A_TICK;
	l->waits = false;
	for (uint32_t j = 0; j < count && j < INCIDENT_LIST_MAX; j++) {
		uint32_t i = (first + j) % count;
		const struct incident *inc = engine_incident(l->engine, i);
		struct live_case *c = &l->cases[i];

		if (inc && !inc->is_scan)
			watch_case(l, i, inc);
		else if (!inc && c->begun && !c->absorbed)
			leave_case(l, c);
		tell_changes(l, c);
	}
}

/* ------------------------------------------------------------------ generations */

static bool has_incident(const struct live *l, const struct engine *e, bool that_is_over)
{
	for (uint32_t i = 0; i < engine_incident_count(e); i++) {
		const struct incident *inc = engine_incident(e, i);

		if (inc && !inc->is_scan && incident_is_over(inc, l->now) == that_is_over)
			return true;
	}
	return false;
}

struct capture_time live_not_before(struct capture_time born)
{
	return time_plus(born, LIVE_WARM_NS + LIVE_APART_NS);
}

static void warm_up(struct live *l)
{
	uint8_t *octets = NULL;
	size_t length;
	int rc;

	l->not_before = time_plus(l->now, TRY_AGAIN_NS);
	l->warming = engine_new(l->seed);
	rc = l->warming ? engine_save(l->engine, &octets, &length) : -ENOMEM;
	if (rc == 0)
		rc = engine_restore(l->warming, octets, length);
	free(octets);
	if (rc < 0) {
		l->counters.no_memory++;
		engine_free(l->warming);
		l->warming = NULL;
		return;
	}
	/* Its stream begins with what is known of peace, and not with what waits. */
	quotas_settle(l->quotas);
	l->warming_born = l->now;
	l->warming_number = ++l->last_number;
}

/* What it found is made by who asks for it: all at once, or one after the other. */
static int finish(struct live *l)
{
	int rc = engine_close(l->engine);

	l->finished = l->engine;
	l->owe_finished = true;
	l->engine = l->warming;
	l->born = l->warming_born;
	l->number = l->warming_number;
	l->warming = NULL;
	l->warming_number = 0;
	l->waits = false;
	l->not_before = live_not_before(l->born);
	memset(l->cases, 0, sizeof(l->cases));
	return rc;
}

static void change_generation(struct live *l)
{
	/* Where attacks never end, its table of incidents would fill: it is replaced in the midst of them. */
	bool full = engine_incident_count(l->engine) >= LIVE_INCIDENTS_MAX;
	bool busy = !full && has_incident(l, l->engine, false);

	if (l->warming && !full && (busy || has_incident(l, l->warming, false) || has_incident(l, l->warming, true))) {
		engine_free(l->warming);
		l->warming = NULL;
		l->warming_number = 0;
		l->not_before = time_plus(l->now, TRY_AGAIN_NS);
	}
	if (l->warming && time_since(l->now, l->warming_born) >= LIVE_WARM_NS) {
		if (finish(l) < 0)
			l->counters.no_memory++;
	} else if (!l->warming && !busy && time_since(l->now, l->not_before) >= 0 &&
	           (full || time_since(l->now, l->born) >= LIVE_GENERATION_NS || has_incident(l, l->engine, true))) {
		warm_up(l);
	}
}

int live_end(struct live *l)
{
	int rc;

	begin_input(l);
	engine_free(l->warming);
	l->warming = NULL;
	l->warming_number = 0;
	rc = finish(l);
	return rc < 0 ? rc : make_findings(l->finished);
}

/* ------------------------------------------------------------------ inputs */

/* What was dropped on the scopes that are under attack; what was not is kept for a while, for rules may be sought for it. */
static void count_fates(struct live *l, const struct packet *packets, uint32_t count)
{
	struct live_case *attacked[INCIDENT_LIST_MAX];
	uint32_t incidents = engine_incident_count(l->engine), attacked_count = 0;

	for (uint32_t i = 0; i < incidents && i < INCIDENT_LIST_MAX; i++)
		if (l->cases[i].begun && !l->cases[i].over && l->cases[i].wave_open)
			attacked[attacked_count++] = &l->cases[i];
	for (uint32_t j = 0; attacked_count && j < count; j++) {
		const struct observation *o = &packets[j].observation;
		bool hits = false;

		for (uint32_t i = 0; i < attacked_count; i++) {
			if (!hits_scope(&attacked[i]->scope, o))
				continue;
			hits = true;
			if (o->flags & OBSERVATION_DROPPED)
				attacked[i]->dropped += o->weight;
			else if (!(o->flags & OBSERVATION_WELCOME))
				attacked[i]->passed++;
		}
		if (!hits || (o->flags & (OBSERVATION_DROPPED | OBSERVATION_WELCOME)))
			continue;
		l->passed_kind[l->passed_count % LIVE_PASSED_MAX] = packets[j].likely;
		l->passed[l->passed_count++ % LIVE_PASSED_MAX] = *o;
	}
}

static void move_time(struct live *l, struct capture_time time)
{
	if (!l->has_time) {
		l->has_time = true;
		l->now = l->born = time;
		l->not_before = time;
	} else if (time_since(time, l->now) > 0) {
		l->now = time;
	}
}

static void show(struct engine *e, struct packet *batch, const struct observation *observations, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		batch[i].observation = observations[i];
		engine_prepare(e, &batch[i]);
	}
	engine_observe(e, batch, count);
}

void live_observe(struct live *l, const struct observation *observations, uint32_t count)
{
	begin_input(l);
	while (count) {
		uint32_t n = count < BATCH ? count : BATCH;

		if (!l->has_time)
			move_time(l, observations[0].time);
		if (l->warming)
			show(l->warming, l->batch, observations, n);
		show(l->engine, l->batch, observations, n);
		count_fates(l, l->batch, n);
		learn_peace(l, l->batch, n);
		observations += n;
		count -= n;
	}
}

void live_tick(struct live *l, struct capture_time now)
{
	begin_input(l);
	move_time(l, now);
	engine_advance(l->engine, l->now);
	if (l->warming)
		engine_advance(l->warming, l->now);
	watch(l);
	note_attacked(l);
	if (l->learns)
		quotas_advance(l->quotas, l->now.ns / NS_PER_S);
	keep_rules(l);
	change_generation(l);
}

void live_loaded(struct live *l, const struct engine_load *load)
{
	begin_input(l);
	engine_loaded(l->engine, load);
	if (l->warming)
		engine_loaded(l->warming, load);
}

/* ------------------------------------------------------------------ outputs */

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

/* Removals first: they make room. */
bool live_next_order(struct live *l, struct live_order *order)
{
	for (unsigned type = 0; type < 3; type++) {
		for (unsigned i = 0; i < HELD_MAX; i++) {
			struct held *h = &l->held[i];
			bool *owed = type == 0 ? &h->owe_remove : type == 1 ? &h->owe_add : &h->owe_renew;

			if (!h->used || !*owed)
				continue;
			*owed = false;
			*order = order_of(h, type == 0   ? LIVE_REMOVE_RULE
			                     : type == 1 ? LIVE_ADD_RULE
			                                 : LIVE_RENEW_RULE);
			return true;
		}
	}
	return false;
}

bool live_next_news(struct live *l, struct live_news *news)
{
	for (unsigned i = 0; i < INCIDENT_LIST_MAX; i++) {
		struct live_case *c = &l->cases[i];
		struct {
			bool *owed;
			enum live_news_type type;
		} rows[] = {
			{ &c->owe_began, LIVE_BEGAN },
			{ &c->owe_changed, LIVE_CHANGED },
			{ &c->owe_ended, LIVE_ENDED },
		};

		for (unsigned k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
			if (!*rows[k].owed)
				continue;
			*rows[k].owed = false;
			*news = (struct live_news){ .type = rows[k].type, .incident = c->id };
			return true;
		}
	}
	if (!l->owe_finished)
		return false;
	l->owe_finished = false;
	*news = (struct live_news){ .type = LIVE_FINISHED };
	return true;
}

/* ------------------------------------------------------------------ views */

static bool is_shown(const struct live_case *c)
{
	return c->begun && !c->absorbed;
}

unsigned live_count(const struct live *l)
{
	unsigned count = 0;

	for (unsigned i = 0; i < INCIDENT_LIST_MAX; i++)
		count += is_shown(&l->cases[i]);
	return count;
}

static const char *service_name(const struct live *l, const struct prefix *scope)
{
	unsigned service = service_of(l, scope);

	return service < l->service_count ? l->services[service].name : NULL;
}

static void view_rules(const struct live *l, const struct live_case *c, bool there, struct live_view *view)
{
	for (unsigned i = 0; i < HELD_MAX && view->rule_count < LIVE_RULES_MAX; i++) {
		const struct held *h = &l->held[i];

		if (h->used && h->life.incident == c->id && life_is_there(&h->life) == there)
			view->rules[view->rule_count++] = &h->life;
	}
}

void live_view(const struct live *l, unsigned index, struct live_view *view)
{
	for (unsigned i = 0; i < INCIDENT_LIST_MAX; i++) {
		const struct live_case *c = &l->cases[i];
		struct rate second;

		if (!is_shown(c) || index-- > 0)
			continue;
		second = sum_rates(l, c, SLOTS_PER_SECOND);
		*view = (struct live_view){
			.incident = engine_incident(l->engine, i),
			.id = c->id,
			.service = service_name(l, &c->scope),
			.pps = second.packets,
			.bps = second.bytes * 8,
			.passing_ppm = passing_ppm(&second),
			.over = c->over,
			.advice = c->advice,
			.fallback = c->fallback,
		};
		view_rules(l, c, true, view);
		view_rules(l, c, false, view);
		return;
	}
}

uint64_t live_attacked(const struct live *l)
{
	return l->attacked;
}

unsigned live_rules(const struct live *l, uint64_t incident, const struct life *rules[LIVE_RULES_MAX])
{
	unsigned count = 0;

	for (unsigned there = 2; there-- > 0;)
		for (unsigned i = 0; i < HELD_MAX && count < LIVE_RULES_MAX; i++) {
			const struct held *h = &l->held[i];

			if (h->used && h->life.incident == incident && life_is_there(&h->life) == (there == 1))
				rules[count++] = &h->life;
		}
	return count;
}

int live_find(struct live *l, uint64_t incident, struct finding *finding)
{
	struct engine_search search = { .attack_max = LIVE_ATTACK_MAX, .normal_max = LIVE_NORMAL_MAX };
	const struct live_case *c = case_of(l, incident);

	if (!c || !l->engine)
		return -ENOENT;
	return engine_find(l->engine, (uint32_t)(c - l->cases), &search, finding);
}
