/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcapng (draft-ietf-opsawg-pcapng): blocks, each
 *
 *     type 4 | length 4 | body | length 4         the length counts the whole block and is a multiple of four
 *
 * A section header block states the byte order for all that follows and forgets the interfaces before it. Interface
 * description blocks are numbered in order of appearance; packets name the interface by that number. A section's
 * own length is of no use to a sequential reader, so it is ignored, -1 or not.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "observe/container.h"

#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET 2u /* obsolete */
#define BLOCK_SIMPLE 3u
#define BLOCK_ENHANCED 6u
#define BLOCK_MINIMUM 12 /* type, length, length */
#define SECTION_MINIMUM 28
#define INTERFACE_MINIMUM 20
#define PACKET_MINIMUM 32 /* enhanced and obsolete packet blocks: 28 before the data, 4 after */
#define PACKET_DATA 28
#define SIMPLE_MINIMUM 16
#define SIMPLE_DATA 12
#define BLOCK_TRAILER 4
#define SECTION_MAGIC 0x1a2b3c4du
#define SECTION_MAJOR 1

#define OPTION_END 0
#define OPTION_TIME_RESOLUTION 9
#define OPTION_TIME_OFFSET 14

__extension__ typedef unsigned __int128 wide;
__extension__ typedef __int128 wide_signed;

enum tick_unit {
	TICK_MULTIPLE, /* a tick is `scale` nanoseconds */
	TICK_FRACTION, /* `scale` ticks are a nanosecond */
	TICK_BINARY,   /* 2^scale ticks are a second */
};

struct interface {
	uint32_t link_type;
	uint32_t snap_length; /* 0: no limit */
	enum tick_unit unit;
	uint64_t scale;
	int64_t offset_s; /* added to every time stamp */
};

/* The byte order of the section whose header block begins at `block` (12 octets are readable). */
static bool section_order(const uint8_t *block, bool *big_endian)
{
	*big_endian = input_u32(block + 8, true) == SECTION_MAGIC;
	return *big_endian || input_u32(block + 8, false) == SECTION_MAGIC;
}

/* What is wrong with a block's length, or NULL. */
static const char *block_length_fault(uint32_t type, uint32_t length)
{
	uint32_t minimum = BLOCK_MINIMUM;

	if (length > CAPTURE_RECORD_MAX)
		return "more than is believed";
	if (length % 4 != 0)
		return "not a multiple of 4";
	switch (type) {
	case PCAPNG_MAGIC:
		minimum = SECTION_MINIMUM;
		break;
	case BLOCK_INTERFACE:
		minimum = INTERFACE_MINIMUM;
		break;
	case BLOCK_PACKET:
	case BLOCK_ENHANCED:
		minimum = PACKET_MINIMUM;
		break;
	case BLOCK_SIMPLE:
		minimum = SIMPLE_MINIMUM;
		break;
	default:
		break;
	}
	return length < minimum ? "less than its fixed fields take" : NULL;
}

/* if_tsresol: the negative power of 2 (high bit set) or 10 that a tick is. */
static void interface_set_resolution(struct interface *interface, uint8_t resolution)
{
	unsigned exponent = resolution & 0x7fu;
	unsigned steps = exponent <= 9 ? 9 - exponent : exponent - 9;

	if (resolution & 0x80u) {
		interface->unit = TICK_BINARY;
		interface->scale = exponent;
		return;
	}
	interface->unit = exponent <= 9 ? TICK_MULTIPLE : TICK_FRACTION;
	interface->scale = 1;
	if (steps > 19) { /* 10^20 ticks in a nanosecond: no 64-bit count of ticks reaches one */
		interface->unit = TICK_MULTIPLE;
		interface->scale = 0;
		return;
	}
	while (steps-- > 0)
		interface->scale *= 10;
}

/* Exact, rounded down; clamped to what struct capture_time can say. */
static inline struct capture_time interface_time(const struct interface *interface, uint64_t ticks)
{
	wide since_offset = 0; /* below 2^94 */
	wide_signed ns;

	switch (interface->unit) {
	case TICK_MULTIPLE:
		since_offset = (wide)ticks * interface->scale;
		break;
	case TICK_FRACTION:
		since_offset = ticks / interface->scale;
		break;
	case TICK_BINARY:
		since_offset = ((wide)ticks * (uint64_t)NS_PER_S) >> interface->scale;
		break;
	}
	ns = (wide_signed)since_offset + (wide_signed)interface->offset_s * NS_PER_S;
	if (ns > INT64_MAX)
		return (struct capture_time){ INT64_MAX };
	if (ns < INT64_MIN)
		return (struct capture_time){ INT64_MIN };
	return (struct capture_time){ (int64_t)ns };
}

/* Reads the options in [at, end); what is wrong with them, or NULL. */
static const char *interface_read_options(struct interface *interface, const uint8_t *at, const uint8_t *end,
                                          bool big_endian)
{
	while (end - at >= 4) {
		unsigned code = input_u16(at, big_endian);
		size_t length = input_u16(at + 2, big_endian);
		size_t padded = (length + 3) & ~(size_t)3;

		if (code == OPTION_END)
			break;
		at += 4;
		if (padded > (size_t)(end - at))
			return "an option of the interface description reaches beyond its block";
		if (code == OPTION_TIME_RESOLUTION) {
			if (length != 1)
				return "if_tsresol is not 1 octet long";
			interface_set_resolution(interface, at[0]);
		} else if (code == OPTION_TIME_OFFSET) {
			if (length != 8)
				return "if_tsoffset is not 8 octets long";
			interface->offset_s = (int64_t)input_u64(at, big_endian);
		}
		at += padded;
	}
	return NULL;
}

/* Adds the interface that `block` describes; what is wrong, or NULL. */
static const char *interface_add(struct capture *capture, const uint8_t *block, uint32_t length)
{
	struct interface interface = {
		.link_type = input_u16(block + 8, capture->big_endian),
		.snap_length = input_u32(block + 12, capture->big_endian),
	};
	const char *fault;

	interface_set_resolution(&interface, 6);
	fault = interface_read_options(&interface, block + 16, block + length - BLOCK_TRAILER, capture->big_endian);
	if (fault)
		return fault;
	if (capture->interface_count == CAPTURE_INTERFACE_MAX)
		return "the section has more interfaces than this reader keeps";
	if (capture->interface_count == capture->interface_room) {
		size_t room = capture->interface_room ? capture->interface_room * 2 : 8;
		struct interface *grown = reallocarray(capture->interfaces, room, sizeof(*grown));

		if (!grown)
			return "out of memory for the section's interfaces";
		capture->interfaces = grown;
		capture->interface_room = room;
	}
	capture->interfaces[capture->interface_count++] = interface;
	return NULL;
}

/* `block` is a whole block of the type it says, with its minimum length checked. */
static inline enum capture_kind pcapng_packet(struct capture *capture, struct capture_record *record, uint32_t type,
                                              const uint8_t *block, uint32_t length)
{
	bool big_endian = capture->big_endian;
	uint32_t captured, original, number, room;
	const struct interface *interface;

	if (type == BLOCK_SIMPLE)
		number = 0;
	else if (type == BLOCK_ENHANCED)
		number = input_u32(block + 8, big_endian);
	else
		number = input_u16(block + 8, big_endian);
	if (number >= capture->interface_count)
		return capture_broken(capture, record,
		                      "a packet of interface %" PRIu32 ", which the section has not described", number);
	interface = &capture->interfaces[number];

	if (type == BLOCK_SIMPLE) {
		/* It does not say how much was captured: as much as the snap length let through. */
		room = length - SIMPLE_MINIMUM;
		original = input_u32(block + 8, big_endian);
		captured = original;
		if (interface->snap_length > 0 && captured > interface->snap_length)
			captured = interface->snap_length;
		if (captured > room)
			captured = room;
		record->data = block + SIMPLE_DATA;
		record->has_time = false;
	} else {
		uint64_t ticks = (uint64_t)input_u32(block + 12, big_endian) << 32 | input_u32(block + 16, big_endian);

		room = length - PACKET_MINIMUM;
		captured = input_u32(block + 20, big_endian);
		original = input_u32(block + 24, big_endian);
		if (captured > room)
			return capture_broken(capture, record,
			                      "a packet claims %" PRIu32 " octets in a block with room for %" PRIu32,
			                      captured, room);
		if (original < captured)
			original = captured;
		capture->last_time = interface_time(interface, ticks);
		record->data = block + PACKET_DATA;
		record->has_time = true;
	}
	record->raw = block;
	record->raw_length = length;
	record->offset = input_offset(&capture->input);
	record->captured = captured;
	record->original = original;
	record->link_type = interface->link_type;
	record->time = capture->last_time;
	capture->input.at = block + length;
	return CAPTURE_PACKET;
}

static INPUT_COLD enum capture_kind pcapng_section(struct capture *capture, struct capture_record *record,
                                                   uint32_t length, bool big_endian)
{
	uint16_t major = input_u16(capture->input.at + 12, big_endian);

	if (major != SECTION_MAJOR)
		return capture_broken(capture, record, "a section of pcapng version %d; known is %d", major,
		                      SECTION_MAJOR);
	capture->big_endian = big_endian;
	capture->interface_count = 0;
	return capture_hand_out(capture, record, length);
}

enum capture_kind pcapng_next(struct capture *capture, struct capture_record *record)
{
	bool big_endian = capture->big_endian;
	const char *fault;
	uint32_t type, length;

	if (!input_holds(&capture->input, BLOCK_MINIMUM))
		return capture_ran_out(capture, record, "block's header", BLOCK_MINIMUM);
	type = input_u32(capture->input.at, big_endian);
	if (type == PCAPNG_MAGIC && !section_order(capture->input.at, &big_endian))
		return capture_broken(capture, record, "a section header without a byte-order magic");
	length = input_u32(capture->input.at + 4, big_endian);
	fault = block_length_fault(type, length);
	if (fault)
		return capture_broken(capture, record, "a block of type 0x%" PRIx32 " claims %" PRIu32 " octets: %s",
		                      type, length, fault);
	if (!input_holds(&capture->input, length))
		return capture_ran_out(capture, record, "block", length);
	if (input_u32(capture->input.at + length - BLOCK_TRAILER, big_endian) != length)
		return capture_broken(capture, record,
		                      "a block of type 0x%" PRIx32 " begins with length %" PRIu32
		                      " and ends with %" PRIu32,
		                      type, length, input_u32(capture->input.at + length - BLOCK_TRAILER, big_endian));
	switch (type) {
	case BLOCK_ENHANCED:
	case BLOCK_PACKET:
	case BLOCK_SIMPLE:
		return pcapng_packet(capture, record, type, capture->input.at, length);
	case PCAPNG_MAGIC:
		return pcapng_section(capture, record, length, big_endian);
	case BLOCK_INTERFACE:
		fault = interface_add(capture, capture->input.at, length);
		if (fault)
			return capture_broken(capture, record, "%s", fault);
		break;
	default:
		break;
	}
	return capture_hand_out(capture, record, length);
}

int pcapng_start(struct capture *capture, char error[CAPTURE_ERROR_SIZE])
{
	const char *fault;
	uint32_t length;
	uint16_t major;

	if (!input_holds(&capture->input, SECTION_MINIMUM)) {
		if (capture->input.fault)
			return capture_refuse(capture, error);
		(void)snprintf(error, CAPTURE_ERROR_SIZE,
		               "the pcapng section header is cut off at offset %zu; it needs %d octets",
		               input_left(&capture->input), SECTION_MINIMUM);
		return -EBADMSG;
	}
	if (!section_order(capture->input.at, &capture->big_endian)) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "offset 8: begins like pcapng but has no byte-order magic");
		return -EBADMSG;
	}
	length = input_u32(capture->input.at + 4, capture->big_endian);
	fault = block_length_fault(PCAPNG_MAGIC, length);
	if (fault) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "offset 4: the section header claims %" PRIu32 " octets: %s",
		               length, fault);
		return -EBADMSG;
	}
	major = input_u16(capture->input.at + 12, capture->big_endian);
	if (major != SECTION_MAJOR) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "offset 12: pcapng version %d is unknown; known is %d", major,
		               SECTION_MAJOR);
		return -EPROTONOSUPPORT;
	}
	capture->state = STATE_PCAPNG;
	return 0;
}
