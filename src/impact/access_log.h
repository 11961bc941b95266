/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of access logs, octets from outside (doc/outage.md has the formats):
 *
 *     combined  192.0.2.7 - - [10/Mar/2026:09:35:00 +0000] "GET / HTTP/1.1" 200 512 "-" "agent" "203.0.113.9" 0.012
 *               nginx and Apache, common and combined, with a virtual host before it, and what is often put behind it: the
 *               addresses that were forwarded, how long it took
 *     haproxy   192.0.2.7:5000 [10/Mar/2026:09:35:00.127] web web/one 0/0/1/12/13 200 512 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"
 *     json      objects, by tell/access_json.h
 *
 * What syslog puts before a line (RFC 3164, RFC 5424, and as it stands in files) is passed over.
 */
#ifndef HOLDFAST_IMPACT_ACCESS_LOG_H
#define HOLDFAST_IMPACT_ACCESS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prefix.h"

#define ACCESS_LINE_MAX 16384                      /* octets of a line; of a longer one nothing is read */
#define ACCESS_METHOD_SIZE 16                      /* a longer one is cut */
#define ACCESS_UNKNOWN (-1)                        /* bytes, duration_us */
#define ACCESS_DURATION_MAX_US (86400LL * 1000000) /* longer ones are not known */

enum access_format { ACCESS_AUTO, ACCESS_COMBINED, ACCESS_HAPROXY, ACCESS_JSON, ACCESS_FORMATS };

/* One answer to one request. */
struct access_entry {
	int64_t time_ns;
	struct address peer;      /* who was connected; has_peer: it is an address, not a name */
	struct address forwarded; /* on whose behalf, the last that the line says; has_forwarded */
	bool has_peer, has_forwarded;
	char method[ACCESS_METHOD_SIZE]; /* "": there was no request that could be read */
	uint16_t status;                 /* 0: nothing was answered */
	int64_t bytes, duration_us;      /* or ACCESS_UNKNOWN */
};

/* What the lines of one log have in common. Zeroed: nothing is known. */
struct access_log {
	enum access_format format;       /* ACCESS_AUTO: as the lines look */
	int32_t zone_s;                  /* east of UTC, of times that state none (HAProxy's) */
	uint32_t looked[ACCESS_FORMATS]; /* how many lines looked so, until one format is settled on */
};

/* "auto", "combined", "haproxy", "json". */
const char *access_format_name(enum access_format value);
bool access_format_find(const char *word, enum access_format *value);

/* Where the message begins behind what syslog puts before it; 0 where there is nothing of it. */
size_t access_log_unwrap(const char *line, size_t length);
/* How a line looks that was unwrapped; ACCESS_AUTO: like no log. */
enum access_format access_log_look(const char *line, size_t length);
/* A line looked so: one format's ACCESS_SETTLED lines settle it, where it is ACCESS_AUTO. */
void access_log_learn(struct access_log *log, enum access_format format);
/*
 * A line that was unwrapped, without its end, in ACCESS_COMBINED or ACCESS_HAPROXY. 0, or -EBADMSG: it is none; *why
 * says what is not there.
 */
int access_log_read(enum access_format format, const char *line, size_t length, int32_t zone_s,
                    struct access_entry *entry, const char **why);

/* For other readers of such values. Each takes all of text[0..length), or is false. */
bool access_address(const char *text, size_t length, struct address *address);
/* "203.0.113.9, 198.51.100.2": the last address of a list. */
bool access_forwarded(const char *text, size_t length, struct address *address);
/* "+02:00", "-0330", "Z": seconds east of UTC. */
bool access_zone(const char *text, size_t length, int32_t *zone_s);
/* RFC 3339 in any zone, or "10/Mar/2026:09:35:00 +0000"; what states no zone is zone_s east of UTC. */
bool access_time(const char *text, size_t length, int32_t zone_s, int64_t *time_ns);
/* Digits with a fraction, in units of unit_ns: microseconds. "-": not known, and true. */
bool access_duration(const char *text, size_t length, int64_t unit_ns, int64_t *duration_us);

#endif
