/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is a way, a number of descriptors, and a datagram that a role got. Whatever passes message_check() can be
 * read by who gets it: texts end, counts are within bounds, prefixes are prefixes.
 */
#include <stdint.h>
#include <string.h>

#include "harness.h"
#include "daemon/message.h"

static void inspect_prefixes(const struct message_prefixes *prefixes)
{
	REQUIRE(prefixes->count <= MESSAGE_PREFIXES_MAX);
	for (uint32_t i = 0; i < prefixes->count; i++) {
		struct prefix prefix = message_prefix(&prefixes->prefix[i]), again;
		char text[PREFIX_TEXT_SIZE];

		REQUIRE(prefix_parse(prefix_format(&prefix, text), &again) == 0);
		REQUIRE(prefix_equal(&prefix, &again));
	}
}

static void inspect_rule(const struct message_rule *from)
{
	struct rule rule;

	REQUIRE(strlen(from->reason) < sizeof(from->reason));
	REQUIRE(from->hold_s <= MESSAGE_HOLD_S_MAX && from->spare <= 1 && from->probe <= 1 && from->known <= 1 &&
	        from->each <= 1);
	if (message_take_rule(from, &rule) == 0)
		REQUIRE(rule.match.count >= 1 && rule.match.count <= MATCH_TERMS_MAX && rule.action <= RULE_CHALLENGE);
}

static void inspect(const struct message *message, enum message_way way)
{
	switch (message->type) {
	case MESSAGE_ADD_RULE:
		REQUIRE(way == MESSAGE_ENGINE_TO_LOADER);
		inspect_rule(&message->rule);
		break;
	case MESSAGE_ALLOW:
		REQUIRE(way == MESSAGE_ENGINE_TO_LOADER && message->allow.for_ns > 0);
		inspect_prefixes(&message->allow.prefixes);
		break;
	case MESSAGE_RECORD:
		REQUIRE(way == MESSAGE_ENGINE_TO_RECORDER);
		REQUIRE(strlen(message->record.object) < sizeof(message->record.object));
		REQUIRE(strlen(message->record.arguments) < sizeof(message->record.arguments));
		inspect_prefixes(&message->record.prefixes);
		inspect_rule(&message->record.rule);
		break;
	case MESSAGE_RENEW_RULE:
		REQUIRE(way == MESSAGE_ENGINE_TO_LOADER && message->renewal.number > 0 && message->renewal.for_ns > 0);
		break;
	case MESSAGE_CHECKPOINT:
	case MESSAGE_LEARNED:
		REQUIRE(message->checkpoint.length > 0 && message->checkpoint.length <= MESSAGE_CHECKPOINT_MAX);
		break;
	case MESSAGE_STREAM:
		REQUIRE(way == MESSAGE_ENGINE_TO_RECORDER && message->stream.kind < MESSAGE_STREAM_KINDS);
		REQUIRE(message->stream.length <= MESSAGE_SEGMENT_MAX ||
		        message->stream.kind != MESSAGE_STREAM_SEGMENT);
		break;
	case MESSAGE_INCIDENT:
		REQUIRE(way == MESSAGE_ENGINE_TO_RECORDER && message->incident.length <= MESSAGE_JSON_MAX);
		REQUIRE(strlen(message->incident.service) < sizeof(message->incident.service));
		REQUIRE(strlen(message->incident.target) < sizeof(message->incident.target));
		REQUIRE(strlen(message->incident.vector) < sizeof(message->incident.vector));
		break;
	case MESSAGE_APPLIED:
		REQUIRE(way == MESSAGE_ROLE_TO_PARENT && message->applied.line_count <= MESSAGE_LINES_MAX);
		for (uint32_t i = 0; i < message->applied.line_count; i++)
			REQUIRE(strlen(message->applied.lines[i]) < CONFIG_ERROR_SIZE);
		break;
	case MESSAGE_STATE:
		REQUIRE(way == MESSAGE_LOADER_TO_ENGINE && message->state.hook_count <= SHIELD_INTERFACES_MAX);
		break;
	case MESSAGE_LINKS:
		REQUIRE(way == MESSAGE_LOADER_TO_ENGINE && message->links.count <= SHIELD_INTERFACES_MAX);
		for (uint32_t i = 0; i < message->links.count; i++)
			REQUIRE(strlen(message->links.links[i].name) < sizeof(message->links.links[i].name));
		break;
	case MESSAGE_ALERT: {
		static const struct alert_target hook = { .type = ALERT_WEBHOOK, .url = "http://localhost/" };
		struct alert_request request;

		REQUIRE(way == MESSAGE_ENGINE_TO_MESSENGER && message->alert.change < ALERT_TEST);
		REQUIRE(alert_request(&hook, "", &message->alert, &request) == 0); /* whatever the texts are */
		alert_request_fini(&request);
		break;
	}
	case MESSAGE_TEST_ALERT:
		REQUIRE(way == MESSAGE_ENGINE_TO_MESSENGER && strlen(message->target) < sizeof(message->target));
		break;
	case MESSAGE_ALERTED:
		REQUIRE(strlen(message->alerted.state) < sizeof(message->alerted.state));
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct message message;
	enum message_way way;
	unsigned fd_count;

	if (size < 2)
		return 0;
	way = (enum message_way)(data[0] % (MESSAGE_MESSENGER_TO_ENGINE + 1));
	fd_count = data[1] % (MESSAGE_FDS_MAX + 1);
	data += 2;
	size = size - 2 < sizeof(message) ? size - 2 : sizeof(message);
	memset(&message, 0x55, sizeof(message)); /* what did not come is no zero */
	memcpy(&message, data, size);
	if (message_check(way, &message, size, fd_count) == 0)
		inspect(&message, way);
	return 0;
}
