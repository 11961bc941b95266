/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a status page is: a table, and its languages' pages. */
#include "tell/status.h"

#include <errno.h>
#include <stdlib.h>

#include "tell/status_inside.h"

static const char html_type[] = "text/html; charset=utf-8", json_type[] = "application/json; charset=utf-8";

/* What is made of the page to give to `put`. */
struct making {
	const struct status_page *page;
	int (*put)(void *context, const char *path, const char *type, const char *octets, size_t length);
	void *context;
	enum language language;
	unsigned year, month;
	enum status_json json;
};

static int write_page(FILE *out, const struct making *making)
{
	return status_html_write(out, making->page, making->language);
}

static int write_months(FILE *out, const struct making *making)
{
	return status_months_write(out, making->page, making->language);
}

static int write_month(FILE *out, const struct making *making)
{
	return status_month_write(out, making->page, making->language, making->year, making->month);
}

static int write_json(FILE *out, const struct making *making)
{
	return status_json_write(out, making->page, making->json);
}

static int write_atom(FILE *out, const struct making *making)
{
	return status_atom_write(out, making->page);
}

static int write_rss(FILE *out, const struct making *making)
{
	return status_rss_write(out, making->page);
}

static int make(const struct making *making, const char *folder, const char *name, const char *type,
                int (*write)(FILE *out, const struct making *making))
{
	char path[STATUS_PATH_SIZE], *octets = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&octets, &length);
	int result;

	if (!out)
		return -ENOMEM;
	(void)snprintf(path, sizeof(path), "%s%s", folder, name);
	result = write(out, making);
	if (fclose(out) != 0 && result == 0)
		result = -ENOMEM;
	if (result == 0)
		result = making->put(making->context, path, type, octets, length);
	free(octets);
	return result;
}

static int make_history(struct making *making, const char *folder)
{
	struct status_month months[STATUS_MONTHS_MAX];
	unsigned count = status_months(making->page, months);
	int result = make(making, folder, "history/index.html", html_type, write_months);

	for (unsigned i = 0; i < count && result == 0; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "history/%04u-%02u.html", months[i].year % 10000,
		               months[i].month % 100);
		making->year = months[i].year;
		making->month = months[i].month;
		result = make(making, folder, name, html_type, write_month);
	}
	return result;
}

int status_files(const struct status_page *page,
                 int (*put)(void *context, const char *path, const char *type, const char *octets, size_t length),
                 void *context)
{
	static const char *const jsons[STATUS_JSONS] = {
		[STATUS_JSON_SUMMARY] = "summary.json",
		[STATUS_JSON_STATUS] = "status.json",
		[STATUS_JSON_COMPONENTS] = "components.json",
		[STATUS_JSON_INCIDENTS] = "incidents.json",
		[STATUS_JSON_UNRESOLVED] = "incidents/unresolved.json",
		[STATUS_JSON_MAINTENANCES] = "scheduled-maintenances.json",
		[STATUS_JSON_UPCOMING] = "scheduled-maintenances/upcoming.json",
		[STATUS_JSON_ACTIVE] = "scheduled-maintenances/active.json",
	};
	struct making making = { .page = page, .put = put, .context = context };
	int result = 0;

	for (unsigned i = 0; i < STATUS_JSONS && result == 0; i++) {
		making.json = (enum status_json)i;
		result = make(&making, "api/v2/", jsons[i], json_type, write_json);
	}
	if (result == 0)
		result = make(&making, "", "history.atom", "application/atom+xml; charset=utf-8", write_atom);
	if (result == 0)
		result = make(&making, "", "history.rss", "application/rss+xml; charset=utf-8", write_rss);
	for (uint32_t i = 0; i < page->languages_count && result == 0; i++) {
		making.language = page->languages[i];
		result = make_history(&making, status_folder(page, making.language));
	}
	for (uint32_t i = page->languages_count; i-- > 0 && result == 0;) {
		making.language = page->languages[i];
		result = make(&making, status_folder(page, making.language), "index.html", html_type, write_page);
	}
	return result;
}
