/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shield's program as it is, but for how it finds which rule a packet meets. COMPILED says how:
 *
 * COMPILED_FREE  not at all: it is told, in `told`. What is left of a packet's cost is what no way to find rules can be
 *                better than.
 * COMPILED_CODE  by machine code (bench/machine.h) that is put in the place of first_held() when the program is
 *                loaded: for each table of rules the whole of it anew. Where none is there, or it is of another table,
 *                by the table.
 *
 * That is the cheapest way to machine code there is: a call within a program, and the key stays where it is. Of the
 * ways that need no loading anew, the kernel refuses a tail call, for what makes it has more than 256 octets of stack,
 * where the key is; and replacing a loaded function (freplace) wants a kernel that can, and no dispatcher that has done
 * so with the shield itself. What either costs by itself is in bench/call.bpf.c.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/shield.h"

#define COMPILED_FREE 1
#define COMPILED_CODE 2

#define judge_rules judge_by_table
#include "bpf/rules.h"
#undef judge_rules

/* As bench/machine.h has them. */
#define NONE SHIELD_RULES_MAX
#define COMPILED_ROOM 16384
#define COMPILED_OTHER 65
_Static_assert(COMPILED_OTHER == NONE + 1, "an answer beside those for rules and for none");

#if COMPILED == COMPILED_FREE
/* The place of the rule that all packets meet; NONE: they meet none. */
const volatile __u32 told = NONE;

PARSE_INLINE __u64 judge_otherwise(const struct shield_key *key, const struct shield_ruleset *set, __u32 ruleset,
                                   const struct shield_config *c, __u64 now, __u32 frame)
{
	__u64 judged;

	(void)ruleset;
	if (told >= NONE)
		return 0;
	judged = meet_rule(&set->rules[told & (SHIELD_RULES_MAX - 1)], key, c, now, frame);
	return with_probe_remembered(judged, key, c, now);
}
#else
/*
 * Room for code, of instructions that do nothing and that the verifier takes out; then, in two instructions, what is
 * answered where there is none. bench/compiled.c puts code before the end of it; arguments are where calls have them.
 */
#define ROOM_TEXT_OF(number) #number
#define ROOM_TEXT(number) ROOM_TEXT_OF(number)
SHARED int first_held(const struct shield_key *key, const struct shield_ruleset *set, __u64 asked, __u32 ruleset)
{
	asm volatile(".rept " ROOM_TEXT(COMPILED_ROOM) "\n goto +0\n .endr"
	             :
	             : "r"(key), "r"(set), "r"(asked), "r"(ruleset));
	return COMPILED_OTHER;
}

/*
 * The rules behind the first that holds, which has not decided, by the table: they are few. `so_far` is what that said,
 * the frame's octets, and the place from which on to look.
 */
#define PLACE_SHIFT 57
APART __u64 judge_behind(const struct shield_key *key, const struct shield_ruleset *set, const struct shield_config *c,
                         __u64 now, __u64 so_far)
{
	__u64 behind = ~0ULL << (so_far >> PLACE_SHIFT & 63);

	if (!key || !set || !c)
		return 0;
	return judge_each(key, set, c, now, (__u32)(so_far >> SO_FAR_SHIFT) & 0xffff, candidates_of(set, key) & behind,
	                  SO_FAR_JUDGED(so_far));
}

PARSE_INLINE __u64 judge_otherwise(const struct shield_key *key, const struct shield_ruleset *set, __u32 ruleset,
                                   const struct shield_config *c, __u64 now, __u32 frame)
{
	__u64 candidates = candidates_of(set, key), judged = 0, from = 0;
	const struct shield_rule *rule;
	__u32 held;

	if (!candidates)
		return 0;
	held = (__u32)first_held(key, set, candidates, ruleset);
	if (held == NONE)
		return 0;
	if (held < NONE) {
		rule = &set->rules[held & (SHIELD_RULES_MAX - 1)];
		if (rule->expires > now)
			judged = meet_rule(rule, key, c, now, frame);
		from = held + 1;
	}
	if (from < SHIELD_RULES_MAX && candidates >> from && (judged == 0 || JUDGED_COUNTS(judged)))
		judged = judge_behind(key, set, c, now, judged | (__u64)frame << SO_FAR_SHIFT | from << PLACE_SHIFT);
	return with_probe_remembered(judged, key, c, now);
}
#endif

/* Where the shield's program asks, the number of the table in force is at hand. */
#define judge_rules(key, set, c, now, frame) judge_otherwise(key, set, ruleset, c, now, frame)
#include "bpf/xdp.bpf.c"
