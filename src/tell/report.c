/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The analysis as one HTML file that can be forwarded: no script, no asset from anywhere, readable on a phone, on
 * paper, and by a screen reader. What is said stands in account.c, as for the page on the terminal; here it is laid
 * out, and what a terminal cannot show is added: rates over time, packets' sizes and ports, the addresses seen most.
 *
 * Each incident is told in one order: what happened; rate over time, and what the rules would have let pass; waves;
 * vectors; packets; sources; why we think so; what to do; what cannot be known. At the end the capture, and how to read
 * all this.
 *
 * The same analysis gives the same octets: no clock is read. All that comes from outside is made harmless by markup.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hll.h"
#include "base/share.h"
#include "measure/slot.h"
#include "tell/account.h"
#include "tell/analysis.h"
#include "tell/chart.h"
#include "tell/markup.h"
#include "tell/style.h"

#ifndef HOLDFAST_VERSION
#define HOLDFAST_VERSION "unknown"
#endif

#define POINTS_MAX ((size_t)2 * TIMELINE_BINS)
#define PAD_SHARE 12   /* a twelfth of quiet is shown before and after, where the capture has it */
#define TABLE_ROWS 60  /* the numbers behind a plot */
#define WAVES_SHOWN 64 /* of at most INCIDENT_WAVES_MAX; the JSON lists all */
#define TOP_SHOWN 8
#define TOP_PPM 10000 /* what has less than a hundredth is not named */
#define SIZES 7
#define ID_SIZE 48

struct report {
	FILE *out;
	struct account account;
	unsigned heading;  /* level of an incident's sections */
	unsigned incident; /* number of the one that is told, from 1; 0 outside */
};

/* ---- Pieces of a page ---- */

static void raw(const struct report *r, const char *markup)
{
	(void)fputs(markup, r->out);
}

static void text(const struct report *r, const char *words)
{
	markup_text(r->out, words);
}

static void paragraph(void *report, const char *words)
{
	const struct report *r = report;

	raw(r, "<p>");
	markup_marked(r->out, words);
	raw(r, "</p>\n");
}

static void item(void *report, const char *words)
{
	const struct report *r = report;

	raw(r, "<li>");
	markup_marked(r->out, words);
	raw(r, "</li>\n");
}

/* A reason, as those who found it noted it, as an item. */
static void sentence(struct report *r, const char *reason)
{
	struct draft d = { .length = 0 };

	draft_add(&d, "%c%s.", reason[0] >= 'a' && reason[0] <= 'z' ? reason[0] - 'a' + 'A' : reason[0],
	          reason[0] ? reason + 1 : "");
	item(r, d.text);
}

static void open_section(const struct report *r, const char *title)
{
	(void)fprintf(r->out, "<section class=\"part\">\n<h%u>", r->heading);
	text(r, title);
	(void)fprintf(r->out, "</h%u>\n", r->heading);
}

static void close_section(const struct report *r)
{
	raw(r, "</section>\n");
}

/*
 * A table may be wider than a phone: then it alone moves, by finger or by key. One of many columns does without bars
 * there.
 */
static void open_table(const struct report *r, const char *caption, bool many)
{
	raw(r, many ? "<div class=\"table many\" role" : "<div class=\"table\" role");
	raw(r, "=\"group\" tabindex=\"0\" aria-label=\"");
	text(r, caption);
	raw(r, "\">\n<table>\n<caption>");
	text(r, caption);
	raw(r, "</caption>\n");
}

static void close_table(const struct report *r)
{
	raw(r, "</tbody>\n</table>\n</div>\n");
}

/* Names of columns; a leading '#' makes a column of numbers. */
static void columns(const struct report *r, const char *const *names, size_t count)
{
	raw(r, "<thead><tr>");
	for (size_t i = 0; i < count; i++) {
		bool number = names[i][0] == '#';

		raw(r, number ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
		text(r, names[i] + number);
		raw(r, "</th>");
	}
	raw(r, "</tr></thead>\n<tbody>\n");
}

static void cell(const struct report *r, const char *words)
{
	raw(r, "<td class=\"n\">");
	text(r, words);
	raw(r, "</td>");
}

static void row(const struct report *r, const char *words)
{
	raw(r, "<tr><th scope=\"row\">");
	text(r, words);
	raw(r, "</th>");
}

static void share_cell(struct report *r, uint64_t part, uint64_t whole)
{
	uint64_t ppm = share_ppm(part < whole ? part : whole, whole);

	(void)fprintf(r->out,
	              "<td class=\"share\"><span class=\"bar\" aria-hidden=\"true\"><span style=\"width:%" PRIu64
	              ".%" PRIu64 "%%\"></span></span><span class=\"n\">",
	              ppm / 10000, ppm / 1000 % 10);
	text(r, account_down(&r->account, ppm));
	raw(r, "</span></td>");
}

static void fact(const struct report *r, const char *name, const char *value, const char *note)
{
	raw(r, "<div><dt>");
	text(r, name);
	raw(r, "</dt><dd>");
	text(r, value);
	if (note) {
		raw(r, "<small>");
		text(r, note);
		raw(r, "</small>");
	}
	raw(r, "</dd></div>\n");
}

/* ---- What an incident is called ---- */

/* "NTP reflection on 192.0.2.10 (web)" */
static void add_name(const struct report *r, const struct finding *f, struct draft *d)
{
	const char *service = account_service(&r->account, f);
	char target[PREFIX_TEXT_SIZE];
	const char *title = account_main_vector(f)->title;

	draft_add(d, "%c%s", title[0] >= 'a' && title[0] <= 'z' ? title[0] - 'a' + 'A' : title[0], title + 1);
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
static const char *sources_note(const struct finding *f)
{
	if (f->incident->parts_count > 1)
		return "an estimate";
	switch (f->spoofing.verdict) {
	case SPOOFING_SPOOFED:
		return "forged";
	case SPOOFING_REFLECTORS:
		return "misused servers, an estimate";
	case SPOOFING_VERIFIED:
		return "real, an estimate";
	case SPOOFING_UNDETERMINED:
		break;
	}
	return "forged or real: unknown";
}

static void write_facts(struct report *r, const struct finding *f)
{
	const struct incident *incident = f->incident;
	const struct passage *passage = &f->passage;
	struct account *a = &r->account;
	char mean[WORDS_SIZE * 2];

	snprintf(mean, sizeof(mean), "%" PRIu32 " %s", incident->waves_count,
	         account_plural(incident->waves_count, "wave", "waves"));
	raw(r, "<dl class=\"facts\">\n");
	fact(r, "Peak packets", account_pps(a, incident->peak_packets), "in a tenth of a second");
	fact(r, "Peak volume", account_bps(a, incident->peak_bytes), "in a tenth of a second");
	fact(r, "Lasted", account_duration(a, incident->began, incident->ended), mean);
	fact(r, "Packets", account_count(a, incident->packets), account_scaled(a, incident->bytes, "B"));
	fact(r, "Sources", account_count(a, f->sources), sources_note(f));
	if (account_acting(f) && passage->bins)
		fact(r, "Rules would stop", account_down(a, PPM - passage->passed_ppm), "of it, estimated");
	else
		fact(r, "Rules would stop", "nothing", "no safe rule was found");
	raw(r, "</dl>\n");
}

/* ---- Rate over time ---- */

struct series {
	struct capture_time from;
	int64_t step_ns;
	uint32_t count;
	uint64_t area[2][POINTS_MAX], line[2][POINTS_MAX]; /* packets, bits; per second */
	struct timeline_bin sums[TIMELINE_BINS];           /* of several incidents */
};

static uint64_t per_second(uint64_t n, int64_t step_ns)
{
	return share_of(n, NS_PER_S, (uint64_t)step_ns);
}

static void put_point(struct series *s, uint64_t (*values)[POINTS_MAX], uint32_t at, const struct timeline_bin *bin)
{
	values[0][at] = per_second(bin->packets, s->step_ns);
	values[1][at] = per_second(account_times(bin->bytes, ACCOUNT_BITS_PER_OCTET), s->step_ns);
}

/* Bins of quiet that the capture shows between two moments, at most `most`. */
static uint32_t quiet(int64_t ns, int64_t step_ns, uint32_t most)
{
	int64_t bins = ns > 0 ? ns / step_ns : 0;

	return bins < (int64_t)most ? (uint32_t)bins : most;
}

static void fill_incident(const struct report *r, const struct finding *f, struct series *s)
{
	const struct timeline *t = &f->incident->timeline;
	const struct analysis_input *input = r->account.input;
	uint32_t count = timeline_count(t), most = count / PAD_SHARE + 1, before = 0, after = 0;

	s->step_ns = timeline_step_ns(t);
	if (input->has_time) {
		struct capture_time end = time_plus(timeline_begin(t, count - 1), s->step_ns);

		before = quiet(time_since(timeline_begin(t, 0), input->first), s->step_ns, most);
		after = quiet(time_since(input->last, end), s->step_ns, most);
	}
	s->from = time_plus(timeline_begin(t, 0), -(int64_t)before * s->step_ns);
	s->count = before + count + after;
	for (uint32_t i = 0; i < count; i++) {
		put_point(s, s->area, before + i, timeline_bin(t, i));
		if (f->passage.bins)
			put_point(s, s->line, before + i, &f->passage.bins[i]);
	}
}

enum second { NO_SECOND, SECOND_LINE, SECOND_ALL }; /* what s->line is: nothing, a line over the area, all behind it */

static void write_plots(const struct report *r, const struct series *s, enum second second,
                        const struct chart_band *bands, uint32_t bands_count, const char *const description[2])
{
	static const struct {
		const char *name, *title, *unit;
	} plots[2] = { { "packets", "Packets per second", "pps" }, { "bits", "Bits per second", "bit/s" } };

	for (unsigned i = 0; i < 2; i++) {
		char id[ID_SIZE];
		struct chart chart = {
			.id = id,
			.title = plots[i].title,
			.description = description[i],
			.unit = plots[i].unit,
			.from = s->from,
			.step_ns = s->step_ns,
			.count = s->count,
			.area = s->area[i],
			.line = second == SECOND_LINE ? s->line[i] : NULL,
			.all = second == SECOND_ALL ? s->line[i] : NULL,
			.bands = bands,
			.bands_count = bands_count,
		};

		snprintf(id, sizeof(id), "%s-%u", plots[i].name, r->incident);
		chart_write(r->out, &chart);
	}
}

/* So many points take so long, as far as that can be said: the ends of all time are further apart. */
static int64_t span_ns(const struct series *s, uint32_t points)
{
	int64_t ns;

	return __builtin_mul_overflow(s->step_ns, (int64_t)points, &ns) ? INT64_MAX : ns;
}

/* The same in numbers, for who does not see the plots; neighbours are joined until there are few enough. */
static void write_numbers(struct report *r, const struct series *s, bool line, const char *area_name,
                          const char *line_name)
{
	const char *names[] = { "From (UTC)", "#Packets/s", "#Bit/s", "#Packets/s", "#Bit/s" };
	uint32_t join = (s->count + TABLE_ROWS - 1) / TABLE_ROWS;
	char first[WORDS_SIZE], second[WORDS_SIZE], clock[WORDS_SIZE];

	snprintf(first, sizeof(first), "#%s, packets/s", area_name);
	snprintf(second, sizeof(second), "#%s, packets/s", line_name);
	names[1] = first;
	names[3] = second;
	raw(r, "<details>\n<summary>The numbers behind the plots</summary>\n");
	open_table(r, "Mean rates over time", true);
	columns(r, names, line ? 5 : 3);
	for (uint32_t i = 0; i < s->count; i += join) {
		uint64_t sums[2][2] = { { 0 } };
		uint32_t joined = s->count - i < join ? s->count - i : join;

		for (uint32_t k = i; k < i + joined; k++) {
			for (unsigned j = 0; j < 2; j++) {
				sums[0][j] += s->area[j][k] / joined;
				sums[1][j] += s->line[j][k] / joined;
			}
		}
		row(r, chart_clock(time_plus(s->from, span_ns(s, i)), span_ns(s, s->count), clock));
		for (unsigned j = 0; j < (line ? 4u : 2u); j++)
			cell(r, account_scaled(&r->account, sums[j / 2][j % 2], ""));
		raw(r, "</tr>\n");
	}
	close_table(r);
	raw(r, "</details>\n");
}

static void add_estimate(struct report *r, const struct finding *f, struct draft *d)
{
	const struct passage *p = &f->passage;
	struct account *a = &r->account;

	if (account_acting(f) == 0) {
		draft_add(d, " No rule is proposed, so all of it would pass.");
		return;
	}
	if (p->sampled >= f->incident->packets) {
		draft_add(
			d,
			" The line shows what the rules would have let pass: %s of the attack, tested on all of its packets.",
			account_up(a, p->passed_ppm));
		return;
	}
	draft_add(
		d,
		" The line is an estimate of what the rules would have let pass, from %s packets drawn at random: %s of the attack, and "
		"with 95" WORDS_TIE
		"%% confidence at most %s. A single point of it rests on some %s packets and is less sure.",
		account_count(a, p->sampled), account_up(a, p->passed_ppm), account_up(a, p->upper_ppm),
		account_count(a, p->sampled / timeline_count(&f->incident->timeline)));
}

/* `key` is the class of its sample of colour; no words, no entry. */
static void write_key(const struct report *r, const char *key, const char *words)
{
	if (!words)
		return;
	(void)fprintf(r->out, "<li><span class=\"key %s\" aria-hidden=\"true\"></span>", key);
	text(r, words);
	raw(r, "</li>\n");
}

static uint32_t wave_bands(const struct incident *incident, struct chart_band *bands)
{
	uint32_t count = 0;

	for (; count < incident->waves_count && count < INCIDENT_WAVES_MAX; count++)
		bands[count] = (struct chart_band){ incident->waves[count].began, incident->waves[count].ended };
	return count;
}

static void write_rate(struct report *r, const struct finding *f, struct series *s)
{
	const struct incident *incident = f->incident;
	struct chart_band bands[INCIDENT_WAVES_MAX];
	struct account *a = &r->account;
	uint32_t count = wave_bands(incident, bands);
	bool line = f->passage.bins && account_acting(f);
	struct draft packets = { .length = 0 }, bits = { .length = 0 }, caption = { .length = 0 };
	char step[WORDS_SIZE];

	memset(s, 0, sizeof(*s));
	fill_incident(r, f, s);
	draft_add(&packets, "The attack over time in packets per second, highest %s in a tenth of a second, in %s %s. ",
	          account_pps(a, incident->peak_packets), account_count(a, count),
	          account_plural(count, "wave", "waves"));
	draft_add(&bits, "The attack over time in bits per second, highest %s in a tenth of a second. ",
	          account_bps(a, incident->peak_bytes));
	for (unsigned i = 0; i < 2; i++)
		draft_add(i ? &bits : &packets, "%sThe numbers are in the table below.",
		          line ? "A line shows what the rules would have let pass. " : "");
	open_section(r, "Rate over time");
	raw(r, "<figure>\n");
	raw(r, "<ul class=\"legend\">\n");
	write_key(r, "area", "Attack");
	write_key(r, "line", line ? "What the rules would have let pass (estimate)" : NULL);
	write_key(r, "band", count > 1 ? "Wave" : NULL);
	raw(r, "</ul>\n");
	write_plots(r, s, line ? SECOND_LINE : NO_SECOND, bands, count > 1 ? count : 0,
	            (const char *const[2]){ packets.text, bits.text });
	draft_add(&caption, "Each step is the mean over %s; the highest tenth of a second was %s and %s.",
	          words_duration(s->step_ns, step), account_pps(a, incident->peak_packets),
	          account_bps(a, incident->peak_bytes));
	add_estimate(r, f, &caption);
	raw(r, "<figcaption>");
	markup_marked(r->out, caption.text);
	raw(r, "</figcaption>\n</figure>\n");
	write_numbers(r, s, line, "Attack", "Passed");
	close_section(r);
}

static void write_waves(struct report *r, const struct incident *incident)
{
	static const char *const names[] = { "Wave",          "Began (UTC)",  "#Lasted",
		                             "#Peak packets", "#Peak volume", "#Packets" };
	int64_t span = time_since(incident->ended, incident->began);
	struct account *a = &r->account;
	char number[16], clock[WORDS_SIZE];

	if (incident->waves_count < 2)
		return;
	open_section(r, "Waves");
	open_table(r, "Waves of the attack", true);
	columns(r, names, sizeof(names) / sizeof(names[0]));
	for (uint32_t i = 0; i < incident->waves_count && i < WAVES_SHOWN; i++) {
		const struct wave *wave = &incident->waves[i];

		snprintf(number, sizeof(number), "%" PRIu32, i + 1);
		row(r, number);
		raw(r, "<td>");
		text(r, chart_clock(wave->began, span, clock));
		raw(r, "</td>");
		cell(r, wave->open ? "going on" : account_duration(a, wave->began, wave->ended));
		cell(r, account_pps(a, wave->peak_packets));
		cell(r, account_bps(a, wave->peak_bytes));
		cell(r, account_count(a, wave->packets));
		raw(r, "</tr>\n");
	}
	close_table(r);
	if (incident->waves_count > WAVES_SHOWN)
		(void)fprintf(r->out, "<p>And %" PRIu32 " more; the JSON report lists all.</p>\n",
		              incident->waves_count - WAVES_SHOWN);
	close_section(r);
}

/* ---- Of what it consists ---- */

static void write_vectors(struct report *r, const struct incident *incident)
{
	static const char *const names[] = { "Vector", "Share of packets", "#Packets", "#Volume" };
	struct account *a = &r->account;

	open_section(r, "Vectors");
	open_table(r, "Kinds of packets in the attack", true);
	columns(r, names, sizeof(names) / sizeof(names[0]));
	for (uint32_t i = 0; i < incident->parts_count && i < INCIDENT_PARTS_MAX; i++) {
		const struct vector *vector = vector_get(incident->parts[i].kind);
		const struct window *window = incident->parts[i].window;

		raw(r, "<tr><th scope=\"row\">");
		text(r, vector->title);
		raw(r, " <code>");
		text(r, vector->name);
		raw(r, "</code></th>");
		share_cell(r, window->packets, incident->packets);
		cell(r, account_count(a, window->packets));
		cell(r, account_scaled(a, window->bytes, "B"));
		raw(r, "</tr>\n");
	}
	close_table(r);
	if (incident->parts_count > 1) {
		raw(r, "<dl class=\"terms\">\n");
		for (uint32_t i = 0; i < incident->parts_count && i < INCIDENT_PARTS_MAX; i++) {
			const struct vector *vector = vector_get(incident->parts[i].kind);

			raw(r, "<dt>");
			text(r, vector->title);
			raw(r, "</dt><dd>");
			text(r, vector->explanation);
			raw(r, ".</dd>\n");
		}
		raw(r, "</dl>\n");
	}
	close_section(r);
}

/* ---- Packets ---- */

static void write_sizes(struct report *r, const struct incident *incident)
{
	static const struct {
		uint32_t most;
		const char *name;
		/* clang-format off */
	} sizes[SIZES] = {
		{ 64, "up to 64" },       { 128, "65 to 128" },       { 256, "129 to 256" },           { 512, "257 to 512" },
		{ 1024, "513 to 1,024" }, { 1500, "1,025 to 1,500" }, { UINT32_MAX, "more than 1,500" },
	};
	/* clang-format on */
	static const char *const names[] = { "Octets", "Share of packets" };
	uint64_t counts[SIZES] = { 0 };
	bool all = true;

	/* each vector's sample stands for as many packets as that has */
	for (uint32_t i = 0; i < incident->parts_count && i < INCIDENT_PARTS_MAX; i++) {
		const struct window *window = incident->parts[i].window;
		uint64_t sampled[SIZES] = { 0 }, total = 0;

		for (uint32_t k = 0; k < window->sample.used; k++) {
			const struct observation *o = &window->sample.items[k];
			unsigned size = 0;

			while (o->length > sizes[size].most)
				size++;
			sampled[size] += o->weight;
			total += o->weight;
		}
		all = all && window->sample.used == window->sample.seen;
		for (unsigned size = 0; size < SIZES; size++)
			counts[size] += share_of(window->packets, sampled[size], total);
	}
	open_table(r, all ? "Packet sizes" : "Packet sizes, estimated from a sample", false);
	columns(r, names, 2);
	for (unsigned size = 0; size < SIZES; size++) {
		if (counts[size] == 0)
			continue;
		row(r, sizes[size].name);
		share_cell(r, counts[size], incident->packets);
		raw(r, "</tr>\n");
	}
	close_table(r);
}

typedef void key_writer(const struct topk_key *key, char *words, size_t size);

static void port_words(const struct topk_key *key, char *words, size_t size)
{
	snprintf(words, size, "%" PRIu64, key->low);
}

static void address_words(const struct topk_key *key, char *words, size_t size)
{
	struct address address = topk_address(*key);
	struct prefix prefix = { .address = address,
		                 .length = address_is_ipv4(&address) ? 32 : 128,
		                 .is_ipv4 = address_is_ipv4(&address) };
	char whole[PREFIX_TEXT_SIZE];

	prefix_format(&prefix, whole);
	*strchr(whole, '/') = '\0';
	snprintf(words, size, "%s", whole);
}

/*
 * The heaviest keys with what each has at least. Returns how many were worth a row; where there is none, writes no
 * table.
 */
static unsigned write_top(struct report *r, const struct topk *topk, uint64_t packets, const char *caption,
                          const char *name, key_writer *words)
{
	const char *names[] = { name, "Share of packets, at least" };
	struct topk sorted = *topk;
	unsigned shown = 0;
	char key[PREFIX_TEXT_SIZE];

	topk_sort(&sorted);
	for (uint32_t i = 0; i < sorted.used && shown < TOP_SHOWN; i++) {
		uint64_t least = sorted.entries[i].count - sorted.entries[i].error;

		if (share_ppm(least, packets) < TOP_PPM)
			continue;
		if (shown++ == 0) {
			open_table(r, caption, false);
			columns(r, names, 2);
		}
		words(&sorted.entries[i].key, key, sizeof(key));
		row(r, key);
		share_cell(r, least, packets);
		raw(r, "</tr>\n");
	}
	if (shown)
		close_table(r);
	return shown;
}

static void write_spread(struct report *r, const char *what, uint64_t estimate)
{
	struct draft d = { .length = 0 };

	draft_add(&d, "%s are spread: %s different ones, and none has a hundredth of the packets.", what,
	          account_about(&r->account, estimate));
	paragraph(r, d.text);
}

static void write_packets(struct report *r, const struct finding *f)
{
	const struct window *total = f->total;
	struct draft d = { .length = 0 };

	open_section(r, "Packets");
	draft_add(&d, "On average a packet has %s octets.",
	          account_count(&r->account, total->packets ? total->bytes / total->packets : 0));
	if (total->fragments)
		draft_add(&d, " %s of them are fragments.",
		          account_down(&r->account, share_ppm(total->fragments, total->packets)));
	paragraph(r, d.text);
	raw(r, "<div class=\"columns\">\n<div>\n");
	write_sizes(r, f->incident);
	raw(r, "</div>\n<div>\n");
	if (total->top_dst_ports.total &&
	    write_top(r, &total->top_dst_ports, total->packets, "Destination ports", "Port", port_words) == 0)
		write_spread(r, "Destination ports", hll_estimate(&total->dst_ports));
	raw(r, "</div>\n<div>\n");
	if (total->top_src_ports.total &&
	    write_top(r, &total->top_src_ports, total->packets, "Source ports", "Port", port_words) == 0)
		paragraph(r, "Source ports are spread: none has a hundredth of the packets.");
	raw(r, "</div>\n</div>\n");
	if (f->carpet)
		(void)write_top(r, &total->top_destinations, total->packets, "Addresses hit most", "Address",
		                address_words);
	close_section(r);
}

/* ---- Who ---- */

/* Of those vectors alone whose sources are real: a list of others would accuse strangers. */
static void write_addresses(struct report *r, const struct finding *f)
{
	const struct incident *incident = f->incident;
	struct topk real = { .used = 0 };
	struct draft of = { .length = 0 };
	uint32_t listed = 0;

	for (uint32_t i = 0; i < incident->parts_count; i++) {
		if (!spoofing_sources_real(&f->spoofing, incident, i))
			continue;
		topk_merge(&real, &incident->parts[i].window->top_sources);
		draft_add(&of, "%s%s", listed++ ? ", " : "", vector_get(incident->parts[i].kind)->title);
	}
	if (listed == 0) {
		paragraph(r,
		          f->spoofing.verdict == SPOOFING_SPOOFED
		                  ? "No addresses are listed: they are forged, and a list would accuse strangers."
		                  : "No addresses are listed: they may be forged, and a list might accuse strangers.");
		return;
	}
	if (write_top(r, &real, f->total->packets, "Addresses that sent most", "Address", address_words) == 0)
		paragraph(r, "No single address sent a hundredth of the packets.");
	if (listed < incident->parts_count) {
		struct draft d = { .length = 0 };

		draft_add(&d, "This is of %s alone; addresses of other vectors may be forged, and are not listed.",
		          of.text);
		paragraph(r, d.text);
	}
}

static void write_sources(struct report *r, const struct finding *f)
{
	const struct account_sink items = { item, r };
	struct account *a = &r->account;
	struct draft d = { .length = 0 };

	open_section(r, "Sources");
	account_verdict(a, f, &d);
	raw(r, "<p class=\"lead\">");
	markup_marked(r->out, d.text);
	raw(r, "</p>\n");
	d = (struct draft){ .length = 0 };
	draft_add(
		&d,
		"%s %s in %s %s (/24, IPv6 /48) sent the attack's packets; the estimate is right to some 1.6" WORDS_TIE
		"%%.",
		account_count(a, f->sources), account_plural(f->sources, "address", "addresses"),
		account_count(a, account_networks(f)), account_plural(account_networks(f), "network", "networks"));
	paragraph(r, d.text);
	raw(r, "<ul>\n");
	for (uint32_t i = 0; i < f->spoofing.reasons_count && i < SPOOFING_REASONS_MAX; i++)
		sentence(r, f->spoofing.reasons[i]);
	account_families(a, f, &items);
	raw(r, "</ul>\n");
	write_addresses(r, f);
	close_section(r);
}

/* ---- What to do ---- */

static void write_rule(struct report *r, const struct signature *s)
{
	static const struct {
		const char *class, *word;
	} actions[] = {
		[RULE_NONE] = { "none", "Not proposed" },
		[RULE_DROP] = { "drop", "Drop" },
		[RULE_RATE_LIMIT] = { "limit", "Limit" },
		[RULE_CHALLENGE] = { "challenge", "Challenge" },
	};
	struct account *a = &r->account;
	char match[MATCH_TEXT_SIZE];
	struct draft d = { .length = 0 };

	(void)fprintf(r->out, "<li class=\"rule %s\">\n<p class=\"match\"><strong class=\"badge\">",
	              actions[s->action].class);
	text(r, actions[s->action].word);
	if (s->action == RULE_RATE_LIMIT) {
		raw(r, " to ");
		text(r, account_scaled(a, s->rate_limit_pps, "pps"));
	}
	raw(r, "</strong> <code>");
	text(r, match_format(&s->match, match));
	raw(r, "</code></p>\n");
	draft_add(&d, "Catches %s of the attack", account_down(a, s->coverage_ppm));
	if (s->added_ppm != s->coverage_ppm)
		draft_add(&d, ", %s that no rule before it does", account_down(a, s->added_ppm));
	draft_add(&d, ".");
	account_cost(a, s, &d);
	paragraph(r, d.text);
	if (s->reason[0]) {
		raw(r, "<p class=\"why\">Why: ");
		text(r, s->reason);
		raw(r, ".</p>\n");
	}
	raw(r, "</li>\n");
}

static void write_actions(struct report *r, const struct finding *f)
{
	const struct signature_set *set = &f->signatures;
	struct draft advice = { .length = 0 }, residual = { .length = 0 };
	bool acting = account_acting(f) > 0;

	open_section(r, "What to do");
	account_advice(f, &advice);
	account_residual(&r->account, f, &residual);
	if (!acting && advice.length)
		paragraph(r, advice.text);
	if (set->count) {
		raw(r, "<ol class=\"rules\">\n");
		for (uint32_t i = 0; i < set->count && i < SIGNATURES_MAX; i++)
			write_rule(r, &set->signatures[i]);
		raw(r, "</ol>\n");
	}
	if (residual.length)
		paragraph(r, residual.text);
	if (acting && advice.length)
		paragraph(r, advice.text);
	if (acting)
		raw(r, "<p>Try the rules before you use them: <code>holdfast try</code> applies them to a capture, "
		       "and touches nothing but the file that it writes.</p>\n");
	close_section(r);
}

/* ---- An incident ---- */

static void write_list(struct report *r, const char *title,
                       void (*tell)(struct account *, const struct finding *, const struct account_sink *),
                       const struct finding *f)
{
	const struct account_sink items = { item, r };

	open_section(r, title);
	raw(r, "<ul>\n");
	tell(&r->account, f, &items);
	raw(r, "</ul>\n");
	close_section(r);
}

static void write_attack(struct report *r, const struct finding *f, struct series *series)
{
	struct draft happened = { .length = 0 }, shape = { .length = 0 };

	open_section(r, "What happened");
	account_attack(&r->account, f, &happened);
	raw(r, "<p class=\"lead\">");
	markup_marked(r->out, happened.text);
	raw(r, "</p>\n");
	account_shape(&r->account, f, &shape);
	if (shape.length)
		paragraph(r, shape.text + 1);
	write_facts(r, f);
	close_section(r);
	if (timeline_count(&f->incident->timeline))
		write_rate(r, f, series);
	write_waves(r, f->incident);
	write_vectors(r, f->incident);
	write_actions(r, f);
	write_packets(r, f);
	write_sources(r, f);
	write_list(r, "Why we think so", account_evidence, f);
	write_list(r, "What cannot be known from this capture", account_unknowns, f);
}

static void write_scan(struct report *r, const struct finding *f)
{
	const struct account_sink items = { item, r };
	struct draft d = { .length = 0 };

	account_scan(&r->account, f, &d);
	raw(r, "<p class=\"lead\">");
	markup_marked(r->out, d.text);
	raw(r, "</p>\n");
	if (f->families_count == 0)
		return;
	raw(r, "<ul>\n");
	account_families(&r->account, f, &items);
	raw(r, "</ul>\n");
}

static void write_incident(struct report *r, const struct finding *f, bool titled, struct series *series)
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
		text(r, name.text);
		raw(r, "</h2>\n<p class=\"when\">");
		text(r, when.text);
		raw(r, "</p>\n</header>\n");
	} else {
		raw(r, " aria-labelledby=\"title\">\n");
	}
	r->heading = titled ? 3 : 2;
	if (f->incident->is_scan)
		write_scan(r, f);
	else
		write_attack(r, f, series);
	raw(r, "</article>\n");
}

/* ---- The capture ---- */

static void fill_capture(const struct report *r, struct series *s)
{
	const struct timeline *t = engine_timeline(r->account.engine);

	s->count = timeline_count(t);
	s->step_ns = timeline_step_ns(t);
	s->from = timeline_begin(t, 0);
	for (uint32_t i = 0; i < s->count; i++)
		put_point(s, s->line, i, timeline_bin(t, i));
	for (uint32_t k = 0; k < engine_count(r->account.engine); k++) {
		const struct incident *incident = engine_finding(r->account.engine, k)->incident;
		const struct timeline *theirs = &incident->timeline;

		for (uint32_t i = 0; !incident->is_scan && i < timeline_count(theirs); i++) {
			int64_t slot = slot_of(timeline_begin(theirs, i).ns);
			struct timeline_bin *bin;

			/*
			 * late packets are in the capture's timeline when they came, in the attack's when they were
			 * sent
			 */
			slot = slot < t->first_slot ? t->first_slot : slot > t->last_slot ? t->last_slot : slot;
			bin = &s->sums[timeline_index(t, slot)];
			bin->packets += timeline_bin(theirs, i)->packets;
			bin->bytes += timeline_bin(theirs, i)->bytes;
		}
	}
	for (uint32_t i = 0; i < s->count; i++)
		put_point(s, s->area, i, &s->sums[i]);
}

static void write_capture_plot(struct report *r, bool attacks, struct series *s)
{
	const struct engine_totals *totals = engine_totals(r->account.engine);
	struct draft d = { .length = 0 };
	char step[WORDS_SIZE];
	static const char *const descriptions[2] = {
		"All packets of the capture over time in packets per second, and those of attacks among them. The numbers are in the table below.",
		"All packets of the capture over time in bits per second, and those of attacks among them. The numbers are in the table below.",
	};

	memset(s, 0, sizeof(*s));
	fill_capture(r, s);
	raw(r, "<figure>\n");
	raw(r, "<ul class=\"legend\">\n");
	write_key(r, "area", attacks ? "Packets of attacks" : NULL);
	write_key(r, "all", "All packets");
	raw(r, "</ul>\n");
	write_plots(r, s, SECOND_ALL, NULL, 0, descriptions);
	draft_add(&d, "Each step is the mean over %s. %s of %s packets belong to no attack and no scan.",
	          words_duration(s->step_ns, step), account_count(&r->account, totals->peace_packets),
	          account_count(&r->account, totals->packets));
	raw(r, "<figcaption>");
	markup_marked(r->out, d.text);
	raw(r, "</figcaption>\n</figure>\n");
	write_numbers(r, s, true, "Attacks", "All");
}

static void write_files(struct report *r)
{
	const struct analysis_input *input = r->account.input;

	raw(r, "<ul class=\"files\">\n");
	for (size_t i = 0; i < input->files_count; i++) {
		raw(r, "<li><bdi>");
		text(r, strcmp(input->files[i], "-") == 0 ? "standard input" : input->files[i]);
		raw(r, "</bdi></li>\n");
	}
	raw(r, "</ul>\n");
}

static void write_capture(struct report *r, bool attacks, struct series *series)
{
	const struct account_sink paragraphs = { paragraph, r };

	r->incident = 0;
	r->heading = 2;
	open_section(r, "The capture");
	account_input(&r->account, &paragraphs);
	if (r->account.input->files_count > 1)
		write_files(r);
	if (r->account.input->has_time && timeline_count(engine_timeline(r->account.engine)))
		write_capture_plot(r, attacks, series);
	close_section(r);
}

/* ---- How to read it ---- */

static void write_method(const struct report *r)
{
	static const struct {
		const char *term, *meaning;
	} terms[] = {
		{ "Attack",
		  "Packets that nobody asked for, so many in so short a time that ordinary use does not explain them." },
		{ "Peak", "The largest count in a tenth of a second, times ten. Nothing shorter is extrapolated." },
		{ "Reflection",
		  "The attacker asks servers elsewhere in the target's name; their answers, larger than the questions, hit the target." },
		{ "Forged", "A source address that the sender does not have. Blocking it hits whoever really has it." },
		{ "Rule", "The narrowest description found of the attack's packets, and what to do with them." },
		{ "Cost of a rule",
		  "An upper bound, with 95\u00a0% confidence, on the share of normal packets to the target that it would lose, measured on traffic outside the attack." },
		{ "Verified users",
		  "Packets of conversations with a completed handshake or an answer, during the attack." },
		{ "Sources", "Counted by HyperLogLog, with a standard error of 1.6\u00a0%." },
		{ "Sample",
		  "A uniform sample of packets, drawn by a hash of their content: the same capture gives the same sample." },
	};

	open_section(r, "How to read this report");
	raw(r,
	    "<p>It was made from recorded packets alone, without any knowledge of the network. Times are those of the capture, in UTC. "
	    "What cannot be known is said to be unknown.</p>\n<dl class=\"terms\">\n");
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		raw(r, "<dt>");
		text(r, terms[i].term);
		raw(r, "</dt><dd>");
		text(r, terms[i].meaning);
		raw(r, "</dd>\n");
	}
	raw(r, "</dl>\n");
	close_section(r);
}

static void write_nothing(const struct report *r)
{
	open_section(r, "What that means");
	if (r->account.input->packets == 0) {
		raw(r, "<p>The capture holds no packets that could be judged.</p>\n");
	} else {
		raw(r,
		    "<p>No kind of packet that nobody had asked for came in numbers that ordinary use does not explain: no reflection, no "
		    "flood of connections, of UDP, ICMP, fragments, tunnels or HTTP requests, neither on one address nor spread over a "
		    "network.</p>\n<p>That is not to say that nothing was wrong. Not recognised are floods inside TLS, of HTTP/2 and "
		    "HTTP/3, and attacks that are slower than ordinary use; a capture of one direction, of some packets only, or of another place than the attacked "
		    "one may not show an attack at all.</p>\n");
	}
	close_section(r);
}

/* ---- The report ---- */

static void write_head(const struct report *r, const char *title)
{
	raw(r,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n"
	    "<meta name=\"generator\" content=\"holdfast " HOLDFAST_VERSION "\">\n<title>");
	text(r, title);
	raw(r, "</title>\n<style>\n");
	for (const char *const *line = report_style; *line; line++)
		raw(r, *line);
	raw(r, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#report\">To the report</a>\n");
}

static void write_title(struct report *r, const struct finding *only, const struct draft *title)
{
	raw(r, "<header class=\"top\">\n<p class=\"eyebrow\">Traffic analysis</p>\n<h1 id=\"title\">");
	text(r, title->text);
	raw(r, "</h1>\n<p class=\"when\">");
	if (only) {
		struct draft when = { .length = 0 };

		add_when(r, only->incident, &when);
		text(r, when.text);
	} else {
		struct draft overview = { .length = 0 };

		account_overview(&r->account, &overview);
		text(r, overview.text);
	}
	raw(r, "</p>\n</header>\n");
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
	raw(r, "<nav aria-label=\"Incidents\">\n<ol class=\"contents\">\n");
	for (uint32_t i = 0; i < total; i++) {
		const struct finding *f = nth(r->account.engine, i < attacks ? i : i - attacks, i >= attacks);
		struct draft name = { .length = 0 }, when = { .length = 0 };

		add_name(r, f, &name);
		add_when(r, f->incident, &when);
		(void)fprintf(r->out, "<li><a href=\"#incident-%" PRIu32 "\">", i + 1);
		text(r, name.text);
		raw(r, "</a> <span>");
		text(r, when.text);
		raw(r, "</span></li>\n");
	}
	raw(r, "</ol>\n</nav>\n");
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

static void write_body(struct report *r, struct series *series)
{
	const struct engine *engine = r->account.engine;
	uint32_t total = engine_count(engine), attacks = 0;
	struct draft title = { .length = 0 };
	bool alone;

	for (uint32_t i = 0; i < total; i++)
		attacks += !engine_finding(engine, i)->incident->is_scan;
	alone = attacks == 1 && total == 1;
	add_title(r, attacks, total, &title);
	write_head(r, title.text);
	write_title(r, alone ? engine_finding(engine, 0) : NULL, &title);
	raw(r, "<main id=\"report\">\n");
	if (total > 1)
		write_contents(r, attacks, total);
	r->heading = 2;
	if (attacks == 0)
		write_nothing(r);
	for (uint32_t i = 0; i < total; i++) {
		r->incident = i + 1;
		write_incident(r, nth(engine, i < attacks ? i : i - attacks, i >= attacks), !alone, series);
	}
	write_capture(r, attacks > 0, series);
	write_method(r);
	raw(r, "</main>\n<footer>\n<p>Holdfast " HOLDFAST_VERSION
	       ". The same captures give the same report, to the octet.</p>\n</footer>\n</body>\n</html>\n");
}

int report_write(FILE *out, const struct analysis_input *input, const struct engine *engine)
{
	struct report report = { .out = out, .account = { .input = input, .engine = engine }, .heading = 2 };
	struct series *series = calloc(1, sizeof(*series));

	if (!series)
		return -ENOMEM;
	errno = 0;
	write_body(&report, series);
	free(series);
	if (fflush(out) != 0 || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
