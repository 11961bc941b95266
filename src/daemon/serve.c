/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent of `holdfast serve`: starts the roles that the configuration asks for, and sees to it that they live. It
 * keeps no capability; what roles need of root they are given as descriptors: files of keys, sockets that listen.
 *
 * Each for itself: a role that ends unasked begins anew after a pause, which doubles while that keeps happening; the
 * others stay. Where the desk begins anew every role gets another channel to it. At a reload all end in order, the desk
 * last, and begin anew with what the new configuration says; one that is wrong changes nothing.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/alert_files.h"
#include "daemon/daemon.h"
#include "daemon/log.h"
#include "daemon/serve_inside.h"
#include "daemon/serve_state.h"
#include "daemon/supervise.h"

#define BACKOFF_FIRST_NS (NS_PER_S / 5)
#define BACKOFF_MAX_NS (60 * NS_PER_S)
#define HEALTHY_NS (60 * NS_PER_S)
#define STOP_NS (5 * NS_PER_S) /* the roles, and then the desk, have to end in order */
#define WAIT_MS 1000
#define STATE_NS NS_PER_S

/* ---- roles ---- */

static int find_listener(const struct serve_tree *tree, const char *address, bool datagrams)
{
	for (unsigned i = 0; i < tree->listener_count; i++)
		if (tree->listeners[i].datagrams == datagrams && strcmp(tree->listeners[i].address, address) == 0)
			return tree->listeners[i].fd;
	return -1;
}

/* The configuration, the role's files and where it listens. The reason of what fails stands in `reason`. */
static int send_config(struct serve_tree *tree, unsigned role, char reason[CONFIG_ERROR_SIZE])
{
	struct serve_config *config = &tree->message.config;
	const char *paths[SERVE_FDS_MAX], *addresses[SERVE_LISTENERS_MAX];
	unsigned files = serve_rows[role].files ? serve_rows[role].files(&tree->config, paths) : 0;
	unsigned listeners = serve_rows[role].listeners ? serve_rows[role].listeners(&tree->config, addresses) : 0;
	int fds[SERVE_FDS_MAX], result = 0;
	unsigned count;

	if (1 + files + listeners > SERVE_FDS_MAX) {
		(void)snprintf(reason, CONFIG_ERROR_SIZE, "it has too many files");
		return -E2BIG;
	}
	serve_message_init(&tree->message, SERVE_CONFIG, 0);
	fds[0] = supervise_text_fd(tree->text, tree->length);
	if (fds[0] < 0) {
		(void)snprintf(reason, CONFIG_ERROR_SIZE, "%s", strerror(-fds[0]));
		return fds[0];
	}
	for (count = 1; count <= files; count++) {
		fds[count] = alert_key_open(paths[count - 1], reason);
		if (fds[count] < 0) {
			result = fds[count];
			supervise_close(fds, count);
			return result;
		}
	}
	for (unsigned i = 0; i < listeners; i++)
		fds[count++] = find_listener(tree, addresses[i], serve_rows[role].datagrams);
	*config = (struct serve_config){ .fd_count = count,
		                         .file_count = files,
		                         .listener_count = listeners,
		                         .restarts = tree->children[role].restarts,
		                         .since_ns = tree->began_wall_ns };
	message_text(config->name, sizeof(config->name), tree->config_name);
	if (role == SERVE_ROLE_MESSENGER) {
		message_init(&tree->word, MESSAGE_CONFIG, 0);
		tree->word.config.fd_count = count;
		message_text(tree->word.config.name, sizeof(tree->word.config.name), tree->config_name);
		result = message_send(tree->children[role].channel, &tree->word, fds, count);
	} else {
		result = serve_message_send(tree->children[role].channel, &tree->message, fds, count);
	}
	supervise_close(fds, 1 + files); /* listeners stay the parent's */
	if (result != 0)
		(void)snprintf(reason, CONFIG_ERROR_SIZE, "%s", strerror(-result));
	return result;
}

static bool scripts_are_good(const struct config *config, char reason[CONFIG_ERROR_SIZE])
{
	for (unsigned i = 0; i < config->alert_count; i++)
		if (config->alerts[i].script[0] && alert_script_check(config->alerts[i].script, reason) != 0)
			return false;
	return true;
}

/* The desk's end of the messenger's channel; it has its own from the beginning, and ends when the desk does. */
static void give_messenger(struct serve_tree *tree, int end)
{
	if (tree->children[SERVE_ROLE_DESK].channel < 0)
		return;
	serve_message_init(&tree->message, SERVE_CHANNEL, 0);
	tree->message.channel.role = SERVE_ROLE_MESSENGER;
	(void)serve_message_send(tree->children[SERVE_ROLE_DESK].channel, &tree->message, &end, 1);
}

/* A channel between the desk and a role, where both are there. */
static void join(struct serve_tree *tree, unsigned role)
{
	struct serve_message *message = &tree->message;
	int ends[2];

	if (role == SERVE_ROLE_DESK || role == SERVE_ROLE_MESSENGER || tree->children[role].channel < 0 ||
	    tree->children[SERVE_ROLE_DESK].channel < 0)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return;
	serve_message_init(message, SERVE_CHANNEL, 0);
	message->channel.role = role;
	if (serve_message_send(tree->children[SERVE_ROLE_DESK].channel, message, &ends[0], 1) == 0)
		(void)serve_message_send(tree->children[role].channel, message, &ends[1], 1);
	supervise_close(ends, 2);
}

static void put_off(struct serve_tree *tree, unsigned role)
{
	struct serve_child *child = &tree->children[role];
	int64_t now_ns = role_monotonic_ns();

	if (child->began_ns && now_ns - child->began_ns >= HEALTHY_NS)
		child->backoff_ns = 0;
	child->backoff_ns = child->backoff_ns == 0                   ? BACKOFF_FIRST_NS
	                    : child->backoff_ns < BACKOFF_MAX_NS / 2 ? child->backoff_ns * 2
	                                                             : BACKOFF_MAX_NS;
	child->again_ns = now_ns + child->backoff_ns;
}

static void start_role(struct serve_tree *tree, unsigned role)
{
	struct serve_child *child = &tree->children[role];
	char reason[CONFIG_ERROR_SIZE] = "no process can be begun";
	int ends[4] = { -1, -1, -1, -1 }, result;

	child->again_ns = 0;
	child->ready = child->asked = false;
	child->began_ns = role_monotonic_ns();
	child->pid = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, &ends[0]) == 0 &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, &ends[2]) == 0 &&
	    (role != SERVE_ROLE_MESSENGER || scripts_are_good(&tree->config, reason)))
		child->pid = fork();
	if (child->pid == 0)
		supervise_become(serve_role_name((enum serve_role)role),
		                 role == SERVE_ROLE_MESSENGER ? &tree->messenger_start : &tree->start,
		                 (int[]){ ends[1], ends[3] }, role == SERVE_ROLE_MESSENGER ? 2 : 1);
	if (child->pid < 0) {
		LOG_SAY(LOG_ERROR, "the %s cannot begin: %s", serve_role_name((enum serve_role)role), reason);
		child->pid = 0;
		supervise_close(ends, 4);
		put_off(tree, role);
		return;
	}
	child->channel = ends[0];
	if (role == SERVE_ROLE_MESSENGER)
		give_messenger(tree, ends[2]);
	supervise_close(&ends[1], 3);
	result = send_config(tree, role, reason);
	if (result != 0) {
		LOG_SAY(LOG_ERROR, "the %s cannot begin: %s", serve_role_name((enum serve_role)role), reason);
		supervise_close(&child->channel, 1); /* by which it ends */
		child->channel = -1;
		return;
	}
	if (role == SERVE_ROLE_DESK)
		for (unsigned i = 0; i < SERVE_ROLES; i++)
			join(tree, i);
	else
		join(tree, role);
}

static void start_roles(struct serve_tree *tree)
{
	for (unsigned role = 0; role < SERVE_ROLES; role++)
		if (serve_wants(&tree->config, role) && tree->children[role].pid == 0)
			start_role(tree, role);
}

static bool any_alive(const struct serve_tree *tree)
{
	for (unsigned i = 0; i < SERVE_ROLES; i++)
		if (tree->children[i].pid > 0)
			return true;
	return false;
}

static bool all_ready(const struct serve_tree *tree)
{
	for (unsigned i = 0; i < SERVE_ROLES; i++)
		if (serve_wants(&tree->config, i) && !tree->children[i].ready)
			return false;
	return true;
}

static void say_end(unsigned role, int status)
{
	const char *name = serve_role_name((enum serve_role)role);

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		LOG_SAY(LOG_ERROR, "the %s has hung and was ended; it begins anew", name);
	else if (WIFSIGNALED(status))
		LOG_SAY(LOG_ERROR, "the %s was ended by signal %d (%s); it begins anew", name, WTERMSIG(status),
		        strsignal(WTERMSIG(status)));
	else
		LOG_SAY(LOG_ERROR, "the %s has ended with status %d; it begins anew", name, WEXITSTATUS(status));
}

static void say_ready(struct serve_tree *tree, unsigned role, int result, const char (*lines)[CONFIG_ERROR_SIZE],
                      unsigned count)
{
	tree->children[role].ready = result == 0;
	for (unsigned i = 0; i < count; i++)
		LOG_SAY(LOG_ERROR, "the %s cannot go on: %s", serve_role_name((enum serve_role)role), lines[i]);
	if (!tree->ever_ready && all_ready(tree)) {
		tree->ever_ready = true;
		LOG_SAY(LOG_INFO, "ready: pid %d", (int)getpid());
		notify_send(&tree->notify, "READY=1\nSTATUS=serving");
	}
}

static void listen_to_messenger(struct serve_tree *tree)
{
	struct serve_child *child = &tree->children[SERVE_ROLE_MESSENGER];
	int fds[MESSAGE_FDS_MAX];
	unsigned fd_count;

	while (child->channel >= 0) {
		int result = message_receive(child->channel, MESSAGE_ROLE_TO_PARENT, &tree->word, fds, &fd_count);

		if (result == -EAGAIN)
			return;
		if (result != 0) {
			(void)close(child->channel);
			child->channel = -1;
			return;
		}
		say_ready(tree, SERVE_ROLE_MESSENGER, tree->word.applied.result,
		          (const char(*)[CONFIG_ERROR_SIZE])tree->word.applied.lines, tree->word.applied.line_count);
	}
}

/* What a role has to say. */
static void listen_to(struct serve_tree *tree, unsigned role)
{
	struct serve_child *child = &tree->children[role];
	struct serve_message *message = &tree->message;
	int fds[SERVE_FDS_MAX];
	unsigned fd_count;

	if (role == SERVE_ROLE_MESSENGER)
		listen_to_messenger(tree);
	while (child->channel >= 0 && role != SERVE_ROLE_MESSENGER) {
		int result = serve_message_receive(child->channel, SERVE_ROLE_TO_PARENT, message, fds, &fd_count);

		if (result == -EAGAIN)
			return;
		if (result != 0) { /* of its end the kernel tells more; of one that says nonsense this is the end */
			(void)close(child->channel);
			child->channel = -1;
			return;
		}
		if (message->type == SERVE_COUNTED) {
			child->counted = message->counted;
			child->told_ns = role_wall_ns();
			continue;
		}
		say_ready(tree, role, message->ready.result, (const char(*)[CONFIG_ERROR_SIZE])message->ready.lines,
		          message->ready.line_count);
	}
}

static void reap(struct serve_tree *tree)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned role = 0; role < SERVE_ROLES; role++) {
			struct serve_child *child = &tree->children[role];

			if (child->pid != pid)
				continue;
			listen_to(tree, role); /* what it said last */
			if (child->channel >= 0)
				(void)close(child->channel);
			child->channel = -1;
			child->pid = 0;
			child->ready = false;
			if (child->asked || tree->stopping)
				continue;
			say_end(role, status);
			child->restarts++;
			put_off(tree, role);
		}
}

/* ---- ending and reloading ---- */

static void ask_to_end(struct serve_child *child)
{
	child->asked = true;
	if (child->channel >= 0)
		(void)close(child->channel);
	child->channel = -1;
}

/* Signals that come while it is waited for roles' end: what they ask for is done after that. */
static void keep_signals(struct serve_tree *tree)
{
	struct signalfd_siginfo info;

	while (read(tree->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		tree->told_to_end |= info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT;
		tree->told_to_reload |= info.ssi_signo == SIGHUP;
	}
}

/* Until those, as bits, have ended, or for STOP_NS. */
static void end_those(struct serve_tree *tree, unsigned roles)
{
	int64_t until_ns = role_monotonic_ns() + STOP_NS;

	for (unsigned i = 0; i < SERVE_ROLES; i++)
		if (roles & 1u << i)
			ask_to_end(&tree->children[i]);
	for (;;) {
		struct pollfd fd = { .fd = tree->signals, .events = POLLIN };
		int64_t left_ns = until_ns - role_monotonic_ns();
		bool alive = false;

		reap(tree);
		for (unsigned i = 0; i < SERVE_ROLES; i++)
			alive = alive || (tree->children[i].pid > 0 && roles & 1u << i);
		if (!alive || left_ns <= 0)
			return;
		(void)poll(&fd, 1, (int)(left_ns / NS_PER_MS) + 1);
		keep_signals(tree);
	}
}

/* The desk takes what the others say at their end, and the messenger what the desk does. */
static void end_roles(struct serve_tree *tree)
{
	const unsigned desk = 1u << SERVE_ROLE_DESK, messenger = 1u << SERVE_ROLE_MESSENGER;

	end_those(tree, ((1u << SERVE_ROLES) - 1) & ~(desk | messenger));
	end_those(tree, desk);
	end_those(tree, messenger);
	if (any_alive(tree))
		LOG_SAY(LOG_WARNING, "a role does not end");
}

static void reload(struct serve_tree *tree)
{
	struct config_errors *errors = calloc(1, sizeof(*errors));
	struct config next;
	char *text = NULL;
	size_t length = 0;
	int result = -ENOMEM;

	notify_reloading(&tree->notify, role_monotonic_ns());
	if (errors)
		result = config_read(tree->config_path, &text, &length, &tree->config_name, errors);
	if (result == 0)
		result = config_parse(text, length, tree->config_name, &next, errors);
	if (errors)
		for (unsigned i = 0; i < errors->count; i++)
			LOG_SAY(LOG_ERROR, "%s", errors->lines[i]);
	free(errors);
	if (result == 0 && serve_listen(tree, &next) != 0) {
		serve_listen_only(tree, &tree->config);
		config_fini(&next);
		result = -EINVAL;
	}
	if (result != 0) {
		free(text);
		LOG_SAY(LOG_ERROR, "the new configuration is refused; the old one stays in force");
		notify_send(&tree->notify, "READY=1");
		return;
	}
	if (strcmp(next.user, tree->config.user) != 0 || strcmp(next.state_dir, tree->config.state_dir) != 0 ||
	    strcmp(next.run_dir, tree->config.run_dir) != 0)
		LOG_SAY(LOG_NOTICE, "user, state_dir and run_dir take effect when holdfast starts anew");
	memcpy(next.run_dir, tree->config.run_dir, sizeof(next.run_dir));
	end_roles(tree);
	free(tree->text);
	config_fini(&tree->config);
	tree->text = text;
	tree->length = length;
	tree->config = next;
	serve_listen_only(tree, &tree->config);
	for (unsigned i = 0; i < SERVE_ROLES; i++) {
		tree->children[i].backoff_ns = tree->children[i].again_ns = 0;
		tree->children[i].asked = false; /* who has not ended yet begins anew when it does */
	}
	start_roles(tree);
	LOG_SAY(LOG_NOTICE, "the new configuration is in force");
	notify_send(&tree->notify, "READY=1");
}

/* ---- life ---- */

/* False: it is to end. */
static bool take_signals(struct serve_tree *tree)
{
	keep_signals(tree);
	reap(tree);
	while (tree->told_to_reload && !tree->told_to_end) {
		tree->told_to_reload = false;
		reload(tree);
	}
	if (tree->told_to_end)
		LOG_SAY(LOG_NOTICE, "stopping");
	return !tree->told_to_end;
}

static int wait_ms(const struct serve_tree *tree, int64_t now_ns)
{
	int64_t wait_ns = WAIT_MS * NS_PER_MS;

	for (unsigned i = 0; i < SERVE_ROLES; i++)
		if (tree->children[i].again_ns && tree->children[i].again_ns - now_ns < wait_ns)
			wait_ns = tree->children[i].again_ns - now_ns;
	return wait_ns < 0 ? 0 : (int)(wait_ns / NS_PER_MS) + 1;
}

/* For `holdfast status`. */
static void write_state(struct serve_tree *tree, int64_t now_ns)
{
	struct serve_state state = { .pid = (int32_t)getpid(),
		                     .since_ns = tree->began_wall_ns,
		                     .now_ns = role_wall_ns() };
	int result;

	if (now_ns - tree->written_ns < STATE_NS)
		return;
	tree->written_ns = now_ns;
	for (unsigned i = 0; i < SERVE_ROLES; i++) {
		const struct serve_child *child = &tree->children[i];

		state.roles[i] = (struct serve_state_role){ .wanted = serve_wants(&tree->config, i),
			                                    .up = child->pid > 0,
			                                    .ready = child->ready,
			                                    .restarts = child->restarts,
			                                    .counted = &child->counted };
	}
	result = serve_state_write(&state, tree->config.run_dir);
	if (result != 0)
		LOG_SAY(LOG_ERROR, "%s/" SERVE_STATE_NAME ": %s", tree->config.run_dir, strerror(-result));
}

static bool turn(struct serve_tree *tree)
{
	struct pollfd fds[SERVE_ROLES + 1] = { { .fd = tree->signals, .events = POLLIN } };
	int64_t now_ns = role_monotonic_ns();

	for (unsigned i = 0; i < SERVE_ROLES; i++)
		fds[i + 1] = (struct pollfd){ .fd = tree->children[i].channel, .events = POLLIN };
	if (poll(fds, SERVE_ROLES + 1, wait_ms(tree, now_ns)) < 0 && errno != EINTR)
		return false;
	now_ns = role_monotonic_ns();
	if (tree->notify.watchdog_ns && now_ns - tree->pinged_ns >= tree->notify.watchdog_ns / 3) {
		notify_send(&tree->notify, "WATCHDOG=1");
		tree->pinged_ns = now_ns;
	}
	for (unsigned i = 0; i < SERVE_ROLES; i++)
		if (fds[i + 1].revents)
			listen_to(tree, i);
	if (fds[0].revents && !take_signals(tree))
		return false;
	for (unsigned i = 0; i < SERVE_ROLES; i++)
		if (tree->children[i].again_ns && now_ns >= tree->children[i].again_ns && tree->children[i].pid == 0)
			start_role(tree, i);
	write_state(tree, now_ns);
	return true;
}

static void fini(struct serve_tree *tree)
{
	char path[CONFIG_PATH_SIZE + sizeof(SERVE_STATE_NAME)];

	if (tree->lock >= 0) {
		(void)snprintf(path, sizeof(path), "%s/" SERVE_STATE_NAME, tree->config.run_dir);
		(void)unlink(path);
	}
	for (unsigned i = 0; i < tree->listener_count; i++)
		(void)close(tree->listeners[i].fd);
	supervise_close(&tree->lock, 1);
	supervise_close(&tree->signals, 1);
	notify_close(&tree->notify);
	free(tree->text);
	config_fini(&tree->config);
}

static int load_first(struct serve_tree *tree)
{
	struct config_errors *errors = calloc(1, sizeof(*errors));
	int result = errors ? config_read(tree->config_path, &tree->text, &tree->length, &tree->config_name, errors)
	                    : -ENOMEM;

	if (result == 0)
		result = config_parse(tree->text, tree->length, tree->config_name, &tree->config, errors);
	if (errors)
		supervise_say_errors(errors);
	free(errors);
	return result;
}

int daemon_serve(const char *config_path)
{
	struct serve_tree *tree = calloc(1, sizeof(*tree));
	int result;

	if (!tree)
		return 1;
	*tree = (struct serve_tree){ .config_path = config_path, .signals = -1, .lock = -1, .notify = { .fd = -1 } };
	for (unsigned i = 0; i < SERVE_ROLES; i++)
		tree->children[i].channel = -1;
	log_begin("serve");
	tree->began_ns = role_monotonic_ns();
	tree->began_wall_ns = role_wall_ns();
	result = load_first(tree);
	if (result == 0) {
		int told = notify_open(&tree->notify);

		if (told != 0)
			LOG_SAY(LOG_WARNING, "the service manager cannot be told how we are: %s", strerror(-told));
		result = serve_prepare(tree);
	}
	if (result == 0)
		result = supervise_signals(&tree->signals);
	if (result == 0) {
		start_roles(tree);
		while (turn(tree))
			;
		tree->stopping = true;
		notify_send(&tree->notify, "STOPPING=1");
		end_roles(tree);
	}
	fini(tree);
	free(tree);
	return result == 0 ? 0 : 1;
}
