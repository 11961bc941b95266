/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter INTERFACE in|out [normal=PREFIX]... [ignore=PREFIX]...: counts IP packets at an interface in slots of 10 ms, by
 * whom they come from, until SIGTERM or SIGINT; then prints one JSON object. A pair of them, one before a shield and
 * one behind it, says when the shield began to act.
 *
 *     {"first": N, "lost": N, "normal": [N, …], "other": [N, …], "opening": [N, …]}
 *
 * first   the number of the first slot: wall time in units of 10 ms, the same for all meters of a machine
 * lost    packets that the kernel had no room for: where it is not zero, the rest says little
 * opening those of "normal" that are SYNs: a shield may answer them itself
 *
 * It stands behind XDP, but before netfilter's ingress: what that drops is counted here. Of each packet only the head
 * is copied, into a ring that is shared with the kernel, so that a flood costs little.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD 80 /* octets of a frame that are looked at */
#define BLOCK_OCTETS (1u << 18)
#define BLOCKS 16u
#define BLOCK_MS 20 /* after which a block that is not full is handed over */
#define SLOT_MS 10u
#define SLOTS_MAX 1000000u /* almost three hours */
#define PREFIXES_MAX 8u
#define VLAN_OCTETS 4u
/* Where the address of a packet stands behind its header, as TPACKET_ALIGN() would have it. */
#define HEADER_OCTETS ((sizeof(struct tpacket3_hdr) + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT * TPACKET_ALIGNMENT)

enum whose { WHOSE_NORMAL, WHOSE_OTHER, WHOSE_NOBODY };

enum { COUNT_NORMAL, COUNT_OTHER, COUNT_OPENING, COUNTS };

struct prefix {
	uint8_t address[16];
	unsigned octets; /* of the address: 4 or 16 */
	unsigned bits;
	enum whose whose;
};

struct meter {
	struct prefix prefixes[PREFIXES_MAX];
	unsigned prefix_count;
	bool outgoing;
	uint64_t first; /* slot; 0: none yet */
	size_t slots;   /* that are in use */
	uint32_t (*counts)[COUNTS];
};

static volatile sig_atomic_t is_over;

static void end(int signal)
{
	(void)signal;
	is_over = 1;
}

static bool is_in(const struct prefix *prefix, const uint8_t *address, unsigned octets)
{
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;

	if (prefix->octets != octets || memcmp(prefix->address, address, whole) != 0)
		return false;
	return rest == 0 || (prefix->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

/* `tcp` where there is a TCP header; NULL: there is none, or it is cut off. */
static bool opens(const uint8_t *tcp)
{
	return tcp && (tcp[13] & 0x17) == 0x02;
}

static enum whose whose(const struct meter *meter, const uint8_t *frame, size_t length, bool *is_opening)
{
	size_t at = 2 * ETH_ALEN, tcp;
	const uint8_t *source;
	unsigned octets;

	while (at + VLAN_OCTETS < length && frame[at] == 0x81 && frame[at + 1] == 0)
		at += VLAN_OCTETS;
	if (at + 2 + 40 > length)
		return WHOSE_NOBODY;
	if (frame[at] == 0x08 && frame[at + 1] == 0) {
		source = frame + at + 2 + 12;
		octets = 4;
		tcp = frame[at + 2 + 9] == IPPROTO_TCP ? at + 2 + (frame[at + 2] & 0xfu) * 4 : length;
	} else if (frame[at] == 0x86 && frame[at + 1] == 0xdd) {
		source = frame + at + 2 + 8;
		octets = 16;
		tcp = frame[at + 2 + 6] == IPPROTO_TCP ? at + 2 + 40 : length;
	} else {
		return WHOSE_NOBODY;
	}
	*is_opening = opens(tcp + 14 <= length ? frame + tcp : NULL);
	for (unsigned i = 0; i < meter->prefix_count; i++)
		if (is_in(&meter->prefixes[i], source, octets))
			return meter->prefixes[i].whose;
	return WHOSE_OTHER;
}

static void count(struct meter *meter, const struct tpacket3_hdr *packet)
{
	const struct sockaddr_ll *from = (const void *)((const uint8_t *)packet + HEADER_OCTETS);
	const uint8_t *frame = (const uint8_t *)packet + packet->tp_mac;
	uint64_t slot = (packet->tp_sec * UINT64_C(1000) + packet->tp_nsec / 1000000) / SLOT_MS;
	bool is_opening = false;
	enum whose who;

	if ((from->sll_pkttype == PACKET_OUTGOING) != meter->outgoing)
		return;
	who = whose(meter, frame, packet->tp_snaplen, &is_opening);
	if (who == WHOSE_NOBODY)
		return;
	if (meter->first == 0)
		meter->first = slot;
	/* Beyond the ends, where a clock was set meanwhile, is the nearest end. */
	slot = slot < meter->first ? 0 : slot - meter->first;
	slot = slot < SLOTS_MAX ? slot : SLOTS_MAX - 1;
	if (slot >= meter->slots)
		meter->slots = slot + 1;
	meter->counts[slot][who == WHOSE_NORMAL ? COUNT_NORMAL : COUNT_OTHER]++;
	if (who == WHOSE_NORMAL && is_opening)
		meter->counts[slot][COUNT_OPENING]++;
}

static void read_block(struct meter *meter, struct tpacket_block_desc *block)
{
	const uint8_t *at = (const uint8_t *)block + block->hdr.bh1.offset_to_first_pkt;

	for (uint32_t i = 0; i < block->hdr.bh1.num_pkts; i++) {
		const struct tpacket3_hdr *packet = (const void *)at;

		count(meter, packet);
		at += packet->tp_next_offset;
	}
	__atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
}

static void run(struct meter *meter, int fd, uint8_t *ring)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	unsigned next = 0;
	bool last = false;

	/* Once more after the end: what is in the ring then was before it. */
	for (;;) {
		struct tpacket_block_desc *block = (void *)(ring + (size_t)next * BLOCK_OCTETS);

		if (__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) {
			read_block(meter, block);
			next = (next + 1) % BLOCKS;
			continue;
		}
		if (last)
			return;
		if (is_over) {
			usleep(2 * BLOCK_MS * 1000);
			last = true;
			continue;
		}
		poll(&wait, 1, BLOCK_MS);
	}
}

static void print_counts(const struct meter *meter, const char *name, unsigned which)
{
	printf("\"%s\": [", name);
	for (size_t i = 0; i < meter->slots; i++)
		printf("%s%u", i ? "," : "", meter->counts[i][which]);
	printf("]");
}

static int print(const struct meter *meter, int fd)
{
	struct tpacket_stats_v3 stats = { 0 };
	socklen_t size = sizeof stats;

	if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size))
		return -errno;
	printf("{\"first\": %llu, \"lost\": %u, ", (unsigned long long)meter->first, stats.tp_drops);
	print_counts(meter, "normal", COUNT_NORMAL);
	printf(", ");
	print_counts(meter, "other", COUNT_OTHER);
	printf(", ");
	print_counts(meter, "opening", COUNT_OPENING);
	printf("}\n");
	return fflush(stdout) ? -errno : 0;
}

/* A socket with its ring, bound and counting. */
static int open_ring(const char *interface, int *fd_out, uint8_t **ring_out)
{
	/* Whatever it is, its head. */
	struct sock_filter heads[] = { { BPF_RET | BPF_K, 0, 0, HEAD } };
	const struct sock_fprog filter = { .len = 1, .filter = heads };
	const struct tpacket_req3 wanted = { .tp_block_size = BLOCK_OCTETS,
		                             .tp_block_nr = BLOCKS,
		                             .tp_frame_size = 2048,
		                             .tp_frame_nr = BLOCK_OCTETS / 2048 * BLOCKS,
		                             .tp_retire_blk_tov = BLOCK_MS };
	struct sockaddr_ll where = { .sll_family = AF_PACKET,
		                     .sll_protocol = htons(ETH_P_ALL),
		                     .sll_ifindex = (int)if_nametoindex(interface) };
	const int version = TPACKET_V3;
	void *ring;
	int fd, error;

	if (where.sll_ifindex == 0)
		return -errno;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) ||
	    setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) ||
	    setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &wanted, sizeof wanted))
		goto close;
	ring = mmap(NULL, (size_t)BLOCK_OCTETS * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		goto close;
	if (bind(fd, (const struct sockaddr *)&where, sizeof where))
		goto unmap;
	*fd_out = fd;
	*ring_out = ring;
	return 0;
unmap:
	error = errno;
	munmap(ring, (size_t)BLOCK_OCTETS * BLOCKS);
	errno = error;
close:
	error = -errno;
	close(fd);
	return error;
}

static bool parse_prefix(const char *text, enum whose who, struct prefix *out)
{
	char address[64], *slash, *rest;
	unsigned long bits;

	if (strlen(text) >= sizeof address)
		return false;
	strcpy(address, text);
	slash = strchr(address, '/');
	if (!slash)
		return false;
	*slash = '\0';
	*out = (struct prefix){ .octets = strchr(address, ':') ? 16 : 4, .whose = who };
	bits = strtoul(slash + 1, &rest, 10);
	if (rest == slash + 1 || *rest || bits > out->octets * 8)
		return false;
	out->bits = (unsigned)bits;
	return inet_pton(out->octets == 16 ? AF_INET6 : AF_INET, address, out->address) == 1;
}

static bool parse(int count, char **words, struct meter *out)
{
	*out = (struct meter){ .outgoing = count > 2 && strcmp(words[2], "out") == 0 };
	if (count < 3 || (!out->outgoing && strcmp(words[2], "in") != 0))
		return false;
	for (int i = 3; i < count; i++) {
		struct prefix *prefix = &out->prefixes[out->prefix_count];

		if (out->prefix_count == PREFIXES_MAX)
			return false;
		if (!(strncmp(words[i], "normal=", 7) == 0 && parse_prefix(words[i] + 7, WHOSE_NORMAL, prefix)) &&
		    !(strncmp(words[i], "ignore=", 7) == 0 && parse_prefix(words[i] + 7, WHOSE_NOBODY, prefix)))
			return false;
		out->prefix_count++;
	}
	return true;
}

int main(int count, char **words)
{
	struct meter meter;
	uint8_t *ring = NULL;
	int fd = -1, error;

	if (!parse(count, words, &meter)) {
		fprintf(stderr, "usage: meter INTERFACE in|out [normal=PREFIX]... [ignore=PREFIX]...\n");
		return 2;
	}
	meter.counts = calloc(SLOTS_MAX, sizeof *meter.counts);
	error = meter.counts ? open_ring(words[1], &fd, &ring) : -ENOMEM;
	if (error) {
		fprintf(stderr, "meter: %s: %s\n", words[1], strerror(-error));
		free(meter.counts);
		return 1;
	}
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = end }, NULL);
	sigaction(SIGINT, &(struct sigaction){ .sa_handler = end }, NULL);
	run(&meter, fd, ring);
	error = print(&meter, fd);
	munmap(ring, (size_t)BLOCK_OCTETS * BLOCKS);
	close(fd);
	free(meter.counts);
	return error ? 1 : 0;
}
