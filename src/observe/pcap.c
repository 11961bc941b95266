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
 *
 * Files that were put behind each other, as `cat` does it with packed ones of every hour, are read on: where a record
 * would begin, a file header looks like one of no octets, at a time that is a magic and a fraction that is a version.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "observe/container.h"

#define PCAP_RECORD_HEADER 16
#define PCAP_KUZNETZOV_HEADER 24
#define PCAP_LINK_TYPE_MASK 0xffffu

bool pcap_recognise(const uint8_t octets[4], uint32_t *magic, bool *big_endian)
{
	for (int order = 0; order < 2; order++) {
		uint32_t number = input_u32(octets, order);

		if (number == PCAP_MICROSECONDS || number == PCAP_NANOSECONDS || number == PCAP_KUZNETZOV) {
			*magic = number;
			*big_endian = order;
			return true;
		}
	}
	return false;
}

/* As the file header at the window says; it is all there, and in the byte order that the capture has. */
static void set_variant(struct capture *capture, uint32_t magic)
{
	const uint8_t *header = capture->input.at;
	uint16_t minor = input_u16(header + 6, capture->big_endian);

	capture->record_header = magic == PCAP_KUZNETZOV ? PCAP_KUZNETZOV_HEADER : PCAP_RECORD_HEADER;
	capture->fraction_ns = magic == PCAP_NANOSECONDS ? 1 : NS_PER_US;
	capture->captured_at = minor < 3 ? 12 : 8;
	capture->original_at = minor < 3 ? 8 : 12;
	capture->lengths_doubtful = minor == 3;
	capture->link_type = input_u32(header + 20, capture->big_endian) & PCAP_LINK_TYPE_MASK;
}

/* Whether the octets at the window, as many as a record's header has, begin a file header of version 2.0 to 2.4. */
static bool begins_again(const struct capture *capture, uint32_t *magic, bool *big_endian)
{
	const uint8_t *at = capture->input.at;

	return pcap_recognise(at, magic, big_endian) && input_u16(at + 4, *big_endian) == 2 &&
	       input_u16(at + 6, *big_endian) <= 4;
}

/* A record of no octets, or of too many. Whether it is to be read as such; else `kind` is what it is instead. */
INPUT_COLD static bool read_oddity(struct capture *capture, struct capture_record *record, uint32_t captured,
                                   enum capture_kind *kind)
{
	static const uint8_t zeros[2 * PCAP_RECORD_HEADER] = { 0 };
	uint32_t magic;
	bool big_endian;

	if (captured == 0 && begins_again(capture, &magic, &big_endian)) {
		if (!input_holds(&capture->input, PCAP_FILE_HEADER)) {
			*kind = capture_ran_out(capture, record, "pcap file header", PCAP_FILE_HEADER);
			return false;
		}
		capture->big_endian = big_endian;
		set_variant(capture, magic);
		*kind = capture_hand_out(capture, record, PCAP_FILE_HEADER);
		return false;
	}
	/* One is a packet of which nothing is known. */
	if (captured == 0 && input_holds(&capture->input, sizeof(zeros)) &&
	    memcmp(capture->input.at, zeros, sizeof(zeros)) == 0) {
		*kind = capture_broken(capture, record,
		                       "zeros from here on, as in a file that was not written to its end");
		return false;
	}
	if (captured == 0)
		return true;
	if (input_u32(capture->input.at, true) == PCAPNG_MAGIC)
		*kind = capture_broken(capture, record, "a pcapng capture begins inside a pcap one; split them there");
	else
		*kind = capture_broken(capture, record,
		                       "a packet record claims %" PRIu32 " octets; at most %u are believed", captured,
		                       CAPTURE_RECORD_MAX);
	return false;
}

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
	if (__builtin_expect(captured - 1 >= CAPTURE_RECORD_MAX, 0)) { /* none, or too many */
		enum capture_kind kind;

		if (!read_oddity(capture, record, captured, &kind))
			return kind;
	}
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
	set_variant(capture, magic);
	return 0;
}
