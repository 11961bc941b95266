/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report in HTML, without a browser: well-formed, self-contained, the same each time, and whatever comes from
 * outside cannot leave its place. What only a browser can tell (contrast, overflow, what assistive technology sees) is
 * in tests/report.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made.h"

#include "tell/analysis.h"
#include "tell/markup.h"
#include "tell/paper.h"
#include "tell/words.h"

#define DEPTH_MAX 64
#define IDS_MAX 1024
#define NAME_SIZE 32
#define START (1748772000 * NS_PER_S)

/* ---- markup ---- */

static void expect_markup(void (*write)(FILE *, const char *), const char *given, const char *wanted)
{
	char *said = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&said, &size);

	assert_non_null(out);
	write(out, given);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(said, wanted);
	free(said);
}

static void text_is_escaped(void **state)
{
	(void)state;
	expect_markup(markup_text, "<a href=\"x\" b='y'>&amp;", "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;");
	expect_markup(markup_text, "41" WORDS_TIE "kpps", "41&nbsp;kpps");
	expect_markup(markup_text, BOLD "x" PLAIN, "x");
	expect_markup(markup_text, "\xc3\xa9 \xff \xc0\xaf \xed\xa0\x80",
	              "\xc3\xa9 \xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd "
	              "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	/* turned around, without width, a new line, an escape: each shown as something */
	expect_markup(markup_text,
	              "a\xe2\x80\xae"
	              "b\xe2\x80\x8b\n\033[1m",
	              "a\xef\xbf\xbd"
	              "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd[1m");
}

static void marks_become_tags(void **state)
{
	(void)state;
	expect_markup(markup_marked, "a " BOLD "b" PLAIN " c", "a <strong>b</strong> c");
	expect_markup(markup_marked, BOLD "b" BOLD "<" RED "c" BOLD "d", "<strong>b&lt;</strong>c<strong>d</strong>");
	expect_markup(markup_marked, "", "");
}

/* ---- a parser just strict enough: every tag closed in its turn, every attribute quoted ---- */

struct document {
	char *html;
	size_t size;
	unsigned ids_count, depth;
	char ids[IDS_MAX][NAME_SIZE];
	char open[DEPTH_MAX][NAME_SIZE];
};

static bool is_void(const char *name)
{
	return strcmp(name, "meta") == 0 || strcmp(name, "!DOCTYPE") == 0;
}

static bool has_id(const struct document *d, const char *id)
{
	for (unsigned i = 0; i < d->ids_count; i++)
		if (strcmp(d->ids[i], id) == 0)
			return true;
	return false;
}

static const char *read_name(const char *at, char name[NAME_SIZE])
{
	size_t length = strcspn(at, " \t\n=/>");

	assert_in_range(length, 1, NAME_SIZE - 1);
	memcpy(name, at, length);
	name[length] = '\0';
	return at + length;
}

static void check_attribute(struct document *d, const char *name, const char *value, size_t length)
{
	char copy[NAME_SIZE];

	assert_null(memchr(value, '<', length));
	/* what would fetch or run something */
	assert_true(strcmp(name, "src") && strcmp(name, "srcset") && strncmp(name, "on", 2));
	if (strcmp(name, "href") == 0)
		assert_int_equal(value[0], '#');
	if (strcmp(name, "id"))
		return;
	assert_true(length < NAME_SIZE && d->ids_count < IDS_MAX);
	memcpy(copy, value, length);
	copy[length] = '\0';
	assert_false(has_id(d, copy));
	strcpy(d->ids[d->ids_count++], copy);
}

static const char *read_tag(struct document *d, const char *at)
{
	bool closing = at[1] == '/';
	char name[NAME_SIZE], attribute[NAME_SIZE];

	at = read_name(at + 1 + closing, name);
	while (*at != '>' && strncmp(at, "/>", 2)) {
		at += strspn(at, " ");
		at = read_name(at, attribute);
		if (*at == '=') {
			const char *end;

			assert_int_equal(at[1], '"');
			end = strchr(at + 2, '"');
			assert_non_null(end);
			check_attribute(d, attribute, at + 2, (size_t)(end - at - 2));
			at = end + 1;
		}
		assert_false(closing);
	}
	if (closing) {
		assert_true(d->depth > 0);
		assert_string_equal(d->open[--d->depth], name);
	} else if (*at == '>' && !is_void(name)) {
		assert_true(d->depth < DEPTH_MAX);
		strcpy(d->open[d->depth++], name);
	}
	return strchr(at, '>') + 1;
}

static void check_references(const struct document *d, const char *attribute)
{
	const char *at = d->html;

	while ((at = strstr(at, attribute))) {
		at += strlen(attribute);
		while (*at != '"') {
			char id[NAME_SIZE];
			size_t length = strcspn(at, " \"");

			assert_in_range(length, 1, NAME_SIZE - 1);
			memcpy(id, at, length);
			id[length] = '\0';
			assert_true(has_id(d, id));
			at += length + (at[length] == ' ');
		}
	}
}

static void check_document(struct document *d)
{
	static const char *const forbidden[] = { "<script", "http:",   "https:",  "url(",  "@import",    "<link",
		                                 "<img",    "<iframe", "<object", "<base", "javascript:" };
	const char *at = d->html;

	assert_int_equal(strlen(d->html), d->size); /* no NUL in it */
	assert_int_equal(strncmp(d->html, "<!DOCTYPE html>\n<html lang=\"en\">", 31), 0);
	while ((at = strchr(at, '<')))
		at = read_tag(d, at);
	assert_int_equal(d->depth, 0);
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (strstr(d->html, forbidden[i]))
			fail_msg("the report holds '%s'", forbidden[i]);
	check_references(d, "aria-labelledby=\"");
	check_references(d, "href=\"#");
	for (at = d->html; *at;) {
		uint32_t code;
		size_t length = words_utf8(at, &code);

		assert_true(length > 0);
		at += length;
	}
}

static struct document *report(const struct analysis_input *input, const struct engine *engine)
{
	struct document *d = calloc(1, sizeof(*d));
	FILE *out;

	assert_non_null(d);
	out = open_memstream(&d->html, &d->size);
	assert_non_null(out);
	assert_int_equal(report_write(out, input, engine, NULL), 0);
	assert_int_equal(fclose(out), 0);
	check_document(d);
	return d;
}

static void drop(struct document *d)
{
	free(d->html);
	free(d);
}

static bool says(const struct document *d, const char *words)
{
	return strstr(d->html, words) != NULL;
}

/* ---- traffic ---- */

static struct engine *new_engine(void)
{
	struct engine *e = engine_new(1);

	assert_non_null(e);
	return e;
}

static void give(struct engine *e, const struct observation *o)
{
	struct packet packet = { .observation = *o };

	engine_prepare(e, &packet);
	engine_observe(e, &packet, 1);
}

/* So many answers of NTP servers nobody asked, within a second. */
static void reflect(struct engine *e, int64_t from_ns, uint32_t target, unsigned packets)
{
	static const uint8_t monlist[8] = { 0xd7, 0, 3, 0x2a, 0, 6, 0, 0x48 };

	for (unsigned i = 0; i < packets; i++) {
		struct observation o = made_udp(from_ns + (int64_t)i * (NS_PER_S / packets),
		                                made_ipv4(0x08080000 + i % 500), 123, made_ipv4(target), 80, 0);

		made_payload(&o, monlist, sizeof(monlist), 440);
		give(e, &o);
	}
}

static void scan(struct engine *e, int64_t from_ns)
{
	for (uint16_t i = 0; i < 500; i++) {
		struct observation o = made_tcp(from_ns + (int64_t)i * 10 * NS_PER_MS, made_ipv4(0x09090909), 40000,
		                                made_ipv4(0xc0000214), (uint16_t)(i + 1), TCP_SYN, i, 0);

		give(e, &o);
	}
}

static struct analysis_input input_of(const char *const *files, size_t count, const struct engine *e)
{
	const struct engine_totals *totals = engine_totals(e);

	return (struct analysis_input){
		.files = files,
		.files_count = count,
		.packets = totals->packets,
		.bytes = totals->bytes,
		.first = totals->first,
		.last = totals->last,
		.has_time = totals->packets > 0,
	};
}

static const char *hostile_service(const void *context, const struct finding *finding)
{
	(void)finding;
	return context;
}

static void attack_is_told(void **state)
{
	static const char *const files[] = { "quiet.pcap",
		                             "\"><script src=//x>\xe2\x80\xae&\xff\n</title></style>.pcap" };
	struct engine *e = new_engine();
	struct analysis_input input;
	struct document *first, *second;

	(void)state;
	for (int64_t wave = 0; wave < 4; wave++)
		reflect(e, START + wave * 10 * NS_PER_S, 0xc000020a, 3000);
	assert_int_equal(engine_finish(e), 0);
	input = input_of(files, 2, e);
	input.service_of = hostile_service;
	input.service_context = "<b onmouseover=\"x\">&web</b>";
	input.error = "</p><script>alert(1)</script>";
	input.truncated = true;
	first = report(&input, e);
	assert_true(says(first, "<h1 id=\"title\">NTP reflection on 192.0.2.10 (&lt;b onmouseover=&quot;x&quot;&gt;"));
	assert_true(says(first, "12,000 packets"));
	assert_true(says(first, "It came in 4 waves"));
	assert_true(says(first, "udp and src port 123"));
	assert_true(says(first, "&lt;script&gt;alert(1)"));
	assert_true(says(first, "class=\"band\""));
	assert_true(says(first, "What cannot be known"));
	/*
	 * what is counted is no estimate, and the same everywhere; of four thousand packets all that would pass is
	 * known
	 */
	assert_true(says(first, "came from 500 addresses;"));
	assert_true(says(first, "500 addresses in "));
	assert_false(says(first, "about&nbsp;500"));
	assert_true(says(first, "Holdfast "));
	second = report(&input, e);
	assert_string_equal(first->html, second->html);
	drop(first);
	drop(second);
	engine_free(e);
}

/* Answers of twenty reflectors, 9.9.9.x, with or without SYNs from ten other addresses, 7.7.7.x, that may be forged. */
static struct document *mixed(bool reflected)
{
	static const char *const files[] = { "mixed.pcap" };
	static const uint8_t monlist[8] = { 0xd7, 0, 3, 0x2a, 0, 6, 0, 0x48 };
	struct engine *e = new_engine();
	struct analysis_input input;
	struct document *d;

	for (unsigned i = 0; i < 12000; i++) {
		int64_t ns = START + (int64_t)i * NS_PER_MS / 2;
		struct observation o = made_udp(ns, made_ipv4(0x09090900 + i % 20), 123, made_ipv4(0xc000020a), 80, 0);

		made_payload(&o, monlist, sizeof(monlist), 440);
		if (reflected)
			give(e, &o);
		o = made_tcp(ns, made_ipv4(0x07070700 + i % 20), (uint16_t)(1024 + i), made_ipv4(0xc000020a), 443,
		             TCP_SYN, i, 0);
		if (i % 2)
			give(e, &o);
	}
	assert_int_equal(engine_finish(e), 0);
	assert_int_equal(engine_count(e), 1);
	assert_int_equal(engine_finding(e, 0)->incident->parts_count, reflected ? 2 : 1);
	input = input_of(files, 1, e);
	d = report(&input, e);
	engine_free(e);
	return d;
}

static void addresses_that_may_be_forged_are_not_listed(void **state)
{
	struct document *d = mixed(true);

	(void)state;
	assert_true(says(d, "9.9.9.7"));
	assert_false(says(d, "7.7.7."));
	assert_true(says(d, "This is of NTP reflection alone"));
	drop(d);
	d = mixed(false);
	assert_false(says(d, "7.7.7."));
	assert_true(says(d, "No addresses are listed"));
	drop(d);
}

static void several_are_listed(void **state)
{
	static const char *const files[] = { "-" };
	struct engine *e = new_engine();
	struct analysis_input input;
	struct document *d;

	(void)state;
	reflect(e, START, 0xc000020a, 3000);
	scan(e, START + 60 * NS_PER_S);
	reflect(e, START + 1000 * NS_PER_S, 0xc6336401, 2000);
	assert_int_equal(engine_finish(e), 0);
	assert_int_equal(engine_count(e), 3);
	input = input_of(files, 1, e);
	d = report(&input, e);
	assert_true(says(d, "<h1 id=\"title\">2 attacks</h1>"));
	/* attacks first, though the scan came between them */
	assert_true(says(d, "<a href=\"#incident-3\">Port scan on 192.0.2.20</a>"));
	assert_true(says(d, "Nothing needs to be dropped"));
	assert_true(says(d, "standard input"));
	drop(d);
	engine_free(e);
}

static void nothing_is_said_too(void **state)
{
	static const char *const files[] = { "empty.pcap" };
	struct engine *e = new_engine();
	struct observation o = made_udp(0, made_ipv4(1), 1, made_ipv4(2), 2, 3);
	struct analysis_input input;
	struct document *d;

	(void)state;
	assert_int_equal(engine_finish(e), 0);
	input = input_of(files, 1, e);
	d = report(&input, e);
	assert_true(says(d, "<h1 id=\"title\">No packets</h1>"));
	drop(d);
	engine_free(e);
	e = new_engine();
	give(e, &o);
	assert_int_equal(engine_finish(e), 0);
	input = input_of(files, 1, e);
	d = report(&input, e);
	assert_true(says(d, "<h1 id=\"title\">No attack found</h1>"));
	assert_true(says(d, "Not recognised are"));
	drop(d);
	engine_free(e);
}

/* An attack at either end of all time has a report like any other. */
static void any_time(void **state)
{
	static const int64_t times[] = { INT64_MIN, INT64_MAX - 2 * NS_PER_S, 0, -NS_PER_S / 2 };
	static const char *const files[] = { "x" };

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct engine *e = new_engine();
		struct analysis_input input;

		reflect(e, times[i], 0xc000020a, 3000);
		assert_int_equal(engine_finish(e), 0);
		input = input_of(files, 1, e);
		drop(report(&input, e));
		engine_free(e);
	}
}

static void a_full_disk_is_said(void **state)
{
	static const char *const files[] = { "x" };
	struct engine *e = new_engine();
	struct analysis_input input;
	FILE *full = fopen("/dev/full", "we");

	(void)state;
	assert_int_equal(engine_finish(e), 0);
	input = input_of(files, 1, e);
	if (!full)
		skip();
	assert_int_equal(report_write(full, &input, e, NULL), -ENOSPC);
	(void)fclose(full);
	engine_free(e);
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_escaped),     cmocka_unit_test(marks_become_tags),
		cmocka_unit_test(attack_is_told),      cmocka_unit_test(several_are_listed),
		cmocka_unit_test(addresses_that_may_be_forged_are_not_listed),
		cmocka_unit_test(nothing_is_said_too), cmocka_unit_test(any_time),
		cmocka_unit_test(a_full_disk_is_said),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}
