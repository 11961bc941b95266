/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/page_settings.h"

#include <stdio.h>
#include <string.h>

/* The host of the address, where nobody said what the page is about. */
static const char *title_of(const struct config_page *page, unsigned language, char host[CONFIG_PAGE_TITLE_SIZE])
{
	const char *at = strstr(page->url, "://");

	if (page->title[language][0])
		return page->title[language];
	for (unsigned i = 0; i < LANGUAGES; i++)
		if (page->title[i][0])
			return ""; /* another language's stands in */
	at = at ? at + 3 : "Holdfast";
	(void)snprintf(host, CONFIG_PAGE_TITLE_SIZE, "%.*s", (int)strcspn(at, "/:"), at);
	return host;
}

const struct page_settings *page_settings_of(const struct config_page *page, const char *key,
                                             struct page_settings_kept *kept)
{
	size_t length;

	(void)snprintf(kept->url, sizeof(kept->url), "%s", page->url);
	for (length = strlen(kept->url); length && kept->url[length - 1] == '/';)
		kept->url[--length] = '\0';
	kept->settings = (struct page_settings){ .url = kept->url,
		                                 .key = key,
		                                 .languages_count = page->language_count,
		                                 .stale_after_ns = page->stale_after_ns };
	for (unsigned i = 0; i < LANGUAGES; i++)
		kept->settings.title[i] = title_of(page, i, kept->host);
	memcpy(kept->settings.languages, page->languages, sizeof(kept->settings.languages));
	return &kept->settings;
}
