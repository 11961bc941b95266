/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl, loaded when it is first used: by who sends, by who fetches databases, and by who checks; and nobody else. */
#ifndef HOLDFAST_TELL_CURL_H
#define HOLDFAST_TELL_CURL_H

#include <stddef.h>

#include "tell/library.h"

#define curl_function library_function

/* As library_load(). */
int curl_load(const struct curl_function *functions, size_t count, void *into);

#endif
