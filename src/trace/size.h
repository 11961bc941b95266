/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many sources: the largest at once and in all. Of forged ones no size is said. What is counted are addresses: many
 * devices may stand behind one, and one device may have had several.
 *
 * Where only a sample of the sources is held, each stands for `stands_for` others, and all is worked out on those held
 * and scaled. Chapman (Univ. California Publ. Stat. 1, 1951) takes it that who is in one wave is in the other no more
 * or less likely; where the same bots come again and again it says that there are hardly more. Its interval is by
 * Seber's variance (Biometrika 57, 1970) on the logarithm of those not seen (Chao, Biometrics 43, 1987), plus what the
 * sample of sources adds. Chao 1984: Scand. J. Stat. 11, bias-corrected, by packets looked at.
 */
#ifndef HOLDFAST_TRACE_SIZE_H
#define HOLDFAST_TRACE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "measure/roster.h"

struct size_estimate {
	bool known; /* false: sources were forged */
	/*
	 * most active in one second, taking it that a source sends from its first to its last packet of a wave
	 */
	uint64_t at_once;
	uint64_t in_all; /* distinct ones seen: exact while all are held, else within 1.6 % (standard error) */
	double chapman;  /* (n1+1)(n2+1)/(m+1)-1 between the two largest waves; NAN: fewer than two. Chapman 1951 */
	double chapman_low, chapman_high; /* 95 % */
	double chao1;     /* lower bound of all there are, from those seen once and twice; NAN. Chao 1984 */
	uint64_t devices; /* that invariants of packets tell apart behind these addresses; 0: they tell nothing */
};

struct size_wave {
	int64_t began_ns, ended_ns;
	/* in 100 ms: no more sources can have sent in a second than ten times this. 0: not known */
	uint64_t peak_packets;
};

struct size_input {
	const struct roster_source *sources; /* each once */
	uint32_t count;
	uint64_t stands_for; /* each of them: 1 where all are held */
	uint64_t distinct;   /* in all, counted or estimated */
	const struct size_wave
		*waves; /* as roster_source.waves counts them; later ones than ROSTER_WAVES are its last */
	uint32_t waves_count;
};

/* All but `devices`, which is 0. 0 or -ENOMEM. */
int size_make(const struct size_input *input, struct size_estimate *size);

#endif
