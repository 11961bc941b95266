/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define SALT_NETWORK 0x6e6574u
#define SALT_PORT 0x706f7274u

/*
 * Sources that cannot come over the Internet: RFC 6890 and its updates, multicast (RFC 5771), reserved (RFC 1112). Local networks live in
 * some of them, so they are only counted here; what they mean is decided where the rest of the evidence is.
 */
static const struct {
	uint8_t octets[4];
	uint8_t length;
} bogons_ipv4[] = {
	{ { 0, 0, 0, 0 }, 8 },      { { 10, 0, 0, 0 }, 8 },    { { 100, 64, 0, 0 }, 10 },   { { 127, 0, 0, 0 }, 8 },
	{ { 169, 254, 0, 0 }, 16 }, { { 172, 16, 0, 0 }, 12 }, { { 192, 0, 0, 0 }, 24 },    { { 192, 0, 2, 0 }, 24 },
	{ { 192, 168, 0, 0 }, 16 }, { { 198, 18, 0, 0 }, 15 }, { { 198, 51, 100, 0 }, 24 }, { { 203, 0, 113, 0 }, 24 },
};

static bool is_bogon(const struct address *a)
{
	if (!address_is_ipv4(a))
		return (a->octets[0] & 0xe0) != 0x20; /* only 2000::/3 is global unicast (RFC 4291, IANA) */
	if (a->octets[12] >= 224)
		return true; /* multicast and reserved */
	for (size_t i = 0; i < sizeof(bogons_ipv4) / sizeof(bogons_ipv4[0]); i++) {
		struct prefix prefix = { .length = bogons_ipv4[i].length, .is_ipv4 = true };

		if (a->octets[12] != bogons_ipv4[i].octets[0] && bogons_ipv4[i].length >= 16)
			continue;
		prefix.address = address_from_ipv4(bogons_ipv4[i].octets);
		if (prefix_contains(&prefix, a))
			return true;
	}
	return false;
}

struct topk_key address_topk(const struct address *address)
{
	struct topk_key key = { 0, 0 };

	for (unsigned i = 0; i < 8; i++) {
		key.high = key.high << 8 | address->octets[i];
		key.low = key.low << 8 | address->octets[i + 8];
	}
	return key;
}

struct address topk_address(struct topk_key key)
{
	struct address address;

	for (unsigned i = 0; i < 8; i++) {
		address.octets[i] = (uint8_t)(key.high >> (56 - 8 * i));
		address.octets[i + 8] = (uint8_t)(key.low >> (56 - 8 * i));
	}
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

void window_add(struct window *w, const struct observation *o, uint64_t seed)
{
	bool ipv4 = address_is_ipv4(&o->src);
	struct prefix network = prefix_of(&o->src, ipv4 ? 24 : 48);
	uint64_t source = hash_address(seed, &o->src), destination = hash_address(seed, &o->dst);
	uint64_t ports = (uint64_t)o->src_port << 16 | o->dst_port;

	if (w->packets == 0 || time_since(o->time, w->first) < 0)
		w->first = o->time;
	if (w->packets == 0 || time_since(o->time, w->last) > 0)
		w->last = o->time;
	w->packets += o->weight;
	w->bytes += (uint64_t)o->weight * o->length;
	w->fragments += o->flags & OBSERVATION_FRAGMENT ? o->weight : 0;
	w->later_fragments += o->flags & OBSERVATION_LATER_FRAGMENT ? o->weight : 0;
	w->payloads += o->payload_length ? o->weight : 0;
	w->bogons += is_bogon(&o->src) ? o->weight : 0;
	hll_add(&w->sources, source);
	hll_add(&w->source_networks, hash_address(seed ^ SALT_NETWORK, &network.address));
	hll_add(&w->destinations, destination);
	hll_add(&w->conversations, hash_2(source, destination, ports));
	topk_add(&w->top_sources, address_topk(&o->src), o->weight);
	topk_add(&w->top_destinations, address_topk(&o->dst), o->weight);
	topk_add(&w->top_lengths, topk_number(o->length), o->weight);
	if (o->flags & OBSERVATION_PORTS) {
		hll_add(&w->dst_ports, hash_2(seed, o->dst_port, SALT_PORT));
		topk_add(&w->top_src_ports, topk_number(o->src_port), o->weight);
		topk_add(&w->top_dst_ports, topk_number(o->dst_port), o->weight);
	}
	w->ttl[o->ttl] += o->weight;
	w->source_octet[ipv4 ? o->src.octets[12]
	                     : hash_2(seed, o->src.octets[0],
	                              (uint64_t)o->src.octets[1] << 16 | (uint64_t)o->src.octets[2] << 8 |
	                                      o->src.octets[3]) &
	                                255] += o->weight;
	if (w->sample.capacity)
		sample_add(&w->sample, o, seed);
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
	hll_merge(&into->conversations, &from->conversations);
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
