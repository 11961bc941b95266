/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live engine beside a host that does as it is told: peace and attacks made packet by packet, rules in force from
 * the answer on, their counts told ten times a second. What is ordered, kept, let go and said.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made.h"
#include "engine/live.h"
#include "engine/stream.h"

#define SEED 42
#define BEGIN_NS (1000000 * NS_PER_S)
#define RULES 256
#define TARGET 0xc0000201u /* 192.0.2.1 */
#define OTHER 0xc633640au  /* 198.51.100.10 */
#define USERS 0xcb007100u  /* 203.0.113.0/24 */

struct force {
	bool used, removed;
	struct live_order order;
	struct life_count count;
};

struct host {
	struct live *live;
	int64_t now;
	uint64_t random;
	struct force rules[RULES];
	unsigned added, removed, renewed, began, changed, ended, finished;
	uint64_t incident;        /* latest that began */
	uint64_t passed, dropped; /* attack packets */
	uint32_t number;
	int refuse; /* rules are refused with it */
	uint32_t finished_count;
	bool takes, finds; /* what has finished is taken; with all that it found */
	struct engine *taken;
	struct stream_frame *frame; /* where all inputs are written too, or NULL */
};

static void take(struct host *h)
{
	struct live_order order;
	struct live_news news;

	while (live_next_order(h->live, &order)) {
		struct force *f = NULL;

		for (unsigned i = 0; i < RULES; i++)
			if (h->rules[i].used && h->rules[i].order.handle == order.handle)
				f = &h->rules[i];
		switch (order.type) {
		case LIVE_ADD_RULE:
			assert_null(f);
			assert_true(h->added < RULES);
			assert_true(order.for_ns > 0);
			assert_true(order.arm_pps >= LIFE_ARM_PPS_MIN);
			if (!h->refuse)
				h->rules[h->added] =
					(struct force){ .used = true, .order = order, .count.active = true };
			h->added++;
			if (h->frame)
				assert_true(stream_ruled(h->frame, order.handle, h->number + 1, h->refuse));
			live_ruled(h->live, order.handle, ++h->number, h->refuse);
			break;
		case LIVE_RENEW_RULE:
			assert_non_null(f);
			assert_false(f->removed);
			assert_true(order.for_ns > 0);
			h->renewed++;
			break;
		case LIVE_REMOVE_RULE:
			assert_non_null(f);
			assert_false(f->removed);
			f->removed = true;
			h->removed++;
			break;
		}
	}
	while (live_next_news(h->live, &news)) {
		struct finding finding;

		h->began += news.type == LIVE_BEGAN;
		h->changed += news.type == LIVE_CHANGED;
		h->ended += news.type == LIVE_ENDED;
		h->finished += news.type == LIVE_FINISHED;
		if (news.type == LIVE_BEGAN)
			h->incident = news.incident;
		if (news.type == LIVE_FINISHED && h->takes) {
			h->taken = live_take_finished(h->live);
			while (h->finds && engine_make_finding(h->taken) > 0)
				continue;
		} else if (news.type == LIVE_FINISHED) {
			assert_non_null(live_finished(h->live));
			h->finished_count = engine_count(live_finished(h->live));
		} else if (live_find(h->live, news.incident, &finding) == 0) {
			assert_int_equal(finding.incident->id, news.incident);
			finding_fini(&finding);
		} else {
			assert_int_equal(news.type, LIVE_ENDED);
		}
	}
}

static void arrive(struct host *h, struct observation o, bool attack)
{
	struct address from = made_ipv4(USERS);
	struct prefix users = prefix_of(&from, 24);

	for (unsigned i = 0; i < RULES; i++) {
		struct force *f = &h->rules[i];

		if (!f->used || f->removed || !prefix_contains(&f->order.rule.scope, &o.dst) ||
		    !match_test(&f->order.rule.match, &o))
			continue;
		f->count.matched++;
		if (f->order.shadow || !f->count.active)
			continue;
		/* The shield knows who came in peace. */
		if (f->order.known && prefix_contains(&users, &o.src)) {
			f->count.known++;
			break;
		}
		f->count.dropped++;
		f->count.known_lost += f->order.each && prefix_contains(&users, &o.src);
		o.flags |= OBSERVATION_DROPPED;
		break;
	}
	if (attack) {
		h->passed += !(o.flags & OBSERVATION_DROPPED);
		h->dropped += (o.flags & OBSERVATION_DROPPED) != 0;
	}
	if (h->frame)
		assert_true(stream_observe(h->frame, &o));
	live_observe(h->live, &o, 1);
}

/* A client's conversation over UDP with the target, from whichever port: asked, answered, asked again. */
static void converse(struct host *h, uint32_t target)
{
	struct address client = made_ipv4(USERS + made_below(&h->random, 200)), server = made_ipv4(target);
	uint16_t port = (uint16_t)(1024 + made_below(&h->random, 60000));

	for (unsigned i = 0; i < 3; i++) {
		bool answer = i == 1;
		struct observation o = answer ? made_udp(h->now, server, 5000, client, port, 0)
		                              : made_udp(h->now, client, port, server, 5000, 0);

		made_payload(&o, &h->random, 8, (uint16_t)(20 + made_below(&h->random, 400)));
		if (answer)
			live_observe(h->live, &o, 1);
		else
			arrive(h, o, false);
		if (answer && h->frame)
			assert_true(stream_observe(h->frame, &o));
	}
}

enum attack { PEACE, NTP, CLDAP, SMALL, SAME };

static void strike(struct host *h, enum attack attack, uint32_t target)
{
	struct address source = made_ipv4(0x0a000000u + made_below(&h->random, 900)); /* 10.0.x.x: relays */
	struct observation o;

	switch (attack) {
	case PEACE:
		return;
	case NTP:
		o = made_udp(h->now, source, 123, made_ipv4(target), 80, 0);
		made_payload(&o, "\xd7\x00\x03\x2a\x00\x06\x00\x48", 8, 440);
		break;
	case CLDAP:
		o = made_udp(h->now, source, 389, made_ipv4(target), 80, 0);
		made_payload(&o, "\x30\x84\x00\x00\x0b\xb8\x02\x01", 8, 1200);
		break;
	case SAME: /* as users ask, from everywhere */
		source = made_ipv4(0x01000000u + made_below(&h->random, 0xd0000000u));
		o = made_udp(h->now, source, (uint16_t)(1024 + made_below(&h->random, 60000)), made_ipv4(target), 5000,
		             0);
		made_payload(&o, &h->random, 8, (uint16_t)(20 + made_below(&h->random, 400)));
		break;
	case SMALL: /* each from another port to another port: nothing but a flood */
		o = made_udp(h->now, source, (uint16_t)made_random(&h->random), made_ipv4(target),
		             (uint16_t)made_random(&h->random), 0);
		made_payload(&o, "\x00\x00\x00\x00", 4, 512);
		break;
	}
	arrive(h, o, true);
}

/* So many attack packets each 10 ms on each of `targets` addresses from `target` on, for so long. */
static void play_on(struct host *h, int64_t ns, enum attack attack, uint32_t target, uint32_t targets, unsigned packets)
{
	for (int64_t end = h->now + ns; h->now < end; h->now += LIVE_TICK_NS) {
		for (uint32_t t = 0; t < targets; t++) {
			if (made_below(&h->random, 2))
				converse(h, target + t);
			for (unsigned i = 0; i < packets && attack; i++)
				strike(h, attack, target + t);
		}
		if (h->frame)
			assert_true(stream_tick(h->frame, (struct capture_time){ h->now }));
		live_tick(h->live, (struct capture_time){ h->now });
		take(h);
		if (h->now / LIVE_TICK_NS % 10)
			continue;
		for (unsigned i = 0; i < RULES; i++) {
			if (!h->rules[i].used || h->rules[i].removed)
				continue;
			if (h->frame)
				assert_true(
					stream_rule_counted(h->frame, h->rules[i].order.handle, &h->rules[i].count));
			live_rule_counted(h->live, h->rules[i].order.handle, &h->rules[i].count);
			take(h);
		}
	}
}

static void play(struct host *h, int64_t seconds, enum attack attack, unsigned packets)
{
	play_on(h, seconds * NS_PER_S, attack, TARGET, 1, packets);
}

/* Nothing comes at all. */
static void wait_for(struct host *h, int64_t seconds)
{
	for (int64_t end = h->now + seconds * NS_PER_S; h->now < end; h->now += 100 * NS_PER_MS) {
		live_tick(h->live, (struct capture_time){ h->now });
		take(h);
	}
}

/* One whose first service may fall back on that. */
static struct host *host_falling_back(enum fallback_allowed fallback, const uint8_t *checkpoint, size_t length)
{
	struct prefix prefixes[2] = { { .is_ipv4 = true }, { .is_ipv4 = true } };
	struct address network = made_ipv4(TARGET & 0xffffff00u), all = made_ipv4(0);
	struct live_service services[2] = {
		{ .name = "web", .prefix_count = 1, .prefixes = &prefixes[0], .local = true, .fallback = fallback },
		{ .name = "all", .prefix_count = 1, .prefixes = &prefixes[1] },
	};
	struct host *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	prefixes[0] = prefix_of(&network, 24);
	prefixes[1] = prefix_of(&all, 0);
	h->now = BEGIN_NS;
	h->random = 3;
	assert_int_equal(live_new(SEED, services, 2, checkpoint, length, &h->live), 0);
	return h;
}

static struct host *host_new(void)
{
	return host_falling_back(FALLBACK_NONE, NULL, 0);
}

static void host_free(struct host *h)
{
	live_free(h->live);
	free(h);
}

static struct live_view view_of(const struct host *h, unsigned index)
{
	struct live_view view = { 0 };

	assert_true(index < live_count(h->live));
	live_view(h->live, index, &view);
	return view;
}

static void peace_orders_nothing(void **state)
{
	struct host *h = host_new();

	(void)state;
	play(h, 60, PEACE, 0);
	assert_int_equal(h->added + h->began, 0);
	assert_int_equal(live_count(h->live), 0);
	host_free(h);
}

static void an_attack_is_stopped(void **state)
{
	struct host *h = host_new();
	struct live_view view;
	uint64_t passed;

	(void)state;
	play(h, 40, PEACE, 0);
	play_on(h, 300 * NS_PER_MS, NTP, TARGET, 1, 50);
	assert_int_equal(h->added, 1);
	assert_int_equal(h->rules[0].order.rule.action, RULE_DROP);
	assert_in_range(h->rules[0].order.arm_pps, 100, 800);
	assert_true(h->rules[0].order.spare);
	assert_in_range(h->passed, 200, 1000); /* of 1500 */
	view = view_of(h, 0);
	assert_string_equal(view.service, "web");
	assert_int_equal(view.rule_count, 1);
	assert_int_equal(view.rules[0]->state, LIFE_ENFORCED);
	assert_false(view.over);
	passed = h->passed;
	play(h, 20, NTP, 50);
	assert_int_equal(h->passed, passed);
	assert_int_equal(h->began, 1);
	view = view_of(h, 0);
	assert_in_range(view.pps, 4000, 5500);
	assert_in_range(view.bps, 4000ull * 468 * 8, 5500ull * 468 * 8);
	assert_int_equal(view.passing_ppm, 0);
	assert_null(view.advice);
	assert_int_equal(view.id, h->incident);
	assert_in_range(h->changed, 0, 2);
	host_free(h);
}

static void rules_live_on_and_expire(void **state)
{
	struct host *h = host_new();
	unsigned kept;

	(void)state;
	play(h, 40, PEACE, 0);
	play(h, 400, NTP, 10);
	assert_int_equal(h->added, 1);
	assert_in_range(h->renewed, 1, 4);
	h->rules[0].count.active = false;
	kept = h->renewed;
	play(h, 100, PEACE, 0);
	assert_int_equal(view_of(h, 0).rules[0]->state, LIFE_ARMED);
	/* The next wave: armed rules act by themselves; nothing new is ordered. */
	h->rules[0].count.active = true;
	play(h, 10, NTP, 10);
	assert_int_equal(h->added, 1);
	assert_int_equal(view_of(h, 0).rules[0]->state, LIFE_ENFORCED);
	assert_int_equal(view_of(h, 0).rules[0]->waves, 2);
	assert_true(h->renewed > kept);
	h->rules[0].count.active = false;
	wait_for(h, 350);
	assert_int_equal(h->ended, 1);
	wait_for(h, 1300);
	assert_int_equal(h->removed, 0); /* the kernel lets it expire */
	assert_true(h->finished >= 1);
	host_free(h);
}

static void what_somebody_lets_go_stays_gone(void **state)
{
	struct host *h = host_new();

	(void)state;
	play(h, 40, PEACE, 0);
	play(h, 2, NTP, 50);
	assert_int_equal(h->added, 1);
	h->rules[0].removed = true;
	live_rule_gone(h->live, h->rules[0].order.handle);
	live_rule_gone(h->live, h->rules[0].order.handle);
	live_rule_gone(h->live, 12345);
	play(h, 10, NTP, 50);
	assert_int_equal(h->added, 1);
	assert_int_equal(view_of(h, 0).rules[0]->state, LIFE_GONE);
	assert_true(view_of(h, 0).passing_ppm > 900000);
	/* Another vector gets its rule all the same. */
	play(h, 3, CLDAP, 50);
	assert_int_equal(h->added, 2);
	host_free(h);
}

static void what_the_shield_refuses(void **state)
{
	struct host *h = host_new();

	(void)state;
	h->refuse = -EPERM;
	play(h, 40, PEACE, 0);
	play(h, 5, NTP, 50);
	assert_in_range(h->added, 1, 2); /* not asked again for what it will not do */
	h->refuse = 0;
	host_free(h);
	h = host_new();
	h->refuse = -ENOSPC;
	play(h, 40, PEACE, 0);
	play(h, 3, NTP, 50);
	assert_in_range(h->added, 2, 20); /* asked again, ever less often */
	h->refuse = 0;
	play(h, 5, NTP, 50);
	assert_true(h->dropped > 0);
	host_free(h);
}

static void a_rule_that_hits_users_is_let_go(void **state)
{
	struct host *h = host_new();

	(void)state;
	play(h, 40, PEACE, 0);
	play(h, 1, NTP, 50);
	assert_int_equal(h->added, 1);
	h->rules[0].count.answered = 400;
	play(h, 1, NTP, 50);
	assert_int_equal(h->removed, 1);
	assert_true(h->rules[0].removed);
	play(h, 20, NTP, 50);
	/* Neither that one nor a wider one again. */
	for (unsigned i = 1; i < h->added; i++)
		assert_false(rule_covers(&h->rules[i].order.rule, &h->rules[0].order.rule));
	host_free(h);
}

static void without_peace_it_is_tried_in_the_shadow(void **state)
{
	struct host *h = host_new();
	int64_t began = h->now;

	(void)state;
	for (; h->now < began + NS_PER_S; h->now += LIVE_TICK_NS) {
		for (unsigned i = 0; i < 50; i++)
			strike(h, NTP, TARGET);
		live_tick(h->live, (struct capture_time){ h->now });
		take(h);
	}
	assert_int_equal(h->added, 1);
	assert_true(h->rules[0].order.shadow);
	assert_int_equal(view_of(h, 0).rules[0]->state, LIFE_SHADOW);
	assert_int_equal(h->dropped, 0);
	h->rules[0].count = (struct life_count){ .matched = 5000, .dropped = 5000, .active = true };
	for (; h->now < began + 4 * NS_PER_S; h->now += LIVE_TICK_NS) {
		for (unsigned i = 0; i < 50; i++)
			strike(h, NTP, TARGET);
		live_tick(h->live, (struct capture_time){ h->now });
		take(h);
		live_rule_counted(h->live, h->rules[0].order.handle, &h->rules[0].count);
		take(h);
	}
	assert_int_equal(h->added, 2);
	assert_false(h->rules[1].order.shadow);
	assert_int_equal(h->rules[1].order.rule.action, RULE_RATE_LIMIT);
	assert_in_range(h->rules[1].order.rule.rate_pps, 50, 150);
	assert_true(h->rules[0].removed);
	host_free(h);
}

static void two_at_once_and_one_that_changes(void **state)
{
	struct host *h = host_new();
	int64_t end;

	(void)state;
	play_on(h, 40 * NS_PER_S, PEACE, TARGET, 1, 0);
	play_on(h, 40 * NS_PER_S, PEACE, OTHER, 1, 0);
	for (end = h->now + 3 * NS_PER_S; h->now < end;) {
		play_on(h, LIVE_TICK_NS, NTP, TARGET, 1, 30);
		h->now -= LIVE_TICK_NS;
		play_on(h, LIVE_TICK_NS, CLDAP, OTHER, 1, 30);
	}
	assert_int_equal(live_count(h->live), 2);
	assert_int_equal(h->began, 2);
	assert_int_equal(h->added, 2);
	assert_ptr_equal(view_of(h, 0).incident, view_of(h, 0).incident);
	assert_int_equal(view_of(h, 0).rule_count + view_of(h, 1).rule_count, 2);
	assert_string_equal(view_of(h, 0).service, "web");
	assert_string_equal(view_of(h, 1).service, "all");
	/* The one on TARGET becomes another. */
	h->passed = 0;
	play(h, 2, CLDAP, 50);
	assert_int_equal(h->added, 3);
	assert_in_range(h->passed, 50, 2500);
	h->passed = 0;
	play(h, 5, SMALL, 50);
	assert_true(h->added >= 4);
	assert_in_range(h->passed, 100, 6000); /* of 25,000 */
	host_free(h);
}

/*
 * Two that begin at once, the other a tenth: it is sought for when it is noticed, and not when enough of it has passed.
 */
static void a_vector_that_joins_is_not_waited_for(void **state)
{
	struct host *h = host_new();

	(void)state;
	play(h, 40, PEACE, 0);
	for (unsigned i = 0; i < 12; i++) {
		play_on(h, LIVE_TICK_NS, NTP, TARGET, 1, 50);
		h->now -= LIVE_TICK_NS;
		play_on(h, LIVE_TICK_NS, CLDAP, TARGET, 1, 5);
	}
	assert_int_equal(h->added, 2);
	assert_int_equal(live_counters(h->live).searches, 2);
	assert_null(view_of(h, 0).advice);
	/* The same again would be caught: it is not looked for. */
	play(h, 1, CLDAP, 5);
	assert_int_equal(h->added, 2);
	host_free(h);
}

/* Packets to every port that nobody answers. */
static void trickle(struct host *h, int64_t ns, unsigned pps)
{
	for (int64_t end = h->now + ns; h->now < end;)
		play_on(h, LIVE_TICK_NS, SMALL, TARGET, 1, pps / 100 + (made_below(&h->random, 100) < pps % 100));
}

/* What is usual raises the bounds, unless the link is nearly full, and of that. */
static void a_full_link_is_no_habit(void **state)
{
	static const struct {
		struct engine_load load;
		int64_t late_ns; /* before it begins */
		bool told;
	} rows[] = {
		{ { 0, 0 }, 0, false },
		{ { ENGINE_LOAD_PERCENT - 1, 600 }, 0, false },
		{ { ENGINE_LOAD_PERCENT, 600 }, 0, true },
		{ { 100, 900 }, 0, true },
		{ { 100, 4000 }, 0, false }, /* something else fills it */
		{ { 100, 0 }, 0, true },
		{ { 100, 600 }, ENGINE_LOAD_NS, false }, /* that was long ago */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct host *h = host_new();

		trickle(h, 60 * NS_PER_S, 35);
		assert_int_equal(live_count(h->live), 0);
		live_loaded(h->live, &rows[i].load);
		trickle(h, rows[i].late_ns, 35);
		trickle(h, 3 * NS_PER_S / 2, 280);
		if (live_count(h->live) != rows[i].told)
			fail_msg("row %zu: %u", i, live_count(h->live));
		host_free(h);
	}
}

/* Neighbours one after the other: gathered, their rules in place of those for single addresses. */
static void neighbours_are_gathered(void **state)
{
	struct host *h = host_new();
	unsigned there = 0;

	(void)state;
	for (unsigned i = 0; i < 7; i++)
		play_on(h, 5 * NS_PER_S, PEACE, TARGET + i, 1, 0);
	for (unsigned i = 1; i <= 7; i++)
		play_on(h, 400 * NS_PER_MS, NTP, TARGET, i, 15);
	play_on(h, 8 * NS_PER_S, NTP, TARGET, 7, 15);
	assert_int_equal(live_count(h->live), 1);
	assert_int_equal(view_of(h, 0).incident->scope.length, 29);
	for (unsigned i = 0; i < h->added; i++) {
		there += !h->rules[i].removed;
		if (!h->rules[i].removed)
			assert_int_equal(h->rules[i].order.rule.scope.length, 29);
	}
	assert_in_range(there, 1, 2);
	h->passed = h->dropped = 0;
	play_on(h, 2 * NS_PER_S, NTP, TARGET, 7, 15);
	assert_true(h->passed * 50 <= h->dropped);
	host_free(h);
}

/* What is counted between a packet that makes one incident of several and the next tick. */
static void counts_of_what_was_just_gathered(void **state)
{
	const struct life_count enough = { .matched = 5000, .dropped = 5000, .active = true };
	struct host *h = host_new();
	int64_t began = h->now;

	(void)state;
	for (; h->now < began + 4 * NS_PER_S; h->now += LIVE_TICK_NS) {
		for (unsigned i = 0; i < 50; i++)
			strike(h, NTP, TARGET + i % 2);
		live_tick(h->live, (struct capture_time){ h->now });
		take(h);
	}
	assert_int_equal(live_count(h->live), 2);
	assert_int_equal(h->added, 2);
	assert_true(h->rules[0].order.shadow && h->rules[1].order.shadow);
	for (; h->now < began + 6 * NS_PER_S; h->now += LIVE_TICK_NS)
		for (unsigned i = 0; i < 100; i++)
			strike(h, NTP, TARGET + i % 4);
	assert_int_equal(live_count(h->live), 1);
	assert_non_null(view_of(h, 0).incident);
	for (unsigned i = 0; i < 2; i++) {
		live_rule_counted(h->live, h->rules[i].order.handle, &enough);
		take(h);
	}
	live_tick(h->live, (struct capture_time){ h->now });
	take(h);
	assert_int_equal(live_count(h->live), 1);
	host_free(h);
}

static void what_was_learned_is_handed_on(void **state)
{
	struct host *h = host_new(), *again;
	uint8_t *octets;
	size_t length;

	(void)state;
	play(h, 60, PEACE, 0);
	assert_int_equal(live_save(h->live, &octets, &length), 0);
	again = calloc(1, sizeof(*again));
	assert_non_null(again);
	again->now = h->now + 3600 * NS_PER_S;
	again->random = 9;
	host_free(h);
	assert_int_equal(live_new(SEED, NULL, 0, octets, length, &again->live), 0);
	play(again, 1, NTP, 50);
	assert_int_equal(again->added, 1);
	assert_int_equal(again->rules[0].order.rule.action, RULE_DROP);
	assert_null(view_of(again, 0).service);
	host_free(again);
	octets[length / 2] ^= 1;
	again = calloc(1, sizeof(*again));
	assert_non_null(again);
	again->now = BEGIN_NS;
	assert_int_equal(live_new(SEED, NULL, 0, octets, length, &again->live), -EBADMSG);
	play(again, 1, PEACE, 0);
	host_free(again);
	free(octets);
}

static void generations_change_in_peace(void **state)
{
	struct host *h = host_new();

	(void)state;
	assert_int_equal(live_generation(h->live), 1);
	play(h, 40, PEACE, 0);
	play(h, 3, NTP, 50);
	wait_for(h, 330);
	assert_int_equal(h->ended, 1);
	assert_int_equal(live_warming(h->live), 2);
	assert_true(view_of(h, 0).over);
	wait_for(h, 61);
	assert_int_equal(h->finished, 1);
	assert_int_equal(h->finished_count, 1);
	assert_int_equal(live_generation(h->live), 2);
	assert_int_equal(live_count(h->live), 0);
	assert_null(live_finished(h->live));
	/* What is armed still stands when the same comes again, and is the new incident's. */
	play(h, 3, NTP, 50);
	assert_int_equal(h->added, 1);
	assert_int_equal(h->began, 2);
	assert_int_equal(view_of(h, 0).rule_count, 1);
	host_free(h);
	/* An attack while the next one warms up: it is let go, and tried again later. */
	h = host_new();
	play(h, 1, PEACE, 0);
	wait_for(h, 620);
	assert_int_equal(live_warming(h->live), 2);
	play(h, 2, NTP, 50);
	assert_int_equal(live_warming(h->live), 0);
	assert_int_equal(h->finished, 0);
	wait_for(h, 600);
	assert_int_equal(h->finished, 1);
	assert_int_equal(live_generation(h->live), 3);
	assert_int_equal(live_end(h->live), 0);
	take(h);
	assert_int_equal(h->finished, 2);
	assert_int_equal(live_find(h->live, 1, &(struct finding){ 0 }), -ENOENT);
	assert_int_equal(live_save(h->live, &(uint8_t *){ NULL }, &(size_t){ 0 }), -EINVAL);
	host_free(h);
}

/*
 * Attacks that never end, always on somebody else: a generation is replaced in their midst before it can take no more.
 */
static void without_peace_generations_change_all_the_same(void **state)
{
	const uint32_t first = 0x0b000000u, step = 0x20000; /* no two in one /16 */
	struct host *h = host_new();
	unsigned began;

	(void)state;
	for (uint32_t i = 0; i < LIVE_INCIDENTS_MAX; i++)
		play_on(h, NS_PER_S, NTP, first + i * step, 1, 20);
	assert_int_equal(h->began, LIVE_INCIDENTS_MAX);
	assert_int_equal(live_warming(h->live), 2);
	play_on(h, 62 * NS_PER_S, NTP, first + 200 * step, 1, 20);
	assert_int_equal(h->finished, 1);
	assert_int_equal(h->finished_count, LIVE_INCIDENTS_MAX + 1);
	assert_int_equal(live_generation(h->live), 2);
	assert_int_equal(live_count(h->live), 2); /* of which it saw something: the last but one, and what goes on */
	began = h->began;
	play_on(h, NS_PER_S, NTP, first + 300 * step, 1, 20);
	assert_int_equal(h->began, began + 1);
	host_free(h);
}

/* Of so many attacks at once each has its turn, and no tick has more than its share of the work. */
static void a_tick_has_so_many_searches(void **state)
{
	enum { ATTACKS = 20 };
	const uint32_t first = 0x0b000000u, step = 0x20000;
	struct host *h = host_new();
	uint64_t before, most = 0;

	(void)state;
	play(h, 40, PEACE, 0);
	for (unsigned tick = 0; tick < 100; tick++) {
		before = live_counters(h->live).searches;
		for (uint32_t i = 0; i < ATTACKS; i++)
			for (unsigned k = 0; k < 20; k++) {
				struct observation o = made_udp(h->now + k * 10000,
				                                made_ipv4(0x0a000000u + made_below(&h->random, 900)),
				                                123, made_ipv4(first + i * step), 80, 0);

				made_payload(&o, "\xd7\x00\x03\x2a\x00\x06\x00\x48", 8, 440);
				live_observe(h->live, &o, 1);
			}
		h->now += LIVE_TICK_NS;
		live_tick(h->live, (struct capture_time){ h->now });
		before = live_counters(h->live).searches - before;
		most = before > most ? before : most;
		take(h);
	}
	assert_int_equal(most, LIVE_SEARCHES_A_TICK);
	assert_int_equal(live_count(h->live), ATTACKS);
	for (unsigned i = 0; i < ATTACKS; i++)
		assert_true(view_of(h, i).rule_count > 0);
	host_free(h);
}

/* What a generation found is the same, made at once or one by one while the next one goes on. */
static void findings_are_made_one_by_one(void **state)
{
	struct host *hosts[2] = { host_new(), host_new() };
	struct engine *at_once, *taken;

	(void)state;
	hosts[0]->takes = hosts[1]->takes = hosts[0]->finds = true;
	for (unsigned i = 0; i < 2; i++) {
		struct host *h = hosts[i];

		play(h, 20, PEACE, 0);
		assert_null(live_take_finished(h->live));
		for (uint32_t k = 0; k < 5; k++)
			play_on(h, NS_PER_S, k % 2 ? NTP : CLDAP, 0x0b000000u + k * 0x20000, 1, 20);
		for (unsigned ticks = 0; !h->finished && ticks < 40000; ticks++)
			play_on(h, LIVE_TICK_NS, PEACE, TARGET, 1, 0);
		assert_int_equal(h->finished, 1);
	}
	at_once = hosts[0]->taken;
	assert_non_null(at_once);
	assert_int_equal(engine_count(at_once), 5);
	taken = hosts[1]->taken;
	assert_non_null(taken);
	assert_null(live_finished(hosts[1]->live));
	for (uint32_t i = 0; i < 5; i++) {
		const struct finding *one = engine_finding(at_once, i), *other;

		play(hosts[1], 1, PEACE, 0);
		assert_int_equal(engine_count(taken), i);
		assert_int_equal(engine_make_finding(taken), 1);
		other = engine_finding(taken, i);
		assert_int_equal(one->incident->id, other->incident->id);
		assert_int_equal(one->incident->packets, other->incident->packets);
		assert_int_equal(one->sources, other->sources);
		assert_int_equal(one->signatures.count, other->signatures.count);
		assert_true(one->signatures.count > 0);
		assert_memory_equal(&one->signatures.signatures[0].match, &other->signatures.signatures[0].match,
		                    sizeof(struct match));
	}
	assert_int_equal(engine_make_finding(taken), 0);
	assert_int_equal(engine_count(taken), 5);
	assert_int_equal(engine_totals(taken)->peace_packets, engine_totals(at_once)->peace_packets);
	assert_int_equal(engine_save(taken, &(uint8_t *){ NULL }, &(size_t){ 0 }), -EINVAL);
	engine_free(at_once);
	engine_free(taken);
	host_free(hosts[0]);
	host_free(hosts[1]);
}

/* ------------------------------------------------------------------ where no signature is safe */

static void known_sources_are_preferred(void **state)
{
	struct host *h = host_falling_back(FALLBACK_PREFER_KNOWN, NULL, 0);
	const struct live_order *order = &h->rules[0].order;
	struct live_view view;

	(void)state;
	play(h, 60, PEACE, 0);
	assert_int_equal(live_attacked(h->live), 0);
	play(h, 5, SAME, 50);
	assert_int_equal(live_attacked(h->live), 3); /* of both, whose prefixes hold the target */
	assert_int_equal(h->added, 1);
	assert_true(order->known && !order->each && !order->shadow && !order->probe);
	assert_int_equal(order->rule.action, RULE_RATE_LIMIT);
	assert_in_range(order->rule.rate_pps, 80, 200); /* about a hundred a second of all users */
	assert_in_range(order->source_pps, FALLBACK_SOURCE_PPS_MIN, 20);
	assert_true(order->arm_pps >= 2 * order->rule.rate_pps);
	view = view_of(h, 0);
	assert_int_equal(view.fallback, FALLBACK_PREFERS);
	assert_int_equal(view.rule_count, 1);
	assert_true(view.rules[0]->fallback);
	assert_int_equal(view.rules[0]->state, LIFE_ENFORCED);
	h->passed = h->dropped = 0;
	play(h, 20, SAME, 50);
	assert_int_equal(h->passed, 0);
	assert_int_equal(h->added, 1);
	assert_true(h->rules[0].count.known > 500);
	/* Between waves it stays; when the attack is over it goes. */
	h->rules[0].count.active = false;
	play(h, 100, PEACE, 0);
	assert_int_equal(h->removed, 0);
	assert_int_equal(view_of(h, 0).rules[0]->state, LIFE_ARMED);
	wait_for(h, 350);
	assert_int_equal(h->ended, 1);
	assert_int_equal(h->removed, 1);
	assert_int_equal(live_attacked(h->live), 0);
	host_free(h);
}

/* What a packet says goes before who sends it; and a signature is sought on. */
static void a_signature_is_better(void **state)
{
	struct host *h = host_falling_back(FALLBACK_PREFER_KNOWN, NULL, 0);

	(void)state;
	play(h, 60, PEACE, 0);
	play(h, 5, NTP, 50);
	assert_int_equal(h->added, 1);
	assert_false(h->rules[0].order.known);
	assert_int_equal(view_of(h, 0).fallback, FALLBACK_NOT_NEEDED);
	play(h, 5, SAME, 50);
	assert_int_equal(view_of(h, 0).fallback, FALLBACK_PREFERS);
	assert_int_equal(h->added, 2);
	assert_true(h->rules[1].order.known);
	play(h, 15, CLDAP, 50);
	assert_true(h->added > 2);
	assert_false(h->rules[2].order.known);
	assert_int_equal(h->rules[2].order.rule.action, RULE_DROP);
	host_free(h);
}

static void each_source_is_limited(void **state)
{
	struct host *h = host_falling_back(FALLBACK_LIMIT, NULL, 0);

	(void)state;
	play(h, 60, PEACE, 0);
	play(h, 2, SAME, 50);
	assert_int_equal(h->added, 1);
	assert_true(h->rules[0].order.each && !h->rules[0].order.known);
	assert_in_range(h->rules[0].order.rule.rate_pps, FALLBACK_SOURCE_PPS_MIN, 20);
	assert_int_equal(view_of(h, 0).fallback, FALLBACK_LIMITS);
	/* It begins to drop those who are known, and is let go, and not made again. */
	h->rules[0].count.known_lost += h->rules[0].count.dropped;
	play(h, 10, SAME, 50);
	assert_int_equal(h->removed, 1);
	assert_int_equal(h->added, 1);
	assert_int_equal(view_of(h, 0).rules[0]->state, LIFE_REVOKED);
	assert_int_equal(view_of(h, 0).fallback, FALLBACK_REVOKED);
	host_free(h);
}

static void without_peace_nobody_is_limited(void **state)
{
	struct host *h = host_falling_back(FALLBACK_PREFER_KNOWN, NULL, 0), *again;
	uint8_t *octets;
	size_t length;

	(void)state;
	play(h, 5, PEACE, 0);
	play(h, 20, SAME, 50);
	assert_int_equal(h->added, 0);
	assert_int_equal(view_of(h, 0).fallback, FALLBACK_UNLEARNED);
	host_free(h);
	/* What one has learned another knows, and what is said of other services is passed over. */
	h = host_falling_back(FALLBACK_PREFER_KNOWN, NULL, 0);
	play(h, 60, PEACE, 0);
	assert_int_equal(live_save(h->live, &octets, &length), 0);
	again = host_falling_back(FALLBACK_PREFER_KNOWN, octets, length);
	play(again, 3, SAME, 50);
	assert_int_equal(again->added, 1);
	assert_true(again->rules[0].order.known);
	host_free(again);
	again = calloc(1, sizeof(*again));
	assert_non_null(again);
	again->now = BEGIN_NS;
	for (size_t cut = 0; cut < length; cut += 1 + length / 50) {
		assert_int_equal(live_new(SEED, NULL, 0, octets, cut, &again->live), -EBADMSG);
		live_free(again->live);
	}
	assert_int_equal(live_new(SEED, NULL, 0, octets, length, &again->live), 0);
	host_free(again);
	host_free(h);
	free(octets);
	/* Where it is not allowed that is said. */
	h = host_new();
	play(h, 60, PEACE, 0);
	play(h, 10, SAME, 50);
	assert_int_equal(h->added, 0);
	assert_int_equal(view_of(h, 0).fallback, FALLBACK_OFF);
	host_free(h);
	h = calloc(1, sizeof(*h));
	assert_non_null(h);
	h->now = BEGIN_NS;
	h->random = 3;
	assert_int_equal(live_new(SEED, NULL, 0, NULL, 0, &h->live), 0);
	play(h, 60, PEACE, 0);
	play(h, 10, SAME, 50);
	assert_int_equal(view_of(h, 0).fallback, FALLBACK_NO_SERVICE);
	host_free(h);
}

static void too_many_services(void **state)
{
	struct address any = made_ipv4(0);
	struct prefix prefixes[LIVE_SERVICE_PREFIXES_MAX + 1];
	struct live_service service = { .name = "x",
		                        .prefix_count = LIVE_SERVICE_PREFIXES_MAX + 1,
		                        .prefixes = prefixes };
	struct live *live;

	(void)state;
	for (unsigned i = 0; i <= LIVE_SERVICE_PREFIXES_MAX; i++)
		prefixes[i] = prefix_of(&any, 0);
	assert_int_equal(live_new(SEED, &service, 1, NULL, 0, &live), -EINVAL);
	assert_int_equal(live_new(SEED, &service, LIVE_SERVICES_MAX + 1, NULL, 0, &live), -EINVAL);
}

/* ------------------------------------------------------------------ streams */

struct replayed {
	unsigned added, removed, renewed, began, ended, finished;
};

static void replayed_order(void *context, const struct live *live, const struct live_order *order)
{
	struct replayed *r = context;

	(void)live;
	r->added += order->type == LIVE_ADD_RULE;
	r->removed += order->type == LIVE_REMOVE_RULE;
	r->renewed += order->type == LIVE_RENEW_RULE;
}

static void replayed_news(void *context, struct live *live, const struct live_news *news)
{
	struct replayed *r = context;

	(void)live;
	r->began += news->type == LIVE_BEGAN;
	r->ended += news->type == LIVE_ENDED;
	r->finished += news->type == LIVE_FINISHED;
}

struct stream {
	uint8_t *octets;
	size_t length, born;
};

/* An attack, its rule let go by somebody, as a stream of one frame. */
static struct stream recorded(struct host *h)
{
	const struct engine_load load = { .percent = 80, .pps = 5000 };
	struct stream_frame frame;
	struct stream s;
	uint8_t *octets = malloc(STREAM_FRAME_MAX), *grown;
	size_t length;

	assert_non_null(octets);
	play(h, 40, PEACE, 0);
	/* It has begun long ago: a birth holds what is known by then, and rules that are there. */
	assert_int_equal(stream_begin(h->live, &s.octets, &s.born), 0);
	stream_frame_init(&frame, octets, 2 * STREAM_FRAME_MAX);
	h->frame = &frame;
	play_on(h, NS_PER_S, NTP, TARGET, 1, 50);
	assert_true(stream_loaded(&frame, &load));
	live_loaded(h->live, &load);
	assert_true(stream_rule_gone(&frame, h->rules[0].order.handle));
	live_rule_gone(h->live, h->rules[0].order.handle);
	h->rules[0].removed = true;
	play_on(h, NS_PER_S, NTP, TARGET, 1, 50);
	h->frame = NULL;
	length = stream_frame_end(&frame);
	assert_in_range(length, 1000, STREAM_FRAME_MAX);
	assert_int_equal(stream_frame_end(&frame), 0);
	grown = realloc(s.octets, s.born + length);
	assert_non_null(grown);
	s.octets = grown;
	memcpy(s.octets + s.born, octets, length);
	s.length = s.born + length;
	free(octets);
	return s;
}

static struct stream_facts replay(const uint8_t *octets, size_t length, size_t step, struct replayed *r)
{
	struct stream_listener listener = { .order = replayed_order, .news = replayed_news, .context = r };
	struct stream_replay *replay;
	struct stream_facts facts;

	*r = (struct replayed){ 0 };
	assert_int_equal(stream_replay_new(&listener, &replay), 0);
	for (size_t at = 0; at < length; at += step)
		assert_int_equal(stream_replay_feed(replay, octets + at, step < length - at ? step : length - at), 0);
	assert_int_equal(stream_replay_end(replay), 0);
	facts = *stream_replay_facts(replay);
	assert_int_equal(stream_replay_engine(replay) != NULL, facts.begun);
	stream_replay_free(replay);
	return facts;
}

static void a_stream_says_it_again(void **state)
{
	struct host *h = host_new();
	struct stream s = recorded(h);
	struct replayed r;
	struct stream_facts facts = replay(s.octets, s.length, 5000, &r);

	(void)state;
	assert_null(facts.error);
	assert_true(facts.begun);
	assert_false(facts.finished);
	assert_int_equal(facts.frames, 1);
	assert_true(stream_is_one(s.octets, s.length));
	assert_false(stream_is_one(s.octets, 7));
	assert_int_equal(r.added, h->added);
	assert_int_equal(r.removed, h->removed);
	assert_int_equal(r.began, h->began);
	assert_int_equal(r.finished, 1);
	assert_true(facts.packets == facts.observations && facts.observations > 5000);
	assert_int_equal(time_since(facts.last, facts.first) / NS_PER_S, 1);
	free(s.octets);
	host_free(h);
}

/* Rules and bans that stand are in a birth, and come back as they were. */
static void a_birth_is_whole(void **state)
{
	struct host *h = host_new();
	struct stream s = recorded(h);
	uint8_t *first, *second;
	size_t first_length, second_length;
	struct live *live;

	(void)state;
	play_on(h, 2 * NS_PER_S, CLDAP, TARGET, 1, 50);
	assert_true(h->added >= 2);
	assert_int_equal(live_birth(h->live, &first, &first_length), 0);
	assert_int_equal(live_revive(first, first_length, &live), 0);
	assert_int_equal(live_birth(live, &second, &second_length), 0);
	assert_int_equal(first_length, second_length);
	assert_memory_equal(first, second, first_length);
	live_free(live);
	for (size_t cut = 0; cut < first_length; cut += 1 + cut / 50)
		assert_int_equal(live_revive(first, cut, &live), -EBADMSG);
	free(first);
	free(second);
	free(s.octets);
	host_free(h);
}

/* From its very beginning, with what peace taught: the same orders come of it. */
static void a_stream_falls_back_again(void **state)
{
	struct host *h = host_falling_back(FALLBACK_PREFER_KNOWN, NULL, 0);
	struct stream_frame frame;
	uint8_t *octets = malloc(STREAM_FRAME_MAX), *first, *second;
	size_t length, first_length, second_length;
	struct stream_facts facts;
	struct replayed r;
	struct live *live;
	struct stream s;

	(void)state;
	assert_non_null(octets);
	assert_int_equal(stream_begin(h->live, &s.octets, &s.born), 0);
	s.length = s.born;
	stream_frame_init(&frame, octets, STREAM_FRAME_MAX);
	h->frame = &frame;
	for (unsigned i = 0; i < 64; i++) {
		play(h, 1, i < 60 ? PEACE : SAME, 50);
		length = stream_frame_end(&frame);
		s.octets = realloc(s.octets, s.length + length);
		assert_non_null(s.octets);
		memcpy(s.octets + s.length, octets, length);
		s.length += length;
	}
	h->frame = NULL;
	assert_int_equal(h->added, 1);
	assert_true(h->rules[0].order.known);
	facts = replay(s.octets, s.length, 100000, &r);
	assert_null(facts.error);
	assert_int_equal(r.added, 1);
	assert_int_equal(live_birth(h->live, &first, &first_length), 0);
	assert_int_equal(live_revive(first, first_length, &live), 0);
	assert_int_equal(live_birth(live, &second, &second_length), 0);
	assert_int_equal(first_length, second_length);
	assert_memory_equal(first, second, first_length);
	live_free(live);
	free(first);
	free(second);
	free(s.octets);
	free(octets);
	host_free(h);
}

static void damage_is_seen(void **state)
{
	struct host *h = host_new();
	struct stream s = recorded(h);
	struct replayed r;
	struct stream_facts facts;

	(void)state;
	s.octets[s.born + 100] ^= 4;
	facts = replay(s.octets, s.length, s.length, &r);
	assert_string_equal(facts.error, "a frame is damaged");
	assert_int_equal(facts.observations, 0);
	assert_int_equal(r.finished, 1);
	s.octets[s.born + 100] ^= 4;
	facts = replay(s.octets, s.length - 1, s.length, &r);
	assert_string_equal(facts.error, "the stream ends within a frame");
	facts = replay(s.octets, s.born - 1, s.length, &r);
	assert_string_equal(facts.error, "the stream ends before it has begun");
	assert_false(facts.begun);
	s.octets[s.born] = 0xff;
	facts = replay(s.octets, s.length, s.length, &r);
	assert_string_equal(facts.error, "a frame's length is impossible");
	s.octets[s.born / 2] ^= 4;
	facts = replay(s.octets, s.length, s.length, &r);
	assert_string_equal(facts.error, "the stream's beginning is damaged");
	s.octets[11] ^= 4;
	facts = replay(s.octets, s.length, s.length, &r);
	assert_string_equal(facts.error, "the stream is of another version");
	s.octets[0] ^= 4;
	facts = replay(s.octets, s.length, 3, &r);
	assert_string_equal(facts.error, "this is no stream");
	free(s.octets);
	host_free(h);
}

/* Records there are none of, behind a tick, with a right sum. */
static void strange_records_end_a_stream(void **state)
{
	static const struct {
		uint8_t octets[8];
		size_t length;
	} rows[] = {
		{ { 0 }, 1 },                      /* type */
		{ { 99 }, 1 },                     /* type */
		{ { 1, 0xff, 0xff }, 3 },          /* observation */
		{ { 3, 1, 1, 2 }, 4 },             /* ruled: a result above 0 */
		{ { 5, 1, 0, 0, 0, 0, 0, 0 }, 8 }, /* counted: cut */
		{ { 6, 101, 1 }, 3 },              /* loaded: more than there is */
		{ { 6, 90 }, 2 },                  /* loaded: cut */
	};
	struct host *h = host_new();
	uint8_t *begin, octets[STREAM_FRAME_MIN + 64];
	size_t begin_length;

	(void)state;
	assert_int_equal(stream_begin(h->live, &begin, &begin_length), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t *whole = malloc(begin_length + sizeof(octets));
		struct stream_frame frame;
		struct stream_facts facts;
		struct replayed r;
		size_t length;

		assert_non_null(whole);
		stream_frame_init(&frame, octets, sizeof(octets));
		assert_true(stream_tick(&frame, (struct capture_time){ BEGIN_NS }));
		memcpy(frame.octets + frame.length, rows[i].octets, rows[i].length);
		frame.length += rows[i].length;
		length = stream_frame_end(&frame);
		memcpy(whole, begin, begin_length);
		memcpy(whole + begin_length, octets, length);
		facts = replay(whole, begin_length + length, 77, &r);
		assert_string_equal(facts.error, "a frame holds what is no record");
		free(whole);
	}
	free(begin);
	host_free(h);
}

static void a_full_frame_takes_no_more(void **state)
{
	struct observation o = made_udp(BEGIN_NS, made_ipv4(1), 1, made_ipv4(2), 2, 0);
	struct life_count count = { .matched = 1 };
	struct capture_time now = { BEGIN_NS };
	uint8_t octets[STREAM_FRAME_MIN];
	struct stream_frame frame;
	unsigned taken = 0;

	(void)state;
	stream_frame_init(&frame, octets, sizeof(octets));
	while (stream_observe(&frame, &o))
		taken++;
	assert_in_range(taken, 5, 100);
	assert_false(stream_tick(&frame, now));
	assert_false(stream_loaded(&frame, &(struct engine_load){ 100, 1 }));
	assert_false(stream_ruled(&frame, 1, 1, 0));
	assert_false(stream_rule_gone(&frame, 1));
	assert_false(stream_rule_counted(&frame, 1, &count));
	assert_in_range(stream_frame_end(&frame), 100, STREAM_FRAME_MIN);
	assert_true(stream_rule_counted(&frame, 1, &count));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peace_orders_nothing),
		cmocka_unit_test(an_attack_is_stopped),
		cmocka_unit_test(rules_live_on_and_expire),
		cmocka_unit_test(what_somebody_lets_go_stays_gone),
		cmocka_unit_test(what_the_shield_refuses),
		cmocka_unit_test(a_rule_that_hits_users_is_let_go),
		cmocka_unit_test(without_peace_it_is_tried_in_the_shadow),
		cmocka_unit_test(two_at_once_and_one_that_changes),
		cmocka_unit_test(a_vector_that_joins_is_not_waited_for),
		cmocka_unit_test(a_full_link_is_no_habit),
		cmocka_unit_test(neighbours_are_gathered),
		cmocka_unit_test(counts_of_what_was_just_gathered),
		cmocka_unit_test(what_was_learned_is_handed_on),
		cmocka_unit_test(generations_change_in_peace),
		cmocka_unit_test(without_peace_generations_change_all_the_same),
		cmocka_unit_test(a_tick_has_so_many_searches),
		cmocka_unit_test(findings_are_made_one_by_one),
		cmocka_unit_test(known_sources_are_preferred),
		cmocka_unit_test(a_signature_is_better),
		cmocka_unit_test(each_source_is_limited),
		cmocka_unit_test(without_peace_nobody_is_limited),
		cmocka_unit_test(too_many_services),
		cmocka_unit_test(a_stream_says_it_again),
		cmocka_unit_test(a_birth_is_whole),
		cmocka_unit_test(a_stream_falls_back_again),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(strange_records_end_a_stream),
		cmocka_unit_test(a_full_frame_takes_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
