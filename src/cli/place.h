/* SPDX-License-Identifier: Apache-2.0 */
/* Where this host's daemon and shield are to be found, as the configuration says. */
#ifndef HOLDFAST_CLI_PLACE_H
#define HOLDFAST_CLI_PLACE_H

#include <stdbool.h>

#include "cli/options.h"
#include "daemon/config.h"

#define PLACE_SOCKET_NAME "/control.sock"
#define PLACE_PATH_SIZE (CONFIG_PATH_SIZE + sizeof(PLACE_SOCKET_NAME))

struct place {
	char socket[PLACE_PATH_SIZE];
	char bpffs_dir[CONFIG_PATH_SIZE], state_dir[CONFIG_PATH_SIZE];
};

/* The row that every command has which asks the daemon or the shield for something. */
#define PLACE_CONFIG_ROW(type)                                                                \
	{                                                                                     \
		.name = "config", .value = "FILE", OPTION_INTO(type, config),                 \
		.help = "the configuration; else $HOLDFAST_CONFIG, else " CONFIG_DEFAULT_PATH \
	}

/* `config` NULL: the usual one, and in one process always the same. COMMAND_DONE or, said once, the exit status. */
int place_find(const char *command, const char *config, struct place *place);
/* The same once what is wrong with it has been said: nothing is said, false. */
bool place_configuration_again(const char *config, struct config *configuration);
/* The same, all of it: to be ended by config_fini(). */
int place_configuration(const char *command, const char *config, struct config *configuration);
/* Says all that is wrong, a line each. */
void place_say_errors(const struct config_errors *errors);

#endif
