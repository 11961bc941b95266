/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How users and links fared while an attack went on, on the time axis of the attack's own plots: the same beginning,
 * the same end, so that what happened at one moment stands one above the other.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tell/chart.h"
#include "tell/report.h"
#include "tell/series.h"

#define ID_SIZE 48

struct axis {
	struct capture_time from;
	int64_t step_ns;
	uint32_t count;
	const struct course_point *points[SERIES_POINTS_MAX]; /* NULL: nothing is known */
	uint64_t area[SERIES_POINTS_MAX], other[SERIES_POINTS_MAX];
	bool gaps[SERIES_POINTS_MAX];
};

struct panel {
	const char *name, *title, *description, *unit;
	const char *tone;       /* of the area, see struct chart */
	const char *area, *all; /* words of the legend; NULL: there is none */
	/* Whether there is a number for the point. `other`: what lies behind the area. */
	bool (*take)(const struct course_point *point, uint64_t *area, uint64_t *other);
};

static bool take_all(const struct course_point *p, uint64_t *area, uint64_t *other)
{
	if (p->seconds == 0)
		return false;
	*area = p->dropped / p->seconds;
	*other = p->arrived / p->seconds;
	return true;
}

static bool take_users(const struct course_point *p, uint64_t *area, uint64_t *other)
{
	uint64_t lost;

	if (p->seconds == 0)
		return false;
	lost = p->lost < p->answered ? p->lost : p->answered;
	*area = (p->answered - lost) / p->seconds;
	*other = p->answered / p->seconds;
	return true;
}

static bool take_handshakes(const struct course_point *p, uint64_t *area, uint64_t *other)
{
	if (p->seconds == 0)
		return false;
	*area = p->handshakes / p->seconds;
	*other = 0;
	return true;
}

static bool take_link(const struct course_point *p, uint64_t *area, uint64_t *other)
{
	if (p->link_seconds == 0)
		return false;
	*area = p->link_bits / p->link_seconds;
	*other = 0;
	return true;
}

static const struct panel panels[] = {
	{ "arrived", "What arrived, packets per second",
	  "All packets that arrived at the host over time, and what of them was dropped.", "pps", "area", "Dropped",
	  "Arrived", take_all },
	{ "users", "Users who are answered, packets per second",
	  "Packets of conversations that the host answers, over time, and what of them got in.", "pps", "good",
	  "Got in", "Were dropped", take_users },
	{ "connections", "New connections per second", "TCP connections that were completed, over time.", "", "good",
	  "Completed", NULL, take_handshakes },
	{ "link", "What the links carried, bits per second", "Load of the host's links over time.", "bit/s", "plain",
	  "Carried", NULL, take_link },
};

/* The same span as the plots of the attack show, in as many steps as are measured, or may be. */
static bool make_axis(const struct series *series, struct capture_time from, struct capture_time to, struct axis *axis)
{
	int64_t span = time_since(to, from);

	axis->count = series->step_ns > 0 ? (uint32_t)(span / series->step_ns) + 1 : 0;
	if (span <= 0 || axis->count == 0)
		return false;
	/* An attack of seconds is shown finer than it is measured, lest its plot end elsewhere than those above. */
	axis->count = axis->count * 4 < SERIES_POINTS_MAX ? axis->count * 4 : SERIES_POINTS_MAX;
	axis->from = from;
	axis->step_ns = span / axis->count;
	if (axis->step_ns == 0)
		return false;
	for (uint32_t i = 0; i < axis->count; i++)
		axis->points[i] = series_at(series, time_plus(from, time_times(axis->step_ns, i) + axis->step_ns / 2));
	return true;
}

static bool fill(struct axis *axis, const struct panel *panel)
{
	bool any = false;

	for (uint32_t i = 0; i < axis->count; i++) {
		axis->area[i] = axis->other[i] = 0;
		axis->gaps[i] = !axis->points[i] || !panel->take(axis->points[i], &axis->area[i], &axis->other[i]);
		any = any || !axis->gaps[i];
	}
	return any;
}

static void write_panel(const struct report *r, const struct axis *axis, const struct panel *panel)
{
	char id[ID_SIZE];
	bool gaps = false;
	struct chart chart = {
		.id = id,
		.title = panel->title,
		.description = panel->description,
		.unit = panel->unit,
		.from = axis->from,
		.step_ns = axis->step_ns,
		.count = axis->count,
		.area = axis->area,
		.tone = panel->tone,
		.all = panel->all ? axis->other : NULL,
		.gaps = axis->gaps,
	};

	(void)snprintf(id, sizeof(id), "%s-%u", panel->name, r->incident);
	for (uint32_t i = 0; i < axis->count; i++)
		gaps = gaps || axis->gaps[i];
	report_raw(r, "<ul class=\"legend\">\n");
	report_key(r, panel->tone, panel->area);
	report_key(r, "all", panel->all);
	report_key(r, "gap", gaps ? "Not measured" : NULL);
	report_raw(r, "</ul>\n");
	chart_write(r->out, &chart);
}

void report_course(struct report *r, const struct finding *f, struct capture_time from, struct capture_time to)
{
	const struct series *series = r->live ? r->live->series : NULL;
	struct axis *axis = series && series->count ? calloc(1, sizeof(*axis)) : NULL;
	struct draft said = { .length = 0 };

	if (!axis || !make_axis(series, from, to, axis)) {
		free(axis);
		return;
	}
	report_section_open(r, "Users and links meanwhile");
	series_say(series, f->incident->began, f->incident->ended, &said);
	if (said.length)
		report_paragraph(r, said.text);
	report_raw(r, "<figure>\n");
	for (size_t i = 0; i < sizeof(panels) / sizeof(panels[0]); i++)
		if (fill(axis, &panels[i]))
			write_panel(r, axis, &panels[i]);
	report_raw(
		r,
		"<figcaption>On the time axis of the plots above. Packets are estimates from samples; what is dropped did "
		"not pass, or would not have where the shield only observes.</figcaption>\n</figure>\n");
	report_section_close(r);
	free(axis);
}
