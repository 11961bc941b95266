/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon says, on standard error: "holdfast: loader: eth0: ...", with syslog's level in front ("<4>") where
 * the journal listens. Libraries never log; this is the daemon's edge. One place in the code says at most LOG_BURST
 * lines in LOG_PERIOD_S; what it would have said besides is counted and told with the next line from there.
 */
#ifndef HOLDFAST_DAEMON_LOG_H
#define HOLDFAST_DAEMON_LOG_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_BURST 8
#define LOG_PERIOD_S 60
#define LOG_LINE_SIZE 1024

/* syslog's numbers */
enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_NOTICE = 5, LOG_INFO = 6 };

/* Of one place that logs; zeroed. */
struct log_site {
	int64_t since_ns; /* of the monotonic clock, when the period began */
	uint32_t said;    /* in it */
	uint32_t withheld;
};

/* Which role speaks: a word that stays where it is; finds out whether standard error is the journal. */
void log_begin(const char *role);
/*
 * Whether the site may speak now; then *withheld is how often it could not since it last did. The clock is passed in.
 */
bool log_site_take(struct log_site *site, int64_t now_ns, uint32_t *withheld);
__attribute__((format(printf, 3, 4))) void log_write(struct log_site *site, enum log_level level, const char *format,
                                                     ...);

#define LOG_SAY(level, ...)                                    \
	do {                                                   \
		static struct log_site log_site_here;          \
		log_write(&log_site_here, level, __VA_ARGS__); \
	} while (0)

#endif
