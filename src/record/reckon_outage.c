/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that is said of one outage: what its buckets and the weeks before them say of places, symptoms and signals; what
 * explains it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "impact/belief.h"
#include "impact/harm.h"
#include "impact/where.h"
#include "record/ledger_inside.h"
#include "record/outages.h"
#include "record/reckon_inside.h"
#include "tell/harm_json.h"

#define BEFORE_NS (28 * 86400LL * NS_PER_S) /* what places usually report */
#define USUAL_NS (7 * 86400LL * NS_PER_S)   /* what signals usually are */
#define NETWORKS_MAX 1024
#define MILLI 1000
#define PERMYRIAD 10000

struct detail {
	struct harm harm;
	struct belief_input input;
	const struct found *found;
	struct where *where;
	struct {
		uint32_t network;
		uint64_t reports;
	} networks[NETWORKS_MAX];
	uint32_t networks_count;
	uint64_t usual_good[SIGNAL_KINDS], usual_bad[SIGNAL_KINDS];
	uint64_t latency, latency_count, usual_latency, usual_latency_count;
	struct cause_era eras[CAUSE_ERAS_MAX];
	uint32_t eras_count;
};

static bool in_wave(const struct outage *outage, int64_t bucket_ns)
{
	for (uint32_t i = 0; i < outage->waves_count; i++)
		if (bucket_ns >= outage->waves[i].began_ns &&
		    (outage->waves[i].ended_ns == 0 || bucket_ns < outage->waves[i].ended_ns))
			return true;
	return false;
}

static int add_report(void *context, const struct report_count *count)
{
	struct detail *d = context;
	struct outage *outage = &d->harm.outage;
	uint32_t i;

	if (count->bucket_ns >= outage->began_ns && !in_wave(outage, count->bucket_ns))
		return 0; /* neither of it nor as usual */
	if (count->bucket_ns >= outage->began_ns) {
		outage->symptoms[count->symptom] += count->accepted;
		outage->raw += count->raw;
		outage->shielded += count->shielded;
		for (i = 0; i < d->networks_count && d->networks[i].network != count->network; i++)
			;
		if (count->network && i < NETWORKS_MAX) {
			d->networks_count += i == d->networks_count;
			d->networks[i].network = count->network;
			d->networks[i].reports += count->accepted;
		}
	}
	return where_add(d->where, count);
}

static struct belief_probe *probe_at(struct detail *d, const struct signal_count *count)
{
	struct belief_probe *probe;
	uint32_t i;

	for (i = 0; i < d->input.probes_count; i++)
		if (strcmp(d->input.probes[i].vantage, count->vantage) == 0)
			return &d->input.probes[i];
	if (i == BELIEF_VANTAGES_MAX)
		return NULL;
	probe = &d->input.probes[d->input.probes_count++];
	memcpy(probe->vantage, count->vantage, sizeof(probe->vantage));
	probe->network = count->network;
	return probe;
}

static int add_signal(void *context, const struct signal_count *count)
{
	struct detail *d = context;
	struct belief_probe *probe;

	if (count->bucket_ns < d->harm.outage.began_ns) {
		d->usual_good[count->kind] += count->good;
		d->usual_bad[count->kind] += count->bad;
		d->usual_latency += count->kind == SIGNAL_LATENCY ? count->value : 0;
		d->usual_latency_count += count->kind == SIGNAL_LATENCY;
		return 0;
	}
	if (!in_wave(&d->harm.outage, count->bucket_ns))
		return 0;
	d->input.signals[count->kind].good += count->good;
	d->input.signals[count->kind].bad += count->bad;
	d->latency += count->kind == SIGNAL_LATENCY ? count->value : 0;
	d->latency_count += count->kind == SIGNAL_LATENCY;
	if (count->kind != SIGNAL_PROBE && count->kind != SIGNAL_CANARY)
		return 0;
	probe = probe_at(d, count);
	if (!probe)
		return 0;
	if (count->kind == SIGNAL_PROBE) {
		probe->good += count->good;
		probe->bad += count->bad;
	} else {
		probe->canaries += count->good + count->bad;
		probe->canaries_failed += count->bad;
	}
	return 0;
}

/*
 * The share of reports of the network with most of them; one that usually has more than half that share says nothing,
 * for most users may be its customers.
 */
static uint32_t foremost_network(const struct detail *d, uint64_t all)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < d->networks_count && all; i++) {
		uint32_t percent = (uint32_t)(d->networks[i].reports * 100 / all);

		if (percent > most && 2 * where_usual_percent(d->where, d->networks[i].network) <= percent)
			most = percent;
	}
	return most;
}

static void believe(struct detail *d, bool alarm)
{
	struct outage *outage = &d->harm.outage;
	struct belief_input *input = &d->input;
	uint64_t usual = outage->reports > outage->excess ? outage->reports - outage->excess : 1;
	uint64_t all = 0, ratio = outage->reports > UINT64_MAX / MILLI ? UINT32_MAX : outage->reports * MILLI / usual;

	input->alarm = alarm;
	input->ratio_milli = ratio < UINT32_MAX ? (uint32_t)ratio : UINT32_MAX;
	for (unsigned i = 0; i < SYMPTOMS; i++)
		all += outage->symptoms[i];
	if (all)
		input->slow_percent = (uint32_t)(outage->symptoms[SYMPTOM_SLOW] * 100 / all);
	if (d->where)
		input->networks_percent = foremost_network(d, all);
	for (unsigned i = 0; i < SIGNAL_KINDS; i++)
		if (d->usual_good[i] + d->usual_bad[i])
			input->signals[i].usual_bad_milli =
				d->usual_bad[i] * 100 * MILLI / (d->usual_good[i] + d->usual_bad[i]);
	if (d->latency_count && d->usual_latency_count) {
		input->latency_ms = (uint32_t)(d->latency / d->latency_count);
		input->usual_latency_ms = (uint32_t)(d->usual_latency / d->usual_latency_count);
	}
	d->harm.belief = belief_of(input);
}

/* Those that touch the outage. */
static void choose_eras(struct detail *d, const struct cause_era *eras, size_t count, int64_t end_ns)
{
	for (size_t i = 0; i < count && d->eras_count < CAUSE_ERAS_MAX; i++)
		if (eras[i].from_ns < end_ns && eras[i].to_ns + CAUSE_RECOVERY_NS > d->harm.outage.began_ns)
			d->eras[d->eras_count++] = eras[i];
}

/* The attack that overlaps it most, and how long after it the first wave that it can explain began. */
static void tie(struct detail *d, int64_t end_ns)
{
	const struct outage *outage = &d->harm.outage;
	int64_t most = 0;

	for (uint32_t i = 0; i < d->eras_count; i++) {
		const struct cause_era *era = &d->eras[i];
		int64_t overlap = 0, delay = outage->began_ns - era->from_ns;
		bool explains = false;

		if (era->cause != CAUSE_ATTACK)
			continue;
		for (uint32_t k = 0; k < outage->waves_count; k++) {
			int64_t from = outage->waves[k].began_ns, to = outage->waves[k].ended_ns;
			int64_t until = era->to_ns + CAUSE_RECOVERY_NS;

			to = to ? to : end_ns;
			if (!explains && from >= count_bucket(era->from_ns) && from < until) {
				explains = true;
				delay = from - era->from_ns;
			}
			from = from > era->from_ns ? from : era->from_ns;
			to = to < until ? to : until;
			overlap += to > from ? to - from : 0;
		}
		if (overlap > most) {
			most = overlap;
			d->harm.incident = era->reference;
			d->harm.delay_ns = delay;
		}
	}
}

static uint64_t number_of(struct reckoner *r, const struct outage *outage)
{
	for (size_t i = 0; i < r->known_count; i++) {
		struct known *known = &r->known[i];

		if (!known->taken && strcmp(known->component, outage->component) == 0 &&
		    (outage->ended_ns == 0 || known->began_ns <= outage->ended_ns) &&
		    (known->ended_ns == 0 || outage->began_ns <= known->ended_ns)) {
			known->taken = true;
			return known->number;
		}
	}
	return 0;
}

static int put(struct reckoner *r, const struct harm *harm, struct found *found)
{
	const struct outage *outage = &harm->outage;
	struct outages_outage row = { .number = found->number ? found->number : number_of(r, outage),
		                      .component = outage->component,
		                      .began_ns = outage->began_ns,
		                      .peak_ns = outage->peak_began_ns,
		                      .ended_ns = outage->ended_ns,
		                      .pronounced_from_ns = outage->pronounced_from_ns,
		                      .pronounced_to_ns = outage->pronounced_to_ns,
		                      .reports = outage->reports,
		                      .excess = outage->excess,
		                      .belief = harm->belief.permyriad,
		                      .published = belief_word_name(harm->belief.word),
		                      .made_ns = r->now_ns };
	json_t *json = harm_json(harm);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int result = -ENOMEM;

	json_decref(json);
	if (text) {
		row.json = text;
		result = outages_put(r->ledger, &row, &found->number, r->error);
		r->result->added += result == 0 && sqlite3_changes(r->ledger->database) > 0;
	}
	free(text);
	return result;
}

/* What its component is, as long as it lasts. */
static void stand(struct reckoner *r, const struct found *found, const struct harm *harm)
{
	struct reckon_component *component = &r->standing.components[reckon_component_at(r, harm->outage.component)];
	const struct cause_share *shares = harm->causes.shares;

	component->outage = found->number;
	component->began_ns = harm->outage.began_ns;
	component->status = belief_status(&harm->belief);
	component->word = harm->belief.word;
	component->cause = CAUSE_UNKNOWN;
	for (unsigned i = 0; i < CAUSE_UNKNOWN; i++)
		if (shares[i].value * 2 > PERMYRIAD)
			component->cause = (enum cause)i;
}

static int tell_outage(struct reckoner *r, struct found *found, struct detail *d)
{
	struct outage *outage = &d->harm.outage;
	int64_t end_ns = found->outage.began_ns + found->buckets * COUNT_BUCKET_NS;
	int result;

	*outage = found->outage;
	d->found = found;
	end_ns = outage->ended_ns ? outage->ended_ns : end_ns;
	result = where_new(outage->began_ns, (uint32_t)((end_ns - outage->began_ns) / COUNT_BUCKET_NS), &d->where);
	if (result == 0)
		result = outages_report_each(r->ledger, outage->component, outage->began_ns - BEFORE_NS, end_ns,
		                             add_report, d, r->error);
	if (result == 0)
		result = outages_signal_each(r->ledger, outage->component, outage->began_ns - USUAL_NS, end_ns,
		                             add_signal, d, r->error);
	if (result == 0) {
		where_find(d->where, found->expected_milli, outage);
		r->result->places_refused += where_refused(d->where);
		believe(d, true);
		choose_eras(d, r->attacks, r->attacks_count, end_ns);
		choose_eras(d, r->events, r->events_count, end_ns);
		tie(d, end_ns);
		result = cause_account(d->eras, d->eras_count, outage, found->excess_milli, found->buckets,
		                       &d->harm.causes);
	}
	where_free(d->where);
	if (result == 0)
		result = put(r, &d->harm, found);
	if (result == 0 && outage->ended_ns == 0)
		stand(r, found, &d->harm);
	return result;
}

int reckon_tell(struct reckoner *r, struct found *found)
{
	struct detail *d = calloc(1, sizeof(*d));
	int result = d ? tell_outage(r, found, d) : -ENOMEM;

	free(d);
	return result;
}

int reckon_present(struct ledger *ledger, const char *component, int64_t from_ns, int64_t to_ns,
                   const struct belief_probe *probes, uint32_t count, struct belief *belief, struct record_error *error)
{
	struct detail *d = calloc(1, sizeof(*d));
	int result;

	if (!d)
		return -ENOMEM;
	d->harm.outage.began_ns = from_ns;
	d->harm.outage.waves_count = 1;
	d->harm.outage.waves[0] = (struct outage_wave){ .began_ns = from_ns, .ended_ns = to_ns };
	result = outages_signal_each(ledger, component, from_ns - USUAL_NS, to_ns, add_signal, d, error);
	if (result == 0) {
		if (probes) {
			d->input.probes_count = count < BELIEF_VANTAGES_MAX ? count : BELIEF_VANTAGES_MAX;
			memcpy(d->input.probes, probes, d->input.probes_count * sizeof(probes[0]));
		}
		believe(d, false);
		*belief = d->harm.belief;
	}
	free(d);
	return result;
}

int reckon_signals(struct ledger *ledger, const char *component, int64_t from_ns, int64_t to_ns, struct belief *belief,
                   struct record_error *error)
{
	return reckon_present(ledger, component, from_ns, to_ns, NULL, 0, belief, error);
}
