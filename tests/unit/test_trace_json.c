/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace as JSON and back. The members are not listed here: each leaf of the text is changed in turn, which has to
 * come back and change nothing else; and each is spoilt in turn, which has to be refused by its name.
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tell/build.h"
#include "tell/trace_json.h"

#define PATH_SIZE 256

static void fill_spoofing(struct spoofing *s)
{
	s->verdict = SPOOFING_REFLECTORS;
	s->packets = (struct spoofing_shares){ 0, 1 / 3.0, 2 / 3.0, 0.1 };
	s->sources = (struct spoofing_shares){ 1e-5, 0.5, (double)NAN, 0 };
	s->tests_count = 2;
	s->tests[0] = (struct spoofing_test){ "repeats", 116.25, (double)NAN, SPOOFING_SPOOFED, "116 repeats" };
	s->tests[1] = (struct spoofing_test){ "hops", -DBL_MAX, DBL_TRUE_MIN, SPOOFING_UNDETERMINED, "" };
	s->reasons_count = 2;
	(void)snprintf(s->reasons[0], sizeof(s->reasons[0]), "one \"reason\" \xc3\xa9");
	(void)snprintf(s->reasons[1], sizeof(s->reasons[1]), "another");
}

static struct trace_row *make_rows(void)
{
	struct trace_row *rows = calloc(3, sizeof(*rows));

	assert_non_null(rows);
	rows[0] = (struct trace_row){ .network = 64500,
		                      .reflectors = true,
		                      .name = "EXAMPLE-NET",
		                      .country = { "UA", "" },
		                      .held = 3,
		                      .sources = 7,
		                      .packets = 1000,
		                      .octets = 90000 };
	rows[1] = (struct trace_row){ .network = 0, .country = { "DE", "NL" }, .sources = 2, .packets = 10 };
	rows[2] = (struct trace_row){ .network = TRACE_OTHERS, .sources = 1, .packets = 5 };
	return rows;
}

static struct trace *make(void)
{
	struct trace *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->incident = UINT64_MAX - 1;
	t->began_ns = 1741599912000123004;
	t->made_ns = -1;
	t->packets = INT64_MAX;
	t->octets = (1ULL << 53) + 1;
	t->sources = 9;
	t->observed = 0.1 + 0.2;
	t->waves = 3;
	fill_spoofing(&t->spoofing);
	t->vectors_count = 1;
	(void)snprintf(t->vectors[0].name, sizeof(t->vectors[0].name), "ntp_reflection");
	fill_spoofing(&t->vectors[0].spoofing);
	t->families_count = 1;
	(void)snprintf(t->families[0].name, sizeof(t->families[0].name), "mirai");
	t->coordination.known = true;
	t->coordination.onset = ONSET_POLLING;
	t->coordination.overlaps_count = 1;
	t->coordination.overlaps[0] = (struct coordination_overlap){ 0, 1, 10, 11, 5, 5 / 16.0, 1e-300 };
	t->size.chapman = 123456789.123456789;
	t->size.chao1 = (double)NAN;
	t->cost.basis[0] = 'x';
	t->rank.of = 12;
	t->country_databases = 2;
	t->databases_count = 3;
	t->databases[0] = (struct geo_database){ GEO_COUNTRIES, "a", "CC0", "1.2", "00ff", 1741599912000000000, true };
	t->databases[1] = (struct geo_database){ .kind = GEO_COUNTRIES, .name = "b" };
	t->databases[2] = (struct geo_database){ .kind = GEO_NETWORKS, .name = "asn" };
	t->rows_count = 3;
	t->rows = make_rows();
	t->located_sources = 10;
	t->located_packets = 1015;
	return t;
}

static void unmake(struct trace *t)
{
	free(t->rows);
	free(t);
}

/* Through text, as a file has it. */
static json_t *through_text(json_t *json)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	json_t *back;

	assert_non_null(out);
	assert_int_equal(build_write(out, json), 0);
	assert_int_equal(fclose(out), 0);
	back = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(back);
	free(text);
	return back;
}

static json_t *make_json(void)
{
	struct trace *t = make();
	json_t *json = trace_json(t);

	assert_non_null(json);
	unmake(t);
	return json;
}

static void comes_back(const json_t *json)
{
	struct trace *t = calloc(1, sizeof(*t));
	char error[TRACE_JSON_ERROR_SIZE];
	json_t *again;

	assert_non_null(t);
	if (trace_json_read(json, t, error) != 0)
		fail_msg("%s", error);
	again = trace_json(t);
	assert_true(json_equal(again, json));
	json_decref(again);
	unmake(t);
}

static void is_refused(const json_t *json, const char *path)
{
	struct trace *t = calloc(1, sizeof(*t)), *untouched = calloc(1, sizeof(*t));
	char error[TRACE_JSON_ERROR_SIZE] = "";

	assert_non_null(t);
	assert_non_null(untouched);
	if (trace_json_read(json, t, error) != -EBADMSG)
		fail_msg("%s is taken", path);
	assert_memory_equal(t, untouched, sizeof(*t));
	if (strncmp(error, path, strlen(path)) != 0 || error[strlen(path)] != ':')
		fail_msg("%s is refused as: %s", path, error);
	free(untouched);
	free(t);
}

/* ---- the members ---- */

static void the_struct_comes_back(void **state)
{
	struct trace *t = make(), *back = calloc(1, sizeof(*back));
	json_t *json = make_json(), *read = through_text(json);
	char error[TRACE_JSON_ERROR_SIZE];

	(void)state;
	assert_non_null(back);
	assert_true(json_equal(read, json));
	assert_int_equal(trace_json_read(read, back, error), 0);
	assert_string_equal(error, "");
	assert_true(back->incident == t->incident);
	assert_int_equal(back->began_ns, t->began_ns);
	assert_int_equal(back->ended_ns, 0);
	assert_int_equal(back->made_ns, -1);
	assert_true(back->packets == INT64_MAX && back->octets == (1ULL << 53) + 1);
	assert_true(back->observed == 0.1 + 0.2 && back->spoofing.packets.verified == 1 / 3.0);
	assert_true(back->waves == 3);
	assert_true(isnan(back->spoofing.sources.reflectors) && isnan(back->size.chao1));
	assert_true(back->spoofing.tests[1].value == -DBL_MAX && back->spoofing.tests[1].expected == DBL_TRUE_MIN);
	assert_string_equal(back->spoofing.reasons[0], "one \"reason\" \xc3\xa9");
	assert_int_equal(back->country_databases, 2);
	assert_int_equal(back->databases_count, 3);
	assert_true(back->databases[0].ipv4_only && back->databases[0].built_ns == 1741599912000000000);
	assert_int_equal(back->rows_count, 3);
	assert_true(back->rows[0].network == 64500 && back->rows[1].network == 0);
	assert_true(back->rows[2].network == TRACE_OTHERS && back->rows[0].reflectors);
	assert_string_equal(back->rows[1].country[1], "NL");
	assert_string_equal(back->rows[0].country[1], "");
	assert_int_equal(back->coordination.onset, ONSET_POLLING);
	assert_true(back->coordination.overlaps[0].p == 1e-300);
	json_decref(read);
	json_decref(json);
	unmake(back);
	unmake(t);
}

/* Another value that the same place can have; NULL where there is none that stands by itself. */
static json_t *another(const json_t *value, const char *path)
{
	const char *text = json_string_value(value);

	if (strncmp(path, "schema", 6) == 0 || strstr(path, "located_") || strstr(path, ".kind") ||
	    (strncmp(path, "rows[", 5) == 0 && (strstr(path, "].sources") || strstr(path, "].packets"))))
		return NULL;
	switch (json_typeof(value)) {
	case JSON_INTEGER:
		return json_integer(json_integer_value(value) == 77 ? 78 : 77);
	case JSON_REAL:
		return json_real(json_real_value(value) / 3 + 0.125);
	case JSON_TRUE:
		return json_false();
	case JSON_FALSE:
		return json_true();
	case JSON_NULL: /* a time, a network, or a number */
		if (strcmp(path, "ended") == 0 || strstr(path, ".built"))
			return json_string("2001-02-03T04:05:06.000000Z");
		return strstr(path, ".network") ? json_integer(5) : json_real(0.75);
	case JSON_STRING:
		if (strcmp(path, "began") == 0 || strcmp(path, "made") == 0 || strstr(path, ".built"))
			return json_null();
		if (strcmp(path, "incident") == 0)
			return json_string("0123456789abcdef");
		if (strstr(path, "verdict") || strstr(path, ".says"))
			return json_string(strcmp(text, "verified") == 0 ? "spoofed" : "verified");
		if (strstr(path, ".onset"))
			return json_string("crowd");
		if (strstr(path, ".countries"))
			return json_string("FR");
		return strstr(path, ".network") ? json_null() : json_string("z");
	case JSON_OBJECT:
	case JSON_ARRAY:
		break;
	}
	return NULL;
}

typedef void visitor(json_t *root, const char *path, json_t *holder, const char *key, size_t index);

static void walk(json_t *root, json_t *holder, const char *path, visitor *visit)
{
	char below[PATH_SIZE];

	if (json_is_object(holder)) {
		json_t *names = json_copy(holder);
		const char *key;
		json_t *value;

		json_object_foreach(names, key, value)
		{
			(void)snprintf(below, sizeof(below), "%s%s%s", path, path[0] ? "." : "", key);
			visit(root, below, holder, key, 0);
			walk(root, json_object_get(holder, key), below, visit);
		}
		json_decref(names);
	}
	for (size_t i = 0; i < json_array_size(holder); i++) {
		(void)snprintf(below, sizeof(below), "%s[%zu]", path, i);
		visit(root, below, holder, NULL, i);
		walk(root, json_array_get(holder, i), below, visit);
	}
}

static json_t *look(const json_t *holder, const char *key, size_t index)
{
	return key ? json_object_get(holder, key) : json_array_get(holder, index);
}

static void put(json_t *holder, const char *key, size_t index, json_t *value)
{
	assert_int_equal(key ? json_object_set_new(holder, key, value) : json_array_set_new(holder, index, value), 0);
}

static unsigned changed;

static void change(json_t *root, const char *path, json_t *holder, const char *key, size_t index)
{
	json_t *was = json_incref(look(holder, key, index)), *other = another(was, path), *read;

	if (other) {
		put(holder, key, index, other);
		read = through_text(root);
		assert_true(json_equal(read, root));
		comes_back(read);
		json_decref(read);
		put(holder, key, index, json_incref(was));
		changed++;
	}
	json_decref(was);
}

static void each_member_has_its_own_place(void **state)
{
	json_t *json = make_json();

	(void)state;
	changed = 0;
	walk(json, json, "", change);
	assert_true(changed > 150);
	json_decref(json);
}

/* A list is neither number, word nor object; an object is no list. And what is missing is missed. */
static void spoil(json_t *root, const char *path, json_t *holder, const char *key, size_t index)
{
	json_t *was = json_incref(look(holder, key, index));

	put(holder, key, index, json_is_array(was) ? json_object() : json_pack("[i]", 1));
	is_refused(root, path);
	if (key && json_object_del(holder, key) == 0)
		is_refused(root, path);
	json_decref(was);
}

static void spoil_and_mend(json_t *root, const char *path, json_t *holder, const char *key, size_t index)
{
	json_t *was = json_incref(look(holder, key, index)), *copy = json_deep_copy(root);

	spoil(root, path, holder, key, index);
	put(holder, key, index, was);
	assert_true(json_equal(copy, root));
	json_decref(copy);
}

static void what_is_wrong_is_named(void **state)
{
	json_t *json = make_json();

	(void)state;
	walk(json, json, "", spoil_and_mend);
	comes_back(json);
	json_decref(json);
}

/* ---- bounds ---- */

static void set_at(json_t *root, const char *path, json_t *value)
{
	const char *at = path;
	json_t *holder = root;

	for (;;) {
		size_t length = strcspn(at, ".[");
		char key[64];

		(void)snprintf(key, sizeof(key), "%.*s", (int)length, at);
		if (!at[length]) {
			put(holder, key, 0, value);
			return;
		}
		holder = json_object_get(holder, key);
		at += length;
		while (*at == '[') {
			char *end;
			size_t index = strtoul(at + 1, &end, 10);

			at = end + 1;
			if (!*at) {
				put(holder, NULL, index, value);
				return;
			}
			holder = json_array_get(holder, index);
		}
		at += *at == '.';
	}
}

static json_t *filled(size_t count, json_t *with)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append(array, with);
	json_decref(with);
	return array;
}

static json_t *long_text(size_t length)
{
	char text[512];

	memset(text, 'a', length);
	text[length] = '\0';
	return json_string(text);
}

static void what_is_beyond_its_bounds_is_refused(void **state)
{
	const struct {
		const char *path;
		json_t *value;
	} wrong[] = {
		{ "packets", json_integer(-1) },
		{ "waves", json_integer(1LL << 32) },
		{ "observed", json_real(1.01) },
		{ "observed", json_real(-0.01) },
		{ "cost.low", json_real(-1) },
		{ "made", json_string("2025-02-30T00:00:00Z") },
		{ "incident", json_string("123456789abcdef") },
		{ "incident", json_string("0123456789ABCDEF") },
		{ "schema", json_string("holdfast.trace/2") },
		{ "spoofing.verdict", json_string("forged") },
		{ "spoofing.reasons[1]", long_text(SPOOFING_REASON_SIZE) },
		{ "spoofing.reasons[0]", json_stringn("a\0b", 3) },
		{ "vectors[0].name", long_text(TRACE_VECTOR_NAME_SIZE) },
		{ "rows[0].countries[0]", json_string("ua") },
		{ "rows[0].countries[1]", json_string("U") },
		{ "rows[0].countries[1]", json_string("UKR") },
		{ "rows[2].network", json_string("other") },
		{ "rows[2].network", json_integer(-5) },
		{ "located_sources", json_integer(11) },
	};
	static const struct {
		const char *list;
		size_t most;
	} lists[] = {
		{ "spoofing.tests", SPOOFING_TESTS_MAX },
		{ "spoofing.reasons", SPOOFING_REASONS_MAX },
		{ "vectors", TRACE_VECTORS_MAX },
		{ "families", TRACE_FAMILIES_MAX },
		{ "databases", GEO_COUNTRY_DATABASES_MAX + GEO_NETWORK_DATABASES_MAX },
		{ "coordination.overlaps", COORDINATION_OVERLAPS_MAX },
		{ "rows", TRACE_JSON_ROWS_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		json_t *json = make_json();

		set_at(json, wrong[i].path, wrong[i].value);
		is_refused(json, strcmp(wrong[i].path, "located_sources") == 0 ? "rows" : wrong[i].path);
		json_decref(json);
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		json_t *json = make_json();

		set_at(json, lists[i].list, filled(lists[i].most + 1, json_object()));
		is_refused(json, lists[i].list);
		json_decref(json);
	}
}

static void counts_whose_sum_does_not_fit_are_refused(void **state)
{
	json_t *json = make_json();

	(void)state;
	set_at(json, "rows[0].sources", json_integer(INT64_MAX));
	set_at(json, "rows[1].sources", json_integer(INT64_MAX));
	set_at(json, "rows[2].sources", json_integer(12)); /* modulo 2^64 it would be right */
	is_refused(json, "rows");
	json_decref(json);
}

static void databases_of_countries_come_first(void **state)
{
	json_t *json = make_json();

	(void)state;
	set_at(json, "databases[0].kind", json_string("networks"));
	is_refused(json, "databases");
	set_at(json, "databases[0].kind", json_string("countries"));
	set_at(json, "databases[2].kind", json_string("countries"));
	is_refused(json, "rows[0].countries");
	json_decref(json);
}

static void other_things_are_refused(void **state)
{
	char error[TRACE_JSON_ERROR_SIZE];
	json_t *array = json_array(), *object = json_object();
	struct trace t;

	(void)state;
	assert_int_equal(trace_json_read(array, &t, error), -EBADMSG);
	assert_string_equal(error, "it: is no object");
	assert_int_equal(trace_json_read(NULL, &t, error), -EBADMSG);
	assert_int_equal(trace_json_read(object, &t, error), -EBADMSG);
	assert_string_equal(error, "schema: is not \"" TRACE_JSON_SCHEMA "\"");
	json_decref(array);
	json_decref(object);
}

static void members_of_later_versions_are_passed_over(void **state)
{
	struct trace *t = calloc(1, sizeof(*t));
	char error[TRACE_JSON_ERROR_SIZE];
	json_t *json = make_json();

	(void)state;
	assert_non_null(t);
	set_at(json, "later", json_true());
	set_at(json, "rows[1].later", json_integer(3));
	assert_int_equal(trace_json_read(json, t, error), 0);
	json_decref(json);
	unmake(t);
}

/* Names come from databases: cut and cleaned, they are read back. */
static void names_of_any_octets_are_written(void **state)
{
	struct trace *t = make(), *back = calloc(1, sizeof(*back));
	char error[TRACE_JSON_ERROR_SIZE];
	json_t *json;

	(void)state;
	assert_non_null(back);
	memset(t->rows[0].name, 0xff, sizeof(t->rows[0].name) - 1);
	(void)snprintf(t->rows[1].name, sizeof(t->rows[1].name), "a\xff\x01z");
	json = trace_json(t);
	assert_non_null(json);
	assert_int_equal(trace_json_read(json, back, error), 0);
	assert_int_equal(strlen(back->rows[0].name), (TRACE_NAME_SIZE - 1) / 3 * 3);
	assert_string_equal(back->rows[1].name, "a\xef\xbf\xbd\x01z");
	json_decref(json);
	unmake(t);
	unmake(back);
}

/* ---- how reals are written ---- */

static void reals_have_as_many_digits_as_they_need(void **state)
{
	json_t *array = json_pack("[fffffffs]", 0.97, 1.0, 1e-5, 1 / 3.0, 0.0, 1e300, -2.5, "a/\"\n");
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	assert_int_equal(build_write(out, array), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "[\n  0.97,\n  1.0,\n  1e-5,\n  0.3333333333333333,\n  0.0,\n  1e300,\n  -2.5,\n"
	                          "  \"a/\\\"\\n\"\n]\n");
	free(text);
	json_decref(array);
}

static void what_cannot_be_written_is_an_error(void **state)
{
	json_t *object = json_object();
	FILE *full = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(full);
	assert_int_equal(build_write(full, object), -ENOSPC);
	(void)fclose(full);
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_struct_comes_back),
		cmocka_unit_test(each_member_has_its_own_place),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(what_is_beyond_its_bounds_is_refused),
		cmocka_unit_test(counts_whose_sum_does_not_fit_are_refused),
		cmocka_unit_test(databases_of_countries_come_first),
		cmocka_unit_test(other_things_are_refused),
		cmocka_unit_test(members_of_later_versions_are_passed_over),
		cmocka_unit_test(names_of_any_octets_are_written),
		cmocka_unit_test(reals_have_as_many_digits_as_they_need),
		cmocka_unit_test(what_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests_name("trace_json", tests, NULL, NULL);
}
