/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people are told of outages, of statements that are due and of checks that fail: by the messenger, to the targets
 * of `alerts`.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/desk.h"
#include "daemon/log.h"

static void say(void *context, const struct alert *alert)
{
	struct desk *desk = context;
	struct message *word = &desk->word;

	if (desk->life.config.alert_count == 0)
		return;
	message_init(word, MESSAGE_ALERT, 0);
	word->alert = *alert;
	(void)gethostname(word->alert.host, sizeof(word->alert.host) - 1);
	if (desk->channels[SERVE_ROLE_MESSENGER] < 0 ||
	    message_send(desk->channels[SERVE_ROLE_MESSENGER], word, NULL, 0) != 0)
		desk->alerts_lost++;
}

static void keep(struct desk *desk)
{
	int result = desk_told_write(&desk->told, desk->told_path);

	if (result != 0)
		LOG_SAY(LOG_ERROR, "%s: %s; what has been told may be told again", desk->told_path, strerror(-result));
}

void desk_tell_begin(struct desk *desk)
{
	int result;

	(void)snprintf(desk->told_path, sizeof(desk->told_path), "%s" DESK_TOLD_FILE, desk->life.config.state_dir);
	result = desk_told_read(&desk->told, desk->told_path);
	if (result != 0 && result != -ENOENT)
		LOG_SAY(LOG_ERROR, "%s: %s; what has been told may be told again", desk->told_path, strerror(-result));
}

/* Where there are targets and nobody to carry it, it is told when there is. */
static bool can_tell(const struct desk *desk)
{
	return desk->life.config.alert_count == 0 || desk->channels[SERVE_ROLE_MESSENGER] >= 0;
}

void desk_tell_outages(struct desk *desk, int64_t now_ns)
{
	if (can_tell(desk) && desk_told_outages(&desk->told, &desk->result, now_ns, say, desk))
		keep(desk);
}

void desk_tell_checks(struct desk *desk, const struct serve_check *checks, uint32_t count, int64_t now_ns)
{
	if (can_tell(desk) && desk_told_checks(&desk->told, checks, count, now_ns, say, desk))
		keep(desk);
}

struct threads {
	uint32_t count;
	struct statements_thread list[DESK_TOLD_MAX];
	uint32_t more;
};

/* Those that are open: the others are as if there were none. */
static int add_thread(void *context, const struct statements_thread *thread)
{
	struct threads *threads = context;

	if (!thread->open)
		return 0;
	if (threads->count == DESK_TOLD_MAX)
		threads->more++;
	else
		threads->list[threads->count++] = *thread;
	return 0;
}

void desk_tell_due(struct desk *desk, int64_t now_ns)
{
	struct record_error error = { .message = "" };
	struct threads threads = { .count = 0 };

	/* Who checks nothing any more says nothing. */
	if (desk->told.check_count > 0 && desk->life.config.probes.check_count == 0)
		desk_tell_checks(desk, NULL, 0, now_ns);
	if (!can_tell(desk) || statements_thread_each(desk->ledger, add_thread, &threads, &error) != 0)
		return;
	desk->told.untold += threads.more;
	if (desk_told_due(&desk->told, threads.list, threads.count, now_ns, say, desk))
		keep(desk);
}

void desk_tell_standing(struct desk *desk)
{
	desk_told_standing(&desk->told, role_wall_ns(), say, desk);
}

/* How sending goes is for `holdfast status`. */
void desk_hear_messenger(struct desk *desk)
{
	int *channel = &desk->channels[SERVE_ROLE_MESSENGER];
	int fds[MESSAGE_FDS_MAX];
	unsigned fd_count;

	while (*channel >= 0) {
		int result = message_receive(*channel, MESSAGE_MESSENGER_TO_ENGINE, &desk->word, fds, &fd_count);

		if (result == -EAGAIN)
			return;
		if (result != 0) {
			(void)close(*channel);
			*channel = -1;
			return;
		}
		if (desk->word.type == MESSAGE_ALERTED)
			desk->alerted = desk->word.alerted;
	}
}
