/* SPDX-License-Identifier: Apache-2.0 */
/* What to do: the rules in the order in which they are to be used, what they let through, and what else helps. */
#include "tell/report.h"

#include <inttypes.h>

static void write_rule(struct report *r, const struct signature *s)
{
	static const struct {
		const char *class, *word;
	} actions[] = {
		[RULE_NONE] = { "none", "Not proposed" },
		[RULE_DROP] = { "drop", "Drop" },
		[RULE_RATE_LIMIT] = { "limit", "Limit" },
		[RULE_CHALLENGE] = { "challenge", "Challenge" },
	};
	struct account *a = &r->account;
	char match[MATCH_TEXT_SIZE];
	struct draft d = { .length = 0 };

	(void)fprintf(r->out, "<li class=\"rule %s\">\n<p class=\"match\"><strong class=\"badge\">",
	              actions[s->action].class);
	report_text(r, actions[s->action].word);
	if (s->action == RULE_RATE_LIMIT) {
		report_raw(r, " to ");
		report_text(r, account_scaled(a, s->rate_limit_pps, "pps"));
	}
	report_raw(r, "</strong> <code>");
	report_text(r, match_format(&s->match, match));
	report_raw(r, "</code></p>\n");
	draft_add(&d, "Catches %s of the attack", account_down(a, s->coverage_ppm));
	if (s->added_ppm != s->coverage_ppm)
		draft_add(&d, ", %s that no rule before it does", account_down(a, s->added_ppm));
	draft_add(&d, ".");
	account_cost(a, s, &d);
	report_paragraph(r, d.text);
	if (s->reason[0]) {
		struct draft why = { .length = 0 };

		account_reason(a, s, &why);
		report_raw(r, "<p class=\"why\">Why: ");
		report_text(r, why.text);
		report_raw(r, ".</p>\n");
	}
	report_raw(r, "</li>\n");
}

/* What was done live where no signature was safe. */
static void write_fallbacks(struct report *r, const struct finding *f)
{
	for (unsigned i = 0; r->live && i < r->live->rule_count; i++) {
		const struct life *life = r->live->rules[i];
		struct draft d = { .length = 0 };
		char text[WORDS_SIZE];

		if (!life->fallback || life->incident != f->incident->id || life->number == 0)
			continue;
		draft_add(&d, "While it was watched, r%" PRIu32 " stood in for what no signature could do: %s.",
		          life->number, life->signature.reason);
		draft_add(&d, " It matched %s packets", words_count(life->count.matched, text));
		draft_add(&d, " and dropped %s", words_count(life->count.dropped, text));
		draft_add(&d, ", of known sources %s;", words_count(life->count.known_lost, text));
		draft_add(&d, " of these it let %s pass.", words_count(life->count.known, text));
		report_paragraph(r, d.text);
	}
}

void report_rules(struct report *r, const struct finding *f)
{
	const struct signature_set *set = &f->signatures;
	struct draft advice = { .length = 0 }, residual = { .length = 0 };
	bool acting = account_acting(f) > 0;

	report_section_open(r, "What to do");
	write_fallbacks(r, f);
	account_advice(f, &advice);
	account_residual(&r->account, f, &residual);
	if (!acting && advice.length)
		report_paragraph(r, advice.text);
	if (set->count) {
		report_raw(r, "<ol class=\"rules\">\n");
		for (uint32_t i = 0; i < set->count && i < SIGNATURES_MAX; i++)
			write_rule(r, &set->signatures[i]);
		report_raw(r, "</ol>\n");
	}
	if (residual.length)
		report_paragraph(r, residual.text);
	if (acting && advice.length)
		report_paragraph(r, advice.text);
	if (acting)
		report_raw(r,
		           "<p>Try the rules before you use them: <code>holdfast try</code> applies them to a capture, "
		           "and touches nothing but the file that it writes.</p>\n");
	report_section_close(r);
}
