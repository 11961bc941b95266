/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/finding.h"

#include <errno.h>
#include <stdlib.h>

#include "base/share.h"
#include "detect/vector.h"
#include "observe/protocol.h"
#include "trace/family.h"

#define BASELINE_MARGIN_NS NS_PER_S        /* around an incident: neither attack nor peace */
#define CONNECTIONS_END_NS (60 * NS_PER_S) /* after an attack over connections: its own are still being closed */
#define PORT_SHARE 20                      /* a port with a twentieth of the packets is named */
#define FAMILY_SHARE 50                    /* a mark on less than a fiftieth of the packets is chance */

static void find_ports(struct finding *f)
{
	struct topk ports = f->total->top_dst_ports;

	topk_sort(&ports);
	for (uint32_t i = 0; i < ports.used && f->ports_count < FINDING_PORTS_MAX; i++)
		if ((ports.entries[i].count - ports.entries[i].error) * PORT_SHARE >= f->total->packets)
			f->ports[f->ports_count++] = (uint16_t)ports.entries[i].key.low;
}

static void find_families(struct finding *f)
{
	const struct sample *sample = &f->total->sample;
	uint64_t counts[FINDING_FAMILIES_MAX] = { 0 }, sampled = 0;

	for (uint32_t i = 0; i < sample->used; i++) {
		struct observation o;
		size_t row;

		sample_read(sample, i, &o);
		row = family_of(&o);
		sampled += o.weight;
		if (row > 0 && row <= FINDING_FAMILIES_MAX)
			counts[row - 1] += o.weight;
	}
	for (size_t i = 0; sampled && i < family_count() && i < FINDING_FAMILIES_MAX; i++) {
		if (counts[i] * FAMILY_SHARE < sampled)
			continue;
		f->families[f->families_count++] = (struct finding_family){
			.name = family_get(i)->name,
			.mark = family_get(i)->mark,
			.packets = share_of(f->total->packets, counts[i], sampled),
		};
	}
}

/* An estimate errs to both sides; there are no more of a thing than packets. */
static uint64_t at_most(uint64_t estimate, uint64_t packets)
{
	return estimate < packets ? estimate : packets;
}

/* … nor than a prefix can hold. */
static void clamp_destinations(struct finding *f)
{
	unsigned host_bits = (f->incident->scope.is_ipv4 ? 32u : 128u) - f->incident->scope.length;

	if (host_bits < 32 && f->destinations > 1ull << host_bits)
		f->destinations = 1ull << host_bits;
}

static bool target_speaks(const struct sample *normal, const struct prefix *scope)
{
	for (uint32_t i = 0; i < normal->used; i++) {
		struct observation o;

		sample_read(normal, i, &o);
		if (prefix_contains(scope, &o.src))
			return true;
	}
	return false;
}

static void find_shape(struct finding *f)
{
	const struct incident *inc = f->incident;

	f->carpet = !inc->is_scan && inc->scope.length < (inc->scope.is_ipv4 ? 32 : 128);
	f->pulse = inc->waves_count >= 3;
	f->multi_vector = inc->parts_count >= 2;
	f->burst = inc->waves_count == 1 && time_since(inc->ended, inc->began) < NS_PER_S && inc->packets >= 1000;
}

/* Which packets of the samples signatures are sought with, by their places there, and these themselves. */
struct lists {
	uint32_t *attack_at, *baseline_at, *verified_at;
	uint32_t attack_count, baseline_count, verified_count;
	struct observation *packets;
	const struct observation **pointers; /* attack, baseline, verified */
};

static int lists_init(struct lists *lists, const struct sample *attack, const struct sample *normal)
{
	*lists = (struct lists){ 0 };
	lists->attack_at = calloc((size_t)attack->used + 1, sizeof(*lists->attack_at));
	lists->baseline_at = calloc((size_t)normal->used + 1, sizeof(*lists->baseline_at));
	lists->verified_at = calloc((size_t)normal->used + 1, sizeof(*lists->verified_at));
	return lists->attack_at && lists->baseline_at && lists->verified_at ? 0 : -ENOMEM;
}

static void lists_fini(struct lists *lists)
{
	free(lists->attack_at);
	free(lists->baseline_at);
	free(lists->verified_at);
	free(lists->packets);
	free(lists->pointers);
}

/* Makes of it the packet that hits the scope: this one, or the tunnel packet around it; false where neither does. */
static bool towards_scope(const struct prefix *scope, struct observation *o)
{
	struct observation outer;

	if (prefix_contains(scope, &o->dst))
		return true;
	if (!(o->flags & OBSERVATION_TUNNELLED) || !prefix_contains(scope, &o->outer.dst))
		return false;
	observation_outer(o, &outer);
	*o = outer;
	return true;
}

/* Nothing that comes later is peace yet. */
static bool goes_on(const struct incident *inc)
{
	return inc->open || inc->wave_open;
}

/* What comes later is peace again. */
static int64_t margin_after(const struct incident *inc)
{
	return incident_is_application(inc) ? CONNECTIONS_END_NS : BASELINE_MARGIN_NS;
}

/* Neither before its beginning, nor after its end, nor near either. */
static bool is_during(const struct incident *inc, struct capture_time time)
{
	return time_since(inc->began, time) <= BASELINE_MARGIN_NS &&
	       (goes_on(inc) || time_since(time, inc->ended) <= margin_after(inc));
}

bool finding_is_of_incident(const struct incident *inc, const struct observation *o)
{
	bool to_scope = prefix_contains(&inc->scope, &o->dst) ||
	                ((o->flags & OBSERVATION_TUNNELLED) && prefix_contains(&inc->scope, &o->outer.dst));

	return to_scope && is_during(inc, o->time);
}

/* How long the capture shows the scope outside the incident, its margins left out. */
static uint64_t seconds_outside(const struct finding_context *context, const struct incident *inc)
{
	int64_t before = time_since(inc->began, context->first) - BASELINE_MARGIN_NS;
	int64_t after = goes_on(inc) ? 0 : time_since(context->last, inc->ended) - margin_after(inc);

	return context->learned_seconds +
	       (uint64_t)((before > 0 ? before / NS_PER_S : 0) + (after > 0 ? after / NS_PER_S : 0) + 1);
}

/* One in how many of so many, that no more than `most` are looked at; 0: all. */
static uint32_t stride(uint32_t count, uint32_t most)
{
	return most && count > most ? (count + most - 1) / most : 1;
}

static uint32_t thin_out(uint32_t *list, uint32_t count, uint32_t most)
{
	uint32_t step = stride(count, most), kept = 0;

	for (uint32_t i = 0; i < count; i += step)
		list[kept++] = list[i];
	return kept;
}

/* A question that the target answers like any other: that it was answered speaks for nobody who asks. */
static bool is_answered_question(const struct incident *inc, const struct observation *o)
{
	uint8_t kind = o->protocol == PROTOCOL_UDP ? vector_recognise(o) : VECTOR_NONE;

	return kind != VECTOR_NONE && vector_get(kind)->evidence->answered_1s && incident_find_part(inc, kind) >= 0;
}

/* Normal traffic to the scope: from outside the incident (B), and verified inside it (V). */
static void choose_normal(const struct finding_context *context, const struct incident *inc, bool clients_only,
                          struct lists *lists)
{
	for (uint32_t i = 0; i < context->normal->used; i++) {
		struct observation o;

		sample_read(context->normal, i, &o);
		if (!towards_scope(&inc->scope, &o))
			continue;
		if (!is_during(inc, o.time))
			lists->baseline_at[lists->baseline_count++] = i;
		else if ((o.flags & OBSERVATION_WELCOME) && !clients_only && !is_answered_question(inc, &o))
			lists->verified_at[lists->verified_count++] = i;
	}
}

/* The attack's packets that rules are sought for. */
static void choose_attack(const struct finding_context *context, const struct sample *attack, struct lists *lists)
{
	for (uint32_t i = 0; i < attack->used && !context->attack; i++)
		lists->attack_at[lists->attack_count++] = i;
	lists->attack_count = thin_out(lists->attack_at, lists->attack_count, context->attack_max);
}

/* Reads what has been chosen: all of it lies in one piece, and no more than that. */
static int read_chosen(const struct finding_context *context, const struct incident *inc, const struct sample *attack,
                       struct lists *lists)
{
	size_t count = (size_t)lists->attack_count + lists->baseline_count + lists->verified_count, at = 0;

	lists->packets = calloc(count + 1, sizeof(*lists->packets));
	lists->pointers = calloc(count + 1, sizeof(const struct observation *));
	if (!lists->packets || !lists->pointers)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		lists->pointers[i] = &lists->packets[i];
	for (uint32_t i = 0; i < lists->attack_count; i++)
		sample_read(attack, lists->attack_at[i], &lists->packets[at++]);
	for (uint32_t i = 0; i < lists->baseline_count + lists->verified_count; i++) {
		uint32_t place = i < lists->baseline_count ? lists->baseline_at[i]
		                                           : lists->verified_at[i - lists->baseline_count];

		sample_read(context->normal, place, &lists->packets[at]);
		(void)towards_scope(&inc->scope, &lists->packets[at++]);
	}
	return 0;
}

static int find_signatures(const struct finding_context *context, struct finding *f)
{
	const struct incident *inc = f->incident;
	const struct sample none = { 0 }, *attack = f->total ? &f->total->sample : &none, *normal = context->normal;
	/* An attack over conversations is verified itself. */
	struct signature_input input = {
		.baseline_seconds = seconds_outside(context, inc),
		.clients_only = incident_is_application(inc),
		.young = context->young,
	};
	struct lists lists;
	int rc = lists_init(&lists, attack, normal);

	if (rc < 0)
		goto free_lists;
	choose_attack(context, attack, &lists);
	choose_normal(context, inc, input.clients_only, &lists);
	/* What it is a sample of is reckoned before it is thinned out. */
	input.baseline_packets = normal->used ? (uint64_t)lists.baseline_count * normal->seen / normal->used : 0;
	lists.baseline_count = thin_out(lists.baseline_at, lists.baseline_count, context->normal_max);
	lists.verified_count = thin_out(lists.verified_at, lists.verified_count, context->normal_max);
	rc = read_chosen(context, inc, attack, &lists);
	if (rc < 0)
		goto free_lists;
	input.attack = context->attack ? context->attack : lists.pointers;
	input.attack_count = context->attack ? context->attack_count : lists.attack_count;
	input.baseline = lists.pointers + lists.attack_count;
	input.baseline_count = lists.baseline_count;
	input.verified = input.baseline + lists.baseline_count;
	input.verified_count = lists.verified_count;
	rc = signature_find(&input, &f->signatures);
free_lists:
	lists_fini(&lists);
	return rc;
}

/* What sends so little is below any limit of packets: connections are to be limited, which no packet filter does. */
static bool has_no_rule(const struct incident *inc)
{
	return inc->is_scan || inc->parts[0].kind == VECTOR_SLOW_HTTP;
}

static int find_rules(const struct finding_context *context, struct finding *f)
{
	int rc = 0;

	if (has_no_rule(f->incident))
		f->signatures.residual_ppm = PPM;
	else
		rc = find_signatures(context, f);
	if (f->signatures.residual_ppm > SIGNATURE_RESIDUAL_PPM)
		f->advice = vector_get(f->incident->parts[0].kind)->advice;
	return rc;
}

int finding_make(struct finding *f, const struct incident *inc, const struct finding_context *context)
{
	struct incident_sources sources;
	int rc = 0;

	*f = (struct finding){ .incident = inc };
	if (context->rules_only && context->attack)
		return find_rules(context, f);
	f->total = incident_window(inc);
	if (!f->total)
		return -ENOMEM;
	rc = sample_sort(&f->total->sample);
	if (rc < 0)
		return rc;
	if (context->rules_only)
		return find_rules(context, f);
	sources = incident_sources(inc, f->total);
	f->sources = sources.count;
	f->networks = sources.networks;
	f->sources_error_ppm = sources.error_ppm;
	f->destinations = at_most(hll_estimate(&f->total->destinations), f->total->packets);
	clamp_destinations(f);
	f->both_directions = target_speaks(context->normal, &inc->scope);
	find_ports(f);
	find_families(f);
	find_shape(f);
	spoofing_judge(inc, &f->spoofing);
	rc = find_rules(context, f);
	if (rc == 0 && !inc->is_scan)
		rc = passage_estimate(&inc->timeline, &f->total->sample, &f->signatures, &f->passage);
	sample_fini(&f->total->sample); /* a hundred incidents' samples are not to be kept at once */
	return rc;
}

void finding_fini(struct finding *f)
{
	window_free(f->total);
	passage_fini(&f->passage);
}
