/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What joins attack, harm and word on the terminal, in a line for each outage: since when, how sure, how long after the
 * attack.
 */
#ifndef HOLDFAST_CLI_HARM_LINES_H
#define HOLDFAST_CLI_HARM_LINES_H

#include <stdint.h>

#include "tell/paper.h"

/*
 * Of the outages that last now and, with an incident's number, of those that go with it. Nothing where nothing is on
 * record, or not for this user to read: who asks for the state of the shield is not kept from it by that. `folder`: the
 * state_dir.
 */
void harm_lines_write(const struct paper *paper, const char *folder, uint64_t incident, int64_t now_ns);

#endif
