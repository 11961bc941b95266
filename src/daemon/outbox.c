/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The largest message that goes this way is much smaller than the largest of all. */
#define BODY_MAX sizeof(struct message_incident)

struct entry {
	uint32_t type;
	int file; /* -1: none */
	size_t length;
	uint8_t body[BODY_MAX];
};

struct outbox {
	unsigned first, count;
	size_t octets;
	uint64_t lost;
	struct entry entries[OUTBOX_MAX];
	struct message scratch;
};

_Static_assert(sizeof(struct message_stream) <= BODY_MAX && sizeof(struct message_checkpoint) <= BODY_MAX &&
                       sizeof(struct message_dropped) <= BODY_MAX,
               "all that goes this way fits");

int outbox_new(struct outbox **outbox)
{
	*outbox = calloc(1, sizeof(**outbox));
	return *outbox ? 0 : -ENOMEM;
}

void outbox_free(struct outbox *outbox)
{
	for (unsigned i = 0; outbox && i < outbox->count; i++) {
		const struct entry *entry = &outbox->entries[(outbox->first + i) % OUTBOX_MAX];

		if (entry->file >= 0)
			(void)close(entry->file);
	}
	free(outbox);
}

unsigned outbox_count(const struct outbox *outbox)
{
	return outbox->count;
}

uint64_t outbox_lost(const struct outbox *outbox)
{
	return outbox->lost;
}

int outbox_file(const void *octets, size_t length)
{
	int fd = memfd_create("holdfast", MFD_CLOEXEC);
	const uint8_t *at = octets;

	if (fd < 0)
		return -errno;
	while (at && length > 0) {
		ssize_t written = write(fd, at, length);

		if (written < 0 && errno != EINTR) {
			int result = -errno;

			(void)close(fd);
			return result;
		}
		at += written > 0 ? written : 0;
		length -= written > 0 ? (size_t)written : 0;
	}
	return fd;
}

int outbox_put(struct outbox *outbox, const struct message *message, int file, size_t length)
{
	size_t body = message_size((enum message_type)message->type) - offsetof(struct message, config);
	struct entry *entry;

	if (body > BODY_MAX || outbox->count == OUTBOX_MAX ||
	    (outbox->count > 0 && outbox->octets + length > OUTBOX_OCTETS)) {
		outbox->lost++;
		if (file >= 0)
			(void)close(file);
		return -ENOBUFS;
	}
	entry = &outbox->entries[(outbox->first + outbox->count++) % OUTBOX_MAX];
	entry->type = message->type;
	entry->file = file;
	entry->length = length;
	memcpy(entry->body, &message->config, body);
	outbox->octets += length;
	return 0;
}

int outbox_send(struct outbox *outbox, int channel)
{
	while (outbox->count > 0) {
		struct entry *entry = &outbox->entries[outbox->first];
		struct message *message = &outbox->scratch;
		size_t body = message_size((enum message_type)entry->type) - offsetof(struct message, config);
		int result;

		message_init(message, (enum message_type)entry->type, 0);
		memcpy(&message->config, entry->body, body);
		result = message_send(channel, message, &entry->file, entry->file >= 0);
		if (result == -EAGAIN)
			return 0;
		if (result != 0)
			return result;
		if (entry->file >= 0)
			(void)close(entry->file);
		outbox->octets -= entry->length;
		outbox->first = (outbox->first + 1) % OUTBOX_MAX;
		outbox->count--;
	}
	return 0;
}
