/* SPDX-License-Identifier: Apache-2.0 */
/* The public status page: its looks, and where it goes. */
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "daemon/config_reader.h"

#define DAY_NS (86400 * NS_PER_S)
#define PUBLISH_EVERY_NS (300 * NS_PER_S)

bool config_rsync_is_good(const char *target)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t length = strspn(target, letters);

	if (target[0] == '-' || target[0] == '.' || length == 0)
		return false;
	if (target[length] == '@') {
		target += length + 1;
		length = strspn(target, letters);
		if (target[0] == '-' || target[0] == '.' || length == 0)
			return false;
	}
	if (target[length] != ':' || target[length + 1] != '/')
		return false;
	target += length + 1;
	while (*target == '/' || (*target && strchr(letters, *target)))
		target++;
	return *target == '\0';
}

static void read_rsync(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	const char *text = config_short_text(reader, key, key->name, node);

	if (text && !config_rsync_is_good(text))
		config_complain(reader, &node->start_mark,
		                "%s is '%.*s'; write user@host:/path, of letters, digits, '.', '_' and '-'", key->name,
		                CONFIG_REPEATED_MAX, text);
	else if (text)
		memcpy(field, text, strlen(text) + 1);
}

static void read_languages(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                           void *field)
{
	struct config_page *page =
		(struct config_page *)(void *)((char *)field - offsetof(struct config_page, languages));
	unsigned count = config_list_length(reader, key, node, key->high);

	page->language_count = 0;
	for (unsigned i = 0; i < count; i++) {
		const yaml_node_t *item = config_list_item(reader, node, i);
		const char *text = config_scalar(reader, "a language", item);
		enum language language;
		bool twice = false;

		if (!text)
			continue;
		if (!language_find(text, &language)) {
			config_complain(reader, &item->start_mark, "'%.*s' is no language of ours; there are en, fr",
			                CONFIG_REPEATED_MAX, text);
			continue;
		}
		for (unsigned k = 0; k < page->language_count; k++)
			twice = twice || page->languages[k] == language;
		if (twice)
			config_complain(reader, &item->start_mark, "language %s is named twice; once is enough", text);
		else
			page->languages[page->language_count++] = language;
	}
}

/* A time, or off: 0. */
static void read_publish_every(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                               void *field)
{
	const char *text = config_scalar(reader, key->name, node);

	if (text && strcmp(text, "off") == 0)
		*(int64_t *)field = 0;
	else if (text)
		config_read_duration(reader, key, node, field);
}

#define IN_TARGET(field) offsetof(struct config_page_target, field)
/* clang-format off */
static const struct config_key target_keys[] = {
	{ .name = "name", .read = config_read_word, .offset = IN_TARGET(name), .high = ALERT_NAME_SIZE - 1, .needed = true },
	{ .name = "rsync", .read = read_rsync, .offset = IN_TARGET(rsync), .high = CONFIG_RSYNC_SIZE - 1, .needed = true },
	{ .name = "ssh_key", .read = config_read_path, .offset = IN_TARGET(ssh_key), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "known_hosts", .read = config_read_path, .offset = IN_TARGET(known_hosts), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "ssh_port", .read = config_read_number, .offset = IN_TARGET(ssh_port), .low = 1, .high = UINT16_MAX, .standard = 22 },
	{ .name = NULL },
};
/* clang-format on */

static void read_targets(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                         void *field)
{
	static const struct config_items items = { .what = "a target",
		                                   .several = "targets",
		                                   .wants = "a name and rsync",
		                                   .keys = target_keys,
		                                   .size = sizeof(struct config_page_target) };
	struct config_page *page =
		(struct config_page *)(void *)((char *)field - offsetof(struct config_page, targets));
	unsigned count;
	struct config_page_target *targets = config_read_items(reader, key, node, &items, &count);

	if (!targets)
		return;
	free(page->targets);
	page->targets = targets;
	page->target_count = count;
}

#define IN_CONFIG(field) offsetof(struct config, field)
/* clang-format off */
const struct config_key config_page_keys[] = {
	{ .name = "title", .read = config_read_name, .offset = IN_CONFIG(page.title[LANGUAGE_EN]), .high = CONFIG_PAGE_TITLE_SIZE - 1 },
	{ .name = "title_fr", .read = config_read_name, .offset = IN_CONFIG(page.title[LANGUAGE_FR]), .high = CONFIG_PAGE_TITLE_SIZE - 1 },
	{ .name = "url", .read = config_read_url, .offset = IN_CONFIG(page.url), .high = ALERT_URL_SIZE - 1 },
	{ .name = "report_url", .read = config_read_url, .offset = IN_CONFIG(page.report_url), .high = ALERT_URL_SIZE - 1 },
	{ .name = "languages", .read = read_languages, .offset = IN_CONFIG(page.languages), .low = 1, .high = LANGUAGES },
	{ .name = "stale_after", .read = config_read_duration, .offset = IN_CONFIG(page.stale_after_ns), .low = 60 * NS_PER_S,
	  .high = 30 * DAY_NS, .standard = 3600 * NS_PER_S },
	{ .name = "key_file", .read = config_read_path, .offset = IN_CONFIG(page.key_file), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "directory", .read = config_read_path, .offset = IN_CONFIG(page.directory), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "targets", .read = read_targets, .offset = IN_CONFIG(page.targets), .high = CONFIG_PAGE_TARGETS_MAX },
	{ .name = "measured", .read = config_read_bool, .offset = IN_CONFIG(page.measured), .standard = false },
	{ .name = "publish_every", .read = read_publish_every, .offset = IN_CONFIG(page.publish_every_ns), .low = 60 * NS_PER_S,
	  .high = DAY_NS },
	{ .name = NULL },
};
/* clang-format on */

void config_page_init(struct config_page *page)
{
	page->publish_every_ns = PUBLISH_EVERY_NS;
	page->language_count = LANGUAGES;
	for (unsigned i = 0; i < LANGUAGES; i++)
		page->languages[i] = (enum language)i;
}

void config_page_fini(struct config_page *page)
{
	free(page->targets);
}
