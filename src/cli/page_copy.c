/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/page_copy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "cli/command.h"
#include "cli/page_folder.h"
#include "cli/say.h"
#include "daemon/child.h"

#define RSYNC_NS (120 * NS_PER_S)
#define RSYNC_SILENT "--timeout=30" /* seconds without an octet */

static int copy_to(const char *folder, const struct config_page_target *target)
{
	char ssh[PAGE_FOLDER_PATH_SIZE * 2], from[PAGE_FOLDER_PATH_SIZE], said[CHILD_SAID_SIZE];
	const char *const arguments[] = { "rsync",
		                          "--recursive",
		                          "--times",
		                          "--checksum",
		                          "--delay-updates",
		                          "--chmod=D755,F644",
		                          RSYNC_SILENT,
		                          "--rsh",
		                          ssh,
		                          "--",
		                          from,
		                          target->rsync,
		                          NULL };
	int length = snprintf(
		ssh, sizeof(ssh),
		"ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10 -o ServerAliveInterval=10 "
		"-o ForwardAgent=no -o ForwardX11=no -p %u",
		(unsigned)target->ssh_port);
	int result;

	if (target->ssh_key[0])
		length += snprintf(ssh + length, sizeof(ssh) - (size_t)length, " -o IdentitiesOnly=yes -i %s",
		                   target->ssh_key);
	if (target->known_hosts[0])
		(void)snprintf(ssh + length, sizeof(ssh) - (size_t)length, " -o UserKnownHostsFile=%s",
		               target->known_hosts);
	(void)snprintf(from, sizeof(from), "%.*s/", PAGE_FOLDER_PATH_SIZE - 2, folder);
	result = child_run(arguments, NULL, 0, RSYNC_NS, said);
	switch (-result) {
	case 0:
		(void)printf("copied to %s\n", target->rsync);
		return COMMAND_DONE;
	case ENOENT:
		say_error(target->rsync, "there is no rsync here; install it");
		break;
	case ETIME:
		say_error(target->rsync, "rsync took longer than %lld s and was ended; what is there stands",
		          (long long)(RSYNC_NS / NS_PER_S));
		break;
	default:
		say_error(target->rsync, "rsync could not copy it: %s; what is there stands",
		          *said ? said : strerror(-result));
	}
	return COMMAND_BAD;
}

/* rsync takes the command of ssh apart at spaces, and a shell's signs mean something to it. */
static bool is_plain_path(const char *path)
{
	return strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") == strlen(path) &&
	       strlen(path) < CONFIG_PATH_SIZE && path[0] != '-';
}

static int take_target(const struct page_options *options, struct config_page_target *target)
{
	const char *const files[] = { options->ssh_key ? options->ssh_key : "",
		                      options->known_hosts ? options->known_hosts : "" };

	if (!config_rsync_is_good(options->rsync) || strlen(options->rsync) >= sizeof(target->rsync))
		return options_refuse(&page_table,
		                      "--rsync wants user@host:/path, of letters, digits, '.', '_' and '-'");
	if (!is_plain_path(files[0]) || !is_plain_path(files[1]))
		return options_refuse(&page_table,
		                      "paths of --ssh-key and --known-hosts want letters, digits and ._-/ only");
	*target = (struct config_page_target){ .ssh_port = (uint32_t)options->ssh_port };
	(void)snprintf(target->rsync, sizeof(target->rsync), "%s", options->rsync);
	(void)snprintf(target->ssh_key, sizeof(target->ssh_key), "%s", files[0]);
	(void)snprintf(target->known_hosts, sizeof(target->known_hosts), "%s", files[1]);
	return COMMAND_DONE;
}

int page_copy(const struct page_options *options, const struct config_page *page, const char *folder)
{
	struct config_page_target target = { 0 };
	int status = COMMAND_DONE;

	if (options->rsync) {
		status = take_target(options, &target);
		return status == COMMAND_DONE ? copy_to(folder, &target) : status;
	}
	for (unsigned i = 0; i < page->target_count; i++) {
		const struct config_page_target *one = &page->targets[i];

		if (!is_plain_path(one->ssh_key) || !is_plain_path(one->known_hosts)) {
			say_error(one->name, "ssh_key and known_hosts want letters, digits and ._-/ only");
			status = COMMAND_BAD;
		} else if (copy_to(folder, one) != COMMAND_DONE) {
			status = COMMAND_BAD; /* the others get it all the same */
		}
	}
	return status;
}

int page_copy_check(const struct page_options *options)
{
	struct config_page_target target = { 0 };

	return options->rsync ? take_target(options, &target) : COMMAND_DONE;
}
