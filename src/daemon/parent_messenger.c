/* SPDX-License-Identifier: Apache-2.0 */
/* The messenger as the parent's child, beside the roles that stand and fall together. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <string.h>
#include <unistd.h>

#include "daemon/alert_files.h"
#include "daemon/log.h"
#include "daemon/parent_inside.h"

void parent_messenger_stop(struct parent *parent)
{
	struct parent_child *child = &parent->children[ROLE_MESSENGER];

	if (child->channel >= 0)
		(void)close(child->channel);
	child->channel = -1;
	child->silent_ns = 0;
}

static bool scripts_are_good(struct parent *parent)
{
	char *reason = parent->answer.applied.lines[0];

	for (unsigned i = 0; i < parent->config.alert_count; i++)
		if (parent->config.alerts[i].script[0] &&
		    alert_script_check(parent->config.alerts[i].script, reason) != 0)
			return false;
	return true;
}

/* 0; what is wrong stands in parent->answer's first line, or is said by errno's words. */
static int give_messenger(struct parent *parent, int engines_end)
{
	struct message *message = &parent->message;
	int result = parent_config_send(parent, ROLE_MESSENGER, &parent->config, parent->text, parent->length);

	if (result != 0)
		return result;
	message_init(message, MESSAGE_MESSENGER, 0);
	result = message_send(parent->children[ROLE_ENGINE].channel, message, &engines_end, 1);
	if (result != 0)
		(void)snprintf(parent->answer.applied.lines[0], CONFIG_ERROR_SIZE, "the engine does not listen: %s",
		               strerror(-result));
	return result;
}

void parent_messenger_start(struct parent *parent)
{
	struct parent_child *child = &parent->children[ROLE_MESSENGER];
	int ends[4] = { -1, -1, -1, -1 };
	int result = -EINVAL;

	parent->messenger_ns = 0;
	if (parent->config.alert_count == 0 || child->pid > 0)
		return;
	(void)snprintf(parent->answer.applied.lines[0], CONFIG_ERROR_SIZE, "no process can be begun");
	if (scripts_are_good(parent) && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, &ends[0]) == 0 &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, &ends[2]) == 0)
		result = parent_role_start(parent, ROLE_MESSENGER, (int[]){ ends[1], ends[3] }, 2);
	if (result == 0) {
		child->channel = ends[0];
		ends[0] = -1;
		result = give_messenger(parent, ends[2]);
	}
	supervise_close(ends, 4);
	if (result == 0)
		return;
	LOG_SAY(LOG_ERROR, "alerts are not sent: %s", parent->answer.applied.lines[0]);
	parent_messenger_stop(parent);
	parent->messenger_ns = role_monotonic_ns() + PARENT_BACKOFF_MAX_NS;
}

void parent_messenger_ended(struct parent *parent, int status)
{
	bool asked = parent->children[ROLE_MESSENGER].channel < 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;

	parent_messenger_stop(parent);
	if (parent->stopping || parent->state == PARENT_WAITING)
		return;
	if (asked) {
		parent->messenger_backoff_ns = 0;
	} else {
		LOG_SAY(LOG_ERROR, "the messenger has ended (%s %d); it begins anew",
		        WIFSIGNALED(status) ? "signal" : "status",
		        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		parent->messenger_backoff_ns = parent->messenger_backoff_ns == 0 ? NS_PER_S
		                               : parent->messenger_backoff_ns < PARENT_BACKOFF_MAX_NS / 2
		                                       ? parent->messenger_backoff_ns * 2
		                                       : PARENT_BACKOFF_MAX_NS;
	}
	parent->messenger_ns = role_monotonic_ns() + parent->messenger_backoff_ns;
}
