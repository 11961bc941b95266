/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is counted, in buckets of five minutes: reports of users, and signals of probes and machines. A bucket is named
 * by the time at which it begins, nanoseconds since the Unix epoch, a multiple of COUNT_BUCKET_NS. Counts of the same
 * cell add up.
 */
#ifndef HOLDFAST_IMPACT_COUNT_H
#define HOLDFAST_IMPACT_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "impact/component.h"

#define COUNT_BUCKET_NS (300 * NS_PER_S)
#define VANTAGE_SIZE 33 /* a component's form of name */
/*
 * Of what access logs say, so that no line counts twice: of those that `holdfast serve` reads; of other servers', put
 * in beside them.
 */
#define VANTAGE_SERVE "serve"
#define VANTAGE_BESIDE "beside"

struct report_count {
	int64_t bucket_ns;
	char component[COMPONENT_ID_SIZE];
	char region[REGION_SIZE];
	enum symptom symptom;
	enum report_source source;
	uint32_t network;  /* its AS number; 0: not known */
	uint32_t raw;      /* as they came */
	uint32_t accepted; /* of them, those that the rules of intake count: detection reads these */
	uint32_t shielded; /* of them, those that were left out because the shield was dropping their source */
};

enum signal_kind {
	SIGNAL_PROBE,       /* good, bad: checks; value: milliseconds they took, the most */
	SIGNAL_EDGE_5XX,    /* bad: answers of 5xx; good: all others */
	SIGNAL_LATENCY,     /* value: milliseconds, 90th percentile; good: answers */
	SIGNAL_CONNECTIONS, /* packets of conversations that the host answers; bad: dropped; good: passed */
	SIGNAL_NEL,         /* bad: failures that browsers report; good: successes, by their sampling fraction */
	SIGNAL_CANARY,      /* good, bad: of the places that surely are up, as that vantage point saw them */
	SIGNAL_FILTERED, /* bad: reports of users whom one's own filter had refused; good: others that were looked up */
	SIGNAL_HANDSHAKES, /* clients known from peace; good: new connections; bad: asked again and again for one */
	SIGNAL_KINDS
};

struct signal_count {
	int64_t bucket_ns;
	char component[COMPONENT_ID_SIZE];
	/* from where it was seen; "": this host; of access logs what is said above, "": put in */
	char vantage[VANTAGE_SIZE];
	enum signal_kind kind;
	uint32_t network; /* of the vantage point; 0: not known */
	uint32_t good, bad;
	uint32_t value;
};

/* The bucket that holds a time. */
static inline int64_t count_bucket(int64_t ns)
{
	int64_t rest = ns % COUNT_BUCKET_NS;

	return ns - rest - (rest < 0 ? COUNT_BUCKET_NS : 0);
}

/* "probe", "edge_5xx", "latency", "connections", "nel", "canary", "filtered", "handshakes". */
const char *signal_kind_name(enum signal_kind value);
bool signal_kind_find(const char *word, enum signal_kind *value);

#endif
