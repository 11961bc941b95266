/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bundle.c, which writes, and bundle_read.c share: a member's header as it is written, and sums. What is read is
 * compared with what would have been written, octet by octet, so that there is nothing to parse but a size and a time.
 */
#ifndef HOLDFAST_RECORD_BUNDLE_INSIDE_H
#define HOLDFAST_RECORD_BUNDLE_INSIDE_H

#include "record/bundle.h"

#define BUNDLE_MANIFEST "manifest.json"
#define BUNDLE_HEAD "head.txt"
#define BUNDLE_ERASED_LIST "erased.json"
#define BUNDLE_HEAD_OCTETS 65 /* of head.txt: a hash and a newline */

/* Fields of a member's header, with octal digits. */
#define BUNDLE_NAME_SIZE 100 /* from its beginning */
#define BUNDLE_SIZE_AT 124
#define BUNDLE_SIZE_DIGITS 11
#define BUNDLE_TIME_AT 136
#define BUNDLE_TIME_DIGITS 11

extern const uint8_t bundle_zeros[2 * BUNDLE_BLOCK];

void bundle_hex(const uint8_t octets[BUNDLE_HASH], char text[BUNDLE_HEX_SIZE]);
/* H becomes SHA-256(H ‖ sum). */
void bundle_chain(uint8_t link[BUNDLE_HASH], const uint8_t sum[BUNDLE_HASH]);
/* Of octets [at, at + count) of a file. 0, -EBADMSG where it has fewer, -errno. */
int bundle_sum_part(int fd, uint64_t at, uint64_t count, uint8_t sum[BUNDLE_HASH]);
/* The one header that a member of this name, size and time can have. */
void bundle_header(const char *name, uint64_t octets, int64_t time_s, uint8_t header[BUNDLE_BLOCK]);
/* -EBADMSG: these are no octal digits. */
int bundle_octal(const uint8_t *field, unsigned digits, uint64_t *number);
/* How many zeros follow a member of that size. */
uint64_t bundle_padding(uint64_t octets);
/*
 * erased.json, the caller's, NULL where there is no memory. It came later than the head and is in no chain; that its
 * octets are as they were written is said by a sum of its own.
 */
char *bundle_erased_text(const struct bundle *bundle);

#endif
