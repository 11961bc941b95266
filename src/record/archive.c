/* SPDX-License-Identifier: Apache-2.0 */
#include "record/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "detect/incident_id.h"
#include "tell/build.h"

#define INCIDENTS "incidents"
#define STREAMS "streams"
#define PATH_SIZE ARCHIVE_FILE_PATH_SIZE
#define HEAD_MAX 2048 /* octets of an incident's first line */
#define FOLDER_MODE 0750
#define FILE_MODE 0640
#define HEAD_END ",\"analysis\":\n"
#define FILE_END "}\n"

/* Of which more may come. */
static bool is_live(const struct archive_incident *incident)
{
	return incident->state == ARCHIVE_OPEN || incident->state == ARCHIVE_OVER;
}

static const char *const state_names[ARCHIVE_STATES] = { "open", "over", "final", "left" };

const char *archive_state_name(enum archive_state state)
{
	return (unsigned)state < ARCHIVE_STATES ? state_names[state] : "unknown";
}

/* ------------------------------------------------------------------ names */

static void incident_path(const char *folder, uint64_t id, const char *ending, char path[PATH_SIZE])
{
	(void)snprintf(path, PATH_SIZE, "%s/" INCIDENTS "/%016" PRIx64 "%s", folder, id, ending);
}

void archive_stream_path(const char *folder, uint64_t id, char path[PATH_SIZE])
{
	(void)snprintf(path, PATH_SIZE, "%s/" STREAMS "/%016" PRIx64 ".hfs", folder, id);
}

static void part_path(const char *folder, uint64_t generation, char path[PATH_SIZE])
{
	(void)snprintf(path, PATH_SIZE, "%s/" STREAMS "/g%016" PRIx64 ".part", folder, generation);
}

/* Whether a name is sixteen hexadecimal digits and this ending. */
static bool read_id(const char *name, const char *ending, uint64_t *id)
{
	char *end;

	if (strspn(name, "0123456789abcdef") != INCIDENT_ID_SIZE - 1 ||
	    strcmp(name + INCIDENT_ID_SIZE - 1, ending) != 0)
		return false;
	*id = strtoull(name, &end, 16);
	return true;
}

/* ------------------------------------------------------------------ heads */

/* The first line of a file, up to where the analysis begins; its length, or -ENOMEM. */
static int make_head(const struct archive_incident *i, char head[HEAD_MAX])
{
	char id[INCIDENT_ID_SIZE], generation[INCIDENT_ID_SIZE], *text;
	json_t *json;
	int length;

	incident_id_format(i->id, id);
	(void)snprintf(generation, sizeof(generation), "%016" PRIx64, i->generation);
	json = json_pack("{ss ss ss ss? ss ss so so sI sI sI sI ss}", "schema", ARCHIVE_SCHEMA, "id", id, "state",
	                 archive_state_name(i->state), "service", i->service[0] ? i->service : NULL, "target",
	                 i->target, "vector", i->vector, "began", build_time_or_null(i->began_ns), "ended",
	                 build_time_or_null(i->ended_ns), "began_ns", (json_int_t)i->began_ns, "ended_ns",
	                 (json_int_t)i->ended_ns, "peak_pps", (json_int_t)i->peak_pps, "peak_bps",
	                 (json_int_t)i->peak_bps, "generation", generation);
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (!text || strlen(text) + sizeof(HEAD_END) > HEAD_MAX) {
		free(text);
		return -ENOMEM;
	}
	text[strlen(text) - 1] = '\0'; /* the object goes on */
	length = snprintf(head, HEAD_MAX, "%s" HEAD_END, text);
	free(text);
	return length;
}

static bool take_text(const json_t *json, const char *key, char *into, size_t size)
{
	const json_t *value = json_object_get(json, key);

	into[0] = '\0';
	if (json_is_null(value))
		return true;
	if (!json_is_string(value) || json_string_length(value) >= size)
		return false;
	memcpy(into, json_string_value(value), json_string_length(value) + 1);
	return true;
}

static uint64_t take_number(const json_t *json, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(json, key));

	return value > 0 ? (uint64_t)value : 0;
}

/* Of the octets of a file's beginning: how long its head is, or -EBADMSG. */
static int read_head(const char *octets, size_t length, struct archive_incident *i)
{
	const char *line_end = memchr(octets, '\n', length < HEAD_MAX ? length : HEAD_MAX);
	size_t head = line_end ? (size_t)(line_end - octets) + 1 : 0, body = head - (sizeof(HEAD_END) - 1);
	char text[HEAD_MAX + 2], word[ARCHIVE_TEXT_SIZE], id[INCIDENT_ID_SIZE], generation[INCIDENT_ID_SIZE];
	unsigned state = 0;
	json_t *json;
	bool good;

	if (head < sizeof(HEAD_END) || memcmp(octets + body, HEAD_END, sizeof(HEAD_END) - 1) != 0)
		return -EBADMSG;
	memcpy(text, octets, body);
	memcpy(text + body, "}", 2);
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!json)
		return -EBADMSG;
	*i = (struct archive_incident){ .peak_pps = take_number(json, "peak_pps"),
		                        .peak_bps = take_number(json, "peak_bps"),
		                        .began_ns = (int64_t)take_number(json, "began_ns"),
		                        .ended_ns = (int64_t)take_number(json, "ended_ns") };
	good = take_text(json, "schema", word, sizeof(word)) && strcmp(word, ARCHIVE_SCHEMA) == 0 &&
	       take_text(json, "state", word, sizeof(word)) && take_text(json, "id", id, sizeof(id)) &&
	       take_text(json, "generation", generation, sizeof(generation)) && read_id(id, "", &i->id) &&
	       read_id(generation, "", &i->generation) && take_text(json, "service", i->service, sizeof(i->service)) &&
	       take_text(json, "target", i->target, sizeof(i->target)) &&
	       take_text(json, "vector", i->vector, sizeof(i->vector));
	json_decref(json);
	while (state < ARCHIVE_STATES && strcmp(word, state_names[state]) != 0)
		state++;
	i->state = (enum archive_state)state;
	return good && state < ARCHIVE_STATES ? (int)head : -EBADMSG;
}

/* ------------------------------------------------------------------ reading */

static int by_beginning(const void *left, const void *right)
{
	const struct archive_incident *a = left, *b = right;

	if (a->began_ns != b->began_ns)
		return a->began_ns > b->began_ns ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

static int read_head_of(const char *folder, uint64_t id, struct archive_incident *incident)
{
	char path[PATH_SIZE], head[HEAD_MAX];
	ssize_t got;
	int fd;

	incident_path(folder, id, ".json", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = pread(fd, head, sizeof(head), 0);
	(void)close(fd);
	if (got < 0 || read_head(head, (size_t)got, incident) < 0 || incident->id != id)
		return -EBADMSG;
	return 0;
}

/* All there are, in the order of their beginnings, the latest first. */
static int list_all(const char *folder, struct archive_incident **incidents)
{
	size_t count = 0, room = 64;
	struct archive_incident *made = malloc(room * sizeof(*made));
	char path[PATH_SIZE];
	struct dirent *entry;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "%s/" INCIDENTS, folder);
	directory = opendir(path);
	if (!directory || !made) {
		int result = made ? -errno : -ENOMEM;

		if (directory)
			(void)closedir(directory);
		free(made);
		return result < 0 ? result : -EIO; /* never a count, whatever errno says */
	}
	while ((entry = readdir(directory))) { /* NOLINT(concurrency-mt-unsafe): a stream of one's own */
		uint64_t id;

		if (!read_id(entry->d_name, ".json", &id) || read_head_of(folder, id, &made[count]) != 0)
			continue;
		if (++count == room) {
			struct archive_incident *more = realloc(made, 2 * room * sizeof(*made));

			if (!more) {
				(void)closedir(directory);
				free(made);
				return -ENOMEM;
			}
			made = more;
			room *= 2;
		}
	}
	(void)closedir(directory);
	qsort(made, count, sizeof(*made), by_beginning);
	*incidents = made;
	return (int)count;
}

int archive_list(const char *folder, unsigned max, struct archive_incident **incidents)
{
	int count = list_all(folder, incidents);

	return count > 0 && (unsigned)count > max ? (int)max : count;
}

int archive_find(const char *folder, const char *name, struct archive_incident *incident)
{
	bool latest = strcmp(name, "latest") == 0;
	size_t length = strlen(name);
	struct archive_incident *all;
	int count, found = -1;

	if (!latest && (length == 0 || length >= INCIDENT_ID_SIZE || strspn(name, "0123456789abcdef") != length))
		return -EINVAL;
	count = list_all(folder, &all);
	if (count < 0)
		return count;
	for (int i = 0; i < count; i++) {
		char id[INCIDENT_ID_SIZE];

		incident_id_format(all[i].id, id);
		if (!latest && strncmp(id, name, length) != 0)
			continue;
		if (found >= 0) {
			free(all);
			return -EEXIST;
		}
		found = i;
		if (latest)
			break;
	}
	if (found >= 0)
		*incident = all[found];
	free(all);
	return found >= 0 ? 0 : -ENOENT;
}

static int read_file(const char *path, char **text, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), result = 0;
	struct stat status;
	size_t size;
	char *made;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > ARCHIVE_ANALYSIS_MAX) {
		(void)close(fd);
		return -EBADMSG;
	}
	size = (size_t)status.st_size;
	made = malloc(size + 1);
	if (made)
		result = file_read_at(fd, made, size, 0);
	(void)close(fd);
	if (!made || result != 0) {
		free(made);
		return made ? result : -ENOMEM;
	}
	made[size] = '\0';
	*text = made;
	*length = size;
	return 0;
}

int archive_read(const char *folder, uint64_t id, char **text, size_t *length, const char **analysis,
                 size_t *analysis_length)
{
	struct archive_incident incident;
	char path[PATH_SIZE], *made = NULL;
	size_t size = 0, end = sizeof(FILE_END) - 1;
	int result, head;

	incident_path(folder, id, ".json", path);
	result = read_file(path, &made, &size);
	if (result != 0)
		return result;
	head = read_head(made, size, &incident);
	if (head < 0 || incident.id != id || size < (size_t)head + end || strcmp(made + size - end, FILE_END) != 0) {
		free(made);
		return -EBADMSG;
	}
	*text = made;
	*length = size;
	*analysis = made + head;
	*analysis_length = size - (size_t)head - end;
	return 0;
}

/* ------------------------------------------------------------------ writing incidents */

/* A head, `length` octets of `fd` from `at` on, and the end: in the place of what was there. */
static int put(const char *folder, const struct archive_incident *incident, int fd, uint64_t at, uint64_t length)
{
	char path[PATH_SIZE], new[PATH_SIZE], head[HEAD_MAX];
	int to, result = make_head(incident, head);

	if (result < 0)
		return result;
	incident_path(folder, incident->id, ".json", path);
	incident_path(folder, incident->id, ".new", new);
	to = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	if (to < 0)
		return -errno;
	result = file_write(to, head, (size_t)result);
	if (result == 0)
		result = file_copy(fd, at, to, length);
	if (result == 0)
		result = file_write(to, FILE_END, sizeof(FILE_END) - 1);
	if (result == 0 && fsync(to) != 0)
		result = -errno;
	(void)close(to);
	if (result == 0 && rename(new, path) != 0)
		result = -errno;
	if (result != 0) {
		(void)unlink(new);
		return result;
	}
	(void)snprintf(path, sizeof(path), "%s/" INCIDENTS, folder);
	return file_sync_folder(path);
}

static void remove_incident(const char *folder, uint64_t id)
{
	char path[PATH_SIZE];

	incident_path(folder, id, ".json", path);
	(void)unlink(path);
	archive_stream_path(folder, id, path);
	(void)unlink(path);
}

/* Whether there is a stream, and what it takes: a file of several names takes a part for each. */
static bool stream_is_there(const char *path, uint64_t *octets)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return false;
	*octets = (uint64_t)status.st_size / (status.st_nlink ? status.st_nlink : 1);
	return true;
}

/* The oldest of those that are over go: first their streams, then they. */
static void make_room(const struct archive *archive)
{
	const struct archive_bounds *bounds = &archive->bounds;
	struct archive_incident *all;
	int count = list_all(archive->folder, &all);
	uint64_t octets = 0;
	uint32_t kept = 0, streams = 0;
	char path[PATH_SIZE];

	if (count < 0)
		return;
	for (int i = 0; i < count; i++) {
		bool live = is_live(&all[i]), there;
		uint64_t its = 0;

		archive_stream_path(archive->folder, all[i].id, path);
		there = stream_is_there(path, &its);
		octets += its;
		streams += there;
		if (there && !live && (streams > bounds->streams_max || octets > bounds->streams_octets_max))
			(void)unlink(path);
		if (++kept > bounds->incidents_max && !live)
			remove_incident(archive->folder, all[i].id);
	}
	free(all);
}

int archive_expire(const char *folder, int64_t ended_before_ns)
{
	struct archive_incident *all;
	int count = list_all(folder, &all), gone = 0;

	for (int i = 0; i < count; i++) {
		char path[PATH_SIZE];
		int64_t ended_ns = all[i].ended_ns ? all[i].ended_ns : all[i].began_ns;

		if (is_live(&all[i]) || ended_ns >= ended_before_ns)
			continue;
		archive_stream_path(folder, all[i].id, path);
		if (unlink(path) == 0)
			gone++;
	}
	if (count >= 0)
		free(all);
	return count < 0 ? count : gone;
}

int archive_put(struct archive *archive, const struct archive_incident *incident, int fd, uint32_t length)
{
	char path[PATH_SIZE];
	bool is_new;
	int result;

	incident_path(archive->folder, incident->id, ".json", path);
	is_new = access(path, F_OK) != 0;
	result = put(archive->folder, incident, fd, 0, length);
	if (result == 0 && is_new)
		(void)archive_keep(archive, incident->generation, incident->id); /* without it there is no replay */
	if (result == 0 && (is_new || incident->state == ARCHIVE_FINAL))
		make_room(archive);
	return result;
}

void archive_remove(struct archive *archive, uint64_t incident)
{
	remove_incident(archive->folder, incident);
}

/* ------------------------------------------------------------------ writing streams */

static struct archive_writer *find_writer(struct archive *archive, uint64_t generation)
{
	for (unsigned i = 0; i < ARCHIVE_WRITERS_MAX; i++)
		if (archive->writers[i].generation == generation)
			return &archive->writers[i];
	return NULL;
}

/* A generation that begins anew, as a writer; NULL where there are too many. */
static struct archive_writer *new_writer(struct archive *archive, uint64_t generation)
{
	struct archive_writer *writer = find_writer(archive, 0);
	char path[PATH_SIZE];

	if (!writer)
		return NULL;
	part_path(archive->folder, generation, path);
	*writer = (struct archive_writer){ .generation = generation };
	writer->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	writer->cut = writer->fd < 0;
	archive->cut += writer->cut;
	return writer;
}

int archive_segment(struct archive *archive, uint64_t generation, uint64_t sequence, int fd, uint32_t length)
{
	struct archive_writer *writer = generation ? find_writer(archive, generation) : NULL;
	off_t before;
	int result;

	if (!writer)
		writer = generation ? new_writer(archive, generation) : NULL;
	if (!writer)
		return -EMFILE;
	if (writer->cut)
		return -EPIPE;
	if (sequence != writer->sequence || writer->octets + length > archive->bounds.stream_octets_max) {
		writer->cut = true;
		archive->cut++;
		return -EPIPE;
	}
	before = (off_t)writer->octets;
	result = file_copy(fd, 0, writer->fd, length);
	if (result != 0) {                            /* half a segment cannot be replayed */
		(void)!ftruncate(writer->fd, before); /* in vain: then who replays it stops there */
		writer->cut = true;
		archive->cut++;
		return result;
	}
	writer->sequence++;
	writer->octets += length;
	return 0;
}

int archive_keep(struct archive *archive, uint64_t generation, uint64_t incident)
{
	char part[PATH_SIZE], path[PATH_SIZE];

	part_path(archive->folder, generation, part);
	archive_stream_path(archive->folder, incident, path);
	return link(part, path) == 0 || errno == EEXIST ? 0 : -errno;
}

void archive_drop(struct archive *archive, uint64_t generation)
{
	struct archive_writer *writer = generation ? find_writer(archive, generation) : NULL;
	char path[PATH_SIZE];

	if (writer) {
		if (writer->fd >= 0)
			(void)close(writer->fd);
		*writer = (struct archive_writer){ .fd = -1 };
	}
	part_path(archive->folder, generation, path);
	(void)unlink(path);
}

/* ------------------------------------------------------------------ beginning and end */

static int make_folder(const char *folder, const char *name)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return mkdir(path, FOLDER_MODE) == 0 || errno == EEXIST ? 0 : -errno;
}

/* Files that were being written: parts of streams, and incidents that never got their name. */
static void remove_unfinished(const char *folder, const char *name, const char *ending)
{
	char path[2 * PATH_SIZE + 256];
	struct dirent *entry;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	directory = opendir(path);
	if (!directory)
		return;
	while ((entry = readdir(directory))) { /* NOLINT(concurrency-mt-unsafe): a stream of one's own */
		size_t length = strlen(entry->d_name);

		if (length < strlen(ending) || strcmp(entry->d_name + length - strlen(ending), ending) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s/%s", folder, name, entry->d_name);
		(void)unlink(path);
	}
	(void)closedir(directory);
}

/* Whoever was writing it is gone, and nobody knows how it went on. */
static void leave(const char *folder, struct archive_incident *incident)
{
	char path[PATH_SIZE], head[HEAD_MAX];
	struct archive_incident was;
	struct stat status;
	ssize_t got;
	int fd, length;

	incident_path(folder, incident->id, ".json", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	got = pread(fd, head, sizeof(head), 0);
	length = got > 0 ? read_head(head, (size_t)got, &was) : -EBADMSG;
	incident->state = ARCHIVE_LEFT;
	if (length > 0 && fstat(fd, &status) == 0 && status.st_size >= length + (off_t)sizeof(FILE_END) - 1)
		(void)put(folder, incident, fd, (uint64_t)length,
		          (uint64_t)(status.st_size - length - (off_t)(sizeof(FILE_END) - 1)));
	(void)close(fd);
}

static struct archive_bounds with_standards(const struct archive_bounds *bounds)
{
	return (struct archive_bounds){
		.incidents_max = bounds->incidents_max ? bounds->incidents_max : ARCHIVE_INCIDENTS_MAX,
		.streams_max = bounds->streams_max ? bounds->streams_max : ARCHIVE_STREAMS_MAX,
		.stream_octets_max = bounds->stream_octets_max ? bounds->stream_octets_max : ARCHIVE_STREAM_OCTETS_MAX,
		.streams_octets_max =
			bounds->streams_octets_max ? bounds->streams_octets_max : ARCHIVE_STREAMS_OCTETS_MAX,
	};
}

int archive_open(struct archive *archive, const char *folder, const struct archive_bounds *bounds)
{
	struct archive_incident *all;
	int result, count;

	*archive = (struct archive){ .bounds = with_standards(bounds) };
	if (strlen(folder) >= sizeof(archive->folder))
		return -ENAMETOOLONG;
	memcpy(archive->folder, folder, strlen(folder) + 1);
	for (unsigned i = 0; i < ARCHIVE_WRITERS_MAX; i++)
		archive->writers[i].fd = -1;
	result = make_folder(folder, INCIDENTS);
	if (result == 0)
		result = make_folder(folder, STREAMS);
	if (result != 0)
		return result;
	remove_unfinished(folder, STREAMS, ".part");
	remove_unfinished(folder, INCIDENTS, ".new");
	count = list_all(folder, &all);
	if (count < 0)
		return count;
	for (int i = 0; i < count; i++)
		if (is_live(&all[i]))
			leave(folder, &all[i]);
	free(all);
	return 0;
}

int archive_add(const char *folder, const struct archive_incident *incident, int fd, uint32_t length)
{
	int result = strlen(folder) < ARCHIVE_PATH_SIZE ? make_folder(folder, INCIDENTS) : -ENAMETOOLONG;

	if (result == 0)
		result = make_folder(folder, STREAMS);
	return result ? result : put(folder, incident, fd, 0, length);
}

void archive_close(struct archive *archive)
{
	for (unsigned i = 0; i < ARCHIVE_WRITERS_MAX; i++)
		if (archive->writers[i].generation)
			archive_drop(archive, archive->writers[i].generation);
}
