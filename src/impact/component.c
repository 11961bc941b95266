/* SPDX-License-Identifier: Apache-2.0 */
#include "impact/component.h"

#include <string.h>

static const char *const words[COMPONENT_STATUSES] = {
	[COMPONENT_OPERATIONAL] = "operational",       [COMPONENT_DEGRADED] = "degraded_performance",
	[COMPONENT_PARTIAL_OUTAGE] = "partial_outage", [COMPONENT_MAJOR_OUTAGE] = "major_outage",
	[COMPONENT_MAINTENANCE] = "under_maintenance",
};

bool component_id_ok(const char *id)
{
	size_t length = strlen(id);

	return length > 0 && length < COMPONENT_ID_SIZE &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

const char *component_status_name(enum component_status status)
{
	return words[status];
}

bool component_status_find(const char *word, enum component_status *status)
{
	for (unsigned i = 0; i < COMPONENT_STATUSES; i++)
		if (strcmp(words[i], word) == 0) {
			*status = (enum component_status)i;
			return true;
		}
	return false;
}
