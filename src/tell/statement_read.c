/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether JSON is a statement, and whether a statement says what its links do: each link is looked up anew, and each
 * sentence filled from what its links hold.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tell/statement_inside.h"

#define HEAD_MEMBERS 14 /* of the object, but for those that are there only where they say something */
#define SHA256_LENGTH 64

int statement_wrong(char error[STATEMENT_ERROR_SIZE], const char *format, ...)
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
	const json_t *evidence = json_object_get(sentence, "evidence"), *by = json_object_get(sentence, "by");
	const json_t *pattern = json_object_get(sentence, "pattern"), *template = json_object_get(sentence, "template");
	json_t *link;
	size_t i, which, basis;

	if (json_object_size(sentence) != 8 || !text_or_null(template, STATEMENT_NAME_MAX) ||
	    !text_or_null(json_object_get(sentence, "section"), STATEMENT_NAME_MAX) ||
	    !one_of(json_object_get(sentence, "audience"), statement_audience_names, STATEMENT_AUDIENCES, &which) ||
	    !one_of(json_object_get(sentence, "basis"), statement_basis_names, STATEMENT_BASES, &basis) ||
	    !text_or_null(by, STATEMENT_NAME_MAX))
		return statement_wrong(error, "sentence %zu is not made as sentences are", number);
	if (!statement_is_text(json_string_value(json_object_get(sentence, "text")), STATEMENT_TEXT_MAX))
		return statement_wrong(error, "sentence %zu has no text that can be shown, or more than %d octets",
		                       number, STATEMENT_TEXT_MAX);
	if (!json_is_array(evidence) || json_array_size(evidence) > STATEMENT_LINKS_MAX)
		return statement_wrong(error, "sentence %zu has no list of links, or more than %d", number,
		                       STATEMENT_LINKS_MAX);
	json_array_foreach(evidence, i, link)
	{
		if (!good_link(link))
			return statement_wrong(error, "link %zu of sentence %zu is none", i + 1, number);
	}
	if (!json_is_null(pattern) &&
	    (!json_is_string(pattern) || strlen(json_string_value(pattern)) > STATEMENT_TEXT_MAX ||
	     !statement_pattern_facts(json_string_value(pattern), any, NULL)))
		return statement_wrong(error, "the pattern of sentence %zu is none", number);
	if (json_is_null(pattern) != json_is_null(template))
		return statement_wrong(error, "sentence %zu has a pattern or a template, and not both", number);
	if (basis == STATEMENT_EVIDENCE && (json_array_size(evidence) == 0 || json_is_null(pattern)))
		return statement_wrong(error, "sentence %zu is told of evidence, and has none", number);
	if ((basis == STATEMENT_WORD) == json_is_null(by))
		return statement_wrong(error, "sentence %zu does not say whose word it is", number);
	return basis != STATEMENT_FORM || !json_is_null(pattern)
	               ? 0
	               : statement_wrong(error, "sentence %zu is a form without a pattern", number);
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
	return json_is_array(claims) && json_array_size(claims) <= STATEMENT_CLAIMS_MAX;
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
	const char *kind = json_string_value(json_object_get(json, "kind"));
	const char *lang = json_string_value(json_object_get(json, "lang"));
	enum statement_kind which;
	enum language language;
	size_t extras;

	return good_extras(json, &extras) && json_object_size(json) == HEAD_MEMBERS + extras && kind &&
	       statement_kind_find(kind, &which) && lang && language_find(lang, &language) &&
	       (json_is_null(json_object_get(json, "incident")) ||
	        (incident && strlen(incident) == STATEMENT_ID_LENGTH &&
	         strspn(incident, "0123456789abcdef") == STATEMENT_ID_LENGTH)) &&
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
		return statement_wrong(error, "it is no " STATEMENT_SCHEMA);
	if (!good_head(json))
		return statement_wrong(error, "what stands before its sentences is not as in " STATEMENT_SCHEMA);
	if (!json_is_array(sentences) || json_array_size(sentences) > STATEMENT_SENTENCES_MAX)
		return statement_wrong(error, "it has no list of sentences, or more than %d", STATEMENT_SENTENCES_MAX);
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
	found = statement_resolve(statement_document(documents, (enum statement_document)in), at,
	                          (enum statement_is)is);
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
