/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/prefixes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/say.h"

#define SHOWN 60 /* octets of what is wrong that are repeated */

/* With the host's bits taken away it is a prefix: say which two may have been meant. */
static bool explain_host_bits(const char *text, char error[PREFIXES_ERROR_SIZE])
{
	char address[ADDRESS_TEXT_SIZE], meant[PREFIX_TEXT_SIZE], whole[PREFIX_TEXT_SIZE];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : 0;
	struct prefix host, zero;

	if (!slash || length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	if (prefix_parse(address, &host) != 0)
		return false;
	/* Of a family's zero address every length is good: so it is the length that is looked at. */
	(void)snprintf(whole, sizeof(whole), "%s%.6s", host.is_ipv4 ? "0.0.0.0" : "::", slash);
	if (prefix_parse(whole, &zero) != 0) {
		(void)snprintf(error, PREFIXES_ERROR_SIZE, "'%.*s': the length is a number from 0 to %d; write %s/%d",
		               SHOWN, text, host.is_ipv4 ? 32 : 128, address, host.is_ipv4 ? 24 : 48);
		return true;
	}
	zero = prefix_of(&host.address, zero.length);
	(void)snprintf(error, PREFIXES_ERROR_SIZE,
	               "'%.*s' has bits behind its length; write %s for the network or %s for the host", SHOWN, text,
	               prefix_format(&zero, meant), address);
	return true;
}

int prefixes_read_one(const char *text, struct prefix *prefix, char error[PREFIXES_ERROR_SIZE])
{
	if (prefix_parse(text, prefix) == 0)
		return 0;
	if (!explain_host_bits(text, error))
		(void)snprintf(error, PREFIXES_ERROR_SIZE,
		               "'%.*s' is no address or prefix; write 192.0.2.10, 192.0.2.0/24 or 2001:db8::/32", SHOWN,
		               text);
	return -EINVAL;
}

int prefixes_read_file(const char *path, struct prefix_list *list)
{
	bool standard_input = strcmp(path, "-") == 0;
	char error[PREFIX_FILE_ERROR_SIZE];
	int fd = standard_input ? STDIN_FILENO : prefix_file_open(path, error);
	int result = fd < 0 ? fd : prefix_file_read(fd, say_input(path), PREFIXES_MAX, list, error);

	if (fd >= 0 && !standard_input)
		(void)close(fd);
	if (result) {
		say_line(error);
		return COMMAND_BAD;
	}
	if (list->count > 0)
		return COMMAND_DONE;
	prefix_list_fini(list);
	say_error(say_input(path), "there is no prefix in it; write one a line");
	return COMMAND_BAD;
}
