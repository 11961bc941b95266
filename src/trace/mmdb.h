/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MaxMind DB 2.0 (https://maxmind.github.io/MaxMind-DB/), read as what anybody may have written. A file is a search
 * tree of `node_count` nodes, two records each; 16 zeros; the data; a marker; the metadata. A record below node_count
 * is another node, node_count is "nothing", above it less node_count + 16 is a place in the data. Data are values: an
 * octet of type and length, then the octets; maps and arrays are followed by what they hold; a pointer stands for a
 * value elsewhere.
 *
 * The whole tree is walked once, in the order of addresses, and each leaf is handed over; nobody asks the file anything
 * later. Neither the walk nor a value recurses, and both spend from one allowance, so that any file of any shape is
 * done with in two seconds or so. Libmaxminddb is what tests compare this with: it (1.7.1) skips values by recursion
 * without a bound, so that two megabytes of arrays in arrays overflow its stack, and what one of its look-ups costs is
 * the file's to say.
 */
#ifndef HOLDFAST_TRACE_MMDB_H
#define HOLDFAST_TRACE_MMDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nodes and values that are looked at: so many for each node that a file says it has, and never more than the last. */
#define MMDB_WORK_LEAST 65536U
#define MMDB_WORK_A_NODE 1024U
#define MMDB_WORK_MAX (128U << 20)
#define MMDB_ALIASES_MAX 8 /* places in an IPv6 tree where the IPv4 tree hangs again */

enum mmdb_type {
	MMDB_POINTER = 1,
	MMDB_TEXT = 2,
	MMDB_DOUBLE = 3,
	MMDB_OCTETS = 4,
	MMDB_U16 = 5,
	MMDB_U32 = 6,
	MMDB_MAP = 7,
	MMDB_I32 = 8,
	MMDB_U64 = 9,
	MMDB_U128 = 10,
	MMDB_ARRAY = 11,
	MMDB_BOOLEAN = 14,
	MMDB_FLOAT = 15,
};

struct mmdb {
	const uint8_t *tree, *data; /* the caller's */
	size_t data_size;
	uint32_t node_count;
	uint32_t record_bits; /* 24, 28, 32 */
	uint32_t work;        /* left of the allowance */
	bool ipv6;            /* its tree is of IPv6 addresses, IPv4 below ::/96 */
	uint64_t built_s;     /* since the Unix epoch; 0: not said */
};

/* A value, pointers followed. */
struct mmdb_value {
	enum mmdb_type type;
	uint32_t size;  /* octets; pairs of a map, values of an array; of a boolean the value */
	uint32_t begin; /* of the octets, or of what it holds, in the data */
};

/* Addresses as 128 bits in two halves; of IPv4, and below ::/96, the low 32 bits alone. */
struct mmdb_address {
	uint64_t high, low;
};

/*
 * All of the prefix is an IPv4 tree: bits [length, length + 32) of an address in it are the IPv4 address to look for.
 */
struct mmdb_alias {
	struct mmdb_address prefix;
	unsigned length;
};

struct mmdb_visitor {
	void *context;
	/* A prefix that has a record at `place`, in ascending order. 0 or -errno, which ends the walk. */
	int (*leaf)(void *context, struct mmdb *mmdb, const struct mmdb_address *first, unsigned length,
	            uint32_t place);
	int (*alias)(void *context, const struct mmdb_alias *alias);
};

/* 0, or -EBADMSG with `why`, a constant. The octets must stay as they are for as long as `mmdb` is used. */
int mmdb_open(const uint8_t *octets, size_t size, struct mmdb *mmdb, const char **why);
/* 0; -EBADMSG with `why`; what a visitor says. */
int mmdb_walk(struct mmdb *mmdb, const struct mmdb_visitor *visitor, const char **why);

/* -EBADMSG: there is none that can be read; -E2BIG: the allowance is spent. */
int mmdb_value_at(struct mmdb *mmdb, uint32_t place, struct mmdb_value *value);
/* What a map has under a name; -ENOENT where it has nothing, or is no map. */
int mmdb_value_of(struct mmdb *mmdb, const struct mmdb_value *map, const char *key, struct mmdb_value *value);
/* Of an unsigned number that 64 bits hold. */
bool mmdb_number(const struct mmdb *mmdb, const struct mmdb_value *value, uint64_t *number);
/* The octets of a text; not terminated, and of any kind. */
bool mmdb_text(const struct mmdb *mmdb, const struct mmdb_value *value, const char **text, size_t *length);

#endif
