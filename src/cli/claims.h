/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Public claims on record about incidents, with what came of their latest tests, for who tells of the incident. What
 * others read has those alone of which a second person has approved (ledger_approval_add()); whoever sits at the record
 * may see all, the others marked as internal.
 */
#ifndef HOLDFAST_CLI_CLAIMS_H
#define HOLDFAST_CLI_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/options.h"
#include "detect/incident_list.h"
#include "tell/analysis.h"

#define CLAIMS_TOLD_MAX 64 /* of one incident; of more the first are told, and that is said */

/* The row of --include-claims of a command whose struct has such a field. */
#define CLAIMS_ROW(type)                                                                             \
	{                                                                                            \
		.name = "include-claims", OPTION_INTO(type, include_claims),                         \
		.help = "with public claims about it and their verdicts; in what others read only\n" \
			"those that a second person has approved: 'holdfast claim approve'"          \
	}

struct claims {
	bool all; /* internal ones too */
	uint32_t count;
	struct claims_group {
		uint64_t incident;
		size_t count, approved; /* of `told`; those come first */
		struct analysis_claim *told;
		struct json_t *owner; /* of their texts */
	} groups[INCIDENT_LIST_MAX];
};

/*
 * Those of so many incidents, from the record of the configuration. COMMAND_DONE, and claims_fini() is due, or, said,
 * the exit status. Where nothing is on record there are none.
 */
int claims_load(const char *command, const char *config, const uint64_t *incidents, uint32_t count,
                struct claims *claims);
void claims_fini(struct claims *claims);
/* Of an incident, as `all` has it; borrowed. */
size_t claims_about(const struct claims *claims, uint64_t incident, const struct analysis_claim **told);
/* The same as analysis_input.claims_of wants it. */
size_t claims_of(const void *context, const struct finding *finding, const struct analysis_claim **told);
/* Says how many of them others are not told, and why. */
void claims_say_left_out(const char *command, const struct claims *claims);

#endif
