/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/curl.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "tell/library.h"

#define FUNCTION(name)                                               \
	{                                                            \
		"curl_" #name, offsetof(struct curl_functions, name) \
	}

struct curl_functions curl;

static const struct library_function functions[] = {
	FUNCTION(global_init),   FUNCTION(easy_init),        FUNCTION(easy_cleanup),        FUNCTION(easy_setopt),
	FUNCTION(easy_perform),  FUNCTION(easy_getinfo),     FUNCTION(easy_strerror),       FUNCTION(multi_init),
	FUNCTION(multi_cleanup), FUNCTION(multi_add_handle), FUNCTION(multi_remove_handle), FUNCTION(multi_perform),
	FUNCTION(multi_poll),    FUNCTION(multi_info_read),  FUNCTION(slist_append),        FUNCTION(slist_free_all),
};

_Static_assert(sizeof(functions) / sizeof(functions[0]) == sizeof(curl) / sizeof(curl.global_init),
               "each has its name");

int curl_open(void)
{
	static bool is_open;

	if (!is_open)
		is_open =
			library_load("libcurl.so.4", functions, sizeof(functions) / sizeof(functions[0]), &curl) == 0 &&
			curl.global_init(CURL_GLOBAL_DEFAULT) == 0;
	return is_open ? 0 : -ENOSYS;
}
