/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl, loaded when it is first used: by who sends, by who fetches databases, and by who checks; and nobody else. */
#ifndef HOLDFAST_TELL_CURL_H
#define HOLDFAST_TELL_CURL_H

#include <stddef.h>

#include "tell/library.h"

/* As library_load(). */
int curl_load(const struct library_function *functions, size_t count, void *into);

#endif
