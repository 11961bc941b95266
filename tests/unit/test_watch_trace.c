/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's traces: by the prices that the configuration names, or, where these are wrong, by those built in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "made.h"
#include "daemon/log.h"
#include "daemon/watch_trace.h"
#include "engine/live.h"

#define BEGIN_NS (1000000 * NS_PER_S)
#define TARGET 0xc0000201u /* 192.0.2.1 */

static const char own[] =
	"{\"schema\":\"holdfast.prices/1\",\"prices\":[{\"what\":\"a test's\",\"per\":\"attack\",\"low\":7001,"
	"\"mid\":7002,\"high\":7003,\"up_to_gbps\":0,\"date\":\"2031\",\"source\":\"https://a.example/\"}]}";

/* An attack of three seconds, as live has it. */
static struct live *attack(int64_t *now)
{
	struct live *live;
	uint64_t random = 5;

	assert_int_equal(live_new(1, NULL, 0, NULL, 0, &live), 0);
	for (*now = BEGIN_NS; *now < BEGIN_NS + 3 * NS_PER_S; *now += LIVE_TICK_NS) {
		for (unsigned i = 0; i < 50; i++) {
			struct observation o = made_udp(*now, made_ipv4(0x0a000000u + made_below(&random, 900)), 123,
			                                made_ipv4(TARGET), 80, 0);

			made_payload(&o, "\xd7\x00\x03\x2a\x00\x06\x00\x48", 8, 440);
			live_observe(live, &o, 1);
		}
		live_tick(live, (struct capture_time){ *now });
	}
	assert_int_equal(live_count(live), 1);
	return live;
}

static struct cost cost_by(const char *path)
{
	struct config config;
	struct watch_trace *traces;
	struct finding finding;
	struct live_view view;
	int64_t now;
	struct live *live = attack(&now);
	struct cost cost;

	assert_int_equal(config_init(&config), 0);
	config.geo[0] = '\0';
	(void)snprintf(config.state_dir, sizeof(config.state_dir), "/nonexistent");
	(void)snprintf(config.prices, sizeof(config.prices), "%s", path);
	assert_int_equal(watch_trace_open(&config, &traces), 0);
	live_view(live, 0, &view);
	assert_int_equal(live_find(live, view.id, &finding), 0);
	assert_int_equal(watch_trace_make(traces, &config, &finding, WATCH_TRACE_SOURCES, now), 0);
	assert_non_null(watch_trace_of(traces, &finding));
	cost = watch_trace_of(traces, &finding)->cost;
	assert_true(cost.known);
	finding_fini(&finding);
	watch_trace_free(traces);
	live_free(live);
	config_fini(&config);
	return cost;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void prices_of_the_configuration(void **state)
{
	char path[] = "/tmp/holdfast-prices-XXXXXX";
	int fd = mkstemp(path);
	struct cost built_in = cost_by(""), cost;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_true(built_in.low < 7001 && built_in.low > 0);
	write_file(path, own);
	cost = cost_by(path);
	assert_true(cost.low == 7001 && cost.mid == 7002 && cost.high == 7003);
	assert_non_null(strstr(cost.basis, "1 of 1 published offers, of 2031"));
	write_file(path, "{}");
	cost = cost_by(path);
	assert_true(cost.low == built_in.low && cost.mid == built_in.mid && cost.high == built_in.high);
	assert_int_equal(unlink(path), 0);
	cost = cost_by(path);
	assert_true(cost.low == built_in.low);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prices_of_the_configuration),
	};

	log_begin("engine");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
