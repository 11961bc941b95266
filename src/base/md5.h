/* SPDX-License-Identifier: Apache-2.0 */
/* MD5 (RFC 1321), where a format wants it as a name. It is broken as a seal, and nothing here is sealed with it. */
#ifndef HOLDFAST_BASE_MD5_H
#define HOLDFAST_BASE_MD5_H

#include <stddef.h>
#include <stdint.h>

#define MD5_TEXT_SIZE 33

/* The digest in 32 hexadecimal digits; returns `text`. */
const char *md5_text(const void *octets, size_t length, char text[MD5_TEXT_SIZE]);

#endif
