/* SPDX-License-Identifier: Apache-2.0 */
/* The names of actions, as reports (holdfast.analysis/1) and the configuration write them. */
#include "defend/rule.h"

#include <errno.h>
#include <string.h>

static const char *const names[] = {
	[RULE_NONE] = "none",
	[RULE_DROP] = "drop",
	[RULE_RATE_LIMIT] = "rate_limit",
	[RULE_CHALLENGE] = "challenge",
};

#define NAMES (sizeof(names) / sizeof(names[0]))

const char *rule_action_name(enum rule_action action)
{
	return (unsigned)action < NAMES ? names[action] : "unknown";
}

int rule_action_parse(const char *name, enum rule_action *action)
{
	for (unsigned i = 0; i < NAMES; i++) {
		if (strcmp(name, names[i]) == 0) {
			*action = (enum rule_action)i;
			return 0;
		}
	}
	return -EINVAL;
}
