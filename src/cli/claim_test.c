/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast claim test: of claims on record, where each test is added to it, or of what is asked now, where nothing is
 * recorded.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/claim_inside.h"
#include "cli/claim_page.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "detect/incident_id.h"
#include "tell/facts.h"

#define PREDICATES_MAX 65536 /* of a file */
#define LINE_SIZE 2048

static int read_seed(const struct claim_options *options, const struct claim_source *source, uint64_t *seed)
{
	char *end = NULL;

	*seed = source->incident;
	if (!options->seed)
		return COMMAND_DONE;
	errno = 0;
	*seed = strtoull(options->seed, &end, CLAIM_HEX);
	if (errno || end == options->seed || *end || options->seed[0] == '-')
		return claim_refuse("--seed wants hexadecimal digits");
	return COMMAND_DONE;
}

/* A verdict as JSON, new; NULL: said. */
static json_t *test(const struct predicate *predicate, const struct claim_source *source,
                    const struct claim_facts *facts, uint64_t seed)
{
	struct claim_result *result = calloc(1, sizeof(*result));
	json_t *json = NULL;

	if (result && claim_test(predicate, &source->trace, &facts->context, seed, result) == 0)
		json = claim_json(predicate, &facts->context, seed, result);
	free(result);
	if (!json)
		say_error("claim", "out of memory; free some");
	return json;
}

static int print_verdicts(const struct claim_options *options, json_t *verdicts)
{
	if (options->json)
		return order_print_json(CLAIM_VERDICTS_SCHEMA, json_pack("{so}", "verdicts", verdicts));
	json_decref(verdicts);
	return output_finish();
}

/* ---- on record ---- */

/* Tests one that is on record, records that, and appends the verdict to `verdicts`, or prints it where that is NULL. */
static int test_kept(const struct claim_options *options, struct books *books, const struct ledger_claim *claim,
                     struct claim_facts *facts, json_t *verdicts)
{
	struct ledger_rollup rollup = { .incident = claim->incident };
	struct ledger_verdict verdict = { .json = "" };
	struct record_error error = { .message = "" };
	struct claim_source source = { .has_trace = false };
	struct paper paper = screen_paper(0, false);
	struct predicate *predicate;
	char *trace_text = NULL, *text = NULL;
	json_t *json = NULL;
	int result = -ENOMEM, status;

	predicate = claim_parse(claim->predicate, &status);
	if (!predicate)
		return status;
	status = claim_source_load(options, books, claim->incident, &source);
	if (status == COMMAND_DONE)
		status = claim_source_facts(options, books, &source, facts);
	if (status == COMMAND_DONE)
		status = read_seed(options, &source, &verdict.seed);
	if (status != COMMAND_DONE)
		goto done;
	json = test(predicate, &source, facts, verdict.seed);
	trace_text = json_dumps(source.json, JSON_COMPACT);
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	status = COMMAND_BAD;
	if (!text || !trace_text)
		goto done;
	rollup.made_ns = source.trace.made_ns;
	rollup.trace = trace_text;
	result = ledger_rollup_add(books->ledger, &rollup, verdict.trace_sha256, &error);
	if (result == 0) {
		(void)snprintf(verdict.claim, sizeof(verdict.claim), "%s", claim->id);
		verdict.at_ns = books_now();
		verdict.verdict = fact_text(json, "verdict");
		verdict.json = text;
		result = ledger_verdict_add(books->ledger, &verdict, &error);
	}
	if (result != 0) {
		status = books_refuse(books, result, &error);
		goto done;
	}
	status = COMMAND_DONE;
	if (verdicts) {
		(void)json_object_set_new(json, "claim", json_string(claim->id));
		(void)json_object_set_new(json, "trace_sha256", json_string(verdict.trace_sha256));
		(void)json_array_append(verdicts, json);
	} else {
		claim_page_claim(&paper, claim);
		(void)fputc('\n', paper.out);
		claim_page_verdict(&paper, json);
		(void)fputc('\n', paper.out);
	}
done:
	json_decref(json);
	free(text);
	free(trace_text);
	claim_source_end(&source);
	predicate_free(predicate);
	return status;
}

static int test_recorded(const struct claim_options *options)
{
	struct claim_facts *facts = malloc(sizeof(*facts));
	json_t *verdicts = json_array();
	const char *name = options->name;
	char id[INCIDENT_ID_SIZE];
	struct claim_shelf shelf = { .count = 0 };
	struct books books;
	int status;

	if (!name) {
		status = claim_refuse("nothing to test: a claim's ID, an incident's, or --predicate");
	} else if (!facts || !verdicts) {
		say_error("claim", "out of memory; free some");
		status = COMMAND_BAD;
	} else {
		status = claim_resolve(options, &name, id);
	}
	if (status == COMMAND_DONE)
		status = books_open(&books, "claim", options->config, options->record, true);
	if (status != COMMAND_DONE) {
		json_decref(verdicts);
		free(facts);
		return status;
	}
	status = claim_shelf_find(&books, name, &shelf);
	if (status == COMMAND_DONE && shelf.count == 0) {
		say_error("claim",
		          "there is no claim %.60s, nor one about such an incident; 'holdfast claim list' lists them",
		          options->name);
		status = COMMAND_BAD;
	}
	for (size_t i = 0; i < shelf.count && status == COMMAND_DONE; i++)
		status = test_kept(options, &books, &shelf.claims[i].claim, facts, options->json ? verdicts : NULL);
	claim_shelf_free(&shelf);
	books_close(&books);
	free(facts);
	if (status == COMMAND_DONE)
		return print_verdicts(options, verdicts);
	json_decref(verdicts);
	return status;
}

/* ---- asked now ---- */

static int test_text(const struct claim_options *options, const char *text, const struct claim_source *source,
                     const struct claim_facts *facts, json_t *verdicts)
{
	struct paper paper = screen_paper(0, false);
	struct predicate *predicate;
	struct draft d = { .length = 0 };
	uint64_t seed;
	json_t *json;
	int status = read_seed(options, source, &seed);

	if (status != COMMAND_DONE)
		return status;
	predicate = claim_parse(text, &status);
	if (!predicate)
		return status;
	json = test(predicate, source, facts, seed);
	if (json && options->json) {
		(void)json_array_append(verdicts, json);
	} else if (json) {
		draft_add(&d, "tested: %s   on incident %016" PRIx64, predicate_text(predicate), source->incident);
		paper_text(&paper, 0, 4, d.text);
		(void)fputc('\n', paper.out);
		claim_page_verdict(&paper, json);
		(void)fputc('\n', paper.out);
	}
	json_decref(json);
	predicate_free(predicate);
	return json ? COMMAND_DONE : COMMAND_BAD;
}

static int test_lines(const struct claim_options *options, const struct claim_source *source,
                      const struct claim_facts *facts, json_t *verdicts)
{
	bool standard = strcmp(options->predicates, "-") == 0;
	FILE *in = standard ? stdin : fopen(options->predicates, "re");
	char line[LINE_SIZE];
	int status = COMMAND_DONE;

	if (!in) {
		say_error(options->predicates, "cannot be read: %s", strerror(errno));
		return COMMAND_BAD;
	}
	for (unsigned i = 0; status == COMMAND_DONE && fgets(line, sizeof(line), in); i++) {
		line[strcspn(line, "\n")] = '\0';
		if (i == PREDICATES_MAX) {
			say_error(say_input(options->predicates), "more than %d lines", PREDICATES_MAX);
			status = COMMAND_BAD;
		} else if (line[0] && line[0] != '#') {
			status = test_text(options, line, source, facts, verdicts);
		}
	}
	if (status == COMMAND_DONE && ferror(in)) {
		say_error(say_input(options->predicates), "cannot be read: %s", strerror(errno));
		status = COMMAND_BAD;
	}
	if (!standard)
		(void)fclose(in);
	return status;
}

/* Of what is asked now: nothing is recorded. */
static int test_asked(const struct claim_options *options)
{
	struct claim_facts *facts = malloc(sizeof(*facts));
	struct claim_source source = { .has_trace = false };
	json_t *verdicts = json_array();
	int status;

	if (!facts || !verdicts) {
		say_error("claim", "out of memory; free some");
		status = COMMAND_BAD;
	} else if (options->report) {
		status = claim_source_read(options->report, options->name, &source);
	} else if (!options->name) {
		status = claim_refuse("an incident's ID, or --report FILE, says on what to test it");
	} else {
		status = claim_source_find(options, options->name, &source);
	}
	if (status == COMMAND_DONE)
		status = claim_source_facts(options, NULL, &source, facts);
	if (status == COMMAND_DONE)
		status = options->predicates ? test_lines(options, &source, facts, verdicts)
		                             : test_text(options, options->predicate, &source, facts, verdicts);
	claim_source_end(&source);
	free(facts);
	if (status == COMMAND_DONE)
		return print_verdicts(options, verdicts);
	json_decref(verdicts);
	return status;
}

int claim_test_command(const struct claim_options *options)
{
	return options->predicate || options->predicates ? test_asked(options) : test_recorded(options);
}
