/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said of a trace, sentence by sentence, for people who know nothing of networks: the page for the terminal and
 * the report in HTML say the same words. A place is never said of sources that are not located, a person never.
 */
#ifndef HOLDFAST_TELL_ORIGIN_H
#define HOLDFAST_TELL_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "tell/account.h"
#include "tell/analysis.h"
#include "trace/trace.h"

#define ORIGIN_COUNTRIES_MAX 300 /* all codes that there are, and some that are none */
#define ORIGIN_NETWORKS_MAX 10
#define ORIGIN_CLAIMS_NOTE "A verdict says what the traffic supports. It says nothing about who somebody is."
#define ORIGIN_MAP_TITLE "Where devices used in the attack connect from. This does not show who controlled them."

/* Shares are of located sources, in parts per million: at least and at most. */
struct origin_country {
	char code[GEO_COUNTRY_SIZE];
	uint64_t low_ppm, high_ppm;
	uint64_t packets_low_ppm, packets_high_ppm;
};

struct origin_network {
	uint32_t number; /* of the autonomous system; 0 and TRACE_OTHERS are not listed */
	char name[TRACE_NAME_SIZE];
	char country[GEO_COUNTRY_SIZE]; /* where most databases say most of its sources are; "" */
	uint64_t held, sources, packets;
	uint64_t low_ppm, high_ppm; /* equal where every source was looked at */
	uint64_t packets_ppm;
};

struct origin {
	const struct trace *trace;
	bool located; /* a trace has located sources, and a database knows countries */
	bool relays;  /* some of them are relays; */
	bool all_relays;
	uint32_t countries_count;
	struct origin_country countries[ORIGIN_COUNTRIES_MAX]; /* largest share first */
	uint32_t networks_count;                               /* likewise */
	struct origin_network networks[ORIGIN_NETWORKS_MAX];
	uint64_t networks_known; /* all that there are */
};

/* 0 or -ENOMEM. The trace must outlive it. */
int origin_make(const struct trace *trace, struct origin *origin);

/* "12 % to 14.1 %", or one of them where they are the same. */
void origin_interval(struct account *account, uint64_t low_ppm, uint64_t high_ppm, struct draft *draft);

/* Were the addresses forged, in one sentence. */
void origin_verdict(struct account *account, const struct origin *origin, struct draft *draft);
/* How many sources places can be said of, whose they are, or why of none. */
void origin_located(struct account *account, const struct origin *origin, struct draft *draft);
/* Which databases say so, of when, and how far to trust them. */
void origin_databases(struct account *account, const struct origin *origin, struct draft *draft);
/* Whom databases are of, where their licence wants that said; nothing where none does. */
void origin_attribution(struct account *account, const struct origin *origin, struct draft *draft);
/* How the attack was run: coordination, size, cost, rank, tools. */
void origin_conduct(struct account *account, const struct origin *origin, const struct account_sink *to);
/* What no packet can tell. */
void origin_unknowns(struct account *account, const struct trace *trace, const struct account_sink *to);
/* What a verdict means, as a sentence; "" of what is none. */
const char *origin_meaning(const char *verdict);
/* What was claimed, by whom, and when; and what came of it. */
void origin_claim(struct account *account, const struct analysis_claim *claim, struct draft *draft);
void origin_claim_verdict(struct account *account, const struct analysis_claim *claim, struct draft *draft);

#endif
