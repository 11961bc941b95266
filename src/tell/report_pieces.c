/* SPDX-License-Identifier: Apache-2.0 */
/* What sections are laid out with: paragraphs, items, tables, bars, figures. */
#include <inttypes.h>

#include "base/share.h"
#include "tell/markup.h"
#include "tell/report.h"

void report_raw(const struct report *r, const char *markup)
{
	(void)fputs(markup, r->out);
}

void report_text(const struct report *r, const char *words)
{
	markup_text(r->out, words);
}

void report_paragraph(void *report, const char *words)
{
	const struct report *r = report;

	report_raw(r, "<p>");
	markup_marked(r->out, words);
	report_raw(r, "</p>\n");
}

void report_lead(const struct report *r, const char *words)
{
	report_raw(r, "<p class=\"lead\">");
	markup_marked(r->out, words);
	report_raw(r, "</p>\n");
}

void report_item(void *report, const char *words)
{
	const struct report *r = report;

	report_raw(r, "<li>");
	markup_marked(r->out, words);
	report_raw(r, "</li>\n");
}

void report_section_open(const struct report *r, const char *title)
{
	(void)fprintf(r->out, "<section class=\"part\">\n<h%u>", r->heading);
	report_text(r, title);
	(void)fprintf(r->out, "</h%u>\n", r->heading);
}

void report_section_close(const struct report *r)
{
	report_raw(r, "</section>\n");
}

void report_heading(const struct report *r, const char *title)
{
	(void)fprintf(r->out, "<h%u class=\"minor\">", r->heading + 1);
	report_text(r, title);
	(void)fprintf(r->out, "</h%u>\n", r->heading + 1);
}

void report_table_open(const struct report *r, const char *caption, bool many)
{
	report_raw(r, many ? "<div class=\"table many\" role" : "<div class=\"table\" role");
	report_raw(r, "=\"group\" tabindex=\"0\" aria-label=\"");
	report_text(r, caption);
	report_raw(r, "\">\n<table>\n<caption>");
	report_text(r, caption);
	report_raw(r, "</caption>\n");
}

void report_table_close(const struct report *r)
{
	report_raw(r, "</tbody>\n</table>\n</div>\n");
}

void report_columns(const struct report *r, const char *const *names, size_t count)
{
	report_raw(r, "<thead><tr>");
	for (size_t i = 0; i < count; i++) {
		bool number = names[i][0] == '#';

		report_raw(r, number ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
		report_text(r, names[i] + number);
		report_raw(r, "</th>");
	}
	report_raw(r, "</tr></thead>\n<tbody>\n");
}

void report_cell(const struct report *r, const char *words)
{
	report_raw(r, "<td class=\"n\">");
	report_text(r, words);
	report_raw(r, "</td>");
}

void report_row(const struct report *r, const char *words)
{
	report_raw(r, "<tr><th scope=\"row\">");
	report_text(r, words);
	report_raw(r, "</th>");
}

void report_share(struct report *r, uint64_t part, uint64_t whole)
{
	uint64_t ppm = share_ppm(part < whole ? part : whole, whole);

	(void)fprintf(r->out,
	              "<td class=\"share\"><span class=\"bar\" aria-hidden=\"true\"><span style=\"width:%" PRIu64
	              ".%" PRIu64 "%%\"></span></span><span class=\"n\">",
	              ppm / 10000, ppm / 1000 % 10);
	report_text(r, account_down(&r->account, ppm));
	report_raw(r, "</span></td>");
}

void report_fact(const struct report *r, const char *name, const char *value, const char *note)
{
	report_raw(r, "<div><dt>");
	report_text(r, name);
	report_raw(r, "</dt><dd>");
	report_text(r, value);
	if (note) {
		report_raw(r, "<small>");
		report_text(r, note);
		report_raw(r, "</small>");
	}
	report_raw(r, "</dd></div>\n");
}

void report_key(const struct report *r, const char *key, const char *words)
{
	if (!words)
		return;
	(void)fprintf(r->out, "<li><span class=\"key %s\" aria-hidden=\"true\"></span>", key);
	report_text(r, words);
	report_raw(r, "</li>\n");
}
