/* SPDX-License-Identifier: Apache-2.0 */
/* MaxMind DBs for tests: a tree of prefixes, longer ones put in later; data as the test writes them. */
#ifndef HOLDFAST_TESTS_UNIT_MADE_MMDB_H
#define HOLDFAST_TESTS_UNIT_MADE_MMDB_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MADE_NODES 200000
#define MADE_DATA 400000
#define MADE_EMPTY UINT32_MAX  /* a record that says nothing */
#define MADE_PLACE 0x80000000U /* a record that is a place in the data */
#define MADE_IPV6_BITS 128

struct made_mmdb {
	unsigned bits, record_bits;
	uint32_t count;
	uint32_t nodes[MADE_NODES][2];
	uint32_t data_length;
	uint8_t data[MADE_DATA];
};

static inline struct made_mmdb *made_mmdb_new(unsigned bits, unsigned record_bits)
{
	struct made_mmdb *made = calloc(1, sizeof(*made));

	assert(made);
	made->bits = bits;
	made->record_bits = record_bits;
	made->count = 1;
	made->nodes[0][0] = made->nodes[0][1] = MADE_EMPTY;
	return made;
}

/* ---- data ---- */

static inline uint32_t made_octets(struct made_mmdb *made, const void *octets, size_t count)
{
	uint32_t at = made->data_length;

	assert(at + count <= MADE_DATA);
	memcpy(made->data + at, octets, count);
	made->data_length += (uint32_t)count;
	return at;
}

/* An octet of control, and what of the length stands behind it. */
static inline uint32_t made_control(struct made_mmdb *made, unsigned type, uint32_t length)
{
	uint8_t octets[5];
	size_t count = 1;

	octets[0] = (uint8_t)(type < 8 ? type << 5 : 0);
	if (type >= 8)
		octets[count++] = (uint8_t)(type - 7);
	if (length < 29) {
		octets[0] |= (uint8_t)length;
	} else if (length < 285) {
		octets[0] |= 29;
		octets[count++] = (uint8_t)(length - 29);
	} else if (length < 65821) {
		octets[0] |= 30;
		octets[count++] = (uint8_t)((length - 285) >> 8);
		octets[count++] = (uint8_t)(length - 285);
	} else {
		octets[0] |= 31;
		octets[count++] = (uint8_t)((length - 65821) >> 16);
		octets[count++] = (uint8_t)((length - 65821) >> 8);
		octets[count++] = (uint8_t)(length - 65821);
	}
	return made_octets(made, octets, count);
}

static inline uint32_t made_text(struct made_mmdb *made, const char *text)
{
	uint32_t at = made_control(made, 2, (uint32_t)strlen(text));

	(void)made_octets(made, text, strlen(text));
	return at;
}

static inline uint32_t made_number(struct made_mmdb *made, unsigned type, uint64_t number, unsigned count)
{
	uint32_t at = made_control(made, type, count);

	for (unsigned i = count; i-- > 0;)
		(void)made_octets(made, (uint8_t[]){ (uint8_t)(number >> 8 * i) }, 1);
	return at;
}

static inline uint32_t made_map(struct made_mmdb *made, uint32_t pairs)
{
	return made_control(made, 7, pairs);
}

/* In the shortest form that holds it. */
static inline uint32_t made_pointer(struct made_mmdb *made, uint32_t to)
{
	if (to < 2048)
		return made_octets(made, (uint8_t[]){ (uint8_t)(0x20 | to >> 8), (uint8_t)to }, 2);
	if (to < 526336) {
		uint32_t rest = to - 2048;

		return made_octets(made,
		                   (uint8_t[]){ (uint8_t)(0x28 | rest >> 16), (uint8_t)(rest >> 8), (uint8_t)rest }, 3);
	}
	return made_octets(
		made, (uint8_t[]){ 0x38, (uint8_t)(to >> 24), (uint8_t)(to >> 16), (uint8_t)(to >> 8), (uint8_t)to },
		5);
}

/* ---- the tree ---- */

static inline unsigned made_bit(const uint8_t octets[16], unsigned at)
{
	return octets[at / 8] >> (7 - at % 8) & 1;
}

/* The record of a prefix; what it was above goes down with it. `octets`: of IPv4, the first four. */
static inline uint32_t *made_record(struct made_mmdb *made, const uint8_t octets[16], unsigned length)
{
	uint32_t node = 0;

	for (unsigned depth = 0;; depth++) {
		uint32_t *record = &made->nodes[node][made_bit(octets, depth)];

		if (depth + 1 == length)
			return record;
		if (*record == MADE_EMPTY || *record & MADE_PLACE) {
			assert(made->count < MADE_NODES);
			made->nodes[made->count][0] = made->nodes[made->count][1] = *record;
			*record = made->count++;
		}
		node = *record;
	}
}

static inline void made_insert(struct made_mmdb *made, const uint8_t octets[16], unsigned length, uint32_t place)
{
	*made_record(made, octets, length) = MADE_PLACE | place;
}

/* ---- the file ---- */

static inline uint8_t *made_put(uint8_t *to, uint64_t number, unsigned octets)
{
	for (unsigned i = octets; i-- > 0;)
		*to++ = (uint8_t)(number >> 8 * i);
	return to;
}

static inline uint32_t made_final(const struct made_mmdb *made, uint32_t record)
{
	return record == MADE_EMPTY  ? made->count
	       : record & MADE_PLACE ? made->count + 16 + (record & ~MADE_PLACE)
	                             : record;
}

static inline uint8_t *made_node(const struct made_mmdb *made, uint32_t node, uint8_t *to)
{
	uint32_t left = made_final(made, made->nodes[node][0]), right = made_final(made, made->nodes[node][1]);

	if (made->record_bits != 28) {
		to = made_put(to, left, made->record_bits / 8);
		return made_put(to, right, made->record_bits / 8);
	}
	to = made_put(to, left & 0xffffff, 3);
	*to++ = (uint8_t)((left >> 24) << 4 | right >> 24);
	return made_put(to, right & 0xffffff, 3);
}

/* The whole file, for the caller to free. */
static inline uint8_t *made_finish(const struct made_mmdb *made, uint64_t built_s, size_t *size)
{
	const struct {
		const char *key;
		uint64_t value;
		unsigned type, octets;
	} rows[] = {
		{ "node_count", made->count, 6, 4 },
		{ "record_size", made->record_bits, 5, 2 },
		{ "ip_version", made->bits == MADE_IPV6_BITS ? 6 : 4, 5, 2 },
		{ "binary_format_major_version", 2, 5, 2 },
		{ "binary_format_minor_version", 0, 5, 2 },
		{ "build_epoch", built_s, 9, 8 },
		{ "database_type", 0, 2, 0 },
		{ "languages", 0, 11, 0 },
		{ "description", 0, 7, 0 },
	};
	const unsigned count = sizeof(rows) / sizeof(rows[0]);
	uint8_t *octets = malloc((size_t)made->count * 8 + made->data_length + 1024), *at = octets;

	assert(octets);
	for (uint32_t i = 0; i < made->count; i++)
		at = made_node(made, i, at);
	memset(at, 0, 16);
	at += 16;
	memcpy(at, made->data, made->data_length);
	at += made->data_length;
	memcpy(at, "\xab\xcd\xefMaxMind.com", 14);
	at += 14;
	*at++ = (uint8_t)(7 << 5 | count);
	for (unsigned i = 0; i < count; i++) {
		size_t length = strlen(rows[i].key);

		*at++ = (uint8_t)(2 << 5 | length);
		memcpy(at, rows[i].key, length);
		at += length;
		*at++ = (uint8_t)((rows[i].type < 8 ? rows[i].type << 5 : 0) | rows[i].octets);
		if (rows[i].type >= 8)
			*at++ = (uint8_t)(rows[i].type - 7);
		at = made_put(at, rows[i].value, rows[i].octets);
	}
	*size = (size_t)(at - octets);
	return octets;
}

#endif
