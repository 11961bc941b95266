/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd SHAPE PACKETS [SEED]: writes to standard output a pcap of so many packets, each from another source, in
 * constant memory. What is measured with it is memory: nothing here may repeat, so that every table is asked for a new
 * entry by every packet.
 *
 * Half of the packets are IPv6, half of either TCP SYNs, half UDP. The number-th source is a permutation of the
 * numbers, keyed by the seed, so none comes twice; of IPv4 those are left out that nobody can have. What is hit:
 *
 *     one       one address of either family
 *     carpet    a /20, a /52: each address in turn
 *     internet  any address at all: no two packets share anything
 *     ports     one address of either family, on ever other ports: none of a conversation comes twice
 *
 * Permutation: a Feistel network of four rounds (Luby and Rackoff 1988) over 32 or 64 bits; round function
 * MurmurHash3's finalizer.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pcap.h"

#define PACKETS_A_SECOND 200000u
#define START_S 1741599912u
#define ROUNDS 4
#define TCP 6
#define UDP 17
#define SYN_LENGTH 20
#define UDP_LENGTH 40 /* 32 octets of payload */

enum shape { SHAPE_ONE, SHAPE_CARPET, SHAPE_INTERNET, SHAPE_PORTS, SHAPES };

static const char *const shapes[SHAPES] = { "one", "carpet", "internet", "ports" };

static uint64_t key;

static uint32_t mix(uint32_t value)
{
	value ^= value >> 16;
	value *= 0x85ebca6bu;
	value ^= value >> 13;
	value *= 0xc2b2ae35u;
	return value ^ value >> 16;
}

/* Of numbers of 2 * half bits; none comes out twice. `what` makes another permutation of it. */
static uint64_t permute(uint64_t number, unsigned half, uint32_t what)
{
	uint64_t mask = (UINT64_C(1) << half) - 1, left = number >> half & mask, right = number & mask;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint64_t mixed = mix((uint32_t)right ^ mix((uint32_t)(key >> 32) ^ what) ^ mix((uint32_t)key + round));
		uint64_t next = left ^ (mixed & mask);

		left = right;
		right = next;
	}
	return left << half | right;
}

static void put64(uint8_t *at, uint64_t value)
{
	put32(at, (uint32_t)(value >> 32));
	put32(at + 4, (uint32_t)value);
}

static bool anybodys(uint32_t ipv4)
{
	uint32_t first = ipv4 >> 24;

	return first != 0 && first != 10 && first != 127 && first < 224;
}

/* The next address that somebody can have. */
static uint32_t ipv4_next(uint32_t *next, uint32_t what)
{
	uint32_t address;

	do
		address = (uint32_t)permute((*next)++, 16, what);
	while (!anybodys(address));
	return address;
}

static uint32_t ipv4_target(enum shape shape, uint64_t number)
{
	static uint32_t next;

	switch (shape) {
	case SHAPE_CARPET:
		return 0xc6336000u | (uint32_t)(number / 4 % 4096); /* 198.51.96.0/20 */
	case SHAPE_INTERNET:
		return ipv4_next(&next, 2);
	case SHAPE_ONE:
	case SHAPE_PORTS:
	case SHAPES:
		break;
	}
	return 0xc6336401u; /* 198.51.100.1 */
}

static void ipv6_target(enum shape shape, uint64_t number, uint8_t *at)
{
	put64(at, UINT64_C(0x20010db800010000));
	put64(at + 8, 1);
	if (shape == SHAPE_CARPET)
		put64(at, UINT64_C(0x20010db800010000) | (number / 4 % 4096));
	if (shape == SHAPE_INTERNET)
		put64(at, UINT64_C(0x2000000000000000) | permute(number, 32, 3) >> 3);
}

static size_t write_ip(enum shape shape, uint64_t number, bool ipv6, uint8_t protocol, uint32_t length, uint8_t *at)
{
	static uint32_t next_source;

	if (ipv6) {
		at[0] = 0x60;
		put16(at + 4, length);
		at[6] = protocol;
		at[7] = 57;
		put64(at + 8, UINT64_C(0x2000000000000000) | permute(number, 32, 4) >> 3);
		put64(at + 16, permute(number, 32, 5)); /* that is what sets apart what the line above may join */
		ipv6_target(shape, number, at + 24);
		return 40;
	}
	at[0] = 0x45;
	put16(at + 2, 20 + length);
	put16(at + 4, (uint32_t)number & 0xffff);
	at[8] = 57;
	at[9] = protocol;
	put32(at + 12, ipv4_next(&next_source, 1));
	put32(at + 16, ipv4_target(shape, number));
	return 20;
}

static void write_packet(enum shape shape, uint64_t number)
{
	uint8_t record[RECORD_HEADER + 40 + UDP_LENGTH] = { 0 }, *at = record + RECORD_HEADER;
	bool ipv6 = number & 1, udp = number & 2;
	uint32_t length = udp ? UDP_LENGTH : SYN_LENGTH;
	uint32_t ports = (uint32_t)permute(number / 4, 16, 6);

	put_host(record, START_S + (uint32_t)(number / PACKETS_A_SECOND));
	put_host(record + 4, (uint32_t)(number % PACKETS_A_SECOND * 1000000 / PACKETS_A_SECOND));
	at += write_ip(shape, number, ipv6, udp ? UDP : TCP, length, at);
	put16(at, ports >> 16 | 1024);
	put16(at + 2, shape == SHAPE_PORTS ? ports & 0xffff : udp ? 53 : 443);
	if (udp) {
		put16(at + 4, UDP_LENGTH);
		for (uint32_t i = 8; i < UDP_LENGTH; i += 8)
			put64(at + i, permute(number, 32, i));
	} else {
		put32(at + 4, mix((uint32_t)number));
		at[12] = 0x50;
		at[13] = 0x02;
		put16(at + 14, 64240);
	}
	at += length;
	put_host(record + 8, (uint32_t)(at - record - RECORD_HEADER));
	put_host(record + 12, (uint32_t)(at - record - RECORD_HEADER));
	(void)fwrite(record, 1, (size_t)(at - record), stdout);
}

int main(int argc, char **argv)
{
	enum shape shape = SHAPE_ONE;
	uint64_t packets;

	while (argc > 2 && shape < SHAPES && strcmp(argv[1], shapes[shape]) != 0)
		shape++;
	if (argc < 3 || argc > 4 || shape == SHAPES) {
		(void)fputs("usage: crowd one|carpet|internet|ports PACKETS [SEED]\n", stderr);
		return 2;
	}
	packets = strtoull(argv[2], NULL, 10);
	key = (argc > 3 ? strtoull(argv[3], NULL, 10) + 1 : 1) * UINT64_C(0x9e3779b97f4a7c15);
	write_file_header(101);
	for (uint64_t number = 0; number < packets && !ferror(stdout); number++)
		write_packet(shape, number);
	return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
