/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outages, and what explains them. An outage is a span in which users were not served, as the platform measured it; it
 * counts by its length and by how many it hit.
 *
 * What a cause can explain is impact/cause.h's. Beside that, when outages begin tells causes apart: right after their
 * cause, mostly; at any time of the day where they have none that we know.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/real.h"
#include "base/time.h"
#include "impact/cause.h"
#include "trace/claim_inside.h"

#define CAUSE_DELAY (600 * NS_PER_S) /* an outage begins so soon after its cause, mostly */
#define DAY_S 86400.0
#define AT_ONCE 0.7 /* of the outages that a cause makes begin at once; */
#define LATER 0.25  /* … later, while it lasts; the others are mistakes of measurement */
#define OUTSIDE 0.01
#define MOST 0.5
#define WITHIN 0.9 /* so much of an outage is "within" */
#define WITHIN_BF 3.0
#define PASSED_LITTLE 0.01 /* share of an attack that reached the service */
#define PASSED_MUCH 0.1
#define ITEMS_MAX 12
#define SAME_CLOCK (2 * NS_PER_S)
#define SERIES_PARTS 180 /* a series has twice as many points */
#define NOT_MEASURED "users were not measured all the time"
#define SPANS_AFTER (6 * 3600 * NS_PER_S) /* so long after the attack an outage is still told with it */

static const char *const names[CAUSES] = { "the attack", "changes of one's own", "providers' failures",
	                                   "nothing that is known" };

static const char *nothing_measured(const struct claim_context *context)
{
	return context->measured_to_ns
	               ? "Users were answered as before while the attack lasted; nobody measured at other times."
	               : "No outage was measured, and nobody measured: what users felt is not known here.";
}

/*
 * How well an outage's ends are known: to a minute, or, by the clock that has seen the attack, to two points of a
 * series.
 */
static int64_t precision(const struct claim_context *context)
{
	int64_t measured = context->measured_to_ns - context->measured_from_ns;
	int64_t own = SAME_CLOCK + measured / SERIES_PARTS;

	return context->measured_to_ns && own < CAUSE_EARLY_NS ? own : CAUSE_EARLY_NS;
}

struct explained {
	double total_s; /* of outage, weighted */
	double edges_s; /* of it, so close to an end that it may lie outside: precision() */
	double low[CAUSES], value[CAUSES], high[CAUSES];
	double log10_l[CAUSES]; /* how well each explains when outages began, against none */
};

struct scene {
	const struct claim_case *c;
	uint32_t without_span, without_event;
	struct cause_era eras[CAUSE_ERAS_MAX];
	uint32_t eras_count;
	struct cause_piece pieces[CAUSE_PIECES_MAX];
};

_Static_assert((int)PREDICATE_ATTACK == CAUSE_ATTACK && (int)PREDICATE_CHANGE == CAUSE_OWN_CHANGE &&
                       (int)PREDICATE_PROVIDER == CAUSE_PROVIDER && (int)PREDICATE_UNKNOWN == CAUSE_UNKNOWN,
               "causes are by the same numbers");
_Static_assert(CAUSE_ERAS_MAX == CLAIM_EVENTS_MAX + 1, "an attack and all events");

static int64_t plus(int64_t ns, int64_t more)
{
	return time_plus((struct capture_time){ ns }, more).ns;
}

static double seconds(int64_t from, int64_t to)
{
	return to > from ? (double)time_since((struct capture_time){ to }, (struct capture_time){ from }) /
	                           (double)NS_PER_S
	                 : 0;
}

static int64_t end_of(const struct claim_case *c, const struct claim_span *span)
{
	return span->ended_ns                       ? span->ended_ns
	       : c->trace->made_ns > span->began_ns ? c->trace->made_ns
	                                            : span->began_ns;
}

static double lost_of(const struct claim_span *span)
{
	return span->lost > 1 ? 1 : span->lost > 0 ? span->lost : 0;
}

static uint32_t outages_of(const struct claim_context *context)
{
	return context->outages_count < CLAIM_OUTAGES_MAX ? context->outages_count : CLAIM_OUTAGES_MAX;
}

static void open_eras(struct scene *scene)
{
	const struct trace *trace = scene->c->trace;
	const struct claim_context *context = scene->c->context;
	int64_t end = trace->ended_ns ? trace->ended_ns : trace->made_ns;

	scene->eras_count = 0;
	scene->eras[scene->eras_count++] = (struct cause_era){ trace->began_ns, end, CAUSE_ATTACK, 0 };
	for (uint32_t i = 0; i < context->events_count && i < CLAIM_EVENTS_MAX; i++) {
		const struct claim_event *event = &context->events[i];

		if (i == scene->without_event)
			continue;
		end = event->ended_ns ? event->ended_ns : event->began_ns;
		scene->eras[scene->eras_count++] =
			(struct cause_era){ event->began_ns, end > event->began_ns ? end : event->began_ns,
			                    event->kind == CLAIM_OWN_CHANGE ? CAUSE_OWN_CHANGE : CAUSE_PROVIDER, 0 };
	}
}

/* What of one span each cause explains. */
static void explain_span(struct scene *scene, const struct claim_span *span, struct explained *e)
{
	uint32_t count =
		cause_cut(scene->eras, scene->eras_count, span->began_ns, end_of(scene->c, span), scene->pieces);

	for (uint32_t i = 0; i < count; i++) {
		const struct cause_piece *piece = &scene->pieces[i];
		double weight = seconds(piece->from_ns, piece->to_ns) * lost_of(span);

		for (unsigned k = 0; k < CAUSES; k++) {
			e->high[k] += piece->can[k] || piece->touches[k] ? weight : 0;
			e->value[k] += piece->can[k] ? weight / (piece->count ? piece->count : 1) : 0;
			e->low[k] += piece->can[k] && piece->count <= 1 ? weight : 0;
		}
	}
}

/* How much likelier it is that an outage begins then if this is its cause than if it has none that is known. */
static double onset_ratio(const struct scene *scene, enum predicate_cause cause, int64_t began)
{
	double best = OUTSIDE;

	for (uint32_t i = 0; i < scene->eras_count; i++) {
		const struct cause_era *w = &scene->eras[i];
		double lasts = seconds(w->from_ns, w->to_ns) + seconds(0, CAUSE_RECOVERY_NS), ratio = OUTSIDE;

		if ((int)w->cause != (int)cause)
			continue;
		if (began >= plus(w->from_ns, -CAUSE_EARLY_NS) && began <= plus(w->from_ns, CAUSE_DELAY))
			ratio = AT_ONCE * DAY_S / seconds(-CAUSE_EARLY_NS, CAUSE_DELAY);
		else if (began > w->from_ns && began < plus(w->to_ns, CAUSE_RECOVERY_NS))
			ratio = LATER * DAY_S / lasts;
		best = ratio > best ? ratio : best;
	}
	return best;
}

static void explain(struct scene *scene, struct explained *e)
{
	const struct claim_context *context = scene->c->context;
	double passing = context->attack_passing;

	memset(e, 0, sizeof(*e));
	open_eras(scene);
	for (uint32_t i = 0; i < outages_of(context); i++) {
		const struct claim_span *span = &context->outages[i];

		if (i == scene->without_span)
			continue;
		e->total_s += seconds(span->began_ns, end_of(scene->c, span)) * lost_of(span);
	}
	if (!(e->total_s > 0))
		return;
	for (uint32_t i = 0; i < outages_of(context); i++) {
		const struct claim_span *span = &context->outages[i];
		double weight = seconds(span->began_ns, end_of(scene->c, span)) * lost_of(span) / e->total_s;

		if (i == scene->without_span || !(weight > 0))
			continue;
		e->edges_s += seconds(0, precision(context)) * lost_of(span);
		explain_span(scene, span, e);
		for (unsigned k = 0; k < PREDICATE_UNKNOWN; k++)
			e->log10_l[k] +=
				weight * claim_log10(onset_ratio(scene, (enum predicate_cause)k, span->began_ns));
	}
	for (unsigned k = 0; k < CAUSES; k++) {
		e->low[k] /= e->total_s;
		e->value[k] /= e->total_s;
		e->high[k] /= e->total_s;
	}
	if (passing < PASSED_LITTLE) /* false where it is not known */
		e->log10_l[PREDICATE_ATTACK] -= 1;
	else if (passing >= PASSED_MUCH)
		e->log10_l[PREDICATE_ATTACK] += 0.3;
}

/* Against the mean of the others, all being as likely before. */
static double bayes_factor(const struct explained *e, enum predicate_cause cause)
{
	double others = 0;

	for (unsigned k = 0; k < CAUSES; k++)
		others += k == cause ? 0 : real_exp(e->log10_l[k] * real_log(10)) / (CAUSES - 1);
	return claim_clamp(e->log10_l[cause] - claim_log10(others));
}

static struct claim_measure measure_cause(struct scene *scene, enum predicate_cause cause, struct explained *e)
{
	struct claim_measure m = { CLAIM_UNSUPPORTED, 0, REAL_UNKNOWN, REAL_UNKNOWN, REAL_UNKNOWN };
	double edges;

	explain(scene, e);
	if (!(e->total_s > 0))
		return m;
	edges = e->edges_s / e->total_s;
	m.value = e->value[cause];
	m.low = e->low[cause] - edges > 0 ? e->low[cause] - edges : 0;
	m.high = e->high[cause] + edges < 1 ? e->high[cause] + edges : 1;
	m.log10_bf = bayes_factor(e, cause);
	m.verdict = claim_decide(m.log10_bf, m.low > MOST ? 1 : m.high <= MOST ? -1 : 0);
	return m;
}

static void weigh(struct scene *scene, const struct predicate_node *node, struct claim_result *result)
{
	const struct claim_context *context = scene->c->context;
	struct claim_measure without;
	struct explained e;
	char at[TIME_TEXT_SIZE], length[CLAIM_NUMBER_SIZE];

	for (uint32_t i = 0; i < outages_of(context) && i < ITEMS_MAX / 2; i++) {
		const struct claim_span *span = &context->outages[i];

		scene->without_span = i;
		without = measure_cause(scene, node->cause, &e);
		claim_add_evidence(result, result->log10_bf - without.log10_bf, without.verdict,
		                   "outage from %.16s UTC, %s minutes",
		                   time_format((struct capture_time){ span->began_ns }, at),
		                   claim_number(seconds(span->began_ns, end_of(scene->c, span)) / 60, length));
	}
	scene->without_span = CLAIM_NOTHING;
	for (uint32_t i = 0; i < context->events_count && i < ITEMS_MAX / 2; i++) {
		scene->without_event = i;
		without = measure_cause(scene, node->cause, &e);
		claim_add_evidence(result, result->log10_bf - without.log10_bf, without.verdict, "%s from %.16s UTC",
		                   context->events[i].kind == CLAIM_OWN_CHANGE ? "own change" : "provider's failure",
		                   time_format((struct capture_time){ context->events[i].began_ns }, at));
	}
	scene->without_event = CLAIM_NOTHING;
}

int claim_cause(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result)
{
	struct scene *scene;
	struct explained e;
	struct claim_measure m;
	double most;
	char value[CLAIM_NUMBER_SIZE], low[CLAIM_NUMBER_SIZE], high[CLAIM_NUMBER_SIZE];

	result->threshold = MOST;
	if (c->context->outages_count == 0) {
		claim_say_reason(result, "%s",
		                 c->context->watched ? "No outage was measured: there is nothing to explain."
		                                     : nothing_measured(c->context));
		if (!c->context->watched)
			claim_cap(result, c->context->measured_to_ns ? CLAIM_MODERATE : CLAIM_LOW, "%s", NOT_MEASURED);
		return 0;
	}
	scene = calloc(1, sizeof(*scene));
	if (!scene)
		return -ENOMEM;
	scene->c = c;
	scene->without_span = scene->without_event = CLAIM_NOTHING;
	m = measure_cause(scene, node->cause, &e);
	result->verdict = m.verdict;
	result->log10_bf = m.log10_bf;
	result->value = m.value;
	result->low = m.low;
	result->high = m.high;
	most = e.log10_l[0];
	for (unsigned k = 1; k < CAUSES; k++)
		most = e.log10_l[k] > most ? e.log10_l[k] : most;
	for (unsigned k = 0; k < CAUSES && e.total_s > 0; k++)
		claim_add_hypothesis(result, e.log10_l[k] - most, "cause: %s (explains %s of the outage, %s to %s)",
		                     names[k], claim_percent(e.value[k], value), claim_percent(e.low[k], low),
		                     claim_percent(e.high[k], high));
	claim_cap(result, CLAIM_MODERATE, "that one thing came with another does not prove that it made it");
	if (real_is_nan(c->context->attack_passing))
		claim_cap(result, CLAIM_MODERATE, "how much of the attack reached the service is not known");
	claim_say_reason(result, "Of the outage that was measured %s explains about %s, %s to %s.", names[node->cause],
	                 claim_percent(m.value, value), claim_percent(m.low, low), claim_percent(m.high, high));
	weigh(scene, node, result);
	free(scene);
	return 0;
}

/* ---- outages ---- */

/* The time of a predicate as nanoseconds since the epoch. */
static int64_t absolute(const struct trace *trace, const struct predicate_time *time)
{
	const int64_t day = (int64_t)DAY_S * NS_PER_S;
	int64_t began = trace->began_ns - trace->began_ns % day - (trace->began_ns % day < 0 ? day : 0);

	return time->dated ? time->ns : plus(began, time->ns);
}

struct sums {
	double edge_s;                             /* of one */
	double all_s, within_s, edges_s, length_s; /* weighted all, but for the last, which is without what overlaps */
	uint32_t spans;
	bool open;
};

static int by_began(const void *a, const void *b)
{
	const struct claim_span *x = a, *y = b;

	return x->began_ns < y->began_ns ? -1 : x->began_ns > y->began_ns;
}

/* Of outages around the attack. */
static struct sums sum_up(const struct claim_case *c, const struct predicate_node *node, struct claim_span *sorted)
{
	const struct trace *trace = c->trace;
	int64_t from = absolute(trace, &node->from), to = absolute(trace, &node->to), last = INT64_MIN;
	int64_t end = trace->ended_ns ? trace->ended_ns : trace->made_ns;
	struct sums sums = { 0, 0, 0, 0, 0, 0, false };

	if (to <= from) /* over midnight */
		to = plus(to, (int64_t)DAY_S * NS_PER_S);
	if (outages_of(c->context))
		memcpy(sorted, c->context->outages, outages_of(c->context) * sizeof(*sorted));
	qsort(sorted, outages_of(c->context), sizeof(*sorted), by_began);
	for (uint32_t i = 0; i < outages_of(c->context); i++) {
		int64_t a = sorted[i].began_ns, b = end_of(c, &sorted[i]);
		bool near = node->kind == PREDICATE_OUTAGE_WITHIN ||
		            (b >= plus(trace->began_ns, -CAUSE_DELAY) && a <= plus(end, SPANS_AFTER));

		if (!near || !(lost_of(&sorted[i]) > 0))
			continue;
		sums.spans++;
		sums.open = sums.open || sorted[i].ended_ns == 0;
		sums.edges_s += seconds(0, precision(c->context)) * lost_of(&sorted[i]);
		sums.edge_s = seconds(0, precision(c->context));
		sums.all_s += seconds(a, b) * lost_of(&sorted[i]);
		sums.within_s += seconds(a > from ? a : from, b < to ? b : to) * lost_of(&sorted[i]);
		sums.length_s += seconds(a > last ? a : last, b);
		last = b > last ? b : last;
	}
	return sums;
}

static void judge_within(const struct sums *sums, struct claim_result *result)
{
	double edges = sums->edges_s / (sums->all_s > 0 ? sums->all_s : 1);
	char value[CLAIM_NUMBER_SIZE];

	result->threshold = WITHIN;
	result->value = sums->all_s > 0 ? sums->within_s / sums->all_s : 0;
	result->low = result->value - edges > 0 ? result->value - edges : 0;
	result->high = result->value + edges < 1 ? result->value + edges : 1;
	result->log10_bf = result->low >= WITHIN ? WITHIN_BF : result->high < WITHIN ? -WITHIN_BF : 0;
	result->verdict = claim_decide(result->log10_bf, result->log10_bf > 0 ? 1 : -1);
	claim_say_reason(result, "%s of the outage that was measured lies in that time.",
	                 claim_percent(result->value, value));
}

static void judge_length(const struct predicate_node *node, const struct sums *sums, struct claim_result *result)
{
	double edges = sums->spans * sums->edge_s;
	struct claim_end low = { CLAIM_EXACT, sums->length_s - edges > 0 ? sums->length_s - edges : 0, 0 };
	struct claim_end high = { CLAIM_EXACT, sums->open ? REAL_INFINITY : sums->length_s + edges, 0 };
	struct claim_measure m = { CLAIM_UNSUPPORTED, 0, 0, 0, 0 };
	char value[CLAIM_NUMBER_SIZE];

	claim_compare(node, &low, &high, &m);
	result->value = sums->length_s;
	result->verdict = m.verdict;
	result->log10_bf = m.log10_bf;
	result->low = m.low;
	result->high = m.high;
	claim_say_reason(result, "The outages that were measured lasted %s seconds%s.",
	                 claim_number(sums->length_s, value), sums->open ? " and had not ended" : "");
}

int claim_outage(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result)
{
	struct claim_span *sorted;
	struct sums sums;
	char text[CLAIM_NUMBER_SIZE];

	if (c->context->outages_count == 0 && !c->context->watched) {
		claim_say_reason(result, "%s", nothing_measured(c->context));
		claim_cap(result, c->context->measured_to_ns ? CLAIM_MODERATE : CLAIM_LOW, "%s", NOT_MEASURED);
		return 0;
	}
	sorted = calloc(outages_of(c->context) + 1, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	sums = sum_up(c, node, sorted);
	free(sorted);
	if (!c->context->watched)
		claim_cap(
			result, CLAIM_MODERATE, "%s",
			c->context->measured_to_ns
				? "users were seen from this host alone, and shortly before and after the attack alone"
				: "outages were put in by hand, and the service was not watched all the time");
	if (node->kind == PREDICATE_OUTAGE_WITHIN && sums.spans > 0) {
		judge_within(&sums, result);
	} else if (node->kind == PREDICATE_OUTAGE_LENGTH && (sums.spans > 0 || c->context->watched)) {
		judge_length(node, &sums, result);
	} else if (sums.spans > 0) {
		result->log10_bf = WITHIN_BF;
		result->verdict = CLAIM_SUPPORTED;
		claim_say_reason(result, "%s outages were measured around the attack.", claim_number(sums.spans, text));
	} else if (c->context->watched) {
		result->log10_bf = -WITHIN_BF;
		result->verdict = CLAIM_CONTRADICTED;
		claim_say_reason(result, "The service was measured all the time, and there was no outage.");
	} else {
		claim_say_reason(result, "No outage was measured around the attack, and nobody measured all the time.");
	}
	if (result->verdict == CLAIM_CONTRADICTED && !c->context->watched && c->context->measured_to_ns) {
		result->log10_bf = 0;
		result->verdict = CLAIM_UNSUPPORTED;
		claim_say_reason(result, "An outage was measured that is not as is claimed, and at other times nobody "
		                         "measured: there may have been another.");
	}
	claim_add_hypothesis(result, result->log10_bf >= 0 ? 0 : result->log10_bf, "it is as is claimed");
	claim_add_hypothesis(result, result->log10_bf > 0 ? -result->log10_bf : 0, "it is not");
	return 0;
}
