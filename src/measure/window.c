/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/window.h"

#include <endian.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/reserved.h"

#define SALT_OCTET 0x6e6574u
#define SALT_PORT 0x706f7274u

struct topk_key address_topk(const struct address *address)
{
	uint64_t half[2];

	memcpy(half, address->octets, sizeof(half));
	return (struct topk_key){ be64toh(half[0]), be64toh(half[1]) };
}

struct address topk_address(struct topk_key key)
{
	uint64_t half[2] = { htobe64(key.high), htobe64(key.low) };
	struct address address;

	memcpy(address.octets, half, sizeof(address.octets));
	return address;
}

struct window *window_new(uint32_t sample_capacity)
{
	struct window *window = calloc(1, sizeof(*window));

	if (window)
		sample_init(&window->sample, sample_capacity);
	return window;
}

void window_free(struct window *window)
{
	if (!window)
		return;
	sample_fini(&window->sample);
	free(window);
}

/* The first octet of an IPv4 source; of an IPv6 source a hash of its /32. */
static uint8_t source_octet(const struct address *src, bool ipv4)
{
	uint32_t network;

	if (ipv4)
		return src->octets[12];
	memcpy(&network, src->octets, sizeof(network));
	return (uint8_t)hash_fold(network ^ SALT_OCTET, 0x9e3779b97f4a7c15u);
}

void window_add(struct window *w, const struct observation *o, const struct keys *keys)
{
	bool ipv4 = address_is_ipv4(&o->src);

	if (w->packets == 0 || time_since(o->time, w->first) < 0)
		w->first = o->time;
	if (w->packets == 0 || time_since(o->time, w->last) > 0)
		w->last = o->time;
	w->packets += o->weight;
	w->bytes += (uint64_t)o->weight * o->length;
	w->fragments += o->flags & OBSERVATION_FRAGMENT ? o->weight : 0;
	w->later_fragments += o->flags & OBSERVATION_LATER_FRAGMENT ? o->weight : 0;
	w->payloads += o->payload_length ? o->weight : 0;
	/* Local networks live in some: what they mean is decided where the rest of the evidence is. */
	w->bogons += reserved_address(&o->src) ? o->weight : 0;
	hll_add(&w->sources, keys->source);
	hll_add(&w->source_networks, keys->network);
	hll_add(&w->destinations, keys->destination);
	topk_add(&w->top_sources, address_topk(&o->src), o->weight);
	topk_add(&w->top_destinations, address_topk(&o->dst), o->weight);
	topk_add(&w->top_lengths, topk_number(o->length), o->weight);
	if (o->flags & OBSERVATION_PORTS) {
		hll_add(&w->dst_ports, hash_2(SALT_PORT, o->dst_port, SALT_PORT));
		topk_add(&w->top_src_ports, topk_number(o->src_port), o->weight);
		topk_add(&w->top_dst_ports, topk_number(o->dst_port), o->weight);
	}
	w->ttl[o->ttl] += o->weight;
	w->source_octet[source_octet(&o->src, ipv4)] += o->weight;
	if (w->sample.capacity)
		sample_add_drawn(&w->sample, o, keys->draw);
}

void window_merge(struct window *into, const struct window *from)
{
	if (from->packets) {
		if (into->packets == 0 || time_since(from->first, into->first) < 0)
			into->first = from->first;
		if (into->packets == 0 || time_since(from->last, into->last) > 0)
			into->last = from->last;
	}
	into->packets += from->packets;
	into->bytes += from->bytes;
	into->fragments += from->fragments;
	into->later_fragments += from->later_fragments;
	into->payloads += from->payloads;
	into->bogons += from->bogons;
	into->handshakes += from->handshakes;
	into->resets_back += from->resets_back;
	hll_merge(&into->sources, &from->sources);
	hll_merge(&into->source_networks, &from->source_networks);
	hll_merge(&into->destinations, &from->destinations);
	hll_merge(&into->dst_ports, &from->dst_ports);
	topk_merge(&into->top_sources, &from->top_sources);
	topk_merge(&into->top_destinations, &from->top_destinations);
	topk_merge(&into->top_src_ports, &from->top_src_ports);
	topk_merge(&into->top_dst_ports, &from->top_dst_ports);
	topk_merge(&into->top_lengths, &from->top_lengths);
	for (unsigned i = 0; i < 256; i++) {
		into->ttl[i] += from->ttl[i];
		into->source_octet[i] += from->source_octet[i];
	}
	sample_merge(&into->sample, &from->sample);
}
