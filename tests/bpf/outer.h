/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests of the parser in the kernel hold it against: the decoder, as if there were no tunnels, for the shield does
 * not see through any; and all that a struct shield_key says, made from its observation.
 */
#ifndef HOLDFAST_TESTS_BPF_OUTER_H
#define HOLDFAST_TESTS_BPF_OUTER_H

#include "abi/shield.h"
#include "observe/decode.h"

/* As decode_frame(), of an Ethernet frame that is all there. */
enum decode_result outer_decode(const uint8_t *data, uint32_t length, struct observation *observation);

/* What the parser is to say; the key is only meant where decode_hits_target() says so, else zeros. */
enum shield_reason outer_expected(enum decode_result result, const struct observation *observation,
                                  struct shield_key *key);

/* The parser itself, compiled for this machine; reads at most 32,767 octets. */
enum shield_reason outer_parse(const uint8_t *data, uint32_t length, uint32_t needs, struct shield_key *key);

/*
 * The first field in which two answers differ, as text ("src_port: 123, not 53"), or NULL. Keys count only where the
 * reason says that they are filled.
 */
const char *outer_difference(enum shield_reason is, const struct shield_key *key, enum shield_reason wanted,
                             const struct shield_key *wanted_key);

/*
 * Why the two are to differ on this frame, or NULL where they are to agree: what the parser leaves alone and the
 * decoder does not. `is` is what the parser says.
 */
const char *outer_explained(const uint8_t *data, uint32_t length, enum shield_reason is);

#endif
