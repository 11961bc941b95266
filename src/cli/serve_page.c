/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/serve_page.h"

#include <string.h>

#include "base/time.h"
#include "cli/command.h"
#include "cli/now.h"
#include "cli/place.h"
#include "daemon/serve_state.h"
#include "tell/facts.h"
#include "tell/words.h"

#define HANG 7

json_t *serve_page_find(const char *config, bool *wanted)
{
	struct config read;
	json_t *state = NULL;

	*wanted = false;
	if (place_configuration("status", config, &read) != COMMAND_DONE)
		return NULL;
	*wanted = serve_state_read(read.run_dir, &state) == 0 || read.page.directory[0];
	config_fini(&read);
	return state;
}

static const json_t *find_role(const json_t *state, const char *name)
{
	const json_t *roles = json_object_get(state, "roles"), *role;
	size_t i;

	json_array_foreach(roles, i, role)
	{
		if (strcmp(fact_text(role, "name"), name) == 0)
			return role;
	}
	return NULL;
}

static uint64_t counter(const json_t *role, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(json_object_get(role, "counters"), name));

	return value > 0 ? (uint64_t)value : 0;
}

/* Which roles are up, and how often the others began anew. */
static void write_roles(const struct paper *paper, const json_t *state)
{
	const json_t *roles = json_object_get(state, "roles"), *role;
	struct draft d = { .length = 0 };
	size_t i;

	draft_add(&d, "SERVE  pid %lld", (long long)json_integer_value(json_object_get(state, "pid")));
	json_array_foreach(roles, i, role)
	{
		bool up = json_is_true(json_object_get(role, "up")) && json_is_true(json_object_get(role, "ready"));
		long long restarts = json_integer_value(json_object_get(role, "restarts"));

		draft_add(&d, "%s%s %s", i ? ", " : "; ", fact_text(role, "name"),
		          up ? GREEN "up" PLAIN : RED "down" PLAIN);
		if (restarts)
			draft_add(&d, " (began anew %lld time%s)", restarts, restarts == 1 ? "" : "s");
	}
	paper_text(paper, 0, HANG, d.text);
}

static void add_when(struct draft *d, const char *what, uint64_t seconds)
{
	char clock[WORDS_SIZE];

	if (seconds && seconds < INT64_MAX / NS_PER_S)
		draft_add(d, "; %s %s UTC", what,
		          words_clock((struct capture_time){ (int64_t)seconds * NS_PER_S }, clock));
	else
		draft_add(d, "; not %s yet", what);
}

static void write_desk(const struct paper *paper, const json_t *desk)
{
	char taken[WORDS_SIZE], waiting[WORDS_SIZE], lost[WORDS_SIZE];
	struct draft d = { .length = 0 };

	draft_add(&d, "%s counts taken, %s waiting, %s lost", words_count(counter(desk, "taken"), taken),
	          words_count(counter(desk, "waiting"), waiting), words_count(counter(desk, "lost"), lost));
	add_when(&d, "reckoned", counter(desk, "reckoned_s"));
	if (counter(desk, "outages_open"))
		draft_add(&d, "; " RED "%llu outage%s" PLAIN, (unsigned long long)counter(desk, "outages_open"),
		          counter(desk, "outages_open") == 1 ? "" : "s");
	add_when(&d, "published", counter(desk, "published_s"));
	paper_text(paper, HANG, HANG, d.text);
}

/* Reports, and how many were left out; nothing where nobody has reported and nobody is dropped. */
static void write_public(const struct paper *paper, const json_t *role)
{
	char reports[WORDS_SIZE], shielded[WORDS_SIZE], prefixes[WORDS_SIZE], left_out[WORDS_SIZE];
	struct draft d = { .length = 0 };

	if (!counter(role, "reports") && !counter(role, "dropped_prefixes"))
		return;
	draft_add(&d, "%s reports; %s of users or browsers left out whom the shield was dropping",
	          words_count(counter(role, "reports"), reports), words_count(counter(role, "shielded"), shielded));
	if (counter(role, "dropped_prefixes"))
		draft_add(&d, "; its list has %s", words_count(counter(role, "dropped_prefixes"), prefixes));
	if (counter(role, "dropped_left_out"))
		draft_add(&d, ", and no room for " YELLOW "%s more" PLAIN,
		          words_count(counter(role, "dropped_left_out"), left_out));
	paper_text(paper, HANG, HANG, d.text);
}

/* What is wrong, role by role. */
static void write_wrong(const struct paper *paper, const json_t *state)
{
	const json_t *roles = json_object_get(state, "roles"), *role;
	size_t i;

	json_array_foreach(roles, i, role)
	{
		const char *said = fact_text(role, "state");
		struct draft d = { .length = 0 };

		if (!*said || strcmp(said, "ok") == 0)
			continue;
		draft_add(&d, YELLOW "%s" PLAIN ": %s", fact_text(role, "name"), said);
		paper_text(paper, HANG, HANG, d.text);
	}
}

void serve_page_write(const struct paper *paper, const json_t *state)
{
	const json_t *desk, *public_role;

	(void)fputc('\n', paper->out);
	if (!state) {
		paper_text(paper, 0, HANG,
		           "SERVE  " YELLOW "not running" PLAIN
		           ": the page is published by hand alone; 'systemctl start holdfast-serve' begins it");
		return;
	}
	write_roles(paper, state);
	if (now_wall_ns() - json_integer_value(json_object_get(state, "time_ns")) > SERVE_STATE_STALE_NS)
		paper_text(paper, HANG, HANG, RED "its parent does not say how it stands any more" PLAIN);
	desk = find_role(state, "desk");
	if (desk)
		write_desk(paper, desk);
	public_role = find_role(state, "public");
	if (public_role)
		write_public(paper, public_role);
	write_wrong(paper, state);
}
