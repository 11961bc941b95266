/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets into a pcapng file (draft-ietf-opsawg-pcapng; octets in little-endian order, times in nanoseconds): one
 * section with a comment that says where they are from, an interface per link type, an enhanced packet block each, with
 * a comment.
 */
#ifndef HOLDFAST_CLI_FRAMES_H
#define HOLDFAST_CLI_FRAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/time.h"
#include "observe/observation.h"

#define FRAMES_LINKS_MAX 8
#define FRAMES_MAKE_MAX 256 /* octets that frames_make() writes at most */
#define FRAMES_LINK_RAW 101 /* LINKTYPE_RAW: begins with the IP header */

struct frames {
	FILE *file;
	uint32_t links[FRAMES_LINKS_MAX];
	unsigned links_count;
};

/* 0 or -EIO, as all of these that give an int. `comment` is of the section. */
int frames_begin(struct frames *frames, FILE *file, const char *comment);
/* -ENOSPC: it would be the ninth link type. */
int frames_add(struct frames *frames, uint32_t link, struct capture_time time, const uint8_t *octets, uint32_t captured,
               uint32_t original, const char *comment);
/*
 * An IP packet as an observation tells it: header of IP, header of its transport, and with `payload` the octets of
 * payload that were kept. What an observation has not (IPv4 options, checksums, TOS, a flow label, TCP's urgent
 * pointer, the order and content of TCP options but for MSS, scale and timestamp) is zero or left out. Of a tunnelled
 * packet the inner one. Returns how many octets were written to `octets`.
 */
size_t frames_make(const struct observation *observation, bool payload, uint8_t octets[FRAMES_MAKE_MAX]);

#endif
