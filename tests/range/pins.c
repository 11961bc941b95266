/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pins layout CONFIG NUMBER     makes the pinned maps those of another version: writes the number of their layout
 * pins cover CONFIG RULESETS    puts a rule into force that drops every packet, as none of Holdfast's own ways would
 *
 * CONFIG and RULESETS are the pins of the maps of these names. For tests: it reaches behind the shield's back.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syscall.h>
#include <unistd.h>

#include "abi/shield.h"

static int bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
	long result = syscall(SYS_bpf, command, attributes, sizeof *attributes);

	return result < 0 ? -errno : (int)result;
}

static int open_pin(const char *path)
{
	union bpf_attr attributes = { .pathname = (uint64_t)(uintptr_t)path };

	return bpf(BPF_OBJ_GET, &attributes);
}

static int read_value(int map, uint32_t key, void *value)
{
	union bpf_attr attributes = { .map_fd = (uint32_t)map,
		                      .key = (uint64_t)(uintptr_t)&key,
		                      .value = (uint64_t)(uintptr_t)value };

	return bpf(BPF_MAP_LOOKUP_ELEM, &attributes);
}

static int write_value(int map, uint32_t key, const void *value)
{
	union bpf_attr attributes = { .map_fd = (uint32_t)map,
		                      .key = (uint64_t)(uintptr_t)&key,
		                      .value = (uint64_t)(uintptr_t)value };

	return bpf(BPF_MAP_UPDATE_ELEM, &attributes);
}

static int set_layout(int config_map, uint32_t layout)
{
	static struct shield_config config;
	int error = read_value(config_map, 0, &config);

	config.layout = layout;
	return error ? error : write_value(config_map, 0, &config);
}

static int cover(int config_map, int rulesets_map)
{
	static struct shield_config config;
	static struct shield_ruleset ruleset;
	int error = read_value(config_map, 0, &config);

	if (error)
		return error;
	/* Nothing masked: every packet meets it. Its bit stands wherever a packet is looked up. */
	ruleset.count = 1;
	for (unsigned i = 0; i < SHIELD_BINS; i++)
		ruleset.by_protocol[i] = ruleset.by_src_port[i] = ruleset.by_dst_port[i] = ruleset.by_length[i] =
			ruleset.by_dst[i] = ruleset.by_other[i] = 1;
	ruleset.rules[0] = (struct shield_rule){ .expires = SHIELD_NEVER, .action = SHIELD_DROP };
	config.ruleset = (config.ruleset + 1) % SHIELD_RULESETS;
	error = write_value(rulesets_map, config.ruleset, &ruleset);
	return error ? error : write_value(config_map, 0, &config);
}

int main(int count, char **words)
{
	int config, rulesets, error;

	if (count != 4 || (strcmp(words[1], "layout") && strcmp(words[1], "cover"))) {
		fprintf(stderr, "usage: pins layout CONFIG NUMBER | pins cover CONFIG RULESETS\n");
		return 2;
	}
	config = open_pin(words[2]);
	if (config < 0) {
		fprintf(stderr, "pins: %s: %s\n", words[2], strerror(-config));
		return 1;
	}
	if (strcmp(words[1], "layout") == 0) {
		error = set_layout(config, (uint32_t)strtoul(words[3], NULL, 10));
	} else {
		rulesets = open_pin(words[3]);
		error = rulesets < 0 ? rulesets : cover(config, rulesets);
	}
	if (error)
		fprintf(stderr, "pins: %s: %s\n", words[1], strerror(-error));
	return error ? 1 : 0;
}
