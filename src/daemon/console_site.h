/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the console answers to a request: who may ask, which page, what is done, what of it is noted. It has no socket:
 * requests come from tell/http_server.h, the record is opened for each of them, as commands do, clock and randomness
 * are given.
 *
 * Refused are: a host that is not this one's loopback (a stranger's page that has its name point here), who is not
 * signed in, a role that may not, a form without the session's own token, one from another site's page. What is done,
 * and what is refused to somebody who is signed in, is in the audit log; so are signing in, and wrong tokens, which are
 * limited.
 */
#ifndef HOLDFAST_DAEMON_CONSOLE_SITE_H
#define HOLDFAST_DAEMON_CONSOLE_SITE_H

#include <stdint.h>
#include <stdio.h>

#include "daemon/config.h"
#include "record/ledger.h"
#include "impact/component.h"
#include "record/statement_desk.h"
#include "tell/console_door.h"
#include "tell/console_html.h"
#include "tell/form.h"
#include "tell/http_server.h"

#define CONSOLE_COOKIE "holdfast"
#define CONSOLE_LIST_MAX 100  /* rows of a list on a page */
#define CONSOLE_AUDIT_MAX 200 /* likewise */
#define CONSOLE_GO_SIZE 128

struct console_site {
	char ledger[CONFIG_PATH_SIZE + sizeof(LEDGER_FILE)];
	char folder[CONFIG_PATH_SIZE]; /* state_dir */
	struct console_door door;
	int64_t (*now_ns)(void *context);    /* since the Unix epoch */
	int64_t (*steady_ns)(void *context); /* only grows */
	int (*random)(void *context, void *octets, size_t count);
	void *context;
	uint64_t refused_hosts, refused_forms;
	/* Of the answer to the latest request. */
	char *body, cookie[256], go[CONSOLE_GO_SIZE];
	size_t length;
};

/* handle() of a server; `site` is a struct console_site. */
void console_site_handle(void *site, const struct http_server_request *request, struct http_server_reply *reply);
void console_site_fini(struct console_site *site);

/* ---- what a request does (console_deeds.c) ---- */

struct console_deed {
	struct console_site *site;
	struct ledger *ledger;
	const struct form *form;
	struct statement_desk_person who;
	char object[LEDGER_ID_SIZE + COMPONENT_ID_SIZE]; /* of which; of what is new, given by who does it */
	uint64_t revision;
	char go[CONSOLE_GO_SIZE]; /* where one goes from there */
	struct record_error error;
};

/* A row of the table of deeds: POST /NAME, or /NAME/OBJECT. NULL: there is none of that name. */
struct console_deed_row {
	const char *name;
	enum console_role role;
	int (*run)(struct console_deed *deed); /* 0 or -errno, said */
};

const struct console_deed_row *console_deed_find(const char *name);

/* What the form has in that field, "" where there is none. */
const char *console_deed_value(const struct console_deed *deed, const char *name);
/* A time that was typed into it; nothing is 0. */
int console_deed_time(struct console_deed *deed, const char *name, int64_t *ns);
/* -EINVAL, for that reason: a row of tell/console_sentences.c. */
int console_deed_refuse(struct console_deed *deed, const char *message);

/* Of the status page (console_page_deeds.c). */
int console_deed_state(struct console_deed *deed);
int console_deed_component_add(struct console_deed *deed);
int console_deed_component_change(struct console_deed *deed);
int console_deed_component_remove(struct console_deed *deed);
int console_deed_works_add(struct console_deed *deed);
int console_deed_works_cancel(struct console_deed *deed);
int console_deed_event(struct console_deed *deed);

/* ---- what pages show (console_facts.c): see tell/console_html.h; new references, 0 or -errno, said ---- */

int console_facts_overview(struct console_site *site, struct ledger *ledger, json_t **json, struct record_error *error);
int console_facts_matter(struct console_site *site, struct ledger *ledger, const char *id, json_t **json,
                         struct record_error *error);
int console_facts_statement(struct ledger *ledger, const char *id, json_t **json, struct record_error *error);
/* One report that the law asks for. */
int console_facts_law(struct ledger *ledger, const char *incident, const char *kind, int64_t now_ns, json_t **json,
                      struct record_error *error);
int console_facts_choices(struct console_site *site, struct ledger *ledger, json_t **json, struct record_error *error);
/* Of the status page (console_page_facts.c). */
int console_facts_components(struct ledger *ledger, int64_t now_ns, json_t **json, struct record_error *error);
int console_facts_component(struct ledger *ledger, const char *id, int64_t now_ns, json_t **json,
                            struct record_error *error);
int console_facts_works(struct ledger *ledger, int64_t now_ns, json_t **json, struct record_error *error);
int console_facts_events(struct ledger *ledger, json_t **json, struct record_error *error);
/* How much of what is due is overdue, and when the first of the others is; 0: nothing is. */
int console_facts_alarm(struct ledger *ledger, int64_t now_ns, unsigned *overdue, int64_t *next_ns,
                        struct record_error *error);
int console_facts_audit(struct ledger *ledger, json_t **json, struct record_error *error);

#endif
