/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exports, field by field. What a field is named, which type and values it has: STIX 2.1 (OASIS Standard, 10 June 2021;
 * in brackets its sections); XARF 4 (xarf-spec, schemas/v4/xarf-core.json and types/connection-ddos.json); MISP (core
 * format, and objects/ddos and objects/ddos-claim of misp-objects); RFC 4180.
 */
#include <errno.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/digest.h"
#include "engine/engine.h"
#include "made.h"
#include "tell/export.h"
#include "tell/trace_json.h"

#define START (1748772000 * NS_PER_S) /* 2025-06-01T10:00:00Z */
#define TARGET 0xc000020a             /* 192.0.2.10 */

/* ---- what is exported ---- */

static struct trace trace;
static struct trace_row rows[4];
static struct export_source sources[3];

static const struct analysis_claim claims[] = {
	{ .id = "c1",
	  .by = "An owner",
	  .text = "\"All from one country\"",
	  .url = "https://news.example/1",
	  .predicate = "share(country=BR) >= 0.9",
	  .verdict = "contradicted",
	  .confidence = "high",
	  .word = "almost no chance",
	  .cap = "",
	  .reason = "At most 41 % are there." },
	{ .id = "c2",
	  .by = "A group",
	  .text = "We did it",
	  .url = "",
	  .predicate = "actor = group",
	  .verdict = "untestable",
	  .confidence = "low",
	  .word = "",
	  .cap = "",
	  .reason = "Packets do not show who." },
	{ .id = "c3",
	  .by = "A paper",
	  .text = "Thousands of bots",
	  .url = "",
	  .predicate = "count(sources) >= 1000",
	  .verdict = "supported",
	  .confidence = "moderate",
	  .word = "likely",
	  .cap = "",
	  .reason = "" },
};

static struct export made(bool reflectors)
{
	struct export e = { .trace = &trace, .sources = sources, .sources_count = 3, .has_sources = true };

	memset(&trace, 0, sizeof(trace));
	trace.incident = 0xabcdef;
	trace.began_ns = START;
	trace.ended_ns = START + 90 * NS_PER_S;
	trace.made_ns = START + 100 * NS_PER_S;
	trace.packets = 1000000;
	trace.octets = 64000000;
	trace.peak_pps = 20000;
	trace.peak_bps = 10000000;
	trace.spoofing.verdict = reflectors ? SPOOFING_REFLECTORS : SPOOFING_VERIFIED;
	trace.vectors_count = 1;
	trace.vectors[0] = (struct trace_vector){ .packets = 1000000, .octets = 64000000, .spoofing = trace.spoofing };
	(void)snprintf(trace.vectors[0].name, sizeof(trace.vectors[0].name), "%s",
	               reflectors ? "ntp_reflection" : "tcp_connection_flood");
	memset(rows, 0, sizeof(rows));
	rows[0] = (struct trace_row){ .network = 64512,
		                      .reflectors = reflectors,
		                      .name = "=EXAMPLE \"A\", Inc",
		                      .country = { "BR", "US" },
		                      .held = 2,
		                      .sources = 2,
		                      .packets = 30,
		                      .octets = 900 };
	rows[1] = (struct trace_row){ .network = 64513,
		                      .reflectors = reflectors,
		                      .name = "B",
		                      .country = { "BR", "BR" },
		                      .held = 1,
		                      .sources = 1,
		                      .packets = 9,
		                      .octets = 90 };
	rows[2] = (struct trace_row){ .network = TRACE_OTHERS,
		                      .reflectors = reflectors,
		                      .country = { "ID", "" },
		                      .held = 1,
		                      .sources = 1,
		                      .packets = 1,
		                      .octets = 60 };
	rows[3] = (struct trace_row){ .reflectors = reflectors, .held = 1, .sources = 1, .packets = 1, .octets = 60 };
	trace.rows = rows;
	trace.rows_count = 4;
	trace.country_databases = 2;
	trace.databases_count = 2;
	trace.located_sources = 5;
	trace.located_packets = 41;
	for (uint32_t i = 0; i < 3; i++)
		sources[i] = (struct export_source){ .address = i == 2 ? made_ipv6(0x20010db800000000, 1)
			                                               : made_ipv4(0xc6336403 + i),
			                             .packets = 30 - i,
			                             .octets = 900,
			                             .first_ns = START + i,
			                             .last_ns = START + 61 * NS_PER_S,
			                             .network = 64512,
			                             .reflectors = reflectors };
	assert_int_equal(prefix_parse("192.0.2.10/32", &e.scope), 0);
	e.ports[0] = 443;
	e.ports_count = 1;
	e.tlp = EXPORT_AMBER_STRICT;
	return e;
}

static json_t *parse(char *text)
{
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(json);
	assert_int_equal(text[strlen(text) - 1], '\n');
	free(text);
	return json;
}

static const char *string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text)
		fail_msg("%s is no string", key);
	return text;
}

static json_int_t integer(const json_t *object, const char *key)
{
	if (!json_is_integer(json_object_get(object, key)))
		fail_msg("%s is no integer", key);
	return json_integer_value(json_object_get(object, key));
}

static void assert_like(const char *text, const char *expression)
{
	regex_t regex;

	assert_int_equal(regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&regex, text, 0, NULL, 0) != 0)
		fail_msg("'%s' is not like %s", text, expression);
	regfree(&regex);
}

#define UUID "[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
#define MOMENT "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6,9}Z$"

/* ---- STIX ---- */

static json_t *find_id(const json_t *bundle, const char *id)
{
	json_t *object, *found = NULL;
	size_t i;

	json_array_foreach(json_object_get(bundle, "objects"), i, object) if (strcmp(string(object, "id"), id) == 0)
	{
		assert_null(found); /* [2.9]: unique */
		found = object;
	}
	return found;
}

static json_t *find_type(const json_t *bundle, const char *type, size_t which)
{
	json_t *object;
	size_t i;

	json_array_foreach(json_object_get(bundle, "objects"), i,
	                   object) if (strcmp(string(object, "type"), type) == 0 && which-- == 0) return object;
	return NULL;
}

static size_t count_type(const json_t *bundle, const char *type)
{
	size_t count = 0;

	while (find_type(bundle, type, count))
		count++;
	return count;
}

/* What all objects have in common [3.2], and that all that is referred to is there. */
static void assert_stix(const json_t *bundle)
{
	json_t *object, *value, *ref;
	const char *key;
	size_t i, k;

	assert_string_equal(string(bundle, "type"), "bundle"); /* [8] */
	assert_like(string(bundle, "id"), "^bundle--" UUID "$");
	assert_null(json_object_get(bundle, "spec_version"));
	json_array_foreach(json_object_get(bundle, "objects"), i, object)
	{
		const char *type = string(object, "type"), *id = string(object, "id");

		assert_string_equal(string(object, "spec_version"), "2.1");
		assert_int_equal(strncmp(id, type, strlen(type)), 0);
		assert_like(id + strlen(type), "^--" UUID "$");
		assert_ptr_equal(find_id(bundle, id), object);
		json_object_foreach(object, key, value)
		{
			size_t length = strlen(key);

			if (length > 4 && strcmp(key + length - 4, "_ref") == 0)
				assert_non_null(find_id(bundle, json_string_value(value)));
			if (length > 5 && strcmp(key + length - 5, "_refs") == 0) {
				assert_true(json_array_size(value) > 0);
				json_array_foreach(value, k, ref)
					assert_non_null(find_id(bundle, json_string_value(ref)));
			}
			assert_like(key, "^[a-z0-9_]{3,250}$|^id$"); /* [3.1] */
		}
		if (strcmp(type, "marking-definition") != 0)
			assert_int_equal(json_array_size(json_object_get(object, "object_marking_refs")), 1);
		if (json_object_get(object, "modified")) {
			assert_like(string(object, "created"), MOMENT); /* [2.16] */
			assert_string_equal(string(object, "created"), string(object, "modified"));
		}
	}
}

static void stix(void **state)
{
	struct export e = made(false);
	json_t *bundle, *object;
	char *text, *again;

	(void)state;
	e.organisation = "Example Platform";
	e.contact = "abuse@platform.example";
	assert_int_equal(export_stix(&e, &text), 0);
	assert_int_equal(export_stix(&e, &again), 0);
	assert_string_equal(text, again);
	free(again);
	bundle = parse(text);
	assert_stix(bundle);
	/* TLP 2.0, as OASIS publishes it. */
	object = find_id(bundle, "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003");
	assert_string_equal(string(object, "name"), "TLP:AMBER+STRICT");
	object = json_object_get(json_object_get(object, "extensions"),
	                         "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d");
	assert_string_equal(string(object, "extension_type"), "property-extension");
	assert_string_equal(string(object, "tlp_2_0"), "amber+strict");
	object = find_type(bundle, "identity", 0); /* [4.5] */
	assert_string_equal(string(object, "name"), "Example Platform");
	assert_string_equal(string(object, "identity_class"), "organization");
	assert_string_equal(string(object, "contact_information"), "abuse@platform.example");
	/* [2.9, 6.9]: the identifier that the standard's own example has for this address. */
	object = find_id(bundle, "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4");
	assert_non_null(object);
	assert_string_equal(string(object, "value"), "198.51.100.3");
	assert_int_equal(json_array_size(json_object_get(object, "belongs_to_refs")), 1);
	object = find_type(bundle, "ipv6-addr", 0); /* [6.10] */
	assert_string_equal(string(object, "value"), "2001:db8::1");
	assert_int_equal(count_type(bundle, "ipv4-addr"), 3); /* two sources, the target */
	/* [6.2] */
	assert_int_equal(count_type(bundle, "autonomous-system"), 2);
	object = find_type(bundle, "autonomous-system", 0);
	assert_int_equal(integer(object, "number"), 64512);
	assert_string_equal(string(object, "name"), "=EXAMPLE \"A\", Inc");
	/* [6.12] */
	object = find_type(bundle, "network-traffic", 0);
	assert_like(string(object, "start"), MOMENT);
	assert_like(string(object, "end"), MOMENT);
	assert_true(json_is_false(json_object_get(object, "is_active")));
	assert_string_equal(string(find_id(bundle, string(object, "dst_ref")), "value"), "192.0.2.10");
	assert_int_equal(integer(object, "dst_port"), 443);
	assert_null(json_object_get(object, "src_port"));
	assert_int_equal(integer(object, "src_packets"), 1000000);
	assert_int_equal(integer(object, "src_byte_count"), 64000000);
	assert_string_equal(json_string_value(json_array_get(json_object_get(object, "protocols"), 0)), "ipv4");
	assert_string_equal(json_string_value(json_array_get(json_object_get(object, "protocols"), 1)), "tcp");
	/* [4.14] */
	object = find_type(bundle, "observed-data", 0);
	assert_string_equal(string(object, "first_observed"), "2025-06-01T10:00:00.000000Z");
	assert_string_equal(string(object, "last_observed"), "2025-06-01T10:01:30.000000Z");
	assert_int_equal(integer(object, "number_observed"), 1000000);
	assert_int_equal(json_array_size(json_object_get(object, "object_refs")), 1 + 1 + 2 + 3);
	assert_null(json_object_get(object, "objects"));
	/* [4.8, 10.11] */
	object = find_type(bundle, "infrastructure", 0);
	assert_string_equal(json_string_value(json_array_get(json_object_get(object, "infrastructure_types"), 0)),
	                    "botnet");
	assert_non_null(strstr(string(object, "description"), "does not show who controlled them"));
	/* [5.1] */
	object = find_type(bundle, "relationship", 0);
	assert_string_equal(string(object, "relationship_type"), "consists-of");
	assert_like(string(object, "source_ref"), "^infrastructure--");
	assert_like(string(object, "target_ref"), "^observed-data--");
	/* [4.16, 10.23] */
	object = find_type(bundle, "report", 0);
	assert_string_equal(string(object, "name"), "DDoS attack on 192.0.2.10/32, 2025-06-01: tcp_connection_flood");
	assert_like(string(object, "published"), MOMENT);
	assert_string_equal(json_string_value(json_array_get(json_object_get(object, "report_types"), 0)),
	                    "observed-data");
	/* All but the marking and itself. */
	assert_int_equal(json_array_size(json_object_get(object, "object_refs")),
	                 json_array_size(json_object_get(bundle, "objects")) - 2);
	assert_int_equal(count_type(bundle, "note") + count_type(bundle, "opinion"), 0);
	json_decref(bundle);
}

/* Relays are called so; claims are there once they are handed over [4.13, 4.15, 10.21]. */
static void stix_claims(void **state)
{
	struct export e = made(true);
	json_t *bundle, *object;
	char *text;

	(void)state;
	e.claims = claims;
	e.claims_count = 3;
	e.tlp = EXPORT_CLEAR;
	trace.ended_ns = 0;
	assert_int_equal(export_stix(&e, &text), 0);
	bundle = parse(text);
	assert_stix(bundle);
	assert_null(find_type(bundle, "identity", 0));
	assert_string_equal(string(find_type(bundle, "marking-definition", 0), "name"), "TLP:CLEAR");
	object = find_type(bundle, "infrastructure", 0);
	assert_string_equal(json_string_value(json_array_get(json_object_get(object, "infrastructure_types"), 0)),
	                    "amplification");
	assert_non_null(strstr(string(object, "description"), "relays, not attackers"));
	object = find_type(bundle, "network-traffic", 0);
	assert_int_equal(integer(object, "src_port"), 123);
	assert_true(json_is_true(json_object_get(object, "is_active")));
	assert_null(json_object_get(object, "end")); /* [6.12]: none while it is active */
	assert_int_equal(count_type(bundle, "note"), 3);
	object = find_type(bundle, "note", 0);
	assert_string_equal(string(object, "content"), "\"All from one country\"");
	assert_string_equal(string(json_array_get(json_object_get(object, "external_references"), 0), "url"),
	                    "https://news.example/1");
	assert_int_equal(count_type(bundle, "opinion"), 2);
	object = find_type(bundle, "opinion", 0);
	assert_string_equal(string(object, "opinion"), "strongly-disagree");
	assert_int_equal(integer(object, "confidence"), 85);
	assert_string_equal(string(object, "explanation"), "At most 41 % are there.");
	assert_string_equal(json_string_value(json_array_get(json_object_get(object, "object_refs"), 0)),
	                    string(find_type(bundle, "note", 0), "id"));
	object = find_type(bundle, "opinion", 1);
	assert_string_equal(string(object, "opinion"), "agree");
	assert_int_equal(integer(object, "confidence"), 50);
	json_decref(bundle);
}

/* What was forged is nowhere: no infrastructure, no address but the target's. */
static void stix_forged(void **state)
{
	struct export e = made(false);
	json_t *bundle;
	char *text;

	(void)state;
	e.sources_count = 0;
	trace.rows_count = 0;
	trace.located_sources = 0;
	trace.spoofing.verdict = SPOOFING_SPOOFED;
	assert_int_equal(prefix_parse("192.0.2.0/24", &e.scope), 0);
	assert_int_equal(export_stix(&e, &text), 0);
	bundle = parse(text);
	assert_stix(bundle);
	assert_int_equal(count_type(bundle, "infrastructure"), 0);
	assert_int_equal(count_type(bundle, "ipv4-addr"), 1);
	assert_string_equal(string(find_type(bundle, "ipv4-addr", 0), "value"), "192.0.2.0/24");
	json_decref(bundle);
}

/* ---- MISP ---- */

static const char *relation(const json_t *object, const char *name)
{
	json_t *attribute;
	size_t i;

	json_array_foreach(json_object_get(object, "Attribute"), i,
	                   attribute) if (strcmp(string(attribute, "object_relation"), name) ==
	                                  0) return string(attribute, "value");
	return NULL;
}

/* Core format, sections 2.2.2 (attribute) and 2.4 (object). */
static void assert_attributes(const json_t *attributes, bool of_object)
{
	json_t *attribute;
	size_t i;

	json_array_foreach(attributes, i, attribute)
	{
		assert_like(string(attribute, "uuid"), "^" UUID "$");
		assert_like(string(attribute, "type"), "^(text|ip-dst|ip-src|port|datetime|counter|link|AS)$");
		assert_like(string(attribute, "category"), "^(Network activity|External analysis|Other)$");
		assert_true(json_is_false(json_object_get(attribute, "to_ids")));
		assert_string_equal(string(attribute, "timestamp"), "1748772100");
		assert_string_equal(string(attribute, "distribution"), "5");
		assert_true(string(attribute, "value")[0] != '\0');
		assert_int_equal(json_object_get(attribute, "object_relation") != NULL, of_object);
	}
}

static void misp(void **state)
{
	struct export e = made(true);
	json_t *whole, *event, *object, *attributes;
	char *text;
	size_t i;

	(void)state;
	e.claims = claims;
	e.claims_count = 2;
	e.organisation = "Example Platform";
	assert_int_equal(export_misp(&e, &text), 0);
	whole = parse(text);
	event = json_object_get(whole, "Event"); /* 2.2.1 */
	assert_like(string(event, "uuid"), "^" UUID "$");
	assert_string_equal(string(event, "date"), "2025-06-01");
	assert_string_equal(string(event, "info"), "DDoS attack on 192.0.2.10/32, 2025-06-01: ntp_reflection");
	assert_string_equal(string(event, "threat_level_id"), "4");
	assert_string_equal(string(event, "analysis"), "2");
	assert_string_equal(string(event, "distribution"), "0");
	assert_true(json_is_false(json_object_get(event, "published")));
	assert_string_equal(string(event, "timestamp"), "1748772100");
	assert_string_equal(string(json_object_get(event, "Orgc"), "name"), "Example Platform");
	assert_string_equal(string(json_array_get(json_object_get(event, "Tag"), 0), "name"), "tlp:amber+strict");
	attributes = json_object_get(event, "Attribute");
	assert_attributes(attributes, false);
	assert_int_equal(json_array_size(attributes), 2 + 3);
	assert_string_equal(string(json_array_get(attributes, 0), "value"), "AS64512");
	assert_string_equal(string(json_array_get(attributes, 2), "value"), "198.51.100.3");
	assert_string_equal(string(json_array_get(attributes, 2), "comment"), "a relay, not an attacker: 30 packets");
	assert_int_equal(json_array_size(json_object_get(event, "Object")), 3);
	json_array_foreach(json_object_get(event, "Object"), i, object)
	{
		assert_string_equal(string(object, "meta-category"), "network");
		assert_like(string(object, "uuid"), "^" UUID "$");
		assert_attributes(json_object_get(object, "Attribute"), true);
	}
	/* objects/ddos/definition.json: version 6, requires one of ip-dst, ip-src, domain-dst. */
	object = json_array_get(json_object_get(event, "Object"), 0);
	assert_string_equal(string(object, "name"), "ddos");
	assert_string_equal(string(object, "template_uuid"), "e2f124d6-f57c-4f93-99e6-8450545fa05d");
	assert_string_equal(string(object, "template_version"), "6");
	assert_string_equal(relation(object, "ip-dst"), "192.0.2.10");
	assert_string_equal(relation(object, "protocol"), "UDP");
	assert_string_equal(relation(object, "src-port"), "123");
	assert_string_equal(relation(object, "dst-port"), "443");
	assert_string_equal(relation(object, "total-pps"), "20000");
	assert_string_equal(relation(object, "total-bps"), "10000000");
	assert_like(relation(object, "first-seen"), MOMENT);
	assert_like(relation(object, "last-seen"), MOMENT);
	assert_non_null(strstr(relation(object, "text"), "reflectors"));
	/* objects/ddos-claim/definition.json: version 1. */
	object = json_array_get(json_object_get(event, "Object"), 1);
	assert_string_equal(string(object, "name"), "ddos-claim");
	assert_string_equal(string(object, "template_uuid"), "2722ac76-1f1f-43b7-bc68-ba5465ec5c04");
	assert_string_equal(string(object, "template_version"), "1");
	assert_string_equal(relation(object, "claim-validity"), "Invalid");
	assert_string_equal(relation(object, "target"), "192.0.2.10");
	assert_string_equal(relation(object, "reference"), "https://news.example/1");
	assert_string_equal(relation(object, "proof"), "An owner: \"All from one country\"");
	object = json_array_get(json_object_get(event, "Object"), 2);
	assert_string_equal(relation(object, "claim-validity"), "Unknown");
	json_decref(whole);
}

/* ---- XARF ---- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void unpack(const char *text, char *out)
{
	size_t at = 0;
	uint32_t bits = 0;
	unsigned have = 0;

	assert_int_equal(strlen(text) % 4, 0);
	for (; *text && *text != '='; text++) {
		const char *digit = strchr(digits, *text);

		assert_non_null(digit);
		bits = bits << 6 | (uint32_t)(digit - digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[at++] = (char)(bits >> have & 255);
		}
	}
	out[at] = '\0';
}

static void xarf(void **state)
{
	struct export e = made(false);
	char *text, name[EXPORT_NAME_SIZE], payload[2048], hash[DIGEST_SHA256_TEXT_SIZE];
	json_t *report, *item;

	(void)state;
	e.organisation = "Example Platform";
	e.contact = "abuse@platform.example";
	assert_int_equal(export_xarf(&e, &sources[0], &text, name), 0);
	assert_string_equal(name, "198.51.100.3.json");
	report = parse(text);
	/* xarf-core.json, required */
	assert_like(string(report, "xarf_version"), "^4[.][0-9]+[.][0-9]+$");
	assert_like(string(report, "report_id"),
	            "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$");
	assert_like(string(report, "timestamp"), MOMENT);
	for (unsigned i = 0; i < 2; i++) {
		const json_t *contact = json_object_get(report, i ? "sender" : "reporter");

		assert_int_equal(json_object_size(contact), 3);
		assert_string_equal(string(contact, "org"), "Example Platform");
		assert_string_equal(string(contact, "contact"), "abuse@platform.example");
		assert_string_equal(string(contact, "domain"), "platform.example");
	}
	assert_string_equal(string(report, "source_identifier"), "198.51.100.3");
	assert_string_equal(string(report, "category"), "connection");
	assert_string_equal(string(report, "type"), "ddos");
	/* types/connection-ddos.json: required protocol and first_seen; the others by type, enumeration and minimum */
	assert_like(string(report, "protocol"), "^(tcp|udp|icmp|sctp)$");
	assert_string_equal(string(report, "first_seen"), "2025-06-01T10:00:00.000000Z");
	assert_like(string(report, "last_seen"), MOMENT);
	assert_string_equal(string(report, "evidence_source"), "traffic_monitoring");
	assert_string_equal(string(report, "destination_ip"), "192.0.2.10");
	assert_int_equal(integer(report, "destination_port"), 443);
	assert_string_equal(string(report, "attack_vector"), "tcp_connection_flood");
	assert_int_equal(integer(report, "duration_seconds"), 61);
	assert_int_equal(integer(report, "total_packets"), 30);
	assert_int_equal(integer(report, "total_bytes"), 900);
	assert_null(json_object_get(report, "peak_pps")); /* known of the incident, not of this source */
	assert_true(json_real_value(json_object_get(report, "confidence")) == 0.95);
	assert_like(json_string_value(json_array_get(json_object_get(report, "tags"), 0)),
	            "^[a-z0-9][a-z0-9_+-]*:[a-z0-9][a-z0-9_+.-]*$");
	assert_int_equal(json_array_size(json_object_get(report, "evidence")), 1);
	item = json_array_get(json_object_get(report, "evidence"), 0);
	assert_string_equal(string(item, "content_type"), "text/plain");
	unpack(string(item, "payload"), payload);
	assert_int_equal(strncmp(payload, "source: 198.51.100.3\ntarget: 192.0.2.10/32\n", 40), 0);
	assert_int_equal(strlen(payload), integer(item, "size"));
	digest_sha256_text(payload, strlen(payload), hash);
	assert_int_equal(strncmp(string(item, "hash"), "sha256:", 7), 0);
	assert_string_equal(string(item, "hash") + 7, hash);
	json_decref(report);
	/* A second one has another name and number. */
	assert_int_equal(export_xarf(&e, &sources[2], &text, name), 0);
	assert_string_equal(name, "2001-db8--1.json");
	report = parse(text);
	assert_string_equal(string(report, "source_identifier"), "2001:db8::1");
	json_decref(report);
	/* Of a network under attack no single address is the target. */
	assert_int_equal(prefix_parse("192.0.2.0/24", &e.scope), 0);
	e.ports_count = 2;
	sources[0].last_ns = sources[0].first_ns;
	assert_int_equal(export_xarf(&e, &sources[0], &text, name), 0);
	report = parse(text);
	assert_null(json_object_get(report, "destination_ip"));
	assert_null(json_object_get(report, "destination_port"));
	assert_null(json_object_get(report, "duration_seconds"));
	json_decref(report);
}

/* Nobody is told of a relay, and nobody anonymous tells. */
static void xarf_refused(void **state)
{
	struct export e = made(false);
	char *text, name[EXPORT_NAME_SIZE];

	(void)state;
	assert_int_equal(export_xarf(&e, &sources[0], &text, name), -EINVAL);
	e.organisation = "Example Platform";
	assert_int_equal(export_xarf(&e, &sources[0], &text, name), -EINVAL);
	e.contact = "no address";
	assert_int_equal(export_xarf(&e, &sources[0], &text, name), -EINVAL);
	e.contact = "abuse@platform.example";
	sources[0].reflectors = true;
	assert_int_equal(export_xarf(&e, &sources[0], &text, name), -EINVAL);
}

/* ---- CSV ---- */

static void csv(void **state)
{
	struct export e = made(true);
	char *text;

	(void)state;
	e.sources_count = 1;
	assert_int_equal(export_csv(&e, &text), 0);
	assert_string_equal(
		text,
		"kind,country,network,name,address,role,sources,packets,octets,share_of_sources_low,share_of_sources_high,first_packet,last_packet\r\n"
		"country,BR,,,,,,,,0.250000,0.750000,,\r\n"
		"country,US,,,,,,,,0.000000,0.500000,,\r\n"
		"country,ID,,,,,,,,0.250000,0.250000,,\r\n"
		"network,BR/US,64512,\"'=EXAMPLE \"\"A\"\", Inc\",,relay,2,30,900,0.400000,0.400000,,\r\n"
		"network,BR,64513,\"B\",,relay,1,9,90,0.200000,0.200000,,\r\n"
		"network,ID,others,\"\",,relay,1,1,60,0.200000,0.200000,,\r\n"
		"network,,,\"\",,relay,1,1,60,0.200000,0.200000,,\r\n"
		"source,,64512,,198.51.100.3,relay,1,30,900,,,2025-06-01T10:00:00.000000Z,2025-06-01T10:01:01.000000Z\r\n");
	free(text);
}

/* ---- from what was found ---- */

static void give(struct engine *engine, const struct observation *o)
{
	struct packet packet = { .observation = *o };

	engine_prepare(engine, &packet);
	engine_observe(engine, &packet, 1);
}

static void from_a_finding(void **state)
{
	struct engine *engine = engine_new(1);
	const struct finding *finding;
	struct trace_input input = { .observed = 1, .made_ns = START };
	struct trace *found = calloc(1, sizeof(*found)), *read = calloc(1, sizeof(*read));
	struct export e, of_json;
	struct prefix proxy;
	json_t *incident, *target;
	char error[EXPORT_ERROR_SIZE];

	(void)state;
	assert_true(engine && found && read);
	for (unsigned i = 0; i < 4000; i++) {
		struct observation o =
			made_udp(START + (int64_t)i * 2 * NS_PER_MS, made_ipv4(0x08080000 + (i % 2 ? 0 : i % 400)), 123,
		                 made_ipv4(TARGET), 443, 440);

		give(engine, &o);
	}
	engine_finish(engine);
	assert_int_equal(engine_count(engine), 1);
	finding = engine_finding(engine, 0);
	input.incident = finding->incident;
	input.total = finding->total;
	assert_int_equal(trace_make(&input, found), 0);
	assert_int_equal(export_init(&e, finding, found, NULL, NULL, 0), 0);
	assert_true(e.has_sources);
	assert_int_equal(e.sources_count, 200);
	assert_int_equal(e.sources_left_out, 0);
	assert_true(e.sources[0].packets >= 2000 && e.sources[1].packets <= 10);
	assert_true(e.sources[0].reflectors);
	assert_int_equal(e.ports_count, 1);
	assert_int_equal(e.ports[0], 443);
	assert_int_equal(e.tlp, EXPORT_AMBER_STRICT);
	export_fini(&e);
	/* What comes through a proxy of ours is nobody's. */
	assert_int_equal(prefix_parse("8.8.0.0/32", &proxy), 0);
	assert_int_equal(export_init(&e, finding, found, NULL, &proxy, 1), 0);
	assert_int_equal(e.sources_count, 199);
	/* The same of an analysis, but for sources. */
	incident = json_pack("{s:{s:s,s:[i,i]},s:o}", "target", "scope", "192.0.2.10/32", "ports", 443, 70000, "trace",
	                     trace_json(found));
	assert_int_equal(export_init_json(&of_json, incident, read, error), 0);
	assert_false(of_json.has_sources);
	assert_int_equal(of_json.sources_count, 0);
	assert_int_equal(of_json.ports_count, 1);
	assert_int_equal(of_json.trace->incident, found->incident);
	assert_true(prefix_equal(&of_json.scope, &e.scope));
	export_fini(&of_json);
	trace_fini(read);
	/* … and what is wrong with one is named. */
	assert_int_equal(json_object_set_new(json_object_get(incident, "trace"), "packets", json_string("many")), 0);
	assert_int_equal(export_init_json(&of_json, incident, read, error), -EBADMSG);
	assert_non_null(strstr(error, "packets"));
	assert_int_equal(json_object_del(incident, "trace"), 0);
	assert_int_equal(export_init_json(&of_json, incident, read, error), -EBADMSG);
	assert_non_null(strstr(error, "trace"));
	target = json_object_get(incident, "target");
	assert_int_equal(json_object_set_new(target, "scope", json_string("here")), 0);
	assert_int_equal(export_init_json(&of_json, incident, read, error), -EBADMSG);
	assert_non_null(strstr(error, "scope"));
	json_decref(incident);
	export_fini(&e);
	trace_fini(found);
	free(found);
	free(read);
	engine_free(engine);
}

static void labels(void **state)
{
	static const char *const names[] = { "clear", "green", "amber", "amber+strict", "red" };
	enum export_tlp tlp;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(export_tlp_parse(names[i], &tlp), 0);
		assert_int_equal(tlp, i);
		assert_string_equal(export_tlp_name(tlp), names[i]);
	}
	assert_int_equal(export_tlp_parse("white", &tlp), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stix), cmocka_unit_test(stix_claims),    cmocka_unit_test(stix_forged),
		cmocka_unit_test(misp), cmocka_unit_test(xarf),           cmocka_unit_test(xarf_refused),
		cmocka_unit_test(csv),  cmocka_unit_test(from_a_finding), cmocka_unit_test(labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
