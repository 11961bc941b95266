/* SPDX-License-Identifier: Apache-2.0 */
#include "outer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "observe/protocol.h"
#include "observe/tunnel.h" /* IWYU pragma: keep */

#define PARSE_NATIVE
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunknown-pragmas" /* unroll is clang's */
#include "bpf/parse.h"
#pragma GCC diagnostic pop

/* The decoder once more, under other names, in which no packet may be a tunnel's. */
#define tunnel_may_be(o) ((void)(o), false)
#define decode_frame decode_outer
#define decode_hits_target decode_outer_hits_target
#define decode_result_name decode_outer_result_name
enum decode_result decode_outer(uint32_t link_type, const uint8_t *restrict data, uint32_t captured, uint32_t original,
                                struct observation *restrict observation);
bool decode_outer_hits_target(enum decode_result result);
const char *decode_outer_result_name(enum decode_result result);
#include "observe/decode.c" /* NOLINT(bugprone-suspicious-include): that is the point */
#undef decode_frame
#undef decode_hits_target
#undef decode_result_name

#define ETHERNET 1 /* link type */

enum decode_result outer_decode(const uint8_t *data, uint32_t length, struct observation *observation)
{
	return decode_outer(ETHERNET, data, length, length, observation);
}

static uint16_t has_of(const struct observation *o)
{
	static const struct {
		uint32_t flag;
		uint16_t has;
	} same[] = {
		{ OBSERVATION_TCP, SHIELD_HAS_TCP },
		{ OBSERVATION_ICMP, SHIELD_HAS_ICMP },
		{ OBSERVATION_PORTS, SHIELD_HAS_PORTS },
		{ OBSERVATION_FRAGMENT, SHIELD_HAS_FRAGMENT },
		{ OBSERVATION_LATER_FRAGMENT, SHIELD_HAS_LATER_FRAGMENT },
		{ OBSERVATION_DF, SHIELD_HAS_DF },
		{ OBSERVATION_IP_OPTIONS, SHIELD_HAS_OPTIONS },
		{ OBSERVATION_MALFORMED, SHIELD_HAS_MALFORMED },
	};
	uint16_t has = address_is_ipv4(&o->dst) ? SHIELD_HAS_IPV4 : SHIELD_HAS_IPV6;

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (o->flags & same[i].flag)
			has |= same[i].has;
	if (o->flags & OBSERVATION_TCP && o->tcp.mss)
		has |= SHIELD_HAS_MSS;
	/* As match_test() has it. */
	if (o->protocol != PROTOCOL_TCP || o->flags & (OBSERVATION_TCP | OBSERVATION_LATER_FRAGMENT))
		has |= SHIELD_HAS_PAYLOAD;
	return has;
}

enum shield_reason outer_expected(enum decode_result result, const struct observation *o, struct shield_key *key)
{
	static const enum shield_reason reasons[DECODE_RESULTS] = {
		[DECODE_OK] = SHIELD_PASS_CLEAN,
		[DECODE_ARP] = SHIELD_PASS_ARP,
		[DECODE_NOT_IP] = SHIELD_PASS_NOT_IP,
		[DECODE_LINK_UNKNOWN] = SHIELD_PASS_TAGS,
		[DECODE_LINK_SHORT] = SHIELD_PASS_LINK_SHORT,
		[DECODE_IP_SHORT] = SHIELD_PASS_IP_SHORT,
		[DECODE_IP_VERSION] = SHIELD_PASS_IP_VERSION,
		[DECODE_IP_HEADER] = SHIELD_PASS_IP_HEADER,
		[DECODE_EXTENSION] = SHIELD_PASS_EXTENSION,
		[DECODE_TRANSPORT_SHORT] = SHIELD_PASS_TRANSPORT,
		[DECODE_TRANSPORT_HEADER] = SHIELD_PASS_TRANSPORT,
		[DECODE_TUNNEL_DEEP] = SHIELD_REASONS, /* it sees no tunnels */
	};

	memset(key, 0, sizeof(*key));
	if (!decode_hits_target(result))
		return reasons[result];
	key->field[SHIELD_F_HAS] = has_of(o);
	key->field[SHIELD_F_PROTOCOL] = o->protocol;
	key->field[SHIELD_F_SRC_PORT] = o->src_port;
	key->field[SHIELD_F_DST_PORT] = o->dst_port;
	key->field[SHIELD_F_LENGTH] = (uint16_t)(o->length < UINT16_MAX ? o->length : UINT16_MAX);
	key->field[SHIELD_F_TTL] = o->ttl;
	key->field[SHIELD_F_IP_ID] = o->ip_id;
	key->field[SHIELD_F_PAYLOAD_LENGTH] = o->payload_length;
	key->field[SHIELD_F_TCP_FLAGS] = o->tcp.flags;
	key->field[SHIELD_F_WINDOW] = o->tcp.window;
	key->field[SHIELD_F_MSS] = o->tcp.mss;
	key->field[SHIELD_F_ICMP_TYPE] = o->icmp_type;
	key->field[SHIELD_F_ICMP_CODE] = o->icmp_code;
	key->field[SHIELD_F_FRAGMENT_OFFSET] = o->fragment_offset;
	key->field[SHIELD_F_PAYLOAD_KEPT] = o->payload_kept;
	key->tcp_options = o->tcp.options;
	memcpy(key->payload, o->payload, sizeof(key->payload));
	memcpy(key->src, o->src.octets, sizeof(key->src));
	memcpy(key->dst, o->dst.octets, sizeof(key->dst));
	return reasons[result];
}

/* As PARSE_STAGES() does it in the kernel: what is as usual the short way, the rest the long one. */
static enum shield_reason parse_long(const struct parse_frame *frame, uint32_t needs, struct shield_key *key,
                                     struct parse_options_at *options)
{
	struct parse_way way = { .at = { .offset = 0 } };
	enum shield_reason reason = parse_link(frame, &way.at);

	memset(key, 0, sizeof(*key));
	if (reason == SHIELD_PASS_CLEAN)
		reason = parse_network(frame, &way, key);
	if (reason == SHIELD_PASS_CLEAN)
		reason = parse_transport(frame, &way.inside, needs, key, &way.options);
	*options = way.options;
	return reason;
}

enum shield_reason outer_parse(const uint8_t *data, uint32_t length, uint32_t needs, struct shield_key *key)
{
	struct parse_frame frame = { (void *)(uintptr_t)data, (void *)(uintptr_t)(data + length), NULL };
	enum shield_reason reason = SHIELD_PASS_CLEAN;
	struct parse_options_at options = { 0, 0 };
	struct parse_usual usual = { .header = 0 };

	memset(key, 0xee, sizeof(*key)); /* all of it is to be written */
	if (!parse_usual(&frame, key, &usual))
		reason = parse_long(&frame, needs, key, &options);
	else if (needs & SHIELD_NEED_PAYLOAD)
		parse_payload(&frame, &usual.inside, usual.header, needs, key);
	if (needs & SHIELD_NEED_OPTIONS && usual.header > PARSE_TCP) {
		options.offset = usual.inside.offset + PARSE_TCP;
		options.length = usual.header - PARSE_TCP;
	}
	if (options.length)
		parse_options(&frame, options.offset, options.length, key);
	return reason;
}

static bool is_filled(enum shield_reason reason)
{
	return reason == SHIELD_PASS_CLEAN || reason == SHIELD_PASS_EXTENSION || reason == SHIELD_PASS_TRANSPORT;
}

const char *outer_difference(enum shield_reason is, const struct shield_key *key, enum shield_reason wanted,
                             const struct shield_key *wanted_key)
{
	static const char *const names[SHIELD_FIELDS] = {
		"has",       "protocol",        "src_port",     "dst_port", "length", "ttl",
		"ip_id",     "payload_length",  "tcp_flags",    "window",   "mss",    "icmp_type",
		"icmp_code", "fragment_offset", "payload_kept", "15",
	};
	static char text[128];

	if (is != wanted) {
		(void)snprintf(text, sizeof(text), "reason: %u, not %u", (unsigned)is, (unsigned)wanted);
		return text;
	}
	if (!is_filled(is))
		return NULL;
	for (unsigned i = 0; i < SHIELD_FIELDS; i++)
		if (key->field[i] != wanted_key->field[i]) {
			(void)snprintf(text, sizeof(text), "%s: %u, not %u", names[i], key->field[i],
			               wanted_key->field[i]);
			return text;
		}
	if (key->tcp_options != wanted_key->tcp_options) {
		(void)snprintf(text, sizeof(text), "tcp_options: %" PRIx64 ", not %" PRIx64, (uint64_t)key->tcp_options,
		               (uint64_t)wanted_key->tcp_options);
		return text;
	}
	if (memcmp(key->payload, wanted_key->payload, sizeof(key->payload)) != 0)
		return "payload";
	if (memcmp(key->src, wanted_key->src, sizeof(key->src)) != 0)
		return "src";
	return memcmp(key->dst, wanted_key->dst, sizeof(key->dst)) != 0 ? "dst" : NULL;
}

/* ---- what they are to say differently ---- */

/* What follows all tags, and one 802.2 header among them; type 0: the frame is cut there. */
struct behind {
	uint16_t type;
	unsigned tags;
	uint32_t at; /* where that begins */
};

static struct behind behind_tags(const uint8_t *data, uint32_t length)
{
	struct behind behind = { .at = 14 };
	bool llc = false;

	while (behind.at <= length) {
		uint16_t type = (uint16_t)(data[behind.at - 2] << 8 | data[behind.at - 1]);

		if (type == 0x8100 || type == 0x88a8 || type == 0x9100) {
			behind.at += 4;
			behind.tags++;
		} else if (type <= 1500 && !llc) {
			llc = true;
			if (behind.at + 3 <= length && data[behind.at] == 6) {
				behind.type = 0x0800;
				behind.at += 3;
				return behind;
			}
			behind.at += 8;
		} else {
			behind.type = type;
			return behind;
		}
	}
	return behind;
}

/* What hides IP from the parser: it looks at nothing behind labels or in sessions. */
static bool is_wrapped(const uint8_t *data, uint32_t length, enum shield_reason is)
{
	uint16_t type = behind_tags(data, length).type;

	return is == SHIELD_PASS_NOT_IP && (type == 0x8847 || type == 0x8848 || type == 0x8864);
}

static bool has_many_tags(const uint8_t *data, uint32_t length, enum shield_reason is)
{
	return is == SHIELD_PASS_TAGS && behind_tags(data, length).tags > SHIELD_TAGS_MAX;
}

/* The chain is walked here once more, by its lengths alone. */
static bool has_many_extensions(const uint8_t *data, uint32_t length, enum shield_reason is)
{
	static const uint8_t extensions[] = { 0, 43, 44, 51, 60, 135, 139, 140 };
	struct behind behind = behind_tags(data, length);
	uint32_t at = behind.at + 40;
	unsigned count = 0;
	uint8_t next;

	if (is != SHIELD_PASS_EXTENSION || behind.type != 0x86dd || at > length)
		return false;
	for (next = data[behind.at + 6]; at + 8 <= length && memchr(extensions, next, sizeof(extensions)); count++) {
		uint8_t kind = next;

		next = data[at];
		at += kind == 44 ? 8 : kind == 51 ? (data[at + 1] + 2u) * 4 : (data[at + 1] + 1u) * 8;
	}
	return count > SHIELD_EXTENSIONS_MAX;
}

static const struct {
	bool (*covers)(const uint8_t *data, uint32_t length, enum shield_reason is);
	const char *why;
} explained[] = {
	{ is_wrapped,
	  "MPLS and PPPoE are not IP to the shield: what this host is sent in them is not for its own ears" },
	{ has_many_tags, "more VLAN tags than SHIELD_TAGS_MAX" },
	{ has_many_extensions, "more extension headers than SHIELD_EXTENSIONS_MAX" },
};

const char *outer_explained(const uint8_t *data, uint32_t length, enum shield_reason is)
{
	for (size_t i = 0; i < sizeof(explained) / sizeof(explained[0]); i++)
		if (explained[i].covers(data, length, is))
			return explained[i].why;
	return NULL;
}
