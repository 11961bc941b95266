/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads capture files: pcap (both byte orders, micro- and nanoseconds; draft-ietf-opsawg-pcap) and pcapng
 * (draft-ietf-opsawg-pcapng: sections of both byte orders, several interfaces with their own link type, resolution and
 * offset; enhanced, simple and obsolete packet blocks). A file is read through a window that never grows beyond
 * CAPTURE_RECORD_MAX and a chunk of 256 KiB. Files packed with gzip or zstd are unpacked on the way (unpack.h). Files
 * of one format that stand behind each other in one are read as one.
 *
 * The reader hands out every octet of the input once, in order, as records: packets, and all that is not a packet
 * (headers, other blocks). Who copies all records copies the file.
 */
#ifndef HOLDFAST_OBSERVE_CAPTURE_H
#define HOLDFAST_OBSERVE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

#define CAPTURE_RECORD_MAX (16u << 20) /* a longer record or block is taken for a lie about its length */
#define CAPTURE_INTERFACE_MAX 65536    /* interfaces in a pcapng section; more are refused */
#define CAPTURE_ERROR_SIZE 256

struct capture; /* opaque */

enum capture_kind {
	CAPTURE_END, /* no more */
	CAPTURE_PACKET,
	CAPTURE_OTHER,  /* file header, section header, interface description, statistics … */
	CAPTURE_CUT,    /* the input ends inside a record; raw holds what is left of it; the next call says END */
	CAPTURE_BROKEN, /* what follows cannot be read: capture_error() says where and why; the next call says END */
};

struct capture_record {
	const uint8_t *raw; /* all of the record, header included; valid until the next call */
	size_t raw_length;
	uint64_t offset; /* of raw in the input, unpacked */
	/* CAPTURE_PACKET only: */
	const uint8_t *data;
	uint32_t captured;  /* octets in data */
	uint32_t original;  /* octets the packet had on the wire; at least `captured` */
	uint32_t link_type; /* LINKTYPE_* of tcpdump.org's registry */
	struct capture_time time;
	bool has_time; /* false for pcapng simple packet blocks: time repeats the previous one */
};

/*
 * Opens `path`; "-" is standard input. On failure returns NULL and writes one line into `error`: what is wrong, with
 * the offset where there is one (not the path: the caller knows it).
 */
struct capture *capture_open(const char *path, char error[CAPTURE_ERROR_SIZE]);
/* The same over octets in memory, which must outlive the capture. */
struct capture *capture_open_memory(const void *data, size_t length, char error[CAPTURE_ERROR_SIZE]);
void capture_close(struct capture *capture);

/* The next record: its octets are the capture's until the next call. What has ended ends again. */
enum capture_kind capture_next(struct capture *capture, struct capture_record *record);

/* One line, for CAPTURE_BROKEN and CAPTURE_CUT: "offset 1234: …". Empty before. */
const char *capture_error(const struct capture *capture);
/*
 * How much of the input, as it is stored, was read so far and how much there is (0 where unknown): for a progress
 * display.
 */
uint64_t capture_position(const struct capture *capture);
uint64_t capture_size(const struct capture *capture);

#endif
