/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command is a row: what it is called, whether it changes anything, and which members it takes beside "command". A
 * member is a row too: how it is read. What is not in the tables is refused by name.
 */
#include "daemon/control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/time.h"

#define DAYS_MAX CONFIG_BLOCK_DAYS_MAX
#define FOR_S_MAX (DAYS_MAX * 86400LL)
#define ECHO_MAX 60 /* octets of a value that an error repeats */

void control_error_set(struct control_error *error, const char *where, int exit, const char *hint, const char *format,
                       ...)
{
	va_list arguments;

	(void)snprintf(error->where, sizeof(error->where), "%s", where);
	(void)snprintf(error->hint, sizeof(error->hint), "%s", hint);
	va_start(arguments, format);
	(void)vsnprintf(error->what, sizeof(error->what), format, arguments);
	va_end(arguments);
	error->exit = exit;
}

/* ---- requests ---- */

struct parse {
	struct control_request request;
	struct control_error *error;
	const char *where;
	bool has_action, has_rate;
};

/* 0, -EINVAL after what is wrong has been said, -ENOMEM. */
typedef int read_member(struct parse *parse, const char *name, const json_t *value);

__attribute__((format(printf, 3, 4))) static int refuse(struct parse *parse, const char *hint, const char *format, ...)
{
	char what[sizeof(parse->error->what)];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	control_error_set(parse->error, parse->where, 2, hint, "%s", what);
	return -EINVAL;
}

/* jansson gives strings in UTF-8 and without NUL. */
static int text_of(struct parse *parse, const char *name, const json_t *value, size_t max, const char **text)
{
	if (!json_is_string(value))
		return refuse(parse, "write it as a string", "\"%s\" is no string", name);
	if (json_string_length(value) > max)
		return refuse(parse, "shorten it", "\"%s\" is %zu octets long; at most %zu", name,
		              json_string_length(value), max);
	*text = json_string_value(value);
	return 0;
}

static int number_of(struct parse *parse, const char *name, const json_t *value, int64_t low, int64_t high,
                     int64_t *number)
{
	if (!json_is_integer(value) || json_integer_value(value) < low || json_integer_value(value) > high) {
		char hint[80];

		(void)snprintf(hint, sizeof(hint), "write a whole number from %" PRId64 " to %" PRId64, low, high);
		return refuse(parse, hint, "\"%s\" is out of bounds", name);
	}
	*number = json_integer_value(value);
	return 0;
}

static int prefix_of_text(struct parse *parse, const char *text, struct prefix *prefix)
{
	if (prefix_parse(text, prefix) == 0)
		return 0;
	return refuse(parse, "write 192.0.2.10, 192.0.2.0/24 or 2001:db8::/32, host bits zero",
	              "'%.*s' is no address or network", ECHO_MAX, text);
}

static int read_prefix(struct parse *parse, const char *name, const json_t *value)
{
	struct prefix prefix;
	const char *text = "";
	int result = text_of(parse, name, value, 2 * PREFIX_TEXT_SIZE, &text);

	if (result == 0)
		result = prefix_of_text(parse, text, &prefix);
	if (result != 0)
		return result;
	if (parse->request.prefixes)
		return refuse(parse, "give one of them", "\"prefix\" and \"prefixes\" at once");
	parse->request.prefixes = malloc(sizeof(prefix));
	if (!parse->request.prefixes)
		return -ENOMEM;
	parse->request.prefixes[0] = prefix;
	parse->request.prefix_count = 1;
	return 0;
}

static int read_prefixes(struct parse *parse, const char *name, const json_t *value)
{
	size_t count = json_array_size(value);

	if (!json_is_array(value) || count < 1 || count > CONTROL_PREFIXES_MAX)
		return refuse(parse, "send the rest in further requests", "\"%s\" is no list of 1 to %u strings", name,
		              CONTROL_PREFIXES_MAX);
	if (parse->request.prefixes)
		return refuse(parse, "give one of them", "\"prefix\" and \"prefixes\" at once");
	parse->request.prefixes = calloc(count, sizeof(*parse->request.prefixes));
	if (!parse->request.prefixes)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char *text = "";
		int result = text_of(parse, name, json_array_get(value, i), 2 * PREFIX_TEXT_SIZE, &text);

		if (result == 0)
			result = prefix_of_text(parse, text, &parse->request.prefixes[i]);
		if (result != 0)
			return result;
	}
	parse->request.prefix_count = (unsigned)count;
	parse->request.many = true;
	return 0;
}

static int read_match(struct parse *parse, const char *name, const json_t *value)
{
	struct match_error error;
	const char *text = "";
	int result = text_of(parse, name, value, MATCH_TEXT_SIZE - 1, &text);

	if (result != 0)
		return result;
	if (match_parse(text, &parse->request.rule.match, &error) != 0)
		return refuse(parse, "holdfast(1) has the match language", "character %zu of the match: %s",
		              error.offset + 1, error.message);
	parse->request.has_rule = true;
	return 0;
}

static int read_scope(struct parse *parse, const char *name, const json_t *value)
{
	const char *text = "";
	int result = text_of(parse, name, value, 2 * PREFIX_TEXT_SIZE, &text);

	if (result == 0)
		result = prefix_of_text(parse, text, &parse->request.rule.scope);
	parse->request.has_scope = result == 0;
	return result;
}

static int read_action(struct parse *parse, const char *name, const json_t *value)
{
	enum rule_action action;
	const char *text = "";
	int result = text_of(parse, name, value, ECHO_MAX, &text);

	if (result != 0)
		return result;
	if (rule_action_parse(text, &action) != 0 || action == RULE_CHALLENGE)
		return refuse(parse, "there are drop, rate_limit and none", "'%s' is no action that the shield has",
		              text);
	parse->request.rule.action = action;
	parse->has_action = true;
	return 0;
}

static int read_rate(struct parse *parse, const char *name, const json_t *value)
{
	int64_t number = 0;
	int result = number_of(parse, name, value, 1, 100000000, &number);

	if (result == 0) {
		parse->request.rule.rate_pps = (uint32_t)number;
		parse->has_rate = true;
	}
	return result;
}

static int read_shadow(struct parse *parse, const char *name, const json_t *value)
{
	if (!json_is_boolean(value))
		return refuse(parse, "write true or false", "\"%s\" is neither true nor false", name);
	parse->request.shadow = json_is_true(value);
	return 0;
}

static int read_for(struct parse *parse, const char *name, const json_t *value)
{
	int64_t number = 0;
	int result = number_of(parse, name, value, 1, FOR_S_MAX, &number);

	if (result == 0)
		parse->request.for_ns = number * NS_PER_S;
	return result;
}

static int read_confirm(struct parse *parse, const char *name, const json_t *value)
{
	int64_t number = 0;
	int result = json_is_null(value) ? 0 : number_of(parse, name, value, 1, CONTROL_CONFIRM_S_MAX, &number);

	if (result == 0)
		parse->request.confirm_ns = number * NS_PER_S;
	return result;
}

static int read_limit(struct parse *parse, const char *name, const json_t *value)
{
	int64_t number = 0;
	int result = number_of(parse, name, value, 0, CONTROL_LIMIT_MAX, &number);

	if (result == 0)
		parse->request.limit = (unsigned)number;
	return result;
}

static int read_reason(struct parse *parse, const char *name, const json_t *value)
{
	const char *text = "";
	int result = text_of(parse, name, value, sizeof(parse->request.reason) - 1, &text);

	if (result != 0)
		return result;
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == '\177')
			return refuse(parse, "take it out", "\"%s\" has a control character in it", name);
	memcpy(parse->request.reason, text, strlen(text) + 1);
	return 0;
}

/* "203.0.113.7 51234 22", as SSH_CLIENT has it. What it says is worth something, but not worth refusing a command. */
static int read_client(struct parse *parse, const char *name, const json_t *value)
{
	char first[CONTROL_CLIENT_SIZE];
	const char *text = "";
	struct prefix prefix;
	size_t length;
	int result = text_of(parse, name, value, sizeof(parse->request.client) - 1, &text);

	if (result != 0)
		return result;
	memcpy(parse->request.client, text, strlen(text) + 1);
	for (char *at = parse->request.client; *at; at++)
		if ((unsigned char)*at < ' ' || *at == '\177')
			*at = '?';
	length = strcspn(text, " %");
	memcpy(first, text, length);
	first[length] = '\0';
	if (!strchr(first, '/') && prefix_parse(first, &prefix) == 0 &&
	    !address_is_impossible_source(&prefix.address)) {
		parse->request.address = prefix.address;
		parse->request.has_address = true;
	}
	return 0;
}

static int read_rule(struct parse *parse, const char *name, const json_t *value)
{
	const char *text = "";
	uint64_t number = 0;
	int result = text_of(parse, name, value, ECHO_MAX, &text);

	if (result != 0)
		return result;
	if (text[0] == 'r' && text[1] >= '1' && text[1] <= '9')
		for (const char *at = text + 1; number <= UINT32_MAX; at++) {
			if (!*at) {
				parse->request.rule_number = (uint32_t)number;
				return 0;
			}
			if (*at < '0' || *at > '9')
				break;
			number = number * 10 + (uint64_t)(*at - '0');
		}
	return refuse(parse, "'holdfast rules' lists them: r1, r2, ...", "'%s' names no rule", text);
}

static int read_target(struct parse *parse, const char *name, const json_t *value)
{
	const char *text = "";
	int result = text_of(parse, name, value, sizeof(parse->request.target) - 1, &text);

	if (result == 0)
		memcpy(parse->request.target, text, strlen(text) + 1);
	return result;
}

static const struct member {
	const char *name;
	read_member *read;
} members[] = {
	{ "client", read_client }, { "reason", read_reason },     { "for_s", read_for },
	{ "prefix", read_prefix }, { "prefixes", read_prefixes }, { "match", read_match },
	{ "scope", read_scope },   { "action", read_action },     { "rate_pps", read_rate },
	{ "shadow", read_shadow }, { "rule", read_rule },         { "confirm_s", read_confirm },
	{ "limit", read_limit },   { "target", read_target },
};

#define MEMBERS (sizeof(members) / sizeof(members[0]))

/* In the order of enum control_command. */
static const struct row {
	const char *name;
	bool operates;
	const char *takes; /* members, each between blanks */
} rows[CONTROL_COMMANDS] = {
	[CONTROL_PING] = { "ping", false, " " },
	[CONTROL_STATUS] = { "status", false, " " },
	[CONTROL_RULES] = { "rules", false, " limit " },
	[CONTROL_BLOCK] = { "block", true, " client reason for_s prefix prefixes match scope action rate_pps shadow " },
	[CONTROL_ALLOW] = { "allow", true, " client reason for_s prefix prefixes " },
	[CONTROL_RELEASE] = { "release", true, " client reason prefix prefixes rule " },
	[CONTROL_OBSERVE] = { "observe", true, " client reason " },
	[CONTROL_ENFORCE] = { "enforce", true, " client reason confirm_s " },
	[CONTROL_CONFIRM] = { "confirm", true, " client reason " },
	[CONTROL_RELOAD] = { "reload", true, " client reason " },
	[CONTROL_TEST_ALERT] = { "test_alert", true, " client reason target " },
};

const char *control_command_name(enum control_command command)
{
	return command < CONTROL_COMMANDS ? rows[command].name : "unknown";
}

bool control_command_operates(enum control_command command)
{
	return command >= CONTROL_COMMANDS || rows[command].operates;
}

static const struct member *find_member(const struct row *row, const char *name)
{
	char word[24];
	int length = snprintf(word, sizeof(word), " %s ", name);

	if (length < 0 || (size_t)length >= sizeof(word) || !strstr(row->takes, word))
		return NULL;
	for (size_t i = 0; i < MEMBERS; i++)
		if (strcmp(members[i].name, name) == 0)
			return &members[i];
	return NULL;
}

/* What no member can say alone. */
static int check_whole(struct parse *parse)
{
	struct control_request *request = &parse->request;
	bool named = request->prefix_count > 0;

	switch (request->command) {
	case CONTROL_BLOCK:
		if (named == request->has_rule)
			return refuse(parse, "give a prefix, or a match",
			              named ? "a prefix and a match at once" : "nothing to block");
		if (named && (request->has_scope || parse->has_action || parse->has_rate || request->shadow))
			return refuse(parse, "they belong to a match",
			              "a block of prefixes has no scope, action, rate or shadow");
		if (parse->has_rate != (request->has_rule && request->rule.action == RULE_RATE_LIMIT))
			return refuse(parse, "rate_limit has a rate, and nothing else has",
			              "an action that does not go with \"rate_pps\"");
		return 0;
	case CONTROL_ALLOW:
		return named ? 0 : refuse(parse, "give a prefix", "nothing to allow");
	case CONTROL_RELEASE:
		if (named == (request->rule_number != 0))
			return refuse(parse, "give a prefix, or a rule",
			              named ? "a prefix and a rule at once" : "nothing to release");
		return 0;
	case CONTROL_TEST_ALERT:
		return request->target[0] ? 0 : refuse(parse, "name one of 'alerts'", "no target to test");
	case CONTROL_PING:
	case CONTROL_STATUS:
	case CONTROL_RULES:
	case CONTROL_OBSERVE:
	case CONTROL_ENFORCE:
	case CONTROL_CONFIRM:
	case CONTROL_RELOAD:
	case CONTROL_COMMANDS:
	default:
		return 0;
	}
}

static int read_members(struct parse *parse, json_t *object)
{
	const struct row *row = NULL;
	const json_t *command = json_object_get(object, "command");
	const char *name;
	json_t *value;
	int result;

	if (!json_is_string(command))
		return refuse(
			parse,
			"name one: ping, status, rules, block, allow, release, observe, enforce, confirm, reload, test_alert",
			"no \"command\"");
	for (size_t i = 0; i < CONTROL_COMMANDS; i++)
		if (strcmp(rows[i].name, json_string_value(command)) == 0) {
			row = &rows[i];
			parse->request.command = (enum control_command)i;
		}
	if (!row)
		return refuse(parse,
		              "does the program belong to this daemon? 'holdfast version' and 'holdfast status' say",
		              "there is no command '%.*s'", ECHO_MAX, json_string_value(command));
	parse->where = row->name;
	json_object_foreach(object, name, value)
	{
		const struct member *member = find_member(row, name);

		if (strcmp(name, "command") == 0)
			continue;
		if (!member)
			return refuse(parse, "doc/control.md says what it takes", "%s takes no \"%.*s\"", row->name,
			              ECHO_MAX, name);
		result = member->read(parse, name, value);
		if (result != 0)
			return result;
	}
	return check_whole(parse);
}

int control_parse(const char *line, size_t length, struct control_request *request, struct control_error *error)
{
	struct parse parse = { .error = error, .where = "request" };
	json_error_t wrong;
	json_t *object;
	int result;

	parse.request.rule.action = RULE_DROP;
	parse.request.rule.scope = prefix_of(&(struct address){ .octets = { 0 } }, 0);
	parse.request.limit = CONTROL_LIMIT_DEFAULT;
	object = json_loadb(line, length, JSON_REJECT_DUPLICATES, &wrong);
	if (!object)
		return refuse(&parse, "one JSON object a line", "octet %d: %.200s", wrong.position, wrong.text);
	result = json_is_object(object) ? read_members(&parse, object)
	                                : refuse(&parse, "one JSON object a line", "this is no object");
	json_decref(object);
	if (result != 0) {
		control_request_fini(&parse.request);
		return result;
	}
	*request = parse.request;
	return 0;
}

void control_request_fini(struct control_request *request)
{
	free(request->prefixes);
	request->prefixes = NULL;
	request->prefix_count = 0;
}
