/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration says of services and of whom to allow, put into force by the loader. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/loader_inside.h"
#include "daemon/mirror.h"
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

/* What holds for good was put there by a configuration: this one, or one before it. */
static int note_standing(void *context, const struct prefix *prefix, uint64_t expires)
{
	return expires == SHIELD_NEVER ? prefix_list_append(context, prefix, 1) : 0;
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

static int set_allowances(struct loader *loader, const struct prefix_list *wanted)
{
	struct prefix_list standing = { .prefixes = NULL }, stale = { .prefixes = NULL }, fresh = { .prefixes = NULL };
	struct shield_error error = { .message = "" }, unsaid;
	int result = shield_each_allowed(shield_maps(loader->shield), loader_now(loader), note_standing, &standing);

	prefix_list_sort(&standing);
	if (result == 0)
		result = without(&standing, wanted, &stale);
	if (result == 0)
		result = without(wanted, &standing, &fresh);
	if (result != 0)
		goto done;
	/* First room, then what takes it. */
	result = disallow_all(loader, &stale, &error);
	if (result == 0)
		result = allow_all(loader, wanted, &error);
	if (result != 0) { /* as it was before */
		(void)disallow_all(loader, &fresh, &unsaid);
		(void)allow_all(loader, &standing, &unsaid);
	}
done:
	prefix_list_fini(&standing);
	prefix_list_fini(&stale);
	prefix_list_fini(&fresh);
	if (result != 0)
		loader_add_line(loader, "the allow list cannot be set: %s",
		                error.message[0] ? error.message : strerror(-result));
	return result;
}

int loader_put_into_force(struct loader *loader, const struct config *config, const int *fds, unsigned fd_count)
{
	struct shield_error error = { .message = "" };
	struct prefix_list wanted;
	int result = wanted_allowances(loader, config, fds, fd_count, &wanted);

	if (result != 0)
		return result;
	result = loader_set_services(loader, config, &error);
	if (result != 0)
		loader_add_error(loader, &error);
	else
		result = set_allowances(loader, &wanted);
	prefix_list_fini(&wanted);
	return result;
}
