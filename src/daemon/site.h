/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the public role answers: a table of routes, and behind it the published page. It has the clock, the keys and the
 * way to the desk from its caller, and no process or descriptor of its own beside the files of the page.
 */
#ifndef HOLDFAST_DAEMON_SITE_H
#define HOLDFAST_DAEMON_SITE_H

#include "daemon/config.h"
#include "daemon/places.h"
#include "daemon/serve_message.h"
#include "daemon/site_files.h"
#include "impact/intake.h"
#include "tell/http_server.h"

#define SITE_SIGNALS_MAX 512  /* of probes and of Gatus, between two calls of site_drain(): beyond it, 503 */
#define SITE_IDS_MAX 16384    /* reports of probes that are known again */
#define SITE_ID_S 86400       /* for so long */
#define SITE_KEY_SIZE 513     /* of a vantage, of Gatus; NUL-terminated */
#define SITE_BODY_MAX 65536   /* octets of any request's */
#define SITE_FORMS_SECOND 500 /* pages with a form in a second: beyond it, 503 */

struct site; /* opaque */

struct site_options {
	const struct config *config;     /* outlives it */
	const char *gatus_key;           /* "": Gatus may not. Copied */
	const char *const *vantage_keys; /* one of each of config->public_role.vantages. Copied */
	uint8_t key[INTAKE_KEY_SIZE];    /* random */
	/* What the shield does with a source; NULL: there is nobody to ask. */
	enum intake_fate (*shielded)(void *context, const struct address *source);
	const struct geo *geo; /* where strangers are; NULL: nobody to ask. Outlives it */
	/* Asks the desk; NULL: there is none. 0: it was told; else -errno: 503. */
	int (*ask)(void *context, const struct serve_message *message);
	void *context;
};

/* What it counted, by name: X(name). */
/* clang-format off */
#define SITE_COUNTERS(X) \
	X(pages) X(forms) X(forms_refused) X(reports) X(nel_bodies) X(nel_reports) X(nel_passed_over) X(gatus) \
	X(probes) X(probes_again) X(refused_body) X(refused_type) X(refused_key) X(refused_method) X(ids_pushed_out) \
	X(signals_refused) X(located) X(subscribe_taken) X(subscribe_limited) X(subscribe_wrong)
/* clang-format on */

struct site_counts {
#define X(name) uint64_t name;
	SITE_COUNTERS(X)
#undef X
};

int site_new(const struct site_options *options, struct capture_time now, int64_t now_ms, struct site **site);
void site_free(struct site *site);
/* The times that requests have from here on: of the calendar, and one that only grows. */
void site_set_time(struct site *site, struct capture_time now, int64_t now_ms);
/* Another key where it is due: whether it is. */
bool site_key_due(const struct site *site);
void site_rekey(struct site *site, const uint8_t key[INTAKE_KEY_SIZE]);
void site_answer(struct site *site, const struct http_server_request *request, struct http_server_reply *reply);
/* What has been counted, as messages to the desk: the next of them; false: there is none. */
bool site_drain(struct site *site, struct serve_message *message);
/* "few_sources, nonces": why the reports of now are suspected to be a flood; "" where they are not. */
const char *site_flood(struct site *site, char text[SERVE_TEXT_SIZE]);
struct site_counts site_counts(const struct site *site);
struct intake_counts site_intake_counts(const struct site *site);
struct site_files_counts site_page_counts(const struct site *site);

#endif
