/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page to other hosts: by rsync over ssh, run as a child with a list of arguments that a table has, no shell between
 * and a limit on its time. There --delay-updates puts all files in place at the end.
 */
#ifndef HOLDFAST_CLI_PAGE_COPY_H
#define HOLDFAST_CLI_PAGE_COPY_H

#include "cli/page.h"
#include "daemon/config.h"

/* What is typed of it, before anything is done. COMMAND_DONE, or, said, the exit status. */
int page_copy_check(const struct page_options *options);
/* `folder` to where --rsync says, else to each target of the configuration, of which one that fails stops no other. */
int page_copy(const struct page_options *options, const struct config_page *page, const char *folder);

#endif
