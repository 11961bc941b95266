/* SPDX-License-Identifier: Apache-2.0 */
/* What a delivery becomes: a webhook's body with its signature, or a mail. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/deliver_inside.h"
#include "record/components.h"
#include "record/statements.h"

#define PAGE_FRESH_NS (5 * NS_PER_S)
#define LINK_SIZE MAIL_URL_SIZE

static void copy(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from);
}

void deliver_item_copy(struct deliver_item *item, const struct delivery *row)
{
	item->row = *row;
	copy(item->name, sizeof(item->name), row->to.name);
	copy(item->components, sizeof(item->components), row->to.components);
	copy(item->lang, sizeof(item->lang), row->to.lang);
	copy(item->nonce, sizeof(item->nonce), row->to.nonce);
	copy(item->component, sizeof(item->component), row->component);
	item->row.to.name = item->name;
	item->row.to.components = item->components;
	item->row.to.lang = item->lang;
	item->row.to.nonce = item->nonce;
	item->row.to.added_by = item->row.error = "";
	item->row.component = item->component;
}

unsigned deliver_webhook(const struct config *config, const char *name)
{
	unsigned i = 0;

	while (i < config->webhook_count && strcmp(config->webhooks[i].name, name) != 0)
		i++;
	return i;
}

/* The page as it stands, made after what is to be told was published. */
static int need_page(struct deliver_maker *maker, const struct deliver_item *item, int64_t now_ns,
                     struct record_error *error)
{
	int result;

	if (maker->page && maker->page_ns >= item->row.queued_ns && now_ns - maker->page_ns < PAGE_FRESH_NS)
		return 0;
	page_free(maker->page);
	maker->page = NULL;
	result = page_gather(maker->ledger, page_settings_of(maker->config, "", &maker->settings), now_ns, &maker->page,
	                     error);
	maker->page_ns = now_ns;
	return result;
}

/* ---- what was published ---- */

struct looking {
	uint64_t number;
	char *title, *text;
	bool correction, withdrawn, found;
	int64_t at_ns;
	/* Of planned works: */
	char works[LEDGER_ID_SIZE];
	char *components, *names[LANGUAGES];
	int64_t added_ns, from_ns, until_ns;
	bool called_off;
	struct status_incident incident; /* of those that were called off, with what it needs */
	struct status_update update;
	const char *list[COMPONENTS_MAX];
};

static void forget(struct looking *looking)
{
	free(looking->title);
	free(looking->text);
	free(looking->components);
	for (unsigned i = 0; i < LANGUAGES; i++)
		free(looking->names[i]);
}

/* Of a statement what is told of it now: once withdrawn, never its text again. */
static int look_at(void *context, const struct statements_published *one)
{
	struct looking *looking = context;

	if (one->number != looking->number)
		return 0;
	looking->found = statement_kind_is_public(one->kind);
	looking->withdrawn = one->withdrawn_ns != 0;
	looking->correction = one->kind == STATEMENT_CORRECTION;
	looking->at_ns = one->withdrawn_ns ? one->withdrawn_ns : one->published_ns;
	free(looking->title);
	free(looking->text);
	looking->title = strdup(one->title);
	looking->text = strdup(one->withdrawn_ns ? one->why_withdrawn : one->text);
	return looking->title && looking->text ? 0 : -ENOMEM;
}

static bool is_wanted(const char *list, const char *id)
{
	size_t length = strlen(id);

	for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == length && strncmp(at, id, length) == 0)
			return true;
	return !*list;
}

/* Whether any of what a list names is among them; what names none concerns all. */
static bool any_wanted(const char *wanted, const char *list)
{
	char id[COMPONENT_ID_SIZE];

	for (const char *at = list; *at; at += *at == ',') {
		int length = (int)strcspn(at, ",");

		(void)snprintf(id, sizeof(id), "%.*s", length, at);
		if (is_wanted(wanted, id))
			return true;
		at += length;
	}
	return !*list;
}

/* Whether the subscriber's components are among those that it concerns; what concerns none by name concerns all. */
static bool concerns(const struct status_page *page, const struct deliver_item *item, const char *incident,
                     const struct looking *looking)
{
	if (item->row.what == DELIVERY_QUESTION)
		return true;
	if (item->row.what == DELIVERY_STATE)
		return is_wanted(item->components, item->component);
	if (item->row.what == DELIVERY_WORKS)
		return any_wanted(item->components, looking->components);
	for (uint32_t i = 0; i < page->incidents_count; i++) {
		const struct status_incident *one = &page->incidents[i];

		if (strcmp(one->id, incident) != 0)
			continue;
		for (uint32_t k = 0; k < one->components_count; k++)
			if (is_wanted(item->components, one->components[k]))
				return true;
		return one->components_count == 0;
	}
	return false;
}

/* ---- planned works ---- */

static int look_at_works(void *context, const struct component_works *row)
{
	struct looking *looking = context;
	bool memory = true;

	if (strcmp(row->id, looking->works) != 0)
		return 0;
	looking->found = true;
	looking->added_ns = row->added_ns;
	looking->from_ns = row->from_ns;
	looking->called_off = row->cancelled_ns && row->cancelled_ns <= row->from_ns;
	looking->at_ns = row->cancelled_ns;
	looking->until_ns = row->cancelled_ns && !looking->called_off && row->cancelled_ns < row->until_ns
	                            ? row->cancelled_ns
	                            : row->until_ns;
	looking->components = strdup(row->components);
	for (unsigned i = 0; i < LANGUAGES; i++) {
		looking->names[i] = strdup(row->name[i]);
		memory = memory && looking->names[i];
	}
	return memory && looking->components ? 0 : -ENOMEM;
}

/* Which news of them is the latest by now: what came before it is told no more. */
static enum delivery_stage stage_of(const struct looking *looking, int64_t now_ns)
{
	return looking->called_off           ? DELIVERY_CALLED_OFF
	       : now_ns < looking->from_ns   ? DELIVERY_ANNOUNCED
	       : now_ns >= looking->until_ns ? DELIVERY_ENDED
	                                     : DELIVERY_BEGUN;
}

/*
 * Works that were called off before they began are not on the page any more: an incident that says so takes their
 * place.
 */
static void make_called_off(struct looking *looking)
{
	struct status_incident *incident = &looking->incident;
	struct status_update *update = &looking->update;

	for (char *at = looking->components; *at && incident->components_count < COMPONENTS_MAX;) {
		size_t length = strcspn(at, ",");

		looking->list[incident->components_count++] = at;
		at += length;
		if (*at)
			*at++ = '\0';
	}
	for (unsigned i = 0; i < LANGUAGES; i++) {
		incident->name[i] = looking->names[i];
		update->body[i] = mail_works_word(MAIL_WORKS_OFF, (enum language)i);
	}
	incident->id = update->id = looking->works;
	incident->phase = update->phase = STATUS_COMPLETED;
	incident->created_ns = looking->added_ns;
	incident->updated_ns = incident->resolved_ns = looking->at_ns;
	update->created_ns = update->updated_ns = update->display_ns = looking->at_ns;
	incident->started_ns = incident->scheduled_from_ns = looking->from_ns;
	incident->scheduled_until_ns = looking->until_ns;
	incident->components = looking->list;
	incident->updates = update;
	incident->updates_count = 1;
}

/* 0, or -ENOENT with why it is not told. */
static int find_works(struct deliver_maker *maker, const struct deliver_item *item, int64_t now_ns,
                      struct looking *looking, const char **why, struct record_error *error)
{
	int result;

	(void)snprintf(looking->works, sizeof(looking->works), "m%llu", (unsigned long long)item->row.works);
	result = component_works_each(maker->ledger, look_at_works, looking, error);
	if (result != 0)
		return result;
	if (!looking->found) {
		*why = "there are no such works";
		return -ENOENT;
	}
	if (item->row.stage < stage_of(looking, now_ns)) {
		*why = "what followed it is told";
		return -ENOENT;
	}
	return 0;
}

/* ---- webhooks ---- */

static int send_webhook(struct deliver_maker *maker, struct post *post, const struct deliver_item *item,
                        const char *incident, const struct looking *looking, int64_t now_ns, uint64_t token)
{
	unsigned which = deliver_webhook(maker->config, item->name);
	char lines[WEBHOOK_HEADERS][WEBHOOK_HEADER_SIZE], digits[PARCEL_ID_SIZE], id[WEBHOOK_ID_SIZE];
	struct webhook_event event = { .incident = incident,
		                       .component = item->row.what == DELIVERY_STATE ? item->component : "",
		                       .since_ns = item->row.since_ns,
		                       .id = id,
		                       .given = looking->called_off ? &looking->incident : NULL,
		                       .language = LANGUAGE_EN };
	struct alert_request request = { .length = 0 };
	int result;

	subscriptions_delivery_id(&maker->key, &item->row, digits);
	(void)snprintf(id, sizeof(id), "msg_%s", digits);
	(void)language_find(item->lang, &event.language);
	result = webhook_body(page_status(maker->page), &event, &request.body, &request.length);
	if (result != 0)
		return result;
	webhook_sign(&maker->secrets->webhooks[which], id, now_ns / NS_PER_S, request.body, request.length, lines);
	copy(request.url, sizeof(request.url), maker->config->webhooks[which].url);
	(void)snprintf(request.headers, sizeof(request.headers), "%s\n%s\n%s\n", lines[0], lines[1], lines[2]);
	result = post_send(post, &request, token);
	free(request.body);
	return result;
}

/* ---- mail ---- */

static void link_to(const struct deliver_maker *maker, const char *what, enum token_purpose purpose,
                    const struct deliver_item *item, char text[LINK_SIZE])
{
	const char *base = maker->config->mail.public_url[0] ? maker->config->mail.public_url : maker->config->page.url;
	size_t length = strlen(base);
	char token[SUBSCRIPTIONS_TOKEN_SIZE];

	while (length && base[length - 1] == '/')
		length--;
	subscriptions_token(&maker->key, purpose, item->row.to.id, item->nonce, token);
	(void)snprintf(text, LINK_SIZE, "%.*s/%s?token=%s", (int)length, base, what, token);
}

static int post_it(struct deliver_maker *maker, struct post *post, const struct deliver_item *item,
                   const struct mail *mail, uint64_t token)
{
	const struct config_mail *config = &maker->config->mail;
	struct post_mail parcel = { .url = config->smtp,
		                    .user = config->user,
		                    .password = maker->secrets->password,
		                    .ca_file = config->ca_file,
		                    .starttls = !config->no_tls && strncmp(config->smtp, "smtp:", 5) == 0,
		                    .from = config->from,
		                    .to = item->name };
	char *octets = NULL;
	int result = mail_write(mail, &octets, &parcel.length);

	if (result != 0)
		return result == -ENOMEM ? result : -EPERM;
	parcel.octets = octets;
	result = post_send_mail(post, &parcel, token);
	free(octets);
	return result;
}

static int write_news(struct deliver_maker *maker, const struct deliver_item *item, const char *incident,
                      const struct looking *looking, enum language language, const char *leave,
                      char subject[MAIL_SUBJECT_MAX + 1], char **body)
{
	static const enum mail_works works[DELIVERY_STAGES] = { [DELIVERY_ANNOUNCED] = MAIL_WORKS_ANNOUNCED,
		                                                [DELIVERY_BEGUN] = MAIL_WORKS_BEGUN,
		                                                [DELIVERY_ENDED] = MAIL_WORKS_ENDED,
		                                                [DELIVERY_CALLED_OFF] = MAIL_WORKS_OFF };
	struct mail_news news = {
		.page = page_status(maker->page),
		.language = language,
		.incident = incident,
		.component = item->row.what == DELIVERY_STATE ? item->component : "",
		.since_ns = item->row.since_ns,
		.title = looking->title ? looking->title : "",
		.text = looking->text ? looking->text : "",
		.correction = looking->correction,
		.withdrawn = item->row.withdrawn,
		.at_ns = looking->at_ns,
		.given = looking->called_off ? &looking->incident : NULL,
		.to = item->name,
		.unsubscribe = leave,
	};

	if (item->row.what == DELIVERY_WORKS)
		news.works = works[item->row.stage];
	return mail_news_write(&news, subject, body);
}

static int send_mail(struct deliver_maker *maker, struct post *post, const struct deliver_item *item,
                     const char *incident, const struct looking *looking, uint64_t token)
{
	char subject[MAIL_SUBJECT_MAX + 1] = "", leave[LINK_SIZE], confirm[LINK_SIZE], digits[PARCEL_ID_SIZE];
	enum language language = LANGUAGE_EN;
	char *body = NULL;
	int result;

	(void)language_find(item->lang, &language);
	link_to(maker, "unsubscribe", TOKEN_LEAVE, item, leave);
	link_to(maker, "confirm", TOKEN_CONFIRM, item, confirm);
	if (item->row.what == DELIVERY_QUESTION)
		result = mail_question_write(page_status(maker->page), language, item->name, confirm, subject, &body);
	else
		result = write_news(maker, item, incident, looking, language, leave, subject, &body);
	if (result != 0)
		return result;
	subscriptions_delivery_id(&maker->key, &item->row, digits);
	result = post_it(maker, post, item,
	                 &(struct mail){ .from = maker->config->mail.from,
	                                 .to = item->name,
	                                 .from_name = maker->config->mail.name,
	                                 .subject = subject,
	                                 .body = body,
	                                 .id = digits,
	                                 .unsubscribe = item->row.what == DELIVERY_QUESTION ? "" : leave,
	                                 .language = language,
	                                 .date_s = item->row.queued_ns / NS_PER_S },
	                 token);
	free(body);
	return result;
}

/* ---- either ---- */

/* 0, or -ENOENT with why it is not told. */
static int find_statement(struct deliver_maker *maker, const struct deliver_item *item, struct looking *looking,
                          const char **why, struct record_error *error)
{
	int result;

	looking->number = item->row.statement;
	result = statements_published_each(maker->ledger, look_at, looking, error);
	if (result == 0 && !looking->found) {
		*why = "it is not public";
		return -ENOENT;
	}
	if (result == 0 && looking->withdrawn && !item->row.withdrawn) {
		*why = "it was withdrawn before it was sent";
		return -ENOENT;
	}
	return result;
}

static int send_either(struct deliver_maker *maker, struct post *post, const struct deliver_item *item, int64_t now_ns,
                       uint64_t token, struct looking *looking, const char **why, struct record_error *error)
{
	char incident[LEDGER_ID_SIZE] = "";
	int result = need_page(maker, item, now_ns, error);

	if (result == 0 && item->row.what == DELIVERY_STATEMENT) {
		result = find_statement(maker, item, looking, why, error);
		(void)snprintf(incident, sizeof(incident), "i%llu", (unsigned long long)item->row.thread);
	} else if (result == 0 && item->row.what == DELIVERY_WORKS) {
		result = find_works(maker, item, now_ns, looking, why, error);
		memcpy(incident, looking->works, sizeof(incident));
	}
	if (result != 0)
		return result;
	if (!concerns(page_status(maker->page), item, incident, looking)) {
		*why = "it concerns none of the subscriber's components";
		return -ENOENT;
	}
	if (looking->called_off)
		make_called_off(looking);
	*why = "the page shows nothing of it any more";
	return item->row.to.kind == SUBSCRIBER_WEBHOOK
	               ? send_webhook(maker, post, item, incident, looking, now_ns, token)
	               : send_mail(maker, post, item, incident, looking, token);
}

int deliver_send(struct deliver_maker *maker, struct post *post, const struct deliver_item *item, int64_t now_ns,
                 uint64_t token, const char **why, struct record_error *error)
{
	struct looking looking = { .number = 0 };
	bool webhook = item->row.to.kind == SUBSCRIBER_WEBHOOK;
	int result;

	*why = "";
	if (item->row.told) {
		*why = "it was told in the subscriber's language";
		return -ENOENT;
	}
	if (webhook ? deliver_webhook(maker->config, item->name) == maker->config->webhook_count
	            : !maker->config->mail.smtp[0]) {
		*why = webhook ? "it is configured no more" : "no mail is configured";
		return -EAGAIN;
	}
	result = send_either(maker, post, item, now_ns, token, &looking, why, error);
	forget(&looking);
	if (result == -EPERM)
		*why = "it cannot be put into a mail";
	else if (result != -ENOENT) /* the error says it */
		*why = "";
	return result;
}

void deliver_maker_fini(struct deliver_maker *maker)
{
	page_free(maker->page);
	explicit_bzero(&maker->key, sizeof(maker->key));
	maker->page = NULL;
}
