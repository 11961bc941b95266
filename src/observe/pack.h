/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An observation as octets, and back: what is zero takes no room, numbers take what they need (base/varint.h),
 * addresses of IPv4 four octets. Most take 30 to 65.
 *
 *     observation = fields flags time-folded protocol ttl length source destination
 *                   [ weight ] [ ip-id ] [ offset ] [ ports ] [ icmp ] [ payload-length ] [ payload ] [ tcp ] [ outer ] [ more ]
 *
 * `fields` says which of the optional ones follow. `time` is relative to another, which both sides know. The payload
 * behind payload_kept is zero afterwards.
 */
#ifndef HOLDFAST_OBSERVE_PACK_H
#define HOLDFAST_OBSERVE_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "observe/observation.h"

#define PACK_MAX 320 /* octets of one */

/* Octets written; `octets` has room for PACK_MAX. */
size_t pack_write(uint8_t *octets, const struct observation *observation, struct capture_time relative_to);
/* What cannot be one fails the cursor, and *observation is unspecified. Reads any octets. */
void pack_read(struct cursor *cursor, struct capture_time relative_to, struct observation *observation);

#endif
