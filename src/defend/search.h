/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The search for what packets of an attack have in common and normal ones do not: conjunctions of header fields,
 * counted over three samples: A the attack, B normal packets, V packets that were verified to be wanted (struct
 * signature_input). One that was found can be taken, and what it leaves of the attack searched again.
 */
#ifndef HOLDFAST_DEFEND_SEARCH_H
#define HOLDFAST_DEFEND_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "defend/match.h"
#include "defend/signature.h"

struct search; /* opaque */

/* What was found, in packets of the samples. */
struct search_found {
	struct match match;     /* its terms in the order of the table of fields: protocol first */
	uint64_t covered;       /* of A */
	uint64_t caught;        /* of what was left of A */
	uint64_t judges, hits;  /* of B: those that judge, and of them those that match */
	uint64_t verified_hits; /* of V */
};

/* 0, or -ENOMEM. `input` must outlive the search. */
int search_new(const struct signature_input *input, struct search **search);
void search_free(struct search *search);
/* Packets of A that nothing taken matches. */
uint64_t search_left(const struct search *search);
/* Lists what packets that are left have in common: first of all, and again behind each search_take(). 0, or -ENOMEM. */
int search_begin(struct search *search);
/*
 * The best conjunction for what is left; `pointed`: of those that say what they drop. False where nothing catches
 * enough.
 */
bool search_run(struct search *search, bool pointed);
/*
 * Of what search_run() found: what the caught packets have in common anyway is said too; a narrower rule costs nothing.
 */
void search_specialise(struct search *search);
struct search_found search_found(const struct search *search);
/* What it matches is no longer left. */
void search_take(struct search *search);

#endif
