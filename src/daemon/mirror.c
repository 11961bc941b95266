/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mirror.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/role.h"
#include "shield/blocks.h"
#include "shield/maps.h"

#define DEFAULT_NAME "holdfast"

const char *mirror_name(const char *bpffs_dir, char name[NFT_NAME_MAX])
{
	const char *last = strrchr(bpffs_dir, '/');
	size_t length = 0;

	for (last = last ? last + 1 : bpffs_dir; *last && length < NFT_NAME_MAX - 1; last++)
		name[length++] =
			strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *last) ? *last : '_';
	name[length] = '\0';
	if (length == 0)
		memcpy(name, DEFAULT_NAME, sizeof(DEFAULT_NAME));
	return name;
}

void mirror_init(struct mirror *mirror, struct shield *shield, const char *bpffs_dir, uint32_t capacity)
{
	mirror->nft = NULL;
	mirror->shield = shield;
	mirror->capacity = capacity;
	(void)mirror_name(bpffs_dir, mirror->name);
}

void mirror_fini(struct mirror *mirror)
{
	if (mirror->nft)
		nft_shield_close(mirror->nft);
	mirror->nft = NULL;
}

static uint64_t jiffies_now(const struct mirror *mirror)
{
	struct shield_pace pace = shield_pace(mirror->shield);

	return shield_jiffies_at(&pace, role_monotonic_ns());
}

static int64_t left_until(const struct mirror *mirror, uint64_t jiffies)
{
	struct shield_pace pace = shield_pace(mirror->shield);

	return shield_ns_until(&pace, role_monotonic_ns(), jiffies);
}

/* ---- filling ---- */

/* Entries that end together go in together: lists and blocks from files are such. */
struct filling {
	struct mirror *mirror;
	enum nft_list list;
	uint64_t expires;
	unsigned count;
	struct prefix prefixes[NFT_BLOCKS_MAX];
	struct shield_error *error;
};

static int flush(struct filling *filling)
{
	int64_t left_ns = left_until(filling->mirror, filling->expires);
	unsigned count = filling->count;

	filling->count = 0;
	(void)alarm(ROLE_ALARM_S);
	if (count == 0 || left_ns == 0)
		return 0;
	return nft_shield_add(filling->mirror->nft, filling->list, filling->prefixes, count, left_ns, filling->error);
}

static int fill(void *context, const struct prefix *prefix, uint64_t expires)
{
	struct filling *filling = context;

	if (filling->count == NFT_BLOCKS_MAX || (filling->count > 0 && filling->expires != expires)) {
		int result = flush(filling);

		if (result != 0)
			return result;
	}
	filling->expires = expires;
	filling->prefixes[filling->count++] = *prefix;
	return 0;
}

int mirror_blocks(struct mirror *mirror, struct shield_error *error)
{
	struct filling *filling = mirror->nft ? calloc(1, sizeof(*filling)) : NULL;
	struct blocks *blocks = NULL;
	int result;

	if (!mirror->nft)
		return 0;
	if (!filling)
		return -ENOMEM;
	*filling = (struct filling){ .mirror = mirror, .list = NFT_BLOCKED, .error = error };
	result = blocks_new(shield_maps(mirror->shield), &blocks);
	if (result == 0)
		result = blocks_each(blocks, jiffies_now(mirror), fill, filling);
	if (result == 0)
		result = flush(filling);
	blocks_free(blocks);
	free(filling);
	return result;
}

static int fill_allowed(struct mirror *mirror, struct shield_error *error)
{
	struct filling *filling = calloc(1, sizeof(*filling));
	int result;

	if (!filling)
		return -ENOMEM;
	*filling = (struct filling){ .mirror = mirror, .list = NFT_ALLOWED, .error = error };
	result = shield_each_allowed(shield_maps(mirror->shield), jiffies_now(mirror), fill, filling);
	if (result == 0)
		result = flush(filling);
	free(filling);
	return result;
}

/*
 * All rules that are in force, or the one of that number. Those that arm, spare, probe or look at sources, which
 * nftables does not, it does not get: they rest on samples, and it gives none.
 */
static int fill_rules(struct mirror *mirror, uint32_t number, struct shield_error *error)
{
	struct shield_rule_told *told = calloc(SHIELD_RULES_MAX, sizeof(*told));
	unsigned count = 0;
	int result = told ? shield_read_rules(shield_maps(mirror->shield), jiffies_now(mirror), told, &count) : -ENOMEM;

	for (unsigned i = 0; i < count && result == 0; i++) {
		if (number && told[i].number != number)
			continue;
		if (told[i].arm_pps || told[i].spare || told[i].probe || told[i].known || told[i].each)
			continue;
		result = nft_shield_add_rule(mirror->nft, &told[i], left_until(mirror, told[i].expires), error);
		if (result == -EEXIST)
			result = 0;
	}
	free(told);
	return result;
}

static int fill_all(struct mirror *mirror, struct shield_error *error)
{
	int result = mirror_set_guard(mirror, error); /* the ways in come first */

	if (result == 0)
		result = fill_allowed(mirror, error);
	if (result == 0)
		result = fill_rules(mirror, 0, error);
	if (result == 0)
		result = mirror_blocks(mirror, error);
	if (result == 0)
		result = mirror_set_mode(mirror, error);
	return result;
}

/* ---- taking over ---- */

/* A table of an earlier run may have what has been let go since. */
struct stale {
	struct prefix_list held, found;
	int result;
};

static int hold(void *context, const struct prefix *prefix, uint64_t expires)
{
	struct stale *stale = context;

	(void)expires;
	stale->result = prefix_list_append(&stale->held, prefix, 1);
	return stale->result;
}

static int find_stale(void *context, const struct prefix *prefix, int64_t left_ns)
{
	struct stale *stale = context;

	(void)left_ns;
	if (!prefix_list_has(&stale->held, prefix))
		stale->result = prefix_list_append(&stale->found, prefix, 1);
	return stale->result;
}

static int clear_list(struct mirror *mirror, enum nft_list list, struct stale *stale, struct shield_error *error)
{
	int result = stale->result;

	prefix_list_sort(&stale->held);
	if (result == 0)
		result = nft_shield_each(mirror->nft, list, find_stale, stale, error);
	for (uint32_t i = 0; i < stale->found.count && result == 0; i++)
		result = mirror_unlist(mirror, list, &stale->found.prefixes[i], error);
	prefix_list_fini(&stale->held);
	prefix_list_fini(&stale->found);
	return result;
}

static int clear_rules(struct mirror *mirror, struct shield_error *error)
{
	struct shield_rule_told *held = calloc(SHIELD_RULES_MAX, sizeof(*held));
	struct nft_rule_told *told = calloc(SHIELD_RULES_MAX, sizeof(*told));
	unsigned held_count = 0, count = 0;
	int result = held && told
	                     ? shield_read_rules(shield_maps(mirror->shield), jiffies_now(mirror), held, &held_count)
	                     : -ENOMEM;

	if (result == 0)
		result = nft_shield_read_rules(mirror->nft, told, &count, error);
	for (unsigned i = 0; i < count && result == 0; i++) {
		bool has = false;

		for (unsigned k = 0; k < held_count; k++)
			has = has || held[k].number == told[i].told.number;
		if (!has)
			result = nft_shield_remove_rule(mirror->nft, told[i].told.number, error);
	}
	free(held);
	free(told);
	return result;
}

int mirror_clear_blocks(struct mirror *mirror, struct shield_error *error)
{
	struct stale blocked = { .result = 0 };
	struct blocks *blocks = NULL;
	int result;

	if (!mirror->nft)
		return 0;
	result = blocks_new(shield_maps(mirror->shield), &blocks);
	if (result == 0)
		result = blocks_each(blocks, jiffies_now(mirror), hold, &blocked);
	blocks_free(blocks);
	if (result == 0)
		result = clear_list(mirror, NFT_BLOCKED, &blocked, error);
	prefix_list_fini(&blocked.held);
	return result;
}

static int clear_stale(struct mirror *mirror, struct shield_error *error)
{
	struct stale allowed = { .result = 0 };
	int result = mirror_clear_blocks(mirror, error);

	if (result == 0)
		result = shield_each_allowed(shield_maps(mirror->shield), jiffies_now(mirror), hold, &allowed);
	if (result == 0)
		result = clear_list(mirror, NFT_ALLOWED, &allowed, error);
	prefix_list_fini(&allowed.held);
	return result ? result : clear_rules(mirror, error);
}

/* ---- interfaces ---- */

int mirror_attach(struct mirror *mirror, const char *interface, struct shield_error *error)
{
	bool taken_over;
	int result;

	if (!mirror->nft) {
		result = nft_shield_open(mirror->name, mirror->capacity, &mirror->nft, &taken_over, error);
		if (result != 0) {
			mirror->nft = NULL;
			return result;
		}
		if (taken_over)
			result = clear_stale(mirror, error);
		if (result == 0)
			result = fill_all(mirror, error);
		if (result != 0) { /* half a table is none: the next time it is filled from the beginning */
			mirror_fini(mirror);
			return result;
		}
	}
	return nft_shield_attach(mirror->nft, interface, error);
}

int mirror_drop(struct mirror *mirror, struct shield_error *error)
{
	bool was;

	mirror_fini(mirror);
	return nft_shield_available() == 0 ? nft_shield_remove(mirror->name, &was, error) : 0;
}

int mirror_detach(struct mirror *mirror, const char *interface, struct shield_error *error)
{
	return mirror->nft ? nft_shield_detach(mirror->nft, interface, error) : 0;
}

/* ---- changes ---- */

int mirror_add_rule(struct mirror *mirror, uint32_t number, struct shield_error *error)
{
	return mirror->nft ? fill_rules(mirror, number, error) : 0;
}

int mirror_remove_rule(struct mirror *mirror, uint32_t number, struct shield_error *error)
{
	int result = mirror->nft ? nft_shield_remove_rule(mirror->nft, number, error) : 0;

	return result == -ENOENT ? 0 : result;
}

void mirror_sweep(struct mirror *mirror)
{
	struct nft_rule_told *told = mirror->nft ? calloc(SHIELD_RULES_MAX, sizeof(*told)) : NULL;
	struct shield_error error;
	unsigned count = 0;

	if (told && nft_shield_read_rules(mirror->nft, told, &count, &error) == 0)
		for (unsigned i = 0; i < count; i++)
			if (told[i].left_ns == 0)
				(void)nft_shield_remove_rule(mirror->nft, told[i].told.number, &error);
	free(told);
}

int mirror_list(struct mirror *mirror, enum nft_list list, const struct prefix *prefixes, unsigned count,
                int64_t for_ns, struct shield_error *error)
{
	return mirror->nft ? nft_shield_add(mirror->nft, list, prefixes, count, for_ns, error) : 0;
}

int mirror_unlist(struct mirror *mirror, enum nft_list list, const struct prefix *prefix, struct shield_error *error)
{
	int result = mirror->nft ? nft_shield_drop(mirror->nft, list, prefix, error) : 0;

	return result == -ENOENT ? 0 : result;
}

int mirror_set_mode(struct mirror *mirror, struct shield_error *error)
{
	struct shield_mode mode;
	int result = mirror->nft ? shield_read_mode(shield_maps(mirror->shield), jiffies_now(mirror), &mode) : 0;

	if (!mirror->nft || result != 0)
		return result;
	return nft_shield_set_mode(mirror->nft, mode.enforce, mode.enforce ? left_until(mirror, mode.until) : INT64_MAX,
	                           error);
}

int mirror_set_guard(struct mirror *mirror, struct shield_error *error)
{
	struct nft_way_in ways[SHIELD_GUARD_MAX];
	unsigned count = 0;

	if (!mirror->nft)
		return 0;
	for (unsigned i = 0; i < *mirror->guard_count; i++) {
		int64_t left_ns = left_until(mirror, mirror->guard[i].expires);

		if (left_ns > 0)
			ways[count++] = (struct nft_way_in){ .from = mirror->guard[i].from,
				                             .port = mirror->guard[i].port,
				                             .for_ns = left_ns };
	}
	return nft_shield_set_guard(mirror->nft, ways, count, error);
}

/* ---- counters ---- */

bool mirror_count(struct mirror *mirror, struct message_counted *counted)
{
	struct nft_rule_told *told = mirror->nft ? calloc(SHIELD_RULES_MAX, sizeof(*told)) : NULL;
	struct shield_error error;
	unsigned count = 0;
	bool any = told && nft_shield_read_counters(mirror->nft, &counted->counters, &error) == 0 &&
	           nft_shield_read_rules(mirror->nft, told, &count, &error) == 0;

	for (unsigned i = 0; any && i < count; i++)
		counted->rules[i] = (struct message_counted_rule){ .number = told[i].told.number,
			                                           .matched = told[i].matched,
			                                           .dropped = told[i].dropped };
	counted->rule_count = any ? count : 0;
	free(told);
	return any;
}
