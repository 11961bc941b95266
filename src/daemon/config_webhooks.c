/* SPDX-License-Identifier: Apache-2.0 */
/* Web servers that are told what is published. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config_reader.h"
#include "impact/component.h"
#include "tell/language.h"

static void read_components(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                            void *field)
{
	unsigned count = config_list_length(reader, key, node, key->high);
	char *list = field;
	size_t length = 0;

	for (unsigned i = 0; i < count; i++) {
		const yaml_node_t *item = config_list_item(reader, node, i);
		const char *text = config_scalar(reader, "a component", item);

		if (!text)
			continue;
		if (!component_id_ok(text)) {
			config_complain(reader, &item->start_mark,
			                "'%.*s' is no component's ID; 'holdfast page component list' lists them",
			                CONFIG_REPEATED_MAX, text);
			continue;
		}
		if (length)
			list[length++] = ',';
		memcpy(list + length, text, strlen(text) + 1);
		length += strlen(text);
	}
}

static void read_lang(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	const char *text = config_scalar(reader, key->name, node);
	enum language language;

	if (text && !language_find(text, &language))
		config_complain(reader, &node->start_mark, "%s is '%.*s'; write en or fr", key->name,
		                CONFIG_REPEATED_MAX, text);
	else if (text)
		(void)snprintf(field, CONFIG_LANG_SIZE, "%s", language_code(language));
}

#define IN_WEBHOOK(field) offsetof(struct config_webhook, field)
/* clang-format off */
static const struct config_key webhook_keys[] = {
	{ .name = "name", .read = config_read_word, .offset = IN_WEBHOOK(name), .high = ALERT_NAME_SIZE - 1, .needed = true },
	{ .name = "url", .read = config_read_url, .offset = IN_WEBHOOK(url), .high = ALERT_URL_SIZE - 1, .needed = true },
	{ .name = "secret_file", .read = config_read_path, .offset = IN_WEBHOOK(secret_file), .high = CONFIG_PATH_SIZE - 1, .needed = true },
	{ .name = "components", .read = read_components, .offset = IN_WEBHOOK(components), .high = CONFIG_WEBHOOK_COMPONENTS_MAX },
	{ .name = "lang", .read = read_lang, .offset = IN_WEBHOOK(lang) },
	{ .name = NULL },
};
/* clang-format on */

void config_read_webhooks(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                          void *field)
{
	static const struct config_items items = { .what = "a webhook",
		                                   .several = "webhooks",
		                                   .wants = "a name, url and secret_file",
		                                   .keys = webhook_keys,
		                                   .size = sizeof(struct config_webhook) };
	struct config *config = (struct config *)(void *)((char *)field - offsetof(struct config, webhooks));
	unsigned count;
	struct config_webhook *webhooks = config_read_items(reader, key, node, &items, &count);

	if (!webhooks)
		return;
	free(config->webhooks);
	config->webhooks = webhooks;
	config->webhook_count = count;
}
