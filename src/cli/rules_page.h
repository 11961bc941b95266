/* SPDX-License-Identifier: Apache-2.0 */
/* Rules as both 'holdfast rules' and 'holdfast status' show them: each with how it is undone. */
#ifndef HOLDFAST_CLI_RULES_PAGE_H
#define HOLDFAST_CLI_RULES_PAGE_H

#include <stdbool.h>

#include <jansson.h>

#include "base/time.h"
#include "tell/paper.h"
#include "tell/words.h"

/*
 * `rules` as the daemon answers them. Where it does not enforce, what rules drop is what they would drop, and so it is
 * called. `made_by`: with when, by whom and why each was made; ages are told from `now`.
 */
void rules_page_write(const struct paper *paper, const json_t *rules, bool enforce, bool made_by,
                      struct capture_time now);

/* ", unless the source is known and sends no more than 20/s", where the rule looks at sources. */
void rules_page_add_sources(struct draft *d, const json_t *rule);

/* "42 min", or "never" where `key` is null. */
const char *rules_page_left(const json_t *object, const char *key, char text[WORDS_SIZE]);

#endif
