/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent: makes folders and the control socket, starts the roles, and sees to it that they live. It keeps no
 * capability; a role gets its own because it begins by execve() as uid 0, within the bounding set.
 *
 * One for all: where a role ends unasked, its fellows are ended and all begin anew, after a pause that doubles while
 * that keeps happening. What the shield does stands in the kernel meanwhile, and whoever begins takes it over.
 *
 * How it begins is parent_begin.c's, how roles are begun and ended parent_roles.c's and parent_messenger.c's, and what
 * a reload is parent_reload.c's.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/log.h"
#include "daemon/message.h"
#include "daemon/notify.h"
#include "daemon/parent_inside.h"
#include "daemon/role.h"
#include "daemon/supervise.h"

#define BACKOFF_FIRST_NS (NS_PER_S / 10)
#define HEALTHY_NS (60 * NS_PER_S)
#define STOP_NS (5 * NS_PER_S)
#define SILENT_NS (2 * NS_PER_S)

/* ---- what roles say ---- */

static void all_ready(struct parent *parent)
{
	char status[128];

	parent->state = PARENT_READY;
	parent->ready_ns = role_monotonic_ns();
	if (!parent->ever_ready)
		LOG_SAY(LOG_INFO, "ready: pid %d, control socket %s/" DAEMON_SOCKET_NAME, (int)getpid(),
		        parent->config.run_dir);
	else
		LOG_SAY(LOG_NOTICE, "all roles run again");
	parent->ever_ready = true;
	parent_messenger_start(parent);
	(void)snprintf(status, sizeof(status), "READY=1\nSTATUS=defending %u interface%s",
	               parent->config.interface_count, parent->config.interface_count == 1 ? "" : "s");
	notify_send(&parent->notify, status);
}

/* A role has put the configuration into force. At a reload it is the engine's turn after the loader's. */
static void applied_by(struct parent *parent, enum role role)
{
	int result;

	if (parent->state == PARENT_STARTING) {
		parent->awaited &= ~(1u << role);
		if (parent->awaited == 0)
			all_ready(parent);
		return;
	}
	if (role == ROLE_ENGINE) {
		parent_reload_end(parent, 0);
		return;
	}
	parent->turn = ROLE_ENGINE;
	result = parent_config_send(parent, ROLE_ENGINE, &parent->next, parent->next_text, parent->next_length);
	if (result != 0) {
		/* The loader has the new one in force by now; it holds, and the engine keeps its old lists. */
		parent->answer.applied.line_count = 1;
		parent_reload_end(parent, result);
	}
}

/* 0, or why the role cannot go on. */
static int heed(struct parent *parent, enum role role, const struct message *message)
{
	const struct message_applied *applied = &message->applied;

	if (role == ROLE_MESSENGER) { /* it ends by itself where it cannot go on */
		for (unsigned i = 0; i < applied->line_count; i++)
			LOG_SAY(LOG_ERROR, "%s", applied->lines[i]);
		return 0;
	}
	if (message->type == MESSAGE_RELOAD) {
		if (role != ROLE_ENGINE)
			return -EBADMSG;
		parent_reload_begin(parent, true, message->id);
		return 0;
	}
	if (applied->serial != parent->serial ||
	    !(parent->state == PARENT_RELOADING ? role == parent->turn : parent->state == PARENT_STARTING))
		return -EBADMSG;
	for (unsigned i = 0; i < applied->line_count; i++)
		if (parent->state == PARENT_RELOADING)
			parent_add_line(&parent->answer.applied, "%s", applied->lines[i]);
		else if (applied->result != 0)
			(void)fprintf(stderr, "holdfast: %s: %s\n", parent->ever_ready ? role_name(role) : "run",
			              applied->lines[i]);
	if (applied->result == 0) {
		applied_by(parent, role);
		return 0;
	}
	if (parent->state != PARENT_RELOADING)
		return applied->result;
	if (role == ROLE_LOADER) { /* the notes of what would have been mean nothing now */
		parent->answer.applied.line_count = 0;
		for (unsigned i = 0; i < applied->line_count; i++)
			parent_add_line(&parent->answer.applied, "%s", applied->lines[i]);
	}
	parent_reload_end(parent, applied->result);
	return 0;
}

/* All that a role has to say. False: something is wrong with it. */
static bool listen_to(struct parent *parent, enum role role)
{
	int fds[MESSAGE_FDS_MAX];
	unsigned fd_count;

	for (;;) {
		struct message *message = &parent->message;
		int result;

		if (parent->children[role].channel < 0)
			return true;
		result = message_receive(parent->children[role].channel, MESSAGE_ROLE_TO_PARENT, message, fds,
		                         &fd_count);
		if (result == -EAGAIN)
			return true;
		if (result == 0) {
			supervise_close(fds, fd_count);
			result = heed(parent, role, message);
			if (result == 0)
				continue;
			if (!parent->ever_ready) /* it has been said why */
				return false;
		}
		if (result == -EPIPE) { /* of its end the kernel will tell more */
			(void)close(parent->children[role].channel);
			parent->children[role].channel = -1;
			parent->children[role].silent_ns = role_monotonic_ns();
			return true;
		}
		LOG_SAY(LOG_ERROR, "the %s cannot go on: %s", role_name(role), strerror(-result));
		return false;
	}
}

/* ---- life ---- */

static void fall_over(struct parent *parent)
{
	int64_t now_ns = role_monotonic_ns();

	if (parent->state == PARENT_WAITING)
		return;
	if (parent->state == PARENT_RELOADING) {
		message_init(&parent->answer, MESSAGE_RELOADED, parent->asked_id);
		parent->hung_up |=
			!parent->asked; /* who gave a signal waits for no answer, and would not give it again */
		parent->asked = false;
		parent_reload_drop(parent);
		notify_send(&parent->notify, "READY=1");
	}
	if (parent->state == PARENT_READY && now_ns - parent->ready_ns >= HEALTHY_NS)
		parent->backoff_ns = 0;
	parent->backoff_ns = parent->backoff_ns == 0                          ? BACKOFF_FIRST_NS
	                     : parent->backoff_ns < PARENT_BACKOFF_MAX_NS / 2 ? parent->backoff_ns * 2
	                                                                      : PARENT_BACKOFF_MAX_NS;
	parent->state = PARENT_WAITING;
	parent->again_ns = now_ns + parent->backoff_ns;
	parent_roles_end(parent, SIGKILL);
	LOG_SAY(LOG_ERROR,
	        "all roles are started anew in %" PRId64 ".%" PRId64
	        " s; what the shield does stands in the kernel meanwhile",
	        parent->backoff_ns / (int64_t)NS_PER_S, parent->backoff_ns / (int64_t)(NS_PER_S / 10) % 10);
}

static void say_end(enum role role, int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		LOG_SAY(LOG_ERROR, "the %s has hung and was ended", role_name(role));
	else if (WIFSIGNALED(status))
		LOG_SAY(LOG_ERROR, "the %s was ended by signal %d (%s)", role_name(role), WTERMSIG(status),
		        strsignal(WTERMSIG(status)));
	else
		LOG_SAY(LOG_ERROR, "the %s has ended with status %d", role_name(role), WEXITSTATUS(status));
}

/* Whether a role has ended that should live. */
static bool reap(struct parent *parent)
{
	bool unasked = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned i = ROLE_LOADER; i < ROLES; i++) {
			struct parent_child *child = &parent->children[i];

			if (child->pid != pid)
				continue;
			child->pid = 0;
			child->silent_ns = 0;
			if (i == ROLE_MESSENGER) {
				parent_messenger_ended(parent, status);
				continue;
			}
			/*
			 * Who sees first that another has gone may end before it: the cause is said, if it was not our
			 * doing.
			 */
			if (parent->state == PARENT_WAITING && WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
				say_end((enum role)i, status);
			if (parent->stopping || parent->state == PARENT_WAITING)
				continue;
			/* What it said last comes first. */
			if (child->channel >= 0)
				(void)listen_to(parent, (enum role)i);
			if (parent->ever_ready && WIFEXITED(status) && WEXITSTATUS(status) == ROLE_STATUS_OFF) {
				LOG_SAY(LOG_NOTICE, "the shield has been taken away by 'holdfast off'; stopping");
				parent->off = true;
				continue;
			}
			if (parent->ever_ready || !WIFEXITED(status))
				say_end((enum role)i, status);
			unasked = true;
		}
	return unasked;
}

/* False: the daemon is to end. */
static bool take_signals(struct parent *parent, bool *unasked)
{
	struct signalfd_siginfo info;

	while (read(parent->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
			LOG_SAY(LOG_NOTICE, "stopping; the shield stays as it is, 'holdfast off' takes it away");
			return false;
		}
		if (info.ssi_signo == SIGHUP)
			parent_reload_begin(parent, false, 0);
		else
			*unasked = reap(parent) || *unasked;
	}
	return true;
}

/* A role that keeps quiet for so long without ending is as bad as ended. */
static bool any_silent(const struct parent *parent, int64_t now_ns)
{
	for (unsigned i = ROLE_LOADER; i <= ROLE_RECORDER; i++)
		if (parent->children[i].silent_ns && now_ns - parent->children[i].silent_ns >= SILENT_NS &&
		    parent->state != PARENT_WAITING)
			return true;
	return false;
}

static int wait_ms(const struct parent *parent, int64_t now_ns)
{
	int64_t wait_ns = SILENT_NS;

	if (parent->state == PARENT_WAITING && now_ns >= parent->again_ns)
		return 100; /* until the last one has ended */

	if (parent->state == PARENT_WAITING && parent->again_ns - now_ns < wait_ns)
		wait_ns = parent->again_ns - now_ns;
	if (parent->state == PARENT_READY && parent->messenger_ns && parent->messenger_ns - now_ns < wait_ns)
		wait_ns = parent->messenger_ns - now_ns;
	if (parent->notify.watchdog_ns && parent->notify.watchdog_ns / 3 < wait_ns)
		wait_ns = parent->notify.watchdog_ns / 3;
	return wait_ns < 0 ? 0 : (int)(wait_ns / NS_PER_MS) + 1;
}

/* One turn. 1: go on; 0: end in order; -1: it cannot begin at all. */
static int turn(struct parent *parent)
{
	struct pollfd fds[ROLES] = { { .fd = parent->signals, .events = POLLIN } };
	int64_t now_ns = role_monotonic_ns();
	bool unasked = false;

	for (unsigned i = ROLE_LOADER; i < ROLES; i++)
		fds[i] = (struct pollfd){ .fd = parent->children[i].channel, .events = POLLIN };
	if (poll(fds, ROLES, wait_ms(parent, now_ns)) < 0 && errno != EINTR)
		return -1;
	now_ns = role_monotonic_ns();
	if (parent->notify.watchdog_ns && now_ns - parent->pinged_ns >= parent->notify.watchdog_ns / 3) {
		notify_send(&parent->notify, "WATCHDOG=1");
		parent->pinged_ns = now_ns;
	}
	for (unsigned i = ROLE_LOADER; i < ROLES; i++)
		if (fds[i].revents && parent->children[i].channel >= 0 && !listen_to(parent, (enum role)i)) {
			unasked = unasked || i != ROLE_MESSENGER;
			if (i == ROLE_MESSENGER)
				parent_messenger_stop(parent);
		}
	if ((fds[0].revents && !take_signals(parent, &unasked)) || parent->off)
		return 0;
	if (parent->hung_up && parent->state == PARENT_READY) {
		parent->hung_up = false;
		parent_reload_begin(parent, false, 0);
	}
	if (parent->messenger_ns && now_ns >= parent->messenger_ns && parent->state == PARENT_READY)
		parent_messenger_start(parent);
	unasked = unasked || any_silent(parent, now_ns);
	if (unasked && !parent->ever_ready)
		return -1;
	if (unasked)
		fall_over(parent);
	if (parent->state == PARENT_WAITING && now_ns >= parent->again_ns && !parent_any_alive(parent)) {
		parent->restarts++;
		if (parent_roles_start(parent) != 0)
			fall_over(parent);
	}
	return 1;
}

/* The roles end when their channels close. Who has not by then is ended with us: sandbox_follow_parent(). */
static void stop(struct parent *parent)
{
	int64_t until_ns = role_monotonic_ns() + STOP_NS;

	parent->stopping = true;
	notify_send(&parent->notify, "STOPPING=1");
	parent_roles_end(parent, 0);
	for (;;) {
		struct pollfd fd = { .fd = parent->signals, .events = POLLIN };
		struct signalfd_siginfo info;
		int64_t left_ns = until_ns - role_monotonic_ns();

		(void)reap(parent);
		if (!parent_any_alive(parent))
			return;
		if (left_ns <= 0)
			break;
		(void)poll(&fd, 1, (int)(left_ns / NS_PER_MS) + 1);
		while (read(parent->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
			;
	}
	LOG_SAY(LOG_WARNING, "a role does not end; it is ended with this process");
}

static void fini(struct parent *parent)
{
	char path[CONFIG_PATH_SIZE + 16];

	if (parent->control >= 0) {
		(void)snprintf(path, sizeof(path), "%s/" DAEMON_SOCKET_NAME, parent->config.run_dir);
		(void)unlink(path);
		(void)close(parent->control);
	}
	if (parent->lock >= 0)
		(void)close(parent->lock);
	if (parent->signals >= 0)
		(void)close(parent->signals);
	notify_close(&parent->notify);
	parent_reload_drop(parent);
	free(parent->text);
	config_fini(&parent->config);
}

static int load_first(struct parent *parent)
{
	struct config_errors *errors = calloc(1, sizeof(*errors));
	int result =
		errors ? config_read(parent->config_path, &parent->text, &parent->length, &parent->config_name, errors)
		       : -ENOMEM;

	if (result == 0)
		result = config_parse(parent->text, parent->length, parent->config_name, &parent->config, errors);
	if (errors)
		supervise_say_errors(errors);
	free(errors);
	return result;
}

int daemon_run(const char *config_path)
{
	struct parent *parent = calloc(1, sizeof(*parent));
	int result;

	if (!parent)
		return 1;
	*parent = (struct parent){
		.config_path = config_path, .signals = -1, .control = -1, .lock = -1, .notify = { .fd = -1 }
	};
	for (unsigned i = 0; i < ROLES; i++)
		parent->children[i].channel = -1;
	log_begin("");
	parent->began_ns = role_monotonic_ns();
	parent->began_wall_ns = role_wall_ns();
	result = load_first(parent);
	if (result == 0) {
		int told = notify_open(&parent->notify);

		if (told != 0)
			LOG_SAY(LOG_WARNING, "the service manager cannot be told how we are: %s", strerror(-told));
		result = parent_prepare(parent);
	}
	if (result == 0)
		result = supervise_signals(&parent->signals);
	if (result == 0)
		result = parent_roles_start(parent);
	if (result == 0) {
		int go_on;

		do
			go_on = turn(parent);
		while (go_on == 1);
		stop(parent);
		result = go_on;
	} else if (parent_any_alive(parent)) {
		stop(parent);
	}
	fini(parent);
	free(parent);
	return result == 0 ? 0 : 1;
}
