/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration says of services and of whom to allow, put into force by the loader. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/loader_inside.h"
#include "daemon/mirror.h"
#include "daemon/role.h"
#include "shield/maps.h"
#include "shield/shield.h"

int loader_set_services(struct loader *loader, const struct config *config, struct shield_error *error)
{
	struct shield_service *services = calloc(CONFIG_SERVICES_MAX, sizeof(*services));
	int result;

	if (!services)
		return -ENOMEM;
	for (unsigned i = 0; i < config->service_count; i++) {
		const struct config_service *service = &config->services[i];

		services[i] = (struct shield_service){
			.prefixes = service->addresses.prefixes,
			.prefix_count = service->addresses.count,
			.tcp = service->tcp.ports,
			.tcp_count = service->tcp.count,
			.udp = service->udp.ports,
			.udp_count = service->udp.count,
			.source_pps = service->per_source_pps,
			.local = !service->forwarded,
			.cookies = service->syn_cookies,
		};
		memcpy(services[i].name, service->name, sizeof(services[i].name));
	}
	result = shield_set_services(loader->shield, services, config->service_count, error);
	free(services);
	return result;
}

/* All that the configuration allows, sorted. `fds` are of allow_files. On failure a line says why. */
static int wanted_allowances(struct loader *loader, const struct config *config, const int *fds, unsigned fd_count,
                             struct prefix_list *wanted)
{
	struct prefix_list all = { .prefixes = NULL };
	int result = prefix_list_append(&all, config->allow.prefixes, config->allow.count);

	if (result == 0)
		result = prefix_list_append(&all, config->trusted_proxies.prefixes, config->trusted_proxies.count);
	for (unsigned i = 0; i < fd_count && i < config->allow_file_count && result == 0; i++) {
		char error[PREFIX_FILE_ERROR_SIZE];
		struct prefix_list list;

		result = prefix_file_read(fds[i], config->allow_files[i].path, SHIELD_ALLOW_MAX, &list, error);
		if (result != 0) {
			loader_add_line(loader, "%s", error);
			break;
		}
		result = prefix_list_append(&all, list.prefixes, list.count);
		prefix_list_fini(&list);
	}
	prefix_list_sort(&all);
	if (result == 0 && all.count > SHIELD_ALLOW_MAX) {
		loader_add_line(loader, "%u prefixes are to be allowed; at most %u, so join neighbours to shorter ones",
		                all.count, SHIELD_ALLOW_MAX);
		result = -ENOSPC;
	}
	if (result == -ENOMEM)
		loader_add_line(loader, "%s", "out of memory");
	if (result != 0) {
		prefix_list_fini(&all);
		return result;
	}
	*wanted = all;
	return 0;
}

/* Those of `list` that `other`, which is sorted, has not. */
static int without(const struct prefix_list *list, const struct prefix_list *other, struct prefix_list *rest)
{
	int result = 0;

	for (uint32_t i = 0; i < list->count && result == 0; i++)
		if (!prefix_list_has(other, &list->prefixes[i]))
			result = prefix_list_append(rest, &list->prefixes[i], 1);
	return result;
}

static int disallow_all(struct loader *loader, const struct prefix_list *list, struct shield_error *error)
{
	int result = shield_disallow_all(loader->shield, list->prefixes, list->count, error);

	for (uint32_t i = 0; i < list->count && result == 0; i++)
		result = mirror_unlist(&loader->mirror, NFT_ALLOWED, &list->prefixes[i], error);
	return result;
}

static int allow_all(struct loader *loader, const struct prefix_list *list, struct shield_error *error)
{
	int result = 0;

	for (uint32_t i = 0; i < list->count && result == 0; i++)
		result = shield_allow(loader->shield, &list->prefixes[i], SHIELD_NEVER, error);
	for (uint32_t i = 0; i < list->count && result == 0; i += NFT_BLOCKS_MAX)
		result = mirror_list(&loader->mirror, NFT_ALLOWED, &list->prefixes[i],
		                     list->count - i < NFT_BLOCKS_MAX ? list->count - i : NFT_BLOCKS_MAX, INT64_MAX,
		                     error);
	return result;
}

/* One list of allowances that becomes another. */
struct change {
	const struct prefix_list *wanted;
	struct prefix_list standing;     /* for good, until now */
	struct prefix_list stale, fresh; /* of those what is not wanted, and the other way round */
	struct prefix_list passing;      /* those wanted that are allowed already, for a time … */
	uint64_t *ends;                  /* … until then, in jiffies; room for SHIELD_ALLOW_MAX */
};

/* What holds for good was put there by a configuration: this one, or one before it. The rest an operator allowed. */
static int note_before(void *context, const struct prefix *prefix, uint64_t expires)
{
	struct change *change = context;

	if (expires == SHIELD_NEVER)
		return prefix_list_append(&change->standing, prefix, 1);
	if (!prefix_list_has(change->wanted, prefix) || change->passing.count == SHIELD_ALLOW_MAX)
		return 0;
	change->ends[change->passing.count] = expires;
	return prefix_list_append(&change->passing, prefix, 1);
}

static void change_fini(struct change *change)
{
	prefix_list_fini(&change->standing);
	prefix_list_fini(&change->stale);
	prefix_list_fini(&change->fresh);
	prefix_list_fini(&change->passing);
	free(change->ends);
}

/* To be let go of with change_fini(), whatever the result. */
static int change_init(struct change *change, struct loader *loader, const struct prefix_list *wanted)
{
	int result = 0;

	*change = (struct change){ .wanted = wanted, .ends = calloc(SHIELD_ALLOW_MAX, sizeof(*change->ends)) };
	if (!change->ends)
		return -ENOMEM;
	result = shield_each_allowed(shield_maps(loader->shield), loader_now(loader), note_before, change);
	prefix_list_sort(&change->standing);
	if (result == 0)
		result = without(&change->standing, wanted, &change->stale);
	if (result == 0)
		result = without(wanted, &change->standing, &change->fresh);
	return result;
}

/* As it was before: what was allowed for a time is so again, until then. */
static void undo(struct loader *loader, const struct change *change)
{
	struct shield_pace pace = shield_pace(loader->shield);
	struct shield_error unsaid;

	(void)disallow_all(loader, &change->fresh, &unsaid);
	(void)allow_all(loader, &change->standing, &unsaid);
	for (uint32_t i = 0; i < change->passing.count; i++) {
		int64_t left_ns = shield_ns_until(&pace, role_monotonic_ns(), change->ends[i]);
		const struct prefix *prefix = &change->passing.prefixes[i];

		if (left_ns > 0 && shield_allow(loader->shield, prefix, change->ends[i], &unsaid) == 0)
			(void)mirror_list(&loader->mirror, NFT_ALLOWED, prefix, 1, left_ns, &unsaid);
	}
}

static int set_allowances(struct loader *loader, const struct change *change)
{
	struct shield_error error = { .message = "" };
	/* First room, then what takes it. */
	int result = disallow_all(loader, &change->stale, &error);

	if (result == 0)
		result = allow_all(loader, change->wanted, &error);
	if (result != 0)
		loader_add_line(loader, "the allow list cannot be set: %s",
		                error.message[0] ? error.message : strerror(-result));
	return result;
}

/* Whoever is to be let in is so before the mode lets anything be dropped. */
static int set_all(struct loader *loader, const struct config *config, const struct prefix_list *wanted,
                   const struct message_mode *mode)
{
	struct shield_error error = { .message = "" };
	struct change change;
	int result = loader_set_services(loader, config, &error);

	if (result != 0) {
		loader_add_error(loader, &error);
		return result;
	}
	result = change_init(&change, loader, wanted);
	if (result != 0) {
		loader_add_line(loader, "the allow list cannot be read: %s", strerror(-result));
	} else {
		result = set_allowances(loader, &change);
		if (result == 0 && mode) {
			result = loader_set_mode(loader, mode, &error);
			if (result != 0)
				loader_add_error(loader, &error);
		}
		if (result != 0)
			undo(loader, &change);
	}
	change_fini(&change);
	return result;
}

int loader_put_into_force(struct loader *loader, const struct config *config, const int *fds, unsigned fd_count,
                          const struct message_mode *mode)
{
	struct prefix_list wanted;
	int result = wanted_allowances(loader, config, fds, fd_count, &wanted);

	if (result != 0)
		return result;
	result = set_all(loader, config, &wanted, mode);
	prefix_list_fini(&wanted);
	return result;
}
