/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/recorder_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/log.h"

#define RETRY_NS NS_PER_S
#define MIB_SHIFT 20

static int open_archive(struct recorder_files *files)
{
	int result = archive_open(&files->archive, files->folder, &files->bounds);

	files->usable = result == 0;
	return result;
}

void recorder_files_begin(struct recorder_files *files, const struct config *config)
{
	int result;

	files->bounds = (struct archive_bounds){
		.incidents_max = config->incidents_max,
		.streams_max = config->streams_max,
		.stream_octets_max = (uint64_t)config->stream_mib << MIB_SHIFT,
		.streams_octets_max = (uint64_t)config->streams_mib << MIB_SHIFT,
	};
	message_text(files->folder, sizeof(files->folder), config->state_dir);
	files->waiting_count = 0;
	(void)snprintf(files->state, sizeof(files->state), "ok");
	result = open_archive(files);
	if (result == 0)
		return;
	LOG_SAY(LOG_ERROR, "%s: incidents and streams cannot be kept: %s; incidents wait, and it is tried again",
	        files->folder, strerror(-result));
	(void)snprintf(files->state, sizeof(files->state), "incidents: %s", strerror(-result));
}

/* ---- incidents that wait ---- */

static void forget(struct recorder_files *files, unsigned index)
{
	(void)close(files->waiting[index].fd);
	files->waiting_count--;
	memmove(&files->waiting[index], &files->waiting[index + 1],
	        (files->waiting_count - index) * sizeof(files->waiting[0]));
}

/* What was said of it before no longer counts. */
static void forget_incident(struct recorder_files *files, uint64_t id)
{
	for (unsigned i = 0; i < files->waiting_count; i++)
		if (files->waiting[i].incident.id == id) {
			forget(files, i);
			return;
		}
}

static void keep_waiting(struct recorder_files *files, const struct archive_incident *incident, int fd, uint32_t length)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (own < 0) {
		files->lost++;
		return;
	}
	if (files->waiting_count == RECORDER_FILES_WAITING_MAX) {
		forget(files, 0);
		files->lost++;
	}
	files->waiting[files->waiting_count++] =
		(struct recorder_waiting){ .incident = *incident, .fd = own, .length = length };
}

/* ---- what goes wrong ---- */

static void complain(struct recorder_files *files, int result, int64_t now_ns)
{
	if (result == -ENOSPC || result == -EDQUOT)
		(void)snprintf(files->state, sizeof(files->state), "incidents: disk full");
	else
		(void)snprintf(files->state, sizeof(files->state), "incidents: %s", strerror(-result));
	files->again_ns = now_ns + RETRY_NS;
	if (now_ns < files->say_ns) /* it is tried every second, and said every minute */
		return;
	LOG_SAY(LOG_ERROR, "%s/incidents: %s; incidents wait, and are tried again", files->folder, strerror(-result));
	files->say_ns = now_ns + LOG_PERIOD_S * NS_PER_S;
}

static void settle(struct recorder_files *files)
{
	if (files->waiting_count > 0 || strcmp(files->state, "ok") == 0)
		return;
	LOG_SAY(LOG_NOTICE, "incidents are written again");
	(void)snprintf(files->state, sizeof(files->state), "ok");
	files->say_ns = 0;
}

/* Whether another time may have more luck than this one: not where its sender has cut it short. */
static bool may_wait(int result)
{
	return result != -EBADMSG && result != -EINVAL;
}

/* ---- what comes ---- */

static struct archive_incident incident_of(const struct message_incident *from)
{
	static const enum archive_state states[MESSAGE_INCIDENT_STATES] = {
		[MESSAGE_INCIDENT_OPEN] = ARCHIVE_OPEN,
		[MESSAGE_INCIDENT_OVER] = ARCHIVE_OVER,
		[MESSAGE_INCIDENT_FINAL] = ARCHIVE_FINAL,
	};
	struct archive_incident incident = {
		.id = from->id,
		.generation = from->generation,
		.state = states[from->state],
		.began_ns = from->began_ns,
		.ended_ns = from->ended_ns,
		.peak_pps = from->peak_pps,
		.peak_bps = from->peak_bps,
	};

	message_text(incident.service, sizeof(incident.service), from->service);
	message_text(incident.target, sizeof(incident.target), from->target);
	message_text(incident.vector, sizeof(incident.vector), from->vector);
	return incident;
}

void recorder_files_incident(struct recorder_files *files, const struct message_incident *message, int fd,
                             int64_t now_ns)
{
	struct archive_incident incident;
	int result;

	forget_incident(files, message->id);
	if (message->state == MESSAGE_INCIDENT_JOINED) {
		if (files->usable)
			archive_remove(&files->archive, message->id);
		return;
	}
	incident = incident_of(message);
	if (!files->usable) {
		keep_waiting(files, &incident, fd, message->length);
		return;
	}
	result = archive_put(&files->archive, &incident, fd, message->length);
	if (result == 0) {
		settle(files);
	} else if (may_wait(result)) {
		keep_waiting(files, &incident, fd, message->length);
		complain(files, result, now_ns);
	} else {
		files->lost++;
		LOG_SAY(LOG_ERROR, "an incident is not kept: %s", strerror(-result));
	}
}

void recorder_files_retry(struct recorder_files *files, int64_t now_ns)
{
	if (now_ns < files->again_ns)
		return;
	if (!files->usable) {
		int result = open_archive(files);

		if (result != 0) {
			complain(files, result, now_ns);
			return;
		}
		settle(files);
	}
	while (files->waiting_count > 0) {
		const struct recorder_waiting *waiting = &files->waiting[0];
		int result = archive_put(&files->archive, &waiting->incident, waiting->fd, waiting->length);

		if (result != 0 && may_wait(result)) {
			complain(files, result, now_ns);
			return;
		}
		files->lost += result != 0;
		forget(files, 0);
		settle(files);
	}
}

void recorder_files_stream(struct recorder_files *files, const struct message_stream *stream, int fd, int64_t now_ns)
{
	uint64_t cut = files->archive.cut;
	int result = 0;

	if (!files->usable)
		return;
	if (stream->kind == MESSAGE_STREAM_SEGMENT)
		result = archive_segment(&files->archive, stream->generation, stream->sequence, fd, stream->length);
	else if (stream->kind == MESSAGE_STREAM_KEEP)
		result = archive_keep(&files->archive, stream->generation, stream->incident);
	else
		archive_drop(&files->archive, stream->generation);
	/* Once a stream; of one that has been cut nothing more is said. */
	if (files->archive.cut == cut || now_ns < files->say_stream_ns)
		return;
	LOG_SAY(LOG_WARNING, "%s/streams: a stream ends early: %s; the next begins with the next generation",
	        files->folder, result == -EPIPE ? "it is too long, or a part is missing" : strerror(-result));
	files->say_stream_ns = now_ns + LOG_PERIOD_S * NS_PER_S;
}

void recorder_files_end(struct recorder_files *files)
{
	files->lost += files->waiting_count;
	while (files->waiting_count > 0)
		forget(files, 0);
	if (files->usable)
		archive_close(&files->archive);
	files->usable = false;
}
