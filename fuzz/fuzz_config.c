/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is a configuration, and a list of networks. Whatever is taken keeps every bound that the tables and the
 * shield rest on; whatever is refused says where. Nothing moves a terminal's cursor.
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "base/time.h"
#include "daemon/config.h"

#define LIST_MAX 50

static void inspect(const struct config *config)
{
	unsigned addresses = 0;

	REQUIRE(config->interface_count <= SHIELD_INTERFACES_MAX);
	for (unsigned i = 0; i < config->interface_count; i++)
		REQUIRE(config->interfaces[i][0] && memchr(config->interfaces[i], '\0', CONFIG_INTERFACE_SIZE));
	REQUIRE(config->block_capacity >= SHIELD_BLOCK_CAPACITY_MIN &&
	        config->block_capacity <= SHIELD_BLOCK_CAPACITY_MAX);
	REQUIRE(config->block_for_ns >= NS_PER_S && config->block_for_ns <= CONFIG_BLOCK_DAYS_MAX * 86400 * NS_PER_S);
	REQUIRE(config->management_ports.count * config->management_from.count <= CONFIG_MANAGEMENT_MAX);
	REQUIRE(config->service_count <= CONFIG_SERVICES_MAX);
	for (unsigned i = 0; i < config->service_count; i++) {
		REQUIRE(config->services[i].name[0] && memchr(config->services[i].name, '\0', SHIELD_NAME_SIZE));
		REQUIRE(config->services[i].addresses.count > 0);
		addresses += config->services[i].addresses.count;
	}
	REQUIRE(addresses <= SHIELD_SERVICE_PREFIXES_MAX);
	REQUIRE(config->state_dir[0] == '/' && config->run_dir[0] == '/' && config->bpffs_dir[0] == '/');
	REQUIRE(strlen(config->run_dir) <= CONFIG_RUN_DIR_MAX);
	REQUIRE(config->allow_file_count <= CONFIG_FILES_MAX && config->block_file_count <= CONFIG_FILES_MAX);
}

static void inspect_line(const char *line)
{
	REQUIRE(line[0] != '\0');
	for (; *line; line++)
		REQUIRE((unsigned char)*line >= ' ' && *line != '\177');
}

static void read_list(const uint8_t *data, size_t size)
{
	char error[PREFIX_FILE_ERROR_SIZE];
	int fd = memfd_create("list", MFD_CLOEXEC);
	struct prefix_list list;

	REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	if (prefix_file_read(fd, "list", LIST_MAX, &list, error) == 0) {
		REQUIRE(list.count <= LIST_MAX);
		prefix_list_sort(&list);
		for (uint32_t i = 1; i < list.count; i++)
			REQUIRE(!prefix_equal(&list.prefixes[i - 1], &list.prefixes[i]));
		prefix_list_fini(&list);
	} else {
		inspect_line(error);
	}
	(void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config_errors errors;
	struct config config;

	errors.count = 0;
	errors.more = 0;
	if (config_parse((const char *)data, size, "f", &config, &errors) == 0) {
		REQUIRE(errors.count == 0);
		inspect(&config);
		config_fini(&config);
	} else {
		REQUIRE(errors.count > 0 && errors.count <= CONFIG_ERRORS_MAX);
		for (unsigned i = 0; i < errors.count; i++) {
			REQUIRE(strncmp(errors.lines[i], "f:", 2) == 0);
			inspect_line(errors.lines[i]);
		}
	}
	read_list(data, size);
	return 0;
}
