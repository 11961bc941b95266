/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"

static void digits(void **state)
{
	static const char all[] = "0123456789abcdef", capital[] = "0123456789ABCDEF";
	unsigned known = 0;

	(void)state;
	for (int i = 0; i < 16; i++) {
		assert_int_equal(hex_digit(all[i]), i);
		assert_int_equal(hex_digit(capital[i]), i);
	}
	for (int c = -128; c < 128; c++)
		known += hex_digit((char)c) >= 0;
	assert_int_equal(known, 22);
}

static void octets_become_digits_and_octets_again(void **state)
{
	uint8_t octets[256], read[256];
	char text[HEX_SIZE(256)];

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		octets[i] = (uint8_t)(255 - i);
	hex_write(octets, 256, text);
	assert_int_equal(strlen(text), 512);
	assert_memory_equal(text, "fffefd", 6);
	assert_int_equal(hex_read(text, read, 256), 0);
	assert_memory_equal(read, octets, 256);
	hex_write(octets, 0, text);
	assert_string_equal(text, "");
}

static void what_is_no_digit_is_refused(void **state)
{
	static const char *const wrong[] = { "", "0", "0g", "g0", "0A", "A0", "00 0", "00-1", "0", "00\n0" };
	uint8_t read[2];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(hex_read(wrong[i], read, 2), -EBADMSG);
	assert_int_equal(hex_read("0aff and more", read, 2), 0);
	assert_int_equal(read[0], 10);
	assert_int_equal(read[1], 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digits),
		cmocka_unit_test(octets_become_digits_and_octets_again),
		cmocka_unit_test(what_is_no_digit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
