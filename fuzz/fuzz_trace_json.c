/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is a trace as JSON, as an evidence bundle or another machine has it. It is read or refused with a reason;
 * what was read is written, and that is read as the same. Bounds hold, whatever stood in it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "harness.h"
#include "tell/trace_json.h"

static void check_bounds(const struct trace *t)
{
	uint64_t sources = 0;

	REQUIRE(t->vectors_count <= TRACE_VECTORS_MAX && t->families_count <= TRACE_FAMILIES_MAX);
	REQUIRE(t->country_databases <= t->databases_count && t->country_databases <= GEO_COUNTRY_DATABASES_MAX);
	REQUIRE(t->databases_count <= GEO_COUNTRY_DATABASES_MAX + GEO_NETWORK_DATABASES_MAX);
	REQUIRE(t->spoofing.tests_count <= SPOOFING_TESTS_MAX && t->spoofing.reasons_count <= SPOOFING_REASONS_MAX);
	REQUIRE(t->spoofing.verdict <= SPOOFING_REFLECTORS && t->coordination.onset <= ONSET_CROWD);
	REQUIRE(t->coordination.overlaps_count <= COORDINATION_OVERLAPS_MAX && t->rows_count <= TRACE_JSON_ROWS_MAX);
	for (uint32_t i = 0; i < t->rows_count; i++) {
		sources += t->rows[i].sources;
		REQUIRE(strlen(t->rows[i].name) < TRACE_NAME_SIZE);
		for (uint32_t k = 0; k < GEO_COUNTRY_DATABASES_MAX; k++)
			REQUIRE(strlen(t->rows[i].country[k]) < GEO_COUNTRY_SIZE);
	}
	REQUIRE(sources == t->located_sources);
}

/* NULL: refused, with a reason. */
static json_t *written(const json_t *json)
{
	struct trace *trace = malloc(sizeof(*trace));
	char error[TRACE_JSON_ERROR_SIZE] = "";
	json_t *again;

	REQUIRE(trace);
	if (trace_json_read(json, trace, error) != 0) {
		REQUIRE(error[0] && strlen(error) < sizeof(error));
		free(trace);
		return NULL;
	}
	REQUIRE(!error[0]);
	check_bounds(trace);
	again = trace_json(trace);
	REQUIRE(again);
	free(trace->rows);
	free(trace);
	return again;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *json = json_loadb((const char *)data, size, 0, NULL), *once, *twice;

	if (!json)
		return 0;
	once = written(json);
	if (once) {
		twice = written(once);
		REQUIRE(twice && json_equal(once, twice));
		json_decref(twice);
	}
	json_decref(once);
	json_decref(json);
	return 0;
}
