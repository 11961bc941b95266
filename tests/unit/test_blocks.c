/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block list over files in memory that stand for the kernel's maps. What it says is held against a naive twin, a plain
 * list of prefixes, and so is what the kernel would say: looked_up() reads the memory as abi/shield.h has it, with code
 * of its own.
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
	maps->size[SHIELD_MAP_BLOCK4_BITS] = SHIELD_BLOCK_BITS / 8;
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

/* Both bits, as the kernel asks them. */
static bool bits_of(const struct maps *maps, bool ipv4, uint32_t bit)
{
	const struct shield_block_state *state = maps->state;

	return shield_block_wide(ipv4 ? state->wide4 : state->wide6, bit) &&
	       bit_of(maps, ipv4 ? SHIELD_MAP_BLOCK4_BITS : SHIELD_MAP_BLOCK6_BITS, bit);
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

/* What the kernel would make of a packet from this address. */
static bool looked_up(const struct maps *maps, const struct address *address, uint64_t now)
{
	const struct shield_block_state *state = maps->state;
	bool ipv4 = address_is_ipv4(address);
	uint64_t tick = now >> state->tick_shift;

	if (now >= state->horizon)
		return false;
	if (ipv4 ? !bits_of(maps, true, ipv4_of(address) >> 8)
	         : !state->short6 && !bits_of(maps, false, bit6_of(maps, address)))
		return false;
	for (unsigned length = 1; length <= (ipv4 ? 32 : 128); length++) {
		struct prefix prefix = prefix_of(address, length);
		__u64 word[2];

		memcpy(word, prefix.address.octets, sizeof(word));
		if (!((ipv4 ? state->lengths4 : state->lengths6[(length - 1) / 64]) >> (length - 1) % 64 & 1))
			continue;
		for (unsigned i = 0; i < (ipv4 ? SHIELD_BLOCK4_PROBES : SHIELD_BLOCK6_PROBES); i++) {
			bool end = false;

			if (ipv4) {
				const struct shield_block4 *table = maps->memory[SHIELD_MAP_BLOCK4];
				uint32_t host = ipv4_of(&prefix.address);
				uint32_t at = shield_block4_hash(state->seed, host, length) + i;

				for (unsigned slot = 0; slot < SHIELD_BLOCK4_SLOTS; slot++) {
					uint64_t had = table[at & (state->buckets4 - 1)].slot[slot];

					end = end || had == 0;
					if (SHIELD_BLOCK4_WHAT(had) == SHIELD_BLOCK4(host, length, 0) &&
					    shield_block4_alive(had, tick))
						return true;
				}
			} else {
				const struct shield_block6 *table = maps->memory[SHIELD_MAP_BLOCK6];
				uint32_t at = shield_block6_hash(state->seed, word, length) + i;
				const struct shield_block6 *bucket = &table[at & (state->buckets6 - 1)];

				for (unsigned slot = 0; slot < SHIELD_BLOCK6_SLOTS; slot++) {
					const struct shield_block6_slot *had = &bucket->slot[slot];

					end = end || had->length == 0;
					if (had->length == length && memcmp(had->address, word, sizeof(word)) == 0 &&
					    had->expires > now)
						return true;
				}
			}
			if (end)
				break;
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

static struct prefix random_prefix(void)
{
	struct address address = random_address();
	bool ipv4 = address_is_ipv4(&address);
	unsigned longest = ipv4 ? 32 : 128;

	if (rnd_below(3) == 0)
		return prefix_of(&address, longest);
	if (rnd_below(3) == 0)
		return prefix_of(&address, ipv4 ? 24 : 64);
	return prefix_of(&address, 1 + rnd_below(longest));
}

static void held_against_twin(struct pair *pair)
{
	struct address address = random_address();
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
	uint64_t *need = calloc(2, SHIELD_BLOCK_BITS / 8), *need6 = need + SHIELD_BLOCK_BITS / 64;
	uint64_t lengths[2][2] = { { 0 } };
	uint32_t count[2] = { 0 }, short6 = 0, capacity, count4, count6;

	assert_non_null(need);
	(void)blocks_sweep(pair->blocks, pair->now, UINT32_MAX);
	(void)blocks_sweep(pair->blocks, pair->now, UINT32_MAX);
	for (unsigned i = 0; i < pair->twin->count; i++) {
		const struct prefix *prefix = &pair->twin->entries[i].prefix;
		uint32_t bit = bit6_of(maps, &prefix->address), bits = 1;
		uint64_t *bitmap = need6;

		count[prefix->is_ipv4]++;
		lengths[prefix->is_ipv4][(prefix->length - 1) / 64] |= 1ULL << (prefix->length - 1) % 64;
		if (prefix->is_ipv4) {
			bitmap = need;
			bit = ipv4_of(&prefix->address) >> 8;
			bits = prefix->length < 24 ? 1u << (24 - prefix->length) : 1;
		} else if (prefix->length < 48) {
			short6++;
			continue;
		}
		for (; bits > 0; bits--, bit++)
			bitmap[bit / 64] |= 1ULL << bit % 64;
	}
	assert_int_equal(memcmp(need, maps->memory[SHIELD_MAP_BLOCK4_BITS], SHIELD_BLOCK_BITS / 8), 0);
	assert_int_equal(memcmp(need6, maps->memory[SHIELD_MAP_BLOCK6_BITS], SHIELD_BLOCK_BITS / 8), 0);
	for (uint32_t bit = 0; bit < SHIELD_BLOCK_BITS; bit += 256) {
		static const uint8_t none[32];

		assert_int_equal(shield_block_wide(maps->state->wide4, bit),
		                 memcmp((uint8_t *)need + bit / 8, none, 32) != 0);
		assert_int_equal(shield_block_wide(maps->state->wide6, bit),
		                 memcmp((uint8_t *)need6 + bit / 8, none, 32) != 0);
	}
	assert_int_equal(maps->state->lengths4, lengths[1][0]);
	assert_int_equal(maps->state->lengths6[0], lengths[0][0]);
	assert_int_equal(maps->state->lengths6[1], lengths[0][1]);
	assert_int_equal(maps->state->short6, short6);
	blocks_count(pair->blocks, &count4, &count6, &capacity);
	assert_int_equal(count4, count[1]);
	assert_int_equal(count6, count[0]);
	assert_int_equal(capacity, maps->state->capacity);
	free(need);
}

static void one_step(struct pair *pair)
{
	struct prefix prefix = random_prefix();
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
		wrapped = pair.now + ((uint64_t)(SHIELD_BLOCK4_TICKS + 1) * ticks / 4 << 9) + (ticks ? 0 : 61000);
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
	for (unsigned i = 0; i < pair.maps.state->buckets4; i++)
		for (unsigned slot = 0; slot < SHIELD_BLOCK4_SLOTS; slot++)
			assert_int_equal(
				((const struct shield_block4 *)pair.maps.memory[SHIELD_MAP_BLOCK4])[i].slot[slot], 0);
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
			memset(shared->wide4, 0, sizeof(shared->wide4));
			memset(shared->wide6, 0, sizeof(shared->wide6));
			memset(pair.maps.memory[SHIELD_MAP_BLOCK4_BITS], 0, SHIELD_BLOCK_BITS / 8);
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
	for (unsigned map = SHIELD_MAP_BLOCK4_BITS; map <= SHIELD_MAP_BLOCK6; map++) {
		words = pair.maps.memory[map];
		for (size_t i = 0; i < pair.maps.size[map] / sizeof(*words); i++)
			words[i] = rnd_below(4) ? rnd() : 0;
	}
	assert_int_equal(blocks_new(&pair.maps.fds, &pair.blocks), 0);
	for (unsigned i = 0; i < 2000; i++) {
		prefix = random_prefix();
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
	unsigned long looked, missed;
	bool stop;
};

static void *watch(void *context)
{
	struct watcher *watcher = context;

	while (!__atomic_load_n(&watcher->stop, __ATOMIC_RELAXED)) {
		for (unsigned i = 0; i < STANDING; i++)
			watcher->missed += !looked_up(watcher->maps, &watcher->standing[i], watcher->now);
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
		cmocka_unit_test(churn_leaves_no_ruins),
		cmocka_unit_test(tables_are_taken_over),
		cmocka_unit_test(garbage_in_the_tables_is_survived),
		cmocka_unit_test(what_stands_is_never_missed),
		cmocka_unit_test(each_stops_where_it_is_told),
		cmocka_unit_test(a_million_of_each_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
