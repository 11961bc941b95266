/* SPDX-License-Identifier: Apache-2.0 */
/* A place that probes: it needs nothing but this command, a configuration and a key, and no rights. */
#include "cli/now.h"
#include "cli/probe.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "cli/command.h"
#include "cli/place.h"
#include "cli/say.h"
#include "daemon/alert_files.h"
#include "daemon/probe_home.h"
#include "daemon/probing.h"

#define NAME "probe"
#define REPORT_NS (60 * NS_PER_S) /* between reports, at most */
#define LAST_NS (2 * NS_PER_S)    /* that the last report has */
#define WAIT_MS 1000
#define BUSY_MS 20

static volatile sig_atomic_t ended;

static void on_end(int number)
{
	(void)number;
	ended = 1;
}

struct running {
	struct probing *probing;
	struct probe_home *home;
	int64_t every_ns, report_ns; /* of the monotonic clock: when the next one goes */
	char said[POST_WHAT_SIZE];
	bool blind;
};

static int begin(struct running *running, const struct config_probes *probes)
{
	char error[CONFIG_ERROR_SIZE], key[ALERT_SECRET_SIZE];
	uint64_t seed = 0;
	size_t length;
	int fd, result;

	if (!probes->check_count || !probes->home[0] || !probes->vantage[0] || !probes->key_file[0]) {
		say_error(
			NAME,
			"a place that probes has 'probes' with checks, vantage, home and key_file in its configuration; "
			"see holdfast.yaml(5)");
		return COMMAND_BAD;
	}
	fd = alert_key_open(probes->key_file, error);
	if (fd < 0) {
		say_line(error);
		return COMMAND_BAD;
	}
	result = alert_key_read(fd, key);
	(void)close(fd);
	length = result == 0 ? probe_report_key(key, strlen(key)) : 0;
	if (length == 0) {
		explicit_bzero(key, sizeof(key));
		say_error(probes->key_file, "a key is one line of %d to %d octets", PROBE_REPORT_KEY_MIN,
		          ALERT_SECRET_SIZE - 1);
		return COMMAND_BAD;
	}
	result = probing_seed(&seed);
	result = result ? result : probe_home_new(probes->home, probes->vantage, key, length, &running->home);
	explicit_bzero(key, sizeof(key));
	result = result ? result : probing_new(probes, seed, now_wall_ns(), &running->probing);
	running->every_ns = probes->every_ns < REPORT_NS ? probes->every_ns : REPORT_NS;
	running->report_ns = now_monotonic_ns() + running->every_ns;
	if (result != 0)
		say_error(NAME, "%s",
		          result == -ENOSYS ? "libcurl or c-ares is not there; install libcurl4 and libc-ares2"
		                            : strerror(-result));
	return result ? COMMAND_BAD : COMMAND_DONE;
}

static int report(struct running *running)
{
	struct signal_count signals[PROBE_REPORT_SIGNALS_MAX];
	uint32_t count;
	int result = 0;

	while (result == 0 && (count = probing_take(running->probing, signals, PROBE_REPORT_SIGNALS_MAX)) > 0)
		result = probe_home_put(running->home, signals, count, now_wall_ns());
	running->report_ns = now_monotonic_ns() + running->every_ns;
	return result;
}

/* What changes is said once. */
static void say(struct running *running)
{
	struct probe_home_numbers numbers = probe_home_numbers(running->home);
	bool blind = probing_numbers(running->probing).blind;

	if (strcmp(numbers.what, running->said) != 0) {
		if (numbers.what[0])
			say_error(NAME, "home does not take a report: %s; it is tried again", numbers.what);
		else
			say_error(NAME, "home takes reports again");
		memcpy(running->said, numbers.what, sizeof(running->said));
	}
	if (blind != running->blind)
		say_error(NAME, "%s",
		          blind ? "canaries do not answer: this place is cut off, and what it sees counts nothing"
		                : "canaries answer again");
	running->blind = blind;
}

/* Until a signal ends it; then what was counted is sent, once. */
static int run(struct running *running)
{
	int result = 0;

	while (!ended && result == 0) {
		result = probing_turn(running->probing, now_wall_ns(), NULL, 0,
		                      probe_home_is_busy(running->home) ? BUSY_MS : WAIT_MS);
		if (result == 0 && now_monotonic_ns() >= running->report_ns)
			result = report(running);
		if (result == 0)
			result = probe_home_turn(running->home, now_wall_ns(), 0);
		say(running);
	}
	if (result == 0)
		result = report(running);
	for (int64_t until = now_monotonic_ns() + LAST_NS; result == 0 && now_monotonic_ns() < until;) {
		result = probe_home_turn(running->home, now_wall_ns(), BUSY_MS);
		if (!probe_home_is_busy(running->home)) /* all is sent, or home does not take it */
			break;
	}
	return result;
}

int probe_run(const char *config)
{
	struct config configuration;
	struct running running = { .probing = NULL };
	struct sigaction action = { .sa_handler = on_end };
	int result, status = place_configuration(NAME, config, &configuration);

	if (status != COMMAND_DONE)
		return status;
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	status = begin(&running, &configuration.probes);
	if (status == COMMAND_DONE) {
		result = run(&running);
		if (result != 0) {
			say_error(NAME, "%s", strerror(-result));
			status = COMMAND_BAD;
		}
	}
	probing_free(running.probing);
	probe_home_free(running.home);
	config_fini(&configuration);
	return status;
}
