/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks: the kernel drops what the list holds, while it changes, to the tick, and with nobody there. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <cmocka.h>

#include "abi/shield.h"
#include "base/prefix.h"
#include "packet.h"
#include "rig.h"
#include "shield/blocks.h"
#include "shield/lanes.h"
#include "shield/shield.h"

/* Blocks of all lengths, nested, coming and going: the kernel drops what blocks_find() finds. */
static void blocks_hold_as_they_are_listed(void **state)
{
	enum { PREFIXES = 1500, STEPS = 30000 };
	static struct prefix listed[PREFIXES];
	unsigned found = 0, count = 0;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	for (unsigned step = 0; step < STEPS; step++) {
		bool ipv4 = packet_random(&rig.random, 2);
		char src[ADDRESS_TEXT_SIZE];
		struct address address;
		struct prefix around;
		uint64_t expires;
		struct packet p;
		bool hit;

		if (ipv4) {
			const uint8_t octets[4] = { 198, (uint8_t)(18 + packet_random(&rig.random, 2)),
				                    (uint8_t)packet_random(&rig.random, 4),
				                    (uint8_t)packet_random(&rig.random, 16) };

			address = address_from_ipv4(octets);
		} else {
			uint8_t octets[16] = { 0x20, 0x01, 0x0d, 0xb8 };

			for (unsigned i = 4; i < 16; i++)
				octets[i] = (uint8_t)packet_random(&rig.random, 2);
			address = address_from_ipv6(octets);
		}
		if (step % 4 == 0) {
			unsigned longest = ipv4 ? 32 : 128,
				 at = count < PREFIXES ? count : packet_random(&rig.random, PREFIXES);

			if (at < count)
				(void)blocks_remove(rig.blocks, &listed[at], rig_jiffies());
			else
				count++;
			/* Long ones more often, or all would be blocked. */
			listed[at] = prefix_of(&address, packet_random(&rig.random, 16)
			                                         ? longest - packet_random(&rig.random, 12)
			                                         : 13 + packet_random(&rig.random, longest - 12));
			assert_int_equal(blocks_add(rig.blocks, &listed[at], rig_jiffies(),
			                            rig_jiffies() + rig_seconds(600)),
			                 0);
			if (packet_random(&rig.random, 8) == 0)
				(void)blocks_sweep(rig.blocks, rig_jiffies(), 64);
			continue;
		}
		address_format(&address, src);
		p = packet_of_udp(src, ipv4 ? "192.0.2.10" : "2001:db8::10", 1, 2);
		hit = blocks_find(rig.blocks, &address, rig_jiffies(), &around, &expires) == 0;
		found += hit;
		if ((rig_run(p.octets, p.length) == XDP_DROP) != hit)
			fail_msg("%s: the list says %d", src, hit);
	}
	assert_in_range(found, STEPS / 20, STEPS * 3 / 4);
	for (unsigned i = 0; i < count; i++)
		(void)blocks_remove(rig.blocks, &listed[i], rig_jiffies());
}

/* Of these none is taken out of the list, while it changes around them as fast as it can. */
enum { STANDING = 400, COMING = 6000 };

static struct {
	struct packet packets[STANDING];
	unsigned long looked, missed, broken;
	bool stop;
} watched;

static void *watch(void *context)
{
	(void)context;
	while (!__atomic_load_n(&watched.stop, __ATOMIC_RELAXED))
		for (unsigned i = 0; i < STANDING; i++) {
			struct bpf_test_run_opts options = {
				.sz = sizeof(options),
				.data_in = watched.packets[i].octets,
				.data_size_in = (uint32_t)watched.packets[i].length,
				.repeat = 1,
			};

			watched.broken += bpf_prog_test_run_opts(rig.program, &options) != 0;
			watched.missed += options.retval != XDP_DROP;
			watched.looked++;
		}
	return NULL;
}

static struct prefix numbered(unsigned number, bool ipv4)
{
	const uint8_t octets4[4] = { 198, (uint8_t)(18 + (number >> 16 & 1)), (uint8_t)(number >> 8), (uint8_t)number };
	uint8_t octets6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 9, (uint8_t)(number >> 8), (uint8_t)number };
	struct address address = ipv4 ? address_from_ipv4(octets4) : address_from_ipv6(octets6);

	return prefix_of(&address, ipv4 ? 32 : 64);
}

static void what_is_blocked_stays_so_while_the_list_changes(void **state)
{
	char src[ADDRESS_TEXT_SIZE];
	struct prefix what;
	pthread_t thread;
	uint64_t expires;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	expires = rig_jiffies() + rig_seconds(600);
	/* Half of them came when the tables were full of others, and so stand away from their homes. */
	for (unsigned i = 0; i < COMING; i++) {
		what = numbered(i, i % 2);
		(void)blocks_add(rig.blocks, &what, rig_jiffies(), expires);
		if (i % (COMING / STANDING) == 0 && i / (COMING / STANDING) < STANDING) {
			what = numbered(COMING + i, i % 4 < 2);
			assert_int_equal(blocks_add(rig.blocks, &what, rig_jiffies(), expires), 0);
			address_format(&what.address, src);
			watched.packets[i / (COMING / STANDING)] =
				packet_of_udp(src, what.is_ipv4 ? "192.0.2.10" : "2001:db8::10", 1, 2);
		}
	}
	assert_int_equal(pthread_create(&thread, NULL, watch, NULL), 0);
	for (unsigned i = 0; i < 600000; i++) {
		unsigned number = packet_random(&rig.random, COMING);

		what = numbered(number, number % 2);
		if (packet_random(&rig.random, 2))
			(void)blocks_add(rig.blocks, &what, rig_jiffies(), expires);
		else
			(void)blocks_remove(rig.blocks, &what, rig_jiffies());
		if (i % 16 == 0)
			(void)blocks_sweep(rig.blocks, rig_jiffies(), 4);
	}
	__atomic_store_n(&watched.stop, true, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(thread, NULL), 0);
	print_message("%lu times looked up\n", watched.looked);
	assert_true(watched.looked > STANDING);
	assert_int_equal(watched.broken, 0);
	assert_int_equal(watched.missed, 0);
	for (unsigned i = 0; i < 2 * COMING; i++) {
		what = numbered(i, i % 2);
		(void)blocks_remove(rig.blocks, &what, rig_jiffies());
		what = numbered(i, i % 4 < 2);
		(void)blocks_remove(rig.blocks, &what, rig_jiffies());
	}
}

/* More prefixes than their bucket has lanes for, and one that no lane can have; and some that are not listed. */
static void a_crowded_bucket_holds_them_all(void **state)
{
	enum { CROWD = 60 };
	const struct shield_maps *maps;
	struct shield_block_state *shared;
	struct lanes lanes;
	unsigned count = 0;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	maps = shield_maps(rig.shield);
	shared = mmap(NULL, sizeof(*shared), PROT_READ, MAP_SHARED, maps->fd[SHIELD_MAP_BLOCK_STATE], 0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	lanes.state = shared;
	lanes_init(&lanes);
	for (unsigned listing = 0; listing < 3; listing++)
		for (uint32_t remainder = 0; remainder < 4 * CROWD; remainder++) {
			uint64_t code = lanes_code_at(&lanes, 4711, remainder);
			const uint8_t octets[4] = { (uint8_t)(code >> 25), (uint8_t)(code >> 17), (uint8_t)(code >> 9),
				                    (uint8_t)(code >> 1) };
			struct address address = address_from_ipv4(octets);
			struct prefix host = prefix_of(&address, 32);
			char src[ADDRESS_TEXT_SIZE];
			struct packet p;
			bool listed;

			if (code % 2 == 0) /* not of a single address */
				continue;
			listed = remainder < 2 * CROWD;
			if (listed && listing == 0) {
				assert_int_equal(blocks_add(rig.blocks, &host, rig_jiffies(),
				                            rig_jiffies() + rig_seconds(60)),
				                 0);
				count++;
			}
			address_format(&address, src);
			p = packet_of_udp(src, "192.0.2.10", 1, 2);
			if (listing == 1)
				rig_meets(&p, listed ? SHIELD_DROP_BLOCK : SHIELD_PASS_CLEAN, src);
			if (listed && listing == 2) {
				assert_int_equal(blocks_remove(rig.blocks, &host, rig_jiffies()), 0);
				rig_meets(&p, SHIELD_PASS_CLEAN, src);
			}
		}
	assert_in_range(count, 2 * SHIELD_BLOCK4_LANES, 2 * CROWD);
	assert_int_equal(munmap(shared, sizeof(*shared)), 0);
}

/* How far the kernel's timer is, by the pinned map. */
static uint64_t swept_tick(void)
{
	uint64_t value[2 + sizeof(struct shield_sweep) / sizeof(uint64_t)]; /* behind the timer */
	struct shield_sweep sweep;
	char path[sizeof(rig.dir) + 32];
	uint32_t key = 0;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/block_sweep", rig.dir);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, value), 0);
	close(fd);
	memcpy(&sweep, value + 2, sizeof(sweep));
	return sweep.tick;
}

static unsigned stale_buckets(void)
{
	const struct shield_maps *maps = shield_maps(rig.shield);
	struct shield_swept4 swept;
	unsigned stale = 0;

	for (uint32_t line = 0; bpf_map_lookup_elem(maps->fd[SHIELD_MAP_BLOCK4_SWEPT], &line, &swept) == 0; line++)
		for (unsigned i = 0; i < SHIELD_BLOCK4_GROUPS; i++)
			stale += (unsigned)__builtin_popcountll(swept.stale[i]);
	return stale;
}

static unsigned tick_shift(void)
{
	struct shield_block_state made;

	blocks_begin(RIG_BLOCKS, shield_pace(rig.shield).hz, 0, &made);
	return made.tick_shift;
}

/*
 * To the tick, while the timer goes through the table, too: no packet is dropped in a tick in which its block has
 * ended.
 */
static void a_block_ends_with_its_tick(void **state)
{
	enum { BLOCKS = 8, STEPS_MAX = 8000 };
	uint64_t ends[BLOCKS], began, per_tick;
	struct packet packets[BLOCKS];
	unsigned dropped = 0, passed = 0, step = 0;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	(void)blocks_sweep(rig.blocks, rig_jiffies(), UINT32_MAX);
	per_tick = 1ULL << tick_shift();
	began = rig_jiffies();
	for (unsigned i = 0; i < BLOCKS; i++) {
		char src[ADDRESS_TEXT_SIZE];

		(void)snprintf(src, sizeof(src), "198.51.100.%u", i);
		packets[i] = packet_of_udp(src, "192.0.2.10", 1, 2);
		ends[i] = (began + i * per_tick / 2 + 1 + per_tick - 1) / per_tick * per_tick;
		rig_block(src, began + i * per_tick / 2 + 1);
	}
	for (; step < STEPS_MAX && rig_jiffies() < ends[BLOCKS - 1] + per_tick; step++) {
		unsigned i = step % BLOCKS;
		uint64_t before = rig_jiffies();
		bool drops = rig_run(packets[i].octets, packets[i].length) == XDP_DROP;
		uint64_t after = rig_jiffies();

		dropped += drops;
		passed += !drops;
		/* What is read here may be a jiffy beside what the kernel has. */
		if (after + 1 < ends[i] && !drops)
			fail_msg("block %u has ended %d jiffies too early", i, (int)(ends[i] - after));
		if (before > ends[i] + 1 && drops)
			fail_msg("block %u has ended %d jiffies ago", i, (int)(before - ends[i]));
		rig_wait_ms(1);
	}
	assert_true(dropped > BLOCKS && passed > BLOCKS);
	rig_wait_ms(100);
	assert_int_equal(stale_buckets(), BLOCKS); /* they stand there yet, and the kernel knows */
	assert_int_equal(blocks_sweep(rig.blocks, rig_jiffies(), UINT32_MAX), BLOCKS);
	rig_wait_ms(800);
	assert_int_equal(stale_buckets(), 0);
}

/* Nobody has the shield open, and its timer runs; who takes it over finds what has been blocked, and what has ended. */
static void the_timer_runs_on_alone(void **state)
{
	struct packet soon = packet_of_udp("198.51.100.1", "192.0.2.10", 1, 2),
		      late = packet_of_udp("198.51.100.2", "192.0.2.10", 1, 2);
	const struct prefix second = rig_prefix("198.51.100.2");
	struct shield_maps maps;
	struct blocks *engine;
	struct prefix found;
	uint64_t before, expires;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	rig_block("198.51.100.1", rig_jiffies() + 1);
	rig_block("198.51.100.2", rig_jiffies() + rig_seconds(60));
	rig_meets(&late, SHIELD_DROP_BLOCK, "a block");
	before = swept_tick();
	blocks_free(rig.blocks);
	shield_close(rig.shield);
	rig_wait_ms(1300);
	assert_true(swept_tick() >= before + 2);
	assert_int_equal(rig_open(state), 0);
	assert_non_null(rig.shield);
	shield_set_mode(rig.shield, true, SHIELD_NEVER);
	rig_meets(&soon, SHIELD_PASS_CLEAN, "a block that has ended");
	rig_meets(&late, SHIELD_DROP_BLOCK, "a block");
	/* As the engine has them: some read-only. */
	assert_int_equal(shield_maps_for_engine(rig.dir, &maps), 0);
	assert_int_equal(blocks_new(&maps, &engine), 0);
	assert_int_equal(blocks_find(engine, &second.address, rig_jiffies(), &found, &expires), 0);
	assert_true(prefix_equal(&found, &second));
	blocks_free(engine);
	shield_maps_close(&maps);
	before = swept_tick();
	rig_wait_ms(1300);
	assert_true(swept_tick() >= before + 2); /* by the new program, now */
	rig_release("198.51.100.2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_hold_as_they_are_listed),
		cmocka_unit_test(what_is_blocked_stays_so_while_the_list_changes),
		cmocka_unit_test(a_crowded_bucket_holds_them_all),
		cmocka_unit_test(a_block_ends_with_its_tick),
		cmocka_unit_test(the_timer_runs_on_alone),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
