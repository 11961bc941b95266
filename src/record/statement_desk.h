/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done with statements, by whatever way people ask for it: found, drafted from the record, edited, approved,
 * published, handed in, withdrawn. The rules of it are here alone: what was published stays; who approves has seen this
 * revision; what holds a claim takes two people; a sentence whose links do not hold is neither approved nor published.
 *
 * Functions return 0 or -errno, and say in `error` what is wrong; its advice names commands, which a page leaves out.
 * The ledger is open, to write where something is done. Nothing is printed. Beside the ledger's and statements.h's
 * errors: -EBADMSG: what is on record is no statement, or is not what its links say; -ENOENT: there is no such
 * statement, incident, claim.
 */
#ifndef HOLDFAST_RECORD_STATEMENT_DESK_H
#define HOLDFAST_RECORD_STATEMENT_DESK_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "record/archive.h"
#include "record/statements.h"
#include "tell/language.h"
#include "tell/statement.h"

#define STATEMENT_DESK_NAME_SIZE 64
#define STATEMENT_DESK_ACTS_MAX 64 /* of one statement that are kept; approvals beyond it are not needed */
#define STATEMENT_DESK_HASH_MIN 8  /* digits of a revision's SHA-256 that name it */

/* Who does it. */
struct statement_desk_person {
	char name[STATEMENT_DESK_NAME_SIZE];
	uint32_t uid; /* STATEMENTS_NO_UID: nobody of this host's users */
	int64_t now_ns;
};

/* What was done with a statement. */
struct statement_desk_acts {
	unsigned count;
	struct statement_desk_act {
		enum statements_act act;
		uint64_t revision;
		int64_t at_ns;
		uint32_t uid;
		char by[STATEMENT_DESK_NAME_SIZE];
	} list[STATEMENT_DESK_ACTS_MAX];
	int64_t published_ns, withdrawn_ns, submitted_ns;
	char *published_text; /* or what was submitted; NULL */
	char published_sha256[LEDGER_DIGEST_SIZE];
};

/* The latest revision of one, and what was done with it. */
struct statement_desk_kept {
	struct statements_row row; /* of its texts, json is valid during `each`, the others not any more */
	char made_by[STATEMENT_DESK_NAME_SIZE];
	json_t *json;
	struct statement_desk_acts acts;
	bool broken;
};

/* `kept` is zeroed before, and freed after in every case. */
int statement_desk_find(struct ledger *ledger, uint64_t number, struct statement_desk_kept *kept,
                        struct record_error *error);
void statement_desk_free(struct statement_desk_kept *kept);
/*
 * The latest revisions, by number; stops where `each` returns not 0, and returns that. Their JSON is not read yet,
 * which is most of the work: who needs more than the row and the acts calls statement_desk_read().
 */
typedef int statement_desk_visit(void *context, struct statement_desk_kept *kept);
int statement_desk_each(struct ledger *ledger, statement_desk_visit *each, void *context, struct record_error *error);
/* The same of the `most` latest, the latest first. */
int statement_desk_newest_each(struct ledger *ledger, unsigned most, statement_desk_visit *each, void *context,
                               struct record_error *error);
/* Within `each`: `kept->json` is there. False: what is on record is no statement. */
bool statement_desk_read(struct statement_desk_kept *kept);
/* "draft", "approved", "published", "submitted", "withdrawn". */
const char *statement_desk_state(const struct statement_desk_kept *kept);
/* How many people have approved it as it is now, and how many have to. */
unsigned statement_desk_approvals(const struct statement_desk_kept *kept);
unsigned statement_desk_approvals_wanted(const struct statement_desk_kept *kept);

/* What it rests on, as it was kept; NULL: it rests on none of that name. New references. */
struct statement_desk_documents {
	json_t *analysis, *record;
};

int statement_desk_documents(struct ledger *ledger, const json_t *statement, struct statement_desk_documents *documents,
                             struct record_error *error);
void statement_desk_documents_free(struct statement_desk_documents *documents);

/* Told of each mistake, with the sentence from 1; may be NULL. */
typedef void statement_desk_tell(void *context, size_t sentence, const char *mistake);

/* Every link, in what was kept when it was drafted. -EBADMSG: one does not hold. */
int statement_desk_check(struct ledger *ledger, const struct statement_desk_kept *kept, statement_desk_tell *tell,
                         void *context, struct record_error *error);
/* `edited` is the next revision of it, and *kept becomes that. -EPERM: it is published; -ESTALE. */
int statement_desk_edit(struct ledger *ledger, const struct statement_desk_person *who,
                        struct statement_desk_kept *kept, json_t *edited, struct record_error *error);
/* `hash`: the first digits, at least STATEMENT_DESK_HASH_MIN, of the revision that was read. -ESTALE: it is another. */
int statement_desk_approve(struct ledger *ledger, const struct statement_desk_person *who,
                           const struct statement_desk_kept *kept, const char *hash, statement_desk_tell *tell,
                           void *context, struct record_error *error);
/*
 * `what`: STATEMENTS_PUBLISHED or STATEMENTS_SUBMITTED. *text, the caller's, is what is told. -EPERM: it is of the
 * other kind, not approved, or nothing of it is for the public. With `who` NULL it is looked at, and nothing is done.
 */
int statement_desk_publish(struct ledger *ledger, const struct statement_desk_person *who,
                           const struct statement_desk_kept *kept, enum statements_act what, char **text,
                           statement_desk_tell *tell, void *context, struct record_error *error);
/* -EINVAL: nothing is said of why. */
int statement_desk_withdraw(struct ledger *ledger, const struct statement_desk_person *who,
                            const struct statement_desk_kept *kept, const char *why, struct record_error *error);

/* ---- drafting (statement_draft.c) ---- */

/* What is asked for; texts NULL or "" and times 0 where nobody said. */
struct statement_desk_asked {
	const char *folder;                      /* the state_dir, where incidents are; NULL: there is none */
	const struct archive_incident *incident; /* NULL: the thread's, or none */
	bool any_kind;                           /* what comes next; else: */
	enum statement_kind kind;
	enum language language;
	int64_t since_ns, until_ns;
	int64_t next_ns; /* from now on, where something is promised */
	const char *component, *text, *claim;
	uint64_t after, corrects; /* numbers; 0: none */
	/*
	 * Number of a statement that is told in `language` too: of the same matter and kind, from the same facts; 0:
	 * none. Nothing else is read.
	 */
	uint64_t translates;
	enum statement_phase phase; /* of an update */
};

/* Why no draft can be made of what is asked for: whoever asks has words of its own for it. */
enum statement_desk_wrong {
	STATEMENT_DESK_GOOD,
	STATEMENT_DESK_CORRECTS_NOTHING, /* a correction wants to know of which statement */
	STATEMENT_DESK_PHASE,            /* it is of an update */
	STATEMENT_DESK_TRANSLATION,      /* takes all from what it translates: nothing else can be said */
	STATEMENT_DESK_OF_NOTHING,       /* neither an incident, nor since when, nor a statement */
	STATEMENT_DESK_WRONGS,
};

/* Before anything is read. */
enum statement_desk_wrong statement_desk_asked_wrong(const struct statement_desk_asked *asked);
/* A new statement on record, which is *kept. */
int statement_desk_draft(struct ledger *ledger, const struct statement_desk_person *who,
                         const struct statement_desk_asked *asked, struct statement_desk_kept *kept,
                         struct record_error *error);

#endif
