/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shield in the kernel's stead: conversations and sources it knows, orders in force, and what they say of a packet.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "simulate.h"

#define PROBE_INTERVAL 256
#define PROBE_PPS 500
#define SPARE_PPS 256

uint64_t run_draw(struct run *r)
{
	uint64_t z = r->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

struct flow *kernel_flow(struct run *r, const struct address *src, uint16_t src_port, const struct address *dst,
                         uint16_t dst_port, uint8_t protocol)
{
	uint64_t key =
		hash_2(hash_address(hash_address(1, src), dst), (uint64_t)src_port << 16 | dst_port, protocol) | 1;

	for (uint32_t i = 0;; i++) {
		struct flow *f = &r->flows[(key + i) & (FLOWS - 1)];

		if (f->key == key)
			return f;
		/* The table is large; where it fills up the oldest in the way goes. */
		if (f->key == 0 || i == 64) {
			*f = (struct flow){ .key = key };
			return f;
		}
	}
}

static bool bucket_take(uint64_t *level, int64_t *last, int64_t now, uint32_t rate)
{
	uint64_t capacity = (uint64_t)(rate / 10 ? rate / 10 : 1) * NS_PER_S;
	uint64_t elapsed = (uint64_t)(now - *last);

	if (elapsed > capacity / rate)
		*level = capacity;
	else if ((*level += elapsed * rate) > capacity)
		*level = capacity;
	*last = now;
	if (*level < NS_PER_S)
		return false;
	*level -= NS_PER_S;
	return true;
}

struct source *kernel_source(struct run *r, const struct address *src)
{
	uint64_t key = hash_address(2, src) | 1;

	for (uint32_t i = 0;; i++) {
		struct source *s = &r->sources[(key + i) & (SOURCES - 1)];

		if (s->key == key)
			return s;
		if (s->key == 0 || i == 64) {
			*s = (struct source){ .key = key };
			return s;
		}
	}
}

/* Whether it may send one more at that rate, a second's worth at once. */
static bool source_within(struct source *s, int64_t now, uint32_t pps)
{
	uint64_t most = (uint64_t)pps * NS_PER_S;

	if (s->last == 0 || now - s->last > NS_PER_S || (s->level += (uint64_t)(now - s->last) * pps) > most)
		s->level = most;
	s->last = now;
	if (s->level < NS_PER_S)
		return false;
	s->level -= NS_PER_S;
	return true;
}

static void carry_out(struct run *r, const struct live_order *order)
{
	struct rule_state *at = NULL;

	for (unsigned i = 0; i < RULES_MAX; i++) {
		if (r->rules[i].used && r->rules[i].handle == order->handle)
			at = &r->rules[i];
		else if (!r->rules[i].used && !at && order->type == LIVE_ADD_RULE)
			at = &r->rules[i];
	}
	if (order->type == LIVE_REMOVE_RULE && at) {
		free(at->sieve);
		*at = (struct rule_state){ 0 };
	}
	if (order->type != LIVE_ADD_RULE)
		return;
	if (!at) {
		TAPE(r, stream_ruled(&r->frame, order->handle, 0, -ENOSPC));
		live_ruled(r->live, order->handle, 0, -ENOSPC);
		return;
	}
	*at = (struct rule_state){
		.used = true,
		.handle = order->handle,
		.order = *order,
		.sieve = malloc(sizeof(*at->sieve)),
		.active_until = r->now + r->hold_ns,
		.arm_last = r->now,
		.count.active = true,
	};
	if (!at->sieve)
		abort();
	sieve_init(at->sieve);
	if (sieve_add(at->sieve, &order->rule) < 0)
		abort();
	r->rule_number++;
	TAPE(r, stream_ruled(&r->frame, order->handle, r->rule_number, 0));
	live_ruled(r->live, order->handle, r->rule_number, 0);
}

void kernel_carry_out(struct run *r)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < r->pending_count; i++) {
		if (r->pending[i].at <= r->now)
			carry_out(r, &r->pending[i].order);
		else
			r->pending[kept++] = r->pending[i];
	}
	r->pending_count = kept;
}

/* Whether the packet passes. */
bool kernel_judge(struct run *r, const struct observation *o, struct flow *flow)
{
	bool answered = flow && flow->answered;

	for (unsigned i = 0; i < 2 * RULES_MAX; i++) {
		struct rule_state *s = &r->rules[i % RULES_MAX];
		bool looks = s->order.known || s->order.each, lost = false;
		uint64_t before;
		bool pass;

		/* Those that look at sources stand behind all others. */
		if (!s->used || looks != (i >= RULES_MAX))
			continue;
		if (looks && prefix_contains(&s->order.rule.scope, &o->dst) && match_test(&s->order.rule.match, o) &&
		    (!s->order.arm_pps || s->active_until > r->now)) {
			struct source *source = kernel_source(r, &o->src);
			bool within = source_within(source, r->now,
			                            s->order.each ? s->order.rule.rate_pps : s->order.source_pps);

			if (within && (s->order.each || source->known)) {
				s->count.matched++;
				s->count.known += s->order.known;
				return true;
			}
			lost = source->known;
		}
		before = s->sieve->rules[0].matched;
		pass = sieve_pass(s->sieve, o);
		if (s->sieve->rules[0].matched == before)
			continue;
		s->count.matched++;
		if (s->order.arm_pps && !bucket_take(&s->arm_level, &s->arm_last, r->now, s->order.arm_pps))
			s->active_until = r->now + r->hold_ns;
		s->count.active = !s->order.arm_pps || s->active_until > r->now;
		if (!s->count.active)
			continue;
		s->count.known_lost += lost;
		if (pass && s->order.rule.action != RULE_DROP && !s->order.each)
			return true;
		if (s->order.spare && answered) {
			s->count.answered++;
			if (flow->spare_second != r->now / NS_PER_S) {
				flow->spare_second = r->now / NS_PER_S;
				flow->spare_taken = 0;
			}
			if (flow->spare_taken++ < SPARE_PPS) {
				s->count.spared++;
				if (s->order.shadow)
					continue;
				return true;
			}
		}
		if (s->order.shadow) {
			s->count.dropped++;
			continue;
		}
		if (s->order.probe && run_draw(r) % PROBE_INTERVAL == 0) {
			if (s->probe_second != r->now / NS_PER_S) {
				s->probe_second = r->now / NS_PER_S;
				s->probe_taken = 0;
			}
			if (s->probe_taken++ < PROBE_PPS) {
				s->count.probes++;
				return true;
			}
		}
		s->count.dropped++;
		return false;
	}
	return true;
}
