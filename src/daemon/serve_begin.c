/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/reader.h"
#include "daemon/sandbox.h"
#include "daemon/serve_inside.h"
#include "daemon/supervise.h"
#include "tell/http_server.h"

static int check_rights(void)
{
	uint64_t wanted = sandbox_serving() | SANDBOX_CAPABILITY(CAP_SETPCAP) | SANDBOX_CAPABILITY(CAP_CHOWN);
	char missing[128];

	if (geteuid() != 0)
		return supervise_refuse(SERVE_COMMAND,
		                        "needs root, of which its roles keep nothing; start it as root or by "
		                        "'systemctl start holdfast-serve'");
	if (*sandbox_missing(wanted, missing, sizeof(missing)))
		return supervise_refuse(SERVE_COMMAND, "root here lacks %s", missing);
	return 0;
}

static int open_datagrams(const char *address, int *fd)
{
	struct address at;
	uint16_t port;
	int result = http_server_address(address, &at, &port);

	*fd = result == 0 ? log_reader_socket(&at, port) : result;
	return *fd < 0 ? *fd : 0;
}

static int bind_listener(struct serve_tree *tree, const char *address, bool datagrams)
{
	struct serve_listener *listener = &tree->listeners[tree->listener_count];
	int result;

	for (unsigned i = 0; i < tree->listener_count; i++)
		if (tree->listeners[i].datagrams == datagrams && strcmp(tree->listeners[i].address, address) == 0)
			return 0;
	if (tree->listener_count == SERVE_ALL_LISTENERS_MAX || strlen(address) >= SERVE_LISTEN_SIZE)
		return supervise_refuse(SERVE_COMMAND, "%s: there are too many addresses to listen at", address);
	result = datagrams ? open_datagrams(address, &listener->fd) : http_server_listen(address, &listener->fd);
	if (result != 0)
		return supervise_refuse(SERVE_COMMAND, "cannot listen at %s: %s", address, strerror(-result));
	message_text(listener->address, sizeof(listener->address), address);
	listener->datagrams = datagrams;
	tree->listener_count++;
	return 0;
}

/* Those that the configuration names and that are not open yet. */
int serve_listen(struct serve_tree *tree, const struct config *config)
{
	const char *addresses[SERVE_LISTENERS_MAX];
	int result = 0;

	for (unsigned role = 0; role < SERVE_ROLES && result == 0; role++) {
		unsigned count = serve_wants(config, role) && serve_rows[role].listeners
		                         ? serve_rows[role].listeners(config, addresses)
		                         : 0;

		for (unsigned i = 0; i < count && result == 0; i++)
			result = bind_listener(tree, addresses[i], serve_rows[role].datagrams);
	}
	return result;
}

static bool is_wanted(const struct config *config, const struct serve_listener *listener)
{
	const char *addresses[SERVE_LISTENERS_MAX];

	for (unsigned role = 0; role < SERVE_ROLES; role++) {
		const struct serve_row *row = &serve_rows[role];
		unsigned count = serve_wants(config, role) && row->listeners ? row->listeners(config, addresses) : 0;

		for (unsigned i = 0; i < count; i++)
			if (row->datagrams == listener->datagrams && strcmp(addresses[i], listener->address) == 0)
				return true;
	}
	return false;
}

void serve_listen_only(struct serve_tree *tree, const struct config *config)
{
	for (unsigned i = tree->listener_count; i > 0; i--) {
		struct serve_listener *listener = &tree->listeners[i - 1];

		if (is_wanted(config, listener))
			continue;
		(void)close(listener->fd);
		*listener = tree->listeners[--tree->listener_count];
	}
}

/* The page's folder changes its name with one beside it: the one around it has to be the roles' user's. */
static int make_page_folder(const struct serve_tree *tree)
{
	char folder[CONFIG_PATH_SIZE], *slash;
	struct stat status;

	message_text(folder, sizeof(folder), tree->config.page.directory);
	slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	if (stat(folder, &status) == 0) /* somebody else's: it is said when the page is published */
		return 0;
	return supervise_make_folder(SERVE_COMMAND, folder, tree->start.uid, tree->start.gid, 0755);
}

/* All that needs rights which the parent then gives up. */
int serve_prepare(struct serve_tree *tree)
{
	int result = check_rights();

	(void)umask(0022);
	if (result == 0)
		result = supervise_find_user(SERVE_COMMAND, "its roles", tree->config.user, &tree->start,
		                             &tree->messenger_start);
	if (result == 0)
		result = supervise_make_folder(SERVE_COMMAND, tree->config.run_dir, 0, 0, 0755);
	if (result == 0)
		result = supervise_take_lock(SERVE_COMMAND, tree->config.run_dir, DAEMON_SERVE_PID_NAME, &tree->lock);
	if (result == 0)
		result = supervise_give_record(SERVE_COMMAND, tree->config.state_dir, tree->start.uid, tree->start.gid);
	if (result == 0)
		result = supervise_make_folder(SERVE_COMMAND, tree->config.state_dir, tree->start.uid, tree->start.gid,
		                               0750);
	if (result == 0)
		result = make_page_folder(tree);
	if (result == 0)
		result = serve_listen(tree, &tree->config);
	if (result != 0)
		return result;
	result = sandbox_limit(sandbox_serving());
	if (result == 0)
		result = sandbox_keep(0);
	return result ? supervise_refuse(SERVE_COMMAND, "capabilities cannot be given up: %s", strerror(-result)) : 0;
}
