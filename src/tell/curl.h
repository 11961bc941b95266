/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, loaded when it is first used, by the processes that send, fetch databases, or check: it brings two dozen
 * libraries along, which those with rights, or with an attacker's octets in their hands, need not have in their memory,
 * nor commands wait for.
 */
#ifndef HOLDFAST_TELL_CURL_H
#define HOLDFAST_TELL_CURL_H

#define CURL_DISABLE_TYPECHECK /* its checks are for calls by name */
#include <curl/curl.h>

/* The functions that are used, by their names behind "curl_". */
struct curl_functions {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_easy_setopt) *easy_setopt;
	__typeof__(curl_easy_perform) *easy_perform;
	__typeof__(curl_easy_getinfo) *easy_getinfo;
	__typeof__(curl_easy_strerror) *easy_strerror;
	__typeof__(curl_multi_init) *multi_init;
	__typeof__(curl_multi_cleanup) *multi_cleanup;
	__typeof__(curl_multi_add_handle) *multi_add_handle;
	__typeof__(curl_multi_remove_handle) *multi_remove_handle;
	__typeof__(curl_multi_perform) *multi_perform;
	__typeof__(curl_multi_poll) *multi_poll;
	__typeof__(curl_multi_info_read) *multi_info_read;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
};

/* Theirs to call once curl_open() has returned 0. */
extern struct curl_functions curl;

/* 0, however often; -ENOSYS where there is no libcurl that can all of this. It is not closed again. */
int curl_open(void);

#endif
