/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare OBJECT: drawn tables of rules, drawn packets, each judged by the shield as it is and by the one that machine
 * code finds rules for (OBJECT: bench/compiled.bpf.c), both by BPF_PROG_TEST_RUN, attached to nothing. Verdict, reason,
 * and what each rule has counted must be the same. Some rules only count, some are in the shadow, some have expired, so
 * that what stands behind the first that holds is looked at as well.
 *
 * At the end the code of an empty table is put in the place of another's, which must be noticed. Prints one line. 77:
 * it may not load programs here.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "compiled.h"
#include "drawn.h"
#include "shield/inside.h"
#include "shield/shield.h"
#include "shield.skel.h"

#define TABLES 60
#define PACKETS 500
#define SKIPPED 77
#define CPUS_MAX 1024

/* What a program makes of one packet. */
struct verdict {
	uint64_t returned;
	struct shield_counters reasons;
	struct shield_count matched[SHIELD_RULES_MAX], dropped[SHIELD_RULES_MAX];
};

static struct {
	struct shield *shield;
	struct compiled *compiled;
	struct shield_rule_count *counts; /* room for SHIELD_RULE_COUNTERS of each CPU */
	struct shield_counters *reasons;
	size_t cpus;
	const char *object;
	uint64_t random, rules_met, packets, differ, insns;
} the = { .random = 1 };

static void add(struct shield_count *sum, const struct shield_count *more)
{
	sum->packets += more->packets;
	sum->octets += more->octets;
}

/* What has been counted so far, of all packets. */
static int read_counted(struct verdict *so_far)
{
	const struct shield_maps *maps = shield_maps(the.shield);
	uint32_t keys[SHIELD_RULE_COUNTERS], count = SHIELD_RULE_COUNTERS, next, service = SHIELD_SERVICE_NONE;
	struct bpf_map_batch_opts options = { .sz = sizeof(options) };
	int result = bpf_map_lookup_elem(maps->fd[SHIELD_MAP_COUNTERS], &service, the.reasons);

	if (!result)
		result = bpf_map_lookup_batch(maps->fd[SHIELD_MAP_RULE_COUNTERS], NULL, &next, keys, the.counts, &count,
		                              &options);
	if (result && result != -ENOENT) /* it ends there */
		return result;
	memset(so_far, 0, sizeof(*so_far));
	for (size_t cpu = 0; cpu < the.cpus; cpu++)
		for (unsigned i = 0; i < SHIELD_REASONS; i++) {
			add(&so_far->reasons.enforced[i], &the.reasons[cpu].enforced[i]);
			add(&so_far->reasons.observed[i], &the.reasons[cpu].observed[i]);
		}
	for (uint32_t i = 0; i < count; i++)
		for (size_t cpu = 0; cpu < the.cpus && keys[i] < SHIELD_RULES_MAX; cpu++) {
			add(&so_far->matched[keys[i]], &the.counts[i * the.cpus + cpu].matched);
			add(&so_far->dropped[keys[i]], &the.counts[i * the.cpus + cpu].dropped);
		}
	return 0;
}

static int judge(int program, const struct packet *packet, struct verdict *verdict)
{
	struct bpf_test_run_opts options = {
		.sz = sizeof(options), .data_in = packet->octets, .data_size_in = (uint32_t)packet->length, .repeat = 1
	};
	struct verdict before;
	uint64_t *was = (uint64_t *)(void *)&before.reasons, *is = (uint64_t *)(void *)&verdict->reasons;
	int result = read_counted(&before);

	if (!result)
		result = bpf_prog_test_run_opts(program, &options);
	if (!result)
		result = read_counted(verdict);
	if (result)
		return result;
	for (size_t i = 0; i < (sizeof(before) - offsetof(struct verdict, reasons)) / sizeof(*was); i++)
		is[i] -= was[i];
	verdict->returned = options.retval;
	return 0;
}

static int compare(const struct packet *packet)
{
	struct verdict table, code;
	int result = judge(bpf_program__fd(the.shield->programs->progs.shield_xdp), packet, &table);

	if (!result)
		result = judge(compiled_program(the.compiled), packet, &code);
	if (result)
		return result;
	the.packets++;
	for (unsigned i = 0; i < SHIELD_RULES_MAX; i++)
		the.rules_met += table.matched[i].packets;
	the.differ += memcmp(&table, &code, sizeof(table)) != 0;
	return 0;
}

static int put_table(const struct shield_ruleset *set, uint32_t ruleset)
{
	int result = bpf_map_update_elem(shield_maps(the.shield)->fd[SHIELD_MAP_RULESETS], &ruleset, set, BPF_ANY);

	__atomic_store_n(&the.shield->config->ruleset, ruleset, __ATOMIC_RELEASE);
	return result;
}

static int put_code(struct shield_error *error)
{
	const struct compiled_options options = { .object = the.object };
	int result;

	compiled_close(the.compiled);
	the.compiled = NULL;
	result = compiled_open(the.shield, &options, &the.compiled, error);
	if (!result)
		the.insns += compiled_cost(the.compiled).insns;
	return result;
}

static void draw_table(struct shield_ruleset *set)
{
	uint64_t counts = packet_random(&the.random, 4) ? 0 : UINT64_MAX / 3; /* every second */

	drawn_ruleset(&the.random, 1 + packet_random(&the.random, SHIELD_RULES_MAX), counts, set);
	for (uint32_t i = 0; i < set->count; i++) {
		if (packet_random(&the.random, 6) == 0)
			set->rules[i].flags |= SHIELD_RULE_SHADOW;
		if (packet_random(&the.random, 6) == 0)
			set->rules[i].expires = 1;
	}
}

static int compare_tables(struct shield_error *error)
{
	static struct shield_ruleset set, empty;
	struct packet packet;
	uint64_t differ;
	int result = 0;

	for (uint32_t table = 0; table <= TABLES && !result; table++) {
		bool wrong = table == TABLES;

		draw_table(&set);
		result = put_table(wrong ? &empty : &set, table % SHIELD_RULESETS);
		if (!result)
			result = put_code(error);
		if (!result && wrong)
			result = put_table(&set, table % SHIELD_RULESETS);
		differ = the.differ;
		for (uint32_t i = 0; i < PACKETS && !result; i++) {
			drawn_packet(&the.random, &packet);
			result = compare(&packet);
		}
		if (!wrong)
			continue;
		if (!result && the.differ == differ) {
			(void)snprintf(error->message, sizeof(error->message), "code of another table goes unnoticed");
			return -EBADMSG;
		}
		the.differ = differ;
	}
	return result;
}

static int begin(const char *dir, struct shield_error *error)
{
	const struct shield_options options = { .bpffs_dir = dir, .block_capacity = SHIELD_BLOCK_CAPACITY_MIN };
	int cpus = libbpf_num_possible_cpus(), result;

	if (cpus < 1 || cpus > CPUS_MAX)
		return -ENOTSUP;
	the.cpus = (size_t)cpus;
	the.counts = calloc(SHIELD_RULE_COUNTERS * the.cpus, sizeof(*the.counts));
	the.reasons = calloc(the.cpus, sizeof(*the.reasons));
	if (!the.counts || !the.reasons)
		return -ENOMEM;
	result = shield_open(&options, &the.shield, error);
	if (!result)
		shield_set_mode(the.shield, true, SHIELD_NEVER);
	return result;
}

int main(int argc, char **argv)
{
	struct shield_error error = { "", "" }, unsaid;
	unsigned removed;
	char dir[64];
	int result;

	if (argc != 2) {
		(void)fputs("usage: compare OBJECT\n", stderr);
		return 2;
	}
	(void)snprintf(dir, sizeof(dir), "/sys/fs/bpf/hf-compare-%d", (int)getpid());
	the.object = argv[1];
	result = begin(dir, &error);
	if (!result)
		result = compare_tables(&error);
	compiled_close(the.compiled);
	if (the.shield) {
		shield_close(the.shield);
		(void)shield_remove(dir, &removed, &unsaid);
	}
	free(the.counts);
	free(the.reasons);
	if (result) {
		(void)fprintf(stderr, "compare: %s (%s)\n", error.message, strerror(-result));
		return result == -EPERM || result == -EACCES || geteuid() != 0 ? SKIPPED : 1;
	}
	(void)printf("%d tables, %llu instructions, %llu packets, %llu rules met: %llu verdicts differ\n", TABLES,
	             (unsigned long long)the.insns, (unsigned long long)the.packets, (unsigned long long)the.rules_met,
	             (unsigned long long)the.differ);
	return the.differ || the.rules_met < the.packets / 4 ? 1 : 0;
}
