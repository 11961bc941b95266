/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a page's components are and were. A group has no life of its own: at any moment it is the worst of what is in
 * it, and its start is the earliest of theirs.
 *
 * Times of several components at once are found by walking along the moments at which any of them changes; a page has
 * COMPONENTS_MAX of them at most, and what they are at a moment is looked up by halving.
 */
#include "tell/status.h"

#include <string.h>

#include "tell/status_inside.h"

/* From what concerns nobody to what concerns all. Works that are planned are no fault, but more than nothing. */
static const unsigned badness[COMPONENT_STATUSES] = {
	[COMPONENT_OPERATIONAL] = 0,    [COMPONENT_MAINTENANCE] = 1,  [COMPONENT_DEGRADED] = 2,
	[COMPONENT_PARTIAL_OUTAGE] = 3, [COMPONENT_MAJOR_OUTAGE] = 4,
};

enum component_status status_worse(enum component_status a, enum component_status b)
{
	return badness[b] > badness[a] ? b : a;
}

bool status_is_member(const struct status_component *group, const struct status_component *component)
{
	return !component->is_group && strcmp(component->group, group->id) == 0;
}

/* The number of changes up to `at_ns`, which is among them. */
static uint32_t changes_until(const struct status_component *component, int64_t at_ns)
{
	uint32_t low = 0, high = component->changes_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (component->changes[middle].since_ns <= at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static enum component_status status_alone(const struct status_component *component, int64_t at_ns)
{
	uint32_t count = changes_until(component, at_ns);

	return count ? component->changes[count - 1].status : COMPONENT_OPERATIONAL;
}

enum component_status status_of(const struct status_page *page, const struct status_component *component, int64_t at_ns)
{
	enum component_status worst = COMPONENT_OPERATIONAL;

	if (!component->is_group)
		return status_alone(component, at_ns);
	for (uint32_t i = 0; i < page->components_count; i++)
		if (status_is_member(component, &page->components[i]))
			worst = status_worse(worst, status_alone(&page->components[i], at_ns));
	return worst;
}

/* When it begins to be known; INT64_MAX: never, a group with nothing in it. */
static int64_t start_of(const struct status_page *page, const struct status_component *component)
{
	int64_t earliest = INT64_MAX;

	if (!component->is_group)
		return component->start_ns;
	for (uint32_t i = 0; i < page->components_count; i++)
		if (status_is_member(component, &page->components[i]) && page->components[i].start_ns < earliest)
			earliest = page->components[i].start_ns;
	return earliest;
}

static void next_alone(const struct status_component *component, int64_t at_ns, int64_t *next_ns)
{
	uint32_t count = changes_until(component, at_ns);

	if (count < component->changes_count && component->changes[count].since_ns < *next_ns)
		*next_ns = component->changes[count].since_ns;
}

/* The first moment behind `at_ns` at which it may become another, at most `end_ns`. */
static int64_t next_change(const struct status_page *page, const struct status_component *component, int64_t at_ns,
                           int64_t end_ns)
{
	int64_t next_ns = end_ns;

	if (!component->is_group)
		next_alone(component, at_ns, &next_ns);
	for (uint32_t i = 0; component->is_group && i < page->components_count; i++)
		if (status_is_member(component, &page->components[i]))
			next_alone(&page->components[i], at_ns, &next_ns);
	return next_ns;
}

void status_times(const struct status_page *page, const struct status_component *component, int64_t from_ns,
                  int64_t to_ns, int64_t ns[COMPONENT_STATUSES])
{
	int64_t start_ns = start_of(page, component);

	memset(ns, 0, COMPONENT_STATUSES * sizeof(*ns));
	for (int64_t at_ns = from_ns > start_ns ? from_ns : start_ns; at_ns < to_ns;) {
		int64_t next_ns = next_change(page, component, at_ns, to_ns);

		ns[status_of(page, component, at_ns)] += next_ns - at_ns;
		at_ns = next_ns;
	}
}

struct status_day status_day(const struct status_page *page, const struct status_component *component, unsigned ago)
{
	int64_t first = page->generated_ns / STATUS_DAY_NS * STATUS_DAY_NS;
	struct status_day day = { .from_ns = first - (int64_t)ago * STATUS_DAY_NS };
	int64_t to_ns = day.from_ns + STATUS_DAY_NS;

	to_ns = to_ns < page->generated_ns ? to_ns : page->generated_ns;
	status_times(page, component, day.from_ns, to_ns, day.ns);
	for (unsigned i = 0; i < COMPONENT_STATUSES; i++) {
		day.known_ns += day.ns[i];
		if (day.ns[i])
			day.worst = status_worse(day.worst, (enum component_status)i);
	}
	return day;
}

uint64_t status_up_ppm(const struct status_page *page, const struct status_component *component, int64_t *known_ns)
{
	int64_t first = page->generated_ns / STATUS_DAY_NS * STATUS_DAY_NS, ns[COMPONENT_STATUSES], down_ns;

	status_times(page, component, first - (STATUS_DAYS - 1) * STATUS_DAY_NS, page->generated_ns, ns);
	*known_ns = 0;
	for (unsigned i = 0; i < COMPONENT_STATUSES; i++)
		*known_ns += ns[i];
	down_ns = ns[COMPONENT_PARTIAL_OUTAGE] + ns[COMPONENT_MAJOR_OUTAGE];
	/* Milliseconds, so that the product fits; what is down at all is never nothing of it. */
	return *known_ns < NS_PER_MS
	               ? 0
	               : share_ppm((uint64_t)((*known_ns - down_ns) / NS_PER_MS), (uint64_t)(*known_ns / NS_PER_MS));
}

static const struct status_change *find_change(const struct status_component *component, int64_t since_ns,
                                               enum component_status *before)
{
	*before = COMPONENT_OPERATIONAL;
	for (uint32_t i = 0; i < component->changes_count && component->changes[i].since_ns <= since_ns; i++) {
		if (component->changes[i].since_ns == since_ns)
			return &component->changes[i];
		*before = component->changes[i].status;
	}
	return NULL;
}

bool status_change_find(const struct status_page *page, const char *component, int64_t since_ns,
                        enum component_status *before, enum component_status *after)
{
	const struct status_component *found = status_find(page, component);
	const struct status_change *change = found ? find_change(found, since_ns, before) : NULL;

	if (!change || change->status == *before)
		return false;
	*after = change->status;
	return true;
}

/* ---- of the whole ---- */

bool status_is_planned(const struct status_incident *incident)
{
	return incident->scheduled_from_ns != 0;
}

bool status_is_open(const struct status_incident *incident)
{
	return incident->phase != STATUS_RESOLVED && incident->phase != STATUS_POSTMORTEM &&
	       incident->phase != STATUS_COMPLETED;
}

enum component_status status_worst(const struct status_page *page)
{
	enum component_status worst = COMPONENT_OPERATIONAL;

	for (uint32_t i = 0; i < page->components_count; i++)
		worst = status_worse(worst, status_of(page, &page->components[i], page->generated_ns));
	return worst;
}

bool status_has_open(const struct status_page *page)
{
	for (uint32_t i = 0; i < page->incidents_count; i++)
		if (!status_is_planned(&page->incidents[i]) && status_is_open(&page->incidents[i]))
			return true;
	return false;
}

enum status_impact status_impact_of(enum component_status status)
{
	static const enum status_impact of[COMPONENT_STATUSES] = {
		[COMPONENT_OPERATIONAL] = STATUS_NONE,      [COMPONENT_MAINTENANCE] = STATUS_NONE,
		[COMPONENT_DEGRADED] = STATUS_MINOR,        [COMPONENT_PARTIAL_OUTAGE] = STATUS_MAJOR,
		[COMPONENT_MAJOR_OUTAGE] = STATUS_CRITICAL,
	};

	return of[status];
}

enum status_impact status_indicator(const struct status_page *page)
{
	enum status_impact worst = status_impact_of(status_worst(page));

	for (uint32_t i = 0; i < page->incidents_count; i++) {
		const struct status_incident *incident = &page->incidents[i];

		if (!status_is_planned(incident) && status_is_open(incident) && incident->impact > worst)
			worst = incident->impact;
	}
	return worst;
}

const struct status_component *status_find(const struct status_page *page, const char *id)
{
	for (uint32_t i = 0; i < page->components_count; i++)
		if (strcmp(page->components[i].id, id) == 0)
			return &page->components[i];
	return NULL;
}

const struct status_incident *status_find_incident(const struct status_page *page, const char *id)
{
	for (uint32_t i = 0; i < page->incidents_count; i++)
		if (strcmp(page->incidents[i].id, id) == 0)
			return &page->incidents[i];
	return NULL;
}

const char *status_text(const struct status_page *page, const char *const texts[LANGUAGES], enum language wanted,
                        enum language *given)
{
	*given = wanted;
	if (texts[wanted] && texts[wanted][0])
		return texts[wanted];
	for (uint32_t i = 0; i < page->languages_count; i++) {
		*given = page->languages[i];
		if (texts[*given] && texts[*given][0])
			return texts[*given];
	}
	for (unsigned i = 0; i < LANGUAGES; i++) {
		*given = (enum language)i;
		if (texts[i] && texts[i][0])
			return texts[i];
	}
	*given = wanted;
	return "";
}

int64_t status_began(const struct status_incident *incident)
{
	return status_is_planned(incident) ? incident->scheduled_from_ns : incident->started_ns;
}

unsigned status_months(const struct status_page *page, struct status_month months[STATUS_MONTHS_MAX])
{
	unsigned count = 0;

	for (uint32_t i = 0; i < page->incidents_count; i++) {
		struct language_time at = language_time((struct capture_time){ status_began(&page->incidents[i]) });
		struct status_month month = { at.year, at.month, 1 };
		unsigned place = 0;

		while (place < count && (months[place].year > month.year ||
		                         (months[place].year == month.year && months[place].month > month.month)))
			place++;
		if (place < count && months[place].year == month.year && months[place].month == month.month) {
			months[place].incidents++;
			continue;
		}
		if (place == STATUS_MONTHS_MAX)
			continue;
		count += count < STATUS_MONTHS_MAX;
		memmove(&months[place + 1], &months[place], (count - 1 - place) * sizeof(months[0]));
		months[place] = month;
	}
	return count;
}
