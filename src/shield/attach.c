/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the programs on interfaces and takes them off. XDP is held by a link that is pinned, so that it outlives who
 * made it, and whose program is replaced in one step. The classifier for what is sent is held by the interface itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <shield.skel.h>

#include "shield/dispatcher.h"
#include "shield/filters.h"
#include "shield/inside.h"
#include "shield/link.h"

#define TC_HANDLE 0x4846 /* "HF" */
#define TC_PRIORITY 0x4846

static void fill_classifier(struct bpf_tc_opts *options)
{
	OPTIONS_BEGIN(*options);
	options->handle = TC_HANDLE;
	options->priority = TC_PRIORITY;
}

static void fill_hook(struct bpf_tc_hook *hook, unsigned ifindex, enum bpf_tc_attach_point point)
{
	OPTIONS_BEGIN(*hook);
	hook->ifindex = (int)ifindex;
	hook->attach_point = point;
}

const char *shield_hook_name(enum shield_hook hook)
{
	static const char *const names[] = {
		[SHIELD_DETACHED] = "detached",
		[SHIELD_NATIVE] = "native",
		[SHIELD_GENERIC] = "generic (slow)",
		[SHIELD_DISPATCHER] = "dispatcher",
	};

	return (unsigned)hook < sizeof(names) / sizeof(names[0]) ? names[hook] : "unknown";
}

/*
 * The bpf file system takes no name with a dot, and VLANs' interfaces are called eth0.100: a colon stands for it, which
 * no interface's name has.
 */
static int link_pin(char path[PIN_PATH_SIZE], const char *dir, const char *interface)
{
	char name[sizeof(LINK_PREFIX) + IF_NAMESIZE];

	(void)snprintf(name, sizeof(name), LINK_PREFIX "%.*s", IF_NAMESIZE - 1, interface);
	for (char *dot = strchr(name, '.'); dot; dot = strchr(dot, '.'))
		*dot = ':';
	return pin_path(path, dir, name);
}

static bool is_link(const char *name)
{
	return strncmp(name, LINK_PREFIX, strlen(LINK_PREFIX)) == 0;
}

/* The interface that a link holds on to; 0 where it has gone. */
static unsigned link_ifindex(int fd)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) || info.type != BPF_LINK_TYPE_XDP ? 0 : info.xdp.ifindex;
}

/* How XDP is attached to an interface now. */
static enum shield_hook hook_of(unsigned ifindex)
{
	struct bpf_xdp_query_opts query;

	OPTIONS_BEGIN(query);
	if (bpf_xdp_query((int)ifindex, 0, &query))
		return SHIELD_DETACHED;
	switch (query.attach_mode) {
	case XDP_ATTACHED_DRV:
	case XDP_ATTACHED_HW:
		return SHIELD_NATIVE;
	case XDP_ATTACHED_SKB:
		return SHIELD_GENERIC;
	default:
		return SHIELD_DETACHED;
	}
}

/* Names the program that is in the way. */
static void explain_other(unsigned ifindex, const char *interface, struct shield_error *error)
{
	struct bpf_xdp_query_opts query;
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info), id = 0;
	int fd = -1;

	OPTIONS_BEGIN(query);
	if (bpf_xdp_query((int)ifindex, 0, &query) == 0)
		id = query.prog_id ? query.prog_id : query.drv_prog_id ? query.drv_prog_id : query.skb_prog_id;
	if (id)
		fd = bpf_prog_get_fd_by_id(id);
	/* A name takes CAP_SYS_ADMIN, which the loader has not. */
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		info.name[0] = '\0';
	if (fd >= 0)
		(void)close(fd);
	(void)shield_fail(error, -EEXIST, "%s: another XDP program is attached: id %u%s%s", interface, id,
	                  info.name[0] ? ", " : "", info.name);
	shield_advise(
		error,
		"'bpftool prog show id %u' names it; 'ip link set dev %s xdp off' takes it away, if nobody needs it",
		id, interface);
}

/* Lists of interfaces in the pinned configuration: SHIELD_INTERFACES_MAX at most, each once. */
static void note_interface(__u32 list[SHIELD_INTERFACES_MAX], __u32 *count, unsigned ifindex)
{
	for (unsigned i = 0; i < *count && i < SHIELD_INTERFACES_MAX; i++)
		if (list[i] == ifindex)
			return;
	if (*count < SHIELD_INTERFACES_MAX)
		list[(*count)++] = ifindex;
}

static void forget_interface(__u32 list[SHIELD_INTERFACES_MAX], __u32 *count, unsigned ifindex)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < *count && i < SHIELD_INTERFACES_MAX; i++)
		if (list[i] != ifindex)
			list[kept++] = list[i];
	*count = kept;
}

static int create_link(int program, unsigned ifindex, __u32 flags)
{
	struct bpf_link_create_opts options;

	OPTIONS_BEGIN(options);
	options.flags = flags;
	return bpf_link_create(program, (int)ifindex, BPF_XDP, &options);
}

static int new_link(const struct shield *shield, const char *interface, unsigned ifindex, const char *path,
                    struct shield_error *error)
{
	int program = bpf_program__fd(shield->programs->progs.shield_xdp), result = 0;
	int fd = create_link(program, ifindex, XDP_FLAGS_DRV_MODE);

	if (fd < 0 && (fd == -EBUSY || fd == -EEXIST)) {
		explain_other(ifindex, interface, error);
		if (!dispatcher_is_there(ifindex))
			return -EEXIST;
		result = dispatcher_attach(shield, ifindex);
		if (result)
			shield_advise(error, "libxdp's dispatcher does not take the shield's program beside it: %s",
			              strerror(-result));
		else
			note_interface(shield->config->dispatched, &shield->config->dispatched_count, ifindex);
		return result ? -EEXIST : 0;
	}
	if (fd < 0 && shield->generic && fd != -EPERM)
		fd = create_link(program, ifindex, XDP_FLAGS_SKB_MODE);
	if (fd < 0) {
		(void)shield_fail(error, fd, "%s: its driver does not take XDP: %s", interface, strerror(-fd));
		if (shield->generic)
			shield_advise(error, "'holdfast doctor' says what is in the way");
		else
			shield_advise(error, "shield.generic: true lets slow generic XDP do");
		return fd;
	}
	if (bpf_obj_pin(fd, path))
		result = shield_fail(error, -errno, "%s: cannot be pinned: %s", path, strerror(errno));
	(void)close(fd); /* unpinned, it is gone with this */
	return result;
}

static int attach_classifier(struct shield *shield, const char *interface, unsigned ifindex, struct shield_error *error)
{
	struct bpf_tc_opts options, query;
	struct bpf_tc_hook hook;
	int result;

	fill_classifier(&options);
	fill_classifier(&query);
	fill_hook(&hook, ifindex, BPF_TC_EGRESS);
	result = bpf_tc_hook_create(&hook);
	/*
	 * Whose it is, so that nobody else's is taken away. What another layout said of it cannot be read; where the
	 * shield's classifier stands already, the queue is taken for its own, and in the end only goes if nobody else
	 * uses it.
	 */
	if (result == 0 ||
	    (result == -EEXIST && shield->origin != SHIELD_TAKEN_OVER && bpf_tc_query(&hook, &query) == 0))
		note_interface(shield->config->clsact, &shield->config->clsact_count, ifindex);
	else if (result != -EEXIST)
		return shield_fail(error, result, "%s: no clsact queue can be made: %s", interface, strerror(-result));
	options.prog_fd = bpf_program__fd(shield->programs->progs.shield_egress);
	options.flags = BPF_TC_F_REPLACE;
	result = bpf_tc_attach(&hook, &options);
	if (result)
		return shield_fail(error, result, "%s: the classifier cannot be attached: %s", interface,
		                   strerror(-result));
	return 0;
}

/* The classifier, and the queue if it is the shield's own and nobody else uses it. Returns how many there were. */
static unsigned detach_classifier(unsigned ifindex, bool made_queue)
{
	struct bpf_tc_opts query, options;
	struct bpf_tc_hook egress, both;
	unsigned removed = 0;

	fill_classifier(&query);
	fill_classifier(&options);
	fill_hook(&egress, ifindex, BPF_TC_EGRESS);
	fill_hook(&both, ifindex, BPF_TC_EGRESS | BPF_TC_INGRESS);
	if (bpf_tc_query(&egress, &query) == 0 && bpf_tc_detach(&egress, &options) == 0)
		removed++;
	if (made_queue && !filters_are_there(ifindex) && bpf_tc_hook_destroy(&both) == 0)
		removed++;
	return removed;
}

struct search {
	unsigned ifindex;
	char path[PIN_PATH_SIZE];
};

static int find_link(const char *path, const char *name, void *context)
{
	struct search *search = context;
	int fd = is_link(name) ? bpf_obj_get(path) : -1;
	bool found = fd >= 0 && link_ifindex(fd) == search->ifindex;

	if (fd >= 0)
		(void)close(fd);
	if (found)
		(void)snprintf(search->path, sizeof(search->path), "%s", path);
	return found;
}

/* An interface that was called otherwise when the shield came there: its link is pinned under the name it has now. */
static void follow_name(const struct shield *shield, unsigned ifindex, const char *path)
{
	struct search search = { .ifindex = ifindex };

	if (pin_each(shield->dir, find_link, &search) != 1 || strcmp(search.path, path) == 0)
		return;
	/*
	 * Two may have changed names with each other. Where nothing can be done, what comes next says what is in the
	 * way.
	 */
	if (renameat2(AT_FDCWD, search.path, AT_FDCWD, path, RENAME_EXCHANGE))
		(void)rename(search.path, path);
}

/* Frames there begin as Ethernet's do: what the programs read. */
static bool is_ethernet(const char *interface)
{
	struct ifreq about = { .ifr_ifindex = 0 };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is = true;

	(void)snprintf(about.ifr_name, sizeof(about.ifr_name), "%s", interface);
	if (fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &about) == 0)
		is = about.ifr_hwaddr.sa_family == ARPHRD_ETHER || about.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK;
	if (fd >= 0)
		(void)close(fd);
	return is;
}

/* What these send by XDP_TX only arrives where something stands at the other end that they know nothing of. */
static bool is_unsure(const char *interface, enum shield_hook hook)
{
	static const char *const drivers[] = { "veth" };
	char driver[SHIELD_DRIVER_SIZE];

	if (hook == SHIELD_GENERIC)
		return false;
	shield_link_driver(interface, driver);
	for (unsigned i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (strcmp(driver, drivers[i]) == 0)
			return true;
	return false;
}

/* What a trial has found out stays. Its failing costs cookies there, and no more. */
static void prepare_trial(const struct shield *shield, unsigned ifindex, bool unsure)
{
	int map = shield->maps.fd[SHIELD_MAP_TRIALS];
	struct shield_trial trial = { .began = 0 };

	(void)bpf_map_lookup_elem(map, &ifindex, &trial);
	if (trial.unsure == unsure)
		return;
	trial.unsure = unsure;
	(void)bpf_map_update_elem(map, &ifindex, &trial, BPF_ANY);
}

int shield_attach(struct shield *shield, const char *interface, enum shield_hook *hook, struct shield_error *error)
{
	unsigned ifindex = if_nametoindex(interface);
	char path[PIN_PATH_SIZE];
	int fd, result = link_pin(path, shield->dir, interface);

	if (result || ifindex == 0) {
		(void)shield_fail(error, -ENODEV, "%.64s: there is no such interface", interface);
		shield_advise(error, "'ip link' lists those there are");
		return -ENODEV;
	}
	if (!shield->programs)
		return shield_fail(error, -EINVAL, "%s: no program is loaded", interface);
	if (!is_ethernet(interface)) {
		(void)shield_fail(error, -EOPNOTSUPP,
		                  "%s: its frames are not Ethernet's, which is what the shield reads", interface);
		shield_advise(error, "name the interface that its packets come in by");
		return -EOPNOTSUPP;
	}
	follow_name(shield, ifindex, path);
	fd = bpf_obj_get(path);
	if (fd >= 0 && link_ifindex(fd) == ifindex) {
		result = bpf_link_update(fd, bpf_program__fd(shield->programs->progs.shield_xdp), NULL);
		(void)close(fd);
		if (result)
			return shield_fail(error, result, "%s: its program cannot be replaced: %s", interface,
			                   strerror(-result));
	} else {
		if (fd >= 0) { /* of an interface of that name that has gone */
			(void)close(fd);
			(void)unlink(path);
		}
		result = new_link(shield, interface, ifindex, path, error);
		if (result)
			return result;
	}
	result = attach_classifier(shield, interface, ifindex, error);
	if (result)
		return result;
	*hook = dispatcher_runs_ours(ifindex) ? SHIELD_DISPATCHER : hook_of(ifindex);
	prepare_trial(shield, ifindex, is_unsure(interface, *hook));
	return 0;
}

/* Takes one pinned link away, and with it the program; `only` is whose it must be, or have been. 0: anybody's. */
static int remove_link(const char *path, unsigned only, unsigned *ifindex)
{
	int fd = bpf_obj_get(path), result = 0;

	*ifindex = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	*ifindex = link_ifindex(fd);
	if (*ifindex && only && *ifindex != only) {
		(void)close(fd);
		*ifindex = 0;
		return 0;
	}
	/* Somebody may still have it open; detached, it holds nothing any more. */
	if (*ifindex)
		result = bpf_link_detach(fd);
	if (unlink(path) && !result)
		result = -errno;
	(void)close(fd);
	return result;
}

static bool made_queue(const struct shield_config *config, unsigned ifindex)
{
	for (unsigned i = 0; config && i < config->clsact_count && i < SHIELD_INTERFACES_MAX; i++)
		if (config->clsact[i] == ifindex)
			return true;
	return false;
}

int shield_detach(struct shield *shield, const char *interface, struct shield_error *error)
{
	char path[PIN_PATH_SIZE];
	unsigned ifindex = if_nametoindex(interface), held;
	int result = link_pin(path, shield->dir, interface);

	if (!result && ifindex)
		follow_name(shield, ifindex, path);
	/* Of a name that nobody has now, the link may be of an interface that goes by another. */
	if (!result)
		result = remove_link(path, ifindex ? ifindex : UINT_MAX, &held);
	if (result)
		return shield_fail(error, result, "%s: cannot be detached: %s", interface, strerror(-result));
	if (ifindex == 0)
		return 0;
	if (dispatcher_detach(ifindex))
		forget_interface(shield->config->dispatched, &shield->config->dispatched_count, ifindex);
	(void)detach_classifier(ifindex, made_queue(shield->config, ifindex));
	forget_interface(shield->config->clsact, &shield->config->clsact_count, ifindex);
	return 0;
}

struct removal {
	const struct shield_config *config; /* NULL: of another version */
	unsigned removed;
	int failed; /* the first that went wrong */
};

static bool is_ours(const char *name)
{
	for (unsigned i = 0; i < SHIELD_MAPS; i++)
		if (strcmp(name, shield_map_name((enum shield_map)i)) == 0)
			return true;
	return is_link(name) || strcmp(name, CLOCK_PIN) == 0;
}

/* What others have pinned there stays: the folder is named in a configuration, and may be another's too. */
static int remove_pin(const char *path, const char *name, void *context)
{
	struct removal *removal = context;
	unsigned ifindex;
	int result = 0;

	if (strcmp(name, NEXT_DIR) == 0) {
		result = pin_each(path, remove_pin, removal);
		if (!result && rmdir(path))
			result = -errno;
	} else if (!is_ours(name)) {
		return 0;
	} else if (is_link(name)) {
		result = remove_link(path, 0, &ifindex);
		removal->removed += !result;
		if (ifindex)
			removal->removed += detach_classifier(ifindex, made_queue(removal->config, ifindex));
	} else if (unlink(path) == 0) {
		removal->removed++;
	} else if (errno != ENOENT) {
		result = -errno;
	}
	if (result && !removal->failed)
		removal->failed = result;
	return 0; /* what can be taken away is */
}

int shield_remove(const char *bpffs_dir, unsigned *removed, struct shield_error *error)
{
	const char *first = shield_map_name(SHIELD_MAP_CONFIG);
	struct removal removal = { 0 };
	struct shield_error unused;
	struct shield *shield = NULL;
	char path[PIN_PATH_SIZE];
	int result;

	/* Only for what it knows of queues; what is of another version is taken away without. */
	if (shield_open_pinned(bpffs_dir, &shield, &unused) == 0)
		removal.config = shield->config;
	/*
	 * A daemon that still runs sees by this that it is over, before there is anything that it would attach again.
	 */
	if (pin_path(path, bpffs_dir, first) == 0)
		(void)remove_pin(path, first, &removal);
	for (unsigned i = 0; removal.config && i < removal.config->clsact_count && i < SHIELD_INTERFACES_MAX; i++)
		removal.removed += detach_classifier(removal.config->clsact[i], true);
	for (unsigned i = 0; removal.config && i < removal.config->dispatched_count && i < SHIELD_INTERFACES_MAX; i++) {
		removal.removed += dispatcher_detach(removal.config->dispatched[i]);
		removal.removed += detach_classifier(removal.config->dispatched[i], false);
	}
	result = pin_each(bpffs_dir, remove_pin, &removal);
	if (result && !removal.failed)
		removal.failed = result;
	shield_close(shield);
	if (rmdir(bpffs_dir) && errno != ENOENT && errno != ENOTEMPTY && errno != EBUSY && !removal.failed)
		removal.failed = -errno;
	if (removal.failed)
		return shield_fail(error, removal.failed, "%s: not all could be taken away: %s", bpffs_dir,
		                   strerror(-removal.failed));
	*removed = removal.removed;
	return 0;
}

struct listing {
	struct shield_interface *interfaces;
	unsigned count;
};

static int list_link(const char *path, const char *name, void *context)
{
	struct listing *listing = context;
	struct shield_interface *found = &listing->interfaces[listing->count];
	char current[IF_NAMESIZE];
	int fd;

	if (!is_link(name) || listing->count == SHIELD_INTERFACES_MAX)
		return 0;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	*found = (struct shield_interface){ .ifindex = link_ifindex(fd) };
	(void)close(fd);
	(void)snprintf(found->name, sizeof(found->name), "%s", name + strlen(LINK_PREFIX));
	for (char *dot = strchr(found->name, ':'); dot; dot = strchr(dot, ':'))
		*dot = '.';
	if (found->ifindex && if_indextoname(found->ifindex, current)) {
		found->hook = hook_of(found->ifindex);
		(void)snprintf(found->name, sizeof(found->name), "%s", current);
	}
	listing->count++;
	return 0;
}

int shield_interfaces(const struct shield *shield, struct shield_interface *interfaces, unsigned *count)
{
	struct listing listing = { .interfaces = interfaces };
	int result = pin_each(shield->dir, list_link, &listing);

	if (result)
		return result;
	for (unsigned i = 0; i < shield->config->dispatched_count && i < SHIELD_INTERFACES_MAX; i++) {
		struct shield_interface *found = &interfaces[listing.count];

		if (listing.count == SHIELD_INTERFACES_MAX)
			break;
		*found = (struct shield_interface){ .ifindex = shield->config->dispatched[i] };
		if (if_indextoname(found->ifindex, found->name) && dispatcher_runs_ours(found->ifindex))
			found->hook = SHIELD_DISPATCHER;
		listing.count++;
	}
	*count = listing.count;
	return 0;
}
