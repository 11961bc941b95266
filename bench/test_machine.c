/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules as machine code, without a kernel: the code is run by a few lines that know the instructions it may consist of,
 * and held against what abi/shield.h says of a rule. Packets and rules are drawn, and tables made of any bits at all.
 * Of the table itself: its vectors leave every rule that holds, and few others.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/outer.h"
#include "drawn.h"
#include "machine.h"
#include "shield/ruleset.h"

#define TABLES 60
#define PACKETS 200
#define RULESET 2

static struct machine_code code;

/* ---- the machine ---- */

static uint64_t load(const struct shield_key *key, const struct bpf_insn *insn)
{
	uint64_t word = 0;
	uint16_t two;
	uint32_t four;
	const uint8_t *from = (const uint8_t *)key + insn->off;
	size_t size = BPF_SIZE(insn->code) == BPF_B   ? 1
	              : BPF_SIZE(insn->code) == BPF_H ? 2
	              : BPF_SIZE(insn->code) == BPF_W ? 4
	                                              : 8;

	assert_int_equal(insn->src_reg, BPF_REG_1);
	assert_true(insn->off >= 0 && insn->off % (int)size == 0 && (size_t)insn->off + size <= sizeof(*key));
	memcpy(&two, from, sizeof(two) <= size ? sizeof(two) : 0);
	memcpy(&four, from, sizeof(four) <= size ? sizeof(four) : 0);
	memcpy(&word, from, size == 8 ? size : 0);
	return size == 1 ? *from : size == 2 ? two : size == 4 ? four : word;
}

static uint64_t compute(uint8_t op, uint64_t a, uint64_t b)
{
	switch (BPF_OP(op)) {
	case BPF_MOV:
		return b;
	case BPF_AND:
		return a & b;
	case BPF_SUB:
		return a - b;
	case BPF_RSH:
		return a >> (b & 63);
	default:
		fail_msg("instruction %02x", op);
		return 0;
	}
}

static bool jumps(uint8_t op, uint64_t a, uint64_t b)
{
	switch (BPF_OP(op)) {
	case BPF_JA:
		return true;
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JGT:
		return a > b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSET:
		return a & b;
	default:
		fail_msg("jump %02x", op);
		return false;
	}
}

/* Ends, for no jump goes back. A register is not read before it is written. */
static uint64_t run(const struct shield_key *key, uint64_t asked, uint32_t ruleset)
{
	uint64_t r[6] = { 0, key != NULL, 0, asked, ruleset };
	bool known[6] = { [1] = true, [2] = true, [3] = true, [4] = true };

	for (uint32_t at = 0; at < code.count; at++) {
		const struct bpf_insn *insn = &code.insns[at];
		uint8_t class = BPF_CLASS(insn->code);
		bool narrow = class == BPF_ALU || class == BPF_JMP32;
		uint64_t a, b;

		assert_true(insn->dst_reg < 6 && insn->src_reg < 6);
		if (insn->code == (BPF_JMP | BPF_EXIT)) {
			assert_true(known[0]);
			return r[0];
		}
		if (class == BPF_LDX) {
			assert_non_null(key);
			r[insn->dst_reg] = load(key, insn);
			known[insn->dst_reg] = true;
			continue;
		}
		if (class == BPF_LD) {
			r[insn->dst_reg] = (uint32_t)insn->imm | (uint64_t)(uint32_t)insn[1].imm << 32;
			known[insn->dst_reg] = true;
			at++;
			continue;
		}
		a = r[insn->dst_reg];
		b = BPF_SRC(insn->code) == BPF_X ? r[insn->src_reg] : (uint64_t)(int64_t)insn->imm;
		assert_true(BPF_SRC(insn->code) == BPF_K || known[insn->src_reg]);
		if (narrow) {
			a &= UINT32_MAX;
			b &= UINT32_MAX;
		}
		if (class == BPF_JMP || class == BPF_JMP32) {
			assert_true(insn->off >= 0);
			if (jumps(insn->code, a, b))
				at += (uint16_t)insn->off;
			continue;
		}
		assert_true(class == BPF_ALU || class == BPF_ALU64);
		assert_true(BPF_OP(insn->code) == BPF_MOV || known[insn->dst_reg]);
		r[insn->dst_reg] = compute(insn->code, a, b) & (narrow ? UINT32_MAX : UINT64_MAX);
		known[insn->dst_reg] = true;
	}
	fail_msg("it does not end");
	return 0;
}

/* ---- what a rule says ---- */

static bool holds(const struct shield_rule *rule, const struct shield_key *key)
{
	uint64_t word[SHIELD_WORDS];

	memcpy(word, key, sizeof(word));
	for (unsigned i = 0; i < SHIELD_WORDS; i++)
		if (!(rule->skip >> i & 1) && (word[i] & rule->mask[i]) != rule->value[i])
			return false;
	for (unsigned i = 0; i < rule->range_count && i < SHIELD_RULE_RANGES_MAX; i++) {
		const struct shield_range *range = &rule->ranges[i];
		uint16_t value = key->field[range->field % SHIELD_FIELDS];
		bool in = value >= range->low && value <= range->high;

		if (in == (range->negated != 0))
			return false;
	}
	for (unsigned i = 0; i < rule->unless_count && i < SHIELD_RULE_UNLESS_MAX; i++) {
		const struct shield_unless *unless = &rule->unless[i];
		unsigned at = unless->word > SHIELD_WORDS - 2 ? SHIELD_WORDS - 2 : unless->word;

		if ((word[at] & unless->mask[0]) == unless->value[0] &&
		    (word[at + 1] & unless->mask[1]) == unless->value[1])
			return false;
	}
	return true;
}

static uint32_t first_held(const struct shield_ruleset *set, const struct shield_key *key, uint64_t asked)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (asked >> i & 1 && holds(&set->rules[i], key))
			return i;
	return MACHINE_NONE;
}

static uint64_t random64(uint64_t *random)
{
	return (uint64_t)packet_random(random, UINT32_MAX) << 32 | packet_random(random, UINT32_MAX);
}

/* Goes on from each rule that is found to the next, as whoever asks does. */
static unsigned compare(const struct shield_ruleset *set, const struct shield_key *key, uint64_t asked)
{
	unsigned found = 0;

	for (;;) {
		uint32_t wanted = first_held(set, key, asked);

		assert_int_equal(run(key, asked, RULESET), wanted);
		if (wanted == MACHINE_NONE)
			return found;
		found++;
		asked &= wanted == 63 ? 0 : ~0ULL << (wanted + 1);
	}
}

/* ---- tests ---- */

static void tests_drawn_rules_on_drawn_packets(void **state)
{
	static struct shield_ruleset set;
	unsigned found = 0, asked = 0;
	uint64_t random = 11;

	(void)state;
	for (unsigned i = 0; i < TABLES; i++) {
		drawn_ruleset(&random, 1 + packet_random(&random, SHIELD_RULES_MAX), 0, &set);
		assert_int_equal(machine_make(&set, RULESET, &code), 0);
		for (unsigned k = 0; k < PACKETS; k++) {
			struct shield_key key = { 0 };
			struct packet packet;

			drawn_packet(&random, &packet);
			(void)outer_parse(packet.octets, (uint32_t)packet.length, set.needs, &key);
			found += compare(&set, &key, UINT64_MAX);
			found += compare(&set, &key, random64(&random));
			asked += set.count;
		}
	}
	/* Else it would say nothing: a good part of them hold, and most do not. */
	assert_in_range(found, asked / 20, asked);
}

/* What the kernel looks at of a table: candidates_of() of bpf/rules.h. */
static uint64_t candidates(const struct shield_ruleset *set, const struct shield_key *key)
{
	uint16_t pieces[SHIELD_PIECES];
	__u64 dst[2];

	memcpy(dst, key->dst, sizeof(dst));
	memcpy(pieces, key, sizeof(pieces));
	assert_in_range(set->other, 0, SHIELD_PIECES - 1);
	return set->by_protocol[key->field[SHIELD_F_PROTOCOL] % SHIELD_BINS] &
	       set->by_src_port[SHIELD_PORT_BIN(key->field[SHIELD_F_SRC_PORT])] &
	       set->by_dst_port[SHIELD_PORT_BIN(key->field[SHIELD_F_DST_PORT])] &
	       set->by_length[SHIELD_LENGTH_BIN(key->field[SHIELD_F_LENGTH])] & set->by_dst[shield_fold(dst)] &
	       set->by_other[SHIELD_PORT_BIN(pieces[set->other])];
}

static void vectors_leave_what_holds(void **state)
{
	static struct shield_ruleset set;
	uint64_t random = 14;
	unsigned found = 0;

	(void)state;
	for (unsigned i = 0; i < TABLES; i++) {
		drawn_ruleset(&random, 1 + packet_random(&random, SHIELD_RULES_MAX), 0, &set);
		for (unsigned k = 0; k < PACKETS; k++) {
			struct shield_key key = { 0 };
			struct packet packet;

			drawn_packet(&random, &packet);
			(void)outer_parse(packet.octets, (uint32_t)packet.length, set.needs, &key);
			for (unsigned r = 0; r < set.count; r++)
				if (holds(&set.rules[r], &key)) {
					assert_true(candidates(&set, &key) >> r & 1);
					found++;
				}
		}
	}
	assert_true(found > TABLES * PACKETS / 2);
}

/* Adds a rule of that text for a destination. */
static void add(struct shield_ruleset *set, const char *text, const char *scope)
{
	struct rule rule = { .action = RULE_DROP };
	struct shield_rule compiled;
	struct shield_error error;
	struct match_error wrong;

	assert_int_equal(match_parse(text, &rule.match, &wrong), 0);
	assert_int_equal(prefix_parse(scope, &rule.scope), 0);
	assert_int_equal(ruleset_compile_rule(&rule, &compiled, &error), 0);
	assert_int_equal(ruleset_add(set, &compiled), 0);
}

static void vectors_tell_rules_apart(void **state)
{
	static struct shield_ruleset set;
	struct shield_key key = { 0 };
	struct packet packet;
	char text[64];

	(void)state;
	packet_begin(&packet);
	packet_ipv4(&packet, "198.51.100.9", "192.0.2.20");
	packet_udp(&packet, 40000, 443);
	packet_end(&packet);
	assert_int_equal(outer_parse(packet.octets, (uint32_t)packet.length, 0, &key), SHIELD_PASS_CLEAN);
	memset(&set, 0, sizeof(set));
	for (unsigned i = 0; i < SHIELD_RULES_MAX; i++) {
		(void)snprintf(text, sizeof(text), "192.0.2.%u", i);
		add(&set, "udp and dst port 443", text);
	}
	assert_int_equal(candidates(&set, &key), 0); /* not before it is finished */
	ruleset_finish(&set);
	assert_int_equal(candidates(&set, &key), 1ULL << 20);
	/* Of what else they ask, most are different by TTL: 64 here. */
	memset(&set, 0, sizeof(set));
	for (unsigned i = 0; i < SHIELD_RULES_MAX; i++) {
		(void)snprintf(text, sizeof(text), "udp and ttl %s%u and ip id %u", i == 40 ? "!= " : "", i + 40,
		               i % 2 ? 0x1234 : 1);
		add(&set, text, "::/0");
	}
	ruleset_finish(&set);
	assert_int_equal(set.other, SHIELD_F_TTL);
	assert_int_equal(candidates(&set, &key), 1ULL << 24 | 1ULL << 40);
	/* By what they ask of the payload, which is not among the fields. */
	memset(&set, 0, sizeof(set));
	for (unsigned i = 0; i < SHIELD_RULES_MAX; i++) {
		(void)snprintf(text, sizeof(text), "udp and payload[4:6] = 00%02x", i);
		add(&set, text, "::/0");
	}
	ruleset_finish(&set);
	assert_in_range(set.other, SHIELD_WORD_PAYLOAD * 4, SHIELD_WORD_SRC * 4 - 1);
	key.payload[5] = 33;
	key.field[SHIELD_F_PAYLOAD_KEPT] = 6;
	assert_int_equal(candidates(&set, &key), 1ULL << 33);
}

/*
 * Bits that no rule of the match language is made of: contradictions, ranges of nothing, fields and words that are
 * none.
 */
static void draw_any(uint64_t *random, struct shield_rule *rule)
{
	memset(rule, 0, sizeof(*rule));
	rule->skip = packet_random(random, UINT32_MAX) & packet_random(random, UINT32_MAX);
	for (unsigned i = 0; i < SHIELD_WORDS; i++) {
		if (packet_random(random, 4))
			continue;
		rule->mask[i] = 0x0101010101010101ULL << packet_random(random, 8) & random64(random);
		if (packet_random(random, 8) == 0)
			rule->mask[i] = UINT64_MAX;
		rule->value[i] = packet_random(random, 3) ? rule->mask[i] : rule->mask[i] & random64(random);
		if (packet_random(random, 40) == 0)
			rule->value[i] = random64(random);
	}
	rule->range_count = packet_random(random, 4) ? packet_random(random, 3) : packet_random(random, 12);
	for (unsigned i = 0; i < SHIELD_RULE_RANGES_MAX; i++)
		rule->ranges[i] = (struct shield_range){
			.low = (uint16_t)(packet_random(random, 3) ? 0 : packet_random(random, 65536)),
			.high = (uint16_t)(packet_random(random, 2) ? 65535 : packet_random(random, 65536)),
			.field = (uint8_t)packet_random(random, 256),
			.negated = packet_random(random, 3) == 0,
		};
	rule->unless_count = packet_random(random, 4) ? packet_random(random, 2) : packet_random(random, 8);
	for (unsigned i = 0; i < SHIELD_RULE_UNLESS_MAX; i++) {
		struct shield_unless *unless = &rule->unless[i];

		unless->word = packet_random(random, SHIELD_WORDS + 2);
		for (unsigned k = 0; k < 2; k++) {
			unless->mask[k] = packet_random(random, 3) ? random64(random) & 0xff : 0;
			unless->value[k] = packet_random(random, 3) ? unless->mask[k] : 0;
			if (packet_random(random, 20) == 0)
				unless->value[k] = random64(random);
		}
	}
}

static void tests_any_bits(void **state)
{
	static struct shield_ruleset set;
	unsigned found = 0;
	uint64_t random = 12;

	(void)state;
	for (unsigned i = 0; i < 2 * TABLES; i++) {
		memset(&set, 0, sizeof(set));
		set.count = packet_random(&random, SHIELD_RULES_MAX + 1);
		for (unsigned k = 0; k < set.count; k++)
			draw_any(&random, &set.rules[k]);
		assert_int_equal(machine_make(&set, RULESET, &code), 0);
		for (unsigned k = 0; k < PACKETS; k++) {
			uint64_t words[SHIELD_WORDS];
			struct shield_key key;

			for (unsigned w = 0; w < SHIELD_WORDS; w++)
				words[w] = packet_random(&random, 4) ? UINT64_MAX : random64(&random);
			memcpy(&key, words, sizeof(key));
			found += compare(&set, &key, UINT64_MAX);
		}
	}
	assert_true(found > TABLES * PACKETS);
}

static void is_of_one_table(void **state)
{
	static struct shield_ruleset set;
	struct shield_key key = { 0 };
	uint64_t random = 13;

	(void)state;
	drawn_ruleset(&random, 3, 0, &set);
	assert_int_equal(machine_make(&set, RULESET, &code), 0);
	assert_int_equal(run(NULL, UINT64_MAX, RULESET), MACHINE_OTHER);
	assert_int_equal(run(&key, UINT64_MAX, RULESET + 1), MACHINE_OTHER);
	assert_int_equal(run(&key, 0, RULESET), MACHINE_NONE);
	memset(&set, 0, sizeof(set));
	assert_int_equal(machine_make(&set, RULESET, &code), 0);
	assert_int_equal(run(&key, UINT64_MAX, RULESET), MACHINE_NONE);
	set.count = SHIELD_RULES_MAX + 1;
	assert_int_equal(machine_make(&set, RULESET, &code), -EINVAL);
}

/* What takes the most: 64-bit constants in all words, all ranges, all negated terms. */
static void the_largest_table_has_room(void **state)
{
	static struct shield_ruleset set;
	struct shield_rule rule = { .range_count = SHIELD_RULE_RANGES_MAX, .unless_count = SHIELD_RULE_UNLESS_MAX };
	uint64_t words[SHIELD_WORDS];
	struct shield_key key;

	(void)state;
	for (unsigned i = 0; i < SHIELD_WORDS; i++) {
		rule.mask[i] = 0xfffffffffffffffeULL ^ 1ULL << 62;
		words[i] = rule.value[i] = 0x8123456789abcdeeULL;
	}
	for (unsigned i = 0; i < SHIELD_RULE_RANGES_MAX; i++)
		rule.ranges[i] = (struct shield_range){ .low = 1, .high = 0xfffe, .field = (uint8_t)i };
	for (unsigned i = 0; i < SHIELD_RULE_UNLESS_MAX; i++)
		rule.unless[i] = (struct shield_unless){ .word = i,
			                                 .mask = { 0xbffffffffffffffeULL, 0xbffffffffffffffeULL },
			                                 .value = { 0x1234567812345678ULL, 2 } };
	set.count = SHIELD_RULES_MAX;
	for (unsigned i = 0; i < SHIELD_RULES_MAX; i++)
		set.rules[i] = rule;
	assert_int_equal(machine_make(&set, RULESET, &code), 0);
	assert_in_range(code.count, MACHINE_INSNS_MAX / 2, MACHINE_INSNS_MAX);
	memcpy(&key, words, sizeof(key));
	assert_int_equal(compare(&set, &key, UINT64_MAX), SHIELD_RULES_MAX);
	for (unsigned i = 0; i < SHIELD_RULES_MAX - 1; i++)
		set.rules[i].value[SHIELD_WORD_DST] ^= 1ULL << 33;
	assert_int_equal(machine_make(&set, RULESET, &code), 0);
	assert_int_equal(run(&key, UINT64_MAX, RULESET), SHIELD_RULES_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tests_drawn_rules_on_drawn_packets),
		cmocka_unit_test(tests_any_bits),
		cmocka_unit_test(vectors_leave_what_holds),
		cmocka_unit_test(vectors_tell_rules_apart),
		cmocka_unit_test(is_of_one_table),
		cmocka_unit_test(the_largest_table_has_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
