/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What attaching would meet, found out without changing anything: what is loaded to find something out is gone when the
 * call returns, and nothing is attached to an interface. What may not be looked at counts as not there, but for jit.
 */
#ifndef HOLDFAST_SHIELD_DOCTOR_H
#define HOLDFAST_SHIELD_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "shield/link.h"
#include "shield/shield.h"

struct doctor_host {
	char kernel[65];    /* "6.18.44" */
	bool kernel_enough; /* 6.0 or later */
	bool may_load;      /* CAP_BPF and CAP_NET_ADMIN */
	bool jit;           /* net.core.bpf_jit_enable is not seen to be 0 */
	bool cookies;       /* net.ipv4.tcp_syncookies is not seen to be 0 */
	bool btf;           /* /sys/kernel/btf/vmlinux; not needed */
	bool bpffs;         /* a bpf file system holds bpffs_dir, or can be mounted there */
	bool freplace;      /* libxdp's dispatcher can be loaded; only found out where may_load */
	bool nftables;      /* a table can be listed; the same */
	int pinned_layout;  /* of what is pinned there; 0: nothing */
};

struct doctor_interface {
	char name[16];
	uint32_t ifindex;
	bool up;
	char driver[SHIELD_DRIVER_SIZE];
	uint32_t mtu;
	uint32_t rx_queues;     /* in use; 0: the driver does not say */
	bool lro;               /* large receive offload: native XDP refuses it */
	enum shield_hook would; /* what attaching would yield: native, generic (where allowed), or detached: nothing */
	bool would_known;       /* false where only trying would tell; `would` is then what is likely */
	uint32_t program;       /* id of an XDP program that is there; 0: none */
	char program_name[16];  /* "" where it may not be asked */
	bool program_ours;
};

/* Always 0 today; an error is for what keeps all of it from being known. */
int doctor_look(const char *bpffs_dir, struct doctor_host *host, struct shield_error *error);
/* -ENODEV: no such interface. */
int doctor_look_at(const char *interface, const char *bpffs_dir, struct doctor_interface *found,
                   struct shield_error *error);

#endif
