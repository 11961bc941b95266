/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(const void *octets, size_t count, char *text)
{
	const uint8_t *in = octets;
	size_t at = 0;

	for (size_t i = 0; i < count; i += 3) {
		uint32_t three = (uint32_t)in[i] << 16;

		three |= i + 1 < count ? (uint32_t)in[i + 1] << 8 : 0;
		three |= i + 2 < count ? (uint32_t)in[i + 2] : 0;
		text[at++] = digits[three >> 18];
		text[at++] = digits[three >> 12 & 63];
		text[at++] = i + 1 < count ? digits[three >> 6 & 63] : '=';
		text[at++] = i + 2 < count ? digits[three & 63] : '=';
	}
	text[at] = '\0';
}

int base64_read(const char *text, size_t length, void *octets, size_t room, size_t *count)
{
	size_t padding = length < 4 || text[length - 1] != '=' ? 0 : text[length - 2] != '=' ? 1 : 2;
	size_t wanted = length / 4 * 3 - padding, at = 0;
	uint8_t *out = octets;
	uint32_t bits = 0;

	if (length % 4 != 0)
		return -EBADMSG;
	if (wanted > room)
		return -ENOSPC;
	for (size_t i = 0; i < length; i++) {
		const char *digit = i < length - padding ? memchr(digits, text[i], sizeof(digits) - 1) : digits;

		if (!digit)
			return -EBADMSG;
		bits = bits << 6 | (uint32_t)(digit - digits);
		if (i % 4 != 3)
			continue;
		for (int shift = 16; shift >= 0 && at < wanted; shift -= 8)
			out[at++] = (uint8_t)(bits >> shift);
		/* What padding stands for is zero: of one meaning there is one text. */
		if (i + 1 == length && padding && (bits & ((1u << 8 * padding) - 1)))
			return -EBADMSG;
		bits = 0;
	}
	*count = wanted;
	return 0;
}
