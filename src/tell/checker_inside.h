/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a checker share: checker.c jobs, checker_leg.c one address of one of them. */
#ifndef HOLDFAST_TELL_CHECKER_INSIDE_H
#define HOLDFAST_TELL_CHECKER_INSIDE_H

#include "tell/checker.h"
#include "tell/curl.h"
#include "tell/lookup.h"

/* What is asked of one address, through its redirects. */
struct leg {
	const struct probe_check *check;
	struct probe_address *result;
	CURLM *multi;
	CURL *easy;            /* NULL: nothing is asked of it at present */
	struct curl_slist *to; /* which address */
	struct lookup *lookup; /* of where it is sent on to */
	struct probe_target at;
	struct address address; /* that is asked at present */
	char *seen[PROBE_REDIRECTS_MAX + 1];
	char *text; /* the beginning of the body; NULL where nobody looks at it */
	size_t text_length, head;
	bool head_too_large, over;
	bool greeted;        /* it is connected, and TLS has begun */
	int64_t deadline_ns; /* on the monotonic clock */
	const char *ca_file;
};

/* Asks `leg->address` for `leg->at`. On failure it is over, with a reason. */
void leg_begin(struct leg *leg, int64_t now_ns);
/* Its transfer has come to an end: it is over, or goes on elsewhere. */
void leg_ended(struct leg *leg, CURLcode code, int64_t now_ns);
/* Its look-up goes on. */
void leg_turn(struct leg *leg, int64_t now_ns);
void leg_drop(struct leg *leg);

CURLM *leg_multi_new(void);
void leg_multi_free(CURLM *multi);
/* 0 or -EIO. */
int leg_multi_wait(CURLM *multi, struct curl_waitfd *fds, unsigned count, int timeout_ms);
/* The next transfer that has ended; NULL. */
struct leg *leg_multi_next(CURLM *multi, CURLcode *code);

#endif
