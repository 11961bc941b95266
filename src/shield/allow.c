/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The allow list: a trie in the kernel, and before it bits that say where it may know something (abi/shield.h). A bit
 * is set before the entry that needs it can be missed, and cleared once no entry needs it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "shield/inside.h"

static void allow_key(const struct prefix *prefix, struct shield_allow_key *key)
{
	key->length = prefix->length + (prefix->is_ipv4 ? 96u : 0u);
	memcpy(key->address, prefix->address.octets, sizeof(key->address));
}

/* Where an address of this prefix has its bit: the first bin and how many; 0 of them where it can be anywhere. */
static unsigned allow_bins(const struct prefix *prefix, unsigned *first)
{
	const uint8_t *a = prefix->address.octets;

	if (prefix->is_ipv4) {
		*first = (unsigned)a[12] << 8 | a[13];
		return prefix->length >= 16 ? 1 : 1u << (16 - prefix->length);
	}
	*first = shield_allow_bin6((uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 | (uint32_t)a[2] << 8 | a[3]);
	return prefix->length >= 32 ? 1 : 0;
}

struct allow_summary {
	uint64_t bins[SHIELD_ALLOW_BINS / 64];
	uint32_t count, wide;
};

static int summarise(void *context, const struct prefix *prefix, uint64_t expires)
{
	struct allow_summary *summary = context;
	unsigned first, bins = allow_bins(prefix, &first);

	(void)expires;
	summary->count++;
	summary->wide += bins == 0;
	for (unsigned i = first; i < first + bins && i < SHIELD_ALLOW_BINS; i++)
		summary->bins[i / 64] |= 1ULL << (i % 64);
	return 0;
}

/* After entries have gone: the bins anew. Those that more than one needs stay set throughout. */
static int allow_refresh(struct shield *shield)
{
	uint64_t now = shield_jiffies_at(&shield->pace, shield_monotonic_ns());
	struct allow_summary *summary = calloc(1, sizeof(*summary));
	int result;

	if (!summary)
		return -ENOMEM;
	result = shield_each_allowed(&shield->maps, now, summarise, summary);
	if (!result) {
		for (unsigned i = 0; i < SHIELD_ALLOW_BINS / 64; i++)
			PUBLISH(shield->config->allow_bins[i], summary->bins[i]);
		PUBLISH(shield->config->allow_short, summary->wide);
		PUBLISH(shield->config->allow_count, summary->count);
	}
	free(summary);
	return result;
}

/* Those that are not there are passed over. The bins anew for all of them once: that looks at the whole list. */
int shield_disallow_all(struct shield *shield, const struct prefix *prefixes, unsigned count,
                        struct shield_error *error)
{
	char text[PREFIX_TEXT_SIZE];
	int result = 0, refreshed;

	for (unsigned i = 0; i < count && !result; i++) {
		struct shield_allow_key key;

		allow_key(&prefixes[i], &key);
		result = bpf_map_delete_elem(shield->maps.fd[SHIELD_MAP_ALLOW], &key);
		if (result == -ENOENT)
			result = 0;
		if (result)
			(void)shield_fail(error, result, "%s: %s", prefix_format(&prefixes[i], text),
			                  strerror(-result));
	}
	refreshed = count ? allow_refresh(shield) : 0;
	if (!result && refreshed)
		result = shield_fail(error, refreshed, "the allow list: %s", strerror(-refreshed));
	return result;
}

int shield_disallow(struct shield *shield, const struct prefix *prefix, struct shield_error *error)
{
	struct shield_allow_key key;
	struct shield_allow there;
	char text[PREFIX_TEXT_SIZE];

	allow_key(prefix, &key);
	if (bpf_map_lookup_elem(shield->maps.fd[SHIELD_MAP_ALLOW], &key, &there) != 0 || there.length != key.length)
		return shield_fail(error, -ENOENT, "%s: is not in the allow list", prefix_format(prefix, text));
	return shield_disallow_all(shield, prefix, 1, error);
}

struct passed {
	uint64_t now;
	unsigned count;
	struct prefix prefixes[SHIELD_ALLOW_MAX];
};

static int find_passed(void *context, const struct prefix *prefix, uint64_t expires)
{
	struct passed *passed = context;

	if (expires <= passed->now && passed->count < SHIELD_ALLOW_MAX)
		passed->prefixes[passed->count++] = *prefix;
	return 0;
}

int shield_sweep_allowed(struct shield *shield, uint64_t now, unsigned *swept)
{
	struct passed *passed = malloc(sizeof(*passed));
	struct shield_error unsaid;
	int result;

	if (!passed)
		return -ENOMEM;
	passed->now = now;
	passed->count = 0;
	result = shield_each_allowed(&shield->maps, 0, find_passed,
	                             passed); /* at the beginning of time none had expired */
	if (!result)
		result = shield_disallow_all(shield, passed->prefixes, passed->count, &unsaid);
	if (!result)
		*swept = passed->count;
	free(passed);
	return result;
}

int shield_allow(struct shield *shield, const struct prefix *prefix, uint64_t expires, struct shield_error *error)
{
	struct shield_allow_key key;
	struct shield_allow value = { .expires = expires }, there;
	char text[PREFIX_TEXT_SIZE];
	unsigned first, bins = allow_bins(prefix, &first), swept;
	uint64_t now = shield_jiffies_at(&shield->pace, shield_monotonic_ns());
	bool fresh;
	int result;

	allow_key(prefix, &key);
	value.length = key.length;
	/* A trie finds the longest that holds what is asked, which need not be this one. */
	fresh = bpf_map_lookup_elem(shield->maps.fd[SHIELD_MAP_ALLOW], &key, &there) != 0 || there.length != key.length;
	if (!fresh && there.expires == SHIELD_NEVER)
		value.expires = SHIELD_NEVER;
	result = bpf_map_update_elem(shield->maps.fd[SHIELD_MAP_ALLOW], &key, &value, BPF_ANY);
	if (result == -ENOSPC && shield_sweep_allowed(shield, now, &swept) == 0 && swept > 0)
		result = bpf_map_update_elem(shield->maps.fd[SHIELD_MAP_ALLOW], &key, &value, BPF_ANY);
	if (result == -ENOSPC) {
		(void)shield_fail(error, result, "%s: the allow list is full (%d)", prefix_format(prefix, text),
		                  SHIELD_ALLOW_MAX);
		shield_advise(error, "join neighbouring networks into one, or release some");
		return result;
	}
	if (result)
		return shield_fail(error, result, "%s: cannot be allowed: %s", prefix_format(prefix, text),
		                   strerror(-result));
	for (unsigned i = first; i < first + bins && i < SHIELD_ALLOW_BINS; i++)
		PUBLISH(shield->config->allow_bins[i / 64], shield->config->allow_bins[i / 64] | 1ULL << (i % 64));
	if (fresh) {
		if (bins == 0)
			PUBLISH(shield->config->allow_short, shield->config->allow_short + 1);
		PUBLISH(shield->config->allow_count, shield->config->allow_count + 1);
	}
	return 0;
}
