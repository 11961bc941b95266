/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A MISP event (draft-dulaunoy-misp-core-format): an object ddos for each vector, of template e2f124d6-…, version 6,
 * and an object ddos-claim for each claim that is handed over, of template 2722ac76-…, version 1 (both:
 * github.com/MISP/misp-objects). Sources that are listed and networks are attributes of the event, none of them for
 * detection: an address that took part in an attack is not one to be blocked for good. Not published, for this
 * organisation alone, until somebody decides otherwise.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "detect/scope.h"
#include "observe/protocol.h"
#include "tell/export_inside.h"

#define TEXT_SIZE 512
#define DATE_LENGTH 10
#define THREAT_UNDEFINED "4"
#define ANALYSIS_COMPLETED "2"
#define YOUR_ORGANISATION_ONLY "0"
#define INHERIT "5"

struct event {
	const struct export *export;
	struct build build;
	unsigned attributes; /* so far: each has a name of its own */
};

struct template
{
	const char *name, *uuid, *version, *description;
};

static const struct template ddos = { "ddos", "e2f124d6-f57c-4f93-99e6-8450545fa05d", "6",
	                              "A DDoS attack as it was seen at its target" };
static const struct template ddos_claim = { "ddos-claim", "2722ac76-1f1f-43b7-bc68-ba5465ec5c04", "1",
	                                    "A public claim about a DDoS attack" };

static json_t *seconds(const struct event *e)
{
	char text[TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "%" PRId64, e->export->trace->made_ns / (int64_t)NS_PER_S);
	return json_string(text);
}

static void set_uuid(struct event *e, json_t *object, const char *name)
{
	char uuid[UUID_SIZE], whole[TEXT_SIZE + 8];

	(void)snprintf(whole, sizeof(whole), "misp/%s", name);
	export_uuid_own(e->export, whole, uuid);
	build_set(&e->build, object, "uuid", json_string(uuid));
}

/* `relation`: what it is of an object; NULL: it is of the event. */
static void attribute(struct event *e, json_t *array, const char *relation, const char *type, const char *category,
                      json_t *value, const char *comment)
{
	json_t *object = json_object();
	char name[TEXT_SIZE];

	(void)snprintf(name, sizeof(name), "attribute/%u", e->attributes++);
	set_uuid(e, object, name);
	if (relation)
		build_set(&e->build, object, "object_relation", json_string(relation));
	build_set(&e->build, object, "type", json_string(type));
	build_set(&e->build, object, "category", json_string(category));
	build_set(&e->build, object, "value", value);
	build_set(&e->build, object, "to_ids", json_false());
	build_set(&e->build, object, "timestamp", seconds(e));
	build_set(&e->build, object, "distribution", json_string(INHERIT));
	build_set(&e->build, object, "comment", json_string(comment));
	build_append(&e->build, array, object);
}

static json_t *object_of(struct event *e, const struct template *template, const char *name, json_t *attributes)
{
	json_t *object = json_object();
	char whole[TEXT_SIZE];

	(void)snprintf(whole, sizeof(whole), "%s/%s", template->name, name);
	build_set(&e->build, object, "name", json_string(template->name));
	build_set(&e->build, object, "meta-category", json_string("network"));
	build_set(&e->build, object, "description", json_string(template->description));
	build_set(&e->build, object, "template_uuid", json_string(template->uuid));
	build_set(&e->build, object, "template_version", json_string(template->version));
	set_uuid(e, object, whole);
	build_set(&e->build, object, "timestamp", seconds(e));
	build_set(&e->build, object, "distribution", json_string(INHERIT));
	build_set(&e->build, object, "comment", json_string(""));
	build_set(&e->build, object, "Attribute", attributes);
	return object;
}

static json_t *text_of(uint64_t n)
{
	char text[TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "%" PRIu64, n);
	return json_string(text);
}

/* One of the template's values. */
static const char *protocol_of(const struct vector *row)
{
	switch (row ? row->protocol : 0) {
	case PROTOCOL_TCP:
		return "TCP";
	case PROTOCOL_UDP:
		return "UDP";
	case PROTOCOL_ICMP:
		return "ICMP";
	default:
		return "IP";
	}
}

static json_t *target_of(const struct export *export)
{
	char text[PREFIX_TEXT_SIZE];

	return json_string(scope_format(&export->scope, text));
}

static json_t *ddos_object(struct event *e, uint32_t index)
{
	const struct trace *trace = e->export->trace;
	const struct trace_vector *vector = &trace->vectors[index];
	const struct vector *row = export_vector(vector->name);
	json_t *attributes = json_array();
	char text[TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "%s: %" PRIu64 " packets, %" PRIu64 " octets; source addresses: %s",
	               row ? row->title : vector->name, vector->packets, vector->octets,
	               spoofing_verdict_name(vector->spoofing.verdict));
	attribute(e, attributes, "text", "text", "Other", json_string(text), "");
	attribute(e, attributes, "ip-dst", "ip-dst", "Network activity", target_of(e->export), "the target");
	attribute(e, attributes, "protocol", "text", "Other", json_string(protocol_of(row)), "");
	if (row && row->src_port)
		attribute(e, attributes, "src-port", "port", "Network activity", text_of(row->src_port), "");
	if (e->export->ports_count == 1)
		attribute(e, attributes, "dst-port", "port", "Network activity", text_of(e->export->ports[0]), "");
	attribute(e, attributes, "first-seen", "datetime", "Other", build_time(trace->began_ns), "of the incident");
	if (trace->ended_ns)
		attribute(e, attributes, "last-seen", "datetime", "Other", build_time(trace->ended_ns),
		          "of the incident");
	/* Rates are known of all vectors together. */
	if (trace->vectors_count == 1) {
		attribute(e, attributes, "total-pps", "counter", "Other", text_of(trace->peak_pps), "peak of 100 ms");
		attribute(e, attributes, "total-bps", "counter", "Other", text_of(trace->peak_bps), "peak of 100 ms");
	}
	return object_of(e, &ddos, vector->name, attributes);
}

/* The template's words: "valid" is what somebody able to tell has confirmed. */
static const char *validity_of(const struct analysis_claim *claim)
{
	if (strcmp(claim->verdict, "supported") == 0)
		return "Valid";
	return strcmp(claim->verdict, "contradicted") == 0 ? "Invalid" : "Unknown";
}

static json_t *claim_object(struct event *e, const struct analysis_claim *claim)
{
	json_t *attributes = json_array();
	char text[2 * TEXT_SIZE];

	attribute(e, attributes, "target", "text", "Other", target_of(e->export), "");
	attribute(e, attributes, "claim-validity", "text", "Other", json_string(validity_of(claim)), claim->verdict);
	(void)snprintf(text, sizeof(text), "%s: %s", claim->by, claim->text);
	attribute(e, attributes, "proof", "text", "Other", json_string(text), "the claim in its own words");
	if (claim->reason[0])
		attribute(e, attributes, "proof", "text", "Other", json_string(claim->reason), "what came of its test");
	if (claim->url[0])
		attribute(e, attributes, "reference", "link", "External analysis", json_string(claim->url), "");
	return object_of(e, &ddos_claim, claim->id, attributes);
}

static json_t *event_attributes(struct event *e)
{
	const struct trace *trace = e->export->trace;
	json_t *attributes = json_array();
	char text[TEXT_SIZE], comment[TEXT_SIZE];

	for (uint32_t i = 0; i < trace->rows_count; i++) {
		const struct trace_row *row = &trace->rows[i];

		if (row->network == 0 || row->network == TRACE_OTHERS)
			continue;
		(void)snprintf(text, sizeof(text), "AS%u", row->network);
		(void)snprintf(comment, sizeof(comment), "%s: %" PRIu64 " %s", row->name, row->sources,
		               row->reflectors ? "relays" : "verified sources");
		attribute(e, attributes, NULL, "AS", "Network activity", json_string(text), comment);
	}
	for (uint32_t i = 0; i < e->export->sources_count; i++) {
		const struct export_source *source = &e->export->sources[i];

		(void)snprintf(comment, sizeof(comment), "%s: %" PRIu64 " packets",
		               source->reflectors ? "a relay, not an attacker" : "completed a handshake",
		               source->packets);
		attribute(e, attributes, NULL, "ip-src", "Network activity",
		          json_string(address_format(&source->address, text)), comment);
	}
	return attributes;
}

int export_misp(const struct export *export, char **text)
{
	struct event e = { .export = export };
	json_t *event = json_object(), *whole = json_object(), *tags = json_array(), *tag = json_object(),
	       *objects = json_array(), *organisation = json_object();
	char title[TEXT_SIZE], date[TIME_TEXT_SIZE];

	set_uuid(&e, event, "event");
	time_format((struct capture_time){ export->trace->began_ns }, date);
	date[DATE_LENGTH] = '\0';
	build_set(&e.build, event, "date", json_string(date));
	export_title(export, title, sizeof(title));
	build_set(&e.build, event, "info", json_string(title));
	build_set(&e.build, event, "threat_level_id", json_string(THREAT_UNDEFINED));
	build_set(&e.build, event, "analysis", json_string(ANALYSIS_COMPLETED));
	build_set(&e.build, event, "distribution", json_string(YOUR_ORGANISATION_ONLY));
	build_set(&e.build, event, "published", json_false());
	build_set(&e.build, event, "timestamp", seconds(&e));
	if (export->organisation) {
		build_set(&e.build, organisation, "name", json_string(export->organisation));
		set_uuid(&e, organisation, export->organisation);
		build_set(&e.build, event, "Orgc", organisation);
	} else {
		json_decref(organisation);
	}
	(void)snprintf(title, sizeof(title), "tlp:%s", export_tlp_name(export->tlp));
	build_set(&e.build, tag, "name", json_string(title));
	build_append(&e.build, tags, tag);
	build_set(&e.build, event, "Tag", tags);
	build_set(&e.build, event, "Attribute", event_attributes(&e));
	for (uint32_t i = 0; i < export->trace->vectors_count; i++)
		build_append(&e.build, objects, ddos_object(&e, i));
	for (size_t i = 0; i < export->claims_count; i++)
		build_append(&e.build, objects, claim_object(&e, &export->claims[i]));
	build_set(&e.build, event, "Object", objects);
	build_set(&e.build, whole, "Event", event);
	return export_text(&e.build, whole, JSON_INDENT(1), text);
}
