/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of networks in files: what counts, what is refused and where, and lists as sets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "daemon/prefix_file.h"

#define SEED 20261126u

static int file_of(const char *text, size_t length)
{
	int fd = memfd_create("list", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), length);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int read_text(const char *text, size_t length, uint32_t max, struct prefix_list *list,
                     char error[PREFIX_FILE_ERROR_SIZE])
{
	int fd = file_of(text, length);
	int result = prefix_file_read(fd, "list", max, list, error);

	close(fd);
	return result;
}

static void read_what_counts(void **state)
{
	static const char text[] = "# a list\n\n192.0.2.10\n  198.51.100.0/24  # with a comment\r\n\t2001:db8::/32\n"
				   "2001:db8::1#no blank\n   # only a comment\n203.0.113.0/25";
	static const char *const wanted[] = { "192.0.2.10/32", "198.51.100.0/24", "2001:db8::/32", "2001:db8::1/128",
		                              "203.0.113.0/25" };
	char error[PREFIX_FILE_ERROR_SIZE], printed[PREFIX_TEXT_SIZE];
	struct prefix_list list;

	(void)state;
	assert_int_equal(read_text(text, sizeof(text) - 1, 10, &list, error), 0);
	assert_int_equal(list.count, sizeof(wanted) / sizeof(wanted[0]));
	for (uint32_t i = 0; i < list.count; i++)
		assert_string_equal(prefix_format(&list.prefixes[i], printed), wanted[i]);
	prefix_list_fini(&list);
	assert_int_equal(read_text("", 0, 10, &list, error), 0);
	assert_int_equal(list.count, 0);
	prefix_list_fini(&list);
}

static void refuse_what_is_broken(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		int result;
		const char *begins;
	} cases[] = {
#define TEXT(literal) literal, sizeof(literal) - 1
		{ TEXT("192.0.2.1\n# x\n192.0.2.300\n"), -EINVAL, "list:3: '192.0.2.300' is no address or network" },
		{ TEXT("192.0.2.1/24\n"), -EINVAL, "list:1: '192.0.2.1/24' is no" },
		{ TEXT("192.0.2.1 192.0.2.2\n"), -EINVAL, "list:1: '192.0.2.1 192.0.2.2'" },
		{ TEXT("192.0.2.1\n\0\n"), -EINVAL, "list:2: a NUL octet" },
		{ TEXT("\033[2J"), -EINVAL, "list:1: '?[2J'" },
		{ TEXT("192.0.2.1\n192.0.2.2\n192.0.2.3\n192.0.2.4\n"), -E2BIG, "list:4: more than 3 prefixes" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char error[PREFIX_FILE_ERROR_SIZE];
		struct prefix_list list = { .prefixes = NULL, .count = 77 };

		assert_int_equal(read_text(cases[i].text, cases[i].length, 3, &list, error), cases[i].result);
		assert_int_equal(list.count, 77); /* not touched */
		if (strncmp(error, cases[i].begins, strlen(cases[i].begins)) != 0)
			fail_msg("'%s' does not begin with '%s'", error, cases[i].begins);
	}
}

/* A line that does not fit is no prefix, wherever blocks of the file end. */
static void lines_of_any_length(void **state)
{
	const size_t size = 200000;
	char *text = malloc(size), error[PREFIX_FILE_ERROR_SIZE];
	struct prefix_list list;

	(void)state;
	assert_non_null(text);
	memset(text, '1', size);
	assert_int_equal(read_text(text, size, 10, &list, error), -EINVAL);
	memset(text, ' ', size);
	text[0] = '#';
	memcpy(text + size - 11, "\n192.0.2.1\n", 11);
	assert_int_equal(read_text(text, size, 10, &list, error), 0);
	assert_int_equal(list.count, 1);
	prefix_list_fini(&list);
	free(text);
}

/* Many lines, over ends of blocks: against what was written. */
static void many_lines(void **state)
{
	enum { LINES = 20000 };
	char *text = malloc(LINES * 20), error[PREFIX_FILE_ERROR_SIZE];
	struct prefix_list list;
	size_t length = 0;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < LINES; i++) {
		uint64_t x = hash_2(SEED, i, 1);

		length += (size_t)sprintf(text + length, "198.%u.%u.%u\n", 18 + (unsigned)(x & 1),
		                          (unsigned)(x >> 8 & 255), (unsigned)(x >> 16 & 255));
	}
	assert_int_equal(read_text(text, length, LINES, &list, error), 0);
	assert_int_equal(list.count, LINES);
	for (unsigned i = 0; i < LINES; i++) {
		uint64_t x = hash_2(SEED, i, 1);

		assert_int_equal(list.prefixes[i].address.octets[15], x >> 16 & 255);
		assert_int_equal(list.prefixes[i].address.octets[14], x >> 8 & 255);
	}
	prefix_list_sort(&list);
	assert_true(list.count < LINES); /* some came twice */
	for (uint32_t i = 1; i < list.count; i++)
		assert_true(address_compare(&list.prefixes[i - 1].address, &list.prefixes[i].address) < 0);
	prefix_list_fini(&list);
	free(text);
}

static void a_file_that_is_none(void **state)
{
	char error[PREFIX_FILE_ERROR_SIZE];

	(void)state;
	assert_int_equal(prefix_file_open("/nonexistent/list", error), -ENOENT);
	assert_string_equal(error, "/nonexistent/list: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_what_counts),    cmocka_unit_test(refuse_what_is_broken),
		cmocka_unit_test(lines_of_any_length), cmocka_unit_test(many_lines),
		cmocka_unit_test(a_file_that_is_none),
	};

	return cmocka_run_group_tests_name("prefix_file", tests, NULL, NULL);
}
