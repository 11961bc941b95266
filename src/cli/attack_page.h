/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands first on the screen of 'holdfast status': the attacks that go on, what is done about each, what that
 * costs users, how to undo it, and what to read next; then whether the links themselves are full, where nothing here
 * helps.
 */
#ifndef HOLDFAST_CLI_ATTACK_PAGE_H
#define HOLDFAST_CLI_ATTACK_PAGE_H

#include <stdbool.h>

#include <jansson.h>

#include "tell/paper.h"

#define ATTACK_PAGE_MAX 4       /* attacks that are shown whole; of more their number */
#define ATTACK_PAGE_RULES_MAX 4 /* of each; likewise */

/* `now` is the daemon's answer to "status". Whether an attack goes on. */
bool attack_page_write(const struct paper *paper, const json_t *now);
/* Lines of links that are full, and of none where none is. */
void attack_page_write_links(const struct paper *paper, const json_t *now);
/* Whether a rule, by its name, is one of an attack that is shown: it need not be listed again. */
bool attack_page_has_rule(const json_t *now, const char *id);

#endif
