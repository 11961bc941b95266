/* SPDX-License-Identifier: Apache-2.0 */
/* Files are written and copied whole; one that is too short, or cannot be written, is said to be. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

#define SIZE 150001 /* more than two blocks, and no whole number of them */

static char folder[] = "/tmp/holdfast-file-XXXXXX";
static uint8_t octets[SIZE], again[SIZE];

static int open_file(const char *name, int flags)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

static void what_is_written_is_read(void **state)
{
	int from = open_file("from", O_RDWR | O_CREAT), to = open_file("to", O_RDWR | O_CREAT);

	(void)state;
	assert_int_equal(file_write(from, octets, SIZE), 0);
	assert_int_equal(file_read_at(from, again, SIZE, 0), 0);
	assert_memory_equal(again, octets, SIZE);
	assert_int_equal(file_copy(from, 7, to, SIZE - 7), 0);
	assert_int_equal(lseek(to, 0, SEEK_END), SIZE - 7);
	assert_int_equal(file_read_at(to, again, SIZE - 7, 0), 0);
	assert_memory_equal(again, octets + 7, SIZE - 7);
	assert_int_equal(lseek(from, 0, SEEK_CUR), SIZE);
	assert_int_equal(file_sync_folder(folder), 0);
	assert_int_equal(close(from) | close(to), 0);
}

static void all_that_there_is_is_read(void **state)
{
	int fd = open_file("from", O_RDONLY);
	void *all = NULL;
	size_t length = 0;

	(void)state;
	assert_int_equal(file_read_all(fd, SIZE - 1, &all, &length), -EFBIG);
	assert_null(all);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(file_read_all(fd, SIZE, &all, &length), 0);
	assert_int_equal(length, SIZE);
	assert_memory_equal(all, octets, SIZE);
	assert_int_equal(((const uint8_t *)all)[SIZE], 0);
	free(all);
	assert_int_equal(file_read_all(fd, 0, &all, &length), 0); /* it is at its end */
	assert_int_equal(length, 0);
	free(all);
	assert_int_equal(close(fd), 0);
	assert_int_equal(file_read_all(fd, 1, &all, &length), -EBADF);
}

/* What is at the name, and that nothing is left beside it. */
static void assert_file(const char *path, const void *wanted, size_t length)
{
	char beside[160];
	void *all = NULL;
	size_t got = 0;

	assert_int_equal(file_load(path, SIZE, &all, &got), 0);
	assert_int_equal(got, length);
	assert_memory_equal(all, wanted, length);
	free(all);
	(void)snprintf(beside, sizeof(beside), "%s.new", path);
	assert_int_equal(access(beside, F_OK), -1);
}

static void a_file_is_replaced_whole_or_not(void **state)
{
	char path[128], link[128], taken[128], beside[160], folder_in_the_way[160];
	void *all = NULL;
	size_t length = 0;
	struct stat status;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/kept", folder);
	(void)snprintf(link, sizeof(link), "%s/link", folder);
	(void)snprintf(folder_in_the_way, sizeof(folder_in_the_way), "%s.new", path);
	assert_int_equal(file_load(path, SIZE, &all, &length), -ENOENT);
	assert_int_equal(file_replace(path, 0600, octets, SIZE, FILE_LASTING), 0);
	assert_file(path, octets, SIZE);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(file_load(path, SIZE - 1, &all, &length), -EFBIG);
	assert_int_equal(file_replace(path, 0600, "shorter", 7, FILE_PASSING), 0);
	assert_file(path, "shorter", 7);
	/* What cannot be written leaves what there is; a link is another's file. */
	assert_int_equal(mkdir(folder_in_the_way, 0700), 0);
	assert_int_equal(file_replace(path, 0600, octets, SIZE, FILE_PASSING), -EISDIR);
	assert_int_equal(rmdir(folder_in_the_way), 0);
	assert_file(path, "shorter", 7);
	/* What was written beside and cannot take the place is not left there. */
	(void)snprintf(taken, sizeof(taken), "%s/taken", folder);
	assert_int_equal(mkdir(taken, 0700), 0);
	assert_int_equal(file_replace(taken, 0600, octets, SIZE, FILE_PASSING), -EISDIR);
	(void)snprintf(beside, sizeof(beside), "%s.new", taken);
	assert_int_equal(access(beside, F_OK), -1);
	assert_int_equal(rmdir(taken), 0);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(file_load(link, SIZE, &all, &length), -ELOOP);
	assert_int_equal(unlink(link) | unlink(path), 0);
	assert_null(all);
}

/* A disk that is full, played by a bound on how large files may become. */
static void what_was_begun_beside_does_not_stay(void **state)
{
	struct rlimit limit, small;
	char path[128];
	int result;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/kept", folder);
	assert_int_equal(file_replace(path, 0600, "shorter", 7, FILE_PASSING), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = (struct rlimit){ SIZE / 2, limit.rlim_max };
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	result = file_replace(path, 0600, octets, SIZE, FILE_PASSING);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(result, -EFBIG);
	assert_file(path, "shorter", 7);
	assert_int_equal(unlink(path), 0);
}

static void a_file_tells_its_folder(void **state)
{
	static const char *const rows[][2] = {
		{ "/a/b/c", "/a/b" }, { "a/b", "a" }, { "/a", "/" }, { "a", "." }, { "", "." },
	};
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(file_folder_of(rows[i][0], path, sizeof(path)), 0);
		assert_string_equal(path, rows[i][1]);
	}
	assert_int_equal(file_folder_of("/abc/d", path, 5), 0);
	assert_int_equal(file_folder_of("/abc/d", path, 4), -ENAMETOOLONG);
	(void)snprintf(path, sizeof(path), "%s/nothing", folder);
	assert_int_equal(file_sync_folder_of(path), 0);
	(void)snprintf(path, sizeof(path), "%s/nothing/at/all", folder);
	assert_int_equal(file_sync_folder_of(path), -ENOENT);
	/* The root may be of a file system that cannot be synced; it is there. */
	assert_int_not_equal(file_sync_folder_of("/nothing"), -ENOENT);
	assert_int_equal(file_sync_folder_of("nothing"), 0);
}

static void what_was_written_to_is_not_as_before(void **state)
{
	struct stat before, now;
	int fd = open_file("looked-at", O_RDWR | O_CREAT | O_TRUNC);

	(void)state;
	assert_int_equal(fstat(fd, &before), 0);
	assert_int_equal(fstat(fd, &now), 0);
	assert_true(file_is_as_before(&before, &now));
	assert_int_equal(file_write(fd, octets, 1), 0);
	assert_int_equal(fstat(fd, &now), 0);
	assert_false(file_is_as_before(&before, &now));
	/* As long as it was, and written to at another time. */
	before = now;
	assert_int_equal(futimens(fd, (const struct timespec[2]){ { .tv_sec = 1 }, { .tv_sec = 1 } }), 0);
	assert_int_equal(fstat(fd, &now), 0);
	assert_false(file_is_as_before(&before, &now));
	(void)close(fd);
	fd = open_file("another", O_RDWR | O_CREAT | O_TRUNC);
	before = now;
	assert_int_equal(fstat(fd, &now), 0);
	now.st_size = before.st_size;
	now.st_mtim = before.st_mtim;
	assert_false(file_is_as_before(&before, &now));
	(void)close(fd);
}

static void a_name_that_is_too_long_is_said(void **state)
{
	static char path[5000];

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	assert_int_equal(file_replace(path, 0600, octets, 1, FILE_PASSING), -ENAMETOOLONG);
	path[sizeof(path) - 2] = '/';
	assert_int_equal(file_sync_folder_of(path), -ENAMETOOLONG);
}

static void folders_above_are_made(void **state)
{
	char path[160], cwd[160];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/a/b//c", folder);
	assert_int_equal(file_make_parents(path, 0700), 0);
	assert_int_equal(file_make_parents(path, 0700), 0); /* they are there */
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(close(open_file("from", O_RDWR | O_CREAT)), 0);
	(void)snprintf(path, sizeof(path), "%s/from/d/e", folder);
	assert_int_equal(file_make_parents(path, 0700), -ENOTDIR);
	assert_int_equal(file_make_parents("", 0700), 0);
	assert_int_equal(file_make_parents("/", 0700), 0);
	assert_int_equal(file_make_parents("name", 0700), 0);
	/* Of a path that is none of the root's, too. */
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(file_make_parents("r/s", 0700), 0);
	assert_int_equal(rmdir("r") | rmdir("a/b") | rmdir("a"), 0);
	assert_int_equal(chdir(cwd), 0);
}

static void what_cannot_be_is_said(void **state)
{
	int from = open_file("from", O_RDONLY), to = open_file("to", O_WRONLY), full = open("/dev/full", O_WRONLY);

	(void)state;
	assert_true(full >= 0);
	assert_int_equal(file_read_at(from, again, SIZE, 1), -EBADMSG);
	assert_int_equal(file_read_at(to, again, 1, 0), -EBADF);
	assert_int_equal(file_copy(from, 1, to, SIZE), -EBADMSG);
	assert_int_equal(file_copy(from, 0, full, SIZE), -ENOSPC);
	assert_int_equal(file_write(from, octets, 1), -EBADF);
	assert_int_equal(file_sync_folder("/dev/null"), -ENOTDIR);
	assert_int_equal(file_copy(from, 0, full, 0), 0);
	assert_int_equal(close(from) | close(to) | close(full), 0);
}

static int set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		octets[i] = (uint8_t)(i * 7 + i / 251);
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "from", "to", "looked-at", "another" };
	char path[128];

	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(all_that_there_is_is_read),
		cmocka_unit_test(a_file_is_replaced_whole_or_not),
		cmocka_unit_test(a_name_that_is_too_long_is_said),
		cmocka_unit_test(what_was_written_to_is_not_as_before),
		cmocka_unit_test(folders_above_are_made),
		cmocka_unit_test(what_cannot_be_is_said),
		cmocka_unit_test(a_file_tells_its_folder),
		cmocka_unit_test(what_was_begun_beside_does_not_stay),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
