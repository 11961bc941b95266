/* SPDX-License-Identifier: Apache-2.0 */
/* What was published of incidents: statements of a thread become the updates of one incident, in each language. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "record/page_inside.h"

static void drop_oldest(struct page *page)
{
	uint32_t left = --page->status.incidents_count;

	free(page->threads[0].updates);
	free(page->threads[0].ordinals);
	memmove(page->threads, page->threads + 1, left * sizeof(*page->threads));
	memmove(page->incidents, page->incidents + 1, left * sizeof(*page->incidents));
	page->status.incidents_left_out++;
}

struct status_incident *page_incident_new(struct page *page)
{
	uint32_t threads_room = page->incidents_room;
	void *list = page->incidents, *threads = page->threads;
	struct status_incident *incident;

	if (page->status.incidents_count == PAGE_INCIDENTS_MAX)
		drop_oldest(page);
	if (!page_grow(page, &threads, page->status.incidents_count, &threads_room, sizeof(*page->threads)))
		return NULL;
	page->threads = threads;
	if (!page_grow(page, &list, page->status.incidents_count, &page->incidents_room, sizeof(*page->incidents)))
		return NULL;
	page->incidents = list;
	memset(&page->threads[page->status.incidents_count], 0, sizeof(*page->threads));
	incident = &page->incidents[page->status.incidents_count++];
	memset(incident, 0, sizeof(*incident));
	for (unsigned i = 0; i < LANGUAGES; i++)
		incident->name[i] = "";
	return incident;
}

/*
 * What a statement itself says of its place: the component that it names, if it is an ID; how far one has come; whose
 * words it tells.
 */
struct named {
	char component[COMPONENT_ID_SIZE];
	enum statement_phase phase;
	uint64_t translates;
};

static struct named named_of(const char *json)
{
	json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	const char *component = json_string_value(json_object_get(root, "component"));
	struct named named = { .phase = statement_phase_of(root),
		               .translates = statements_number(statement_translates(root)) };

	if (component && component_id_ok(component))
		(void)snprintf(named.component, sizeof(named.component), "%s", component);
	json_decref(root);
	return named;
}

static struct thread *thread_of(struct page *page, const struct statements_published *one)
{
	struct status_incident *incident;
	char id[LEDGER_ID_SIZE];

	for (uint32_t i = page->status.incidents_count; i-- > 0;)
		if (page->threads[i].number == one->thread)
			return &page->threads[i];
	incident = page_incident_new(page);
	if (!incident)
		return NULL;
	(void)snprintf(id, sizeof(id), "i%llu", (unsigned long long)one->thread);
	incident->id = page_keep(page, id);
	page->threads[page->status.incidents_count - 1].number = one->thread;
	return &page->threads[page->status.incidents_count - 1];
}

/* The update that it is, in one language or another. */
static struct status_update *update_of(struct page *page, struct thread *thread, const struct statements_published *one,
                                       enum language language, uint64_t translates)
{
	struct ordinal ordinal = { one->kind, 0, one->number };
	void *updates = thread->updates, *ordinals = thread->ordinals;
	uint32_t room = thread->room;

	for (uint32_t i = 0; translates && i < thread->count; i++)
		if (thread->ordinals[i].first == translates && !*thread->updates[i].body[language])
			return &thread->updates[i];
	ordinal.number = thread->of[language][one->kind]++;
	/*
	 * What was drafted by itself in each language: the first of a kind with the first, the second with the second.
	 */
	for (uint32_t i = 0; i < thread->count; i++)
		if (thread->ordinals[i].kind == ordinal.kind && thread->ordinals[i].number == ordinal.number &&
		    !*thread->updates[i].body[language])
			return &thread->updates[i];
	if (thread->count == STATUS_UPDATES_MAX) {
		memmove(thread->updates, thread->updates + 1, (thread->count - 1) * sizeof(*thread->updates));
		memmove(thread->ordinals, thread->ordinals + 1, (thread->count - 1) * sizeof(*thread->ordinals));
		thread->count--;
	}
	if (!page_grow(page, &ordinals, thread->count, &room, sizeof(*thread->ordinals)))
		return NULL;
	thread->ordinals = ordinals;
	if (!page_grow(page, &updates, thread->count, &thread->room, sizeof(*thread->updates)))
		return NULL;
	thread->updates = updates;
	thread->ordinals[thread->count] = ordinal;
	thread->updates[thread->count] = (struct status_update){ .id = page_keep(page, one->id),
		                                                 .correction = one->kind == STATEMENT_CORRECTION,
		                                                 .created_ns = one->published_ns,
		                                                 .display_ns = one->published_ns };
	for (unsigned i = 0; i < LANGUAGES; i++)
		thread->updates[thread->count].body[i] = "";
	return &thread->updates[thread->count++];
}

int page_take_statement(void *context, const struct statements_published *one)
{
	static const enum status_phase phases[STATEMENT_KINDS] = {
		[STATEMENT_FIRST_NOTICE] = STATUS_INVESTIGATING, [STATEMENT_UPDATE] = STATUS_INVESTIGATING,
		[STATEMENT_RESOLUTION] = STATUS_RESOLVED,        [STATEMENT_CORRECTION] = STATUS_INVESTIGATING,
		[STATEMENT_POSTMORTEM] = STATUS_POSTMORTEM,
	};
	static const enum status_phase said[STATEMENT_PHASES] = {
		[STATEMENT_AS_BEFORE] = STATUS_INVESTIGATING,
		[STATEMENT_IDENTIFIED] = STATUS_IDENTIFIED,
		[STATEMENT_MONITORING] = STATUS_MONITORING,
	};
	struct page *page = context;
	struct status_update *update;
	struct thread *thread;
	struct named named;
	enum language language;

	if (!statement_kind_is_public(one->kind) || !language_find(one->lang, &language))
		return 0;
	named = named_of(one->json);
	thread = thread_of(page, one);
	update = thread ? update_of(page, thread, one, language, named.translates) : NULL;
	if (!update)
		return -ENOMEM;
	thread->outage = one->outage ? one->outage : thread->outage;
	if (*named.component)
		memcpy(thread->component, named.component, sizeof(thread->component));
	update->phase = one->kind == STATEMENT_UPDATE ? said[named.phase] : phases[one->kind];
	update->body[language] = page_keep(page, one->text);
	update->corrected = update->corrected || one->superseded_by;
	if (one->withdrawn_ns)
		update->withdrawn = page_keep(page, one->why_withdrawn);
	update->updated_ns = one->withdrawn_ns > one->published_ns ? one->withdrawn_ns : one->published_ns;
	if (!one->withdrawn_ns)
		page->incidents[thread - page->threads].name[language] = page_keep(page, one->title);
	return page->no_memory ? -ENOMEM : 0;
}

static bool thread_names(const struct page *page, uint32_t place, const void *of)
{
	const struct thread *thread = of;
	const struct course *course = &page->courses[place];

	if (page->components[place].is_group)
		return false;
	for (uint32_t i = 0; thread->outage && i < course->outages_count; i++)
		if (course->outages[i] == thread->outage)
			return true;
	return strcmp(page->components[place].id, thread->component) == 0;
}

/* What a component was just then. */
static enum component_status status_at(const struct page *page, const char *id, int64_t at_ns)
{
	return status_of(&page->status, &page->components[page_place(page, id)], at_ns);
}

/* Since when it has been as it is at a time; that time, where it is operational. */
static int64_t since(const struct course *course, int64_t at_ns)
{
	int64_t since_ns = at_ns;

	for (uint32_t i = 0; i < course->count && course->changes[i].since_ns <= at_ns; i++)
		if (course->changes[i].status == COMPONENT_OPERATIONAL ||
		    course->changes[i].status == COMPONENT_MAINTENANCE)
			since_ns = at_ns;
		else if (since_ns == at_ns)
			since_ns = course->changes[i].since_ns;
	return since_ns;
}

static enum status_impact impact_of(const struct page *page, const struct status_incident *incident, int64_t until_ns)
{
	enum status_impact worst = STATUS_MINOR;

	for (uint32_t i = 0; i < incident->components_count; i++) {
		int64_t ns[COMPONENT_STATUSES];

		status_times(&page->status, &page->components[page_place(page, incident->components[i])],
		             incident->started_ns, until_ns, ns);
		for (unsigned k = 0; k < COMPONENT_STATUSES; k++) {
			enum status_impact impact = status_impact_of((enum component_status)k);

			if (ns[k] && impact > worst)
				worst = impact;
		}
	}
	return worst;
}

static void put_effects(struct page *page, struct status_incident *incident, struct status_update *update,
                        const struct status_update *before)
{
	struct status_effect *effects = page_take(page, (incident->components_count + 1) * sizeof(*effects));

	for (uint32_t i = 0; effects && i < incident->components_count; i++) {
		const char *id = incident->components[i];

		effects[i] = (struct status_effect){
			.component = id,
			.before = before ? status_at(page, id, before->display_ns) : COMPONENT_OPERATIONAL,
			.after = status_at(page, id, update->display_ns),
		};
	}
	update->effects = effects;
	update->effects_count = effects ? incident->components_count : 0;
}

static bool goes_on(enum status_phase phase)
{
	return phase == STATUS_IDENTIFIED || phase == STATUS_MONITORING;
}

/* All that follows from its updates; puts them the newest first. */
static void close_incident(struct page *page, struct status_incident *incident, struct thread *thread, int64_t now_ns)
{
	struct status_update *updates = page_take(page, (thread->count + 1) * sizeof(*updates));

	if (!updates || thread->count == 0)
		return;
	incident->components = page_components(page, thread_names, thread, &incident->components_count);
	incident->created_ns = incident->started_ns = thread->updates[0].display_ns;
	for (uint32_t i = 0; i < thread->count; i++) {
		struct status_update *update = &thread->updates[i];

		/*
		 * A correction changes what was said, not how things stand; an update that says nothing of it neither.
		 */
		if (update->correction)
			update->phase = i ? thread->updates[i - 1].phase : STATUS_INVESTIGATING;
		else if (i && update->phase == STATUS_INVESTIGATING && goes_on(thread->updates[i - 1].phase))
			update->phase = thread->updates[i - 1].phase;
		if (update->phase == STATUS_MONITORING && !incident->monitoring_ns && !update->withdrawn)
			incident->monitoring_ns = update->display_ns;
		if (update->phase == STATUS_RESOLVED && !incident->resolved_ns && !update->withdrawn)
			incident->resolved_ns = update->display_ns;
		if (update->phase < STATUS_RESOLVED && !update->withdrawn)
			incident->resolved_ns = 0;
		if (!update->withdrawn)
			incident->phase = update->phase;
		if (update->updated_ns > incident->updated_ns)
			incident->updated_ns = update->updated_ns;
	}
	/* It is over for whoever was told so; a post-mortem alone says it too. */
	if (incident->phase == STATUS_POSTMORTEM && !incident->resolved_ns)
		incident->resolved_ns = incident->updated_ns;
	for (uint32_t i = 0; i < incident->components_count; i++) {
		int64_t began_ns =
			since(&page->courses[page_place(page, incident->components[i])], incident->created_ns);

		incident->started_ns = began_ns < incident->started_ns ? began_ns : incident->started_ns;
	}
	incident->impact = impact_of(page, incident, incident->resolved_ns ? incident->resolved_ns : now_ns);
	for (uint32_t i = 0; i < thread->count; i++) {
		put_effects(page, incident, &thread->updates[i], i ? &thread->updates[i - 1] : NULL);
		updates[thread->count - 1 - i] = thread->updates[i];
	}
	incident->updates = updates;
	incident->updates_count = thread->count;
}

static int newer_first(const void *a, const void *b)
{
	const struct status_incident *x = a, *y = b;
	int64_t left = x->scheduled_from_ns ? x->scheduled_from_ns : x->started_ns;
	int64_t right = y->scheduled_from_ns ? y->scheduled_from_ns : y->started_ns;

	return left != right ? (left < right ? 1 : -1) : strcmp(y->id, x->id);
}

void page_incidents_close(struct page *page, int64_t now_ns)
{
	struct status_page *status = &page->status;

	if (page->no_memory) /* what was put together is not whole, and nobody will see it */
		return;
	for (uint32_t i = 0; i < status->incidents_count && !page->no_memory; i++)
		if (page->threads[i].number)
			close_incident(page, &page->incidents[i], &page->threads[i], now_ns);
	if (status->incidents_count)
		qsort(page->incidents, status->incidents_count, sizeof(*page->incidents), newer_first);
	if (status->incidents_count > STATUS_INCIDENTS_MAX) {
		status->incidents_left_out += status->incidents_count - STATUS_INCIDENTS_MAX;
		status->incidents_count = STATUS_INCIDENTS_MAX;
	}
	status->incidents = page->incidents;
}
