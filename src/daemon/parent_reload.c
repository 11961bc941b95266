/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration is read by the parent, once; the roles get the same text. At a reload the loader has the first word:
 * what it cannot put into force stays out, and the old one in.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/parent_inside.h"

void parent_reload_drop(struct parent *parent)
{
	if (parent->next_text) {
		free(parent->next_text);
		config_fini(&parent->next);
	}
	parent->next_text = NULL;
}

void parent_reload_end(struct parent *parent, int result)
{
	struct message_applied *applied = &parent->answer.applied;

	parent->answer.type = MESSAGE_RELOADED;
	parent->answer.id = parent->asked_id;
	applied->result = result;
	applied->serial = parent->serial;
	for (unsigned i = 0; i < applied->line_count; i++)
		LOG_SAY(result ? LOG_ERROR : LOG_NOTICE, "%s", applied->lines[i]);
	LOG_SAY(LOG_NOTICE, result ? "the new configuration is refused; the old one stays in force"
	                           : "the new configuration is in force");
	if (parent->asked && parent->children[ROLE_ENGINE].channel >= 0)
		(void)message_send(parent->children[ROLE_ENGINE].channel, &parent->answer, NULL, 0);
	parent->asked = false;
	if (result == 0) {
		free(parent->text);
		config_fini(&parent->config);
		parent->text = parent->next_text;
		parent->length = parent->next_length;
		parent->config = parent->next;
		parent->next_text = NULL;
	}
	parent_reload_drop(parent);
	if (parent->state == PARENT_RELOADING)
		parent->state = PARENT_READY;
	if (result == 0) { /* whom to tell may be others now */
		parent_messenger_stop(parent);
		parent_messenger_start(parent);
	}
	notify_send(&parent->notify, "READY=1");
}

void parent_add_line(struct message_applied *applied, const char *format, ...)
{
	va_list arguments;

	if (applied->line_count == MESSAGE_LINES_MAX)
		return;
	va_start(arguments, format);
	(void)vsnprintf(applied->lines[applied->line_count++], CONFIG_ERROR_SIZE, format, arguments);
	va_end(arguments);
}

/* What only a new start changes. */
static void note_fixed(const struct config *now, const struct config *next, struct message_applied *applied)
{
	static const char format[] = "%s takes effect when holdfast starts anew";

	if (strcmp(now->user, next->user) != 0)
		parent_add_line(applied, format, "user");
	if (strcmp(now->state_dir, next->state_dir) != 0)
		parent_add_line(applied, format, "state_dir");
	if (strcmp(now->run_dir, next->run_dir) != 0)
		parent_add_line(applied, format, "run_dir");
	if (strcmp(now->bpffs_dir, next->bpffs_dir) != 0)
		parent_add_line(applied, format, "bpffs_dir");
	if (now->block_capacity != next->block_capacity)
		parent_add_line(applied, format, "block_capacity");
	if (now->sample_budget != next->sample_budget)
		parent_add_line(applied, format, "sample_budget");
	if (now->incidents_max != next->incidents_max || now->streams_max != next->streams_max ||
	    now->stream_mib != next->stream_mib || now->streams_mib != next->streams_mib)
		parent_add_line(applied, format, "record");
	if (now->generic != next->generic)
		parent_add_line(applied, format, "generic");
}

/* Not now. What is under way keeps its answer; a signal is remembered, for nobody would give it again. */
static void put_off(struct parent *parent, bool asked, uint64_t id)
{
	struct message *refusal = &parent->message;

	if (!asked) {
		LOG_SAY(LOG_NOTICE, "the configuration is reloaded when all roles run");
		parent->hung_up = true;
		return;
	}
	message_init(refusal, MESSAGE_RELOADED, id);
	parent_add_line(&refusal->applied, "%s", "the daemon is starting, or reloads already; try again in a moment");
	refusal->applied.result = -EBUSY;
	if (parent->children[ROLE_ENGINE].channel >= 0)
		(void)message_send(parent->children[ROLE_ENGINE].channel, refusal, NULL, 0);
}

void parent_reload_begin(struct parent *parent, bool asked, uint64_t id)
{
	struct message_applied *applied = &parent->answer.applied;
	struct config_errors *errors;
	int result;

	if (parent->state != PARENT_READY) {
		put_off(parent, asked, id);
		return;
	}
	message_init(&parent->answer, MESSAGE_RELOADED, id);
	parent->asked = asked;
	parent->asked_id = id;
	notify_reloading(&parent->notify, role_monotonic_ns());
	errors = calloc(1, sizeof(*errors));
	if (!errors) {
		parent_add_line(applied, "%s", "out of memory");
		parent_reload_end(parent, -ENOMEM);
		return;
	}
	result = config_read(parent->config_path, &parent->next_text, &parent->next_length, &parent->config_name,
	                     errors);
	if (result == 0) {
		result = config_parse(parent->next_text, parent->next_length, parent->config_name, &parent->next,
		                      errors);
		if (result != 0) {
			free(parent->next_text);
			parent->next_text = NULL;
		}
	}
	for (unsigned i = 0; i < errors->count; i++)
		parent_add_line(applied, "%s", errors->lines[i]);
	free(errors);
	if (result == 0 && parent->next.interface_count == 0) {
		parent_add_line(
			applied,
			"%s: names no interface to defend; 'holdfast off' and stopping the service end the defence",
			parent->config_name);
		result = -EINVAL;
	}
	if (result != 0) {
		parent_reload_end(parent, result);
		return;
	}
	note_fixed(&parent->config, &parent->next, applied);
	parent->state = PARENT_RELOADING;
	parent->turn = ROLE_LOADER;
	parent->serial++;
	result = parent_config_send(parent, ROLE_LOADER, &parent->next, parent->next_text, parent->next_length);
	if (result != 0) {
		parent->hung_up |= !asked && result == -EPIPE; /* the loader has just gone: when all run again */
		applied->line_count = 1;
		parent_reload_end(parent, result);
	}
}
