/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The match language: canonical texts, errors to the letter, meaning term by term, and random terms on random packets
 * against a naive twin that takes a field as an optional number and asks nothing else.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "defend/match.h"

#define SEED 20250310u

static uint64_t draws;

static uint64_t draw(void)
{
	return hash_2(SEED, draws++, 7);
}

static uint32_t below(uint32_t bound)
{
	return (uint32_t)(draw() % bound);
}

static struct match parsed(const char *text)
{
	struct match_error error = { 0, "" };
	struct match match;

	if (match_parse(text, &match, &error) != 0)
		fail_msg("'%s': offset %zu: %s", text, error.offset, error.message);
	return match;
}

static bool matches_equal(const struct match *a, const struct match *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (!match_term_equal(&a->terms[i], &b->terms[i]))
			return false;
	return true;
}

static struct address host(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	return prefix.address;
}

/* ---- texts ---- */

static void canonical_text(void **state)
{
	static const char *const cases[][2] = {
		/* typed, printed; NULL: the same */
		{ "udp and src port 123 and length 468", NULL },
		{ "udp and src port 123 and length > 400", "udp and src port 123 and length >= 401" },
		{ "  udp\tand\nsrc   port=123 ", "udp and src port 123" },
		{ "ip and tcp and fragment and df", NULL },
		{ "ip6 and icmp6 and not icmp", NULL },
		{ "not ip6", NULL },
		{ "proto 47", NULL },
		{ "proto != 47", "not proto 47" },
		{ "length <= 400", NULL },
		{ "length < 401", "length <= 400" },
		{ "length<401", "length <= 400" },
		{ "length >= 401", NULL },
		{ "length 400-500", NULL },
		{ "length 400 - 500", "length 400-500" },
		{ "length 0-500", "length <= 500" },
		{ "length 500-65575", "length >= 500" },
		{ "length 0-65575", "length <= 65575" },
		{ "length < 1", "length 0" },
		{ "ttl 255", NULL },
		{ "ttl > 254", "ttl 255" },
		{ "ttl 0", NULL },
		{ "ttl 64-64", "ttl 64" },
		{ "not ttl <= 64", NULL },
		{ "ip id 54321", NULL },
		{ "ip id == 54321", "ip id 54321" },
		{ "dst port 1-1023", NULL },
		{ "not dst port != 53", "dst port 53" },
		{ "window 0 and mss 1400-1415", NULL },
		{ "icmp type 3 and icmp code 3", NULL },
		{ "payload length >= 512", NULL },
		{ "src net 192.0.2.10", "src net 192.0.2.10/32" },
		{ "not src net 10.0.0.0/8 and dst net 2001:DB8::/32",
		  "not src net 10.0.0.0/8 and dst net 2001:db8::/32" },
		{ "src net 0.0.0.0/0", NULL },
		{ "tcp flags S", NULL },
		{ "tcp flags AS", "tcp flags SA" },
		{ "tcp flags ceuaprsf", "tcp flags FSRPAUEC" },
		{ "tcp flags none", NULL },
		{ "tcp and tcp flags FPU", NULL },
		{ "options mss,sok,ts,nop,ws", NULL },
		{ "options mss , sok,ts and tcp", "options mss,sok,ts and tcp" },
		{ "options none", NULL },
		{ "options sack,end,other", NULL },
		{ "not options nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop", NULL },
		{ "payload[0:4] = ffffffff", NULL },
		{ "payload[0:4]=0xFFffFFff", "payload[0:4] = ffffffff" },
		{ "payload [ 0 : 4 ] = ff 0A ff 1b", "payload[0:4] = ff0aff1b" },
		{ "payload[0:2] = ad ad and tcp", "payload[0:2] = adad and tcp" },
		{ "payload[24:32] = 0011223344556677", NULL },
		{ "payload[4:5] != 00", "not payload[4:5] = 00" },
		{ "udp && src port 53", "udp and src port 53" },
	};
	char text[MATCH_TEXT_SIZE], again[MATCH_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct match match = parsed(cases[i][0]), second;

		assert_ptr_equal(match_format(&match, text), text);
		assert_string_equal(text, cases[i][1] ? cases[i][1] : cases[i][0]);
		second = parsed(text);
		assert_true(matches_equal(&match, &second));
		assert_string_equal(match_format(&second, again), text);
	}
}

static void errors_point_at_the_character(void **state)
{
	static const struct {
		const char *text;
		size_t offset;
		const char *message;
	} cases[] = {
		{ "", 0, "expected a term such as 'udp', 'src port 53' or 'length > 400', found the end" },
		{ "udp and", 7, "expected a term such as 'udp', 'src port 53' or 'length > 400', found the end" },
		{ "udp and src port 70000", 17, "expected a port number 0..65535, found '70000'" },
		{ "src port 99999999999999999999999", 9,
		  "expected a port number 0..65535, found '99999999999999999999999'" },
		{ "src port 53x", 11, "expected a port number 0..65535, found '53x'" },
		{ "src port", 8, "expected a port number 0..65535, found the end" },
		{ "src port -1", 9, "expected a port number 0..65535, found '-'" },
		{ "src port 053", 9, "expected a port number 0..65535 in decimal without a leading zero, found '053'" },
		{ "src port 5-", 11, "expected a port number 0..65535, found the end" },
		{ "ttl 256", 4, "expected a TTL 0..255, found '256'" },
		{ "length 65576", 7, "expected a length in octets 0..65575, found '65576'" },
		{ "length 500-400", 7, "expected the lower bound first, as in 400-500, found '500-400'" },
		{ "length < 0", 9, "nothing is below 0: expected a length in octets 1..65575 behind '<'" },
		{ "ttl > 255", 6, "nothing is above 255: expected a TTL 0..254 behind '>'" },
		{ "not ttl 0-255", 8, "'not' leaves nothing of the whole range: expected less than 0..255" },
		{ "ttl = 4-5", 7, "expected 'and' or the end, found '-'" },
		{ "proto tcp", 6, "expected a protocol number 0..255, found 'tcp'" },
		{ "upd", 0, "unknown word 'upd'; did you mean 'udp'?" },
		{ "UDP", 0, "unknown word 'UDP'; did you mean 'udp'?" },
		{ "udp and lenght 4", 8, "unknown word 'lenght'; did you mean 'length'?" },
		{ "fragmnet", 0, "unknown word 'fragmnet'; did you mean 'fragment'?" },
		{ "a_word_that_is_far_too_long_to_be_near_to_any_that_is_known", 0,
		  "unknown word 'a_word_that_is_far_too_l...'; expected a term such as 'udp', 'src port 53' or 'length > 400'" },
		{ "port 53", 0, "unknown term 'port': write 'src port' or 'dst port'" },
		{ "greater 400", 0, "unknown term 'greater': write 'length >= N'" },
		{ "quux", 0, "unknown word 'quux'; expected a term such as 'udp', 'src port 53' or 'length > 400'" },
		{ "!udp", 0,
		  "expected a term such as 'udp', 'src port 53' or 'length > 400', found '!'; did you mean 'not'?" },
		{ "src prt 53", 4, "expected 'port' or 'net' behind 'src', found 'prt'" },
		{ "dst", 3, "expected 'port' or 'net' behind 'dst', found the end" },
		{ "udp src port 53", 4, "expected 'and' or the end, found 'src'" },
		{ "udp adn tcp", 4, "expected 'and' or the end, found 'adn'; did you mean 'and'?" },
		{ "tcp flgs S", 4, "expected 'and' or the end, found 'flgs'; did you mean 'flags'?" },
		{ "udp or tcp", 4, "expected 'and' or the end, found 'or': write one rule for each alternative" },
		{ "not not udp", 4, "expected a term behind 'not', found 'not' again" },
		{ "not", 3, "expected a term such as 'udp', 'src port 53' or 'length > 400', found the end" },
		{ "udp\xc3\xa9", 3, "expected 'and' or the end, found '?'" },
		{ "udp \x1b[31m", 4, "expected 'and' or the end, found '?'" },
		{ "src net 192.0.2.1/24", 8,
		  "expected a prefix without host bits, found '192.0.2.1/24'; did you mean 192.0.2.0/24?" },
		{ "src net 192.0.2.0/33", 8,
		  "expected a prefix such as 192.0.2.0/24 or 2001:db8::/32, found '192.0.2.0/33'" },
		{ "src net 192.0.2.0/", 8,
		  "expected a prefix such as 192.0.2.0/24 or 2001:db8::/32, found '192.0.2.0/'" },
		{ "src net", 7, "expected a prefix such as 192.0.2.0/24 or 2001:db8::/32, found the end" },
		{ "src net 0123456789012345678901234567890123456789012345678901234567890", 8,
		  "expected a prefix such as 192.0.2.0/24, found '012345678901234567890123...', which is too long for one" },
		{ "tcp flags SX", 11, "expected a flag out of FSRPAUEC, or 'none' alone, found 'X'" },
		{ "tcp flags SAS", 12, "expected each flag once, found 'S' again" },
		{ "tcp flags = S", 10, "expected flags as letters of FSRPAUEC, or 'none', found '='" },
		{ "options mss,wss", 12,
		  "expected a TCP option out of mss, sok, sack, ts, nop, ws, end, other, found 'wss'" },
		{ "options", 7,
		  "expected a TCP option out of mss, sok, sack, ts, nop, ws, end, other; or 'none', found the end" },
		{ "options nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop", 75,
		  "expected at most 16 options" },
		{ "payload 4", 8, "expected 'length' or '[FROM:TO]' behind 'payload', found '4'" },
		{ "payload[0:9] = 00", 8, "expected FROM:TO that span 1 to 8 octets, TO excluded, found '0:9'" },
		{ "payload[4:4] = 00", 8, "expected FROM:TO that span 1 to 8 octets, TO excluded, found '4:4'" },
		{ "payload[30:33] = 00", 11, "expected an offset 0..32, found '33'" },
		{ "payload[0-4] = 00", 9, "expected ':' between the two offsets, found '-'" },
		{ "payload[0:4 = 00", 12, "expected ']', found '='" },
		{ "payload[0:4] > 00", 13, "expected '=' and 4 octets in hexadecimal, found '>'" },
		{ "payload[0:4] = ffff and tcp", 20, "expected 4 octets in hexadecimal, found 2 and then 'and'" },
		{ "payload[0:4] = ffff", 19, "expected 4 octets in hexadecimal, found 2 and then the end" },
		{ "payload[0:1] = ffff", 17, "expected 1 octet in hexadecimal, found more: 'ff'" },
		{ "df and df and df and df and df and df and df and df and df and df and df and df and df and df and df and "
		  "df and df",
		  112, "expected at most 16 terms" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct match_error error = { 0, "" };
		struct match match = { .count = 77 };

		if (match_parse(cases[i].text, &match, &error) != -EINVAL)
			fail_msg("'%s' parses", cases[i].text);
		if (error.offset != cases[i].offset || strcmp(error.message, cases[i].message) != 0)
			fail_msg("'%s': offset %zu: %s", cases[i].text, error.offset, error.message);
		assert_int_equal(match.count, 77);
	}
	assert_int_equal(match_parse("nonsense", &(struct match){ 0 }, NULL), -EINVAL);
}

/* What does not fit must not print as something shorter that holds more packets. */
static void too_long_a_match(void **state)
{
	static const char term[] =
		"options other,other,other,other,other,other,other,other,other,other,other,other,other,"
		"other,other,other";
	char text[4 * MATCH_TEXT_SIZE] = "", printed[MATCH_TEXT_SIZE];
	struct match match = { .count = 0 };
	struct match_error error = { 0, "" };

	(void)state;
	for (unsigned i = 0; i < MATCH_TERMS_MAX; i++) {
		strcat(text, i ? " and " : "");
		strcat(text, term);
		match.terms[match.count++] = parsed(term).terms[0];
	}
	assert_int_equal(match_parse(text, &(struct match){ 0 }, &error), -EINVAL);
	assert_string_equal(error.message, "expected a match that prints in at most 1023 characters; leave out terms");
	assert_memory_equal(text + error.offset, "options", 7);

	match_format(&match, printed);
	assert_true(strlen(printed) < MATCH_TEXT_SIZE);
	assert_string_equal(printed + strlen(printed) - 8, " and ...");
	assert_int_equal(match_parse(printed, &match, &error), -EINVAL);

	/* Sixteen of the longest prefixes fit. */
	text[0] = '\0';
	for (unsigned i = 0; i < MATCH_TERMS_MAX; i++) {
		strcat(text, i ? " and " : "");
		strcat(text, "not src net 2001:1db8:1111:2222:3333:4444:5555:6666/128");
	}
	match = parsed(text);
	assert_string_equal(match_format(&match, printed), text);
}

/* ---- meaning ---- */

static bool holds(const char *text, const struct observation *observation)
{
	struct match match = parsed(text);

	return match_test(&match, observation);
}

static void a_udp_packet(void **state)
{
	struct observation o = {
		.src = host("192.0.2.1"),
		.dst = host("198.51.100.7"),
		.length = 468,
		.flags = OBSERVATION_PORTS | OBSERVATION_DF,
		.protocol = 17,
		.ttl = 57,
		.ip_id = 4711,
		.src_port = 123,
		.dst_port = 80,
		.payload_length = 440,
		.payload_kept = 3,
		.payload = { 0xd7, 0x00, 0x03, 0x2a },
	};

	(void)state;
	assert_true(holds("ip and udp and df and src port 123 and length 468", &o));
	assert_true(holds("proto 17 and ttl 57 and ip id 4711 and payload length 440", &o));
	assert_true(holds("src net 192.0.2.0/24 and dst net 198.51.100.0/24 and not dst net 192.0.2.0/24", &o));
	assert_true(holds("not src net 2001:db8::/32", &o));
	assert_true(holds("not fragment and not ip6 and not tcp and not icmp and not icmp6", &o));
	assert_true(holds("payload[0:3] = d70003 and not payload[0:2] = d701", &o));
	assert_false(holds("udp and src port 124", &o));
	assert_false(holds("length <= 467", &o));
	assert_false(holds("length >= 469", &o));
	assert_false(holds("not udp", &o));
	/* Not kept, no TCP, no ICMP: false, negated or not. */
	assert_false(holds("payload[0:4] = d700032a", &o));
	assert_false(holds("not payload[0:4] = 00000000", &o));
	assert_false(holds("tcp flags none", &o));
	assert_false(holds("not tcp flags S", &o));
	assert_false(holds("options none", &o));
	assert_false(holds("not options mss", &o));
	assert_false(holds("window 0", &o));
	assert_false(holds("not window 1", &o));
	assert_false(holds("not mss 1460", &o));
	assert_false(holds("icmp type 0", &o));
	assert_false(holds("not icmp code 9", &o));
}

static void a_later_fragment_has_no_ports(void **state)
{
	struct observation o = {
		.src = host("192.0.2.1"),
		.dst = host("198.51.100.7"),
		.length = 1500,
		.protocol = 17,
		.flags = OBSERVATION_FRAGMENT | OBSERVATION_LATER_FRAGMENT,
		.fragment_offset = 1480,
		.payload_length = 1480,
	};

	(void)state;
	assert_true(holds("udp and fragment", &o));
	assert_false(holds("src port 0", &o));
	assert_false(holds("not src port 53", &o));
	assert_true(holds("payload length 1480", &o)); /* nothing but payload */
	assert_false(holds("df", &o));
	assert_true(holds("not df", &o));
}

static void an_ipv6_packet(void **state)
{
	struct observation o = {
		.src = host("2001:db8::1"),
		.dst = host("2001:db8::2"),
		.length = 60,
		.protocol = 6,
		.ttl = 64,
		.flags = OBSERVATION_PORTS | OBSERVATION_TCP,
		.src_port = 1024,
		.dst_port = 443,
		.tcp = { .flags = TCP_SYN, .window = 0, .options = 0x3, .mss = 1400, .wscale = 255 },
	};

	(void)state;
	assert_true(holds("ip6 and tcp and tcp flags S and window 0 and options mss and mss 1400-1415", &o));
	assert_true(holds("payload length 0", &o));
	assert_false(holds("ip", &o));
	/* IPv4's own */
	assert_false(holds("ip id 0", &o));
	assert_false(holds("not ip id 1", &o));
	assert_false(holds("df", &o));
	assert_false(holds("not df", &o));
	o.tcp.mss = 0;
	assert_false(holds("mss 0", &o));
	assert_false(holds("not mss 1460", &o));
	/* The capture kept the ports and no more of the TCP header. */
	o.flags = OBSERVATION_PORTS | OBSERVATION_CUT;
	assert_true(holds("tcp and dst port 443", &o));
	assert_false(holds("payload length 0", &o));
	o.length = 200000; /* a jumbogram */
	assert_true(holds("length >= 1500", &o));
	assert_true(holds("length 65575", &o));
}

static void broken_matches_do_no_harm(void **state)
{
	struct observation o = { .dst = host("192.0.2.1"), .payload_kept = 32 };
	struct match match = { .count = MATCH_TERMS_MAX + 1 };
	char text[MATCH_TEXT_SIZE];

	(void)state;
	assert_false(match_test(&match, &o));
	match_format(&match, text);
	match.count = 1;
	match.terms[0] = (struct match_term){ .field = MATCH_PAYLOAD, .value.payload = { .from = 200, .length = 255 } };
	assert_false(match_test(&match, &o));
	match_format(&match, text);
	match.terms[0].field = MATCH_FIELDS;
	assert_false(match_test(&match, &o));
	match_format(&match, text);
	match.count = 0;
	assert_true(match_test(&match, &o));
	assert_string_equal(match_format(&match, text), "");
}

/* ---- random terms, random packets, and the naive twin ---- */

/* Small values that meet each other often, edges, and anything. */
static uint32_t random_value(uint32_t max)
{
	switch (below(4)) {
	case 0:
		return below(4);
	case 1:
		return max - below(4);
	case 2:
		return 50 + below(5);
	default:
		return below(max + 1);
	}
}

static struct address random_address(void)
{
	static const char *const base[] = { "192.0.2.0", "10.0.0.0", "2001:db8::", "2001:db8:1::", "::" };
	struct address address = host(base[below(5)]);

	address.octets[15] = (uint8_t)(address.octets[15] | below(4));
	if (below(4) == 0)
		address.octets[13] = (uint8_t)draw();
	return address;
}

static uint64_t random_options(void)
{
	static const uint8_t kinds[] = { 1, 2, 3, 4, 5, 6, 7, 15 };
	unsigned count = below(2) ? below(3) : below(17);
	uint64_t options = 0;

	for (unsigned i = 0; i < count; i++)
		options |= (uint64_t)kinds[below(below(2) ? 2 : 8)] << 4 * i;
	return options;
}

static struct observation random_observation(void)
{
	static const uint8_t protocols[] = { 6, 17, 1, 58, 47, 0 };
	struct observation o;

	memset(&o, 0, sizeof(o));
	o.src = random_address();
	do
		o.dst = random_address();
	while (address_is_ipv4(&o.dst) != address_is_ipv4(&o.src));
	o.weight = 1;
	o.length = random_value(65575);
	o.flags = (uint32_t)draw() & ((1u << 11) - 1);
	o.protocol = protocols[below(6)];
	o.ttl = (uint8_t)random_value(255);
	o.ip_id = (uint16_t)random_value(65535);
	o.src_port = (uint16_t)random_value(65535);
	o.dst_port = (uint16_t)random_value(65535);
	o.icmp_type = (uint8_t)random_value(255);
	o.icmp_code = (uint8_t)random_value(255);
	o.payload_length = (uint16_t)random_value(65535);
	o.payload_kept = (uint8_t)below(OBSERVATION_PAYLOAD_MAX + 1);
	for (unsigned i = 0; i < o.payload_kept; i++)
		o.payload[i] = (uint8_t)below(2);
	o.tcp.options = random_options();
	o.tcp.window = (uint16_t)random_value(65535);
	o.tcp.mss = (uint16_t)random_value(65535);
	o.tcp.flags = (uint8_t)(below(2) ? below(4) : below(256));
	return o;
}

static uint32_t field_max(enum match_field field)
{
	if (field == MATCH_LENGTH)
		return 65575;
	return field == MATCH_PROTO || field == MATCH_TTL || field == MATCH_ICMP_TYPE || field == MATCH_ICMP_CODE
	               ? 255
	               : 65535;
}

/* Any term that the parser can make. */
static struct match_term random_term(void)
{
	struct match_term term;
	struct address address;
	uint32_t a, b;

	memset(&term, 0, sizeof(term));
	term.field = (enum match_field)below(MATCH_FIELDS);
	term.negated = below(2);
	if (term.field == MATCH_SRC_NET || term.field == MATCH_DST_NET) {
		address = random_address();
		term.value.prefix = prefix_of(&address, below(2) ? 128 - below(4) : below(129));
	} else if (term.field == MATCH_TCP_FLAGS) {
		term.value.flags = (uint8_t)(below(2) ? below(4) : below(256));
	} else if (term.field == MATCH_OPTIONS) {
		term.value.options = random_options();
	} else if (term.field == MATCH_PAYLOAD) {
		term.value.payload.length = (uint8_t)(1 + below(MATCH_PAYLOAD_MAX));
		term.value.payload.from = (uint8_t)below(OBSERVATION_PAYLOAD_MAX + 1u - term.value.payload.length);
		for (unsigned i = 0; i < term.value.payload.length; i++)
			term.value.payload.octets[i] = (uint8_t)below(2);
	} else if (term.field > MATCH_DF) {
		a = random_value(field_max(term.field));
		b = below(3) ? random_value(field_max(term.field)) : a;
		term.value.range.low = a < b ? a : b;
		term.value.range.high = a < b ? b : a;
		if (term.value.range.low == 0 && term.value.range.high == field_max(term.field))
			term.negated = false;
	}
	return term;
}

/* A yes-or-no, -1 where the packet does not have the field. */
static int naive_answer(const struct match_term *t, const struct observation *o)
{
	bool ipv4 = memcmp(o->dst.octets, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0;
	bool tcp = (o->flags & OBSERVATION_TCP) != 0, ports = (o->flags & OBSERVATION_PORTS) != 0;
	bool icmp = (o->flags & OBSERVATION_ICMP) != 0, later = (o->flags & OBSERVATION_LATER_FRAGMENT) != 0;
	long number;

	if (t->field == MATCH_IP || t->field == MATCH_IP6)
		return ipv4 == (t->field == MATCH_IP);
	if (t->field == MATCH_TCP)
		return o->protocol == 6;
	if (t->field == MATCH_UDP)
		return o->protocol == 17;
	if (t->field == MATCH_ICMP)
		return o->protocol == 1;
	if (t->field == MATCH_ICMP6)
		return o->protocol == 58;
	if (t->field == MATCH_FRAGMENT)
		return (o->flags & OBSERVATION_FRAGMENT) != 0;
	if (t->field == MATCH_DF)
		return ipv4 ? (o->flags & OBSERVATION_DF) != 0 : -1;
	if (t->field == MATCH_TCP_FLAGS)
		return tcp ? o->tcp.flags == t->value.flags : -1;
	if (t->field == MATCH_OPTIONS) {
		if (!tcp)
			return -1;
		for (unsigned i = 0; i < 16; i++)
			if ((o->tcp.options >> 4 * i & 15) != (t->value.options >> 4 * i & 15))
				return 0;
		return 1;
	}
	if (t->field == MATCH_SRC_NET || t->field == MATCH_DST_NET) {
		const struct address *address = t->field == MATCH_SRC_NET ? &o->src : &o->dst;

		if (t->value.prefix.is_ipv4 != ipv4)
			return 0;
		for (unsigned bit = 0; bit < t->value.prefix.length; bit++) {
			unsigned i = bit + (ipv4 ? 96 : 0);

			if ((address->octets[i / 8] ^ t->value.prefix.address.octets[i / 8]) & 0x80 >> i % 8)
				return 0;
		}
		return 1;
	}
	if (t->field == MATCH_PAYLOAD) {
		int same = 1;

		for (unsigned i = 0; i < t->value.payload.length; i++) {
			if (t->value.payload.from + i >= o->payload_kept)
				return -1;
			if (o->payload[t->value.payload.from + i] != t->value.payload.octets[i])
				same = 0;
		}
		return same;
	}
	number = t->field == MATCH_PROTO                                                  ? o->protocol
	         : t->field == MATCH_LENGTH                                               ? (long)o->length
	         : t->field == MATCH_TTL                                                  ? o->ttl
	         : t->field == MATCH_IP_ID && ipv4                                        ? o->ip_id
	         : t->field == MATCH_SRC_PORT && ports                                    ? o->src_port
	         : t->field == MATCH_DST_PORT && ports                                    ? o->dst_port
	         : t->field == MATCH_WINDOW && tcp                                        ? o->tcp.window
	         : t->field == MATCH_MSS && tcp && o->tcp.mss != 0                        ? o->tcp.mss
	         : t->field == MATCH_ICMP_TYPE && icmp                                    ? o->icmp_type
	         : t->field == MATCH_ICMP_CODE && icmp                                    ? o->icmp_code
	         : t->field == MATCH_PAYLOAD_LENGTH && (later || tcp || o->protocol != 6) ? o->payload_length
	                                                                                  : -1;
	if (number < 0)
		return -1;
	return number >= (long)t->value.range.low && number <= (long)t->value.range.high;
}

static void random_matches_mean_what_they_say(void **state)
{
	unsigned asked[MATCH_FIELDS][3] = { { 0 } }, whole[2] = { 0 };

	(void)state;
	draws = 0;
	for (unsigned round = 0; round < 200000; round++) {
		struct observation o = random_observation();
		struct match match;
		bool all = true;

		memset(&match, 0, sizeof(match));
		match.count = 1 + below(4);
		for (unsigned i = 0; i < match.count; i++) {
			const struct match_term *term = &match.terms[i];
			int answer;

			match.terms[i] = random_term();
			answer = naive_answer(term, &o);
			asked[term->field][answer + 1]++;
			assert_int_equal(match_term_test(term, &o), answer >= 0 && (answer == 1) != term->negated);
			all = all && match_term_test(term, &o);
		}
		assert_int_equal(match_test(&match, &o), all);
		whole[all]++;
	}
	/* The twins agreed on something: every field said yes and no, and those that can be absent were. */
	for (unsigned field = 0; field < MATCH_FIELDS; field++) {
		assert_in_range(asked[field][1], 100, UINT32_MAX);
		assert_in_range(asked[field][2], 100, UINT32_MAX);
	}
	assert_in_range(asked[MATCH_PAYLOAD][0], 100, UINT32_MAX);
	assert_in_range(asked[MATCH_MSS][0], 100, UINT32_MAX);
	assert_in_range(whole[0], 1000, UINT32_MAX);
	assert_in_range(whole[1], 1000, UINT32_MAX);
}

static void random_matches_survive_print_and_parse(void **state)
{
	char text[MATCH_TEXT_SIZE], again[MATCH_TEXT_SIZE];

	(void)state;
	draws = 1u << 30;
	for (unsigned round = 0; round < 100000; round++) {
		struct match match, second;

		memset(&match, 0, sizeof(match));
		match.count = 1 + below(round % 100 ? 4 : MATCH_TERMS_MAX);
		for (unsigned i = 0; i < match.count; i++)
			match.terms[i] = random_term();
		match_format(&match, text);
		if (strlen(text) > 4 && !strcmp(text + strlen(text) - 3, "..."))
			continue;
		second = parsed(text);
		if (!matches_equal(&match, &second))
			fail_msg("'%s' is another match when parsed", text);
		assert_string_equal(match_format(&second, again), text);
	}
}

/* A text spoilt anywhere parses to something that survives, or errs at a place inside it. */
static void spoilt_texts(void **state)
{
	static const char letters[] = " andotipcuf6rsl=<>!-:[],0123456789xSAF./\x7f";
	unsigned good = 0, bad = 0;

	(void)state;
	draws = 1u << 31;
	for (unsigned round = 0; round < 100000; round++) {
		char text[MATCH_TEXT_SIZE], again[MATCH_TEXT_SIZE];
		struct match_error error = { SIZE_MAX, "" };
		struct match match, second;
		size_t length;

		memset(&match, 0, sizeof(match));
		match.count = 1 + below(3);
		for (unsigned i = 0; i < match.count; i++)
			match.terms[i] = random_term();
		match_format(&match, text);
		length = strlen(text);
		for (unsigned i = 1 + below(3); i; i--)
			text[below((uint32_t)length)] = letters[below(sizeof(letters) - 1)];
		if (match_parse(text, &match, &error) == 0) {
			good++;
			match_format(&match, again);
			second = parsed(again);
			assert_true(matches_equal(&match, &second));
		} else {
			bad++;
			assert_in_range(error.offset, 0, length);
			assert_true(error.message[0] && strlen(error.message) < sizeof(error.message) - 1);
		}
	}
	assert_in_range(good, 1000, UINT32_MAX);
	assert_in_range(bad, 1000, UINT32_MAX);
}

static void equality(void **state)
{
	static const char *const texts[] = {
		"ip",
		"not ip",
		"tcp",
		"ttl 5",
		"ttl 4-5",
		"not ttl 5",
		"src port 5",
		"dst port 5",
		"src net 10.0.0.0/8",
		"src net 10.0.0.0/9",
		"tcp flags S",
		"tcp flags SA",
		"options mss",
		"options mss,sok",
		"payload[0:1] = 00",
		"payload[0:1] = 01",
		"payload[1:2] = 00",
		"payload[0:2] = 0000",
	};
	size_t count = sizeof(texts) / sizeof(texts[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++) {
			struct match a = parsed(texts[i]), b = parsed(texts[j]);

			assert_int_equal(match_term_equal(&a.terms[0], &b.terms[0]), i == j);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_text),
		cmocka_unit_test(errors_point_at_the_character),
		cmocka_unit_test(too_long_a_match),
		cmocka_unit_test(a_udp_packet),
		cmocka_unit_test(a_later_fragment_has_no_ports),
		cmocka_unit_test(an_ipv6_packet),
		cmocka_unit_test(broken_matches_do_no_harm),
		cmocka_unit_test(random_matches_mean_what_they_say),
		cmocka_unit_test(random_matches_survive_print_and_parse),
		cmocka_unit_test(spoilt_texts),
		cmocka_unit_test(equality),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
