/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's way to the messenger, where there is one: which of what it hears is told, and to whom, is not ours. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/engine.h"
#include "daemon/log.h"

#define LINK_ADVICE "ask your provider to filter, or to lead the traffic through a scrubbing service"
#define TEST_NS (60 * NS_PER_S) /* a script has half of that */

static bool is_enforcing(const struct engine *engine)
{
	struct shield_mode mode = { .enforce = false };

	return shield_read_mode(&engine->maps, engine_jiffies(engine), &mode) == 0 && mode.enforce;
}

/* What is not taken at once is counted, not kept: the messenger has a queue of its own, and never waits for anybody. */
void alerts_tell(void *context, const struct alert *alert)
{
	struct engine *engine = context;
	struct message *message = &engine->alerts.message;

	if (engine->config.alert_count == 0)
		return;
	message_init(message, MESSAGE_ALERT, 0);
	message->alert = *alert;
	memcpy(message->alert.host, engine->alerts.host, sizeof(message->alert.host));
	message->alert.enforcing = is_enforcing(engine);
	if (engine->alerts.channel < 0 || message_send(engine->alerts.channel, message, NULL, 0) != 0) {
		engine->alerts.lost++;
		engine->alerts.missed = true;
	}
}

void alerts_take_links(struct engine *engine, const struct message_links *reading)
{
	int64_t now_ns = role_wall_ns();

	if (!links_take(&engine->links, reading))
		return;
	watch_links(engine->watch, &engine->links);
	for (unsigned i = 0; i < engine->links.count; i++) {
		const struct link_state *link = &engine->links.states[i];
		struct alert alert = {
			.change = link->full ? ALERT_LINK_FULL : ALERT_LINK_FREE,
			.time_ns = now_ns,
			.began_ns = now_ns,
			.pps = link->pps,
			.bps = link->bps,
			.advice = LINK_ADVICE,
		};

		if (!link->turned)
			continue;
		if (link->full)
			LOG_SAY(LOG_ERROR,
			        "%s: the link is full: packets are lost before they can be filtered; only upstream can help",
			        link->latest.name);
		message_text(alert.target, sizeof(alert.target), link->latest.name);
		alerts_tell(engine, &alert);
	}
}

/* ---- what the messenger says ---- */

void alerts_begin(struct engine *engine)
{
	engine->alerts.channel = -1;
	engine->alerts.missed = true;
	message_text(engine->alerts.state.state, sizeof(engine->alerts.state.state), "not running");
	if (gethostname(engine->alerts.host, sizeof(engine->alerts.host) - 1) != 0)
		engine->alerts.host[0] = '\0';
}

/* The parent gives the engine another messenger, for there was none, or its end has come. */
void alerts_take_channel(struct engine *engine, int channel)
{
	if (engine->alerts.channel >= 0)
		(void)close(engine->alerts.channel);
	engine->alerts.channel = channel;
	message_text(engine->alerts.state.state, sizeof(engine->alerts.state.state), "ok");
	/*
	 * Of what goes on another before it has told, and this one is to tell the end; unless something was told to
	 * nobody: rather twice than never.
	 */
	watch_alert_all(engine->watch, engine->alerts.missed ? ALERT_BEGAN : ALERT_STANDING);
	for (unsigned i = 0; i < engine->links.count; i++) {
		const struct link_state *link = &engine->links.states[i];
		struct alert alert = { .change = engine->alerts.missed ? ALERT_LINK_FULL : ALERT_STANDING,
			               .time_ns = role_wall_ns(),
			               .pps = link->pps,
			               .bps = link->bps,
			               .advice = LINK_ADVICE };

		alert.began_ns = alert.time_ns;

		message_text(alert.target, sizeof(alert.target), link->latest.name);
		if (link->full)
			alerts_tell(engine, &alert);
	}
	engine->alerts.missed = false;
}

static void end_test(struct engine *engine, const struct message_answer *answer)
{
	struct control_error error = { .what = "" };
	char *line;

	if (answer->result == 0) {
		line = control_format_tested(answer->what);
	} else {
		control_error_set(&error, "alerts", 1, answer->hint, "%s", answer->what);
		line = control_format_error(&error);
	}
	clients_answer(engine->clients, engine->alerts.test_client, line);
	engine->alerts.test_id = 0;
}

static void refuse_test(struct engine *engine, const char *what, const char *hint)
{
	struct message_answer answer = { .result = -EAGAIN };

	message_text(answer.what, sizeof(answer.what), what);
	message_text(answer.hint, sizeof(answer.hint), hint);
	end_test(engine, &answer);
}

void alerts_test(struct engine *engine, uint64_t client, const char *name)
{
	bool known = false;

	if (engine->alerts.test_id) {
		struct control_error error;

		control_error_set(&error, "alerts", 1, "try again in a moment", "another test is under way");
		clients_answer(engine->clients, client, control_format_error(&error));
		return;
	}
	engine->alerts.test_client = client;
	for (unsigned i = 0; i < engine->config.alert_count; i++)
		known = known || strcmp(engine->config.alerts[i].target.name, name) == 0;
	if (!known) {
		refuse_test(engine, "the configuration names no such target",
		            "'alerts' there lists them; then: holdfast reload");
		return;
	}
	message_init(&engine->alerts.message, MESSAGE_TEST_ALERT, ++engine->next_id);
	message_text(engine->alerts.message.target, sizeof(engine->alerts.message.target), name);
	if (engine->alerts.channel < 0 || message_send(engine->alerts.channel, &engine->alerts.message, NULL, 0) != 0) {
		refuse_test(engine, "the messenger does not run, or is busy",
		            "the log says why: journalctl -u holdfast");
		return;
	}
	engine->alerts.test_id = engine->next_id;
	engine->alerts.test_ns = role_monotonic_ns();
}

void alerts_expire(struct engine *engine)
{
	if (engine->alerts.test_id && role_monotonic_ns() - engine->alerts.test_ns > TEST_NS)
		refuse_test(engine, "no answer from the messenger", "'holdfast status' says how alerts go");
}

static void lose_messenger(struct engine *engine)
{
	(void)close(engine->alerts.channel);
	engine->alerts.channel = -1;
	message_text(engine->alerts.state.state, sizeof(engine->alerts.state.state), "not running");
	if (engine->alerts.test_id)
		refuse_test(engine, "the messenger has ended", "the log says why: journalctl -u holdfast");
}

void alerts_listen(struct engine *engine)
{
	while (engine->alerts.channel >= 0) {
		struct message *message = &engine->alerts.message;
		int fds[MESSAGE_FDS_MAX];
		unsigned fd_count;
		int result =
			message_receive(engine->alerts.channel, MESSAGE_MESSENGER_TO_ENGINE, message, fds, &fd_count);

		if (result == -EAGAIN)
			return;
		if (result != 0)
			lose_messenger(engine); /* of it nothing else hangs: the parent starts another */
		else if (message->type == MESSAGE_ALERTED)
			engine->alerts.state = message->alerted;
		else if (message->id == engine->alerts.test_id)
			end_test(engine, &message->answer);
	}
}

void alerts_fini(struct engine *engine)
{
	if (engine->alerts.channel >= 0)
		(void)close(engine->alerts.channel);
}
