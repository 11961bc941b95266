/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intake: what counts, what does not, what is suspected; of nonces each way to be wrong; bounds under floods of either
 * kind.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "impact/intake.h"

#define START_NS (1764230400LL * NS_PER_S) /* a bucket's beginning */
#define CAP 50
#define NONCE_BITS 18

static struct intake *intake;
static struct capture_time now;
static const uint8_t key[INTAKE_KEY_SIZE] = { 1, 2, 3 };
static bool shield_drops, shield_known;

static enum intake_fate shielded(void *context, const struct address *source)
{
	(void)context;
	if (!shield_known)
		return INTAKE_FATE_UNKNOWN;
	return shield_drops && source->octets[12] == 203 ? INTAKE_FATE_DROPPED : INTAKE_FATE_PASSES;
}

static int begin(void **state)
{
	const struct intake_options options = { .network_cap = CAP, .nonce_bits = NONCE_BITS, .shielded = shielded };

	(void)state;
	now.ns = START_NS;
	shield_drops = false;
	shield_known = true;
	assert_int_equal(count_bucket(START_NS), START_NS);
	return intake_new(&options, key, now, &intake);
}

static int end(void **state)
{
	(void)state;
	intake_free(intake);
	intake_free(NULL);
	return 0;
}

static struct address at(unsigned a, unsigned b, unsigned c, unsigned d)
{
	const uint8_t octets[4] = { (uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d };

	return address_from_ipv4(octets);
}

static struct report_count about(const char *component, const char *region, uint32_t network)
{
	struct report_count report = { .symptom = SYMPTOM_SLOW, .network = network };

	(void)snprintf(report.component, sizeof(report.component), "%s", component);
	(void)snprintf(report.region, sizeof(report.region), "%s", region);
	return report;
}

static void wait_s(int64_t s)
{
	now.ns += s * NS_PER_S;
}

/* With a nonce that is good, in the same bucket. */
static enum intake_result report(struct address source, struct report_count what)
{
	char nonce[INTAKE_NONCE_TEXT_SIZE];
	struct capture_time before = now;

	before.ns -= INTAKE_NONCE_EARLY_S * NS_PER_S;
	intake_nonce(intake, before, nonce);
	return intake_report(intake, now, nonce, &source, &what);
}

static struct report_count drained(void)
{
	struct report_count all[INTAKE_CELLS_MAX], sum = { 0 };
	unsigned count = intake_drain(intake, all, INTAKE_CELLS_MAX);

	for (unsigned i = 0; i < count; i++) {
		assert_true(all[i].accepted + all[i].shielded <= all[i].raw);
		assert_int_equal(all[i].source, REPORT_FORM);
		sum.raw += all[i].raw;
		sum.accepted += all[i].accepted;
		sum.shielded += all[i].shielded;
	}
	assert_int_equal(intake_drain(intake, all, INTAKE_CELLS_MAX), 0);
	return sum;
}

static void nonces(void **state)
{
	const struct report_count what = about("login", "FR", 0);
	const struct address source = at(192, 0, 2, 1);
	char nonce[INTAKE_NONCE_TEXT_SIZE], other[INTAKE_NONCE_TEXT_SIZE], forged[INTAKE_NONCE_TEXT_SIZE];
	const uint8_t next[INTAKE_KEY_SIZE] = { 9 }, third[INTAKE_KEY_SIZE] = { 8 };

	(void)state;
	assert_string_equal(intake_nonce(intake, now, nonce), nonce);
	assert_int_equal(strlen(nonce), INTAKE_NONCE_TEXT_SIZE - 1);
	intake_nonce(intake, now, other);
	assert_string_not_equal(nonce, other);
	assert_int_equal(intake_report(intake, now, NULL, &source, &what), INTAKE_NONCE_WRONG);
	assert_int_equal(intake_report(intake, now, "", &source, &what), INTAKE_NONCE_WRONG);
	assert_int_equal(intake_report(intake, now, nonce, &source, &what), INTAKE_NONCE_EARLY);
	wait_s(INTAKE_NONCE_EARLY_S);
	for (unsigned i = 0; i < INTAKE_NONCE_TEXT_SIZE - 1; i++) { /* whatever is changed in it */
		memcpy(forged, nonce, sizeof(forged));
		forged[i] = forged[i] == 'a' ? 'b' : 'a';
		assert_int_equal(intake_report(intake, now, forged, &source, &what), INTAKE_NONCE_WRONG);
		forged[i] = 'G';
		assert_int_equal(intake_report(intake, now, forged, &source, &what), INTAKE_NONCE_WRONG);
	}
	assert_int_equal(intake_report(intake, now, nonce, &source, &what), INTAKE_ACCEPTED);
	assert_int_equal(intake_report(intake, now, nonce, &source, &what), INTAKE_NONCE_USED);
	/* The key goes; what it signed is good until it is late, or another key goes. */
	intake_rekey(intake, next, now);
	assert_int_equal(intake_report(intake, now, nonce, &source, &what), INTAKE_NONCE_USED);
	assert_int_equal(intake_report(intake, now, other, &source, &what), INTAKE_ACCEPTED);
	intake_nonce(intake, now, nonce);
	intake_nonce(intake, now, other);
	wait_s(INTAKE_NONCE_LATE_S);
	assert_int_equal(intake_report(intake, now, nonce, &source, &what), INTAKE_ACCEPTED);
	wait_s(1);
	assert_int_equal(intake_report(intake, now, other, &source, &what), INTAKE_NONCE_LATE);
	intake_nonce(intake, now, nonce);
	wait_s(INTAKE_NONCE_EARLY_S);
	intake_rekey(intake, key, now);
	intake_rekey(intake, third, now);
	assert_int_equal(intake_report(intake, now, nonce, &source, &what), INTAKE_NONCE_WRONG);
	assert_int_equal(intake_counts(intake).results[INTAKE_NONCE_USED], 2);
	assert_int_equal(intake_counts(intake).results[INTAKE_ACCEPTED], 3);
	assert_int_equal(intake_counts(intake).nonces, 5);
	assert_false(intake_key_due(intake, now));
	wait_s(INTAKE_KEY_S);
	assert_true(intake_key_due(intake, now));
}

static void old_numbers_are_pushed_out(void **state)
{
	const struct report_count what = about("login", "", 0);
	const struct address source = at(192, 0, 2, 1);
	char first[INTAKE_NONCE_TEXT_SIZE], text[INTAKE_NONCE_TEXT_SIZE];

	(void)state;
	intake_nonce(intake, now, first);
	for (unsigned i = 0; i < 1u << NONCE_BITS; i++)
		intake_nonce(intake, now, text);
	wait_s(INTAKE_NONCE_EARLY_S);
	assert_int_equal(intake_report(intake, now, first, &source, &what), INTAKE_NONCE_LATE);
	assert_int_equal(intake_counts(intake).nonces_pushed_out, 1);
	assert_int_equal(intake_report(intake, now, text, &source, &what), INTAKE_ACCEPTED);
}

static void sources_count_three_times(void **state)
{
	struct report_count sum;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(report(at(192, 0, 2, i), about("login", "FR", 0)),
		                 i < INTAKE_SOURCE_MAX ? INTAKE_ACCEPTED : INTAKE_REPEATED);
	assert_int_equal(report(at(192, 0, 2, 1), about("site", "FR", 0)), INTAKE_ACCEPTED);
	assert_int_equal(report(at(192, 0, 3, 1), about("login", "FR", 0)), INTAKE_ACCEPTED);
	sum = drained();
	assert_int_equal(sum.raw, 12);
	assert_int_equal(sum.accepted, 5);
	wait_s(300); /* another bucket */
	assert_int_equal(report(at(192, 0, 2, 1), about("login", "FR", 0)), INTAKE_ACCEPTED);
	/* IPv6: a /48 is a source. */
	for (unsigned i = 0; i < 5; i++) {
		uint8_t octets[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 1, (uint8_t)i };

		assert_int_equal(report(address_from_ipv6(octets), about("login", "FR", 0)),
		                 i < INTAKE_SOURCE_MAX ? INTAKE_ACCEPTED : INTAKE_REPEATED);
	}
}

static void networks_have_a_cap(void **state)
{
	const unsigned most = CAP * INTAKE_AS_NETWORKS;
	unsigned accepted = 0;

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		accepted += report(at(198, 18, i, 1), about("login", "", 0)) == INTAKE_ACCEPTED; /* one /16 */
	assert_int_equal(accepted, CAP);
	assert_int_equal(report(at(198, 19, 0, 1), about("login", "", 0)), INTAKE_ACCEPTED);
	accepted = 0;
	for (unsigned i = 0; i < 3 * most; i++) /* one AS, wherever its addresses are: as many such networks */
		accepted += report(at(10 + i % 200, i / 200, 0, 1), about("login", "", 64500)) == INTAKE_ACCEPTED;
	assert_int_equal(accepted, most);
	assert_int_equal(intake_flood(intake, now), INTAKE_FLOOD_NETWORK);
	assert_int_equal(intake_counts(intake).results[INTAKE_CAPPED], 200 - CAP + 2 * most);
}

static void what_the_shield_drops_is_apart(void **state)
{
	struct signal_count signals[4];
	struct report_count sum;

	(void)state;
	shield_drops = true;
	for (unsigned i = 0; i < 120; i++)
		assert_int_equal(report(at(203, 0, i, 1), about("login", "", 1 + i)), INTAKE_SHIELDED);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(report(at(192, 0, i, 1), about("login", "", 1 + i)), INTAKE_ACCEPTED);
	sum = drained();
	assert_int_equal(sum.raw, 160);
	assert_int_equal(sum.shielded, 120);
	assert_int_equal(sum.accepted, 40);
	assert_int_equal(intake_drain_signals(intake, signals, 4), 1);
	assert_int_equal(signals[0].kind, SIGNAL_FILTERED);
	assert_int_equal(signals[0].bad, 120);
	assert_int_equal(signals[0].good, 40);
	assert_int_equal(intake_flood(intake, now), INTAKE_FLOOD_SHIELDED);
	wait_s(300);
	assert_int_equal(intake_flood(intake, now), INTAKE_FLOOD_SHIELDED); /* of the bucket before */
	wait_s(300);
	assert_int_equal(intake_flood(intake, now), 0);
}

/* Whom nobody can say anything of is not among those that were looked up. */
static void what_the_shield_does_is_not_known(void **state)
{
	struct signal_count signals[4];
	struct report_count sum;

	(void)state;
	shield_drops = true;
	shield_known = false;
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(report(at(203, 0, i, 1), about("login", "", 1 + i)), INTAKE_ACCEPTED);
	sum = drained();
	assert_int_equal(sum.accepted, 20);
	assert_int_equal(sum.shielded, 0);
	assert_int_equal(intake_drain_signals(intake, signals, 4), 0);
	shield_known = true;
	assert_int_equal(report(at(203, 0, 100, 1), about("login", "", 200)), INTAKE_SHIELDED);
	assert_int_equal(intake_drain_signals(intake, signals, 4), 1);
	assert_int_equal(signals[0].good, 0);
	assert_int_equal(signals[0].bad, 1);
}

static void floods_from_few(void **state)
{
	const struct address source = at(192, 0, 2, 1);
	const struct report_count what = about("login", "", 0);

	(void)state;
	for (unsigned i = 0; i < 99; i++)
		(void)report(source, what);
	assert_int_equal(intake_flood(intake, now), 0);
	for (unsigned i = 0; i < 900; i++)
		(void)report(source, what);
	assert_int_equal(intake_flood(intake, now), INTAKE_FLOOD_SOURCES);
	for (unsigned i = 0; i < 2000; i++)
		(void)intake_report(intake, now, "no", &source, &what);
	assert_int_equal(intake_flood(intake, now), INTAKE_FLOOD_SOURCES | INTAKE_FLOOD_NONCES);
	assert_string_equal(intake_flood_name(INTAKE_FLOOD_NONCES), "nonces");
	assert_string_equal(intake_flood_name(INTAKE_FLOOD_SOURCES), "few_sources");
	assert_string_equal(intake_flood_name(INTAKE_FLOOD_MANY), "many_sources");
	assert_string_equal(intake_result_name(INTAKE_NONCE_USED), "nonce_used");
}

/* More sources than there is room for: what is counted is an estimate, and a good one. */
static void floods_from_many(void **state)
{
	const struct intake_options options = { .network_cap = 100000, .nonce_bits = NONCE_BITS };
	const uint32_t sent = 200000;
	struct report_count sum = { 0 };

	(void)state;
	intake_free(intake);
	assert_int_equal(intake_new(&options, key, now, &intake), 0);
	for (uint32_t i = 0; i < sent; i++) {
		(void)report(at(11 + i / 65536, i / 256, i, 1), about("login", "", 1 + i / 40));
		if (i % 10000 == 9999) {
			struct report_count part = drained();

			sum.raw += part.raw;
			sum.accepted += part.accepted;
		}
	}
	assert_int_equal(intake_counts(intake).sources_halved, 3);
	assert_true(sum.accepted > sent * 95 / 100 && sum.accepted < sent * 105 / 100);
	assert_true(sum.raw >= sent);
	assert_int_equal(intake_flood(intake, now), INTAKE_FLOOD_MANY);
	assert_true(intake_counts(intake).networks_refused > 0);
}

static void cells_are_bounded(void **state)
{
	struct report_count sum;

	(void)state;
	for (unsigned i = 0; i < 4 * INTAKE_CELLS_MAX; i++)
		(void)report(at(20 + i / 65536, i / 256, i, 1), about("login", "FR", 1 + i));
	assert_true(intake_counts(intake).places_left_out > 0);
	sum = drained();
	assert_int_equal(sum.raw, 4 * INTAKE_CELLS_MAX);
	for (unsigned i = 0; i < 2 * INTAKE_CELLS_MAX; i++) { /* nor of a kind that has no place */
		char component[COMPONENT_ID_SIZE];

		(void)snprintf(component, sizeof(component), "c%u", i);
		(void)report(at(20 + i / 65536, i / 256, i, 1), about(component, "", 0));
	}
	assert_true(intake_counts(intake).results[INTAKE_NO_ROOM] > 0);
}

/*
 * What a flood from everywhere, in pieces, puts on record of five minutes stays bounded, and networks go before
 * regions.
 */
static void places_of_a_bucket_are_bounded(void **state)
{
	enum { SENT = 2 * INTAKE_PLACED_MAX, PIECE = 512 };
	struct report_count all[INTAKE_CELLS_MAX];
	unsigned with_network = 0, with_region = 0;

	(void)state;
	for (unsigned i = 0; i < SENT; i += PIECE) {
		unsigned count;

		for (unsigned k = i; k < i + PIECE; k++)
			(void)report(at(20, k / 256, k, 1), about("login", k % 2 ? "FR" : "DE", 1 + k));
		count = intake_drain(intake, all, INTAKE_CELLS_MAX);
		for (unsigned k = 0; k < count; k++) {
			with_network += all[k].network ? all[k].raw : 0;
			with_region += !all[k].network && all[k].region[0] ? all[k].raw : 0;
		}
	}
	assert_int_equal(with_network, INTAKE_PLACED_NETWORKS_MAX);
	assert_int_equal(with_region, SENT - INTAKE_PLACED_NETWORKS_MAX);
	assert_int_equal(intake_counts(intake).places_left_out, with_region);
	/* What is on record of the five minutes goes on to be counted there. */
	(void)report(at(21, 0, 0, 1), about("login", "DE", 1));
	assert_int_equal(intake_drain(intake, all, INTAKE_CELLS_MAX), 1);
	assert_int_equal(all[0].network, 1);
	wait_s(300);
	(void)report(at(21, 0, 0, 1), about("login", "FR", 99999));
	assert_int_equal(intake_drain(intake, all, INTAKE_CELLS_MAX), 1);
	assert_int_equal(all[0].network, 99999);
}

static void browsers(void **state)
{
	struct signal_count signals[4];
	struct report_count none;
	const struct address source = at(192, 0, 2, 1), other = at(192, 0, 3, 1);

	(void)state;
	assert_int_equal(intake_nel(intake, now, &source, 0, "site", true, 1), INTAKE_ACCEPTED);
	assert_int_equal(intake_nel(intake, now, &source, 0, "site", true, 10), INTAKE_ACCEPTED);
	assert_int_equal(intake_nel(intake, now, &source, 0, "site", false, 0), INTAKE_ACCEPTED);
	assert_int_equal(intake_nel(intake, now, &source, 0, "site", false, 1), INTAKE_REPEATED);
	assert_int_equal(intake_nel(intake, now, &other, 0, "site", true, CAP - 12), INTAKE_ACCEPTED);
	assert_int_equal(intake_nel(intake, now, &other, 0, "site", true, 1), INTAKE_CAPPED);
	assert_int_equal(intake_nel(intake, now, &other, 5, "site", true, 1000000), INTAKE_ACCEPTED);
	assert_int_equal(report(source, about("site", "", 0)), INTAKE_ACCEPTED); /* apart from these */
	assert_int_equal(intake_drain_signals(intake, signals, 4), 2);
	assert_int_equal(signals[0].kind, SIGNAL_NEL);
	assert_int_equal(signals[0].bad, 11 + CAP - 12 + INTAKE_WEIGHT_MAX);
	assert_int_equal(signals[0].good, 1);
	assert_int_equal(intake_drain(intake, &none, 1), 1);
	for (unsigned i = 0; i <= INTAKE_SIGNALS_MAX; i++) {
		char component[COMPONENT_ID_SIZE];
		struct address from = at(30, i / 256, i, 1);

		(void)snprintf(component, sizeof(component), "c%u", i);
		assert_int_equal(intake_nel(intake, now, &from, 100 + i, component, true, 1),
		                 i < INTAKE_SIGNALS_MAX ? INTAKE_ACCEPTED : INTAKE_NO_ROOM);
	}
}

static void clocks_may_be_set_back(void **state)
{
	const struct intake_options bad = { 0 };
	struct intake *other;

	(void)state;
	wait_s(1000);
	(void)report(at(192, 0, 2, 1), about("login", "", 0));
	now.ns -= 600 * NS_PER_S;
	assert_int_equal(report(at(192, 0, 2, 1), about("login", "", 0)), INTAKE_ACCEPTED);
	now.ns -= INTAKE_KEY_S * NS_PER_S;
	assert_true(intake_key_due(intake, now));
	assert_int_equal(intake_new(&bad, key, now, &other), -EINVAL);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH(nonces),
		WITH(old_numbers_are_pushed_out),
		WITH(sources_count_three_times),
		WITH(networks_have_a_cap),
		WITH(what_the_shield_drops_is_apart),
		WITH(what_the_shield_does_is_not_known),
		WITH(floods_from_few),
		WITH(floods_from_many),
		WITH(cells_are_bounded),
		WITH(places_of_a_bucket_are_bounded),
		WITH(browsers),
		WITH(clocks_may_be_set_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
