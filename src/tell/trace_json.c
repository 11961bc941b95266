/* SPDX-License-Identifier: Apache-2.0 */
/* Tables as tell/members.h has them; rows come last, whose countries are by database. */
#include "tell/trace_json.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tell/build.h"
#include "tell/members.h"

static const char *const verdicts[] = { "undetermined", "spoofed", "verified", "reflectors", NULL };
static const char *const onsets[] = { "unknown", "command", "polling", "crowd", NULL };
static const char *const databases[] = { "countries", "networks", NULL };

_Static_assert(TRACE_JSON_ERROR_SIZE == MEMBERS_ERROR_SIZE, "what a reader of members writes");
_Static_assert(SPOOFING_UNDETERMINED == 0 && SPOOFING_SPOOFED == 1 && SPOOFING_VERIFIED == 2 &&
                       SPOOFING_REFLECTORS == 3,
               "verdicts[] is by value");
_Static_assert(ONSET_UNKNOWN == 0 && ONSET_COMMAND == 1 && ONSET_POLLING == 2 && ONSET_CROWD == 3,
               "onsets[] is by value");
_Static_assert(GEO_COUNTRIES == 0 && GEO_NETWORKS == 1, "databases[] is by value");

/* clang-format off */
static const struct member shares_members[] = {
	AT(struct spoofing_shares, spoofed, SHARE, spoofed),
	AT(struct spoofing_shares, verified, SHARE, verified),
	AT(struct spoofing_shares, reflectors, SHARE, reflectors),
	AT(struct spoofing_shares, undetermined, SHARE, undetermined),
};

static const struct member test_members[] = {
	TEXT_AT(struct spoofing_test, name, name),
	AT(struct spoofing_test, value, VALUE, value),
	AT(struct spoofing_test, expected, VALUE, expected),
	WORD_AT(struct spoofing_test, says, says, verdicts),
	TEXT_AT(struct spoofing_test, text, text),
};

static const struct member spoofing_members[] = {
	WORD_AT(struct spoofing, verdict, verdict, verdicts),
	PART_AT(struct spoofing, packets, packets, shares_members),
	PART_AT(struct spoofing, sources, sources, shares_members),
	PARTS_AT(struct spoofing, tests, tests, SPOOFING_TESTS_MAX, test_members),
	{ "reasons", MEMBER_TEXTS, .at = offsetof(struct spoofing, reasons), .size = SPOOFING_REASON_SIZE,
	  .count = offsetof(struct spoofing, reasons_count), .max = SPOOFING_REASONS_MAX },
};

static const struct member vector_members[] = {
	TEXT_AT(struct trace_vector, name, name),
	AT(struct trace_vector, packets, WHOLE, packets),
	AT(struct trace_vector, octets, WHOLE, octets),
	AT(struct trace_vector, sources, WHOLE, sources),
	PART_AT(struct trace_vector, spoofing, spoofing, spoofing_members),
};

static const struct member family_members[] = {
	TEXT_AT(struct trace_family, name, name),
	TEXT_AT(struct trace_family, mark, mark),
	AT(struct trace_family, packets, WHOLE, packets),
	AT(struct trace_family, devices, WHOLE, devices),
};

static const struct member database_members[] = {
	WORD_AT(struct geo_database, kind, kind, databases),
	TEXT_AT(struct geo_database, name, name),
	TEXT_AT(struct geo_database, licence, licence),
	TEXT_AT(struct geo_database, version, version),
	TEXT_AT(struct geo_database, sha256, sha256),
	AT(struct geo_database, built, MOMENT, built_ns),
	AT(struct geo_database, ipv4_only, FLAG, ipv4_only),
};

static const struct member row_members[] = {
	AT(struct trace_row, network, NETWORK, network),
	TEXT_AT(struct trace_row, name, name),
	AT(struct trace_row, reflectors, FLAG, reflectors),
	AT(struct trace_row, countries, COUNTRIES, country),
	AT(struct trace_row, held, WHOLE, held),
	AT(struct trace_row, sources, WHOLE, sources),
	AT(struct trace_row, packets, WHOLE, packets),
	AT(struct trace_row, octets, WHOLE, octets),
};

static const struct member concentration_members[] = {
	AT(struct concentration, hhi, SHARE, hhi),
	AT(struct concentration, gini, SHARE, gini),
	AT(struct concentration, top, SHARE, top),
};

static const struct member overlap_members[] = {
	AT(struct coordination_overlap, wave, SMALL, wave),
	AT(struct coordination_overlap, next, SMALL, next),
	AT(struct coordination_overlap, sources, WHOLE, sources),
	AT(struct coordination_overlap, next_sources, WHOLE, next_sources),
	AT(struct coordination_overlap, both, WHOLE, both),
	AT(struct coordination_overlap, jaccard, SHARE, jaccard),
	AT(struct coordination_overlap, p, SHARE, p),
};

static const struct member coordination_members[] = {
	AT(struct coordination, known, FLAG, known),
	WORD_AT(struct coordination, onset, onset, onsets),
	AT(struct coordination, sources, WHOLE, sources),
	AT(struct coordination, within_1s, SHARE, within_1s),
	AT(struct coordination, within_5s, SHARE, within_5s),
	AT(struct coordination, within_30s, SHARE, within_30s),
	AT(struct coordination, expected_1s, SHARE, expected_1s),
	AT(struct coordination, expected_5s, SHARE, expected_5s),
	AT(struct coordination, expected_30s, SHARE, expected_30s),
	AT(struct coordination, quartile_s, AMOUNT, quartile_s),
	AT(struct coordination, ends_1s, SHARE, ends_1s),
	AT(struct coordination, round_duration, SHARE, round_duration),
	AT(struct coordination, likeness, SHARE, likeness),
	AT(struct coordination, top_signature, SHARE, top_signature),
	PARTS_AT(struct coordination, overlaps, overlaps, COORDINATION_OVERLAPS_MAX, overlap_members),
	PART_AT(struct coordination, by_network_sources, by_network_sources, concentration_members),
	PART_AT(struct coordination, by_network_packets, by_network_packets, concentration_members),
	PART_AT(struct coordination, by_country_sources, by_country_sources, concentration_members),
	PART_AT(struct coordination, by_country_packets, by_country_packets, concentration_members),
};

static const struct member size_members[] = {
	AT(struct size_estimate, known, FLAG, known),
	AT(struct size_estimate, at_once, WHOLE, at_once),
	AT(struct size_estimate, in_all, WHOLE, in_all),
	AT(struct size_estimate, chapman, AMOUNT, chapman),
	AT(struct size_estimate, chapman_low, AMOUNT, chapman_low),
	AT(struct size_estimate, chapman_high, AMOUNT, chapman_high),
	AT(struct size_estimate, chao1, AMOUNT, chao1),
	AT(struct size_estimate, devices, WHOLE, devices),
};

static const struct member cost_members[] = {
	AT(struct cost, known, FLAG, known),
	AT(struct cost, hours, AMOUNT, hours),
	AT(struct cost, gbps, AMOUNT, gbps),
	AT(struct cost, low, AMOUNT, low),
	AT(struct cost, mid, AMOUNT, mid),
	AT(struct cost, high, AMOUNT, high),
	TEXT_AT(struct cost, basis, basis),
};

static const struct member rank_members[] = {
	AT(struct rank, of, SMALL, of),
	AT(struct rank, pps, SHARE, pps),
	AT(struct rank, bps, SHARE, bps),
	AT(struct rank, duration, SHARE, duration),
	AT(struct rank, sources, SHARE, sources),
};

/* Before the rows, whose countries are by database. */
static const struct member trace_members[] = {
	AT(struct trace, incident, ID, incident),
	AT(struct trace, began, MOMENT, began_ns),
	AT(struct trace, ended, MOMENT, ended_ns),
	AT(struct trace, made, MOMENT, made_ns),
	AT(struct trace, packets, WHOLE, packets),
	AT(struct trace, octets, WHOLE, octets),
	AT(struct trace, sources, WHOLE, sources),
	AT(struct trace, peak_pps, WHOLE, peak_pps),
	AT(struct trace, peak_bps, WHOLE, peak_bps),
	AT(struct trace, waves, SMALL, waves),
	AT(struct trace, held, WHOLE, held),
	AT(struct trace, observed, SHARE, observed),
	AT(struct trace, sources_sampled, FLAG, sources_sampled),
	PART_AT(struct trace, spoofing, spoofing, spoofing_members),
	PARTS_AT(struct trace, vectors, vectors, TRACE_VECTORS_MAX, vector_members),
	PARTS_AT(struct trace, families, families, TRACE_FAMILIES_MAX, family_members),
	PART_AT(struct trace, coordination, coordination, coordination_members),
	PART_AT(struct trace, size, size, size_members),
	PART_AT(struct trace, cost, cost, cost_members),
	PART_AT(struct trace, rank, rank, rank_members),
	PARTS_AT(struct trace, databases, databases, GEO_COUNTRY_DATABASES_MAX + GEO_NETWORK_DATABASES_MAX, database_members),
	AT(struct trace, located_sources, WHOLE, located_sources),
	AT(struct trace, located_packets, WHOLE, located_packets),
};
/* clang-format on */

static const char rows_name[] = "rows";
static const char schema_name[] = "schema";

/* ---- writing ---- */

json_t *trace_json(const struct trace *trace)
{
	struct build b = { .failed = false };
	uint32_t country_databases = trace->country_databases < GEO_COUNTRY_DATABASES_MAX ? trace->country_databases
	                                                                                  : GEO_COUNTRY_DATABASES_MAX;
	json_t *root = json_object(), *members = members_write(&b, MEMBERS(trace_members), trace, 0),
	       *rows = json_array();

	build_set(&b, root, schema_name, json_string(TRACE_JSON_SCHEMA));
	if (json_object_update(root, members) != 0)
		b.failed = true;
	json_decref(members);
	for (uint32_t i = 0; i < trace->rows_count && i < TRACE_JSON_ROWS_MAX; i++)
		build_append(&b, rows, members_write(&b, MEMBERS(row_members), &trace->rows[i], country_databases));
	build_set(&b, root, rows_name, rows);
	if (!b.failed)
		return root;
	json_decref(root);
	return NULL;
}

/* ---- reading ---- */

/* Those of countries come first, and so do their answers in a row. */
static int read_kinds(struct members_reader *r, struct trace *trace)
{
	while (trace->country_databases < trace->databases_count &&
	       trace->databases[trace->country_databases].kind == GEO_COUNTRIES)
		trace->country_databases++;
	(void)members_enter(r, "databases", -1);
	if (trace->country_databases > GEO_COUNTRY_DATABASES_MAX)
		return members_refuse(r, "has too many of countries");
	for (uint32_t i = trace->country_databases; i < trace->databases_count; i++)
		if (trace->databases[i].kind == GEO_COUNTRIES)
			return members_refuse(r, "has one of countries behind one of networks");
	members_leave(r, 0);
	return 0;
}

/* What is located is the sum of all rows. */
static int check_sums(struct members_reader *r, const struct trace *trace)
{
	uint64_t sources = 0, packets = 0;
	bool over = false;

	for (uint32_t i = 0; i < trace->rows_count; i++) {
		over |= __builtin_add_overflow(sources, trace->rows[i].sources, &sources);
		over |= __builtin_add_overflow(packets, trace->rows[i].packets, &packets);
	}
	if (over || sources != trace->located_sources || packets != trace->located_packets) {
		(void)members_enter(r, rows_name, -1);
		return members_refuse(r, "do not add up to located_sources and located_packets");
	}
	return 0;
}

static int read_rows(struct members_reader *r, const json_t *rows, struct trace *trace)
{
	size_t before = members_enter(r, rows_name, -1);

	if (!json_is_array(rows))
		return members_refuse(r, "is no array");
	if (json_array_size(rows) > TRACE_JSON_ROWS_MAX)
		return members_refuse(r, "has too many elements");
	trace->rows = calloc(json_array_size(rows) + 1, sizeof(*trace->rows));
	if (!trace->rows) {
		(void)members_refuse(r, "there is no memory for them");
		return -ENOMEM;
	}
	for (; trace->rows_count < json_array_size(rows); trace->rows_count++) {
		size_t list = members_enter(r, NULL, trace->rows_count);
		int result = members_read(r, json_array_get(rows, trace->rows_count), MEMBERS(row_members),
		                          &trace->rows[trace->rows_count], trace->country_databases);

		if (result != 0)
			return result;
		members_leave(r, list);
	}
	members_leave(r, before);
	return check_sums(r, trace);
}

int trace_json_read(const json_t *json, struct trace *trace, char error[TRACE_JSON_ERROR_SIZE])
{
	struct members_reader r = { .error = error };
	const char *schema = json_string_value(json_object_get(json, schema_name));
	struct trace read = { .incident = 0 };
	int result;

	error[0] = '\0';
	if (!json_is_object(json))
		return members_refuse(&r, "is no object");
	if (!schema || strcmp(schema, TRACE_JSON_SCHEMA) != 0) {
		(void)members_enter(&r, schema_name, -1);
		return members_refuse(&r, "is not \"" TRACE_JSON_SCHEMA "\"");
	}
	result = members_read(&r, json, MEMBERS(trace_members), &read, 0);
	if (result == 0)
		result = read_kinds(&r, &read);
	if (result == 0)
		result = read_rows(&r, json_object_get(json, rows_name), &read);
	if (result != 0) {
		free(read.rows);
		return result;
	}
	*trace = read;
	return 0;
}
