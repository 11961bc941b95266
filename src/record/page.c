/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows come in the order in which they were added and are copied, since they live no longer than they are shown. All
 * copies are blocks in one list, which is freed with the page.
 *
 * A state takes the place of all that was said before of its time and what follows: so of a component's changes those
 * that do not begin before it are dropped, and it is put behind the rest. Works under way make maintenance of what is
 * operational.
 */
#include "record/page.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "record/components.h"
#include "record/database.h"
#include "record/ledger_inside.h"
#include "record/outages.h"
#include "record/statements.h"

_Static_assert(STATUS_TEXT_MAX >= STATEMENTS_TEXT_MAX && STATUS_TEXT_MAX >= LEDGER_TEXT_MAX,
               "every file of a page has the whole of what was published");

struct block {
	struct block *next;
	max_align_t octets[];
};

/* What a component was, being put together. */
struct course {
	struct status_change *changes;
	uint32_t count, room;
	uint64_t *outages; /* that its states named */
	uint32_t outages_count, outages_room;
};

struct page {
	struct block *blocks;
	struct status_page status;
	struct status_component *components;
	struct course *courses; /* of each component; freed when all is known */
	struct status_incident *incidents;
	struct thread *threads; /* of each incident; freed likewise */
	uint32_t incidents_room;
	struct component_works *works;
	uint32_t works_count;
	struct reports *reports; /* of each component */
	bool no_memory;
};

/* What users reported of a component, in the quarters of an hour from `from_ns` on. */
struct reports {
	uint64_t counts[PAGE_REPORTS_POINTS], sum; /* sum: once they are rounded */
};

/* An incident being put together; updates are its own, the oldest first. */
struct thread {
	uint64_t number, outage;
	struct status_update *updates;
	uint32_t count, room;
	struct ordinal {
		enum statement_kind kind;
		uint32_t number; /* how many of that kind came before */
		uint64_t first;  /* the statement that it was told by first */
	} * ordinals;
	uint32_t of[LANGUAGES][STATEMENT_KINDS];
	char component[COMPONENT_ID_SIZE];
};

/* ---- memory ---- */

static void *take(struct page *page, size_t size)
{
	struct block *block = calloc(1, sizeof(*block) + size);

	if (!block) {
		page->no_memory = true;
		return NULL;
	}
	block->next = page->blocks;
	page->blocks = block;
	return block->octets;
}

/* Never NULL. */
static const char *keep(struct page *page, const char *text)
{
	size_t size = strlen(text) + 1;
	char *kept = *text ? take(page, size) : NULL;

	if (kept)
		memcpy(kept, text, size);
	return kept ? kept : "";
}

static void keep_all(struct page *page, const char *const texts[LANGUAGES], const char *kept[LANGUAGES])
{
	for (unsigned i = 0; i < LANGUAGES; i++)
		kept[i] = keep(page, texts[i] ? texts[i] : "");
}

/* Room for one more. */
static bool grow(struct page *page, void **list, uint32_t count, uint32_t *room, size_t size)
{
	uint32_t wanted = *room ? *room * 2 : 8;
	void *grown;

	if (count < *room)
		return true;
	grown = reallocarray(*list, wanted, size);
	if (!grown) {
		page->no_memory = true;
		return false;
	}
	*list = grown;
	*room = wanted;
	return true;
}

/* ---- components ---- */

static int take_component(void *context, const struct component *row)
{
	struct page *page = context;
	struct status_component *component;

	if (page->status.components_count == COMPONENTS_MAX)
		return 0;
	component = &page->components[page->status.components_count++];
	component->id = keep(page, row->id);
	component->group = keep(page, row->group);
	component->is_group = row->is_group;
	component->showcase = row->showcase;
	component->start_ns = component->created_ns = row->added_ns;
	component->updated_ns = row->updated_ns;
	keep_all(page, row->name, component->name);
	keep_all(page, row->description, component->description);
	return page->no_memory ? -ENOMEM : 0;
}

static uint32_t place_of(const struct page *page, const char *id)
{
	uint32_t i = 0;

	while (i < page->status.components_count && strcmp(page->components[i].id, id) != 0)
		i++;
	return i;
}

static bool put_change(struct page *page, struct course *course, int64_t since_ns, enum component_status status)
{
	void *list = course->changes;

	while (course->count && course->changes[course->count - 1].since_ns >= since_ns)
		course->count--;
	if (course->count && course->changes[course->count - 1].status == status)
		return true;
	if (course->count == STATUS_CHANGES_MAX) {
		memmove(course->changes, course->changes + 1, (course->count - 1) * sizeof(*course->changes));
		course->count--;
	}
	if (!grow(page, &list, course->count, &course->room, sizeof(*course->changes)))
		return false;
	course->changes = list;
	course->changes[course->count++] = (struct status_change){ since_ns, status };
	return true;
}

static int take_state(void *context, const struct component_state *state)
{
	struct page *page = context;
	uint32_t place = place_of(page, state->component);
	struct course *course = &page->courses[place];
	void *list;

	if (place == page->status.components_count)
		return 0; /* it was removed */
	if (state->since_ns < page->components[place].start_ns)
		page->components[place].start_ns = state->since_ns;
	if (!put_change(page, course, state->since_ns, state->status))
		return -ENOMEM;
	if (!state->outage || course->outages_count == STATUS_INCIDENTS_MAX)
		return 0;
	list = course->outages;
	if (!grow(page, &list, course->outages_count, &course->outages_room, sizeof(*course->outages)))
		return -ENOMEM;
	course->outages = list;
	course->outages[course->outages_count++] = state->outage;
	return 0;
}

/* ---- planned works ---- */

static int take_works(void *context, const struct component_works *row)
{
	struct page *page = context;
	struct component_works *works;

	/* What was called off before it began is no news any more. */
	if (row->cancelled_ns && row->cancelled_ns <= row->from_ns)
		return 0;
	if (page->works_count == PAGE_WORKS_MAX) {
		memmove(page->works, page->works + 1, (PAGE_WORKS_MAX - 1) * sizeof(*page->works));
		page->works_count--;
	}
	works = &page->works[page->works_count++];
	*works = *row;
	works->components = keep(page, row->components);
	works->added_by = "";
	keep_all(page, row->name, works->name);
	keep_all(page, row->text, works->text);
	if (row->cancelled_ns && row->cancelled_ns < row->until_ns)
		works->until_ns = row->cancelled_ns;
	return page->no_memory ? -ENOMEM : 0;
}

/* Whether a list with commas names it. */
static bool names(const char *list, const char *id)
{
	size_t length = strlen(id);

	for (const char *at = list; *at; at += at[strcspn(at, ",")] ? strcspn(at, ",") + 1 : strcspn(at, ","))
		if (strcspn(at, ",") == length && strncmp(at, id, length) == 0)
			return true;
	return false;
}

/* In [from_ns, until_ns) what was operational is under maintenance. */
static bool overlay(struct page *page, struct course *course, int64_t from_ns, int64_t until_ns)
{
	struct course made = { .count = 0 };
	enum component_status before = COMPONENT_OPERATIONAL;
	bool good = true, begun = false, ended = false;

	for (uint32_t i = 0; i <= course->count && good; i++) {
		int64_t since_ns = i < course->count ? course->changes[i].since_ns : INT64_MAX;

		if (!begun && since_ns > from_ns) {
			if (before == COMPONENT_OPERATIONAL)
				good = put_change(page, &made, from_ns, COMPONENT_MAINTENANCE);
			begun = true;
		}
		if (!ended && since_ns > until_ns) {
			if (before == COMPONENT_OPERATIONAL)
				good = good && put_change(page, &made, until_ns, COMPONENT_OPERATIONAL);
			ended = true;
		}
		if (i == course->count)
			break;
		before = course->changes[i].status;
		good = good &&
		       put_change(page, &made, since_ns,
		                  begun && !ended && before == COMPONENT_OPERATIONAL ? COMPONENT_MAINTENANCE : before);
	}
	free(course->changes);
	course->changes = made.changes;
	course->count = made.count;
	course->room = made.room;
	return good;
}

static const char *const *named_components(struct page *page,
                                           bool (*is_one)(const struct page *, uint32_t, const void *), const void *of,
                                           uint32_t *count)
{
	const char **list = take(page, (page->status.components_count + 1) * sizeof(*list));

	*count = 0;
	for (uint32_t i = 0; list && i < page->status.components_count; i++)
		if (is_one(page, i, of))
			list[(*count)++] = page->components[i].id;
	return list;
}

static bool works_name(const struct page *page, uint32_t place, const void *works)
{
	return names(((const struct component_works *)works)->components, page->components[place].id);
}

static void drop_oldest(struct page *page)
{
	uint32_t left = --page->status.incidents_count;

	free(page->threads[0].updates);
	free(page->threads[0].ordinals);
	memmove(page->threads, page->threads + 1, left * sizeof(*page->threads));
	memmove(page->incidents, page->incidents + 1, left * sizeof(*page->incidents));
	page->status.incidents_left_out++;
}

static struct status_incident *new_incident(struct page *page)
{
	uint32_t threads_room = page->incidents_room;
	void *list = page->incidents, *threads = page->threads;
	struct status_incident *incident;

	if (page->status.incidents_count == PAGE_INCIDENTS_MAX)
		drop_oldest(page);
	if (!grow(page, &threads, page->status.incidents_count, &threads_room, sizeof(*page->threads)))
		return NULL;
	page->threads = threads;
	if (!grow(page, &list, page->status.incidents_count, &page->incidents_room, sizeof(*page->incidents)))
		return NULL;
	page->incidents = list;
	memset(&page->threads[page->status.incidents_count], 0, sizeof(*page->threads));
	incident = &page->incidents[page->status.incidents_count++];
	memset(incident, 0, sizeof(*incident));
	for (unsigned i = 0; i < LANGUAGES; i++)
		incident->name[i] = "";
	return incident;
}

static void put_works(struct page *page, const struct component_works *works, int64_t now_ns)
{
	struct status_incident *incident = new_incident(page);
	struct status_update *update = incident ? take(page, sizeof(*update)) : NULL;

	if (!update)
		return;
	incident->id = keep(page, works->id);
	memcpy(incident->name, works->name, sizeof(incident->name));
	incident->phase = now_ns < works->from_ns    ? STATUS_SCHEDULED
	                  : now_ns < works->until_ns ? STATUS_IN_PROGRESS
	                                             : STATUS_COMPLETED;
	incident->created_ns = works->added_ns;
	incident->updated_ns = incident->phase == STATUS_COMPLETED     ? works->until_ns
	                       : incident->phase == STATUS_IN_PROGRESS ? works->from_ns
	                                                               : works->added_ns;
	incident->updated_ns = incident->updated_ns < works->added_ns ? works->added_ns : incident->updated_ns;
	incident->started_ns = incident->scheduled_from_ns = works->from_ns;
	incident->scheduled_until_ns = works->until_ns;
	incident->resolved_ns = incident->phase == STATUS_COMPLETED ? works->until_ns : 0;
	incident->components = named_components(page, works_name, works, &incident->components_count);
	*update = (struct status_update){ .id = incident->id, .phase = STATUS_SCHEDULED };
	memcpy(update->body, works->text, sizeof(update->body));
	update->created_ns = update->updated_ns = update->display_ns = works->added_ns;
	incident->updates = update;
	incident->updates_count = 1;
	for (uint32_t i = 0; i < page->status.components_count; i++)
		if (works_name(page, i, works) && works->from_ns <= now_ns)
			(void)overlay(page, &page->courses[i], works->from_ns, works->until_ns);
}

/* ---- incidents ---- */

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
	incident = new_incident(page);
	if (!incident)
		return NULL;
	(void)snprintf(id, sizeof(id), "i%llu", (unsigned long long)one->thread);
	incident->id = keep(page, id);
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
	if (!grow(page, &ordinals, thread->count, &room, sizeof(*thread->ordinals)))
		return NULL;
	thread->ordinals = ordinals;
	if (!grow(page, &updates, thread->count, &thread->room, sizeof(*thread->updates)))
		return NULL;
	thread->updates = updates;
	thread->ordinals[thread->count] = ordinal;
	thread->updates[thread->count] = (struct status_update){ .id = keep(page, one->id),
		                                                 .correction = one->kind == STATEMENT_CORRECTION,
		                                                 .created_ns = one->published_ns,
		                                                 .display_ns = one->published_ns };
	for (unsigned i = 0; i < LANGUAGES; i++)
		thread->updates[thread->count].body[i] = "";
	return &thread->updates[thread->count++];
}

static int take_statement(void *context, const struct statements_published *one)
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
	update->body[language] = keep(page, one->text);
	update->corrected = update->corrected || one->superseded_by;
	if (one->withdrawn_ns)
		update->withdrawn = keep(page, one->why_withdrawn);
	update->updated_ns = one->withdrawn_ns > one->published_ns ? one->withdrawn_ns : one->published_ns;
	if (!one->withdrawn_ns)
		page->incidents[thread - page->threads].name[language] = keep(page, one->title);
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
	return status_of(&page->status, &page->components[place_of(page, id)], at_ns);
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

		status_times(&page->status, &page->components[place_of(page, incident->components[i])],
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
	struct status_effect *effects = take(page, (incident->components_count + 1) * sizeof(*effects));

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
	struct status_update *updates = take(page, (thread->count + 1) * sizeof(*updates));

	if (!updates || thread->count == 0)
		return;
	incident->components = named_components(page, thread_names, thread, &incident->components_count);
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
		int64_t began_ns = since(&page->courses[place_of(page, incident->components[i])], incident->created_ns);

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

/* The course of things becomes the page's own. */
static void close_components(struct page *page)
{
	for (uint32_t i = 0; i < page->status.components_count; i++) {
		struct course *course = &page->courses[i];
		struct status_change *changes = take(page, (course->count + 1) * sizeof(*changes));

		if (!changes)
			return;
		if (course->count)
			memcpy(changes, course->changes, course->count * sizeof(*changes));
		page->components[i].changes = changes;
		page->components[i].changes_count = course->count;
	}
}

static void close_all(struct page *page, int64_t now_ns)
{
	struct status_page *status = &page->status;

	close_components(page);
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

/* ---- what users reported ---- */

/* The end of the last quarter of an hour that is over, of those of the clock. */
static int64_t reports_end(int64_t now_ns)
{
	return now_ns / PAGE_REPORTS_STEP_NS * PAGE_REPORTS_STEP_NS;
}

static int take_reports(void *context, const struct report_count *count)
{
	struct page *page = context;
	uint32_t place = place_of(page, count->component);
	int64_t from_ns =
		reports_end(page->status.generated_ns) - time_times(PAGE_REPORTS_STEP_NS, PAGE_REPORTS_POINTS);

	if (place < page->status.components_count)
		page->reports[place].counts[(count->bucket_ns - from_ns) / PAGE_REPORTS_STEP_NS] += count->accepted;
	return 0;
}

static void round_reports(struct reports *reports)
{
	for (unsigned i = 0; i < PAGE_REPORTS_POINTS; i++) {
		uint64_t *count = &reports->counts[i];

		*count = *count < PAGE_REPORTS_LEAST
		                 ? 0
		                 : (*count + PAGE_REPORTS_UNIT / 2) / PAGE_REPORTS_UNIT * PAGE_REPORTS_UNIT;
		reports->sum += *count;
	}
}

static void put_reports(struct page *page, struct status_series *series, uint32_t place)
{
	const struct status_component *component = &page->components[place];
	uint64_t *values = take(page, sizeof(page->reports[place].counts));
	char id[sizeof("reports-") + COMPONENT_ID_SIZE];

	if (!values)
		return;
	memcpy(values, page->reports[place].counts, sizeof(page->reports[place].counts));
	(void)snprintf(id, sizeof(id), "reports-%s", component->id);
	series->id = keep(page, id);
	for (unsigned i = 0; i < LANGUAGES; i++) {
		char title[LEDGER_TEXT_MAX + 256];

		(void)snprintf(title, sizeof(title), "%s%s", status_reports_title((enum language)i),
		               component->name[i]);
		series->title[i] = keep(page, *component->name[i] ? title : "");
		series->meaning[i] = status_reports_meaning((enum language)i);
	}
	series->step_ns = PAGE_REPORTS_STEP_NS;
	series->count = PAGE_REPORTS_POINTS;
	series->from_ns = reports_end(page->status.generated_ns) - time_times(series->step_ns, series->count);
	series->values = values;
}

/* The components with the most first; of as many, that which is shown first. */
static void close_reports(struct page *page)
{
	struct status_page *status = &page->status;
	struct status_series *series = take(page, STATUS_SERIES_MAX * sizeof(*series));

	for (uint32_t i = 0; i < status->components_count; i++)
		if (status->components[i].showcase && !status->components[i].is_group)
			round_reports(&page->reports[i]);
	while (series && status->series_count < STATUS_SERIES_MAX) {
		uint32_t most = 0;

		for (uint32_t i = 1; i < status->components_count; i++)
			if (page->reports[i].sum > page->reports[most].sum)
				most = i;
		if (page->reports[most].sum == 0)
			break;
		put_reports(page, &series[status->series_count++], most);
		page->reports[most].sum = 0;
	}
	status->series = series;
}

/* ---- whole ---- */

static void drop_scratch(struct page *page, uint32_t threads)
{
	for (uint32_t i = 0; page->courses && i < COMPONENTS_MAX; i++) {
		free(page->courses[i].changes);
		free(page->courses[i].outages);
	}
	for (uint32_t i = 0; i < threads; i++) {
		free(page->threads[i].updates);
		free(page->threads[i].ordinals);
	}
	free(page->courses);
	free(page->threads);
	free(page->works);
	free(page->reports);
	page->reports = NULL;
	page->courses = NULL;
	page->threads = NULL;
	page->works = NULL;
}

static void take_settings(struct page *page, const struct page_settings *settings, int64_t now_ns)
{
	struct status_page *status = &page->status;

	keep_all(page, settings->title, status->title);
	status->url = keep(page, settings->url);
	status->key = keep(page, settings->key);
	for (unsigned i = 0; i < LANGUAGES; i++)
		status->report[i] = settings->report[i] ? keep(page, settings->report[i]) : NULL;
	status->subscribe = keep(page, settings->subscribe ? settings->subscribe : "");
	memcpy(status->languages, settings->languages, sizeof(status->languages));
	status->languages_count = settings->languages_count;
	status->generated_ns = now_ns;
	status->stale_ns = now_ns + settings->stale_after_ns;
	status->components = page->components;
}

static int gather(struct page *page, struct ledger *ledger, int64_t now_ns, struct record_error *error)
{
	int result = component_each(ledger, false, take_component, page, error);

	if (result == 0)
		result = component_state_each(ledger, NULL, take_state, page, error);
	if (result == 0)
		result = component_works_each(ledger, take_works, page, error);
	if (result == 0)
		result = statements_published_each(ledger, take_statement, page, error);
	for (uint32_t i = 0; i < page->works_count && result == 0; i++)
		put_works(page, &page->works[i], now_ns);
	if (result == 0)
		result =
			outages_report_each(ledger, NULL,
		                            reports_end(now_ns) - time_times(PAGE_REPORTS_STEP_NS, PAGE_REPORTS_POINTS),
		                            reports_end(now_ns), take_reports, page, error);
	return result;
}

int page_gather(struct ledger *ledger, const struct page_settings *settings, int64_t now_ns, struct page **page,
                struct record_error *error)
{
	struct page *made = calloc(1, sizeof(*made));
	int result = -ENOMEM;

	*error = (struct record_error){ .message = "there is no memory" };
	if (!made)
		return -ENOMEM;
	made->components = take(made, COMPONENTS_MAX * sizeof(*made->components));
	made->courses = calloc(COMPONENTS_MAX + 1, sizeof(*made->courses));
	made->works = calloc(PAGE_WORKS_MAX, sizeof(*made->works));
	made->reports = calloc(COMPONENTS_MAX, sizeof(*made->reports));
	if (made->components && made->courses && made->works && made->reports) {
		take_settings(made, settings, now_ns);
		result = gather(made, ledger, now_ns, error);
	}
	if (result == 0) {
		uint32_t threads = made->status.incidents_count;

		close_all(made, now_ns);
		close_reports(made);
		drop_scratch(made, threads);
		result = made->no_memory ? -ENOMEM : 0;
	} else {
		drop_scratch(made, made->threads ? made->status.incidents_count : 0);
	}
	if (result != 0) {
		page_free(made);
		return result;
	}
	*page = made;
	return 0;
}

const struct status_page *page_status(const struct page *page)
{
	return &page->status;
}

void page_free(struct page *page)
{
	if (!page)
		return;
	while (page->blocks) {
		struct block *next = page->blocks->next;

		free(page->blocks);
		page->blocks = next;
	}
	free(page->incidents);
	free(page);
}

int page_version(struct ledger *ledger, int64_t *version, struct record_error *error)
{
	/* Each of them only grows. */
	static const char sql[] =
		"SELECT (SELECT count(*) + coalesce(max(updated_ns), 0) + coalesce(max(removed_ns), 0) FROM component)"
		" + (SELECT coalesce(max(id), 0) FROM component_state)"
		" + (SELECT coalesce(max(id), 0) FROM works) + (SELECT count(*) FROM works_cancelled)"
		" + (SELECT coalesce(max(id), 0) FROM statement_act)";
	int code = database_ask(ledger->database, sql, version);

	return code == SQLITE_OK ? 0 : database_fail(error, "the record cannot be read", ledger->database, code);
}
