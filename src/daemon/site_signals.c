/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What machines report: browsers by the Reporting API, Gatus by its external endpoints, places that probe by what they
 * sign.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "daemon/site_inside.h"
#include "tell/gatus.h"
#include "tell/nel.h"
#include "tell/probe_report.h"

#define BEARER "Bearer "
#define NEL_TYPE "application/reports+json"
#define JSON_TYPE "application/json"
#define DECIMAL_MAX 18

/* ---- browsers ---- */

/* Browsers post reports from any site's page. */
static void open_to_all(struct http_server_reply *reply)
{
	http_server_add_field(reply, "Access-Control-Allow-Origin", "*");
}

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

void site_nel(struct site *site, const struct http_server_request *request, struct http_server_reply *reply)
{
	struct nel_taking taking = { site, request };
	struct nel_counts counts;

	open_to_all(reply);
	if (request->method == HTTP_SERVER_OPTIONS) {
		http_server_add_field(reply, "Access-Control-Allow-Methods", "POST");
		http_server_add_field(reply, "Access-Control-Allow-Headers", "Content-Type");
		http_server_add_field(reply, "Access-Control-Max-Age", "86400");
		reply->status = HTTP_STATUS_NO_CONTENT;
		return;
	}
	if (!site_body_ok(site, request, reply, NEL_TYPE, NEL_BODY_MAX))
		return;
	if (nel_read(request->body, request->body_length, take_nel, &taking, &counts)) {
		site->counts.refused_body++;
		site_say(reply, HTTP_STATUS_BAD_REQUEST, "No reports are in it.\n");
		return;
	}
	site->counts.nel_bodies++;
	site->counts.nel_passed_over += counts.other + counts.unknown + counts.late + counts.wrong + counts.left_out;
	reply->status = HTTP_STATUS_NO_CONTENT;
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

void site_gatus(struct site *site, const struct http_server_request *request, struct http_server_reply *reply)
{
	struct signal_count signal = { .kind = SIGNAL_PROBE, .vantage = "gatus" };
	struct gatus_report said;
	int err;

	if (!site->options.gatus_key[0]) {
		site_say(reply, HTTP_STATUS_NOT_FOUND, "Not found.\n");
		return;
	}
	if (!gatus_may(site, request)) {
		site->counts.refused_key++;
		http_server_add_field(reply, "WWW-Authenticate", "Bearer");
		site_say(reply, HTTP_STATUS_UNAUTHORIZED, "Another token, please.\n");
		return;
	}
	err = gatus_read(request->path, http_server_query(request, "success"), http_server_query(request, "duration"),
	                 &said);
	site_look_for_components(site);
	if (err == -ENOENT || (!err && site->components_count && !site_component_known(site, said.component))) {
		site_say(reply, HTTP_STATUS_NOT_FOUND, "There is no such component.\n");
		return;
	}
	if (err) {
		site->counts.refused_body++;
		site_say(reply, HTTP_STATUS_BAD_REQUEST, "success is true or false; duration as in 1.5s.\n");
		return;
	}
	signal.bucket_ns = count_bucket(site->now.ns);
	memcpy(signal.component, said.component, sizeof(signal.component));
	signal.good = said.success;
	signal.bad = !said.success;
	signal.value = said.ms;
	if (!put_signals(site, &signal, 1)) {
		site_say(reply, HTTP_STATUS_UNAVAILABLE, "Busy.\n");
		return;
	}
	site->counts.gatus++;
	site_say(reply, HTTP_STATUS_OK, "");
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
		const struct site_id *known = &site->ids[i];

		if (known->vantage == vantage && !strcmp(known->id, id) &&
		    site->now_ms - known->ms < SITE_ID_S * INT64_C(1000))
			return true;
	}
	return false;
}

static void remember(struct site *site, unsigned vantage, const char *id)
{
	struct site_id *slot = &site->ids[site->ids_next];

	if (slot->id[0] && site->now_ms - slot->ms < SITE_ID_S * INT64_C(1000))
		site->counts.ids_pushed_out++;
	*slot = (struct site_id){ .vantage = (uint8_t)vantage, .ms = site->now_ms };
	(void)snprintf(slot->id, sizeof(slot->id), "%s", id);
	site->ids_next = (site->ids_next + 1) % SITE_IDS_MAX;
}

void site_probe(struct site *site, const struct http_server_request *request, struct http_server_reply *reply)
{
	const struct config_public *of = &site->options.config->public_role;
	const struct config_vantage *vantage;
	struct probe_report said;

	if (!site_body_ok(site, request, reply, JSON_TYPE, PROBE_REPORT_SIZE_MAX))
		return;
	vantage = signer(site, request);
	if (!vantage) {
		site->counts.refused_key++;
		site_say(reply, HTTP_STATUS_UNAUTHORIZED, "Nobody whom we know signed this, or not now.\n");
		return;
	}
	if (probe_report_read(request->body, request->body_length, &said) || strcmp(said.vantage, vantage->name) != 0) {
		site->counts.refused_body++;
		site_say(reply, HTTP_STATUS_BAD_REQUEST, "No report is in it.\n");
		return;
	}
	reply->status = HTTP_STATUS_NO_CONTENT;
	if (came_before(site, (unsigned)(vantage - of->vantages), said.id)) {
		site->counts.probes_again++;
		return;
	}
	for (uint32_t i = 0; i < said.count; i++)
		said.signals[i].network = vantage->network;
	if (!put_signals(site, said.signals, said.count)) {
		site_say(reply, HTTP_STATUS_UNAVAILABLE, "Busy.\n");
		return;
	}
	site->counts.probes++;
	remember(site, (unsigned)(vantage - of->vantages), said.id);
}
