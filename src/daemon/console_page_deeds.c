/* SPDX-License-Identifier: Apache-2.0 */
/* What the console does with what is on the status page, and with what else happened. The rules are the record's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/console_site.h"
#include "record/components.h"

static void go_to(struct console_deed *deed, const char *page, const char *object)
{
	(void)snprintf(deed->go, sizeof(deed->go), "%s", page);
	(void)snprintf(deed->object, sizeof(deed->object), "%s", object);
}

/* ---- components ---- */

int console_deed_state(struct console_deed *deed)
{
	struct component_state state = { .cause = console_deed_value(deed, "cause"),
		                         .source = COMPONENT_SAID,
		                         .added_ns = deed->who.now_ns,
		                         .added_by = deed->who.name };
	const char *id = console_deed_value(deed, "component");
	int result = console_deed_time(deed, "since", &state.since_ns);

	if (result != 0)
		return result;
	if (!component_id_ok(id) || !component_status_find(console_deed_value(deed, "status"), &state.status))
		return console_deed_refuse(deed, "there is no such component, or no such state");
	(void)snprintf(state.component, sizeof(state.component), "%s", id);
	go_to(deed, "/components", id);
	return component_state_add(deed->ledger, &state, NULL, &deed->error);
}

/* What the form says of one; `id` and is_group are not in it. */
static int read_settings(struct console_deed *deed, const char *id, struct component *component)
{
	const char *group = console_deed_value(deed, "group"), *position = console_deed_value(deed, "position");
	char *end = NULL;
	unsigned long number = strtoul(position, &end, 10);

	*component = (struct component){
		.showcase = !*console_deed_value(deed, "hidden"),
		.name = { [LANGUAGE_EN] = console_deed_value(deed, "name_en"),
		          [LANGUAGE_FR] = console_deed_value(deed, "name_fr") },
		.description = { [LANGUAGE_EN] = console_deed_value(deed, "description_en"),
		                 [LANGUAGE_FR] = console_deed_value(deed, "description_fr") },
		.added_ns = deed->who.now_ns,
		.updated_ns = deed->who.now_ns,
	};
	if (*position && (*end || number < 1 || number > COMPONENTS_MAX))
		return console_deed_refuse(deed, "a position is a number from 1 to 256");
	if (!component_id_ok(id))
		return console_deed_refuse(deed, "that cannot be the ID of a component");
	if (*group && !component_id_ok(group))
		return console_deed_refuse(deed, "there is no such group");
	component->position = (uint32_t)number;
	(void)snprintf(component->id, sizeof(component->id), "%s", id);
	(void)snprintf(component->group, sizeof(component->group), "%s", group);
	return 0;
}

int console_deed_component_add(struct console_deed *deed)
{
	const char *id = console_deed_value(deed, "id");
	struct component component;
	int result = read_settings(deed, id, &component);

	if (result != 0)
		return result;
	component.is_group = *console_deed_value(deed, "is_group") != '\0';
	go_to(deed, "/components", id);
	return component_add(deed->ledger, &component, &deed->error);
}

static int take_is_group(void *context, const struct component *component)
{
	struct component *wanted = context;

	if (strcmp(component->id, wanted->id) == 0)
		wanted->is_group = component->is_group;
	return 0;
}

int console_deed_component_change(struct console_deed *deed)
{
	struct component component;
	int result = read_settings(deed, deed->object, &component);

	if (result == 0)
		result = component_each(deed->ledger, false, take_is_group, &component, &deed->error);
	(void)snprintf(deed->go, sizeof(deed->go), "/components");
	return result == 0 ? component_change(deed->ledger, &component, &deed->error) : result;
}

int console_deed_component_remove(struct console_deed *deed)
{
	(void)snprintf(deed->go, sizeof(deed->go), "/components");
	return component_remove(deed->ledger, deed->object, deed->who.now_ns, &deed->error);
}

/* ---- works ---- */

/* Those of which the form has a tick, "web,api"; -E2BIG: they are too many for a list. */
struct ticked {
	const struct console_deed *deed;
	char list[LEDGER_TEXT_MAX + 1];
	size_t length;
};

static int take_ticked(void *context, const struct component *component)
{
	struct ticked *t = context;
	char name[COMPONENT_ID_SIZE + 2];
	int added;

	(void)snprintf(name, sizeof(name), "c-%s", component->id);
	if (!*console_deed_value(t->deed, name))
		return 0;
	added = snprintf(t->list + t->length, sizeof(t->list) - t->length, "%s%s", t->length ? "," : "", component->id);
	t->length += (size_t)added;
	return t->length < sizeof(t->list) ? 0 : -E2BIG;
}

int console_deed_works_add(struct console_deed *deed)
{
	struct ticked ticked = { .deed = deed, .list = "" };
	struct component_works works = { .components = ticked.list,
		                         .name = { [LANGUAGE_EN] = console_deed_value(deed, "name_en"),
		                                   [LANGUAGE_FR] = console_deed_value(deed, "name_fr") },
		                         .text = { [LANGUAGE_EN] = console_deed_value(deed, "text_en"),
		                                   [LANGUAGE_FR] = console_deed_value(deed, "text_fr") },
		                         .added_ns = deed->who.now_ns,
		                         .added_by = deed->who.name };
	char id[LEDGER_ID_SIZE] = "";
	int result = console_deed_time(deed, "from", &works.from_ns);

	if (result == 0)
		result = console_deed_time(deed, "to", &works.until_ns);
	if (result == 0 && (works.from_ns == 0 || works.until_ns == 0))
		result = console_deed_refuse(deed, "say from when to when the works last");
	if (result == 0)
		result = component_each(deed->ledger, false, take_ticked, &ticked, &deed->error);
	if (result == -E2BIG)
		result = console_deed_refuse(deed, "these are more components than one list holds; plan several works");
	if (result == 0)
		result = component_works_add(deed->ledger, &works, id, &deed->error);
	if (result == 0)
		go_to(deed, "/works", id);
	return result;
}

int console_deed_works_cancel(struct console_deed *deed)
{
	(void)snprintf(deed->go, sizeof(deed->go), "/works");
	return component_works_cancel(deed->ledger, deed->object, deed->who.now_ns, deed->who.name, &deed->error);
}

/* ---- events ---- */

int console_deed_event(struct console_deed *deed)
{
	struct ledger_event event = { .text = console_deed_value(deed, "text"),
		                      .url = console_deed_value(deed, "url"),
		                      .added_ns = deed->who.now_ns,
		                      .added_by = deed->who.name };
	int result = console_deed_time(deed, "since", &event.began_ns);

	if (result == 0)
		result = console_deed_time(deed, "until", &event.ended_ns);
	if (result != 0)
		return result;
	if (!ledger_event_kind_find(console_deed_value(deed, "kind"), &event.kind))
		return console_deed_refuse(deed, "there is no such kind of event");
	result = ledger_event_add(deed->ledger, &event, event.id, &deed->error);
	if (result == 0)
		go_to(deed, "/events", event.id);
	return result;
}
