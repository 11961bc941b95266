/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers may ask of `holdfast serve`. */
#include <stdlib.h>
#include <string.h>

#include "daemon/config_reader.h"
#include "tell/http_server.h"

static void read_listen(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                        void *field)
{
	struct config_public *public_role =
		(struct config_public *)(void *)((char *)field - offsetof(struct config_public, listen));
	unsigned count = config_list_length(reader, key, node, key->high);

	public_role->listen_count = 0;
	for (unsigned i = 0; i < count; i++) {
		const yaml_node_t *item = config_list_item(reader, node, i);
		const char *text = config_scalar(reader, "an address", item);
		struct address address;
		uint16_t port;

		if (!text)
			continue;
		if (strlen(text) >= CONFIG_LISTEN_SIZE || http_server_address(text, &address, &port) != 0) {
			config_complain(reader, &item->start_mark,
			                "'%.*s' is nothing to listen at; write 127.0.0.1:8080 or '[::1]:8080'",
			                CONFIG_REPEATED_MAX, text);
			continue;
		}
		memcpy(public_role->listen[public_role->listen_count++].text, text, strlen(text) + 1);
	}
}

static void read_component(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                           void *field)
{
	const char *text = config_scalar(reader, key->name, node);

	if (text && !component_id_ok(text))
		config_complain(reader, &node->start_mark,
		                "%s is '%.*s'; write up to 32 of a-z, 0-9 and '-', as `holdfast page component` has it",
		                key->name, CONFIG_REPEATED_MAX, text);
	else if (text)
		memcpy(field, text, strlen(text) + 1);
}

#define IN_SITE(field) offsetof(struct config_site, field)
#define IN_VANTAGE(field) offsetof(struct config_vantage, field)
/* clang-format off */
static const struct config_key site_keys[] = {
	{ .name = "host", .read = config_read_word, .offset = IN_SITE(host), .high = CONFIG_HOST_SIZE - 1, .needed = true },
	{ .name = "component", .read = read_component, .offset = IN_SITE(component), .high = COMPONENT_ID_SIZE - 1, .needed = true },
	{ .name = NULL },
};
static const struct config_key vantage_keys[] = {
	{ .name = "name", .read = read_component, .offset = IN_VANTAGE(name), .high = VANTAGE_SIZE - 1, .needed = true },
	{ .name = "network", .read = config_read_number, .offset = IN_VANTAGE(network), .low = 1, .high = UINT32_MAX, .needed = true },
	{ .name = "key_file", .read = config_read_path, .offset = IN_VANTAGE(key_file), .high = CONFIG_PUBLIC_PATH_SIZE - 1, .needed = true },
	{ .name = NULL },
};
/* clang-format on */

static void read_sites(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	static const struct config_items items = { .what = "a site",
		                                   .several = "sites",
		                                   .wants = "a host and a component",
		                                   .keys = site_keys,
		                                   .size = sizeof(struct config_site) };
	struct config_public *public_role =
		(struct config_public *)(void *)((char *)field - offsetof(struct config_public, sites));
	unsigned count;
	struct config_site *sites = config_read_items(reader, key, node, &items, &count);

	if (!sites)
		return;
	free(public_role->sites);
	public_role->sites = sites;
	public_role->site_count = count;
}

static void read_vantages(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                          void *field)
{
	static const struct config_items items = { .what = "a vantage point",
		                                   .several = "vantage points",
		                                   .wants = "a name, a network and key_file",
		                                   .keys = vantage_keys,
		                                   .size = sizeof(struct config_vantage) };
	struct config_public *public_role =
		(struct config_public *)(void *)((char *)field - offsetof(struct config_public, vantages));
	unsigned count;
	struct config_vantage *vantages = config_read_items(reader, key, node, &items, &count);

	if (!vantages)
		return;
	free(public_role->vantages);
	public_role->vantages = vantages;
	public_role->vantage_count = count;
}

#define IN_CONFIG(field) offsetof(struct config, field)
/* clang-format off */
const struct config_key config_public_keys[] = {
	{ .name = "listen", .read = read_listen, .offset = IN_CONFIG(public_role.listen), .low = 1, .high = CONFIG_LISTEN_MAX },
	{ .name = "connections", .read = config_read_number, .offset = IN_CONFIG(public_role.connections), .low = 16, .high = HTTP_SERVER_CONNECTIONS_MAX, .standard = 1024 },
	{ .name = "per_address", .read = config_read_number, .offset = IN_CONFIG(public_role.per_address), .low = 1, .high = HTTP_SERVER_CONNECTIONS_MAX, .standard = 32 },
	{ .name = "network_reports", .read = config_read_number, .offset = IN_CONFIG(public_role.network_reports), .low = 1, .high = 1000000, .standard = 300 },
	{ .name = "tls_cert", .read = config_read_path, .offset = IN_CONFIG(public_role.tls_cert), .high = CONFIG_PUBLIC_PATH_SIZE - 1 },
	{ .name = "tls_key", .read = config_read_path, .offset = IN_CONFIG(public_role.tls_key), .high = CONFIG_PUBLIC_PATH_SIZE - 1 },
	{ .name = "gatus_key_file", .read = config_read_path, .offset = IN_CONFIG(public_role.gatus_key_file), .high = CONFIG_PUBLIC_PATH_SIZE - 1 },
	{ .name = "dropped", .read = config_read_path, .offset = IN_CONFIG(public_role.dropped), .high = CONFIG_PUBLIC_PATH_SIZE - 1 },
	{ .name = "nel", .read = config_read_bool, .offset = IN_CONFIG(public_role.nel), .standard = true },
	{ .name = "component", .read = read_component, .offset = IN_CONFIG(public_role.component), .high = COMPONENT_ID_SIZE - 1, .standard_is = "service" },
	{ .name = "sites", .read = read_sites, .offset = IN_CONFIG(public_role.sites), .high = CONFIG_SITES_MAX },
	{ .name = "vantages", .read = read_vantages, .offset = IN_CONFIG(public_role.vantages), .high = CONFIG_VANTAGES_MAX },
	{ .name = NULL },
};
/* clang-format on */

void config_public_fini(struct config_public *public_role)
{
	free(public_role->sites);
	free(public_role->vantages);
}
