/* SPDX-License-Identifier: Apache-2.0 */
/* Sums against the examples that their standards print (FIPS 180-4, RFC 4231), and of files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/hex.h"

#define ABC_256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define NOTHING_256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define LONG 100000 /* more than is read of a file at once, and no whole number of that */

static void sums_are_those_of_the_standards(void **state)
{
	uint8_t sum[DIGEST_SHA512_SIZE];
	char text[HEX_SIZE(DIGEST_SHA512_SIZE)];

	(void)state;
	digest_sha1("abc", 3, sum);
	hex_write(sum, DIGEST_SHA1_SIZE, text);
	assert_string_equal(text, "a9993e364706816aba3e25717850c26c9cd0d89d");
	digest_sha256("abc", 3, sum);
	digest_text(sum, text);
	assert_string_equal(text, ABC_256);
	digest_sha256_text("", 0, text);
	assert_string_equal(text, NOTHING_256);
	digest_sha512("abc", 3, sum);
	hex_write(sum, DIGEST_SHA512_SIZE, text);
	assert_string_equal(text, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	                          "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

static void keyed_sums_are_those_of_the_standard(void **state)
{
	static const struct {
		uint8_t octet; /* what the key is made of, or 0: of a text */
		size_t length;
		const char *key, *octets, *sum;
	} cases[] = {
		{ 0x0b, 20, NULL, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ 0, 4, "Jefe", "what do ya want for nothing?",
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ 0xaa, 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
		/* No example of the standard: a key of nothing is one of zeros. */
		{ 0, 0, NULL, "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t key[131], sum[DIGEST_SHA256_SIZE];
		char text[DIGEST_SHA256_TEXT_SIZE];

		memset(key, cases[i].octet, sizeof(key));
		digest_hmac_sha256(cases[i].key ? (const void *)cases[i].key : key, cases[i].length, cases[i].octets,
		                   strlen(cases[i].octets), sum);
		digest_text(sum, text);
		assert_string_equal(text, cases[i].sum);
	}
}

static void one_bit_is_a_difference(void **state)
{
	uint8_t a[DIGEST_SHA256_SIZE] = { 0 }, b[DIGEST_SHA256_SIZE] = { 0 };

	(void)state;
	assert_true(digest_equal(a, b, sizeof(a)));
	for (unsigned bit = 0; bit < 8 * sizeof(a); bit++) {
		b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(digest_equal(a, b, sizeof(a)));
		assert_true(digest_equal(a, b, bit / 8));
		b[bit / 8] = 0;
	}
}

static void a_file_is_summed_from_its_beginning(void **state)
{
	static char octets[LONG];
	char path[] = "/tmp/holdfast-digest-XXXXXX", text[DIGEST_SHA256_TEXT_SIZE], whole[DIGEST_SHA256_TEXT_SIZE];
	int fd = mkstemp(path), ends[2];
	uint64_t length = 7;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(digest_sha256_file(fd, text, &length), 0);
	assert_string_equal(text, NOTHING_256);
	assert_int_equal(length, 0);
	for (size_t i = 0; i < LONG; i++)
		octets[i] = (char)(i * 7);
	assert_int_equal(write(fd, octets, LONG), LONG);
	assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
	assert_int_equal(digest_sha256_file(fd, text, &length), 0);
	digest_sha256_text(octets, LONG, whole);
	assert_string_equal(text, whole);
	assert_int_equal(length, LONG);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
	assert_int_equal(close(fd), 0);
	assert_int_equal(digest_sha256_file(fd, text, &length), -EBADF);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(digest_sha256_file(ends[0], text, &length), -ESPIPE);
	assert_int_equal(close(ends[0]) | close(ends[1]), 0);
	assert_int_equal(length, LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_those_of_the_standards),
		cmocka_unit_test(keyed_sums_are_those_of_the_standard),
		cmocka_unit_test(one_bit_is_a_difference),
		cmocka_unit_test(a_file_is_summed_from_its_beginning),
	};

	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
