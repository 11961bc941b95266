/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An order to the daemon, from what was typed to what it answers. What goes wrong on the way is said here, so that a
 * command only passes on the exit status: COMMAND_NO_DAEMON where nobody listens, what the daemon says where it
 * refuses.
 */
#ifndef HOLDFAST_CLI_ORDER_H
#define HOLDFAST_CLI_ORDER_H

#include <stdbool.h>

#include <jansson.h>

#include "base/time.h"
#include "cli/control_client.h"
#include "cli/place.h"
#include "cli/session.h"

#define ORDER_PATIENCE_NS (2 * NS_PER_S)

struct order {
	const char *command;             /* as typed: where complaints come from */
	char session[SESSION_TEXT_SIZE]; /* who is at the keyboard, as SSH_CLIENT has it; "" where nobody knows */
	struct place place;
	bool silent; /* somebody listens, who does not answer */
	struct control_client client;
};

/* Finds the daemon by the configuration that --config names (NULL: the usual one). COMMAND_DONE: to be ended. */
int order_begin(struct order *order, const char *command, const char *config);
/*
 * The same for what can be done without the daemon: where nobody listens, or who listens does not answer within
 * ORDER_PATIENCE_NS, that is no error but *running false.
 */
int order_begin_if_running(struct order *order, const char *command, const char *config, bool *running);
/* Says that nobody listens, or answers, and what to do. COMMAND_NO_DAEMON. */
int order_say_no_daemon(const struct order *order);
void order_end(struct order *order);

/* Takes the request, NULL too (out of memory). COMMAND_DONE, and *result is the caller's; or the exit status, said. */
int order_give(struct order *order, json_t *request, json_t **result);
/* The same, with who is at the keyboard in it: orders that change something keep the operator's way in open. */
int order_operate(struct order *order, json_t *request, json_t **result);
/* The same, but what the daemon refuses is not said: *refusal is then its answer, the caller's, and *result NULL. */
int order_attempt(struct order *order, json_t *request, json_t **result, json_t **refusal);
/* Says what order_attempt() left unsaid. The exit status. */
int order_say_refusal(const struct order *order, const json_t *refusal);

/* The mode that the daemon is in: "observe", "enforce". Of static life. */
int order_mode(struct order *order, const char **mode);

/* One JSON object on standard output, which is taken, with its schema first. The exit status. */
int order_print_json(const char *schema, json_t *facts);

#endif
