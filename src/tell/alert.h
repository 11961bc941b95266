/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts: what people are told while they do not look, at the places where they are called. Pure: an alert and a target
 * become a request, by one table of types; sending it is somebody else's.
 *
 * Bodies are what the vendors document:
 *     PagerDuty       Events API v2 (support.pagerduty.com/docs/events-api-v2): trigger, resolve, dedup_key
 *     Slack           incoming webhooks (api.slack.com/messaging/webhooks): "text"
 *     Telegram        Bot API (core.telegram.org/bots/api#sendmessage): sendMessage
 *     Alertmanager    API v2 (prometheus.io/docs/alerting/latest/alerts_api): a list of labels, annotations, times
 *     webhook         our own, holdfast.alert/1 (doc/alerts.md)
 *     script          FastNetMon's notify script: address, incoming, pps, ban or unban; details on standard input
 *
 * Texts of an alert may come from anywhere: what cannot be printed becomes '?' before it goes out.
 */
#ifndef HOLDFAST_TELL_ALERT_H
#define HOLDFAST_TELL_ALERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prefix.h"

#define ALERT_NAME_SIZE 64
#define ALERT_ADVICE_SIZE 256
#define ALERT_URL_SIZE 512
#define ALERT_SECRET_SIZE 512 /* a key, or a URL that is one */
#define ALERT_KEY_SIZE 96
#define ALERT_HEADERS_SIZE 512
#define ALERT_TEXT_SIZE 1024

/* Their numbers go over channels, their names to people's programs. */
enum alert_change {
	ALERT_BEGAN,     /* an incident */
	ALERT_WORSE,     /* the same, several times as large as when it was told last */
	ALERT_ENDED,     /* it is over */
	ALERT_LINK_FULL, /* packets are lost before the shield sees them */
	ALERT_LINK_FREE, /* no more */
	ALERT_STANDING,  /* an incident, or a link that is full, that may have been told before: known, and not told */
	ALERT_TEST,
	ALERT_CHANGES,
};

/* What it is about. */
enum alert_matter {
	ALERT_OF_ATTACK,    /* an incident, a link, or a test */
	ALERT_OF_OUTAGE,    /* BEGAN, WORSE: another word of it, ENDED, STANDING */
	ALERT_OF_STATEMENT, /* that is due. BEGAN: nothing was published in time; ENDED: something was; STANDING */
	ALERT_OF_CHECKS, /* of a component, that fail from one place, which proves no outage. BEGAN, ENDED, STANDING */
	ALERT_MATTERS,
};

struct alert {
	uint32_t change; /* enum alert_change */
	uint32_t enforcing;
	/* its id; 0 where it is about a link, checks, or a test; of an outage or statement its number */
	uint64_t incident;
	int64_t time_ns, began_ns; /* since the Unix epoch */
	uint64_t pps, bps;         /* at present; of what ends, 0 */
	uint64_t peak_pps;
	uint32_t passing_ppm;          /* share that passes, at present */
	uint32_t matter;               /* enum alert_matter */
	char host[ALERT_NAME_SIZE];    /* what this machine is called */
	char service[ALERT_NAME_SIZE]; /* "": none that is configured; of an outage its component */
	/* "192.0.2.10", "192.0.2.0/24"; of a link its name; of others "o3", "s4", "checks" */
	char target[PREFIX_TEXT_SIZE];
	char vector[ALERT_NAME_SIZE];   /* "ntp_reflection"; of an outage belief_word_name(); of checks what fails */
	char advice[ALERT_ADVICE_SIZE]; /* "": none */
};

enum alert_type {
	ALERT_PAGERDUTY,
	ALERT_SLACK,
	ALERT_TELEGRAM,
	ALERT_ALERTMANAGER,
	ALERT_WEBHOOK,
	ALERT_SCRIPT,
	ALERT_TYPES,
};

struct alert_target {
	char name[ALERT_NAME_SIZE];
	uint32_t type;            /* enum alert_type */
	char url[ALERT_URL_SIZE]; /* "": the type's own */
	char chat[ALERT_NAME_SIZE];
	uint32_t min_pps; /* smaller incidents are not told */
};

/* What is to be sent. Owned texts; alert_request_fini(). */
struct alert_request {
	char url[ALERT_URL_SIZE + ALERT_SECRET_SIZE];
	char authorization[ALERT_SECRET_SIZE + 32]; /* a header's line, or "" */
	char headers[ALERT_HEADERS_SIZE];           /* more of them, each with '\n' behind it */
	char *body;                                 /* JSON; of a script, its standard input */
	size_t length;
	char arguments[4][PREFIX_TEXT_SIZE]; /* of a script */
};

const char *alert_change_name(enum alert_change change); /* "began" */
const char *alert_type_name(enum alert_type type);       /* "pagerduty" */
bool alert_change_closes(enum alert_change change);      /* what had begun */
bool alert_is_link(const struct alert *alert);
int alert_type_parse(const char *text, enum alert_type *type); /* -EINVAL */
/* What a type of target must have, and what it can. */
bool alert_type_wants_key(enum alert_type type);
bool alert_type_takes_key(enum alert_type type);
bool alert_type_wants_url(enum alert_type type);
bool alert_type_takes_url(enum alert_type type);
/* What goes to it with a key in it must not be read on the way: https, or this host. */
bool alert_url_is_safe(const char *url);
/* http:// or https:// with a host behind it. */
bool alert_url_is_good(const char *url);

/* What it is one with: the same for all that is told of an incident, or of a link. */
const char *alert_key(const struct alert *alert, char text[ALERT_KEY_SIZE]);
/* In one sentence. */
const char *alert_summary(const struct alert *alert, char text[ALERT_TEXT_SIZE]);

/*
 * 0; -ENOENT where a target of this type is not told of such a change; -EINVAL where the key is none for it; -ENOMEM.
 * `key` is what is in the key's file, "" where there is none.
 */
int alert_request(const struct alert_target *target, const char *key, const struct alert *alert,
                  struct alert_request *request);
void alert_request_fini(struct alert_request *request);

/*
 * Which of what happens is told to one target: an incident once when it begins, when it has become ALERT_WORSE_TIMES as
 * large as told last, and when it ends; a link likewise. At most ALERT_A_MINUTE of those that begin or become worse;
 * what ends is always told, if its beginning was.
 */
#define ALERT_WORSE_TIMES 4
#define ALERT_A_MINUTE 10
#define ALERT_OPEN_MAX 256 /* that are told and not over; of more the longest silent is forgotten */

struct alert_desk {
	uint64_t unsaid; /* for there were too many */
	int64_t minute_ns;
	unsigned in_minute;
	unsigned count;
	struct alert_open {
		char key[ALERT_KEY_SIZE];
		char service[ALERT_NAME_SIZE]; /* as it was first called: labels must not change */
		char target[PREFIX_TEXT_SIZE], vector[ALERT_NAME_SIZE]; /* for an end that does not say */
		uint64_t pps;
		int64_t told_ns, began_ns;
	} open[ALERT_OPEN_MAX];
};

/*
 * Whether it is to be told to somebody whom incidents under `min_pps` do not concern; the service is then made what it
 * was when it began. A test always is.
 */
bool alert_desk_takes(struct alert_desk *desk, int64_t now_ns, uint32_t min_pps, struct alert *alert);

#endif
