/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/naming.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "detect/scope.h"
#include "detect/vector.h"
#include "observe/protocol.h"

#define LISTENERS 16   /* ports looked at, the heaviest: reflectors of one attack listen on few */
#define SMALL_SHARE 50 /* a vector with less than a fiftieth of packets and of bytes is noise of the others */
#define ECHO_SHARE 5   /* errors that an attack makes others send: named only from a fifth on */
#define PORT_HTTPS 443
#define PORT_HTTP_ALTERNATE 8080
#define REFLECTORS 20       /* sources of a reflection, at least */
#define MOST_PERCENT 80     /* of the packets from one port, or from services: the mark of reflectors */
#define HALF_PERCENT 50     /* of the packets: more from one source is no crowd of reflectors */
#define NARROWER_PERCENT 98 /* of the sampled packets in one half of a scope: the half is the target */

static uint64_t share_of_top(const struct topk *topk)
{
	return topk->total ? topk_heaviest(topk) * 100 / topk->total : 0;
}

/* Packets from ports that servers listen on. */
static uint64_t share_of_services(const struct topk *ports)
{
	uint64_t from_services = 0;

	for (uint32_t i = 0; i < ports->used; i++)
		if (ports->entries[i].key.low <= PROTOCOL_SYSTEM_PORT_MAX ||
		    ports->entries[i].key.low == PORT_HTTP_ALTERNATE)
			from_services += ports->entries[i].count - ports->entries[i].error;
	return ports->total ? from_services * 100 / ports->total : 0;
}

/* Few ports, none of which a client would be given: hosts that listen there. */
static uint64_t share_of_top_listeners(const struct topk *ports)
{
	struct topk sorted = *ports;
	uint64_t listening = 0;

	topk_sort(&sorted);
	for (uint32_t i = 0; i < sorted.used && i < LISTENERS; i++)
		if (sorted.entries[i].key.low <= PROTOCOL_SERVICE_PORT_MAX)
			listening += sorted.entries[i].count - sorted.entries[i].error;
	return sorted.total ? listening * 100 / sorted.total : 0;
}

/* The heaviest port; the list must not be empty. */
static uint16_t top_port(const struct topk *ports)
{
	struct topk sorted = *ports;

	topk_sort(&sorted);
	return (uint16_t)sorted.entries[0].key.low;
}

static bool same_top(const struct topk *a, const struct topk *b)
{
	return a->used && b->used && top_port(a) == top_port(b);
}

static uint8_t refine(const struct incident_part *part)
{
	const struct window *w = part->window;
	uint64_t sources = hll_estimate(&w->sources);

	/* Among peers, both ends use one port: no reflector is asked from there. */
	if (part->kind == VECTOR_UDP && sources >= REFLECTORS && share_of_top(&w->top_src_ports) >= MOST_PERCENT &&
	    share_of_top(&w->top_sources) < HALF_PERCENT && top_port(&w->top_src_ports) != PORT_HTTPS &&
	    (share_of_top(&w->top_dst_ports) < MOST_PERCENT || !same_top(&w->top_src_ports, &w->top_dst_ports)))
		return VECTOR_UDP_REFLECTION;
	if (part->kind == VECTOR_SYN_ACK && (share_of_services(&w->top_src_ports) >= HALF_PERCENT ||
	                                     share_of_top_listeners(&w->top_src_ports) >= MOST_PERCENT))
		return VECTOR_SYN_ACK_REFLECTION;
	if ((part->kind == VECTOR_ACK || part->kind == VECTOR_RST || part->kind == VECTOR_FIN) &&
	    sources >= REFLECTORS && share_of_services(&w->top_src_ports) >= MOST_PERCENT &&
	    share_of_top(&w->top_sources) < HALF_PERCENT && w->payloads * 2 > w->packets)
		return VECTOR_MIDDLEBOX_REFLECTION;
	/* IP in IP has no ports: these are packets wrapped in UDP. */
	if (part->kind == VECTOR_IP_INSIDE && w->top_dst_ports.used)
		return VECTOR_UDP;
	return part->kind;
}

static void remove_part(struct incident *inc, uint32_t index)
{
	inc->packets -= inc->parts[index].window->packets;
	inc->bytes -= inc->parts[index].window->bytes;
	/* what was let go is in the counts of waves and slots as well */
	inc->peak_packets = inc->peak_packets < inc->packets ? inc->peak_packets : inc->packets;
	inc->peak_bytes = inc->peak_bytes < inc->bytes ? inc->peak_bytes : inc->bytes;
	incident_part_fini(&inc->parts[index]);
	memmove(&inc->parts[index], &inc->parts[index + 1], (inc->parts_count - index - 1) * sizeof(inc->parts[0]));
	inc->parts_count--;
}

static int by_packets(const void *left, const void *right)
{
	const struct incident_part *a = left, *b = right;

	if (a->window->packets != b->window->packets)
		return a->window->packets > b->window->packets ? -1 : 1;
	return a->kind < b->kind ? -1 : a->kind > b->kind;
}

static void name_parts(struct incident *inc)
{
	for (uint32_t i = 0; i < inc->parts_count; i++)
		inc->parts[i].kind = refine(&inc->parts[i]);
	/* Rows of one name (netbios on two ports) are one vector. */
	for (uint32_t i = 0; i < inc->parts_count; i++) {
		for (uint32_t j = i + 1; j < inc->parts_count;) {
			if (strcmp(vector_get(inc->parts[i].kind)->name, vector_get(inc->parts[j].kind)->name) != 0) {
				j++;
				continue;
			}
			incident_part_merge(&inc->parts[i], &inc->parts[j]);
			memmove(&inc->parts[j], &inc->parts[j + 1], (inc->parts_count - j - 1) * sizeof(inc->parts[0]));
			inc->parts_count--;
		}
	}
	qsort(inc->parts, inc->parts_count, sizeof(inc->parts[0]), by_packets);
	for (uint32_t i = inc->parts_count; i-- > 1;) {
		const struct incident_part *part = &inc->parts[i];
		uint64_t share = part->kind == VECTOR_ICMP_ERROR ? ECHO_SHARE : SMALL_SHARE;

		/* Their harm is not in their number. */
		if (vector_get(part->kind)->class == VECTOR_APPLICATION)
			continue;
		if (part->window->packets * share < inc->packets && part->window->bytes * share < inc->bytes)
			remove_part(inc, i);
	}
}

/* The other half of what `half` is the lower one of. */
static struct prefix upper_half(struct prefix half)
{
	unsigned bit = half.length - 1u + (half.is_ipv4 ? 96u : 0u);

	half.address.octets[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
	return half;
}

/* The half of its scope that holds nearly all, and so on: the narrowest network that is the target. */
static int narrow_scope(struct incident *inc)
{
	struct window *total = incident_window(inc);

	if (!total)
		return -ENOMEM;
	while (!scope_is_host(&inc->scope)) {
		struct prefix half = prefix_of(&inc->scope.address, inc->scope.length + 1u);
		uint64_t lower = 0, all = 0, nearly_all;

		for (uint32_t i = 0; i < total->sample.used; i++) {
			struct observation o;

			sample_read(&total->sample, i, &o);
			all += prefix_contains(&inc->scope, &o.dst);
			lower += prefix_contains(&half, &o.dst);
		}
		nearly_all = all * NARROWER_PERCENT;
		if (all > 0 && lower * 100 >= nearly_all)
			inc->scope = half;
		else if (all > 0 && (all - lower) * 100 >= nearly_all)
			inc->scope = upper_half(half);
		else
			break;
	}
	window_free(total);
	return 0;
}

int naming_settle(struct incident *inc)
{
	name_parts(inc);
	for (uint32_t i = 0; i < inc->parts_count; i++)
		sample_settle(&inc->parts[i].window->sample);
	return narrow_scope(inc);
}
