/* SPDX-License-Identifier: Apache-2.0 */
/* The scenarios: a name, what happens, and the function that makes it happen in a world. */
#ifndef SYNTH_SCENARIO_H
#define SYNTH_SCENARIO_H

#include "world.h"

struct scenario {
	const char *name;
	const char *help;
	bool v6;            /* can be played in IPv6 as well */
	unsigned int index; /* place in the list; chooses the platform's addresses */
	const void *row;
	void (*play)(struct world *w, const struct scenario *s);
};

/* The i-th of the list; false after the last. */
bool scenario_at(unsigned int i, struct scenario *out);
/* By name; a reflection also by its protocol alone. */
bool scenario_find(const char *name, struct scenario *out);

#endif
