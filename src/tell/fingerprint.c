/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/fingerprint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <md5.h>

#include "base/share.h"
#include "observe/protocol.h"
#include "tell/build.h"
#include "tell/words.h"

#define MEGABYTE 1000000u
#define OUTLIER_PERMILLE 100u   /* what has more than a tenth is named … */
#define EXPLAINED_PERMILLE 990u /* … and the others together, unless they are hardly any */
#define KEY_SIZE 32
#define TAGS_MAX 64
#define TAG_SIZE 80
#define FLAGS 12 /* as tshark prints them: three reserved bits, then from AE to FIN */

/* Services as the dissector calls them; others bear our name. */
static const struct {
	uint16_t port;
	const char *name;
} services[] = {
	{ 17, "Quote of the Day" },
	{ 19, "Chargen" },
	{ 53, "DNS" },
	{ 69, "TFTP" },
	{ 111, "TPC" },
	{ 123, "NTP" },
	{ 137, "NetBios" },
	{ 161, "SNMP" },
	{ 177, "XDMCP" },
	{ 389, "LDAP" },
	{ 500, "ISAKMP" },
	{ 520, "RIPv1" },
	{ 623, "IPMI" },
	{ 1434, "MS SQL" },
	{ 1900, "SSDP" },
	{ 3283, "Apple Remote Desktop" },
	{ 3389, "Windows Remote Desktop" },
	{ 3702, "WS-Discovery" },
	{ 5093, "Sentinel" },
	{ 5351, "NAT-PMP" },
	{ 5353, "mDNS" },
	{ 5683, "CoAP" },
	{ 10074, "Mitel MiColab" },
	{ 11211, "MEMCACHED" },
	{ 27015, "Steam" },
	{ 32414, "Plex Media" },
	{ 33848, "Jenkins" },
	{ 37810, "DHDiscover" },
};

/* IP protocols as Python's socket module calls them, which is where the dissector has its names from. */
static const struct {
	uint8_t number;
	const char *name;
} protocols[] = {
	{ 1, "ICMP" }, { 2, "IGMP" }, { 4, "IPIP" }, { 6, "TCP" },     { 17, "UDP" },   { 41, "IPV6" },
	{ 47, "GRE" }, { 50, "ESP" }, { 51, "AH" },  { 58, "ICMPV6" }, { 132, "SCTP" },
};

#define FRAGMENTS "Fragmented IP packets"

static uint64_t permille(uint64_t part, uint64_t whole)
{
	return (share_ppm(part, whole) + 500) / 1000;
}

static json_t *fraction(uint64_t thousandths)
{
	return json_real((double)thousandths / 1000);
}

/* "2025-06-01T10:00:30.001258+00:00": to the microsecond, which is what Python reads. */
static json_t *moment(struct capture_time t)
{
	static const size_t kept = sizeof("2025-06-01T10:00:30.001258") - 1;
	char text[TIME_TEXT_SIZE + 8];

	time_format(t, text);
	memcpy(text + (strlen(text) > kept ? kept : strlen(text) - 1), "+00:00", sizeof("+00:00"));
	return json_string(text);
}

static uint64_t seconds(struct capture_time from, struct capture_time to)
{
	int64_t ns = time_since(to, from);

	return ns > 0 ? (uint64_t)(ns / NS_PER_S) : 0;
}

/* ---- shares of a sample ---- */

/* What of a packet is looked at; false where it has none. */
typedef bool reading(const struct observation *o, uint64_t *value);
typedef const char *spelling(uint64_t value, char key[KEY_SIZE]);

static bool read_dst_port(const struct observation *o, uint64_t *value)
{
	*value = o->dst_port;
	return o->flags & OBSERVATION_PORTS;
}

static bool read_src_port(const struct observation *o, uint64_t *value)
{
	*value = o->src_port;
	return o->flags & OBSERVATION_PORTS;
}

static bool read_flags(const struct observation *o, uint64_t *value)
{
	*value = o->tcp.flags;
	return o->flags & OBSERVATION_TCP;
}

static bool read_ttl(const struct observation *o, uint64_t *value)
{
	*value = o->ttl;
	return true;
}

static bool read_offset(const struct observation *o, uint64_t *value)
{
	*value = o->fragment_offset;
	return true;
}

static bool read_family(const struct observation *o, uint64_t *value)
{
	*value = address_is_ipv4(&o->dst);
	return true;
}

static bool read_icmp_type(const struct observation *o, uint64_t *value)
{
	*value = o->icmp_type;
	return o->flags & OBSERVATION_ICMP;
}

static bool read_protocol(const struct observation *o, uint64_t *value)
{
	*value = o->protocol;
	return true;
}

/* The request code of NTP's private mode (ntpd's ntp_request.h). */
static bool read_ntp_code(const struct observation *o, uint64_t *value)
{
	if (o->payload_kept < 4 || (o->payload[0] & 7) != 7)
		return false;
	*value = o->payload[3];
	return true;
}

static const char *spell_number(uint64_t value, char key[KEY_SIZE])
{
	snprintf(key, KEY_SIZE, "%" PRIu64, value);
	return key;
}

static const char *spell_family(uint64_t value, char key[KEY_SIZE])
{
	snprintf(key, KEY_SIZE, value ? "IPv4" : "IPv6");
	return key;
}

static const char *spell_flags(uint64_t value, char key[KEY_SIZE])
{
	static const char letters[FLAGS + 1] = "RRRNCEUAPRSF";

	for (unsigned i = 0; i < FLAGS; i++)
		key[i] = value >> (FLAGS - 1 - i) & 1 ? letters[i] : '.';
	key[FLAGS] = '\0';
	return key;
}

/* ICMP types by the names that the dissector gives them. */
static const char *spell_icmp(uint64_t value, char key[KEY_SIZE])
{
	static const struct {
		uint8_t type;
		const char *name;
		/* clang-format off */
	} types[] = {
		{ 0, "Echo Reply" },          { 3, "Destination Unreachable" }, { 5, "Redirect" },
		{ 8, "Echo" },                { 9, "Router Advertisement" },    { 10, "Router Solicitation" },
		{ 11, "Time Exceeded" },      { 12, "Parameter Problem" },      { 13, "Timestamp" },
		{ 14, "Timestamp Reply" },    { 40, "Photuris" },               { 42, "Extended Echo Request" },
		{ 43, "Extended Echo Reply" },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type == value) {
			snprintf(key, KEY_SIZE, "%s", types[i].name);
			return key;
		}
	}
	return spell_number(value, key);
}

struct tally {
	uint64_t value, packets;
};

static int by_value(const void *left, const void *right)
{
	const struct tally *a = left, *b = right;

	return a->value < b->value ? -1 : a->value > b->value;
}

/* Largest first. */
static int by_packets(const void *left, const void *right)
{
	const struct tally *a = left, *b = right;

	if (a->packets != b->packets)
		return a->packets > b->packets ? -1 : 1;
	return by_value(left, right);
}

/*
 * Values of a sample with the packets of each, largest first; the caller frees them. NULL with *count 0: none, or no
 * memory.
 */
static struct tally *count_values(struct build *b, const struct sample *sample, reading *read, size_t *count,
                                  uint64_t *total)
{
	struct tally *all = calloc((size_t)sample->used + 1, sizeof(*all));
	size_t used = 0, kept = 0;

	*count = 0;
	*total = 0;
	if (!all) {
		b->failed = true;
		return NULL;
	}
	for (uint32_t i = 0; i < sample->used; i++) {
		struct observation o;

		sample_read(sample, i, &o);
		if (!read(&o, &all[used].value))
			continue;
		all[used].packets = o.weight;
		*total += all[used++].packets;
	}
	qsort(all, used, sizeof(*all), by_value);
	for (size_t i = 0; i < used; i++) {
		if (kept && all[kept - 1].value == all[i].value)
			all[kept - 1].packets += all[i].packets;
		else
			all[kept++] = all[i];
	}
	qsort(all, kept, sizeof(*all), by_packets);
	*count = kept;
	return all;
}

/* The values with more than a tenth each, and their shares; NULL where there is none. */
static json_t *outliers(struct build *b, const struct sample *sample, reading *read, spelling *spell)
{
	uint64_t total, explained = 0;
	size_t count;
	struct tally *tallies = count_values(b, sample, read, &count, &total);
	json_t *object = json_object();
	char key[KEY_SIZE];

	for (size_t i = 0; i < count; i++) {
		uint64_t share = permille(tallies[i].packets, total);

		if (share <= OUTLIER_PERMILLE)
			break;
		build_set(b, object, spell(tallies[i].value, key), fraction(share));
		explained += share;
	}
	free(tallies);
	if (explained == 0) {
		json_decref(object);
		return NULL;
	}
	if (explained < EXPLAINED_PERMILLE)
		build_set(b, object, "others", fraction(1000 - explained));
	return object;
}

static json_t *outliers_or(struct build *b, const struct sample *sample, reading *read, spelling *spell,
                           json_t *otherwise)
{
	json_t *found = outliers(b, sample, read, spell);

	if (!found)
		return otherwise;
	json_decref(otherwise);
	return found;
}

/* ---- one vector ---- */

static bool is_fragments(const struct incident_part *part)
{
	return part->kind == VECTOR_FRAGMENT;
}

static uint8_t protocol_of(struct build *b, const struct incident_part *part)
{
	const struct vector *vector = vector_get(part->kind);
	uint64_t total, protocol = vector->protocol;
	size_t count;
	struct tally *tallies;

	if (protocol)
		return (uint8_t)protocol;
	tallies = count_values(b, &part->window->sample, read_protocol, &count, &total);
	if (count)
		protocol = tallies[0].value;
	free(tallies);
	return (uint8_t)protocol;
}

static const char *protocol_name(uint8_t number, char key[KEY_SIZE])
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (protocols[i].number == number)
			return protocols[i].name;
	return spell_number(number, key);
}

/* "NTP"; NULL where the vector uses no service. */
static const char *service_of(const struct incident_part *part, char name[TAG_SIZE])
{
	static const char suffix[] = " reflection";
	const struct vector *vector = vector_get(part->kind);
	char *end;

	if (is_fragments(part))
		return FRAGMENTS;
	if (vector->class != VECTOR_REFLECTION || vector->src_port == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (services[i].port == vector->src_port)
			return services[i].name;
	snprintf(name, TAG_SIZE, "%s", vector->title);
	end = strstr(name, suffix);
	if (end)
		*end = '\0';
	return name;
}

static json_t *source_port(struct build *b, const struct incident_part *part)
{
	const struct vector *vector = vector_get(part->kind);

	if (vector->class == VECTOR_REFLECTION && vector->src_port)
		return json_integer(vector->src_port);
	return outliers_or(b, &part->window->sample, read_src_port, spell_number, json_string("random"));
}

static int by_octets(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct address));
}

/*
 * Those that are held one by one, in the sample or among the heaviest, each once, in order: all that there were, or
 * where there were too many an even sample of them, and the more active ones.
 */
static json_t *source_ips(struct build *b, const struct incident_part *part)
{
	const struct sample *sample = &part->window->sample;
	const struct topk *top = &part->window->top_sources;
	const struct roster_source *sources = NULL;
	json_t *array = json_array();
	uint32_t held = 0;
	size_t count = 0;
	struct address *all;
	char text[ADDRESS_TEXT_SIZE];

	if (part->roster && roster_sources(part->roster, &sources, &held) < 0)
		held = 0;
	all = calloc((size_t)held + sample->used + top->used + 1, sizeof(*all));
	if (!all) {
		b->failed = true;
		return array;
	}
	for (uint32_t i = 0; i < held; i++)
		all[count++] = sources[i].address;
	for (uint32_t i = 0; i < sample->used; i++) {
		struct observation o;

		sample_read(sample, i, &o);
		all[count++] = o.src;
	}
	for (uint32_t i = 0; i < top->used; i++)
		all[count++] = topk_address(top->entries[i].key);
	qsort(all, count, sizeof(*all), by_octets);
	for (size_t i = 0; i < count; i++) {
		if (i && address_equal(&all[i], &all[i - 1]))
			continue;
		build_append(b, array, json_string(address_format(&all[i], text)));
	}
	free(all);
	return array;
}

static json_t *vector_json(struct build *b, const struct finding *f, uint32_t index, uint64_t whole_bytes)
{
	const struct incident_part *part = &f->incident->parts[index];
	const struct window *window = part->window;
	const struct sample *sample = &window->sample;
	/* what came after the attack's last wave is no part of its time */
	struct capture_time last = time_since(window->last, f->incident->ended) > 0 ? f->incident->ended : window->last;
	uint8_t protocol = protocol_of(b, part);
	json_t *object = json_object();
	char key[KEY_SIZE], name[TAG_SIZE];
	const char *service = service_of(part, name);

	build_set(b, object, "service", service ? json_string(service) : json_null());
	build_set(b, object, "protocol", json_string(protocol_name(protocol, key)));
	build_set(b, object, "fraction_of_attack",
	          is_fragments(part) ? json_null() : fraction(permille(window->bytes, whole_bytes)));
	build_set(b, object, "source_port", source_port(b, part));
	build_set(b, object, "destination_ports",
	          outliers_or(b, sample, read_dst_port, spell_number, json_string("random")));
	build_set(b, object, "tcp_flags",
	          protocol == PROTOCOL_TCP ? outliers_or(b, sample, read_flags, spell_flags, json_null())
	                                   : json_null());
	build_set(b, object, "nr_packets", build_integer(window->packets));
	build_set(b, object, "nr_megabytes", build_integer(window->bytes / MEGABYTE));
	build_set(b, object, "time_start", moment(window->first));
	build_set(b, object, "duration_seconds", build_integer(seconds(window->first, last)));
	build_set(b, object, "source_ips",
	          spoofing_sources_real(&f->spoofing, f->incident, index) ? source_ips(b, part) : json_array());
	build_set(b, object, "ethernet_type", outliers_or(b, sample, read_family, spell_family, json_string("random")));
	build_set(b, object, "fragmentation_offset",
	          outliers_or(b, sample, read_offset, spell_number, json_string("random")));
	build_set(b, object, "ttl", outliers_or(b, sample, read_ttl, spell_number, json_string("random")));
	if (protocol == PROTOCOL_ICMP)
		build_set(b, object, "icmp_type",
		          outliers_or(b, sample, read_icmp_type, spell_icmp, json_string("random")));
	if (service && strcmp(service, "NTP") == 0)
		build_set(b, object, "ntp_requestcode",
		          outliers_or(b, sample, read_ntp_code, spell_number, json_string("random")));
	return object;
}

/* ---- tags ---- */

struct tags {
	unsigned count;
	char tags[TAGS_MAX][TAG_SIZE];
};

__attribute__((format(printf, 2, 3))) static void tag(struct tags *t, const char *format, ...)
{
	char text[TAG_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (unsigned i = 0; i < t->count; i++)
		if (strcmp(t->tags[i], text) == 0)
			return;
	if (t->count < TAGS_MAX)
		memcpy(t->tags[t->count++], text, sizeof(text));
}

/* "TCP SYN ACK flag attack": the flags of all packets, where these have the same. */
static void tag_flags(struct tags *t, json_t *flags)
{
	static const struct {
		char letter;
		const char *name;
	} names[] = { { 'F', "FIN" },  { 'S', "SYN" }, { 'R', "RESET" },
		      { 'P', "PUSH" }, { 'A', "ACK" }, { 'U', "URGENT" } };
	char text[TAG_SIZE] = "";
	const char *key;

	if (!json_is_object(flags) || json_object_size(flags) != 1) {
		tag(t, "TCP flag attack");
		return;
	}
	key = json_object_iter_key(json_object_iter(flags));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strchr(key, names[i].letter))
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", names[i].name);
	tag(t, "TCP %sflag attack", text[0] ? text : "no ");
}

static int by_text(const void *left, const void *right)
{
	return strcmp(left, right);
}

static json_t *tags_json(struct build *b, const struct finding *f, const json_t *vectors)
{
	struct tags t = { .count = 0 };
	json_t *array = json_array();
	unsigned whole = 0;

	for (uint32_t i = 0; i < f->incident->parts_count && i < INCIDENT_PARTS_MAX; i++)
		whole += !is_fragments(&f->incident->parts[i]);
	if (whole > 1)
		tag(&t, "Multi-vector attack");
	if (f->carpet)
		tag(&t, "Carpet bombing attack");
	for (uint32_t i = 0; i < json_array_size(vectors); i++) {
		const json_t *vector = json_array_get(vectors, i);
		const char *protocol = json_string_value(json_object_get(vector, "protocol"));
		const char *service = json_string_value(json_object_get(vector, "service"));

		if (!protocol)
			continue;
		tag(&t, "%s", protocol);
		if (!service)
			tag(&t, "%s flood attack", protocol);
		if (strcmp(protocol, "TCP") == 0)
			tag_flags(&t, json_object_get(vector, "tcp_flags"));
		else if (service && strcmp(service, FRAGMENTS) == 0)
			tag(&t, "Fragmentation attack");
		else if (service)
			tag(&t, "Amplification attack");
	}
	qsort(t.tags, t.count, sizeof(t.tags[0]), by_text);
	for (unsigned i = 0; i < t.count; i++)
		build_append(b, array, json_string(t.tags[i]));
	return array;
}

/* ---- the whole ---- */

static json_t *fingerprint_json(struct build *b, const struct finding *f)
{
	const struct incident *incident = f->incident;
	struct capture_time first = incident->began, last = incident->ended;
	uint64_t duration = seconds(first, last), whole_bytes = 0;
	json_t *object = json_object(), *vectors = json_array();

	/* fragments are no vector of their own there, and count for no share */
	for (uint32_t i = 0; i < incident->parts_count && i < INCIDENT_PARTS_MAX; i++)
		whole_bytes += is_fragments(&incident->parts[i]) ? 0 : incident->parts[i].window->bytes;
	for (uint32_t i = 0; i < incident->parts_count && i < INCIDENT_PARTS_MAX; i++)
		build_append(b, vectors, vector_json(b, f, i, whole_bytes));
	build_set(b, object, "attack_vectors", vectors);
	build_set(b, object, "target", json_string("Anonymous"));
	build_set(b, object, "tags", tags_json(b, f, vectors));
	build_set(b, object, "time_start", moment(first));
	build_set(b, object, "time_end", moment(last));
	build_set(b, object, "duration_seconds", build_integer(duration));
	build_set(b, object, "total_packets", build_integer(f->total->packets));
	build_set(b, object, "total_megabytes", build_integer(f->total->bytes / MEGABYTE));
	build_set(b, object, "total_ips", build_integer(f->sources));
	build_set(b, object, "avg_bps",
	          build_integer(duration ? f->total->bytes / duration * WORDS_BITS_PER_OCTET : 0));
	build_set(b, object, "avg_pps", build_integer(duration ? f->total->packets / duration : 0));
	build_set(b, object, "avg_Bpp", build_integer(f->total->packets ? f->total->bytes / f->total->packets : 0));
	return object;
}

int fingerprint_make(const struct finding *f, char **text, char key[FINGERPRINT_KEY_SIZE])
{
	struct build b = { .failed = false };
	json_t *object;
	char *compact, *dumped = NULL;
	size_t size = 0;
	FILE *out;
	int result = -ENOMEM;

	if (f->incident->is_scan)
		return -EINVAL;
	object = fingerprint_json(&b, f);
	compact = b.failed ? NULL : json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6));
	if (!compact)
		goto free_object;
	(void)MD5Data((const uint8_t *)compact, strlen(compact), key);
	free(compact);
	build_set(&b, object, "key", json_string(key));
	out = open_memstream(&dumped, &size);
	if (!out)
		goto free_object;
	if (!b.failed && json_dumpf(object, out, JSON_INDENT(4) | JSON_REAL_PRECISION(6)) == 0 &&
	    fputc('\n', out) != EOF)
		result = 0;
	if (fclose(out) != 0)
		result = -ENOMEM;
	if (result == 0)
		*text = dumped;
	else
		free(dumped);
free_object:
	json_decref(object);
	return result;
}
