/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rates over time, of an incident and of the capture: the plots, what is said of them, and the same in numbers for who
 * does not see them. A point is a bin of the timeline, as a rate per second.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/share.h"
#include "measure/slot.h"
#include "tell/chart.h"
#include "tell/markup.h"
#include "tell/report.h"

#define POINTS_MAX ((size_t)2 * TIMELINE_BINS)
#define PAD_SHARE 12  /* a twelfth of quiet is shown before and after, where the capture has it */
#define TABLE_ROWS 60 /* the numbers behind a plot */
#define ID_SIZE 48

struct report_series {
	struct capture_time from;
	int64_t step_ns;
	uint32_t count;
	uint64_t area[2][POINTS_MAX], line[2][POINTS_MAX]; /* packets, bits; per second */
	struct timeline_bin sums[TIMELINE_BINS];           /* of several incidents */
};

struct report_series *report_series_new(void)
{
	return calloc(1, sizeof(struct report_series));
}

static void put_point(struct report_series *s, uint64_t (*values)[POINTS_MAX], uint32_t at,
                      const struct timeline_bin *bin)
{
	values[0][at] = share_per_second(bin->packets, s->step_ns);
	values[1][at] = share_per_second(account_times(bin->bytes, WORDS_BITS_PER_OCTET), s->step_ns);
}

/* Bins of quiet that the capture shows between two moments, at most `most`. */
static uint32_t quiet(int64_t ns, int64_t step_ns, uint32_t most)
{
	int64_t bins = ns > 0 ? ns / step_ns : 0;

	return bins < (int64_t)most ? (uint32_t)bins : most;
}

static void fill_incident(const struct report *r, const struct finding *f, struct report_series *s)
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

/* What is counted, in an attack of requests and in all else. */
struct counted {
	const char *title, *unit, *noun;
};

static const struct counted packets_counted = { "Packets per second", "pps", "packets" };
static const struct counted requests_counted = { "Requests per second", "", "requests" };

static void write_plots(const struct report *r, const struct report_series *s, enum second second,
                        const struct counted *counted, const struct chart_band *bands, uint32_t bands_count,
                        const char *const description[2])
{
	const struct {
		const char *name, *title, *unit;
	} plots[2] = { { "packets", counted->title, counted->unit }, { "bits", "Bits per second", "bit/s" } };

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

/*
 * The same in numbers, for who does not see the plots, without a line where it has no name; neighbours are joined until
 * there are few enough.
 */
static void write_numbers(struct report *r, const struct report_series *s, const struct counted *counted,
                          const char *area_name, const char *line_name)
{
	const char *names[] = { "From (UTC)", NULL, "#Bit/s", NULL, "#Bit/s" };
	uint32_t join = (s->count + TABLE_ROWS - 1) / TABLE_ROWS;
	char first[WORDS_SIZE], second[WORDS_SIZE], clock[WORDS_SIZE];

	snprintf(first, sizeof(first), "#%s, %s/s", area_name, counted->noun);
	snprintf(second, sizeof(second), "#%s, %s/s", line_name ? line_name : "", counted->noun);
	names[1] = first;
	names[3] = second;
	report_raw(r, "<details>\n<summary>The numbers behind the plots</summary>\n");
	report_table_open(r, "Mean rates over time", true);
	report_columns(r, names, line_name ? 5 : 3);
	for (uint32_t i = 0; i < s->count; i += join) {
		uint64_t sums[2][2] = { { 0 } };
		uint32_t joined = s->count - i < join ? s->count - i : join;

		for (uint32_t k = i; k < i + joined; k++) {
			for (unsigned j = 0; j < 2; j++) {
				sums[0][j] += s->area[j][k] / joined;
				sums[1][j] += s->line[j][k] / joined;
			}
		}
		report_row(r, words_clock_within(time_plus(s->from, time_times(s->step_ns, i)),
		                                 time_times(s->step_ns, s->count), clock));
		for (unsigned j = 0; j < (line_name ? 4u : 2u); j++)
			report_cell(r, account_scaled(&r->account, sums[j / 2][j % 2], ""));
		report_raw(r, "</tr>\n");
	}
	report_table_close(r);
	report_raw(r, "</details>\n");
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

static void close_figure(const struct report *r, const char *caption)
{
	report_raw(r, "<figcaption>");
	markup_marked(r->out, caption);
	report_raw(r, "</figcaption>\n</figure>\n");
}

static uint32_t wave_bands(const struct incident *incident, struct chart_band *bands)
{
	uint32_t count = 0;

	for (; count < incident->waves_count && count < INCIDENT_WAVES_MAX; count++)
		bands[count] = (struct chart_band){ incident->waves[count].began, incident->waves[count].ended };
	return count;
}

void report_rate(struct report *r, const struct finding *f)
{
	struct report_series *s = r->series;
	const struct incident *incident = f->incident;
	struct chart_band bands[INCIDENT_WAVES_MAX];
	struct account *a = &r->account;
	uint32_t count = wave_bands(incident, bands);
	const struct counted *counted = account_is_requests(f) ? &requests_counted : &packets_counted;
	bool line = f->passage.bins && account_acting(f);
	struct draft packets = { .length = 0 }, bits = { .length = 0 }, caption = { .length = 0 };
	char step[WORDS_SIZE];

	memset(s, 0, sizeof(*s));
	fill_incident(r, f, s);
	draft_add(&packets, "The attack over time in %s per second, highest %s in a tenth of a second, in %s %s. ",
	          counted->noun, account_rate(a, f, incident->peak_packets), account_count(a, count),
	          account_plural(count, "wave", "waves"));
	draft_add(&bits, "The attack over time in bits per second, highest %s in a tenth of a second. ",
	          account_bps(a, incident->peak_bytes));
	for (unsigned i = 0; i < 2; i++)
		draft_add(i ? &bits : &packets, "%sThe numbers are in the table below.",
		          line ? "A line shows what the rules would have let pass. " : "");
	report_section_open(r, "Rate over time");
	report_raw(r, "<figure>\n<ul class=\"legend\">\n");
	report_key(r, "area", "Attack");
	report_key(r, "line", line ? "What the rules would have let pass (estimate)" : NULL);
	report_key(r, "band", count > 1 ? "Wave" : NULL);
	report_raw(r, "</ul>\n");
	write_plots(r, s, line ? SECOND_LINE : NO_SECOND, counted, bands, count > 1 ? count : 0,
	            (const char *const[2]){ packets.text, bits.text });
	draft_add(&caption, "Each step is the mean over %s; the highest tenth of a second was %s and %s.",
	          words_duration(s->step_ns, step), account_rate(a, f, incident->peak_packets),
	          account_bps(a, incident->peak_bytes));
	add_estimate(r, f, &caption);
	close_figure(r, caption.text);
	write_numbers(r, s, counted, "Attack", line ? "Passed" : NULL);
	report_section_close(r);
	report_course(r, f, s->from, time_plus(s->from, time_times(s->step_ns, s->count)));
}

static void fill_capture(const struct report *r, struct report_series *s)
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
			 * Late packets: in the capture's timeline when they came, in the attack's when they were sent.
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

void report_capture_rate(struct report *r, bool attacks)
{
	struct report_series *s = r->series;
	const struct engine_totals *totals = engine_totals(r->account.engine);
	struct draft d = { .length = 0 };
	char step[WORDS_SIZE];
	static const char *const descriptions[2] = {
		"All packets of the capture over time in packets per second, and those of attacks among them. The numbers are in the table below.",
		"All packets of the capture over time in bits per second, and those of attacks among them. The numbers are in the table below.",
	};

	memset(s, 0, sizeof(*s));
	fill_capture(r, s);
	report_raw(r, "<figure>\n<ul class=\"legend\">\n");
	report_key(r, "area", attacks ? "Packets of attacks" : NULL);
	report_key(r, "all", "All packets");
	report_raw(r, "</ul>\n");
	write_plots(r, s, SECOND_ALL, &packets_counted, NULL, 0, descriptions);
	draft_add(&d, "Each step is the mean over %s. %s of %s packets belong to no attack and no scan.",
	          words_duration(s->step_ns, step), account_count(&r->account, totals->peace_packets),
	          account_count(&r->account, totals->packets));
	close_figure(r, d.text);
	write_numbers(r, s, &packets_counted, "Attacks", "All");
}
