/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The archive: what is put is found and read as it was given; streams have the names of their incidents; bounds hold;
 * what a writer before left is put in order; and what is none of ours is passed over.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/time.h"
#include "record/archive.h"

#define ANALYSIS "{\n  \"schema\": \"holdfast.analysis/1\"\n}\n"

static char folder[] = "/tmp/holdfast-archive-XXXXXX";
static struct archive archive;

static int file_of(const char *octets)
{
	int fd = memfd_create("octets", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, octets, strlen(octets)), strlen(octets));
	return fd;
}

static void open_archive(uint32_t incidents, uint32_t streams, uint64_t stream_octets, uint64_t streams_octets)
{
	const struct archive_bounds bounds = { incidents, streams, stream_octets, streams_octets };

	assert_int_equal(archive_open(&archive, folder, &bounds), 0);
}

static struct archive_incident incident_at(uint64_t id, int64_t began_s, enum archive_state as)
{
	return (struct archive_incident){ .id = id,
		                          .generation = 7,
		                          .state = as,
		                          .began_ns = began_s * NS_PER_S + 1,
		                          .ended_ns = as == ARCHIVE_OPEN ? 0 : (began_s + 9) * NS_PER_S,
		                          .peak_pps = 4100000,
		                          .peak_bps = 40000000000,
		                          .service = "web \"1\"",
		                          .target = "192.0.2.10/32",
		                          .vector = "ntp_reflection" };
}

static int put(uint64_t id, int64_t began_s, enum archive_state as)
{
	struct archive_incident incident = incident_at(id, began_s, as);
	int fd = file_of(ANALYSIS), result = archive_put(&archive, &incident, fd, sizeof(ANALYSIS) - 1);

	(void)close(fd);
	return result;
}

static int segment(uint64_t generation, uint64_t sequence, const char *octets)
{
	int fd = file_of(octets),
	    result = archive_segment(&archive, generation, sequence, fd, (uint32_t)strlen(octets));

	(void)close(fd);
	return result;
}

/* IDs as list gives them, each with a blank behind it. */
static const char *listed(unsigned max)
{
	static char text[1024];
	struct archive_incident *incidents;
	int count = archive_list(folder, max, &incidents);
	size_t length = 0;

	assert_true(count >= 0);
	text[0] = '\0';
	for (int i = 0; i < count; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%llx ",
		                           (unsigned long long)incidents[i].id);
	free(incidents);
	return text;
}

/* Of a stream, "-" where there is none. */
static const char *stream(uint64_t id)
{
	static char octets[256];
	char path[ARCHIVE_PATH_SIZE + 64];
	FILE *file;

	archive_stream_path(folder, id, path);
	file = fopen(path, "re");
	if (!file)
		return "-";
	octets[fread(octets, 1, sizeof(octets) - 1, file)] = '\0';
	(void)fclose(file);
	return octets;
}

static void what_is_put_is_read(void **state)
{
	struct archive_incident wanted = incident_at(0xfedcba9876543210, 100, ARCHIVE_FINAL), got;
	char *text;
	const char *analysis;
	size_t length, analysis_length;
	json_t *whole;

	(void)state;
	open_archive(0, 0, 0, 0);
	assert_int_equal(archive_find(folder, "latest", &got), -ENOENT);
	assert_int_equal(put(wanted.id, 100, ARCHIVE_OPEN), 0);
	assert_int_equal(put(wanted.id, 100, ARCHIVE_FINAL), 0);
	assert_int_equal(put(0xfe00000000000000, 50, ARCHIVE_OVER), 0);
	assert_string_equal(listed(10), "fedcba9876543210 fe00000000000000 ");
	assert_string_equal(listed(1), "fedcba9876543210 ");
	assert_int_equal(archive_find(folder, "latest", &got), 0);
	assert_int_equal(got.id, wanted.id);
	assert_int_equal(archive_find(folder, "fe", &got), -EEXIST);
	assert_int_equal(archive_find(folder, "fed", &got), 0);
	assert_int_equal(got.id, wanted.id);
	assert_int_equal(got.generation, wanted.generation);
	assert_int_equal(got.state, wanted.state);
	assert_int_equal(got.began_ns, wanted.began_ns);
	assert_int_equal(got.ended_ns, wanted.ended_ns);
	assert_int_equal(got.peak_pps, wanted.peak_pps);
	assert_int_equal(got.peak_bps, wanted.peak_bps);
	assert_string_equal(got.service, wanted.service);
	assert_string_equal(got.target, wanted.target);
	assert_string_equal(got.vector, wanted.vector);
	assert_int_equal(archive_find(folder, "ff", &got), -ENOENT);
	assert_int_equal(archive_find(folder, "", &got), -EINVAL);
	assert_int_equal(archive_find(folder, "../x", &got), -EINVAL);
	assert_int_equal(archive_find(folder, "fedcba98765432100", &got), -EINVAL);
	/* The analysis is as it was given, and the whole is JSON. */
	assert_int_equal(archive_read(folder, wanted.id, &text, &length, &analysis, &analysis_length), 0);
	assert_int_equal(analysis_length, sizeof(ANALYSIS) - 1);
	assert_memory_equal(analysis, ANALYSIS, analysis_length);
	whole = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	assert_string_equal(json_string_value(json_object_get(whole, "id")), "fedcba9876543210");
	assert_string_equal(json_string_value(json_object_get(whole, "began")), "1970-01-01T00:01:40.000000001Z");
	assert_string_equal(json_string_value(json_object_get(json_object_get(whole, "analysis"), "schema")),
	                    "holdfast.analysis/1");
	json_decref(whole);
	free(text);
	archive_remove(&archive, wanted.id);
	assert_string_equal(listed(10), "fe00000000000000 ");
	assert_int_equal(archive_read(folder, wanted.id, &text, &length, &analysis, &analysis_length), -ENOENT);
	for (unsigned i = 0; i < ARCHIVE_STATES; i++)
		assert_string_equal(archive_state_name((enum archive_state)i),
		                    ((const char *const[]){ "open", "over", "final", "left" })[i]);
	archive_close(&archive);
}

static void streams_have_names(void **state)
{
	(void)state;
	open_archive(0, 0, 12, 0);
	assert_int_equal(segment(7, 0, "one "), 0);
	assert_int_equal(segment(8, 0, "warm "), 0);
	assert_int_equal(put(1, 10, ARCHIVE_OPEN), 0); /* names it at once, for a crash may come */
	assert_int_equal(segment(7, 1, "two "), 0);
	assert_string_equal(stream(1), "one two ");
	assert_string_equal(stream(2), "-");
	assert_int_equal(archive_keep(&archive, 7, 1), 0);
	assert_int_equal(archive_keep(&archive, 7, 2), 0);
	assert_int_equal(archive_keep(&archive, 99, 3), -ENOENT);
	/* Nothing is written behind what is missing, or behind its bound. */
	assert_int_equal(segment(8, 2, "gap"), -EPIPE);
	assert_int_equal(segment(8, 1, "late"), -EPIPE);
	assert_int_equal(segment(7, 2, "too long for it"), -EPIPE);
	assert_int_equal(archive.cut, 2);
	archive_drop(&archive, 7);
	archive_drop(&archive, 8);
	archive_drop(&archive, 8);
	assert_string_equal(stream(1), "one two ");
	assert_string_equal(stream(2), "one two ");
	/* A sender that cuts its file short: half a segment is not kept. */
	assert_int_equal(segment(9, 0, "good"), 0);
	{
		int fd = file_of("ba");

		assert_int_equal(archive_segment(&archive, 9, 1, fd, 4), -EBADMSG);
		(void)close(fd);
	}
	assert_int_equal(archive_keep(&archive, 9, 4), 0);
	assert_string_equal(stream(4), "good");
	assert_int_equal(segment(0, 0, "nobody's"), -EMFILE);
	for (uint64_t i = 0; i < ARCHIVE_WRITERS_MAX - 1; i++)
		assert_int_equal(segment(20 + i, 0, "x"), 0);
	assert_int_equal(segment(30, 0, "x"), -EMFILE);
	archive_close(&archive);
	assert_string_equal(stream(4), "good");
	archive_remove(&archive, 4);
	assert_string_equal(stream(4), "-");
}

static void bounds_hold(void **state)
{
	(void)state;
	open_archive(3, 2, 0, 0);
	for (uint64_t i = 1; i <= 5; i++) {
		struct archive_incident incident =
			incident_at(i, (int64_t)(10 * i), i == 1 ? ARCHIVE_OPEN : ARCHIVE_FINAL);
		int fd = file_of(ANALYSIS);

		incident.generation = i;
		assert_int_equal(segment(i, 0, "octets"), 0);
		assert_int_equal(archive_put(&archive, &incident, fd, sizeof(ANALYSIS) - 1), 0);
		archive_drop(&archive, i);
		(void)close(fd);
	}
	/* What is going on stays, however old. */
	assert_string_equal(listed(10), "5 4 3 1 ");
	assert_string_equal(stream(5), "octets");
	assert_string_equal(stream(4), "octets");
	assert_string_equal(stream(3), "-");
	assert_string_equal(stream(1), "octets");
	archive_close(&archive);
	/* The octets of all; two names of one file are not two files. */
	open_archive(0, 0, 0, 16);
	assert_int_equal(segment(40, 0, "0123456789"), 0);
	assert_int_equal(archive_keep(&archive, 40, 8), 0);
	assert_int_equal(put(8, 80, ARCHIVE_FINAL), 0);
	archive_drop(&archive, 40);
	assert_string_equal(stream(8), "0123456789");
	assert_string_equal(stream(5), "octets");
	assert_string_equal(stream(4), "-");
	archive_close(&archive);
}

static void spoil(const char *name, const char *octets)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/incidents/%s", folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(octets, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* The file of the incident, less its last `less` octets and with the first `from` in it replaced. */
static void edit(uint64_t id, const char *from, const char *to, size_t less)
{
	char path[128], octets[4096], *at;
	FILE *file;
	size_t length;

	(void)snprintf(path, sizeof(path), "%s/incidents/%016llx.json", folder, (unsigned long long)id);
	file = fopen(path, "re");
	assert_non_null(file);
	length = fread(octets, 1, sizeof(octets) - 1, file);
	(void)fclose(file);
	octets[length - less] = '\0';
	at = from ? strstr(octets, from) : NULL;
	assert_true(!from || at);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fprintf(file, "%.*s%s%s", at ? (int)(at - octets) : (int)(length - less), octets, at ? to : "",
	                    at ? at + strlen(from) : "") > 0);
	assert_int_equal(fclose(file), 0);
}

static void what_was_left(void **state)
{
	struct archive_incident got;
	char *text, path[128];
	const char *analysis;
	size_t length, analysis_length;

	(void)state;
	open_archive(0, 0, 0, 0);
	assert_int_equal(segment(7, 0, "until then"), 0);
	assert_int_equal(put(1, 10, ARCHIVE_OPEN), 0);
	assert_int_equal(put(2, 20, ARCHIVE_FINAL), 0);
	spoil("0000000000000003.new", "half");
	/* The writer dies here, and another begins. */
	for (unsigned i = 0; i < ARCHIVE_WRITERS_MAX; i++)
		if (archive.writers[i].generation)
			(void)close(archive.writers[i].fd);
	open_archive(0, 0, 0, 0);
	assert_string_equal(listed(10), "2 1 ");
	assert_int_equal(archive_find(folder, "0000000000000001", &got), 0);
	assert_int_equal(got.state, ARCHIVE_LEFT);
	assert_string_equal(got.vector, "ntp_reflection");
	assert_int_equal(archive_read(folder, 1, &text, &length, &analysis, &analysis_length), 0);
	assert_int_equal(analysis_length, sizeof(ANALYSIS) - 1);
	assert_memory_equal(analysis, ANALYSIS, analysis_length);
	free(text);
	assert_int_equal(archive_find(folder, "0000000000000002", &got), 0);
	assert_int_equal(got.state, ARCHIVE_FINAL);
	assert_string_equal(stream(1), "until then"); /* what is in it can be told */
	(void)snprintf(path, sizeof(path), "%s/incidents/0000000000000003.new", folder);
	assert_int_equal(access(path, F_OK), -1);
	(void)snprintf(path, sizeof(path), "%s/streams/g0000000000000007.part", folder);
	assert_int_equal(access(path, F_OK), -1);
	archive_close(&archive);
}

static void what_is_none(void **state)
{
	char *text;
	const char *analysis;
	size_t length, analysis_length;
	static const struct {
		const char *from, *to;
	} heads[] = {
		{ "incident/1", "incident/9" },
		{ "\"state\":\"final\"", "\"state\":\"fine\"" },
		{ "\"vector\":\"ntp", "\"vector\":5,\"" },
		{ "\"generation\":\"0", "\"generation\":\"z" },
		{ ",\"analysis\":\n", ",\"analysis\": \n" },
		{ "\"id\":\"0000000000000002\"", "\"id\":\"0000000000000003\"" },
		{ "192.0.2.10/32",
		  "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890" },
	};

	(void)state;
	open_archive(0, 0, 0, 0);
	assert_int_equal(put(1, 10, ARCHIVE_FINAL), 0);
	spoil("0000000000000002.json", "");
	spoil("0000000000000004.json", "{}\n");
	spoil("notes.json", "{}\n");
	assert_string_equal(listed(10), "1 ");
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		assert_int_equal(put(2, 20, ARCHIVE_FINAL), 0);
		assert_string_equal(listed(10), "2 1 ");
		edit(2, heads[i].from, heads[i].to, 0);
		assert_string_equal(listed(10), "1 ");
		assert_int_equal(archive_read(folder, 2, &text, &length, &analysis, &analysis_length), -EBADMSG);
	}
	/* One that is cut short. */
	assert_int_equal(put(2, 20, ARCHIVE_FINAL), 0);
	edit(2, NULL, NULL, 1);
	assert_int_equal(archive_read(folder, 2, &text, &length, &analysis, &analysis_length), -EBADMSG);
	archive_close(&archive);
}

static void what_goes_wrong(void **state)
{
	const struct archive_bounds bounds = { 0 };
	struct archive_incident incident = incident_at(1, 10, ARCHIVE_FINAL), *none;
	char longer[ARCHIVE_PATH_SIZE + 1], obstacle[128];
	int fd;

	(void)state;
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(archive_open(&archive, longer, &bounds), -ENAMETOOLONG);
	assert_int_equal(archive_open(&archive, "/nonexistent/holdfast", &bounds), -ENOENT);
	assert_int_equal(archive_list(folder, 1, &none), -ENOENT); /* no folder yet */
	open_archive(0, 0, 0, 0);
	fd = file_of("short");
	assert_int_equal(archive_put(&archive, &incident, fd, 6), -EBADMSG);
	assert_int_equal(close(fd), 0);
	assert_string_equal(listed(10), "");
	memcpy(incident.service, "\xff", 2); /* no UTF-8, no JSON */
	fd = file_of("{}");
	assert_int_not_equal(archive_put(&archive, &incident, fd, 2), 0);
	assert_int_equal(close(fd), 0);
	(void)snprintf(obstacle, sizeof(obstacle), "%s/incidents/0000000000000001.new", folder);
	assert_int_equal(mkdir(obstacle, 0700), 0);
	assert_int_equal(put(1, 10, ARCHIVE_FINAL), -EISDIR);
	assert_int_equal(rmdir(obstacle), 0);
	(void)snprintf(obstacle, sizeof(obstacle), "%s/streams/g0000000000000005.part", folder);
	assert_int_equal(mkdir(obstacle, 0700), 0);
	assert_int_equal(segment(5, 0, "x"), -EPIPE);
	assert_int_equal(archive.cut, 1);
	assert_int_equal(rmdir(obstacle), 0);
	archive_close(&archive);
}

static int set_up(void **state)
{
	(void)state;
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "incidents", "streams" };
	char path[512];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct dirent *entry;
		DIR *directory;

		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		directory = opendir(path);
		while (directory && (entry = readdir(directory))) {
			(void)snprintf(path, sizeof(path), "%s/%s/%s", folder, names[i], entry->d_name);
			(void)unlink(path);
		}
		if (directory)
			(void)closedir(directory);
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)rmdir(path);
	}
	return rmdir(folder);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(what_is_put_is_read), CASE(streams_have_names), CASE(bounds_hold),
		CASE(what_was_left),       CASE(what_is_none),       CASE(what_goes_wrong),
	};

	return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
