/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the loader orders the kernel to do: mode, services, the operator's way in. The allow list is allow.c's, rules
 * are those of rules.c.
 *
 * A packet never sees half an order. Mode and guard are single stores into memory that the kernel reads; services are
 * one value, written whole.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "observe/protocol.h"
#include "shield/inside.h"

void shield_set_mode(struct shield *shield, bool enforce, uint64_t until)
{
	/* In this order no packet is dropped under an old deadline, or kept under a new mode, that was not meant. */
	if (enforce) {
		PUBLISH(shield->config->enforce_until, until);
		PUBLISH(shield->config->mode, SHIELD_ENFORCE);
	} else {
		PUBLISH(shield->config->mode, SHIELD_OBSERVE);
		PUBLISH(shield->config->enforce_until, SHIELD_NEVER);
	}
}

/* Of a prefix the bits that count, as two words of an address as they lie in memory. */
static void prefix_words(const struct prefix *prefix, __u64 mask[2], __u64 value[2])
{
	uint8_t octets[16];

	prefix_mask(prefix, octets);
	memcpy(mask, octets, sizeof(octets));
	memcpy(value, prefix->address.octets, sizeof(octets));
	value[0] &= mask[0];
	value[1] &= mask[1];
}

/* ---- services ---- */

static int add_ports(struct shield_services *table, unsigned *used, uint16_t protocol, const uint16_t *ports,
                     unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (*used == SHIELD_SERVICE_PORTS_MAX)
			return -ENOSPC;
		table->ports[(*used)++] =
			(struct shield_service_ports){ .protocol = protocol, .low = ports[i], .high = ports[i] };
	}
	return 0;
}

static int add_prefixes(struct shield_services *table, const struct shield_service *service, unsigned number,
                        unsigned first_port, unsigned ports)
{
	for (unsigned i = 0; i < service->prefix_count; i++) {
		const struct prefix *prefix = &service->prefixes[i];
		struct shield_service_prefix *row = &table->prefixes[table->count];
		bool host = prefix->length == (prefix->is_ipv4 ? 32 : 128);

		if (table->count == SHIELD_SERVICE_PREFIXES_MAX)
			return -ENOSPC;
		*row = (struct shield_service_prefix){
			.first_port = (uint16_t)first_port,
			.ports = (uint16_t)ports,
			.service = (uint8_t)number,
		};
		prefix_words(prefix, row->mask, row->value);
		for (unsigned bin = 0; bin < SHIELD_BINS; bin++)
			if (!host || bin == shield_fold(row->value))
				table->by_dst[bin] |= 1ULL << table->count;
		table->count++;
	}
	return 0;
}

/* FNV-1a (Fowler, Noll, Vo). */
static uint64_t name_hash(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
	return shield_mix(hash);
}

int shield_set_services(struct shield *shield, const struct shield_service *services, unsigned count,
                        struct shield_error *error)
{
	struct shield_services *table;
	unsigned ports = 0;
	__u32 key = 0;
	int result = 0;

	if (count >= SHIELD_SERVICES_MAX)
		return shield_fail(error, -ENOSPC, "%u services; the shield tells %d apart", count,
		                   SHIELD_SERVICES_MAX - 1);
	table = calloc(1, sizeof(*table));
	if (!table)
		return shield_fail(error, -ENOMEM, "no memory for the table of services");
	for (unsigned i = 0; i < count && !result; i++) {
		const struct shield_service *service = &services[i];
		unsigned first = ports;

		result = add_ports(table, &ports, PROTOCOL_TCP, service->tcp, service->tcp_count);
		if (!result)
			result = add_ports(table, &ports, PROTOCOL_UDP, service->udp, service->udp_count);
		if (!result)
			result = add_prefixes(table, service, i, first, ports - first);
		table->source_pps[i] = service->source_pps;
		table->limits |= service->source_pps != 0;
		table->local |= (uint64_t)service->local << i;
		table->names[i] = name_hash(service->name);
		if (result)
			(void)shield_fail(
				error, result,
				"service %s: all services together may have %d addresses or networks and %d ports",
				service->name, SHIELD_SERVICE_PREFIXES_MAX, SHIELD_SERVICE_PORTS_MAX);
	}
	if (!result) {
		result = bpf_map_update_elem(shield->maps.fd[SHIELD_MAP_SERVICES], &key, table, BPF_ANY);
		if (result)
			(void)shield_fail(error, result, "the services cannot be written: %s", strerror(-result));
	}
	for (unsigned i = 0; i < count && !result; i++) {
		enum shield_cookies cookies = services[i].local ? services[i].cookies : SHIELD_COOKIES_OFF;

		PUBLISH(shield->config->cookies[i], (__u8)cookies);
	}
	free(table);
	return result;
}

/* The beginning first: whoever is noted by then is not new. */
void shield_freeze(struct shield *shield, uint64_t attacked, uint64_t until)
{
	uint64_t now = shield_jiffies_at(&shield->pace, shield_monotonic_ns());

	for (unsigned i = 0; i < SHIELD_SERVICES_MAX; i++) {
		struct shield_freeze *freeze = &shield->config->freezes[i];
		bool is = attacked >> i & 1;

		if (is && freeze->until <= now)
			PUBLISH(freeze->since, now);
		PUBLISH(freeze->until, is ? until : 0);
	}
}

/* ---- the operator's way in ---- */

int shield_set_guard(struct shield *shield, const struct shield_way_in *ways, unsigned count,
                     struct shield_error *error)
{
	struct shield_config *config = shield->config;

	if (count > SHIELD_GUARD_MAX)
		return shield_fail(error, -ENOSPC, "%u ways in; the shield keeps %d", count, SHIELD_GUARD_MAX);
	/*
	 * An entry is voided before its words change, so that at no moment it is a mixture of two; the rest stay in
	 * force.
	 */
	for (unsigned i = 0; i < count; i++) {
		struct shield_guard now = {
			.expires = ways[i].expires, .protocol = PROTOCOL_TCP, .port = ways[i].port, .sure = ways[i].sure
		};
		struct shield_guard *place = &config->guard[i];

		prefix_words(&ways[i].from, now.mask, now.value);
		PUBLISH(place->sure, now.sure); /* the kernel does not read it */
		if (memcmp(place->mask, now.mask, sizeof(now.mask)) == 0 &&
		    memcmp(place->value, now.value, sizeof(now.value)) == 0 && place->port == now.port &&
		    place->protocol == now.protocol) {
			PUBLISH(place->expires, now.expires);
			continue;
		}
		PUBLISH(place->expires, 0);
		atomic_thread_fence(memory_order_seq_cst);
		memcpy(place->mask, now.mask, sizeof(now.mask));
		memcpy(place->value, now.value, sizeof(now.value));
		place->protocol = now.protocol;
		place->port = now.port;
		PUBLISH(place->expires, now.expires);
	}
	PUBLISH(config->guard_count, count);
	return 0;
}

/* Whether what the term asks can hold for TCP from `from` to `port`; terms about anything else can. */
static bool can_hold(const struct match_term *term, const struct prefix *from, uint16_t port, bool *vague)
{
	bool holds;

	switch (term->field) {
	case MATCH_IP:
		holds = from->is_ipv4;
		break;
	case MATCH_IP6:
		holds = !from->is_ipv4;
		break;
	case MATCH_TCP:
		holds = true;
		break;
	case MATCH_UDP:
	case MATCH_ICMP:
	case MATCH_ICMP6:
	case MATCH_FRAGMENT:
		holds = false;
		break;
	case MATCH_PROTO:
		holds = term->value.range.low <= PROTOCOL_TCP && term->value.range.high >= PROTOCOL_TCP;
		break;
	case MATCH_DST_PORT:
		holds = term->value.range.low <= port && term->value.range.high >= port;
		break;
	case MATCH_SRC_NET:
		/* A part of a network of operators may be shut out; the whole of it, or one of them, may not. */
		holds = prefix_covers(&term->value.prefix, from);
		break;
	case MATCH_DST_NET:
		return true;
	case MATCH_SRC_PORT:
	case MATCH_DF:
	case MATCH_LENGTH:
	case MATCH_TTL:
	case MATCH_IP_ID:
	case MATCH_WINDOW:
	case MATCH_MSS:
	case MATCH_ICMP_TYPE:
	case MATCH_ICMP_CODE:
	case MATCH_PAYLOAD_LENGTH:
	case MATCH_TCP_FLAGS:
	case MATCH_OPTIONS:
	case MATCH_PAYLOAD:
	case MATCH_FIELDS:
	default:
		*vague = true;
		return true;
	}
	return holds != term->negated;
}

int shield_check_guard(const struct shield *shield, const struct rule *rule, struct shield_error *error)
{
	const struct shield_config *config = shield->config;
	uint64_t now = shield_jiffies_at(&shield->pace, shield_monotonic_ns());

	if (rule->action == RULE_NONE)
		return 0;
	for (unsigned i = 0; i < config->guard_count && i < SHIELD_GUARD_MAX; i++) {
		const struct shield_guard *guard = &config->guard[i];
		struct address address;
		char text[PREFIX_TEXT_SIZE];
		struct prefix from;
		unsigned bits =
			(unsigned)__builtin_popcountll(guard->mask[0]) + (unsigned)__builtin_popcountll(guard->mask[1]);
		bool hit = true, vague = false;

		memcpy(address.octets, guard->value, sizeof(address.octets));
		from = prefix_of(&address, address_is_ipv4(&address) && bits >= 96 ? bits - 96 : bits);
		for (unsigned k = 0; k < rule->match.count && k < MATCH_TERMS_MAX && hit; k++)
			hit = can_hold(&rule->match.terms[k], &from, guard->port, &vague);
		/*
		 * What asks for more than who and where describes packets; the guard itself lets the operator's
		 * through.
		 */
		if (!hit || vague || !guard->sure || guard->expires <= now)
			continue;
		(void)shield_fail(error, -EPERM, "this would hit the operator's way in: TCP from %s to port %u",
		                  prefix_format(&from, text), guard->port);
		shield_advise(error, "make it narrower: leave out that address, or name the ports");
		return -EPERM;
	}
	return 0;
}
