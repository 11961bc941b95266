/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures written here, merged, against a naive twin that looks at every capture's next packet each time: equal
 * times, clocks that go back, single stray time stamps and clocks that move on for good, captures that are empty, cut
 * or broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "observe/merge.h"

#define FILES_MAX 9
#define PACKETS_MAX 200

enum ending { ENDING_CLEAN, ENDING_CUT, ENDING_BROKEN };

struct made {
	char path[40];
	uint32_t seconds[PACKETS_MAX];
	size_t count, at;
	enum ending ending;
	bool ended;
	int64_t last_s, key_s; /* of the twin */
};

static uint64_t draws;

static uint64_t draw(uint64_t below)
{
	draws += 0x9e3779b97f4a7c15u;
	draws ^= draws >> 29;
	return (draws * 0xbf58476d1ce4e5b9u >> 20) % below;
}

static void put_u32(FILE *file, uint32_t value)
{
	assert_int_equal(fwrite(&value, sizeof(value), 1, file), 1); /* in this machine's order, as the magic tells */
}

static void write_capture(struct made *made, uint32_t number)
{
	int descriptor;
	FILE *file;

	(void)snprintf(made->path, sizeof(made->path), "/tmp/test_merge.XXXXXX");
	descriptor = mkstemp(made->path);
	assert_true(descriptor >= 0);
	file = fdopen(descriptor, "wb");
	assert_non_null(file);
	put_u32(file, 0xa1b2c3d4);
	assert_int_equal(fwrite((const uint16_t[]){ 2, 4 }, 4, 1, file), 1);
	put_u32(file, 0);
	put_u32(file, 0);
	put_u32(file, 65535);
	put_u32(file, 101);
	for (uint32_t i = 0; i < made->count; i++) {
		put_u32(file, made->seconds[i]);
		put_u32(file, 0);
		put_u32(file, 8);
		put_u32(file, 8);
		put_u32(file, number);
		put_u32(file, i);
	}
	if (made->ending == ENDING_CUT)
		put_u32(file, 7);
	for (unsigned i = 0; made->ending == ENDING_BROKEN && i < 4; i++)
		put_u32(file, UINT32_MAX);
	assert_int_equal(fclose(file), 0);
}

/* What the twin waits for: the time that the next packet of a capture comes at. */
static void look(struct made *made)
{
	int64_t s;

	if (made->at == made->count)
		return;
	s = made->seconds[made->at];
	made->key_s = made->at > 0 && s > made->last_s + MERGE_AHEAD_NS / NS_PER_S ? made->last_s : s;
	made->last_s = s;
}

static void expect_packet(const struct capture_record *record, size_t number, uint32_t file, uint32_t i, uint32_t s)
{
	uint32_t said[2];

	assert_int_equal(number, file);
	assert_int_equal(record->captured, 8);
	memcpy(said, record->data, sizeof(said));
	assert_int_equal(said[0], file);
	assert_int_equal(said[1], i);
	assert_true(record->time.ns == (int64_t)s * NS_PER_S);
}

/* Ends of captures come between packets, not later than the packet that would have followed. */
static void take_endings(struct merge *merge, struct made *made, size_t files, struct capture_record *record,
                         size_t *number, enum capture_kind *kind)
{
	while ((*kind = merge_next(merge, record, number)) == CAPTURE_CUT || *kind == CAPTURE_BROKEN ||
	       *kind == CAPTURE_OTHER) {
		if (*kind == CAPTURE_OTHER) {
			assert_int_equal(files, 1);
			continue;
		}
		assert_true(*number < files);
		assert_int_equal(made[*number].at, made[*number].count);
		assert_false(made[*number].ended);
		assert_int_equal(made[*number].ending, *kind == CAPTURE_CUT ? ENDING_CUT : ENDING_BROKEN);
		assert_int_equal(strncmp(merge_error(merge, *number), "offset ", 7), 0);
		made[*number].ended = true;
	}
}

static void compare(struct made *made, size_t files)
{
	struct merge *merge = merge_new();
	char error[CAPTURE_ERROR_SIZE];
	struct capture_record record;
	enum capture_kind kind;
	size_t number;

	assert_non_null(merge);
	for (size_t i = 0; i < files; i++) {
		write_capture(&made[i], (uint32_t)i);
		assert_int_equal(merge_open(merge, made[i].path, error), 0);
		look(&made[i]);
	}
	for (;;) {
		struct made *first = NULL;

		for (size_t i = 0; i < files; i++)
			if (made[i].at < made[i].count && (!first || made[i].key_s < first->key_s))
				first = &made[i];
		take_endings(merge, made, files, &record, &number, &kind);
		if (!first)
			break;
		assert_int_equal(kind, CAPTURE_PACKET);
		expect_packet(&record, number, (uint32_t)(first - made), (uint32_t)first->at,
		              first->seconds[first->at]);
		first->at++;
		look(first);
	}
	assert_int_equal(kind, CAPTURE_END);
	assert_int_equal(merge_next(merge, &record, &number), CAPTURE_END);
	for (size_t i = 0; i < files; i++)
		assert_true(made[i].ended == (made[i].ending != ENDING_CLEAN));
	assert_true(merge_position(merge) <= merge_size(merge));
	merge_free(merge);
	for (size_t i = 0; i < files; i++)
		(void)unlink(made[i].path);
}

static void against_the_twin(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct made made[FILES_MAX] = { 0 };
		size_t files = 1 + draw(FILES_MAX);

		for (size_t i = 0; i < files; i++) {
			uint32_t now = 1000000 + (uint32_t)draw(50);

			made[i].count = draw(PACKETS_MAX);
			made[i].ending = draw(3) == 0 ? (enum ending)(1 + draw(2)) : ENDING_CLEAN;
			for (size_t j = 0; j < made[i].count; j++) {
				unsigned what = (unsigned)draw(60);

				if (what == 0 && now > 2000)
					now -= 1000; /* set back */
				else if (what == 1)
					now += 20000;                                /* and on */
				made[i].seconds[j] = what == 2 ? now + 500000 : now; /* and one astray */
				now += (uint32_t)draw(3);
			}
		}
		compare(made, files);
	}
}

/* Rotated files in the wrong order, and two that overlap. */
static void in_any_order(void **state)
{
	struct made made[4] = { 0 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		made[i].count = 50;
		for (uint32_t j = 0; j < 50; j++)
			made[i].seconds[j] = (uint32_t)(i == 3 ? 60 : (2 - i) * 50) + j;
	}
	compare(made, 4);
}

/* Each equal time: all of the first, then all of the second. */
static void equal_times(void **state)
{
	struct made made[3] = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		made[i].count = 60;
		for (uint32_t j = 0; j < 60; j++)
			made[i].seconds[j] = j / 20;
	}
	compare(made, 3);
}

static void bounds(void **state)
{
	struct made made = { .count = 1, .seconds = { 5 } };
	struct merge *merge = merge_new();
	char error[CAPTURE_ERROR_SIZE] = "";
	struct capture_record record;
	size_t number, opened = 0;

	(void)state;
	assert_non_null(merge);
	assert_int_equal(merge_next(merge, &record, &number), CAPTURE_END);
	assert_int_equal(merge_size(merge), 0);
	assert_int_not_equal(merge_open(merge, "/nonexistent/file", error), 0);
	assert_non_null(strstr(error, "No such file"));
	write_capture(&made, 0);
	while (opened < MERGE_CAPTURES_MAX && merge_open(merge, made.path, error) == 0)
		opened++;
	if (opened == MERGE_CAPTURES_MAX) { /* as far as the system lets us */
		assert_int_not_equal(merge_open(merge, made.path, error), 0);
		assert_non_null(strstr(error, "more than 512 captures"));
	}
	assert_true(merge_size(merge) == 48 * opened);
	for (size_t i = 0; i < opened; i++) {
		assert_int_equal(merge_next(merge, &record, &number), CAPTURE_PACKET);
		assert_int_equal(number, i);
	}
	assert_int_equal(merge_next(merge, &record, &number), CAPTURE_END);
	assert_true(merge_position(merge) == merge_size(merge));
	merge_free(merge);
	merge_free(NULL);
	(void)unlink(made.path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_the_twin),
		cmocka_unit_test(in_any_order),
		cmocka_unit_test(equal_times),
		cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
