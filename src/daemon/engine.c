/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/engine.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/checkpoint.h"
#include "daemon/log.h"
#include "daemon/sandbox.h"

#define TICK_NS (NS_PER_S / 10)
#define COUNT_NS NS_PER_S
#define SWEEPS 600 /* ticks in which the block list is swept once: a minute */
#define LAST_WORDS_NS (2 * NS_PER_S)
#define FALLBACK_UID 65534 /* nobody is no operator */

enum { POLL_PARENT, POLL_LOADER, POLL_RECORDER, POLL_MESSENGER, POLL_FIXED };

uint64_t engine_jiffies(const struct engine *engine)
{
	return shield_jiffies_at(&engine->pace, role_monotonic_ns());
}

uint64_t engine_jiffies_after(const struct engine *engine, int64_t for_ns)
{
	return shield_jiffies_after(&engine->pace, role_monotonic_ns(), for_ns);
}

/* ---- nftables ---- */

bool engine_has_nftables(const struct engine *engine)
{
	for (unsigned i = 0; i < engine->hook_count; i++)
		if (engine->hooks[i].hook == MESSAGE_HOOK_NFTABLES)
			return true;
	return false;
}

/* What finds no room is made good by telling it of all. */
static void tell_loader(struct engine *engine)
{
	if (message_send(ROLE_FD_LOADER, &engine->message, NULL, 0) == 0)
		return;
	LOG_SAY(LOG_WARNING, "the loader is busy: nftables gets the latest blocks a little later");
	engine->nftables_behind = true;
}

void engine_tell_blocked(struct engine *engine, const struct prefix *prefixes, unsigned count, int64_t for_ns)
{
	while (count > 0 && engine_has_nftables(engine) && !engine->nftables_behind) {
		unsigned now = count < MESSAGE_PREFIXES_MAX ? count : MESSAGE_PREFIXES_MAX;

		message_init(&engine->message, MESSAGE_BLOCK, 0);
		engine->message.allow.for_ns = for_ns;
		engine->message.allow.prefixes.count = now;
		for (unsigned i = 0; i < now; i++)
			message_put_prefix(&engine->message.allow.prefixes.prefix[i], &prefixes[i]);
		tell_loader(engine);
		prefixes += now;
		count -= now;
	}
}

void engine_tell_unblocked(struct engine *engine, const struct prefix *prefix)
{
	if (!engine_has_nftables(engine) || engine->nftables_behind)
		return;
	message_init(&engine->message, MESSAGE_UNBLOCK, 0);
	message_put_prefix(&engine->message.prefix, prefix);
	tell_loader(engine);
}

void engine_tell_blocks(struct engine *engine)
{
	if (!engine_has_nftables(engine))
		return;
	message_init(&engine->message, MESSAGE_BLOCKS, 0);
	engine->message.number = engine->nftables_behind; /* it may not have heard of what was let go either */
	engine->nftables_behind = false;
	tell_loader(engine);
}

/* ---- the loader, the recorder, the parent ---- */

static void take_state(struct engine *engine, const struct message_state *state)
{
	engine->pace =
		(struct shield_pace){ .jiffies = state->jiffies, .monotonic_ns = state->monotonic_ns, .hz = state->hz };
	engine->origin = state->origin;
	engine->hook_count = state->hook_count;
	memcpy(engine->hooks, state->hooks, sizeof(engine->hooks));
}

/* The loader says how it stands when it has attached: what was put back is now in force, which the record must know. */
static void settle(struct engine *engine)
{
	if (engine->settled)
		return;
	message_init(&engine->message, MESSAGE_SETTLED, 0);
	engine->settled = message_send(ROLE_FD_RECORDER, &engine->message, NULL, 0) == 0;
}

static int listen_to_loader(struct engine *engine)
{
	for (;;) {
		int fds[MESSAGE_FDS_MAX];
		unsigned fd_count;
		int result =
			message_receive(ROLE_FD_LOADER, MESSAGE_LOADER_TO_ENGINE, &engine->message, fds, &fd_count);

		if (result == -EAGAIN)
			return 0;
		if (result != 0)
			return result;
		channel_drop(fds, &fd_count); /* maps came once, at the beginning */
		if (engine->message.type == MESSAGE_STATE) {
			take_state(engine, &engine->message.state);
			settle(engine);
		} else if (engine->message.type == MESSAGE_COUNTED)
			engine->nftables = engine->message.counted;
		else if (engine->message.type == MESSAGE_LINKS)
			alerts_take_links(engine, &engine->message.links);
		else if (engine->message.type == MESSAGE_ANSWER && !watch_answered(engine->watch, &engine->message))
			operation_answered(engine, &engine->message);
	}
}

static int listen_to_recorder(struct engine *engine)
{
	for (;;) {
		int fds[MESSAGE_FDS_MAX];
		unsigned fd_count;
		int result =
			message_receive(ROLE_FD_RECORDER, MESSAGE_RECORDER_TO_ENGINE, &engine->message, fds, &fd_count);

		if (result == -EAGAIN)
			return 0;
		if (result != 0)
			return result;
		channel_drop(fds, &fd_count); /* what was learned came once, at the beginning */
		if (engine->message.type != MESSAGE_RECORDED)
			continue;
		engine->journal.written = engine->message.recorded.written;
		engine->journal.incidents_lost = engine->message.recorded.incidents_lost;
		engine->journal.streams_cut = engine->message.recorded.streams_cut;
		memcpy(engine->journal.state, engine->message.recorded.state, sizeof(engine->journal.state));
	}
}

static void take_config(struct engine *engine, int *fds, unsigned fd_count)
{
	uint64_t serial = engine->message.config.serial;
	char error[CONFIG_ERROR_SIZE] = "";
	struct config next;
	int result = role_read_config(&engine->message, fds, &fd_count, &next, error);

	if (result == 0) {
		result = lists_load(engine, &next, fds, fd_count, error);
		if (result == 0) {
			struct config old = engine->config;

			engine->config = next;
			next = old;
			watch_reload(engine->watch, &old, &engine->config);
		}
		config_fini(&next);
	}
	channel_drop(fds, &fd_count);
	role_tell_applied(&engine->message, serial, result, (const char(*)[CONFIG_ERROR_SIZE]) & error, result != 0);
}

static int listen_to_parent(struct engine *engine)
{
	for (;;) {
		int fds[MESSAGE_FDS_MAX];
		unsigned fd_count;
		int result = message_receive(ROLE_FD_PARENT, MESSAGE_PARENT_TO_ROLE, &engine->message, fds, &fd_count);

		if (result == -EAGAIN)
			return 0;
		if (result != 0)
			return result;
		if (engine->message.type == MESSAGE_CONFIG)
			take_config(engine, fds, fd_count);
		else if (engine->message.type == MESSAGE_MESSENGER)
			alerts_take_channel(engine, fds[0]);
		else
			command_reloaded(engine, &engine->message);
	}
}

/* ---- beginning ---- */

/* Waits for something on `channel`; -EPIPE where the parent is gone first. */
static int wait_for(int channel)
{
	struct pollfd fds[2] = { { .fd = channel, .events = POLLIN }, { .fd = ROLE_FD_PARENT, .events = 0 } };

	(void)alarm(ROLE_ALARM_S);
	if (poll(fds, 2, 1000) < 0 && errno != EINTR)
		return -errno;
	return fds[1].revents & (POLLHUP | POLLERR) ? -EPIPE : 0;
}

static int take_maps(struct engine *engine)
{
	for (;;) {
		unsigned fd_count;
		int fds[MESSAGE_FDS_MAX];
		int result =
			message_receive(ROLE_FD_LOADER, MESSAGE_LOADER_TO_ENGINE, &engine->message, fds, &fd_count);

		if (result == 0 && engine->message.type == MESSAGE_MAPS) {
			memcpy(engine->maps.fd, fds, sizeof(engine->maps.fd));
			take_state(engine, &engine->message.state);
			return 0;
		}
		if (result != 0 && result != -EAGAIN)
			return result;
		result = wait_for(ROLE_FD_LOADER);
		if (result != 0)
			return result;
	}
}

/* A beginning that did not come to its end may have put it in already. */
static bool has_rule(const struct engine *engine, uint32_t number)
{
	struct shield_rule_told *told = calloc(SHIELD_RULES_MAX, sizeof(*told));
	unsigned count = 0;
	bool has = false;

	if (told && shield_read_rules(&engine->maps, engine_jiffies(engine), told, &count) == 0)
		for (unsigned i = 0; i < count; i++)
			has = has || told[i].number == number;
	free(told);
	return has;
}

/* What is said to be in force goes to where it belongs. */
static int put_back(struct engine *engine, const struct message_in_force *in_force)
{
	struct prefix prefix = message_prefix(&in_force->prefix);
	struct message *message = &engine->message;
	struct message_rule rule = in_force->rule;
	int64_t for_ns = in_force->for_ns;

	switch (in_force->kind) {
	case MESSAGE_KIND_BLOCK:
		if (blocks_add(engine->blocks, &prefix, engine_jiffies(engine), engine_jiffies_after(engine, for_ns)) !=
		    0)
			LOG_SAY(LOG_WARNING, "a block that was in force found no room");
		return 0;
	case MESSAGE_KIND_ALLOW:
		message_init(message, MESSAGE_ALLOW, 0);
		message->allow.for_ns = for_ns;
		message->allow.prefixes.count = 1;
		message_put_prefix(&message->allow.prefixes.prefix[0], &prefix);
		return role_send_waiting(ROLE_FD_LOADER, message);
	case MESSAGE_KIND_RULE:
		if (has_rule(engine, rule.number))
			return 0;
		message_init(message, MESSAGE_ADD_RULE, 0);
		message->rule = rule;
		return role_send_waiting(ROLE_FD_LOADER, message);
	default:
		return 0;
	}
}

static void take_learned(struct engine *engine, int fd, uint32_t length)
{
	int result;

	free(engine->learned);
	engine->learned = NULL;
	result = checkpoint_read(fd, length, &engine->learned);
	engine->learned_length = result == 0 ? length : 0;
	if (result != 0)
		LOG_SAY(LOG_WARNING, "what was learned cannot be read: %s", strerror(-result));
}

/* Asks the recorder what is in force, and puts it back. */
static int restore(struct engine *engine)
{
	unsigned count = 0;
	int result;

	message_init(&engine->message, MESSAGE_ASK, ++engine->next_id);
	engine->message.number = engine->origin;
	result = role_send_waiting(ROLE_FD_RECORDER, &engine->message);
	while (result == 0) {
		int fds[MESSAGE_FDS_MAX];
		unsigned fd_count;

		result =
			message_receive(ROLE_FD_RECORDER, MESSAGE_RECORDER_TO_ENGINE, &engine->message, fds, &fd_count);
		if (result == -EAGAIN) {
			result = wait_for(ROLE_FD_RECORDER);
			continue;
		}
		if (result == 0 && engine->message.type == MESSAGE_LEARNED)
			take_learned(engine, fds[0], engine->message.checkpoint.length);
		channel_drop(fds, &fd_count);
		if (result != 0 || engine->message.type != MESSAGE_IN_FORCE)
			continue;
		if (engine->message.in_force.kind == MESSAGE_KIND_END) {
			engine->highest = engine->message.in_force.highest;
			break;
		}
		result = put_back(engine, &engine->message.in_force);
		count++;
	}
	if (result == 0 && count > 0)
		LOG_SAY(LOG_NOTICE, "%u rules, blocks and allowances of the record are in force again", count);
	return result;
}

static int give_up_rights(struct engine *engine)
{
	return sandbox_give_up(engine->start->uid, engine->start->gid);
}

/* When all that has to be opened is open. */
static int close_doors(struct engine *engine)
{
	int result = sandbox_excuse(sandbox_confine(NULL, "/etc/passwd"));

	(void)engine;
	return result == 0 || result == -ENOENT ? sandbox_filter(ROLE_ENGINE) : result;
}

static int make_watch(struct engine *engine)
{
	const struct watch_setup setup = {
		.maps = &engine->maps,
		.pace = &engine->pace,
		.nftables = &engine->nftables,
		.outbox = engine->outbox,
		.traces = engine->traces,
		.loader = ROLE_FD_LOADER,
		.next_id = &engine->next_id,
		.record = journal_add_deed,
		.alert = alerts_tell,
		.context = engine,
	};

	return watch_new(&setup, &engine->watch);
}

/* From what was learned before, where there is any. */
static int begin_watch(struct engine *engine)
{
	uint64_t seed = 0;
	int result = 0;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		result = -errno;
	if (result == 0)
		result = watch_begin(engine->watch, &engine->config, seed, engine->learned, engine->learned_length);
	free(engine->learned);
	engine->learned = NULL;
	return result;
}

static int make_tables(struct engine *engine)
{
	uid_t own = engine->start->uid == FALLBACK_UID ? (uid_t)-1 : engine->start->uid;
	int result;

	engine->journal.entries = calloc(ENGINE_JOURNAL_MAX, sizeof(*engine->journal.entries));
	engine->operations = calloc(ENGINE_OPERATIONS_MAX, sizeof(*engine->operations));
	engine->postponed = calloc(ENGINE_OPERATIONS_MAX, sizeof(*engine->postponed));
	engine->counters = calloc(SHIELD_SERVICES_MAX, sizeof(*engine->counters));
	if (!engine->journal.entries || !engine->operations || !engine->postponed || !engine->counters)
		return -ENOMEM;
	message_text(engine->journal.state, sizeof(engine->journal.state), "ok");
	/* The first look at a counter asks the system how many processors there are, which is not to be had later. */
	result = shield_read_counters(&engine->maps, engine->counters);
	if (result == 0)
		result = blocks_new(&engine->maps, &engine->blocks);
	if (result == 0)
		result = outbox_new(&engine->outbox);
	if (result == 0)
		result = make_watch(engine);
	if (result == 0)
		result = samples_new(engine->maps.fd[SHIELD_MAP_SAMPLES], watch_take, engine->watch, &engine->samples);
	if (result == 0)
		result = clients_new(ROLE_FD_CONTROL, own, engine->start->operators, command_ask, engine,
		                     &engine->clients);
	return result;
}

/* Of files that are not to be had later. */
static int open_traces(struct engine *engine)
{
	return watch_trace_open(&engine->config, &engine->traces);
}

/* In this order, each with what it means that it failed. */
static const struct step {
	int (*take)(struct engine *engine);
	const char *failed;
} steps[] = {
	{ open_traces, "what traces are made with cannot be read" },
	{ give_up_rights, "rights cannot be given up" },
	{ take_maps, "the shield's maps are not to be had" },
	{ make_tables, "the shield's maps cannot be used" },
	{ close_doors, "the role cannot be confined" },
	{ restore, "what was in force cannot be put back" },
	{ begin_watch, "attacks cannot be watched for" },
};

static int begin(struct engine *engine, uint64_t *serial, char error[CONFIG_ERROR_SIZE])
{
	int fds[MESSAGE_FDS_MAX];
	unsigned fd_count = 0;
	int result = role_take_config(&engine->message, fds, &fd_count, &engine->config, error);

	engine->roles = engine->message.config;
	*serial = engine->roles.serial;
	if (result != 0)
		return result;
	for (size_t i = 0; result == 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
		result = steps[i].take(engine);
		if (result != 0)
			(void)snprintf(error, CONFIG_ERROR_SIZE, "%s: %s", steps[i].failed, strerror(-result));
	}
	if (result == 0)
		result = lists_load(engine, &engine->config, fds, fd_count, error);
	channel_drop(fds, &fd_count);
	if (result != 0)
		return result;
	message_init(&engine->message, MESSAGE_RESTORED, 0);
	engine->message.number = engine->highest + 1;
	result = role_send_waiting(ROLE_FD_LOADER, &engine->message);
	if (result != 0)
		(void)snprintf(error, CONFIG_ERROR_SIZE, "the loader is gone: %s", strerror(-result));
	return result;
}

/* ---- life ---- */

static void do_what_is_due(struct engine *engine, int64_t now_ns, int64_t *tick_ns, int64_t *count_ns)
{
	uint32_t ipv4, ipv6, capacity;

	if (now_ns >= *tick_ns) {
		*tick_ns = now_ns + TICK_NS;
		blocks_count(engine->blocks, &ipv4, &ipv6, &capacity);
		/*
		 * A bucket has at least four slots, and at most half of them are taken: there are no more than
		 * `capacity`.
		 */
		(void)blocks_sweep(engine->blocks, engine_jiffies(engine), capacity / SWEEPS + 1);
		lists_renew(engine);
		if (engine->nftables_behind)
			engine_tell_blocks(engine);
		operation_expire(engine);
		alerts_expire(engine);
	}
	if (now_ns >= *count_ns) {
		*count_ns = now_ns + COUNT_NS;
		facts_count(engine);
		dropping_turn(engine, now_ns);
	}
	journal_send(engine);
	(void)outbox_send(engine->outbox, ROLE_FD_RECORDER); /* that nobody is left shows elsewhere */
	command_resume(engine);
}

static int live(struct engine *engine)
{
	int64_t tick_ns = 0, count_ns = 0;
	bool behind = false;

	for (;;) {
		struct pollfd fds[POLL_FIXED + CLIENTS_POLL_MAX] = {
			[POLL_PARENT] = { .fd = ROLE_FD_PARENT, .events = POLLIN },
			[POLL_LOADER] = { .fd = ROLE_FD_LOADER, .events = POLLIN },
			[POLL_RECORDER] = { .fd = ROLE_FD_RECORDER, .events = POLLIN },
			[POLL_MESSENGER] = { .fd = engine->alerts.channel, .events = POLLIN },
		};
		unsigned count = clients_poll(engine->clients, fds + POLL_FIXED);
		int64_t now_ns;
		int result = 0;

		if (engine->journal.count || outbox_count(engine->outbox))
			fds[POLL_RECORDER].events |= POLLOUT;
		(void)alarm(ROLE_ALARM_S);
		/* Samples wait for their turn: a wake-up for each would cost more than they do. */
		if (poll(fds, POLL_FIXED + count, behind ? 0 : WATCH_TICK_MS) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		now_ns = role_monotonic_ns();
		if (fds[POLL_LOADER].revents)
			result = listen_to_loader(engine);
		if (result == 0 && fds[POLL_RECORDER].revents & ~POLLOUT)
			result = listen_to_recorder(engine);
		if (fds[POLL_MESSENGER].revents)
			alerts_listen(engine);
		if (result == 0 && fds[POLL_PARENT].revents)
			result = listen_to_parent(engine);
		if (result != 0)
			return result == -EPIPE ? 0 : result;
		behind = watch_turn(engine->watch, engine->samples, now_ns);
		clients_turn(engine->clients, fds + POLL_FIXED, count, now_ns);
		do_what_is_due(engine, now_ns, &tick_ns, &count_ns);
	}
}

/* What was done just now is still recorded, and what was learned and found. */
static void say_last_words(struct engine *engine)
{
	int64_t until_ns = role_monotonic_ns() + LAST_WORDS_NS;

	watch_end(engine->watch);
	while (role_monotonic_ns() < until_ns) {
		struct pollfd fd = { .fd = ROLE_FD_RECORDER, .events = POLLOUT };

		journal_send(engine);
		watch_send_signals(engine->watch, ROLE_FD_RECORDER);
		if (outbox_send(engine->outbox, ROLE_FD_RECORDER) != 0 ||
		    (engine->journal.count == 0 && outbox_count(engine->outbox) == 0))
			return;
		(void)poll(&fd, 1, 100);
	}
}

static void fini(struct engine *engine)
{
	if (engine->operations)
		command_fini(engine);
	alerts_fini(engine);
	clients_free(engine->clients);
	samples_free(engine->samples);
	watch_free(engine->watch);
	watch_trace_free(engine->traces);
	outbox_free(engine->outbox);
	blocks_free(engine->blocks);
	shield_maps_close(&engine->maps);
	prefix_list_fini(&engine->listed.list);
	free(engine->learned);
	free(engine->journal.entries);
	free(engine->operations);
	free(engine->postponed);
	free(engine->counters);
	config_fini(&engine->config);
	free(engine);
}

/*
 * Engines come and go, each of many MiB. What is larger than this is given back when it is let go: left to itself the C
 * library raises the bound with each that goes, and keeps what two generations had for good.
 */
#define GIVEN_BACK (256 * 1024)

int engine_role(const struct role_start *start)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	char error[CONFIG_ERROR_SIZE] = "";
	uint64_t serial = 0;
	int result;

	if (!engine)
		return 1;
	(void)mallopt(M_MMAP_THRESHOLD, GIVEN_BACK);
	engine->start = start;
	alerts_begin(engine);
	for (unsigned i = 0; i < SHIELD_MAPS; i++)
		engine->maps.fd[i] = -1;
	result = begin(engine, &serial, error);
	role_tell_applied(&engine->message, serial, result, (const char(*)[CONFIG_ERROR_SIZE]) & error, result != 0);
	if (result == 0) {
		result = live(engine);
		say_last_words(engine);
	}
	fini(engine);
	return result == 0 ? 0 : 1;
}
