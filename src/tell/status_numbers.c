/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers over time, as plots and as tables. */
#include <stdarg.h>

#include "tell/chart.h"
#include "tell/status_pieces.h"

#define HOUR_NS (3600 * NS_PER_S)

static int64_t series_end(const struct status_series *series)
{
	return series->from_ns + time_times(series->step_ns, series->count);
}

static void plain(FILE *out, const char *text)
{
	(void)fputs(text, out);
}

/* The same as plain text, for whoever escapes it. */
static void say_plain(char *words, size_t size, const char *pattern, ...)
{
	FILE *out = fmemopen(words, size, "w");
	va_list arguments;

	words[0] = '\0';
	if (!out)
		return;
	va_start(arguments, pattern);
	words_fill(out, pattern, plain, arguments);
	va_end(arguments);
	(void)fclose(out);
}

static void series_about(const struct status_html *h, const struct status_series *series, char *words, size_t size)
{
	char from[LANGUAGE_TEXT_SIZE], to[LANGUAGE_TEXT_SIZE], most[LANGUAGE_TEXT_SIZE], at[LANGUAGE_TEXT_SIZE];
	uint32_t highest = 0;

	for (uint32_t i = 1; i < series->count; i++)
		if (series->values[i] > series->values[highest])
			highest = i;
	(void)status_date_time(h, series->from_ns, from);
	(void)status_date_time(h, series_end(series), to);
	if (series->values[highest])
		say_plain(words, size, status_word(h->language, WORD_CHART_ABOUT), from, to,
		          language_count(h->language, series->values[highest], most),
		          status_date_time(h, series->from_ns + time_times(series->step_ns, highest), at));
	else
		say_plain(words, size, status_word(h->language, WORD_CHART_NONE), from, to);
}

/* What was counted in whole hours. */
static void series_table(const struct status_html *h, const struct status_series *series)
{
	uint32_t per = series->step_ns < HOUR_NS ? (uint32_t)(HOUR_NS / series->step_ns) : 1;
	enum language given;
	char words[LANGUAGE_TEXT_SIZE];

	status_raw(h, "<details><summary>");
	status_say(h, WORD_CHART_TABLE);
	status_raw(h, "<span class=\"hidden\"> ");
	status_escaped(h, status_text(h->page, series->title, h->language, &given));
	status_raw(h, "</span></summary>\n<div class=\"many\" role=\"group\" tabindex=\"0\" aria-label=\"");
	status_say(h, WORD_CHART_TABLE);
	status_raw(h, "\">\n<table>\n<caption>");
	status_element(h, "span", series->title);
	status_raw(h, "</caption>\n<thead><tr><th scope=\"col\">");
	status_say(h, WORD_CHART_WHEN);
	status_raw(h, "</th><th scope=\"col\" class=\"n\">");
	status_say(h, WORD_CHART_HOW_MANY);
	status_raw(h, "</th></tr></thead>\n<tbody>\n");
	for (uint32_t i = 0; i < series->count; i += per) {
		uint64_t sum = 0;
		bool known = false;

		for (uint32_t k = i; k < i + per && k < series->count; k++) {
			known = known || !series->gaps || !series->gaps[k];
			sum += series->values[k];
		}
		status_raw(h, "<tr><th scope=\"row\">");
		status_moment(h, series->from_ns + time_times(series->step_ns, i));
		status_raw(h, "</th><td class=\"n\">");
		if (known)
			status_escaped(h, language_count(h->language, sum, words));
		else
			status_say(h, WORD_CHART_UNKNOWN);
		status_raw(h, "</td></tr>\n");
	}
	status_raw(h, "</tbody>\n</table>\n</div>\n</details>\n");
}

/* "26 Nov 09:40" */
static void short_time(const struct status_html *h, int64_t ns, char words[2 * LANGUAGE_TEXT_SIZE])
{
	struct language_time at = language_time((struct capture_time){ ns });
	char day[LANGUAGE_TEXT_SIZE];

	(void)snprintf(words, (size_t)2 * LANGUAGE_TEXT_SIZE,
	               "%s "
	               "%02u:%02u",
	               language_day(h->language, (struct capture_time){ ns }, day), at.hour, at.minute);
}

static void plot(const struct status_html *h, const struct status_series *series)
{
	enum language given;
	char about[512], times[3][2 * LANGUAGE_TEXT_SIZE];
	const char *const labels[3] = { times[0], times[1], times[2] };
	struct chart chart = {
		.id = series->id,
		.title = status_text(h->page, series->title, h->language, &given),
		.unit = "",
		.from = { series->from_ns },
		.step_ns = series->step_ns,
		.count = series->count,
		.area = series->values,
		.tone = series->good ? "good" : NULL,
		.gaps = series->gaps,
		.comma = h->language == LANGUAGE_FR,
		.times = labels,
	};

	for (unsigned i = 0; i < 3; i++)
		short_time(h, series->from_ns + (series_end(series) - series->from_ns) / 2 * i, times[i]);
	series_about(h, series, about, sizeof(about));
	chart.description = about;
	status_raw(h, "<div class=\"card\">\n");
	chart_write(h->out, &chart);
	status_element(h, "p class=\"about-plot\"", series->meaning);
	status_raw(h, "\n");
	series_table(h, series);
	status_raw(h, "</div>\n");
}

void status_numbers(const struct status_html *h)
{
	bool any = false;

	for (uint32_t i = 0; i < h->page->series_count && i < STATUS_SERIES_MAX; i++) {
		const struct status_series *series = &h->page->series[i];

		if (series->count == 0 || series->count > STATUS_POINTS_MAX || series->step_ns <= 0)
			continue;
		if (!any)
			status_block_open(h, "numbers", WORD_NUMBERS);
		any = true;
		plot(h, series);
	}
	status_raw(h, any ? "</section>\n" : "");
}
