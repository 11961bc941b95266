/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <cmocka.h>

#include "base/time.h"
#include "shield/blocks.h"
#include "shield/inside.h"
#include "shield.skel.h"

#define BUCKET_TRIES 20 /* to meet an empty one: fewer tokens than that come between two packets */

struct rig rig = { .program = -1 };

/* ---- set up ---- */

static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

int rig_open(void **state)
{
	const struct shield_options options = { .bpffs_dir = rig.dir,
		                                .block_capacity = RIG_BLOCKS,
		                                .sample_budget = 20000 };
	struct shield_error error;
	int result;

	(void)state;
	(void)snprintf(rig.dir, sizeof(rig.dir), "/sys/fs/bpf/hf-verdicts-%d", (int)getpid());
	rig.random = 7;
	libbpf_set_print(silent);
	result = shield_open(&options, &rig.shield, &error);
	if (result) {
		rig.shield = NULL;
		print_message("the shield cannot be opened: %s\n", error.message);
		return result == -EPERM || result == -EACCES || geteuid() != 0 ? 0 : -1;
	}
	rig.program = bpf_program__fd(rig.shield->programs->progs.shield_xdp);
	return blocks_new(shield_maps(rig.shield), &rig.blocks);
}

int rig_close(void **state)
{
	struct shield_error error;
	unsigned removed;

	(void)state;
	if (!rig.shield)
		return 0;
	blocks_free(rig.blocks);
	shield_close(rig.shield);
	return shield_remove(rig.dir, &removed, &error);
}

uint64_t rig_jiffies(void)
{
	struct shield_pace pace = shield_pace(rig.shield);

	return shield_jiffies_at(&pace, shield_monotonic_ns());
}

uint64_t rig_seconds(unsigned s)
{
	return (uint64_t)s * shield_pace(rig.shield).hz;
}

void rig_wait_ms(unsigned ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * NS_PER_MS }, NULL);
}

struct prefix rig_prefix(const char *text)
{
	struct prefix parsed;

	assert_int_equal(prefix_parse(text, &parsed), 0);
	return parsed;
}

uint32_t rig_make_rule(const char *scope, const char *match, enum rule_action action, uint32_t pps,
                       const struct shield_making *making)
{
	struct rule rule = { .scope = rig_prefix(scope), .action = action, .rate_pps = pps };
	struct shield_error error;
	struct match_error wrong;
	uint32_t number;

	if (match_parse(match, &rule.match, &wrong) != 0)
		fail_msg("%s: %s", match, wrong.message);
	if (shield_add_rule(rig.shield, &rule, making, &number, &error) != 0)
		fail_msg("%s: %s", match, error.message);
	return number;
}

uint32_t rig_add_rule(const char *scope, const char *match, enum rule_action action, uint32_t pps, bool shadow,
                      uint64_t expires)
{
	const struct shield_making making = { .expires = expires, .shadow = shadow };

	return rig_make_rule(scope, match, action, pps, &making);
}

struct shield_rule_told rig_told_of(uint32_t number)
{
	struct shield_rule_told rules[SHIELD_RULES_MAX];
	unsigned count, i = 0;

	assert_int_equal(shield_read_rules(shield_maps(rig.shield), rig_jiffies(), rules, &count), 0);
	while (i < count && rules[i].number != number)
		i++;
	assert_true(i < count);
	return rules[i];
}

struct shield_rule_count rig_count_of(uint32_t number)
{
	struct shield_rule_count count;

	assert_int_equal(shield_read_rule_count(shield_maps(rig.shield), rig_told_of(number).counter, &count), 0);
	return count;
}

void rig_begin(void)
{
	struct shield_rule_told rules[SHIELD_RULES_MAX];
	struct shield_error error;
	unsigned count, swept;

	assert_int_equal(shield_sweep_rules(rig.shield, rig_jiffies(), &swept), 0);
	assert_int_equal(shield_read_rules(shield_maps(rig.shield), rig_jiffies(), rules, &count), 0);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(shield_remove_rule(rig.shield, rules[i].number, &error), 0);
	assert_int_equal(shield_set_guard(rig.shield, NULL, 0, &error), 0);
	assert_int_equal(shield_set_services(rig.shield, NULL, 0, &error), 0);
	shield_set_mode(rig.shield, true, SHIELD_NEVER);
}

void rig_block(const char *text, uint64_t expires)
{
	struct prefix what = rig_prefix(text);

	assert_int_equal(blocks_add(rig.blocks, &what, rig_jiffies(), expires), 0);
}

void rig_release(const char *text)
{
	struct prefix what = rig_prefix(text);

	assert_int_equal(blocks_remove(rig.blocks, &what, rig_jiffies()), 0);
}

/* ---- running ---- */

uint32_t rig_run(const uint8_t *data, size_t length)
{
	struct bpf_test_run_opts options = {
		.sz = sizeof(options), .data_in = data, .data_size_in = (uint32_t)length, .repeat = 1
	};

	if (bpf_prog_test_run_opts(rig.program, &options) != 0)
		fail_msg("a frame of %zu octets is not run: %s", length, strerror(errno));
	return options.retval;
}

void rig_send(const struct packet *p)
{
	struct bpf_test_run_opts options = {
		.sz = sizeof(options), .data_in = p->octets, .data_size_in = (uint32_t)p->length, .repeat = 1
	};
	int egress = bpf_program__fd(rig.shield->programs->progs.shield_egress);

	assert_int_equal(bpf_prog_test_run_opts(egress, &options), 0);
	assert_int_equal((int)options.retval, -1); /* TC_ACT_UNSPEC: others may have a say */
}

struct rig_fate rig_fate_of(const struct packet *p)
{
	static struct shield_counters before[SHIELD_SERVICES_MAX], after[SHIELD_SERVICES_MAX];
	struct rig_fate fate = { .reason = SHIELD_REASONS };
	unsigned found = 0;
	uint32_t verdict;

	assert_int_equal(shield_read_counters(shield_maps(rig.shield), before), 0);
	verdict = rig_run(p->octets, p->length);
	assert_int_equal(shield_read_counters(shield_maps(rig.shield), after), 0);
	for (unsigned service = 0; service < SHIELD_SERVICES_MAX; service++)
		for (unsigned i = 0; i < 2 * SHIELD_REASONS; i++) {
			const struct shield_count *was, *is;
			unsigned reason = i / 2;

			was = i % 2 ? &before[service].observed[reason] : &before[service].enforced[reason];
			is = i % 2 ? &after[service].observed[reason] : &after[service].enforced[reason];
			if (is->packets == was->packets && is->octets == was->octets)
				continue;
			assert_int_equal(is->packets, was->packets + 1);
			assert_int_equal(is->octets, was->octets + p->length);
			fate = (struct rig_fate){ (enum shield_reason)reason, service, i % 2 == 0 };
			found++;
		}
	assert_int_equal(found, 1);
	assert_int_equal(verdict, fate.reason > SHIELD_PASS_LAST && fate.enforced ? XDP_DROP : XDP_PASS);
	return fate;
}

void rig_meets(const struct packet *p, enum shield_reason wanted, const char *what)
{
	struct rig_fate fate = rig_fate_of(p);

	if (fate.reason != wanted || !fate.enforced)
		fail_msg("%s: %s%s, not %s", what, fate.enforced ? "" : "observed ", shield_reason_name(fate.reason),
		         shield_reason_name(wanted));
}

void rig_would_meet(const struct packet *p, enum shield_reason wanted, const char *what)
{
	struct rig_fate fate = rig_fate_of(p);

	if (fate.reason != wanted || fate.enforced)
		fail_msg("%s: %s%s, not observed %s", what, fate.enforced ? "" : "observed ",
		         shield_reason_name(fate.reason), shield_reason_name(wanted));
}

unsigned rig_passing(const struct packet *p, unsigned count)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < count; i++)
		passed += rig_run(p->octets, p->length) == XDP_PASS;
	return passed;
}

unsigned rig_passing_buckets(const struct packet *p, unsigned count, unsigned least, unsigned most, unsigned pps)
{
	uint64_t began = rig_jiffies();
	unsigned passed = rig_passing(p, count);

	assert_in_range(passed, least, most + 1 + (rig_jiffies() - began + 2) * pps / rig_seconds(1));
	return passed;
}

struct rig_fate rig_fate_once_empty(const struct packet *p, enum shield_reason first)
{
	struct rig_fate fate = rig_fate_of(p);

	for (unsigned i = 1; i < BUCKET_TRIES && fate.reason == first; i++)
		fate = rig_fate_of(p);
	return fate;
}

void rig_meets_emptied(const struct packet *p, enum shield_reason first, enum shield_reason wanted, const char *what)
{
	struct rig_fate fate = rig_fate_once_empty(p, first);

	if (fate.reason != wanted || !fate.enforced)
		fail_msg("%s: %s%s, not %s", what, fate.enforced ? "" : "observed ", shield_reason_name(fate.reason),
		         shield_reason_name(wanted));
}

void rig_takes(void *context, const struct shield_sample *sample)
{
	struct rig_taken *taken = context;

	taken->count++;
	taken->weight += sample->weight;
	taken->last = *sample;
}

void rig_answer(const char *src, const char *dst, uint16_t src_port, uint16_t dst_port)
{
	struct packet out = packet_of_udp(src, dst, src_port, dst_port);

	rig_send(&out);
}
