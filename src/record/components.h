/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the status page shows: components and groups of them, how they fared, and works that are planned. In the
 * record's database (ledger.h), whose errors hold.
 *
 * What a component is called is a setting, and may change. How it fared is only added to: a state says what the
 * component is from `since_ns` on, and takes the place of all that was said before of that time and what follows. One
 * that is from now on takes nobody's place: it begins behind all that was set before it, however shortly. A component
 * that is removed keeps its states; its ID is not given to another.
 */
#ifndef HOLDFAST_RECORD_COMPONENTS_H
#define HOLDFAST_RECORD_COMPONENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "impact/component.h"
#include "record/ledger.h"
#include "tell/language.h"

#define COMPONENTS_SCHEMA 5 /* the first that has these tables */

/* Texts are UTF-8 of at most LEDGER_TEXT_MAX octets; "" where nobody said. */
struct component {
	char id[COMPONENT_ID_SIZE];
	char group[COMPONENT_ID_SIZE]; /* "": in none */
	uint32_t position;             /* from 1; given by the ledger where it is 0 */
	bool is_group;
	bool showcase; /* shown on the page */
	const char *name[LANGUAGES], *description[LANGUAGES];
	int64_t added_ns, updated_ns;
	int64_t removed_ns; /* 0: it is not */
};

enum component_source { COMPONENT_SAID, COMPONENT_MEASURED }; /* "operator", "measured" */

struct component_state {
	uint64_t number; /* given by the ledger */
	char component[COMPONENT_ID_SIZE];
	enum component_status status;
	/* of one that is added 0: now, which is added_ns, or just behind what was set in the second from there */
	int64_t since_ns;
	const char *cause; /* "attack", "own_change", "provider", "unknown"; "" */
	enum component_source source;
	uint64_t outage; /* its number; 0: none */
	int64_t added_ns;
	const char *added_by;
};

/* Works that are planned, as the public is told; what is cancelled stays on record. */
struct component_works {
	char id[LEDGER_ID_SIZE]; /* "m1"; given by the ledger */
	int64_t from_ns, until_ns;
	const char *components; /* IDs, a comma between them */
	const char *name[LANGUAGES], *text[LANGUAGES];
	int64_t added_ns;
	const char *added_by;
	int64_t cancelled_ns; /* 0: they are not */
};

/* "operator", "measured": stable words. */
const char *component_source_name(enum component_source source);

/* -EEXIST: there is, or was, one of that ID; -ENOENT: there is no such group; -EDQUOT: COMPONENTS_MAX; -EINVAL. */
int component_add(struct ledger *ledger, const struct component *component, struct record_error *error);
/*
 * All its texts, group, position (0: as it is) and showcase become what is given. -ENOENT: there is no such component.
 */
int component_change(struct ledger *ledger, const struct component *component, struct record_error *error);
/* -ENOENT; -EBUSY: it is a group with components in it. */
int component_remove(struct ledger *ledger, const char *id, int64_t at_ns, struct record_error *error);
/* By position; those that are removed too, if wanted. Stops where `each` returns not 0, and returns that. */
int component_each(struct ledger *ledger, bool removed, int (*each)(void *context, const struct component *component),
                   void *context, struct record_error *error);

/*
 * "", or why it cannot be put on record: a cause that is none, a beginning behind `added_ns`; before anything is read.
 */
const char *component_state_wrong(const struct component_state *state);
/* -ENOENT: there is no such component, or it is a group; -EINVAL: it is wrong. `number` may be NULL. */
int component_state_add(struct ledger *ledger, const struct component_state *state, uint64_t *number,
                        struct record_error *error);
/* In the order in which they were added; `id` NULL: of all. */
int component_state_each(struct ledger *ledger, const char *id,
                         int (*each)(void *context, const struct component_state *state), void *context,
                         struct record_error *error);

/* Likewise: no name, no components, an end that is not behind the beginning. */
const char *component_works_wrong(const struct component_works *row);
/* -EINVAL: they are wrong; -ENOENT: not all of the components are on the page. */
int component_works_add(struct ledger *ledger, const struct component_works *row, char id[LEDGER_ID_SIZE],
                        struct record_error *error);
/* -ENOENT; -EALREADY. */
int component_works_cancel(struct ledger *ledger, const char *id, int64_t at_ns, const char *by,
                           struct record_error *error);
int component_works_each(struct ledger *ledger, int (*each)(void *context, const struct component_works *works),
                         void *context, struct record_error *error);

#endif
