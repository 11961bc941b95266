/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/site.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "daemon/site_subscribe.h"
#include "tell/gatus.h"
#include "tell/nel.h"
#include "tell/probe_report.h"
#include "tell/report_form.h"

#define COMPONENTS_FILE "api/v2/components.json"
#define NONCE_BITS INTAKE_NONCES_BITS
#define BEARER "Bearer "
#define NO_STORE "no-store"
#define PERMITTED(method) (1u << (method))
#define READS (PERMITTED(HTTP_SERVER_GET) | PERMITTED(HTTP_SERVER_HEAD))
#define POSTS PERMITTED(HTTP_SERVER_POST)
#define NEL_TYPE "application/reports+json"
#define JSON_TYPE "application/json"
#define DECIMAL_MAX 18

struct id {
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
	struct id *ids; /* a ring */
	unsigned ids_next;
	int64_t second;
	unsigned forms_this_second;
	char *made; /* the latest page that was made: owned */
	size_t made_length;
	struct site_subscribe subscribe;
	struct site_counts counts;
};

typedef void handler(struct site *site, const struct http_server_request *request, struct http_server_reply *reply);

/* ---- answers ---- */

static void say(struct http_server_reply *reply, unsigned status, const char *text)
{
	reply->status = status;
	reply->type = "text/plain; charset=utf-8";
	reply->body = text;
	reply->body_length = strlen(text);
	http_server_add_field(reply, "Cache-Control", NO_STORE);
}

/* Browsers post reports from any site's page. */
static void open_to_all(struct http_server_reply *reply)
{
	http_server_add_field(reply, "Access-Control-Allow-Origin", "*");
}

static bool type_is(const struct http_server_request *request, const char *type)
{
	const char *given = http_server_header(request, "Content-Type");
	size_t length = strlen(type);

	return given && !strncasecmp(given, type, length) && (given[length] == '\0' || strchr("; \t", given[length]));
}

/* false: it is refused. */
static bool body_ok(struct site *site, const struct http_server_request *request, struct http_server_reply *reply,
                    const char *type, size_t most)
{
	if (!type_is(request, type)) {
		site->counts.refused_type++;
		say(reply, 415, "Of another type, please.\n");
		return false;
	}
	if (request->body_length > most) {
		site->counts.refused_body++;
		say(reply, 413, "Too large.\n");
		return false;
	}
	return true;
}

/* ---- components ---- */

static void read_components(struct site *site, const char *octets, size_t length)
{
	json_t *all = json_loadb(octets, length, 0, NULL), *list = json_object_get(all, "components"), *item;
	size_t i;

	site->components_count = 0;
	json_array_foreach(list, i, item)
	{
		struct report_form_component *c = &site->components[site->components_count];
		const char *id = json_string_value(json_object_get(item, "id"));
		const char *name = json_string_value(json_object_get(item, "name"));

		if (site->components_count == COMPONENTS_MAX)
			break;
		if (!id || !name || !component_id_ok(id) || json_is_true(json_object_get(item, "group")) ||
		    json_is_false(json_object_get(item, "showcase")))
			continue;
		(void)snprintf(c->id, sizeof(c->id), "%s", id);
		(void)snprintf(c->name, sizeof(c->name), "%s", name);
		site->components_count++;
	}
	json_decref(all);
}

/* Those of the page, as it is by now. */
static void look_for_components(struct site *site)
{
	uint64_t version;
	size_t length;
	const char *octets = site_files_read(site->files, COMPONENTS_FILE, site->now_ms, &length, &version);

	if (!octets) {
		site->components_count = 0;
		site->components_version = 0;
	} else if (version != site->components_version) {
		read_components(site, octets, length);
		site->components_version = version;
	}
}

static bool component_known(const struct site *site, const char *id)
{
	for (unsigned i = 0; i < site->components_count; i++)
		if (!strcmp(site->components[i].id, id))
			return true;
	return !site->components_count && !strcmp(id, site->options.config->public_role.component);
}

/* ---- users ---- */

static enum language language_of(const struct http_server_request *request)
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
	http_server_add_field(reply, "Cache-Control", NO_STORE);
	http_server_add_field(reply, "Vary", "Accept-Language");
}

static bool may_show(struct site *site)
{
	if (site->now_ms / 1000 != site->second) {
		site->second = site->now_ms / 1000;
		site->forms_this_second = 0;
	}
	if (site->forms_this_second >= SITE_FORMS_SECOND) {
		site->counts.forms_refused++;
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
		show_form(site, language, REPORT_FORM_AGAIN, form, 409, reply);
		break;
	case INTAKE_NO_ROOM:
		show_form(site, language, REPORT_FORM_BUSY, NULL, 503, reply);
		break;
	case INTAKE_ACCEPTED:
	case INTAKE_REPEATED:
	case INTAKE_CAPPED:
	case INTAKE_SHIELDED:
	case INTAKE_SAMPLED:
	case INTAKE_RESULTS:
		site->counts.reports++;
		show_form(site, language, REPORT_FORM_TAKEN, NULL, 200, reply);
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

static void report(struct site *site, const struct http_server_request *request, struct http_server_reply *reply)
{
	enum language language = language_of(request);
	struct report_count count;
	struct report_form form;
	int err;

	if (!may_show(site)) {
		say(reply, 503, "Busy. Please try again in a minute. / Merci de réessayer dans une minute.\n");
		http_server_add_field(reply, "Retry-After", "60");
		return;
	}
	look_for_components(site);
	if (request->method != HTTP_SERVER_POST) {
		show_form(site, language, REPORT_FORM_NEW, NULL, 200, reply);
		return;
	}
	if (!body_ok(site, request, reply, REPORT_FORM_TYPE, REPORT_FORM_MAX))
		return;
	err = report_form_read(request->body, request->body_length, &form);
	if (err == -EBADMSG) {
		site->counts.refused_body++;
		say(reply, 400, "This is no form of ours.\n");
		return;
	}
	if (err || !component_known(site, form.component)) {
		show_form(site, language, REPORT_FORM_WRONG, err ? NULL : &form, 400, reply);
		return;
	}
	count = count_of(site, &request->peer, &form);
	answer_report(site, intake_report(site->intake, site->now, form.nonce, &request->peer, &count), language, &form,
	              reply);
}

/* ---- browsers ---- */

struct nel_taking {
	struct site *site;
	const struct http_server_request *request;
};

static const char *component_of_host(const struct config_public *of, const char *host)
{
	for (unsigned i = 0; i < of->site_count; i++)
		if (!strcasecmp(of->sites[i].host, host))
			return of->sites[i].component;
	return of->site_count ? NULL : of->component;
}

static void take_nel(void *context, const struct nel_report *reported)
{
	const struct nel_taking *taking = context;
	struct site *site = taking->site;
	const char *component = component_of_host(&site->options.config->public_role, reported->host);

	if (!component || reported->meaning == NEL_NEUTRAL) {
		site->counts.nel_passed_over++;
		return;
	}
	site->counts.nel_reports++;
	(void)intake_nel(site->intake, site->now, &taking->request->peer,
	                 places_find(site->options.geo, &taking->request->peer).network, component,
	                 reported->meaning == NEL_BAD, reported->weight);
}

static void nel(struct site *site, const struct http_server_request *request, struct http_server_reply *reply)
{
	struct nel_taking taking = { site, request };
	struct nel_counts counts;

	open_to_all(reply);
	if (request->method == HTTP_SERVER_OPTIONS) {
		http_server_add_field(reply, "Access-Control-Allow-Methods", "POST");
		http_server_add_field(reply, "Access-Control-Allow-Headers", "Content-Type");
		http_server_add_field(reply, "Access-Control-Max-Age", "86400");
		reply->status = 204;
		return;
	}
	if (!body_ok(site, request, reply, NEL_TYPE, NEL_BODY_MAX))
		return;
	if (nel_read(request->body, request->body_length, take_nel, &taking, &counts)) {
		site->counts.refused_body++;
		say(reply, 400, "No reports are in it.\n");
		return;
	}
	site->counts.nel_bodies++;
	site->counts.nel_passed_over += counts.other + counts.unknown + counts.late + counts.wrong + counts.left_out;
	reply->status = 204;
}

/* ---- Gatus and probes ---- */

static bool put_signals(struct site *site, const struct signal_count *signals, unsigned count)
{
	if (count > SITE_SIGNALS_MAX - site->signals_count) {
		site->counts.signals_refused += count;
		return false;
	}
	memcpy(site->signals + site->signals_count, signals, count * sizeof(*signals));
	site->signals_count += count;
	return true;
}

static bool gatus_may(const struct site *site, const struct http_server_request *request)
{
	const char *given = http_server_header(request, "Authorization");
	uint8_t sum[DIGEST_SHA256_SIZE];

	if (!given || strncasecmp(given, BEARER, strlen(BEARER)) != 0)
		return false;
	digest_sha256(given + strlen(BEARER), strlen(given + strlen(BEARER)), sum);
	return digest_equal(sum, site->gatus, sizeof(sum));
}

static void gatus(struct site *site, const struct http_server_request *request, struct http_server_reply *reply)
{
	struct signal_count signal = { .kind = SIGNAL_PROBE, .vantage = "gatus" };
	struct gatus_report said;
	int err;

	if (!site->options.gatus_key[0]) {
		say(reply, 404, "Not found.\n");
		return;
	}
	if (!gatus_may(site, request)) {
		site->counts.refused_key++;
		http_server_add_field(reply, "WWW-Authenticate", "Bearer");
		say(reply, 401, "Another token, please.\n");
		return;
	}
	err = gatus_read(request->path, http_server_query(request, "success"), http_server_query(request, "duration"),
	                 &said);
	look_for_components(site);
	if (err == -ENOENT || (!err && site->components_count && !component_known(site, said.component))) {
		say(reply, 404, "There is no such component.\n");
		return;
	}
	if (err) {
		site->counts.refused_body++;
		say(reply, 400, "success is true or false; duration as in 1.5s.\n");
		return;
	}
	signal.bucket_ns = count_bucket(site->now.ns);
	memcpy(signal.component, said.component, sizeof(signal.component));
	signal.good = said.success;
	signal.bad = !said.success;
	signal.value = said.ms;
	if (!put_signals(site, &signal, 1)) {
		say(reply, 503, "Busy.\n");
		return;
	}
	site->counts.gatus++;
	say(reply, 200, "");
}

static int decimal(const char *text, int64_t *value)
{
	size_t length = text ? strspn(text, "0123456789") : 0;

	if (!length || length > DECIMAL_MAX || text[length])
		return -EINVAL;
	*value = strtoll(text, NULL, 10);
	return 0;
}

/* The one who signed it; NULL: nobody whom we know. */
static const struct config_vantage *signer(const struct site *site, const struct http_server_request *request)
{
	const struct config_public *of = &site->options.config->public_role;
	const char *name = http_server_header(request, PROBE_REPORT_VANTAGE);
	const char *signature = http_server_header(request, PROBE_REPORT_SIGNATURE);
	int64_t timestamp;

	if (!name || !signature || decimal(http_server_header(request, PROBE_REPORT_TIMESTAMP), &timestamp))
		return NULL;
	for (unsigned i = 0; i < of->vantage_count; i++)
		if (!strcmp(of->vantages[i].name, name))
			return probe_report_signed(site->vantage_keys[i], strlen(site->vantage_keys[i]),
			                           site->now.ns / NS_PER_S, timestamp, request->body,
			                           request->body_length, signature)
			               ? &of->vantages[i]
			               : NULL;
	return NULL;
}

/* Is it known by its id? */
static bool came_before(const struct site *site, unsigned vantage, const char *id)
{
	for (unsigned i = 0; i < SITE_IDS_MAX; i++) {
		const struct id *known = &site->ids[i];

		if (known->vantage == vantage && !strcmp(known->id, id) &&
		    site->now_ms - known->ms < SITE_ID_S * INT64_C(1000))
			return true;
	}
	return false;
}

static void remember(struct site *site, unsigned vantage, const char *id)
{
	struct id *slot = &site->ids[site->ids_next];

	if (slot->id[0] && site->now_ms - slot->ms < SITE_ID_S * INT64_C(1000))
		site->counts.ids_pushed_out++;
	*slot = (struct id){ .vantage = (uint8_t)vantage, .ms = site->now_ms };
	(void)snprintf(slot->id, sizeof(slot->id), "%s", id);
	site->ids_next = (site->ids_next + 1) % SITE_IDS_MAX;
}

static void probe(struct site *site, const struct http_server_request *request, struct http_server_reply *reply)
{
	const struct config_public *of = &site->options.config->public_role;
	const struct config_vantage *vantage;
	struct probe_report said;

	if (!body_ok(site, request, reply, JSON_TYPE, PROBE_REPORT_SIZE_MAX))
		return;
	vantage = signer(site, request);
	if (!vantage) {
		site->counts.refused_key++;
		say(reply, 401, "Nobody whom we know signed this, or not now.\n");
		return;
	}
	if (probe_report_read(request->body, request->body_length, &said) || strcmp(said.vantage, vantage->name) != 0) {
		site->counts.refused_body++;
		say(reply, 400, "No report is in it.\n");
		return;
	}
	reply->status = 204;
	if (came_before(site, (unsigned)(vantage - of->vantages), said.id)) {
		site->counts.probes_again++;
		return;
	}
	for (uint32_t i = 0; i < said.count; i++)
		said.signals[i].network = vantage->network;
	if (!put_signals(site, said.signals, said.count)) {
		say(reply, 503, "Busy.\n");
		return;
	}
	site->counts.probes++;
	remember(site, (unsigned)(vantage - of->vantages), said.id);
}

/* ---- subscribers ---- */

static void show_subscribe(struct site *site, const struct site_subscribe_answer *answer,
                           struct http_server_reply *reply)
{
	FILE *out;
	int result;

	free(site->made);
	site->made = NULL;
	out = open_memstream(&site->made, &site->made_length);
	result = out ? subscribe_page_write(out, &answer->page) : -ENOMEM;
	if (!out || fclose(out) != 0 || result != 0)
		return;
	reply->status = answer->status;
	reply->type = "text/html; charset=utf-8";
	reply->body = site->made;
	reply->body_length = site->made_length;
	http_server_add_field(reply, "Cache-Control", NO_STORE);
	http_server_add_field(reply, "Vary", "Accept-Language");
}

static void subscribe(struct site *site, const struct http_server_request *request, struct http_server_reply *reply)
{
	static struct site_subscribe_answer answer;

	if (!may_show(site)) {
		say(reply, 503, "Busy. Please try again in a minute. / Merci de réessayer dans une minute.\n");
		http_server_add_field(reply, "Retry-After", "60");
		return;
	}
	look_for_components(site);
	for (unsigned i = 0; i < site->components_count; i++)
		site->choices[i] =
			(struct subscribe_page_component){ site->components[i].id, site->components[i].name };
	site->subscribe.components = site->choices;
	site->subscribe.components_count = site->components_count;
	site_subscribe_answer(&site->subscribe, request, site->now_ms, language_of(request), &answer);
	answer.page.title = site->options.config->page.title[answer.page.language];
	if (answer.message.type &&
	    (!site->options.ask || site->options.ask(site->options.context, &answer.message) != 0)) {
		answer.page.kind = SUBSCRIBE_BUSY;
		answer.status = 503;
	}
	show_subscribe(site, &answer, reply);
}

/* ---- routes ---- */

static bool mail_is_there(const struct config *config)
{
	return config->mail.smtp[0] != '\0';
}

static bool nel_is_there(const struct config *config)
{
	return config->public_role.nel;
}

/* What is no route is a file of the page. A path that ends with '/' is the beginning of what it is for. */
static const struct route {
	const char *path;
	unsigned methods;
	const char *allow;
	handler *handle;
	bool (*there)(const struct config *config); /* NULL: always */
} routes[] = {
	{ "/report", READS | POSTS, "GET, HEAD, POST", report, NULL },
	{ "/en/report", READS | POSTS, "GET, HEAD, POST", report, NULL },
	{ "/fr/report", READS | POSTS, "GET, HEAD, POST", report, NULL },
	{ NEL_PATH, POSTS | PERMITTED(HTTP_SERVER_OPTIONS), "POST, OPTIONS", nel, nel_is_there },
	{ GATUS_BEFORE, POSTS, "POST", gatus, NULL },
	{ PROBE_REPORT_PATH, POSTS, "POST", probe, NULL },
	{ "/subscribe", READS | POSTS, "GET, HEAD, POST", subscribe, mail_is_there },
	{ "/confirm", READS | POSTS, "GET, HEAD, POST", subscribe, mail_is_there },
	{ "/unsubscribe", READS | POSTS, "GET, HEAD, POST", subscribe, mail_is_there },
};

static const struct route *route_of(const struct site *site, const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		size_t length = strlen(routes[i].path);
		bool begins = routes[i].path[length - 1] == '/';

		if ((begins ? !strncmp(path, routes[i].path, length) : !strcmp(path, routes[i].path)) &&
		    (!routes[i].there || routes[i].there(site->options.config)))
			return &routes[i];
	}
	return NULL;
}

void site_answer(struct site *site, const struct http_server_request *request, struct http_server_reply *reply)
{
	const struct route *route = route_of(site, request->path);
	unsigned methods = route ? route->methods : READS;

	if (!(methods & PERMITTED(request->method))) {
		site->counts.refused_method++;
		say(reply, 405, "Not so.\n");
		http_server_add_field(reply, "Allow", route ? route->allow : "GET, HEAD");
	} else if (route) {
		route->handle(site, request, reply);
	} else {
		site->counts.pages++;
		site_files_answer(site->files, request, site->now_ms, reply);
	}
	for (unsigned i = 0; !reply->page && i < site_fields_count; i++)
		http_server_add_field(reply, site_fields[i].name, site_fields[i].value);
}

/* ---- life ---- */

static int copy_keys(struct site *site)
{
	const struct config_public *of = &site->options.config->public_role;

	digest_sha256(site->options.gatus_key, strlen(site->options.gatus_key), site->gatus);
	site->vantage_keys = calloc(of->vantage_count + 1u, sizeof(*site->vantage_keys));
	if (!site->vantage_keys)
		return -ENOMEM;
	for (unsigned i = 0; i < of->vantage_count; i++)
		(void)snprintf(site->vantage_keys[i], SITE_KEY_SIZE, "%s", site->options.vantage_keys[i]);
	site->options.gatus_key = site->options.gatus_key[0] ? "yes" : "";
	site->options.vantage_keys = NULL;
	return 0;
}

int site_new(const struct site_options *options, struct capture_time now, int64_t now_ms, struct site **site)
{
	const struct config *config = options->config;
	const struct intake_options intake = { .network_cap = config->public_role.network_reports,
		                               .nonce_bits = NONCE_BITS,
		                               .shielded = options->shielded,
		                               .context = options->context };
	struct site *made = calloc(1, sizeof(*made));
	int err;

	if (!made)
		return -ENOMEM;
	made->options = *options;
	made->now = now;
	made->now_ms = now_ms;
	made->ids = calloc(SITE_IDS_MAX, sizeof(*made->ids));
	err = made->ids ? copy_keys(made) : -ENOMEM;
	if (!err)
		err = site_files_new(config->page.directory[0] ? config->page.directory : NULL, &made->files);
	memcpy(&made->subscribe.seed, options->key, sizeof(made->subscribe.seed));
	if (!err)
		err = intake_new(&intake, options->key, now, &made->intake);
	explicit_bzero(made->options.key, sizeof(made->options.key));
	if (err) {
		site_free(made);
		return err;
	}
	*site = made;
	return 0;
}

void site_free(struct site *site)
{
	if (!site)
		return;
	intake_free(site->intake);
	site_files_free(site->files);
	if (site->vantage_keys)
		explicit_bzero(site->vantage_keys,
		               (site->options.config->public_role.vantage_count + 1u) * sizeof(*site->vantage_keys));
	free(site->vantage_keys);
	free(site->ids);
	free(site->made);
	free(site);
}

void site_set_time(struct site *site, struct capture_time now, int64_t now_ms)
{
	site->now = now;
	site->now_ms = now_ms;
}

bool site_key_due(const struct site *site)
{
	return intake_key_due(site->intake, site->now);
}

void site_rekey(struct site *site, const uint8_t key[INTAKE_KEY_SIZE])
{
	intake_rekey(site->intake, key, site->now);
}

static unsigned drain_signals(struct site *site, struct signal_count *signals)
{
	unsigned count = site->signals_count < SERVE_COUNTS_MAX ? site->signals_count : SERVE_COUNTS_MAX;

	if (!count)
		return intake_drain_signals(site->intake, signals, SERVE_COUNTS_MAX);
	site->signals_count -= count;
	memcpy(signals, site->signals + site->signals_count, count * sizeof(*signals));
	return count;
}

bool site_drain(struct site *site, struct serve_message *message)
{
	serve_message_init(message, SERVE_REPORTS, 0);
	message->reports.count = intake_drain(site->intake, message->reports.reports, SERVE_COUNTS_MAX);
	if (message->reports.count)
		return true;
	serve_message_init(message, SERVE_SIGNALS, 0);
	message->signals.count = drain_signals(site, message->signals.signals);
	return message->signals.count != 0;
}

const char *site_flood(struct site *site, char text[SERVE_TEXT_SIZE])
{
	unsigned reasons = intake_flood(site->intake, site->now);
	size_t filled = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < INTAKE_FLOOD_REASONS; i++)
		if (reasons >> i & 1)
			filled += (size_t)snprintf(text + filled, SERVE_TEXT_SIZE - filled, "%s%s", filled ? ", " : "",
			                           intake_flood_name((enum intake_flood)(1u << i)));
	return text;
}

struct site_counts site_counts(const struct site *site)
{
	return site->counts;
}

struct intake_counts site_intake_counts(const struct site *site)
{
	return intake_counts(site->intake);
}

struct site_files_counts site_page_counts(const struct site *site)
{
	return site_files_counts(site->files);
}
