/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of `holdfast page` share: its options, and what each verb does. */
#ifndef HOLDFAST_CLI_PAGE_H
#define HOLDFAST_CLI_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/books.h"
#include "cli/options.h"

struct page_options {
	const char *noun, *verb, *id;
	const char *config, *record;
	const char *name, *name_fr, *description, *description_fr, *group; /* of a component */
	const char *status, *since, *cause, *position;
	const char *components, *from, *to, *text, *text_fr; /* of works */
	const char *out, *rsync, *ssh_key, *known_hosts;     /* of publication */
	const char *key, *password_file, *public_key;
	uint64_t ssh_port;
	const char *server, *successes; /* of headers */
	bool is_group, hidden, shown, json, subdomains;
};

extern const struct option_table page_table;

/* Each returns the exit status. */
int page_component_add(const struct page_options *options);
int page_component_list(const struct page_options *options);
int page_component_set(const struct page_options *options);
int page_component_remove(const struct page_options *options);
int page_works_add(const struct page_options *options);
int page_works_list(const struct page_options *options);
int page_works_cancel(const struct page_options *options);
int page_publish(const struct page_options *options);
int page_show(const struct page_options *options);
int page_verify(const struct page_options *options);
int page_headers(const struct page_options *options);

#endif
