/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace as JSON, schema "holdfast.trace/1" (doc/trace.md), and back. Numbers are printed so that they are read back
 * the same (build_write(), or json_dumps() without a precision); of counts up to INT64_MAX.
 */
#ifndef HOLDFAST_TELL_TRACE_JSON_H
#define HOLDFAST_TELL_TRACE_JSON_H

#include <jansson.h>

#include "trace/trace.h"

#define TRACE_JSON_SCHEMA "holdfast.trace/1"
#define TRACE_JSON_ERROR_SIZE 160
#define TRACE_JSON_ROWS_MAX (TRACE_ROWS_MAX + 2) /* with the others: verified, and relays */

/* A new reference, or NULL where there is no memory. */
json_t *trace_json(const struct trace *trace);
/*
 * -EBADMSG with `error` naming which member is wrong; trace_fini() is due after 0. Octets from outside: nothing in it
 * is trusted.
 */
int trace_json_read(const json_t *json, struct trace *trace, char error[TRACE_JSON_ERROR_SIZE]);

#endif
