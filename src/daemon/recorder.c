/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder: alone has the database, and waits for the disk so that nobody else does. What comes is taken together
 * in batches, a transaction each. Where the disk is full, the batch is kept and tried again once a second; meanwhile
 * nothing more is taken, the channel fills, and then the engine's queue, which counts what it cannot keep. Incidents
 * and streams are files (recorder_files.h), and so is who is being dropped (recorder_dropped.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/checkpoint.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/log.h"
#include "daemon/message.h"
#include "daemon/recorder_dropped.h"
#include "daemon/recorder_files.h"
#include "daemon/recorder_ledger.h"
#include "daemon/role.h"
#include "daemon/sandbox.h"
#include "record/ledger.h"
#include "record/record.h"

#define BATCH_MAX 64 /* messages in one transaction */
#define ACTIONS_MAX (BATCH_MAX * MESSAGE_PREFIXES_MAX)
#define RETRY_NS NS_PER_S
#define LAST_WORDS_NS (2 * NS_PER_S) /* that the engine has once the parent has gone */
#define BOOT_PATH "/proc/sys/kernel/random/boot_id"
#define BOOT_SIZE 64

struct recorder {
	struct record *record;            /* NULL: to be opened again */
	bool broken;                      /* and then it is put aside */
	char folder[CONFIG_PATH_SIZE];    /* state_dir */
	char path[CONFIG_PATH_SIZE + 16]; /* of the database */
	unsigned batch_count;             /* messages that wait to be written */
	struct message_record *batch;
	struct record_action *actions;
	char (*objects)[PREFIX_TEXT_SIZE]; /* texts of prefixes */
	uint64_t written;
	int64_t again_ns; /* not tried before */
	int64_t say_ns;   /* nor complained of */
	int64_t say_dropped_ns;
	char boot[BOOT_SIZE]; /* the kernel's name for this time that the host runs; "" */
	bool rebooted;        /* since what is in force was last put in */
	char state[MESSAGE_TEXT_SIZE];
	struct recorder_files files;
	struct recorder_ledger ledger;
	struct message message;
};

static int open_record(struct recorder *recorder, struct record_error *error)
{
	struct record_options options = { .path = recorder->path, .broken = recorder->broken };
	char put_aside[RECORD_PATH_SIZE];
	int result = record_open(&options, &recorder->record, put_aside, error);

	if (put_aside[0])
		LOG_SAY(LOG_ERROR, "%s was broken and is now %s; a new record begins", recorder->path, put_aside);
	recorder->broken = recorder->broken && result != 0;
	return result;
}

/* Before files are out of reach. */
static void read_boot(struct recorder *recorder)
{
	int fd = open(BOOT_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, recorder->boot, sizeof(recorder->boot) - 1) : 0;

	recorder->boot[got > 0 ? strcspn(recorder->boot, "\n") : 0] = '\0';
	if (fd >= 0)
		(void)close(fd);
}

/* ---- writing ---- */

static enum record_kind kind_of(const struct message_record *record)
{
	if (strcmp(record->outcome, "done") != 0)
		return RECORD_NOTHING;
	if (strcmp(record->command, "block") == 0)
		return record->prefixes.count ? RECORD_BLOCK : RECORD_RULE;
	if (strcmp(record->command, "allow") == 0)
		return RECORD_ALLOW;
	if (strcmp(record->command, "release") == 0 && !record->prefixes.count)
		return RECORD_RULE;
	return RECORD_NOTHING;
}

static struct record_action *add_action(struct recorder *recorder, unsigned *count, const struct message_record *record,
                                        const char *object, enum record_kind kind)
{
	struct record_action *action = &recorder->actions[*count];

	*action = (struct record_action){
		.time_ns = record->time_ns,
		.uid = record->uid,
		.user = record->user,
		.client = record->client,
		.command = record->command,
		.object = object,
		.arguments = record->arguments,
		.outcome = record->outcome,
		.message = record->what,
		.kind = kind,
		.until_ns = kind == RECORD_NOTHING ? 0 : record->until_ns,
	};
	if (kind == RECORD_RULE && record->until_ns) {
		action->rule = (struct record_rule){ .scope = "",
			                             .match = record->rule.match,
			                             .action = rule_action_name((enum rule_action)record->rule.action),
			                             .reason = record->rule.reason,
			                             .rate_pps = record->rule.rate_pps,
			                             .shadow = record->rule.shadow != 0 };
	}
	(*count)++;
	return action;
}

/* A message becomes an action for each of its prefixes, or one. */
static void add_message(struct recorder *recorder, unsigned *count, unsigned *texts,
                        const struct message_record *record)
{
	bool release = strcmp(record->command, "release") == 0 && strcmp(record->outcome, "done") == 0;
	enum record_kind kind = kind_of(record);

	for (uint32_t i = 0; i < record->prefixes.count; i++) {
		struct prefix prefix = message_prefix(&record->prefixes.prefix[i]);
		const char *text = prefix_format(&prefix, recorder->objects[(*texts)++]);

		(void)add_action(recorder, count, record, text, release ? RECORD_BLOCK : kind);
	}
	if (record->prefixes.count == 0) {
		struct record_action *action = add_action(recorder, count, record, record->object, kind);

		if (kind == RECORD_RULE && record->until_ns) {
			struct prefix scope = message_prefix(&record->rule.scope);

			action->rule.scope = prefix_format(&scope, recorder->objects[(*texts)++]);
		}
	}
}

static void settle(struct recorder *recorder, int result, const struct record_error *error)
{
	if (result == 0) {
		recorder->written += recorder->batch_count;
		recorder->again_ns = 0;
		recorder->batch_count = 0;
		if (strcmp(recorder->state, "ok") != 0)
			LOG_SAY(LOG_NOTICE, "the record is written again");
		recorder->say_ns = 0;
		(void)snprintf(recorder->state, sizeof(recorder->state), "ok");
		return;
	}
	if (result == -ENOSPC)
		(void)snprintf(recorder->state, sizeof(recorder->state), "disk full");
	else
		(void)snprintf(recorder->state, sizeof(recorder->state), "failed: %.200s", error->message);
	recorder->again_ns = role_monotonic_ns() + RETRY_NS;
}

static void write_batch(struct recorder *recorder)
{
	struct record_error error = { .message = "" };
	unsigned count = 0, texts = 0;
	int64_t now_ns = role_monotonic_ns();
	int result = 0;

	if (recorder->batch_count == 0 || now_ns < recorder->again_ns)
		return;
	if (!recorder->record)
		result = open_record(recorder, &error);
	if (result == 0) {
		for (unsigned i = 0; i < recorder->batch_count; i++)
			add_message(recorder, &count, &texts, &recorder->batch[i]);
		result = record_append(recorder->record, recorder->actions, count, &error);
	}
	/*
	 * It is opened anew, and put aside where it is broken. What was opened to be read only stays so whatever comes.
	 */
	if (result == -EBADMSG || result == -EIO || result == -EROFS) {
		record_close(recorder->record);
		recorder->record = NULL;
		recorder->broken = result == -EBADMSG;
	}
	if (result != 0 && now_ns >= recorder->say_ns) { /* it is tried every second, and said every minute */
		LOG_SAY(LOG_ERROR, "%s: %s%s%s", recorder->path, error.message, error.advice[0] ? "; " : "",
		        error.advice);
		recorder->say_ns = now_ns + LOG_PERIOD_S * NS_PER_S;
	}
	settle(recorder, result, &error);
}

static void tell_state(struct recorder *recorder)
{
	struct message *message = &recorder->message;

	message_init(message, MESSAGE_RECORDED, 0);
	message->recorded.written = recorder->written;
	message->recorded.incidents_lost = recorder->files.lost;
	message->recorded.streams_cut = recorder->files.archive.cut;
	message_text(message->recorded.state, sizeof(message->recorded.state),
	             strcmp(recorder->state, "ok") == 0 ? recorder->files.state : recorder->state);
	(void)message_send(ROLE_FD_ENGINE, message, NULL, 0); /* where there is no room the next one says it */
}

/* ---- what is in force ---- */

struct telling {
	struct recorder *recorder;
	int64_t now_ns;
	uint64_t id;
};

static int tell_one(void *context, const struct record_action *action)
{
	const struct telling *telling = context;
	struct message *message = &telling->recorder->message;
	struct message_in_force *in_force = &message->in_force;
	enum rule_action rule_action;
	struct prefix prefix;

	message_init(message, MESSAGE_IN_FORCE, telling->id);
	in_force->for_ns = action->until_ns - telling->now_ns;
	if (action->kind == RECORD_RULE) {
		if (prefix_parse(action->rule.scope, &prefix) != 0 ||
		    rule_action_parse(action->rule.action, &rule_action) != 0)
			return 0;
		in_force->kind = MESSAGE_KIND_RULE;
		message_put_prefix(&in_force->rule.scope, &prefix);
		in_force->rule.action = (uint32_t)rule_action;
		in_force->rule.rate_pps = action->rule.rate_pps;
		in_force->rule.shadow = action->rule.shadow;
		in_force->rule.number = (uint32_t)strtoul(action->object + (action->object[0] == 'r'), NULL, 10);
		in_force->rule.made_by = action->uid;
		in_force->rule.made_ns = action->time_ns;
		in_force->rule.for_ns = in_force->for_ns;
		message_text(in_force->rule.match, sizeof(in_force->rule.match), action->rule.match);
		message_text(in_force->rule.reason, sizeof(in_force->rule.reason), action->rule.reason);
	} else {
		if (prefix_parse(action->object, &prefix) != 0)
			return 0;
		in_force->kind = action->kind == RECORD_BLOCK ? MESSAGE_KIND_BLOCK : MESSAGE_KIND_ALLOW;
		message_put_prefix(&in_force->prefix, &prefix);
	}
	/* A row that no message can say, for who wrote it had another bound, is passed over. */
	if (message_check(MESSAGE_RECORDER_TO_ENGINE, message, message_size(MESSAGE_IN_FORCE), 0) != 0)
		return 0;
	return role_send_waiting(ROLE_FD_ENGINE, message);
}

/* What is gone or unreadable is learned again. */
static int tell_learned(struct recorder *recorder, uint64_t id)
{
	struct message *message = &recorder->message;
	int fd, result;

	message_init(message, MESSAGE_LEARNED, id);
	result = checkpoint_open(recorder->folder, &fd, &message->checkpoint.length);
	if (result != 0) {
		if (result != -ENOENT)
			LOG_SAY(LOG_WARNING, "%s/" CHECKPOINT_NAME ": %s; what is usual is learned anew",
			        recorder->folder, strerror(-result));
		return 0;
	}
	result = role_send_file_waiting(ROLE_FD_ENGINE, message, fd);
	(void)close(fd);
	return result;
}

/*
 * What is in force is wanted where the shield is new because its layout is, or because the host has begun anew. Where
 * it is new and the host has run all the while, somebody has taken it away: then nothing is in force any more.
 */
static int tell_in_force(struct recorder *recorder, uint64_t id, enum shield_origin origin)
{
	struct telling telling = { .recorder = recorder, .now_ns = role_wall_ns(), .id = id };
	struct record_error error = { .message = "" };
	uint32_t highest = 0;
	int result = 0;

	if (recorder->record) {
		if (origin == SHIELD_NEW && !recorder->rebooted)
			result = record_forget_in_force(recorder->record, &error);
		else if (origin == SHIELD_REPLACED || recorder->rebooted)
			result = record_each_in_force(recorder->record, telling.now_ns, tell_one, &telling, &error);
		if (result == 0)
			result = record_highest_rule(recorder->record, &highest, &error);
	}
	if (result == -EPIPE)
		return result;
	if (result != 0)
		LOG_SAY(LOG_ERROR, "%s: %s; what was in force before is not all put in again", recorder->path,
		        error.message);
	result = tell_learned(recorder, id);
	if (result != 0)
		return result;
	message_init(&recorder->message, MESSAGE_IN_FORCE, id);
	recorder->message.in_force.highest = highest < INT32_MAX ? highest : 0;
	return role_send_waiting(ROLE_FD_ENGINE, &recorder->message);
}

/* What was in force before the host began anew is in force again, once and for all. */
static void note_boot(struct recorder *recorder)
{
	struct record_error error = { .message = "" };

	if (recorder->record && recorder->rebooted &&
	    record_note_boot(recorder->record, recorder->boot, &error) !=
	            0) /* then it is put in once more, which is no harm */
		LOG_SAY(LOG_WARNING, "%s: %s", recorder->path, error.message);
}

/* ---- what was learned ---- */

static void keep_learned(const struct recorder *recorder, int fd, uint32_t length)
{
	int result = checkpoint_keep(recorder->folder, fd, length);

	if (result != 0)
		LOG_SAY(LOG_ERROR, "%s/" CHECKPOINT_NAME ": what was learned is not kept: %s", recorder->folder,
		        strerror(-result));
}

/* ---- who is being dropped ---- */

static void keep_dropped(struct recorder *recorder, const struct message_dropped *message, int fd)
{
	int64_t now_ns = role_monotonic_ns();
	int result = recorder_dropped_keep(recorder->folder, message, fd, (struct capture_time){ role_wall_ns() });

	if (result == 0 || now_ns < recorder->say_dropped_ns)
		return;
	LOG_SAY(LOG_ERROR, "%s/" DAEMON_DROPPED_NAME ": who is being dropped is not told: %s", recorder->folder,
	        strerror(-result));
	recorder->say_dropped_ns = now_ns + LOG_PERIOD_S * NS_PER_S;
}

/* As a file; and its trace in the ledger, as it stood when it was over and as it was told in the end. */
static void keep_incident(struct recorder *recorder, const struct message_incident *incident, int fd)
{
	int64_t now_ns = role_monotonic_ns();

	recorder_files_incident(&recorder->files, incident, fd, now_ns);
	if (fd >= 0 && (incident->state == MESSAGE_INCIDENT_OVER || incident->state == MESSAGE_INCIDENT_FINAL))
		recorder_ledger_trace(&recorder->ledger, incident->id, fd, incident->length, now_ns);
}

/* ---- life ---- */

/*
 * Takes what has come, up to a batch. 0, or -EPIPE where nobody is left. Who asked and has gone gets no answer; what it
 * said behind its question is taken all the same.
 */
static int take(struct recorder *recorder)
{
	while (recorder->batch_count < BATCH_MAX) {
		struct message *message = &recorder->message;
		int fds[MESSAGE_FDS_MAX];
		unsigned fd_count;
		int result = message_receive(ROLE_FD_ENGINE, MESSAGE_ENGINE_TO_RECORDER, message, fds, &fd_count);

		if (result == -EAGAIN)
			return 0;
		if (result != 0)
			return result;
		if (message->type == MESSAGE_CHECKPOINT)
			keep_learned(recorder, fds[0], message->checkpoint.length);
		else if (message->type == MESSAGE_INCIDENT)
			keep_incident(recorder, &message->incident, fd_count ? fds[0] : -1);
		else if (message->type == MESSAGE_DROPPED)
			keep_dropped(recorder, &message->dropped, fds[0]);
		else if (message->type == MESSAGE_STREAM)
			recorder_files_stream(&recorder->files, &message->stream, fd_count ? fds[0] : -1,
			                      role_monotonic_ns());
		for (unsigned i = 0; i < fd_count; i++)
			(void)close(fds[i]);
		if (message->type == MESSAGE_RECORD)
			recorder->batch[recorder->batch_count++] = message->record;
		else if (message->type == MESSAGE_SIGNALS)
			recorder_ledger_signals(&recorder->ledger, &message->signals, role_monotonic_ns());
		else if (message->type == MESSAGE_SETTLED)
			note_boot(recorder);
		else if (message->type == MESSAGE_ASK)
			result = tell_in_force(recorder, message->id, (enum shield_origin)message->number);
		if (result != 0 && result != -EPIPE)
			return result;
	}
	return 0;
}

/* Whether something waits to be written. */
static bool is_busy(const struct recorder *recorder)
{
	return recorder->batch_count > 0 || recorder->files.waiting_count > 0 || !recorder->files.usable;
}

/*
 * Until the engine has gone. Where the parent goes first it has told the engine too, whose last words are worth having.
 */
static void live(struct recorder *recorder)
{
	int64_t until_ns = INT64_MAX;

	while (role_monotonic_ns() < until_ns) {
		bool full = recorder->batch_count == BATCH_MAX;
		struct pollfd fds[2] = {
			{ .fd = until_ns == INT64_MAX ? ROLE_FD_PARENT : -1, .events = POLLIN },
			{ .fd = full ? -1 : ROLE_FD_ENGINE, .events = POLLIN },
		};

		(void)alarm(ROLE_LONG_S); /* a disk that others write to may take its time */
		if (poll(fds, 2, is_busy(recorder) || until_ns != INT64_MAX ? 200 : 5000) < 0 && errno != EINTR)
			return;
		if (fds[0].revents)
			until_ns = role_monotonic_ns() + LAST_WORDS_NS;
		if (fds[1].revents && take(recorder) != 0)
			break;
		if (is_busy(recorder) || fds[1].revents) {
			write_batch(recorder);
			recorder_files_retry(&recorder->files, role_monotonic_ns());
			tell_state(recorder);
		}
		if (until_ns == INT64_MAX)
			recorder_ledger_expire(&recorder->ledger, role_monotonic_ns(), role_wall_ns());
	}
	/* What it left is still written. */
	(void)alarm(ROLE_LONG_S);
	recorder->again_ns = 0;
	write_batch(recorder);
	recorder->files.again_ns = 0;
	recorder_files_retry(&recorder->files, role_monotonic_ns());
}

/* Gives up what a recorder does not need, and opens the record. On failure a line in `error`. */
static int begin(struct recorder *recorder, const struct role_start *start, char error[CONFIG_ERROR_SIZE])
{
	struct record_error wrong = { .message = "" };
	int fds[MESSAGE_FDS_MAX];
	unsigned fd_count = 0;
	struct config config;
	int result = role_take_config(&recorder->message, fds, &fd_count, &config, error);

	if (result != 0)
		return result;
	(void)alarm(ROLE_LONG_S); /* the record is looked through, perhaps moved to another schema */
	(void)snprintf(recorder->path, sizeof(recorder->path), "%s" LEDGER_FILE, config.state_dir);
	memcpy(recorder->folder, config.state_dir, sizeof(recorder->folder));
	read_boot(recorder);
	result = sandbox_give_up(start->uid, start->gid);
	if (result == 0) {
		(void)umask(0027);
		recorder_files_begin(&recorder->files, &config);
		recorder_ledger_begin(&recorder->ledger, &config, role_monotonic_ns());
		result = sandbox_excuse(sandbox_confine(recorder->folder, NULL));
	}
	config_fini(&config);
	if (result == 0)
		result = sandbox_filter(ROLE_RECORDER);
	if (result != 0) {
		(void)snprintf(error, CONFIG_ERROR_SIZE, "rights cannot be given up: %s", strerror(-result));
		return result;
	}
	result = open_record(recorder, &wrong);
	if (result == 0)
		result = record_is_new_boot(recorder->record, recorder->boot, &recorder->rebooted, &wrong);
	/* Without room or with a broken disk the shield is still worth having: it is tried again. */
	if (result == -ENOSPC || result == -EIO || result == -EBUSY || result == -EROFS) {
		LOG_SAY(LOG_ERROR, "%s: %s; it is tried again, and nothing recorded meanwhile", recorder->path,
		        wrong.message);
		settle(recorder, result, &wrong);
		result = 0;
	}
	if (result != 0)
		(void)snprintf(error, CONFIG_ERROR_SIZE, "%.100s: %.110s%s%.80s", recorder->path, wrong.message,
		               wrong.advice[0] ? "; " : "", wrong.advice);
	return result;
}

int recorder_role(const struct role_start *start)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	char error[CONFIG_ERROR_SIZE] = "out of memory";
	uint64_t serial;
	int result;

	if (!recorder)
		return 1;
	(void)snprintf(recorder->state, sizeof(recorder->state), "ok");
	recorder->batch = calloc(BATCH_MAX, sizeof(*recorder->batch));
	recorder->actions = calloc(ACTIONS_MAX, sizeof(*recorder->actions));
	recorder->objects = calloc(BATCH_MAX * (MESSAGE_PREFIXES_MAX + 1), sizeof(*recorder->objects));
	result = recorder->batch && recorder->actions && recorder->objects ? begin(recorder, start, error) : -ENOMEM;
	serial = recorder->message.config.serial;
	role_tell_applied(&recorder->message, serial, result, (const char(*)[CONFIG_ERROR_SIZE]) & error, result != 0);
	if (result == 0)
		live(recorder);
	recorder_files_end(&recorder->files);
	record_close(recorder->record);
	free(recorder->batch);
	free(recorder->actions);
	free(recorder->objects);
	free(recorder);
	return result == 0 ? 0 : 1;
}
