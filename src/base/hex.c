/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

#include <errno.h>
#include <stdint.h>

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void hex_write(const void *octets, size_t count, char *text)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = octets;

	for (size_t i = 0; i < count; i++) {
		*text++ = digits[from[i] >> 4];
		*text++ = digits[from[i] & 15];
	}
	*text = '\0';
}

static int small_digit(char c)
{
	return c >= 'A' && c <= 'F' ? -1 : hex_digit(c);
}

int hex_read(const char *text, void *octets, size_t count)
{
	uint8_t *to = octets;

	for (size_t i = 0; i < count; i++) {
		int high = small_digit(text[2 * i]);
		int low = high < 0 ? -1 : small_digit(text[2 * i + 1]); /* a text may end at any digit */

		if (low < 0)
			return -EBADMSG;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}
