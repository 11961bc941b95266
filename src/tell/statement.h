/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said of an incident: a list of sentences, each made from one table of templates (statement_table.c) by facts
 * of the record, with a link to each fact, so that anybody can look whether it stands there. As JSON,
 * "holdfast.statement/1":
 *
 *     { "schema", "kind", "lang", "incident": id|null, "component": text|null, "made": time, "made_by",
 *       "next_update": time|null, "corrects": "s1"|null, "claims": ["c1"], "title": text,
 *       "phase": "identified"|"monitoring" (of an update; not there: as before), "translates": "s1" (not there: nothing),
 *       "sources": { "analysis.json": sha256, "record.json": sha256 },
 *       "sentences": [ { "template": name|null, "section": name|null, "audience": "public"|"internal",
 *                        "basis": "evidence"|"word"|"form", "by": who|null, "text", "pattern": text|null,
 *                        "evidence": [ { "fact", "in", "at", "is", "value" } ] } ],
 *       "left_out": [ { "template", "fact", "why" } ] }
 *
 * A link is a path (RFC 6901, "*" being every member of an array) in one of two documents, what is made of the values
 * found there ("value", "count", "sum", "min", "max"), and what that was. "analysis.json" is the incident's analysis
 * (doc/analysis.md), the same that a bundle of evidence has; "record.json" is what else is on record: the operator's
 * words, events, outages, claims, what was said before (doc/statement.md). `basis`: facts of the record; the word of a
 * person, who is named; or a form, which says nothing of what happened (a heading of law, a question to be answered).
 *
 * A sentence that was made here can be made again: its pattern, filled with its links' values, is its text. One that a
 * person wrote has no pattern. No template says who an actor is, nor where attackers are: packets do not show it.
 *
 * Pure: the clock is passed in, and nothing is read or written. JSON that is passed in may come from anywhere where it
 * says so.
 */
#ifndef HOLDFAST_TELL_STATEMENT_H
#define HOLDFAST_TELL_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "base/time.h"
#include "tell/language.h"

#define STATEMENT_SCHEMA "holdfast.statement/1"
#define STATEMENT_SENTENCES_MAX 128
#define STATEMENT_LINKS_MAX 12  /* of a sentence */
#define STATEMENT_TEXT_MAX 2048 /* octets of a sentence */
#define STATEMENT_TITLE_MAX 160 /* octets */
#define STATEMENT_NAME_MAX 64   /* octets of a person's name, and of names of templates and facts */
#define STATEMENT_PATH_MAX 128  /* octets of a link's path */
#define STATEMENT_LEFT_OUT_MAX 128
#define STATEMENT_EACH_MAX 16 /* sentences that one template makes of a list (waves, rules) */
#define STATEMENT_ERROR_SIZE 160
#define STATEMENT_UPDATE_NS (1800 * NS_PER_S) /* while it is open, something is said at least so often */

enum statement_kind {
	STATEMENT_FIRST_NOTICE,
	STATEMENT_UPDATE,
	STATEMENT_RESOLUTION,
	STATEMENT_CORRECTION,
	STATEMENT_POSTMORTEM,
	STATEMENT_NIS2_24H, /* from here on they are for authorities, and never public */
	STATEMENT_NIS2_72H,
	STATEMENT_NIS2_MONTH,
	STATEMENT_GDPR_33,
	STATEMENT_KINDS,
};

/* Whom a sentence is for; what is internal is not published. */
enum statement_audience { STATEMENT_PUBLIC, STATEMENT_INTERNAL, STATEMENT_AUDIENCES };

/*
 * "first_notice", "update", "resolution", "correction", "postmortem", "nis2_24h", "nis2_72h", "nis2_month", "gdpr_33".
 */
const char *statement_kind_name(enum statement_kind kind);
bool statement_kind_find(const char *name, enum statement_kind *kind);
bool statement_kind_is_public(enum statement_kind kind);

/* How far one has come: said by who drafts an update, as Statuspage has it. */
enum statement_phase { STATEMENT_AS_BEFORE, STATEMENT_IDENTIFIED, STATEMENT_MONITORING, STATEMENT_PHASES };

/* "identified", "monitoring"; of STATEMENT_AS_BEFORE "". */
const char *statement_phase_name(enum statement_phase phase);
bool statement_phase_find(const char *name, enum statement_phase *phase);

/* What the links go into; NULL: there is none. */
struct statement_documents {
	const json_t *analysis, *record;
};

struct statement_request {
	enum statement_kind kind;
	enum language language;
	const char *incident;     /* its ID; "": none */
	const char *component;    /* as the public knows it; "": not said */
	const char *component_id; /* on the page; "" or NULL: it is not there */
	const char *by;           /* who drafts */
	struct capture_time now;
	struct capture_time next; /* when the next update is promised; 0: it is not */
	const char *corrects;     /* "s1"; "" */
	const char *translates;   /* likewise: this says the same in another language */
	enum statement_phase phase;
	struct statement_documents documents;
	const char *analysis_sha256, *record_sha256; /* of the documents as they are kept; "" */
};

/* A new reference. -EINVAL: the analysis has no such incident, or a name is too long or not printable; -ENOMEM. */
int statement_draft(const struct statement_request *request, json_t **statement);

/* Whether JSON from anywhere is a statement, within all bounds above. 0; -EBADMSG with the reason. */
int statement_read(const json_t *json, char error[STATEMENT_ERROR_SIZE]);

/*
 * The functions below are for what statement_read() has passed.
 *
 * Looks at each link in `documents` and whether each text is what its pattern makes of its links. `tell` is called for
 * each mistake, with the sentence's number from 1; may be NULL. Returns how many there are. A document that is NULL has
 * nothing.
 */
unsigned statement_check(const json_t *statement, const struct statement_documents *documents,
                         void (*tell)(void *context, size_t sentence, const char *mistake), void *context);
/* Links in all. */
size_t statement_links(const json_t *statement);

/*
 * The text for an audience: the public's as it is published, of what is internal all sentences; paragraphs with an
 * empty line between them, headings in a paragraph of their own. The caller's, or NULL where there is no memory. ""
 * where nothing is public.
 */
char *statement_text(const json_t *statement, enum statement_audience audience);
/* The audience that the whole of a kind is for. */
enum statement_audience statement_audience_of(enum statement_kind kind);
/* Whether a sentence says that it is internal. */
bool statement_is_internal(const json_t *sentence);
const char *statement_title(const json_t *statement);
enum statement_kind statement_kind_of(const json_t *statement);
enum language statement_language_of(const json_t *statement);
/* When the next update was promised; ns 0: it was not. */
struct capture_time statement_next(const json_t *statement);
enum statement_phase statement_phase_of(const json_t *statement);
/* The statement that it says in another language: "s1", or "". */
const char *statement_translates(const json_t *statement);
bool statement_has_claims(const json_t *statement);

/* ---- edited by a person (statement_form.c) ---- */

/*
 * A sentence that is not as it was made is its writer's word: it has no pattern, and no links unless they are kept,
 * which says that they hold for the new words too. These give another statement, a new reference, that statement_read()
 * passes. -EBADMSG with the reason; -EALREADY: nothing is changed; -ENOMEM.
 *
 * As a form of text: "[title]", "[3 public]" (sentence 3), "[3 internal keep]" (its links are kept), "[+ public]" (a
 * new one), each in a line of its own, and the words behind it. Lines that begin with '#' are left out, with '\' are
 * words. A sentence that is not in the form is gone; the order is that of the form.
 */
int statement_form_write(const json_t *statement, const char *id, uint64_t revision, FILE *out);
int statement_form_read(const json_t *statement, const char *form, const char *by, json_t **edited,
                        char error[STATEMENT_ERROR_SIZE]);
/*
 * Sentence `number`, from 1; of one more than there are, a new one. `text` NULL: it is gone. `audience` is its own
 * then.
 */
int statement_edit(const json_t *statement, size_t number, const char *text, enum statement_audience audience,
                   bool keep_links, const char *by, json_t **edited, char error[STATEMENT_ERROR_SIZE]);

/* ---- law ---- */

/*
 * When what the law asks for is due; of NIS2's last report, a month after the 72 h notice was handed in (submitted; ns
 * 0: it was not, and it is a month after that was due). ns 0: nothing is due.
 */
struct capture_time statement_due(enum statement_kind kind, struct capture_time aware, struct capture_time submitted);

#endif
