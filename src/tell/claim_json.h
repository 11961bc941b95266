/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verdicts on claims as JSON, schema "holdfast.verdict/1", and what else was on record when they were made, the member
 * "context" of it (doc/claims.md). The same predicate, trace, context and seed give the same octets, so that who
 * computes a verdict anew may compare them.
 */
#ifndef HOLDFAST_TELL_CLAIM_JSON_H
#define HOLDFAST_TELL_CLAIM_JSON_H

#include <jansson.h>

#include "tell/series.h"
#include "trace/claim.h"

#define CLAIM_JSON_SCHEMA "holdfast.verdict/1"
#define CLAIM_JSON_ERROR_SIZE 160

/* A context with room for what it points to; on the heap. */
struct claim_facts {
	struct claim_context context;
	struct claim_span outages[CLAIM_OUTAGES_MAX];
	struct claim_event events[CLAIM_EVENTS_MAX];
	struct claim_baseline baseline[CLAIM_BASELINE_MAX];
};

/* Nothing is on record. */
void claim_facts_init(struct claim_facts *facts);
/*
 * Adds what `json` says: an object with any of "outages", "events", "baseline", "watched", "attack_passing".
 * -EBADMSG: what came before the mistake has been added, and the facts are of no use.
 */
int claim_facts_read(const json_t *json, struct claim_facts *facts, char error[CLAIM_JSON_ERROR_SIZE]);
/* False: there is no room for another. */
bool claim_facts_add_event(struct claim_facts *facts, const struct claim_event *event);
bool claim_facts_add_outage(struct claim_facts *facts, const struct claim_span *outage);

/*
 * Outages that the host itself saw around the attack, as no users answered; nothing where outages are on record
 * already, or where it cannot say.
 */
void claim_facts_add_series(struct claim_facts *facts, const struct series *series, const struct trace *trace);

/* New references, or NULL where there is no memory. */
json_t *claim_context_json(const struct claim_context *context);
json_t *claim_json(const struct predicate *predicate, const struct claim_context *context, uint64_t seed,
                   const struct claim_result *result);

#endif
