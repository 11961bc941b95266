/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STIX 2.1 (docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html); in brackets its sections. What was seen is
 * observed-data [4.14] over cyber-observable objects, whose identifiers all producers make alike [2.9, 6]; what it was
 * made of, where sources are real, an infrastructure [4.8]; a claim is a note [4.13], and what came of it an opinion
 * [4.15]. TLP 2.0 is the marking that OASIS publishes for it (cti-stix-common-objects, extension tlp-2.0).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/scope.h"
#include "tell/export_inside.h"

#define ID_SIZE 96
#define TEXT_SIZE 512
#define TLP_EXTENSION "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
#define NUMBER_OBSERVED_MAX 999999999          /* [4.14.1] */
#define INTEGER_MAX UINT64_C(9007199254740991) /* [2.7]: 2^53 - 1 */

struct bundle {
	const struct export *export;
	struct build build;
	json_t *objects;
	json_t *observed, *reported; /* references */
	char marking[ID_SIZE], identity[ID_SIZE], target[ID_SIZE];
};

/* 00abedb4-aa42-466c-9c01-fed23315a9b7 [2.9]: of cyber-observable objects, of all producers. */
static const uint8_t observables[UUID_OCTETS] = { 0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c,
	                                          0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7 };

static const struct {
	const char *name, *id;
} markings[] = {
	[EXPORT_CLEAR] = { "TLP:CLEAR", "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487" },
	[EXPORT_GREEN] = { "TLP:GREEN", "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb" },
	[EXPORT_AMBER] = { "TLP:AMBER", "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421" },
	[EXPORT_AMBER_STRICT] = { "TLP:AMBER+STRICT", "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003" },
	[EXPORT_RED] = { "TLP:RED", "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1" },
};

static json_t *common(struct bundle *u, const char *type, const char *id)
{
	json_t *object = json_object();

	build_set(&u->build, object, "type", json_string(type));
	build_set(&u->build, object, "spec_version", json_string("2.1"));
	build_set(&u->build, object, "id", json_string(id));
	return object;
}

static void mark(struct bundle *u, json_t *object)
{
	json_t *refs = json_array();

	build_append(&u->build, refs, json_string(u->marking));
	build_set(&u->build, object, "object_marking_refs", refs);
}

/* A domain object: made when the trace was, by whoever reports. `name` tells it from others of its type. */
static json_t *domain_object(struct bundle *u, const char *type, const char *name, char id[ID_SIZE])
{
	char uuid[UUID_SIZE], whole[TEXT_SIZE];
	json_t *object;

	(void)snprintf(whole, sizeof(whole), "stix/%s/%s", type, name);
	export_uuid_own(u->export, whole, uuid);
	(void)snprintf(id, ID_SIZE, "%s--%s", type, uuid);
	object = common(u, type, id);
	if (u->identity[0])
		build_set(&u->build, object, "created_by_ref", json_string(u->identity));
	build_set(&u->build, object, "created", build_time(u->export->trace->made_ns));
	build_set(&u->build, object, "modified", build_time(u->export->trace->made_ns));
	mark(u, object);
	return object;
}

/* A cyber-observable object whose identifier is made of these properties, as canonical JSON (RFC 8785). */
static json_t *observable(struct bundle *u, const char *type, json_t *contributing, char id[ID_SIZE])
{
	char *canonical = json_dumps(contributing, JSON_COMPACT | JSON_SORT_KEYS), uuid[UUID_SIZE] = "";
	json_t *object;

	if (canonical)
		export_uuid(observables, canonical, uuid);
	else
		u->build.failed = true;
	free(canonical);
	(void)snprintf(id, ID_SIZE, "%s--%s", type, uuid);
	object = common(u, type, id);
	if (json_object_update(object, contributing) != 0)
		u->build.failed = true;
	json_decref(contributing);
	return object;
}

static json_t *bounded(uint64_t n)
{
	return build_integer(n < INTEGER_MAX ? n : INTEGER_MAX);
}

static json_t *one(struct bundle *u, const char *key, json_t *value)
{
	json_t *object = json_object();

	build_set(&u->build, object, key, value);
	return object;
}

static void add(struct bundle *u, json_t *object, const char *id, bool observed)
{
	build_append(&u->build, u->objects, object);
	if (observed)
		build_append(&u->build, u->observed, json_string(id));
	build_append(&u->build, u->reported, json_string(id));
}

static void add_marking(struct bundle *u)
{
	json_t *object, *extension = json_object();

	(void)snprintf(u->marking, sizeof(u->marking), "%s", markings[u->export->tlp].id);
	object = common(u, "marking-definition", u->marking);
	build_set(&u->build, object, "created", json_string("2022-10-01T00:00:00.000Z"));
	build_set(&u->build, object, "name", json_string(markings[u->export->tlp].name));
	build_set(&u->build, extension, "extension_type", json_string("property-extension"));
	build_set(&u->build, extension, "tlp_2_0", json_string(export_tlp_name(u->export->tlp)));
	build_set(&u->build, object, "extensions", one(u, TLP_EXTENSION, extension));
	build_append(&u->build, u->objects, object);
}

static void add_identity(struct bundle *u)
{
	const char *name = u->export->organisation;
	char id[ID_SIZE];
	json_t *object;

	if (!name)
		return;
	object = domain_object(u, "identity", name, id);
	(void)snprintf(u->identity, sizeof(u->identity), "%s", id);
	build_set(&u->build, object, "name", json_string(name));
	build_set(&u->build, object, "identity_class", json_string("organization"));
	if (u->export->contact)
		build_set(&u->build, object, "contact_information", json_string(u->export->contact));
	add(u, object, id, false);
}

/* An address, or a network in CIDR notation [6.9, 6.10]. */
static void add_address(struct bundle *u, bool is_ipv4, const char *text, uint32_t network, char id[ID_SIZE])
{
	json_t *object = observable(u, is_ipv4 ? "ipv4-addr" : "ipv6-addr", one(u, "value", json_string(text)), id);

	if (network) {
		char as[ID_SIZE];
		json_t *refs = json_array();

		json_decref(observable(u, "autonomous-system", one(u, "number", build_integer(network)), as));
		build_append(&u->build, refs, json_string(as));
		build_set(&u->build, object, "belongs_to_refs", refs);
	}
	mark(u, object);
	add(u, object, id, true);
}

static void add_target(struct bundle *u)
{
	const struct prefix *scope = &u->export->scope;
	char text[PREFIX_TEXT_SIZE];

	add_address(u, scope->is_ipv4, scope_format(scope, text), 0, u->target);
}

static int by_number(const void *left, const void *right)
{
	const struct trace_row *const *a = left, *const *b = right;

	if ((*a)->network != (*b)->network)
		return (*a)->network < (*b)->network ? -1 : 1;
	return strcmp((*b)->name, (*a)->name);
}

/* Each network once, and those that only a listed source names [6.2]. */
static void add_networks(struct bundle *u)
{
	const struct trace *trace = u->export->trace;
	const struct export *e = u->export;
	size_t room = (size_t)trace->rows_count + e->sources_count + 1, used = 0;
	struct trace_row *extra = calloc((size_t)e->sources_count + 1, sizeof(*extra));
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
	const struct trace_row **rows = calloc(room, sizeof(*rows));
	char id[ID_SIZE], text[TEXT_SIZE];

	if (!rows || !extra) {
		u->build.failed = true;
		free(rows);
		free(extra);
		return;
	}
	for (uint32_t i = 0; i < trace->rows_count; i++)
		if (trace->rows[i].network && trace->rows[i].network != TRACE_OTHERS)
			rows[used++] = &trace->rows[i];
	for (uint32_t i = 0; i < e->sources_count; i++)
		if (e->sources[i].network) {
			extra[i].network = e->sources[i].network;
			rows[used++] = &extra[i];
		}
	/* NOLINTNEXTLINE(bugprone-sizeof-expression) */
	qsort(rows, used, sizeof(*rows), by_number);
	for (size_t i = 0; i < used; i++) {
		json_t *object;

		if (i && rows[i]->network == rows[i - 1]->network)
			continue;
		object = observable(u, "autonomous-system", one(u, "number", build_integer(rows[i]->network)), id);
		(void)snprintf(text, sizeof(text), "%s", rows[i]->name);
		if (text[0])
			build_set(&u->build, object, "name", json_string(text));
		mark(u, object);
		add(u, object, id, true);
	}
	free(rows);
	free(extra);
}

static void add_sources(struct bundle *u)
{
	for (uint32_t i = 0; i < u->export->sources_count; i++) {
		const struct export_source *source = &u->export->sources[i];
		char text[ADDRESS_TEXT_SIZE], id[ID_SIZE];

		/* Whoever attacks itself is the target, and is there already. */
		if (prefix_contains(&u->export->scope, &source->address) && scope_is_host(&u->export->scope))
			continue;
		add_address(u, address_is_ipv4(&source->address), address_format(&source->address, text),
		            source->network, id);
	}
}

/*
 * A vector's packets on their way to the target [6.12]. Two vectors may have all in common that would make the
 * identifier: it is made of the incident and the vector's name instead.
 */
static void add_traffic(struct bundle *u, const struct trace_vector *vector)
{
	const struct vector *row = export_vector(vector->name);
	const struct trace *trace = u->export->trace;
	json_t *protocols = json_array(), *object;
	char id[ID_SIZE], uuid[UUID_SIZE], name[TEXT_SIZE];

	(void)snprintf(name, sizeof(name), "stix/network-traffic/%s", vector->name);
	export_uuid_own(u->export, name, uuid);
	(void)snprintf(id, sizeof(id), "network-traffic--%s", uuid);
	object = common(u, "network-traffic", id);
	build_set(&u->build, object, "start", build_time(trace->began_ns));
	if (trace->ended_ns)
		build_set(&u->build, object, "end", build_time(trace->ended_ns));
	build_set(&u->build, object, "is_active", json_boolean(trace->ended_ns == 0));
	build_set(&u->build, object, "dst_ref", json_string(u->target));
	if (row && row->src_port)
		build_set(&u->build, object, "src_port", json_integer(row->src_port));
	if (u->export->ports_count == 1)
		build_set(&u->build, object, "dst_port", json_integer(u->export->ports[0]));
	build_append(&u->build, protocols, json_string(u->export->scope.is_ipv4 ? "ipv4" : "ipv6"));
	if (strcmp(export_protocol(row), "ip") != 0)
		build_append(&u->build, protocols, json_string(export_protocol(row)));
	build_set(&u->build, object, "protocols", protocols);
	build_set(&u->build, object, "src_byte_count", bounded(vector->octets));
	build_set(&u->build, object, "src_packets", bounded(vector->packets));
	mark(u, object);
	add(u, object, id, true);
}

static void add_observed(struct bundle *u)
{
	const struct trace *trace = u->export->trace;
	uint64_t number = trace->packets < NUMBER_OBSERVED_MAX ? trace->packets : NUMBER_OBSERVED_MAX;
	char id[ID_SIZE];
	json_t *object = domain_object(u, "observed-data", "", id);

	build_set(&u->build, object, "first_observed", build_time(trace->began_ns));
	build_set(&u->build, object, "last_observed", build_time(export_end(u->export)));
	build_set(&u->build, object, "number_observed", build_integer(number ? number : 1));
	build_set(&u->build, object, "object_refs", json_deep_copy(u->observed));
	add(u, object, id, false);
	if (trace->located_sources) {
		bool relays = trace->rows_count && trace->rows[0].reflectors;
		char infrastructure[ID_SIZE], relationship[ID_SIZE], text[TEXT_SIZE];
		json_t *types = json_array(), *relation;

		object = domain_object(u, "infrastructure", "", infrastructure);
		build_set(&u->build, object, "name",
		          json_string(relays ? "relays of a reflection attack" : "senders of a DDoS attack"));
		(void)snprintf(text, sizeof(text),
		               "%" PRIu64 " sources whose addresses are real, %" PRIu64
		               " of them listed. %s Where devices "
		               "connect from does not show who controlled them.",
		               trace->located_sources, (uint64_t)u->export->sources_count,
		               relays ? "They are open services that were misused: relays, not attackers."
		                      : "They completed handshakes.");
		build_set(&u->build, object, "description", json_string(text));
		build_append(&u->build, types, json_string(relays ? "amplification" : "botnet"));
		build_set(&u->build, object, "infrastructure_types", types);
		build_set(&u->build, object, "first_seen", build_time(trace->began_ns));
		build_set(&u->build, object, "last_seen", build_time(export_end(u->export)));
		add(u, object, infrastructure, false);
		relation = domain_object(u, "relationship", "consists-of", relationship);
		build_set(&u->build, relation, "relationship_type", json_string("consists-of"));
		build_set(&u->build, relation, "source_ref", json_string(infrastructure));
		build_set(&u->build, relation, "target_ref", json_string(id));
		add(u, relation, relationship, false);
	}
}

/* opinion-ov [10.21]; NULL: there is none, for nothing could show it. */
static const char *opinion_of(const struct analysis_claim *claim)
{
	bool high = strcmp(claim->confidence, "high") == 0;

	if (strcmp(claim->verdict, "supported") == 0)
		return high ? "strongly-agree" : "agree";
	if (strcmp(claim->verdict, "contradicted") == 0)
		return high ? "strongly-disagree" : "disagree";
	return strcmp(claim->verdict, "unsupported") == 0 ? "neutral" : NULL;
}

/* Of the scale None/Low/Med/High [appendix A]. */
static int confidence_of(const struct analysis_claim *claim)
{
	if (strcmp(claim->confidence, "high") == 0)
		return 85;
	return strcmp(claim->confidence, "moderate") == 0 ? 50 : 15;
}

static void add_claim(struct bundle *u, const struct analysis_claim *claim, const char *about)
{
	char id[ID_SIZE], opinion[ID_SIZE];
	json_t *object = domain_object(u, "note", claim->id, id), *refs = json_array(), *authors = json_array();

	build_set(&u->build, object, "abstract", json_string("A public claim"));
	build_set(&u->build, object, "content", json_string(claim->text));
	build_append(&u->build, authors, json_string(claim->by));
	build_set(&u->build, object, "authors", authors);
	build_append(&u->build, refs, json_string(about));
	build_set(&u->build, object, "object_refs", refs);
	if (claim->url[0]) {
		json_t *references = json_array(), *reference = json_object();

		build_set(&u->build, reference, "source_name", json_string(claim->by));
		build_set(&u->build, reference, "url", json_string(claim->url));
		build_append(&u->build, references, reference);
		build_set(&u->build, object, "external_references", references);
	}
	add(u, object, id, false);
	if (!opinion_of(claim))
		return;
	object = domain_object(u, "opinion", claim->id, opinion);
	build_set(&u->build, object, "opinion", json_string(opinion_of(claim)));
	build_set(&u->build, object, "explanation", json_string(claim->reason));
	build_set(&u->build, object, "confidence", json_integer(confidence_of(claim)));
	refs = json_array();
	build_append(&u->build, refs, json_string(id));
	build_set(&u->build, object, "object_refs", refs);
	add(u, object, opinion, false);
}

/* The observed-data's identifier, as its maker made it. */
static void add_claims(struct bundle *u)
{
	char uuid[UUID_SIZE], id[ID_SIZE];

	export_uuid_own(u->export, "stix/observed-data/", uuid);
	(void)snprintf(id, sizeof(id), "observed-data--%s", uuid);
	for (size_t i = 0; i < u->export->claims_count; i++)
		add_claim(u, &u->export->claims[i], id);
}

static void add_report(struct bundle *u)
{
	const struct trace *trace = u->export->trace;
	char id[ID_SIZE], text[TEXT_SIZE];
	json_t *object = domain_object(u, "report", "", id), *types = json_array();

	export_title(u->export, text, sizeof(text));
	build_set(&u->build, object, "name", json_string(text));
	(void)snprintf(text, sizeof(text),
	               "%" PRIu64 " packets, at most %" PRIu64 " a second, %" PRIu64
	               " bit/s. Source addresses: %s. %" PRIu64 " sources are located, %" PRIu64 " of them not listed.",
	               trace->packets, trace->peak_pps, trace->peak_bps, spoofing_verdict_name(trace->spoofing.verdict),
	               trace->located_sources, u->export->sources_left_out);
	build_set(&u->build, object, "description", json_string(text));
	build_append(&u->build, types, json_string("observed-data"));
	build_set(&u->build, object, "report_types", types);
	build_set(&u->build, object, "published", build_time(trace->made_ns));
	build_set(&u->build, object, "object_refs", json_deep_copy(u->reported));
	build_append(&u->build, u->objects, object);
}

int export_stix(const struct export *export, char **text)
{
	struct bundle u = {
		.export = export, .objects = json_array(), .observed = json_array(), .reported = json_array()
	};
	json_t *bundle = json_object();
	char uuid[UUID_SIZE], id[ID_SIZE];

	add_marking(&u);
	add_identity(&u);
	add_target(&u);
	for (uint32_t i = 0; i < export->trace->vectors_count; i++)
		add_traffic(&u, &export->trace->vectors[i]);
	add_networks(&u);
	add_sources(&u);
	add_observed(&u);
	add_claims(&u);
	add_report(&u);
	json_decref(u.observed);
	json_decref(u.reported);
	export_uuid_own(export, "stix/bundle", uuid);
	(void)snprintf(id, sizeof(id), "bundle--%s", uuid);
	build_set(&u.build, bundle, "type", json_string("bundle"));
	build_set(&u.build, bundle, "id", json_string(id));
	build_set(&u.build, bundle, "objects", u.objects);
	return export_text(&u.build, bundle, JSON_INDENT(1), text);
}
