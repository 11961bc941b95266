/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent: makes folders and the control socket, starts the roles, and sees to it that they live. It keeps no
 * capability; a role gets its own because it begins by execve() as uid 0, within the bounding set.
 *
 * One for all: where a role ends unasked, its fellows are ended and all begin anew, after a pause that doubles while
 * that keeps happening. What the shield does stands in the kernel meanwhile, and whoever begins takes it over.
 *
 * A configuration is read here, once; the roles get the same text. At a reload the loader has the first word: what it
 * cannot put into force stays out, and the old one in.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/alert_files.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/log.h"
#include "daemon/message.h"
#include "daemon/notify.h"
#include "daemon/role.h"
#include "daemon/sandbox.h"
#include "daemon/supervise.h"

#define COMMAND "run"
#define BACKOFF_FIRST_NS (NS_PER_S / 10)
#define BACKOFF_MAX_NS (60 * NS_PER_S)
#define HEALTHY_NS (60 * NS_PER_S)
#define STOP_NS (5 * NS_PER_S)
#define SILENT_NS (2 * NS_PER_S)
#define LISTEN_BACKLOG 64

enum state { STARTING, READY, RELOADING, WAITING };

struct child {
	pid_t pid;         /* 0: there is none */
	int channel;       /* -1 */
	int64_t silent_ns; /* since when its end of the channel is closed, and it has not ended; 0 */
};

struct parent {
	const char *config_path;
	const char *config_name;
	char *text; /* of the configuration in force */
	size_t length;
	struct config config;
	struct role_start start, messenger_start;
	struct notify notify;
	int signals, control, lock;
	struct child children[ROLES];
	enum state state;
	unsigned awaited; /* roles, as bits, that have not said that they are ready */
	enum role turn;   /* whose word is waited for while reloading */
	bool ever_ready, stopping;
	bool off; /* the shield has been taken away: there is nothing left to do */
	uint64_t serial;
	uint32_t restarts;
	int64_t began_ns, began_wall_ns; /* of the parent */
	int64_t ready_ns, again_ns, backoff_ns, pinged_ns;
	int64_t messenger_ns, messenger_backoff_ns; /* when it is to begin anew, 0: not at all; after which pause */
	/* while reloading */
	char *next_text;
	size_t next_length;
	struct config next;
	bool asked;   /* by the engine, which wants an answer */
	bool hung_up; /* SIGHUP came while that could not be done */
	uint64_t asked_id;
	struct message message, answer; /* scratch; large */
};

/* ---- beginning ---- */

#define REFUSE(...) supervise_refuse(COMMAND, __VA_ARGS__)

static int check_rights(void)
{
	uint64_t wanted = sandbox_bounding() | SANDBOX_CAPABILITY(CAP_SETPCAP) | SANDBOX_CAPABILITY(CAP_CHOWN);
	char missing[128];

	if (geteuid() != 0)
		return REFUSE("needs root, to attach the shield; start it as root or by 'systemctl start holdfast'");
	if (*sandbox_missing(wanted, missing, sizeof(missing)))
		return REFUSE(
			"root here lacks %s; a container needs them granted (--cap-add), a service by AmbientCapabilities "
			"and CapabilityBoundingSet",
			missing);
	return 0;
}

/*
 * The loader has no right to mount, for the parent's bounding set outlives the moment in which it is needed. Elsewhere
 * than at the usual place nothing is mounted: shield_open() says what to do.
 */
static int mount_bpffs(const struct parent *parent)
{
	static const char usual[] = "/sys/fs/bpf";
	struct statfs about;

	if (strncmp(parent->config.bpffs_dir, usual, strlen(usual)) != 0 || statfs(usual, &about) != 0 ||
	    about.f_type == BPF_FS_MAGIC)
		return 0;
	if (mount("bpf", usual, "bpf", 0, "mode=0700") != 0)
		return REFUSE("no bpf file system is mounted at %s, and mounting one: %s; as root: mount -t bpf bpf %s",
		              usual, strerror(errno), usual);
	LOG_SAY(LOG_NOTICE, "no bpf file system was mounted at %s: mounted one", usual);
	return 0;
}

static int open_control(struct parent *parent)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	gid_t group = parent->start.operators; /* 0 where there is no such group: then it is for root */
	int length =
		snprintf(address.sun_path, sizeof(address.sun_path), "%s/" DAEMON_SOCKET_NAME, parent->config.run_dir);
	mode_t before;
	int result;

	if (length < 0 || (size_t)length >= sizeof(address.sun_path))
		return REFUSE("run_dir is too long for a socket's address: %s", parent->config.run_dir);
	parent->control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (parent->control < 0)
		return REFUSE("no socket: %s", strerror(errno));
	if (unlink(address.sun_path) != 0 && errno != ENOENT)
		return REFUSE("%s: %s", address.sun_path, strerror(errno));
	before = umask(0117);
	result = bind(parent->control, (const struct sockaddr *)&address, sizeof(address));
	(void)umask(before);
	if (result != 0 || chown(address.sun_path, 0, group) != 0 || listen(parent->control, LISTEN_BACKLOG) != 0)
		return REFUSE("%s: %s", address.sun_path, strerror(errno));
	return 0;
}

/* All that needs rights which the parent then gives up. */
static int prepare(struct parent *parent)
{
	int result;

	(void)umask(0022); /* whatever who starts us thinks: folders and pid are for others to see */
	if (parent->config.interface_count == 0)
		return REFUSE(
			"the configuration names no interface to defend; add 'shield: { interfaces: [eth0] }' to %s",
			parent->config_name);
	result = check_rights();
	if (result == 0)
		result = supervise_find_user(COMMAND, "engine and recorder", parent->config.user, &parent->start,
		                             &parent->messenger_start);
	if (result == 0)
		result = supervise_make_folder(COMMAND, parent->config.run_dir, 0, 0, 0755);
	if (result == 0)
		result = supervise_take_lock(COMMAND, parent->config.run_dir, "holdfast.pid", &parent->lock);
	if (result == 0)
		result = supervise_give_record(COMMAND, parent->config.state_dir, parent->start.uid, parent->start.gid);
	if (result == 0)
		result = supervise_make_folder(COMMAND, parent->config.state_dir, parent->start.uid, parent->start.gid,
		                               0750);
	if (result == 0)
		result = mount_bpffs(parent);
	if (result == 0)
		result = open_control(parent);
	if (result != 0)
		return result;
	result = sandbox_limit(sandbox_bounding());
	if (result == 0)
		result = sandbox_keep(0);
	return result ? REFUSE("capabilities cannot be given up: %s", strerror(-result)) : 0;
}

/* ---- roles ---- */

static int start_role(struct parent *parent, enum role role, const int *fds, unsigned fd_count)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		supervise_become(role_name(role), role == ROLE_MESSENGER ? &parent->messenger_start : &parent->start,
		                 fds, fd_count);
	parent->children[role].pid = pid;
	return 0;
}

/* What a role is given beside the configuration: lists, keys. */
static unsigned list_files(enum role role, const struct config *config,
                           const char *paths[CONFIG_FILES_MAX + CONFIG_ALERTS_MAX])
{
	unsigned count = 0;

	if (role == ROLE_LOADER)
		for (unsigned i = 0; i < config->allow_file_count; i++)
			paths[count++] = config->allow_files[i].path;
	if (role == ROLE_ENGINE)
		for (unsigned i = 0; i < config->block_file_count; i++)
			paths[count++] = config->block_files[i].path;
	if (role == ROLE_MESSENGER)
		for (unsigned i = 0; i < config->alert_count; i++)
			if (config->alerts[i].key_file[0])
				paths[count++] = config->alerts[i].key_file;
	return count;
}

/*
 * The configuration to a role, with the lists that it reads. Where something cannot be opened or sent, the reason
 * stands in parent->answer's first line.
 */
static int send_config(struct parent *parent, enum role role, const struct config *config, const char *text,
                       size_t length)
{
	const char *paths[CONFIG_FILES_MAX + CONFIG_ALERTS_MAX];
	unsigned count = list_files(role, config, paths);
	char *reason = parent->answer.applied.lines[0];
	struct message *message = &parent->message;
	int fds[MESSAGE_FDS_MAX];
	unsigned fd_count = 0;
	int result = 0;

	message_init(message, MESSAGE_CONFIG, 0);
	fds[0] = supervise_text_fd(text, length);
	if (fds[0] < 0) {
		(void)snprintf(reason, CONFIG_ERROR_SIZE, "%s: %s", parent->config_name, strerror(-fds[0]));
		return fds[0];
	}
	for (fd_count = 1; fd_count <= count; fd_count++) {
		fds[fd_count] = role == ROLE_MESSENGER ? alert_key_open(paths[fd_count - 1], reason)
		                                       : prefix_file_open(paths[fd_count - 1], reason);
		if (fds[fd_count] < 0) {
			result = fds[fd_count];
			goto done;
		}
	}
	message->config = (struct message_config){
		.serial = parent->serial,
		.parent_pid = (uint32_t)getpid(),
		.loader_pid = (uint32_t)parent->children[ROLE_LOADER].pid,
		.engine_pid = (uint32_t)parent->children[ROLE_ENGINE].pid,
		.recorder_pid = (uint32_t)parent->children[ROLE_RECORDER].pid,
		.restarts = parent->restarts,
		.fd_count = fd_count,
		.since_ns = parent->began_wall_ns,
		.since_monotonic_ns = parent->began_ns,
	};
	message_text(message->config.name, sizeof(message->config.name), parent->config_name);
	result = message_send(parent->children[role].channel, message, fds, fd_count);
	if (result != 0)
		(void)snprintf(reason, CONFIG_ERROR_SIZE, "the %s does not listen: %s", role_name(role),
		               strerror(-result));
done:
	supervise_close(fds, fd_count);
	return result;
}

static int start_roles(struct parent *parent)
{
	enum { PARENT_LOADER, PARENT_ENGINE, PARENT_RECORDER, ENGINE_LOADER, ENGINE_RECORDER, PAIRS };
	int ends[PAIRS * 2];
	int result = 0;

	for (unsigned i = 0; i < PAIRS * 2; i++)
		ends[i] = -1;
	for (unsigned i = 0; i < PAIRS && result == 0; i++)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, &ends[i * 2]) != 0)
			result = -errno;
	if (result == 0)
		result = start_role(parent, ROLE_LOADER,
		                    (int[]){ ends[PARENT_LOADER * 2 + 1], ends[ENGINE_LOADER * 2 + 1] }, 2);
	if (result == 0)
		result = start_role(parent, ROLE_ENGINE,
		                    (int[]){ ends[PARENT_ENGINE * 2 + 1], ends[ENGINE_LOADER * 2],
		                             ends[ENGINE_RECORDER * 2], parent->control },
		                    4);
	if (result == 0)
		result = start_role(parent, ROLE_RECORDER,
		                    (int[]){ ends[PARENT_RECORDER * 2 + 1], ends[ENGINE_RECORDER * 2 + 1] }, 2);
	if (result != 0) {
		supervise_close(ends, PAIRS * 2);
		return result;
	}
	for (unsigned i = 0; i < PAIRS; i++) {
		if (i <= PARENT_RECORDER)
			parent->children[ROLE_LOADER + i].channel = ends[i * 2];
		else
			(void)close(ends[i * 2]);
		(void)close(ends[i * 2 + 1]);
	}
	parent->state = STARTING;
	parent->awaited = 0;
	parent->serial++;
	for (unsigned i = ROLE_LOADER; i <= ROLE_RECORDER && result == 0; i++) {
		parent->awaited |= 1u << i;
		result = send_config(parent, (enum role)i, &parent->config, parent->text, parent->length);
	}
	if (result != 0)
		LOG_SAY(LOG_ERROR, "%s", parent->answer.applied.lines[0]);
	return result;
}

/* ---- the messenger ---- */

/* It ends when its channel closes; what it does is missed by nobody but people. */
static void stop_messenger(struct parent *parent)
{
	struct child *child = &parent->children[ROLE_MESSENGER];

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
	int result = send_config(parent, ROLE_MESSENGER, &parent->config, parent->text, parent->length);

	if (result != 0)
		return result;
	message_init(message, MESSAGE_MESSENGER, 0);
	result = message_send(parent->children[ROLE_ENGINE].channel, message, &engines_end, 1);
	if (result != 0)
		(void)snprintf(parent->answer.applied.lines[0], CONFIG_ERROR_SIZE, "the engine does not listen: %s",
		               strerror(-result));
	return result;
}

/*
 * Begins when all others run, and again when it has ended, or a reload may have changed whom to tell. Where it cannot,
 * the host is defended all the same: it is said, and tried again.
 */
static void start_messenger(struct parent *parent)
{
	struct child *child = &parent->children[ROLE_MESSENGER];
	int ends[4] = { -1, -1, -1, -1 };
	int result = -EINVAL;

	parent->messenger_ns = 0;
	if (parent->config.alert_count == 0 || child->pid > 0)
		return;
	(void)snprintf(parent->answer.applied.lines[0], CONFIG_ERROR_SIZE, "no process can be begun");
	if (scripts_are_good(parent) && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, &ends[0]) == 0 &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, &ends[2]) == 0)
		result = start_role(parent, ROLE_MESSENGER, (int[]){ ends[1], ends[3] }, 2);
	if (result == 0) {
		child->channel = ends[0];
		ends[0] = -1;
		result = give_messenger(parent, ends[2]);
	}
	supervise_close(ends, 4);
	if (result == 0)
		return;
	LOG_SAY(LOG_ERROR, "alerts are not sent: %s", parent->answer.applied.lines[0]);
	stop_messenger(parent);
	parent->messenger_ns = role_monotonic_ns() + BACKOFF_MAX_NS;
}

/* Its end: asked for, or not. */
static void messenger_ended(struct parent *parent, int status)
{
	bool asked = parent->children[ROLE_MESSENGER].channel < 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;

	stop_messenger(parent);
	if (parent->stopping || parent->state == WAITING)
		return;
	if (asked) {
		parent->messenger_backoff_ns = 0;
	} else {
		LOG_SAY(LOG_ERROR, "the messenger has ended (%s %d); it begins anew",
		        WIFSIGNALED(status) ? "signal" : "status",
		        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		parent->messenger_backoff_ns = parent->messenger_backoff_ns == 0 ? NS_PER_S
		                               : parent->messenger_backoff_ns < BACKOFF_MAX_NS / 2
		                                       ? parent->messenger_backoff_ns * 2
		                                       : BACKOFF_MAX_NS;
	}
	parent->messenger_ns = role_monotonic_ns() + parent->messenger_backoff_ns;
}

/* Closes what keeps the roles alive; the loader, which is uid 0 as we are, can be told besides. */
static void end_roles(struct parent *parent, int signal_number)
{
	for (unsigned i = ROLE_LOADER; i < ROLES; i++) {
		struct child *child = &parent->children[i];

		if (child->channel >= 0)
			(void)close(child->channel);
		child->channel = -1;
		child->silent_ns = 0;
		if (child->pid > 0 && signal_number)
			(void)kill(child->pid, signal_number);
	}
}

static bool any_alive(const struct parent *parent)
{
	for (unsigned i = ROLE_LOADER; i < ROLES; i++)
		if (parent->children[i].pid > 0)
			return true;
	return false;
}

/* ---- reloading ---- */

static void drop_next(struct parent *parent)
{
	if (parent->next_text) {
		free(parent->next_text);
		config_fini(&parent->next);
	}
	parent->next_text = NULL;
}

/* Ends a reload: 0 and notes, or why it was refused, in parent->answer's lines. */
static void end_reload(struct parent *parent, int result)
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
	drop_next(parent);
	if (parent->state == RELOADING)
		parent->state = READY;
	if (result == 0) { /* whom to tell may be others now */
		stop_messenger(parent);
		start_messenger(parent);
	}
	notify_send(&parent->notify, "READY=1");
}

__attribute__((format(printf, 2, 3))) static void add_line(struct message_applied *applied, const char *format, ...)
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
		add_line(applied, format, "user");
	if (strcmp(now->state_dir, next->state_dir) != 0)
		add_line(applied, format, "state_dir");
	if (strcmp(now->run_dir, next->run_dir) != 0)
		add_line(applied, format, "run_dir");
	if (strcmp(now->bpffs_dir, next->bpffs_dir) != 0)
		add_line(applied, format, "bpffs_dir");
	if (now->block_capacity != next->block_capacity)
		add_line(applied, format, "block_capacity");
	if (now->sample_budget != next->sample_budget)
		add_line(applied, format, "sample_budget");
	if (now->incidents_max != next->incidents_max || now->streams_max != next->streams_max ||
	    now->stream_mib != next->stream_mib || now->streams_mib != next->streams_mib)
		add_line(applied, format, "record");
	if (now->generic != next->generic)
		add_line(applied, format, "generic");
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
	add_line(&refusal->applied, "%s", "the daemon is starting, or reloads already; try again in a moment");
	refusal->applied.result = -EBUSY;
	if (parent->children[ROLE_ENGINE].channel >= 0)
		(void)message_send(parent->children[ROLE_ENGINE].channel, refusal, NULL, 0);
}

static void begin_reload(struct parent *parent, bool asked, uint64_t id)
{
	struct message_applied *applied = &parent->answer.applied;
	struct config_errors *errors;
	int result;

	if (parent->state != READY) {
		put_off(parent, asked, id);
		return;
	}
	message_init(&parent->answer, MESSAGE_RELOADED, id);
	parent->asked = asked;
	parent->asked_id = id;
	notify_reloading(&parent->notify, role_monotonic_ns());
	errors = calloc(1, sizeof(*errors));
	if (!errors) {
		add_line(applied, "%s", "out of memory");
		end_reload(parent, -ENOMEM);
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
		add_line(applied, "%s", errors->lines[i]);
	free(errors);
	if (result == 0 && parent->next.interface_count == 0) {
		add_line(applied,
		         "%s: names no interface to defend; 'holdfast off' and stopping the service end the defence",
		         parent->config_name);
		result = -EINVAL;
	}
	if (result != 0) {
		end_reload(parent, result);
		return;
	}
	note_fixed(&parent->config, &parent->next, applied);
	parent->state = RELOADING;
	parent->turn = ROLE_LOADER;
	parent->serial++;
	result = send_config(parent, ROLE_LOADER, &parent->next, parent->next_text, parent->next_length);
	if (result != 0) {
		parent->hung_up |= !asked && result == -EPIPE; /* the loader has just gone: when all run again */
		applied->line_count = 1;
		end_reload(parent, result);
	}
}

/* ---- what roles say ---- */

static void all_ready(struct parent *parent)
{
	char status[128];

	parent->state = READY;
	parent->ready_ns = role_monotonic_ns();
	if (!parent->ever_ready)
		LOG_SAY(LOG_INFO, "ready: pid %d, control socket %s/" DAEMON_SOCKET_NAME, (int)getpid(),
		        parent->config.run_dir);
	else
		LOG_SAY(LOG_NOTICE, "all roles run again");
	parent->ever_ready = true;
	start_messenger(parent);
	(void)snprintf(status, sizeof(status), "READY=1\nSTATUS=defending %u interface%s",
	               parent->config.interface_count, parent->config.interface_count == 1 ? "" : "s");
	notify_send(&parent->notify, status);
}

/* A role has put the configuration into force. At a reload it is the engine's turn after the loader's. */
static void applied_by(struct parent *parent, enum role role)
{
	int result;

	if (parent->state == STARTING) {
		parent->awaited &= ~(1u << role);
		if (parent->awaited == 0)
			all_ready(parent);
		return;
	}
	if (role == ROLE_ENGINE) {
		end_reload(parent, 0);
		return;
	}
	parent->turn = ROLE_ENGINE;
	result = send_config(parent, ROLE_ENGINE, &parent->next, parent->next_text, parent->next_length);
	if (result != 0) {
		/* The loader has the new one in force by now; it holds, and the engine keeps its old lists. */
		parent->answer.applied.line_count = 1;
		end_reload(parent, result);
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
		begin_reload(parent, true, message->id);
		return 0;
	}
	if (applied->serial != parent->serial ||
	    !(parent->state == RELOADING ? role == parent->turn : parent->state == STARTING))
		return -EBADMSG;
	for (unsigned i = 0; i < applied->line_count; i++)
		if (parent->state == RELOADING)
			add_line(&parent->answer.applied, "%s", applied->lines[i]);
		else if (applied->result != 0)
			(void)fprintf(stderr, "holdfast: %s: %s\n", parent->ever_ready ? role_name(role) : "run",
			              applied->lines[i]);
	if (applied->result == 0) {
		applied_by(parent, role);
		return 0;
	}
	if (parent->state != RELOADING)
		return applied->result;
	if (role == ROLE_LOADER) { /* the notes of what would have been mean nothing now */
		parent->answer.applied.line_count = 0;
		for (unsigned i = 0; i < applied->line_count; i++)
			add_line(&parent->answer.applied, "%s", applied->lines[i]);
	}
	end_reload(parent, applied->result);
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

	if (parent->state == WAITING)
		return;
	if (parent->state == RELOADING) {
		message_init(&parent->answer, MESSAGE_RELOADED, parent->asked_id);
		parent->hung_up |=
			!parent->asked; /* who gave a signal waits for no answer, and would not give it again */
		parent->asked = false;
		drop_next(parent);
		notify_send(&parent->notify, "READY=1");
	}
	if (parent->state == READY && now_ns - parent->ready_ns >= HEALTHY_NS)
		parent->backoff_ns = 0;
	parent->backoff_ns = parent->backoff_ns == 0                   ? BACKOFF_FIRST_NS
	                     : parent->backoff_ns < BACKOFF_MAX_NS / 2 ? parent->backoff_ns * 2
	                                                               : BACKOFF_MAX_NS;
	parent->state = WAITING;
	parent->again_ns = now_ns + parent->backoff_ns;
	end_roles(parent, SIGKILL);
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
			struct child *child = &parent->children[i];

			if (child->pid != pid)
				continue;
			child->pid = 0;
			child->silent_ns = 0;
			if (i == ROLE_MESSENGER) {
				messenger_ended(parent, status);
				continue;
			}
			/*
			 * Who sees first that another has gone may end before it: the cause is said, if it was not our
			 * doing.
			 */
			if (parent->state == WAITING && WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
				say_end((enum role)i, status);
			if (parent->stopping || parent->state == WAITING)
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
			begin_reload(parent, false, 0);
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
		    parent->state != WAITING)
			return true;
	return false;
}

static int wait_ms(const struct parent *parent, int64_t now_ns)
{
	int64_t wait_ns = SILENT_NS;

	if (parent->state == WAITING && now_ns >= parent->again_ns)
		return 100; /* until the last one has ended */

	if (parent->state == WAITING && parent->again_ns - now_ns < wait_ns)
		wait_ns = parent->again_ns - now_ns;
	if (parent->state == READY && parent->messenger_ns && parent->messenger_ns - now_ns < wait_ns)
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
				stop_messenger(parent);
		}
	if ((fds[0].revents && !take_signals(parent, &unasked)) || parent->off)
		return 0;
	if (parent->hung_up && parent->state == READY) {
		parent->hung_up = false;
		begin_reload(parent, false, 0);
	}
	if (parent->messenger_ns && now_ns >= parent->messenger_ns && parent->state == READY)
		start_messenger(parent);
	unasked = unasked || any_silent(parent, now_ns);
	if (unasked && !parent->ever_ready)
		return -1;
	if (unasked)
		fall_over(parent);
	if (parent->state == WAITING && now_ns >= parent->again_ns && !any_alive(parent)) {
		parent->restarts++;
		if (start_roles(parent) != 0)
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
	end_roles(parent, 0);
	for (;;) {
		struct pollfd fd = { .fd = parent->signals, .events = POLLIN };
		struct signalfd_siginfo info;
		int64_t left_ns = until_ns - role_monotonic_ns();

		(void)reap(parent);
		if (!any_alive(parent))
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
	drop_next(parent);
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
		result = prepare(parent);
	}
	if (result == 0)
		result = supervise_signals(&parent->signals);
	if (result == 0)
		result = start_roles(parent);
	if (result == 0) {
		int go_on;

		do
			go_on = turn(parent);
		while (go_on == 1);
		stop(parent);
		result = go_on;
	} else if (any_alive(parent)) {
		stop(parent);
	}
	fini(parent);
	free(parent);
	return result == 0 ? 0 : 1;
}
