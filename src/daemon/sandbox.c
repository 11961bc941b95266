/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <syscall.h>
#include <unistd.h>

#define CAPABILITIES 64

/* ---- capabilities ---- */

#define LOADER_CAPABILITIES \
	(SANDBOX_CAPABILITY(CAP_BPF) | SANDBOX_CAPABILITY(CAP_NET_ADMIN) | SANDBOX_CAPABILITY(CAP_PERFMON))

uint64_t sandbox_role_capabilities(enum role role)
{
	return role == ROLE_LOADER ? LOADER_CAPABILITIES : 0;
}

uint64_t sandbox_bounding(void)
{
	/* Engine and recorder change their user when they begin. */
	return LOADER_CAPABILITIES | SANDBOX_CAPABILITY(CAP_SETUID) | SANDBOX_CAPABILITY(CAP_SETGID);
}

uint64_t sandbox_serving(void)
{
	return SANDBOX_CAPABILITY(CAP_SETUID) | SANDBOX_CAPABILITY(CAP_SETGID);
}

static int read_sets(struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &header, sets) == 0 ? 0 : -errno;
}

const char *sandbox_missing(uint64_t wanted, char *text, size_t size)
{
	static const struct {
		unsigned number;
		const char *name;
	} known[] = {
		{ CAP_BPF, "CAP_BPF" },       { CAP_NET_ADMIN, "CAP_NET_ADMIN" }, { CAP_PERFMON, "CAP_PERFMON" },
		{ CAP_SETUID, "CAP_SETUID" }, { CAP_SETGID, "CAP_SETGID" },       { CAP_SETPCAP, "CAP_SETPCAP" },
		{ CAP_CHOWN, "CAP_CHOWN" },
	};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	size_t length = 0;

	text[0] = '\0';
	(void)read_sets(sets);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		unsigned number = known[i].number;

		if (!(wanted & SANDBOX_CAPABILITY(number)) || sets[number / 32].effective & 1u << number % 32 ||
		    length >= size)
			continue;
		length += (size_t)snprintf(text + length, size - length, "%s%s", length ? " " : "", known[i].name);
	}
	return text;
}

int sandbox_limit(uint64_t bounding)
{
	for (unsigned i = 0; i < CAPABILITIES; i++) {
		if (bounding & SANDBOX_CAPABILITY(i) || prctl(PR_CAPBSET_READ, i) <= 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, i) != 0)
			return -errno;
	}
	return 0;
}

int sandbox_keep(uint64_t kept)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		sets[i] = (struct __user_cap_data_struct){ .effective = (uint32_t)(kept >> 32 * i),
			                                   .permitted = (uint32_t)(kept >> 32 * i) };
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return -errno;
	return syscall(SYS_capset, &header, sets) == 0 ? 0 : -errno;
}

int sandbox_become_in_groups(uid_t uid, gid_t gid, const gid_t *groups, unsigned count)
{
	if (setgroups(count, groups) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		return -errno;
	return sandbox_keep(0);
}

int sandbox_become(uid_t uid, gid_t gid)
{
	return sandbox_become_in_groups(uid, gid, NULL, 0);
}

int sandbox_seal(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno;
}

int sandbox_follow_parent(void)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 ? 0 : -errno;
}

int sandbox_give_up(uid_t uid, gid_t gid)
{
	int result = sandbox_become(uid, gid);

	if (result == 0)
		result = sandbox_follow_parent();
	return result == 0 ? sandbox_seal() : result;
}

/* ---- system calls ---- */

#define MAY(role) (1u << (role))
#define LOADER MAY(ROLE_LOADER)
#define ENGINE MAY(ROLE_ENGINE)
#define RECORDER MAY(ROLE_RECORDER)
#define MESSENGER MAY(ROLE_MESSENGER)
#define DESK MAY(ROLE_DESK)
#define PROBER MAY(ROLE_PROBER)
#define PUBLIC MAY(ROLE_PUBLIC)
#define CONSOLE MAY(ROLE_CONSOLE)
#define READER MAY(ROLE_READER)
#define SERVERS (PUBLIC | CONSOLE)         /* who have connections */
#define LEDGER (RECORDER | DESK | CONSOLE) /* who have the record, and write there */
#define ALL (MAY(ROLES_ALL) - 1)

/* clang-format off */
static const struct {
	int call;
	unsigned roles;
} allowed[] = {
	/* living: memory, time, ends */
	{ SCMP_SYS(brk), ALL }, { SCMP_SYS(mmap), ALL }, { SCMP_SYS(munmap), ALL }, { SCMP_SYS(mremap), ALL },
	{ SCMP_SYS(mprotect), ALL }, { SCMP_SYS(madvise), ALL }, { SCMP_SYS(futex), ALL }, { SCMP_SYS(exit), ALL },
	{ SCMP_SYS(exit_group), ALL }, { SCMP_SYS(rt_sigreturn), ALL }, { SCMP_SYS(rt_sigprocmask), ALL },
	{ SCMP_SYS(rt_sigaction), ALL }, { SCMP_SYS(sigaltstack), ALL }, { SCMP_SYS(restart_syscall), ALL },
	{ SCMP_SYS(clock_gettime), ALL }, { SCMP_SYS(clock_nanosleep), ALL }, { SCMP_SYS(nanosleep), ALL },
	{ SCMP_SYS(gettimeofday), ALL }, { SCMP_SYS(alarm), ALL }, { SCMP_SYS(setitimer), ALL }, { SCMP_SYS(getpid), ALL },
	{ SCMP_SYS(gettid), ALL }, { SCMP_SYS(tgkill), ALL }, { SCMP_SYS(getrandom), ALL }, { SCMP_SYS(sched_yield), ALL },
	{ SCMP_SYS(sched_getaffinity), ALL }, { SCMP_SYS(rseq), ALL }, { SCMP_SYS(getuid), ALL }, { SCMP_SYS(geteuid), ALL },
	{ SCMP_SYS(getgid), ALL }, { SCMP_SYS(getegid), ALL }, { SCMP_SYS(uname), ALL },
	/* descriptors */
	{ SCMP_SYS(read), ALL }, { SCMP_SYS(write), ALL }, { SCMP_SYS(readv), ALL }, { SCMP_SYS(writev), ALL },
	{ SCMP_SYS(close), ALL }, { SCMP_SYS(lseek), ALL }, { SCMP_SYS(fstat), ALL }, { SCMP_SYS(newfstatat), ALL },
	{ SCMP_SYS(statx), ALL }, { SCMP_SYS(poll), ALL }, { SCMP_SYS(ppoll), ALL }, { SCMP_SYS(fcntl), ALL },
	{ SCMP_SYS(epoll_wait), ALL }, { SCMP_SYS(epoll_pwait), ALL }, { SCMP_SYS(epoll_ctl), ALL },
	{ SCMP_SYS(pread64), ALL }, { SCMP_SYS(dup), LOADER },
	/* channels and clients */
	{ SCMP_SYS(recvmsg), ALL }, { SCMP_SYS(sendmsg), ALL }, { SCMP_SYS(recvfrom), LOADER | ENGINE },
	{ SCMP_SYS(sendto), LOADER | ENGINE }, { SCMP_SYS(accept4), ENGINE }, { SCMP_SYS(getsockopt), LOADER | ENGINE },
	{ SCMP_SYS(shutdown), ENGINE },
	/* strangers, and operators: connections */
	{ SCMP_SYS(accept4), SERVERS }, { SCMP_SYS(accept), SERVERS }, { SCMP_SYS(recvfrom), SERVERS }, { SCMP_SYS(sendto), SERVERS },
	{ SCMP_SYS(shutdown), SERVERS }, { SCMP_SYS(setsockopt), SERVERS }, { SCMP_SYS(getsockopt), SERVERS }, { SCMP_SYS(getsockname), SERVERS },
	{ SCMP_SYS(getpeername), SERVERS }, { SCMP_SYS(sendfile), SERVERS }, { SCMP_SYS(ioctl), SERVERS }, { SCMP_SYS(eventfd2), SERVERS },
	/* servers elsewhere: sockets, names (which a thread of libcurl asks for), certificates */
	{ SCMP_SYS(socket), MESSENGER | PROBER }, { SCMP_SYS(socketpair), MESSENGER | PROBER }, { SCMP_SYS(connect), MESSENGER | PROBER },
	{ SCMP_SYS(bind), MESSENGER | PROBER }, { SCMP_SYS(setsockopt), MESSENGER | PROBER }, { SCMP_SYS(getsockopt), MESSENGER | PROBER },
	{ SCMP_SYS(getsockname), MESSENGER | PROBER }, { SCMP_SYS(getpeername), MESSENGER | PROBER }, { SCMP_SYS(sendto), MESSENGER | PROBER },
	{ SCMP_SYS(recvfrom), MESSENGER | PROBER }, { SCMP_SYS(sendmmsg), MESSENGER | PROBER }, { SCMP_SYS(recvmmsg), MESSENGER | PROBER },
	{ SCMP_SYS(shutdown), MESSENGER | PROBER }, { SCMP_SYS(ioctl), MESSENGER | PROBER }, { SCMP_SYS(pipe2), MESSENGER | PROBER },
	{ SCMP_SYS(eventfd2), MESSENGER | PROBER }, { SCMP_SYS(clone), MESSENGER }, { SCMP_SYS(clone3), MESSENGER },
	{ SCMP_SYS(set_robust_list), MESSENGER }, 
	{ SCMP_SYS(access), MESSENGER | PROBER }, { SCMP_SYS(faccessat), MESSENGER | PROBER }, { SCMP_SYS(faccessat2), MESSENGER | PROBER },
	{ SCMP_SYS(stat), MESSENGER | PROBER }, { SCMP_SYS(lstat), MESSENGER | PROBER }, { SCMP_SYS(readlink), MESSENGER | PROBER },
	{ SCMP_SYS(getdents64), MESSENGER | PROBER }, { SCMP_SYS(getppid), MESSENGER | PROBER }, { SCMP_SYS(sysinfo), MESSENGER | PROBER },
	{ SCMP_SYS(prctl), MESSENGER }, { SCMP_SYS(prlimit64), MESSENGER | PROBER }, { SCMP_SYS(dup), MESSENGER | PROBER },
	/* the database */
	{ SCMP_SYS(openat), LEDGER | LOADER }, { SCMP_SYS(open), LEDGER | LOADER }, { SCMP_SYS(pwrite64), LEDGER },
	{ SCMP_SYS(fsync), LEDGER }, { SCMP_SYS(fdatasync), LEDGER }, { SCMP_SYS(ftruncate), LEDGER },
	{ SCMP_SYS(fallocate), LEDGER }, { SCMP_SYS(unlink), LEDGER | LOADER }, { SCMP_SYS(unlinkat), LEDGER | LOADER },
	{ SCMP_SYS(rename), LEDGER | LOADER }, { SCMP_SYS(renameat), LEDGER | LOADER },
	{ SCMP_SYS(renameat2), LEDGER | LOADER },
	{ SCMP_SYS(access), LEDGER | LOADER }, { SCMP_SYS(faccessat), LEDGER | LOADER },
	{ SCMP_SYS(faccessat2), LEDGER | LOADER }, { SCMP_SYS(stat), LEDGER | LOADER }, { SCMP_SYS(lstat), LEDGER | LOADER },
	{ SCMP_SYS(readlink), LEDGER | LOADER }, { SCMP_SYS(readlinkat), LEDGER | LOADER }, { SCMP_SYS(getcwd), LEDGER | LOADER },
	{ SCMP_SYS(fchmod), LEDGER }, { SCMP_SYS(fchown), LEDGER }, { SCMP_SYS(utimensat), LEDGER },
	{ SCMP_SYS(fstatfs), LEDGER | LOADER },
	/* incidents and streams: a file with several names, what there is */
	{ SCMP_SYS(mkdir), LEDGER }, { SCMP_SYS(mkdirat), LEDGER }, { SCMP_SYS(link), LEDGER }, { SCMP_SYS(linkat), LEDGER }, { SCMP_SYS(getdents64), LEDGER },
	/* logs, and where they are read up to */
	{ SCMP_SYS(openat), READER }, { SCMP_SYS(open), READER }, { SCMP_SYS(stat), READER }, { SCMP_SYS(rename), READER },
	{ SCMP_SYS(renameat), READER }, { SCMP_SYS(renameat2), READER }, { SCMP_SYS(unlink), READER }, { SCMP_SYS(unlinkat), READER },
	{ SCMP_SYS(recvfrom), READER },
	/* the shield: programs, links, netlink, what bpffs has, libxdp's and nftables' needs */
	{ SCMP_SYS(bpf), LOADER }, { SCMP_SYS(socket), LOADER }, { SCMP_SYS(bind), LOADER }, { SCMP_SYS(connect), LOADER },
	{ SCMP_SYS(setsockopt), LOADER }, { SCMP_SYS(getsockname), LOADER }, { SCMP_SYS(ioctl), LOADER },
	{ SCMP_SYS(statfs), LOADER }, { SCMP_SYS(mkdir), LOADER }, { SCMP_SYS(mkdirat), LOADER }, { SCMP_SYS(rmdir), LOADER },
	{ SCMP_SYS(getdents64), LOADER }, { SCMP_SYS(flock), LOADER }, { SCMP_SYS(epoll_create1), LOADER },
	{ SCMP_SYS(perf_event_open), LOADER }, { SCMP_SYS(prlimit64), LOADER }, { SCMP_SYS(getrlimit), LOADER },
	{ SCMP_SYS(select), LOADER }, { SCMP_SYS(pselect6), LOADER }, { SCMP_SYS(dup2), LOADER }, { SCMP_SYS(dup3), LOADER }, { SCMP_SYS(memfd_create), LOADER | ENGINE }, { SCMP_SYS(sysinfo), LOADER },
};

/* What nobody asks for by mistake. */
static const int deadly[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(process_vm_writev), SCMP_SYS(mount),
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(kexec_load), SCMP_SYS(setuid), SCMP_SYS(setresuid),
	SCMP_SYS(unshare), SCMP_SYS(setns),
};

/* Of bpf() the engine has what reads maps by their descriptors; it writes through memory. */
static const unsigned engine_bpf[] = {
	BPF_MAP_LOOKUP_ELEM, BPF_MAP_GET_NEXT_KEY, BPF_MAP_LOOKUP_BATCH, BPF_OBJ_GET_INFO_BY_FD,
};
/* clang-format on */

/* Names of users, of hosts, whom to trust stand in files, and those that read them write none. */
static int allow_to_read(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp reads = {
		.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = O_ACCMODE | O_CREAT | O_TRUNC, .datum_b = O_RDONLY
	};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, &reads);
}

static int allow_engine(scmp_filter_ctx filter)
{
	int result = allow_to_read(filter);

	for (size_t i = 0; i < sizeof(engine_bpf) / sizeof(engine_bpf[0]) && result == 0; i++) {
		const struct scmp_arg_cmp only = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = engine_bpf[i] };

		result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(bpf), 1, &only);
	}
	return result;
}

int sandbox_filter(enum role role)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int result = filter ? 0 : -ENOMEM;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && result == 0; i++)
		if (allowed[i].roles & MAY(role))
			result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i].call, 0);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]) && result == 0; i++)
		result = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
	if (result == 0 && role == ROLE_ENGINE)
		result = allow_engine(filter);
	if (result == 0 && (role == ROLE_MESSENGER || role == ROLE_PUBLIC || role == ROLE_PROBER))
		result = allow_to_read(filter);
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	return result;
}

/* ---- files ---- */

#define READS (LANDLOCK_ACCESS_FS_READ_FILE)
#define WRITES                                                                                        \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_DIR | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR)
#define HANDLED                                                                                               \
	(WRITES | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_CHAR | \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |        \
	 LANDLOCK_ACCESS_FS_MAKE_SYM)

#define LOOKS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define PINS                                                                                                  \
	(LOOKS | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR)

struct place {
	const char *path; /* NULL: none */
	uint64_t access;
	bool optional; /* where it is missing, it is not needed */
};

static int open_up(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr beneath = { .allowed_access = access };
	int result = 0;

	if (!path)
		return 0;
	beneath.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (beneath.parent_fd < 0)
		return -errno;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0)
		result = -errno;
	(void)close(beneath.parent_fd);
	return result;
}

static int confine(const struct place *places, size_t count)
{
	struct landlock_ruleset_attr attributes = { .handled_access_fs = HANDLED };
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes.handled_access_fs), 0);
	int result = 0;

	if (ruleset < 0)
		return -errno;
	for (size_t i = 0; i < count && result == 0; i++) {
		result = open_up(ruleset, places[i].path, places[i].access);
		if (result == -ENOENT && places[i].optional)
			result = 0;
	}
	if (result == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		result = -errno;
	(void)close(ruleset);
	return result;
}

int sandbox_confine(const char *writable, const char *readable)
{
	const struct place places[] = { { writable, WRITES, false }, { readable, READS, false } };

	return confine(places, sizeof(places) / sizeof(places[0]));
}

int sandbox_excuse(int result)
{
	return result == -ENOSYS || result == -EOPNOTSUPP ? 0 : result;
}

int sandbox_confine_to_network(void)
{
	const struct place places[] = {
		{ "/etc", LOOKS, true },
		{ "/usr", LOOKS, true }, /* names, certificates, what libraries load */
		{ "/lib", LOOKS, true },
		{ "/run/systemd/resolve", LOOKS, true },
		{ "/run/resolvconf", LOOKS, true },
		{ "/dev/urandom", READS, true },
	};

	return confine(places, sizeof(places) / sizeof(places[0]));
}

int sandbox_confine_to_pins(const char *pins)
{
	const struct place places[] = {
		{ "/proc", LOOKS, false },                                /* who is connected */
		{ "/sys", LOOKS, false },                                 /* processors, the kernel's types, queues */
		{ "/usr", LOOKS, true },                                  /* libxdp's dispatcher */
		{ "/lib", LOOKS, true },   { "/sys/fs/bpf", PINS, true }, /* where that is pinned */
		{ pins, PINS, false },
	};

	return confine(places, sizeof(places) / sizeof(places[0]));
}

int sandbox_confine_to_logs(const char *writable, const char *const *folders, unsigned count)
{
	struct place places[CONFIG_LOGS_MAX + 1] = { { writable, WRITES, false } };

	if (count > CONFIG_LOGS_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++)
		places[i + 1] = (struct place){ folders[i], LOOKS, true };
	return confine(places, count + 1);
}
