/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine.h"
#include "daemon/log.h"

/* The name service may want sockets and libraries, which the engine has not; the file it can read. */
const char *journal_user(uint32_t uid, char name[CONFIG_USER_SIZE])
{
	FILE *file = uid == SHIELD_BY_ENGINE ? NULL : fopen("/etc/passwd", "re");
	const struct passwd *entry = NULL;

	while (file && (entry = fgetpwent(file)) && entry->pw_uid != uid)
		;
	if (uid == SHIELD_BY_ENGINE)
		message_text(name, CONFIG_USER_SIZE, "holdfast");
	else if (entry)
		message_text(name, CONFIG_USER_SIZE, entry->pw_name);
	else
		(void)snprintf(name, CONFIG_USER_SIZE, "%u", uid);
	if (file)
		(void)fclose(file);
	return name;
}

static struct message_record *add(struct engine *engine, uint32_t uid, const char *command, const char *outcome,
                                  const struct control_request *request)
{
	struct journal *journal = &engine->journal;
	struct message_record *entry;
	char *arguments;

	if (journal->count == ENGINE_JOURNAL_MAX) {
		journal->lost++;
		LOG_SAY(LOG_ERROR, "the recorder is behind: what is done is not recorded");
		return NULL;
	}
	entry = &journal->entries[(journal->first + journal->count++) % ENGINE_JOURNAL_MAX];
	memset(entry, 0, sizeof(*entry));
	entry->time_ns = role_wall_ns();
	entry->uid = uid;
	(void)journal_user(uid, entry->user);
	message_text(entry->client, sizeof(entry->client), request->client);
	message_text(entry->command, sizeof(entry->command), command);
	message_text(entry->outcome, sizeof(entry->outcome), outcome);
	arguments = control_format_arguments(request);
	message_text(entry->arguments, sizeof(entry->arguments),
	             arguments && strlen(arguments) < sizeof(entry->arguments) ? arguments : "{}");
	free(arguments);
	return entry;
}

struct message_record *journal_add(struct engine *engine, const struct client_peer *peer,
                                   const struct control_request *request, const char *outcome)
{
	return add(engine, peer->uid, control_command_name(request->command), outcome, request);
}

/*
 * It has a word of its own: what a person has made is made again after a reboot, what the engine has made only where it
 * is wanted again.
 */
void journal_add_deed(void *context, const struct watch_deed *deed)
{
	struct control_request request = { .has_rule = deed->rule != NULL, .has_scope = deed->rule != NULL };
	struct message_record *entry;

	if (deed->rule) {
		request.rule = *deed->rule;
		request.shadow = deed->shadow;
	}
	entry = add(context, SHIELD_BY_ENGINE, deed->ended ? "let_go" : "defend", deed->outcome, &request);
	if (!entry)
		return;
	if (deed->number)
		(void)snprintf(entry->object, sizeof(entry->object), "r%" PRIu32, deed->number);
	message_text(entry->what, sizeof(entry->what), deed->what);
}

void journal_send(struct engine *engine)
{
	struct journal *journal = &engine->journal;

	while (journal->count > 0) {
		message_init(&engine->message, MESSAGE_RECORD, 0);
		engine->message.record = journal->entries[journal->first];
		if (message_send(ROLE_FD_RECORDER, &engine->message, NULL, 0) != 0)
			return;
		journal->first = (journal->first + 1) % ENGINE_JOURNAL_MAX;
		journal->count--;
		journal->stuck = false;
	}
}
