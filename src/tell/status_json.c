/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page for programs, in the shapes of Statuspage's public API v2, field by field: what a client of that reads
 * there, it finds here. Texts are those of the page's first language. What a page of ours has not (a shortlink's own
 * host, a person's custom tweet) is null, as it is there.
 */
#include <errno.h>
#include <string.h>

#include "base/digest.h"
#include "tell/build.h"
#include "tell/status_inside.h"
#include "tell/webhook.h"

#define PAGE_ID_LENGTH 12

struct teller {
	const struct status_page *page;
	struct build build;
	enum language language;
	char page_id[PAGE_ID_LENGTH + 1];
};

/* A text, null where there is none in any language. */
static json_t *words(const struct teller *t, const char *const texts[LANGUAGES])
{
	enum language given;
	const char *text = status_text(t->page, texts, t->language, &given);

	return *text ? build_text(text, STATUS_TEXT_MAX) : json_null();
}

static void set(struct teller *t, json_t *object, const char *key, json_t *value)
{
	build_set(&t->build, object, key, value);
}

static void set_text(struct teller *t, json_t *object, const char *key, const char *text)
{
	set(t, object, key, build_text(text, STATUS_TEXT_MAX));
}

static json_t *page_json(struct teller *t)
{
	json_t *page = json_object();

	set_text(t, page, "id", t->page_id);
	set(t, page, "name", words(t, t->page->title));
	set_text(t, page, "url", t->page->url);
	set_text(t, page, "time_zone", "Etc/UTC");
	set(t, page, "updated_at", build_time_or_null(t->page->generated_ns));
	return page;
}

static json_t *status_json(struct teller *t)
{
	enum status_impact indicator = status_indicator(t->page);
	json_t *status = json_object();

	set_text(t, status, "indicator", status_impact_name(indicator));
	set_text(t, status, "description", status_indicator_name(indicator));
	return status;
}

/* When it last became another, or was called another. */
static int64_t updated_of(const struct status_page *page, const struct status_component *component)
{
	int64_t latest = component->updated_ns;

	for (uint32_t i = 0; i < component->changes_count; i++)
		if (component->changes[i].since_ns <= page->generated_ns && component->changes[i].since_ns > latest)
			latest = component->changes[i].since_ns;
	return latest;
}

static json_t *component_json(struct teller *t, const struct status_component *component, uint32_t position)
{
	json_t *object = json_object();
	char start[TIME_TEXT_SIZE];

	(void)time_format((struct capture_time){ component->start_ns }, start);
	start[strlen("2026-11-27")] = '\0';
	set_text(t, object, "id", component->id);
	set(t, object, "name", words(t, component->name));
	set_text(t, object, "status", component_status_name(status_of(t->page, component, t->page->generated_ns)));
	set(t, object, "created_at", build_time_or_null(component->created_ns));
	set(t, object, "updated_at", build_time_or_null(updated_of(t->page, component)));
	set(t, object, "position", json_integer(position));
	set(t, object, "description", words(t, component->description));
	set(t, object, "showcase", json_boolean(component->showcase));
	set(t, object, "start_date", component->is_group ? json_null() : json_string(start));
	set(t, object, "group_id", component->group[0] ? json_string(component->group) : json_null());
	set_text(t, object, "page_id", t->page_id);
	set(t, object, "group", json_boolean(component->is_group));
	set(t, object, "only_show_if_degraded", json_false());
	if (component->is_group) {
		json_t *members = json_array();

		for (uint32_t i = 0; i < t->page->components_count; i++)
			if (status_is_member(component, &t->page->components[i]))
				build_append(&t->build, members, json_string(t->page->components[i].id));
		set(t, object, "components", members);
	}
	return object;
}

static json_t *components_json(struct teller *t)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < t->page->components_count; i++)
		build_append(&t->build, list, component_json(t, &t->page->components[i], i + 1));
	return list;
}

static json_t *effect_json(struct teller *t, const struct status_effect *effect)
{
	const struct status_component *component = status_find(t->page, effect->component);
	json_t *object = json_object();

	set_text(t, object, "code", effect->component);
	set(t, object, "name", component ? words(t, component->name) : json_string(effect->component));
	set_text(t, object, "old_status", component_status_name(effect->before));
	set_text(t, object, "new_status", component_status_name(effect->after));
	return object;
}

static json_t *update_json(struct teller *t, const struct status_incident *incident, const struct status_update *update)
{
	json_t *object = json_object(), *effects = update->effects_count ? json_array() : json_null();

	for (uint32_t i = 0; i < update->effects_count; i++)
		build_append(&t->build, effects, effect_json(t, &update->effects[i]));
	set_text(t, object, "id", update->id);
	set_text(t, object, "status", status_phase_name(update->phase));
	set(t, object, "body", words(t, update->body));
	set_text(t, object, "incident_id", incident->id);
	set(t, object, "created_at", build_time_or_null(update->created_ns));
	set(t, object, "updated_at", build_time_or_null(update->updated_ns));
	set(t, object, "display_at", build_time_or_null(update->display_ns));
	set(t, object, "affected_components", effects);
	set(t, object, "deliver_notifications", json_true());
	return object;
}

/* Where it stands on the page of its month. */
static void set_link(struct teller *t, json_t *object, const struct status_incident *incident)
{
	struct language_time at = language_time((struct capture_time){ status_began(incident) });
	char link[512];

	(void)snprintf(link, sizeof(link), "%.300s/history/%04u-%02u.html#%.64s", t->page->url, at.year, at.month,
	               incident->id);
	set_text(t, object, "shortlink", link);
}

static json_t *incident_json(struct teller *t, const struct status_incident *incident)
{
	json_t *object = json_object(), *updates = json_array(), *components = json_array();
	uint32_t count = incident->updates_count < STATUS_UPDATES_MAX ? incident->updates_count : STATUS_UPDATES_MAX;

	for (uint32_t i = 0; i < count; i++)
		build_append(&t->build, updates, update_json(t, incident, &incident->updates[i]));
	for (uint32_t i = 0; i < incident->components_count; i++)
		for (uint32_t k = 0; k < t->page->components_count; k++)
			if (strcmp(t->page->components[k].id, incident->components[i]) == 0)
				build_append(&t->build, components, component_json(t, &t->page->components[k], k + 1));
	set_text(t, object, "id", incident->id);
	set(t, object, "name", words(t, incident->name));
	set_text(t, object, "status", status_phase_name(incident->phase));
	set(t, object, "created_at", build_time_or_null(incident->created_ns));
	set(t, object, "updated_at", build_time_or_null(incident->updated_ns));
	set(t, object, "monitoring_at", build_time_or_null(incident->monitoring_ns));
	set(t, object, "resolved_at", build_time_or_null(incident->resolved_ns));
	set_text(t, object, "impact",
	         status_is_planned(incident) ? "maintenance" : status_impact_name(incident->impact));
	set_link(t, object, incident);
	set(t, object, "started_at", build_time_or_null(incident->started_ns));
	set_text(t, object, "page_id", t->page_id);
	set(t, object, "incident_updates", updates);
	set(t, object, "components", components);
	if (status_is_planned(incident)) {
		set(t, object, "scheduled_for", build_time_or_null(incident->scheduled_from_ns));
		set(t, object, "scheduled_until", build_time_or_null(incident->scheduled_until_ns));
	}
	return object;
}

static bool is_incident(const struct status_incident *incident)
{
	return !status_is_planned(incident);
}

static bool is_unresolved(const struct status_incident *incident)
{
	return !status_is_planned(incident) && status_is_open(incident);
}

static bool is_upcoming(const struct status_incident *incident)
{
	return incident->phase == STATUS_SCHEDULED;
}

static bool is_active(const struct status_incident *incident)
{
	return incident->phase == STATUS_IN_PROGRESS || incident->phase == STATUS_VERIFYING;
}

static bool is_coming(const struct status_incident *incident)
{
	return is_upcoming(incident) || is_active(incident);
}

static json_t *incidents_json(struct teller *t, bool (*wanted)(const struct status_incident *incident))
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < t->page->incidents_count; i++)
		if (wanted(&t->page->incidents[i]))
			build_append(&t->build, list, incident_json(t, &t->page->incidents[i]));
	return list;
}

/* Lives as long as the address: clients tell pages apart by it. */
static void name_page(struct teller *t)
{
	char sum[DIGEST_SHA256_TEXT_SIZE];

	digest_sha256_text(t->page->url, strlen(t->page->url), sum);
	memcpy(t->page_id, sum, PAGE_ID_LENGTH);
}

int status_json_write(FILE *out, const struct status_page *page, enum status_json which)
{
	/* What each of them holds beside the page. */
	static const struct {
		bool status, components;
		bool (*incidents)(const struct status_incident *incident);
		bool (*planned)(const struct status_incident *incident);
	} parts[STATUS_JSONS] = {
		[STATUS_JSON_SUMMARY] = { true, true, is_unresolved, is_coming },
		[STATUS_JSON_STATUS] = { true, false, NULL, NULL },
		[STATUS_JSON_COMPONENTS] = { false, true, NULL, NULL },
		[STATUS_JSON_INCIDENTS] = { false, false, is_incident, NULL },
		[STATUS_JSON_UNRESOLVED] = { false, false, is_unresolved, NULL },
		[STATUS_JSON_MAINTENANCES] = { false, false, NULL, status_is_planned },
		[STATUS_JSON_UPCOMING] = { false, false, NULL, is_upcoming },
		[STATUS_JSON_ACTIVE] = { false, false, NULL, is_active },
	};
	struct teller t = { .page = page, .language = page->languages_count ? page->languages[0] : LANGUAGE_EN };
	json_t *root = json_object();
	int result;

	name_page(&t);
	set(&t, root, "page", page_json(&t));
	if (parts[which].components)
		set(&t, root, "components", components_json(&t));
	if (parts[which].incidents)
		set(&t, root, "incidents", incidents_json(&t, parts[which].incidents));
	if (parts[which].planned)
		set(&t, root, "scheduled_maintenances", incidents_json(&t, parts[which].planned));
	if (parts[which].status)
		set(&t, root, "status", status_json(&t));
	result = t.build.failed ? -ENOMEM : build_write(out, root);
	json_decref(root);
	return result;
}

/* ---- events ---- */

/* Statuspage's webhooks say of the page, beside what its API says of it, how it stands. */
static json_t *event_page(struct teller *t)
{
	json_t *page = page_json(t);
	enum status_impact indicator = status_indicator(t->page);

	set_text(t, page, "status_indicator", status_impact_name(indicator));
	set_text(t, page, "status_description", status_indicator_name(indicator));
	return page;
}

static void set_change(struct teller *t, json_t *root, const struct webhook_event *event, enum component_status before,
                       enum component_status after)
{
	json_t *update = json_object();

	for (uint32_t i = 0; i < t->page->components_count; i++)
		if (strcmp(t->page->components[i].id, event->component) == 0)
			set(t, root, "component", component_json(t, &t->page->components[i], i + 1));
	set_text(t, update, "id", event->id);
	set(t, update, "created_at", build_time_or_null(event->since_ns));
	set_text(t, update, "component_id", event->component);
	set_text(t, update, "old_status", component_status_name(before));
	set_text(t, update, "new_status", component_status_name(after));
	set(t, root, "component_update", update);
}

int status_event_write(FILE *out, const struct status_page *page, const struct webhook_event *event)
{
	struct teller t = { .page = page, .language = event->language };
	const struct status_incident *incident =
		event->given ? event->given : status_find_incident(page, event->incident);
	enum component_status before, after;
	json_t *root, *meta;
	int result;

	if (event->incident[0] ? !incident
	                       : !status_change_find(page, event->component, event->since_ns, &before, &after))
		return -ENOENT;
	root = json_object();
	meta = json_object();
	name_page(&t);
	set(&t, meta, "generated_at", build_time_or_null(page->generated_ns));
	set(&t, root, "meta", meta);
	set(&t, root, "page", event_page(&t));
	if (incident)
		set(&t, root, "incident", incident_json(&t, incident));
	else
		set_change(&t, root, event, before, after);
	result = t.build.failed ? -ENOMEM : build_write(out, root);
	json_decref(root);
	return result;
}
