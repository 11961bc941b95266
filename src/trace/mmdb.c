/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/mmdb.h"

#include <errno.h>
#include <string.h>

#include "base/cursor.h"
#include "base/octets.h"

#define METADATA_MAX ((size_t)128 << 10) /* the marker stands in the last so many octets */
#define SEPARATOR 16                     /* zeros between tree and data */
#define BITS_MAX 128
#define IPV4_BITS 32
#define IPV4_LENGTH 96 /* of ::/96 */
#define FORMAT_MAJOR 2

/* The octet of control: 3 bits of type, 5 of length; what does not fit stands behind it. */
#define TYPE_SHIFT 5
#define LENGTH_MASK 0x1fU
#define EXTENDED 7U /* a type beyond the first seven: this and the next octet */
#define LENGTH_1 29U
#define LENGTH_2 30U
#define LENGTH_2_BASE 285U
#define LENGTH_3_BASE 65821U
/* A pointer: 2 bits say how many octets follow, 3 are its highest bits. */
#define POINTER_SHIFT 3
#define POINTER_KINDS 3U
#define POINTER_BITS 7U
#define POINTER_2_BASE 2048U
#define POINTER_3_BASE 526336U

static const uint8_t marker[] = { 0xab, 0xcd, 0xef, 'M', 'a', 'x', 'M', 'i', 'n', 'd', '.', 'c', 'o', 'm' };

/* ---- values ---- */

static bool spend(struct mmdb *mmdb)
{
	if (mmdb->work == 0)
		return false;
	mmdb->work--;
	return true;
}

static uint32_t take_be(struct cursor *c, unsigned octets)
{
	uint32_t number = 0;

	for (unsigned i = 0; i < octets; i++)
		number = number << 8 | cursor_u8(c);
	return number;
}

static uint32_t take_pointer(struct cursor *c, uint8_t control)
{
	uint32_t top = control & POINTER_BITS;

	switch (control >> POINTER_SHIFT & POINTER_KINDS) {
	case 0:
		return top << 8 | take_be(c, 1);
	case 1:
		return (top << 16 | take_be(c, 2)) + POINTER_2_BASE;
	case 2:
		return (top << 24 | take_be(c, 3)) + POINTER_3_BASE;
	default:
		return take_be(c, 4);
	}
}

/* Octets behind the control that are the value's own. */
static uint32_t octets_of(const struct mmdb_value *value)
{
	return value->type == MMDB_MAP || value->type == MMDB_ARRAY || value->type == MMDB_BOOLEAN ||
	                       value->type == MMDB_POINTER
	               ? 0
	               : value->size;
}

/* The value where the cursor stands, which moves behind its own octets; a pointer's `begin` is where it points. */
static int take(struct mmdb *mmdb, struct cursor *c, struct mmdb_value *value)
{
	uint8_t control = cursor_u8(c);
	uint32_t type = control >> TYPE_SHIFT, size = control & LENGTH_MASK;

	if (!spend(mmdb))
		return -E2BIG;
	if (type == MMDB_POINTER) {
		*value = (struct mmdb_value){ .type = MMDB_POINTER, .begin = take_pointer(c, control) };
		return c->failed ? -EBADMSG : 0;
	}
	if (type == 0)
		type = EXTENDED + cursor_u8(c);
	if (size == LENGTH_1)
		size = LENGTH_1 + take_be(c, 1);
	else if (size == LENGTH_2)
		size = LENGTH_2_BASE + take_be(c, 2);
	else if (size == LENGTH_MASK)
		size = LENGTH_3_BASE + take_be(c, 3);
	if (c->failed || type <= MMDB_POINTER || type > MMDB_FLOAT)
		return -EBADMSG;
	*value = (struct mmdb_value){ .type = (enum mmdb_type)type, .size = size };
	value->begin = (uint32_t)(c->at - mmdb->data);
	cursor_skip(c, octets_of(value));
	return c->failed ? -EBADMSG : 0;
}

static struct cursor cursor_at(const struct mmdb *mmdb, uint32_t place)
{
	struct cursor c = cursor_over(mmdb->data, mmdb->data_size);

	cursor_skip(&c, place);
	return c;
}

/* A pointer points to no pointer, so says the format. */
static int follow(struct mmdb *mmdb, struct mmdb_value *value)
{
	struct cursor c;
	int result;

	if (value->type != MMDB_POINTER)
		return 0;
	c = cursor_at(mmdb, value->begin);
	result = take(mmdb, &c, value);
	return result == 0 && value->type == MMDB_POINTER ? -EBADMSG : result;
}

int mmdb_value_at(struct mmdb *mmdb, uint32_t place, struct mmdb_value *value)
{
	struct cursor c = cursor_at(mmdb, place);
	struct mmdb_value found;
	int result = take(mmdb, &c, &found);

	if (result == 0)
		result = follow(mmdb, &found);
	if (result == 0)
		*value = found;
	return result;
}

/* Behind a value that has been taken, and all that it holds, however deep: what is still to come is a number. */
static int skip_inside(struct mmdb *mmdb, struct cursor *c, const struct mmdb_value *value)
{
	uint64_t due = value->type == MMDB_MAP     ? 2 * (uint64_t)value->size
	               : value->type == MMDB_ARRAY ? value->size
	                                           : 0;

	while (due > 0) {
		struct mmdb_value inner;
		int result = take(mmdb, c, &inner);

		if (result != 0)
			return result;
		due--;
		due += inner.type == MMDB_MAP ? 2 * (uint64_t)inner.size : inner.type == MMDB_ARRAY ? inner.size : 0;
	}
	return 0;
}

int mmdb_value_of(struct mmdb *mmdb, const struct mmdb_value *map, const char *key, struct mmdb_value *value)
{
	size_t key_length = strlen(key);
	struct cursor c;
	int result = 0;

	if (map->type != MMDB_MAP)
		return -ENOENT;
	c = cursor_at(mmdb, map->begin);
	for (uint32_t i = 0; i < map->size; i++) {
		struct mmdb_value name, found;
		const char *text;
		size_t length;

		result = take(mmdb, &c, &name);
		result = result ? result : follow(mmdb, &name);
		result = result ? result : take(mmdb, &c, &found);
		if (result != 0)
			return result;
		if (mmdb_text(mmdb, &name, &text, &length) && length == key_length && memcmp(text, key, length) == 0) {
			result = follow(mmdb, &found);
			if (result == 0)
				*value = found;
			return result;
		}
		result = skip_inside(mmdb, &c, &found);
		if (result != 0)
			return result;
	}
	return -ENOENT;
}

bool mmdb_number(const struct mmdb *mmdb, const struct mmdb_value *value, uint64_t *number)
{
	const uint8_t *octets = mmdb->data + value->begin;

	if ((value->type != MMDB_U16 && value->type != MMDB_U32 && value->type != MMDB_U64) ||
	    value->size > sizeof(*number))
		return false;
	*number = octets_get_be(octets, value->size);
	return true;
}

bool mmdb_text(const struct mmdb *mmdb, const struct mmdb_value *value, const char **text, size_t *length)
{
	if (value->type != MMDB_TEXT)
		return false;
	*text = (const char *)mmdb->data + value->begin;
	*length = value->size;
	return true;
}

/* ---- the file ---- */

/* Behind the last marker, or NULL. */
static const uint8_t *find_metadata(const uint8_t *octets, size_t size)
{
	size_t least = size > METADATA_MAX ? size - METADATA_MAX : 0;

	if (size < sizeof(marker))
		return NULL;
	for (size_t at = size - sizeof(marker) + 1; at > least; at--)
		if (memcmp(octets + at - 1, marker, sizeof(marker)) == 0)
			return octets + at - 1 + sizeof(marker);
	return NULL;
}

static bool metadata_number(struct mmdb *metadata, const struct mmdb_value *map, const char *key, uint64_t *number)
{
	struct mmdb_value value;

	return mmdb_value_of(metadata, map, key, &value) == 0 && mmdb_number(metadata, &value, number);
}

static uint32_t work_of(uint64_t nodes)
{
	uint64_t work = MMDB_WORK_LEAST + MMDB_WORK_A_NODE * nodes;

	return work < MMDB_WORK_MAX ? (uint32_t)work : MMDB_WORK_MAX;
}

int mmdb_open(const uint8_t *octets, size_t size, struct mmdb *mmdb, const char **why)
{
	const uint8_t *begin = find_metadata(octets, size);
	uint64_t nodes, bits, version, major, built = 0, tree_size;
	struct mmdb metadata;
	struct mmdb_value map;
	struct cursor c;

	*why = "it has no metadata of a MaxMind DB";
	if (!begin || size > UINT32_MAX)
		return -EBADMSG;
	/* Metadata are values as others are, and point within themselves. */
	metadata =
		(struct mmdb){ .data = begin, .data_size = (size_t)(octets + size - begin), .work = MMDB_WORK_LEAST };
	*why = "its metadata cannot be read";
	if (mmdb_value_at(&metadata, 0, &map) != 0 || !metadata_number(&metadata, &map, "node_count", &nodes) ||
	    !metadata_number(&metadata, &map, "record_size", &bits) ||
	    !metadata_number(&metadata, &map, "ip_version", &version) ||
	    !metadata_number(&metadata, &map, "binary_format_major_version", &major))
		return -EBADMSG;
	(void)metadata_number(&metadata, &map, "build_epoch", &built);
	*why = "its metadata are cut off";
	c = cursor_at(&metadata, map.begin);
	if (skip_inside(&metadata, &c, &map) != 0)
		return -EBADMSG;
	*why = "its metadata say what no MaxMind DB 2 has";
	if (major != FORMAT_MAJOR || (bits != 24 && bits != 28 && bits != 32) || (version != 4 && version != 6) ||
	    nodes == 0 || nodes > UINT32_MAX - SEPARATOR)
		return -EBADMSG;
	tree_size = nodes * (bits / 4);
	*why = "it is shorter than its tree";
	if (tree_size + SEPARATOR > (uint64_t)(begin - sizeof(marker) - octets))
		return -EBADMSG;
	*mmdb = (struct mmdb){
		.tree = octets,
		.data = octets + tree_size + SEPARATOR,
		.data_size = (size_t)(begin - sizeof(marker) - octets) - (size_t)tree_size - SEPARATOR,
		.node_count = (uint32_t)nodes,
		.record_bits = (uint32_t)bits,
		.work = work_of(nodes),
		.ipv6 = version == 6,
		.built_s = built,
	};
	return 0;
}

/* ---- the walk ---- */

static uint32_t record_of(const struct mmdb *mmdb, uint32_t node, unsigned side)
{
	const uint8_t *at = mmdb->tree + (size_t)node * (mmdb->record_bits / 4);

	switch (mmdb->record_bits) {
	case 24:
		return (uint32_t)octets_get_be(at + (size_t)3 * side, 3);
	case 28: /* the octet in the midst has four high bits of each */
		if (side == 0)
			return ((uint32_t)at[3] >> 4) << 24 | (uint32_t)octets_get_be(at, 3);
		return ((uint32_t)at[3] & 0xf) << 24 | (uint32_t)octets_get_be(at + 4, 3);
	default:
		return (uint32_t)octets_get_be(at + (size_t)4 * side, 4);
	}
}

/* Bit `depth` from the top, of a tree whose addresses have `bits`. */
static void set_bit(struct mmdb_address *address, unsigned bits, unsigned depth)
{
	unsigned from_low = bits - 1 - depth;

	if (from_low >= 64)
		address->high |= UINT64_C(1) << (from_low - 64);
	else
		address->low |= UINT64_C(1) << from_low;
}

/* A place on the way down whose right side is still to be seen. */
struct step {
	struct mmdb_address address;
	uint32_t record;
	unsigned depth;
};

struct walk {
	struct mmdb *mmdb;
	const struct mmdb_visitor *visitor;
	unsigned bits;
	uint32_t ipv4_root; /* 0: not met; the first node of all is never it, for ::/96 lies below it */
	uint32_t aliases;
	unsigned waiting;
	struct step steps[BITS_MAX + 1];
};

/* The IPv4 tree again, elsewhere. Beyond so many it is walked again, which the allowance bounds. */
static bool is_alias(struct walk *walk, const struct step *step)
{
	if (!walk->mmdb->ipv6 || step->depth > IPV4_LENGTH)
		return false;
	if (step->depth == IPV4_LENGTH && step->address.high == 0 && step->address.low == 0) {
		walk->ipv4_root = step->record;
		return false;
	}
	return walk->ipv4_root != 0 && step->record == walk->ipv4_root && walk->aliases < MMDB_ALIASES_MAX;
}

static int visit(struct walk *walk, const struct step *step, const char **why)
{
	struct mmdb *mmdb = walk->mmdb;

	if (step->record == mmdb->node_count)
		return 0;
	if (step->record > mmdb->node_count) {
		uint32_t place = step->record - mmdb->node_count;

		*why = "a record of its tree points outside its data";
		if (place < SEPARATOR || place - SEPARATOR >= mmdb->data_size)
			return -EBADMSG;
		return walk->visitor->leaf(walk->visitor->context, mmdb, &step->address, step->depth,
		                           place - SEPARATOR);
	}
	*why = "its tree is deeper than addresses are long";
	if (step->depth == walk->bits)
		return -EBADMSG;
	*why = "its tree is larger than can be walked";
	if (!spend(mmdb))
		return -EBADMSG;
	if (is_alias(walk, step)) {
		struct mmdb_alias alias = { .prefix = step->address, .length = step->depth };

		walk->aliases++;
		return walk->visitor->alias(walk->visitor->context, &alias);
	}
	/* Left is popped before right. At most one side a depth waits, so there is room. */
	for (unsigned side = 2; side-- > 0;) {
		struct step *next = &walk->steps[walk->waiting++];

		*next = (struct step){ .address = step->address, .depth = step->depth + 1 };
		next->record = record_of(mmdb, step->record, side);
		if (side == 1)
			set_bit(&next->address, walk->bits, step->depth);
	}
	return 0;
}

int mmdb_walk(struct mmdb *mmdb, const struct mmdb_visitor *visitor, const char **why)
{
	struct walk walk = { .mmdb = mmdb, .visitor = visitor, .bits = mmdb->ipv6 ? BITS_MAX : IPV4_BITS };

	walk.steps[walk.waiting++] = (struct step){ .record = 0 };
	while (walk.waiting > 0) {
		struct step step = walk.steps[--walk.waiting];
		int result = visit(&walk, &step, why);

		if (result != 0)
			return result;
	}
	return 0;
}
