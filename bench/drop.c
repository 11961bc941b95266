/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drop: frames by the million out of the kernel, and what each cost until it was dropped.
 *
 *     drop attach INTERFACE bare|pass       one of its own programs, natively, for as long as the interface is there
 *     drop send INTERFACE KIND PACKETS FIRST SOURCES [PROGRAM]
 *     drop sources KIND FIRST COUNT         their addresses, one a line
 *     drop shield INTERFACE PINS KIND LISTED PPS [MATCH...]
 *     drop compiled INTERFACE PINS KIND TOLD OBJECT|table [MATCH...]
 *     drop far OCTETS                       ns of one read, drawn at random, each after the other, in so much memory
 *
 * KIND is ip4-udp, ip4-syn, ip6-udp or ip6-syn. `send` wants to run on one processor (taskset) and in the network
 * namespace of INTERFACE, an end of a veth pair. Each frame is made by the program `generate` and redirected into the
 * pair; the kernel takes BATCH of them at a time, and what stands at the other end has them in the softirq that
 * follows, on the same processor and, nearly always, in the time of the same thread. After WARM frames that do not
 * count, it prints one line: packets; ns of this thread, of the processor's ksoftirqd, of the wall; and of the program
 * whose number is PROGRAM its runs and its own ns as the kernel counts them, which itself costs some 40 ns a run and
 * ends with this process. Without PROGRAM these two are 0, and the kernel does not count.
 *
 * `shield` attaches the shield, with its pins in the directory PINS. It drops what it would pass, too, so that passing
 * can be timed. It has a service at the frames' destination, with a limit of PPS packets a second and source where that
 * is not 0; sources 1 to LISTED are blocked; and for each MATCH there is a rule that drops. Printed are the ns that the
 * list took, and those that each rule took.
 *
 * `compiled` attaches the shield with another way to find rules (bench/compiled.bpf.c, which OBJECT is made of), or as
 * it is. Printed are the place of the rule that a frame was found to meet, which must be TOLD, SHIELD_RULES_MAX for
 * none; and what making machine code took, ns, and having the kernel take it, and how many instructions it has.
 *
 * Frames are of 60 octets (IPv6 with SYN: 74), to 198.18.0.1 or 2001:db8:ffff::1, port 80 or 443, from port 40000;
 * their sources are drop.h's. Checksums of transports are left 0: nobody here looks at them.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "compiled.h"
#include "drop.h"
#include "base/prefix.h"
#include "base/time.h"
#include "defend/match.h"
#include "shield/blocks.h"
#include "shield/shield.h"

#include <drop.skel.h>

#define BATCH 64 /* what NAPI takes at once */
#define WARM 1000000u
#define PACKETS_MAX 200000000u
#define CAPACITY 1048576
#define FOR_S 3600
#define FAR_LINE 64 /* octets: a line of a cache */
#define FAR_MAX (1u << 30)
#define FAR_READS 2000000u

/* How the receiving end's address, the same in every namespace, begins a frame: to it, from the other. */
static const uint8_t addresses[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };

struct kind {
	const char *name;
	bool ipv6, syn;
	uint32_t length;
};

static const struct kind kinds[] = {
	{ "ip4-udp", false, false, 60 },
	{ "ip4-syn", false, true, 60 },
	{ "ip6-udp", true, false, 62 },
	{ "ip6-syn", true, true, 74 },
};

static int say(const char *what, int error)
{
	(void)fprintf(stderr, "drop: %s: %s\n", what, strerror(-error));
	return error;
}

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

/* The frame with a source of 0; of IPv4's header the sum, not folded. */
static uint32_t make_frame(const struct kind *kind, uint8_t frame[DROP_FRAME_MAX])
{
	uint8_t *ip = frame + DROP_ETHERNET, *transport = ip + (kind->ipv6 ? DROP_IP6_LENGTH : DROP_IP4_LENGTH);
	uint32_t sum = 0, payload = kind->length - (uint32_t)(transport - frame);
	uint8_t protocol = kind->syn ? 6 : 17;

	memset(frame, 0, DROP_FRAME_MAX);
	memcpy(frame, addresses, sizeof(addresses));
	put16(frame + 12, kind->ipv6 ? 0x86dd : 0x0800);
	if (kind->ipv6) {
		ip[0] = 0x60;
		put16(ip + 4, payload);
		ip[6] = protocol;
		ip[7] = 64;
		put16(ip + 8, DROP_NETWORK);
		memcpy(ip + 24, (const uint8_t[16]){ 0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, [15] = 1 }, 16);
	} else {
		ip[0] = 0x45;
		put16(ip + 2, DROP_IP4_LENGTH + payload);
		ip[8] = 64;
		ip[9] = protocol;
		memcpy(ip + 16, (const uint8_t[4]){ 198, 18, 0, 1 }, 4);
		for (size_t i = 0; i < DROP_IP4_LENGTH; i += 2)
			sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	}
	put16(transport, 40000);
	put16(transport + 2, kind->syn ? 80 : 443);
	if (kind->syn) {
		transport[12] = 0x50;
		transport[13] = 0x02;
		put16(transport + 14, 65535);
	} else {
		put16(transport + 4, payload);
	}
	return sum;
}

static uint64_t now(clockid_t clock)
{
	struct timespec t = { 0 };

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* The clock of ksoftirqd of the processor that this runs on; -ENOENT where there is none. */
static int find_ksoftirqd(clockid_t *clock)
{
	char wanted[32], path[64], name[32];
	int processor = sched_getcpu();

	(void)snprintf(wanted, sizeof(wanted), "ksoftirqd/%d\n", processor);
	/* The kernel's threads of each processor come first of all; a few hundred would be many. */
	for (pid_t pid = 2; pid < 10000; pid++) {
		bool found;
		FILE *file;

		(void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		file = fopen(path, "re");
		if (!file)
			continue;
		found = fgets(name, sizeof(name), file) && strcmp(name, wanted) == 0;
		(void)fclose(file);
		if (found)
			return -clock_getcpuclockid(pid, clock);
	}
	return -ENOENT;
}

/* What the kernel has counted of the program: how often it ran while it was counted, and for how long. */
static int read_program(uint32_t id, struct bpf_prog_info *info)
{
	uint32_t length = sizeof(*info);
	int fd = bpf_prog_get_fd_by_id(id), error;

	if (fd < 0)
		return fd;
	memset(info, 0, sizeof(*info));
	error = bpf_obj_get_info_by_fd(fd, info, &length);
	(void)close(fd);
	return error;
}

static int run_live(int program, const uint8_t *frame, uint32_t length, uint32_t packets)
{
	struct bpf_test_run_opts options = {
		.sz = sizeof(options),
		.data_in = frame,
		.data_size_in = length,
		.repeat = (int)packets,
		.flags = BPF_F_TEST_XDP_LIVE_FRAMES,
		.batch_size = BATCH,
	};

	return bpf_prog_test_run_opts(program, &options);
}

/* Of `id`, where not 0, own runs and ns are printed too. */
static int measure(int program, const uint8_t *frame, uint32_t length, uint32_t packets, uint32_t id)
{
	struct bpf_prog_info before = { 0 }, after = { 0 };
	uint64_t thread, softirqd, wall;
	clockid_t clock = 0;
	int stats = -1, error = find_ksoftirqd(&clock);

	if (error)
		return say("ksoftirqd of this processor", error);
	error = run_live(program, frame, length, WARM);
	if (error)
		return say("frames cannot be made (Linux 5.18 can)", error);
	if (id > 0) {
		stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
		if (stats < 0)
			return say("times of programs", stats);
		error = read_program(id, &before);
	}
	softirqd = now(clock);
	thread = now(CLOCK_THREAD_CPUTIME_ID);
	wall = now(CLOCK_MONOTONIC);
	if (error == 0)
		error = run_live(program, frame, length, packets);
	wall = now(CLOCK_MONOTONIC) - wall;
	thread = now(CLOCK_THREAD_CPUTIME_ID) - thread;
	softirqd = now(clock) - softirqd;
	if (error == 0 && id > 0)
		error = read_program(id, &after);
	if (stats >= 0)
		(void)close(stats);
	if (error)
		return say("frames", error);
	(void)printf("%u %llu %llu %llu %llu %llu\n", packets, (unsigned long long)thread, (unsigned long long)softirqd,
	             (unsigned long long)wall, (unsigned long long)(after.run_cnt - before.run_cnt),
	             (unsigned long long)(after.run_time_ns - before.run_time_ns));
	return 0;
}

/* `text` as a number of [0, max]. What is none ends the program, before it has done anything. */
static uint32_t number_of(const char *text, uint32_t max)
{
	char *end = NULL;
	unsigned long value = strtoul(text, &end, 10);

	if (*text >= '0' && *text <= '9' && *end == '\0' && value <= max)
		return (uint32_t)value;
	(void)fprintf(stderr, "drop: '%s' is no number up to %u\n", text, max);
	exit(1);
}

static int send_frames(char **words, int count)
{
	const struct kind *kind = kind_of(words[1]);
	uint32_t interface = if_nametoindex(words[0]), packets = number_of(words[2], PACKETS_MAX);
	uint32_t first = number_of(words[3], DROP_NUMBERS - 1), sources = number_of(words[4], DROP_NUMBERS - first);
	uint32_t id = count == 6 ? number_of(words[5], INT32_MAX) : 0, sum;
	uint8_t frame[DROP_FRAME_MAX];
	struct drop_bpf *programs;
	int error;

	if (!kind || packets == 0 || sources == 0 || (count == 6 && id == 0))
		return -EINVAL;
	if (interface == 0)
		return say(words[0], -ENODEV);
	programs = drop_bpf__open();
	if (!programs)
		return say("programs", -errno);
	sum = make_frame(kind, frame);
	memcpy((void *)(uintptr_t)&programs->rodata->shape,
	       &(struct drop_shape){ interface, first, sources, sum, kind->ipv6 }, sizeof(struct drop_shape));
	error = drop_bpf__load(programs);
	if (error == 0)
		error = measure(bpf_program__fd(programs->progs.generate), frame, kind->length, packets, id);
	else
		(void)say("programs", error);
	drop_bpf__destroy(programs);
	return error;
}

static int attach(char **words, int count)
{
	uint32_t interface = if_nametoindex(words[0]);
	struct drop_bpf *programs;
	int program, error;

	(void)count;
	if (strcmp(words[1], "bare") != 0 && strcmp(words[1], "pass") != 0)
		return -EINVAL;
	if (interface == 0)
		return say(words[0], -ENODEV);
	programs = drop_bpf__open_and_load();
	if (!programs)
		return say("programs", -errno);
	program = bpf_program__fd(words[1][0] == 'b' ? programs->progs.bare : programs->progs.pass);
	error = bpf_xdp_attach((int)interface, program, XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
	if (error)
		(void)say(words[0], error);
	drop_bpf__destroy(programs);
	return error;
}

/* The address of a source, or with `target` where all go. */
static struct prefix host_of(const struct kind *kind, uint32_t number, bool target)
{
	uint8_t frame[DROP_FRAME_MAX];
	const uint8_t *ip = frame + DROP_ETHERNET;
	struct address address = { { [10] = 0xff, [11] = 0xff } };

	(void)make_frame(kind, frame);
	if (target) {
		address = kind->ipv6 ? address_from_ipv6(ip + 24) : address_from_ipv4(ip + 16);
	} else if (kind->ipv6) {
		address = address_from_ipv6(ip + 8);
		put32(address.octets + DROP_IP6_FIRST, drop_permute(number));
		put32(address.octets + DROP_IP6_SECOND, drop_permute(number));
	} else {
		put32(address.octets + 12, drop_source(number));
	}
	return prefix_of(&address, 128);
}

static int list_sources(char **words, int count)
{
	const struct kind *kind = kind_of(words[0]);
	uint32_t first = number_of(words[1], DROP_NUMBERS - 1), sources = number_of(words[2], DROP_NUMBERS - first);
	char text[ADDRESS_TEXT_SIZE];

	(void)count;
	if (!kind || sources == 0)
		return -EINVAL;
	for (uint32_t number = first; number < first + sources && !ferror(stdout); number++) {
		struct prefix host = host_of(kind, number, false);

		(void)puts(address_format(&host.address, text));
	}
	return ferror(stdout) ? -EIO : 0;
}

/* Blocks sources 1 to `listed`; *took is the ns of putting them in. */
static int block_sources(struct shield *shield, const struct kind *kind, uint32_t listed, uint64_t *took)
{
	struct shield_pace pace = shield_pace(shield);
	uint64_t moment = shield_jiffies_at(&pace, (int64_t)now(CLOCK_MONOTONIC));
	struct prefix *hosts = calloc((size_t)listed + 1, sizeof(*hosts));
	struct blocks *blocks = NULL;
	int error = hosts ? blocks_new(shield_maps(shield), &blocks) : -ENOMEM;

	for (uint32_t i = 0; i < listed && hosts; i++)
		hosts[i] = host_of(kind, i + 1, false);
	*took = now(CLOCK_MONOTONIC);
	for (uint32_t i = 0; i < listed && !error; i++)
		error = blocks_add(blocks, &hosts[i], moment, moment + (uint64_t)FOR_S * pace.hz);
	*took = now(CLOCK_MONOTONIC) - *took;
	blocks_free(blocks);
	free(hosts);
	return error;
}

/* What `shield` is given. */
struct wanted {
	const struct kind *kind;
	const char *interface, *pins;
	uint32_t capacity, listed, pps;
	const char *object; /* of `compiled`, as its place that is told */
	uint32_t told;
	char **matches;
	int match_count;
};

/*
 * In front of a match: the rule arms, spares and probes, as those do that the engine makes; it is for any destination.
 */
#define LIVE "live: "
#define ANYWHERE "any: "

static bool begins(const char **text, const char *with)
{
	bool does = strncmp(*text, with, strlen(with)) == 0;

	*text += does ? strlen(with) : 0;
	return does;
}

static int add_rules(struct shield *shield, const struct wanted *wanted, struct shield_error *error)
{
	for (int i = 0; i < wanted->match_count; i++) {
		const char *match = wanted->matches[i];
		bool live = begins(&match, LIVE), anywhere = begins(&match, ANYWHERE);
		const struct shield_making making = {
			.expires = SHIELD_NEVER, .spare = live, .probe = live, .arm_pps = live ? 1000 : 0, .hold_s = 60
		};
		struct rule rule = { .action = RULE_DROP };
		struct match_error wrong;
		uint64_t began;
		uint32_t number;
		int result = match_parse(match, &rule.match, &wrong);

		if (result) {
			(void)snprintf(error->message, sizeof(error->message), "%.60s: %.150s", match, wrong.message);
			return result;
		}
		if (!anywhere)
			rule.scope = host_of(wanted->kind, 0, true);
		began = now(CLOCK_MONOTONIC);
		result = shield_add_rule(shield, &rule, &making, &number, error);
		if (result)
			return result;
		(void)printf(" %llu", (unsigned long long)(now(CLOCK_MONOTONIC) - began));
	}
	return 0;
}

/* All but that it meets packets. */
static int equip(struct shield *shield, const struct wanted *wanted, struct shield_error *error)
{
	struct prefix target = host_of(wanted->kind, 0, true);
	struct shield_service service = {
		.name = "bench", .prefixes = &target, .prefix_count = 1, .source_pps = wanted->pps
	};
	uint64_t took;
	int result = shield_set_services(shield, &service, 1, error);

	if (result)
		return result;
	shield_set_mode(shield, true, SHIELD_NEVER);
	result = block_sources(shield, wanted->kind, wanted->listed, &took);
	if (result)
		return result;
	(void)printf("%llu", (unsigned long long)took);
	result = add_rules(shield, wanted, error);
	(void)puts("");
	return result;
}

static int attach_equipped(struct shield *shield, const struct wanted *wanted, struct shield_error *error)
{
	enum shield_hook hook;
	int result = shield_attach(shield, wanted->interface, &hook, error);

	return result ? result : shield_commit(shield, error);
}

/* Sets up a shield as is wanted, and attaches it by `put`. */
static int set_up(const struct wanted *wanted,
                  int (*put)(struct shield *, const struct wanted *, struct shield_error *))
{
	const struct shield_options options = { .bpffs_dir = wanted->pins,
		                                .block_capacity = wanted->capacity,
		                                .sample_budget = 20000,
		                                .drop_clean = true };
	struct shield_error error = { "", "" };
	struct shield *shield;
	int result;

	if (!wanted->kind)
		return -EINVAL;
	result = shield_open(&options, &shield, &error);
	if (!result) {
		result = equip(shield, wanted, &error);
		if (!result)
			result = put(shield, wanted, &error);
		shield_close(shield);
	}
	if (result)
		(void)say(error.message[0] ? error.message : "shield", result);
	return result ? -EIO : 0;
}

static int attach_shield(char **words, int count)
{
	const struct wanted wanted = { .kind = kind_of(words[2]),
		                       .interface = words[0],
		                       .pins = words[1],
		                       .capacity = CAPACITY,
		                       .listed = number_of(words[3], CAPACITY),
		                       .pps = number_of(words[4], INT32_MAX),
		                       .matches = words + 5,
		                       .match_count = count - 5 };

	return set_up(&wanted, attach_equipped);
}

/* The place of the rule that one frame to the attached program is counted for; SHIELD_RULES_MAX: for none. */
static int find_met(const struct shield *shield, const struct wanted *wanted, uint32_t *met)
{
	struct bpf_test_run_opts options = { .sz = sizeof(options), .data_size_in = wanted->kind->length, .repeat = 1 };
	static struct shield_rule_told rules[SHIELD_RULES_MAX];
	struct shield_rule_count count = { 0 };
	uint8_t frame[DROP_FRAME_MAX];
	uint32_t id = 0;
	unsigned told;
	int program, result = bpf_xdp_query_id((int)if_nametoindex(wanted->interface), XDP_FLAGS_DRV_MODE, &id);

	program = result ? result : bpf_prog_get_fd_by_id(id);
	if (program < 0)
		return program;
	(void)make_frame(wanted->kind, frame);
	options.data_in = frame;
	result = bpf_prog_test_run_opts(program, &options);
	(void)close(program);
	if (!result)
		result = shield_read_rules(shield_maps(shield), 0, rules, &told);
	*met = SHIELD_RULES_MAX;
	for (uint32_t i = 0; !result && i < told && *met == SHIELD_RULES_MAX; i++) {
		result = shield_read_rule_count(shield_maps(shield), rules[i].counter, &count);
		if (count.matched.packets)
			*met = i;
	}
	return result;
}

static int attach_other(struct shield *shield, const struct wanted *wanted, struct shield_error *error)
{
	const struct compiled_options options = { .object = wanted->object, .told = wanted->told, .drop_clean = true };
	struct compiled_cost cost = { 0 };
	struct compiled *compiled = NULL;
	uint32_t met;
	int result;

	if (strcmp(wanted->object, "table") == 0) {
		result = attach_equipped(shield, wanted, error);
	} else {
		result = compiled_open(shield, &options, &compiled, error);
		if (!result) {
			cost = compiled_cost(compiled);
			result = bpf_xdp_attach((int)if_nametoindex(wanted->interface), compiled_program(compiled),
			                        XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
		}
		compiled_close(compiled);
	}
	if (!result)
		result = find_met(shield, wanted, &met);
	if (!result)
		(void)printf("%u %llu %llu %u\n", met, (unsigned long long)cost.made_ns,
		             (unsigned long long)cost.loaded_ns, cost.insns);
	return result;
}

static int attach_compiled(char **words, int count)
{
	const struct wanted wanted = { .kind = kind_of(words[2]),
		                       .interface = words[0],
		                       .pins = words[1],
		                       .capacity = SHIELD_BLOCK_CAPACITY_MIN,
		                       .told = number_of(words[3], SHIELD_RULES_MAX),
		                       .object = words[4],
		                       .matches = words + 5,
		                       .match_count = count - 5 };

	return set_up(&wanted, attach_other);
}

/* What no table of that size can be read faster than: each read's place depends on what the one before has found. */
static int read_far(char **words, int count)
{
	uint32_t size = number_of(words[0], FAR_MAX), lines = size / FAR_LINE;
	uint64_t place = 1, found = 0, took;
	uint8_t *memory;

	(void)count;
	if (lines == 0)
		return -EINVAL;
	memory = aligned_alloc(FAR_LINE, (size_t)lines * FAR_LINE);
	if (!memory)
		return -ENOMEM;
	memset(memory, 0, (size_t)lines * FAR_LINE);
	took = now(CLOCK_THREAD_CPUTIME_ID);
	for (uint32_t i = 0; i < FAR_READS; i++) {
		place = (place + found) * 6364136223846793005ULL + 1442695040888963407ULL;
		found = *(volatile uint8_t *)(memory + ((place >> 32) * lines >> 32) * FAR_LINE);
	}
	took = now(CLOCK_THREAD_CPUTIME_ID) - took;
	free(memory);
	(void)printf("%llu\n", (unsigned long long)(took / FAR_READS));
	return 0;
}

static const struct {
	const char *name;
	int words_min, words_max;
	int (*run)(char **words, int count);
} commands[] = {
	{ "attach", 2, 2, attach },
	{ "send", 5, 6, send_frames },
	{ "sources", 3, 3, list_sources },
	{ "shield", 5, 5 + SHIELD_RULES_MAX, attach_shield },
	{ "compiled", 5, 5 + SHIELD_RULES_MAX, attach_compiled },
	{ "far", 1, 1, read_far },
};

int main(int argc, char **argv)
{
	int error = -EINVAL;

	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) == 0 && argc - 2 >= commands[i].words_min &&
		    argc - 2 <= commands[i].words_max)
			error = commands[i].run(argv + 2, argc - 2);
	}
	if (error == -EINVAL)
		(void)fputs("usage: drop attach INTERFACE bare|pass\n"
		            "       drop send INTERFACE KIND PACKETS FIRST SOURCES [PROGRAM]\n"
		            "       drop sources KIND FIRST COUNT\n"
		            "       drop shield INTERFACE PINS KIND LISTED PPS [MATCH...]\n"
		            "       drop compiled INTERFACE PINS KIND TOLD OBJECT|table [MATCH...]\n"
		            "       drop far OCTETS\n",
		            stderr);
	return error || fflush(stdout) ? 1 : 0;
}
