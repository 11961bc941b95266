/* SPDX-License-Identifier: Apache-2.0 */
/* How `holdfast serve` stands, as part of `holdfast status`. */
#ifndef HOLDFAST_CLI_SERVE_PAGE_H
#define HOLDFAST_CLI_SERVE_PAGE_H

#include <stdbool.h>

#include <jansson.h>

#include "tell/paper.h"

/*
 * What its parent has written, the caller's; NULL: it does not run. `config` NULL: the usual one. *wanted: it runs, or
 * the configuration names what it would do.
 */
json_t *serve_page_find(const char *config, bool *wanted);
/* `state` NULL: that it does not run. */
void serve_page_write(const struct paper *paper, const json_t *state);

#endif
