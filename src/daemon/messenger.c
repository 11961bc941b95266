/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messenger: unprivileged; tells people, at the places that the configuration names, what the engine says has
 * happened. It is there only where there are such places, and its end is nobody else's: the parent starts another.
 *
 * An alert becomes a delivery for each target. Those to one target go one after the other, in their order; those to
 * several do not wait for each other. What could not be delivered is tried again, after pauses that double, until its
 * time is over. The queue is bounded: what finds no room is counted, not kept.
 *
 * Keys come as descriptors, opened by the parent, and are in the memory of this process alone. A script has a process
 * of its own (runner.h), made before there are keys, that waits for work.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/alert_files.h"
#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/message.h"
#include "daemon/role.h"
#include "daemon/runner.h"
#include "daemon/sandbox.h"
#include "tell/alert.h"
#include "tell/post.h"

#define QUEUE_MAX 256
#define DEADLINE_NS (15 * 60 * NS_PER_S)
#define BACKOFF_FIRST_NS NS_PER_S
#define BACKOFF_MAX_NS (60 * NS_PER_S)
#define STATE_NS NS_PER_S
#define TURN_MS 1000
#define END_NS (2 * NS_PER_S) /* that what waits has when the daemon ends */
#define LAST_MS 50

struct delivery {
	struct alert alert;
	unsigned target;
	uint64_t token;
	uint64_t test_id; /* 0: none */
	int64_t due_ns, until_ns, backoff_ns;
	bool under_way;
};

struct target {
	const struct config_alert *config;
	char key[ALERT_SECRET_SIZE];
	int runner; /* the channel of its script's process; -1 */
	bool failing;
	struct alert_desk desk;
};

struct messenger {
	struct config config;
	unsigned target_count;
	struct target targets[CONFIG_ALERTS_MAX];
	unsigned count;
	struct delivery *queue; /* QUEUE_MAX, in the order in which they came */
	struct post *post;
	uint64_t next_token;
	struct message_alerted state;
	bool changed;
	int64_t told_ns;
	struct message message;
};

/* ---- the queue ---- */

static void add_delivery(struct messenger *messenger, const struct alert *alert, unsigned target, uint64_t test_id)
{
	int64_t now_ns = role_monotonic_ns();

	if (messenger->count == QUEUE_MAX) {
		messenger->state.unsaid++;
		return;
	}
	messenger->queue[messenger->count++] = (struct delivery){
		.alert = *alert,
		.target = target,
		.token = ++messenger->next_token,
		.test_id = test_id,
		.due_ns = now_ns,
		.until_ns = now_ns + DEADLINE_NS,
		.backoff_ns = BACKOFF_FIRST_NS,
	};
	messenger->changed = true;
}

static void remove_delivery(struct messenger *messenger, unsigned index)
{
	messenger->count--;
	memmove(&messenger->queue[index], &messenger->queue[index + 1],
	        (messenger->count - index) * sizeof(*messenger->queue));
	messenger->changed = true;
}

static void take_alert(struct messenger *messenger, const struct alert *from)
{
	for (unsigned i = 0; i < messenger->target_count; i++) {
		struct target *target = &messenger->targets[i];
		struct alert alert = *from;

		if (alert_desk_takes(&target->desk, role_monotonic_ns(), target->config->target.min_pps, &alert))
			add_delivery(messenger, &alert, i, 0);
	}
}

static void answer_test(struct messenger *messenger, uint64_t id, int result, const char *what)
{
	struct message *message = &messenger->message;

	message_init(message, MESSAGE_TESTED, id);
	message->answer.result = result;
	message_text(message->answer.what, sizeof(message->answer.what), what);
	message_text(message->answer.hint, sizeof(message->answer.hint),
	             result ? "is its address right, and its key? doc/alerts.md says what each type wants" : "");
	(void)message_send(ROLE_FD_ENGINE, message, NULL, 0);
}

static void take_test(struct messenger *messenger, uint64_t id, const char *name)
{
	int64_t now_ns = role_wall_ns();
	struct alert alert = { .change = ALERT_TEST, .time_ns = now_ns, .began_ns = now_ns };

	message_text(alert.target, sizeof(alert.target), name);
	(void)gethostname(alert.host, sizeof(alert.host) - 1);
	for (unsigned i = 0; i < messenger->target_count; i++)
		if (strcmp(messenger->targets[i].config->target.name, name) == 0 && messenger->count < QUEUE_MAX) {
			add_delivery(messenger, &alert, i, id);
			return;
		}
	answer_test(messenger, id, -ENOENT, "the messenger has no such target, or no room");
}

/* ---- delivering ---- */

static void say_outcome(struct messenger *messenger, struct target *target, int result, const char *what)
{
	const char *name = target->config->target.name;
	char *state = messenger->state.state;

	if (result != 0) {
		LOG_SAY(LOG_ERROR, "alert to %s: %s", name, what);
		(void)snprintf(state, sizeof(messenger->state.state), "%s: %s", name, what);
	} else if (target->failing) {
		LOG_SAY(LOG_NOTICE, "alerts to %s arrive again", name);
		message_text(state, sizeof(messenger->state.state), "ok");
		for (unsigned i = 0; i < messenger->target_count; i++)
			if (messenger->targets[i].failing && &messenger->targets[i] != target)
				(void)snprintf(state, sizeof(messenger->state.state), "%s: fails",
				               messenger->targets[i].config->target.name);
	}
	target->failing = result != 0;
}

/* A delivery came to an end, this time: 0, -EAGAIN, or -EPERM. A test has but one time. */
static void settle(struct messenger *messenger, uint64_t token, int result, const char *what)
{
	int64_t now_ns = role_monotonic_ns();
	unsigned index = 0;
	struct delivery *delivery;

	while (index < messenger->count && messenger->queue[index].token != token)
		index++;
	if (index == messenger->count)
		return;
	delivery = &messenger->queue[index];
	delivery->under_way = false;
	say_outcome(messenger, &messenger->targets[delivery->target], result, what);
	if (delivery->test_id)
		answer_test(messenger, delivery->test_id, result, result || *what ? what : "sent");
	messenger->changed = true;
	if (result == -EAGAIN && !delivery->test_id && now_ns + delivery->backoff_ns < delivery->until_ns) {
		delivery->due_ns = now_ns + delivery->backoff_ns;
		delivery->backoff_ns =
			delivery->backoff_ns < BACKOFF_MAX_NS / 2 ? delivery->backoff_ns * 2 : BACKOFF_MAX_NS;
		return;
	}
	if (result == 0)
		messenger->state.sent++;
	else
		messenger->state.failed++;
	remove_delivery(messenger, index);
}

static int send_job(const struct target *target, const struct alert_request *request, uint64_t token)
{
	static struct runner_job job;

	memset(&job, 0, sizeof(job));
	job.token = token;
	job.length = (uint32_t)(request->length < sizeof(job.input) ? request->length : sizeof(job.input));
	memcpy(job.input, request->body, job.length);
	memcpy(job.arguments, request->arguments, sizeof(job.arguments));
	return send(target->runner, &job, sizeof(job), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* Begins a delivery. True where it is no longer in the queue. */
static bool begin_delivery(struct messenger *messenger, unsigned index)
{
	struct delivery *delivery = &messenger->queue[index];
	const struct target *target = &messenger->targets[delivery->target];
	struct alert_request request;
	int result = alert_request(&target->config->target, target->key, &delivery->alert, &request);

	if (result == -ENOENT) { /* it is not for such a target */
		remove_delivery(messenger, index);
		return true;
	}
	if (result == 0) {
		result = target->config->target.type == ALERT_SCRIPT
		                 ? send_job(target, &request, delivery->token)
		                 : post_send(messenger->post, &request, delivery->token);
		alert_request_fini(&request);
	}
	if (result == 0) {
		delivery->under_way = true;
		return false;
	}
	if (result == -EAGAIN) /* so many are under way that it waits for its turn */
		return false;
	settle(messenger, delivery->token, result == -EINVAL ? -EPERM : -EAGAIN,
	       result == -EINVAL ? "its key or address is none" : strerror(-result));
	return true;
}

/* Of each target the first that waits, when it is due. */
static void begin_due(struct messenger *messenger)
{
	bool busy[CONFIG_ALERTS_MAX] = { false };
	int64_t now_ns = role_monotonic_ns();

	for (unsigned i = 0; i < messenger->count;) {
		const struct delivery *delivery = &messenger->queue[i];
		unsigned target = delivery->target;
		bool waits = busy[target] || delivery->under_way || delivery->due_ns > now_ns;

		/* A test waits for nobody. */
		if (delivery->test_id && !delivery->under_way)
			waits = false;
		busy[target] = busy[target] || !delivery->test_id;
		if (waits || !begin_delivery(messenger, i))
			i++;
	}
}

static int wait_ms(const struct messenger *messenger)
{
	int64_t now_ns = role_monotonic_ns(), least_ns = TURN_MS * NS_PER_MS;

	for (unsigned i = 0; i < messenger->count; i++) {
		int64_t left_ns = messenger->queue[i].due_ns - now_ns;

		if (!messenger->queue[i].under_way && left_ns > 0 && left_ns < least_ns)
			least_ns = left_ns;
	}
	return (int)(least_ns / NS_PER_MS) + 1;
}

/* ---- others ---- */

static void tell_state(struct messenger *messenger, int64_t now_ns)
{
	struct message *message = &messenger->message;

	if (!messenger->changed && now_ns - messenger->told_ns < 10 * STATE_NS)
		return;
	message_init(message, MESSAGE_ALERTED, 0);
	message->alerted = messenger->state;
	message->alerted.queued = messenger->count;
	for (unsigned i = 0; i < messenger->target_count; i++)
		message->alerted.unsaid += messenger->targets[i].desk.unsaid;
	if (message_send(ROLE_FD_ENGINE, message, NULL, 0) == 0) {
		messenger->changed = false;
		messenger->told_ns = now_ns;
	}
}

static int listen_to_engine(struct messenger *messenger)
{
	for (;;) {
		struct message *message = &messenger->message;
		int fds[MESSAGE_FDS_MAX];
		unsigned fd_count;
		int result = message_receive(ROLE_FD_ENGINE, MESSAGE_ENGINE_TO_MESSENGER, message, fds, &fd_count);

		if (result == -EAGAIN)
			return 0;
		if (result != 0)
			return result;
		if (message->type == MESSAGE_ALERT)
			take_alert(messenger, &message->alert);
		else
			take_test(messenger, message->id, message->target);
	}
}

/* False: a script's process has ended, which nobody can begin here any more. */
static bool listen_to_runners(struct messenger *messenger)
{
	bool alive = true;

	for (unsigned i = 0; i < messenger->target_count; i++) {
		struct target *target = &messenger->targets[i];
		struct runner_result result;
		ssize_t got;

		if (target->runner < 0)
			continue;
		while ((got = recv(target->runner, &result, sizeof(result), MSG_DONTWAIT)) == (ssize_t)sizeof(result)) {
			result.what[sizeof(result.what) - 1] = '\0';
			settle(messenger, result.token, result.result, result.result ? result.what : "exit status 0");
		}
		if (got >= 0 || (errno != EAGAIN && errno != EINTR)) {
			LOG_SAY(LOG_ERROR, "alert to %s: the process that runs its script has ended",
			        target->config->target.name);
			(void)close(target->runner);
			target->runner = -1;
			alive = false;
		}
	}
	return alive;
}

/* ---- beginning ---- */

static void end_with(int channel)
{
	if (channel >= 0)
		(void)close(channel);
}

/* The script's process: of the same user, and with nothing in its memory that it should not have. */
static int start_runner(struct messenger *messenger, struct target *target, const struct role_start *start)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		int place = ROLE_FD_PARENT;

		if (dup2(ends[1], place) < 0 || close_range((unsigned)place + 1, ~0U, 0) != 0 ||
		    sandbox_give_up(start->uid, start->gid) != 0)
			_exit(1);
		(void)alarm(0);
		log_begin("runner");
		runner_serve(place, target->config->script);
		_exit(0);
	}
	(void)close(ends[1]);
	if (pid < 0) {
		(void)close(ends[0]);
		return -errno;
	}
	target->runner = ends[0];
	(void)messenger;
	return 0;
}

static int take_targets(struct messenger *messenger, const struct role_start *start, const int *fds, unsigned fd_count)
{
	unsigned next = 0;
	int result = 0;

	messenger->target_count = messenger->config.alert_count;
	for (unsigned i = 0; i < messenger->target_count && result == 0; i++) {
		struct target *target = &messenger->targets[i];

		target->config = &messenger->config.alerts[i];
		if (target->config->target.type == ALERT_SCRIPT)
			result = start_runner(messenger, target, start);
	}
	for (unsigned i = 0; i < messenger->target_count && result == 0; i++)
		if (messenger->targets[i].config->key_file[0])
			result = next < fd_count ? alert_key_read(fds[next++], messenger->targets[i].key) : -EBADMSG;
	return result;
}

static int give_up_rights(const struct role_start *start)
{
	return sandbox_give_up(start->uid, start->gid);
}

static int close_doors(void)
{
	int result = sandbox_excuse(sandbox_confine_to_network());

	return result == 0 ? sandbox_filter(ROLE_MESSENGER) : result;
}

static int begin(struct messenger *messenger, const struct role_start *start, uint64_t *serial,
                 char error[CONFIG_ERROR_SIZE])
{
	int fds[MESSAGE_FDS_MAX];
	unsigned fd_count = 0;
	int result = role_take_config(&messenger->message, fds, &fd_count, &messenger->config, error);

	*serial = messenger->message.config.serial;
	if (result != 0)
		return result;
	result = take_targets(messenger, start, fds, fd_count);
	for (unsigned i = 0; i < fd_count; i++)
		(void)close(fds[i]);
	if (result == 0)
		result = give_up_rights(start);
	if (result == 0)
		result = post_new(&messenger->post);
	if (result == 0)
		result = close_doors();
	if (result != 0)
		(void)snprintf(error, CONFIG_ERROR_SIZE, "alerts cannot be sent: %s", strerror(-result));
	message_text(messenger->state.state, sizeof(messenger->state.state), "ok");
	messenger->changed = true;
	return result;
}

/* ---- life ---- */

static unsigned poll_list(const struct messenger *messenger, struct pollfd fds[POST_MAX])
{
	unsigned count = 0;

	fds[count++] = (struct pollfd){ .fd = ROLE_FD_PARENT };
	fds[count++] = (struct pollfd){ .fd = ROLE_FD_ENGINE };
	for (unsigned i = 0; i < messenger->target_count && count < POST_MAX; i++)
		if (messenger->targets[i].runner >= 0)
			fds[count++] = (struct pollfd){ .fd = messenger->targets[i].runner };
	return count;
}

/* False: it cannot go on. */
static bool go_on(struct messenger *messenger)
{
	struct post_result result;
	bool alive = listen_to_runners(messenger);

	while (post_next(messenger->post, &result))
		settle(messenger, result.token, result.result, result.what);
	begin_due(messenger);
	tell_state(messenger, role_monotonic_ns());
	return alive;
}

/* What the engine says at its end, and what waits, has a moment still. */
static void last_words(struct messenger *messenger)
{
	int64_t until_ns = role_monotonic_ns() + END_NS;
	struct pollfd fd = { .fd = ROLE_FD_ENGINE };
	bool engine = true;

	(void)alarm(ROLE_ALARM_S);
	while ((engine || messenger->count) && role_monotonic_ns() < until_ns) {
		if (post_wait(messenger->post, &fd, engine, LAST_MS) != 0)
			return;
		engine = engine && listen_to_engine(messenger) == 0;
		(void)go_on(messenger);
	}
}

/*
 * Until the channel to the parent, or that to the engine, closes; or a script's process has ended: the parent begins
 * another messenger, which has one.
 */
static void live(struct messenger *messenger)
{
	for (;;) {
		struct pollfd fds[POST_MAX];
		unsigned count = poll_list(messenger, fds);

		(void)alarm(ROLE_ALARM_S);
		if (post_wait(messenger->post, fds, count, wait_ms(messenger)) != 0)
			return;
		if (fds[0].revents || (fds[1].revents && listen_to_engine(messenger) != 0))
			break;
		if (!go_on(messenger))
			break;
	}
	last_words(messenger);
}

int messenger_role(const struct role_start *start)
{
	struct messenger *messenger = calloc(1, sizeof(*messenger));
	char error[CONFIG_ERROR_SIZE] = "out of memory";
	uint64_t serial = 0;
	int result = -ENOMEM;

	if (!messenger)
		return 1;
	for (unsigned i = 0; i < CONFIG_ALERTS_MAX; i++)
		messenger->targets[i].runner = -1;
	messenger->queue = calloc(QUEUE_MAX, sizeof(*messenger->queue));
	if (messenger->queue)
		result = begin(messenger, start, &serial, error);
	role_tell_applied(&messenger->message, serial, result, (const char(*)[CONFIG_ERROR_SIZE]) & error, result != 0);
	if (result == 0)
		live(messenger);
	post_free(messenger->post);
	for (unsigned i = 0; i < CONFIG_ALERTS_MAX; i++)
		end_with(messenger->targets[i].runner);
	explicit_bzero(messenger->targets, sizeof(messenger->targets));
	config_fini(&messenger->config);
	free(messenger->queue);
	free(messenger);
	return result == 0 ? 0 : 1;
}
