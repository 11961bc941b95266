/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a role gives up once it has what it needs: capabilities, the way back to them, system calls (seccomp), files
 * (Landlock, where the kernel has it). Functions return 0 or -errno; whoever cannot give up what it should ends.
 */
#ifndef HOLDFAST_DAEMON_SANDBOX_H
#define HOLDFAST_DAEMON_SANDBOX_H

#include <stdint.h>
#include <sys/types.h>

#include "daemon/role.h"

/* Bits of a set of capabilities. */
#define SANDBOX_CAPABILITY(number) (UINT64_C(1) << (number))

/* What the role keeps. The parent keeps none, but its bounding set holds what the roles begin with. */
uint64_t sandbox_role_capabilities(enum role role);
uint64_t sandbox_bounding(void);
/* The same of `holdfast serve`, whose roles keep none. */
uint64_t sandbox_serving(void);
/* Of `wanted`, by name, those that this process does not have: "CAP_BPF CAP_NET_ADMIN"; "" where it has all. */
const char *sandbox_missing(uint64_t wanted, char *text, size_t size);
/* Cuts the bounding set, as far as the kernel knows capabilities. */
int sandbox_limit(uint64_t bounding);
/* Permitted and effective become `kept`; nothing is inheritable. */
int sandbox_keep(uint64_t kept);
/* Another user, with no other groups. Keeps no capability. */
int sandbox_become(uid_t uid, gid_t gid);
/* The same, with other groups beside: what files are theirs can be read. */
int sandbox_become_in_groups(uid_t uid, gid_t gid, const gid_t *groups, unsigned count);
/* From here on no program gets more than this process has. */
int sandbox_seal(void);
/* The role's list of system calls; others answer ENOSYS, and the worst end the process. */
int sandbox_filter(enum role role);
/*
 * From here on only `writable` (a folder) and `readable` (a file) and what is open; either may be NULL. -ENOSYS,
 * -EOPNOTSUPP: this kernel has no Landlock.
 */
int sandbox_confine(const char *writable, const char *readable);
/* Of what confines, for a role that makes do without Landlock: 0 where this kernel has none, else `result`. */
int sandbox_excuse(int result);
/* For the loader: reading what the kernel and installed programs show, and `pins`, a folder. As sandbox_confine(). */
int sandbox_confine_to_pins(const char *pins);
/* For the messenger: what names hosts and whom to trust: /etc, certificates, libraries; and nothing to write. */
int sandbox_confine_to_network(void);
/* For the reader: its folder, and the folders that logs are in, to be read. As sandbox_confine(). */
int sandbox_confine_to_logs(const char *writable, const char *const *folders, unsigned count);
/* The parent's end is ours. */
int sandbox_follow_parent(void);
/*
 * What every role does that needs no right of root's any more: sandbox_become(), sandbox_follow_parent(),
 * sandbox_seal().
 */
int sandbox_give_up(uid_t uid, gid_t gid);

#endif
