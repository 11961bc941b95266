/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capture files, read as a chain of records.
 *
 * pcap (draft-ietf-opsawg-pcap): a file header of 24 octets
 *
 *     magic 4 | major 2 | minor 2 | zone 4 | accuracy 4 | snap length 4 | frame check sequence 2, link type 2
 *
 * then records: seconds 4 | fraction 4 | captured 4 | original 4 | data. The magic tells the byte order, whether
 * the fraction counts micro- or nanoseconds, and whether the record header has 8 octets more (Kuznetzov's variant:
 * interface index, protocol, packet type). Before version 2.3 the two lengths stood the other way round, in 2.3
 * either way.
 *
 * pcapng (draft-ietf-opsawg-pcapng): blocks, each
 *
 *     type 4 | length 4 | body | length 4         the length counts the whole block and is a multiple of four
 *
 * A section header block states the byte order for all that follows and forgets the interfaces before it. Interface
 * description blocks are numbered in order of appearance; packets name the interface by that number. A section's
 * own length is of no use to a sequential reader, so it is ignored, -1 or not.
 *
 * All octets are looked at through a window [at, end). Over memory the window is the whole input. Over anything else
 * it is a buffer which window_fill() refills, and which never exceeds WINDOW_MAX. Copying a file that is in the page
 * cache into a buffer that stays in the processor's costs about half of what the page faults of a mapping do, and
 * nobody who truncates the file can kill the reader. A file that grows is read as long as it was when it was opened.
 * What is packed (gzip, zstd; the first octets tell) is unpacked into that buffer, so that offsets, but for those of
 * capture_position(), are those of what was unpacked.
 *
 * Invariants: every record handed out begins where the one before ended; lengths are checked against the window
 * before anything behind them is read; state changes (section, interface) only on a whole block. After CUT or
 * BROKEN nothing follows. BROKEN hands out no octets: the record has the offset of what cannot be read, and
 * raw_length 0.
 */
#include "observe/capture.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "observe/unpack.h"

#define WINDOW_CHUNK ((size_t)256 << 10) /* first size of a buffered window, and slack for record headers */
#define WINDOW_MAX (CAPTURE_RECORD_MAX + WINDOW_CHUNK)
#define COLD __attribute__((noinline, cold))

#define MAGIC_SIZE 4 /* octets that tell what a file is */

#define PCAP_MICROSECONDS 0xa1b2c3d4u
#define PCAP_NANOSECONDS 0xa1b23c4du
#define PCAP_KUZNETZOV 0xa1b2cd34u
#define PCAP_FILE_HEADER 24
#define PCAP_RECORD_HEADER 16
#define PCAP_KUZNETZOV_HEADER 24
#define PCAP_LINK_TYPE_MASK 0xffffu

#define BLOCK_SECTION 0x0a0d0d0au /* the same in both byte orders */
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

enum state {
	STATE_PCAP,
	STATE_PCAPNG,
	STATE_PCAP_HEADER, /* pcap, and the file header was not handed out yet */
	STATE_END,
};

struct capture {
	const uint8_t *at, *end; /* the window: what can be read now */
	uint64_t end_offset;     /* of `end` in the input */
	enum state state;
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

	/* input */
	uint64_t size;         /* 0: unknown */
	uint64_t unread;       /* how much more may be read from the descriptor, or is at `memory` */
	const uint8_t *memory; /* of a packed input that is in memory: what was not read yet */
	struct unpack *unpack; /* NULL: the input is not packed */
	uint8_t *buffer;       /* NULL: the window is the whole input */
	size_t capacity;
	int descriptor; /* -1: none */
	bool close_descriptor;
	int fault; /* errno that ended reading */
	char error[CAPTURE_ERROR_SIZE];
};

static inline uint16_t load_u16(const uint8_t *octets, bool big_endian)
{
	uint16_t value;

	memcpy(&value, octets, sizeof(value));
	return big_endian ? be16toh(value) : le16toh(value);
}

static inline uint32_t load_u32(const uint8_t *octets, bool big_endian)
{
	uint32_t value;

	memcpy(&value, octets, sizeof(value));
	return big_endian ? be32toh(value) : le32toh(value);
}

static uint64_t load_u64(const uint8_t *octets, bool big_endian)
{
	uint64_t value;

	memcpy(&value, octets, sizeof(value));
	return big_endian ? be64toh(value) : le64toh(value);
}

static const char *errno_text(int number)
{
	const char *text = strerrordesc_np(number);

	return text ? text : "unknown error";
}

static const char *fault_text(const struct capture *capture)
{
	const char *text = capture->unpack ? unpack_error(capture->unpack) : "";

	return *text ? text : errno_text(capture->fault);
}

static inline size_t window_left(const struct capture *capture)
{
	return (size_t)(capture->end - capture->at);
}

static inline uint64_t offset_now(const struct capture *capture)
{
	return capture->end_offset - window_left(capture);
}

/* Makes room for `length` octets from `at` on, keeping those that are there. 0 or -ENOMEM. */
static int window_make_room(struct capture *capture, size_t length)
{
	size_t left = window_left(capture);

	if (left > 0 && length <= (size_t)(capture->buffer + capture->capacity - capture->at))
		return 0;
	if (length > WINDOW_MAX)
		return -EMSGSIZE;
	/* What one long record took is given back when it is behind: hundreds of captures may be open. */
	if (length > capture->capacity || (capture->capacity > 2 * WINDOW_CHUNK && length + left <= WINDOW_CHUNK)) {
		size_t wanted = length > WINDOW_CHUNK ? length + WINDOW_CHUNK : WINDOW_CHUNK;
		size_t capacity = wanted < WINDOW_MAX ? wanted : WINDOW_MAX;
		uint8_t *buffer;

		buffer = malloc(capacity);
		if (!buffer)
			return -ENOMEM;
		if (left > 0)
			memcpy(buffer, capture->at, left);
		free(capture->buffer);
		capture->buffer = buffer;
		capture->capacity = capacity;
	} else if (left > 0) {
		memmove(capture->buffer, capture->at, left);
	}
	capture->at = capture->buffer;
	capture->end = capture->buffer + left;
	return 0;
}

/* Waits where a descriptor was handed over non-blocking. */
static bool wait_readable(int descriptor)
{
	struct pollfd wait = { .fd = descriptor, .events = POLLIN };

	return poll(&wait, 1, -1) >= 0 || errno == EINTR;
}

/* What is stored, packed or not; an unpack_pull. */
static ssize_t read_stored(void *context, uint8_t *to, size_t room)
{
	struct capture *capture = context;

	if (room > capture->unread)
		room = (size_t)capture->unread;
	if (capture->memory && room > 0) {
		memcpy(to, capture->memory, room);
		capture->memory += room;
		capture->unread -= room;
	}
	if (capture->descriptor < 0 || room == 0)
		return (ssize_t)room;
	for (;;) {
		ssize_t got = read(capture->descriptor, to, room);

		if (got >= 0) {
			capture->unread -= (uint64_t)got;
			return got;
		}
		if (errno != EINTR && (errno != EAGAIN || !wait_readable(capture->descriptor)))
			return -errno;
	}
}

static COLD bool window_fill(struct capture *capture, size_t length)
{
	int result;

	if (!capture->buffer)
		return false;
	result = window_make_room(capture, length);
	if (result) {
		capture->fault = -result;
		return false;
	}
	while (window_left(capture) < length) {
		size_t used = (size_t)(capture->end - capture->buffer), room = capture->capacity - used;
		uint8_t *to = capture->buffer + used;
		ssize_t got = capture->unpack ? unpack_read(capture->unpack, to, room) : read_stored(capture, to, room);

		if (got < 0)
			capture->fault = (int)-got;
		if (got <= 0)
			return false;
		capture->end += got;
		capture->end_offset += (uint64_t)got;
	}
	return true;
}

/* Whether the window holds `length` octets from `at` on; may move the window, so pointers into it are stale after. */
static inline bool window_holds(struct capture *capture, size_t length)
{
	return __builtin_expect(window_left(capture) >= length, 1) || window_fill(capture, length);
}

static COLD __attribute__((format(printf, 3, 4))) enum capture_kind broken(struct capture *capture,
                                                                           struct capture_record *record,
                                                                           const char *format, ...)
{
	uint64_t offset = offset_now(capture);
	int used = snprintf(capture->error, sizeof(capture->error), "offset %" PRIu64 ": ", offset);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(capture->error + used, sizeof(capture->error) - (size_t)used, format, arguments);
	va_end(arguments);
	*record = (struct capture_record){ .offset = offset };
	capture->state = STATE_END;
	return CAPTURE_BROKEN;
}

/* The window does not hold `length` octets and will not. */
static COLD enum capture_kind ran_out(struct capture *capture, struct capture_record *record, const char *what,
                                      size_t length)
{
	size_t left = window_left(capture);
	uint64_t offset = offset_now(capture);

	if (capture->fault)
		return broken(capture, record, "cannot read on: %s", fault_text(capture));
	capture->state = STATE_END;
	*record = (struct capture_record){ .offset = offset };
	if (left == 0)
		return CAPTURE_END;
	(void)snprintf(capture->error, sizeof(capture->error),
	               "offset %" PRIu64 ": the input ends inside a %s: %zu of %zu octets are there", offset, what,
	               left, length);
	record->raw = capture->at;
	record->raw_length = left;
	capture->at = capture->end;
	return CAPTURE_CUT;
}

static enum capture_kind hand_out_other(struct capture *capture, struct capture_record *record, size_t length)
{
	*record = (struct capture_record){
		.raw = capture->at,
		.raw_length = length,
		.offset = offset_now(capture),
	};
	capture->at += length;
	return CAPTURE_OTHER;
}

static int refuse(const struct capture *capture, char error[CAPTURE_ERROR_SIZE]);

/* pcap */

static enum capture_kind pcap_next(struct capture *capture, struct capture_record *record)
{
	bool big_endian = capture->big_endian;
	size_t header = capture->record_header;
	size_t length;
	uint32_t captured, original;
	const uint8_t *at;

	if (!window_holds(capture, header))
		return ran_out(capture, record, "packet record's header", header);
	at = capture->at;
	captured = load_u32(at + capture->captured_at, big_endian);
	original = load_u32(at + capture->original_at, big_endian);
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
		return broken(capture, record, "a packet record claims %" PRIu32 " octets; at most %u are believed",
		              captured, CAPTURE_RECORD_MAX);
	length = header + captured;
	if (!window_holds(capture, length))
		return ran_out(capture, record, "packet record", length);
	at = capture->at;
	record->raw = at;
	record->raw_length = length;
	record->offset = offset_now(capture);
	record->data = at + header;
	record->captured = captured;
	record->original = original;
	record->link_type = capture->link_type;
	/* 32-bit seconds fit with room to spare, so a fraction of a second or more simply carries over. */
	record->time.ns = (int64_t)load_u32(at, big_endian) * NS_PER_S +
	                  (int64_t)load_u32(at + 4, big_endian) * capture->fraction_ns;
	record->has_time = true;
	capture->at = at + length;
	return CAPTURE_PACKET;
}

static int pcap_start(struct capture *capture, uint32_t magic, char error[CAPTURE_ERROR_SIZE])
{
	const uint8_t *header;
	uint16_t major, minor;

	if (!window_holds(capture, PCAP_FILE_HEADER)) {
		if (capture->fault)
			return refuse(capture, error);
		(void)snprintf(error, CAPTURE_ERROR_SIZE,
		               "the pcap file header is cut off at offset %zu; it needs %d octets",
		               window_left(capture), PCAP_FILE_HEADER);
		return -EBADMSG;
	}
	header = capture->at;
	major = load_u16(header + 4, capture->big_endian);
	minor = load_u16(header + 6, capture->big_endian);
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
	capture->link_type = load_u32(header + 20, capture->big_endian) & PCAP_LINK_TYPE_MASK;
	return 0;
}

/* pcapng */

/* The byte order of the section whose header block begins at `block` (12 octets are readable). */
static bool section_order(const uint8_t *block, bool *big_endian)
{
	*big_endian = load_u32(block + 8, true) == SECTION_MAGIC;
	return *big_endian || load_u32(block + 8, false) == SECTION_MAGIC;
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
	case BLOCK_SECTION:
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
		unsigned code = load_u16(at, big_endian);
		size_t length = load_u16(at + 2, big_endian);
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
			interface->offset_s = (int64_t)load_u64(at, big_endian);
		}
		at += padded;
	}
	return NULL;
}

/* Adds the interface that `block` describes; what is wrong, or NULL. */
static const char *interface_add(struct capture *capture, const uint8_t *block, uint32_t length)
{
	struct interface interface = {
		.link_type = load_u16(block + 8, capture->big_endian),
		.snap_length = load_u32(block + 12, capture->big_endian),
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
		number = load_u32(block + 8, big_endian);
	else
		number = load_u16(block + 8, big_endian);
	if (number >= capture->interface_count)
		return broken(capture, record, "a packet of interface %" PRIu32 ", which the section has not described",
		              number);
	interface = &capture->interfaces[number];

	if (type == BLOCK_SIMPLE) {
		/* It does not say how much was captured: as much as the snap length let through. */
		room = length - SIMPLE_MINIMUM;
		original = load_u32(block + 8, big_endian);
		captured = original;
		if (interface->snap_length > 0 && captured > interface->snap_length)
			captured = interface->snap_length;
		if (captured > room)
			captured = room;
		record->data = block + SIMPLE_DATA;
		record->has_time = false;
	} else {
		uint64_t ticks = (uint64_t)load_u32(block + 12, big_endian) << 32 | load_u32(block + 16, big_endian);

		room = length - PACKET_MINIMUM;
		captured = load_u32(block + 20, big_endian);
		original = load_u32(block + 24, big_endian);
		if (captured > room)
			return broken(capture, record,
			              "a packet claims %" PRIu32 " octets in a block with room for %" PRIu32, captured,
			              room);
		if (original < captured)
			original = captured;
		capture->last_time = interface_time(interface, ticks);
		record->data = block + PACKET_DATA;
		record->has_time = true;
	}
	record->raw = block;
	record->raw_length = length;
	record->offset = offset_now(capture);
	record->captured = captured;
	record->original = original;
	record->link_type = interface->link_type;
	record->time = capture->last_time;
	capture->at = block + length;
	return CAPTURE_PACKET;
}

static COLD enum capture_kind pcapng_section(struct capture *capture, struct capture_record *record, uint32_t length,
                                             bool big_endian)
{
	uint16_t major = load_u16(capture->at + 12, big_endian);

	if (major != SECTION_MAJOR)
		return broken(capture, record, "a section of pcapng version %d; known is %d", major, SECTION_MAJOR);
	capture->big_endian = big_endian;
	capture->interface_count = 0;
	return hand_out_other(capture, record, length);
}

static enum capture_kind pcapng_next(struct capture *capture, struct capture_record *record)
{
	bool big_endian = capture->big_endian;
	const char *fault;
	uint32_t type, length;

	if (!window_holds(capture, BLOCK_MINIMUM))
		return ran_out(capture, record, "block's header", BLOCK_MINIMUM);
	type = load_u32(capture->at, big_endian);
	if (type == BLOCK_SECTION && !section_order(capture->at, &big_endian))
		return broken(capture, record, "a section header without a byte-order magic");
	length = load_u32(capture->at + 4, big_endian);
	fault = block_length_fault(type, length);
	if (fault)
		return broken(capture, record, "a block of type 0x%" PRIx32 " claims %" PRIu32 " octets: %s", type,
		              length, fault);
	if (!window_holds(capture, length))
		return ran_out(capture, record, "block", length);
	if (load_u32(capture->at + length - BLOCK_TRAILER, big_endian) != length)
		return broken(capture, record,
		              "a block of type 0x%" PRIx32 " begins with length %" PRIu32 " and ends with %" PRIu32,
		              type, length, load_u32(capture->at + length - BLOCK_TRAILER, big_endian));
	switch (type) {
	case BLOCK_ENHANCED:
	case BLOCK_PACKET:
	case BLOCK_SIMPLE:
		return pcapng_packet(capture, record, type, capture->at, length);
	case BLOCK_SECTION:
		return pcapng_section(capture, record, length, big_endian);
	case BLOCK_INTERFACE:
		fault = interface_add(capture, capture->at, length);
		if (fault)
			return broken(capture, record, "%s", fault);
		break;
	default:
		break;
	}
	return hand_out_other(capture, record, length);
}

static int pcapng_start(struct capture *capture, char error[CAPTURE_ERROR_SIZE])
{
	const char *fault;
	uint32_t length;
	uint16_t major;

	if (!window_holds(capture, SECTION_MINIMUM)) {
		if (capture->fault)
			return refuse(capture, error);
		(void)snprintf(error, CAPTURE_ERROR_SIZE,
		               "the pcapng section header is cut off at offset %zu; it needs %d octets",
		               window_left(capture), SECTION_MINIMUM);
		return -EBADMSG;
	}
	if (!section_order(capture->at, &capture->big_endian)) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "offset 8: begins like pcapng but has no byte-order magic");
		return -EBADMSG;
	}
	length = load_u32(capture->at + 4, capture->big_endian);
	fault = block_length_fault(BLOCK_SECTION, length);
	if (fault) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "offset 4: the section header claims %" PRIu32 " octets: %s",
		               length, fault);
		return -EBADMSG;
	}
	major = load_u16(capture->at + 12, capture->big_endian);
	if (major != SECTION_MAJOR) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "offset 12: pcapng version %d is unknown; known is %d", major,
		               SECTION_MAJOR);
		return -EPROTONOSUPPORT;
	}
	capture->state = STATE_PCAPNG;
	return 0;
}

/* Opening */

static const struct {
	uint8_t length;
	uint8_t magic[8];
	const char *says;
} strangers[] = {
	{ 2, { 0x1f, 0x8b }, "compressed twice, inside with gzip; decompress it once" },
	{ 4, { 0x28, 0xb5, 0x2f, 0xfd }, "compressed twice, inside with zstd; decompress it once" },
	{ 6, { 0xfd, '7', 'z', 'X', 'Z', 0 }, "compressed with xz; decompress it first" },
	{ 3, { 'B', 'Z', 'h' }, "compressed with bzip2; decompress it first" },
	{ 4, { 0x04, 0x22, 0x4d, 0x18 }, "compressed with lz4; decompress it first" },
	{ 4, { 'P', 'K', 0x03, 0x04 }, "a zip archive; unpack it first" },
	{ 6, { '7', 'z', 0xbc, 0xaf, 0x27, 0x1c }, "a 7z archive; unpack it first" },
	{ 8, { 's', 'n', 'o', 'o', 'p', 0, 0, 0 }, "a snoop capture; convert it with `editcap -F pcap`" },
	{ 4, { 'G', 'M', 'B', 'U' }, "a Network Monitor capture; convert it with `editcap -F pcap`" },
	{ 4, { 'R', 'T', 'S', 'S' }, "a Network Monitor capture; convert it with `editcap -F pcap`" },
};

#define TEXT_LOOK 64 /* octets that must look like text before it is called that */

static bool looks_like_text(const uint8_t *octets, size_t length)
{
	for (size_t i = 0; i < length && i < TEXT_LOOK; i++) {
		bool blank = octets[i] == '\t' || octets[i] == '\n' || octets[i] == '\r';

		if ((octets[i] < 0x20 && !blank) || octets[i] == 0x7f)
			return false;
	}
	return true;
}

/* The input is no capture: says what it is instead. */
static int refuse(const struct capture *capture, char error[CAPTURE_ERROR_SIZE])
{
	size_t left = window_left(capture);
	const uint8_t *at = capture->at;

	if (capture->fault) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "cannot read: %s", fault_text(capture));
		return -capture->fault;
	}
	if (left == 0) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "empty: not even a file header");
		return -ENODATA;
	}
	/* Less is of nothing; least of all of what would have been unpacked with more. */
	for (size_t i = 0; left >= MAGIC_SIZE && i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		if (left >= strangers[i].length && memcmp(at, strangers[i].magic, strangers[i].length) == 0) {
			(void)snprintf(error, CAPTURE_ERROR_SIZE, "%s", strangers[i].says);
			return -EPROTONOSUPPORT;
		}
	}
	if (looks_like_text(at, left))
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "text, not a capture (pcap or pcapng)");
	else if (left < MAGIC_SIZE)
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "ends at offset %zu: too short for a capture", left);
	else
		(void)snprintf(error, CAPTURE_ERROR_SIZE,
		               "neither pcap nor pcapng: begins with %02x %02x %02x %02x, no magic known here", at[0],
		               at[1], at[2], at[3]);
	return -EPROTONOSUPPORT;
}

/* The window holds packed octets: from here on it holds what they unpack to. 0 or -ENOMEM. */
static int unpack_window(struct capture *capture, enum unpack_format format)
{
	bool in_memory = !capture->buffer;
	size_t left = window_left(capture);

	if (in_memory) {
		capture->memory = capture->at;
		capture->unread = left;
		capture->buffer = malloc(WINDOW_CHUNK);
		if (!capture->buffer)
			return -ENOMEM;
		capture->capacity = WINDOW_CHUNK;
	}
	capture->unpack = unpack_new(format, capture->at, in_memory ? 0 : left, read_stored, capture);
	if (!capture->unpack)
		return -ENOMEM;
	capture->at = capture->buffer;
	capture->end = capture->buffer;
	capture->end_offset = 0;
	return 0;
}

/* Reads the magic, and the header behind it. 0, or -errno with *error filled. */
static int start(struct capture *capture, char error[CAPTURE_ERROR_SIZE])
{
	enum unpack_format format;

	if (!window_holds(capture, MAGIC_SIZE))
		return refuse(capture, error);
	format = unpack_recognise(capture->at);
	if (format != UNPACK_NONE) {
		if (unpack_window(capture, format)) {
			(void)snprintf(error, CAPTURE_ERROR_SIZE, "out of memory");
			return -ENOMEM;
		}
		if (!window_holds(capture, MAGIC_SIZE))
			return refuse(capture, error);
	}
	if (load_u32(capture->at, true) == BLOCK_SECTION)
		return pcapng_start(capture, error);
	for (int order = 0; order < 2; order++) {
		uint32_t magic = load_u32(capture->at, order);

		if (magic == PCAP_MICROSECONDS || magic == PCAP_NANOSECONDS || magic == PCAP_KUZNETZOV) {
			capture->big_endian = order;
			return pcap_start(capture, magic, error);
		}
	}
	return refuse(capture, error);
}

static struct capture *capture_new(void)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	if (capture) {
		capture->descriptor = -1;
		capture->state = STATE_END;
	}
	return capture;
}

struct capture *capture_open(const char *path, char error[CAPTURE_ERROR_SIZE])
{
	bool standard_input = strcmp(path, "-") == 0;
	struct capture *capture = capture_new();
	struct stat status;
	int descriptor;

	if (!capture) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "out of memory");
		return NULL;
	}
	descriptor = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (descriptor < 0 || fstat(descriptor, &status)) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "cannot open: %s", errno_text(errno));
		goto undo;
	}
	if (S_ISDIR(status.st_mode)) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "a directory, not a capture");
		goto undo;
	}
	capture->buffer = malloc(WINDOW_CHUNK);
	if (!capture->buffer) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "out of memory");
		goto undo;
	}
	capture->capacity = WINDOW_CHUNK;
	capture->at = capture->buffer;
	capture->end = capture->buffer;
	capture->unread = UINT64_MAX;
	/* Standard input may stand anywhere in its file, and files of size 0 may still have content (/proc). */
	if (!standard_input && S_ISREG(status.st_mode) && status.st_size > 0) {
		capture->size = (uint64_t)status.st_size;
		capture->unread = capture->size;
		/* Reads ahead further; a hint, so its failure does not matter. */
		(void)posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	capture->descriptor = descriptor;
	capture->close_descriptor = !standard_input;
	descriptor = -1;
	if (start(capture, error))
		goto undo;
	return capture;
undo:
	if (descriptor >= 0 && !standard_input)
		(void)close(descriptor);
	capture_close(capture);
	return NULL;
}

struct capture *capture_open_memory(const void *data, size_t length, char error[CAPTURE_ERROR_SIZE])
{
	static const uint8_t nothing;
	struct capture *capture = capture_new();

	if (!capture) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "out of memory");
		return NULL;
	}
	capture->at = length > 0 ? data : &nothing;
	capture->end = capture->at + length;
	capture->end_offset = length;
	capture->size = length;
	if (start(capture, error)) {
		capture_close(capture);
		return NULL;
	}
	return capture;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	if (capture->close_descriptor)
		(void)close(capture->descriptor);
	unpack_free(capture->unpack);
	free(capture->buffer);
	free(capture->interfaces);
	free(capture);
}

enum capture_kind capture_next(struct capture *capture, struct capture_record *record)
{
	if (__builtin_expect(capture->state == STATE_PCAP, 1))
		return pcap_next(capture, record);
	switch (capture->state) {
	case STATE_PCAP:
		break;
	case STATE_PCAPNG:
		return pcapng_next(capture, record);
	case STATE_PCAP_HEADER:
		capture->state = STATE_PCAP;
		return hand_out_other(capture, record, PCAP_FILE_HEADER);
	case STATE_END:
		break;
	}
	*record = (struct capture_record){ .offset = offset_now(capture) };
	return CAPTURE_END;
}

const char *capture_error(const struct capture *capture)
{
	return capture->error;
}

uint64_t capture_position(const struct capture *capture)
{
	return capture->unpack ? unpack_position(capture->unpack) : offset_now(capture);
}

uint64_t capture_size(const struct capture *capture)
{
	return capture->size;
}
