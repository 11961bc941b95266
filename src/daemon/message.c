/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/message.h"

#include <errno.h>
#include <string.h>

#include "base/time.h"
#include "daemon/channel.h"
#include "daemon/serve_message.h"

#define DAYS_NS (MESSAGE_DAYS_MAX * 86400 * NS_PER_S)
#define HEADER offsetof(struct message, config)

/* ---- checks ---- */

static bool ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

#define ENDS(array) ends((array), sizeof(array))

static bool lasts(int64_t for_ns)
{
	return for_ns > 0 && for_ns <= DAYS_NS;
}

bool message_prefix_ok(const struct message_prefix *prefix)
{
	struct prefix read;
	struct address address;

	memcpy(address.octets, prefix->octets, sizeof(address.octets));
	if (prefix->is_ipv4 > 1 || prefix->length > (prefix->is_ipv4 ? 32 : 128))
		return false;
	if (prefix->is_ipv4 != address_is_ipv4(&address))
		return false;
	read = prefix_of(&address, prefix->length);
	return address_equal(&read.address, &address);
}

static bool are_prefixes(const struct message_prefixes *prefixes)
{
	if (prefixes->count > MESSAGE_PREFIXES_MAX)
		return false;
	for (uint32_t i = 0; i < prefixes->count; i++)
		if (!message_prefix_ok(&prefixes->prefix[i]))
			return false;
	return true;
}

static bool is_rule(const struct message_rule *rule)
{
	return message_prefix_ok(&rule->scope) && rule->shadow <= 1 && rule->spare <= 1 && rule->probe <= 1 &&
	       rule->known <= 1 && rule->each <= 1 && rule->action <= RULE_CHALLENGE &&
	       rule->hold_s <= MESSAGE_HOLD_S_MAX && (rule->arm_pps != 0) == (rule->hold_s != 0) &&
	       rule->number <= INT32_MAX && ENDS(rule->match) && ENDS(rule->reason);
}

static bool check_config(const struct message *message, unsigned fd_count)
{
	const struct message_config *config = &message->config;

	return config->fd_count == fd_count && fd_count >= 1 && ENDS(config->name);
}

static bool check_applied(const struct message *message, unsigned fd_count)
{
	const struct message_applied *applied = &message->applied;

	if (fd_count != 0 || applied->result > 0 || applied->line_count > MESSAGE_LINES_MAX)
		return false;
	for (uint32_t i = 0; i < applied->line_count; i++)
		if (!ENDS(applied->lines[i]))
			return false;
	return true;
}

static bool check_nothing(const struct message *message, unsigned fd_count)
{
	(void)message;
	return fd_count == 0;
}

static bool check_rule(const struct message *message, unsigned fd_count)
{
	return fd_count == 0 && is_rule(&message->rule) && lasts(message->rule.for_ns);
}

static bool check_number(const struct message *message, unsigned fd_count)
{
	return fd_count == 0 && message->number > 0;
}

static bool check_flag(const struct message *message, unsigned fd_count)
{
	return fd_count == 0 && message->number <= 1;
}

static bool check_renewal(const struct message *message, unsigned fd_count)
{
	return fd_count == 0 && message->renewal.number > 0 && lasts(message->renewal.for_ns);
}

static bool check_highest(const struct message *message, unsigned fd_count)
{
	return fd_count == 0 && message->number <= INT32_MAX;
}

static bool check_origin(const struct message *message, unsigned fd_count)
{
	return fd_count == 0 && message->number <= SHIELD_REPLACED;
}

static bool check_allow(const struct message *message, unsigned fd_count)
{
	const struct message_allow *allow = &message->allow;

	return fd_count == 0 && allow->prefixes.count > 0 && are_prefixes(&allow->prefixes) && lasts(allow->for_ns);
}

static bool check_prefix(const struct message *message, unsigned fd_count)
{
	return fd_count == 0 && message_prefix_ok(&message->prefix);
}

/* A way in is a host's. */
static bool check_way(const struct message *message, unsigned fd_count)
{
	return check_prefix(message, fd_count) && message->prefix.length == (message->prefix.is_ipv4 ? 32 : 128);
}

static bool check_mode(const struct message *message, unsigned fd_count)
{
	return fd_count == 0 && message->mode.enforce <= 1 &&
	       (message->mode.for_ns == 0 || lasts(message->mode.for_ns));
}

static bool check_freeze(const struct message *message, unsigned fd_count)
{
	return fd_count == 0 && lasts(message->freeze.for_ns);
}

static bool check_state(const struct message *message, unsigned fd_count)
{
	const struct message_state *state = &message->state;

	if (state->fd_count != fd_count || fd_count != (message->type == MESSAGE_MAPS ? SHIELD_MAPS : 0) ||
	    state->hz == 0 || state->origin > SHIELD_REPLACED || state->hook_count > SHIELD_INTERFACES_MAX)
		return false;
	for (uint32_t i = 0; i < state->hook_count; i++)
		if (!ENDS(state->hooks[i].name) || state->hooks[i].hook >= MESSAGE_HOOKS)
			return false;
	return true;
}

static bool check_counted(const struct message *message, unsigned fd_count)
{
	return fd_count == 0 && message->counted.rule_count <= SHIELD_RULES_MAX;
}

static bool check_answer(const struct message *message, unsigned fd_count)
{
	const struct message_answer *answer = &message->answer;

	return fd_count == 0 && answer->result <= 0 && answer->done <= MESSAGE_PREFIXES_MAX && ENDS(answer->what) &&
	       ENDS(answer->hint);
}

static bool check_record(const struct message *message, unsigned fd_count)
{
	const struct message_record *record = &message->record;

	return fd_count == 0 && ENDS(record->user) && ENDS(record->client) && ENDS(record->command) &&
	       ENDS(record->outcome) && ENDS(record->object) && ENDS(record->arguments) && ENDS(record->what) &&
	       is_rule(&record->rule) && are_prefixes(&record->prefixes);
}

static bool check_checkpoint(const struct message *message, unsigned fd_count)
{
	return fd_count == 1 && message->checkpoint.length > 0 && message->checkpoint.length <= MESSAGE_CHECKPOINT_MAX;
}

static bool check_stream(const struct message *message, unsigned fd_count)
{
	const struct message_stream *stream = &message->stream;

	if (stream->kind != MESSAGE_STREAM_SEGMENT)
		return fd_count == 0 && stream->kind < MESSAGE_STREAM_KINDS;
	return fd_count == 1 && stream->length > 0 && stream->length <= MESSAGE_SEGMENT_MAX;
}

static bool check_incident(const struct message *message, unsigned fd_count)
{
	const struct message_incident *incident = &message->incident;

	if (incident->state == MESSAGE_INCIDENT_JOINED ? fd_count != 0 : fd_count != 1 || incident->length == 0)
		return false;
	return incident->length <= MESSAGE_JSON_MAX && incident->state < MESSAGE_INCIDENT_STATES &&
	       ENDS(incident->service) && ENDS(incident->target) && ENDS(incident->vector);
}

static bool check_recorded(const struct message *message, unsigned fd_count)
{
	return fd_count == 0 && ENDS(message->recorded.state);
}

static bool check_in_force(const struct message *message, unsigned fd_count)
{
	const struct message_in_force *in_force = &message->in_force;

	switch (in_force->kind) {
	case MESSAGE_KIND_END:
		return fd_count == 0 && in_force->highest < INT32_MAX;
	case MESSAGE_KIND_BLOCK:
	case MESSAGE_KIND_ALLOW:
		return fd_count == 0 && message_prefix_ok(&in_force->prefix) && lasts(in_force->for_ns);
	case MESSAGE_KIND_RULE:
		return fd_count == 0 && is_rule(&in_force->rule) && lasts(in_force->rule.for_ns);
	default:
		return false;
	}
}

static bool check_signals(const struct message *message, unsigned fd_count)
{
	if (fd_count != 0 || message->signals.count > MESSAGE_SIGNALS_MAX)
		return false;
	for (uint32_t i = 0; i < message->signals.count; i++)
		if (!serve_signal_ok(&message->signals.signals[i]))
			return false;
	return true;
}

static bool check_dropped(const struct message *message, unsigned fd_count)
{
	return fd_count == 1 && message->dropped.dropping <= DROPPED_MAX &&
	       message->dropped.passing <= DROPPED_PASSING_MAX;
}

static bool check_one_fd(const struct message *message, unsigned fd_count)
{
	(void)message;
	return fd_count == 1;
}

static bool check_links(const struct message *message, unsigned fd_count)
{
	const struct message_links *links = &message->links;

	if (fd_count != 0 || links->count > SHIELD_INTERFACES_MAX)
		return false;
	for (uint32_t i = 0; i < links->count; i++)
		if (!ENDS(links->links[i].name))
			return false;
	return true;
}

static bool check_alert(const struct message *message, unsigned fd_count)
{
	const struct alert *alert = &message->alert;

	return fd_count == 0 && alert->change < ALERT_TEST && alert->matter < ALERT_MATTERS && alert->enforcing <= 1 &&
	       ENDS(alert->host) && ENDS(alert->service) && ENDS(alert->target) && ENDS(alert->vector) &&
	       ENDS(alert->advice);
}

static bool check_target(const struct message *message, unsigned fd_count)
{
	return fd_count == 0 && ENDS(message->target);
}

static bool check_alerted(const struct message *message, unsigned fd_count)
{
	return fd_count == 0 && ENDS(message->alerted.state);
}

#define BODY(member) (HEADER + sizeof(((struct message *)NULL)->member))

/* clang-format off */
static const struct row {
	enum message_way way;
	size_t size;
	bool (*check)(const struct message *message, unsigned fd_count);
} rows[MESSAGE_TYPES] = {
	[MESSAGE_CONFIG]      = { MESSAGE_PARENT_TO_ROLE,     BODY(config),   check_config },
	[MESSAGE_RELOADED]    = { MESSAGE_PARENT_TO_ROLE,     BODY(applied),  check_applied },
	[MESSAGE_APPLIED]     = { MESSAGE_ROLE_TO_PARENT,     BODY(applied),  check_applied },
	[MESSAGE_RELOAD]      = { MESSAGE_ROLE_TO_PARENT,     HEADER,         check_nothing },
	[MESSAGE_ADD_RULE]    = { MESSAGE_ENGINE_TO_LOADER,   BODY(rule),     check_rule },
	[MESSAGE_REMOVE_RULE] = { MESSAGE_ENGINE_TO_LOADER,   BODY(number),   check_number },
	[MESSAGE_RENEW_RULE]  = { MESSAGE_ENGINE_TO_LOADER,   BODY(renewal),  check_renewal },
	[MESSAGE_ALLOW]       = { MESSAGE_ENGINE_TO_LOADER,   BODY(allow),    check_allow },
	[MESSAGE_DISALLOW]    = { MESSAGE_ENGINE_TO_LOADER,   BODY(prefix),   check_prefix },
	[MESSAGE_MODE]        = { MESSAGE_ENGINE_TO_LOADER,   BODY(mode),     check_mode },
	[MESSAGE_CONFIRM]     = { MESSAGE_ENGINE_TO_LOADER,   HEADER,         check_nothing },
	[MESSAGE_WAY]         = { MESSAGE_ENGINE_TO_LOADER,   BODY(prefix),   check_way },
	[MESSAGE_FREEZE]      = { MESSAGE_ENGINE_TO_LOADER,   BODY(freeze),   check_freeze },
	[MESSAGE_BLOCK]       = { MESSAGE_ENGINE_TO_LOADER,   BODY(allow),    check_allow },
	[MESSAGE_UNBLOCK]     = { MESSAGE_ENGINE_TO_LOADER,   BODY(prefix),   check_prefix },
	[MESSAGE_BLOCKS]      = { MESSAGE_ENGINE_TO_LOADER,   BODY(number),   check_flag },
	[MESSAGE_RESTORED]    = { MESSAGE_ENGINE_TO_LOADER,   BODY(number),   check_highest },
	[MESSAGE_MAPS]        = { MESSAGE_LOADER_TO_ENGINE,   BODY(state),    check_state },
	[MESSAGE_STATE]       = { MESSAGE_LOADER_TO_ENGINE,   BODY(state),    check_state },
	[MESSAGE_ANSWER]      = { MESSAGE_LOADER_TO_ENGINE,   BODY(answer),   check_answer },
	[MESSAGE_COUNTED]     = { MESSAGE_LOADER_TO_ENGINE,   BODY(counted),  check_counted },
	[MESSAGE_RECORD]      = { MESSAGE_ENGINE_TO_RECORDER, BODY(record),   check_record },
	[MESSAGE_ASK]         = { MESSAGE_ENGINE_TO_RECORDER, BODY(number),   check_origin },
	[MESSAGE_SETTLED]     = { MESSAGE_ENGINE_TO_RECORDER, HEADER,         check_nothing },
	[MESSAGE_CHECKPOINT]  = { MESSAGE_ENGINE_TO_RECORDER, BODY(checkpoint), check_checkpoint },
	[MESSAGE_STREAM]      = { MESSAGE_ENGINE_TO_RECORDER, BODY(stream),   check_stream },
	[MESSAGE_INCIDENT]    = { MESSAGE_ENGINE_TO_RECORDER, BODY(incident), check_incident },
	[MESSAGE_SIGNALS]     = { MESSAGE_ENGINE_TO_RECORDER, BODY(signals),  check_signals },
	[MESSAGE_DROPPED]     = { MESSAGE_ENGINE_TO_RECORDER, BODY(dropped),  check_dropped },
	[MESSAGE_RECORDED]    = { MESSAGE_RECORDER_TO_ENGINE, BODY(recorded), check_recorded },
	[MESSAGE_IN_FORCE]    = { MESSAGE_RECORDER_TO_ENGINE, BODY(in_force), check_in_force },
	[MESSAGE_LEARNED]     = { MESSAGE_RECORDER_TO_ENGINE, BODY(checkpoint), check_checkpoint },
	[MESSAGE_MESSENGER]   = { MESSAGE_PARENT_TO_ROLE,     HEADER,         check_one_fd },
	[MESSAGE_LINKS]       = { MESSAGE_LOADER_TO_ENGINE,   BODY(links),    check_links },
	[MESSAGE_ALERT]       = { MESSAGE_ENGINE_TO_MESSENGER, BODY(alert),   check_alert },
	[MESSAGE_TEST_ALERT]  = { MESSAGE_ENGINE_TO_MESSENGER, BODY(target),  check_target },
	[MESSAGE_ALERTED]     = { MESSAGE_MESSENGER_TO_ENGINE, BODY(alerted), check_alerted },
	[MESSAGE_TESTED]      = { MESSAGE_MESSENGER_TO_ENGINE, BODY(answer),  check_answer },
};
/* clang-format on */

void message_init(struct message *message, enum message_type type, uint64_t id)
{
	memset(message, 0, sizeof(*message));
	message->type = type;
	message->id = id;
}

size_t message_size(enum message_type type)
{
	return (unsigned)type < MESSAGE_TYPES ? rows[type].size : 0;
}

int message_check(enum message_way way, const struct message *message, size_t length, unsigned fd_count)
{
	const struct row *row;

	if (length < HEADER || message->type >= MESSAGE_TYPES)
		return -EBADMSG;
	row = &rows[message->type];
	if (row->size != length || row->way != way)
		return -EBADMSG;
	return row->check(message, fd_count) ? 0 : -EBADMSG;
}

/* ---- channels ---- */

int message_send(int channel, const struct message *message, const int *fds, unsigned fd_count)
{
	return channel_send(channel, message, message_size(message->type), fds, fd_count);
}

int message_receive(int channel, enum message_way way, struct message *message, int fds[MESSAGE_FDS_MAX],
                    unsigned *fd_count)
{
	size_t length;
	int result = channel_receive(channel, message, sizeof(*message), &length, fds, fd_count);

	if (result != 0 || message_check(way, message, length, *fd_count) == 0)
		return result;
	channel_drop(fds, fd_count);
	return length == 0 ? -EPIPE : -EBADMSG;
}

/* ---- what is in them ---- */

void message_text(char *into, size_t size, const char *text)
{
	size_t length = strnlen(text, size - 1);

	memcpy(into, text, length);
	memset(into + length, 0, size - length);
}

void message_put_prefix(struct message_prefix *into, const struct prefix *prefix)
{
	memcpy(into->octets, prefix->address.octets, sizeof(into->octets));
	into->length = prefix->length;
	into->is_ipv4 = prefix->is_ipv4;
}

struct prefix message_prefix(const struct message_prefix *from)
{
	struct address address;

	memcpy(address.octets, from->octets, sizeof(address.octets));
	return prefix_of(&address, from->length);
}

void message_put_rule(struct message_rule *into, const struct rule *rule)
{
	message_put_prefix(&into->scope, &rule->scope);
	into->action = (uint32_t)rule->action;
	into->rate_pps = rule->rate_pps;
	(void)match_format(&rule->match, into->match);
}

int message_take_rule(const struct message_rule *from, struct rule *rule)
{
	struct rule read = { .scope = message_prefix(&from->scope),
		             .action = (enum rule_action)from->action,
		             .rate_pps = from->rate_pps };
	struct match_error error;

	if (match_parse(from->match, &read.match, &error) != 0)
		return -EINVAL;
	*rule = read;
	return 0;
}
