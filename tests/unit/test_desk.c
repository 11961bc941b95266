/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The desk without its process: counts add up on their way into the record, are bounded, and are not lost where it
 * cannot be written; people are told of each outage and each statement that is due once, over a restart too.
 */
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

#include "daemon/desk.h"
#include "daemon/desk_queue.h"
#include "daemon/desk_told.h"
#include "record/components.h"
#include "record/outages.h"

static char folder[] = "/tmp/holdfast-desk-XXXXXX", database[64], told_path[64];
static struct desk_queue queue;
static struct ledger *ledger;
static struct record_error error;

static int begin(void **state)
{
	(void)state;
	memset(&queue, 0, sizeof(queue));
	(void)strcpy(folder, "/tmp/holdfast-desk-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(database, sizeof(database), "%s/holdfast.db", folder);
	(void)snprintf(told_path, sizeof(told_path), "%s" DESK_TOLD_FILE, folder);
	return ledger_open(database, true, &ledger, &error);
}

static int end(void **state)
{
	static const char *const names[] = { "holdfast.db", "holdfast.db-wal", "holdfast.db-shm", "serve-told.json" };
	char path[80];

	(void)state;
	ledger_close(ledger);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	return rmdir(folder);
}

/* ---- the queue ---- */

static struct serve_reports reports_of(unsigned count, unsigned bucket, const char *component)
{
	struct serve_reports reports = { .count = count };

	for (unsigned i = 0; i < count; i++) {
		reports.reports[i] = (struct report_count){ .bucket_ns = (int64_t)bucket * COUNT_BUCKET_NS,
			                                    .symptom = (enum symptom)(i % SYMPTOMS),
			                                    .network = i / SYMPTOMS,
			                                    .raw = 3,
			                                    .accepted = 2,
			                                    .shielded = 1 };
		(void)snprintf(reports.reports[i].component, COMPONENT_ID_SIZE, "%s", component);
	}
	return reports;
}

static int add_report(void *context, const struct report_count *count)
{
	struct report_count *sum = context;

	sum->raw += count->raw;
	sum->accepted += count->accepted;
	sum->shielded += count->shielded;
	sum->network++; /* cells */
	return 0;
}

static struct report_count on_record(void)
{
	struct report_count sum = { .raw = 0 };

	assert_int_equal(outages_report_each(ledger, NULL, 0, INT64_MAX, add_report, &sum, &error), 0);
	return sum;
}

static void counts_add_up(void **state)
{
	struct serve_reports reports = reports_of(SERVE_COUNTS_MAX, 2, "web"), other = reports_of(1, 3, "web");
	struct serve_signals signals = { .count = 2 };
	struct report_count sum;

	(void)state;
	assert_false(desk_queue_waits(&queue));
	desk_queue_reports(&queue, &reports, 0);
	desk_queue_reports(&queue, &reports, 3 * COUNT_BUCKET_NS); /* by then that bucket is over */
	desk_queue_reports(&queue, &other, 3 * COUNT_BUCKET_NS);
	assert_int_equal(queue.report_count, SERVE_COUNTS_MAX + 1);
	assert_int_equal(queue.taken, 2 * SERVE_COUNTS_MAX + 1);
	assert_int_equal(queue.late, SERVE_COUNTS_MAX);
	for (unsigned i = 0; i < 2; i++) {
		signals.signals[i] = (struct signal_count){ .good = UINT32_MAX, .bad = 1, .value = 10 * (i + 1) };
		(void)strcpy(signals.signals[i].component, "web");
	}
	desk_queue_signals(&queue, &signals);
	assert_int_equal(queue.signal_count, 1);
	assert_int_equal(queue.signals[0].good, UINT32_MAX); /* it does not turn over */
	assert_int_equal(queue.signals[0].bad, 2);
	assert_int_equal(queue.signals[0].value, 20);
	assert_int_equal(desk_queue_write(&queue, ledger, &error), 0);
	assert_false(desk_queue_waits(&queue));
	assert_int_equal(queue.written, SERVE_COUNTS_MAX + 2);
	sum = on_record();
	assert_int_equal(sum.network, SERVE_COUNTS_MAX + 1);
	assert_int_equal(sum.raw, 3 * (2 * SERVE_COUNTS_MAX + 1));
	assert_int_equal(sum.accepted, 2 * (2 * SERVE_COUNTS_MAX + 1));
	assert_int_equal(sum.shielded, 2 * SERVE_COUNTS_MAX + 1);
	assert_int_equal(queue.lost, 0);
}

static int add_signal(void *context, const struct signal_count *count)
{
	struct signal_count *sum = context;

	sum->good += count->good;
	sum->network++; /* cells */
	return 0;
}

/*
 * What was put in of a log by hand is not counted by the reader again; what was put in beside it, or is another's, is
 * no matter.
 */
static void lines_count_once(void **state)
{
	static const struct {
		const char *component, *vantage;
		enum signal_kind kind;
	} rows[] = {
		{ "web", VANTAGE_SERVE, SIGNAL_EDGE_5XX },
		{ "web", VANTAGE_SERVE, SIGNAL_LATENCY },
		{ "api", VANTAGE_SERVE, SIGNAL_EDGE_5XX },
		{ "edge", VANTAGE_SERVE, SIGNAL_EDGE_5XX }, /* beside it alone */
		{ "web", "gatus", SIGNAL_PROBE },
	};
	struct signal_count put[] = {
		{ .component = "web", .kind = SIGNAL_EDGE_5XX, .good = 1000 },
		{ .component = "edge", .vantage = VANTAGE_BESIDE, .kind = SIGNAL_EDGE_5XX, .good = 1000 }
	};
	struct serve_signals signals = { .count = sizeof(rows) / sizeof(rows[0]) };
	struct signal_count sum = { .good = 0 };

	(void)state;
	assert_int_equal(outages_signal_add(ledger, put, 2, &error), 0);
	for (unsigned i = 0; i < signals.count; i++) {
		signals.signals[i] = (struct signal_count){ .kind = rows[i].kind, .good = 1u << i };
		(void)snprintf(signals.signals[i].component, COMPONENT_ID_SIZE, "%s", rows[i].component);
		(void)snprintf(signals.signals[i].vantage, VANTAGE_SIZE, "%s", rows[i].vantage);
	}
	desk_queue_signals(&queue, &signals);
	assert_int_equal(desk_queue_write(&queue, ledger, &error), 0);
	assert_int_equal(queue.put_in, 1);
	assert_int_equal(queue.written, signals.count - 1);
	assert_int_equal(outages_signal_each(ledger, NULL, 0, INT64_MAX, add_signal, &sum, &error), 0);
	assert_int_equal(sum.good, 2000 + 2 + 4 + 8 + 16);
	assert_int_equal(sum.network, 2 + 4);
	/* Its own later lines add to what the reader has told before. */
	desk_queue_signals(&queue, &signals);
	assert_int_equal(desk_queue_write(&queue, ledger, &error), 0);
	assert_int_equal(queue.put_in, 2);
	sum = (struct signal_count){ .good = 0 };
	assert_int_equal(outages_signal_each(ledger, NULL, 0, INT64_MAX, add_signal, &sum, &error), 0);
	assert_int_equal(sum.good, 2000 + 2 * (2 + 4 + 8 + 16));
}

static void the_queue_is_bounded(void **state)
{
	const unsigned buckets = DESK_QUEUE_MAX / SERVE_COUNTS_MAX;
	struct serve_signals signals = { .count = SERVE_COUNTS_MAX };

	(void)state;
	for (unsigned i = 0; i <= buckets; i++) {
		struct serve_reports reports = reports_of(SERVE_COUNTS_MAX, i, "web");

		desk_queue_reports(&queue, &reports, 0);
		for (unsigned k = 0; k < SERVE_COUNTS_MAX; k++) {
			signals.signals[k] = (struct signal_count){ .bucket_ns = (int64_t)i * COUNT_BUCKET_NS,
				                                    .network = k,
				                                    .good = 1 };
			(void)strcpy(signals.signals[k].component, "web");
			(void)snprintf(signals.signals[k].vantage, VANTAGE_SIZE, "v%u", k);
		}
		desk_queue_signals(&queue, &signals);
	}
	assert_int_equal(queue.report_count, DESK_QUEUE_MAX);
	assert_int_equal(queue.signal_count, DESK_QUEUE_MAX);
	assert_int_equal(queue.lost, 2 * SERVE_COUNTS_MAX);
	assert_int_equal(desk_queue_write(&queue, ledger, &error), 0);
	assert_int_equal(on_record().network, DESK_QUEUE_MAX);
}

static void what_cannot_be_written_waits(void **state)
{
	struct serve_reports reports = reports_of(2, 5, "web");
	struct ledger *reader;

	(void)state;
	desk_queue_reports(&queue, &reports, 0);
	assert_int_equal(ledger_open(database, false, &reader, &error), 0);
	assert_int_equal(desk_queue_write(&queue, reader, &error), -EROFS);
	ledger_close(reader);
	assert_int_equal(queue.report_count, 2);
	assert_int_equal(queue.lost, 0);
	assert_int_equal(desk_queue_write(&queue, ledger, &error), 0);
	assert_int_equal(on_record().network, 2);
	/* What the record refuses for good does not stand in the way of what follows. */
	desk_queue_reports(&queue, &reports, 0);
	queue.reports[0].component[0] = '/';
	assert_int_equal(desk_queue_write(&queue, ledger, &error), -EINVAL);
	assert_false(desk_queue_waits(&queue));
	assert_int_equal(queue.lost, 2);
}

/* ---- who is told ---- */

static struct alert said[DESK_TOLD_MAX + 8];
static unsigned said_count;

static void say(void *context, const struct alert *alert)
{
	assert_ptr_equal(context, &said_count);
	said[said_count++] = *alert;
}

static void outages_are_told_once(void **state)
{
	static struct desk_told told, read;
	static struct reckon_result result;
	struct reckon_component *web = &result.components[0];

	(void)state;
	memset(&told, 0, sizeof(told));
	memset(&result, 0, sizeof(result));
	said_count = 0;
	result.components_count = 2;
	(void)strcpy(web->id, "web");
	assert_false(desk_told_outages(&told, &result, 1, say, &said_count));
	web->outage = 7;
	web->began_ns = 5 * NS_PER_S;
	web->word = BELIEF_ELEVATED_REPORTS;
	assert_true(desk_told_outages(&told, &result, 9 * NS_PER_S, say, &said_count));
	assert_false(desk_told_outages(&told, &result, 10 * NS_PER_S, say, &said_count));
	assert_int_equal(said_count, 1);
	assert_int_equal(said[0].change, ALERT_BEGAN);
	assert_int_equal(said[0].matter, ALERT_OF_OUTAGE);
	assert_int_equal(said[0].incident, 7);
	assert_int_equal(said[0].began_ns, 5 * NS_PER_S);
	assert_string_equal(said[0].service, "web");
	assert_string_equal(said[0].target, "o7");
	assert_string_equal(said[0].vector, "elevated_user_reports");
	/* Over a restart. */
	assert_int_equal(desk_told_read(&read, told_path), -ENOENT);
	assert_int_equal(desk_told_write(&told, told_path), 0);
	assert_int_equal(desk_told_read(&read, told_path), 0);
	assert_false(desk_told_outages(&read, &result, 11 * NS_PER_S, say, &said_count));
	desk_told_standing(&read, 11 * NS_PER_S, say, &said_count);
	assert_int_equal(said_count, 2);
	assert_int_equal(said[1].change, ALERT_STANDING);
	/* Another word of it, and its end. */
	web->word = BELIEF_MAJOR_OUTAGE;
	assert_true(desk_told_outages(&read, &result, 12 * NS_PER_S, say, &said_count));
	assert_int_equal(said[2].change, ALERT_WORSE);
	assert_string_equal(said[2].vector, "major_outage");
	web->outage = 0;
	assert_true(desk_told_outages(&read, &result, 13 * NS_PER_S, say, &said_count));
	assert_int_equal(said[3].change, ALERT_ENDED);
	assert_string_equal(said[3].service, "web");
	assert_false(desk_told_outages(&read, &result, 14 * NS_PER_S, say, &said_count));
	assert_int_equal(said_count, 4);
}

static void statements_are_told_once(void **state)
{
	static struct desk_told told;
	struct statements_thread thread = { .thread = 4, .open = true, .due_ns = 100 };

	(void)state;
	memset(&told, 0, sizeof(told));
	said_count = 0;
	assert_false(desk_told_due(&told, &thread, 1, 99, say, &said_count));
	assert_true(desk_told_due(&told, &thread, 1, 100, say, &said_count));
	assert_int_equal(desk_told_write(&told, told_path), 0);
	assert_int_equal(desk_told_read(&told, told_path), 0);
	assert_false(desk_told_due(&told, &thread, 1, 5000, say, &said_count));
	assert_int_equal(said_count, 1);
	assert_int_equal(said[0].change, ALERT_BEGAN);
	assert_int_equal(said[0].matter, ALERT_OF_STATEMENT);
	assert_int_equal(said[0].began_ns, 100);
	assert_string_equal(said[0].target, "s4");
	/* An update was published: it is due again, later. */
	thread.due_ns = 6000;
	assert_true(desk_told_due(&told, &thread, 1, 5001, say, &said_count));
	assert_int_equal(said[1].change, ALERT_ENDED);
	assert_true(desk_told_due(&told, &thread, 1, 6000, say, &said_count));
	assert_int_equal(said[2].change, ALERT_BEGAN);
	/* It is closed. */
	thread.open = false;
	assert_true(desk_told_due(&told, &thread, 1, 6001, say, &said_count));
	assert_int_equal(said[3].change, ALERT_ENDED);
	assert_int_equal(said_count, 4);
	/* No more is promised. */
	thread = (struct statements_thread){ .thread = 5, .open = true };
	assert_false(desk_told_due(&told, &thread, 1, 6002, say, &said_count));
}

/* Of one place, by component: each once, over a restart, and not beside an outage that says more. */
static void failing_checks_are_told_once(void **state)
{
	static struct desk_told told, read;
	static struct reckon_result result;
	struct serve_check checks[2] = {
		{ .component = "web", .what = "front, refused the connection", .since_ns = 5 * NS_PER_S },
		{ .component = "login", .what = "door, no answer in time", .since_ns = 6 * NS_PER_S },
	};

	(void)state;
	memset(&told, 0, sizeof(told));
	memset(&result, 0, sizeof(result));
	said_count = 0;
	result.components_count = 1;
	(void)strcpy(result.components[0].id, "login");
	result.components[0].outage = 7;
	result.components[0].word = BELIEF_MAJOR_OUTAGE;
	assert_true(desk_told_outages(&told, &result, 7 * NS_PER_S, say, &said_count));
	assert_false(desk_told_checks(&told, NULL, 0, 8 * NS_PER_S, say, &said_count));
	assert_true(desk_told_checks(&told, checks, 2, 9 * NS_PER_S, say, &said_count));
	assert_false(desk_told_checks(&told, checks, 2, 24 * NS_PER_S, say, &said_count));
	assert_int_equal(said_count, 2);
	assert_int_equal(said[1].change, ALERT_BEGAN);
	assert_int_equal(said[1].matter, ALERT_OF_CHECKS);
	assert_int_equal(said[1].incident, 0);
	assert_int_equal(said[1].began_ns, 5 * NS_PER_S);
	assert_string_equal(said[1].service, "web");
	assert_string_equal(said[1].vector, "front, refused the connection");
	assert_non_null(strstr(said[1].advice, "component set web "));
	assert_int_equal(desk_told_write(&told, told_path), 0);
	assert_int_equal(desk_told_read(&read, told_path), 0);
	/* That another check fails too, or another reason, is no news. */
	(void)strcpy(checks[0].what, "front, wrong status");
	assert_false(desk_told_checks(&read, checks, 2, 30 * NS_PER_S, say, &said_count));
	desk_told_standing(&read, 31 * NS_PER_S, say, &said_count);
	assert_int_equal(said_count, 4);
	assert_int_equal(said[3].matter, ALERT_OF_CHECKS);
	assert_int_equal(said[3].change, ALERT_STANDING);
	/* It ends when all of its checks are good; the outage's end leaves what still fails. */
	result.components[0].outage = 0;
	assert_true(desk_told_outages(&read, &result, 40 * NS_PER_S, say, &said_count));
	assert_true(desk_told_checks(&read, checks + 1, 1, 45 * NS_PER_S, say, &said_count));
	assert_int_equal(said_count, 7);
	assert_int_equal(said[5].change, ALERT_ENDED);
	assert_string_equal(said[5].service, "web");
	assert_int_equal(said[5].began_ns, 5 * NS_PER_S);
	assert_int_equal(said[6].change, ALERT_BEGAN);
	assert_string_equal(said[6].service, "login");
}

static void what_is_told_is_bounded(void **state)
{
	static struct statements_thread threads[DESK_TOLD_MAX + 1];
	static struct desk_told told;

	(void)state;
	memset(&told, 0, sizeof(told));
	said_count = 0;
	for (unsigned i = 0; i <= DESK_TOLD_MAX; i++)
		threads[i] = (struct statements_thread){ .thread = i + 1, .open = true, .due_ns = 1 };
	assert_true(desk_told_due(&told, threads, DESK_TOLD_MAX + 1, 2, say, &said_count));
	assert_int_equal(said_count, DESK_TOLD_MAX);
	assert_int_equal(told.untold, 1);
}

static void a_file_that_is_none_of_ours(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"schema\":\"other\"}",
		"{\"schema\":\"holdfast.told/1\",\"outages\":[{\"number\":0,\"component\":\"web\",\"published\":\"nothing\"}],\"due\":[]}",
		"{\"schema\":\"holdfast.told/1\",\"outages\":[{\"number\":1,\"component\":\"../x\",\"published\":\"nothing\"}],\"due\":[]}",
		"{\"schema\":\"holdfast.told/1\",\"outages\":[{\"number\":1,\"component\":\"web\",\"published\":\"?\"}],\"due\":[]}",
		"{\"schema\":\"holdfast.told/1\",\"outages\":[],\"due\":[{\"thread\":-1}]}",
		"{\"schema\":\"holdfast.told/1\",\"outages\":[],\"due\":[],\"checks\":[{\"component\":\"../x\",\"what\":\"\"}]}",
		"{\"schema\":\"holdfast.told/1\",\"outages\":[],\"due\":[],\"checks\":[{\"component\":\"web\"}]}"
	};
	static struct desk_told told;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		FILE *file = fopen(told_path, "w");

		assert_non_null(file);
		assert_true(fputs(texts[i], file) >= 0);
		assert_int_equal(fclose(file), 0);
		told.due_count = 77;
		assert_int_equal(desk_told_read(&told, told_path), -EBADMSG);
		assert_int_equal(told.due_count, 77);
	}
}

/* ---- states of components ---- */

#define NOW_NS (1764240100 * NS_PER_S)

static struct component_state latest;
static unsigned states_count;
static char cause[16];

static int take_state(void *context, const struct component_state *state)
{
	(void)context;
	latest = *state;
	(void)snprintf(cause, sizeof(cause), "%s", state->cause);
	latest.cause = cause;
	states_count++;
	return 0;
}

/* How many states are on record; the latest is in `latest`. */
static unsigned states(void)
{
	states_count = 0;
	assert_int_equal(component_state_each(ledger, "web", take_state, NULL, &error), 0);
	return states_count;
}

static struct desk *desk_of(void)
{
	const struct component web = { .id = "web",
		                       .showcase = true,
		                       .name = { "Website", "" },
		                       .description = { "", "" },
		                       .added_ns = NOW_NS - 86400 * NS_PER_S };
	struct desk *desk = calloc(1, sizeof(*desk));

	assert_non_null(desk);
	assert_int_equal(component_add(ledger, &web, &error), 0);
	desk->ledger = ledger;
	desk->life.config.page.measured = true;
	present_init(&desk->present, 60 * NS_PER_S);
	return desk;
}

/* A round of three places in three networks, looked at. */
static void round_of(struct desk *desk, unsigned failing, int64_t now_ns)
{
	struct serve_signals signals = { .count = 3 };

	for (unsigned i = 0; i < 3; i++) {
		struct signal_count *count = &signals.signals[i];

		*count = (struct signal_count){ .bucket_ns = count_bucket(now_ns),
			                        .kind = SIGNAL_PROBE,
			                        .network = 64496 + i,
			                        .good = i >= failing,
			                        .bad = i < failing };
		(void)snprintf(count->component, sizeof(count->component), "web");
		(void)snprintf(count->vantage, sizeof(count->vantage), "place-%u", i);
	}
	desk_states_hear(desk, &signals, now_ns);
	desk->present_due_ns = 0;
	desk_states_look(desk, now_ns);
}

static void what_probes_see_turns_it_and_turns_it_back(void **state)
{
	struct desk *desk = desk_of();

	(void)state;
	round_of(desk, 0, NOW_NS);
	round_of(desk, 1, NOW_NS + 60 * NS_PER_S); /* one of three places */
	round_of(desk, 1, NOW_NS + 120 * NS_PER_S);
	assert_int_equal(states(), 0);
	round_of(desk, 3, NOW_NS + 180 * NS_PER_S);
	round_of(desk, 3, NOW_NS + 240 * NS_PER_S + 5);
	assert_int_equal(states(), 1);
	assert_int_equal(latest.status, COMPONENT_DEGRADED);
	assert_int_equal(latest.source, COMPONENT_MEASURED);
	assert_int_equal(latest.since_ns, NOW_NS + 240 * NS_PER_S); /* a page of this second has it */
	assert_string_equal(latest.cause, "unknown");
	round_of(desk, 0, NOW_NS + 300 * NS_PER_S);
	round_of(desk, 0, NOW_NS + 360 * NS_PER_S);
	assert_int_equal(states(), 1);
	round_of(desk, 0, NOW_NS + 421 * NS_PER_S);
	assert_int_equal(states(), 2);
	assert_int_equal(latest.status, COMPONENT_OPERATIONAL);
	assert_false(desk->present_trouble);
	free(desk);
}

static void an_outage_is_made_worse_by_probes_never_better(void **state)
{
	struct desk *desk = desk_of();
	const struct component_state over = { .component = "web",
		                              .status = COMPONENT_OPERATIONAL,
		                              .since_ns = NOW_NS + 500 * NS_PER_S,
		                              .cause = "",
		                              .source = COMPONENT_SAID,
		                              .added_ns = NOW_NS + 500 * NS_PER_S,
		                              .added_by = "ann" };

	(void)state;
	desk->result.components_count = 1;
	desk->result.components[0] = (struct reckon_component){ .id = "web",
		                                                .outage = 7,
		                                                .began_ns = NOW_NS - 600 * NS_PER_S,
		                                                .status = COMPONENT_PARTIAL_OUTAGE,
		                                                .cause = CAUSE_ATTACK };
	desk_states_set(desk, count_bucket(NOW_NS), NOW_NS);
	assert_int_equal(states(), 1);
	assert_int_equal(latest.status, COMPONENT_PARTIAL_OUTAGE);
	assert_int_equal(latest.outage, 7);
	assert_int_equal(latest.since_ns, NOW_NS - 600 * NS_PER_S);
	assert_string_equal(latest.cause, "attack");
	for (unsigned i = 0; i < 4; i++)
		round_of(desk, 0, NOW_NS + i * 60 * NS_PER_S);
	desk_states_set(desk, count_bucket(NOW_NS) + COUNT_BUCKET_NS, NOW_NS + 240 * NS_PER_S);
	assert_int_equal(states(), 1);
	/* An operator says that it is over: for this outage that stands, whatever is seen. */
	assert_int_equal(component_state_add(ledger, &over, NULL, &error), 0);
	for (unsigned i = 9; i < 14; i++)
		round_of(desk, 3, NOW_NS + i * 60 * NS_PER_S);
	assert_int_equal(states(), 2);
	assert_int_equal(latest.source, COMPONENT_SAID);
	free(desk);
}

int main(void)
{
#define WITH_RECORD(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_RECORD(counts_add_up),
		WITH_RECORD(lines_count_once),
		WITH_RECORD(the_queue_is_bounded),
		WITH_RECORD(what_cannot_be_written_waits),
		WITH_RECORD(outages_are_told_once),
		WITH_RECORD(statements_are_told_once),
		WITH_RECORD(failing_checks_are_told_once),
		WITH_RECORD(what_is_told_is_bounded),
		WITH_RECORD(a_file_that_is_none_of_ours),
		WITH_RECORD(what_probes_see_turns_it_and_turns_it_back),
		WITH_RECORD(an_outage_is_made_worse_by_probes_never_better),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
