/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/probing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/time.h"
#include "tell/checker.h"

#define ALL_MAX (PROBE_CHECKS_MAX + PROBE_CANARIES_MAX)

struct probing {
	struct checker *checker;
	uint64_t seed;
	int64_t every_ns;
	char vantage[VANTAGE_SIZE];
	uint32_t network;
	uint32_t count, canaries; /* all; the last ones are canaries */
	struct probe_check *checks;
	int64_t due_ns[ALL_MAX];
	bool good[ALL_MAX], seen[ALL_MAX]; /* as it ended last, and whether it ever did */
	enum probe_reason reasons[ALL_MAX];
	uint32_t failed[ALL_MAX];   /* times in a row */
	int64_t failed_ns[ALL_MAX]; /* since when */
	struct probe_tally tally;
	struct probing_numbers numbers;
};

int probing_seed(uint64_t *seed)
{
	uint64_t made;

	if (getrandom(&made, sizeof(made), 0) != (ssize_t)sizeof(made))
		return -EIO;
	*seed = made;
	return 0;
}

int probing_new(const struct config_probes *probes, uint64_t seed, int64_t now_ns, struct probing **probing)
{
	struct probing *made = calloc(1, sizeof(*made));
	int result;

	if (!made)
		return -ENOMEM;
	result = checker_new(probes->ca_file[0] ? probes->ca_file : NULL, &made->checker);
	made->count = probes->check_count + probes->canary_count;
	made->canaries = probes->canary_count;
	made->checks = calloc(made->count > 0 ? made->count : 1, sizeof(*made->checks));
	if (result != 0 || !made->checks) {
		probing_free(made);
		return result ? result : -ENOMEM;
	}
	made->seed = seed;
	made->every_ns = probes->every_ns;
	made->network = probes->network;
	memcpy(made->vantage, probes->vantage, sizeof(made->vantage));
	for (unsigned i = 0; i < probes->check_count; i++)
		config_probe_check(&probes->checks[i], &made->checks[i]);
	for (unsigned i = 0; i < probes->canary_count; i++)
		config_canary_check(probes->canaries[i], &made->checks[probes->check_count + i]);
	for (uint32_t i = 0; i < made->count; i++)
		made->due_ns[i] = probe_due(seed, made->every_ns, i, made->count, now_ns);
	*probing = made;
	return 0;
}

void probing_free(struct probing *probing)
{
	if (!probing)
		return;
	checker_free(probing->checker);
	free(probing->checks);
	free(probing);
}

static bool is_canary(const struct probing *p, uint32_t which)
{
	return which >= p->count - p->canaries;
}

/* For each component once. */
static void count_canary(struct probing *p, const struct probe_result *result)
{
	for (uint32_t i = 0; !is_canary(p, i) && i < p->count; i++) {
		bool again = false;

		for (uint32_t k = 0; k < i && !again; k++)
			again = strcmp(p->checks[k].component, p->checks[i].component) == 0;
		if (!again)
			probe_tally_canary(&p->tally, result, p->checks[i].component);
	}
}

static void take(struct probing *p, uint32_t which, struct probe_result *result, int64_t now_ns)
{
	uint32_t good, bad, canaries_good = 0, canaries_bad = 0;

	memcpy(result->vantage, p->vantage, sizeof(result->vantage));
	probe_counts(result, &good, &bad);
	p->good[which] = good > 0 && (is_canary(p, which) || bad == 0);
	p->seen[which] = good + bad > 0;
	p->reasons[which] = result->reason;
	if (good + bad > 0) {
		p->failed_ns[which] = p->failed[which] ? p->failed_ns[which] : now_ns;
		p->failed[which] = p->good[which] ? 0 : p->failed[which] + 1;
	}
	p->numbers.checks++;
	p->numbers.failed += bad > 0;
	if (!is_canary(p, which)) {
		probe_tally_add(&p->tally, result);
		return;
	}
	count_canary(p, result);
	for (uint32_t i = p->count - p->canaries; i < p->count; i++) {
		canaries_good += p->seen[i] && p->good[i];
		canaries_bad += p->seen[i] && !p->good[i];
	}
	p->numbers.blind = probe_is_blind(canaries_good, canaries_bad);
}

/* How long until the next one is due, in milliseconds; 0 or less: it is. */
static int64_t begin_due(struct probing *p, int64_t now_ns, int *result)
{
	int64_t next_ns = now_ns + p->every_ns;

	for (uint32_t i = 0; i < p->count && *result == 0; i++) {
		if (p->due_ns[i] - now_ns > 2 * p->every_ns) /* somebody has set the clock back */
			p->due_ns[i] = probe_due(p->seed, p->every_ns, i, p->count, now_ns);
		if (p->due_ns[i] <= now_ns) {
			*result = checker_begin(p->checker, &p->checks[i], now_ns, i);
			if (*result == 0)
				p->due_ns[i] = probe_due(p->seed, p->every_ns, i, p->count,
				                         now_ns + p->every_ns / (2 * (int64_t)p->count));
		}
		if (*result == -EAGAIN) { /* what is under way has to end first, and wakes us */
			*result = 0;
			break;
		}
		next_ns = p->due_ns[i] < next_ns ? p->due_ns[i] : next_ns;
	}
	return (next_ns - now_ns) / NS_PER_MS + 1;
}

int probing_turn(struct probing *probing, int64_t now_ns, struct pollfd *fds, unsigned count, int timeout_ms)
{
	struct probe_result result;
	int error = 0;
	int64_t next_ms = begin_due(probing, now_ns, &error);
	uint64_t token;

	if (error == 0)
		error = checker_wait(probing->checker, fds, count, next_ms < timeout_ms ? (int)next_ms : timeout_ms);
	while (checker_next(probing->checker, &token, &result))
		take(probing, (uint32_t)token, &result, now_ns);
	return error;
}

uint32_t probing_take(struct probing *probing, struct signal_count *signals, uint32_t most)
{
	uint32_t taken = probe_tally_take(&probing->tally, signals, most);

	for (uint32_t i = 0; i < taken; i++)
		signals[i].network = probing->network;
	return taken;
}

struct probing_numbers probing_numbers(const struct probing *probing)
{
	struct probing_numbers numbers = probing->numbers;

	numbers.refused = probing->tally.refused;
	return numbers;
}

bool probing_failing(const struct probing *probing, char *text, size_t size)
{
	uint32_t total = probing->count - probing->canaries, first = total, failing = 0;

	for (uint32_t i = total; i-- > 0;)
		if (probing->seen[i] && !probing->good[i]) {
			first = i;
			failing++;
		}
	if (failing == 0)
		return false;
	(void)snprintf(text, size, "%u of %u checks %s: %s, %s", failing, total, failing == 1 ? "fails" : "fail",
	               probing->checks[first].name, probe_reason_says(probing->reasons[first]));
	return true;
}

uint32_t probing_failures(const struct probing *probing, struct probing_failure *failures, uint32_t most)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < probing->count && !is_canary(probing, i); i++) {
		const char *component = probing->checks[i].component;
		uint32_t k = 0;

		if (probing->failed[i] < PROBING_SURE)
			continue;
		while (k < count && strcmp(failures[k].component, component) != 0)
			k++;
		if (k < count || count == most)
			continue;
		failures[count++] = (struct probing_failure){ .component = component,
			                                      .check = probing->checks[i].name,
			                                      .reason = probing->reasons[i],
			                                      .since_ns = probing->failed_ns[i] };
	}
	return count;
}
