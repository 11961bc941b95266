/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/outage_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "impact/count.h"
#include "record/outages.h"
#include "tell/words.h"

#define INDENT 2
#define HANG 4
#define PERMYRIAD_PPM 100 /* parts per million of one */
#define PLACES_SHOWN 8
#define DATE_LENGTH 16 /* "2026-03-10 09:30" */
#define CLOCK_FROM 11
#define CLOCK_LENGTH 5
#define DATE_DAY 10
#define BRIEF_SIZE 20

static const char *const words[BELIEF_WORDS] = {
	[BELIEF_NOTHING] = "nothing to say",      [BELIEF_ELEVATED_REPORTS] = "elevated user reports",
	[BELIEF_INVESTIGATING] = "investigating", [BELIEF_PARTIAL_OUTAGE] = "partial outage",
	[BELIEF_MAJOR_OUTAGE] = "major outage",
};

static const char *const faults[BELIEF_FAULTS] = {
	[BELIEF_FAULT_UNKNOWN] = "What kind of trouble it was does not show in the signals.",
	[BELIEF_DOWN] = "The service was down, or answered with errors.",
	[BELIEF_SLOW] = "The service answered, and took long.",
	[BELIEF_FILTERED] = "Our own filter had refused the users that reported.",
	[BELIEF_NETWORK] = "It was in the users' own network: elsewhere the service was seen well.",
};

static const char *const bases[OUTAGE_BASES] = {
	[OUTAGE_NOTHING_KNOWN] = "nothing is known of what is usual: there can be no alarm yet",
	[OUTAGE_HOURS_KNOWN] = "only the hours before are known, not the rhythm of days",
	[OUTAGE_DAYS_KNOWN] = "the days before are known, not yet four weeks",
	[OUTAGE_WEEKS_KNOWN] = "each hour of the week is known",
};

static const char *const causes[CAUSES] = {
	[CAUSE_ATTACK] = "the attack",
	[CAUSE_OWN_CHANGE] = "an own change",
	[CAUSE_PROVIDER] = "a provider's failure",
	[CAUSE_UNKNOWN] = "nothing that is known",
};

const char *outage_page_word(enum belief_word word)
{
	return words[word];
}

/* "2026-03-10 09:30" */
static const char *date(int64_t ns, char text[BRIEF_SIZE])
{
	char whole[WORDS_SIZE];

	(void)snprintf(text, BRIEF_SIZE, "%.*s", DATE_LENGTH, words_date_time((struct capture_time){ ns }, whole));
	return text;
}

/* "09:30"; with its day where that is another than `other`'s. */
static const char *clock_near(int64_t ns, int64_t other, char text[BRIEF_SIZE])
{
	char then[BRIEF_SIZE];

	(void)date(ns, text);
	if (strncmp(text, date(other, then), DATE_DAY) == 0)
		memmove(text, text + CLOCK_FROM, CLOCK_LENGTH + 1);
	return text;
}

static const char *until(int64_t ns, int64_t other, char text[BRIEF_SIZE])
{
	if (ns)
		return clock_near(ns, other, text);
	(void)snprintf(text, BRIEF_SIZE, "now");
	return text;
}

static const char *share(uint32_t permyriad, char text[WORDS_SIZE])
{
	return words_share_down((uint64_t)permyriad * PERMYRIAD_PPM, text);
}

void outage_page_head(const struct paper *paper)
{
	paper_line(paper, 0,
	           DIM
	           "ID    COMPONENT         BEGAN (UTC)       ENDED             MOST PRONOUNCED   REPORTS  SAID" PLAIN);
}

void outage_page_line(const struct paper *paper, const struct harm *harm)
{
	const struct outage *o = &harm->outage;
	char began[BRIEF_SIZE], ended[BRIEF_SIZE], from[BRIEF_SIZE], to[BRIEF_SIZE], reports[WORDS_SIZE],
		id[OUTAGES_ID_SIZE];
	char pronounced[2 * BRIEF_SIZE + 2];
	struct draft d = { .length = 0 };

	outages_id(harm->number, id);
	(void)snprintf(pronounced, sizeof(pronounced), "%s-%s", clock_near(o->pronounced_from_ns, o->began_ns, from),
	               clock_near(o->pronounced_to_ns, o->began_ns, to));
	draft_add(&d, BOLD "%-5s" PLAIN " %-16s  %-16s  %-16s  %-16s  %7s  %s", id, o->component,
	          date(o->began_ns, began), o->ended_ns ? date(o->ended_ns, ended) : "now", pronounced,
	          words_count(o->reports, reports), words[harm->belief.word]);
	paper_line(paper, 0, d.text);
}

/* ---- one ---- */

static void write_window(const struct paper *paper, const struct harm *harm)
{
	const struct outage *o = &harm->outage;
	char a[BRIEF_SIZE], b[BRIEF_SIZE], n[WORDS_SIZE], m[WORDS_SIZE], part[WORDS_SIZE], id[OUTAGES_ID_SIZE];
	struct draft d = { .length = 0 };

	outages_id(harm->number, id);
	draft_add(&d, "OUTAGE " BOLD "%s" PLAIN "  %s  %s UTC to %s", id, o->component, date(o->began_ns, a),
	          until(o->ended_ns, o->began_ns, b));
	paper_line(paper, 0, d.text);
	d.length = 0;
	draft_add(&d, "%s%s" PLAIN ", %s sure.", harm->belief.word >= BELIEF_PARTIAL_OUTAGE ? RED : YELLOW,
	          words[harm->belief.word], share(harm->belief.permyriad, n));
	paper_text(paper, INDENT, INDENT, d.text);
	paper_heading(paper, "WHAT USERS REPORTED");
	d.length = 0;
	draft_add(&d, "%s reports, %s more than is usual; most pronounced from %s to %s", words_count(o->reports, n),
	          words_count(o->excess, m), clock_near(o->pronounced_from_ns, o->began_ns, a),
	          clock_near(o->pronounced_to_ns, o->began_ns, b));
	draft_add(&d, ", the worst quarter of an hour from %s with %s. It was known at %s.",
	          clock_near(o->peak_began_ns, o->began_ns, a), words_count(o->peak_reports, n),
	          clock_near(o->alarm_ns, o->began_ns, b));
	paper_text(paper, INDENT, INDENT, d.text);
	for (uint32_t i = 0; i < o->waves_count && o->waves_count > 1; i++) {
		const struct outage_wave *wave = &o->waves[i];

		d.length = 0;
		draft_add(&d, "wave %" PRIu32 "  %s to %s  %s reports", i + 1,
		          clock_near(wave->began_ns, o->began_ns, a), until(wave->ended_ns, o->began_ns, b),
		          words_count(wave->reports, n));
		draft_add(&d, ", worst at %s", clock_near(wave->peak_began_ns, o->began_ns, a));
		paper_line(paper, INDENT, d.text);
	}
	if (o->shielded) {
		d.length = 0;
		draft_add(&d, "Of %s reports that came %s were left out: the shield was dropping their sources (%s).",
		          words_count(o->raw, n), words_count(o->shielded, m),
		          share((uint32_t)(o->shielded * 10000 / (o->raw ? o->raw : 1)), part));
		paper_text(paper, INDENT, INDENT, d.text);
	}
}

static void write_symptoms(const struct paper *paper, const struct outage *o)
{
	static const char *const names[SYMPTOMS] = {
		[SYMPTOM_UNREACHABLE] = "cannot reach it",
		[SYMPTOM_ERROR_PAGE] = "an error page",
		[SYMPTOM_SLOW] = "slow",
		[SYMPTOM_LOGIN] = "cannot log in",
		[SYMPTOM_OTHER] = "something else",
	};
	struct draft d = { .length = 0 };
	char n[WORDS_SIZE];

	for (unsigned i = 0; i < SYMPTOMS; i++)
		if (o->symptoms[i])
			draft_add(&d, "%s%s %s", d.length ? ", " : "They say: ", names[i],
			          words_count(o->symptoms[i], n));
	if (d.length)
		paper_text(paper, INDENT, INDENT, d.text);
}

static void write_where(const struct paper *paper, const struct outage *o)
{
	struct draft d = { .length = 0 };
	char a[BRIEF_SIZE], b[BRIEF_SIZE], n[WORDS_SIZE];

	paper_heading(paper, "WHERE");
	if (o->regions == 0)
		draft_add(&d, "The reports do not say from which region they come.");
	else
		draft_add(&d, "%s: %" PRIu32 " of %" PRIu32 " regions have more than three times as many as usual.",
		          o->global ? "Everywhere" : "In places", o->regions_up, o->regions);
	paper_text(paper, INDENT, INDENT, d.text);
	for (uint32_t i = 0; i < o->places_count && i < PLACES_SHOWN; i++) {
		const struct outage_place *place = &o->places[i];
		char name[WORDS_SIZE];

		if (place->kind == OUTAGE_NETWORK)
			(void)snprintf(name, sizeof(name), "AS%" PRIu32, place->network);
		else
			(void)snprintf(name, sizeof(name), "%s", place->region);
		d.length = 0;
		draft_add(&d, "%-8s %-11s %s to %s  %s reports where %" PRIu64 ".%" PRIu64 " are usual",
		          outage_place_kind_name(place->kind), name, clock_near(place->from_ns, o->began_ns, a),
		          clock_near(place->to_ns, o->began_ns, b), words_count(place->reports, n),
		          place->expected_milli / 1000, place->expected_milli % 1000 / 100);
		paper_line(paper, INDENT, d.text);
	}
}

static void add_signed(struct draft *d, const char *what, int32_t milli)
{
	draft_add(d, ", %s %s%d.%d", what, milli < 0 ? "-" : "+", (milli < 0 ? -milli : milli) / 1000,
	          (milli < 0 ? -milli : milli) % 1000 / 100);
}

static void write_belief(const struct paper *paper, const struct belief *belief)
{
	struct draft d = { .length = 0 };

	paper_heading(paper, "HOW SURE THAT IS");
	draft_add(&d, "Log-odds begin at -4.6");
	add_signed(&d, "reports", belief->reports);
	add_signed(&d, "probes", belief->probes);
	add_signed(&d, "signals of machines", belief->signals);
	draft_add(&d, ". %s", faults[belief->fault]);
	paper_text(paper, INDENT, INDENT, d.text);
	if (belief->vantages + belief->vantages_unknown) {
		d.length = 0;
		draft_add(&d,
		          "%" PRIu32 " of %" PRIu32 " places that look from outside saw it fail; %" PRIu32
		          " could not see anything.",
		          belief->vantages_failed, belief->vantages, belief->vantages_unknown);
		paper_text(paper, INDENT, INDENT, d.text);
	}
}

static void write_causes(const struct paper *paper, const struct harm *harm)
{
	const struct cause_account *account = &harm->causes;
	const struct outage *o = &harm->outage;
	char a[BRIEF_SIZE], b[BRIEF_SIZE], low[WORDS_SIZE], high[WORDS_SIZE];
	struct draft d;

	paper_heading(paper, "WHAT EXPLAINS IT");
	for (unsigned i = 0; i < CAUSES; i++) {
		if (account->shares[i].high == 0)
			continue;
		d.length = 0;
		draft_add(&d, "%-22s %s to %s of it", causes[i], share(account->shares[i].low, low),
		          words_share_up((uint64_t)account->shares[i].high * PERMYRIAD_PPM, high));
		paper_line(paper, INDENT, d.text);
	}
	for (uint32_t i = 0; i < account->intervals_count; i++) {
		const struct cause_interval *interval = &account->intervals[i];

		d.length = 0;
		draft_add(&d, "%s to %s  %s", clock_near(interval->from_ns, o->began_ns, a),
		          clock_near(interval->to_ns, o->began_ns, b), causes[interval->cause]);
		if (interval->cause == CAUSE_ATTACK)
			draft_add(&d, " %016" PRIx64, interval->reference);
		else if (interval->reference)
			draft_add(&d, " e%" PRIu64, interval->reference);
		draft_add(&d, "%s  %s of it", interval->several ? ", or another" : "", share(interval->share, low));
		paper_line(paper, INDENT, d.text);
	}
	if (harm->incident) {
		d.length = 0;
		draft_add(&d,
		          "The attack %016" PRIx64
		          " goes with it: it began %s %s. That does not prove that it made it.",
		          harm->incident, words_duration(harm->delay_ns < 0 ? -harm->delay_ns : harm->delay_ns, low),
		          harm->delay_ns < 0 ? "after the outage" : "before users felt it");
		paper_text(paper, INDENT, INDENT, d.text);
	}
}

static void write_unknown(const struct paper *paper, const struct harm *harm)
{
	const struct outage *o = &harm->outage;
	struct draft d = { .length = 0 };

	paper_heading(paper, "WHAT IS NOT KNOWN");
	draft_add(&d, "What is usual: %s.", bases[o->basis]);
	if (harm->belief.vantages == 0)
		draft_add(&d, " Nothing looked from outside.");
	if (harm->belief.signals == 0)
		draft_add(&d, " No signal of machines spoke for it or against it.");
	if (o->ended_ns == 0)
		draft_add(&d, " It had not ended when this was measured.");
	if (o->waves_joined)
		draft_add(&d, " %" PRIu32 " more waves are part of the last.", o->waves_joined);
	draft_add(&d, " How many users it hit: reports are of those who write.");
	paper_text(paper, INDENT, INDENT, d.text);
}

void outage_page_show(const struct paper *paper, const struct harm *harm)
{
	write_window(paper, harm);
	write_symptoms(paper, &harm->outage);
	write_where(paper, &harm->outage);
	write_belief(paper, &harm->belief);
	write_causes(paper, harm);
	write_unknown(paper, harm);
}

void outage_page_component(const struct paper *paper, const struct reckon_component *component)
{
	struct draft d = { .length = 0 };
	char reports[WORDS_SIZE], from[BRIEF_SIZE], to[BRIEF_SIZE];

	draft_add(&d, BOLD "%s" PLAIN "  %s reports from %s to %s UTC; %s", component->id,
	          words_count(component->reports, reports), date(component->first_ns, from),
	          date(component->last_ns + COUNT_BUCKET_NS, to), bases[component->basis]);
	if (component->basis != OUTAGE_NOTHING_KNOWN)
		draft_add(&d, ", %u.%u in five minutes are usual now", component->usual_milli / 1000,
		          component->usual_milli % 1000 / 100);
	paper_text(paper, 0, HANG, d.text);
}
