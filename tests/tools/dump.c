/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump BATCH FILE...: what the reader and the decoder make of capture files, for another decoder to be held against.
 *
 * Prints a table with a heading, a line a packet: file (its number among the arguments, from 0), packet (its number in
 * that file, from 1), link type, octets kept and on the wire, the decoder's result, then struct observation field by
 * field. Where decode_hits_target() says no, those are zero. The same packets in the same order are written into BATCH,
 * one pcapng with an interface for each link type, so that the other decoder starts once and not a thousand times;
 * their times are their numbers. Only link types that decode.h names are in either, and no packet longer than other
 * readers take. What was left out, and what could not be read to its end, is said in lines that begin with '#'.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "observe/capture.h"
#include "observe/decode.h"

#define PACKET_LONGEST 262144u /* of Wireshark's reader */

static const uint16_t link_types[] = { 0, 1, 9, 12, 14, 101, 108, 113, 228, 229, 276 };
#define LINK_TYPES (sizeof(link_types) / sizeof(link_types[0]))

enum kind { ADDRESS, NUMBER, OPTIONS, PAYLOAD };

/* clang-format off */
#define COLUMN(f, kind) { #f, kind, offsetof(struct observation, f), sizeof(((struct observation *)0)->f) }

static const struct column {
	const char *name;
	enum kind kind;
	size_t at, size;
} columns[] = {
	COLUMN(flags, NUMBER),
	COLUMN(src, ADDRESS),
	COLUMN(dst, ADDRESS),
	COLUMN(length, NUMBER),
	COLUMN(protocol, NUMBER),
	COLUMN(ttl, NUMBER),
	COLUMN(ip_id, NUMBER),
	COLUMN(fragment_offset, NUMBER),
	COLUMN(src_port, NUMBER),
	COLUMN(dst_port, NUMBER),
	COLUMN(icmp_type, NUMBER),
	COLUMN(icmp_code, NUMBER),
	COLUMN(payload_length, NUMBER),
	COLUMN(payload, PAYLOAD),
	COLUMN(tcp.seq, NUMBER),
	COLUMN(tcp.ack, NUMBER),
	COLUMN(tcp.flags, NUMBER),
	COLUMN(tcp.window, NUMBER),
	COLUMN(tcp.options, OPTIONS),
	COLUMN(tcp.mss, NUMBER),
	COLUMN(tcp.wscale, NUMBER),
	COLUMN(tcp.tsval, NUMBER),
	COLUMN(outer.src, ADDRESS),
	COLUMN(outer.dst, ADDRESS),
	COLUMN(outer.length, NUMBER),
	COLUMN(outer.protocol, NUMBER),
	COLUMN(outer.ttl, NUMBER),
	COLUMN(outer.ip_id, NUMBER),
	COLUMN(quote.src, ADDRESS),
	COLUMN(quote.dst, ADDRESS),
	COLUMN(quote.protocol, NUMBER),
	COLUMN(quote.src_port, NUMBER),
	COLUMN(quote.dst_port, NUMBER),
};
/* clang-format on */

static uint64_t number_at(const uint8_t *at, size_t size)
{
	uint64_t wide = 0;

	memcpy(&wide, at, size); /* the machine is little-endian, or the comparison says so loudly */
	return wide;
}

static void print_field(const struct column *column, const struct observation *o)
{
	const uint8_t *at = (const uint8_t *)o + column->at;
	char text[ADDRESS_TEXT_SIZE];

	(void)putchar('\t');
	switch (column->kind) {
	case ADDRESS:
		(void)fputs(address_format((const struct address *)(const void *)at, text), stdout);
		break;
	case NUMBER:
		(void)printf("%" PRIu64, number_at(at, column->size));
		break;
	case OPTIONS: /* in their order, a digit each */
		for (uint64_t left = o->tcp.options; left; left >>= 4)
			(void)printf("%" PRIx64, left & 15);
		break;
	case PAYLOAD:
		for (size_t i = 0; i < o->payload_kept; i++)
			(void)printf("%02x", o->payload[i]);
		break;
	}
}

static void put(FILE *file, const void *octets, size_t length)
{
	if (fwrite(octets, 1, length, file) != length) {
		perror("dump: batch");
		exit(1);
	}
}

/* pcapng in the machine's byte order: a section, its interfaces. */
static void write_start(FILE *batch)
{
	const uint32_t section[7] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX, 28 };

	put(batch, section, sizeof(section));
	for (size_t i = 0; i < LINK_TYPES; i++) {
		const uint32_t interface[5] = { 1, 20, link_types[i], PACKET_LONGEST, 20 };

		put(batch, interface, sizeof(interface));
	}
}

static void write_packet(FILE *batch, uint32_t interface, uint64_t number, const struct capture_record *record)
{
	static const uint8_t padding[4];
	uint32_t padded = (record->captured + 3) & ~3u, length = 32 + padded;
	const uint32_t head[7] = {
		6, length, interface, (uint32_t)(number >> 32), (uint32_t)number, record->captured, record->original
	};

	put(batch, head, sizeof(head));
	put(batch, record->data, record->captured);
	put(batch, padding, padded - record->captured);
	put(batch, &length, sizeof(length));
}

/* Which of link_types[], or LINK_TYPES. */
static uint32_t interface_of(const struct capture_record *record)
{
	uint32_t i = 0;

	while (i < LINK_TYPES && link_types[i] != record->link_type)
		i++;
	return i;
}

static void dump(const char *path, int file, FILE *batch)
{
	static const struct observation nothing;
	static uint64_t number;
	char error[CAPTURE_ERROR_SIZE];
	struct capture *capture = capture_open(path, error);
	struct capture_record record;
	enum capture_kind kind;
	uint64_t packet = 0, unknown = 0, longer = 0;

	if (!capture) {
		(void)printf("#unread\t%d\t%s\n", file, error);
		return;
	}
	while ((kind = capture_next(capture, &record)) == CAPTURE_PACKET || kind == CAPTURE_OTHER) {
		uint32_t interface = interface_of(&record);
		struct observation o;
		enum decode_result result;

		if (kind == CAPTURE_OTHER)
			continue;
		packet++;
		if (interface == LINK_TYPES) {
			unknown++;
			continue;
		}
		if (record.captured > PACKET_LONGEST) {
			longer++;
			continue;
		}
		write_packet(batch, interface, number++, &record);
		result = decode_frame(record.link_type, record.data, record.captured, record.original, &o);
		(void)printf("%d\t%" PRIu64 "\t%" PRIu32 "\t%" PRIu32 "\t%" PRIu32 "\t%s", file, packet,
		             record.link_type, record.captured, record.original, decode_result_name(result));
		for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
			print_field(&columns[i], decode_hits_target(result) ? &o : &nothing);
		(void)putchar('\n');
	}
	if (kind != CAPTURE_END)
		(void)printf("#cut\t%d\t%s\n", file, capture_error(capture));
	if (unknown)
		(void)printf("#link\t%d\t%" PRIu64 "\n", file, unknown);
	if (longer)
		(void)printf("#long\t%d\t%" PRIu64 "\n", file, longer);
	capture_close(capture);
}

int main(int argc, char **argv)
{
	FILE *batch;

	if (argc < 3) {
		(void)fputs("usage: dump BATCH FILE...\n", stderr);
		return 2;
	}
	batch = fopen(argv[1], "wb");
	if (!batch) {
		perror("dump: batch");
		return 1;
	}
	write_start(batch);
	(void)fputs("file\tpacket\tlink\tcaptured\toriginal\tresult", stdout);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		(void)printf("\t%s", columns[i].name);
	(void)putchar('\n');
	for (int i = 2; i < argc; i++)
		dump(argv[i], i - 2, batch);
	if (fclose(batch) || fflush(stdout)) {
		perror("dump");
		return 1;
	}
	return 0;
}
