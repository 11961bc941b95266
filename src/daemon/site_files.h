/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The published page as it is served: files of one folder, held in memory, looked at again a second after they were
 * last. The folder may be exchanged for another at any time, as publishing does. Nothing outside it is ever opened:
 * names are of letters, digits and "._-/", no part of them begins with '.', and no symbolic link is followed.
 */
#ifndef HOLDFAST_DAEMON_SITE_FILES_H
#define HOLDFAST_DAEMON_SITE_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "tell/http_server.h"

#define SITE_FILES_MAX 512                       /* held; the one that was not asked for the longest goes */
#define SITE_FILES_OCTETS_MAX (64 * 1024 * 1024) /* of all of them */
#define SITE_FILES_FILE_MAX (8 * 1024 * 1024)    /* a larger one is not served */
#define SITE_FILES_PATH_MAX 160
#define SITE_FILES_LOOK_MS 1000

struct site_files; /* opaque */

struct site_files_counts {
	uint64_t served, unchanged, missing;
	uint64_t pushed_out, too_large;
	uint64_t octets; /* held now */
};

/* `folder` may be missing still; NULL: there is none. -ENOMEM. */
int site_files_new(const char *folder, struct site_files **files);
void site_files_free(struct site_files *files);
/* The answer to GET and HEAD of a path, 301, 304 and 404 among them; valid until the next call. `now_ms` only grows. */
void site_files_answer(struct site_files *files, const struct http_server_request *request, int64_t now_ms,
                       struct http_server_reply *reply);
/* The octets of a file that is there, NULL else; valid until the next call. `version` differs once they do. */
const char *site_files_read(struct site_files *files, const char *name, int64_t now_ms, size_t *length,
                            uint64_t *version);
struct site_files_counts site_files_counts(const struct site_files *files);

/* Fields that every answer of the public role has. */
extern const struct http_server_field site_fields[];
extern const unsigned site_fields_count;

#endif
