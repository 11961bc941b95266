/* SPDX-License-Identifier: Apache-2.0 */
/* Sums as a registry writes them (the examples are of FIPS 180-4's "abc"), and archives made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/digest.h"
#include "trace/package.h"

#define ABC_512 "3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw=="

#define ARCHIVE_MAX 65536

struct archive {
	uint8_t octets[ARCHIVE_MAX];
	size_t length;
};

static void put(struct archive *archive, const char *name, const char *prefix, char kind, const void *octets,
                size_t size)
{
	uint8_t *block = archive->octets + archive->length;
	unsigned sum = 0;

	memset(block, 0, 512);
	memcpy(block, name, strlen(name));
	(void)snprintf((char *)block + 124, 12, "%011zo", size);
	memset(block + 148, ' ', 8);
	block[156] = (uint8_t)kind;
	memcpy(block + 257, "ustar\00000", 8);
	memcpy(block + 345, prefix, strlen(prefix));
	for (unsigned i = 0; i < 512; i++)
		sum += block[i];
	(void)snprintf((char *)block + 148, 8, "%06o", sum);
	memset(block + 512, 0, (size + 511) / 512 * 512);
	memcpy(block + 512, octets, size);
	archive->length += 512 + (size + 511) / 512 * 512;
}

/* Packed; `end`: with the zeros at its end. */
static size_t pack(struct archive *archive, bool end, uint8_t packed[ARCHIVE_MAX])
{
	z_stream z;

	memset(&z, 0, sizeof(z));
	if (end) {
		memset(archive->octets + archive->length, 0, 1024);
		archive->length += 1024;
	}
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = archive->octets;
	z.avail_in = (uInt)archive->length;
	z.next_out = packed;
	z.avail_out = ARCHIVE_MAX;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(deflateEnd(&z), Z_OK);
	return ARCHIVE_MAX - z.avail_out;
}

static int unpack(struct archive *archive, bool end, size_t cut, struct package_member *member, char *error)
{
	static uint8_t packed[ARCHIVE_MAX];
	size_t size = pack(archive, end, packed);
	int result = package_unpack(packed, size - cut, member, 1, error);

	archive->length = 0;
	return result;
}

static void sums_are_compared(void **state)
{
	static const struct {
		const char *integrity;
		int result;
	} cases[] = {
		{ "sha512-" ABC_512, 0 },
		{ "sha1-AAAA  sha512-" ABC_512 "?option", 0 },
		{ "sha512-AAAA sha512-" ABC_512, 0 },
		{ "sha512-" ABC_512 "=", -EBADMSG },
		{ "sha512-A" ABC_512, -EBADMSG },
		{ "sha512-AAAA", -EBADMSG },
		{ "sha512-", -EINVAL },
		{ "sha1-AAAA", -EINVAL },
		{ "", -EINVAL },
	};
	char text[DIGEST_SHA256_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(package_check((const uint8_t *)"abc", 3, cases[i].integrity), cases[i].result);
	assert_int_equal(package_check((const uint8_t *)"abd", 3, "sha512-" ABC_512), -EBADMSG);
	digest_sha256_text("abc", 3, text);
	assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void members_are_found_by_their_whole_names(void **state)
{
	static struct archive archive;
	struct package_member member = { .name = "package/x", .max = 100 };
	char error[PACKAGE_ERROR_SIZE];

	(void)state;
	put(&archive, "package", "", '5', "", 0);
	put(&archive, "package/xy", "", '0', "longer", 6);
	put(&archive, "x", "package", '0', "found", 5);
	assert_int_equal(unpack(&archive, true, 0, &member, error), 0);
	assert_int_equal(member.size, 5);
	assert_memory_equal(member.octets, "found", 5);
	free(member.octets);

	/* Without zeros at the end; from before ustar. */
	put(&archive, "package/x", "", '\0', "", 0);
	assert_int_equal(unpack(&archive, false, 0, &member, error), 0);
	assert_non_null(member.octets);
	assert_int_equal(member.size, 0);
	free(member.octets);

	put(&archive, "package/x", "", '2', "", 0);
	put(&archive, "package/x", "..", '0', "evil", 4);
	assert_int_equal(unpack(&archive, true, 0, &member, error), 0);
	assert_null(member.octets);
}

static void wrong_archives_are_refused(void **state)
{
	static struct archive archive;
	struct package_member member = { .name = "package/x", .max = 100 };
	char error[PACKAGE_ERROR_SIZE], large[101] = { 0 };

	(void)state;
	put(&archive, "package/x", "", '0', large, sizeof(large));
	assert_int_equal(unpack(&archive, true, 0, &member, error), -EBADMSG);
	assert_string_equal(error, "a file in it is larger than is taken");
	assert_null(member.octets);

	put(&archive, "package/x", "", '0', "abc", 3);
	archive.octets[124] = '8';
	assert_int_equal(unpack(&archive, true, 0, &member, error), -EBADMSG);
	assert_string_equal(error, "it is no tar archive");

	put(&archive, "package/x", "", '0', "abc", 3);
	archive.length = 514;
	assert_int_equal(unpack(&archive, false, 0, &member, error), -EBADMSG);
	assert_string_equal(error, "its archive ends too early");
	free(member.octets);

	put(&archive, "package/x", "", '0', "abc", 3);
	assert_int_equal(unpack(&archive, true, 9, &member, error), -EBADMSG);
	assert_non_null(strstr(error, "gzip"));
	free(member.octets);

	put(&archive, "package/y", "", '0', "", 0);
	memcpy(archive.octets + 124, "77777777777", 11);
	memset(archive.octets + 148, ' ', 8);
	put(&archive, "package/x", "", '0', "", 0);
	{
		unsigned sum = 0;

		for (unsigned i = 0; i < 512; i++)
			sum += archive.octets[i];
		(void)snprintf((char *)archive.octets + 148, 8, "%06o", sum);
	}
	assert_int_equal(unpack(&archive, true, 0, &member, error), -EBADMSG);
	assert_string_equal(error, "it unpacks to more than 1 GiB");

	assert_int_equal(package_unpack((const uint8_t *)"PK", 2, &member, 1, error), -EBADMSG);
	assert_int_equal(package_unpack((const uint8_t *)"PK\3\4", 4, &member, 1, error), -EBADMSG);
	assert_string_equal(error, "it is not packed with gzip");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_compared),
		cmocka_unit_test(members_are_found_by_their_whole_names),
		cmocka_unit_test(wrong_archives_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
