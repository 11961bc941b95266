/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader: alone holds the shield, and the rights that takes. It puts the configuration into force, keeps the
 * operator's ways in open, and does what the engine asks in typed messages: make a rule, let one go, allow, set the
 * mode. Whatever would hit a way in is refused here, whoever asks.
 *
 * What it begins with depends on what is pinned (shield_origin()). Taken over: rules, blocks and mode stand, and only
 * what the configuration names is made so. New: the configuration's mode. Replaced: the mode stands, the engine puts
 * back what the record says, and the program is attached when it has.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/config.h"
#include "daemon/loader_inside.h"
#include "daemon/log.h"
#include "daemon/message.h"
#include "daemon/mirror.h"
#include "daemon/role.h"
#include "daemon/sandbox.h"
#include "daemon/ways.h"
#include "shield/link.h"
#include "shield/maps.h"
#include "shield/shield.h"

#define SWEEP_NS NS_PER_S
#define PEERS_NS (10 * NS_PER_S)
#define STATE_NS (60 * NS_PER_S)
#define RESTORE_MS 60000      /* that the engine has to put back what was in force */
#define TABLE_MAX (16u << 20) /* octets of /proc/net/tcp that are looked at */
#define TABLE_BLOCK (64u << 10)

void loader_add_line(struct loader *loader, const char *format, ...)
{
	va_list arguments;

	if (loader->line_count == MESSAGE_LINES_MAX)
		return;
	va_start(arguments, format);
	(void)vsnprintf(loader->lines[loader->line_count++], CONFIG_ERROR_SIZE, format, arguments);
	va_end(arguments);
}

void loader_add_error(struct loader *loader, const struct shield_error *error)
{
	loader_add_line(loader, "%.180s%s%.130s", error->message, error->advice[0] ? "; " : "", error->advice);
}

uint64_t loader_after(const struct loader *loader, int64_t for_ns)
{
	struct shield_pace pace = shield_pace(loader->shield);

	return shield_jiffies_after(&pace, role_monotonic_ns(), for_ns);
}

uint64_t loader_now(const struct loader *loader)
{
	struct shield_pace pace = shield_pace(loader->shield);

	return shield_jiffies_at(&pace, role_monotonic_ns());
}

/* ---- the operator's ways in ---- */

static unsigned list_ways(const struct loader *loader, struct shield_way_in ways[SHIELD_GUARD_MAX])
{
	const struct config *config = &loader->config;
	int64_t now_ns = role_monotonic_ns();
	unsigned count = 0;

	for (uint32_t i = 0; i < config->management_from.count; i++)
		for (unsigned k = 0; k < config->management_ports.count && count < CONFIG_MANAGEMENT_MAX; k++)
			ways[count++] = (struct shield_way_in){ .from = config->management_from.prefixes[i],
				                                .port = config->management_ports.ports[k],
				                                .expires = SHIELD_NEVER,
				                                .sure = true };
	for (unsigned i = 0; i < loader->ways.learned_count && count < SHIELD_GUARD_MAX; i++) {
		const struct way_learned *way = &loader->ways.learned[i];

		ways[count++] = (struct shield_way_in){ .from = prefix_of(&way->from, 128),
			                                .port = way->port,
			                                .expires = loader_after(loader, way->until_ns - now_ns),
			                                .sure = way->command };
	}
	return count;
}

static bool same_ways(const struct shield_way_in *a, const struct shield_way_in *b, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!prefix_equal(&a[i].from, &b[i].from) || a[i].port != b[i].port || a[i].expires != b[i].expires ||
		    a[i].sure != b[i].sure)
			return false;
	return true;
}

int loader_set_guard(struct loader *loader)
{
	struct shield_way_in ways[SHIELD_GUARD_MAX];
	unsigned count = list_ways(loader, ways);
	struct shield_error error = { .message = "" };
	int result;

	if (count == loader->guard_count && same_ways(ways, loader->guard, count))
		return 0;
	result = shield_set_guard(loader->shield, ways, count, &error);
	if (result != 0) {
		LOG_SAY(LOG_ERROR, "the operator's ways in cannot be set: %s", error.message);
		return result;
	}
	memcpy(loader->guard, ways, count * sizeof(*ways));
	loader->guard_count = count;
	result = mirror_set_guard(&loader->mirror, &error);
	if (result != 0)
		LOG_SAY(LOG_ERROR, "the operator's ways in cannot be set in nftables: %s", error.message);
	return result;
}

/* Reads a table in blocks; a line that is cut by a block's end is taken with the next. */
static void read_table(struct loader *loader, const char *path, char *block)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t filled = 0, seen = 0;

	while (fd >= 0 && seen < TABLE_MAX) {
		ssize_t got = read(fd, block + filled, TABLE_BLOCK - filled);
		const char *end;
		size_t whole;

		if (got <= 0)
			break;
		filled += (size_t)got;
		seen += (size_t)got;
		end = memrchr(block, '\n', filled);
		whole = end ? (size_t)(end - block) + 1 : filled; /* no line is as long as a block */
		ways_add_peers(&loader->ways, block, whole, role_monotonic_ns());
		memmove(block, block + whole, filled - whole);
		filled -= whole;
	}
	if (fd >= 0)
		(void)close(fd);
}

static void refresh_ways(struct loader *loader)
{
	char *block = malloc(TABLE_BLOCK);

	if (!block)
		return;
	(void)ways_expire(&loader->ways, role_monotonic_ns());
	read_table(loader, "/proc/self/net/tcp", block);
	read_table(loader, "/proc/self/net/tcp6", block);
	free(block);
	(void)loader_set_guard(loader);
}

/* ---- talking to the engine ---- */

static void fill_state(const struct loader *loader, struct message *message, enum message_type type)
{
	struct shield_pace pace = shield_pace(loader->shield);

	message_init(message, type, 0);
	message->state.jiffies = pace.jiffies;
	message->state.monotonic_ns = pace.monotonic_ns;
	message->state.hz = pace.hz;
	message->state.origin = shield_origin(loader->shield);
	message->state.hook_count = loader->hook_count;
	memcpy(message->state.hooks, loader->hooks, sizeof(message->state.hooks));
}

static int send_maps(struct loader *loader)
{
	struct shield_maps maps;
	int result = shield_maps_for_engine(shield_pins(loader->shield), &maps);

	if (result != 0)
		return result;
	fill_state(loader, &loader->message, MESSAGE_MAPS);
	loader->message.state.fd_count = SHIELD_MAPS;
	result = message_send(ROLE_FD_ENGINE, &loader->message, maps.fd, SHIELD_MAPS);
	shield_maps_close(&maps);
	return result;
}

static void send_state(struct loader *loader)
{
	fill_state(loader, &loader->message, MESSAGE_STATE);
	(void)message_send(ROLE_FD_ENGINE, &loader->message, NULL, 0); /* the next one says the same */
}

/*
 * All that the engine asks; `until_restored` stops at MESSAGE_RESTORED and returns 1. A message that is none is the
 * engine's end: it is ours, and says no such thing.
 */
static int listen_to_engine(struct loader *loader, bool until_restored)
{
	for (;;) {
		int fds[MESSAGE_FDS_MAX];
		unsigned fd_count;
		int result =
			message_receive(ROLE_FD_ENGINE, MESSAGE_ENGINE_TO_LOADER, &loader->message, fds, &fd_count);
		bool restored = result == 0 && loader->message.type == MESSAGE_RESTORED;

		if (result == -EAGAIN)
			return 0;
		if (result == 0)
			result = loader_obey(loader, &loader->message);
		if (result == 0 && restored && until_restored)
			return 1;
		if (result == -EBADMSG)
			LOG_SAY(LOG_ERROR, "the engine said what no engine says; all begin anew");
		if (result != 0)
			return result;
	}
}

static int wait_restored(struct loader *loader)
{
	int64_t until_ns = role_monotonic_ns() + RESTORE_MS * (int64_t)NS_PER_MS;
	int result = 0;

	while (result == 0) {
		struct pollfd fds[2] = { { .fd = ROLE_FD_ENGINE, .events = POLLIN },
			                 { .fd = ROLE_FD_PARENT, .events = 0 } };
		int64_t left_ns = until_ns - role_monotonic_ns();

		if (left_ns <= 0) {
			LOG_SAY(LOG_ERROR, "what was in force is not back after %d s; the shield is attached without",
			        RESTORE_MS / 1000);
			return 0;
		}
		(void)alarm(ROLE_ALARM_S);
		if (poll(fds, 2, 1000) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents)
			return -EPIPE;
		result = listen_to_engine(loader, true);
	}
	return result == 1 ? 0 : result;
}

/* ---- configuration ---- */

/* A new configuration: it is in force whole, or the old one stays. */
static int reload(struct loader *loader, struct config *next, const int *fds, unsigned fd_count)
{
	struct message_mode mode = { .enforce = next->enforce };
	struct shield_error error = { .message = "" };
	int result;

	loader->nftables = next->nftables;
	result = loader_attach_all(loader, next);
	if (result == 0)
		result = loader_put_into_force(loader, next, fds, fd_count,
		                               next->enforce != loader->config.enforce ? &mode : NULL);
	if (result != 0) {
		if (loader_set_services(loader, &loader->config, &error) != 0)
			LOG_SAY(LOG_ERROR, "the old services cannot be set again: %s", error.message);
		loader_detach_others(loader, &loader->config);
		loader->nftables = loader->config.nftables;
		return result;
	}
	loader_detach_others(loader, next);
	config_fini(&loader->config);
	loader->config = *next;
	memset(next, 0, sizeof(*next));
	ways_set_ports(&loader->ways, &loader->config.management_ports);
	refresh_ways(loader);
	send_state(loader);
	return 0;
}

static int take_reload(struct loader *loader)
{
	int fds[MESSAGE_FDS_MAX];
	unsigned fd_count;
	struct config next;
	uint64_t serial;
	int result = message_receive(ROLE_FD_PARENT, MESSAGE_PARENT_TO_ROLE, &loader->message, fds, &fd_count);

	if (result == -EAGAIN)
		return 0;
	if (result != 0)
		return result;
	if (loader->message.type != MESSAGE_CONFIG)
		return -EBADMSG;
	serial = loader->message.config.serial;
	loader->line_count = 0;
	result = role_read_config(&loader->message, fds, &fd_count, &next, loader->lines[0]);
	if (result != 0) {
		loader->line_count = 1;
	} else {
		result = reload(loader, &next, fds, fd_count);
		config_fini(&next);
	}
	for (unsigned i = 0; i < fd_count; i++)
		(void)close(fds[i]);
	role_tell_applied(&loader->message, serial, result, (const char(*)[CONFIG_ERROR_SIZE])loader->lines,
	                  loader->line_count);
	return 0;
}

/* ---- life ---- */

static int open_shield(struct loader *loader)
{
	struct shield_options options = { .bpffs_dir = loader->config.bpffs_dir,
		                          .block_capacity = loader->config.block_capacity,
		                          .sample_budget = loader->config.sample_budget,
		                          .generic = loader->config.generic };
	struct shield_error error = { .message = "" };
	int result = shield_open(&options, &loader->shield, &error);

	if (result != 0) {
		loader_add_error(loader, &error);
		return result;
	}
	mirror_init(&loader->mirror, loader->shield, options.bpffs_dir, options.block_capacity);
	loader->mirror.guard = loader->guard;
	loader->mirror.guard_count = &loader->guard_count;
	loader->nftables = loader->config.nftables;
	return 0;
}

static int give_up_rights(struct loader *loader)
{
	int result = sandbox_keep(sandbox_role_capabilities(ROLE_LOADER));

	if (result == 0)
		result = sandbox_seal();
	if (result == 0)
		result = sandbox_excuse(sandbox_confine_to_pins(loader->config.bpffs_dir));
	if (result == 0)
		result = sandbox_filter(ROLE_LOADER);
	if (result != 0)
		loader_add_line(loader, "rights cannot be given up: %s", strerror(-result));
	return result;
}

/* Mode, services, allowances, guard; then, when the engine has put back what belongs there, the interfaces. */
static int begin_shield(struct loader *loader, const int *fds, unsigned fd_count)
{
	enum shield_origin origin = shield_origin(loader->shield);
	struct message_mode mode = { .enforce = loader->config.enforce };
	struct shield_error error = { .message = "" };
	int result = loader_put_into_force(loader, &loader->config, fds, fd_count, origin == SHIELD_NEW ? &mode : NULL);

	if (result != 0)
		return result;
	loader_learn_hooks(loader);
	refresh_ways(loader);
	result = send_maps(loader);
	if (result != 0) {
		loader_add_line(loader, "the engine does not get the maps: %s", strerror(-result));
		return result;
	}
	if (origin == SHIELD_REPLACED)
		LOG_SAY(LOG_NOTICE,
		        "what is pinned is another version's; what the record says is in force is put in again");
	if (origin != SHIELD_TAKEN_OVER)
		result = wait_restored(loader);
	if (result == 0)
		result = loader_attach_all(loader, &loader->config);
	if (result != 0)
		return result;
	loader->begun = true;
	loader->peers_ns = role_monotonic_ns() + PEERS_NS;
	loader_detach_others(loader, &loader->config);
	loader_drop_mirror(loader);
	result = shield_commit(loader->shield, &error);
	if (result != 0)
		loader_add_error(loader, &error);
	send_state(loader);
	return result;
}

static int begin(struct loader *loader, uint64_t *serial)
{
	int fds[MESSAGE_FDS_MAX];
	unsigned fd_count = 0;
	int result = role_take_config(&loader->message, fds, &fd_count, &loader->config, loader->lines[0]);

	*serial = loader->message.config.serial;
	if (result != 0) {
		loader->line_count = 1;
		return result;
	}
	ways_set_ports(&loader->ways, &loader->config.management_ports);
	result = sandbox_follow_parent();
	if (result != 0)
		loader_add_line(loader, "%s", strerror(-result));
	(void)alarm(ROLE_LONG_S);
	if (result == 0)
		result = open_shield(loader);
	if (result == 0)
		result = give_up_rights(loader);
	if (result == 0)
		result = begin_shield(loader, fds, fd_count);
	for (unsigned i = 0; i < fd_count; i++)
		(void)close(fds[i]);
	return result;
}

/* 'holdfast off' takes the pins away, and what was attached with them: it shall not come back by itself. */
static bool is_taken_away(const struct loader *loader)
{
	char path[CONFIG_PATH_SIZE + 32];

	(void)snprintf(path, sizeof(path), "%s/%s", loader->config.bpffs_dir, shield_map_name(SHIELD_MAP_CONFIG));
	return access(path, F_OK) != 0 && errno == ENOENT;
}

/* What the interfaces have counted: the engine, which wants to know, cannot ask. */
static void send_links(struct loader *loader, int64_t now_ns)
{
	struct message_links *links = &loader->message.links;

	message_init(&loader->message, MESSAGE_LINKS, 0);
	links->monotonic_ns = now_ns;
	for (unsigned i = 0; i < loader->config.interface_count; i++)
		if (shield_link_read(loader->config.interfaces[i], &links->links[links->count]) == 0)
			links->count++;
	(void)message_send(ROLE_FD_ENGINE, &loader->message, NULL, 0); /* the next one says more */
}

/* 0, or -ENODEV: the shield has been taken away. */
static int do_what_is_due(struct loader *loader)
{
	int64_t now_ns = role_monotonic_ns();
	bool sweeps = now_ns >= loader->sweep_ns, looks = now_ns >= loader->peers_ns;
	unsigned swept;

	if ((sweeps || looks) && is_taken_away(loader)) {
		struct shield_error error;

		(void)mirror_drop(&loader->mirror, &error);
		return -ENODEV;
	}
	if (sweeps) {
		(void)shield_sweep_rules(loader->shield, loader_now(loader), &swept);
		mirror_sweep(&loader->mirror);
		message_init(&loader->message, MESSAGE_COUNTED, 0);
		if (mirror_count(&loader->mirror, &loader->message.counted))
			(void)message_send(ROLE_FD_ENGINE, &loader->message, NULL, 0); /* the next one says more */
		send_links(loader, now_ns);
		loader->sweep_ns = now_ns + SWEEP_NS;
	}
	if (looks) {
		refresh_ways(loader);
		loader_reattach(loader);
		loader->peers_ns = now_ns + PEERS_NS;
	}
	if (now_ns >= loader->state_ns) {
		(void)shield_sweep_allowed(loader->shield, loader_now(loader), &swept);
		send_state(loader);
		loader->state_ns = now_ns + STATE_NS;
	}
	return 0;
}

static int live(struct loader *loader)
{
	for (;;) {
		struct pollfd fds[2] = { { .fd = ROLE_FD_PARENT, .events = POLLIN },
			                 { .fd = ROLE_FD_ENGINE, .events = POLLIN } };
		int result = 0;

		(void)alarm(ROLE_ALARM_S);
		if (poll(fds, 2, 1000) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents)
			result = listen_to_engine(loader, false);
		if (result == 0 && fds[0].revents)
			result = take_reload(loader);
		if (result == 0)
			result = do_what_is_due(loader);
		if (result != 0)
			return result == -EPIPE ? 0 : result;
	}
}

int loader_role(const struct role_start *start)
{
	struct loader *loader = calloc(1, sizeof(*loader));
	uint64_t serial = 0;
	int result;

	(void)start;
	if (!loader)
		return 1;
	ways_init(&loader->ways);
	result = begin(loader, &serial);
	role_tell_applied(&loader->message, serial, result, (const char(*)[CONFIG_ERROR_SIZE])loader->lines,
	                  loader->line_count);
	/* A shield that was new and could not begin leaves nothing behind. */
	if (result != 0 && loader->shield && !loader->begun && shield_origin(loader->shield) == SHIELD_NEW) {
		struct shield_error error;
		unsigned removed;

		(void)mirror_drop(&loader->mirror, &error);
		(void)shield_remove(loader->config.bpffs_dir, &removed, &error);
	}
	if (result == 0)
		result = live(loader);
	else
		result = -EINVAL; /* it has been told why; what ends so is no end by 'holdfast off' */
	mirror_fini(&loader->mirror);
	if (loader->shield)
		shield_close(loader->shield);
	config_fini(&loader->config);
	free(loader);
	return result == 0 ? 0 : result == -ENODEV ? ROLE_STATUS_OFF : 1;
}
