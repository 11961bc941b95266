/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast config check, reload: a configuration before it is used, and its being used. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"
#include "daemon/config.h"

struct options {
	const char *file, *config;
	bool json;
};

/* clang-format off */
static const struct option_row check_rows[] = {
	{ .value = "FILE", OPTION_INTO(struct options, file), .too_many = "one file at a time",
	  .help = "else $HOLDFAST_CONFIG, else " CONFIG_DEFAULT_PATH },
	OPTION_JSON_ROW(struct options, "mistakes as JSON", "holdfast.config/1"),
};

static const struct option_row reload_rows[] = {
	OPTION_JSON_ROW(struct options, "what was done, as JSON", "holdfast.reload/1"),
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table check_table = {
	.command = "config check",
	.synopsis = "[FILE] [--json]",
	.purpose =
		"Reads a configuration, and the lists that it names, and says every mistake with its line and column.\n",
	.notes = "Exit status: 0 it is good, 1 it is not, 2 wrong usage.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast config check /etc/holdfast/holdfast.yaml\n",
	OPTION_ROWS(check_rows),
};

static const struct option_table reload_table = {
	.command = "reload",
	.synopsis = "[--json]",
	.purpose =
		"Has the daemon read its configuration again. One with a mistake is refused, and the old one stays.\n",
	.notes = "Exit status: 0 done, 1 refused, 2 wrong usage, 3 the daemon is not running.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast config check && holdfast reload\n",
	OPTION_ROWS(reload_rows),
};

/* ---- Check ---- */

static json_t *errors_json(const struct config_errors *errors)
{
	json_t *list = json_array();
	int failed = 0;

	for (unsigned i = 0; i < errors->count; i++)
		failed |= json_array_append_new(list, json_string(errors->lines[i]));
	if (!failed)
		return json_pack("{s:b, s:o, s:I}", "good", errors->count == 0, "errors", list, "more",
		                 (json_int_t)errors->more);
	json_decref(list);
	return NULL;
}

static int print_good(const struct config *config, const char *file)
{
	(void)printf("%s: good: mode %s, %u interfaces, %u services\n", file ? file : "configuration",
	             config->enforce ? "enforce" : "observe", config->interface_count, config->service_count);
	if (config->interface_count == 0)
		(void)puts("no interface is named: the shield would be attached nowhere");
	return output_finish();
}

static int check(const struct options *options, struct config_errors *errors)
{
	struct config config;
	int result = config_load(options->file, &config, errors), status = COMMAND_DONE;
	bool loaded = result == 0;

	if (loaded)
		result = config_check_files(&config, errors);
	if (result && errors->count == 0) {
		say_error("config check", "cannot read the configuration: %s; free memory", strerror(-result));
		status = COMMAND_BAD;
	} else if (options->json) {
		status = order_print_json("holdfast.config/1", errors_json(errors));
	} else if (result) {
		place_say_errors(errors);
	} else {
		status = print_good(&config, options->file);
	}
	if (loaded)
		config_fini(&config);
	return status == COMMAND_DONE && result ? COMMAND_BAD : status;
}

/* `config` is a word of its own, so that more can come behind it. */
int config_command(int argc, char **argv)
{
	struct options options = { .json = false };
	struct config_errors *errors;
	int status;

	if (argc < 2 || argv[1][0] == '-') {
		if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
			options_help(&check_table, stdout);
			return output_finish();
		}
		return options_refuse(&check_table, "what of the configuration: 'holdfast config check'");
	}
	if (strcmp(argv[1], "check") != 0)
		return options_refuse(&check_table, "no command 'config %.64s'; there is 'config check'", argv[1]);
	if (!options_take(&check_table, argc - 1, argv + 1, &options, &status))
		return status;
	errors = calloc(1, sizeof(*errors)); /* large for a stack */
	if (!errors) {
		say_error("config check", "out of memory; free some");
		return COMMAND_BAD;
	}
	status = check(&options, errors);
	free(errors);
	return status;
}

/* ---- Reload ---- */

static int print_reloaded(const json_t *result)
{
	const json_t *notes = json_object_get(result, "notes"), *note;
	size_t i;

	(void)puts("reloaded");
	json_array_foreach(notes, i, note) if (json_is_string(note))(void)
		printf("note: %s\n", json_string_value(note));
	return output_finish();
}

/* A refusal has all mistakes of the file beside the first. */
static int say_refused(const struct order *order, const json_t *refusal)
{
	const json_t *errors = json_object_get(refusal, "errors"), *error;
	size_t i;

	if (json_array_size(errors) == 0)
		return order_say_refusal(order, refusal);
	json_array_foreach(errors, i, error) if (json_is_string(error)) say_line(json_string_value(error));
	say_error("reload", "the configuration was refused, and the old one stays; correct it, and reload again");
	return COMMAND_BAD;
}

int reload_command(int argc, char **argv)
{
	struct options options = { .json = false };
	json_t *result, *refusal;
	struct order order;
	int status;

	if (!options_take(&reload_table, argc, argv, &options, &status))
		return status;
	status = order_begin(&order, "reload", options.config);
	if (status != COMMAND_DONE)
		return status;
	status = order_attempt(&order, json_pack("{s:s}", "command", "reload"), &result, &refusal);
	if (status != COMMAND_DONE)
		goto undo_order;
	if (refusal)
		status = say_refused(&order, refusal);
	else if (options.json)
		status = order_print_json("holdfast.reload/1", json_incref(result));
	else
		status = print_reloaded(result);
	json_decref(result);
	json_decref(refusal);
undo_order:
	order_end(&order);
	return status;
}
