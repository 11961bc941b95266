/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The desk: unprivileged, without network; the one role of `holdfast serve` that writes. What the others count comes by
 * a channel of each, is held against the table of messages, waits in a bounded queue, and goes into the record once a
 * second in one batch. Commands write there too: SQLite lets one wait for the other.
 *
 * Its end is nobody else's: the parent begins another, and gives each role a new channel. What waited is written first
 * where it ends in order; where it is killed, a second's counts are lost.
 */
#include "daemon/desk.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/desk_courier.h"
#include "daemon/log.h"
#include "daemon/sandbox.h"
#include "daemon/supervise.h"
#include "record/page.h"

#define TURN_MAX 256 /* messages of one channel between two looks at the others */
#define TELL_NS NS_PER_S

/* ---- the record ---- */

void desk_complain(struct desk *desk, const char *what, int result, const struct record_error *error)
{
	char line[sizeof(desk->state)];

	(void)snprintf(line, sizeof(line), "%s: %.150s", what, error->message[0] ? error->message : strerror(-result));
	if (strcmp(line, desk->state) != 0)
		LOG_SAY(LOG_ERROR, "%s: %s", desk->path, line);
	message_text(desk->state, sizeof(desk->state), line);
}

static void open_record(struct desk *desk)
{
	struct record_error error = { .message = "" };
	int result = ledger_open(desk->path, true, &desk->ledger, &error);

	if (result != 0) {
		desk->ledger = NULL;
		desk_complain(desk, "the record cannot be opened", result, &error);
	}
}

static void write_queue(struct desk *desk, int64_t now_ns)
{
	struct record_error error = { .message = "" };
	int result;

	desk->write_ns = now_ns + DESK_WRITE_NS;
	if (!desk->ledger)
		open_record(desk);
	if (desk->ledger && desk_queue_waits(&desk->queue)) {
		result = desk_queue_write(&desk->queue, desk->ledger, &error);
		if (result != 0)
			desk_complain(desk, "counts cannot be written", result, &error);
		else
			message_text(desk->state, sizeof(desk->state), "ok");
	}
	if (!desk->ledger || desk_queue_waits(&desk->queue))
		desk->write_ns = now_ns + DESK_AGAIN_NS;
}

/* ---- the page ---- */

/* Whether what is on the page has changed, by whomever. */
static void look(struct desk *desk, int64_t now_ns)
{
	struct record_error error = { .message = "" };
	int64_t version;

	desk->look_ns = now_ns + DESK_LOOK_NS;
	if (!desk->ledger)
		return;
	desk_tell_due(desk, role_wall_ns());
	if (desk->courier < 0)
		return;
	if (page_version(desk->ledger, &version, &error) != 0)
		return;
	if (version != desk->page_version)
		desk->publish_now = true;
	desk->page_version = version;
}

static void publish(struct desk *desk, int64_t now_ns)
{
	if (desk->courier < 0 || desk->publishing || !(desk->publish_now || now_ns >= desk->publish_due_ns))
		return;
	if (desk_courier_ask(desk->courier) != 0)
		return;
	desk->publishing = true;
	desk->publish_now = false;
	desk->publish_due_ns = now_ns + desk->life.config.page.publish_every_ns;
}

static void hear_courier(struct desk *desk, int64_t now_ns)
{
	struct desk_courier_result result;
	bool gone;

	while (desk_courier_answer(desk->courier, &result, &gone)) {
		desk->publishing = false;
		if (result.result == 0) {
			desk->publications++;
			desk->published_ns = role_wall_ns();
			message_text(desk->page_state, sizeof(desk->page_state), "ok");
			continue;
		}
		desk->publications_failed++;
		message_text(desk->page_state, sizeof(desk->page_state),
		             result.what[0] ? result.what : strerror(-result.result));
		LOG_SAY(LOG_ERROR, "the page could not be published: %s", desk->page_state);
		if (desk->publish_due_ns > now_ns + DESK_AGAIN_NS * 12)
			desk->publish_due_ns = now_ns + DESK_AGAIN_NS * 12;
	}
	if (gone) {
		(void)close(desk->courier);
		desk->courier = -1;
		message_text(desk->page_state, sizeof(desk->page_state), "what publishes it has ended");
		LOG_SAY(LOG_ERROR, "the process that publishes the page has ended");
	}
}

/* ---- the other roles ---- */

static void answer(struct desk *desk, unsigned role, uint64_t id, int result)
{
	struct serve_message *message = &desk->message;

	serve_message_init(message, SERVE_ANSWER, id);
	message->answer.result = result;
	(void)serve_message_send(desk->channels[role], message, NULL, 0);
}

static void heed(struct desk *desk, unsigned role)
{
	const struct serve_message *message = &desk->message;

	switch ((enum serve_type)message->type) {
	case SERVE_REPORTS:
		desk_queue_reports(&desk->queue, &message->reports, desk->reckoned_ns);
		break;
	case SERVE_SIGNALS:
		desk_queue_signals(&desk->queue, &message->signals);
		desk_states_hear(desk, &message->signals, role_wall_ns());
		break;
	case SERVE_SUBSCRIBE:
	case SERVE_CONFIRM:
	case SERVE_UNSUBSCRIBE:
		answer(desk, role, message->id,
		       desk_subscribe_heed(&desk->subscribe, desk->ledger, message, role_wall_ns()));
		break;
	case SERVE_CHECKS:
		if (role == SERVE_ROLE_PROBER) /* whom else strangers talk to has nothing to say of it */
			desk_tell_checks(desk, message->checks.checks, message->checks.count, role_wall_ns());
		break;
	case SERVE_CONFIG:
	case SERVE_CHANNEL:
	case SERVE_READY:
	case SERVE_COUNTED:
	case SERVE_ANSWER:
	case SERVE_DROPPED:
	case SERVE_TYPES:
		answer(desk, role, message->id, -ENOSYS);
	}
}

/* At most TURN_MAX messages; what is left comes with the next turn. */
static void listen_to(struct desk *desk, unsigned role)
{
	int fds[SERVE_FDS_MAX];
	unsigned fd_count;

	if (role == SERVE_ROLE_MESSENGER) {
		desk_hear_messenger(desk);
		return;
	}
	for (unsigned i = 0; i < TURN_MAX && desk->channels[role] >= 0; i++) {
		int result =
			serve_message_receive(desk->channels[role], SERVE_ROLE_TO_DESK, &desk->message, fds, &fd_count);

		if (result == -EAGAIN)
			return;
		if (result == 0) {
			heed(desk, role);
		} else if (result == -EBADMSG) {
			desk->refused++;
			LOG_SAY(LOG_ERROR, "the %s has sent what is no message",
			        serve_role_name((enum serve_role)role));
		} else {
			(void)close(desk->channels[role]);
			desk->channels[role] = -1;
		}
	}
}

/* A channel that the parent gives: to one of the roles. */
static int heed_parent(struct desk *desk)
{
	int fds[SERVE_FDS_MAX];
	unsigned fd_count;

	for (;;) {
		struct serve_message *message = &desk->message;
		int result = serve_message_receive(ROLE_FD_PARENT, SERVE_PARENT_TO_ROLE, message, fds, &fd_count);
		unsigned role;

		if (result == -EAGAIN)
			return 0;
		if (result != 0)
			return result;
		if (message->type == SERVE_CHANNEL) {
			role = message->channel.role;
			if (desk->channels[role] >= 0)
				listen_to(desk, role); /* its last words, which take the message's place */
			supervise_close(&desk->channels[role], 1);
			desk->channels[role] = fds[0];
			if (role == SERVE_ROLE_MESSENGER)
				desk_tell_standing(desk);
			else if (role == SERVE_ROLE_PUBLIC)
				desk_dropped_again(&desk->dropped);
		} else {
			channel_drop(fds, &fd_count);
		}
	}
}

/* ---- how it stands ---- */

static void tell(struct desk *desk, int64_t now_ns)
{
	struct serve_message *message = &desk->message;

	if (now_ns - desk->told_ns < TELL_NS)
		return;
	desk->told_ns = now_ns;
	serve_message_init(message, SERVE_COUNTED, 0);
	message_text(message->counted.state, sizeof(message->counted.state),
	             strcmp(desk->state, "ok") != 0        ? desk->state
	             : strcmp(desk->page_state, "ok") != 0 ? desk->page_state
	             : desk->subscribe.state[0]            ? desk->subscribe.state
	                                                   : "ok");
	serve_role_count(message, "taken", desk->queue.taken);
	serve_role_count(message, "waiting", desk->queue.report_count + desk->queue.signal_count);
	serve_role_count(message, "written", desk->queue.written);
	serve_role_count(message, "lost", desk->queue.lost);
	serve_role_count(message, "late", desk->queue.late);
	serve_role_count(message, "put_in_before", desk->queue.put_in);
	serve_role_count(message, "refused", desk->refused);
	serve_role_count(message, "reckoned_s", (uint64_t)(desk->reckon_last_ns / NS_PER_S));
	serve_role_count(message, "outages_open", desk->outages_open);
	serve_role_count(message, "places_refused", desk->present.refused);
	serve_role_count(message, "probes_late", desk->present.late);
	serve_role_count(message, "alerts_sent", desk->alerted.sent);
	serve_role_count(message, "alerts_failed", desk->alerted.failed);
	serve_role_count(message, "alerts_lost", desk->alerts_lost + desk->alerted.unsaid + desk->told.untold);
	serve_role_count(message, "published_s", (uint64_t)(desk->published_ns / NS_PER_S));
	serve_role_count(message, "publications", desk->publications);
	serve_role_count(message, "publications_failed", desk->publications_failed);
	serve_role_count(message, "subscriptions_asked", desk->subscribe.asked);
	serve_role_count(message, "subscriptions_refused", desk->subscribe.refused);
	serve_role_count(message, "deliveries", desk->subscribe.delivered);
	serve_role_count(message, "deliveries_failed", desk->subscribe.failed);
	serve_role_tell(message);
}

/* ---- beginning ---- */

/* The page's key, which the parent opened, as a descriptor that the courier can open again. -1: there is none. */
static int copy_key(struct desk *desk)
{
	char text[4096];
	ssize_t got;

	if (!desk->life.config.page.key_file[0] || desk->life.file_count == 0)
		return -1;
	got = pread(desk->life.files[0], text, sizeof(text), 0);
	return got <= 0 ? -1 : supervise_text_fd(text, (size_t)got);
}

static int begin_courier(struct desk *desk)
{
	const struct config_page *page = &desk->life.config.page;
	int key, result;

	message_text(desk->page_state, sizeof(desk->page_state), "ok");
	if (!page->directory[0] || page->publish_every_ns == 0)
		return 0;
	key = copy_key(desk);
	result = desk_courier_begin(DESK_PUBLISHES, desk->life.text, key, &desk->courier);
	if (key >= 0)
		(void)close(key);
	desk->publish_now = true;
	return result;
}

/* Their files come behind the page's key. */
static int begin_subscriptions(struct desk *desk)
{
	unsigned before = desk->life.config.page.key_file[0] != '\0';

	return desk->life.file_count < before
	               ? -EBADMSG
	               : desk_subscribe_begin(&desk->subscribe, &desk->life, desk->life.files + before,
	                                      desk->life.file_count - before);
}

static int confine(const struct config *config)
{
	char folder[CONFIG_PATH_SIZE];
	bool other = desk_dropped_folder(config, folder);
	int result = sandbox_confine(config->state_dir, other ? folder : NULL);

	if (result == -ENOENT && other) {
		LOG_SAY(LOG_WARNING, "%s is not there: whom the shield is dropping is not known until the next reload",
		        folder);
		result = sandbox_confine(config->state_dir, NULL);
	}
	return sandbox_excuse(result);
}

static int give_up(struct desk *desk, const struct role_start *start)
{
	int result = sandbox_give_up(start->uid, start->gid);

	if (result == 0)
		result = begin_courier(desk); /* before that: what it publishes is for all to read */
	if (result == 0)
		result = begin_subscriptions(desk);
	(void)umask(0027);
	if (result == 0)
		result = confine(&desk->life.config);
	return result == 0 ? sandbox_filter(ROLE_DESK) : result;
}

static int begin(void *state, const struct role_start *start, char error[CONFIG_ERROR_SIZE])
{
	struct desk *desk = state;
	int result;

	desk->courier = desk->subscribe.courier = -1;
	for (unsigned i = 0; i < SERVE_ROLES; i++)
		desk->channels[i] = -1;
	result = reckoner_new(&desk->reckoner);
	if (result != 0)
		return result;
	(void)snprintf(desk->path, sizeof(desk->path), "%s" LEDGER_FILE, desk->life.config.state_dir);
	desk_dropped_begin(&desk->dropped, &desk->life.config);
	result = give_up(desk, start);
	if (result != 0) {
		(void)snprintf(error, CONFIG_ERROR_SIZE, "rights cannot be given up: %s", strerror(-result));
		return result;
	}
	message_text(desk->state, sizeof(desk->state), "ok");
	present_init(&desk->present, desk->life.config.probes.every_ns);
	desk_tell_begin(desk);
	(void)alarm(ROLE_LONG_S); /* the record is looked through */
	open_record(desk);        /* without room, or with a broken disk, it is tried again */
	return 0;
}

/* ---- life ---- */

static void turn(struct desk *desk, int64_t now_ns)
{
	if (now_ns >= desk->write_ns)
		write_queue(desk, now_ns);
	if (desk->ledger && !desk_queue_waits(&desk->queue))
		desk_reckon(desk, role_wall_ns());
	if (desk->ledger)
		desk_states_look(desk, role_wall_ns());
	if (now_ns >= desk->look_ns)
		look(desk, now_ns);
	desk_subscribe_turn(&desk->subscribe, now_ns, desk->publish_now);
	publish(desk, now_ns);
	desk_dropped_turn(&desk->dropped, desk->channels[SERVE_ROLE_PUBLIC], &desk->message, now_ns);
	tell(desk, now_ns);
}

/* What waits in channels is taken, and all of it written. */
static void last_words(struct desk *desk)
{
	(void)alarm(ROLE_LONG_S);
	for (unsigned i = 0; i < SERVE_ROLES; i++)
		if (desk->channels[i] >= 0)
			listen_to(desk, i);
	write_queue(desk, role_monotonic_ns());
	if (desk_queue_waits(&desk->queue))
		LOG_SAY(LOG_ERROR, "%u counts could not be written",
		        desk->queue.report_count + desk->queue.signal_count);
}

static void live(void *state)
{
	struct desk *desk = state;

	for (;;) {
		struct pollfd fds[SERVE_ROLES + 2] = { { .fd = ROLE_FD_PARENT, .events = POLLIN },
			                               { .fd = desk->courier, .events = POLLIN } };

		for (unsigned i = 0; i < SERVE_ROLES; i++)
			fds[i + 2] = (struct pollfd){ .fd = desk->channels[i], .events = POLLIN };
		(void)alarm(ROLE_LONG_S);
		if (poll(fds, SERVE_ROLES + 2, 500) < 0 && errno != EINTR)
			return;
		for (unsigned i = 0; i < SERVE_ROLES; i++)
			if (fds[i + 2].revents)
				listen_to(desk, i);
		if (fds[1].revents)
			hear_courier(desk, role_monotonic_ns());
		if (fds[0].revents && heed_parent(desk) != 0)
			break;
		turn(desk, role_monotonic_ns());
	}
	last_words(desk);
}

static void end(void *state)
{
	struct desk *desk = state;

	supervise_close(desk->channels, SERVE_ROLES);
	supervise_close(&desk->courier, 1);
	desk_subscribe_end(&desk->subscribe);
	reckoner_free(desk->reckoner);
	ledger_close(desk->ledger);
}

int desk_role(const struct role_start *start)
{
	static const struct serve_role_stages stages = { sizeof(struct desk), begin, live, end };

	return serve_role_live(&stages, start);
}
