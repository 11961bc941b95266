/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Octets out of gzip (RFC 1952; members behind each other, padded with zeros) or zstd (RFC 8878; frames behind each
 * other, skippable ones among them), as they come. Nothing is kept but the decompressor's own window: 32 KiB, or what
 * a zstd frame asks for, at most UNPACK_WINDOW_MAX. So it does not matter into how much a small input unpacks:
 * whoever reads it holds one buffer of it at a time.
 */
#ifndef HOLDFAST_OBSERVE_UNPACK_H
#define HOLDFAST_OBSERVE_UNPACK_H

#include <stdint.h>
#include <sys/types.h>

#define UNPACK_WINDOW_LOG 27 /* what zstd's own tools unpack without being told to */
#define UNPACK_WINDOW_MAX (1u << UNPACK_WINDOW_LOG)
#define UNPACK_ERROR_SIZE 160

enum unpack_format { UNPACK_NONE, UNPACK_GZIP, UNPACK_ZSTD };

struct unpack; /* opaque */

/* More of the packed octets, up to `room`, into `to`: how many, 0 at their end, or -errno. */
typedef ssize_t unpack_pull(void *context, uint8_t *to, size_t room);

/* By the first four octets. */
enum unpack_format unpack_recognise(const uint8_t octets[4]);
/* `first` are the octets before those that `pull` gives; NULL where there is no memory. */
struct unpack *unpack_new(enum unpack_format format, const uint8_t *first, size_t length, unpack_pull *pull,
                          void *context);
void unpack_free(struct unpack *unpack);

/*
 * Writes up to `room` octets: how many, 0 at the proper end, or -errno with unpack_error() said: -EBADMSG where the
 * input is corrupt or ends too early, what `pull` returned, -ENOMEM. All that comes before a fault is written first.
 */
ssize_t unpack_read(struct unpack *unpack, uint8_t *to, size_t room);
/* "the gzip data end too early, at their offset 1234"; empty for what `pull` returned. */
const char *unpack_error(const struct unpack *unpack);
/* Octets of the packed input that were used. */
uint64_t unpack_position(const struct unpack *unpack);

#endif
