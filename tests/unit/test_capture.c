/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The capture reader against files built here octet by octet, against a naive twin of its time conversion, against
 * libpcap on real captures (HOLDFAST_DATA), and against itself: in memory, as a file or through a pipe, whole or cut
 * at every length.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "observe/capture.h"
#include "observe/unpack.h"

/* A growing string of octets, written in one byte order. */
struct bytes {
	uint8_t *data;
	size_t length, room;
	bool big_endian;
};

static void put(struct bytes *bytes, const void *data, size_t length)
{
	if (bytes->length + length > bytes->room) {
		bytes->room = (bytes->length + length) * 2;
		bytes->data = realloc(bytes->data, bytes->room);
		assert_non_null(bytes->data);
	}
	if (length > 0)
		memcpy(bytes->data + bytes->length, data, length);
	bytes->length += length;
}

static void put_number(struct bytes *bytes, uint64_t value, unsigned width)
{
	for (unsigned i = 0; i < width; i++) {
		uint8_t octet = (uint8_t)(value >> 8 * (bytes->big_endian ? width - 1 - i : i));

		put(bytes, &octet, 1);
	}
}

static void put_u16(struct bytes *bytes, unsigned value)
{
	put_number(bytes, value, 2);
}

static void put_u32(struct bytes *bytes, uint32_t value)
{
	put_number(bytes, value, 4);
}

static void put_zeros(struct bytes *bytes, size_t count)
{
	while (count-- > 0)
		put_number(bytes, 0, 1);
}

static void bytes_fini(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){ 0 };
}

static void put_pcap_header(struct bytes *bytes, uint32_t magic, unsigned minor, uint32_t link_type)
{
	put_u32(bytes, magic);
	put_u16(bytes, 2);
	put_u16(bytes, minor);
	put_zeros(bytes, 8);
	put_u32(bytes, 64);
	put_u32(bytes, link_type);
}

static void put_pcap_record(struct bytes *bytes, const uint32_t fields[4], size_t extra, const char *data)
{
	for (int i = 0; i < 4; i++)
		put_u32(bytes, fields[i]);
	put_zeros(bytes, extra);
	put(bytes, data, strlen(data));
}

/* Blocks: begin returns where the block starts, end pads and writes both lengths. */
static size_t block_begin(struct bytes *bytes, uint32_t type)
{
	size_t start = bytes->length;

	put_u32(bytes, type);
	put_u32(bytes, 0);
	return start;
}

static void overwrite_u32(struct bytes *bytes, size_t at, uint32_t value)
{
	size_t length = bytes->length;

	bytes->length = at;
	put_u32(bytes, value);
	bytes->length = length;
}

static void block_end(struct bytes *bytes, size_t start)
{
	uint32_t length;

	put_zeros(bytes, (start - bytes->length) % 4);
	length = (uint32_t)(bytes->length - start + 4);
	put_u32(bytes, length);
	overwrite_u32(bytes, start + 4, length);
}

static void put_section(struct bytes *bytes, bool big_endian)
{
	size_t start;

	bytes->big_endian = big_endian;
	start = block_begin(bytes, 0x0a0d0d0a);
	put_u32(bytes, 0x1a2b3c4d);
	put_u16(bytes, 1);
	put_u16(bytes, 0);
	put_number(bytes, UINT64_MAX, 8);
	block_end(bytes, start);
}

/* resolution < 0: no option; offset 0: no option */
static void put_interface(struct bytes *bytes, unsigned link_type, uint32_t snap_length, int resolution, int64_t offset)
{
	size_t start = block_begin(bytes, 1);

	put_u16(bytes, link_type);
	put_u16(bytes, 0);
	put_u32(bytes, snap_length);
	put_u16(bytes, 2); /* if_name, five octets and padding, to be stepped over */
	put_u16(bytes, 5);
	put(bytes, "tun-1\t\t\t", 8);
	if (resolution >= 0) {
		put_u16(bytes, 9);
		put_u16(bytes, 1);
		put_number(bytes, (uint64_t)resolution, 1);
		put_zeros(bytes, 3);
	}
	if (offset != 0) {
		put_u16(bytes, 14);
		put_u16(bytes, 8);
		put_number(bytes, (uint64_t)offset, 8);
	}
	put_zeros(bytes, 4);
	block_end(bytes, start);
}

static void put_enhanced(struct bytes *bytes, uint32_t interface, uint64_t ticks, uint32_t captured, uint32_t original,
                         const char *data)
{
	size_t start = block_begin(bytes, 6);

	put_u32(bytes, interface);
	put_u32(bytes, (uint32_t)(ticks >> 32));
	put_u32(bytes, (uint32_t)ticks);
	put_u32(bytes, captured);
	put_u32(bytes, original);
	put(bytes, data, strlen(data));
	block_end(bytes, start);
}

static void put_simple(struct bytes *bytes, uint32_t original, const char *data)
{
	size_t start = block_begin(bytes, 3);

	put_u32(bytes, original);
	put(bytes, data, strlen(data));
	block_end(bytes, start);
}

static struct capture *open_bytes(const struct bytes *bytes)
{
	char error[CAPTURE_ERROR_SIZE] = "";
	struct capture *capture = capture_open_memory(bytes->data, bytes->length, error);

	if (!capture)
		fail_msg("cannot open: %s", error);
	return capture;
}

static void expect_kind(struct capture *capture, struct capture_record *record, enum capture_kind kind)
{
	enum capture_kind got = capture_next(capture, record);

	if (got != kind)
		fail_msg("offset %" PRIu64 ": kind %d, expected %d (%s)", record->offset, (int)got, (int)kind,
		         capture_error(capture));
}

static void expect_packet(struct capture *capture, const char *data, uint32_t original, uint32_t link_type, int64_t ns)
{
	struct capture_record record;

	expect_kind(capture, &record, CAPTURE_PACKET);
	assert_int_equal(record.captured, strlen(data));
	assert_memory_equal(record.data, data, strlen(data));
	assert_int_equal(record.original, original);
	assert_int_equal(record.link_type, link_type);
	if (record.time.ns != ns)
		fail_msg("time %" PRId64 ", expected %" PRId64, record.time.ns, ns);
}

/* Walks to the end. Every octet is handed out once, in order. Returns the number of packets; the last kind in *last. */
static size_t walk(const uint8_t *input, size_t length, enum capture_kind *last)
{
	char error[CAPTURE_ERROR_SIZE] = "";
	struct capture *capture = capture_open_memory(input, length, error);
	struct capture_record record = { 0 };
	uint64_t offset = 0;
	size_t packets = 0;

	*last = CAPTURE_END;
	if (!capture) {
		assert_true(error[0] != '\0' && !strchr(error, '\n'));
		return 0;
	}
	for (;;) {
		enum capture_kind kind = capture_next(capture, &record);

		assert_true(record.offset == offset);
		if (kind == CAPTURE_END)
			break;
		*last = kind;
		if (kind == CAPTURE_BROKEN) {
			assert_int_equal(record.raw_length, 0);
		} else {
			assert_true(record.raw_length > 0 && record.raw_length <= length - offset);
			assert_ptr_equal(record.raw, input + offset);
			offset += record.raw_length;
		}
		packets += kind == CAPTURE_PACKET;
		if (kind == CAPTURE_CUT || kind == CAPTURE_BROKEN) {
			assert_int_equal(strncmp(capture_error(capture), "offset ", 7), 0);
			assert_int_equal(capture_next(capture, &record), CAPTURE_END);
			break;
		}
		assert_string_equal(capture_error(capture), "");
	}
	assert_true(*last == CAPTURE_BROKEN || offset == length);
	assert_true(capture_position(capture) == offset && capture_size(capture) == length);
	capture_close(capture);
	return packets;
}

/* The last record must be BROKEN, at `offset`, saying `words`. */
static void expect_broken(const struct bytes *bytes, size_t offset, const char *words)
{
	struct capture *capture = open_bytes(bytes);
	struct capture_record record;
	enum capture_kind kind;
	char start[40];

	do
		kind = capture_next(capture, &record);
	while (kind == CAPTURE_PACKET || kind == CAPTURE_OTHER);
	(void)snprintf(start, sizeof(start), "offset %zu: ", offset);
	if (kind != CAPTURE_BROKEN || record.offset != offset || record.raw_length != 0 ||
	    strncmp(capture_error(capture), start, strlen(start)) != 0 || !strstr(capture_error(capture), words))
		fail_msg("kind %d, \"%s\"; expected \"%s%s\"", (int)kind, capture_error(capture), start, words);
	expect_kind(capture, &record, CAPTURE_END);
	capture_close(capture);
}

/* pcap */

static void test_pcap_variants(void **state)
{
	static const struct {
		uint32_t magic;
		size_t extra;
		int64_t fraction_ns;
	} variants[] = { { 0xa1b2c3d4, 0, 1000 }, { 0xa1b23c4d, 0, 1 }, { 0xa1b2cd34, 8, 1000 } };

	(void)state;
	for (int i = 0; i < 6; i++) {
		uint32_t magic = variants[i / 2].magic;
		size_t extra = variants[i / 2].extra;
		int64_t unit = variants[i / 2].fraction_ns;
		struct bytes bytes = { .big_endian = i % 2 };
		struct capture_record record;
		struct capture *capture;

		put_pcap_header(&bytes, magic, 4, 0x14000071); /* with frame check sequence bits set */
		put_pcap_record(&bytes, (uint32_t[]){ 1741599912, 123456, 5, 1500 }, extra, "hello");
		put_pcap_record(&bytes, (uint32_t[]){ 0, 0, 0, 0 }, extra, "");
		put_pcap_record(&bytes, (uint32_t[]){ 10, 1999999999, 3, 3 }, extra, "abc"); /* fraction carries over */
		put_pcap_record(&bytes, (uint32_t[]){ 4294967295, 4294967295, 6, 2 }, extra,
		                "longer"); /* than it was */

		capture = open_bytes(&bytes);
		expect_kind(capture, &record, CAPTURE_OTHER);
		assert_int_equal(record.raw_length, 24);
		assert_memory_equal(record.raw, bytes.data, 24);
		assert_null(record.data);
		assert_false(record.has_time);
		expect_packet(capture, "hello", 1500, 113, 1741599912 * NS_PER_S + 123456 * unit);
		expect_packet(capture, "", 0, 113, 0);
		expect_packet(capture, "abc", 3, 113, 10 * NS_PER_S + 1999999999 * unit);
		expect_packet(capture, "longer", 6, 113, 4294967295 * NS_PER_S + 4294967295 * unit);
		expect_kind(capture, &record, CAPTURE_END);
		expect_kind(capture, &record, CAPTURE_END);
		capture_close(capture);

		enum capture_kind last;
		assert_int_equal(walk(bytes.data, bytes.length, &last), 4);
		bytes_fini(&bytes);
	}
}

/* Before 2.3 the original length came first; in 2.3 the smaller is the captured one. */
static void test_pcap_old_versions(void **state)
{
	struct bytes old = { 0 }, middle = { 0 };
	struct capture_record record;
	struct capture *capture;

	(void)state;
	put_pcap_header(&old, 0xa1b2c3d4, 2, 1);
	put_pcap_record(&old, (uint32_t[]){ 1, 0, 60, 3 }, 0, "abc");
	capture = open_bytes(&old);
	expect_kind(capture, &record, CAPTURE_OTHER);
	expect_packet(capture, "abc", 60, 1, NS_PER_S);
	capture_close(capture);

	put_pcap_header(&middle, 0xa1b2c3d4, 3, 1);
	put_pcap_record(&middle, (uint32_t[]){ 1, 0, 60, 3 }, 0, "abc");
	put_pcap_record(&middle, (uint32_t[]){ 2, 0, 2, 70 }, 0, "de");
	capture = open_bytes(&middle);
	expect_kind(capture, &record, CAPTURE_OTHER);
	expect_packet(capture, "abc", 60, 1, NS_PER_S);
	expect_packet(capture, "de", 70, 1, 2 * NS_PER_S);
	capture_close(capture);
	bytes_fini(&old);
	bytes_fini(&middle);
}

/* What `cat` makes of several files: each has its own byte order, fractions and link type. */
static void test_pcap_behind_each_other(void **state)
{
	struct bytes bytes = { 0 }, older = { 0 };
	struct capture_record record;
	struct capture *capture;
	enum capture_kind last;
	size_t second;

	(void)state;
	put_pcap_header(&bytes, 0xa1b2c3d4, 4, 1);
	put_pcap_record(&bytes, (uint32_t[]){ 1, 2, 3, 4 }, 0, "abc");
	second = bytes.length;
	bytes.big_endian = true;
	put_pcap_header(&bytes, 0xa1b23c4d, 4, 101);
	put_pcap_record(&bytes, (uint32_t[]){ 3, 4, 2, 2 }, 0, "de");
	put_pcap_record(&bytes, (uint32_t[]){ 0xa1b2c3d4, 0x00020005, 0, 0 }, 0, ""); /* of no version there is */
	put_pcap_record(&bytes, (uint32_t[]){ 5, 0, 0, 0 }, 0, "");
	bytes.big_endian = false;
	put_pcap_header(&bytes, 0xa1b2cd34, 4, 113);
	put_pcap_header(&bytes, 0xa1b2cd34, 2, 228);
	put_pcap_record(&bytes, (uint32_t[]){ 6, 0, 60, 1 }, 8, "f");
	capture = open_bytes(&bytes);
	expect_kind(capture, &record, CAPTURE_OTHER);
	expect_packet(capture, "abc", 4, 1, NS_PER_S + 2 * NS_PER_US);
	expect_kind(capture, &record, CAPTURE_OTHER);
	assert_int_equal(record.raw_length, 24);
	expect_packet(capture, "de", 2, 101, 3 * NS_PER_S + 4);
	expect_packet(capture, "", 0, 101, 0xa1b2c3d4 * NS_PER_S + 0x00020005);
	expect_packet(capture, "", 0, 101, 5 * NS_PER_S);
	expect_kind(capture, &record, CAPTURE_OTHER);
	expect_kind(capture, &record, CAPTURE_OTHER);
	expect_packet(capture, "f", 60, 228, 6 * NS_PER_S);
	expect_kind(capture, &record, CAPTURE_END);
	capture_close(capture);
	assert_int_equal(walk(bytes.data, bytes.length, &last), 5);

	/* As much of a header as a record's has is recognised; the rest of it is missed. */
	for (size_t length = second + 16; length < second + 24; length++) {
		assert_int_equal(walk(bytes.data, length, &last), 1);
		assert_int_equal(last, CAPTURE_CUT);
	}
	bytes_fini(&bytes);

	put_pcap_header(&older, 0xa1b2c3d4, 4, 1);
	put_section(&older, false);
	expect_broken(&older, 24, "a pcapng capture begins inside a pcap one");
	bytes_fini(&older);

	put_pcap_header(&older, 0xa1b2c3d4, 4, 1);
	put_pcap_record(&older, (uint32_t[]){ 1, 2, 3, 4 }, 0, "abc");
	put_zeros(&older, 4096);
	expect_broken(&older, 43, "zeros from here on");
	bytes_fini(&older);
}

static void test_pcap_lengths(void **state)
{
	struct bytes bytes = { 0 };
	struct capture_record record;
	struct capture *capture;

	(void)state;
	/* The longest that is believed is whole, one more is not; both beyond the snap length. */
	put_pcap_header(&bytes, 0xa1b2c3d4, 4, 1);
	put_pcap_record(&bytes, (uint32_t[]){ 1, 0, CAPTURE_RECORD_MAX, CAPTURE_RECORD_MAX }, 0, "");
	put_zeros(&bytes, CAPTURE_RECORD_MAX);
	put_pcap_record(&bytes, (uint32_t[]){ 1, 0, CAPTURE_RECORD_MAX + 1, CAPTURE_RECORD_MAX + 1 }, 0, "x");
	capture = open_bytes(&bytes);
	expect_kind(capture, &record, CAPTURE_OTHER);
	expect_kind(capture, &record, CAPTURE_PACKET);
	assert_int_equal(record.captured, CAPTURE_RECORD_MAX);
	capture_close(capture);
	expect_broken(&bytes, 24 + 16 + CAPTURE_RECORD_MAX, "claims 16777217 octets");
	bytes_fini(&bytes);

	/* What is missing at the end is a cut, and the rest is handed out. */
	put_pcap_header(&bytes, 0xa1b2c3d4, 4, 1);
	put_pcap_record(&bytes, (uint32_t[]){ 1, 0, 1000, 1000 }, 0, "abc");
	capture = open_bytes(&bytes);
	expect_kind(capture, &record, CAPTURE_OTHER);
	expect_kind(capture, &record, CAPTURE_CUT);
	assert_int_equal(record.offset, 24);
	assert_int_equal(record.raw_length, 19);
	assert_string_equal(capture_error(capture),
	                    "offset 24: the input ends inside a packet record: 19 of 1016 octets are there");
	expect_kind(capture, &record, CAPTURE_END);
	capture_close(capture);
	bytes_fini(&bytes);
}

/* pcapng */

static void test_pcapng_sections(void **state)
{
	struct bytes bytes = { 0 };
	struct capture_record record;
	struct capture *capture;
	enum capture_kind last;
	size_t start;

	(void)state;
	for (int order = 0; order < 2; order++) { /* the byte order changes in the middle */
		put_section(&bytes, order == 0);
		put_interface(&bytes, 1, 5, -1, 0);
		put_interface(&bytes, 101, 0, 9, -3600);
		put_enhanced(&bytes, 1, 1741599912000000123, 3, 1500, "abc");
		put_enhanced(&bytes, 0, 1741599912000123, 4, 2, "four");
		put_simple(&bytes, 90, "simpl"); /* simple: cut to the snap length of interface 0 */
		start = block_begin(&bytes, 2);  /* obsolete */
		put_u16(&bytes, 1);
		put_u16(&bytes, 65535);
		put_u32(&bytes, 0);
		put_u32(&bytes, 7);
		put_u32(&bytes, 3);
		put_u32(&bytes, 4);
		put(&bytes, "obs", 3);
		block_end(&bytes, start);
		start = block_begin(&bytes, 0x0bad0bad); /* unknown */
		put_u32(&bytes, 1);
		block_end(&bytes, start);
		block_end(&bytes, block_begin(&bytes, 5)); /* empty */
	}
	capture = open_bytes(&bytes);
	for (int order = 0; order < 2; order++) {
		for (int i = 0; i < 3; i++)
			expect_kind(capture, &record, CAPTURE_OTHER);
		expect_packet(capture, "abc", 1500, 101, 1741596312000000123);
		expect_packet(capture, "four", 4, 1, 1741599912000123000);
		expect_packet(capture, "simpl", 90, 1, 1741599912000123000);
		expect_packet(capture, "obs", 4, 101, -3600 * NS_PER_S + 7);
		for (int i = 0; i < 2; i++) {
			expect_kind(capture, &record, CAPTURE_OTHER);
			assert_null(record.data);
		}
	}
	expect_kind(capture, &record, CAPTURE_END);
	capture_close(capture);
	assert_int_equal(walk(bytes.data, bytes.length, &last), 8);
	bytes_fini(&bytes);
}

static void test_pcapng_simple_has_no_time(void **state)
{
	struct bytes bytes = { 0 };
	struct capture_record record;
	struct capture *capture;

	(void)state;
	put_section(&bytes, false);
	put_interface(&bytes, 1, 0, -1, 0);
	put_simple(&bytes, 1500, "abcd"); /* more than the block holds, and no snap length to say so */
	put_enhanced(&bytes, 0, 5, 0, 0, "");
	capture = open_bytes(&bytes);
	expect_kind(capture, &record, CAPTURE_OTHER);
	expect_kind(capture, &record, CAPTURE_OTHER);
	expect_kind(capture, &record, CAPTURE_PACKET);
	assert_false(record.has_time);
	assert_true(record.time.ns == 0);
	assert_int_equal(record.captured, 4);
	assert_int_equal(record.original, 1500);
	expect_kind(capture, &record, CAPTURE_PACKET);
	assert_true(record.has_time);
	assert_true(record.time.ns == 5000);
	capture_close(capture);
	bytes_fini(&bytes);
}

static void test_pcapng_broken(void **state)
{
	static const struct {
		uint32_t type, length;
		const char *words;
	} lengths[] = {
		{ 5, 13, "multiple of 4" },    { 5, 8, "fixed fields" },
		{ 5, 0, "fixed fields" },      { 5, CAPTURE_RECORD_MAX + 4, "believed" },
		{ 5, 0xfffffffc, "believed" }, { 1, 16, "fixed fields" },
		{ 2, 28, "fixed fields" },     { 3, 12, "fixed fields" },
		{ 6, 28, "fixed fields" },
	};
	struct bytes bytes = { 0 };
	size_t start;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		put_section(&bytes, i % 2);
		put_u32(&bytes, lengths[i].type);
		put_u32(&bytes, lengths[i].length);
		put_zeros(&bytes, 64);
		expect_broken(&bytes, 28, lengths[i].words);
		bytes_fini(&bytes);
	}
	/* lengths that contradict each other */
	put_section(&bytes, false);
	block_end(&bytes, block_begin(&bytes, 5));
	overwrite_u32(&bytes, bytes.length - 4, 16);
	expect_broken(&bytes, 28, "begins with length 12 and ends with 16");
	bytes_fini(&bytes);
	/* an interface nobody described; one of the section before does not count */
	put_section(&bytes, false);
	put_interface(&bytes, 1, 0, -1, 0);
	put_section(&bytes, false);
	start = bytes.length;
	put_enhanced(&bytes, 0, 0, 1, 1, "x");
	expect_broken(&bytes, start, "interface 0");
	bytes_fini(&bytes);
	/* more data than the block */
	put_section(&bytes, true);
	put_interface(&bytes, 1, 0, -1, 0);
	start = bytes.length;
	put_enhanced(&bytes, 0, 0, 5, 5, "four");
	expect_broken(&bytes, start, "claims 5 octets in a block with room for 4");
	bytes_fini(&bytes);
	/* options beyond the block, or of the wrong length */
	for (unsigned i = 0; i < 3; i++) {
		static const unsigned options[3][2] = { { 2, 5 }, { 9, 2 }, { 14, 4 } };

		put_section(&bytes, false);
		start = block_begin(&bytes, 1);
		put_zeros(&bytes, 8);
		put_u16(&bytes, options[i][0]);
		put_u16(&bytes, options[i][1]);
		put_u32(&bytes, 0);
		block_end(&bytes, start);
		expect_broken(&bytes, start, i == 0 ? "beyond its block" : "octet");
		bytes_fini(&bytes);
	}
	/* a second section without magic, or of another version */
	put_section(&bytes, false);
	put_section(&bytes, false);
	overwrite_u32(&bytes, 36, 0x11111111);
	expect_broken(&bytes, 28, "magic");
	overwrite_u32(&bytes, 36, 0x1a2b3c4d);
	overwrite_u32(&bytes, 40, 2);
	expect_broken(&bytes, 28, "version 2");
	bytes_fini(&bytes);
}

static void test_pcapng_interface_limit(void **state)
{
	struct bytes bytes = { 0 };
	struct capture_record record;
	struct capture *capture;
	size_t start;

	(void)state;
	put_section(&bytes, false);
	for (int i = 0; i < CAPTURE_INTERFACE_MAX; i++)
		put_interface(&bytes, (unsigned)i, 0, -1, 0);
	start = bytes.length;
	put_enhanced(&bytes, CAPTURE_INTERFACE_MAX - 1, 1, 1, 1, "x");
	capture = open_bytes(&bytes);
	for (int i = 0; i <= CAPTURE_INTERFACE_MAX; i++)
		expect_kind(capture, &record, CAPTURE_OTHER);
	expect_packet(capture, "x", 1, CAPTURE_INTERFACE_MAX - 1, 1000);
	capture_close(capture);
	bytes.length = start;
	put_interface(&bytes, 1, 0, -1, 0);
	expect_broken(&bytes, start, "more interfaces");
	bytes_fini(&bytes);
}

/* Naive twin of the time conversion: long arithmetic on decimal digits, lowest first. */
#define DIGITS 64

static void digits_from(uint8_t digits[DIGITS], uint64_t value)
{
	for (int i = 0; i < DIGITS; i++) {
		digits[i] = (uint8_t)(value % 10);
		value /= 10;
	}
}

static void digits_shift(uint8_t digits[DIGITS], int places) /* times 10^places, rounded down */
{
	uint8_t old[DIGITS];

	memcpy(old, digits, sizeof(old));
	for (int i = 0; i < DIGITS; i++) {
		int from = i - places;

		digits[i] = from >= 0 && from < DIGITS ? old[from] : 0;
	}
}

static void digits_halve(uint8_t digits[DIGITS])
{
	int rest = 0;

	for (int i = DIGITS - 1; i >= 0; i--) {
		int value = rest * 10 + digits[i];

		digits[i] = (uint8_t)(value / 2);
		rest = value % 2;
	}
}

static int64_t naive_ns(uint64_t ticks, uint8_t resolution, int64_t offset)
{
	__extension__ __int128 ns = 0;
	uint8_t digits[DIGITS];

	digits_from(digits, ticks);
	digits_shift(digits, 9);
	if (resolution & 0x80)
		for (int i = 0; i < (resolution & 0x7f); i++)
			digits_halve(digits);
	else
		digits_shift(digits, -resolution);
	for (int i = DIGITS - 1; i >= 0; i--)
		ns = ns * 10 + digits[i];
	for (int i = 0; i < 1000; i++) /* offset times 10^9, the long way */
		ns += (__extension__(__int128) offset) * 1000000;
	return ns > INT64_MAX ? INT64_MAX : ns < INT64_MIN ? INT64_MIN : (int64_t)ns;
}

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void test_time_against_twin(void **state)
{
	static const int64_t offsets[] = { 0, 1, -1, 3600, -1741599912, 9223372036, -9223372036, INT64_MAX, INT64_MIN };
	uint64_t seed = 20250310;

	(void)state;
	for (int resolution = 0; resolution < 256; resolution++) {
		for (int i = 0; i < 60; i++) {
			struct bytes bytes = { 0 };
			int64_t offset = i < 9    ? offsets[i]
			                 : i < 30 ? 0
			                          : (int64_t)random_next(&seed) >> random_next(&seed) % 64;
			uint64_t ticks = i % 10 == 0 ? UINT64_MAX : random_next(&seed) >> random_next(&seed) % 64;
			struct capture_record record;
			struct capture *capture;

			put_section(&bytes, i % 2);
			put_interface(&bytes, 1, 0, resolution, offset);
			put_enhanced(&bytes, 0, ticks, 1, 1, "x");
			capture = open_bytes(&bytes);
			expect_kind(capture, &record, CAPTURE_OTHER);
			expect_kind(capture, &record, CAPTURE_OTHER);
			expect_packet(capture, "x", 1, 1, naive_ns(ticks, (uint8_t)resolution, offset));
			capture_close(capture);
			bytes_fini(&bytes);
		}
	}
}

/* Opening */

static void expect_refused(const char *path, const char *words)
{
	char error[CAPTURE_ERROR_SIZE] = "";
	struct capture *capture = capture_open(path, error);

	assert_null(capture);
	if (!strstr(error, words) || strchr(error, '\n'))
		fail_msg("%s: \"%s\"; expected \"%s\"", path, error, words);
}

static void expect_octets_refused(const void *data, size_t length, const char *words)
{
	char path[] = "/tmp/test_capture.XXXXXX", error[CAPTURE_ERROR_SIZE] = "";
	int descriptor = mkstemp(path);

	assert_true(descriptor >= 0);
	assert_true(write(descriptor, data, length) == (ssize_t)length);
	(void)close(descriptor);
	expect_refused(path, words);
	(void)unlink(path);
	assert_null(capture_open_memory(data, length, error));
	assert_non_null(strstr(error, words));
}

static void test_open_refuses(void **state)
{
	struct bytes bytes = { 0 };

	(void)state;
	expect_refused("/nonexistent/file", "No such file");
	expect_refused("/tmp", "a directory");
	expect_refused("/dev/null", "empty");
	expect_octets_refused("", 0, "empty");
	expect_octets_refused("GET / HTTP/1.1\r\n\r\n", 18, "text, not a capture");
	expect_octets_refused("a", 1, "text");
	expect_octets_refused("\1\2", 2, "too short");
	expect_octets_refused("\x1f\x8b\x08", 3, "ends at offset 3: too short for a capture");
	expect_octets_refused("\177ELF\2\1\1", 7, "neither pcap nor pcapng: begins with 7f 45 4c 46");
	expect_octets_refused("\x1f\x8b\x08\0\0", 5, "the gzip data end too early, at their offset 5");
	expect_octets_refused("\x1f\x8b\x01\0\0", 5, "the gzip data are corrupt (unknown compression method)");
	expect_octets_refused("\x28\xb5\x2f\xfd\0", 5, "the zstd data end too early, at their offset 5");
	expect_octets_refused("\x28\xb5\x2f\xfd\0\x90\1\0\0", 9, "the zstd data need a window of more than 128 MiB");
	expect_octets_refused("\x50\x2a\x4d\x18\3\0\0\0abc", 11, "empty");
	expect_octets_refused("BZh9", 4, "bzip2");

	put_pcap_header(&bytes, 0xa1b2c3d4, 5, 1);
	expect_octets_refused(bytes.data, bytes.length, "offset 4: pcap version 2.5");
	expect_octets_refused(bytes.data, 23, "cut off at offset 23");
	bytes_fini(&bytes);
	put_section(&bytes, true);
	expect_octets_refused(bytes.data, 27, "cut off at offset 27");
	overwrite_u32(&bytes, 12, 0x00020000);
	expect_octets_refused(bytes.data, bytes.length, "pcapng version 2");
	overwrite_u32(&bytes, 8, 0x1a2b3c4e);
	expect_octets_refused(bytes.data, bytes.length, "byte-order magic");
	overwrite_u32(&bytes, 8, 0x1a2b3c4d);
	overwrite_u32(&bytes, 4, 24);
	expect_octets_refused(bytes.data, bytes.length, "offset 4: the section header claims 24 octets");
	bytes_fini(&bytes);
}

static void test_open_unreadable(void **state)
{
	char path[] = "/tmp/test_capture.XXXXXX";
	int descriptor = mkstemp(path);

	(void)state;
	assert_true(descriptor >= 0);
	(void)close(descriptor);
	(void)chmod(path, 0);
	if (access(path, R_OK) == 0) { /* root reads everything */
		(void)unlink(path);
		skip();
	}
	expect_refused(path, "Permission denied");
	(void)unlink(path);
}

/* Through a pipe */

struct feed {
	int descriptor;
	const uint8_t *data;
	size_t length;
	uint64_t seed; /* 0: as much as the pipe takes */
};

static void *feed_run(void *argument)
{
	struct feed *feed = argument;
	size_t done = 0;

	while (done < feed->length) {
		size_t length = feed->length - done;
		ssize_t wrote;

		if (feed->seed != 0) {
			size_t some = 1 + (size_t)(random_next(&feed->seed) % 3000);

			length = some < length ? some : length;
		}
		wrote = write(feed->descriptor, feed->data + done, length);
		if (wrote < 0)
			break; /* the reader has gone: it found the input broken */
		done += (size_t)wrote;
	}
	(void)close(feed->descriptor);
	return NULL;
}

static bool records_equal(const struct capture_record *a, const struct capture_record *b)
{
	if (a->raw_length != b->raw_length || a->offset != b->offset || a->captured != b->captured ||
	    a->original != b->original || a->link_type != b->link_type || a->time.ns != b->time.ns ||
	    a->has_time != b->has_time || !a->data != !b->data || !a->raw != !b->raw)
		return false;
	if (a->raw && b->raw && memcmp(a->raw, b->raw, a->raw_length) != 0)
		return false;
	return !a->data || !b->data || memcmp(a->data, b->data, a->captured) == 0;
}

enum feed_by { FEED_PATH, FEED_STANDARD_INPUT, FEED_NON_BLOCKING };

/* The same octets by pipe and by memory: the same records, the same errors. */
static void compare_pipe(const uint8_t *data, size_t length, uint64_t seed, enum feed_by by)
{
	char error[2][CAPTURE_ERROR_SIZE] = { "", "" }, path[32] = "-";
	struct capture_record record[2];
	struct capture *capture[2];
	enum capture_kind kind[2];
	struct feed feed;
	pthread_t thread;
	int ends[2], saved = -1;

	assert_int_equal(pipe(ends), 0);
	feed = (struct feed){ ends[1], data, length, seed };
	assert_int_equal(pthread_create(&thread, NULL, feed_run, &feed), 0);
	if (by == FEED_PATH) {
		(void)snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	} else {
		saved = dup(STDIN_FILENO);
		assert_true(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
		if (by == FEED_NON_BLOCKING)
			assert_int_equal(fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK), 0);
	}
	capture[0] = capture_open_memory(data, length, error[0]);
	capture[1] = capture_open(path, error[1]);
	assert_string_equal(error[0], error[1]);
	assert_true(!capture[0] == !capture[1]);
	if (capture[0]) {
		do {
			kind[0] = capture_next(capture[0], &record[0]);
			kind[1] = capture_next(capture[1], &record[1]);
			if (kind[0] != kind[1] || !records_equal(&record[0], &record[1]))
				fail_msg("offset %" PRIu64 ": pipe and memory differ", record[0].offset);
			/* What is packed is read ahead of what is handed out. */
			if (unpack_recognise(data) == UNPACK_NONE)
				assert_true(capture_position(capture[0]) == capture_position(capture[1]));
			assert_true(capture_size(capture[1]) == 0);
		} while (kind[0] != CAPTURE_END);
		assert_string_equal(capture_error(capture[0]), capture_error(capture[1]));
	}
	capture_close(capture[0]);
	capture_close(capture[1]);
	if (by != FEED_PATH) {
		if (saved >= 0) {
			(void)dup2(saved, STDIN_FILENO);
			(void)close(saved);
		} else {
			(void)close(STDIN_FILENO);
		}
	}
	(void)close(ends[0]);
	(void)pthread_join(thread, NULL);
}

/* Records from nothing to the most that is believed, in both formats. */
static void test_pipe_equals_memory(void **state)
{
	static const uint32_t large[] = { 262144, 100, 262145, 1 << 20, 3 << 20, 0, CAPTURE_RECORD_MAX, 5, 300000 };
	uint64_t seed = 4;
	struct bytes bytes = { 0 };

	(void)state;
	put_pcap_header(&bytes, 0xa1b2c3d4, 4, 1);
	for (int i = 0; i < 3000; i++) {
		uint32_t length = (uint32_t)(random_next(&seed) % 1500);

		put_pcap_record(&bytes, (uint32_t[]){ (uint32_t)i, 0, length, length }, 0, "");
		while (length-- > 0)
			put_number(&bytes, random_next(&seed), 1);
	}
	compare_pipe(bytes.data, bytes.length, 0, FEED_PATH);
	compare_pipe(bytes.data, bytes.length, 7, FEED_PATH);
	compare_pipe(bytes.data, bytes.length, 0, FEED_STANDARD_INPUT);
	compare_pipe(bytes.data, bytes.length, 8, FEED_NON_BLOCKING);
	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
		put_pcap_record(&bytes, (uint32_t[]){ 1, 0, large[i], large[i] }, 0, "");
		for (uint32_t j = 0; j < large[i] / 4; j++)
			put_u32(&bytes, j * 2654435761u);
		put_zeros(&bytes, large[i] % 4);
	}
	compare_pipe(bytes.data, bytes.length, 0, FEED_PATH);
	compare_pipe(bytes.data, bytes.length - 200000, 0, FEED_PATH); /* cut */
	put_pcap_record(&bytes, (uint32_t[]){ 1, 0, UINT32_MAX, UINT32_MAX }, 0, "xyz");
	compare_pipe(bytes.data, bytes.length, 0, FEED_PATH); /* broken */
	bytes_fini(&bytes);

	for (int section = 0; section < 2; section++) {
		put_section(&bytes, section == 1);
		put_interface(&bytes, 1, 0, 9, 0);
		for (uint32_t i = 0; i < 3000; i++) {
			size_t start = block_begin(&bytes, 6);
			uint32_t length = (uint32_t)(random_next(&seed) % (i % 500 ? 1500 : 900000));

			put_zeros(&bytes, 8);
			put_u32(&bytes, i);
			put_u32(&bytes, length);
			put_u32(&bytes, length);
			while (length-- > 0)
				put_number(&bytes, length, 1);
			block_end(&bytes, start);
		}
	}
	compare_pipe(bytes.data, bytes.length, 0, FEED_PATH);
	compare_pipe(bytes.data, bytes.length, 9, FEED_PATH);
	compare_pipe((const uint8_t *)"text\n", 5, 0, FEED_PATH);
	bytes_fini(&bytes);
}

/* Packed */

enum packing { PACK_GZIP, PACK_ZSTD };

/* One member or frame. */
static void pack(struct bytes *packed, enum packing packing, const uint8_t *data, size_t length)
{
	size_t room = packing == PACK_GZIP ? compressBound(length) + 64 : ZSTD_compressBound(length);
	uint8_t *out = malloc(room);

	assert_non_null(out);
	if (packing == PACK_ZSTD) {
		room = ZSTD_compress(out, room, data, length, 3);
		assert_false(ZSTD_isError(room));
	} else {
		z_stream z = { .next_in = (uint8_t *)(uintptr_t)data, .avail_in = (uInt)length };

		z.next_out = out;
		z.avail_out = (uInt)room;
		assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		room = z.total_out;
		(void)deflateEnd(&z);
	}
	put(packed, out, room);
	free(out);
}

/* Compares what is packed with the same octets plain; returns the last kind of the packed one. */
static enum capture_kind compare_packed(const struct bytes *plain, const uint8_t *packed, size_t length, bool whole)
{
	char error[2][CAPTURE_ERROR_SIZE] = { "", "" };
	struct capture *one = capture_open_memory(plain->data, plain->length, error[0]);
	struct capture *other = capture_open_memory(packed, length, error[1]);
	struct capture_record record[2];
	enum capture_kind kind = CAPTURE_BROKEN, last = CAPTURE_BROKEN;

	assert_non_null(one);
	while (other) {
		kind = capture_next(other, &record[1]);
		assert_true(capture_position(other) <= length && capture_size(other) == length);
		if (kind == CAPTURE_END)
			break;
		last = kind;
		if (kind == CAPTURE_BROKEN) {
			assert_false(whole);
			assert_non_null(strstr(capture_error(other), " data "));
			assert_int_equal(capture_next(other, &record[1]), CAPTURE_END);
			break;
		}
		if (kind == CAPTURE_CUT) { /* what is missing begins with a member of its own */
			assert_false(whole);
			assert_true(record[1].offset + record[1].raw_length < plain->length);
			assert_memory_equal(record[1].raw, plain->data + record[1].offset, record[1].raw_length);
			break;
		}
		assert_int_equal(capture_next(one, &record[0]), kind);
		assert_true(records_equal(&record[0], &record[1]));
	}
	if (whole) {
		assert_non_null(other);
		assert_int_equal(capture_next(one, &record[0]), CAPTURE_END);
		assert_true(capture_position(other) == length);
	}
	capture_close(one);
	capture_close(other);
	return last;
}

static void put_many_packets(struct bytes *plain, bool ng)
{
	uint64_t seed = 11;

	if (ng) {
		put_section(plain, false);
		put_interface(plain, 1, 0, 9, 0);
	} else {
		put_pcap_header(plain, 0xa1b2c3d4, 4, 1);
	}
	for (uint32_t i = 0; i < 2000; i++) {
		char data[1500];
		size_t length = (size_t)(random_next(&seed) % (sizeof(data) - 1));

		for (size_t j = 0; j < length; j++)
			data[j] = (char)(1 + random_next(&seed) % (i % 2 ? 2 : 255));
		data[length] = '\0';
		if (ng)
			put_enhanced(plain, 0, i, (uint32_t)length, (uint32_t)length, data);
		else
			put_pcap_record(plain, (uint32_t[]){ i, 0, (uint32_t)length, (uint32_t)length }, 0, data);
	}
}

/* In one piece or in many, of any length, with what both formats allow between and behind them. */
static void test_packed_equals_plain(void **state)
{
	static const uint8_t skippable[] = { 0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c' };
	uint64_t seed = 12;

	(void)state;
	for (unsigned round = 0; round < 16; round++) {
		enum packing packing = round & 1 ? PACK_ZSTD : PACK_GZIP;
		struct bytes plain = { 0 }, packed = { 0 };

		put_many_packets(&plain, round & 2);
		if (packing == PACK_ZSTD && round & 4)
			put(&packed, skippable, sizeof(skippable));
		for (size_t at = 0, length; at < plain.length; at += length) {
			length = round & 8 ? (size_t)(random_next(&seed) % 40000) : plain.length;
			if (length > plain.length - at)
				length = plain.length - at;
			pack(&packed, packing, plain.data + at, length);
			if (packing == PACK_ZSTD && round & 4)
				put(&packed, skippable, sizeof(skippable));
		}
		if (packing == PACK_GZIP && round & 4)
			put_zeros(&packed, 1000);
		assert_true(compare_packed(&plain, packed.data, packed.length, true) == CAPTURE_PACKET);
		compare_pipe(packed.data, packed.length, round & 4 ? 5 : 0,
		             round & 8 ? FEED_PATH : FEED_STANDARD_INPUT);
		if (packing == PACK_GZIP || !(round & 4)) { /* behind a skippable frame, too */
			put(&packed, "rubbish", 7);
			assert_true(compare_packed(&plain, packed.data, packed.length, false) == CAPTURE_BROKEN);
		}
		bytes_fini(&plain);
		bytes_fini(&packed);
	}
}

/* To the end, whatever is wrong. Where there are checksums, what is not as it was ends with an error. */
static void walk_packed(const struct bytes *plain, const struct bytes *packed, bool checked)
{
	char error[CAPTURE_ERROR_SIZE] = "";
	struct capture *capture = capture_open_memory(packed->data, packed->length, error);
	struct capture_record record;
	enum capture_kind kind = CAPTURE_BROKEN, last = CAPTURE_BROKEN;
	bool same = true;
	uint64_t offset = 0;

	assert_true(capture || (error[0] != '\0' && !strchr(error, '\n')));
	while (capture && (kind = capture_next(capture, &record)) != CAPTURE_END) {
		last = kind;
		assert_true(record.offset == offset);
		offset += record.raw_length;
		assert_true(offset < 10 * plain->length);
		if (offset > plain->length ||
		    (record.raw_length > 0 && memcmp(record.raw, plain->data + record.offset, record.raw_length) != 0))
			same = false;
	}
	if (checked && (!same || offset != plain->length))
		assert_true(last == CAPTURE_BROKEN || last == CAPTURE_CUT);
	capture_close(capture);
}

/* Cut anywhere, or with one wrong octet: what comes before is the same, and the rest is an error, never silence. */
static void test_packed_broken(void **state)
{
	(void)state;
	for (unsigned packing = PACK_GZIP; packing <= PACK_ZSTD; packing++) {
		struct bytes plain = { 0 }, packed = { 0 };
		uint64_t seed = 13;
		size_t first;

		put_pcap_header(&plain, 0xa1b23c4d, 4, 1);
		for (uint32_t i = 0; i < 40; i++)
			put_pcap_record(&plain, (uint32_t[]){ i, i, 5, 60 }, 0,
			                (const char *[]){ "12345", "abcde" }[i % 3 == 0]);
		pack(&packed, packing, plain.data, plain.length / 2);
		first = packed.length;
		pack(&packed, packing, plain.data + plain.length / 2, plain.length - plain.length / 2);
		for (size_t length = 4; length < packed.length; length++) {
			uint8_t *copy = malloc(length); /* the sanitizer watches its end */

			assert_non_null(copy);
			memcpy(copy, packed.data, length);
			/* Between the two, there is nothing wrong with what is packed, but a record may be cut. */
			if (compare_packed(&plain, copy, length, false) != CAPTURE_BROKEN)
				assert_true(length == first);
			free(copy);
		}
		for (size_t i = 4; i < packed.length; i++) {
			uint8_t was = packed.data[i];

			packed.data[i] ^= (uint8_t)(1 + random_next(&seed) % 255);
			walk_packed(&plain, &packed, packing == PACK_GZIP);
			packed.data[i] = was;
		}
		bytes_fini(&plain);
		bytes_fini(&packed);
	}
}

/* A prefix of a capture gives a prefix of its packets, and unless it ends between records the last record is a cut. */
static void test_every_length(void **state)
{
	struct bytes captures[2] = { 0 };

	(void)state;
	put_pcap_header(&captures[0], 0xa1b23c4d, 4, 1);
	for (uint32_t i = 0; i < 8; i++) {
		if (i == 5)
			put_pcap_header(&captures[0], 0xa1b2c3d4, 4, 1);
		put_pcap_record(&captures[0], (uint32_t[]){ i, i, 5, 60 }, 0, "12345");
	}
	for (int section = 0; section < 2; section++) {
		put_section(&captures[1], section);
		put_interface(&captures[1], 1, 0, 6, 1);
		for (uint64_t i = 0; i < 4; i++)
			put_enhanced(&captures[1], 0, i, 5, 60, "12345");
	}
	for (int i = 0; i < 2; i++) {
		size_t packets = 0;

		for (size_t length = 0; length <= captures[i].length; length++) {
			enum capture_kind last;
			uint8_t *copy = malloc(length ? length : 1); /* the sanitizer watches its end */
			size_t got;

			assert_non_null(copy);
			memcpy(copy, captures[i].data, length);
			got = walk(copy, length, &last);
			assert_true(last != CAPTURE_BROKEN);
			assert_true(got == packets || got == packets + 1);
			assert_true(got == packets || last == CAPTURE_PACKET);
			packets = got;
			compare_pipe(copy, length, 0, FEED_PATH);
			free(copy);
		}
		assert_int_equal(packets, 8);
		bytes_fini(&captures[i]);
	}
}

/* Real captures, with libpcap as the oracle */

#define ORACLE_FILES_MAX 4096

static struct {
	char *paths[ORACLE_FILES_MAX];
	size_t count;
} found;

static struct {
	size_t files, packets, shortened, clean_ends, at_limit, we_go_on, neither;
} oracle;

static int find(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)ftw;
	if (type == FTW_F && found.count < ORACLE_FILES_MAX)
		found.paths[found.count++] = strdup(path);
	return 0;
}

/* Of these libpcap rewrites the octets of files in the other byte order, or numbers the type its own way. */
static bool rewrites_data(int dlt)
{
	return dlt == DLT_USB_LINUX || dlt == DLT_USB_LINUX_MMAPPED || dlt == DLT_NFLOG || dlt == DLT_PFLOG;
}

static bool link_type_agrees(uint32_t link_type, int dlt)
{
	if (link_type == 101)
		return dlt == DLT_RAW;
	/* 100 to 107 stand in files for what systems number differently in 11 to 49. */
	return (int)link_type == dlt || (link_type >= 100 && link_type <= 107 && dlt >= 11 && dlt < 50);
}

/* What libpcap cannot say to its callers, and we can: interfaces that differ, and a change of byte order. */
static bool oracle_is_at_its_limit(const char *message)
{
	return strstr(message, "of the first interface") || strstr(message, "different byte orders");
}

/*
 * In pcap the draft has unsigned numbers of 32 bits; libpcap takes the fraction as signed, and the seconds as signed or
 * not with the byte order. So where it says something negative, 2^32 units more will do too.
 */
static bool time_agrees(int64_t ours, int64_t seconds, int64_t fraction)
{
	__extension__ typedef __int128 wide;
	const wide wrap = (wide)1 << 32;
	wide theirs = (wide)seconds * NS_PER_S + fraction;

	for (int more = 0; more < (seconds < 0 ? 2 : 1); more++, theirs += wrap * NS_PER_S) {
		if (ours == (theirs > INT64_MAX ? INT64_MAX : theirs < INT64_MIN ? INT64_MIN : (int64_t)theirs))
			return true;
		if (fraction < 0 && (ours == theirs + wrap || ours == theirs + wrap * NS_PER_US))
			return true;
	}
	return false;
}

static void compare_file(const char *path)
{
	char error[CAPTURE_ERROR_SIZE] = "", oracle_error[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, oracle_error);
	struct capture *capture = capture_open(path, error);
	struct capture_record record;
	struct pcap_pkthdr *header;
	enum capture_kind kind = CAPTURE_OTHER;
	const uint8_t *data;
	int result;

	if (!pcap) {
		oracle.neither += !capture;
		if (capture)
			print_message("  %s: libpcap refuses (%s), we open it\n", path, oracle_error);
		capture_close(capture);
		return;
	}
	if (!capture)
		fail_msg("%s: libpcap opens it, we say: %s", path, error);
	oracle.files++;
	for (;;) {
		result = pcap_next_ex(pcap, &header, &data);
		do
			kind = capture_next(capture, &record);
		while (kind == CAPTURE_OTHER);
		if (result != 1)
			break;
		if (kind != CAPTURE_PACKET)
			fail_msg("%s: offset %" PRIu64 ": libpcap reads on, we do not: %s", path, record.offset,
			         capture_error(capture));
		oracle.packets++;
		/* A record longer than the file's snap length is whole with us; libpcap shortens it. */
		if (record.captured > (uint32_t)pcap_snapshot(pcap) && header->caplen == (uint32_t)pcap_snapshot(pcap))
			oracle.shortened++;
		else if (record.captured != header->caplen)
			fail_msg("%s: offset %" PRIu64 ": captured %u, libpcap %u", path, record.offset,
			         record.captured, header->caplen);
		if (record.original != (header->len > record.captured ? header->len : record.captured))
			fail_msg("%s: offset %" PRIu64 ": lengths %u/%u, libpcap %u/%u", path, record.offset,
			         record.captured, record.original, header->caplen, header->len);
		if (!rewrites_data(pcap_datalink(pcap)) && memcmp(record.data, data, header->caplen) != 0)
			fail_msg("%s: offset %" PRIu64 ": data differ", path, record.offset);
		if (!link_type_agrees(record.link_type, pcap_datalink(pcap)))
			fail_msg("%s: link type %u, libpcap %d", path, record.link_type, pcap_datalink(pcap));
		if (record.has_time && !time_agrees(record.time.ns, header->ts.tv_sec, header->ts.tv_usec))
			fail_msg("%s: offset %" PRIu64 ": time %" PRId64 ", libpcap %lld.%09lld", path, record.offset,
			         record.time.ns, (long long)header->ts.tv_sec, (long long)header->ts.tv_usec);
	}
	if (result == PCAP_ERROR_BREAK) { /* a clean end of file */
		if (kind != CAPTURE_END)
			fail_msg("%s: offset %" PRIu64 ": libpcap is at the end, we are not", path, record.offset);
		oracle.clean_ends++;
	} else if (oracle_is_at_its_limit(pcap_geterr(pcap))) {
		oracle.at_limit++;
	} else if (kind == CAPTURE_PACKET) {
		oracle.we_go_on++;
		print_message("  %s: offset %" PRIu64 ": we read on where libpcap says: %s\n", path, record.offset,
		              pcap_geterr(pcap));
	} else if (kind == CAPTURE_END) {
		fail_msg("%s: libpcap says \"%s\", we see a clean end", path, pcap_geterr(pcap));
	} else {
		bool cut = strstr(pcap_geterr(pcap), "truncated") != NULL;

		if (cut != (kind == CAPTURE_CUT))
			print_message("  %s: libpcap: %s; we: %s\n", path, pcap_geterr(pcap), capture_error(capture));
	}
	pcap_close(pcap);
	capture_close(capture);
}

static uint8_t *read_whole(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	struct stat status;
	uint8_t *data;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	*length = (size_t)status.st_size;
	data = malloc(*length ? *length : 1);
	assert_non_null(data);
	assert_true(fread(data, 1, *length, file) == *length);
	(void)fclose(file);
	return data;
}

static void test_real_captures(void **state)
{
	const char *root = getenv("HOLDFAST_DATA");

	(void)state;
	(void)nftw(root ? root : "../shared/data", find, 16, FTW_PHYS);
	if (found.count == 0) {
		print_message("  no real captures here; set HOLDFAST_DATA\n");
		skip();
	}
	for (size_t i = 0; i < found.count; i++) {
		size_t length;
		uint8_t *data = read_whole(found.paths[i], &length);
		enum capture_kind last;

		(void)walk(data, length, &last);
		compare_pipe(data, length, 0, FEED_PATH);
		free(data);
		compare_file(found.paths[i]);
		free(found.paths[i]);
	}
	print_message("  %zu files, %zu packets as libpcap reads them (%zu it shortens)\n", oracle.files,
	              oracle.packets, oracle.shortened);
	print_message(
		"  %zu end clean, %zu at a limit of its own, %zu where we read further; %zu files neither opens\n",
		oracle.clean_ends, oracle.at_limit, oracle.we_go_on, oracle.neither);
	assert_true(oracle.files > 0 && oracle.packets > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcap_variants),          cmocka_unit_test(test_pcap_old_versions),
		cmocka_unit_test(test_pcap_behind_each_other), cmocka_unit_test(test_pcap_lengths),
		cmocka_unit_test(test_pcapng_sections),        cmocka_unit_test(test_pcapng_simple_has_no_time),
		cmocka_unit_test(test_pcapng_broken),          cmocka_unit_test(test_pcapng_interface_limit),
		cmocka_unit_test(test_time_against_twin),      cmocka_unit_test(test_open_refuses),
		cmocka_unit_test(test_open_unreadable),        cmocka_unit_test(test_pipe_equals_memory),
		cmocka_unit_test(test_packed_equals_plain),    cmocka_unit_test(test_packed_broken),
		cmocka_unit_test(test_every_length),           cmocka_unit_test(test_real_captures),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* a reader may stop early */
	return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
