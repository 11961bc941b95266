/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast alerts: whether people would be told. A test goes the whole way, by the daemon's own process for that, with
 * its rights, its keys and its network, and says what came of it.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/time.h"
#include "cli/command.h"
#include "tell/facts.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"

/* A script has 30 s, and the daemon gives up after a minute. */
#define WAIT_NS (65 * NS_PER_S)

struct options {
	const char *name, *config;
	bool json;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "NAME", OPTION_INTO(struct options, name), .too_many = "one at a time", .help = "a target, as 'alerts' in the configuration calls it" },
	OPTION_JSON_ROW(struct options, "what came of it, as JSON", "holdfast.alerts/1"),
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table table = {
	.command = "alerts test",
	.synopsis = "NAME [--json]",
	.purpose =
		"Sends a test alert to one target of the configuration, as the daemon would send a real one, and says whether\n"
		"it was taken. Nobody is paged: it says that nothing is wrong. It is not tried a second time.\n",
	.notes = "Exit status: 0 it was taken, 1 it was not, 2 wrong usage, 3 the daemon is not running.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast alerts test pager\n",
	OPTION_ROWS(rows),
};

static int test(const struct options *options)
{
	struct order order;
	json_t *result;
	int status = order_begin(&order, "alerts test", options->config);

	if (status != COMMAND_DONE)
		return status;
	order.client.wait_ns = WAIT_NS;
	status = order_operate(&order, json_pack("{s:s,s:s}", "command", "test_alert", "target", options->name),
	                       &result);
	order_end(&order);
	if (status != COMMAND_DONE)
		return status;
	if (options->json)
		return order_print_json("holdfast.alerts/1", result);
	(void)printf("sent to %s: %s\n", options->name, fact_text(result, "said"));
	json_decref(result);
	return output_finish();
}

int alerts_command(int argc, char **argv)
{
	struct options options = { .name = NULL };
	int status;

	if (argc < 2 || argv[1][0] == '-') {
		if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
			options_help(&table, stdout);
			return output_finish();
		}
		return options_refuse(&table, "what of the alerts: 'holdfast alerts test NAME'");
	}
	if (strcmp(argv[1], "test") != 0)
		return options_refuse(&table, "no command 'alerts %.64s'; there is 'alerts test NAME'", argv[1]);
	if (!options_take(&table, argc - 1, argv + 1, &options, &status))
		return status;
	if (!options.name)
		return options_refuse(&table, "which target: the configuration's 'alerts' have names");
	return test(&options);
}
