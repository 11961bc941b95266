/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that make statements share: the rows of their table, links, and how a pattern is filled. */
#ifndef HOLDFAST_TELL_STATEMENT_INSIDE_H
#define HOLDFAST_TELL_STATEMENT_INSIDE_H

#include "tell/statement.h"

#define STATEMENT_WHENS_MAX 3
#define STATEMENT_ID_LENGTH 16 /* hexadecimal digits of an incident's */
#define STATEMENT_CLAIMS_MAX 16

enum statement_document { STATEMENT_ANALYSIS, STATEMENT_RECORD, STATEMENT_DOCUMENTS };
enum statement_is { STATEMENT_VALUE, STATEMENT_COUNT, STATEMENT_SUM, STATEMENT_MIN, STATEMENT_MAX, STATEMENT_ISES };

/*
 * Where a fact stands: in its path "@" is the incident's place in the analysis, "#" that of a list's member of which
 * the template makes a sentence, "*" every member.
 */
struct statement_fact {
	const char *name;
	enum statement_document in;
	enum statement_is is;
	const char *at;
	const char *lacking; /* why a sentence is left out that needs it; NULL: that needs not be said */
};

enum statement_op { STATEMENT_IS_NOTHING, STATEMENT_IS, STATEMENT_IS_NOT, STATEMENT_OVER };

/* A fact that must be so; STATEMENT_IS_NOTHING: it must be null or not there. `value` is a word or a number. */
struct statement_when {
	const char *fact;
	enum statement_op op;
	const char *value;
};

enum statement_basis { STATEMENT_EVIDENCE, STATEMENT_WORD, STATEMENT_FORM, STATEMENT_BASES };

/*
 * A sentence. In `text`, {fact:format} is a fact as the format shows it, {fact,fact:format} what is made of two, and
 * {fact?one|many} one of two words by a number. Both languages use the same facts.
 */
struct statement_template {
	const char *name, *section;
	unsigned kinds; /* 1 << enum statement_kind */
	bool internal;
	enum statement_basis basis;
	bool by_time; /* of its section, in the order of the first fact's time */
	struct statement_when when[STATEMENT_WHENS_MAX];
	const char *text[LANGUAGES];
};

extern const struct statement_template statement_templates[];
extern const size_t statement_templates_count;
const struct statement_fact *statement_fact_find(const char *name, size_t length);
/* Its place among the sections; what is none comes last. */
unsigned statement_section(const char *section);
/* A section's heading in a text; "": it has none. */
const char *statement_heading(const char *section, enum language language);
const char *statement_title_of(enum statement_kind kind, enum language language);

extern const char *const statement_document_names[STATEMENT_DOCUMENTS],
	*const statement_is_names[STATEMENT_ISES], *const statement_basis_names[STATEMENT_BASES],
							   *const statement_audience_names[STATEMENT_AUDIENCES];

/* Whether the text of a kind is in sections with headings. */
bool statement_has_sections(enum statement_kind kind);
/* The one that a link goes into. */
const json_t *statement_document(const struct statement_documents *documents, enum statement_document in);

/* What stands at a path, as `is` says; a new reference, or NULL: nothing does. Of the document nothing is trusted. */
json_t *statement_resolve(const json_t *document, const char *at, enum statement_is is);
/* Names of facts in a pattern, each once: calls `each` with a place in the pattern. False: it is no pattern. */
bool statement_pattern_facts(const char *pattern, bool (*each)(void *context, const char *name, size_t length),
                             void *context);
/*
 * The text, the caller's; NULL: a fact is missing among the links, has another type than its format shows, or no
 * memory.
 */
char *statement_fill(const char *pattern, const json_t *links, enum language language);
/* A whole number of JSON, or a real's whole part. False: it is none, or negative. */
bool statement_whole(const json_t *value, uint64_t *whole);
/* Says what is wrong with it; -EBADMSG. */
__attribute__((format(printf, 2, 3))) int statement_wrong(char error[STATEMENT_ERROR_SIZE], const char *format, ...);
/* Whether a text of people is printable, and of at least one octet and at most `max`. */
bool statement_is_text(const char *text, size_t max);

#endif
