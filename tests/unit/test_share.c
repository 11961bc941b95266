/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of wholes, at the ends of what 64 bits hold, and memory for large tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/share.h"

static void parts_are_rounded_down_and_bounded(void **state)
{
	(void)state;
	assert_int_equal(share_of(10, 2, 3), 6);
	assert_int_equal(share_of(10, 2, 0), 0);
	assert_int_equal(share_of(UINT64_MAX, UINT64_MAX, UINT64_MAX), UINT64_MAX);
	assert_int_equal(share_of(UINT64_MAX, 3, 4), UINT64_MAX / 4 * 3 + 2);
	assert_int_equal(share_of(UINT64_MAX, 2, 1), UINT64_MAX);
	assert_int_equal(share_ppm(1, 3), 333333);
	assert_int_equal(share_ppm(3, 3), PPM);
	assert_int_equal(share_ppm(1, 0), 0);
	assert_int_equal(share_ppm(UINT64_MAX - 1, UINT64_MAX), PPM - 1);
}

static void a_rate_is_of_a_second(void **state)
{
	(void)state;
	assert_int_equal(share_per_second(15, 10 * NS_PER_S), 1);
	assert_int_equal(share_per_second(15, NS_PER_S / 10), 150);
	assert_int_equal(share_per_second(15, 0), 0);
	assert_int_equal(share_per_second(15, -NS_PER_S), 0);
	assert_int_equal(share_per_second(UINT64_MAX, 1), UINT64_MAX);
	assert_int_equal(share_per_second(1, INT64_MAX), 0);
}

static void tables_begin_on_a_line_and_are_zero(void **state)
{
	static const size_t sizes[] = {
		1, MEMORY_LINE, 4096, ((size_t)2 << 20) - 1, (size_t)2 << 20, ((size_t)4 << 20) + 1
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *table = memory_table_new(sizes[i]);

		assert_non_null(table);
		assert_int_equal((uintptr_t)table % MEMORY_LINE, 0);
		for (size_t at = 0; at < sizes[i]; at++)
			assert_false(table[at]);
		table[0] = table[sizes[i] - 1] = 1;
		memory_table_free(table, sizes[i]);
	}
	assert_null(memory_table_new(SIZE_MAX / 2));
	memory_table_free(NULL, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_rounded_down_and_bounded),
		cmocka_unit_test(a_rate_is_of_a_second),
		cmocka_unit_test(tables_begin_on_a_line_and_are_zero),
	};

	return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
