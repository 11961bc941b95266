/* SPDX-License-Identifier: Apache-2.0 */
#include "known.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <cmocka.h>

#include "abi/shield.h"
#include "rig.h"
#include "shield/inside.h"
#include "shield/maps.h"
#include "shield/shield.h"

uint64_t known_service_name(unsigned service)
{
	static struct shield_services table;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(shield_maps(rig.shield)->fd[SHIELD_MAP_SERVICES], &zero, &table), 0);
	return table.names[service];
}

/* The line where a source of a service stands, and its hash. */
static uint64_t line_of(const uint8_t src[16], unsigned service, uint32_t *number, struct shield_known *line)
{
	__u64 word[2];
	uint64_t hash;

	memcpy(word, src, sizeof(word));
	hash = shield_known_hash(rig.shield->config->seed, known_service_name(service), word);
	*number = (uint32_t)hash & (SHIELD_KNOWN_LINES - 1);
	assert_int_equal(bpf_map_lookup_elem(shield_maps(rig.shield)->fd[SHIELD_MAP_KNOWN], number, line), 0);
	return hash;
}

uint32_t known_tick_ago(unsigned ago_s)
{
	return shield_known_tick(rig_jiffies() - rig_seconds(ago_s), shield_pace(rig.shield).hz);
}

void known_make_at(const uint8_t src[16], unsigned service, uint32_t first, uint32_t last)
{
	struct shield_known line;
	uint32_t number;
	uint64_t hash = line_of(src, service, &number, &line);
	unsigned lane = 0;

	while (lane < SHIELD_KNOWN_LANES && line.lane[lane] && !SHIELD_KNOWN_IS(line.lane[lane], hash))
		lane++;
	assert_true(lane < SHIELD_KNOWN_LANES);
	line.lane[lane] = SHIELD_KNOWN(hash, first, last);
	assert_int_equal(bpf_map_update_elem(shield_maps(rig.shield)->fd[SHIELD_MAP_KNOWN], &number, &line, BPF_ANY),
	                 0);
}

void known_make(const uint8_t src[16], unsigned service, unsigned first_s, unsigned last_s)
{
	known_make_at(src, service, known_tick_ago(first_s), known_tick_ago(last_s));
}

bool known_is_noted_at(const struct address *src, unsigned service)
{
	struct shield_known line;
	uint32_t number;
	uint64_t hash = line_of(src->octets, service, &number, &line);
	bool noted = false;

	for (unsigned i = 0; i < SHIELD_KNOWN_LANES; i++)
		noted = noted || SHIELD_KNOWN_IS(line.lane[i], hash);
	return noted;
}

bool known_is_noted(const char *src, unsigned service)
{
	struct prefix from = rig_prefix(src);

	return known_is_noted_at(&from.address, service);
}

void known_forget(void)
{
	static const struct shield_known none;

	for (uint32_t i = 0; i < SHIELD_KNOWN_LINES; i++)
		assert_int_equal(bpf_map_update_elem(shield_maps(rig.shield)->fd[SHIELD_MAP_KNOWN], &i, &none, BPF_ANY),
		                 0);
}
