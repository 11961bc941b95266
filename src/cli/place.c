/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/say.h"

/* A command may look for several things in its one configuration: what is wrong with that is said once. */
static bool complained, went_on;

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

	if (result == -EINVAL && errors->count > 0) {
		if (!complained)
			place_say_errors(errors);
		complained = true;
	} else if (result) {
		say_error(command, "cannot read the configuration: %s; free memory", strerror(-result));
	}
	free(errors);
	return result ? COMMAND_BAD : COMMAND_DONE;
}

bool place_configuration_again(const char *config, struct config *configuration)
{
	struct config_errors *errors = calloc(1, sizeof(*errors));
	int result = errors ? config_load(config, configuration, errors) : -ENOMEM;

	free(errors);
	return result == 0;
}

/*
 * What `key` says in a line of its own, by the letter; `value` stays as it is where there is none, or no absolute path.
 */
static void scan(const char *text, size_t length, const char *key, char value[CONFIG_PATH_SIZE])
{
	size_t key_length = strlen(key);

	while (length > 0) {
		const char *end = memchr(text, '\n', length);
		size_t line = end ? (size_t)(end - text) : length, from = key_length, to;

		if (line > key_length && memcmp(text, key, key_length) == 0) {
			while (from < line && strchr(" \t\"'", text[from]))
				from++;
			for (to = from; to < line && !strchr(" \t\r\"'#", text[to]);)
				to++;
			if (to - from < CONFIG_PATH_SIZE && to > from && text[from] == '/') {
				memcpy(value, text + from, to - from);
				value[to - from] = '\0';
			}
		}
		text += end ? line + 1 : line;
		length -= end ? line + 1 : line;
	}
}

/*
 * A configuration with mistakes runs no daemon, but the one that runs has an older one, and may be dropping what it
 * should not: who wants to stop that must not have to mend the file first.
 */
static int find_anyway(const char *command, const char *config, struct place *place)
{
	struct config_errors *errors = calloc(1, sizeof(*errors));
	char run_dir[CONFIG_PATH_SIZE] = CONFIG_RUN_DIR, bpffs_dir[CONFIG_PATH_SIZE] = SHIELD_BPFFS_DIR;
	char state_dir[CONFIG_PATH_SIZE] = CONFIG_STATE_DIR, *text = NULL;
	const char *name;
	size_t length = 0;
	int result = errors ? config_read(config, &text, &length, &name, errors) : -ENOMEM;

	free(errors);
	if (result)
		return COMMAND_BAD;
	scan(text, length, "run_dir:", run_dir);
	scan(text, length, "bpffs_dir:", bpffs_dir);
	scan(text, length, "state_dir:", state_dir);
	free(text);
	if (!went_on)
		say_error(command, "goes by run_dir %s and bpffs_dir %s all the same", run_dir, bpffs_dir);
	went_on = true;
	(void)snprintf(place->socket, sizeof(place->socket), "%s" PLACE_SOCKET_NAME, run_dir);
	(void)snprintf(place->bpffs_dir, sizeof(place->bpffs_dir), "%s", bpffs_dir);
	(void)snprintf(place->state_dir, sizeof(place->state_dir), "%s", state_dir);
	return COMMAND_DONE;
}

int place_find(const char *command, const char *config, struct place *place)
{
	struct config configuration;
	int status = place_configuration(command, config, &configuration);

	if (status != COMMAND_DONE)
		return find_anyway(command, config, place);
	(void)snprintf(place->socket, sizeof(place->socket), "%s" PLACE_SOCKET_NAME, configuration.run_dir);
	(void)snprintf(place->bpffs_dir, sizeof(place->bpffs_dir), "%s", configuration.bpffs_dir);
	(void)snprintf(place->state_dir, sizeof(place->state_dir), "%s", configuration.state_dir);
	config_fini(&configuration);
	return COMMAND_DONE;
}
