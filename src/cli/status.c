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
#include "cli/command.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/screen.h"
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
		"the rules in force and how to undo them, and which limits were hit. Where the daemon is dead root sees what stands.\n",
	.notes = "Exit status: 0 done, 1 failed, 2 wrong usage, 3 the daemon is not running.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast status --watch\n",
	OPTION_ROWS(rows),
};

struct reading {
	json_t *status; /* NULL: none */
	int64_t at_ns;  /* of the monotonic clock */
};

static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void sleep_until(int64_t at_ns)
{
	struct timespec until = { .tv_sec = at_ns / NS_PER_S, .tv_nsec = at_ns % NS_PER_S };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

/* Who is asked for readings: the daemon, or where there is none, what it has pinned. */
struct source {
	struct order *order;
	const char *config;
	bool running;
};

static int take_standing(const struct source *source, struct reading *reading)
{
	struct shield_error error;
	json_t *result;
	int failed = geteuid() == 0 ? standing_read(source->order->place.bpffs_dir, source->config, &result, &error)
	                            : -EPERM;

	if (failed)
		return order_say_no_daemon(source->order);
	*reading = (struct reading){ result, now_ns() };
	return COMMAND_DONE;
}

static int take_reading(const struct source *source, struct reading *reading)
{
	json_t *result;
	int status;

	if (!source->running)
		return take_standing(source, reading);
	status = order_give(source->order, json_pack("{s:s}", "command", "status"), &result);
	if (status == COMMAND_DONE)
		*reading = (struct reading){ result, now_ns() };
	return status;
}

/* Once, or until what is written arrives nowhere. */
static int show(const struct source *source, const struct options *options)
{
	struct reading before = { .status = NULL }, now = { .status = NULL };
	bool clear = options->watch && isatty(STDOUT_FILENO), more = true;
	int status = take_reading(source, &before);

	while (status == COMMAND_DONE && more) {
		struct paper paper = screen_paper(0, false);

		sleep_until(before.at_ns + NS_PER_S);
		status = take_reading(source, &now);
		if (status != COMMAND_DONE)
			break;
		if (clear)
			(void)fputs(HOME_AND_CLEAR, stdout);
		status_page_write(&paper, before.status, now.status, now.at_ns - before.at_ns);
		if (options->watch && !clear)
			(void)putchar('\n');
		status = output_finish();
		json_decref(before.status);
		before = now;
		more = options->watch;
	}
	json_decref(before.status);
	return status;
}

static int print_json(const struct source *source)
{
	struct reading reading = { .status = NULL };
	int status = take_reading(source, &reading);

	return status == COMMAND_DONE ? order_print_json("holdfast.status/1", reading.status) : status;
}

int status_command(int argc, char **argv)
{
	struct options options = { .json = false };
	struct order order;
	struct source source = { .order = &order };
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	if (options.json && options.watch)
		return options_refuse(&table, "--json is one reading; ask again for another");
	source.config = options.config;
	status = order_begin_if_running(&order, "status", options.config, &source.running);
	if (status != COMMAND_DONE)
		return status;
	status = options.json ? print_json(&source) : show(&source, &options);
	if (source.running)
		order_end(&order);
	else if (status == COMMAND_DONE)
		status = order_say_no_daemon(&order);
	return status;
}
