/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the file, but for those of sections that have a file of their own (config_SECTION.c); whole files. */
#include "daemon/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "base/file.h"
#include "base/time.h"
#include "daemon/alert_files.h"
#include "daemon/config_reader.h"
#include "record/archive.h"
#include "trace/cost.h"
#include "trace/geo.h"

#define PREFIXES_MAX 4096 /* written into the file itself; more go into files of their own */

/* ---- values ---- */

static void read_cookies(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                         void *field)
{
	static const struct {
		const char *word;
		enum shield_cookies cookies;
	} words[] = { { "auto", SHIELD_COOKIES_AUTO },   { "true", SHIELD_COOKIES_TRUSTED },
		      { "yes", SHIELD_COOKIES_TRUSTED }, { "on", SHIELD_COOKIES_TRUSTED },
		      { "false", SHIELD_COOKIES_OFF },   { "no", SHIELD_COOKIES_OFF },
		      { "off", SHIELD_COOKIES_OFF } };
	const char *text = config_scalar(reader, key->name, node);

	if (!text)
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i].word) == 0) {
			*(enum shield_cookies *)field = words[i].cookies;
			return;
		}
	config_complain(reader, &node->start_mark, "%s is '%.*s'; write auto, true or false", key->name,
	                CONFIG_REPEATED_MAX, text);
}

static void read_fallback(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                          void *field)
{
	static const char *const words[] = {
		[FALLBACK_NONE] = "none", [FALLBACK_LIMIT] = "limit", [FALLBACK_PREFER_KNOWN] = "prefer_known"
	};
	const char *text = config_scalar(reader, key->name, node);

	if (!text)
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i]) == 0) {
			*(enum fallback_allowed *)field = (enum fallback_allowed)i;
			return;
		}
	config_complain(reader, &node->start_mark, "%s is '%.*s'; write none, limit or prefer_known", key->name,
	                CONFIG_REPEATED_MAX, text);
}

static void read_user(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	const char *text = config_short_text(reader, key, key->name, node);

	if (!text)
		return;
	if (strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != strlen(text))
		config_complain(reader, &node->start_mark,
		                "user is '%s', which cannot be a user's name; 'getent passwd' lists them", text);
	else if (strcmp(text, "root") == 0)
		config_complain(reader, &node->start_mark,
		                "user is root; name one with no rights of its own, such as holdfast");
	else
		memcpy(field, text, strlen(text) + 1);
}

static void read_alert_type(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                            void *field)
{
	const char *text = config_scalar(reader, key->name, node);
	enum alert_type type;

	if (text && alert_type_parse(text, &type) != 0)
		config_complain(reader, &node->start_mark,
		                "type is '%.*s'; there are pagerduty, slack, telegram, alertmanager, webhook, script",
		                CONFIG_REPEATED_MAX, text);
	else if (text)
		*(uint32_t *)field = type;
}

/* A folder of databases, or off: "". */
static void read_geo(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	if (node->type == YAML_SCALAR_NODE && strcmp((const char *)node->data.scalar.value, "off") == 0)
		*(char *)field = '\0';
	else
		config_read_path(reader, key, node, field);
}

/* ---- lists ---- */

static void read_interfaces(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                            void *field)
{
	char(*names)[CONFIG_INTERFACE_SIZE] = field;
	struct config *config = (struct config *)(void *)((char *)field - offsetof(struct config, interfaces));
	unsigned count = config_list_length(reader, key, node, key->high);

	for (unsigned i = 0; i < count; i++) {
		const yaml_node_t *item = config_list_item(reader, node, i);
		const char *text = config_scalar(reader, "an interface", item);
		bool twice = false;

		if (!text)
			continue;
		if (strlen(text) >= CONFIG_INTERFACE_SIZE || strpbrk(text, "/ \t\r\n") || strcmp(text, ".") == 0 ||
		    strcmp(text, "..") == 0) {
			config_complain(reader, &item->start_mark,
			                "'%.*s' cannot be the name of an interface; 'ip link' lists those there are",
			                CONFIG_REPEATED_MAX, text);
			continue;
		}
		for (unsigned k = 0; k < config->interface_count; k++)
			twice = twice || strcmp(names[k], text) == 0;
		if (twice)
			config_complain(reader, &item->start_mark, "interface %s is named twice; once is enough", text);
		else
			memcpy(names[config->interface_count++], text, strlen(text) + 1);
	}
}

/* The list's paths and how many there are: fields of their own, so that each has its reader. */
static void read_paths(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                       struct config_file **field, unsigned *count)
{
	unsigned length = config_list_length(reader, key, node, CONFIG_FILES_MAX);
	struct config_file *files = config_list_new(reader, length, sizeof(*files));
	unsigned read = 0;

	if (!files)
		return;
	for (unsigned i = 0; i < length; i++) {
		const char *text = config_path_text(reader, key, key->name, config_list_item(reader, node, i));

		if (text)
			memcpy(files[read++].path, text, strlen(text) + 1);
	}
	free(*field);
	*field = files;
	*count = read;
}

static void read_allow_files(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                             void *field)
{
	struct config *config = (struct config *)(void *)((char *)field - offsetof(struct config, allow_files));

	read_paths(reader, key, node, &config->allow_files, &config->allow_file_count);
}

static void read_block_files(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                             void *field)
{
	struct config *config = (struct config *)(void *)((char *)field - offsetof(struct config, block_files));

	read_paths(reader, key, node, &config->block_files, &config->block_file_count);
}

/* ---- tables ---- */

static void read_services(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                          void *field);
static void read_alerts(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                        void *field);

#define DAY_NS (86400 * NS_PER_S)

/* clang-format off */
#define IN_CONFIG(field) offsetof(struct config, field)
static const struct config_key management_keys[] = {
	{ .name = "ports", .read = config_read_ports, .offset = IN_CONFIG(management_ports), .low = 0, .high = CONFIG_MANAGEMENT_MAX },
	{ .name = "from", .read = config_read_prefixes, .offset = IN_CONFIG(management_from), .low = 0, .high = CONFIG_MANAGEMENT_MAX },
	{ .name = NULL },
};

static const struct config_key shield_keys[] = {
	{ .name = "interfaces", .read = read_interfaces, .offset = IN_CONFIG(interfaces), .low = 1, .high = SHIELD_INTERFACES_MAX },
	{ .name = "generic", .read = config_read_bool, .offset = IN_CONFIG(generic), .standard = false },
	{ .name = "nftables", .read = config_read_bool, .offset = IN_CONFIG(nftables), .standard = true },
	{ .name = "block_capacity", .read = config_read_number, .offset = IN_CONFIG(block_capacity),
	  .low = SHIELD_BLOCK_CAPACITY_MIN, .high = SHIELD_BLOCK_CAPACITY_MAX, .standard = 1048576 },
	{ .name = "sample_budget", .read = config_read_number, .offset = IN_CONFIG(sample_budget), .low = 0, .high = 1000000, .standard = 20000 },
	{ .name = "block_for", .read = config_read_duration, .offset = IN_CONFIG(block_for_ns), .low = NS_PER_S,
	  .high = CONFIG_BLOCK_DAYS_MAX * DAY_NS, .standard = 3600 * NS_PER_S },
	{ .name = "management", .read = config_read_mapping, .keys = management_keys },
	{ .name = NULL },
};

static const struct config_key record_keys[] = {
	{ .name = "incidents_max", .read = config_read_number, .offset = IN_CONFIG(incidents_max), .low = 1, .high = 16384, .standard = ARCHIVE_INCIDENTS_MAX },
	{ .name = "streams_max", .read = config_read_number, .offset = IN_CONFIG(streams_max), .low = 1, .high = 16384, .standard = ARCHIVE_STREAMS_MAX },
	{ .name = "stream_mib", .read = config_read_number, .offset = IN_CONFIG(stream_mib), .low = 1, .high = 1024, .standard = ARCHIVE_STREAM_OCTETS_MAX >> 20 },
	{ .name = "evidence_days", .read = config_read_number, .offset = IN_CONFIG(evidence_days), .low = 0, .high = 3650, .standard = 30 },
	{ .name = "streams_mib", .read = config_read_number, .offset = IN_CONFIG(streams_mib), .low = 1, .high = 1048576, .standard = ARCHIVE_STREAMS_OCTETS_MAX >> 20 },
	{ .name = NULL },
};

static const struct config_key config_keys[] = {
	{ .name = "mode", .read = config_read_choice, .offset = IN_CONFIG(enforce), .standard_is = "observe|enforce" },
	{ .name = "user", .read = read_user, .offset = IN_CONFIG(user), .high = CONFIG_USER_SIZE - 1, .standard_is = "holdfast" },
	{ .name = "state_dir", .read = config_read_path, .offset = IN_CONFIG(state_dir), .high = CONFIG_PATH_SIZE - 1, .standard_is = CONFIG_STATE_DIR },
	{ .name = "run_dir", .read = config_read_path, .offset = IN_CONFIG(run_dir), .high = CONFIG_RUN_DIR_MAX, .standard_is = CONFIG_RUN_DIR },
	{ .name = "bpffs_dir", .read = config_read_path, .offset = IN_CONFIG(bpffs_dir), .high = CONFIG_PATH_SIZE - 1, .standard_is = SHIELD_BPFFS_DIR },
	{ .name = "geo", .read = read_geo, .offset = IN_CONFIG(geo), .high = CONFIG_PATH_SIZE - 1, .standard_is = GEO_FOLDER },
	{ .name = "prices", .read = config_read_path, .offset = IN_CONFIG(prices), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "shield", .read = config_read_mapping, .keys = shield_keys },
	{ .name = "record", .read = config_read_mapping, .keys = record_keys },
	{ .name = "services", .read = read_services, .offset = IN_CONFIG(services), .high = CONFIG_SERVICES_MAX },
	{ .name = "allow", .read = config_read_prefixes, .offset = IN_CONFIG(allow), .high = PREFIXES_MAX },
	{ .name = "allow_files", .read = read_allow_files, .offset = IN_CONFIG(allow_files), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "block_files", .read = read_block_files, .offset = IN_CONFIG(block_files), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "trusted_proxies", .read = config_read_prefixes, .offset = IN_CONFIG(trusted_proxies), .high = PREFIXES_MAX },
	{ .name = "alerts", .read = read_alerts, .offset = IN_CONFIG(alerts), .high = CONFIG_ALERTS_MAX },
	{ .name = "page", .read = config_read_mapping, .keys = config_page_keys },
	{ .name = "public", .read = config_read_mapping, .keys = config_public_keys },
	{ .name = "probes", .read = config_read_mapping, .keys = config_probes_keys },
	{ .name = "logs", .read = config_read_logs, .offset = IN_CONFIG(logs), .high = CONFIG_LOGS_MAX },
	{ .name = "mail", .read = config_read_mapping, .keys = config_mail_keys },
	{ .name = "webhooks", .read = config_read_webhooks, .offset = IN_CONFIG(webhooks), .high = CONFIG_WEBHOOKS_MAX },
	{ .name = "console", .read = config_read_mapping, .keys = config_console_keys },
	{ .name = NULL },
};

#define IN_SERVICE(field) offsetof(struct config_service, field)
static const struct config_key service_keys[] = {
	{ .name = "name", .read = config_read_name, .offset = IN_SERVICE(name), .high = SHIELD_NAME_SIZE - 1, .needed = true },
	{ .name = "addresses", .read = config_read_prefixes, .offset = IN_SERVICE(addresses), .low = 1, .high = SHIELD_SERVICE_PREFIXES_MAX, .needed = true },
	{ .name = "tcp", .read = config_read_ports, .offset = IN_SERVICE(tcp), .high = SHIELD_SERVICE_PORTS_MAX },
	{ .name = "udp", .read = config_read_ports, .offset = IN_SERVICE(udp), .high = SHIELD_SERVICE_PORTS_MAX },
	{ .name = "path", .read = config_read_choice, .offset = IN_SERVICE(forwarded), .standard_is = "local|forwarded" },
	{ .name = "syn_cookies", .read = read_cookies, .offset = IN_SERVICE(syn_cookies), .standard = SHIELD_COOKIES_AUTO, .is_enum = true },
	{ .name = "per_source_pps", .read = config_read_number, .offset = IN_SERVICE(per_source_pps), .low = 0, .high = 100000000, .standard = 0 },
	{ .name = "fallback", .read = read_fallback, .offset = IN_SERVICE(fallback), .standard = FALLBACK_LIMIT, .is_enum = true },
	{ .name = NULL },
};

#define IN_ALERT(field) offsetof(struct config_alert, field)
static const struct config_key alert_keys[] = {
	{ .name = "name", .read = config_read_word, .offset = IN_ALERT(target.name), .high = ALERT_NAME_SIZE - 1, .needed = true },
	{ .name = "type", .read = read_alert_type, .offset = IN_ALERT(target.type), .needed = true },
	{ .name = "url", .read = config_read_url, .offset = IN_ALERT(target.url), .high = ALERT_URL_SIZE - 1 },
	{ .name = "key_file", .read = config_read_path, .offset = IN_ALERT(key_file), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "chat", .read = config_read_name, .offset = IN_ALERT(target.chat), .high = ALERT_NAME_SIZE - 1 },
	{ .name = "script", .read = config_read_path, .offset = IN_ALERT(script), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "min_pps", .read = config_read_number, .offset = IN_ALERT(target.min_pps), .low = 0, .high = 1000000000, .standard = 0 },
	{ .name = NULL },
};
/* clang-format on */

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

static void read_services(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                          void *field)
{
	static const struct config_items items = { .what = "a service",
		                                   .several = "services",
		                                   .wants = "a name and addresses",
		                                   .keys = service_keys,
		                                   .size = sizeof(struct config_service) };
	struct config *config = (struct config *)(void *)((char *)field - offsetof(struct config, services));
	unsigned count, prefixes = 0, ranges = 0;
	struct config_service *services = config_read_items(reader, key, node, &items, &count);

	if (!services)
		return;
	for (unsigned i = 0; i < count; i++) {
		prefixes += services[i].addresses.count;
		ranges += ranges_of(&services[i].tcp) + ranges_of(&services[i].udp);
	}
	if (prefixes > SHIELD_SERVICE_PREFIXES_MAX)
		config_complain(reader, &node->start_mark,
		                "services have %u addresses together; at most %u, so name networks instead", prefixes,
		                SHIELD_SERVICE_PREFIXES_MAX);
	if (ranges > SHIELD_SERVICE_PORTS_MAX)
		config_complain(reader, &node->start_mark, "services have %u ranges of ports together; at most %u",
		                ranges, SHIELD_SERVICE_PORTS_MAX);
	services_free(config->services, config->service_count);
	config->services = services;
	config->service_count = count;
}

/* What a target of its type must have, and what means nothing to it. */
static void check_alert(struct config_reader *reader, const yaml_node_t *node, const void *item)
{
	const struct config_alert *alert = item;
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
			config_complain(reader, &node->start_mark, "an alert of type %s has no %s; name %s", name,
			                rows[i].key, rows[i].what);
		else if (rows[i].has && !rows[i].takes)
			config_complain(reader, &node->start_mark, "an alert of type %s has a %s; take it out", name,
			                rows[i].key);
	if (alert->key_file[0] && alert->target.url[0] && !alert_url_is_safe(alert->target.url))
		config_complain(reader, &node->start_mark,
		                "the key of alert '%s' would go over the network in the open; write https in its url",
		                alert->target.name);
}

static void read_alerts(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                        void *field)
{
	static const struct config_items items = { .what = "an alert",
		                                   .several = "alerts",
		                                   .wants = "a name and a type",
		                                   .keys = alert_keys,
		                                   .size = sizeof(struct config_alert),
		                                   .check = check_alert };
	struct config *config = (struct config *)(void *)((char *)field - offsetof(struct config, alerts));
	unsigned count;
	struct config_alert *alerts = config_read_items(reader, key, node, &items, &count);

	if (!alerts)
		return;
	free(config->alerts);
	config->alerts = alerts;
	config->alert_count = count;
}

/* What no single key can say. */
static void check_whole(struct config_reader *reader, const yaml_node_t *root, const struct config *config)
{
	unsigned ways = config->management_ports.count * config->management_from.count;

	if (ways > CONFIG_MANAGEMENT_MAX)
		config_complain(
			reader, &root->start_mark,
			"management has %u ports times %u networks, %u ways in; at most %u, so name fewer, larger networks",
			config->management_ports.count, config->management_from.count, ways, CONFIG_MANAGEMENT_MAX);
	config_mail_check(reader, root, config);
}

/* ---- whole files ---- */

int config_init(struct config *config)
{
	uint16_t *ssh = malloc(sizeof(*ssh));

	if (!ssh)
		return -ENOMEM;
	memset(config, 0, sizeof(*config));
	config_set_standards(config_keys, config);
	*ssh = 22;
	config_page_init(&config->page);
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
	config_page_fini(&config->page);
	config_probes_fini(&config->probes);
	free(config->webhooks);
	config_public_fini(&config->public_role);
	config_console_fini(&config->console);
	config_logs_fini(config);
	memset(config, 0, sizeof(*config));
}

/* libyaml's own complaint, of a file that is no YAML. */
static void complain_of_yaml(const yaml_parser_t *parser, struct config_reader *reader)
{
	if (parser->error == YAML_MEMORY_ERROR)
		reader->out_of_memory = true;
	else if (parser->error == YAML_READER_ERROR)
		config_complain_of_file(reader->errors, "%s:1:1: %s at octet %zu; save it as UTF-8", reader->name,
		                        parser->problem, parser->problem_offset);
	else
		config_complain(reader, &parser->problem_mark, "%s%s%s; this is no YAML",
		                parser->context ? parser->context : "", parser->context ? ", " : "",
		                parser->problem ? parser->problem : "cannot be read");
}

static void read_document(struct config_reader *reader, yaml_parser_t *parser, struct config *config)
{
	const yaml_node_t *root;

	if (!yaml_parser_load(parser, &reader->document)) {
		complain_of_yaml(parser, reader);
		return;
	}
	root = yaml_document_get_root_node(&reader->document);
	if (root) {
		yaml_document_t next;

		config_read_keys(reader, "the file", config_keys, root, config);
		check_whole(reader, root, config);
		if (!yaml_parser_load(parser, &next)) {
			complain_of_yaml(parser, reader);
		} else {
			const yaml_node_t *more = yaml_document_get_root_node(&next);

			if (more)
				config_complain(reader, &more->start_mark,
				                "a second document begins; put all into one");
			yaml_document_delete(&next);
		}
	}
	yaml_document_delete(&reader->document);
}

int config_parse(const char *text, size_t length, const char *name, struct config *config, struct config_errors *errors)
{
	struct config_reader reader = { .name = name, .errors = errors };
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
		config_complain_of_file(
			errors, "%s: larger than %u octets; lists go into files of their own: allow_files, block_files",
			path, CONFIG_FILE_MAX);
	else if (result == -EACCES)
		config_complain_of_file(errors, "%s: %s; read it as root, or name another with --config", path,
		                        strerror(-result));
	else if (result != 0)
		config_complain_of_file(errors, "%s: %s; --config names the file", path, strerror(-result));
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
		config_complain_of_file(errors, "%s", error);
	if (fd >= 0)
		(void)close(fd);
}

static void check_alert_files(const struct config_alert *alert, struct config_errors *errors)
{
	char error[CONFIG_ERROR_SIZE];
	int fd = alert->key_file[0] ? alert_key_open(alert->key_file, error) : -1;

	if (alert->key_file[0] && fd < 0)
		config_complain_of_file(errors, "%s", error);
	if (fd >= 0)
		(void)close(fd);
	if (alert->script[0] && alert_script_check(alert->script, error) != 0)
		config_complain_of_file(errors, "%s", error);
}

static void check_key_file(const char *path, struct config_errors *errors)
{
	char error[CONFIG_ERROR_SIZE];
	int fd = *path ? alert_key_open(path, error) : -1;

	if (fd >= 0)
		(void)close(fd);
	else if (*path)
		config_complain_of_file(errors, "%s", error);
}

static void check_prices(const char *path, struct config_errors *errors)
{
	struct cost_price prices[COST_PRICES_MAX];
	char error[COST_ERROR_SIZE];
	uint32_t count;

	if (*path && cost_prices_read(path, prices, &count, error) != 0)
		config_complain_of_file(errors, "%s: %s", path, error);
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
	for (unsigned i = 0; i < config->webhook_count; i++)
		check_key_file(config->webhooks[i].secret_file, errors);
	check_key_file(config->mail.password_file, errors);
	check_prices(config->prices, errors);
	return errors->count > before || errors->more ? -EINVAL : 0;
}
