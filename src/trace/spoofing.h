/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Were the source addresses forged? Tests of one vector's window and roster, each with its number; one verdict. What a
 * test says holds for a flood that needs no conversation; of other vectors their kind says it.
 */
#ifndef HOLDFAST_TRACE_SPOOFING_H
#define HOLDFAST_TRACE_SPOOFING_H

#include <stdbool.h>
#include <stdint.h>

#include "detect/incident.h"

#define SPOOFING_REASONS_MAX 8
#define SPOOFING_REASON_SIZE 200
#define SPOOFING_TESTS_MAX 12
#define SPOOFING_TEST_SIZE 16

enum spoofing_verdict { SPOOFING_UNDETERMINED, SPOOFING_SPOOFED, SPOOFING_VERIFIED, SPOOFING_REFLECTORS };

/* One test with its number, beside what chance alone would give. */
struct spoofing_test {
	/*
	 * stable word: "handshakes", "bogons", "uniformity", "repeats", "networks", "hops", "dependence", "resets",
	 * "clones"
	 */
	char name[SPOOFING_TEST_SIZE];
	double value, expected;          /* in the test's own unit; NAN where it cannot be known */
	enum spoofing_verdict says;      /* SPOOFING_UNDETERMINED: nothing, or suspicion only */
	char text[SPOOFING_REASON_SIZE]; /* the same in words, with both numbers */
};

/* By verdict; adds up to 1. */
struct spoofing_shares {
	double spoofed, verified, reflectors, undetermined;
};

struct spoofing {
	enum spoofing_verdict verdict;
	struct spoofing_shares packets, sources;
	uint32_t tests_count;
	struct spoofing_test tests[SPOOFING_TESTS_MAX];
	uint32_t reasons_count;
	char reasons[SPOOFING_REASONS_MAX][SPOOFING_REASON_SIZE];
};

/* Of one part: its verdict, its tests, its shares. */
void spoofing_judge_part(const struct incident *incident, uint32_t index, struct spoofing *spoofing);
/* Verdict, tests and reasons are the largest part's, the first; shares are those of all parts together. */
void spoofing_judge(const struct incident *incident, struct spoofing *spoofing);
/*
 * Are the source addresses of a part known to be real, so that they may be listed? Of the largest part the verdict says
 * it, of others their kind, where it needs real sources.
 */
bool spoofing_sources_real(const struct spoofing *spoofing, const struct incident *incident, uint32_t part);
const char *spoofing_verdict_name(enum spoofing_verdict verdict);

#endif
