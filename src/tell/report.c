/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The analysis as one HTML file that can be forwarded: no script, no asset from anywhere, readable on a phone, on
 * paper, and by a screen reader. What is said stands in account.c, as for the page on the terminal; here it is laid
 * out, and what a terminal cannot show is added: rates over time, packets' sizes and ports, the addresses seen most.
 *
 * Each incident is told in one order: what happened; rate over time, and what the rules would have let pass; waves;
 * vectors; what to do; packets; sources; why we think so; what cannot be known. At the end the capture, and how to read
 * all this. Here is the frame of it: the document, its title and contents, and which section comes when.
 *
 * The same analysis gives the same octets: no clock is read. All that comes from outside is made harmless by markup.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/share.h"
#include "measure/slot.h"
#include "tell/picture.h"
#include "tell/report.h"
#include "tell/style.h"

#ifndef HOLDFAST_VERSION
#define HOLDFAST_VERSION "unknown"
#endif

/* ---- What an incident is called ---- */

/* "NTP reflection on 192.0.2.10 (web)" */
static void add_name(const struct report *r, const struct finding *f, struct draft *d)
{
	const char *service = account_service(&r->account, f);
	char target[PREFIX_TEXT_SIZE];
	const char *title = account_main_vector(f)->title;

	draft_add(d, "%c%s", words_capital(title[0]), title + 1);
	if (f->incident->parts_count > 1)
		draft_add(d, " and %" PRIu32 " more", f->incident->parts_count - 1);
	draft_add(d, " on %s", account_target(f, target));
	if (service)
		draft_add(d, " (%s)", service);
}

static void add_when(struct report *r, const struct incident *incident, struct draft *d)
{
	struct draft span = { .length = 0 };

	account_span(&r->account, &span, incident->began, incident->ended);
	draft_add(d, "%s", strncmp(span.text, " from ", 6) == 0 ? span.text + 6 : span.text + 4);
	draft_add(d, ", %s, %s", account_duration(&r->account, incident->began, incident->ended),
	          incident->open ? "still going on when the capture ends" : "ended");
}

/* ---- In figures ---- */

/* The verdict is about the largest vector: of several nothing is said here. */
static void add_sources_note(const struct finding *f, struct draft *d)
{
	static const char *const verdicts[] = {
		[SPOOFING_SPOOFED] = "forged",
		[SPOOFING_REFLECTORS] = "misused servers",
		[SPOOFING_VERIFIED] = "real",
		[SPOOFING_UNDETERMINED] = "forged or real: unknown",
	};

	draft_add(d, "%s%s", f->incident->parts_count > 1 ? "of all vectors" : verdicts[f->spoofing.verdict],
	          f->sources_error_ppm ? ", an estimate" : "");
}

static void write_facts(struct report *r, const struct finding *f)
{
	const struct incident *incident = f->incident;
	const struct passage *passage = &f->passage;
	struct account *a = &r->account;
	struct draft sources = { .length = 0 };
	char waves[WORDS_SIZE], peak[WORDS_SIZE], rate[WORDS_SIZE], noun[WORDS_SIZE], stopped[2 * WORDS_SIZE];

	snprintf(waves, sizeof(waves), "%" PRIu32 " %s", incident->waves_count,
	         account_plural(incident->waves_count, "wave", "waves"));
	report_raw(r, "<dl class=\"facts\">\n");
	snprintf(peak, sizeof(peak), "Peak %s", account_noun(f, 2));
	/* what is named above it needs no unit */
	snprintf(rate, sizeof(rate), "%s/s", account_count(a, account_times(incident->peak_packets, SLOTS_PER_SECOND)));
	report_fact(r, peak, account_is_requests(f) ? rate : account_pps(a, incident->peak_packets),
	            "in a tenth of a second");
	report_fact(r, "Peak volume", account_bps(a, incident->peak_bytes), "in a tenth of a second");
	report_fact(r, "Lasted", account_duration(a, incident->began, incident->ended), waves);
	snprintf(noun, sizeof(noun), "%s", account_noun(f, 2));
	noun[0] = words_capital(noun[0]);
	report_fact(r, noun, account_count(a, incident->packets), account_scaled(a, incident->bytes, "B"));
	add_sources_note(f, &sources);
	report_fact(r, "Sources", account_count(a, f->sources), sources.text);
	if (account_acting(f) && passage->bins) {
		snprintf(stopped, sizeof(stopped), "of it; at least %s", account_down(a, PPM - passage->upper_ppm));
		report_fact(r, "Rules would stop", account_down(a, PPM - passage->passed_ppm),
		            passage->sampled < incident->packets ? stopped : "of it");
	} else {
		report_fact(r, "Rules would stop", "nothing", "no safe rule was found");
	}
	report_raw(r, "</dl>\n");
}

/* ---- An incident ---- */

static void write_evidence(struct report *r, const struct finding *f)
{
	const struct account_sink items = { report_item, r };

	report_section_open(r, "Why we think so");
	report_raw(r, "<ul>\n");
	account_evidence(&r->account, f, &items);
	report_raw(r, "</ul>\n");
	report_section_close(r);
}

/* Neither from this capture nor, where its sources were traced, from any; of what is always so there is something. */
static void write_unknowns(struct report *r, const struct finding *f)
{
	const struct account_sink items = { report_item, r };

	report_section_open(r, "What cannot be known");
	report_raw(r, "<ul>\n");
	account_unknowns(&r->account, f, &items);
	report_origin_unknowns(r, f, &items);
	report_raw(r, "</ul>\n");
	report_section_close(r);
}

/* What users felt of it, and what else was on the same axis; nothing where nothing of the kind is on record. */
static void write_picture(const struct report *r, const struct finding *f)
{
	const struct analysis_input *input = r->account.input;
	const struct picture *picture = input->picture_of ? input->picture_of(input->picture_context, f) : NULL;

	if (picture && picture_has_harm(picture))
		picture_write(r, picture, r->incident);
}

static void write_attack(struct report *r, const struct finding *f)
{
	struct draft happened = { .length = 0 }, shape = { .length = 0 };

	report_section_open(r, "What happened");
	account_attack(&r->account, f, &happened);
	report_lead(r, happened.text);
	account_shape(&r->account, f, &shape);
	if (shape.length)
		report_paragraph(r, shape.text + 1);
	write_facts(r, f);
	report_section_close(r);
	write_picture(r, f);
	if (timeline_count(&f->incident->timeline))
		report_rate(r, f);
	report_waves(r, f->incident);
	report_vectors(r, f->incident);
	report_rules(r, f);
	report_packets(r, f);
	report_sources(r, f);
	report_origin(r, f);
	write_evidence(r, f);
	write_unknowns(r, f);
}

static void write_scan(struct report *r, const struct finding *f)
{
	const struct account_sink items = { report_item, r };
	struct draft d = { .length = 0 };

	account_scan(&r->account, f, &d);
	report_lead(r, d.text);
	if (f->families_count == 0)
		return;
	report_raw(r, "<ul>\n");
	account_families(&r->account, f, &items);
	report_raw(r, "</ul>\n");
}

static void write_incident(struct report *r, const struct finding *f, bool titled)
{
	struct draft name = { .length = 0 }, when = { .length = 0 };

	(void)fprintf(r->out, "<article class=\"incident\" id=\"incident-%u\"", r->incident);
	if (titled) {
		add_name(r, f, &name);
		add_when(r, f->incident, &when);
		(void)fprintf(
			r->out,
			" aria-labelledby=\"name-%u\">\n<header>\n<p class=\"eyebrow\">%s</p>\n<h2 id=\"name-%u\">",
			r->incident, f->incident->is_scan ? "Scan" : "Attack", r->incident);
		report_text(r, name.text);
		report_raw(r, "</h2>\n<p class=\"when\">");
		report_text(r, when.text);
		report_raw(r, "</p>\n</header>\n");
	} else {
		report_raw(r, " aria-labelledby=\"title\">\n");
	}
	r->heading = titled ? 3 : 2;
	if (f->incident->is_scan)
		write_scan(r, f);
	else
		write_attack(r, f);
	report_raw(r, "</article>\n");
}

/* ---- The capture ---- */

static void write_files(struct report *r)
{
	const struct analysis_input *input = r->account.input;

	report_raw(r, "<ul class=\"files\">\n");
	for (size_t i = 0; i < input->files_count; i++) {
		report_raw(r, "<li><bdi>");
		report_text(r, strcmp(input->files[i], "-") == 0 ? "standard input" : input->files[i]);
		report_raw(r, "</bdi></li>\n");
	}
	report_raw(r, "</ul>\n");
}

static void write_capture(struct report *r, bool attacks)
{
	const struct account_sink paragraphs = { report_paragraph, r };

	r->incident = 0;
	r->heading = 2;
	report_section_open(r, "The capture");
	account_input(&r->account, &paragraphs);
	if (r->account.input->files_count > 1)
		write_files(r);
	if (r->account.input->has_time && timeline_count(engine_timeline(r->account.engine)))
		report_capture_rate(r, attacks);
	report_section_close(r);
}

/* ---- How to read it ---- */

static void write_method(const struct report *r)
{
	static const struct {
		const char *term, *meaning;
	} terms[] = {
		{ "Attack",
		  "Packets that nobody asked for, so many in so short a time that ordinary use does not explain them." },
		{ "Vector", "One kind of attack packets; an attack may have several." },
		{ "Peak", "The largest count in a tenth of a second, times ten. Nothing shorter is extrapolated." },
		{ "pps, bit/s",
		  "Packets, bits a second; k, M and G before it are a thousand, a million and a thousand millions." },
		{ "Volume",
		  "Octets (bytes) of IP packets. The frames around them add 18 octets each on Ethernet, and 20 more between two of them." },
		{ "Wave", "A part of the attack with quiet before and after it." },
		{ "Reflection",
		  "The attacker asks servers elsewhere in the target's name; their answers, larger than the questions, hit the target." },
		{ "Forged", "A source address that the sender does not have. Blocking it hits whoever really has it." },
		{ "Rule", "The narrowest description found of the attack's packets, and what to do with them." },
		{ "Cost of a rule",
		  "An upper bound, with 95\u00a0% confidence, on the share of normal packets to the target that it would lose, measured on traffic outside the attack." },
		{ "Verified users",
		  "Packets of conversations with a completed handshake or an answer, during the attack." },
		{ "Sources",
		  "Addresses that sent packets of the attack, counted one by one; where they are too many for that, by an estimate with a standard error of at most 1.6\u00a0%: by an even sample of them, or by HyperLogLog." },
		{ "Sample",
		  "A uniform sample of packets, drawn by a hash of their content: the same capture gives the same sample." },
	};

	report_section_open(r, "How to read this report");
	report_raw(
		r,
		"<p>It was made from recorded packets alone, without any knowledge of the network. Times are those of the capture, in UTC. "
		"What cannot be known is said to be unknown.</p>\n<dl class=\"terms\">\n");
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		report_raw(r, "<dt>");
		report_text(r, terms[i].term);
		report_raw(r, "</dt><dd>");
		report_text(r, terms[i].meaning);
		report_raw(r, "</dd>\n");
	}
	report_raw(r, "</dl>\n");
	report_section_close(r);
}

static void write_nothing(struct report *r)
{
	const struct account_sink paragraphs = { report_paragraph, r };

	report_section_open(r, "What that means");
	account_nothing(&r->account, &paragraphs);
	report_section_close(r);
}

/* ---- The report ---- */

void report_head(const struct report *r, const char *title)
{
	static const char *const *const styles[] = { style_base, style_report, style_chart, style_report_too,
		                                     style_picture };

	report_raw(
		r,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n"
		"<meta name=\"generator\" content=\"holdfast " HOLDFAST_VERSION "\">\n<title>");
	report_text(r, title);
	report_raw(r, "</title>\n<style>\n");
	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++)
		for (const char *const *line = styles[i]; *line; line++)
			report_raw(r, *line);
	report_raw(r, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#report\">To the report</a>\n");
}

void report_foot(const struct report *r, const char *promise)
{
	report_raw(r, "<footer>\n<p>Holdfast " HOLDFAST_VERSION ". ");
	report_raw(r, promise);
	report_raw(r, ".</p>\n</footer>\n</body>\n</html>\n");
}

static void write_title(struct report *r, const struct finding *only, const struct draft *title)
{
	report_raw(r, "<header class=\"top\">\n<p class=\"eyebrow\">Traffic analysis</p>\n<h1 id=\"title\">");
	report_text(r, title->text);
	report_raw(r, "</h1>\n<p class=\"when\">");
	if (only) {
		struct draft when = { .length = 0 };

		add_when(r, only->incident, &when);
		report_text(r, when.text);
	} else {
		struct draft overview = { .length = 0 };

		account_overview(&r->account, &overview);
		report_text(r, overview.text);
	}
	report_raw(r, "</p>\n</header>\n");
}

/* The order in which findings are told: attacks before scans. */
static const struct finding *nth(const struct engine *engine, uint32_t n, bool scans)
{
	for (uint32_t i = 0; i < engine_count(engine); i++) {
		const struct finding *f = engine_finding(engine, i);

		if (f->incident->is_scan == scans && n-- == 0)
			return f;
	}
	return NULL;
}

static void write_contents(struct report *r, uint32_t attacks, uint32_t total)
{
	report_raw(r, "<nav aria-label=\"Incidents\">\n<ol class=\"contents\">\n");
	for (uint32_t i = 0; i < total; i++) {
		const struct finding *f = nth(r->account.engine, i < attacks ? i : i - attacks, i >= attacks);
		struct draft name = { .length = 0 }, when = { .length = 0 };

		add_name(r, f, &name);
		add_when(r, f->incident, &when);
		(void)fprintf(r->out, "<li><a href=\"#incident-%" PRIu32 "\">", i + 1);
		report_text(r, name.text);
		report_raw(r, "</a> <span>");
		report_text(r, when.text);
		report_raw(r, "</span></li>\n");
	}
	report_raw(r, "</ol>\n</nav>\n");
}

static void add_title(struct report *r, uint32_t attacks, uint32_t total, struct draft *d)
{
	if (attacks == 1 && total == 1)
		add_name(r, engine_finding(r->account.engine, 0), d);
	else if (attacks)
		draft_add(d, "%" PRIu32 " %s", attacks, account_plural(attacks, "attack", "attacks"));
	else if (r->account.input->packets == 0)
		draft_add(d, "No packets");
	else
		draft_add(d, "No attack found");
}

static void write_body(struct report *r)
{
	const struct engine *engine = r->account.engine;
	uint32_t total = engine_count(engine), attacks = 0;
	struct draft title = { .length = 0 };
	bool alone;

	for (uint32_t i = 0; i < total; i++)
		attacks += !engine_finding(engine, i)->incident->is_scan;
	alone = attacks == 1 && total == 1;
	add_title(r, attacks, total, &title);
	report_head(r, title.text);
	write_title(r, alone ? engine_finding(engine, 0) : NULL, &title);
	report_raw(r, "<main id=\"report\">\n");
	if (total > 1)
		write_contents(r, attacks, total);
	r->heading = 2;
	if (attacks == 0)
		write_nothing(r);
	for (uint32_t i = 0; i < total; i++) {
		r->incident = i + 1;
		write_incident(r, nth(engine, i < attacks ? i : i - attacks, i >= attacks), !alone);
	}
	write_capture(r, attacks > 0);
	write_method(r);
	report_raw(r, "</main>\n");
	report_foot(r, "The same captures give the same report, to the octet");
}

int report_write(FILE *out, const struct analysis_input *input, const struct engine *engine,
                 const struct analysis_live *live)
{
	struct report report = {
		.out = out, .account = { .input = input, .engine = engine }, .live = live, .heading = 2
	};

	report.series = report_series_new();
	if (!report.series)
		return -ENOMEM;
	errno = 0;
	write_body(&report);
	free(report.series);
	if (report.no_memory)
		return -ENOMEM;
	if (fflush(out) != 0 || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
