/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The picture itself: lanes of inline SVG that stretch with the page, one below the other with no gap, so that an
 * attack's time, an outage's beginning and the hours run through all of them. Words and numbers stand beside the shapes
 * in HTML.
 */
#include <inttypes.h>
#include <string.h>

#include "detect/incident_id.h"
#include "tell/chart.h"
#include "tell/picture_inside.h"
#include "tell/words.h"

#define HUNDRED 100
#define TICKS_MAX 8
#define MARK_ROOM 850 /* a number takes so much of the width of a phone, */
#define MARK_EDGE 430 /* ... and stands so far from its edge at least */
#define MARK_ROWS 4
#define CLOCK_LENGTH 5   /* "09:40", "03-10" */
#define LABEL_SMALL 1600 /* narrower ones are for wide screens only */
#define LABEL_ROOM 700   /* a word within a ribbon */
#define S(n) ((n)*NS_PER_S)

const char *const picture_cause_words[CAUSES] = {
	[CAUSE_ATTACK] = "Attack",
	[CAUSE_OWN_CHANGE] = "Own change",
	[CAUSE_PROVIDER] = "Provider",
	[CAUSE_UNKNOWN] = "Unknown",
};

const char *const picture_mark_words[PICTURE_MARKS] = {
	[PICTURE_OWN_CHANGE] = "Own change",
	[PICTURE_PROVIDER] = "Provider",
	[PICTURE_MAINTENANCE] = "Maintenance",
	[PICTURE_STATEMENT] = "Statement",
};

static const char *const cause_classes[CAUSES] = { "c-attack", "c-own", "c-provider", "c-unknown" };
static const char *const mark_classes[PICTURE_MARKS] = { "c-own", "c-provider", "c-own", "c-said" };

/* ---- where things stand ---- */

unsigned picture_place(const struct picture *p, int64_t ns)
{
	int64_t span = picture_end(p) - p->from_ns, since = ns - p->from_ns;
	int64_t at = since > 0 ? since / (span / PICTURE_WHOLE) : 0;

	return at < PICTURE_WHOLE ? (unsigned)at : PICTURE_WHOLE;
}

const char *picture_percent(unsigned place, char text[PICTURE_PERCENT_SIZE])
{
	(void)snprintf(text, PICTURE_PERCENT_SIZE, "%u.%02u%%", place / HUNDRED, place % HUNDRED);
	return text;
}

const char *picture_clock(const struct picture *p, int64_t ns, char *text)
{
	char whole[WORDS_SIZE];
	const int64_t day = S(86400LL);
	bool days = p->from_ns / day != (picture_end(p) - 1) / day;

	(void)words_date_time((struct capture_time){ ns }, whole);
	(void)snprintf(text, WORDS_SIZE, "%.*s", days ? 11 : 5, whole + (days ? 5 : 11));
	return text;
}

/* The times that have a line and a number: as many as are easily told apart. */
static int64_t tick_ns(const struct picture *p)
{
	static const int64_t steps[] = { S(60LL),   S(120LL),  S(300LL),   S(600LL),   S(900LL),  S(1800LL),
		                         S(3600LL), S(7200LL), S(10800LL), S(21600LL), S(43200LL) };
	int64_t span = picture_end(p) - p->from_ns, day = S(86400LL);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (span / steps[i] <= TICKS_MAX)
			return steps[i];
	return day * (1 + span / day / TICKS_MAX);
}

static int64_t first_tick(const struct picture *p, int64_t step)
{
	return p->from_ns + (step - p->from_ns % step) % step;
}

/* ---- shapes ---- */

/* A point is one wide; `x` is the distance from the left, in ten-thousandths of the width. */
static void put_x(FILE *out, unsigned place, uint32_t count)
{
	uint64_t at = (uint64_t)place * count;

	(void)fprintf(out, "%" PRIu64 ".%04" PRIu64, at / PICTURE_WHOLE, at % PICTURE_WHOLE);
}

static void put_upright(FILE *out, const struct picture *p, const char *class, int64_t ns, uint32_t count)
{
	(void)fprintf(out, "<path class=\"%s\" d=\"M", class);
	put_x(out, picture_place(p, ns), count);
	(void)fprintf(out, ",0V%u\"/>\n", CHART_HEIGHT);
}

static void put_box(FILE *out, const struct picture *p, const char *class, int64_t from_ns, int64_t to_ns,
                    uint32_t count)
{
	unsigned from = picture_place(p, from_ns), to = picture_place(p, to_ns);

	to = to < from + HUNDRED / 4 ? from + HUNDRED / 4 : to;
	(void)fprintf(out, "<rect class=\"%s\" x=\"", class);
	put_x(out, from, count);
	(void)fputs("\" y=\"0\" width=\"", out);
	put_x(out, to - from, count);
	(void)fprintf(out, "\" height=\"%u\"/>\n", CHART_HEIGHT);
}

/* The earliest outage that is there; NULL: none. */
static const struct picture_outage *first_outage(const struct picture *p)
{
	const struct picture_outage *first = NULL;

	for (uint32_t i = 0; i < p->outages_count; i++)
		if (!first || p->outages[i].began_ns < first->began_ns)
			first = &p->outages[i];
	return first;
}

void picture_behind(FILE *out, const struct picture *p, uint32_t count)
{
	int64_t step = tick_ns(p);

	for (uint32_t i = 0; i < p->attacks_count; i++)
		put_box(out, p, "during", p->attacks[i].from_ns, p->attacks[i].to_ns, count);
	for (int64_t at = first_tick(p, step); at < picture_end(p); at += step)
		put_upright(out, p, "hour", at, count);
}

void picture_before(FILE *out, const struct picture *p, uint32_t count)
{
	const struct picture_outage *outage = first_outage(p);

	for (uint32_t i = 0; i < p->marks_count; i++)
		put_upright(out, p,
		            p->marks[i].kind == PICTURE_STATEMENT  ? "said"
		            : p->marks[i].kind == PICTURE_PROVIDER ? "happened others"
		                                                   : "happened",
		            p->marks[i].at_ns, count);
	if (outage)
		put_upright(out, p, "began", outage->began_ns, count);
}

void picture_open_svg(const struct report *r, const char *id, uint32_t count, const char *title,
                      const char *description)
{
	(void)fprintf(r->out,
	              "<svg viewBox=\"0 0 %" PRIu32 " %u\" preserveAspectRatio=\"none\" role=\"img\" aria-labelledby=\""
	              "%s-title %s-text\" focusable=\"false\">\n<title id=\"%s-title\">",
	              count, CHART_HEIGHT, id, id, id);
	report_text(r, title);
	(void)fprintf(r->out, "</title>\n<desc id=\"%s-text\">", id);
	report_text(r, description);
	report_raw(r, " The numbers are in the table below.</desc>\n");
}

/* ---- the ribbons of attacks and of causes ---- */

/* A part of a ribbon, with its word where there is room for that. */
static void put_part(const struct report *r, const struct picture *p, const char *class, int64_t from_ns, int64_t to_ns,
                     const char *word)
{
	unsigned from = picture_place(p, from_ns), to = picture_place(p, to_ns), width = to > from ? to - from : 0;
	char left[PICTURE_PERCENT_SIZE], wide[PICTURE_PERCENT_SIZE];

	(void)fprintf(r->out, "<span class=\"part-of %s%s\" aria-hidden=\"true\" style=\"left:%s;width:%s\">", class,
	              width < LABEL_SMALL ? " small" : "", picture_percent(from, left), picture_percent(width, wide));
	if (width >= LABEL_ROOM) {
		report_raw(r, "<span>");
		report_text(r, word);
		report_raw(r, "</span>");
	}
	report_raw(r, "</span>\n");
}

static void open_ribbon(const struct report *r, const struct picture *p, const char *id, const char *title,
                        const char *description)
{
	report_raw(r, "<div class=\"lane-shapes\">\n");
	picture_open_svg(r, id, PICTURE_WHOLE, title, description);
	picture_behind(r->out, p, PICTURE_WHOLE);
	picture_before(r->out, p, PICTURE_WHOLE);
	report_raw(r, "</svg>\n");
}

static void put_attacks(const struct report *r, const struct picture *p, unsigned number)
{
	char id[WORDS_SIZE];

	if (p->attacks_count == 0)
		return;
	(void)snprintf(id, sizeof(id), "attacks-%u", number);
	report_raw(r, "<div class=\"lane ribbon\">\n<div class=\"lane-name\" aria-hidden=\"true\">\n<p>Attack "
	              "<small>as the shield saw it</small></p>\n</div>\n");
	open_ribbon(r, p, id, "Attacks", "When each attack lasted, and what it was.");
	for (uint32_t i = 0; i < p->attacks_count; i++)
		put_part(r, p, "c-attack", p->attacks[i].from_ns, p->attacks[i].to_ns, p->attacks[i].vector);
	report_raw(r, "</div>\n</div>\n");
}

static void put_ribbon(const struct report *r, const struct picture *p, const char *component, unsigned number,
                       uint32_t at)
{
	struct draft title = { .length = 0 };
	char id[WORDS_SIZE];

	(void)snprintf(id, sizeof(id), "cause-%u-%" PRIu32, number, at);
	draft_add(&title, "What explains the outage of %s", component);
	report_raw(r, "<div class=\"lane ribbon\">\n<div class=\"lane-name\" aria-hidden=\"true\">\n<p>Outage <b>");
	report_text(r, component);
	report_raw(r, "</b> <small>by cause</small></p>\n</div>\n");
	open_ribbon(r, p, id, title.text, "Each part of the outage, by what can explain it.");
	for (uint32_t i = 0; i < p->spans_count; i++)
		if (strcmp(p->spans[i].component, component) == 0)
			put_part(r, p, cause_classes[p->spans[i].interval.cause], p->spans[i].interval.from_ns,
			         p->spans[i].interval.to_ns, picture_cause_words[p->spans[i].interval.cause]);
	report_raw(r, "</div>\n</div>\n");
}

static void put_ribbons(const struct report *r, const struct picture *p, unsigned number)
{
	for (uint32_t i = 0; i < p->spans_count; i++) {
		bool told = false;

		for (uint32_t k = 0; k < i; k++)
			told = told || strcmp(p->spans[k].component, p->spans[i].component) == 0;
		if (!told)
			put_ribbon(r, p, p->spans[i].component, number, i);
	}
}

/* ---- what happened, what was said ---- */

/* Within the picture wherever it is; number 0: a dot. */
static void put_mark(const struct report *r, const char *class, unsigned row, unsigned at, uint32_t number)
{
	char left[PICTURE_PERCENT_SIZE];

	(void)fprintf(r->out, "<span class=\"mark %s row-%u%s\" style=\"left:clamp(.8rem,%s,100%% - .8rem)\">", class,
	              row, number ? "" : " dot", picture_percent(at, left));
	if (number)
		(void)fprintf(r->out, "%" PRIu32, number);
	report_raw(r, "</span>\n");
}

static bool is_said(enum picture_mark_kind kind)
{
	return kind == PICTURE_STATEMENT;
}

static bool is_event(enum picture_mark_kind kind)
{
	return !is_said(kind);
}

/* Those for which `wanted` holds, or nothing. In rows, so that no number covers another. */
static void put_marks(const struct report *r, const struct picture *p, const char *title,
                      bool (*wanted)(enum picture_mark_kind kind))
{
	unsigned last[MARK_ROWS] = { 0 }, rows = 0, row;
	bool any = false;

	for (uint32_t i = 0; i < p->marks_count; i++)
		any = any || wanted(p->marks[i].kind);
	if (!any)
		return;
	(void)fprintf(
		r->out,
		"<div class=\"lane marks\" aria-hidden=\"true\">\n<div class=\"lane-name\">\n<p>%s <small>numbered below</small></p>\n</div>\n"
		"<div class=\"lane-shapes\">\n<svg viewBox=\"0 0 %u %u\" preserveAspectRatio=\"none\" "
		"focusable=\"false\">\n",
		title, PICTURE_WHOLE, CHART_HEIGHT);
	picture_behind(r->out, p, PICTURE_WHOLE);
	picture_before(r->out, p, PICTURE_WHOLE);
	report_raw(r, "</svg>\n");
	for (uint32_t i = 0; i < p->marks_count; i++) {
		const struct picture_mark *mark = &p->marks[i];
		unsigned at = picture_place(p, mark->at_ns);

		at = at < MARK_EDGE ? MARK_EDGE : at > PICTURE_WHOLE - MARK_EDGE ? PICTURE_WHOLE - MARK_EDGE : at;
		if (!wanted(mark->kind))
			continue;
		for (row = 0; row < MARK_ROWS && last[row] && at < last[row] + MARK_ROOM; row++)
			;
		if (row == MARK_ROWS) { /* no room for its number: a dot, at its time */
			put_mark(r, mark_classes[mark->kind], MARK_ROWS, picture_place(p, mark->at_ns), 0);
			continue;
		}
		last[row] = at;
		rows = row + 1 > rows ? row + 1 : rows;
		put_mark(r, mark_classes[mark->kind], row, picture_place(p, mark->at_ns), i + 1);
	}
	(void)fprintf(r->out, "<div class=\"mark-rows-%u\"></div>\n</div>\n</div>\n", rows);
}

/* ---- from the attack to the harm ---- */

static void put_delay(const struct report *r, const struct picture *p)
{
	const struct picture_outage *outage = NULL;
	char text[WORDS_SIZE], left[PICTURE_PERCENT_SIZE], wide[PICTURE_PERCENT_SIZE];
	unsigned from, to;
	int64_t attacked_ns;

	for (uint32_t i = 0; i < p->outages_count && !outage; i++)
		outage = p->outages[i].incident ? &p->outages[i] : NULL;
	if (!outage || outage->delay_ns <= 0)
		return;
	attacked_ns = outage->began_ns - outage->delay_ns;
	incident_id_format(outage->incident, text);
	for (uint32_t i = 0; i < p->attacks_count; i++)
		if (strcmp(p->attacks[i].id, text) == 0) /* it may have made a later wave */
			attacked_ns = p->attacks[i].from_ns;
	from = picture_place(p, attacked_ns);
	to = picture_place(p, attacked_ns + outage->delay_ns);
	report_raw(r,
	           "<div class=\"lane delay\">\n<div class=\"lane-name\" aria-hidden=\"true\">\n<p>Delay</p>\n</div>\n"
	           "<div class=\"lane-shapes\">\n");
	(void)fprintf(r->out, "<span class=\"delay-span\" aria-hidden=\"true\" style=\"left:%s;width:%s\"></span>\n",
	              picture_percent(from, left), picture_percent(to - from, wide));
	if (to < PICTURE_WHOLE / 2)
		(void)fprintf(r->out, "<p class=\"delay-word\" style=\"padding-left:%s\">", picture_percent(to, left));
	else
		(void)fprintf(r->out, "<p class=\"delay-word before\" style=\"padding-right:%s\">",
		              picture_percent(PICTURE_WHOLE - from, left));
	report_raw(r, "<strong>");
	report_text(r, words_duration(outage->delay_ns, text));
	report_raw(r, "</strong> from attack to harm</p>\n</div>\n</div>\n");
}

/* "09:40", and where the picture is of several days at midnight the day alone: "03-10". */
static const char *hour_of(const struct picture *p, int64_t ns, char *text)
{
	char clock[WORDS_SIZE];
	size_t length = strlen(picture_clock(p, ns, clock));

	if (length <= CLOCK_LENGTH)
		(void)snprintf(text, WORDS_SIZE, "%s", clock);
	else if (ns % S(86400LL) == 0)
		(void)snprintf(text, WORDS_SIZE, "%.*s", CLOCK_LENGTH, clock);
	else
		(void)snprintf(text, WORDS_SIZE, "%s", clock + length - CLOCK_LENGTH);
	return text;
}

static void put_times(const struct report *r, const struct picture *p)
{
	int64_t step = tick_ns(p);
	char text[WORDS_SIZE], left[PICTURE_PERCENT_SIZE];

	report_raw(
		r,
		"<div class=\"lane times\" aria-hidden=\"true\">\n<div class=\"lane-name\">\n<p><small>UTC</small></p>\n</div>\n"
		"<div class=\"lane-shapes\">\n");
	for (int64_t at = first_tick(p, step); at < picture_end(p); at += step) {
		unsigned where = picture_place(p, at);

		if (where > PICTURE_WHOLE - 3 * HUNDRED || where < 2 * HUNDRED)
			continue;
		(void)fprintf(r->out, "<span style=\"left:%s\">", picture_percent(where, left));
		report_text(r, hour_of(p, at, text));
		report_raw(r, "</span>\n");
	}
	report_raw(r, "</div>\n</div>\n");
}

/* ---- the whole ---- */

/* Of what runs through all lanes, or is in lanes too thin for keys of their own. */
static void put_legend(const struct report *r, const struct picture *p)
{
	bool causes[CAUSES] = { false }, thin = false;

	for (uint32_t i = 0; i < p->lanes_count; i++)
		thin = thin || picture_is_thin(p->lanes[i].kind);
	for (uint32_t i = 0; i < p->spans_count; i++)
		causes[p->spans[i].interval.cause] = true;
	report_raw(r, "<ul class=\"legend\">\n");
	report_key(r, "during", p->attacks_count ? "While an attack lasted" : NULL);
	report_key(r, "began", p->outages_count ? "The outage began" : NULL);
	report_key(r, "area", thin ? "Failed" : NULL);
	report_key(r, "well", thin ? "Went well" : NULL);
	for (unsigned i = 0; i < CAUSES; i++)
		report_key(r, cause_classes[i], causes[i] ? picture_cause_words[i] : NULL);
	report_raw(r, "</ul>\n");
}

static void paragraph(void *context, const char *words)
{
	report_paragraph(context, words);
}

void picture_write(const struct report *r, const struct picture *p, unsigned number)
{
	struct report copy = *r;
	char from[WORDS_SIZE], to[WORDS_SIZE];

	report_section_open(r, "Attack, defence and harm");
	picture_say(p, paragraph, &copy);
	report_raw(r, "<figure class=\"joined\">\n<div class=\"lanes\">\n");
	put_attacks(r, p, number);
	put_delay(r, p);
	for (unsigned kind = 0; kind < PICTURE_KINDS; kind++)
		for (uint32_t i = 0; i < p->lanes_count; i++)
			if (p->lanes[i].kind == kind)
				picture_lane(r, p, i, number);
	put_ribbons(r, p, number);
	put_marks(r, p, "What else happened", is_event);
	put_marks(r, p, "What we said", is_said);
	put_times(r, p);
	report_raw(r, "</div>\n");
	put_legend(r, p);
	report_raw(r, "<figcaption>From ");
	report_text(r, words_date_time((struct capture_time){ p->from_ns }, from));
	report_raw(r, " to ");
	report_text(r, words_date_time((struct capture_time){ picture_end(p) }, to));
	report_raw(
		r,
		" UTC, on one axis. Nothing is drawn where nothing was measured. That two things stand one above the "
		"other does not prove that one made the other.</figcaption>\n</figure>\n");
	picture_write_tables(r, p);
	report_section_close(r);
}
