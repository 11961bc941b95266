/* SPDX-License-Identifier: Apache-2.0 */
/* Octets as hexadecimal digits, two each, the high one first. */
#ifndef HOLDFAST_BASE_HEX_H
#define HOLDFAST_BASE_HEX_H

#include <stddef.h>

/* Of the text that `count` octets make, with its NUL. */
#define HEX_SIZE(count) (2 * (count) + 1)

/* 0 to 15; -1: it is no digit. Capitals are digits, too. */
int hex_digit(char c);
/* Small digits; `text` has room for HEX_SIZE(count). */
void hex_write(const void *octets, size_t count, char *text);
/*
 * So many octets from the beginning of `text`, of small digits alone; what stands behind them is not looked at.
 * -EBADMSG.
 */
int hex_read(const char *text, void *octets, size_t count);

#endif
