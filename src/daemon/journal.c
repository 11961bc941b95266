/* SPDX-License-Identifier: Apache-2.0 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine.h"
#include "daemon/log.h"

/* The name service may want sockets and libraries, which the engine has not; the file it can read. */
const char *journal_user(uint32_t uid, char name[CONFIG_USER_SIZE])
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry = NULL;

	while (file && (entry = fgetpwent(file)) && entry->pw_uid != uid)
		;
	if (entry)
		message_text(name, CONFIG_USER_SIZE, entry->pw_name);
	else
		(void)snprintf(name, CONFIG_USER_SIZE, "%u", uid);
	if (file)
		(void)fclose(file);
	return name;
}

struct message_record *journal_add(struct engine *engine, const struct client_peer *peer,
                                   const struct control_request *request, const char *outcome)
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
	entry->uid = peer->uid;
	(void)journal_user(peer->uid, entry->user);
	message_text(entry->client, sizeof(entry->client), request->client);
	message_text(entry->command, sizeof(entry->command), control_command_name(request->command));
	message_text(entry->outcome, sizeof(entry->outcome), outcome);
	arguments = control_format_arguments(request);
	message_text(entry->arguments, sizeof(entry->arguments),
	             arguments && strlen(arguments) < sizeof(entry->arguments) ? arguments : "{}");
	free(arguments);
	return entry;
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
