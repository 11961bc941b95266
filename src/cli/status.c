/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast status: one screen of what the shield does at this moment; rates by asking twice, a second apart. Where the
 * daemon is dead root sees what stands, and that it is dead.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/time.h"
#include "cli/archived.h"
#include "cli/books.h"
#include "cli/command.h"
#include "cli/harm_lines.h"
#include "cli/now.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/screen.h"
#include "cli/serve_page.h"
#include "cli/standing.h"
#include "cli/status_page.h"
#include "shield/shield.h"
#include "tell/paper.h"

#define HOME_AND_CLEAR "\033[H\033[2J"

struct options {
	const char *config;
	bool json, watch;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .name = "watch", .letter = 'w', OPTION_INTO(struct options, watch), .help = "anew every second, until interrupted" },
	{ .name = "json", OPTION_INTO(struct options, json), .help = "as JSON (holdfast.status/1), at once" },
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table table = {
	.command = "status",
	.synopsis = "[--watch] [--json]",
	.purpose =
		"One screen: the mode, where the shield is attached and how, what passes and what is dropped in this second and why,\n"
		"the rules in force and how to undo them, and which limits were hit; how 'holdfast serve' stands. Where the daemon is\n"
		"dead root sees what stands.\n",
	.notes = "Exit status: 0 done, 1 failed, 2 wrong usage, 3 the daemon is not running.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast status --watch\n",
	OPTION_ROWS(rows),
};

struct reading {
	json_t *status; /* NULL: none */
	int64_t at_ns;  /* of the monotonic clock */
	bool running;   /* a daemon has said it */
};

static void sleep_until(int64_t at_ns)
{
	struct timespec until = { .tv_sec = at_ns / NS_PER_S, .tv_nsec = at_ns % NS_PER_S };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

/* By what is pinned, and only for root. */
static int take_standing(const struct order *order, const char *config, struct reading *reading)
{
	struct shield_error unsaid;
	json_t *result;

	if (geteuid() != 0 || standing_read(order->place.bpffs_dir, config, &result, &unsaid) != 0)
		return order_say_no_daemon(order);
	if (order->silent)
		(void)order_say_no_daemon(order);
	*reading = (struct reading){ .status = result, .at_ns = now_monotonic_ns() };
	return COMMAND_DONE;
}

/* Each asks anew who is there: a daemon may come, go, and begin again while somebody watches. */
static int take_reading(const char *config, struct reading *reading)
{
	struct order order;
	json_t *result;
	bool running;
	int status = order_begin_if_running(&order, "status", config, &running);

	if (status != COMMAND_DONE)
		return status;
	if (!running)
		return take_standing(&order, config, reading);
	status = order_give(&order, json_pack("{s:s}", "command", "status"), &result);
	order_end(&order);
	if (status == COMMAND_DONE)
		*reading = (struct reading){ .status = result, .at_ns = now_monotonic_ns(), .running = true };
	return status;
}

/* The other daemon, which may be all that runs here. */
static void write_serve(const struct paper *paper, const char *config)
{
	bool wanted;
	json_t *state = serve_page_find(config, &wanted);

	if (wanted)
		serve_page_write(paper, state);
	json_decref(state);
}

/* Once, or until what is written arrives nowhere. */
static int show(const struct options *options)
{
	struct reading before = { .status = NULL }, now = { .status = NULL };
	bool clear = options->watch && isatty(STDOUT_FILENO), more = true;
	int status = take_reading(options->config, &before);
	char folder[CONFIG_PATH_SIZE] = "";

	if (status == COMMAND_DONE)
		status = archived_folder("status", options->config, folder);

	if (status == COMMAND_NO_DAEMON) {
		struct paper paper = screen_paper(0, false);

		write_serve(&paper, options->config);
	}
	while (status == COMMAND_DONE && more) {
		struct paper paper = screen_paper(0, false);

		sleep_until(before.at_ns + NS_PER_S);
		status = take_reading(options->config, &now);
		if (status != COMMAND_DONE)
			break;
		if (clear)
			(void)fputs(HOME_AND_CLEAR, stdout);
		harm_lines_write(&paper, folder, 0, books_now());
		status_page_write(&paper, before.status, now.status, now.at_ns - before.at_ns);
		write_serve(&paper, options->config);
		if (options->watch && !clear)
			(void)putchar('\n');
		status = output_finish();
		json_decref(before.status);
		before = now;
		more = options->watch;
	}
	json_decref(before.status);
	return status == COMMAND_DONE && !before.running ? COMMAND_NO_DAEMON : status;
}

static int print_json(const struct options *options)
{
	struct reading reading = { .status = NULL };
	int status = take_reading(options->config, &reading);
	json_t *state;
	bool wanted;

	if (status != COMMAND_DONE && status != COMMAND_NO_DAEMON)
		return status;
	state = serve_page_find(options->config, &wanted);
	if (status == COMMAND_NO_DAEMON && !state)
		return status;
	if (status == COMMAND_NO_DAEMON)
		reading.status = json_object();
	if (wanted)
		(void)json_object_set_new(reading.status, "serve", state ? state : json_null());
	status = order_print_json("holdfast.status/1", reading.status);
	return status == COMMAND_DONE && !reading.running ? COMMAND_NO_DAEMON : status;
}

int status_command(int argc, char **argv)
{
	struct options options = { .json = false };
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	if (options.json && options.watch)
		return options_refuse(&table, "--json is one reading; ask again for another");
	return options.json ? print_json(&options) : show(&options);
}
