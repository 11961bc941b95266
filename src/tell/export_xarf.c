/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XARF 4.2 (xarf.org/schemas/v4: xarf-core.json, types/connection-ddos.json): what one address sent, for whoever runs
 * its network. Reported are sources alone that completed handshakes, so that nobody is told of an attack that came from
 * elsewhere in his name. Rates stand for the incident, and are left out; what the source itself sent is counted.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/digest.h"
#include "base/time.h"
#include "detect/scope.h"
#include "tell/export_inside.h"

#define VERSION "4.2.0"
#define TEXT_SIZE 768
#define HASH_SIZE (DIGEST_SHA256_TEXT_SIZE + 8)
#define CONFIDENCE 0.95 /* that this address took part: it was answered, and went on */
#define VERSION_4 '4'
#define VERSION_AT 14 /* in a UUID's text */

/* The domain of an address of mail; NULL: it has none. */
static const char *domain_of(const char *contact)
{
	const char *at = contact ? strrchr(contact, '@') : NULL;

	return at && at != contact && at[1] ? at + 1 : NULL;
}

static json_t *contact_json(struct build *b, const struct export *export)
{
	json_t *object = json_object();

	build_set(b, object, "org", json_string(export->organisation));
	build_set(b, object, "contact", json_string(export->contact));
	build_set(b, object, "domain", json_string(domain_of(export->contact)));
	return object;
}

static json_t *evidence_json(struct build *b, const struct export *export, const struct export_source *source,
                             const char *vector)
{
	json_t *array = json_array(), *object = json_object();
	char text[TEXT_SIZE], encoded[BASE64_SIZE(TEXT_SIZE)], hash[HASH_SIZE] = "sha256:", address[ADDRESS_TEXT_SIZE],
							       target[PREFIX_TEXT_SIZE], first[TIME_TEXT_SIZE],
							       last[TIME_TEXT_SIZE];
	size_t length;

	(void)snprintf(text, sizeof(text),
	               "source: %s\ntarget: %s\nfirst packet: %s\nlast packet: %s\npackets: %" PRIu64
	               "\noctets: %" PRIu64 "\nvector: %s\nincident: %016" PRIx64
	               "\nThe source completed a TCP handshake: the address was not forged.\n",
	               address_format(&source->address, address), prefix_format(&export->scope, target),
	               time_format((struct capture_time){ source->first_ns }, first),
	               time_format((struct capture_time){ source->last_ns }, last), source->packets, source->octets,
	               vector, export->trace->incident);
	length = strlen(text);
	base64_write(text, length, encoded);
	digest_sha256_text(text, length, hash + strlen(hash));
	build_set(b, object, "content_type", json_string("text/plain"));
	build_set(b, object, "description", json_string("what was counted of this source"));
	build_set(b, object, "payload", json_string(encoded));
	build_set(b, object, "hash", json_string(hash));
	build_set(b, object, "size", build_integer(length));
	build_append(b, array, object);
	return array;
}

/* Words of the schema; those of tunnels and others are told as what carries them could be: "tcp" needs a handshake. */
static const char *protocol_of(const struct vector *vector)
{
	const char *name = export_protocol(vector);

	return strcmp(name, "udp") == 0 || strcmp(name, "icmp") == 0 ? name : "tcp";
}

static void file_name(const char *address, char name[EXPORT_NAME_SIZE])
{
	(void)snprintf(name, EXPORT_NAME_SIZE, "%s.json", address);
	for (char *c = name; *c; c++)
		*c = *c == ':' ? '-' : *c;
}

static void set_target(struct build *b, const struct export *export, json_t *object)
{
	char text[ADDRESS_TEXT_SIZE];

	if (scope_is_host(&export->scope))
		build_set(b, object, "destination_ip", json_string(address_format(&export->scope.address, text)));
	if (export->ports_count == 1 && export->ports[0])
		build_set(b, object, "destination_port", json_integer(export->ports[0]));
}

int export_xarf(const struct export *export, const struct export_source *source, char **text,
                char name[EXPORT_NAME_SIZE])
{
	const char *vector = export->trace->vectors[source->vector].name;
	const struct vector *row = export_vector(vector);
	int64_t lasted =
		time_since((struct capture_time){ source->last_ns }, (struct capture_time){ source->first_ns });
	struct build b = { .failed = false };
	json_t *object, *tags;
	char address[ADDRESS_TEXT_SIZE], uuid[UUID_SIZE], whole[TEXT_SIZE];

	if (source->reflectors || !export->organisation || !domain_of(export->contact))
		return -EINVAL;
	object = json_object();
	tags = json_array();
	address_format(&source->address, address);
	(void)snprintf(whole, sizeof(whole), "xarf/%s", address);
	/* The schema has it in the form of version 4. */
	export_uuid_own(export, whole, uuid);
	uuid[VERSION_AT] = VERSION_4;
	build_set(&b, object, "xarf_version", json_string(VERSION));
	build_set(&b, object, "report_id", json_string(uuid));
	build_set(&b, object, "timestamp", build_time(source->first_ns));
	build_set(&b, object, "reporter", contact_json(&b, export));
	build_set(&b, object, "sender", contact_json(&b, export));
	build_set(&b, object, "source_identifier", json_string(address));
	build_set(&b, object, "category", json_string("connection"));
	build_set(&b, object, "type", json_string("ddos"));
	build_set(&b, object, "evidence_source", json_string("traffic_monitoring"));
	build_set(&b, object, "protocol", json_string(protocol_of(row)));
	build_set(&b, object, "first_seen", build_time(source->first_ns));
	build_set(&b, object, "last_seen", build_time(source->last_ns));
	set_target(&b, export, object);
	build_set(&b, object, "attack_vector", json_string(vector));
	if (lasted >= NS_PER_S)
		build_set(&b, object, "duration_seconds", json_integer(lasted / NS_PER_S));
	build_set(&b, object, "total_packets", build_integer(source->packets));
	build_set(&b, object, "total_bytes", build_integer(source->octets));
	build_set(&b, object, "confidence", json_real(CONFIDENCE));
	(void)snprintf(whole, sizeof(whole), "attack:%s", vector);
	build_append(&b, tags, json_string(whole));
	build_set(&b, object, "tags", tags);
	build_set(&b, object, "evidence", evidence_json(&b, export, source, vector));
	file_name(address, name);
	return export_text(&b, object, JSON_INDENT(1), text);
}
