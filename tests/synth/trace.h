/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The capture that is being made: frames with a time and a label, kept in memory in any order, written in time order
 * (equal times: in the order they were made) as pcap (microseconds, little endian) or pcapng (one interface,
 * nanoseconds, little endian). Files are all that ever comes out of here.
 *
 * Errors stick: a generator may go on adding, trace_write tells at the end.
 */
#ifndef SYNTH_TRACE_H
#define SYNTH_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a scenario may grow to, whatever the scale: 4 M frames, 2 GiB. */
#define TRACE_FRAMES_MAX (4u << 20)
#define TRACE_BYTES_MAX (UINT64_C(2) << 30)

#define LABEL_NORMAL 'n'
#define LABEL_REPLY 'r'

enum trace_format { TRACE_PCAP, TRACE_PCAPNG };

struct record {
	int64_t t_ns; /* since the capture's zero */
	uint64_t at;  /* offset in bytes[] */
	uint32_t serial;
	uint16_t len;
	char label;
	bool to_target;
};

struct trace {
	struct record *records;
	size_t n_records, cap_records;
	uint8_t *bytes;
	uint64_t n_bytes, cap_bytes;
	int err;
};

void trace_fini(struct trace *t);
void trace_add(struct trace *t, int64_t t_ns, char label, bool to_target, const uint8_t *frame, size_t len);
/* Sorts; for pcap also cuts times to microseconds, so that what is said of them is what the file holds. */
void trace_settle(struct trace *t, enum trace_format format);
/* Time zero of the file is epoch_s. 0 or -errno. */
int trace_write(const struct trace *t, enum trace_format format, int64_t epoch_s, const char *path);
/* One octet per packet in the file's order. */
int trace_write_labels(const struct trace *t, const char *path);

#endif
