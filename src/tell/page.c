/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The analysis as a page for the terminal, to be understood at three in the morning by someone who has read nothing
 * else. Each incident is told in one order: what happened, in a line and then in plain words; when (waves); of what it
 * consists (vectors); why we think so; who (sources); what to do; what cannot be known. What was read stands at the
 * end.
 *
 * What is said stands in account.c; here it is laid out. Nothing is drawn that is not in the findings.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/share.h"
#include "tell/account.h"
#include "tell/analysis.h"
#include "tell/origin.h"
#include "tell/paper.h"
#include "tell/words.h"
#include "tell/world.h"

#define INDENT 2
#define WAVES_SHOWN 8
#define KIND_COLUMN 34 /* of the vectors' table */
#define STRIP_MAX 64   /* columns of the time line */
#define STRIP_LEVELS 8
#define STRIP_LARGEST 20 /* the whole capture is drawn up to so many times the incident's length */
#define STRIP_BESIDE 42  /* columns of what stands beside the time line */
#define WIDE 80          /* narrower tables have fewer columns below this */
#define PLACES_SHOWN 5   /* countries, and networks */
#define SHARE_COLUMN 20  /* before a place's name */

struct page {
	struct paper paper;
	struct account account;
	bool no_memory; /* for a section, which is not there */
	bool capitals;  /* headings are, and stand at the edge */
};

static void heading(const struct page *p, const char *text)
{
	struct draft d = { .length = 0 };

	(void)fputc('\n', p->paper.out);
	draft_add(&d, BOLD "%s" PLAIN, text);
	for (char *c = d.text; p->capitals && *c; c++)
		*c = words_capital(*c);
	paper_line(&p->paper, p->capitals ? 0 : INDENT, d.text);
}

static void bullet(void *page, const char *text)
{
	const struct page *p = page;
	struct draft d = { .length = 0 };

	draft_add(&d, "%s %s", p->paper.unicode ? "\u2022" : "*", text);
	paper_text(&p->paper, INDENT, INDENT + 2, d.text);
}

static void paragraph(void *page, const char *text)
{
	const struct page *p = page;

	paper_text(&p->paper, INDENT, INDENT, text);
}

/* ---- Headline ---- */

static void write_headline(struct page *p, const struct finding *f)
{
	const struct incident *incident = f->incident;
	const char *service = account_service(&p->account, f);
	char text[PREFIX_TEXT_SIZE];
	struct draft d = { .length = 0 };

	draft_add(&d, "%s" PLAIN "  " BOLD "%s" PLAIN, incident->is_scan ? YELLOW "SCAN" : RED "ATTACK",
	          account_target(f, text));
	if (service)
		draft_add(&d, " (%s)", service);
	draft_add(&d, "  " BOLD "%s" PLAIN, account_main_vector(f)->title);
	if (incident->parts_count > 1)
		draft_add(&d, " +" WORDS_TIE "%" PRIu32 WORDS_TIE "more", incident->parts_count - 1);
	draft_add(&d, "  peak %s / %s  for %s, %s", account_rate(&p->account, f, incident->peak_packets),
	          account_bps(&p->account, incident->peak_bytes),
	          account_duration(&p->account, incident->began, incident->ended),
	          incident->open ? "still going on" : "ended");
	paper_text(&p->paper, 0, INDENT, d.text);
}

/* ---- When ---- */

static const char *clock_at(struct page *p, struct capture_time t, int64_t span)
{
	return words_clock_within(t, span, account_room(&p->account));
}

/* The waves on a line of time: a column is as high as the highest wave in it, relative to the highest of all. */
static void write_strip(struct page *p, const struct incident *incident)
{
	static const char *const bars[STRIP_LEVELS + 1] = { "\u00b7", "\u2581", "\u2582", "\u2583", "\u2584",
		                                            "\u2585", "\u2586", "\u2587", "\u2588" };
	static const char *const ascii_bars[STRIP_LEVELS + 1] = { ".", "-", "-", "-", "=", "=", "=", "#", "#" };
	const struct analysis_input *input = p->account.input;
	struct capture_time from = incident->began, to = incident->ended;
	int64_t length = time_since(to, from), step;
	unsigned left = p->paper.width - INDENT - STRIP_BESIDE, columns = left < STRIP_MAX ? left : STRIP_MAX;
	uint64_t heights[STRIP_MAX] = { 0 }, highest = 1;
	bool whole = false;
	struct draft d = { .length = 0 };

	/* the capture around it where that leaves the incident large enough to see */
	if (input->has_time && time_since(from, input->first) >= 0 && time_since(input->last, to) >= 0 &&
	    time_since(input->last, input->first) / STRIP_LARGEST <= length) {
		from = input->first;
		to = input->last;
		length = time_since(to, from);
		whole = true;
	}
	step = (length > 0 ? length : 0) / columns + 1;
	for (uint32_t i = 0; i < incident->waves_count && i < INCIDENT_WAVES_MAX; i++) {
		const struct wave *wave = &incident->waves[i];
		int64_t at = time_since(wave->began, from) / step, end = time_since(wave->ended, from) / step;

		for (at = at > 0 ? at : 0; at <= end && at < (int64_t)columns; at++)
			if (wave->peak_packets > heights[at])
				heights[at] = wave->peak_packets;
		highest = wave->peak_packets > highest ? wave->peak_packets : highest;
	}
	draft_add(&d, "%s " CYAN, clock_at(p, from, length));
	for (unsigned i = 0; i < columns; i++) {
		uint64_t level = (share_ppm(heights[i], highest) * STRIP_LEVELS + PPM - 1) / PPM;

		draft_add(&d, "%s", (p->paper.unicode ? bars : ascii_bars)[heights[i] && level == 0 ? 1 : level]);
	}
	draft_add(&d, PLAIN " %s%s", clock_at(p, to, length), whole ? DIM " (whole capture)" PLAIN : "");
	paper_line(&p->paper, INDENT, d.text);
}

/* One wave from end to end shows nothing on a line of time. */
static bool fills_capture(const struct page *p, const struct incident *incident)
{
	const struct analysis_input *input = p->account.input;
	int64_t length = time_since(incident->ended, incident->began);

	return !input->has_time || time_since(input->last, input->first) - length <= length / STRIP_MAX;
}

static void write_waves(struct page *p, const struct incident *incident)
{
	int64_t span = time_since(incident->ended, incident->began);

	if (incident->waves_count == 0 || (incident->waves_count == 1 && fills_capture(p, incident)))
		return;
	heading(p, account_plural(incident->waves_count, "Time", "Waves"));
	write_strip(p, incident);
	for (uint32_t i = 0; incident->waves_count > 1 && i < incident->waves_count && i < WAVES_SHOWN; i++) {
		const struct wave *wave = &incident->waves[i];
		struct draft d = { .length = 0 };

		draft_add(&d, "%3" PRIu32 "  %s  %-12s peak %8s %10s", i + 1, clock_at(p, wave->began, span),
		          account_duration(&p->account, wave->began, wave->ended),
		          account_pps(&p->account, wave->peak_packets), account_bps(&p->account, wave->peak_bytes));
		if (p->paper.width >= WIDE)
			draft_add(&d, "  %10s packets", account_count(&p->account, wave->packets));
		draft_add(&d, "%s", wave->open ? ", going on" : "");
		paper_line(&p->paper, INDENT, d.text);
	}
	if (incident->waves_count > WAVES_SHOWN) {
		struct draft d = { .length = 0 };

		draft_add(&d, DIM "and %" PRIu32 " more; --json lists all" PLAIN, incident->waves_count - WAVES_SHOWN);
		paper_line(&p->paper, INDENT + 5, d.text);
	}
}

/* ---- Of what it consists ---- */

static void write_vectors(struct page *p, const struct incident *incident)
{
	heading(p, "Vectors");
	paper_line(&p->paper, INDENT, DIM "  share       packets      bytes  kind" PLAIN);
	for (uint32_t i = 0; i < incident->parts_count && i < INCIDENT_PARTS_MAX; i++) {
		const struct window *window = incident->parts[i].window;
		const struct vector *vector = vector_get(incident->parts[i].kind);
		struct draft d = { .length = 0 };

		draft_add(&d, "%7s  %12s  %9s  %s " DIM "(%s)" PLAIN,
		          account_down(&p->account, share_ppm(window->packets, incident->packets)),
		          account_count(&p->account, window->packets), account_scaled(&p->account, window->bytes, "B"),
		          vector->title, vector->name);
		paper_text(&p->paper, INDENT, INDENT + KIND_COLUMN, d.text);
	}
}

/* ---- Who ---- */

static void write_sources(struct page *p, const struct finding *f)
{
	const struct account_sink bullets = { bullet, p };
	struct draft d = { .length = 0 };

	heading(p, "Sources");
	account_verdict(&p->account, f, &d);
	paragraph(p, d.text);
	account_verdict_reasons(&p->account, f, &bullets);
	if (!p->account.input->trace_of) /* else how it was run says so */
		account_families(&p->account, f, &bullets);
}

/* ---- Where it came from ---- */

static void write_share(struct page *p, const char *name, uint64_t low_ppm, uint64_t high_ppm)
{
	struct draft share = { .length = 0 }, d = share;

	origin_interval(&p->account, low_ppm, high_ppm, &share);
	draft_add(&d, "%18s  %s", share.text, name);
	paper_text(&p->paper, INDENT, INDENT + SHARE_COLUMN, d.text);
}

/* Of those that are not shown. */
static void write_more(struct page *p, uint64_t all, const char *json)
{
	struct draft d = { .length = 0 };

	if (all <= PLACES_SHOWN)
		return;
	draft_add(&d, DIM "and %s more; --json has %s" PLAIN, account_count(&p->account, all - PLACES_SHOWN), json);
	paper_line(&p->paper, INDENT + SHARE_COLUMN, d.text);
}

static void write_places(struct page *p, const struct origin *o)
{
	struct draft d = { .length = 0 };

	origin_located(&p->account, o, &d);
	paragraph(p, d.text);
	if (!o->located)
		return;
	(void)fputc('\n', p->paper.out);
	paper_text(&p->paper, INDENT, INDENT, ORIGIN_MAP_TITLE);
	for (uint32_t i = 0; i < o->countries_count && i < PLACES_SHOWN; i++)
		write_share(p, world_name(o->countries[i].code), o->countries[i].low_ppm, o->countries[i].high_ppm);
	write_more(p, o->countries_count, "all");
	for (uint32_t i = 0; i < o->networks_count && i < PLACES_SHOWN; i++) {
		const struct origin_network *n = &o->networks[i];

		d = (struct draft){ .length = 0 };
		draft_add(&d, "AS%" PRIu32 " %s", n->number, n->name);
		if (i == 0)
			paper_line(&p->paper, INDENT, DIM "          of them in network" PLAIN);
		write_share(p, d.text, n->low_ppm, n->high_ppm);
	}
	write_more(p, o->networks_known, "the largest");
	d = (struct draft){ .length = 0 };
	origin_databases(&p->account, o, &d);
	if (d.length)
		paragraph(p, d.text);
	d = (struct draft){ .length = 0 };
	origin_attribution(&p->account, o, &d);
	if (d.length)
		paragraph(p, d.text);
}

static void write_claims(struct page *p, const struct analysis_claim *claims, size_t count)
{
	if (count)
		heading(p, "What was claimed, and what the traffic says");
	for (size_t i = 0; i < count; i++) {
		struct draft d = { .length = 0 };

		origin_claim(&p->account, &claims[i], &d);
		bullet(p, d.text);
		d = (struct draft){ .length = 0 };
		draft_add(&d, BOLD "%s" PLAIN "  ", claims[i].verdict[0] ? claims[i].verdict : "not tested");
		if (claims[i].internal)
			draft_add(&d, YELLOW "internal" PLAIN "  ");
		origin_claim_verdict(&p->account, &claims[i], &d);
		paper_text(&p->paper, INDENT + 2, INDENT + 2, d.text);
	}
	if (count)
		paragraph(p, ORIGIN_CLAIMS_NOTE);
}

static void write_trace(struct page *p, const struct trace *trace, const struct analysis_claim *claims, size_t count)
{
	const struct account_sink bullets = { bullet, p };
	struct origin *o = malloc(sizeof(*o));
	struct draft d = { .length = 0 };

	if (!o || origin_make(trace, o) != 0) {
		p->no_memory = true;
		free(o);
		return;
	}
	heading(p, "Where it came from");
	origin_verdict(&p->account, o, &d);
	paragraph(p, d.text);
	write_places(p, o);
	heading(p, "How it was run");
	origin_conduct(&p->account, o, &bullets);
	write_claims(p, claims, count);
	free(o);
}

static const struct trace *trace_of(const struct page *p, const struct finding *f)
{
	const struct analysis_input *input = p->account.input;

	return input->trace_of ? input->trace_of(input->trace_context, f) : NULL;
}

static void write_origin(struct page *p, const struct finding *f)
{
	const struct analysis_input *input = p->account.input;
	const struct trace *trace = trace_of(p, f);
	const struct analysis_claim *claims = NULL;
	size_t count = input->claims_of ? input->claims_of(input->claims_context, f, &claims) : 0;

	if (trace)
		write_trace(p, trace, claims, count);
}

int page_write_trace(const struct paper *paper, const struct trace *trace, const struct analysis_claim *claims,
                     size_t claims_count)
{
	struct page page = { .paper = *paper, .capitals = true };
	const struct account_sink bullets = { bullet, &page };

	write_trace(&page, trace, claims, claims_count);
	heading(&page, "What cannot be known from packets");
	origin_unknowns(&page.account, trace, &bullets);
	return page.no_memory ? -ENOMEM : 0;
}

/* ---- What to do ---- */

static void write_signature(struct page *p, unsigned number, const struct signature *s)
{
	struct draft d = { .length = 0 }, numbered = d;
	char text[MATCH_TEXT_SIZE];
	unsigned hang = INDENT + 4;

	switch (s->action) {
	case RULE_DROP:
		draft_add(&d, GREEN "DROP" PLAIN "  ");
		break;
	case RULE_RATE_LIMIT:
		draft_add(&d, YELLOW "LIMIT" PLAIN " to %s  ", account_scaled(&p->account, s->rate_limit_pps, "pps"));
		break;
	case RULE_CHALLENGE:
		draft_add(&d, YELLOW "CHALLENGE" PLAIN "  ");
		break;
	case RULE_NONE:
		draft_add(&d, DIM "%s" PLAIN "  ", s->has_bound ? "TOO COSTLY" : "UNPROVEN");
		break;
	}
	draft_add(&d, BOLD "%s" PLAIN, match_format(&s->match, text));
	draft_add(&numbered, "%2u  %s", number, d.text);
	paper_text(&p->paper, INDENT, hang, numbered.text);
	d = (struct draft){ .length = 0 };
	draft_add(&d, "Catches %s of the attack.", account_down(&p->account, s->coverage_ppm));
	account_cost(&p->account, s, &d);
	paper_text(&p->paper, hang, hang, d.text);
	if (s->reason[0]) {
		d = (struct draft){ .length = 0 };
		draft_add(&d, DIM "Why: ");
		account_reason(&p->account, s, &d);
		draft_add(&d, "." PLAIN);
		paper_text(&p->paper, hang, hang, d.text);
	}
}

/* A name as a shell takes it. */
static void add_quoted(struct draft *d, const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-";

	if (name[strspn(name, plain)] == '\0') {
		draft_add(d, "%s%s", name[0] == '-' ? "./" : "", name);
		return;
	}
	draft_add(d, "'");
	for (; *name; name++) {
		if (*name == '\'')
			draft_add(d, "'\\''");
		else
			draft_add(d, "%c", *name);
	}
	draft_add(d, "'");
}

static void add_command(struct draft *d, const char *before, const char *file, const char *after)
{
	draft_add(d, CYAN "%s", before);
	if (!file || strcmp(file, "-") == 0)
		draft_add(d, "IN");
	else
		add_quoted(d, file);
	draft_add(d, "%s" PLAIN, after);
}

static void write_commands(const struct page *p)
{
	const char *file = p->account.input->files_count ? p->account.input->files[0] : NULL;
	size_t length = file ? strlen(file) : 0;
	bool is_ng = length > strlen(".pcapng") && strcmp(file + length - strlen(".pcapng"), ".pcapng") == 0;
	struct draft d = { .length = 0 };

	(void)fputc('\n', p->paper.out);
	paper_line(&p->paper, INDENT, "Try it; nothing is touched but the file it writes:");
	add_command(&d, "holdfast analyze --json ", file, " > report.json");
	paper_line(&p->paper, INDENT + 4, d.text);
	d = (struct draft){ .length = 0 };
	add_command(&d, "holdfast try --rules report.json ", file, is_ng ? " -w passed.pcapng" : " -w passed.pcap");
	paper_line(&p->paper, INDENT + 4, d.text);
}

static void write_advice(struct page *p, const struct finding *f)
{
	struct draft d = { .length = 0 };

	account_advice(f, &d);
	if (d.length)
		paragraph(p, d.text);
}

static void write_actions(struct page *p, const struct finding *f)
{
	const struct signature_set *set = &f->signatures;
	uint32_t acting = account_acting(f);
	unsigned number = 0;

	heading(p, "What to do");
	if (acting == 0)
		write_advice(p, f);
	for (uint32_t i = 0; i < set->count && i < SIGNATURES_MAX; i++)
		write_signature(p, ++number, &set->signatures[i]);
	if (acting) {
		struct draft d = { .length = 0 };

		account_residual(&p->account, f, &d);
		paragraph(p, d.text);
		write_advice(p, f);
		write_commands(p);
	}
}

static void write_attack(struct page *p, const struct finding *f)
{
	const struct account_sink bullets = { bullet, p };
	const struct trace *trace = trace_of(p, f);
	struct draft d = { .length = 0 };

	write_headline(p, f);
	(void)fputc('\n', p->paper.out);
	account_attack(&p->account, f, &d);
	account_shape(&p->account, f, &d);
	paragraph(p, d.text);
	write_waves(p, f->incident);
	write_vectors(p, f->incident);
	heading(p, "Why we think so");
	account_evidence(&p->account, f, &bullets);
	write_sources(p, f);
	write_origin(p, f);
	write_actions(p, f);
	heading(p, "What cannot be known");
	account_unknowns(&p->account, f, &bullets);
	if (trace)
		origin_unknowns(&p->account, trace, &bullets);
}

static void write_scan(struct page *p, const struct finding *f)
{
	const struct account_sink bullets = { bullet, p };
	struct draft d = { .length = 0 };

	write_headline(p, f);
	(void)fputc('\n', p->paper.out);
	account_scan(&p->account, f, &d);
	paragraph(p, d.text);
	account_families(&p->account, f, &bullets);
}

/* ---- The page ---- */

static unsigned clamp_width(unsigned width)
{
	if (width < PAGE_WIDTH_MIN)
		return PAGE_WIDTH_MIN;
	return width > PAGE_WIDTH_MAX ? PAGE_WIDTH_MAX : width;
}

int page_write(FILE *out, const struct analysis_input *input, const struct engine *engine,
               const struct page_options *options)
{
	struct page page = {
		.paper = { .out = out,
		           .width = clamp_width(options->width),
		           .color = options->color,
		           .unicode = options->unicode },
		.account = { .input = input, .engine = engine },
	};
	uint32_t total = engine_count(engine), scans = 0;
	const struct account_sink paragraphs = { paragraph, &page };
	bool first = true;

	for (uint32_t i = 0; i < total; i++)
		scans += engine_finding(engine, i)->incident->is_scan;
	errno = 0;
	if (total != 1 || scans) {
		struct draft d = { .length = 0 };

		account_overview(&page.account, &d);
		paper_text(&page.paper, 0, 0, d.text);
		if (total == scans) {
			(void)fputc('\n', out);
			account_nothing(&page.account, &paragraphs);
		}
		first = false;
	}
	for (unsigned pass = 0; pass < 2; pass++) { /* attacks first */
		for (uint32_t i = 0; i < total; i++) {
			const struct finding *finding = engine_finding(engine, i);

			if (finding->incident->is_scan != (pass == 1))
				continue;
			if (!first)
				paper_rule(&page.paper);
			first = false;
			(pass == 1 ? write_scan : write_attack)(&page, finding);
		}
	}
	heading(&page, "Input");
	account_input(&page.account, &paragraphs);
	if (page.no_memory)
		return -ENOMEM;
	if (fflush(out) != 0 || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
