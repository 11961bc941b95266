/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who spoke first, and was there an answer? A bounded table of conversations, both directions in one entry, tells for
 * each packet what a bystander can know. The words, as all rooms behind this one use them:
 *
 *   fresh      a packet that is the first of its conversation
 *   asked      a packet whose receiver spoke first in this conversation (or finished a handshake): it wants it
 *   answered   a conversation in which the other end has spoken, and not only refused
 *   engaged    a conversation that both ends want: both have spoken, or what one sends proves it; TCP: a handshake completed, or
 *              numbers move as they do where data flows
 *   welcome    a packet that was asked for, or whose conversation is engaged; all others are counted under their kind
 *   settled    a packet that was counted and is given back ("credit"): a later one proved its conversation welcome, or it is no
 *              sign of ill will though nobody asked for it (a SYN that is repeated). What is left is unsettled: the evidence
 *   heard      a scope of which something was settled: its answers are in the capture
 *
 * A capture may show one direction only. TCP still tells: whoever acknowledges a SYN's successor number got the
 * SYN-ACK. UDP tells where its payload counts, as RTP, WireGuard, ESP, flow exports and speed tests do; other UDP in
 * one direction stays unasked, and what detects must know that.
 *
 * A packet counts for as many as it stands for (its weight), and is given back as that. A conversation gives back
 * FLOW_UNSETTLED_MAX packets at once, the first ones; what came without an answer beyond them stays counted.
 *
 * Entries are 32 octets in buckets of four; identity is a 64-bit keyed hash (a wrong match among 2^18 flows has odds of
 * about 2^-28). Under a flood new conversations push out other unanswered ones, never a live engaged one.
 */
#ifndef HOLDFAST_MEASURE_FLOW_H
#define HOLDFAST_MEASURE_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "measure/keys.h"
#include "observe/observation.h"

#define FLOW_TABLE_BITS 18          /* 262,144 conversations, 8 MiB */
#define FLOW_IDLE_SLOTS 1200        /* 100 ms slots: after 120 s of silence a conversation is a new one */
#define FLOW_UNSETTLED_MAX 255      /* packets, whatever they stand for, that one conversation gives back at once */
#define FLOW_KEEP_ENGAGED_SLOTS 300 /* an engaged conversation is not pushed out within 30 s of its last packet … */
#define FLOW_KEEP_DONE_SLOTS 20     /* … nor one that has ended within 2 s: a busy server's would leave no room */

struct flow_table; /* opaque */

struct flow_counters {
	uint64_t created;
	uint64_t pushed_out; /* live entries that made room for another */
	uint64_t refused;    /* no room: every entry of the bucket was engaged and live */
};

struct flow_view {
	bool known; /* there was an entry before this packet */
	bool fresh;
	bool asked;
	bool engaged;
	bool handshake; /* TCP: this very packet completes a handshake that the sender began */
	/* TCP: the first payload of the opener after its handshake; settled_slot is the handshake's … */
	bool first_data;
	uint32_t connected; /* … whose last packet stood for so many */
	bool progresses;    /* TCP without a seen beginning: sequence numbers move like a conversation's */
	bool from_opener;
	uint8_t kind;            /* what flow_mark_kind() stored with the first packet, else 0 */
	uint32_t settled;        /* > 0: packets that earlier ones stand for, which were welcome after all … */
	int64_t settled_slot;    /* … counted from this 100 ms slot on … */
	bool settled_toward_dst; /* … towards this packet's dst (true) or its src (false) */
	uint32_t refused;        /* TCP: > 0: this resets SYNs that stand for so many, from settled_slot on */
	bool retransmission;     /* TCP: the same SYN once more after a retransmission timeout */
	bool http;               /* TCP: flow_mark_http() was called for this conversation */
	bool counts;     /* UDP, ESP: its payload holds a counter that moves on, as a sender's does that is wanted */
	bool reset_back; /* TCP: the opener of a half-open handshake resets: the address was borrowed, or a scan */
	void *entry;     /* for flow_mark_kind(); NULL where there was no room */
};

/* `seed` is the one that keys are made with. */
struct flow_table *flow_table_new(uint64_t seed);
void flow_table_free(struct flow_table *table);
/* Forgets all conversations: the clock has jumped. */
void flow_table_clear(struct flow_table *table);

/*
 * Looks the observation's conversation up, moves it on, and says what is known. `slot` counts 100 ms steps of capture
 * time and never goes back between two calls without flow_table_clear().
 */
void flow_update(struct flow_table *table, const struct observation *observation, const struct keys *keys, int64_t slot,
                 struct flow_view *view);
/* Says that flow_update() will come for this one: it is fetched from memory meanwhile. */
void flow_prefetch(const struct flow_table *table, const struct keys *keys);
/* The same for the tunnel that carried it (outer addresses and protocol). */
void flow_update_outer(struct flow_table *table, const struct observation *observation, int64_t slot,
                       struct flow_view *view);
/*
 * Later fragments carry no ports. After a first fragment, note what its datagrams were taken for; a later one recalls
 * it by addresses and protocol. Recalling says false where no first fragment was seen lately.
 */
void flow_fragments_note(struct flow_table *table, const struct observation *observation, int64_t slot, bool welcome,
                         uint8_t kind);
bool flow_fragments_recall(struct flow_table *table, const struct observation *observation, int64_t slot, bool *welcome,
                           uint8_t *kind);
/*
 * Whoever asks a group (multicast, broadcast) is answered by hosts it did not name: note the question, and see whether
 * a packet answers one.
 */
void flow_group_note(struct flow_table *table, const struct observation *observation, int64_t slot);
bool flow_group_asked(const struct flow_table *table, const struct observation *observation, int64_t slot);
/*
 * What the caller knows of a protocol proves both sides alive: the conversation is engaged, and view says what is
 * settled by it.
 */
void flow_engage(struct flow_view *view, int64_t slot);
/*
 * The host's own word (OBSERVATION_ANSWERED) that the conversation of this packet is engaged, whatever was seen of it.
 * To be called after flow_update(); what it settles is in *view.
 */
void flow_vouch(struct flow_view *view, int64_t slot);
/* Is there a conversation that the quoted packet of an ICMP error belongs to? */
bool flow_knows_quote(const struct flow_table *table, const struct observation *observation, int64_t slot);
/* Remembers what the first packet of this conversation was taken for. */
void flow_mark_kind(struct flow_view *view, uint8_t kind);
/* Remembers that this TCP conversation speaks HTTP. */
void flow_mark_http(struct flow_view *view);

/* Bounds that were hit; the table's. */
const struct flow_counters *flow_table_counters(const struct flow_table *table);

#endif
