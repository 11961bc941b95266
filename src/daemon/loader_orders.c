/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine may ask of the loader, in typed messages: rules, allowances, the mode, ways in, and what nftables holds too. */
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

static int add_rule(struct loader *loader, const struct message_rule *wanted, struct message_answer *answer,
                    struct shield_error *error)
{
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

static int remove_rule(struct loader *loader, uint32_t number, struct shield_error *error)
{
	int result = shield_remove_rule(loader->shield, number, error);

	return result ? result : mirror_remove_rule(&loader->mirror, number, error);
}

static int allow(struct loader *loader, const struct message_allow *wanted, struct message_answer *answer,
                 struct shield_error *error)
{
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
	int result = shield_set_mode(loader->shield, wanted->enforce != 0, until);

	if (result == 0)
		result = mirror_set_mode(&loader->mirror, error);
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

static int confirm(struct loader *loader, struct shield_error *error)
{
	struct shield_mode mode;
	int result = shield_read_mode(shield_maps(loader->shield), loader_now(loader), &mode);

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

static int disallow(struct loader *loader, const struct message_prefix *wanted, struct shield_error *error)
{
	struct prefix prefix = message_prefix(wanted);
	int result = shield_disallow(loader->shield, &prefix, error);

	return result ? result : mirror_unlist(&loader->mirror, NFT_ALLOWED, &prefix, error);
}

static int add_way(struct loader *loader, const struct message_prefix *wanted)
{
	struct prefix prefix = message_prefix(wanted);

	ways_add_client(&loader->ways, &prefix.address, role_monotonic_ns());
	return loader_set_guard(loader);
}

/* The engine has blocked these in the shield's own tables; where nftables stands in, it must have them too. */
static int block(struct loader *loader, const struct message_allow *wanted, struct shield_error *error)
{
	struct prefix prefixes[MESSAGE_PREFIXES_MAX];

	for (uint32_t i = 0; i < wanted->prefixes.count; i++)
		prefixes[i] = message_prefix(&wanted->prefixes.prefix[i]);
	return mirror_list(&loader->mirror, NFT_BLOCKED, prefixes, wanted->prefixes.count, wanted->for_ns, error);
}

int loader_obey(struct loader *loader, const struct message *message)
{
	struct message_answer answer = { .result = 0 };
	struct shield_error error = { .message = "" };
	struct prefix prefix;
	uint64_t id = message->id;

	switch ((enum message_type)message->type) {
	case MESSAGE_ADD_RULE:
		answer.result = add_rule(loader, &message->rule, &answer, &error);
		break;
	case MESSAGE_REMOVE_RULE:
		answer.result = remove_rule(loader, message->number, &error);
		break;
	case MESSAGE_RENEW_RULE:
		answer.result = shield_renew_rule(loader->shield, message->renewal.number,
		                                  loader_after(loader, message->renewal.for_ns), &error);
		break;
	case MESSAGE_ALLOW:
		answer.result = allow(loader, &message->allow, &answer, &error);
		break;
	case MESSAGE_DISALLOW:
		answer.result = disallow(loader, &message->prefix, &error);
		break;
	case MESSAGE_MODE:
		answer.result = loader_set_mode(loader, &message->mode, &error);
		break;
	case MESSAGE_CONFIRM:
		answer.result = confirm(loader, &error);
		break;
	case MESSAGE_WAY:
		(void)add_way(loader, &message->prefix); /* said there; the command that follows is not to fail of it */
		return 0;
	case MESSAGE_FREEZE:
		answer.result = shield_freeze(loader->shield, message->freeze.attacked,
		                              loader_after(loader, message->freeze.for_ns));
		break;
	case MESSAGE_BLOCK:
		answer.result = block(loader, &message->allow, &error);
		break;
	case MESSAGE_UNBLOCK:
		prefix = message_prefix(&message->prefix);
		answer.result = mirror_unlist(&loader->mirror, NFT_BLOCKED, &prefix, &error);
		break;
	case MESSAGE_BLOCKS:
		answer.result = mirror_blocks(&loader->mirror, &error);
		break;
	case MESSAGE_RESTORED:
		shield_count_from(loader->shield, message->number);
		return 0;
	case MESSAGE_CONFIG:
	case MESSAGE_RELOADED:
	case MESSAGE_APPLIED:
	case MESSAGE_RELOAD:
	case MESSAGE_MAPS:
	case MESSAGE_STATE:
	case MESSAGE_ANSWER:
	case MESSAGE_COUNTED:
	case MESSAGE_RECORD:
	case MESSAGE_ASK:
	case MESSAGE_SETTLED:
	case MESSAGE_CHECKPOINT:
	case MESSAGE_STREAM:
	case MESSAGE_INCIDENT:
	case MESSAGE_SIGNALS:
	case MESSAGE_DROPPED:
	case MESSAGE_RECORDED:
	case MESSAGE_IN_FORCE:
	case MESSAGE_LEARNED:
	case MESSAGE_MESSENGER:
	case MESSAGE_LINKS:
	case MESSAGE_ALERT:
	case MESSAGE_TEST_ALERT:
	case MESSAGE_ALERTED:
	case MESSAGE_TESTED:
	case MESSAGE_TYPES:
	default:
		return -EBADMSG; /* message_receive() lets none of these through */
	}
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
