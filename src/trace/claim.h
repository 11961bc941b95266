/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A public claim, tested. Its predicate (trace/predicate.h; doc/claims.md has the language) is held against a trace and
 * what else is on record; nothing else counts. The verdict is computed: the same trace, context and seed give the same
 * verdict on any machine, so that a third party can do it again.
 *
 *     supported     Bayes factor >= 20 and the interval clear of the threshold
 *     contradicted  Bayes factor <= 1/20 and the interval clear of it on the other side
 *     unsupported   the evidence decides neither
 *     untestable    no evidence of this kind could: who an actor is, always; geography of forged sources
 *
 * A predicate of several terms: "not" turns supported into contradicted and back; one contradicted side contradicts an
 * "and", one supported side supports an "or", and what is left open by one side stays open (Kleene's logic). But one
 * untestable term makes the whole untestable, whatever stands beside it (Bochvar's): else "spoofed or actor = X" would
 * be supported, and quoted with the name. Such a claim is to be put in parts, which `parts` has with their own
 * verdicts.
 *
 * Words of likelihood are those of ICD 203; confidence is apart from them and capped by what was seen.
 */
#ifndef HOLDFAST_TRACE_CLAIM_H
#define HOLDFAST_TRACE_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/predicate.h"
#include "trace/trace.h"

#define CLAIM_SUPPORTED_BF 20.0
#define CLAIM_EVIDENCE_MAX 16
#define CLAIM_BOOTSTRAPS 400
#define CLAIM_TEXT_SIZE 240
#define CLAIM_HYPOTHESES_MAX 8
#define CLAIM_OUTAGES_MAX 256
#define CLAIM_EVENTS_MAX 256
#define CLAIM_BASELINE_MAX 256
#define CLAIM_LOG10_BF_MAX 6.0 /* nothing is surer than a million to one: the models are not */

enum claim_verdict { CLAIM_UNSUPPORTED, CLAIM_SUPPORTED, CLAIM_CONTRADICTED, CLAIM_UNTESTABLE };
enum claim_confidence { CLAIM_LOW, CLAIM_MODERATE, CLAIM_HIGH };

/* What else is on record, beside the trace. Times are nanoseconds since the Unix epoch. */
struct claim_span {
	int64_t began_ns, ended_ns; /* ended_ns 0: it had not */
	double lost;                /* share of users who were not served, 0..1; 1 where only "out" is known */
};
enum claim_event_kind { CLAIM_OWN_CHANGE, CLAIM_PROVIDER };
struct claim_event {
	enum claim_event_kind kind;
	int64_t began_ns, ended_ns;
};
/* Where normal users connect from, or where all routed addresses are: what a country's share is to be compared with. */
struct claim_baseline {
	char country[GEO_COUNTRY_SIZE];
	double share;
};
struct claim_context {
	const struct claim_span *outages; /* measured by the platform itself; none: nothing was measured */
	uint32_t outages_count;
	const struct claim_event *events;
	uint32_t events_count;
	bool watched; /* the service was measured all the time: where there is no outage, there was none */
	int64_t measured_from_ns, measured_to_ns; /* the host itself saw how many packets it answered; 0: it did not */
	double attack_passing;                    /* share of the attack that reached the service; NAN: not known */
	const struct claim_baseline *baseline;
	uint32_t baseline_count;
};

struct claim_evidence {
	char what[CLAIM_TEXT_SIZE]; /* one item in words: "iptoasn-country: 12.1 % of 4,030 located sources" */
	double weight;              /* its log10 Bayes factor for the claim */
	enum claim_verdict without; /* what the verdict would be without it */
};

struct claim_result {
	enum claim_verdict verdict;
	double log10_bf;         /* NAN where untestable */
	double value, low, high; /* of the quantity the predicate is about, 95 %; NAN where it has none */
	double threshold;
	const char *word;   /* ICD 203: "almost no chance" … "almost certain"; "" where untestable */
	double probability; /* behind the word, with even prior odds */
	enum claim_confidence confidence;
	char cap[CLAIM_TEXT_SIZE];    /* what keeps confidence from being higher; "" */
	char reason[CLAIM_TEXT_SIZE]; /* one sentence for people */
	uint32_t evidence_count;
	struct claim_evidence evidence[CLAIM_EVIDENCE_MAX];
	uint32_t hypotheses_count; /* competing ones, least inconsistent first */
	struct claim_hypothesis {
		char what[CLAIM_TEXT_SIZE];
		double log10_bf; /* against the best one */
	} hypotheses[CLAIM_HYPOTHESES_MAX];
	/* Of a country's share: against the baseline's; NAN where there is none. */
	double quotient, quotient_low, quotient_high; /* location quotient, 95 % */
	double g2;                                    /* of a test that they are the same; 3.84 is 5 % */
	bool relays;                                  /* it is about relays of a reflection: not about attackers */
	uint32_t parts_count;                         /* of a predicate of several terms, as they come */
	struct claim_part {
		char what[CLAIM_TEXT_SIZE];
		enum claim_verdict verdict;
		double log10_bf, value, low, high, threshold;
	} parts[PREDICATE_TERMS_MAX];
};

/*
 * 0, or -ENOMEM; a result is large: on the heap. `seed` is of the bootstrap and part of what is recorded with a
 * verdict.
 */
int claim_test(const struct predicate *predicate, const struct trace *trace, const struct claim_context *context,
               uint64_t seed, struct claim_result *result);
const char *claim_verdict_name(enum claim_verdict verdict);
const char *claim_confidence_name(enum claim_confidence confidence);

#endif
