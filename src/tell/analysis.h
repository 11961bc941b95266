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

#include "base/time.h"
#include "engine/engine.h"
#include "observe/decode.h"

#define ANALYSIS_SCHEMA "holdfast.analysis/1"

#define PAGE_WIDTH_MIN 60
#define PAGE_WIDTH_MAX 160
#define PAGE_WIDTH_DEFAULT 100

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
};

struct page_options {
	bool color;     /* ANSI escapes */
	bool unicode;   /* else ASCII alone */
	unsigned width; /* columns; clamped to PAGE_WIDTH_MIN..PAGE_WIDTH_MAX */
};

/* Each returns 0, -ENOMEM, or the negative errno of a failed write. The engine has finished. */
int analysis_json_write(FILE *out, const struct analysis_input *input, const struct engine *engine);
int page_write(FILE *out, const struct analysis_input *input, const struct engine *engine,
               const struct page_options *options);
/* One self-contained HTML file. */
int report_write(FILE *out, const struct analysis_input *input, const struct engine *engine);

#endif
