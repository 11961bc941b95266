/* SPDX-License-Identifier: Apache-2.0 */
#include "shield/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/sockios.h>

#include "shield/inside.h"
#include "shield/nft.h"

#define KERNEL_LEAST 6      /* of Linux 6.0 */
#define PROC_SIZE 4096      /* of what is read from /proc */
#define PROGRAM_MAPS_MAX 64 /* of a program's maps that are looked at */
#define NETLINK_SIZE 8192   /* of an answer */
#define NATIVE_MTU_MAX 3000 /* no driver refuses a frame that lies in one page with all that stands around it */

/* The beginning of a small file; "" where it cannot be read. */
static void read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);

	text[got > 0 ? got : 0] = '\0';
	if (fd >= 0)
		(void)close(fd);
}

/* ---- the host ---- */

static bool has_capability(unsigned capability)
{
	char text[PROC_SIZE];
	const char *line;
	unsigned long long bits;

	read_text("/proc/self/status", text, sizeof(text));
	line = strstr(text, "\nCapEff:");
	if (!line)
		return false;
	bits = strtoull(line + sizeof("\nCapEff:") - 1, NULL, 16);
	return (bits >> capability & 1) != 0;
}

/* Whether a folder of pins can be had: where nothing is mounted yet, the daemon mounts what it needs. */
static bool has_bpffs(const char *directory)
{
	enum pin_place place = pin_place_of(directory);
	char text[PROC_SIZE];

	if (place != PIN_USUAL)
		return place == PIN_MOUNTED;
	read_text("/proc/filesystems", text, sizeof(text));
	return strstr(text, "\tbpf\n") && has_capability(CAP_SYS_ADMIN);
}

/* 0: nothing is pinned, or nobody can tell. */
static int layout_of_pinned(const char *bpffs_dir)
{
	struct shield_before before;
	int layout = pin_layout(bpffs_dir, &before);

	return layout > 0 ? layout : 0;
}

#define RETURN_2                                                                    \
	{                                                                           \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 2 \
	}
#define CALL_NEXT_BUT_ONE                                                        \
	{                                                                        \
		.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = 1 \
	}
#define EXIT                               \
	{                                  \
		.code = BPF_JMP | BPF_EXIT \
	}

/*
 * The types of a program of two functions that take nothing and return an int. *main and *inner are the functions'
 * numbers; `btf` is freed by the caller, and has been handed to the kernel.
 */
static struct btf *two_functions(int *main, int *inner)
{
	struct btf *btf = btf__new_empty();
	int integer, prototype;

	if (!btf)
		return NULL;
	integer = btf__add_int(btf, "int", sizeof(int), BTF_INT_SIGNED);
	prototype = btf__add_func_proto(btf, integer);
	*main = btf__add_func(btf, "main", BTF_FUNC_GLOBAL, prototype);
	*inner = btf__add_func(btf, "inner", BTF_FUNC_GLOBAL, prototype);
	if (integer < 0 || prototype < 0 || *main < 0 || *inner < 0 || btf__load_into_kernel(btf) != 0) {
		btf__free(btf);
		return NULL;
	}
	return btf;
}

/*
 * libxdp's dispatcher needs a function of one program replaced by another program: here that is done, with nothing in
 * it.
 */
static bool can_replace(void)
{
	static const struct bpf_insn outer[] = {
		CALL_NEXT_BUT_ONE,
		EXIT,
		RETURN_2,
		EXIT,
	};
	static const struct bpf_insn inner[] = { RETURN_2, EXIT };
	struct bpf_func_info functions[2] = { { .insn_off = 0 }, { .insn_off = 2 } };
	struct bpf_prog_load_opts options;
	int main_id = 0, inner_id = 0, target, replacing = -1, link = -1;
	struct btf *btf = two_functions(&main_id, &inner_id);

	OPTIONS_BEGIN(options);
	options.func_info = functions;
	options.func_info_cnt = 2;
	options.func_info_rec_size = sizeof(functions[0]);
	if (!btf)
		return false;
	functions[0].type_id = (uint32_t)main_id;
	functions[1].type_id = (uint32_t)inner_id;
	options.prog_btf_fd = (uint32_t)btf__fd(btf);
	target = bpf_prog_load(BPF_PROG_TYPE_XDP, "doctor", "GPL", outer, sizeof(outer) / sizeof(*outer), &options);
	if (target >= 0) {
		options.func_info_cnt = 1;
		options.attach_prog_fd = (uint32_t)target;
		options.attach_btf_id = (uint32_t)inner_id;
		replacing = bpf_prog_load(BPF_PROG_TYPE_EXT, "doctor", "GPL", inner, sizeof(inner) / sizeof(*inner),
		                          &options);
	}
	if (replacing >= 0)
		link = bpf_raw_tracepoint_open(NULL, replacing);
	if (link >= 0)
		(void)close(link);
	if (replacing >= 0)
		(void)close(replacing);
	if (target >= 0)
		(void)close(target);
	btf__free(btf);
	return link >= 0;
}

int doctor_look(const char *bpffs_dir, struct doctor_host *host, struct shield_error *error)
{
	struct doctor_host found = { .kernel = "" };
	struct utsname name;
	char text[16];

	*error = (struct shield_error){ .message = "" };
	if (uname(&name) == 0) {
		size_t length = strspn(name.release, "0123456789.");

		(void)snprintf(found.kernel, sizeof(found.kernel), "%.*s", (int)length, name.release);
		found.kernel_enough = strtoul(name.release, NULL, 10) >= KERNEL_LEAST;
	}
	found.may_load = has_capability(CAP_SYS_ADMIN) || has_capability(CAP_BPF);
	found.may_load = found.may_load && has_capability(CAP_NET_ADMIN);
	read_text("/proc/sys/net/core/bpf_jit_enable", text, sizeof(text));
	found.jit = text[0] != '0';
	read_text("/proc/sys/net/ipv4/tcp_syncookies", text, sizeof(text));
	found.cookies = text[0] != '0';
	found.btf = access("/sys/kernel/btf/vmlinux", F_OK) == 0;
	found.bpffs = has_bpffs(bpffs_dir);
	found.freplace = found.may_load && can_replace();
	found.nftables = found.may_load && nft_shield_available() == 0; /* else the library says that it must not */
	found.pinned_layout = layout_of_pinned(bpffs_dir);
	*host = found;
	return 0;
}

/* ---- an interface ---- */

static bool ask(int fd, const char *interface, unsigned long request, void *what, struct ifreq *answer)
{
	memset(answer, 0, sizeof(*answer));
	memcpy(answer->ifr_name, interface, strlen(interface));
	if (what)
		answer->ifr_data = what;
	return ioctl(fd, request, answer) == 0;
}

static void ask_ethtool(int fd, struct doctor_interface *found)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ethtool_rxnfc rings = { .cmd = ETHTOOL_GRXRINGS };
	struct ifreq answer;

	shield_link_driver(found->name, found->driver);
	if (ask(fd, found->name, SIOCETHTOOL, &flags, &answer))
		found->lro = (flags.data & ETH_FLAG_LRO) != 0;
	if (ask(fd, found->name, SIOCETHTOOL, &channels, &answer))
		found->rx_queues = channels.rx_count + channels.combined_count;
	if (found->rx_queues == 0 && ask(fd, found->name, SIOCETHTOOL, &rings, &answer))
		found->rx_queues = (uint32_t)rings.data;
}

/* Family "netdev" of generic netlink, Linux 6.3 and later; Documentation/netlink/specs/netdev.yaml. */
enum { NETDEV_DEV_GET = 1, NETDEV_IFINDEX = 1, NETDEV_XDP_FEATURES = 3, NETDEV_XDP_BASIC = 1 };

#define ATTRIBUTE_HEADER ((uint32_t)sizeof(struct nlattr))
#define MESSAGE_HEADER ((uint32_t)(sizeof(struct nlmsghdr) + sizeof(struct genlmsghdr)))

static uint32_t attribute_end(uint32_t length)
{
	return (length + 3) & ~3u;
}

struct netlink_message {
	struct nlmsghdr header;
	struct genlmsghdr generic;
	struct nlattr attribute;
	char value[16];
};

/*
 * Asks with one attribute, and copies attribute `wanted` of the answer, which must be there and `size` octets long: 0,
 * or -errno.
 */
static int ask_netlink(uint16_t family, uint8_t command, uint16_t attribute, const void *value, uint16_t value_size,
                       uint16_t wanted, void *to, uint16_t size)
{
	struct netlink_message question = {
		.header = { .nlmsg_type = family, .nlmsg_flags = NLM_F_REQUEST },
		.generic = { .cmd = command, .version = 1 },
		.attribute = { .nla_type = attribute, .nla_len = (uint16_t)(ATTRIBUTE_HEADER + value_size) },
	};
	union {
		struct nlmsghdr header;
		char octets[NETLINK_SIZE];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), error = -ENOENT;
	ssize_t got = -1;
	size_t at, end;

	if (fd < 0)
		return -errno;
	memcpy(question.value, value, value_size);
	question.header.nlmsg_len = MESSAGE_HEADER + attribute_end(question.attribute.nla_len);
	if (send(fd, &question, question.header.nlmsg_len, 0) >= 0)
		got = recv(fd, &answer, sizeof(answer), 0);
	if (got < 0)
		error = -errno;
	(void)close(fd);
	if (got < (ssize_t)MESSAGE_HEADER)
		return error;
	if (answer.header.nlmsg_type != family || answer.header.nlmsg_len > (size_t)got)
		return -ENOENT;
	end = answer.header.nlmsg_len;
	for (at = MESSAGE_HEADER; at + ATTRIBUTE_HEADER <= end;) {
		struct nlattr one;

		memcpy(&one, answer.octets + at, sizeof(one));
		if (one.nla_len < ATTRIBUTE_HEADER || one.nla_len > end - at)
			break;
		if ((one.nla_type & NLA_TYPE_MASK) == wanted && one.nla_len == ATTRIBUTE_HEADER + size) {
			memcpy(to, answer.octets + at + ATTRIBUTE_HEADER, size);
			return 0;
		}
		at += attribute_end(one.nla_len);
	}
	return -ENOENT;
}

/* Whether the driver says that it has native XDP: 1, 0, or -errno where nobody says. */
static int native_is_had(uint32_t ifindex)
{
	static const char name[] = "netdev";
	uint64_t features = 0;
	uint16_t family = 0;
	int error = ask_netlink(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, name, sizeof(name),
	                        CTRL_ATTR_FAMILY_ID, &family, sizeof(family));

	if (!error)
		error = ask_netlink(family, NETDEV_DEV_GET, NETDEV_IFINDEX, &ifindex, sizeof(ifindex),
		                    NETDEV_XDP_FEATURES, &features, sizeof(features));
	return error ? error : (int)(features & NETDEV_XDP_BASIC);
}

/* Name of a program, and whether one of its maps is the pinned `config`. */
static void ask_program(const char *bpffs_dir, struct doctor_interface *found)
{
	struct bpf_obj_get_opts options;
	uint32_t maps[PROGRAM_MAPS_MAX], size;
	struct bpf_prog_info program = { .nr_map_ids = PROGRAM_MAPS_MAX, .map_ids = (uintptr_t)maps };
	struct bpf_map_info config = { .id = 0 };
	char path[PIN_PATH_SIZE];
	int fd = bpf_prog_get_fd_by_id(found->program);

	if (fd < 0)
		return;
	size = sizeof(program);
	if (bpf_obj_get_info_by_fd(fd, &program, &size) != 0)
		program.nr_map_ids = 0;
	else
		(void)snprintf(found->program_name, sizeof(found->program_name), "%s", program.name);
	(void)close(fd);

	OPTIONS_BEGIN(options);
	options.file_flags = BPF_F_RDONLY;
	if (pin_path(path, bpffs_dir, shield_map_name(SHIELD_MAP_CONFIG)) != 0)
		return;
	fd = bpf_obj_get_opts(path, &options);
	if (fd < 0)
		return;
	size = sizeof(config);
	if (bpf_obj_get_info_by_fd(fd, &config, &size) == 0)
		for (uint32_t i = 0; i < program.nr_map_ids && i < PROGRAM_MAPS_MAX; i++)
			found->program_ours = found->program_ours || maps[i] == config.id;
	(void)close(fd);
}

/* What attaching would yield, from the rest. */
static void foresee(struct doctor_interface *found)
{
	int native;

	found->would = SHIELD_DETACHED;
	found->would_known = true;
	if (found->program != 0 && !found->program_ours)
		return;
	native = native_is_had(found->ifindex);
	found->would = native != 0 && !found->lro ? SHIELD_NATIVE : SHIELD_GENERIC;
	/* Of virtio_net's offloads only its host knows which can be turned off. */
	if (found->would == SHIELD_NATIVE)
		found->would_known =
			native > 0 && found->mtu <= NATIVE_MTU_MAX && strcmp(found->driver, "virtio_net") != 0;
}

int doctor_look_at(const char *interface, const char *bpffs_dir, struct doctor_interface *found,
                   struct shield_error *error)
{
	struct bpf_xdp_query_opts query;
	struct doctor_interface seen = { .name = "" };
	struct ifreq answer;
	int fd;

	OPTIONS_BEGIN(query);
	*error = (struct shield_error){ .message = "" };
	if (strlen(interface) < sizeof(seen.name))
		seen.ifindex = if_nametoindex(interface);
	if (seen.ifindex == 0) {
		(void)snprintf(error->message, sizeof(error->message), "%.64s: there is no such interface", interface);
		(void)snprintf(error->advice, sizeof(error->advice), "'ip link' lists those there are");
		return -ENODEV;
	}
	(void)snprintf(seen.name, sizeof(seen.name), "%s", interface);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		int failed = -errno;

		(void)snprintf(error->message, sizeof(error->message), "%s: cannot be asked: %s", interface,
		               strerror(-failed));
		return failed;
	}
	if (ask(fd, interface, SIOCGIFFLAGS, NULL, &answer))
		seen.up = (answer.ifr_flags & IFF_UP) != 0;
	if (ask(fd, interface, SIOCGIFMTU, NULL, &answer))
		seen.mtu = (uint32_t)answer.ifr_mtu;
	ask_ethtool(fd, &seen);
	(void)close(fd);

	if (bpf_xdp_query((int)seen.ifindex, 0, &query) == 0) {
		seen.program = query.drv_prog_id ? query.drv_prog_id : query.skb_prog_id;
		if (!seen.program)
			seen.program = query.hw_prog_id ? query.hw_prog_id : query.prog_id;
	}
	if (seen.program)
		ask_program(bpffs_dir, &seen);
	foresee(&seen);
	*found = seen;
	return 0;
}
