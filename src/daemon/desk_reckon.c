/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a bucket: outages from what was counted; what is measured of the components of the page; who is told. */
#include <string.h>
#include <unistd.h>

#include "daemon/desk.h"
#include "daemon/log.h"
#include "record/components.h"

#define SIGNALS_NS (3 * COUNT_BUCKET_NS) /* of which it is asked what signals say now */
#define SAID_NS (3600 * NS_PER_S)        /* so long an operator's word stands against signals alone */
#define BY "holdfast"

static bool is_due(const struct desk *desk, int64_t now_ns, int64_t *end_ns)
{
	*end_ns = count_bucket(now_ns - DESK_GRACE_NS);
	/* A clock that was set back begins anew. */
	return *end_ns > desk->reckoned_ns || *end_ns + COUNT_BUCKET_NS < desk->reckoned_ns;
}

/* ---- what is measured ---- */

/* A component of the page, and how it stands by the record. */
struct standing {
	char id[COMPONENT_ID_SIZE];
	struct component_state last; /* texts are not kept */
	bool any;
};

struct standings {
	uint32_t count;
	struct standing list[COMPONENTS_MAX];
};

static int add_component(void *context, const struct component *component)
{
	struct standings *all = context;

	if (!component->is_group && all->count < COMPONENTS_MAX)
		memcpy(all->list[all->count++].id, component->id, COMPONENT_ID_SIZE);
	return 0;
}

static int add_state(void *context, const struct component_state *state)
{
	struct standings *all = context;

	for (uint32_t i = 0; i < all->count; i++)
		if (strcmp(all->list[i].id, state->component) == 0) {
			all->list[i].last = *state;
			all->list[i].any = true;
		}
	return 0;
}

static const struct reckon_component *find(const struct desk *desk, const char *id)
{
	for (uint32_t i = 0; i < desk->result.components_count; i++)
		if (strcmp(desk->result.components[i].id, id) == 0)
			return &desk->result.components[i];
	return NULL;
}

/*
 * What the operator said stands: trouble until they say that it is over; that it is over, for the outage that they meant, and
 * against signals for an hour.
 */
static bool is_said(const struct standing *standing, const struct reckon_component *reckoned, int64_t now_ns)
{
	const struct component_state *last = &standing->last;

	if (!standing->any || last->source != COMPONENT_SAID)
		return false;
	if (last->status != COMPONENT_OPERATIONAL)
		return true;
	return reckoned && reckoned->outage ? last->since_ns >= reckoned->began_ns : now_ns - last->since_ns < SAID_NS;
}

/* What it is to be; 0 or -errno. */
static int measure(struct desk *desk, const struct standing *standing, const struct reckon_component *reckoned,
                   int64_t end_ns, struct component_state *state, struct record_error *error)
{
	struct belief belief;
	int result;

	*state = (struct component_state){
		.since_ns = end_ns, .cause = "", .source = COMPONENT_MEASURED, .added_ns = end_ns, .added_by = BY
	};
	memcpy(state->component, standing->id, sizeof(state->component));
	if (reckoned && reckoned->outage) {
		state->status = reckoned->status;
		state->outage = reckoned->outage;
		state->cause = cause_name(reckoned->cause);
		/* From the beginning of what was found, where nothing was said since. */
		if (!standing->any || standing->last.since_ns < reckoned->began_ns)
			state->since_ns = reckoned->began_ns;
	} else {
		result = reckon_signals(desk->ledger, standing->id, end_ns - SIGNALS_NS, end_ns, &belief, error);
		if (result != 0)
			return result;
		state->status = belief_status(&belief);
		state->cause = state->status == COMPONENT_OPERATIONAL ? "" : cause_name(CAUSE_UNKNOWN);
	}
	if (state->status == COMPONENT_OPERATIONAL) {
		state->outage = 0;
		state->cause = "";
		state->since_ns = end_ns;
	}
	return 0;
}

static void set_states(struct desk *desk, int64_t end_ns)
{
	static struct standings all;
	struct record_error error = { .message = "" };
	int result;

	memset(&all, 0, sizeof(all));
	result = component_each(desk->ledger, false, add_component, &all, &error);
	if (result == 0)
		result = component_state_each(desk->ledger, NULL, add_state, &all, &error);
	for (uint32_t i = 0; i < all.count && result == 0; i++) {
		const struct standing *standing = &all.list[i];
		const struct reckon_component *reckoned = find(desk, standing->id);
		struct component_state state;

		if (is_said(standing, reckoned, end_ns))
			continue;
		result = measure(desk, standing, reckoned, end_ns, &state, &error);
		if (result == 0 && state.status != (standing->any ? standing->last.status : COMPONENT_OPERATIONAL)) {
			result = component_state_add(desk->ledger, &state, NULL, &error);
			LOG_SAY(LOG_NOTICE, "component %s: %s", state.component, component_status_name(state.status));
		}
	}
	if (result != 0)
		desk_complain(desk, "states cannot be set", result, &error);
}

/* ---- the end of a bucket ---- */

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
		set_states(desk, end_ns);
	desk_tell_outages(desk, now_ns);
}
