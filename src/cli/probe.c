/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast probe: whether a service can be reached from here, address by address; once, or on a schedule that reports
 * home.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cli/command.h"
#include "cli/now.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/probe.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "tell/checker.h"
#include "tell/probe_page.h"

#define NAME "probe"
#define STATUS_MIN 100
#define STATUS_MAX 599

struct options {
	struct option_words targets;
	const char *config, *text, *resolver, *ca;
	struct option_duration timeout;
	uint64_t status;
	bool json, metrics, run;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "TARGET...", OPTION_INTO(struct options, targets), .maximum = PROBE_CHECKS_MAX,
	  .help = "https://HOST/PATH, http://HOST/PATH, tcp://HOST:PORT, tls://HOST:PORT,\n"
	          "dns://NAME or dns://RESOLVER/NAME" },
	{ .name = "timeout", .value = "TIME", OPTION_INTO(struct options, timeout), .minimum = NS_PER_S, .maximum = 60 * NS_PER_S,
	  .help = "all of a check is over within it; 10s" },
	{ .name = "expect-status", .value = "N", OPTION_INTO(struct options, status), .minimum = STATUS_MIN, .maximum = STATUS_MAX,
	  .help = "the only status of HTTP that is good; else 200 to 299" },
	{ .name = "expect-text", .value = "TEXT", OPTION_INTO(struct options, text),
	  .help = "what the answer has to have in it; of dns:// an address" },
	{ .name = "resolver", .value = "ADDRESS", OPTION_INTO(struct options, resolver), .help = "who is asked for names, as ADDRESS or ADDRESS:PORT; else the system's" },
	{ .name = "ca", .value = "FILE", OPTION_INTO(struct options, ca), .help = "certificates that are trusted, instead of the system's" },
	OPTION_JSON_ROW(struct options, "as JSON", "holdfast.probes/1"),
	{ .name = "metrics", OPTION_INTO(struct options, metrics), .help = "as OpenMetrics, with the names of blackbox_exporter" },
	{ .name = "run", OPTION_INTO(struct options, run), .help = "check what the configuration says, on its schedule, and report home" },
	PLACE_CONFIG_ROW(struct options),
};

static const struct option_table table = {
	.command = NAME,
	.synopsis = "TARGET... [--timeout TIME] [--expect-status N] [--expect-text TEXT] [--json|--metrics] | --run",
	.purpose =
		"Checks whether services can be reached from this host: each address that a name has, with the time of each phase, why\n"
		"it failed, and when certificates expire. It sends what one visitor would, once. With --run it is a vantage point that\n"
		"checks what the section 'probes' of the configuration says, and reports home what it counted (doc/probes.md).\n",
	.notes =
		"Exit status: 0 all answer, 1 something does not, 2 wrong usage.\n"
		"\n"
		"Examples:\n"
		"  holdfast probe https://www.example.org/ tcp://mail.example.org:25\n"
		"  holdfast probe --metrics https://www.example.org/ >/var/lib/node_exporter/holdfast.prom\n"
		"  holdfast probe --run --config /etc/holdfast/holdfast.yaml\n",
	OPTION_ROWS(rows),
};
/* clang-format on */

static int read_check(const struct options *options, const char *text, struct probe_check *check)
{
	struct probe_target *target = &check->target;
	const char *what = "";
	struct address address;

	if (probe_target_parse(text, target, &what) != 0)
		return options_refuse(&table, "'%.80s' is no target: %s", text, what);
	if (options->resolver && !*target->resolver && probe_resolver_parse(options->resolver, target, &what) != 0)
		return options_refuse(&table, "--resolver wants ADDRESS or ADDRESS:PORT, and '%.80s' is none",
		                      options->resolver);
	(void)snprintf(check->text, sizeof(check->text), "%s", text);
	if (options->text && strlen(options->text) >= sizeof(check->expect_text))
		return options_refuse(&table, "--expect-text has more than %d octets", PROBE_TEXT_SIZE - 1);
	if (options->text && target->type == PROBE_DNS && address_parse(options->text, &address) != 0)
		return options_refuse(&table, "of dns:// --expect-text wants an address");
	(void)snprintf(check->expect_text, sizeof(check->expect_text), "%s", options->text ? options->text : "");
	check->expect_status = (uint32_t)options->status;
	check->timeout_ms = (uint32_t)(options->timeout.ns / NS_PER_MS);
	return COMMAND_DONE;
}

/* All of them, CHECKER_MAX at a time. 0 or -errno. */
static int check_all(struct checker *checker, const struct probe_check *checks, size_t count,
                     struct probe_outcome *outcomes)
{
	size_t begun = 0, ended = 0;
	int result = 0;

	while (result == 0 && ended < count) {
		struct probe_result got;
		uint64_t token;

		while (begun < count && (result = checker_begin(checker, &checks[begun], now_wall_ns(), begun)) == 0)
			begun++;
		if (result != 0 && result != -EAGAIN)
			return result;
		result = checker_wait(checker, NULL, 0, PROBE_TIMEOUT_MS_MAX);
		while (checker_next(checker, &token, &got)) {
			outcomes[token].check = &checks[token];
			outcomes[token].result = got;
			ended++;
		}
	}
	return result;
}

static int tell(const struct options *options, const struct probe_outcome *outcomes, size_t count)
{
	struct paper paper;
	int status;

	if (options->json) {
		status = order_print_json("holdfast.probes/1", probe_page_json(outcomes, count));
	} else if (options->metrics) {
		probe_page_metrics(stdout, outcomes, count);
		status = output_finish();
	} else {
		paper = screen_paper(0, false);
		probe_page(&paper, outcomes, count, now_wall_ns());
		status = output_finish();
	}
	for (size_t i = 0; i < count && status == COMMAND_DONE; i++) {
		uint32_t good, bad;

		probe_counts(&outcomes[i].result, &good, &bad);
		if (bad > 0 || good == 0)
			status = COMMAND_BAD;
	}
	return status;
}

static int probe_once(const struct options *options)
{
	size_t count = options->targets.count;
	struct probe_check *checks = calloc(count, sizeof(*checks));
	struct probe_outcome *outcomes = calloc(count, sizeof(*outcomes));
	struct checker *checker = NULL;
	int result = checks && outcomes ? 0 : -ENOMEM, status = COMMAND_BAD;

	for (size_t i = 0; i < count && result == 0; i++) {
		status = read_check(options, options->targets.words[i], &checks[i]);
		if (status != COMMAND_DONE)
			goto out;
	}
	result = result ? result : checker_new(options->ca, &checker);
	result = result ? result : check_all(checker, checks, count, outcomes);
	if (result == 0) {
		status = tell(options, outcomes, count);
	} else {
		status = COMMAND_BAD;
		say_error(NAME, "%s",
		          result == -ENOSYS ? "libcurl or c-ares is not there; install libcurl4 and libc-ares2"
		                            : strerror(-result));
	}
out:
	checker_free(checker);
	free(checks);
	free(outcomes);
	return status;
}

int probe_command(int argc, char **argv)
{
	struct options options = { .timeout = { (int64_t)PROBE_TIMEOUT_MS * NS_PER_MS } };
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	if (options.run && options.targets.count > 0)
		return options_refuse(&table, "with --run the configuration says what is checked");
	if (options.json && options.metrics)
		return options_refuse(&table, "--json or --metrics, not both");
	if (options.run)
		return probe_run(options.config);
	if (options.targets.count == 0)
		return options_refuse(&table, "nothing to check; a target is https://HOST/PATH, tcp://HOST:PORT …");
	return probe_once(&options);
}
