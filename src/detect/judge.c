/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/judge.h"

#include <string.h>

#include "detect/scope.h"
#include "detect/vector.h"
#include "measure/roster.h"
#include "observe/protocol.h"

/*
 * To a group: multicast that is in use (RFC 5771: link-local, source-specific, GLOP, scoped; the reserved blocks
 * between are where anonymised captures have their targets), or the broadcast address of the sender's own network, as
 * far as a /24 tells.
 */
static bool is_to_group(const struct observation *o)
{
	const uint8_t *dst = o->dst.octets;

	if (!address_is_ipv4(&o->dst))
		return address_is_multicast(&o->dst);
	if (dst[12] == 224 || (dst[12] >= 232 && dst[12] <= 234) || dst[12] == 239)
		return true;
	return dst[15] == 255 &&
	       (memcmp(dst + 12, o->src.octets + 12, 3) == 0 || memcmp(dst + 12, "\xff\xff\xff", 3) == 0);
}

/*
 * What a client sends once it has the server's keys: Handshake packets (RFC 9000 section 17.2.4) and short headers
 * (17.3).
 */
static bool is_later_quic(const struct observation *o)
{
	return o->payload_kept > 0 && ((o->payload[0] & 0xf0) == 0xe0 || (o->payload[0] & 0xc0) == 0x40);
}

static void judge_later_fragment(struct flow_table *flows, const struct observation *o, int64_t slot,
                                 struct judgement *j)
{
	uint8_t kind;

	j->kind = VECTOR_FRAGMENT;
	if (!flow_fragments_recall(flows, o, slot, &j->welcome, &kind))
		return;
	j->kind = j->welcome ? VECTOR_NONE : kind != VECTOR_NONE ? kind : VECTOR_FRAGMENT;
}

static void judge_quote(const struct flow_table *flows, const struct observation *o, int64_t slot, struct judgement *j)
{
	bool own = address_equal(&o->quote.src, &o->dst);

	j->fresh = true;
	if (own && flow_knows_quote(flows, o, slot)) {
		j->welcome = true;
		return;
	}
	/*
	 * Requests in the target's name to a service that reflects: where it is closed, an error comes instead of the
	 * answer. (The quoted address may have been translated on the way, or left as it was when a capture was
	 * anonymised.)
	 */
	if (o->quote.protocol == PROTOCOL_UDP) {
		j->kind = vector_of_service(o->quote.dst_port);
		if (j->kind == VECTOR_NONE)
			j->kind = vector_of_service(o->quote.src_port);
	}
	/* Otherwise an echo of something else, which is only an attack where there is far too much of it. */
	if (j->kind == VECTOR_NONE)
		j->kind = VECTOR_ICMP_ERROR;
}

/* An answered ping is still a ping: only an answer that was asked for is welcome. */
static void judge_icmp(const struct observation *o, const struct flow_view *view, uint8_t likely, struct judgement *j)
{
	j->fresh = view->fresh;
	if (protocol_is_icmp_error(o)) { /* of what, the capture has cut off */
		j->kind = VECTOR_ICMP_ERROR;
		return;
	}
	j->welcome = view->asked && protocol_is_echo_reply(o);
	j->kind = j->welcome ? VECTOR_NONE : likely;
	j->probe = view->fresh && protocol_is_echo_request(o);
}

/* What the payload, or a question to a group, proves where only one side is seen. */
static void believe(struct flow_table *flows, const struct observation *o, int64_t slot, struct flow_view *view)
{
	if ((o->flags & OBSERVATION_PORTS) && view->from_opener && is_to_group(o))
		flow_group_note(flows, o, slot);
	if ((view->fresh && o->protocol == PROTOCOL_UDP && flow_group_asked(flows, o, slot)) ||
	    (view->known && view->kind == VECTOR_QUIC && view->from_opener && is_later_quic(o)) ||
	    (view->counts && vector_get(view->kind)->class != VECTOR_REFLECTION))
		flow_engage(view, slot);
}

static void judge_unwelcome(const struct observation *o, struct flow_view *view, uint8_t likely, struct judgement *j)
{
	j->kind = view->known && view->kind != VECTOR_NONE && !(o->flags & OBSERVATION_TCP) ? view->kind : likely;
	/* Nobody is a victim of answers to a group: that is how discovery protocols speak. */
	if (o->protocol == PROTOCOL_UDP && j->kind != VECTOR_DHCP && is_to_group(o))
		j->kind = VECTOR_ONE_WAY;
	if (view->fresh)
		flow_mark_kind(view, j->kind);
	/* A half-open handshake that its own opener resets is spoken of by its SYN. */
	if (view->known && view->kind == VECTOR_SYN && j->kind == VECTOR_RST)
		j->kind = VECTOR_NONE;
	/* Clients of a server that is down repeat themselves, second by second. */
	j->settled = view->retransmission;
	j->probe = view->fresh && (o->flags & OBSERVATION_PORTS) != 0 && vector_is_probe(j->kind);
}

/* What a server sends says something at the beginning of an answer and at the end alone. */
static bool speaks_http(const struct observation *o, struct flow_view *view)
{
	if (o->flags & OBSERVATION_HTTP)
		flow_mark_http(view);
	else if (!view->http)
		return false;
	return view->from_opener || o->payload_length == 0 || (o->flags & OBSERVATION_HTTP) ||
	       (o->tcp.flags & (TCP_FIN | TCP_RST)) || http_status(o->payload, o->payload_kept);
}

static void judge_transport(const struct observation *o, struct flow_view *view, uint8_t likely, struct judgement *j)
{
	j->fresh = view->fresh;
	j->welcome = view->asked || view->engaged;
	j->marks = (uint8_t)((view->handshake ? ROSTER_VERIFIED : 0u) | (view->reset_back ? ROSTER_RESET : 0u));
	/* Whether a connection is put to use, a sample does not show: the packet that would say so is seldom in it. */
	j->connects = view->handshake && o->payload_length == 0 && o->weight == 1;
	j->speaks = view->connected;
	j->connected_slot = view->settled_slot;
	if (!j->welcome)
		judge_unwelcome(o, view, likely, j);
	else if (o->flags & OBSERVATION_TCP)
		j->http = speaks_http(o, view);
	/* A question is counted even though its asker is answered: too many of them are an attack all the same. */
	if (view->engaged && view->from_opener && view->kind != VECTOR_NONE &&
	    vector_get(view->kind)->evidence->answered_1s && o->protocol == PROTOCOL_UDP) {
		j->kind = view->kind;
		j->settled = true;
	}
}

/*
 * A handshake is completed, for which the host's own stack vouches, and its SYN is not in the table: it was not
 * sampled. Of all SYNs so many were, and of all completions, that one may be held against the other.
 */
static void credit_handshake(const struct observation *o, int64_t slot, struct flow_view *view, struct judgement *j)
{
	bool seen = view->handshake;

	flow_vouch(view, slot);
	if (seen)
		return;
	view->handshake = true;
	j->credit = (struct credit){
		.packets = o->weight, .kind = VECTOR_SYN, .slot = slot, .lately = true, .toward_dst = true
	};
}

/*
 * An answer by one of the host's services, to a question that was not sampled: as for handshakes. Where nothing is left
 * out all questions are in the table, and what answers none is judged like any packet.
 */
static void credit_answer(const struct observation *o, int64_t slot, const struct flow_view *view, struct judgement *j)
{
	if (view->asked || view->engaged || o->weight == 1)
		return;
	j->welcome = true;
	j->kind = VECTOR_NONE;
	j->probe = false;
	if (o->protocol == PROTOCOL_UDP)
		j->credit = (struct credit){
			.packets = o->weight, .kind = vector_of_question(o), .slot = slot, .lately = true
		};
}

void judge_packet(struct flow_table *flows, const struct observation *o, const struct keys *keys, uint8_t likely,
                  int64_t slot, struct judgement *j)
{
	struct flow_view view;

	*j = (struct judgement){ 0 };
	if (o->flags & OBSERVATION_LATER_FRAGMENT) {
		judge_later_fragment(flows, o, slot, j);
		return;
	}
	if (o->flags & OBSERVATION_QUOTE) {
		judge_quote(flows, o, slot, j);
		return;
	}
	flow_update(flows, o, keys, slot, &view);
	if (o->flags & OBSERVATION_ICMP) {
		judge_icmp(o, &view, likely, j);
	} else {
		believe(flows, o, slot, &view);
		if (o->flags & OBSERVATION_HANDSHAKE)
			credit_handshake(o, slot, &view, j);
		else if (o->flags & OBSERVATION_ANSWERED)
			flow_vouch(&view, slot);
		judge_transport(o, &view, likely, j);
		if (o->flags & OBSERVATION_ANSWER)
			credit_answer(o, slot, &view, j);
	}
	if (view.settled)
		j->credit = (struct credit){
			.packets = view.settled,
			.kind = view.kind,
			.slot = view.settled_slot,
			.toward_dst = view.settled_toward_dst,
		};
	else if (view.refused)
		j->credit = (struct credit){
			.packets = view.refused, .kind = view.kind, .slot = view.settled_slot, .refused = true
		};
	if (o->flags & OBSERVATION_FRAGMENT)
		flow_fragments_note(flows, o, slot, j->welcome, j->kind);
}

uint8_t judge_tunnel(struct flow_table *flows, const struct observation *o, int64_t slot)
{
	struct prefix around = scope_at(&o->outer.dst, SCOPE_LEVELS - 1);
	struct flow_view view;

	flow_update_outer(flows, o, slot, &view);
	/* Where the inside goes to the tunnel's own end, it has said all there is to say. */
	if (view.asked || view.engaged || prefix_contains(&around, &o->dst))
		return VECTOR_NONE;
	return o->outer.protocol == PROTOCOL_GRE ? VECTOR_GRE_INSIDE : VECTOR_IP_INSIDE;
}
