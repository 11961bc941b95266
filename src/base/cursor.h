/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A read cursor with a sticky error: a decoder reads straight through and checks once. Reading past the end yields
 * zeros and sets `failed`; nothing is ever read outside [at, end).
 */
#ifndef HOLDFAST_BASE_CURSOR_H
#define HOLDFAST_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

static inline struct cursor cursor_over(const void *data, size_t length)
{
	return (struct cursor){ .at = data, .end = (const uint8_t *)data + length };
}

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

/* The next `length` octets, or NULL (and failed) where there are fewer. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t length)
{
	const uint8_t *taken = c->at;

	if (c->failed || cursor_left(c) < length) {
		c->failed = true;
		return NULL;
	}
	c->at += length;
	return taken;
}

static inline void cursor_skip(struct cursor *c, size_t length)
{
	(void)cursor_take(c, length);
}

/* No octet beyond the next `length` shall be read; no effect where there are fewer. */
static inline void cursor_limit(struct cursor *c, size_t length)
{
	if (length < cursor_left(c))
		c->end = c->at + length;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 1);
	return p ? *p : 0;
}

static inline uint16_t cursor_u16_be(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 2);
	return (uint16_t)(p ? p[0] << 8 | p[1] : 0);
}

static inline uint32_t cursor_u32_be(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 4);
	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t cursor_u64_be(struct cursor *c)
{
	uint64_t high = cursor_u32_be(c);

	return high << 32 | cursor_u32_be(c);
}

#endif
