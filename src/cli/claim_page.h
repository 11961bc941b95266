/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A claim and the verdict on it, for people: what comes of it first, then on what it rests, then what cannot be known.
 */
#ifndef HOLDFAST_CLI_CLAIM_PAGE_H
#define HOLDFAST_CLI_CLAIM_PAGE_H

#include <jansson.h>

#include "record/ledger.h"
#include "tell/paper.h"

/* Who said what, where and when. */
void claim_page_claim(const struct paper *paper, const struct ledger_claim *claim);
/* `verdict`: "holdfast.verdict/1". Nothing in it is trusted. */
void claim_page_verdict(const struct paper *paper, const json_t *verdict);

#endif
