/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state takes the place of all that was said before of its time and what follows: so of a component's changes those
 * that do not begin before it are dropped, and it is put behind the rest. Works under way make maintenance of what is
 * operational.
 */
#include "record/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record/database.h"
#include "record/ledger_inside.h"
#include "record/outages.h"
#include "record/page_inside.h"

_Static_assert(STATUS_TEXT_MAX >= STATEMENTS_TEXT_MAX && STATUS_TEXT_MAX >= LEDGER_TEXT_MAX,
               "every file of a page has the whole of what was published");

struct block {
	struct block *next;
	max_align_t octets[];
};

/* ---- memory ---- */

void *page_take(struct page *page, size_t size)
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

const char *page_keep(struct page *page, const char *text)
{
	size_t size = strlen(text) + 1;
	char *kept = *text ? page_take(page, size) : NULL;

	if (kept)
		memcpy(kept, text, size);
	return kept ? kept : "";
}

static void keep_all(struct page *page, const char *const texts[LANGUAGES], const char *kept[LANGUAGES])
{
	for (unsigned i = 0; i < LANGUAGES; i++)
		kept[i] = page_keep(page, texts[i] ? texts[i] : "");
}

bool page_grow(struct page *page, void **list, uint32_t count, uint32_t *room, size_t size)
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
	component->id = page_keep(page, row->id);
	component->group = page_keep(page, row->group);
	component->is_group = row->is_group;
	component->showcase = row->showcase;
	component->start_ns = component->created_ns = row->added_ns;
	component->updated_ns = row->updated_ns;
	keep_all(page, row->name, component->name);
	keep_all(page, row->description, component->description);
	return page->no_memory ? -ENOMEM : 0;
}

uint32_t page_place(const struct page *page, const char *id)
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
	if (!page_grow(page, &list, course->count, &course->room, sizeof(*course->changes)))
		return false;
	course->changes = list;
	course->changes[course->count++] = (struct status_change){ since_ns, status };
	return true;
}

static int take_state(void *context, const struct component_state *state)
{
	struct page *page = context;
	uint32_t place = page_place(page, state->component);
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
	if (!page_grow(page, &list, course->outages_count, &course->outages_room, sizeof(*course->outages)))
		return -ENOMEM;
	course->outages = list;
	course->outages[course->outages_count++] = state->outage;
	return 0;
}

const char *const *page_components(struct page *page, bool (*is_one)(const struct page *, uint32_t, const void *),
                                   const void *of, uint32_t *count)
{
	const char **list = page_take(page, (page->status.components_count + 1) * sizeof(*list));

	*count = 0;
	for (uint32_t i = 0; list && i < page->status.components_count; i++)
		if (is_one(page, i, of))
			list[(*count)++] = page->components[i].id;
	return list;
}

/* The course of things becomes the page's own. */
static void close_components(struct page *page)
{
	for (uint32_t i = 0; i < page->status.components_count; i++) {
		struct course *course = &page->courses[i];
		struct status_change *changes = page_take(page, (course->count + 1) * sizeof(*changes));

		if (!changes)
			return;
		if (course->count)
			memcpy(changes, course->changes, course->count * sizeof(*changes));
		page->components[i].changes = changes;
		page->components[i].changes_count = course->count;
	}
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
	works->components = page_keep(page, row->components);
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

static bool works_name(const struct page *page, uint32_t place, const void *works)
{
	return names(((const struct component_works *)works)->components, page->components[place].id);
}

static void put_works(struct page *page, const struct component_works *works, int64_t now_ns)
{
	struct status_incident *incident = page_incident_new(page);
	struct status_update *update = incident ? page_take(page, sizeof(*update)) : NULL;

	if (!update)
		return;
	incident->id = page_keep(page, works->id);
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
	incident->components = page_components(page, works_name, works, &incident->components_count);
	*update = (struct status_update){ .id = incident->id, .phase = STATUS_SCHEDULED };
	memcpy(update->body, works->text, sizeof(update->body));
	update->created_ns = update->updated_ns = update->display_ns = works->added_ns;
	incident->updates = update;
	incident->updates_count = 1;
	for (uint32_t i = 0; i < page->status.components_count; i++)
		if (works_name(page, i, works) && works->from_ns <= now_ns)
			(void)overlay(page, &page->courses[i], works->from_ns, works->until_ns);
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
	status->url = page_keep(page, settings->url);
	status->key = page_keep(page, settings->key);
	for (unsigned i = 0; i < LANGUAGES; i++)
		status->report[i] = settings->report[i] ? page_keep(page, settings->report[i]) : NULL;
	status->subscribe = page_keep(page, settings->subscribe ? settings->subscribe : "");
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
		result = statements_published_each(ledger, page_take_statement, page, error);
	for (uint32_t i = 0; i < page->works_count && result == 0; i++)
		put_works(page, &page->works[i], now_ns);
	if (result == 0)
		result = outages_report_each(
			ledger, NULL, page_reports_end(now_ns) - time_times(PAGE_REPORTS_STEP_NS, PAGE_REPORTS_POINTS),
			page_reports_end(now_ns), page_take_reports, page, error);
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
	made->components = page_take(made, COMPONENTS_MAX * sizeof(*made->components));
	made->courses = calloc(COMPONENTS_MAX + 1, sizeof(*made->courses));
	made->works = calloc(PAGE_WORKS_MAX, sizeof(*made->works));
	made->reports = calloc(COMPONENTS_MAX, sizeof(*made->reports));
	if (made->components && made->courses && made->works && made->reports) {
		take_settings(made, settings, now_ns);
		result = gather(made, ledger, now_ns, error);
	}
	if (result == 0) {
		uint32_t threads = made->status.incidents_count;

		close_components(made);
		page_incidents_close(made, now_ns);
		page_reports_close(made);
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
