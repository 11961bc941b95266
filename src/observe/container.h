/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two formats of captures, pcap.c and pcapng.c, share with whoever opens them, capture.c.
 *
 * Invariants: every record handed out begins where the one before ended; lengths are checked against the window before
 * anything behind them is read; state changes (section, interface) only on a whole block. After CUT or BROKEN nothing
 * follows. BROKEN hands out no octets: the record has the offset of what cannot be read, and raw_length 0.
 */
#ifndef HOLDFAST_OBSERVE_CONTAINER_H
#define HOLDFAST_OBSERVE_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observe/capture.h"
#include "observe/input.h"

#define PCAP_MICROSECONDS 0xa1b2c3d4u
#define PCAP_NANOSECONDS 0xa1b23c4du
#define PCAP_KUZNETZOV 0xa1b2cd34u
#define PCAP_FILE_HEADER 24
#define PCAPNG_MAGIC 0x0a0d0d0au /* of a section header; the same in both byte orders */

enum capture_state {
	STATE_END, /* or not begun */
	STATE_PCAP,
	STATE_PCAPNG,
	STATE_PCAP_HEADER, /* pcap, and the file header was not handed out yet */
};

struct interface; /* pcapng.c */

struct capture {
	struct input input;
	uint64_t size; /* 0: unknown */
	bool close_descriptor;
	enum capture_state state;
	bool big_endian;

	/* pcap */
	bool lengths_doubtful; /* version 2.3 */
	uint32_t record_header;
	uint32_t captured_at, original_at; /* in the record header */
	uint32_t fraction_ns;
	uint32_t link_type;

	/* pcapng */
	struct interface *interfaces;
	size_t interface_count, interface_room;
	struct capture_time last_time;

	char error[CAPTURE_ERROR_SIZE];
};

/* Whether a pcap file begins with them. */
bool pcap_recognise(const uint8_t octets[4], uint32_t *magic, bool *big_endian);
/* Begin behind the magic. 0, or -errno with `error` written. */
int pcap_start(struct capture *capture, uint32_t magic, char error[CAPTURE_ERROR_SIZE]);
int pcapng_start(struct capture *capture, char error[CAPTURE_ERROR_SIZE]);
enum capture_kind pcap_next(struct capture *capture, struct capture_record *record);
enum capture_kind pcapng_next(struct capture *capture, struct capture_record *record);

/* The record that begins at the window is `length` octets long and no packet. */
enum capture_kind capture_hand_out(struct capture *capture, struct capture_record *record, size_t length);
/* What begins at the window cannot be read, as the text says. */
INPUT_COLD __attribute__((format(printf, 3, 4))) enum capture_kind capture_broken(struct capture *capture,
                                                                                  struct capture_record *record,
                                                                                  const char *format, ...);
/* The window does not hold the `length` octets of a `what`, and will not. */
INPUT_COLD enum capture_kind capture_ran_out(struct capture *capture, struct capture_record *record, const char *what,
                                             size_t length);
/* The input is no capture: says what it is instead. -errno. */
int capture_refuse(const struct capture *capture, char error[CAPTURE_ERROR_SIZE]);

#endif
