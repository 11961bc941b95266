/* SPDX-License-Identifier: Apache-2.0 */
/* What attaching would meet, found out without changing anything. */
#ifndef HOLDFAST_SHIELD_DOCTOR_H
#define HOLDFAST_SHIELD_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "shield/shield.h"

struct doctor_host {
	char kernel[65];    /* "6.18.44" */
	bool kernel_enough; /* 6.0 or later */
	bool may_load;      /* CAP_BPF and CAP_NET_ADMIN */
	bool jit;           /* net.core.bpf_jit_enable */
	bool btf;           /* /sys/kernel/btf/vmlinux; not needed */
	bool bpffs;         /* a bpf file system holds bpffs_dir, or can be mounted there */
	bool freplace;      /* libxdp's dispatcher can be loaded; only found out where may_load */
	bool nftables;      /* a table can be listed */
	int pinned_layout;  /* of what is pinned there; 0: nothing */
};

struct doctor_interface {
	char name[16];
	uint32_t ifindex;
	bool up;
	char driver[32];
	uint32_t mtu;
	uint32_t rx_queues;
	bool lro;               /* large receive offload: native XDP refuses it */
	enum shield_hook would; /* what attaching would yield: native, generic (where allowed), or detached: nothing */
	bool would_known;       /* false where only trying would tell */
	uint32_t program;       /* id of an XDP program that is there; 0: none */
	char program_name[16];
	bool program_ours;
};

int doctor_look(const char *bpffs_dir, struct doctor_host *host, struct shield_error *error);
/* -ENODEV: no such interface. */
int doctor_look_at(const char *interface, const char *bpffs_dir, struct doctor_interface *found,
                   struct shield_error *error);

#endif
