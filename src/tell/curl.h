/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl, loaded when it is first used: by who sends alerts and by who fetches databases, and nobody else. */
#ifndef HOLDFAST_TELL_CURL_H
#define HOLDFAST_TELL_CURL_H

#include <stddef.h>

/* A function of libcurl, and where its pointer goes in the caller's struct. */
struct curl_function {
	const char *name;
	size_t offset;
};

/* 0, with all pointers set; -ENOSYS where the library, or one of them, is not there. It stays loaded: it was not made to go. */
int curl_load(const struct curl_function *functions, size_t count, void *into);

#endif
