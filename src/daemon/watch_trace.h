/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the watch has found out about sources: it opens databases and reads of earlier incidents while it may, before
 * the role gives up its rights, and makes a trace of each incident that is told. Nothing of a file is needed
 * afterwards.
 *
 * The loop waits for a trace, so few sources are looked at: WATCH_TRACE_SOURCES while an incident goes on, and
 * WATCH_TRACE_FINAL once it is over (doc/performance.md has how long that takes: under 100 ms). 'holdfast report' looks
 * at all that the stream has.
 */
#ifndef HOLDFAST_DAEMON_WATCH_TRACE_H
#define HOLDFAST_DAEMON_WATCH_TRACE_H

#include <stdint.h>

#include "daemon/config.h"
#include "engine/finding.h"
#include "record/archive.h"
#include "trace/trace.h"

#define WATCH_TRACE_SOURCES 4096
#define WATCH_TRACE_FINAL 65536
#define WATCH_TRACE_PAST_MAX ARCHIVE_INCIDENTS_MAX

struct watch_trace; /* opaque */

/*
 * -ENOMEM. What is wrong with a database, or with prices, is logged; the others are open, those built in hold, all the
 * same.
 */
int watch_trace_open(const struct config *config, struct watch_trace **traces);
void watch_trace_free(struct watch_trace *traces);
/* The trace of a finding takes the place of the one before; 0 or -ENOMEM, and then there is none. */
int watch_trace_make(struct watch_trace *traces, const struct config *config, const struct finding *finding,
                     uint32_t sources_max, int64_t now_ns);
/* As analysis_input.trace_of wants it: NULL of all but the one that was made last. */
const struct trace *watch_trace_of(const void *context, const struct finding *finding);
/* The one that was made last is over, and later ones are compared with it. */
void watch_trace_keep(struct watch_trace *traces);

#endif
