/* SPDX-License-Identifier: Apache-2.0 */
/* Who did what by the console, as the ledger keeps it (record/ledger.h): only added to. */
#ifndef HOLDFAST_RECORD_CONSOLE_AUDIT_H
#define HOLDFAST_RECORD_CONSOLE_AUDIT_H

#include <stdint.h>

#include "record/ledger.h"

/* Texts are UTF-8 of at most LEDGER_TEXT_MAX octets, never NULL. */
struct console_audit {
	uint64_t number; /* given by the ledger */
	int64_t at_ns;
	const char *who, *role; /* the token's; who: "" where it is not known */
	const char *what;       /* "sign_in", "draft", "approve" … */
	const char *object;     /* "s1", an incident's ID, a component's; "" */
	uint64_t revision;      /* of a statement; 0 */
	const char *outcome;    /* "done", "refused", "failed" */
	const char *message;    /* why not; what was changed; "" */
};

int console_audit_add(struct ledger *ledger, const struct console_audit *row, struct record_error *error);
/* The latest `limit`, the newest first; stops where `each` returns not 0, and returns that. */
int console_audit_each(struct ledger *ledger, unsigned limit,
                       int (*each)(void *context, const struct console_audit *row), void *context,
                       struct record_error *error);

#endif
