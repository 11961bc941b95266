/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts and outages on record: what may be added, how it adds up, what the database itself refuses, what may go; and
 * what is reckoned from counts: an outage, its number, what explains it, the same whenever it is done.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "record/archive.h"
#include "record/outages.h"
#include "record/reckon.h"
#include "scratch_ledger.h"
#include "tell/harm_json.h"

#define BUCKET COUNT_BUCKET_NS
#define WEEK_BUCKETS 2016
#define WEEK_NS (WEEK_BUCKETS * BUCKET)
#define FIRST_NS (2900 * WEEK_NS)

static char archive[64], seen[4096];

static int begin(void **state)
{
	int result = scratch_begin(state);

	(void)snprintf(archive, sizeof(archive), "%s/archive", folder);
	seen[0] = '\0';
	return result;
}

/* ---- counts ---- */

static const struct report_count a_report = { .bucket_ns = 10 * BUCKET,
	                                      .component = "login",
	                                      .region = "FR-IDF",
	                                      .symptom = SYMPTOM_LOGIN,
	                                      .source = REPORT_NEL,
	                                      .network = 64500,
	                                      .raw = 9,
	                                      .accepted = 5,
	                                      .shielded = 2 };

static const struct signal_count a_signal = { .bucket_ns = 10 * BUCKET,
	                                      .component = "login",
	                                      .vantage = "paris",
	                                      .kind = SIGNAL_PROBE,
	                                      .network = 64501,
	                                      .good = 3,
	                                      .bad = 4,
	                                      .value = 250 };

static int note_report(void *context, const struct report_count *c)
{
	size_t length = strlen(seen);

	(void)snprintf(seen + length, sizeof(seen) - length, "%lld:%s:%s:%s:%u:%s:%u:%u:%u ",
	               (long long)(c->bucket_ns / BUCKET), c->component, symptom_name(c->symptom), c->region,
	               (unsigned)c->network, report_source_name(c->source), (unsigned)c->raw, (unsigned)c->accepted,
	               (unsigned)c->shielded);
	return context ? *(const int *)context : 0;
}

static int note_signal(void *context, const struct signal_count *c)
{
	size_t length = strlen(seen);

	(void)snprintf(seen + length, sizeof(seen) - length, "%lld:%s:%s:%s:%u:%u:%u:%u ",
	               (long long)(c->bucket_ns / BUCKET), c->component, signal_kind_name(c->kind), c->vantage,
	               (unsigned)c->network, (unsigned)c->good, (unsigned)c->bad, (unsigned)c->value);
	return context ? *(const int *)context : 0;
}

static const char *reports_of(const char *component, int64_t from, int64_t to)
{
	seen[0] = '\0';
	assert_int_equal(outages_report_each(ledger, component, from * BUCKET, to * BUCKET, note_report, NULL, &error),
	                 0);
	return seen;
}

static const char *signals_of(const char *component, int64_t from, int64_t to)
{
	seen[0] = '\0';
	assert_int_equal(outages_signal_each(ledger, component, from * BUCKET, to * BUCKET, note_signal, NULL, &error),
	                 0);
	return seen;
}

static void reports_add_up(void **state)
{
	struct report_count other = a_report, two[2] = { a_report, a_report };
	int stop = 3;

	(void)state;
	assert_int_equal(outages_report_add(ledger, two, 2, &error), 0);
	assert_string_equal(reports_of(NULL, 0, 100), "10:login:cannot_log_in:FR-IDF:64500:nel:18:10:4 ");
	/* Whatever tells one cell from another. */
	other.network = 0;
	assert_int_equal(outages_report_add(ledger, &other, 1, &error), 0);
	other.source = REPORT_FORM;
	assert_int_equal(outages_report_add(ledger, &other, 1, &error), 0);
	other = a_report;
	other.bucket_ns += BUCKET;
	memcpy(other.component, "web", 4);
	other.region[0] = '\0';
	assert_int_equal(outages_report_add(ledger, &other, 1, &error), 0);
	assert_string_equal(reports_of(NULL, 0, 100),
	                    "10:login:cannot_log_in:FR-IDF:0:form:9:5:2 10:login:cannot_log_in:FR-IDF:0:nel:9:5:2 "
	                    "10:login:cannot_log_in:FR-IDF:64500:nel:18:10:4 11:web:cannot_log_in::64500:nel:9:5:2 ");
	assert_string_equal(reports_of("web", 0, 100), "11:web:cannot_log_in::64500:nel:9:5:2 ");
	/* From the first on, the last left out. */
	assert_string_equal(reports_of(NULL, 11, 12), "11:web:cannot_log_in::64500:nel:9:5:2 ");
	assert_string_equal(reports_of("login", 11, 12), "");
	assert_string_equal(reports_of("web", 0, 11), "");
	seen[0] = '\0';
	assert_int_equal(outages_report_each(ledger, NULL, 0, 100 * BUCKET, note_report, &stop, &error), 3);
	assert_string_equal(seen, "10:login:cannot_log_in:FR-IDF:0:form:9:5:2 ");
}

static void reports_refused(void **state)
{
	struct report_count bad[2] = { a_report, a_report };
	struct ledger *reader;

	(void)state;
#define REFUSED(change)                                                                   \
	do {                                                                              \
		bad[1] = a_report;                                                        \
		change;                                                                   \
		assert_int_equal(outages_report_add(ledger, bad, 2, &error), -EINVAL);    \
		assert_true(error.message[0] != '\0');                                    \
		assert_string_equal(reports_of(NULL, 0, 100), ""); /* nor the good one */ \
	} while (0)
	REFUSED(bad[1].bucket_ns++);
	REFUSED(bad[1].bucket_ns = -BUCKET);
	REFUSED(bad[1].component[0] = 'L');
	REFUSED(bad[1].component[0] = '\0');
	REFUSED(bad[1].region[0] = 'f');
	REFUSED(bad[1].symptom = SYMPTOMS);
	REFUSED(bad[1].source = REPORT_SOURCES);
	REFUSED(bad[1].raw = 6); /* 5 and 2 of 6 */
	REFUSED((bad[1].accepted = UINT32_MAX, bad[1].raw = 1));
#undef REFUSED
	assert_int_equal(outages_report_add(ledger, bad, 1, &error), 0);
	assert_int_equal(ledger_open(path, false, &reader, &error), 0);
	assert_int_equal(outages_report_add(reader, bad, 1, &error), -EROFS);
	assert_int_equal(outages_signal_add(reader, &a_signal, 1, &error), -EROFS);
	ledger_close(reader);
	assert_string_equal(reports_of(NULL, 0, 100), "10:login:cannot_log_in:FR-IDF:64500:nel:9:5:2 ");
}

static void signals_add_up(void **state)
{
	struct signal_count bad[2] = { a_signal, a_signal }, other = a_signal;
	int stop = 3;

	(void)state;
#define REFUSED(change)                                                                \
	do {                                                                           \
		bad[1] = a_signal;                                                     \
		change;                                                                \
		assert_int_equal(outages_signal_add(ledger, bad, 2, &error), -EINVAL); \
		assert_string_equal(signals_of(NULL, 0, 100), "");                     \
	} while (0)
	REFUSED(bad[1].bucket_ns--);
	REFUSED(bad[1].component[0] = '_');
	REFUSED(bad[1].vantage[0] = ' ');
	REFUSED(bad[1].kind = SIGNAL_KINDS);
#undef REFUSED
	other.value = 100;
	assert_int_equal(outages_signal_add(ledger, &a_signal, 1, &error), 0);
	assert_int_equal(outages_signal_add(ledger, &other, 1, &error), 0);
	other.value = 300;
	assert_int_equal(outages_signal_add(ledger, &other, 1, &error), 0);
	/* Checks add up; of how long they took, the most. */
	assert_string_equal(signals_of("login", 10, 11), "10:login:probe:paris:64501:9:12:300 ");
	other.vantage[0] = '\0';
	other.kind = SIGNAL_LATENCY;
	assert_int_equal(outages_signal_add(ledger, &other, 1, &error), 0);
	assert_string_equal(signals_of(NULL, 0, 100),
	                    "10:login:latency::64501:3:4:300 10:login:probe:paris:64501:9:12:300 ");
	assert_string_equal(signals_of("web", 0, 100), "");
	seen[0] = '\0';
	assert_int_equal(outages_signal_each(ledger, NULL, 0, 100 * BUCKET, note_signal, &stop, &error), 3);
	assert_string_equal(seen, "10:login:latency::64501:3:4:300 ");
}

/* The database refuses it, whoever asks. */
static void counts_only_grow(void **state)
{
	static const char *const refused[] = {
		"UPDATE report_count SET raw = raw - 1",
		"UPDATE report_count SET accepted = accepted - 1",
		"UPDATE report_count SET shielded = shielded - 1",
		"UPDATE report_count SET bucket_ns = bucket_ns + 300000000000",
		"UPDATE report_count SET component = 'web'",
		"UPDATE report_count SET symptom = 'slow'",
		"UPDATE report_count SET region = 'DE'",
		"UPDATE report_count SET network = 1",
		"UPDATE report_count SET source = 'form'",
		"DELETE FROM report_count",
		"UPDATE signal SET good = good - 1",
		"UPDATE signal SET bad = bad - 1",
		"UPDATE signal SET value = value - 1",
		"UPDATE signal SET bucket_ns = bucket_ns + 300000000000",
		"UPDATE signal SET component = 'web'",
		"UPDATE signal SET kind = 'nel'",
		"UPDATE signal SET vantage = 'rome'",
		"UPDATE signal SET network = 1",
		"DELETE FROM signal",
		"UPDATE outage SET published = 'nothing'",
		"DELETE FROM outage",
		"INSERT OR REPLACE INTO outage SELECT * FROM outage",
		"UPDATE report_import SET reports = 0",
		"DELETE FROM report_import",
	};
	struct outages_outage outage = { .component = "login", .published = "investigating", .json = "{}" };
	struct outages_import import = { .sha256 = "ab", .name = "a.csv", .added_by = "alice" };
	struct outages_loading *loading;

	(void)state;
	assert_int_equal(outages_report_add(ledger, &a_report, 1, &error), 0);
	assert_int_equal(outages_signal_add(ledger, &a_signal, 1, &error), 0);
	assert_int_equal(outages_put(ledger, &outage, NULL, &error), 0);
	assert_int_equal(outages_import_begin(ledger, "ab", &loading, &error), 0);
	assert_int_equal(outages_import_end(loading, &import, &error), 0);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		scratch_execute(refused[i], SQLITE_CONSTRAINT);
	scratch_execute("UPDATE report_count SET raw = raw + 1, accepted = accepted + 1, shielded = shielded + 1",
	                SQLITE_OK);
	scratch_execute("UPDATE signal SET good = good + 1, bad = bad + 1, value = value + 1", SQLITE_OK);
	assert_string_equal(reports_of(NULL, 0, 100), "10:login:cannot_log_in:FR-IDF:64500:nel:10:6:3 ");
	assert_string_equal(signals_of(NULL, 0, 100), "10:login:probe:paris:64501:4:5:251 ");
}

/* 27 weeks before the latest bucket stay, whatever is asked for; of each table by its own latest. */
static void old_counts_go(void **state)
{
	const int64_t kept = OUTAGES_KEPT_NS / BUCKET;
	struct report_count report = a_report;
	struct signal_count signal = a_signal;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		report.bucket_ns = (int64_t[]){ 10, 11, 12, 11 + kept }[i] * BUCKET;
		signal.bucket_ns = (int64_t[]){ 10, 11, 12, 12 + kept }[i] * BUCKET;
		assert_int_equal(outages_report_add(ledger, &report, 1, &error), 0);
		assert_int_equal(outages_signal_add(ledger, &signal, 1, &error), 0);
	}
	assert_int_equal(outages_trim(ledger, 10 * BUCKET, &error), 0);
	assert_non_null(strstr(reports_of(NULL, 0, 100), "10:login"));
	assert_int_equal(outages_trim(ledger, INT64_MAX, &error), 0);
	assert_string_equal(reports_of(NULL, 0, 100), "11:login:cannot_log_in:FR-IDF:64500:nel:9:5:2 "
	                                              "12:login:cannot_log_in:FR-IDF:64500:nel:9:5:2 ");
	assert_string_equal(signals_of(NULL, 0, 100), "12:login:probe:paris:64501:3:4:250 ");
	assert_true(strlen(reports_of(NULL, 100, kept + 100)) > 0);
	/* The same by hand: one that is old enough may go, the next may not. */
	scratch_execute("DELETE FROM report_count WHERE bucket_ns = 11 * 300000000000", SQLITE_CONSTRAINT);
	report.bucket_ns = (12 + kept) * BUCKET;
	assert_int_equal(outages_report_add(ledger, &report, 1, &error), 0);
	scratch_execute("DELETE FROM report_count WHERE bucket_ns = 11 * 300000000000", SQLITE_OK);
}

/* What a later version put there is passed over. */
static void unknown_words(void **state)
{
	(void)state;
	scratch_execute(
		"INSERT INTO report_count VALUES(0, 'web', 'smell', '', 0, 'form', 1, 1, 0),"
		" (0, 'web', 'slow', '', 0, 'pigeon', 1, 1, 0), (0, 'web', 'slow', '', 0, 'form', 5000000000, -1, 0)",
		SQLITE_OK);
	scratch_execute(
		"INSERT INTO signal VALUES(0, 'web', 'hunch', '', 0, 1, 1, 1), (0, 'web', 'nel', '', 0, 1, 2, 3)",
		SQLITE_OK);
	assert_string_equal(reports_of(NULL, 0, 1), "0:web:slow::0:form:4294967295:0:0 ");
	assert_string_equal(signals_of(NULL, 0, 1), "0:web:nel::0:1:2:3 ");
}

static void files(void **state)
{
	struct outages_import import = { .sha256 = "ab", .name = "a.csv", .added_by = "alice" };
	struct report_count bad = a_report;
	struct outages_loading *loading;

	(void)state;
	assert_int_equal(outages_import_begin(ledger, "ab", &loading, &error), 0);
	assert_int_equal(outages_import_add(loading, &a_report, &error), 0);
	bad.symptom = SYMPTOMS;
	assert_int_equal(outages_import_add(loading, &bad, &error), -EINVAL);
	/* Nothing counts, and it may be put in again. */
	assert_int_equal(outages_import_end(loading, NULL, &error), 0);
	assert_string_equal(reports_of(NULL, 0, 100), "");
	/* Nor where the row that says so is none. */
	import.name = "\xff";
	assert_int_equal(outages_import_begin(ledger, "ab", &loading, &error), 0);
	assert_int_equal(outages_import_add(loading, &a_report, &error), 0);
	assert_int_equal(outages_import_end(loading, &import, &error), -EINVAL);
	assert_string_equal(reports_of(NULL, 0, 100), "");
	import.name = "a.csv";
	assert_int_equal(outages_import_begin(ledger, "ab", &loading, &error), 0);
	assert_int_equal(outages_import_add(loading, &a_report, &error), 0);
	assert_int_equal(outages_import_add(loading, &a_report, &error), 0);
	assert_int_equal(outages_import_end(loading, &import, &error), 0);
	assert_string_equal(reports_of(NULL, 0, 100), "10:login:cannot_log_in:FR-IDF:64500:nel:18:10:4 ");
	assert_int_equal(outages_import_begin(ledger, "ab", &loading, &error), -EALREADY);
	/* A transaction that was refused is over: others can write. */
	assert_int_equal(outages_report_add(ledger, &a_report, 1, &error), 0);
	assert_int_equal(outages_import_begin(ledger, "cd", &loading, &error), 0);
	assert_int_equal(outages_import_end(loading, NULL, &error), 0);
	assert_string_equal(reports_of(NULL, 0, 100), "10:login:cannot_log_in:FR-IDF:64500:nel:27:15:6 ");
}

/* ---- outages ---- */

static int note_outage(void *context, const struct outages_outage *o)
{
	size_t length = strlen(seen);

	(void)snprintf(seen + length, sizeof(seen) - length,
	               "%llu:%s:%lld:%lld:%lld:%lld:%lld:%llu:%llu:%u:%s:%s:%lld ", (unsigned long long)o->number,
	               o->component, (long long)o->began_ns, (long long)o->peak_ns, (long long)o->ended_ns,
	               (long long)o->pronounced_from_ns, (long long)o->pronounced_to_ns, (unsigned long long)o->reports,
	               (unsigned long long)o->excess, (unsigned)o->belief, o->published, o->json,
	               (long long)o->made_ns);
	return context ? *(const int *)context : 0;
}

static const char *outages_of(const char *component)
{
	seen[0] = '\0';
	assert_int_equal(outages_each(ledger, component, note_outage, NULL, &error), 0);
	return seen;
}

static void latest_counts(void **state)
{
	struct outages_outage outage = { .component = "login",
		                         .began_ns = 100,
		                         .peak_ns = 120,
		                         .ended_ns = 0,
		                         .pronounced_from_ns = 110,
		                         .pronounced_to_ns = 130,
		                         .reports = 50,
		                         .excess = 40,
		                         .belief = 9876,
		                         .published = "investigating",
		                         .json = "{\"a\":1}",
		                         .made_ns = 140 };
	uint64_t number = 0;
	int stop = 3;

	(void)state;
	assert_int_equal(outages_put(ledger, &outage, &number, &error), 0);
	assert_int_equal(number, 1);
	assert_string_equal(outages_of(NULL), "1:login:100:120:0:110:130:50:40:9876:investigating:{\"a\":1}:140 ");
	/* The same said later is nothing new. */
	outage.number = 1;
	outage.made_ns = 150;
	assert_int_equal(outages_put(ledger, &outage, &number, &error), 0);
	assert_int_equal(number, 1);
	assert_non_null(strstr(outages_of(NULL), ":140 "));
	outage.json = "{\"a\":2}";
	outage.ended_ns = 200;
	assert_int_equal(outages_put(ledger, &outage, NULL, &error), 0);
	assert_string_equal(outages_of(NULL), "1:login:100:120:200:110:130:50:40:9876:investigating:{\"a\":2}:150 ");
	/* What was said first is still there; and said again, it is news. */
	outage.json = "{\"a\":1}";
	assert_int_equal(outages_put(ledger, &outage, NULL, &error), 0);
	seen[0] = '\0';
	assert_int_equal(outages_history(ledger, 1, note_outage, NULL, &error), 0);
	assert_string_equal(seen, "1:login:100:120:0:110:130:50:40:9876:investigating:{\"a\":1}:140 "
	                          "1:login:100:120:200:110:130:50:40:9876:investigating:{\"a\":2}:150 "
	                          "1:login:100:120:200:110:130:50:40:9876:investigating:{\"a\":1}:150 ");
	assert_int_equal(outages_history(ledger, 1, note_outage, &stop, &error), 3);
	assert_int_equal(outages_history(ledger, 2, note_outage, NULL, &error), -ENOENT);
	/* Another began before. */
	outage.number = 0;
	outage.component = "web";
	outage.began_ns = 90;
	assert_int_equal(outages_put(ledger, &outage, &number, &error), 0);
	assert_int_equal(number, 2);
	assert_true(strncmp(outages_of(NULL), "2:web:90:", 9) == 0);
	assert_true(strncmp(outages_of("login"), "1:login:", 8) == 0);
	assert_null(strstr(seen, "2:web"));
	assert_string_equal(outages_of("mail"), "");
	/* The latest first, and only so many. */
	seen[0] = '\0';
	assert_int_equal(outages_newest_each(ledger, 1, note_outage, NULL, &error), 0);
	assert_true(strncmp(seen, "1:login:", 8) == 0 && !strstr(seen, "2:web"));
	seen[0] = '\0';
	assert_int_equal(outages_newest_each(ledger, 9, note_outage, NULL, &error), 0);
	assert_true(strncmp(seen, "1:login:", 8) == 0 && strstr(seen, "2:web:90:"));
	/* As the latest row has it, not as any. */
	assert_non_null(strstr(seen, ":200:110:130:50:40:9876:investigating:{\"a\":1}:150 "));
}

static void outages_refused(void **state)
{
	const struct outages_outage good = { .component = "login", .published = "investigating", .json = "{}" };
	struct outages_outage outage = good;
	struct ledger *reader;
	uint64_t number = 77;
	char id[OUTAGES_ID_SIZE];

	(void)state;
	outage.json = "{";
	assert_int_equal(outages_put(ledger, &outage, &number, &error), -EINVAL);
	outage = good;
	outage.published = "\xff";
	assert_int_equal(outages_put(ledger, &outage, &number, &error), -EINVAL);
	outage = good;
	outage.component = "Login";
	assert_int_equal(outages_put(ledger, &outage, &number, &error), -EINVAL);
	assert_int_equal(ledger_open(path, false, &reader, &error), 0);
	assert_int_equal(outages_put(reader, &good, &number, &error), -EROFS);
	ledger_close(reader);
	assert_int_equal(number, 77);
	assert_string_equal(outages_of(NULL), "");
	assert_int_equal(outages_number("o12"), 12);
	assert_int_equal(outages_number("c12"), 0);
	assert_int_equal(outages_number("o0"), 0);
	assert_int_equal(outages_number("o1x"), 0);
	outages_id(12, id);
	assert_string_equal(id, "o12");
}

/* ---- reckoned ---- */

#define USUAL_BUCKETS (5 * WEEK_BUCKETS)
#define OUT_BUCKETS 12

static struct report_count stream[USUAL_BUCKETS + OUT_BUCKETS + 288];

/* Five of them every five minutes for five weeks, a hundred for an hour, then five again. */
static void put_stream(uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		bool out = i >= USUAL_BUCKETS && i < USUAL_BUCKETS + OUT_BUCKETS;

		stream[i] = a_report;
		stream[i].bucket_ns = FIRST_NS + (int64_t)i * BUCKET;
		stream[i].accepted = out ? 100 : 4 + i % 3;
		stream[i].raw = stream[i].accepted + 2;
	}
	assert_int_equal(outages_report_add(ledger, &stream[from], to - from, &error), 0);
}

static struct harm latest;

static int take_latest(void *context, const struct outages_outage *outage)
{
	char why[HARM_JSON_ERROR_SIZE];
	json_t *json = json_loads(outage->json, 0, NULL);

	assert_int_equal(harm_json_read(json, &latest, why), 0);
	json_decref(json);
	latest.number = outage->number;
	/* The row says the same as its JSON. */
	assert_string_equal(outage->component, latest.outage.component);
	assert_int_equal(outage->began_ns, latest.outage.began_ns);
	assert_int_equal(outage->peak_ns, latest.outage.peak_began_ns);
	assert_int_equal(outage->ended_ns, latest.outage.ended_ns);
	assert_int_equal(outage->pronounced_from_ns, latest.outage.pronounced_from_ns);
	assert_int_equal(outage->pronounced_to_ns, latest.outage.pronounced_to_ns);
	assert_int_equal(outage->reports, latest.outage.reports);
	assert_int_equal(outage->excess, latest.outage.excess);
	assert_int_equal(outage->belief, latest.belief.permyriad);
	assert_string_equal(outage->published, belief_word_name(latest.belief.word));
	++*(uint32_t *)context;
	return 0;
}

static uint32_t rows_of(uint64_t number)
{
	uint32_t rows = 0;

	assert_int_equal(outages_history(ledger, number, take_latest, &rows, &error), 0);
	return rows;
}

/* An event explains it, and probes make it surer. */
static void explained(int64_t began_ns, int64_t ended_ns, int64_t now_ns, int32_t by_reports)
{
	static struct reckon_result result;
	struct ledger_event event = { .kind = LEDGER_OWN_CHANGE,
		                      .began_ns = began_ns - 60 * NS_PER_S,
		                      .ended_ns = ended_ns,
		                      .text = "deployed",
		                      .url = "",
		                      .added_by = "alice" };
	char id[LEDGER_ID_SIZE];

	assert_int_equal(ledger_event_add(ledger, &event, id, &error), 0);
	for (unsigned i = 0; i < OUT_BUCKETS; i++) {
		struct signal_count probe = { .bucket_ns = began_ns + (int64_t)i * BUCKET,
			                      .component = "login",
			                      .vantage = "paris",
			                      .kind = SIGNAL_PROBE,
			                      .network = 64501,
			                      .bad = 5 };
		struct signal_count canary = probe;

		canary.kind = SIGNAL_CANARY;
		canary.good = 5;
		canary.bad = 0;
		assert_int_equal(outages_signal_add(ledger, &probe, 1, &error), 0);
		assert_int_equal(outages_signal_add(ledger, &canary, 1, &error), 0);
	}
	assert_int_equal(reckon(ledger, NULL, now_ns, &result, &error), 0);
	assert_int_equal(result.added, 1);
	assert_int_equal(rows_of(1), 3);
	assert_int_equal(latest.causes.shares[CAUSE_OWN_CHANGE].high, 10000);
	assert_int_equal(latest.causes.intervals[0].cause, CAUSE_OWN_CHANGE);
	assert_int_equal(latest.causes.intervals[0].reference, 1);
	assert_int_equal(latest.belief.vantages, 1);
	assert_int_equal(latest.belief.vantages_failed, 1);
	assert_true(latest.belief.log_odds > by_reports);
	assert_int_equal(latest.incident, 0); /* an event is no attack */
}

static void reckoned(void **state)
{
	static struct reckon_result result;
	const int64_t began_ns = FIRST_NS + (int64_t)USUAL_BUCKETS * BUCKET, ended_ns = began_ns + OUT_BUCKETS * BUCKET;
	const uint32_t all = sizeof(stream) / sizeof(stream[0]);
	const int64_t now_ns = FIRST_NS + (int64_t)all * BUCKET;

	int32_t by_reports;

	(void)state;
	put_stream(0, USUAL_BUCKETS + OUT_BUCKETS);
	/* While it lasts. */
	assert_int_equal(reckon(ledger, NULL, ended_ns, &result, &error), 0);
	assert_int_equal(result.components_count, 1);
	assert_string_equal(result.components[0].id, "login");
	assert_int_equal(result.components[0].basis, OUTAGE_WEEKS_KNOWN);
	assert_in_range(result.components[0].usual_milli, 4000, 6000);
	assert_int_equal(result.outages, 1);
	assert_int_equal(result.added, 1);
	assert_int_equal(rows_of(1), 1);
	assert_int_equal(latest.outage.began_ns, began_ns);
	assert_int_equal(latest.outage.ended_ns, 0);
	assert_int_equal(latest.outage.reports, 100 * OUT_BUCKETS);
	assert_in_range(latest.outage.excess, 94 * OUT_BUCKETS, 96 * OUT_BUCKETS);
	assert_int_equal(latest.outage.symptoms[SYMPTOM_LOGIN], 100 * OUT_BUCKETS);
	assert_int_equal(latest.outage.raw, 102 * OUT_BUCKETS);
	assert_int_equal(latest.outage.shielded, 2 * OUT_BUCKETS);
	assert_int_equal(latest.causes.shares[CAUSE_UNKNOWN].value, 10000);
	assert_int_equal(latest.incident, 0);
	/* Over, it is the same outage, with a row more; and once more there is nothing new. */
	put_stream(USUAL_BUCKETS + OUT_BUCKETS, all);
	assert_int_equal(reckon(ledger, NULL, now_ns, &result, &error), 0);
	assert_int_equal(result.outages, 1);
	assert_int_equal(result.added, 1);
	assert_int_equal(result.components[0].outages, 1);
	assert_int_equal(rows_of(1), 2);
	assert_int_equal(latest.outage.began_ns, began_ns);
	assert_int_equal(latest.outage.ended_ns, ended_ns);
	assert_int_equal(reckon(ledger, NULL, now_ns, &result, &error), 0);
	assert_int_equal(result.added, 0);
	assert_int_equal(rows_of(1), 2);
	by_reports = latest.belief.log_odds;
	/* What is not over by then is not looked at. */
	assert_int_equal(reckon(ledger, NULL, began_ns, &result, &error), 0);
	assert_int_equal(result.outages, 0);
	explained(began_ns, ended_ns, now_ns, by_reports);
}

static void archived(uint64_t id, const char *vector, int64_t began_ns, int64_t ended_ns)
{
	struct archive_incident incident = {
		.id = id, .generation = 1, .state = ARCHIVE_FINAL, .began_ns = began_ns, .ended_ns = ended_ns
	};
	int fd = memfd_create("analysis", MFD_CLOEXEC);

	(void)snprintf(incident.vector, sizeof(incident.vector), "%s", vector);
	(void)snprintf(incident.target, sizeof(incident.target), "192.0.2.1/32");
	assert_int_equal(write(fd, "{}", 2), 2);
	assert_int_equal(archive_add(archive, &incident, fd, 2), 0);
	(void)close(fd);
}

/* Of archived incidents that which overlaps it most; a scan explains nothing. */
static void attacked(void **state)
{
	static struct reckon_result result;
	const int64_t began_ns = FIRST_NS + (int64_t)USUAL_BUCKETS * BUCKET, ended_ns = began_ns + OUT_BUCKETS * BUCKET;
	const uint32_t all = sizeof(stream) / sizeof(stream[0]);
	const int64_t now_ns = FIRST_NS + (int64_t)all * BUCKET;

	(void)state;
	put_stream(0, all);
	/* No folder, or one without incidents, is none. */
	assert_int_equal(reckon(ledger, archive, now_ns, &result, &error), 0);
	assert_int_equal(rows_of(1), 1);
	assert_int_equal(latest.causes.shares[CAUSE_ATTACK].high, 0);
	assert_int_equal(mkdir(archive, 0700), 0);
	archived(6, "udp_flood", began_ns - 9000 * NS_PER_S, began_ns - 8000 * NS_PER_S);
	archived(7, "udp_flood", began_ns - 120 * NS_PER_S, ended_ns);
	archived(8, "scan", began_ns - 60 * NS_PER_S, ended_ns + 3600 * NS_PER_S);
	archived(9, "syn_flood", ended_ns - 300 * NS_PER_S, ended_ns);
	assert_int_equal(reckon(ledger, archive, now_ns, &result, &error), 0);
	assert_int_equal(result.added, 1);
	assert_int_equal(rows_of(1), 2);
	assert_int_equal(latest.incident, 7);
	assert_int_equal(latest.delay_ns, 120 * NS_PER_S);
	assert_int_equal(latest.causes.shares[CAUSE_ATTACK].low, 10000);
	assert_int_equal(latest.causes.intervals[0].cause, CAUSE_ATTACK);
	assert_int_equal(latest.causes.intervals[0].reference, 7);
}

/* Both ways the same: a whole reckoning finds nothing that is new behind one that goes on. */
static void goes_on_as(struct reckoner *reckoner, int64_t now_ns)
{
	static struct reckon_result result, whole;

	assert_int_equal(reckoner_run(reckoner, ledger, NULL, now_ns, &result, &error), 0);
	assert_int_equal(reckon(ledger, NULL, now_ns, &whole, &error), 0);
	assert_int_equal(whole.added, 0);
	assert_int_equal(whole.outages, result.outages);
	assert_int_equal(whole.components_count, result.components_count);
	for (uint32_t i = 0; i < whole.components_count; i++) {
		const struct reckon_component *a = &whole.components[i], *b = &result.components[i];

		assert_string_equal(a->id, b->id);
		assert_int_equal(a->first_ns, b->first_ns);
		assert_int_equal(a->last_ns, b->last_ns);
		assert_int_equal(a->reports, b->reports);
		assert_int_equal(a->basis, b->basis);
		assert_int_equal(a->usual_milli, b->usual_milli);
		assert_int_equal(a->outages, b->outages);
		assert_int_equal(a->outage, b->outage);
		assert_int_equal(a->status, b->status);
		assert_int_equal(a->word, b->word);
	}
}

/* Bucket by bucket through an outage and what follows, another component, counts that came late, a day without any. */
static void reckoned_on(void **state)
{
	const uint32_t all = sizeof(stream) / sizeof(stream[0]), first = USUAL_BUCKETS - 3;
	struct report_count other = a_report;
	static struct reckon_result result;
	struct reckoner *reckoner;

	(void)state;
	assert_int_equal(reckoner_new(&reckoner), 0);
	put_stream(0, first);
	goes_on_as(reckoner, FIRST_NS + (int64_t)first * BUCKET);
	for (uint32_t i = first; i < all; i++) {
		put_stream(i, i + 1);
		if (i == USUAL_BUCKETS + 2) { /* another component */
			(void)snprintf(other.component, sizeof(other.component), "shop");
			other.bucket_ns = FIRST_NS + (int64_t)i * BUCKET;
			assert_int_equal(outages_report_add(ledger, &other, 1, &error), 0);
		}
		if (i == USUAL_BUCKETS + 4) { /* what came late */
			other.bucket_ns = FIRST_NS + (int64_t)(i - 2) * BUCKET;
			assert_int_equal(outages_report_add(ledger, &other, 1, &error), 0);
			reckoner_forget(reckoner);
		}
		if (i < USUAL_BUCKETS + OUT_BUCKETS + 30 || i % 64 == 0) /* a whole one costs more */
			goes_on_as(reckoner, FIRST_NS + (int64_t)(i + 1) * BUCKET);
		if (i == USUAL_BUCKETS + OUT_BUCKETS - 1) { /* while it lasts */
			assert_int_equal(reckoner_run(reckoner, ledger, NULL, FIRST_NS + (int64_t)(i + 1) * BUCKET,
			                              &result, &error),
			                 0);
			assert_int_equal(result.components[0].outage, 1);
			assert_int_equal(result.components[0].word, BELIEF_ELEVATED_REPORTS);
			assert_int_equal(result.components[0].status, COMPONENT_OPERATIONAL);
			assert_int_equal(result.components[0].cause, CAUSE_UNKNOWN);
		}
	}
	/* Nothing more comes: the same bucket again, some with nothing in them, then a day later, and later still. */
	for (int64_t after = 0; after < 4; after++)
		goes_on_as(reckoner, FIRST_NS + (int64_t)(all + after) * BUCKET);
	goes_on_as(reckoner, FIRST_NS + (int64_t)all * BUCKET + 2 * 86400 * NS_PER_S);
	goes_on_as(reckoner, FIRST_NS + (int64_t)(all + 1) * BUCKET + 2 * 86400 * NS_PER_S);
	/* A clock that was set back. */
	goes_on_as(reckoner, FIRST_NS + (int64_t)all * BUCKET);
	reckoner_free(reckoner);
}

/* Probes of two places make it likely by themselves; what they saw before does not. */
static void signals_alone(void **state)
{
	const int64_t from_ns = FIRST_NS + 1000LL * BUCKET;
	static const char *const vantages[] = { "paris", "oslo", "rome" };
	struct belief belief;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		for (unsigned when = 0; when < 2; when++) {
			struct signal_count probe = { .bucket_ns = from_ns - (int64_t)when * BUCKET,
				                      .component = "login",
				                      .kind = SIGNAL_PROBE,
				                      .network = 64501 + i };
			struct signal_count canary;

			(void)snprintf(probe.vantage, sizeof(probe.vantage), "%s", vantages[i]);
			probe.good = when ? 5 : 0;
			probe.bad = when ? 0 : 5;
			canary = probe;
			canary.kind = SIGNAL_CANARY;
			canary.good = 5;
			canary.bad = 0;
			assert_int_equal(outages_signal_add(ledger, &probe, 1, &error), 0);
			assert_int_equal(outages_signal_add(ledger, &canary, 1, &error), 0);
		}
	assert_int_equal(reckon_signals(ledger, "login", from_ns, from_ns + BUCKET, &belief, &error), 0);
	assert_true(belief.word >= BELIEF_INVESTIGATING);
	assert_int_equal(belief.vantages_failed, 3);
	assert_int_equal(reckon_signals(ledger, "login", from_ns - BUCKET, from_ns, &belief, &error), 0);
	assert_int_equal(belief.word, BELIEF_NOTHING);
	assert_int_equal(reckon_signals(ledger, "nobody", from_ns, from_ns + BUCKET, &belief, &error), 0);
	assert_int_equal(belief.word, BELIEF_NOTHING);
}

/*
 * A component whose users are of two networks; in an hour the first has a hundred reports, the second what it always
 * has.
 */
static void put_networks(const char *component, uint32_t first, uint32_t second)
{
	static struct report_count counts[2 * (USUAL_BUCKETS + OUT_BUCKETS)];
	uint32_t count = 0;

	for (uint32_t i = 0; i < USUAL_BUCKETS + OUT_BUCKETS; i++)
		for (uint32_t k = 0; k < 2; k++) {
			struct report_count *one = &counts[count++];

			*one = a_report;
			(void)snprintf(one->component, sizeof(one->component), "%s", component);
			one->bucket_ns = FIRST_NS + (int64_t)i * BUCKET;
			one->network = 64501 + k;
			one->shielded = 0;
			one->accepted = k ? second : i < USUAL_BUCKETS ? first + i % 2 : 100;
			one->raw = one->accepted;
		}
	assert_int_equal(outages_report_add(ledger, counts, count, &error), 0);
}

/* Three places that look from outside see it well. */
static void put_good_probes(const char *component)
{
	for (uint32_t i = USUAL_BUCKETS; i < USUAL_BUCKETS + OUT_BUCKETS; i++)
		for (unsigned k = 0; k < 3; k++) {
			struct signal_count probe = { .bucket_ns = FIRST_NS + (int64_t)i * BUCKET,
				                      .kind = SIGNAL_PROBE,
				                      .network = 64510 + k,
				                      .good = 5 };

			(void)snprintf(probe.component, sizeof(probe.component), "%s", component);
			(void)snprintf(probe.vantage, sizeof(probe.vantage), "v%u", k);
			assert_int_equal(outages_signal_add(ledger, &probe, 1, &error), 0);
		}
}

/*
 * "The user's own network" is said where one of several stands out and the service is seen well from elsewhere, not
 * where most users have that network anyway.
 */
static void networks_of_users(void **state)
{
	static struct reckon_result result;
	const int64_t now_ns = FIRST_NS + (int64_t)(USUAL_BUCKETS + OUT_BUCKETS) * BUCKET;

	(void)state;
	put_networks("login", 2, 8);
	put_good_probes("login");
	put_networks("shop", 9, 1);
	put_good_probes("shop");
	assert_int_equal(reckon(ledger, NULL, now_ns, &result, &error), 0);
	assert_int_equal(result.outages, 2);
	assert_int_equal(rows_of(1), 1);
	assert_string_equal(latest.outage.component, "login");
	assert_int_equal(latest.belief.fault, BELIEF_NETWORK);
	assert_int_equal(latest.outage.places[0].kind, OUTAGE_NETWORK);
	assert_int_equal(latest.outage.places[0].network, 64501);
	assert_int_equal(rows_of(2), 1);
	assert_string_equal(latest.outage.component, "shop");
	assert_int_equal(latest.belief.fault, BELIEF_FAULT_UNKNOWN);
}

/* One component more than there may be: it is counted, not looked at. */
static void components_bound(void **state)
{
	static struct reckon_result result;
	static struct report_count counts[COMPONENTS_MAX + 1];

	(void)state;
	assert_int_equal(reckon(ledger, NULL, 11 * BUCKET, &result, &error), 0);
	assert_int_equal(result.components_count, 0);
	for (unsigned i = 0; i <= COMPONENTS_MAX; i++) {
		counts[i] = a_report;
		(void)snprintf(counts[i].component, sizeof(counts[i].component), "c%03u", i);
	}
	assert_int_equal(outages_report_add(ledger, counts, COMPONENTS_MAX + 1, &error), 0);
	assert_int_equal(reckon(ledger, NULL, 11 * BUCKET, &result, &error), 0);
	assert_int_equal(result.components_count, COMPONENTS_MAX);
	assert_int_equal(result.components_refused, 1);
	assert_string_equal(result.components[COMPONENTS_MAX - 1].id, "c255");
	assert_int_equal(result.components[0].reports, 5);
	assert_int_equal(result.components[0].basis, OUTAGE_NOTHING_KNOWN);
	assert_int_equal(result.components[0].usual_milli, 0);
	assert_int_equal(result.outages, 0);
}

int main(void)
{
#define WITH_RECORD(test) cmocka_unit_test_setup_teardown(test, begin, scratch_end)
	const struct CMUnitTest tests[] = {
		WITH_RECORD(reports_add_up),
		WITH_RECORD(reports_refused),
		WITH_RECORD(signals_add_up),
		WITH_RECORD(counts_only_grow),
		WITH_RECORD(old_counts_go),
		WITH_RECORD(unknown_words),
		WITH_RECORD(files),
		WITH_RECORD(latest_counts),
		WITH_RECORD(outages_refused),
		WITH_RECORD(reckoned),
		WITH_RECORD(reckoned_on),
		WITH_RECORD(signals_alone),
		WITH_RECORD(attacked),
		WITH_RECORD(components_bound),
		WITH_RECORD(networks_of_users),
	};

	return cmocka_run_group_tests_name("outages", tests, NULL, NULL);
}
