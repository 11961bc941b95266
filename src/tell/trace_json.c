/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table for each object says which members it has, of which kind, and where they stand in the struct; writing and
 * reading both follow it, so that neither knows a member that the other does not.
 *
 * Reading takes what is of the right kind and within its bounds, and refuses all else by name. Members that it does not
 * know are passed over: later versions of schema 1 may add some.
 */
#include "tell/trace_json.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "tell/build.h"
#include "trace/chance.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PATH_SIZE 96
#define ID_DIGITS 16
#define SHARE_MAX 1.000001 /* sums of shares are off by roundings */
#define OTHERS "others"

enum kind {
	WHOLE,     /* uint64_t */
	SMALL,     /* uint32_t */
	ID,        /* uint64_t, as 16 hexadecimal digits */
	MOMENT,    /* int64_t nanoseconds, as RFC 3339; 0: null */
	SHARE,     /* double, 0..1; NAN: null */
	AMOUNT,    /* double, not negative; NAN: null */
	VALUE,     /* double; NAN: null */
	FLAG,      /* bool */
	TEXT,      /* char[size] */
	WORD,      /* an enum, as one of `words` */
	PART,      /* a struct, as an object of `members` */
	PARTS,     /* an array of them, at most `max`, each of `size` octets; how many stands at `count` */
	TEXTS,     /* an array of char[size], likewise */
	NETWORK,   /* uint32_t: null where it is 0, OTHERS */
	COUNTRIES, /* an array, one country for each database */
};

struct member {
	const char *name;
	enum kind kind;
	uint32_t max;
	size_t at;
	size_t size;
	size_t count;
	const char *const *words; /* by value, up to NULL */
	const struct member *members;
	size_t members_count;
};

#define AT(type, name, kind, field)                      \
	{                                                \
#name, kind, .at = offsetof(type, field) \
	}
#define TEXT_AT(type, name, field)                                                           \
	{                                                                                    \
#name, TEXT, .at = offsetof(type, field), .size = sizeof(((type *)0)->field) \
	}
#define WORD_AT(type, name, field, of)                                  \
	{                                                               \
#name, WORD, .at = offsetof(type, field), .words = (of) \
	}
#define PART_AT(type, name, field, of)                                                                \
	{                                                                                             \
#name, PART, .at = offsetof(type, field), .members = (of), .members_count = COUNT(of) \
	}
#define PARTS_AT(type, name, field, limit, of)                                                         \
	{                                                                                              \
#name, PARTS, .at = offsetof(type, field), .size = sizeof(((type *)0)->field[0]),      \
			      .count = offsetof(type, field##_count), .max = (limit), .members = (of), \
			      .members_count = COUNT(of)                                               \
	}

static const char *const verdicts[] = { "undetermined", "spoofed", "verified", "reflectors", NULL };
static const char *const onsets[] = { "unknown", "command", "polling", "crowd", NULL };
static const char *const databases[] = { "countries", "networks", NULL };

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
	{ "reasons", TEXTS, .at = offsetof(struct spoofing, reasons), .size = SPOOFING_REASON_SIZE,
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

static json_t *real(double n)
{
	return n >= -DBL_MAX && n <= DBL_MAX ? json_real(n) : json_null();
}

static json_t *moment(int64_t ns)
{
	char text[TIME_TEXT_SIZE];

	return ns ? json_string(time_format((struct capture_time){ ns }, text)) : json_null();
}

static json_t *id(uint64_t n)
{
	char text[ID_DIGITS + 1];

	(void)snprintf(text, sizeof(text), "%016" PRIx64, n);
	return json_string(text);
}

static json_t *network(uint32_t number)
{
	if (number == TRACE_OTHERS)
		return json_string(OTHERS);
	return number ? build_integer(number) : json_null();
}

static uint32_t limited(uint32_t count, uint32_t max)
{
	return count < max ? count : max;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the tables are nested */
static json_t *write_object(struct build *b, const struct member *members, size_t count, const void *from,
                            uint32_t country_databases);

static json_t *write_list(struct build *b, const struct member *m, const char *list, uint32_t count,
                          uint32_t country_databases)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < count; i++) {
		const char *item = list + i * m->size;

		build_append(b, array,
		             m->kind == TEXTS ? build_text(item, m->size - 1)
		                              : write_object(b, m->members, m->members_count, item, country_databases));
	}
	return array;
}

static json_t *write_countries(struct build *b, const char *country, uint32_t country_databases)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < country_databases; i++)
		build_append(b, array, build_text(country + i * (size_t)GEO_COUNTRY_SIZE, GEO_COUNTRY_SIZE - 1));
	return array;
}

static json_t *write_member(struct build *b, const struct member *m, const char *from, uint32_t country_databases)
{
	const void *at = from + m->at;

	switch (m->kind) {
	case WHOLE:
		return build_integer(*(const uint64_t *)at);
	case SMALL:
		return build_integer(*(const uint32_t *)at);
	case ID:
		return id(*(const uint64_t *)at);
	case MOMENT:
		return moment(*(const int64_t *)at);
	case SHARE:
	case AMOUNT:
	case VALUE:
		return real(*(const double *)at);
	case FLAG:
		return json_boolean(*(const bool *)at);
	case TEXT:
		return build_text(at, m->size - 1);
	case WORD:
		return json_string(m->words[*(const unsigned *)at]);
	case PART:
		return write_object(b, m->members, m->members_count, at, country_databases);
	case PARTS:
	case TEXTS:
		return write_list(b, m, at, limited(*(const uint32_t *)(const void *)(from + m->count), m->max),
		                  country_databases);
	case NETWORK:
		return network(*(const uint32_t *)at);
	case COUNTRIES:
		break;
	}
	return write_countries(b, at, country_databases);
}

static json_t *write_object(struct build *b, const struct member *members, size_t count, const void *from,
                            uint32_t country_databases)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++)
		build_set(b, object, members[i].name, write_member(b, &members[i], from, country_databases));
	return object;
}
/* NOLINTEND(misc-no-recursion) */

json_t *trace_json(const struct trace *trace)
{
	struct build b = { .failed = false };
	uint32_t country_databases = limited(trace->country_databases, GEO_COUNTRY_DATABASES_MAX);
	json_t *root = json_object(), *members = write_object(&b, trace_members, COUNT(trace_members), trace, 0),
	       *rows = json_array();

	build_set(&b, root, schema_name, json_string(TRACE_JSON_SCHEMA));
	if (json_object_update(root, members) != 0)
		b.failed = true;
	json_decref(members);
	for (uint32_t i = 0; i < trace->rows_count && i < TRACE_JSON_ROWS_MAX; i++)
		build_append(&b, rows,
		             write_object(&b, row_members, COUNT(row_members), &trace->rows[i], country_databases));
	build_set(&b, root, rows_name, rows);
	if (!b.failed)
		return root;
	json_decref(root);
	return NULL;
}

/* ---- reading ---- */

/* Where in the text: "vectors[2].spoofing.tests[0].value". */
struct reader {
	char path[PATH_SIZE];
	size_t length;
	char *error;
};

static size_t enter(struct reader *r, const char *name, int64_t index)
{
	size_t before = r->length, left = sizeof(r->path) - before;
	int added = index >= 0 ? snprintf(r->path + before, left, "[%" PRId64 "]", index)
	                       : snprintf(r->path + before, left, "%s%s", before ? "." : "", name ? name : "");

	if (added > 0)
		r->length += (size_t)added < left ? (size_t)added : left - 1;
	return before;
}

static void leave(struct reader *r, size_t before)
{
	r->length = before;
	r->path[before] = '\0';
}

static int refuse(const struct reader *r, const char *why)
{
	(void)snprintf(r->error, TRACE_JSON_ERROR_SIZE, "%s: %s", r->length ? r->path : "it", why);
	return -EBADMSG;
}

static int read_whole(const struct reader *r, const json_t *value, uint64_t max, uint64_t *n)
{
	if (!json_is_integer(value))
		return refuse(r, "is no integer");
	if (json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > max)
		return refuse(r, "is out of its bounds");
	*n = (uint64_t)json_integer_value(value);
	return 0;
}

static int read_small(const struct reader *r, const json_t *value, uint32_t *n)
{
	uint64_t whole = 0;
	int result = read_whole(r, value, UINT32_MAX, &whole);

	if (result == 0)
		*n = (uint32_t)whole;
	return result;
}

static int read_id(const struct reader *r, const json_t *value, uint64_t *n)
{
	const char *text = json_string_value(value);

	if (!text || json_string_length(value) != ID_DIGITS || strspn(text, "0123456789abcdef") != ID_DIGITS)
		return refuse(r, "is no ID: 16 hexadecimal digits");
	*n = strtoull(text, NULL, 16);
	return 0;
}

static int read_moment(const struct reader *r, const json_t *value, int64_t *ns)
{
	const char *text = json_string_value(value);
	struct capture_time t = { 0 };

	if (!json_is_null(value) && (!text || time_parse(text, &t) != 0))
		return refuse(r, "is no time: RFC 3339 in UTC, or null");
	*ns = t.ns;
	return 0;
}

static int read_real(const struct reader *r, const json_t *value, double low, double high, double *n)
{
	double number = json_number_value(value);

	if (json_is_null(value)) {
		*n = CHANCE_UNKNOWN;
		return 0;
	}
	if (!json_is_number(value))
		return refuse(r, "is neither a number nor null");
	if (!(number >= low && number <= high))
		return refuse(r, "is out of its bounds");
	*n = number;
	return 0;
}

static int read_flag(const struct reader *r, const json_t *value, bool *is)
{
	if (!json_is_boolean(value))
		return refuse(r, "is neither true nor false");
	*is = json_is_true(value);
	return 0;
}

static int read_text(const struct reader *r, const json_t *value, size_t size, char *text)
{
	const char *string = json_string_value(value);

	if (!string)
		return refuse(r, "is no string");
	if (strlen(string) != json_string_length(value))
		return refuse(r, "holds a NUL");
	if (json_string_length(value) >= size)
		return refuse(r, "is too long");
	memcpy(text, string, json_string_length(value) + 1);
	return 0;
}

static int read_word(const struct reader *r, const json_t *value, const char *const *words, unsigned *n)
{
	const char *string = json_string_value(value);

	for (unsigned i = 0; string && words[i]; i++)
		if (strcmp(string, words[i]) == 0) {
			*n = i;
			return 0;
		}
	return refuse(r, "is none of the words that it can be");
}

static int read_network(const struct reader *r, const json_t *value, uint32_t *number)
{
	const char *string = json_string_value(value);

	*number = 0;
	if (json_is_null(value))
		return 0;
	if (string) {
		*number = TRACE_OTHERS;
		return strcmp(string, OTHERS) == 0 ? 0 : refuse(r, "is neither a number, null, nor \"" OTHERS "\"");
	}
	return read_small(r, value, number);
}

static bool is_country(const char *code)
{
	return !code[0] || (code[0] >= 'A' && code[0] <= 'Z' && code[1] >= 'A' && code[1] <= 'Z' && code[2] == '\0');
}

static int read_countries(struct reader *r, const json_t *value, uint32_t country_databases,
                          char (*country)[GEO_COUNTRY_SIZE])
{
	if (!json_is_array(value) || json_array_size(value) != country_databases)
		return refuse(r, "has not one country for each database of countries");
	for (uint32_t i = 0; i < country_databases; i++) {
		size_t before = enter(r, NULL, i);
		int result = read_text(r, json_array_get(value, i), GEO_COUNTRY_SIZE, country[i]);

		if (result == 0 && !is_country(country[i]))
			result = refuse(r, "is no country: two capital letters, or nothing");
		if (result != 0)
			return result;
		leave(r, before);
	}
	return 0;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the tables are nested */
static int read_object(struct reader *r, const json_t *object, const struct member *members, size_t count, void *into,
                       uint32_t country_databases);

static int read_list(struct reader *r, const json_t *value, const struct member *m, char *list, uint32_t *count)
{
	if (!json_is_array(value))
		return refuse(r, "is no array");
	if (json_array_size(value) > m->max)
		return refuse(r, "has too many elements");
	for (uint32_t i = 0; i < json_array_size(value); i++) {
		const json_t *item = json_array_get(value, i);
		size_t before = enter(r, NULL, i);
		int result = m->kind == TEXTS
		                     ? read_text(r, item, m->size, list + i * m->size)
		                     : read_object(r, item, m->members, m->members_count, list + i * m->size, 0);

		if (result != 0)
			return result;
		leave(r, before);
	}
	*count = (uint32_t)json_array_size(value);
	return 0;
}

static int read_member(struct reader *r, const json_t *value, const struct member *m, char *into,
                       uint32_t country_databases)
{
	void *at = into + m->at;

	if (!value)
		return refuse(r, "is not there");
	switch (m->kind) {
	case WHOLE:
		return read_whole(r, value, INT64_MAX, at);
	case SMALL:
		return read_small(r, value, at);
	case ID:
		return read_id(r, value, at);
	case MOMENT:
		return read_moment(r, value, at);
	case SHARE:
		return read_real(r, value, 0, SHARE_MAX, at);
	case AMOUNT:
		return read_real(r, value, 0, DBL_MAX, at);
	case VALUE:
		return read_real(r, value, -DBL_MAX, DBL_MAX, at);
	case FLAG:
		return read_flag(r, value, at);
	case TEXT:
		return read_text(r, value, m->size, at);
	case WORD:
		return read_word(r, value, m->words, at);
	case PART:
		return read_object(r, value, m->members, m->members_count, at, country_databases);
	case PARTS:
	case TEXTS:
		return read_list(r, value, m, at, (uint32_t *)(void *)(into + m->count));
	case NETWORK:
		return read_network(r, value, at);
	case COUNTRIES:
		break;
	}
	return read_countries(r, value, country_databases, at);
}

static int read_object(struct reader *r, const json_t *object, const struct member *members, size_t count, void *into,
                       uint32_t country_databases)
{
	if (!json_is_object(object))
		return refuse(r, "is no object");
	for (size_t i = 0; i < count; i++) {
		size_t before = enter(r, members[i].name, -1);
		int result =
			read_member(r, json_object_get(object, members[i].name), &members[i], into, country_databases);

		if (result != 0)
			return result;
		leave(r, before);
	}
	return 0;
}
/* NOLINTEND(misc-no-recursion) */

/* Those of countries come first, and so do their answers in a row. */
static int read_kinds(struct reader *r, struct trace *trace)
{
	while (trace->country_databases < trace->databases_count &&
	       trace->databases[trace->country_databases].kind == GEO_COUNTRIES)
		trace->country_databases++;
	(void)enter(r, "databases", -1);
	if (trace->country_databases > GEO_COUNTRY_DATABASES_MAX)
		return refuse(r, "has too many of countries");
	for (uint32_t i = trace->country_databases; i < trace->databases_count; i++)
		if (trace->databases[i].kind == GEO_COUNTRIES)
			return refuse(r, "has one of countries behind one of networks");
	leave(r, 0);
	return 0;
}

/* What is located is the sum of all rows. */
static int check_sums(struct reader *r, const struct trace *trace)
{
	uint64_t sources = 0, packets = 0;
	bool over = false;

	for (uint32_t i = 0; i < trace->rows_count; i++) {
		over |= __builtin_add_overflow(sources, trace->rows[i].sources, &sources);
		over |= __builtin_add_overflow(packets, trace->rows[i].packets, &packets);
	}
	if (over || sources != trace->located_sources || packets != trace->located_packets) {
		(void)enter(r, rows_name, -1);
		return refuse(r, "do not add up to located_sources and located_packets");
	}
	return 0;
}

static int read_rows(struct reader *r, const json_t *rows, struct trace *trace)
{
	size_t before = enter(r, rows_name, -1);

	if (!json_is_array(rows))
		return refuse(r, "is no array");
	if (json_array_size(rows) > TRACE_JSON_ROWS_MAX)
		return refuse(r, "has too many elements");
	trace->rows = calloc(json_array_size(rows) + 1, sizeof(*trace->rows));
	if (!trace->rows) {
		(void)refuse(r, "there is no memory for them");
		return -ENOMEM;
	}
	for (; trace->rows_count < json_array_size(rows); trace->rows_count++) {
		size_t list = enter(r, NULL, trace->rows_count);
		int result = read_object(r, json_array_get(rows, trace->rows_count), row_members, COUNT(row_members),
		                         &trace->rows[trace->rows_count], trace->country_databases);

		if (result != 0)
			return result;
		leave(r, list);
	}
	leave(r, before);
	return check_sums(r, trace);
}

int trace_json_read(const json_t *json, struct trace *trace, char error[TRACE_JSON_ERROR_SIZE])
{
	struct reader r = { .error = error };
	const char *schema = json_string_value(json_object_get(json, schema_name));
	struct trace read = { .incident = 0 };
	int result;

	error[0] = '\0';
	if (!json_is_object(json))
		return refuse(&r, "is no object");
	if (!schema || strcmp(schema, TRACE_JSON_SCHEMA) != 0) {
		(void)enter(&r, schema_name, -1);
		return refuse(&r, "is not \"" TRACE_JSON_SCHEMA "\"");
	}
	result = read_object(&r, json, trace_members, COUNT(trace_members), &read, 0);
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
