/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is a statement as JSON, as a database or another machine has it; what begins otherwise is a form, as an
 * editor leaves it. Whatever is taken can be checked, told, and written as a form that is read back as no change.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "harness.h"
#include "tell/statement.h"

static void check(const json_t *statement)
{
	struct statement_documents documents = { statement, statement };
	char error[STATEMENT_ERROR_SIZE], *text = statement_text(statement, STATEMENT_INTERNAL), *form = NULL;
	json_t *other = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&form, &size);
	int result;

	REQUIRE(text && out);
	(void)statement_check(statement, &documents, NULL, NULL);
	REQUIRE(statement_links(statement) <= (size_t)STATEMENT_SENTENCES_MAX * STATEMENT_LINKS_MAX);
	REQUIRE(statement_form_write(statement, "s1", 1, out) == 0 && fclose(out) == 0);
	/* Spaces at the ends of lines are not kept, so that such a text comes back as another. */
	result = statement_form_read(statement, form, "fuzz", &other, error);
	REQUIRE(result == -EALREADY || result == 0 || result == -EBADMSG);
	if (result == 0) {
		REQUIRE(statement_read(other, error) == 0);
		json_decref(other);
	}
	free(form);
	free(text);
}

static json_t *some_statement(void)
{
	struct statement_request request = { .kind = STATEMENT_NIS2_72H,
		                             .incident = "",
		                             .component = "",
		                             .by = "fuzz",
		                             .now = { 1 },
		                             .corrects = "",
		                             .analysis_sha256 = "",
		                             .record_sha256 = "" };
	json_t *statement = NULL;

	REQUIRE(statement_draft(&request, &statement) == 0);
	return statement;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[STATEMENT_ERROR_SIZE] = "", *form;
	json_t *json, *other = NULL;
	int result;

	if (size && data[0] == '{') {
		json = json_loadb((const char *)data, size, 0, NULL);
		if (json && statement_read(json, error) == 0)
			check(json);
		else
			REQUIRE(!json || (error[0] && strlen(error) < sizeof(error)));
		json_decref(json);
		return 0;
	}
	form = calloc(1, size + 1);
	REQUIRE(form);
	if (size)
		memcpy(form, data, size);
	json = some_statement();
	result = statement_form_read(json, form, "fuzz", &other, error);
	REQUIRE(result == 0 || result == -EALREADY || (result == -EBADMSG && error[0]));
	if (result == 0)
		check(other);
	json_decref(other);
	json_decref(json);
	free(form);
	return 0;
}
