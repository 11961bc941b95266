/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of an access log in any of the formats of impact/access_log.h, those of JSON among them: an object a line,
 * with the names that nginx' variables, Caddy, Traefik, Apache and the Elastic Common Schema have for what is wanted
 * (doc/outage.md).
 */
#ifndef HOLDFAST_TELL_ACCESS_JSON_H
#define HOLDFAST_TELL_ACCESS_JSON_H

#include <stddef.h>

#include "impact/access_log.h"

/* One object, octets from outside. 0, or -EBADMSG with *why. */
int access_json_read(const char *line, size_t length, int32_t zone_s, struct access_entry *entry, const char **why);
/*
 * Any line, as it stands in its file or came by syslog, without its end; `log` learns of it. 0; -EBADMSG: it is no line
 * of a log, with *why; -ENODATA: it is empty.
 */
int access_line_read(struct access_log *log, const char *line, size_t length, struct access_entry *entry,
                     const char **why);

#endif
