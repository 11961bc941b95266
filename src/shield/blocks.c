/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block list; abi/shield.h has the format, blocks.h what it is for. Both families are one algorithm: a slot of either
 * is read into a struct entry and written from one, and nothing above those two knows which it was.
 *
 * What the kernel may see at any moment: an entry stands where a look-up finds it from the store that puts it there to the
 * store that takes it away, for it is never moved, and no bucket before it gets an empty slot while it is there
 * (passed_by()). What stands before the tables (bitmaps, masks of lengths, short6, horizon) is widened before an entry is
 * put in and narrowed after one is taken out.
 *
 * A bit of a bitmap may be needed by many prefixes. It is not counted how many: a sweep marks in memory of its own what is
 * needed by each prefix that it leaves standing, and whoever adds one marks that too. When the sweep has been through the
 * whole table the marks are what is needed, and the bitmap becomes them.
 */
#include "shield/blocks.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"

#define BUCKETS_MIN SHIELD_BLOCK6_PROBES /* no look-up comes round to where it began */
#define BITMAP_SIZE (SHIELD_BLOCK_BITS / 8)
#define BITMAP_WORDS (SHIELD_BLOCK_BITS / 64)
#define LENGTH_MAX 128
#define LENGTH_GRAVE SHIELD_BLOCK6_GRAVE
#define CAPACITY_MAX (1u << 28)
#define HZ_MAX 10000
#define SHORT6 SHIELD_BLOCK6_SHORT

/* What a slot holds. */
struct entry {
	__u64 address[2]; /* IPv4: in host byte order, in the first; IPv6: as they lie in memory */
	uint64_t expires; /* IPv4: a tick, its lower 26 bits; IPv6: jiffies */
	uint32_t length;  /* 0: empty; LENGTH_GRAVE */
};

struct table {
	bool ipv4;
	uint32_t buckets, slots, probes;
	union {
		struct shield_block4 *four;
		struct shield_block6 *six;
	} at;
	__u64 *bits;                      /* the bitmap that the kernel reads */
	__u64 *wide;                      /* in the state: of 256 bits of it each, whether one is set */
	__u64 *marks;                     /* what this sweep has found to be needed */
	uint32_t swept;                   /* buckets, of this time round */
	uint32_t *count;                  /* in the state */
	uint32_t lengths[LENGTH_MAX + 1]; /* entries of each length */
};

struct blocks {
	struct shield_block_state *state;
	struct table tables[2]; /* IPv4, IPv6 */
	bool mapped;            /* from descriptors, else from memory_table_new() */
};

/* Where a slot is. */
struct place {
	uint32_t bucket, slot;
};

/* The five pieces of memory of a block list: which map, and how large; filled in from a state. */
struct piece {
	enum shield_map map;
	size_t size;
	void *memory;
};
#define PIECES 5
enum { PIECE_STATE, PIECE_BITS4, PIECE_BITS6, PIECE_TABLE4, PIECE_TABLE6 };

/* Readers in the kernel take words whole, and see what was stored before a word when they see the word. */
static void store(__u64 *word, uint64_t value) /* NOLINT(readability-non-const-parameter): it is written */
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static void store32(uint32_t *word, uint32_t value) /* NOLINT(readability-non-const-parameter): it is written */
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static uint64_t tick_of(const struct blocks *blocks, uint64_t jiffies)
{
	return jiffies >> blocks->state->tick_shift;
}

/* ---- slots ---- */

static struct entry read_slot(const struct table *table, struct place place)
{
	struct entry entry = { .length = 0 };

	if (table->ipv4) {
		uint64_t slot = table->at.four[place.bucket].slot[place.slot];

		entry.address[0] = slot >> 32;
		entry.expires = SHIELD_BLOCK4_EXPIRES(slot);
		entry.length = (uint32_t)slot & 63;
	} else {
		const struct shield_block6_slot *slot = &table->at.six[place.bucket].slot[place.slot];

		entry.address[0] = slot->address[0];
		entry.address[1] = slot->address[1];
		entry.expires = slot->expires;
		entry.length = slot->length;
	}
	if (entry.length > (table->ipv4 ? 32u : LENGTH_MAX))
		entry.length = LENGTH_GRAVE;
	return entry;
}

/* The slot is empty, a grave, holds what has expired, or the same prefix: whoever reads it meanwhile misses nothing. */
static void write_slot(const struct table *table, struct place place, const struct entry *entry)
{
	struct shield_block6_slot *slot;

	if (table->ipv4) {
		store(&table->at.four[place.bucket].slot[place.slot],
		      SHIELD_BLOCK4((uint32_t)entry->address[0], entry->length, entry->expires));
		return;
	}
	slot = &table->at.six[place.bucket].slot[place.slot];
	if (slot->length == entry->length && memcmp(slot->address, entry->address, sizeof(slot->address)) == 0) {
		store(&slot->expires, entry->expires);
		return;
	}
	store32(&slot->length, LENGTH_GRAVE); /* not 0: the bucket must not look as if it had room */
	store32(&slot->generation, slot->generation + 1);
	store(&slot->address[0], entry->address[0]);
	store(&slot->address[1], entry->address[1]);
	store(&slot->expires, entry->expires);
	store32(&slot->length, entry->length);
}

static void empty_slot(const struct table *table, struct place place, bool grave)
{
	if (table->ipv4)
		store(&table->at.four[place.bucket].slot[place.slot], grave ? SHIELD_BLOCK4_GRAVE : 0);
	else
		store32(&table->at.six[place.bucket].slot[place.slot].length, grave ? LENGTH_GRAVE : 0);
}

static bool taken(const struct entry *entry)
{
	return entry->length != 0 && entry->length != LENGTH_GRAVE;
}

static bool same(const struct entry *a, const struct entry *b)
{
	return a->length == b->length && a->address[0] == b->address[0] && a->address[1] == b->address[1];
}

static bool expired(const struct blocks *blocks, const struct table *table, const struct entry *entry, uint64_t now)
{
	if (now >= blocks->state->horizon)
		return true;
	if (table->ipv4)
		return !shield_block4_alive(entry->expires << 6, tick_of(blocks, now));
	return entry->expires <= now;
}

/* Of an entry that has not expired, in jiffies. */
static uint64_t expiry(const struct blocks *blocks, const struct table *table, const struct entry *entry, uint64_t now)
{
	uint64_t tick = tick_of(blocks, now);

	if (!table->ipv4)
		return entry->expires;
	return (tick + ((entry->expires - tick) & SHIELD_BLOCK4_TICKS)) << blocks->state->tick_shift;
}

static uint32_t home(const struct blocks *blocks, const struct table *table, const struct entry *entry)
{
	uint64_t seed = blocks->state->seed;
	uint32_t hash = table->ipv4 ? shield_block4_hash(seed, (uint32_t)entry->address[0], entry->length)
	                            : shield_block6_hash(seed, entry->address, entry->length);

	return hash & (table->buckets - 1);
}

/* Does the bucket end a look-up? */
static bool has_empty(const struct table *table, uint32_t bucket)
{
	for (uint32_t slot = 0; slot < table->slots; slot++)
		if (read_slot(table, (struct place){ bucket, slot }).length == 0)
			return true;
	return false;
}

/*
 * Where the prefix stands: 0, or -ENOENT. Where `room` is not NULL, *room is the first place in which it could be put: one
 * that is empty, a grave, or holds what has expired; has_room says whether there is one.
 */
static int seek(const struct blocks *blocks, const struct table *table, const struct entry *wanted, uint64_t now,
                struct place *found, struct place *room, bool *has_room)
{
	uint32_t first = home(blocks, table, wanted);
	bool roomy = false;

	for (uint32_t i = 0; i < table->probes; i++) {
		uint32_t bucket = (first + i) & (table->buckets - 1);
		bool end = false;

		for (uint32_t slot = 0; slot < table->slots; slot++) {
			struct place place = { bucket, slot };
			struct entry entry = read_slot(table, place);

			if (same(&entry, wanted)) {
				*found = place;
				return 0;
			}
			end = end || entry.length == 0;
			if (room && !roomy && (!taken(&entry) || expired(blocks, table, &entry, now))) {
				*room = place;
				roomy = true;
			}
		}
		if (end)
			break;
	}
	if (has_room)
		*has_room = roomy;
	return -ENOENT;
}

/*
 * Whether a prefix stands behind this bucket because the bucket was full: then it must stay without empty slots. Such a
 * prefix cannot be behind one that has an empty slot itself.
 */
static bool passed_by(const struct blocks *blocks, const struct table *table, uint32_t bucket)
{
	for (uint32_t behind = 1; behind < table->probes; behind++) {
		uint32_t other = (bucket + behind) & (table->buckets - 1);
		bool end = false;

		for (uint32_t slot = 0; slot < table->slots; slot++) {
			struct entry entry = read_slot(table, (struct place){ other, slot });

			end = end || entry.length == 0;
			if (taken(&entry) && ((other - home(blocks, table, &entry)) & (table->buckets - 1)) >= behind)
				return true;
		}
		if (end)
			return false;
	}
	return false;
}

/* ---- what stands before the tables ---- */

static void set_bits(__u64 *bits, uint32_t first, uint32_t count)
{
	while (count > 0) {
		uint32_t shift = first % 64;
		uint32_t here = count < 64 - shift ? count : 64 - shift;
		uint64_t run = (here == 64 ? UINT64_MAX : (1ULL << here) - 1) << shift;

		if ((bits[first / 64] & run) != run)
			store(&bits[first / 64], bits[first / 64] | run);
		first += here;
		count -= here;
	}
}

/* The bits that the entry needs; `wide` may be NULL. */
static void cover(const struct blocks *blocks, const struct table *table, const struct entry *entry, __u64 *bits,
                  __u64 *wide)
{
	uint32_t first, count = 1;

	if (table->ipv4) {
		first = (uint32_t)entry->address[0] >> 8;
		if (entry->length < 24)
			count = 1u << (24 - entry->length);
		first &= ~(count - 1); /* a slot that nobody here wrote may have host bits */
	} else {
		if (entry->length < SHORT6)
			return;
		first = shield_block6_bit(blocks->state->seed, entry->address[0] & htobe64(UINT64_MAX << 16));
	}
	set_bits(bits, first, count);
	if (wide)
		set_bits(wide, first / 256, (first + count - 1) / 256 - first / 256 + 1);
}

/* The masks of lengths and what else is counted, after `change` entries of this length came or went. */
static void count_length(struct blocks *blocks, struct table *table, uint32_t length, int change)
{
	struct shield_block_state *state = blocks->state;
	uint64_t bit = 1ULL << ((length - 1) % 64);
	uint32_t before = table->lengths[length];
	__u64 *mask = &state->lengths6[(length - 1) / 64];

	table->lengths[length] += (uint32_t)change;
	store32(table->count, *table->count + (uint32_t)change);
	if (!table->ipv4 && length < SHORT6)
		store32(&state->short6, state->short6 + (uint32_t)change);
	if ((before == 0) == (table->lengths[length] == 0))
		return;
	if (table->ipv4)
		store32(&state->lengths4, state->lengths4 ^ (uint32_t)bit);
	else
		store(mask, *mask ^ bit);
}

/* The sweep has been through the whole table: what is not marked nothing needs. */
static void settle(struct table *table)
{
	for (uint32_t i = 0; i < BITMAP_WORDS; i++)
		if (table->bits[i] != table->marks[i])
			store(&table->bits[i], table->marks[i]);
	for (uint32_t i = 0; i < SHIELD_BLOCK_WIDE / 64; i++) {
		uint64_t word = 0;

		for (uint32_t bit = 0; bit < 64; bit++) {
			const __u64 *bits = &table->bits[(i * 64 + bit) * 4];

			word |= (uint64_t)((bits[0] | bits[1] | bits[2] | bits[3]) != 0) << bit;
		}
		if (table->wide[i] != word)
			store(&table->wide[i], word);
	}
	memset(table->marks, 0, BITMAP_SIZE);
	table->swept = 0;
}

/* ---- life ---- */

static uint32_t power_of_two_from(uint64_t least)
{
	uint32_t power = BUCKETS_MIN;

	while (power < least && power < 1u << 31)
		power *= 2;
	return power;
}

void blocks_begin(uint32_t capacity, uint32_t hz, uint64_t seed, struct shield_block_state *state)
{
	uint64_t slots = 2 * (uint64_t)capacity;

	*state = (struct shield_block_state){
		.seed = seed,
		.capacity = capacity,
		.hz = hz,
		.buckets4 = power_of_two_from((slots + SHIELD_BLOCK4_SLOTS - 1) / SHIELD_BLOCK4_SLOTS),
		.buckets6 = power_of_two_from((slots + SHIELD_BLOCK6_SLOTS - 1) / SHIELD_BLOCK6_SLOTS),
	};
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
	       state->buckets6 == made.buckets6;
}

static void size_pieces(const struct shield_block_state *state, struct piece pieces[PIECES])
{
	pieces[PIECE_STATE] = (struct piece){ SHIELD_MAP_BLOCK_STATE, sizeof(*state), NULL };
	pieces[PIECE_BITS4] = (struct piece){ SHIELD_MAP_BLOCK4_BITS, BITMAP_SIZE, NULL };
	pieces[PIECE_BITS6] = (struct piece){ SHIELD_MAP_BLOCK6_BITS, BITMAP_SIZE, NULL };
	pieces[PIECE_TABLE4] =
		(struct piece){ SHIELD_MAP_BLOCK4, state->buckets4 * sizeof(struct shield_block4), NULL };
	pieces[PIECE_TABLE6] =
		(struct piece){ SHIELD_MAP_BLOCK6, state->buckets6 * sizeof(struct shield_block6), NULL };
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

/* Takes the pieces over, whose memory is all there, and counts what stands in them; on failure they stay the caller's. */
static int take_over(const struct piece pieces[PIECES], bool mapped, struct blocks **blocks)
{
	struct shield_block_state *state = pieces[PIECE_STATE].memory;
	struct blocks *made = calloc(1, sizeof(*made));
	__u64 *marks4 = memory_table_new(BITMAP_SIZE);
	__u64 *marks6 = memory_table_new(BITMAP_SIZE);

	if (!made || !marks4 || !marks6) {
		memory_table_free(marks4, BITMAP_SIZE);
		memory_table_free(marks6, BITMAP_SIZE);
		free(made);
		return -ENOMEM;
	}
	made->state = state;
	made->mapped = mapped;
	made->tables[0] = (struct table){
		.ipv4 = true,
		.buckets = state->buckets4,
		.slots = SHIELD_BLOCK4_SLOTS,
		.probes = SHIELD_BLOCK4_PROBES,
		.at.four = pieces[PIECE_TABLE4].memory,
		.bits = pieces[PIECE_BITS4].memory,
		.wide = state->wide4,
		.marks = marks4,
		.count = &state->count4,
	};
	made->tables[1] = (struct table){
		.buckets = state->buckets6,
		.slots = SHIELD_BLOCK6_SLOTS,
		.probes = SHIELD_BLOCK6_PROBES,
		.at.six = pieces[PIECE_TABLE6].memory,
		.bits = pieces[PIECE_BITS6].memory,
		.wide = state->wide6,
		.marks = marks6,
		.count = &state->count6,
	};
	*blocks = made;
	return 0;
}

/*
 * Counts anew what stands in the tables: who wrote them before may have ended at any instruction. Nothing that the kernel
 * goes by is narrowed before all has been counted.
 */
static void count_anew(struct blocks *blocks)
{
	uint64_t lengths4 = 0, lengths6[2] = { 0, 0 };
	uint32_t short6 = 0;

	for (unsigned family = 0; family < 2; family++) {
		struct table *table = &blocks->tables[family];
		uint32_t count = 0;

		for (uint32_t i = 0; i < table->buckets * table->slots; i++) {
			struct entry entry = read_slot(table, (struct place){ i / table->slots, i % table->slots });

			if (!taken(&entry))
				continue;
			cover(blocks, table, &entry, table->bits, table->wide);
			table->lengths[entry.length]++;
			count++;
		}
		store32(table->count, count);
	}
	for (uint32_t length = 1; length <= LENGTH_MAX; length++) {
		uint64_t bit = 1ULL << ((length - 1) % 64);

		if (blocks->tables[0].lengths[length])
			lengths4 |= bit;
		if (blocks->tables[1].lengths[length])
			lengths6[(length - 1) / 64] |= bit;
		if (length < SHORT6)
			short6 += blocks->tables[1].lengths[length];
	}
	store32(&blocks->state->lengths4, (uint32_t)lengths4);
	store(&blocks->state->lengths6[0], lengths6[0]);
	store(&blocks->state->lengths6[1], lengths6[1]);
	store32(&blocks->state->short6, short6);
}

/* NULL, and errno says why. */
static void *map_memory(const struct shield_maps *maps, enum shield_map map, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, maps->fd[map], 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int blocks_new(const struct shield_maps *maps, struct blocks **blocks)
{
	struct shield_block_state *state = map_memory(maps, SHIELD_MAP_BLOCK_STATE, sizeof(*state));
	struct shield_block_state had;
	struct piece pieces[PIECES];
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
		pieces[i].memory = map_memory(maps, pieces[i].map, pieces[i].size);
		if (!pieces[i].memory)
			error = -errno;
	}
	if (!error)
		error = take_over(pieces, true, blocks);
	if (error) {
		release_pieces(pieces, true);
		return error;
	}
	count_anew(*blocks);
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
	pieces[PIECE_BITS4].memory = blocks->tables[0].bits;
	pieces[PIECE_BITS6].memory = blocks->tables[1].bits;
	pieces[PIECE_TABLE4].memory = blocks->tables[0].at.four;
	pieces[PIECE_TABLE6].memory = blocks->tables[1].at.six;
	release_pieces(pieces, blocks->mapped);
	memory_table_free(blocks->tables[0].marks, BITMAP_SIZE);
	memory_table_free(blocks->tables[1].marks, BITMAP_SIZE);
	free(blocks);
}

/* ---- what it does ---- */

/* The prefix as an entry without expiry: 0, or -EINVAL where it is none that can be listed. */
static int entry_of(const struct prefix *prefix, struct entry *entry)
{
	struct prefix clean = prefix_of(&prefix->address, prefix->length);
	const uint8_t *octets = prefix->address.octets;
	uint32_t word;

	/* Without host bits, and of the family and length that it says. */
	if (prefix->length == 0 || !prefix_equal(&clean, prefix))
		return -EINVAL;
	*entry = (struct entry){ .length = prefix->length };
	if (prefix->is_ipv4) {
		memcpy(&word, octets + 12, sizeof(word));
		entry->address[0] = be32toh(word);
	} else {
		memcpy(entry->address, octets, sizeof(entry->address));
	}
	return 0;
}

static struct prefix prefix_from(const struct table *table, const struct entry *entry)
{
	struct address address;
	uint32_t word;

	if (table->ipv4) {
		uint8_t octets[4];

		word = htobe32((uint32_t)entry->address[0]);
		memcpy(octets, &word, sizeof(octets));
		address = address_from_ipv4(octets);
	} else {
		memcpy(address.octets, entry->address, sizeof(address.octets));
	}
	return prefix_of(&address, entry->length);
}

/* Takes the entry out; a grave may be left, for open_graves() to see to. */
static void take_out(struct blocks *blocks, struct table *table, struct place place)
{
	struct entry entry = read_slot(table, place);

	empty_slot(table, place, !has_empty(table, place.bucket));
	count_length(blocks, table, entry.length, -1);
}

/* Graves of a bucket that nothing needs to pass by are empty slots again. */
static void open_graves(const struct blocks *blocks, const struct table *table, uint32_t bucket)
{
	bool graves = false;

	for (uint32_t slot = 0; slot < table->slots; slot++)
		graves = graves || read_slot(table, (struct place){ bucket, slot }).length == LENGTH_GRAVE;
	if (!graves || passed_by(blocks, table, bucket))
		return;
	for (uint32_t slot = 0; slot < table->slots; slot++)
		if (read_slot(table, (struct place){ bucket, slot }).length == LENGTH_GRAVE)
			empty_slot(table, (struct place){ bucket, slot }, false);
}

static unsigned sweep_bucket(struct blocks *blocks, struct table *table, uint32_t bucket, uint64_t now)
{
	unsigned freed = 0;

	for (uint32_t slot = 0; slot < table->slots; slot++) {
		struct place place = { bucket, slot };
		struct entry entry = read_slot(table, place);

		if (!taken(&entry))
			continue;
		if (expired(blocks, table, &entry, now)) {
			take_out(blocks, table, place);
			freed++;
		} else {
			cover(blocks, table, &entry, table->marks, NULL);
		}
	}
	open_graves(blocks, table, bucket);
	return freed;
}

unsigned blocks_sweep(struct blocks *blocks, uint64_t now, uint32_t buckets)
{
	unsigned freed = 0;

	for (unsigned family = 0; family < 2; family++) {
		struct table *table = &blocks->tables[family];
		uint32_t count = buckets < table->buckets ? buckets : table->buckets;

		for (uint32_t i = 0; i < count; i++) {
			freed += sweep_bucket(blocks, table, table->swept++, now);
			if (table->swept == table->buckets)
				settle(table);
		}
	}
	return freed;
}

int blocks_add(struct blocks *blocks, const struct prefix *prefix, uint64_t now, uint64_t expires)
{
	struct shield_block_state *state = blocks->state;
	struct table *table = &blocks->tables[prefix->is_ipv4 ? 0 : 1];
	uint64_t per_tick = 1ULL << state->tick_shift;
	struct place place = { 0, 0 }, room = { 0, 0 };
	struct entry entry, old = { .length = 0 };
	bool has_room = false;
	int error = entry_of(prefix, &entry);

	if (error || expires <= now)
		return -EINVAL;
	if (expires > UINT64_MAX - per_tick || expires - now > BLOCKS_DAYS_MAX * 86400ULL * state->hz)
		return -ERANGE;
	expires = (expires + per_tick - 1) & ~(per_tick - 1);

	/* All that is there has expired, perhaps so long ago that its ticks would mean the future again. */
	if (now >= state->horizon && state->count4 + state->count6 > 0)
		(void)blocks_sweep(blocks, now, UINT32_MAX);

	entry.expires = table->ipv4 ? tick_of(blocks, expires) & SHIELD_BLOCK4_TICKS : expires;
	error = seek(blocks, table, &entry, now, &place, &room, &has_room);
	if (error) {
		if (!has_room)
			return -ENOSPC;
		old = read_slot(table, room);
		if (!taken(&old) && *table->count >= state->capacity)
			return -ENOSPC;
	}
	if (expires > state->horizon)
		store(&state->horizon, expires);
	cover(blocks, table, &entry, table->bits, table->wide);
	cover(blocks, table, &entry, table->marks, NULL);
	if (!error) {
		write_slot(table, place, &entry);
		return 0;
	}
	count_length(blocks, table, entry.length, 1);
	write_slot(table, room, &entry);
	if (taken(&old))
		count_length(blocks, table, old.length, -1);
	return 0;
}

int blocks_remove(struct blocks *blocks, const struct prefix *prefix, uint64_t now)
{
	struct table *table = &blocks->tables[prefix->is_ipv4 ? 0 : 1];
	struct entry entry, old;
	struct place place;

	if (entry_of(prefix, &entry) != 0 || seek(blocks, table, &entry, now, &place, NULL, NULL) != 0)
		return -ENOENT;
	old = read_slot(table, place);
	take_out(blocks, table, place);
	open_graves(blocks, table, place.bucket);
	return expired(blocks, table, &old, now) ? -ENOENT : 0;
}

/* As the kernel looks: can it be there at all, and of which lengths? */
static bool may_be_listed(const struct blocks *blocks, const struct table *table, const struct entry *host)
{
	uint32_t bit;

	if (table->ipv4) {
		bit = (uint32_t)host->address[0] >> 8;
	} else {
		if (blocks->state->short6)
			return true;
		bit = shield_block6_bit(blocks->state->seed, host->address[0] & htobe64(UINT64_MAX << 16));
	}
	return (table->bits[bit / 64] >> bit % 64 & 1) != 0;
}

static bool length_is_listed(const struct blocks *blocks, const struct table *table, uint32_t length)
{
	uint64_t mask = table->ipv4 ? blocks->state->lengths4 : blocks->state->lengths6[(length - 1) / 64];

	return (mask >> (length - 1) % 64 & 1) != 0;
}

int blocks_find(const struct blocks *blocks, const struct address *address, uint64_t now, struct prefix *found,
                uint64_t *expires)
{
	struct prefix prefix = prefix_of(address, LENGTH_MAX);
	const struct table *table = &blocks->tables[prefix.is_ipv4 ? 0 : 1];
	struct entry entry;
	struct place place;

	if (now >= blocks->state->horizon || entry_of(&prefix, &entry) != 0 || !may_be_listed(blocks, table, &entry))
		return -ENOENT;
	for (uint32_t length = prefix.length; length > 0; length--) {
		if (!length_is_listed(blocks, table, length))
			continue;
		prefix = prefix_of(address, length);
		if (entry_of(&prefix, &entry) != 0 || seek(blocks, table, &entry, now, &place, NULL, NULL) != 0)
			continue;
		entry = read_slot(table, place);
		if (expired(blocks, table, &entry, now))
			continue;
		*found = prefix;
		*expires = expiry(blocks, table, &entry, now);
		return 0;
	}
	return -ENOENT;
}

void blocks_count(const struct blocks *blocks, uint32_t *ipv4, uint32_t *ipv6, uint32_t *capacity)
{
	*ipv4 = blocks->state->count4;
	*ipv6 = blocks->state->count6;
	*capacity = blocks->state->capacity;
}

int blocks_each(const struct blocks *blocks, uint64_t now,
                int (*each)(void *context, const struct prefix *prefix, uint64_t expires), void *context)
{
	for (unsigned family = 0; family < 2; family++) {
		const struct table *table = &blocks->tables[family];

		for (uint32_t i = 0; i < table->buckets * table->slots; i++) {
			struct entry entry = read_slot(table, (struct place){ i / table->slots, i % table->slots });
			struct prefix prefix;
			int stop;

			if (!taken(&entry) || expired(blocks, table, &entry, now))
				continue;
			prefix = prefix_from(table, &entry);
			stop = each(context, &prefix, expiry(blocks, table, &entry, now));
			if (stop)
				return stop;
		}
	}
	return 0;
}
