/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What checks came to: on paper for people, as JSON (holdfast.probes/1), and as OpenMetrics (openmetrics.io) with the
 * names that Prometheus' blackbox_exporter has, a label "target" for what was asked and "address" for where.
 */
#ifndef HOLDFAST_TELL_PROBE_PAGE_H
#define HOLDFAST_TELL_PROBE_PAGE_H

#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "impact/probe.h"
#include "tell/paper.h"

struct probe_outcome {
	const struct probe_check *check;
	struct probe_result result;
};

void probe_page(const struct paper *paper, const struct probe_outcome *outcomes, size_t count, int64_t now_ns);
/* Its schema is the caller's to add. NULL where memory is at an end. */
json_t *probe_page_json(const struct probe_outcome *outcomes, size_t count);
void probe_page_metrics(FILE *out, const struct probe_outcome *outcomes, size_t count);

#endif
