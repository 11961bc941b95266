/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/site.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "daemon/site_inside.h"
#include "daemon/site_subscribe.h"
#include "tell/gatus.h"
#include "tell/nel.h"
#include "tell/probe_report.h"
#include "tell/report_form.h"

#define COMPONENTS_FILE "api/v2/components.json"
#define NONCE_BITS INTAKE_NONCES_BITS
#define PERMITTED(method) (1u << (method))
#define READS (PERMITTED(HTTP_SERVER_GET) | PERMITTED(HTTP_SERVER_HEAD))
#define POSTS PERMITTED(HTTP_SERVER_POST)

typedef void handler(struct site *site, const struct http_server_request *request, struct http_server_reply *reply);

/* ---- answers ---- */

void site_say(struct http_server_reply *reply, enum http_status status, const char *text)
{
	reply->status = status;
	reply->type = "text/plain; charset=utf-8";
	reply->body = text;
	reply->body_length = strlen(text);
	http_server_add_field(reply, "Cache-Control", SITE_NO_STORE);
}

static bool type_is(const struct http_server_request *request, const char *type)
{
	const char *given = http_server_header(request, "Content-Type");
	size_t length = strlen(type);

	return given && !strncasecmp(given, type, length) && (given[length] == '\0' || strchr("; \t", given[length]));
}

bool site_body_ok(struct site *site, const struct http_server_request *request, struct http_server_reply *reply,
                  const char *type, size_t most)
{
	if (!type_is(request, type)) {
		site->counts.refused_type++;
		site_say(reply, HTTP_STATUS_UNSUPPORTED_TYPE, "Of another type, please.\n");
		return false;
	}
	if (request->body_length > most) {
		site->counts.refused_body++;
		site_say(reply, HTTP_STATUS_CONTENT_TOO_LARGE, "Too large.\n");
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

void site_look_for_components(struct site *site)
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

bool site_component_known(const struct site *site, const char *id)
{
	for (unsigned i = 0; i < site->components_count; i++)
		if (!strcmp(site->components[i].id, id))
			return true;
	return !site->components_count && !strcmp(id, site->options.config->public_role.component);
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
	http_server_add_field(reply, "Cache-Control", SITE_NO_STORE);
	http_server_add_field(reply, "Vary", "Accept-Language");
}

static void subscribe(struct site *site, const struct http_server_request *request, struct http_server_reply *reply)
{
	static struct site_subscribe_answer answer;

	if (!site_may_show(site, reply))
		return;
	site_look_for_components(site);
	for (unsigned i = 0; i < site->components_count; i++)
		site->choices[i] =
			(struct subscribe_page_component){ site->components[i].id, site->components[i].name };
	site->subscribe.components = site->choices;
	site->subscribe.components_count = site->components_count;
	site_subscribe_answer(&site->subscribe, request, site->now_ms, site_language_of(request), &answer);
	answer.page.title = site->options.config->page.title[answer.page.language];
	if (answer.message.type &&
	    (!site->options.ask || site->options.ask(site->options.context, &answer.message) != 0)) {
		answer.page.kind = SUBSCRIBE_BUSY;
		answer.status = HTTP_STATUS_UNAVAILABLE;
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
	{ "/report", READS | POSTS, "GET, HEAD, POST", site_report, NULL },
	{ "/en/report", READS | POSTS, "GET, HEAD, POST", site_report, NULL },
	{ "/fr/report", READS | POSTS, "GET, HEAD, POST", site_report, NULL },
	{ NEL_PATH, POSTS | PERMITTED(HTTP_SERVER_OPTIONS), "POST, OPTIONS", site_nel, nel_is_there },
	{ GATUS_BEFORE, POSTS, "POST", site_gatus, NULL },
	{ PROBE_REPORT_PATH, POSTS, "POST", site_probe, NULL },
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
		site_say(reply, HTTP_STATUS_METHOD_NOT_ALLOWED, "Not so.\n");
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
	struct site_counts counts = site->counts;

	counts.subscribe_taken = site->subscribe.taken;
	counts.subscribe_limited = site->subscribe.limited;
	counts.subscribe_wrong = site->subscribe.wrong;
	return counts;
}

struct intake_counts site_intake_counts(const struct site *site)
{
	return intake_counts(site->intake);
}

struct site_files_counts site_page_counts(const struct site *site)
{
	return site_files_counts(site->files);
}
