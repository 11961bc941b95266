/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of claims share: a term's measure, with an item of evidence left out or none. */
#ifndef HOLDFAST_TRACE_CLAIM_INSIDE_H
#define HOLDFAST_TRACE_CLAIM_INSIDE_H

#include "trace/claim.h"
#include "trace/predicate_inside.h"

#define CLAIM_CONTRADICTED_BF (1 / CLAIM_SUPPORTED_BF)
#define CLAIM_NOTHING UINT32_MAX

/* What is left out, to see how the verdict moves without it. Which a term takes notice of is the term's. */
enum claim_omit {
	CLAIM_OMIT_NOTHING,
	CLAIM_OMIT_DATABASE,
	CLAIM_OMIT_NETWORK,
	CLAIM_OMIT_RELAYS,
	CLAIM_OMIT_VERIFIED,
	CLAIM_OMIT_ITEM
};

struct claim_omission {
	enum claim_omit what;
	uint32_t which; /* database, vector, test, outage: its index; a network's number */
};

struct claim_draws; /* trace/claim_share.c */

struct claim_case {
	const struct trace *trace;
	const struct claim_context *context;
	const struct claim_draws *draws; /* NULL where nobody needs them */
	struct claim_result *scratch;    /* for what is said again and not wanted */
};

/* What a term's evidence comes to. */
struct claim_measure {
	enum claim_verdict verdict;
	double log10_bf, value, low, high;
};

/*
 * A quantity as far as it is known: between two ends, each with a law of its own; where databases or counts disagree
 * they lie apart, and what holds of one end only is not held of the quantity.
 */
enum claim_law { CLAIM_EXACT, CLAIM_BETA, CLAIM_LOG_NORMAL };
struct claim_end {
	enum claim_law law;
	double a, b; /* EXACT: the value a; BETA: a, b; LOG_NORMAL: median a, standard deviation b of the logarithm */
};

/* Share of the end's law below x, 0..1. */
double claim_end_below(const struct claim_end *end, double x);
/* The value below which `share` of it lies. */
double claim_end_quantile(const struct claim_end *end, double share);
/*
 * Holds the quantity against the node's comparison: verdict and Bayes factor of the measure, and its interval of 95 %,
 * from the low end's to the high one's.
 */
void claim_compare(const struct predicate_node *node, const struct claim_end *low, const struct claim_end *high,
                   struct claim_measure *measure);
/* The same with the interval that the measure has already. */
void claim_compare_within(const struct predicate_node *node, const struct claim_end *low, const struct claim_end *high,
                          struct claim_measure *measure);
/* Verdict from the Bayes factor, and where the interval stands: -1 below what is claimed, 1 within it, 0 neither. */
enum claim_verdict claim_decide(double log10_bf, int clear);
double claim_clamp(double log10_bf);
double claim_log10(double x);

void claim_say_reason(struct claim_result *result, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Confidence is at most so; the first of equals is named. */
void claim_cap(struct claim_result *result, enum claim_confidence most, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void claim_add_evidence(struct claim_result *result, double weight, enum claim_verdict without, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void claim_add_hypothesis(struct claim_result *result, double log10_bf, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* "12.3 %" */
#define CLAIM_NUMBER_SIZE 32
const char *claim_percent(double share, char text[CLAIM_NUMBER_SIZE]);
/* "12.3 % to 14 %", or one of them where both are told the same. */
#define CLAIM_SPAN_SIZE (2 * CLAIM_NUMBER_SIZE + 8)
const char *claim_span(double low, double high, char text[CLAIM_SPAN_SIZE]);
/* "86,400" */
const char *claim_number(double number, char text[CLAIM_NUMBER_SIZE]);

/* ---- terms: each fills verdict, log10_bf, value, low, high, evidence, caps, reason, hypotheses ---- */

/* The draws of which country's shares are made; 0 or -ENOMEM. */
int claim_draws_new(const struct trace *trace, uint64_t seed, struct claim_draws **draws);
void claim_draws_free(struct claim_draws *draws);

/* 0 or -ENOMEM. */
int claim_country(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result);
void claim_network(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result);
/* Whether sources have places at all; else says why not, with the verdict. */
bool claim_has_places(const struct claim_case *c, struct claim_result *result);
void claim_cap_places(const struct claim_case *c, struct claim_result *result);

/* 0 or -ENOMEM. */
int claim_cause(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result);
int claim_outage(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result);

void claim_spoofed(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result);
void claim_coordinated(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result);
void claim_family(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result);
void claim_quantity(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result);

#endif
