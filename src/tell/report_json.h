/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts of reports as JSON, octets from outside (doc/outage.md has the format): an array of objects, such an array as
 * the member "counts" of an object, or objects one after another (one a line). Members as the columns of
 * impact/report_text.h; those that it does not know are passed over. An object that is wrong is told with the line on
 * which it begins, and left out.
 */
#ifndef HOLDFAST_TELL_REPORT_JSON_H
#define HOLDFAST_TELL_REPORT_JSON_H

#include <stddef.h>

#include "impact/report_text.h"

/* 0; -EBADMSG: it is no such JSON (told; what was read by then counts); the sink's. */
int report_json_read(const char *octets, size_t length, const struct report_count *preset,
                     const struct report_sink *sink);

#endif
