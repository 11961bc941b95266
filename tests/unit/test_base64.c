/* SPDX-License-Identifier: Apache-2.0 */
/* Base64: the examples of RFC 4648, section 10; that of one meaning there is one text; and what is none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "made.h"

#define MOST 100

static void the_examples_of_the_standard(void **state)
{
	static const char *const texts[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
	char text[BASE64_SIZE(6)], read[6];

	(void)state;
	for (size_t count = 0; count <= 6; count++) {
		size_t got = 77;

		base64_write("foobar", count, text);
		assert_string_equal(text, texts[count]);
		assert_int_equal(strlen(text) + 1, BASE64_SIZE(count));
		assert_int_equal(base64_read(text, strlen(text), read, sizeof(read), &got), 0);
		assert_int_equal(got, count);
		assert_memory_equal(read, "foobar", count);
	}
}

static void all_octets_come_back(void **state)
{
	uint64_t draws = 11;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		uint8_t octets[MOST], read[MOST];
		char text[BASE64_SIZE(MOST)];
		size_t count = made_below(&draws, MOST + 1), got;

		for (size_t i = 0; i < count; i++)
			octets[i] = (uint8_t)made_random(&draws);
		base64_write(octets, count, text);
		assert_int_equal(base64_read(text, strlen(text), read, count, &got), 0);
		assert_int_equal(got, count);
		assert_memory_equal(read, octets, count);
		got = 77;
		if (count > 0)
			assert_int_equal(base64_read(text, strlen(text), read, count - 1, &got), -ENOSPC);
		assert_int_equal(got, 77);
	}
}

/* Of all texts of four octets, those that are written are read, and no other. */
static void of_one_meaning_there_is_one_text(void **state)
{
	static const char octets[] = "AQgwZ9+/=-_ \n";
	char text[5] = "", again[BASE64_SIZE(3)];

	(void)state;
	for (unsigned n = 0; n < sizeof(octets) * sizeof(octets) * sizeof(octets) * sizeof(octets); n++) {
		uint8_t read[3];
		size_t got = 77;

		for (unsigned i = 0, rest = n; i < 4; i++, rest /= sizeof(octets))
			text[i] = octets[rest % sizeof(octets)];
		if (base64_read(text, 4, read, sizeof(read), &got) != 0) {
			assert_int_equal(got, 77);
			continue;
		}
		base64_write(read, got, again);
		assert_memory_equal(again, text, 4);
	}
}

static void what_is_none_is_refused(void **state)
{
	static const char *const none[] = { "Z",    "Zg",   "Zg=",  "Zg==Zg==", "=",    "==",   "====",    "Z===",
		                            "Zh==", "Zm9=", "Zm=v", "Z-8=",     "Zm 9", "Zm\n", "Zm9vYg=", "=m9v" };
	uint8_t read[12];
	size_t got = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (base64_read(none[i], strlen(none[i]), read, sizeof(read), &got) != -EBADMSG)
			fail_msg("'%s' was accepted", none[i]);
	assert_int_equal(base64_read("Zg=\0", 4, read, sizeof(read), &got), -EBADMSG);
	assert_int_equal(got, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_standard),
		cmocka_unit_test(all_octets_come_back),
		cmocka_unit_test(of_one_meaning_there_is_one_text),
		cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
