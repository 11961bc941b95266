/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "cli/command.h"
#include "cli/say.h"
#include "detect/vector.h"
#include "measure/slot.h"
#include "record/archive.h"
#include "record/ledger.h"
#include "tell/trace_json.h"

#define BITS 8

static void describe(const struct analysis_input *input, const struct finding *finding, struct archive_incident *head)
{
	const struct incident *incident = finding->incident;
	const char *service = input->service_of ? input->service_of(input->service_context, finding) : NULL;
	char scope[PREFIX_TEXT_SIZE];

	*head = (struct archive_incident){ .id = incident->id,
		                           .state = ARCHIVE_FINAL,
		                           .began_ns = incident->began.ns,
		                           .ended_ns = incident->ended.ns,
		                           .peak_pps = incident->peak_packets * SLOTS_PER_SECOND,
		                           .peak_bps = incident->peak_bytes * SLOTS_PER_SECOND * BITS };
	(void)snprintf(head->service, sizeof(head->service), "%s", service ? service : "");
	(void)snprintf(head->target, sizeof(head->target), "%s", prefix_format(&incident->scope, scope));
	(void)snprintf(head->vector, sizeof(head->vector), "%s",
	               incident->parts_count ? vector_get(incident->parts[0].kind)->name : "");
}

/* All of the analysis, once for each incident, as the daemon does at the end of a generation. */
static int put_analysis(const char *folder, const struct archive_incident *head, const struct analysis_input *input,
                        const struct engine *engine, const struct analysis_live *live)
{
	FILE *file = tmpfile();
	long length;
	int result;

	if (!file)
		return -errno;
	result = live ? analysis_json_write_live(file, input, engine, live) : analysis_json_write(file, input, engine);
	length = result == 0 && fflush(file) == 0 ? ftell(file) : -1;
	if (result == 0 && (length <= 0 || length > ARCHIVE_ANALYSIS_MAX))
		result = length > 0 ? -EFBIG : -EIO;
	if (result == 0)
		result = archive_add(folder, head, fileno(file), (uint32_t)length);
	(void)fclose(file);
	return result;
}

static int put_trace(struct ledger *ledger, const struct analysis_input *input, const struct finding *finding,
                     struct record_error *error)
{
	const struct trace *trace = input->trace_of ? input->trace_of(input->trace_context, finding) : NULL;
	json_t *json = trace ? trace_json(trace) : NULL;
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	struct ledger_rollup rollup = { .incident = finding->incident->id, .trace = text };
	int result = !trace ? 0 : text ? 0 : -ENOMEM;

	if (text) {
		rollup.made_ns = trace->made_ns;
		result = ledger_rollup_add(ledger, &rollup, NULL, error);
	}
	free(text);
	json_decref(json);
	return result;
}

static int refuse(const char *where, int result, const struct record_error *error)
{
	say_error(where, "cannot be recorded there: %s; name another folder with --record",
	          error->message[0] ? error->message : strerror(-result));
	return COMMAND_BAD;
}

int keep_incidents(const char *folder, const struct analysis_input *input, const struct engine *engine,
                   const struct analysis_live *live)
{
	struct record_error error = { .message = "" };
	struct ledger *ledger = NULL;
	char path[RECORD_PATH_SIZE];
	int result = mkdir(folder, 0750) == 0 || errno == EEXIST ? 0 : -errno;

	if (result == 0 && snprintf(path, sizeof(path), "%s" LEDGER_FILE, folder) >= (int)sizeof(path))
		result = -ENAMETOOLONG;
	if (result == 0)
		result = ledger_open(path, true, &ledger, &error);
	for (uint32_t i = 0; result == 0 && i < engine_count(engine); i++) {
		const struct finding *finding = engine_finding(engine, i);
		struct archive_incident head;

		if (finding->incident->is_scan)
			continue;
		describe(input, finding, &head);
		result = put_analysis(folder, &head, input, engine, live);
		if (result == 0)
			result = put_trace(ledger, input, finding, &error);
	}
	ledger_close(ledger);
	return result ? refuse(folder, result, &error) : COMMAND_DONE;
}
