/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in order, beside a sort that is known to be right: keys of all lengths, equal ones, and where memory ends. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/radix.h"
#include "made.h"

#define MANY 5000

static bool no_memory;

void *__real_calloc(size_t count, size_t size); /* NOLINT: the linker's names */
void *__wrap_calloc(size_t count, size_t size); /* NOLINT */

void *__wrap_calloc(size_t count, size_t size) /* NOLINT */
{
	return no_memory ? NULL : __real_calloc(count, size);
}

/* The order in which they were put decides between equals: what is stable is one order alone. */
static int by_key_and_place(const void *left, const void *right)
{
	const struct radix_item *a = left, *b = right;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->value < b->value ? -1 : a->value > b->value;
}

static void sorts_like_qsort(uint64_t mask, size_t count)
{
	static struct radix_item items[MANY], expected[MANY];
	uint64_t draws = mask ^ count;

	for (uint32_t i = 0; i < count; i++)
		items[i] = expected[i] = (struct radix_item){ made_random(&draws) & mask, i };
	qsort(expected, count, sizeof(*expected), by_key_and_place);
	assert_int_equal(radix_sort(items, count), 0);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(items[i].key, expected[i].key);
		assert_int_equal(items[i].value, expected[i].value);
	}
}

static void all_kinds_of_keys(void **state)
{
	static const uint64_t masks[] = { 0, 1, 0xff, 0xff00, 0x80000000000000ff, 0xffff0000ffff, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		sorts_like_qsort(masks[i], 1);
		sorts_like_qsort(masks[i], 2);
		sorts_like_qsort(masks[i], 257);
		sorts_like_qsort(masks[i], MANY);
	}
	assert_int_equal(radix_sort(NULL, 0), 0);
}

static int by_number(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

static void signed_numbers_too(void **state)
{
	static int64_t numbers[MANY], expected[MANY];
	uint64_t draws = 7;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		numbers[i] = (int64_t)made_random(&draws) >> (i % 64);
	numbers[0] = INT64_MIN;
	numbers[1] = INT64_MAX;
	for (size_t i = 0; i < MANY; i++)
		expected[i] = numbers[i];
	qsort(expected, MANY, sizeof(*expected), by_number);
	assert_int_equal(radix_sort_signed(numbers, MANY), 0);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(numbers[i], expected[i]);
	assert_int_equal(radix_sort_signed(NULL, 0), 0);
}

static void without_memory_nothing_moves(void **state)
{
	struct radix_item items[] = { { 3, 0 }, { 1, 1 }, { 2, 2 } };
	int64_t numbers[] = { 1, -1 };
	int result, signed_result;

	(void)state;
	no_memory = true;
	result = radix_sort(items, 3);
	signed_result = radix_sort_signed(numbers, 2);
	no_memory = false;
	assert_int_equal(result, -ENOMEM);
	assert_int_equal(signed_result, -ENOMEM);
	assert_int_equal(numbers[0], 1);
	assert_int_equal(items[0].key, 3);
	assert_int_equal(items[1].key, 1);
	assert_int_equal(items[2].key, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_kinds_of_keys),
		cmocka_unit_test(signed_numbers_too),
		cmocka_unit_test(without_memory_nothing_moves),
	};

	return cmocka_run_group_tests_name("radix", tests, NULL, NULL);
}
