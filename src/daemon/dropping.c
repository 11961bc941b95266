/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is being dropped, for those who take reports of users: sources that samples show, then the block list as far as
 * there is room; and the allow list, whose sources pass all the same. Only what has changed is told, and again before
 * what was told ends: a daemon that is dead keeps nobody's reports from counting. That nobody is, is told once, and at
 * the beginning: what an engine before this one has told may not be so any more.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "daemon/engine.h"
#include "daemon/log.h"

#define OUTBOX_BUSY (OUTBOX_MAX / 4) /* with so much waiting the recorder is behind: what is told now would be old */

struct collected {
	struct message_prefix *prefixes; /* DROPPED_MAX + DROPPED_PASSING_MAX */
	uint32_t dropping, passing, most;
	uint64_t print; /* of a set: in whatever order */
};

static int collect(struct collected *collected, const struct prefix *prefix, bool passes)
{
	uint32_t at = collected->dropping + collected->passing;
	uint64_t seed = prefix->length + (passes ? 256u : 0);

	if (at == collected->most)
		return 1;
	message_put_prefix(&collected->prefixes[at], prefix);
	collected->dropping += !passes;
	collected->passing += passes;
	collected->print += hash_address(seed, &prefix->address);
	return 0;
}

static int collect_source(void *context, const struct prefix *prefix)
{
	return collect(context, prefix, false);
}

static int collect_block(void *context, const struct prefix *prefix, uint64_t expires)
{
	(void)expires;
	return collect(context, prefix, false);
}

static int collect_allowed(void *context, const struct prefix *prefix, uint64_t expires)
{
	(void)expires;
	return collect(context, prefix, true);
}

/* How many found no room. */
static uint64_t collect_all(const struct engine *engine, struct collected *collected, int64_t now_ns)
{
	uint64_t left_out = 0, now = engine_jiffies(engine);
	uint32_t ipv4, ipv6, capacity, shown;

	collected->most = DROPPED_MAX;
	(void)watch_dropped_each(watch_dropped_table(engine->watch), (uint32_t)(now_ns / NS_PER_S), collect_source,
	                         collected);
	shown = collected->dropping;
	if (blocks_each(engine->blocks, now, collect_block, collected) != 0) {
		blocks_count(engine->blocks, &ipv4, &ipv6, &capacity);
		left_out = (uint64_t)ipv4 + ipv6 - (collected->dropping - shown);
	}
	collected->most = collected->dropping + DROPPED_PASSING_MAX;
	if (collected->dropping > 0)
		(void)shield_each_allowed(&engine->maps, now, collect_allowed, collected);
	return left_out;
}

static void say_cut(struct dropping *state, uint64_t left_out)
{
	if (left_out > 0 && state->left_out == 0)
		LOG_SAY(LOG_NOTICE, "%llu blocked prefixes find no room in the list of who is dropped, which has %u",
		        (unsigned long long)left_out, DROPPED_MAX);
	state->left_out = left_out;
}

static int tell(struct engine *engine, const struct collected *collected, uint64_t left_out)
{
	struct message *message = &engine->message;
	size_t length = (size_t)(collected->dropping + collected->passing) * sizeof(*collected->prefixes);
	int file = outbox_file(collected->prefixes, length);

	if (file < 0)
		return file;
	message_init(message, MESSAGE_DROPPED, 0);
	message->dropped = (struct message_dropped){ .dropping = collected->dropping,
		                                     .passing = collected->passing,
		                                     .left_out = left_out };
	return outbox_put(engine->outbox, message, file, length);
}

static bool is_news(const struct dropping *state, const struct collected *collected, int64_t now_ns)
{
	bool any = collected->dropping > 0;

	return state->said_ns == 0 || any != state->any || (any && collected->print != state->print) ||
	       (any && now_ns - state->said_ns >= ENGINE_DROPPED_AGAIN_S * NS_PER_S);
}

void dropping_turn(struct engine *engine, int64_t now_ns)
{
	struct dropping *state = &engine->dropping;
	struct collected collected = { .dropping = 0 };
	uint64_t left_out = 0;
	bool enforces;

	if (now_ns < state->due_ns || outbox_count(engine->outbox) > OUTBOX_BUSY)
		return;
	state->due_ns = now_ns + ENGINE_DROPPED_S * NS_PER_S;
	enforces = watch_enforces(engine->watch);
	if (!enforces)
		watch_dropped_clear(watch_dropped_table(engine->watch));
	if (!enforces && !state->any && state->said_ns)
		return;
	collected.prefixes = calloc(DROPPED_MAX + DROPPED_PASSING_MAX, sizeof(*collected.prefixes));
	if (!collected.prefixes)
		return;
	if (enforces)
		left_out = collect_all(engine, &collected, now_ns);
	say_cut(state, left_out);
	collected.print += collected.dropping;
	if (is_news(state, &collected, now_ns) && tell(engine, &collected, left_out) == 0) {
		state->any = collected.dropping > 0;
		state->print = collected.print;
		state->said_ns = now_ns;
	}
	free(collected.prefixes);
}
