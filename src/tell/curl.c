/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/curl.h"

int curl_load(const struct library_function *functions, size_t count, void *into)
{
	return library_load("libcurl.so.4", functions, count, into);
}
