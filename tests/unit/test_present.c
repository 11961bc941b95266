/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What probes see at this moment, against a twin that keeps all it ever heard; what a single failure does, and what has
 * to be over before trouble is; places that fall silent, that were cut off, and more of them than there is room for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "impact/present.h"
#include "made.h"

#define EVERY_NS (60 * NS_PER_S)
#define WINDOW_NS (PRESENT_ROUNDS * EVERY_NS)
#define BEGIN_NS (1764240000 * NS_PER_S) /* at which a bucket begins */
#define SEED 0x70726573656e74u
#define HEARD 3000

static struct present *present;

static int begin(void **state)
{
	(void)state;
	present = malloc(sizeof(*present));
	if (!present)
		return -1;
	present_init(present, EVERY_NS);
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(present);
	return 0;
}

static struct signal_count heard(const char *component, const char *vantage, uint32_t good, uint32_t bad,
                                 int64_t now_ns)
{
	struct signal_count count = {
		.bucket_ns = count_bucket(now_ns), .kind = SIGNAL_PROBE, .network = 64496, .good = good, .bad = bad
	};

	(void)snprintf(count.component, sizeof(count.component), "%s", component);
	(void)snprintf(count.vantage, sizeof(count.vantage), "%s", vantage);
	return count;
}

static void hear(const char *vantage, uint32_t good, uint32_t bad, int64_t now_ns)
{
	struct signal_count count = heard("web", vantage, good, bad, now_ns);

	present_add(present, &count, now_ns);
}

static struct present_view seen(int64_t now_ns)
{
	struct present_view view;

	present_of(present, "web", now_ns, &view);
	return view;
}

static void one_failure_is_forgiven_two_are_not(void **state)
{
	struct present_view view;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		hear("paris", i != 1, i == 1, BEGIN_NS + i * EVERY_NS);
	view = seen(BEGIN_NS + 2 * EVERY_NS);
	assert_int_equal(view.count, 1);
	assert_int_equal(view.probes[0].good, 2);
	assert_int_equal(view.probes[0].bad, 1);
	assert_int_equal(view.probes[0].network, 64496);
	assert_false(view.clean);
	hear("paris", 0, 1, BEGIN_NS + 3 * EVERY_NS);
	view = seen(BEGIN_NS + 3 * EVERY_NS);
	assert_int_equal(view.probes[0].good, 1); /* the first has left the window */
	assert_int_equal(view.probes[0].bad, 2);
}

static void it_is_over_once_the_window_is_clean(void **state)
{
	(void)state;
	hear("paris", 0, 1, BEGIN_NS);
	for (unsigned i = 1; i <= 3; i++) {
		assert_false(seen(BEGIN_NS + i * EVERY_NS - 1).clean);
		hear("paris", 1, 0, BEGIN_NS + i * EVERY_NS);
	}
	assert_true(seen(BEGIN_NS + WINDOW_NS).clean);
	assert_int_equal(seen(BEGIN_NS + WINDOW_NS).probes[0].good, 3);
}

static void who_is_cut_off_says_nothing(void **state)
{
	struct signal_count canary = heard("web", "paris", 1, 2, BEGIN_NS);

	(void)state;
	hear("paris", 0, 3, BEGIN_NS);
	hear("oslo", 3, 0, BEGIN_NS);
	assert_false(seen(BEGIN_NS).clean);
	canary.kind = SIGNAL_CANARY;
	present_add(present, &canary, BEGIN_NS);
	assert_int_equal(seen(BEGIN_NS).probes[0].canaries, 3);
	assert_int_equal(seen(BEGIN_NS).probes[0].canaries_failed, 2);
	assert_true(seen(BEGIN_NS).clean);
}

static void the_silent_are_not_seen(void **state)
{
	(void)state;
	hear("paris", 0, 1, BEGIN_NS);
	hear("oslo", 1, 0, BEGIN_NS + EVERY_NS);
	assert_int_equal(seen(BEGIN_NS + EVERY_NS).count, 2);
	assert_int_equal(seen(BEGIN_NS + WINDOW_NS).count, 1);
	assert_int_equal(seen(BEGIN_NS + WINDOW_NS + EVERY_NS).count, 0);
	assert_true(seen(BEGIN_NS + WINDOW_NS + EVERY_NS).clean);
	assert_int_equal(seen(BEGIN_NS - 1).count, 0); /* a clock that was set back */
	hear("oslo", 2, 0, BEGIN_NS - EVERY_NS);
	assert_int_equal(seen(BEGIN_NS - EVERY_NS).probes[0].good, 2);
}

static void what_is_of_another_time_is_not_taken(void **state)
{
	struct signal_count count = heard("web", "paris", 0, 1, BEGIN_NS - 2 * COUNT_BUCKET_NS);

	(void)state;
	present_add(present, &count, BEGIN_NS);
	count.bucket_ns = BEGIN_NS + COUNT_BUCKET_NS;
	present_add(present, &count, BEGIN_NS);
	assert_int_equal(present->late, 2);
	count.bucket_ns = BEGIN_NS;
	count.kind = SIGNAL_EDGE_5XX;
	present_add(present, &count, BEGIN_NS);
	assert_int_equal(seen(BEGIN_NS).count, 0);
	count.kind = SIGNAL_PROBE;
	count.bucket_ns = BEGIN_NS - COUNT_BUCKET_NS; /* on its way when the bucket ended */
	present_add(present, &count, BEGIN_NS);
	assert_int_equal(seen(BEGIN_NS).count, 1);
}

static void room_is_bounded(void **state)
{
	char vantage[VANTAGE_SIZE];

	(void)state;
	for (unsigned i = 0; i <= PRESENT_PLACES_MAX; i++) {
		(void)snprintf(vantage, sizeof(vantage), "place-%u", i);
		hear(vantage, 1, 0, BEGIN_NS);
	}
	assert_int_equal(present->refused, 1);
	assert_int_equal(seen(BEGIN_NS).count, BELIEF_VANTAGES_MAX);
	hear("later", 0, 1, BEGIN_NS + WINDOW_NS); /* in the room of one that fell silent */
	assert_int_equal(present->refused, 1);
	assert_int_equal(seen(BEGIN_NS + WINDOW_NS).count, 1);
	assert_string_equal(seen(BEGIN_NS + WINDOW_NS).probes[0].vantage, "later");
}

/* All it ever heard; what is heard together is one look here, too. */
struct twin {
	struct {
		int64_t at_ns;
		unsigned place;
		uint32_t good, bad;
	} heard[HEARD];
	unsigned count;
};

static void as_its_twin_sees_it(void **state)
{
	static const char *const places[] = { "paris", "oslo", "rome" };
	static struct twin twin;
	int64_t now_ns = BEGIN_NS, first_ns[3] = { 0 };
	uint64_t random = SEED;

	(void)state;
	for (unsigned i = 0; i < HEARD; i++) {
		unsigned place = made_below(&random, 3);
		uint32_t good = made_below(&random, 4), bad = made_below(&random, 3), sums[2] = { 0, 0 };
		bool known = false;

		now_ns += (int64_t)made_below(&random, 40) * NS_PER_S + 1;
		hear(places[place], good, bad, now_ns);
		if (first_ns[place] == 0 || first_ns[place] <= now_ns - WINDOW_NS / PRESENT_LOOKS)
			first_ns[place] = now_ns;
		twin.heard[i].at_ns = first_ns[place];
		twin.heard[i].place = place;
		twin.heard[i].good = good;
		twin.heard[i].bad = bad;
		for (unsigned k = 0; k <= i; k++)
			if (twin.heard[k].place == place && twin.heard[k].at_ns > now_ns - WINDOW_NS) {
				sums[0] += twin.heard[k].good;
				sums[1] += twin.heard[k].bad;
			}
		for (unsigned k = 0; k < seen(now_ns).count; k++) {
			struct present_view view = seen(now_ns);

			if (strcmp(view.probes[k].vantage, places[place]) != 0)
				continue;
			known = true;
			assert_int_equal(view.probes[k].good, sums[0]);
			assert_int_equal(view.probes[k].bad, sums[1]);
		}
		assert_true(known);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_failure_is_forgiven_two_are_not, begin, end),
		cmocka_unit_test_setup_teardown(it_is_over_once_the_window_is_clean, begin, end),
		cmocka_unit_test_setup_teardown(who_is_cut_off_says_nothing, begin, end),
		cmocka_unit_test_setup_teardown(the_silent_are_not_seen, begin, end),
		cmocka_unit_test_setup_teardown(what_is_of_another_time_is_not_taken, begin, end),
		cmocka_unit_test_setup_teardown(room_is_bounded, begin, end),
		cmocka_unit_test_setup_teardown(as_its_twin_sees_it, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
