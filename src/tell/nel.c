/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/nel.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "tell/http_status.h"

#define PPM 1000000

enum phase { PHASE_DNS, PHASE_CONNECTION, PHASE_APPLICATION, PHASES, PHASE_ANY };

static const char *const phases[PHASES] = { "dns", "connection", "application" };

/* The specification's types (section 6), with the phase each is of. */
static const struct type {
	const char *name;
	enum phase phase;
	enum nel_meaning meaning;
} types[] = {
	{ "ok", PHASE_APPLICATION, NEL_GOOD },
	{ "dns.unreachable", PHASE_DNS, NEL_BAD },
	{ "dns.name_not_resolved", PHASE_DNS, NEL_BAD },
	{ "dns.failed", PHASE_DNS, NEL_BAD },
	{ "dns.address_changed", PHASE_DNS, NEL_NEUTRAL }, /* a report that was cut to nothing for privacy */
	{ "tcp.timed_out", PHASE_CONNECTION, NEL_BAD },
	{ "tcp.closed", PHASE_CONNECTION, NEL_BAD },
	{ "tcp.reset", PHASE_CONNECTION, NEL_BAD },
	{ "tcp.refused", PHASE_CONNECTION, NEL_BAD },
	{ "tcp.aborted", PHASE_CONNECTION, NEL_BAD },
	{ "tcp.address_invalid", PHASE_CONNECTION, NEL_BAD },
	{ "tcp.address_unreachable", PHASE_CONNECTION, NEL_BAD },
	{ "tcp.failed", PHASE_CONNECTION, NEL_BAD },
	{ "tls.version_or_cipher_mismatch", PHASE_CONNECTION, NEL_BAD },
	{ "tls.bad_client_auth_cert", PHASE_CONNECTION, NEL_NEUTRAL },
	{ "tls.cert.name_invalid", PHASE_CONNECTION, NEL_BAD },
	{ "tls.cert.date_invalid", PHASE_CONNECTION, NEL_BAD },
	{ "tls.cert.authority_invalid", PHASE_CONNECTION, NEL_BAD },
	{ "tls.cert.invalid", PHASE_CONNECTION, NEL_BAD },
	{ "tls.cert.revoked", PHASE_CONNECTION, NEL_BAD },
	{ "tls.cert.pinned_key_not_in_cert_chain", PHASE_CONNECTION, NEL_BAD },
	{ "tls.protocol.error", PHASE_CONNECTION, NEL_BAD },
	{ "tls.failed", PHASE_CONNECTION, NEL_BAD },
	{ "http.error", PHASE_APPLICATION, NEL_BAD }, /* 4xx or 5xx; of 4xx: see meaning_of() */
	{ "http.protocol.error", PHASE_APPLICATION, NEL_BAD },
	{ "http.response.invalid", PHASE_APPLICATION, NEL_BAD },
	{ "http.response.redirect_loop", PHASE_APPLICATION, NEL_BAD },
	{ "http.failed", PHASE_APPLICATION, NEL_BAD },
	{ "abandoned", PHASE_ANY, NEL_NEUTRAL },
	{ "unknown", PHASE_ANY, NEL_NEUTRAL },
};

static const struct type *type_find(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].name, name))
			return &types[i];
	return NULL;
}

static bool phase_is(const struct type *type, const char *phase)
{
	for (unsigned i = 0; i < PHASES; i++)
		if (!strcmp(phases[i], phase))
			return type->phase == PHASE_ANY || type->phase == (enum phase)i;
	return false;
}

/* The host of "https://host:port/path", in small letters. */
static bool host_of(const char *url, char host[NEL_HOST_SIZE])
{
	const char *at = !strncmp(url, "https://", 8) ? url + 8 : !strncmp(url, "http://", 7) ? url + 7 : NULL;
	size_t length;

	if (!at)
		return false;
	length = *at == '[' ? strcspn(at, "]/?#") + 1 : strcspn(at, ":/?#");
	if (!length || length >= NEL_HOST_SIZE)
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = at[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-._[]:", c))))
			return false;
		host[i] = c;
	}
	host[length] = '\0';
	return true;
}

static enum nel_meaning meaning_of(const struct type *type, int64_t status)
{
	if (!strcmp(type->name, "http.error") && !http_status_is_server_error(status))
		return NEL_NEUTRAL;
	return type->meaning;
}

/* Stands for how many? false: no share of (0, 1]. */
static bool weight_of(const json_t *body, uint32_t *weight)
{
	const json_t *fraction = json_object_get(body, "sampling_fraction");
	double value = json_number_value(fraction);

	if (!fraction) {
		*weight = 1;
		return true;
	}
	if (!json_is_number(fraction) || !(value > 0) || value > 1)
		return false;
	*weight = value * NEL_WEIGHT_MAX < 1 ? NEL_WEIGHT_MAX : (uint32_t)(1 / value);
	return true;
}

/* The counter of what became of it; of one that is taken it is filled. */
static uint32_t *read_one(const json_t *item, struct nel_report *report, struct nel_counts *counts)
{
	const char *kind = json_string_value(json_object_get(item, "type"));
	const char *url = json_string_value(json_object_get(item, "url"));
	const json_t *body = json_object_get(item, "body"), *age = json_object_get(item, "age");
	const char *name = json_string_value(json_object_get(body, "type"));
	const char *phase = json_string_value(json_object_get(body, "phase"));
	const struct type *type;

	if (!kind)
		return &counts->wrong;
	if (strcmp(kind, "network-error") != 0)
		return &counts->other;
	if (!url || !name || !phase || !json_is_integer(age) || json_integer_value(age) < 0 ||
	    !host_of(url, report->host) || !weight_of(body, &report->weight))
		return &counts->wrong;
	if (json_integer_value(age) > NEL_AGE_MAX_MS)
		return &counts->late;
	type = type_find(name);
	if (!type)
		return &counts->unknown;
	if (!phase_is(type, phase))
		return &counts->wrong;
	report->type = type->name;
	report->meaning = meaning_of(type, json_integer_value(json_object_get(body, "status_code")));
	return &counts->taken;
}

int nel_read(const char *octets, size_t length, void (*report)(void *context, const struct nel_report *report),
             void *context, struct nel_counts *counts)
{
	struct nel_counts counted = { 0 };
	const json_t *item;
	json_t *all;
	size_t i;

	if (length > NEL_BODY_MAX)
		return -EBADMSG;
	all = json_loadb(octets, length, 0, NULL);
	if (!json_is_array(all)) {
		json_decref(all);
		return -EBADMSG;
	}
	json_array_foreach(all, i, item)
	{
		struct nel_report one = { .weight = 1 };
		uint32_t *counter;

		if (i >= NEL_REPORTS_MAX) {
			counted.left_out = (uint32_t)(json_array_size(all) - i);
			break;
		}
		counter = read_one(item, &one, &counted);
		(*counter)++;
		if (counter == &counted.taken)
			report(context, &one);
	}
	json_decref(all);
	*counts = counted;
	return 0;
}

/* ---- headers ---- */

static const struct {
	const char *name, *before, *between, *behind;
} servers[NEL_SERVERS] = {
	[NEL_PLAIN] = { "plain", "", ": ", "" },
	[NEL_NGINX] = { "nginx", "add_header ", " '", "' always;" },
	[NEL_APACHE] = { "apache", "Header always set ", " '", "'" },
	[NEL_HAPROXY] = { "haproxy", "http-response set-header ", " '", "'" },
};

const char *nel_server_name(enum nel_server server)
{
	return servers[server].name;
}

bool nel_server_find(const char *word, enum nel_server *server)
{
	for (unsigned i = 0; i < NEL_SERVERS; i++)
		if (!strcmp(servers[i].name, word)) {
			*server = (enum nel_server)i;
			return true;
		}
	return false;
}

static bool url_ok(const char *url)
{
	static const char *const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/[]";
	size_t length = strlen(url);

	return length > 8 && length <= NEL_URL_MAX && !strncmp(url, "https://", 8) && strspn(url, letters) == length &&
	       url[length - 1] != '/';
}

/* A share as JSON has it: "0", "0.050000", "1". */
static const char *share(uint32_t ppm, char text[16])
{
	(void)snprintf(text, 16, ppm % PPM ? "0.%06" PRIu32 : "%" PRIu32, ppm % PPM ? ppm : ppm / PPM);
	return text;
}

int nel_headers(const struct nel_policy *policy, enum nel_server server, char text[NEL_HEADERS_SIZE])
{
	char values[3][512], success[16], failure[16];
	static const char *const names[3] = { "Reporting-Endpoints", "Report-To", "NEL" };
	size_t filled = 0;

	if (!url_ok(policy->url) || policy->success_ppm > PPM || policy->failure_ppm > PPM)
		return -EINVAL;
	(void)snprintf(values[0], sizeof(values[0]), NEL_GROUP "=\"%s" NEL_PATH "\"", policy->url);
	(void)snprintf(values[1], sizeof(values[1]),
	               "{\"group\":\"" NEL_GROUP "\",\"max_age\":%u,\"endpoints\":[{\"url\":\"%s" NEL_PATH "\"}]%s}",
	               NEL_MAX_AGE_S, policy->url, policy->subdomains ? ",\"include_subdomains\":true" : "");
	(void)snprintf(values[2], sizeof(values[2]),
	               "{\"report_to\":\"" NEL_GROUP
	               "\",\"max_age\":%u,\"success_fraction\":%s,\"failure_fraction\":%s%s}",
	               NEL_MAX_AGE_S, share(policy->success_ppm, success), share(policy->failure_ppm, failure),
	               policy->subdomains ? ",\"include_subdomains\":true" : "");
	for (unsigned i = 0; i < 3; i++)
		filled += (size_t)snprintf(text + filled, NEL_HEADERS_SIZE - filled, "%s%s%s%s%s\n",
		                           servers[server].before, names[i], servers[server].between, values[i],
		                           servers[server].behind);
	return 0;
}
