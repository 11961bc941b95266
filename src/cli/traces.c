/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/traces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/say.h"

#define NONE "none"

int traces_open(struct traces *traces, const char *folder, bool asked)
{
	char error[GEO_ERROR_SIZE] = "";
	int result;

	*traces = (struct traces){ .geo = NULL };
	if (strcmp(folder, NONE) == 0 || (!asked && access(folder, R_OK | X_OK) != 0))
		return COMMAND_DONE;
	result = geo_open_folder(folder, &traces->geo, error);
	if (result == 0 || (result == -ENOENT && !asked))
		return COMMAND_DONE;
	if (result == -ENOENT)
		say_error(folder, "holds no database of countries or networks; 'holdfast geo update' brings some");
	else
		say_error(folder, "%s%s", error[0] ? error : strerror(-result),
		          traces->geo ? "; going on with the others" : "; name another with --geo, or none");
	return traces->geo || !asked ? COMMAND_DONE : COMMAND_BAD;
}

int traces_read_prices(struct traces *traces, const char *path, bool asked)
{
	char error[COST_ERROR_SIZE];

	if (!path || !*path || cost_prices_read(path, traces->prices, &traces->prices_count, error) == 0)
		return COMMAND_DONE;
	say_error(path, "%s; %s", error,
	          asked ? "name another with --prices, or none" : "going on with the prices that are built in");
	return asked ? COMMAND_BAD : COMMAND_DONE;
}

static int make_one(const struct traces *traces, const struct finding *finding, bool sampled, int64_t made_ns,
                    struct trace *trace)
{
	struct window *total = incident_window(finding->incident);
	struct trace_input input = {
		.incident = finding->incident,
		.total = total,
		.geo = traces->geo,
		.prices = traces->prices_count ? traces->prices : NULL,
		.prices_count = traces->prices_count,
		.trusted = traces->trusted,
		.trusted_count = traces->trusted_count,
		.past = traces->past,
		.past_count = traces->past_count,
		.made_ns = made_ns,
		.observed = 1,
	};
	int result = total ? 0 : -ENOMEM;

	if (result == 0 && sampled)
		result = trace_observed(finding->incident, &input.observed);
	if (result == 0)
		result = trace_make(&input, trace);
	window_free(total);
	return result;
}

int traces_make(struct traces *traces, const struct engine *engine, bool sampled, int64_t made_ns)
{
	uint32_t total = engine_count(engine);
	int result;

	traces->traces = calloc((size_t)total + 1, sizeof(*traces->traces));
	if (!traces->traces)
		return -ENOMEM;
	for (uint32_t i = 0; i < total; i++) {
		const struct finding *finding = engine_finding(engine, i);

		if (finding->incident->is_scan)
			continue;
		result = make_one(traces, finding, sampled, made_ns, &traces->traces[traces->count]);
		if (result != 0)
			return result;
		traces->count++;
	}
	return 0;
}

void traces_fini(struct traces *traces)
{
	for (uint32_t i = 0; i < traces->count; i++)
		trace_fini(&traces->traces[i]);
	free(traces->traces);
	geo_close(traces->geo);
	*traces = (struct traces){ .geo = NULL };
}

const struct trace *traces_of(const void *context, const struct finding *finding)
{
	const struct traces *traces = context;

	for (uint32_t i = 0; i < traces->count; i++)
		if (traces->traces[i].incident == finding->incident->id)
			return &traces->traces[i];
	return NULL;
}

int traces_past(const char *folder, const struct archive_incident *before, struct trace_past **past, uint32_t *count)
{
	struct archive_incident *heads = NULL;
	int found = archive_list(folder, ARCHIVE_INCIDENTS_MAX, &heads);
	uint32_t used = 0;

	*past = calloc(ARCHIVE_INCIDENTS_MAX, sizeof(**past));
	*count = 0;
	if (!*past) {
		free(heads);
		return -ENOMEM;
	}
	for (int i = 0; i < found; i++) {
		const struct archive_incident *head = &heads[i];

		if (head->id == before->id || head->began_ns >= before->began_ns || head->state != ARCHIVE_FINAL)
			continue;
		(*past)[used++] = (struct trace_past){
			.pps = head->peak_pps,
			.bps = head->peak_bps,
			.duration_ns = time_since((struct capture_time){ head->ended_ns },
			                          (struct capture_time){ head->began_ns }),
		};
	}
	free(heads);
	*count = used;
	return 0;
}
