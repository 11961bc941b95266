/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Did the sources act as one? Onset: how closely together they began, against what independent beginnings would give.
 * Ends, durations, overlap between waves, likeness of their packets, concentration by country and network. Numbers
 * first; the word is made of them. Of forged sources nothing of this is known.
 *
 * Beginnings: a source begins with its first packet that was looked at. Of a bot that waits for orders it comes within
 * seconds of the others'; of bots that ask for orders every so often the beginnings lie evenly over that interval;
 * people who come because they heard of something do so over minutes (onset of botnets' floods: Antonakakis et al.,
 * USENIX Security 2017, section 6; flash crowds beside them: Jung, Krishnamurthy, Rabinovich, WWW 2002). Chance alone:
 * as many independent beginnings over all of the incident, of which the fullest second, 5 s, 30 s is compared
 * (trace/chance.h). Where packets are sampled beginnings are late and ends early by about the time in which one packet
 * of a source is sampled: what is said of seconds then is too low. Of relays it is the requests' sender whose onset
 * shows.
 *
 * Overlap of two waves: Jaccard, Bull. Soc. Vaud. Sci. Nat. 37, 1901. Concentration: Herfindahl and Hirschman's index
 * (Hirschman, Am. Econ. Rev. 54, 1964); Gini, Variabilità e mutabilità, 1912.
 */
#ifndef HOLDFAST_TRACE_COORDINATION_H
#define HOLDFAST_TRACE_COORDINATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure/roster.h"
#include "measure/sample.h"

#define COORDINATION_OVERLAPS_MAX 16 /* pairs of waves that follow each other, the largest */
#define COORDINATION_SOURCES_MIN 20  /* fewer say nothing about how many act as one */

/*
 * "command": began within seconds of each other; "polling": at even distances over an interval; "crowd": over minutes,
 * as people come; "unknown": none of these, or the incident was too short for them to differ.
 */
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
	double ends_1s; /* largest share that ended within one second; NAN: it had not ended */
	/* share that lasted 60, 120, 300 or 600 s, to 2 %, of those seen in one wave; NAN: none */
	double round_duration;
	double likeness;      /* 1 - entropy of signatures / log of their number */
	double top_signature; /* share of the commonest signature */
	uint32_t overlaps_count;
	struct coordination_overlap {
		uint32_t wave, next;
		uint64_t sources, next_sources, both;
		double jaccard,
			p; /* p: of that many or more in common by chance (hypergeometric, of all sources seen) */
	} overlaps[COORDINATION_OVERLAPS_MAX];
	struct concentration by_network_sources, by_network_packets, by_country_sources, by_country_packets;
};

struct coordination_wave {
	int64_t began_ns, ended_ns;
};

/* Packets of a vector, and how many all its packets are. */
struct coordination_sample {
	const struct sample *sample;
	uint64_t packets;
};

struct coordination_input {
	const struct roster_source *sources; /* each once; all that are held, or an even sample of them */
	uint32_t count;
	int64_t began_ns, ended_ns; /* of the incident */
	bool open;                  /* it had not ended: ends are those of the input */
	uint32_t waves_count;
	const struct coordination_sample *samples; /* of vectors whose sources are among these */
	uint32_t samples_count;
};

/* All but concentrations, which are 0. 0 or -ENOMEM. */
int coordination_make(const struct coordination_input *input, struct coordination *coordination);
/* How evenly `values` share their sum. Zeros count for nobody; without any, all is NAN. Sorts them. */
void concentration_make(uint64_t *values, size_t count, struct concentration *concentration);

const char *coordination_onset_name(enum coordination_onset onset);

#endif
