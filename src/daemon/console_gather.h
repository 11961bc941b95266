/* SPDX-License-Identifier: Apache-2.0 */
/* What the files share that make JSON of the record for the console's pages (console_facts.c, console_page_facts.c). */
#ifndef HOLDFAST_DAEMON_CONSOLE_GATHER_H
#define HOLDFAST_DAEMON_CONSOLE_GATHER_H

#include <stdint.h>

#include <jansson.h>

#include "record/ledger.h"
#include "tell/build.h"

/* A page's JSON that is being made; what could not be made of it is `build`'s failure. */
struct gathering {
	struct build build;
	json_t *root, *list; /* `list`: the one that is being filled */
	struct ledger *ledger;
	struct record_error *error;
	int64_t now_ns;
	uint64_t thread, incident; /* of a matter */
	const char *id;            /* of a component */
};

json_t *console_gather_words(const char *text);
/* A new list of the root's, which is filled from now on. */
void console_gather_list(struct gathering *g, const char *name);
/* The newest stand first, and so many of them: CONSOLE_LIST_MAX. */
void console_gather_newest(struct gathering *g, json_t *one);
/* The root, with 0, or frees it. */
int console_gather_done(struct gathering *g, int result, json_t **json);

#endif
