/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generation at its birth, as octets: what its stream begins with. Numbers are varints, signed ones folded; times are
 * folded numbers; matches are their texts, which match_parse() reads back.
 *
 *     birth   = mark version seed services clock bans rules quotas engine
 *     services = count { name local fallback count { prefix } }
 *     clock   = has-time now born not-before last-handle
 *     bans    = count next { incident by-hand rule }
 *     rules   = count { place replaced-by for life }
 *     quotas  = { quotas_pack() }         of each service and class
 *     engine  = length octets of engine_save()
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/varint.h"
#include "engine/live_inside.h"

#define MARK "HFLB"
#define VERSION 2

/* ------------------------------------------------------------------ writing */

struct writer {
	uint8_t *octets;
	size_t length, room;
	bool failed;
};

static uint8_t *room_for(struct writer *w, size_t length)
{
	uint8_t *grown;
	size_t room;

	if (w->failed)
		return NULL;
	if (w->room - w->length < length) {
		room = w->room * 2 > w->length + length ? w->room * 2 : w->length + length;
		grown = realloc(w->octets, room);
		if (!grown) {
			w->failed = true;
			return NULL;
		}
		w->octets = grown;
		w->room = room;
	}
	return w->octets + w->length;
}

static void put_octets(struct writer *w, const void *octets, size_t length)
{
	uint8_t *at = room_for(w, length);

	if (!at)
		return;
	memcpy(at, octets, length);
	w->length += length;
}

static void put(struct writer *w, uint64_t value)
{
	uint8_t *at = room_for(w, VARINT_MAX);

	if (at)
		w->length += varint_write(at, value);
}

static void put_signed(struct writer *w, int64_t value)
{
	put(w, varint_fold(value));
}

static void put_text(struct writer *w, const char *text)
{
	size_t length = strlen(text);

	put(w, length);
	put_octets(w, text, length);
}

static void put_prefix(struct writer *w, const struct prefix *prefix)
{
	put_octets(w, prefix->address.octets, sizeof(prefix->address.octets));
	put(w, prefix->length);
	put(w, prefix->is_ipv4);
}

static void put_match(struct writer *w, const struct match *match)
{
	char text[MATCH_TEXT_SIZE];

	put_text(w, match_format(match, text));
}

static void put_rule(struct writer *w, const struct rule *rule)
{
	put_prefix(w, &rule->scope);
	put_match(w, &rule->match);
	put(w, rule->action);
	put(w, rule->rate_pps);
}

static void put_signature(struct writer *w, const struct signature *g)
{
	put(w, g->coverage_ppm);
	put(w, g->added_ppm);
	put(w, g->has_bound);
	put(w, g->bound_ppm);
	put(w, g->baseline_samples);
	put(w, g->baseline_hits);
	put(w, g->verified_samples);
	put(w, g->verified_hits);
	put(w, g->action);
	put(w, g->rate_limit_pps);
	put_text(w, g->reason);
}

static void put_count(struct writer *w, const struct life_count *count)
{
	put(w, count->matched);
	put(w, count->dropped);
	put(w, count->spared);
	put(w, count->answered);
	put(w, count->probes);
	put(w, count->completed);
	put(w, count->known);
	put(w, count->known_lost);
	put(w, count->active);
}

/* The signature's match is the rule's. */
static void put_life(struct writer *w, const struct life *life)
{
	put(w, life->handle);
	put(w, life->number);
	put(w, life->state);
	put_rule(w, &life->rule);
	put_signature(w, &life->signature);
	put_signed(w, life->made.ns);
	put_signed(w, life->changed.ns);
	put_signed(w, life->last_match.ns);
	put_signed(w, life->expires.ns);
	put(w, life->arm_pps);
	put(w, life->waves);
	put_signed(w, life->gap_ns);
	put(w, life->shadow);
	put(w, life->spare);
	put(w, life->probe);
	put(w, life->fallback);
	put(w, life->known);
	put(w, life->each);
	put(w, life->source_pps);
	put(w, life->incident);
	put_count(w, &life->count);
	put_count(w, &life->base);
	put_text(w, life->why);
}

static void put_services(struct writer *w, const struct live *l)
{
	put(w, l->service_count);
	for (unsigned i = 0; i < l->service_count; i++) {
		const struct served *s = &l->services[i];

		put_text(w, s->name);
		put(w, s->local);
		put(w, s->fallback);
		put(w, s->count);
		for (unsigned j = 0; j < s->count; j++)
			put_prefix(w, &l->prefixes[s->first + j]);
	}
}

static void put_held(struct writer *w, const struct live *l)
{
	unsigned count = 0;

	for (unsigned i = 0; i < HELD_MAX; i++)
		count += l->held[i].used;
	put(w, count);
	for (unsigned i = 0; i < HELD_MAX; i++) {
		if (!l->held[i].used)
			continue;
		put(w, i);
		put(w, l->held[i].replaced_by);
		put_signed(w, l->held[i].for_ns);
		put_life(w, &l->held[i].life);
	}
}

static void put_quotas(struct writer *w, const struct live *l)
{
	for (unsigned i = 0; i < l->service_count; i++)
		for (unsigned k = 0; k < QUOTA_CLASSES; k++) {
			uint8_t *at = room_for(w, QUOTA_PACKED_MAX);

			if (at)
				w->length += quotas_pack(l->quotas, i, (enum quota_class)k, at);
		}
}

int live_birth(const struct live *l, uint8_t **octets, size_t *length)
{
	struct writer w = { 0 };
	size_t saved_length;
	uint8_t *saved;
	int rc = engine_save(l->engine, &saved, &saved_length);

	if (rc < 0)
		return rc;
	put_octets(&w, MARK, strlen(MARK));
	put(&w, VERSION);
	put(&w, l->seed);
	put_services(&w, l);
	put(&w, l->has_time);
	put_signed(&w, l->now.ns);
	put_signed(&w, l->warming ? l->warming_born.ns : l->born.ns);
	put_signed(&w, l->warming ? live_not_before(l->warming_born).ns : l->not_before.ns);
	put(&w, l->last_handle);
	put(&w, l->ban_count);
	put(&w, l->ban_next);
	for (unsigned i = 0; i < l->ban_count; i++) {
		put(&w, l->bans[i].incident);
		put(&w, l->bans[i].by_hand);
		put_rule(&w, &l->bans[i].rule);
	}
	put_held(&w, l);
	put_quotas(&w, l);
	put(&w, saved_length);
	put_octets(&w, saved, saved_length);
	free(saved);
	if (w.failed) {
		free(w.octets);
		return -ENOMEM;
	}
	*octets = w.octets;
	*length = w.length;
	return 0;
}

/* ------------------------------------------------------------------ reading */

static uint64_t get(struct cursor *c, uint64_t most)
{
	uint64_t value = cursor_varint(c);

	if (value > most) {
		c->failed = true;
		return 0;
	}
	return value;
}

static bool get_bool(struct cursor *c)
{
	return get(c, 1);
}

static uint32_t get_32(struct cursor *c)
{
	return (uint32_t)get(c, UINT32_MAX);
}

static int64_t get_signed(struct cursor *c)
{
	return varint_unfold(cursor_varint(c));
}

static struct capture_time get_time(struct cursor *c)
{
	return (struct capture_time){ get_signed(c) };
}

/* Of at most size - 1 octets, none of them NUL. */
static void get_text(struct cursor *c, char *text, size_t size)
{
	size_t length = get(c, size - 1);
	const uint8_t *from = cursor_take(c, length);

	text[0] = '\0';
	if (!from || memchr(from, 0, length)) {
		c->failed = true;
		return;
	}
	memcpy(text, from, length);
	text[length] = '\0';
}

static struct prefix get_prefix(struct cursor *c)
{
	const uint8_t *from = cursor_take(c, sizeof(((struct address *)0)->octets));
	struct prefix prefix = { 0 }, clean;

	if (from)
		memcpy(prefix.address.octets, from, sizeof(prefix.address.octets));
	prefix.length = (uint8_t)get(c, 128);
	prefix.is_ipv4 = get_bool(c);
	clean = prefix_of(&prefix.address, prefix.length);
	if (clean.is_ipv4 != prefix.is_ipv4 || !prefix_equal(&clean, &prefix))
		c->failed = true;
	return prefix;
}

static void get_match(struct cursor *c, struct match *match)
{
	char text[MATCH_TEXT_SIZE];
	struct match_error error;

	get_text(c, text, sizeof(text));
	if (!c->failed && match_parse(text, match, &error) < 0)
		c->failed = true;
}

static void get_rule(struct cursor *c, struct rule *rule)
{
	rule->scope = get_prefix(c);
	get_match(c, &rule->match);
	rule->action = (enum rule_action)get(c, RULE_CHALLENGE);
	rule->rate_pps = get_32(c);
}

static void get_signature(struct cursor *c, struct signature *g)
{
	g->coverage_ppm = get_32(c);
	g->added_ppm = get_32(c);
	g->has_bound = get_bool(c);
	g->bound_ppm = get_32(c);
	g->baseline_samples = get_32(c);
	g->baseline_hits = get_32(c);
	g->verified_samples = get_32(c);
	g->verified_hits = get_32(c);
	g->action = (enum rule_action)get(c, RULE_CHALLENGE);
	g->rate_limit_pps = get_32(c);
	get_text(c, g->reason, sizeof(g->reason));
}

static void get_count(struct cursor *c, struct life_count *count)
{
	count->matched = cursor_varint(c);
	count->dropped = cursor_varint(c);
	count->spared = cursor_varint(c);
	count->answered = cursor_varint(c);
	count->probes = cursor_varint(c);
	count->completed = cursor_varint(c);
	count->known = cursor_varint(c);
	count->known_lost = cursor_varint(c);
	count->active = get_bool(c);
}

static void get_life(struct cursor *c, struct life *life)
{
	life->handle = cursor_varint(c);
	life->number = get_32(c);
	life->state = (enum life_state)get(c, LIFE_GONE);
	get_rule(c, &life->rule);
	get_signature(c, &life->signature);
	life->signature.match = life->rule.match;
	life->made = get_time(c);
	life->changed = get_time(c);
	life->last_match = get_time(c);
	life->expires = get_time(c);
	life->arm_pps = get_32(c);
	life->waves = get_32(c);
	life->gap_ns = get_signed(c);
	life->shadow = get_bool(c);
	life->spare = get_bool(c);
	life->probe = get_bool(c);
	life->fallback = get_bool(c);
	life->known = get_bool(c);
	life->each = get_bool(c);
	life->source_pps = get_32(c);
	life->incident = cursor_varint(c);
	get_count(c, &life->count);
	get_count(c, &life->base);
	get_text(c, life->why, sizeof(life->why));
}

static void get_services(struct cursor *c, struct live *l)
{
	l->service_count = (unsigned)get(c, LIVE_SERVICES_MAX);
	for (unsigned i = 0; i < l->service_count && !c->failed; i++) {
		struct served *s = &l->services[i];

		get_text(c, s->name, sizeof(s->name));
		s->local = get_bool(c);
		s->fallback = (enum fallback_allowed)get(c, FALLBACK_PREFER_KNOWN);
		l->learns = l->learns || s->fallback != FALLBACK_NONE;
		s->first = l->prefix_count;
		s->count = (unsigned)get(c, LIVE_SERVICE_PREFIXES_MAX - l->prefix_count);
		for (unsigned j = 0; j < s->count; j++)
			l->prefixes[l->prefix_count++] = get_prefix(c);
	}
}

static void get_held(struct cursor *c, struct live *l)
{
	unsigned count = (unsigned)get(c, HELD_MAX);

	for (unsigned i = 0; i < count && !c->failed; i++) {
		struct held *h = &l->held[get(c, HELD_MAX - 1)];

		if (h->used)
			c->failed = true;
		h->used = true;
		h->replaced_by = cursor_varint(c);
		h->for_ns = get_signed(c);
		get_life(c, &h->life);
	}
}

static void get_quotas(struct cursor *c, struct live *l)
{
	for (unsigned i = 0; i < l->service_count; i++)
		for (unsigned k = 0; k < QUOTA_CLASSES; k++)
			quotas_unpack(c, l->quotas, i, (enum quota_class)k);
}

int live_revive(const uint8_t *octets, size_t length, struct live **live)
{
	struct cursor c = cursor_over(octets, length);
	const uint8_t *mark = cursor_take(&c, strlen(MARK)), *saved;
	uint64_t version = cursor_varint(&c), seed = cursor_varint(&c);
	struct live *l;
	size_t saved_length;
	int rc;

	if (c.failed || memcmp(mark, MARK, strlen(MARK)) != 0 || version != VERSION)
		return -EBADMSG;
	rc = live_make(seed, NULL, 0, &l);
	if (rc < 0)
		return rc;
	get_services(&c, l);
	quotas_free(l->quotas);
	l->quotas = quotas_new(l->service_count, seed);
	if (!l->quotas) {
		live_free(l);
		return -ENOMEM;
	}
	l->has_time = get_bool(&c);
	l->now = get_time(&c);
	l->born = get_time(&c);
	l->not_before = get_time(&c);
	l->last_handle = cursor_varint(&c);
	l->ban_count = (uint32_t)get(&c, LIVE_BANS_MAX);
	l->ban_next = (uint32_t)get(&c, LIVE_BANS_MAX - 1);
	for (unsigned i = 0; i < l->ban_count && !c.failed; i++) {
		l->bans[i].incident = cursor_varint(&c);
		l->bans[i].by_hand = get_bool(&c);
		get_rule(&c, &l->bans[i].rule);
	}
	get_held(&c, l);
	get_quotas(&c, l);
	saved_length = cursor_varint(&c);
	saved = cursor_take(&c, saved_length);
	rc = -EBADMSG;
	if (!c.failed && cursor_left(&c) == 0)
		rc = engine_restore(l->engine, saved, saved_length);
	if (rc < 0) {
		live_free(l);
		return rc;
	}
	*live = l;
	return 0;
}
