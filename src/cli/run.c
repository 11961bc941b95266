/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast run: the daemon, in the foreground; what it does is the room daemon's. */
#include <unistd.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/place.h"
#include "cli/say.h"
#include "daemon/daemon.h"

struct options {
	const char *config;
};

static const struct option_row rows[] = { PLACE_CONFIG_ROW(struct options) };

static const struct option_table table = {
	.command = "run",
	.synopsis = "[--config FILE]",
	.purpose =
		"Defends this host: attaches the shield, serves the other commands, keeps the record. Stays in the foreground, and\n"
		"wants root. When it ends the shield stays, with what is in force, and starting again loses nothing;\n"
		"'holdfast off' takes it away. SIGHUP reads the configuration again.\n",
	.notes = "Exit status: 0 ended when asked to, 1 it cannot run, 2 wrong usage.\n"
		 "\n"
		 "Example:\n"
		 "  sudo holdfast run --config holdfast.yaml\n",
	OPTION_ROWS(rows),
};

int run_command(int argc, char **argv)
{
	struct options options = { .config = NULL };
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	if (geteuid() != 0) {
		say_error("run", "only root can attach the shield; try 'sudo holdfast run'");
		return COMMAND_BAD;
	}
	return daemon_run(options.config);
}
