/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the public role answers, without its process and without a socket: requests are made up, of every wrong size,
 * type, encoding and language; nonces and reports come again; what is bounded is filled; and the page's folder has in
 * it what nobody should be given.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/site.h"
#include "tell/nel.h"
#include "tell/probe_report.h"
#include "tell/report_form.h"

#define NOW_S INT64_C(1795788000)
#define NOW_MS INT64_C(5000000)
#define FIELDS_MAX 6
#define KEY "0123456789abcdef0123456789abcdef"
#define TOKEN "a-token-for-gatus"
#define GATUS "/api/v1/endpoints/web/external"

static char folder[32];
static struct config config;
static struct site *site;
static int64_t now_s, now_ms;
static int desk_says; /* to what it is asked */
static unsigned desk_asked;

/* ---- requests ---- */

static struct made_field {
	const char *name, *value;
} fields[FIELDS_MAX], query[FIELDS_MAX];
static struct http_server_reply reply;
static const char *source = "192.0.2.1";

const char *__wrap_http_server_header(const struct http_server_request *request, const char *name);
const char *__wrap_http_server_query(const struct http_server_request *request, const char *name);

static const char *look_up(const struct made_field *of, const char *name)
{
	for (unsigned i = 0; i < FIELDS_MAX && of[i].name; i++)
		if (strcasecmp(of[i].name, name) == 0)
			return of[i].value;
	return NULL;
}

const char *__wrap_http_server_header(const struct http_server_request *request, const char *name)
{
	(void)request;
	return look_up(fields, name);
}

const char *__wrap_http_server_query(const struct http_server_request *request, const char *name)
{
	(void)request;
	return look_up(query, name);
}

static struct address address_of(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	return prefix.address;
}

/* The status; 0 where the answer is a file's, or that there is none. Fields and query are gone afterwards. */
static unsigned ask_octets(enum http_server_method method, const char *path, const char *body, size_t length)
{
	char *copy = malloc(length + 1); /* for a sanitizer to see what is read beyond its end */
	struct http_server_request request = {
		.method = method, .path = path, .body = copy, .body_length = length, .peer = address_of(source)
	};

	assert_non_null(copy);
	memcpy(copy, body, length);
	copy[length] = '\0';
	memset(&reply, 0, sizeof(reply));
	site_answer(site, &request, &reply);
	free(copy);
	memset(fields, 0, sizeof(fields));
	memset(query, 0, sizeof(query));
	assert_true(reply.page || reply.fields_count <= HTTP_SERVER_REPLY_FIELDS_MAX);
	return reply.status;
}

static unsigned ask(enum http_server_method method, const char *path, const char *body)
{
	return ask_octets(method, path, body, strlen(body));
}

static unsigned post(const char *path, const char *type, const char *body)
{
	fields[FIELDS_MAX - 1] = (struct made_field){ "Content-Type", type };
	for (unsigned i = 0; i < FIELDS_MAX - 1; i++)
		if (!fields[i].name) {
			fields[i] = fields[FIELDS_MAX - 1];
			break;
		}
	return ask(HTTP_SERVER_POST, path, body);
}

static const char *field(const char *name)
{
	for (unsigned i = 0; i < reply.fields_count; i++)
		if (strcasecmp(reply.fields[i].name, name) == 0)
			return reply.fields[i].value;
	return "";
}

static void pass(int64_t seconds)
{
	now_s += seconds;
	now_ms += seconds * 1000;
	site_set_time(site, (struct capture_time){ now_s * NS_PER_S }, now_ms);
}

/* A nonce out of a new form. */
static const char *nonce(void)
{
	static char text[INTAKE_NONCE_TEXT_SIZE];
	const char *at;

	assert_int_equal(ask(HTTP_SERVER_GET, "/en/report", ""), 200);
	at = strstr(reply.body, "name=\"nonce\" value=\"");
	assert_non_null(at);
	(void)snprintf(text, sizeof(text), "%s", strchr(at, '=') + strlen("\"nonce\" value=\"") + 1);
	return text;
}

static unsigned send_form(const char *component, const char *given)
{
	char body[256];

	(void)snprintf(body, sizeof(body), "component=%s&symptom=slow&nonce=%s", component, given);
	return post("/report", REPORT_FORM_TYPE, body);
}

/* What counts, of all that was drained. */
static struct report_count drained(struct signal_count *signals)
{
	struct report_count sum = { .raw = 0 };
	struct serve_message message;

	memset(signals, 0, sizeof(*signals));
	while (site_drain(site, &message))
		if (message.type == SERVE_REPORTS)
			for (uint32_t i = 0; i < message.reports.count; i++) {
				sum.raw += message.reports.reports[i].raw;
				sum.accepted += message.reports.reports[i].accepted;
			}
		else
			for (uint32_t i = 0; i < message.signals.count; i++) {
				signals->good += message.signals.signals[i].good;
				signals->bad += message.signals.signals[i].bad;
				signals->network = message.signals.signals[i].network;
			}
	return sum;
}

/* ---- files ---- */

static void put_file(const char *name, const char *octets)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(octets, 1, strlen(octets), file), strlen(octets));
	assert_int_equal(fclose(file), 0);
}

static const char *path_of(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void make_large(const char *name, off_t size)
{
	put_file(name, "");
	assert_int_equal(truncate(path_of(name), size), 0);
}

/* ---- life ---- */

static int ask_desk(void *context, const struct serve_message *message)
{
	(void)context;
	assert_int_equal(message->type, SERVE_SUBSCRIBE);
	desk_asked++;
	return desk_says;
}

static void begin_with(const char *sections, const char *gatus_key)
{
	static struct config_errors errors;
	static const char *const keys[] = { KEY, "another-key-of-another-place" };
	struct site_options options = {
		.config = &config, .gatus_key = gatus_key, .vantage_keys = keys, .ask = ask_desk
	};
	char text[1024];

	(void)snprintf(
		text, sizeof(text),
		"page: { title: Example, title_fr: Exemple, url: \"https://status.example.org\", directory: %s }\n%s",
		folder, sections);
	memset(&errors, 0, sizeof(errors));
	if (config_parse(text, strlen(text), "c.yaml", &config, &errors) != 0)
		fail_msg("%s", errors.lines[0]);
	now_s = NOW_S;
	now_ms = NOW_MS;
	desk_says = 0;
	desk_asked = 0;
	source = "192.0.2.1";
	memset(options.key, 7, sizeof(options.key));
	assert_int_equal(site_new(&options, (struct capture_time){ now_s * NS_PER_S }, now_ms, &site), 0);
}

static void begin(void)
{
	begin_with("public:\n  listen: [\"127.0.0.1:8080\"]\n  component: service\n  gatus_key_file: /nonexistent/g\n"
	           "  sites: [{ host: www.example.org, component: web }]\n"
	           "  vantages: [{ name: paris-1, network: 64500, key_file: /nonexistent/a },"
	           " { name: rome-1, network: 64501, key_file: /nonexistent/b }]\n",
	           TOKEN);
}

static void end(void)
{
	site_free(site);
	config_fini(&config);
}

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/holdfast-site-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

/* ---- routes ---- */

static void methods(void **state)
{
	static const struct {
		enum http_server_method method;
		const char *path;
		unsigned status;
		const char *allow;
	} cases[] = {
		{ HTTP_SERVER_HEAD, "/report", 200, "" },
		{ HTTP_SERVER_OTHER, "/report", 405, "GET, HEAD, POST" },
		{ HTTP_SERVER_OPTIONS, "/fr/report", 405, "GET, HEAD, POST" },
		{ HTTP_SERVER_GET, NEL_PATH, 405, "POST, OPTIONS" },
		{ HTTP_SERVER_GET, GATUS, 405, "POST" },
		{ HTTP_SERVER_HEAD, PROBE_REPORT_PATH, 405, "POST" },
		{ HTTP_SERVER_POST, "/", 405, "GET, HEAD" },
		{ HTTP_SERVER_OTHER, "/index.html", 405, "GET, HEAD" },
		{ HTTP_SERVER_POST, "/subscribe", 405, "GET, HEAD" }, /* without mail there is no such thing */
		{ HTTP_SERVER_POST, "/report/", 405, "GET, HEAD" },
		{ HTTP_SERVER_OPTIONS, "", 405, "GET, HEAD" },
	};
	unsigned refused = 0;

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned status = ask(cases[i].method, cases[i].path, "");

		if (status != cases[i].status || strcmp(field("Allow"), cases[i].allow) != 0)
			fail_msg("%s: %u, allows %s", cases[i].path, status, field("Allow"));
		assert_non_null(strstr(field("Content-Security-Policy"), "default-src 'none'"));
		refused += cases[i].status == 405;
	}
	assert_int_equal(site_counts(site).refused_method, refused);
	end();
}

static void languages(void **state)
{
	static const struct {
		const char *path, *wanted;
		bool french;
	} cases[] = {
		{ "/report", NULL, false },
		{ "/report", "", false },
		{ "/report", "fr", true },
		{ "/report", "FR-CA, en;q=0.1", true },
		{ "/report", "en-GB, fr;q=0.9", false },
		{ "/report", "xx, \xff\xfe, ;;;q=", false },
		{ "/report", "*", false },
		{ "/fr/report", "en", true },
		{ "/en/report", "fr", false },
	};

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fields[0] = (struct made_field){ cases[i].wanted ? "Accept-Language" : NULL, cases[i].wanted };
		assert_int_equal(ask(HTTP_SERVER_GET, cases[i].path, ""), 200);
		if (!strstr(reply.body, cases[i].french ? "<html lang=\"fr\"" : "<html lang=\"en\""))
			fail_msg("%s %s", cases[i].path, cases[i].wanted ? cases[i].wanted : "-");
	}
	end();
}

/* ---- the form ---- */

static void bodies(void **state)
{
	static const struct {
		const char *type, *body;
		size_t length; /* 0: the text's */
		unsigned status;
	} cases[] = {
		{ REPORT_FORM_TYPE, "", 0, 400 },
		{ REPORT_FORM_TYPE, "component=service", 0, 400 },
		{ REPORT_FORM_TYPE, "component=%ff&symptom=slow", 0, 400 },
		{ REPORT_FORM_TYPE, "component=service\0&symptom=slow", 31, 400 },
		{ REPORT_FORM_TYPE, "component=\xc3\xa9&symptom=slow", 0, 400 },
		{ REPORT_FORM_TYPE, "component=service&symptom=slow&script=1", 0, 400 },
		{ REPORT_FORM_TYPE, "component=service&symptom=slow&symptom=slow", 0, 400 },
		{ REPORT_FORM_TYPE, "component=moon&symptom=slow", 0, 400 },
		{ REPORT_FORM_TYPE, "component=service&symptom=slow", 0, 409 }, /* well formed: it lacks a nonce */
		{ REPORT_FORM_TYPE "; charset=utf-8", "component=service&symptom=slow", 0, 409 },
		{ "APPLICATION/X-WWW-FORM-URLENCODED", "component=service&symptom=slow", 0, 409 },
		{ REPORT_FORM_TYPE "ed", "component=service&symptom=slow", 0, 415 },
		{ "multipart/form-data; boundary=x", "--x--", 0, 415 },
		{ "application/json", "{}", 0, 415 },
		{ "text/plain", "component=service&symptom=slow", 0, 415 },
		{ "", "component=service&symptom=slow", 0, 415 },
		{ NULL, "component=service&symptom=slow", 0, 415 },
	};
	char large[REPORT_FORM_MAX + 1];
	struct signal_count signals;

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t length = cases[i].length ? cases[i].length : strlen(cases[i].body);
		unsigned status;

		if (cases[i].type)
			fields[0] = (struct made_field){ "Content-Type", cases[i].type };
		status = ask_octets(HTTP_SERVER_POST, "/report", cases[i].body, length);
		if (status != cases[i].status)
			fail_msg("%s %s: %u", cases[i].type ? cases[i].type : "-", cases[i].body, status);
	}
	memset(large, 'x', sizeof(large));
	fields[0] = (struct made_field){ "Content-Type", REPORT_FORM_TYPE };
	assert_int_equal(ask_octets(HTTP_SERVER_POST, "/report", large, sizeof(large)), 413);
	fields[0] = (struct made_field){ "Content-Type", REPORT_FORM_TYPE };
	assert_int_equal(ask_octets(HTTP_SERVER_POST, "/report", large, sizeof(large) - 1), 400);
	assert_int_equal(drained(&signals).raw, 0);
	assert_int_equal(site_counts(site).reports, 0);
	assert_int_equal(site_counts(site).refused_type, 6);
	end();
}

/* A nonce is good once, in its time; who comes too often is thanked like others, and does not count. */
static void nonces(void **state)
{
	char first[INTAKE_NONCE_TEXT_SIZE], kept[INTAKE_NONCE_TEXT_SIZE], turned[INTAKE_NONCE_TEXT_SIZE];
	uint8_t key[INTAKE_KEY_SIZE] = { 9 };
	struct signal_count signals;
	struct report_count sum;

	(void)state;
	begin();
	memcpy(first, nonce(), sizeof(first));
	assert_int_equal(send_form("service", first), 409); /* at once */
	pass(INTAKE_NONCE_EARLY_S);
	assert_int_equal(send_form("service", first), 200);
	assert_int_equal(send_form("service", first), 409);
	assert_non_null(strstr(reply.body, "value=\"slow\" checked"));
	source = "203.0.113.9"; /* nor from elsewhere */
	assert_int_equal(send_form("service", first), 409);
	assert_int_equal(send_form("service", ""), 409);
	assert_int_equal(send_form("service", "zz"), 409);
	memcpy(turned, nonce(), sizeof(turned));
	pass(INTAKE_NONCE_EARLY_S);
	turned[0] = turned[0] == '0' ? '1' : '0';
	assert_int_equal(send_form("service", turned), 409);
	memcpy(kept, nonce(), sizeof(kept));
	pass(INTAKE_NONCE_LATE_S + 1);
	assert_int_equal(send_form("service", kept), 409);
	/* Another key: what was given out by the one before is good as long as it would have been. */
	assert_false(site_key_due(site));
	pass(INTAKE_KEY_S);
	assert_true(site_key_due(site));
	memcpy(kept, nonce(), sizeof(kept));
	site_rekey(site, key);
	assert_false(site_key_due(site));
	pass(INTAKE_NONCE_EARLY_S);
	assert_int_equal(send_form("service", kept), 200);
	for (unsigned i = 0; i < 2 * INTAKE_SOURCE_MAX; i++) {
		memcpy(kept, nonce(), sizeof(kept));
		pass(INTAKE_NONCE_EARLY_S);
		assert_int_equal(send_form("service", kept), 200);
	}
	sum = drained(&signals);
	assert_int_equal(sum.raw, 2 + 2 * INTAKE_SOURCE_MAX);
	assert_int_equal(sum.accepted, 1 + INTAKE_SOURCE_MAX);
	assert_int_equal(site_intake_counts(site).results[INTAKE_NONCE_USED], 2);
	assert_int_equal(site_intake_counts(site).results[INTAKE_NONCE_LATE], 1);
	assert_int_equal(site_intake_counts(site).results[INTAKE_NONCE_EARLY], 1);
	end();
}

static void forms_of_a_second(void **state)
{
	(void)state;
	begin();
	for (unsigned i = 0; i < SITE_FORMS_SECOND; i++)
		assert_int_equal(ask(HTTP_SERVER_GET, "/report", ""), 200);
	assert_int_equal(ask(HTTP_SERVER_GET, "/report", ""), 503);
	assert_string_equal(field("Retry-After"), "60");
	assert_int_equal(send_form("service", "zz"), 503); /* nor is one taken */
	assert_int_equal(site_counts(site).forms_refused, 2);
	pass(1);
	assert_int_equal(ask(HTTP_SERVER_GET, "/report", ""), 200);
	end();
}

static void a_flood_has_reasons(void **state)
{
	char text[SERVE_TEXT_SIZE];

	(void)state;
	begin();
	assert_string_equal(site_flood(site, text), "");
	for (unsigned i = 0; i < INTAKE_FLOOD_MIN; i++) {
		char kept[INTAKE_NONCE_TEXT_SIZE];

		memcpy(kept, nonce(), sizeof(kept));
		pass(INTAKE_NONCE_EARLY_S);
		assert_int_equal(send_form("service", kept), 200);
		assert_int_equal(send_form("service", kept), 409);
		assert_int_equal(send_form("service", "ff"), 409);
	}
	assert_string_equal(site_flood(site, text), "few_sources, nonces");
	end();
}

/* ---- components ---- */

static void components(void **state)
{
	static const char some[] =
		"{\"components\": [{\"id\": \"web\", \"name\": \"Website\"}, {\"id\": \"a\", \"name\": \"A\","
		" \"group\": true}, {\"id\": \"b\", \"name\": \"B\", \"showcase\": false},"
		" {\"id\": \"Not One\", \"name\": \"C\"}, {\"id\": 4, \"name\": \"D\"}, {\"id\": \"e\"}, 7, null]}";
	static const char *const broken[] = { "", "{", "[]", "7", "{\"components\": 3}", "\xff" };

	(void)state;
	begin();
	assert_int_equal(mkdir(path_of("api"), 0755), 0);
	assert_int_equal(mkdir(path_of("api/v2"), 0755), 0);
	put_file("api/v2/components.json", some);
	assert_int_equal(send_form("web", "zz"), 409); /* it is known */
	assert_int_equal(send_form("service", "zz"), 400);
	assert_int_equal(send_form("a", "zz"), 400);
	assert_int_equal(send_form("b", "zz"), 400);
	assert_int_equal(send_form("e", "zz"), 400);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		assert_int_equal(unlink(path_of("api/v2/components.json")), 0);
		put_file("api/v2/components.json", broken[i]);
		pass(2);
		assert_int_equal(send_form("service", "zz"), 409); /* none: the whole is asked about */
		assert_int_equal(send_form("web", "zz"), 400);
	}
	put_file("api/v2/components.json", some);
	pass(2);
	assert_int_equal(send_form("web", "zz"), 409);
	assert_int_equal(unlink(path_of("api/v2/components.json")), 0);
	pass(2);
	assert_int_equal(send_form("service", "zz"), 409);
	end();
}

static void components_are_bounded(void **state)
{
	char text[COMPONENTS_MAX * 40 + 200], name[16];
	size_t length = 0;

	(void)state;
	begin();
	assert_int_equal(mkdir(path_of("api"), 0755), 0);
	assert_int_equal(mkdir(path_of("api/v2"), 0755), 0);
	for (unsigned i = 0; i < COMPONENTS_MAX + 2; i++)
		length +=
			(size_t)snprintf(text + length, sizeof(text) - length, "%s{\"id\": \"c%u\", \"name\": \"%u\"}",
		                         i ? "," : "{\"components\": [", i, i);
	(void)snprintf(text + length, sizeof(text) - length, "]}");
	put_file("api/v2/components.json", text);
	(void)snprintf(name, sizeof(name), "c%u", COMPONENTS_MAX - 1);
	assert_int_equal(send_form(name, "zz"), 409);
	(void)snprintf(name, sizeof(name), "c%u", COMPONENTS_MAX);
	assert_int_equal(send_form(name, "zz"), 400);
	end();
}

/* ---- machines ---- */

static void browsers(void **state)
{
	static const char type[] = "application/reports+json";
	static const char mixed[] =
		"[{\"age\":1,\"type\":\"network-error\",\"url\":\"https://WWW.example.org/\",\"body\":{\"phase\":\"connection\","
		"\"type\":\"tcp.timed_out\",\"sampling_fraction\":0.25}},"
		"{\"age\":1,\"type\":\"network-error\",\"url\":\"https://www.example.net/\",\"body\":{\"phase\":\"connection\","
		"\"type\":\"tcp.timed_out\"}},"
		"{\"age\":1,\"type\":\"network-error\",\"url\":\"https://www.example.org/\",\"body\":{\"phase\":\"dns\","
		"\"type\":\"abandoned\"}}, 7, {\"type\":\"csp-violation\"}]";
	char large[NEL_BODY_MAX + 1];
	struct signal_count signals;

	(void)state;
	begin();
	assert_int_equal(ask(HTTP_SERVER_OPTIONS, NEL_PATH, ""), 204);
	assert_string_equal(field("Access-Control-Allow-Origin"), "*");
	assert_int_equal(post(NEL_PATH, type, mixed), 204);
	assert_int_equal(post(NEL_PATH, type, "{}"), 400);
	assert_int_equal(post(NEL_PATH, type, ""), 400);
	assert_int_equal(post(NEL_PATH, "application/json", "[]"), 415);
	memset(large, '[', sizeof(large));
	fields[0] = (struct made_field){ "Content-Type", type };
	assert_int_equal(ask_octets(HTTP_SERVER_POST, NEL_PATH, large, sizeof(large)), 413);
	fields[0] = (struct made_field){ "Content-Type", type };
	assert_int_equal(ask_octets(HTTP_SERVER_POST, NEL_PATH, large, sizeof(large) - 1), 400);
	(void)drained(&signals);
	assert_int_equal(signals.bad, 4);
	assert_int_equal(signals.good, 0);
	assert_int_equal(site_counts(site).nel_reports, 1);
	assert_int_equal(site_counts(site).nel_passed_over, 4);
	end();
	begin_with("public: { listen: [\"127.0.0.1:8080\"], component: service, nel: false }\n", "");
	assert_int_equal(post(NEL_PATH, type, "[]"), 405); /* it is no route at all */
	end();
}

static unsigned gatus(const char *path, const char *authorization, const char *success, const char *duration)
{
	if (authorization)
		fields[0] = (struct made_field){ "Authorization", authorization };
	query[0] = (struct made_field){ "success", success };
	query[1] = (struct made_field){ "duration", duration };
	return ask(HTTP_SERVER_POST, path, "");
}

static void tokens_of_gatus(void **state)
{
	static const struct {
		const char *path, *authorization, *success, *duration;
		unsigned status;
	} cases[] = {
		{ GATUS, NULL, "true", "1s", 401 },
		{ GATUS, "", "true", "1s", 401 },
		{ GATUS, "Bearer", "true", "1s", 401 },
		{ GATUS, "Bearer ", "true", "1s", 401 },
		{ GATUS, "Bearer " TOKEN "x", "true", "1s", 401 },
		{ GATUS, "Basic " TOKEN, "true", "1s", 401 },
		{ GATUS, TOKEN, "true", "1s", 401 },
		{ "/api/v1/endpoints/UP/external", "Bearer " TOKEN, "true", "1s", 404 },
		{ "/api/v1/endpoints/", "Bearer " TOKEN, "true", "1s", 404 },
		{ GATUS, "Bearer " TOKEN, NULL, "1s", 400 },
		{ GATUS, "Bearer " TOKEN, "maybe", "1s", 400 },
		{ GATUS, "Bearer " TOKEN, "true", "for ever", 400 },
		{ GATUS, "bearer " TOKEN, "true", "1.5s", 200 },
	};

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned status = gatus(cases[i].path, cases[i].authorization, cases[i].success, cases[i].duration);

		if (status != cases[i].status)
			fail_msg("%zu: %u", i, status);
	}
	assert_int_equal(site_counts(site).refused_key, 7);
	assert_int_equal(site_counts(site).gatus, 1);
	end();
	begin_with("public: { listen: [\"127.0.0.1:8080\"], component: service }\n", ""); /* no token, no Gatus */
	assert_int_equal(gatus(GATUS, "Bearer ", "true", "1s"), 404);
	end();
}

static void signals_are_bounded(void **state)
{
	struct signal_count signals;

	(void)state;
	begin();
	for (unsigned i = 0; i < SITE_SIGNALS_MAX; i++)
		assert_int_equal(gatus(GATUS, "Bearer " TOKEN, "false", "1s"), 200);
	assert_int_equal(gatus(GATUS, "Bearer " TOKEN, "false", "1s"), 503);
	assert_int_equal(site_counts(site).signals_refused, 1);
	(void)drained(&signals);
	assert_int_equal(signals.bad, SITE_SIGNALS_MAX);
	assert_int_equal(gatus(GATUS, "Bearer " TOKEN, "false", "1s"), 200);
	end();
}

/* A report of a place elsewhere, signed; what NULL stands for is left out. */
static unsigned probe(const char *name, const char *key, int64_t timestamp_s, const char *timestamp, const char *body)
{
	char signature[DIGEST_SHA256_TEXT_SIZE], number[32];

	(void)snprintf(number, sizeof(number), "%lld", (long long)timestamp_s);
	probe_report_sign(key, strlen(key), timestamp_s, body, strlen(body), signature);
	fields[0] = (struct made_field){ "holdfast-timestamp", timestamp ? timestamp : number };
	fields[1] = (struct made_field){ "holdfast-signature", signature };
	fields[2] = (struct made_field){ name ? "holdfast-vantage" : NULL, name };
	return post(PROBE_REPORT_PATH, "application/json", body);
}

static const char *report_of(const char *vantage, const char *id)
{
	static char text[512];

	(void)snprintf(
		text, sizeof(text),
		"{\"schema\": \"holdfast.probe/1\", \"id\": \"%s\", \"vantage\": \"%s\", \"signals\": [{\"bucket\":"
		" \"2026-11-27T14:00:00Z\", \"component\": \"web\", \"kind\": \"probe\", \"good\": 3, \"bad\": 1,"
		" \"value\": 20}]}",
		id, vantage);
	return text;
}

#define ID "0123456789abcdef0123456789abcdef"

static void reports_from_elsewhere(void **state)
{
	static const char rome[] = "another-key-of-another-place";
	struct signal_count signals;
	const char *body;
	char large[PROBE_REPORT_SIZE_MAX + 2];

	(void)state;
	begin();
	body = report_of("paris-1", ID);
	assert_int_equal(probe(NULL, KEY, now_s, NULL, body), 401);
	assert_int_equal(probe("nobody", KEY, now_s, NULL, body), 401);
	assert_int_equal(probe("paris-1", rome, now_s, NULL, body), 401);
	assert_int_equal(probe("paris-1", "", now_s, NULL, body), 401);
	assert_int_equal(probe("paris-1", KEY, now_s - PROBE_REPORT_SKEW_S - 1, NULL, body), 401);
	assert_int_equal(probe("paris-1", KEY, now_s + PROBE_REPORT_SKEW_S + 1, NULL, body), 401);
	assert_int_equal(probe("paris-1", KEY, now_s, "", body), 401);
	assert_int_equal(probe("paris-1", KEY, now_s, "-1", body), 401);
	assert_int_equal(probe("paris-1", KEY, now_s, "1e9", body), 401);
	assert_int_equal(probe("paris-1", KEY, now_s, "9999999999999999999999", body), 401);
	assert_int_equal(probe("paris-1", KEY, now_s, " 1", body), 401);
	assert_int_equal(site_counts(site).refused_key, 11);
	/* Signed, and none; or another's. */
	assert_int_equal(probe("paris-1", KEY, now_s, NULL, "{}"), 400);
	assert_int_equal(probe("paris-1", KEY, now_s, NULL, ""), 400);
	assert_int_equal(probe("rome-1", rome, now_s, NULL, body), 400);
	memset(large, ' ', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	assert_int_equal(probe("paris-1", KEY, now_s, NULL, large), 413);
	assert_int_equal(site_counts(site).refused_body, 4);
	/* Once; and the same id of another place is another's. */
	assert_int_equal(probe("paris-1", KEY, now_s, NULL, body), 204);
	assert_int_equal(probe("paris-1", KEY, now_s, NULL, body), 204);
	pass(SITE_ID_S - 1);
	assert_int_equal(probe("paris-1", KEY, now_s, NULL, body), 204);
	(void)drained(&signals);
	assert_int_equal(signals.good, 3);
	assert_int_equal(signals.network, 64500);
	assert_int_equal(probe("rome-1", rome, now_s, NULL, report_of("rome-1", ID)), 204);
	(void)drained(&signals);
	assert_int_equal(signals.network, 64501);
	pass(1);
	assert_int_equal(probe("paris-1", KEY, now_s, NULL, report_of("paris-1", ID)), 204);
	(void)drained(&signals);
	assert_int_equal(signals.good, 3);
	assert_int_equal(site_counts(site).probes, 3);
	assert_int_equal(site_counts(site).probes_again, 2);
	end();
}

/* Where there is no room it is not taken, and so neither is it known: it comes again. */
static void reports_without_room(void **state)
{
	struct signal_count signals;

	(void)state;
	begin();
	for (unsigned i = 0; i < SITE_SIGNALS_MAX; i++)
		assert_int_equal(gatus(GATUS, "Bearer " TOKEN, "true", NULL), 200);
	assert_int_equal(probe("paris-1", KEY, now_s, NULL, report_of("paris-1", ID)), 503);
	(void)drained(&signals);
	assert_int_equal(probe("paris-1", KEY, now_s, NULL, report_of("paris-1", ID)), 204);
	(void)drained(&signals);
	assert_int_equal(signals.bad, 1);
	end();
}

/* ---- subscribers ---- */

static void a_desk_that_does_not_answer(void **state)
{
	static const char body[] = "address=somebody%40example.org&lang=en";

	(void)state;
	begin_with("public: { listen: [\"127.0.0.1:8080\"], component: service }\n"
	           "mail: { smtp: \"smtp://192.0.2.25:25\", from: status@example.org, public_url: "
	           "\"https://status.example.org\" }\n",
	           "");
	assert_int_equal(ask(HTTP_SERVER_GET, "/subscribe", ""), 200);
	assert_int_equal(desk_asked, 0);
	desk_says = -EAGAIN;
	assert_int_equal(post("/subscribe", REPORT_FORM_TYPE, body), 503);
	assert_int_equal(desk_asked, 1);
	for (unsigned i = 1; i < SITE_FORMS_SECOND - 1; i++)
		(void)ask(HTTP_SERVER_GET, "/subscribe", "");
	assert_int_equal(ask(HTTP_SERVER_GET, "/subscribe", ""), 503);
	end();
}

/* ---- files ---- */

static unsigned missing(void)
{
	return (unsigned)site_page_counts(site).missing;
}

static unsigned served(void)
{
	return (unsigned)site_page_counts(site).served;
}

static void nothing_else_is_served(void **state)
{
	static const char *const paths[] = {
		"/../secret",   "/a/../../secret", "/..",         "/.",           "/.hidden",         "/a/.hidden",
		"//index.html", "/a//b.html",      "/a/./b.html", "/link",        "/linked/x",        "/pipe",
		"/a",           "/none.html",      "/none/",      "/large.html",  "/b%41.html",       "/\xc3\xa9",
		"/a b.html",    "/a\\b.html",      "/a\nb.html",  "/index.html/", "/index.html.html", "/%2e%2e/secret",
	};
	char path[SITE_FILES_PATH_MAX + 8], secret[64];

	(void)state;
	begin();
	(void)snprintf(secret, sizeof(secret), "%s/.hidden", folder);
	put_file(".hidden", "secret");
	put_file("index.html", "<html>");
	assert_int_equal(mkdir(path_of("a"), 0755), 0);
	put_file("a/.hidden", "secret");
	put_file("a/b.html", "<html>");
	assert_int_equal(symlink(secret, path_of("link")), 0);
	assert_int_equal(symlink("/etc", path_of("linked")), 0);
	assert_int_equal(mkfifo(path_of("pipe"), 0644), 0);
	make_large("large.html", SITE_FILES_FILE_MAX + 1);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		(void)ask(HTTP_SERVER_GET, paths[i], "");
		if (missing() != i + 1)
			fail_msg("%s is served", paths[i]);
	}
	assert_int_equal(served(), 0);
	assert_int_equal(site_page_counts(site).too_large, 1);
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	for (size_t length = SITE_FILES_PATH_MAX - 12; length < sizeof(path); length++) {
		path[length] = '\0';
		(void)ask(HTTP_SERVER_GET, path, "");
		assert_int_equal(served(), 0);
		path[length] = 'a';
	}
	(void)ask(HTTP_SERVER_GET, "/a/b.html", "");
	(void)ask(HTTP_SERVER_HEAD, "/", "");
	(void)ask(HTTP_SERVER_GET, "", "");
	assert_int_equal(served(), 3);
	end();
}

static void what_has_not_changed(void **state)
{
	static const struct {
		const char *name, *value;
		bool unchanged;
	} cases[] = {
		{ "If-None-Match", "*", true },     { "If-None-Match", "\"00000000000000000000000000000000\"", false },
		{ "If-None-Match", "", false },     { "If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT", false },
		{ "If-Modified-Since", "", false }, { "If-Modified-Since", "yesterday", false },
	};
	uint64_t before = 0;

	(void)state;
	begin();
	put_file("index.html", "<html>");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fields[0] = (struct made_field){ cases[i].name, cases[i].value };
		(void)ask(HTTP_SERVER_GET, "/", "");
		if (site_page_counts(site).unchanged - before != cases[i].unchanged)
			fail_msg("%s: %s", cases[i].name, cases[i].value);
		before = site_page_counts(site).unchanged;
	}
	end();
}

/* Looked at again a second later; what has gone is gone, what is another is another. */
static void files_are_exchanged(void **state)
{
	(void)state;
	begin();
	put_file("index.html", "one");
	(void)ask(HTTP_SERVER_GET, "/", "");
	assert_int_equal(site_page_counts(site).octets, 3);
	assert_int_equal(unlink(path_of("index.html")), 0);
	(void)ask(HTTP_SERVER_GET, "/", "");
	assert_int_equal(served(), 2); /* at most a second */
	pass(1);
	(void)ask(HTTP_SERVER_GET, "/", "");
	assert_int_equal(missing(), 1);
	assert_int_equal(site_page_counts(site).octets, 0);
	put_file("index.html", "longer");
	(void)ask(HTTP_SERVER_GET, "/", "");
	assert_int_equal(site_page_counts(site).octets, 6);
	assert_int_equal(mkdir(path_of("fr"), 0755), 0);
	put_file("fr/index.html", "fr");
	assert_int_equal(ask(HTTP_SERVER_GET, "/fr", ""), 301);
	assert_string_equal(field("Location"), "/fr/");
	end();
}

static void files_are_bounded(void **state)
{
	const unsigned large = SITE_FILES_OCTETS_MAX / SITE_FILES_FILE_MAX;
	char name[32];

	(void)state;
	begin();
	for (unsigned i = 0; i <= SITE_FILES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "f%u.txt", i);
		put_file(name, "x");
		(void)snprintf(name, sizeof(name), "/f%u.txt", i);
		now_ms++;
		site_set_time(site, (struct capture_time){ now_s * NS_PER_S }, now_ms);
		(void)ask(HTTP_SERVER_GET, name, "");
	}
	assert_int_equal(site_page_counts(site).pushed_out, 1);
	assert_int_equal(site_page_counts(site).octets, SITE_FILES_MAX);
	assert_int_equal(unlink(path_of("f1.txt")), 0);
	(void)ask(HTTP_SERVER_GET, "/f1.txt", ""); /* still held: the one before it went */
	assert_int_equal(served(), SITE_FILES_MAX + 2);
	for (unsigned i = 0; i <= large; i++) {
		(void)snprintf(name, sizeof(name), "l%u.txt", i);
		make_large(name, SITE_FILES_FILE_MAX);
		(void)snprintf(name, sizeof(name), "/l%u.txt", i);
		pass(1);
		(void)ask(HTTP_SERVER_GET, name, "");
		assert_true(site_page_counts(site).octets <= SITE_FILES_OCTETS_MAX);
	}
	assert_int_equal(site_page_counts(site).octets, large * SITE_FILES_FILE_MAX);
	end();
}

static void no_page_yet(void **state)
{
	(void)state;
	begin();
	assert_int_equal(rmdir(folder), 0);
	(void)ask(HTTP_SERVER_GET, "/", "");
	assert_int_equal(missing(), 1);
	assert_int_equal(send_form("service", "zz"), 409);
	assert_int_equal(mkdir(folder, 0755), 0);
	put_file("index.html", "<html>");
	(void)ask(HTTP_SERVER_GET, "/", "");
	assert_int_equal(served(), 1);
	end();
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(methods),
		CASE(languages),
		CASE(bodies),
		CASE(nonces),
		CASE(forms_of_a_second),
		CASE(a_flood_has_reasons),
		CASE(components),
		CASE(components_are_bounded),
		CASE(browsers),
		CASE(tokens_of_gatus),
		CASE(signals_are_bounded),
		CASE(reports_from_elsewhere),
		CASE(reports_without_room),
		CASE(a_desk_that_does_not_answer),
		CASE(nothing_else_is_served),
		CASE(what_has_not_changed),
		CASE(files_are_exchanged),
		CASE(files_are_bounded),
		CASE(no_page_yet),
	};

	return cmocka_run_group_tests_name("site", tests, NULL, NULL);
}
