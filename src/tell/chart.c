/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/chart.h"

#include <inttypes.h>

#include "tell/markup.h"
#include "tell/words.h"

#define HUNDREDTHS 100

__extension__ typedef unsigned __int128 wide;

uint64_t chart_round_up(uint64_t n)
{
	static const uint64_t steps[] = { 1, 2, 3, 4, 5, 6, 8 };
	uint64_t power = 1;

	while (n / 10 >= power)
		power *= 10;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i] <= UINT64_MAX / power && n <= steps[i] * power)
			return steps[i] * power;
	return power <= UINT64_MAX / 10 ? power * 10 : n;
}

static uint64_t highest(const struct chart *c)
{
	uint64_t most = 2;

	for (uint32_t i = 0; i < c->count; i++) {
		most = c->area[i] > most ? c->area[i] : most;
		if (c->line && c->line[i] > most)
			most = c->line[i];
		if (c->all && c->all[i] > most)
			most = c->all[i];
	}
	return most;
}

unsigned chart_level(uint64_t value, uint64_t top)
{
	unsigned height = (unsigned)((wide)value * CHART_HEIGHT / top);

	return CHART_HEIGHT - (value && height == 0 ? 1 : height);
}

/* Steps, not slopes: between two points nothing was measured. Equal neighbours are one stroke. */
static void put_steps(FILE *out, const struct chart *c, const uint64_t *values, uint64_t top)
{
	unsigned before = chart_level(values[0], top);

	(void)fprintf(out, "M0,%uV%uH", CHART_HEIGHT, before);
	for (uint32_t i = 1; i < c->count; i++) {
		unsigned now = chart_level(values[i], top);

		if (now != before)
			(void)fprintf(out, "%" PRIu32 "V%uH", i, now);
		before = now;
	}
	(void)fprintf(out, "%" PRIu32 "V%u", c->count, CHART_HEIGHT);
}

static void put_series(FILE *out, const struct chart *c, const char *class, const uint64_t *values, uint64_t top)
{
	if (!values)
		return;
	(void)fprintf(out, "<path class=\"%s\" d=\"", class);
	put_steps(out, c, values, top);
	(void)fputs("\"/>\n", out);
}

/* Where a moment stands, in hundredths of a point. */
static int64_t position(const struct chart *c, struct capture_time t)
{
	int64_t since = time_since(t, c->from), end = (int64_t)c->count * HUNDREDTHS;
	int64_t at = since / c->step_ns * HUNDREDTHS + since % c->step_ns * HUNDREDTHS / c->step_ns;

	return at < 0 ? 0 : at > end ? end : at;
}

static void put_bands(FILE *out, const struct chart *c)
{
	for (uint32_t i = 0; i < c->bands_count; i++) {
		int64_t from = position(c, c->bands[i].from), width = position(c, c->bands[i].to) - from;

		width = width < HUNDREDTHS / 2 ? HUNDREDTHS / 2 : width;
		(void)fprintf(out,
		              "<rect class=\"band\" x=\"%" PRId64 ".%02d\" y=\"0\" width=\"%" PRId64
		              ".%02d\" height=\"%u\"/>\n",
		              from / HUNDREDTHS, (int)(from % HUNDREDTHS), width / HUNDREDTHS,
		              (int)(width % HUNDREDTHS), CHART_HEIGHT);
	}
}

static void put_gaps(FILE *out, const struct chart *c)
{
	for (uint32_t i = 0, from; c->gaps && i < c->count; i++) {
		if (!c->gaps[i])
			continue;
		for (from = i; i < c->count && c->gaps[i]; i++)
			;
		(void)fprintf(out,
		              "<rect class=\"gap\" x=\"%" PRIu32 "\" y=\"0\" width=\"%" PRIu32 "\" height=\"%u\"/>\n",
		              from, i - from, CHART_HEIGHT);
	}
}

static void put_svg(FILE *out, const struct chart *c, uint64_t top)
{
	(void)fprintf(out,
	              "<svg viewBox=\"0 0 %" PRIu32 " %u\" preserveAspectRatio=\"none\" role=\"img\" aria-labelledby=\""
	              "%s-title %s-text\" focusable=\"false\">\n<title id=\"%s-title\">",
	              c->count, CHART_HEIGHT, c->id, c->id, c->id);
	markup_text(out, c->title);
	(void)fprintf(out, "</title>\n<desc id=\"%s-text\">", c->id);
	markup_text(out, c->description);
	(void)fputs("</desc>\n", out);
	put_bands(out, c);
	put_gaps(out, c);
	(void)fprintf(out, "<path class=\"grid\" d=\"M0,0H%" PRIu32 "M0,%uH%" PRIu32 "\"/>\n", c->count,
	              CHART_HEIGHT / 2, c->count);
	put_series(out, c, "all", c->all, top);
	put_series(out, c, c->tone ? c->tone : "area", c->area, top);
	put_series(out, c, "line", c->line, top);
	(void)fprintf(out, "<path class=\"base\" d=\"M0,%uH%" PRIu32 "\"/>\n</svg>\n", CHART_HEIGHT, c->count);
}

static void put_numbers(FILE *out, const struct chart *c)
{
	int64_t end = (int64_t)c->count * HUNDREDTHS;

	if (end == 0 || c->bands_count < 2 || c->bands_count > CHART_NUMBERED_MAX)
		return;
	(void)fputs("<div class=\"numbers\" aria-hidden=\"true\">", out);
	for (uint32_t i = 0; i < c->bands_count; i++) {
		int64_t middle = (position(c, c->bands[i].from) + position(c, c->bands[i].to)) / 2;

		(void)fprintf(out, "<span style=\"left:%d.%d%%\">%" PRIu32 "</span>", (int)(middle * 100 / end),
		              (int)(middle * 1000 / end % 10), i + 1);
	}
	(void)fputs("</div>\n", out);
}

static void put_level(FILE *out, const struct chart *c, uint64_t value)
{
	char text[WORDS_SIZE];

	(void)words_scaled(value, c->unit, text);
	for (char *at = text; c->comma && *at; at++)
		*at = *at == '.' ? ',' : *at;
	markup_text(out, text);
}

static void put_axes(FILE *out, const struct chart *c, uint64_t top)
{
	int64_t span = time_times(c->step_ns, c->count);
	char text[WORDS_SIZE];

	(void)fputs("<div class=\"axis-y\" aria-hidden=\"true\"><span>", out);
	put_level(out, c, top);
	(void)fputs("</span><span>", out);
	put_level(out, c, top / 2);
	(void)fputs("</span><span>0</span></div>\n<div class=\"axis-x\" aria-hidden=\"true\">", out);
	for (int64_t i = 0; i <= 2; i++) {
		(void)fputs("<span>", out);
		markup_text(out,
		            c->times ? c->times[i] : words_clock_within(time_plus(c->from, span / 2 * i), span, text));
		(void)fputs("</span>", out);
	}
	(void)fputs("</div>\n", out);
}

void chart_write(FILE *out, const struct chart *c)
{
	uint64_t top = chart_round_up(highest(c));

	(void)fputs("<div class=\"plot\">\n<p class=\"plot-title\" aria-hidden=\"true\">", out);
	markup_text(out, c->title);
	(void)fputs("</p>\n<div class=\"frame\">\n<div class=\"shapes\">\n", out);
	put_svg(out, c, top);
	put_numbers(out, c);
	(void)fputs("</div>\n", out);
	put_axes(out, c, top);
	(void)fputs("</div>\n</div>\n", out);
}
