/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libyaml makes a tree of the file, every node of which knows its line and column. The tree is held against tables of
 * keys: a row says how a value is read, into which field, between which bounds, and what holds where it is not given. A
 * schema library would stop at the first breach; here each is complained of, and reading goes on with the next.
 *
 * An alias can make a list appear in several places, even in itself; the tables are not nested deeper than three, and
 * every list is bounded, so that this costs no more than writing it out.
 */
#include "daemon/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "base/duration.h"
#include "base/file.h"
#include "base/time.h"
#include "daemon/alert_files.h"
#include "record/archive.h"
#include "trace/cost.h"
#include "trace/geo.h"

#define PREFIXES_MAX 4096 /* written into the file itself; more go into files of their own */
#define LIST_TEXT_MAX 60  /* octets of a value that an error repeats */

struct reader {
	yaml_document_t document;
	const char *name;
	struct config_errors *errors;
	bool out_of_memory;
};

struct key;
/* Reads `node` into the field at `field`, or complains. */
typedef void read_value(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field);

struct key {
	const char *name;
	read_value *read;
	size_t offset;
	int64_t low, high;       /* of the number, or of the list's length */
	int64_t standard;        /* what holds where the key is missing */
	const char *standard_is; /* the same for texts */
	const struct key *keys;  /* of a mapping within */
	bool needed;
};

/* ---- complaints ---- */

__attribute__((format(printf, 2, 0))) static void add_error(struct config_errors *errors, const char *format,
                                                            va_list arguments)
{
	char *line;

	if (errors->count == CONFIG_ERRORS_MAX) {
		errors->more++;
		return;
	}
	line = errors->lines[errors->count++];
	(void)vsnprintf(line, CONFIG_ERROR_SIZE, format, arguments);
	for (; *line; line++)
		if ((unsigned char)*line < ' ' || *line == '\177')
			*line = '?';
}

__attribute__((format(printf, 2, 3))) static void complain_of_file(struct config_errors *errors, const char *format,
                                                                   ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_error(errors, format, arguments);
	va_end(arguments);
}

__attribute__((format(printf, 3, 4))) static void complain(struct reader *reader, const yaml_mark_t *mark,
                                                           const char *format, ...)
{
	char what[CONFIG_ERROR_SIZE - 32];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	complain_of_file(reader->errors, "%s:%zu:%zu: %s", reader->name, mark->line + 1, mark->column + 1, what);
}

/* ---- values ---- */

static const char *kind_of(const yaml_node_t *node)
{
	return node->type == YAML_SEQUENCE_NODE  ? "a list"
	       : node->type == YAML_MAPPING_NODE ? "a mapping"
	                                         : "one value";
}

static bool is_nothing(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (*text == '\0' || strcmp(text, "null") == 0 || strcmp(text, "~") == 0);
}

/* The text of a node that is one value, or NULL after a complaint. */
static const char *scalar(struct reader *reader, const char *name, const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	if (node->type != YAML_SCALAR_NODE) {
		complain(reader, &node->start_mark, "%s is %s; it wants one value", name, kind_of(node));
		return NULL;
	}
	if (strlen(text) != node->data.scalar.length) {
		complain(reader, &node->start_mark, "%s has a NUL octet in it; take it out", name);
		return NULL;
	}
	if (!*text) {
		complain(reader, &node->start_mark, "%s has no value; give one, or leave the key out", name);
		return NULL;
	}
	return text;
}

static bool digits_of(const char *text, int64_t *value)
{
	int64_t sum = 0;

	if (!*text)
		return false;
	for (; *text; text++)
		if (*text < '0' || *text > '9' || __builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, *text - '0', &sum))
			return false;
	*value = sum;
	return true;
}

static void read_number(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	const char *text = scalar(reader, key->name, node);
	int64_t value;

	if (!text)
		return;
	if (!digits_of(text, &value) || value < key->low || value > key->high)
		complain(reader, &node->start_mark, "%s is '%.*s'; write a whole number from %lld to %lld", key->name,
		         LIST_TEXT_MAX, text, (long long)key->low, (long long)key->high);
	else
		*(uint32_t *)field = (uint32_t)value;
}

static void read_cookies(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	static const struct {
		const char *word;
		enum shield_cookies cookies;
	} words[] = { { "auto", SHIELD_COOKIES_AUTO },   { "true", SHIELD_COOKIES_TRUSTED },
		      { "yes", SHIELD_COOKIES_TRUSTED }, { "on", SHIELD_COOKIES_TRUSTED },
		      { "false", SHIELD_COOKIES_OFF },   { "no", SHIELD_COOKIES_OFF },
		      { "off", SHIELD_COOKIES_OFF } };
	const char *text = scalar(reader, key->name, node);

	if (!text)
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i].word) == 0) {
			*(enum shield_cookies *)field = words[i].cookies;
			return;
		}
	complain(reader, &node->start_mark, "%s is '%.*s'; write auto, true or false", key->name, LIST_TEXT_MAX, text);
}

static void read_fallback(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	static const char *const words[] = {
		[FALLBACK_NONE] = "none", [FALLBACK_LIMIT] = "limit", [FALLBACK_PREFER_KNOWN] = "prefer_known"
	};
	const char *text = scalar(reader, key->name, node);

	if (!text)
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i]) == 0) {
			*(enum fallback_allowed *)field = (enum fallback_allowed)i;
			return;
		}
	complain(reader, &node->start_mark, "%s is '%.*s'; write none, limit or prefer_known", key->name, LIST_TEXT_MAX,
	         text);
}

static void read_bool(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	static const char *const yes[] = { "true", "yes", "on" }, *const no[] = { "false", "no", "off" };
	const char *text = scalar(reader, key->name, node);

	if (!text)
		return;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
			*(bool *)field = strcmp(text, yes[i]) == 0;
			return;
		}
	complain(reader, &node->start_mark, "%s is '%.*s'; write true or false", key->name, LIST_TEXT_MAX, text);
}

/* A choice of two words, "FALSE|TRUE" in standard_is; the default is the first. */
static void read_choice(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	const char *text = scalar(reader, key->name, node);
	const char *bar = strchr(key->standard_is, '|');
	size_t first = (size_t)(bar - key->standard_is);

	if (!text)
		return;
	if (strlen(text) == first && strncmp(text, key->standard_is, first) == 0)
		*(bool *)field = false;
	else if (strcmp(text, bar + 1) == 0)
		*(bool *)field = true;
	else
		complain(reader, &node->start_mark, "%s is '%.*s'; write %.*s or %s", key->name, LIST_TEXT_MAX, text,
		         (int)first, key->standard_is, bar + 1);
}

static void read_duration(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	char low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];
	const char *text = scalar(reader, key->name, node);
	int64_t ns;

	if (!text)
		return;
	if (duration_parse(text, &ns) != 0 || ns < key->low || ns > key->high)
		complain(reader, &node->start_mark,
		         "%s is '%.*s'; write a time from %s to %s, such as 90s, 5m, 1h30m or 7d", key->name,
		         LIST_TEXT_MAX, text, duration_format(key->low, low), duration_format(key->high, high));
	else
		*(int64_t *)field = ns;
}

/* A text of key->low to key->high octets that fits its field. */
static const char *short_text(struct reader *reader, const struct key *key, const char *name, const yaml_node_t *node)
{
	const char *text = scalar(reader, name, node);

	if (!text)
		return NULL;
	if (strlen(text) > (size_t)key->high) {
		complain(reader, &node->start_mark, "%s is %zu octets long; at most %lld", name, strlen(text),
		         (long long)key->high);
		return NULL;
	}
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == '\177') {
			complain(reader, &node->start_mark, "%s has a control character in it; take it out", name);
			return NULL;
		}
	return text;
}

static void read_name(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	const char *text = short_text(reader, key, key->name, node);

	if (text)
		memcpy(field, text, strlen(text) + 1);
}

static void read_user(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	const char *text = short_text(reader, key, key->name, node);

	if (!text)
		return;
	if (strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != strlen(text))
		complain(reader, &node->start_mark,
		         "user is '%s', which cannot be a user's name; 'getent passwd' lists them", text);
	else if (strcmp(text, "root") == 0)
		complain(reader, &node->start_mark,
		         "user is root; name one with no rights of its own, such as holdfast");
	else
		memcpy(field, text, strlen(text) + 1);
}

/* What is typed behind a command. */
static void read_word(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	const char *text = short_text(reader, key, key->name, node);

	if (text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != strlen(text))
		complain(reader, &node->start_mark, "%s is '%s'; write letters, digits, '_', '-' and '.' only",
		         key->name, text);
	else if (text)
		memcpy(field, text, strlen(text) + 1);
}

static void read_alert_type(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	const char *text = scalar(reader, key->name, node);
	enum alert_type type;

	if (text && alert_type_parse(text, &type) != 0)
		complain(reader, &node->start_mark,
		         "type is '%.*s'; there are pagerduty, slack, telegram, alertmanager, webhook, script",
		         LIST_TEXT_MAX, text);
	else if (text)
		*(uint32_t *)field = type;
}

/* What is wrong with it is not repeated: somebody may have put a secret there. */
static void read_url(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	const char *text = short_text(reader, key, key->name, node);

	if (text && !alert_url_is_good(text))
		complain(reader, &node->start_mark,
		         "%s is none; write https://HOST/... or http://HOST/..., no user in it", key->name);
	else if (text)
		memcpy(field, text, strlen(text) + 1);
}

/* A path that means one place whoever reads it, from wherever. */
static const char *path_text(struct reader *reader, const struct key *key, const char *name, const yaml_node_t *node)
{
	const char *text = scalar(reader, name, node);

	if (!text)
		return NULL;
	if (text[0] != '/' || strstr(text, "/../") ||
	    (strlen(text) >= 3 && strcmp(text + strlen(text) - 3, "/..") == 0))
		complain(reader, &node->start_mark, "%s is '%.*s'; write the whole path, from / on, without '..'", name,
		         LIST_TEXT_MAX, text);
	else
		return short_text(reader, key, name, node);
	return NULL;
}

static void read_path(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	const char *text = path_text(reader, key, key->name, node);

	if (text)
		memcpy(field, text, strlen(text) + 1);
}

static void read_rsync(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	const char *text = short_text(reader, key, key->name, node);

	if (text && !config_rsync_is_good(text))
		complain(reader, &node->start_mark,
		         "%s is '%.*s'; write user@host:/path, of letters, digits, '.', '_' and '-'", key->name,
		         LIST_TEXT_MAX, text);
	else if (text)
		memcpy(field, text, strlen(text) + 1);
}

/* A folder of databases, or off: "". */
static void read_geo(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	if (node->type == YAML_SCALAR_NODE && strcmp((const char *)node->data.scalar.value, "off") == 0)
		*(char *)field = '\0';
	else
		read_path(reader, key, node, field);
}

/* ---- lists ---- */

/* How many items a list has that is not too long; 0 for none, and after a complaint. */
static unsigned list_length(struct reader *reader, const struct key *key, const yaml_node_t *node, int64_t high)
{
	ptrdiff_t count;

	if (is_nothing(node))
		return 0;
	if (node->type != YAML_SEQUENCE_NODE) {
		complain(reader, &node->start_mark, "%s is %s; it wants a list: [...]", key->name, kind_of(node));
		return 0;
	}
	count = node->data.sequence.items.top - node->data.sequence.items.start;
	if (count > high) {
		complain(reader, &node->start_mark, "%s has %td items; at most %lld", key->name, count,
		         (long long)high);
		return 0;
	}
	if (count == 0 && key->low > 0)
		complain(reader, &node->start_mark, "%s is empty; name at least one", key->name);
	return (unsigned)count;
}

static const yaml_node_t *list_item(struct reader *reader, const yaml_node_t *node, unsigned i)
{
	return yaml_document_get_node(&reader->document, node->data.sequence.items.start[i]);
}

static void *list_new(struct reader *reader, unsigned count, size_t size)
{
	void *list = calloc(count ? count : 1, size);

	if (!list)
		reader->out_of_memory = true;
	return list;
}

static void read_interfaces(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	char(*names)[CONFIG_INTERFACE_SIZE] = field;
	struct config *config = (struct config *)(void *)((char *)field - offsetof(struct config, interfaces));
	unsigned count = list_length(reader, key, node, key->high);

	for (unsigned i = 0; i < count; i++) {
		const yaml_node_t *item = list_item(reader, node, i);
		const char *text = scalar(reader, "an interface", item);
		bool twice = false;

		if (!text)
			continue;
		if (strlen(text) >= CONFIG_INTERFACE_SIZE || strpbrk(text, "/ \t\r\n") || strcmp(text, ".") == 0 ||
		    strcmp(text, "..") == 0) {
			complain(reader, &item->start_mark,
			         "'%.*s' cannot be the name of an interface; 'ip link' lists those there are",
			         LIST_TEXT_MAX, text);
			continue;
		}
		for (unsigned k = 0; k < config->interface_count; k++)
			twice = twice || strcmp(names[k], text) == 0;
		if (twice)
			complain(reader, &item->start_mark, "interface %s is named twice; once is enough", text);
		else
			memcpy(names[config->interface_count++], text, strlen(text) + 1);
	}
}

static void read_prefixes(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	struct prefix_list *list = field;
	unsigned count = list_length(reader, key, node, key->high);
	struct prefix *prefixes = list_new(reader, count, sizeof(*prefixes));
	unsigned read = 0;

	if (!prefixes)
		return;
	for (unsigned i = 0; i < count; i++) {
		const yaml_node_t *item = list_item(reader, node, i);
		const char *text = scalar(reader, key->name, item);

		if (!text)
			continue;
		if (prefix_parse(text, &prefixes[read]) == 0)
			read++;
		else
			complain(
				reader, &item->start_mark,
				"'%.*s' is no address or network; write 192.0.2.10, 192.0.2.0/24 or \"2001:db8::/32\", host bits zero",
				LIST_TEXT_MAX, text);
	}
	free(list->prefixes);
	*list = (struct prefix_list){ .prefixes = prefixes, .count = read };
}

static void read_ports(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	struct config_ports *list = field;
	unsigned count = list_length(reader, key, node, key->high);
	uint16_t *ports = list_new(reader, count, sizeof(*ports));
	unsigned read = 0;

	if (!ports)
		return;
	for (unsigned i = 0; i < count; i++) {
		const yaml_node_t *item = list_item(reader, node, i);
		const char *text = scalar(reader, key->name, item);
		int64_t port;

		if (!text)
			continue;
		if (digits_of(text, &port) && port >= 1 && port <= UINT16_MAX)
			ports[read++] = (uint16_t)port;
		else
			complain(reader, &item->start_mark, "'%.*s' is no port; write a number from 1 to 65535",
			         LIST_TEXT_MAX, text);
	}
	free(list->ports);
	*list = (struct config_ports){ .ports = ports, .count = read };
}

/* The list's paths and how many there are: fields of their own, so that each has its reader. */
static void read_paths(struct reader *reader, const struct key *key, const yaml_node_t *node,
                       struct config_file **field, unsigned *count)
{
	unsigned length = list_length(reader, key, node, CONFIG_FILES_MAX);
	struct config_file *files = list_new(reader, length, sizeof(*files));
	unsigned read = 0;

	if (!files)
		return;
	for (unsigned i = 0; i < length; i++) {
		const char *text = path_text(reader, key, key->name, list_item(reader, node, i));

		if (text)
			memcpy(files[read++].path, text, strlen(text) + 1);
	}
	free(*field);
	*field = files;
	*count = read;
}

static void read_languages(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	struct config_page *page =
		(struct config_page *)(void *)((char *)field - offsetof(struct config_page, languages));
	unsigned count = list_length(reader, key, node, key->high);

	page->language_count = 0;
	for (unsigned i = 0; i < count; i++) {
		const yaml_node_t *item = list_item(reader, node, i);
		const char *text = scalar(reader, "a language", item);
		enum language language;
		bool twice = false;

		if (!text)
			continue;
		if (!language_find(text, &language)) {
			complain(reader, &item->start_mark, "'%.*s' is no language of ours; there are en, fr",
			         LIST_TEXT_MAX, text);
			continue;
		}
		for (unsigned k = 0; k < page->language_count; k++)
			twice = twice || page->languages[k] == language;
		if (twice)
			complain(reader, &item->start_mark, "language %s is named twice; once is enough", text);
		else
			page->languages[page->language_count++] = language;
	}
}

static void read_allow_files(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	struct config *config = (struct config *)(void *)((char *)field - offsetof(struct config, allow_files));

	read_paths(reader, key, node, &config->allow_files, &config->allow_file_count);
}

static void read_block_files(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	struct config *config = (struct config *)(void *)((char *)field - offsetof(struct config, block_files));

	read_paths(reader, key, node, &config->block_files, &config->block_file_count);
}

/* ---- tables ---- */

static void read_mapping(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field);
static void read_services(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field);
static void read_alerts(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field);
static void read_targets(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field);

#define DAY_NS (86400 * NS_PER_S)

/* clang-format off */
#define IN_CONFIG(field) offsetof(struct config, field)
static const struct key management_keys[] = {
	{ .name = "ports", .read = read_ports, .offset = IN_CONFIG(management_ports), .low = 0, .high = CONFIG_MANAGEMENT_MAX },
	{ .name = "from", .read = read_prefixes, .offset = IN_CONFIG(management_from), .low = 0, .high = CONFIG_MANAGEMENT_MAX },
	{ .name = NULL },
};

static const struct key shield_keys[] = {
	{ .name = "interfaces", .read = read_interfaces, .offset = IN_CONFIG(interfaces), .low = 1, .high = SHIELD_INTERFACES_MAX },
	{ .name = "generic", .read = read_bool, .offset = IN_CONFIG(generic), .standard = false },
	{ .name = "nftables", .read = read_bool, .offset = IN_CONFIG(nftables), .standard = true },
	{ .name = "block_capacity", .read = read_number, .offset = IN_CONFIG(block_capacity),
	  .low = SHIELD_BLOCK_CAPACITY_MIN, .high = SHIELD_BLOCK_CAPACITY_MAX, .standard = 1048576 },
	{ .name = "sample_budget", .read = read_number, .offset = IN_CONFIG(sample_budget), .low = 0, .high = 1000000, .standard = 20000 },
	{ .name = "block_for", .read = read_duration, .offset = IN_CONFIG(block_for_ns), .low = NS_PER_S,
	  .high = CONFIG_BLOCK_DAYS_MAX * DAY_NS, .standard = 3600 * NS_PER_S },
	{ .name = "management", .read = read_mapping, .keys = management_keys },
	{ .name = NULL },
};

static const struct key record_keys[] = {
	{ .name = "incidents_max", .read = read_number, .offset = IN_CONFIG(incidents_max), .low = 1, .high = 16384, .standard = ARCHIVE_INCIDENTS_MAX },
	{ .name = "streams_max", .read = read_number, .offset = IN_CONFIG(streams_max), .low = 1, .high = 16384, .standard = ARCHIVE_STREAMS_MAX },
	{ .name = "stream_mib", .read = read_number, .offset = IN_CONFIG(stream_mib), .low = 1, .high = 1024, .standard = ARCHIVE_STREAM_OCTETS_MAX >> 20 },
	{ .name = "evidence_days", .read = read_number, .offset = IN_CONFIG(evidence_days), .low = 0, .high = 3650, .standard = 30 },
	{ .name = "streams_mib", .read = read_number, .offset = IN_CONFIG(streams_mib), .low = 1, .high = 1048576, .standard = ARCHIVE_STREAMS_OCTETS_MAX >> 20 },
	{ .name = NULL },
};

static const struct key page_keys[] = {
	{ .name = "title", .read = read_name, .offset = IN_CONFIG(page.title[LANGUAGE_EN]), .high = CONFIG_PAGE_TITLE_SIZE - 1 },
	{ .name = "title_fr", .read = read_name, .offset = IN_CONFIG(page.title[LANGUAGE_FR]), .high = CONFIG_PAGE_TITLE_SIZE - 1 },
	{ .name = "url", .read = read_url, .offset = IN_CONFIG(page.url), .high = ALERT_URL_SIZE - 1 },
	{ .name = "languages", .read = read_languages, .offset = IN_CONFIG(page.languages), .low = 1, .high = LANGUAGES },
	{ .name = "stale_after", .read = read_duration, .offset = IN_CONFIG(page.stale_after_ns), .low = 60 * NS_PER_S,
	  .high = 30 * DAY_NS, .standard = 3600 * NS_PER_S },
	{ .name = "key_file", .read = read_path, .offset = IN_CONFIG(page.key_file), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "directory", .read = read_path, .offset = IN_CONFIG(page.directory), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "targets", .read = read_targets, .offset = IN_CONFIG(page.targets), .high = CONFIG_PAGE_TARGETS_MAX },
	{ .name = NULL },
};

static const struct key config_keys[] = {
	{ .name = "mode", .read = read_choice, .offset = IN_CONFIG(enforce), .standard_is = "observe|enforce" },
	{ .name = "user", .read = read_user, .offset = IN_CONFIG(user), .high = CONFIG_USER_SIZE - 1, .standard_is = "holdfast" },
	{ .name = "state_dir", .read = read_path, .offset = IN_CONFIG(state_dir), .high = CONFIG_PATH_SIZE - 1, .standard_is = CONFIG_STATE_DIR },
	{ .name = "run_dir", .read = read_path, .offset = IN_CONFIG(run_dir), .high = CONFIG_RUN_DIR_MAX, .standard_is = CONFIG_RUN_DIR },
	{ .name = "bpffs_dir", .read = read_path, .offset = IN_CONFIG(bpffs_dir), .high = CONFIG_PATH_SIZE - 1, .standard_is = SHIELD_BPFFS_DIR },
	{ .name = "geo", .read = read_geo, .offset = IN_CONFIG(geo), .high = CONFIG_PATH_SIZE - 1, .standard_is = GEO_FOLDER },
	{ .name = "prices", .read = read_path, .offset = IN_CONFIG(prices), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "shield", .read = read_mapping, .keys = shield_keys },
	{ .name = "record", .read = read_mapping, .keys = record_keys },
	{ .name = "services", .read = read_services, .offset = IN_CONFIG(services), .high = CONFIG_SERVICES_MAX },
	{ .name = "allow", .read = read_prefixes, .offset = IN_CONFIG(allow), .high = PREFIXES_MAX },
	{ .name = "allow_files", .read = read_allow_files, .offset = IN_CONFIG(allow_files), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "block_files", .read = read_block_files, .offset = IN_CONFIG(block_files), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "trusted_proxies", .read = read_prefixes, .offset = IN_CONFIG(trusted_proxies), .high = PREFIXES_MAX },
	{ .name = "alerts", .read = read_alerts, .offset = IN_CONFIG(alerts), .high = CONFIG_ALERTS_MAX },
	{ .name = "page", .read = read_mapping, .keys = page_keys },
	{ .name = NULL },
};

#define IN_SERVICE(field) offsetof(struct config_service, field)
static const struct key service_keys[] = {
	{ .name = "name", .read = read_name, .offset = IN_SERVICE(name), .high = SHIELD_NAME_SIZE - 1, .needed = true },
	{ .name = "addresses", .read = read_prefixes, .offset = IN_SERVICE(addresses), .low = 1, .high = SHIELD_SERVICE_PREFIXES_MAX, .needed = true },
	{ .name = "tcp", .read = read_ports, .offset = IN_SERVICE(tcp), .high = SHIELD_SERVICE_PORTS_MAX },
	{ .name = "udp", .read = read_ports, .offset = IN_SERVICE(udp), .high = SHIELD_SERVICE_PORTS_MAX },
	{ .name = "path", .read = read_choice, .offset = IN_SERVICE(forwarded), .standard_is = "local|forwarded" },
	{ .name = "syn_cookies", .read = read_cookies, .offset = IN_SERVICE(syn_cookies), .standard = SHIELD_COOKIES_AUTO },
	{ .name = "per_source_pps", .read = read_number, .offset = IN_SERVICE(per_source_pps), .low = 0, .high = 100000000, .standard = 0 },
	{ .name = "fallback", .read = read_fallback, .offset = IN_SERVICE(fallback), .standard = FALLBACK_LIMIT },
	{ .name = NULL },
};

#define IN_ALERT(field) offsetof(struct config_alert, field)
static const struct key alert_keys[] = {
	{ .name = "name", .read = read_word, .offset = IN_ALERT(target.name), .high = ALERT_NAME_SIZE - 1, .needed = true },
	{ .name = "type", .read = read_alert_type, .offset = IN_ALERT(target.type), .needed = true },
	{ .name = "url", .read = read_url, .offset = IN_ALERT(target.url), .high = ALERT_URL_SIZE - 1 },
	{ .name = "key_file", .read = read_path, .offset = IN_ALERT(key_file), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "chat", .read = read_name, .offset = IN_ALERT(target.chat), .high = ALERT_NAME_SIZE - 1 },
	{ .name = "script", .read = read_path, .offset = IN_ALERT(script), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "min_pps", .read = read_number, .offset = IN_ALERT(target.min_pps), .low = 0, .high = 1000000000, .standard = 0 },
	{ .name = NULL },
};
/* clang-format on */

#define IN_TARGET(field) offsetof(struct config_page_target, field)
/* clang-format off */
static const struct key target_keys[] = {
	{ .name = "name", .read = read_word, .offset = IN_TARGET(name), .high = ALERT_NAME_SIZE - 1, .needed = true },
	{ .name = "rsync", .read = read_rsync, .offset = IN_TARGET(rsync), .high = CONFIG_RSYNC_SIZE - 1, .needed = true },
	{ .name = "ssh_key", .read = read_path, .offset = IN_TARGET(ssh_key), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "known_hosts", .read = read_path, .offset = IN_TARGET(known_hosts), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "ssh_port", .read = read_number, .offset = IN_TARGET(ssh_port), .low = 1, .high = UINT16_MAX, .standard = 22 },
	{ .name = NULL },
};
/* clang-format on */

/* Fills in what holds where a key is missing; what is not named here is zero. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables are nested */
static void set_standards(const struct key *keys, void *base)
{
	for (const struct key *key = keys; key->name; key++) {
		void *field = (char *)base + key->offset;

		if (key->keys)
			set_standards(key->keys,
			              base); /* NOLINT(misc-no-recursion): as deep as the tables are nested */
		else if (key->read == read_number)
			*(uint32_t *)field = (uint32_t)key->standard;
		else if (key->read == read_bool)
			*(bool *)field = key->standard != 0;
		else if (key->read == read_cookies)
			*(enum shield_cookies *)field = (enum shield_cookies)key->standard;
		else if (key->read == read_fallback)
			*(enum fallback_allowed *)field = (enum fallback_allowed)key->standard;
		else if (key->read == read_duration)
			*(int64_t *)field = key->standard;
		else if (key->standard_is && key->read != read_choice)
			memcpy(field, key->standard_is, strlen(key->standard_is) + 1);
	}
}

static const struct key *find_key(const struct key *keys, const char *name)
{
	for (const struct key *key = keys; key->name; key++)
		if (strcmp(key->name, name) == 0)
			return key;
	return NULL;
}

/* "ports, from" */
static const char *list_keys(const struct key *keys, char *text, size_t size)
{
	size_t length = 0;

	text[0] = '\0';
	for (const struct key *key = keys; key->name && length < size; key++)
		length += (size_t)snprintf(text + length, size - length, "%s%s", length ? ", " : "", key->name);
	return text;
}

/* `what` is what the mapping is called. */
static void read_keys(struct reader *reader, const char *what, const struct key *keys, const yaml_node_t *node,
                      void *base)
{
	const yaml_node_pair_t *first = node->data.mapping.pairs.start;
	uint32_t seen = 0;
	char known[200];

	if (is_nothing(node))
		return;
	if (node->type != YAML_MAPPING_NODE) {
		complain(reader, &node->start_mark, "%s is %s; it wants keys and values: %s", what, kind_of(node),
		         list_keys(keys, known, sizeof(known)));
		return;
	}
	for (const yaml_node_pair_t *pair = first; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = yaml_document_get_node(&reader->document, pair->key);
		const yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);
		const char *text = scalar(reader, "a key", name);
		const struct key *key = text ? find_key(keys, text) : NULL;

		if (!text)
			continue;
		if (!key) {
			complain(reader, &name->start_mark, "there is no key '%.*s' in %s; there are %s", LIST_TEXT_MAX,
			         text, what, list_keys(keys, known, sizeof(known)));
			continue;
		}
		if (seen & 1u << (key - keys)) {
			complain(reader, &name->start_mark, "%s comes twice in %s; which one shall hold?", key->name,
			         what);
			continue;
		}
		seen |= 1u << (key - keys);
		key->read(reader, key, value, (char *)base + key->offset);
	}
	for (const struct key *key = keys; key->name; key++)
		if (key->needed && !(seen & 1u << (key - keys)))
			complain(reader, &node->start_mark, "%s has no %s; add it", what, key->name);
}

/* The fields of a mapping within stand in the struct around it. */
static void read_mapping(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	read_keys(reader, key->name, key->keys, node, field); /* NOLINT(misc-no-recursion): as deep as the tables */
}

static void service_fini(struct config_service *service)
{
	prefix_list_fini(&service->addresses);
	free(service->tcp.ports);
	free(service->udp.ports);
}

static void services_free(struct config_service *services, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		service_fini(&services[i]);
	free(services);
}

/* Neighbouring ports are one range in the shield's table. */
static unsigned ranges_of(const struct config_ports *list)
{
	unsigned ranges = 0;

	for (unsigned i = 0; i < list->count; i++) {
		bool follows = false;

		for (unsigned k = 0; k < list->count; k++)
			follows = follows || list->ports[k] + 1 == list->ports[i];
		ranges += !follows;
	}
	return ranges;
}

static void read_services(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	struct config *config = (struct config *)(void *)((char *)field - offsetof(struct config, services));
	unsigned count = list_length(reader, key, node, key->high);
	struct config_service *services = list_new(reader, count, sizeof(*services));
	unsigned prefixes = 0, ranges = 0;

	if (!services)
		return;
	for (unsigned i = 0; i < count; i++) {
		const yaml_node_t *item = list_item(reader, node, i);

		if (is_nothing(item))
			complain(reader, &item->start_mark, "a service is empty; it wants a name and addresses");
		set_standards(service_keys, &services[i]);
		read_keys(reader, "a service", service_keys, item, &services[i]); /* NOLINT(misc-no-recursion) */
		for (unsigned k = 0; k < i; k++)
			if (services[i].name[0] && strcmp(services[i].name, services[k].name) == 0)
				complain(reader, &item->start_mark,
				         "there are two services '%s'; give each a name of its own", services[i].name);
		prefixes += services[i].addresses.count;
		ranges += ranges_of(&services[i].tcp) + ranges_of(&services[i].udp);
	}
	if (prefixes > SHIELD_SERVICE_PREFIXES_MAX)
		complain(reader, &node->start_mark,
		         "services have %u addresses together; at most %u, so name networks instead", prefixes,
		         SHIELD_SERVICE_PREFIXES_MAX);
	if (ranges > SHIELD_SERVICE_PORTS_MAX)
		complain(reader, &node->start_mark, "services have %u ranges of ports together; at most %u", ranges,
		         SHIELD_SERVICE_PORTS_MAX);
	services_free(config->services, config->service_count);
	config->services = services;
	config->service_count = count;
}

/* What a target of its type must have, and what means nothing to it. */
static void check_alert(struct reader *reader, const yaml_node_t *node, const struct config_alert *alert)
{
	enum alert_type type = (enum alert_type)alert->target.type;
	const char *name = alert_type_name(type);
	const struct {
		bool has, wants, takes;
		const char *key, *what;
	} rows[] = {
		{ alert->key_file[0], alert_type_wants_key(type), alert_type_takes_key(type), "key_file",
		  "the file that its key is in" },
		{ alert->target.url[0], alert_type_wants_url(type), alert_type_takes_url(type), "url", "where it is" },
		{ alert->target.chat[0], type == ALERT_TELEGRAM, type == ALERT_TELEGRAM, "chat", "the chat's number" },
		{ alert->script[0], type == ALERT_SCRIPT, type == ALERT_SCRIPT, "script", "the program's path" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].wants && !rows[i].has)
			complain(reader, &node->start_mark, "an alert of type %s has no %s; name %s", name, rows[i].key,
			         rows[i].what);
		else if (rows[i].has && !rows[i].takes)
			complain(reader, &node->start_mark, "an alert of type %s has a %s; take it out", name,
			         rows[i].key);
	if (alert->key_file[0] && alert->target.url[0] && !alert_url_is_safe(alert->target.url))
		complain(reader, &node->start_mark,
		         "the key of alert '%s' would go over the network in the open; write https in its url",
		         alert->target.name);
}

static void read_alerts(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	struct config *config = (struct config *)(void *)((char *)field - offsetof(struct config, alerts));
	unsigned count = list_length(reader, key, node, key->high);
	struct config_alert *alerts = list_new(reader, count, sizeof(*alerts));

	if (!alerts)
		return;
	for (unsigned i = 0; i < count; i++) {
		const yaml_node_t *item = list_item(reader, node, i);
		unsigned before = reader->errors->count + reader->errors->more;

		if (is_nothing(item))
			complain(reader, &item->start_mark, "an alert is empty; it wants a name and a type");
		read_keys(reader, "an alert", alert_keys, item, &alerts[i]); /* NOLINT(misc-no-recursion) */
		if (reader->errors->count + reader->errors->more == before)
			check_alert(reader, item, &alerts[i]);
		for (unsigned k = 0; k < i; k++)
			if (alerts[i].target.name[0] && strcmp(alerts[i].target.name, alerts[k].target.name) == 0)
				complain(reader, &item->start_mark,
				         "there are two alerts '%s'; give each a name of its own",
				         alerts[i].target.name);
	}
	free(config->alerts);
	config->alerts = alerts;
	config->alert_count = count;
}

static void read_targets(struct reader *reader, const struct key *key, const yaml_node_t *node, void *field)
{
	struct config_page *page =
		(struct config_page *)(void *)((char *)field - offsetof(struct config_page, targets));
	unsigned count = list_length(reader, key, node, key->high);
	struct config_page_target *targets = list_new(reader, count, sizeof(*targets));

	if (!targets)
		return;
	for (unsigned i = 0; i < count; i++) {
		const yaml_node_t *item = list_item(reader, node, i);

		if (is_nothing(item))
			complain(reader, &item->start_mark, "a target is empty; it wants a name and rsync");
		set_standards(target_keys, &targets[i]);
		read_keys(reader, "a target", target_keys, item, &targets[i]); /* NOLINT(misc-no-recursion) */
		for (unsigned k = 0; k < i; k++)
			if (targets[i].name[0] && strcmp(targets[i].name, targets[k].name) == 0)
				complain(reader, &item->start_mark,
				         "there are two targets '%s'; give each a name of its own", targets[i].name);
	}
	free(page->targets);
	page->targets = targets;
	page->target_count = count;
}

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

/* What no single key can say. */
static void check_whole(struct reader *reader, const yaml_node_t *root, const struct config *config)
{
	unsigned ways = config->management_ports.count * config->management_from.count;

	if (ways > CONFIG_MANAGEMENT_MAX)
		complain(
			reader, &root->start_mark,
			"management has %u ports times %u networks, %u ways in; at most %u, so name fewer, larger networks",
			config->management_ports.count, config->management_from.count, ways, CONFIG_MANAGEMENT_MAX);
}

/* ---- whole files ---- */

int config_init(struct config *config)
{
	uint16_t *ssh = malloc(sizeof(*ssh));

	if (!ssh)
		return -ENOMEM;
	memset(config, 0, sizeof(*config));
	set_standards(config_keys, config);
	*ssh = 22;
	config->page.language_count = LANGUAGES;
	for (unsigned i = 0; i < LANGUAGES; i++)
		config->page.languages[i] = (enum language)i;
	config->management_ports = (struct config_ports){ .ports = ssh, .count = 1 };
	return 0;
}

void config_fini(struct config *config)
{
	free(config->management_ports.ports);
	prefix_list_fini(&config->management_from);
	services_free(config->services, config->service_count);
	prefix_list_fini(&config->allow);
	prefix_list_fini(&config->trusted_proxies);
	free(config->allow_files);
	free(config->block_files);
	free(config->alerts);
	free(config->page.targets);
	memset(config, 0, sizeof(*config));
}

/* libyaml's own complaint, of a file that is no YAML. */
static void complain_of_yaml(const yaml_parser_t *parser, struct reader *reader)
{
	if (parser->error == YAML_MEMORY_ERROR)
		reader->out_of_memory = true;
	else if (parser->error == YAML_READER_ERROR)
		complain_of_file(reader->errors, "%s:1:1: %s at octet %zu; save it as UTF-8", reader->name,
		                 parser->problem, parser->problem_offset);
	else
		complain(reader, &parser->problem_mark, "%s%s%s; this is no YAML",
		         parser->context ? parser->context : "", parser->context ? ", " : "",
		         parser->problem ? parser->problem : "cannot be read");
}

static void read_document(struct reader *reader, yaml_parser_t *parser, struct config *config)
{
	const yaml_node_t *root;

	if (!yaml_parser_load(parser, &reader->document)) {
		complain_of_yaml(parser, reader);
		return;
	}
	root = yaml_document_get_root_node(&reader->document);
	if (root) {
		yaml_document_t next;

		read_keys(reader, "the file", config_keys, root, config);
		check_whole(reader, root, config);
		if (!yaml_parser_load(parser, &next)) {
			complain_of_yaml(parser, reader);
		} else {
			const yaml_node_t *more = yaml_document_get_root_node(&next);

			if (more)
				complain(reader, &more->start_mark, "a second document begins; put all into one");
			yaml_document_delete(&next);
		}
	}
	yaml_document_delete(&reader->document);
}

int config_parse(const char *text, size_t length, const char *name, struct config *config, struct config_errors *errors)
{
	struct reader reader = { .name = name, .errors = errors };
	struct config read;
	yaml_parser_t parser;
	unsigned before = errors->count;

	if (config_init(&read) != 0)
		return -ENOMEM;
	if (!yaml_parser_initialize(&parser)) {
		config_fini(&read);
		return -ENOMEM;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	read_document(&reader, &parser, &read);
	yaml_parser_delete(&parser);
	if (reader.out_of_memory || errors->count > before || errors->more) {
		config_fini(&read);
		return reader.out_of_memory ? -ENOMEM : -EINVAL;
	}
	*config = read;
	return 0;
}

int config_read(const char *path, char **text, size_t *length, const char **name, struct config_errors *errors)
{
	const char *variable = getenv(CONFIG_VARIABLE);
	bool may_be_missing = false;
	void *octets = NULL;
	int fd, result;

	if (!path && variable && *variable)
		path = variable;
	if (!path) {
		path = CONFIG_DEFAULT_PATH;
		may_be_missing = true;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && may_be_missing) {
		*text = strdup("");
		*length = 0;
		*name = path;
		return *text ? 0 : -ENOMEM;
	}
	result = fd < 0 ? -errno : file_read_all(fd, CONFIG_FILE_MAX, &octets, length);
	if (fd >= 0)
		(void)close(fd);
	if (result == -ENOMEM)
		return result;
	if (result == -EFBIG)
		complain_of_file(
			errors, "%s: larger than %u octets; lists go into files of their own: allow_files, block_files",
			path, CONFIG_FILE_MAX);
	else if (result == -EACCES)
		complain_of_file(errors, "%s: %s; read it as root, or name another with --config", path,
		                 strerror(-result));
	else if (result != 0)
		complain_of_file(errors, "%s: %s; --config names the file", path, strerror(-result));
	if (result != 0)
		return -EINVAL;
	*text = octets;
	*name = path;
	return 0;
}

int config_load(const char *path, struct config *config, struct config_errors *errors)
{
	const char *name = CONFIG_DEFAULT_PATH;
	size_t length = 0;
	char *text = NULL;
	int result;

	errors->count = 0;
	errors->more = 0;
	result = config_read(path, &text, &length, &name, errors);
	if (result != 0)
		return result;
	result = config_parse(text, length, name, config, errors);
	free(text);
	return result;
}

static void check_file(const char *path, uint32_t max, struct config_errors *errors)
{
	char error[PREFIX_FILE_ERROR_SIZE];
	struct prefix_list list;
	int fd = prefix_file_open(path, error);

	if (fd >= 0 && prefix_file_read(fd, path, max, &list, error) == 0)
		prefix_list_fini(&list);
	else
		complain_of_file(errors, "%s", error);
	if (fd >= 0)
		(void)close(fd);
}

static void check_alert_files(const struct config_alert *alert, struct config_errors *errors)
{
	char error[CONFIG_ERROR_SIZE];
	int fd = alert->key_file[0] ? alert_key_open(alert->key_file, error) : -1;

	if (alert->key_file[0] && fd < 0)
		complain_of_file(errors, "%s", error);
	if (fd >= 0)
		(void)close(fd);
	if (alert->script[0] && alert_script_check(alert->script, error) != 0)
		complain_of_file(errors, "%s", error);
}

static void check_prices(const char *path, struct config_errors *errors)
{
	struct cost_price prices[COST_PRICES_MAX];
	char error[COST_ERROR_SIZE];
	uint32_t count;

	if (*path && cost_prices_read(path, prices, &count, error) != 0)
		complain_of_file(errors, "%s: %s", path, error);
}

int config_check_files(const struct config *config, struct config_errors *errors)
{
	unsigned before = errors->count;

	for (unsigned i = 0; i < config->allow_file_count; i++)
		check_file(config->allow_files[i].path, SHIELD_ALLOW_MAX, errors);
	for (unsigned i = 0; i < config->block_file_count; i++)
		check_file(config->block_files[i].path, 2 * config->block_capacity, errors);
	for (unsigned i = 0; i < config->alert_count; i++)
		check_alert_files(&config->alerts[i], errors);
	check_prices(config->prices, errors);
	return errors->count > before || errors->more ? -EINVAL : 0;
}
