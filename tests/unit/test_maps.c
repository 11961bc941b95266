/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names, time, and notes are pure. What is read from maps is read from maps that the test makes for itself in the
 * kernel; where it may not make any, these tests are skipped.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cmocka.h>

#include "base/time.h"
#include "shield/maps.h"
#include "shield/samples.h"

static void names_are_words_of_their_own(void **state)
{
	const char *names[SHIELD_MAPS + SHIELD_REASONS];
	unsigned count = 0;

	(void)state;
	for (unsigned i = 0; i < SHIELD_MAPS; i++)
		names[count++] = shield_map_name((enum shield_map)i);
	for (unsigned i = 0; i < SHIELD_REASONS; i++)
		names[count++] = shield_reason_name((enum shield_reason)i);
	for (unsigned i = 0; i < count; i++) {
		assert_non_null(names[i]);
		assert_in_range(strlen(names[i]), 4, 15); /* of a map's name the kernel keeps 15 */
		assert_int_equal(strspn(names[i], "abcdefghijklmnopqrstuvwxyz_46"), strlen(names[i]));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(names[i], names[j]);
	}
	for (unsigned i = 0; i < SHIELD_REASONS; i++)
		assert_int_equal(strncmp(names[SHIELD_MAPS + i], "pass_", 5) == 0, i <= SHIELD_PASS_LAST);
	assert_string_equal(shield_reason_name(SHIELD_DROP_BLOCK), "drop_block");
	assert_string_equal(shield_reason_name(SHIELD_REASONS), "unknown");
	assert_string_equal(shield_map_name(SHIELD_MAPS), "unknown");
}

static void time_goes_both_ways(void **state)
{
	static const uint32_t rates[] = { 100, 250, 300, 1000 };

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		const struct shield_pace pace = { .jiffies = 4294667296,
			                          .monotonic_ns = 77 * NS_PER_S,
			                          .hz = rates[i] };
		uint64_t hz = rates[i];

		assert_int_equal(shield_jiffies_at(&pace, pace.monotonic_ns), pace.jiffies);
		assert_int_equal(shield_jiffies_at(&pace, pace.monotonic_ns + 3600 * NS_PER_S),
		                 pace.jiffies + 3600 * hz);
		assert_int_equal(shield_jiffies_at(&pace, pace.monotonic_ns - 60 * NS_PER_S), pace.jiffies - 60 * hz);
		assert_int_equal(shield_jiffies_at(&pace, pace.monotonic_ns - 1), pace.jiffies - 1);
		assert_int_equal(shield_jiffies_at(&pace, pace.monotonic_ns + 1), pace.jiffies);
		assert_int_equal(shield_jiffies_after(&pace, pace.monotonic_ns, 1), pace.jiffies + 1);
		assert_int_equal(shield_jiffies_after(&pace, pace.monotonic_ns, 90 * NS_PER_S), pace.jiffies + 90 * hz);
		assert_int_equal(shield_ns_until(&pace, pace.monotonic_ns, pace.jiffies + 90 * hz), 90 * NS_PER_S);
		/* An expiry is never told to be sooner than it was asked for. */
		for (int64_t ns = 1; ns < NS_PER_S; ns = ns * 3 + 1) {
			uint64_t end = shield_jiffies_after(&pace, pace.monotonic_ns + 12345, ns);

			assert_true(shield_ns_until(&pace, pace.monotonic_ns + 12345, end) >= ns);
			assert_true(shield_ns_until(&pace, pace.monotonic_ns + 12345, end - 1) < ns);
		}
	}
}

static void time_ends_without_wrapping(void **state)
{
	const struct shield_pace pace = { .jiffies = 1000, .monotonic_ns = NS_PER_S, .hz = 1000 };
	const struct shield_pace late = { .jiffies = UINT64_MAX - 10, .monotonic_ns = 0, .hz = 1000 };

	(void)state;
	assert_int_equal(shield_jiffies_after(&pace, 0, INT64_MAX), SHIELD_NEVER);
	assert_int_equal(shield_ns_until(&pace, 0, SHIELD_NEVER), INT64_MAX);
	assert_int_equal(shield_ns_until(&pace, 5 * NS_PER_S, 1000), 0);
	assert_int_equal(shield_ns_until(&pace, 0, SHIELD_NEVER - 1), INT64_MAX - 1);
	assert_int_equal(shield_jiffies_at(&pace, INT64_MIN), 0);
	assert_int_equal(shield_jiffies_at(&late, INT64_MAX), SHIELD_NEVER - 1);
	assert_int_equal(shield_jiffies_after(&late, INT64_MAX, INT64_MAX - 1), SHIELD_NEVER - 1);
}

static struct shield_rule_told told_of(uint32_t number, const char *match, const char *scope)
{
	struct shield_rule_told told = {
		.number = number,
		.counter = number % SHIELD_RULE_COUNTERS,
		.expires = 5000 + number,
		.made_ns = 1700000000 * NS_PER_S,
		.made_by = 1000,
		.rule = { .action = RULE_RATE_LIMIT, .rate_pps = 50 },
		.reason = "because",
	};
	struct match_error wrong;

	assert_int_equal(match_parse(match, &told.rule.match, &wrong), 0);
	assert_int_equal(prefix_parse(scope, &told.rule.scope), 0);
	return told;
}

static void told_is_equal(const struct shield_rule_told *a, const struct shield_rule_told *b)
{
	assert_int_equal(a->number, b->number);
	assert_int_equal(a->counter, b->counter);
	assert_int_equal(a->expires, b->expires);
	assert_int_equal(a->made_ns, b->made_ns);
	assert_int_equal(a->made_by, b->made_by);
	assert_int_equal(a->shadow, b->shadow);
	assert_int_equal(a->spare, b->spare);
	assert_int_equal(a->known, b->known);
	assert_int_equal(a->each, b->each);
	assert_int_equal(a->source_pps, b->source_pps);
	assert_int_equal(a->probe, b->probe);
	assert_int_equal(a->arm_pps, b->arm_pps);
	assert_int_equal(a->hold_s, b->hold_s);
	assert_string_equal(a->reason, b->reason);
	assert_true(prefix_equal(&a->rule.scope, &b->rule.scope));
	assert_int_equal(a->rule.action, b->rule.action);
	assert_int_equal(a->rule.rate_pps, b->rule.rate_pps);
	assert_int_equal(a->rule.match.count, b->rule.match.count);
	for (unsigned i = 0; i < a->rule.match.count; i++)
		assert_true(match_term_equal(&a->rule.match.terms[i], &b->rule.match.terms[i]));
}

static void notes_tell_what_was_written(void **state)
{
	static const char *const scopes[] = { "192.0.2.10", "198.51.100.0/24", "2001:db8::/32", "::/0", "0.0.0.0/0" };
	struct shield_rule_told told, again;
	struct shield_note note;

	(void)state;
	for (unsigned i = 0; i < sizeof(scopes) / sizeof(*scopes); i++) {
		told = told_of(i + 1, "udp and src port 123 and length 468 and payload[4:8] = 00060048", scopes[i]);
		told.shadow = i % 2;
		told.spare = i / 2 % 2;
		told.known = i / 4 % 2;
		told.each = i / 8 % 2;
		told.source_pps = i * 7;
		told.probe = i > 2;
		told.arm_pps = 100 * i;
		told.hold_s = 60 - i;
		assert_int_equal(shield_note_write(&told, &note), 0);
		assert_int_equal(shield_note_read(&note, told.counter, &again), 0);
		told_is_equal(&told, &again);
	}
	memset(told.reason, 'x', sizeof(told.reason)); /* nobody ended it */
	assert_int_equal(shield_note_write(&told, &note), 0);
	assert_int_equal(strlen(note.reason), sizeof(note.reason) - 1);
	told.number = 0;
	assert_int_equal(shield_note_write(&told, &note), -EINVAL);
}

static void notes_of_nonsense_are_refused(void **state)
{
	struct shield_rule_told told = told_of(7, "tcp and dst port 80", "192.0.2.0/24"), read;
	struct shield_note good, note;

	(void)state;
	assert_int_equal(shield_note_write(&told, &good), 0);
	for (unsigned i = 0; i < 8; i++) {
		note = good;
		switch (i) {
		case 0:
			note.number = 0;
			break;
		case 1:
			note.action = RULE_CHALLENGE + 1;
			break;
		case 2:
			memset(note.match, 'a', sizeof(note.match));
			break;
		case 3:
			memset(note.reason, 'a', sizeof(note.reason));
			break;
		case 4:
			note.scope_length = 33;
			break;
		case 5:
			note.scope[15] = 1;
			break;
		case 6:
			note.scope_is_ipv4 = 0;
			break;
		default:
			strcpy(note.match, "tcp and");
		}
		assert_int_equal(shield_note_read(&note, 7, &read), -EBADMSG);
	}
}

/* ---- maps in the kernel ---- */

static int made(enum bpf_map_type type, uint32_t key, uint32_t value, uint32_t entries, uint32_t flags)
{
	const struct bpf_map_create_opts options = { .sz = sizeof(options), .map_flags = flags };
	int fd = bpf_map_create(type, "test", key, value, entries, &options);

	if (fd == -EPERM) {
		print_message("making a map needs CAP_BPF\n");
		skip();
	}
	assert_true(fd >= 0);
	return fd;
}

static struct shield_maps no_maps(void)
{
	struct shield_maps maps;

	for (unsigned i = 0; i < SHIELD_MAPS; i++)
		maps.fd[i] = -1;
	return maps;
}

static void put(int fd, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(fd, key, value, BPF_ANY), 0);
}

static void counters_are_summed(void **state)
{
	static struct shield_counters counters[SHIELD_SERVICES_MAX];
	struct shield_maps maps = no_maps();
	const struct shield_rule_state active = { .active_until = 4711 };
	struct shield_rule_count rule_count;
	struct shield_totals totals;
	uint64_t until;
	uint32_t cpus = (uint32_t)libbpf_num_possible_cpus(), first = 0, last = SHIELD_SERVICES_MAX - 1, key = 200;
	struct shield_counters *values = calloc(cpus, sizeof(*values));
	struct shield_totals *sums = calloc(cpus, sizeof(*sums));
	struct shield_rule_count *rules = calloc(cpus, sizeof(*rules));

	(void)state;
	assert_int_equal(shield_read_counters(&maps, counters), -EBADF);
	assert_int_equal(shield_read_totals(&maps, &totals), -EBADF);
	maps.fd[SHIELD_MAP_COUNTERS] =
		made(BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(struct shield_counters), SHIELD_SERVICES_MAX, 0);
	maps.fd[SHIELD_MAP_TOTALS] = made(BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(struct shield_totals), 1, 0);
	maps.fd[SHIELD_MAP_RULE_COUNTERS] =
		made(BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(struct shield_rule_count), SHIELD_RULE_COUNTERS, 0);
	for (uint32_t cpu = 0; cpu < cpus; cpu++) {
		values[cpu].enforced[SHIELD_DROP_SOURCE].packets = 10 + cpu;
		values[cpu].observed[SHIELD_PASS_CLEAN].octets = 1ULL << (40 + cpu % 8);
		sums[cpu] = (struct shield_totals){ .samples = 3, .samples_lost = cpu };
		sums[cpu].arriving = (struct shield_sampler){ .interval = 1 + cpu, .taken = 9 };
		sums[cpu].leaving = (struct shield_sampler){ .interval = 3 + cpu, .taken = 8 };
		rules[cpu] = (struct shield_rule_count){
			.matched = { 5, 50 },
			.dropped = { 1, 10 },
			.spared = { 2, 20 },
			.known = { 7, 70 },
			.known_lost = { 8, 80 },
			.answered = { 3, 30 },
			.probes = { 4, 40 },
			.completed = { 6, 60 },
			.last = 7 + cpu,
			.until_probe = 99,
		};
	}
	put(maps.fd[SHIELD_MAP_COUNTERS], &last, values);
	put(maps.fd[SHIELD_MAP_TOTALS], &first, sums);
	put(maps.fd[SHIELD_MAP_RULE_COUNTERS], &key, rules);

	assert_int_equal(shield_read_counters(&maps, counters), 0);
	assert_int_equal(counters[last].enforced[SHIELD_DROP_SOURCE].packets, 10 * cpus + cpus * (cpus - 1) / 2);
	assert_true(counters[last].observed[SHIELD_PASS_CLEAN].octets >= 1ULL << 40);
	assert_int_equal(counters[first].enforced[SHIELD_DROP_SOURCE].packets, 0);
	assert_int_equal(shield_read_totals(&maps, &totals), 0);
	assert_int_equal(totals.samples, 3 * cpus);
	assert_int_equal(totals.samples_lost, cpus * (cpus - 1) / 2);
	assert_int_equal(totals.arriving.interval, cpus);
	assert_int_equal(totals.leaving.interval, cpus + 2);
	assert_int_equal(totals.arriving.taken, 0);
	assert_int_equal(shield_read_rule_count(&maps, key, &rule_count), 0);
	assert_int_equal(rule_count.matched.octets, 50 * cpus);
	assert_int_equal(rule_count.dropped.packets, cpus);
	assert_int_equal(rule_count.spared.packets, 2 * cpus);
	assert_int_equal(rule_count.known.packets, 7 * cpus);
	assert_int_equal(rule_count.known_lost.octets, 80 * cpus);
	assert_int_equal(rule_count.answered.octets, 30 * cpus);
	assert_int_equal(rule_count.probes.packets, 4 * cpus);
	assert_int_equal(rule_count.completed.octets, 60 * cpus);
	assert_int_equal(rule_count.until_probe, 0);
	assert_int_equal(rule_count.last, 6 + cpus);
	assert_int_equal(shield_read_rule_count(&maps, SHIELD_RULE_COUNTERS, &rule_count), -ENOENT);
	assert_int_equal(shield_read_active_until(&maps, key, &until), -EBADF);
	maps.fd[SHIELD_MAP_RULE_STATES] =
		made(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct shield_rule_state), SHIELD_RULE_COUNTERS, 0);
	put(maps.fd[SHIELD_MAP_RULE_STATES], &key, &active);
	assert_int_equal(shield_read_active_until(&maps, key, &until), 0);
	assert_int_equal(until, 4711);
	shield_maps_close(&maps);
	assert_int_equal(maps.fd[SHIELD_MAP_COUNTERS], -1);
	free(values);
	free(sums);
	free(rules);
}

/* As bpf/known.h decides it. */
static void who_is_known(void **state)
{
	static struct shield_config config = { .layout = SHIELD_LAYOUT, .hz = 250, .seed = 4711 };
	static struct shield_services services;
	static struct shield_knowing knowing;
	const uint64_t now = (uint64_t)250 * 86400 * 30, day = (uint64_t)250 * 86400;
	const uint8_t octets[4] = { 192, 0, 2, 7 };
	struct address source = address_from_ipv4(octets);
	struct shield_known line = { .lane = { 0 } };
	struct shield_maps maps = no_maps();
	uint32_t first = 0, at, tick = shield_known_tick(now, 250), seen;
	uint64_t words[2], hash;

	(void)state;
	assert_int_equal(shield_read_knowing(&maps, &knowing), -EBADF);
	maps.fd[SHIELD_MAP_CONFIG] = made(BPF_MAP_TYPE_ARRAY, 4, sizeof(config), 1, 0);
	maps.fd[SHIELD_MAP_SERVICES] = made(BPF_MAP_TYPE_ARRAY, 4, sizeof(services), 1, 0);
	maps.fd[SHIELD_MAP_KNOWN] = made(BPF_MAP_TYPE_ARRAY, 4, sizeof(line), SHIELD_KNOWN_LINES, 0);
	assert_int_equal(shield_read_knowing(&maps, &knowing), -EBADMSG); /* zeroed */
	services.names[2] = 99;
	config.freezes[2] = (struct shield_freeze){ .since = now - day, .until = now + 1 };
	put(maps.fd[SHIELD_MAP_CONFIG], &first, &config);
	put(maps.fd[SHIELD_MAP_SERVICES], &first, &services);
	assert_int_equal(shield_read_knowing(&maps, &knowing), 0);
	memcpy(words, source.octets, sizeof(words));
	hash = shield_known_hash(4711, 99, (const __u64 *)words);
	at = (uint32_t)hash & (SHIELD_KNOWN_LINES - 1);
	assert_false(shield_is_known(&maps, &knowing, 2, &source, now));
	seen = shield_known_tick(now - 2 * day, 250);
	line.lane[5] = SHIELD_KNOWN(hash, seen, tick);
	put(maps.fd[SHIELD_MAP_KNOWN], &at, &line);
	assert_true(shield_is_known(&maps, &knowing, 2, &source, now));
	assert_false(shield_is_known(&maps, &knowing, 3, &source, now)); /* another service */
	assert_false(shield_is_known(&maps, &knowing, SHIELD_SERVICE_NONE, &source, now));
	assert_false(shield_is_known(&maps, &knowing, 2, &source, now + 8 * day)); /* seen long ago */
	/* It came with the attack; where there is none, a while ago suffices. */
	line.lane[5] = SHIELD_KNOWN(hash, shield_known_tick(now - day / 2, 250), tick);
	put(maps.fd[SHIELD_MAP_KNOWN], &at, &line);
	assert_false(shield_is_known(&maps, &knowing, 2, &source, now));
	assert_true(shield_is_known(&maps, &knowing, 2, &source, now + 2));
	line.lane[5] = SHIELD_KNOWN(hash, tick, tick);
	put(maps.fd[SHIELD_MAP_KNOWN], &at, &line);
	assert_false(shield_is_known(&maps, &knowing, 2, &source, now + 2));
	knowing.hz = 0;
	assert_false(shield_is_known(&maps, &knowing, 2, &source, now + 2));
	shield_maps_close(&maps);
}

static void rules_are_read_by_number(void **state)
{
	static struct shield_rule_told rules[SHIELD_RULES_MAX];
	struct shield_maps maps = no_maps();
	struct shield_rule_told told;
	struct shield_note note;
	unsigned count = 77;

	(void)state;
	maps.fd[SHIELD_MAP_NOTES] = made(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct shield_note), SHIELD_RULE_COUNTERS, 0);
	assert_int_equal(shield_read_rules(&maps, 0, rules, &count), 0);
	assert_int_equal(count, 0);
	for (uint32_t number = SHIELD_RULES_MAX; number > 0; number--) {
		told = told_of(number, "udp and dst port 53", "2001:db8::/32");
		told.counter = number * 7 % SHIELD_RULE_COUNTERS;
		assert_int_equal(shield_note_write(&told, &note), 0);
		put(maps.fd[SHIELD_MAP_NOTES], &told.counter, &note);
	}
	/* Those up to the tenth have expired. */
	assert_int_equal(shield_read_rules(&maps, 5010, rules, &count), 0);
	assert_int_equal(count, SHIELD_RULES_MAX - 10);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(rules[i].number, 11 + i);
		assert_int_equal(rules[i].counter, (11 + i) * 7 % SHIELD_RULE_COUNTERS);
	}
	note.action = 99;
	note.expires = SHIELD_NEVER;
	put(maps.fd[SHIELD_MAP_NOTES], &told.counter, &note);
	assert_int_equal(shield_read_rules(&maps, 0, rules, &count), -EBADMSG);
	shield_maps_close(&maps);
}

struct seen {
	unsigned count, stop_at;
	char texts[8][PREFIX_TEXT_SIZE];
};

static int sees(void *context, const struct prefix *prefix, uint64_t expires)
{
	struct seen *seen = context;

	assert_true(seen->count < 8);
	assert_int_equal(expires, 2000);
	prefix_format(prefix, seen->texts[seen->count++]);
	return seen->count == seen->stop_at ? 5 : 0;
}

static void the_allow_list_is_gone_through(void **state)
{
	static const char *const prefixes[] = { "192.0.2.0/24", "192.0.2.10/32", "2001:db8::/32", "203.0.113.0/25" };
	struct shield_maps maps = no_maps();
	struct seen seen = { .count = 0 };
	unsigned found = 0;

	(void)state;
	maps.fd[SHIELD_MAP_ALLOW] = made(BPF_MAP_TYPE_LPM_TRIE, sizeof(struct shield_allow_key),
	                                 sizeof(struct shield_allow), SHIELD_ALLOW_MAX, BPF_F_NO_PREALLOC);
	assert_int_equal(shield_each_allowed(&maps, 1000, sees, &seen), 0);
	assert_int_equal(seen.count, 0);
	for (unsigned i = 0; i < 4; i++) {
		struct shield_allow value = { .expires = i == 3 ? 1000 : 2000 };
		struct shield_allow_key key;
		struct prefix prefix;

		assert_int_equal(prefix_parse(prefixes[i], &prefix), 0);
		key.length = prefix.length + (prefix.is_ipv4 ? 96u : 0u);
		memcpy(key.address, prefix.address.octets, sizeof(key.address));
		put(maps.fd[SHIELD_MAP_ALLOW], &key, &value);
	}
	assert_int_equal(shield_each_allowed(&maps, 1000, sees, &seen), 0);
	assert_int_equal(seen.count, 3);
	for (unsigned i = 0; i < 3; i++)
		for (unsigned j = 0; j < 3; j++)
			found += strcmp(seen.texts[i], prefixes[j]) == 0;
	assert_int_equal(found, 3);
	seen = (struct seen){ .stop_at = 2 };
	assert_int_equal(shield_each_allowed(&maps, 1000, sees, &seen), 5);
	assert_int_equal(seen.count, 2);
	shield_maps_close(&maps);
}

static void the_mode_ends_by_the_clock(void **state)
{
	struct shield_config *config = calloc(1, sizeof(*config));
	struct shield_maps maps = no_maps();
	struct shield_mode mode;
	uint32_t key = 0;

	(void)state;
	assert_non_null(config);
	maps.fd[SHIELD_MAP_CONFIG] = made(BPF_MAP_TYPE_ARRAY, 4, sizeof(*config), 1, 0);
	assert_int_equal(shield_read_mode(&maps, 0, &mode), -EBADMSG);
	config->layout = SHIELD_LAYOUT;
	config->mode = SHIELD_ENFORCE;
	config->enforce_until = 500;
	config->guard_count = 2;
	config->guard[1].port = 22;
	put(maps.fd[SHIELD_MAP_CONFIG], &key, config);
	assert_int_equal(shield_read_mode(&maps, 499, &mode), 0);
	assert_true(mode.enforce);
	assert_int_equal(mode.until, 500);
	assert_int_equal(mode.guard_count, 2);
	assert_int_equal(mode.guard[1].port, 22);
	assert_int_equal(shield_read_mode(&maps, 500, &mode), 0);
	assert_false(mode.enforce);
	config->mode = SHIELD_OBSERVE;
	config->enforce_until = SHIELD_NEVER;
	put(maps.fd[SHIELD_MAP_CONFIG], &key, config);
	assert_int_equal(shield_read_mode(&maps, 0, &mode), 0);
	assert_false(mode.enforce);
	shield_maps_close(&maps);
	free(config);
}

static void takes(void *context, const struct shield_sample *sample)
{
	(void)sample;
	++*(unsigned *)context;
}

/* That samples arrive is for tests/bpf, which has the program that hands them out. */
static void a_ring_begins_empty(void **state)
{
	struct samples *samples;
	unsigned taken = 0;
	int fd, array;

	(void)state;
	assert_int_equal(samples_new(-1, takes, &taken, &samples), -EBADF);
	array = made(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0);
	assert_int_equal(samples_new(array, takes, &taken, &samples), -EINVAL);
	close(array);
	fd = made(BPF_MAP_TYPE_RINGBUF, 0, 0, SHIELD_RING_OCTETS, 0);
	assert_int_equal(samples_new(fd, takes, &taken, &samples), 0);
	assert_true(samples_poll_fd(samples) >= 0);
	assert_int_equal(samples_read(samples), 0);
	assert_int_equal(taken, 0);
	samples_free(samples);
	close(fd);
}

/* A program that says why it fails is no test output. */
static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_words_of_their_own),
		cmocka_unit_test(time_goes_both_ways),
		cmocka_unit_test(time_ends_without_wrapping),
		cmocka_unit_test(notes_tell_what_was_written),
		cmocka_unit_test(notes_of_nonsense_are_refused),
		cmocka_unit_test(who_is_known),
		cmocka_unit_test(counters_are_summed),
		cmocka_unit_test(rules_are_read_by_number),
		cmocka_unit_test(the_allow_list_is_gone_through),
		cmocka_unit_test(the_mode_ends_by_the_clock),
		cmocka_unit_test(a_ring_begins_empty),
	};

	libbpf_set_print(silent);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
