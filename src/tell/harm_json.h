/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An outage as JSON and back, schema "holdfast.outage/1" (doc/outage.md): what the record keeps of it, what `holdfast
 * outage show --json` prints, and what pages and statements are made of. The same harm gives the same octets. The
 * outage's number is not in it: the record has it beside.
 */
#ifndef HOLDFAST_TELL_HARM_JSON_H
#define HOLDFAST_TELL_HARM_JSON_H

#include <jansson.h>

#include "impact/harm.h"

#define HARM_JSON_SCHEMA "holdfast.outage/1"
#define HARM_JSON_ERROR_SIZE 160

/* A new reference, or NULL where there is no memory. */
json_t *harm_json(const struct harm *harm);
/* -EBADMSG, and `error` says what is wrong with it. */
int harm_json_read(const json_t *json, struct harm *harm, char error[HARM_JSON_ERROR_SIZE]);

#endif
