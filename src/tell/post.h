/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way by which anything is sent to a web server: JSON by POST, over http or https, several at a time, nobody
 * waits. Mail goes to one's own server by the same way: SMTP, by STARTTLS, or over TLS from its first octet.
 * Certificates are verified; redirects, proxies and what an environment says are not followed; what a server answers
 * beside its status is not looked at, nor kept.
 */
#ifndef HOLDFAST_TELL_POST_H
#define HOLDFAST_TELL_POST_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "tell/alert.h"

#define POST_MAX 8 /* under way at a time */
#define POST_MS 10000
#define POST_CONNECT_MS 5000
#define POST_WHAT_SIZE 128

struct post; /* opaque */

/* A mail, and the server that takes it. All is copied. */
struct post_mail {
	const char *url;             /* "smtp://mail.example.org:587", "smtps://…" */
	const char *user, *password; /* "": who sends is not asked for */
	const char *ca_file;         /* "": the system's authorities */
	bool starttls;               /* of smtp: without TLS nothing is sent; false: it is never asked for */
	const char *from, *to;       /* of the envelope */
	const char *octets;          /* as mail_write() has them */
	size_t length;
};

struct post_result {
	uint64_t token;
	int result;      /* 0; -EAGAIN: another time it may go; -EPERM: it never will */
	unsigned status; /* of HTTP, of SMTP; 0: none came */
	bool reached;    /* of a mail: the server spoke, took us for who we are, and answered to this mail alone */
	char what[POST_WHAT_SIZE]; /* "HTTP 404", "Connection refused": nothing of what was sent is in it */
};

/* -ENOMEM; -ENOSYS where libcurl lacks what it takes. Once in a process, before it has threads. */
int post_new(struct post **post);
void post_free(struct post *post);
/* Takes a copy. -EAGAIN: POST_MAX are under way. */
int post_send(struct post *post, const struct alert_request *request, uint64_t token);
/* The same of a mail: 5xx of SMTP is -EPERM, all else that goes wrong -EAGAIN. */
int post_send_mail(struct post *post, const struct post_mail *mail, uint64_t token);
/* Goes on with what is under way, and waits for that, or for one of `fds`, at most so long. 0 or -errno. */
int post_wait(struct post *post, struct pollfd *fds, unsigned count, int timeout_ms);
/* What has come to an end; false where there is none left. */
bool post_next(struct post *post, struct post_result *result);

#endif
