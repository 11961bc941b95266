/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of targets (impact/probe.h), several at a time: a name is looked up (tell/lookup.h), and each of its addresses
 * is asked for itself, by libcurl, under the name's own certificate. Nobody waits in it: all of a check is over within
 * its time, whatever the other end does. What is answered is looked at for a text, and thrown away; of a body
 * CHECKER_READ_MAX octets are read at most.
 *
 * Redirects are followed by us: to http and https, PROBE_REDIRECTS_MAX times, never in a circle, and from an address
 * that is anybody's never to one that is not.
 */
#ifndef HOLDFAST_TELL_CHECKER_H
#define HOLDFAST_TELL_CHECKER_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "impact/probe.h"

#define CHECKER_MAX 8                /* checks under way at a time */
#define CHECKER_READ_MAX (1u << 20)  /* octets of a body, an address */
#define CHECKER_TEXT_MAX (64u << 10) /* of them, those that are looked at for a text */
#define CHECKER_HEAD_MAX (64u << 10) /* octets of what stands before a body */
#define CHECKER_EXTRA_MAX 8          /* descriptors of the caller's */

struct checker; /* opaque */

/*
 * `ca_file`: certificates that are trusted, instead of the system's; NULL. -ENOMEM; -ENOSYS: libcurl or c-ares is not
 * there.
 */
int checker_new(const char *ca_file, struct checker **checker);
void checker_free(struct checker *checker);
/* Takes a copy. `now_ns` since the Unix epoch. -EAGAIN: CHECKER_MAX are under way; -ENOMEM. */
int checker_begin(struct checker *checker, const struct probe_check *check, int64_t now_ns, uint64_t token);
bool checker_is_busy(const struct checker *checker);
/* Goes on with what is under way, and waits for that, or for one of `fds`, at most so long. 0 or -errno. */
int checker_wait(struct checker *checker, struct pollfd *fds, unsigned count, int timeout_ms);
/* What has come to an end; false where there is none left. Vantage is the caller's to say. */
bool checker_next(struct checker *checker, uint64_t *token, struct probe_result *result);

#endif
