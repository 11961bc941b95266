/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of rules as a program for the kernel. It answers one question: of the rules asked about, bit r for rule r,
 * which is the first that a packet's key holds? It holds what rule_holds() of bpf/rules.h holds, rule by rule, and
 * knows nothing of what a rule does then, of time, or of which rules the key can meet at all.
 *
 * The table compares words; the program has them as constants, reads of the key only what a rule asks for, and tests
 * first what tells the most rules apart. What cannot hold has no code. It has no loops: every jump goes forward.
 */
#ifndef HOLDFAST_BENCH_MACHINE_H
#define HOLDFAST_BENCH_MACHINE_H

#include <linux/bpf.h>

#include "abi/shield.h"

/* A rule takes 185 at the most, and what leads to rules 100 in all. No jump is too far. */
#define MACHINE_INSNS_MAX 16384
#define MACHINE_NONE SHIELD_RULES_MAX        /* no rule asked about holds */
#define MACHINE_OTHER (SHIELD_RULES_MAX + 1) /* it is of another table: whoever asks looks at that */

struct machine_code {
	__u32 count;
	struct bpf_insn insns[MACHINE_INSNS_MAX];
};

/*
 * The program as a function of four arguments: the key (may be NULL: MACHINE_OTHER), anything, the rules asked about,
 * and the number of the table (config.ruleset), which must be `ruleset`. 0; -EINVAL where the table says that it has
 * more rules than there is room for.
 */
int machine_make(const struct shield_ruleset *set, __u32 ruleset, struct machine_code *code);

#endif
