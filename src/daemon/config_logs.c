/* SPDX-License-Identifier: Apache-2.0 */
/* Access logs that `holdfast serve` reads: files, and what web servers send by syslog. */
#include <stdlib.h>
#include <string.h>

#include "daemon/config_reader.h"

#define PORT_MIN 1024 /* others are root's, which the role is not */

/* "127.0.0.1:5514", "[::1]:5514" */
static bool read_listen(const char *text, struct address *address, uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	int64_t number;

	if (!colon || !access_address(text, (size_t)(colon - text), address) || !config_digits(colon + 1, &number) ||
	    number < PORT_MIN || number > UINT16_MAX)
		return false;
	*port = (uint16_t)number;
	return address_is_ipv4(address) || text[0] == '[';
}

static bool is_loopback(const struct address *address)
{
	static const uint8_t one[16] = { [15] = 1 };

	return address_is_ipv4(address) ? address->octets[12] == 127 : memcmp(address->octets, one, sizeof(one)) == 0;
}

static void read_syslog(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                        void *field)
{
	struct config_log *log = (struct config_log *)(void *)((char *)field - offsetof(struct config_log, syslog));
	const char *text = config_short_text(reader, key, key->name, node);

	if (!text)
		return;
	if (!read_listen(text, &log->listen, &log->port))
		config_complain(reader, &node->start_mark,
		                "%s is '%.*s'; write an address and a port from %d on, such as "
		                "127.0.0.1:5514 or \"[::1]:5514\"",
		                key->name, CONFIG_REPEATED_MAX, text, PORT_MIN);
	else
		memcpy(field, text, strlen(text) + 1);
}

static void read_component(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                           void *field)
{
	const char *text = config_short_text(reader, key, key->name, node);

	if (text && !component_id_ok(text))
		config_complain(reader, &node->start_mark, "%s is '%.*s'; write 1 to 32 of a-z, 0-9 and -", key->name,
		                CONFIG_REPEATED_MAX, text);
	else if (text)
		memcpy(field, text, strlen(text) + 1);
}

static void read_format(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                        void *field)
{
	const char *text = config_scalar(reader, key->name, node);

	if (text && !access_format_find(text, field))
		config_complain(reader, &node->start_mark, "%s is '%.*s'; write auto, combined, haproxy or json",
		                key->name, CONFIG_REPEATED_MAX, text);
}

static void read_zone(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	const char *text = config_scalar(reader, key->name, node);

	if (text && !access_zone(text, strlen(text), field))
		config_complain(reader, &node->start_mark,
		                "%s is '%.*s'; write hours and minutes east of UTC, as \"+02:00\"", key->name,
		                CONFIG_REPEATED_MAX, text);
}

static void check_log(struct config_reader *reader, const yaml_node_t *node, const void *item)
{
	const struct config_log *log = item;

	if (!log->file[0] == !log->syslog[0])
		config_complain(reader, &node->start_mark, "a log has %s; name a file or syslog, one of them",
		                log->file[0] ? "a file and syslog" : "neither file nor syslog");
	else if (log->file[0] && log->from.count > 0)
		config_complain(reader, &node->start_mark,
		                "from says who may send by syslog; a file has none, take it out");
	else if (log->syslog[0] && !is_loopback(&log->listen) && log->from.count == 0)
		config_complain(reader, &node->start_mark,
		                "anybody who reaches %s could send lines there; say from whom, as from: [192.0.2.0/24]",
		                log->syslog);
}

#define IN_LOG(field) offsetof(struct config_log, field)
/* clang-format off */
static const struct config_key log_keys[] = {
	{ .name = "component", .read = read_component, .offset = IN_LOG(component), .high = COMPONENT_ID_SIZE - 1, .needed = true },
	{ .name = "file", .read = config_read_path, .offset = IN_LOG(file), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "syslog", .read = read_syslog, .offset = IN_LOG(syslog), .high = CONFIG_LISTEN_SIZE - 1 },
	{ .name = "from", .read = config_read_prefixes, .offset = IN_LOG(from), .high = CONFIG_LOG_FROM_MAX },
	{ .name = "format", .read = read_format, .offset = IN_LOG(format) },
	{ .name = "zone", .read = read_zone, .offset = IN_LOG(zone_s) },
	{ .name = NULL },
};
/* clang-format on */

static void free_logs(struct config_log *logs, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		prefix_list_fini(&logs[i].from);
	free(logs);
}

void config_read_logs(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	static const struct config_items items = { .what = "a log",
		                                   .wants = "a component and file or syslog",
		                                   .keys = log_keys,
		                                   .size = sizeof(struct config_log),
		                                   .check = check_log };
	struct config *config = (struct config *)(void *)((char *)field - offsetof(struct config, logs));
	unsigned count;
	struct config_log *logs = config_read_items(reader, key, node, &items, &count);

	if (!logs)
		return;
	for (unsigned i = 0; i < count; i++)
		for (unsigned k = 0; k < i; k++)
			if ((logs[i].file[0] && strcmp(logs[i].file, logs[k].file) == 0) ||
			    (logs[i].syslog[0] && strcmp(logs[i].syslog, logs[k].syslog) == 0))
				config_complain(reader, &node->start_mark,
				                "%s is read twice, and would count twice; take one out",
				                logs[i].file[0] ? logs[i].file : logs[i].syslog);
	free_logs(config->logs, config->log_count);
	config->logs = logs;
	config->log_count = count;
}

void config_logs_fini(struct config *config)
{
	free_logs(config->logs, config->log_count);
}
