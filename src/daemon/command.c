/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients ask. Blocks of prefixes are the engine's own and done at once (command_block.c); what the loader does
 * becomes an operation (operation.c). Whatever was done or refused goes to the record (command_outcome.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "daemon/command_inside.h"
#include "daemon/log.h"

#define JOURNAL_MARGIN 4 /* entries beside those that prefixes fill */

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
	command_refuse(engine, client, &error);
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
	(void)command_record(engine, &engine->reload_peer, &request, applied->result == 0 ? "done" : "refused",
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
 * Whether the record has no room for what a long list would bring it. It is waited for then, as the recorder is only
 * slow; but not where it cannot write: nobody is kept from defending himself by a full disk.
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
			command_block(engine, client, peer, request);
			break;
		}
		operation_begin(engine, client, peer, request);
		return;
	case CONTROL_ALLOW:
	case CONTROL_RELEASE:
	case CONTROL_OBSERVE:
	case CONTROL_ENFORCE:
	case CONTROL_CONFIRM:
		operation_begin(engine, client, peer, request);
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
		command_refuse(engine, client, &error);
		return;
	}
	if (control_command_operates(request.command)) {
		if (!peer->operates) {
			(void)command_record(engine, peer, &request, "refused", "not an operator");
			control_error_set(&error, control_command_name(request.command), 1,
			                  "ask as root, or have yourself added to the group: usermod -aG holdfast NAME",
			                  "only root and members of the group holdfast may");
			command_refuse(engine, client, &error);
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
	operations_fini(engine);
	for (unsigned i = 0; i < engine->postponed_count; i++)
		control_request_fini(&engine->postponed[(engine->postponed_first + i) % ENGINE_OPERATIONS_MAX].request);
}
