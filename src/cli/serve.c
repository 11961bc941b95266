/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast serve: the daemon of the public word, in the foreground; what it does is the room daemon's. */
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
	.command = "serve",
	.synopsis = "[--config FILE]",
	.purpose =
		"Serves the public word of an outage, beside 'holdfast run' or on another host: takes what users report and machines\n"
		"signal, reckons outages from it, and publishes the status page. Stays in the foreground, and wants root, of which its\n"
		"roles keep nothing. SIGHUP reads the configuration again.\n",
	.notes =
		"Which roles run follows from the configuration: see holdfast.yaml(5). Exit status: 0 ended when asked to,\n"
		"1 it cannot run, 2 wrong usage.\n"
		"\n"
		"Example:\n"
		"  sudo holdfast serve --config holdfast.yaml\n",
	OPTION_ROWS(rows),
};

int serve_command(int argc, char **argv)
{
	struct options options = { .config = NULL };
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	if (geteuid() != 0) {
		say_error("serve", "only root can begin its roles as another user; try 'sudo holdfast serve'");
		return COMMAND_BAD;
	}
	return daemon_serve(options.config);
}
