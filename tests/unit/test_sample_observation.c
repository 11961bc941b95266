/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel hands out of a frame, and what becomes of it on the other side of the waist. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/packet.h"
#include "shield/sample_observation.h"

#define SHIFT 1741599912000000000LL
#define TCP_FLAG_SYN 2
#define KNOWN (OBSERVATION_ANSWERED | OBSERVATION_HANDSHAKE | OBSERVATION_ANSWER | OBSERVATION_DROPPED)

static struct shield_sample sample;
static struct observation seen;

/* The head of a frame, as the sampler cuts it. */
static void take(const struct packet *p)
{
	size_t kept = p->length < SHIELD_SAMPLE_OCTETS ? p->length : SHIELD_SAMPLE_OCTETS;

	memset(&sample, 0, sizeof(sample));
	sample.time_ns = 5000000007;
	sample.weight = 32;
	sample.length = (uint32_t)p->length;
	sample.kept = (uint16_t)kept;
	sample.service = SHIELD_SERVICE_NONE;
	memcpy(sample.octets, p->octets, kept);
}

static void make_udp(size_t payload)
{
	struct packet p;

	packet_begin(&p);
	packet_vlan(&p, 0x8100, 7);
	packet_ipv4(&p, "198.51.100.1", "192.0.2.10");
	packet_udp(&p, 123, 4444);
	packet_payload(&p, NULL, payload);
	packet_end(&p);
	take(&p);
}

static void a_packet(void **state)
{
	(void)state;
	make_udp(4);
	assert_int_equal(sample_observation(&sample, SHIFT, &seen), DECODE_OK);
	assert_int_equal(seen.time.ns, SHIFT + 5000000007);
	assert_int_equal(seen.weight, 32);
	assert_int_equal(seen.length, 20 + 8 + 4);
	assert_int_equal(seen.src_port, 123);
	assert_int_equal(seen.dst_port, 4444);
	assert_int_equal(seen.payload_length, 4);
	assert_int_equal(seen.payload_kept, 4);
	assert_int_equal(seen.flags & KNOWN, 0);
	sample.weight = 0;
	assert_int_equal(sample_observation(&sample, SHIFT, &seen), DECODE_OK);
	assert_int_equal(seen.weight, 1);
}

/* Of a long frame there is the head alone, and its lengths are those of the whole. */
static void a_long_packet(void **state)
{
	(void)state;
	make_udp(1200);
	assert_int_equal(sample.kept, SHIELD_SAMPLE_OCTETS);
	assert_int_equal(sample_observation(&sample, SHIFT, &seen), DECODE_OK);
	assert_int_equal(seen.length, 20 + 8 + 1200);
	assert_int_equal(seen.payload_length, 1200);
	assert_int_equal(seen.payload_kept, OBSERVATION_PAYLOAD_MAX);
}

static void what_the_kernel_knew(void **state)
{
	static const struct {
		uint8_t flags, reason, service;
		uint32_t known;
	} rows[] = {
		{ 0, SHIELD_PASS_CLEAN, 0, 0 },
		{ SHIELD_SAMPLE_ENFORCED, SHIELD_PASS_LAST, 0, 0 },
		{ SHIELD_SAMPLE_ANSWERED, SHIELD_PASS_CLEAN, 0, OBSERVATION_ANSWERED },
		{ SHIELD_SAMPLE_ANSWERED | SHIELD_SAMPLE_HANDSHAKE, SHIELD_PASS_CLEAN, 0,
		  OBSERVATION_ANSWERED | OBSERVATION_HANDSHAKE },
		{ SHIELD_SAMPLE_ENFORCED, SHIELD_DROP_RULE, 0, OBSERVATION_DROPPED },
		{ 0, SHIELD_DROP_BLOCK, 0, OBSERVATION_DROPPED }, /* where it is only observed, too */
		{ SHIELD_SAMPLE_ENFORCED | SHIELD_SAMPLE_ANSWERED, SHIELD_DROP_SOURCE, 0,
		  OBSERVATION_DROPPED | OBSERVATION_ANSWERED },
		{ SHIELD_SAMPLE_PROBE, SHIELD_PASS_RULE, 0, 0 },
		{ SHIELD_SAMPLE_SENT, SHIELD_PASS_CLEAN, 3, OBSERVATION_ANSWER },
		{ SHIELD_SAMPLE_SENT, SHIELD_PASS_CLEAN, SHIELD_SERVICE_NONE,
		  0 }, /* asked by this host, not answered */
	};
	struct packet p;

	(void)state;
	packet_begin(&p);
	packet_ipv6(&p, "2001:db8::1", "2001:db8::2");
	packet_tcp(&p, 40000, 443, TCP_FLAG_SYN, 65535, NULL, 0);
	packet_end(&p);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		take(&p);
		sample.flags = rows[i].flags;
		sample.reason = rows[i].reason;
		sample.service = rows[i].service;
		assert_int_equal(sample_observation(&sample, SHIFT, &seen), DECODE_OK);
		assert_int_equal(seen.flags & KNOWN, rows[i].known);
		assert_int_equal(seen.flags & OBSERVATION_TCP, OBSERVATION_TCP);
	}
}

/*
 * What IP can be read of counts; what is no IP does not; a sample that says it kept more than it can is not believed.
 */
static void what_is_broken(void **state)
{
	struct packet p;

	(void)state;
	packet_begin(&p);
	packet_ipv4(&p, "198.51.100.1", "192.0.2.10");
	packet_protocol(&p, 6);
	packet_payload(&p, NULL, 4); /* no TCP header is so short */
	packet_end(&p);
	take(&p);
	sample.flags = SHIELD_SAMPLE_ANSWERED;
	assert_int_equal(sample_observation(&sample, SHIFT, &seen), DECODE_TRANSPORT_SHORT);
	assert_int_equal(seen.flags & (OBSERVATION_MALFORMED | KNOWN), OBSERVATION_MALFORMED | OBSERVATION_ANSWERED);
	assert_int_equal(seen.weight, 32);
	packet_begin(&p);
	packet_ether_type(&p, 0x0806);
	packet_payload(&p, NULL, 28);
	take(&p);
	assert_int_equal(sample_observation(&sample, SHIFT, &seen), DECODE_ARP);
	make_udp(1200);
	sample.kept = UINT16_MAX;
	assert_int_equal(sample_observation(&sample, SHIFT, &seen), DECODE_OK);
	assert_int_equal(seen.payload_kept, OBSERVATION_PAYLOAD_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet),
		cmocka_unit_test(a_long_packet),
		cmocka_unit_test(what_the_kernel_knew),
		cmocka_unit_test(what_is_broken),
	};

	return cmocka_run_group_tests_name("sample_observation", tests, NULL, NULL);
}
