/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients ask. Blocks of prefixes are the engine's own and done at once; what the loader does becomes an
 * operation: it stands in line, is sent message by message, and each answer brings the next, until there is something
 * to say to the client. Whatever was done or refused goes to the record.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "daemon/engine.h"
#include "daemon/log.h"

#define JOURNAL_MARGIN 4 /* entries beside those that prefixes fill */

/* ---- answers ---- */

static void answer_error(struct engine *engine, uint64_t client, const struct control_error *error)
{
	clients_answer(engine->clients, client, control_format_error(error));
}

/* Records what came of a request as a whole; of its prefixes the first. */
static struct message_record *record_whole(struct engine *engine, const struct client_peer *peer,
                                           const struct control_request *request, const char *outcome, const char *what)
{
	struct message_record *entry = journal_add(engine, peer, request, outcome);

	if (!entry)
		return NULL;
	if (request->rule_number)
		(void)snprintf(entry->object, sizeof(entry->object), "r%" PRIu32, request->rule_number);
	else if (request->has_rule)
		(void)match_format(&request->rule.match, entry->object);
	for (unsigned i = 0; i < request->prefix_count && i < MESSAGE_PREFIXES_MAX; i++)
		message_put_prefix(&entry->prefixes.prefix[entry->prefixes.count++], &request->prefixes[i]);
	message_text(entry->what, sizeof(entry->what), what);
	return entry;
}

/* Prefixes that met with the same outcome, gathered into as few entries as hold them. */
struct gathering {
	struct engine *engine;
	const struct client_peer *peer;
	const struct control_request *request;
	const char *outcome;
	int64_t until_ns;
	struct message_record *entry;
};

static void gather(struct gathering *gathering, const struct prefix *prefix, const char *what)
{
	if (!gathering->entry || gathering->entry->prefixes.count == MESSAGE_PREFIXES_MAX) {
		gathering->entry =
			journal_add(gathering->engine, gathering->peer, gathering->request, gathering->outcome);
		if (!gathering->entry)
			return;
		gathering->entry->until_ns = gathering->until_ns;
		message_text(gathering->entry->what, sizeof(gathering->entry->what), what);
	}
	message_put_prefix(&gathering->entry->prefixes.prefix[gathering->entry->prefixes.count++], prefix);
}

__attribute__((format(printf, 4, 5))) static void refuse_prefix(struct control_tally *tally,
                                                                const struct prefix *prefix, const char *hint,
                                                                const char *format, ...)
{
	struct control_refusal *refusal;
	va_list arguments;

	tally->refused++;
	if (tally->refusal_count == CONTROL_REFUSALS_MAX)
		return;
	refusal = &tally->refusals[tally->refusal_count++];
	refusal->prefix = *prefix;
	(void)snprintf(refusal->hint, sizeof(refusal->hint), "%s", hint);
	va_start(arguments, format);
	(void)vsnprintf(refusal->what, sizeof(refusal->what), format, arguments);
	va_end(arguments);
}

/* Something done: the tally. Nothing done: the first refusal. */
static void answer_tally(struct engine *engine, uint64_t client, enum control_command command, const char *done,
                         const struct control_tally *tally)
{
	struct control_error error = { .what = "" };
	char text[PREFIX_TEXT_SIZE];

	if (tally->done > 0 || tally->refusal_count == 0) {
		clients_answer(engine->clients, client, control_format_tally(done, tally));
		return;
	}
	control_error_set(&error, control_command_name(command), 1, tally->refusals[0].hint, "%s: %s",
	                  prefix_format(&tally->refusals[0].prefix, text), tally->refusals[0].what);
	answer_error(engine, client, &error);
}

/* ---- blocks ---- */

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
 * What comes from a proxy passes whatever the block list says; an entry there would only make people believe it did not. A
 * network around a proxy can be blocked: it hits the others in it.
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
		refuse_prefix(tally, prefix, "block parts of it that leave that out",
		              "would shut the operator's way in: %s to port %u", prefix_format(&way, text), port);
		return;
	}
	if (hits_asker(request, prefix)) {
		refuse_prefix(tally, prefix, "block parts of it that leave that out",
		              "would shut the operator's way in: yours");
		return;
	}
	if (is_of_proxy(&engine->config, prefix, &way)) {
		refuse_prefix(tally, prefix, "block what stands behind it there, or take it out of trusted_proxies",
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
		refuse_prefix(tally, prefix, "name the networks that are meant", "is everything there is");
	else if (result == -ENOSPC)
		refuse_prefix(tally, prefix,
		              "raise shield.block_capacity and start holdfast anew, or release what is not needed",
		              "there is no room for it in the table of %u", capacity);
	else
		refuse_prefix(tally, prefix, "", "cannot be blocked: %s", strerror(-result));
}

static void block_prefixes(struct engine *engine, uint64_t client, const struct client_peer *peer,
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
		answer_error(engine, client, &error);
		return;
	}
	for (unsigned i = 0; i < request->prefix_count; i++) {
		unsigned before = tally.done;

		block_one(engine, request, &mode, &request->prefixes[i], now, expires, &tally);
		if (tally.done > before) {
			gather(&done, &request->prefixes[i], "");
			engine_tell_blocked(engine, &request->prefixes[i], 1, for_ns);
		} else
			gather(&refused, &request->prefixes[i], tally.refusals[tally.refusal_count - 1].what);
	}
	answer_tally(engine, client, CONTROL_BLOCK, "blocked", &tally);
}

/* ---- operations ---- */

enum { MARK_RELEASED = 1, MARK_ALLOWED = 2 };

static struct operation *first_operation(struct engine *engine)
{
	return engine->operation_count ? &engine->operations[engine->first] : NULL;
}

/* Of a list: what is allowed is the loader's to let go. */
static bool fill_disallow(struct engine *engine, struct operation *operation)
{
	const struct control_request *request = &operation->request;

	while (operation->next < request->prefix_count && !(operation->marks[operation->next] & MARK_ALLOWED))
		operation->next++;
	if (operation->next == request->prefix_count)
		return false;
	message_init(&engine->message, MESSAGE_DISALLOW, 0);
	message_put_prefix(&engine->message.prefix, &request->prefixes[operation->next]);
	return true;
}

/* Fills the next message of an operation: false where there is none left. */
static bool fill_message(struct engine *engine, struct operation *operation)
{
	const struct control_request *request = &operation->request;
	int64_t for_ns = request->for_ns ? request->for_ns : engine->config.block_for_ns;
	struct message *message = &engine->message;
	struct rule rule = request->rule;

	switch (request->command) {
	case CONTROL_BLOCK:
		if (operation->next == operation->scope_count)
			return false;
		message_init(message, MESSAGE_ADD_RULE, 0);
		rule.scope = operation->scopes[operation->next];
		message_put_rule(&message->rule, &rule);
		message->rule.shadow = request->shadow;
		message->rule.made_by = operation->peer.uid;
		message->rule.made_ns = role_wall_ns();
		message->rule.for_ns = for_ns;
		message_text(message->rule.reason, sizeof(message->rule.reason), request->reason);
		return true;
	case CONTROL_ALLOW:
		if (operation->next == request->prefix_count)
			return false;
		message_init(message, MESSAGE_ALLOW, 0);
		message->allow.for_ns = for_ns;
		operation->sent = 0;
		while (operation->sent < MESSAGE_PREFIXES_MAX &&
		       operation->next + operation->sent < request->prefix_count) {
			message_put_prefix(&message->allow.prefixes.prefix[operation->sent],
			                   &request->prefixes[operation->next + operation->sent]);
			operation->sent++;
		}
		message->allow.prefixes.count = operation->sent;
		return true;
	case CONTROL_RELEASE:
		if (operation->marks)
			return fill_disallow(engine, operation);
		if (operation->next > 0)
			return false;
		if (request->rule_number) {
			message_init(message, MESSAGE_REMOVE_RULE, 0);
			message->number = request->rule_number;
		} else {
			message_init(message, MESSAGE_DISALLOW, 0);
			message_put_prefix(&message->prefix, &request->prefixes[0]);
		}
		return true;
	case CONTROL_OBSERVE:
	case CONTROL_ENFORCE:
		if (operation->next > 0)
			return false;
		message_init(message, MESSAGE_MODE, 0);
		message->mode.enforce = request->command == CONTROL_ENFORCE;
		message->mode.for_ns = request->confirm_ns;
		return true;
	case CONTROL_CONFIRM:
		if (operation->next > 0)
			return false;
		message_init(message, MESSAGE_CONFIRM, 0);
		return true;
	case CONTROL_PING:
	case CONTROL_STATUS:
	case CONTROL_RULES:
	case CONTROL_RELOAD:
	case CONTROL_TEST_ALERT:
	case CONTROL_COMMANDS:
	default:
		return false;
	}
}

static void fail_operation(struct engine *engine, struct operation *operation, int result, const char *what,
                           const char *hint)
{
	struct control_error error = { .what = "" };

	(void)record_whole(engine, &operation->peer, &operation->request, result == -EPERM ? "refused" : "failed",
	                   what);
	control_error_set(&error, control_command_name(operation->request.command), 1, hint, "%s", what);
	answer_error(engine, operation->client, &error);
}

static void drop_first(struct engine *engine)
{
	struct operation *operation = first_operation(engine);

	control_request_fini(&operation->request);
	free(operation->marks);
	operation->marks = NULL;
	engine->first = (engine->first + 1) % ENGINE_OPERATIONS_MAX;
	engine->operation_count--;
	engine->awaited_id = 0;
}

/* Those of a list that were on one are recorded, and counted. */
static char *finish_release(struct engine *engine, const struct operation *operation)
{
	const struct control_request *request = &operation->request;
	struct gathering done = { engine, &operation->peer, request, "done", 0, NULL };
	unsigned released = 0;

	for (unsigned i = 0; i < request->prefix_count; i++) {
		if (!(operation->marks[i] & MARK_RELEASED))
			continue;
		gather(&done, &request->prefixes[i], "");
		released++;
	}
	return control_format_released_many(released, request->prefix_count - released);
}

/* All that an operation had to have done is done: says so. */
static void finish(struct engine *engine, struct operation *operation)
{
	const struct control_request *request = &operation->request;
	struct control_mode mode = { .until_ns = INT64_MAX, .left_ns = INT64_MAX };
	char *line = NULL;

	switch (request->command) {
	case CONTROL_BLOCK:
		operation->ruled.rule = &request->rule;
		line = control_format_ruled(&operation->ruled);
		break;
	case CONTROL_ALLOW:
		answer_tally(engine, operation->client, CONTROL_ALLOW, "allowed", &operation->tally);
		return;
	case CONTROL_RELEASE:
		if (operation->marks) {
			line = finish_release(engine, operation);
			break;
		}
		line = control_format_released(operation->released_block,
		                               !request->rule_number && operation->tally.done > 0,
		                               request->rule_number != 0);
		break;
	case CONTROL_OBSERVE:
	case CONTROL_ENFORCE:
	case CONTROL_CONFIRM:
		mode.enforce = request->command != CONTROL_OBSERVE;
		if (request->confirm_ns) {
			mode.until_ns = role_wall_ns() + request->confirm_ns;
			mode.left_ns = request->confirm_ns;
		}
		(void)record_whole(engine, &operation->peer, request, "done", "");
		line = control_format_mode(&mode);
		break;
	case CONTROL_PING:
	case CONTROL_STATUS:
	case CONTROL_RULES:
	case CONTROL_RELOAD:
	case CONTROL_TEST_ALERT:
	case CONTROL_COMMANDS:
	default:
		break;
	}
	clients_answer(engine->clients, operation->client, line);
}

/* Sends what is next, of this operation or of those behind it. */
static void go_on(struct engine *engine)
{
	struct operation *operation;

	while (engine->awaited_id == 0 && (operation = first_operation(engine))) {
		int result;

		if (!fill_message(engine, operation)) {
			finish(engine, operation);
			drop_first(engine);
			continue;
		}
		engine->message.id = ++engine->next_id;
		result = message_send(ROLE_FD_LOADER, &engine->message, NULL, 0);
		if (result == 0) {
			engine->awaited_id = engine->next_id;
			operation->began_ns = role_monotonic_ns();
			continue;
		}
		fail_operation(engine, operation, result, "the loader does not listen", "try again in a moment");
		drop_first(engine);
	}
}

/* A rule was made: the record holds all that it takes to make it again. */
static void record_rule(struct engine *engine, const struct operation *operation, uint32_t number)
{
	struct message_record *entry = journal_add(engine, &operation->peer, &operation->request, "done");
	struct rule rule = operation->request.rule;

	if (!entry)
		return;
	rule.scope = operation->scopes[operation->next];
	(void)snprintf(entry->object, sizeof(entry->object), "r%" PRIu32, number);
	entry->until_ns = operation->ruled.expires_ns;
	message_put_rule(&entry->rule, &rule);
	entry->rule.shadow = operation->request.shadow;
	entry->rule.made_by = operation->peer.uid;
	entry->rule.made_ns = entry->time_ns;
	message_text(entry->rule.reason, sizeof(entry->rule.reason), operation->request.reason);
}

/* The answer to a message about a rule. False: the operation has failed. */
static bool take_rule(struct engine *engine, struct operation *operation, const struct message_answer *answer)
{
	if (answer->result == 0) {
		operation->ruled.numbers[operation->ruled.count++] = answer->number;
		record_rule(engine, operation, answer->number);
		operation->next++;
		return true;
	}
	/* Rules for the scopes before this one stand; whoever asked is told which, so that they can be released. */
	if (operation->ruled.count > 0) {
		char what[CONFIG_ERROR_SIZE];

		(void)snprintf(what, sizeof(what),
		               "%.200s; rules r%" PRIu32 " to r%" PRIu32 " for other destinations stand", answer->what,
		               operation->ruled.numbers[0], operation->ruled.numbers[operation->ruled.count - 1]);
		fail_operation(engine, operation, answer->result, what, answer->hint);
	} else {
		fail_operation(engine, operation, answer->result, answer->what, answer->hint);
	}
	return false;
}

static void take_allowed(struct engine *engine, struct operation *operation, const struct message_answer *answer)
{
	const struct control_request *request = &operation->request;
	struct gathering done = { engine, &operation->peer, request, "done", operation->tally.expires_ns, NULL };
	struct gathering failed = { engine, &operation->peer, request, "failed", 0, NULL };
	unsigned tried = answer->done < operation->sent ? answer->done : operation->sent;

	for (unsigned i = 0; i < tried; i++)
		gather(&done, &request->prefixes[operation->next + i], "");
	operation->tally.done += tried;
	operation->next += tried;
	if (answer->result == 0 || tried == operation->sent)
		return;
	/* The one it failed on is passed over. */
	refuse_prefix(&operation->tally, &request->prefixes[operation->next], answer->hint, "%s", answer->what);
	gather(&failed, &request->prefixes[operation->next], answer->what);
	operation->next++;
}

/* False: the operation has failed. */
static bool take_released(struct engine *engine, struct operation *operation, const struct message_answer *answer)
{
	const struct control_request *request = &operation->request;

	if (operation->marks) {
		if (answer->result == 0)
			operation->marks[operation->next] |= MARK_RELEASED;
		operation->next++;
		if (answer->result == 0 || answer->result == -ENOENT)
			return true;
		fail_operation(engine, operation, answer->result, answer->what, answer->hint);
		return false;
	}
	operation->next++;
	if (request->rule_number) {
		if (answer->result == -ENOENT) {
			char what[64];

			(void)snprintf(what, sizeof(what), "there is no rule r%" PRIu32, request->rule_number);
			fail_operation(engine, operation, answer->result, what,
			               "'holdfast rules' lists those there are");
			return false;
		}
		if (answer->result != 0) {
			fail_operation(engine, operation, answer->result, answer->what, answer->hint);
			return false;
		}
		(void)record_whole(engine, &operation->peer, request, "done", "");
		watch_rules_changed(engine->watch); /* it may have been one of the engine's own */
		return true;
	}
	operation->tally.done = answer->result == 0;
	if (answer->result == 0 || operation->released_block) {
		struct gathering done = { engine, &operation->peer, request, "done", 0, NULL };

		gather(&done, &request->prefixes[0], "");
		return true;
	}
	if (answer->result == -ENOENT) {
		char what[160], hint[160] = "'holdfast rules' lists what there is", text[PREFIX_TEXT_SIZE];
		struct prefix around;
		uint64_t expires;

		(void)snprintf(what, sizeof(what), "%s is neither blocked nor allowed",
		               prefix_format(&request->prefixes[0], text));
		if (blocks_find(engine->blocks, &request->prefixes[0].address, engine_jiffies(engine), &around,
		                &expires) == 0)
			(void)snprintf(hint, sizeof(hint), "%s around it is blocked: holdfast release %s",
			               prefix_format(&around, text), text);
		fail_operation(engine, operation, answer->result, what, hint);
	} else {
		fail_operation(engine, operation, answer->result, answer->what, answer->hint);
	}
	return false;
}

void command_answered(struct engine *engine, const struct message *message)
{
	struct operation *operation = first_operation(engine);
	struct message_answer answer = message->answer; /* `message` is where the next one is made */
	bool goes_on = true;

	if (!operation || message->id != engine->awaited_id)
		return; /* it came too late: the operation has ended */
	engine->awaited_id = 0;
	switch (operation->request.command) {
	case CONTROL_BLOCK:
		goes_on = take_rule(engine, operation, &answer);
		break;
	case CONTROL_ALLOW:
		take_allowed(engine, operation, &answer);
		break;
	case CONTROL_RELEASE:
		goes_on = take_released(engine, operation, &answer);
		break;
	case CONTROL_OBSERVE:
	case CONTROL_ENFORCE:
	case CONTROL_CONFIRM:
	case CONTROL_PING:
	case CONTROL_STATUS:
	case CONTROL_RULES:
	case CONTROL_RELOAD:
	case CONTROL_TEST_ALERT:
	case CONTROL_COMMANDS:
	default:
		operation->next++;
		goes_on = answer.result == 0;
		if (!goes_on)
			fail_operation(engine, operation, answer.result, answer.what, answer.hint);
		break;
	}
	if (!goes_on)
		drop_first(engine);
	go_on(engine);
}

void command_expire(struct engine *engine)
{
	struct operation *operation = first_operation(engine);

	if (!operation || engine->awaited_id == 0 ||
	    role_monotonic_ns() - operation->began_ns < ENGINE_OPERATION_S * NS_PER_S)
		return;
	fail_operation(engine, operation, -ETIMEDOUT, "the loader does not answer; it may still do what was asked",
	               "'holdfast status' shows whether it has");
	drop_first(engine);
	go_on(engine);
}

/* All addresses of services, one rule each; without any, everything. */
static void find_scopes(const struct engine *engine, struct operation *operation)
{
	const struct control_request *request = &operation->request;

	if (!request->has_scope)
		for (unsigned i = 0; i < engine->config.service_count; i++) {
			const struct prefix_list *list = &engine->config.services[i].addresses;

			for (uint32_t k = 0; k < list->count && operation->scope_count < ENGINE_SCOPES_MAX; k++) {
				bool have = false;

				for (unsigned n = 0; n < operation->scope_count; n++)
					have = have || prefix_equal(&operation->scopes[n], &list->prefixes[k]);
				if (!have)
					operation->scopes[operation->scope_count++] = list->prefixes[k];
			}
		}
	if (operation->scope_count == 0)
		operation->scopes[operation->scope_count++] = request->rule.scope;
}

static int collect(void *context, const struct prefix *prefix, uint64_t expires)
{
	(void)expires;
	return prefix_list_append(context, prefix, 1);
}

/* What is blocked is let go at once; what is allowed is marked. 0 or -errno. */
static int begin_release(struct engine *engine, struct operation *operation)
{
	const struct control_request *request = &operation->request;
	uint64_t now = engine_jiffies(engine);
	struct prefix_list allowed = { .prefixes = NULL };
	int result = shield_each_allowed(&engine->maps, now, collect, &allowed);

	operation->marks = calloc(request->prefix_count, sizeof(*operation->marks));
	if (!operation->marks)
		result = -ENOMEM;
	if (result == 0) {
		prefix_list_sort(&allowed);
		for (unsigned i = 0; i < request->prefix_count; i++) {
			if (blocks_remove(engine->blocks, &request->prefixes[i], now) == 0) {
				operation->marks[i] |= MARK_RELEASED;
				engine_tell_unblocked(engine, &request->prefixes[i]);
			}
			if (prefix_list_has(&allowed, &request->prefixes[i]))
				operation->marks[i] |= MARK_ALLOWED;
		}
	}
	prefix_list_fini(&allowed);
	return result;
}

/* Takes the request over. */
static void begin_operation(struct engine *engine, uint64_t client, const struct client_peer *peer,
                            const struct control_request *request)
{
	int64_t for_ns = request->for_ns ? request->for_ns : engine->config.block_for_ns;
	unsigned place = (engine->first + engine->operation_count) % ENGINE_OPERATIONS_MAX;
	struct operation *operation = &engine->operations[place];

	/* Clients ask one thing at a time; but one that has gone may have left an operation. */
	if (engine->operation_count == ENGINE_OPERATIONS_MAX) {
		struct control_error error = { .what = "" };
		struct control_request dropped = *request;

		control_error_set(&error, control_command_name(request->command), 3, "try again in a moment",
		                  "%d commands are under way", ENGINE_OPERATIONS_MAX);
		answer_error(engine, client, &error);
		control_request_fini(&dropped);
		return;
	}
	memset(operation, 0, sizeof(*operation));
	operation->client = client;
	operation->peer = *peer;
	operation->request = *request;
	operation->tally.expires_ns = role_wall_ns() + for_ns;
	operation->ruled.expires_ns = operation->tally.expires_ns;
	if (request->command == CONTROL_BLOCK)
		find_scopes(engine, operation);
	if (request->command == CONTROL_RELEASE && request->many) {
		int result = begin_release(engine, operation);

		if (result != 0) {
			fail_operation(engine, operation, result, "the allow list cannot be read",
			               "try again in a moment");
			control_request_fini(&operation->request);
			free(operation->marks);
			return;
		}
	} else if (request->command == CONTROL_RELEASE && request->prefix_count) {
		operation->released_block =
			blocks_remove(engine->blocks, &request->prefixes[0], engine_jiffies(engine)) == 0;
		engine_tell_unblocked(engine, &request->prefixes[0]);
	}
	engine->operation_count++;
	go_on(engine);
}

/* ---- reload ---- */

static void begin_reload(struct engine *engine, uint64_t client, const struct client_peer *peer)
{
	struct control_error error = { .what = "" };

	if (engine->reload_id == 0) {
		message_init(&engine->message, MESSAGE_RELOAD, ++engine->next_id);
		if (message_send(ROLE_FD_PARENT, &engine->message, NULL, 0) == 0) {
			engine->reload_id = engine->next_id;
			engine->reload_client = client;
			engine->reload_peer = *peer;
			return;
		}
	}
	control_error_set(&error, "reload", 1, "try again in a moment", "a reload is under way");
	answer_error(engine, client, &error);
}

void command_reloaded(struct engine *engine, const struct message *message)
{
	const struct message_applied *applied = &message->applied;
	struct control_request request = { .command = CONTROL_RELOAD };
	struct control_error error = { .what = "" };
	char *line;

	if (engine->reload_id == 0 || message->id != engine->reload_id)
		return;
	engine->reload_id = 0;
	if (applied->result == 0) {
		line = control_format_reloaded((const char(*)[CONFIG_ERROR_SIZE])applied->lines, applied->line_count);
	} else {
		struct config_errors *errors = calloc(1, sizeof(*errors));

		control_error_set(&error, "reload", 1, "the old configuration stays in force", "%s",
		                  applied->line_count ? applied->lines[0] : strerror(-applied->result));
		if (errors) {
			errors->count = applied->line_count;
			memcpy(errors->lines, applied->lines, sizeof(errors->lines));
		}
		line = errors ? control_format_errors(&error, errors) : control_format_error(&error);
		free(errors);
	}
	(void)record_whole(engine, &engine->reload_peer, &request, applied->result == 0 ? "done" : "refused",
	                   applied->result == 0 || !applied->line_count ? "" : applied->lines[0]);
	clients_answer(engine->clients, engine->reload_client, line);
}

/* ---- requests ---- */

/* The operator's address is kept open before what was asked is done. */
static void learn_way(struct engine *engine, const struct control_request *request)
{
	struct prefix host = prefix_of(&request->address, 128);

	if (!request->has_address)
		return;
	message_init(&engine->message, MESSAGE_WAY, 0);
	message_put_prefix(&engine->message.prefix, &host);
	if (message_send(ROLE_FD_LOADER, &engine->message, NULL, 0) != 0)
		LOG_SAY(LOG_WARNING, "the loader does not hear where a command came from");
}

/*
 * Whether the record has no room for what a long list would bring it. It is waited for then, as the recorder is only slow; but not where
 * it cannot write: nobody is kept from defending himself by a full disk.
 */
static bool must_wait(const struct engine *engine, const struct control_request *request)
{
	unsigned entries = request->prefix_count / MESSAGE_PREFIXES_MAX + JOURNAL_MARGIN;

	return request->prefix_count > MESSAGE_PREFIXES_MAX && engine->journal.count + entries > ENGINE_JOURNAL_MAX &&
	       !engine->journal.stuck && strcmp(engine->journal.state, "ok") == 0;
}

/* Does what was asked, and takes the request over. */
static void carry_out(struct engine *engine, uint64_t client, const struct client_peer *peer,
                      struct control_request *request)
{
	switch (request->command) {
	case CONTROL_PING:
		clients_answer(engine->clients, client, control_format_ping());
		break;
	case CONTROL_STATUS:
		clients_answer(engine->clients, client, facts_status(engine));
		break;
	case CONTROL_RULES:
		clients_answer(engine->clients, client, facts_rules(engine, request->limit));
		break;
	case CONTROL_RELOAD:
		begin_reload(engine, client, peer);
		break;
	case CONTROL_TEST_ALERT:
		alerts_test(engine, client, request->target);
		break;
	case CONTROL_BLOCK:
		if (request->prefix_count) {
			block_prefixes(engine, client, peer, request);
			break;
		}
		begin_operation(engine, client, peer, request);
		return;
	case CONTROL_ALLOW:
	case CONTROL_RELEASE:
	case CONTROL_OBSERVE:
	case CONTROL_ENFORCE:
	case CONTROL_CONFIRM:
		begin_operation(engine, client, peer, request);
		return;
	case CONTROL_COMMANDS:
	default:
		break;
	}
	control_request_fini(request);
}

void command_resume(struct engine *engine)
{
	while (engine->postponed_count > 0) {
		struct postponed *first = &engine->postponed[engine->postponed_first];

		if (must_wait(engine, &first->request)) {
			if (role_monotonic_ns() - first->since_ns < ENGINE_POSTPONED_S * NS_PER_S)
				return;
			engine->journal.stuck = true;
		}
		engine->postponed_first = (engine->postponed_first + 1) % ENGINE_OPERATIONS_MAX;
		engine->postponed_count--;
		carry_out(engine, first->client, &first->peer, &first->request);
	}
}

void command_ask(void *context, uint64_t client, const struct client_peer *peer, char *line, size_t length)
{
	struct engine *engine = context;
	struct control_request request;
	struct control_error error = { .what = "" };
	int result = control_parse(line, length, &request, &error);

	if (result == -ENOMEM)
		control_error_set(&error, "request", 1, "try again in a moment", "out of memory");
	if (result != 0) {
		answer_error(engine, client, &error);
		return;
	}
	if (control_command_operates(request.command)) {
		if (!peer->operates) {
			(void)record_whole(engine, peer, &request, "refused", "not an operator");
			control_error_set(&error, control_command_name(request.command), 1,
			                  "ask as root, or have yourself added to the group: usermod -aG holdfast NAME",
			                  "only root and members of the group holdfast may");
			answer_error(engine, client, &error);
			control_request_fini(&request);
			return;
		}
		learn_way(engine, &request);
	}
	if (must_wait(engine, &request) && engine->postponed_count < ENGINE_OPERATIONS_MAX) {
		unsigned place = (engine->postponed_first + engine->postponed_count++) % ENGINE_OPERATIONS_MAX;

		engine->postponed[place] = (struct postponed){
			.client = client, .peer = *peer, .request = request, .since_ns = role_monotonic_ns()
		};
		return;
	}
	carry_out(engine, client, peer, &request);
}

void command_fini(struct engine *engine)
{
	while (engine->operation_count)
		drop_first(engine);
	for (unsigned i = 0; i < engine->postponed_count; i++)
		control_request_fini(&engine->postponed[(engine->postponed_first + i) % ENGINE_OPERATIONS_MAX].request);
}
