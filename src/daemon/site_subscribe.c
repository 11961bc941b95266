/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/site_subscribe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "record/subscriptions.h"
#include "tell/form.h"
#include "tell/http_status.h"
#include "tell/mail.h"

#define NETWORK_IPV4 24
#define NETWORK_IPV6 48

static const struct {
	const char *path;
	enum subscribe_page_kind shown, done;
	enum serve_type asks;
	enum token_purpose purpose;
} links[] = {
	{ "/confirm", SUBSCRIBE_CONFIRM, SUBSCRIBE_CONFIRMED, SERVE_CONFIRM, TOKEN_CONFIRM },
	{ "/unsubscribe", SUBSCRIBE_LEAVE, SUBSCRIBE_LEFT, SERVE_UNSUBSCRIBE, TOKEN_LEAVE },
};

bool site_subscribe_is(const char *path)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (strcmp(path, links[i].path) == 0)
			return true;
	return strcmp(path, "/subscribe") == 0;
}

static void begin_anew(struct site_subscribe *site, int64_t now_ms)
{
	if (now_ms - site->since_ms < SITE_SUBSCRIBE_MS && now_ms >= site->since_ms)
		return;
	memset(site->networks, 0, sizeof(site->networks));
	site->all = site->links = 0;
	site->since_ms = now_ms;
}

/* Whether one more of that network, now. */
static bool may(struct site_subscribe *site, const struct address *peer, int64_t now_ms)
{
	struct prefix network = prefix_of(peer, address_is_ipv4(peer) ? NETWORK_IPV4 : NETWORK_IPV6);
	uint8_t *count = &site->networks[hash_address(site->seed, &network.address) % SITE_SUBSCRIBE_NETWORKS];

	begin_anew(site, now_ms);
	if (*count >= SITE_SUBSCRIBE_NETWORK_MAX || site->all >= SITE_SUBSCRIBE_ALL_MAX) {
		site->limited++;
		return false;
	}
	(*count)++;
	site->all++;
	return true;
}

/*
 * The components that a form chooses, as the record has them; "" where it is all, or more than is kept. False: one is
 * none of the page's.
 */
static bool take_components(const struct site_subscribe *site, const struct form *form,
                            char list[SERVE_COMPONENTS_SIZE])
{
	unsigned chosen = 0;
	size_t length = 0;

	for (unsigned i = 0; i < form->count; i++) {
		const char *id = form->fields[i].value;
		unsigned k = 0;

		if (strcmp(form->fields[i].name, "component") != 0)
			continue;
		while (k < site->components_count && strcmp(site->components[k].id, id) != 0)
			k++;
		if (k == site->components_count)
			return false;
		if (length + 1 + strlen(id) < SERVE_COMPONENTS_SIZE)
			length += (size_t)snprintf(list + length, SERVE_COMPONENTS_SIZE - length, "%s%s",
			                           length ? "," : "", id);
		else
			length = SERVE_COMPONENTS_SIZE;
		chosen++;
	}
	if (length >= SERVE_COMPONENTS_SIZE || chosen >= site->components_count)
		list[0] = '\0';
	return true;
}

static void take_address(struct site_subscribe *site, const struct http_server_request *request, int64_t now_ms,
                         struct site_subscribe_answer *answer)
{
	char address[MAIL_ADDRESS_SIZE], components[SERVE_COMPONENTS_SIZE] = "";
	struct form *form = NULL;
	bool good = request->body_length <= SITE_SUBSCRIBE_BODY_MAX &&
	            form_read(request->body, request->body_length, &form) == 0;

	if (good) {
		(void)language_find(form_get(form, "lang"), &answer->page.language);
		good = mail_address_read(form_get(form, "address"), true, address) == 0 &&
		       take_components(site, form, components);
	}
	free(form);
	if (!good) {
		site->wrong++;
		answer->page.kind = SUBSCRIBE_WRONG;
		answer->status = HTTP_STATUS_BAD_REQUEST;
	} else if (!may(site, &request->peer, now_ms)) {
		answer->page.kind = SUBSCRIBE_BUSY;
		answer->status = HTTP_STATUS_TOO_MANY_REQUESTS;
	} else {
		site->taken++;
		answer->page.kind = SUBSCRIBE_ASKED;
		serve_message_init(&answer->message, SERVE_SUBSCRIBE, ++site->id);
		answer->message.subscribe.kind = SERVE_BY_MAIL;
		answer->message.subscribe.lang = answer->page.language;
		(void)snprintf(answer->message.subscribe.address, sizeof(answer->message.subscribe.address), "%s",
		               address);
		memcpy(answer->message.subscribe.components, components, sizeof(components));
	}
}

/* A link of a mail: GET shows a button, POST is it; RFC 8058's is a POST too, of a mail program. */
static void take_link(struct site_subscribe *site, unsigned which, const struct http_server_request *request,
                      int64_t now_ms, struct site_subscribe_answer *answer)
{
	const char *token = http_server_query(request, "token");
	enum token_purpose purpose;
	uint64_t subscriber;
	bool good =
		token && subscriptions_token_read(token, &purpose, &subscriber) == 0 && purpose == links[which].purpose;

	if (!good) { /* as anybody can see: it says nothing of whom it may be of */
		site->wrong++;
		answer->page.kind = SUBSCRIBE_CUT;
		answer->status = HTTP_STATUS_BAD_REQUEST;
		return;
	}
	(void)snprintf(answer->token, sizeof(answer->token), "%s", token);
	answer->page.kind = request->method == HTTP_SERVER_POST ? links[which].done : links[which].shown;
	if (request->method != HTTP_SERVER_POST)
		return;
	/* No bound of a network: mail providers press many people's button from one. A token cannot be guessed. */
	begin_anew(site, now_ms);
	if (site->links >= SITE_SUBSCRIBE_LINKS_MAX) {
		site->limited++;
		answer->page.kind = SUBSCRIBE_BUSY;
		answer->status = HTTP_STATUS_TOO_MANY_REQUESTS;
		return;
	}
	site->links++;
	site->taken++;
	serve_message_init(&answer->message, links[which].asks, ++site->id);
	(void)snprintf(answer->message.token.text, sizeof(answer->message.token.text), "%s", token);
}

void site_subscribe_answer(struct site_subscribe *site, const struct http_server_request *request, int64_t now_ms,
                           enum language language, struct site_subscribe_answer *answer)
{
	const char *lang = http_server_query(request, "lang");

	memset(answer, 0, sizeof(*answer));
	answer->page = (struct subscribe_page){ .language = language, .kind = SUBSCRIBE_FORM, .title = "" };
	answer->page.token = answer->token;
	answer->page.components = site->components;
	answer->page.components_count = site->components_count;
	answer->status = HTTP_STATUS_OK;
	if (lang)
		(void)language_find(lang, &answer->page.language);
	for (unsigned i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (strcmp(request->path, links[i].path) == 0) {
			take_link(site, i, request, now_ms, answer);
			return;
		}
	if (request->method == HTTP_SERVER_POST)
		take_address(site, request, now_ms, answer);
}
