/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast page: the public status page. What can be typed, as a table. */
#include "cli/page.h"

#include <stddef.h>
#include <string.h>

#include "cli/command.h"
#include "cli/place.h"

#define SSH_PORT_MAX 65535

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "publish|show|verify|headers|component|works", OPTION_INTO(struct page_options, noun), .missing = "say what to do: holdfast page publish, show, verify, headers, component, works",
	  .help = "write the page, look at what would be on it, check one, have browsers report, or say what is on it" },
	{ .value = "add|list|set|remove|cancel", OPTION_INTO(struct page_options, verb),
	  .help = "of components: add, list, set, remove; of works that are planned: add, list, cancel" },
	{ .value = "ID", OPTION_INTO(struct page_options, id), .too_many = "one at a time",
	  .help = "of the component (a-z, 0-9, '-'), or of the works (m1)" },
	{ .name = "name", .value = "TEXT", OPTION_INTO(struct page_options, name), .help = "what it is called" },
	{ .name = "name-fr", .value = "TEXT", OPTION_INTO(struct page_options, name_fr), .help = "the same in French" },
	{ .name = "description", .value = "TEXT", OPTION_INTO(struct page_options, description), .help = "of a component: what it is for" },
	{ .name = "description-fr", .value = "TEXT", OPTION_INTO(struct page_options, description_fr), .help = "the same in French" },
	{ .name = "group", .value = "ID", OPTION_INTO(struct page_options, group), .help = "the group that it is in; '' for none" },
	{ .name = "position", .value = "N", OPTION_INTO(struct page_options, position), .help = "where it stands, from 1; else behind all others" },
	{ .name = "is-group", OPTION_INTO(struct page_options, is_group), .help = "it is a group of components" },
	{ .name = "hidden", OPTION_INTO(struct page_options, hidden), .help = "it is not shown, but in the JSON" },
	{ .name = "shown", OPTION_INTO(struct page_options, shown), .help = "it is shown again" },
	{ .name = "status", .value = "WORD", OPTION_INTO(struct page_options, status),
	  .help = "how it fares: operational, degraded_performance, partial_outage, major_outage, under_maintenance" },
	{ .name = "since", .value = "TIME", OPTION_INTO(struct page_options, since), .help = "since when, as 2026-03-10T09:40:00Z; else now" },
	{ .name = "cause", .value = "WORD", OPTION_INTO(struct page_options, cause), .help = "why: attack, own_change, provider, unknown; it is kept, not shown" },
	{ .name = "components", .value = "ID,...", OPTION_INTO(struct page_options, components), .help = "of works: what they touch" },
	{ .name = "from", .value = "TIME", OPTION_INTO(struct page_options, from), .help = "when they begin" },
	{ .name = "to", .value = "TIME", OPTION_INTO(struct page_options, to), .help = "when they end" },
	{ .name = "text", .value = "TEXT", OPTION_INTO(struct page_options, text), .help = "what the public is told of them" },
	{ .name = "text-fr", .value = "TEXT", OPTION_INTO(struct page_options, text_fr), .help = "the same in French" },
	{ .name = "output", .letter = 'o', .value = "DIR", OPTION_INTO(struct page_options, out),
	  .help = "publish: where to; else page.directory of the configuration" },
	{ .name = "rsync", .value = "TARGET", OPTION_INTO(struct page_options, rsync), .help = "and copy it to user@host:/path; else to page.targets" },
	{ .name = "ssh-key", .value = "FILE", OPTION_INTO(struct page_options, ssh_key), .help = "the key for that, without a password" },
	{ .name = "known-hosts", .value = "FILE", OPTION_INTO(struct page_options, known_hosts), .help = "the keys of hosts that are good for that" },
	{ .name = "ssh-port", .value = "PORT", .minimum = 1, .maximum = SSH_PORT_MAX, OPTION_INTO(struct page_options, ssh_port), .help = "where ssh listens there; else 22" },
	{ .name = "key", .value = "FILE", OPTION_INTO(struct page_options, key),
	  .help = "minisign's secret key to sign with; else page.key_file, else page.key in the state_dir" },
	{ .name = "password-file", .value = "FILE", OPTION_INTO(struct page_options, password_file), .help = "its password, in the first line" },
	{ .name = "public-key", .value = "FILE", OPTION_INTO(struct page_options, public_key), .help = "verify: minisign's public key of whoever says that the page is theirs" },
	{ .name = "for", .value = "SERVER", OPTION_INTO(struct page_options, server), .help = "headers: as plain, nginx, apache or haproxy has them" },
	{ .name = "successes", .value = "PERCENT", OPTION_INTO(struct page_options, successes), .help = "headers: of requests that went well, so many are reported; else 1" },
	{ .name = "subdomains", OPTION_INTO(struct page_options, subdomains), .help = "headers: for subdomains, too; of those browsers report names that are not found" },
	OPTION_JSON_ROW(struct page_options, "as JSON", "holdfast.page/1"),
	BOOKS_RECORD_ROW(struct page_options),
	PLACE_CONFIG_ROW(struct page_options),
};

const struct option_table page_table = {
	.command = "page",
	.synopsis = "publish [-o DIR] [--rsync TARGET] | show | verify DIR | headers [URL] | component VERB [ID] | works VERB [ID]",
	.purpose =
		"The public status page: files that stand wherever they are put, without this host, a script or a server's program.\n"
		"'component' says what is on it and how that fares, 'works' what is planned, 'holdfast statement' what the public is told.\n"
		"'publish' writes all of it anew, signed, and puts it in place at once. It needs no daemon.\n",
	.notes =
		"Exit status: 0 done, 1 it cannot be read, written or copied, or is not what was signed, 2 wrong usage.\n"
		"\n"
		"Example:\n"
		"  holdfast page component add web --name Website --name-fr 'Site web'\n"
		"  holdfast page component set web --status partial_outage --since 2026-03-10T09:40:00Z\n"
		"  holdfast page publish -o /srv/status --rsync status@www.example.net:/srv/www/status\n",
	OPTION_ROWS(rows),
};

static const struct {
	const char *noun, *verb; /* verb NULL: it has none, and what stands there is no verb */
	bool id;                 /* it wants one */
	int (*run)(const struct page_options *options);
} verbs[] = {
	{ "publish", NULL, false, page_publish },
	{ "show", NULL, false, page_show },
	{ "verify", NULL, true, page_verify },
	{ "headers", NULL, false, page_headers },
	{ "component", "add", true, page_component_add },
	{ "component", "list", false, page_component_list },
	{ "component", "set", true, page_component_set },
	{ "component", "remove", true, page_component_remove },
	{ "works", "add", false, page_works_add },
	{ "works", "list", false, page_works_list },
	{ "works", "cancel", true, page_works_cancel },
};
/* clang-format on */

int page_command(int argc, char **argv)
{
	struct page_options options = { .ssh_port = 22 };
	int status;

	if (!options_take(&page_table, argc, argv, &options, &status))
		return status;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(options.noun, verbs[i].noun) != 0)
			continue;
		if (!verbs[i].verb && !options.id) {
			options.id = options.verb;
			options.verb = NULL;
		}
		if (verbs[i].verb ? !options.verb || strcmp(options.verb, verbs[i].verb) != 0 : options.verb != NULL)
			continue;
		if (verbs[i].id && !options.id)
			return options_refuse(&page_table, "'page %s%s%s' wants to know of what", verbs[i].noun,
			                      verbs[i].verb ? " " : "", verbs[i].verb ? verbs[i].verb : "");
		if (!verbs[i].id && options.id && verbs[i].run != page_headers)
			return options_refuse(&page_table, "'%.40s' is one argument too many", options.id);
		return verbs[i].run(&options);
	}
	return options_refuse(
		&page_table,
		"no command 'page %.40s%s%.40s'; there are publish, show, verify, headers, component add, list, "
		"set, remove, works add, list, cancel",
		options.noun, options.verb ? " " : "", options.verb ? options.verb : "");
}
