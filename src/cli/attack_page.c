/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attack_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "tell/facts.h"
#include "cli/rules_page.h"
#include "defend/fallback.h"
#include "tell/words.h"

#define MILLION 1000000
#define ID_DIGITS 8 /* of an incident's id, which are enough to name it */
#define GAP "   "

static bool is_enforcing(const json_t *now)
{
	return strcmp(fact_text(now, "mode"), "enforce") == 0;
}

static bool is_number(const json_t *object, const char *key)
{
	return json_is_integer(json_object_get(object, key));
}

/* "native", as the first interface has it, "mixed" where others have another. */
static const char *hook_of(const json_t *now)
{
	const json_t *interfaces = json_object_get(now, "interfaces"), *interface;
	const char *hook = "nowhere";
	size_t i;

	json_array_foreach(interfaces, i, interface)
	{
		if (i && strcmp(hook, fact_text(interface, "hook")) != 0)
			return "mixed";
		hook = fact_text(interface, "hook");
	}
	return hook;
}

/* ---- links ---- */

static bool is_full(const json_t *link)
{
	return json_is_true(json_object_get(link, "full"));
}

/* "LINK 61 %"; with names where there are several; rates where nobody knows how fast a link is. */
static void add_links(struct draft *d, const json_t *now)
{
	const json_t *links = json_object_get(now, "links"), *link;
	size_t count = json_array_size(links), i;
	char text[WORDS_SIZE];

	if (count == 0)
		return;
	draft_add(d, GAP "LINK%s", count == 1 ? WORDS_TIE : " ");
	json_array_foreach(links, i, link)
	{
		const char *color = is_full(link) ? RED : BOLD;

		if (count > 1)
			draft_add(d, "%s%s ", i ? ", " : "", fact_text(link, "name"));
		if (is_number(link, "percent"))
			draft_add(d, "%s%" PRIu64 WORDS_TIE "%%" PLAIN, color, fact_count(link, "percent"));
		else if (is_number(link, "rx_bps"))
			draft_add(d, "%s%s" PLAIN, color, words_scaled(fact_count(link, "rx_bps"), "bit/s", text));
		else
			draft_add(d, "not" WORDS_TIE "known" WORDS_TIE "yet");
		if (is_full(link))
			draft_add(d, RED WORDS_TIE "FULL" PLAIN);
	}
}

void attack_page_write_links(const struct paper *paper, const json_t *now)
{
	const json_t *links = json_object_get(now, "links"), *link;
	char text[WORDS_SIZE];
	size_t i;

	json_array_foreach(links, i, link)
	{
		struct draft d = { .length = 0 };

		if (!is_full(link))
			continue;
		draft_add(&d, RED "LINK %s IS FULL" PLAIN ": %s lost before they can be filtered; ",
		          fact_text(link, "name"),
		          fact_count(link, "rx_drops_pps") ? words_scaled(fact_count(link, "rx_drops_pps"), "pps", text)
		                                           : "packets are");
		draft_add(&d, "filtering here cannot help: " BOLD "ask" WORDS_TIE "upstream" PLAIN
		              " to filter, or to move the traffic");
		paper_text(paper, 0, 5, d.text);
	}
}

/* ---- an attack ---- */

/* Nothing of it came in the latest second: another wave may come, or it is over if it stays so. */
static bool is_paused(const json_t *attack)
{
	return is_number(attack, "pps") && fact_count(attack, "pps") == 0;
}

/* "ATTACK 09:45:12 +38 s   web 192.0.2.10   ntp_reflection   4.1 Mpps   mode ENFORCE  XDP native" */
static void write_head(const struct paper *paper, const json_t *now, const json_t *attack)
{
	bool over = json_is_true(json_object_get(attack, "over"));
	char target[64], text[WORDS_SIZE];
	struct draft d = { .length = 0 };
	struct capture_time began;
	int64_t age_ns;

	(void)snprintf(target, sizeof(target), "%s", fact_text(attack, "target"));
	if (strchr(target, ':') ? strstr(target, "/128") != NULL : strstr(target, "/32") != NULL)
		*strchr(target, '/') = '\0';
	draft_add(&d, "%s" PLAIN, over ? GREEN "OVER  " : is_paused(attack) ? YELLOW "PAUSED" : RED "ATTACK");
	if (fact_time(attack, "began", &began))
		draft_add(&d, " %s", words_clock(began, text));
	if (fact_duration(attack, "age_s", &age_ns))
		draft_add(&d, " +%s", words_duration(age_ns, text));
	draft_add(&d, GAP BOLD "%s%s%s" PLAIN, fact_text(attack, "service"), *fact_text(attack, "service") ? " " : "",
	          target);
	draft_add(&d, GAP BOLD "%s" PLAIN, fact_text(attack, "vector"));
	if (!over && !is_paused(attack)) {
		draft_add(&d, GAP BOLD "%s" PLAIN, words_scaled(fact_count(attack, "pps"), "pps", text));
		draft_add(&d, "  %s", words_scaled(fact_count(attack, "bps"), "bit/s", text));
	}
	draft_add(&d, GAP "mode" WORDS_TIE "%s" PLAIN "  XDP" WORDS_TIE "%s",
	          is_enforcing(now) ? GREEN "ENFORCE" : YELLOW "OBSERVE", hook_of(now));
	paper_text(paper, 0, 7, d.text);
}

/* The share of users that gets in; where nearly all do, what is missing matters: "99.97 %", rounded down. */
static const char *users_in(uint64_t lost_ppm, char text[WORDS_SIZE])
{
	uint64_t in = lost_ppm < MILLION ? MILLION - lost_ppm : 0;

	if (in < MILLION / 100 * 99 || in == MILLION)
		return words_share_down(in, text);
	(void)snprintf(text, WORDS_SIZE, "%" PRIu64 ".%02" PRIu64 WORDS_TIE "%%", in / 10000, in % 10000 / 100);
	return text;
}

/* "DROPPED 99.2 %   USERS IN 99.97 %   LINK 61 %": what a person wants to know before anything else. */
static void write_outcome(const struct paper *paper, const json_t *now, const json_t *attack)
{
	const json_t *users = json_object_get(now, "users");
	uint64_t passing = fact_count(attack, "passing_ppm"), lost = fact_count(users, "lost_ppm");
	struct draft d = { .length = 0 };
	char text[WORDS_SIZE];

	if (json_is_false(json_object_get(attack, "over")) && !is_paused(attack)) {
		uint64_t dropped = passing < MILLION ? MILLION - passing : 0;

		draft_add(&d, "%s %s%s" PLAIN, is_enforcing(now) ? "DROPPED" : "WOULD DROP",
		          dropped >= MILLION / 10 * 9 ? GREEN
		          : dropped >= MILLION / 2    ? YELLOW
		                                      : RED,
		          words_share_down(dropped, text));
		draft_add(&d, GAP);
	}
	if (is_number(users, "lost_ppm")) {
		draft_add(&d, "USERS IN %s%s" PLAIN,
		          lost <= MILLION / 1000  ? GREEN
		          : lost <= MILLION / 100 ? YELLOW
		                                  : RED,
		          users_in(lost, text));
		draft_add(&d, " of %s answered", words_scaled(fact_count(users, "answered_pps"), "pps", text));
	} else {
		draft_add(&d, "USERS IN not known: none is answered");
	}
	add_links(&d, now);
	paper_text(paper, 0, 9, d.text);
}

/* What the rule costs users: "verified users hit 0 of 31,204 (at most 0.01 %)". */
static void add_cost(struct draft *d, const json_t *rule)
{
	char text[WORDS_SIZE];

	if (json_is_true(json_object_get(rule, "fallback"))) {
		draft_add(d, YELLOW "by who sends, not by what" PLAIN);
	} else if (fact_count(rule, "verified_samples")) {
		uint64_t hits = fact_count(rule, "verified_hits");

		draft_add(d, "verified users hit %s%s" PLAIN, hits ? YELLOW : GREEN, words_count(hits, text));
		draft_add(d, " of %s", words_count(fact_count(rule, "verified_samples"), text));
		if (is_number(rule, "bound_ppm"))
			draft_add(d, " (at most %s)", words_share_up(fact_count(rule, "bound_ppm"), text));
	} else if (is_number(rule, "bound_ppm")) {
		draft_add(d, "of normal traffic at most %s hit", words_share_up(fact_count(rule, "bound_ppm"), text));
	} else {
		draft_add(d, YELLOW "what it costs users is not known" PLAIN ": no normal traffic was seen before");
	}
}

static const char *color_of(const char *state)
{
	return strcmp(state, "enforced") == 0 ? GREEN : strcmp(state, "revoked") == 0 ? RED : YELLOW;
}

/* A rule of an attack: its match unbroken, for it is to be copied; then what it costs, how it stands, and why. */
static void write_rule(const struct paper *paper, const json_t *now, const json_t *rule)
{
	const char *id = fact_text(rule, "id"), *state = fact_text(rule, "state"), *why = fact_text(rule, "why");
	struct draft d = { .length = 0 }, rest = { .length = 0 };
	char text[WORDS_SIZE];

	draft_add(&d, "RULE " BOLD "%-4s" PLAIN " %s", *id ? id : "-", fact_text(rule, "match"));
	rules_page_add_sources(&d, rule);
	add_cost(&rest, rule);
	/* In one line where there is room. */
	if (paper_columns(d.text) + 4 + paper_columns(rest.text) <= paper->width) {
		draft_add(&d, "    %s", rest.text);
		rest.length = 0;
	}
	paper_line(paper, 0, d.text);
	if (rest.length)
		draft_add(&rest, "; ");
	draft_add(&rest, "%s%s" PLAIN "%s", color_of(state), state,
	          strcmp(state, "enforced") == 0 && !is_enforcing(now) ? ", but the mode is observe" : "");
	if (strcmp(fact_text(rule, "action"), "drop") != 0)
		draft_add(&rest, ", %s", fact_text(rule, "action"));
	/* Why it may drop has been said by what it costs. */
	if (*why && !(strcmp(state, "enforced") == 0 && is_number(rule, "bound_ppm")))
		draft_add(&rest, ": %s", why);
	draft_add(&rest, "; matched %s", words_count(fact_count(rule, "matched"), text));
	draft_add(&rest, ", dropped %s", words_count(fact_count(rule, "dropped"), text));
	if (fact_count(rule, "known") || fact_count(rule, "known_lost")) {
		draft_add(&rest, ", let %s of known sources pass", words_count(fact_count(rule, "known"), text));
		draft_add(&rest, " and dropped %s", words_count(fact_count(rule, "known_lost"), text));
	}
	if (fact_count(rule, "spared"))
		draft_add(&rest, ", spared %s of users", words_count(fact_count(rule, "spared"), text));
	paper_text(paper, 10, 10, rest.text);
}

/* How much a state is worth being shown: what acts first. */
static unsigned rank_of(const json_t *rule)
{
	static const char *const order[] = { "enforced", "shadow", "armed", "proposed", "revoked" };
	unsigned rank = 0;

	while (rank < sizeof(order) / sizeof(order[0]) && strcmp(order[rank], fact_text(rule, "state")) != 0)
		rank++;
	return rank;
}

#define RANKS 6

/* Returns the name of the first that a person could let go; NULL. */
static const char *write_rules(const struct paper *paper, const json_t *now, const json_t *rules, unsigned *acting)
{
	unsigned shown = 0, known = 0;
	const char *first = NULL;
	const json_t *rule;
	size_t i;

	for (unsigned rank = 0; rank < RANKS; rank++)
		json_array_foreach(rules, i, rule)
		{
			/* What is gone is not worth a line. */
			if (rank_of(rule) != rank || rank == RANKS - 1)
				continue;
			known++;
			if (*fact_text(rule, "id") && strcmp(fact_text(rule, "state"), "revoked") != 0) {
				(*acting)++;
				first = first ? first : fact_text(rule, "id");
			}
			if (shown == ATTACK_PAGE_RULES_MAX)
				continue;
			shown++;
			write_rule(paper, now, rule);
		}
	if (known > shown) {
		struct draft d = { .length = 0 };

		draft_add(&d, "and %u more: holdfast rules", known - shown);
		paper_line(paper, 5, d.text);
	}
	return first;
}

/* What to type, side by side where there is room, never broken. */
static void write_words(const struct paper *paper, const struct draft *words, unsigned count)
{
	struct draft line = { .length = 0 };

	for (unsigned i = 0; i < count; i++) {
		if (line.length && paper_columns(line.text) + 6 + paper_columns(words[i].text) > paper->width) {
			paper_line(paper, 0, line.text);
			line.length = 0;
		}
		draft_add(&line, "%s%s", line.length ? "      " : "", words[i].text);
	}
	paper_line(paper, 0, line.text);
}

/* What makes it drop, what undoes it, what says more. */
static void write_orders(const struct paper *paper, const json_t *now, const json_t *attack, const char *rule,
                         unsigned acting, bool only)
{
	struct draft words[3] = { { .length = 0 } };
	unsigned count = 0;

	if (rule && !is_enforcing(now) && !json_is_true(json_object_get(attack, "over")))
		draft_add(&words[count++], YELLOW "DROP" PLAIN "  holdfast enforce --confirm 60s");
	if (rule) {
		draft_add(&words[count], "UNDO  holdfast release %s", rule);
		if (acting > 1)
			draft_add(&words[count], ", %u more", acting - 1);
		count++;
	}
	if (only)
		draft_add(&words[count++], "SAY  holdfast incident latest");
	else
		draft_add(&words[count++], "SAY  holdfast incident %.*s", ID_DIGITS, fact_text(attack, "id"));
	write_words(paper, words, count);
}

static void write_attack(const struct paper *paper, const json_t *now, const json_t *attack, bool only)
{
	const json_t *rules = json_object_get(attack, "rules");
	const char *advice = fact_text(attack, "advice"), *rule;
	struct draft d = { .length = 0 };
	unsigned acting = 0;

	write_head(paper, now, attack);
	write_outcome(paper, now, attack);
	rule = write_rules(paper, now, rules, &acting);
	if (json_array_size(rules) == 0)
		paper_text(paper, 0, 5,
		           YELLOW "RULE none yet" PLAIN ": what the packets have in common is being sought");
	if (*fallback_state_says_of(fact_text(attack, "fallback"))) {
		draft_add(&d, YELLOW "FALL-BACK" PLAIN "  %s", fallback_state_says_of(fact_text(attack, "fallback")));
		paper_text(paper, 0, 11, d.text);
		d.length = 0;
	}
	if (*advice) {
		draft_add(&d, YELLOW "ADVICE" PLAIN "  %s", advice);
		paper_text(paper, 0, 8, d.text);
	}
	write_orders(paper, now, attack, rule, acting, only);
}

bool attack_page_write(const struct paper *paper, const json_t *now)
{
	const json_t *attacks = json_object_get(now, "attacks"), *attack;
	size_t count = json_array_size(attacks), i;
	bool any = false;

	json_array_foreach(attacks, i, attack)
	{
		if (i == ATTACK_PAGE_MAX)
			break;
		any = any || !json_is_true(json_object_get(attack, "over"));
		write_attack(paper, now, attack, count == 1);
		(void)fputc('\n', paper->out);
	}
	if (count > ATTACK_PAGE_MAX) {
		struct draft d = { .length = 0 };

		draft_add(&d, RED "and %zu more attack%s" PLAIN ": holdfast incidents", count - ATTACK_PAGE_MAX,
		          count - ATTACK_PAGE_MAX == 1 ? "" : "s");
		paper_line(paper, 0, d.text);
		(void)fputc('\n', paper->out);
	}
	return any;
}

bool attack_page_has_rule(const json_t *now, const char *id)
{
	const json_t *attacks = json_object_get(now, "attacks"), *attack, *rule;
	size_t i, k;

	json_array_foreach(attacks, i, attack)
	{
		json_array_foreach(json_object_get(attack, "rules"), k,
		                   rule) if (strcmp(fact_text(rule, "id"), id) == 0) return true;
	}
	return false;
}
