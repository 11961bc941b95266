/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The desk's role, as its parent and the other roles see it, which the test plays: what they count is on record, also
 * what they said last; what is no message is refused, and whoever sends it keeps nobody else from being heard.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/serve_message.h"
#include "fake_shield.h"
#include "role_child.h"
#include "scratch_ledger.h"
#include "record/outages.h"

#define BUCKET_NS (5900000 * COUNT_BUCKET_NS)

static struct fake *fake;
static pid_t desk;
static int parent_end;
static struct serve_message said, sent;

/* ---- the desk as others see it ---- */

static void send_config(void)
{
	char text[128];
	int fd;

	(void)snprintf(text, sizeof(text), "state_dir: %s\n", folder);
	fd = text_fd(text);
	serve_message_init(&sent, SERVE_CONFIG, 0);
	sent.config.fd_count = 1;
	(void)snprintf(sent.config.name, sizeof(sent.config.name), "f.yaml");
	assert_int_equal(serve_message_send(parent_end, &sent, &fd, 1), 0);
	(void)close(fd);
}

/* The next message by that way; others of the type's way are passed over. */
static void hear(int from, enum serve_way way, enum serve_type type)
{
	do {
		struct pollfd fd = { .fd = from, .events = POLLIN };
		int fds[SERVE_FDS_MAX], result = poll(&fd, 1, ROLE_CHILD_WAIT_MS) == 1 ? 0 : -ETIMEDOUT;
		unsigned fd_count = 0;

		if (result == 0)
			result = serve_message_receive(from, way, &said, fds, &fd_count);
		if (result != 0)
			role_child_tell("is waited for in vain");
		assert_int_equal(result, 0);
		assert_int_equal(fd_count, 0);
	} while (said.type != type);
}

static void begin(void)
{
	static const struct role_start start = { .uid = 0 };
	int ends[2];

	channel(ends);
	desk = role_child_start(desk_role, &start, (int[]){ ends[1] }, 1);
	assert_true(desk > 0);
	(void)close(ends[1]);
	parent_end = ends[0];
	send_config();
	hear(parent_end, SERVE_ROLE_TO_PARENT, SERVE_READY);
	assert_int_equal(said.ready.result, 0);
}

static int end(void)
{
	(void)close(parent_end);
	return role_child_end(desk);
}

/* A channel to the desk, as the parent gives one to a role. */
static int channel_of(enum serve_role role)
{
	int ends[2];

	channel(ends);
	serve_message_init(&sent, SERVE_CHANNEL, 0);
	sent.channel.role = role;
	assert_int_equal(serve_message_send(parent_end, &sent, &ends[1], 1), 0);
	(void)close(ends[1]);
	return ends[0];
}

/* One of its counters, as it stands once it is at least so much. */
static uint64_t counted(const char *name, uint64_t least)
{
	for (;;) {
		hear(parent_end, SERVE_ROLE_TO_PARENT, SERVE_COUNTED);
		for (uint32_t i = 0; i < said.counted.count; i++)
			if (strcmp(said.counted.counters[i].name, name) == 0 && said.counted.counters[i].value >= least)
				return said.counted.counters[i].value;
	}
}

static void make_reports(uint32_t count, uint32_t raw)
{
	serve_message_init(&sent, SERVE_REPORTS, 0);
	sent.reports.count = count;
	for (uint32_t i = 0; i < count; i++) {
		sent.reports.reports[i] =
			(struct report_count){ .bucket_ns = BUCKET_NS, .network = i, .raw = raw, .accepted = raw };
		(void)strcpy(sent.reports.reports[i].component, "web");
	}
}

static void make_signal(void)
{
	serve_message_init(&sent, SERVE_SIGNALS, 0);
	sent.signals.count = 1;
	sent.signals.signals[0] = (struct signal_count){ .bucket_ns = BUCKET_NS, .good = 2, .bad = 1 };
	(void)strcpy(sent.signals.signals[0].component, "web");
	(void)strcpy(sent.signals.signals[0].vantage, "paris-1");
}

static void send_it(int to)
{
	assert_int_equal(serve_message_send(to, &sent, NULL, 0), 0);
}

/* ---- what is on record ---- */

static int add_report(void *context, const struct report_count *count)
{
	*(uint32_t *)context += count->raw;
	return 0;
}

static int add_signal(void *context, const struct signal_count *count)
{
	*(uint32_t *)context += count->good + count->bad;
	return 0;
}

static uint32_t reports_on_record(void)
{
	uint32_t sum = 0;

	assert_int_equal(outages_report_each(ledger, NULL, 0, INT64_MAX, add_report, &sum, &error), 0);
	return sum;
}

static uint32_t signals_on_record(void)
{
	uint32_t sum = 0;

	assert_int_equal(outages_signal_each(ledger, NULL, 0, INT64_MAX, add_signal, &sum, &error), 0);
	return sum;
}

/* The record is where the desk looks for it. */
static int set_up(void **state)
{
	char other[96];

	fake = fake_new();
	if (!fake || scratch_begin(state) != 0)
		return -1;
	ledger_close(ledger);
	ledger = NULL;
	(void)unlink(path);
	(void)snprintf(other, sizeof(other), "%s/holdfast.db", folder);
	(void)strcpy(path, other);
	return ledger_open(path, true, &ledger, &error);
}

static int tear_down(void **state)
{
	fake_free();
	return scratch_end(state);
}

/* ---- cases ---- */

static void counts_go_on_record(void **state)
{
	int strangers, prober;

	(void)state;
	begin();
	assert_string_equal(fake->notes, "give up\nconfine one folder -\nfilter desk\n");
	strangers = channel_of(SERVE_ROLE_PUBLIC);
	prober = channel_of(SERVE_ROLE_PROBER);
	make_reports(SERVE_COUNTS_MAX, 3);
	send_it(strangers);
	make_signal();
	send_it(prober);
	assert_int_equal(counted("written", SERVE_COUNTS_MAX + 1), SERVE_COUNTS_MAX + 1);
	assert_string_equal(said.counted.state, "ok");
	(void)close(strangers);
	(void)close(prober);
	assert_int_equal(end(), 0);
	assert_int_equal(reports_on_record(), 3 * SERVE_COUNTS_MAX);
	assert_int_equal(signals_on_record(), 3);
}

static void send_octets(int to, const void *octets, size_t length)
{
	assert_int_equal(send(to, octets, length, MSG_NOSIGNAL), (ssize_t)length);
}

/*
 * Whatever a role sends that strangers have taken over; its fellows' counts are taken all the same, and then its own.
 */
static void what_is_no_message(void **state)
{
	static const char garbage[4096] = "\xff\xfe nothing of the kind";
	const size_t lengths[] = { 1, 8, 15, 16, 17, 100, 1024, sizeof(garbage) };
	int hostile, other, fd;
	uint64_t refused = 0;

	(void)state;
	begin();
	hostile = channel_of(SERVE_ROLE_PUBLIC);
	other = channel_of(SERVE_ROLE_READER);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++, refused++)
		send_octets(hostile, garbage, lengths[i]);
	for (enum serve_type type = SERVE_CONFIG; type < SERVE_TYPES; type++) /* of another's way; or empty */
		if (type != SERVE_REPORTS && type != SERVE_SIGNALS) {
			serve_message_init(&sent, type, 0);
			send_it(hostile);
			refused++;
		}
	make_reports(1, 1);
	sent.reports.count = 0;
	send_it(hostile);
	make_reports(1, 1);
	sent.reports.count = SERVE_COUNTS_MAX + 1;
	send_it(hostile);
	make_reports(1, 1);
	sent.reports.reports[0].accepted = 2; /* more than came */
	send_it(hostile);
	make_reports(1, 1);
	sent.reports.reports[0].bucket_ns = BUCKET_NS + 1;
	send_it(hostile);
	make_reports(1, 1);
	memset(sent.reports.reports[0].component, 'a', sizeof(sent.reports.reports[0].component));
	send_it(hostile);
	make_reports(1, 1);
	(void)strcpy(sent.reports.reports[0].component, "../web");
	send_it(hostile);
	make_signal();
	(void)strcpy(sent.signals.signals[0].vantage, "a b");
	send_it(hostile);
	make_signal();
	sent.signals.signals[0].kind = SIGNAL_KINDS;
	send_it(hostile);
	send_octets(hostile, &sent, serve_message_size(SERVE_SIGNALS) - 1);
	make_reports(1, 1);
	fd = text_fd("x");
	assert_int_equal(serve_message_send(hostile, &sent, &fd, 1), 0); /* with what does not belong to it */
	(void)close(fd);
	refused += 10;
	make_reports(1, 5);
	send_it(other);
	assert_int_equal(counted("refused", refused), refused);
	send_it(hostile);
	assert_int_equal(counted("written", 2), 2);
	(void)close(hostile);
	(void)close(other);
	assert_int_equal(end(), 0);
	assert_int_equal(reports_on_record(), 10);
}

/* Who asks without end and reads no answer keeps nobody else waiting. */
static void who_reads_nothing(void **state)
{
	int rude, other;

	(void)state;
	begin();
	rude = channel_of(SERVE_ROLE_PUBLIC);
	other = channel_of(SERVE_ROLE_READER);
	for (unsigned i = 0; i < 2000; i++) {
		struct pollfd fd = { .fd = rude, .events = POLLOUT };
		int result;

		serve_message_init(&sent, SERVE_CONFIRM, i);
		(void)strcpy(sent.token.text, "abc");
		while ((result = serve_message_send(rude, &sent, NULL, 0)) == -EAGAIN)
			assert_int_equal(poll(&fd, 1, ROLE_CHILD_WAIT_MS), 1);
		assert_int_equal(result, 0);
	}
	make_reports(1, 5);
	send_it(other);
	assert_int_equal(counted("written", 1), 1);
	/* There is no mail here, and so nothing to confirm; those answers that found no room are lost. */
	hear(rude, SERVE_DESK_TO_ROLE, SERVE_ANSWER);
	assert_int_equal(said.id, 0);
	assert_int_equal(said.answer.result, -ENOSYS);
	(void)close(rude);
	(void)close(other);
	assert_int_equal(end(), 0);
}

/*
 * Of roles that have gone, answers unread; of one whose channel is exchanged; and of all where the parent has gone,
 * too.
 */
static void last_words(void **state)
{
	int first, second, prober;
	struct pollfd fd;

	(void)state;
	begin();
	first = channel_of(SERVE_ROLE_PUBLIC);
	serve_message_init(&sent, SERVE_CONFIRM, 1);
	(void)strcpy(sent.token.text, "abc");
	send_it(first);
	fd = (struct pollfd){ .fd = first, .events = POLLIN };
	assert_int_equal(poll(&fd, 1, ROLE_CHILD_WAIT_MS), 1); /* and it stays there */
	make_reports(1, 7);
	send_it(first);
	(void)close(first);
	second = channel_of(SERVE_ROLE_PUBLIC);
	make_reports(2, 10);
	send_it(second);
	prober = channel_of(SERVE_ROLE_PROBER);
	make_signal();
	send_it(prober);
	(void)close(prober);
	assert_int_equal(end(), 0);
	(void)close(second);
	assert_int_equal(reports_on_record(), 27);
	assert_int_equal(signals_on_record(), 3);
}

/* Counts wait, it is said, and once the record is one again they are in it. */
static void a_record_that_is_none(void **state)
{
	char aside[96];
	int reader;

	(void)state;
	ledger_close(ledger);
	ledger = NULL;
	(void)snprintf(aside, sizeof(aside), "%s.aside", path);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	begin();
	reader = channel_of(SERVE_ROLE_READER);
	make_reports(1, 5);
	send_it(reader);
	assert_int_equal(counted("waiting", 1), 1);
	assert_int_equal(strncmp(said.counted.state, "the record cannot be opened: ", 29), 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rename(aside, path), 0);
	assert_int_equal(counted("written", 1), 1);
	assert_string_equal(said.counted.state, "ok");
	(void)close(reader);
	assert_int_equal(end(), 0);
	assert_int_equal(ledger_open(path, false, &ledger, &error), 0);
	assert_int_equal(reports_on_record(), 5);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(counts_go_on_record), CASE(what_is_no_message),    CASE(who_reads_nothing),
		CASE(last_words),          CASE(a_record_that_is_none),
	};

	return cmocka_run_group_tests_name("desk_role", tests, NULL, NULL);
}
