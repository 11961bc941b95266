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

#ifndef HOLDFAST_VERSION
#define HOLDFAST_VERSION "unknown"
#endif

#define DAYS_MAX CONFIG_BLOCK_DAYS_MAX
#define FOR_S_MAX (DAYS_MAX * 86400LL)
#define REAL_DIGITS 15 /* of seconds: milliseconds are as they were written */
#define ECHO_MAX 60    /* octets of a value that an error repeats */

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

static json_t *text_json(const char *text);
static json_t *count_json(uint64_t count);
static json_t *prefix_json(const struct prefix *prefix);

char *control_format_arguments(const struct control_request *request)
{
	json_t *object = json_object();
	char match[MATCH_TEXT_SIZE];
	char *text;

	if (request->for_ns)
		(void)json_object_set_new(object, "for_s", count_json((uint64_t)(request->for_ns / NS_PER_S)));
	if (request->confirm_ns)
		(void)json_object_set_new(object, "confirm_s", count_json((uint64_t)(request->confirm_ns / NS_PER_S)));
	if (request->reason[0])
		(void)json_object_set_new(object, "reason", text_json(request->reason));
	if (request->has_rule) {
		(void)json_object_set_new(object, "match", json_string(match_format(&request->rule.match, match)));
		(void)json_object_set_new(object, "action", json_string(rule_action_name(request->rule.action)));
	}
	if (request->has_scope)
		(void)json_object_set_new(object, "scope", prefix_json(&request->rule.scope));
	if (request->rule.rate_pps)
		(void)json_object_set_new(object, "rate_pps", count_json(request->rule.rate_pps));
	if (request->shadow)
		(void)json_object_set_new(object, "shadow", json_true());
	text = object ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(object);
	return text;
}

/* ---- answers ---- */

/* Takes `object`, which may be NULL where memory ran out while it was made. */
static char *line_of(json_t *object)
{
	char *text =
		object ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(REAL_DIGITS)) : NULL;
	size_t length = text ? strlen(text) : 0;
	char *line = text ? realloc(text, length + 2) : NULL;

	json_decref(object);
	if (!line) {
		free(text);
		return NULL;
	}
	line[length] = '\n';
	line[length + 1] = '\0';
	return line;
}

static char *answer(json_t *result)
{
	return line_of(result ? json_pack("{s:b,s:o}", "ok", 1, "result", result) : NULL);
}

/* What came from outside may be no UTF-8, which jansson refuses. */
static json_t *text_json(const char *text)
{
	json_t *string = json_string(text);
	char plain[1024];
	size_t length = 0;

	if (string)
		return string;
	for (; length < sizeof(plain) - 1 && text[length]; length++)
		plain[length] = (unsigned char)text[length] < 0x80 ? text[length] : '?';
	plain[length] = '\0';
	return json_string(plain);
}

static json_t *time_json(int64_t ns)
{
	char text[TIME_TEXT_SIZE];

	return ns == INT64_MAX ? json_null() : json_string(time_format((struct capture_time){ ns }, text));
}

static json_t *seconds_json(int64_t ns)
{
	int64_t ms = ns / NS_PER_MS;

	return ns == INT64_MAX ? json_null() : json_real((double)ms / 1000);
}

static json_t *count_json(uint64_t count)
{
	return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

static json_t *prefix_json(const struct prefix *prefix)
{
	char text[PREFIX_TEXT_SIZE];

	return json_string(prefix_format(prefix, text));
}

static json_t *error_json(const struct control_error *error)
{
	return json_pack("{s:b,s:s,s:o,s:o,s:i}", "ok", 0, "where", error->where, "what", text_json(error->what),
	                 "hint", text_json(error->hint), "exit", error->exit);
}

char *control_format_error(const struct control_error *error)
{
	return line_of(error_json(error));
}

char *control_format_errors(const struct control_error *error, const struct config_errors *errors)
{
	json_t *object = error_json(error), *list = json_array();

	for (unsigned i = 0; i < errors->count; i++)
		(void)json_array_append_new(list, text_json(errors->lines[i]));
	(void)json_object_set_new(object, "errors", list);
	return line_of(object);
}

char *control_format_ping(void)
{
	return answer(json_pack("{s:s}", "version", HOLDFAST_VERSION));
}

char *control_format_tally(const char *done, const struct control_tally *tally)
{
	json_t *refusals = json_array();

	for (unsigned i = 0; i < tally->refusal_count; i++)
		(void)json_array_append_new(refusals, json_pack("{s:o,s:o,s:o}", "prefix",
		                                                prefix_json(&tally->refusals[i].prefix), "what",
		                                                text_json(tally->refusals[i].what), "hint",
		                                                text_json(tally->refusals[i].hint)));
	return answer(json_pack("{s:o,s:o,s:o,s:o}", done, count_json(tally->done), "refused",
	                        count_json(tally->refused), "expires", time_json(tally->expires_ns), "refusals",
	                        refusals));
}

static json_t *rule_name_json(uint32_t number)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "r%" PRIu32, number);
	return json_string(text);
}

char *control_format_ruled(const struct control_ruled *ruled)
{
	char match[MATCH_TEXT_SIZE];
	json_t *numbers = json_array();

	for (unsigned i = 0; i < ruled->count; i++)
		(void)json_array_append_new(numbers, rule_name_json(ruled->numbers[i]));
	return answer(json_pack("{s:o,s:s,s:s,s:o}", "rules", numbers, "match",
	                        match_format(&ruled->rule->match, match), "action",
	                        rule_action_name(ruled->rule->action), "expires", time_json(ruled->expires_ns)));
}

char *control_format_released(bool block, bool allowance, bool rule)
{
	json_t *list = json_array();

	if (block)
		(void)json_array_append_new(list, json_string("block"));
	if (allowance)
		(void)json_array_append_new(list, json_string("allow"));
	if (rule)
		(void)json_array_append_new(list, json_string("rule"));
	return answer(json_pack("{s:o}", "released", list));
}

char *control_format_released_many(unsigned released, unsigned passed_over)
{
	return answer(json_pack("{s:o,s:o}", "prefixes", count_json(released), "passed_over", count_json(passed_over)));
}

static void add_mode(json_t *object, const struct control_mode *mode)
{
	(void)json_object_set_new(object, "mode", json_string(mode->enforce ? "enforce" : "observe"));
	(void)json_object_set_new(object, "enforce_until", time_json(mode->enforce ? mode->until_ns : INT64_MAX));
	(void)json_object_set_new(object, "enforce_left_s", seconds_json(mode->enforce ? mode->left_ns : INT64_MAX));
}

char *control_format_mode(const struct control_mode *mode)
{
	json_t *object = json_object();

	add_mode(object, mode);
	return answer(object);
}

char *control_format_reloaded(const char (*notes)[CONFIG_ERROR_SIZE], unsigned count)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++)
		(void)json_array_append_new(list, text_json(notes[i]));
	return answer(json_pack("{s:b,s:o}", "reloaded", 1, "notes", list));
}

char *control_format_tested(const char *said)
{
	return answer(json_pack("{s:b,s:o}", "sent", 1, "said", text_json(said)));
}

static json_t *counted_json(const struct shield_count *count)
{
	return json_pack("{s:o,s:o}", "packets", count_json(count->packets), "octets", count_json(count->octets));
}

static json_t *rule_json(const struct control_rule *rule)
{
	const struct shield_rule_told *told = &rule->told;
	char match[MATCH_TEXT_SIZE];
	json_t *object = json_object();

	(void)json_object_set_new(object, "id", rule_name_json(told->number));
	(void)json_object_set_new(object, "scope", prefix_json(&told->rule.scope));
	(void)json_object_set_new(object, "match", json_string(match_format(&told->rule.match, match)));
	(void)json_object_set_new(object, "action", json_string(rule_action_name(told->rule.action)));
	(void)json_object_set_new(object, "rate_pps",
	                          told->rule.action == RULE_RATE_LIMIT ? count_json(told->rule.rate_pps) : json_null());
	(void)json_object_set_new(object, "shadow", json_boolean(told->shadow));
	(void)json_object_set_new(object, "unless_known", json_boolean(told->known));
	(void)json_object_set_new(object, "each_source", json_boolean(told->each));
	(void)json_object_set_new(object, "source_pps", told->source_pps ? count_json(told->source_pps) : json_null());
	(void)json_object_set_new(object, "reason", text_json(told->reason));
	(void)json_object_set_new(object, "made", time_json(told->made_ns));
	(void)json_object_set_new(object, "made_by", text_json(rule->made_by));
	(void)json_object_set_new(object, "expires", time_json(rule->expires_ns));
	(void)json_object_set_new(object, "left_s", seconds_json(rule->left_ns));
	(void)json_object_set_new(object, "matched", counted_json(&rule->count.matched));
	(void)json_object_set_new(object, "dropped", counted_json(&rule->count.dropped));
	(void)json_object_set_new(object, "last_s",
	                          rule->since_last_ns < 0 ? json_null() : seconds_json(rule->since_last_ns));
	return object;
}

static json_t *rules_json(const struct control_rule *rules, unsigned count)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++)
		(void)json_array_append_new(list, rule_json(&rules[i]));
	return list;
}

static json_t *blocks_json(const struct control_blocks *blocks)
{
	return json_pack("{s:o,s:o,s:o,s:o}", "ipv4", count_json(blocks->ipv4), "ipv6", count_json(blocks->ipv6),
	                 "capacity", count_json(blocks->capacity), "listed", count_json(blocks->listed));
}

static json_t *entries_json(const struct control_entry *entries, unsigned count)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++)
		(void)json_array_append_new(list, json_pack("{s:o,s:o,s:o}", "prefix", prefix_json(&entries[i].prefix),
		                                            "expires", time_json(entries[i].expires_ns), "left_s",
		                                            seconds_json(entries[i].left_ns)));
	return list;
}

char *control_format_list(const struct control_list *list)
{
	return answer(json_pack("{s:o,s:o,s:o,s:o,s:o,s:b}", "rules", rules_json(list->rules, list->rule_count),
	                        "blocks", blocks_json(&list->blocks), "blocked",
	                        entries_json(list->blocked, list->blocked_count), "allowed",
	                        entries_json(list->allowed, list->allowed_count), "allowed_count",
	                        count_json(list->allowed_total), "truncated", list->truncated ? 1 : 0));
}

static json_t *counts_json(const struct shield_count counts[SHIELD_REASONS])
{
	json_t *object = json_object();

	for (unsigned i = 0; i < SHIELD_REASONS; i++)
		if (counts[i].packets)
			(void)json_object_set_new(object, shield_reason_name((enum shield_reason)i),
			                          counted_json(&counts[i]));
	return object;
}

static json_t *sums_json(const struct control_sums *sums)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o}", "packets", count_json(sums->packets), "octets",
	                 count_json(sums->octets), "dropped", count_json(sums->dropped), "dropped_octets",
	                 count_json(sums->dropped_octets), "would_drop", count_json(sums->would_drop));
}

static json_t *services_json(const struct control_status *status)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < status->service_count; i++) {
		const struct control_service *service = &status->services[i];

		(void)json_array_append_new(list, json_pack("{s:o,s:o,s:o}", "name",
		                                            service->name[0] ? text_json(service->name) : json_null(),
		                                            "enforced", counts_json(service->counters->enforced),
		                                            "observed", counts_json(service->counters->observed)));
	}
	return list;
}

static json_t *interfaces_json(const struct control_status *status)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < status->interface_count; i++)
		(void)json_array_append_new(list, json_pack("{s:o,s:s}", "name", text_json(status->interfaces[i].name),
		                                            "hook", status->interfaces[i].hook));
	return list;
}

static json_t *ways_json(const struct control_status *status)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < status->way_count; i++)
		(void)json_array_append_new(list, json_pack("{s:o,s:i,s:o}", "from", prefix_json(&status->ways[i].from),
		                                            "port", (int)status->ways[i].port, "left_s",
		                                            seconds_json(status->ways[i].left_ns)));
	return list;
}

static json_t *links_json(const struct control_status *status)
{
	json_t *list = json_array();

	for (unsigned i = 0; status->links && i < status->links->count; i++) {
		const struct link_state *link = &status->links->states[i];
		bool known = link->has_rates;

		(void)json_array_append_new(
			list,
			json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "name", text_json(link->latest.name), "speed_mbps",
		                  link->latest.speed_mbps ? count_json(link->latest.speed_mbps) : json_null(), "rx_bps",
		                  known ? count_json(link->bps) : json_null(), "rx_pps",
		                  known ? count_json(link->pps) : json_null(), "rx_drops_pps",
		                  known ? count_json(link->lost_pps) : json_null(), "percent",
		                  link->percent >= 0 ? json_integer(link->percent) : json_null(), "full", link->full));
	}
	return list;
}

static json_t *attack_rule_json(const struct control_attack_rule *rule)
{
	const struct {
		const char *name;
		uint64_t count;
	} counts[] = {
		{ "matched", rule->matched },
		{ "dropped", rule->dropped },
		{ "spared", rule->spared },
		{ "answered", rule->answered },
		{ "probes", rule->probes },
		{ "completed", rule->completed },
		{ "known", rule->known },
		{ "known_lost", rule->known_lost },
		{ "baseline_samples", rule->baseline_samples },
		{ "verified_hits", rule->verified_hits },
		{ "verified_samples", rule->verified_samples },
	};
	char match[MATCH_TEXT_SIZE];
	json_t *object =
		json_pack("{s:o,s:s,s:s,s:o,s:s,s:o,s:o}", "id",
	                  rule->number ? rule_name_json(rule->number) : json_null(), "state", rule->state, "match",
	                  match_format(&rule->rule->match, match), "scope", prefix_json(&rule->rule->scope), "action",
	                  rule_action_name(rule->rule->action), "why", text_json(rule->why), "bound_ppm",
	                  rule->has_bound ? count_json(rule->bound_ppm) : json_null());

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		(void)json_object_set_new(object, counts[i].name, count_json(counts[i].count));
	(void)json_object_set_new(object, "fallback", json_boolean(rule->fallback));
	(void)json_object_set_new(object, "unless_known", json_boolean(rule->knows));
	(void)json_object_set_new(object, "each_source", json_boolean(rule->each));
	(void)json_object_set_new(object, "source_pps", rule->source_pps ? count_json(rule->source_pps) : json_null());
	return object;
}

static json_t *attacks_json(const struct control_live *live)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < live->attack_count; i++) {
		const struct control_attack *attack = &live->attacks[i];
		json_t *object = json_object(), *rules = json_array();
		char id[24];

		(void)snprintf(id, sizeof(id), "%016" PRIx64, attack->id);
		for (unsigned k = 0; k < attack->rule_count; k++)
			(void)json_array_append_new(rules, attack_rule_json(&live->rules[attack->first_rule + k]));
		(void)json_object_set_new(object, "id", json_string(id));
		(void)json_object_set_new(object, "service",
		                          attack->service ? text_json(attack->service) : json_null());
		(void)json_object_set_new(object, "target", prefix_json(&attack->target));
		(void)json_object_set_new(object, "vector", json_string(attack->vector));
		(void)json_object_set_new(object, "began", time_json(attack->began_ns));
		(void)json_object_set_new(object, "age_s", seconds_json(attack->age_ns));
		(void)json_object_set_new(object, "pps", count_json(attack->pps));
		(void)json_object_set_new(object, "bps", count_json(attack->bps));
		(void)json_object_set_new(object, "passing_ppm", count_json(attack->passing_ppm));
		(void)json_object_set_new(object, "over", json_boolean(attack->over));
		(void)json_object_set_new(object, "advice", attack->advice ? text_json(attack->advice) : json_null());
		(void)json_object_set_new(object, "fallback", json_string(fallback_state_name(attack->fallback)));
		(void)json_object_set_new(object, "rules", rules);
		(void)json_array_append_new(list, object);
	}
	return list;
}

static json_t *alerts_json(const struct control_status *status)
{
	const struct message_alerted *alerts = status->alerts;

	if (!alerts || status->alert_targets == 0)
		return json_null();
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "targets", count_json(status->alert_targets), "sent",
	                 count_json(alerts->sent), "failed", count_json(alerts->failed), "queued",
	                 count_json(alerts->queued), "unsaid", count_json(alerts->unsaid + status->alerts_lost),
	                 "state", text_json(alerts->state));
}

static void add_live(json_t *object, const struct control_live *live)
{
	(void)json_object_set_new(object, "attacks", attacks_json(live));
	(void)json_object_set_new(object, "users",
	                          json_pack("{s:o,s:o,s:o}", "answered_pps", count_json(live->answered_pps), "lost_ppm",
	                                    live->has_lost ? count_json(live->lost_ppm) : json_null(), "handshakes_pps",
	                                    count_json(live->handshakes_pps)));
	(void)json_object_set_new(
		object, "engine",
		json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:{s:o,s:o,s:o,s:o,s:o,s:o}}", "generation",
	                  count_json(live->generation), "warm", json_boolean(live->warm), "samples_pps",
	                  count_json(live->samples_pps), "lag_ms", count_json((uint64_t)live->lag_ns / NS_PER_MS),
	                  "baseline_s", count_json((uint64_t)live->learned_ns / NS_PER_S), "undecodable",
	                  count_json(live->undecodable), "strays", count_json(live->strays), "limits", "rules_refused",
	                  count_json(live->rules_refused), "bans_pushed_out", count_json(live->bans_pushed_out),
	                  "no_memory", count_json(live->no_memory), "sources_uncounted",
	                  count_json(live->sources_uncounted), "outbox_lost", count_json(live->outbox_lost),
	                  "streams_cut", count_json(live->streams_cut)));
}

char *control_format_status(const struct control_status *status)
{
	json_t *object = json_object();

	(void)json_object_set_new(object, "version", json_string(HOLDFAST_VERSION));
	(void)json_object_set_new(object, "pid", count_json(status->pid));
	(void)json_object_set_new(object, "since", time_json(status->since_ns));
	(void)json_object_set_new(object, "uptime_s", seconds_json(status->uptime_ns));
	(void)json_object_set_new(object, "ready", json_boolean(status->ready));
	add_mode(object, &status->mode);
	(void)json_object_set_new(object, "origin", json_string(status->origin));
	(void)json_object_set_new(object, "interfaces", interfaces_json(status));
	(void)json_object_set_new(object, "services", services_json(status));
	(void)json_object_set_new(object, "rates", status->has_rates ? sums_json(&status->rates) : json_null());
	(void)json_object_set_new(object, "totals", sums_json(&status->totals));
	(void)json_object_set_new(object, "blocks", blocks_json(&status->blocks));
	(void)json_object_set_new(object, "allowed", count_json(status->allowed));
	(void)json_object_set_new(object, "rules", rules_json(status->rules, status->rule_count));
	(void)json_object_set_new(object, "ways_in", ways_json(status));
	add_live(object, &status->live);
	(void)json_object_set_new(object, "samples",
	                          json_pack("{s:o,s:o,s:o}", "taken", count_json(status->samples_taken), "lost",
	                                    count_json(status->shield.samples_lost), "interval",
	                                    count_json(status->shield.arriving.interval)));
	(void)json_object_set_new(object, "flows_full", count_json(status->shield.flows_full));
	(void)json_object_set_new(object, "cookies_lost", count_json(status->cookies_lost));
	(void)json_object_set_new(
		object, "record",
		json_pack("{s:o,s:o,s:o,s:o,s:o}", "written", count_json(status->record_written), "lost",
	                  count_json(status->record_lost), "state", text_json(status->record_state), "incidents_lost",
	                  count_json(status->incidents_lost), "streams_cut", count_json(status->streams_cut)));
	(void)json_object_set_new(object, "links", links_json(status));
	(void)json_object_set_new(object, "alerts", alerts_json(status));
	(void)json_object_set_new(object, "roles",
	                          json_pack("{s:o,s:o,s:o,s:o,s:o}", "parent", count_json(status->pid), "loader",
	                                    count_json(status->loader_pid), "engine", count_json(status->engine_pid),
	                                    "recorder", count_json(status->recorder_pid), "restarts",
	                                    count_json(status->restarts)));
	return answer(object);
}
