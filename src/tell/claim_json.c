/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/claim_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/real.h"
#include "base/time.h"
#include "tell/build.h"

#define SEED_SIZE 17

void claim_facts_init(struct claim_facts *facts)
{
	memset(facts, 0, sizeof(*facts));
	facts->context.outages = facts->outages;
	facts->context.events = facts->events;
	facts->context.baseline = facts->baseline;
	facts->context.attack_passing = REAL_UNKNOWN;
}

bool claim_facts_add_event(struct claim_facts *facts, const struct claim_event *event)
{
	if (facts->context.events_count == CLAIM_EVENTS_MAX)
		return false;
	facts->events[facts->context.events_count++] = *event;
	return true;
}

bool claim_facts_add_outage(struct claim_facts *facts, const struct claim_span *outage)
{
	if (facts->context.outages_count == CLAIM_OUTAGES_MAX)
		return false;
	facts->outages[facts->context.outages_count++] = *outage;
	return true;
}

void claim_facts_add_series(struct claim_facts *facts, const struct series *series, const struct trace *trace)
{
	struct claim_context *context = &facts->context;
	const int64_t ended_ns = trace->ended_ns ? trace->ended_ns : trace->made_ns;

	if (context->outages_count || context->watched)
		return;
	if (!series_outages(series, (struct capture_time){ trace->began_ns }, (struct capture_time){ ended_ns },
	                    facts->outages, CLAIM_OUTAGES_MAX, &context->outages_count))
		return;
	context->measured_from_ns = series->from.ns;
	context->measured_to_ns = time_plus(series->from, time_times(series->step_ns, series->count)).ns;
}

/* ---- reading ---- */

__attribute__((format(printf, 2, 3))) static int refuse(char error[CLAIM_JSON_ERROR_SIZE], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(error, CLAIM_JSON_ERROR_SIZE, format, arguments);
	va_end(arguments);
	return -EBADMSG;
}

/* "began" and "ended"; the latter may be null or missing. */
static bool read_times(const json_t *object, int64_t *began_ns, int64_t *ended_ns)
{
	const json_t *began = json_object_get(object, "began"), *ended = json_object_get(object, "ended");
	struct capture_time time;

	if (!json_is_string(began) || time_parse(json_string_value(began), &time) != 0)
		return false;
	*began_ns = time.ns;
	*ended_ns = 0;
	if (!ended || json_is_null(ended))
		return true;
	if (!json_is_string(ended) || time_parse(json_string_value(ended), &time) != 0 || time.ns < *began_ns)
		return false;
	*ended_ns = time.ns;
	return true;
}

/* A number of 0 to 1. */
static bool read_share(const json_t *value, double *share)
{
	if (!json_is_number(value) || !(json_number_value(value) >= 0) || json_number_value(value) > 1)
		return false;
	*share = json_number_value(value);
	return true;
}

static const char *read_outage(const json_t *item, struct claim_facts *facts)
{
	struct claim_span *span = &facts->outages[facts->context.outages_count];
	const json_t *lost = json_object_get(item, "lost");

	span->lost = 1;
	if (!read_times(item, &span->began_ns, &span->ended_ns))
		return "wants \"began\" and \"ended\" as RFC 3339 in UTC, the earlier first";
	if (lost && !json_is_null(lost) && !read_share(lost, &span->lost))
		return "wants \"lost\" from 0 to 1";
	facts->context.outages_count++;
	return NULL;
}

static const char *read_event(const json_t *item, struct claim_facts *facts)
{
	struct claim_event *event = &facts->events[facts->context.events_count];
	const char *kind = json_string_value(json_object_get(item, "kind"));

	if (!kind || (strcmp(kind, "change") != 0 && strcmp(kind, "provider") != 0))
		return "wants \"kind\" change or provider";
	event->kind = strcmp(kind, "change") == 0 ? CLAIM_OWN_CHANGE : CLAIM_PROVIDER;
	if (!read_times(item, &event->began_ns, &event->ended_ns))
		return "wants \"began\" and \"ended\" as RFC 3339 in UTC, the earlier first";
	facts->context.events_count++;
	return NULL;
}

static const char *read_baseline(const json_t *item, struct claim_facts *facts)
{
	struct claim_baseline *baseline = &facts->baseline[facts->context.baseline_count];
	const char *country = json_string_value(json_object_get(item, "country"));

	if (!country || strlen(country) != GEO_COUNTRY_SIZE - 1)
		return "wants \"country\" of two letters";
	memcpy(baseline->country, country, GEO_COUNTRY_SIZE);
	if (!read_share(json_object_get(item, "share"), &baseline->share))
		return "wants \"share\" from 0 to 1";
	facts->context.baseline_count++;
	return NULL;
}

int claim_facts_read(const json_t *json, struct claim_facts *facts, char error[CLAIM_JSON_ERROR_SIZE])
{
	const struct {
		const char *key;
		const char *(*read)(const json_t *item, struct claim_facts *facts);
		const uint32_t *count;
		uint32_t max;
	} lists[] = {
		{ "outages", read_outage, &facts->context.outages_count, CLAIM_OUTAGES_MAX },
		{ "events", read_event, &facts->context.events_count, CLAIM_EVENTS_MAX },
		{ "baseline", read_baseline, &facts->context.baseline_count, CLAIM_BASELINE_MAX },
	};
	const json_t *watched = json_object_get(json, "watched"), *passing = json_object_get(json, "attack_passing");
	const json_t *measured = json_object_get(json, "measured");

	if (!json_is_object(json))
		return refuse(error, "no object");
	for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++) {
		const json_t *list = json_object_get(json, lists[l].key), *item;
		size_t i;

		if (list && !json_is_array(list))
			return refuse(error, "%s: no list", lists[l].key);
		json_array_foreach(list, i, item)
		{
			const char *wrong;

			if (*lists[l].count == lists[l].max)
				return refuse(error, "%s: more than %" PRIu32, lists[l].key, lists[l].max);
			wrong = lists[l].read(item, facts);
			if (wrong)
				return refuse(error, "%s[%zu]: %s", lists[l].key, i, wrong);
		}
	}
	if (watched && !json_is_boolean(watched))
		return refuse(error, "watched: neither true nor false");
	if (watched)
		facts->context.watched = json_is_true(watched);
	if (measured && (!read_times(measured, &facts->context.measured_from_ns, &facts->context.measured_to_ns) ||
	                 facts->context.measured_to_ns == 0))
		return refuse(error, "measured: wants \"began\" and \"ended\" as RFC 3339 in UTC, the earlier first");
	if (passing && !json_is_null(passing) && !read_share(passing, &facts->context.attack_passing))
		return refuse(error, "attack_passing: no number from 0 to 1");
	return 0;
}

/* ---- writing ---- */

/* What is not known, and what is endless, is null. */
static json_t *real(double x)
{
	return real_is_nan(x) || x == REAL_INFINITY || x == -REAL_INFINITY ? json_null() : json_real(x);
}

json_t *claim_context_json(const struct claim_context *context)
{
	struct build b = { false };
	json_t *object = json_object(), *outages = json_array(), *events = json_array(), *baseline = json_array();

	for (uint32_t i = 0; i < context->outages_count; i++)
		build_append(&b, outages,
		             json_pack("{so so so}", "began", build_time_or_null(context->outages[i].began_ns), "ended",
		                       build_time_or_null(context->outages[i].ended_ns), "lost",
		                       real(context->outages[i].lost)));
	for (uint32_t i = 0; i < context->events_count; i++)
		build_append(&b, events,
		             json_pack("{ss so so}", "kind",
		                       context->events[i].kind == CLAIM_OWN_CHANGE ? "change" : "provider", "began",
		                       build_time_or_null(context->events[i].began_ns), "ended",
		                       build_time_or_null(context->events[i].ended_ns)));
	for (uint32_t i = 0; i < context->baseline_count; i++)
		build_append(&b, baseline,
		             json_pack("{ss so}", "country", context->baseline[i].country, "share",
		                       real(context->baseline[i].share)));
	build_set(&b, object, "outages", outages);
	build_set(&b, object, "events", events);
	build_set(&b, object, "baseline", baseline);
	build_set(&b, object, "watched", json_boolean(context->watched));
	build_set(&b, object, "attack_passing", real(context->attack_passing));
	if (context->measured_to_ns)
		build_set(&b, object, "measured",
		          json_pack("{so so}", "began", build_time_or_null(context->measured_from_ns), "ended",
		                    build_time_or_null(context->measured_to_ns)));
	if (!b.failed)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *evidence_json(struct build *b, const struct claim_result *r)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < r->evidence_count; i++) {
		json_t *item = json_object();

		build_set(b, item, "what", build_text(r->evidence[i].what, CLAIM_TEXT_SIZE));
		build_set(b, item, "weight", real(r->evidence[i].weight));
		build_set(b, item, "without", json_string(claim_verdict_name(r->evidence[i].without)));
		build_append(b, list, item);
	}
	return list;
}

static json_t *hypotheses_json(struct build *b, const struct claim_result *r)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < r->hypotheses_count; i++) {
		json_t *item = json_object();

		build_set(b, item, "what", build_text(r->hypotheses[i].what, CLAIM_TEXT_SIZE));
		build_set(b, item, "log10_bayes_factor", real(r->hypotheses[i].log10_bf));
		build_append(b, list, item);
	}
	return list;
}

static json_t *parts_json(struct build *b, const struct claim_result *r)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < r->parts_count; i++) {
		const struct claim_part *part = &r->parts[i];
		json_t *item = json_object();

		build_set(b, item, "what", build_text(part->what, CLAIM_TEXT_SIZE));
		build_set(b, item, "verdict", json_string(claim_verdict_name(part->verdict)));
		build_set(b, item, "log10_bayes_factor", real(part->log10_bf));
		build_set(b, item, "value", real(part->value));
		build_set(b, item, "low", real(part->low));
		build_set(b, item, "high", real(part->high));
		build_set(b, item, "threshold", real(part->threshold));
		build_append(b, list, item);
	}
	return list;
}

json_t *claim_json(const struct predicate *predicate, const struct claim_context *context, uint64_t seed,
                   const struct claim_result *r)
{
	struct build b = { false };
	json_t *object = json_object();
	char seed_text[SEED_SIZE];

	(void)snprintf(seed_text, sizeof(seed_text), "%016" PRIx64, seed);
	build_set(&b, object, "schema", json_string(CLAIM_JSON_SCHEMA));
	build_set(&b, object, "predicate", json_string(predicate_text(predicate)));
	build_set(&b, object, "seed", json_string(seed_text));
	build_set(&b, object, "verdict", json_string(claim_verdict_name(r->verdict)));
	build_set(&b, object, "reason", build_text(r->reason, CLAIM_TEXT_SIZE));
	build_set(&b, object, "word", r->word[0] ? json_string(r->word) : json_null());
	build_set(&b, object, "probability", real(r->probability));
	build_set(&b, object, "log10_bayes_factor", real(r->log10_bf));
	build_set(&b, object, "confidence",
	          r->verdict == CLAIM_UNTESTABLE ? json_null() : json_string(claim_confidence_name(r->confidence)));
	build_set(&b, object, "cap", r->cap[0] ? build_text(r->cap, CLAIM_TEXT_SIZE) : json_null());
	build_set(&b, object, "value", real(r->value));
	build_set(&b, object, "low", real(r->low));
	build_set(&b, object, "high", real(r->high));
	build_set(&b, object, "threshold", real(r->threshold));
	build_set(&b, object, "relays", json_boolean(r->relays));
	build_set(&b, object, "quotient", real(r->quotient));
	build_set(&b, object, "quotient_low", real(r->quotient_low));
	build_set(&b, object, "quotient_high", real(r->quotient_high));
	build_set(&b, object, "g2", real(r->g2));
	build_set(&b, object, "evidence", evidence_json(&b, r));
	build_set(&b, object, "hypotheses", hypotheses_json(&b, r));
	build_set(&b, object, "parts", parts_json(&b, r));
	build_set(&b, object, "context", claim_context_json(context));
	if (!b.failed)
		return object;
	json_decref(object);
	return NULL;
}
