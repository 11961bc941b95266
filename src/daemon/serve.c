/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent of `holdfast serve`: starts the roles that the configuration asks for, and sees to it that they live. It keeps no
 * capability; what roles need of root they are given as descriptors: files of keys, sockets that listen.
 *
 * Each for itself: a role that ends unasked begins anew after a pause, which doubles while that keeps happening; the others
 * stay. Where the desk begins anew every role gets another channel to it. At a reload all end in order, the desk last, and
 * begin anew with what the new configuration says; one that is wrong changes nothing.
 */
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/alert_files.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/log.h"
#include "daemon/message.h"
#include "daemon/notify.h"
#include "daemon/sandbox.h"
#include "daemon/serve_message.h"
#include "daemon/supervise.h"
#include "tell/http_server.h"

#define COMMAND "serve"
#define BACKOFF_FIRST_NS (NS_PER_S / 5)
#define BACKOFF_MAX_NS (60 * NS_PER_S)
#define HEALTHY_NS (60 * NS_PER_S)
#define STOP_NS (5 * NS_PER_S) /* the roles, and then the desk, have to end in order */
#define LISTENERS_MAX 8        /* of all roles together */
#define LISTEN_SIZE 64
#define WAIT_MS 1000

/* ---- which roles there are ---- */

/* Each list is at most as long as its array; texts are the configuration's. */
struct row {
	bool (*wanted)(const struct config *config);
	/* Files that only root may read. */
	unsigned (*files)(const struct config *config, const char *paths[SERVE_FDS_MAX]);
	/* Where it listens, as http_server_listen() has it. */
	unsigned (*listeners)(const struct config *config, const char *addresses[SERVE_LISTENERS_MAX]);
};

static bool always(const struct config *config)
{
	(void)config;
	return true;
}

static unsigned desk_files(const struct config *config, const char *paths[SERVE_FDS_MAX])
{
	if (!config->page.key_file[0])
		return 0;
	paths[0] = config->page.key_file;
	return 1;
}

static bool tells(const struct config *config)
{
	return config->alert_count > 0;
}

static unsigned messenger_files(const struct config *config, const char *paths[SERVE_FDS_MAX])
{
	unsigned count = 0;

	for (unsigned i = 0; i < config->alert_count; i++)
		if (config->alerts[i].key_file[0])
			paths[count++] = config->alerts[i].key_file;
	return count;
}

static bool public_wanted(const struct config *config)
{
	return config->public_role.listen_count > 0;
}

static unsigned public_files(const struct config *config, const char *paths[SERVE_FDS_MAX])
{
	const struct config_public *of = &config->public_role;
	unsigned count = 0;

	if (of->gatus_key_file[0])
		paths[count++] = of->gatus_key_file;
	for (unsigned i = 0; i < of->vantage_count; i++)
		paths[count++] = of->vantages[i].key_file;
	return count;
}

static unsigned public_listeners(const struct config *config, const char *addresses[SERVE_LISTENERS_MAX])
{
	for (unsigned i = 0; i < config->public_role.listen_count; i++)
		addresses[i] = config->public_role.listen[i].text;
	return config->public_role.listen_count;
}

static bool has_logs(const struct config *config)
{
	return config->log_count > 0;
}

static bool console_wanted(const struct config *config)
{
	return config->console.token_count > 0;
}

static unsigned console_listeners(const struct config *config, const char *addresses[SERVE_LISTENERS_MAX])
{
	addresses[0] = config->console.listen;
	return 1;
}

/* A role that has no row here is not there. */
static const struct row rows[SERVE_ROLES] = {
	[SERVE_ROLE_DESK] = { .wanted = always, .files = desk_files },
	[SERVE_ROLE_MESSENGER] = { .wanted = tells, .files = messenger_files },
	[SERVE_ROLE_CONSOLE] = { .wanted = console_wanted, .listeners = console_listeners },
	[SERVE_ROLE_PUBLIC] = { .wanted = public_wanted, .files = public_files, .listeners = public_listeners },
	[SERVE_ROLE_READER] = { .wanted = has_logs },
};

/* ---- the tree ---- */

struct child {
	pid_t pid;         /* 0: there is none */
	int channel;       /* -1 */
	bool ready, asked; /* asked: it is to end */
	uint32_t restarts;
	int64_t began_ns, again_ns, backoff_ns; /* again_ns 0: it is not waited for */
	struct serve_counted counted;           /* what it said last */
	int64_t told_ns;
};

struct listener {
	char address[LISTEN_SIZE];
	int fd;
};

struct tree {
	const char *config_path, *config_name;
	char *text;
	size_t length;
	struct config config;
	struct role_start start, messenger_start;
	struct notify notify;
	int signals, lock;
	struct child children[SERVE_ROLES];
	struct listener listeners[LISTENERS_MAX];
	unsigned listener_count;
	bool ever_ready, stopping;
	int64_t began_ns, began_wall_ns, pinged_ns;
	struct serve_message message; /* scratch */
	struct message word;          /* likewise, the messenger's */
};

/* ---- beginning ---- */

static int check_rights(void)
{
	uint64_t wanted = sandbox_serving() | SANDBOX_CAPABILITY(CAP_SETPCAP) | SANDBOX_CAPABILITY(CAP_CHOWN);
	char missing[128];

	if (geteuid() != 0)
		return supervise_refuse(COMMAND, "needs root, of which its roles keep nothing; start it as root or by "
		                                 "'systemctl start holdfast-serve'");
	if (*sandbox_missing(wanted, missing, sizeof(missing)))
		return supervise_refuse(COMMAND, "root here lacks %s", missing);
	return 0;
}

static int bind_listener(struct tree *tree, const char *address)
{
	struct listener *listener = &tree->listeners[tree->listener_count];
	int result;

	for (unsigned i = 0; i < tree->listener_count; i++)
		if (strcmp(tree->listeners[i].address, address) == 0)
			return 0;
	if (tree->listener_count == LISTENERS_MAX || strlen(address) >= LISTEN_SIZE)
		return supervise_refuse(COMMAND, "%s: there are too many addresses to listen at", address);
	result = http_server_listen(address, &listener->fd);
	if (result != 0)
		return supervise_refuse(COMMAND, "cannot listen at %s: %s", address, strerror(-result));
	message_text(listener->address, sizeof(listener->address), address);
	tree->listener_count++;
	return 0;
}

/* Those that the configuration names and that are not open yet. */
static int bind_listeners(struct tree *tree, const struct config *config)
{
	const char *addresses[SERVE_LISTENERS_MAX];
	int result = 0;

	for (unsigned role = 0; role < SERVE_ROLES && result == 0; role++) {
		unsigned count = rows[role].wanted && rows[role].wanted(config) && rows[role].listeners
		                         ? rows[role].listeners(config, addresses)
		                         : 0;

		for (unsigned i = 0; i < count && result == 0; i++)
			result = bind_listener(tree, addresses[i]);
	}
	return result;
}

/* The page's folder changes its name with one beside it: the one around it has to be the roles' user's. */
static int make_page_folder(const struct tree *tree)
{
	char folder[CONFIG_PATH_SIZE], *slash;
	struct stat status;

	message_text(folder, sizeof(folder), tree->config.page.directory);
	slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	if (stat(folder, &status) == 0) /* somebody else's: it is said when the page is published */
		return 0;
	return supervise_make_folder(COMMAND, folder, tree->start.uid, tree->start.gid, 0755);
}

/* All that needs rights which the parent then gives up. */
static int prepare(struct tree *tree)
{
	int result = check_rights();

	(void)umask(0022);
	if (result == 0)
		result = supervise_find_user(COMMAND, "its roles", tree->config.user, &tree->start,
		                             &tree->messenger_start);
	if (result == 0)
		result = supervise_make_folder(COMMAND, tree->config.run_dir, 0, 0, 0755);
	if (result == 0)
		result = supervise_take_lock(COMMAND, tree->config.run_dir, DAEMON_SERVE_PID_NAME, &tree->lock);
	if (result == 0)
		result = supervise_make_folder(COMMAND, tree->config.state_dir, tree->start.uid, tree->start.gid, 0750);
	if (result == 0)
		result = make_page_folder(tree);
	if (result == 0)
		result = bind_listeners(tree, &tree->config);
	if (result != 0)
		return result;
	result = sandbox_limit(sandbox_serving());
	if (result == 0)
		result = sandbox_keep(0);
	return result ? supervise_refuse(COMMAND, "capabilities cannot be given up: %s", strerror(-result)) : 0;
}

/* ---- roles ---- */

static int find_listener(const struct tree *tree, const char *address)
{
	for (unsigned i = 0; i < tree->listener_count; i++)
		if (strcmp(tree->listeners[i].address, address) == 0)
			return tree->listeners[i].fd;
	return -1;
}

/* The configuration, the role's files and where it listens. The reason of what fails stands in `reason`. */
static int send_config(struct tree *tree, unsigned role, char reason[CONFIG_ERROR_SIZE])
{
	struct serve_config *config = &tree->message.config;
	const char *paths[SERVE_FDS_MAX], *addresses[SERVE_LISTENERS_MAX];
	unsigned files = rows[role].files ? rows[role].files(&tree->config, paths) : 0;
	unsigned listeners = rows[role].listeners ? rows[role].listeners(&tree->config, addresses) : 0;
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
		fds[count++] = find_listener(tree, addresses[i]);
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
static void give_messenger(struct tree *tree, int end)
{
	if (tree->children[SERVE_ROLE_DESK].channel < 0)
		return;
	serve_message_init(&tree->message, SERVE_CHANNEL, 0);
	tree->message.channel.role = SERVE_ROLE_MESSENGER;
	(void)serve_message_send(tree->children[SERVE_ROLE_DESK].channel, &tree->message, &end, 1);
}

/* A channel between the desk and a role, where both are there. */
static void join(struct tree *tree, unsigned role)
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

static void put_off(struct tree *tree, unsigned role)
{
	struct child *child = &tree->children[role];
	int64_t now_ns = role_monotonic_ns();

	if (child->began_ns && now_ns - child->began_ns >= HEALTHY_NS)
		child->backoff_ns = 0;
	child->backoff_ns = child->backoff_ns == 0                   ? BACKOFF_FIRST_NS
	                    : child->backoff_ns < BACKOFF_MAX_NS / 2 ? child->backoff_ns * 2
	                                                             : BACKOFF_MAX_NS;
	child->again_ns = now_ns + child->backoff_ns;
}

static void start_role(struct tree *tree, unsigned role)
{
	struct child *child = &tree->children[role];
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

static void start_roles(struct tree *tree)
{
	for (unsigned role = 0; role < SERVE_ROLES; role++)
		if (rows[role].wanted && rows[role].wanted(&tree->config) && tree->children[role].pid == 0)
			start_role(tree, role);
}

static bool any_alive(const struct tree *tree)
{
	for (unsigned i = 0; i < SERVE_ROLES; i++)
		if (tree->children[i].pid > 0)
			return true;
	return false;
}

static bool all_ready(const struct tree *tree)
{
	for (unsigned i = 0; i < SERVE_ROLES; i++)
		if (rows[i].wanted && rows[i].wanted(&tree->config) && !tree->children[i].ready)
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

static void say_ready(struct tree *tree, unsigned role, int result, const char (*lines)[CONFIG_ERROR_SIZE],
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

static void listen_to_messenger(struct tree *tree)
{
	struct child *child = &tree->children[SERVE_ROLE_MESSENGER];
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
static void listen_to(struct tree *tree, unsigned role)
{
	struct child *child = &tree->children[role];
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

static void reap(struct tree *tree)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned role = 0; role < SERVE_ROLES; role++) {
			struct child *child = &tree->children[role];

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

static void ask_to_end(struct child *child)
{
	child->asked = true;
	if (child->channel >= 0)
		(void)close(child->channel);
	child->channel = -1;
}

/* Until those, as bits, have ended, or for STOP_NS. */
static void end_those(struct tree *tree, unsigned roles)
{
	int64_t until_ns = role_monotonic_ns() + STOP_NS;

	for (unsigned i = 0; i < SERVE_ROLES; i++)
		if (roles & 1u << i)
			ask_to_end(&tree->children[i]);
	for (;;) {
		struct pollfd fd = { .fd = tree->signals, .events = POLLIN };
		struct signalfd_siginfo info;
		int64_t left_ns = until_ns - role_monotonic_ns();
		bool alive = false;

		reap(tree);
		for (unsigned i = 0; i < SERVE_ROLES; i++)
			alive = alive || (tree->children[i].pid > 0 && roles & 1u << i);
		if (!alive || left_ns <= 0)
			return;
		(void)poll(&fd, 1, (int)(left_ns / NS_PER_MS) + 1);
		while (read(tree->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
			;
	}
}

/* The desk takes what the others say at their end, and the messenger what the desk does. */
static void end_roles(struct tree *tree)
{
	const unsigned desk = 1u << SERVE_ROLE_DESK, messenger = 1u << SERVE_ROLE_MESSENGER;

	end_those(tree, ((1u << SERVE_ROLES) - 1) & ~(desk | messenger));
	end_those(tree, desk);
	end_those(tree, messenger);
	if (any_alive(tree))
		LOG_SAY(LOG_WARNING, "a role does not end");
}

static void reload(struct tree *tree)
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
	if (result == 0 && bind_listeners(tree, &next) != 0) {
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
	for (unsigned i = 0; i < SERVE_ROLES; i++)
		tree->children[i].backoff_ns = tree->children[i].again_ns = 0;
	start_roles(tree);
	LOG_SAY(LOG_NOTICE, "the new configuration is in force");
	notify_send(&tree->notify, "READY=1");
}

/* ---- life ---- */

/* False: it is to end. */
static bool take_signals(struct tree *tree)
{
	struct signalfd_siginfo info;

	while (read(tree->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
			LOG_SAY(LOG_NOTICE, "stopping");
			return false;
		}
		if (info.ssi_signo == SIGHUP)
			reload(tree);
		else
			reap(tree);
	}
	return true;
}

static int wait_ms(const struct tree *tree, int64_t now_ns)
{
	int64_t wait_ns = WAIT_MS * NS_PER_MS;

	for (unsigned i = 0; i < SERVE_ROLES; i++)
		if (tree->children[i].again_ns && tree->children[i].again_ns - now_ns < wait_ns)
			wait_ns = tree->children[i].again_ns - now_ns;
	return wait_ns < 0 ? 0 : (int)(wait_ns / NS_PER_MS) + 1;
}

static bool turn(struct tree *tree)
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
	return true;
}

static void fini(struct tree *tree)
{
	for (unsigned i = 0; i < tree->listener_count; i++)
		(void)close(tree->listeners[i].fd);
	supervise_close(&tree->lock, 1);
	supervise_close(&tree->signals, 1);
	notify_close(&tree->notify);
	free(tree->text);
	config_fini(&tree->config);
}

static int load_first(struct tree *tree)
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
	struct tree *tree = calloc(1, sizeof(*tree));
	int result;

	if (!tree)
		return 1;
	*tree = (struct tree){ .config_path = config_path, .signals = -1, .lock = -1, .notify = { .fd = -1 } };
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
		result = prepare(tree);
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
