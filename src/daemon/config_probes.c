/* SPDX-License-Identifier: Apache-2.0 */
/* What is checked from outside: targets, places that surely are up, and where a place that probes reports to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "daemon/config_reader.h"

static void read_id(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	const char *text = config_short_text(reader, key, key->name, node);

	if (text && !component_id_ok(text))
		config_complain(reader, &node->start_mark, "%s is '%.*s'; write 1 to 32 of a-z, 0-9 and '-'", key->name,
		                CONFIG_REPEATED_MAX, text);
	else if (text)
		memcpy(field, text, strlen(text) + 1);
}

static void read_target(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                        void *field)
{
	const char *text = config_short_text(reader, key, key->name, node), *what;
	struct probe_target target;

	if (text && probe_target_parse(text, &target, &what) != 0)
		config_complain(reader, &node->start_mark,
		                "%s is '%.*s': %s; write https://HOST/PATH, tcp://HOST:PORT …", key->name,
		                CONFIG_REPEATED_MAX, text, what);
	else if (text)
		memcpy(field, text, strlen(text) + 1);
}

static void read_resolver(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                          void *field)
{
	const char *text = config_short_text(reader, key, key->name, node), *what;
	struct probe_target target = { .port = 0 };

	if (text && probe_resolver_parse(text, &target, &what) != 0)
		config_complain(reader, &node->start_mark, "%s is '%.*s': %s; write ADDRESS or ADDRESS:PORT", key->name,
		                CONFIG_REPEATED_MAX, text, what);
	else if (text)
		memcpy(field, text, strlen(text) + 1);
}

#define IN_PROBE(field) offsetof(struct config_probe, field)
/* clang-format off */
static const struct config_key check_keys[] = {
	{ .name = "name", .read = read_id, .offset = IN_PROBE(name), .high = PROBE_NAME_SIZE - 1, .needed = true },
	{ .name = "component", .read = read_id, .offset = IN_PROBE(component), .high = COMPONENT_ID_SIZE - 1, .needed = true },
	{ .name = "target", .read = read_target, .offset = IN_PROBE(target), .high = PROBE_TARGET_SIZE - 1, .needed = true },
	{ .name = "timeout", .read = config_read_duration, .offset = IN_PROBE(timeout_ns), .low = NS_PER_S,
	  .high = (int64_t)PROBE_TIMEOUT_MS_MAX * NS_PER_MS, .standard = (int64_t)PROBE_TIMEOUT_MS * NS_PER_MS },
	{ .name = "expect_status", .read = config_read_number, .offset = IN_PROBE(expect_status), .low = 100, .high = 599 },
	{ .name = "expect_text", .read = config_read_name, .offset = IN_PROBE(expect_text), .high = PROBE_TEXT_SIZE - 1 },
	{ .name = "resolver", .read = read_resolver, .offset = IN_PROBE(resolver), .high = CONFIG_RESOLVER_SIZE - 1 },
	{ .name = NULL },
};
/* clang-format on */

static void read_checks(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                        void *field)
{
	static const struct config_items items = { .what = "a check",
		                                   .several = "checks",
		                                   .wants = "a name, a component and a target",
		                                   .keys = check_keys,
		                                   .size = sizeof(struct config_probe) };
	struct config_probes *probes =
		(struct config_probes *)(void *)((char *)field - offsetof(struct config_probes, checks));
	unsigned count;
	struct config_probe *checks = config_read_items(reader, key, node, &items, &count);

	if (!checks)
		return;
	free(probes->checks);
	probes->checks = checks;
	probes->check_count = count;
}

static void read_canaries(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                          void *field)
{
	static const struct config_key one = { .name = "a canary", .high = PROBE_TARGET_SIZE - 1 };
	struct config_probes *probes =
		(struct config_probes *)(void *)((char *)field - offsetof(struct config_probes, canaries));

	probes->canary_count = config_list_length(reader, key, node, key->high);
	for (unsigned i = 0; i < probes->canary_count; i++)
		read_target(reader, &one, config_list_item(reader, node, i), probes->canaries[i]);
}

#define IN_CONFIG(field) offsetof(struct config, field)
/* clang-format off */
const struct config_key config_probes_keys[] = {
	{ .name = "every", .read = config_read_duration, .offset = IN_CONFIG(probes.every_ns), .low = 2 * NS_PER_S,
	  .high = 3600 * NS_PER_S, .standard = PROBE_EVERY_NS },
	{ .name = "vantage", .read = read_id, .offset = IN_CONFIG(probes.vantage), .high = VANTAGE_SIZE - 1 },
	{ .name = "network", .read = config_read_number, .offset = IN_CONFIG(probes.network), .low = 1, .high = UINT32_MAX },
	{ .name = "home", .read = config_read_url, .offset = IN_CONFIG(probes.home), .high = ALERT_URL_SIZE - 32 },
	{ .name = "key_file", .read = config_read_path, .offset = IN_CONFIG(probes.key_file), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "ca_file", .read = config_read_path, .offset = IN_CONFIG(probes.ca_file), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "canaries", .read = read_canaries, .offset = IN_CONFIG(probes.canaries), .high = PROBE_CANARIES_MAX },
	{ .name = "checks", .read = read_checks, .offset = IN_CONFIG(probes.checks), .high = PROBE_CHECKS_MAX },
	{ .name = NULL },
};
/* clang-format on */

void config_probes_fini(struct config_probes *probes)
{
	free(probes->checks);
}

void config_probe_check(const struct config_probe *probe, struct probe_check *check)
{
	const char *what; /* it was read once, so that it can be read */

	memset(check, 0, sizeof(*check));
	memcpy(check->name, probe->name, sizeof(check->name));
	memcpy(check->component, probe->component, sizeof(check->component));
	memcpy(check->text, probe->target, sizeof(check->text));
	(void)probe_target_parse(probe->target, &check->target, &what);
	if (probe->resolver[0] && !check->target.resolver[0])
		(void)probe_resolver_parse(probe->resolver, &check->target, &what);
	check->timeout_ms = (uint32_t)(probe->timeout_ns / NS_PER_MS);
	check->expect_status = probe->expect_status;
	memcpy(check->expect_text, probe->expect_text, sizeof(check->expect_text));
}

void config_canary_check(const char *target, struct probe_check *check)
{
	struct config_probe probe = { .name = "canary", .timeout_ns = (int64_t)PROBE_TIMEOUT_MS * NS_PER_MS };

	(void)snprintf(probe.target, sizeof(probe.target), "%s", target);
	config_probe_check(&probe, check);
}
