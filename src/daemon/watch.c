/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/share.h"
#include "base/time.h"
#include "daemon/log.h"
#include "daemon/role.h"
#include "daemon/watch_inside.h"
#include "shield/sample_observation.h"

#define TICK_NS (WATCH_TICK_MS * (int64_t)NS_PER_MS)
#define SETTLE_NS (1 * NS_PER_MS) /* so long after it was taken a sample is in the ring, whatever processor took it */
#define AGAIN_NS NS_PER_S
#define SAVE_FIRST_NS (60 * NS_PER_S) /* after the beginning what was learned is kept, and then … */
#define SAVE_NS (600 * NS_PER_S)      /* … so often */

int watch_new(const struct watch_setup *setup, struct watch **watch)
{
	struct watch *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->setup = *setup;
	made->batch = calloc(WATCH_BATCH, sizeof(*made->batch));
	made->course = course_new();
	if (!made->batch || !made->course || watch_rules_new(made) != 0 || watch_stream_new(made) != 0) {
		watch_free(made);
		return -ENOMEM;
	}
	*watch = made;
	return 0;
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	watch_telling_free(watch);
	live_free(watch->live);
	watch_rules_free(watch);
	watch_stream_free(watch);
	course_free(watch->course);
	watch_dropped_free(watch->dropped);
	watch_attempts_free(watch->attempts);
	free(watch->batch);
	free(watch);
}

/* ---- services ---- */

static int make_live(const struct watch *watch, const struct config *config, const uint8_t *learned, size_t length,
                     struct live **live)
{
	struct live_service *services = calloc(CONFIG_SERVICES_MAX, sizeof(*services));
	int result;

	if (!services)
		return -ENOMEM;
	for (unsigned i = 0; i < config->service_count; i++) {
		const struct config_service *from = &config->services[i];

		services[i] = (struct live_service){ .prefixes = from->addresses.prefixes,
			                             .prefix_count = from->addresses.count,
			                             .local = !from->forwarded,
			                             .fallback = from->fallback };
		message_text(services[i].name, sizeof(services[i].name), from->name);
	}
	result = live_new(watch->seed, services, config->service_count, learned, length, live);
	free(services);
	return result;
}

static int64_t capture_second(const struct watch *watch, int64_t monotonic_ns)
{
	return (monotonic_ns + watch->shift_ns) / NS_PER_S;
}

int watch_begin(struct watch *watch, const struct config *config, uint64_t seed, const uint8_t *learned, size_t length)
{
	int result;

	watch->config = config;
	watch->seed = seed;
	watch->began_ns = role_monotonic_ns();
	watch->shift_ns = role_wall_ns() - watch->began_ns;
	watch->saved_ns = watch->began_ns + SAVE_FIRST_NS;
	watch->now_ns = watch->began_ns;
	watch->present = (struct course_point){ .link_percent = -1 };
	watch->present_s = capture_second(watch, watch->began_ns);
	result = watch_dropped_new(seed, &watch->dropped);
	if (result == 0)
		result = watch_attempts_new(seed, &watch->attempts);
	if (result != 0)
		return result;
	result = make_live(watch, config, learned, length, &watch->live);
	watch->restored = learned && result == 0;
	if (result == -EBADMSG || result == -EPROTONOSUPPORT) {
		LOG_SAY(LOG_WARNING, "what was learned %s; what is usual is learned anew",
		        result == -EBADMSG ? "cannot be read" : "is another version's");
		result = 0;
	}
	if (result != 0)
		return result;
	watch_rules_begin(watch);
	watch_freeze_begin(watch);
	watch_stream_follow(watch);
	return 0;
}

static bool is_quiet(const struct live *live)
{
	for (unsigned i = 0; i < live_count(live); i++) {
		struct live_view view;

		live_view(live, i, &view);
		if (!view.over)
			return false;
	}
	return true;
}

static void take_outputs(struct watch *watch);

/* Begins anew with what was learned. What is found of the old is told first; its rules are strays. */
static void begin_anew(struct watch *watch)
{
	uint8_t *learned = NULL;
	size_t length = 0;
	struct live *live = NULL;
	int result = live_save(watch->live, &learned, &length);

	if (result == 0)
		result = make_live(watch, watch->config, learned, length, &live);
	free(learned);
	if (result != 0 && result != -EBADMSG) {
		LOG_SAY(LOG_WARNING, "the new services are not watched yet: %s", strerror(-result));
		return;
	}
	if (live_end(watch->live) == 0)
		take_outputs(watch);
	watch_tell_rest(watch);
	live_free(watch->live);
	watch->live = live;
	watch->outdated = false;
	watch_stream_restart(watch);
	watch_rules_begin(watch);
	watch_stream_follow(watch);
}

static bool same_services(const struct config *a, const struct config *b)
{
	if (a->service_count != b->service_count)
		return false;
	for (unsigned i = 0; i < a->service_count; i++) {
		const struct config_service *one = &a->services[i], *other = &b->services[i];

		if (strcmp(one->name, other->name) != 0 || one->forwarded != other->forwarded ||
		    one->fallback != other->fallback || one->addresses.count != other->addresses.count)
			return false;
		for (uint32_t k = 0; k < one->addresses.count; k++)
			if (!prefix_equal(&one->addresses.prefixes[k], &other->addresses.prefixes[k]))
				return false;
	}
	return true;
}

void watch_reload(struct watch *watch, const struct config *before, const struct config *config)
{
	watch->config = config;
	if (!watch->live)
		return;
	watch_attempts_clear(watch->attempts); /* services may stand elsewhere */
	if (same_services(before, config))
		return;
	watch->outdated = true;
	watch->again_ns = 0;
}

/* ---- inputs ---- */

/* Taken after each input, for what they are about may be gone with the next. */
static void take_outputs(struct watch *watch)
{
	struct live_news news;

	watch_rules_take(watch);
	while (live_next_news(watch->live, &news))
		watch_tell(watch, &news);
	watch_stream_follow(watch);
}

void watch_ruled(struct watch *watch, uint64_t handle, uint32_t number, int result)
{
	watch_stream_ruled(watch, handle, number, result);
	live_ruled(watch->live, handle, number, result);
	take_outputs(watch);
}

void watch_rule_gone(struct watch *watch, uint64_t handle)
{
	watch_stream_rule_gone(watch, handle);
	live_rule_gone(watch->live, handle);
	take_outputs(watch);
}

void watch_rule_counted(struct watch *watch, uint64_t handle, const struct life_count *count)
{
	watch_stream_rule_counted(watch, handle, count);
	live_rule_counted(watch->live, handle, count);
	take_outputs(watch);
}

static void hand_in(struct watch *watch)
{
	if (watch->count == 0)
		return;
	watch_stream_observe(watch);
	live_observe(watch->live, watch->batch, watch->count);
	watch->count = 0;
	take_outputs(watch);
}

/* ---- samples ---- */

static struct watch_second *second_of(struct watch *watch)
{
	int64_t second = watch->now_ns / NS_PER_S;
	struct watch_second *at = &watch->seconds[second % WATCH_SECONDS_KEPT];

	if (at->second != second)
		*at = (struct watch_second){ .second = second };
	return at;
}

/* What comes from there is another's word: a proxy is no attacker, and its conversations are engaged. */
static bool is_trusted(const struct watch *watch, const struct observation *observation)
{
	const struct prefix_list *proxies = &watch->config->trusted_proxies;

	for (uint32_t i = 0; i < proxies->count; i++)
		if (prefix_contains(&proxies->prefixes[i], &observation->src))
			return true;
	return false;
}

static void count(struct watch *watch, const struct observation *observation)
{
	struct course_point *present = &watch->present;

	present->arrived += observation->weight;
	if (observation->flags & OBSERVATION_DROPPED)
		present->dropped += observation->weight;
	if (observation->flags & OBSERVATION_ANSWERED) {
		present->answered += observation->weight;
		if (observation->flags & OBSERVATION_DROPPED)
			present->lost += observation->weight;
	}
	if (observation->flags & OBSERVATION_HANDSHAKE)
		present->handshakes += observation->weight;
	watch_users_note(&watch->users, watch->config, observation, watch->now_ns + watch->shift_ns);
}

/* A mode that cannot be read drops nothing. */
bool watch_enforces(const struct watch *watch)
{
	uint64_t now = shield_jiffies_at(watch->setup.pace, watch->now_ns);
	struct shield_mode mode;

	return shield_read_mode(watch->setup.maps, now, &mode) == 0 && mode.enforce;
}

struct watch_dropped *watch_dropped_table(const struct watch *watch)
{
	return watch->dropped;
}

void watch_send_signals(struct watch *watch, int recorder)
{
	while (watch_users_take(&watch->users, &watch->message))
		if (message_send(recorder, &watch->message, NULL, 0) != 0) {
			watch_users_give_back(&watch->users, &watch->message);
			return;
		}
}

/* ---- new connections ---- */

static bool is_known(const struct watch *watch, unsigned service, const struct address *source)
{
	return shield_is_known(watch->setup.maps, &watch->knowing, service, source,
	                       shield_jiffies_at(watch->setup.pace, watch->now_ns));
}

static void connection(struct watch *watch, unsigned service, const struct address *source, bool came_about)
{
	if (is_known(watch, service, source))
		watch_users_connection(&watch->users, watch->config, service, came_about,
		                       watch->now_ns + watch->shift_ns);
}

static void gave_up(void *context, unsigned service, const struct address *source)
{
	connection(context, service, source, false);
}

static void note_attempt(struct watch *watch, const struct observation *observation, unsigned service)
{
	if (watch_attempts_note(watch->attempts, observation, service, watch->now_ns))
		connection(watch, service, &observation->src, true);
}

static void sweep_attempts(struct watch *watch)
{
	if (shield_read_knowing(watch->setup.maps, &watch->knowing) != 0)
		watch->knowing.hz = 0;
	watch_attempts_sweep(watch->attempts, watch->now_ns, gave_up, watch);
}

/* The second that has passed goes to the others. */
static void note_course(struct watch *watch)
{
	int64_t second = capture_second(watch, watch->now_ns);

	if (second == watch->present_s)
		return;
	watch->users.enforces = watch_enforces(watch);
	sweep_attempts(watch);
	watch_users_turn(&watch->users, watch->config, watch->now_ns + watch->shift_ns);
	watch->present.seconds = 1;
	course_add(watch->course, watch->present_s, &watch->present);
	watch->present = (struct course_point){ .link_percent = -1 };
	watch->present_s = second;
}

/*
 * Of the links the fullest: one that loses frames is full, whatever its speed. What has no speed and loses none says
 * nothing.
 */
static void tell_load(struct watch *watch, const struct links *links)
{
	struct engine_load load = { 0 };

	for (unsigned i = 0; i < links->count; i++) {
		const struct link_state *link = &links->states[i];
		int percent = link->full ? 100 : link->percent;

		if (link->has_rates && percent > (int)load.percent)
			load = (struct engine_load){ .percent = (uint32_t)percent, .pps = link->pps };
	}
	hand_in(watch);
	watch_stream_loaded(watch, &load);
	live_loaded(watch->live, &load);
	take_outputs(watch);
}

void watch_links(struct watch *watch, const struct links *links)
{
	struct course_point point = { .link_percent = -1 };

	if (!watch->live)
		return;
	for (unsigned i = 0; i < links->count; i++) {
		const struct link_state *link = &links->states[i];

		if (!link->has_rates)
			continue;
		point.link_seconds = 1;
		point.link_bits += link->bps;
		point.link_packets += link->pps;
		point.link_lost += link->lost_pps;
		point.link_percent = link->percent > point.link_percent ? link->percent : point.link_percent;
	}
	if (point.link_seconds)
		course_add(watch->course, capture_second(watch, links->monotonic_ns), &point);
	tell_load(watch, links);
}

/* The shield judges the packet around what a tunnel carries. */
static void note_dropped(struct watch *watch, const struct observation *observation)
{
	watch_dropped_note(watch->dropped,
	                   observation->flags & OBSERVATION_TUNNELLED ? &observation->outer.src : &observation->src,
	                   (uint32_t)(watch->now_ns / NS_PER_S));
}

void watch_take(void *context, const struct shield_sample *sample)
{
	struct watch *watch = context;
	struct watch_second *second = second_of(watch);
	int64_t late_ns = watch->now_ns - (int64_t)sample->time_ns;
	enum decode_result result;

	watch->taken++;
	second->taken++;
	if (late_ns > second->lag_ns)
		second->lag_ns = late_ns;
	if (!watch->live)
		return;
	result = sample_observation(sample, watch->shift_ns, &watch->batch[watch->count]);
	if (!decode_hits_target(result)) {
		watch->undecodable += result != DECODE_ARP && result != DECODE_NOT_IP;
		return;
	}
	if (is_trusted(watch, &watch->batch[watch->count]))
		watch->batch[watch->count].flags |= OBSERVATION_ANSWERED;
	else if (watch_dropped_counts_as(sample))
		note_dropped(watch, &watch->batch[watch->count]);
	if (!(sample->flags & SHIELD_SAMPLE_SENT)) {
		count(watch, &watch->batch[watch->count]);
		note_attempt(watch, &watch->batch[watch->count], sample->service);
	}
	if (++watch->count == WATCH_BATCH)
		hand_in(watch);
}

bool watch_turn(struct watch *watch, struct samples *samples, int64_t monotonic_ns)
{
	struct capture_time now;
	bool more;

	watch->now_ns = monotonic_ns;
	if (monotonic_ns < watch->tick_ns)
		return false;
	note_course(watch);
	more = samples_read_some(samples, WATCH_TURN) >= WATCH_TURN;
	hand_in(watch);
	/* Where there is more, time stands at what was read last. */
	if (!more) {
		watch->tick_ns = monotonic_ns + TICK_NS;
		now.ns = monotonic_ns - SETTLE_NS + watch->shift_ns;
		watch_stream_tick(watch, now);
		live_tick(watch->live, now);
		take_outputs(watch);
	}
	if (watch->outdated && monotonic_ns >= watch->again_ns) {
		watch->again_ns = monotonic_ns + AGAIN_NS;
		if (is_quiet(watch->live))
			begin_anew(watch);
	}
	if (monotonic_ns >= watch->saved_ns) {
		watch->saved_ns = monotonic_ns + SAVE_NS;
		watch_save(watch);
	}
	watch_rules_turn(watch);
	(void)watch_tell_some(watch, WATCH_TELLINGS_A_TURN);
	return more;
}

uint64_t watch_taken(const struct watch *watch)
{
	return watch->taken;
}

void watch_end(struct watch *watch)
{
	if (!watch->live)
		return;
	watch_users_finish(&watch->users);
	watch_save(watch);
	if (live_end(watch->live) == 0)
		take_outputs(watch);
	watch_tell_rest(watch);
}

/* ---- facts ---- */

static void fill_rule(const struct life *life, struct control_attack_rule *rule)
{
	*rule = (struct control_attack_rule){
		.number = life->number,
		.state = life_state_name(life->state),
		.why = life->why,
		.rule = &life->rule,
		.matched = life->count.matched,
		.dropped = life->count.dropped,
		.spared = life->count.spared,
		.answered = life->count.answered,
		.probes = life->count.probes,
		.completed = life->count.completed,
		.known = life->count.known,
		.known_lost = life->count.known_lost,
		.fallback = life->fallback,
		.knows = life->known,
		.each = life->each,
		.source_pps = life->source_pps,
		.has_bound = life->signature.has_bound,
		.bound_ppm = life->signature.bound_ppm,
		.baseline_samples = life->signature.baseline_samples,
		.verified_hits = life->signature.verified_hits,
		.verified_samples = life->signature.verified_samples,
	};
}

static void fill_attack(const struct watch *watch, const struct live_view *view, struct control_live *facts)
{
	struct control_attack *attack = &facts->attacks[facts->attack_count++];
	const struct incident *incident = view->incident;
	struct capture_time now = { role_monotonic_ns() + watch->shift_ns };

	*attack = (struct control_attack){
		.id = view->id,
		.service = view->service,
		.target = incident->scope,
		.vector = incident->parts_count ? vector_get(incident->parts[0].kind)->name : "unknown",
		.began_ns = incident->began.ns,
		.age_ns = time_since(now, incident->began),
		.pps = view->pps,
		.bps = view->bps,
		.passing_ppm = view->passing_ppm,
		.over = view->over,
		.advice = view->advice,
		.fallback = view->fallback,
		.first_rule = facts->rule_count,
	};
	for (unsigned i = 0; i < view->rule_count && facts->rule_count < CONTROL_ATTACK_RULES_MAX; i++) {
		fill_rule(view->rules[i], &facts->rules[facts->rule_count++]);
		attack->rule_count++;
	}
}

/* Of the whole seconds before the present one. */
static void fill_seconds(const struct watch *watch, struct control_live *facts)
{
	int64_t now_ns = role_monotonic_ns(), now = capture_second(watch, now_ns), begin, step;
	const struct watch_second *last = &watch->seconds[(now_ns / NS_PER_S - 1) % WATCH_SECONDS_KEPT];
	struct course_point sum = { .seconds = 0 };

	if (last->second == now_ns / NS_PER_S - 1) {
		facts->samples_pps = last->taken;
		facts->lag_ns = last->lag_ns;
	}
	(void)course_read(watch->course, now - WATCH_SECONDS, now - 1, &sum, 1, &begin, &step);
	if (watch->present_s >= now - WATCH_SECONDS && watch->present_s < now) { /* it is over, and not noted yet */
		sum.answered += watch->present.answered;
		sum.lost += watch->present.lost;
		sum.handshakes += watch->present.handshakes;
	}
	facts->answered_pps = sum.answered / WATCH_SECONDS;
	facts->handshakes_pps = sum.handshakes / WATCH_SECONDS;
	facts->has_lost = sum.answered > 0;
	facts->lost_ppm = (uint32_t)share_ppm(sum.lost, sum.answered);
}

void watch_facts(const struct watch *watch, struct control_live *facts)
{
	struct live_counters counters;
	unsigned count;

	memset(facts, 0, sizeof(*facts));
	if (!watch->live)
		return;
	count = live_count(watch->live);
	for (unsigned i = 0; i < count && i < CONTROL_ATTACKS_MAX; i++) {
		struct live_view view;

		live_view(watch->live, i, &view);
		fill_attack(watch, &view, facts);
	}
	fill_seconds(watch, facts);
	counters = live_counters(watch->live);
	facts->generation = watch->generations;
	facts->learned_ns = role_monotonic_ns() - watch->began_ns;
	facts->warm = watch->restored || facts->learned_ns >= LIVE_WARM_NS;
	facts->undecodable = watch->undecodable;
	facts->strays = watch->rules.stray_count;
	facts->streams_cut = watch->streams.cut;
	facts->outbox_lost = outbox_lost(watch->setup.outbox);
	facts->rules_refused = counters.rules_refused;
	facts->bans_pushed_out = counters.bans_pushed_out;
	facts->no_memory = counters.no_memory;
	facts->sources_uncounted = counters.sources_uncounted;
	facts->dropped_refused = watch_dropped_counts(watch->dropped).refused;
	facts->attempts_refused = watch_attempts_counts(watch->attempts).refused;
	facts->signals_lost = watch->users.signals_lost;
}
