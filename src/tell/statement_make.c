/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drafting walks the table: of each template that is of this kind, its conditions are looked up, then the facts in its
 * text. What was looked up becomes the sentence's links. A fact that is not there leaves the sentence out, which is
 * noted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tell/build.h"
#include "tell/statement_inside.h"

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
	value = statement_resolve(statement_document(&d->request->documents, fact->in), path, fact->is);
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
		d->why = "it is too long, or there is no room for another sentence";
		if (!text)
			d->why = "what is on record of it is not as it is told";
	}
	if (text && json_array_size(d->sentences) < STATEMENT_SENTENCES_MAX && strlen(text) <= STATEMENT_TEXT_MAX) {
		build_append(&d->build, d->sentences,
		             json_pack("{ss ss? ss ss ss? ss ss sO}", "template", t->name, "section", t->section,
		                       "audience",
		                       statement_audience_names[t->internal ? STATEMENT_INTERNAL : STATEMENT_PUBLIC],
		                       "basis", statement_basis_names[t->basis], "by",
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
	count = statement_resolve(statement_document(&d->request->documents, item->in), path, STATEMENT_COUNT);
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

		if (i < STATEMENT_CLAIMS_MAX && id)
			build_append(b, claims, json_string(id));
	}
	return claims;
}

static bool may_be_asked(const struct statement_request *r)
{
	size_t id = strlen(r->incident);

	return (id == 0 || (id == STATEMENT_ID_LENGTH && strspn(r->incident, "0123456789abcdef") == id)) &&
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
	ordered = statement_has_sections(r->kind) ? in_order(b, d.sentences) : json_incref(d.sentences);
	if (*r->analysis_sha256)
		build_set(b, sources, statement_document_names[STATEMENT_ANALYSIS], json_string(r->analysis_sha256));
	if (*r->record_sha256)
		build_set(b, sources, statement_document_names[STATEMENT_RECORD], json_string(r->record_sha256));
	build_set(b, root, "schema", json_string(STATEMENT_SCHEMA));
	build_set(b, root, "kind", json_string(statement_kind_name(r->kind)));
	build_set(b, root, "lang", json_string(language_code(r->language)));
	build_set(b, root, "incident", *r->incident ? json_string(r->incident) : json_null());
	build_set(b, root, "component", *component ? json_string(component) : json_null());
	build_set(b, root, "made", build_time_or_null(r->now.ns));
	build_set(b, root, "made_by", json_string(r->by));
	build_set(b, root, "next_update", build_time_or_null(r->next.ns));
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
