/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call: what it takes one program in the kernel to ask other code for an answer (bench/call.bpf.c), ns a call: medians
 * of ROUNDS rounds in turns, less what the same program takes that asks nobody. Prints a line a way; not every kernel
 * can have code stand in for a function.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"

#include <call.skel.h>

#define ROUNDS 15
#define RUNS 200000
#define FUNCTION "extended"

struct way {
	const char *says;
	int program;
	double ns[ROUNDS];
};

static int run(int program, uint32_t times, double *ns)
{
	uint8_t frame[64] = { 0 };
	struct bpf_test_run_opts options = {
		.sz = sizeof(options), .data_in = frame, .data_size_in = sizeof(frame), .repeat = (int)times
	};
	int result = bpf_prog_test_run_opts(program, &options);

	if (!result && options.retval != CALL_TIMES)
		result = -EBADMSG;
	*ns = options.duration;
	return result;
}

/* Code that answers 1 in the place of FUNCTION; it stays until the process ends. */
static int put_extension(const struct call_bpf *programs)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int type = btf__find_by_name_kind(bpf_object__btf(programs->obj), FUNCTION, BTF_KIND_FUNC), program;
	struct bpf_func_info function = { .type_id = type < 0 ? 0 : (uint32_t)type };
	struct bpf_prog_load_opts options;

	memset(&options, 0, sizeof(options));
	options.sz = sizeof(options);
	options.attach_prog_fd = (uint32_t)bpf_program__fd(programs->progs.ask_extended);
	options.attach_btf_id = function.type_id;
	options.prog_btf_fd = (uint32_t)bpf_object__btf_fd(programs->obj);
	options.func_info = &function;
	options.func_info_cnt = 1;
	options.func_info_rec_size = sizeof(function);
	program = bpf_prog_load(BPF_PROG_TYPE_EXT, FUNCTION, "Dual BSD/GPL", code, sizeof(code) / sizeof(code[0]),
	                        &options);
	return program < 0 ? program : bpf_raw_tracepoint_open(NULL, program);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	struct call_bpf *programs = call_bpf__open_and_load();
	uint32_t key = 0;
	int result = 0, extension = programs ? put_extension(programs) : -errno;

	if (!programs) {
		(void)fprintf(stderr, "call: %s\n", strerror(-extension));
		return 1;
	}
	struct way ways[] = {
		{ "nobody", bpf_program__fd(programs->progs.ask_nobody), { 0 } },
		{ "a function", bpf_program__fd(programs->progs.ask_function), { 0 } },
		{ "a function that code stands in for (freplace)",
		  bpf_program__fd(programs->progs.ask_extended),
		  { 0 } },
		{ "a tail call from a function", bpf_program__fd(programs->progs.ask_tailed), { 0 } },
		{ "the same, and the key by a map", bpf_program__fd(programs->progs.ask_tailed_with_key), { 0 } },
	};
	const int targets[] = { bpf_program__fd(programs->progs.answer),
		                bpf_program__fd(programs->progs.answer_with_key) };
	const size_t count = sizeof(ways) / sizeof(ways[0]);

	for (unsigned round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < count && !result; i++) {
			result = bpf_map_update_elem(bpf_map__fd(programs->maps.slot), &key, &targets[i == count - 1],
			                             BPF_ANY);
			if (!result && (extension >= 0 || ways[i].program != ways[2].program))
				result = run(ways[i].program, RUNS, &ways[i].ns[round]);
		}
	for (size_t i = 0; i < count; i++)
		qsort(ways[i].ns, ROUNDS, sizeof(double), by_value);
	if (extension < 0)
		(void)printf("%-48s refused here: %s\n", ways[2].says, strerror(-extension));
	for (size_t i = 1; i < count && !result; i++)
		if (extension >= 0 || i != 2)
			(void)printf("%-48s %5.2f ns\n", ways[i].says,
			             (ways[i].ns[ROUNDS / 2] - ways[0].ns[ROUNDS / 2]) / CALL_TIMES);
	call_bpf__destroy(programs);
	if (result)
		(void)fprintf(stderr, "call: %s\n", strerror(-result));
	return result ? 1 : 0;
}
