/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/books.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/archived.h"
#include "cli/command.h"
#include "cli/now.h"
#include "cli/say.h"
#include "cli/screen.h"

int books_refuse(const struct books *books, int result, const struct record_error *error)
{
	switch (-result) {
	case ENOENT:
		say_error(
			books->path,
			books->writing
				? "there is no such folder; make it, or name another as state_dir"
				: "nothing is on record there; 'holdfast claim add' and 'holdfast event add' begin it");
		break;
	case EACCES:
	case EPERM:
		say_error(books->path,
		          "it is not for you to read or write; be root, or a member of the group holdfast");
		break;
	case EBUSY:
		say_error(books->path, "somebody else has been writing for too long; try again");
		break;
	default:
		say_error(books->path, "%s%s%s", error->message[0] ? error->message : strerror(-result),
		          error->advice[0] ? "; " : "", error->advice);
		break;
	}
	return COMMAND_BAD;
}

int books_open(struct books *books, const char *command, const char *config, const char *record, bool write)
{
	struct record_error error = { .message = "" };
	char folder[CONFIG_PATH_SIZE];
	int status = COMMAND_DONE, result, length;

	books->command = command;
	if (!record)
		status = archived_folder(command, config, folder);
	if (status != COMMAND_DONE)
		return status;
	length = record ? snprintf(books->path, sizeof(books->path), "%s", record)
	                : snprintf(books->path, sizeof(books->path), "%s" LEDGER_FILE, folder);
	if (length < 0 || (size_t)length >= sizeof(books->path)) {
		say_error(command, "the path of the record is too long; give a shorter one");
		return COMMAND_BAD;
	}
	books->writing = write;
	/* Of a host where no daemon has run yet; the first that does gives it to its user. */
	if (write && !record)
		(void)mkdir(folder, 0750);
	result = ledger_open(books->path, write, &books->ledger, &error);
	return result == 0 ? COMMAND_DONE : books_refuse(books, result, &error);
}

void books_close(struct books *books)
{
	ledger_close(books->ledger);
}

const char *books_user(char name[BOOKS_NAME_SIZE])
{
	static const char *const variables[] = { "SUDO_USER", "LOGNAME", "USER" };

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *said = screen_environment(variables[i]);

		if (said && strlen(said) < BOOKS_NAME_SIZE) {
			(void)snprintf(name, BOOKS_NAME_SIZE, "%s", said);
			return name;
		}
	}
	(void)snprintf(name, BOOKS_NAME_SIZE, "uid %u", (unsigned)getuid());
	return name;
}

int64_t books_now(void)
{
	return now_wall_ns();
}
