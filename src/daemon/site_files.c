/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/site_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "tell/http_status.h"

#define ETAG_SIZE 40
#define DATE_SIZE 40
#define TAG_DIGITS 32
#define FIELDS_MAX 10

const struct http_server_field site_fields[] = {
	{ "Content-Security-Policy",
	  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'self'; "
	  "base-uri 'none'; frame-ancestors 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
};
const unsigned site_fields_count = sizeof(site_fields) / sizeof(site_fields[0]);

struct held {
	char path[SITE_FILES_PATH_MAX]; /* "": free */
	struct http_page *page, *unchanged;
	char *octets; /* owned; of files that are read, too */
	size_t length;
	uint64_t version;
	char etag[ETAG_SIZE], date[DATE_SIZE];
	int64_t looked_ms, asked_ms;
	struct stat status;
};

struct site_files {
	char *folder; /* NULL: none */
	struct held held[SITE_FILES_MAX];
	unsigned used; /* beyond it all are free */
	struct http_page *missing;
	char moved[SITE_FILES_PATH_MAX + 2];
	uint64_t versions;
	struct site_files_counts counts;
};

/* By how a file's name ends. */
static const struct {
	const char *end, *type, *age;
	bool open_to_all; /* other sites' scripts may read it, as Statuspage lets them */
} types[] = {
	{ ".html", "text/html; charset=utf-8", "max-age=30", false },
	{ ".json", "application/json; charset=utf-8", "max-age=30", true },
	{ ".atom", "application/atom+xml; charset=utf-8", "max-age=60", true },
	{ ".rss", "application/rss+xml; charset=utf-8", "max-age=60", true },
	{ ".txt", "text/plain; charset=utf-8", "max-age=60", true },
	{ ".svg", "image/svg+xml", "max-age=300", false },
	{ ".png", "image/png", "max-age=300", false },
	{ ".ico", "image/x-icon", "max-age=300", false },
	{ "SHA256SUMS", "text/plain; charset=utf-8", "max-age=30", true },
	{ ".minisig", "text/plain; charset=utf-8", "max-age=30", true },
	{ "", "application/octet-stream", "max-age=30", false },
};

static unsigned type_of(const char *path)
{
	size_t length = strlen(path);
	unsigned i = 0;

	for (;; i++) {
		size_t end = strlen(types[i].end);

		if (length >= end && !strcmp(path + length - end, types[i].end))
			return i;
	}
}

static int add_page(unsigned status, const char *type, const char *octets, size_t length,
                    const struct http_server_field *more, unsigned more_count, struct http_page **page)
{
	struct http_server_field fields[FIELDS_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < site_fields_count; i++)
		fields[count++] = site_fields[i];
	for (unsigned i = 0; i < more_count; i++)
		fields[count++] = more[i];
	return http_page_new(status, type, octets, length, fields, count, page);
}

int site_files_new(const char *folder, struct site_files **files)
{
	static const char text[] = "Not found.\n";
	struct site_files *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->folder = folder ? strdup(folder) : NULL;
	if ((folder && !made->folder) ||
	    add_page(HTTP_STATUS_NOT_FOUND, "text/plain", text, sizeof(text) - 1, NULL, 0, &made->missing)) {
		free(made->folder);
		free(made);
		return -ENOMEM;
	}
	*files = made;
	return 0;
}

static void forget(struct site_files *files, struct held *held)
{
	http_page_free(held->page);
	http_page_free(held->unchanged);
	free(held->octets);
	files->counts.octets -= held->length;
	memset(held, 0, sizeof(*held));
}

void site_files_free(struct site_files *files)
{
	if (!files)
		return;
	for (unsigned i = 0; i < SITE_FILES_MAX; i++)
		forget(files, &files->held[i]);
	http_page_free(files->missing);
	free(files->folder);
	free(files);
}

/* A name of a file in the folder, as the head says; "" is none. */
static bool name_ok(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
	const char *part;

	if (!*name || *name == '/' || strlen(name) >= SITE_FILES_PATH_MAX || strspn(name, letters) != strlen(name))
		return false;
	for (part = name; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (*part == '.' || *part == '/' || !*part)
			return false;
	}
	return true;
}

/* Part by part, no link on the way. */
static int open_beneath(const char *folder, const char *name)
{
	int at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *part = name;

	while (at >= 0) {
		const char *slash = strchr(part, '/');
		char word[SITE_FILES_PATH_MAX];
		int next, err;

		(void)snprintf(word, sizeof(word), "%.*s", (int)(slash ? slash - part : (ptrdiff_t)strlen(part)), part);
		next = openat(at, word,
		              slash ? O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
		                    : O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		err = -errno;
		(void)close(at);
		if (next < 0)
			return err;
		if (!slash)
			return next;
		at = next;
		part = slash + 1;
	}
	return -errno;
}

static struct held *slot_find(struct site_files *files, const char *path)
{
	for (unsigned i = 0; i < files->used; i++)
		if (!strcmp(files->held[i].path, path))
			return &files->held[i];
	return NULL;
}

static struct held *oldest(struct site_files *files)
{
	struct held *chosen = NULL;

	for (unsigned i = 0; i < SITE_FILES_MAX; i++)
		if (files->held[i].path[0] && (!chosen || files->held[i].asked_ms < chosen->asked_ms))
			chosen = &files->held[i];
	return chosen;
}

/* Room for one more of that size. */
static struct held *make_room(struct site_files *files, size_t length)
{
	struct held *empty = slot_find(files, "");

	if (!empty && files->used < SITE_FILES_MAX)
		empty = &files->held[files->used++];
	while (!empty || files->counts.octets + length > SITE_FILES_OCTETS_MAX) {
		struct held *gone = oldest(files);

		if (!gone)
			return NULL;
		forget(files, gone);
		files->counts.pushed_out++;
		empty = gone;
	}
	return empty;
}

static const char *http_date(int64_t s, char text[DATE_SIZE])
{
	const time_t at = (time_t)s;
	struct tm utc;

	if (!gmtime_r(&at, &utc) || !strftime(text, DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &utc))
		text[0] = '\0';
	return text;
}

static int make_pages(struct held *held)
{
	unsigned type = type_of(held->path);
	const struct http_server_field fields[] = { { "ETag", held->etag },
		                                    { "Last-Modified", held->date },
		                                    { "Cache-Control", types[type].age },
		                                    { "Access-Control-Allow-Origin", "*" } };
	unsigned count = types[type].open_to_all ? 4 : 3;
	char sum[DIGEST_SHA256_TEXT_SIZE];

	digest_sha256_text(held->octets, held->length, sum);
	(void)snprintf(held->etag, sizeof(held->etag), "\"%.*s\"", TAG_DIGITS, sum);
	(void)http_date(held->status.st_mtim.tv_sec, held->date);
	if (add_page(HTTP_STATUS_OK, types[type].type, held->octets, held->length, fields, count, &held->page))
		return -ENOMEM;
	return add_page(HTTP_STATUS_NOT_MODIFIED, NULL, "", 0, fields, count, &held->unchanged);
}

/* An open file, read and held. */
static struct held *hold(struct site_files *files, int fd, const char *name, const struct stat *status)
{
	size_t length = (size_t)status->st_size;
	struct held *held = make_room(files, length);
	char *octets;

	if (!held)
		return NULL;
	octets = malloc(length + 1);
	if (!octets || file_read_at(fd, octets, length, 0)) {
		free(octets);
		return NULL;
	}
	octets[length] = '\0';
	memset(held, 0, sizeof(*held));
	(void)snprintf(held->path, sizeof(held->path), "%s", name);
	held->octets = octets;
	held->length = length;
	held->status = *status;
	held->version = ++files->versions;
	files->counts.octets += length;
	if (make_pages(held)) {
		forget(files, held);
		return NULL;
	}
	return held;
}

/* A file as it is by now, at most a second ago. NULL: there is none. */
static struct held *get(struct site_files *files, const char *name, int64_t now_ms)
{
	struct held *held = name_ok(name) && files->folder ? slot_find(files, name) : NULL;
	struct stat status;
	int fd;

	if (!files->folder || !name_ok(name))
		return NULL;
	if (held && now_ms - held->looked_ms < SITE_FILES_LOOK_MS) {
		held->asked_ms = now_ms;
		return held;
	}
	fd = open_beneath(files->folder, name);
	if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode) || status.st_size > SITE_FILES_FILE_MAX) {
		if (fd >= 0) {
			files->counts.too_large += S_ISREG(status.st_mode) && status.st_size > SITE_FILES_FILE_MAX;
			(void)close(fd);
		}
		if (held)
			forget(files, held);
		return NULL;
	}
	if (held && !file_is_as_before(&held->status, &status)) {
		forget(files, held);
		held = NULL;
	}
	if (!held)
		held = hold(files, fd, name, &status);
	(void)close(fd);
	if (held)
		held->looked_ms = held->asked_ms = now_ms;
	return held;
}

static bool is_unchanged(const struct http_server_request *request, const struct held *held)
{
	const char *tags = http_server_header(request, "If-None-Match");
	const char *since = http_server_header(request, "If-Modified-Since");

	if (tags)
		return !strcmp(tags, "*") || strstr(tags, held->etag);
	return since && held->date[0] && !strcmp(since, held->date);
}

/* "/fr" of which "/fr/" is meant. */
static bool is_folder(struct site_files *files, const char *path, int64_t now_ms)
{
	char name[SITE_FILES_PATH_MAX + sizeof("/index.html")];
	size_t length = strlen(path);

	if (!length || length >= SITE_FILES_PATH_MAX || path[length - 1] == '/')
		return false;
	(void)snprintf(name, sizeof(name), "%s/index.html", path);
	return get(files, name, now_ms) != NULL;
}

static void redirect(struct site_files *files, const char *path, struct http_server_reply *reply)
{
	(void)snprintf(files->moved, sizeof(files->moved), "/%s/", path);
	reply->status = HTTP_STATUS_MOVED;
	http_server_add_field(reply, "Location", files->moved);
}

void site_files_answer(struct site_files *files, const struct http_server_request *request, int64_t now_ms,
                       struct http_server_reply *reply)
{
	const char *path = request->path[0] == '/' ? request->path + 1 : "";
	char name[SITE_FILES_PATH_MAX + sizeof("index.html")];
	size_t length = strlen(path);
	struct held *held = NULL;

	if (length < SITE_FILES_PATH_MAX) {
		(void)snprintf(name, sizeof(name), "%s%s", path,
		               !length || path[length - 1] == '/' ? "index.html" : "");
		held = get(files, name, now_ms);
	}
	if (held && is_unchanged(request, held)) {
		files->counts.unchanged++;
		reply->page = held->unchanged;
	} else if (held) {
		files->counts.served++;
		reply->page = held->page;
	} else if (is_folder(files, path, now_ms)) {
		redirect(files, path, reply);
	} else {
		files->counts.missing++;
		reply->page = files->missing;
	}
}

const char *site_files_read(struct site_files *files, const char *name, int64_t now_ms, size_t *length,
                            uint64_t *version)
{
	struct held *held = get(files, name, now_ms);

	if (!held)
		return NULL;
	*length = held->length;
	*version = held->version;
	return held->octets;
}

struct site_files_counts site_files_counts(const struct site_files *files)
{
	return files->counts;
}
