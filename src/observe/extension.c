/* SPDX-License-Identifier: Apache-2.0 */
#include "observe/extension.h"

#include "observe/decode.h"
#include "observe/layer.h"
#include "observe/protocol.h"

enum { OFFSET = 0xfff8, MORE = 0x0001 }; /* of a fragment header's field; the offset is in octets as it stands */

bool extension_pass(struct cursor *c, uint8_t next, struct extension_chain *chain)
{
	*chain = (struct extension_chain){ .protocol = next };
	for (unsigned passed = 0;; passed++) {
		const uint8_t *h = c->at;
		unsigned length;

		switch (chain->protocol) {
		case PROTOCOL_HOP_BY_HOP:
		case PROTOCOL_ROUTING:
		case PROTOCOL_FRAGMENT:
		case PROTOCOL_AH:
		case PROTOCOL_DESTINATION:
		case PROTOCOL_MOBILITY:
		case PROTOCOL_HIP:
		case PROTOCOL_SHIM6:
			break;
		default:
			return true;
		}
		if (passed == DECODE_EXTENSIONS_MAX || cursor_left(c) < 8)
			return false;
		if (chain->protocol == PROTOCOL_FRAGMENT)
			length = 8;
		else if (chain->protocol == PROTOCOL_AH)
			length = (h[1] + 2u) * 4;
		else
			length = (h[1] + 1u) * 8;
		if (h[0] == PROTOCOL_NONE && chain->protocol >= PROTOCOL_MOBILITY)
			return true;
		if (!cursor_take(c, length))
			return false;
		chain->extended = true;
		if (chain->protocol == PROTOCOL_FRAGMENT && (layer_be16(h + 2) & (OFFSET | MORE))) {
			chain->fragment = true;
			chain->fragment_offset = layer_be16(h + 2) & OFFSET;
		}
		chain->protocol = h[0];
		if (chain->fragment_offset != 0)
			return true; /* what follows is the middle of something */
	}
}
