/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast doctor: what the shield would meet on this host, found out without changing anything. Each fact becomes a
 * check: well, to be minded, or in the way; and what is not well comes with what to do.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <jansson.h>

#include "base/prefix.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "cli/session.h"
#include "daemon/config.h"
#include "shield/doctor.h"
#include "tell/paper.h"

#define INTERFACES_DIR "/sys/class/net"
#define CHECKS_OF_HOST 16
#define CHECKS_OF_INTERFACE 8
#define CHECKS_MAX (CHECKS_OF_HOST + CHECKS_OF_INTERFACE * SHIELD_INTERFACES_MAX)
#define TEXT_SIZE 256
#define MTU_NATIVE 3498 /* a page, without room before, behind, and for tags: more than that most drivers refuse */
#define NAME_COLUMN 22

enum state { WELL, MIND, BAD };

static const struct {
	const char *name, *mark;
} states[] = { [WELL] = { "ok", GREEN }, [MIND] = { "warn", YELLOW }, [BAD] = { "bad", RED } };

struct check {
	enum state state;
	const char *name;     /* of static life: it is in people's scripts */
	char interface[16];   /* "" where it is of the host */
	char what[TEXT_SIZE]; /* is so */
	char hint[TEXT_SIZE]; /* is to be done; "" where nothing is */
};

struct checks {
	unsigned count;
	struct check list[CHECKS_MAX];
};

struct options {
	const char *config;
	struct option_words interfaces;
	bool json;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "INTERFACE", OPTION_INTO(struct options, interfaces), .maximum = SHIELD_INTERFACES_MAX,
	  .help = "which to look at; else those of shield.interfaces, else all but loopback" },
	OPTION_JSON_ROW(struct options, "as JSON", "holdfast.doctor/1"),
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table table = {
	.command = "doctor",
	.synopsis = "[INTERFACE...] [--json]",
	.purpose =
		"Looks whether this host can have the shield, and which: kernel, drivers, what is attached already, and whether you\n"
		"could shut yourself out. Nothing is changed. As root it sees more.\n",
	.notes = "Exit status: 0 nothing is in the way, 1 something is, 2 wrong usage.\n"
		 "\n"
		 "Example:\n"
		 "  sudo holdfast doctor eth0\n",
	OPTION_ROWS(rows),
};

/* The check to which more is said. What has no room is left out: CHECKS_MAX is above all that can be asked. */
static struct check *add(struct checks *checks, const char *interface, const char *name, enum state state)
{
	struct check *check = &checks->list[checks->count < CHECKS_MAX - 1 ? checks->count++ : CHECKS_MAX - 1];

	*check = (struct check){ .state = state, .name = name };
	(void)snprintf(check->interface, sizeof(check->interface), "%s", interface);
	return check;
}

__attribute__((format(printf, 2, 3))) static struct check *say(struct check *check, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(check->what, sizeof(check->what), format, arguments);
	va_end(arguments);
	return check;
}

__attribute__((format(printf, 2, 3))) static void advise(struct check *check, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(check->hint, sizeof(check->hint), format, arguments);
	va_end(arguments);
}

/* ---- The host ---- */

static void check_loading(struct checks *checks, const struct doctor_host *host)
{
	struct check *check;

	check = say(add(checks, "", "kernel", host->kernel_enough ? WELL : BAD), "Linux %s", host->kernel);
	if (!host->kernel_enough)
		advise(check, "the shield needs Linux 6.0; 'holdfast analyze' runs here");
	check = say(add(checks, "", "privilege", host->may_load ? WELL : BAD), "programs can%s be loaded by you",
	            host->may_load ? "" : "not");
	if (!host->may_load)
		advise(check, "run it as root; what stands here is what anyone can see");
	check = say(add(checks, "", "jit", host->jit ? WELL : MIND), "the kernel's compiler for programs is %s",
	            host->jit ? "on" : "off: they run several times slower");
	if (!host->jit)
		advise(check, "sysctl -w net.core.bpf_jit_enable=1");
	check = say(add(checks, "", "cookies", host->cookies ? WELL : MIND), "net.ipv4.tcp_syncookies is %s",
	            host->cookies ? "on" : "0: a flood of SYNs keeps new clients out");
	if (!host->cookies)
		advise(check, "sysctl -w net.ipv4.tcp_syncookies=1");
	say(add(checks, "", "btf", WELL), host->btf ? "the kernel describes its types" : "not there; it is not needed");
}

static void check_memory(struct checks *checks)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return;
	if (limit.rlim_cur == RLIM_INFINITY)
		say(add(checks, "", "memlock", WELL), "no limit");
	else
		say(add(checks, "", "memlock", WELL), "%llu octets; of no consequence since Linux 5.11",
		    (unsigned long long)limit.rlim_cur);
}

static void check_pins(struct checks *checks, const struct doctor_host *host, const char *bpffs_dir)
{
	struct check *check = say(add(checks, "", "bpffs", host->bpffs ? WELL : BAD), "%.120s %s", bpffs_dir,
	                          host->bpffs ? "can hold what is pinned" : "is in no bpf file system");

	if (!host->bpffs)
		advise(check, "mount -t bpf bpf /sys/fs/bpf");
	if (host->pinned_layout == 0)
		say(add(checks, "", "pinned", WELL), "nothing");
	else if (host->pinned_layout == SHIELD_LAYOUT)
		say(add(checks, "", "pinned", WELL), "a shield, which would be taken over with its rules and blocks");
	else
		advise(say(add(checks, "", "pinned", MIND), "a shield of layout %d, and this version's is %d",
		           host->pinned_layout, SHIELD_LAYOUT),
		       "nothing: it would be replaced, and rules put in again from the record");
}

static void check_others(struct checks *checks, const struct doctor_host *host)
{
	if (!host->may_load)
		return;
	say(add(checks, "", "dispatcher", host->freplace ? WELL : MIND),
	    host->freplace ? "an interface can be shared with other XDP programs by libxdp's dispatcher"
	                   : "an interface cannot be shared with other XDP programs");
	say(add(checks, "", "nftables", host->nftables ? WELL : MIND),
	    host->nftables ? "there, for where XDP cannot be had"
	                   : "not there: where XDP cannot be had nothing can be dropped");
}

/* ---- The operator's way in ---- */

static bool is_management_port(const struct config *config, uint16_t port)
{
	for (unsigned i = 0; i < config->management_ports.count; i++)
		if (config->management_ports.ports[i] == port)
			return true;
	return false;
}

static bool is_management_source(const struct config *config, const struct address *client)
{
	for (uint32_t i = 0; i < config->management_from.count; i++)
		if (prefix_contains(&config->management_from.prefixes[i], client))
			return true;
	return false;
}

static void check_session(struct checks *checks, const struct config *config)
{
	char address[ADDRESS_TEXT_SIZE];
	struct session session;

	if (session_find(&session) != 0) {
		if (config->management_from.count > 0)
			say(add(checks, "", "session", WELL),
			    "not by SSH; %" PRIu32 " networks are kept open for management",
			    config->management_from.count);
		else
			advise(say(add(checks, "", "session", MIND),
			           "not by SSH, as far as can be seen, and no network is kept open for management"),
			       "set shield.management.from to where you administer this host from");
		return;
	}
	(void)address_format(&session.client, address);
	if (!is_management_port(config, session.server_port))
		advise(say(add(checks, "", "session", MIND),
		           "you come from %s to port %u, which is no management port: a block could shut you out",
		           address, (unsigned)session.server_port),
		       "add %u to shield.management.ports", (unsigned)session.server_port);
	else if (!is_management_source(config, &session.client))
		advise(say(add(checks, "", "session", MIND),
		           "you come from %s, which is kept open only while you are connected or give orders", address),
		       "add %s, or the network around it, to shield.management.from", address);
	else
		say(add(checks, "", "session", WELL), "you come from %s to port %u, which is kept open", address,
		    (unsigned)session.server_port);
}

/* ---- Interfaces ---- */

static void check_hook(struct checks *checks, const struct doctor_interface *found, const struct config *config)
{
	struct check *check;

	if (!found->would_known) {
		say(add(checks, found->name, "xdp", WELL), "only attaching would tell");
		return;
	}
	switch (found->would) {
	case SHIELD_NATIVE:
	case SHIELD_DISPATCHER:
		say(add(checks, found->name, "xdp", WELL), "%s", shield_hook_name(found->would));
		return;
	case SHIELD_GENERIC:
		check = say(add(checks, found->name, "xdp", config->generic || config->nftables ? MIND : BAD),
		            "generic only: the driver has no XDP of its own, a flood will cost several times as much");
		if (!config->generic)
			advise(check, "set shield.generic: true to have it all the same%s",
			       config->nftables ? "; else nftables is used" : "");
		return;
	case SHIELD_DETACHED:
		break;
	}
	check = say(add(checks, found->name, "xdp", config->nftables ? MIND : BAD), "cannot be had");
	advise(check, config->nftables ? "nothing: nftables is used instead, at several times the cost"
	                               : "set shield.nftables: true to have rules there instead");
}

static void check_link(struct checks *checks, const struct doctor_interface *found)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (found->up)
		say(add(checks, found->name, "link", WELL), "up, driver %s",
		    found->driver[0] ? found->driver : "not known");
	else
		advise(say(add(checks, found->name, "link", MIND), "down, driver %s",
		           found->driver[0] ? found->driver : "not known"),
		       "ip link set %s up", found->name);
	if (found->mtu <= MTU_NATIVE)
		say(add(checks, found->name, "mtu", WELL), "%" PRIu32, found->mtu);
	else
		advise(say(add(checks, found->name, "mtu", MIND),
		           "%" PRIu32 ": many drivers refuse native XDP above %d", found->mtu, MTU_NATIVE),
		       "ip link set %s mtu 1500, if it need not be more", found->name);
	if (found->lro)
		advise(say(add(checks, found->name, "lro", BAD), "on: native XDP refuses it"), "ethtool -K %s lro off",
		       found->name);
	else
		say(add(checks, found->name, "lro", WELL), "off");
	if (found->rx_queues > 1 || processors <= 1)
		say(add(checks, found->name, "queues", WELL), "%" PRIu32, found->rx_queues);
	else
		advise(say(add(checks, found->name, "queues", MIND),
		           "%" PRIu32 ", and %ld processors: one of them alone bears a flood", found->rx_queues,
		           processors),
		       "ethtool -L %s combined %ld, where the device can", found->name, processors);
}

static void check_program(struct checks *checks, const struct doctor_interface *found)
{
	if (!found->program)
		say(add(checks, found->name, "programs", WELL), "no XDP program is attached");
	else if (found->program_ours)
		say(add(checks, found->name, "programs", WELL), "Holdfast's own is attached");
	else
		advise(say(add(checks, found->name, "programs", MIND),
		           "another XDP program is attached: %s (id %" PRIu32 ")", found->program_name, found->program),
		       "end what has it there ('bpftool net' lists them), or have both share the interface by libxdp's dispatcher");
}

static void check_interface(struct checks *checks, const char *name, const struct config *config)
{
	struct shield_error error = { .message = "" };
	struct doctor_interface found;
	int result = doctor_look_at(name, config->bpffs_dir, &found, &error);

	if (result) {
		advise(say(add(checks, name, "link", BAD), "%s",
		           result == -ENODEV  ? "there is no such interface"
		           : error.message[0] ? error.message
		                              : strerror(-result)),
		       "%s", error.advice[0] ? error.advice : "'ip link' lists those there are");
		return;
	}
	check_link(checks, &found);
	check_hook(checks, &found, config);
	check_program(checks, &found);
}

/* All but loopback, as far as there is room. */
static void check_all_interfaces(struct checks *checks, const struct config *config)
{
	DIR *directory = opendir(INTERFACES_DIR);
	const struct dirent *entry;
	unsigned count = 0;

	/* One thread, one stream. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while (directory && (entry = readdir(directory)) && count < SHIELD_INTERFACES_MAX) {
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "lo") == 0 ||
		    strcmp(entry->d_name, "bonding_masters") == 0)
			continue;
		check_interface(checks, entry->d_name, config);
		count++;
	}
	if (directory)
		(void)closedir(directory);
	advise(say(add(checks, "", "interfaces", MIND), "none is named in the configuration"),
	       "name what the shield is to guard in shield.interfaces");
}

static void check_interfaces(struct checks *checks, const struct config *config, const struct option_words *asked)
{
	for (size_t i = 0; i < asked->count; i++)
		check_interface(checks, asked->words[i], config);
	if (asked->count > 0)
		return;
	for (unsigned i = 0; i < config->interface_count; i++)
		check_interface(checks, config->interfaces[i], config);
	if (config->interface_count == 0)
		check_all_interfaces(checks, config);
}

/* ---- Telling ---- */

static enum state worst(const struct checks *checks)
{
	enum state state = WELL;

	for (unsigned i = 0; i < checks->count; i++)
		state = checks->list[i].state > state ? checks->list[i].state : state;
	return state;
}

static void print_page(const struct checks *checks)
{
	static const char *const closing[] = {
		[WELL] = GREEN "All is well." PLAIN,
		[MIND] = "Nothing is in the way; " YELLOW "mind what is marked" PLAIN ".",
		[BAD] = RED "Something is in the way." PLAIN,
	};
	struct paper paper = screen_paper(0, false);

	for (unsigned i = 0; i < checks->count; i++) {
		const struct check *check = &checks->list[i];
		char name[NAME_COLUMN * 2];
		struct draft d = { .length = 0 };

		(void)snprintf(name, sizeof(name), "%s%s%s", check->interface, check->interface[0] ? " " : "",
		               check->name);
		draft_add(&d, "%s%-4s" PLAIN "  %-*s %s", states[check->state].mark, states[check->state].name,
		          NAME_COLUMN, name, check->what);
		paper_text(&paper, 0, NAME_COLUMN + 7, d.text);
		if (check->hint[0])
			paper_text(&paper, NAME_COLUMN + 7, NAME_COLUMN + 7, check->hint);
	}
	(void)putchar('\n');
	paper_text(&paper, 0, 0, closing[worst(checks)]);
}

static json_t *checks_json(const struct checks *checks)
{
	json_t *list = json_array();
	int failed = 0;

	for (unsigned i = 0; i < checks->count; i++) {
		const struct check *check = &checks->list[i];

		failed |= json_array_append_new(
			list, json_pack("{s:s, s:s?, s:s, s:s, s:s}", "check", check->name, "interface",
		                        check->interface[0] ? check->interface : NULL, "state",
		                        states[check->state].name, "what", check->what, "hint", check->hint));
	}
	if (!failed)
		return json_pack("{s:s, s:o}", "state", states[worst(checks)].name, "checks", list);
	json_decref(list);
	return NULL;
}

static int look(struct checks *checks, const struct config *config, const struct options *options)
{
	struct shield_error error = { .message = "" };
	struct doctor_host host;
	int result = doctor_look(config->bpffs_dir, &host, &error), status = COMMAND_DONE;

	if (result) {
		say_error("doctor", "%s%s%s", error.message[0] ? error.message : strerror(-result),
		          error.advice[0] ? "; " : "", error.advice);
		return COMMAND_BAD;
	}
	check_loading(checks, &host);
	check_memory(checks);
	check_pins(checks, &host, config->bpffs_dir);
	check_others(checks, &host);
	check_session(checks, config);
	check_interfaces(checks, config, &options->interfaces);
	if (options->json) {
		status = order_print_json("holdfast.doctor/1", checks_json(checks));
	} else {
		print_page(checks);
		status = output_finish();
	}
	return status == COMMAND_DONE && worst(checks) == BAD ? COMMAND_BAD : status;
}

int doctor_command(int argc, char **argv)
{
	struct options options = { .json = false };
	struct checks *checks;
	struct config config;
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	status = place_configuration("doctor", options.config, &config);
	if (status != COMMAND_DONE)
		return status;
	checks = calloc(1, sizeof(*checks));
	if (checks) {
		status = look(checks, &config, &options);
	} else {
		say_error("doctor", "out of memory; free some");
		status = COMMAND_BAD;
	}
	free(checks);
	config_fini(&config);
	return status;
}
