/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcap (draft-ietf-opsawg-pcap): a file header of 24 octets
 *
 *     magic 4 | major 2 | minor 2 | zone 4 | accuracy 4 | snap length 4 | frame check sequence 2, link type 2
 *
 * then records: seconds 4 | fraction 4 | captured 4 | original 4 | data. The magic tells the byte order, whether
 * the fraction counts micro- or nanoseconds, and whether the record header has 8 octets more (Kuznetzov's variant:
 * interface index, protocol, packet type). Before version 2.3 the two lengths stood the other way round, in 2.3
 * either way.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/time.h"
#include "observe/container.h"

#define PCAP_RECORD_HEADER 16
#define PCAP_KUZNETZOV_HEADER 24
#define PCAP_LINK_TYPE_MASK 0xffffu

enum capture_kind pcap_next(struct capture *capture, struct capture_record *record)
{
	bool big_endian = capture->big_endian;
	size_t header = capture->record_header;
	size_t length;
	uint32_t captured, original;
	const uint8_t *at;

	if (!input_holds(&capture->input, header))
		return capture_ran_out(capture, record, "packet record's header", header);
	at = capture->input.at;
	captured = input_u32(at + capture->captured_at, big_endian);
	original = input_u32(at + capture->original_at, big_endian);
	if (captured > original) {
		if (capture->lengths_doubtful) {
			uint32_t other = captured;

			captured = original;
			original = other;
		} else {
			original = captured;
		}
	}
	if (captured > CAPTURE_RECORD_MAX)
		return capture_broken(capture, record,
		                      "a packet record claims %" PRIu32 " octets; at most %u are believed", captured,
		                      CAPTURE_RECORD_MAX);
	length = header + captured;
	if (!input_holds(&capture->input, length))
		return capture_ran_out(capture, record, "packet record", length);
	at = capture->input.at;
	record->raw = at;
	record->raw_length = length;
	record->offset = input_offset(&capture->input);
	record->data = at + header;
	record->captured = captured;
	record->original = original;
	record->link_type = capture->link_type;
	/* 32-bit seconds fit with room to spare, so a fraction of a second or more simply carries over. */
	record->time.ns = (int64_t)input_u32(at, big_endian) * NS_PER_S +
	                  (int64_t)input_u32(at + 4, big_endian) * capture->fraction_ns;
	record->has_time = true;
	capture->input.at = at + length;
	return CAPTURE_PACKET;
}

int pcap_start(struct capture *capture, uint32_t magic, char error[CAPTURE_ERROR_SIZE])
{
	const uint8_t *header;
	uint16_t major, minor;

	if (!input_holds(&capture->input, PCAP_FILE_HEADER)) {
		if (capture->input.fault)
			return capture_refuse(capture, error);
		(void)snprintf(error, CAPTURE_ERROR_SIZE,
		               "the pcap file header is cut off at offset %zu; it needs %d octets",
		               input_left(&capture->input), PCAP_FILE_HEADER);
		return -EBADMSG;
	}
	header = capture->input.at;
	major = input_u16(header + 4, capture->big_endian);
	minor = input_u16(header + 6, capture->big_endian);
	if (major != 2 || minor > 4) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE,
		               "offset 4: pcap version %d.%d is unknown; known are 2.0 to 2.4", major, minor);
		return -EPROTONOSUPPORT;
	}
	capture->state = STATE_PCAP_HEADER;
	capture->record_header = magic == PCAP_KUZNETZOV ? PCAP_KUZNETZOV_HEADER : PCAP_RECORD_HEADER;
	capture->fraction_ns = magic == PCAP_NANOSECONDS ? 1 : NS_PER_US;
	capture->captured_at = minor < 3 ? 12 : 8;
	capture->original_at = minor < 3 ? 8 : 12;
	capture->lengths_doubtful = minor == 3;
	capture->link_type = input_u32(header + 20, capture->big_endian) & PCAP_LINK_TYPE_MASK;
	return 0;
}
