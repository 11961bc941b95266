/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table for each object says which members it has in JSON, of which kind, and where they stand in the struct;
 * writing and reading both follow it, so that neither knows a member that the other does not.
 *
 * Reading takes what is of the right kind and within its bounds, and refuses all else by name. Members that it does not
 * know are passed over: later versions of a schema may add some.
 */
#ifndef HOLDFAST_TELL_MEMBERS_H
#define HOLDFAST_TELL_MEMBERS_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "tell/build.h"

#define MEMBERS_ERROR_SIZE 160
#define MEMBERS_PATH_SIZE 96

enum member_kind {
	MEMBER_WHOLE,   /* uint64_t */
	MEMBER_SMALL,   /* uint32_t */
	MEMBER_ID,      /* uint64_t, as 16 hexadecimal digits */
	MEMBER_MAYBE,   /* the same; 0: null */
	MEMBER_LITTLE,  /* int32_t */
	MEMBER_SPAN,    /* int64_t */
	MEMBER_MOMENT,  /* int64_t nanoseconds, as RFC 3339; 0: null */
	MEMBER_SHARE,   /* double, 0..1; NAN: null */
	MEMBER_AMOUNT,  /* double, not negative; NAN: null */
	MEMBER_VALUE,   /* double; NAN: null */
	MEMBER_FLAG,    /* bool */
	MEMBER_TEXT,    /* char[size] */
	MEMBER_WORD,    /* an enum, as one of `words` */
	MEMBER_PART,    /* a struct, as an object of `members` */
	MEMBER_PARTS,   /* an array of them, at most `max`, each of `size` octets; how many stands at `count` */
	MEMBER_TEXTS,   /* an array of char[size], likewise */
	MEMBER_NETWORK, /* uint32_t: null where it is 0, "others" where TRACE_OTHERS */
	/* an array of char[GEO_COUNTRY_SIZE], one for each database: as many as whoever reads and writes says */
	MEMBER_COUNTRIES,
};

struct member {
	const char *name;
	enum member_kind kind;
	uint32_t max;
	size_t at;
	size_t size;
	size_t count;
	const char *const *words; /* by value, up to NULL */
	const struct member *members;
	size_t members_count;
};

#define AT(type, name, kind, field)                               \
	{                                                         \
#name, MEMBER_##kind, .at = offsetof(type, field) \
	}
#define TEXT_AT(type, name, field)                                                                  \
	{                                                                                           \
#name, MEMBER_TEXT, .at = offsetof(type, field), .size = sizeof(((type *)0)->field) \
	}
#define WORD_AT(type, name, field, of)                                         \
	{                                                                      \
#name, MEMBER_WORD, .at = offsetof(type, field), .words = (of) \
	}
#define PART_AT(type, name, field, of)                                            \
	{                                                                         \
#name, MEMBER_PART, .at = offsetof(type, field), .members = (of), \
				    .members_count = sizeof(of) / sizeof((of)[0]) \
	}
#define PARTS_AT(type, name, field, limit, of)                                                                \
	{                                                                                                     \
#name, MEMBER_PARTS, .at = offsetof(type, field), .size = sizeof(((type *)0)->field[0]),      \
				     .count = offsetof(type, field##_count), .max = (limit), .members = (of), \
				     .members_count = sizeof(of) / sizeof((of)[0])                            \
	}

#define MEMBERS(table) (table), sizeof(table) / sizeof((table)[0])

/* `from`, a struct of the table's, as an object; `country_databases` of MEMBER_COUNTRIES, else 0. */
json_t *members_write(struct build *b, const struct member *members, size_t count, const void *from,
                      uint32_t country_databases);

/* Where in the text: "vectors[2].spoofing.tests[0].value". */
struct members_reader {
	char path[MEMBERS_PATH_SIZE];
	size_t length;
	char *error; /* MEMBERS_ERROR_SIZE octets, the caller's */
};

/* `name`, or NULL and an index; returns what is given to leave(). */
size_t members_enter(struct members_reader *r, const char *name, int64_t index);
void members_leave(struct members_reader *r, size_t before);
/* -EBADMSG: it says where, and why. */
int members_refuse(const struct members_reader *r, const char *why);
/* 0, or members_refuse()'s; what has been read by then stays. */
int members_read(struct members_reader *r, const json_t *object, const struct member *members, size_t count, void *into,
                 uint32_t country_databases);

#endif
