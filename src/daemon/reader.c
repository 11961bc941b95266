/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/reader.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "tell/access_json.h"

#define STATE_NAME "/places"
#define STATE_MODE 0600
#define SOCKET_OCTETS (4 << 20) /* that the kernel holds for a socket; it may give less */

/* ---- lines ---- */

static void let_wait(struct reader *reader, const struct signal_count *signals, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (reader->waiting_count < READER_WAITING_MAX)
			reader->waiting[reader->waiting_count++] = signals[i];
		else
			reader->signals_lost++;
	reader->changed = true;
}

static int wait_for_desk(void *context, const struct access_bucket *bucket)
{
	struct reader_component *component = context;
	struct signal_count signals[2];

	let_wait(component->reader, signals, access_bucket_signals(bucket, component->id, signals));
	return 0;
}

static int take_line(void *context, const char *line, size_t length)
{
	struct reader_source *source = context;
	struct reader *reader = source->reader;
	struct access_entry entry;
	const char *why;
	int result;

	reader->lines++;
	reader->changed = true;
	if (!line) {
		reader->too_long++;
		return 0;
	}
	result = access_line_read(&source->log, line, length, &entry, &why);
	reader->left_out += result == -EBADMSG;
	if (result != 0)
		return 0;
	if (entry.time_ns > source->now_ns + READER_AHEAD_NS || entry.time_ns < source->now_ns - READER_BEHIND_NS) {
		reader->out_of_time++;
		return 0;
	}
	return access_count_add(&source->component->count, &entry);
}

/* ---- datagrams ---- */

int log_reader_socket(const struct address *listen, uint16_t port)
{
	bool ipv4 = address_is_ipv4(listen);
	int fd = socket(ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
	    octets = SOCKET_OCTETS;
	int one = 1, result;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets));
	if (ipv4) {
		struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htobe16(port) };

		memcpy(&at.sin_addr, listen->octets + 12, sizeof(at.sin_addr));
		result = bind(fd, (const struct sockaddr *)(const void *)&at, sizeof(at));
	} else {
		struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htobe16(port) };

		memcpy(&at.sin6_addr, listen->octets, sizeof(at.sin6_addr));
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
		result = bind(fd, (const struct sockaddr *)(const void *)&at, sizeof(at));
	}
	if (result != 0) {
		result = -errno;
		(void)close(fd);
		return result;
	}
	return fd;
}

/* Where nothing is said, whoever reaches a socket of this host's loopback may send. */
static bool may_send(const struct config_log *log, const struct sockaddr_storage *from)
{
	struct address address;

	if (log->from.count == 0)
		return true;
	if (from->ss_family == AF_INET)
		address =
			address_from_ipv4((const uint8_t *)&((const struct sockaddr_in *)(const void *)from)->sin_addr);
	else
		address = address_from_ipv6(
			(const uint8_t *)&((const struct sockaddr_in6 *)(const void *)from)->sin6_addr);
	for (uint32_t i = 0; i < log->from.count; i++)
		if (prefix_contains(&log->from.prefixes[i], &address))
			return true;
	return false;
}

static void take_datagrams(struct reader_source *source, bool *more)
{
	char datagram[TAIL_LINE_MAX];

	for (unsigned i = 0; i < READER_DATAGRAMS_AT_ONCE; i++) {
		struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
		socklen_t size = sizeof(from);
		ssize_t got = recvfrom(source->socket, datagram, sizeof(datagram), MSG_TRUNC,
		                       (struct sockaddr *)(void *)&from, &size);

		if (got < 0)
			return;
		if (!may_send(source->config, &from)) {
			source->reader->strangers++;
			continue;
		}
		while (got > 0 && got <= (ssize_t)sizeof(datagram) &&
		       (datagram[got - 1] == '\n' || datagram[got - 1] == '\0'))
			got--;
		(void)take_line(source, got <= (ssize_t)sizeof(datagram) ? datagram : NULL, (size_t)got);
	}
	*more = true;
}

/* ---- beginning ---- */

static struct reader_component *add_component(struct reader *reader, const char *id, const struct config *config)
{
	struct reader_component *component;

	for (unsigned i = 0; i < reader->component_count; i++)
		if (strcmp(reader->components[i]->id, id) == 0)
			return reader->components[i];
	component = calloc(1, sizeof(*component));
	if (!component)
		return NULL;
	memcpy(component->id, id, strlen(id) + 1);
	component->reader = reader;
	access_count_init(&component->count, config->trusted_proxies.prefixes, config->trusted_proxies.count,
	                  wait_for_desk, component);
	reader->components[reader->component_count++] = component;
	return component;
}

static int add_source(struct reader *reader, const struct config_log *log, const struct config *config, int *given)
{
	struct reader_source *source = &reader->sources[reader->source_count];

	*source = (struct reader_source){ .config = log,
		                          .component = add_component(reader, log->component, config),
		                          .log = { .format = log->format, .zone_s = log->zone_s },
		                          .socket = -1,
		                          .reader = reader };
	if (!source->component)
		return -ENOMEM;
	if (log->file[0]) {
		source->tail = malloc(sizeof(*source->tail));
		if (!source->tail)
			return -ENOMEM;
		tail_init(source->tail, log->file, NULL);
	} else {
		source->socket = *given;
		*given = -1;
	}
	reader->source_count++;
	return 0;
}

int log_reader_init(struct reader *reader, const struct config *config, int *sockets, unsigned socket_count,
                    char error[CONFIG_ERROR_SIZE])
{
	unsigned taken = 0;
	int result = 0;

	memset(reader, 0, sizeof(*reader));
	for (unsigned i = 0; i < config->log_count; i++)
		taken += config->logs[i].syslog[0] != '\0';
	(void)snprintf(error, CONFIG_ERROR_SIZE, "%u sockets came for %u logs", socket_count, taken);
	if (taken != socket_count)
		return -EBADMSG;
	(void)snprintf(error, CONFIG_ERROR_SIZE, "out of memory");
	for (unsigned i = 0; i < config->log_count && result == 0; i++) {
		result = add_source(reader, &config->logs[i], config, sockets);
		sockets += config->logs[i].syslog[0] != '\0';
	}
	return result;
}

int log_reader_resume(struct reader *reader, const char *folder)
{
	void *text = NULL;
	size_t length = 0;
	int result;

	(void)snprintf(reader->path, sizeof(reader->path), "%s", folder);
	(void)strncat(reader->path, STATE_NAME, sizeof(reader->path) - strlen(reader->path) - 1);
	result = file_load(reader->path, READER_STATE_MAX, &text, &length);
	if (result == 0)
		result = log_reader_state_read(reader, text, length);
	free(text);
	return result;
}

/* ---- life ---- */

void log_reader_turn(struct reader *reader, int64_t wall_ns, int64_t monotonic_ns, bool *more)
{
	*more = false;
	for (unsigned i = 0; i < reader->source_count; i++) {
		struct reader_source *source = &reader->sources[i];
		bool again = false;

		source->now_ns = wall_ns;
		if (source->tail)
			(void)tail_read(source->tail, monotonic_ns, take_line, source, &again);
		else
			take_datagrams(source, &again);
		*more = *more || again;
	}
	/* While an old file is caught up with, its buckets are not over. */
	for (unsigned i = 0; i < reader->component_count && !*more; i++)
		(void)access_count_end(&reader->components[i]->count, wall_ns - READER_LATE_NS);
	if (reader->changed && monotonic_ns - reader->kept_ns >= READER_KEPT_NS) {
		(void)log_reader_keep(reader);
		reader->kept_ns = monotonic_ns;
	}
}

unsigned log_reader_take(struct reader *reader, struct signal_count signals[SERVE_COUNTS_MAX])
{
	unsigned count = reader->waiting_count < SERVE_COUNTS_MAX ? reader->waiting_count : SERVE_COUNTS_MAX;

	if (count == 0)
		return 0;
	memcpy(signals, reader->waiting, count * sizeof(*signals));
	for (unsigned i = 0; i < count; i++)
		(void)snprintf(signals[i].vantage, sizeof(signals[i].vantage), "%s", VANTAGE_SERVE);
	reader->waiting_count -= count;
	memmove(reader->waiting, reader->waiting + count, reader->waiting_count * sizeof(*signals));
	reader->changed = true;
	(void)log_reader_keep(reader);
	return count;
}

void log_reader_give_back(struct reader *reader, const struct signal_count *signals, unsigned count)
{
	let_wait(reader, signals, count);
}

int log_reader_keep(struct reader *reader)
{
	char *text = NULL;
	int result;

	if (!reader->changed || !reader->path[0])
		return 0;
	result = log_reader_state_write(reader, &text);
	if (result != 0)
		return result;
	result = file_replace(reader->path, STATE_MODE, text, strlen(text), FILE_PASSING);
	free(text);
	reader->state_fault = -result;
	reader->changed = result != 0;
	return result;
}

void log_reader_fini(struct reader *reader)
{
	for (unsigned i = 0; i < CONFIG_LOGS_MAX; i++) {
		struct reader_source *source = &reader->sources[i];

		if (source->tail) {
			tail_fini(source->tail);
			free(source->tail);
		}
		if (source->config && source->socket >= 0)
			(void)close(source->socket);
		free(reader->components[i]);
	}
	memset(reader, 0, sizeof(*reader));
}
