/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tell/curl.h"
#include "tell/http_status.h"

#ifndef HOLDFAST_VERSION
#define HOLDFAST_VERSION "unknown"
#endif

#define ROOM_FIRST ((size_t)64 << 10)

struct body {
	uint8_t *octets;
	size_t size, room, max;
	int error;
};

static const char https[] = "https://";

/* Plain http only where nobody is on the way. */
static const char *const local[] = { "http://127.0.0.1:", "http://127.0.0.1/", "http://[::1]:", "http://[::1]/" };

static bool begins(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

static bool is_local(const char *url)
{
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		if (begins(url, local[i]))
			return true;
	return false;
}

bool fetch_can(const char *url)
{
	/* A user name in it could make one host look like another. */
	return strlen(url) < FETCH_URL_SIZE && (begins(url, https) || is_local(url)) &&
	       !strchr(url + strlen(https), '\\') &&
	       strcspn(url + strlen(https), "@") >= strcspn(url + strlen(https), "/");
}

static size_t on_octets(char *octets, size_t size, size_t count, void *context)
{
	struct body *body = context;
	size_t more = size * count;

	if (more > body->max - body->size) {
		body->error = -EFBIG;
		return 0;
	}
	if (more > body->room - body->size) {
		size_t room = body->room ? 2 * body->room : ROOM_FIRST;
		uint8_t *moved;

		while (room - body->size < more)
			room *= 2;
		moved = realloc(body->octets, room);
		if (!moved) {
			body->error = -ENOMEM;
			return 0;
		}
		body->octets = moved;
		body->room = room;
	}
	if (more)
		memcpy(body->octets + body->size, octets, more);
	body->size += more;
	return more;
}

/* Options whose failing would make it less safe must not fail. */
static CURLcode prepare(CURL *easy, const char *url, struct body *body)
{
	/* What is asked of this machine does not leave it, nor go back to it from elsewhere. */
	bool here = is_local(url);
	CURLcode bad = CURLE_OK;

	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, here ? "http" : "https");
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, here ? 0L : 1L);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_MAXREDIRS, (long)FETCH_REDIRECTS_MAX);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (here)
		bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_PROXY, "");
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)FETCH_MS);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)FETCH_SLOW);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)FETCH_SLOW_S);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_USERAGENT, "Holdfast/" HOLDFAST_VERSION);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_octets);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_WRITEDATA, body);
	return bad ? bad : curl.easy_setopt(easy, CURLOPT_URL, url);
}

static int judge(CURLcode code, long status, const struct body *body, char what[FETCH_WHAT_SIZE])
{
	if (body->error)
		return body->error;
	if (code == CURLE_OUT_OF_MEMORY)
		return -ENOMEM;
	if (code != CURLE_OK)
		(void)snprintf(what, FETCH_WHAT_SIZE, "%s", curl.easy_strerror(code));
	else if (status != HTTP_STATUS_OK)
		(void)snprintf(what, FETCH_WHAT_SIZE, "HTTP %ld", status);
	return code != CURLE_OK || status != HTTP_STATUS_OK ? -EIO : 0;
}

int fetch_get(const char *url, size_t max, uint8_t **octets, size_t *size, char what[FETCH_WHAT_SIZE])
{
	struct body body = { .max = max };
	CURLcode code;
	long status = 0;
	CURL *easy;
	int result;

	what[0] = '\0';
	if (!fetch_can(url))
		return -EPERM;
	if (curl_open() != 0)
		return -ENOSYS;
	easy = curl.easy_init();
	if (!easy)
		return -ENOMEM;
	code = prepare(easy, url, &body);
	if (code == CURLE_OK)
		code = curl.easy_perform(easy);
	(void)curl.easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	result = judge(code, status, &body, what);
	curl.easy_cleanup(easy);
	if (result != 0) {
		free(body.octets);
		return result;
	}
	*octets = body.octets;
	*size = body.size;
	return 0;
}
