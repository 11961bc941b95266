/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is decided when. Packets only count; decisions fall with the ticks: of the cases (live_cases.c) that incidents
 * are, for which rules are sought (live_seek.c) and, where none is safe, services fall back on what peace was like
 * (live_fallback.c), and of the rules from their order on (live_rules.c). Here is what begins and ends: a live engine,
 * its inputs, its generations.
 */
#include "engine/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/live_inside.h"

#define TRY_AGAIN_NS (60 * NS_PER_S) /* after a generation could not be made */

/* ---- beginning and end ---- */

static int take_services(struct live *l, const struct live_service *services, unsigned count)
{
	if (count > LIVE_SERVICES_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++) {
		struct served *s = &l->services[i];

		if (services[i].prefix_count > LIVE_SERVICE_PREFIXES_MAX - l->prefix_count)
			return -EINVAL;
		memcpy(s->name, services[i].name, sizeof(s->name));
		s->name[sizeof(s->name) - 1] = '\0';
		s->local = services[i].local;
		s->fallback = services[i].fallback;
		l->learns = l->learns || s->fallback != FALLBACK_NONE;
		s->first = l->prefix_count;
		s->count = services[i].prefix_count;
		if (s->count)
			memcpy(&l->prefixes[s->first], services[i].prefixes, s->count * sizeof(l->prefixes[0]));
		l->prefix_count += s->count;
	}
	l->service_count = count;
	return 0;
}

int live_make(uint64_t seed, const struct live_service *services, unsigned service_count, struct live **live)
{
	struct live *l = calloc(1, sizeof(*l));
	int rc = -ENOMEM;

	if (!l)
		return rc;
	l->seed = seed;
	l->engine = engine_new(seed);
	l->quotas = quotas_new(service_count < LIVE_SERVICES_MAX ? service_count : LIVE_SERVICES_MAX, seed);
	if (l->engine && l->quotas)
		rc = take_services(l, services, service_count);
	if (rc < 0) {
		live_free(l);
		return rc;
	}
	l->number = l->last_number = 1;
	*live = l;
	return 0;
}

int live_new(uint64_t seed, const struct live_service *services, unsigned service_count, const uint8_t *checkpoint,
             size_t length, struct live **live)
{
	struct live *l;
	int rc = live_make(seed, services, service_count, &l);

	if (rc < 0)
		return rc;
	if (checkpoint)
		rc = live_kept_restore(l, checkpoint, length);
	if (rc < 0 && rc != -EBADMSG && rc != -EPROTONOSUPPORT) {
		live_free(l);
		return rc;
	}
	*live = l;
	return rc;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	engine_free(l->engine);
	engine_free(l->warming);
	engine_free(l->finished);
	quotas_free(l->quotas);
	free(l);
}

const struct engine *live_engine(const struct live *l)
{
	return l->engine;
}

static int make_findings(struct engine *e)
{
	int rc;

	do
		rc = engine_make_finding(e);
	while (rc > 0);
	return rc;
}

const struct engine *live_finished(struct live *l)
{
	if (l->finished)
		l->counters.no_memory += make_findings(l->finished) < 0;
	return l->finished;
}

struct engine *live_take_finished(struct live *l)
{
	struct engine *finished = l->finished;

	l->finished = NULL;
	return finished;
}

uint32_t live_generation(const struct live *l)
{
	return l->number;
}

uint32_t live_warming(const struct live *l)
{
	return l->warming_number;
}

struct live_counters live_counters(const struct live *l)
{
	struct live_counters counters = l->counters;

	counters.sources_uncounted = quotas_refused(l->quotas);
	return counters;
}

uint64_t live_attacked(const struct live *l)
{
	return l->attacked;
}

/* With an input what was finished before has been told. */
void live_begin_input(struct live *l)
{
	engine_free(l->finished);
	l->finished = NULL;
	l->owe_finished = false;
}

/* ---- generations ---- */

static bool has_incident(const struct live *l, const struct engine *e, bool that_is_over)
{
	for (uint32_t i = 0; i < engine_incident_count(e); i++) {
		const struct incident *inc = engine_incident(e, i);

		if (inc && !inc->is_scan && incident_is_over(inc, l->now) == that_is_over)
			return true;
	}
	return false;
}

struct capture_time live_not_before(struct capture_time born)
{
	return time_plus(born, LIVE_WARM_NS + LIVE_APART_NS);
}

static void warm_up(struct live *l)
{
	uint8_t *octets = NULL;
	size_t length;
	int rc;

	l->not_before = time_plus(l->now, TRY_AGAIN_NS);
	l->warming = engine_new(l->seed);
	rc = l->warming ? engine_save(l->engine, &octets, &length) : -ENOMEM;
	if (rc == 0)
		rc = engine_restore(l->warming, octets, length);
	free(octets);
	if (rc < 0) {
		l->counters.no_memory++;
		engine_free(l->warming);
		l->warming = NULL;
		return;
	}
	/* Its stream begins with what is known of peace, and not with what waits. */
	quotas_settle(l->quotas);
	l->warming_born = l->now;
	l->warming_number = ++l->last_number;
}

/* What it found is made by who asks for it: all at once, or one after the other. */
static int finish(struct live *l)
{
	int rc = engine_close(l->engine);

	l->finished = l->engine;
	l->owe_finished = true;
	l->engine = l->warming;
	l->born = l->warming_born;
	l->number = l->warming_number;
	l->warming = NULL;
	l->warming_number = 0;
	l->waits = false;
	l->not_before = live_not_before(l->born);
	memset(l->cases, 0, sizeof(l->cases));
	return rc;
}

static void change_generation(struct live *l)
{
	/* Where attacks never end, its table of incidents would fill: it is replaced in the midst of them. */
	bool full = engine_incident_count(l->engine) >= LIVE_INCIDENTS_MAX;
	bool busy = !full && has_incident(l, l->engine, false);

	if (l->warming && !full && (busy || has_incident(l, l->warming, false) || has_incident(l, l->warming, true))) {
		engine_free(l->warming);
		l->warming = NULL;
		l->warming_number = 0;
		l->not_before = time_plus(l->now, TRY_AGAIN_NS);
	}
	if (l->warming && time_since(l->now, l->warming_born) >= LIVE_WARM_NS) {
		if (finish(l) < 0)
			l->counters.no_memory++;
	} else if (!l->warming && !busy && time_since(l->now, l->not_before) >= 0 &&
	           (full || time_since(l->now, l->born) >= LIVE_GENERATION_NS || has_incident(l, l->engine, true))) {
		warm_up(l);
	}
}

int live_end(struct live *l)
{
	int rc;

	live_begin_input(l);
	engine_free(l->warming);
	l->warming = NULL;
	l->warming_number = 0;
	rc = finish(l);
	return rc < 0 ? rc : make_findings(l->finished);
}

/* ---- inputs ---- */

/*
 * What was dropped on the scopes that are under attack; what was not is kept for a while, for rules may be sought for
 * it.
 */
static void count_fates(struct live *l, const struct packet *packets, uint32_t count)
{
	struct live_case *attacked[INCIDENT_LIST_MAX];
	uint32_t incidents = engine_incident_count(l->engine), attacked_count = 0;

	for (uint32_t i = 0; i < incidents && i < INCIDENT_LIST_MAX; i++)
		if (l->cases[i].begun && !l->cases[i].over && l->cases[i].wave_open)
			attacked[attacked_count++] = &l->cases[i];
	for (uint32_t j = 0; attacked_count && j < count; j++) {
		const struct observation *o = &packets[j].observation;
		bool hits = false;

		for (uint32_t i = 0; i < attacked_count; i++) {
			if (!live_hits_scope(&attacked[i]->scope, o))
				continue;
			hits = true;
			if (o->flags & OBSERVATION_DROPPED)
				attacked[i]->dropped += o->weight;
			else if (!(o->flags & OBSERVATION_WELCOME))
				attacked[i]->passed++;
		}
		if (!hits || (o->flags & (OBSERVATION_DROPPED | OBSERVATION_WELCOME)))
			continue;
		l->passed_kind[l->passed_count % LIVE_PASSED_MAX] = packets[j].likely;
		l->passed[l->passed_count++ % LIVE_PASSED_MAX] = *o;
	}
}

static void move_time(struct live *l, struct capture_time time)
{
	if (!l->has_time) {
		l->has_time = true;
		l->now = l->born = time;
		l->not_before = time;
	} else if (time_since(time, l->now) > 0) {
		l->now = time;
	}
}

static void show(struct engine *e, struct packet *batch, const struct observation *observations, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		batch[i].observation = observations[i];
		engine_prepare(e, &batch[i]);
	}
	engine_observe(e, batch, count);
}

void live_observe(struct live *l, const struct observation *observations, uint32_t count)
{
	live_begin_input(l);
	while (count) {
		uint32_t n = count < LIVE_BATCH ? count : LIVE_BATCH;

		if (!l->has_time)
			move_time(l, observations[0].time);
		if (l->warming)
			show(l->warming, l->batch, observations, n);
		show(l->engine, l->batch, observations, n);
		count_fates(l, l->batch, n);
		live_learn_peace(l, l->batch, n);
		observations += n;
		count -= n;
	}
}

void live_tick(struct live *l, struct capture_time now)
{
	live_begin_input(l);
	move_time(l, now);
	engine_advance(l->engine, l->now);
	if (l->warming)
		engine_advance(l->warming, l->now);
	live_cases_watch(l);
	live_note_attacked(l);
	if (l->learns)
		quotas_advance(l->quotas, l->now.ns / NS_PER_S);
	live_rules_keep(l);
	change_generation(l);
}

void live_loaded(struct live *l, const struct engine_load *load)
{
	live_begin_input(l);
	engine_loaded(l->engine, load);
	if (l->warming)
		engine_loaded(l->warming, load);
}
