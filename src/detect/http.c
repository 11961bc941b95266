/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/http.h"

#include <stdio.h>

#include "measure/slot.h"

#define SHARE 80     /* per cent of the requests that share what they share */
#define UNIFORM 90   /* … and their header order */
#define NAMES_MIN 60 /* requests with always other parameter names: no application has so many */
#define PLAIN_10S 300
#define CROWD_CLIENTS 20
#define MACHINES_CLIENTS 200 /* of addresses that many stand behind (proxies, translators) a server sees fewer */
#define CROWD_1S 400         /* requests of a crowd in a second … */
#define CROWD_10S 2000       /* … or in ten */
#define TENTHS 10
#define LATELY_S 3 /* seconds in which a rate is taken where it has risen */
/*
 * Tenths of a request a second for one target, on average, on each connection: whoever else is behind its client has
 * another.
 */
#define MACHINES_LINE 30 /* no person, no program that waits */
#define JUMP_LINE 15     /* … where hardly anybody came before: programs poll once a second */
/* … of each client */
#define JUMP_RATE 20
#define FAILING_RATE 10 /* … where the server fails */
#define LONE_10S 500    /* requests in ten seconds from few clients to a server that fails */
#define LONE_RATE 50
#define SUDDEN_1S 2000 /* … or to one that copes, but had none of it before */
#define FAIL_MIN 20    /* requests that are old enough to be answered */
#define FAIL_SLOTS 30  /* so long an answer may take … */
#define FAIL_LAST 10   /* … where the input has ended, so long */
#define JUMP 5         /* times what was usual */
#define LEARNED_ENOUGH 10
#define HELD_HEADERS 20
#define HELD_BODIES 20
#define HELD_STARVED 50
#define HELD_PER_CLIENT 8 /* a browser opens six connections to a server, and a program that streams, one */
#define PAUSE_SLOTS 50    /* of silence that part a flood from what was before */
#define BEGUN_SHARE 10    /* requests of an attack from its first slots on: a tenth of its peak */

bool http_mark_holds(const struct http_mark *mark, const struct observation *o)
{
	const struct http *http = &o->http;

	if (!(o->flags & OBSERVATION_HTTP) || (mark->order && http->headers && http->order != mark->order) ||
	    (mark->plain && http->headers > 0 && !(http->flags & HTTP_DOUBLED)))
		return false;
	switch (mark->likeness) {
	case HTTP_RANDOM_NAMES:
		return http->path == mark->value && (http->flags & HTTP_NAMED);
	case HTTP_ONE_TARGET:
		return http->target == mark->value;
	case HTTP_RANDOM_VALUES:
		return http->path == mark->value && (http->flags & HTTP_QUERY);
	case HTTP_UNLIKE:
		break;
	}
	return false;
}

/* ------------------------------------------------------------------ floods */

static void look_back(const struct http_server *s, int64_t slot, struct http_lately *l)
{
	const struct http_detail *d = s->detail;
	const struct http_generation *before = &d->generations[1];
	int64_t from = (d->generation - (before->requests ? 1 : 0)) * HTTP_GENERATION_SLOTS;

	l->all = d->generations[0];
	l->all.requests += before->requests;
	l->all.named += before->named;
	l->all.gets += before->gets;
	l->all.plain += before->plain;
	hll_merge(&l->all.clients, &before->clients);
	hll_merge(&l->all.targets, &before->targets);
	hll_merge(&l->all.names, &before->names);
	topk_merge(&l->all.top_targets, &before->top_targets);
	topk_merge(&l->all.top_paths, &before->top_paths);
	topk_merge(&l->all.top_orders, &before->top_orders);
	topk_sort(&l->all.top_targets);
	topk_sort(&l->all.top_paths);
	topk_sort(&l->all.top_orders);
	l->clients = hll_estimate(&l->all.clients);
	l->targets = hll_estimate(&l->all.targets);
	l->names = hll_estimate(&l->all.names);
	if (l->clients == 0)
		l->clients = 1;
	/* From the first of them on: where all began lately, the time before would make it look slow. */
	if (from < s->first_slot)
		from = s->first_slot;
	l->slots = slot >= from ? (uint64_t)(slot - from) + 1 : 1;
}

/* Tenths of a request a second on each connection, on average. */
static uint64_t line_rate(const struct http_server *s, const struct http_lately *l, uint64_t in_3s)
{
	const struct http_detail *d = s->detail;
	uint64_t now = d->generations[0].connections, before = d->generations[1].connections;
	uint64_t most = now > before ? now : before,
		 here = (uint64_t)(s->last_slot - d->generation * HTTP_GENERATION_SLOTS) + 1;
	uint64_t slots, rate, lately;

	if (most == 0)
		return 0;
	if (here > l->slots)
		here = l->slots;
	slots = now * here + before * (l->slots - here);
	/* In less than a second none can show that it asks again and again. */
	if (slots < most * SLOTS_PER_SECOND)
		slots = most * SLOTS_PER_SECOND;
	rate = l->all.requests * TENTHS * SLOTS_PER_SECOND / slots;
	lately = in_3s * TENTHS / (LATELY_S * most);
	return lately > rate ? lately : rate;
}

static bool holds_share(const struct topk *topk, uint64_t total, unsigned percent)
{
	return topk->used && (topk->entries[0].count - topk->entries[0].error) * 100 >= total * percent;
}

static void find_mark(const struct http_lately *l, struct http_mark *mark, uint64_t *distinct)
{
	uint64_t all = l->all.requests;

	*mark = (struct http_mark){ .plain = l->all.plain * 100 >= all * SHARE };
	if (holds_share(&l->all.top_orders, all, UNIFORM))
		mark->order = (uint32_t)l->all.top_orders.entries[0].key.low;
	if (holds_share(&l->all.top_targets, all, SHARE)) {
		mark->likeness = HTTP_ONE_TARGET;
		mark->value = (uint32_t)l->all.top_targets.entries[0].key.low;
		*distinct = 1;
	} else if (holds_share(&l->all.top_paths, all, SHARE)) {
		mark->value = (uint32_t)l->all.top_paths.entries[0].key.low;
		if (l->all.named * 100 >= all * SHARE && l->names * 100 >= l->all.named * SHARE) {
			mark->likeness = HTTP_RANDOM_NAMES;
			*distinct = l->names;
		} else if (l->targets * 100 >= all * SHARE) {
			mark->likeness = HTTP_RANDOM_VALUES;
			*distinct = l->targets;
		}
	}
}

/* Of those that had time to be answered, less than half were, or half were refused. */
static bool is_failing(const struct http_server *s, int64_t slot, bool final)
{
	int64_t to = slot - (final ? FAIL_LAST : FAIL_SLOTS);
	struct http_counts old = http_server_sum(s, slot - SLOTS_PER_10S, to);

	return old.requests >= FAIL_MIN && (old.answered * 2 < old.requests || old.refused * 2 >= old.requests);
}

/* How many times the usual; 0 where that is not known. */
static uint32_t times_usual(const struct http_server *s, uint64_t in_10s)
{
	const struct http_detail *d = s->detail;
	uint64_t usual;

	if (d->learned_seconds < LEARNED_ENOUGH)
		return 0;
	usual = d->learned_requests * 10 / d->learned_seconds;
	return (uint32_t)(in_10s / (usual ? usual : 1) < UINT32_MAX ? in_10s / (usual ? usual : 1) : UINT32_MAX);
}

static int64_t find_onset(const struct http_server *s, int64_t slot)
{
	const struct http_detail *d = s->detail;
	uint64_t usual = d->learned_seconds >= LEARNED_ENOUGH ? 2 * d->learned_requests / d->learned_seconds : 0;
	uint64_t peak = 0;
	int64_t oldest = slot - SLOTS_PER_SECOND * (HTTP_SECONDS - 1), earliest = slot;

	if (oldest < s->first_slot)
		oldest = s->first_slot;
	for (int64_t at = slot; at >= oldest && earliest - at <= PAUSE_SLOTS; at--) {
		bool fine = slot - at < HTTP_SLOTS;
		uint64_t count = http_server_sum(s, at, at).requests, bound = fine ? usual / SLOTS_PER_SECOND : usual;

		if (fine && count > peak)
			peak = count;
		if (bound < peak / BEGUN_SHARE)
			bound = peak / BEGUN_SHARE;
		if (count > bound)
			earliest = at;
	}
	return earliest;
}

/* What the rules below are held against: requests, and tenths of a request a second. */
struct pace {
	uint64_t in_1s, in_3s, in_10s;
	uint64_t client; /* of each client */
	uint64_t line;   /* on each connection */
};

static struct pace pace_of(const struct http_server *s, int64_t slot)
{
	return (struct pace){
		.in_1s = http_server_sum(s, slot - SLOTS_PER_SECOND + 1, slot).requests,
		.in_3s = http_server_sum(s, slot - LATELY_S * SLOTS_PER_SECOND + 1, slot).requests,
		.in_10s = http_server_sum(s, slot - SLOTS_PER_10S + 1, slot).requests,
	};
}

/*
 * Of each client, on average; all clients of the longer time against the requests of the last: at least so many each.
 */
static uint64_t client_rate(const struct http_lately *l, uint64_t clients, uint64_t in_3s)
{
	uint64_t rate = l->all.requests * TENTHS * SLOTS_PER_SECOND / (clients * l->slots);
	uint64_t lately = in_3s * TENTHS / (LATELY_S * clients);

	return lately > rate ? lately : rate;
}

/* Many that ask for one thing in one header order. */
static bool is_crowd(const struct http_facts *f, const struct http_lately *l, const struct pace *pace)
{
	bool gets = l->all.gets * 100 >= l->all.requests * SHARE, jump = f->times >= JUMP;

	if (!f->mark.order || f->clients < CROWD_CLIENTS || (pace->in_1s < CROWD_1S && pace->in_10s < CROWD_10S))
		return false;
	return (f->clients >= MACHINES_CLIENTS && pace->line >= MACHINES_LINE && gets) ||
	       (f->failing && pace->client >= FAILING_RATE) ||
	       (jump && (pace->client >= JUMP_RATE || pace->line >= JUMP_LINE));
}

static bool is_flood(const struct http_facts *f, const struct http_lately *l, const struct pace *pace)
{
	return f->mark.likeness == HTTP_RANDOM_NAMES || (f->mark.plain && pace->in_10s >= PLAIN_10S) ||
	       is_crowd(f, l, pace) || (f->failing && pace->in_10s >= LONE_10S && pace->client >= LONE_RATE) ||
	       (f->times >= JUMP && pace->in_1s >= SUDDEN_1S && pace->client >= LONE_RATE);
}

bool http_flood_find(const struct http_server *s, int64_t slot, bool final, struct http_lately *l,
                     struct http_facts *facts, int64_t *from_slot)
{
	struct pace pace = pace_of(s, slot);
	struct http_facts f = { 0 };

	/* Before the dearer look: no rule is content with less. */
	if (s->detail->generations[0].requests + s->detail->generations[1].requests < NAMES_MIN)
		return false;
	look_back(s, slot, l);
	find_mark(l, &f.mark, &f.distinct);
	if (f.mark.likeness == HTTP_UNLIKE)
		return false;
	f.requests = l->all.requests;
	f.clients = l->clients < l->all.requests ? l->clients : l->all.requests;
	f.seconds = (uint32_t)((l->slots + SLOTS_PER_SECOND - 1) / SLOTS_PER_SECOND);
	f.failing = is_failing(s, slot, final);
	f.times = times_usual(s, pace.in_10s);
	pace.client = client_rate(l, f.clients, pace.in_3s);
	pace.line = line_rate(s, l, pace.in_3s);
	if (!is_flood(&f, l, &pace))
		return false;
	*facts = f;
	*from_slot = find_onset(s, slot);
	return true;
}

/* ------------------------------------------------------------------ connections that keep a server waiting */

static bool is_crowded(const struct http_held *h, enum http_state state)
{
	return h->count[state] >= HELD_PER_CLIENT * h->clients[state];
}

bool http_slow_find(const struct http_server *s, struct http_facts *facts, int64_t *from_slot)
{
	const struct http_held *h = &s->detail->held;
	enum http_state by;

	if (h->count[HTTP_HEADER] >= HELD_HEADERS)
		by = HTTP_HEADER;
	else if (h->fed >= HELD_BODIES)
		by = HTTP_BODY;
	else if (h->count[HTTP_DRIBBLE] >= HELD_BODIES && is_crowded(h, HTTP_DRIBBLE))
		by = HTTP_DRIBBLE;
	else if (h->count[HTTP_STARVED] >= HELD_STARVED && is_crowded(h, HTTP_STARVED))
		by = HTTP_STARVED;
	else
		return false;
	*facts = (struct http_facts){
		.held = h->count[by],
		.held_clients = h->clients[by],
		.held_by = by,
	};
	*from_slot = h->since_slot[by];
	return true;
}

/* ------------------------------------------------------------------ words */

static const char *many(uint64_t count, const char *one, const char *more)
{
	return count == 1 ? one : more;
}

static unsigned tell_slow(const struct http_facts *f, char lines[HTTP_FACTS_MAX][HTTP_FACT_SIZE])
{
	static const char *const doing[HTTP_STATES] = {
		[HTTP_HEADER] = "their request's header never ends",
		[HTTP_BODY] = "the body they announced comes a few octets at a time",
		[HTTP_DRIBBLE] = "their body comes in chunks of a few octets, and never the last one",
		[HTTP_STARVED] = "they asked, and do not take the answer (their receive window stays closed)",
	};

	(void)snprintf(lines[0], HTTP_FACT_SIZE, "up to %u connections of %u %s were held open at once", f->held,
	               f->held_clients, many(f->held_clients, "client", "clients"));
	(void)snprintf(lines[1], HTTP_FACT_SIZE, "%s", doing[f->held_by]);
	return 2;
}

unsigned http_facts_tell(const struct http_facts *f, char lines[HTTP_FACTS_MAX][HTTP_FACT_SIZE])
{
	unsigned n = 0;

	if (f->held)
		return tell_slow(f, lines);
	if (f->mark.likeness == HTTP_UNLIKE)
		return 0;
	(void)snprintf(lines[n++], HTTP_FACT_SIZE, "%llu requests of %llu %s within %u s when it was noticed",
	               (unsigned long long)f->requests, (unsigned long long)f->clients,
	               many(f->clients, "client", "clients"), f->seconds);
	switch (f->mark.likeness) {
	case HTTP_RANDOM_NAMES:
		(void)snprintf(
			lines[n++], HTTP_FACT_SIZE,
			"all for one page, with always other parameter names (%llu of them), which passes every cache",
			(unsigned long long)f->distinct);
		break;
	case HTTP_RANDOM_VALUES:
		(void)snprintf(lines[n++], HTTP_FACT_SIZE,
		               "all for one page, with always another query (%llu of them), which passes every cache",
		               (unsigned long long)f->distinct);
		break;
	case HTTP_ONE_TARGET:
		(void)snprintf(lines[n++], HTTP_FACT_SIZE, "all for the very same target");
		break;
	case HTTP_UNLIKE:
		break;
	}
	if (f->mark.plain)
		(void)snprintf(lines[n++], HTTP_FACT_SIZE,
		               "without a header, or with headers spelt as no browser does");
	else if (f->mark.order)
		(void)snprintf(lines[n++], HTTP_FACT_SIZE, "with the same header names in the same order");
	if (f->failing)
		(void)snprintf(lines[n++], HTTP_FACT_SIZE,
		               "less than half of them were answered within three seconds, or half were refused");
	else if (f->times >= JUMP)
		(void)snprintf(lines[n++], HTTP_FACT_SIZE, "%u times what was usual before", f->times);
	return n;
}
