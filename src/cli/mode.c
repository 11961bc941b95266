/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast observe, enforce, off: whether the shield drops what it would drop, and whether it is there at all.
 *
 * Whoever enforces can shut himself out. With --confirm the kernel itself falls back to observing when the time is
 * over, unless the enforcing is confirmed: by Enter where there is a terminal, by another 'holdfast enforce' where
 * there is none. An operator who is cut off confirms nothing.
 *
 * To end dropping no daemon is needed: root does it by what is pinned.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/time.h"
#include "cli/command.h"
#include "cli/now.h"
#include "tell/facts.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/say.h"
#include "cli/standing.h"
#include "shield/shield.h"
#include "tell/words.h"

#define CONFIRM_MAX (86400 * NS_PER_S)

struct options {
	const char *config;
	struct option_duration confirm;
	bool json;
};

/* clang-format off */
static const struct option_row observe_rows[] = {
	OPTION_JSON_ROW(struct options, "what was done, as JSON", "holdfast.mode/1"),
	PLACE_CONFIG_ROW(struct options),
};

static const struct option_row enforce_rows[] = {
	{ .name = "confirm", .value = "TIME", OPTION_INTO(struct options, confirm), .minimum = NS_PER_S, .maximum = CONFIRM_MAX,
	  .help = "observe again after that time (60s, 5m), unless confirmed until then:\n"
	          "on a terminal by Enter, else by another 'holdfast enforce'" },
	{ .name = "json", OPTION_INTO(struct options, json), .help = "what was done, as JSON (holdfast.mode/1); asks nothing" },
	PLACE_CONFIG_ROW(struct options),
};

static const struct option_row off_rows[] = {
	OPTION_JSON_ROW(struct options, "what was done, as JSON", "holdfast.off/1"),
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table observe_table = {
	.command = "observe",
	.synopsis = "[--json]",
	.purpose =
		"Stops dropping: from now on what would be dropped is counted, and passes. Blocks and rules stay as they are.\n"
		"Where the daemon is not running root can do it all the same.\n",
	.notes = "Exit status: 0 done, 1 failed, 2 wrong usage, 3 the daemon is not running, and you are not root.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast observe\n",
	OPTION_ROWS(observe_rows),
};

static const struct option_table enforce_table = {
	.command = "enforce",
	.synopsis = "[--confirm TIME] [--json]",
	.purpose =
		"Drops, from now on, what blocks and rules say. With --confirm only for that time, unless you confirm that you\n"
		"can still reach this host: the kernel itself goes back to observing, whatever has become of you or the daemon.\n",
	.notes = "Exit status: 0 done, 1 failed or not confirmed, 2 wrong usage, 3 the daemon is not running.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast enforce --confirm 60s\n",
	OPTION_ROWS(enforce_rows),
};

static const struct option_table off_table = {
	.command = "off",
	.synopsis = "[--json]",
	.purpose =
		"Takes the shield away: detaches its programs from all interfaces and removes what is pinned, blocks and rules with\n"
		"it. A daemon that runs sees that, and ends. Needs root, but no daemon and no good configuration.\n",
	.notes = "Exit status: 0 done, or there was nothing; 1 failed; 2 wrong usage.\n"
		 "\n"
		 "Example:\n"
		 "  sudo holdfast off\n",
	OPTION_ROWS(off_rows),
};

/* What the shield itself complains of. */
static int shield_refused(const char *where, int result, const struct shield_error *error)
{
	const char *what = error->message[0] ? error->message : strerror(-result);

	say_error(where, "%s%s%s", what, error->advice[0] ? "; " : "", error->advice);
	return COMMAND_BAD;
}

/* ---- Observe ---- */

static int observe_by_pins(const struct order *order, bool json)
{
	struct shield_error error = { .message = "" };
	struct shield *shield;
	bool there;
	int result;

	if (geteuid() != 0 && order->silent)
		return order_say_no_daemon(order);
	if (geteuid() != 0) {
		say_error("observe",
		          "the daemon is not running, and without it only root can; try 'sudo holdfast observe'");
		return COMMAND_NO_DAEMON;
	}
	result = shield_open_pinned(order->place.bpffs_dir, &shield, &error);
	if (result)
		return shield_refused("observe", result, &error);
	shield_set_mode(shield, false, SHIELD_NEVER);
	shield_close(shield);
	result = standing_observe_tables(order->place.bpffs_dir, &there, &error);
	if (result)
		return shield_refused("observe", result, &error);
	if (json)
		return order_print_json("holdfast.mode/1", json_pack("{s:s, s:b}", "mode", "observe", "daemon", 0));
	if (order->silent)
		(void)puts("observing: nothing is dropped\n"
		           "the daemon does not answer; it was done without it");
	else
		(void)puts("observing: nothing is dropped\n"
		           "the daemon is not running; when it starts it keeps that mode");
	return output_finish();
}

int observe_command(int argc, char **argv)
{
	struct options options = { .json = false };
	struct order order;
	json_t *result;
	bool running;
	int status;

	if (!options_take(&observe_table, argc, argv, &options, &status))
		return status;
	status = order_begin_if_running(&order, "observe", options.config, &running);
	if (status != COMMAND_DONE)
		return status;
	if (!running)
		return observe_by_pins(&order, options.json);
	status = order_operate(&order, json_pack("{s:s}", "command", "observe"), &result);
	order_end(&order);
	if (status != COMMAND_DONE)
		return status;
	if (options.json)
		return order_print_json("holdfast.mode/1", result);
	json_decref(result);
	(void)puts("observing: nothing is dropped; 'holdfast enforce' drops again");
	return output_finish();
}

/* ---- Enforce ---- */

/* Whether somebody at the terminal pressed Enter before the time was over. */
static bool is_confirmed(int64_t left_ns)
{
	struct pollfd keyboard = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t until_ns = now_monotonic_ns() + left_ns;
	bool pressed = false;

	while ((left_ns = until_ns - now_monotonic_ns()) > 0) {
		int64_t whole_s = (left_ns + NS_PER_S - 1) / NS_PER_S;
		int ready;

		(void)fprintf(stderr, "\rstill reachable? press Enter within %d s to keep it \033[K", (int)whole_s);
		(void)fflush(stderr);
		/* As long as the number that is shown is right. */
		ready = poll(&keyboard, 1, (int)((left_ns - (whole_s - 1) * NS_PER_S) / NS_PER_MS) + 1);
		if (ready < 0 && errno != EINTR)
			break;
		if (ready > 0) {
			char line[256];
			ssize_t got = read(STDIN_FILENO, line, sizeof(line));

			pressed = got > 0 && memchr(line, '\n', (size_t)got);
			if (got <= 0 || pressed)
				break;
		}
	}
	(void)fputs("\r\033[K", stderr);
	return pressed;
}

/* What holds now, asked anew. */
static int tell_unconfirmed(const struct options *options)
{
	const char *mode;
	struct order order;
	int status = order_begin(&order, "enforce", options->config);

	if (status != COMMAND_DONE)
		return status;
	status = order_mode(&order, &mode);
	order_end(&order);
	if (status != COMMAND_DONE)
		return status;
	say_error("enforce",
	          strcmp(mode, "observe") == 0
	                  ? "not confirmed: back to observing, nothing is dropped; try again when you are ready"
	                  : "not confirmed yet: it ends by itself when the time is over; 'holdfast enforce' keeps "
	                    "it, 'holdfast observe' ends it now");
	return COMMAND_BAD;
}

static int confirm(const struct options *options)
{
	struct order order;
	json_t *result;
	int status = order_begin(&order, "enforce", options->config);

	if (status != COMMAND_DONE)
		return status;
	status = order_operate(&order, json_pack("{s:s}", "command", "confirm"), &result);
	order_end(&order);
	if (status != COMMAND_DONE)
		return status;
	json_decref(result);
	(void)puts("confirmed: enforcing until 'holdfast observe'");
	return output_finish();
}

static int tell_enforcing(const json_t *result, const struct options *options)
{
	struct capture_time until;
	char clock[WORDS_SIZE];
	int64_t left_ns;

	if (!fact_duration(result, "enforce_left_s", &left_ns)) {
		(void)puts("enforcing: blocks and rules drop; 'holdfast observe' stops it");
		return output_finish();
	}
	if (fact_time(result, "enforce_until", &until))
		(void)printf("enforcing until %s UTC, unless confirmed\n", words_clock(until, clock));
	if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
		(void)fflush(stdout);
		return is_confirmed(left_ns) ? confirm(options) : tell_unconfirmed(options);
	}
	(void)puts("keep it: holdfast enforce\nend it now: holdfast observe");
	return output_finish();
}

int enforce_command(int argc, char **argv)
{
	struct options options = { .json = false };
	struct order order;
	json_t *result;
	int status;

	if (!options_take(&enforce_table, argc, argv, &options, &status))
		return status;
	status = order_begin(&order, "enforce", options.config);
	if (status != COMMAND_DONE)
		return status;
	status = order_operate(&order,
	                       json_pack("{s:s, s:o}", "command", "enforce", "confirm_s",
	                                 options.confirm.ns
	                                         ? json_integer((options.confirm.ns + NS_PER_S - 1) / NS_PER_S)
	                                         : json_null()),
	                       &result);
	order_end(&order);
	if (status != COMMAND_DONE)
		return status;
	if (options.json)
		return order_print_json("holdfast.mode/1", result);
	status = tell_enforcing(result, &options);
	json_decref(result);
	return status;
}

/* ---- Off ---- */

static int print_off(unsigned removed, const struct place *place, bool running, bool json)
{
	if (json)
		return order_print_json("holdfast.off/1",
		                        json_pack("{s:I, s:b}", "removed", (json_int_t)removed, "daemon", running));
	if (removed)
		(void)printf("off: the shield is detached; what was pinned in %s is removed, %u %s in all\n",
		             place->bpffs_dir, removed, removed == 1 ? "thing" : "things");
	else
		(void)printf("off: there was nothing of the shield in %s\n", place->bpffs_dir);
	if (running)
		(void)puts("the daemon sees that, and ends; start it anew to have the shield again");
	return output_finish();
}

int off_command(int argc, char **argv)
{
	struct options options = { .json = false };
	struct shield_error error = { .message = "" }, unused;
	struct control_client client;
	struct place place;
	unsigned removed;
	bool running, there;
	int status, result, failed;

	if (!options_take(&off_table, argc, argv, &options, &status))
		return status;
	if (geteuid() != 0) {
		say_error("off", "only root can detach programs; try 'sudo holdfast off'");
		return COMMAND_BAD;
	}
	/* Whatever is the matter with configuration or daemon, it must not keep the shield from being taken away. */
	if (place_find("off", options.config, &place) != COMMAND_DONE) {
		say_error("off", "so what is pinned by default, in " SHIELD_BPFFS_DIR ", is taken away");
		place = (struct place){ .bpffs_dir = SHIELD_BPFFS_DIR };
	}
	running = control_client_open(place.socket, &client) == 0;
	if (running)
		control_client_close(&client);
	result = shield_remove(place.bpffs_dir, &removed, &error);
	failed = standing_remove_tables(place.bpffs_dir, &there, result ? &unused : &error);
	if (result || failed)
		return shield_refused("off", result ? result : failed, &error);
	removed += there;
	return print_off(removed, &place, running, options.json);
}
