/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matches held against packets. Addresses, protocol, length, TTL and being a fragment are there in every packet; "df"
 * and "ip id" are fields of IPv4 alone: on an IPv6 packet false, negated or not.
 */
#include <string.h>

#include "defend/match.h"
#include "defend/match_inside.h"
#include "observe/protocol.h"

bool match_takes_range(enum match_field field)
{
	return field < MATCH_FIELDS && match_forms[field].kind == MATCH_KIND_RANGE;
}

bool match_field_value(enum match_field field, const struct observation *o, uint32_t *value)
{
	switch ((int)field) {
	case MATCH_PROTO:
		*value = o->protocol;
		return true;
	case MATCH_SRC_PORT:
		*value = o->src_port;
		return o->flags & OBSERVATION_PORTS;
	case MATCH_DST_PORT:
		*value = o->dst_port;
		return o->flags & OBSERVATION_PORTS;
	case MATCH_LENGTH:
		/* A packet longer than the header can say (a jumbogram) is as long as can be said, so ">=" holds it. */
		*value = o->length < MATCH_IPV6_TOTAL_MAX ? o->length : MATCH_IPV6_TOTAL_MAX;
		return true;
	case MATCH_TTL:
		*value = o->ttl;
		return true;
	case MATCH_IP_ID:
		*value = o->ip_id;
		return address_is_ipv4(&o->dst);
	case MATCH_WINDOW:
		*value = o->tcp.window;
		return o->flags & OBSERVATION_TCP;
	case MATCH_MSS:
		*value = o->tcp.mss;
		return o->flags & OBSERVATION_TCP && o->tcp.mss;
	case MATCH_ICMP_TYPE:
		*value = o->icmp_type;
		return o->flags & OBSERVATION_ICMP;
	case MATCH_ICMP_CODE:
		*value = o->icmp_code;
		return o->flags & OBSERVATION_ICMP;
	case MATCH_PAYLOAD_LENGTH:
		*value = o->payload_length;
		/*
		 * Only where TCP's header was cut before its data offset is it unknown; a later fragment is payload all
		 * over.
		 */
		return o->protocol != PROTOCOL_TCP || o->flags & (OBSERVATION_TCP | OBSERVATION_LATER_FRAGMENT);
	default:
		return false;
	}
}

/* All that the term looks at was kept of the packet. */
static bool has_payload_of(const struct match_term *term, const struct observation *o)
{
	unsigned from = term->value.payload.from, length = term->value.payload.length;

	return length <= MATCH_PAYLOAD_MAX && from + length <= OBSERVATION_PAYLOAD_MAX &&
	       o->payload_kept >= from + length;
}

bool match_term_test(const struct match_term *term, const struct observation *o)
{
	uint32_t value;
	bool hit = false;

	if (match_takes_range(term->field))
		return match_field_value(term->field, o, &value) &&
		       (value >= term->value.range.low && value <= term->value.range.high) != term->negated;
	switch ((int)term->field) {
	case MATCH_IP:
		hit = address_is_ipv4(&o->dst);
		break;
	case MATCH_IP6:
		hit = !address_is_ipv4(&o->dst);
		break;
	case MATCH_TCP:
		hit = o->protocol == PROTOCOL_TCP;
		break;
	case MATCH_UDP:
		hit = o->protocol == PROTOCOL_UDP;
		break;
	case MATCH_ICMP:
		hit = o->protocol == PROTOCOL_ICMP;
		break;
	case MATCH_ICMP6:
		hit = o->protocol == PROTOCOL_ICMPV6;
		break;
	case MATCH_FRAGMENT:
		hit = o->flags & OBSERVATION_FRAGMENT;
		break;
	case MATCH_DF:
		if (!address_is_ipv4(&o->dst))
			return false;
		hit = o->flags & OBSERVATION_DF;
		break;
	case MATCH_SRC_NET:
		hit = prefix_contains(&term->value.prefix, &o->src);
		break;
	case MATCH_DST_NET:
		hit = prefix_contains(&term->value.prefix, &o->dst);
		break;
	case MATCH_TCP_FLAGS:
		if (!(o->flags & OBSERVATION_TCP))
			return false;
		hit = o->tcp.flags == term->value.flags;
		break;
	case MATCH_OPTIONS:
		if (!(o->flags & OBSERVATION_TCP))
			return false;
		hit = o->tcp.options == term->value.options;
		break;
	case MATCH_PAYLOAD:
		if (!has_payload_of(term, o))
			return false;
		hit = !memcmp(o->payload + term->value.payload.from, term->value.payload.octets,
		              term->value.payload.length);
		break;
	default:
		return false;
	}
	return hit != term->negated;
}

bool match_test(const struct match *match, const struct observation *observation)
{
	if (match->count > MATCH_TERMS_MAX)
		return false;
	for (unsigned i = 0; i < match->count; i++)
		if (!match_term_test(&match->terms[i], observation))
			return false;
	return true;
}
