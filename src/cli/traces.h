/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is found out about the sources of all attacks of an engine that has finished: one trace each, for who tells
 * them.
 */
#ifndef HOLDFAST_CLI_TRACES_H
#define HOLDFAST_CLI_TRACES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "record/archive.h"
#include "trace/cost.h"
#include "trace/trace.h"

#define TRACES_GEO_HELP                                                                             \
	"databases of countries and networks ('holdfast geo update' brings them); else " GEO_FOLDER \
	",\nwhere it is there; none: of no address is a place said"

struct traces {
	struct geo *geo; /* NULL: there is none */
	uint32_t count;
	struct trace *traces;          /* of attacks, not of scans */
	const struct trace_past *past; /* earlier incidents; proxies that users come through; both borrowed */
	uint32_t past_count;
	const struct prefix *trusted;
	uint32_t trusted_count;
	uint32_t prices_count; /* 0: those that are built in */
	struct cost_price prices[COST_PRICES_MAX];
};

/*
 * "none": no geography. What is wrong is said. COMMAND_DONE, and then with as much as could be opened; or COMMAND_BAD
 * where the folder was asked for and has nothing.
 */
int traces_open(struct traces *traces, const char *folder, bool asked);
/*
 * Prices of a file, once it is open; NULL or "": those built in. What is wrong is said. COMMAND_DONE; or COMMAND_BAD
 * where the file was asked for.
 */
int traces_read_prices(struct traces *traces, const char *path, bool asked);
/* `sampled`: packets have weights. 0 or -ENOMEM. `made_ns`: when this is. */
int traces_make(struct traces *traces, const struct engine *engine, bool sampled, int64_t made_ns);
void traces_fini(struct traces *traces);
/* As analysis_input.trace_of wants it: NULL of a scan. */
const struct trace *traces_of(const void *context, const struct finding *finding);
/*
 * Of the archive's heads those that began before: `past` is the caller's. 0 or -ENOMEM; where none can be read there
 * are none.
 */
int traces_past(const char *folder, const struct archive_incident *before, struct trace_past **past, uint32_t *count);

#endif
