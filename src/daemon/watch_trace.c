/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watch_trace.h"

#include <errno.h>
#include <stdlib.h>

#include "base/time.h"
#include "daemon/log.h"
#include "daemon/places.h"
#include "trace/cost.h"

struct watch_trace {
	struct geo *geo;       /* NULL: there is none */
	uint32_t prices_count; /* 0: those that are built in */
	struct cost_price prices[COST_PRICES_MAX];
	uint32_t past_count; /* all that ever were; past[] is a ring of the latest */
	struct trace_past past[WATCH_TRACE_PAST_MAX];
	bool made;
	struct trace trace;
};

static void read_prices(const char *path, struct watch_trace *traces)
{
	char error[COST_ERROR_SIZE];

	if (*path && cost_prices_read(path, traces->prices, &traces->prices_count, error) != 0)
		LOG_SAY(LOG_WARNING, "prices: %s: %s; going on with those built in", path, error);
}

static void add_past(struct watch_trace *traces, const struct trace_past *past)
{
	traces->past[traces->past_count++ % WATCH_TRACE_PAST_MAX] = *past;
}

static void read_past(const char *folder, struct watch_trace *traces)
{
	struct archive_incident *heads = NULL;
	int count = archive_list(folder, WATCH_TRACE_PAST_MAX, &heads);

	for (int i = count; i-- > 0;) { /* the latest is kept longest */
		const struct archive_incident *head = &heads[i];
		const struct trace_past past = {
			.pps = head->peak_pps,
			.bps = head->peak_bps,
			.duration_ns = time_since((struct capture_time){ head->ended_ns },
			                          (struct capture_time){ head->began_ns }),
		};

		if (head->state == ARCHIVE_FINAL)
			add_past(traces, &past);
	}
	free(heads);
}

int watch_trace_open(const struct config *config, struct watch_trace **traces)
{
	struct watch_trace *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->geo = places_open(config->geo);
	read_prices(config->prices, made);
	read_past(config->state_dir, made);
	*traces = made;
	return 0;
}

static void forget(struct watch_trace *traces)
{
	if (traces->made)
		trace_fini(&traces->trace);
	traces->made = false;
}

void watch_trace_free(struct watch_trace *traces)
{
	if (!traces)
		return;
	forget(traces);
	geo_close(traces->geo);
	free(traces);
}

int watch_trace_make(struct watch_trace *traces, const struct config *config, const struct finding *finding,
                     uint32_t sources_max, int64_t now_ns)
{
	struct window *total = incident_window(finding->incident);
	struct trace_input input = {
		.incident = finding->incident,
		.total = total,
		.geo = traces->geo,
		.prices = traces->prices_count ? traces->prices : NULL,
		.prices_count = traces->prices_count,
		.trusted = config->trusted_proxies.prefixes,
		.trusted_count = config->trusted_proxies.count,
		.past = traces->past,
		.past_count = traces->past_count < WATCH_TRACE_PAST_MAX ? traces->past_count : WATCH_TRACE_PAST_MAX,
		.made_ns = now_ns,
		.sources_max = sources_max,
	};
	int result = total ? trace_observed(finding->incident, &input.observed) : -ENOMEM;

	forget(traces);
	if (result == 0)
		result = trace_make(&input, &traces->trace);
	traces->made = result == 0;
	window_free(total);
	return result;
}

const struct trace *watch_trace_of(const void *context, const struct finding *finding)
{
	const struct watch_trace *traces = context;

	return traces->made && traces->trace.incident == finding->incident->id ? &traces->trace : NULL;
}

void watch_trace_keep(struct watch_trace *traces)
{
	const struct trace *trace = &traces->trace;
	const struct trace_past past = {
		.pps = trace->peak_pps,
		.bps = trace->peak_bps,
		.sources = trace->sources,
		.duration_ns =
			time_since((struct capture_time){ trace->ended_ns }, (struct capture_time){ trace->began_ns }),
	};

	if (traces->made && trace->ended_ns)
		add_past(traces, &past);
}
