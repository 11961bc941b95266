/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a status page tells to web servers: bodies as Statuspage sends them, of an incident or of a component, from the
 * pieces that its API is made of (status_json.c); signed as Standard Webhooks has it
 * (github.com/standard-webhooks/standard-webhooks, spec 1.0):
 *
 *     webhook-id: msg_…             the same whenever this is sent again: by it a receiver drops what it has
 *     webhook-timestamp: 1764240000 seconds, of this attempt
 *     webhook-signature: v1,…       base64 of HMAC-SHA256 over "ID.TIMESTAMP.BODY"
 *
 * A secret is "whsec_" and base64 of 24 to 64 octets. Pure.
 */
#ifndef HOLDFAST_TELL_WEBHOOK_H
#define HOLDFAST_TELL_WEBHOOK_H

#include <stddef.h>
#include <stdint.h>

#include "tell/status.h"

#define WEBHOOK_SECRET_MIN 24
#define WEBHOOK_SECRET_MAX 64
#define WEBHOOK_ID_SIZE 64
#define WEBHOOK_HEADERS 3
#define WEBHOOK_HEADER_SIZE 96

struct webhook_secret {
	uint8_t octets[WEBHOOK_SECRET_MAX];
	size_t count;
};

/* What is told: one of the two. */
struct webhook_event {
	const char *incident;                /* its ID on the page; "" */
	const char *component;               /* its ID; "" */
	int64_t since_ns;                    /* of a component: when it became what it is told to be */
	const char *id;                      /* webhook-id: letters, digits, '_' */
	const struct status_incident *given; /* in place of the page's, where it shows none of that ID any more; NULL */
	enum language language;              /* where a text is in that one; else the page's first, and then any */
};

/* -EINVAL: it is none. */
int webhook_secret_read(const char *text, struct webhook_secret *secret);
/* Header lines, without their ends. */
void webhook_sign(const struct webhook_secret *secret, const char *id, int64_t timestamp_s, const char *body,
                  size_t length, char lines[WEBHOOK_HEADERS][WEBHOOK_HEADER_SIZE]);
/*
 * The body, the caller's. -ENOENT: there is no such incident, or no change of that component at that time, on the page;
 * -ENOMEM.
 */
int webhook_body(const struct status_page *page, const struct webhook_event *event, char **body, size_t *length);

#endif
