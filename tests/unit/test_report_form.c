/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form by which users report, and what browsers report by themselves: what is read, what is refused, what is shown.
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

#include "tell/gatus.h"
#include "tell/nel.h"
#include "tell/report_form.h"

static int read_text(const char *text, struct report_form *form)
{
	return report_form_read(text, strlen(text), form);
}

static void bodies_are_read(void **state)
{
	struct report_form form;

	(void)state;
	assert_int_equal(read_text("component=login&symptom=cannot_log_in&region=FR-IDF&nonce=abc", &form), 0);
	assert_string_equal(form.component, "login");
	assert_int_equal(form.symptom, SYMPTOM_LOGIN);
	assert_string_equal(form.region, "FR-IDF");
	assert_string_equal(form.nonce, "abc");
	assert_int_equal(read_text("symptom=%73low&component=a%2Db", &form), 0);
	assert_string_equal(form.component, "a-b");
	assert_int_equal(form.symptom, SYMPTOM_SLOW);
	assert_string_equal(form.region, "");
	assert_string_equal(form.nonce, "");
	assert_int_equal(read_text("component=login&&symptom=slow&", &form), 0); /* empty parts are none */
	assert_string_equal(form.component, "login");
}

static void bodies_are_refused(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "", -EINVAL },
		{ "component=login", -EINVAL },
		{ "symptom=slow", -EINVAL },
		{ "component=login&symptom=bored", -EINVAL },
		{ "component=Login&symptom=slow", -EINVAL },
		{ "component=login&symptom=slow&region=XX-1", -EINVAL },
		{ "component=login&symptom=slow&nonce=0123456789012345678901234567890123456789012345678901234567890123456",
		  -EINVAL },
		{ "component=login&symptom=slow&other=1", -EBADMSG },
		{ "component=login&component=login&symptom=slow", -EBADMSG },
		{ "component", -EINVAL },
		{ "component=%4", -EBADMSG },
		{ "component=%zz", -EBADMSG },
		{ "component=%00", -EBADMSG },
		{ "component=%ff", -EBADMSG },
		{ "component=%c0%80", -EBADMSG },
		{ "component=%ed%a0%80", -EBADMSG },
		{ "component=%f5%80%80%80", -EBADMSG },
		{ "component=%e2%82", -EBADMSG },
		{ "component=%0a", -EINVAL },
		{ "a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9", -EBADMSG },
		{ "{\"component\":\"login\"}", -EBADMSG },
	};
	char large[REPORT_FORM_MAX + 2];
	struct report_form form;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(read_text(cases[i].text, &form), cases[i].err);
	memset(large, 'a', sizeof(large));
	assert_int_equal(report_form_read(large, REPORT_FORM_MAX + 1, &form), -EBADMSG);
	assert_int_equal(report_form_read(large, 200, &form), -EBADMSG);
	assert_int_equal(report_form_read("component=a\0b&symptom=slow", 26, &form), -EBADMSG);
	assert_int_equal(read_text("region=%c3%a9&symptom=slow&component=a", &form), -EINVAL); /* UTF-8, of no list */
}

static char *shown(const struct report_form_page *page)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(report_form_write(out, page), 0);
	(void)fclose(out);
	return text;
}

static void pages_are_shown(void **state)
{
	const struct report_form_component components[] = { { "login", "<Log&in>" }, { "shop", "Shop" } };
	const struct report_form filled = { .component = "shop", .symptom = SYMPTOM_SLOW, .region = "DE" };
	struct report_form_page page = {
		.language = LANGUAGE_FR, .title = "Example & Co", .whole = "service", .nonce = "0123"
	};
	char *text = shown(&page);

	(void)state;
	assert_string_equal(report_form_path(LANGUAGE_FR), "/fr/report");
	assert_non_null(strstr(text, "<html lang=\"fr\">"));
	assert_non_null(strstr(text, "Signaler un probl"));
	assert_non_null(strstr(text, "type=\"hidden\" name=\"component\" value=\"service\""));
	assert_non_null(strstr(text, "name=\"nonce\" value=\"0123\""));
	assert_null(strstr(text, "<script"));
	assert_null(strstr(text, "Example & Co"));
	assert_null(strstr(text, "fournisseur"));
	free(text);
	page.located = true;
	text = shown(&page);
	assert_non_null(strstr(text, "réseau de votre fournisseur"));
	assert_non_null(strstr(text, "<option value=\"\">Non précisé : le pays se déduit de l’adresse"));
	free(text);
	page = (struct report_form_page){ .language = LANGUAGE_EN,
		                          .state = REPORT_FORM_AGAIN,
		                          .title = "",
		                          .components = components,
		                          .components_count = 2,
		                          .nonce = "0123",
		                          .filled = &filled };
	text = shown(&page);
	assert_non_null(strstr(text, "value=\"shop\" checked"));
	assert_non_null(strstr(text, "value=\"slow\" checked"));
	assert_non_null(strstr(text, "value=\"DE\" selected"));
	assert_non_null(strstr(text, "&lt;Log&amp;in&gt;"));
	assert_non_null(strstr(text, "Please send it again"));
	free(text);
	page.state = REPORT_FORM_TAKEN;
	text = shown(&page);
	assert_null(strstr(text, "<form"));
	assert_non_null(strstr(text, "Thank you"));
	free(text);
}

static unsigned taken;
static struct nel_report last;

static void take(void *context, const struct nel_report *report)
{
	(void)context;
	taken++;
	last = *report;
}

#define NEL(url, age, phase, type, more)                                                               \
	"{\"age\":" age ",\"type\":\"network-error\",\"url\":\"" url "\",\"body\":{\"phase\":\"" phase \
	"\",\"type\":\"" type "\"" more "}}"

static struct nel_counts nel(const char *text)
{
	struct nel_counts counts;

	taken = 0;
	assert_int_equal(nel_read(text, strlen(text), take, NULL, &counts), 0);
	assert_int_equal(taken, counts.taken);
	return counts;
}

static void browsers_are_read(void **state)
{
	(void)state;
	assert_int_equal(nel("[" NEL("https://WWW.Example.org:8443/a?b", "420", "connection", "tcp.timed_out",
	                             ",\"sampling_fraction\":0.05") "]")
	                         .taken,
	                 1);
	assert_string_equal(last.host, "www.example.org");
	assert_string_equal(last.type, "tcp.timed_out");
	assert_int_equal(last.meaning, NEL_BAD);
	assert_int_equal(last.weight, 20);
	assert_int_equal(nel("[" NEL("https://[2001:db8::1]/", "0", "application", "ok", "") "]").taken, 1);
	assert_string_equal(last.host, "[2001:db8::1]");
	assert_int_equal(last.meaning, NEL_GOOD);
	assert_int_equal(last.weight, 1);
	nel("[" NEL("http://a.example/", "0", "application", "http.error", ",\"status_code\":404") "]");
	assert_int_equal(last.meaning, NEL_NEUTRAL);
	nel("[" NEL("http://a.example/", "0", "application", "http.error", ",\"status_code\":503") "]");
	assert_int_equal(last.meaning, NEL_BAD);
	nel("[" NEL("http://a.example/", "0", "dns", "abandoned", ",\"sampling_fraction\":1e-300") "]");
	assert_int_equal(last.meaning, NEL_NEUTRAL);
	assert_int_equal(last.weight, NEL_WEIGHT_MAX);
	assert_int_equal(nel("[]").taken, 0);
}

static void browsers_are_refused(void **state)
{
	static const char *const wrong[] = {
		"[{}]",
		"[1]",
		"[null]",
		"[[]]",
		"[{\"type\":\"network-error\"}]",
		"[" NEL("ftp://a/", "0", "dns", "dns.failed", "") "]",
		"[" NEL("https:///", "0", "dns", "dns.failed", "") "]",
		"[" NEL("https://a b/", "0", "dns", "dns.failed", "") "]",
		"[" NEL("https://[2001:db8::1", "0", "dns", "dns.failed", "") "]",
		"[" NEL("https://a/", "-1", "dns", "dns.failed", "") "]",
		"[" NEL("https://a/", "0.5", "dns", "dns.failed", "") "]",
		"[" NEL("https://a/", "0", "application", "dns.failed", "") "]",
		"[" NEL("https://a/", "0", "moon", "abandoned", "") "]",
		"[" NEL("https://a/", "0", "dns", "dns.failed", ",\"sampling_fraction\":0") "]",
		"[" NEL("https://a/", "0", "dns", "dns.failed", ",\"sampling_fraction\":1.5") "]",
		"[" NEL("https://a/", "0", "dns", "dns.failed", ",\"sampling_fraction\":\"1\"") "]",
	};
	static const char *const none[] = { "", "{}", "[", "1", "[1}", "\xff", "[\"\xff\"]" };
	struct nel_counts counts;
	char many[NEL_BODY_MAX + 2], *at = many;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		counts = nel(wrong[i]);
		assert_int_equal(counts.wrong, 1);
		assert_int_equal(counts.taken, 0);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(nel_read(none[i], strlen(none[i]), take, NULL, &counts), -EBADMSG);
	assert_int_equal(nel("[{\"type\":\"csp-violation\"}]").other, 1);
	assert_int_equal(nel("[" NEL("https://a/", "0", "dns", "dns.new", "") "]").unknown, 1);
	assert_int_equal(nel("[" NEL("https://a/", "900001", "dns", "dns.failed", "") "]").late, 1);
	at += sprintf(at, "[");
	for (unsigned i = 0; i < NEL_REPORTS_MAX + 3; i++)
		at += sprintf(at, "%s" NEL("https://a/", "0", "dns", "dns.failed", ""), i ? "," : "");
	(void)sprintf(at, "]");
	counts = nel(many);
	assert_int_equal(counts.taken, NEL_REPORTS_MAX);
	assert_int_equal(counts.left_out, 3);
	memset(many, ' ', sizeof(many));
	assert_int_equal(nel_read(many, NEL_BODY_MAX + 1, take, NULL, &counts), -EBADMSG);
}

static void headers_are_made(void **state)
{
	struct nel_policy policy = { .url = "https://status.example.org",
		                     .success_ppm = 50000,
		                     .failure_ppm = 1000000 };
	static const char *const wrong[] = { "http://a.example", "https://a.example/", "https://a'b",
		                             "https://a\nb",     "https://a\"",        "" };
	char text[NEL_HEADERS_SIZE];
	enum nel_server server;

	(void)state;
	assert_int_equal(nel_headers(&policy, NEL_PLAIN, text), 0);
	assert_string_equal(text, "Reporting-Endpoints: holdfast=\"https://status.example.org/nel\"\n"
	                          "Report-To: {\"group\":\"holdfast\",\"max_age\":604800,\"endpoints\":"
	                          "[{\"url\":\"https://status.example.org/nel\"}]}\n"
	                          "NEL: {\"report_to\":\"holdfast\",\"max_age\":604800,\"success_fraction\":0.050000,"
	                          "\"failure_fraction\":1}\n");
	policy.subdomains = true;
	assert_true(nel_server_find("nginx", &server));
	assert_false(nel_server_find("iis", &server));
	assert_int_equal(nel_headers(&policy, server, text), 0);
	assert_non_null(strstr(text, "add_header NEL '{\"report_to\""));
	assert_non_null(strstr(text, "\"include_subdomains\":true}' always;\n"));
	assert_string_equal(nel_server_name(NEL_HAPROXY), "haproxy");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		policy.url = wrong[i];
		assert_int_equal(nel_headers(&policy, NEL_PLAIN, text), -EINVAL);
	}
	policy.url = "https://status.example.org";
	policy.failure_ppm = 1000001;
	assert_int_equal(nel_headers(&policy, NEL_PLAIN, text), -EINVAL);
}

static void gatus_is_read(void **state)
{
	static const struct {
		const char *path, *success, *duration;
		int err;
		uint32_t ms;
	} cases[] = {
		{ "/api/v1/endpoints/core_web/external", "true", "1.5s", 0, 1500 },
		{ "/api/v1/endpoints/core_web/external", "false", "1h", 0, 3600000 },
		{ "/api/v1/endpoints/core_web/external", "false", "1m2.25s3ms", 0, 62253 },
		{ "/api/v1/endpoints/core_web/external", "false", "1500000ns", 0, 1 },
		{ "/api/v1/endpoints/core_web/external", "false", "2000µs", 0, 2 },
		{ "/api/v1/endpoints/core_web/external", "false", "2000μs", 0, 2 },
		{ "/api/v1/endpoints/core_web/external", "true", NULL, 0, 0 },
		{ "/api/v1/endpoints/core_web/external", "true", "", 0, 0 },
		{ "/api/v1/endpoints/core_web/external", "true", "0", 0, 0 },
		{ "/api/v1/endpoints/core_web/external", "true", "1", -EINVAL, 0 },
		{ "/api/v1/endpoints/core_web/external", "true", "s", -EINVAL, 0 },
		{ "/api/v1/endpoints/core_web/external", "true", "-1s", -EINVAL, 0 },
		{ "/api/v1/endpoints/core_web/external", "true", "2h", -EINVAL, 0 },
		{ "/api/v1/endpoints/core_web/external", "true", "59m61s", -EINVAL, 0 },
		{ "/api/v1/endpoints/core_web/external", "true", "999999999h", -EINVAL, 0 },
		{ "/api/v1/endpoints/core_web/external", "true", "1234567890s", -EINVAL, 0 },
		{ "/api/v1/endpoints/core_web/external", "True", "1s", -EINVAL, 0 },
		{ "/api/v1/endpoints/core_web/external", NULL, "1s", -EINVAL, 0 },
		{ "/api/v1/endpoints//external", "true", "1s", -ENOENT, 0 },
		{ "/api/v1/endpoints/Core/external", "true", "1s", -ENOENT, 0 },
		{ "/api/v1/endpoints/a/b/external", "true", "1s", -ENOENT, 0 },
		{ "/api/v1/endpoints/core", "true", "1s", -ENOENT, 0 },
		{ "/api/v1/endpoints/a23456789012345678901234567890123/external", "true", "1s", -ENOENT, 0 },
	};
	struct gatus_report report;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int err = gatus_read(cases[i].path, cases[i].success, cases[i].duration, &report);

		if (err != cases[i].err || (!err && report.ms != cases[i].ms))
			fail_msg("%s %s: %d", cases[i].path, cases[i].duration ? cases[i].duration : "(none)", err);
	}
	assert_int_equal(gatus_read(cases[0].path, "true", "1s", &report), 0);
	assert_string_equal(report.component, "core-web");
	assert_true(report.success);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_read),      cmocka_unit_test(bodies_are_refused),
		cmocka_unit_test(pages_are_shown),      cmocka_unit_test(browsers_are_read),
		cmocka_unit_test(browsers_are_refused), cmocka_unit_test(headers_are_made),
		cmocka_unit_test(gatus_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
