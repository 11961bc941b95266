/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an analysis says, for programs (JSON, schema "holdfast.analysis/1") and for people (a page for the terminal, a
 * report in HTML). All tell the same findings; none decides anything. What is not known is null in the one and said in
 * words in the other, never 0.
 */
#ifndef HOLDFAST_TELL_ANALYSIS_H
#define HOLDFAST_TELL_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "base/time.h"
#include "defend/life.h"
#include "engine/engine.h"
#include "observe/decode.h"
#include "tell/paper.h"
#include "tell/series.h"
#include "trace/trace.h"

#define ANALYSIS_SCHEMA "holdfast.analysis/1"

#define PAGE_WIDTH_MIN 60
#define PAGE_WIDTH_MAX 160
#define PAGE_WIDTH_DEFAULT 100

/* A public claim about an incident, and what came of its latest test; texts that are not known are "". */
struct analysis_claim {
	const char *id, *by, *text, *url, *predicate;
	int64_t at_ns;       /* when it was made; 0: not known */
	const char *verdict; /* "supported", "contradicted", "unsupported", "untestable"; "": not tested */
	const char *word, *confidence, *cap, *reason;
	bool internal; /* nobody has approved that it is told to others */
};

struct picture;

/* What was read, as whoever read it knows it. */
struct analysis_input {
	const char *const *files; /* those that could be opened, in the order in which they were read */
	size_t files_count;
	uint64_t packets;                /* read from the captures, decodable or not */
	uint64_t bytes;                  /* their lengths on the wire */
	struct capture_time first, last; /* earliest and latest time stamp */
	bool has_time;                   /* false: no packet bore one; first and last mean nothing */
	uint64_t undecodable;            /* broken packets; ARP and the like are not among them */
	uint64_t by_reason[DECODE_RESULTS];
	bool truncated; /* a capture was read up to where it is cut or broken, and no further */
	uint64_t out_of_order;
	const char *error; /* why the reading ended early; NULL where it did not */
	/* The name of the service that a finding's target is; NULL where nobody said. The function may be NULL. */
	const char *(*service_of)(const void *context, const struct finding *finding);
	const void *service_context;
	/* What was found out about the sources of a finding; NULL: nothing was. The function may be NULL. */
	const struct trace *(*trace_of)(const void *context, const struct finding *finding);
	const void *trace_context;
	/* Claims about it that are to be shown; returns how many. May be NULL: claims are for those who ask. */
	size_t (*claims_of)(const void *context, const struct finding *finding, const struct analysis_claim **claims);
	const void *claims_context;
	/*
	 * What users felt of it, on one axis with it (tell/picture.h); NULL: nothing is known. The function may be
	 * NULL.
	 */
	const struct picture *(*picture_of)(const void *context, const struct finding *finding);
	const void *picture_context;
};

struct page_options {
	bool color;     /* ANSI escapes */
	bool unicode;   /* else ASCII alone */
	unsigned width; /* columns; clamped to PAGE_WIDTH_MIN..PAGE_WIDTH_MAX */
};

/* What became of rules while an incident was watched live: in the JSON as "live", behind everything else. */
struct analysis_live {
	unsigned rule_count;
	const struct life *const *rules;
	const struct series *series; /* NULL, or empty: nothing is known */
};

/* Each returns 0, -ENOMEM, or the negative errno of a failed write. The engine has finished. */
int analysis_json_write(FILE *out, const struct analysis_input *input, const struct engine *engine);
int analysis_json_write_live(FILE *out, const struct analysis_input *input, const struct engine *engine,
                             const struct analysis_live *live);
/* The same of one incident that is going on, or has just ended, and of an engine that has not finished. */
int analysis_json_write_finding(FILE *out, const struct analysis_input *input, const struct engine_totals *totals,
                                const struct finding *finding, const struct analysis_live *live);
/* Of an analysis that was read back, an incident by its ID: borrowed; NULL where there is none of that ID. */
const json_t *analysis_json_find(const json_t *analysis, uint64_t id);
/* What has been read, where an engine was given observations that stand in no capture: `files` is borrowed. */
struct analysis_input analysis_input_of(const struct engine_totals *totals, const char *const *files,
                                        size_t files_count);
int page_write(FILE *out, const struct analysis_input *input, const struct engine *engine,
               const struct page_options *options);
/*
 * What a trace and claims say, as page_write() lays it out, of an incident that is known as JSON alone: with its
 * headings in capitals.
 */
int page_write_trace(const struct paper *paper, const struct trace *trace, const struct analysis_claim *claims,
                     size_t claims_count);
/* One self-contained HTML file. `live`: NULL where nothing was watched live. */
int report_write(FILE *out, const struct analysis_input *input, const struct engine *engine,
                 const struct analysis_live *live);

#endif
