/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of prefixes: the engine's own, done at once, but for what would shut out who may not be. */
#include <errno.h>
#include <string.h>

#include "daemon/command_inside.h"

struct prefix command_guard_prefix(const struct shield_guard *guard)
{
	struct address address;
	unsigned length = 0;

	memcpy(address.octets, guard->value, sizeof(address.octets));
	for (unsigned i = 0; i < 2; i++)
		length += (unsigned)__builtin_popcountll(guard->mask[i]);
	return prefix_of(&address, address_is_ipv4(&address) && length >= 96 ? length - 96 : length);
}

bool command_hits_guard(const struct shield_mode *mode, uint64_t now, const struct prefix *prefix, struct prefix *way,
                        uint16_t *port)
{
	for (unsigned i = 0; i < mode->guard_count && i < SHIELD_GUARD_MAX; i++) {
		struct prefix from = command_guard_prefix(&mode->guard[i]);

		if (!mode->guard[i].sure || mode->guard[i].expires <= now || !prefix_covers(prefix, &from))
			continue;
		*way = from;
		*port = mode->guard[i].port;
		return true;
	}
	return false;
}

/* Whoever asks has a way in as soon as the loader has heard of it; that may be a moment from now. */
static bool hits_asker(const struct control_request *request, const struct prefix *prefix)
{
	struct prefix host = prefix_of(&request->address, 128);

	return request->has_address && prefix_covers(prefix, &host);
}

/*
 * What comes from a proxy passes whatever the block list says; an entry there would only make people believe it did
 * not. A network around a proxy can be blocked: it hits the others in it.
 */
static bool is_of_proxy(const struct config *config, const struct prefix *prefix, struct prefix *proxy)
{
	for (uint32_t i = 0; i < config->trusted_proxies.count; i++)
		if (prefix_covers(&config->trusted_proxies.prefixes[i], prefix)) {
			*proxy = config->trusted_proxies.prefixes[i];
			return true;
		}
	return false;
}

static void block_one(struct engine *engine, const struct control_request *request, const struct shield_mode *mode,
                      const struct prefix *prefix, uint64_t now, uint64_t expires, struct control_tally *tally)
{
	uint32_t ipv4, ipv6, capacity;
	char text[PREFIX_TEXT_SIZE];
	struct prefix way;
	uint16_t port;
	int result;

	if (command_hits_guard(mode, now, prefix, &way, &port)) {
		command_refuse_prefix(tally, prefix, "block parts of it that leave that out",
		                      "would shut the operator's way in: %s to port %u", prefix_format(&way, text),
		                      port);
		return;
	}
	if (hits_asker(request, prefix)) {
		command_refuse_prefix(tally, prefix, "block parts of it that leave that out",
		                      "would shut the operator's way in: yours");
		return;
	}
	if (is_of_proxy(&engine->config, prefix, &way)) {
		command_refuse_prefix(tally, prefix,
		                      "block what stands behind it there, or take it out of trusted_proxies",
		                      "is of a trusted proxy (%s), from which users come", prefix_format(&way, text));
		return;
	}
	result = blocks_add(engine->blocks, prefix, now, expires);
	if (result == 0) {
		tally->done++;
		return;
	}
	blocks_count(engine->blocks, &ipv4, &ipv6, &capacity);
	if (result == -EINVAL)
		command_refuse_prefix(tally, prefix, "name the networks that are meant", "is everything there is");
	else if (result == -ENOSPC)
		command_refuse_prefix(
			tally, prefix,
			"raise shield.block_capacity and start holdfast anew, or release what is not needed",
			"there is no room for it in the table of %u", capacity);
	else
		command_refuse_prefix(tally, prefix, "", "cannot be blocked: %s", strerror(-result));
}

void command_block(struct engine *engine, uint64_t client, const struct client_peer *peer,
                   const struct control_request *request)
{
	int64_t for_ns = request->for_ns ? request->for_ns : engine->config.block_for_ns;
	uint64_t now = engine_jiffies(engine), expires = engine_jiffies_after(engine, for_ns);
	struct control_tally tally = { .expires_ns = role_wall_ns() + for_ns };
	struct gathering done = { engine, peer, request, "done", tally.expires_ns, NULL };
	struct gathering refused = { engine, peer, request, "refused", 0, NULL };
	struct shield_mode mode = { .enforce = false };
	int result = shield_read_mode(&engine->maps, now, &mode);

	if (result != 0) {
		struct control_error error = { .what = "" };

		control_error_set(&error, "block", 1, "", "the shield cannot be read: %s", strerror(-result));
		command_refuse(engine, client, &error);
		return;
	}
	for (unsigned i = 0; i < request->prefix_count; i++) {
		unsigned before = tally.done;

		block_one(engine, request, &mode, &request->prefixes[i], now, expires, &tally);
		if (tally.done > before) {
			command_gather(&done, &request->prefixes[i], "");
			engine_tell_blocked(engine, &request->prefixes[i], 1, for_ns);
		} else
			command_gather(&refused, &request->prefixes[i], tally.refusals[tally.refusal_count - 1].what);
	}
	clients_answer(engine->clients, client, command_format_tally(CONTROL_BLOCK, "blocked", &tally));
}
