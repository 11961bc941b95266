/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of actions, as reports (holdfast.analysis/1) and the configuration write them, and which rule covers which,
 * a term at a time.
 */
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

/* Payload `narrow` fixes all that `wide` does, to the same. */
static bool payload_within(const struct match_term *narrow, const struct match_term *wide)
{
	unsigned from = wide->value.payload.from, length = wide->value.payload.length;

	return narrow->value.payload.length <= MATCH_PAYLOAD_MAX && from >= narrow->value.payload.from &&
	       from + length <= (unsigned)narrow->value.payload.from + narrow->value.payload.length &&
	       memcmp(narrow->value.payload.octets + (from - narrow->value.payload.from), wide->value.payload.octets,
	              length) == 0;
}

static bool term_covers(const struct match_term *wide, const struct match_term *narrow)
{
	if (match_term_equal(wide, narrow))
		return true;
	if (wide->field != narrow->field || wide->negated || narrow->negated)
		return false;
	if (match_takes_range(wide->field))
		return wide->value.range.low <= narrow->value.range.low &&
		       narrow->value.range.high <= wide->value.range.high;
	switch ((int)wide->field) {
	case MATCH_SRC_NET:
	case MATCH_DST_NET:
		return prefix_covers(&wide->value.prefix, &narrow->value.prefix);
	case MATCH_PAYLOAD:
		return payload_within(narrow, wide);
	default:
		return false;
	}
}

bool rule_covers(const struct rule *wide, const struct rule *narrow)
{
	if (!prefix_covers(&wide->scope, &narrow->scope))
		return false;
	for (unsigned i = 0; i < wide->match.count; i++) {
		bool held = false;

		for (unsigned j = 0; j < narrow->match.count && !held; j++)
			held = term_covers(&wide->match.terms[i], &narrow->match.terms[j]);
		if (!held)
			return false;
	}
	return true;
}
