/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the decoder share: a frame is a stack of layers, and one struct layer walks down it, a cursor over
 * the octets that were kept, and the number of octets that were on the wire behind them. Both shrink together: a length
 * field cuts the layer to what the field says (which drops Ethernet padding), and where the field says more than was
 * kept the difference stays on as `missing`. Every length an observation states comes from kept + missing; every octet
 * it holds from the cursor.
 */
#ifndef HOLDFAST_OBSERVE_LAYER_H
#define HOLDFAST_OBSERVE_LAYER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/cursor.h"
#include "observe/decode.h"
#include "observe/observation.h"

/* What most packets go through is one function without a call in it: see decode.c. */
#define LAYER_INLINED static inline __attribute__((always_inline))

enum {
	IPV4_HEADER = 20,
	IPV4_DONT_FRAGMENT = 0x4000, /* of the field that has the offset too */
	IPV4_FRAGMENT = 0x3fff,      /* more follow, or an offset */
	IPV4_OFFSET = 0x1fff,        /* in units of 8 octets */
	IPV6_HEADER = 40,
	UDP_HEADER = 8,
	PORTS = 4, /* every transport with ports starts with them */
};

/* What the layer above promises about the IP version of the one below. */
enum ip_version { IP_ANY = 0, IP_4 = 4, IP_6 = 6 };

struct layer {
	struct cursor kept;
	uint32_t missing; /* octets of this layer behind kept.end that the capture does not have */
};

static inline uint16_t layer_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t layer_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint32_t layer_kept(const struct layer *layer)
{
	return (uint32_t)cursor_left(&layer->kept);
}

static inline uint32_t layer_whole(const struct layer *layer)
{
	return layer_kept(layer) + layer->missing;
}

/* The layer is `length` octets long, says a header. */
static inline void layer_limit(struct layer *layer, uint32_t length)
{
	uint32_t kept = layer_kept(layer);

	cursor_limit(&layer->kept, length);
	layer->missing = length > kept ? length - kept : 0;
}

static inline void layer_set_ipv4(struct address *address, const uint8_t *octets)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memcpy(address->octets, mapped, sizeof(mapped));
	memcpy(address->octets + sizeof(mapped), octets, 4);
}

static inline void layer_set_ipv6(struct address *address, const uint8_t *octets)
{
	memcpy(address->octets, octets, sizeof(address->octets));
}

/* What follows the layer is payload but for `header` octets of transport header. */
LAYER_INLINED void layer_set_payload(const struct layer *layer, uint32_t header, struct observation *o)
{
	uint32_t whole = layer_whole(layer), kept = layer_kept(layer), length;

	if (whole <= header)
		return;
	length = whole - header;
	o->payload_length = length < UINT16_MAX ? (uint16_t)length : UINT16_MAX; /* jumbograms and offloaded segments */
	if (kept <= header)
		return;
	kept -= header;
	if (kept >= OBSERVATION_PAYLOAD_MAX) {
		memcpy(o->payload, layer->kept.at + header, OBSERVATION_PAYLOAD_MAX);
		o->payload_kept = OBSERVATION_PAYLOAD_MAX;
	} else {
		memcpy(o->payload, layer->kept.at + header, kept);
		o->payload_kept = (uint8_t)kept;
	}
}

/*
 * Whether a transport header of `needed` octets can be dealt with. The packet's own length must leave room for it, but
 * for a first fragment, where the rest comes later; what the snap length took is tolerated while the ports are there.
 */
LAYER_INLINED enum decode_result layer_check_header(const struct layer *layer, uint32_t needed, struct observation *o)
{
	if (layer_kept(layer) < PORTS)
		return DECODE_TRANSPORT_SHORT;
	if (layer_whole(layer) < needed) {
		if (!(o->flags & OBSERVATION_FRAGMENT))
			return DECODE_TRANSPORT_SHORT;
		o->flags |= OBSERVATION_CUT;
	}
	return DECODE_OK;
}

#endif
