/* SPDX-License-Identifier: Apache-2.0 */
#include "record/expiry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"

#define PATH_SIZE (LEDGER_TEXT_MAX + 1)
#define BESIDE \
	".erasing" /* what is written before it takes the bundle's place; left of a run that died, it is written anew */

struct due {
	char id[LEDGER_ID_SIZE];
	char *path;
};

struct work {
	struct expiry *expiry;
	struct due *due;
	size_t count;
};

/* The bundle without them, beside it and then in its place; its mode stays. */
static int replace(const struct bundle *bundle, int fd, const bool wanted[BUNDLE_SEGMENTS], const char *path,
                   int64_t now_s, const char *why)
{
	char beside[PATH_SIZE + sizeof(BESIDE)];
	struct stat status;
	int out, result;

	if (fstat(fd, &status) != 0)
		return -errno;
	(void)snprintf(beside, sizeof(beside), "%s" BESIDE, path);
	(void)unlink(beside);
	out = open(beside, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, status.st_mode & 0777);
	if (out < 0)
		return -errno;
	result = bundle_erase(bundle, fd, wanted, now_s, why, out);
	if (result == 0 && fsync(out) != 0)
		result = -errno;
	(void)close(out);
	if (result == 0 && rename(beside, path) != 0)
		result = -errno;
	if (result != 0) {
		(void)unlink(beside);
		return result;
	}
	return file_sync_folder_of(path);
}

int expiry_erase(const char *path, int64_t now_ns, const char *why, struct bundle_fault *fault)
{
	bool wanted[BUNDLE_SEGMENTS];
	struct bundle bundle;
	int fd, result;

	if (strlen(path) >= PATH_SIZE)
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	for (unsigned i = 0; i < BUNDLE_SEGMENTS; i++)
		wanted[i] = bundle_segment_is_personal((enum bundle_segment)i);
	result = bundle_read(fd, &bundle, fault);
	if (result == 0) {
		result = replace(&bundle, fd, wanted, path, now_ns / NS_PER_S, why);
		bundle_fini(&bundle);
	}
	(void)close(fd);
	return result;
}

static int find_due(void *context, const struct ledger_evidence *evidence)
{
	struct work *work = context;
	const struct expiry *expiry = work->expiry;
	struct due *more;

	if (evidence->erased_ns || work->count == EXPIRY_MAX)
		return 0;
	if (expiry->wanted ? strcmp(evidence->path, expiry->wanted) != 0
	                   : evidence->until_ns == 0 || evidence->until_ns > expiry->now_ns)
		return 0;
	more = realloc(work->due, (work->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	work->due = more;
	more[work->count].path = strdup(evidence->path);
	if (!more[work->count].path)
		return -ENOMEM;
	memcpy(more[work->count++].id, evidence->id, sizeof(evidence->id));
	return 0;
}

static bool is_in(const char *folder, const char *path)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 && path[length] == '/' && !strstr(path, "/../");
}

/* Whether a path has been taken up as a row before this one was. */
static bool is_taken(const struct work *work, size_t row)
{
	for (size_t i = 0; i < row; i++)
		if (strcmp(work->due[i].path, work->due[row].path) == 0)
			return true;
	return false;
}

static void count_failed(struct expiry *expiry, const char *path, int result, const struct bundle_fault *fault)
{
	expiry->failed++;
	if (expiry->refused)
		expiry->refused(expiry->context, path, result, fault);
}

/* One file, then its rows: a file of that path may have been written anew, and then has several. */
static int erase_path(struct ledger *ledger, struct work *work, const char *path, struct record_error *error)
{
	struct expiry *expiry = work->expiry;
	struct bundle_fault fault = { .member = "" };
	const char *why = expiry->why;
	int result = expiry_erase(path, expiry->now_ns, expiry->why, &fault);

	if (result == -ENODEV && !expiry->wanted) {
		expiry->missing++;
		why = EXPIRY_MISSING;
	} else if (result != 0 && result != -ENOENT) {
		count_failed(expiry, path, result, &fault);
		return 0;
	} else {
		expiry->erased++;
	}
	for (size_t i = 0; i < work->count; i++) {
		if (strcmp(work->due[i].path, path) != 0)
			continue;
		expiry->rows++;
		result = ledger_evidence_erased(ledger, work->due[i].id, expiry->now_ns, why, error);
		if (result != 0 && result != -EALREADY)
			return result;
	}
	return 0;
}

int expiry_run(struct ledger *ledger, struct expiry *expiry, struct record_error *error)
{
	struct work work = { .expiry = expiry };
	int result = 0;

	expiry->erased = expiry->missing = expiry->failed = expiry->elsewhere = expiry->rows = 0;
	(void)snprintf(error->message, sizeof(error->message), "out of memory");
	error->advice[0] = '\0';
	if (ledger)
		result = ledger_evidence_each(ledger, 0, find_due, &work, error);
	if (result == 0 && expiry->wanted)
		result = erase_path(ledger, &work, expiry->wanted, error);
	for (size_t i = 0; result == 0 && !expiry->wanted && i < work.count; i++) {
		if (is_taken(&work, i))
			continue;
		if (expiry->folder && !is_in(expiry->folder, work.due[i].path))
			expiry->elsewhere++;
		else
			result = erase_path(ledger, &work, work.due[i].path, error);
	}
	for (size_t i = 0; i < work.count; i++)
		free(work.due[i].path);
	free(work.due);
	return result;
}
