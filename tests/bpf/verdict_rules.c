/* SPDX-License-Identifier: Apache-2.0 */
/* Random rules against random packets: the kernel's table says what match_test() says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include <cmocka.h>

#include "abi/shield.h"
#include "base/prefix.h"
#include "defend/match.h"
#include "defend/rule.h"
#include "known.h"
#include "observe/capture.h"
#include "observe/decode.h"
#include "observe/observation.h"
#include "observe/protocol.h"
#include "outer.h"
#include "packet.h"
#include "rig.h"
#include "shield/shield.h"

#define FRAME_MAX 3400

/* Frames to hold rules against: made of layers, of real captures where there are some, and both with octets changed. */
enum { POOL = 2000 };
static struct {
	uint8_t octets[FRAME_MAX];
	uint32_t length;
	struct observation observation;
	bool readable; /* observation is filled, and the parser is to say the same */
} * pool;

static void keep_frame(unsigned at, const uint8_t *data, uint32_t length)
{
	struct shield_key key, wanted_key;
	enum shield_reason is, wanted;
	enum decode_result result;

	pool[at].length = length < FRAME_MAX ? length : FRAME_MAX;
	memcpy(pool[at].octets, data, pool[at].length);
	result = outer_decode(pool[at].octets, pool[at].length, &pool[at].observation);
	pool[at].readable = decode_hits_target(result);
	is = outer_parse(pool[at].octets, pool[at].length, SHIELD_NEED_OPTIONS | SHIELD_NEED_PAYLOAD, &key);
	wanted = outer_expected(result, &pool[at].observation, &wanted_key);
	if (outer_difference(is, &key, wanted, &wanted_key)) /* parser_truth is about that */
		pool[at].length = 0;
}

static unsigned keep_captures(unsigned at, unsigned until)
{
	static const char *const names[] = {
		"malformed/the-tcpdump-group+tcpdump/tests/02-sunrise-sunset-esp.pcap",
		"malformed/the-tcpdump-group+tcpdump/tests/of10_s4810.pcap",
		"benign/ntop+nDPI/pcap/zabbix.pcap",
		"benign/ntop+nDPI/pcap/iphone.pcap",
		"benign/ntop+nDPI/pcap/stun_signal.pcapng",
		"benign/ntop+nDPI/pcap/youtube_quic.pcap",
	};
	const char *data = getenv("HOLDFAST_DATA");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		unsigned quota = at + (until - at) / (unsigned)(sizeof(names) / sizeof(names[0]) - i);
		char path[1024], error[CAPTURE_ERROR_SIZE];
		struct capture_record record;
		struct capture *capture;
		enum capture_kind kind;

		(void)snprintf(path, sizeof(path), "%s/%s", data ? data : "../shared/data", names[i]);
		capture = capture_open(path, error);
		if (!capture)
			continue;
		while (at < quota && (kind = capture_next(capture, &record)) != CAPTURE_END)
			if (kind == CAPTURE_PACKET && record.link_type == 1)
				keep_frame(at++, record.data, record.captured);
		capture_close(capture);
	}
	return at;
}

static void fill_pool(void)
{
	unsigned count = 0, whole;

	pool = calloc(POOL, sizeof(*pool));
	assert_non_null(pool);
	for (unsigned i = 0; i < 8 * PACKET_LAYERS; i++) {
		struct packet p = packet_layered((enum packet_layers)(i % PACKET_LAYERS));

		for (unsigned j = 0; j < i / PACKET_LAYERS; j++) /* other numbers, in a sound packet */
			p.octets[14 + 20 + packet_random(&rig.random, 4)] ^=
				(uint8_t)(1 << packet_random(&rig.random, 3));
		keep_frame(count++, p.octets, (uint32_t)p.length);
	}
	count = keep_captures(count, POOL / 2);
	for (whole = count; count < POOL; count++) {
		unsigned from = packet_random(&rig.random, whole);
		uint32_t length = pool[from].length;
		uint8_t frame[FRAME_MAX];

		memcpy(frame, pool[from].octets, length);
		packet_change(frame, &length, &rig.random);
		keep_frame(count, frame, length);
	}
}

static uint32_t field_of(enum match_field field, const struct observation *o)
{
	switch ((unsigned)field) {
	case MATCH_PROTO:
		return o->protocol;
	case MATCH_SRC_PORT:
		return o->src_port;
	case MATCH_DST_PORT:
		return o->dst_port;
	case MATCH_LENGTH:
		return o->length;
	case MATCH_TTL:
		return o->ttl;
	case MATCH_IP_ID:
		return o->ip_id;
	case MATCH_WINDOW:
		return o->tcp.window;
	case MATCH_MSS:
		return o->tcp.mss;
	case MATCH_ICMP_TYPE:
		return o->icmp_type;
	case MATCH_ICMP_CODE:
		return o->icmp_code;
	default:
		return o->payload_length;
	}
}

/* A term that some packet of the pool meets, or does not meet by little. */
static struct match_term random_term(const struct observation *o)
{
	struct match_term term = { .field = (enum match_field)packet_random(&rig.random, MATCH_FIELDS) };
	uint32_t value;

	term.negated = packet_random(&rig.random, 4) == 0;
	switch ((unsigned)term.field) {
	case MATCH_SRC_NET:
		term.value.prefix = prefix_of(&o->src, packet_random(&rig.random, 129));
		break;
	case MATCH_DST_NET:
		term.value.prefix = prefix_of(&o->dst, packet_random(&rig.random, 129));
		break;
	case MATCH_TCP_FLAGS:
		term.value.flags = (uint8_t)(o->tcp.flags ^ (packet_random(&rig.random, 4) ? 0 : 2));
		break;
	case MATCH_OPTIONS:
		term.value.options = packet_random(&rig.random, 4) ? o->tcp.options : 0;
		break;
	case MATCH_PAYLOAD:
		term.value.payload.length = (uint8_t)(1 + packet_random(&rig.random, MATCH_PAYLOAD_MAX));
		term.value.payload.from =
			(uint8_t)packet_random(&rig.random, OBSERVATION_PAYLOAD_MAX + 1u - term.value.payload.length);
		memcpy(term.value.payload.octets, o->payload + term.value.payload.from, term.value.payload.length);
		break;
	default:
		value = field_of(term.field, o);
		term.value.range.low =
			value - (value > 20 ? packet_random(&rig.random, 3) * packet_random(&rig.random, 20) : 0);
		term.value.range.high = value + packet_random(&rig.random, 3) * packet_random(&rig.random, 200);
	}
	return term;
}

static struct rule random_rule(void)
{
	char text[MATCH_TEXT_SIZE];
	struct match_error wrong;
	const struct observation *o = &pool[packet_random(&rig.random, POOL)].observation;
	struct rule rule = { .action = packet_random(&rig.random, 2) ? RULE_DROP : RULE_NONE };

	if (packet_random(&rig.random, 3) == 0)
		rule.scope = prefix_of(&o->dst, packet_random(&rig.random, 129));
	rule.match.count = 1 + packet_random(&rig.random, 5);
	/* One that a person could type: numbers that the field can hold. */
	do {
		for (unsigned i = 0; i < rule.match.count; i++)
			rule.match.terms[i] = random_term(o);
	} while (match_parse(match_format(&rule.match, text), &rule.match, &wrong) != 0);
	return rule;
}

static bool holds(const struct rule *rule, const struct observation *o)
{
	bool everywhere = !rule->scope.is_ipv4 && rule->scope.length == 0;

	return (everywhere || prefix_contains(&rule->scope, &o->dst)) && match_test(&rule->match, o);
}

/* Of the pool's sources some are known. */
static bool is_of_the_known(const struct observation *o)
{
	__u64 word[2];

	memcpy(word, o->src.octets, sizeof(word));
	return shield_mix(shield_is_ipv4(word) ? word[1] : word[0]) & 1;
}

static void serve_everybody(void)
{
	const struct prefix all[] = { rig_prefix("0.0.0.0/0"), rig_prefix("::/0") };
	const struct shield_service service = { .name = "all", .prefixes = all, .prefix_count = 2 };
	struct shield_error error;

	assert_int_equal(shield_set_services(rig.shield, &service, 1, &error), 0);
}

/* Random rules, random packets: the kernel's table says what match_test() says, and the first rule decides. */
static void rules_mean_what_they_mean_elsewhere(void **state)
{
	enum { ROUNDS = 12, RULES = 24 };
	unsigned long drops = 0, hits = 0, runs = 0, spared = 0;

	(void)state;
	NEED_SHIELD;
	fill_pool();
	for (unsigned round = 0; round < ROUNDS; round++) {
		static struct rule rules[RULES];
		bool spares_known[RULES];
		uint64_t matched[RULES] = { 0 }, known[RULES] = { 0 };
		struct shield_rule_told told[SHIELD_RULES_MAX];
		unsigned count = 0, read;

		rig_begin();
		serve_everybody();
		for (unsigned i = 0; i < POOL && round == 0; i++)
			if (pool[i].readable && is_of_the_known(&pool[i].observation))
				known_make(pool[i].observation.src.octets, 0, 3600, 60);
		while (count < RULES) {
			struct shield_making making = { .expires = SHIELD_NEVER };
			struct shield_error error;
			uint32_t number;
			int result;

			rules[count] = random_rule();
			making.known = spares_known[count] = packet_random(&rig.random, 4) == 0;
			result = shield_add_rule(rig.shield, &rules[count], &making, &number, &error);
			assert_true(result == 0 || result == -EOPNOTSUPP);
			count += result == 0;
		}
		for (unsigned i = 0; i < POOL; i++) {
			bool drop = false, hit = false, decided = false;
			unsigned first = 0;

			if (pool[i].length < 14)
				continue;
			/*
			 * One that only counts lets those behind it have their say. Behind all others stand those that
			 * look at sources.
			 */
			for (unsigned at = 0; at < 2 * RULES && !decided; at++) {
				first = at % RULES;
				if (spares_known[first] != (at >= RULES) || !pool[i].readable ||
				    protocol_is_discovery(&pool[i].observation) ||
				    !holds(&rules[first], &pool[i].observation))
					continue;
				matched[first]++;
				hit = true;
				if (rules[first].action != RULE_DROP)
					continue;
				decided = true;
				drop = !spares_known[first] || !is_of_the_known(&pool[i].observation);
				known[first] += !drop;
			}
			drops += drop;
			hits += hit;
			runs++;
			if ((rig_run(pool[i].octets, pool[i].length) == XDP_DROP) != drop) {
				char text[MATCH_TEXT_SIZE];

				fail_msg("round %u, frame %u: rule %u of %u is to decide: %s", round, i, first, RULES,
				         first < RULES ? match_format(&rules[first].match, text) : "none");
			}
		}
		assert_int_equal(shield_read_rules(shield_maps(rig.shield), 0, told, &read), 0);
		assert_int_equal(read, RULES);
		for (unsigned i = 0; i < RULES; i++) {
			struct shield_rule_count counted;

			assert_int_equal(shield_read_rule_count(shield_maps(rig.shield), told[i].counter, &counted), 0);
			assert_int_equal(counted.matched.packets, matched[i]);
			assert_int_equal(counted.dropped.packets,
			                 rules[i].action == RULE_DROP ? matched[i] - known[i] : 0);
			if (rules[i].action == RULE_DROP)
				assert_int_equal(counted.known.packets, known[i]);
			spared += known[i];
		}
	}
	print_message("%lu runs, %lu met a rule, %lu dropped, %lu passed as known\n", runs, hits, drops, spared);
	/* How many that are depends on whether one of few rules, drawn at random, meets much; hundreds are enough. */
	assert_in_range(spared, 100, runs / 2);
	assert_in_range(hits, runs / 10, runs);
	assert_in_range(drops, runs / 20, runs * 9 / 10);
	free(pool);
	rig_begin();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_mean_what_they_mean_elsewhere),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
