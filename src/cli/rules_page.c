/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rules_page.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tell/facts.h"

#define INDENT 6 /* of what stands below a rule: beside its name */

const char *rules_page_left(const json_t *object, const char *key, char text[WORDS_SIZE])
{
	int64_t ns;

	if (!fact_duration(object, key, &ns))
		return strcpy(text, "never"); /* NOLINT(clang-analyzer-security.insecureAPI.strcpy): it fits */
	return words_duration(ns, text);
}

static const char *action_of(const json_t *rule, char text[WORDS_SIZE])
{
	char count[WORDS_SIZE];

	if (json_is_true(json_object_get(rule, "shadow")))
		(void)snprintf(text, WORDS_SIZE, "%.20s, observed", fact_text(rule, "action"));
	else if (fact_count(rule, "rate_pps"))
		(void)snprintf(text, WORDS_SIZE, "%.20s/s", words_count(fact_count(rule, "rate_pps"), count));
	else
		(void)snprintf(text, WORDS_SIZE, "%.20s", fact_text(rule, "action"));
	return text;
}

static const char *packets_of(const json_t *rule, const char *key, char text[WORDS_SIZE])
{
	return words_count(fact_count(json_object_get(rule, key), "packets"), text);
}

void rules_page_add_sources(struct draft *d, const json_t *rule)
{
	uint64_t pps = fact_count(rule, "source_pps");
	char text[WORDS_SIZE];

	if (json_is_true(json_object_get(rule, "each_source")))
		draft_add(d, ", of each source");
	if (json_is_true(json_object_get(rule, "unless_known")))
		draft_add(d, ", unless the source is known");
	if (json_is_true(json_object_get(rule, "unless_known")) && pps)
		draft_add(d, " and sends no more than %s/s", words_count(pps, text));
}

static void write_row(const struct paper *paper, const json_t *rule)
{
	char action[WORDS_SIZE], matched[WORDS_SIZE], dropped[WORDS_SIZE], left[WORDS_SIZE];
	struct draft d = { .length = 0 };

	draft_add(&d, BOLD "%-5s" PLAIN " %-14s %15s %15s %12s", fact_text(rule, "id"), action_of(rule, action),
	          packets_of(rule, "matched", matched), packets_of(rule, "dropped", dropped),
	          rules_page_left(rule, "left_s", left));
	paper_line(paper, 0, d.text);
	d.length = 0;
	draft_add(&d, "%s to %s", fact_text(rule, "match"), fact_text(rule, "scope"));
	rules_page_add_sources(&d, rule);
	paper_line(paper, INDENT, d.text); /* unbroken: it is to be copied */
}

/* "made 5 min ago by root: ntp flood" */
static void write_origin(const struct paper *paper, const json_t *rule, struct capture_time now)
{
	const char *reason = fact_text(rule, "reason");
	struct draft d = { .length = 0 };
	struct capture_time made;
	char text[WORDS_SIZE];
	int64_t since_ns;

	draft_add(&d, DIM "made ");
	if (fact_time(rule, "made", &made))
		draft_add(&d, "%s ago ", words_duration(time_since(now, made), text));
	draft_add(&d, "by %s%s%s", fact_text(rule, "made_by"), *reason ? ": " : "", reason);
	if (fact_duration(rule, "last_s", &since_ns))
		draft_add(&d, "; last matched %s ago", words_duration(since_ns, text));
	draft_add(&d, PLAIN);
	paper_text(paper, INDENT, INDENT, d.text);
}

void rules_page_write(const struct paper *paper, const json_t *rules, bool enforce, bool made_by,
                      struct capture_time now)
{
	struct draft d = { .length = 0 };
	const json_t *rule;
	size_t i;

	draft_add(&d, BOLD "%-5s %-14s %15s %15s %12s" PLAIN, "RULE", "ACTION", "MATCHED",
	          enforce ? "DROPPED" : "WOULD DROP", "ENDS IN");
	paper_line(paper, 0, d.text);
	json_array_foreach(rules, i, rule)
	{
		write_row(paper, rule);
		if (made_by)
			write_origin(paper, rule, now);
		d.length = 0;
		draft_add(&d, "UNDO  holdfast release %s", fact_text(rule, "id"));
		paper_line(paper, INDENT, d.text);
	}
}
