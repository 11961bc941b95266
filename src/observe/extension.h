/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 extension headers (RFC 8200, 4302, 6275, 7401, 5533): what stands between the IP header and what it carries. */
#ifndef HOLDFAST_OBSERVE_EXTENSION_H
#define HOLDFAST_OBSERVE_EXTENSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

struct extension_chain {
	uint8_t protocol;         /* the first header that is no extension, or the one that could not be passed */
	bool extended;            /* extension headers were there */
	bool fragment;            /* and a fragment header that does not make an atomic fragment (RFC 6946) */
	uint16_t fragment_offset; /* octets */
};

/*
 * Passes over the headers, from `next` on. False where the chain is cut or too long; *chain then holds how far it came.
 * Mobility, HIP and shim6 headers with nothing behind them are the message itself, not a step to one.
 */
bool extension_pass(struct cursor *c, uint8_t next, struct extension_chain *chain);

#endif
