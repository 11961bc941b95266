/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How sure one may be that a component is out, from all that speaks of it, and what may be published of that.
 *
 * Log-odds in thousandths (natural logarithm) begin at -4600, 1 %. Reports of users add at most 3000: anybody can send
 * them. Probes add or take at most 6000: two vantage points in two networks have to agree, and one that cannot see its
 * canaries says nothing. Signals of machines (answers of 5xx, browsers' reports of failures, connections) add or take
 * at most 6000.
 *
 *     reports only   17 %     "elevated user reports"
 *     probes only    80 %     "investigating"
 *     any two        98.8 %   "partial outage" or "major outage"
 */
#ifndef HOLDFAST_IMPACT_BELIEF_H
#define HOLDFAST_IMPACT_BELIEF_H

#include <stdbool.h>
#include <stdint.h>

#include "impact/count.h"

#define BELIEF_PRIOR (-4600)
#define BELIEF_REPORTS_MAX 3000
#define BELIEF_PROBES_MAX 6000
#define BELIEF_SIGNALS_MAX 6000
#define BELIEF_VANTAGES_MAX 64

enum belief_word {
	BELIEF_NOTHING,
	BELIEF_ELEVATED_REPORTS,
	BELIEF_INVESTIGATING,
	BELIEF_PARTIAL_OUTAGE,
	BELIEF_MAJOR_OUTAGE,
	BELIEF_WORDS
};

/* What kind of trouble it is, as far as signals tell. */
enum belief_fault {
	BELIEF_FAULT_UNKNOWN,
	BELIEF_DOWN,     /* nothing, or errors, from wherever one looks */
	BELIEF_SLOW,     /* it answers, and takes long */
	BELIEF_FILTERED, /* one's own filter refused users */
	BELIEF_NETWORK,  /* of the users: few networks report, and all who look from elsewhere see it well */
	BELIEF_FAULTS
};

struct belief_probe {
	char vantage[VANTAGE_SIZE];
	uint32_t network;
	uint32_t good, bad;
	uint32_t canaries, canaries_failed; /* places that surely are up, as seen from there */
};

/* All of one component and of the time that is asked about. What was not watched is 0. */
struct belief_input {
	bool alarm;                /* reports: the detector's (watch.h) */
	uint32_t ratio_milli;      /* reports against what is usual, thousandths */
	uint32_t networks_percent; /* share of reports of the network that stands out most; 0: none, or not known */
	uint32_t slow_percent;     /* share of reports that say slow */
	uint32_t probes_count;
	struct belief_probe probes[BELIEF_VANTAGES_MAX];
	struct {
		uint64_t good, bad;
		uint64_t usual_bad_milli; /* share that is usual, thousandths of a per cent */
	} signals[SIGNAL_KINDS];
	uint32_t latency_ms, usual_latency_ms; /* 0: not known */
};

struct belief {
	int32_t log_odds;                 /* thousandths */
	int32_t reports, probes, signals; /* what each has added */
	uint32_t permyriad;               /* the probability, in hundredths of a per cent */
	enum belief_word word;
	enum belief_fault fault;
	uint32_t vantages, vantages_failed, vantages_unknown; /* of probes */
};

/* Two of three places that surely are up do not answer it, or it has not looked: it says nothing. */
bool belief_probe_is_blind(const struct belief_probe *probe);
struct belief belief_of(const struct belief_input *input);
/* What a component's row of the page is to be, unless an operator says otherwise. */
enum component_status belief_status(const struct belief *belief);

/* By value, NULL behind the last. */
extern const char *const belief_word_names[BELIEF_WORDS + 1];
extern const char *const belief_fault_names[BELIEF_FAULTS + 1];
/* "nothing", "elevated_user_reports", "investigating", "partial_outage", "major_outage": stable words. */
const char *belief_word_name(enum belief_word value);
bool belief_word_find(const char *word, enum belief_word *value);
/* "unknown", "down", "slow", "own_filter", "user_network". */
const char *belief_fault_name(enum belief_fault value);
bool belief_fault_find(const char *word, enum belief_fault *value);

#endif
