/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The picture itself: lanes of inline SVG that stretch with the page, one below the other with no gap, so that an
 * attack's time, an outage's beginning and the hours run through all of them. Words and numbers stand beside the shapes
 * in HTML.
 */
#include <inttypes.h>
#include <string.h>

#include "tell/chart.h"
#include "tell/picture.h"
#include "tell/words.h"

#define HUNDRED 100
#define WHOLE 10000u /* hundredths of a per cent */
#define PERCENT_SIZE 16
#define TICKS_MAX 8
#define MILLI 1000
#define MARK_ROOM 850 /* a number takes so much of the width of a phone, */
#define MARK_EDGE 430 /* ... and stands so far from its edge at least */
#define MARK_ROWS 4
#define CLOCK_LENGTH 5   /* "09:40", "03-10" */
#define LABEL_SMALL 1600 /* narrower ones are for wide screens only */
#define LABEL_ROOM 700   /* a word within a ribbon */
#define THIN_ROOM 7      /* a part of a thin lane is left above it, so that two of them do not touch */
#define PEAK_ROOM 4      /* so much of the highest is left above it, for its number */
#define NOWHERE (CHART_HEIGHT + 1)
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

#define KEYS_MAX 3

/* What a lane is called, what it shows to who does not see it, and how it is drawn. */
static const struct lane_look {
	const char *name, *unit, *description;
	const char *scale; /* of its numbers, as words_scaled() takes it; NULL: a thin lane of parts */
	struct {
		const char *class, *words;
	} keys[KEYS_MAX]; /* of its shapes, beside them */
} looks[PICTURE_KINDS] = {
	[PICTURE_ATTACK] = { "What came",
	                     "packets per second",
	                     "All packets that came over time, and what of them was dropped.",
	                     "pps",
	                     { { "came", "Dropped" }, { "passed", "Passed" } } },
	[PICTURE_USERS] = { "Users answered",
	                    "packets per second",
	                    "Packets of conversations that the host answers over time, and what of them got in.",
	                    "pps",
	                    { { "good", "Got in" }, { "lost", "Dropped" } } },
	[PICTURE_REPORTS] = { "User reports",
	                      "in five minutes",
	                      "What users reported over time, beside a band of what is usual.",
	                      "",
	                      { { "felt", "Reports" }, { "left", "Left out" }, { "usual", "What is usual" } } },
	[PICTURE_PROBES] = { "Probes",
	                     "share that failed",
	                     "Checks over time, and what share of them failed.",
	                     NULL,
	                     { { NULL, NULL } } },
	[PICTURE_EDGE] = { "Errors 5xx",
	                   "share of answers",
	                   "Answers over time, and what share of them were errors.",
	                   NULL,
	                   { { NULL, NULL } } },
	[PICTURE_CONNECTIONS] = { "Conversations",
	                          "share dropped",
	                          "Packets of conversations that the host answers over time, and what share of them were "
	                          "dropped.",
	                          NULL,
	                          { { NULL, NULL } } },
	[PICTURE_HANDSHAKES] = { "New connections",
	                         "share that failed",
	                         "New connections of known clients over time, and what share of these got none.",
	                         NULL,
	                         { { NULL, NULL } } },
	[PICTURE_NEL] = { "Browsers",
	                  "share that failed",
	                  "What browsers report over time, and what share of it were failures.",
	                  NULL,
	                  { { NULL, NULL } } },
};

/* ---- where things stand ---- */

/* Hundredths of a per cent of the width, at most WHOLE: what is outside of the picture stands at its edge. */
static unsigned place_in(const struct picture *p, int64_t ns)
{
	int64_t span = picture_end(p) - p->from_ns, since = ns - p->from_ns;
	int64_t at = since > 0 ? since / (span / WHOLE) : 0;

	return at < WHOLE ? (unsigned)at : WHOLE;
}

/* "12.34%" */
static const char *percent(unsigned place, char text[PERCENT_SIZE])
{
	(void)snprintf(text, PERCENT_SIZE, "%u.%02u%%", place / HUNDRED, place % HUNDRED);
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

	(void)fprintf(out, "%" PRIu64 ".%04" PRIu64, at / WHOLE, at % WHOLE);
}

static void put_upright(FILE *out, const struct picture *p, const char *class, int64_t ns, uint32_t count)
{
	(void)fprintf(out, "<path class=\"%s\" d=\"M", class);
	put_x(out, place_in(p, ns), count);
	(void)fprintf(out, ",0V%u\"/>\n", CHART_HEIGHT);
}

static void put_box(FILE *out, const struct picture *p, const char *class, int64_t from_ns, int64_t to_ns,
                    uint32_t count)
{
	unsigned from = place_in(p, from_ns), to = place_in(p, to_ns);

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

/* What runs through all lanes: attacks behind, the hours, what happened. */
static void put_behind(FILE *out, const struct picture *p, uint32_t count)
{
	int64_t step = tick_ns(p);

	for (uint32_t i = 0; i < p->attacks_count; i++)
		put_box(out, p, "during", p->attacks[i].from_ns, p->attacks[i].to_ns, count);
	for (int64_t at = first_tick(p, step); at < picture_end(p); at += step)
		put_upright(out, p, "hour", at, count);
}

static void put_before(FILE *out, const struct picture *p, uint32_t count)
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

static void open_svg(const struct report *r, const char *id, uint32_t count, const char *title, const char *description)
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

/*
 * Steps from point `first` up to `end`, not slopes: between two points nothing was measured. Equal neighbours are one
 * stroke.
 */
static void put_steps(FILE *out, const unsigned *levels, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++) {
		if (i == first || levels[i] != levels[i - 1])
			(void)fprintf(out, "V%u", levels[i]);
		if (i + 1 == end || levels[i + 1] != levels[i])
			(void)fprintf(out, "H%" PRIu32, i + 1);
	}
}

/* The end of a stretch of points that are known, or are not. */
static uint32_t stretch(const bool *known, uint32_t from, uint32_t count)
{
	uint32_t end = from;

	while (end < count && known[end] == known[from])
		end++;
	return end;
}

/* An area over each stretch of what is known. */
static void put_area(FILE *out, const char *class, const struct picture_lane *lane, const unsigned *levels,
                     uint32_t count)
{
	(void)fprintf(out, "<path class=\"%s\" d=\"", class);
	for (uint32_t i = 0, end; i < count; i = end) {
		end = stretch(lane->known, i, count);
		if (!lane->known[i])
			continue;
		(void)fprintf(out, "M%" PRIu32 ",%u", i, CHART_HEIGHT);
		put_steps(out, levels, i, end);
		(void)fprintf(out, "V%u", CHART_HEIGHT);
	}
	(void)fputs("\"/>\n", out);
}

/* From the least to the most that is usual, and a line over it. */
static void put_band(FILE *out, const struct picture_lane *lane, uint32_t count, uint64_t top)
{
	unsigned least[PICTURE_POINTS_MAX] = { 0 }, most[PICTURE_POINTS_MAX] = { 0 };
	bool usual[PICTURE_POINTS_MAX] = { false };

	for (uint32_t i = 0; i < count; i++) {
		usual[i] = lane->parts[3][i] > 0;
		least[i] = chart_level(lane->parts[2][i], top);
		most[i] = chart_level(lane->parts[3][i], top);
	}
	for (unsigned line = 0; line < 2; line++) {
		(void)fprintf(out, "<path class=\"%s\" d=\"", line ? "most" : "usual");
		for (uint32_t i = 0, end; i < count; i = end) {
			end = stretch(usual, i, count);
			if (!usual[i])
				continue;
			(void)fprintf(out, "M%" PRIu32 ",%u", i, most[i]);
			put_steps(out, most, i, end);
			for (uint32_t k = end, last = NOWHERE; !line && k-- > i; last = least[k])
				if (least[k] != last)
					(void)fprintf(out, "H%" PRIu32 "V%u", k + 1, least[k]);
			if (!line)
				(void)fprintf(out, "H%" PRIu32 "Z", i);
		}
		(void)fputs("\"/>\n", out);
	}
}

/* A thin lane: the part that failed hangs in red over what went well. */
static void put_parts(FILE *out, const struct picture_lane *lane, uint32_t count)
{
	for (unsigned bad = 0; bad < 2; bad++) {
		(void)fprintf(out, "<path class=\"%s\" d=\"", bad ? "area" : "well");
		for (uint32_t i = 0; i < count; i++) {
			uint64_t all = lane->parts[0][i] + lane->parts[1][i];

			if (lane->known[i] && all)
				(void)fprintf(
					out, "M%" PRIu32 ",%uH%" PRIu32 "V%uH%" PRIu32 "Z", i, CHART_HEIGHT, i + 1,
					chart_level(THIN_ROOM * (bad ? lane->parts[0][i] : all), (THIN_ROOM + 1) * all),
					i);
		}
		(void)fputs("\"/>\n", out);
	}
}

/* ---- lanes ---- */

enum level { LEVEL_FIRST, LEVEL_SECOND, LEVEL_BOTH, LEVEL_REST }; /* of a lane's first two parts */

static uint32_t points_of(const struct picture *p, const struct picture_lane *lane)
{
	return picture_in_buckets(lane->kind) ? p->buckets : p->count;
}

/* How high the shapes of a point are. */
static uint64_t whole_of(const struct picture_lane *lane, uint32_t at)
{
	return lane->kind == PICTURE_REPORTS ? lane->parts[0][at] + lane->parts[1][at] : lane->parts[1][at];
}

static uint64_t highest(const struct picture_lane *lane, uint32_t count)
{
	uint64_t most = 2;

	for (uint32_t i = 0; i < count; i++) {
		most = whole_of(lane, i) > most ? whole_of(lane, i) : most;
		if (lane->kind == PICTURE_REPORTS && lane->parts[3][i] / MILLI + 1 > most)
			most = lane->parts[3][i] / MILLI + 1;
	}
	return chart_round_up(most + most / PEAK_ROOM);
}

/* Whether a shape is there at all, so that it needs a key. */
static bool is_drawn(const struct picture_lane *lane, const char *class, uint32_t count)
{
	if (strcmp(class, "usual") == 0)
		return lane->usual;
	if (strcmp(class, "left") != 0)
		return true;
	for (uint32_t i = 0; i < count; i++)
		if (lane->parts[1][i])
			return true;
	return false;
}

static void put_name(const struct report *r, const struct picture_lane *lane, uint32_t count)
{
	const struct lane_look *look = &looks[lane->kind];

	report_raw(r, "<div class=\"lane-name\" aria-hidden=\"true\">\n<p>");
	report_text(r, look->name);
	if (*lane->component) {
		report_raw(r, " <b>");
		report_text(r, lane->component);
		report_raw(r, "</b>");
	}
	report_raw(r, " <small>");
	report_text(r, look->unit);
	report_raw(r, "</small></p>\n");
	if (look->keys[0].class) {
		report_raw(r, "<ul class=\"keys\">\n");
		for (unsigned i = 0; i < KEYS_MAX && look->keys[i].class; i++)
			if (is_drawn(lane, look->keys[i].class, count))
				report_key(r, look->keys[i].class, look->keys[i].words);
		report_raw(r, "</ul>\n");
	}
	report_raw(r, "</div>\n");
}

static void levels_of(const struct picture_lane *lane, enum level level, uint32_t count, uint64_t top, unsigned *levels)
{
	for (uint32_t i = 0; i < count; i++) {
		uint64_t first = lane->parts[0][i], second = lane->parts[1][i];
		uint64_t value = level == LEVEL_FIRST    ? first
		                 : level == LEVEL_SECOND ? second
		                 : level == LEVEL_BOTH   ? first + second
		                                         : second - first;

		levels[i] = chart_level(value, top);
	}
}

static void put_shapes(const struct report *r, const struct picture *p, const struct picture_lane *lane, uint64_t top)
{
	/* Of a kind of lane what stands behind, and what before it. */
	static const struct {
		const char *class;
		enum level level;
	} areas[PICTURE_KINDS][2] = {
		[PICTURE_ATTACK] = { { "came", LEVEL_SECOND }, { "passed", LEVEL_REST } },
		[PICTURE_USERS] = { { "lost", LEVEL_SECOND }, { "good", LEVEL_FIRST } },
		[PICTURE_REPORTS] = { { "left", LEVEL_BOTH }, { "felt", LEVEL_FIRST } },
	};
	unsigned levels[PICTURE_POINTS_MAX] = { 0 };
	uint32_t count = points_of(p, lane);

	if (!looks[lane->kind].scale) {
		put_parts(r->out, lane, count);
		return;
	}
	if (lane->usual)
		put_band(r->out, lane, count, top * MILLI);
	for (unsigned i = 0; i < 2; i++) {
		levels_of(lane, areas[lane->kind][i].level, count, top, levels);
		put_area(r->out, areas[lane->kind][i].class, lane, levels, count);
	}
}

/* What it was at its highest, and when, beside that point. */
static void put_peak(const struct report *r, const struct picture *p, const struct picture_lane *lane, uint64_t top)
{
	uint32_t count = points_of(p, lane), at = 0;
	uint64_t whole = 0;
	int64_t at_ns;
	unsigned from_left, from_top;
	char value[WORDS_SIZE], clock[WORDS_SIZE], across[PERCENT_SIZE], down[PERCENT_SIZE];

	for (uint32_t i = 0; i < count; i++) {
		if (lane->known[i] && whole_of(lane, i) > whole) {
			whole = whole_of(lane, i);
			at = i;
		}
	}
	if (whole == 0)
		return;
	at_ns = p->from_ns + at * (picture_in_buckets(lane->kind) ? p->bucket_ns : p->step_ns);
	from_left = place_in(p, at_ns);
	from_top = chart_level(whole, top) * WHOLE / CHART_HEIGHT;
	if (from_left < WHOLE / 2)
		(void)fprintf(r->out, "<p class=\"peak\" aria-hidden=\"true\" style=\"left:%s;top:%s\">",
		              percent(from_left, across), percent(from_top, down));
	else
		(void)fprintf(r->out, "<p class=\"peak before\" aria-hidden=\"true\" style=\"right:%s;top:%s\">",
		              percent(WHOLE - from_left, across), percent(from_top, down));
	report_text(r, words_scaled(whole, looks[lane->kind].scale, value));
	report_raw(r, " <small>");
	report_text(r, picture_clock(p, at_ns, clock));
	report_raw(r, "</small></p>\n");
}

static void put_lane(const struct report *r, const struct picture *p, uint32_t at, unsigned number)
{
	const struct picture_lane *lane = &p->lanes[at];
	const struct lane_look *look = &looks[lane->kind];
	uint32_t count = points_of(p, lane);
	uint64_t top = look->scale ? highest(lane, count) : 1;
	struct draft title = { .length = 0 };
	char id[WORDS_SIZE], text[WORDS_SIZE];

	(void)snprintf(id, sizeof(id), "lane-%u-%" PRIu32, number, at);
	draft_add(&title, "%s%s%s, %s", look->name, *lane->component ? " of " : "", lane->component, look->unit);
	(void)fprintf(r->out, "<div class=\"lane%s\">\n", look->scale ? "" : " thin");
	put_name(r, lane, count);
	report_raw(r, "<div class=\"lane-shapes\">\n");
	open_svg(r, id, count, title.text, look->description);
	put_behind(r->out, p, count);
	put_shapes(r, p, lane, top);
	put_before(r->out, p, count);
	report_raw(r, "</svg>\n");
	if (look->scale && lane->kind != PICTURE_USERS) /* theirs is as usual, or less */
		put_peak(r, p, lane, top);
	report_raw(r, "</div>\n");
	if (look->scale) {
		report_raw(r, "<p class=\"lane-top\" aria-hidden=\"true\">");
		report_text(r, words_scaled(top, look->scale, text));
		report_raw(r, "</p>\n");
	}
	report_raw(r, "</div>\n");
}

/* ---- the ribbons of attacks and of causes ---- */

/* A part of a ribbon, with its word where there is room for that. */
static void put_part(const struct report *r, const struct picture *p, const char *class, int64_t from_ns, int64_t to_ns,
                     const char *word)
{
	unsigned from = place_in(p, from_ns), to = place_in(p, to_ns), width = to > from ? to - from : 0;
	char left[PERCENT_SIZE], wide[PERCENT_SIZE];

	(void)fprintf(r->out, "<span class=\"part-of %s%s\" aria-hidden=\"true\" style=\"left:%s;width:%s\">", class,
	              width < LABEL_SMALL ? " small" : "", percent(from, left), percent(width, wide));
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
	open_svg(r, id, WHOLE, title, description);
	put_behind(r->out, p, WHOLE);
	put_before(r->out, p, WHOLE);
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
	char left[PERCENT_SIZE];

	(void)fprintf(r->out, "<span class=\"mark %s row-%u%s\" style=\"left:clamp(.8rem,%s,100%% - .8rem)\">", class,
	              row, number ? "" : " dot", percent(at, left));
	if (number)
		(void)fprintf(r->out, "%" PRIu32, number);
	report_raw(r, "</span>\n");
}

/* In rows, so that no number covers another. */
static void put_marks(const struct report *r, const struct picture *p, bool said)
{
	unsigned last[MARK_ROWS] = { 0 }, rows = 0, row;
	bool any = false;

	for (uint32_t i = 0; i < p->marks_count; i++)
		any = any || (p->marks[i].kind == PICTURE_STATEMENT) == said;
	if (!any)
		return;
	(void)fprintf(
		r->out,
		"<div class=\"lane marks\" aria-hidden=\"true\">\n<div class=\"lane-name\">\n<p>%s <small>numbered below</small></p>\n</div>\n"
		"<div class=\"lane-shapes\">\n<svg viewBox=\"0 0 %u %u\" preserveAspectRatio=\"none\" "
		"focusable=\"false\">\n",
		said ? "What we said" : "What else happened", WHOLE, CHART_HEIGHT);
	put_behind(r->out, p, WHOLE);
	put_before(r->out, p, WHOLE);
	report_raw(r, "</svg>\n");
	for (uint32_t i = 0; i < p->marks_count; i++) {
		const struct picture_mark *mark = &p->marks[i];
		unsigned at = place_in(p, mark->at_ns);

		at = at < MARK_EDGE ? MARK_EDGE : at > WHOLE - MARK_EDGE ? WHOLE - MARK_EDGE : at;
		if ((mark->kind == PICTURE_STATEMENT) != said)
			continue;
		for (row = 0; row < MARK_ROWS && last[row] && at < last[row] + MARK_ROOM; row++)
			;
		if (row == MARK_ROWS) { /* no room for its number: a dot, at its time */
			put_mark(r, mark_classes[mark->kind], MARK_ROWS, place_in(p, mark->at_ns), 0);
			continue;
		}
		last[row] = at;
		rows = row + 1 > rows ? row + 1 : rows;
		put_mark(r, mark_classes[mark->kind], row, place_in(p, mark->at_ns), i + 1);
	}
	(void)fprintf(r->out, "<div class=\"mark-rows-%u\"></div>\n</div>\n</div>\n", rows);
}

/* ---- from the attack to the harm ---- */

static void put_delay(const struct report *r, const struct picture *p)
{
	const struct picture_outage *outage = NULL;
	char text[WORDS_SIZE], left[PERCENT_SIZE], wide[PERCENT_SIZE];
	unsigned from, to;
	int64_t attacked_ns;

	for (uint32_t i = 0; i < p->outages_count && !outage; i++)
		outage = p->outages[i].incident ? &p->outages[i] : NULL;
	if (!outage || outage->delay_ns <= 0)
		return;
	attacked_ns = outage->began_ns - outage->delay_ns;
	(void)snprintf(text, sizeof(text), "%016" PRIx64, outage->incident);
	for (uint32_t i = 0; i < p->attacks_count; i++)
		if (strcmp(p->attacks[i].id, text) == 0) /* it may have made a later wave */
			attacked_ns = p->attacks[i].from_ns;
	from = place_in(p, attacked_ns);
	to = place_in(p, attacked_ns + outage->delay_ns);
	report_raw(r,
	           "<div class=\"lane delay\">\n<div class=\"lane-name\" aria-hidden=\"true\">\n<p>Delay</p>\n</div>\n"
	           "<div class=\"lane-shapes\">\n");
	(void)fprintf(r->out, "<span class=\"delay-span\" aria-hidden=\"true\" style=\"left:%s;width:%s\"></span>\n",
	              percent(from, left), percent(to - from, wide));
	if (to < WHOLE / 2)
		(void)fprintf(r->out, "<p class=\"delay-word\" style=\"padding-left:%s\">", percent(to, left));
	else
		(void)fprintf(r->out, "<p class=\"delay-word before\" style=\"padding-right:%s\">",
		              percent(WHOLE - from, left));
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
	char text[WORDS_SIZE], left[PERCENT_SIZE];

	report_raw(
		r,
		"<div class=\"lane times\" aria-hidden=\"true\">\n<div class=\"lane-name\">\n<p><small>UTC</small></p>\n</div>\n"
		"<div class=\"lane-shapes\">\n");
	for (int64_t at = first_tick(p, step); at < picture_end(p); at += step) {
		unsigned where = place_in(p, at);

		if (where > WHOLE - 3 * HUNDRED || where < 2 * HUNDRED)
			continue;
		(void)fprintf(r->out, "<span style=\"left:%s\">", percent(where, left));
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
		thin = thin || !looks[p->lanes[i].kind].scale;
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
				put_lane(r, p, i, number);
	put_ribbons(r, p, number);
	put_marks(r, p, false);
	put_marks(r, p, true);
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
