/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/http_watch.h"

#include <stdlib.h>

#include "detect/http.h"
#include "measure/http.h"
#include "measure/slot.h"

#define ASSESS_FIRST 200 /* requests in a slot before a server is assessed before the second's end */
#define REPLAY_MIN 16    /* packets of its own that an attack begins with */
#define CALM_SLOTS 200   /* of hardly any unfinished request end an attack by them */

/* A request, or a piece of one, that may turn out to be part of an attack. */
struct said {
	struct observation observation;
	struct keys keys;
	uint32_t server, serial;
	bool taken;
};

struct http_case {
	bool on;
	uint8_t kind; /* VECTOR_HTTP, VECTOR_SLOW_HTTP */
	uint32_t server, serial;
	int32_t incident;
	struct http_mark mark;
	enum http_state held_by;
	int64_t busy_slot; /* when many requests were last unfinished */
};

struct http_watch {
	struct http_table *table;
	int64_t tick_slot;
	uint64_t pushed;
	uint64_t cases_refused;
	struct http_lately lately;
	struct http_case cases[HTTP_WATCH_CASES];
	struct said said[HTTP_WATCH_RECENT];
};

struct http_watch *http_watch_new(uint64_t seed)
{
	struct http_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->tick_slot = INT64_MIN;
	w->table = http_table_new(seed);
	if (!w->table) {
		free(w);
		return NULL;
	}
	return w;
}

void http_watch_free(struct http_watch *w)
{
	if (!w)
		return;
	http_table_free(w->table);
	free(w);
}

struct http_watch_counters http_watch_counters(const struct http_watch *w)
{
	const struct http_counters *counters = http_table_counters(w->table);

	return (struct http_watch_counters){
		.pushed_out = counters->connections_pushed_out + counters->servers_pushed_out,
		.refused = counters->details_refused + w->cases_refused,
	};
}

void http_watch_clear(struct http_watch *w)
{
	http_table_clear(w->table);
	w->pushed = 0;
	w->tick_slot = INT64_MIN;
	for (unsigned i = 0; i < HTTP_WATCH_CASES; i++)
		w->cases[i].on = false;
}

static uint32_t index_of(const struct http_watch *w, const struct http_server *s)
{
	return (uint32_t)(s - http_table_at(w->table, 0));
}

static struct http_server *server_of(const struct http_watch *w, const struct http_case *c)
{
	struct http_server *s = http_table_at(w->table, c->server);

	return s->identity && s->serial == c->serial ? s : NULL;
}

static struct http_case *find_case(struct http_watch *w, const struct http_server *s, uint8_t kind)
{
	for (unsigned i = 0; i < HTTP_WATCH_CASES; i++)
		if (w->cases[i].on && w->cases[i].kind == kind && server_of(w, &w->cases[i]) == s)
			return &w->cases[i];
	return NULL;
}

static bool is_attacked(struct http_watch *w, const struct http_server *s)
{
	return find_case(w, s, VECTOR_HTTP) || find_case(w, s, VECTOR_SLOW_HTTP);
}

/* ------------------------------------------------------------------ an attack begins */

static uint64_t said_count(const struct http_watch *w)
{
	return w->pushed < HTTP_WATCH_RECENT ? w->pushed : HTTP_WATCH_RECENT;
}

static struct said *said_at(struct http_watch *w, uint64_t back)
{
	return &w->said[(w->pushed - 1 - back) % HTTP_WATCH_RECENT];
}

/*
 * Whether a kept packet is one of the attack's. Of those that keep a server waiting, the connections must still do so.
 */
static bool belongs(struct http_watch *w, const struct http_case *c, const struct said *r, int64_t from_ns,
                    int64_t slot)
{
	const struct http_connection *connection;

	if (r->taken || r->server != c->server || r->serial != c->serial || r->observation.time.ns < from_ns)
		return false;
	if (c->kind == VECTOR_HTTP)
		return http_mark_holds(&c->mark, &r->observation);
	if (c->held_by == HTTP_STARVED && (r->observation.flags & OBSERVATION_HTTP))
		return false; /* it asked like anybody */
	connection = http_table_find(w->table, &r->keys);
	/* The others of its kind, though they are not as old yet. */
	return connection && connection->state == c->held_by &&
	       (http_connection_held(connection, slot) ||
	        (uint32_t)slot - connection->began_slot >= HTTP_HELD_SLOTS / 4);
}

static void begin(struct http_watch *w, struct detector *d, struct http_server *s, uint8_t kind,
                  const struct http_facts *facts, int64_t from_slot, struct capture_time now)
{
	struct http_case *c = NULL;
	struct prefix scope = scope_at(&s->address, 0);
	int64_t from_ns = slot_start_ns(from_slot), slot = slot_of(now.ns);
	struct capture_time began = now;
	uint64_t own = 0;

	for (unsigned i = 0; i < HTTP_WATCH_CASES && !c; i++)
		if (!w->cases[i].on)
			c = &w->cases[i];
	if (!c) {
		w->cases_refused++;
		return;
	}
	*c = (struct http_case){
		.kind = kind,
		.server = index_of(w, s),
		.serial = s->serial,
		.mark = facts->mark,
		.held_by = facts->held_by,
		.busy_slot = slot,
	};
	for (uint64_t i = 0; i < said_count(w); i++) {
		if (!belongs(w, c, said_at(w, i), from_ns, slot))
			continue;
		began = said_at(w, i)->observation.time;
		own++;
	}
	if (own < REPLAY_MIN)
		return; /* counted already, as what was before */
	c->incident = detector_raise(d, &scope, kind, began, now);
	if (c->incident < 0)
		return;
	for (uint64_t i = said_count(w); i-- > 0;) {
		struct said *r = said_at(w, i);

		if (belongs(w, c, r, from_ns, slot))
			r->taken = detector_take(d, c->incident, kind, &r->observation, &r->keys);
	}
	detector_tell(d, c->incident, kind, facts);
	c->on = true;
	s->frozen = true;
}

static void assess_flood(struct http_watch *w, struct detector *d, struct http_server *s, int64_t slot, bool final,
                         struct capture_time now)
{
	struct http_case *c = find_case(w, s, VECTOR_HTTP);
	struct http_facts facts;
	int64_t from_slot;

	if (c && detector_in_wave(d, c->incident))
		return;
	if (c)
		c->on = false;
	s->frozen = is_attacked(w, s);
	http_server_advance(s, slot);
	if (http_flood_find(s, slot, final, &w->lately, &facts, &from_slot))
		begin(w, d, s, VECTOR_HTTP, &facts, from_slot, now);
}

static void assess_slow(struct http_watch *w, struct detector *d, struct http_server *s, struct capture_time now)
{
	struct http_case *c = find_case(w, s, VECTOR_SLOW_HTTP);
	struct http_facts facts;
	int64_t from_slot;

	if (!http_slow_find(s, &facts, &from_slot))
		return;
	if (c && detector_in_wave(d, c->incident)) {
		detector_tell(d, c->incident, VECTOR_SLOW_HTTP, &facts);
		return;
	}
	if (c)
		c->on = false;
	begin(w, d, s, VECTOR_SLOW_HTTP, &facts, from_slot, now);
}

/* A flood that is over makes room for another; so does one whose server was forgotten, for nothing can belong to it. */
static void end_floods(struct http_watch *w, const struct detector *d)
{
	for (unsigned i = 0; i < HTTP_WATCH_CASES; i++) {
		struct http_case *c = &w->cases[i];
		struct http_server *s;

		if (!c->on || c->kind != VECTOR_HTTP)
			continue;
		s = server_of(w, c);
		if (s && detector_in_wave(d, c->incident))
			continue;
		c->on = false;
		if (s)
			s->frozen = is_attacked(w, s);
	}
}

/* Where hardly any request is unfinished any more, a pause as long as it is allowed would lead on into peace. */
static void end_calm(struct http_watch *w, struct detector *d, int64_t slot, int64_t calm)
{
	for (unsigned i = 0; i < HTTP_WATCH_CASES; i++) {
		struct http_case *c = &w->cases[i];
		struct http_server *s;

		if (!c->on || c->kind != VECTOR_SLOW_HTTP)
			continue;
		s = server_of(w, c);
		if (s && s->open >= HTTP_SWEEP_FROM / 2)
			c->busy_slot = slot;
		if (s && slot - c->busy_slot < calm)
			continue;
		detector_rest(d, c->incident);
		c->on = false;
		if (s)
			s->frozen = is_attacked(w, s);
	}
}

static void assess_all(struct http_watch *w, struct detector *d, int64_t slot, struct capture_time now, bool final)
{
	bool swept = http_table_sweep(w->table, slot, final);

	for (uint32_t i = 0; i < http_table_count(); i++) {
		struct http_server *s = http_table_at(w->table, i);

		if (!s->detail)
			continue;
		if (swept && s->detail->held.slot == slot)
			assess_slow(w, d, s, now);
		if (slot - s->latest_slot <= HTTP_GENERATION_SLOTS)
			assess_flood(w, d, s, slot, final, now);
	}
}

/* ------------------------------------------------------------------ packets */

void http_watch_tick(struct http_watch *w, struct detector *d, int64_t slot)
{
	struct capture_time now = { slot_start_ns(slot) };

	if (slot - SLOTS_PER_SECOND < w->tick_slot)
		return;
	w->tick_slot = slot;
	assess_all(w, d, slot, now, false);
	end_floods(w, d);
	end_calm(w, d, slot, CALM_SLOTS);
}

void http_watch_finish(struct http_watch *w, struct detector *d, struct capture_time last)
{
	assess_all(w, d, slot_of(last.ns), last, true);
	end_calm(w, d, slot_of(last.ns), SLOTS_PER_SECOND);
}

/* A piece of a body is one of the attack's only where it is small: others' uploads go on beside it. */
static bool keeps_waiting(const struct http_case *c, const struct http_view *view, const struct observation *o)
{
	if (c->held_by == HTTP_HEADER)
		return view->piece || (view->request && view->connection->state == HTTP_HEADER);
	return view->piece && o->payload_length <= HTTP_PIECE_SMALL;
}

static bool take(struct http_watch *w, struct detector *d, const struct http_view *view, const struct observation *o,
                 const struct keys *keys)
{
	for (unsigned i = 0; i < HTTP_WATCH_CASES; i++) {
		const struct http_case *c = &w->cases[i];

		if (!c->on || server_of(w, c) != view->server)
			continue;
		if ((c->kind == VECTOR_HTTP ? view->request && http_mark_holds(&c->mark, o)
		                            : keeps_waiting(c, view, o)) &&
		    detector_take(d, c->incident, c->kind, o, keys))
			return true;
	}
	return false;
}

static bool due(struct http_server *s, int64_t slot)
{
	if (!s->detail)
		return false;
	if (s->assessed_slot != slot) {
		s->assessed_slot = slot;
		s->assess_at = ASSESS_FIRST;
	}
	if (http_server_sum(s, slot, slot).requests < s->assess_at)
		return false;
	s->assess_at *= 2;
	return true;
}

bool http_watch_observe(struct http_watch *w, struct detector *d, const struct observation *o, const struct keys *keys,
                        int64_t slot)
{
	struct http_view view = http_table_update(w->table, o, keys, slot);
	struct said *r;

	if (!view.server || (!view.request && !view.piece))
		return false;
	r = &w->said[w->pushed++ % HTTP_WATCH_RECENT];
	*r = (struct said){
		.observation = *o, .keys = *keys, .server = index_of(w, view.server), .serial = view.server->serial
	};
	r->taken = take(w, d, &view, o, keys);
	if (!r->taken && view.request && due(view.server, slot))
		assess_flood(w, d, view.server, slot, false, o->time);
	return r->taken;
}
