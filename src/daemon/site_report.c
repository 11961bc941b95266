/* SPDX-License-Identifier: Apache-2.0 */
/* How users report what they have trouble with: a form, and what they are shown of what became of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/site_inside.h"

enum language site_language_of(const struct http_server_request *request)
{
	const char *wanted = http_server_header(request, "Accept-Language");
	const char *fr, *en;

	for (unsigned i = 0; i < LANGUAGES; i++)
		if (!strcmp(request->path, report_form_path((enum language)i)))
			return (enum language)i;
	if (!wanted)
		return LANGUAGE_EN;
	fr = strcasestr(wanted, "fr"); /* browsers name the one that is liked most first */
	en = strcasestr(wanted, "en");
	return fr && (!en || fr < en) ? LANGUAGE_FR : LANGUAGE_EN;
}

static void show_form(struct site *site, enum language language, enum report_form_state state,
                      const struct report_form *filled, unsigned status, struct http_server_reply *reply)
{
	char nonce[INTAKE_NONCE_TEXT_SIZE] = "";
	const struct report_form_page page = {
		.language = language,
		.state = state,
		.title = site->options.config->page.title[language],
		.components = site->components,
		.components_count = site->components_count,
		.whole = site->options.config->public_role.component,
		.nonce = state == REPORT_FORM_TAKEN || state == REPORT_FORM_BUSY
		                 ? ""
		                 : intake_nonce(site->intake, site->now, nonce),
		.filled = filled,
		.located = site->options.geo != NULL,
	};
	FILE *out;

	free(site->made);
	site->made = NULL;
	out = open_memstream(&site->made, &site->made_length);
	if (!out)
		return;
	if (report_form_write(out, &page)) {
		(void)fclose(out);
		return;
	}
	if (fclose(out))
		return;
	site->counts.forms++;
	reply->status = status;
	reply->type = "text/html; charset=utf-8";
	reply->body = site->made;
	reply->body_length = site->made_length;
	http_server_add_field(reply, "Cache-Control", SITE_NO_STORE);
	http_server_add_field(reply, "Vary", "Accept-Language");
}

bool site_may_show(struct site *site, struct http_server_reply *reply)
{
	if (site->now_ms / 1000 != site->second) {
		site->second = site->now_ms / 1000;
		site->forms_this_second = 0;
	}
	if (site->forms_this_second >= SITE_FORMS_SECOND) {
		site->counts.forms_refused++;
		site_say(reply, HTTP_STATUS_UNAVAILABLE,
		         "Busy. Please try again in a minute. / Merci de réessayer dans une minute.\n");
		http_server_add_field(reply, "Retry-After", "60");
		return false;
	}
	site->forms_this_second++;
	return true;
}

/* What a user is shown of what became of the report. That it did not count is nobody's to know. */
static void answer_report(struct site *site, enum intake_result result, enum language language,
                          const struct report_form *form, struct http_server_reply *reply)
{
	switch (result) {
	case INTAKE_NONCE_WRONG:
	case INTAKE_NONCE_EARLY:
	case INTAKE_NONCE_LATE:
	case INTAKE_NONCE_USED:
		show_form(site, language, REPORT_FORM_AGAIN, form, HTTP_STATUS_CONFLICT, reply);
		break;
	case INTAKE_NO_ROOM:
		show_form(site, language, REPORT_FORM_BUSY, NULL, HTTP_STATUS_UNAVAILABLE, reply);
		break;
	case INTAKE_ACCEPTED:
	case INTAKE_REPEATED:
	case INTAKE_CAPPED:
	case INTAKE_SHIELDED:
	case INTAKE_SAMPLED:
	case INTAKE_RESULTS:
		site->counts.reports++;
		show_form(site, language, REPORT_FORM_TAKEN, NULL, HTTP_STATUS_OK, reply);
		break;
	}
}

/*
 * A user who says where they are knows better than a database; which network it is the address says, and nobody is
 * asked.
 */
static struct report_count count_of(struct site *site, const struct address *peer, const struct report_form *form)
{
	struct report_count count = { .source = REPORT_FORM, .symptom = form->symptom };
	struct place place = places_find(site->options.geo, peer);

	memcpy(count.component, form->component, sizeof(count.component));
	memcpy(count.region, form->region[0] ? form->region : place.region, sizeof(count.region));
	count.network = place.network;
	site->counts.located += place.network || place.region[0];
	return count;
}

void site_report(struct site *site, const struct http_server_request *request, struct http_server_reply *reply)
{
	enum language language = site_language_of(request);
	struct report_count count;
	struct report_form form;
	int err;

	if (!site_may_show(site, reply))
		return;
	site_look_for_components(site);
	if (request->method != HTTP_SERVER_POST) {
		show_form(site, language, REPORT_FORM_NEW, NULL, HTTP_STATUS_OK, reply);
		return;
	}
	if (!site_body_ok(site, request, reply, REPORT_FORM_TYPE, REPORT_FORM_MAX))
		return;
	err = report_form_read(request->body, request->body_length, &form);
	if (err == -EBADMSG) {
		site->counts.refused_body++;
		site_say(reply, HTTP_STATUS_BAD_REQUEST, "This is no form of ours.\n");
		return;
	}
	if (err || !site_component_known(site, form.component)) {
		show_form(site, language, REPORT_FORM_WRONG, err ? NULL : &form, HTTP_STATUS_BAD_REQUEST, reply);
		return;
	}
	count = count_of(site, &request->peer, &form);
	answer_report(site, intake_report(site->intake, site->now, form.nonce, &request->peer, &count), language, &form,
	              reply);
}
