/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/page_settings.h"

#include <stdio.h>
#include <string.h>

#include "tell/report_form.h"

/* The host of the address, where nobody said what the page is about. */
static const char *title_of(const struct config_page *page, unsigned language, char host[CONFIG_PAGE_TITLE_SIZE])
{
	const char *at = strstr(page->url, "://");
	size_t length;

	if (page->title[language][0])
		return page->title[language];
	for (unsigned i = 0; i < LANGUAGES; i++)
		if (page->title[i][0])
			return ""; /* another language's stands in */
	at = at ? at + 3 : "Holdfast";
	length = *at == '[' ? strcspn(at, "]") + 1 : strcspn(at, "/:"); /* an address of IPv6 has colons itself */
	(void)snprintf(host, CONFIG_PAGE_TITLE_SIZE, "%.*s", (int)length, at);
	return host;
}

/* Without the slashes at its end. */
static void copy_url(const char *from, char to[ALERT_URL_SIZE])
{
	size_t length;

	(void)snprintf(to, ALERT_URL_SIZE, "%s", from);
	for (length = strlen(to); length && to[length - 1] == '/';)
		to[--length] = '\0';
}

/* Where users report: where the configuration says, else at the public role, whose host is the page's. */
static void find_report(const struct config *config, struct page_settings_kept *kept)
{
	for (unsigned i = 0; i < LANGUAGES; i++) {
		if (!config->page.report_url[0] && !config->public_role.listen_count)
			continue;
		if (config->page.report_url[0])
			(void)snprintf(kept->report[i], PAGE_REPORT_URL_SIZE, "%s", config->page.report_url);
		else
			(void)snprintf(kept->report[i], PAGE_REPORT_URL_SIZE, "%s%s", kept->url,
			               report_form_path((enum language)i));
		kept->settings.report[i] = kept->report[i];
	}
}

const struct page_settings *page_settings_of(const struct config *config, const char *key,
                                             struct page_settings_kept *kept)
{
	const struct config_page *page = &config->page;
	const struct config_mail *mail = &config->mail;

	copy_url(page->url, kept->url);
	copy_url(mail->public_url[0] ? mail->public_url : page->url, kept->subscribe);
	/* Where nobody is asked there is nothing to be told by. */
	if (mail->smtp[0] && config->public_role.listen_count)
		memcpy(kept->subscribe + strlen(kept->subscribe), "/subscribe", sizeof("/subscribe"));
	else
		kept->subscribe[0] = '\0';
	kept->settings = (struct page_settings){ .url = kept->url,
		                                 .key = key,
		                                 .languages_count = page->language_count,
		                                 .stale_after_ns = page->stale_after_ns,
		                                 .subscribe = kept->subscribe };
	for (unsigned i = 0; i < LANGUAGES; i++)
		kept->settings.title[i] = title_of(page, i, kept->host);
	find_report(config, kept);
	memcpy(kept->settings.languages, page->languages, sizeof(kept->settings.languages));
	return &kept->settings;
}
