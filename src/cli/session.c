/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE "SSH_CONNECTION"
#define ANCESTORS_MAX 32
#define ENVIRONMENT_MAX ((size_t)256 << 10) /* octets of one that are looked at */
#define STATUS_SIZE 512                     /* of /proc/PID/stat: the parent's number is among the first */
#define WORD_SIZE 64

/* The next word of *text, parted by blanks; *text moves behind it. False where there is none, or none that fits. */
static bool next_word(const char **text, char word[WORD_SIZE])
{
	const char *begin = *text + strspn(*text, " ");
	size_t length = strcspn(begin, " ");

	if (length == 0 || length >= WORD_SIZE)
		return false;
	memcpy(word, begin, length);
	word[length] = '\0';
	*text = begin + length;
	return true;
}

static bool read_address(const char **text, struct address *address)
{
	char word[WORD_SIZE];
	struct prefix prefix;

	if (!next_word(text, word))
		return false;
	word[strcspn(word, "%")] = '\0';
	if (strchr(word, '/') || prefix_parse(word, &prefix) != 0)
		return false;
	*address = prefix.address;
	return true;
}

static bool read_port(const char **text, uint16_t *port)
{
	char word[WORD_SIZE], *end;
	unsigned long value;

	if (!next_word(text, word))
		return false;
	value = strtoul(word, &end, 10);
	if (*end || word[0] < '0' || word[0] > '9' || value == 0 || value > UINT16_MAX)
		return false;
	*port = (uint16_t)value;
	return true;
}

int session_parse(const char *connection, struct session *session)
{
	struct session found;
	struct address server;

	if (!read_address(&connection, &found.client) || !read_port(&connection, &found.client_port) ||
	    !read_address(&connection, &server) || !read_port(&connection, &found.server_port))
		return -EINVAL;
	*session = found;
	return 0;
}

/* Up to `size` - 1 octets of a file of /proc, NUL-terminated; how many, or -errno. */
static ssize_t read_proc(pid_t process, const char *name, char *text, size_t size)
{
	char path[WORD_SIZE];
	size_t filled = 0;
	ssize_t got = 0;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)process, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (filled < size - 1 && (got = read(fd, text + filled, size - 1 - filled)) > 0)
		filled += (size_t)got;
	(void)close(fd);
	text[filled] = '\0';
	return got < 0 ? -EIO : (ssize_t)filled;
}

/* 0 where there is none, or it is not known. The name before the numbers may hold anything, a ")" too. */
static pid_t parent_of(pid_t process)
{
	char status[STATUS_SIZE];
	const char *behind;
	long parent;
	char state;

	if (read_proc(process, "stat", status, sizeof(status)) <= 0)
		return 0;
	behind = strrchr(status, ')');
	if (!behind || sscanf(behind + 1, " %c %ld", &state, &parent) != 2) /* NOLINT(cert-err34-c): the kernel's own */
		return 0;
	return (pid_t)parent;
}

/* What a process's environment at its start says. */
static int session_of(pid_t process, struct session *session)
{
	char *environment = malloc(ENVIRONMENT_MAX);
	ssize_t length;
	int result = -ENOENT;

	if (!environment)
		return -ENOMEM;
	length = read_proc(process, "environ", environment, ENVIRONMENT_MAX);
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(environment + at) + 1) {
		if (strncmp(environment + at, VARIABLE "=", sizeof(VARIABLE)) != 0)
			continue;
		result = session_parse(environment + at + sizeof(VARIABLE), session);
		break;
	}
	free(environment);
	return result;
}

int session_find(struct session *session)
{
	const char *own = getenv(VARIABLE);
	pid_t process = getppid();

	if (own && session_parse(own, session) == 0)
		return 0;
	for (unsigned i = 0; i < ANCESTORS_MAX && process > 1; i++) {
		if (session_of(process, session) == 0)
			return 0;
		process = parent_of(process);
	}
	return -ENOENT;
}

const char *session_format(const struct session *session, char text[SESSION_TEXT_SIZE])
{
	char address[ADDRESS_TEXT_SIZE];

	(void)snprintf(text, SESSION_TEXT_SIZE, "%s %u %u", address_format(&session->client, address),
	               (unsigned)session->client_port, (unsigned)session->server_port);
	return text;
}
