/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ways.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"

#define STATE_ESTABLISHED 1
#define LINE_SIZE 256

void ways_init(struct ways *ways)
{
	memset(ways, 0, sizeof(*ways));
}

static bool is_management(const struct ways *ways, unsigned port)
{
	for (unsigned i = 0; i < ways->ports.count; i++)
		if (ways->ports.ports[i] == port)
			return true;
	return false;
}

static void forget(struct ways *ways, unsigned i)
{
	ways->learned[i] = ways->learned[--ways->learned_count];
}

void ways_set_ports(struct ways *ways, const struct config_ports *ports)
{
	ways->ports = *ports;
	for (unsigned i = ways->learned_count; i-- > 0;)
		if (!is_management(ways, ways->learned[i].port))
			forget(ways, i);
}

bool ways_expire(struct ways *ways, int64_t now_ns)
{
	bool any = false;

	for (unsigned i = ways->learned_count; i-- > 0;)
		if (ways->learned[i].until_ns <= now_ns) {
			forget(ways, i);
			any = true;
		}
	return any;
}

/* The place for a way: its own, a new one, or of those that may give way the one that ends first. */
static struct way_learned *place(struct ways *ways, const struct address *from, uint16_t port, bool command)
{
	struct way_learned *first = NULL;

	for (unsigned i = 0; i < ways->learned_count; i++) {
		struct way_learned *way = &ways->learned[i];

		if (way->port == port && address_equal(&way->from, from))
			return way;
	}
	if (ways->learned_count < WAYS_LEARNED_MAX) {
		ways->learned[ways->learned_count] = (struct way_learned){ .from = *from, .port = port };
		return &ways->learned[ways->learned_count++];
	}
	if (!command)
		return NULL;
	for (unsigned i = 0; i < ways->learned_count; i++) {
		struct way_learned *way = &ways->learned[i];

		if (!first || way->command < first->command ||
		    (way->command == first->command && way->until_ns < first->until_ns))
			first = way;
	}
	*first = (struct way_learned){ .from = *from, .port = port };
	return first;
}

static void learn(struct ways *ways, const struct address *from, uint16_t port, bool command, int64_t until_ns)
{
	struct way_learned *way = place(ways, from, port, command);

	if (!way)
		return;
	way->command = way->command || command;
	way->until_ns = until_ns > way->until_ns ? until_ns : way->until_ns;
}

void ways_add_client(struct ways *ways, const struct address *from, int64_t now_ns)
{
	if (address_is_impossible_source(from))
		return;
	for (unsigned i = 0; i < ways->ports.count; i++)
		learn(ways, from, ways->ports.ports[i], true, now_ns + WAYS_CLIENT_S * NS_PER_S);
}

/* "0100007F" or 32 such digits: words of 32 bits as they lie in memory, printed as numbers. */
static bool read_address(const char *digits, struct address *address)
{
	size_t length = strlen(digits), words = length / 8;
	uint8_t octets[16];

	if (length != 8 && length != 32)
		return false;
	for (size_t i = 0; i < words; i++) {
		uint32_t word = 0;

		for (size_t k = 0; k < 8; k++) {
			char c = digits[i * 8 + k];
			uint32_t value = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
			                 : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
			                 : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
			                                        : 16;

			if (value == 16)
				return false;
			word = word << 4 | value;
		}
		memcpy(octets + i * 4, &word, sizeof(word));
	}
	*address = words == 1 ? address_from_ipv4(octets) : address_from_ipv6(octets);
	return true;
}

/* "  0: 0200A8C0:0016 0100A8C0:C350 01 ..." */
static void read_line(struct ways *ways, const char *line, int64_t now_ns)
{
	char remote[33];
	unsigned local_port, state;
	struct address from;

	/* A few hexadecimal digits a field; what does not fit is not management's port. */
	/* NOLINTNEXTLINE(cert-err34-c): that is all there is to be converted */
	if (sscanf(line, "%*u: %*32[0-9A-Fa-f]:%4x %32[0-9A-Fa-f]:%*4x %2x", &local_port, remote, &state) != 3)
		return;
	if (state != STATE_ESTABLISHED || !is_management(ways, local_port) || !read_address(remote, &from))
		return;
	if (!address_is_impossible_source(&from))
		learn(ways, &from, (uint16_t)local_port, false, now_ns + WAYS_PEER_S * NS_PER_S);
}

void ways_add_peers(struct ways *ways, const char *table, size_t length, int64_t now_ns)
{
	const char *end = table + length;

	while (table < end) {
		const char *stop = memchr(table, '\n', (size_t)(end - table));
		size_t size = (size_t)((stop ? stop : end) - table);
		char line[LINE_SIZE];

		if (size < sizeof(line)) {
			memcpy(line, table, size);
			line[size] = '\0';
			read_line(ways, line, now_ns);
		}
		table = stop ? stop + 1 : end;
	}
}
