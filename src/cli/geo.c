/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast geo: the databases that say in which country, and in which network, addresses are. `list` and `look-up` read
 * what is there and use no network; `update` (geo_update.c) brings it.
 */
#include "cli/geo.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prefix.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"

#define ADDRESSES_MAX 65536
#define IPV4_LENGTH 32
#define IPV6_LENGTH 128

struct options {
	const char *geo, *config;
	struct option_words addresses;
	bool json;
};

#define GEO_ROW                                                                                                 \
	{                                                                                                       \
		.name = "geo", .value = "DIR", OPTION_INTO(struct options, geo),                                \
		.help = "the folder of databases; else what 'geo' of the configuration says, else\n" GEO_FOLDER \
	}

/* clang-format off */
static const struct option_row list_rows[] = {
	GEO_ROW,
	OPTION_JSON_ROW(struct options, "as JSON", "holdfast.geo_list/1"),
	PLACE_CONFIG_ROW(struct options),
};

static const struct option_row look_up_rows[] = {
	{ .value = "ADDRESS...", OPTION_INTO(struct options, addresses), .maximum = ADDRESSES_MAX,
	  .missing = "no address to look up", .help = "IPv4 or IPv6" },
	GEO_ROW,
	OPTION_JSON_ROW(struct options, "as JSON", "holdfast.geo_look_up/1"),
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table list_table = {
	.command = "geo list",
	.synopsis = "[--geo DIR] [--json]",
	.purpose =
		"Lists the databases of countries and networks: which, how old, under which licence, with which hash.\n",
	.notes = "Exit status: 0 done, 1 there is none, or one cannot be read, 2 wrong usage.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast geo list\n",
	OPTION_ROWS(list_rows),
};

static const struct option_table look_up_table = {
	.command = "geo look-up",
	.synopsis = "ADDRESS... [--geo DIR] [--json]",
	.purpose = "What each database says of addresses: their country, their network. Nobody else is asked.\n",
	.notes = "Exit status: 0 done, 1 there is no database, or one cannot be read, 2 wrong usage.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast geo look-up 192.0.2.1 2001:db8::1\n",
	OPTION_ROWS(look_up_rows),
};

/* ---- the folder ---- */

int geo_find_folder(const char *command, const char *asked, const char *config, char **folder)
{
	struct config configuration;
	char *found;
	int status;

	if (asked) {
		found = strdup(asked);
	} else {
		status = place_configuration(command, config, &configuration);
		if (status != COMMAND_DONE)
			return status;
		found = strdup(configuration.geo);
		config_fini(&configuration);
	}
	if (!found) {
		say_error(command, "out of memory; free some");
		return COMMAND_BAD;
	}
	if (!*found) {
		say_error(command, "geo is off in the configuration; name a folder");
		free(found);
		return COMMAND_BAD;
	}
	*folder = found;
	return COMMAND_DONE;
}

int geo_open_said(const char *command, const char *folder, struct geo **geo)
{
	char error[GEO_ERROR_SIZE];
	int result;

	*geo = NULL;
	result = geo_open_folder(folder, geo, error);
	if (result == 0)
		return COMMAND_DONE;
	if (result == -ENOENT)
		say_error(folder, "no databases of countries are there; 'holdfast geo update' brings some");
	else if (result == -EBADMSG)
		say_error(folder, "%s; the others are asked", error);
	else
		say_error(command, "cannot read %s: %s", folder, strerror(-result));
	return COMMAND_BAD;
}

/* ---- list ---- */

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *database_json(const struct geo_database *database)
{
	char built[TIME_TEXT_SIZE] = "";

	if (database->built_ns)
		(void)time_format((struct capture_time){ database->built_ns }, built);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:b}", "kind",
	                 database->kind == GEO_COUNTRIES ? "countries" : "networks", "name", database->name, "version",
	                 text_or_null(database->version), "licence", text_or_null(database->licence), "built",
	                 text_or_null(built), "sha256", database->sha256, "ipv4_only", database->ipv4_only);
}

static json_t *databases_json(const struct geo *geo)
{
	json_t *list = json_array();
	int failed = !list;

	for (unsigned kind = GEO_COUNTRIES; kind <= GEO_NETWORKS; kind++)
		for (size_t i = 0; i < geo_count(geo, kind); i++)
			failed |= json_array_append_new(list, database_json(geo_database(geo, kind, i)));
	if (!failed)
		return list;
	json_decref(list);
	return NULL;
}

static void print_database(const struct geo_database *database)
{
	char built[TIME_TEXT_SIZE] = "unknown";

	if (database->built_ns) {
		(void)time_format((struct capture_time){ database->built_ns }, built);
		built[strcspn(built, "T")] = '\0';
	}
	(void)printf("%s\n  says       %s%s\n  built      %s\n", database->name,
	             database->kind == GEO_COUNTRIES ? "countries" : "networks",
	             database->ipv4_only ? ", of IPv4 only" : "", built);
	if (database->version[0])
		(void)printf("  version    %s\n", database->version);
	if (database->licence[0])
		(void)printf("  licence    %s\n", database->licence);
	(void)printf("  SHA-256    %s\n", database->sha256);
}

static int list(const struct options *options, const struct geo *geo)
{
	if (options->json)
		return order_print_json("holdfast.geo_list/1", json_pack("{s:o}", "databases", databases_json(geo)));
	for (unsigned kind = GEO_COUNTRIES; kind <= GEO_NETWORKS; kind++)
		for (size_t i = 0; i < geo_count(geo, kind); i++)
			print_database(geo_database(geo, kind, i));
	return output_finish();
}

/* ---- look-up ---- */

static json_t *place_json(const struct geo *geo, const struct address *address, const struct geo_place *place)
{
	char text[ADDRESS_TEXT_SIZE];
	json_t *countries = json_array();
	int failed = !countries;

	for (size_t i = 0; i < geo_count(geo, GEO_COUNTRIES); i++)
		failed |= json_array_append_new(countries, text_or_null(place->country[i]));
	if (failed) {
		json_decref(countries);
		return NULL;
	}
	return json_pack("{s:s, s:o, s:o, s:o}", "address", address_format(address, text), "countries", countries,
	                 "network", place->network ? json_integer(place->network) : json_null(), "network_name",
	                 text_or_null(geo_network_name(geo, place->network)));
}

static void print_place(const struct geo *geo, const struct address *address, const struct geo_place *place)
{
	char text[ADDRESS_TEXT_SIZE];
	int width = 0;

	for (unsigned kind = GEO_COUNTRIES; kind <= GEO_NETWORKS; kind++)
		for (size_t i = 0; i < geo_count(geo, kind); i++) {
			int length = (int)strlen(geo_database(geo, kind, i)->name);

			width = length > width ? length : width;
		}
	(void)printf("%s\n", address_format(address, text));
	for (size_t i = 0; i < geo_count(geo, GEO_COUNTRIES); i++)
		(void)printf("  %-*s  %s\n", width, geo_database(geo, GEO_COUNTRIES, i)->name,
		             place->country[i][0] ? place->country[i] : "unknown");
	if (geo_count(geo, GEO_NETWORKS) == 0)
		return;
	(void)printf("  %-*s  ", width, geo_database(geo, GEO_NETWORKS, 0)->name);
	if (place->network)
		(void)printf("AS%u %s\n", place->network, geo_network_name(geo, place->network));
	else
		(void)puts("unknown");
}

static bool parse_address(const char *text, struct address *address)
{
	struct prefix prefix;

	if (strchr(text, '/') || prefix_parse(text, &prefix) != 0 ||
	    prefix.length != (prefix.is_ipv4 ? IPV4_LENGTH : IPV6_LENGTH))
		return false;
	*address = prefix.address;
	return true;
}

static int look_up(const struct options *options, const struct geo *geo)
{
	json_t *places = options->json ? json_array() : NULL;
	int failed = 0;

	for (size_t i = 0; i < options->addresses.count; i++) {
		struct geo_place place;
		struct address address;

		if (!parse_address(options->addresses.words[i], &address)) {
			json_decref(places);
			return options_refuse(&look_up_table, "'%.64s' is no address", options->addresses.words[i]);
		}
		geo_look_up(geo, &address, &place);
		if (options->json)
			failed |= json_array_append_new(places, place_json(geo, &address, &place));
		else
			print_place(geo, &address, &place);
	}
	if (!options->json)
		return output_finish();
	if (failed) {
		json_decref(places);
		places = NULL;
	}
	return order_print_json("holdfast.geo_look_up/1",
	                        json_pack("{s:o, s:o}", "databases", databases_json(geo), "addresses", places));
}

/* ---- the commands ---- */

static const struct verb {
	const char *name;
	const struct option_table *table; /* NULL: it takes its words itself */
	int (*run)(const struct options *options, const struct geo *geo);
} verbs[] = {
	{ "list", &list_table, list },
	{ "look-up", &look_up_table, look_up },
	{ "update", NULL, NULL },
};

static int read_and_run(const struct verb *verb, int argc, char **argv)
{
	struct options options = { .json = false };
	struct geo *geo;
	char *folder;
	int status, opened;

	if (!options_take(verb->table, argc, argv, &options, &status))
		return status;
	status = geo_find_folder(verb->table->command, options.geo, options.config, &folder);
	if (status != COMMAND_DONE)
		return status;
	opened = geo_open_said(verb->table->command, folder, &geo);
	status = geo ? verb->run(&options, geo) : COMMAND_BAD;
	geo_close(geo);
	free(folder);
	return status == COMMAND_DONE ? opened : status;
}

static int usage(void)
{
	(void)fputs("Usage: holdfast geo update | list | look-up [ARGUMENT...]\n"
	            "\n"
	            "The databases that say in which country, and in which network, addresses are.\n"
	            "\n"
	            "  geo update   brings them, and their newer versions; the only one that uses the network\n"
	            "  geo list     lists them\n"
	            "  geo look-up  what they say of addresses\n"
	            "\n"
	            "Example:\n"
	            "  holdfast geo update\n"
	            "\n"
	            "'holdfast geo update --help' and the like say more.\n",
	            stdout);
	return output_finish();
}

int geo_command(int argc, char **argv)
{
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return usage();
	for (size_t i = 0; argc >= 2 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		return verbs[i].table ? read_and_run(&verbs[i], argc - 1, argv + 1)
		                      : geo_update_command(argc - 1, argv + 1);
	}
	if (argc < 2 || argv[1][0] == '-')
		return options_refuse(&list_table, "what of the databases: 'holdfast geo update', 'list' or 'look-up'");
	return options_refuse(&list_table, "no command 'geo %.64s'; there are 'geo update', 'geo list', 'geo look-up'",
	                      argv[1]);
}
