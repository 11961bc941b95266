/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules come into force, are renewed, and go. A packet never sees half a table: it is written where none is in force,
 * and then its number, which is a single store. What is in force is what the notes say: from them each new table is put
 * together.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/time.h"
#include "shield/inside.h"
#include "shield/ruleset.h"

/* What a rule is in the kernel's table. */
static int compile(const struct shield *shield, const struct shield_rule_told *told, struct shield_rule *compiled,
                   struct shield_error *error)
{
	int result = ruleset_compile_rule(&told->rule, compiled, error);

	if (result)
		return result;
	compiled->expires = told->expires;
	compiled->counter = told->counter;
	compiled->flags = (told->shadow ? SHIELD_RULE_SHADOW : 0u) | (told->spare ? SHIELD_RULE_SPARE : 0u) |
	                  (told->probe ? SHIELD_RULE_PROBE : 0u) | (told->known ? SHIELD_RULE_KNOWN : 0u) |
	                  (told->each ? SHIELD_RULE_EACH : 0u);
	compiled->source_pps = told->each ? told->rule.rate_pps : told->source_pps;
	compiled->arm_pps = told->arm_pps;
	compiled->hold = told->hold_s * shield->pace.hz;
	return 0;
}

/*
 * One that looks at sources stands behind all others: it tells nothing of packets, and what it lets pass nobody else
 * sees.
 */
static bool looks_at_sources(const struct shield_rule_told *told)
{
	return told->known || told->each;
}

/* Puts together and names a table of these rules. */
static int put_in_force(struct shield *shield, const struct shield_rule_told *told, unsigned count,
                        struct shield_error *error)
{
	uint32_t was = shield->config->ruleset % SHIELD_RULESETS, next = (was + 1) % SHIELD_RULESETS;
	int64_t now = shield_monotonic_ns(), rested = now - shield->retired[next];
	int result = 0;

	memset(shield->set, 0, sizeof(*shield->set));
	for (unsigned i = 0; i < 2 * count && !result; i++) {
		const struct shield_rule_told *one = &told[i % count];
		struct shield_rule compiled;

		if (looks_at_sources(one) != (i >= count))
			continue;
		result = compile(shield, one, &compiled, error);
		if (result)
			return result;
		result = ruleset_add(shield->set, &compiled);
	}
	if (result)
		return shield_fail(error, result, "%u rules are in force; the shield takes %d", count,
		                   SHIELD_RULES_MAX);
	ruleset_finish(shield->set);
	/* A packet may still be looking at the table that was in force a moment ago. */
	if (shield->retired[next] && rested < SHIELD_RULESET_REST_MS * (int64_t)NS_PER_MS) {
		struct timespec wait = { 0, (long)(SHIELD_RULESET_REST_MS * (int64_t)NS_PER_MS - rested) };

		(void)nanosleep(&wait, NULL);
	}
	result = bpf_map_update_elem(shield->maps.fd[SHIELD_MAP_RULESETS], &next, shield->set, BPF_ANY);
	if (result)
		return shield_fail(error, result, "the table of rules cannot be written: %s", strerror(-result));
	PUBLISH(shield->config->ruleset, next);
	shield->retired[was] = shield_monotonic_ns();
	return 0;
}

static int forget(struct shield *shield, uint32_t counter)
{
	static const struct shield_note none;

	return bpf_map_update_elem(shield->maps.fd[SHIELD_MAP_NOTES], &counter, &none, BPF_ANY);
}

static bool has_counter(const struct shield_rule_told *told, unsigned count, uint32_t counter)
{
	for (unsigned i = 0; i < count; i++)
		if (told[i].counter == counter)
			return true;
	return false;
}

/* A counter that no rule has, of the one longest not used; its counts and state begin anew. */
static int take_counter(struct shield *shield, const struct shield_rule_told *told, unsigned count,
                        const struct shield_rule_state *state, uint32_t *counter)
{
	uint32_t candidate = shield->config->next_rule % SHIELD_RULE_COUNTERS;
	struct shield_rule_count *zeros;
	int cpus = libbpf_num_possible_cpus(), result;

	if (cpus < 1 || cpus > SHIELD_CPUS_MAX)
		return -ENOTSUP;
	/* SHIELD_RULES_MAX of them leave most free. */
	while (has_counter(told, count, candidate))
		candidate = (candidate + 1) % SHIELD_RULE_COUNTERS;
	zeros = calloc((size_t)cpus, sizeof(*zeros));
	if (!zeros)
		return -ENOMEM;
	result = bpf_map_update_elem(shield->maps.fd[SHIELD_MAP_RULE_COUNTERS], &candidate, zeros, BPF_ANY);
	free(zeros);
	if (!result)
		result = bpf_map_update_elem(shield->maps.fd[SHIELD_MAP_RULE_STATES], &candidate, state, BPF_ANY);
	if (!result)
		*counter = candidate;
	return result;
}

static int read_rules(const struct shield *shield, struct shield_rule_told **told, unsigned *count,
                      struct shield_error *error)
{
	uint64_t now = shield_jiffies_at(&shield->pace, shield_monotonic_ns());
	struct shield_rule_told *read = calloc(SHIELD_RULES_MAX + 1, sizeof(*read));
	int result = read ? shield_read_rules(&shield->maps, now, read, count) : -ENOMEM;

	if (result) {
		free(read);
		(void)shield_fail(error, result, "the rules in force cannot be read: %s", strerror(-result));
		return result;
	}
	*told = read;
	return 0;
}

static void fill_rule(const struct rule *rule, const struct shield_making *making, uint32_t number,
                      struct shield_rule_told *new)
{
	*new = (struct shield_rule_told){
		.number = number,
		.rule = *rule,
		.expires = making->expires,
		.made_ns = making->made_ns,
		.made_by = making->made_by,
		.shadow = making->shadow,
		.spare = making->spare,
		.probe = making->probe,
		.known = making->known,
		.each = making->each,
		.source_pps = making->source_pps,
		.arm_pps = making->arm_pps,
		.hold_s = making->hold_s,
	};
	memcpy(new->reason, making->reason, sizeof(new->reason));
	new->reason[sizeof(new->reason) - 1] = '\0';
}

int shield_add_rule(struct shield *shield, const struct rule *rule, const struct shield_making *making,
                    uint32_t *number, struct shield_error *error)
{
	struct shield_rule_state state = { .active_until = SHIELD_NEVER };
	struct shield_rule_told *told = NULL, *new;
	struct shield_rule compiled;
	struct shield_note note;
	unsigned count = 0;
	int result = ruleset_compile_rule(rule, &compiled, error);

	if (!result && making->hold_s > SHIELD_HOLD_MAX_S)
		result = shield_fail(error, -EINVAL, "a rule may be held active for %d s at most", SHIELD_HOLD_MAX_S);
	if (!result)
		result = shield_check_guard(shield, rule, error);
	if (!result)
		result = read_rules(shield, &told, &count, error);
	if (result)
		return result;
	if (count == SHIELD_RULES_MAX) {
		(void)shield_fail(error, -ENOSPC, "%u rules are in force; the shield takes no more", count);
		shield_advise(error, "'holdfast release' one of them");
		free(told);
		return -ENOSPC;
	}
	new = &told[count];
	fill_rule(rule, making, shield->config->next_rule, new);
	if (new->arm_pps)
		state.active_until = shield_jiffies_at(&shield->pace, shield_monotonic_ns()) +
		                     (uint64_t) new->hold_s * shield->pace.hz;
	result = take_counter(shield, told, count, &state, &new->counter);
	if (!result)
		result = shield_note_write(new, &note);
	if (!result)
		result = bpf_map_update_elem(shield->maps.fd[SHIELD_MAP_NOTES], &new->counter, &note, BPF_ANY);
	if (result) {
		(void)shield_fail(error, result, "the rule cannot be noted: %s", strerror(-result));
		free(told);
		return result;
	}
	result = put_in_force(shield, told, count + 1, error);
	if (result) {
		(void)forget(shield, new->counter);
	} else {
		*number = new->number;
		PUBLISH(shield->config->next_rule, new->number + 1);
	}
	free(told);
	return result;
}

void shield_count_from(struct shield *shield, uint32_t number)
{
	if (number > shield->config->next_rule && number <= INT32_MAX)
		PUBLISH(shield->config->next_rule, number);
}

static int refuse_number(uint32_t number, struct shield_error *error)
{
	(void)shield_fail(error, -ENOENT, "r%u: no such rule is in force", number);
	shield_advise(error, "'holdfast rules' lists those that are");
	return -ENOENT;
}

int shield_remove_rule(struct shield *shield, uint32_t number, struct shield_error *error)
{
	struct shield_rule_told *told = NULL;
	unsigned count = 0, kept = 0;
	uint32_t counter = 0;
	int result = read_rules(shield, &told, &count, error);

	if (result)
		return result;
	for (unsigned i = 0; i < count; i++)
		if (told[i].number == number)
			counter = told[i].counter;
		else
			told[kept++] = told[i];
	if (kept == count) {
		free(told);
		return refuse_number(number, error);
	}
	result = put_in_force(shield, told, kept, error);
	free(told);
	if (!result && forget(shield, counter))
		result = shield_fail(error, -EIO, "r%u: its note cannot be taken away", number);
	return result;
}

/* The kernel's own copy of a rule gets its new end by one store, so that nothing else of the table is touched. */
static int renew_in_force(struct shield *shield, uint32_t counter, uint64_t expires)
{
	size_t size = SHIELD_RULESETS * sizeof(struct shield_ruleset);
	struct shield_ruleset *sets =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, shield->maps.fd[SHIELD_MAP_RULESETS], 0);
	struct shield_ruleset *set;
	int result = -ENOENT;

	if (sets == MAP_FAILED)
		return -errno;
	set = &sets[shield->config->ruleset % SHIELD_RULESETS];
	for (unsigned i = 0; i < set->count && i < SHIELD_RULES_MAX; i++)
		if (set->rules[i].counter == counter) {
			PUBLISH(set->rules[i].expires, expires);
			result = 0;
		}
	(void)munmap(sets, size);
	return result;
}

int shield_renew_rule(struct shield *shield, uint32_t number, uint64_t expires, struct shield_error *error)
{
	struct shield_rule_told *told = NULL;
	struct shield_note note;
	unsigned count = 0, i = 0;
	int result = read_rules(shield, &told, &count, error);

	if (result)
		return result;
	while (i < count && told[i].number != number)
		i++;
	if (i == count) {
		free(told);
		return refuse_number(number, error);
	}
	told[i].expires = expires;
	result = shield_note_write(&told[i], &note);
	if (!result)
		result = bpf_map_update_elem(shield->maps.fd[SHIELD_MAP_NOTES], &told[i].counter, &note, BPF_ANY);
	if (!result)
		result = renew_in_force(shield, told[i].counter, expires);
	if (result)
		(void)shield_fail(error, result, "r%u: cannot be renewed: %s", number, strerror(-result));
	free(told);
	return result;
}

int shield_sweep_rules(struct shield *shield, uint64_t now, unsigned *swept)
{
	struct shield_note *note = malloc(sizeof(*note));
	int result = note ? 0 : -ENOMEM;
	unsigned gone = 0;

	/* An expired rule holds nothing up in the table: there it goes with the next change. */
	for (__u32 i = 0; i < SHIELD_RULE_COUNTERS && !result; i++) {
		result = bpf_map_lookup_elem(shield->maps.fd[SHIELD_MAP_NOTES], &i, note);
		if (!result && note->number && note->expires <= now) {
			result = forget(shield, i);
			gone++;
		}
	}
	free(note);
	if (!result)
		*swept = gone;
	return result;
}
