/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libyaml makes a tree of the file, every node of which knows its line and column. The tree is held against tables of
 * keys: a row says how a value is read, into which field, between which bounds, and what holds where it is not given. A
 * schema library would stop at the first breach; here each is complained of, and reading goes on with the next.
 *
 * An alias can make a list appear in several places, even in itself; the tables are not nested deeper than three, and
 * every list is bounded, so that this costs no more than writing it out.
 */
#include "daemon/config_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "tell/alert.h"

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

void config_complain_of_file(struct config_errors *errors, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_error(errors, format, arguments);
	va_end(arguments);
}

void config_complain(struct config_reader *reader, const yaml_mark_t *mark, const char *format, ...)
{
	char what[CONFIG_ERROR_SIZE - 32];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	config_complain_of_file(reader->errors, "%s:%zu:%zu: %s", reader->name, mark->line + 1, mark->column + 1, what);
}

/* ---- values ---- */

const char *config_kind_of(const yaml_node_t *node)
{
	return node->type == YAML_SEQUENCE_NODE  ? "a list"
	       : node->type == YAML_MAPPING_NODE ? "a mapping"
	                                         : "one value";
}

bool config_is_nothing(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (*text == '\0' || strcmp(text, "null") == 0 || strcmp(text, "~") == 0);
}

/* The text of a node that is one value, or NULL after a complaint. */
const char *config_scalar(struct config_reader *reader, const char *name, const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	if (node->type != YAML_SCALAR_NODE) {
		config_complain(reader, &node->start_mark, "%s is %s; it wants one value", name, config_kind_of(node));
		return NULL;
	}
	if (strlen(text) != node->data.scalar.length) {
		config_complain(reader, &node->start_mark, "%s has a NUL octet in it; take it out", name);
		return NULL;
	}
	if (!*text) {
		config_complain(reader, &node->start_mark, "%s has no value; give one, or leave the key out", name);
		return NULL;
	}
	return text;
}

bool config_digits(const char *text, int64_t *value)
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

void config_read_number(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                        void *field)
{
	const char *text = config_scalar(reader, key->name, node);
	int64_t value;

	if (!text)
		return;
	if (!config_digits(text, &value) || value < key->low || value > key->high)
		config_complain(reader, &node->start_mark, "%s is '%.*s'; write a whole number from %lld to %lld",
		                key->name, CONFIG_REPEATED_MAX, text, (long long)key->low, (long long)key->high);
	else
		*(uint32_t *)field = (uint32_t)value;
}

void config_read_bool(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	static const char *const yes[] = { "true", "yes", "on" }, *const no[] = { "false", "no", "off" };
	const char *text = config_scalar(reader, key->name, node);

	if (!text)
		return;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
			*(bool *)field = strcmp(text, yes[i]) == 0;
			return;
		}
	config_complain(reader, &node->start_mark, "%s is '%.*s'; write true or false", key->name, CONFIG_REPEATED_MAX,
	                text);
}

/* A choice of two words, "FALSE|TRUE" in standard_is; the default is the first. */
void config_read_choice(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                        void *field)
{
	const char *text = config_scalar(reader, key->name, node);
	const char *bar = strchr(key->standard_is, '|');
	size_t first = (size_t)(bar - key->standard_is);

	if (!text)
		return;
	if (strlen(text) == first && strncmp(text, key->standard_is, first) == 0)
		*(bool *)field = false;
	else if (strcmp(text, bar + 1) == 0)
		*(bool *)field = true;
	else
		config_complain(reader, &node->start_mark, "%s is '%.*s'; write %.*s or %s", key->name,
		                CONFIG_REPEATED_MAX, text, (int)first, key->standard_is, bar + 1);
}

void config_read_duration(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                          void *field)
{
	char low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];
	const char *text = config_scalar(reader, key->name, node);
	int64_t ns;

	if (!text)
		return;
	if (duration_parse(text, &ns) != 0 || ns < key->low || ns > key->high)
		config_complain(reader, &node->start_mark,
		                "%s is '%.*s'; write a time from %s to %s, such as 90s, 5m, 1h30m or 7d", key->name,
		                CONFIG_REPEATED_MAX, text, duration_format(key->low, low),
		                duration_format(key->high, high));
	else
		*(int64_t *)field = ns;
}

/* A text of key->low to key->high octets that fits its field. */
const char *config_short_text(struct config_reader *reader, const struct config_key *key, const char *name,
                              const yaml_node_t *node)
{
	const char *text = config_scalar(reader, name, node);

	if (!text)
		return NULL;
	if (strlen(text) > (size_t)key->high) {
		config_complain(reader, &node->start_mark, "%s is %zu octets long; at most %lld", name, strlen(text),
		                (long long)key->high);
		return NULL;
	}
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == '\177') {
			config_complain(reader, &node->start_mark, "%s has a control character in it; take it out",
			                name);
			return NULL;
		}
	return text;
}

void config_read_name(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	const char *text = config_short_text(reader, key, key->name, node);

	if (text)
		memcpy(field, text, strlen(text) + 1);
}

/* What is typed behind a command. */
void config_read_word(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	const char *text = config_short_text(reader, key, key->name, node);

	if (text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != strlen(text))
		config_complain(reader, &node->start_mark, "%s is '%s'; write letters, digits, '_', '-' and '.' only",
		                key->name, text);
	else if (text)
		memcpy(field, text, strlen(text) + 1);
}

/* What is wrong with it is not repeated: somebody may have put a secret there. */
void config_read_url(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	const char *text = config_short_text(reader, key, key->name, node);

	if (text && !alert_url_is_good(text))
		config_complain(reader, &node->start_mark,
		                "%s is none; write https://HOST/... or http://HOST/..., no user in it", key->name);
	else if (text)
		memcpy(field, text, strlen(text) + 1);
}

/* A path that means one place whoever reads it, from wherever. */
const char *config_path_text(struct config_reader *reader, const struct config_key *key, const char *name,
                             const yaml_node_t *node)
{
	const char *text = config_scalar(reader, name, node);

	if (!text)
		return NULL;
	if (text[0] != '/' || strstr(text, "/../") ||
	    (strlen(text) >= 3 && strcmp(text + strlen(text) - 3, "/..") == 0))
		config_complain(reader, &node->start_mark,
		                "%s is '%.*s'; write the whole path, from / on, without '..'", name,
		                CONFIG_REPEATED_MAX, text);
	else
		return config_short_text(reader, key, name, node);
	return NULL;
}

void config_read_path(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	const char *text = config_path_text(reader, key, key->name, node);

	if (text)
		memcpy(field, text, strlen(text) + 1);
}

/* How many items a list has that is not too long; 0 for none, and after a complaint. */
unsigned config_list_length(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                            int64_t high)
{
	ptrdiff_t count;

	if (config_is_nothing(node)) {
		if (key->needed)
			config_complain(reader, &node->start_mark, "%s is empty; name at least one", key->name);
		return 0;
	}
	if (node->type != YAML_SEQUENCE_NODE) {
		config_complain(reader, &node->start_mark, "%s is %s; it wants a list: [...]", key->name,
		                config_kind_of(node));
		return 0;
	}
	count = node->data.sequence.items.top - node->data.sequence.items.start;
	if (count > high) {
		config_complain(reader, &node->start_mark, "%s has %td items; at most %lld", key->name, count,
		                (long long)high);
		return 0;
	}
	if (count == 0 && key->low > 0)
		config_complain(reader, &node->start_mark, "%s is empty; name at least one", key->name);
	return (unsigned)count;
}

const yaml_node_t *config_list_item(struct config_reader *reader, const yaml_node_t *node, unsigned i)
{
	return yaml_document_get_node(&reader->document, node->data.sequence.items.start[i]);
}

void *config_list_new(struct config_reader *reader, unsigned count, size_t size)
{
	void *list = calloc(count ? count : 1, size);

	if (!list)
		reader->out_of_memory = true;
	return list;
}

void config_read_prefixes(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                          void *field)
{
	struct prefix_list *list = field;
	unsigned count = config_list_length(reader, key, node, key->high);
	struct prefix *prefixes = config_list_new(reader, count, sizeof(*prefixes));
	unsigned read = 0;

	if (!prefixes)
		return;
	for (unsigned i = 0; i < count; i++) {
		const yaml_node_t *item = config_list_item(reader, node, i);
		const char *text = config_scalar(reader, key->name, item);

		if (!text)
			continue;
		if (prefix_parse(text, &prefixes[read]) == 0)
			read++;
		else
			config_complain(
				reader, &item->start_mark,
				"'%.*s' is no address or network; write 192.0.2.10, 192.0.2.0/24 or \"2001:db8::/32\", host bits zero",
				CONFIG_REPEATED_MAX, text);
	}
	free(list->prefixes);
	*list = (struct prefix_list){ .prefixes = prefixes, .count = read };
}

void config_read_ports(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	struct config_ports *list = field;
	unsigned count = config_list_length(reader, key, node, key->high);
	uint16_t *ports = config_list_new(reader, count, sizeof(*ports));
	unsigned read = 0;

	if (!ports)
		return;
	for (unsigned i = 0; i < count; i++) {
		const yaml_node_t *item = config_list_item(reader, node, i);
		const char *text = config_scalar(reader, key->name, item);
		int64_t port;

		if (!text)
			continue;
		if (config_digits(text, &port) && port >= 1 && port <= UINT16_MAX)
			ports[read++] = (uint16_t)port;
		else
			config_complain(reader, &item->start_mark, "'%.*s' is no port; write a number from 1 to 65535",
			                CONFIG_REPEATED_MAX, text);
	}
	free(list->ports);
	*list = (struct config_ports){ .ports = ports, .count = read };
}

/* Fills in what holds where a key is missing; what is not named here is zero. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables are nested */
void config_set_standards(const struct config_key *keys, void *base)
{
	for (const struct config_key *key = keys; key->name; key++) {
		void *field = (char *)base + key->offset;

		if (key->keys)
			config_set_standards(key->keys,
			                     base); /* NOLINT(misc-no-recursion): as deep as the tables are nested */
		else if (key->read == config_read_number)
			*(uint32_t *)field = (uint32_t)key->standard;
		else if (key->read == config_read_bool)
			*(bool *)field = key->standard != 0;
		else if (key->is_enum)
			*(unsigned *)field = (unsigned)key->standard;
		else if (key->read == config_read_duration)
			*(int64_t *)field = key->standard;
		else if (key->standard_is && key->read != config_read_choice)
			memcpy(field, key->standard_is, strlen(key->standard_is) + 1);
	}
}

static const struct config_key *find_key(const struct config_key *keys, const char *name)
{
	for (const struct config_key *key = keys; key->name; key++)
		if (strcmp(key->name, name) == 0)
			return key;
	return NULL;
}

/* "ports, from" */
static const char *list_keys(const struct config_key *keys, char *text, size_t size)
{
	size_t length = 0;

	text[0] = '\0';
	for (const struct config_key *key = keys; key->name && length < size; key++)
		length += (size_t)snprintf(text + length, size - length, "%s%s", length ? ", " : "", key->name);
	return text;
}

/* `what` is what the mapping is called. */
void config_read_keys(struct config_reader *reader, const char *what, const struct config_key *keys,
                      const yaml_node_t *node, void *base)
{
	const yaml_node_pair_t *first = node->data.mapping.pairs.start;
	uint32_t seen = 0;
	char known[200];

	if (config_is_nothing(node))
		return;
	if (node->type != YAML_MAPPING_NODE) {
		config_complain(reader, &node->start_mark, "%s is %s; it wants keys and values: %s", what,
		                config_kind_of(node), list_keys(keys, known, sizeof(known)));
		return;
	}
	for (const yaml_node_pair_t *pair = first; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = yaml_document_get_node(&reader->document, pair->key);
		const yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);
		const char *text = config_scalar(reader, "a key", name);
		const struct config_key *key = text ? find_key(keys, text) : NULL;

		if (!text)
			continue;
		if (!key) {
			config_complain(reader, &name->start_mark, "there is no key '%.*s' in %s; there are %s",
			                CONFIG_REPEATED_MAX, text, what, list_keys(keys, known, sizeof(known)));
			continue;
		}
		if (seen & 1u << (key - keys)) {
			config_complain(reader, &name->start_mark, "%s comes twice in %s; which one shall hold?",
			                key->name, what);
			continue;
		}
		seen |= 1u << (key - keys);
		key->read(reader, key, value, (char *)base + key->offset);
	}
	for (const struct config_key *key = keys; key->name; key++)
		if (key->needed && !(seen & 1u << (key - keys)))
			config_complain(reader, &node->start_mark, "%s has no %s; add it", what, key->name);
}

/* The fields of a mapping within stand in the struct around it. */
void config_read_mapping(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                         void *field)
{
	config_read_keys(reader, key->name, key->keys, node,
	                 field); /* NOLINT(misc-no-recursion): as deep as the tables */
}

void *config_read_items(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                        const struct config_items *items, unsigned *count)
{
	unsigned length = config_list_length(reader, key, node, key->high);
	char *list = config_list_new(reader, length, items->size);

	if (!list)
		return NULL;
	for (unsigned i = 0; i < length; i++) {
		const yaml_node_t *item = config_list_item(reader, node, i);
		unsigned before = reader->errors->count + reader->errors->more;
		char *at = list + i * items->size;

		if (config_is_nothing(item))
			config_complain(reader, &item->start_mark, "%s is empty; it wants %s", items->what,
			                items->wants);
		config_set_standards(items->keys, at);
		config_read_keys(reader, items->what, items->keys, item, at); /* NOLINT(misc-no-recursion) */
		if (items->check && reader->errors->count + reader->errors->more == before)
			items->check(reader, item, at);
		for (unsigned k = 0; k < i && items->several; k++)
			if (*at && strcmp(at, list + k * items->size) == 0)
				config_complain(reader, &item->start_mark,
				                "there are two %s '%s'; give each a name of its own", items->several,
				                at);
	}
	*count = length;
	return list;
}
