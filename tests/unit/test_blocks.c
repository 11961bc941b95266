/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block list over files in memory that stand for the kernel's maps. What it says is held against a naive twin, a
 * plain list of prefixes, and so is what the kernel would say: looked_up() reads the memory as abi/shield.h has it, and
 * timer_runs() is its timer, each with code of its own.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "shield/blocks.h"
#include "shield/lanes.h"

#define SEED 0x686f6c6466617374u
#define DAY_S 86400u

/* ---- what is random, from a seed ---- */

static uint64_t random_state;

static uint64_t rnd(void)
{
	uint64_t x = random_state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static uint32_t rnd_below(uint32_t bound)
{
	return (uint32_t)(rnd() >> 32) % bound;
}

/* ---- the maps ---- */

struct maps {
	struct shield_maps fds;
	size_t size[SHIELD_MAPS];
	void *memory[SHIELD_MAPS];
	const struct shield_block_state *state;
};

static void maps_open(struct maps *maps, uint32_t capacity, uint32_t hz)
{
	struct shield_block_state state;

	*maps = (struct maps){ .size = { 0 } };
	blocks_begin(capacity, hz, SEED, &state);
	maps->size[SHIELD_MAP_BLOCK_STATE] = sizeof(state);
	maps->size[SHIELD_MAP_BLOCK4_CLASSES] = SHIELD_CLASSES;
	maps->size[SHIELD_MAP_BLOCK4_EXPIRES] = state.buckets4 * sizeof(struct shield_expires4);
	maps->size[SHIELD_MAP_BLOCK4_DUE] = state.buckets4 / 64 * sizeof(uint64_t);
	maps->size[SHIELD_MAP_BLOCK4_SWEPT] = state.buckets4 / 512 * sizeof(struct shield_swept4);
	maps->size[SHIELD_MAP_BLOCK4_MORE] = state.more4 * sizeof(struct shield_more4);
	maps->size[SHIELD_MAP_BLOCK6_BITS] = SHIELD_BLOCK_BITS / 8;
	maps->size[SHIELD_MAP_BLOCK4] = state.buckets4 * sizeof(struct shield_block4);
	maps->size[SHIELD_MAP_BLOCK6] = state.buckets6 * sizeof(struct shield_block6);
	for (unsigned i = 0; i < SHIELD_MAPS; i++) {
		maps->fds.fd[i] = -1;
		if (!maps->size[i])
			continue;
		maps->fds.fd[i] = memfd_create("map", MFD_CLOEXEC);
		assert_true(maps->fds.fd[i] >= 0);
		assert_int_equal(ftruncate(maps->fds.fd[i], (off_t)maps->size[i]), 0);
		maps->memory[i] = mmap(NULL, maps->size[i], PROT_READ | PROT_WRITE, MAP_SHARED, maps->fds.fd[i], 0);
		assert_ptr_not_equal(maps->memory[i], MAP_FAILED);
	}
	memcpy(maps->memory[SHIELD_MAP_BLOCK_STATE], &state, sizeof(state));
	maps->state = maps->memory[SHIELD_MAP_BLOCK_STATE];
}

static void maps_close(struct maps *maps)
{
	for (unsigned i = 0; i < SHIELD_MAPS; i++) {
		if (maps->fds.fd[i] < 0)
			continue;
		munmap(maps->memory[i], maps->size[i]);
		close(maps->fds.fd[i]);
	}
}

static bool bit_of(const struct maps *maps, enum shield_map map, uint32_t bit)
{
	return ((const uint64_t *)maps->memory[map])[bit / 64] >> bit % 64 & 1;
}

static uint32_t ipv4_of(const struct address *address)
{
	const uint8_t *octets = address->octets + 12;

	return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
}

static uint32_t bit6_of(const struct maps *maps, const struct address *address)
{
	uint64_t network = 0;

	memcpy(&network, address->octets, 6);
	return shield_block6_bit(maps->state->seed, network);
}

/* Where the kernel's timer has last been through the table, which has a tick of its own in a map of the kernel's. */
static uint64_t timer_tick;

static uint32_t lane_of(const struct maps *maps, uint32_t bucket, unsigned lane)
{
	const uint16_t *lanes = maps->memory[SHIELD_MAP_BLOCK4];

	return lanes[bucket * 16 + lane];
}

static uint32_t tick_of_lane(const struct maps *maps, uint32_t bucket, unsigned lane)
{
	const uint32_t *ticks = maps->memory[SHIELD_MAP_BLOCK4_EXPIRES];

	return __atomic_load_n(&ticks[bucket * 16 + lane], __ATOMIC_ACQUIRE);
}

/* What the kernel does at the beginning of a tick; how many groups it had to go through. */
static unsigned timer_runs(struct maps *maps, uint64_t now)
{
	const uint64_t *due = maps->memory[SHIELD_MAP_BLOCK4_DUE];
	struct shield_swept4 *swept = maps->memory[SHIELD_MAP_BLOCK4_SWEPT];
	uint32_t tick = (uint32_t)(now >> maps->state->tick_shift);
	unsigned gone_through = 0;

	for (uint32_t group = 0; group < maps->state->buckets4 / 64; group++) {
		struct shield_swept4 *line = &swept[group / 8];
		uint64_t word = __atomic_load_n(&due[group], __ATOMIC_ACQUIRE), stale = 0;
		uint32_t sequence = (uint32_t)(word >> 32), next = UINT32_MAX;
		bool new_ones = sequence != line->seen[group % 8] && (uint32_t)word <= tick;

		if (sequence % 2 == 0 && line->next[group % 8] > tick && !new_ones)
			continue;
		for (uint32_t i = 0; i < 64 * 15; i++) {
			uint32_t bucket = group * 64 + i / 15, until = tick_of_lane(maps, bucket, i % 15);

			if (lane_of(maps, bucket, i % 15) == 0)
				continue;
			if (until <= tick)
				stale |= 1ULL << i / 15;
			else if (until < next)
				next = until;
		}
		line->stale[group % 8] = stale;
		line->next[group % 8] = next;
		__atomic_store_n(&line->seen[group % 8], sequence, __ATOMIC_RELEASE);
		gone_through++;
	}
	timer_tick = tick;
	return gone_through;
}

static bool in_more4(const struct maps *maps, uint32_t host, unsigned length, uint64_t tick)
{
	const struct shield_more4 *table = maps->memory[SHIELD_MAP_BLOCK4_MORE];
	uint32_t at = shield_more4_hash(maps->state->seed, host, length);
	bool end = false;

	for (unsigned i = 0; i < SHIELD_MORE4_PROBES && !end; i++)
		for (unsigned slot = 0; slot < SHIELD_MORE4_SLOTS; slot++) {
			uint64_t had = table[(at + i) & (maps->state->more4 - 1)].slot[slot];

			end = end || had == 0;
			if (SHIELD_MORE4_WHAT(had) == SHIELD_MORE4(host, length, 0) && shield_more4_alive(had, tick))
				return true;
		}
	return false;
}

static bool in_block4(const struct maps *maps, uint32_t host, unsigned length, uint64_t tick)
{
	const struct shield_swept4 *swept = maps->memory[SHIELD_MAP_BLOCK4_SWEPT];
	uint64_t at = shield_place4(maps->state, shield_code4(host, length));
	uint32_t bucket = (uint32_t)(at >> maps->state->lane_bits);
	uint32_t remainder = (uint32_t)(at % (1u << maps->state->lane_bits));
	bool stale = swept[bucket / 512].stale[bucket / 64 % 8] >> bucket % 64 & 1;
	struct shield_block4 seen;
	bool has = false;

	for (unsigned i = 0; i < 4; i++)
		seen.word[i] = __atomic_load_n((const uint64_t *)maps->memory[SHIELD_MAP_BLOCK4] + bucket * 4 + i,
		                               __ATOMIC_ACQUIRE);
	for (unsigned lane = 0; lane < SHIELD_BLOCK4_LANES && remainder; lane++) {
		if (shield_lane4(&seen, lane) != remainder)
			continue;
		has = true;
		if ((timer_tick == tick && !stale) || tick_of_lane(maps, bucket, lane) > tick)
			return true;
	}
	if (remainder)
		assert_int_equal(shield_in_lanes4(&seen, remainder), has);
	return !has && shield_lane4(&seen, SHIELD_BLOCK4_LANES) > 0 && in_more4(maps, host, length, tick);
}

/* What the kernel would make of a packet from this address. */
static bool looked_up(const struct maps *maps, const struct address *address, uint64_t now)
{
	const struct shield_block_state *state = maps->state;
	bool ipv4 = address_is_ipv4(address);
	uint64_t lengths[2] = { ipv4 ? state->lengths4 : state->lengths6[0], ipv4 ? 0 : state->lengths6[1] };

	if (now >= state->horizon)
		return false;
	if (ipv4)
		lengths[0] &= shield_lengths4(
			((const uint8_t *)maps->memory[SHIELD_MAP_BLOCK4_CLASSES])[ipv4_of(address) >> 14]);
	else if (!state->short6 && !bit_of(maps, SHIELD_MAP_BLOCK6_BITS, bit6_of(maps, address)))
		return false;
	for (unsigned length = 1; length <= (ipv4 ? 32 : 128); length++) {
		const struct shield_block6 *table = maps->memory[SHIELD_MAP_BLOCK6];
		struct prefix prefix = prefix_of(address, length);
		bool end = false;
		__u64 word[2];
		uint32_t at;

		memcpy(word, prefix.address.octets, sizeof(word));
		if (!(lengths[(length - 1) / 64] >> (length - 1) % 64 & 1))
			continue;
		if (ipv4) {
			if (in_block4(maps, ipv4_of(&prefix.address), length, now >> state->tick_shift))
				return true;
			continue;
		}
		at = shield_block6_hash(state->seed, word, length);
		for (unsigned i = 0; i < SHIELD_BLOCK6_PROBES && !end; i++) {
			const struct shield_block6 *bucket = &table[(at + i) & (state->buckets6 - 1)];

			for (unsigned slot = 0; slot < SHIELD_BLOCK6_SLOTS; slot++) {
				const struct shield_block6_slot *had = &bucket->slot[slot];

				end = end || had->length == 0;
				if (had->length == length && memcmp(had->address, word, sizeof(word)) == 0 &&
				    had->expires > now)
					return true;
			}
		}
	}
	return false;
}

/* ---- the naive twin ---- */

#define TWIN_MAX 4096

struct twin {
	unsigned count;
	struct {
		struct prefix prefix;
		uint64_t expires;
	} entries[TWIN_MAX];
};

static unsigned twin_at(const struct twin *twin, const struct prefix *prefix)
{
	unsigned i = 0;

	while (i < twin->count && !prefix_equal(&twin->entries[i].prefix, prefix))
		i++;
	return i;
}

static void twin_add(struct twin *twin, const struct prefix *prefix, uint64_t expires)
{
	unsigned at = twin_at(twin, prefix);

	assert_true(at < TWIN_MAX);
	twin->entries[at].prefix = *prefix;
	twin->entries[at].expires = expires;
	if (at == twin->count)
		twin->count++;
}

static void twin_expire(struct twin *twin, uint64_t now)
{
	for (unsigned i = 0; i < twin->count;)
		if (twin->entries[i].expires <= now)
			twin->entries[i] = twin->entries[--twin->count];
		else
			i++;
}

static unsigned twin_find(const struct twin *twin, const struct address *address)
{
	unsigned best = twin->count;

	for (unsigned i = 0; i < twin->count; i++)
		if (prefix_contains(&twin->entries[i].prefix, address) &&
		    (best == twin->count || twin->entries[i].prefix.length > twin->entries[best].prefix.length))
			best = i;
	return best;
}

/* ---- both together ---- */

struct pair {
	struct maps maps;
	struct blocks *blocks;
	struct twin *twin;
	uint32_t hz;
	uint64_t now;
};

static void pair_open(struct pair *pair, uint32_t capacity, uint32_t hz, uint64_t now)
{
	random_state = SEED ^ capacity ^ hz;
	maps_open(&pair->maps, capacity, hz);
	timer_tick = 0;
	assert_int_equal(blocks_new(&pair->maps.fds, &pair->blocks), 0);
	pair->twin = calloc(1, sizeof(*pair->twin));
	assert_non_null(pair->twin);
	pair->hz = hz;
	pair->now = now;
}

static void pair_close(struct pair *pair)
{
	blocks_free(pair->blocks);
	maps_close(&pair->maps);
	free(pair->twin);
}

static uint64_t rounded_up(const struct pair *pair, uint64_t jiffies)
{
	uint64_t tick = 1ULL << pair->maps.state->tick_shift;

	return (jiffies + tick - 1) / tick * tick;
}

/* Of a few buckets, more than they have lanes for, and remainder 0, which no lane can have. */
static struct prefix crowded_prefix(const struct maps *maps)
{
	struct lanes lanes = { .state = maps->state };
	uint32_t bucket = rnd_below(4) * 77777 % maps->state->buckets4, remainder = rnd_below(40);
	uint8_t octets[4];
	struct address address;
	uint64_t code;
	uint32_t host;

	lanes_init(&lanes);
	code = lanes_code_at(&lanes, bucket, remainder);
	assert_int_equal(shield_place4(maps->state, code), (uint64_t)bucket << maps->state->lane_bits | remainder);
	host = (uint32_t)((code & (code - 1)) >> 1);
	for (unsigned i = 0; i < 4; i++)
		octets[i] = (uint8_t)(host >> (24 - 8 * i));
	address = address_from_ipv4(octets);
	return prefix_of(&address, 32 - (unsigned)__builtin_ctzll(code));
}

/* Few enough, and near enough each other, that they nest, meet again, and share bits. */
static struct address random_address(void)
{
	static const uint8_t nets4[4][2] = { { 192, 0 }, { 198, 18 }, { 198, 19 }, { 203, 0 } };
	uint8_t octets[16] = { 0x20, 0x01, 0x0d, 0xb8 };
	uint64_t choice = rnd();
	const uint8_t *net = nets4[choice & 3];

	if (choice & 4) {
		uint8_t host[4] = { net[0], net[1], (uint8_t)(choice >> 8 & 7), (uint8_t)(choice >> 16 & 15) };

		if ((choice >> 32) % 64 == 0)
			memcpy(host, &choice, sizeof(host));
		return address_from_ipv4(host);
	}
	for (unsigned i = 4; i < 16; i++)
		octets[i] = (uint8_t)(rnd() & 1);
	octets[5] = (uint8_t)(octets[5] * (choice >> 8 & 3));
	return address_from_ipv6(octets);
}

static struct prefix random_prefix(const struct maps *maps)
{
	struct address address = random_address();
	bool ipv4 = address_is_ipv4(&address);
	unsigned longest = ipv4 ? 32 : 128;

	if (rnd_below(4) == 0)
		return crowded_prefix(maps);
	if (rnd_below(3) == 0)
		return prefix_of(&address, longest);
	if (rnd_below(3) == 0)
		return prefix_of(&address, ipv4 ? 24 : 64);
	return prefix_of(&address, 1 + rnd_below(longest));
}

static void held_against_twin(struct pair *pair)
{
	struct address address = rnd_below(4) ? random_address() : crowded_prefix(&pair->maps).address;
	struct prefix found;
	uint64_t expires;
	unsigned at = twin_find(pair->twin, &address);
	int error = blocks_find(pair->blocks, &address, pair->now, &found, &expires);

	assert_int_equal(error, at == pair->twin->count ? -ENOENT : 0);
	assert_int_equal(looked_up(&pair->maps, &address, pair->now), at != pair->twin->count);
	if (error)
		return;
	assert_true(prefix_equal(&found, &pair->twin->entries[at].prefix));
	assert_int_equal(expires, pair->twin->entries[at].expires);
}

static int takes_from_list(void *context, const struct prefix *prefix, uint64_t expires)
{
	struct twin *left = context;
	unsigned at = twin_at(left, prefix);

	assert_true(at < left->count);
	assert_int_equal(left->entries[at].expires, expires);
	left->entries[at] = left->entries[--left->count];
	return 0;
}

static void lists_are_equal(const struct pair *pair)
{
	struct twin *left = malloc(sizeof(*left));

	assert_non_null(left);
	*left = *pair->twin;
	assert_int_equal(blocks_each(pair->blocks, pair->now, takes_from_list, left), 0);
	assert_int_equal(left->count, 0);
	free(left);
}

/* After the sweep has been round twice: what nothing needs is nowhere to be seen. */
static void nothing_is_left_over(const struct pair *pair)
{
	const struct maps *maps = &pair->maps;
	uint64_t *need6 = calloc(1, SHIELD_BLOCK_BITS / 8);
	uint8_t *need4 = calloc(1, SHIELD_CLASSES);
	uint64_t lengths[2][2] = { { 0 } };
	uint32_t count[2] = { 0 }, short6 = 0, capacity, count4, count6, lanes = 0, more = 0;

	assert_true(need4 && need6);
	(void)blocks_sweep(pair->blocks, pair->now, UINT32_MAX);
	(void)blocks_sweep(pair->blocks, pair->now, UINT32_MAX);
	for (unsigned i = 0; i < pair->twin->count; i++) {
		const struct prefix *prefix = &pair->twin->entries[i].prefix;
		uint32_t bit = bit6_of(maps, &prefix->address), first = ipv4_of(&prefix->address) >> 14;

		count[prefix->is_ipv4]++;
		lengths[prefix->is_ipv4][(prefix->length - 1) / 64] |= 1ULL << (prefix->length - 1) % 64;
		if (prefix->is_ipv4)
			for (uint32_t j = 0; j < (prefix->length < 18 ? 1u << (18 - prefix->length) : 1); j++)
				need4[first + j] |= (uint8_t)(1u << shield_class4(prefix->length));
		else if (prefix->length < 48)
			short6++;
		else
			need6[bit / 64] |= 1ULL << bit % 64;
	}
	assert_int_equal(memcmp(need4, maps->memory[SHIELD_MAP_BLOCK4_CLASSES], SHIELD_CLASSES), 0);
	assert_int_equal(memcmp(need6, maps->memory[SHIELD_MAP_BLOCK6_BITS], SHIELD_BLOCK_BITS / 8), 0);
	for (uint32_t i = 0; i < maps->state->buckets4 * 16; i++)
		if (i % 16 == SHIELD_BLOCK4_LANES)
			more += lane_of(maps, i / 16, i % 16);
		else
			lanes += lane_of(maps, i / 16, i % 16) != 0;
	assert_int_equal(lanes + more, count[1]);
	assert_int_equal(maps->state->lengths4, lengths[1][0]);
	assert_int_equal(maps->state->lengths6[0], lengths[0][0]);
	assert_int_equal(maps->state->lengths6[1], lengths[0][1]);
	assert_int_equal(maps->state->short6, short6);
	blocks_count(pair->blocks, &count4, &count6, &capacity);
	assert_int_equal(count4, count[1]);
	assert_int_equal(count6, count[0]);
	assert_int_equal(capacity, maps->state->capacity);
	free(need4);
	free(need6);
}

static void one_step(struct pair *pair)
{
	struct prefix prefix = random_prefix(&pair->maps);
	uint64_t expires = pair->now + 1 + rnd_below(20 * pair->hz);
	unsigned at = twin_at(pair->twin, &prefix), choice = rnd_below(100);
	int error;

	if (choice < 35) {
		if (rnd_below(20) == 0) /* a few for long */
			expires = pair->now + rnd() % ((uint64_t)BLOCKS_DAYS_MAX * DAY_S * pair->hz) + 1;
		assert_int_equal(blocks_add(pair->blocks, &prefix, pair->now, expires), 0);
		twin_add(pair->twin, &prefix, rounded_up(pair, expires));
	} else if (choice < 50) {
		if (pair->twin->count > 0 && rnd_below(2)) {
			at = rnd_below(pair->twin->count);
			prefix = pair->twin->entries[at].prefix;
		}
		error = blocks_remove(pair->blocks, &prefix, pair->now);
		assert_int_equal(error, at < pair->twin->count ? 0 : -ENOENT);
		if (!error)
			pair->twin->entries[at] = pair->twin->entries[--pair->twin->count];
	} else if (choice < 60) {
		pair->now += rnd_below(pair->hz);
		twin_expire(pair->twin, pair->now);
		if (rnd_below(4)) /* now and then the timer is late */
			(void)timer_runs(&pair->maps, pair->now);
	} else if (choice < 65) {
		(void)blocks_sweep(pair->blocks, pair->now, 1 + rnd_below(64));
	} else {
		held_against_twin(pair);
	}
}

static void says_what_a_plain_list_says(void **state)
{
	static const struct {
		uint32_t capacity, hz;
		uint64_t now;
	} cases[] = {
		{ 1024, 100, 4294937296 },
		{ 1024, 250, 1 },
		{ 4096, 1000, 4294667296 },
		{ 2048, 300, 7 },
		{ 1024, 1000, (1ULL << 26 << 9) - 20000 }, /* ticks wrap in its first minutes */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pair pair;

		pair_open(&pair, cases[i].capacity, cases[i].hz, cases[i].now);
		for (unsigned step = 0; step < 60000; step++) {
			one_step(&pair);
			if (step % 10000 == 9999) {
				lists_are_equal(&pair);
				nothing_is_left_over(&pair);
			}
			if (step % 15000 == 14999) { /* weeks go by */
				pair.now += rnd() % ((uint64_t)40 * DAY_S * pair.hz);
				twin_expire(pair.twin, pair.now);
			}
		}
		pair_close(&pair);
	}
}

/* Each length holds what it should, to its first and last address, and not what is beside it. */
static void every_length_ends_where_it_should(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, 1024, 1000, 1000000);
	for (unsigned family = 0; family < 2; family++) {
		unsigned longest = family ? 128 : 32, from = 128 - longest;

		for (unsigned length = 1; length <= longest; length++) {
			static const uint8_t base4[4] = { 0xaa, 0x55, 0xcc, 0x36 };
			static const uint8_t base6[16] = { 0x2a, 0x01, 0x0d, 0xb8, 0x11, 0x22, 0x33, 0x44,
				                           0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc };
			struct address host = family ? address_from_ipv6(base6) : address_from_ipv4(base4);
			struct prefix prefix = prefix_of(&host, length), found;
			struct address last = prefix.address, beside = prefix.address;
			unsigned bit = from + length - 1;
			uint64_t expires;

			for (unsigned i = bit + 1; i < 128; i++)
				last.octets[i / 8] |= (uint8_t)(0x80 >> i % 8);
			beside.octets[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
			assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now, pair.now + 1000), 0);
			assert_int_equal(blocks_find(pair.blocks, &prefix.address, pair.now, &found, &expires), 0);
			assert_true(prefix_equal(&found, &prefix));
			assert_true(looked_up(&pair.maps, &prefix.address, pair.now));
			assert_true(looked_up(&pair.maps, &last, pair.now));
			assert_false(looked_up(&pair.maps, &beside, pair.now));
			assert_int_equal(blocks_find(pair.blocks, &beside, pair.now, &found, &expires), -ENOENT);
			assert_int_equal(blocks_remove(pair.blocks, &prefix, pair.now), 0);
			assert_false(looked_up(&pair.maps, &last, pair.now));
		}
	}
	nothing_is_left_over(&pair);
	pair_close(&pair);
}

static struct prefix host4(uint32_t number)
{
	uint8_t octets[4] = { 198, (uint8_t)(18 + (number >> 16 & 1)), (uint8_t)(number >> 8), (uint8_t)number };
	struct address address = address_from_ipv4(octets);

	return prefix_of(&address, 32);
}

static struct prefix host6(uint32_t number)
{
	uint8_t octets[16] = { 0x20, 0x01, 0x0d, 0xb8 };
	struct address address;

	memcpy(octets + 12, &number, sizeof(number));
	address = address_from_ipv6(octets);
	return prefix_of(&address, 128);
}

static void expiry_is_a_tick_s_end(void **state)
{
	struct prefix prefix = host4(1), found;
	struct pair pair;
	uint64_t expires, tick;

	(void)state;
	pair_open(&pair, 1024, 250, 100000);
	tick = 1ULL << pair.maps.state->tick_shift;
	assert_int_equal(tick, 128); /* about half a second of 250 Hz */
	assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now, pair.now + 1), 0);
	assert_int_equal(blocks_find(pair.blocks, &prefix.address, pair.now, &found, &expires), 0);
	assert_int_equal(expires, rounded_up(&pair, pair.now + 1));
	assert_true(looked_up(&pair.maps, &prefix.address, expires - 1));
	assert_false(looked_up(&pair.maps, &prefix.address, expires));
	assert_int_equal(blocks_find(pair.blocks, &prefix.address, expires, &found, &expires), -ENOENT);
	assert_int_equal(blocks_remove(pair.blocks, &prefix, expires), -ENOENT);
	pair_close(&pair);
}

/* What has expired so long ago that its ticks have come round stays expired. */
static void what_expired_long_ago_stays_so(void **state)
{
	(void)state;
	for (unsigned ticks = 0; ticks < 5; ticks++) {
		struct prefix prefix = host4(1), other = host4(2), prefix6 = host6(3);
		struct pair pair;
		uint64_t wrapped;

		pair_open(&pair, 1024, 1000, 1u << 20);
		assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now, pair.now + 60000), 0);
		assert_int_equal(blocks_add(pair.blocks, &prefix6, pair.now, pair.now + 60000), 0);
		assert_true(looked_up(&pair.maps, &prefix.address, pair.now + 59000));
		wrapped = pair.now + ((uint64_t)(SHIELD_MORE4_TICKS + 1) * ticks / 4 << 9) + (ticks ? 0 : 61000);
		assert_false(looked_up(&pair.maps, &prefix.address, wrapped));
		/* A new one moves the horizon; the old one must not come back with it. */
		assert_int_equal(blocks_add(pair.blocks, &other, wrapped, wrapped + 90000), 0);
		assert_false(looked_up(&pair.maps, &prefix.address, wrapped));
		assert_false(looked_up(&pair.maps, &prefix6.address, wrapped));
		assert_true(looked_up(&pair.maps, &other.address, wrapped));
		assert_false(looked_up(&pair.maps, &other.address, wrapped + 91000));
		pair_close(&pair);
	}
}

static void bounds_hold(void **state)
{
	struct prefix prefix = host4(0), everything = { .is_ipv4 = true }, wrong = host4(1);
	uint32_t ipv4, ipv6, capacity;
	struct pair pair;

	(void)state;
	pair_open(&pair, 1024, 1000, 5000);
	everything.address = prefix_of(&prefix.address, 0).address;
	assert_int_equal(blocks_add(pair.blocks, &everything, pair.now, pair.now + 1000), -EINVAL);
	assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now, pair.now), -EINVAL);
	wrong.length = 24; /* with host bits */
	assert_int_equal(blocks_add(pair.blocks, &wrong, pair.now, pair.now + 1000), -EINVAL);
	wrong.length = 33;
	assert_int_equal(blocks_add(pair.blocks, &wrong, pair.now, pair.now + 1000), -EINVAL);
	assert_int_equal(blocks_remove(pair.blocks, &wrong, pair.now), -ENOENT);
	assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now, SHIELD_NEVER), -ERANGE);
	assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now,
	                            pair.now + (uint64_t)BLOCKS_DAYS_MAX * DAY_S * 1000 + 1),
	                 -ERANGE);
	assert_int_equal(
		blocks_add(pair.blocks, &prefix, pair.now, pair.now + (uint64_t)BLOCKS_DAYS_MAX * DAY_S * 1000), 0);
	assert_int_equal(blocks_remove(pair.blocks, &prefix, pair.now), 0);

	for (unsigned family = 0; family < 2; family++) {
		for (uint32_t i = 0; i < 1024; i++) {
			prefix = family ? host6(i) : host4(i);
			assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now, pair.now + 1000 + i), 0);
		}
		blocks_count(pair.blocks, &ipv4, &ipv6, &capacity);
		assert_int_equal(family ? ipv6 : ipv4, 1024);
		prefix = family ? host6(5000) : host4(5000);
		assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now, pair.now + 9000), -ENOSPC);
		prefix = family ? host6(7) : host4(7);
		assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now, pair.now + 9000), 0);
	}
	pair.now += 4000;
	assert_int_equal(blocks_sweep(pair.blocks, pair.now, UINT32_MAX), 2 * 1023);
	prefix = host4(5000);
	assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now, pair.now + 9000), 0);
	pair_close(&pair);
}

/* Prefixes of one address in one bucket of lanes, the first, second, ... that are there. */
static struct prefix crowd(const struct maps *maps, unsigned number)
{
	struct lanes lanes = { .state = maps->state };
	uint8_t octets[4];
	struct address address;
	uint64_t code = 0;

	lanes_init(&lanes);
	for (uint32_t remainder = 1; number + 1 > 0; remainder++) {
		code = lanes_code_at(&lanes, 4711, remainder);
		if (code % 2 == 1 && number-- == 0)
			break;
	}
	for (unsigned i = 0; i < 4; i++)
		octets[i] = (uint8_t)(code >> (25 - 8 * i));
	address = address_from_ipv4(octets);
	return prefix_of(&address, 32);
}

/* What finds no lane stands elsewhere, as long as there is room; lanes that are free again are taken again. */
static void a_full_bucket_is_no_full_list(void **state)
{
	struct pair pair;
	unsigned slots, added = 0;
	struct prefix prefix;

	(void)state;
	pair_open(&pair, 1024, 1000, 5000);
	slots = SHIELD_BLOCK4_LANES + pair.maps.state->more4 * SHIELD_MORE4_SLOTS;
	for (; added < slots; added++) {
		prefix = crowd(&pair.maps, added);
		if (blocks_add(pair.blocks, &prefix, pair.now, pair.now + (added < 20 ? 1000 : 50000)) != 0)
			break;
		assert_true(looked_up(&pair.maps, &prefix.address, pair.now));
	}
	assert_in_range(added, SHIELD_BLOCK4_LANES + 64, slots);
	if (added < slots)
		assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now, pair.now + 1000), -ENOSPC);
	for (unsigned i = 0; i < added; i++) {
		prefix = crowd(&pair.maps, i);
		assert_true(looked_up(&pair.maps, &prefix.address, pair.now));
	}
	pair.now += 2000; /* the first twenty have expired, and their lanes can be had */
	for (unsigned i = 0; i < 15; i++) {
		prefix = crowd(&pair.maps, 500 + i);
		assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now, pair.now + 50000), 0);
		assert_true(looked_up(&pair.maps, &prefix.address, pair.now));
		prefix = crowd(&pair.maps, i);
		assert_false(looked_up(&pair.maps, &prefix.address, pair.now));
	}
	for (unsigned i = 20; i < added; i++) {
		prefix = crowd(&pair.maps, i);
		assert_true(looked_up(&pair.maps, &prefix.address, pair.now));
		assert_int_equal(blocks_remove(pair.blocks, &prefix, pair.now), 0);
		assert_false(looked_up(&pair.maps, &prefix.address, pair.now));
	}
	pair.now += 60000;
	nothing_is_left_over(&pair);
	pair_close(&pair);
}

/* The timer goes through a group where something has expired or may have, and through no other. */
static void the_timer_has_little_to_do(void **state)
{
	const unsigned groups = SHIELD_BLOCK4_BUCKETS_MIN / SHIELD_BLOCK4_GROUP;
	struct prefix prefix = host4(1);
	struct pair pair;
	uint64_t *due;
	uint32_t group;

	(void)state;
	pair_open(&pair, 1024, 1000, 1u << 20);
	due = pair.maps.memory[SHIELD_MAP_BLOCK4_DUE];
	group = (uint32_t)(shield_place4(pair.maps.state, shield_code4(ipv4_of(&prefix.address), 32)) >>
	                   pair.maps.state->lane_bits) /
	        SHIELD_BLOCK4_GROUP;
	assert_int_equal(timer_runs(&pair.maps, pair.now), groups); /* it knows of nothing yet */
	assert_int_equal(timer_runs(&pair.maps, pair.now), 0);
	for (unsigned i = 0; i < 100; i++) {
		prefix = host4(i);
		assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now, pair.now + 512 * (1 + i)), 0);
	}
	assert_int_equal(timer_runs(&pair.maps, pair.now), 0); /* none has expired: it need not even look */
	for (unsigned i = 0; i < 100; i++) {
		pair.now += 512;
		assert_in_range(timer_runs(&pair.maps, pair.now), 1, 2);
		for (unsigned j = 0; j < 100; j++) {
			prefix = host4(j);
			assert_int_equal(looked_up(&pair.maps, &prefix.address, pair.now), j > i);
		}
	}
	assert_int_equal(blocks_sweep(pair.blocks, pair.now, UINT32_MAX), 100);
	assert_in_range(timer_runs(&pair.maps, pair.now), 90, 100);
	assert_int_equal(timer_runs(&pair.maps, pair.now), 0);

	/* A writer that has died half way: a longer expiry has become a shorter one, of which it has told nobody. */
	prefix = host4(1);
	assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now, pair.now + 100000), 0);
	assert_int_equal(timer_runs(&pair.maps, pair.now), 0);
	due[group] |= 1ULL << 32;
	for (uint32_t i = 0; i < pair.maps.state->buckets4 * 16; i++)
		if (lane_of(&pair.maps, i / 16, i % 16) != 0)
			((uint32_t *)pair.maps.memory[SHIELD_MAP_BLOCK4_EXPIRES])[i] =
				(uint32_t)(pair.now >> pair.maps.state->tick_shift) + 1;
	assert_true(looked_up(&pair.maps, &prefix.address, pair.now));
	pair.now += 512;
	assert_int_equal(timer_runs(&pair.maps, pair.now), 1);
	assert_false(looked_up(&pair.maps, &prefix.address, pair.now));

	/* Who comes after it puts that right. */
	blocks_free(pair.blocks);
	assert_int_equal(blocks_new(&pair.maps.fds, &pair.blocks), 0);
	assert_int_equal(timer_runs(&pair.maps, pair.now), groups);
	assert_int_equal(timer_runs(&pair.maps, pair.now),
	                 0); /* what has expired stands there yet, and that is known */
	assert_int_equal(blocks_sweep(pair.blocks, pair.now, UINT32_MAX), 1);
	assert_int_equal(timer_runs(&pair.maps, pair.now), 1);
	assert_int_equal(timer_runs(&pair.maps, pair.now), 0);
	pair_close(&pair);
}

/* Half full at most, and for ever other prefixes in it: there is always room, and look-ups stay short. */
static void churn_leaves_no_ruins(void **state)
{
	enum { KEPT = 4096 };
	static struct prefix kept[2][KEPT];
	struct pair pair;

	(void)state;
	pair_open(&pair, KEPT, 1000, 5000);
	for (uint32_t i = 0; i < 30 * KEPT; i++) {
		for (unsigned family = 0; family < 2; family++) {
			struct prefix *place = &kept[family][i < KEPT ? i : rnd_below(KEPT)];

			if (i >= KEPT)
				assert_int_equal(blocks_remove(pair.blocks, place, pair.now), 0);
			*place = family ? host6(i) : host4(i);
			if (blocks_add(pair.blocks, place, pair.now, pair.now + 100000) != 0)
				fail_msg("no room for the prefix no. %u of family %u", i, family);
		}
		(void)blocks_sweep(pair.blocks, pair.now, 1);
	}
	for (unsigned family = 0; family < 2; family++)
		for (unsigned i = 0; i < KEPT; i++) {
			assert_true(looked_up(&pair.maps, &kept[family][i].address, pair.now));
			assert_int_equal(blocks_remove(pair.blocks, &kept[family][i], pair.now), 0);
		}
	nothing_is_left_over(&pair);
	for (unsigned i = 0; i < pair.maps.state->more4; i++)
		for (unsigned slot = 0; slot < SHIELD_MORE4_SLOTS; slot++)
			assert_int_equal(
				((const struct shield_more4 *)pair.maps.memory[SHIELD_MAP_BLOCK4_MORE])[i].slot[slot],
				0);
	for (unsigned i = 0; i < pair.maps.state->buckets6; i++)
		for (unsigned slot = 0; slot < SHIELD_BLOCK6_SLOTS; slot++)
			assert_int_equal(((const struct shield_block6 *)pair.maps.memory[SHIELD_MAP_BLOCK6])[i]
			                         .slot[slot]
			                         .length,
			                 0);
	pair_close(&pair);
}

/* Who takes over what another left needs nothing but the memory; what the other had only half done is put right. */
static void tables_are_taken_over(void **state)
{
	struct shield_block_state *shared;
	struct blocks *refused;
	struct pair pair;

	(void)state;
	pair_open(&pair, 1024, 1000, 1u << 20);
	shared = pair.maps.memory[SHIELD_MAP_BLOCK_STATE];
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned step = 0; step < 2000; step++)
			one_step(&pair);
		blocks_free(pair.blocks);
		if (round % 2) {
			shared->lengths4 = shared->short6 = shared->count4 = 0;
			shared->count6 = 12345;
			shared->lengths6[0] = shared->lengths6[1] = UINT64_MAX;
			memset(pair.maps.memory[SHIELD_MAP_BLOCK4_CLASSES], 0, SHIELD_CLASSES);
			for (uint32_t i = 15; i < shared->buckets4 * 16; i += 16)
				((uint16_t *)pair.maps.memory[SHIELD_MAP_BLOCK4])[i] = (uint16_t)rnd_below(3);
			memset(pair.maps.memory[SHIELD_MAP_BLOCK6_BITS], 0, SHIELD_BLOCK_BITS / 8);
		}
		assert_int_equal(blocks_new(&pair.maps.fds, &pair.blocks), 0);
		lists_are_equal(&pair);
		for (unsigned i = 0; i < 200; i++)
			held_against_twin(&pair);
		nothing_is_left_over(&pair);
	}
	shared->buckets6 *= 2;
	assert_int_equal(blocks_new(&pair.maps.fds, &refused), -EBADMSG);
	shared->buckets6 = 0;
	assert_int_equal(blocks_new(&pair.maps.fds, &refused), -EBADMSG);
	blocks_begin(1024, 1000, SEED, shared);
	close(pair.maps.fds.fd[SHIELD_MAP_BLOCK6]);
	assert_int_equal(blocks_new(&pair.maps.fds, &refused), -EBADF);
	pair.maps.fds.fd[SHIELD_MAP_BLOCK6] = dup(pair.maps.fds.fd[SHIELD_MAP_BLOCK4]);
	pair_close(&pair);
}

/* Memory of any content is not gone beyond. */
static void garbage_in_the_tables_is_survived(void **state)
{
	struct prefix prefix = host4(1);
	struct pair pair;
	uint64_t *words;

	(void)state;
	pair_open(&pair, 1024, 1000, 1u << 20);
	blocks_free(pair.blocks);
	for (unsigned map = SHIELD_MAP_BLOCK4_CLASSES; map <= SHIELD_MAP_BLOCK6; map++) {
		words = pair.maps.memory[map];
		for (size_t i = 0; i < pair.maps.size[map] / sizeof(*words); i++)
			words[i] = rnd_below(4) ? rnd() : 0;
	}
	assert_int_equal(blocks_new(&pair.maps.fds, &pair.blocks), 0);
	for (unsigned i = 0; i < 2000; i++) {
		prefix = random_prefix(&pair.maps);
		(void)blocks_add(pair.blocks, &prefix, pair.now, pair.now + 1000);
		(void)blocks_remove(pair.blocks, &prefix, pair.now);
		(void)blocks_sweep(pair.blocks, pair.now, 8);
	}
	pair.now += (uint64_t)BLOCKS_DAYS_MAX * DAY_S * 1000;
	nothing_is_left_over(&pair);
	pair_close(&pair);
}

static int stops_at_third(void *context, const struct prefix *prefix, uint64_t expires)
{
	unsigned *seen = context;

	(void)prefix;
	(void)expires;
	return ++*seen == 3 ? 42 : 0;
}

static void each_stops_where_it_is_told(void **state)
{
	struct pair pair;
	unsigned seen = 0;

	(void)state;
	pair_open(&pair, 1024, 1000, 1u << 20);
	for (unsigned i = 0; i < 10; i++) {
		struct prefix prefix = i % 2 ? host4(i) : host6(i);

		assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now, pair.now + 5000), 0);
	}
	assert_int_equal(blocks_each(pair.blocks, pair.now, stops_at_third, &seen), 42);
	assert_int_equal(seen, 3);
	pair_close(&pair);
}

/* Of these none is ever taken out, while the tables around them change as fast as they can. */
enum { STANDING = 1000 };

struct watcher {
	const struct maps *maps;
	uint64_t now;
	struct address standing[STANDING];
	struct address absent[STANDING]; /* never listed */
	unsigned long looked, missed, invented;
	bool stop;
};

static void *watch(void *context)
{
	struct watcher *watcher = context;

	while (!__atomic_load_n(&watcher->stop, __ATOMIC_RELAXED)) {
		for (unsigned i = 0; i < STANDING; i++) {
			watcher->missed += !looked_up(watcher->maps, &watcher->standing[i], watcher->now);
			watcher->invented += looked_up(watcher->maps, &watcher->absent[i], watcher->now);
		}
		watcher->looked += STANDING;
	}
	return NULL;
}

static void what_stands_is_never_missed(void **state)
{
	static struct watcher watcher;
	enum { COMING = 3000 };
	struct prefix prefix;
	struct pair pair;
	pthread_t thread;

	(void)state;
	pair_open(&pair, 2048, 1000, 5000);
	/* Half of them have found the tables full of others, and so stand away from their homes. */
	for (uint32_t i = 0; i < STANDING / 2; i++)
		for (unsigned family = 0; family < 2; family++) {
			for (unsigned j = 0; j < 3; j++) {
				prefix = family ? host6(COMING + 3 * i + j) : host4(COMING + 3 * i + j);
				assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now, 900000), 0);
			}
			prefix = family ? host6(200000 + i) : host4(100000 + i);
			assert_int_equal(blocks_add(pair.blocks, &prefix, pair.now, 900000), 0);
			watcher.standing[2 * i + family] = prefix.address;
		}
	for (uint32_t i = 0; i < STANDING; i++)
		watcher.absent[i] = i % 2 ? host6(300000 + i).address : host4(120000 + i).address;
	(void)timer_runs(&pair.maps, pair.now);
	watcher.maps = &pair.maps;
	watcher.now = pair.now;
	assert_int_equal(pthread_create(&thread, NULL, watch, &watcher), 0);
	for (unsigned i = 0; i < 300000; i++) {
		uint32_t number = rnd_below(COMING + 3 * STANDING / 2);
		int error;

		prefix = i % 2 ? host6(number) : host4(number);
		if (rnd_below(2))
			error = blocks_add(pair.blocks, &prefix, pair.now, 800000);
		else
			error = blocks_remove(pair.blocks, &prefix, pair.now);
		assert_true(error == 0 || error == -ENOSPC || error == -ENOENT);
		if (i % 16 == 0)
			(void)blocks_sweep(pair.blocks, pair.now, 4);
	}
	__atomic_store_n(&watcher.stop, true, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(watcher.looked > 0);
	assert_int_equal(watcher.missed, 0);
	assert_int_equal(watcher.invented, 0);
	pair_close(&pair);
}

static double seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Every one of them finds room in tables made for so many. */
static void a_million_of_each_family(void **state)
{
	enum { MANY = 1 << 20 };
	struct blocks *blocks;
	struct prefix prefix, found;
	uint64_t expires;
	uint32_t ipv4, ipv6, capacity;
	double began, added[2], swept;

	(void)state;
	assert_int_equal(blocks_new_private(MANY, 1000, SEED, &blocks), 0);
	for (unsigned family = 0; family < 2; family++) {
		random_state = SEED;
		began = seconds();
		for (unsigned i = 0; i < MANY; i++) {
			uint64_t number = rnd();
			uint8_t octets[16] = { 0x2a };
			struct address address;

			memcpy(octets + 4, &number, sizeof(number));
			address = family ? address_from_ipv6(octets) : address_from_ipv4(octets + 4);
			prefix = prefix_of(&address, family ? 96 : i % 16 ? 32 : 24);
			if (blocks_add(blocks, &prefix, 1, 1000000) != 0)
				fail_msg("no room for the prefix no. %u of family %u", i, family);
		}
		added[family] = seconds() - began;
		assert_int_equal(blocks_find(blocks, &prefix.address, 2, &found, &expires), 0);
	}
	began = seconds();
	assert_int_equal(blocks_sweep(blocks, 2, UINT32_MAX), 0);
	swept = seconds() - began;
	printf("a million added: IPv4 %.2f s, IPv6 %.2f s; swept: both %.2f s\n", added[0], added[1], swept);
	blocks_count(blocks, &ipv4, &ipv6, &capacity);
	assert_int_equal(capacity, MANY);
	assert_in_range(ipv4, MANY - 1000, MANY); /* some are drawn twice */
	assert_int_equal(ipv6, MANY);
	assert_int_equal(blocks_sweep(blocks, 2000000, UINT32_MAX), ipv4 + ipv6);
	blocks_free(blocks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_a_plain_list_says),
		cmocka_unit_test(every_length_ends_where_it_should),
		cmocka_unit_test(expiry_is_a_tick_s_end),
		cmocka_unit_test(what_expired_long_ago_stays_so),
		cmocka_unit_test(bounds_hold),
		cmocka_unit_test(a_full_bucket_is_no_full_list),
		cmocka_unit_test(the_timer_has_little_to_do),
		cmocka_unit_test(churn_leaves_no_ruins),
		cmocka_unit_test(tables_are_taken_over),
		cmocka_unit_test(garbage_in_the_tables_is_survived),
		cmocka_unit_test(what_stands_is_never_missed),
		cmocka_unit_test(each_stops_where_it_is_told),
		cmocka_unit_test(a_million_of_each_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
