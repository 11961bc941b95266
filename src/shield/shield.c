/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads the programs, makes or takes over their maps, puts both on interfaces, and takes them away again.
 *
 * Pins, all under bpffs_dir: a map under its name; `clock`, the program that tells jiffies; `link_IFNAME`, the link
 * that holds the program to an interface. Maps that are to replace others are pinned in NEXT_DIR beside them until
 * shield_commit() moves them. The classifier for what is sent needs no pin: the interface holds it, under TC_HANDLE and
 * TC_PRIORITY.
 *
 * The loader alone writes config, services, allow, rulesets and notes; config through shared memory, since what is in
 * it must change by single stores while packets are looked at.
 */
#include "shield/shield.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <shield.skel.h>

#include "base/time.h"
#include "shield/blocks.h"
#include "shield/inside.h"

#define CALIBRATION_NS (50 * NS_PER_MS)
#define SAMPLE_SENT_SHARE 4 /* one sample in so many is of what leaves */

/* libbpf tells the verifier's mind on standard error; a library does not. */
static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

/* ---- clock ---- */

static int ask_clock(int fd, struct shield_clock *clock)
{
	uint8_t frame[64] = { 0 };
	struct bpf_test_run_opts run;
	int result;

	OPTIONS_BEGIN(run);
	run.data_in = frame;
	run.data_size_in = sizeof(frame);
	run.data_out = frame;
	run.data_size_out = sizeof(frame);
	result = bpf_prog_test_run_opts(fd, &run);
	if (!result)
		memcpy(clock, frame, sizeof(*clock));
	return result;
}

/* How many jiffies a second has, from one change of their number to another: the kernel is built for one of these. */
static int calibrate(int fd, uint32_t *hz)
{
	static const uint32_t known[] = { 100, 250, 300, 1000 };
	struct shield_clock first = { .jiffies = 0 }, last;
	uint64_t before;
	int result = ask_clock(fd, &first);
	int64_t measured;

	for (before = first.jiffies; !result && first.jiffies == before;)
		result = ask_clock(fd, &first);
	last = first;
	while (!result && (int64_t)(last.monotonic_ns - first.monotonic_ns) < CALIBRATION_NS)
		result = ask_clock(fd, &last);
	for (before = last.jiffies; !result && last.jiffies == before;)
		result = ask_clock(fd, &last);
	if (result)
		return result;
	measured = (int64_t)((last.jiffies - first.jiffies) * (uint64_t)NS_PER_S /
	                     (last.monotonic_ns - first.monotonic_ns));
	*hz = known[0];
	for (unsigned i = 1; i < sizeof(known) / sizeof(known[0]); i++)
		if (llabs(measured - known[i]) < llabs(measured - *hz))
			*hz = known[i];
	return 0;
}

/* The timer that looks after what expires; it lives as long as its map is pinned. */
static int start_sweep(int fd)
{
	uint8_t frame[64] = { 0 };
	struct bpf_test_run_opts run;
	int result;

	OPTIONS_BEGIN(run);
	run.data_in = frame;
	run.data_size_in = sizeof(frame);
	result = bpf_prog_test_run_opts(fd, &run);
	return result ? result : run.retval == XDP_PASS ? 0 : -EOPNOTSUPP;
}

/* ---- maps ---- */

static struct bpf_map *map_of(struct shield_bpf *programs, enum shield_map map)
{
	return bpf_object__find_map_by_name(programs->obj, shield_map_name(map));
}

static int open_pinned(const char *dir, struct shield_maps *maps)
{
	struct shield_maps opened;

	for (unsigned i = 0; i < SHIELD_MAPS; i++)
		opened.fd[i] = -1;
	for (unsigned i = 0; i < SHIELD_MAPS; i++) {
		char path[PIN_PATH_SIZE];
		int result = pin_path(path, dir, shield_map_name((enum shield_map)i));

		if (!result)
			opened.fd[i] = bpf_obj_get(path);
		if (result || opened.fd[i] < 0) {
			result = result ? result : -errno;
			shield_maps_close(&opened);
			return result;
		}
	}
	*maps = opened;
	return 0;
}

static struct shield_config *map_config(int fd)
{
	void *memory = mmap(NULL, sizeof(struct shield_config), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Of a map whose size goes with the block list's capacity: how many values it has; of any other 0. */
static __u32 block_entries(enum shield_map map, const struct shield_block_state *state)
{
	const __u32 lines = state->buckets4 / SHIELD_BLOCK4_GROUP / SHIELD_BLOCK4_GROUPS;
	const __u32 entries[SHIELD_MAPS] = {
		[SHIELD_MAP_BLOCK4_SWEPT] = lines,
		[SHIELD_MAP_BLOCK4] = state->buckets4,
		[SHIELD_MAP_BLOCK4_EXPIRES] = state->buckets4,
		[SHIELD_MAP_BLOCK4_DUE] = lines,
		[SHIELD_MAP_BLOCK4_MORE] = state->more4,
		[SHIELD_MAP_BLOCK6] = state->buckets6,
	};

	return entries[map];
}

static int size_block_maps(struct shield_bpf *programs, const struct shield_block_state *state)
{
	int result = 0;

	for (unsigned i = 0; i < SHIELD_MAPS && !result; i++) {
		__u32 entries = block_entries((enum shield_map)i, state);

		if (entries)
			result = bpf_map__set_max_entries(map_of(programs, (enum shield_map)i), entries);
	}
	return result;
}

/* Whether pinned maps are of the sizes that the programs were built for; block tables may be of any. */
static bool fits(struct shield_bpf *programs, const struct shield_maps *maps)
{
	struct shield_block_state any;

	blocks_begin(SHIELD_BLOCK_CAPACITY_MIN, 1, 0, &any);
	for (unsigned i = 0; i < SHIELD_MAPS; i++) {
		struct bpf_map_info info = { 0 };
		__u32 size = sizeof(info);
		struct bpf_map *map = map_of(programs, (enum shield_map)i);
		if (!map || bpf_obj_get_info_by_fd(maps->fd[i], &info, &size) || info.type != bpf_map__type(map) ||
		    info.key_size != bpf_map__key_size(map) || info.value_size != bpf_map__value_size(map) ||
		    (block_entries((enum shield_map)i, &any) == 0 && info.max_entries != bpf_map__max_entries(map)))
			return false;
	}
	return true;
}

static int reuse(struct shield_bpf *programs, const struct shield_maps *maps)
{
	int result = 0;

	for (unsigned i = 0; i < SHIELD_MAPS && !result; i++)
		result = bpf_map__reuse_fd(map_of(programs, (enum shield_map)i), maps->fd[i]);
	return result;
}

static int pin_maps(struct shield *shield)
{
	char path[PIN_PATH_SIZE];
	int result = 0;

	if (mkdir(shield->pins, 0700) && errno != EEXIST)
		return -errno;
	for (unsigned i = 0; i < SHIELD_MAPS && !result; i++) {
		result = pin_path(path, shield->pins, shield_map_name((enum shield_map)i));
		if (!result && unlink(path) && errno != ENOENT)
			result = -errno;
		if (!result)
			result = bpf_obj_pin(shield->maps.fd[i], path);
	}
	return result;
}

/* Over an older clock: it says the same, but the program may be of another build. */
static int pin_clock(const struct shield *shield)
{
	char path[PIN_PATH_SIZE];
	int result = pin_path(path, shield->dir, CLOCK_PIN);

	if (!result && unlink(path) && errno != ENOENT)
		result = -errno;
	return result ? result : bpf_obj_pin(shield->clock_fd, path);
}

/* ---- open, close ---- */

void shield_close(struct shield *shield)
{
	if (!shield)
		return;
	if (shield->config)
		(void)munmap(shield->config, sizeof(*shield->config));
	shield_maps_close(&shield->maps);
	if (shield->clock_fd >= 0 && !shield->programs)
		(void)close(shield->clock_fd);
	if (shield->programs)
		shield_bpf__destroy(shield->programs);
	if (shield->dir_fd >= 0)
		(void)close(shield->dir_fd);
	free(shield->set);
	free(shield);
}

static int new_shield(const char *dir, struct shield **shield, struct shield_error *error)
{
	struct shield *made = calloc(1, sizeof(*made));

	if (!made) {
		(void)shield_fail(error, -ENOMEM, "no memory for the shield");
		return -ENOMEM;
	}
	made->clock_fd = made->dir_fd = -1;
	made->before = (struct shield_before){ .mode = SHIELD_OBSERVE, .enforce_until = SHIELD_NEVER };
	for (unsigned i = 0; i < SHIELD_MAPS; i++)
		made->maps.fd[i] = -1;
	made->set = calloc(1, sizeof(*made->set));
	if (!made->set || (size_t)snprintf(made->dir, sizeof(made->dir), "%s", dir) >= sizeof(made->dir)) {
		int result = made->set ? -ENAMETOOLONG : -ENOMEM;

		shield_close(made);
		(void)shield_fail(error, result, "%.200s: %s", dir, strerror(-result));
		return result;
	}
	memcpy(made->pins, made->dir, sizeof(made->pins));
	*shield = made;
	return 0;
}

static int set_pace(struct shield *shield, uint32_t hz)
{
	struct shield_clock clock;
	int result = ask_clock(shield->clock_fd, &clock);

	if (!result)
		shield->pace = (struct shield_pace){ clock.jiffies, (int64_t)clock.monotonic_ns, hz };
	return result;
}

/*
 * Samples that one CPU may hand out in a tick of the sampler, of the budget that all share: a quarter of what leaves.
 */
static void set_sampling(struct shield_config *config, uint32_t budget)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t a_tick = ((uint64_t)budget << SHIELD_SAMPLE_SHIFT) / config->hz / (uint64_t)(cpus > 0 ? cpus : 1);
	uint64_t sent = a_tick / SAMPLE_SENT_SHARE, arriving = a_tick - sent;

	config->sample_per_tick = budget == 0 ? 0 : arriving == 0 ? 1 : (uint32_t)arriving;
	config->sample_sent_per_tick = budget == 0 ? 0 : sent == 0 ? 1 : (uint32_t)sent;
}

/* Fills what a new shield must know, before any packet meets it. */
static int begin(struct shield *shield, const struct shield_options *options, uint64_t seed)
{
	struct shield_block_state state;
	__u32 key = 0, hz;
	int result = calibrate(shield->clock_fd, &hz);

	if (result)
		return result;
	blocks_begin(options->block_capacity, hz, seed, &state);
	result = bpf_map_update_elem(shield->maps.fd[SHIELD_MAP_BLOCK_STATE], &key, &state, BPF_ANY);
	if (result)
		return result;
	shield->config->enforce_until = shield->before.enforce_until;
	shield->config->mode = shield->before.mode == SHIELD_ENFORCE ? SHIELD_ENFORCE : SHIELD_OBSERVE;
	shield->config->hz = hz;
	shield->config->seed = shield_mix(seed);
	shield->config->next_rule = 1;
	shield->config->layout = SHIELD_LAYOUT;
	return 0;
}

/*
 * Where in the kernel's struct tcp_request_sock the number of the SYN-ACK is, in octets, by the kernel's own
 * description; 0 where that is not to be had: then no sample says of a request that it was answered.
 */
static uint32_t request_number_at(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int id = btf ? btf__find_by_name_kind(btf, "tcp_request_sock", BTF_KIND_STRUCT) : -ENOENT;
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);
	uint32_t at = 0;

	for (unsigned i = 0; type && i < btf_vlen(type); i++) {
		const struct btf_member *member = btf_members(type) + i;
		const char *name = btf__name_by_offset(btf, member->name_off);

		if (name && strcmp(name, "snt_isn") == 0 && btf_member_bitfield_size(type, i) == 0)
			at = btf_member_bit_offset(type, i) / 8;
	}
	btf__free(btf);
	return at;
}

static int explain_load(int result, struct shield_error *error)
{
	shield_fail(error, result, "the kernel does not take the shield's programs: %s", strerror(-result));
	if (result == -EPERM)
		shield_advise(error, "root is needed, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON");
	else if (result == -ENOMEM)
		shield_advise(error, "make shield.block_capacity smaller");
	else
		shield_advise(error, "Linux 6.0 or later is needed; 'holdfast doctor' says more");
	return result;
}

/* Decides whose maps these are to be; on SHIELD_TAKEN_OVER they are open in shield->maps. */
static int choose_origin(struct shield *shield, struct shield_error *error)
{
	int layout = pin_layout(shield->dir, &shield->before);

	shield->origin = layout == 0 ? SHIELD_NEW : SHIELD_REPLACED;
	if (layout == -EPERM || layout == -EACCES)
		return shield_fail(error, layout, "%s: %s", shield->dir, strerror(-layout));
	if (layout != SHIELD_LAYOUT)
		return 0;
	if (open_pinned(shield->dir, &shield->maps))
		return 0; /* some are missing: as good as another layout */
	if (fits(shield->programs, &shield->maps))
		shield->origin = SHIELD_TAKEN_OVER;
	else
		shield_maps_close(&shield->maps);
	return 0;
}

/* The programs, with maps that are there or of the size that is wanted, go into the kernel. */
static int load(struct shield *shield, const struct shield_options *options, uint64_t seed, struct shield_error *error)
{
	struct shield_block_state sizes;
	int result;

	blocks_begin(options->block_capacity, 1, seed, &sizes);
	if (shield->origin == SHIELD_TAKEN_OVER)
		result = reuse(shield->programs, &shield->maps);
	else
		result = size_block_maps(shield->programs, &sizes);
	if (result)
		return shield_fail(error, result, "the shield's maps cannot be set up: %s", strerror(-result));
	shield->programs->rodata->tcp_request_number_at = request_number_at();
	if (options->drop_clean)
		shield->programs->rodata->verdict_pass = XDP_DROP;
	result = shield_bpf__load(shield->programs);
	return result ? explain_load(result, error) : 0;
}

/* What is in the kernel is filled and pinned. */
static int set_up(struct shield *shield, const struct shield_options *options, uint64_t seed,
                  struct shield_error *error)
{
	int result = 0;

	shield->clock_fd = bpf_program__fd(shield->programs->progs.shield_clock);
	if (shield->origin != SHIELD_TAKEN_OVER)
		for (unsigned i = 0; i < SHIELD_MAPS; i++) {
			shield->maps.fd[i] = dup(bpf_map__fd(map_of(shield->programs, (enum shield_map)i)));
			if (shield->maps.fd[i] < 0)
				return shield_fail(error, -errno, "the shield's maps cannot be kept open: %s",
				                   strerror(errno));
		}
	shield->config = map_config(shield->maps.fd[SHIELD_MAP_CONFIG]);
	if (!shield->config)
		return shield_fail(error, -errno, "the shield's configuration cannot be shared: %s", strerror(errno));
	if (shield->origin != SHIELD_TAKEN_OVER)
		result = begin(shield, options, seed);
	if (!result)
		result = set_pace(shield, shield->config->hz);
	if (!result && shield->origin == SHIELD_REPLACED)
		result = pin_path(shield->pins, shield->dir, NEXT_DIR);
	if (!result && shield->origin != SHIELD_TAKEN_OVER)
		result = pin_maps(shield);
	if (!result)
		result = pin_clock(shield);
	if (!result)
		result = start_sweep(bpf_program__fd(shield->programs->progs.shield_sweep));
	if (result)
		return shield_fail(error, result, "the shield cannot be set up under %s: %s", shield->pins,
		                   strerror(-result));
	set_sampling(shield->config, options->sample_budget);
	return 0;
}

int shield_open(const struct shield_options *options, struct shield **shield, struct shield_error *error)
{
	struct shield *made = NULL;
	uint64_t seed;
	int result;

	if (options->block_capacity < SHIELD_BLOCK_CAPACITY_MIN || options->block_capacity > SHIELD_BLOCK_CAPACITY_MAX)
		return shield_fail(error, -EINVAL, "block_capacity: %u is not between %d and %d",
		                   options->block_capacity, SHIELD_BLOCK_CAPACITY_MIN, SHIELD_BLOCK_CAPACITY_MAX);
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return shield_fail(error, -EIO, "the kernel gives no random numbers");
	result = pin_make_dir(options->bpffs_dir, error);
	if (!result)
		result = new_shield(options->bpffs_dir, &made, error);
	if (result)
		return result;
	(void)libbpf_set_print(quiet);
	made->generic = options->generic;
	made->programs = shield_bpf__open();
	if (!made->programs)
		result = shield_fail(error, -errno, "the shield's programs cannot be read: %s", strerror(errno));
	if (!result)
		result = pin_hold_dir(made->dir, &made->dir_fd, error);
	if (!result)
		result = choose_origin(made, error);
	if (!result)
		result = load(made, options, seed, error);
	if (!result)
		result = set_up(made, options, seed, error);
	if (result) {
		shield_close(made);
		return result;
	}
	*shield = made;
	return 0;
}

int shield_open_pinned(const char *bpffs_dir, struct shield **shield, struct shield_error *error)
{
	struct shield *made = NULL;
	char path[PIN_PATH_SIZE];
	int layout, result = new_shield(bpffs_dir, &made, error);

	if (result)
		return result;
	(void)libbpf_set_print(quiet);
	layout = pin_layout(made->dir, &made->before);
	if (layout == 0) {
		result = shield_fail(error, -ENOENT, "%s: no shield is pinned there", made->dir);
		goto close;
	}
	if (layout != SHIELD_LAYOUT) {
		result = layout < 0 && layout != -EBADMSG ? layout : -EBADMSG;
		if (result == -EBADMSG)
			shield_fail(error, result, "%s: what is pinned there is of another version", made->dir);
		else
			shield_fail(error, result, "%s: %s", made->dir, strerror(-result));
		goto close;
	}
	made->origin = SHIELD_TAKEN_OVER;
	result = open_pinned(made->dir, &made->maps);
	if (!result)
		result = pin_path(path, made->dir, CLOCK_PIN);
	if (!result) {
		made->clock_fd = bpf_obj_get(path);
		made->config = map_config(made->maps.fd[SHIELD_MAP_CONFIG]);
		result = made->clock_fd < 0 || !made->config ? -errno : set_pace(made, made->config->hz);
	}
	if (result) {
		shield_fail(error, result, "%s: what is pinned there cannot be used: %s", made->dir, strerror(-result));
		goto close;
	}
	*shield = made;
	return 0;
close:
	shield_close(made);
	return result;
}

enum shield_origin shield_origin(const struct shield *shield)
{
	return shield->origin;
}

const char *shield_pins(const struct shield *shield)
{
	return shield->pins;
}

const struct shield_maps *shield_maps(const struct shield *shield)
{
	return &shield->maps;
}

struct shield_pace shield_pace(const struct shield *shield)
{
	return shield->pace;
}

int shield_commit(struct shield *shield, struct shield_error *error)
{
	char from[PIN_PATH_SIZE], to[PIN_PATH_SIZE];
	int result = 0;

	if (shield->origin != SHIELD_REPLACED || strcmp(shield->pins, shield->dir) == 0)
		return 0;
	for (unsigned i = 0; i < SHIELD_MAPS && !result; i++) {
		result = pin_path(to, shield->dir, shield_map_name((enum shield_map)i));
		if (!result)
			result = pin_path(from, shield->pins, shield_map_name((enum shield_map)i));
		if (!result && unlink(to) && errno != ENOENT)
			result = -errno;
		if (!result)
			result = bpf_obj_pin(shield->maps.fd[i], to);
		if (!result && unlink(from) && errno != ENOENT)
			result = -errno;
	}
	if (result)
		return shield_fail(error, result, "%s: %s", shield->dir, strerror(-result));
	(void)rmdir(shield->pins);
	memcpy(shield->pins, shield->dir, sizeof(shield->pins));
	return 0;
}
