/* SPDX-License-Identifier: Apache-2.0 */
/* Octets as text: Base64 of RFC 4648, section 4, with its padding and no line ends. */
#ifndef HOLDFAST_BASE_BASE64_H
#define HOLDFAST_BASE_BASE64_H

#include <stddef.h>

/* Of the text that `count` octets make, with its NUL. */
#define BASE64_SIZE(count) (((count) + 2) / 3 * 4 + 1)

/* `text` has room for BASE64_SIZE(count). */
void base64_write(const void *octets, size_t count, char *text);
/* 0; -EBADMSG: it is none, whole and padded; -ENOSPC: it makes more than `room` octets. */
int base64_read(const char *text, size_t length, void *octets, size_t room, size_t *count);

#endif
