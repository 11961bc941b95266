/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first octet chooses the link type, the second how many octets the snap length took (in units of 16); the rest is
 * the frame. Whatever it is, an observation holds no octet that the frame did not give and keeps what its header
 * promises; and a frame of which less was kept says the same or less, never something else.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "observe/decode.h"

static const uint32_t link_types[] = { 1, 0, 108, 12, 14, 101, 228, 229, 113, 276, 9, 147 };

/* From memory just large enough, into memory that was not clean. */
static enum decode_result decode(uint32_t link_type, const uint8_t *data, uint32_t captured, uint32_t original,
                                 struct observation *observation, int dirt)
{
	uint8_t *octets = malloc(captured ? captured : 1);
	enum decode_result result;

	if (!octets)
		abort();
	if (captured)
		memcpy(octets, data, captured);
	memset(observation, dirt, sizeof(*observation));
	result = decode_frame(link_type, octets, captured, original, observation);
	free(octets);
	return result;
}

static int all_zero(const void *memory, size_t size)
{
	const uint8_t *octets = memory;

	for (size_t i = 0; i < size; i++)
		if (octets[i])
			return 0;
	return 1;
}

static void check(const struct observation *o, uint32_t captured, uint32_t original)
{
	uint32_t whole = original > captured ? original : captured;

	REQUIRE(o->payload_kept <= OBSERVATION_PAYLOAD_MAX);
	REQUIRE(o->payload_kept <= o->payload_length);
	REQUIRE(o->payload_kept <= captured);
	REQUIRE(o->payload_length <= o->length);
	REQUIRE(o->length >= 20 && (o->length <= UINT16_MAX + 40 || o->length <= whole));
	REQUIRE(all_zero(o->payload + o->payload_kept, OBSERVATION_PAYLOAD_MAX - o->payload_kept));
	REQUIRE(o->time.ns == 0 && o->weight == 0);
	REQUIRE(!(o->flags & OBSERVATION_LATER_FRAGMENT) == (o->fragment_offset == 0));
	if (o->flags & OBSERVATION_LATER_FRAGMENT) {
		REQUIRE(o->flags & OBSERVATION_FRAGMENT);
		REQUIRE(!(o->flags & (OBSERVATION_PORTS | OBSERVATION_TCP | OBSERVATION_ICMP | OBSERVATION_QUOTE)));
	}
	if (o->flags & OBSERVATION_TCP)
		REQUIRE(o->protocol == 6 && o->flags & OBSERVATION_PORTS);
	else
		REQUIRE(all_zero(&o->tcp, sizeof(o->tcp)) && !(o->flags & OBSERVATION_TCP_OPTIONS_BAD));
	if (!(o->flags & OBSERVATION_PORTS))
		REQUIRE(o->src_port == 0 && o->dst_port == 0);
	if (o->flags & OBSERVATION_ICMP)
		REQUIRE(o->protocol == 1 || o->protocol == 58);
	else
		REQUIRE(o->icmp_type == 0 && o->icmp_code == 0 && !(o->flags & OBSERVATION_QUOTE));
	/* The two share their place. */
	if (o->flags & OBSERVATION_HTTP)
		REQUIRE(o->flags & OBSERVATION_TCP && !(o->flags & OBSERVATION_QUOTE) && o->payload_kept > 0);
	else if (!(o->flags & OBSERVATION_QUOTE))
		REQUIRE(all_zero(&o->quote, sizeof(o->quote)) && all_zero(&o->http, sizeof(o->http)));
	if (o->flags & OBSERVATION_TUNNELLED)
		REQUIRE(o->outer.protocol == 47 || o->outer.protocol == 4 || o->outer.protocol == 41 ||
		        (o->outer.protocol == 17 && o->flags & OBSERVATION_OVERLAY));
	else
		REQUIRE(all_zero(&o->outer, sizeof(o->outer)) && !(o->flags & OBSERVATION_OVERLAY));
	if (o->flags & OBSERVATION_OVERLAY)
		REQUIRE(o->outer.protocol == 47 || o->outer.protocol == 17);
	if (o->outer.protocol != 17)
		REQUIRE(o->outer.src_port == 0 && o->outer.dst_port == 0);
}

/* `less` is from the beginning of the frame that `more` is from. */
static void check_less(enum decode_result result, const struct observation *less, const struct observation *more)
{
	/* What begins like an HTTP request is believed as far as it goes; more of it may show that it is none. */
	unsigned flags = less->flags & ~(unsigned)OBSERVATION_HTTP;
	uint8_t kept = less->payload_kept;

	if (result != DECODE_OK) {
		REQUIRE(result == DECODE_LINK_SHORT || result == DECODE_IP_SHORT || result == DECODE_EXTENSION ||
		        result == DECODE_TRANSPORT_SHORT);
		return;
	}
	/* Of a tunnel, less may be the tunnel's packet, or look sounder than all of it does. */
	if ((less->flags | more->flags) & OBSERVATION_TUNNELLED)
		return;
	REQUIRE(address_equal(&less->src, &more->src) && address_equal(&less->dst, &more->dst));
	REQUIRE(less->length == more->length && less->protocol == more->protocol && less->ttl == more->ttl);
	REQUIRE(less->src_port == more->src_port && less->dst_port == more->dst_port);
	REQUIRE(less->icmp_type == more->icmp_type && less->icmp_code == more->icmp_code);
	REQUIRE((flags & more->flags) == (flags & ~(unsigned)OBSERVATION_CUT) || (flags & more->flags) == flags);
	REQUIRE(kept <= more->payload_kept && memcmp(less->payload, more->payload, kept) == 0);
	if (less->flags & OBSERVATION_TCP) {
		REQUIRE(less->tcp.seq == more->tcp.seq && less->tcp.flags == more->tcp.flags);
		REQUIRE((less->tcp.options & more->tcp.options) == less->tcp.options);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct observation observation, again, less;
	enum decode_result result;
	uint32_t link_type, captured, original;

	if (size < 2 || size > UINT16_MAX * 2)
		return 0;
	link_type = link_types[data[0] % (sizeof(link_types) / sizeof(*link_types))];
	captured = (uint32_t)size - 2;
	original = captured + data[1] * 16u;
	data += 2;

	result = decode(link_type, data, captured, original, &observation, 0);
	REQUIRE(result < DECODE_RESULTS);
	REQUIRE(strcmp(decode_result_name(result), "unknown") != 0);
	REQUIRE(decode(link_type, data, captured, original, &again, 0xff) == result);
	if (result != DECODE_OK)
		return 0;
	/* Padding and all: nothing of the dirt is left. */
	REQUIRE(memcmp(&observation, &again, sizeof(again)) == 0); /* NOLINT(*-memory-comparison,cert-*) */
	check(&observation, captured, original);
	for (uint32_t cut = 0; cut < captured && cut < 256; cut += 1 + cut / 8) {
		result = decode(link_type, data, cut, original, &less, 0xff);
		if (result == DECODE_OK)
			check(&less, cut, original);
		check_less(result, &less, &observation);
	}
	return 0;
}
