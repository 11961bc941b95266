/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The picture in words and in numbers, for who does not see it: what matters, what happened when, each cause, each
 * lane.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/share.h"
#include "tell/picture.h"
#include "tell/words.h"

#define TABLE_ROWS 60
#define PERMYRIAD_PPM 100
#define MILLI 1000
#define CELL_SIZE 96

/* ---- what matters ---- */

static void say_delay(const struct picture_outage *o, struct draft *d)
{
	char text[WORDS_SIZE];

	if (!o->incident)
		draft_add(d, " No attack was seen at the time.");
	else if (o->delay_ns > 0)
		draft_add(d, " It began " BOLD "%s after the attack" PLAIN ".", words_duration(o->delay_ns, text));
	else if (o->delay_ns < 0 && o->delay_ns > -COUNT_BUCKET_NS) /* reports are counted by the bucket */
		draft_add(d, " It began in the same five minutes as the attack.");
	else if (o->delay_ns < 0)
		draft_add(d, " It began " BOLD "%s before the attack" PLAIN ", which cannot have made its beginning.",
		          words_duration(-o->delay_ns, text));
	else
		draft_add(d, " It began with the attack.");
}

static void say_shielded(const struct picture_outage *o, struct draft *d)
{
	char raw[WORDS_SIZE], part[WORDS_SIZE];

	if (o->raw == 0)
		return;
	if (o->shielded == 0)
		draft_add(d, " None of its %s reports came from sources that the shield was dropping.",
		          words_count(o->raw, raw));
	else
		draft_add(d,
		          " Of the %s reports that came, " BOLD "%s" PLAIN
		          " came from sources that the shield was dropping; they are not counted.",
		          words_count(o->raw, raw), words_share_down(share_ppm(o->shielded, o->raw), part));
}

static void say_causes(const struct picture_outage *o, struct draft *d)
{
	static const char *const words[CAUSES] = { "the attack", "a change of our own", "a provider",
		                                   "nothing that is known" };
	char text[WORDS_SIZE];
	bool any = false;

	for (unsigned i = 0; i < CAUSES; i++) {
		if (o->shares[i].value == 0)
			continue;
		draft_add(d, "%s%s%s by %s", any ? ", " : " Of what was reported beyond the usual, ",
		          words_share_down((uint64_t)o->shares[i].value * PERMYRIAD_PPM, text),
		          any ? "" : " can be explained", words[i]);
		any = true;
	}
	if (any)
		draft_add(d, ".");
}

void picture_say(const struct picture *p, void (*paragraph)(void *context, const char *words), void *context)
{
	char began[WORDS_SIZE], ended[WORDS_SIZE], belief[WORDS_SIZE];

	for (uint32_t i = 0; i < p->outages_count; i++) {
		const struct picture_outage *o = &p->outages[i];
		struct draft d = { .length = 0 };

		draft_add(&d, "%s: users could not use it as they do from " BOLD "%s" PLAIN, o->component,
		          picture_clock(p, o->began_ns, began));
		if (o->ended_ns)
			draft_add(&d, " to " BOLD "%s" PLAIN " UTC", picture_clock(p, o->ended_ns, ended));
		else
			draft_add(&d, " UTC on, and it lasts");
		draft_add(&d, " (outage %s, believed with %s).", o->id,
		          words_share_down((uint64_t)o->belief * PERMYRIAD_PPM, belief));
		say_delay(o, &d);
		say_shielded(o, &d);
		say_causes(o, &d);
		paragraph(context, d.text);
	}
	if (p->outages_count == 0)
		paragraph(context, "No outage was measured at that time.");
}

/* ---- what happened, what was said ---- */

static void write_marks(const struct report *r, const struct picture *p)
{
	static const char *const names[] = { "Number", "When (UTC)", "What", "In words" };
	char text[CELL_SIZE], at[WORDS_SIZE], to[WORDS_SIZE];

	if (p->marks_count == 0)
		return;
	report_table_open(r, "What else happened, and what we said", false);
	report_columns(r, names, sizeof(names) / sizeof(names[0]));
	for (uint32_t i = 0; i < p->marks_count; i++) {
		const struct picture_mark *mark = &p->marks[i];

		(void)snprintf(text, sizeof(text), "%" PRIu32, i + 1);
		report_row(r, text);
		(void)snprintf(text, sizeof(text), "%s%s%s", picture_clock(p, mark->at_ns, at),
		               mark->to_ns > mark->at_ns ? " to " : "",
		               mark->to_ns > mark->at_ns ? picture_clock(p, mark->to_ns, to) : "");
		report_raw(r, "<td>");
		report_text(r, text);
		report_raw(r, "</td><td>");
		report_text(r, picture_mark_words[mark->kind]);
		report_raw(r, " ");
		report_text(r, mark->id);
		report_raw(r, "</td><td>");
		report_text(r, mark->text);
		report_raw(r, "</td></tr>\n");
	}
	report_table_close(r);
}

static void write_causes(const struct report *r, const struct picture *p)
{
	static const char *const names[] = { "From (UTC)", "To", "Of", "Cause",
		                             "#Of what was reported beyond the usual" };
	char text[WORDS_SIZE];

	if (p->spans_count == 0)
		return;
	report_table_open(r, "What explains the outage, part by part", false);
	report_columns(r, names, sizeof(names) / sizeof(names[0]));
	for (uint32_t i = 0; i < p->spans_count; i++) {
		const struct cause_interval *interval = &p->spans[i].interval;

		report_row(r, picture_clock(p, interval->from_ns, text));
		report_raw(r, "<td>");
		report_text(r, picture_clock(p, interval->to_ns, text));
		report_raw(r, "</td><td>");
		report_text(r, p->spans[i].component);
		report_raw(r, "</td><td>");
		report_text(r, picture_cause_words[interval->cause]);
		report_raw(r, interval->several ? ", or others</td>" : "</td>");
		report_cell(r, words_share_down((uint64_t)interval->share * PERMYRIAD_PPM, text));
		report_raw(r, "</tr>\n");
	}
	report_table_close(r);
}

/* ---- the lanes ---- */

/* The columns of a kind of lane, "" where there is none. */
static const char *const columns[PICTURE_KINDS][3] = {
	[PICTURE_ATTACK] = { "Came, pps", "Dropped, pps", "Passed, pps" },
	[PICTURE_USERS] = { "Answered, pps", "Of it got in, pps", NULL },
	[PICTURE_REPORTS] = { "Reports", "Left out", "Usual, at most" },
	[PICTURE_PROBES] = { "Probes", "Failed", NULL },
	[PICTURE_EDGE] = { "Answers", "Errors 5xx", NULL },
	[PICTURE_CONNECTIONS] = { "Conversations, packets", "Dropped", NULL },
	[PICTURE_HANDSHAKES] = { "New connections", "Failed", NULL },
	[PICTURE_NEL] = { "Browsers", "Failed", NULL },
};

/* Sums over [first, end) of a lane's points; false: nothing is known of them. */
static bool sum_up(const struct picture_lane *lane, uint32_t first, uint32_t end, uint64_t sums[PICTURE_PARTS])
{
	uint32_t known = 0;

	memset(sums, 0, PICTURE_PARTS * sizeof(sums[0]));
	for (uint32_t i = first; i < end; i++) {
		known += lane->known[i];
		for (unsigned k = 0; k < PICTURE_PARTS && lane->known[i]; k++)
			sums[k] += lane->parts[k][i];
	}
	for (unsigned k = 0; k < PICTURE_PARTS && known && !picture_in_buckets(lane->kind); k++)
		sums[k] /= known;
	return known > 0;
}

static void values_of(const struct picture_lane *lane, const uint64_t sums[PICTURE_PARTS], uint64_t values[3])
{
	bool host = lane->kind == PICTURE_ATTACK || lane->kind == PICTURE_USERS;

	values[0] = host ? sums[1] : sums[0];
	values[1] = host ? sums[0] : sums[1];
	values[2] = sums[1] - sums[0];
	if (lane->kind == PICTURE_REPORTS) {
		values[2] = (sums[3] + MILLI / 2) / MILLI;
	} else if (!host) {
		values[0] = sums[0] + sums[1];
		values[1] = sums[0];
	}
}

static void write_cells(const struct report *r, const struct picture *p, const struct picture_lane *lane,
                        uint32_t first, uint32_t end)
{
	uint32_t each = picture_in_buckets(lane->kind) ? 1 : p->count / p->buckets;
	uint64_t sums[PICTURE_PARTS], values[3] = { 0 };
	bool known = sum_up(lane, first * each, end * each, sums);
	char text[WORDS_SIZE];

	values_of(lane, sums, values);
	for (unsigned i = 0; i < 3 && columns[lane->kind][i]; i++)
		report_cell(r, !known || (i == 2 && lane->kind == PICTURE_REPORTS && !lane->usual)
		                       ? "not known"
		                       : words_scaled(values[i], "", text));
}

static void write_lane(const struct report *r, const struct picture *p, const struct picture_lane *lane)
{
	const char *names[4] = { "From (UTC)" };
	char heads[3][WORDS_SIZE], text[WORDS_SIZE];
	struct draft caption = { .length = 0 };
	uint32_t join = (p->buckets + TABLE_ROWS - 1) / TABLE_ROWS, count = 1;

	for (unsigned i = 0; i < 3 && columns[lane->kind][i]; i++) {
		(void)snprintf(heads[i], sizeof(heads[i]), "#%s", columns[lane->kind][i]);
		names[count++] = heads[i];
	}
	draft_add(&caption, "%s%s%s over time", columns[lane->kind][0], *lane->component ? " of " : "",
	          lane->component);
	report_table_open(r, caption.text, false);
	report_columns(r, names, count);
	for (uint32_t i = 0; i < p->buckets; i += join) {
		report_row(r, picture_clock(p, p->from_ns + p->bucket_ns * i, text));
		write_cells(r, p, lane, i, i + join < p->buckets ? i + join : p->buckets);
		report_raw(r, "</tr>\n");
	}
	report_table_close(r);
}

void picture_write_tables(const struct report *r, const struct picture *p)
{
	write_marks(r, p);
	write_causes(r, p);
	report_raw(r, "<details>\n<summary>The numbers behind the picture</summary>\n");
	for (unsigned kind = 0; kind < PICTURE_KINDS; kind++)
		for (uint32_t i = 0; i < p->lanes_count; i++)
			if (p->lanes[i].kind == kind)
				write_lane(r, p, &p->lanes[i]);
	report_raw(r, "</details>\n");
	if (p->lanes_refused || p->attacks_refused || p->spans_refused || p->marks_refused || p->outages_refused)
		report_raw(r, "<p>There was more than the picture holds: some of it is left out.</p>\n");
}

/* ---- a document of its own ---- */

int picture_document(FILE *out, const struct picture *picture, const char *title)
{
	struct report r = { .out = out, .heading = 2 };

	errno = 0;
	report_head(&r, title);
	report_raw(&r, "<header class=\"top\">\n<p class=\"eyebrow\">Outage</p>\n<h1 id=\"title\">");
	report_text(&r, title);
	report_raw(&r, "</h1>\n</header>\n<main id=\"report\">\n");
	picture_write(&r, picture, 1);
	report_raw(&r, "</main>\n");
	report_foot(&r, "The same record gives the same page, to the octet");
	if (fflush(out) != 0 || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
