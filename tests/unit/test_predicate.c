/* SPDX-License-Identifier: Apache-2.0 */
/* The language of claims: canonical texts, errors to the character, and what is made of numbers, times and names. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "trace/predicate_inside.h"

static struct predicate *parsed(const char *text)
{
	char error[PREDICATE_ERROR_SIZE];
	struct predicate *predicate;
	size_t at;

	if (predicate_parse(text, &predicate, &at, error) != 0)
		fail_msg("'%s': at %zu: %s", text, at, error);
	return predicate;
}

static void texts_are_canonical(void **state)
{
	static const char *const cases[][2] = {
		/* typed, printed; NULL: the same */
		{ "share(country=UA) >= 0.5", NULL },
		{ " Share ( COUNTRY = ua , by = sources )>=50 % ", "share(country=UA) >= 0.5" },
		{ "share(country=UA, by=packets) < .125", "share(country=UA, by=packets) < 0.125" },
		{ "share(country=UA) = 0", NULL },
		{ "share(country=UA) >= 12.5%", "share(country=UA) >= 0.125" },
		{ "share(country=UA) > 0.000000000001", NULL },
		{ "share(country=UA) == 1.000", "share(country=UA) = 1" },
		{ "share(network=as64500) <= 0.3", "share(network=64500) <= 0.3" },
		{ "share(vector=NTP_reflection) >= 0.9", "share(vector=ntp_reflection) >= 0.9" },
		{ "share(vector=syn_flood, by=packets) >= 0.9", "share(vector=syn_flood) >= 0.9" },
		{ "share(vector=syn_flood, by=sources) >= 0.9", NULL },
		{ "share(family=mirai, by=packets) > 0.25", "share(family=mirai) > 0.25" },
		{ "count(sources) >= 86,400", "count(sources) >= 86400" },
		{ "count(sources) >= 1,234,567", "count(sources) >= 1234567" },
		{ "count(packets) > 1.5G", "count(packets) > 1500000000" },
		{ "count(packets) > 999999999999999k", "count(packets) > 999999999999999000" },
		{ "count(devices) = 30k", "count(devices) = 30000" },
		{ "count(networks) < 2 or count(countries) < 3 or count(waves) < 4 or count(vectors) < 5", NULL },
		{ "family(mirai)", NULL },
		{ "family( \"Mirai or so\" )", "family(\"Mirai or so\")" },
		{ "size >= 3Tbps", "size >= 3 Tbps" },
		{ "size >= 3000 gbps", "size >= 3 Tbps" },
		{ "size > 1.25 Mbps", NULL },
		{ "size > 999 bps", NULL },
		{ "size < .5 kpps", "size < 500 pps" },
		{ "size < 0.25 bps", NULL },
		{ "duration >= 90m", "duration >= 1h30m" },
		{ "duration < 0s", NULL },
		{ "cost >= $1,000", "cost >= 1000 USD" },
		{ "cost >= 2.5k usd", "cost >= 2500 USD" },
		{ "cost >= 20$", "cost >= 20 USD" },
		{ "cost >= 20", "cost >= 20 USD" },
		{ "cost < 20 and spoofed", "cost < 20 USD and spoofed" },
		{ "outage", NULL },
		{ "outage within 09:30 .. 18:00Z", "outage within 09:30..18:00" },
		{ "outage within 23:30:05..01:00", NULL },
		{ "outage within 2024-02-29t09:30z..2024-03-01T00:00:07Z",
		  "outage within 2024-02-29T09:30:00Z..2024-03-01T00:00:07Z" },
		{ "outage >= 30m", NULL },
		{ "cause = attack or cause==change or cause = provider or cause = unknown",
		  "cause = attack or cause = change or cause = provider or cause = unknown" },
		{ "actor = The_Example-Group.7", NULL },
		{ "actor = \"The Example Group\"", NULL },
		{ "actor = \"Приклад\"", NULL },
		{ "spoofed and amplified and coordinated", NULL },
		{ "(spoofed and amplified) and coordinated", "spoofed and amplified and coordinated" },
		{ "spoofed and (amplified and coordinated)", NULL },
		{ "spoofed or amplified and coordinated", "spoofed or (amplified and coordinated)" },
		{ "spoofed and amplified or coordinated", "(spoofed and amplified) or coordinated" },
		{ "(spoofed or amplified) and (coordinated or outage)", NULL },
		{ "not spoofed and amplified", NULL },
		{ "not (spoofed and amplified)", NULL },
		{ "not((spoofed))", "not spoofed" },
		{ "not not spoofed", NULL },
		{ "not (spoofed or not (amplified and outage))", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct predicate *first = parsed(cases[i][0]), *second;

		assert_string_equal(predicate_text(first), cases[i][1] ? cases[i][1] : cases[i][0]);
		second = parsed(predicate_text(first));
		assert_string_equal(predicate_text(second), predicate_text(first));
		predicate_free(first);
		predicate_free(second);
	}
}

static void errors_point_at_the_character(void **state)
{
	static const struct {
		const char *text;
		size_t at;
		const char *error;
	} cases[] = {
		{ "", 0, "expected a term such as 'share(country=UA) >= 0.5' or 'spoofed', found the end" },
		{ "spoofed and", 11, "expected a term such as 'share(country=UA) >= 0.5' or 'spoofed', found the end" },
		{ "spoofd", 0, "expected a term such as 'share(country=UA) >= 0.5' or 'spoofed', found 'spoofd'" },
		{ "spoofed2", 0, "expected a term such as 'share(country=UA) >= 0.5' or 'spoofed', found 'spoofed2'" },
		{ "spoofed amplified", 8, "expected 'and', 'or' or the end, found 'amplified'" },
		{ "(spoofed amplified", 9, "expected 'and', 'or', ')' or the end, found 'amplified'" },
		{ "spoofed and (amplified", 12, "this '(' has no ')'" },
		{ "spoofed)", 7, "this ')' has no '('" },
		{ "share country", 6, "expected '(', found 'country'" },
		{ "share(land=UA) > 0", 6, "expected country, network, vector or family, found 'land'" },
		{ "share(country UA) > 0", 14, "expected '=', found 'UA'" },
		{ "share(country=Ukraine) >= 0.5", 14,
		  "expected a country's code of two letters (ISO 3166), found 'Ukraine'" },
		{ "share(country=U) >= 0.5", 14, "expected a country's code of two letters (ISO 3166), found 'U'" },
		{ "share(country=UA >= 0.5", 17, "expected ')', found '>'" },
		{ "share(country=UA, at=sources) > 0", 18, "expected 'by=sources' or 'by=packets', found 'at'" },
		{ "share(country=UA, by=bytes) > 0", 21, "expected sources or packets, found 'bytes'" },
		{ "share(family=mirai, by=sources) > 0", 23, "of a family only packets are counted: expected packets" },
		{ "share(country=UA) 0.5", 18, "expected one of >= <= > < =, found '0.5'" },
		{ "share(country=UA) >= 50", 21,
		  "expected a share from 0 to 1, or from 0 % to 100 %; for per cent write % behind it" },
		{ "share(country=UA) >= 101 %", 21, "expected a share from 0 to 1, or from 0 % to 100 %" },
		{ "share(country=UA) >= half", 21, "expected a share such as 0.5 or 50 %, found 'half'" },
		{ "share(network=0) > 0", 14, "expected a network's number such as 64500 or AS64500, found '0'" },
		{ "share(network=4294967295) > 0", 14,
		  "expected a network's number such as 64500 or AS64500, found '4294967295'" },
		{ "share(network=64500x) > 0", 14,
		  "expected a network's number such as 64500 or AS64500, found '64500x'" },
		{ "share(vector=ntp) > 0", 13,
		  "there is no vector 'ntp' in the catalogue; 'holdfast analyze --json' names those of an attack" },
		{ "count(bots) > 5", 6,
		  "expected sources, packets, networks, countries, devices, waves or vectors, found 'bots'" },
		{ "count(sources) > many", 17, "expected a number such as 100000 or 100k, found 'many'" },
		{ "count(sources) > 5q", 18, "expected k, M, G or nothing behind the number, found 'q'" },
		{ "count(sources) > 1234567890123456", 17,
		  "a number has at most 15 digits, 12 of them behind the point" },
		{ "count(sources) > 999999999999999G", 17, "too large a number" },
		{ "family()", 7, "expected a family's name such as mirai, found ')'" },
		{ "size >= 3", 9, "expected a unit: bps or pps, with k, M, G or T before it, found the end" },
		{ "size >= 3 TB", 10, "expected a unit: bps or pps, with k, M, G or T before it, found 'TB'" },
		{ "size 3 Tbps", 5, "expected one of >= <= > < =, found '3'" },
		{ "duration >= 30", 12, "expected a duration such as 90s, 30m or 1h30m, found '30'" },
		{ "cost >= euro", 8, "expected an amount of dollars such as 1000 or $1000, found 'euro'" },
		{ "outage within 9:30..18:00", 14, "expected a time such as 09:30 or 2026-03-10T09:30Z, found '9'" },
		{ "outage within 09:30-18:00", 19, "expected '..' between two times, found '-18'" },
		{ "outage within 09:30..24:00", 21, "expected a time such as 09:30 or 2026-03-10T09:30Z, found '24'" },
		{ "outage within 2026-02-29T09:30Z..18:00", 14,
		  "expected a time such as 09:30 or 2026-03-10T09:30Z, found '2026-02-29T09'" },
		{ "outage within 1969-12-31T23:59Z..1970-01-01T00:00Z", 14,
		  "expected a time such as 09:30 or 2026-03-10T09:30Z, found '1969-12-31T23'" },
		{ "outage within 2026-03-10T09:30Z..2262-04-12T00:00Z", 33,
		  "expected a time such as 09:30 or 2026-03-10T09:30Z, found '2262-04-12T00'" },
		{ "outage within 2026-03-10T09:30:15.5Z..2026-03-10T10:00Z", 14,
		  "expected a time such as 09:30 or 2026-03-10T09:30Z, found '2026-03-10T09'" },
		{ "outage within 2026-03-10T09:30..18:00", 14,
		  "expected a time such as 09:30 or 2026-03-10T09:30Z, found '2026-03-10T09'" },
		{ "outage within 2026-03-10T09:30Z..18:00", 33, "expected both times with a date, or none" },
		{ "outage within 2026-03-10T09:30Z..2026-03-10T09:30Z", 33, "expected the earlier time first" },
		{ "outage > 1", 9, "expected a duration such as 90s, 30m or 1h30m, found '1'" },
		{ "cause = magic", 8, "expected attack, change, provider or unknown, found 'magic'" },
		{ "actor =", 7, "expected a name, in \" where it has spaces, found the end" },
		{ "actor = \"nobody", 8, "this text has no end: expected another '\"'" },
		{ "actor = \"\"", 8, "expected a name, in \" where it has spaces, found an empty text" },
		{ "actor = \"a\x1b[31m\"", 10, "expected printable UTF-8 in a text" },
		{ "actor = \"a\xc3(\"", 10, "expected printable UTF-8 in a text" },
		{ "actor = \"\xed\xa0\x80\"", 9, "expected printable UTF-8 in a text" },
		{ "actor = nobody\"", 14, "expected 'and', 'or' or the end, found '\"'" },
		{ "family(mirai\")", 12, "expected ')', found '\"'" },
		{ "actor = The Example Group", 12, "expected 'and', 'or' or the end, found 'Example'" },
		{ "spoofed \x01", 8, "expected 'and', 'or' or the end, found '?'" },
		{ "not", 3, "expected a term such as 'share(country=UA) >= 0.5' or 'spoofed', found the end" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char error[PREDICATE_ERROR_SIZE] = "";
		struct predicate *predicate;
		size_t at = SIZE_MAX;

		assert_int_equal(predicate_parse(cases[i].text, &predicate, &at, error), -EINVAL);
		assert_string_equal(error, cases[i].error);
		if (at != cases[i].at)
			fail_msg("'%s': at %zu instead of %zu", cases[i].text, at, cases[i].at);
	}
}

/* `count` times `piece`, then `last`. */
static void fill(char *text, const char *piece, unsigned count, const char *last)
{
	text[0] = '\0';
	for (unsigned i = 0; i < count; i++)
		strcat(text, piece);
	strcat(text, last);
}

static void bounds_are_kept(void **state)
{
	static const struct {
		const char *piece;
		unsigned most;
		const char *last, *error;
	} cases[] = {
		{ "(", PREDICATE_DEPTH_MAX, "spoofed", "nested more than 32 deep" },
		{ "not ", PREDICATE_DEPTH_MAX, "spoofed", "too many times 'not'" },
		{ "spoofed and ", PREDICATE_TERMS_MAX - 1, "spoofed", "more than 16 terms" },
	};
	char text[2 * PREDICATE_TEXT_MAX], error[PREDICATE_ERROR_SIZE];
	struct predicate *predicate;
	size_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fill(text, cases[i].piece, cases[i].most, cases[i].last);
		if (i == 0)
			fill(text + strlen(text), ")", PREDICATE_DEPTH_MAX, "");
		predicate = parsed(text);
		predicate_free(predicate);
		fill(text, cases[i].piece, cases[i].most + 1, cases[i].last);
		assert_int_equal(predicate_parse(text, &predicate, &at, error), -EINVAL);
		assert_string_equal(error, cases[i].error);
	}
	fill(text, " ", PREDICATE_TEXT_MAX, "spoofed");
	assert_int_equal(predicate_parse(text, &predicate, &at, error), -EINVAL);
	assert_int_equal(at, PREDICATE_TEXT_MAX);
	/* Short when typed, too long when written out: 1G of a rate is 1 Gbps, of packets nine zeros. */
	fill(text, "count(packets)<1G or ", 15, "actor=");
	strcat(text, "\"a very long name of somebody of whom nobody has heard anything\"");
	assert_true(strlen(text) < PREDICATE_TEXT_MAX);
	assert_int_equal(predicate_parse(text, &predicate, &at, error), -EINVAL);
	assert_string_equal(error, "longer than 512 octets once it is written out");
	fill(text, "actor=", 1, "");
	fill(text + strlen(text), "n", PREDICATE_NAME_SIZE, "");
	assert_int_equal(predicate_parse(text, &predicate, &at, error), -EINVAL);
	assert_string_equal(error, "a name has at most 63 octets");
}

static void nodes_come_operands_first(void **state)
{
	static const enum predicate_kind order[] = { PREDICATE_SPOOFED, PREDICATE_NOT,         PREDICATE_AMPLIFIED,
		                                     PREDICATE_AND,     PREDICATE_COORDINATED, PREDICATE_OR };
	static const char *const terms[] = { "spoofed", "amplified", "coordinated" };
	struct predicate *predicate = parsed("not spoofed and amplified or coordinated");
	size_t term = 0;

	(void)state;
	assert_string_equal(predicate_text(predicate), "(not spoofed and amplified) or coordinated");
	assert_int_equal(predicate->count, 6);
	for (uint32_t i = 0; i < predicate->count; i++) {
		const struct predicate_node *node = &predicate->nodes[i];

		assert_int_equal(node->kind, order[i]);
		if (predicate_joins(node))
			continue;
		assert_int_equal(node->text_length, strlen(terms[term]));
		assert_memory_equal(predicate->text + node->text_at, terms[term], node->text_length);
		term++;
	}
	predicate_free(predicate);
}

static void values_are_what_was_meant(void **state)
{
	static const struct {
		const char *text;
		double value;
	} cases[] = {
		{ "share(country=UA) >= 12.5 %", 0.125 },
		{ "share(country=UA) >= 0.1", 0.1 },
		{ "size >= 5.8 Tbps", 5.8e12 },
		{ "size >= 40 Mpps", 40e6 },
		{ "count(sources) > 86,400", 86400 },
		{ "cost < $2.5k", 2500 },
		{ "duration > 1h30m", 5400 },
		{ "outage > 2m", 120 },
	};
	struct predicate *predicate;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		predicate = parsed(cases[i].text);
		assert_true(predicate->nodes[0].value == cases[i].value);
		predicate_free(predicate);
	}
	predicate = parsed("outage within 2026-03-10T09:30Z..2026-03-10T18:00:01Z");
	assert_true(predicate->nodes[0].from.ns == 1773135000LL * 1000000000);
	assert_true(predicate->nodes[0].to.ns == 1773165601LL * 1000000000);
	predicate_free(predicate);
	predicate = parsed("outage within 09:30..18:00:01");
	assert_true(predicate->nodes[0].to.ns == 64801LL * 1000000000 && !predicate->nodes[0].to.dated);
	predicate_free(predicate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_canonical),       cmocka_unit_test(errors_point_at_the_character),
		cmocka_unit_test(bounds_are_kept),           cmocka_unit_test(nodes_come_operands_first),
		cmocka_unit_test(values_are_what_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
