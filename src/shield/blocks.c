/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block list; abi/shield.h has the format, blocks.h what it is for. IPv4 stands in lanes (lanes.h), and what finds none
 * in a table of slots, as all of IPv6 does; tables of both families are one algorithm: a slot of either is read into a
 * struct entry and written from one, and nothing above those two knows which it was.
 *
 * What the kernel may see at any moment: an entry stands where a look-up finds it from the store that puts it there to the
 * store that takes it away, for it is never moved, and no bucket before it gets an empty slot while it is there
 * (passed_by()). What stands before the tables (classes, bitmap, masks of lengths, short6, horizon, the 16th lane) is
 * widened before an entry is put in and narrowed after one is taken out.
 *
 * A bit of classes or bitmap may be needed by many prefixes. It is not counted how many: a sweep marks in memory of its own
 * what is needed by each prefix that it leaves standing, and whoever adds one marks that too. When the sweep has been
 * through the whole family the marks are what is needed, and the bits become them.
 */
#include "shield/blocks.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "shield/lanes.h"

#define BUCKETS_MIN SHIELD_BLOCK6_PROBES /* no look-up comes round to where it began */
#define BITMAP_SIZE (SHIELD_BLOCK_BITS / 8)
#define LENGTH_MAX 128
#define LENGTH_GRAVE SHIELD_BLOCK6_GRAVE
#define CAPACITY_MAX (1u << 28)
#define LANES_LOAD 8   /* of a bucket's lanes, at capacity: one prefix in eight hundred finds none */
#define MORE4_SHARE 64 /* and there is room elsewhere for one in so many */
#define HZ_MAX 10000
#define SHORT6 48 /* IPv6 prefixes shorter than this have no bits */

/* What a lane or slot holds. */
struct entry {
	__u64 address[2]; /* IPv4: in host byte order, in the first; IPv6: as they lie in memory */
	uint64_t expires; /* a lane's: a tick; IPv4 in a slot: its lower 26 bits; IPv6: jiffies */
	uint32_t length;  /* 0: empty; LENGTH_GRAVE */
};

struct table {
	bool ipv4;
	uint32_t buckets, slots, probes;
	union {
		struct shield_more4 *four;
		struct shield_block6 *six;
	} at;
};

struct family {
	struct table table;
	__u64 *bits;                      /* classes or bitmap, as the kernel reads them */
	__u64 *wide;                      /* IPv6, in the state: of 256 bits of the bitmap each, whether one is set */
	__u64 *marks;                     /* what this sweep has found to be needed */
	size_t bits_size;                 /* octets */
	uint32_t buckets;                 /* of lanes, where there are any, and of the table */
	uint32_t swept;                   /* of these, this time round */
	uint32_t *count;                  /* in the state */
	uint32_t lengths[LENGTH_MAX + 1]; /* entries of each length */
};

struct blocks {
	struct shield_block_state *state;
	struct family families[2]; /* IPv4, IPv6 */
	struct lanes lanes;
	void *swept; /* lanes.swept, which is not to be written but to be given back */
	bool mapped; /* from descriptors, else from memory_table_new() */
};

/* Where a slot is. */
struct place {
	uint32_t bucket, slot;
};

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
		entry.expires = SHIELD_MORE4_EXPIRES(slot);
		entry.length = (uint32_t)slot & 63;
		/* Only others can have written an address with host bits, or without a length. */
		if ((entry.length < 32 && (uint32_t)entry.address[0] << entry.length != 0) ||
		    (entry.length == 0 && slot != 0))
			entry.length = LENGTH_GRAVE;
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
		      SHIELD_MORE4((uint32_t)entry->address[0], entry->length, entry->expires));
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
		store(&table->at.four[place.bucket].slot[place.slot], grave ? SHIELD_MORE4_GRAVE : 0);
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
		return !shield_more4_alive(entry->expires << 6, tick_of(blocks, now));
	return entry->expires <= now;
}

/* Of an entry that has not expired, in jiffies. */
static uint64_t expiry(const struct blocks *blocks, const struct table *table, const struct entry *entry, uint64_t now)
{
	uint64_t tick = tick_of(blocks, now);

	if (!table->ipv4)
		return entry->expires;
	return (tick + ((entry->expires - tick) & SHIELD_MORE4_TICKS)) << blocks->state->tick_shift;
}

static uint32_t home(const struct blocks *blocks, const struct table *table, const struct entry *entry)
{
	uint64_t seed = blocks->state->seed;
	uint32_t hash = table->ipv4 ? shield_more4_hash(seed, (uint32_t)entry->address[0], entry->length)
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

/* ---- lanes ---- */

/* Of a code: 0 as length where it is none of a prefix that can be listed. */
static struct entry entry_from(uint64_t code)
{
	struct entry entry = { .length = 0 };

	if ((uint32_t)code == 0)
		return entry;
	entry.length = 32 - (uint32_t)__builtin_ctz((uint32_t)code);
	entry.address[0] = (code & (code - 1)) >> 1;
	return entry;
}

static uint64_t code_of(const struct entry *entry)
{
	return shield_code4((uint32_t)entry->address[0], entry->length);
}

static struct entry read_lane(const struct blocks *blocks, uint32_t bucket, unsigned lane)
{
	struct entry entry = entry_from(lanes_code(&blocks->lanes, bucket, lane));

	entry.expires = lanes_expires(&blocks->lanes, bucket, lane);
	return entry;
}

/* Whether what expires with this tick has; `now` may be behind the horizon, where all has. */
static bool tick_expired(const struct blocks *blocks, uint64_t tick, uint64_t now)
{
	return tick <= tick_of(blocks, now) || now >= blocks->state->horizon;
}

/* An entry came into the table in its bucket of lanes' stead, or left it. */
static void count_more(struct blocks *blocks, const struct entry *entry, int change)
{
	uint32_t bucket = lanes_seek(&blocks->lanes, code_of(entry), 0).bucket;
	uint32_t count = lanes_more(&blocks->lanes, bucket);

	/* Others may have written there. */
	if (change > 0 ? count < LANES_MORE_MAX : count > 0)
		lanes_set_more(&blocks->lanes, bucket, change > 0 ? count + 1 : count - 1);
}

/* ---- what stands before the tables ---- */

static void set_bit(__u64 *bits, uint32_t bit)
{
	if (!(bits[bit / 64] >> bit % 64 & 1))
		store(&bits[bit / 64], bits[bit / 64] | 1ULL << bit % 64);
}

/* What the entry needs of classes or bitmap. */
static void cover(const struct blocks *blocks, const struct family *family, const struct entry *entry, __u64 *bits)
{
	uint8_t *classes = (uint8_t *)bits, class = 0;
	uint32_t first, count = 1;

	if (!family->table.ipv4) {
		if (entry->length < SHORT6)
			return;
		first = shield_block6_bit(blocks->state->seed, entry->address[0] & htobe64(UINT64_MAX << 16));
		set_bit(bits, first);
		if (bits == family->bits)
			set_bit(family->wide, first / 256);
		return;
	}
	first = (uint32_t)entry->address[0] >> (32 - SHIELD_CLASS4_BITS);
	class = (uint8_t)(1u << shield_class4(entry->length));
	if (entry->length < SHIELD_CLASS4_BITS)
		count = 1u << (SHIELD_CLASS4_BITS - entry->length);
	for (uint32_t i = first; i < first + count; i++)
		if (!(classes[i] & class))
			__atomic_store_n(&classes[i], (uint8_t)(classes[i] | class), __ATOMIC_RELEASE);
}

/* The masks of lengths and what else is counted, after `change` entries of this length came or went. */
static void count_length(struct blocks *blocks, struct family *family, uint32_t length, int change)
{
	struct shield_block_state *state = blocks->state;
	uint64_t bit = 1ULL << ((length - 1) % 64);
	uint32_t before = family->lengths[length];
	__u64 *mask = &state->lengths6[(length - 1) / 64];

	family->lengths[length] += (uint32_t)change;
	store32(family->count, *family->count + (uint32_t)change);
	if (!family->table.ipv4 && length < SHORT6)
		store32(&state->short6, state->short6 + (uint32_t)change);
	if ((before == 0) == (family->lengths[length] == 0))
		return;
	if (family->table.ipv4)
		store32(&state->lengths4, state->lengths4 ^ (uint32_t)bit);
	else
		store(mask, *mask ^ bit);
}

/* The sweep has been through the whole family: what is not marked nothing needs. */
static void settle(struct family *family)
{
	for (uint32_t i = 0; i < family->bits_size / sizeof(*family->bits); i++)
		if (family->bits[i] != family->marks[i])
			store(&family->bits[i], family->marks[i]);
	for (uint32_t i = 0; family->wide && i < SHIELD_BLOCK_WIDE / 64; i++) {
		uint64_t word = 0;

		for (uint32_t bit = 0; bit < 64; bit++) {
			const __u64 *bits = &family->bits[(i * 64 + bit) * 4];

			word |= (uint64_t)((bits[0] | bits[1] | bits[2] | bits[3]) != 0) << bit;
		}
		if (family->wide[i] != word)
			store(&family->wide[i], word);
	}
	memset(family->marks, 0, family->bits_size);
	family->swept = 0;
}

/* ---- life ---- */

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
	made->families[0] = (struct family){
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
	made->families[1] = (struct family){
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

/* Everything in lanes and tables once; stops where `each` returns not 0, and returns that. */
struct walk {
	const struct blocks *blocks;
	const struct family *family;
	int (*each)(const struct walk *walk, const struct entry *entry, bool in_lane, void *context);
	void *context;
};

static int walk_family(const struct walk *walk)
{
	const struct blocks *blocks = walk->blocks;
	const struct table *table = &walk->family->table;
	uint32_t lanes = table->ipv4 ? blocks->state->buckets4 : 0;
	int stop = 0;

	for (uint32_t bucket = 0; bucket < lanes && !stop; bucket++)
		for (unsigned lane = 0; lane < SHIELD_BLOCK4_LANES && !stop && lanes_any(&blocks->lanes, bucket);
		     lane++) {
			struct entry entry = read_lane(blocks, bucket, lane);

			if (taken(&entry))
				stop = walk->each(walk, &entry, true, walk->context);
		}
	for (uint32_t i = 0; i < table->buckets * table->slots && !stop; i++) {
		struct entry entry = read_slot(table, (struct place){ i / table->slots, i % table->slots });

		if (taken(&entry))
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
			struct entry entry = read_lane(blocks, bucket, lane);
			uint32_t remainder = shield_lane4(&blocks->lanes.buckets[bucket], lane);

			if (remainder != 0 && (remainder & odd || !taken(&entry)))
				lanes_take(&blocks->lanes, bucket, lane);
		}
}

struct counted {
	struct family *family;
	uint16_t *more; /* of each bucket of lanes, what stands in the table */
};

static int count_entry(const struct walk *walk, const struct entry *entry, bool in_lane, void *context)
{
	struct counted *counted = context;

	cover(walk->blocks, walk->family, entry, walk->family->bits);
	counted->family->lengths[entry->length]++;
	if (!in_lane && walk->family->table.ipv4) {
		uint16_t *more = &counted->more[lanes_seek(&walk->blocks->lanes, code_of(entry), 0).bucket];

		if (*more < LANES_MORE_MAX)
			(*more)++;
	}
	return 0;
}

/*
 * Counts anew what stands in the tables: who wrote them before may have ended at any instruction. Nothing that the kernel
 * goes by is narrowed before all has been counted.
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
		struct family *family = &blocks->families[i];
		struct counted counted = { family, more };
		const struct walk walk = { blocks, family, count_entry, &counted };
		uint32_t count = 0;

		(void)walk_family(&walk);
		for (uint32_t length = 1; length <= LENGTH_MAX; length++)
			count += family->lengths[length];
		store32(family->count, count);
	}
	for (uint32_t length = 1; length <= LENGTH_MAX; length++) {
		uint64_t bit = 1ULL << ((length - 1) % 64);

		if (blocks->families[0].lengths[length])
			lengths4 |= bit;
		if (blocks->families[1].lengths[length])
			lengths6[(length - 1) / 64] |= bit;
		if (length < SHORT6)
			short6 += blocks->families[1].lengths[length];
	}
	for (uint32_t bucket = 0; bucket < blocks->state->buckets4; bucket++)
		if (lanes_more(&blocks->lanes, bucket) != more[bucket])
			lanes_set_more(&blocks->lanes, bucket, more[bucket]);
	for (uint32_t bucket = 0; bucket < blocks->state->buckets4; bucket += SHIELD_BLOCK4_GROUP)
		lanes_look_again(&blocks->lanes, bucket);
	store32(&blocks->state->lengths4, (uint32_t)lengths4);
	store(&blocks->state->lengths6[0], lengths6[0]);
	store(&blocks->state->lengths6[1], lengths6[1]);
	store32(&blocks->state->short6, short6);
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
static void take_out(struct blocks *blocks, struct family *family, struct place place)
{
	struct entry entry = read_slot(&family->table, place);

	empty_slot(&family->table, place, !has_empty(&family->table, place.bucket));
	if (family->table.ipv4)
		count_more(blocks, &entry, -1);
	count_length(blocks, family, entry.length, -1);
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

static unsigned sweep_bucket(struct blocks *blocks, struct family *family, uint32_t bucket, uint64_t now)
{
	const struct table *table = &family->table;
	unsigned freed = 0;

	for (uint32_t slot = 0; slot < table->slots; slot++) {
		struct place place = { bucket, slot };
		struct entry entry = read_slot(table, place);

		if (!taken(&entry))
			continue;
		if (expired(blocks, table, &entry, now)) {
			take_out(blocks, family, place);
			freed++;
		} else {
			cover(blocks, family, &entry, family->marks);
		}
	}
	open_graves(blocks, table, bucket);
	return freed;
}

static unsigned sweep_lanes(struct blocks *blocks, struct family *family, uint32_t bucket, uint64_t now)
{
	unsigned freed = 0;

	if (!lanes_any(&blocks->lanes, bucket))
		return 0;
	for (unsigned lane = 0; lane < SHIELD_BLOCK4_LANES; lane++) {
		struct entry entry = read_lane(blocks, bucket, lane);

		if (!taken(&entry))
			continue;
		if (tick_expired(blocks, entry.expires, now)) {
			lanes_take(&blocks->lanes, bucket, lane);
			count_length(blocks, family, entry.length, -1);
			freed++;
		} else {
			cover(blocks, family, &entry, family->marks);
		}
	}
	if (freed)
		lanes_look_again(&blocks->lanes, bucket);
	return freed;
}

unsigned blocks_sweep(struct blocks *blocks, uint64_t now, uint32_t buckets)
{
	unsigned freed = 0;

	for (unsigned i = 0; i < 2; i++) {
		struct family *family = &blocks->families[i];
		uint32_t lanes = family->table.ipv4 ? blocks->state->buckets4 : 0;
		uint32_t count = buckets < family->buckets ? buckets : family->buckets;

		for (; count > 0; count--) {
			uint32_t bucket = family->swept++;

			freed += bucket < lanes ? sweep_lanes(blocks, family, bucket, now)
			                        : sweep_bucket(blocks, family, bucket - lanes, now);
			if (family->swept == family->buckets)
				settle(family);
		}
	}
	return freed;
}

/* Where an entry can be put, found before anything is changed. */
struct room {
	bool in_lane;
	struct lanes_place at; /* where IPv4 is in lanes, or would be */
	unsigned lane;
	struct place place;
	bool has;         /* the same prefix stands there */
	struct entry old; /* what else stands there and has expired; length 0 where nothing does */
};

/* 0, or -ENOSPC. */
static int find_room(const struct blocks *blocks, const struct family *family, const struct entry *entry, uint64_t now,
                     struct room *room)
{
	struct place place = { 0, 0 };
	bool has_room = false, full = *family->count >= blocks->state->capacity;

	*room = (struct room){ .at.has = LANES_NONE, .at.empty = LANES_NONE, .at.expired = LANES_NONE };
	if (family->table.ipv4) {
		room->at = lanes_seek(&blocks->lanes, code_of(entry), tick_of(blocks, now));
		room->in_lane = room->at.has != LANES_NONE;
		room->lane = room->at.has;
		room->has = room->in_lane;
		if (room->has)
			return 0;
	}
	if (!family->table.ipv4 || lanes_more(&blocks->lanes, room->at.bucket) > 0 ||
	    (room->at.empty == LANES_NONE && room->at.expired == LANES_NONE)) {
		room->has = seek(blocks, &family->table, entry, now, &place, &room->place, &has_room) == 0;
		if (room->has) {
			room->place = place;
			return 0;
		}
	}
	room->lane = full || room->at.empty == LANES_NONE ? room->at.expired : room->at.empty;
	if (room->lane != LANES_NONE) {
		room->in_lane = true;
		if (room->lane == room->at.expired)
			room->old = read_lane(blocks, room->at.bucket, room->lane);
		return 0;
	}
	if (!has_room || (family->table.ipv4 && lanes_more(&blocks->lanes, room->at.bucket) == LANES_MORE_MAX))
		return -ENOSPC;
	room->old = read_slot(&family->table, room->place);
	if (!taken(&room->old))
		room->old.length = 0;
	return full && room->old.length == 0 ? -ENOSPC : 0;
}

int blocks_add(struct blocks *blocks, const struct prefix *prefix, uint64_t now, uint64_t expires)
{
	struct shield_block_state *state = blocks->state;
	struct family *family = &blocks->families[prefix->is_ipv4 ? 0 : 1];
	uint64_t per_tick = 1ULL << state->tick_shift;
	struct entry entry;
	struct room room;
	int error = entry_of(prefix, &entry);

	if (error || expires <= now)
		return -EINVAL;
	if (expires > UINT64_MAX - per_tick || expires - now > BLOCKS_DAYS_MAX * 86400ULL * state->hz)
		return -ERANGE;
	expires = (expires + per_tick - 1) & ~(per_tick - 1);

	/* All that is there has expired, perhaps so long ago that its ticks would mean the future again. */
	if (now >= state->horizon && state->count4 + state->count6 > 0)
		(void)blocks_sweep(blocks, now, UINT32_MAX);

	entry.expires = family->table.ipv4 ? tick_of(blocks, expires) : expires;
	error = find_room(blocks, family, &entry, now, &room);
	if (error)
		return error;
	if (expires > state->horizon)
		store(&state->horizon, expires);
	cover(blocks, family, &entry, family->bits);
	cover(blocks, family, &entry, family->marks);
	if (!room.has)
		count_length(blocks, family, entry.length, 1);
	if (room.in_lane) {
		lanes_put(&blocks->lanes, room.at.bucket, room.lane, room.at.remainder, (uint32_t)entry.expires);
	} else {
		if (family->table.ipv4 && !room.has)
			count_more(blocks, &entry, 1);
		write_slot(&family->table, room.place, &entry);
	}
	if (room.old.length == 0)
		return 0;
	if (family->table.ipv4 && !room.in_lane)
		count_more(blocks, &room.old, -1);
	count_length(blocks, family, room.old.length, -1);
	return 0;
}

int blocks_remove(struct blocks *blocks, const struct prefix *prefix, uint64_t now)
{
	struct family *family = &blocks->families[prefix->is_ipv4 ? 0 : 1];
	struct lanes_place at;
	struct entry entry, old;
	struct place place;

	if (entry_of(prefix, &entry) != 0)
		return -ENOENT;
	if (family->table.ipv4) {
		at = lanes_seek(&blocks->lanes, code_of(&entry), 0);
		if (at.has != LANES_NONE) {
			old = read_lane(blocks, at.bucket, at.has);
			lanes_take(&blocks->lanes, at.bucket, at.has);
			count_length(blocks, family, old.length, -1);
			return tick_expired(blocks, old.expires, now) ? -ENOENT : 0;
		}
		if (lanes_more(&blocks->lanes, at.bucket) == 0)
			return -ENOENT;
	}
	if (seek(blocks, &family->table, &entry, now, &place, NULL, NULL) != 0)
		return -ENOENT;
	old = read_slot(&family->table, place);
	take_out(blocks, family, place);
	open_graves(blocks, &family->table, place.bucket);
	return expired(blocks, &family->table, &old, now) ? -ENOENT : 0;
}

/* As the kernel looks: lengths that can hold the address, a bit each. */
static void may_be_listed(const struct blocks *blocks, const struct family *family, const struct entry *host,
                          uint64_t lengths[2])
{
	const struct shield_block_state *state = blocks->state;
	const uint8_t *classes = (const uint8_t *)family->bits;
	uint32_t bit;

	if (family->table.ipv4) {
		lengths[0] = state->lengths4 & shield_lengths4(classes[host->address[0] >> (32 - SHIELD_CLASS4_BITS)]);
		lengths[1] = 0;
		return;
	}
	bit = shield_block6_bit(state->seed, host->address[0] & htobe64(UINT64_MAX << 16));
	lengths[0] = state->lengths6[0];
	lengths[1] = state->lengths6[1];
	if (!(family->bits[bit / 64] >> bit % 64 & 1)) {
		lengths[0] &= (1ULL << (SHORT6 - 1)) - 1;
		lengths[1] = 0;
	}
}

/* The expiry, in jiffies, of an entry that is there and has not expired: 0, or -ENOENT. */
static int find_entry(const struct blocks *blocks, const struct family *family, const struct entry *wanted,
                      uint64_t now, uint64_t *expires)
{
	struct entry entry;
	struct place place;

	if (family->table.ipv4) {
		struct lanes_place at = lanes_seek(&blocks->lanes, code_of(wanted), 0);

		if (at.has != LANES_NONE) {
			entry = read_lane(blocks, at.bucket, at.has);
			if (tick_expired(blocks, entry.expires, now))
				return -ENOENT;
			*expires = entry.expires << blocks->state->tick_shift;
			return 0;
		}
		if (lanes_more(&blocks->lanes, at.bucket) == 0)
			return -ENOENT;
	}
	if (seek(blocks, &family->table, wanted, now, &place, NULL, NULL) != 0)
		return -ENOENT;
	entry = read_slot(&family->table, place);
	if (expired(blocks, &family->table, &entry, now))
		return -ENOENT;
	*expires = expiry(blocks, &family->table, &entry, now);
	return 0;
}

int blocks_find(const struct blocks *blocks, const struct address *address, uint64_t now, struct prefix *found,
                uint64_t *expires)
{
	struct prefix prefix = prefix_of(address, LENGTH_MAX);
	const struct family *family = &blocks->families[prefix.is_ipv4 ? 0 : 1];
	struct entry entry;
	uint64_t lengths[2];

	if (now >= blocks->state->horizon || entry_of(&prefix, &entry) != 0)
		return -ENOENT;
	may_be_listed(blocks, family, &entry, lengths);
	for (uint32_t length = prefix.length; length > 0; length--) {
		if (!(lengths[(length - 1) / 64] >> (length - 1) % 64 & 1))
			continue;
		prefix = prefix_of(address, length);
		if (entry_of(&prefix, &entry) != 0 || find_entry(blocks, family, &entry, now, expires) != 0)
			continue;
		*found = prefix;
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

struct each {
	uint64_t now;
	int (*each)(void *context, const struct prefix *prefix, uint64_t expires);
	void *context;
};

static int each_entry(const struct walk *walk, const struct entry *entry, bool in_lane, void *context)
{
	const struct blocks *blocks = walk->blocks;
	const struct table *table = &walk->family->table;
	const struct each *each = context;
	struct prefix prefix = prefix_from(table, entry);

	if (in_lane)
		return tick_expired(blocks, entry->expires, each->now)
		               ? 0
		               : each->each(each->context, &prefix, entry->expires << blocks->state->tick_shift);
	return expired(blocks, table, entry, each->now)
	               ? 0
	               : each->each(each->context, &prefix, expiry(blocks, table, entry, each->now));
}

int blocks_each(const struct blocks *blocks, uint64_t now,
                int (*each)(void *context, const struct prefix *prefix, uint64_t expires), void *context)
{
	struct each all = { now, each, context };
	int stop = 0;

	for (unsigned i = 0; i < 2 && !stop; i++) {
		const struct walk walk = { blocks, &blocks->families[i], each_entry, &all };

		stop = walk_family(&walk);
	}
	return stop;
}
