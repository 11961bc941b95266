/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace of one incident: were its sources real, where are those that are, how did they act together, how many are
 * they, what would it cost, how does it compare. Claims are tested against this and nothing else, so it is complete in
 * itself: it is written as JSON (tell/trace_json.h, schema "holdfast.trace/1") and read back to the same struct, and a
 * verdict can be computed anew from the file alone.
 *
 * Shares are doubles in 0..1, counts of sources and packets are integers. Unknown is NAN, or 0 where 0 cannot be.
 * Geography is only of *located* sources: verified, or relays of a reflection, whose addresses are real. What was
 * forged is nowhere.
 */
#ifndef HOLDFAST_TRACE_TRACE_H
#define HOLDFAST_TRACE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "detect/incident.h"
#include "trace/coordination.h"
#include "trace/cost.h"
#include "trace/geo.h"
#include "trace/size.h"
#include "trace/spoofing.h"

#define TRACE_ROWS_MAX 4096 /* networks told apart, the largest; the others are one row with network TRACE_OTHERS */
#define TRACE_OTHERS UINT32_MAX
#define TRACE_VECTORS_MAX 16
#define TRACE_FAMILIES_MAX 24
#define TRACE_NAME_SIZE 64
#define TRACE_VECTOR_NAME_SIZE 40

/* Sources of one network that all country databases place alike. */
struct trace_row {
	uint32_t network;           /* AS number; 0: not known */
	bool reflectors;            /* relays; else verified */
	char name[TRACE_NAME_SIZE]; /* of the network */
	char country[GEO_COUNTRY_DATABASES_MAX][GEO_COUNTRY_SIZE];
	uint64_t held;                     /* sources behind this row that were looked at one by one */
	uint64_t sources, packets, octets; /* estimates where the roster is a sample: held ones times 2^halvings */
};

/* A vector's sources by what is known of their addresses. Shares add up to 1. */
struct trace_vector {
	char name[TRACE_VECTOR_NAME_SIZE]; /* the catalogue's */
	uint64_t packets, octets, sources;
	struct spoofing spoofing;
};

struct trace_family {
	char name[TRACE_NAME_SIZE];
	char mark[128];
	uint64_t packets;
	uint64_t devices; /* that its invariants tell apart; 0: they tell nothing */
};

struct trace {
	uint64_t incident;
	int64_t began_ns, ended_ns;        /* ended_ns 0: it had not */
	int64_t made_ns;                   /* of this trace: wall time */
	uint64_t packets, octets, sources; /* sources: counted, or estimated (struct incident_sources) */
	uint64_t peak_pps, peak_bps;
	uint32_t waves;
	uint64_t held; /* sources looked at one by one, of `sources` */
	/* share of the attack's packets that were looked at: 1 in captures, less where packets are sampled */
	double observed;
	bool sources_sampled; /* the roster is a sample */

	struct spoofing spoofing; /* of the incident as a whole */
	uint32_t vectors_count;
	struct trace_vector vectors[TRACE_VECTORS_MAX];
	uint32_t families_count;
	struct trace_family families[TRACE_FAMILIES_MAX];

	uint32_t country_databases; /* of databases[], the first ones */
	uint32_t databases_count;
	struct geo_database databases[GEO_COUNTRY_DATABASES_MAX + GEO_NETWORK_DATABASES_MAX];
	uint64_t located_sources,
		located_packets; /* sums over rows; the share of the whole says how much geography there is */
	uint32_t rows_count;
	struct trace_row *rows; /* owned; most sources first, then by network and countries */

	struct coordination coordination;
	struct size_estimate size;
	struct cost cost;
	struct rank {
		uint32_t of;                        /* earlier incidents of this platform it is compared with */
		double pps, bps, duration, sources; /* share of them that are smaller: 0..1; NAN where of == 0 */
	} rank;
};

/* An earlier incident, for the rank. */
struct trace_past {
	uint64_t pps, bps, sources; /* peaks; sources 0: not known */
	int64_t duration_ns;
};

struct trace_input {
	const struct incident *incident; /* with its parts' rosters (detect/incident.h) */
	const struct window *total;      /* all parts together, with what its sample has */
	struct geo *geo;                 /* NULL: there is none */
	const struct cost_price *prices; /* trace/cost.h */
	uint32_t prices_count;
	const struct trace_past *past;
	uint32_t past_count;
	const struct prefix *trusted; /* proxies: what comes from there is no attacker's, and is placed nowhere */
	uint32_t trusted_count;
	int64_t made_ns;      /* wall time */
	double observed;      /* see struct trace */
	uint32_t sources_max; /* look up at most so many held sources, those with the smallest hash; 0: all */
};

/* 0 or -ENOMEM; trace_fini() is due after 0. */
int trace_make(const struct trace_input *input, struct trace *trace);
void trace_fini(struct trace *trace);
/* The share of its packets that were looked at, by its rosters: what `observed` is where packets are sampled. 0
 * or -ENOMEM. */
int trace_observed(const struct incident *incident, double *share);

/* ---- what the rows say ---- */

/* Of one country: shares of located sources and packets. low: where all databases say so; high: where any does. */
struct trace_country {
	char code[GEO_COUNTRY_SIZE];
	uint64_t held;
	double sources_low, sources_high, packets_low, packets_high;
};
/*
 * Countries by sources_high, largest first; returns how many were written, at most 676. Shares are of the sources and
 * packets of which any database knows a country; one that knows none has no say.
 */
uint32_t trace_countries(const struct trace *trace, struct trace_country *countries, uint32_t max);

#endif
