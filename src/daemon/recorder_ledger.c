/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/recorder_ledger.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"
#include "base/time.h"
#include "daemon/log.h"
#include "record/archive.h"
#include "record/expiry.h"
#include "record/ledger.h"
#include "record/outages.h"
#include "tell/analysis.h"

#define DAY_NS (86400 * NS_PER_S)
#define FIRST_LOOK_NS (60 * NS_PER_S) /* after the beginning, when there is less to do */

void recorder_ledger_begin(struct recorder_ledger *own, const struct config *config, int64_t now_ns)
{
	*own = (struct recorder_ledger){ .days = config->evidence_days, .expire_ns = now_ns + FIRST_LOOK_NS };
	memcpy(own->folder, config->state_dir, sizeof(own->folder));
}

static int open_ledger(const struct recorder_ledger *own, struct ledger **ledger, struct record_error *error)
{
	char path[CONFIG_PATH_SIZE + sizeof(LEDGER_FILE)];

	(void)snprintf(path, sizeof(path), "%s" LEDGER_FILE, own->folder);
	return ledger_open(path, true, ledger, error);
}

/* Once a minute. */
static void complain(struct recorder_ledger *own, const char *what, int result, const struct record_error *error,
                     int64_t now_ns)
{
	if (now_ns < own->say_ns)
		return;
	own->say_ns = now_ns + LOG_PERIOD_S * NS_PER_S;
	LOG_SAY(LOG_ERROR, "%s" LEDGER_FILE ": %s: %s", own->folder, what,
	        error->message[0] ? error->message : strerror(-result));
}

/* ---- traces ---- */

/* The caller's; NULL where there is no memory, or it is none. */
static json_t *read_analysis(int fd, uint32_t length)
{
	char *text = malloc((size_t)length + 1);
	json_t *analysis = NULL;

	if (text && file_read_at(fd, text, length, 0) == 0)
		analysis = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	return analysis;
}

static int add_trace(const struct recorder_ledger *own, uint64_t incident, const json_t *trace,
                     struct record_error *error)
{
	const char *made = json_string_value(json_object_get(trace, "made"));
	char *text = json_dumps(trace, JSON_COMPACT);
	struct ledger_rollup rollup = { .incident = incident, .trace = text };
	struct capture_time time = { 0 };
	struct ledger *ledger = NULL;
	int result = text ? open_ledger(own, &ledger, error) : -ENOMEM;

	if (made && time_parse(made, &time) == 0)
		rollup.made_ns = time.ns;
	if (result == 0)
		result = ledger_rollup_add(ledger, &rollup, NULL, error);
	ledger_close(ledger);
	free(text);
	return result;
}

void recorder_ledger_trace(struct recorder_ledger *own, uint64_t incident, int fd, uint32_t length, int64_t now_ns)
{
	json_t *analysis = length <= RECORDER_TRACE_MAX ? read_analysis(fd, length) : NULL;
	const json_t *trace = json_object_get(analysis_json_find(analysis, incident), "trace");
	struct record_error error = { .message = "" };
	int result = json_is_object(trace) ? add_trace(own, incident, trace, &error) : 0; /* a scan has none */

	if (!analysis)
		complain(own, "an incident's trace is not noted", length > RECORDER_TRACE_MAX ? -EFBIG : -EBADMSG,
		         &error, now_ns);
	else if (result != 0)
		complain(own, "an incident's trace is not noted, and is in its file alone", result, &error, now_ns);
	json_decref(analysis);
}

/* ---- signals ---- */

void recorder_ledger_signals(struct recorder_ledger *own, const struct message_signals *signals, int64_t now_ns)
{
	struct record_error error = { .message = "" };
	struct ledger *ledger = NULL;
	int result = open_ledger(own, &ledger, &error);

	if (result == 0)
		result = outages_signal_add(ledger, signals->signals, signals->count, &error);
	ledger_close(ledger);
	if (result != 0)
		complain(own, "how users of services fared is not noted", result, &error, now_ns);
}

/* ---- erasing ---- */

static void say_refused(void *context, const char *path, int result, const struct bundle_fault *fault)
{
	(void)context;
	LOG_SAY(LOG_WARNING, "%s: packets and addresses in it are to be erased, and cannot be: %s%s%s", path,
	        result == -EBADMSG ? fault->member : strerror(-result), result == -EBADMSG ? ": " : "",
	        result == -EBADMSG ? fault->what : "");
}

static void erase_bundles(struct recorder_ledger *own, int64_t now_ns, int64_t wall_ns)
{
	struct expiry expiry = { .now_ns = wall_ns, .why = EXPIRY_KEPT, .folder = own->folder, .refused = say_refused };
	struct record_error error = { .message = "" };
	struct ledger *ledger = NULL;
	int result = open_ledger(own, &ledger, &error);

	if (result == 0)
		result = expiry_run(ledger, &expiry, &error);
	ledger_close(ledger);
	if (result != 0)
		complain(own, "what is to be erased is not known", result, &error, now_ns);
	if (expiry.erased)
		LOG_SAY(LOG_NOTICE, "packets and addresses in %u bundles of evidence are erased: " EXPIRY_KEPT,
		        expiry.erased);
	if (expiry.elsewhere > own->elsewhere)
		LOG_SAY(LOG_WARNING,
		        "%u bundles of evidence outside of %s are to be erased; 'holdfast evidence --expire' does that",
		        expiry.elsewhere, own->folder);
	own->elsewhere = expiry.elsewhere;
}

void recorder_ledger_expire(struct recorder_ledger *own, int64_t now_ns, int64_t wall_ns)
{
	int streams = 0;

	if (now_ns < own->expire_ns)
		return;
	own->expire_ns = now_ns + RECORDER_EXPIRY_NS;
	erase_bundles(own, now_ns, wall_ns);
	if (own->days)
		streams = archive_expire(own->folder, wall_ns - (int64_t)own->days * DAY_NS);
	if (streams > 0)
		LOG_SAY(LOG_NOTICE, "the streams of %d incidents are erased: kept for %u days", streams, own->days);
}
