/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcyaml holds the file to the schema below and tells of a breach through its log: first what is wrong, then a trace
 * from the inside out with lines and columns. One line is made of the first of each.
 */
#include "cli/services.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/prefix.h"

#define STRING_MAX 64 /* an address, an interface's name */
#define LIST_MAX 1024 /* interfaces, trusted proxies */

enum mode { MODE_OBSERVE, MODE_ENFORCE, MODE_OFF };
enum path { PATH_LOCAL, PATH_FORWARDED };

struct service {
	char *name;
	char **addresses;
	unsigned addresses_count;
	uint16_t *tcp, *udp;
	unsigned tcp_count, udp_count;
	enum path path;
};

struct shield {
	char **interfaces;
	unsigned interfaces_count;
};

struct configuration {
	struct service *services;
	unsigned services_count;
	enum mode mode;
	struct shield shield;
	char **trusted_proxies;
	unsigned trusted_proxies_count;
};

struct services {
	struct configuration *configuration;
	struct prefix (*prefixes)[SERVICES_ADDRESSES_MAX]; /* of each service, parsed */
	struct prefix *trusted;                            /* proxies, likewise */
};

static const cyaml_strval_t modes[] = { { "observe", MODE_OBSERVE }, { "enforce", MODE_ENFORCE }, { "off", MODE_OFF } };
static const cyaml_strval_t paths[] = { { "local", PATH_LOCAL }, { "forwarded", PATH_FORWARDED } };

/* clang-format off */
static const cyaml_schema_value_t string_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, STRING_MAX),
};

static const cyaml_schema_value_t port_schema = { CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint16_t) };

static const cyaml_schema_field_t service_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct service, name, 1, SERVICES_NAME_MAX),
	CYAML_FIELD_SEQUENCE("addresses", CYAML_FLAG_POINTER, struct service, addresses, &string_schema, 1, SERVICES_ADDRESSES_MAX),
	CYAML_FIELD_SEQUENCE("tcp", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct service, tcp, &port_schema, 0, SERVICES_PORTS_MAX),
	CYAML_FIELD_SEQUENCE("udp", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct service, udp, &port_schema, 0, SERVICES_PORTS_MAX),
	CYAML_FIELD_ENUM("path", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct service, path, paths, CYAML_ARRAY_LEN(paths)),
	CYAML_FIELD_IGNORE("syn_cookies", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("per_source_pps", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("fallback", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t service_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct service, service_fields),
};

static const cyaml_schema_field_t shield_fields[] = {
	CYAML_FIELD_SEQUENCE("interfaces", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct shield, interfaces, &string_schema,
	                     0, LIST_MAX),
	CYAML_FIELD_IGNORE("generic", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("nftables", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("block_capacity", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("sample_budget", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("block_for", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("management", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t configuration_fields[] = {
	CYAML_FIELD_SEQUENCE("services", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct configuration, services, &service_schema,
	                     0, SERVICES_MAX),
	CYAML_FIELD_ENUM("mode", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct configuration, mode, modes, CYAML_ARRAY_LEN(modes)),
	CYAML_FIELD_MAPPING("shield", CYAML_FLAG_OPTIONAL, struct configuration, shield, shield_fields),
	CYAML_FIELD_SEQUENCE("trusted_proxies", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct configuration, trusted_proxies,
	                     &string_schema, 0, LIST_MAX),
	/* What a daemon's file says besides; a word that is none of its keys is a mistake all the same. */
	CYAML_FIELD_IGNORE("user", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("state_dir", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("run_dir", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("bpffs_dir", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("record", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("allow", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("allow_files", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("block_files", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("alerts", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("geo", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("prices", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("page", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("public", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("probes", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("logs", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("mail", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("webhooks", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("console", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t configuration_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct configuration, configuration_fields),
};
/* clang-format on */

/* What libcyaml said: the first message and the innermost place. */
struct said {
	char what[SERVICES_ERROR_SIZE / 2];
	char where[64]; /* "line 3, column 7" */
	bool other_documents;
};

static void trim(char *text)
{
	size_t length = strlen(text);

	while (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
}

__attribute__((format(printf, 3, 0))) static void hear(cyaml_log_t level, void *context, const char *format,
                                                       va_list arguments)
{
	static const char prefix[] = "Load: ";
	struct said *said = context;
	char text[sizeof(said->what)];
	const char *at = text;
	unsigned line, column;

	(void)vsnprintf(text, sizeof(text), format, arguments);
	trim(text);
	if (level == CYAML_LOG_WARNING)
		said->other_documents = said->other_documents || strstr(text, "documents") != NULL;
	if (level != CYAML_LOG_ERROR)
		return;
	if (strncmp(at, prefix, sizeof(prefix) - 1) == 0)
		at += sizeof(prefix) - 1;
	if (strncmp(at, "Backtrace", strlen("Backtrace")) == 0)
		return;
	at = strstr(text, "(line: ");
	if (at &&
	    sscanf(at, "(line: %u, column: %u)", &line, &column) == 2) { /* NOLINT(cert-err34-c): libcyaml printed it */
		if (!said->where[0])
			snprintf(said->where, sizeof(said->where), "line %u, column %u: ", line, column);
	} else if (!said->what[0]) {
		at = strncmp(text, prefix, sizeof(prefix) - 1) == 0 ? text + sizeof(prefix) - 1 : text;
		memcpy(said->what, at, strlen(at) + 1);
	}
}

static const cyaml_config_t *parser(struct said *said, cyaml_config_t *config)
{
	*config = (cyaml_config_t){
		.log_fn = said ? hear : NULL,
		.log_ctx = said,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_WARNING,
		.flags = CYAML_CFG_NO_ALIAS, /* an alias can make a large document of a small one */
	};
	return config;
}

static int read_file(const char *path, uint8_t **data, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *octets = NULL;
	int result = fd < 0 ? -errno : file_read_all(fd, SERVICES_FILE_MAX, &octets, length);

	if (fd >= 0)
		(void)close(fd);
	if (result == 0)
		*data = octets;
	return result;
}

static struct configuration *parse(const uint8_t *data, size_t length, char error[SERVICES_ERROR_SIZE])
{
	struct said said = { .what = "", .where = "", .other_documents = false };
	cyaml_config_t config;
	cyaml_data_t *parsed = NULL;
	cyaml_err_t result =
		cyaml_load_data(data, length, parser(&said, &config), &configuration_schema, &parsed, NULL);

	if (result == CYAML_OK && parsed && !said.other_documents)
		return parsed;
	if (result != CYAML_OK)
		snprintf(error, SERVICES_ERROR_SIZE, "%s%s", said.where,
		         said.what[0] ? said.what : cyaml_strerror(result));
	else
		snprintf(error, SERVICES_ERROR_SIZE,
		         parsed ? "holds more than one YAML document; put all into one" : "is empty");
	cyaml_free(parser(NULL, &config), &configuration_schema, parsed, 0);
	return NULL;
}

static bool holds(const uint16_t *ports, unsigned count, uint16_t port)
{
	for (unsigned i = 0; i < count; i++)
		if (ports[i] == port)
			return true;
	return false;
}

/* What a schema cannot say. 0, or -EINVAL with `error` written. */
static int check_service(const struct service *service, struct prefix *prefixes, char error[SERVICES_ERROR_SIZE])
{
	if (holds(service->tcp, service->tcp_count, 0) || holds(service->udp, service->udp_count, 0)) {
		snprintf(error, SERVICES_ERROR_SIZE, "service '%s': 0 is no port; write 1 to 65535", service->name);
		return -EINVAL;
	}
	for (unsigned i = 0; i < service->addresses_count; i++) {
		if (prefix_parse(service->addresses[i], &prefixes[i]) == 0)
			continue;
		snprintf(error, SERVICES_ERROR_SIZE,
		         "service '%s': '%s' is no address or prefix; write 192.0.2.10, 192.0.2.0/24 or "
		         "\"2001:db8::10\"",
		         service->name, service->addresses[i]);
		return -EINVAL;
	}
	return 0;
}

/* 0, or -EINVAL with `error` written. */
static int read_trusted(const struct configuration *configuration, struct prefix *trusted,
                        char error[SERVICES_ERROR_SIZE])
{
	for (unsigned i = 0; i < configuration->trusted_proxies_count; i++) {
		if (prefix_parse(configuration->trusted_proxies[i], &trusted[i]) == 0)
			continue;
		snprintf(error, SERVICES_ERROR_SIZE,
		         "trusted_proxies: '%s' is no address or prefix; write 192.0.2.10, 192.0.2.0/24 or "
		         "\"2001:db8::10\"",
		         configuration->trusted_proxies[i]);
		return -EINVAL;
	}
	return 0;
}

struct services *services_load(const char *path, char error[SERVICES_ERROR_SIZE])
{
	struct services *services = calloc(1, sizeof(*services));
	uint8_t *data = NULL;
	size_t length = 0;
	int result;

	if (!services) {
		snprintf(error, SERVICES_ERROR_SIZE, "out of memory");
		return NULL;
	}
	result = read_file(path, &data, &length);
	if (result == -EFBIG)
		snprintf(error, SERVICES_ERROR_SIZE, "larger than %u octets; that is no list of services",
		         SERVICES_FILE_MAX);
	else if (result != 0)
		snprintf(error, SERVICES_ERROR_SIZE, "%s", strerror(-result));
	if (result != 0)
		goto failed;
	services->configuration = parse(data, length, error);
	free(data);
	if (!services->configuration)
		goto failed;
	services->prefixes = calloc(services->configuration->services_count + 1, sizeof(*services->prefixes));
	services->trusted = calloc(services->configuration->trusted_proxies_count + 1, sizeof(*services->trusted));
	if (!services->prefixes || !services->trusted) {
		snprintf(error, SERVICES_ERROR_SIZE, "out of memory");
		goto failed;
	}
	for (unsigned i = 0; i < services->configuration->services_count; i++)
		if (check_service(&services->configuration->services[i], services->prefixes[i], error) != 0)
			goto failed;
	if (read_trusted(services->configuration, services->trusted, error) != 0)
		goto failed;
	return services;
failed:
	services_free(services);
	return NULL;
}

void services_free(struct services *services)
{
	cyaml_config_t config;

	if (!services)
		return;
	cyaml_free(parser(NULL, &config), &configuration_schema, services->configuration, 0);
	free(services->prefixes);
	free(services->trusted);
	free(services);
}

const struct prefix *services_trusted(const struct services *services, uint32_t *count)
{
	*count = services->configuration->trusted_proxies_count;
	return services->trusted;
}

static bool has_address(const struct services *services, unsigned index, const struct prefix *scope)
{
	for (unsigned i = 0; i < services->configuration->services[index].addresses_count; i++) {
		const struct prefix *own = &services->prefixes[index][i];

		if (prefix_covers(own, scope) || prefix_covers(scope, own))
			return true;
	}
	return false;
}

static bool has_port(const struct service *service, const struct finding *finding)
{
	for (uint32_t i = 0; i < finding->ports_count && i < FINDING_PORTS_MAX; i++)
		if (holds(service->tcp, service->tcp_count, finding->ports[i]) ||
		    holds(service->udp, service->udp_count, finding->ports[i]))
			return true;
	return false;
}

const char *services_name(const void *context, const struct finding *finding)
{
	const struct services *services = context;
	const struct service *at_address = NULL, *at_port = NULL;
	unsigned by_address = 0, by_port = 0;

	for (unsigned i = 0; i < services->configuration->services_count; i++) {
		const struct service *service = &services->configuration->services[i];

		if (!has_address(services, i, &finding->incident->scope))
			continue;
		at_address = service;
		by_address++;
		if (has_port(service, finding)) {
			at_port = service;
			by_port++;
		}
	}
	if (by_address == 1)
		return at_address->name;
	return by_port == 1 ? at_port->name : NULL;
}
