/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits to be handed to the recorder as files in memory. Bounded in number and octets: what finds no room is lost,
 * and counted, so that a recorder that waits for its disk never stops who watches.
 */
#ifndef HOLDFAST_DAEMON_OUTBOX_H
#define HOLDFAST_DAEMON_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/message.h"

#define OUTBOX_MAX 64
#define OUTBOX_OCTETS (48u << 20) /* in all; one that is larger finds room where nothing else waits */

struct outbox; /* opaque */

/* 0 or -ENOMEM. */
int outbox_new(struct outbox **outbox);
void outbox_free(struct outbox *outbox);
unsigned outbox_count(const struct outbox *outbox);
uint64_t outbox_lost(const struct outbox *outbox);

/* A file in memory with these octets, or empty where `octets` is NULL: a descriptor, the caller's, or -errno. */
int outbox_file(const void *octets, size_t length);
/*
 * Takes a message of a type that goes to the recorder, and its file of so many octets (-1: none), which is closed once
 * it has been sent, or lost. 0, or -ENOBUFS: there is no room.
 */
int outbox_put(struct outbox *outbox, const struct message *message, int file, size_t length);
/* Sends what it can without waiting. -EPIPE: nobody is left. */
int outbox_send(struct outbox *outbox, int channel);

#endif
