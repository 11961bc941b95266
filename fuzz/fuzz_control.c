/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is a line on the control socket. A request that is taken keeps its bounds, and can be said in the messages
 * that it becomes; one that is refused gets an answer that is one line of JSON.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "base/time.h"
#include "daemon/control.h"
#include "daemon/message.h"

static void inspect_answer(char *line)
{
	size_t length;

	if (!line)
		return; /* no memory */
	length = strlen(line);
	REQUIRE(length >= 2 && length <= CONTROL_ANSWER_MAX);
	REQUIRE(line[0] == '{' && line[length - 1] == '\n' && !memchr(line, '\n', length - 1));
	free(line);
}

static void send_rule(const struct control_request *request)
{
	static struct message message;
	struct rule back;

	message_init(&message, MESSAGE_ADD_RULE, 1);
	message_put_rule(&message.rule, &request->rule);
	message_text(message.rule.reason, sizeof(message.rule.reason), request->reason);
	message.rule.shadow = request->shadow;
	message.rule.for_ns = request->for_ns ? request->for_ns : 1;
	REQUIRE(message_check(MESSAGE_ENGINE_TO_LOADER, &message, message_size(MESSAGE_ADD_RULE), 0) == 0);
	REQUIRE(message_take_rule(&message.rule, &back) == 0);
	REQUIRE(prefix_equal(&back.scope, &request->rule.scope));
	REQUIRE(back.match.count == request->rule.match.count);
	for (unsigned i = 0; i < back.match.count; i++)
		REQUIRE(match_term_equal(&back.match.terms[i], &request->rule.match.terms[i]));
}

static void send_prefixes(const struct control_request *request)
{
	static struct message message;

	for (unsigned i = 0; i < request->prefix_count; i++) {
		struct prefix back;

		message_init(&message, MESSAGE_DISALLOW, 1);
		message_put_prefix(&message.prefix, &request->prefixes[i]);
		REQUIRE(message_check(MESSAGE_ENGINE_TO_LOADER, &message, message_size(MESSAGE_DISALLOW), 0) == 0);
		back = message_prefix(&message.prefix);
		REQUIRE(prefix_equal(&back, &request->prefixes[i]));
	}
}

static void inspect(const struct control_request *request)
{
	char *arguments = control_format_arguments(request);

	REQUIRE(request->command < CONTROL_COMMANDS);
	REQUIRE(request->prefix_count <= CONTROL_PREFIXES_MAX);
	REQUIRE(request->for_ns >= 0 && request->for_ns <= CONFIG_BLOCK_DAYS_MAX * 86400 * NS_PER_S);
	REQUIRE(request->confirm_ns >= 0 && request->confirm_ns <= CONTROL_CONFIRM_S_MAX * NS_PER_S);
	REQUIRE(request->limit <= CONTROL_LIMIT_MAX);
	REQUIRE(memchr(request->reason, '\0', sizeof(request->reason)));
	REQUIRE(memchr(request->client, '\0', sizeof(request->client)));
	REQUIRE(!request->has_rule || request->prefix_count == 0);
	REQUIRE(!arguments || !strchr(arguments, '\n'));
	if (request->has_rule)
		send_rule(request);
	send_prefixes(request);
	free(arguments);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_request request;
	struct control_error error;
	int result = control_parse((const char *)data, size, &request, &error);

	if (result == 0) {
		inspect(&request);
		control_request_fini(&request);
	} else if (result == -EINVAL) {
		REQUIRE(error.where[0] && error.what[0] && error.hint[0] && error.exit == 2);
		inspect_answer(control_format_error(&error));
	}
	return 0;
}
