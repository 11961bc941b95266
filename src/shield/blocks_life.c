/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a block list: how large its tables are, where they lie, and what is made of them when they are taken
 * over.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "shield/blocks.h"
#include "shield/blocks_inside.h"
#include "shield/lanes.h"

#define BUCKETS_MIN SHIELD_BLOCK6_PROBES /* no look-up comes round to where it began */
#define BITMAP_SIZE (SHIELD_BLOCK_BITS / 8)
#define CAPACITY_MAX (1u << 28)
#define LANES_LOAD 8   /* of a bucket's lanes, at capacity: one prefix in eight hundred finds none */
#define MORE4_SHARE 64 /* and there is room elsewhere for one in so many */
#define HZ_MAX 10000

/* The pieces of memory of a block list: which map, and how large; filled in from a state. */
struct piece {
	size_t size;
	void *memory;
	enum shield_map map;
	bool read_only;
};
enum {
	PIECE_STATE,
	PIECE_CLASSES4,
	PIECE_LANES4,
	PIECE_EXPIRES4,
	PIECE_DUE4,
	PIECE_SWEPT4,
	PIECE_MORE4,
	PIECE_BITS6,
	PIECE_TABLE6,
	PIECES,
};

/* The first power of two that is not less, from another one on. */
static uint32_t power_of_two_from(uint32_t power, uint64_t least)
{
	while (power < least && power < 1u << 31)
		power *= 2;
	return power;
}

void blocks_begin(uint32_t capacity, uint32_t hz, uint64_t seed, struct shield_block_state *state)
{
	uint64_t slots = 2 * (uint64_t)capacity;
	uint64_t key = shield_mix(seed);

	*state = (struct shield_block_state){
		.seed = seed,
		.capacity = capacity,
		.hz = hz,
		.xor4 = shield_mix(key ^ 1) & UINT64_MAX >> (64 - SHIELD_CODE4_BITS),
		.times4 = (shield_mix(key ^ 2) & UINT64_MAX >> (64 - SHIELD_CODE4_BITS)) | 1,
		.buckets4 = power_of_two_from(SHIELD_BLOCK4_BUCKETS_MIN, (uint64_t)capacity / LANES_LOAD),
		.more4 = power_of_two_from(BUCKETS_MIN, (uint64_t)capacity / MORE4_SHARE * 2 / SHIELD_MORE4_SLOTS),
		.buckets6 = power_of_two_from(BUCKETS_MIN, (slots + SHIELD_BLOCK6_SLOTS - 1) / SHIELD_BLOCK6_SLOTS),
	};
	state->lane_bits = SHIELD_CODE4_BITS - (uint32_t)__builtin_ctz(state->buckets4);
	while ((2ULL << state->tick_shift) < hz)
		state->tick_shift++;
}

/* A state that comes from pinned maps may be of any making. */
static bool is_sound(const struct shield_block_state *state)
{
	struct shield_block_state made;

	if (state->capacity == 0 || state->capacity > CAPACITY_MAX || state->hz == 0 || state->hz > HZ_MAX)
		return false;
	blocks_begin(state->capacity, state->hz, 0, &made);
	return state->tick_shift == made.tick_shift && state->buckets4 == made.buckets4 &&
	       state->lane_bits == made.lane_bits && state->more4 == made.more4 && state->buckets6 == made.buckets6 &&
	       (state->xor4 | state->times4) >> SHIELD_CODE4_BITS == 0 && state->times4 % 2 == 1;
}

static void size_pieces(const struct shield_block_state *state, struct piece pieces[PIECES])
{
	size_t buckets = state->buckets4, values = buckets / SHIELD_BLOCK4_GROUP / SHIELD_BLOCK4_GROUPS;
	const struct piece sized[PIECES] = {
		[PIECE_STATE] = { sizeof(*state), NULL, SHIELD_MAP_BLOCK_STATE, false },
		[PIECE_CLASSES4] = { SHIELD_CLASSES, NULL, SHIELD_MAP_BLOCK4_CLASSES, false },
		[PIECE_LANES4] = { buckets * sizeof(struct shield_block4), NULL, SHIELD_MAP_BLOCK4, false },
		[PIECE_EXPIRES4] = { buckets * sizeof(struct shield_expires4), NULL, SHIELD_MAP_BLOCK4_EXPIRES, false },
		[PIECE_DUE4] = { values * sizeof(struct shield_due4), NULL, SHIELD_MAP_BLOCK4_DUE, false },
		[PIECE_SWEPT4] = { values * sizeof(struct shield_swept4), NULL, SHIELD_MAP_BLOCK4_SWEPT, true },
		[PIECE_MORE4] = { state->more4 * sizeof(struct shield_more4), NULL, SHIELD_MAP_BLOCK4_MORE, false },
		[PIECE_BITS6] = { BITMAP_SIZE, NULL, SHIELD_MAP_BLOCK6_BITS, false },
		[PIECE_TABLE6] = { state->buckets6 * sizeof(struct shield_block6), NULL, SHIELD_MAP_BLOCK6, false },
	};

	memcpy(pieces, sized, sizeof(sized));
}

static void release_pieces(struct piece pieces[PIECES], bool mapped)
{
	for (unsigned i = 0; i < PIECES; i++) {
		if (!pieces[i].memory)
			continue;
		if (mapped)
			(void)munmap(pieces[i].memory, pieces[i].size);
		else
			memory_table_free(pieces[i].memory, pieces[i].size);
	}
}

/* Takes the pieces over, whose memory is all there; on failure they stay the caller's. */
static int take_over(const struct piece pieces[PIECES], bool mapped, struct blocks **blocks)
{
	struct shield_block_state *state = pieces[PIECE_STATE].memory;
	struct blocks *made = calloc(1, sizeof(*made));
	__u64 *marks4 = memory_table_new(SHIELD_CLASSES);
	__u64 *marks6 = memory_table_new(BITMAP_SIZE);

	if (!made || !marks4 || !marks6) {
		memory_table_free(marks4, SHIELD_CLASSES);
		memory_table_free(marks6, BITMAP_SIZE);
		free(made);
		return -ENOMEM;
	}
	made->state = state;
	made->mapped = mapped;
	made->swept = pieces[PIECE_SWEPT4].memory;
	made->lanes = (struct lanes){
		.state = state,
		.buckets = pieces[PIECE_LANES4].memory,
		.expires = pieces[PIECE_EXPIRES4].memory,
		.due = pieces[PIECE_DUE4].memory,
		.swept = pieces[PIECE_SWEPT4].memory,
	};
	lanes_init(&made->lanes);
	made->families[0] = (struct blocks_family){
		.table = {
			.ipv4 = true,
			.buckets = state->more4,
			.slots = SHIELD_MORE4_SLOTS,
			.probes = SHIELD_MORE4_PROBES,
			.at.four = pieces[PIECE_MORE4].memory,
		},
		.buckets = state->buckets4 + state->more4,
		.bits = pieces[PIECE_CLASSES4].memory,
		.bits_size = SHIELD_CLASSES,
		.marks = marks4,
		.count = &state->count4,
	};
	made->families[1] = (struct blocks_family){
		.table = {
			.buckets = state->buckets6,
			.slots = SHIELD_BLOCK6_SLOTS,
			.probes = SHIELD_BLOCK6_PROBES,
			.at.six = pieces[PIECE_TABLE6].memory,
		},
		.buckets = state->buckets6,
		.bits = pieces[PIECE_BITS6].memory,
		.bits_size = BITMAP_SIZE,
		.wide = state->wide6,
		.marks = marks6,
		.count = &state->count6,
	};
	*blocks = made;
	return 0;
}

int blocks_walk(const struct blocks_walk *walk)
{
	const struct blocks *blocks = walk->blocks;
	const struct blocks_table *table = &walk->family->table;
	uint32_t lanes = table->ipv4 ? blocks->state->buckets4 : 0;
	int stop = 0;

	for (uint32_t bucket = 0; bucket < lanes && !stop; bucket++)
		for (unsigned lane = 0; lane < SHIELD_BLOCK4_LANES && !stop && lanes_any(&blocks->lanes, bucket);
		     lane++) {
			struct blocks_entry entry = blocks_read_lane(blocks, bucket, lane);

			if (blocks_taken(&entry))
				stop = walk->each(walk, &entry, true, walk->context);
		}
	for (uint32_t i = 0; i < table->buckets * table->slots && !stop; i++) {
		struct blocks_entry entry =
			blocks_read_slot(table, (struct blocks_place){ i / table->slots, i % table->slots });

		if (blocks_taken(&entry))
			stop = walk->each(walk, &entry, false, walk->context);
	}
	return stop;
}

/* Lanes that hold what can be no prefix, which only others can have written, are emptied. */
static void clear_lanes(struct blocks *blocks)
{
	uint32_t odd = ~0u << blocks->state->lane_bits & 0xffff;

	for (uint32_t bucket = 0; bucket < blocks->state->buckets4; bucket++)
		for (unsigned lane = 0; lane < SHIELD_BLOCK4_LANES && lanes_any(&blocks->lanes, bucket); lane++) {
			struct blocks_entry entry = blocks_read_lane(blocks, bucket, lane);
			uint32_t remainder = shield_lane4(&blocks->lanes.buckets[bucket], lane);

			if (remainder != 0 && (remainder & odd || !blocks_taken(&entry)))
				lanes_take(&blocks->lanes, bucket, lane);
		}
}

struct counted {
	struct blocks_family *family;
	uint16_t *more; /* of each bucket of lanes, what stands in the table */
};

static int count_entry(const struct blocks_walk *walk, const struct blocks_entry *entry, bool in_lane, void *context)
{
	struct counted *counted = context;

	blocks_cover(walk->blocks, walk->family, entry, walk->family->bits);
	counted->family->lengths[entry->length]++;
	if (!in_lane && walk->family->table.ipv4) {
		uint16_t *more = &counted->more[lanes_seek(&walk->blocks->lanes, blocks_code_of(entry), 0).bucket];

		if (*more < LANES_MORE_MAX)
			(*more)++;
	}
	return 0;
}

/*
 * Counts anew what stands in the tables: who wrote them before may have ended at any instruction. Nothing that the
 * kernel goes by is narrowed before all has been counted.
 */
static int count_anew(struct blocks *blocks)
{
	uint16_t *more = calloc(blocks->state->buckets4, sizeof(*more));
	uint64_t lengths4 = 0, lengths6[2] = { 0, 0 };
	uint32_t short6 = 0;

	if (!more)
		return -ENOMEM;
	clear_lanes(blocks);
	for (unsigned i = 0; i < 2; i++) {
		struct blocks_family *family = &blocks->families[i];
		struct counted counted = { family, more };
		const struct blocks_walk walk = { blocks, family, count_entry, &counted };
		uint32_t count = 0;

		(void)blocks_walk(&walk);
		for (uint32_t length = 1; length <= BLOCKS_LENGTH_MAX; length++)
			count += family->lengths[length];
		blocks_store32(family->count, count);
	}
	for (uint32_t length = 1; length <= BLOCKS_LENGTH_MAX; length++) {
		uint64_t bit = 1ULL << ((length - 1) % 64);

		if (blocks->families[0].lengths[length])
			lengths4 |= bit;
		if (blocks->families[1].lengths[length])
			lengths6[(length - 1) / 64] |= bit;
		if (length < BLOCKS_SHORT6)
			short6 += blocks->families[1].lengths[length];
	}
	for (uint32_t bucket = 0; bucket < blocks->state->buckets4; bucket++)
		if (lanes_more(&blocks->lanes, bucket) != more[bucket])
			lanes_set_more(&blocks->lanes, bucket, more[bucket]);
	for (uint32_t bucket = 0; bucket < blocks->state->buckets4; bucket += SHIELD_BLOCK4_GROUP)
		lanes_look_again(&blocks->lanes, bucket);
	blocks_store32(&blocks->state->lengths4, (uint32_t)lengths4);
	blocks_store(&blocks->state->lengths6[0], lengths6[0]);
	blocks_store(&blocks->state->lengths6[1], lengths6[1]);
	blocks_store32(&blocks->state->short6, short6);
	free(more);
	return 0;
}

/* NULL, and errno says why. */
static void *map_memory(const struct shield_maps *maps, const struct piece *piece)
{
	int protection = piece->read_only ? PROT_READ : PROT_READ | PROT_WRITE;
	void *memory = mmap(NULL, piece->size, protection, MAP_SHARED, maps->fd[piece->map], 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int blocks_new(const struct shield_maps *maps, struct blocks **blocks)
{
	const struct piece first = { sizeof(struct shield_block_state), NULL, SHIELD_MAP_BLOCK_STATE, false };
	struct shield_block_state *state = map_memory(maps, &first);
	struct shield_block_state had;
	struct piece pieces[PIECES];
	struct blocks *made = NULL;
	int error = 0;

	if (!state)
		return -errno;
	had = *state;
	if (!is_sound(&had)) {
		(void)munmap(state, sizeof(*state));
		return -EBADMSG;
	}
	size_pieces(&had, pieces);
	pieces[PIECE_STATE].memory = state;
	for (unsigned i = PIECE_STATE + 1; i < PIECES && !error; i++) {
		pieces[i].memory = map_memory(maps, &pieces[i]);
		if (!pieces[i].memory)
			error = -errno;
	}
	if (!error)
		error = take_over(pieces, true, &made);
	if (error) {
		release_pieces(pieces, true);
		return error;
	}
	error = count_anew(made);
	if (error) {
		blocks_free(made);
		return error;
	}
	*blocks = made;
	return 0;
}

int blocks_new_private(uint32_t capacity, uint32_t hz, uint64_t seed, struct blocks **blocks)
{
	struct piece pieces[PIECES];
	struct shield_block_state state;
	int error;

	blocks_begin(capacity, hz, seed, &state);
	if (!is_sound(&state))
		return -EINVAL;
	size_pieces(&state, pieces);
	for (unsigned i = 0; i < PIECES; i++)
		pieces[i].memory = memory_table_new(pieces[i].size);
	error = 0;
	for (unsigned i = 0; i < PIECES; i++)
		error = pieces[i].memory ? error : -ENOMEM;
	if (!error) {
		*(struct shield_block_state *)pieces[PIECE_STATE].memory = state;
		error = take_over(pieces, false, blocks);
	}
	if (error)
		release_pieces(pieces, false);
	return error;
}

void blocks_free(struct blocks *blocks)
{
	struct piece pieces[PIECES];

	if (!blocks)
		return;
	size_pieces(blocks->state, pieces);
	pieces[PIECE_STATE].memory = blocks->state;
	pieces[PIECE_CLASSES4].memory = blocks->families[0].bits;
	pieces[PIECE_LANES4].memory = blocks->lanes.buckets;
	pieces[PIECE_EXPIRES4].memory = blocks->lanes.expires;
	pieces[PIECE_DUE4].memory = blocks->lanes.due;
	pieces[PIECE_SWEPT4].memory = blocks->swept;
	pieces[PIECE_MORE4].memory = blocks->families[0].table.at.four;
	pieces[PIECE_BITS6].memory = blocks->families[1].bits;
	pieces[PIECE_TABLE6].memory = blocks->families[1].table.at.six;
	release_pieces(pieces, blocks->mapped);
	for (unsigned i = 0; i < 2; i++)
		memory_table_free(blocks->families[i].marks, blocks->families[i].bits_size);
	free(blocks);
}
