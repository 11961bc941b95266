/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the console answers, without its process and without a socket: requests are made up, and the clock is the
 * test's. What is due is looked at to the second, who may do what by two people's sessions, and what is refused before
 * anything is read.
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

#include <cmocka.h>
#include <sqlite3.h>

#include "daemon/console_site.h"

#define NOW (INT64_C(1795788000) * NS_PER_S) /* 2026-11-27 14:00 */
#define MINUTE (60 * NS_PER_S)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define FIELDS_MAX 8
#define INCIDENT "00000000000000aa"

static char folder[32];
static struct console_site *site;
static int64_t now_ns;
static int random_result;
static uint8_t random_next;

/* ---- requests ---- */

static struct made_field {
	const char *name, *value;
} fields[FIELDS_MAX], query[FIELDS_MAX];
static struct http_server_reply reply;
static char cookie[2 * CONSOLE_SECRET_SIZE], host[32];
static const struct console_session *session; /* who asks; NULL: nobody is signed in */

const char *__wrap_http_server_header(const struct http_server_request *request, const char *name);
const char *__wrap_http_server_query(const struct http_server_request *request, const char *name);

static const char *look_up(const struct made_field *of, const char *name)
{
	for (unsigned i = 0; i < FIELDS_MAX; i++)
		if (of[i].name && strcasecmp(of[i].name, name) == 0)
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

/* The status; the page is in site->body until the next. */
static unsigned ask(enum http_server_method method, const char *path, const char *body)
{
	struct http_server_request request = {
		.method = method, .path = path, .body = body, .body_length = strlen(body)
	};

	fields[0] = (struct made_field){ "Host", host };
	fields[1] = (struct made_field){ "Cookie", cookie };
	if (!fields[2].name)
		fields[2] = (struct made_field){ "Content-Type", "application/x-www-form-urlencoded" };
	memset(&reply, 0, sizeof(reply));
	console_site_handle(site, &request, &reply);
	memset(fields, 0, sizeof(fields));
	memset(query, 0, sizeof(query));
	return reply.status;
}

static unsigned get(const char *path)
{
	return ask(HTTP_SERVER_GET, path, "");
}

static unsigned get_asking(const char *path, const char *name, const char *value)
{
	query[0] = (struct made_field){ name, value };
	return get(path);
}

/* A form of the session that asks. */
static unsigned post(const char *path, const char *form)
{
	char body[2048];

	(void)snprintf(body, sizeof(body), "csrf=%s&%s", session ? session->csrf : "", form);
	return ask(HTTP_SERVER_POST, path, body);
}

static const char *main_of(const char *page)
{
	const char *at = strstr(page, "class=\"alarm");

	at = at ? at : strstr(page, "<main");
	return at ? at : page;
}

static void has(const char *words)
{
	if (!site->body || !strstr(site->body, words))
		fail_msg("'%s' is not in %.900s", words, site->body ? main_of(site->body) : "nothing");
}

static void has_not(const char *words)
{
	if (site->body && strstr(site->body, words))
		fail_msg("'%s' is in %s", words, site->body);
}

/* By the token of that name, which is 64 times its first letter. */
static unsigned sign_in(char letter, const char *language)
{
	char body[128];
	unsigned status;

	(void)snprintf(body, sizeof(body), "token=%064d&lang=%s", 0, language);
	memset(body + 6, letter, 64);
	cookie[0] = '\0';
	session = NULL;
	status = ask(HTTP_SERVER_POST, "/sign-in", body);
	if (status != 303)
		return status;
	(void)snprintf(cookie, sizeof(cookie), "%.*s", (int)strcspn(site->cookie, ";"), site->cookie);
	session = console_door_find(&site->door, cookie + strlen(CONSOLE_COOKIE "="), now_ns);
	assert_non_null(session);
	return status;
}

/* ---- a console ---- */

static int64_t wall(void *context)
{
	(void)context;
	return now_ns;
}

static int fill_random(void *context, void *octets, size_t count)
{
	(void)context;
	memset(octets, ++random_next, count);
	return random_result;
}

static void add_token(const char *name, enum console_role role)
{
	char token[65] = "";
	uint8_t sum[DIGEST_SHA256_SIZE];

	memset(token, name[0], 64);
	digest_sha256(token, 64, sum);
	assert_true(console_door_add(&site->door, name, role, sum));
}

/* An incident, as the archive has it. */
static void put_incident(void)
{
	char path[96];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/incidents", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/incidents/" INCIDENT ".json", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	(void)fputs(
		"{\"schema\":\"holdfast.incident/1\",\"id\":\"" INCIDENT
		"\",\"state\":\"final\",\"service\":\"web\",\"target\":\"192.0.2.10/32\",\"vector\":\"syn_flood\","
		"\"generation\":\"0000000000000001\",\"began_ns\":1795770000000000000,\"ended_ns\":1795771000000000000,"
		"\"peak_pps\":4100000,\"peak_bps\":2400000000,\"analysis\":\n"
		"{\"schema\":\"holdfast.analysis/1\",\"incidents\":[{\"id\":\"" INCIDENT
		"\",\"began\":\"2026-11-27T09:00:00Z\",\"detected\":\"2026-11-27T09:00:02Z\"}]}\n}\n",
		file);
	assert_int_equal(fclose(file), 0);
}

static int begin(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/console-site-XXXXXX");
	assert_non_null(mkdtemp(folder));
	site = calloc(1, sizeof(*site));
	assert_non_null(site);
	(void)snprintf(site->folder, sizeof(site->folder), "%s", folder);
	(void)snprintf(site->ledger, sizeof(site->ledger), "%s" LEDGER_FILE, folder);
	(void)snprintf(host, sizeof(host), "localhost:8081");
	site->now_ns = site->steady_ns = wall;
	site->random = fill_random;
	now_ns = NOW;
	random_result = 0;
	cookie[0] = '\0';
	session = NULL;
	add_token("ann", CONSOLE_PUBLISH);
	add_token("bob", CONSOLE_OPERATE);
	add_token("eve", CONSOLE_READ);
	put_incident();
	return 0;
}

static int end(void **state)
{
	char command[64];

	(void)state;
	console_site_fini(site);
	free(site);
	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command) == 0 ? 0 : -1; /* NOLINT(cert-env33-c) */
}

/* ---- who may ask ---- */

static void doors(void **state)
{
	static const char *const strangers[] = { "console.example", "localhost.example", "127.0.0.1.example", "",
		                                 "[::2]" };
	static const struct {
		const char *typed, *goes;
	} backs[] = { { "/audit", "/audit" },         { "/matter/s1", "/matter/s1" }, { "//example.org", "/" },
		      { "https://example.org", "/" }, { "/matter/s1%0d%0aX:y", "/" }, { "/approve/s1", "/" } };
	char path[200];

	(void)state;
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		(void)snprintf(host, sizeof(host), "%s", strangers[i]);
		assert_int_equal(get("/"), 421);
	}
	assert_int_equal(site->refused_hosts, 5);
	(void)snprintf(host, sizeof(host), "[::1]");
	assert_int_equal(get("/"), 200);
	assert_int_equal(get("/audit"), 401);
	assert_int_equal(post("/draft", "lang=en&since=09:40"), 401);
	assert_int_equal(get("/style.css"), 200);
	assert_string_equal(reply.type, "text/css; charset=utf-8");
	assert_int_equal(sign_in('e', "fr"), 303);
	has_not("English");
	assert_int_equal(ask(HTTP_SERVER_OTHER, "/", ""), 405);
	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(get(path), 404);
	assert_int_equal(get("/matter"), 404);
	assert_int_equal(get("/audit/s1"), 404);
	assert_int_equal(get("/draft"), 403);
	has("Votre jeton ne le permet pas");
	assert_int_equal(post("/draft", "lang=en&since=09:40"), 403);
	fields[3] = (struct made_field){ "Sec-Fetch-Site", "cross-site" };
	assert_int_equal(post("/language", "lang=en"), 400);
	fields[2] = (struct made_field){ "Content-Type", "text/plain" };
	assert_int_equal(post("/language", "lang=en"), 400);
	assert_int_equal(ask(HTTP_SERVER_POST, "/language", "csrf=&lang=en"), 403);
	assert_int_equal(site->refused_forms, 3);
	assert_int_equal(post("/language", "lang=en"), 303);
	assert_int_equal(get("/audit"), 200);
	has("name=\"back\" value=\"/audit\"");
	/* One comes back to where one was, where that is a page of ours. */
	for (size_t i = 0; i < sizeof(backs) / sizeof(backs[0]); i++) {
		char form[96];

		(void)snprintf(form, sizeof(form), "lang=fr&back=%s", backs[i].typed);
		assert_int_equal(post("/language", form), 303);
		assert_string_equal(site->go, backs[i].goes);
	}
}

static void sessions(void **state)
{
	(void)state;
	assert_int_equal(sign_in('z', "en"), 403);
	assert_int_equal(sign_in('a', "en"), 303);
	now_ns += CONSOLE_IDLE_NS - 1;
	assert_int_equal(get("/audit"), 200);
	has("refused: no such token");
	now_ns += CONSOLE_IDLE_NS;
	assert_int_equal(get("/audit"), 401);
	assert_int_equal(sign_in('a', "en"), 303);
	assert_int_equal(post("/sign-out", ""), 303);
	assert_int_equal(get("/audit"), 401);
	random_result = -EIO;
	assert_int_equal(sign_in('a', "fr"), 500);
	random_result = 0;
	/* Who cannot be noted does not come in. */
	(void)snprintf(site->ledger, sizeof(site->ledger), "%s/none/holdfast.db", folder);
	assert_int_equal(sign_in('a', "fr"), 500);
	has("fichier ou dossier absent");
	assert_int_equal(reply.fields_count, 7);
	/* Nor is a page without its record. */
	(void)snprintf(site->ledger, sizeof(site->ledger), "%s" LEDGER_FILE, folder);
	assert_int_equal(sign_in('a', "fr"), 303);
	(void)snprintf(site->ledger, sizeof(site->ledger), "%s/none/holdfast.db", folder);
	assert_int_equal(get("/"), 404);
	has("<html lang=\"fr\">");
}

/* ---- what is due ---- */

/* The hash of the statement's latest revision, as its page has it. */
static void hash_of(const char *id, char hash[80])
{
	char path[64];
	const char *at;

	(void)snprintf(path, sizeof(path), "/edit/%s", id);
	assert_int_equal(get(path), 200);
	assert_int_equal(get("/matter/s1"), 200); /* which all of them are of */
	(void)snprintf(path, sizeof(path), "action=\"/approve/%s\"", id);
	at = strstr(site->body, path);
	at = at ? strstr(at, "name=\"hash\" value=\"") : NULL;
	assert_non_null(at);
	(void)snprintf(hash, 80, "hash=%.64s", at + 19);
}

static void tell(const char *id, const char *how)
{
	char path[64], hash[80];

	hash_of(id, hash);
	(void)snprintf(path, sizeof(path), "/approve/%s", id);
	assert_int_equal(post(path, hash), 303);
	(void)snprintf(path, sizeof(path), "/%s/%s", how, id);
	assert_int_equal(get(path), 200);
	assert_int_equal(post(path, hash), 303);
}

static void updates(void **state)
{
	static const struct {
		int64_t after_ns;
		const char *says, *head;
	} all[] = {
		{ 0, "<strong>in 30&nbsp;min</strong>", "Next due in 30&nbsp;min." },
		{ 29 * MINUTE, "<strong>in 1&nbsp;min</strong>", "Next due in 1&nbsp;min." },
		{ 30 * MINUTE - NS_PER_S, "<strong>in less than a minute</strong>", "Next due in less than a minute." },
		{ 30 * MINUTE, "<li class=\"late\"><strong>overdue since less than a minute</strong>", "Overdue: 1." },
		{ 31 * MINUTE + 59 * NS_PER_S, "<strong>overdue since 1&nbsp;min</strong>", "Overdue: 1." },
		{ 5 * HOUR, "<strong>overdue since 4&nbsp;h&nbsp;30&nbsp;min</strong>", "Overdue: 1." },
	};

	(void)state;
	assert_int_equal(sign_in('a', "en"), 303);
	assert_int_equal(get("/"), 200);
	has("Nothing is open, and nothing is due.");
	assert_int_equal(post("/draft", "lang=en&since=13:50&component=web"), 303);
	assert_string_equal(site->go, "/matter/s1?done=draft+s1");
	assert_int_equal(get("/"), 200);
	has("Nothing is open, and nothing is due."); /* a draft opens nothing */
	tell("s1", "publish");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		now_ns = NOW + all[i].after_ns;
		if (!session || !console_door_find(&site->door, cookie + strlen(CONSOLE_COOKIE "="), now_ns))
			assert_int_equal(sign_in('a', "en"), 303);
		assert_int_equal(get("/"), 200);
		has(all[i].says);
		has(all[i].head);
		assert_int_equal(get("/components"), 200);
		has(all[i].head);
	}
	/* Another word, which promises the next sooner. */
	assert_int_equal(post("/draft", "lang=en&after=s1&phase=monitoring&next=10"), 303);
	tell("s2", "publish");
	assert_int_equal(get("/matter/s1"), 200);
	has("<strong>in 10&nbsp;min</strong>");
	has("a remedy is in place");
	now_ns += 10 * MINUTE;
	assert_int_equal(get("/"), 200);
	has("Overdue: 1.");
	assert_int_equal(post("/draft", "lang=en&after=s2&kind=resolution&until=18:50"), 303);
	tell("s3", "publish");
	assert_int_equal(get("/"), 200);
	has("Nothing is open, and nothing is due.");
	has_not("class=\"alarm");
}

static void laws(void **state)
{
	static const struct {
		int64_t after_ns;
		const char *says, *head;
	} all[] = {
		{ 0, "<strong>in 1&nbsp;d</strong><div><p>NIS2 early warning (24 h)", "Next due in 1&nbsp;d." },
		{ 0, "<strong>in 3&nbsp;d</strong><div><p>NIS2 notification (72 h)", "Next due" },
		/* a month after 30 November */
		{ 0, "<strong>in 33&nbsp;d</strong><div><p>NIS2 final report (one month)", "Next due" },
		{ DAY - MINUTE, "<strong>in 1&nbsp;min</strong><div><p>NIS2 early", "Next due in 1&nbsp;min." },
		{ DAY, "<strong>overdue since less than a minute</strong><div><p>NIS2 early",
		  "Overdue: 1. Next due in 2&nbsp;d." },
		{ 3 * DAY, "<strong>overdue since less than a minute</strong><div><p>NIS2 notification",
		  "Overdue: 3." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		now_ns = NOW + all[i].after_ns;
		assert_int_equal(sign_in('a', "en"), 303);
		if (i == 0)
			assert_int_equal(post("/aware/" INCIDENT, "at=14:00"), 303);
		assert_int_equal(get("/"), 200);
		has(all[i].says);
		has(all[i].head);
	}
	/* What is handed in is due no more, and the last report is due a month after that. */
	assert_int_equal(post("/draft", "lang=en&incident=" INCIDENT "&kind=nis2_72h"), 303);
	assert_int_equal(get("/"), 200);
	has("href=\"/matter/s1#s1\">Open s1</a>");
	tell("s1", "submit");
	assert_int_equal(get("/"), 200);
	has("<li class=\"over\"><strong>handed in on 30&nbsp;November&nbsp;2026, 14:00&nbsp;UTC</strong><div><p>NIS2 notification");
	has("Overdue: 2. Next due in 30&nbsp;d.");
	has("href=\"/draft?kind=nis2_24h&amp;incident=" INCIDENT "\"");
	assert_int_equal(post("/aware/" INCIDENT, "at=2026-12-01T00:00"), 400);
	/* What nobody needs is overdue no more, and says who says so, and why; it may be needed after all. */
	assert_int_equal(get("/"), 200);
	has("<a href=\"/exempt/" INCIDENT "?kind=nis2_24h\">Not needed here");
	assert_int_equal(get("/exempt/" INCIDENT), 404);
	assert_int_equal(get_asking("/exempt/" INCIDENT, "kind", "nis2_24h"), 200);
	has("name=\"kind\" value=\"nis2_24h\"");
	assert_int_equal(post("/exempt/" INCIDENT, "kind=nis2_24h&why=+"), 400);
	assert_int_equal(post("/exempt/" INCIDENT, "kind=update&why=x"), 400);
	assert_int_equal(post("/exempt/" INCIDENT, "kind=nothing&why=x"), 400);
	assert_int_equal(post("/exempt/0123456789abcdef", "kind=nis2_24h&why=x"), 400);
	assert_int_equal(post("/exempt/" INCIDENT, "kind=nis2_24h&why=We+are+small."), 303);
	assert_int_equal(get("/"), 200);
	has("<li class=\"over\"><strong>Not needed here</strong><div><p>NIS2 early");
	has("We are small. (");
	has("Overdue: 1. Next due in 30&nbsp;d.");
	has_not("href=\"/draft?kind=nis2_24h");
	assert_int_equal(get_asking("/exempt/" INCIDENT, "kind", "nis2_24h"), 200);
	has("name=\"needed\" value=\"1\"");
	assert_int_equal(post("/exempt/" INCIDENT, "kind=nis2_24h&needed=1"), 303);
	assert_int_equal(get("/"), 200);
	has("Overdue: 2. Next due in 30&nbsp;d.");
	/* What was handed in long ago is on its matter's page alone. */
	now_ns += 31 * DAY + NS_PER_S;
	assert_int_equal(sign_in('a', "en"), 303);
	assert_int_equal(get("/"), 200);
	has_not("handed in on");
	has("Overdue: 3.");
	assert_int_equal(get("/matter/s1"), 200);
	has("handed in on");
}

/* ---- two people ---- */

static void claims(void **state)
{
	struct record_error error = { .message = "" };
	struct ledger_claim claim = { .incident = 0xaa,
		                      .by = "who",
		                      .url = "",
		                      .text = "what",
		                      .predicate = "actor = \"x\"",
		                      .added_by = "ann" };
	struct ledger *ledger;
	char hash[80];

	(void)state;
	assert_int_equal(sign_in('b', "fr"), 303);
	assert_int_equal(ledger_open(site->ledger, true, &ledger, &error), 0);
	assert_int_equal(ledger_claim_add(ledger, &claim, NULL, &error), 0);
	ledger_close(ledger);
	assert_int_equal(get("/draft"), 200);
	has("<option value=\"c1\">c1, who");
	assert_int_equal(post("/draft", "lang=en&incident=" INCIDENT "&kind=update&claim=c1&text=We+work."), 303);
	hash_of("s1", hash);
	has("deux personnes différentes doivent approuver. Fait par 0.");
	assert_int_equal(post("/approve/s1", hash), 303);
	assert_int_equal(post("/approve/s1", hash), 409);
	has("déjà fait");
	assert_int_equal(post("/publish/s1", hash), 403);
	assert_int_equal(sign_in('e', "fr"), 303);
	assert_int_equal(post("/approve/s1", hash), 403);
	assert_int_equal(sign_in('a', "fr"), 303);
	assert_int_equal(post("/publish/s1", hash), 409);
	has("une seule personne l’a approuvé");
	assert_int_equal(post("/approve/s1", hash), 303);
	assert_int_equal(get("/publish/s1"), 200);
	has("We work.");
	assert_int_equal(post("/publish/s1", hash), 303);
	assert_int_equal(post("/publish/s1", hash), 409);
}

/* What was done and could not be noted is said to be done. */
static void unnoted(void **state)
{
	sqlite3 *database;

	(void)state;
	assert_int_equal(sign_in('b', "fr"), 303);
	assert_int_equal(sqlite3_open(site->ledger, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database,
	                              "CREATE TRIGGER no BEFORE INSERT ON console_audit WHEN NEW.outcome = 'done'"
	                              " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	assert_int_equal(sqlite3_close(database), SQLITE_OK);
	assert_int_equal(post("/events", "kind=provider&text=x&since=09:40"), 500);
	has("c’est fait, mais le journal d’audit n’a pu être écrit : le registre ne peut être écrit : la base ou le disque est plein");
	assert_int_equal(get("/events"), 200);
	has("<th scope=\"row\">x</th>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(doors, begin, end),
		cmocka_unit_test_setup_teardown(sessions, begin, end),
		cmocka_unit_test_setup_teardown(updates, begin, end),
		cmocka_unit_test_setup_teardown(laws, begin, end),
		cmocka_unit_test_setup_teardown(claims, begin, end),
		cmocka_unit_test_setup_teardown(unnoted, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
