/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An attack as a fingerprint of the DDoS Clearing House, one JSON object: what their dissector writes of a capture and
 * DDoS-DB takes (format: fingerprint_format.md of github.com/ddos-clearing-house/ddos_dissector, now NLADC/dissector).
 * doc/analysis.md says field by field where each comes from.
 *
 * It is made to be shared. The target is "Anonymous", as the dissector has it unless told otherwise. Addresses of
 * sources are there only where they are reflectors, or real because a handshake was completed: forged ones belong to
 * strangers, and are evidence of nothing.
 */
#ifndef HOLDFAST_TELL_FINGERPRINT_H
#define HOLDFAST_TELL_FINGERPRINT_H

#include "engine/engine.h"

#define FINGERPRINT_KEY_SIZE 33 /* 32 hexadecimal digits */

/*
 * Writes the object and a newline to *text, which the caller frees, and its name to `key`: the MD5 of the object
 * without its key, as compact JSON. 0, -ENOMEM, or -EINVAL for a scan, of which there is none.
 */
int fingerprint_make(const struct finding *finding, char **text, char key[FINGERPRINT_KEY_SIZE]);

#endif
