/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was said of an incident, as the ledger keeps it (record/ledger.h): drafts in revisions, who approved and
 * published which of them, what each rests on, since when people have known of an incident, and which reports on it
 * nobody needs. All of it is only added to: an edit is another revision, a correction another statement, and what was
 * published stays with its SHA-256.
 *
 * A statement is "s1": its number. Statements of one matter form a thread, which has the number of the first of them.
 * What a statement rests on are documents as they were when it was drafted, found by their SHA-256.
 *
 * Times are nanoseconds since the Unix epoch. Texts are UTF-8, never NULL; those given to `each` are valid during the
 * call.
 */
#ifndef HOLDFAST_RECORD_STATEMENTS_H
#define HOLDFAST_RECORD_STATEMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "record/ledger.h"
#include "tell/statement.h"

#define STATEMENTS_LANG_SIZE 8
#define STATEMENTS_REVISIONS_MAX 1000 /* of one statement: more are refused */
#define STATEMENTS_TEXT_MAX 524288    /* octets of what is published */
#define STATEMENTS_NO_UID UINT32_MAX  /* who is no user of this host: by the name alone, which is nobody else's */

enum statements_act {
	STATEMENTS_APPROVED,
	STATEMENTS_PUBLISHED,
	STATEMENTS_WITHDRAWN,
	STATEMENTS_SUBMITTED, /* handed to the authority that it is for */
	STATEMENTS_ACTS,
};

/* One revision of one statement. */
struct statements_row {
	char id[LEDGER_ID_SIZE]; /* "s1" */
	uint64_t number, revision, thread;
	uint64_t incident; /* 0: of none */
	uint64_t outage;   /* 0: of none */
	enum statement_kind kind;
	char lang[STATEMENTS_LANG_SIZE]; /* "en" */
	uint64_t supersedes;             /* number of the statement that this corrects; 0: none */
	const char *json;                /* "holdfast.statement/1" (tell/statement.h) */
	char sha256[LEDGER_DIGEST_SIZE]; /* of `json`; given by the ledger */
	int64_t made_ns;
	const char *made_by;
};

struct statements_act_row {
	uint64_t number, revision;
	enum statements_act act;
	int64_t at_ns;
	uint32_t uid;
	const char *by;
	char of_sha256[LEDGER_DIGEST_SIZE]; /* of the revision's JSON */
	const char *title, *text;           /* what was published, as it was; why it was withdrawn; else "" */
	char sha256[LEDGER_DIGEST_SIZE];    /* of title, a newline, and text; given by the ledger */
};

/* A statement that was published. */
struct statements_published {
	char id[LEDGER_ID_SIZE];
	uint64_t number, revision, thread, incident, outage;
	enum statement_kind kind;
	char lang[STATEMENTS_LANG_SIZE];
	uint64_t supersedes;
	uint64_t superseded_by;             /* the latest published statement that corrects it; 0: none */
	int64_t published_ns, withdrawn_ns; /* withdrawn_ns 0: it is not */
	const char *title;                  /* one line, plain text */
	const char *text;                   /* public sentences: plain text, paragraphs apart by an empty line */
	const char *why_withdrawn;          /* "" */
	const char *json;                   /* the revision */
	char sha256[LEDGER_DIGEST_SIZE];    /* of title, a newline, and text */
};

/* How a matter stands by what was published of it. */
struct statements_thread {
	uint64_t thread, incident; /* the latest incident that was named */
	bool open;                 /* neither resolved nor told to the end */
	enum statement_kind last;
	int64_t last_ns; /* when the latest was published */
	/* by when something is to be said: as promised, and STATEMENT_UPDATE_NS after at the latest; 0: no more */
	int64_t due_ns;
};

struct statements_awareness {
	uint64_t incident;
	int64_t aware_ns, set_ns;
	const char *set_by;
};

/*
 * What somebody has said of a report to an authority on an incident: that it is not needed here, or that it is after
 * all. Of an incident and a kind the latest counts.
 */
struct statements_exemption {
	uint64_t incident;
	enum statement_kind kind;
	bool exempt;
	int64_t set_ns;
	const char *set_by, *why; /* why: "" at most where it is needed */
};

const char *statements_act_name(enum statements_act act);

/*
 * Adds another statement (number 0: the ledger gives one, and the thread where that is 0 too), or the next revision of
 * the one with the number. `row` gets number, revision, thread, id and sha256. -EINVAL, -EDQUOT, -EROFS as the ledger;
 * -ENOENT: there is no statement of that number; -ESTALE: `row->revision` is not the latest, whose successor this was
 * to be.
 */
int statements_add(struct ledger *ledger, struct statements_row *row, struct record_error *error);
/*
 * -ENOENT: there is no such revision; -ESTALE: it is not the latest, or of_sha256 is not its own; -EPERM: of what was
 * published, another approval; of what was not approved, publication; of what was not published, withdrawal; -EALREADY:
 * it is done.
 */
int statements_act_add(struct ledger *ledger, const struct statements_act_row *act, struct record_error *error);
/* -EINVAL: aware_ns is not before set_ns. */
int statements_awareness_add(struct ledger *ledger, const struct statements_awareness *awareness,
                             struct record_error *error);
/* -EINVAL: it is of no incident, of a kind that is for the public, or exempt and nobody says why. */
int statements_exemption_add(struct ledger *ledger, const struct statements_exemption *exemption,
                             struct record_error *error);
/* Keeps a document by its SHA-256, which is told; once, however often it is added. */
int statements_source_add(struct ledger *ledger, const char *json, int64_t made_ns, char sha256[LEDGER_DIGEST_SIZE],
                          struct record_error *error);

/* These list in the order in which rows were added, as the ledger's do. `number` 0: all revisions of all; */
int statements_each(struct ledger *ledger, uint64_t number,
                    int (*each)(void *context, const struct statements_row *row), void *context,
                    struct record_error *error);
/* … the latest revision of each. */
int statements_latest_each(struct ledger *ledger, int (*each)(void *context, const struct statements_row *row),
                           void *context, struct record_error *error);
/* … of the `most` latest statements, the latest first. */
int statements_newest_each(struct ledger *ledger, unsigned most,
                           int (*each)(void *context, const struct statements_row *row), void *context,
                           struct record_error *error);
int statements_act_each(struct ledger *ledger, uint64_t number,
                        int (*each)(void *context, const struct statements_act_row *act), void *context,
                        struct record_error *error);
/* By the time of their publication. Those that were corrected or withdrawn too: they are marked, never left out. */
int statements_published_each(struct ledger *ledger, int (*each)(void *context, const struct statements_published *one),
                              void *context, struct record_error *error);
/* In the order of their first publication. Corrections and what was withdrawn neither open nor close. */
int statements_thread_each(struct ledger *ledger, int (*each)(void *context, const struct statements_thread *thread),
                           void *context, struct record_error *error);
/* `incident` 0: of all. The latest of an incident counts. */
int statements_awareness_each(struct ledger *ledger, uint64_t incident,
                              int (*each)(void *context, const struct statements_awareness *awareness), void *context,
                              struct record_error *error);
/* Likewise: of an incident and a kind the latest counts. */
int statements_exemption_each(struct ledger *ledger, uint64_t incident,
                              int (*each)(void *context, const struct statements_exemption *exemption), void *context,
                              struct record_error *error);
/* The document, the caller's; -ENOENT; -EBADMSG: what is kept has another SHA-256. */
int statements_source_find(struct ledger *ledger, const char *sha256, char **json, struct record_error *error);
/* "s12" → 12; 0: it is none. */
uint64_t statements_number(const char *id);

#endif
