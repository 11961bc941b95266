/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three passes over the counts: which components there are, for the threshold depends on how many; their outages; and of each
 * outage what its buckets and the weeks before them say of places, symptoms and signals.
 */
#include "record/reckon.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "impact/harm.h"
#include "impact/surge.h"
#include "impact/where.h"
#include "record/archive.h"
#include "record/ledger_inside.h"
#include "record/outages.h"
#include "tell/harm_json.h"

#define FOUND_MAX 4096                      /* outages of a record */
#define BEFORE_NS (28 * 86400LL * NS_PER_S) /* what places usually report */
#define USUAL_NS (7 * 86400LL * NS_PER_S)   /* what signals usually are */
#define FRESH_NS (86400LL * NS_PER_S)       /* counting goes on: where nothing came, there was nothing */
#define NETWORKS_MAX 1024
#define MILLI 1000
#define SCAN "scan"

struct stream {
	struct surge *surge;
	int64_t bucket; /* that is being summed up */
	uint64_t count;
};

struct found {
	struct outage outage;
	uint32_t buckets;
	uint64_t *excess_milli;
	uint32_t *expected_milli;
};

/* On record. */
struct known {
	uint64_t number;
	char component[COMPONENT_ID_SIZE];
	int64_t began_ns, ended_ns;
	bool taken;
};

struct reckoning {
	struct ledger *ledger;
	struct record_error *error;
	struct reckon_result *result;
	int64_t now_ns, latest_ns;
	struct stream streams[COMPONENTS_MAX];
	struct found *found;
	uint32_t found_count, last_component;
	struct known *known;
	size_t known_count;
	struct cause_era *attacks, *events;
	size_t attacks_count, events_count;
};

/* ---- components ---- */

static int64_t end_of(const struct reckoning *r)
{
	return count_bucket(r->now_ns);
}

static uint32_t component_at(struct reckoning *r, const char *id)
{
	struct reckon_result *result = r->result;

	if (r->last_component < result->components_count && strcmp(result->components[r->last_component].id, id) == 0)
		return r->last_component;
	for (r->last_component = 0; r->last_component < result->components_count; r->last_component++)
		if (strcmp(result->components[r->last_component].id, id) == 0)
			break;
	return r->last_component;
}

static int meet(void *context, const struct report_count *count)
{
	struct reckoning *r = context;
	struct reckon_result *result = r->result;
	uint32_t which = component_at(r, count->component);
	struct reckon_component *component = &result->components[which];

	if (which == COMPONENTS_MAX) {
		result->components_refused++;
		return 0;
	}
	if (which == result->components_count) {
		result->components_count++;
		memcpy(component->id, count->component, sizeof(component->id));
		component->first_ns = count->bucket_ns;
	}
	component->last_ns = count->bucket_ns;
	component->reports += count->accepted;
	r->latest_ns = count->bucket_ns > r->latest_ns ? count->bucket_ns : r->latest_ns;
	return 0;
}

/* ---- outages ---- */

static int take_outage(struct reckoning *r, const struct surge *surge)
{
	struct found *found;

	if (r->found_count == FOUND_MAX)
		return ledger_refuse(r->error, -ENOBUFS, "the record has more outages than can be reckoned at a time",
		                     "");
	found = &r->found[r->found_count];
	if (!surge_outage(surge, &found->outage))
		return 0;
	found->buckets = surge->buckets_count;
	found->excess_milli = calloc(SURGE_BUCKETS_MAX, sizeof(*found->excess_milli));
	found->expected_milli = calloc(surge->buckets_count, sizeof(*found->expected_milli));
	r->found_count++;
	if (!found->excess_milli || !found->expected_milli)
		return -ENOMEM;
	(void)surge_excess(surge, found->excess_milli);
	for (uint32_t i = 0; i < found->buckets; i++)
		found->expected_milli[i] = surge->buckets[i].expected_milli;
	return 0;
}

/* Nothing from its last bucket up to `bucket`, then what was summed up. */
static int feed(struct reckoning *r, struct stream *stream, int64_t bucket, uint64_t count)
{
	struct surge *surge = stream->surge;
	int result = 0;

	while (result == 0 && surge->bucket != INT64_MIN && surge->bucket + 1 < bucket)
		if (surge_add(surge, surge->bucket + 1, 0) == SURGE_OVER)
			result = take_outage(r, surge);
	if (result == 0 && surge_add(surge, bucket, count < UINT32_MAX ? (uint32_t)count : UINT32_MAX) == SURGE_OVER)
		result = take_outage(r, surge);
	return result;
}

static int sum_up(void *context, const struct report_count *count)
{
	struct reckoning *r = context;
	uint32_t which = component_at(r, count->component);
	int64_t bucket = count->bucket_ns / COUNT_BUCKET_NS;
	struct stream *stream = &r->streams[which];
	int result = 0;

	if (which == r->result->components_count)
		return 0;
	if (stream->bucket != bucket) {
		if (stream->bucket >= 0)
			result = feed(r, stream, stream->bucket, stream->count);
		stream->bucket = bucket;
		stream->count = 0;
	}
	stream->count += count->accepted;
	return result;
}

/* Up to the last bucket that is over, or that anybody counted in. */
static int end_streams(struct reckoning *r)
{
	int64_t end_ns = r->now_ns - r->latest_ns < FRESH_NS ? end_of(r) : r->latest_ns + COUNT_BUCKET_NS;
	int64_t last = end_ns / COUNT_BUCKET_NS - 1;
	int result = 0;

	for (uint32_t i = 0; i < r->result->components_count && result == 0; i++) {
		struct reckon_component *component = &r->result->components[i];
		struct stream *stream = &r->streams[i];
		struct surge *surge = stream->surge;

		result = feed(r, stream, stream->bucket, stream->count);
		while (result == 0 && surge->bucket < last)
			if (surge_add(surge, surge->bucket + 1, 0) == SURGE_OVER)
				result = take_outage(r, surge);
		if (result == 0 && surge->is_out && !surge->over)
			result = take_outage(r, surge);
		component->basis = surge->usual.basis;
		component->usual_milli =
			surge->usual.basis == OUTAGE_NOTHING_KNOWN ? 0 : (uint32_t)(surge->usual.mean * MILLI + 0.5);
	}
	return result;
}

static int find_outages(struct reckoning *r)
{
	struct reckon_result *result = r->result;
	int code;

	for (uint32_t i = 0; i < result->components_count; i++) {
		r->streams[i].surge = malloc(sizeof(*r->streams[i].surge));
		if (!r->streams[i].surge)
			return -ENOMEM;
		surge_init(r->streams[i].surge, result->components[i].id, result->components_count);
		r->streams[i].bucket = -1;
	}
	if (result->components_count == 0)
		return 0;
	code = outages_report_each(r->ledger, NULL, 0, end_of(r), sum_up, r, r->error);
	return code == 0 ? end_streams(r) : code;
}

/* ---- what explains them ---- */

static int grow(struct cause_era **eras, size_t count)
{
	struct cause_era *grown;

	if (count & (count - 1)) /* room doubles */
		return 0;
	grown = realloc(*eras, (count ? 2 * count : 1) * sizeof(**eras));
	if (!grown)
		return -ENOMEM;
	*eras = grown;
	return 0;
}

static int add_event(void *context, const struct ledger_event *event)
{
	struct reckoning *r = context;
	int64_t ended = event->ended_ns ? event->ended_ns : r->now_ns;

	if (grow(&r->events, r->events_count) != 0)
		return -ENOMEM;
	r->events[r->events_count++] =
		(struct cause_era){ event->began_ns, ended > event->began_ns ? ended : event->began_ns,
		                    event->kind == LEDGER_PROVIDER ? CAUSE_PROVIDER : CAUSE_OWN_CHANGE,
		                    (uint64_t)ledger_number(event->id, 'e') };
	return 0;
}

static int read_attacks(struct reckoning *r, const char *folder)
{
	struct archive_incident *incidents = NULL;
	int count = folder ? archive_list(folder, ARCHIVE_INCIDENTS_MAX, &incidents) : 0, result = 0;

	if (count == -ENOENT)
		return 0;
	if (count < 0)
		return ledger_refuse(r->error, count, "the archived incidents cannot be read", "");
	for (int i = 0; i < count && result == 0; i++) {
		const struct archive_incident *incident = &incidents[i];
		int64_t ended = incident->ended_ns                ? incident->ended_ns
		                : incident->state == ARCHIVE_OPEN ? r->now_ns
		                                                  : incident->began_ns;

		if (strcmp(incident->vector, SCAN) == 0)
			continue;
		result = grow(&r->attacks, r->attacks_count);
		if (result == 0)
			r->attacks[r->attacks_count++] =
				(struct cause_era){ incident->began_ns, ended, CAUSE_ATTACK, incident->id };
	}
	free(incidents);
	return result;
}

static int remember(void *context, const struct outages_outage *outage)
{
	struct reckoning *r = context;
	struct known *known;

	if ((r->known_count & (r->known_count - 1)) == 0) {
		known = realloc(r->known, (r->known_count ? 2 * r->known_count : 1) * sizeof(*known));
		if (!known)
			return -ENOMEM;
		r->known = known;
	}
	known = &r->known[r->known_count++];
	*known = (struct known){ .number = outage->number, .began_ns = outage->began_ns, .ended_ns = outage->ended_ns };
	for (size_t i = 0; outage->component[i] && i + 1 < sizeof(known->component); i++)
		known->component[i] = outage->component[i];
	return 0;
}

/* ---- one outage ---- */

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

static void believe(struct detail *d)
{
	struct outage *outage = &d->harm.outage;
	struct belief_input *input = &d->input;
	uint64_t usual = outage->reports > outage->excess ? outage->reports - outage->excess : 1;
	uint64_t all = 0, ratio = outage->reports > UINT64_MAX / MILLI ? UINT32_MAX : outage->reports * MILLI / usual;

	input->alarm = true;
	input->ratio_milli = ratio < UINT32_MAX ? (uint32_t)ratio : UINT32_MAX;
	for (unsigned i = 0; i < SYMPTOMS; i++)
		all += outage->symptoms[i];
	if (all)
		input->slow_percent = (uint32_t)(outage->symptoms[SYMPTOM_SLOW] * 100 / all);
	for (uint32_t i = 0; i < d->networks_count && all; i++) {
		uint32_t percent = (uint32_t)(d->networks[i].reports * 100 / all);

		input->networks_percent = percent > input->networks_percent ? percent : input->networks_percent;
	}
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

static uint64_t number_of(struct reckoning *r, const struct outage *outage)
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

static int put(struct reckoning *r, const struct harm *harm)
{
	const struct outage *outage = &harm->outage;
	struct outages_outage row = { .number = number_of(r, outage),
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
		result = outages_put(r->ledger, &row, NULL, r->error);
		r->result->added += result == 0 && sqlite3_changes(r->ledger->database) > 0;
	}
	free(text);
	return result;
}

static int tell_outage(struct reckoning *r, const struct found *found, struct detail *d)
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
		believe(d);
		choose_eras(d, r->attacks, r->attacks_count, end_ns);
		choose_eras(d, r->events, r->events_count, end_ns);
		tie(d, end_ns);
		result = cause_account(d->eras, d->eras_count, outage, found->excess_milli, found->buckets,
		                       &d->harm.causes);
	}
	where_free(d->where);
	return result == 0 ? put(r, &d->harm) : result;
}

static int tell_all(struct reckoning *r)
{
	int result = 0;

	for (uint32_t i = 0; i < r->found_count && result == 0; i++) {
		struct detail *d = calloc(1, sizeof(*d));

		if (!d)
			return -ENOMEM;
		r->result->components[component_at(r, r->found[i].outage.component)].outages++;
		result = tell_outage(r, &r->found[i], d);
		free(d);
	}
	r->result->outages = r->found_count;
	return result;
}

static void end(struct reckoning *r)
{
	for (uint32_t i = 0; i < COMPONENTS_MAX; i++)
		free(r->streams[i].surge);
	for (uint32_t i = 0; i < r->found_count; i++) {
		free(r->found[i].excess_milli);
		free(r->found[i].expected_milli);
	}
	free(r->found);
	free(r->known);
	free(r->attacks);
	free(r->events);
	free(r);
}

int reckon(struct ledger *ledger, const char *folder, int64_t now_ns, struct reckon_result *result,
           struct record_error *error)
{
	struct reckoning *r = calloc(1, sizeof(*r));
	int code;

	memset(result, 0, sizeof(*result));
	*error = (struct record_error){ .message = "" };
	if (!r)
		return -ENOMEM;
	r->ledger = ledger;
	r->error = error;
	r->result = result;
	r->now_ns = now_ns;
	r->found = calloc(FOUND_MAX, sizeof(*r->found));
	code = r->found ? outages_report_each(ledger, NULL, 0, end_of(r), meet, r, error) : -ENOMEM;
	if (code == 0)
		code = find_outages(r);
	if (code == 0)
		code = ledger_event_each(ledger, add_event, r, error);
	if (code == 0)
		code = read_attacks(r, folder);
	if (code == 0)
		code = outages_each(ledger, NULL, remember, r, error);
	if (code == 0)
		code = tell_all(r);
	end(r);
	return code;
}
