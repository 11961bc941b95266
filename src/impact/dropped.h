/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom the shield is dropping, as a list that travels: made where the shield is, read where users report, which may be
 * another host. ASCII, a line each, every one ended:
 *
 *     holdfast.dropped/1 made 2026-11-27T14:20:00Z until 2026-11-27T14:25:00Z dropped 2 passing 1 left_out 0
 *     198.51.100.0/24
 *     2001:db8:1::/64
 *     !198.51.100.7/32
 *
 * So many prefixes are dropped, and so many, behind a '!', pass all the same (the allow list); `left_out` more were
 * dropped and found no room. The head's numbers show whether all of it has come. An address is dropped where one of the
 * first holds it and none of the others does. It is true from DROPPED_EARLY_S before `made`, for clocks differ, until
 * `until`, which is no later than DROPPED_LASTS_MAX_S after `made`. Nobody drops the whole world: no prefix is of
 * length 0.
 */
#ifndef HOLDFAST_IMPACT_DROPPED_H
#define HOLDFAST_IMPACT_DROPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prefix.h"
#include "base/time.h"

#define DROPPED_SCHEMA "holdfast.dropped/1"
#define DROPPED_MAX 131072        /* prefixes that are dropped */
#define DROPPED_PASSING_MAX 16384 /* that pass all the same */
#define DROPPED_FILE_MAX (8u << 20)
#define DROPPED_LASTS_S 300 /* that a list is true for, where it is made */
#define DROPPED_LASTS_MAX_S 86400
#define DROPPED_EARLY_S 300

/* IPv4 first, then by address; none is in another. */
struct dropped_list {
	uint32_t count, ipv4; /* of them IPv4 */
	struct prefix *prefixes;
};

struct dropped {
	struct capture_time made, until; /* of the calendar */
	uint64_t left_out;
	struct dropped_list dropping, passing; /* owned */
};

struct dropped_error {
	uint64_t line;
	const char *what;
};

/* Puts any prefixes in that order, and leaves out those that are in another: `count` may become less. */
void dropped_sort(struct dropped_list *list);
/* As text, NUL-terminated, which the caller frees. -EINVAL: longer than the bounds, or a time that is none; -ENOMEM. */
int dropped_write(const struct dropped *dropped, char **text, size_t *length);
/* `text` need not be in order. -EBADMSG: *error says where and why; -ENOMEM. Then dropped_fini(). */
int dropped_read(const char *text, size_t length, struct dropped *dropped, struct dropped_error *error);
void dropped_fini(struct dropped *dropped);
/* Whether it is true at `now`. */
bool dropped_holds(const struct dropped *dropped, struct capture_time now);
/* Whether an address is dropped, by a list that is true. */
bool dropped_has(const struct dropped *dropped, const struct address *address);

#endif
