/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/serve_message.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define HEADER offsetof(struct serve_message, config)

static const char *const names[SERVE_ROLES] = {
	[SERVE_ROLE_DESK] = "desk",     [SERVE_ROLE_PUBLIC] = "public",   [SERVE_ROLE_PROBER] = "prober",
	[SERVE_ROLE_READER] = "reader", [SERVE_ROLE_CONSOLE] = "console", [SERVE_ROLE_MESSENGER] = "messenger",
};

const char *serve_role_name(enum serve_role role)
{
	return (unsigned)role < SERVE_ROLES ? names[role] : "unknown";
}

/* ---- checks ---- */

static bool ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

#define ENDS(array) ends((array), sizeof(array))

/* Of text that is to be shown or sent on. */
static bool is_line(const char *text, size_t size)
{
	if (!ends(text, size))
		return false;
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '\177')
			return false;
	return true;
}

static bool is_bucket(int64_t ns)
{
	return ns >= 0 && ns % COUNT_BUCKET_NS == 0;
}

bool serve_report_ok(const struct report_count *count)
{
	return is_bucket(count->bucket_ns) && ENDS(count->component) && component_id_ok(count->component) &&
	       ENDS(count->region) && region_ok(count->region) && (unsigned)count->symptom < SYMPTOMS &&
	       (unsigned)count->source < REPORT_SOURCES && (uint64_t)count->accepted + count->shielded <= count->raw;
}

bool serve_signal_ok(const struct signal_count *count)
{
	return is_bucket(count->bucket_ns) && ENDS(count->component) && component_id_ok(count->component) &&
	       ENDS(count->vantage) && (count->vantage[0] == '\0' || component_id_ok(count->vantage)) &&
	       (unsigned)count->kind < SIGNAL_KINDS;
}

static bool check_config(const struct serve_message *message, unsigned fd_count)
{
	const struct serve_config *config = &message->config;

	return config->fd_count == fd_count && fd_count >= 1 && config->listener_count <= SERVE_LISTENERS_MAX &&
	       config->file_count < SERVE_FDS_MAX &&
	       config->fd_count == 1 + config->file_count + config->listener_count && ENDS(config->name);
}

static bool check_channel(const struct serve_message *message, unsigned fd_count)
{
	return fd_count == 1 && message->channel.role < SERVE_ROLES;
}

static bool check_ready(const struct serve_message *message, unsigned fd_count)
{
	const struct serve_ready *ready = &message->ready;

	if (fd_count != 0 || ready->result > 0 || ready->line_count > SERVE_LINES_MAX)
		return false;
	for (uint32_t i = 0; i < ready->line_count; i++)
		if (!is_line(ready->lines[i], sizeof(ready->lines[i])))
			return false;
	return true;
}

static bool check_counted(const struct serve_message *message, unsigned fd_count)
{
	const struct serve_counted *counted = &message->counted;

	if (fd_count != 0 || counted->count > SERVE_COUNTERS_MAX || !is_line(counted->state, sizeof(counted->state)))
		return false;
	for (uint32_t i = 0; i < counted->count; i++)
		if (!is_line(counted->counters[i].name, sizeof(counted->counters[i].name)) ||
		    !counted->counters[i].name[0])
			return false;
	return true;
}

static bool check_reports(const struct serve_message *message, unsigned fd_count)
{
	const struct serve_reports *reports = &message->reports;

	if (fd_count != 0 || reports->count == 0 || reports->count > SERVE_COUNTS_MAX)
		return false;
	for (uint32_t i = 0; i < reports->count; i++)
		if (!serve_report_ok(&reports->reports[i]))
			return false;
	return true;
}

static bool check_signals(const struct serve_message *message, unsigned fd_count)
{
	const struct serve_signals *signals = &message->signals;

	if (fd_count != 0 || signals->count == 0 || signals->count > SERVE_COUNTS_MAX)
		return false;
	for (uint32_t i = 0; i < signals->count; i++)
		if (!serve_signal_ok(&signals->signals[i]))
			return false;
	return true;
}

static bool check_subscribe(const struct serve_message *message, unsigned fd_count)
{
	const struct serve_subscribe *subscribe = &message->subscribe;

	return fd_count == 0 && subscribe->kind < SERVE_SUBSCRIPTIONS && subscribe->lang < LANGUAGES &&
	       is_line(subscribe->address, sizeof(subscribe->address)) && subscribe->address[0] &&
	       is_line(subscribe->components, sizeof(subscribe->components));
}

static bool check_token(const struct serve_message *message, unsigned fd_count)
{
	const char *text = message->token.text;

	return fd_count == 0 && ENDS(message->token.text) && *text && text[strspn(text, "0123456789abcdef")] == '\0';
}

static bool check_answer(const struct serve_message *message, unsigned fd_count)
{
	return fd_count == 0 && message->answer.result <= 0;
}

static bool check_checks(const struct serve_message *message, unsigned fd_count)
{
	const struct serve_checks *checks = &message->checks;

	if (fd_count != 0 || checks->count > SERVE_COUNTS_MAX)
		return false;
	for (uint32_t i = 0; i < checks->count; i++)
		if (!ENDS(checks->checks[i].component) || !component_id_ok(checks->checks[i].component) ||
		    !is_line(checks->checks[i].what, sizeof(checks->checks[i].what)))
			return false;
	return true;
}

static bool check_dropped(const struct serve_message *message, unsigned fd_count)
{
	return message->dropped.result <= 0 && fd_count == (message->dropped.result == 0);
}

#define BODY(member) (HEADER + sizeof(((struct serve_message *)NULL)->member))

/* clang-format off */
static const struct row {
	enum serve_way way;
	size_t size;
	bool (*check)(const struct serve_message *message, unsigned fd_count);
} rows[SERVE_TYPES] = {
	[SERVE_CONFIG]      = { SERVE_PARENT_TO_ROLE, BODY(config),    check_config },
	[SERVE_CHANNEL]     = { SERVE_PARENT_TO_ROLE, BODY(channel),   check_channel },
	[SERVE_READY]       = { SERVE_ROLE_TO_PARENT, BODY(ready),     check_ready },
	[SERVE_COUNTED]     = { SERVE_ROLE_TO_PARENT, BODY(counted),   check_counted },
	[SERVE_REPORTS]     = { SERVE_ROLE_TO_DESK,   BODY(reports),   check_reports },
	[SERVE_SIGNALS]     = { SERVE_ROLE_TO_DESK,   BODY(signals),   check_signals },
	[SERVE_SUBSCRIBE]   = { SERVE_ROLE_TO_DESK,   BODY(subscribe), check_subscribe },
	[SERVE_CONFIRM]     = { SERVE_ROLE_TO_DESK,   BODY(token),     check_token },
	[SERVE_UNSUBSCRIBE] = { SERVE_ROLE_TO_DESK,   BODY(token),     check_token },
	[SERVE_ANSWER]      = { SERVE_DESK_TO_ROLE,   BODY(answer),    check_answer },
	[SERVE_CHECKS]      = { SERVE_ROLE_TO_DESK,   BODY(checks),    check_checks },
	[SERVE_DROPPED]     = { SERVE_DESK_TO_ROLE,   BODY(dropped),   check_dropped },
};
/* clang-format on */

void serve_message_init(struct serve_message *message, enum serve_type type, uint64_t id)
{
	memset(message, 0, sizeof(*message));
	message->type = type;
	message->id = id;
}

size_t serve_message_size(enum serve_type type)
{
	return (unsigned)type < SERVE_TYPES ? rows[type].size : 0;
}

int serve_message_check(enum serve_way way, const struct serve_message *message, size_t length, unsigned fd_count)
{
	const struct row *row;

	if (length < HEADER || message->type >= SERVE_TYPES)
		return -EBADMSG;
	row = &rows[message->type];
	if (row->size != length || row->way != way)
		return -EBADMSG;
	return row->check(message, fd_count) ? 0 : -EBADMSG;
}

int serve_message_send(int channel, const struct serve_message *message, const int *fds, unsigned fd_count)
{
	return channel_send(channel, message, serve_message_size(message->type), fds, fd_count);
}

int serve_message_receive(int channel, enum serve_way way, struct serve_message *message, int fds[SERVE_FDS_MAX],
                          unsigned *fd_count)
{
	size_t length;
	int result = channel_receive(channel, message, sizeof(*message), &length, fds, fd_count);

	if (result != 0 || serve_message_check(way, message, length, *fd_count) == 0)
		return result;
	channel_drop(fds, fd_count);
	return length == 0 ? -EPIPE : -EBADMSG;
}
