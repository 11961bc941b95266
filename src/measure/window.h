/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A window: the mergeable summary of a set of packets. Whatever is measured in one thread, process or machine merges
 * with what is measured in another: counters and registers exactly, samples exactly, heavy hitters within N /
 * TOPK_SIZE.
 */
#ifndef HOLDFAST_MEASURE_WINDOW_H
#define HOLDFAST_MEASURE_WINDOW_H

#include <stdint.h>

#include "base/hll.h"
#include "base/topk.h"
#include "measure/keys.h"
#include "measure/sample.h"
#include "observe/observation.h"

struct window {
	uint64_t packets;
	uint64_t bytes; /* IP octets */
	uint64_t fragments, later_fragments;
	uint64_t payloads;    /* packets with payload */
	uint64_t bogons;      /* packets from addresses that no network routes; see prefix lists in window.c */
	uint64_t handshakes;  /* completed by these sources while the window was open */
	uint64_t resets_back; /* openers that answered our SYN-ACK with a reset */
	struct capture_time first, last; /* where packets > 0 */
	struct hll sources;
	struct hll source_networks; /* /24 or /48 */
	struct hll destinations;
	struct hll dst_ports;
	struct topk top_sources;
	struct topk top_destinations;
	struct topk top_src_ports;
	struct topk top_dst_ports;
	struct topk top_lengths;
	uint64_t ttl[256];
	uint64_t source_octet[256]; /* by the first octet of an IPv4 source; IPv6 sources by a hash of their /32 */
	struct sample sample;
};

/* NULL where there is no memory. A sample_capacity of 0 keeps no sample. */
struct window *window_new(uint32_t sample_capacity);
void window_free(struct window *window);
void window_add(struct window *window, const struct observation *observation, const struct keys *keys);
void window_merge(struct window *into, const struct window *from);

/* An address as a key, and back: its first and its last eight octets as numbers. */
struct address topk_address(struct topk_key key);
struct topk_key address_topk(const struct address *address);

#endif
