/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a request, for who asked and for the record. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "daemon/command_inside.h"

void command_refuse(struct engine *engine, uint64_t client, const struct control_error *error)
{
	clients_answer(engine->clients, client, control_format_error(error));
}

/* Records what came of a request as a whole; of its prefixes the first. */
struct message_record *command_record(struct engine *engine, const struct client_peer *peer,
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

void command_gather(struct gathering *gathering, const struct prefix *prefix, const char *what)
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

void command_refuse_prefix(struct control_tally *tally, const struct prefix *prefix, const char *hint,
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

char *command_format_tally(enum control_command command, const char *done, const struct control_tally *tally)
{
	struct control_error error = { .what = "" };
	char text[PREFIX_TEXT_SIZE];

	if (tally->done > 0 || tally->refusal_count == 0)
		return control_format_tally(done, tally);
	control_error_set(&error, control_command_name(command), 1, tally->refusals[0].hint, "%s: %s",
	                  prefix_format(&tally->refusals[0].prefix, text), tally->refusals[0].what);
	return control_format_error(&error);
}
