/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_shield.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/role.h"
#include "daemon/sandbox.h"
#include "shield/blocks.h"
#include "shield/nft.h"
#include "shield/samples.h"

static struct fake *fake;

struct shield {
	struct shield_maps maps;
};

static struct shield the_shield;

struct fake *fake_new(void)
{
	void *memory = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	fake = memory == MAP_FAILED ? NULL : memory;
	return fake;
}

void fake_free(void)
{
	(void)munmap(fake, sizeof(*fake));
	fake = NULL;
}

/* Notes a line; fails where that is wanted. */
__attribute__((format(printf, 2, 3))) static int note(struct shield_error *error, const char *format, ...)
{
	char *line = fake->notes + fake->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, FAKE_NOTES_SIZE - fake->length, format, arguments);
	va_end(arguments);
	if (length < 0 || fake->length + (size_t)length + 2 > FAKE_NOTES_SIZE)
		return -ENOSPC;
	fake->length += (size_t)length;
	if ((fake->fail[0] && strncmp(line, fake->fail, strlen(fake->fail)) == 0) ||
	    (fake->fails_too[0] && strncmp(line, fake->fails_too, strlen(fake->fails_too)) == 0)) {
		if (error) {
			(void)snprintf(error->message, sizeof(error->message), "%s: it fails", line);
			(void)snprintf(error->advice, sizeof(error->advice), "let it be");
		}
		memcpy(fake->notes + fake->length, "!\n", 3);
		fake->length += 2;
		return fake->fail_with;
	}
	memcpy(fake->notes + fake->length, "\n", 2);
	fake->length++;
	return 0;
}

static const char *until(uint64_t jiffies, char text[32])
{
	(void)snprintf(text, 32, jiffies == SHIELD_NEVER ? "for good" : "for a time");
	return text;
}

/* ---- shield.h ---- */

int shield_open(const struct shield_options *options, struct shield **shield, struct shield_error *error)
{
	int result = note(error, "open %s %u", options->bpffs_dir, options->block_capacity);

	*shield = &the_shield;
	return result;
}

enum shield_origin shield_origin(const struct shield *shield)
{
	(void)shield;
	return fake->origin;
}

void shield_close(struct shield *shield)
{
	(void)shield;
	(void)note(NULL, "close");
}

static unsigned place_of(const char *interface)
{
	unsigned i = 0;

	while (i < fake->attached_count && strcmp(fake->attached[i], interface) != 0)
		i++;
	return i;
}

int shield_attach(struct shield *shield, const char *interface, enum shield_hook *hook, struct shield_error *error)
{
	int result = note(error, "attach %s", interface);

	(void)shield;
	if (result != 0)
		return result;
	*hook = SHIELD_NATIVE;
	if (place_of(interface) == fake->attached_count && fake->attached_count < SHIELD_INTERFACES_MAX)
		(void)snprintf(fake->attached[fake->attached_count++], sizeof(fake->attached[0]), "%s", interface);
	return 0;
}

int shield_detach(struct shield *shield, const char *interface, struct shield_error *error)
{
	unsigned place = place_of(interface);

	(void)shield;
	if (place < fake->attached_count)
		memcpy(fake->attached[place], fake->attached[--fake->attached_count], sizeof(fake->attached[0]));
	return note(error, "detach %s", interface);
}

int shield_commit(struct shield *shield, struct shield_error *error)
{
	(void)shield;
	return note(error, "commit");
}

int shield_remove(const char *bpffs_dir, unsigned *removed, struct shield_error *error)
{
	*removed = 1;
	return note(error, "remove %s", bpffs_dir);
}

int shield_interfaces(const struct shield *shield, struct shield_interface *interfaces, unsigned *count)
{
	(void)shield;
	for (unsigned i = 0; i < fake->attached_count; i++) {
		interfaces[i] = (struct shield_interface){ .ifindex = i + 1, .hook = SHIELD_NATIVE };
		memcpy(interfaces[i].name, fake->attached[i], sizeof(interfaces[i].name));
	}
	*count = fake->attached_count;
	return 0;
}

const char *shield_hook_name(enum shield_hook hook)
{
	return hook == SHIELD_NATIVE ? "native" : "other";
}

const char *shield_pins(const struct shield *shield)
{
	(void)shield;
	return "/pins";
}

const struct shield_maps *shield_maps(const struct shield *shield)
{
	return &shield->maps;
}

struct shield_pace shield_pace(const struct shield *shield)
{
	(void)shield;
	return (struct shield_pace){ .jiffies = 1000, .monotonic_ns = 0, .hz = 250 };
}

void shield_set_mode(struct shield *shield, bool enforce, uint64_t jiffies)
{
	char text[32];

	(void)shield;
	fake->enforce = enforce;
	fake->until = jiffies;
	(void)note(NULL, "mode %s %s", enforce ? "enforce" : "observe", until(jiffies, text));
}

int shield_set_services(struct shield *shield, const struct shield_service *services, unsigned count,
                        struct shield_error *error)
{
	(void)shield;
	return note(error, "services %u%s%s", count, count ? " " : "", count ? services[0].name : "");
}

int shield_set_guard(struct shield *shield, const struct shield_way_in *ways, unsigned count,
                     struct shield_error *error)
{
	char text[PREFIX_TEXT_SIZE], time[32];

	(void)shield;
	for (unsigned i = 0; i < count; i++)
		(void)note(NULL, "way %s %u %s", prefix_format(&ways[i].from, text), ways[i].port,
		           until(ways[i].expires, time));
	return note(error, "guard %u", count);
}

int shield_allow(struct shield *shield, const struct prefix *prefix, uint64_t expires, struct shield_error *error)
{
	char text[PREFIX_TEXT_SIZE], time[32];

	(void)shield;
	return note(error, "allow %s %s", prefix_format(prefix, text), until(expires, time));
}

int shield_disallow(struct shield *shield, const struct prefix *prefix, struct shield_error *error)
{
	char text[PREFIX_TEXT_SIZE];

	(void)shield;
	return note(error, "disallow %s", prefix_format(prefix, text));
}

int shield_disallow_all(struct shield *shield, const struct prefix *prefixes, unsigned count,
                        struct shield_error *error)
{
	int result = 0;

	for (unsigned i = 0; i < count && result == 0; i++)
		result = shield_disallow(shield, &prefixes[i], error);
	return result;
}

int shield_add_rule(struct shield *shield, const struct rule *rule, const struct shield_making *making,
                    uint32_t *number, struct shield_error *error)
{
	char match[MATCH_TEXT_SIZE], scope[PREFIX_TEXT_SIZE], arms[40] = "", sources[24] = "";
	int result;

	if (making->arm_pps)
		(void)snprintf(arms, sizeof(arms), " arm %u hold %u", making->arm_pps, making->hold_s);
	if (making->source_pps)
		(void)snprintf(sources, sizeof(sources), " of %u", making->source_pps);
	result = note(error, "rule %s to %s by %u%s%s%s%s%s%s", match_format(&rule->match, match),
	              prefix_format(&rule->scope, scope), making->made_by, making->spare ? " spare" : "",
	              making->probe ? " probe" : "", making->known ? " known" : "", making->each ? " each" : "",
	              sources, arms);

	(void)shield;
	if (result == 0)
		*number = ++fake->next_rule;
	return result;
}

void shield_freeze(struct shield *shield, uint64_t attacked, uint64_t until)
{
	(void)shield;
	(void)until;
	(void)note(NULL, "freeze %" PRIx64, attacked);
}

void shield_count_from(struct shield *shield, uint32_t number)
{
	(void)shield;
	if (number > fake->next_rule + 1)
		fake->next_rule = number - 1;
}

int shield_remove_rule(struct shield *shield, uint32_t number, struct shield_error *error)
{
	(void)shield;
	return note(error, "remove_rule %u", number);
}

int shield_renew_rule(struct shield *shield, uint32_t number, uint64_t expires, struct shield_error *error)
{
	(void)shield;
	return note(error, "renew_rule %u until %llu", number, (unsigned long long)expires);
}

int shield_sweep_rules(struct shield *shield, uint64_t now, unsigned *swept)
{
	(void)shield;
	(void)now;
	*swept = 0;
	return 0;
}

/* ---- maps.h ---- */

const char *shield_map_name(enum shield_map map)
{
	return map == SHIELD_MAP_CONFIG ? "config" : "other";
}

void shield_maps_close(struct shield_maps *maps)
{
	for (unsigned i = 0; i < SHIELD_MAPS; i++)
		(void)close(maps->fd[i]);
}

int shield_maps_for_engine(const char *pins, struct shield_maps *maps)
{
	for (unsigned i = 0; i < SHIELD_MAPS; i++)
		maps->fd[i] = dup(STDERR_FILENO);
	return note(NULL, "maps %s", pins);
}

uint64_t shield_jiffies_at(const struct shield_pace *pace, int64_t monotonic_ns)
{
	(void)monotonic_ns;
	return pace->jiffies;
}

uint64_t shield_jiffies_after(const struct shield_pace *pace, int64_t monotonic_ns, int64_t duration_ns)
{
	(void)monotonic_ns;
	return duration_ns == INT64_MAX ? SHIELD_NEVER : pace->jiffies + 1;
}

int64_t shield_ns_until(const struct shield_pace *pace, int64_t monotonic_ns, uint64_t jiffies)
{
	(void)monotonic_ns;
	return jiffies == SHIELD_NEVER ? INT64_MAX : (int64_t)(jiffies - pace->jiffies);
}

int shield_each_allowed(const struct shield_maps *maps, uint64_t now,
                        int (*each)(void *context, const struct prefix *prefix, uint64_t expires), void *context)
{
	struct prefix prefix;
	int result = 0;

	(void)maps;
	if (fake->allowed_before)
		result = prefix_parse("198.51.100.0/24", &prefix) ? -EINVAL : each(context, &prefix, SHIELD_NEVER);
	if (fake->passing_before && result == 0)
		result = prefix_parse("192.0.2.0/24", &prefix) ? -EINVAL : each(context, &prefix, now + 1000000);
	return result;
}

int shield_read_mode(const struct shield_maps *maps, uint64_t now, struct shield_mode *mode)
{
	(void)maps;
	(void)now;
	*mode = (struct shield_mode){ .enforce = fake->enforce, .until = fake->until };
	if (fake->guarded) {
		static const uint8_t host[16] = { [10] = 0xff, 0xff, 192, 0, 2, 7 };

		mode->guard_count = 1;
		memset(mode->guard[0].mask, 0xff, sizeof(mode->guard[0].mask));
		memcpy(mode->guard[0].value, host, sizeof(mode->guard[0].value));
		mode->guard[0].expires = SHIELD_NEVER;
		mode->guard[0].sure = !fake->unsure;
		mode->guard[0].port = 22;
	}
	return 0;
}

int shield_read_rules(const struct shield_maps *maps, uint64_t now, struct shield_rule_told *rules, unsigned *count)
{
	(void)maps;
	(void)now;
	memcpy(rules, fake->rules, fake->rule_count * sizeof(*rules));
	*count = fake->rule_count;
	return 0;
}

int shield_read_counters(const struct shield_maps *maps, struct shield_counters counters[SHIELD_SERVICES_MAX])
{
	(void)maps;
	memset(counters, 0, SHIELD_SERVICES_MAX * sizeof(*counters));
	counters[0].enforced[SHIELD_PASS_CLEAN] = (struct shield_count){ 10, 1000 };
	counters[0].enforced[SHIELD_DROP_BLOCK] = (struct shield_count){ 5, 500 };
	counters[SHIELD_SERVICE_NONE].observed[SHIELD_DROP_RULE] = (struct shield_count){ 7, 700 };
	return 0;
}

int shield_read_totals(const struct shield_maps *maps, struct shield_totals *totals)
{
	(void)maps;
	*totals = (struct shield_totals){ .samples_lost = 3, .arriving = { .interval = 4 } };
	return 0;
}

int shield_read_rule_count(const struct shield_maps *maps, uint32_t counter, struct shield_rule_count *count)
{
	(void)maps;
	*count = (struct shield_rule_count){ .matched = { counter, 60 }, .last = 500 };
	return 0;
}

int shield_read_active_until(const struct shield_maps *maps, uint32_t counter, uint64_t *until)
{
	(void)maps;
	(void)counter;
	*until = SHIELD_NEVER;
	return 0;
}

/* ---- blocks.h, samples.h ---- */

int blocks_new(const struct shield_maps *maps, struct blocks **blocks)
{
	(void)maps;
	return blocks_new_private(1024, 250, 7, blocks);
}

static samples_take *taker;
static void *taker_context;

/* Nothing is to be polled. */
int samples_new(int fd, samples_take *take, void *context, struct samples **samples)
{
	(void)fd;
	taker = take;
	taker_context = context;
	*samples = NULL;
	return 0;
}

/* One of NTP's answers to monlist: Ethernet, IPv4, UDP, 440 octets of which the sample has the first. */
static void hand_out_flood(unsigned number)
{
	static const uint8_t frame[] = {
		2,    0,   0, 0,    0, 1,    2, 0,    0,  0,  0, 2, 8,   0,                       /* Ethernet */
		0x45, 0,   1, 0xd4, 0, 0,    0, 0,    60, 17, 0, 0, 198, 18, 0, 0, 192, 0, 2, 10, /* IPv4, 468 octets */
		0,    123, 0, 80,   1, 0xc0, 0, 0,                                                /* UDP */
		0xd7, 0,   3, 0x2a, 0, 6,    0, 0x48,                                             /* mode 7, monlist */
	};
	struct shield_sample sample = {
		.time_ns = (uint64_t)role_monotonic_ns(),
		.weight = 1,
		.length = 482,
		.kept = SHIELD_SAMPLE_OCTETS,
		.reason = SHIELD_PASS_CLEAN,
	};

	memcpy(sample.octets, frame, sizeof(frame));
	sample.octets[28] = (uint8_t)(number % 200);
	sample.octets[29] = (uint8_t)(number % 7 + 1);
	taker(taker_context, &sample);
}

void samples_free(struct samples *samples)
{
	(void)samples;
}

int samples_poll_fd(const struct samples *samples)
{
	(void)samples;
	return -1;
}

int samples_read(struct samples *samples)
{
	(void)samples;
	return 0;
}

int samples_read_some(struct samples *samples, unsigned max)
{
	unsigned count = 0;

	(void)samples;
	while (fake->flood > 0 && (count < FAKE_FLOOD_TURN || fake->torrent) && count < max) {
		hand_out_flood(fake->flood--);
		count++;
	}
	return (int)count;
}

/* ---- nft.h ---- */

struct nft_shield {
	int unused;
};

static struct nft_shield the_table;

int nft_shield_available(void)
{
	return 0;
}

int nft_shield_open(const char *name, uint32_t capacity, struct nft_shield **nft, bool *taken_over,
                    struct shield_error *error)
{
	*nft = &the_table;
	*taken_over = fake->table_stands;
	return note(error, "nft open %s %u", strncmp(name, "holdfast-", 9) == 0 ? "by its name" : name, capacity);
}

void nft_shield_close(struct nft_shield *nft)
{
	(void)nft;
	(void)note(NULL, "nft close");
}

int nft_shield_remove(const char *name, bool *was, struct shield_error *error)
{
	(void)name;
	*was = true;
	return fake->table_told ? note(error, "nft remove") : 0;
}

int nft_shield_attach(struct nft_shield *nft, const char *interface, struct shield_error *error)
{
	(void)nft;
	return note(error, "nft attach %s", interface);
}

int nft_shield_detach(struct nft_shield *nft, const char *interface, struct shield_error *error)
{
	(void)nft;
	return note(error, "nft detach %s", interface);
}

int nft_shield_set_mode(struct nft_shield *nft, bool enforce, int64_t for_ns, struct shield_error *error)
{
	(void)nft;
	return note(error, "nft mode %s %s", enforce ? "enforce" : "observe",
	            for_ns == INT64_MAX ? "for good" : "for a time");
}

int nft_shield_set_guard(struct nft_shield *nft, const struct nft_way_in *ways, unsigned count,
                         struct shield_error *error)
{
	(void)nft;
	(void)ways;
	return note(error, "nft guard %u", count);
}

static const char *name_of(enum nft_list list)
{
	return list == NFT_BLOCKED ? "blocked" : "allowed";
}

int nft_shield_add(struct nft_shield *nft, enum nft_list list, const struct prefix *prefixes, unsigned count,
                   int64_t for_ns, struct shield_error *error)
{
	char text[PREFIX_TEXT_SIZE];

	(void)nft;
	(void)for_ns;
	return note(error, "nft %s %s of %u", name_of(list), prefix_format(prefixes, text), count);
}

int nft_shield_drop(struct nft_shield *nft, enum nft_list list, const struct prefix *prefix, struct shield_error *error)
{
	char text[PREFIX_TEXT_SIZE];

	(void)nft;
	return note(error, "nft not %s %s", name_of(list), prefix_format(prefix, text));
}

int nft_shield_each(struct nft_shield *nft, enum nft_list list,
                    int (*each)(void *context, const struct prefix *prefix, int64_t left_ns), void *context,
                    struct shield_error *error)
{
	struct prefix prefix;

	(void)nft;
	(void)error;
	if (prefix_parse(list == NFT_BLOCKED ? "203.0.113.0/24" : "198.51.100.0/24", &prefix) != 0)
		return -EINVAL;
	return each(context, &prefix, 1);
}

int nft_shield_add_rule(struct nft_shield *nft, const struct shield_rule_told *told, int64_t for_ns,
                        struct shield_error *error)
{
	(void)nft;
	(void)for_ns;
	return note(error, "nft rule r%u", told->number);
}

int nft_shield_remove_rule(struct nft_shield *nft, uint32_t number, struct shield_error *error)
{
	(void)nft;
	return note(error, "nft not r%u", number);
}

/* Where the table stood before, there is a rule in it that nobody knows. */
int nft_shield_read_rules(struct nft_shield *nft, struct nft_rule_told *rules, unsigned *count,
                          struct shield_error *error)
{
	(void)nft;
	(void)error;
	*count = 0;
	if (fake->table_stands)
		rules[(*count)++] =
			(struct nft_rule_told){ .told = { .number = 99 }, .left_ns = 1, .matched = { 3, 30 } };
	return 0;
}

int nft_shield_read_counters(struct nft_shield *nft, struct shield_counters *counters, struct shield_error *error)
{
	(void)nft;
	(void)error;
	memset(counters, 0, sizeof(*counters));
	counters->enforced[SHIELD_DROP_RULE] = (struct shield_count){ 4, 40 };
	return 0;
}

/* ---- sandbox.h ---- */

uint64_t sandbox_role_capabilities(enum role role)
{
	return (uint64_t)role;
}

int sandbox_keep(uint64_t kept)
{
	(void)kept;
	return note(NULL, "keep");
}

int sandbox_seal(void)
{
	return note(NULL, "seal");
}

int sandbox_filter(enum role role)
{
	return note(NULL, "filter %s", role_name(role));
}

/* Faked whole: what it consists of stands beside it, where a compiler needs no names to reach it. */
int sandbox_give_up(uid_t uid, gid_t gid)
{
	(void)uid;
	(void)gid;
	return note(NULL, "give up");
}

int sandbox_confine(const char *writable, const char *readable)
{
	return note(NULL, "confine %s %s", writable ? "one folder" : "-", readable ? readable : "-");
}

int sandbox_follow_parent(void)
{
	return note(NULL, "follow");
}
