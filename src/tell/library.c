/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int library_load(const char *library, const struct library_function *functions, size_t count, void *into)
{
	void *loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);

	if (!loaded)
		return -ENOSYS;
	for (size_t i = 0; i < count; i++) {
		void *function = dlsym(loaded, functions[i].name);

		if (!function)
			return -ENOSYS;
		memcpy((char *)into + functions[i].offset, &function, sizeof(function));
	}
	return 0;
}
