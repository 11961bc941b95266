/* SPDX-License-Identifier: Apache-2.0 */
#include "drawn.h"

#include <stdbool.h>
#include <string.h>

#include "bpf/outer.h"
#include "defend/match.h"
#include "shield/ruleset.h"

#define TERMS_MAX 7 /* a table has room for few negated ones */

/* ---- packets ---- */

static const char *const sources4[] = { "198.51.100.9", "198.51.100.77", "203.0.113.5", "192.0.2.200" };
static const char *const targets4[] = { "192.0.2.10", "192.0.2.11", "203.0.113.80" };
static const char *const sources6[] = { "2001:db8:5::9", "2001:db8:5::a", "2001:db8:77::1", "::ffff:198.51.100.9" };
static const char *const targets6[] = { "2001:db8::10", "2001:db8:1::10" };
static const uint16_t ports[] = { 53, 80, 123, 443, 40000 };
static const uint8_t layouts[][12] = {
	{ 2, 4, 5, 0xb4 },
	{ 2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 0, 0 },
	{ 2, 4, 2, 0x18, 4, 2, 1, 1 },
};
static const uint8_t layout_sizes[] = { 4, 12, 8 };

#define ANY(random, table) (table)[packet_random(random, sizeof(table) / sizeof((table)[0]))]

static void draw_network(uint64_t *random, struct packet *p)
{
	if (packet_random(random, 3)) {
		packet_ipv4(p, ANY(random, sources4), ANY(random, targets4));
		if (packet_random(random, 8) == 0)
			packet_ipv4_options(p, 1 + packet_random(random, 3));
		if (packet_random(random, 3) == 0)
			packet_ipv4_df(p);
		if (packet_random(random, 8) == 0)
			packet_ipv4_fragment(p, (uint16_t)(packet_random(random, 3) * 1480),
			                     (int)packet_random(random, 2));
		p->octets[p->ip + 8] = (uint8_t)(60 + packet_random(random, 6)); /* TTL */
		p->octets[p->ip + 5] = (uint8_t)packet_random(random, 3);        /* ID */
		return;
	}
	packet_ipv6(p, ANY(random, sources6), ANY(random, targets6));
	p->octets[p->ip + 7] = (uint8_t)(60 + packet_random(random, 6));
	if (packet_random(random, 8) == 0)
		packet_extension(p, 0, packet_random(random, 2));
	if (packet_random(random, 8) == 0)
		packet_ipv6_fragment(p, (uint16_t)(packet_random(random, 2) * 1280), (int)packet_random(random, 2));
}

void drawn_packet(uint64_t *random, struct packet *packet)
{
	static const uint8_t flags[] = { 0x02, 0x10, 0x12, 0x18, 0x04, 0 };
	uint8_t payload[24];
	uint32_t which = packet_random(random, 8), layout;

	packet_begin(packet);
	if (packet_random(random, 8) == 0)
		packet_vlan(packet, 0x8100, 7);
	draw_network(random, packet);
	if (which < 4) {
		packet_udp(packet, ANY(random, ports), ANY(random, ports));
	} else if (which < 6) {
		layout = packet_random(random, sizeof(layout_sizes) + 1);
		packet_tcp(packet, ANY(random, ports), ANY(random, ports), ANY(random, flags),
		           (uint16_t)(1024 << packet_random(random, 3)),
		           layout < sizeof(layout_sizes) ? layouts[layout] : NULL,
		           layout < sizeof(layout_sizes) ? layout_sizes[layout] : 0);
	} else if (which == 6) {
		packet_icmp(packet, packet_random(random, 2) ? 1 : 58, (uint8_t)packet_random(random, 4),
		            (uint8_t)packet_random(random, 2));
	} else {
		packet_ports(packet, 132, ANY(random, ports), ANY(random, ports), 8);
	}
	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)packet_random(random, 2);
	packet_payload(packet, payload, packet_random(random, sizeof(payload) + 1));
	packet_payload(packet, NULL, packet_random(random, 4) ? 0 : packet_random(random, 600));
	packet_end(packet);
	if (packet_random(random, 16) == 0) {
		uint32_t length = (uint32_t)packet->length;

		packet_change(packet->octets, &length, random);
		packet->length = length < 14 ? 14 : length;
	}
}

/* ---- rules ---- */

static void draw_range(uint64_t *random, const struct observation *o, struct match_term *term)
{
	uint32_t value = 0, width = packet_random(random, 40);

	if (!match_field_value(term->field, o, &value) || packet_random(random, 6) == 0)
		value = packet_random(random, 65536);
	term->value.range.low = term->value.range.high = value;
	switch (packet_random(random, 5)) {
	case 0:
		term->value.range.low = value > width ? value - width : 0;
		term->value.range.high = value + packet_random(random, 40);
		break;
	case 1:
		term->value.range.low = 0;
		break;
	case 2:
		term->value.range.high = 65535;
		break;
	default:
		break;
	}
}

static void draw_payload(uint64_t *random, const struct observation *o, struct match_term *term)
{
	unsigned from = packet_random(random, 12), length = 1 + packet_random(random, 3);

	term->value.payload.from = (uint8_t)from;
	term->value.payload.length = (uint8_t)length;
	memcpy(term->value.payload.octets, o->payload + from, length);
}

/* One that the packet meets if it can, and five times in six where it cannot but for what the term asks. */
static void draw_term(uint64_t *random, const struct observation *o, struct match_term *term)
{
	const struct address *address;

	memset(term, 0, sizeof(*term));
	term->field = (enum match_field)packet_random(random, MATCH_FIELDS);
	if (match_takes_range(term->field)) {
		draw_range(random, o, term);
	} else if (term->field == MATCH_SRC_NET || term->field == MATCH_DST_NET) {
		address = term->field == MATCH_SRC_NET ? &o->src : &o->dst;
		term->value.prefix = prefix_of(address, packet_random(random, address_is_ipv4(address) ? 33 : 129));
		/* Another of the same length, as often as not */
		if (packet_random(random, 4) == 0 && term->value.prefix.length > 0)
			term->value.prefix.address.octets[address_is_ipv4(address) ? 12 : 0] ^= 0x80;
	} else if (term->field == MATCH_TCP_FLAGS) {
		term->value.flags = packet_random(random, 4) ? o->tcp.flags : (uint8_t)packet_random(random, 32);
	} else if (term->field == MATCH_OPTIONS) {
		term->value.options = packet_random(random, 4) ? o->tcp.options : packet_random(random, 4);
	} else if (term->field == MATCH_PAYLOAD) {
		draw_payload(random, o, term);
	}
	if (!match_term_test(term, o) && packet_random(random, 6))
		term->negated = true;
}

static int draw_rule(uint64_t *random, struct shield_rule *compiled)
{
	struct rule rule = { .action = RULE_DROP };
	struct observation o;
	struct shield_error error;
	struct packet packet;
	unsigned terms = packet_random(random, TERMS_MAX + 1);

	memset(&o, 0, sizeof(o));
	drawn_packet(random, &packet);
	if (outer_decode(packet.octets, (uint32_t)packet.length, &o) != DECODE_OK)
		return -1;
	if (packet_random(random, 2))
		rule.scope = prefix_of(&o.dst, 128);
	while (rule.match.count < terms) {
		struct match_term *term = &rule.match.terms[rule.match.count];

		draw_term(random, &o, term);
		/* What it cannot meet at all, a port of a fragment, would leave few rules that hold for anything. */
		if (match_term_test(term, &o) || packet_random(random, 24) == 0)
			rule.match.count++;
		else if (packet_random(random, 8) == 0)
			terms--;
	}
	return ruleset_compile_rule(&rule, compiled, &error);
}

void drawn_ruleset(uint64_t *random, uint32_t count, uint64_t counts, struct shield_ruleset *set)
{
	memset(set, 0, sizeof(*set));
	while (set->count < count && set->count < SHIELD_RULES_MAX) {
		struct shield_rule rule;

		if (draw_rule(random, &rule))
			continue;
		rule.expires = SHIELD_NEVER;
		rule.counter = set->count;
		if (counts >> set->count & 1)
			rule.action = SHIELD_COUNT;
		(void)ruleset_add(set, &rule);
	}
	ruleset_finish(set);
}
