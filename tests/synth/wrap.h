/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames as a mirror or an overlay carries them, all from one end to the other: in ERSPAN (type II and III), VXLAN,
 * Geneve, GTP-U (IP alone, without a tag) over IPv4, or behind an MPLS label with a control word. RFC 2890, 7348, 8926,
 * 4448; 3GPP TS 29.281; draft-foschiano-erspan.
 */
#ifndef SYNTH_WRAP_H
#define SYNTH_WRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WRAP_MAX 64u /* octets that a wrapping adds at most */

enum wrap { WRAP_NONE, WRAP_ERSPAN, WRAP_ERSPAN3, WRAP_VXLAN, WRAP_GENEVE, WRAP_GTP, WRAP_MPLS };

bool wrap_find(const char *name, enum wrap *wrap);
/*
 * `frame` begins with Ethernet; number counts the frames; returns the octets written to `out`, len + WRAP_MAX at
 * most.
 */
size_t wrap_frame(enum wrap wrap, uint32_t number, const uint8_t *frame, size_t len, uint8_t *out);

#endif
