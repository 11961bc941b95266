/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of bundles whose time is over: they are erased in their place, each file once, and that is recorded;
 * what is no bundle, is gone or lies elsewhere is not touched. And what the recorder does of that, and of traces, by
 * itself.
 */
#include <errno.h>
#include <fcntl.h>
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
#include "daemon/recorder_ledger.h"
#include "record/archive.h"
#include "record/expiry.h"

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define NOW_NS (1764158400 * NS_PER_S)
#define DAY_NS (86400 * NS_PER_S)

static char folder[] = "/tmp/holdfast-expiry-XXXXXX", state_dir[64], record_path[96], first[96], second[128];
static struct record_error error;
static unsigned refusals;
static int refused_with;

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/holdfast-expiry-XXXXXX");
	refusals = 0;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(state_dir, sizeof(state_dir), "%s/state", folder);
	(void)snprintf(record_path, sizeof(record_path), "%s" LEDGER_FILE, state_dir);
	(void)snprintf(first, sizeof(first), "%s/a.tar", state_dir);
	(void)snprintf(second, sizeof(second), "%s/b.tar", folder);
	return mkdir(state_dir, 0755);
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command); /* NOLINT(cert-env33-c,concurrency-mt-unsafe): of a name that mkdtemp() has made */
}

static void make_bundle(const char *path)
{
	struct bundle_making making = { .made_s = 1700000000 };
	json_t *about = json_pack("{s:s}", "tlp", "TLP:AMBER+STRICT");
	char head[BUNDLE_HEX_SIZE];
	int out = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640), fd = memfd_create("p", MFD_CLOEXEC);

	assert_true(out >= 0 && fd >= 0);
	assert_int_equal(write(fd, "packets", 7), 7);
	for (int i = 0; i < BUNDLE_SEGMENTS; i++)
		making.segments[i].fd = -1;
	making.about = about;
	making.segments[BUNDLE_PACKETS].fd = fd;
	making.segments[BUNDLE_PACKETS].octets = 7;
	assert_int_equal(bundle_write(&making, out, head), 0);
	(void)close(fd);
	(void)close(out);
	json_decref(about);
}

static enum bundle_state packets_of(const char *path)
{
	struct bundle_fault fault;
	struct bundle bundle;
	enum bundle_state found;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(bundle_read(fd, &bundle, &fault), 0);
	found = bundle.parts[BUNDLE_PACKETS].state;
	bundle_fini(&bundle);
	(void)close(fd);
	return found;
}

static struct ledger *open_ledger(void)
{
	struct ledger *ledger;

	assert_int_equal(ledger_open(record_path, true, &ledger, &error), 0);
	return ledger;
}

static void note(struct ledger *ledger, const char *path, int64_t until_ns)
{
	const struct ledger_evidence evidence = { .incident = 3,
		                                  .made_ns = 1,
		                                  .until_ns = until_ns,
		                                  .path = path,
		                                  .head = DIGEST,
		                                  .sha256 = DIGEST,
		                                  .key = "",
		                                  .tlp = "amber" };

	assert_int_equal(ledger_evidence_add(ledger, &evidence, NULL, &error), 0);
}

static int list(void *context, const struct ledger_evidence *evidence)
{
	char *text = context;
	size_t length = strlen(text);

	(void)snprintf(text + length, 256 - length, "%s%s ", evidence->id,
	               !evidence->erased_ns                                ? ""
	               : strcmp(evidence->erased_why, EXPIRY_MISSING) == 0 ? "-"
	               : strcmp(evidence->erased_why, EXPIRY_KEPT) == 0    ? "+"
	                                                                   : "?");
	return 0;
}

/* Rows in their order: erased ones with a plus, those whose file is gone with a minus. */
static const char *listed(struct ledger *ledger)
{
	static char text[256];

	text[0] = '\0';
	assert_int_equal(ledger_evidence_each(ledger, 0, list, text, &error), 0);
	return text;
}

static void refuse(void *context, const char *path, int result, const struct bundle_fault *fault)
{
	(void)context;
	(void)path;
	refusals++;
	refused_with = result;
	if (result == -EBADMSG)
		assert_string_not_equal(fault->what, "");
}

static struct expiry expiry_of(const char *where)
{
	return (struct expiry){ .now_ns = NOW_NS, .why = EXPIRY_KEPT, .folder = where, .refused = refuse };
}

static void those_whose_time_is_over_are_erased(void **state)
{
	struct ledger *ledger = open_ledger();
	struct expiry expiry = expiry_of(NULL);
	struct stat status;

	(void)state;
	make_bundle(first);
	make_bundle(second);
	note(ledger, first, NOW_NS);
	note(ledger, second, NOW_NS + 1);
	note(ledger, first, 1); /* written anew: one file, two rows */
	note(ledger, "/nonexistent/c.tar", 1);
	note(ledger, first, 0); /* kept for ever, as a row */
	assert_int_equal(expiry_run(ledger, &expiry, &error), 0);
	assert_string_equal(listed(ledger), "b1+ b2 b3+ b4- b5 ");
	assert_int_equal(expiry.erased, 1);
	assert_int_equal(expiry.missing, 1);
	assert_int_equal(expiry.rows, 3);
	assert_int_equal(expiry.failed + expiry.elsewhere + refusals, 0);
	assert_int_equal(packets_of(first), BUNDLE_ERASED);
	assert_int_equal(packets_of(second), BUNDLE_WHOLE);
	assert_int_equal(stat(first, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
	assert_int_equal(expiry_run(ledger, &expiry, &error), 0);
	assert_int_equal(expiry.erased + expiry.missing, 0);
	ledger_close(ledger);
}

static void what_cannot_be_erased_stays_due(void **state)
{
	struct ledger *ledger = open_ledger();
	struct expiry expiry = expiry_of(NULL);
	FILE *file = fopen(first, "we");

	(void)state;
	assert_non_null(file);
	assert_true(fputs("no bundle", file) > 0);
	assert_int_equal(fclose(file), 0);
	note(ledger, first, 1);
	assert_int_equal(expiry_run(ledger, &expiry, &error), 0);
	assert_int_equal(expiry.failed, 1);
	assert_int_equal(refusals, 1);
	assert_int_equal(refused_with, -EBADMSG);
	assert_string_equal(listed(ledger), "b1 ");
	/* A folder in the way of what is written beside it. */
	make_bundle(first);
	(void)snprintf(second, sizeof(second), "%s.erasing", first);
	assert_int_equal(mkdir(second, 0755), 0);
	assert_int_equal(expiry_run(ledger, &expiry, &error), 0);
	assert_int_equal(refusals, 2);
	assert_int_equal(packets_of(first), BUNDLE_WHOLE);
	assert_int_equal(rmdir(second), 0);
	assert_int_equal(expiry_run(ledger, &expiry, &error), 0);
	assert_string_equal(listed(ledger), "b1+ ");
	ledger_close(ledger);
}

static void one_that_is_named(void **state)
{
	struct ledger *ledger = open_ledger();
	struct expiry expiry = expiry_of(NULL);

	(void)state;
	make_bundle(first);
	make_bundle(second);
	note(ledger, first, NOW_NS + DAY_NS);
	expiry.wanted = first;
	assert_int_equal(expiry_run(ledger, &expiry, &error), 0);
	assert_int_equal(expiry.rows, 1);
	assert_string_equal(listed(ledger), "b1+ ");
	expiry.wanted = second; /* not on record */
	assert_int_equal(expiry_run(ledger, &expiry, &error), 0);
	assert_int_equal(expiry.erased, 1);
	assert_int_equal(expiry.rows, 0);
	assert_int_equal(packets_of(second), BUNDLE_ERASED);
	make_bundle(second);
	assert_int_equal(expiry_run(NULL, &expiry, &error), 0); /* nor is there a record */
	assert_int_equal(packets_of(second), BUNDLE_ERASED);
	expiry.wanted = "/nonexistent/c.tar";
	assert_int_equal(expiry_run(ledger, &expiry, &error), 0);
	assert_int_equal(expiry.failed, 1);
	assert_int_equal(refused_with, -ENODEV);
	ledger_close(ledger);
}

/* ---- the recorder ---- */

static struct recorder_ledger own(uint32_t days)
{
	static struct config config;
	struct recorder_ledger made;

	(void)snprintf(config.state_dir, sizeof(config.state_dir), "%s", state_dir);
	config.evidence_days = days;
	recorder_ledger_begin(&made, &config, 5 * NS_PER_S);
	return made;
}

static void the_recorder_looks_once_an_hour(void **state)
{
	struct recorder_ledger made = own(30);
	struct ledger *ledger = open_ledger();

	(void)state;
	make_bundle(first);
	make_bundle(second);
	note(ledger, first, 1);
	note(ledger, second, 1);
	recorder_ledger_expire(&made, 64 * NS_PER_S, NOW_NS); /* it has other things to do at its beginning */
	assert_string_equal(listed(ledger), "b1 b2 ");
	recorder_ledger_expire(&made, 65 * NS_PER_S, NOW_NS);
	assert_string_equal(listed(ledger), "b1+ b2 "); /* what is not in its folder is not its to write */
	assert_int_equal(made.elsewhere, 1);
	make_bundle(first);
	note(ledger, first, 1);
	recorder_ledger_expire(&made, 65 * NS_PER_S + RECORDER_EXPIRY_NS - 1, NOW_NS);
	assert_string_equal(listed(ledger), "b1+ b2 b3 ");
	recorder_ledger_expire(&made, 65 * NS_PER_S + RECORDER_EXPIRY_NS, NOW_NS);
	assert_string_equal(listed(ledger), "b1+ b2 b3+ ");
	ledger_close(ledger);
}

static void put_stream(const struct archive_incident *incident, char path[ARCHIVE_PATH_SIZE + 64])
{
	int fd = memfd_create("a", MFD_CLOEXEC), stream;

	assert_int_equal(write(fd, "{}", 2), 2);
	assert_int_equal(archive_add(state_dir, incident, fd, 2), 0);
	(void)close(fd);
	archive_stream_path(state_dir, incident->id, path);
	stream = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	assert_true(stream >= 0);
	(void)close(stream);
}

static void streams_go_with_their_days(void **state)
{
	struct archive_incident old = {
		.id = 1, .state = ARCHIVE_FINAL, .began_ns = 1, .ended_ns = NOW_NS - 31 * DAY_NS
	};
	struct archive_incident young = old;
	char old_path[ARCHIVE_PATH_SIZE + 64], young_path[ARCHIVE_PATH_SIZE + 64];
	struct recorder_ledger made = own(0);
	char streams[96];

	(void)state;
	(void)snprintf(streams, sizeof(streams), "%s/streams", state_dir);
	(void)mkdir(streams, 0755);
	(void)snprintf(streams, sizeof(streams), "%s/incidents", state_dir);
	(void)mkdir(streams, 0755);
	young.id = 2;
	young.ended_ns = NOW_NS - 29 * DAY_NS;
	put_stream(&old, old_path);
	put_stream(&young, young_path);
	recorder_ledger_expire(&made, 65 * NS_PER_S, NOW_NS); /* for ever */
	assert_int_equal(access(old_path, F_OK), 0);
	made = own(30);
	recorder_ledger_expire(&made, 65 * NS_PER_S, NOW_NS);
	assert_int_equal(access(old_path, F_OK), -1);
	assert_int_equal(access(young_path, F_OK), 0);
}

static int count_rollup(void *context, const struct ledger_rollup *rollup)
{
	char *text = context;
	size_t length = strlen(text);

	(void)snprintf(text + length, 256 - length, "%llx %lld %s|", (unsigned long long)rollup->incident,
	               (long long)(rollup->made_ns / NS_PER_S), rollup->trace);
	return 0;
}

static void take(struct recorder_ledger *made, uint64_t incident, const char *analysis, uint32_t length)
{
	int fd = memfd_create("a", MFD_CLOEXEC);

	assert_int_equal(write(fd, analysis, strlen(analysis)), (ssize_t)strlen(analysis));
	recorder_ledger_trace(made, incident, fd, length, NS_PER_S);
	(void)close(fd);
}

static void the_recorder_notes_traces(void **state)
{
	static const char analysis[] = "{\"incidents\": [{\"id\": \"00000000000000ff\", \"trace\": null}, {\"id\": 7}, "
				       "{\"id\": \"00000000000000ab\", \"trace\": {\"made\": \"2025-03-10T09:45:12Z\", "
				       "\"waves\": 3}}]}";
	struct recorder_ledger made = own(30);
	struct ledger *ledger;
	char text[256] = "";

	(void)state;
	take(&made, 0xab, analysis, sizeof(analysis) - 1);
	take(&made, 0xab, analysis, sizeof(analysis) - 1); /* says the same */
	take(&made, 0xff, analysis, sizeof(analysis) - 1); /* of a scan there is none */
	take(&made, 0xcd, analysis, sizeof(analysis) - 1);
	assert_int_equal(made.say_ns, 0);
	ledger = open_ledger();
	assert_int_equal(ledger_rollup_each(ledger, 0, count_rollup, text, &error), 0);
	assert_string_equal(text, "ab 1741599912 {\"made\":\"2025-03-10T09:45:12Z\",\"waves\":3}|");
	ledger_close(ledger);
	/* What is cut short, or none, is complained of, and nothing else. */
	take(&made, 0xab, analysis, sizeof(analysis) - 9);
	assert_true(made.say_ns > 0);
	made.say_ns = 0;
	take(&made, 0xab, analysis, RECORDER_TRACE_MAX + 1);
	assert_true(made.say_ns > 0);
	made.say_ns = 0;
	(void)snprintf(made.folder, sizeof(made.folder), "/nonexistent");
	take(&made, 0xab, analysis, sizeof(analysis) - 1);
	assert_true(made.say_ns > 0);
	made.say_ns = 0;
	recorder_ledger_expire(&made, 65 * NS_PER_S, NOW_NS);
	assert_true(made.say_ns > 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(those_whose_time_is_over_are_erased),
		CASE(what_cannot_be_erased_stays_due),
		CASE(one_that_is_named),
		CASE(the_recorder_looks_once_an_hour),
		CASE(streams_go_with_their_days),
		CASE(the_recorder_notes_traces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
