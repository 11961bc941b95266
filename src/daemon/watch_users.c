/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watch_users.h"

#include <string.h>

static void put(struct watch_users *users, const struct signal_count *signal)
{
	if (users->waiting_count < WATCH_USERS_WAITING_MAX)
		users->waiting[users->waiting_count++] = *signal;
	else
		users->signals_lost++;
}

static uint32_t small(uint64_t number)
{
	return number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
}

static void put_kind(struct watch_users *users, const char *name, enum signal_kind kind, uint64_t good, uint64_t bad)
{
	struct signal_count signal = {
		.bucket_ns = users->bucket_ns, .kind = kind, .good = small(good), .bad = small(bad)
	};

	if (good + bad == 0 || !component_id_ok(name))
		return;
	memcpy(signal.component, name, strlen(name) + 1);
	put(users, &signal);
}

static void end_bucket(struct watch_users *users)
{
	for (unsigned i = 0; users->bucket_ns && i < users->config->service_count && i < CONFIG_SERVICES_MAX; i++) {
		const char *name = users->config->services[i].name;

		put_kind(users, name, SIGNAL_CONNECTIONS, users->services[i].passed, users->services[i].lost);
		put_kind(users, name, SIGNAL_HANDSHAKES, users->services[i].connected, users->services[i].refused);
	}
	memset(users->services, 0, sizeof(users->services));
}

void watch_users_turn(struct watch_users *users, const struct config *config, int64_t wall_ns)
{
	int64_t bucket_ns = count_bucket(wall_ns);

	if (users->config && bucket_ns > users->bucket_ns)
		end_bucket(users);
	users->config = config;
	users->bucket_ns = bucket_ns;
}

void watch_users_reload(struct watch_users *users, const struct config *before)
{
	if (!users->config)
		return;
	users->config = before; /* the new one stands where it stood */
	end_bucket(users);
	users->config = NULL;
}

void watch_users_finish(struct watch_users *users)
{
	if (users->config)
		end_bucket(users);
}

void watch_users_note(struct watch_users *users, const struct config *config, const struct observation *observation,
                      int64_t wall_ns)
{
	if (!(observation->flags & OBSERVATION_ANSWERED))
		return;
	watch_users_turn(users, config, wall_ns);
	for (unsigned i = 0; i < config->service_count && i < CONFIG_SERVICES_MAX; i++)
		for (uint32_t k = 0; k < config->services[i].addresses.count; k++) {
			if (!prefix_contains(&config->services[i].addresses.prefixes[k], &observation->dst))
				continue;
			if (observation->flags & OBSERVATION_DROPPED && users->enforces)
				users->services[i].lost += observation->weight;
			else
				users->services[i].passed += observation->weight;
			return;
		}
}

void watch_users_connection(struct watch_users *users, const struct config *config, unsigned service, bool came_about,
                            int64_t wall_ns)
{
	watch_users_turn(users, config, wall_ns);
	if (service >= config->service_count || service >= CONFIG_SERVICES_MAX || config->services[service].forwarded)
		return;
	users->services[service].connected += came_about;
	users->services[service].refused += !came_about;
}

bool watch_users_take(struct watch_users *users, struct message *message)
{
	unsigned count = users->waiting_count < MESSAGE_SIGNALS_MAX ? users->waiting_count : MESSAGE_SIGNALS_MAX;

	if (count == 0)
		return false;
	message_init(message, MESSAGE_SIGNALS, 0);
	message->signals.count = count;
	memcpy(message->signals.signals, users->waiting, count * sizeof(*users->waiting));
	users->waiting_count -= count;
	memmove(users->waiting, users->waiting + count, users->waiting_count * sizeof(*users->waiting));
	return true;
}

void watch_users_give_back(struct watch_users *users, const struct message *message)
{
	for (uint32_t i = 0; i < message->signals.count; i++)
		put(users, &message->signals.signals[i]);
}
