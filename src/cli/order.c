/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/order.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/say.h"

#define DUMPED (JSON_INDENT(2) | JSON_REAL_PRECISION(12)) /* 3594.519, not 3594.5189999999998 */
#define LOOK "look into its log ('journalctl -u holdfast')"

/* What became of reaching the daemon at `socket`, in words. The exit status. */
static int unreachable(const char *socket, int result)
{
	switch (-result) {
	case ENOENT:
	case ECONNREFUSED:
		say_error(socket, "the daemon is not running; start it with 'systemctl start holdfast', "
		                  "or as root with 'holdfast run'");
		return COMMAND_NO_DAEMON;
	case EACCES:
	case EPERM:
		say_error(socket, "it is not for you to open; be root, or a member of the group holdfast");
		return COMMAND_BAD;
	case ENAMETOOLONG:
		say_error(socket, "is too long for a socket; set a shorter run_dir");
		return COMMAND_BAD;
	case EAGAIN:
		say_error(socket, "the daemon takes no more clients; wait for the others to end, or " LOOK);
		return COMMAND_BAD;
	default:
		say_error(socket, "cannot reach the daemon: %s; " LOOK, strerror(-result));
		return COMMAND_BAD;
	}
}

static int unanswered(const struct order *order, int result)
{
	const char *socket = order->place.socket;

	switch (-result) {
	case ETIMEDOUT:
		say_error(socket,
		          "the daemon did not answer within %d s, and may have done it all the same; "
		          "see 'holdfast status', or " LOOK,
		          (int)(order->client.wait_ns / NS_PER_S));
		break;
	case ECONNRESET:
		say_error(socket, "the daemon ended the connection without an answer; see 'holdfast status', or " LOOK);
		break;
	case EBADMSG:
	case EMSGSIZE:
		say_error(socket,
		          "what answers is no daemon of this version; restart it with 'systemctl restart holdfast'");
		break;
	case E2BIG:
		say_error(order->command, "that is more than the daemon takes at a time; ask for less");
		break;
	default:
		say_error(socket, "cannot ask the daemon: %s; " LOOK, strerror(-result));
		break;
	}
	return COMMAND_BAD;
}

static bool is_nobody(int result)
{
	return result == -ENOENT || result == -ECONNREFUSED;
}

/* *running false: nobody listens. */
static int reach(struct order *order, const char *command, const char *config, bool *running)
{
	struct session session;
	int status, result;

	*order = (struct order){ .command = command };
	if (session_find(&session) == 0)
		session_format(&session, order->session);
	status = place_find(command, config, &order->place);
	if (status != COMMAND_DONE)
		return status;
	result = control_client_open(order->place.socket, &order->client);
	if (result && !is_nobody(result))
		return unreachable(order->place.socket, result);
	*running = !result;
	return COMMAND_DONE;
}

/* Who hangs, or has been stopped, takes connections all the same: the kernel does. */
static bool answers(struct order *order)
{
	json_t *request = json_pack("{s:s}", "command", "ping"), *answer = NULL;
	int64_t wait_ns = order->client.wait_ns;
	int result;

	order->client.wait_ns = ORDER_PATIENCE_NS;
	result = request ? control_client_ask(&order->client, request, &answer) : -ENOMEM;
	order->client.wait_ns = wait_ns;
	json_decref(request);
	json_decref(answer);
	return result != -ETIMEDOUT; /* what else is wrong shows when it is asked */
}

int order_begin_if_running(struct order *order, const char *command, const char *config, bool *running)
{
	int status = reach(order, command, config, running);

	if (status != COMMAND_DONE || !*running || answers(order))
		return status;
	order_end(order);
	order->silent = true;
	*running = false;
	return COMMAND_DONE;
}

int order_begin(struct order *order, const char *command, const char *config)
{
	bool running;
	int status = reach(order, command, config, &running);

	return status == COMMAND_DONE && !running ? order_say_no_daemon(order) : status;
}

int order_say_no_daemon(const struct order *order)
{
	if (!order->silent)
		return unreachable(order->place.socket, -ENOENT);
	say_error(order->place.socket,
	          "the daemon does not answer within %d s: it hangs, or was stopped; what is in force stays so; "
	          "restart it with 'systemctl restart holdfast', or " LOOK,
	          (int)(ORDER_PATIENCE_NS / NS_PER_S));
	return COMMAND_NO_DAEMON;
}

void order_end(struct order *order)
{
	control_client_close(&order->client);
}

static const char *text_of(const json_t *answer, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(answer, key));

	return text && *text ? text : otherwise;
}

int order_say_refusal(const struct order *order, const json_t *refusal)
{
	json_int_t status = json_integer_value(json_object_get(refusal, "exit"));
	const char *hint = text_of(refusal, "hint", NULL);

	say_error(text_of(refusal, "where", order->command), "%s%s%s", text_of(refusal, "what", "the daemon refuses"),
	          hint ? "; " : "", hint ? hint : "");
	return status >= COMMAND_BAD && status <= COMMAND_NO_DAEMON ? (int)status : COMMAND_BAD;
}

/* Takes the request. An answer that says neither yes nor no is none. */
static int ask(struct order *order, json_t *request, json_t **result, json_t **refusal)
{
	json_t *answer, *inner;
	int failed;

	if (!request) {
		say_error(order->command, "out of memory; free some");
		return COMMAND_BAD;
	}
	failed = control_client_ask(&order->client, request, &answer);
	json_decref(request);
	if (failed)
		return unanswered(order, failed);
	inner = json_object_get(answer, "result");
	*result = NULL;
	*refusal = NULL;
	if (json_is_true(json_object_get(answer, "ok")) && json_is_object(inner))
		*result = json_incref(inner);
	else if (json_is_false(json_object_get(answer, "ok")))
		*refusal = json_incref(answer);
	json_decref(answer);
	return *result || *refusal ? COMMAND_DONE : unanswered(order, -EBADMSG);
}

/* Takes the request, and gives it back, or NULL. */
static json_t *signed_request(const struct order *order, json_t *request)
{
	if (!request || !order->session[0] || json_object_set_new(request, "client", json_string(order->session)) == 0)
		return request;
	json_decref(request);
	return NULL;
}

int order_give(struct order *order, json_t *request, json_t **result)
{
	json_t *refusal;
	int status = ask(order, request, result, &refusal);

	if (status == COMMAND_DONE && refusal) {
		status = order_say_refusal(order, refusal);
		json_decref(refusal);
	}
	return status;
}

int order_operate(struct order *order, json_t *request, json_t **result)
{
	return order_give(order, signed_request(order, request), result);
}

int order_attempt(struct order *order, json_t *request, json_t **result, json_t **refusal)
{
	return ask(order, signed_request(order, request), result, refusal);
}

int order_mode(struct order *order, const char **mode)
{
	json_t *result;
	int status = order_give(order, json_pack("{s:s}", "command", "status"), &result);

	if (status != COMMAND_DONE)
		return status;
	*mode = strcmp(text_of(result, "mode", ""), "enforce") == 0 ? "enforce" : "observe";
	json_decref(result);
	return COMMAND_DONE;
}

int order_print_json(const char *schema, json_t *facts)
{
	json_t *whole = facts ? json_pack("{s:s}", "schema", schema) : NULL;
	int result = whole && json_object_update(whole, facts) == 0 ? json_dumpf(whole, stdout, DUMPED) : -1;

	json_decref(whole);
	json_decref(facts);
	if (result == 0)
		(void)fputc('\n', stdout);
	else
		say_error("standard output", "cannot write; give it more room");
	return result == 0 ? output_finish() : COMMAND_BAD;
}
