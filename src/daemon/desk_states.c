/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the components of the page are, where no operator has said otherwise. At the end of a bucket by the outage that
 * was reckoned, else by what signals say; meanwhile, within seconds, by what probes see at this moment. An outage that
 * is reckoned is only made worse by them; trouble that they alone have shown is over once nothing failed for as long as
 * they look back.
 */
#include <string.h>

#include "daemon/desk.h"
#include "daemon/log.h"
#include "record/components.h"

#define SIGNALS_NS (3 * COUNT_BUCKET_NS) /* of which it is asked what signals say now */
#define SAID_NS (3600 * NS_PER_S)        /* so long an operator's word stands against signals alone */
#define LOOK_NS NS_PER_S                 /* between two looks, at least; and four times as long as one takes */
#define LOOK_TIMES 4
#define BY "holdfast"

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

struct moment {
	int64_t now_ns;
	int64_t end_ns; /* of the bucket that has ended; 0: none has */
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

/* The outage of it that lasts; NULL: there is none. */
static const struct reckon_component *find_outage(const struct desk *desk, const char *id)
{
	for (uint32_t i = 0; i < desk->result.components_count; i++)
		if (strcmp(desk->result.components[i].id, id) == 0)
			return desk->result.components[i].outage ? &desk->result.components[i] : NULL;
	return NULL;
}

/*
 * What the operator said stands: trouble until they say that it is over; that it is over, for the outage that they
 * meant, and against signals for an hour.
 */
static bool is_said(const struct standing *standing, const struct reckon_component *outage, int64_t now_ns)
{
	const struct component_state *last = &standing->last;

	if (!standing->any || last->source != COMPONENT_SAID)
		return false;
	if (last->status != COMPONENT_OPERATIONAL)
		return true;
	return outage ? last->since_ns >= outage->began_ns : now_ns - last->since_ns < SAID_NS;
}

static enum component_status status_of(const struct standing *standing)
{
	return standing->any ? standing->last.status : COMPONENT_OPERATIONAL;
}

/* What signals say, those of probes as they are seen at this moment, where they are. */
static int see(const struct desk *desk, const struct standing *standing, const struct moment *moment,
               const struct present_view *view, enum component_status *status, struct record_error *error)
{
	int64_t to_ns = view->count > 0 ? count_bucket(moment->now_ns) + COUNT_BUCKET_NS : moment->end_ns;
	struct belief belief;
	int result = reckon_present(desk->ledger, standing->id, to_ns - SIGNALS_NS, to_ns,
	                            view->count > 0 ? view->probes : NULL, view->count, &belief, error);

	if (result != 0)
		return result;
	*status = belief_status(&belief);
	if (view->count > 0 && !view->clean && *status < status_of(standing))
		*status = status_of(standing);
	return 0;
}

/* The page is of whole seconds: what is of a later fraction of this one would not be on it. */
static int64_t this_second(int64_t ns)
{
	return ns - ns % NS_PER_S;
}

/* What it is to be; 0 or -errno. */
static int measure(const struct desk *desk, const struct standing *standing, const struct reckon_component *outage,
                   const struct moment *moment, struct component_state *state, struct record_error *error)
{
	enum component_status seen = status_of(standing);
	struct present_view view;
	int result = 0;

	present_of(&desk->present, standing->id, moment->now_ns, &view);
	/*
	 * Between the ends of buckets it stays as it is where no probes look, and an outage where they see less of it.
	 */
	if (view.count > 0 || (moment->end_ns && !outage))
		result = see(desk, standing, moment, &view, &seen, error);
	else if (moment->end_ns)
		seen = outage->status;
	if (outage && moment->end_ns && seen < outage->status)
		seen = outage->status;
	if (outage && !moment->end_ns && seen < status_of(standing))
		seen = status_of(standing);
	*state = (struct component_state){ .status = seen,
		                           .since_ns = moment->end_ns ? moment->end_ns : this_second(moment->now_ns),
		                           .cause = "",
		                           .source = COMPONENT_MEASURED,
		                           .added_ns = moment->now_ns,
		                           .added_by = BY };
	memcpy(state->component, standing->id, sizeof(state->component));
	if (seen == COMPONENT_OPERATIONAL)
		return result;
	state->outage = outage ? outage->outage : 0;
	state->cause = cause_name(outage ? outage->cause : CAUSE_UNKNOWN);
	/* From the beginning of what was found, where nothing was said since. */
	if (outage && seen == outage->status && (!standing->any || standing->last.since_ns < outage->began_ns))
		state->since_ns = outage->began_ns;
	return result;
}

static void set(struct desk *desk, const struct moment *moment)
{
	static struct standings all;
	struct record_error error = { .message = "" };
	int result;

	memset(&all, 0, sizeof(all));
	result = component_each(desk->ledger, false, add_component, &all, &error);
	if (result == 0)
		result = component_state_each(desk->ledger, NULL, add_state, &all, &error);
	desk->present_trouble = false;
	for (uint32_t i = 0; i < all.count && result == 0; i++) {
		const struct standing *standing = &all.list[i];
		const struct reckon_component *outage = find_outage(desk, standing->id);
		struct component_state state;

		if (is_said(standing, outage, moment->now_ns))
			continue;
		result = measure(desk, standing, outage, moment, &state, &error);
		desk->present_trouble = desk->present_trouble || state.status != COMPONENT_OPERATIONAL;
		if (result == 0 && state.status != status_of(standing)) {
			result = component_state_add(desk->ledger, &state, NULL, &error);
			if (result == 0)
				LOG_SAY(LOG_NOTICE, "component %s: %s", state.component,
				        component_status_name(state.status));
		}
	}
	if (result != 0)
		desk_complain(desk, "states cannot be set", result, &error);
}

void desk_states_hear(struct desk *desk, const struct serve_signals *signals, int64_t now_ns)
{
	for (uint32_t i = 0; i < signals->count; i++) {
		const struct signal_count *count = &signals->signals[i];

		present_add(&desk->present, count, now_ns);
		if (count->kind == SIGNAL_PROBE && (count->bad > 0 || desk->present_trouble))
			desk->present_news = true;
	}
}

void desk_states_set(struct desk *desk, int64_t end_ns, int64_t now_ns)
{
	set(desk, &(struct moment){ .now_ns = now_ns, .end_ns = end_ns });
}

void desk_states_look(struct desk *desk, int64_t now_ns)
{
	int64_t begun_ns = role_monotonic_ns(), took_ns;

	if (!desk->life.config.page.measured || !desk->present_news || begun_ns < desk->present_due_ns)
		return;
	desk->present_news = false;
	set(desk, &(struct moment){ .now_ns = now_ns });
	took_ns = role_monotonic_ns() - begun_ns;
	desk->present_due_ns = begun_ns + took_ns + (took_ns > LOOK_NS / LOOK_TIMES ? took_ns * LOOK_TIMES : LOOK_NS);
}
