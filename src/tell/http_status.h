/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statuses of HTTP (RFC 9110 section 15, RFC 6585) that this program answers with or judges by: of what others
 * answer any number may come.
 */
#ifndef HOLDFAST_TELL_HTTP_STATUS_H
#define HOLDFAST_TELL_HTTP_STATUS_H

#include <stdbool.h>

enum http_status {
	HTTP_STATUS_OK = 200,
	HTTP_STATUS_NO_CONTENT = 204,
	HTTP_STATUS_MOVED = 301,
	HTTP_STATUS_SEE_OTHER = 303,
	HTTP_STATUS_NOT_MODIFIED = 304,
	HTTP_STATUS_BAD_REQUEST = 400,
	HTTP_STATUS_UNAUTHORIZED = 401,
	HTTP_STATUS_FORBIDDEN = 403,
	HTTP_STATUS_NOT_FOUND = 404,
	HTTP_STATUS_METHOD_NOT_ALLOWED = 405,
	HTTP_STATUS_REQUEST_TIMEOUT = 408,
	HTTP_STATUS_CONFLICT = 409,
	HTTP_STATUS_GONE = 410,
	HTTP_STATUS_CONTENT_TOO_LARGE = 413,
	HTTP_STATUS_UNSUPPORTED_TYPE = 415,
	HTTP_STATUS_MISDIRECTED = 421,
	HTTP_STATUS_TOO_MANY_REQUESTS = 429,
	HTTP_STATUS_INTERNAL_ERROR = 500,
	HTTP_STATUS_UNAVAILABLE = 503
};

/* What a class of statuses says; those of three digits alone have one. */
static inline bool http_status_is_success(long status)
{
	return status >= 200 && status <= 299;
}

static inline bool http_status_is_redirect(long status)
{
	return status >= 300 && status <= 399;
}

static inline bool http_status_is_server_error(long status)
{
	return status >= 500 && status <= 599;
}

#endif
