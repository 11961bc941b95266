/* SPDX-License-Identifier: Apache-2.0 */
/* What people are told of an attack from its beginning to its end: live's news, as alerts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "made.h"
#include "daemon/watch_inside.h"
#include "detect/incident.h"

#define BEGIN_NS (1000000 * NS_PER_S)
#define TARGET 0xc0000201u /* 192.0.2.1 */

struct told {
	unsigned count;
	struct alert latest, alerts[16];
};

static void hear(void *context, const struct alert *alert)
{
	struct told *told = context;

	assert_true(told->count < 16);
	told->latest = told->alerts[told->count++] = *alert;
}

/* Relays send so many packets a tick; without any, time passes by the second. What live says of it is told. */
static void play(struct watch *watch, int64_t *now, int64_t ns, unsigned packets)
{
	uint64_t random = 5;

	for (int64_t end = *now + ns; *now < end; *now += packets ? LIVE_TICK_NS : NS_PER_S) {
		struct capture_time time = { *now };
		struct live_order order;
		struct live_news news;

		for (unsigned i = 0; i < packets; i++) {
			struct observation o = made_udp(*now, made_ipv4(0x0a000000u + made_below(&random, 900)), 123,
			                                made_ipv4(TARGET), 80, 0);

			made_payload(&o, "\xd7\x00\x03\x2a\x00\x06\x00\x48", 8, 440);
			live_observe(watch->live, &o, 1);
		}
		live_tick(watch->live, time);
		while (live_next_order(watch->live, &order))
			if (order.type == LIVE_ADD_RULE)
				live_ruled(watch->live, order.handle, 1, 0);
		while (live_next_news(watch->live, &news))
			watch_alert(watch, &news);
	}
}

static void an_attack_is_told_from_beginning_to_end(void **state)
{
	struct told told = { .count = 0 };
	struct watch watch = { .setup = { .alert = hear, .context = &told } };
	int64_t now = BEGIN_NS, over;

	(void)state;
	assert_int_equal(live_new(1, NULL, 0, NULL, 0, &watch.live), 0);
	play(&watch, &now, 3 * NS_PER_S, 50);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.latest.change, ALERT_BEGAN);
	assert_string_equal(told.latest.target, "192.0.2.1");
	assert_string_equal(told.latest.vector, "ntp_reflection");
	assert_true(told.latest.pps > 0 && told.latest.bps > told.latest.pps);
	assert_int_equal(told.latest.began_ns / NS_PER_S, BEGIN_NS / NS_PER_S);
	/* Who begins to be told now hears of it, too. */
	watch_alert_all(&watch, ALERT_STANDING);
	assert_int_equal(told.count, 2);
	assert_int_equal(told.latest.change, ALERT_STANDING);
	assert_int_equal(told.latest.incident, told.alerts[0].incident);
	/* As long as another wave may come it is not over … */
	over = now + INCIDENT_QUIET_NS;
	play(&watch, &now, INCIDENT_QUIET_NS - 10 * NS_PER_S, 0);
	assert_int_not_equal(told.latest.change, ALERT_ENDED);
	/* … and then once. */
	play(&watch, &now, 30 * NS_PER_S, 0);
	assert_true(now > over);
	assert_int_equal(told.latest.change, ALERT_ENDED);
	assert_int_equal(told.latest.incident, told.alerts[0].incident);
	assert_string_equal(told.latest.target, "192.0.2.1");
	assert_string_equal(told.latest.vector, "ntp_reflection");
	assert_int_equal(told.latest.pps + told.latest.bps, 0);
	assert_in_range(told.latest.peak_pps, 4000, 5500);
	told.count = 0;
	watch_alert_all(&watch, ALERT_STANDING);
	play(&watch, &now, 600 * NS_PER_S, 0);
	assert_int_equal(told.count, 0);
	live_free(watch.live);
}

static void nobody_is_told_where_nobody_listens(void **state)
{
	struct watch watch = { .setup = { .alert = NULL } };
	int64_t now = BEGIN_NS;

	(void)state;
	watch_alert_all(&watch, ALERT_STANDING); /* and nothing is watched */
	assert_int_equal(live_new(1, NULL, 0, NULL, 0, &watch.live), 0);
	play(&watch, &now, NS_PER_S, 50);
	watch_alert_all(&watch, ALERT_STANDING);
	assert_int_equal(live_count(watch.live), 1);
	live_free(watch.live);
}

/* Of what became part of another incident only the end is told. */
static void what_is_gone_has_an_end_and_no_more(void **state)
{
	struct told told = { .count = 0 };
	struct watch watch = { .setup = { .alert = hear, .context = &told } };
	const struct live_news rows[] = { { .type = LIVE_BEGAN, .incident = 7 },
		                          { .type = LIVE_CHANGED, .incident = 7 },
		                          { .type = LIVE_FINISHED },
		                          { .type = LIVE_ENDED, .incident = 7 } };

	(void)state;
	assert_int_equal(live_new(1, NULL, 0, NULL, 0, &watch.live), 0);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		watch_alert(&watch, &rows[i]);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.latest.change, ALERT_ENDED);
	assert_int_equal(told.latest.incident, 7);
	assert_string_equal(told.latest.target, "");
	live_free(watch.live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attack_is_told_from_beginning_to_end),
		cmocka_unit_test(nobody_is_told_where_nobody_listens),
		cmocka_unit_test(what_is_gone_has_an_end_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
