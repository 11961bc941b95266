/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames of bench/drop, as the program that makes them in the kernel and the one that lists their sources see them.
 *
 * Source number `number` has an address of its own: below, `drop_permute()` is a bijection of 31 bits, and the
 * addresses are those from 64.0.0.0 to 191.255.255.255, with 199/8 in place of 127/8. Numbers one after the other are
 * thus strewn over the address space as forged sources are, and numbers above those of a list are never in it. Over
 * IPv6 the 31 bits follow 2a00::/16, so that each source has its own /48, and stand once more at the end of the
 * address. None of these packets leaves the pair of interfaces that they are made for.
 */
#ifndef HOLDFAST_BENCH_DROP_H
#define HOLDFAST_BENCH_DROP_H

#define DROP_NUMBER_BITS 31
#define DROP_NUMBERS (1u << DROP_NUMBER_BITS)
#define DROP_NETWORK 0x2a00 /* of IPv6's sources, the first 16 bits */
#define DROP_IP6_FIRST 2    /* where in the address the number's bits are */
#define DROP_IP6_SECOND 12

/* Where a frame's fields begin: Ethernet without tags, headers without options. */
#define DROP_ETHERNET 14
#define DROP_IP4_SUM (DROP_ETHERNET + 10)
#define DROP_IP4_SOURCE (DROP_ETHERNET + 12)
#define DROP_IP6_SOURCE (DROP_ETHERNET + 8)
#define DROP_IP4_LENGTH 20
#define DROP_IP6_LENGTH 40
#define DROP_FRAME_MIN 60
#define DROP_FRAME_MAX 128

/*
 * How frames are made; the kernel's side has it read-only. Octets of `sum` are those of the header with a source of 0.
 */
struct drop_shape {
	__u32 interface; /* index of the interface that they leave by */
	__u32 first;     /* number of the first source */
	__u32 sources;   /* how many: each frame's is drawn from [first, first + sources) */
	__u32 sum;       /* one's complement sum of the IPv4 header without its source, not folded */
	__u32 ipv6;      /* 1: IPv6 */
};

static inline __u32 drop_permute(__u32 number)
{
	number = number * 0x2c1b3c6du & (DROP_NUMBERS - 1);
	number ^= number >> 15;
	number = number * 0x297a2d39u & (DROP_NUMBERS - 1);
	number ^= number >> 13;
	number = number * 0x31848bafu & (DROP_NUMBERS - 1);
	return number ^ number >> 16;
}

/* Host order. */
static inline __u32 drop_source(__u32 number)
{
	__u32 address = 0x40000000u + drop_permute(number);

	return address >> 24 == 127 ? address + (72u << 24) : address;
}

#endif
