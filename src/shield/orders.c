/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the loader orders the kernel to do: mode, services, the operator's way in, allow list, rules.
 *
 * A packet never sees half an order. Mode, guard and the number of the table in force are single stores into memory
 * that the kernel reads; services are one value, written whole; a table of rules is written where none is in force, and
 * then named. What is in force of rules is what the notes say: from them each new table is put together.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/time.h"
#include "observe/protocol.h"
#include "shield/inside.h"
#include "shield/ruleset.h"

#define CPUS_MAX 8192 /* what Linux can be built for */

/* A store that the kernel sees whole, and behind all that were made before it. */
#define PUBLISH(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)

int shield_set_mode(struct shield *shield, bool enforce, uint64_t until)
{
	/* In this order no packet is dropped under an old deadline, or kept under a new mode, that was not meant. */
	if (enforce) {
		PUBLISH(shield->config->enforce_until, until);
		PUBLISH(shield->config->mode, SHIELD_ENFORCE);
	} else {
		PUBLISH(shield->config->mode, SHIELD_OBSERVE);
		PUBLISH(shield->config->enforce_until, SHIELD_NEVER);
	}
	return 0;
}

/* Of a prefix the bits that count, as two words of an address as they lie in memory. */
static void prefix_words(const struct prefix *prefix, __u64 mask[2], __u64 value[2])
{
	uint8_t octets[16];

	prefix_mask(prefix, octets);
	memcpy(mask, octets, sizeof(octets));
	memcpy(value, prefix->address.octets, sizeof(octets));
	value[0] &= mask[0];
	value[1] &= mask[1];
}

/* ---- services ---- */

static int add_ports(struct shield_services *table, unsigned *used, uint16_t protocol, const uint16_t *ports,
                     unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (*used == SHIELD_SERVICE_PORTS_MAX)
			return -ENOSPC;
		table->ports[(*used)++] =
			(struct shield_service_ports){ .protocol = protocol, .low = ports[i], .high = ports[i] };
	}
	return 0;
}

static int add_prefixes(struct shield_services *table, const struct shield_service *service, unsigned number,
                        unsigned first_port, unsigned ports)
{
	for (unsigned i = 0; i < service->prefix_count; i++) {
		const struct prefix *prefix = &service->prefixes[i];
		struct shield_service_prefix *row = &table->prefixes[table->count];
		bool host = prefix->length == (prefix->is_ipv4 ? 32 : 128);

		if (table->count == SHIELD_SERVICE_PREFIXES_MAX)
			return -ENOSPC;
		*row = (struct shield_service_prefix){
			.first_port = (uint16_t)first_port,
			.ports = (uint16_t)ports,
			.service = (uint8_t)number,
		};
		prefix_words(prefix, row->mask, row->value);
		for (unsigned bin = 0; bin < SHIELD_BINS; bin++)
			if (!host || bin == shield_fold(row->value))
				table->by_dst[bin] |= 1ULL << table->count;
		table->count++;
	}
	return 0;
}

/* FNV-1a (Fowler, Noll, Vo). */
static uint64_t name_hash(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
	return shield_mix(hash);
}

int shield_set_services(struct shield *shield, const struct shield_service *services, unsigned count,
                        struct shield_error *error)
{
	struct shield_services *table;
	unsigned ports = 0;
	__u32 key = 0;
	int result = 0;

	if (count >= SHIELD_SERVICES_MAX)
		return shield_fail(error, -ENOSPC, "%u services; the shield tells %d apart", count,
		                   SHIELD_SERVICES_MAX - 1);
	table = calloc(1, sizeof(*table));
	if (!table)
		return shield_fail(error, -ENOMEM, "no memory for the table of services");
	for (unsigned i = 0; i < count && !result; i++) {
		const struct shield_service *service = &services[i];
		unsigned first = ports;

		result = add_ports(table, &ports, PROTOCOL_TCP, service->tcp, service->tcp_count);
		if (!result)
			result = add_ports(table, &ports, PROTOCOL_UDP, service->udp, service->udp_count);
		if (!result)
			result = add_prefixes(table, service, i, first, ports - first);
		table->source_pps[i] = service->source_pps;
		table->limits |= service->source_pps != 0;
		table->local |= (uint64_t)service->local << i;
		table->names[i] = name_hash(service->name);
		if (result)
			(void)shield_fail(
				error, result,
				"service %s: all services together may have %d addresses or networks and %d ports",
				service->name, SHIELD_SERVICE_PREFIXES_MAX, SHIELD_SERVICE_PORTS_MAX);
	}
	if (!result) {
		result = bpf_map_update_elem(shield->maps.fd[SHIELD_MAP_SERVICES], &key, table, BPF_ANY);
		if (result)
			(void)shield_fail(error, result, "the services cannot be written: %s", strerror(-result));
	}
	for (unsigned i = 0; i < count && !result; i++) {
		enum shield_cookies cookies = services[i].local ? services[i].cookies : SHIELD_COOKIES_OFF;

		PUBLISH(shield->config->cookies[i], (__u8)cookies);
	}
	free(table);
	return result;
}

/* The beginning first: whoever is noted by then is not new. */
int shield_freeze(struct shield *shield, uint64_t attacked, uint64_t until)
{
	uint64_t now = shield_jiffies_at(&shield->pace, shield_monotonic_ns());

	for (unsigned i = 0; i < SHIELD_SERVICES_MAX; i++) {
		struct shield_freeze *freeze = &shield->config->freezes[i];
		bool is = attacked >> i & 1;

		if (is && freeze->until <= now)
			PUBLISH(freeze->since, now);
		PUBLISH(freeze->until, is ? until : 0);
	}
	return 0;
}

/* ---- the operator's way in ---- */

int shield_set_guard(struct shield *shield, const struct shield_way_in *ways, unsigned count,
                     struct shield_error *error)
{
	struct shield_config *config = shield->config;

	if (count > SHIELD_GUARD_MAX)
		return shield_fail(error, -ENOSPC, "%u ways in; the shield keeps %d", count, SHIELD_GUARD_MAX);
	/*
	 * An entry is voided before its words change, so that at no moment it is a mixture of two; the rest stay in
	 * force.
	 */
	for (unsigned i = 0; i < count; i++) {
		struct shield_guard now = {
			.expires = ways[i].expires, .protocol = PROTOCOL_TCP, .port = ways[i].port, .sure = ways[i].sure
		};
		struct shield_guard *place = &config->guard[i];

		prefix_words(&ways[i].from, now.mask, now.value);
		PUBLISH(place->sure, now.sure); /* the kernel does not read it */
		if (memcmp(place->mask, now.mask, sizeof(now.mask)) == 0 &&
		    memcmp(place->value, now.value, sizeof(now.value)) == 0 && place->port == now.port &&
		    place->protocol == now.protocol) {
			PUBLISH(place->expires, now.expires);
			continue;
		}
		PUBLISH(place->expires, 0);
		atomic_thread_fence(memory_order_seq_cst);
		memcpy(place->mask, now.mask, sizeof(now.mask));
		memcpy(place->value, now.value, sizeof(now.value));
		place->protocol = now.protocol;
		place->port = now.port;
		PUBLISH(place->expires, now.expires);
	}
	PUBLISH(config->guard_count, count);
	return 0;
}

/* Whether what the term asks can hold for TCP from `from` to `port`; terms about anything else can. */
static bool can_hold(const struct match_term *term, const struct prefix *from, uint16_t port, bool *vague)
{
	bool holds;

	switch (term->field) {
	case MATCH_IP:
		holds = from->is_ipv4;
		break;
	case MATCH_IP6:
		holds = !from->is_ipv4;
		break;
	case MATCH_TCP:
		holds = true;
		break;
	case MATCH_UDP:
	case MATCH_ICMP:
	case MATCH_ICMP6:
	case MATCH_FRAGMENT:
		holds = false;
		break;
	case MATCH_PROTO:
		holds = term->value.range.low <= PROTOCOL_TCP && term->value.range.high >= PROTOCOL_TCP;
		break;
	case MATCH_DST_PORT:
		holds = term->value.range.low <= port && term->value.range.high >= port;
		break;
	case MATCH_SRC_NET:
		/* A part of a network of operators may be shut out; the whole of it, or one of them, may not. */
		holds = prefix_covers(&term->value.prefix, from);
		break;
	case MATCH_DST_NET:
		return true;
	case MATCH_SRC_PORT:
	case MATCH_DF:
	case MATCH_LENGTH:
	case MATCH_TTL:
	case MATCH_IP_ID:
	case MATCH_WINDOW:
	case MATCH_MSS:
	case MATCH_ICMP_TYPE:
	case MATCH_ICMP_CODE:
	case MATCH_PAYLOAD_LENGTH:
	case MATCH_TCP_FLAGS:
	case MATCH_OPTIONS:
	case MATCH_PAYLOAD:
	case MATCH_FIELDS:
	default:
		*vague = true;
		return true;
	}
	return holds != term->negated;
}

int shield_check_guard(const struct shield *shield, const struct rule *rule, struct shield_error *error)
{
	const struct shield_config *config = shield->config;
	uint64_t now = shield_jiffies_at(&shield->pace, shield_monotonic_ns());

	if (rule->action == RULE_NONE)
		return 0;
	for (unsigned i = 0; i < config->guard_count && i < SHIELD_GUARD_MAX; i++) {
		const struct shield_guard *guard = &config->guard[i];
		struct address address;
		char text[PREFIX_TEXT_SIZE];
		struct prefix from;
		unsigned bits =
			(unsigned)__builtin_popcountll(guard->mask[0]) + (unsigned)__builtin_popcountll(guard->mask[1]);
		bool hit = true, vague = false;

		memcpy(address.octets, guard->value, sizeof(address.octets));
		from = prefix_of(&address, address_is_ipv4(&address) && bits >= 96 ? bits - 96 : bits);
		for (unsigned k = 0; k < rule->match.count && k < MATCH_TERMS_MAX && hit; k++)
			hit = can_hold(&rule->match.terms[k], &from, guard->port, &vague);
		/*
		 * What asks for more than who and where describes packets; the guard itself lets the operator's
		 * through.
		 */
		if (!hit || vague || !guard->sure || guard->expires <= now)
			continue;
		(void)shield_fail(error, -EPERM, "this would hit the operator's way in: TCP from %s to port %u",
		                  prefix_format(&from, text), guard->port);
		shield_advise(error, "make it narrower: leave out that address, or name the ports");
		return -EPERM;
	}
	return 0;
}

/* ---- allow list ---- */

static void allow_key(const struct prefix *prefix, struct shield_allow_key *key)
{
	key->length = prefix->length + (prefix->is_ipv4 ? 96u : 0u);
	memcpy(key->address, prefix->address.octets, sizeof(key->address));
}

/* Where an address of this prefix has its bit: the first bin and how many; 0 of them where it can be anywhere. */
static unsigned allow_bins(const struct prefix *prefix, unsigned *first)
{
	const uint8_t *a = prefix->address.octets;

	if (prefix->is_ipv4) {
		*first = (unsigned)a[12] << 8 | a[13];
		return prefix->length >= 16 ? 1 : 1u << (16 - prefix->length);
	}
	*first = shield_allow_bin6((uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 | (uint32_t)a[2] << 8 | a[3]);
	return prefix->length >= 32 ? 1 : 0;
}

struct allow_summary {
	uint64_t bins[SHIELD_ALLOW_BINS / 64];
	uint32_t count, wide;
};

static int summarise(void *context, const struct prefix *prefix, uint64_t expires)
{
	struct allow_summary *summary = context;
	unsigned first, bins = allow_bins(prefix, &first);

	(void)expires;
	summary->count++;
	summary->wide += bins == 0;
	for (unsigned i = first; i < first + bins && i < SHIELD_ALLOW_BINS; i++)
		summary->bins[i / 64] |= 1ULL << (i % 64);
	return 0;
}

/* After entries have gone: the bins anew. Those that more than one needs stay set throughout. */
static int allow_refresh(struct shield *shield)
{
	uint64_t now = shield_jiffies_at(&shield->pace, shield_monotonic_ns());
	struct allow_summary *summary = calloc(1, sizeof(*summary));
	int result;

	if (!summary)
		return -ENOMEM;
	result = shield_each_allowed(&shield->maps, now, summarise, summary);
	if (!result) {
		for (unsigned i = 0; i < SHIELD_ALLOW_BINS / 64; i++)
			PUBLISH(shield->config->allow_bins[i], summary->bins[i]);
		PUBLISH(shield->config->allow_short, summary->wide);
		PUBLISH(shield->config->allow_count, summary->count);
	}
	free(summary);
	return result;
}

/* Those that are not there are passed over. The bins anew for all of them once: that looks at the whole list. */
int shield_disallow_all(struct shield *shield, const struct prefix *prefixes, unsigned count,
                        struct shield_error *error)
{
	char text[PREFIX_TEXT_SIZE];
	int result = 0, refreshed;

	for (unsigned i = 0; i < count && !result; i++) {
		struct shield_allow_key key;

		allow_key(&prefixes[i], &key);
		result = bpf_map_delete_elem(shield->maps.fd[SHIELD_MAP_ALLOW], &key);
		if (result == -ENOENT)
			result = 0;
		if (result)
			(void)shield_fail(error, result, "%s: %s", prefix_format(&prefixes[i], text),
			                  strerror(-result));
	}
	refreshed = count ? allow_refresh(shield) : 0;
	if (!result && refreshed)
		result = shield_fail(error, refreshed, "the allow list: %s", strerror(-refreshed));
	return result;
}

int shield_disallow(struct shield *shield, const struct prefix *prefix, struct shield_error *error)
{
	struct shield_allow_key key;
	struct shield_allow there;
	char text[PREFIX_TEXT_SIZE];

	allow_key(prefix, &key);
	if (bpf_map_lookup_elem(shield->maps.fd[SHIELD_MAP_ALLOW], &key, &there) != 0 || there.length != key.length)
		return shield_fail(error, -ENOENT, "%s: is not in the allow list", prefix_format(prefix, text));
	return shield_disallow_all(shield, prefix, 1, error);
}

struct passed {
	uint64_t now;
	unsigned count;
	struct prefix prefixes[SHIELD_ALLOW_MAX];
};

static int find_passed(void *context, const struct prefix *prefix, uint64_t expires)
{
	struct passed *passed = context;

	if (expires <= passed->now && passed->count < SHIELD_ALLOW_MAX)
		passed->prefixes[passed->count++] = *prefix;
	return 0;
}

int shield_sweep_allowed(struct shield *shield, uint64_t now, unsigned *swept)
{
	struct passed *passed = malloc(sizeof(*passed));
	struct shield_error unsaid;
	int result;

	if (!passed)
		return -ENOMEM;
	passed->now = now;
	passed->count = 0;
	result = shield_each_allowed(&shield->maps, 0, find_passed,
	                             passed); /* at the beginning of time none had expired */
	if (!result)
		result = shield_disallow_all(shield, passed->prefixes, passed->count, &unsaid);
	if (!result)
		*swept = passed->count;
	free(passed);
	return result;
}

int shield_allow(struct shield *shield, const struct prefix *prefix, uint64_t expires, struct shield_error *error)
{
	struct shield_allow_key key;
	struct shield_allow value = { .expires = expires }, there;
	char text[PREFIX_TEXT_SIZE];
	unsigned first, bins = allow_bins(prefix, &first), swept;
	uint64_t now = shield_jiffies_at(&shield->pace, shield_monotonic_ns());
	bool fresh;
	int result;

	allow_key(prefix, &key);
	value.length = key.length;
	/* A trie finds the longest that holds what is asked, which need not be this one. */
	fresh = bpf_map_lookup_elem(shield->maps.fd[SHIELD_MAP_ALLOW], &key, &there) != 0 || there.length != key.length;
	if (!fresh && there.expires == SHIELD_NEVER)
		value.expires = SHIELD_NEVER;
	result = bpf_map_update_elem(shield->maps.fd[SHIELD_MAP_ALLOW], &key, &value, BPF_ANY);
	if (result == -ENOSPC && shield_sweep_allowed(shield, now, &swept) == 0 && swept > 0)
		result = bpf_map_update_elem(shield->maps.fd[SHIELD_MAP_ALLOW], &key, &value, BPF_ANY);
	if (result == -ENOSPC) {
		(void)shield_fail(error, result, "%s: the allow list is full (%d)", prefix_format(prefix, text),
		                  SHIELD_ALLOW_MAX);
		shield_advise(error, "join neighbouring networks into one, or release some");
		return result;
	}
	if (result)
		return shield_fail(error, result, "%s: cannot be allowed: %s", prefix_format(prefix, text),
		                   strerror(-result));
	for (unsigned i = first; i < first + bins && i < SHIELD_ALLOW_BINS; i++)
		PUBLISH(shield->config->allow_bins[i / 64], shield->config->allow_bins[i / 64] | 1ULL << (i % 64));
	if (fresh) {
		if (bins == 0)
			PUBLISH(shield->config->allow_short, shield->config->allow_short + 1);
		PUBLISH(shield->config->allow_count, shield->config->allow_count + 1);
	}
	return 0;
}

/* ---- rules ---- */

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

/* A counter that no rule has, of the one longest not used; its counts and state begin anew. */
static int take_counter(struct shield *shield, const struct shield_rule_told *told, unsigned count,
                        const struct shield_rule_state *state, uint32_t *counter)
{
	uint32_t candidate = shield->config->next_rule % SHIELD_RULE_COUNTERS;
	struct shield_rule_count *zeros;
	int cpus = libbpf_num_possible_cpus(), result;

	if (cpus < 1 || cpus > CPUS_MAX)
		return -ENOTSUP;
	for (unsigned i = 0; i < count; i++) {
		if (told[i].counter != candidate)
			continue;
		candidate = (candidate + 1) % SHIELD_RULE_COUNTERS;
		i = (unsigned)-1; /* from the beginning; SHIELD_RULES_MAX of them leave most free */
	}
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
		(void)shield_fail(error, -ENOENT, "r%u: no such rule is in force", number);
		shield_advise(error, "'holdfast rules' lists those that are");
		free(told);
		return -ENOENT;
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
		(void)shield_fail(error, -ENOENT, "r%u: no such rule is in force", number);
		free(told);
		return -ENOENT;
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
