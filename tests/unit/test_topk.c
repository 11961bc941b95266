/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heaviest keys against a naive twin that counts every key: the bounds that the header promises hold, before and
 * after merging.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/topk.h"
#include "made.h"

#define KEYS 4096

struct twin {
	uint64_t total;
	uint64_t counts[KEYS];
};

enum shape { UNIFORM, SKEWED, HEAVY, CYCLE };

/* Keys use both halves, so that neither may be forgotten. */
static struct topk_key key_of(uint32_t number)
{
	return (struct topk_key){ number & 1 ? 0x20010db800000000u + number : 0, 0xffffc0000200u ^ number / 2 };
}

static uint32_t number_of(struct topk_key key)
{
	uint32_t half = (uint32_t)(key.low ^ 0xffffc0000200u);

	return half * 2 + (key.high != 0);
}

static uint32_t draw(enum shape shape, uint32_t i, uint64_t *draws)
{
	switch (shape) {
	case UNIFORM:
		return made_below(draws, KEYS);
	case SKEWED: /* octaves are equally heavy: nearly Zipf's law */
		return made_below(draws, 1u << (1 + made_below(draws, 12)));
	case HEAVY:
		return made_below(draws, 10) < 3 ? 77 : made_below(draws, KEYS);
	case CYCLE: /* the worst order: each key comes back just after it was pushed out */
		return i % (TOPK_ROOM + 1);
	}
	return 0;
}

static void both_add(struct topk *topk, struct twin *twin, uint32_t number, uint64_t weight)
{
	topk_add(topk, key_of(number), weight);
	twin->counts[number] += weight;
	twin->total += weight;
}

static void check(const struct topk *topk, const struct twin *twin)
{
	uint8_t listed[KEYS] = { 0 };
	uint64_t heaviest = 0;

	assert_int_equal(topk->total, twin->total);
	assert_in_range(topk->used, twin->total > 0, TOPK_ROOM);
	for (uint32_t i = 0; i < topk->used; i++) {
		const struct topk_entry *entry = &topk->entries[i];
		uint32_t number = number_of(entry->key);

		assert_in_range(number, 0, KEYS - 1);
		assert_int_equal(listed[number]++, 0);
		assert_true(entry->count >= twin->counts[number]);
		assert_true(entry->count - entry->error <= twin->counts[number]);
		assert_true(entry->error <= twin->total / TOPK_SIZE);
	}
	for (uint32_t i = 0; i < KEYS; i++) {
		if (twin->counts[i] > twin->total / TOPK_SIZE)
			assert_int_equal(listed[i], 1);
		heaviest = twin->counts[i] > heaviest ? twin->counts[i] : heaviest;
	}
	/* "At least": never more than there is, and short by no more than the bound. */
	assert_true(topk_heaviest(topk) <= heaviest);
	assert_true(topk_heaviest(topk) + 2 * (twin->total / TOPK_SIZE) >= heaviest);
}

static void empty(void **state)
{
	struct topk a = { 0 }, b = { 0 };

	(void)state;
	assert_int_equal(topk_heaviest(&a), 0);
	topk_merge(&a, &b);
	topk_sort(&a);
	assert_int_equal(a.used, 0);
	assert_int_equal(a.total, 0);
	topk_add(&b, topk_number(5), 3);
	topk_merge(&a, &b);
	assert_int_equal(topk_heaviest(&a), 3);
	assert_int_equal(a.entries[0].key.low, 5);
	assert_int_equal(a.entries[0].error, 0);
}

static void few_keys_are_exact(void **state)
{
	struct topk topk = { 0 };
	struct twin twin = { 0 };
	uint64_t draws = 1;

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		both_add(&topk, &twin, made_below(&draws, TOPK_SIZE), 1 + made_below(&draws, 1500));
	for (uint32_t i = 0; i < topk.used; i++) {
		assert_int_equal(topk.entries[i].count, twin.counts[number_of(topk.entries[i].key)]);
		assert_int_equal(topk.entries[i].error, 0);
	}
	check(&topk, &twin);
}

static void streams_against_the_twin(void **state)
{
	uint64_t draws = 2;

	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		struct topk topk = { 0 };
		struct twin twin = { 0 };

		for (uint32_t i = 0; i < 6000; i++) {
			uint32_t number = draw((enum shape)(round % 4), i, &draws);

			both_add(&topk, &twin, number, round & 4 ? 1 + made_below(&draws, 9) : 1);
			if (i % 500 == 0)
				check(&topk, &twin);
		}
		check(&topk, &twin);
		topk_sort(&topk);
		check(&topk, &twin);
	}
}

static void merged_parts_keep_the_bound(void **state)
{
	uint64_t draws = 3;

	(void)state;
	for (unsigned round = 0; round < 100; round++) {
		struct topk parts[5], merged = { 0 };
		struct twin twin = { 0 };
		uint32_t count = 2 + made_below(&draws, 4), packets = 1 + made_below(&draws, 8000);
		bool by_cut = round & 8;

		memset(parts, 0, sizeof(parts));
		for (uint32_t i = 0; i < packets; i++) {
			uint32_t part = by_cut ? (uint32_t)((uint64_t)i * count / packets) : made_below(&draws, count);

			both_add(&parts[part], &twin, draw((enum shape)(round % 4), i, &draws),
			         1 + made_below(&draws, 3));
		}
		for (uint32_t i = 0; i < count; i++)
			topk_merge(&merged, &parts[i]);
		check(&merged, &twin);
		/* A merged summary goes on counting, and merges again. */
		for (uint32_t i = 0; i < 2000; i++)
			both_add(&merged, &twin, draw((enum shape)((round + 1) % 4), i, &draws), 1);
		check(&merged, &twin);
		memset(&parts[0], 0, sizeof(parts[0]));
		for (uint32_t i = 0; i < 2000; i++)
			both_add(&parts[0], &twin, draw((enum shape)((round + 2) % 4), i, &draws), 1);
		topk_merge(&parts[0], &merged);
		check(&parts[0], &twin);
	}
}

static void order_is_fixed(void **state)
{
	struct topk forth = { 0 }, back = { 0 };

	(void)state;
	/* Many ties, keys that differ in one half only. */
	for (uint32_t i = 0; i < TOPK_SIZE; i++) {
		topk_add(&forth, (struct topk_key){ i / 8, i % 8 }, 5 + i % 3);
		topk_add(&back, (struct topk_key){ (63 - i) / 8, (63 - i) % 8 }, 5 + (63 - i) % 3);
	}
	topk_sort(&forth);
	topk_sort(&back);
	assert_memory_equal(&forth, &back, sizeof(forth));
	for (uint32_t i = 1; i < forth.used; i++) {
		const struct topk_entry *a = &forth.entries[i - 1], *b = &forth.entries[i];

		assert_true(a->count > b->count ||
		            (a->count == b->count &&
		             (a->key.high < b->key.high || (a->key.high == b->key.high && a->key.low < b->key.low))));
	}
}

static void same_stream_same_summary(void **state)
{
	struct topk one = { 0 }, other = { 0 };
	uint64_t draws = 4, again = 4;

	(void)state;
	for (uint32_t i = 0; i < 20000; i++) {
		topk_add(&one, key_of(draw(SKEWED, i, &draws)), 1);
		topk_add(&other, key_of(draw(SKEWED, i, &again)), 1);
	}
	assert_memory_equal(&one, &other, sizeof(one));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(few_keys_are_exact),
		cmocka_unit_test(streams_against_the_twin),
		cmocka_unit_test(merged_parts_keep_the_bound),
		cmocka_unit_test(order_is_fixed),
		cmocka_unit_test(same_stream_same_summary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
