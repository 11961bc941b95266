/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP and ICMPv6 (RFC 792, 4443): type, code, and the packet that an error quotes. */
#ifndef HOLDFAST_OBSERVE_ICMP_H
#define HOLDFAST_OBSERVE_ICMP_H

#include "observe/decode.h"
#include "observe/layer.h"
#include "observe/observation.h"

/* The layer is what the IP header carries; o->protocol is one of the two. */
enum decode_result icmp_read(const struct layer *layer, struct observation *o);

#endif
