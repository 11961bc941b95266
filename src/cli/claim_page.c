/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/claim_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "tell/facts.h"
#include "tell/origin.h"
#include "tell/words.h"

#define INDENT 2
#define HANG 4
#define WEIGHT_COLUMN 8

void claim_page_claim(const struct paper *paper, const struct ledger_claim *claim)
{
	struct draft d = { .length = 0 };
	char at[WORDS_SIZE];

	draft_add(&d, "CLAIM " BOLD "%s" PLAIN "  by %s", claim->id, claim->by);
	if (claim->at_ns)
		draft_add(&d, ", %s UTC", words_date_time((struct capture_time){ claim->at_ns }, at));
	if (claim->url[0])
		draft_add(&d, ", %s", claim->url);
	paper_text(paper, 0, HANG, d.text);
	d.length = 0;
	draft_add(&d, "\u201c%s\u201d", claim->text);
	if (!paper->unicode) {
		d.length = 0;
		draft_add(&d, "\"%s\"", claim->text);
	}
	paper_text(paper, INDENT, INDENT, d.text);
	d.length = 0;
	draft_add(&d, "tested as: %s   on incident %016" PRIx64, claim->predicate, claim->incident);
	paper_text(paper, INDENT, HANG, d.text);
}

/* ---- the verdict ---- */

static const struct {
	const char *verdict, *colour, *word;
} words[] = {
	{ "supported", GREEN, "SUPPORTED" },
	{ "contradicted", RED, "CONTRADICTED" },
	{ "unsupported", YELLOW, "UNSUPPORTED" },
	{ "untestable", CYAN, "UNTESTABLE" },
};

static bool is_about(const json_t *verdict, const char *word)
{
	return strstr(fact_text(verdict, "predicate"), word) != NULL;
}

static void write_headline(const struct paper *paper, const json_t *verdict)
{
	const char *name = fact_text(verdict, "verdict");
	struct draft d = { .length = 0 };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(name, words[i].verdict) == 0)
			draft_add(&d, "%s%s" PLAIN "  %s", words[i].colour, words[i].word, origin_meaning(name));
	paper_text(paper, 0, HANG, d.text);
	paper_text(paper, INDENT, INDENT, fact_text(verdict, "reason"));
	if (strcmp(name, "supported") == 0 && (is_about(verdict, "country") || is_about(verdict, "network")))
		paper_text(paper, INDENT, INDENT,
		           "It is consistent with the traffic; it says nothing about who had the packets sent.");
}

/* Numbers, where they are known: "41.2 %" of shares, else as they are. */
static void add_number(struct draft *d, const json_t *value, bool share)
{
	double number = json_number_value(value);
	char text[WORDS_SIZE];

	if (!json_is_number(value))
		draft_add(d, "not known");
	else if (share)
		draft_add(d, "%.1f" WORDS_TIE "%%", number * 100);
	else if (number >= 0 && number < 1e18)
		draft_add(d, "%s", words_count((uint64_t)(number + 0.5), text));
	else
		draft_add(d, "%g", number);
}

static void write_numbers(const struct paper *paper, const json_t *verdict)
{
	const json_t *value = json_object_get(verdict, "value"), *probability = json_object_get(verdict, "probability");
	const json_t *bf = json_object_get(verdict, "log10_bayes_factor"), *high = json_object_get(verdict, "high");
	const json_t *quotient = json_object_get(verdict, "quotient");
	const char *cap = fact_text(verdict, "cap");
	bool share = is_about(verdict, "share(") || is_about(verdict, "spoofed") || is_about(verdict, "amplified") ||
	             is_about(verdict, "cause") || is_about(verdict, "within") || is_about(verdict, "family(");
	struct draft d = { .length = 0 };

	if (!json_is_number(probability))
		return;
	paper_heading(paper, "HOW SURE");
	draft_add(&d, "Likelihood: " BOLD "%s" PLAIN " (%.1f" WORDS_TIE "%%).", fact_text(verdict, "word"),
	          json_number_value(probability) * 100);
	draft_add(&d, " Confidence in that: " BOLD "%s" PLAIN "%s%s.", fact_text(verdict, "confidence"),
	          *cap ? ", because " : "", cap);
	paper_text(paper, INDENT, INDENT, d.text);
	d.length = 0;
	if (json_is_number(value)) {
		draft_add(&d, "Measured: ");
		add_number(&d, value, share);
		draft_add(&d, "; with 95" WORDS_TIE "%% between ");
		add_number(&d, json_object_get(verdict, "low"), share);
		draft_add(&d, " and ");
		if (json_is_null(high))
			draft_add(&d, "more than is known");
		else
			add_number(&d, high, share);
		if (json_is_number(json_object_get(verdict, "threshold"))) {
			draft_add(&d, "; the claim is about ");
			add_number(&d, json_object_get(verdict, "threshold"), share);
		}
		draft_add(&d, ". ");
	}
	if (json_is_number(bf))
		draft_add(&d, "Bayes factor 10^%.1f: 1.3 and more supports, -1.3 and less contradicts.",
		          json_number_value(bf));
	paper_text(paper, INDENT, INDENT, d.text);
	if (!json_is_number(quotient))
		return;
	d.length = 0;
	draft_add(
		&d,
		"Against the baseline: %.2f times as many as usual (%.2f to %.2f; G\u00b2 %.1f, of which 3.8 and less is chance).",
		json_number_value(quotient), json_number_value(json_object_get(verdict, "quotient_low")),
		json_number_value(json_object_get(verdict, "quotient_high")),
		json_number_value(json_object_get(verdict, "g2")));
	paper_text(paper, INDENT, INDENT, d.text);
}

static void write_parts(const struct paper *paper, const json_t *verdict)
{
	const json_t *parts = json_object_get(verdict, "parts"), *part;
	size_t i;

	if (json_array_size(parts) == 0)
		return;
	paper_heading(paper, "ITS PARTS");
	json_array_foreach(parts, i, part)
	{
		struct draft d = { .length = 0 };

		draft_add(&d, "%-12s  %s", fact_text(part, "verdict"), fact_text(part, "what"));
		paper_text(paper, INDENT, INDENT + HANG, d.text);
	}
}

static void write_evidence(const struct paper *paper, const json_t *verdict)
{
	const json_t *evidence = json_object_get(verdict, "evidence"), *item;
	const char *name = fact_text(verdict, "verdict");
	size_t i;

	if (json_array_size(evidence) == 0)
		return;
	paper_heading(paper, "WHAT WEIGHS, AND WHAT MOVES IT");
	json_array_foreach(evidence, i, item)
	{
		const char *without = fact_text(item, "without");
		struct draft d = { .length = 0 };

		draft_add(&d, "%+*.1f  %s", WEIGHT_COLUMN - 2, json_number_value(json_object_get(item, "weight")),
		          fact_text(item, "what"));
		if (strcmp(without, name) != 0)
			draft_add(&d, "  " BOLD "without it: %s" PLAIN, without);
		paper_text(paper, INDENT, INDENT + WEIGHT_COLUMN, d.text);
	}
	paper_text(paper, INDENT, INDENT, "Weights are powers of ten for the claim (+) or against it (-).");
}

static void write_hypotheses(const struct paper *paper, const json_t *verdict)
{
	const json_t *hypotheses = json_object_get(verdict, "hypotheses"), *item;
	size_t i;

	if (json_array_size(hypotheses) == 0)
		return;
	paper_heading(paper, "WHAT ELSE IT COULD BE");
	json_array_foreach(hypotheses, i, item)
	{
		struct draft d = { .length = 0 };

		draft_add(&d, "%+*.1f  %s", WEIGHT_COLUMN - 2,
		          json_number_value(json_object_get(item, "log10_bayes_factor")), fact_text(item, "what"));
		paper_text(paper, INDENT, INDENT + WEIGHT_COLUMN, d.text);
	}
}

static void write_unknowns(const struct paper *paper, const json_t *verdict)
{
	paper_heading(paper, "WHAT CANNOT BE KNOWN FROM PACKETS");
	paper_text(
		paper, INDENT, INDENT,
		"Who had them sent, who paid, and why: a device in a country, or a rented botnet, is nobody's signature.");
	if (json_is_true(json_object_get(verdict, "relays")))
		paper_text(
			paper, INDENT, INDENT,
			"Where the requests to the relays came from: the packets that arrived were the relays' answers.");
}

void claim_page_verdict(const struct paper *paper, const json_t *verdict)
{
	write_headline(paper, verdict);
	write_numbers(paper, verdict);
	write_parts(paper, verdict);
	write_evidence(paper, verdict);
	write_hypotheses(paper, verdict);
	write_unknowns(paper, verdict);
}
