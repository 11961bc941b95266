/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/say.h"

/* What a signal must remove; NULL where there is nothing. Signal handlers reach nothing else. */
static const char *volatile unfinished;

static void remove_unfinished(int number)
{
	const char *path = unfinished;

	if (path)
		(void)unlink(path);
	(void)raise(number); /* SA_RESETHAND: on return the signal does what it does by default */
}

static const int deadly[] = { SIGINT, SIGTERM, SIGHUP };

void output_watch_signals(void)
{
	struct sigaction action = { .sa_handler = remove_unfinished, .sa_flags = (int)SA_RESETHAND }, before;

	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		if (sigaction(deadly[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
			(void)sigaction(deadly[i], &action, NULL);
	/* A limit on the size of files is an error to report, not a death. */
	(void)signal(SIGXFSZ, SIG_IGN);
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return S_ISREG(a->st_mode) && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool stat_of(const char *path, int standard, struct stat *status)
{
	return (strcmp(path, "-") == 0 ? fstat(standard, status) : stat(path, status)) == 0;
}

static mode_t creation_mode(void)
{
	mode_t mask = umask(0);

	(void)umask(mask);
	return 0666 & ~mask;
}

/* A file beside `final`, with the mode that it shall have. 0 or -errno. */
static int open_temporary(struct output *output, mode_t mode)
{
	char *temporary;
	int descriptor, result;

	if (asprintf(&temporary, "%s.XXXXXX", output->final) < 0)
		return -ENOMEM;
	descriptor = mkostemp(temporary, O_CLOEXEC);
	if (descriptor < 0) {
		result = -errno;
		goto undo_name;
	}
	unfinished = temporary;
	if (fchmod(descriptor, mode) != 0) {
		result = -errno;
		goto undo_file;
	}
	output->file = fdopen(descriptor, "wb");
	if (!output->file) {
		result = -errno;
		goto undo_file;
	}
	output->temporary = temporary;
	return 0;
undo_file:
	(void)close(descriptor);
	(void)unlink(temporary);
	unfinished = NULL;
undo_name:
	free(temporary);
	return result;
}

int output_open(struct output *output, const char *path)
{
	struct stat status;
	mode_t mode;
	int result;

	*output = (struct output){ .file = NULL };
	if (strcmp(path, "-") == 0) {
		output->file = stdout;
		return 0;
	}
	if (stat(path, &status) != 0) {
		if (errno != ENOENT)
			return -errno;
		mode = creation_mode();
		output->final = strdup(path);
	} else if (S_ISDIR(status.st_mode)) {
		return -EISDIR;
	} else if (!S_ISREG(status.st_mode)) {
		/* Renaming over a device or a pipe would put a file in its place. */
		output->file = fopen(path, "wbe");
		return output->file ? 0 : -errno;
	} else {
		if (access(path, W_OK) != 0)
			return -errno;
		mode = status.st_mode & 07777;
		output->final = realpath(path, NULL); /* a link stays one */
	}
	if (!output->final)
		return -errno;
	result = open_temporary(output, mode);
	if (result) {
		free(output->final);
		output->final = NULL;
	}
	return result;
}

int output_close(struct output *output, bool failed)
{
	int result = 0;

	if (output->file == stdout ? fflush(stdout) != 0 : fclose(output->file) != 0)
		result = -errno;
	if (output->temporary) {
		if (!failed && !result && rename(output->temporary, output->final) != 0)
			result = -errno;
		if (failed || result)
			(void)unlink(output->temporary);
		unfinished = NULL;
	}
	free(output->temporary);
	free(output->final);
	*output = (struct output){ .file = NULL };
	return result;
}

int output_write(const char *path, const char *text)
{
	struct output output;
	int result = output_open(&output, path), closed;

	if (result != 0)
		return result;
	errno = 0;
	if (fputs(text, output.file) == EOF || fflush(output.file) != 0)
		result = errno ? -errno : -EIO;
	closed = output_close(&output, result != 0);
	return result ? result : closed;
}

int output_finish(void)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return COMMAND_DONE;
	say_error("standard output", "%s", strerror(errno ? errno : EIO));
	return COMMAND_BAD;
}

bool output_is_input(const char *out, const char *in)
{
	struct stat written, read;

	return stat_of(out, STDOUT_FILENO, &written) && stat_of(in, STDIN_FILENO, &read) &&
	       is_same_file(&read, &written);
}
