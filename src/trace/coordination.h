/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Did the sources act as one? Onset: how closely together they began, against what independent beginnings would give. Ends,
 * durations, overlap between waves, likeness of their packets, concentration by country and network. Numbers first; the
 * word is made of them. Of forged sources nothing of this is known.
 */
#ifndef HOLDFAST_TRACE_COORDINATION_H
#define HOLDFAST_TRACE_COORDINATION_H

#include <stdbool.h>
#include <stdint.h>

#define COORDINATION_OVERLAPS_MAX 16 /* pairs of waves that follow each other, the largest */

/* "command": began within seconds of each other; "polling": at even distances; "crowd": over minutes, as people come. */
enum coordination_onset { ONSET_UNKNOWN, ONSET_COMMAND, ONSET_POLLING, ONSET_CROWD };

struct concentration {
	double hhi;  /* sum of squared shares (Herfindahl, Hirschman); 1/hhi: as if so many equal ones */
	double gini; /* 0 all alike, 1 one has all */
	double top;  /* the largest one's share */
};

struct coordination {
	bool known; /* false: sources were forged or too few; the rest is 0 or NAN */
	enum coordination_onset onset;
	uint64_t sources;                              /* held ones that this rests on */
	double within_1s, within_5s, within_30s;       /* largest share that began within so long */
	double expected_1s, expected_5s, expected_30s; /* the same for a Poisson process over the incident */
	double quartile_s;                             /* interquartile range of beginnings */
	double ends_1s;                                /* largest share that ended within one second */
	double round_duration;                         /* share that lasted 60, 120, 300 or 600 s, to 2 % */
	double likeness;                               /* 1 - entropy of signatures / log of their number */
	double top_signature;                          /* share of the commonest signature */
	uint32_t overlaps_count;
	struct coordination_overlap {
		uint32_t wave, next;
		uint64_t sources, next_sources, both;
		double jaccard,
			p; /* p: of that many or more in common by chance (hypergeometric, of all sources seen) */
	} overlaps[COORDINATION_OVERLAPS_MAX];
	struct concentration by_network_sources, by_network_packets, by_country_sources, by_country_packets;
};

const char *coordination_onset_name(enum coordination_onset onset);

#endif
