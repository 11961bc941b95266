/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roster beside a naive twin: a list of all sources that is walked from the front, and sampled by the definition.
 * However packets are ordered, dealt out and merged, both hold the same.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "made.h"
#include "measure/roster.h"

#define SEED 20250310u
#define SOURCES 3000u
#define STREAM 40000u
#define WAVE_NS (10 * NS_PER_S)
#define WAVES 4

/* ---- a stream ---- */

static struct observation stream[STREAM];

static uint32_t wave_of(const struct observation *o)
{
	return (uint32_t)(o->time.ns / WAVE_NS);
}

/* Sources that send once and often, of both families; with one stack, with several behind them, with none. */
static int make_stream(void **state)
{
	uint64_t draws = 1;

	(void)state;
	for (uint32_t i = 0; i < STREAM; i++) {
		uint32_t who = made_below(&draws, 4) ? made_below(&draws, SOURCES) : made_below(&draws, 40);
		struct address src = who % 5 ? made_ipv4(0xc6120000u + who * 7919u % 131072u)
		                             : made_ipv6(0x20010db800000000u | who, (uint64_t)who * 77);
		struct observation *o = &stream[i];

		*o = made_tcp((int64_t)i * (WAVE_NS * WAVES / STREAM), src, (uint16_t)made_random(&draws),
		              made_ipv4(0xc0000201u), 443, TCP_SYN, (uint32_t)made_random(&draws), 0);
		o->weight = 1 + made_below(&draws, 3);
		o->length = 40 + made_below(&draws, 1000);
		o->ttl = (uint8_t)(40 + who % 20 + (who % 11 ? 0 : made_below(&draws, 2)));
		o->tcp.mss = who % 3 ? 1460 : (uint16_t)(who % 2 ? 0 : 1400 + made_below(&draws, 2));
		o->tcp.tsval = who % 7 ? 0 : who % 2 ? who + 1 : 1 + made_below(&draws, 3);
	}
	return 0;
}

static void shuffle(struct observation *list, uint32_t count, uint64_t draws)
{
	for (uint32_t i = count; i > 1; i--) {
		uint32_t other = made_below(&draws, i);
		struct observation swapped = list[i - 1];

		list[i - 1] = list[other];
		list[other] = swapped;
	}
}

static struct keys keys_of(const struct observation *o)
{
	struct keys keys;

	keys_make(&keys, o, SEED);
	return keys;
}

static void add(struct roster *roster, const struct observation *o, uint32_t wave)
{
	struct keys keys = keys_of(o);

	roster_add(roster, o, &keys, wave);
}

static void mark(struct roster *roster, const struct observation *o, unsigned marks)
{
	struct keys keys = keys_of(o);

	roster_mark(roster, o, &keys, marks);
}

/* ---- the twin ---- */

struct twin {
	uint32_t count, halvings;
	struct roster_source sources[STREAM];
};

static struct twin twin;

static struct roster_source *twin_find(const struct address *address)
{
	for (uint32_t i = 0; i < twin.count; i++)
		if (address_equal(&twin.sources[i].address, address))
			return &twin.sources[i];
	return NULL;
}

static void twin_add(const struct observation *o, uint32_t wave)
{
	struct roster_source *s = twin_find(&o->src);

	if (!s) {
		s = &twin.sources[twin.count++];
		*s = (struct roster_source){
			.address = o->src, .ttl = o->ttl, .first_ns = o->time.ns, .last_ns = o->time.ns
		};
	}
	s->packets += o->weight;
	s->octets += (uint64_t)o->weight * o->length;
	s->observed++;
	s->last_ns = o->time.ns;
	s->waves |= 1u << (wave > 31 ? 31 : wave);
	s->marks |= s->ttl != o->ttl ? ROSTER_MIXED_TTL : 0;
	s->marks |= s->mss && o->tcp.mss && s->mss != o->tcp.mss ? ROSTER_MIXED_MSS : 0;
	s->marks |= s->tsval && o->tcp.tsval && s->tsval != o->tcp.tsval ? ROSTER_MIXED_TSVAL : 0;
	s->mss = s->mss ? s->mss : o->tcp.mss;
	s->tsval = s->tsval ? s->tsval : o->tcp.tsval;
}

static uint32_t twin_below(uint32_t halvings)
{
	uint32_t below = 0;

	for (uint32_t i = 0; i < twin.count; i++)
		below += halvings == 0 || hash_address(SEED, &twin.sources[i].address) >> (64 - halvings) == 0;
	return below;
}

static int by_address(const void *left, const void *right)
{
	const struct roster_source *a = left, *b = right;

	return address_compare(&a->address, &b->address);
}

/* The whole stream, sampled to so many sources. */
static void twin_make(uint32_t max)
{
	uint32_t kept = 0;

	memset(&twin, 0, sizeof(twin));
	for (uint32_t i = 0; i < STREAM; i++)
		twin_add(&stream[i], wave_of(&stream[i]));
	while (twin_below(twin.halvings) > max)
		twin.halvings++;
	for (uint32_t i = 0; i < twin.count; i++)
		if (twin.halvings == 0 || hash_address(SEED, &twin.sources[i].address) >> (64 - twin.halvings) == 0)
			twin.sources[kept++] = twin.sources[i];
	twin.count = kept;
	qsort(twin.sources, twin.count, sizeof(twin.sources[0]), by_address);
}

/* Where a field is marked as mixed, it is that of one of several packets. */
static void assert_source(const struct roster_source *is, const struct roster_source *should)
{
	assert_true(address_equal(&is->address, &should->address));
	assert_int_equal(is->packets, should->packets);
	assert_int_equal(is->octets, should->octets);
	assert_int_equal(is->first_ns, should->first_ns);
	assert_int_equal(is->last_ns, should->last_ns);
	assert_int_equal(is->waves, should->waves);
	assert_int_equal(is->observed, should->observed);
	assert_int_equal(is->ttl, should->ttl);
	assert_int_equal(is->marks, should->marks);
	assert_int_equal(is->mss != 0, should->mss != 0);
	assert_int_equal(is->tsval != 0, should->tsval != 0);
	if (!(should->marks & ROSTER_MIXED_MSS))
		assert_int_equal(is->mss, should->mss);
	if (!(should->marks & ROSTER_MIXED_TSVAL))
		assert_int_equal(is->tsval, should->tsval);
}

static void assert_twin(struct roster *roster)
{
	const struct roster_source *sources = NULL;
	uint32_t count = 0;

	assert_int_equal(roster_sources(roster, &sources, &count), 0);
	assert_int_equal(count, twin.count);
	assert_int_equal(roster_held(roster), twin.count);
	assert_int_equal(roster_halvings(roster), twin.halvings);
	assert_int_equal(roster_lost(roster), 0);
	for (uint32_t i = 0; i < count; i++)
		assert_source(&sources[i], &twin.sources[i]);
}

/* ---- tests ---- */

static const uint32_t rooms[] = { 1, 2, 63, 64, 65, 300, 1000, 5000, ROSTER_MAX };

static void all_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		struct roster *roster = roster_new(rooms[i]);

		assert_non_null(roster);
		twin_make(rooms[i]);
		for (uint32_t j = 0; j < STREAM; j++)
			add(roster, &stream[j], wave_of(&stream[j]));
		assert_twin(roster);
		assert_in_range(twin.count, 0, rooms[i]);
		roster_free(roster);
	}
	assert_in_range(twin.count, 2000, SOURCES);
}

static void in_any_order(void **state)
{
	static struct observation shuffled[STREAM];

	(void)state;
	for (uint64_t draws = 1; draws <= 5; draws++) {
		struct roster *roster = roster_new(500);

		twin_make(500);
		memcpy(shuffled, stream, sizeof(shuffled));
		shuffle(shuffled, STREAM, draws);
		for (uint32_t j = 0; j < STREAM; j++)
			add(roster, &shuffled[j], wave_of(&shuffled[j]));
		assert_twin(roster);
		roster_free(roster);
	}
}

/*
 * Of rosters of several sizes the merged one is that of all packets, in the size of the one that they are merged into.
 */
static void merged(void **state)
{
	static const uint32_t sizes[] = { 400, 5000, 900, 450 };
	struct roster *parts[4];
	uint64_t draws = 3;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		parts[i] = roster_new(sizes[i]);
	for (uint32_t j = 0; j < STREAM; j++)
		add(parts[made_below(&draws, 4)], &stream[j], wave_of(&stream[j]));
	twin_make(400);
	for (unsigned i = 1; i < 4; i++)
		roster_merge(parts[0], parts[i], 0);
	assert_twin(parts[0]);
	for (unsigned i = 0; i < 4; i++)
		roster_free(parts[i]);
}

/* What it is merged from is as it was, and may be merged again: packets that it has not sorted in yet among them. */
static void left_as_it_was(void **state)
{
	struct roster *from = roster_new(100), *into = roster_new(100), *again = roster_new(100);
	const struct roster_source *a = NULL, *b = NULL;
	uint32_t count = 0, other = 0;

	(void)state;
	for (uint32_t j = 0; j < 9; j++)
		add(from, &stream[j], 0);
	mark(from, &stream[8], ROSTER_RESET);
	roster_merge(into, from, 0);
	roster_merge(again, from, 0);
	assert_int_equal(roster_sources(into, &a, &count), 0);
	assert_int_equal(roster_sources(again, &b, &other), 0);
	assert_int_equal(count, other);
	assert_memory_equal(a, b, count * sizeof(*a));
	assert_int_equal(roster_sources(from, &b, &other), 0);
	assert_memory_equal(a, b, count * sizeof(*a));
	roster_free(from);
	roster_free(into);
	roster_free(again);
}

/* From now on less room: as if there had never been more. */
static void limited_while_it_goes_on(void **state)
{
	static const uint32_t limits[] = { 4000, 1200, 1200, 2000, 333 };
	struct roster *roster = roster_new(ROSTER_MAX);

	(void)state;
	for (uint32_t j = 0; j < STREAM; j++) {
		if (j % (STREAM / 6) == 0 && j > 0 && j / (STREAM / 6) <= 5)
			roster_limit(roster, limits[j / (STREAM / 6) - 1]);
		add(roster, &stream[j], wave_of(&stream[j]));
	}
	twin_make(333);
	assert_twin(roster);
	roster_limit(roster, 0);
	assert_in_range(roster_held(roster), 0, 1);
	roster_free(roster);
}

/* Reading in between changes the order in which sources lie, and nothing else. */
static void read_while_it_goes_on(void **state)
{
	struct roster *roster = roster_new(700);
	const struct roster_source *sources;
	uint32_t count;

	(void)state;
	for (uint32_t j = 0; j < STREAM; j++) {
		add(roster, &stream[j], wave_of(&stream[j]));
		if (j % 777 == 0)
			assert_int_equal(roster_sources(roster, &sources, &count), 0);
	}
	twin_make(700);
	assert_twin(roster);
	roster_free(roster);
}

static const struct roster_source *source_of(struct roster *roster, const struct observation *o)
{
	const struct roster_source *sources = NULL;
	uint32_t count = 0;

	assert_int_equal(roster_sources(roster, &sources, &count), 0);
	for (uint32_t i = 0; i < count; i++)
		if (address_equal(&sources[i].address, &o->src))
			return &sources[i];
	return NULL;
}

/* A mark is a source's that is held, however much is between; it makes none. */
static void marks(void **state)
{
	struct observation known = made_tcp(1, made_ipv4(0xc6120001u), 1, made_ipv4(0xc0000201u), 443, TCP_SYN, 1, 0);
	struct observation other = known, unknown = known;
	struct roster *roster = roster_new(100);

	(void)state;
	other.src = made_ipv4(0xc6120002u);
	unknown.src = made_ipv4(0xc6120003u);
	add(roster, &known, 0);
	mark(roster, &known, ROSTER_VERIFIED);
	mark(roster, &unknown, ROSTER_VERIFIED);
	for (unsigned i = 0; i < 100; i++)
		add(roster, &other, 0);
	mark(roster, &known, ROSTER_RESET);
	assert_int_equal(source_of(roster, &known)->marks, ROSTER_VERIFIED | ROSTER_RESET);
	assert_int_equal(source_of(roster, &known)->packets, 1);
	assert_int_equal(source_of(roster, &other)->marks, 0);
	assert_int_equal(source_of(roster, &other)->packets, 100);
	assert_null(source_of(roster, &unknown));
	assert_int_equal(roster_held(roster), 2);
	roster_free(roster);
}

/* Waves are numbered up to the last bit; what lies beyond is the last. */
static void waves(void **state)
{
	struct observation o = made_udp(1, made_ipv4(0xc6120001u), 1, made_ipv4(0xc0000201u), 53, 9);
	uint8_t to[ROSTER_WAVES];
	struct roster *roster = roster_new(10), *into = roster_new(10);

	(void)state;
	add(roster, &o, 0);
	add(roster, &o, 5);
	assert_int_equal(source_of(roster, &o)->waves, 1u << 0 | 1u << 5);
	roster_merge(into, roster, 3);
	assert_int_equal(source_of(into, &o)->waves, 1u << 3 | 1u << 8);
	roster_merge(into, roster, 29);
	assert_int_equal(source_of(into, &o)->waves, 1u << 3 | 1u << 8 | 1u << 29 | 1u << 31);
	roster_merge(into, roster, UINT32_MAX);
	assert_int_equal(source_of(into, &o)->waves, 1u << 3 | 1u << 8 | 1u << 29 | 1u << 31);
	add(roster, &o, UINT32_MAX);
	assert_int_equal(source_of(roster, &o)->waves, 1u << 0 | 1u << 5 | 1u << 31);
	for (unsigned i = 0; i < ROSTER_WAVES; i++)
		to[i] = (uint8_t)(i < 5 ? i + 1 : i < 31 ? i - 5 : 200);
	roster_renumber(roster, to);
	assert_int_equal(source_of(roster, &o)->waves, 1u << 1 | 1u << 0 | 1u << 31);
	roster_free(roster);
	roster_free(into);
}

static void nothing(void **state)
{
	const struct roster_source *sources;
	struct roster *roster = roster_new(0);
	uint32_t count = 7;

	(void)state;
	assert_non_null(roster);
	assert_int_equal(roster_sources(roster, &sources, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(roster_halvings(roster), 0);
	roster_free(roster);
	roster_free(NULL);
}

/* ---- no memory: the linker puts these before the library's ---- */

static bool starve;

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return starve ? NULL : __real_aligned_alloc(alignment, size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	return starve ? NULL : __real_calloc(count, size);
}

/* Sources there is no room for are counted, and are found in no state that is half done. */
static void no_memory(void **state)
{
	struct roster *roster = roster_new(1000);
	const struct roster_source *sources;
	uint32_t count;

	(void)state;
	starve = true;
	assert_null(roster_new(10));
	for (uint32_t j = 0; j < STREAM; j++)
		add(roster, &stream[j], 0);
	assert_in_range(roster_lost(roster), 1, STREAM - 64);
	assert_int_equal(roster_held(roster), 64);
	assert_int_equal(roster_sources(roster, &sources, &count), -ENOMEM);
	roster_limit(roster, 20); /* less room, but none to move to */
	assert_in_range(roster_held(roster), 1, 20);
	starve = false;
	assert_int_equal(roster_sources(roster, &sources, &count), 0);
	assert_in_range(count, 1, 20);
	roster_free(roster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_in_order),
		cmocka_unit_test(in_any_order),
		cmocka_unit_test(merged),
		cmocka_unit_test(left_as_it_was),
		cmocka_unit_test(limited_while_it_goes_on),
		cmocka_unit_test(read_while_it_goes_on),
		cmocka_unit_test(marks),
		cmocka_unit_test(waves),
		cmocka_unit_test(nothing),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, make_stream, NULL);
}
