/* SPDX-License-Identifier: Apache-2.0 */
/* What users reported of components in the last day, as plots in which no single user can be seen (page.h). */
#include <stdio.h>
#include <string.h>

#include "record/page_inside.h"

int64_t page_reports_end(int64_t now_ns)
{
	return now_ns / PAGE_REPORTS_STEP_NS * PAGE_REPORTS_STEP_NS;
}

int page_take_reports(void *context, const struct report_count *count)
{
	struct page *page = context;
	uint32_t place = page_place(page, count->component);
	int64_t from_ns =
		page_reports_end(page->status.generated_ns) - time_times(PAGE_REPORTS_STEP_NS, PAGE_REPORTS_POINTS);

	if (place < page->status.components_count)
		page->reports[place].counts[(count->bucket_ns - from_ns) / PAGE_REPORTS_STEP_NS] += count->accepted;
	return 0;
}

static void round_reports(struct reports *reports)
{
	for (unsigned i = 0; i < PAGE_REPORTS_POINTS; i++) {
		uint64_t *count = &reports->counts[i];

		*count = *count < PAGE_REPORTS_LEAST
		                 ? 0
		                 : (*count + PAGE_REPORTS_UNIT / 2) / PAGE_REPORTS_UNIT * PAGE_REPORTS_UNIT;
		reports->sum += *count;
	}
}

static void put_reports(struct page *page, struct status_series *series, uint32_t place)
{
	const struct status_component *component = &page->components[place];
	uint64_t *values = page_take(page, sizeof(page->reports[place].counts));
	char id[sizeof("reports-") + COMPONENT_ID_SIZE];

	if (!values)
		return;
	memcpy(values, page->reports[place].counts, sizeof(page->reports[place].counts));
	(void)snprintf(id, sizeof(id), "reports-%s", component->id);
	series->id = page_keep(page, id);
	for (unsigned i = 0; i < LANGUAGES; i++) {
		char title[LEDGER_TEXT_MAX + 256];

		(void)snprintf(title, sizeof(title), "%s%s", status_reports_title((enum language)i),
		               component->name[i]);
		series->title[i] = page_keep(page, *component->name[i] ? title : "");
		series->meaning[i] = status_reports_meaning((enum language)i);
	}
	series->step_ns = PAGE_REPORTS_STEP_NS;
	series->count = PAGE_REPORTS_POINTS;
	series->from_ns = page_reports_end(page->status.generated_ns) - time_times(series->step_ns, series->count);
	series->values = values;
}

void page_reports_close(struct page *page)
{
	struct status_page *status = &page->status;
	struct status_series *series = page_take(page, STATUS_SERIES_MAX * sizeof(*series));

	for (uint32_t i = 0; i < status->components_count; i++)
		if (status->components[i].showcase && !status->components[i].is_group)
			round_reports(&page->reports[i]);
	while (series && status->series_count < STATUS_SERIES_MAX) {
		uint32_t most = 0;

		for (uint32_t i = 1; i < status->components_count; i++)
			if (page->reports[i].sum > page->reports[most].sum)
				most = i;
		if (page->reports[most].sum == 0)
			break;
		put_reports(page, &series[status->series_count++], most);
		page->reports[most].sum = 0;
	}
	status->series = series;
}
