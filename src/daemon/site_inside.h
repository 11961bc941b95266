/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the site share. For these files alone. */
#ifndef HOLDFAST_DAEMON_SITE_INSIDE_H
#define HOLDFAST_DAEMON_SITE_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "daemon/site.h"
#include "daemon/site_subscribe.h"
#include "tell/http_status.h"
#include "tell/probe_report.h"
#include "tell/report_form.h"

#define SITE_NO_STORE "no-store"

/* Of a report that a probe sent home. */
struct site_id {
	char id[PROBE_REPORT_ID_SIZE];
	uint8_t vantage;
	int64_t ms;
};

struct site {
	struct site_options options;
	struct capture_time now;
	int64_t now_ms;
	struct intake *intake;
	struct site_files *files;
	uint8_t gatus[DIGEST_SHA256_SIZE]; /* of the token */
	char (*vantage_keys)[SITE_KEY_SIZE];
	struct report_form_component components[COMPONENTS_MAX];
	struct subscribe_page_component choices[COMPONENTS_MAX]; /* the same, as the form of subscriptions has them */
	unsigned components_count;
	uint64_t components_version;
	struct signal_count signals[SITE_SIGNALS_MAX];
	unsigned signals_count;
	struct site_id *ids; /* a ring */
	unsigned ids_next;
	int64_t second;
	unsigned forms_this_second;
	char *made; /* the latest page that was made: owned */
	size_t made_length;
	struct site_subscribe subscribe;
	struct site_counts counts;
};

/* A line of text. */
void site_say(struct http_server_reply *reply, enum http_status status, const char *text);
/* Whether the body is of that type, and of at most that many octets; false: it is refused, and counted. */
bool site_body_ok(struct site *site, const struct http_server_request *request, struct http_server_reply *reply,
                  const char *type, size_t most);
/* site->components become those of the page, as it is by now. */
void site_look_for_components(struct site *site);
bool site_component_known(const struct site *site, const char *id);
/* By the path, else by what the browser would like. */
enum language site_language_of(const struct http_server_request *request);
/* Whether one more form may be shown in this second; false: it is said, and counted. */
bool site_may_show(struct site *site, struct http_server_reply *reply);

/* A user's form, and what becomes of it (site_report.c). */
void site_report(struct site *site, const struct http_server_request *request, struct http_server_reply *reply);
/* What machines send: browsers, Gatus, places that probe (site_signals.c). */
void site_nel(struct site *site, const struct http_server_request *request, struct http_server_reply *reply);
void site_gatus(struct site *site, const struct http_server_request *request, struct http_server_reply *reply);
void site_probe(struct site *site, const struct http_server_request *request, struct http_server_reply *reply);

#endif
