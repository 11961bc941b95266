/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/checker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "tell/checker_inside.h"

#define FDS_MAX (CHECKER_EXTRA_MAX + CHECKER_MAX * (1 + PROBE_ADDRESSES_MAX) * 2)

struct job {
	enum { JOB_FREE, JOB_LOOKUP, JOB_LEGS, JOB_OVER } state;
	uint64_t token;
	struct probe_check check;
	struct lookup *lookup;
	int64_t began_ns, deadline_ns; /* on the monotonic clock */
	struct probe_result result;
	struct leg legs[PROBE_ADDRESSES_MAX];
};

struct checker {
	CURLM *multi;
	char *ca_file;
	struct job jobs[CHECKER_MAX];
};

static int64_t now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static uint32_t microseconds(int64_t ns)
{
	return ns / NS_PER_US > UINT32_MAX ? UINT32_MAX : (uint32_t)(ns / NS_PER_US);
}

int checker_new(const char *ca_file, struct checker **checker)
{
	struct checker *made;

	if (curl_open() != 0 || lookup_load() != 0)
		return -ENOSYS;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->multi = leg_multi_new();
	made->ca_file = ca_file ? strdup(ca_file) : NULL;
	if (!made->multi || (ca_file && !made->ca_file)) {
		checker_free(made);
		return -ENOMEM;
	}
	*checker = made;
	return 0;
}

static void drop(struct job *job)
{
	for (unsigned i = 0; i < PROBE_ADDRESSES_MAX; i++)
		if (job->legs[i].check)
			leg_drop(&job->legs[i]);
	lookup_free(job->lookup);
	memset(job, 0, sizeof(*job));
}

void checker_free(struct checker *checker)
{
	if (!checker)
		return;
	for (unsigned i = 0; i < CHECKER_MAX; i++)
		if (checker->jobs[i].state != JOB_FREE)
			drop(&checker->jobs[i]);
	if (checker->multi)
		leg_multi_free(checker->multi);
	free(checker->ca_file);
	free(checker);
}

/* ---- a job ---- */

static void begin_legs(struct checker *checker, struct job *job, const struct lookup_result *found)
{
	struct probe_result *result = &job->result;

	job->state = JOB_LEGS;
	result->count = found->count;
	result->left_out = found->left_out;
	for (uint32_t i = 0; i < found->count; i++) {
		struct leg *leg = &job->legs[i];

		result->addresses[i].address = found->addresses[i];
		leg->check = &job->check;
		leg->result = &result->addresses[i];
		leg->multi = checker->multi;
		leg->ca_file = checker->ca_file;
		leg->at = job->check.target;
		leg->address = found->addresses[i];
		leg->deadline_ns = job->deadline_ns;
		leg_begin(leg, now());
	}
}

/* What a look-up alone is asked for: an address that has to be among them. */
static void judge_names(struct job *job, const struct lookup_result *found)
{
	struct probe_result *result = &job->result;
	struct address wanted;
	bool is = !*job->check.expect_text || address_parse(job->check.expect_text, &wanted) != 0;

	job->state = JOB_OVER;
	result->count = found->count;
	result->left_out = found->left_out;
	for (uint32_t i = 0; i < found->count; i++) {
		result->addresses[i].address = found->addresses[i];
		is = is || address_equal(&found->addresses[i], &wanted);
	}
	for (uint32_t i = 0; i < found->count; i++)
		result->addresses[i].reason = is ? PROBE_OK : PROBE_TEXT_MISSING;
}

static void found_names(struct checker *checker, struct job *job, const struct lookup_result *found)
{
	lookup_free(job->lookup);
	job->lookup = NULL;
	job->result.dns_us = microseconds(now() - job->began_ns);
	job->result.reason = found->reason;
	if (found->reason != PROBE_OK)
		job->state = JOB_OVER;
	else if (job->check.target.type == PROBE_DNS)
		judge_names(job, found);
	else
		begin_legs(checker, job, found);
}

static void turn(struct checker *checker, struct job *job)
{
	struct lookup_result found = { .reason = PROBE_OK };
	bool over = true;

	if (job->state == JOB_LOOKUP) {
		if (!lookup_turn(job->lookup, &found)) {
			if (now() < job->deadline_ns)
				return;
			found = (struct lookup_result){ .reason = PROBE_RESOLVER_TIMEOUT };
		}
		found_names(checker, job, &found);
	}
	if (job->state != JOB_LEGS)
		return;
	for (uint32_t i = 0; i < job->result.count; i++) {
		leg_turn(&job->legs[i], now());
		over = over && job->legs[i].over;
	}
	if (over)
		job->state = JOB_OVER;
}

int checker_begin(struct checker *checker, const struct probe_check *check, int64_t now_ns, uint64_t token)
{
	const struct probe_target *target = &check->target;
	struct lookup_result literal = { .count = 1 };
	struct job *job = NULL;
	int result;

	for (unsigned i = 0; i < CHECKER_MAX && !job; i++)
		if (checker->jobs[i].state == JOB_FREE)
			job = &checker->jobs[i];
	if (!job)
		return -EAGAIN;
	*job = (struct job){ .state = JOB_LOOKUP, .token = token, .check = *check, .began_ns = now() };
	job->deadline_ns = job->began_ns + (int64_t)check->timeout_ms * NS_PER_MS;
	job->result.at_ns = now_ns;
	memcpy(job->result.component, check->component, sizeof(job->result.component));
	if (target->type != PROBE_DNS && address_parse(target->host, &literal.addresses[0]) == 0) {
		begin_legs(checker, job, &literal);
		return 0;
	}
	result = lookup_begin(target->host, target->resolver, target->resolver_port, check->timeout_ms, &job->lookup);
	if (result != 0)
		drop(job);
	return result;
}

bool checker_is_busy(const struct checker *checker)
{
	for (unsigned i = 0; i < CHECKER_MAX; i++)
		if (checker->jobs[i].state != JOB_FREE)
			return true;
	return false;
}

/* ---- all of them ---- */

static unsigned add_fds(const struct lookup *lookup, struct curl_waitfd *all, unsigned count, int *timeout_ms)
{
	struct pollfd fds[LOOKUP_FDS_MAX];
	unsigned more = lookup_fds(lookup, fds, LOOKUP_FDS_MAX, timeout_ms);

	for (unsigned i = 0; i < more && count < FDS_MAX; i++)
		all[count++] = (struct curl_waitfd){
			.fd = fds[i].fd,
			.events = (short)((fds[i].events & POLLIN ? CURL_WAIT_POLLIN : 0) |
			                  (fds[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0)),
		};
	return count;
}

static int left_ms(const struct job *job)
{
	int64_t ms = (job->deadline_ns - now()) / NS_PER_MS + 1;

	return ms < 1 ? 1 : (int)ms;
}

static unsigned gather(const struct checker *checker, struct curl_waitfd *all, unsigned count, int *timeout_ms)
{
	for (unsigned i = 0; i < CHECKER_MAX; i++) {
		const struct job *job = &checker->jobs[i];

		if (job->state == JOB_LOOKUP)
			count = add_fds(job->lookup, all, count, timeout_ms);
		for (uint32_t k = 0; job->state == JOB_LEGS && k < job->result.count; k++)
			if (job->legs[k].lookup)
				count = add_fds(job->legs[k].lookup, all, count, timeout_ms);
		/* Of transfers libcurl knows when their time is over; of look-ups, we. */
		if (job->state == JOB_OVER)
			*timeout_ms = 0;
		else if (job->state != JOB_FREE && *timeout_ms > left_ms(job))
			*timeout_ms = left_ms(job);
	}
	return count;
}

int checker_wait(struct checker *checker, struct pollfd *fds, unsigned count, int timeout_ms)
{
	struct curl_waitfd all[FDS_MAX] = { { .fd = 0 } };
	struct leg *leg;
	CURLcode code;
	unsigned waiting;
	int result;

	if (count > CHECKER_EXTRA_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < CHECKER_MAX; i++)
		turn(checker, &checker->jobs[i]);
	for (unsigned i = 0; i < count; i++)
		all[i] = (struct curl_waitfd){ .fd = fds[i].fd, .events = CURL_WAIT_POLLIN };
	waiting = gather(checker, all, count, &timeout_ms);
	result = leg_multi_wait(checker->multi, all, waiting, timeout_ms);
	if (result != 0)
		return result;
	for (unsigned i = 0; i < count; i++)
		fds[i].revents = all[i].revents ? POLLIN : 0;
	while ((leg = leg_multi_next(checker->multi, &code)))
		leg_ended(leg, code, now());
	for (unsigned i = 0; i < CHECKER_MAX; i++)
		turn(checker, &checker->jobs[i]);
	return 0;
}

bool checker_next(struct checker *checker, uint64_t *token, struct probe_result *result)
{
	for (unsigned i = 0; i < CHECKER_MAX; i++) {
		struct job *job = &checker->jobs[i];

		if (job->state != JOB_OVER)
			continue;
		*token = job->token;
		*result = job->result;
		probe_judge(result);
		drop(job);
		return true;
	}
	return false;
}
