/* SPDX-License-Identifier: Apache-2.0 */
/* What the console's pages show of what is on the status page. */
#include <errno.h>
#include <string.h>

#include "daemon/console_gather.h"
#include "daemon/console_site.h"
#include "record/components.h"
#include "tell/facts.h"

static const char *name_of(const char *const name[LANGUAGES], const char *otherwise)
{
	return *name[LANGUAGE_EN] ? name[LANGUAGE_EN] : *name[LANGUAGE_FR] ? name[LANGUAGE_FR] : otherwise;
}

/* ---- components ---- */

static int take_component(void *context, const struct component *component)
{
	struct gathering *g = context;

	build_append(&g->build, g->list,
	             json_pack("{ss so ss sb sb}", "id", component->id, "name",
	                       console_gather_words(name_of(component->name, component->id)), "group", component->group,
	                       "is_group", component->is_group, "hidden", !component->showcase));
	return 0;
}

/* A state takes the place of all that was said before of that time and what follows: the last that has begun counts. */
static int take_state(void *context, const struct component_state *state)
{
	struct gathering *g = context;
	json_t *one;
	size_t i;

	if (state->since_ns > g->now_ns)
		return 0;
	json_array_foreach(g->list, i, one)
	{
		if (strcmp(fact_text(one, "id"), state->component) != 0)
			continue;
		build_set(&g->build, one, "status", json_string(component_status_name(state->status)));
		build_set(&g->build, one, "since", build_time_or_null(state->since_ns));
		break;
	}
	return 0;
}

static int gather_components(struct gathering *g, struct ledger *ledger, struct record_error *error)
{
	console_gather_list(g, "components");
	return component_each(ledger, false, take_component, g, error);
}

int console_facts_components(struct ledger *ledger, int64_t now_ns, json_t **json, struct record_error *error)
{
	struct gathering g = { .root = json_object(), .now_ns = now_ns };
	int result = gather_components(&g, ledger, error);

	if (result == 0)
		result = component_state_each(ledger, NULL, take_state, &g, error);
	return console_gather_done(&g, result, json);
}

/* The settings of the one that is asked for, into the root. */
static int take_settings(void *context, const struct component *component)
{
	struct gathering *g = context;

	if (strcmp(component->id, g->id) != 0)
		return 0;
	build_set(&g->build, g->root, "id", json_string(component->id));
	build_set(&g->build, g->root, "name_en", console_gather_words(component->name[LANGUAGE_EN]));
	build_set(&g->build, g->root, "name_fr", console_gather_words(component->name[LANGUAGE_FR]));
	build_set(&g->build, g->root, "description_en", console_gather_words(component->description[LANGUAGE_EN]));
	build_set(&g->build, g->root, "description_fr", console_gather_words(component->description[LANGUAGE_FR]));
	build_set(&g->build, g->root, "group", json_string(component->group));
	build_set(&g->build, g->root, "is_group", json_boolean(component->is_group));
	build_set(&g->build, g->root, "hidden", json_boolean(!component->showcase));
	return 0;
}

int console_facts_component(struct ledger *ledger, const char *id, int64_t now_ns, json_t **json,
                            struct record_error *error)
{
	struct gathering g = { .root = json_object(), .now_ns = now_ns, .id = id };
	int result = gather_components(&g, ledger, error);

	if (result == 0)
		result = component_each(ledger, false, take_settings, &g, error);
	if (result == 0 && !json_object_get(g.root, "id"))
		result = -ENOENT;
	return console_gather_done(&g, result, json);
}

/* ---- works ---- */

static const char *plan_of(const struct component_works *works, int64_t now_ns)
{
	if (works->cancelled_ns)
		return "cancelled";
	return works->until_ns <= now_ns ? "over" : works->from_ns <= now_ns ? "under_way" : "planned";
}

static int take_works(void *context, const struct component_works *works)
{
	struct gathering *g = context;

	console_gather_newest(g, json_pack("{ss so so so so ss}", "id", works->id, "name",
	                                   console_gather_words(name_of(works->name, works->id)), "from",
	                                   build_time_or_null(works->from_ns), "to",
	                                   build_time_or_null(works->until_ns), "components",
	                                   console_gather_words(works->components), "plan", plan_of(works, g->now_ns)));
	return 0;
}

int console_facts_works(struct ledger *ledger, int64_t now_ns, json_t **json, struct record_error *error)
{
	struct gathering g = { .root = json_object(), .now_ns = now_ns };
	int result = gather_components(&g, ledger, error);

	console_gather_list(&g, "works");
	if (result == 0)
		result = component_works_each(ledger, take_works, &g, error);
	return console_gather_done(&g, result, json);
}
