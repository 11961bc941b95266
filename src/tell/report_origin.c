/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an attack came from, how it was run, what was claimed, and what no packet can tell: what a trace says, for
 * people who know nothing of networks. What is said stands in origin.c. Places are those of located sources alone;
 * where there are none, there is neither map nor table.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "tell/map.h"
#include "tell/markup.h"
#include "tell/origin.h"
#include "tell/report.h"
#include "tell/world.h"

#define COUNTRIES_SHOWN 10
#define COUNTRIES_NAMED 5 /* to who does not see the map */

static void write_map(struct report *r, const struct origin *o)
{
	struct map_share shares[ORIGIN_COUNTRIES_MAX];
	struct draft d = { .length = 0 };
	struct map map = {
		.number = r->incident, .first = r->maps++ == 0, .title = ORIGIN_MAP_TITLE, .shares = shares
	};

	draft_add(&d, "A map of the world, countries shaded by their share of %s: ",
	          o->all_relays ? "relays, which are misused servers" : "sources whose address is real");
	for (uint32_t i = 0; i < o->countries_count; i++) {
		const struct origin_country *c = &o->countries[i];

		shares[map.count++] = (struct map_share){ c->code, c->low_ppm, c->high_ppm };
		if (i >= COUNTRIES_NAMED)
			continue;
		draft_add(&d, "%s%s ", i ? ", " : "", world_name(c->code));
		origin_interval(&r->account, c->low_ppm, c->high_ppm, &d);
	}
	draft_add(&d, ". The table has the figures.");
	map.description = d.text;
	map_write(r->out, &map);
}

/* With a bar as long as the lower end, and lighter up to the upper one. */
static void write_interval(struct report *r, uint64_t low_ppm, uint64_t high_ppm)
{
	struct draft d = { .length = 0 };

	(void)fprintf(
		r->out,
		"<td class=\"share interval\"><span class=\"bar\" aria-hidden=\"true\"><span class=\"most\" style=\"width:%" PRIu64
		".%" PRIu64 "%%\"></span><span style=\"width:%" PRIu64 ".%" PRIu64
		"%%\"></span></span><span class=\"n\">",
		high_ppm / 10000, high_ppm / 1000 % 10, low_ppm / 10000, low_ppm / 1000 % 10);
	origin_interval(&r->account, low_ppm, high_ppm, &d);
	report_text(r, d.text);
	report_raw(r, "</span></td>");
}

static void write_packets(struct report *r, uint64_t low_ppm, uint64_t high_ppm)
{
	struct draft d = { .length = 0 };

	origin_interval(&r->account, low_ppm, high_ppm, &d);
	report_cell(r, d.text);
}

static void write_countries(struct report *r, const struct origin *o)
{
	static const char *const names[] = { "Country", "Share of sources", "#Of their packets" };

	report_table_open(r, o->all_relays ? "Countries that the relays stand in" : "Countries", true);
	report_columns(r, names, sizeof(names) / sizeof(names[0]));
	for (uint32_t i = 0; i < o->countries_count && i < COUNTRIES_SHOWN; i++) {
		const struct origin_country *c = &o->countries[i];

		report_row(r, world_name(c->code));
		write_interval(r, c->low_ppm, c->high_ppm);
		write_packets(r, c->packets_low_ppm, c->packets_high_ppm);
		report_raw(r, "</tr>\n");
	}
	report_table_close(r);
	if (o->countries_count > COUNTRIES_SHOWN)
		(void)fprintf(r->out, "<p>And %" PRIu32 " more; the JSON report has all.</p>\n",
		              o->countries_count - COUNTRIES_SHOWN);
}

static void write_networks(struct report *r, const struct origin *o)
{
	static const char *const names[] = { "Network", "Share of sources", "#Of their packets" };

	report_table_open(r, o->all_relays ? "Networks that the relays stand in" : "Networks", true);
	report_columns(r, names, sizeof(names) / sizeof(names[0]));
	for (uint32_t i = 0; i < o->networks_count; i++) {
		const struct origin_network *n = &o->networks[i];

		report_raw(r, "<tr><th scope=\"row\">");
		report_text(r, n->name[0] ? n->name : "Without a name");
		(void)fprintf(r->out, " <code>AS%" PRIu32 "%s", n->number, n->country[0] ? ", " : "");
		report_text(r, n->country);
		report_raw(r, "</code></th>");
		write_interval(r, n->low_ppm, n->high_ppm);
		write_packets(r, n->packets_ppm, n->packets_ppm);
		report_raw(r, "</tr>\n");
	}
	report_table_close(r);
	if (o->networks_known > o->networks_count)
		(void)fprintf(r->out, "<p>And %" PRIu64 " more; the JSON report has the largest.</p>\n",
		              o->networks_known - o->networks_count);
}

static void write_places(struct report *r, const struct origin *o)
{
	struct draft d = { .length = 0 };

	origin_located(&r->account, o, &d);
	report_paragraph(r, d.text);
	if (!o->located)
		return;
	write_map(r, o);
	write_countries(r, o);
	if (o->networks_count)
		write_networks(r, o);
	d = (struct draft){ .length = 0 };
	origin_databases(&r->account, o, &d);
	if (d.length)
		report_paragraph(r, d.text);
	d = (struct draft){ .length = 0 };
	origin_attribution(&r->account, o, &d);
	if (d.length)
		report_paragraph(r, d.text);
	report_paragraph(r, "Outlines are simplified, of Natural Earth; they take no side where borders are disputed.");
}

static void write_claims(struct report *r, const struct finding *f)
{
	const struct analysis_input *input = r->account.input;
	const struct analysis_claim *claims = NULL;
	size_t count = input->claims_of ? input->claims_of(input->claims_context, f, &claims) : 0;

	if (count == 0)
		return;
	report_heading(r, "What was claimed, and what the traffic says");
	report_raw(r, "<ol class=\"claims\">\n");
	for (size_t i = 0; i < count; i++) {
		struct draft said = { .length = 0 }, verdict = said;

		origin_claim(&r->account, &claims[i], &said);
		origin_claim_verdict(&r->account, &claims[i], &verdict);
		report_raw(r, "<li><p class=\"said\">");
		markup_marked(r->out, said.text);
		report_raw(r, "</p>\n<p><span class=\"badge ");
		report_text(r, claims[i].verdict[0] ? claims[i].verdict : "untested");
		report_raw(r, "\">");
		report_text(r, claims[i].verdict[0] ? claims[i].verdict : "not tested");
		report_raw(r, "</span> ");
		if (claims[i].internal)
			report_raw(r, "<span class=\"badge untested\">internal</span> ");
		markup_marked(r->out, verdict.text);
		report_raw(r, "</p>\n<p class=\"why\">Tested as <code>");
		report_text(r, claims[i].predicate);
		report_raw(r, "</code>");
		if (claims[i].url[0]) {
			report_raw(r, "; said at ");
			report_text(r, claims[i].url);
		}
		report_raw(r, "</p></li>\n");
	}
	report_raw(r, "</ol>\n");
	report_paragraph(r, ORIGIN_CLAIMS_NOTE);
}

void report_origin(struct report *r, const struct finding *f)
{
	const struct analysis_input *input = r->account.input;
	const struct trace *trace = input->trace_of ? input->trace_of(input->trace_context, f) : NULL;
	const struct account_sink items = { report_item, r };
	struct origin *o = trace ? malloc(sizeof(*o)) : NULL;
	struct draft d = { .length = 0 };

	if (!trace)
		return;
	if (!o || origin_make(trace, o) != 0) {
		r->no_memory = true;
		free(o);
		return;
	}
	report_section_open(r, "Where it came from");
	origin_verdict(&r->account, o, &d);
	report_lead(r, d.text);
	write_places(r, o);
	report_heading(r, "How it was run");
	report_raw(r, "<ul>\n");
	origin_conduct(&r->account, o, &items);
	report_raw(r, "</ul>\n");
	write_claims(r, f);
	report_section_close(r);
	free(o);
}

void report_origin_unknowns(struct report *r, const struct finding *f, const struct account_sink *to)
{
	const struct analysis_input *input = r->account.input;
	const struct trace *trace = input->trace_of ? input->trace_of(input->trace_context, f) : NULL;

	if (trace)
		origin_unknowns(&r->account, trace, to);
}
