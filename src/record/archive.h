/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Incidents and the streams that they are told from, as files, so that whoever may read them needs no daemon:
 *
 *     FOLDER/incidents/ID.json       an incident as it last stood: a head in one line, and its analysis as it was given
 *         {"schema":"holdfast.incident/1","id":"…","state":"open","service":"web",…,"analysis":
 *         { "schema": "holdfast.analysis/1", … }
 *         }
 *     FOLDER/streams/ID.hfs          the stream of the generation that it was seen in (engine/stream.h)
 *     FOLDER/streams/g….part         the stream of a generation that lasts; what has a name too is the same file
 *
 * An ID is sixteen hexadecimal digits. A file is whole or not there, but for a stream, which grows; folders are 0750,
 * files 0640 by the umask of who writes. Bounded in number and size: where there is more, the oldest go that are over.
 *
 * Functions return 0 or -errno. Nothing here logs.
 */
#ifndef HOLDFAST_RECORD_ARCHIVE_H
#define HOLDFAST_RECORD_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARCHIVE_SCHEMA "holdfast.incident/1"
#define ARCHIVE_INCIDENTS_MAX 1024
#define ARCHIVE_STREAMS_MAX 64
#define ARCHIVE_STREAM_OCTETS_MAX (256u << 20)          /* of one */
#define ARCHIVE_STREAMS_OCTETS_MAX (4ULL << 30)         /* of all that are kept */
#define ARCHIVE_WRITERS_MAX 4                           /* generations that last at a time */
#define ARCHIVE_ANALYSIS_MAX (64u << 20)                /* octets of one that is read */
#define ARCHIVE_PATH_SIZE 256                           /* of the folder */
#define ARCHIVE_FILE_PATH_SIZE (ARCHIVE_PATH_SIZE + 64) /* of a file in it */
#define ARCHIVE_TEXT_SIZE 80

enum archive_state {
	ARCHIVE_OPEN,
	ARCHIVE_OVER,  /* its end has been seen; what is known of it is not all made out */
	ARCHIVE_FINAL, /* nothing more comes */
	ARCHIVE_LEFT,  /* it was open when who wrote came to an end */
	ARCHIVE_STATES,
};

/* "open", "over", "final", "left": stable words. */
const char *archive_state_name(enum archive_state state);

/* The head of an incident. Times are nanoseconds since the Unix epoch; ended_ns 0: it had not. */
struct archive_incident {
	uint64_t id, generation;
	enum archive_state state;
	int64_t began_ns, ended_ns;
	uint64_t peak_pps, peak_bps;
	char service[ARCHIVE_TEXT_SIZE]; /* "": none that is configured */
	char target[ARCHIVE_TEXT_SIZE], vector[ARCHIVE_TEXT_SIZE];
};

/* ---- for the one that writes ---- */

/* 0: the one above. */
struct archive_bounds {
	uint32_t incidents_max, streams_max;
	uint64_t stream_octets_max, streams_octets_max;
};

struct archive {
	char folder[ARCHIVE_PATH_SIZE];
	struct archive_bounds bounds;
	struct archive_writer {
		uint64_t generation; /* 0: free */
		int fd;
		uint64_t sequence, octets;
		bool cut; /* a segment is missing, or there was no room: what comes is not written */
	} writers[ARCHIVE_WRITERS_MAX];
	uint64_t cut; /* streams that were */
};

/*
 * Makes the folders where they are not. What a writer before has left undone is put in order: streams without a name
 * go, and incidents that were open are ARCHIVE_LEFT.
 */
int archive_open(struct archive *archive, const char *folder, const struct archive_bounds *bounds);
void archive_close(struct archive *archive);
/* `length` octets of `fd` follow in the generation's stream; -EPIPE where it has been cut, now or before. */
int archive_segment(struct archive *archive, uint64_t generation, uint64_t sequence, int fd, uint32_t length);
/* The generation's stream is an incident's too. */
int archive_keep(struct archive *archive, uint64_t generation, uint64_t incident);
/* The generation has ended: its stream is closed, and gone where it has no other name. */
void archive_drop(struct archive *archive, uint64_t generation);
/* `length` octets of JSON from `fd` are the analysis. On the disk when 0 is returned. */
int archive_put(struct archive *archive, const struct archive_incident *incident, int fd, uint32_t length);
/*
 * Streams of incidents that are over since before `ended_before_ns` go: they have addresses of single hosts in them.
 * Needs no archive that is open. Returns how many went, or -errno.
 */
int archive_expire(const char *folder, int64_t ended_before_ns);
/* It is none after all. */
void archive_remove(struct archive *archive, uint64_t incident);

/*
 * An incident from elsewhere, beside whoever has the archive open: nothing is put in order, nothing has to go. Folders
 * are made where they are not.
 */
int archive_add(const char *folder, const struct archive_incident *incident, int fd, uint32_t length);

/* ---- for those that read ---- */

/*
 * Incidents, the latest beginning first; what is no incident is passed over. Returns how many, at most `max`, or
 * -errno; the caller frees *incidents.
 */
int archive_list(const char *folder, unsigned max, struct archive_incident **incidents);
/*
 * `name`: the beginning of one ID, or "latest". -ENOENT: there is none; -EEXIST: there are several; -EINVAL: it is no
 * beginning of an ID.
 */
int archive_find(const char *folder, const char *name, struct archive_incident *incident);
/*
 * The file, whole, NUL-terminated; `analysis` is where the analysis begins and `analysis_length` how long it is. The
 * caller frees *text. -EBADMSG where it is no incident's.
 */
int archive_read(const char *folder, uint64_t id, char **text, size_t *length, const char **analysis,
                 size_t *analysis_length);
/* The path of its stream, whether or not there is one. */
void archive_stream_path(const char *folder, uint64_t id, char path[ARCHIVE_FILE_PATH_SIZE]);

#endif
