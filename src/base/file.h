/* SPDX-License-Identifier: Apache-2.0 */
/* Files by their descriptors, whole or not at all: what read() and write() do in pieces, and signals interrupt. */
#ifndef HOLDFAST_BASE_FILE_H
#define HOLDFAST_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* 0 or -errno. */
int file_write(int fd, const void *octets, size_t count);
/* Octets [at, at + count) of `fd`, whose place stays. 0; -EBADMSG where it has fewer; -errno. */
int file_read_at(int fd, void *octets, size_t count, uint64_t at);
/*
 * All from its place to its end, allocated, followed by a zero that is not counted. 0; -EFBIG beyond `most`; -ENOMEM;
 * -errno.
 */
int file_read_all(int fd, size_t most, void **octets, size_t *length);
/* All of a file of our own by its path; no link is followed. As file_read_all(). */
int file_load(const char *path, size_t most, void **octets, size_t *length);
/* Whether what was written must be there after a crash of the system, too. */
enum file_lasting { FILE_PASSING, FILE_LASTING };
/*
 * These octets become the file at `path`: whole, or it is as it was. They are written beside it, as path.new, made with
 * that mode, of which nothing is left where that fails. 0; -ENAMETOOLONG; -errno; of a lasting one also where the
 * folder could not be synced: then the file is the new one, but may not be after a crash.
 */
int file_replace(const char *path, unsigned mode, const void *octets, size_t length, enum file_lasting lasting);
/* Octets [at, at + count) of `from`, as file_read_at() reads them, written to `to`. */
int file_copy(int from, uint64_t at, int to, uint64_t count);
/* The folders that `path` is in, those of them that are not there, with that mode. 0; -ENOMEM; -errno. */
int file_make_parents(const char *path, unsigned mode);
/* The folder that a file is in: "." where its path names none. 0; -ENAMETOOLONG. */
int file_folder_of(const char *path, char *folder, size_t size);
/* Whether both are of one file, and nobody has written to it between. */
bool file_is_as_before(const struct stat *before, const struct stat *now);
/* What was created, renamed or removed in a folder is on the disk. 0 or -errno. */
int file_sync_folder(const char *folder);
/* The same of the folder that a file is in. -ENAMETOOLONG, too. */
int file_sync_folder_of(const char *path);

#endif
