/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The prober: unprivileged, with the network, without the record. It checks what the configuration says on its
 * schedule, and the desk gets what it counts.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/log.h"
#include "daemon/probing.h"
#include "daemon/sandbox.h"
#include "daemon/serve_role.h"

#define WAIT_MS 1000
#define SEND_NS (2 * NS_PER_S) /* between two looks at what was counted: the desk heeds it within seconds */

struct prober {
	struct serve_life life;
	struct probing *probing;
	int64_t send_ns;
	bool blind, fails; /* as was said last */
	struct serve_message message;
};

static int confine(const struct role_start *start)
{
	int result = sandbox_give_up(start->uid, start->gid);

	if (result == 0) {
		result = sandbox_confine_to_network();
		if (result != 0 && sandbox_excuse(result) == 0)
			LOG_SAY(LOG_WARNING, "this kernel has no Landlock, which would keep the prober from files");
		result = sandbox_excuse(result);
	}
	return result == 0 ? sandbox_filter(ROLE_PROBER) : result;
}

static int begin(void *state, const struct role_start *start, char error[CONFIG_ERROR_SIZE])
{
	struct prober *prober = state;
	uint64_t seed = 0;
	int result = probing_seed(&seed);

	if (result != 0) {
		(void)snprintf(error, CONFIG_ERROR_SIZE, "there is no randomness");
		return result;
	}
	result = probing_new(&prober->life.config.probes, seed, role_wall_ns(), &prober->probing);
	if (result != 0) {
		(void)snprintf(error, CONFIG_ERROR_SIZE, "%s",
		               result == -ENOSYS ? "libcurl or c-ares is not there; install libcurl4 and libc-ares2"
		                                 : strerror(-result));
		return result;
	}
	result = confine(start);
	if (result != 0)
		(void)snprintf(error, CONFIG_ERROR_SIZE, "cannot give up rights: %s", strerror(-result));
	return result;
}

static void tell(struct prober *prober)
{
	struct probing_numbers numbers = probing_numbers(prober->probing);
	struct serve_message *message = &prober->message;
	char failing[SERVE_TEXT_SIZE] = "";
	bool fails = probing_failing(prober->probing, failing, sizeof(failing));

	if (fails != prober->fails)
		LOG_SAY(fails ? LOG_WARNING : LOG_NOTICE, "%s", fails ? failing : "all checks are good again");
	prober->fails = fails;
	if (numbers.blind != prober->blind)
		LOG_SAY(LOG_WARNING, "%s",
		        numbers.blind
		                ? "canaries do not answer: this host is cut off, and what it sees of others counts nothing"
		                : "canaries answer again");
	prober->blind = numbers.blind;
	serve_message_init(message, SERVE_COUNTED, 0);
	message_text(message->counted.state, sizeof(message->counted.state),
	             numbers.blind ? "canaries do not answer from here"
	             : fails       ? failing
	                           : "ok");
	serve_role_count(message, "checks", numbers.checks);
	serve_role_count(message, "checks_failed", numbers.failed);
	serve_role_count(message, "checks_uncounted", numbers.refused);
	serve_role_tell(message);
}

/* As it is: the desk knows what people have been told. */
static void send_failures(struct prober *prober)
{
	struct serve_message *message = &prober->message;
	struct probing_failure failures[SERVE_COUNTS_MAX];

	if (prober->blind) /* it sees nothing of others */
		return;
	serve_message_init(message, SERVE_CHECKS, 0);
	message->checks.count = probing_failures(prober->probing, failures, SERVE_COUNTS_MAX);
	for (uint32_t i = 0; i < message->checks.count; i++) {
		struct serve_check *check = &message->checks.checks[i];
		char what[SERVE_TEXT_SIZE];

		(void)snprintf(what, sizeof(what), "%s, %s", failures[i].check, probe_reason_says(failures[i].reason));
		message_text(check->component, sizeof(check->component), failures[i].component);
		message_text(check->what, sizeof(check->what), what);
		check->since_ns = failures[i].since_ns;
	}
	(void)serve_role_send(&prober->life, message);
}

static bool next_counts(void *context, struct serve_message *message)
{
	struct prober *prober = context;

	serve_message_init(message, SERVE_SIGNALS, 0);
	message->signals.count = probing_take(prober->probing, message->signals.signals, SERVE_COUNTS_MAX);
	return message->signals.count != 0;
}

static void live(void *state)
{
	struct prober *prober = state;
	int result = 0;

	while (result == 0) {
		struct pollfd parent = { .fd = ROLE_FD_PARENT, .events = POLLIN };

		(void)alarm(ROLE_ALARM_S);
		result = probing_turn(prober->probing, role_wall_ns(), &parent, 1, WAIT_MS);
		if (result == 0)
			result = serve_role_heed(&prober->life);
		if (role_monotonic_ns() >= prober->send_ns || result != 0) {
			serve_role_drain(&prober->life, next_counts, prober, UINT_MAX);
			tell(prober);
			send_failures(prober);
			prober->send_ns = role_monotonic_ns() + SEND_NS;
		}
	}
}

static void end(void *state)
{
	struct prober *prober = state;

	probing_free(prober->probing);
}

int prober_role(const struct role_start *start)
{
	static const struct serve_role_stages stages = { sizeof(struct prober), begin, live, end };

	return serve_role_live(&stages, start);
}
