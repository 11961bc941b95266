/* SPDX-License-Identifier: Apache-2.0 */
/* Names of networks by their numbers. The first name that is told of a number stays; none is none. */
#ifndef HOLDFAST_TRACE_NETWORKS_H
#define HOLDFAST_TRACE_NETWORKS_H

#include <stddef.h>
#include <stdint.h>

#define NETWORKS_MAX 262144   /* twice as many as there are */
#define NETWORKS_NAME_SIZE 64 /* with its end */

struct network_slot {
	uint32_t number; /* 0: free */
	uint32_t name;   /* where it begins in `names` */
};

struct networks {
	struct network_slot *slots;
	char *names;
	uint64_t seed; /* of the table's hash: set before anything is added, by what who writes names cannot choose */
	uint32_t count, slots_count, names_length, names_room;
};

/*
 * `name` is octets from outside: what is no letter of proper UTF-8 that can be printed in a line becomes '?', and it is
 * cut to what NETWORKS_NAME_SIZE holds, between letters. 0; -E2BIG: there are NETWORKS_MAX; -ENOMEM.
 */
int networks_add(struct networks *networks, uint32_t number, const char *name, size_t length);
/* "" where there is none. Valid until the next is added. */
const char *networks_name(const struct networks *networks, uint32_t number);
void networks_fini(struct networks *networks);
/* The same of any text, to `size` octets with the end. */
void networks_text(const char *octets, size_t length, char *text, size_t size);

#endif
