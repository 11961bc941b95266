/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recompute_statements.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/bundle.h"
#include "tell/facts.h"
#include "tell/statement.h"

struct work {
	const json_t *lines;
	char *what;
};

__attribute__((format(printf, 2, 3))) static int differ(const struct work *work, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(work->what, RECOMPUTE_WHAT_SIZE, format, arguments);
	va_end(arguments);
	return -EBADMSG;
}

/* The document that a statement calls by its sum; NULL: it names none of that kind. */
static int find_document(const struct work *work, const json_t *statement, const char *name, json_t **document)
{
	const char *sum = json_string_value(json_object_get(json_object_get(statement, "sources"), name)), *text;
	char made[BUNDLE_HEX_SIZE];
	const json_t *line;
	size_t i;

	*document = NULL;
	if (!sum)
		return 0;
	json_array_foreach(work->lines, i, line)
	{
		if (strcmp(fact_text(line, "kind"), "source") != 0 || strcmp(fact_text(line, "sha256"), sum) != 0)
			continue;
		text = fact_text(line, "text");
		bundle_sum_of(text, strlen(text), made);
		if (strcmp(made, sum) != 0)
			return differ(work, "its document %s has another sum than %.16s", name, sum);
		*document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
		return *document ? 0 : differ(work, "its document %s cannot be read", name);
	}
	return differ(work, "its document %s, %.16s, is not in the bundle", name, sum);
}

/* The first mistake is told. */
static void tell_first(void *context, size_t sentence, const char *mistake)
{
	struct work *work = context;

	if (!work->what[0])
		(void)snprintf(work->what, RECOMPUTE_WHAT_SIZE, "sentence %zu: %s", sentence, mistake);
}

static int check_links(struct work *work, const json_t *statement)
{
	json_t *analysis = NULL, *record = NULL;
	struct statement_documents documents;
	int result = find_document(work, statement, "analysis.json", &analysis);

	if (result == 0)
		result = find_document(work, statement, "record.json", &record);
	documents = (struct statement_documents){ analysis, record };
	if (result == 0 && statement_check(statement, &documents, tell_first, work) > 0)
		result = -EBADMSG;
	json_decref(analysis);
	json_decref(record);
	return result;
}

/* What was published is what its public sentences say, and has the sum it was approved with. */
static int check_words(const struct work *work, const json_t *line, const json_t *statement)
{
	char *text = statement_text(statement, STATEMENT_PUBLIC), *whole = NULL, sum[BUNDLE_HEX_SIZE];
	int length, result = 0;

	if (!text)
		return -ENOMEM;
	length = asprintf(&whole, "%s\n%s", fact_text(line, "title"), fact_text(line, "text"));
	if (length < 0) {
		free(text);
		return -ENOMEM;
	}
	bundle_sum_of(whole, (size_t)length, sum);
	if (strcmp(text, fact_text(line, "text")) != 0 ||
	    strcmp(statement_title(statement), fact_text(line, "title")) != 0)
		result = differ(work, "what was published is not what its sentences say");
	else if (strcmp(sum, fact_text(line, "sha256")) != 0)
		result = differ(work, "what was published has another sum than it says");
	free(text);
	free(whole);
	return result;
}

static int check_statement(struct work *work, const json_t *line, unsigned *sentences)
{
	const json_t *statement = json_object_get(line, "statement");
	char error[STATEMENT_ERROR_SIZE];
	int result;

	if (statement_read(statement, error) != 0)
		return differ(work, "it is no statement: %s", error);
	result = check_words(work, line, statement);
	if (result == 0)
		result = check_links(work, statement);
	if (result == 0)
		*sentences += (unsigned)json_array_size(json_object_get(statement, "sentences"));
	return result;
}

int recompute_statements(const json_t *lines, unsigned *sentences, size_t *line, char what[RECOMPUTE_WHAT_SIZE])
{
	struct work work = { .lines = lines, .what = what };
	const json_t *one;
	int result = 0;
	size_t i;

	*sentences = 0;
	what[0] = '\0';
	json_array_foreach(lines, i, one)
	{
		const char *kind = fact_text(one, "kind");

		*line = i + 1;
		if (strcmp(kind, "statement") == 0)
			result = check_statement(&work, one, sentences);
		else if (strcmp(kind, "source") != 0)
			result = differ(&work, "is of no kind that is known");
		if (result != 0)
			return result;
	}
	return 0;
}
