/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "daemon/daemon.h"
#include "daemon/log.h"
#include "record/ledger.h"

#define FALLBACK_USER "nobody"
#define MESSENGER_USER "holdfast-alerts" /* where there is one; else it is the others' */

void supervise_say_errors(const struct config_errors *errors)
{
	for (unsigned i = 0; i < errors->count; i++)
		(void)fprintf(stderr, "holdfast: %s\n", errors->lines[i]);
	if (errors->more)
		(void)fprintf(stderr, "holdfast: and %u more\n", errors->more);
}

int supervise_refuse(const char *command, const char *format, ...)
{
	char line[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	(void)fprintf(stderr, "holdfast: %s: %s\n", command, line);
	return -EINVAL;
}

int supervise_find_user(const char *command, const char *who, const char *name, struct role_start *start,
                        struct role_start *messenger)
{
	const struct passwd *user = getpwnam(name);
	const struct group *group;

	if (!user) {
		user = getpwnam(FALLBACK_USER);
		if (!user)
			return supervise_refuse(
				command, "there is no user '%s', and no '%s' either; create one: useradd --system %s",
				name, FALLBACK_USER, name);
		LOG_SAY(LOG_WARNING, "there is no user '%s': %s run as %s; create one: useradd --system %s", name, who,
		        FALLBACK_USER, name);
	}
	if (user->pw_uid == 0)
		return supervise_refuse(command,
		                        "user '%s' is root by another name; name one with no rights of its own", name);
	start->uid = user->pw_uid;
	start->gid = user->pw_gid;
	group = getgrnam("holdfast");
	/* nobody's group is everybody's who has none: it may not operate */
	start->operators = group ? group->gr_gid : 0;
	*messenger = *start;
	user = getpwnam(MESSENGER_USER);
	if (user && user->pw_uid != 0) {
		messenger->uid = user->pw_uid;
		messenger->gid = user->pw_gid;
	}
	return 0;
}

/*
 * Owner and mode of a folder, by a descriptor: who owns the folder around it cannot put another in its place meanwhile.
 * The mode is set while it is root's, for of another's it takes a right that root need not have (CAP_FOWNER).
 */
static int set_folder(int fd, uid_t uid, gid_t gid, mode_t mode)
{
	char self[32];
	struct stat status;

	if (fstat(fd, &status) != 0)
		return -errno;
	if ((status.st_mode & 07777) != mode) {
		(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
		if ((status.st_uid != 0 && fchownat(fd, "", 0, 0, AT_EMPTY_PATH) != 0) || chmod(self, mode) != 0 ||
		    fstat(fd, &status) != 0)
			return -errno;
	}
	if ((status.st_uid != uid || status.st_gid != gid) && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) != 0)
		return -errno;
	return 0;
}

int supervise_make_folder(const char *command, const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	int fd, result = file_make_parents(path, 0755);

	if (result != 0)
		return supervise_refuse(command, "a folder above %s: %s", path, strerror(-result));
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return supervise_refuse(command, "%s: %s", path, strerror(errno));
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); /* what is in it may be none of our business */
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return supervise_refuse(command, "%s is no folder; move it away, or name another in the configuration",
		                        path);
	if (fd < 0)
		return supervise_refuse(command, "%s: %s", path, strerror(errno));
	result = set_folder(fd, uid, gid, mode);
	(void)close(fd);
	return result ? supervise_refuse(command, "%s cannot be given to user %u: %s", path, (unsigned)uid,
	                                 strerror(-result))
	              : 0;
}

int supervise_give_record(const char *command, const char *state_dir, uid_t uid, gid_t gid)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char path[CONFIG_PATH_SIZE + sizeof(LEDGER_FILE) + 8];
	struct stat status;

	/* As long as it is root's own nobody else has put anything there. */
	if (stat(state_dir, &status) != 0 || status.st_uid != 0 || status.st_mode & 022)
		return 0;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s" LEDGER_FILE "%s", state_dir, ends[i]);
		if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != 0)
			continue;
		if (lchown(path, uid, gid) != 0)
			return supervise_refuse(command, "%s cannot be given to user %u: %s", path, (unsigned)uid,
			                        strerror(errno));
	}
	return 0;
}

int supervise_take_lock(const char *command, const char *run_dir, const char *name, int *lock)
{
	char path[CONFIG_PATH_SIZE + 16];
	char pid[16] = "";
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", run_dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return supervise_refuse(command, "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		ssize_t got = read(fd, pid, sizeof(pid) - 1);

		pid[got > 0 ? strcspn(pid, "\n") : 0] = '\0';
		(void)close(fd);
		return supervise_refuse(command,
		                        "another holdfast runs with run_dir %s already (pid %s); stop that one first",
		                        run_dir, *pid ? pid : "unknown");
	}
	if (ftruncate(fd, 0) != 0 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
		int result = -errno;

		(void)close(fd);
		return supervise_refuse(command, "%s: %s", path, strerror(-result));
	}
	*lock = fd;
	return 0;
}

int supervise_signals(int *fd)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -errno;
	*fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return *fd < 0 ? -errno : 0;
}

/* What root had in its environment is nothing for a role that may be taken over, nor is it to load libraries by it. */
static void keep_environment(void)
{
	static const char *const kept[] = { "JOURNAL_STREAM", "TZ", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS" };
	char *values[sizeof(kept) / sizeof(kept[0])];

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		values[i] = getenv(kept[i]);
	(void)clearenv(); /* the strings stay */
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (values[i])
			(void)setenv(kept[i], values[i], 1);
}

void supervise_become(const char *role, const struct role_start *start, const int *fds, unsigned fd_count)
{
	char uid[16], gid[16], operators[16], name[] = "holdfast", word[] = DAEMON_ROLE_WORD;
	char *arguments[] = { name, word, strdup(role), uid, gid, operators, NULL };
	int above[SUPERVISE_FDS_MAX];
	sigset_t none;

	(void)snprintf(uid, sizeof(uid), "%u", (unsigned)start->uid);
	(void)snprintf(gid, sizeof(gid), "%u", (unsigned)start->gid);
	(void)snprintf(operators, sizeof(operators), "%u", (unsigned)start->operators);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* First out of the way of the places, then into them. */
	for (unsigned i = 0; i < fd_count; i++) {
		above[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 64);
		if (above[i] < 0)
			_exit(1);
	}
	for (unsigned i = 0; i < fd_count; i++)
		if (dup2(above[i], ROLE_FD_PARENT + (int)i) < 0)
			_exit(1);
	if (close_range(ROLE_FD_PARENT + fd_count, ~0U, 0) != 0)
		_exit(1);
	keep_environment();
	(void)execv("/proc/self/exe", arguments);
	_exit(1);
}

void supervise_close(int *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

int supervise_text_fd(const char *text, size_t length)
{
	int fd = memfd_create("holdfast.yaml", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int result;

	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < length;) {
		ssize_t written = write(fd, text + done, length - done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			goto failed;
		done += (size_t)written;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return fd;
failed:
	result = -errno;
	(void)close(fd);
	return result;
}
