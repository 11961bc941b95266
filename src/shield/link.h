/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an interface has received since it is there, as the kernel counts it (rtnetlink, IFLA_STATS64), and how fast its
 * link is. Of what was lost only that is taken which was lost before any program could see it: no room in the ring of
 * the card (missed, over, fifo). The kernel's rx_dropped is left out: it has frames of protocols that nobody here
 * speaks, and with some drivers (virtio_net) what XDP itself has dropped.
 */
#ifndef HOLDFAST_SHIELD_LINK_H
#define HOLDFAST_SHIELD_LINK_H

#include <stdint.h>

struct shield_link {
	char name[16];       /* IFNAMSIZ */
	uint64_t packets;    /* received */
	uint64_t octets;     /* of frames, most drivers without their checksum */
	uint64_t lost;       /* before XDP */
	uint32_t speed_mbps; /* 0: not known, as of virtual interfaces */
	uint32_t unused;
};

/* 0; -ENODEV where there is no such interface; -errno. */
int shield_link_read(const char *interface, struct shield_link *link);
/* The name of its driver; "" where nobody says. */
#define SHIELD_DRIVER_SIZE 32
void shield_link_driver(const char *interface, char driver[SHIELD_DRIVER_SIZE]);

#endif
