/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of a web server, into memory, within bounds: by https, or by http of this very machine, which a local mirror
 * or a test has. Redirects are followed a few times, to the like only. Certificates are verified; the environment's
 * proxies are used, for it is an operator who fetches, and not the daemon.
 */
#ifndef HOLDFAST_TELL_FETCH_H
#define HOLDFAST_TELL_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FETCH_WHAT_SIZE 128
#define FETCH_REDIRECTS_MAX 5
#define FETCH_CONNECT_MS 15000
#define FETCH_MS 600000 /* for one file */
#define FETCH_SLOW 1024 /* octets a second; less … */
#define FETCH_SLOW_S 30 /* … for so long is the end */
#define FETCH_URL_SIZE 512

/* Whether a URL is of a kind that is fetched at all. */
bool fetch_can(const char *url);
/*
 * 0: *octets, of which there are at most `max`, are the caller's to free. -EPERM: the URL is none that is fetched;
 * -EFBIG: it has more; -EIO: `what` says "HTTP 404", "Could not connect to server"; -ENOSYS: there is no libcurl;
 * -ENOMEM.
 */
int fetch_get(const char *url, size_t max, uint8_t **octets, size_t *size, char what[FETCH_WHAT_SIZE]);

#endif
