/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the loader does for clients. An operation stands in line, is sent message by message, and each answer brings the
 * next, until there is something to say to the client. What the kinds of them have each is a row of functions.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "daemon/command_inside.h"

/* Of a prefix in a list that is released. */
enum { MARK_RELEASED = 1, MARK_ALLOWED = 2 };

/* A kind of operation. The engine's message is where the next one to the loader is made. */
struct deed {
	int (*begin)(struct engine *engine, struct operation *operation); /* 0 or -errno; NULL: nothing is to be done */
	bool (*fill)(struct engine *engine, struct operation *operation); /* the next message; false: there is none */
	/* The answer to that; false: the operation has failed, and that has been said. */
	bool (*take)(struct engine *engine, struct operation *operation, const struct message_answer *answer);
	char *(*finish)(struct engine *engine, struct operation *operation); /* what is answered; the caller's */
};

static int64_t asked_for_ns(const struct engine *engine, const struct control_request *request)
{
	return request->for_ns ? request->for_ns : engine->config.block_for_ns;
}

static void fail(struct engine *engine, struct operation *operation, int result, const char *what, const char *hint)
{
	struct control_error error = { .what = "" };

	(void)command_record(engine, &operation->peer, &operation->request, result == -EPERM ? "refused" : "failed",
	                     what);
	control_error_set(&error, control_command_name(operation->request.command), 1, hint, "%s", what);
	command_refuse(engine, operation->client, &error);
}

/* ---- rules ---- */

/* All addresses of services, one rule each; without any, everything. */
static int begin_rules(struct engine *engine, struct operation *operation)
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
	return 0;
}

/* Of an operation's rules the next, for the loader or for the record. */
static void put_rule(const struct operation *operation, int64_t made_ns, struct message_rule *out)
{
	struct rule rule = operation->request.rule;

	rule.scope = operation->scopes[operation->next];
	message_put_rule(out, &rule);
	out->shadow = operation->request.shadow;
	out->made_by = operation->peer.uid;
	out->made_ns = made_ns;
	message_text(out->reason, sizeof(out->reason), operation->request.reason);
}

static bool fill_rule(struct engine *engine, struct operation *operation)
{
	if (operation->next == operation->scope_count)
		return false;
	message_init(&engine->message, MESSAGE_ADD_RULE, 0);
	put_rule(operation, role_wall_ns(), &engine->message.rule);
	engine->message.rule.for_ns = asked_for_ns(engine, &operation->request);
	return true;
}

/* A rule was made: the record holds all that it takes to make it again. */
static void record_rule(struct engine *engine, const struct operation *operation, uint32_t number)
{
	struct message_record *entry = journal_add(engine, &operation->peer, &operation->request, "done");

	if (!entry)
		return;
	(void)snprintf(entry->object, sizeof(entry->object), "r%" PRIu32, number);
	entry->until_ns = operation->ruled.expires_ns;
	put_rule(operation, entry->time_ns, &entry->rule);
}

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
		fail(engine, operation, answer->result, what, answer->hint);
	} else {
		fail(engine, operation, answer->result, answer->what, answer->hint);
	}
	return false;
}

static char *finish_rules(struct engine *engine, struct operation *operation)
{
	(void)engine;
	operation->ruled.rule = &operation->request.rule;
	return control_format_ruled(&operation->ruled);
}

/* ---- the allow list ---- */

static bool fill_allow(struct engine *engine, struct operation *operation)
{
	const struct control_request *request = &operation->request;
	struct message_allow *allow = &engine->message.allow;

	if (operation->next == request->prefix_count)
		return false;
	message_init(&engine->message, MESSAGE_ALLOW, 0);
	allow->for_ns = asked_for_ns(engine, request);
	operation->sent = 0;
	while (operation->sent < MESSAGE_PREFIXES_MAX && operation->next + operation->sent < request->prefix_count) {
		message_put_prefix(&allow->prefixes.prefix[operation->sent],
		                   &request->prefixes[operation->next + operation->sent]);
		operation->sent++;
	}
	allow->prefixes.count = operation->sent;
	return true;
}

static bool take_allowed(struct engine *engine, struct operation *operation, const struct message_answer *answer)
{
	const struct control_request *request = &operation->request;
	struct gathering done = { engine, &operation->peer, request, "done", operation->tally.expires_ns, NULL };
	struct gathering failed = { engine, &operation->peer, request, "failed", 0, NULL };
	unsigned tried = answer->done < operation->sent ? answer->done : operation->sent;

	for (unsigned i = 0; i < tried; i++)
		command_gather(&done, &request->prefixes[operation->next + i], "");
	operation->tally.done += tried;
	operation->next += tried;
	if (answer->result == 0 || tried == operation->sent)
		return true;
	/* The one it failed on is passed over. */
	command_refuse_prefix(&operation->tally, &request->prefixes[operation->next], answer->hint, "%s", answer->what);
	command_gather(&failed, &request->prefixes[operation->next], answer->what);
	operation->next++;
	return true;
}

static char *finish_allow(struct engine *engine, struct operation *operation)
{
	(void)engine;
	return command_format_tally(CONTROL_ALLOW, "allowed", &operation->tally);
}

/* ---- release of a rule ---- */

static bool fill_rule_release(struct engine *engine, struct operation *operation)
{
	if (operation->next > 0)
		return false;
	message_init(&engine->message, MESSAGE_REMOVE_RULE, 0);
	engine->message.number = operation->request.rule_number;
	return true;
}

static bool take_rule_released(struct engine *engine, struct operation *operation, const struct message_answer *answer)
{
	char what[64];

	operation->next++;
	if (answer->result == -ENOENT) {
		(void)snprintf(what, sizeof(what), "there is no rule r%" PRIu32, operation->request.rule_number);
		fail(engine, operation, answer->result, what, "'holdfast rules' lists those there are");
	} else if (answer->result != 0) {
		fail(engine, operation, answer->result, answer->what, answer->hint);
	} else {
		(void)command_record(engine, &operation->peer, &operation->request, "done", "");
		watch_rules_changed(engine->watch); /* it may have been one of the engine's own */
	}
	return answer->result == 0;
}

static char *finish_rule_release(struct engine *engine, struct operation *operation)
{
	(void)engine;
	return control_format_released(operation->released_block, false, true);
}

/* ---- release of a prefix ---- */

/* What is blocked is let go at once; whether it is allowed, too, the loader says. */
static int begin_release(struct engine *engine, struct operation *operation)
{
	const struct prefix *prefix = &operation->request.prefixes[0];

	operation->released_block = blocks_remove(engine->blocks, prefix, engine_jiffies(engine)) == 0;
	engine_tell_unblocked(engine, prefix);
	return 0;
}

static void fill_disallow(struct engine *engine, const struct prefix *prefix)
{
	message_init(&engine->message, MESSAGE_DISALLOW, 0);
	message_put_prefix(&engine->message.prefix, prefix);
}

static bool fill_release(struct engine *engine, struct operation *operation)
{
	if (operation->next > 0)
		return false;
	fill_disallow(engine, &operation->request.prefixes[0]);
	return true;
}

/* It is on neither list; one around it may be. */
static void fail_release(struct engine *engine, struct operation *operation)
{
	const struct prefix *prefix = &operation->request.prefixes[0];
	char what[160], hint[160] = "'holdfast rules' lists what there is", text[PREFIX_TEXT_SIZE];
	struct prefix around;
	uint64_t expires;

	(void)snprintf(what, sizeof(what), "%s is neither blocked nor allowed", prefix_format(prefix, text));
	if (blocks_find(engine->blocks, &prefix->address, engine_jiffies(engine), &around, &expires) == 0)
		(void)snprintf(hint, sizeof(hint), "%s around it is blocked: holdfast release %s",
		               prefix_format(&around, text), text);
	fail(engine, operation, -ENOENT, what, hint);
}

static bool take_released(struct engine *engine, struct operation *operation, const struct message_answer *answer)
{
	struct gathering done = { engine, &operation->peer, &operation->request, "done", 0, NULL };

	operation->next++;
	operation->tally.done = answer->result == 0;
	if (answer->result == 0 || operation->released_block) {
		command_gather(&done, &operation->request.prefixes[0], "");
		return true;
	}
	if (answer->result == -ENOENT)
		fail_release(engine, operation);
	else
		fail(engine, operation, answer->result, answer->what, answer->hint);
	return false;
}

static char *finish_release(struct engine *engine, struct operation *operation)
{
	(void)engine;
	return control_format_released(operation->released_block, operation->tally.done > 0, false);
}

/* ---- release of a list ---- */

static int collect(void *context, const struct prefix *prefix, uint64_t expires)
{
	(void)expires;
	return prefix_list_append(context, prefix, 1);
}

/* What is blocked is let go at once; what is allowed is marked. */
static int begin_list_release(struct engine *engine, struct operation *operation)
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

/* What is allowed is the loader's to let go. */
static bool fill_list_release(struct engine *engine, struct operation *operation)
{
	const struct control_request *request = &operation->request;

	while (operation->next < request->prefix_count && !(operation->marks[operation->next] & MARK_ALLOWED))
		operation->next++;
	if (operation->next == request->prefix_count)
		return false;
	fill_disallow(engine, &request->prefixes[operation->next]);
	return true;
}

static bool take_list_released(struct engine *engine, struct operation *operation, const struct message_answer *answer)
{
	if (answer->result == 0)
		operation->marks[operation->next] |= MARK_RELEASED;
	operation->next++;
	if (answer->result == 0 || answer->result == -ENOENT)
		return true;
	fail(engine, operation, answer->result, answer->what, answer->hint);
	return false;
}

/* Those that were on a list are recorded, and counted. */
static char *finish_list_release(struct engine *engine, struct operation *operation)
{
	const struct control_request *request = &operation->request;
	struct gathering done = { engine, &operation->peer, request, "done", 0, NULL };
	unsigned released = 0;

	for (unsigned i = 0; i < request->prefix_count; i++) {
		if (!(operation->marks[i] & MARK_RELEASED))
			continue;
		command_gather(&done, &request->prefixes[i], "");
		released++;
	}
	return control_format_released_many(released, request->prefix_count - released);
}

/* ---- the mode ---- */

static bool fill_mode(struct engine *engine, struct operation *operation)
{
	if (operation->next > 0)
		return false;
	message_init(&engine->message, MESSAGE_MODE, 0);
	engine->message.mode.enforce = operation->request.command == CONTROL_ENFORCE;
	engine->message.mode.for_ns = operation->request.confirm_ns;
	return true;
}

static bool fill_confirm(struct engine *engine, struct operation *operation)
{
	if (operation->next > 0)
		return false;
	message_init(&engine->message, MESSAGE_CONFIRM, 0);
	return true;
}

static bool take_mode(struct engine *engine, struct operation *operation, const struct message_answer *answer)
{
	operation->next++;
	if (answer->result != 0)
		fail(engine, operation, answer->result, answer->what, answer->hint);
	return answer->result == 0;
}

static char *finish_mode(struct engine *engine, struct operation *operation)
{
	const struct control_request *request = &operation->request;
	struct control_mode mode = { .until_ns = INT64_MAX, .left_ns = INT64_MAX };

	mode.enforce = request->command != CONTROL_OBSERVE;
	if (request->confirm_ns) {
		mode.until_ns = role_wall_ns() + request->confirm_ns;
		mode.left_ns = request->confirm_ns;
	}
	(void)command_record(engine, &operation->peer, request, "done", "");
	return control_format_mode(&mode);
}

/* ---- all of them ---- */

/* NULL: it is none that the loader does. */
static const struct deed *deed_of(const struct control_request *request)
{
	static const struct deed rules = { begin_rules, fill_rule, take_rule, finish_rules };
	static const struct deed allow = { NULL, fill_allow, take_allowed, finish_allow };
	static const struct deed rule_release = { NULL, fill_rule_release, take_rule_released, finish_rule_release };
	static const struct deed release = { begin_release, fill_release, take_released, finish_release };
	static const struct deed list_release = { begin_list_release, fill_list_release, take_list_released,
		                                  finish_list_release };
	static const struct deed mode = { NULL, fill_mode, take_mode, finish_mode };
	static const struct deed confirm = { NULL, fill_confirm, take_mode, finish_mode };
	static const struct deed *const deeds[CONTROL_COMMANDS] = {
		[CONTROL_BLOCK] = &rules,  [CONTROL_ALLOW] = &allow,  [CONTROL_RELEASE] = &release,
		[CONTROL_OBSERVE] = &mode, [CONTROL_ENFORCE] = &mode, [CONTROL_CONFIRM] = &confirm,
	};

	if (request->command == CONTROL_RELEASE && request->many)
		return &list_release;
	if (request->command == CONTROL_RELEASE && request->rule_number)
		return &rule_release;
	return deeds[request->command];
}

/* ---- the line ---- */

static struct operation *first_operation(struct engine *engine)
{
	return engine->operation_count ? &engine->operations[engine->first] : NULL;
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

/* Sends what is next, of this operation or of those behind it. */
static void go_on(struct engine *engine)
{
	struct operation *operation;

	while (engine->awaited_id == 0 && (operation = first_operation(engine))) {
		const struct deed *deed = deed_of(&operation->request);
		int result;

		if (!deed->fill(engine, operation)) {
			clients_answer(engine->clients, operation->client, deed->finish(engine, operation));
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
		fail(engine, operation, result, "the loader does not listen", "try again in a moment");
		drop_first(engine);
	}
}

void operation_begin(struct engine *engine, uint64_t client, const struct client_peer *peer,
                     const struct control_request *request)
{
	const struct deed *deed = deed_of(request);
	unsigned place = (engine->first + engine->operation_count) % ENGINE_OPERATIONS_MAX;
	struct operation *operation = &engine->operations[place];
	int result;

	/* Clients ask one thing at a time; but one that has gone may have left an operation. */
	if (engine->operation_count == ENGINE_OPERATIONS_MAX) {
		struct control_error error = { .what = "" };
		struct control_request dropped = *request;

		control_error_set(&error, control_command_name(request->command), 3, "try again in a moment",
		                  "%d commands are under way", ENGINE_OPERATIONS_MAX);
		command_refuse(engine, client, &error);
		control_request_fini(&dropped);
		return;
	}
	memset(operation, 0, sizeof(*operation));
	operation->client = client;
	operation->peer = *peer;
	operation->request = *request;
	operation->tally.expires_ns = role_wall_ns() + asked_for_ns(engine, request);
	operation->ruled.expires_ns = operation->tally.expires_ns;
	result = deed->begin ? deed->begin(engine, operation) : 0;
	if (result != 0) {
		fail(engine, operation, result, "the allow list cannot be read", "try again in a moment");
		control_request_fini(&operation->request);
		free(operation->marks);
		return;
	}
	engine->operation_count++;
	go_on(engine);
}

void operation_answered(struct engine *engine, const struct message *message)
{
	struct operation *operation = first_operation(engine);
	struct message_answer answer = message->answer; /* `message` is where the next one is made */

	if (!operation || message->id != engine->awaited_id)
		return; /* it came too late: the operation has ended */
	engine->awaited_id = 0;
	if (!deed_of(&operation->request)->take(engine, operation, &answer))
		drop_first(engine);
	go_on(engine);
}

void operation_expire(struct engine *engine)
{
	struct operation *operation = first_operation(engine);

	if (!operation || engine->awaited_id == 0 ||
	    role_monotonic_ns() - operation->began_ns < ENGINE_OPERATION_S * NS_PER_S)
		return;
	fail(engine, operation, -ETIMEDOUT, "the loader does not answer; it may still do what was asked",
	     "'holdfast status' shows whether it has");
	drop_first(engine);
	go_on(engine);
}

void operations_fini(struct engine *engine)
{
	while (engine->operation_count)
		drop_first(engine);
}
