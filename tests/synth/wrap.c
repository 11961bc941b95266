/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap.h"

#include <string.h>

#include "packet.h"

#define ETHERNET 14u
#define TAG 4u
#define EPHEMERAL 49152u

static const char *const names[] = {
	[WRAP_NONE] = "none",     [WRAP_ERSPAN] = "erspan", [WRAP_ERSPAN3] = "erspan3", [WRAP_VXLAN] = "vxlan",
	[WRAP_GENEVE] = "geneve", [WRAP_GTP] = "gtp",       [WRAP_MPLS] = "mpls",
};

bool wrap_find(const char *name, enum wrap *wrap)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0) {
			*wrap = (enum wrap)i;
			return true;
		}
	}
	return false;
}

/* Of one end: 10.255.255.1 to 10.255.255.2. */
static void put_ip(uint8_t *at, uint8_t proto, size_t len, uint32_t number)
{
	static const struct addr from = { .b = { 10, 255, 255, 1 } }, to = { .b = { 10, 255, 255, 2 } };

	packet_ip4(at, &from, &to, proto, len, 64, 0, (uint16_t)number, 0x4000);
}

static size_t put_erspan(uint8_t *at, bool third, uint32_t number)
{
	packet_be16(at, 0x1000); /* GRE with a sequence number */
	packet_be16(at + 2, third ? 0x22eb : 0x88be);
	packet_be32(at + 4, number);
	memset(at + 8, 0, 12);
	packet_be16(at + 8, third ? 0x2001 : 0x1001); /* version, VLAN */
	packet_be16(at + 10, 1);                      /* session */
	return third ? 20 : 16;
}

static size_t put_udp(uint8_t *at, uint16_t port, size_t carried, uint32_t number)
{
	packet_be16(at, port == 2152 ? 2152 : EPHEMERAL + number % 1024);
	packet_be16(at + 2, port);
	packet_be16(at + 4, (uint32_t)(8 + carried));
	packet_be16(at + 6, 0);
	return 8;
}

/* What is around `carried` octets, without IP. */
static size_t put_head(enum wrap wrap, uint32_t number, size_t carried, uint8_t *at)
{
	static const uint8_t vxlan[8] = { 8, [6] = 7 }, geneve[12] = { 1, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 3, 1, 0 };
	size_t n;

	switch (wrap) {
	case WRAP_ERSPAN:
	case WRAP_ERSPAN3:
		return put_erspan(at, wrap == WRAP_ERSPAN3, number);
	case WRAP_VXLAN:
		n = put_udp(at, 4789, sizeof(vxlan) + carried, number);
		memcpy(at + n, vxlan, sizeof(vxlan));
		return n + sizeof(vxlan);
	case WRAP_GENEVE:
		n = put_udp(at, 6081, sizeof(geneve) + carried, number);
		memcpy(at + n, geneve, sizeof(geneve));
		return n + sizeof(geneve);
	case WRAP_GTP:
		n = put_udp(at, 2152, 12 + carried, number);
		packet_be16(at + n, 0x32ff); /* version 1, with a sequence number, a user's packet */
		packet_be16(at + n + 2, (uint32_t)(4 + carried));
		packet_be32(at + n + 4, 0x1001);
		packet_be16(at + n + 8, number & 0xffff);
		packet_be16(at + n + 10, 0);
		return n + 12;
	case WRAP_NONE:
	case WRAP_MPLS:
		break;
	}
	return 0;
}

size_t wrap_frame(enum wrap wrap, uint32_t number, const uint8_t *frame, size_t len, uint8_t *out)
{
	static const uint8_t macs[12] = { 2, 0, 0x5e, 0x30, 0, 2, 2, 0, 0x5e, 0x30, 0, 1 };
	size_t n = ETHERNET, head;

	memcpy(out, macs, sizeof(macs));
	packet_be16(out + 12, wrap == WRAP_MPLS ? 0x8847 : 0x0800);
	if (wrap == WRAP_MPLS) {
		packet_be32(out + n, 0x00011140); /* label 17, the last */
		packet_be32(out + n + 4, number & 0xffff);
		n += 8;
	} else {
		if (wrap == WRAP_GTP) {
			frame += frame[12] == 0x81 && frame[13] == 0 ? ETHERNET + TAG : ETHERNET;
			len = (size_t)frame[2] << 8 | frame[3];
			if (frame[0] >> 4 == 6)
				len = 40 + ((size_t)frame[4] << 8 | frame[5]);
		}
		head = put_head(wrap, number, len, out + n + 20);
		put_ip(out + n, wrap == WRAP_ERSPAN || wrap == WRAP_ERSPAN3 ? PROTO_GRE : PROTO_UDP, head + len,
		       number);
		n += 20 + head;
	}
	memcpy(out + n, frame, len);
	return n + len;
}
