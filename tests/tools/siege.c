/* SPDX-License-Identifier: Apache-2.0 */
/*
 * siege [GEO [TARGETS [SOURCES]]]: what the engine's role takes when it watches one attack after the other, and prints
 * that as one object of JSON. All of what it does with samples is here as in the daemon (daemon/watch.h), with the
 * databases in the folder GEO ("": none), but no kernel: samples are made, orders are carried out at once, what goes to
 * the recorder is counted.
 *
 * After PEACE_S of conversations, so that the sample of normal packets is full, each of TARGETS (130) addresses of
 * networks that are no neighbours is flooded for a second, by ATTACK_PPS packets of as many sources, SOURCES: "relays"
 * (NTP reflection, which is the default) or "forged" (SYNs). So rosters, samples and incidents are all full, and one
 * generation takes over from another in their midst. Time is made up as well: what is measured is the processor's.
 *
 *     peak_mib        most that was resident       turn_ms   the longest turn, of the processor
 *     searches_most   of one tick                  findings_most, told_most   of one turn
 */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "daemon/role.h"
#include "daemon/watch_inside.h"

#define GIVEN_BACK (256 * 1024) /* as in the role */
#define TARGETS 130
#define TARGETS_MAX 4096
#define PEACE_S 40
#define PEACE_PPS 5000
#define ATTACK_PPS 20000
#define AFTER_S 10
#define TICK_NS (WATCH_TICK_MS * (int64_t)NS_PER_MS)
#define TICKS_A_SECOND (NS_PER_S / TICK_NS)
#define USERS 4000
#define HOST 0xc0000201u  /* 192.0.2.1, who is asked in peace */
#define FIRST 0x0b000000u /* targets, no two in one /15 */
#define STEP 0x00020000u
#define RELAYS 0xc6120000u /* 198.18.0.0/15, and beyond */

/* A frame as it is sampled, and what the tests of the kernel call it. */
struct made {
	struct shield_sample *sample;
	uint8_t *at;
};

static struct {
	struct watch *watch;
	uint64_t random;
	struct shield_sample waiting[2 * (PEACE_PPS + ATTACK_PPS) / TICKS_A_SECOND];
	unsigned count, taken;
	uint64_t handles[WATCH_ORDERS_MAX];
	unsigned handle_count;
	uint32_t rules;
	uint64_t incidents, finals, octets; /* that went to the recorder */
} siege;

/* ---- what stands in the place of kernel, loader and recorder ---- */

int samples_read_some(struct samples *samples, unsigned max)
{
	unsigned count = 0;

	(void)samples;
	for (; siege.taken < siege.count && count < max; count++)
		watch_take(siege.watch, &siege.waiting[siege.taken++]);
	return (int)count;
}

int shield_read_mode(const struct shield_maps *maps, uint64_t now_jiffies, struct shield_mode *mode)
{
	(void)maps;
	(void)now_jiffies;
	(void)mode;
	return -ENODATA;
}

/* Everybody is known, so that whoever asks again and again is kept. */
int shield_read_knowing(const struct shield_maps *maps, struct shield_knowing *knowing)
{
	(void)maps;
	knowing->hz = 1;
	return 0;
}

bool shield_is_known(const struct shield_maps *maps, const struct shield_knowing *knowing, unsigned service,
                     const struct address *source, uint64_t now)
{
	(void)maps;
	(void)knowing;
	(void)service;
	(void)source;
	(void)now;
	return true;
}

uint64_t shield_jiffies_at(const struct shield_pace *pace, int64_t monotonic_ns)
{
	(void)pace;
	return (uint64_t)monotonic_ns;
}

int outbox_put(struct outbox *outbox, const struct message *message, int file, size_t length)
{
	(void)outbox;
	siege.incidents += message->type == MESSAGE_INCIDENT;
	siege.finals += message->type == MESSAGE_INCIDENT && message->incident.state == MESSAGE_INCIDENT_FINAL;
	siege.octets += length;
	if (file >= 0)
		(void)close(file);
	return 0;
}

int watch_rules_new(struct watch *watch)
{
	(void)watch;
	return 0;
}

void watch_rules_free(struct watch *watch)
{
	(void)watch;
}

void watch_rules_begin(struct watch *watch)
{
	(void)watch;
}

void watch_freeze_begin(struct watch *watch)
{
	(void)watch;
}

void watch_rules_turn(struct watch *watch)
{
	while (siege.handle_count > 0)
		watch_ruled(watch, siege.handles[--siege.handle_count], ++siege.rules, 0);
}

void watch_rules_take(struct watch *watch)
{
	struct live_order order;

	while (siege.handle_count < WATCH_ORDERS_MAX && live_next_order(watch->live, &order))
		if (order.type == LIVE_ADD_RULE)
			siege.handles[siege.handle_count++] = order.handle;
}

/* ---- frames ---- */

static uint32_t draw(uint32_t below)
{
	uint64_t z = siege.random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) % below);
}

static void put(struct made *made, unsigned octets, uint64_t value)
{
	while (octets-- > 0)
		*made->at++ = (uint8_t)(value >> 8 * octets);
}

/* As far as its transport header; `payload` octets follow it on the wire. */
static struct made begin_frame(int64_t now, uint32_t from, uint32_t to, uint8_t protocol, unsigned header,
                               unsigned payload)
{
	struct made made = { .sample = &siege.waiting[siege.count++] };

	*made.sample = (struct shield_sample){ .time_ns = (uint64_t)now,
		                               .weight = 1,
		                               .length = 14 + 20 + header + payload,
		                               .reason = SHIELD_PASS_CLEAN,
		                               .service = SHIELD_SERVICE_NONE };
	made.at = made.sample->octets;
	put(&made, 6, 0x02005e200001);
	put(&made, 6, 0x02005e200002);
	put(&made, 2, 0x0800);
	put(&made, 2, 0x4500);
	put(&made, 2, 20 + header + payload);
	put(&made, 4, (uint64_t)draw(65536) << 16);
	put(&made, 1, 48 + draw(16));
	put(&made, 1, protocol);
	put(&made, 2, 0);
	put(&made, 4, from);
	put(&made, 4, to);
	return made;
}

static void put_tcp(struct made *made, uint16_t from, uint16_t to, uint8_t flags)
{
	put(made, 2, from);
	put(made, 2, to);
	put(made, 4, draw(UINT32_MAX));
	put(made, 4, flags & 0x10 ? draw(UINT32_MAX) : 0);
	put(made, 2, 0x5000 | flags);
	put(made, 2, 1024 + draw(60000));
	put(made, 4, 0);
}

static void end_frame(const struct made *made)
{
	made->sample->kept = (uint16_t)(made->at - made->sample->octets);
}

static void converse(int64_t now)
{
	struct made made = begin_frame(now, RELAYS + 0x10000 + draw(USERS), HOST, 6, 20, draw(1200));

	made.sample->flags = SHIELD_SAMPLE_ANSWERED;
	put_tcp(&made, (uint16_t)(32768 + draw(28000)), 443, 0x18);
	end_frame(&made);
}

static void attack(int64_t now, uint32_t target, bool forged)
{
	struct made made;

	if (forged) {
		made = begin_frame(now, 0x0c000000u + draw(0xb0000000u), target, 6, 20, 0);
		put_tcp(&made, (uint16_t)(1024 + draw(60000)), 80, 0x02);
	} else {
		made = begin_frame(now, RELAYS + draw(ATTACK_PPS * 2), target, 17, 8, 440);
		put(&made, 2, 123);
		put(&made, 2, 1024 + draw(60000));
		put(&made, 4, (uint64_t)448 << 16);
		put(&made, 8, 0xd700032a00060048);
	}
	end_frame(&made);
}

/* ---- */

static double processor_ms(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
	return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

struct most {
	double turn_ms, total_ms;
	uint64_t searches;
	uint32_t findings, told;
};

/* A turn of the daemon's, with so many packets of either sort before it. */
static void turn(int64_t now, uint32_t target, bool forged, struct most *most)
{
	const struct watch_telling *telling = &siege.watch->telling;
	uint64_t searches = live_counters(siege.watch->live).searches, incidents = siege.incidents;
	uint32_t findings = telling->finished ? engine_count(telling->finished) : 0;
	double began;

	siege.count = siege.taken = 0;
	for (unsigned i = 0; i < PEACE_PPS / TICKS_A_SECOND; i++)
		converse(now - TICK_NS + (int64_t)i);
	for (unsigned i = 0; target && i < ATTACK_PPS / TICKS_A_SECOND; i++)
		attack(now - TICK_NS + (int64_t)i * 40000, target, forged);
	began = processor_ms();
	while (watch_turn(siege.watch, NULL, now))
		continue;
	began = processor_ms() - began;
	most->total_ms += began;
	most->turn_ms = began > most->turn_ms ? began : most->turn_ms;
	searches = live_counters(siege.watch->live).searches - searches;
	most->searches = searches > most->searches ? searches : most->searches;
	findings = telling->finished && engine_count(telling->finished) > findings
	                   ? engine_count(telling->finished) - findings
	                   : 0;
	most->findings = findings > most->findings ? findings : most->findings;
	incidents = siege.incidents - incidents;
	most->told = incidents > most->told ? (uint32_t)incidents : most->told;
}

static int run(const char *geo, uint32_t targets, bool forged)
{
	struct config config = { .enforce = true };
	struct watch_setup setup = { .loader = -1 };
	struct most most = { 0 };
	struct rusage usage;
	int64_t now = role_monotonic_ns();
	int result;

	(void)mallopt(M_MMAP_THRESHOLD, GIVEN_BACK);
	message_text(config.geo, sizeof(config.geo), geo);
	result = watch_trace_open(&config, &setup.traces);
	if (result == 0)
		result = watch_new(&setup, &siege.watch);
	if (result == 0)
		result = watch_begin(siege.watch, &config, 1, NULL, 0);
	if (result != 0)
		return result;
	for (uint64_t i = 0; i < (PEACE_S + targets + AFTER_S) * TICKS_A_SECOND; i++) {
		uint64_t second = i / TICKS_A_SECOND;

		now += TICK_NS;
		turn(now,
		     second < PEACE_S || second >= PEACE_S + targets ? 0 : FIRST + (uint32_t)(second - PEACE_S) * STEP,
		     forged, &most);
	}
	(void)getrusage(RUSAGE_SELF, &usage);
	printf("{\"targets\":%u,\"peak_mib\":%.1f,\"turn_ms\":%.1f,\"seconds\":%.2f,\"generations\":%" PRIu64
	       ",\"told\":%" PRIu64 ",\"final\":%" PRIu64 ",\"octets\":%" PRIu64 ",\"rules\":%" PRIu32
	       ",\"searches\":%" PRIu64 ",\"searches_most\":%" PRIu64 ",\"findings_most\":%" PRIu32
	       ",\"told_most\":%" PRIu32 "}\n",
	       targets, (double)usage.ru_maxrss / 1024, most.turn_ms, most.total_ms / 1e3, siege.watch->generations,
	       siege.incidents, siege.finals, siege.octets, siege.rules, live_counters(siege.watch->live).searches,
	       most.searches, most.findings, most.told);
	watch_free(siege.watch);
	watch_trace_free(setup.traces);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long targets = argc > 2 ? strtoul(argv[2], NULL, 10) : TARGETS;
	bool forged = argc > 3 && strcmp(argv[3], "forged") == 0;
	int result;

	if (argc > 4 || targets == 0 || targets > TARGETS_MAX ||
	    (argc > 3 && !forged && strcmp(argv[3], "relays") != 0)) {
		fputs("usage: siege [GEO [TARGETS [relays|forged]]]\n", stderr);
		return 2;
	}
	result = run(argc > 1 ? argv[1] : "", (uint32_t)targets, forged);
	if (result != 0)
		fprintf(stderr, "siege: %s\n", strerror(-result));
	return result != 0;
}
