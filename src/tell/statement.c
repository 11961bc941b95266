/* SPDX-License-Identifier: Apache-2.0 */
/* What a statement is of, what it says, and when the law asks for one. It is made by statement_make.c. */
#include "tell/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tell/statement_inside.h"

#define HOUR_NS (3600 * NS_PER_S)
#define MONTHS 12

static const char *const kind_names[STATEMENT_KINDS] = {
	[STATEMENT_FIRST_NOTICE] = "first_notice", [STATEMENT_UPDATE] = "update",
	[STATEMENT_RESOLUTION] = "resolution",     [STATEMENT_CORRECTION] = "correction",
	[STATEMENT_POSTMORTEM] = "postmortem",     [STATEMENT_NIS2_24H] = "nis2_24h",
	[STATEMENT_NIS2_72H] = "nis2_72h",         [STATEMENT_NIS2_MONTH] = "nis2_month",
	[STATEMENT_GDPR_33] = "gdpr_33",
};

static const char *const phase_names[STATEMENT_PHASES] = { "", "identified", "monitoring" };

const char *const statement_basis_names[STATEMENT_BASES] = { "evidence", "word", "form" };
const char *const statement_audience_names[STATEMENT_AUDIENCES] = { "public", "internal" };

const char *statement_phase_name(enum statement_phase phase)
{
	return phase_names[phase];
}

bool statement_phase_find(const char *name, enum statement_phase *phase)
{
	for (unsigned i = STATEMENT_IDENTIFIED; i < STATEMENT_PHASES; i++)
		if (strcmp(name, phase_names[i]) == 0) {
			*phase = (enum statement_phase)i;
			return true;
		}
	return false;
}

const char *statement_kind_name(enum statement_kind kind)
{
	return kind_names[kind];
}

bool statement_kind_find(const char *name, enum statement_kind *kind)
{
	for (unsigned i = 0; i < STATEMENT_KINDS; i++)
		if (strcmp(kind_names[i], name) == 0) {
			*kind = (enum statement_kind)i;
			return true;
		}
	return false;
}

bool statement_kind_is_public(enum statement_kind kind)
{
	return kind < STATEMENT_NIS2_24H;
}

bool statement_has_sections(enum statement_kind kind)
{
	return kind >= STATEMENT_POSTMORTEM;
}

const json_t *statement_document(const struct statement_documents *documents, enum statement_document in)
{
	return in == STATEMENT_ANALYSIS ? documents->analysis : documents->record;
}

/* ---- telling ---- */

static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Sentences of a list stand in lines of their own. */
static bool is_list(const char *section)
{
	static const char *const lists[] = { "timeline", "numbers", "open", "law" };

	for (size_t i = 0; section && i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(lists[i], section) == 0)
			return true;
	return false;
}

enum statement_audience statement_audience_of(enum statement_kind kind)
{
	return statement_kind_is_public(kind) ? STATEMENT_PUBLIC : STATEMENT_INTERNAL;
}

bool statement_is_internal(const json_t *sentence)
{
	const char *audience = json_string_value(json_object_get(sentence, "audience"));

	return audience && strcmp(audience, statement_audience_names[STATEMENT_INTERNAL]) == 0;
}

char *statement_text(const json_t *statement, enum statement_audience audience)
{
	bool sections = statement_has_sections(statement_kind_of(statement)), any_yet = false;
	const char *section = NULL;
	char *text = NULL;
	size_t size = 0, i;
	FILE *out = open_memstream(&text, &size);
	json_t *sentence;

	if (!out)
		return NULL;
	json_array_foreach(json_object_get(statement, "sentences"), i, sentence)
	{
		const char *its = json_string_value(json_object_get(sentence, "section"));
		const char *words = json_string_value(json_object_get(sentence, "text"));

		if (audience == STATEMENT_PUBLIC && statement_is_internal(sentence))
			continue;
		if (sections && (!any_yet || !same(section, its))) {
			const char *heading = statement_heading(its, statement_language_of(statement));

			(void)fprintf(out, "%s%s%s", any_yet ? "\n\n" : "", heading, *heading ? "\n\n" : "");
		} else if (any_yet) {
			(void)fputc(sections && is_list(its) ? '\n' : ' ', out);
		}
		(void)fputs(words, out);
		section = its;
		any_yet = true;
	}
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

const char *statement_title(const json_t *statement)
{
	return json_string_value(json_object_get(statement, "title"));
}

enum statement_kind statement_kind_of(const json_t *statement)
{
	enum statement_kind kind = STATEMENT_GDPR_33;

	(void)statement_kind_find(json_string_value(json_object_get(statement, "kind")), &kind);
	return kind;
}

enum language statement_language_of(const json_t *statement)
{
	enum language language = LANGUAGE_EN;

	(void)language_find(json_string_value(json_object_get(statement, "lang")), &language);
	return language;
}

struct capture_time statement_next(const json_t *statement)
{
	struct capture_time time = { 0 };
	const char *text = json_string_value(json_object_get(statement, "next_update"));

	if (text)
		(void)time_parse(text, &time);
	return time;
}

enum statement_phase statement_phase_of(const json_t *statement)
{
	const char *name = json_string_value(json_object_get(statement, "phase"));
	enum statement_phase phase;

	return name && statement_phase_find(name, &phase) ? phase : STATEMENT_AS_BEFORE;
}

const char *statement_translates(const json_t *statement)
{
	const char *id = json_string_value(json_object_get(statement, "translates"));

	return id ? id : "";
}

bool statement_has_claims(const json_t *statement)
{
	return json_array_size(json_object_get(statement, "claims")) > 0;
}

/* ---- law ---- */

/* The same day of the next month, or the last that it has; in UTC. */
static struct capture_time month_after(struct capture_time time)
{
	static const unsigned char days[MONTHS] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct language_time at = language_time(time);
	unsigned next = at.month % MONTHS, year = at.year + (at.month == MONTHS);
	unsigned february = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	unsigned last = days[next] + (next == 1 ? february : 0);
	char text[TIME_TEXT_SIZE], changed[2 * TIME_TEXT_SIZE];
	struct capture_time due = time;

	(void)time_format(time, text);
	(void)snprintf(changed, sizeof(changed), "%04u-%02u-%02u%s", year, next + 1, at.day < last ? at.day : last,
	               text + 10); /* behind "2025-03-10" */
	(void)time_parse(changed, &due);
	return due;
}

struct capture_time statement_due(enum statement_kind kind, struct capture_time aware, struct capture_time submitted)
{
	struct capture_time due72 = time_plus(aware, 72 * HOUR_NS);

	if (kind == STATEMENT_NIS2_24H)
		return time_plus(aware, 24 * HOUR_NS);
	if (kind == STATEMENT_NIS2_72H || kind == STATEMENT_GDPR_33)
		return due72;
	if (kind == STATEMENT_NIS2_MONTH)
		return month_after(submitted.ns ? submitted : due72);
	return (struct capture_time){ 0 };
}
