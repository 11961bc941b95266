/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bound against exact Clopper-Pearson limits, found here by bisection on the binomial distribution; then rules for
 * samples that were made: what was planted is found, what would hurt is not dropped, and every number a rule says of
 * itself is counted again.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/share.h"
#include "defend/signature.h"
#include "observe/protocol.h"
#include "made.h"

#define ATTACK_MAX 8192u
#define BASELINE_MAX 65536u

/* ---- the bound ---- */

/* P(X <= k) for X binomial in n, p */
static long double binomial_cdf(uint64_t k, uint64_t n, long double p)
{
	long double term =
		expl(lgammal((long double)n + 1) - lgammal((long double)k + 1) - lgammal((long double)(n - k) + 1) +
	             (long double)k * logl(p) + (long double)(n - k) * log1pl(-p));
	long double sum = term;

	for (uint64_t i = k; i > 0; i--) {
		term *= (long double)i / (long double)(n - i + 1) * (1 - p) / p;
		sum += term;
		if (term < sum * 1e-19L && (long double)i < p * (long double)n)
			break;
	}
	return sum;
}

/* The share p above which k or fewer of n have odds below .05. */
static long double clopper_pearson(uint64_t k, uint64_t n)
{
	long double low = (long double)k / (long double)n, high = 1;

	if (k >= n)
		return 1;
	for (unsigned i = 0; i < 80; i++) {
		long double middle = (low + high) / 2;

		if (binomial_cdf(k, n, middle) > .05L)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static void assert_bound(uint64_t k, uint64_t n)
{
	long double exact = clopper_pearson(k, n) * PPM;
	uint32_t bound = signature_bound_ppm(k, n);

	if ((long double)bound < exact - 1e-6L)
		fail_msg("bound of %llu in %llu is %u, below the exact %.3Lf", (unsigned long long)k,
		         (unsigned long long)n, bound, exact);
	assert_in_range(bound, 0, PPM);
	/* Nor so far above that it would be of no use: where hits are few the two limits are the same. */
	if (n >= 100 && k * 100 <= n)
		assert_true((long double)bound <= exact * 1.06L + 2);
}

static void bound_is_never_below_the_exact_one(void **state)
{
	static const uint64_t sizes[] = { 1, 2, 3, 10, 29, 100, 299, 1000, 2996, 3000, 10000, 30000, 131072, 1000000 };

	(void)state;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t n = sizes[i];

		for (uint64_t k = 0; k <= n && k <= 60; k++)
			assert_bound(k, n);
		for (uint64_t k = 61; k <= n && k < 20000; k += 1 + k / 7)
			assert_bound(k, n);
		assert_int_equal(signature_bound_ppm(n, n), PPM);
	}
}

/* So that the bisection above is itself held to something: limits as printed tables have them (.95 one-sided). */
static void exact_limits_are_exact(void **state)
{
	(void)state;
	assert_true(fabsl(clopper_pearson(0, 10) - .258866L) < 1e-5L); /* 1 - .05^(1/10) */
	assert_true(fabsl(clopper_pearson(0, 3000) - .000998077L) < 1e-8L);
	assert_true(fabsl(clopper_pearson(1, 10) - .394163L) < 1e-5L);
	assert_true(fabsl(clopper_pearson(5, 10) - .777559L) < 1e-5L);
}

static void known_bounds(void **state)
{
	(void)state;
	assert_int_equal(signature_bound_ppm(0, 0), PPM);
	assert_int_equal(signature_bound_ppm(5, 0), PPM);
	/* No hit in n: at most 3/n. */
	for (uint64_t n = 1; n <= 1000000; n += 1 + n / 5)
		assert_in_range(signature_bound_ppm(0, n), 1, 3 * PPM / n + 1);
	assert_in_range(signature_bound_ppm(0, 3000), 998, SIGNATURE_DROP_PPM);
}

static void bound_is_monotone(void **state)
{
	(void)state;
	for (uint64_t n = 100; n <= 1000000; n *= 10) {
		for (uint64_t k = 0; k < n && k < 3000; k++) {
			assert_true(signature_bound_ppm(k, n) <= signature_bound_ppm(k + 1, n));
			assert_true(signature_bound_ppm(k, n + 1) <= signature_bound_ppm(k, n));
		}
	}
}

/* Sizes beyond any sample: the bound is never below the share that was seen. */
static void bound_of_huge_numbers(void **state)
{
	(void)state;
	for (uint64_t n = 1000; n < UINT64_MAX / 10; n *= 10) {
		assert_in_range(signature_bound_ppm(n / 10, n), PPM / 10, PPM);
		assert_in_range(signature_bound_ppm(n / 2, n), PPM / 2, PPM);
		assert_int_equal(signature_bound_ppm(n, n), PPM);
	}
	assert_int_equal(signature_bound_ppm(UINT64_MAX, UINT64_MAX), PPM);
}

/* ---- samples ---- */

static struct observation attack[ATTACK_MAX], baseline[BASELINE_MAX], verified[1024];
static const struct observation *attack_at[ATTACK_MAX], *baseline_at[BASELINE_MAX], *verified_at[1024];
static struct signature_set set;
static struct signature_input input;
static bool clients_only; /* as the next find() is to have it */

static struct address target(void)
{
	return made_ipv4(0xc0000201u);
}

static struct address anyone(uint64_t *draws)
{
	return made_ipv4(0x01000000u + made_below(draws, 0xde000000u));
}

/* A web host in peace: openings, requests, acknowledgements, answers of its name server and of its time server. */
static struct observation visitor(uint64_t *draws)
{
	uint32_t way = made_below(draws, 100);
	uint16_t port = (uint16_t)(32768 + made_below(draws, 28000));
	struct observation o = made_tcp(0, anyone(draws), port, target(), made_below(draws, 8) ? 443 : 80, TCP_ACK,
	                                (uint32_t)made_random(draws), (uint32_t)made_random(draws));

	o.ip_id = (uint16_t)made_random(draws);
	o.ttl = (uint8_t)(40 + made_below(draws, 25) + (made_below(draws, 3) ? 0 : 60));
	o.flags |= made_below(draws, 20) ? OBSERVATION_DF : 0;
	o.tcp.window = (uint16_t)(made_below(draws, 3) ? 502 : made_random(draws));
	o.tcp.options = made_below(draws, 4) ? 0x711 : 0;
	if (way < 5) {
		o.tcp.flags = TCP_SYN;
		o.tcp.options = 0x41753;
		o.tcp.window = 64240;
		o.tcp.mss = 1460;
		o.length = 60;
	} else if (way < 30) {
		o.tcp.flags = TCP_ACK | TCP_PSH;
		made_payload(&o, "\x17\x03\x03\x02", 4, (uint16_t)(100 + made_below(draws, 1300)));
	} else if (way < 33) {
		o.tcp.flags = TCP_FIN | TCP_ACK;
	} else if (way < 36) {
		o = made_udp(0, made_ipv4(0xc0000235u), 53, target(), port, 0);
		made_payload(&o, "\x12\x34\x81\x80", 4, (uint16_t)(60 + made_below(draws, 400)));
		o.ttl = 63;
	}
	return o;
}

static struct observation monlist(uint64_t *draws)
{
	struct observation o = made_udp(0, anyone(draws), 123, target(), 80, 0);

	made_payload(&o, "\xd7\0\3\x2a\0\6\0\x48", 8, 440);
	o.payload[1] = (uint8_t)made_below(draws, 100);
	o.ip_id = (uint16_t)made_random(draws);
	o.ttl = (uint8_t)(40 + made_below(draws, 200));
	return o;
}

static struct observation spoofed_syn(uint64_t *draws)
{
	struct observation o = made_tcp(0, anyone(draws), (uint16_t)made_random(draws), target(), 443, TCP_SYN,
	                                (uint32_t)made_random(draws), 0);

	o.ttl = (uint8_t)made_random(draws);
	o.ip_id = (uint16_t)made_random(draws);
	o.tcp.window = 512;
	return o;
}

/* As an ordinary browser opens: nothing tells it from one. */
static struct observation perfect_syn(uint64_t *draws)
{
	struct observation o = visitor(draws);

	while (o.tcp.flags != TCP_SYN)
		o = visitor(draws);
	o.dst_port = 443;
	return o;
}

static struct observation random_udp(uint64_t *draws)
{
	struct observation o =
		made_udp(0, anyone(draws), (uint16_t)made_random(draws), target(), (uint16_t)made_random(draws), 0);
	uint64_t noise[4] = { made_random(draws), made_random(draws), made_random(draws), made_random(draws) };

	made_payload(&o, noise, sizeof(noise), (uint16_t)made_below(draws, 1400));
	o.ttl = (uint8_t)made_random(draws);
	o.ip_id = (uint16_t)made_random(draws);
	return o;
}

typedef struct observation maker(uint64_t *draws);

static void fill(struct observation *into, uint32_t count, maker *make, uint64_t seed)
{
	uint64_t draws = seed;

	for (uint32_t i = 0; i < count; i++)
		into[i] = make(&draws);
}

static uint32_t matching(const struct match *match, const struct observation *list, uint32_t count)
{
	uint32_t hits = 0;

	for (uint32_t i = 0; i < count; i++)
		hits += match_test(match, &list[i]);
	return hits;
}

/* Every number a rule says of itself, counted again. */
static void check_set(void)
{
	static bool caught[ATTACK_MAX], stopped[ATTACK_MAX];
	uint32_t budget = 0, through = 0;

	memset(caught, 0, sizeof(caught));
	memset(stopped, 0, sizeof(stopped));
	assert_in_range(set.count, 0, input.attack_count ? SIGNATURES_MAX : 0);
	for (uint32_t i = 0; i < set.count && input.attack_count; i++) {
		const struct signature *g = &set.signatures[i];
		uint32_t in_attack = 0, added = 0, in_baseline = matching(&g->match, baseline, input.baseline_count);
		char text[MATCH_TEXT_SIZE];
		struct match again;
		struct match_error error;

		assert_in_range(g->match.count, 1, MATCH_TERMS_MAX);
		assert_int_equal(match_parse(match_format(&g->match, text), &again, &error), 0);
		assert_int_equal(again.count, g->match.count);
		for (uint32_t j = 0; j < input.attack_count; j++) {
			bool here = match_test(&g->match, &attack[j]);

			assert_int_equal(here, match_test(&again, &attack[j]));
			in_attack += here;
			added += here && !caught[j];
			caught[j] |= here;
			stopped[j] |= here && (g->action == RULE_DROP || g->action == RULE_RATE_LIMIT);
		}
		assert_int_equal(g->coverage_ppm, (uint64_t)in_attack * PPM / input.attack_count);
		assert_int_equal(g->added_ppm, (uint64_t)added * PPM / input.attack_count);
		assert_true(added > 0);
		assert_int_equal(g->has_bound, input.baseline_count > 0);
		assert_in_range(g->baseline_samples, input.baseline_count / 2, input.baseline_count);
		assert_in_range(g->baseline_hits, 0, in_baseline);
		if (g->baseline_samples == input.baseline_count)
			assert_int_equal(g->baseline_hits, in_baseline);
		if (g->has_bound)
			assert_int_equal(g->bound_ppm, signature_bound_ppm(g->baseline_hits, g->baseline_samples));
		assert_int_equal(g->verified_samples, input.verified_count);
		assert_int_equal(g->verified_hits, matching(&g->match, verified, input.verified_count));
		assert_in_range(strnlen(g->reason, sizeof(g->reason)), 10, sizeof(g->reason) - 1);
		if (g->action == RULE_DROP) {
			assert_true(g->has_bound && g->bound_ppm <= SIGNATURE_DROP_PPM);
			budget += g->bound_ppm;
		}
		if (g->action == RULE_RATE_LIMIT) {
			assert_true(g->has_bound && g->bound_ppm <= SIGNATURE_LIMIT_PPM);
			assert_true(g->rate_limit_pps > 0);
		}
	}
	assert_in_range(budget, 0, SIGNATURE_BUDGET_PPM);
	for (uint32_t j = 0; j < input.attack_count; j++)
		through += !stopped[j];
	assert_int_equal(set.residual_ppm, input.attack_count ? (uint64_t)through * PPM / input.attack_count : PPM);
}

static void find(uint32_t attack_count, uint32_t baseline_count, uint32_t verified_count)
{
	for (uint32_t i = 0; i < attack_count; i++)
		attack_at[i] = &attack[i];
	for (uint32_t i = 0; i < baseline_count; i++)
		baseline_at[i] = &baseline[i];
	for (uint32_t i = 0; i < verified_count; i++)
		verified_at[i] = &verified[i];
	input = (struct signature_input){
		.attack = attack_at,
		.attack_count = attack_count,
		.baseline = baseline_at,
		.baseline_count = baseline_count,
		.baseline_seconds = 600,
		.baseline_packets = 10ull * baseline_count,
		.verified = verified_at,
		.verified_count = verified_count,
		.clients_only = clients_only,
	};
	memset(&set, 0x55, sizeof(set));
	assert_int_equal(signature_find(&input, &set), 0);
	check_set();
}

static uint32_t drops(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < set.count; i++)
		count += set.signatures[i].action == RULE_DROP;
	return count;
}

static void what_was_planted_is_found(void **state)
{
	(void)state;
	fill(attack, 4000, monlist, 1);
	fill(baseline, 10000, visitor, 2);
	fill(verified, 500, visitor, 3);
	find(4000, 10000, 500);
	assert_in_range(set.count, 1, SIGNATURES_MAX);
	assert_int_equal(set.signatures[0].action, RULE_DROP);
	assert_int_equal(set.signatures[0].baseline_hits, 0);
	assert_int_equal(set.signatures[0].verified_hits, 0);
	assert_in_range(set.signatures[0].coverage_ppm, 990000, PPM);
	assert_in_range(set.residual_ppm, 0, 20000);
}

/* The rule is narrow: it names what the packets have in common, and no neighbour that differs in it is caught. */
static void and_it_is_narrow(void **state)
{
	uint64_t draws = 4;
	struct observation other;

	(void)state;
	fill(attack, 2000, monlist, 4);
	fill(baseline, 10000, visitor, 5);
	find(2000, 10000, 0);
	assert_int_equal(set.signatures[0].action, RULE_DROP);
	other = monlist(&draws);
	assert_true(match_test(&set.signatures[0].match, &other));
	other.src_port = 124;
	assert_false(match_test(&set.signatures[0].match, &other));
	other = visitor(&draws);
	assert_false(match_test(&set.signatures[0].match, &other));
}

static void a_flood_with_one_odd_field(void **state)
{
	(void)state;
	fill(attack, 4000, spoofed_syn, 6);
	fill(baseline, 10000, visitor, 7);
	find(4000, 10000, 0);
	assert_int_equal(set.signatures[0].action, RULE_DROP);
	assert_in_range(set.residual_ppm, 0, 20000);
}

static void what_looks_like_everybody_is_not_dropped(void **state)
{
	(void)state;
	fill(attack, 4000, visitor, 8);
	fill(baseline, 10000, visitor, 9);
	find(4000, 10000, 0);
	assert_int_equal(drops(), 0);
	assert_in_range(set.residual_ppm, 900000, PPM);
}

static void openings_like_everybodys_are_not_dropped(void **state)
{
	(void)state;
	/*
	 * Openings are few among normal packets, so that their share of all says little: lost would be every new
	 * visitor.
	 */
	fill(attack, 4000, perfect_syn, 10);
	fill(baseline, 60000, visitor, 11);
	for (uint32_t i = 0; i < 60000; i++)
		if (baseline[i].tcp.flags == TCP_SYN && i % 200)
			baseline[i].tcp.flags = TCP_ACK;
	find(4000, 60000, 0);
	assert_int_equal(drops(), 0);
}

/* The target asks time servers itself: what comes from port 123 is what it asked for, every twentieth packet. */
static void an_unsafe_rule_is_not_a_drop(void **state)
{
	uint64_t draws = 12;

	(void)state;
	fill(attack, 4000, monlist, 13);
	fill(baseline, 10000, visitor, 14);
	for (uint32_t i = 0; i < 10000; i += 20)
		baseline[i] = monlist(&draws);
	find(4000, 10000, 0);
	assert_int_equal(drops(), 0);
}

/* No packet of peace looks like the attack, but those who are being served right now do. */
static void who_is_verified_is_not_dropped(void **state)
{
	(void)state;
	fill(attack, 4000, monlist, 15);
	fill(baseline, 10000, visitor, 16);
	fill(verified, 1000, monlist, 17);
	find(4000, 10000, 1000);
	assert_int_equal(drops(), 0);
}

static void without_normal_traffic_nothing_is_known(void **state)
{
	(void)state;
	fill(attack, 4000, monlist, 18);
	find(4000, 0, 0);
	assert_in_range(set.count, 1, SIGNATURES_MAX); /* what to look for is said all the same */
	for (uint32_t i = 0; i < set.count; i++) {
		assert_false(set.signatures[i].has_bound);
		assert_int_equal(set.signatures[i].action, RULE_NONE);
		assert_int_equal(set.signatures[i].baseline_samples, 0);
	}
	assert_int_equal(set.residual_ppm, PPM);
}

static void with_little_normal_traffic_little_is_proven(void **state)
{
	(void)state;
	fill(attack, 4000, monlist, 19);
	fill(baseline, 1000, visitor, 20);
	find(4000, 1000, 0);
	assert_int_equal(drops(), 0);
	fill(baseline, 3000, visitor, 20);
	find(4000, 3000, 0);
	assert_int_equal(drops(), 1);
}

static void a_small_vector_behind_a_large_one(void **state)
{
	uint64_t draws = 21;
	uint32_t caught = 0;

	(void)state;
	fill(attack, 4000, monlist, 22);
	for (uint32_t i = 0; i < 4000; i += 20)
		attack[i] = spoofed_syn(&draws);
	fill(baseline, 20000, visitor, 23);
	find(4000, 20000, 0);
	assert_in_range(set.residual_ppm, 0, 20000);
	for (uint32_t i = 0; i < set.count; i++)
		caught += match_test(&set.signatures[i].match, &attack[0]);
	assert_in_range(caught, 1, SIGNATURES_MAX);
}

/* Twelve vectors, each of which could be dropped alone: together they may not cost more than the budget. */
static struct observation one_of_twelve(uint64_t *draws)
{
	struct observation o = random_udp(draws);
	uint32_t way = made_below(draws, 12);

	o.src_port = (uint16_t)(1000 + 777 * way);
	o.length = 100 + 97 * way;
	o.payload_length = (uint16_t)(o.length - 28);
	o.payload_kept = 32;
	o.ttl = (uint8_t)(20 + 19 * way);
	o.protocol = MADE_UDP;
	return o;
}

static void the_budget_holds(void **state)
{
	(void)state;
	fill(attack, 6000, one_of_twelve, 24);
	fill(baseline, 3100, visitor, 25);
	/* A few normal packets on every single field, so that no wide rule is free. */
	for (uint32_t i = 0; i < 3100; i++) {
		uint64_t draws = i;

		if (i % 3 == 0)
			baseline[i] = random_udp(&draws);
	}
	find(6000, 3100, 0);
	assert_in_range(drops(), 1, SIGNATURE_BUDGET_PPM / signature_bound_ppm(0, 3100));
}

static void a_large_baseline_is_halved(void **state)
{
	(void)state;
	fill(attack, 1000, monlist, 26);
	fill(baseline, BASELINE_MAX, visitor, 27);
	find(1000, BASELINE_MAX, 0);
	assert_int_equal(set.signatures[0].action, RULE_DROP);
	/* The bound rests on packets that the search has not seen. */
	assert_in_range(set.signatures[0].baseline_samples, BASELINE_MAX / 2 - 1, BASELINE_MAX / 2 + 1);
	find(1000, 5000, 0);
	assert_int_equal(set.signatures[0].baseline_samples, 5000);
}

static uint32_t clients = 2;

/* All alike but for who sends them. */
static struct observation request(uint64_t *draws)
{
	struct observation o =
		made_tcp(0, made_ipv4(0x05060700u + made_below(draws, clients)), (uint16_t)made_random(draws), target(),
	                 80, TCP_ACK | TCP_PSH, (uint32_t)made_random(draws), 1);

	made_payload(&o, "GET / HTTP/1.1", 14, 77);
	return o;
}

/* What real clients send is limited, each client for itself, and never dropped. */
static void clients_are_limited(void **state)
{
	(void)state;
	fill(attack, 2000, request, 40);
	fill(baseline, 20000, visitor, 41);
	clients_only = true;
	find(2000, 20000, 0);
	assert_int_equal(set.count, 2);
	for (uint32_t i = 0; i < set.count; i++) {
		const struct match *match = &set.signatures[i].match;

		assert_int_equal(set.signatures[i].action, RULE_RATE_LIMIT);
		for (unsigned j = 0; j < match->count; j++) {
			assert_true(match->terms[j].field == MATCH_TCP || match->terms[j].field == MATCH_DST_PORT ||
			            match->terms[j].field == MATCH_SRC_NET);
			if (match->terms[j].field == MATCH_SRC_NET)
				assert_int_equal(match->terms[j].value.prefix.length, 32);
		}
	}
	assert_int_equal(set.residual_ppm, 0);
	clients = 200;
	fill(attack, 2000, request, 42);
	find(2000, 20000, 0);
	assert_int_equal(set.count, 0);
	clients_only = false;
	find(2000, 20000, 0);
	assert_true(drops() > 0);
}

/* Large packets of two protocols, where no normal packet is large. */
static struct observation large(uint64_t *draws)
{
	struct observation o = random_udp(draws);

	if (made_below(draws, 2)) {
		o = made_ip(0, anyone(draws), target(), 47, 0);
		o.ttl = (uint8_t)made_random(draws);
		o.ip_id = (uint16_t)made_random(draws);
	}
	o.length = 900 + made_below(draws, 600);
	o.payload_length = (uint16_t)(o.length - 28);
	return o;
}

static bool is_of_sizes_alone(const struct match *match)
{
	for (unsigned i = 0; i < match->count; i++)
		if (match->terms[i].field != MATCH_LENGTH && match->terms[i].field != MATCH_PAYLOAD_LENGTH)
			return false;
	return true;
}

/* One rule on sizes alone would catch all of it, and the normal traffic that is known would allow it. */
static void a_size_is_no_rule(void **state)
{
	(void)state;
	fill(attack, 4000, large, 41);
	fill(baseline, 10000, perfect_syn, 42);
	find(4000, 10000, 0);
	assert_in_range(drops(), 2, SIGNATURES_MAX);
	for (uint32_t i = 0; i < set.count; i++)
		assert_false(is_of_sizes_alone(&set.signatures[i].match));
	assert_in_range(set.residual_ppm, 0, SIGNATURE_RESIDUAL_PPM);
}

/* Where all is random there is nothing to find, and it is said. */
static void all_random(void **state)
{
	(void)state;
	fill(attack, ATTACK_MAX, random_udp, 28);
	fill(baseline, 20000, random_udp, 29);
	find(ATTACK_MAX, 20000, 0);
	assert_int_equal(drops(), 0);
	assert_in_range(set.residual_ppm, 900000, PPM);
}

/* Any protocol but those that are always in use; of a tunnel's, which some use, too. */
static struct observation any_protocol(uint64_t *draws)
{
	struct observation o = random_udp(draws);

	o.flags = 0;
	o.src_port = o.dst_port = 0;
	o.payload_kept = 0;
	do
		o.protocol = (uint8_t)made_random(draws);
	while (o.protocol == PROTOCOL_TCP || o.protocol == PROTOCOL_UDP || o.protocol == PROTOCOL_ICMP ||
	       o.protocol == PROTOCOL_ICMPV6);
	return o;
}

static struct observation tunnelled(uint64_t *draws)
{
	struct observation o = any_protocol(draws);

	o.protocol = PROTOCOL_GRE;
	return o;
}

/* Ever other protocols have rules, and none of these reaches over one that peace has: each is asked by itself. */
static void protocols_that_nobody_uses(void **state)
{
	(void)state;
	fill(attack, 4000, any_protocol, 33);
	fill(baseline, 10000, visitor, 34);
	fill(baseline, 200, tunnelled, 35);
	fill(verified, 500, visitor, 36);
	find(4000, 10000, 500);
	assert_in_range(drops(), 1, 4);
	assert_in_range(set.residual_ppm, 0, 50000);
	for (uint32_t i = 0; i < set.count; i++)
		for (unsigned protocol = 0; protocol < 256; protocol++) {
			struct observation o = attack[0];
			bool used = protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_ICMP ||
			            protocol == PROTOCOL_ICMPV6 || protocol == PROTOCOL_GRE;

			o.protocol = (uint8_t)protocol;
			assert_false(used && set.signatures[i].action == RULE_DROP &&
			             match_test(&set.signatures[i].match, &o));
		}
}

static void hardly_anything(void **state)
{
	(void)state;
	find(0, 0, 0);
	assert_int_equal(set.count, 0);
	assert_int_equal(set.residual_ppm, PPM);
	fill(baseline, 100, visitor, 30);
	find(0, 100, 0);
	assert_int_equal(set.count, 0);
	fill(attack, 1, monlist, 31);
	find(1, 100, 0);
	assert_int_equal(drops(), 0);
	memset(attack, 0, 64 * sizeof(*attack));
	memset(baseline, 0, 64 * sizeof(*baseline));
	find(64, 64, 0);
	assert_int_equal(drops(), 0);
}

static struct observation ipv6_flood(uint64_t *draws)
{
	struct observation o =
		made_udp(0, made_ipv6(0x2a01000000000000u | made_random(draws) >> 16, made_random(draws)), 53,
	                 made_ipv6(0x20010db800000000u, 1), 4000, 0);

	made_payload(&o, "\x12\x34\x81\x80", 4, 1200);
	o.length = 1248;
	o.ttl = (uint8_t)made_random(draws);
	return o;
}

static void ipv6(void **state)
{
	(void)state;
	fill(attack, 2000, ipv6_flood, 32);
	fill(baseline, 8000, visitor, 33);
	find(2000, 8000, 0);
	assert_int_equal(set.signatures[0].action, RULE_DROP);
	assert_in_range(set.residual_ppm, 0, 20000);
}

static struct observation solicitation(uint64_t *draws)
{
	struct observation o = made_icmp(0, made_ipv6(0xfe80000000000000u, made_random(draws)),
	                                 made_ipv6(0x20010db800000000u, 1), 135, 0);

	o.protocol = MADE_ICMPV6;
	o.length = 72;
	o.ttl = 255;
	return o;
}

/* As safe as a rule can be by the numbers, and yet the router's own solicitations would go with the flood's. */
static void neighbours_are_always_found(void **state)
{
	uint64_t draws = 36;

	(void)state;
	fill(attack, 2000, solicitation, 34);
	fill(baseline, 8000, visitor, 35);
	find(2000, 8000, 0);
	assert_in_range(set.count, 1, SIGNATURES_MAX);
	for (uint32_t i = 0; i < set.count; i++)
		assert_int_equal(set.signatures[i].action, RULE_NONE);
	assert_int_equal(set.residual_ppm, PPM);
	/* Of what is a flood besides, there are rules. */
	for (uint32_t i = 0; i < 2000; i += 2)
		attack[i] = ipv6_flood(&draws);
	find(2000, 8000, 0);
	assert_in_range(drops(), 1, SIGNATURES_MAX);
	for (uint32_t i = 0; i < set.count; i++)
		for (uint32_t j = 1; j < 2000 && set.signatures[i].action != RULE_NONE; j += 2)
			assert_false(match_test(&set.signatures[i].match, &attack[j]));
}

static void same_input_same_rules(void **state)
{
	static struct signature_set before;
	uint64_t draws = 34;

	(void)state;
	fill(attack, 3000, monlist, 35);
	for (uint32_t i = 0; i < 3000; i += 3)
		attack[i] = spoofed_syn(&draws);
	fill(baseline, 6000, visitor, 36);
	find(3000, 6000, 0);
	before = set;
	find(3000, 6000, 0);
	assert_int_equal(set.count, before.count);
	assert_int_equal(set.residual_ppm, before.residual_ppm);
	for (uint32_t i = 0; i < set.count; i++) {
		const struct signature *a = &set.signatures[i], *b = &before.signatures[i];
		char one[MATCH_TEXT_SIZE], other[MATCH_TEXT_SIZE];

		assert_string_equal(match_format(&a->match, one), match_format(&b->match, other));
		assert_int_equal(a->action, b->action);
		assert_int_equal(a->bound_ppm, b->bound_ppm);
		assert_string_equal(a->reason, b->reason);
	}
}

/* Random mixtures of all that is above: whatever comes out, its numbers are true. */
static void random_mixtures(void **state)
{
	static maker *const makers[] = { visitor,    monlist,       spoofed_syn, perfect_syn,
		                         random_udp, one_of_twelve, ipv6_flood };
	uint64_t draws = 37;

	(void)state;
	for (unsigned round = 0; round < 25; round++) {
		maker *a = makers[made_below(&draws, 7)], *b = makers[made_below(&draws, 7)],
		      *c = makers[made_below(&draws, 7)];
		uint32_t attacks = 1 + made_below(&draws, 1u << made_below(&draws, 12));
		uint32_t normals = made_below(&draws, 1u << made_below(&draws, 14)), served = made_below(&draws, 200);

		for (uint32_t i = 0; i < attacks; i++)
			attack[i] = made_below(&draws, 3) ? a(&draws) : b(&draws);
		for (uint32_t i = 0; i < normals; i++)
			baseline[i] = made_below(&draws, 40) ? visitor(&draws) : c(&draws);
		for (uint32_t i = 0; i < served; i++)
			verified[i] = made_below(&draws, 4) ? visitor(&draws) : b(&draws);
		find(attacks, normals, served);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_limits_are_exact),
		cmocka_unit_test(bound_is_never_below_the_exact_one),
		cmocka_unit_test(known_bounds),
		cmocka_unit_test(bound_is_monotone),
		cmocka_unit_test(bound_of_huge_numbers),
		cmocka_unit_test(what_was_planted_is_found),
		cmocka_unit_test(and_it_is_narrow),
		cmocka_unit_test(a_flood_with_one_odd_field),
		cmocka_unit_test(what_looks_like_everybody_is_not_dropped),
		cmocka_unit_test(openings_like_everybodys_are_not_dropped),
		cmocka_unit_test(an_unsafe_rule_is_not_a_drop),
		cmocka_unit_test(who_is_verified_is_not_dropped),
		cmocka_unit_test(without_normal_traffic_nothing_is_known),
		cmocka_unit_test(with_little_normal_traffic_little_is_proven),
		cmocka_unit_test(a_small_vector_behind_a_large_one),
		cmocka_unit_test(the_budget_holds),
		cmocka_unit_test(a_large_baseline_is_halved),
		cmocka_unit_test(clients_are_limited),
		cmocka_unit_test(a_size_is_no_rule),
		cmocka_unit_test(all_random),
		cmocka_unit_test(protocols_that_nobody_uses),
		cmocka_unit_test(hardly_anything),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(neighbours_are_always_found),
		cmocka_unit_test(same_input_same_rules),
		cmocka_unit_test(random_mixtures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
