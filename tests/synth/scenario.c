/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See scenario.h. Most attacks follow one timeline: peace long enough for ten thousand normal packets to arrive, the
 * attack mixed into them, peace again. Frames are counted so that at 100 percent a file has some 100,000 to 300,000 of
 * them and stays below 60 MB.
 */
#include "scenario.h"

#include <stdio.h>
#include <string.h>

#include "flood.h"
#include "innocent.h"
#include "normal.h"
#include "reflect.h"
#include "web.h"

#define PEACE (30 * NS_PER_S)
#define AFTER (15 * NS_PER_S)

/* The target listens here. */
#define WEB_PORT 443

static void truth_sources(struct world *w, const char *kind, int spoofed, bool rule_possible)
{
	w->truth.source_kind = kind;
	w->truth.spoofed = spoofed;
	w->truth.rule_possible = rule_possible;
}

/* --- reflections ----------------------------------------------------------------------------------------------- */

static struct reflection reflection_of(struct world *w, const char *vector, const struct pool *pool, char label)
{
	return (struct reflection){
		.proto = reflect_find(vector),
		.pool = pool,
		.label = label,
		.dst = w->target,
	};
}

static void play_reflection(struct world *w, const struct scenario *s)
{
	const struct reflect_proto *pr = s->row;
	struct rng r = world_rng(w);
	struct reflection a = reflection_of(w, pr->vector, NULL, world_vector(w, pr->vector));
	/* Large frames come less long: some 30 MB of attack at most. */
	int64_t lasts = (pr->lo + pr->hi) / 2 > 800 ? 11 * NS_PER_S : 15 * NS_PER_S;
	struct pool pool;

	w->end_ns = PEACE + lasts + AFTER;
	truth_sources(w, "reflectors", 0, true);
	normal_mix(w, 100);
	if (pool_make(w, &r, &pool, pr->reflectors, POOL_ANYWHERE))
		return;
	a.pool = &pool;
	a.pps = pr->pps;
	a.from_ns = PEACE;
	a.to_ns = PEACE + lasts;
	a.dport = rng_chance(&r, 1, 2) ? (rng_chance(&r, 1, 2) ? 80 : 443) : 0;
	world_wave(w, a.from_ns, a.to_ns + NS_PER_MS);
	reflect_write(w, &a);
	pool_free(&pool);
}

/* --- floods ---------------------------------------------------------------------------------------------------- */

enum flood_kind {
	FLOOD_SYN_TOOL,
	FLOOD_SYN_LINUX,
	FLOOD_SYN_MIRAI,
	FLOOD_TCP_TOOL,
	FLOOD_TCP_BOT,
	FLOOD_TCP_DISGUISED,
	FLOOD_SYN_ACK,
	FLOOD_MIDDLEBOX,
	FLOOD_UDP_MIRAI,
	FLOOD_UDP_VSE,
	FLOOD_UDP_NOISE,
	FLOOD_FRAGMENTS,
	FLOOD_ECHO,
	FLOOD_GRE,
	FLOOD_DNS_QUERY,
	FLOOD_CONNECTIONS,
};

struct flood_row {
	const char *name, *vector, *family;
	enum flood_kind kind;
	uint32_t machines; /* 0: spoofed, another source for each packet */
	uint32_t pps, seconds;
	uint16_t dport, lo, hi;
	uint8_t flags;
	unsigned int traits;
	const char *help;
};

/* Traits of a flood. */
#define AMONG_CLIENTS 1u /* its sources lie among the normal clients */
#define NO_RULE 2u       /* no header rule tells it from normal traffic */
#define V4_ONLY 4u

#define ALL_LIT (TCP_FIN | TCP_PSH | TCP_URG)

/* clang-format off */
static const struct flood_row floods[] = {
	{"syn_flood_spoofed", "syn_flood", NULL, FLOOD_SYN_TOOL, 0, 5000, 15, WEB_PORT, 0, 0, 0, 0,
	 "random sources, no options, window 512, random sequence numbers"},
	{"syn_flood_like_normal", "syn_flood", NULL, FLOOD_SYN_LINUX, 0, 5000, 15, WEB_PORT,
	 0, 0, 0, AMONG_CLIENTS | NO_RULE,
	 "spoofed among the clients, a Linux client's SYN to the last option: no safe rule exists"},
	{"syn_flood_botnet", "syn_flood", "mirai", FLOOD_SYN_MIRAI, 5000, 5000, 15, WEB_PORT, 0, 0, 0, 0,
	 "5,000 real bots, mss,sok,ts,nop,ws with window 0, MSS fixed per bot"},
	{"ack_flood", "ack_flood", NULL, FLOOD_TCP_TOOL, 0, 5000, 15, WEB_PORT, 0, 0, TCP_ACK, 0,
	 "spoofed bare ACKs, answered with resets"},
	{"ack_flood_botnet", "ack_flood", "mirai", FLOOD_TCP_BOT, 800, 2500, 14, WEB_PORT, 512, 512, TCP_ACK, 0,
	 "512 random octets, random window, 800 bots"},
	{"rst_flood", "rst_flood", NULL, FLOOD_TCP_TOOL, 0, 6000, 15, WEB_PORT, 0, 0, TCP_RST, 0,
	 "spoofed resets"},
	{"fin_flood", "fin_flood", NULL, FLOOD_TCP_TOOL, 0, 6000, 15, WEB_PORT, 0, 0, TCP_FIN, 0,
	 "spoofed FINs"},
	{"xmas_flood", "xmas_flood", NULL, FLOOD_TCP_TOOL, 0, 6000, 15, WEB_PORT, 0, 0, ALL_LIT, 0,
	 "FIN, PSH and URG at once"},
	{"null_flood", "null_flood", NULL, FLOOD_TCP_TOOL, 0, 6000, 15, WEB_PORT, 0, 0, 0, 0,
	 "no flag at all"},
	{"psh_ack_flood", "ack_flood", NULL, FLOOD_TCP_DISGUISED, 0, 3000, 15, WEB_PORT,
	 60, 620, TCP_PSH | TCP_ACK, AMONG_CLIENTS | NO_RULE,
	 "fake sessions: data for connections that never were, among the clients"},
	{"syn_ack_reflection", "syn_ack_reflection", NULL, FLOOD_SYN_ACK, 4000, 5000, 15, 0, 0, 0, 0, 0,
	 "real servers' SYN-ACKs from ports 443, 80, 22, repeated after 1, 3 and 7 s"},
	{"middlebox_reflection", "middlebox_reflection", NULL, FLOOD_MIDDLEBOX, 600, 3500, 15, 0, 0, 0, 0, 0,
	 "censors' block pages without a connection"},
	{"udp_flood", "udp_flood", "mirai", FLOOD_UDP_MIRAI, 800, 3000, 14, 0, 512, 512, 0, 0,
	 "512 random octets to random ports, 800 bots"},
	{"udp_flood_fixed_port", "udp_flood", NULL, FLOOD_UDP_NOISE, 1500, 3000, 14, 7777, 20, 900, 0, 0,
	 "a game port, sizes vary"},
	{"udp_fragment", "fragment_flood", NULL, FLOOD_FRAGMENTS, 0, 4000, 15, 0, 24, 800, 0, 0,
	 "later fragments of UDP datagrams whose first never comes"},
	{"icmp_flood", "icmp_flood", NULL, FLOOD_ECHO, 2000, 4000, 15, 0, 120, 120, 0, 0,
	 "echo requests from 2,000 sources, answered"},
	{"gre_flood", "gre_flood", "mirai", FLOOD_GRE, 600, 3000, 13, 0, 0, 0, 0, V4_ONLY,
	 "GRE with an IP packet inside, inner source constant per bot"},
	{"vse_flood", "udp_flood", "mirai", FLOOD_UDP_VSE, 900, 5000, 15, 27015, 0, 0, 0, 0,
	 "TSource Engine Query to 27015"},
	{"dns_query_flood", "dns_query_flood", "mirai", FLOOD_DNS_QUERY, 2000, 4000, 15, 53, 0, 0, 0, 0,
	 "twelve random characters before the platform's zone, each answered NXDOMAIN"},
	{"tcp_connection_flood", "tcp_connection_flood", NULL, FLOOD_CONNECTIONS, 1500, 4000, 15, WEB_PORT,
	 0, 0, 0, AMONG_CLIENTS | NO_RULE,
	 "1,500 bots finish handshakes, then say nothing"},
};
/* clang-format on */

static void write_flood(struct world *w, const struct flood_row *row, const struct flood *f)
{
	switch (row->kind) {
	case FLOOD_SYN_TOOL:
		flood_syn(w, f, SYN_TOOL);
		break;
	case FLOOD_SYN_LINUX:
		flood_syn(w, f, SYN_LINUX);
		break;
	case FLOOD_SYN_MIRAI:
		flood_syn(w, f, SYN_MIRAI);
		break;
	case FLOOD_TCP_TOOL:
		flood_tcp(w, f, row->flags, TCP_TOOL);
		break;
	case FLOOD_TCP_BOT:
		flood_tcp(w, f, row->flags, TCP_BOT);
		break;
	case FLOOD_TCP_DISGUISED:
		flood_tcp(w, f, row->flags, TCP_DISGUISED);
		break;
	case FLOOD_SYN_ACK:
		flood_syn_ack(w, f);
		break;
	case FLOOD_MIDDLEBOX:
		flood_middlebox(w, f);
		break;
	case FLOOD_UDP_MIRAI:
		flood_udp(w, f, UDP_MIRAI);
		break;
	case FLOOD_UDP_VSE:
		flood_udp(w, f, UDP_VSE);
		break;
	case FLOOD_UDP_NOISE:
		flood_udp(w, f, UDP_NOISE);
		break;
	case FLOOD_FRAGMENTS:
		flood_fragments(w, f);
		break;
	case FLOOD_ECHO:
		flood_echo(w, f);
		break;
	case FLOOD_GRE:
		flood_gre(w, f);
		break;
	case FLOOD_DNS_QUERY:
		flood_dns_query(w, f);
		break;
	case FLOOD_CONNECTIONS:
		flood_connections(w, f);
		break;
	}
}

static void play_flood(struct world *w, const struct scenario *s)
{
	const struct flood_row *row = s->row;
	bool as_clients = row->traits & AMONG_CLIENTS, rule = !(row->traits & NO_RULE);
	struct rng r = world_rng(w);
	struct pool pool = { NULL, 0 };
	struct flood f = {
		.label = world_vector(w, row->vector),
		.from_ns = PEACE,
		.to_ns = PEACE + (int64_t)row->seconds * NS_PER_S,
		.pps = row->pps,
		.as_clients = as_clients,
		.dst = w->target,
		.dport = row->dport,
		.lo = row->lo,
		.hi = row->hi,
	};
	/* What a reflecting server repeats comes up to seven seconds later. */
	int64_t lag = row->kind == FLOOD_SYN_ACK ? 8 * NS_PER_S : NS_PER_S;

	w->end_ns = f.to_ns + AFTER;
	w->truth.family = row->family;
	if (row->kind == FLOOD_SYN_ACK || row->kind == FLOOD_MIDDLEBOX)
		truth_sources(w, "reflectors", 0, rule);
	else if (row->machines)
		truth_sources(w, "bots", 0, rule);
	else
		truth_sources(w, "spoofed", 1, rule);
	normal_mix(w, 100);
	if (row->machines) {
		if (pool_make(w, &r, &pool, row->machines, as_clients ? POOL_AS_CLIENTS : POOL_ANYWHERE))
			return;
		f.pool = &pool;
	}
	world_wave(w, f.from_ns, f.to_ns + lag);
	write_flood(w, row, &f);
	pool_free(&pool);
}

/* --- shapes ---------------------------------------------------------------------------------------------------- */

/* The target becomes a prefix with a dozen busy hosts in it. */
static void spread_target(struct world *w, unsigned int bits)
{
	/* 203.0.113.0/24, or 198.19.200.0/22 where a /24 is too small */
	static const uint8_t small[4] = { 203, 0, 113, 0 }, wide[4] = { 198, 19, 200, 0 };

	memset(&w->target, 0, sizeof(w->target));
	memcpy(w->target.b, bits == 24 ? small : wide, 4);
	w->target_bits = bits;
	w->n_servers = 12;
	for (uint32_t i = 0; i < 12; i++)
		w->servers[i] = world_host(w, bits == 24 ? 5 + 19 * i : 9 + 83 * i);
}

static void carpet(struct world *w, unsigned int bits, bool ntp, uint16_t size, uint32_t lo_pps, uint32_t hi_pps,
                   int64_t lasts)
{
	struct rng r = world_rng(w);
	struct pool pool;
	struct reflection a;
	struct flood f = { .from_ns = PEACE, .to_ns = PEACE + lasts, .lo = size, .hi = size };
	char label;

	spread_target(w, bits);
	w->end_ns = PEACE + lasts + AFTER;
	truth_sources(w, ntp ? "reflectors" : "bots", 0, true);
	label = world_vector(w, ntp ? "ntp_reflection" : "udp_flood");
	normal_mix(w, 100);
	if (pool_make(w, &r, &pool, 3000, POOL_ANYWHERE))
		return;
	world_wave(w, PEACE, PEACE + lasts + NS_PER_MS);
	a = reflection_of(w, "ntp_reflection", &pool, label);
	a.from_ns = f.from_ns;
	a.to_ns = f.to_ns;
	a.lo = a.hi = size;
	f.pool = &pool;
	f.label = label;
	for (uint32_t host = 0; host < 1u << (32 - bits); host++) {
		a.dst = f.dst = world_host(w, host);
		a.pps = f.pps = rng_range(&r, lo_pps, hi_pps);
		/* Addresses that no host has answer nothing. */
		f.silent = true;
		if (ntp)
			reflect_write(w, &a);
		else
			flood_udp(w, &f, UDP_MIRAI);
	}
	pool_free(&pool);
}

static void play_carpet_udp(struct world *w, const struct scenario *s)
{
	(void)s;
	carpet(w, 24, false, 64, 20, 60, 12 * NS_PER_S);
}

static void play_carpet_ntp(struct world *w, const struct scenario *s)
{
	(void)s;
	carpet(w, 24, true, 440, 20, 60, 7 * NS_PER_S);
}

static void play_carpet_wide(struct world *w, const struct scenario *s)
{
	(void)s;
	carpet(w, 22, true, 80, 8, 14, 12 * NS_PER_S);
}

static void play_pulse(struct world *w, const struct scenario *s)
{
	struct rng r = world_rng(w);
	uint32_t waves = rng_range(&r, 3, 5);
	struct pool pool;
	struct reflection a = reflection_of(w, "cldap_reflection", NULL, world_vector(w, "cldap_reflection"));
	struct span plan[5] = { { 0, 0 } };
	int64_t t = PEACE;

	(void)s;
	truth_sources(w, "reflectors", 0, true);
	if (pool_make(w, &r, &pool, 900, POOL_ANYWHERE))
		return;
	a.pool = &pool;
	a.pps = 2000;
	a.lo = 600;
	a.hi = 900;
	a.dport = 443;
	for (uint32_t i = 0; i < waves; i++) {
		plan[i].from_ns = t;
		plan[i].to_ns = t + rng_span(&r, 2 * NS_PER_S, 4 * NS_PER_S);
		t = plan[i].to_ns + (i + 1 < waves ? rng_span(&r, 8 * NS_PER_S, 15 * NS_PER_S) : 10 * NS_PER_S);
	}
	w->end_ns = t;
	normal_mix(w, 100);
	for (uint32_t i = 0; i < waves; i++) {
		a.from_ns = plan[i].from_ns;
		a.to_ns = plan[i].to_ns;
		world_wave(w, a.from_ns, a.to_ns + NS_PER_MS);
		reflect_write(w, &a);
	}
	pool_free(&pool);
}

static void play_multi_vector(struct world *w, const struct scenario *s)
{
	struct rng r = world_rng(w);
	struct pool clocks, bots, resolvers;
	struct reflection ntp = reflection_of(w, "ntp_reflection", &clocks, world_vector(w, "ntp_reflection"));
	struct flood syn = { .label = world_vector(w, "syn_flood"), .dport = WEB_PORT };
	struct flood echo = { .label = world_vector(w, "icmp_flood"), .lo = 120, .hi = 120, .pool = &bots };
	struct reflection dns = reflection_of(w, "dns_reflection", &resolvers, world_vector(w, "dns_reflection"));

	(void)s;
	w->end_ns = PEACE + 15 * NS_PER_S + AFTER;
	truth_sources(w, "mixed", -1, true);
	normal_mix(w, 100);
	ntp.from_ns = syn.from_ns = echo.from_ns = dns.from_ns = PEACE;
	ntp.to_ns = syn.to_ns = echo.to_ns = dns.to_ns = PEACE + 15 * NS_PER_S;
	syn.dst = echo.dst = w->target;
	ntp.pps = 2400;
	syn.pps = 1200;
	echo.pps = 200;
	dns.pps = 200;
	world_wave(w, PEACE, PEACE + 15 * NS_PER_S + NS_PER_MS);
	flood_syn(w, &syn, SYN_TOOL);
	if (pool_make(w, &r, &clocks, 900, POOL_ANYWHERE))
		return;
	reflect_write(w, &ntp);
	pool_free(&clocks);
	if (pool_make(w, &r, &bots, 500, POOL_ANYWHERE))
		return;
	flood_echo(w, &echo);
	pool_free(&bots);
	if (pool_make(w, &r, &resolvers, 700, POOL_ANYWHERE))
		return;
	reflect_write(w, &dns);
	pool_free(&resolvers);
}

static void play_burst(struct world *w, const struct scenario *s)
{
	struct rng r = world_rng(w);
	struct pool pool;
	struct reflection a = reflection_of(w, "snmp_reflection", NULL, world_vector(w, "snmp_reflection"));
	struct reflect_proto steady = *a.proto;

	(void)s;
	steady.burst = 1; /* a burst within 25 ms must not be stretched by the reflectors' own */
	a.proto = &steady;
	a.to_ns = rng_span(&r, 22 * NS_PER_MS, 28 * NS_PER_MS);
	w->end_ns = a.to_ns;
	truth_sources(w, "reflectors", 0, false);
	if (pool_make(w, &r, &pool, 400, POOL_ANYWHERE))
		return;
	a.pool = &pool;
	a.pps = 400000;
	a.dport = 80;
	world_wave(w, 0, a.to_ns);
	reflect_write(w, &a);
	pool_free(&pool);
}

static void play_from_first_packet(struct world *w, const struct scenario *s)
{
	struct rng r = world_rng(w);
	struct pool pool;
	struct reflection a = reflection_of(w, "ntp_reflection", NULL, world_vector(w, "ntp_reflection"));

	(void)s;
	w->end_ns = 60 * NS_PER_S;
	truth_sources(w, "reflectors", 0, true);
	normal_mix(w, 100);
	if (pool_make(w, &r, &pool, 1000, POOL_ANYWHERE))
		return;
	a.pool = &pool;
	a.pps = 3000;
	a.to_ns = 20 * NS_PER_S;
	a.dport = 80;
	world_wave(w, 0, a.to_ns + NS_PER_MS);
	/* Already under way when the capture begins: the first packet is one of it. */
	a.from_ns = -NS_PER_S;
	reflect_write(w, &a);
	pool_free(&pool);
}

static void play_low_slow_syn(struct world *w, const struct scenario *s)
{
	struct flood f = { .label = world_vector(w, "syn_flood"), .pps = 30, .dport = 80, .dst = w->target };

	(void)s;
	w->end_ns = 60 * NS_PER_S;
	f.to_ns = w->end_ns;
	truth_sources(w, "spoofed", 1, false);
	world_wave(w, 0, f.to_ns);
	flood_syn(w, &f, SYN_TOOL);
}

static void play_slow_ramp(struct world *w, const struct scenario *s)
{
	struct rng r = world_rng(w);
	struct pool pool;
	struct flood f = { .label = world_vector(w, "udp_flood"), .dst = w->target, .lo = 64, .hi = 64 };
	uint64_t milli_pps = 50000;

	(void)s;
	w->end_ns = PEACE + 40 * NS_PER_S + AFTER;
	truth_sources(w, "bots", 0, true);
	normal_mix(w, 100);
	if (pool_make(w, &r, &pool, 1200, POOL_ANYWHERE))
		return;
	f.pool = &pool;
	world_wave(w, PEACE, PEACE + 40 * NS_PER_S);
	/* 400 steps of 100 ms from 50 to 20,000: each 1.0151 times the last, as 400^(1/398) is */
	for (int64_t i = 0; i < 400; i++) {
		f.from_ns = PEACE + i * 100 * NS_PER_MS;
		f.to_ns = f.from_ns + 100 * NS_PER_MS;
		f.pps = (uint32_t)(milli_pps / 1000);
		flood_udp(w, &f, UDP_MIRAI);
		milli_pps = milli_pps * 101510 / 100000;
	}
	pool_free(&pool);
}

/* --- no attack ------------------------------------------------------------------------------------------------- */

static void innocent(struct world *w, int64_t lasts)
{
	w->end_ns = lasts;
	w->truth.expect = "none";
	truth_sources(w, NULL, -1, false);
}

static void play_flash_crowd(struct world *w, const struct scenario *s)
{
	const struct load load[] = {
		{ 0, 20 * NS_PER_S, 4000, 4000 },
		{ 20 * NS_PER_S, 30 * NS_PER_S, 4000, 120000 },
		{ 30 * NS_PER_S, 45 * NS_PER_S, 120000, 120000 },
		{ 45 * NS_PER_S, 65 * NS_PER_S, 120000, 8000 },
	};

	(void)s;
	innocent(w, 65 * NS_PER_S);
	normal_mix(w, 30);
	for (size_t i = 0; i < sizeof(load) / sizeof(load[0]); i++)
		normal_web(w, load[i], true);
}

static void play_big_download(struct world *w, const struct scenario *s)
{
	(void)s;
	innocent(w, 60 * NS_PER_S);
	normal_mix(w, 80);
	normal_transfer(w, 15 * NS_PER_S, 14000000, false, 60);
	normal_transfer(w, 18 * NS_PER_S, 6000000, true, 40);
	normal_fetch(w, 25 * NS_PER_S, 12000000, 60);
}

static void play_voip_calls(struct world *w, const struct scenario *s)
{
	struct rng r = world_rng(w);
	uint32_t calls = 40 * w->scale_pc / 100;

	(void)s;
	innocent(w, 50 * NS_PER_S);
	normal_mix(w, 40);
	for (uint32_t i = 0; i < calls; i++) {
		int64_t t = rng_span(&r, 0, 25 * NS_PER_S);

		normal_call(w, t, t + rng_span(&r, 10 * NS_PER_S, 60 * NS_PER_S), true);
	}
}

static void play_nfs_fragments(struct world *w, const struct scenario *s)
{
	(void)s;
	innocent(w, 45 * NS_PER_S);
	normal_mix(w, 60);
	innocent_nfs(w, 5 * NS_PER_S, 40 * NS_PER_S, 90);
}

static void play_dns_server_busy(struct world *w, const struct scenario *s)
{
	const struct load l = { 0, 40 * NS_PER_S, 2000000, 2000000 };

	(void)s;
	innocent(w, 40 * NS_PER_S);
	normal_mix(w, 40);
	normal_dns_served(w, l);
}

static void play_slow_ramp_benign(struct world *w, const struct scenario *s)
{
	(void)s;
	innocent(w, 60 * NS_PER_S);
	normal_mix_changing(w, 100, 200);
}

static void play_speed_test(struct world *w, const struct scenario *s)
{
	(void)s;
	innocent(w, 50 * NS_PER_S);
	normal_mix(w, 60);
	innocent_speed_test(w, 15 * NS_PER_S);
}

static void play_backup_night(struct world *w, const struct scenario *s)
{
	(void)s;
	innocent(w, 40 * NS_PER_S);
	w->one_way = true;
	innocent_backup(w, 40 * NS_PER_S, 40);
}

static void play_game_server(struct world *w, const struct scenario *s)
{
	(void)s;
	innocent(w, 45 * NS_PER_S);
	normal_mix(w, 30);
	innocent_game(w, 0, 45 * NS_PER_S, 220);
}

static void play_idle_clients(struct world *w, const struct scenario *s)
{
	(void)s;
	innocent(w, 60 * NS_PER_S);
	w->one_way = true;
	normal_mix(w, 40);
	innocent_idle(w, 60 * NS_PER_S, 7500);
}

static void play_server_silent(struct world *w, const struct scenario *s)
{
	(void)s;
	innocent(w, 65 * NS_PER_S);
	normal_mix(w, 20);
	normal_web(w, (struct load){ 0, PEACE, 150000, 150000 }, true);
	innocent_unanswered(w, (struct load){ PEACE, 65 * NS_PER_S, 150000, 150000 });
}

static void scan(struct world *w)
{
	w->end_ns = 50 * NS_PER_S;
	w->truth.expect = "scan";
	truth_sources(w, "single", 0, false);
	world_wave(w, PEACE, w->end_ns);
}

static void play_port_scan(struct world *w, const struct scenario *s)
{
	(void)s;
	scan(w);
	normal_mix(w, 100);
	scan_ports(w, PEACE, 1000, 400, world_vector(w, "scan"));
}

static void play_horizontal_scan(struct world *w, const struct scenario *s)
{
	(void)s;
	spread_target(w, 24);
	scan(w);
	normal_mix(w, 100);
	scan_hosts(w, PEACE, 23, 500, world_vector(w, "scan"));
}

/* --- HTTP ------------------------------------------------------------------------------------------------------ */

typedef void web_play(struct world *w, const struct web_attack *a);

/* People come all the time, and the attack among them. */
static void web_attack(struct world *w, web_play *play, const char *vector, uint32_t machines, struct web_attack *a,
                       int64_t lasts)
{
	struct rng r = world_rng(w);
	struct pool pool;

	w->end_ns = PEACE + lasts + AFTER;
	truth_sources(w, "bots", 0, false);
	a->label = world_vector(w, vector);
	normal_mix(w, 40);
	web_people(w, (struct load){ 0, w->end_ns, 3000, 3000 }, 20 * NS_PER_MS, 0);
	if (pool_make(w, &r, &pool, machines, POOL_ANYWHERE))
		return;
	a->pool = &pool;
	a->from_ns = PEACE;
	a->to_ns = PEACE + lasts;
	world_wave(w, a->from_ns, a->to_ns + NS_PER_S);
	play(w, a);
	pool_free(&pool);
}

static void play_http_flood_random(struct world *w, const struct scenario *s)
{
	(void)s;
	w->truth.family = "hulk";
	web_attack(w, web_flood_names, "http_flood", 60, &(struct web_attack){ .per_s = 400, .overwhelms = true },
	           20 * NS_PER_S);
}

static void play_http_flood_botnet(struct world *w, const struct scenario *s)
{
	(void)s;
	w->truth.family = "mirai";
	web_attack(w, web_flood_botnet, "http_flood", 600, &(struct web_attack){ .per_s = 2000 }, 15 * NS_PER_S);
}

static void play_slowloris(struct world *w, const struct scenario *s)
{
	(void)s;
	w->truth.family = "slowloris";
	web_attack(w, web_slow_header, "slow_http", 3, &(struct web_attack){ .connections = 400 }, 60 * NS_PER_S);
}

static void play_slow_body(struct world *w, const struct scenario *s)
{
	(void)s;
	web_attack(w, web_slow_body, "slow_http", 40, &(struct web_attack){ .connections = 160 }, 60 * NS_PER_S);
}

static void play_slow_read(struct world *w, const struct scenario *s)
{
	(void)s;
	web_attack(w, web_slow_read, "slow_http", 2, &(struct web_attack){ .connections = 300 }, 60 * NS_PER_S);
}

static void play_web_crowd(struct world *w, const struct scenario *s)
{
	const struct load load[] = {
		{ 0, 20 * NS_PER_S, 2000, 2000 },
		{ 20 * NS_PER_S, 28 * NS_PER_S, 2000, 60000 },
		{ 28 * NS_PER_S, 40 * NS_PER_S, 60000, 40000 },
	};

	(void)s;
	innocent(w, 50 * NS_PER_S);
	normal_mix(w, 20);
	web_people(w, load[0], 10 * NS_PER_MS, 0);
	web_people(w, load[1], 800 * NS_PER_MS, 30);
	web_people(w, load[2], 6 * NS_PER_S, 4);
}

static void play_web_machines(struct world *w, const struct scenario *s)
{
	(void)s;
	innocent(w, 60 * NS_PER_S);
	normal_mix(w, 30);
	web_crawler(w, 5 * NS_PER_S, 55 * NS_PER_S);
	web_monitors(w, 0, 60 * NS_PER_S, 12);
	web_load_test(w, 25 * NS_PER_S, 40 * NS_PER_S);
}

static void play_web_waiting(struct world *w, const struct scenario *s)
{
	(void)s;
	innocent(w, 80 * NS_PER_S);
	normal_mix(w, 30);
	web_waiting(w, 80 * NS_PER_S, 400);
	web_polling(w, 40 * NS_PER_S, 65 * NS_PER_S, 500);
}

static void play_web_uploads(struct world *w, const struct scenario *s)
{
	(void)s;
	innocent(w, 70 * NS_PER_S);
	normal_mix(w, 30);
	web_uploads(w, 5 * NS_PER_S, 40);
	web_slow_lines(w, 5 * NS_PER_S, 70 * NS_PER_S, 160);
}

static void play_web_caches(struct world *w, const struct scenario *s)
{
	(void)s;
	innocent(w, 50 * NS_PER_S);
	normal_mix(w, 30);
	web_caches(w, 0, 20 * NS_PER_S, 60);
	web_caches(w, 20 * NS_PER_S, 50 * NS_PER_S, 500);
}

static void play_web_proxies(struct world *w, const struct scenario *s)
{
	(void)s;
	innocent(w, 55 * NS_PER_S);
	normal_mix(w, 20);
	web_proxies(w, 0, 24 * NS_PER_S, 500);
	web_translated(w, 24 * NS_PER_S, 55 * NS_PER_S, 1000, 240);
}

/* clang-format off */
static const struct scenario others[] = {
	{"carpet_udp", "256 addresses of a /24, each 20 to 60 packets a second of UDP", false, 0, NULL,
	 play_carpet_udp},
	{"carpet_ntp", "the same with NTP reflection", false, 0, NULL, play_carpet_ntp},
	{"carpet_wide", "1,024 addresses of a /22, each some ten packets a second of NTP reflection", false, 0, NULL,
	 play_carpet_wide},
	{"pulse", "three to five waves of CLDAP reflection, 2 to 4 s each, 8 to 15 s apart", true, 0, NULL, play_pulse},
	{"multi_vector", "NTP reflection 60 %, SYN flood 30 %, ICMP 5 %, DNS reflection 5 %", true, 0, NULL,
	 play_multi_vector},
	{"burst_20ms", "SNMP reflection at 400,000 packets a second for 25 ms, nothing else", true, 0, NULL,
	 play_burst},
	{"from_first_packet", "NTP reflection under way when the capture begins, peace after", true, 0, NULL,
	 play_from_first_packet},
	{"low_slow_syn", "30 SYNs a second, each from another source, nothing else", true, 0, NULL, play_low_slow_syn},
	{"slow_ramp", "a UDP flood that grows from 50 to 20,000 packets a second in 40 s", true, 0, NULL,
	 play_slow_ramp},
	{"flash_crowd", "no attack: thirty times the web clients within 10 s, all served", true, 0, NULL,
	 play_flash_crowd},
	{"big_download", "no attack: large transfers in both directions", true, 0, NULL, play_big_download},
	{"voip_calls", "no attack: forty telephone calls", true, 0, NULL, play_voip_calls},
	{"nfs_fragments", "no attack: NFS over UDP in fragments", false, 0, NULL, play_nfs_fragments},
	{"dns_server_busy", "no attack: 2,000 questions a second, all answered", true, 0, NULL, play_dns_server_busy},
	{"slow_ramp_benign", "no attack: everything doubles within 60 s", true, 0, NULL, play_slow_ramp_benign},
	{"speed_test", "no attack: UDP and TCP at full rate after a control connection", true, 0, NULL,
	 play_speed_test},
	{"backup_night", "no attack: old connections, one direction only", true, 0, NULL, play_backup_night},
	{"game_server", "no attack: players with small datagrams both ways", true, 0, NULL, play_game_server},
	{"port_scan", "no flood: one source, 1,000 ports of one host", true, 0, NULL, play_port_scan},
	{"horizontal_scan", "no flood: one source, one port over a /24", false, 0, NULL, play_horizontal_scan},
	{"http_flood_random", "60 machines ask for one page with ever new parameter names, the server gives in", true, 0,
	 NULL, play_http_flood_random},
	{"http_flood_botnet", "600 bots ask for one page again and again on connections they keep, all answered", true, 0,
	 NULL, play_http_flood_botnet},
	{"slowloris", "400 connections of three machines whose request header never ends", true, 0, NULL, play_slowloris},
	{"slow_body", "160 connections whose body comes octet by octet", true, 0, NULL, play_slow_body},
	{"slow_read", "300 connections of two machines that do not take their answer", true, 0, NULL, play_slow_read},
	{"web_crowd", "no attack: thirty times the readers in clear text, slower and slower answers, refusals", true, 0,
	 NULL, play_web_crowd},
	{"web_machines", "no attack: a crawler, monitors, a load test by one client", true, 0, NULL, play_web_machines},
	{"web_waiting", "no attack: long polling, WebSocket, a crowd that polls once a second", true, 0, NULL, play_web_waiting},
	{"web_uploads", "no attack: large uploads, and clients on bad lines", true, 0, NULL, play_web_uploads},
	{"web_caches", "no attack: caches fetch for everybody, eight times as much at once", true, 0, NULL,
	 play_web_caches},
	{"web_proxies", "no attack: sixty proxies ask for one page, then telephones that share addresses poll", true, 0,
	 NULL, play_web_proxies},
	{"idle_clients", "no attack: 7,500 old connections that keep alive, from their clients' side alone", true, 0, NULL,
	 play_idle_clients},
	{"server_silent", "no attack: a busy server stops answering, its clients ask again and again", true, 0, NULL,
	 play_server_silent},
};
/* clang-format on */

bool scenario_at(unsigned int i, struct scenario *out)
{
	size_t n_reflect = reflect_count(), n_floods = sizeof(floods) / sizeof(floods[0]);
	size_t n_others = sizeof(others) / sizeof(others[0]), at = i;

	if (at < n_reflect) {
		const struct reflect_proto *pr = reflect_row(at);

		*out = (struct scenario){ pr->vector, pr->help, true, i, pr, play_reflection };
		return true;
	}
	at -= n_reflect;
	if (at < n_floods) {
		*out = (struct scenario){ floods[at].name, floods[at].help, !(floods[at].traits & V4_ONLY), i,
			                  &floods[at],     play_flood };
		return true;
	}
	at -= n_floods;
	if (at >= n_others)
		return false;
	*out = others[at];
	out->index = i;
	return true;
}

bool scenario_find(const char *name, struct scenario *out)
{
	char longer[64];
	int n = snprintf(longer, sizeof(longer), "%s_reflection", name);

	for (unsigned int i = 0; scenario_at(i, out); i++)
		if (strcmp(out->name, name) == 0)
			return true;
	for (unsigned int i = 0; n > 0 && (size_t)n < sizeof(longer) && scenario_at(i, out); i++)
		if (strcmp(out->name, longer) == 0)
			return true;
	return false;
}
