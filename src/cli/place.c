/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/say.h"

void place_say_errors(const struct config_errors *errors)
{
	for (unsigned i = 0; i < errors->count; i++)
		say_line(errors->lines[i]);
	if (errors->more)
		say_error("config", "%u more mistakes; correct these first", errors->more);
}

int place_configuration(const char *command, const char *config, struct config *configuration)
{
	struct config_errors *errors = calloc(1, sizeof(*errors)); /* large for a stack */
	int result = errors ? config_load(config, configuration, errors) : -ENOMEM;

	if (result == -EINVAL && errors->count > 0)
		place_say_errors(errors);
	else if (result)
		say_error(command, "cannot read the configuration: %s; free memory", strerror(-result));
	free(errors);
	return result ? COMMAND_BAD : COMMAND_DONE;
}

int place_find(const char *command, const char *config, struct place *place)
{
	struct config configuration;
	int status = place_configuration(command, config, &configuration);

	if (status != COMMAND_DONE)
		return status;
	(void)snprintf(place->socket, sizeof(place->socket), "%s" PLACE_SOCKET_NAME, configuration.run_dir);
	(void)snprintf(place->bpffs_dir, sizeof(place->bpffs_dir), "%s", configuration.bpffs_dir);
	config_fini(&configuration);
	return COMMAND_DONE;
}
