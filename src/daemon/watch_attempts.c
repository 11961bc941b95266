/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watch_attempts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define SLOTS (1u << WATCH_ATTEMPTS_BITS)
#define LINES (SLOTS / WATCH_ATTEMPTS_LANES)
#define PORT_BITS 16
#define SYN_BITS (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)

/* `asked` 0: there is none. */
struct slot {
	uint64_t key; /* of addresses, ports and the SYN's number */
	struct address source;
	int64_t last_ns; /* when it asked last */
	uint32_t asked;
	uint32_t service;
};

struct watch_attempts {
	uint64_t seed;
	int64_t blind_until_ns;
	bool empty;
	struct watch_attempts_counts counts;
	struct slot slots[SLOTS];
};

int watch_attempts_new(uint64_t seed, struct watch_attempts **table)
{
	struct watch_attempts *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->seed = seed;
	made->empty = true;
	*table = made;
	return 0;
}

void watch_attempts_free(struct watch_attempts *table)
{
	free(table);
}

void watch_attempts_clear(struct watch_attempts *table)
{
	if (!table->empty)
		memset(table->slots, 0, sizeof(table->slots));
	table->empty = true;
}

static uint64_t key_of(const struct watch_attempts *table, const struct observation *observation, uint32_t number)
{
	uint64_t ports = (uint64_t)observation->src_port << PORT_BITS | observation->dst_port;
	uint64_t key = hash_address(table->seed, &observation->src);

	return hash_2(hash_address(key, &observation->dst), ports, number);
}

static struct slot *line_of(struct watch_attempts *table, uint64_t key)
{
	return &table->slots[key % LINES * WATCH_ATTEMPTS_LANES];
}

static struct slot *find(struct slot *line, uint64_t key)
{
	for (unsigned i = 0; i < WATCH_ATTEMPTS_LANES; i++)
		if (line[i].asked && line[i].key == key)
			return &line[i];
	return NULL;
}

/* Where a newcomer goes; NULL: nowhere. */
static struct slot *room(struct watch_attempts *table, struct slot *line)
{
	struct slot *oldest = NULL;

	for (unsigned i = 0; i < WATCH_ATTEMPTS_LANES; i++) {
		if (!line[i].asked)
			return &line[i];
		if (line[i].asked == 1 && (!oldest || line[i].last_ns < oldest->last_ns))
			oldest = &line[i];
	}
	table->counts.pushed_out += oldest != NULL;
	table->counts.refused += oldest == NULL;
	return oldest;
}

static void ask(struct watch_attempts *table, const struct observation *observation, unsigned service, int64_t now_ns)
{
	uint64_t key = key_of(table, observation, observation->tcp.seq);
	struct slot *line = line_of(table, key), *slot = find(line, key);

	table->empty = false;
	if (slot && now_ns - slot->last_ns < WATCH_ATTEMPTS_APART_NS)
		return;
	if (slot) {
		slot->asked++;
		slot->last_ns = now_ns;
		return;
	}
	slot = room(table, line);
	if (slot)
		*slot = (struct slot){
			.key = key, .source = observation->src, .last_ns = now_ns, .asked = 1, .service = service
		};
}

/* Every packet is seen, and has been for a while. */
static bool sees(struct watch_attempts *table, const struct observation *observation, int64_t now_ns)
{
	if (observation->weight > 1) {
		table->counts.blind += now_ns >= table->blind_until_ns;
		table->blind_until_ns = now_ns + WATCH_ATTEMPTS_BLIND_NS;
		watch_attempts_clear(table);
	}
	return now_ns >= table->blind_until_ns;
}

bool watch_attempts_note(struct watch_attempts *table, const struct observation *observation, unsigned service,
                         int64_t now_ns)
{
	const uint32_t whole = OBSERVATION_TCP | OBSERVATION_PORTS;
	uint64_t key;
	struct slot *slot;

	if (!sees(table, observation, now_ns) || (observation->flags & whole) != whole)
		return false;
	if (observation->flags & OBSERVATION_HANDSHAKE) {
		key = key_of(table, observation, observation->tcp.seq - 1);
		slot = find(line_of(table, key), key);
		if (slot)
			slot->asked = 0;
		return slot != NULL; /* once, whatever completes it again */
	}
	if ((observation->tcp.flags & SYN_BITS) == TCP_SYN)
		ask(table, observation, service, now_ns);
	return false;
}

void watch_attempts_sweep(struct watch_attempts *table, int64_t now_ns,
                          void (*failed)(void *context, unsigned service, const struct address *source), void *context)
{
	if (table->empty)
		return;
	table->empty = true;
	for (unsigned i = 0; i < SLOTS; i++) {
		struct slot *slot = &table->slots[i];

		if (slot->asked && now_ns - slot->last_ns > WATCH_ATTEMPTS_NS) {
			if (slot->asked >= WATCH_ATTEMPTS_ASKED)
				failed(context, slot->service, &slot->source);
			slot->asked = 0;
		}
		table->empty = table->empty && !slot->asked;
	}
}

struct watch_attempts_counts watch_attempts_counts(const struct watch_attempts *table)
{
	return table->counts;
}
