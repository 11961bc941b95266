/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine may ask of the loader, in typed messages: rules, allowances, the mode, ways in, and what nftables
 * holds too.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "daemon/loader_inside.h"
#include "daemon/log.h"
#include "daemon/message.h"
#include "daemon/role.h"
#include "engine/live.h"
#include "shield/maps.h"
#include "shield/shield.h"

/* The engine's own leave room for people's. */
static int check_room(const struct loader *loader, struct shield_error *error)
{
	struct shield_rule_told *told = calloc(SHIELD_RULES_MAX, sizeof(*told));
	unsigned count = 0, own = 0;
	int result = told ? shield_read_rules(shield_maps(loader->shield), loader_now(loader), told, &count) : -ENOMEM;

	for (unsigned i = 0; i < count && result == 0; i++)
		own += told[i].made_by == SHIELD_BY_ENGINE;
	free(told);
	if (result == 0 && own >= LIVE_RULES_MAX) {
		(void)snprintf(error->message, sizeof(error->message), "%u rules of the engine's own are in force",
		               own);
		result = -ENOSPC;
	}
	return result;
}

static int add_rule(struct loader *loader, const struct message *message, struct message_answer *answer,
                    struct shield_error *error)
{
	const struct message_rule *wanted = &message->rule;
	struct shield_making making = { .expires = loader_after(loader, wanted->for_ns),
		                        .made_ns = wanted->made_ns,
		                        .made_by = wanted->made_by,
		                        .shadow = wanted->shadow != 0,
		                        .spare = wanted->spare != 0,
		                        .probe = wanted->probe != 0,
		                        .known = wanted->known != 0,
		                        .each = wanted->each != 0,
		                        .source_pps = wanted->source_pps,
		                        .arm_pps = wanted->arm_pps,
		                        .hold_s = wanted->hold_s };
	struct rule rule;
	int result = message_take_rule(wanted, &rule);

	if (result != 0) {
		(void)snprintf(error->message, sizeof(error->message), "the match is none");
		return result;
	}
	if (wanted->made_by == SHIELD_BY_ENGINE)
		result = check_room(loader, error);
	if (result != 0)
		return result;
	memcpy(making.reason, wanted->reason, sizeof(making.reason));
	shield_count_from(loader->shield, wanted->number);
	result = shield_add_rule(loader->shield, &rule, &making, &answer->number, error);
	if (result != 0)
		return result;
	result = mirror_add_rule(&loader->mirror, answer->number, error);
	if (result != 0) { /* in force on all interfaces, or on none */
		struct shield_error unused;

		(void)shield_remove_rule(loader->shield, answer->number, &unused);
	}
	return result;
}

static int remove_rule(struct loader *loader, const struct message *message, struct message_answer *answer,
                       struct shield_error *error)
{
	int result = shield_remove_rule(loader->shield, message->number, error);

	(void)answer;
	return result ? result : mirror_remove_rule(&loader->mirror, message->number, error);
}

static int renew_rule(struct loader *loader, const struct message *message, struct message_answer *answer,
                      struct shield_error *error)
{
	(void)answer;
	return shield_renew_rule(loader->shield, message->renewal.number, loader_after(loader, message->renewal.for_ns),
	                         error);
}

static int allow(struct loader *loader, const struct message *message, struct message_answer *answer,
                 struct shield_error *error)
{
	const struct message_allow *wanted = &message->allow;
	uint64_t expires = loader_after(loader, wanted->for_ns);

	for (uint32_t i = 0; i < wanted->prefixes.count; i++) {
		struct prefix prefix = message_prefix(&wanted->prefixes.prefix[i]);
		int result = shield_allow(loader->shield, &prefix, expires, error);

		if (result == 0)
			result = mirror_list(&loader->mirror, NFT_ALLOWED, &prefix, 1, wanted->for_ns, error);
		if (result != 0)
			return result;
		answer->done++;
	}
	return 0;
}

int loader_set_mode(struct loader *loader, const struct message_mode *wanted, struct shield_error *error)
{
	uint64_t until = wanted->enforce && wanted->for_ns ? loader_after(loader, wanted->for_ns) : SHIELD_NEVER;
	struct shield_mode before;
	int result = shield_read_mode(shield_maps(loader->shield), loader_now(loader), &before);

	if (result == 0) {
		shield_set_mode(loader->shield, wanted->enforce != 0, until);
		result = mirror_set_mode(&loader->mirror, error);
		/* What is not enforced by all is enforced by none that did not; but whoever can let pass does. */
		if (result != 0 && wanted->enforce)
			shield_set_mode(loader->shield, before.enforce, before.until);
	}
	if (result != 0 && !error->message[0])
		(void)snprintf(error->message, sizeof(error->message), "the mode cannot be set: %s", strerror(-result));
	if (result != 0)
		return result;
	if (!wanted->enforce)
		LOG_SAY(LOG_NOTICE, "mode is observe: nothing is dropped");
	else if (wanted->for_ns)
		LOG_SAY(LOG_NOTICE, "mode is enforce for %" PRId64 " s; unless it is confirmed, observe again then",
		        wanted->for_ns / (int64_t)NS_PER_S);
	else
		LOG_SAY(LOG_NOTICE, "mode is enforce");
	return 0;
}

static int set_mode(struct loader *loader, const struct message *message, struct message_answer *answer,
                    struct shield_error *error)
{
	(void)answer;
	return loader_set_mode(loader, &message->mode, error);
}

static int confirm(struct loader *loader, const struct message *message, struct message_answer *answer,
                   struct shield_error *error)
{
	struct shield_mode mode;
	int result = shield_read_mode(shield_maps(loader->shield), loader_now(loader), &mode);

	(void)message;
	(void)answer;
	if (result != 0) {
		(void)snprintf(error->message, sizeof(error->message), "the mode cannot be read: %s",
		               strerror(-result));
		return result;
	}
	if (!mode.enforce || mode.until == SHIELD_NEVER) {
		(void)snprintf(error->message, sizeof(error->message), "nothing waits to be confirmed: mode is %s",
		               mode.enforce ? "enforce, for good" : "observe");
		(void)snprintf(error->advice, sizeof(error->advice), "%s",
		               mode.enforce ? "" : "'holdfast enforce --confirm 60s' begins anew");
		return -ENOENT;
	}
	return loader_set_mode(loader, &(struct message_mode){ .enforce = 1 }, error);
}

static int disallow(struct loader *loader, const struct message *message, struct message_answer *answer,
                    struct shield_error *error)
{
	struct prefix prefix = message_prefix(&message->prefix);
	int result = shield_disallow(loader->shield, &prefix, error);

	(void)answer;
	return result ? result : mirror_unlist(&loader->mirror, NFT_ALLOWED, &prefix, error);
}

/* What is wrong is said there; the command that follows is not to fail of it. */
static int add_way(struct loader *loader, const struct message *message, struct message_answer *answer,
                   struct shield_error *error)
{
	struct prefix prefix = message_prefix(&message->prefix);

	(void)answer;
	(void)error;
	ways_add_client(&loader->ways, &prefix.address, role_monotonic_ns());
	(void)loader_set_guard(loader);
	return 0;
}

static int freeze(struct loader *loader, const struct message *message, struct message_answer *answer,
                  struct shield_error *error)
{
	(void)answer;
	(void)error;
	shield_freeze(loader->shield, message->freeze.attacked, loader_after(loader, message->freeze.for_ns));
	return 0;
}

/* The engine has blocked these in the shield's own tables; where nftables stands in, it must have them too. */
static int block(struct loader *loader, const struct message *message, struct message_answer *answer,
                 struct shield_error *error)
{
	const struct message_allow *wanted = &message->allow;
	struct prefix prefixes[MESSAGE_PREFIXES_MAX];

	(void)answer;
	for (uint32_t i = 0; i < wanted->prefixes.count; i++)
		prefixes[i] = message_prefix(&wanted->prefixes.prefix[i]);
	return mirror_list(&loader->mirror, NFT_BLOCKED, prefixes, wanted->prefixes.count, wanted->for_ns, error);
}

static int unblock(struct loader *loader, const struct message *message, struct message_answer *answer,
                   struct shield_error *error)
{
	struct prefix prefix = message_prefix(&message->prefix);

	(void)answer;
	return mirror_unlist(&loader->mirror, NFT_BLOCKED, &prefix, error);
}

static int mirror_all(struct loader *loader, const struct message *message, struct message_answer *answer,
                      struct shield_error *error)
{
	(void)message;
	(void)answer;
	return mirror_blocks(&loader->mirror, error);
}

static int count_from(struct loader *loader, const struct message *message, struct message_answer *answer,
                      struct shield_error *error)
{
	(void)answer;
	(void)error;
	shield_count_from(loader->shield, message->number);
	return 0;
}

/* What is done of each message: 0, or -errno with what is wrong in *error. NULL: it is no order. */
static const struct {
	int (*obey)(struct loader *loader, const struct message *message, struct message_answer *answer,
	            struct shield_error *error);
	bool unanswered;
} orders[MESSAGE_TYPES] = {
	[MESSAGE_ADD_RULE] = { .obey = add_rule },
	[MESSAGE_REMOVE_RULE] = { .obey = remove_rule },
	[MESSAGE_RENEW_RULE] = { .obey = renew_rule },
	[MESSAGE_ALLOW] = { .obey = allow },
	[MESSAGE_DISALLOW] = { .obey = disallow },
	[MESSAGE_MODE] = { .obey = set_mode },
	[MESSAGE_CONFIRM] = { .obey = confirm },
	[MESSAGE_WAY] = { .obey = add_way, .unanswered = true },
	[MESSAGE_FREEZE] = { .obey = freeze },
	[MESSAGE_BLOCK] = { .obey = block },
	[MESSAGE_UNBLOCK] = { .obey = unblock },
	[MESSAGE_BLOCKS] = { .obey = mirror_all },
	[MESSAGE_RESTORED] = { .obey = count_from, .unanswered = true },
};

int loader_obey(struct loader *loader, const struct message *message)
{
	struct message_answer answer = { .result = 0 };
	struct shield_error error = { .message = "" };
	uint64_t id = message->id;

	if (message->type >= MESSAGE_TYPES || !orders[message->type].obey)
		return -EBADMSG; /* message_receive() lets none of these through */
	answer.result = orders[message->type].obey(loader, message, &answer, &error);
	if (orders[message->type].unanswered)
		return 0;
	if (id == 0) { /* it is put back, and nobody waits for an answer */
		if (answer.result != 0)
			LOG_SAY(LOG_WARNING, "not in force: %s",
			        error.message[0] ? error.message : strerror(-answer.result));
		return 0;
	}
	if (answer.result != 0 && !error.message[0])
		(void)snprintf(error.message, sizeof(error.message), "%s", strerror(-answer.result));
	message_text(answer.what, sizeof(answer.what), error.message);
	message_text(answer.hint, sizeof(answer.hint), error.advice);
	message_init(&loader->message, MESSAGE_ANSWER, id);
	loader->message.answer = answer;
	return message_send(ROLE_FD_ENGINE, &loader->message, NULL, 0);
}
