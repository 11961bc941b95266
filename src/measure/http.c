/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/http.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "measure/slot.h"
#include "measure/window.h"

/* Of answers: what is below FINAL is not the last. */
enum { STATUS_FINAL = 200, STATUS_TIMEOUT = 408, STATUS_TOO_MANY = 429, STATUS_SERVER_ERROR = 500 };

#define WAYS 4
#define CONNECTION_BUCKETS ((1u << HTTP_CONNECTION_BITS) / WAYS)
#define SERVERS (1u << HTTP_SERVER_BITS)
#define SERVER_BUCKETS (SERVERS / WAYS)
#define CONTINUE_OCTETS 25  /* "HTTP/1.1 100 Continue": an answer, but not to the request */
#define ANSWER_OCTETS 12    /* no answer is shorter than its version and status */
#define NEAR (1u << 30)     /* sequence numbers further apart are of something else */
#define REUSE (16u << 20)   /* no window is so large */
#define STARVED_OCTETS 4096 /* taken of an answer before the client is believed to take it */
#define PENDING_MAX 255
#define SALT_TARGET 11
#define SALT_NAMES 12

struct http_table {
	uint64_t seed;
	uint32_t serial;
	uint32_t details;
	int64_t swept_slot;
	int64_t searched_slot; /* when no detail could be had of anybody */
	uint32_t crowded;      /* servers with HTTP_SWEEP_FROM open connections or more */
	struct http_counters counters;
	struct http_server servers[SERVERS];
	struct http_connection connections[CONNECTION_BUCKETS][WAYS];
	struct http_connection *held[CONNECTION_BUCKETS * WAYS]; /* of a sweep */
};

struct http_table *http_table_new(uint64_t seed)
{
	struct http_table *table = memory_table_new(sizeof(*table));

	if (table) {
		table->seed = seed;
		table->swept_slot = INT64_MIN;
		table->searched_slot = INT64_MIN;
	}
	return table;
}

static void free_details(struct http_table *table)
{
	for (uint32_t i = 0; i < SERVERS; i++)
		free(table->servers[i].detail);
	table->details = 0;
}

void http_table_free(struct http_table *table)
{
	if (!table)
		return;
	free_details(table);
	memory_table_free(table, sizeof(*table));
}

void http_table_clear(struct http_table *table)
{
	free_details(table);
	memset(table->servers, 0, sizeof(table->servers));
	memset(table->connections, 0, sizeof(table->connections));
	table->swept_slot = INT64_MIN;
	table->searched_slot = INT64_MIN;
	table->crowded = 0;
}

uint32_t http_table_count(void)
{
	return SERVERS;
}

struct http_server *http_table_at(struct http_table *table, uint32_t index)
{
	return &table->servers[index];
}

const struct http_counters *http_table_counters(const struct http_table *table)
{
	return &table->counters;
}

/* ------------------------------------------------------------------ a server's counts */

_Static_assert((HTTP_SLOTS & (HTTP_SLOTS - 1)) == 0, "a ring index is a mask");
_Static_assert((HTTP_SECONDS & (HTTP_SECONDS - 1)) == 0, "a ring index is a mask");

static void learn(struct http_server *s, const struct http_slot *second)
{
	struct http_detail *d = s->detail;

	if (s->frozen)
		return;
	d->learned_requests += second->requests;
	if (++d->learned_seconds >= HTTP_LEARN_MAX) {
		d->learned_seconds /= 2;
		d->learned_requests /= 2;
	}
}

static void new_generation(struct http_detail *d, int64_t generation)
{
	if (generation == d->generation + 1)
		d->generations[1] = d->generations[0];
	else
		memset(&d->generations[1], 0, sizeof(d->generations[1]));
	memset(&d->generations[0], 0, sizeof(d->generations[0]));
	d->generation = generation;
}

void http_server_advance(struct http_server *s, int64_t slot)
{
	struct http_detail *d = s->detail;
	int64_t second = slot_second(slot), last_second = slot_second(s->last_slot);
	int64_t steps = slot - s->last_slot;

	if (steps <= 0)
		return;
	for (int64_t i = 1; i <= steps && i <= HTTP_SLOTS; i++)
		d->slots[slot_ring_index(s->last_slot + i, HTTP_SLOTS)] = (struct http_slot){ 0 };
	for (int64_t i = 1; i <= second - last_second && i <= HTTP_SECONDS; i++) {
		if (last_second + i - HTTP_LEARN_DELAY >= slot_second(s->first_slot))
			learn(s, &d->seconds[slot_ring_index(last_second + i - HTTP_LEARN_DELAY, HTTP_SECONDS)]);
		d->seconds[slot_ring_index(last_second + i, HTTP_SECONDS)] = (struct http_slot){ 0 };
	}
	if (slot_floor_div(slot, HTTP_GENERATION_SLOTS) != d->generation)
		new_generation(d, slot_floor_div(slot, HTTP_GENERATION_SLOTS));
	s->last_slot = slot;
}

static void sum_in(struct http_counts *sum, const struct http_slot *slot)
{
	sum->requests += slot->requests;
	sum->answered += slot->answered;
	sum->refused += slot->refused;
	sum->fresh += slot->fresh;
}

struct http_counts http_server_sum(const struct http_server *s, int64_t from, int64_t to)
{
	const struct http_detail *d = s->detail;
	struct http_counts sum = { 0 };
	int64_t last_second = slot_second(s->last_slot);

	if (to > s->last_slot)
		to = s->last_slot;
	if (from >= s->last_slot - HTTP_SLOTS + 1) {
		for (; from <= to; from++)
			sum_in(&sum, &d->slots[slot_ring_index(from, HTTP_SLOTS)]);
		return sum;
	}
	from = slot_second(from);
	if (from <= last_second - HTTP_SECONDS)
		from = last_second - HTTP_SECONDS + 1;
	for (; from <= slot_second(to); from++)
		sum_in(&sum, &d->seconds[slot_ring_index(from, HTTP_SECONDS)]);
	return sum;
}

static void book(struct http_server *s, struct http_connection *c, const struct observation *o, uint64_t client,
                 uint64_t seed, bool fresh)
{
	const struct http *http = &o->http;
	struct http_detail *d = s->detail;
	struct http_generation *g = &d->generations[0];
	uint32_t generation = (uint32_t)d->generation | 1u << 31;
	struct http_slot *slots[2] = {
		&d->slots[slot_ring_index(s->last_slot, HTTP_SLOTS)],
		&d->seconds[slot_ring_index(slot_second(s->last_slot), HTTP_SECONDS)],
	};

	for (unsigned i = 0; i < 2; i++) {
		slots[i]->requests += o->weight;
		slots[i]->fresh += fresh ? o->weight : 0;
	}
	g->requests += o->weight;
	g->connections += c->counted != generation ? o->weight : 0;
	c->counted = generation;
	g->gets += http->method == HTTP_GET || http->method == HTTP_HEAD ? o->weight : 0;
	g->plain += ((http->flags & HTTP_ENDED) && http->headers == 0) || (http->flags & HTTP_DOUBLED) ? o->weight : 0;
	hll_add(&g->clients, client);
	hll_add(&g->targets, hash_2(seed, http->target, SALT_TARGET));
	if (http->flags & HTTP_NAMED) {
		g->named += o->weight;
		hll_add(&g->names, hash_2(seed, http->names, SALT_NAMES));
	}
	topk_add(&g->top_clients, address_topk(&o->src), o->weight);
	topk_add(&g->top_targets, topk_number(http->target), o->weight);
	topk_add(&g->top_paths, topk_number(http->path), o->weight);
	if (http->headers) /* a request in pieces does not show its order */
		topk_add(&g->top_orders, topk_number(http->order), o->weight);
}

/* An answer, or a refusal, to `count` requests that began in `slot`. */
static void settle(struct http_server *s, int64_t slot, uint32_t count, bool refused)
{
	struct http_detail *d = s->detail;
	struct http_slot *slots[2] = { NULL, NULL };

	if (!d || slot > s->last_slot)
		return;
	if (s->last_slot - slot < HTTP_SLOTS)
		slots[0] = &d->slots[slot_ring_index(slot, HTTP_SLOTS)];
	if (slot_second(s->last_slot) - slot_second(slot) < HTTP_SECONDS)
		slots[1] = &d->seconds[slot_ring_index(slot_second(slot), HTTP_SECONDS)];
	for (unsigned i = 0; i < 2; i++) {
		uint32_t open;

		if (!slots[i])
			continue;
		open = slots[i]->requests > slots[i]->answered ? slots[i]->requests - slots[i]->answered : 0;
		slots[i]->answered += count < open ? count : open;
		if (refused && slots[i]->refused < slots[i]->requests)
			slots[i]->refused++;
	}
}

/* ------------------------------------------------------------------ tables */

static struct http_connection *find(struct http_table *table, uint64_t identity)
{
	struct http_connection *bucket = table->connections[identity >> 32 & (CONNECTION_BUCKETS - 1)];

	for (unsigned i = 0; i < WAYS; i++)
		if (bucket[i].identity == identity)
			return &bucket[i];
	return NULL;
}

struct http_connection *http_table_find(struct http_table *table, const struct keys *keys)
{
	return find(table, keys->flow);
}

static struct http_server *server_of(struct http_table *table, const struct http_connection *c)
{
	struct http_server *s = &table->servers[c->server];

	return s->identity && s->serial == c->serial ? s : NULL;
}

static void set_state(struct http_table *table, struct http_connection *c, enum http_state state)
{
	struct http_server *s = server_of(table, c);

	if (s && (c->state == HTTP_WHOLE) != (state == HTTP_WHOLE)) {
		if (state != HTTP_WHOLE && ++s->open == HTTP_SWEEP_FROM)
			table->crowded++;
		else if (state == HTTP_WHOLE && s->open-- == HTTP_SWEEP_FROM)
			table->crowded--;
	}
	c->state = (uint8_t)state;
}

static void forget(struct http_table *table, struct http_connection *c)
{
	set_state(table, c, HTTP_WHOLE);
	*c = (struct http_connection){ 0 };
}

static struct http_connection *make_connection(struct http_table *table, uint64_t identity, int64_t slot)
{
	struct http_connection *bucket = table->connections[identity >> 32 & (CONNECTION_BUCKETS - 1)];
	struct http_connection *victim = NULL;

	for (unsigned i = 0; i < WAYS; i++) {
		struct http_connection *c = &bucket[i];

		if (c->identity == 0) {
			victim = c;
			break;
		}
		if (!victim || (uint32_t)slot - c->last_slot > (uint32_t)slot - victim->last_slot)
			victim = c;
	}
	if (victim->identity) {
		if ((uint32_t)slot - victim->last_slot <= HTTP_IDLE_SLOTS)
			table->counters.connections_pushed_out++;
		forget(table, victim);
	}
	victim->identity = identity;
	return victim;
}

static void drop_server(struct http_table *table, struct http_server *s)
{
	if (s->open >= HTTP_SWEEP_FROM)
		table->crowded--;
	if (s->detail) {
		free(s->detail);
		table->details--;
	}
	*s = (struct http_server){ 0 };
}

static struct http_server *get_server(struct http_table *table, const struct observation *o, const struct keys *keys,
                                      int64_t slot)
{
	uint64_t identity = hash_2(keys->destination, o->dst_port, table->seed) | 1;
	struct http_server *bucket = &table->servers[(identity >> 32 & (SERVER_BUCKETS - 1)) * WAYS], *victim = NULL;

	for (unsigned i = 0; i < WAYS; i++) {
		if (bucket[i].identity == identity)
			return &bucket[i];
		if (!victim ||
		    (victim->identity && (bucket[i].identity == 0 || bucket[i].latest_slot < victim->latest_slot)))
			victim = &bucket[i];
	}
	if (victim->identity)
		table->counters.servers_pushed_out++;
	drop_server(table, victim);
	*victim = (struct http_server){
		.identity = identity,
		.address = o->dst,
		.port = o->dst_port,
		.serial = ++table->serial,
		.first_slot = slot,
		.last_slot = slot,
		.latest_slot = slot,
		.counted_slot = slot,
		.assessed_slot = slot,
	};
	return victim;
}

/*
 * The longest silent server gives its detail up, if it has been silent for a while. Where none was, none will be in
 * this slot: what asks for detail again and again costs a glance a packet, not a search.
 */
static bool make_detail_room(struct http_table *table, int64_t slot)
{
	struct http_server *oldest = NULL;

	if (table->searched_slot == slot)
		return false;
	table->counters.searches++;
	for (uint32_t i = 0; i < SERVERS; i++) {
		struct http_server *s = &table->servers[i];

		if (s->detail && slot - s->latest_slot > HTTP_PROMOTE_SLOTS &&
		    (!oldest || s->latest_slot < oldest->latest_slot))
			oldest = s;
	}
	if (!oldest) {
		table->searched_slot = slot;
		return false;
	}
	free(oldest->detail);
	oldest->detail = NULL;
	oldest->counted = 0;
	table->details--;
	return true;
}

/* Counts towards its detail; true where it has it. */
static bool promote(struct http_table *table, struct http_server *s, int64_t slot)
{
	if (s->detail)
		return true;
	if (slot - s->counted_slot > HTTP_PROMOTE_SLOTS) {
		s->counted_slot = slot;
		s->counted = 0;
	}
	s->last_slot = slot;
	if (++s->counted < HTTP_PROMOTE && s->open < HTTP_SWEEP_FROM)
		return false;
	if ((table->details == HTTP_DETAILS_MAX && !make_detail_room(table, slot)) ||
	    !(s->detail = calloc(1, sizeof(*s->detail)))) {
		s->counted = 0;
		table->counters.details_refused++;
		return false;
	}
	table->details++;
	s->detail->generation = slot_floor_div(slot, HTTP_GENERATION_SLOTS);
	s->detail->held.slot = INT64_MIN;
	/* Before, there was hardly anything: that much is known of what is usual. */
	s->detail->learned_seconds = (uint32_t)((slot - s->first_slot) / SLOTS_PER_SECOND < HTTP_LEARN_MAX
	                                                ? (slot - s->first_slot) / SLOTS_PER_SECOND
	                                                : HTTP_LEARN_MAX);
	return true;
}

/* ------------------------------------------------------------------ a packet */

_Static_assert(HTTP_CHUNK_SMALL <= OBSERVATION_PAYLOAD_MAX, "the last chunk is found in what is kept");

/* What the packet leaves to be said of its request. */
static enum http_state state_after(const struct observation *o, uint32_t *body_left)
{
	const struct http *http = &o->http;

	*body_left = 0;
	if (!(http->flags & HTTP_ENDED))
		return http->flags & HTTP_CUT ? HTTP_WHOLE : HTTP_HEADER;
	if ((http->flags & HTTP_LENGTH) && http->length > http->body) {
		*body_left = http->length - http->body;
		return HTTP_BODY;
	}
	if (!(http->flags & HTTP_CHUNKED) || (http->flags & HTTP_CUT) || http->body > HTTP_CHUNK_SMALL)
		return HTTP_WHOLE;
	/* What a body ends with is what a header block does; if there is none yet, it was the header's. */
	return http->body && (o->flags & OBSERVATION_BLOCK_END) ? HTTP_WHOLE : HTTP_DRIBBLE;
}

static int64_t whole_slot(int64_t now, uint32_t low)
{
	return now - (uint32_t)((uint32_t)now - low);
}

/* The client's acknowledgement moved over octets of an answer. */
static void see_answer(struct http_table *table, struct http_connection *c, uint32_t acked, int64_t slot)
{
	struct http_server *s = server_of(table, c);

	if (c->pending == 0 || acked < ANSWER_OCTETS || acked >= NEAR ||
	    ((c->state == HTTP_BODY || c->state == HTTP_DRIBBLE) && acked <= CONTINUE_OCTETS))
		return;
	if (s)
		settle(s, whole_slot(slot, c->began_slot), c->pending, false);
	c->pending = 0;
	/* Whoever was answered need not finish its request. */
	if (c->state == HTTP_HEADER || c->state == HTTP_DRIBBLE)
		set_state(table, c, HTTP_WHOLE);
}

static struct http_view begin_request(struct http_table *table, const struct observation *o, const struct keys *keys,
                                      struct http_connection *c, int64_t slot)
{
	struct http_view view = { .request = true };
	bool fresh = !c;
	uint32_t body_left;

	view.server = get_server(table, o, keys, slot);
	view.server->latest_slot = slot;
	if (!c)
		c = make_connection(table, keys->flow, slot);
	else
		set_state(table, c, HTTP_WHOLE);
	c->server = (uint32_t)(view.server - table->servers);
	c->serial = view.server->serial;
	c->client = (uint32_t)keys->source;
	c->client_low = keys->sender_low;
	c->began_slot = c->last_slot = (uint32_t)slot;
	c->next_seq = o->tcp.seq + o->payload_length;
	c->ack = o->tcp.ack;
	c->octets = 0;
	c->pieces = 0;
	c->pending = (uint8_t)(c->pending < PENDING_MAX ? c->pending + 1 : PENDING_MAX);
	set_state(table, c, state_after(o, &body_left));
	c->body_left = body_left;
	view.connection = c;
	if (promote(table, view.server, slot)) {
		http_server_advance(view.server, slot);
		book(view.server, c, o, keys->source, table->seed, fresh);
	}
	return view;
}

static bool is_unfinished(const struct http_connection *c)
{
	return c->state == HTTP_HEADER || c->state == HTTP_BODY || c->state == HTTP_DRIBBLE;
}

/* Whether the last chunk, of size 0, begins here (RFC 9112 section 7.1): at the packet's beginning or behind a line. */
static bool has_last_chunk(const struct observation *o)
{
	for (unsigned i = 0; i + 3 <= o->payload_kept; i++)
		if ((i == 0 || o->payload[i - 1] == '\n') && memcmp(o->payload + i, "0\r\n", 3) == 0)
			return true;
	return false;
}

/* More of a request; `length` octets of it are new. */
static void go_on(struct http_table *table, struct http_connection *c, const struct observation *o, uint32_t length)
{
	c->octets += length;
	if (length <= HTTP_PIECE_SMALL && c->pieces < UINT16_MAX)
		c->pieces++;
	if (c->state == HTTP_HEADER) {
		if (o->flags & (OBSERVATION_BLOCK_END | OBSERVATION_CUT))
			set_state(table, c, HTTP_WHOLE);
	} else if (c->state == HTTP_BODY) {
		c->body_left = length < c->body_left ? c->body_left - length : 0;
		if (c->body_left == 0)
			set_state(table, c, HTTP_WHOLE);
	} else if (o->payload_length > HTTP_CHUNK_SMALL || (o->flags & OBSERVATION_CUT) || has_last_chunk(o)) {
		set_state(table, c, HTTP_WHOLE); /* HTTP_DRIBBLE, and now an upload like any other, or done */
	}
}

/* Does the client take its answer? A window that opens again proves nothing before something comes of it. */
static void see_window(struct http_table *table, struct http_connection *c, const struct observation *o, int64_t slot)
{
	if (c->state == HTTP_STARVED) {
		uint32_t taken = o->tcp.ack - c->ack, age = (uint32_t)slot - c->began_slot;

		if (taken >= NEAR)
			return;
		c->octets = taken;
		if (taken > STARVED_OCTETS && (uint64_t)taken * SLOTS_PER_SECOND > (uint64_t)age * HTTP_HELD_RATE)
			set_state(table, c, HTTP_WHOLE);
	} else if (c->state == HTTP_WHOLE && o->tcp.window < HTTP_WINDOW_STARVED && c->pending == 0) {
		set_state(table, c, HTTP_STARVED);
		c->began_slot = (uint32_t)slot;
		c->ack = o->tcp.ack;
		c->octets = 0;
	}
}

static struct http_view client_speaks(struct http_table *table, const struct observation *o, const struct keys *keys,
                                      struct http_connection *c, int64_t slot)
{
	uint32_t end = o->tcp.seq + o->payload_length, ahead = end - c->next_seq;
	struct http_view view = { .connection = c };

	if (o->tcp.flags & TCP_ACK)
		see_answer(table, c, o->tcp.ack - c->ack, slot);
	if (o->tcp.flags & (TCP_FIN | TCP_RST)) {
		forget(table, c);
		return (struct http_view){ 0 };
	}
	if (o->payload_length && ahead - 1 < NEAR) { /* else it was sent before */
		if ((o->flags & OBSERVATION_HTTP) && !is_unfinished(c))
			return begin_request(table, o, keys, c, slot);
		c->next_seq = end;
		view.piece = is_unfinished(c);
		if (view.piece)
			go_on(table, c, o, ahead < o->payload_length ? ahead : o->payload_length);
	}
	see_window(table, c, o, slot);
	view.piece = view.piece || c->state == HTTP_STARVED;
	c->last_slot = (uint32_t)slot;
	view.server = server_of(table, c);
	if (view.server)
		view.server->latest_slot = slot;
	return view;
}

/* The server says that it is asked too much, or is broken (RFC 9110, RFC 6585). */
static bool is_refusal(unsigned status)
{
	return status == STATUS_TIMEOUT || status == STATUS_TOO_MANY || status >= STATUS_SERVER_ERROR;
}

static void server_speaks(struct http_table *table, struct http_connection *c, const struct observation *o,
                          unsigned status, int64_t slot)
{
	struct http_server *s = server_of(table, c);

	if (s && c->pending && status >= STATUS_FINAL) {
		settle(s, whole_slot(slot, c->began_slot), 1, is_refusal(status));
		c->pending--;
		if (c->state == HTTP_HEADER || c->state == HTTP_DRIBBLE)
			set_state(table, c, HTTP_WHOLE);
	}
	if (o->tcp.flags & (TCP_FIN | TCP_RST))
		forget(table, c);
}

/* The ports are used again, and no end was seen. */
static bool is_another(const struct http_connection *c, const struct observation *o, const struct keys *keys)
{
	uint32_t step = o->tcp.seq - c->next_seq;

	return c->client_low == keys->sender_low && step >= REUSE && -step >= REUSE;
}

struct http_view http_table_update(struct http_table *table, const struct observation *o, const struct keys *keys,
                                   int64_t slot)
{
	struct http_connection *c = find(table, keys->flow);

	if (c && (uint32_t)slot - c->last_slot > HTTP_IDLE_SLOTS) {
		forget(table, c);
		c = NULL;
	}
	if (c && (o->flags & OBSERVATION_HTTP) && is_another(c, o, keys)) {
		forget(table, c);
		c = NULL;
	}
	if (c && c->client_low == keys->sender_low)
		return client_speaks(table, o, keys, c, slot);
	if (c)
		server_speaks(table, c, o, http_status(o->payload, o->payload_kept), slot);
	else if (o->flags & OBSERVATION_HTTP)
		return begin_request(table, o, keys, NULL, slot);
	return (struct http_view){ 0 };
}

/* ------------------------------------------------------------------ who is kept waiting */

bool http_connection_held(const struct http_connection *c, int64_t slot)
{
	uint32_t age = (uint32_t)slot - c->began_slot;

	if (c->state == HTTP_DRIBBLE && c->pieces < 2)
		return false; /* who pauses is no attacker, and of chunks nobody said that there are more */
	return c->state != HTTP_WHOLE && age >= HTTP_HELD_SLOTS && (uint32_t)slot - c->last_slot <= HTTP_IDLE_SLOTS &&
	       (uint64_t)c->octets * SLOTS_PER_SECOND <= (uint64_t)age * HTTP_HELD_RATE;
}

static int by_server(const void *left, const void *right)
{
	const struct http_connection *a = *(struct http_connection *const *)left,
				     *b = *(struct http_connection *const *)right;

	if (a->server != b->server)
		return a->server < b->server ? -1 : 1;
	if (a->state != b->state)
		return a->state < b->state ? -1 : 1;
	return a->client < b->client ? -1 : a->client > b->client;
}

/* Those of a list that is in order of server, state, client. */
static void count_held(struct http_table *table, struct http_connection *const *held, uint32_t count, int64_t slot)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct http_connection *c = held[i];
		struct http_held *h = &table->servers[c->server].detail->held;
		int64_t began = whole_slot(slot, c->began_slot);

		if (h->count[c->state]++ == 0 || began < h->since_slot[c->state])
			h->since_slot[c->state] = began;
		h->fed += c->state == HTTP_BODY && c->pieces >= 2;
		h->clients[c->state] += i == 0 || by_server(&held[i - 1], &held[i]) != 0;
	}
}

bool http_table_sweep(struct http_table *table, int64_t slot, bool at_once)
{
	uint32_t count = 0;

	if (table->crowded == 0 || (!at_once && slot - SLOTS_PER_SECOND < table->swept_slot))
		return false;
	table->swept_slot = slot;
	for (uint32_t i = 0; i < SERVERS; i++)
		if (table->servers[i].open >= HTTP_SWEEP_FROM && table->servers[i].detail)
			table->servers[i].detail->held = (struct http_held){ .slot = slot };
	for (uint32_t i = 0; i < CONNECTION_BUCKETS * WAYS; i++) {
		struct http_connection *c = &table->connections[i / WAYS][i % WAYS];
		const struct http_server *s;

		if (c->identity == 0 || c->state == HTTP_WHOLE)
			continue;
		if ((uint32_t)slot - c->last_slot > HTTP_IDLE_SLOTS) {
			forget(table, c);
			continue;
		}
		s = server_of(table, c);
		if (s && s->open >= HTTP_SWEEP_FROM && s->detail && s->detail->held.slot == slot &&
		    http_connection_held(c, slot))
			table->held[count++] = c;
	}
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers */
	qsort(table->held, count, sizeof(table->held[0]), by_server);
	count_held(table, table->held, count, slot);
	return true;
}
