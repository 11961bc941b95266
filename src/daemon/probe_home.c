/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/probe_home.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hex.h"
#include "base/time.h"
#include "tell/http_status.h"

struct waiting {
	struct probe_report report;
	int64_t since_ns;
};

struct probe_home {
	struct post *post;
	char url[ALERT_URL_SIZE];
	char vantage[VANTAGE_SIZE];
	char key[PROBE_REPORT_KEY_MAX];
	size_t key_length;
	struct waiting queue[PROBE_HOME_QUEUE_MAX]; /* a ring */
	uint32_t first, count;
	bool busy;
	uint64_t token; /* of what is under way; what was dropped meanwhile has another */
	int64_t again_ns, pause_ns;
	struct probe_home_numbers numbers;
};

int probe_home_new(const char *url, const char *vantage, const void *key, size_t key_length, struct probe_home **home)
{
	struct probe_home *made = calloc(1, sizeof(*made));
	size_t length = strlen(url);
	int result;

	if (!made)
		return -ENOMEM;
	result = key_length <= sizeof(made->key) ? post_new(&made->post) : -EINVAL;
	if (result != 0) {
		free(made);
		return result;
	}
	while (length > 0 && url[length - 1] == '/')
		length--;
	(void)snprintf(made->url, sizeof(made->url), "%.*s%s", (int)length, url, PROBE_REPORT_PATH);
	(void)snprintf(made->vantage, sizeof(made->vantage), "%s", vantage);
	memcpy(made->key, key, key_length);
	made->key_length = key_length;
	*home = made;
	return 0;
}

void probe_home_free(struct probe_home *home)
{
	if (!home)
		return;
	post_free(home->post);
	explicit_bzero(home->key, sizeof(home->key));
	free(home);
}

/* The oldest. What is under way is no longer waited for. */
static void drop_first(struct probe_home *home)
{
	home->first = (home->first + 1) % PROBE_HOME_QUEUE_MAX;
	home->count--;
	home->token++;
}

int probe_home_put(struct probe_home *home, const struct signal_count *signals, uint32_t count, int64_t now_ns)
{
	uint8_t id[(PROBE_REPORT_ID_SIZE - 1) / 2];
	struct waiting *last;

	if (count == 0 || count > PROBE_REPORT_SIGNALS_MAX)
		return -EINVAL;
	if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
		return -EIO;
	if (home->count == PROBE_HOME_QUEUE_MAX) {
		drop_first(home);
		home->numbers.lost++;
	}
	last = &home->queue[(home->first + home->count++) % PROBE_HOME_QUEUE_MAX];
	memset(last, 0, sizeof(*last));
	last->since_ns = now_ns;
	hex_write(id, sizeof(id), last->report.id);
	memcpy(last->report.vantage, home->vantage, sizeof(last->report.vantage));
	last->report.count = count;
	memcpy(last->report.signals, signals, count * sizeof(*signals));
	return 0;
}

/* Signed anew each time: of when it is sent. */
static int send_first(struct probe_home *home, int64_t now_ns)
{
	const struct probe_report *report = &home->queue[home->first].report;
	struct alert_request request = { .length = 0 };
	char signature[DIGEST_SHA256_TEXT_SIZE];
	int result = probe_report_write(report, &request.body, &request.length);

	if (result != 0)
		return result;
	probe_report_sign(home->key, home->key_length, now_ns / NS_PER_S, request.body, request.length, signature);
	(void)snprintf(request.url, sizeof(request.url), "%s", home->url);
	(void)snprintf(request.headers, sizeof(request.headers), "%s: %s\n%s: %" PRId64 "\n%s: %s\n",
	               PROBE_REPORT_VANTAGE, home->vantage, PROBE_REPORT_TIMESTAMP, (int64_t)(now_ns / NS_PER_S),
	               PROBE_REPORT_SIGNATURE, signature);
	result = post_send(home->post, &request, home->token);
	free(request.body);
	home->busy = result == 0;
	return result == -EAGAIN ? 0 : result;
}

static void ended(struct probe_home *home, const struct post_result *result, int64_t now_ns)
{
	bool known = result->token == home->token && home->count > 0;
	/* A key that is not the one home has may be mended; a report that it does not read may not. */
	bool again = result->result == -EAGAIN || result->status == HTTP_STATUS_UNAUTHORIZED;

	home->busy = false;
	if (result->result == 0 || !again) {
		home->numbers.sent += result->result == 0;
		home->numbers.refused += result->result != 0;
		home->pause_ns = 0;
		if (known)
			drop_first(home);
	} else {
		home->pause_ns = home->pause_ns ? 2 * home->pause_ns : PROBE_HOME_PAUSE_NS;
		if (home->pause_ns > PROBE_HOME_PAUSE_MAX_NS)
			home->pause_ns = PROBE_HOME_PAUSE_MAX_NS;
	}
	home->again_ns = now_ns + home->pause_ns;
	(void)snprintf(home->numbers.what, sizeof(home->numbers.what), "%s", result->result ? result->what : "");
}

int probe_home_turn(struct probe_home *home, int64_t now_ns, int timeout_ms)
{
	struct post_result result;
	int error = 0;

	if (home->again_ns > now_ns + PROBE_HOME_PAUSE_MAX_NS) /* somebody has set the clock back */
		home->again_ns = now_ns;
	while (!home->busy && home->count > 0 && now_ns - home->queue[home->first].since_ns > PROBE_HOME_AGE_NS) {
		drop_first(home);
		home->numbers.lost++;
	}
	if (!home->busy && home->count > 0 && now_ns >= home->again_ns)
		error = send_first(home, now_ns);
	if (error == 0 && home->busy)
		error = post_wait(home->post, NULL, 0, timeout_ms);
	while (post_next(home->post, &result))
		ended(home, &result, now_ns);
	return error;
}

bool probe_home_is_busy(const struct probe_home *home)
{
	return home->busy;
}

struct probe_home_numbers probe_home_numbers(const struct probe_home *home)
{
	struct probe_home_numbers numbers = home->numbers;

	numbers.waiting = home->count;
	return numbers;
}
