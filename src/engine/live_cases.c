/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each incident of the present generation's engine has a case here, at the engine's index. News that are owed are marks
 * on it.
 *
 * How much of an attack passes is what its incident counted less what was dropped on its scope, by slots of 100 ms.
 */
#include <errno.h>

#include "base/share.h"
#include "engine/live_inside.h"
#include "measure/slot.h"

#define BEGAN_NS (500 * NS_PER_MS) /* an incident is told of so late: neighbours may yet be gathered */

struct live_case *live_case_find(struct live *l, uint64_t incident)
{
	for (unsigned i = 0; i < INCIDENT_LIST_MAX; i++)
		if (l->cases[i].begun && !l->cases[i].absorbed && l->cases[i].id == incident)
			return &l->cases[i];
	return NULL;
}

void live_case_note_change(struct live *l, uint64_t incident)
{
	struct live_case *c = live_case_find(l, incident);

	if (c)
		c->changed = true;
}

/* ---- rates ---- */

static struct rate *rate_now(struct live *l, struct live_case *c)
{
	int64_t slot = slot_of(l->now.ns);
	struct rate *r = &c->rates[slot_ring_index(slot, RATE_SLOTS)];

	if (r->slot != slot)
		*r = (struct rate){ .slot = slot };
	return r;
}

/* The latest `slots` slots, the present one among them. */
struct rate live_case_rate(const struct live *l, const struct live_case *c, unsigned slots)
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

uint32_t live_passing_ppm(const struct rate *rate)
{
	if (rate->packets == 0 || rate->dropped >= rate->packets)
		return 0;
	return (uint32_t)share_of(PPM, rate->packets - rate->dropped, rate->packets);
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

/* ---- from tick to tick ---- */

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
	live_rules_adopt(l, c);
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
		live_rules_adopt(l, c);
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
	live_seek(l, index, inc);
	live_fall_back(l, index, inc);
	if (incident_is_over(inc, l->now)) {
		c->over = true;
		live_fallbacks_end(l, c);
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
		live_rules_adopt(l, into);
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

void live_cases_watch(struct live *l)
{
	uint32_t count = engine_incident_count(l->engine), first = l->waits ? l->first : 0;

	l->searches_left = LIVE_SEARCHES_A_TICK;
	l->waits = false;
	if (count > INCIDENT_LIST_MAX)
		count = INCIDENT_LIST_MAX;
	for (uint32_t j = 0; j < count; j++) {
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

/* ---- news and views ---- */

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

/* What packets have just made part of another is none any more, though its case is left at the next tick. */
static bool is_shown(const struct live *l, unsigned index)
{
	const struct live_case *c = &l->cases[index];

	return c->begun && !c->absorbed && engine_incident(l->engine, index);
}

unsigned live_count(const struct live *l)
{
	unsigned count = 0;

	for (unsigned i = 0; i < INCIDENT_LIST_MAX; i++)
		count += is_shown(l, i);
	return count;
}

static const char *service_name(const struct live *l, const struct prefix *scope)
{
	unsigned service = live_service_of(l, scope);

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

		if (!is_shown(l, i) || index-- > 0)
			continue;
		second = live_case_rate(l, c, SLOTS_PER_SECOND);
		*view = (struct live_view){
			.incident = engine_incident(l->engine, i),
			.id = c->id,
			.service = service_name(l, &c->scope),
			.pps = second.packets,
			.bps = second.bytes * 8,
			.passing_ppm = live_passing_ppm(&second),
			.over = c->over,
			.advice = c->advice,
			.fallback = c->fallback,
		};
		view_rules(l, c, true, view);
		view_rules(l, c, false, view);
		return;
	}
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
	const struct live_case *c = live_case_find(l, incident);

	if (!c || !l->engine)
		return -ENOENT;
	return engine_find(l->engine, (uint32_t)(c - l->cases), &search, finding);
}
