/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block list; abi/shield.h has the format, blocks.h what it is for. IPv4 stands in lanes (lanes.h), and what finds
 * none in a table of slots, as all of IPv6 does; tables of both families are one algorithm: a slot of either is read
 * into a struct blocks_entry and written from one, and nothing above those two knows which it was.
 *
 * What the kernel may see at any moment: an entry stands where a look-up finds it from the store that puts it there to
 * the store that takes it away, for it is never moved, and no bucket before it gets an empty slot while it is there
 * (passed_by()). What stands before the tables (classes, bitmap, masks of lengths, short6, horizon, the 16th lane) is
 * widened before an entry is put in and narrowed after one is taken out.
 *
 * A bit of classes or bitmap may be needed by many prefixes. It is not counted how many: a sweep marks in memory of its
 * own what is needed by each prefix that it leaves standing, and whoever adds one marks that too. When the sweep has
 * been through the whole family the marks are what is needed, and the bits become them.
 */
#include "shield/blocks.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "shield/blocks_inside.h"
#include "shield/lanes.h"

static uint64_t tick_of(const struct blocks *blocks, uint64_t jiffies)
{
	return jiffies >> blocks->state->tick_shift;
}

/* ---- slots ---- */

struct blocks_entry blocks_read_slot(const struct blocks_table *table, struct blocks_place place)
{
	struct blocks_entry entry = { .length = 0 };

	if (table->ipv4) {
		uint64_t slot = table->at.four[place.bucket].slot[place.slot];

		entry.address[0] = slot >> 32;
		entry.expires = SHIELD_MORE4_EXPIRES(slot);
		entry.length = (uint32_t)slot & 63;
		/* Only others can have written an address with host bits, or without a length. */
		if ((entry.length < 32 && (uint32_t)entry.address[0] << entry.length != 0) ||
		    (entry.length == 0 && slot != 0))
			entry.length = BLOCKS_LENGTH_GRAVE;
	} else {
		const struct shield_block6_slot *slot = &table->at.six[place.bucket].slot[place.slot];

		entry.address[0] = slot->address[0];
		entry.address[1] = slot->address[1];
		entry.expires = slot->expires;
		entry.length = slot->length;
	}
	if (entry.length > (table->ipv4 ? 32u : BLOCKS_LENGTH_MAX))
		entry.length = BLOCKS_LENGTH_GRAVE;
	return entry;
}

/* The slot is empty, a grave, holds what has expired, or the same prefix: whoever reads it meanwhile misses nothing. */
static void write_slot(const struct blocks_table *table, struct blocks_place place, const struct blocks_entry *entry)
{
	struct shield_block6_slot *slot;

	if (table->ipv4) {
		blocks_store(&table->at.four[place.bucket].slot[place.slot],
		             SHIELD_MORE4((uint32_t)entry->address[0], entry->length, entry->expires));
		return;
	}
	slot = &table->at.six[place.bucket].slot[place.slot];
	if (slot->length == entry->length && memcmp(slot->address, entry->address, sizeof(slot->address)) == 0) {
		blocks_store(&slot->expires, entry->expires);
		return;
	}
	blocks_store32(&slot->length, BLOCKS_LENGTH_GRAVE); /* not 0: the bucket must not look as if it had room */
	blocks_store32(&slot->generation, slot->generation + 1);
	blocks_store(&slot->address[0], entry->address[0]);
	blocks_store(&slot->address[1], entry->address[1]);
	blocks_store(&slot->expires, entry->expires);
	blocks_store32(&slot->length, entry->length);
}

static void empty_slot(const struct blocks_table *table, struct blocks_place place, bool grave)
{
	if (table->ipv4)
		blocks_store(&table->at.four[place.bucket].slot[place.slot], grave ? SHIELD_MORE4_GRAVE : 0);
	else
		blocks_store32(&table->at.six[place.bucket].slot[place.slot].length, grave ? BLOCKS_LENGTH_GRAVE : 0);
}

bool blocks_taken(const struct blocks_entry *entry)
{
	return entry->length != 0 && entry->length != BLOCKS_LENGTH_GRAVE;
}

static bool same(const struct blocks_entry *a, const struct blocks_entry *b)
{
	return a->length == b->length && a->address[0] == b->address[0] && a->address[1] == b->address[1];
}

static bool expired(const struct blocks *blocks, const struct blocks_table *table, const struct blocks_entry *entry,
                    uint64_t now)
{
	if (now >= blocks->state->horizon)
		return true;
	if (table->ipv4)
		return !shield_more4_alive(entry->expires << 6, tick_of(blocks, now));
	return entry->expires <= now;
}

/* Of an entry that has not expired, in jiffies. */
static uint64_t expiry(const struct blocks *blocks, const struct blocks_table *table, const struct blocks_entry *entry,
                       uint64_t now)
{
	uint64_t tick = tick_of(blocks, now);

	if (!table->ipv4)
		return entry->expires;
	return (tick + ((entry->expires - tick) & SHIELD_MORE4_TICKS)) << blocks->state->tick_shift;
}

static uint32_t home(const struct blocks *blocks, const struct blocks_table *table, const struct blocks_entry *entry)
{
	uint64_t seed = blocks->state->seed;
	uint32_t hash = table->ipv4 ? shield_more4_hash(seed, (uint32_t)entry->address[0], entry->length)
	                            : shield_block6_hash(seed, entry->address, entry->length);

	return hash & (table->buckets - 1);
}

/* Does the bucket end a look-up? */
static bool has_empty(const struct blocks_table *table, uint32_t bucket)
{
	for (uint32_t slot = 0; slot < table->slots; slot++)
		if (blocks_read_slot(table, (struct blocks_place){ bucket, slot }).length == 0)
			return true;
	return false;
}

/*
 * Where the prefix stands: 0, or -ENOENT. Where `room` is not NULL, *room is the first place in which it could be put:
 * one that is empty, a grave, or holds what has expired; has_room says whether there is one.
 */
static int seek(const struct blocks *blocks, const struct blocks_table *table, const struct blocks_entry *wanted,
                uint64_t now, struct blocks_place *found, struct blocks_place *room, bool *has_room)
{
	uint32_t first = home(blocks, table, wanted);
	bool roomy = false;

	for (uint32_t i = 0; i < table->probes; i++) {
		uint32_t bucket = (first + i) & (table->buckets - 1);
		bool end = false;

		for (uint32_t slot = 0; slot < table->slots; slot++) {
			struct blocks_place place = { bucket, slot };
			struct blocks_entry entry = blocks_read_slot(table, place);

			if (same(&entry, wanted)) {
				*found = place;
				return 0;
			}
			end = end || entry.length == 0;
			if (room && !roomy && (!blocks_taken(&entry) || expired(blocks, table, &entry, now))) {
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
static bool passed_by(const struct blocks *blocks, const struct blocks_table *table, uint32_t bucket)
{
	for (uint32_t behind = 1; behind < table->probes; behind++) {
		uint32_t other = (bucket + behind) & (table->buckets - 1);
		bool end = false;

		for (uint32_t slot = 0; slot < table->slots; slot++) {
			struct blocks_entry entry = blocks_read_slot(table, (struct blocks_place){ other, slot });

			end = end || entry.length == 0;
			if (blocks_taken(&entry) &&
			    ((other - home(blocks, table, &entry)) & (table->buckets - 1)) >= behind)
				return true;
		}
		if (end)
			return false;
	}
	return false;
}

/* ---- lanes ---- */

/* Of a code: 0 as length where it is none of a prefix that can be listed. */
static struct blocks_entry entry_from(uint64_t code)
{
	struct blocks_entry entry = { .length = 0 };

	if ((uint32_t)code == 0)
		return entry;
	entry.length = 32 - (uint32_t)__builtin_ctz((uint32_t)code);
	entry.address[0] = (code & (code - 1)) >> 1;
	return entry;
}

uint64_t blocks_code_of(const struct blocks_entry *entry)
{
	return shield_code4((uint32_t)entry->address[0], entry->length);
}

struct blocks_entry blocks_read_lane(const struct blocks *blocks, uint32_t bucket, unsigned lane)
{
	struct blocks_entry entry = entry_from(lanes_code(&blocks->lanes, bucket, lane));

	entry.expires = lanes_expires(&blocks->lanes, bucket, lane);
	return entry;
}

/* Whether what expires with this tick has; `now` may be behind the horizon, where all has. */
static bool tick_expired(const struct blocks *blocks, uint64_t tick, uint64_t now)
{
	return tick <= tick_of(blocks, now) || now >= blocks->state->horizon;
}

/* An entry came into the table in its bucket of lanes' stead, or left it. */
static void count_more(struct blocks *blocks, const struct blocks_entry *entry, int change)
{
	uint32_t bucket = lanes_seek(&blocks->lanes, blocks_code_of(entry), 0).bucket;
	uint32_t count = lanes_more(&blocks->lanes, bucket);

	/* Others may have written there. */
	if (change > 0 ? count < LANES_MORE_MAX : count > 0)
		lanes_set_more(&blocks->lanes, bucket, change > 0 ? count + 1 : count - 1);
}

/* ---- what stands before the tables ---- */

static void set_bit(__u64 *bits, uint32_t bit)
{
	if (!(bits[bit / 64] >> bit % 64 & 1))
		blocks_store(&bits[bit / 64], bits[bit / 64] | 1ULL << bit % 64);
}

void blocks_cover(const struct blocks *blocks, const struct blocks_family *family, const struct blocks_entry *entry,
                  __u64 *bits)
{
	uint8_t *classes = (uint8_t *)bits, class = 0;
	uint32_t first, count = 1;

	if (!family->table.ipv4) {
		if (entry->length < BLOCKS_SHORT6)
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
static void count_length(struct blocks *blocks, struct blocks_family *family, uint32_t length, int change)
{
	struct shield_block_state *state = blocks->state;
	uint64_t bit = 1ULL << ((length - 1) % 64);
	uint32_t before = family->lengths[length];
	__u64 *mask = &state->lengths6[(length - 1) / 64];

	family->lengths[length] += (uint32_t)change;
	blocks_store32(family->count, *family->count + (uint32_t)change);
	if (!family->table.ipv4 && length < BLOCKS_SHORT6)
		blocks_store32(&state->short6, state->short6 + (uint32_t)change);
	if ((before == 0) == (family->lengths[length] == 0))
		return;
	if (family->table.ipv4)
		blocks_store32(&state->lengths4, state->lengths4 ^ (uint32_t)bit);
	else
		blocks_store(mask, *mask ^ bit);
}

/* The sweep has been through the whole family: what is not marked nothing needs. */
static void settle(struct blocks_family *family)
{
	for (uint32_t i = 0; i < family->bits_size / sizeof(*family->bits); i++)
		if (family->bits[i] != family->marks[i])
			blocks_store(&family->bits[i], family->marks[i]);
	for (uint32_t i = 0; family->wide && i < SHIELD_BLOCK_WIDE / 64; i++) {
		uint64_t word = 0;

		for (uint32_t bit = 0; bit < 64; bit++) {
			const __u64 *bits = &family->bits[(i * 64 + bit) * 4];

			word |= (uint64_t)((bits[0] | bits[1] | bits[2] | bits[3]) != 0) << bit;
		}
		if (family->wide[i] != word)
			blocks_store(&family->wide[i], word);
	}
	memset(family->marks, 0, family->bits_size);
	family->swept = 0;
}

/* ---- what it does ---- */

/* The prefix as an entry without expiry: 0, or -EINVAL where it is none that can be listed. */
static int entry_of(const struct prefix *prefix, struct blocks_entry *entry)
{
	struct prefix clean = prefix_of(&prefix->address, prefix->length);
	const uint8_t *octets = prefix->address.octets;
	uint32_t word;

	/* Without host bits, and of the family and length that it says. */
	if (prefix->length == 0 || !prefix_equal(&clean, prefix))
		return -EINVAL;
	*entry = (struct blocks_entry){ .length = prefix->length };
	if (prefix->is_ipv4) {
		memcpy(&word, octets + 12, sizeof(word));
		entry->address[0] = be32toh(word);
	} else {
		memcpy(entry->address, octets, sizeof(entry->address));
	}
	return 0;
}

static struct prefix prefix_from(const struct blocks_table *table, const struct blocks_entry *entry)
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
static void take_out(struct blocks *blocks, struct blocks_family *family, struct blocks_place place)
{
	struct blocks_entry entry = blocks_read_slot(&family->table, place);

	empty_slot(&family->table, place, !has_empty(&family->table, place.bucket));
	if (family->table.ipv4)
		count_more(blocks, &entry, -1);
	count_length(blocks, family, entry.length, -1);
}

/* Graves of a bucket that nothing needs to pass by are empty slots again. */
static void open_graves(const struct blocks *blocks, const struct blocks_table *table, uint32_t bucket)
{
	bool graves = false;

	for (uint32_t slot = 0; slot < table->slots; slot++)
		graves = graves ||
		         blocks_read_slot(table, (struct blocks_place){ bucket, slot }).length == BLOCKS_LENGTH_GRAVE;
	if (!graves || passed_by(blocks, table, bucket))
		return;
	for (uint32_t slot = 0; slot < table->slots; slot++)
		if (blocks_read_slot(table, (struct blocks_place){ bucket, slot }).length == BLOCKS_LENGTH_GRAVE)
			empty_slot(table, (struct blocks_place){ bucket, slot }, false);
}

static unsigned sweep_bucket(struct blocks *blocks, struct blocks_family *family, uint32_t bucket, uint64_t now)
{
	const struct blocks_table *table = &family->table;
	unsigned freed = 0;

	for (uint32_t slot = 0; slot < table->slots; slot++) {
		struct blocks_place place = { bucket, slot };
		struct blocks_entry entry = blocks_read_slot(table, place);

		if (!blocks_taken(&entry))
			continue;
		if (expired(blocks, table, &entry, now)) {
			take_out(blocks, family, place);
			freed++;
		} else {
			blocks_cover(blocks, family, &entry, family->marks);
		}
	}
	open_graves(blocks, table, bucket);
	return freed;
}

static unsigned sweep_lanes(struct blocks *blocks, struct blocks_family *family, uint32_t bucket, uint64_t now)
{
	unsigned freed = 0;

	if (!lanes_any(&blocks->lanes, bucket))
		return 0;
	for (unsigned lane = 0; lane < SHIELD_BLOCK4_LANES; lane++) {
		struct blocks_entry entry = blocks_read_lane(blocks, bucket, lane);

		if (!blocks_taken(&entry))
			continue;
		if (tick_expired(blocks, entry.expires, now)) {
			lanes_take(&blocks->lanes, bucket, lane);
			count_length(blocks, family, entry.length, -1);
			freed++;
		} else {
			blocks_cover(blocks, family, &entry, family->marks);
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
		struct blocks_family *family = &blocks->families[i];
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
	struct blocks_place place;
	bool has;                /* the same prefix stands there */
	struct blocks_entry old; /* what else stands there and has expired; length 0 where nothing does */
};

/* 0, or -ENOSPC. */
static int find_room(const struct blocks *blocks, const struct blocks_family *family, const struct blocks_entry *entry,
                     uint64_t now, struct room *room)
{
	struct blocks_place place = { 0, 0 };
	bool has_room = false, full = *family->count >= blocks->state->capacity;

	*room = (struct room){ .at.has = LANES_NONE, .at.empty = LANES_NONE, .at.expired = LANES_NONE };
	if (family->table.ipv4) {
		room->at = lanes_seek(&blocks->lanes, blocks_code_of(entry), tick_of(blocks, now));
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
			room->old = blocks_read_lane(blocks, room->at.bucket, room->lane);
		return 0;
	}
	if (!has_room || (family->table.ipv4 && lanes_more(&blocks->lanes, room->at.bucket) == LANES_MORE_MAX))
		return -ENOSPC;
	room->old = blocks_read_slot(&family->table, room->place);
	if (!blocks_taken(&room->old))
		room->old.length = 0;
	return full && room->old.length == 0 ? -ENOSPC : 0;
}

int blocks_add(struct blocks *blocks, const struct prefix *prefix, uint64_t now, uint64_t expires)
{
	struct shield_block_state *state = blocks->state;
	struct blocks_family *family = &blocks->families[prefix->is_ipv4 ? 0 : 1];
	uint64_t per_tick = 1ULL << state->tick_shift;
	struct blocks_entry entry;
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
		blocks_store(&state->horizon, expires);
	blocks_cover(blocks, family, &entry, family->bits);
	blocks_cover(blocks, family, &entry, family->marks);
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
	struct blocks_family *family = &blocks->families[prefix->is_ipv4 ? 0 : 1];
	struct lanes_place at;
	struct blocks_entry entry, old;
	struct blocks_place place;

	if (entry_of(prefix, &entry) != 0)
		return -ENOENT;
	if (family->table.ipv4) {
		at = lanes_seek(&blocks->lanes, blocks_code_of(&entry), 0);
		if (at.has != LANES_NONE) {
			old = blocks_read_lane(blocks, at.bucket, at.has);
			lanes_take(&blocks->lanes, at.bucket, at.has);
			count_length(blocks, family, old.length, -1);
			return tick_expired(blocks, old.expires, now) ? -ENOENT : 0;
		}
		if (lanes_more(&blocks->lanes, at.bucket) == 0)
			return -ENOENT;
	}
	if (seek(blocks, &family->table, &entry, now, &place, NULL, NULL) != 0)
		return -ENOENT;
	old = blocks_read_slot(&family->table, place);
	take_out(blocks, family, place);
	open_graves(blocks, &family->table, place.bucket);
	return expired(blocks, &family->table, &old, now) ? -ENOENT : 0;
}

/* As the kernel looks: lengths that can hold the address, a bit each. */
static void may_be_listed(const struct blocks *blocks, const struct blocks_family *family,
                          const struct blocks_entry *host, uint64_t lengths[2])
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
		lengths[0] &= (1ULL << (BLOCKS_SHORT6 - 1)) - 1;
		lengths[1] = 0;
	}
}

/* The expiry, in jiffies, of an entry that is there and has not expired: 0, or -ENOENT. */
static int find_entry(const struct blocks *blocks, const struct blocks_family *family,
                      const struct blocks_entry *wanted, uint64_t now, uint64_t *expires)
{
	struct blocks_entry entry;
	struct blocks_place place;

	if (family->table.ipv4) {
		struct lanes_place at = lanes_seek(&blocks->lanes, blocks_code_of(wanted), 0);

		if (at.has != LANES_NONE) {
			entry = blocks_read_lane(blocks, at.bucket, at.has);
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
	entry = blocks_read_slot(&family->table, place);
	if (expired(blocks, &family->table, &entry, now))
		return -ENOENT;
	*expires = expiry(blocks, &family->table, &entry, now);
	return 0;
}

int blocks_find(const struct blocks *blocks, const struct address *address, uint64_t now, struct prefix *found,
                uint64_t *expires)
{
	struct prefix prefix = prefix_of(address, BLOCKS_LENGTH_MAX);
	const struct blocks_family *family = &blocks->families[prefix.is_ipv4 ? 0 : 1];
	struct blocks_entry entry;
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

static int each_entry(const struct blocks_walk *walk, const struct blocks_entry *entry, bool in_lane, void *context)
{
	const struct blocks *blocks = walk->blocks;
	const struct blocks_table *table = &walk->family->table;
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
		const struct blocks_walk walk = { blocks, &blocks->families[i], each_entry, &all };

		stop = blocks_walk(&walk);
	}
	return stop;
}
