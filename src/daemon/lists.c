/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks that the configuration's block_files name. Every block expires, these too: they hold for ENGINE_LISTED_S and
 * are put in again when half of that has passed, so that a daemon that is no more leaves none behind for long. What a
 * list no longer names is let go when it is read again, whoever else blocked it.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/engine.h"
#include "daemon/log.h"

#define SLICE 20000 /* prefixes that are put in again at a time */

#define LISTED_NS (ENGINE_LISTED_S * NS_PER_S)

static int read_lists(const struct config *config, const int *fds, unsigned fd_count, struct prefix_list *list,
                      char error[CONFIG_ERROR_SIZE])
{
	struct prefix_list all = { .prefixes = NULL };
	int result = 0;

	for (unsigned i = 0; i < fd_count && i < config->block_file_count && result == 0; i++) {
		char wrong[PREFIX_FILE_ERROR_SIZE];
		struct prefix_list one;

		result = prefix_file_read(fds[i], config->block_files[i].path, 2 * config->block_capacity, &one, wrong);
		if (result != 0) {
			(void)snprintf(error, CONFIG_ERROR_SIZE, "%s", wrong);
			break;
		}
		if (all.count == 0) {
			all = one;
			continue;
		}
		result = prefix_list_append(&all, one.prefixes, one.count);
		prefix_list_fini(&one);
		if (result != 0)
			(void)snprintf(error, CONFIG_ERROR_SIZE, "out of memory");
	}
	if (result != 0) {
		prefix_list_fini(&all);
		return result;
	}
	prefix_list_sort(&all);
	*list = all;
	return 0;
}

static int check_room(const struct engine *engine, const struct prefix_list *list, char error[CONFIG_ERROR_SIZE])
{
	uint32_t ipv4 = 0, used4, used6, capacity;

	for (uint32_t i = 0; i < list->count; i++)
		ipv4 += list->prefixes[i].is_ipv4;
	blocks_count(engine->blocks, &used4, &used6, &capacity);
	if (ipv4 <= capacity && list->count - ipv4 <= capacity)
		return 0;
	(void)snprintf(
		error, CONFIG_ERROR_SIZE,
		"block_files name %u IPv4 and %u IPv6 prefixes, there is room for %u of each; raise shield.block_capacity "
		"and start holdfast anew",
		ipv4, list->count - ipv4, capacity);
	return -ENOSPC;
}

/* Puts in list[from] to list[to - 1], and counts what could not be. */
static void put_in(struct engine *engine, uint32_t from, uint32_t to, uint32_t *guarded, uint32_t *refused)
{
	uint64_t now = engine_jiffies(engine), expires = engine_jiffies_after(engine, LISTED_NS);
	struct shield_mode mode = { .enforce = false };

	(void)shield_read_mode(&engine->maps, now, &mode); /* the kernel lets the ways in pass first, in any case */
	for (uint32_t i = from; i < to; i++) {
		const struct prefix *prefix = &engine->listed.list.prefixes[i];
		struct prefix way;
		uint16_t port;

		if (command_hits_guard(&mode, now, prefix, &way, &port))
			(*guarded)++;
		else if (blocks_add(engine->blocks, prefix, now, expires) != 0)
			(*refused)++;
	}
}

static void say_left_out(uint32_t guarded, uint32_t refused)
{
	if (guarded)
		LOG_SAY(LOG_WARNING, "%u prefixes of block_files would shut the operator's way in, and are left out",
		        guarded);
	if (refused)
		LOG_SAY(LOG_WARNING,
		        "%u prefixes of block_files found no room in the table; raise shield.block_capacity", refused);
}

/* What the old list has and the new one has not; both are sorted. */
static void let_go(struct engine *engine, const struct prefix_list *old, const struct prefix_list *list)
{
	uint64_t now = engine_jiffies(engine);
	uint32_t k = 0;

	for (uint32_t i = 0; i < old->count; i++) {
		const struct prefix *prefix = &old->prefixes[i];

		for (; k < list->count; k++) {
			int order = address_compare(&list->prefixes[k].address, &prefix->address);

			if (order > 0 || (order == 0 && list->prefixes[k].length >= prefix->length))
				break;
		}
		if (k == list->count || !prefix_equal(&list->prefixes[k], prefix)) {
			(void)blocks_remove(engine->blocks, prefix, now);
			engine_tell_unblocked(engine, prefix);
		}
	}
}

int lists_load(struct engine *engine, const struct config *config, const int *fds, unsigned fd_count,
               char error[CONFIG_ERROR_SIZE])
{
	struct prefix_list list, old = engine->listed.list;
	uint32_t guarded = 0, refused = 0;
	int64_t began_ns = role_monotonic_ns();
	bool had = old.count > 0;
	int result;

	(void)alarm(ROLE_LONG_S);
	result = read_lists(config, fds, fd_count, &list, error);
	if (result != 0)
		return result;
	result = check_room(engine, &list, error);
	if (result != 0) {
		prefix_list_fini(&list);
		return result;
	}
	let_go(engine, &old, &list);
	prefix_list_fini(&old);
	engine->listed.list = list;
	engine->listed.next = 0;
	put_in(engine, 0, list.count, &guarded, &refused);
	engine->listed.again_ns = role_monotonic_ns() + LISTED_NS / 2;
	say_left_out(guarded, refused);
	if (list.count || had)
		engine_tell_blocks(engine);
	if (list.count)
		LOG_SAY(LOG_INFO, "%u prefixes of block_files are blocked (%lld ms)", list.count - guarded - refused,
		        (long long)((role_monotonic_ns() - began_ns) / NS_PER_MS));
	return 0;
}

void lists_renew(struct engine *engine)
{
	struct listed *listed = &engine->listed;
	uint32_t to = listed->next + SLICE < listed->list.count ? listed->next + SLICE : listed->list.count;
	uint32_t guarded = 0, refused = 0;

	if (listed->list.count == 0 || role_monotonic_ns() < listed->again_ns)
		return;
	put_in(engine, listed->next, to, &guarded, &refused);
	say_left_out(guarded, refused);
	listed->next = to;
	if (to == listed->list.count) {
		engine_tell_blocks(engine);
		listed->next = 0;
		listed->again_ns = role_monotonic_ns() + LISTED_NS / 2;
	}
}
