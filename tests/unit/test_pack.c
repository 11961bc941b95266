/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Observations as octets and back: random ones come back the same, cut ones and wrong ones are refused; numbers
 * likewise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "made.h"
#include "base/varint.h"
#include "observe/pack.h"

#define ROUNDS 20000

static void numbers(void **state)
{
	static const uint64_t values[] = { 0, 1, 127, 128, 16383, 16384, UINT32_MAX, 1ull << 63, UINT64_MAX };
	uint8_t octets[VARINT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		size_t length = varint_write(octets, values[i]);
		struct cursor c = cursor_over(octets, length), cut = cursor_over(octets, length - 1);

		assert_int_equal(cursor_varint(&c), values[i]);
		assert_false(c.failed);
		assert_int_equal(cursor_left(&c), 0);
		(void)cursor_varint(&cut);
		assert_true(cut.failed);
		assert_int_equal(varint_fold(varint_unfold(values[i])), values[i]);
	}
	assert_int_equal(varint_fold(-1), 1);
	assert_int_equal(varint_unfold(varint_fold(INT64_MIN)), INT64_MIN);
}

static void numbers_have_one_form(void **state)
{
	static const uint8_t longer[] = { 0x80, 0x00 },
			     much[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02 },
			     endless[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00 };
	struct cursor a = cursor_over(longer, sizeof(longer)), b = cursor_over(much, sizeof(much)),
		      c = cursor_over(endless, sizeof(endless));

	(void)state;
	assert_int_equal(cursor_varint(&a), 0);
	assert_true(a.failed);
	assert_int_equal(cursor_varint(&b), 0);
	assert_true(b.failed);
	assert_int_equal(cursor_varint(&c), 0);
	assert_true(c.failed);
}

static struct address random_address(uint64_t *random)
{
	return made_below(random, 4) ? made_ipv4((uint32_t)made_random(random))
	                             : made_ipv6(made_random(random), made_random(random));
}

static struct observation random_observation(uint64_t *random)
{
	struct observation o =
		made_tcp((int64_t)made_random(random), random_address(random), 0, random_address(random), 0, 0, 0, 0);

	o.flags = (uint32_t)made_random(random) & 0xfffff & ~(uint32_t)OBSERVATION_HTTP;
	o.protocol = (uint8_t)made_random(random);
	o.weight = made_below(random, 2) ? 1 : (uint32_t)made_random(random);
	o.length = made_below(random, 2) ? made_below(random, 1500) : (uint32_t)made_random(random);
	o.ttl = (uint8_t)made_random(random);
	o.ip_id = made_below(random, 2) ? 0 : (uint16_t)made_random(random);
	o.fragment_offset = made_below(random, 4) ? 0 : (uint16_t)made_random(random);
	o.src_port = made_below(random, 4) ? (uint16_t)made_random(random) : 0;
	o.dst_port = made_below(random, 4) ? (uint16_t)made_random(random) : 0;
	o.icmp_type = made_below(random, 4) ? 0 : (uint8_t)made_random(random);
	if (made_below(random, 2)) {
		uint64_t payload[4] = { made_random(random), 1, 2, made_random(random) };

		made_payload(&o, payload, sizeof(payload), (uint16_t)(1 + made_below(random, 60)));
	}
	if (made_below(random, 2)) {
		o.tcp.seq = (uint32_t)made_random(random);
		o.tcp.ack = made_below(random, 2) ? 0 : (uint32_t)made_random(random);
		o.tcp.tsval = made_below(random, 2) ? 0 : (uint32_t)made_random(random);
		o.tcp.options = made_below(random, 2) ? 0 : made_random(random);
		o.tcp.mss = made_below(random, 2) ? 0 : (uint16_t)made_random(random);
		o.tcp.wscale = made_below(random, 2) ? 255 : (uint8_t)made_below(random, 15);
		o.tcp.flags = (uint8_t)made_random(random);
	} else {
		memset(&o.tcp, 0, sizeof(o.tcp));
	}
	if (made_below(random, 8) == 0) {
		o.outer.src = random_address(random);
		o.outer.dst = random_address(random);
		o.outer.protocol = 47;
		o.outer.ip_id = (uint16_t)made_random(random);
		o.outer.length = made_below(random, 70000);
		o.outer.dst_port = (uint16_t)made_random(random);
	}
	if (made_below(random, 8) == 0) {
		o.quote.src = random_address(random);
		o.quote.dst = random_address(random);
		o.quote.src_port = (uint16_t)made_random(random);
		o.quote.protocol = 17;
		o.quote.payload_length = (uint16_t)made_random(random);
	} else if (made_below(random, 8) == 0) {
		o.flags |= OBSERVATION_HTTP;
		o.http.target = (uint32_t)made_random(random);
		o.http.order = (uint32_t)made_random(random);
		o.http.length = (uint32_t)made_random(random);
		o.http.body = (uint16_t)made_random(random);
		o.http.method = HTTP_GET;
		o.http.headers = (uint8_t)made_below(random, HTTP_HEADERS_MAX + 1);
		o.http.flags = HTTP_ENDED;
	}
	return o;
}

static void random_ones_come_back(void **state)
{
	uint64_t random = 5;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct observation o = random_observation(&random), back;
		struct capture_time to = { made_below(&random, 2) ? o.time.ns - 1000 : (int64_t)made_random(&random) };
		uint8_t octets[PACK_MAX];
		size_t length = pack_write(octets, &o, to);
		struct cursor c = cursor_over(octets, length);

		assert_in_range(length, 14, PACK_MAX);
		pack_read(&c, to, &back);
		assert_false(c.failed);
		assert_int_equal(cursor_left(&c), 0);
		assert_memory_equal(&back, &o, sizeof(o));
	}
}

static void cut_ones_are_refused(void **state)
{
	uint64_t random = 6;

	(void)state;
	for (unsigned i = 0; i < ROUNDS / 20; i++) {
		struct observation o = random_observation(&random), back;
		uint8_t octets[PACK_MAX];
		size_t length = pack_write(octets, &o, o.time);

		for (size_t cut = 0; cut < length; cut++) {
			struct cursor c = cursor_over(octets, cut);

			pack_read(&c, o.time, &back);
			assert_true(c.failed);
		}
	}
}

/* What is written of a packet, with one octet changed: refused. */
static void refused(const struct observation *o, size_t at, uint8_t octet)
{
	uint8_t octets[PACK_MAX];
	size_t length = pack_write(octets, o, o->time);
	struct cursor c = cursor_over(octets, length);
	struct observation back;

	octets[at] = octet;
	pack_read(&c, o->time, &back);
	assert_true(c.failed);
}

static void wrong_ones_are_refused(void **state)
{
	struct observation o = made_udp(0, made_ipv4(1), 1, made_ipv4(2), 2, 0);

	(void)state;
	made_payload(&o, "abcd", 4, 4);
	refused(&o, 0, 0xff); /* fields there are none of: the number goes on into what follows */
	/* fields, flags, time, protocol, ttl, length, addresses, ports, payload length: one octet kept too many */
	refused(&o, 1 + 1 + 1 + 1 + 1 + 1 + 8 + 4 + 1, OBSERVATION_PAYLOAD_MAX + 1);
	refused(&o, 1 + 1 + 1 + 1 + 1 + 1 + 8 + 4 + 1, 0);
	o = made_tcp(0, made_ipv4(1), 1, made_ipv4(2), 2, TCP_SYN, 1, 0);
	refused(&o, 1 + 1 + 1 + 1 + 1 + 1 + 8 + 4, 0xff); /* fields of TCP there are none of */
}

/* A field that is there and says nothing: what is read would be written without it. */
static void what_says_nothing_is_refused(void **state)
{
	struct observation o = made_tcp(0, made_ipv4(1), 1, made_ipv4(2), 2, TCP_ACK, 1, 0);
	const size_t tcp = 1 + 1 + 1 + 1 + 1 + 1 + 8 + 4;

	(void)state;
	o.tcp.ack = 0x01000000; /* of its four octets the first alone is not 0 */
	refused(&o, tcp + 1 + 1 + 2 + 4, 0);
	o = made_udp(0, made_ipv4(1), 1, made_ipv4(2), 0, 0);
	refused(&o, 1 + 1 + 1 + 1 + 1 + 1 + 8 + 1, 0); /* ports */
	o = made_udp(0, made_ipv6(1ull << 32, 1), 1, made_ipv6(0, 2), 2, 0);
	o.weight = 5;
	refused(&o, 1 + 1 + 1 + 1 + 1 + 1 + 32, 1);
}

static void typical_ones_are_short(void **state)
{
	struct observation syn = made_tcp(1000000, made_ipv4(1), 40000, made_ipv4(2), 443, TCP_SYN, 77, 0), udp;
	uint8_t octets[PACK_MAX];

	(void)state;
	syn.tcp.options = 0x67543;
	syn.tcp.mss = 1460;
	syn.tcp.wscale = 7;
	syn.tcp.tsval = 123456789;
	syn.ip_id = 4711;
	syn.flags |= OBSERVATION_DF;
	assert_in_range(pack_write(octets, &syn, (struct capture_time){ 0 }), 30, 50);
	udp = made_udp(1000000, made_ipv4(1), 123, made_ipv4(2), 80, 0);
	made_payload(&udp, "\x97\x00\x03\x2a", 4, 440);
	udp.flags |= OBSERVATION_DROPPED;
	assert_in_range(pack_write(octets, &udp, (struct capture_time){ 0 }), 50, 65);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(numbers_have_one_form),
		cmocka_unit_test(random_ones_come_back),
		cmocka_unit_test(cut_ones_are_refused),
		cmocka_unit_test(wrong_ones_are_refused),
		cmocka_unit_test(what_says_nothing_is_refused),
		cmocka_unit_test(typical_ones_are_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
