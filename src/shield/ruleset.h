/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules in the form of the kernel's table (abi/shield.h). Pure: what a rule says becomes masks and ranges, or a reason
 * why the table cannot say it.
 */
#ifndef HOLDFAST_SHIELD_RULESET_H
#define HOLDFAST_SHIELD_RULESET_H

#include "abi/shield.h"
#include "defend/rule.h"
#include "shield/shield.h"

/*
 * 0; -EOPNOTSUPP where the rule has more ranges or negated terms than the table has room for, or an action that the
 * shield does not know. expires, counter, flags, arm_pps and hold are left to the caller. A rule that no packet can
 * meet is one that holds for none.
 */
int ruleset_compile_rule(const struct rule *rule, struct shield_rule *compiled, struct shield_error *error);

/* Appends to the table: the bit vectors follow, all but by_other. -ENOSPC. `set` begins as zeros. */
int ruleset_add(struct shield_ruleset *set, const struct shield_rule *rule);
/* Behind the last that is added: what by_other is of, and that vector. Until then no packet meets any rule. */
void ruleset_finish(struct shield_ruleset *set);

#endif
