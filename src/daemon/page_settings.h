/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration says of the status page, for record/page.h. */
#ifndef HOLDFAST_DAEMON_PAGE_SETTINGS_H
#define HOLDFAST_DAEMON_PAGE_SETTINGS_H

#include "daemon/config.h"
#include "record/page.h"

#define PAGE_REPORT_URL_SIZE (ALERT_URL_SIZE + 32) /* the page's, and the way of the form there */

/* The settings, and texts that they point to. */
struct page_settings_kept {
	struct page_settings settings;
	char host[CONFIG_PAGE_TITLE_SIZE], url[ALERT_URL_SIZE], subscribe[ALERT_URL_SIZE + 16];
	char report[LANGUAGES][PAGE_REPORT_URL_SIZE];
};

/* Points into `config`, `key` and `kept`, which all have to live as long. */
const struct page_settings *page_settings_of(const struct config *config, const char *key,
                                             struct page_settings_kept *kept);

#endif
