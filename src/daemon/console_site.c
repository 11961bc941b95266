/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/console_site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "record/console_audit.h"
#include "tell/build.h"
#include "tell/http_status.h"

#define PATH_MAX_OCTETS 128 /* longer ones are none of ours */
#define COOKIE_RULES "; Path=/; HttpOnly; SameSite=Strict"

/* One request. */
struct asking {
	struct console_site *site;
	const struct http_server_request *request;
	struct http_server_reply *reply;
	struct console_session *session;
	struct ledger *ledger;
	struct record_error error;
	char name[PATH_MAX_OCTETS]; /* "matter" of /matter/s1 */
	const char *object;         /* "s1"; "" */
	struct console_view view;
};

static bool split(struct asking *a, const char *path);
static bool is_page(const struct asking *a);

/* ---- answers ---- */

static void say_headers(struct asking *a)
{
	static const struct http_server_field fields[] = {
		{ "Content-Security-Policy",
		  "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
		  "frame-ancestors 'none'" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "X-Frame-Options", "DENY" },
		{ "Referrer-Policy", "same-origin" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Cache-Control", "no-store" },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		http_server_add_field(a->reply, fields[i].name, fields[i].value);
}

static FILE *begin_body(struct asking *a)
{
	free(a->site->body);
	a->site->body = NULL;
	a->site->length = 0;
	return open_memstream(&a->site->body, &a->site->length);
}

static void end_body(struct asking *a, FILE *out, enum http_status status, const char *type)
{
	bool good = fclose(out) == 0 && a->site->body;

	a->reply->status = good ? status : HTTP_STATUS_INTERNAL_ERROR;
	a->reply->type = type;
	a->reply->body = good ? a->site->body : "";
	a->reply->body_length = good ? a->site->length : 0;
}

/* A page: begun by this, ended by finish(). */
static bool start(struct asking *a)
{
	a->view.out = begin_body(a);
	a->view.session = a->session;
	if (a->session)
		a->view.language = a->session->language;
	if (!a->view.out)
		a->reply->status = HTTP_STATUS_INTERNAL_ERROR;
	return a->view.out != NULL;
}

static void finish(struct asking *a, enum http_status status)
{
	end_body(a, a->view.out, status, "text/html; charset=utf-8");
}

static void trouble(struct asking *a, enum http_status status, enum console_trouble trouble)
{
	a->view.error = a->error.message;
	if (start(a)) {
		console_html_trouble(&a->view, trouble);
		finish(a, status);
	}
}

static void sign_in_page(struct asking *a, enum http_status status, enum console_refusal why)
{
	a->session = NULL;
	if (start(a)) {
		console_html_sign_in(&a->view, why);
		finish(a, status);
	}
}

static void go(struct asking *a, const char *where)
{
	if (where != a->site->go)
		(void)snprintf(a->site->go, sizeof(a->site->go), "%s", where);
	a->reply->status = HTTP_STATUS_SEE_OTHER;
	http_server_add_field(a->reply, "Location", a->site->go);
}

/* ---- the audit log ---- */

static int open_record(struct asking *a)
{
	return a->ledger ? 0 : ledger_open(a->site->ledger, true, &a->ledger, &a->error);
}

static int note(struct asking *a, const char *what, const char *object, uint64_t revision, const char *outcome,
                const char *message)
{
	struct record_error error = { .message = "" };
	const struct console_token *token = a->session ? a->session->token : NULL;
	struct console_audit row = { .at_ns = a->view.now_ns,
		                     .who = token ? token->name : "",
		                     .role = token ? console_role_name(token->role) : "",
		                     .what = what,
		                     .object = object,
		                     .revision = revision,
		                     .outcome = outcome,
		                     .message = message };
	int result = open_record(a);

	if (result == 0)
		result = console_audit_add(a->ledger, &row, &error);
	if (result != 0 && *error.message)
		a->error = error;
	return result;
}

/* ---- signing in and out ---- */

static void set_cookie(struct asking *a, const char *value, int64_t seconds)
{
	(void)snprintf(a->site->cookie, sizeof(a->site->cookie), CONSOLE_COOKIE "=%s; Max-Age=%lld" COOKIE_RULES, value,
	               (long long)seconds);
	http_server_add_field(a->reply, "Set-Cookie", a->site->cookie);
}

static void sign_in(struct asking *a, const struct form *form)
{
	uint8_t random[2 * CONSOLE_SECRET_OCTETS];
	char cookie[CONSOLE_SECRET_SIZE];
	enum language language = LANGUAGE_EN;
	int result = a->site->random(a->site->context, random, sizeof(random));

	(void)language_find(form_get(form, "lang"), &language);
	a->view.language = language;
	if (result == 0)
		result = console_door_sign_in(&a->site->door, form_get(form, "token"), language,
		                              a->site->steady_ns(a->site->context), random, cookie, &a->session);
	if (result == -EAGAIN) {
		sign_in_page(a, HTTP_STATUS_TOO_MANY_REQUESTS, CONSOLE_WAIT);
		return;
	}
	if (result == -EACCES) {
		(void)note(a, "sign-in", "", 0, "refused", "no such token");
		sign_in_page(a, HTTP_STATUS_FORBIDDEN, CONSOLE_UNKNOWN);
		return;
	}
	/* Who cannot be noted does not come in. */
	if (result == 0)
		result = note(a, "sign-in", "", 0, "done", "");
	if (result != 0) {
		if (a->session)
			console_door_sign_out(a->session);
		a->session = NULL;
		trouble(a, HTTP_STATUS_INTERNAL_ERROR, CONSOLE_FAILED);
		return;
	}
	set_cookie(a, cookie, CONSOLE_SESSION_NS / NS_PER_S);
	go(a, "/");
}

static void sign_out(struct asking *a)
{
	(void)note(a, "sign-out", "", 0, "done", "");
	console_door_sign_out(a->session);
	a->session = NULL;
	set_cookie(a, "", 0);
	go(a, "/");
}

/* ---- deeds ---- */

static enum http_status status_of(int result)
{
	switch (-result) {
	case ENOENT:
		return HTTP_STATUS_NOT_FOUND;
	case ESTALE:
	case EALREADY:
	case EPERM:
	case EEXIST:
	case EBUSY: /* a group with components in it; a record that somebody else writes */
		return HTTP_STATUS_CONFLICT;
	case EINVAL:
	case EBADMSG:
		return HTTP_STATUS_BAD_REQUEST;
	default:
		return HTTP_STATUS_INTERNAL_ERROR;
	}
}

static void do_deed(struct asking *a, const struct console_deed_row *row, const struct form *form)
{
	struct console_deed deed = {
		.site = a->site, .form = form, .who = { .uid = STATEMENTS_NO_UID, .now_ns = a->view.now_ns }, .go = "/"
	};
	int result = open_record(a);

	(void)snprintf(deed.who.name, sizeof(deed.who.name), "%s", a->session->token->name);
	(void)snprintf(deed.object, sizeof(deed.object), "%s", a->object);
	deed.ledger = a->ledger;
	if (result == 0)
		result = row->run(&deed);
	if (result != 0) {
		if (!*deed.error.message)
			(void)snprintf(deed.error.message, sizeof(deed.error.message), "%s",
			               *a->error.message ? a->error.message : strerror(-result));
		(void)note(a, row->name, deed.object, deed.revision,
		           status_of(result) == HTTP_STATUS_INTERNAL_ERROR ? "failed" : "refused", deed.error.message);
		a->error = deed.error;
		trouble(a, status_of(result), CONSOLE_FAILED);
		return;
	}
	if (note(a, row->name, deed.object, deed.revision, "done", "") != 0) {
		char why[sizeof(a->error.message)];

		(void)snprintf(why, sizeof(why), "%s", a->error.message);
		(void)snprintf(a->error.message, sizeof(a->error.message),
		               "it is done, but the audit log could not be written: %.180s", why);
		trouble(a, HTTP_STATUS_INTERNAL_ERROR, CONSOLE_FAILED);
		return;
	}
	(void)snprintf(a->site->go, sizeof(a->site->go), "%s?done=%s%s%s", deed.go, row->name, *deed.object ? "+" : "",
	               deed.object);
	go(a, a->site->go);
}

/* In the same page, where it is one of ours that can be asked for by its path. */
static void change_language(struct asking *a, const struct form *form)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-/";
	const char *back = form_get(form, "back");
	enum language language;

	if (language_find(form_get(form, "lang"), &language))
		a->session->language = language;
	go(a, back[0] == '/' && !back[strspn(back, allowed)] && split(a, back) && is_page(a) ? back : "/");
}

static bool from_elsewhere(const struct asking *a)
{
	const char *site = http_server_header(a->request, "Sec-Fetch-Site");

	return site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

static void post_form(struct asking *a, const struct form *form)
{
	const struct console_deed_row *row = console_deed_find(a->name);

	if (strcmp(a->name, "sign-in") == 0) {
		sign_in(a, form);
		return;
	}
	if (!a->session) {
		sign_in_page(a, HTTP_STATUS_UNAUTHORIZED, CONSOLE_WELCOME);
		return;
	}
	if (!console_door_csrf(a->session, form_get(form, "csrf"))) {
		a->site->refused_forms++;
		(void)note(a, a->name, a->object, 0, "refused", "the form is not of this session");
		trouble(a, HTTP_STATUS_FORBIDDEN, CONSOLE_BAD_FORM);
	} else if (strcmp(a->name, "sign-out") == 0) {
		sign_out(a);
	} else if (strcmp(a->name, "language") == 0) {
		change_language(a, form);
	} else if (!row) {
		trouble(a, HTTP_STATUS_NOT_FOUND, CONSOLE_NOT_THERE);
	} else if (a->session->token->role < row->role) {
		(void)note(a, row->name, a->object, 0, "refused", "the role may not");
		trouble(a, HTTP_STATUS_FORBIDDEN, CONSOLE_NOT_ALLOWED);
	} else {
		do_deed(a, row, form);
	}
}

static void post(struct asking *a)
{
	const char *type = http_server_header(a->request, "Content-Type");
	static const char wanted[] = "application/x-www-form-urlencoded";
	struct form *form = NULL;

	if (from_elsewhere(a) || !type || strncasecmp(type, wanted, sizeof(wanted) - 1) != 0 ||
	    form_read(a->request->body, a->request->body_length, &form) != 0) {
		a->site->refused_forms++;
		trouble(a, HTTP_STATUS_BAD_REQUEST, CONSOLE_BAD_FORM);
		return;
	}
	post_form(a, form);
	free(form);
}

/* ---- pages ---- */

static int overview(struct asking *a, json_t **json)
{
	return console_facts_overview(a->site, a->ledger, json, &a->error);
}

static int matter(struct asking *a, json_t **json)
{
	return console_facts_matter(a->site, a->ledger, a->object, json, &a->error);
}

static int statement(struct asking *a, json_t **json)
{
	return console_facts_statement(a->ledger, a->object, json, &a->error);
}

/* What would be published has to be approved, and to hold. */
static int publishable(struct asking *a, json_t **json)
{
	struct statement_desk_kept kept = { .json = NULL };
	char *text = NULL;
	uint64_t number = statements_number(a->object);
	int result = number ? statement_desk_find(a->ledger, number, &kept, &a->error) : -ENOENT;

	if (result == 0)
		result = statement_desk_publish(a->ledger, NULL, &kept,
		                                statement_kind_is_public(kept.row.kind) ? STATEMENTS_PUBLISHED
		                                                                        : STATEMENTS_SUBMITTED,
		                                &text, NULL, NULL, &a->error);
	free(text);
	statement_desk_free(&kept);
	return result == 0 ? statement(a, json) : result;
}

static int law(struct asking *a, json_t **json)
{
	const char *kind = http_server_query(a->request, "kind");

	return kind ? console_facts_law(a->ledger, a->object, kind, a->view.now_ns, json, &a->error) : -ENOENT;
}

static int choices(struct asking *a, json_t **json)
{
	static const char *const asked[] = { "incident", "kind", "after", "corrects", "translates", "lang" };
	int result = console_facts_choices(a->site, a->ledger, json, &a->error);

	for (size_t i = 0; result == 0 && i < sizeof(asked) / sizeof(asked[0]); i++) {
		const char *value = http_server_query(a->request, asked[i]);

		if (value && json_object_set_new(*json, asked[i], build_text(value, LEDGER_ID_SIZE)) != 0)
			result = -ENOMEM;
	}
	return result;
}

static int component(struct asking *a, json_t **json)
{
	return console_facts_component(a->ledger, a->object, a->view.now_ns, json, &a->error);
}

static int works(struct asking *a, json_t **json)
{
	return console_facts_works(a->ledger, a->view.now_ns, json, &a->error);
}

static int components(struct asking *a, json_t **json)
{
	return console_facts_components(a->ledger, a->view.now_ns, json, &a->error);
}

static int events(struct asking *a, json_t **json)
{
	return console_facts_events(a->ledger, json, &a->error);
}

static int audit(struct asking *a, json_t **json)
{
	return console_facts_audit(a->ledger, json, &a->error);
}

/* clang-format off */
static const struct page {
	const char *name;
	bool object;
	enum console_role role;
	int (*gather)(struct asking *a, json_t **json);
	void (*show)(const struct console_view *view, const json_t *json);
} pages[] = {
	{ "", false, CONSOLE_READ, overview, console_html_overview },
	{ "matter", true, CONSOLE_READ, matter, console_html_matter },
	{ "components", false, CONSOLE_READ, components, console_html_components },
	{ "component", true, CONSOLE_OPERATE, component, console_html_component },
	{ "works", false, CONSOLE_READ, works, console_html_works },
	{ "events", false, CONSOLE_READ, events, console_html_events },
	{ "audit", false, CONSOLE_READ, audit, console_html_audit },
	{ "draft", false, CONSOLE_OPERATE, choices, console_html_draft },
	{ "edit", true, CONSOLE_OPERATE, statement, console_html_edit },
	{ "publish", true, CONSOLE_PUBLISH, publishable, console_html_publish },
	{ "submit", true, CONSOLE_PUBLISH, publishable, console_html_publish },
	{ "withdraw", true, CONSOLE_PUBLISH, statement, console_html_withdraw },
	{ "exempt", true, CONSOLE_PUBLISH, law, console_html_exempt },
};
/* clang-format on */

static const struct page *find_page(const struct asking *a)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (strcmp(pages[i].name, a->name) == 0 && pages[i].object == (*a->object != '\0'))
			return &pages[i];
	return NULL;
}

static bool is_page(const struct asking *a)
{
	return find_page(a) != NULL;
}

static void style_sheet(struct asking *a)
{
	FILE *out = begin_body(a);

	if (out) {
		console_html_style(out);
		end_body(a, out, HTTP_STATUS_OK, "text/css; charset=utf-8");
	}
}

static void get(struct asking *a)
{
	const struct page *page = find_page(a);
	const char *said = http_server_query(a->request, "done");
	json_t *json = NULL;
	int result;

	if (strcmp(a->name, "style.css") == 0) {
		style_sheet(a);
		return;
	}
	if (!a->session) {
		sign_in_page(a, *a->name ? HTTP_STATUS_UNAUTHORIZED : HTTP_STATUS_OK, CONSOLE_WELCOME);
		return;
	}
	if (!page) {
		trouble(a, HTTP_STATUS_NOT_FOUND, CONSOLE_NOT_THERE);
		return;
	}
	if (a->session->token->role < page->role) {
		trouble(a, HTTP_STATUS_FORBIDDEN, CONSOLE_NOT_ALLOWED);
		return;
	}
	result = open_record(a);
	if (result == 0)
		result = page->gather(a, &json);
	if (result == 0)
		result = console_facts_alarm(a->ledger, a->view.now_ns, &a->view.overdue, &a->view.next_due_ns,
		                             &a->error);
	if (result != 0) {
		json_decref(json);
		trouble(a, status_of(result), result == -ENOENT ? CONSOLE_NOT_THERE : CONSOLE_FAILED);
		return;
	}
	a->view.done = said && strlen(said) < PATH_MAX_OCTETS ? said : "";
	if (start(a)) {
		page->show(&a->view, json);
		finish(a, HTTP_STATUS_OK);
	}
	json_decref(json);
}

/* ---- requests ---- */

/* A name that can only be this host: a stranger's name that was made to point here is none. */
static bool host_is_here(const char *host)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; host && i < sizeof(names) / sizeof(names[0]); i++) {
		size_t length = strlen(names[i]);

		if (strncasecmp(host, names[i], length) == 0 && (host[length] == '\0' || host[length] == ':'))
			return true;
	}
	return false;
}

/* "/matter/s1" → "matter", "s1" */
static bool split(struct asking *a, const char *path)
{
	char *slash;

	if (path[0] != '/' || strlen(path) >= sizeof(a->name))
		return false;
	(void)snprintf(a->name, sizeof(a->name), "%s", path + 1);
	slash = strchr(a->name, '/');
	a->object = "";
	if (slash) {
		*slash = '\0';
		a->object = slash + 1;
	}
	return true;
}

void console_site_handle(void *site, const struct http_server_request *request, struct http_server_reply *reply)
{
	struct asking a = { .site = site, .request = request, .reply = reply, .object = "" };
	const char *cookies = http_server_header(request, "Cookie");
	char cookie[CONSOLE_SECRET_SIZE] = "";

	a.view = (struct console_view){ .now_ns = a.site->now_ns(a.site->context),
		                        .here = request->method == HTTP_SERVER_POST ? "" : request->path,
		                        .done = "",
		                        .error = "" };
	say_headers(&a);
	if (!host_is_here(http_server_header(request, "Host"))) {
		a.site->refused_hosts++;
		trouble(&a, HTTP_STATUS_MISDIRECTED, CONSOLE_NOT_THERE);
		return;
	}
	if (cookies)
		console_cookie(cookies, CONSOLE_COOKIE, cookie);
	if (*cookie)
		a.session = console_door_find(&a.site->door, cookie, a.site->steady_ns(a.site->context));
	if (!split(&a, request->path))
		trouble(&a, HTTP_STATUS_NOT_FOUND, CONSOLE_NOT_THERE);
	else if (request->method == HTTP_SERVER_POST)
		post(&a);
	else if (request->method == HTTP_SERVER_GET || request->method == HTTP_SERVER_HEAD)
		get(&a);
	else
		trouble(&a, HTTP_STATUS_METHOD_NOT_ALLOWED, CONSOLE_NOT_THERE);
	if (a.ledger)
		ledger_close(a.ledger);
}

void console_site_fini(struct console_site *site)
{
	free(site->body);
	site->body = NULL;
}
