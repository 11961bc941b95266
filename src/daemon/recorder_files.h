/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder's files: incidents as they stand, and the streams they can be told from anew (record/archive.h). Where
 * an incident cannot be written it waits, as it last stood, and is tried again once a second; a stream cannot wait, and
 * ends.
 */
#ifndef HOLDFAST_DAEMON_RECORDER_FILES_H
#define HOLDFAST_DAEMON_RECORDER_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/message.h"
#include "record/archive.h"

#define RECORDER_FILES_WAITING_MAX 64 /* incidents that wait; of more the one that has waited longest goes */

struct recorder_files {
	struct archive archive;
	char folder[CONFIG_PATH_SIZE]; /* state_dir */
	struct archive_bounds bounds;
	bool usable; /* its folders are there; else it is tried again */
	unsigned waiting_count;
	struct recorder_waiting {
		struct archive_incident incident;
		int fd;
		uint32_t length;
	} waiting[RECORDER_FILES_WAITING_MAX];
	uint64_t lost;
	int64_t again_ns, say_ns, say_stream_ns; /* of the monotonic clock */
	char state[MESSAGE_TEXT_SIZE];           /* "ok" */
};

/* What goes wrong is said, and tried again; what comes waits meanwhile. */
void recorder_files_begin(struct recorder_files *files, const struct config *config);
void recorder_files_end(struct recorder_files *files);
/* Descriptors stay the caller's; they are read by pread(). */
void recorder_files_incident(struct recorder_files *files, const struct message_incident *message, int fd,
                             int64_t now_ns);
void recorder_files_stream(struct recorder_files *files, const struct message_stream *stream, int fd, int64_t now_ns);
/* Tries again what waits, if it is time to. */
void recorder_files_retry(struct recorder_files *files, int64_t now_ns);

#endif
