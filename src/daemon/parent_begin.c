/* SPDX-License-Identifier: Apache-2.0 */
/* How the parent begins: whether it has the rights, and what it makes with them before it gives them up. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/log.h"
#include "daemon/parent_inside.h"
#include "daemon/sandbox.h"

#define LISTEN_BACKLOG 64

#define REFUSE(...) supervise_refuse(PARENT_COMMAND, __VA_ARGS__)

static int check_rights(void)
{
	uint64_t wanted = sandbox_bounding() | SANDBOX_CAPABILITY(CAP_SETPCAP) | SANDBOX_CAPABILITY(CAP_CHOWN);
	char missing[128];

	if (geteuid() != 0)
		return REFUSE("needs root, to attach the shield; start it as root or by 'systemctl start holdfast'");
	if (*sandbox_missing(wanted, missing, sizeof(missing)))
		return REFUSE(
			"root here lacks %s; a container needs them granted (--cap-add), a service by AmbientCapabilities "
			"and CapabilityBoundingSet",
			missing);
	return 0;
}

/*
 * The loader has no right to mount, for the parent's bounding set outlives the moment in which it is needed. Elsewhere
 * than at the usual place nothing is mounted: shield_open() says what to do.
 */
static int mount_bpffs(const struct parent *parent)
{
	static const char usual[] = "/sys/fs/bpf";
	struct statfs about;

	if (strncmp(parent->config.bpffs_dir, usual, strlen(usual)) != 0 || statfs(usual, &about) != 0 ||
	    about.f_type == BPF_FS_MAGIC)
		return 0;
	if (mount("bpf", usual, "bpf", 0, "mode=0700") != 0)
		return REFUSE("no bpf file system is mounted at %s, and mounting one: %s; as root: mount -t bpf bpf %s",
		              usual, strerror(errno), usual);
	LOG_SAY(LOG_NOTICE, "no bpf file system was mounted at %s: mounted one", usual);
	return 0;
}

static int open_control(struct parent *parent)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	gid_t group = parent->start.operators; /* 0 where there is no such group: then it is for root */
	int length =
		snprintf(address.sun_path, sizeof(address.sun_path), "%s/" DAEMON_SOCKET_NAME, parent->config.run_dir);
	mode_t before;
	int result;

	if (length < 0 || (size_t)length >= sizeof(address.sun_path))
		return REFUSE("run_dir is too long for a socket's address: %s", parent->config.run_dir);
	parent->control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (parent->control < 0)
		return REFUSE("no socket: %s", strerror(errno));
	if (unlink(address.sun_path) != 0 && errno != ENOENT)
		return REFUSE("%s: %s", address.sun_path, strerror(errno));
	before = umask(0117);
	result = bind(parent->control, (const struct sockaddr *)&address, sizeof(address));
	(void)umask(before);
	if (result != 0 || chown(address.sun_path, 0, group) != 0 || listen(parent->control, LISTEN_BACKLOG) != 0)
		return REFUSE("%s: %s", address.sun_path, strerror(errno));
	return 0;
}

int parent_prepare(struct parent *parent)
{
	int result;

	(void)umask(0022); /* whatever who starts us thinks: folders and pid are for others to see */
	if (parent->config.interface_count == 0)
		return REFUSE(
			"the configuration names no interface to defend; add 'shield: { interfaces: [eth0] }' to %s",
			parent->config_name);
	result = check_rights();
	if (result == 0)
		result = supervise_find_user(PARENT_COMMAND, "engine and recorder", parent->config.user, &parent->start,
		                             &parent->messenger_start);
	if (result == 0)
		result = supervise_make_folder(PARENT_COMMAND, parent->config.run_dir, 0, 0, 0755);
	if (result == 0)
		result = supervise_take_lock(PARENT_COMMAND, parent->config.run_dir, "holdfast.pid", &parent->lock);
	if (result == 0)
		result = supervise_give_record(PARENT_COMMAND, parent->config.state_dir, parent->start.uid,
		                               parent->start.gid);
	if (result == 0)
		result = supervise_make_folder(PARENT_COMMAND, parent->config.state_dir, parent->start.uid,
		                               parent->start.gid, 0750);
	if (result == 0)
		result = mount_bpffs(parent);
	if (result == 0)
		result = open_control(parent);
	if (result != 0)
		return result;
	result = sandbox_limit(sandbox_bounding());
	if (result == 0)
		result = sandbox_keep(0);
	return result ? REFUSE("capabilities cannot be given up: %s", strerror(-result)) : 0;
}
