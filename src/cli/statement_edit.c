/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/statement_edit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/screen.h"

#define FORM_MAX (1u << 20) /* octets of a form that is read back */
#define FILE_TEMPLATE "/tmp/holdfast-statement-XXXXXX"
#define EDITOR "vi"

/* By the shell, for people put options into EDITOR. The file's name stands behind it. */
static int run_editor(const char *path)
{
	static char shell[] = "sh", option[] = "-c";
	const char *editor = screen_environment("VISUAL");
	char line[512];
	int state;
	pid_t child;

	if (!editor)
		editor = screen_environment("EDITOR");
	if (snprintf(line, sizeof(line), "%s \"$1\"", editor ? editor : EDITOR) >= (int)sizeof(line))
		return -ENAMETOOLONG;
	(void)fflush(stdout);
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0) {
		char file[sizeof(FILE_TEMPLATE)];

		(void)snprintf(file, sizeof(file), "%s", path);
		(void)execv("/bin/sh", (char *[]){ shell, option, line, shell, file, NULL });
		_exit(127);
	}
	while (waitpid(child, &state, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(state) && WEXITSTATUS(state) == 0 ? 0 : -ECANCELED;
}

static int read_back(const char *path, char **form)
{
	FILE *in = fopen(path, "re");
	char *text = malloc(FORM_MAX + 1);
	size_t length;
	int result = in && text ? 0 : in ? -ENOMEM : -errno;

	if (result == 0) {
		length = fread(text, 1, FORM_MAX, in);
		text[length] = '\0';
		result = ferror(in) ? -EIO : length == FORM_MAX || strlen(text) != length ? -EFBIG : 0;
	}
	if (in)
		(void)fclose(in);
	if (result == 0)
		*form = text;
	else
		free(text);
	return result;
}

static int write_form(const char *path, int fd, const json_t *statement, const char *id, uint64_t revision)
{
	FILE *out = fdopen(fd, "w");
	int result;

	(void)path;
	if (!out) {
		result = -errno;
		(void)close(fd);
		return result;
	}
	result = statement_form_write(statement, id, revision, out);
	return fclose(out) == 0 ? result : -EIO;
}

static int by_editor(const json_t *statement, const char *id, uint64_t revision, const char *by, json_t **edited,
                     char error[STATEMENT_ERROR_SIZE])
{
	char path[] = FILE_TEMPLATE, *form = NULL;
	int fd = mkstemp(path), result;

	if (fd < 0)
		return -errno;
	result = write_form(path, fd, statement, id, revision);
	if (result == 0)
		result = run_editor(path);
	if (result == -ECANCELED)
		(void)snprintf(error, STATEMENT_ERROR_SIZE, "the editor failed; $EDITOR names another");
	if (result == 0)
		result = read_back(path, &form);
	if (result == -EFBIG)
		(void)snprintf(error, STATEMENT_ERROR_SIZE, "the form is too long, or has zeros in it");
	if (result == 0)
		result = statement_form_read(statement, form, by, edited, error);
	free(form);
	(void)unlink(path);
	return result;
}

int statement_edit_make(const json_t *statement, const char *id, uint64_t revision,
                        const struct statement_edit_asked *asked, json_t **edited, char error[STATEMENT_ERROR_SIZE])
{
	size_t count = json_array_size(json_object_get(statement, "sentences"));
	size_t number = asked->add ? count + 1 : (size_t)(asked->set ? asked->set : asked->remove);
	enum statement_audience audience = asked->internal ? STATEMENT_INTERNAL : STATEMENT_PUBLIC;

	if (number == 0)
		return by_editor(statement, id, revision, asked->by, edited, error);
	/* What is internal stays so: who wants it public says so in the form. */
	if (statement_is_internal(json_array_get(json_object_get(statement, "sentences"), number - 1)))
		audience = STATEMENT_INTERNAL;
	if (asked->set > count) {
		(void)snprintf(error, STATEMENT_ERROR_SIZE, "there is no sentence %zu; it has %zu", number, count);
		return -EBADMSG;
	}
	return statement_edit(statement, number, asked->remove ? NULL : asked->text, audience, asked->keep, asked->by,
	                      edited, error);
}
