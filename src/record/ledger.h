/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people add to the record, and what is computed of it: claims and their verdicts, events, evidence that was given out,
 * traces of incidents. In the record's SQLite (record/record.h, schema 2), and append-only: triggers refuse to change or delete
 * a row, but for the erasure of evidence, which is noted beside it. Commands write it themselves, each with a connection of its
 * own; who finds the database busy waits LEDGER_BUSY_MS.
 *
 * Times are nanoseconds since the Unix epoch. Texts that a function takes are the caller's and never NULL; those that `each` gets
 * are valid until it returns. Functions return 0 or -errno, with `error` filled; `each` returns 0 to go on.
 */
#ifndef HOLDFAST_RECORD_LEDGER_H
#define HOLDFAST_RECORD_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "record/record.h"

#define LEDGER_BUSY_MS 5000
#define LEDGER_TEXT_MAX 4096     /* octets of a claim's words, an event's text, a URL; longer: -EINVAL */
#define LEDGER_CLAIMS_MAX 100000 /* more: -ENOSPC */
#define LEDGER_EVENTS_MAX 100000
#define LEDGER_JSON_MAX (16u << 20) /* of a trace, a verdict */

struct ledger; /* opaque */

/* Number in a claim's or event's name: "c3", "e12". */
struct ledger_claim {
	uint64_t number; /* given by ledger_add_claim() */
	uint64_t incident;
	int64_t at_ns; /* when it was said */
	const char *by, *url, *text, *predicate;
	int64_t added_ns;
	const char *added_by; /* user name */
};

struct ledger_verdict {
	uint64_t claim;
	int64_t at_ns;
	const char *trace_sha256; /* of the trace's JSON that it rests on */
	uint64_t seed;
	const char *verdict; /* "supported" … */
	const char *json;    /* all of it */
};

enum ledger_event_kind { LEDGER_OWN_CHANGE, LEDGER_PROVIDER, LEDGER_MAINTENANCE };

struct ledger_event {
	uint64_t number;
	enum ledger_event_kind kind;
	int64_t began_ns, ended_ns; /* ended_ns 0: it had not, or is a moment */
	const char *text, *url;
	int64_t added_ns;
	const char *added_by;
};

struct ledger_evidence {
	uint64_t number;
	uint64_t incident;
	int64_t made_ns;
	const char *path, *head; /* of the hash chain, in hexadecimal */
	const char *key;         /* minisign's key id, in hexadecimal; "" unsigned */
	int64_t until_ns;        /* to be erased then; 0: kept */
	int64_t erased_ns;       /* 0: it is there */
	const char *why;         /* it was erased */
};

struct ledger_trace {
	uint64_t incident;
	int64_t made_ns;
	const char *sha256, *json; /* schema holdfast.trace/1 */
};

/*
 * `path`: the database; made where it is not there and `may_make`. Errors as of record_open(), but that a broken one is left where
 * it is: -EBADMSG.
 */
int ledger_open(const char *path, bool may_make, struct ledger **ledger, struct record_error *error);
void ledger_close(struct ledger *ledger);

/* The number it was given is written to the struct's. On the disk when 0 is returned. */
int ledger_add_claim(struct ledger *ledger, struct ledger_claim *claim, struct record_error *error);
int ledger_add_verdict(struct ledger *ledger, const struct ledger_verdict *verdict, struct record_error *error);
int ledger_add_event(struct ledger *ledger, struct ledger_event *event, struct record_error *error);
int ledger_add_evidence(struct ledger *ledger, struct ledger_evidence *evidence, struct record_error *error);
int ledger_erase_evidence(struct ledger *ledger, uint64_t number, int64_t now_ns, const char *why,
                          struct record_error *error);
int ledger_add_trace(struct ledger *ledger, const struct ledger_trace *trace, struct record_error *error);

/* In the order in which they were added. incident 0: of all; claim 0: of all. */
int ledger_each_claim(struct ledger *ledger, uint64_t incident,
                      int (*each)(void *context, const struct ledger_claim *claim), void *context,
                      struct record_error *error);
int ledger_each_verdict(struct ledger *ledger, uint64_t claim,
                        int (*each)(void *context, const struct ledger_verdict *verdict), void *context,
                        struct record_error *error);
/* Those that touch [from, to]; 0, 0: all. */
int ledger_each_event(struct ledger *ledger, int64_t from_ns, int64_t to_ns,
                      int (*each)(void *context, const struct ledger_event *event), void *context,
                      struct record_error *error);
int ledger_each_evidence(struct ledger *ledger, uint64_t incident,
                         int (*each)(void *context, const struct ledger_evidence *evidence), void *context,
                         struct record_error *error);
/* The latest of an incident; -ENOENT. */
int ledger_latest_trace(struct ledger *ledger, uint64_t incident,
                        int (*each)(void *context, const struct ledger_trace *trace), void *context,
                        struct record_error *error);

#endif
