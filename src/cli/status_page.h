/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The screen of 'holdfast status': to be read at three in the morning. What is on fire stands first: the mode, where
 * the shield is attached and how, what passes and what is dropped at this moment, then what does it, and how to undo
 * it.
 */
#ifndef HOLDFAST_CLI_STATUS_PAGE_H
#define HOLDFAST_CLI_STATUS_PAGE_H

#include <stdint.h>

#include <jansson.h>

#include "tell/paper.h"

/*
 * `now` is the daemon's answer to "status", `before` one from `between_ns` earlier, or NULL: then there are no rates.
 * Between answers of two daemons there are none either.
 */
void status_page_write(const struct paper *paper, const json_t *before, const json_t *now, int64_t between_ns);

#endif
