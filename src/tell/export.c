/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/export_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "observe/protocol.h"
#include "tell/trace_json.h"

#define VERSION_5 0x50
#define VARIANT 0x80
#define NAME_MAX_OCTETS 512
#define DATE_LENGTH 10 /* of a time's text */

static const char *const tlps[] = { "clear", "green", "amber", "amber+strict", "red" };

int export_tlp_parse(const char *text, enum export_tlp *tlp)
{
	for (unsigned i = 0; i < sizeof(tlps) / sizeof(tlps[0]); i++) {
		if (strcmp(text, tlps[i]) == 0) {
			*tlp = (enum export_tlp)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *export_tlp_name(enum export_tlp tlp)
{
	return tlps[tlp];
}

/* ---- shared by the formats ---- */

void export_uuid(const uint8_t space[UUID_OCTETS], const char *name, char text[UUID_SIZE])
{
	uint8_t octets[UUID_OCTETS + NAME_MAX_OCTETS], sum[DIGEST_SHA1_SIZE];
	size_t length = strnlen(name, NAME_MAX_OCTETS), at = 0;

	memcpy(octets, space, UUID_OCTETS);
	memcpy(octets + UUID_OCTETS, name, length);
	digest_sha1(octets, UUID_OCTETS + length, sum);
	sum[6] = (uint8_t)((sum[6] & 0x0f) | VERSION_5);
	sum[8] = (uint8_t)((sum[8] & 0x3f) | VARIANT);
	for (unsigned i = 0; i < UUID_OCTETS; i++)
		at += (size_t)snprintf(text + at, UUID_SIZE - at,
		                       i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", sum[i]);
}

void export_uuid_own(const struct export *export, const char *name, char text[UUID_SIZE])
{
	static const uint8_t own[UUID_OCTETS] = { 0x5b, 0x1d, 0x9f, 0x64, 0x0c, 0x7e, 0x4a, 0x83,
		                                  0x9e, 0x21, 0xd7, 0x38, 0x46, 0xaf, 0x52, 0xc0 };
	char whole[NAME_MAX_OCTETS];

	(void)snprintf(whole, sizeof(whole), "%016" PRIx64 "/%s", export->trace->incident, name);
	export_uuid(own, whole, text);
}

int64_t export_end(const struct export *export)
{
	return export->trace->ended_ns ? export->trace->ended_ns : export->trace->made_ns;
}

const struct vector *export_vector(const char *name)
{
	for (size_t i = 1; i < vector_count(); i++)
		if (strcmp(vector_get((uint8_t)i)->name, name) == 0)
			return vector_get((uint8_t)i);
	return NULL;
}

const char *export_protocol(const struct vector *vector)
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = {
		{ PROTOCOL_TCP, "tcp" }, { PROTOCOL_UDP, "udp" }, { PROTOCOL_ICMP, "icmp" }, { PROTOCOL_GRE, "gre" }
	};

	for (size_t i = 0; vector && i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == vector->protocol)
			return names[i].name;
	return "ip";
}

void export_title(const struct export *export, char *text, size_t size)
{
	char prefix[PREFIX_TEXT_SIZE], date[TIME_TEXT_SIZE];

	time_format((struct capture_time){ export->trace->began_ns }, date);
	(void)snprintf(text, size, "DDoS attack on %s, %.*s: %s%s", prefix_format(&export->scope, prefix), DATE_LENGTH,
	               date, export->trace->vectors_count ? export->trace->vectors[0].name : "unknown",
	               export->trace->vectors_count > 1 ? " and others" : "");
}

int export_text(const struct build *b, json_t *object, size_t flags, char **text)
{
	char *plain = b->failed ? NULL : json_dumps(object, flags);
	size_t length = plain ? strlen(plain) : 0;
	char *whole = plain ? realloc(plain, length + 2) : NULL;

	json_decref(object);
	if (!whole) {
		free(plain);
		return -ENOMEM;
	}
	memcpy(whole + length, "\n", 2);
	*text = whole;
	return 0;
}

/* ---- sources ---- */

static int by_address(const void *left, const void *right)
{
	const struct export_source *a = left, *b = right;
	int order = address_compare(&a->address, &b->address);

	if (order)
		return order;
	/* Of one address the vector that it sent most for comes first. */
	return a->packets > b->packets ? -1 : a->packets < b->packets;
}

static int by_packets(const void *left, const void *right)
{
	const struct export_source *a = left, *b = right;

	if (a->packets != b->packets)
		return a->packets > b->packets ? -1 : 1;
	return address_compare(&a->address, &b->address);
}

/* Whether a source of a vector is known to be real, and what as. */
static bool is_real(const struct trace_vector *vector, const struct roster_source *source, bool *reflectors)
{
	*reflectors = vector->spoofing.verdict == SPOOFING_REFLECTORS;
	return *reflectors || vector->spoofing.verdict == SPOOFING_VERIFIED ||
	       (vector->spoofing.verdict == SPOOFING_UNDETERMINED && (source->marks & ROSTER_VERIFIED));
}

/* Those of all vectors, each address once; *all is the caller's, whatever is returned. */
static int collect(const struct finding *finding, const struct trace *trace, struct export_source **all, size_t *count)
{
	const struct roster_source *sources;
	size_t room = 1, used = 0, kept = 0;
	uint32_t held;

	for (uint32_t i = 0; i < finding->incident->parts_count; i++)
		if (finding->incident->parts[i].roster)
			room += roster_held(finding->incident->parts[i].roster);
	*all = calloc(room, sizeof(**all));
	if (!*all)
		return -ENOMEM;
	for (uint32_t i = 0; i < finding->incident->parts_count && i < trace->vectors_count; i++) {
		struct roster *roster = finding->incident->parts[i].roster;

		if (!roster)
			continue;
		if (roster_sources(roster, &sources, &held) != 0)
			return -ENOMEM;
		for (uint32_t k = 0; k < held; k++) {
			struct export_source *source = &(*all)[used];

			*source = (struct export_source){ .address = sources[k].address,
				                          .packets = sources[k].packets,
				                          .octets = sources[k].octets,
				                          .first_ns = sources[k].first_ns,
				                          .last_ns = sources[k].last_ns,
				                          .vector = i };
			used += is_real(&trace->vectors[i], &sources[k], &source->reflectors);
		}
	}
	qsort(*all, used, sizeof(**all), by_address);
	for (size_t i = 0; i < used; i++) {
		struct export_source *last = kept ? &(*all)[kept - 1] : NULL;

		if (!last || !address_equal(&last->address, &(*all)[i].address)) {
			(*all)[kept++] = (*all)[i];
			continue;
		}
		last->packets += (*all)[i].packets;
		last->octets += (*all)[i].octets;
		last->first_ns = last->first_ns < (*all)[i].first_ns ? last->first_ns : (*all)[i].first_ns;
		last->last_ns = last->last_ns > (*all)[i].last_ns ? last->last_ns : (*all)[i].last_ns;
	}
	qsort(*all, kept, sizeof(**all), by_packets);
	*count = kept;
	return 0;
}

/* How many are left once those of these networks are gone. */
static size_t without(struct export_source *all, size_t count, const struct prefix *prefixes, uint32_t prefixes_count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		bool is_one = false;

		for (uint32_t k = 0; k < prefixes_count && !is_one; k++)
			is_one = prefix_contains(&prefixes[k], &all[i].address);
		if (!is_one)
			all[kept++] = all[i];
	}
	return kept;
}

int export_init(struct export *export, const struct finding *finding, const struct trace *trace, const struct geo *geo,
                const struct prefix *trusted, uint32_t trusted_count)
{
	struct export made = { .trace = trace, .scope = finding->incident->scope, .has_sources = true };
	struct export_source *all, *fewer;
	size_t count;

	made.tlp = EXPORT_AMBER_STRICT;
	for (uint32_t i = 0; i < finding->ports_count && i < EXPORT_PORTS_MAX; i++)
		made.ports[made.ports_count++] = finding->ports[i];
	if (collect(finding, trace, &all, &count) != 0) {
		free(all);
		return -ENOMEM;
	}
	count = without(all, count, trusted, trusted_count);
	made.sources_count = count < EXPORT_SOURCES_MAX ? (uint32_t)count : EXPORT_SOURCES_MAX;
	/* Those that are located and not listed, whether they were held or not. */
	made.sources_left_out = trace->located_sources > made.sources_count
	                                ? trace->located_sources - made.sources_count
	                                : count - made.sources_count;
	fewer = realloc(all, ((size_t)made.sources_count + 1) * sizeof(*all));
	made.sources = fewer ? fewer : all;
	for (uint32_t i = 0; geo && i < made.sources_count; i++) {
		struct geo_place place;

		geo_look_up(geo, &made.sources[i].address, &place);
		made.sources[i].network = place.network;
	}
	*export = made;
	return 0;
}

int export_init_json(struct export *export, const json_t *incident, struct trace *trace, char error[EXPORT_ERROR_SIZE])
{
	const json_t *target = json_object_get(incident, "target"), *port, *said = json_object_get(incident, "trace");
	const char *scope = json_string_value(json_object_get(target, "scope"));
	struct export made = { .trace = trace, .tlp = EXPORT_AMBER_STRICT };
	size_t i;

	if (!scope || prefix_parse(scope, &made.scope) != 0) {
		(void)snprintf(error, EXPORT_ERROR_SIZE, "target.scope: is no prefix");
		return -EBADMSG;
	}
	if (!json_is_object(said)) {
		(void)snprintf(error, EXPORT_ERROR_SIZE, "trace: there is none");
		return -EBADMSG;
	}
	json_array_foreach(json_object_get(target, "ports"), i,
	                   port) if (json_is_integer(port) && json_integer_value(port) >= 0 &&
	                             json_integer_value(port) <= UINT16_MAX && made.ports_count < EXPORT_PORTS_MAX)
		made.ports[made.ports_count++] = (uint16_t)json_integer_value(port);
	if (trace_json_read(said, trace, error) != 0)
		return -EBADMSG;
	*export = made;
	return 0;
}

void export_fini(struct export *export)
{
	free(export->sources);
	export->sources = NULL;
}
