/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traffic SHAPE PACKETS SOURCES: writes to standard output a pcap of small packets from so many sources, each of which
 * comes again and again in no order. What is timed with it is what tables cost when they are looked up at random: a
 * source's number is a random draw, its address and port are a hash of that.
 *
 *     flood  SYNs to one address and port: 60 octets a frame, no payload
 *     many   half SYNs, half UDP with 16 random octets; each source keeps to one of 131,072 addresses in 198.18.0.0/15
 *
 * 500,000 packets a second of capture time. Random numbers: xorshift128+ (Vigna 2014), always from the same seed; hash:
 * MurmurHash3's finalizer.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/pcap.h"

#define PACKETS_A_SECOND 500000u
#define START_S 1741599912u
#define FRAME 60
#define ETHERNET 14
#define SYN_LENGTH 40
#define UDP_LENGTH 44
#define TCP 6
#define UDP 17

static uint64_t state[2] = { 0x0123456789abcdefu, 0xfedcba9876543210u };

static uint64_t draw(void)
{
	uint64_t a = state[0], b = state[1];

	state[0] = b;
	a ^= a << 23;
	state[1] = a ^ b ^ (a >> 18) ^ (b >> 5);
	return state[1] + b;
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdu;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53u;
	return x ^ x >> 33;
}

/* An address that somebody can have. */
static uint32_t source_of(uint64_t number)
{
	uint32_t address = (uint32_t)mix(2 * number + 1), first = address >> 24;

	return first == 0 || first == 10 || first == 127 || first >= 224 ? (address & 0x00ffffff) | 0x55000000
	                                                                 : address;
}

static void write_packet(bool many, uint64_t sources, uint64_t number)
{
	static const uint8_t ethernet[ETHERNET] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00 };
	uint8_t record[RECORD_HEADER + FRAME] = { 0 };
	uint8_t *ip = record + RECORD_HEADER + ETHERNET, *transport = ip + 20;
	uint64_t random = draw(), source = draw() % sources;
	bool udp = many && (source & 1);

	put_host(record, START_S + (uint32_t)(number / PACKETS_A_SECOND));
	put_host(record + 4, (uint32_t)(number % PACKETS_A_SECOND * 1000000 / PACKETS_A_SECOND));
	put_host(record + 8, FRAME);
	put_host(record + 12, FRAME);
	memcpy(record + RECORD_HEADER, ethernet, ETHERNET);
	ip[0] = 0x45;
	put16(ip + 2, udp ? UDP_LENGTH : SYN_LENGTH);
	put16(ip + 4, (uint32_t)random & 0xffff);
	ip[8] = (uint8_t)(40 + mix(source) % 64);
	ip[9] = udp ? UDP : TCP;
	put32(ip + 12, source_of(source));
	put32(ip + 16, many ? 0xc6120000u | ((uint32_t)mix(source) & 0x1ffff) : 0xc633640au);
	put16(transport, 1024 + (uint32_t)(mix(source + 7) % 60000));
	put16(transport + 2, udp ? 443 : 80);
	if (udp) {
		put16(transport + 4, UDP_LENGTH - 20);
		put32(transport + 8, (uint32_t)(random >> 32));
		put32(transport + 16, (uint32_t)(random >> 16));
	} else {
		put32(transport + 4, (uint32_t)(random >> 16));
		transport[12] = 0x50;
		transport[13] = 0x02;
		put16(transport + 14, (uint32_t)(random >> 48));
	}
	(void)fwrite(record, 1, sizeof(record), stdout);
}

int main(int argc, char **argv)
{
	bool many = argc > 1 && strcmp(argv[1], "many") == 0;
	uint64_t packets = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t sources = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;

	if (sources == 0 || (!many && strcmp(argv[1], "flood") != 0)) {
		(void)fputs("usage: traffic flood|many PACKETS SOURCES\n", stderr);
		return 2;
	}
	write_file_header(1);
	for (uint64_t number = 0; number < packets && !ferror(stdout); number++)
		write_packet(many, sources, number);
	return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
