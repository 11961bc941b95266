/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: what is kept for good beside what was done. Public claims, the verdicts on them and who approved of
 * telling them, events (own changes, providers' outages, maintenance), roll-ups (an incident's trace as it stood), and
 * the heads of evidence bundles. It is in the record's database (record/record.h; LEDGER_FILE in the state_dir).
 * Commands write it themselves, beside the daemon's recorder, and wait up to LEDGER_BUSY_MS for it.
 *
 * What is added stays as it is: triggers refuse to change or delete it, whoever tries. A verdict is added, never
 * replaced; the erasure of a bundle is a row of its own. One exception: of an incident's roll-ups only the first, the
 * latest LEDGER_ROLLUPS_MAX and those that a verdict rests on stay.
 *
 * What was added is on the disk when 0 is returned: neither a process nor a host that dies takes it away.
 *
 * Times are nanoseconds since the Unix epoch. Incidents are their IDs' numbers (archive_incident.id). Texts are UTF-8,
 * never NULL; those given to `each` are valid during the call.
 */
#ifndef HOLDFAST_RECORD_LEDGER_H
#define HOLDFAST_RECORD_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "record/record.h"

#define LEDGER_FILE "/holdfast.db"
#define LEDGER_BUSY_MS 5000
#define LEDGER_ID_SIZE 24
#define LEDGER_DIGEST_SIZE 65 /* SHA-256 in hexadecimal, NUL-terminated */
#define LEDGER_TEXT_MAX 4096  /* octets of any text that is not JSON */
#define LEDGER_JSON_MAX (4u << 20)
#define LEDGER_ROLLUPS_MAX 16    /* of one incident, beside the first */
#define LEDGER_ROWS_MAX 1000000  /* claims, verdicts, events, bundles, each: more are refused */
#define LEDGER_CHECK_MISTAKES 16 /* that ledger_check() tells */

struct ledger; /* opaque */

struct ledger_claim {
	char id[LEDGER_ID_SIZE]; /* "c1"; given by the ledger */
	uint64_t incident;
	const char *by, *url, *text; /* who said what where; url may be "" */
	const char *predicate;       /* trace/predicate.h */
	int64_t at_ns;               /* when it was said; 0: not known */
	int64_t added_ns;
	const char *added_by;
};

struct ledger_verdict {
	char claim[LEDGER_ID_SIZE];
	int64_t at_ns;                         /* when it was tested */
	char trace_sha256[LEDGER_DIGEST_SIZE]; /* of the roll-up that it rests on (ledger_rollup.sha256) */
	uint64_t seed;
	const char *verdict; /* claim_verdict_name() */
	const char *json;    /* the whole result, and the context that it was tested in */
	/* Who has approved that it is told to others, beside whoever put the claim on record; given by the ledger. */
	int64_t approved_ns; /* 0: nobody has */
	const char *approved_by;
};

enum ledger_event_kind { LEDGER_OWN_CHANGE, LEDGER_PROVIDER, LEDGER_MAINTENANCE, LEDGER_EVENT_KINDS };

struct ledger_event {
	char id[LEDGER_ID_SIZE]; /* "e1"; given by the ledger */
	enum ledger_event_kind kind;
	int64_t began_ns, ended_ns; /* ended_ns 0: it had not */
	const char *text, *url;     /* url may be "" */
	int64_t added_ns;
	const char *added_by;
};

struct ledger_evidence {
	char id[LEDGER_ID_SIZE]; /* "b1"; given by the ledger */
	uint64_t incident;
	int64_t made_ns, until_ns; /* until_ns 0: it is not erased by itself */
	const char *path;
	const char *head;   /* of the chain, hexadecimal */
	const char *sha256; /* of the file, hexadecimal */
	const char *key;    /* its ID, hexadecimal; "": not signed */
	const char *tlp;
	int64_t erased_ns; /* 0: it is not */
	const char *erased_why;
};

struct ledger_rollup {
	uint64_t incident;
	int64_t made_ns;
	char sha256[LEDGER_DIGEST_SIZE]; /* of `trace`; given by the ledger */
	const char *trace;               /* JSON, "holdfast.trace/1" */
};

/* "own_change", "provider", "maintenance": stable words. */
const char *ledger_event_kind_name(enum ledger_event_kind kind);
/* false: there is none of that name. */
bool ledger_event_kind_find(const char *name, enum ledger_event_kind *kind);

/*
 * `path`: the database. To write, one that is not there is made, its owner being the folder's, and an older one is
 * brought up to date. To read, -ENOENT where it is not there; what an older schema has not is not there. -ENOTSUP: a
 * newer schema, or no database of ours; -EBADMSG: it is broken; -EACCES, -EROFS, -ENOSPC, -EBUSY, -EIO, -ENOMEM.
 */
int ledger_open(const char *path, bool write, struct ledger **ledger, struct record_error *error);
void ledger_close(struct ledger *ledger);

/*
 * These add. -EINVAL: a text is too long or no UTF-8, or JSON is none; -EDQUOT: there are LEDGER_ROWS_MAX; -EROFS: it
 * was opened to read; -ENOENT: of a verdict, there is no such claim. `id` may be NULL. What the ledger gives is not
 * read.
 */
int ledger_claim_add(struct ledger *ledger, const struct ledger_claim *claim, char id[LEDGER_ID_SIZE],
                     struct record_error *error);
int ledger_verdict_add(struct ledger *ledger, const struct ledger_verdict *verdict, struct record_error *error);
/*
 * Of a claim's latest verdict: what is tested later has to be approved anew. -ENOENT: there is no such claim; -ENODATA:
 * it was not tested; -EPERM: whoever put the claim on record is not the second person that it takes; -EALREADY.
 */
int ledger_approval_add(struct ledger *ledger, const char *claim, int64_t at_ns, const char *by,
                        struct record_error *error);
/* "", or why it cannot be put on record; before anything is read. */
const char *ledger_event_wrong(const struct ledger_event *event);
int ledger_event_add(struct ledger *ledger, const struct ledger_event *event, char id[LEDGER_ID_SIZE],
                     struct record_error *error);
int ledger_evidence_add(struct ledger *ledger, const struct ledger_evidence *evidence, char id[LEDGER_ID_SIZE],
                        struct record_error *error);
/* -ENOENT: there is no such bundle; -EALREADY: it is erased. */
int ledger_evidence_erased(struct ledger *ledger, const char *id, int64_t at_ns, const char *why,
                           struct record_error *error);
/* One that says what the incident's latest says is not added again; `sha256` is of it all the same, may be NULL. */
int ledger_rollup_add(struct ledger *ledger, const struct ledger_rollup *rollup, char sha256[LEDGER_DIGEST_SIZE],
                      struct record_error *error);

/*
 * These list, in the order in which they were added; `incident` 0: of all. They stop where `each` returns not 0, and
 * return that. `each` may not add.
 */
int ledger_claim_each(struct ledger *ledger, uint64_t incident,
                      int (*each)(void *context, const struct ledger_claim *claim), void *context,
                      struct record_error *error);
/* `claim` NULL: of all. The latest is the last. */
int ledger_verdict_each(struct ledger *ledger, const char *claim,
                        int (*each)(void *context, const struct ledger_verdict *verdict), void *context,
                        struct record_error *error);
int ledger_event_each(struct ledger *ledger, int (*each)(void *context, const struct ledger_event *event),
                      void *context, struct record_error *error);
int ledger_evidence_each(struct ledger *ledger, uint64_t incident,
                         int (*each)(void *context, const struct ledger_evidence *evidence), void *context,
                         struct record_error *error);
int ledger_rollup_each(struct ledger *ledger, uint64_t incident,
                       int (*each)(void *context, const struct ledger_rollup *rollup), void *context,
                       struct record_error *error);

/* What was done in [from_ns, to_ns], of the record's actions, oldest first; `id` is the action's number. */
int ledger_action_each(struct ledger *ledger, int64_t from_ns, int64_t to_ns,
                       int (*each)(void *context, uint64_t id, const struct record_action *action), void *context,
                       struct record_error *error);

/* One of them, given to `each` once, whose answer is returned. -ENOENT: there is none. */
int ledger_claim_find(struct ledger *ledger, const char *id,
                      int (*each)(void *context, const struct ledger_claim *claim), void *context,
                      struct record_error *error);
/* The latest of an incident. */
int ledger_rollup_find(struct ledger *ledger, uint64_t incident,
                       int (*each)(void *context, const struct ledger_rollup *rollup), void *context,
                       struct record_error *error);

/*
 * A copy of the whole database as it stands, to `file`, which must not be there, while others write. On the disk then.
 */
int ledger_backup(struct ledger *ledger, const char *file, struct record_error *error);
/*
 * Reads every page and index, and looks at the schema's triggers. Calls `tell` for each of the first
 * LEDGER_CHECK_MISTAKES mistakes; *mistakes says how many of them there are.
 */
int ledger_check(struct ledger *ledger, void (*tell)(void *context, const char *mistake), void *context,
                 unsigned *mistakes, struct record_error *error);

#endif
