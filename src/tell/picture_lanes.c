/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes of a picture: what they are called, their shapes, and their highest number. */
#include <inttypes.h>
#include <string.h>

#include "tell/chart.h"
#include "tell/picture_inside.h"
#include "tell/words.h"

#define MILLI 1000
#define THIN_ROOM 7 /* a part of a thin lane is left above it, so that two of them do not touch */
#define PEAK_ROOM 4 /* so much of the highest is left above it, for its number */
#define NOWHERE (CHART_HEIGHT + 1)
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

bool picture_is_thin(enum picture_kind kind)
{
	return !looks[kind].scale;
}

/* ---- shapes ---- */

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

/* Points [from, end), from the last to the first. */
static void put_steps_back(FILE *out, const unsigned levels[PICTURE_POINTS_MAX], uint32_t from, uint32_t end)
{
	unsigned last = NOWHERE;

	for (uint32_t left = end - from; left > 0; left--) {
		unsigned level = levels[from + left - 1];

		if (level != last)
			(void)fprintf(out, "H%" PRIu32 "V%u", from + left, level);
		last = level;
	}
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
			if (!line) {
				put_steps_back(out, least, i, end);
				(void)fprintf(out, "H%" PRIu32 "Z", i);
			}
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
	char value[WORDS_SIZE], clock[WORDS_SIZE], across[PICTURE_PERCENT_SIZE], down[PICTURE_PERCENT_SIZE];

	for (uint32_t i = 0; i < count; i++) {
		if (lane->known[i] && whole_of(lane, i) > whole) {
			whole = whole_of(lane, i);
			at = i;
		}
	}
	if (whole == 0)
		return;
	at_ns = p->from_ns + at * (picture_in_buckets(lane->kind) ? p->bucket_ns : p->step_ns);
	from_left = picture_place(p, at_ns);
	from_top = chart_level(whole, top) * PICTURE_WHOLE / CHART_HEIGHT;
	if (from_left < PICTURE_WHOLE / 2)
		(void)fprintf(r->out, "<p class=\"peak\" aria-hidden=\"true\" style=\"left:%s;top:%s\">",
		              picture_percent(from_left, across), picture_percent(from_top, down));
	else
		(void)fprintf(r->out, "<p class=\"peak before\" aria-hidden=\"true\" style=\"right:%s;top:%s\">",
		              picture_percent(PICTURE_WHOLE - from_left, across), picture_percent(from_top, down));
	report_text(r, words_scaled(whole, looks[lane->kind].scale, value));
	report_raw(r, " <small>");
	report_text(r, picture_clock(p, at_ns, clock));
	report_raw(r, "</small></p>\n");
}

void picture_lane(const struct report *r, const struct picture *p, uint32_t at, unsigned number)
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
	picture_open_svg(r, id, count, title.text, look->description);
	picture_behind(r->out, p, count);
	put_shapes(r, p, lane, top);
	picture_before(r->out, p, count);
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
