/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An incident as it was recorded, as a page to be read at three in the morning: what, when, how large, from where, what
 * is done about it and what that costs, how to undo it. From JSON, so that it can be written whatever became of its
 * stream.
 */
#ifndef HOLDFAST_CLI_INCIDENT_PAGE_H
#define HOLDFAST_CLI_INCIDENT_PAGE_H

#include <stdbool.h>

#include <jansson.h>

#include "cli/claims.h"
#include "record/archive.h"
#include "tell/paper.h"
#include "tell/words.h"

/* "going on", "over", "", "its end was not seen". */
const char *incident_page_state(enum archive_state state);
/* How long it lasted, or lasts: "" where nobody knows. */
const char *incident_page_lasted(const struct archive_incident *incident, struct capture_time now,
                                 char text[WORDS_SIZE]);

/*
 * `analysis` is believed to be nothing in particular; `has_stream`: a report can be made; of `claims` those about it
 * are told. COMMAND_DONE or, said, COMMAND_BAD.
 */
int incident_page_write(const struct paper *paper, const struct archive_incident *head, const json_t *analysis,
                        bool has_stream, struct capture_time now, const struct claims *claims);

#endif
