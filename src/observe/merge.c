/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A binary heap of the captures that have a packet waiting, by its key: its time, and the capture's number. The
 * record at the top is handed out while it stays there; only the next call reads on in its capture, so that its
 * octets stay where they are.
 */
#include "observe/merge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct source {
	struct capture *capture;
	struct capture_record record; /* the packet that waits */
	int64_t key_ns;
	int64_t last_ns; /* time of the packet before it */
	bool begun;
};

struct merge {
	struct source sources[MERGE_CAPTURES_MAX];
	uint16_t heap[MERGE_CAPTURES_MAX];
	size_t count, waiting;
	size_t unread;   /* captures from here on were not looked into yet */
	bool handed_out; /* the top of the heap was */
};

struct merge *merge_new(void)
{
	return calloc(1, sizeof(struct merge));
}

void merge_free(struct merge *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++)
		capture_close(m->sources[i].capture);
	free(m);
}

int merge_open(struct merge *m, const char *path, char error[CAPTURE_ERROR_SIZE])
{
	if (m->count == MERGE_CAPTURES_MAX) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "more than %d captures at a time; join some of them first",
		               MERGE_CAPTURES_MAX);
		return -EMFILE;
	}
	m->sources[m->count].capture = capture_open(path, error);
	if (!m->sources[m->count].capture)
		return -EINVAL;
	m->count++;
	return 0;
}

static bool is_before(const struct merge *m, uint16_t a, uint16_t b)
{
	if (m->sources[a].key_ns != m->sources[b].key_ns)
		return m->sources[a].key_ns < m->sources[b].key_ns;
	return a < b;
}

static void sift_up(struct merge *m, size_t at)
{
	uint16_t moved = m->heap[at];

	while (at > 0) {
		size_t parent = (at - 1) / 2;

		if (!is_before(m, moved, m->heap[parent]))
			break;
		m->heap[at] = m->heap[parent];
		at = parent;
	}
	m->heap[at] = moved;
}

static void sift_down(struct merge *m)
{
	uint16_t moved = m->heap[0];
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= m->waiting)
			break;
		if (child + 1 < m->waiting && is_before(m, m->heap[child + 1], m->heap[child]))
			child++;
		if (!is_before(m, m->heap[child], moved))
			break;
		m->heap[at] = m->heap[child];
		at = child;
	}
	m->heap[at] = moved;
}

static bool is_far_ahead(int64_t ns, int64_t before)
{
	int64_t limit;

	return !__builtin_add_overflow(before, MERGE_AHEAD_NS, &limit) && ns > limit;
}

/* Up to the next packet, or whatever ends the capture. */
static enum capture_kind read_on(struct source *s)
{
	enum capture_kind kind;

	do
		kind = capture_next(s->capture, &s->record);
	while (kind == CAPTURE_OTHER);
	if (kind != CAPTURE_PACKET)
		return kind;
	if (!s->record.has_time) {
		s->key_ns = s->begun ? s->key_ns : INT64_MIN;
		return kind;
	}
	s->key_ns = s->record.time.ns;
	if (s->begun && is_far_ahead(s->record.time.ns, s->last_ns))
		s->key_ns = s->last_ns;
	s->last_ns = s->record.time.ns;
	s->begun = true;
	return kind;
}

/* One capture needs no merging. */
static enum capture_kind next_of_one(struct merge *m, struct capture_record *record, size_t *number)
{
	*number = 0;
	return capture_next(m->sources[0].capture, record);
}

enum capture_kind merge_next(struct merge *m, struct capture_record *record, size_t *number)
{
	if (m->count == 1)
		return next_of_one(m, record, number);
	while (m->unread < m->count) {
		uint16_t source = (uint16_t)m->unread++;
		enum capture_kind kind = read_on(&m->sources[source]);

		if (kind == CAPTURE_PACKET) {
			m->heap[m->waiting++] = source;
			sift_up(m, m->waiting - 1);
		} else if (kind != CAPTURE_END) {
			*number = source;
			*record = m->sources[source].record;
			return kind;
		}
	}
	if (m->handed_out) {
		uint16_t source = m->heap[0];
		enum capture_kind kind = read_on(&m->sources[source]);

		m->handed_out = false;
		if (kind != CAPTURE_PACKET)
			m->heap[0] = m->heap[--m->waiting];
		if (m->waiting > 0)
			sift_down(m);
		if (kind != CAPTURE_PACKET && kind != CAPTURE_END) {
			*number = source;
			*record = m->sources[source].record;
			return kind;
		}
	}
	if (m->waiting == 0) {
		*number = 0;
		*record = (struct capture_record){ .raw = NULL };
		return CAPTURE_END;
	}
	*number = m->heap[0];
	*record = m->sources[m->heap[0]].record;
	m->handed_out = true;
	return CAPTURE_PACKET;
}

const char *merge_error(const struct merge *m, size_t number)
{
	return number < m->count ? capture_error(m->sources[number].capture) : "";
}

uint64_t merge_position(const struct merge *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->count; i++)
		sum += capture_position(m->sources[i].capture);
	return sum;
}

uint64_t merge_size(const struct merge *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->count; i++) {
		uint64_t size = capture_size(m->sources[i].capture);

		if (size == 0)
			return 0;
		sum += size;
	}
	return sum;
}
