/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drafting walks the table: of each template that is of this kind, its conditions are looked up, then the facts in its
 * text. What was looked up becomes the sentence's links. A fact that is not there leaves the sentence out, which is
 * noted.
 */
#include "tell/statement.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tell/build.h"
#include "tell/statement_inside.h"

#define ID_LENGTH 16
#define SHA256_LENGTH 64
#define HOUR_NS (3600 * NS_PER_S)
#define CLAIMS_MAX 16
#define MONTHS 12

static const char *const kind_names[STATEMENT_KINDS] = {
	[STATEMENT_FIRST_NOTICE] = "first_notice", [STATEMENT_UPDATE] = "update",
	[STATEMENT_RESOLUTION] = "resolution",     [STATEMENT_CORRECTION] = "correction",
	[STATEMENT_POSTMORTEM] = "postmortem",     [STATEMENT_NIS2_24H] = "nis2_24h",
	[STATEMENT_NIS2_72H] = "nis2_72h",         [STATEMENT_NIS2_MONTH] = "nis2_month",
	[STATEMENT_GDPR_33] = "gdpr_33",
};

static const char *const phase_names[STATEMENT_PHASES] = { "", "identified", "monitoring" };

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

/* Whether its text is in sections with headings. */
static bool has_sections(enum statement_kind kind)
{
	return kind >= STATEMENT_POSTMORTEM;
}

/* ---- drafting ---- */

struct drafting {
	const struct statement_request *request;
	struct build build;
	size_t incident; /* its place in the analysis */
	json_t *sentences, *left_out;
	/* of the sentence that is being made */
	const struct statement_template *template;
	size_t item;
	json_t *links;
	const char *lacking; /* the fact that is not there */
	const char *why;
};

/* The path of a fact, its places filled in. False: it does not fit. */
static bool place_path(const struct drafting *d, const char *at, char path[STATEMENT_PATH_MAX + 1])
{
	size_t length = 0;

	for (; *at; at++) {
		int added = *at == '@'   ? snprintf(path + length, STATEMENT_PATH_MAX - length, "%zu", d->incident)
		            : *at == '#' ? snprintf(path + length, STATEMENT_PATH_MAX - length, "%zu", d->item)
		                         : snprintf(path + length, STATEMENT_PATH_MAX - length, "%c", *at);

		if (added < 0 || (size_t)added >= STATEMENT_PATH_MAX - length)
			return false;
		length += (size_t)added;
	}
	return true;
}

static const json_t *document_of(const struct statement_documents *documents, enum statement_document in)
{
	return in == STATEMENT_ANALYSIS ? documents->analysis : documents->record;
}

static json_t *link_of(const json_t *links, const char *name)
{
	json_t *link;
	size_t i;

	json_array_foreach(links, i, link)
	{
		if (strcmp(json_string_value(json_object_get(link, "fact")), name) == 0)
			return link;
	}
	return NULL;
}

/* Looks a fact up and adds a link to it, once. What is not there is null. NULL: memory, or no such fact. */
static json_t *look_up(struct drafting *d, const char *name, size_t length)
{
	const struct statement_fact *fact = statement_fact_find(name, length);
	char path[STATEMENT_PATH_MAX + 1];
	json_t *link, *value;

	if (!fact || !place_path(d, fact->at, path))
		return NULL;
	link = link_of(d->links, fact->name);
	if (link)
		return json_object_get(link, "value");
	value = statement_resolve(document_of(&d->request->documents, fact->in), path, fact->is);
	if (!value)
		value = json_null();
	link = json_pack("{ss ss ss ss so}", "fact", fact->name, "in", statement_document_names[fact->in], "at", path,
	                 "is", statement_is_names[fact->is], "value", value);
	build_append(&d->build, d->links, link);
	return link ? json_object_get(link, "value") : NULL;
}

static bool equals(const json_t *value, const char *wanted)
{
	const char *text = json_is_boolean(value) ? json_is_true(value) ? "true" : "false" : json_string_value(value);

	return text ? strcmp(text, wanted) == 0
	            : json_is_number(value) && json_number_value(value) == strtod(wanted, NULL);
}

static bool holds(const struct statement_when *when, const json_t *value)
{
	if (json_is_null(value) || !when->value)
		return when->op == STATEMENT_IS_NOTHING && json_is_null(value);
	switch (when->op) {
	case STATEMENT_IS:
		return equals(value, when->value);
	case STATEMENT_IS_NOT:
		return !equals(value, when->value);
	case STATEMENT_OVER:
		return json_is_number(value) && json_number_value(value) > strtod(when->value, NULL);
	case STATEMENT_IS_NOTHING:
		break;
	}
	return false;
}

/* False: it is not to be said; where `lacking` is set, for want of that fact. */
static bool applies(struct drafting *d)
{
	for (unsigned i = 0; i < STATEMENT_WHENS_MAX && d->template->when[i].fact; i++) {
		const struct statement_when *when = &d->template->when[i];
		const struct statement_fact *fact = statement_fact_find(when->fact, strlen(when->fact));
		const json_t *value = look_up(d, when->fact, strlen(when->fact));

		if (!value || !fact)
			return false;
		if (holds(when, value))
			continue;
		/* Of an item of a list, what is not there is no lack: another template tells it. */
		if (json_is_null(value) && when->op != STATEMENT_IS_NOTHING && !strchr(fact->at, '#')) {
			d->lacking = fact->name;
			d->why = fact->lacking;
		}
		return false;
	}
	return true;
}

static bool need(void *context, const char *name, size_t length)
{
	struct drafting *d = context;
	const json_t *value = look_up(d, name, length);
	const struct statement_fact *fact = statement_fact_find(name, length);

	if (value && !json_is_null(value))
		return true;
	if (fact) {
		d->lacking = fact->name;
		d->why = fact->lacking;
	}
	return false;
}

static void note_left_out(struct drafting *d)
{
	json_t *one;
	size_t i;

	if (!d->lacking || !d->why || json_array_size(d->left_out) >= STATEMENT_LEFT_OUT_MAX)
		return;
	json_array_foreach(d->left_out, i, one)
	{
		if (strcmp(json_string_value(json_object_get(one, "template")), d->template->name) == 0)
			return;
	}
	build_append(&d->build, d->left_out,
	             json_pack("{ss ss ss}", "template", d->template->name, "fact", d->lacking, "why", d->why));
}

static void make_sentence(struct drafting *d)
{
	const struct statement_template *t = d->template;
	const char *pattern = t->text[d->request->language];
	char *text = NULL;

	d->links = json_array();
	d->lacking = NULL;
	if (d->links && applies(d) && statement_pattern_facts(pattern, need, d)) {
		text = statement_fill(pattern, d->links, d->request->language);
		d->lacking = "";
		d->why = text ? "it is too long, or there is no room for another sentence"
		              : "what is on record of it is not as it is told";
	}
	if (text && json_array_size(d->sentences) < STATEMENT_SENTENCES_MAX && strlen(text) <= STATEMENT_TEXT_MAX) {
		build_append(&d->build, d->sentences,
		             json_pack("{ss ss? ss ss ss? ss ss sO}", "template", t->name, "section", t->section,
		                       "audience", t->internal ? "internal" : "public", "basis",
		                       statement_basis_names[t->basis], "by",
		                       t->basis == STATEMENT_WORD ? d->request->by : NULL, "text", text, "pattern",
		                       pattern, "evidence", d->links));
	} else {
		note_left_out(d);
	}
	free(text);
	json_decref(d->links);
	d->links = NULL;
}

/* The first fact of the template that is of an item of a list, or NULL. */
static bool find_item(void *context, const char *name, size_t length)
{
	const struct statement_fact **found = context, *fact = statement_fact_find(name, length);

	if (fact && strchr(fact->at, '#') && !*found)
		*found = fact;
	return true;
}

static void make_sentences(struct drafting *d)
{
	const struct statement_fact *item = NULL;
	char list[STATEMENT_PATH_MAX + 1], path[STATEMENT_PATH_MAX + 1];
	json_t *count;

	d->item = 0;
	if (!statement_pattern_facts(d->template->text[0], find_item, &item) || !item) {
		make_sentence(d);
		return;
	}
	/* The list is what stands before the item. */
	(void)snprintf(list, sizeof(list), "%.*s", (int)(strchr(item->at, '#') - item->at - 1), item->at);
	if (!place_path(d, list, path))
		return;
	count = statement_resolve(document_of(&d->request->documents, item->in), path, STATEMENT_COUNT);
	for (d->item = 0; count && d->item < STATEMENT_EACH_MAX && (json_int_t)d->item < json_integer_value(count);
	     d->item++)
		make_sentence(d);
	if (count && json_integer_value(count) > STATEMENT_EACH_MAX) {
		d->lacking = item->name;
		d->why = "there are more of these than are told";
		note_left_out(d);
	}
	json_decref(count);
}

/* ---- order ---- */

struct place {
	unsigned section;
	struct capture_time time;
	json_t *sentence;
};

static bool first_fact(void *context, const char *name, size_t length)
{
	char *fact = context;

	if (!*fact)
		(void)snprintf(fact, STATEMENT_NAME_MAX + 1, "%.*s", (int)length, name);
	return true;
}

static struct place place_of(json_t *sentence)
{
	struct place place = { .sentence = sentence };
	char fact[STATEMENT_NAME_MAX + 1] = "";
	const char *name = json_string_value(json_object_get(sentence, "template")), *time;

	place.section = statement_section(json_string_value(json_object_get(sentence, "section")));
	for (size_t i = 0; i < statement_templates_count; i++)
		if (statement_templates[i].by_time && strcmp(statement_templates[i].name, name) == 0 &&
		    statement_pattern_facts(statement_templates[i].text[0], first_fact, fact)) {
			time = json_string_value(
				json_object_get(link_of(json_object_get(sentence, "evidence"), fact), "value"));
			if (time)
				(void)time_parse(time, &place.time);
		}
	return place;
}

static bool before(const struct place *a, const struct place *b)
{
	return a->section != b->section ? a->section < b->section : a->time.ns < b->time.ns;
}

/* By section, and within one by time where its templates say so; else as the table has them. */
static json_t *in_order(struct build *b, const json_t *sentences)
{
	size_t count = json_array_size(sentences);
	struct place *places = calloc(count + 1, sizeof(*places));
	json_t *ordered = json_array();

	for (size_t i = 0; places && i < count; i++) {
		struct place place = place_of(json_array_get(sentences, i));
		size_t at = i;

		for (; at > 0 && before(&place, &places[at - 1]); at--)
			places[at] = places[at - 1];
		places[at] = place;
	}
	for (size_t i = 0; places && i < count; i++)
		build_append(b, ordered, json_incref(places[i].sentence));
	b->failed = b->failed || !places;
	free(places);
	return ordered;
}

/* ---- the whole ---- */

static bool find_incident(const struct statement_request *r, size_t *place)
{
	json_t *incident;
	size_t i;

	*place = 0;
	if (!*r->incident)
		return true;
	json_array_foreach(json_object_get(r->documents.analysis, "incidents"), i, incident)
	{
		const char *id = json_string_value(json_object_get(incident, "id"));

		if (id && strcmp(id, r->incident) == 0) {
			*place = i;
			return true;
		}
	}
	return false;
}

static json_t *time_or_null(struct capture_time time)
{
	char text[TIME_TEXT_SIZE];

	return time.ns ? json_string(time_format(time, text)) : json_null();
}

static json_t *title_json(const struct statement_request *r)
{
	static const char *const colons[LANGUAGES] = { ": ", "\xc2\xa0: " };
	char title[STATEMENT_TITLE_MAX + 1];
	int length = snprintf(title, sizeof(title), "%s%s%s", statement_title_of(r->kind, r->language),
	                      *r->component ? colons[r->language] : "", r->component);

	/* A component whose name is that long stands in the sentences. */
	return json_string(length < (int)sizeof(title) ? title : statement_title_of(r->kind, r->language));
}

static json_t *claims_json(struct build *b, const json_t *record)
{
	json_t *claims = json_array(), *claim;
	size_t i;

	json_array_foreach(json_object_get(record, "claims"), i, claim)
	{
		const char *id = json_string_value(json_object_get(claim, "id"));

		if (i < CLAIMS_MAX && id)
			build_append(b, claims, json_string(id));
	}
	return claims;
}

static bool may_be_asked(const struct statement_request *r)
{
	size_t id = strlen(r->incident);

	return (id == 0 || (id == ID_LENGTH && strspn(r->incident, "0123456789abcdef") == id)) &&
	       (!*r->component || statement_is_text(r->component, STATEMENT_NAME_MAX)) &&
	       (!r->component_id || !*r->component_id || statement_is_text(r->component_id, STATEMENT_NAME_MAX)) &&
	       statement_is_text(r->by, STATEMENT_NAME_MAX);
}

int statement_draft(const struct statement_request *r, json_t **statement)
{
	struct drafting d = { .request = r, .sentences = json_array(), .left_out = json_array() };
	struct build *b = &d.build;
	const char *component = r->component_id && *r->component_id ? r->component_id : r->component;
	json_t *root = json_object(), *sources = json_object(), *ordered;

	if (!may_be_asked(r) || !find_incident(r, &d.incident)) {
		json_decref(root);
		json_decref(sources);
		json_decref(d.sentences);
		json_decref(d.left_out);
		return -EINVAL;
	}
	for (size_t i = 0; i < statement_templates_count; i++) {
		d.template = &statement_templates[i];
		if (d.template->kinds & 1u << r->kind)
			make_sentences(&d);
	}
	ordered = has_sections(r->kind) ? in_order(b, d.sentences) : json_incref(d.sentences);
	if (*r->analysis_sha256)
		build_set(b, sources, statement_document_names[STATEMENT_ANALYSIS], json_string(r->analysis_sha256));
	if (*r->record_sha256)
		build_set(b, sources, statement_document_names[STATEMENT_RECORD], json_string(r->record_sha256));
	build_set(b, root, "schema", json_string(STATEMENT_SCHEMA));
	build_set(b, root, "kind", json_string(statement_kind_name(r->kind)));
	build_set(b, root, "lang", json_string(language_code(r->language)));
	build_set(b, root, "incident", *r->incident ? json_string(r->incident) : json_null());
	build_set(b, root, "component", *component ? json_string(component) : json_null());
	build_set(b, root, "made", time_or_null(r->now));
	build_set(b, root, "made_by", json_string(r->by));
	build_set(b, root, "next_update", time_or_null(r->next));
	build_set(b, root, "corrects", *r->corrects ? json_string(r->corrects) : json_null());
	if (r->phase != STATEMENT_AS_BEFORE)
		build_set(b, root, "phase", json_string(statement_phase_name(r->phase)));
	if (r->translates && *r->translates)
		build_set(b, root, "translates", json_string(r->translates));
	build_set(b, root, "claims", claims_json(b, r->documents.record));
	build_set(b, root, "title", title_json(r));
	build_set(b, root, "sources", sources);
	build_set(b, root, "sentences", ordered);
	build_set(b, root, "left_out", d.left_out);
	json_decref(d.sentences);
	if (b->failed) {
		json_decref(root);
		return -ENOMEM;
	}
	*statement = root;
	return 0;
}

/* ---- reading ---- */

__attribute__((format(printf, 2, 3))) static int wrong(char error[STATEMENT_ERROR_SIZE], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(error, STATEMENT_ERROR_SIZE, format, arguments);
	va_end(arguments);
	return -EBADMSG;
}

static bool one_of(const json_t *value, const char *const *words, size_t count, size_t *which)
{
	const char *text = json_string_value(value);

	for (size_t i = 0; text && i < count; i++)
		if (strcmp(words[i], text) == 0) {
			*which = i;
			return true;
		}
	return false;
}

static bool text_or_null(const json_t *value, size_t max)
{
	return json_is_null(value) || statement_is_text(json_string_value(value), max);
}

static bool time_or_none(const json_t *value)
{
	struct capture_time time;

	return json_is_null(value) || (json_is_string(value) && time_parse(json_string_value(value), &time) == 0);
}

static bool good_link(const json_t *link)
{
	const char *at = json_string_value(json_object_get(link, "at"));
	const json_t *value = json_object_get(link, "value");
	size_t which;

	return json_object_size(link) == 5 &&
	       statement_is_text(json_string_value(json_object_get(link, "fact")), STATEMENT_NAME_MAX) &&
	       one_of(json_object_get(link, "in"), statement_document_names, STATEMENT_DOCUMENTS, &which) &&
	       one_of(json_object_get(link, "is"), statement_is_names, STATEMENT_ISES, &which) &&
	       statement_is_text(at, STATEMENT_PATH_MAX) && at[0] == '/' && value && !json_is_object(value) &&
	       !json_is_array(value);
}

static bool any(void *context, const char *name, size_t length)
{
	(void)context;
	(void)name;
	(void)length;
	return true;
}

static int read_sentence(const json_t *sentence, size_t number, char error[STATEMENT_ERROR_SIZE])
{
	static const char *const audiences[] = { "public", "internal" };
	const json_t *evidence = json_object_get(sentence, "evidence"), *by = json_object_get(sentence, "by");
	const json_t *pattern = json_object_get(sentence, "pattern"), *template = json_object_get(sentence, "template");
	json_t *link;
	size_t i, which, basis;

	if (json_object_size(sentence) != 8 || !text_or_null(template, STATEMENT_NAME_MAX) ||
	    !text_or_null(json_object_get(sentence, "section"), STATEMENT_NAME_MAX) ||
	    !one_of(json_object_get(sentence, "audience"), audiences, 2, &which) ||
	    !one_of(json_object_get(sentence, "basis"), statement_basis_names, STATEMENT_BASES, &basis) ||
	    !text_or_null(by, STATEMENT_NAME_MAX))
		return wrong(error, "sentence %zu is not made as sentences are", number);
	if (!statement_is_text(json_string_value(json_object_get(sentence, "text")), STATEMENT_TEXT_MAX))
		return wrong(error, "sentence %zu has no text that can be shown, or more than %d octets", number,
		             STATEMENT_TEXT_MAX);
	if (!json_is_array(evidence) || json_array_size(evidence) > STATEMENT_LINKS_MAX)
		return wrong(error, "sentence %zu has no list of links, or more than %d", number, STATEMENT_LINKS_MAX);
	json_array_foreach(evidence, i, link)
	{
		if (!good_link(link))
			return wrong(error, "link %zu of sentence %zu is none", i + 1, number);
	}
	if (!json_is_null(pattern) &&
	    (!json_is_string(pattern) || strlen(json_string_value(pattern)) > STATEMENT_TEXT_MAX ||
	     !statement_pattern_facts(json_string_value(pattern), any, NULL)))
		return wrong(error, "the pattern of sentence %zu is none", number);
	if (json_is_null(pattern) != json_is_null(template))
		return wrong(error, "sentence %zu has a pattern or a template, and not both", number);
	if (basis == STATEMENT_EVIDENCE && (json_array_size(evidence) == 0 || json_is_null(pattern)))
		return wrong(error, "sentence %zu is told of evidence, and has none", number);
	if ((basis == STATEMENT_WORD) == json_is_null(by))
		return wrong(error, "sentence %zu does not say whose word it is", number);
	return basis != STATEMENT_FORM || !json_is_null(pattern)
	               ? 0
	               : wrong(error, "sentence %zu is a form without a pattern", number);
}

static bool good_claims(const json_t *claims)
{
	json_t *claim;
	size_t i;

	json_array_foreach(claims, i, claim)
	{
		if (!statement_is_text(json_string_value(claim), STATEMENT_NAME_MAX))
			return false;
	}
	return json_is_array(claims) && json_array_size(claims) <= CLAIMS_MAX;
}

static bool good_sources(json_t *sources)
{
	const char *name;
	json_t *value;

	json_object_foreach(sources, name, value)
	{
		const char *sum = json_string_value(value);
		bool known = false;

		for (unsigned i = 0; i < STATEMENT_DOCUMENTS; i++)
			known = known || strcmp(name, statement_document_names[i]) == 0;
		if (!known || !sum || strlen(sum) != SHA256_LENGTH || strspn(sum, "0123456789abcdef") != SHA256_LENGTH)
			return false;
	}
	return json_is_object(sources);
}

static bool good_left_out(const json_t *left_out)
{
	json_t *one;
	size_t i;

	json_array_foreach(left_out, i, one)
	{
		if (json_object_size(one) != 3 ||
		    !statement_is_text(json_string_value(json_object_get(one, "template")), STATEMENT_NAME_MAX) ||
		    !json_is_string(json_object_get(one, "fact")) ||
		    !statement_is_text(json_string_value(json_object_get(one, "why")), STATEMENT_TEXT_MAX))
			return false;
	}
	return json_is_array(left_out) && json_array_size(left_out) <= STATEMENT_LEFT_OUT_MAX;
}

#define HEAD_MEMBERS 14

/* Members that are there only where they say something; how many there are. */
static bool good_extras(const json_t *json, size_t *count)
{
	const json_t *phase = json_object_get(json, "phase"), *translates = json_object_get(json, "translates");
	enum statement_phase which;

	*count = (phase ? 1u : 0u) + (translates ? 1u : 0u);
	return (!phase || (json_is_string(phase) && statement_phase_find(json_string_value(phase), &which))) &&
	       (!translates || statement_is_text(json_string_value(translates), STATEMENT_NAME_MAX));
}

static bool good_head(const json_t *json)
{
	const char *incident = json_string_value(json_object_get(json, "incident"));
	const char *lang = json_string_value(json_object_get(json, "lang"));
	enum language language;
	size_t which, extras;

	return good_extras(json, &extras) && json_object_size(json) == HEAD_MEMBERS + extras &&
	       one_of(json_object_get(json, "kind"), kind_names, STATEMENT_KINDS, &which) && lang &&
	       language_find(lang, &language) &&
	       (json_is_null(json_object_get(json, "incident")) ||
	        (incident && strlen(incident) == ID_LENGTH && strspn(incident, "0123456789abcdef") == ID_LENGTH)) &&
	       text_or_null(json_object_get(json, "component"), STATEMENT_NAME_MAX) &&
	       json_is_string(json_object_get(json, "made")) && time_or_none(json_object_get(json, "made")) &&
	       statement_is_text(json_string_value(json_object_get(json, "made_by")), STATEMENT_NAME_MAX) &&
	       time_or_none(json_object_get(json, "next_update")) &&
	       text_or_null(json_object_get(json, "corrects"), STATEMENT_NAME_MAX) &&
	       good_claims(json_object_get(json, "claims")) &&
	       statement_is_text(json_string_value(json_object_get(json, "title")), STATEMENT_TITLE_MAX) &&
	       good_sources(json_object_get(json, "sources")) && good_left_out(json_object_get(json, "left_out"));
}

int statement_read(const json_t *json, char error[STATEMENT_ERROR_SIZE])
{
	const char *schema = json_string_value(json_object_get(json, "schema"));
	const json_t *sentences = json_object_get(json, "sentences");
	json_t *sentence;
	size_t i;
	int result;

	if (!schema || strcmp(schema, STATEMENT_SCHEMA) != 0)
		return wrong(error, "it is no " STATEMENT_SCHEMA);
	if (!good_head(json))
		return wrong(error, "what stands before its sentences is not as in " STATEMENT_SCHEMA);
	if (!json_is_array(sentences) || json_array_size(sentences) > STATEMENT_SENTENCES_MAX)
		return wrong(error, "it has no list of sentences, or more than %d", STATEMENT_SENTENCES_MAX);
	json_array_foreach(sentences, i, sentence)
	{
		result = read_sentence(sentence, i + 1, error);
		if (result != 0)
			return result;
	}
	return 0;
}

/* ---- checking ---- */

struct checking {
	void (*tell)(void *context, size_t sentence, const char *mistake);
	void *context;
	size_t sentence;
	unsigned mistakes;
};

__attribute__((format(printf, 2, 3))) static void mistake(struct checking *c, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	c->mistakes++;
	if (c->tell)
		c->tell(c->context, c->sentence, text);
}

static void check_link(struct checking *c, const json_t *link, const struct statement_documents *documents)
{
	size_t in = 0, is = 0;
	const char *at = json_string_value(json_object_get(link, "at"));
	const json_t *value = json_object_get(link, "value");
	json_t *found;
	char *says;

	(void)one_of(json_object_get(link, "in"), statement_document_names, STATEMENT_DOCUMENTS, &in);
	(void)one_of(json_object_get(link, "is"), statement_is_names, STATEMENT_ISES, &is);
	found = statement_resolve(document_of(documents, (enum statement_document)in), at, (enum statement_is)is);
	if (found ? json_equal(found, value) : json_is_null(value)) {
		json_decref(found);
		return;
	}
	says = found ? json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
	if (says)
		mistake(c, "%s of %s, of %s, is %.80s", statement_is_names[is], at, statement_document_names[in], says);
	else
		mistake(c, "there is nothing at %s of %s", at, statement_document_names[in]);
	free(says);
	json_decref(found);
}

static void check_text(struct checking *c, const json_t *sentence, enum language language)
{
	const char *pattern = json_string_value(json_object_get(sentence, "pattern"));
	char *text;

	if (!pattern)
		return;
	text = statement_fill(pattern, json_object_get(sentence, "evidence"), language);
	if (!text || strcmp(text, json_string_value(json_object_get(sentence, "text"))) != 0)
		mistake(c, "its links make another text of it");
	free(text);
}

unsigned statement_check(const json_t *statement, const struct statement_documents *documents,
                         void (*tell)(void *context, size_t sentence, const char *mistake), void *context)
{
	struct checking c = { .tell = tell, .context = context };
	json_t *sentence, *link;
	size_t i, k;

	json_array_foreach(json_object_get(statement, "sentences"), i, sentence)
	{
		c.sentence = i + 1;
		json_array_foreach(json_object_get(sentence, "evidence"), k, link)
		{
			check_link(&c, link, documents);
		}
		check_text(&c, sentence, statement_language_of(statement));
	}
	return c.mistakes;
}

size_t statement_links(const json_t *statement)
{
	json_t *sentence;
	size_t i, count = 0;

	json_array_foreach(json_object_get(statement, "sentences"), i, sentence)
	{
		count += json_array_size(json_object_get(sentence, "evidence"));
	}
	return count;
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

char *statement_text(const json_t *statement, bool internal)
{
	bool sections = has_sections(statement_kind_of(statement)), any_yet = false;
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

		if (!internal && strcmp(json_string_value(json_object_get(sentence, "audience")), "public") != 0)
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
