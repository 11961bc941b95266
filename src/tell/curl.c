/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/curl.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#define LIBRARY "libcurl.so.4"

int curl_load(const struct curl_function *functions, size_t count, void *into)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return -ENOSYS;
	for (size_t i = 0; i < count; i++) {
		void *function = dlsym(library, functions[i].name);

		if (!function)
			return -ENOSYS;
		memcpy((char *)into + functions[i].offset, &function, sizeof(function));
	}
	return 0;
}
