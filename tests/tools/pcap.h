/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pcap (draft-ietf-opsawg-pcap) on standard output, for what makes up packets by the million: its header, and numbers
 * as the wire has them.
 */
#ifndef HOLDFAST_TOOLS_PCAP_H
#define HOLDFAST_TOOLS_PCAP_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define RECORD_HEADER 16

static inline void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

/* pcap's numbers, in the byte order that its magic announces: this machine's. */
static inline void put_host(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

/* Of microseconds, version 2.4; `link_type` is a LINKTYPE of tcpdump.org's registry. */
static inline void write_file_header(uint32_t link_type)
{
	uint8_t header[24] = { 0 };

	put_host(header, 0xa1b2c3d4u);
	header[4 + (header[0] == 0xa1)] = 2;
	header[6 + (header[0] == 0xa1)] = 4;
	put_host(header + 16, 65535);
	put_host(header + 20, link_type);
	(void)fwrite(header, 1, sizeof(header), stdout);
}

#endif
