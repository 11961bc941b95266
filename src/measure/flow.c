/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of a TCP entry: opened by a SYN, answered by the other side's SYN-ACK, established when the opener acknowledges
 * with the sequence number after its SYN. A conversation whose beginning was not seen starts as an orphan and counts as
 * unasked until the other side speaks, or its sequence and acknowledgement numbers move by a plausible step: random
 * numbers do so once in 250 times. An orphan that jumps is not believed, or no longer, before ORPHAN_STEPS such steps
 * more have followed each other: a flood that repeats its ports makes hundreds of jumps, and what is believed counts as
 * normal traffic.
 *
 * A UDP entry keeps, for each place where protocols put a counter, its lowest octet. A place that moves forward by a
 * small step COUNTER_STEPS times in a row is a counter: of random payloads hardly one conversation in two thousand gets
 * there.
 */
#include "measure/flow.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "observe/protocol.h"

#define WAYS 4
#define BUCKETS ((1u << FLOW_TABLE_BITS) / WAYS)
#define PROGRESS_SPAN (4u << 20) /* octets that a window may plausibly move between two packets of one sender */
#define ORPHAN_STEPS 2
#define RETRANSMIT_SLOTS 8 /* a SYN is repeated after a second or more (RFC 6298) … */
#define RETRANSMIT_EVEN 5  /* … so many times at even intervals, as some do, and then after ever longer ones … */
#define RETRANSMIT_DOUBLINGS 7 /* … that are known until the conversation is forgotten */
#define COUNTER_STEPS 6
#define COUNTER_STRIDE 40 /* a flow export counts the flows it carries */
#define COUNTER_RESTARTS 2
#define GROUP_FILTER_BITS 16384

/* Kinds of entries that share the table; keys_make() makes those of SPACE_FLOWS. */
enum { SPACE_FLOWS, SPACE_OUTER, SPACE_FRAGMENTS, SPACE_GROUP };

enum {
	STATE_LIVE = 1u << 0,
	STATE_OPENER_LOW = 1u << 1, /* the opener is the end that sorts first */
	STATE_ANSWERED = 1u << 2,   /* the other end has spoken (not only refused) */
	STATE_SYN = 1u << 3,        /* opened by a SYN */
	STATE_ENGAGED = 1u << 4,
	STATE_DONE = 1u << 5,      /* TCP: FIN or RST seen: a new SYN may reuse the ports */
	STATE_FRAGMENTS = 1u << 6, /* a note, no conversation: of fragments, or of a question to a group */
	STATE_WELCOME = 1u << 7,   /* fragments only */
	STATE_HTTP = 1u << 7,      /* TCP only */
};

struct entry {
	uint64_t identity;
	uint32_t last_slot; /* low 32 bits: 13 years of slots */
	uint32_t first_slot;
	union {
		struct {
			uint32_t next_seq; /* the opener's next expected sequence number */
			/*
			 * the opener's last acknowledgement number; of a half-open handshake the one due; after
			 * it its slot until data flows
			 */
			uint32_t last_ack;
		} tcp;
		struct {
			uint8_t last[7];    /* the octet at each of counter_places */
			uint8_t candidates; /* a bit for each place that has always moved like a counter */
		} udp;
	};
	uint8_t state;
	uint8_t kind;
	uint8_t unsettled_seen; /* packets from the opener that were counted as unasked: FLOW_UNSETTLED_MAX at most … */
	/*
	 * UDP: steps of a counter, restarts << 4; TCP: before a handshake how often its SYN was repeated, after it 1
	 * once the opener has sent data; of an orphan the plausible steps that are due before it may be believed
	 */
	uint8_t steps;
	uint32_t unsettled; /* … and what they stand for; of a connection that has said nothing, its handshake's end */
};

_Static_assert(sizeof(struct entry) == 32, "an entry is half a cache line");

#define TABLE_SIZE (sizeof(struct entry) * WAYS * BUCKETS)

struct flow_table {
	uint64_t seed;
	struct flow_counters counters;
	uint64_t group_filter
		[GROUP_FILTER_BITS /
	         64]; /* a bit for each question to a group since the table was empty: few ask, and all answers look */
	struct entry (*entries)[WAYS]; /* BUCKETS of them, each on two whole cache lines */
};

struct flow_table *flow_table_new(uint64_t seed)
{
	struct flow_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->seed = seed;
	table->entries = memory_table_new(TABLE_SIZE);
	if (!table->entries) {
		free(table);
		return NULL;
	}
	return table;
}

void flow_table_free(struct flow_table *table)
{
	if (table)
		memory_table_free(table->entries, TABLE_SIZE);
	free(table);
}

void flow_table_clear(struct flow_table *table)
{
	memset(table->entries, 0, TABLE_SIZE);
	memset(table->group_filter, 0, sizeof(table->group_filter));
}

void flow_prefetch(const struct flow_table *table, const struct keys *keys)
{
	const char *bucket = (const char *)table->entries[keys->flow >> 32 & (BUCKETS - 1)];

	__builtin_prefetch(bucket, 1);
	__builtin_prefetch(bucket + MEMORY_LINE, 1);
}

const struct flow_counters *flow_table_counters(const struct flow_table *table)
{
	return &table->counters;
}

static uint32_t age(const struct entry *entry, int64_t slot)
{
	return (uint32_t)slot - entry->last_slot;
}

/* No branch depends on which way it is: that is as good as random, and half of all guesses would be wrong. */
static struct entry *find(const struct flow_table *table, uint64_t identity, int64_t slot)
{
	const struct entry *bucket = table->entries[identity >> 32 & (BUCKETS - 1)];
	unsigned way = WAYS;

	for (unsigned i = WAYS; i-- > 0;) {
		bool same = bucket[i].identity == identity, live = age(&bucket[i], slot) <= FLOW_IDLE_SLOTS;

		way = (same & live) ? i : way;
	}
	return way < WAYS ? (struct entry *)(uintptr_t)&bucket[way] : NULL;
}

/* Field by field: a struct that is put together first and then copied waits for its own stores. */
static void begin_entry(struct entry *e, uint64_t identity, int64_t slot)
{
	e->identity = identity;
	e->first_slot = e->last_slot = (uint32_t)slot;
	e->tcp.next_seq = e->tcp.last_ack = 0;
	e->state = e->kind = e->unsettled_seen = e->steps = 0;
	e->unsettled = 0;
}

/*
 * How well an entry can be missed: free or stale ones best, then the longest silent; 0: it stays. Of what has ended
 * only stragglers come.
 */
static uint64_t spare(const struct entry *e, uint64_t identity, int64_t slot)
{
	uint32_t silent = age(e, slot);
	uint32_t kept = e->state & STATE_DONE ? FLOW_KEEP_DONE_SLOTS : FLOW_KEEP_ENGAGED_SLOTS;

	if (e->identity == identity || !(e->state & STATE_LIVE) || silent > FLOW_IDLE_SLOTS)
		return UINT64_MAX;
	return (e->state & STATE_ENGAGED) && silent <= kept ? 0 : (uint64_t)silent + 1;
}

/* The first of those that can be missed best makes room. */
static struct entry *make_room(struct flow_table *table, uint64_t identity, int64_t slot)
{
	struct entry *bucket = table->entries[identity >> 32 & (BUCKETS - 1)];
	struct entry *victim = &bucket[0];
	uint64_t most = spare(victim, identity, slot);

	for (unsigned i = 1; i < WAYS; i++) {
		uint64_t other = spare(&bucket[i], identity, slot);

		victim = other > most ? &bucket[i] : victim;
		most = other > most ? other : most;
	}
	if (most == 0) {
		table->counters.refused++;
		return NULL;
	}
	if ((victim->state & STATE_LIVE) && age(victim, slot) <= FLOW_IDLE_SLOTS && victim->identity != identity)
		table->counters.pushed_out++;
	table->counters.created++;
	begin_entry(victim, identity, slot);
	return victim;
}

/* `distance` ahead by less than a plausible window. */
static bool ahead(uint32_t distance)
{
	return distance != 0 && distance < PROGRESS_SPAN;
}

static uint32_t after_segment(const struct observation *o)
{
	uint32_t next = o->tcp.seq + o->payload_length;

	if (o->tcp.flags & TCP_SYN)
		next++;
	if (o->tcp.flags & TCP_FIN)
		next++;
	return next;
}

static void settle(struct entry *entry, int64_t slot, bool toward_dst, struct flow_view *view)
{
	view->settled = entry->unsettled;
	view->settled_slot = slot - (uint32_t)((uint32_t)slot - entry->first_slot);
	view->settled_toward_dst = toward_dst;
	entry->unsettled = entry->unsettled_seen = 0;
}

static void count_unsettled(struct entry *entry, const struct observation *o)
{
	if (entry->unsettled_seen == FLOW_UNSETTLED_MAX)
		return;
	entry->unsettled_seen++;
	entry->unsettled = o->weight < UINT32_MAX - entry->unsettled ? entry->unsettled + o->weight : UINT32_MAX;
}

/* Lowest octets of: RTP and iperf, ESP, WireGuard (little-endian), IPFIX, NetFlow v9, uTP, NetFlow v5 and sFlow */
static const uint8_t counter_places[] = { 3, 7, 8, 11, 15, 17, 19 };

#define COUNTER_PLACES (sizeof(counter_places) / sizeof(counter_places[0]))
#define COUNTER_ALL ((1u << COUNTER_PLACES) - 1)

static void keep_counters(struct entry *e, const struct observation *o)
{
	for (unsigned i = 0; i < COUNTER_PLACES; i++)
		e->udp.last[i] = o->payload[counter_places[i]];
}

/* UDP; or ESP without it, which counts where ESP in UDP does (RFC 4303 section 2.2). */
static bool may_count(const struct observation *o)
{
	return o->protocol == PROTOCOL_UDP || o->protocol == PROTOCOL_ESP;
}

/* Whether the payload counts by now. */
static bool udp_counts(struct entry *e, const struct observation *o)
{
	uint8_t candidates = e->udp.candidates, restarts = e->steps >> 4, steps = e->steps & 15;

	if (restarts > COUNTER_RESTARTS)
		return false;
	for (unsigned i = 0; i < COUNTER_PLACES; i++) {
		uint8_t step = (uint8_t)(o->payload[counter_places[i]] - e->udp.last[i]);

		if (step == 0 || step > COUNTER_STRIDE || counter_places[i] >= o->payload_kept)
			candidates &= (uint8_t) ~(1u << i);
	}
	keep_counters(e, o);
	if (candidates == 0) {
		e->udp.candidates = COUNTER_ALL;
		e->steps = (uint8_t)((restarts + 1) << 4);
		return false;
	}
	e->udp.candidates = candidates;
	if (steps < COUNTER_STEPS)
		steps++;
	e->steps = (uint8_t)(restarts << 4 | steps);
	return steps == COUNTER_STEPS;
}

static void open_entry(struct entry *entry, const struct observation *o, bool sender_low, struct flow_view *view)
{
	entry->state = STATE_LIVE | (sender_low ? STATE_OPENER_LOW : 0);
	count_unsettled(entry, o);
	if (o->flags & OBSERVATION_TCP) {
		if (protocol_is_bare_syn(o))
			entry->state |= STATE_SYN;
		entry->tcp.next_seq = after_segment(o);
		entry->tcp.last_ack = o->tcp.ack;
	} else if (may_count(o)) {
		keep_counters(entry, o);
		entry->udp.candidates = COUNTER_ALL;
	}
	view->fresh = true;
	view->from_opener = true;
}

static void engage(struct entry *e, int64_t slot, bool toward_dst, struct flow_view *view)
{
	if (e->state & STATE_SYN)
		e->steps = 0;
	e->state |= STATE_ENGAGED;
	view->engaged = true;
	settle(e, slot, toward_dst, view);
}

static bool near(uint32_t step)
{
	return step < PROGRESS_SPAN || -step < PROGRESS_SPAN;
}

/*
 * A handshake that was seen from one side may have been acted by a forger, who has to guess what to acknowledge. Once
 * data flows its acknowledgements must move as a real one's do.
 */
static void established_opener_speaks(struct entry *e, const struct observation *o, int64_t slot,
                                      struct flow_view *view)
{
	if (e->steps && !(e->state & STATE_ANSWERED) && (o->tcp.flags & TCP_ACK) &&
	    !near(o->tcp.ack - e->tcp.last_ack)) {
		e->state &= (uint8_t) ~(STATE_ENGAGED | STATE_SYN);
		e->steps = ORPHAN_STEPS;
		e->tcp.next_seq = after_segment(o);
		e->tcp.last_ack = o->tcp.ack;
		view->engaged = false;
		count_unsettled(e, o);
		return;
	}
	if (e->steps == 0 && o->payload_length > 0) {
		e->steps = 1;
		view->first_data = true;
		view->connected = e->unsettled;
		e->unsettled = 0;
		view->settled_slot = slot - (uint32_t)((uint32_t)slot - e->tcp.last_ack);
		e->tcp.last_ack = o->tcp.ack;
	} else if (e->steps && (o->tcp.flags & TCP_ACK)) {
		e->tcp.last_ack = o->tcp.ack;
	}
	if (o->tcp.flags & (TCP_FIN | TCP_RST))
		e->state |= STATE_DONE;
}

static void half_open_opener_speaks(struct entry *e, const struct observation *o, int64_t slot, struct flow_view *view)
{
	uint32_t seq_step = o->tcp.seq - e->tcp.next_seq;
	/* Where the SYN-ACK was seen, only its own number will do: a forger does not know it. */
	bool knows = !(e->state & STATE_ANSWERED) || near(o->tcp.ack - e->tcp.last_ack);

	if (knows && (o->tcp.flags & TCP_ACK) && !(o->tcp.flags & (TCP_SYN | TCP_RST)) &&
	    (seq_step == 0 || ahead(seq_step))) {
		view->handshake = true;
		engage(e, slot, true, view);
		e->steps = o->payload_length > 0;
		e->tcp.last_ack = e->steps ? o->tcp.ack : (uint32_t)slot;
		if (e->steps == 0)
			e->unsettled = o->weight;
	} else if (view->retransmission) {
		if (e->steps < RETRANSMIT_EVEN + RETRANSMIT_DOUBLINGS)
			e->steps++;
		settle(e, slot, true, view);
	} else if (o->tcp.flags & TCP_RST) {
		view->reset_back = (e->state & STATE_ANSWERED) != 0;
		e->state |= STATE_DONE;
	} else {
		count_unsettled(e, o);
	}
}

/* Plausible: one of the two numbers moved on by a window's worth at most, and the other did not jump. */
static bool progresses(const struct entry *e, const struct observation *o)
{
	uint32_t seq_step = o->tcp.seq - e->tcp.next_seq, ack_step = o->tcp.ack - e->tcp.last_ack;

	if ((o->tcp.flags & (TCP_SYN | TCP_RST)) || !(o->tcp.flags & TCP_ACK) || !near(seq_step) || !near(ack_step))
		return false;
	return ahead(seq_step) || ahead(ack_step) || (seq_step == 0 && o->payload_length > 0);
}

static void orphan_speaks(struct entry *e, const struct observation *o, int64_t slot, struct flow_view *view)
{
	uint32_t seq_step = o->tcp.seq - e->tcp.next_seq, ack_step = o->tcp.ack - e->tcp.last_ack;

	view->progresses = progresses(e, o);
	if (view->progresses && !view->engaged) {
		if (e->steps == 0)
			engage(e, slot, true, view);
		else
			e->steps--;
	} else if (!(e->state & STATE_ANSWERED) && !(o->tcp.flags & TCP_RST) && (!near(seq_step) || !near(ack_step))) {
		e->state &= (uint8_t)~STATE_ENGAGED;
		e->steps = ORPHAN_STEPS;
		view->engaged = false;
	}
	if (!(o->tcp.flags & TCP_RST)) {
		e->tcp.next_seq = after_segment(o);
		e->tcp.last_ack = o->tcp.ack;
	}
	if (o->tcp.flags & (TCP_FIN | TCP_RST))
		e->state |= STATE_DONE;
	if (!view->engaged)
		count_unsettled(e, o);
}

static void opener_speaks_tcp(struct entry *e, const struct observation *o, int64_t slot, struct flow_view *view)
{
	if (!(e->state & STATE_SYN))
		orphan_speaks(e, o, slot, view);
	else if (e->state & STATE_ENGAGED)
		established_opener_speaks(e, o, slot, view);
	else
		half_open_opener_speaks(e, o, slot, view);
}

static void opener_speaks_udp(struct entry *e, const struct observation *o, struct flow_view *view)
{
	if (view->engaged)
		return;
	view->counts = may_count(o) && udp_counts(e, o);
	count_unsettled(e, o);
}

/* A refusal is no welcome; but where a SYN is all that there was, nothing is left of it. */
static void refuse(struct entry *e, int64_t slot, struct flow_view *view)
{
	if ((e->state & (STATE_SYN | STATE_ANSWERED | STATE_ENGAGED | STATE_DONE)) == STATE_SYN) {
		view->refused = e->unsettled;
		view->settled_slot = slot - (uint32_t)((uint32_t)slot - e->first_slot);
		e->unsettled = e->unsettled_seen = 0;
	}
	e->state |= STATE_DONE;
}

static bool starts_anew(const struct entry *e, const struct observation *o, bool from_opener)
{
	if (!protocol_is_bare_syn(o))
		return false;
	/* A SYN on a finished conversation, on an orphan, or with another number than the SYN before it. */
	return (e->state & STATE_DONE) || !(e->state & STATE_SYN) || !from_opener || o->tcp.seq + 1 != e->tcp.next_seq;
}

/*
 * The SYN once more, after as long as a real host's TCP waits for an answer: what tells it from a tool that sends. Who
 * waits twice as long each time repeats itself a dozen times at most before he is forgotten.
 */
static bool is_retransmission(const struct entry *e, const struct observation *o, int64_t slot)
{
	unsigned doublings = e->steps > RETRANSMIT_EVEN ? e->steps - RETRANSMIT_EVEN : 0;

	return (e->state & STATE_SYN) && !(e->state & STATE_ENGAGED) && protocol_is_bare_syn(o) &&
	       age(e, slot) >= (uint32_t)RETRANSMIT_SLOTS << doublings;
}

static void update(struct flow_table *table, const struct observation *o, uint64_t identity, bool sender_low,
                   int64_t slot, struct flow_view *view)
{
	struct entry *e = find(table, identity, slot);
	bool tcp = (o->flags & OBSERVATION_TCP) != 0;

	*view = (struct flow_view){ 0 };
	if (!e) {
		e = make_room(table, identity, slot);
		view->entry = e;
		view->fresh = true;
		view->from_opener = true;
		if (e)
			open_entry(e, o, sender_low, view);
		return;
	}
	view->known = true;
	view->entry = e;
	view->from_opener = ((e->state & STATE_OPENER_LOW) != 0) == sender_low;
	if (starts_anew(e, o, view->from_opener)) {
		begin_entry(e, identity, slot);
		open_entry(e, o, sender_low, view);
		return;
	}
	view->retransmission = tcp && view->from_opener && is_retransmission(e, o, slot);
	e->last_slot = (uint32_t)slot;
	view->kind = e->kind;
	view->engaged = (e->state & STATE_ENGAGED) != 0;
	view->http = tcp && (e->state & STATE_HTTP);
	if (view->from_opener) {
		if (tcp)
			opener_speaks_tcp(e, o, slot, view);
		else
			opener_speaks_udp(e, o, view);
		return;
	}
	/* The other side speaks: the opener asked for it. */
	view->asked = true;
	if (tcp && (o->tcp.flags & TCP_RST)) {
		refuse(e, slot, view);
		return;
	}
	e->state |= STATE_ANSWERED;
	if (tcp && (e->state & STATE_SYN) && !(e->state & STATE_ENGAGED))
		e->tcp.last_ack = after_segment(o); /* what the opener has to acknowledge */
	if (tcp && (e->state & STATE_SYN))
		return; /* a SYN-ACK goes to spoofed addresses too: the handshake decides */
	if (!view->engaged)
		engage(e, slot, false, view);
}

void flow_update(struct flow_table *table, const struct observation *o, const struct keys *keys, int64_t slot,
                 struct flow_view *view)
{
	update(table, o, keys->flow, keys->sender_low, slot, view);
}

void flow_update_outer(struct flow_table *table, const struct observation *o, int64_t slot, struct flow_view *view)
{
	struct observation plain = { .protocol = o->outer.protocol, .weight = o->weight };
	bool sender_low;
	uint64_t identity =
		keys_flow(&o->outer.src, 0, &o->outer.dst, 0, o->outer.protocol, SPACE_OUTER, table->seed, &sender_low);

	update(table, &plain, identity, sender_low, slot, view);
}

/* One direction only. */
static uint64_t fragments_identity(const struct flow_table *table, const struct observation *o)
{
	bool sender_low;
	uint64_t flow = keys_flow(&o->src, 0, &o->dst, 0, o->protocol, SPACE_FRAGMENTS, table->seed, &sender_low);

	return flow ^ (sender_low ? 2 : 0);
}

void flow_fragments_note(struct flow_table *table, const struct observation *o, int64_t slot, bool welcome,
                         uint8_t kind)
{
	uint64_t identity = fragments_identity(table, o);
	struct entry *e = find(table, identity, slot);

	if (!e)
		e = make_room(table, identity, slot);
	if (!e)
		return;
	e->last_slot = (uint32_t)slot;
	e->state = (uint8_t)(STATE_LIVE | STATE_FRAGMENTS | (welcome ? STATE_WELCOME | STATE_ENGAGED : 0));
	e->kind = kind;
}

bool flow_fragments_recall(struct flow_table *table, const struct observation *o, int64_t slot, bool *welcome,
                           uint8_t *kind)
{
	const struct entry *e = find(table, fragments_identity(table, o), slot);

	if (!e)
		return false;
	*welcome = (e->state & STATE_WELCOME) != 0;
	*kind = e->kind;
	return true;
}

static uint64_t group_identity(const struct flow_table *table, const struct address *asker, uint16_t port,
                               uint8_t protocol)
{
	bool sender_low;

	return keys_flow(asker, port, asker, port, protocol, SPACE_GROUP, table->seed, &sender_low);
}

void flow_group_note(struct flow_table *table, const struct observation *o, int64_t slot)
{
	uint64_t identity = group_identity(table, &o->src, o->src_port, o->protocol);
	uint32_t bit = (uint32_t)(identity >> 8) & (GROUP_FILTER_BITS - 1);
	struct entry *e = find(table, identity, slot);

	if (!e)
		e = make_room(table, identity, slot);
	if (!e)
		return;
	e->last_slot = (uint32_t)slot;
	e->state = STATE_LIVE | STATE_FRAGMENTS;
	table->group_filter[bit / 64] |= 1ull << bit % 64;
}

bool flow_group_asked(const struct flow_table *table, const struct observation *o, int64_t slot)
{
	uint64_t identity = group_identity(table, &o->dst, o->dst_port, o->protocol);
	uint32_t bit = (uint32_t)(identity >> 8) & (GROUP_FILTER_BITS - 1);

	return (table->group_filter[bit / 64] >> bit % 64 & 1) && find(table, identity, slot) != NULL;
}

void flow_engage(struct flow_view *view, int64_t slot)
{
	struct entry *e = view->entry;

	if (e && !view->engaged)
		engage(e, slot, true, view);
}

void flow_vouch(struct flow_view *view, int64_t slot)
{
	struct entry *e = view->entry;

	if (e && view->fresh) /* it is not going to be counted */
		e->unsettled = e->unsettled_seen = 0;
	flow_engage(view, slot);
	view->engaged = true;
}

bool flow_knows_quote(const struct flow_table *table, const struct observation *o, int64_t slot)
{
	bool sender_low;

	return find(table,
	            keys_flow(&o->quote.src, o->quote.src_port, &o->quote.dst, o->quote.dst_port, o->quote.protocol,
	                      SPACE_FLOWS, table->seed, &sender_low),
	            slot) != NULL;
}

void flow_mark_http(struct flow_view *view)
{
	struct entry *e = view->entry;

	if (e)
		e->state |= STATE_HTTP;
}

void flow_mark_kind(struct flow_view *view, uint8_t kind)
{
	struct entry *e = view->entry;

	if (e)
		e->kind = kind;
}
