/* SPDX-License-Identifier: Apache-2.0 */
/* An outage as JSON and back: nothing is lost, each bound holds, and what is wrong is named. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tell/harm_json.h"

#define NOW (1795737600LL * NS_PER_S)

static uint64_t last;

/* Never the same twice, so that no member can stand for another. */
static uint64_t next(void)
{
	return ++last;
}

static int64_t moment(void)
{
	return NOW + (int64_t)next() * NS_PER_S;
}

static struct outage_wave a_wave(void)
{
	return (struct outage_wave){ .began_ns = moment(),
		                     .peak_began_ns = moment(),
		                     .peak_ended_ns = moment(),
		                     .ended_ns = moment(),
		                     .reports = next(),
		                     .excess = next() };
}

static struct outage_place a_place(unsigned kind)
{
	struct outage_place place = { .kind = kind % OUTAGE_PLACE_KINDS,
		                      .network = (uint32_t)next(),
		                      .from_ns = moment(),
		                      .to_ns = moment(),
		                      .reports = next(),
		                      .expected_milli = next(),
		                      .score_milli = (uint32_t)next() };

	(void)snprintf(place.region, sizeof(place.region), "FR-%03u", (unsigned)next() % 1000);
	return place;
}

/* As full as it gets; nothing in it is 0. */
static void fill(struct harm *harm)
{
	struct outage *outage = &harm->outage;
	struct cause_account *causes = &harm->causes;

	memset(harm, 0, sizeof(*harm));
	last = 0;
	(void)snprintf(outage->component, sizeof(outage->component), "%s", "a-component-of-32-characters-xyz");
	assert_int_equal(strlen(outage->component), COMPONENT_ID_SIZE - 1);
	outage->began_ns = moment();
	outage->alarm_ns = moment();
	outage->peak_began_ns = moment();
	outage->peak_ended_ns = moment();
	outage->pronounced_from_ns = moment();
	outage->pronounced_to_ns = moment();
	outage->ended_ns = moment();
	outage->reports = next();
	outage->peak_reports = next();
	outage->excess = next();
	for (unsigned i = 0; i < SYMPTOMS; i++)
		outage->symptoms[i] = next();
	outage->raw = INT64_MAX;
	outage->shielded = next();
	outage->basis = OUTAGE_WEEKS_KNOWN;
	outage->waves_joined = UINT32_MAX;
	while (outage->waves_count < OUTAGE_WAVES_MAX)
		outage->waves[outage->waves_count++] = a_wave();
	outage->global = true;
	outage->regions_up = (uint32_t)next();
	outage->regions = (uint32_t)next();
	for (; outage->places_count < OUTAGE_PLACES_MAX; outage->places_count++)
		outage->places[outage->places_count] = a_place(outage->places_count);
	harm->belief = (struct belief){ .log_odds = INT32_MIN,
		                        .reports = INT32_MAX,
		                        .probes = (int32_t)next(),
		                        .signals = -(int32_t)next(),
		                        .permyriad = (uint32_t)next(),
		                        .word = BELIEF_MAJOR_OUTAGE,
		                        .fault = BELIEF_NETWORK,
		                        .vantages = (uint32_t)next(),
		                        .vantages_failed = (uint32_t)next(),
		                        .vantages_unknown = (uint32_t)next() };
	for (unsigned i = 0; i < CAUSES; i++)
		causes->shares[i] = (struct cause_share){ (uint32_t)next(), (uint32_t)next(), (uint32_t)next() };
	while (causes->intervals_count < CAUSE_INTERVALS_MAX) {
		struct cause_interval *interval = &causes->intervals[causes->intervals_count++];

		interval->from_ns = moment();
		interval->to_ns = moment();
		interval->cause = causes->intervals_count % CAUSES;
		interval->several = causes->intervals_count % 2;
		interval->reference = UINT64_MAX - next();
		interval->share = (uint32_t)next();
	}
	harm->incident = UINT64_MAX;
	harm->delay_ns = INT64_MIN;
}

static void same_outage(const struct outage *a, const struct outage *b)
{
#define SAME(field) assert_int_equal(a->field, b->field)
	assert_string_equal(a->component, b->component);
	SAME(began_ns);
	SAME(alarm_ns);
	SAME(peak_began_ns);
	SAME(peak_ended_ns);
	SAME(pronounced_from_ns);
	SAME(pronounced_to_ns);
	SAME(ended_ns);
	SAME(reports);
	SAME(peak_reports);
	SAME(excess);
	SAME(raw);
	SAME(shielded);
	SAME(basis);
	SAME(waves_count);
	SAME(waves_joined);
	SAME(global);
	SAME(regions_up);
	SAME(regions);
	SAME(places_count);
	for (unsigned i = 0; i < SYMPTOMS; i++)
		SAME(symptoms[i]);
	for (unsigned i = 0; i < OUTAGE_WAVES_MAX; i++) {
		SAME(waves[i].began_ns);
		SAME(waves[i].peak_began_ns);
		SAME(waves[i].peak_ended_ns);
		SAME(waves[i].ended_ns);
		SAME(waves[i].reports);
		SAME(waves[i].excess);
	}
	for (unsigned i = 0; i < OUTAGE_PLACES_MAX; i++) {
		assert_string_equal(a->places[i].region, b->places[i].region);
		SAME(places[i].kind);
		SAME(places[i].network);
		SAME(places[i].from_ns);
		SAME(places[i].to_ns);
		SAME(places[i].reports);
		SAME(places[i].expected_milli);
		SAME(places[i].score_milli);
	}
}

static void same(const struct harm *a, const struct harm *b)
{
	same_outage(&a->outage, &b->outage);
	SAME(belief.log_odds);
	SAME(belief.reports);
	SAME(belief.probes);
	SAME(belief.signals);
	SAME(belief.permyriad);
	SAME(belief.word);
	SAME(belief.fault);
	SAME(belief.vantages);
	SAME(belief.vantages_failed);
	SAME(belief.vantages_unknown);
	SAME(incident);
	SAME(delay_ns);
	for (unsigned i = 0; i < CAUSES; i++) {
		SAME(causes.shares[i].low);
		SAME(causes.shares[i].value);
		SAME(causes.shares[i].high);
	}
	SAME(causes.intervals_count);
	for (unsigned i = 0; i < CAUSE_INTERVALS_MAX; i++) {
		SAME(causes.intervals[i].from_ns);
		SAME(causes.intervals[i].to_ns);
		SAME(causes.intervals[i].cause);
		SAME(causes.intervals[i].several);
		SAME(causes.intervals[i].reference);
		SAME(causes.intervals[i].share);
	}
#undef SAME
}

static void there_and_back(void **state)
{
	static struct harm harm, read;
	char error[HARM_JSON_ERROR_SIZE];
	char *text, *again;
	json_t *json;

	(void)state;
	fill(&harm);
	harm.number = 7; /* the record's, and not in it */
	json = harm_json(&harm);
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	assert_non_null(text);
	assert_null(strstr(text, "null"));
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	memset(&read, 0xa5, sizeof(read));
	assert_int_equal(harm_json_read(json, &read, error), 0);
	assert_string_equal(error, "");
	json_decref(json);
	same(&harm, &read);
	assert_int_equal(read.number, 0);
	/* The same octets again. */
	json = harm_json(&read);
	again = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	assert_string_equal(text, again);
	free(text);
	free(again);
}

/* What has not happened is null. */
static void nothing_known(void **state)
{
	static struct harm harm, read;
	char error[HARM_JSON_ERROR_SIZE];
	json_t *json;

	(void)state;
	memset(&harm, 0, sizeof(harm));
	memcpy(harm.outage.component, "web", 4);
	json = harm_json(&harm);
	assert_string_equal(json_string_value(json_object_get(json, "schema")), HARM_JSON_SCHEMA);
	assert_true(json_is_null(json_object_get(json_object_get(json, "outage"), "ended")));
	assert_true(json_is_null(json_object_get(json, "incident")));
	/* A member of a later version. */
	assert_int_equal(json_object_set_new(json, "weather", json_string("fair")), 0);
	memset(&read, 0xa5, sizeof(read));
	assert_int_equal(harm_json_read(json, &read, error), 0);
	json_decref(json);
	same(&harm, &read);
}

/* At a path of names and indices, with '/' between them. */
static json_t *at(json_t *json, const char *path, const char **name)
{
	static char names[8][40];
	unsigned count = 0;

	for (const char *from = path; *from; count++) {
		size_t length = strcspn(from, "/");

		(void)snprintf(names[count], sizeof(names[count]), "%.*s", (int)length, from);
		from += length + (from[length] == '/');
	}
	for (unsigned i = 0; i + 1 < count; i++)
		json = json_is_array(json) ? json_array_get(json, strtoul(names[i], NULL, 10))
		                           : json_object_get(json, names[i]);
	*name = names[count - 1];
	return json;
}

static void refused(void **state)
{
	static const struct {
		const char *path, *value; /* NULL: taken away */
		const char *said;
	} bad[] = {
		{ "schema", NULL, "schema: is not \"holdfast.outage/1\"" },
		{ "schema", "\"holdfast.outage/2\"", "schema: is not" },
		{ "schema", "1", "schema: is not" },
		{ "outage", NULL, "outage: is not there" },
		{ "outage", "[]", "outage: is no object" },
		{ "belief", NULL, "belief: is not there" },
		{ "causes", "null", "causes: is no object" },
		{ "incident", "\"12\"", "incident: is no ID" },
		{ "incident", "\"00000000000000AB\"", "incident: is no ID" },
		{ "delay_ns", "1.5", "delay_ns: is no integer" },
		{ "outage/component", "\"\"", "outage.component: is none" },
		{ "outage/component", "\"Web\"", "outage.component: is none" },
		{ "outage/component", "\"a-component-of-33-characters-wxyz\"", "outage.component: is too long" },
		{ "outage/component", "\"web\\u0000\"", "outage.component: holds a NUL" },
		{ "outage/began", "\"yesterday\"", "outage.began: is no time" },
		{ "outage/began", "1795737600", "outage.began: is no time" },
		{ "outage/reports", "-1", "outage.reports: is out of its bounds" },
		{ "outage/reports", "\"1\"", "outage.reports: is no integer" },
		{ "outage/regions", "4294967296", "outage.regions: is out of its bounds" },
		{ "outage/basis", "\"guess\"", "outage.basis: is none of the words" },
		{ "outage/global", "1", "outage.global: is neither true nor false" },
		{ "outage/symptoms/slow", NULL, "outage.symptoms.slow: is not there" },
		{ "outage/waves", "{}", "outage.waves: is no array" },
		{ "outage/waves/31/excess", NULL, "outage.waves[31].excess: is not there" },
		{ "outage/places/3/kind", "\"planet\"", "outage.places[3].kind: is none of the words" },
		{ "outage/places/0/region", "\"FR-ABCDE\"", "outage.places[0].region: is too long" },
		{ "belief/log_odds_milli", "2147483648", "belief.log_odds_milli: is out of its bounds" },
		{ "belief/published", "\"sure\"", "belief.published: is none of the words" },
		{ "belief/fault", "null", "belief.fault: is none of the words" },
		{ "causes/attack/high", "true", "causes.attack.high: is no integer" },
		{ "causes/intervals/63/reference", "7", "causes.intervals[63].reference: is no ID" },
	};
	static const struct {
		const char *path, *said;
	} full[] = {
		{ "outage/waves", "outage.waves: has too many elements" },
		{ "outage/places", "outage.places: has too many elements" },
		{ "causes/intervals", "causes.intervals: has too many elements" },
	};
	static struct harm harm, read, before;
	char error[HARM_JSON_ERROR_SIZE];
	const char *name;

	(void)state;
	fill(&harm);
	memset(&read, 0xa5, sizeof(read));
	before = read;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *json = harm_json(&harm), *object = at(json, bad[i].path, &name);
		json_t *value = bad[i].value ? json_loads(bad[i].value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;

		assert_non_null(json_object_get(object, name));
		assert_int_equal(value ? json_object_set_new(object, name, value) : json_object_del(object, name), 0);
		assert_int_equal(harm_json_read(json, &read, error), -EBADMSG);
		if (strncmp(error, bad[i].said, strlen(bad[i].said)) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", bad[i].path, error, bad[i].said);
		json_decref(json);
	}
	/* One more than there is room for. */
	for (size_t i = 0; i < sizeof(full) / sizeof(full[0]); i++) {
		json_t *json = harm_json(&harm), *object = at(json, full[i].path, &name);
		json_t *list = json_object_get(object, name);

		assert_int_equal(json_array_append(list, json_array_get(list, 0)), 0);
		assert_int_equal(harm_json_read(json, &read, error), -EBADMSG);
		assert_string_equal(error, full[i].said);
		json_decref(json);
	}
	assert_int_equal(harm_json_read(NULL, &read, error), -EBADMSG);
	assert_memory_equal(&read, &before, sizeof(read)); /* as it was */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(nothing_known),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
