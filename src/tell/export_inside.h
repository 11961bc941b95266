/* SPDX-License-Identifier: Apache-2.0 */
/* What the formats of exports share. */
#ifndef HOLDFAST_TELL_EXPORT_INSIDE_H
#define HOLDFAST_TELL_EXPORT_INSIDE_H

#include <jansson.h>

#include "detect/vector.h"
#include "tell/build.h"
#include "tell/export.h"

#define UUID_SIZE 37
#define UUID_OCTETS 16

/* RFC 4122, version 5: the UUID of a name within a namespace. */
void export_uuid(const uint8_t space[UUID_OCTETS], const char *name, char text[UUID_SIZE]);
/*
 * The same, of what is not to be found elsewhere: in a namespace of Holdfast's own. `name`: "report", … of this
 * incident.
 */
void export_uuid_own(const struct export *export, const char *name, char text[UUID_SIZE]);
/* The last moment that is known: its end, or when the trace was made. */
int64_t export_end(const struct export *export);
/* The catalogue's row of that name, or NULL. */
const struct vector *export_vector(const char *name);
/* "tcp", "udp", "icmp", "gre"; "ip" for all else. */
const char *export_protocol(const struct vector *vector);
/* "DDoS attack on 192.0.2.10/32, 2025-03-10: ntp_reflection" */
void export_title(const struct export *export, char *text, size_t size);
/* The object as text with a newline; it is let go. 0 or -ENOMEM. */
int export_text(const struct build *b, json_t *object, size_t flags, char **text);

#endif
