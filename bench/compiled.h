/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shield with other ways to find which rules a packet meets than its table: bench/compiled.bpf.c has the programs.
 */
#ifndef HOLDFAST_BENCH_COMPILED_H
#define HOLDFAST_BENCH_COMPILED_H

#include <stdbool.h>
#include <stdint.h>

#include "shield/shield.h"

struct compiled;

struct compiled_options {
	const char *object; /* a file: says what the way is */
	uint32_t told;      /* of COMPILED_FREE: the place of the rule that all packets meet */
	bool drop_clean;    /* XDP_DROP stands for passing */
};

/* What making code took and having the kernel take the program with it, ns, and how many instructions the code has. */
struct compiled_cost {
	uint64_t made_ns, loaded_ns;
	uint32_t insns;
};

/*
 * Loads the object over the maps of `shield`, whose program it is then in all else; of COMPILED_CODE with machine code
 * for the table that is in force now. 0 or less, and *error says why. Free with compiled_close(). One at a time.
 */
int compiled_open(const struct shield *shield, const struct compiled_options *options, struct compiled **compiled,
                  struct shield_error *error);
void compiled_close(struct compiled *compiled);
int compiled_program(const struct compiled *compiled); /* its fd */
struct compiled_cost compiled_cost(const struct compiled *compiled);

#endif
