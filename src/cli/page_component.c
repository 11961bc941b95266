/* SPDX-License-Identifier: Apache-2.0 */
/* What is on the status page: components, how they fare, and works that are planned. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/time.h"
#include "cli/command.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/page.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "record/components.h"
#include "tell/build.h"
#include "tell/words.h"

static const char *or_nothing(const char *text)
{
	return text ? text : "";
}

static int open_books(const struct page_options *options, struct books *books, bool write)
{
	return books_open(books, "page", options->config, options->record, write);
}

/* What the record says itself of a component goes before what books say of the record. */
static int refuse(const struct books *books, int result, const struct record_error *error)
{
	if (!error->message[0])
		return books_refuse(books, result, error);
	say_error("page", "%s%s%s", error->message, error->advice[0] ? "; " : "", error->advice);
	return COMMAND_BAD;
}

/* Ends an order that said what is to be said. */
static int close_books(struct books *books, int result, const struct record_error *error)
{
	int status = result == 0 ? output_finish() : refuse(books, result, error);

	books_close(books);
	return status;
}

static int read_time(const char *name, const char *text, int64_t *ns)
{
	struct capture_time t;

	if (!text || time_parse(text, &t) != 0)
		return options_refuse(&page_table, "--%s wants a time in UTC such as 2026-03-10T09:40:00Z", name);
	*ns = t.ns;
	return COMMAND_DONE;
}

static int read_position(const char *text, uint32_t *position)
{
	char *end = NULL;
	unsigned long number = text ? strtoul(text, &end, 10) : 0;

	if (text && (*end || number < 1 || number > COMPONENTS_MAX))
		return options_refuse(&page_table, "--position wants a number from 1 to %d", COMPONENTS_MAX);
	*position = (uint32_t)number;
	return COMMAND_DONE;
}

/* ---- components ---- */

int page_component_add(const struct page_options *options)
{
	struct component component = {
		.is_group = options->is_group,
		.showcase = !options->hidden,
		.name = { [LANGUAGE_EN] = or_nothing(options->name), [LANGUAGE_FR] = or_nothing(options->name_fr) },
		.description = { [LANGUAGE_EN] = or_nothing(options->description),
		                 [LANGUAGE_FR] = or_nothing(options->description_fr) },
		.added_ns = books_now(),
	};
	struct record_error error = { .message = "" };
	struct books books;
	int status = read_position(options->position, &component.position), result;

	if (status != COMMAND_DONE)
		return status;
	if (!component_id_ok(options->id))
		return options_refuse(&page_table, "'%.40s' cannot be an ID; write 1 to 32 of a-z, 0-9 and '-'",
		                      options->id);
	if (!options->name && !options->name_fr)
		return options_refuse(&page_table, "--name says what the public knows it by");
	if (strlen(or_nothing(options->group)) >= sizeof(component.group))
		return options_refuse(&page_table, "--group wants the ID of a group");
	(void)snprintf(component.id, sizeof(component.id), "%s", options->id);
	(void)snprintf(component.group, sizeof(component.group), "%s", or_nothing(options->group));
	status = open_books(options, &books, true);
	if (status != COMMAND_DONE)
		return status;
	result = component_add(books.ledger, &component, &error);
	if (result == 0)
		(void)printf("%s is on the page from now on\n", options->id);
	return close_books(&books, result, &error);
}

/* A component with its texts, and what it is. */
struct found {
	const char *id;
	struct component component;
	char *texts[2 * LANGUAGES];
	bool there, no_memory;
};

static int find_one(void *context, const struct component *component)
{
	struct found *found = context;

	if (strcmp(component->id, found->id) != 0)
		return 0;
	found->component = *component;
	found->there = true;
	for (unsigned i = 0; i < LANGUAGES; i++) {
		found->component.name[i] = found->texts[i] = strdup(component->name[i]);
		found->component.description[i] = found->texts[LANGUAGES + i] = strdup(component->description[i]);
		found->no_memory = found->no_memory || !found->texts[i] || !found->texts[LANGUAGES + i];
	}
	return 0;
}

static bool changes_settings(const struct page_options *options)
{
	return options->name || options->name_fr || options->description || options->description_fr || options->group ||
	       options->position || options->hidden || options->shown;
}

static int change_settings(struct books *books, const struct page_options *options, uint32_t position,
                           struct record_error *error)
{
	struct found found = { .id = options->id };
	struct component *component = &found.component;
	int result = component_each(books->ledger, false, find_one, &found, error);

	if (result == 0 && found.no_memory)
		result = -ENOMEM;
	if (result == 0 && !found.there) {
		/* Says that there is none. */
		(void)snprintf(component->id, sizeof(component->id), "%.32s", options->id);
		component->name[LANGUAGE_EN] = component->name[LANGUAGE_FR] = "?";
		component->description[LANGUAGE_EN] = component->description[LANGUAGE_FR] = "";
	}
	component->name[LANGUAGE_EN] = options->name ? options->name : component->name[LANGUAGE_EN];
	component->name[LANGUAGE_FR] = options->name_fr ? options->name_fr : component->name[LANGUAGE_FR];
	if (options->description)
		component->description[LANGUAGE_EN] = options->description;
	if (options->description_fr)
		component->description[LANGUAGE_FR] = options->description_fr;
	if (options->group)
		(void)snprintf(component->group, sizeof(component->group), "%.32s", options->group);
	component->showcase = (component->showcase && !options->hidden) || options->shown;
	component->position = position;
	component->updated_ns = books_now();
	if (result == 0)
		result = component_change(books->ledger, component, error);
	for (unsigned i = 0; i < 2 * LANGUAGES; i++)
		free(found.texts[i]);
	return result;
}

/* A state as it is typed; `added_by` is not in it. */
static struct component_state typed_state(const struct page_options *options, enum component_status status,
                                          int64_t since_ns)
{
	struct component_state state = { .status = status,
		                         .since_ns = since_ns,
		                         .cause = or_nothing(options->cause),
		                         .source = COMPONENT_SAID,
		                         .added_ns = books_now() };

	(void)snprintf(state.component, sizeof(state.component), "%.32s", options->id);
	return state;
}

static int set_state(struct books *books, const struct page_options *options, enum component_status status,
                     int64_t since_ns, struct record_error *error)
{
	char user[BOOKS_NAME_SIZE], words[WORDS_SIZE];
	struct component_state state = typed_state(options, status, since_ns);
	int result;

	state.added_by = books_user(user);
	result = component_state_add(books->ledger, &state, NULL, error);
	if (result == 0)
		(void)printf("%s: %s since %s UTC; 'holdfast page publish' says so\n", options->id,
		             component_status_name(status),
		             words_date_time((struct capture_time){ since_ns ? since_ns : state.added_ns }, words));
	return result;
}

int page_component_set(const struct page_options *options)
{
	struct record_error error = { .message = "" };
	enum component_status wanted = COMPONENT_OPERATIONAL;
	int64_t since_ns = 0; /* now */
	uint32_t position = 0;
	struct component_state state;
	struct books books;
	int status = read_position(options->position, &position), result = 0;

	if (status == COMMAND_DONE && options->since)
		status = read_time("since", options->since, &since_ns);
	if (status != COMMAND_DONE)
		return status;
	if (!options->status && !changes_settings(options))
		return options_refuse(&page_table,
		                      "what of it shall change? --status, --name, --group and others say it");
	if (options->status && !component_status_find(options->status, &wanted))
		return options_refuse(
			&page_table,
			"--status wants operational, degraded_performance, partial_outage, major_outage or "
			"under_maintenance");
	state = typed_state(options, wanted, since_ns);
	if (*component_state_wrong(&state))
		return options_refuse(&page_table, "%s", component_state_wrong(&state));
	status = open_books(options, &books, true);
	if (status != COMMAND_DONE)
		return status;
	if (changes_settings(options)) {
		result = change_settings(&books, options, position, &error);
		if (result == 0 && !options->status)
			(void)printf("%s is changed\n", options->id);
	}
	if (result == 0 && options->status)
		result = set_state(&books, options, wanted, since_ns, &error);
	return close_books(&books, result, &error);
}

int page_component_remove(const struct page_options *options)
{
	struct record_error error = { .message = "" };
	struct books books;
	int status = open_books(options, &books, true), result;

	if (status != COMMAND_DONE)
		return status;
	result = component_remove(books.ledger, options->id, books_now(), &error);
	if (result == 0)
		(void)printf("%s is no longer on the page; what was said of it stays on record\n", options->id);
	return close_books(&books, result, &error);
}

/* ---- lists ---- */

struct listing {
	struct paper paper;
	json_t *list; /* NULL: lines */
	struct ledger *ledger;
	bool any;
	struct latest {
		char id[COMPONENT_ID_SIZE];
		enum component_status status;
		int64_t since_ns;
	} states[COMPONENTS_MAX];
	unsigned states_count;
};

/* Those that are on the page alone: on record are states of all that ever were. */
static int note_component(void *context, const struct component *component)
{
	struct listing *listing = context;

	if (listing->states_count < COMPONENTS_MAX)
		(void)snprintf(listing->states[listing->states_count++].id, sizeof(component->id), "%s", component->id);
	return 0;
}

static struct latest *latest_of(struct listing *listing, const char *id)
{
	for (unsigned i = 0; i < listing->states_count; i++)
		if (strcmp(listing->states[i].id, id) == 0)
			return &listing->states[i];
	return NULL;
}

/* A state that begins later than those before it, or takes their place, is what holds. */
static int keep_latest(void *context, const struct component_state *state)
{
	struct latest *latest = latest_of(context, state->component);

	if (latest) {
		latest->status = state->status;
		latest->since_ns = state->since_ns;
	}
	return 0;
}

static void add_notes(struct draft *d, const struct component *component)
{
	const char *before = " ";

	if (!component->name[LANGUAGE_FR][0]) {
		draft_add(d, "%sno French name", before);
		before = ", ";
	}
	if (component->group[0]) {
		draft_add(d, "%sin %s", before, component->group);
		before = ", ";
	}
	if (!component->showcase)
		draft_add(d, "%shidden", before);
}

static int list_component(void *context, const struct component *component)
{
	struct listing *listing = context;
	static const struct latest none = { .status = COMPONENT_OPERATIONAL };
	const struct latest *found = latest_of(listing, component->id), *state = found ? found : &none;
	struct draft d = { .length = 0 };

	listing->any = true;
	if (listing->list)
		return json_array_append_new(
			       listing->list,
			       json_pack("{ss si so so sb sb so so so so ss so so}", "id", component->id, "position",
		                         (int)component->position, "name",
		                         build_text(component->name[LANGUAGE_EN], LEDGER_TEXT_MAX), "name_fr",
		                         build_text(component->name[LANGUAGE_FR], LEDGER_TEXT_MAX), "is_group",
		                         component->is_group, "shown", component->showcase, "group",
		                         component->group[0] ? json_string(component->group) : json_null(),
		                         "description",
		                         build_text(component->description[LANGUAGE_EN], LEDGER_TEXT_MAX),
		                         "description_fr",
		                         build_text(component->description[LANGUAGE_FR], LEDGER_TEXT_MAX), "since",
		                         build_time_or_null(state->since_ns), "status",
		                         component_status_name(state->status), "added",
		                         build_time_or_null(component->added_ns), "updated",
		                         build_time_or_null(component->updated_ns))) == 0
		               ? 0
		               : -ENOMEM;
	draft_add(&d, "%3u  " BOLD "%-16s" PLAIN " %-20s  %-24s", (unsigned)component->position, component->id,
	          component->is_group ? "group" : component_status_name(state->status),
	          component->name[LANGUAGE_EN][0] ? component->name[LANGUAGE_EN] : component->name[LANGUAGE_FR]);
	add_notes(&d, component);
	paper_line(&listing->paper, 0, d.text);
	return 0;
}

/* The caller's, with the books open; NULL with the status to end with. */
static struct listing *begin_list(const struct page_options *options, struct books *books, int *status)
{
	struct listing *listing = calloc(1, sizeof(*listing));

	*status = listing ? open_books(options, books, false) : COMMAND_BAD;
	if (*status != COMMAND_DONE) {
		free(listing);
		return NULL;
	}
	listing->paper = screen_paper(0, false);
	listing->list = options->json ? json_array() : NULL;
	return listing;
}

static int end_list(struct listing *listing, struct books *books, int result, const struct record_error *error,
                    const char *key, const char *nothing)
{
	books_close(books);
	if (result != 0) {
		json_decref(listing->list);
		return books_refuse(books, result, error);
	}
	if (listing->list)
		return order_print_json("holdfast.page/1", json_pack("{so}", key, listing->list));
	if (!listing->any)
		paper_line(&listing->paper, 0, nothing);
	return output_finish();
}

int page_component_list(const struct page_options *options)
{
	struct record_error error = { .message = "" };
	struct books books;
	int status, result;
	struct listing *listing = begin_list(options, &books, &status);

	if (!listing)
		return status;
	result = component_each(books.ledger, false, note_component, listing, &error);
	if (result == 0)
		result = component_state_each(books.ledger, NULL, keep_latest, listing, &error);
	if (result == 0)
		result = component_each(books.ledger, false, list_component, listing, &error);
	status = end_list(listing, &books, result, &error, "components",
	                  "no components; 'holdfast page component add' puts one on the page");
	free(listing);
	return status;
}

/* ---- works ---- */

int page_works_add(const struct page_options *options)
{
	char user[BOOKS_NAME_SIZE], id[LEDGER_ID_SIZE];
	struct component_works works = {
		.components = or_nothing(options->components),
		.name = { [LANGUAGE_EN] = or_nothing(options->name), [LANGUAGE_FR] = or_nothing(options->name_fr) },
		.text = { [LANGUAGE_EN] = or_nothing(options->text), [LANGUAGE_FR] = or_nothing(options->text_fr) },
		.added_ns = books_now(),
		.added_by = books_user(user),
	};
	struct record_error error = { .message = "" };
	struct books books;
	int status = read_time("from", options->from, &works.from_ns), result;

	if (status == COMMAND_DONE)
		status = read_time("to", options->to, &works.until_ns);
	if (status != COMMAND_DONE)
		return status;
	if (*component_works_wrong(&works))
		return options_refuse(&page_table, "%s", component_works_wrong(&works));
	status = open_books(options, &books, true);
	if (status != COMMAND_DONE)
		return status;
	result = component_works_add(books.ledger, &works, id, &error);
	if (result == 0)
		(void)printf("%s is planned; 'holdfast page publish' says so\n", id);
	return close_books(&books, result, &error);
}

int page_works_cancel(const struct page_options *options)
{
	struct record_error error = { .message = "" };
	char user[BOOKS_NAME_SIZE];
	struct books books;
	int status = open_books(options, &books, true), result;

	if (status != COMMAND_DONE)
		return status;
	result = component_works_cancel(books.ledger, options->id, books_now(), books_user(user), &error);
	if (result == 0)
		(void)printf("%s is cancelled\n", options->id);
	return close_books(&books, result, &error);
}

static int list_works(void *context, const struct component_works *works)
{
	struct listing *listing = context;
	char from[WORDS_SIZE], until[WORDS_SIZE];
	struct draft d = { .length = 0 };

	listing->any = true;
	if (listing->list)
		return json_array_append_new(listing->list,
		                             json_pack("{ss so so ss so so so so so so so}", "id", works->id, "from",
		                                       build_time_or_null(works->from_ns), "to",
		                                       build_time_or_null(works->until_ns), "components",
		                                       works->components, "name",
		                                       build_text(works->name[LANGUAGE_EN], LEDGER_TEXT_MAX), "name_fr",
		                                       build_text(works->name[LANGUAGE_FR], LEDGER_TEXT_MAX), "text",
		                                       build_text(works->text[LANGUAGE_EN], LEDGER_TEXT_MAX), "text_fr",
		                                       build_text(works->text[LANGUAGE_FR], LEDGER_TEXT_MAX), "added",
		                                       build_time_or_null(works->added_ns), "added_by",
		                                       build_text(works->added_by, LEDGER_TEXT_MAX), "cancelled",
		                                       build_time_or_null(works->cancelled_ns))) == 0
		               ? 0
		               : -ENOMEM;
	draft_add(&d, BOLD "%-5s" PLAIN " %s to %s  %-16s  %s%s", works->id,
	          words_date_time((struct capture_time){ works->from_ns }, from),
	          words_date_time((struct capture_time){ works->until_ns }, until), works->components,
	          works->name[LANGUAGE_EN][0] ? works->name[LANGUAGE_EN] : works->name[LANGUAGE_FR],
	          works->cancelled_ns ? " (cancelled)" : "");
	paper_line(&listing->paper, 0, d.text);
	return 0;
}

int page_works_list(const struct page_options *options)
{
	struct record_error error = { .message = "" };
	struct books books;
	int status, result;
	struct listing *listing = begin_list(options, &books, &status);

	if (!listing)
		return status;
	result = component_works_each(books.ledger, list_works, listing, &error);
	status = end_list(listing, &books, result, &error, "works", "no works are planned");
	free(listing);
	return status;
}
