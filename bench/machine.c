/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers: r1 the key, r3 which rules are asked about, r2 the same of rules 32 to 63, r0 what has been read and then
 * the answer, r5 a constant that no instruction has room for.
 *
 * Rules stand one after the other, in eights. Whether one of eight is asked about is asked first, then of each; what a
 * rule does not hold jumps to the next.
 */
#include "machine.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define GROUP 8      /* rules */
#define FAILS_MAX 32 /* jumps out of one rule: 26 */

/* Jumps whose end is not yet known. */
struct jumps {
	uint32_t count;
	uint32_t from[FAILS_MAX];
};

static void put(struct machine_code *code, uint8_t op, uint8_t to, uint8_t from, int16_t offset, uint32_t constant)
{
	if (code->count < MACHINE_INSNS_MAX)
		code->insns[code->count] = (struct bpf_insn){
			.code = op, .dst_reg = to & 15u, .src_reg = from & 15u, .off = offset, .imm = (__s32)constant
		};
	code->count++;
}

static void put_wide(struct machine_code *code, uint8_t to, uint64_t constant)
{
	put(code, BPF_LD | BPF_IMM | BPF_DW, to, 0, 0, (uint32_t)constant);
	put(code, 0, 0, 0, 0, (uint32_t)(constant >> 32));
}

static void put_answer(struct machine_code *code, uint32_t answer)
{
	put(code, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, answer);
	put(code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* A jump to where land() is called with the same `jumps`. */
static void jump(struct machine_code *code, struct jumps *jumps, uint8_t op, uint8_t to, uint8_t from,
                 uint32_t constant)
{
	if (jumps->count < FAILS_MAX)
		jumps->from[jumps->count] = code->count;
	jumps->count++;
	put(code, op, to, from, 0, constant);
}

static void land(struct machine_code *code, const struct jumps *jumps)
{
	for (uint32_t i = 0; i < jumps->count && i < FAILS_MAX; i++)
		if (jumps->from[i] < MACHINE_INSNS_MAX)
			code->insns[jumps->from[i]].off = (int16_t)(code->count - jumps->from[i] - 1);
}

/* ---- what a rule says ---- */

/* Of a test that is made for each packet, what is known of it without one. */
enum outcome { NEVER, ALWAYS, DEPENDS };

/* (word & mask) == value */
struct test {
	uint32_t word;
	uint64_t mask, value;
};

static enum outcome outcome_of(const struct test *test)
{
	if (test->value & ~test->mask)
		return NEVER;
	return test->mask ? DEPENDS : ALWAYS;
}

static bool fits(uint64_t constant)
{
	return (uint64_t)(int64_t)(int32_t)(uint32_t)constant == constant;
}

/* The least aligned part of the word that has all bits of the mask, in octets as they lie in memory. */
static uint32_t part_of(uint64_t mask, uint32_t *at)
{
	uint8_t octets[8];
	uint32_t first = 0, last = 7, size = 1;

	memcpy(octets, &mask, sizeof(octets));
	while (octets[first] == 0)
		first++;
	while (octets[last] == 0)
		last--;
	while (first / size != last / size)
		size *= 2;
	*at = first / size * size;
	return size;
}

static uint64_t read_part(uint64_t word, uint32_t at, uint32_t size)
{
	uint8_t octets[8];
	uint16_t two;
	uint32_t four;

	memcpy(octets, &word, sizeof(octets));
	memcpy(&two, octets + (at & 6), sizeof(two));
	memcpy(&four, octets + (at & 4), sizeof(four));
	return size == 1 ? octets[at & 7] : size == 2 ? two : size == 4 ? four : word;
}

/* Jumps where the word is not as the test wants it, which depends. */
static void put_test(struct machine_code *code, const struct test *test, struct jumps *unlike)
{
	static const uint8_t loads[] = { [1] = BPF_B, [2] = BPF_H, [4] = BPF_W, [8] = BPF_DW };
	uint32_t at, size = part_of(test->mask, &at);
	uint64_t mask = read_part(test->mask, at, size), value = read_part(test->value, at, size);
	uint64_t all = size == 8 ? UINT64_MAX : (1ULL << (8 * size)) - 1;

	put(code, BPF_LDX | BPF_MEM | loads[size], BPF_REG_0, BPF_REG_1, (int16_t)(test->word * 8 + at), 0);
	if (size < 8) {
		if (mask != all)
			put(code, BPF_ALU | BPF_AND | BPF_K, BPF_REG_0, 0, 0, (uint32_t)mask);
		jump(code, unlike, BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_0, 0, (uint32_t)value);
		return;
	}
	if (mask != all && fits(mask)) {
		put(code, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_0, 0, 0, (uint32_t)mask);
	} else if (mask != all) {
		put_wide(code, BPF_REG_5, mask);
		put(code, BPF_ALU64 | BPF_AND | BPF_X, BPF_REG_0, BPF_REG_5, 0, 0);
	}
	if (fits(value)) {
		jump(code, unlike, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, (uint32_t)value);
	} else {
		put_wide(code, BPF_REG_5, value);
		jump(code, unlike, BPF_JMP | BPF_JNE | BPF_X, BPF_REG_0, BPF_REG_5, 0);
	}
}

static enum outcome range_outcome(const struct shield_range *range)
{
	bool empty = range->low > range->high, all = range->low == 0 && range->high == UINT16_MAX;

	if (!empty && !all)
		return DEPENDS;
	return empty == (range->negated != 0) ? ALWAYS : NEVER;
}

static void put_range(struct machine_code *code, const struct shield_range *range, struct jumps *fails)
{
	uint32_t field = range->field & (SHIELD_FIELDS - 1);

	put(code, BPF_LDX | BPF_MEM | BPF_H, BPF_REG_0, BPF_REG_1,
	    (int16_t)(offsetof(struct shield_key, field) + 2 * field), 0);
	if (range->low)
		put(code, BPF_ALU | BPF_SUB | BPF_K, BPF_REG_0, 0, 0, range->low);
	jump(code, fails, BPF_JMP32 | (range->negated ? BPF_JLE : BPF_JGT) | BPF_K, BPF_REG_0, 0,
	     (uint32_t)(range->high - range->low));
}

static void unless_tests(const struct shield_unless *unless, struct test tests[2])
{
	uint32_t at = unless->word < SHIELD_WORDS - 1 ? unless->word : SHIELD_WORDS - 2;

	for (uint32_t i = 0; i < 2; i++)
		tests[i] = (struct test){ at + i, unless->mask[i], unless->value[i] };
}

/* Of the contrary of both tests. */
static enum outcome unless_outcome(const struct shield_unless *unless)
{
	struct test tests[2];

	unless_tests(unless, tests);
	if (outcome_of(&tests[0]) == NEVER || outcome_of(&tests[1]) == NEVER)
		return ALWAYS;
	return outcome_of(&tests[0]) == ALWAYS && outcome_of(&tests[1]) == ALWAYS ? NEVER : DEPENDS;
}

static void put_unless(struct machine_code *code, const struct shield_unless *unless, struct jumps *fails)
{
	struct jumps good = { .count = 0 };
	struct test tests[2];

	unless_tests(unless, tests);
	for (uint32_t i = 0; i < 2; i++)
		if (outcome_of(&tests[i]) == DEPENDS)
			put_test(code, &tests[i], &good);
	jump(code, fails, BPF_JMP | BPF_JA, 0, 0, 0);
	land(code, &good);
}

static uint32_t at_most(uint32_t count, uint32_t most)
{
	return count < most ? count : most;
}

static struct test word_test(const struct shield_rule *rule, uint32_t word)
{
	if (rule->skip >> word & 1)
		return (struct test){ word, 0, 0 };
	return (struct test){ word, rule->mask[word], rule->value[word] };
}

/* Whether there can be a key that the rule holds, as far as one test at a time says. */
static bool can_hold(const struct shield_rule *rule)
{
	for (uint32_t i = 0; i < SHIELD_WORDS; i++) {
		struct test test = word_test(rule, i);

		if (outcome_of(&test) == NEVER)
			return false;
	}
	for (uint32_t i = 0; i < at_most(rule->range_count, SHIELD_RULE_RANGES_MAX); i++)
		if (range_outcome(&rule->ranges[i]) == NEVER)
			return false;
	for (uint32_t i = 0; i < at_most(rule->unless_count, SHIELD_RULE_UNLESS_MAX); i++)
		if (unless_outcome(&rule->unless[i]) == NEVER)
			return false;
	return true;
}

static void put_rule(struct machine_code *code, const struct shield_rule *rule, uint32_t number,
                     const uint32_t order[SHIELD_WORDS], struct jumps *fails)
{
	for (uint32_t i = 0; i < SHIELD_WORDS; i++) {
		struct test test = word_test(rule, order[i]);

		if (outcome_of(&test) == DEPENDS)
			put_test(code, &test, fails);
	}
	for (uint32_t i = 0; i < at_most(rule->range_count, SHIELD_RULE_RANGES_MAX); i++)
		if (range_outcome(&rule->ranges[i]) == DEPENDS)
			put_range(code, &rule->ranges[i], fails);
	for (uint32_t i = 0; i < at_most(rule->unless_count, SHIELD_RULE_UNLESS_MAX); i++)
		if (unless_outcome(&rule->unless[i]) == DEPENDS)
			put_unless(code, &rule->unless[i], fails);
	put_answer(code, number);
}

/* ---- the whole ---- */

/* How many different things rules ask of a word. */
static uint32_t asked_of(const struct shield_ruleset *set, uint32_t word)
{
	uint32_t different = 0;

	for (uint32_t i = 0; i < set->count; i++) {
		struct test test = word_test(&set->rules[i], word);
		bool seen = test.mask == 0;

		for (uint32_t k = 0; k < i && !seen; k++) {
			struct test other = word_test(&set->rules[k], word);

			seen = other.mask == test.mask && other.value == test.value;
		}
		different += !seen;
	}
	return different;
}

/* Words of which the most is asked first. */
static void order_words(const struct shield_ruleset *set, uint32_t order[SHIELD_WORDS])
{
	uint32_t asked[SHIELD_WORDS];

	for (uint32_t i = 0; i < SHIELD_WORDS; i++) {
		uint32_t place = i, count = asked_of(set, i);

		for (; place > 0 && asked[place - 1] < count; place--) {
			asked[place] = asked[place - 1];
			order[place] = order[place - 1];
		}
		asked[place] = count;
		order[place] = i;
	}
}

/* Jumps where none of the rules [first, first + count), of one half, is asked about. */
static void put_asked(struct machine_code *code, uint32_t first, uint32_t count, struct jumps *none)
{
	uint32_t bits = (uint32_t)(((1ULL << count) - 1) << (first % 32));

	put(code, BPF_JMP32 | BPF_JSET | BPF_K, first < 32 ? BPF_REG_3 : BPF_REG_2, 0, 1, bits);
	jump(code, none, BPF_JMP | BPF_JA, 0, 0, 0);
}

int machine_make(const struct shield_ruleset *set, __u32 ruleset, struct machine_code *code)
{
	struct jumps other = { .count = 0 };
	uint32_t order[SHIELD_WORDS];

	if (set->count > SHIELD_RULES_MAX)
		return -EINVAL;
	code->count = 0;
	order_words(set, order);
	jump(code, &other, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_1, 0, 0);
	jump(code, &other, BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_4, 0, ruleset);
	put(code, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_3, 0, 0);
	put(code, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_2, 0, 0, 32);
	for (uint32_t first = 0; first < set->count; first += GROUP) {
		struct jumps group = { .count = 0 };
		uint32_t count = at_most(set->count - first, GROUP), holding = 0;

		for (uint32_t i = first; i < first + count; i++)
			holding += can_hold(&set->rules[i]);
		/* Of one, asking twice would be more than a waste: an answer that is known beforehand has the verifier
		 * look at each way that leads there by itself. */
		if (holding > 1)
			put_asked(code, first, count, &group);
		for (uint32_t i = first; i < first + count; i++) {
			struct jumps fails = { .count = 0 };

			if (!can_hold(&set->rules[i]))
				continue;
			put_asked(code, i, 1, &fails);
			put_rule(code, &set->rules[i], i, order, &fails);
			land(code, &fails);
		}
		land(code, &group);
	}
	put_answer(code, MACHINE_NONE);
	land(code, &other);
	put_answer(code, MACHINE_OTHER);
	return code->count > MACHINE_INSNS_MAX ? -E2BIG : 0;
}
