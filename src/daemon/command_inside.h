/* SPDX-License-Identifier: Apache-2.0 */
/* What the files share that do what clients of the engine ask. */
#ifndef HOLDFAST_DAEMON_COMMAND_INSIDE_H
#define HOLDFAST_DAEMON_COMMAND_INSIDE_H

#include "daemon/engine.h"

/* ---- command_outcome.c ---- */

void command_refuse(struct engine *engine, uint64_t client, const struct control_error *error);
/* Records what came of a request as a whole; of its prefixes the first. `outcome`: "done", "refused", "failed". */
struct message_record *command_record(struct engine *engine, const struct client_peer *peer,
                                      const struct control_request *request, const char *outcome, const char *what);

/* Prefixes that met with the same outcome, gathered into as few entries of the record as hold them. */
struct gathering {
	struct engine *engine;
	const struct client_peer *peer;
	const struct control_request *request;
	const char *outcome;
	int64_t until_ns; /* since the Unix epoch; 0: for good, or it was not done */
	struct message_record *entry;
};

void command_gather(struct gathering *gathering, const struct prefix *prefix, const char *what);

/* Of a request's prefixes one that was refused; of more than CONTROL_REFUSALS_MAX only the number is told. */
__attribute__((format(printf, 4, 5))) void command_refuse_prefix(struct control_tally *tally,
                                                                 const struct prefix *prefix, const char *hint,
                                                                 const char *format, ...);
/* An answer, the caller's. Something done: the tally. Nothing done: the first refusal. */
char *command_format_tally(enum control_command command, const char *done, const struct control_tally *tally);

/* ---- command_block.c ---- */

void command_block(struct engine *engine, uint64_t client, const struct client_peer *peer,
                   const struct control_request *request);

/* ---- operation.c ---- */

/* What the loader is to do; takes the request over, and answers when that is done or has failed. */
void operation_begin(struct engine *engine, uint64_t client, const struct client_peer *peer,
                     const struct control_request *request);
void operations_fini(struct engine *engine);

#endif
