/* SPDX-License-Identifier: Apache-2.0 */
#include "compiled.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "abi/shield.h"
#include "base/time.h"
#include "machine.h"
#include "shield/maps.h"

#define PROGRAM "shield_xdp"
#define SECTION "xdp.frags"

struct compiled {
	const struct shield_maps *maps;
	struct bpf_object *object;
	struct bpf_program *program;
	struct machine_code *code;
	struct compiled_cost cost;
};

__attribute__((format(printf, 3, 4))) static int failed(struct shield_error *error, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	error->advice[0] = '\0';
	return code;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

static uint64_t monotonic_ns(void)
{
	struct timespec now = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Where in .rodata a constant of 32 bits is; -ENOENT. */
static int find_constant(const struct bpf_object *object, const char *name, uint32_t *at)
{
	const struct btf *btf = bpf_object__btf(object);
	int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_type *section = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);

	for (unsigned i = 0; section && i < btf_vlen(section); i++) {
		const struct btf_var_secinfo *variable = btf_var_secinfos(section) + i;
		const struct btf_type *type = btf__type_by_id(btf, variable->type);

		if (strcmp(btf__name_by_offset(btf, type->name_off), name) == 0 && variable->size == sizeof(uint32_t)) {
			*at = variable->offset;
			return 0;
		}
	}
	return -ENOENT;
}

static int set_constant(struct bpf_object *object, const char *name, uint32_t value)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata");
	size_t size = 0;
	const void *initial = map ? bpf_map__initial_value(map, &size) : NULL;
	uint8_t *changed = initial ? malloc(size) : NULL;
	uint32_t at;
	int result = changed ? find_constant(object, name, &at) : -ENOENT;

	if (!result && at + sizeof(value) > size)
		result = -ENOENT;
	if (!result) {
		memcpy(changed, initial, size);
		memcpy(changed + at, &value, sizeof(value));
		result = bpf_map__set_initial_value(map, changed, size);
	}
	free(changed);
	return result;
}

/* The one program, over the shield's maps. */
static int prepare(struct compiled *compiled, const struct compiled_options *options)
{
	struct bpf_program *program;
	int result = 0;

	for (program = bpf_object__next_program(compiled->object, NULL); program;
	     program = bpf_object__next_program(compiled->object, program)) {
		bool is = strcmp(bpf_program__name(program), PROGRAM) == 0;

		if (is)
			compiled->program = program;
		(void)bpf_program__set_autoload(program, is);
	}
	for (unsigned i = 0; i < SHIELD_MAPS && !result; i++) {
		struct bpf_map *map =
			bpf_object__find_map_by_name(compiled->object, shield_map_name((enum shield_map)i));

		/* Those that only what leaves asks are not there. */
		if (map)
			result = bpf_map__reuse_fd(map, compiled->maps->fd[i]);
	}
	if (!result && options->drop_clean)
		result = set_constant(compiled->object, "verdict_pass", XDP_DROP);
	if (!result)
		(void)set_constant(compiled->object, "told", options->told);
	return result ? result : compiled->program ? 0 : -ENOENT;
}

/* Whether the instruction is one that does nothing. */
static bool is_room(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_JA) && insn->off == 0;
}

/* Where the end of first_held()'s room is, behind the two instructions that end it; 0 where there is none. */
static size_t find_room(const struct bpf_insn *insns, size_t count)
{
	size_t room = 0;

	for (size_t i = 0; i + 2 < count; i++) {
		room = is_room(&insns[i]) ? room + 1 : 0;
		if (room == MACHINE_INSNS_MAX && insns[i + 2].code == (BPF_JMP | BPF_EXIT))
			return i + 3;
	}
	return 0;
}

/*
 * What put_code() is called for. It is made known to libbpf once: 1.1 frees its list twice where all of it is taken
 * back.
 */
static const struct compiled *loading;
static int handler;

/* The program is about to be loaded, all its functions in one piece. */
static int put_code(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	const struct compiled *compiled = loading;
	size_t count = bpf_program__insn_cnt(program), end = find_room(bpf_program__insns(program), count);
	struct bpf_insn *insns;
	int result;

	(void)cookie;
	options->prog_flags |= BPF_F_XDP_HAS_FRAGS;
	options->expected_attach_type = BPF_XDP;
	if (end == 0)
		return 0;
	insns = malloc(count * sizeof(*insns));
	if (!insns)
		return -ENOMEM;
	memcpy(insns, bpf_program__insns(program), count * sizeof(*insns));
	memcpy(insns + end - compiled->code->count, compiled->code->insns, compiled->code->count * sizeof(*insns));
	result = bpf_program__set_insns(program, insns, count);
	free(insns);
	return result;
}

static int make_known(void)
{
	struct libbpf_prog_handler_opts options;

	if (handler > 0)
		return 0;
	memset(&options, 0, sizeof(options));
	options.sz = sizeof(options);
	options.prog_prepare_load_fn = put_code;
	handler = libbpf_register_prog_handler(SECTION, BPF_PROG_TYPE_XDP, BPF_XDP, &options);
	return handler < 0 ? handler : 0;
}

/* Code of the table that is in force. */
static int make_code(struct compiled *compiled)
{
	struct shield_config *config = calloc(1, sizeof(*config));
	struct shield_ruleset *set = calloc(1, sizeof(*set));
	uint32_t key = 0;
	int result = -ENOMEM;

	compiled->code = malloc(sizeof(*compiled->code));
	if (config && set && compiled->code)
		result = bpf_map_lookup_elem(compiled->maps->fd[SHIELD_MAP_CONFIG], &key, config);
	if (!result)
		result = bpf_map_lookup_elem(compiled->maps->fd[SHIELD_MAP_RULESETS], &config->ruleset, set);
	if (!result) {
		compiled->cost.made_ns = monotonic_ns();
		result = machine_make(set, config->ruleset, compiled->code);
		compiled->cost.made_ns = monotonic_ns() - compiled->cost.made_ns;
		compiled->cost.insns = compiled->code->count;
	}
	free(config);
	free(set);
	return result;
}

int compiled_open(const struct shield *shield, const struct compiled_options *options, struct compiled **compiled,
                  struct shield_error *error)
{
	struct compiled *made = calloc(1, sizeof(*made));
	int result;

	if (!made)
		return failed(error, -ENOMEM, "no memory");
	made->maps = shield_maps(shield);
	loading = made;
	(void)libbpf_set_print(quiet);
	result = make_known();
	if (!result)
		result = make_code(made);
	if (!result) {
		made->object = bpf_object__open_file(options->object, NULL);
		result = made->object ? prepare(made, options) : -errno;
	}
	if (!result) {
		made->cost.loaded_ns = monotonic_ns();
		result = bpf_object__load(made->object);
		made->cost.loaded_ns = monotonic_ns() - made->cost.loaded_ns;
	}
	if (result) {
		compiled_close(made);
		return failed(error, result, "%.100s: %s", options->object, strerror(-result));
	}
	*compiled = made;
	return 0;
}

void compiled_close(struct compiled *compiled)
{
	if (!compiled)
		return;
	bpf_object__close(compiled->object);
	free(compiled->code);
	free(compiled);
}

int compiled_program(const struct compiled *compiled)
{
	return bpf_program__fd(compiled->program);
}

struct compiled_cost compiled_cost(const struct compiled *compiled)
{
	return compiled->cost;
}
