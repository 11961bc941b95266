/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader's interfaces: how each has the program, or nftables in its stead (loader->hooks), and how that is made so.
 */
#include <errno.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/loader_inside.h"
#include "daemon/log.h"
#include "daemon/message.h"
#include "daemon/mirror.h"
#include "shield/shield.h"

static struct message_hook *find_hook(struct loader *loader, const char *name)
{
	for (unsigned i = 0; i < loader->hook_count; i++)
		if (strcmp(loader->hooks[i].name, name) == 0)
			return &loader->hooks[i];
	return NULL;
}

static void set_hook(struct loader *loader, const char *name, uint32_t hook)
{
	struct message_hook *entry = find_hook(loader, name);

	if (!entry) {
		if (loader->hook_count == SHIELD_INTERFACES_MAX)
			return;
		entry = &loader->hooks[loader->hook_count++];
		message_text(entry->name, sizeof(entry->name), name);
	}
	entry->hook = hook;
}

static void remove_hook(struct loader *loader, const char *name)
{
	struct message_hook *entry = find_hook(loader, name);

	if (entry)
		*entry = loader->hooks[--loader->hook_count];
}

/* Where the program cannot be had and the configuration allows it: nftables, which is slow, and said so. */
static int attach_nftables(struct loader *loader, const char *name, struct shield_error *error)
{
	struct shield_error why = { .message = "" };
	int result = mirror_attach(&loader->mirror, name, &why);

	if (result != 0) {
		LOG_SAY(LOG_ERROR, "%s: nftables cannot be had either: %s", name, why.message);
		return result;
	}
	set_hook(loader, name, MESSAGE_HOOK_NFTABLES);
	LOG_SAY(LOG_WARNING, "%s; so it has NFTABLES instead: several times SLOWER, and without samples",
	        error->message);
	return 0;
}

static int attach(struct loader *loader, const char *name, struct shield_error *error)
{
	enum shield_hook hook;
	int result = shield_attach(loader->shield, name, &hook, error);

	if (result != 0)
		return loader->nftables && result != -ENODEV && attach_nftables(loader, name, error) == 0 ? 0 : result;
	set_hook(loader, name, hook);
	if (hook == SHIELD_GENERIC)
		LOG_SAY(LOG_WARNING,
		        "%s: the driver has no XDP, so packets are dropped LATE, by generic XDP: a few times fewer a second than "
		        "with native XDP; 'holdfast doctor' says what would help",
		        name);
	else
		LOG_SAY(LOG_INFO, "%s: attached, %s", name, shield_hook_name(hook));
	return 0;
}

void loader_drop_mirror(struct loader *loader)
{
	struct shield_error error = { .message = "" };

	for (unsigned i = 0; i < loader->hook_count; i++)
		if (loader->hooks[i].hook == MESSAGE_HOOK_NFTABLES)
			return;
	if (mirror_drop(&loader->mirror, &error) != 0)
		LOG_SAY(LOG_WARNING, "the table in nftables is not taken away: %s", error.message);
}

static void detach(struct loader *loader, const char *name)
{
	struct shield_error error = { .message = "" };
	const struct message_hook *hook = find_hook(loader, name);
	int result = hook && hook->hook == MESSAGE_HOOK_NFTABLES ? mirror_detach(&loader->mirror, name, &error)
	                                                         : shield_detach(loader->shield, name, &error);

	if (result != 0)
		LOG_SAY(LOG_ERROR, "%s: not detached: %s", name, error.message);
	else
		LOG_SAY(LOG_INFO, "%s: detached", name);
	remove_hook(loader, name);
	loader_drop_mirror(loader);
}

static bool is_named(const struct config *config, const char *name)
{
	for (unsigned i = 0; i < config->interface_count; i++)
		if (strcmp(config->interfaces[i], name) == 0)
			return true;
	return false;
}

void loader_learn_hooks(struct loader *loader)
{
	struct shield_interface interfaces[SHIELD_INTERFACES_MAX];
	unsigned count = 0;

	for (unsigned i = loader->hook_count; i-- > 0;) /* of those that have nftables the pins know nothing */
		if (loader->hooks[i].hook != MESSAGE_HOOK_NFTABLES)
			loader->hooks[i] = loader->hooks[--loader->hook_count];
	if (shield_interfaces(loader->shield, interfaces, &count) != 0)
		return;
	for (unsigned i = 0; i < count; i++)
		if (interfaces[i].name[0] && interfaces[i].hook != SHIELD_DETACHED)
			set_hook(loader, interfaces[i].name, interfaces[i].hook);
}

int loader_attach_all(struct loader *loader, const struct config *config)
{
	char added[SHIELD_INTERFACES_MAX][CONFIG_INTERFACE_SIZE];
	unsigned added_count = 0;
	int result = 0;

	for (unsigned i = 0; i < config->interface_count; i++) {
		const char *name = config->interfaces[i];
		bool had = find_hook(loader, name) != NULL;
		struct shield_error error = { .message = "" };
		int attached = had && loader->begun ? 0 : attach(loader, name, &error);

		if (attached == 0 && !had)
			message_text(added[added_count++], CONFIG_INTERFACE_SIZE, name);
		if (attached != 0) {
			loader_add_error(loader, &error);
			result = attached;
		}
	}
	for (unsigned i = 0; i < added_count && result != 0; i++)
		detach(loader, added[i]);
	return result;
}

void loader_detach_others(struct loader *loader, const struct config *config)
{
	for (unsigned i = loader->hook_count; i-- > 0;) {
		char name[CONFIG_INTERFACE_SIZE];

		memcpy(name, loader->hooks[i].name, sizeof(name));
		if (!is_named(config, name))
			detach(loader, name);
	}
}

void loader_reattach(struct loader *loader)
{
	struct message_hook before[SHIELD_INTERFACES_MAX];
	unsigned before_count = loader->hook_count;

	memcpy(before, loader->hooks, sizeof(before));
	loader_learn_hooks(loader);
	for (unsigned i = 0; i < loader->config.interface_count; i++) {
		const char *name = loader->config.interfaces[i];
		const struct message_hook *hook = find_hook(loader, name);
		struct shield_error error = { .message = "" };
		int result = 0;

		if (!hook)
			result = attach(loader, name, &error);
		else if (hook->hook == MESSAGE_HOOK_NFTABLES) /* done twice it is done once */
			result = mirror_attach(&loader->mirror, name, &error);
		if (result != 0) {
			set_hook(loader, name, SHIELD_DETACHED);
			LOG_SAY(LOG_ERROR, "%s; it is tried again", error.message);
		}
	}
	if (loader->mirror.nft)
		loader_drop_mirror(loader);
	if (before_count != loader->hook_count || memcmp(before, loader->hooks, before_count * sizeof(*before)) != 0)
		loader->state_ns = 0;
}
