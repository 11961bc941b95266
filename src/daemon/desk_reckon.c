/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a bucket: outages from what was counted, and what follows from them. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/desk.h"
#include "daemon/log.h"

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
	(void)alarm(ROLE_LONG_S);
	result = reckon(desk->ledger, desk->life.config.state_dir, end_ns, &desk->result, &error);
	if (result != 0) {
		desk_complain(desk, "outages cannot be reckoned", result, &error);
		return;
	}
	desk->reckoned_ns = end_ns;
	desk->reckon_last_ns = now_ns;
}
