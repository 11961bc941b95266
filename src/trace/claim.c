/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terms are tested one by one (claim_share.c, claim_terms.c, claim_cause.c); here is what they share, and what joins
 * them.
 */
#include "trace/claim.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/real.h"
#include "trace/claim_inside.h"

#define LN_10 2.302585092994045684
#define PROBABILITY_LEAST 1e-12
#define PRIOR_LEAST 0.001 /* of a share to be above a threshold, or below */
#define EQUAL_SHARE 0.05  /* "= 0.5" is meant so */
#define EQUAL_OTHER 0.1   /* "= 86400" is meant to a tenth */
#define EQUAL_PRIOR 0.044 /* of a tenth in a hundredfold range */
#define BISECTIONS 80
#define LOG_NORMAL_REACH 12.0 /* standard deviations */
#define OBSERVED_LOW 0.001
#define OBSERVED_MODERATE 0.1

const char *claim_verdict_name(enum claim_verdict verdict)
{
	static const char *const verdicts[] = { "unsupported", "supported", "contradicted", "untestable" };

	return (unsigned)verdict <= CLAIM_UNTESTABLE ? verdicts[verdict] : "";
}

const char *claim_confidence_name(enum claim_confidence confidence)
{
	static const char *const confidences[] = { "low", "moderate", "high" };

	return (unsigned)confidence <= CLAIM_HIGH ? confidences[confidence] : "";
}

/* ---- numbers ---- */

double claim_log10(double x)
{
	return real_log(x) / LN_10;
}

double claim_clamp(double log10_bf)
{
	return log10_bf > CLAIM_LOG10_BF_MAX    ? CLAIM_LOG10_BF_MAX
	       : log10_bf < -CLAIM_LOG10_BF_MAX ? -CLAIM_LOG10_BF_MAX
	                                        : log10_bf;
}

static double log10_odds(double p)
{
	p = p < PROBABILITY_LEAST ? PROBABILITY_LEAST : p > 1 - PROBABILITY_LEAST ? 1 - PROBABILITY_LEAST : p;
	return claim_log10(p / (1 - p));
}

double claim_end_below(const struct claim_end *end, double x)
{
	switch (end->law) {
	case CLAIM_BETA:
		return real_beta_below(end->a, end->b, x);
	case CLAIM_LOG_NORMAL:
		return x > 0 ? real_normal_below((real_log(x) - real_log(end->a)) / end->b) : 0;
	case CLAIM_EXACT:
		break;
	}
	return end->a < x;
}

double claim_end_quantile(const struct claim_end *end, double share)
{
	double low = 0, high = 1;

	if (end->law == CLAIM_EXACT)
		return end->a;
	if (end->law == CLAIM_LOG_NORMAL) { /* in standard deviations */
		low = -LOG_NORMAL_REACH;
		high = LOG_NORMAL_REACH;
	}
	for (unsigned i = 0; i < BISECTIONS; i++) {
		double middle = (low + high) / 2;
		double below =
			end->law == CLAIM_BETA ? real_beta_below(end->a, end->b, middle) : real_normal_below(middle);

		if (below < share)
			low = middle;
		else
			high = middle;
	}
	return end->law == CLAIM_BETA ? (low + high) / 2 : end->a * real_exp((low + high) / 2 * end->b);
}

/* log10 Bayes factor of "at least the threshold" for one end. */
static double at_least(const struct claim_end *end, double threshold, bool above)
{
	double prior = 0;

	if (end->law == CLAIM_EXACT)
		return (above ? end->a > threshold : end->a >= threshold) ? CLAIM_LOG10_BF_MAX : -CLAIM_LOG10_BF_MAX;
	if (end->law == CLAIM_BETA) { /* any share is as likely before */
		double p = 1 - threshold;

		prior = log10_odds(p < PRIOR_LEAST ? PRIOR_LEAST : p > 1 - PRIOR_LEAST ? 1 - PRIOR_LEAST : p);
	}
	return claim_clamp(-log10_odds(claim_end_below(end, threshold)) - prior);
}

/* … of "between". */
static double between(const struct claim_end *end, double from, double to)
{
	double prior = EQUAL_PRIOR;

	if (end->law == CLAIM_EXACT)
		return end->a >= from && end->a <= to ? CLAIM_LOG10_BF_MAX : -CLAIM_LOG10_BF_MAX;
	if (end->law == CLAIM_BETA)
		prior = (to < 1 ? to : 1) - (from > 0 ? from : 0);
	return claim_clamp(log10_odds(claim_end_below(end, to) - claim_end_below(end, from)) - log10_odds(prior));
}

/* What both ends agree on. */
static double agreed(double low, double high)
{
	if (low > 0 && high > 0)
		return low < high ? low : high;
	if (low < 0 && high < 0)
		return low > high ? low : high;
	return 0;
}

static void compare_equal(const struct predicate_node *node, const struct claim_end *low, const struct claim_end *high,
                          struct claim_measure *m)
{
	double slack = low->law == CLAIM_BETA ? EQUAL_SHARE : node->value * EQUAL_OTHER;
	double from = node->value - slack, to = node->value + slack;
	bool inside = m->low >= from && m->high <= to, outside = m->high < from || m->low > to;

	m->log10_bf = agreed(between(low, from, to), between(high, from, to));
	/* One end below and one above: it may well lie between. */
	if (m->log10_bf < 0 && !outside)
		m->log10_bf = 0;
	m->verdict = claim_decide(m->log10_bf, inside ? 1 : outside ? -1 : 0);
}

void claim_compare_within(const struct predicate_node *node, const struct claim_end *low, const struct claim_end *high,
                          struct claim_measure *m)
{
	bool above = node->compare == PREDICATE_ABOVE || node->compare == PREDICATE_AT_MOST;
	bool upward = node->compare == PREDICATE_ABOVE || node->compare == PREDICATE_AT_LEAST;
	double threshold = node->value, bf;
	int clear;

	if (node->compare == PREDICATE_EQUAL) {
		compare_equal(node, low, high, m);
		return;
	}
	bf = agreed(at_least(low, threshold, above), at_least(high, threshold, above));
	clear = (above ? m->low > threshold : m->low >= threshold)     ? 1
	        : (above ? m->high <= threshold : m->high < threshold) ? -1
	                                                               : 0;
	m->log10_bf = upward ? bf : -bf;
	m->verdict = claim_decide(m->log10_bf, upward ? clear : -clear);
}

void claim_compare(const struct predicate_node *node, const struct claim_end *low, const struct claim_end *high,
                   struct claim_measure *m)
{
	m->low = claim_end_quantile(low, 0.025);
	m->high = claim_end_quantile(high, 0.975);
	claim_compare_within(node, low, high, m);
}

enum claim_verdict claim_decide(double log10_bf, int clear)
{
	const double supported = claim_log10(CLAIM_SUPPORTED_BF);

	if (log10_bf >= supported && clear > 0)
		return CLAIM_SUPPORTED;
	return log10_bf <= -supported && clear < 0 ? CLAIM_CONTRADICTED : CLAIM_UNSUPPORTED;
}

const char *claim_percent(double share, char text[CLAIM_NUMBER_SIZE])
{
	double percent = share * 100;

	(void)snprintf(text, CLAIM_NUMBER_SIZE, percent > 0 && percent < 0.1 ? "%.2f %%" : "%.1f %%", percent);
	return text;
}

const char *claim_span(double low, double high, char text[CLAIM_SPAN_SIZE])
{
	char least[CLAIM_NUMBER_SIZE], most[CLAIM_NUMBER_SIZE];
	bool same = strcmp(claim_percent(low, least), claim_percent(high, most)) == 0;

	(void)snprintf(text, CLAIM_SPAN_SIZE, "%s%s%s", least, same ? "" : " to ", same ? "" : most);
	return text;
}

const char *claim_number(double number, char text[CLAIM_NUMBER_SIZE])
{
	char digits[CLAIM_NUMBER_SIZE];
	size_t length, at = 0;

	if (!(number >= 0 && number < 1e18)) {
		(void)snprintf(text, CLAIM_NUMBER_SIZE, "%g", number);
		return text;
	}
	if (number < 100 && number > (double)(uint64_t)number) {
		(void)snprintf(text, CLAIM_NUMBER_SIZE, "%.2f", number);
		return text;
	}
	length = (size_t)snprintf(digits, sizeof(digits), "%.0f", number);
	for (size_t i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	return text;
}

/* ---- what is said ---- */

void claim_say_reason(struct claim_result *result, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(result->reason, sizeof(result->reason), format, arguments);
	va_end(arguments);
}

void claim_cap(struct claim_result *result, enum claim_confidence most, const char *format, ...)
{
	va_list arguments;

	if (most >= result->confidence)
		return;
	result->confidence = most;
	va_start(arguments, format);
	(void)vsnprintf(result->cap, sizeof(result->cap), format, arguments);
	va_end(arguments);
}

void claim_add_evidence(struct claim_result *result, double weight, enum claim_verdict without, const char *format, ...)
{
	struct claim_evidence *evidence;
	va_list arguments;

	if (result->evidence_count == CLAIM_EVIDENCE_MAX)
		return;
	evidence = &result->evidence[result->evidence_count++];
	evidence->weight = weight;
	evidence->without = without;
	va_start(arguments, format);
	(void)vsnprintf(evidence->what, sizeof(evidence->what), format, arguments);
	va_end(arguments);
}

/* The least inconsistent stays first; of equals the one that came first. */
void claim_add_hypothesis(struct claim_result *result, double log10_bf, const char *format, ...)
{
	uint32_t at = result->hypotheses_count;
	va_list arguments;

	if (at == CLAIM_HYPOTHESES_MAX)
		return;
	for (; at > 0 && result->hypotheses[at - 1].log10_bf < log10_bf; at--)
		result->hypotheses[at] = result->hypotheses[at - 1];
	result->hypotheses_count++;
	result->hypotheses[at].log10_bf = log10_bf;
	va_start(arguments, format);
	(void)vsnprintf(result->hypotheses[at].what, CLAIM_TEXT_SIZE, format, arguments);
	va_end(arguments);
}

/* ICD 203 (US Intelligence Community Directive, analytic standards, 2015), table of likelihoods. */
static const char *word_of(double probability)
{
	static const struct {
		double below;
		const char *word;
	} words[] = {
		{ 0.05, "almost no chance" },    { 0.20, "very unlikely" }, { 0.45, "unlikely" },
		{ 0.55, "roughly even chance" }, { 0.80, "likely" },        { 0.95, "very likely" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (probability < words[i].below)
			return words[i].word;
	return "almost certain";
}

/* ---- terms ---- */

static void begin(struct claim_result *result)
{
	memset(result, 0, sizeof(*result));
	result->verdict = CLAIM_UNSUPPORTED;
	result->confidence = CLAIM_HIGH;
	result->word = "";
	result->value = result->low = result->high = result->threshold = REAL_UNKNOWN;
	result->quotient = result->quotient_low = result->quotient_high = result->g2 = REAL_UNKNOWN;
}

static void test_actor(struct claim_result *result)
{
	result->verdict = CLAIM_UNTESTABLE;
	claim_say_reason(result,
	                 "Packets show machines, not who had them send: this would look the same whoever it was.");
}

static int test_term(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result)
{
	int status = 0;

	begin(result);
	switch (node->kind) {
	case PREDICATE_SHARE:
		result->threshold = node->value;
		if (node->key == PREDICATE_COUNTRY)
			status = claim_country(c, node, result);
		else if (node->key == PREDICATE_NETWORK)
			claim_network(c, node, result);
		else
			claim_quantity(c, node, result);
		break;
	case PREDICATE_COUNT:
	case PREDICATE_SIZE_BPS:
	case PREDICATE_SIZE_PPS:
	case PREDICATE_DURATION:
	case PREDICATE_COST:
		result->threshold = node->value;
		claim_quantity(c, node, result);
		break;
	case PREDICATE_FAMILY:
		claim_family(c, node, result);
		break;
	case PREDICATE_SPOOFED:
	case PREDICATE_AMPLIFIED:
		claim_spoofed(c, node, result);
		break;
	case PREDICATE_COORDINATED:
		claim_coordinated(c, node, result);
		break;
	case PREDICATE_OUTAGE:
	case PREDICATE_OUTAGE_WITHIN:
	case PREDICATE_OUTAGE_LENGTH:
		result->threshold = node->kind == PREDICATE_OUTAGE_LENGTH ? node->value : REAL_UNKNOWN;
		status = claim_outage(c, node, result);
		break;
	case PREDICATE_CAUSE:
		status = claim_cause(c, node, result);
		break;
	case PREDICATE_ACTOR:
	case PREDICATE_AND:
	case PREDICATE_OR:
	case PREDICATE_NOT:
		test_actor(result);
		break;
	}
	return status;
}

/* What was seen of the whole bounds what can be known of anything in it. */
static void finish(const struct trace *trace, struct claim_result *result)
{
	char text[CLAIM_NUMBER_SIZE];

	if (result->verdict == CLAIM_UNTESTABLE) {
		result->log10_bf = result->probability = REAL_UNKNOWN;
		result->value = result->low = result->high = REAL_UNKNOWN;
		result->word = "";
		result->confidence = CLAIM_LOW;
		result->cap[0] = '\0';
		result->evidence_count = result->hypotheses_count = 0;
		return;
	}
	if (trace->observed < OBSERVED_MODERATE)
		claim_cap(result, trace->observed < OBSERVED_LOW ? CLAIM_LOW : CLAIM_MODERATE,
		          "only %s of the packets were looked at", claim_percent(trace->observed, text));
	if (trace->ended_ns == 0)
		claim_cap(result, CLAIM_MODERATE, "the attack had not ended when it was traced");
	result->probability = 1 / (1 + real_exp(-result->log10_bf * LN_10));
	result->word = word_of(result->probability);
}

/* ---- and, or, not ---- */

struct side {
	enum claim_verdict verdict;
	double log10_bf;
};

static struct side turn(struct side side)
{
	side.log10_bf = -side.log10_bf;
	if (side.verdict == CLAIM_SUPPORTED)
		side.verdict = CLAIM_CONTRADICTED;
	else if (side.verdict == CLAIM_CONTRADICTED)
		side.verdict = CLAIM_SUPPORTED;
	return side;
}

static struct side both(struct side a, struct side b)
{
	struct side side = { CLAIM_UNSUPPORTED, a.log10_bf < b.log10_bf ? a.log10_bf : b.log10_bf };

	if (a.verdict == CLAIM_UNTESTABLE || b.verdict == CLAIM_UNTESTABLE)
		side.verdict = CLAIM_UNTESTABLE;
	else if (a.verdict == CLAIM_CONTRADICTED || b.verdict == CLAIM_CONTRADICTED)
		side.verdict = CLAIM_CONTRADICTED;
	else if (a.verdict == CLAIM_SUPPORTED && b.verdict == CLAIM_SUPPORTED)
		side.verdict = CLAIM_SUPPORTED;
	return side;
}

/* Works out the whole from its terms' sides, in the order in which terms come. */
static struct side join(const struct predicate *predicate, const struct side *terms)
{
	struct side stack[PREDICATE_TERMS_MAX + 1] = { { CLAIM_UNSUPPORTED, 0 } };
	unsigned depth = 0, term = 0;

	for (uint32_t i = 0; i < predicate->count; i++) {
		const struct predicate_node *node = &predicate->nodes[i];

		if (!predicate_joins(node)) {
			stack[depth++] = terms[term++];
		} else if (node->kind == PREDICATE_NOT) {
			stack[depth - 1] = turn(stack[depth - 1]);
		} else {
			depth--;
			stack[depth - 1] = node->kind == PREDICATE_AND
			                           ? both(stack[depth - 1], stack[depth])
			                           : turn(both(turn(stack[depth - 1]), turn(stack[depth])));
		}
	}
	return stack[0];
}

/* The whole of several terms: their verdicts, the weakest one's confidence, and how it stands without each. */
static void sum_up(const struct predicate *predicate, const struct claim_result *terms, unsigned count,
                   struct claim_result *result)
{
	struct side sides[PREDICATE_TERMS_MAX] = { { CLAIM_UNSUPPORTED, 0 } }, whole;
	uint32_t node = 0;

	begin(result);
	for (unsigned i = 0; i < count; i++)
		sides[i] =
			(struct side){ terms[i].verdict, terms[i].verdict == CLAIM_UNTESTABLE ? 0 : terms[i].log10_bf };
	whole = join(predicate, sides);
	result->verdict = whole.verdict;
	result->log10_bf = whole.log10_bf;
	for (unsigned i = 0; i < count; i++, node++) {
		struct claim_part *part = &result->parts[result->parts_count++];
		struct side kept = sides[i], without;

		while (predicate_joins(&predicate->nodes[node]))
			node++;
		(void)snprintf(part->what, sizeof(part->what), "%.*s", (int)predicate->nodes[node].text_length,
		               predicate->text + predicate->nodes[node].text_at);
		part->verdict = terms[i].verdict;
		part->log10_bf = terms[i].log10_bf;
		part->value = terms[i].value;
		part->low = terms[i].low;
		part->high = terms[i].high;
		part->threshold = terms[i].threshold;
		if (terms[i].verdict == CLAIM_UNTESTABLE)
			continue;
		if (terms[i].confidence < result->confidence)
			claim_cap(result, terms[i].confidence, "%s", terms[i].cap);
		result->relays = result->relays || terms[i].relays;
		sides[i] = (struct side){ CLAIM_UNSUPPORTED, 0 };
		without = join(predicate, sides);
		sides[i] = kept;
		claim_add_evidence(result, whole.log10_bf - without.log10_bf, without.verdict, "%.60s: %s. %.140s",
		                   part->what, claim_verdict_name(terms[i].verdict), terms[i].reason);
	}
	if (whole.verdict == CLAIM_UNTESTABLE)
		claim_say_reason(
			result, "A part of it cannot be tested, so the whole cannot; its parts are judged one by one.");
	else
		claim_say_reason(result,
		                 "It has %u parts, judged one by one; joined they are no surer than the weakest.",
		                 count);
}

int claim_test(const struct predicate *predicate, const struct trace *trace, const struct claim_context *context,
               uint64_t seed, struct claim_result *result)
{
	static const struct claim_context nothing = { .attack_passing = REAL_UNKNOWN };
	struct claim_result *terms = calloc(PREDICATE_TERMS_MAX + 1, sizeof(*terms));
	struct claim_case c = { .trace = trace, .context = context ? context : &nothing };
	struct claim_draws *draws = NULL;
	unsigned count = 0;
	int status = terms ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < predicate->count && status == 0; i++) {
		const struct predicate_node *node = &predicate->nodes[i];

		if (predicate_joins(node))
			continue;
		if (!draws && node->kind == PREDICATE_SHARE && node->key == PREDICATE_COUNTRY)
			status = claim_draws_new(trace, seed, &draws);
		c.draws = draws;
		c.scratch = &terms[PREDICATE_TERMS_MAX];
		if (status == 0)
			status = test_term(&c, node, &terms[count]);
		finish(trace, &terms[count++]);
	}
	if (status == 0) {
		if (predicate->count == 1) {
			*result = terms[0];
		} else if (count == 1) { /* "not", once or more */
			struct side side = { terms[0].verdict, terms[0].log10_bf };

			side = join(predicate, &side);
			*result = terms[0];
			result->verdict = side.verdict;
			result->log10_bf = side.log10_bf;
			finish(trace, result);
		} else {
			sum_up(predicate, terms, count, result);
			finish(trace, result);
		}
	}
	claim_draws_free(draws);
	free(terms);
	return status;
}
