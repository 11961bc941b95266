/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shield without a kernel, in the place of src/shield/ and of what a role gives up: it notes what it is told, one
 * word group a line, in memory that survives a fork, and fails where it is told to.
 */
#ifndef HOLDFAST_TESTS_FAKE_SHIELD_H
#define HOLDFAST_TESTS_FAKE_SHIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "shield/shield.h"

#define FAKE_NOTES_SIZE 65536
#define FAKE_FLOOD_TURN 40 /* answers of clocks to 192.0.2.10 that nobody asked for */

struct fake {
	enum shield_origin origin;
	bool enforce; /* the mode that stands */
	uint64_t until;
	char fail[64]; /* the line at which it fails, or what it begins with; "": never */
	char fails_too[64];
	int fail_with;
	bool allowed_before; /* 198.51.100.0/24 is allowed for good, by a configuration of long ago */
	bool passing_before; /* 192.0.2.0/24 is allowed for a time, by an operator */
	uint32_t next_rule;
	bool guarded;      /* 192.0.2.7 has a way in */
	bool unsure;       /* for being connected, no more */
	bool table_stands; /* nftables has one, with what nobody else has */
	bool table_told;   /* that it is taken away is noted */
	unsigned flood;    /* samples of one that are still to come, FAKE_FLOOD_TURN with each reading … */
	bool torrent;      /* … or as many as are read */
	unsigned rule_count;
	struct shield_rule_told rules[SHIELD_RULES_MAX];
	unsigned attached_count;
	char attached[SHIELD_INTERFACES_MAX][16];
	size_t length;
	char notes[FAKE_NOTES_SIZE];
};

/* Shared between processes; made anew. */
struct fake *fake_new(void);
void fake_free(void);

#endif
