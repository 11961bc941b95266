/* SPDX-License-Identifier: Apache-2.0 */
#include "shield/maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/time.h"
#include "shield/inside.h"

#define NOTE_TRIES 3 /* a note that is being written may be read half */

/* By enum shield_map; the names of bpf/maps.h. */
static const char *const map_names[SHIELD_MAPS] = {
	[SHIELD_MAP_CONFIG] = "config",
	[SHIELD_MAP_SERVICES] = "services",
	[SHIELD_MAP_ALLOW] = "allow",
	[SHIELD_MAP_RULESETS] = "rulesets",
	[SHIELD_MAP_RULE_COUNTERS] = "rule_counters",
	[SHIELD_MAP_RULE_STATES] = "rule_states",
	[SHIELD_MAP_NOTES] = "notes",
	[SHIELD_MAP_SOURCE_BUCKETS] = "source_buckets",
	[SHIELD_MAP_COUNTERS] = "counters",
	[SHIELD_MAP_TOTALS] = "totals",
	[SHIELD_MAP_SAMPLES] = "samples",
	[SHIELD_MAP_FLOWS] = "flows",
	[SHIELD_MAP_ANSWERED] = "answered",
	[SHIELD_MAP_PROBED] = "probed",
	[SHIELD_MAP_TCP_STATES] = "tcp_states",
	[SHIELD_MAP_TCP_WATCHES] = "tcp_watches",
	[SHIELD_MAP_TRIALS] = "trials",
	[SHIELD_MAP_KNOWN] = "known",
	[SHIELD_MAP_BLOCK_SWEEP] = "block_sweep",
	[SHIELD_MAP_BLOCK_STATE] = "block_state",
	[SHIELD_MAP_BLOCK4_CLASSES] = "block4_classes",
	[SHIELD_MAP_BLOCK4] = "block4",
	[SHIELD_MAP_BLOCK4_EXPIRES] = "block4_expires",
	[SHIELD_MAP_BLOCK4_DUE] = "block4_due",
	[SHIELD_MAP_BLOCK4_MORE] = "block4_more",
	[SHIELD_MAP_BLOCK4_SWEPT] = "block4_swept",
	[SHIELD_MAP_BLOCK6_BITS] = "block6_bits",
	[SHIELD_MAP_BLOCK6] = "block6",
};

static const char *const reason_names[SHIELD_REASONS] = {
	[SHIELD_PASS_CLEAN] = "pass_clean",
	[SHIELD_PASS_GUARD] = "pass_guard",
	[SHIELD_PASS_ALLOWED] = "pass_allowed",
	[SHIELD_PASS_RULE] = "pass_rule",
	[SHIELD_PASS_ARP] = "pass_arp",
	[SHIELD_PASS_NOT_IP] = "pass_not_ip",
	[SHIELD_PASS_LINK_SHORT] = "pass_link_short",
	[SHIELD_PASS_TAGS] = "pass_tags",
	[SHIELD_PASS_IP_SHORT] = "pass_ip_short",
	[SHIELD_PASS_IP_VERSION] = "pass_ip_version",
	[SHIELD_PASS_IP_HEADER] = "pass_ip_header",
	[SHIELD_PASS_EXTENSION] = "pass_extension",
	[SHIELD_PASS_TRANSPORT] = "pass_transport",
	[SHIELD_PASS_PROBE] = "pass_probe",
	[SHIELD_PASS_ANSWERED] = "pass_answered",
	[SHIELD_PASS_KNOWN] = "pass_known",
	[SHIELD_DROP_BLOCK] = "drop_block",
	[SHIELD_DROP_RULE] = "drop_rule",
	[SHIELD_DROP_RATE] = "drop_rate",
	[SHIELD_DROP_SOURCE] = "drop_source",
	[SHIELD_DROP_STATE] = "drop_state",
	[SHIELD_TX_COOKIE] = "tx_cookie",
};

const char *shield_map_name(enum shield_map map)
{
	return (unsigned)map < SHIELD_MAPS ? map_names[map] : "unknown";
}

const char *shield_reason_name(enum shield_reason reason)
{
	return (unsigned)reason < SHIELD_REASONS ? reason_names[reason] : "unknown";
}

void shield_maps_close(struct shield_maps *maps)
{
	for (unsigned i = 0; i < SHIELD_MAPS; i++) {
		if (maps->fd[i] >= 0)
			(void)close(maps->fd[i]);
		maps->fd[i] = -1;
	}
}

int shield_maps_for_engine(const char *bpffs_dir, struct shield_maps *maps)
{
	struct shield_maps opened;
	char path[PIN_PATH_SIZE];
	int error = 0;

	for (unsigned i = 0; i < SHIELD_MAPS; i++)
		opened.fd[i] = -1;
	for (unsigned i = 0; i < SHIELD_MAPS && !error; i++) {
		bool written = i == SHIELD_MAP_SAMPLES || i >= SHIELD_MAP_BLOCK_STATE;
		struct bpf_obj_get_opts options;

		OPTIONS_BEGIN(options);
		options.file_flags = written ? 0 : BPF_F_RDONLY;
		error = pin_path(path, bpffs_dir, map_names[i]);
		if (!error)
			opened.fd[i] = bpf_obj_get_opts(path, &options);
		if (!error && opened.fd[i] < 0)
			error = opened.fd[i];
	}
	if (error) {
		shield_maps_close(&opened);
		return error;
	}
	*maps = opened;
	return 0;
}

/* ---- pace ---- */

__extension__ typedef __int128 wide;

/* a * b / c for c > 0, towards minus infinity, or up. */
static wide scaled(wide a, wide b, wide c, bool up)
{
	wide product = a * b, quotient = product / c, rest = product % c;

	if (rest < 0)
		quotient--;
	return rest != 0 && up ? quotient + 1 : quotient;
}

static uint64_t jiffies_from(const struct shield_pace *pace, wide since_ns, bool up)
{
	wide jiffies = (wide)pace->jiffies + scaled(since_ns, pace->hz, NS_PER_S, up);

	if (jiffies < 0)
		return 0;
	return jiffies < (wide)SHIELD_NEVER ? (uint64_t)jiffies : SHIELD_NEVER - 1;
}

uint64_t shield_jiffies_at(const struct shield_pace *pace, int64_t monotonic_ns)
{
	return jiffies_from(pace, (wide)monotonic_ns - pace->monotonic_ns, false);
}

uint64_t shield_jiffies_after(const struct shield_pace *pace, int64_t monotonic_ns, int64_t duration_ns)
{
	if (duration_ns == INT64_MAX)
		return SHIELD_NEVER;
	return jiffies_from(pace, (wide)monotonic_ns + duration_ns - pace->monotonic_ns, true);
}

int64_t shield_ns_until(const struct shield_pace *pace, int64_t monotonic_ns, uint64_t jiffies)
{
	wide left;

	if (jiffies == SHIELD_NEVER)
		return INT64_MAX;
	left = scaled((wide)jiffies - (wide)pace->jiffies, NS_PER_S, pace->hz ? pace->hz : 1, true);
	left += (wide)pace->monotonic_ns - monotonic_ns;
	if (left <= 0)
		return 0;
	return left < INT64_MAX ? (int64_t)left : INT64_MAX - 1;
}

/* ---- what counts per CPU ---- */

/*
 * What a map per CPU says under one key, all CPUs' values one behind the other, each `*stride` octets from the next.
 * Freed by the caller.
 */
static int read_cpus(int fd, uint32_t key, size_t size, uint8_t **values, size_t *stride, unsigned *cpus)
{
	int count = libbpf_num_possible_cpus(), error;
	uint8_t *read;

	if (count < 0)
		return count;
	if (count == 0 || count > SHIELD_CPUS_MAX)
		return -E2BIG;
	*stride = (size + 7) & ~(size_t)7;
	read = calloc((size_t)count, *stride);
	if (!read)
		return -ENOMEM;
	error = bpf_map_lookup_elem(fd, &key, read);
	if (error) {
		free(read);
		return error;
	}
	*values = read;
	*cpus = (unsigned)count;
	return 0;
}

static void add_count(struct shield_count *sum, const struct shield_count *count)
{
	sum->packets += count->packets;
	sum->octets += count->octets;
}

int shield_read_counters(const struct shield_maps *maps, struct shield_counters counters[SHIELD_SERVICES_MAX])
{
	int fd = maps->fd[SHIELD_MAP_COUNTERS];

	for (uint32_t service = 0; service < SHIELD_SERVICES_MAX; service++) {
		struct shield_counters sum = { .enforced = { { 0, 0 } } };
		uint8_t *values;
		size_t stride;
		unsigned cpus;
		int error = read_cpus(fd, service, sizeof(sum), &values, &stride, &cpus);

		if (error)
			return error;
		for (unsigned cpu = 0; cpu < cpus; cpu++) {
			struct shield_counters one;

			memcpy(&one, values + cpu * stride, sizeof(one));
			for (unsigned reason = 0; reason < SHIELD_REASONS; reason++) {
				add_count(&sum.enforced[reason], &one.enforced[reason]);
				add_count(&sum.observed[reason], &one.observed[reason]);
			}
		}
		free(values);
		counters[service] = sum;
	}
	return 0;
}

int shield_read_totals(const struct shield_maps *maps, struct shield_totals *totals)
{
	struct shield_totals sum = { .samples = 0 }, one;
	uint8_t *values;
	size_t stride;
	unsigned cpus;
	int error = read_cpus(maps->fd[SHIELD_MAP_TOTALS], 0, sizeof(sum), &values, &stride, &cpus);

	if (error)
		return error;
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		memcpy(&one, values + cpu * stride, sizeof(one));
		sum.samples += one.samples;
		sum.samples_lost += one.samples_lost;
		sum.flows_full += one.flows_full;
		if (one.arriving.interval > sum.arriving.interval)
			sum.arriving.interval = one.arriving.interval;
		if (one.leaving.interval > sum.leaving.interval)
			sum.leaving.interval = one.leaving.interval;
	}
	free(values);
	*totals = sum;
	return 0;
}

int shield_read_rule_count(const struct shield_maps *maps, uint32_t counter, struct shield_rule_count *count)
{
	struct shield_rule_count sum = { .last = 0 }, one;
	uint8_t *values;
	size_t stride;
	unsigned cpus;
	int error = read_cpus(maps->fd[SHIELD_MAP_RULE_COUNTERS], counter, sizeof(sum), &values, &stride, &cpus);

	if (error)
		return error;
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		memcpy(&one, values + cpu * stride, sizeof(one));
		add_count(&sum.matched, &one.matched);
		add_count(&sum.dropped, &one.dropped);
		add_count(&sum.spared, &one.spared);
		add_count(&sum.answered, &one.answered);
		add_count(&sum.probes, &one.probes);
		add_count(&sum.completed, &one.completed);
		add_count(&sum.known, &one.known);
		add_count(&sum.known_lost, &one.known_lost);
		if (one.last > sum.last)
			sum.last = one.last;
	}
	free(values);
	*count = sum;
	return 0;
}

int shield_count_cookies_lost(const struct shield_maps *maps, uint64_t now, unsigned *count)
{
	int fd = maps->fd[SHIELD_MAP_TRIALS], error;
	uint32_t ifindex, *after = NULL;
	struct shield_trial trial;
	unsigned lost = 0;

	for (unsigned i = 0; i < SHIELD_INTERFACES_MAX; i++) {
		error = bpf_map_get_next_key(fd, after, &ifindex);
		if (error == -ENOENT)
			break;
		if (error)
			return error;
		after = &ifindex;
		if (bpf_map_lookup_elem(fd, &ifindex, &trial) == 0 && trial.lost_until > now)
			lost++;
	}
	*count = lost;
	return 0;
}

/* ---- rules ---- */

int shield_read_active_until(const struct shield_maps *maps, uint32_t counter, uint64_t *until)
{
	struct shield_rule_state state;
	int error = bpf_map_lookup_elem(maps->fd[SHIELD_MAP_RULE_STATES], &counter, &state);

	if (!error)
		*until = state.active_until;
	return error;
}

int shield_note_read(const struct shield_note *note, uint32_t counter, struct shield_rule_told *told)
{
	struct shield_rule_told read = {
		.number = note->number,
		.counter = counter,
		.expires = note->expires,
		.made_ns = note->made_ns,
		.made_by = note->made_by,
		.shadow = note->shadow != 0,
		.spare = note->spare != 0,
		.probe = note->probe != 0,
		.known = note->known != 0,
		.each = note->each != 0,
		.source_pps = note->source_pps,
		.arm_pps = note->arm_pps,
		.hold_s = note->hold_s,
		.rule = { .action = (enum rule_action)note->action, .rate_pps = note->rate_pps },
	};
	struct match_error wrong;
	struct address address;

	if (note->number == 0 || note->action > RULE_CHALLENGE || !memchr(note->match, 0, sizeof(note->match)) ||
	    !memchr(note->reason, 0, sizeof(note->reason)))
		return -EBADMSG;
	memcpy(address.octets, note->scope, sizeof(address.octets));
	read.rule.scope = prefix_of(&address, note->scope_length);
	if (read.rule.scope.length != note->scope_length || read.rule.scope.is_ipv4 != (note->scope_is_ipv4 != 0) ||
	    !address_equal(&read.rule.scope.address, &address))
		return -EBADMSG;
	if (match_parse(note->match, &read.rule.match, &wrong) != 0)
		return -EBADMSG;
	memcpy(read.reason, note->reason, sizeof(read.reason));
	*told = read;
	return 0;
}

int shield_note_write(const struct shield_rule_told *told, struct shield_note *note)
{
	const struct rule *rule = &told->rule;
	struct shield_rule_told again;
	struct shield_note written;

	memset(&written, 0, sizeof(written));
	written.number = told->number;
	written.action = (uint32_t)rule->action;
	written.expires = told->expires;
	written.made_ns = told->made_ns;
	written.rate_pps = rule->rate_pps;
	written.made_by = told->made_by;
	written.shadow = told->shadow;
	written.spare = told->spare;
	written.probe = told->probe;
	written.known = told->known;
	written.each = told->each;
	written.source_pps = told->source_pps;
	written.arm_pps = told->arm_pps;
	written.hold_s = told->hold_s;
	written.scope_length = rule->scope.length;
	written.scope_is_ipv4 = rule->scope.is_ipv4;
	memcpy(written.scope, rule->scope.address.octets, sizeof(written.scope));
	_Static_assert(sizeof(written.match) >= MATCH_TEXT_SIZE, "every canonical text fits");
	match_format(&rule->match, written.match);
	memcpy(written.reason, told->reason, strnlen(told->reason, sizeof(written.reason) - 1));
	/* What could not be read again would hide a rule that is in force. */
	if (shield_note_read(&written, told->counter, &again) != 0)
		return -EINVAL;
	*note = written;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct shield_rule_told *one = a, *other = b;

	return (one->number > other->number) - (one->number < other->number);
}

/* The rule of one counter: 1, 0 where there is none in force, or -errno. */
static int read_rule(int fd, uint32_t counter, uint64_t now, struct shield_rule_told *told)
{
	struct shield_note note;
	int error = 0;

	for (unsigned i = 0; i < NOTE_TRIES; i++) {
		error = bpf_map_lookup_elem(fd, &counter, &note);
		if (error)
			return error;
		if (note.number == 0 || note.expires <= now)
			return 0;
		error = shield_note_read(&note, counter, told);
		if (!error)
			return 1;
	}
	return error;
}

int shield_read_rules(const struct shield_maps *maps, uint64_t now, struct shield_rule_told *rules, unsigned *count)
{
	unsigned found = 0;

	for (uint32_t counter = 0; counter < SHIELD_RULE_COUNTERS; counter++) {
		struct shield_rule_told told;
		int is = read_rule(maps->fd[SHIELD_MAP_NOTES], counter, now, &told);

		if (is < 0)
			return is;
		if (is == 0)
			continue;
		if (found == SHIELD_RULES_MAX)
			return -EBADMSG;
		rules[found++] = told;
	}
	qsort(rules, found, sizeof(*rules), by_number);
	*count = found;
	return 0;
}

/* ---- allow list ---- */

int shield_each_allowed(const struct shield_maps *maps, uint64_t now,
                        int (*each)(void *context, const struct prefix *prefix, uint64_t expires), void *context)
{
	struct shield_allow_key key, next;
	const struct shield_allow_key *from = NULL;
	int fd = maps->fd[SHIELD_MAP_ALLOW], error, stop;

	/* Who adds and removes meanwhile could lead us round for ever. */
	for (unsigned i = 0; i < 2 * SHIELD_ALLOW_MAX; i++) {
		struct shield_allow value;
		struct address address;
		struct prefix prefix;
		unsigned length;

		error = bpf_map_get_next_key(fd, from, &next);
		if (error)
			return error == -ENOENT ? 0 : error;
		key = next;
		from = &key;
		error = bpf_map_lookup_elem(fd, &key, &value);
		if (error == -ENOENT)
			continue;
		if (error)
			return error;
		memcpy(address.octets, key.address, sizeof(address.octets));
		length = key.length;
		if (address_is_ipv4(&address))
			length = length >= 96 ? length - 96 : 0;
		prefix = prefix_of(&address, length);
		if (value.expires <= now)
			continue;
		stop = each(context, &prefix, value.expires);
		if (stop)
			return stop;
	}
	return -EAGAIN;
}

/* ---- what services know ---- */

int shield_read_knowing(const struct shield_maps *maps, struct shield_knowing *knowing)
{
	struct shield_config *config = calloc(1, sizeof(*config));
	struct shield_services *services = calloc(1, sizeof(*services));
	uint32_t key = 0;
	int error = config && services ? 0 : -ENOMEM;

	if (!error)
		error = bpf_map_lookup_elem(maps->fd[SHIELD_MAP_CONFIG], &key, config);
	if (!error)
		error = bpf_map_lookup_elem(maps->fd[SHIELD_MAP_SERVICES], &key, services);
	if (!error && (config->layout != SHIELD_LAYOUT || config->hz == 0))
		error = -EBADMSG;
	if (!error) {
		knowing->seed = config->seed;
		knowing->hz = config->hz;
		memcpy(knowing->names, services->names, sizeof(knowing->names));
		memcpy(knowing->freezes, config->freezes, sizeof(knowing->freezes));
	}
	free(services);
	free(config);
	return error;
}

bool shield_is_known(const struct shield_maps *maps, const struct shield_knowing *knowing, unsigned service,
                     const struct address *source, uint64_t now)
{
	uint32_t hz = knowing->hz, tick = shield_known_tick(now, hz), lead = SHIELD_KNOWN_LEAD_S * hz, line;
	const struct shield_freeze *freeze = &knowing->freezes[service % SHIELD_SERVICES_MAX];
	struct shield_known found;
	uint64_t before = now, words[2], hash;

	if (service >= SHIELD_SERVICE_NONE || hz == 0)
		return false;
	memcpy(words, source->octets, sizeof(words));
	hash = shield_known_hash(knowing->seed, knowing->names[service], (const __u64 *)words);
	line = (uint32_t)hash & (SHIELD_KNOWN_LINES - 1);
	if (bpf_map_lookup_elem(maps->fd[SHIELD_MAP_KNOWN], &line, &found) != 0)
		return false;
	if (freeze->until > now && freeze->since < now)
		before = freeze->since;
	before = before > lead ? before - lead : 0;
	lead = shield_known_age(shield_known_tick(before, hz), tick);
	for (unsigned i = 0; i < SHIELD_KNOWN_LANES; i++)
		if (SHIELD_KNOWN_IS(found.lane[i], hash) && shield_known_lives(found.lane[i], tick, hz) &&
		    shield_known_age(SHIELD_KNOWN_FIRST(found.lane[i]), tick) > lead)
			return true;
	return false;
}

/* ---- mode ---- */

int shield_read_mode(const struct shield_maps *maps, uint64_t now, struct shield_mode *mode)
{
	struct shield_config *config = calloc(1, sizeof(*config));
	uint32_t key = 0;
	int error;

	if (!config)
		return -ENOMEM;
	error = bpf_map_lookup_elem(maps->fd[SHIELD_MAP_CONFIG], &key, config);
	if (!error && (config->layout != SHIELD_LAYOUT || config->guard_count > SHIELD_GUARD_MAX))
		error = -EBADMSG;
	if (!error) {
		mode->enforce = config->mode == SHIELD_ENFORCE && now < config->enforce_until;
		mode->until = config->enforce_until;
		mode->guard_count = config->guard_count;
		memcpy(mode->guard, config->guard, sizeof(mode->guard));
	}
	free(config);
	return error;
}
