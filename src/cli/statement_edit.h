/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A statement edited: a sentence that was typed with the command, or in an editor as a form of text (tell/statement.h).
 */
#ifndef HOLDFAST_CLI_STATEMENT_EDIT_H
#define HOLDFAST_CLI_STATEMENT_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "tell/statement.h"

/* Where none of set, remove and add is given, an editor is started. */
struct statement_edit_asked {
	uint64_t set, remove; /* a sentence, from 1; 0: none */
	bool add, internal, keep;
	const char *text, *by;
};

/* As statement_form_read(); also -errno where there is no editor, or it fails, with `error` saying so. */
int statement_edit_make(const json_t *statement, const char *id, uint64_t revision,
                        const struct statement_edit_asked *asked, json_t **edited, char error[STATEMENT_ERROR_SIZE]);

#endif
