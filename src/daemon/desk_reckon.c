/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a bucket: outages from what was counted; what is measured of the components of the page; who is told. */
#include <unistd.h>

#include "daemon/desk.h"

static bool is_due(const struct desk *desk, int64_t now_ns, int64_t *end_ns)
{
	*end_ns = count_bucket(now_ns - DESK_GRACE_NS);
	/* A clock that was set back begins anew. */
	return *end_ns > desk->reckoned_ns || *end_ns + COUNT_BUCKET_NS < desk->reckoned_ns;
}

void desk_reckon(struct desk *desk, int64_t now_ns)
{
	struct record_error error = { .message = "" };
	int64_t end_ns;
	int result;

	if (!is_due(desk, now_ns, &end_ns))
		return;
	if (desk->queue.late != desk->late_before)
		reckoner_forget(desk->reckoner);
	desk->late_before = desk->queue.late;
	(void)alarm(ROLE_LONG_S);
	result = reckoner_run(desk->reckoner, desk->ledger, desk->life.config.state_dir, end_ns, &desk->result, &error);
	if (result != 0) {
		desk_complain(desk, "outages cannot be reckoned", result, &error);
		desk->reckoned_ns = end_ns; /* with the next bucket again */
		return;
	}
	desk->reckoned_ns = end_ns;
	desk->reckon_last_ns = now_ns;
	desk->outages_open = 0;
	for (uint32_t i = 0; i < desk->result.components_count; i++)
		desk->outages_open += desk->result.components[i].outage != 0;
	if (desk->life.config.page.measured)
		desk_states_set(desk, end_ns, now_ns);
	desk_tell_outages(desk, now_ns);
}
