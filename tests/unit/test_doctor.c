/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is there on this machine the test cannot know; that it is said of the same things as by others, it can. In a
 * network namespace of its own, where it may make one, are interfaces whose truth is known.
 */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include <cmocka.h>

#include "shield/doctor.h"

#define NOWHERE "/sys/fs/bpf/holdfast-test-nothing-is-here"

static void the_host_is_looked_at(void **state)
{
	struct doctor_host host, again;
	struct shield_error error;

	(void)state;
	assert_int_equal(doctor_look(NOWHERE, &host, &error), 0);
	assert_in_range(strlen(host.kernel), 3, 64);
	assert_int_equal(strspn(host.kernel, "0123456789."), strlen(host.kernel));
	assert_int_equal(host.kernel_enough, atoi(host.kernel) >= 6);
	assert_int_equal(host.btf, access("/sys/kernel/btf/vmlinux", F_OK) == 0);
	assert_int_equal(host.pinned_layout, 0);
	assert_true(host.may_load || !host.freplace);
	if (geteuid() != 0)
		assert_false(host.may_load);
	/* Looking changes nothing. */
	assert_int_equal(doctor_look(NOWHERE, &again, &error), 0);
	assert_memory_equal(&host, &again, sizeof(host));
}

static void what_is_not_there_is_said(void **state)
{
	static const char *const names[] = { "nonesuch0", "", "a-name-that-no-interface-can-have", "../lo" };
	struct doctor_interface found = { .name = "before" };
	struct shield_error error;

	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_int_equal(doctor_look_at(names[i], NOWHERE, &found, &error), -ENODEV);
		assert_non_null(strstr(error.message, "no such interface"));
		assert_non_null(strstr(error.advice, "ip link"));
		assert_string_equal(found.name, "before");
	}
}

static void loopback_is_known(void **state)
{
	struct doctor_interface found;
	struct shield_error error;

	(void)state;
	assert_int_equal(doctor_look_at("lo", NOWHERE, &found, &error), 0);
	assert_string_equal(found.name, "lo");
	assert_int_equal(found.ifindex, if_nametoindex("lo"));
	assert_in_range(found.mtu, 1280, 65536);
	assert_false(found.lro);
	assert_false(found.program_ours);
}

static void veth_is_native_and_a_program_is_seen(void **state)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct doctor_interface found;
	struct shield_error error;
	int program;

	(void)state;
	/* Only this process is in the namespace, and it goes with it. */
	if (unshare(CLONE_NEWNET) != 0 ||
	    system("ip link add hf0 type veth peer name hf1 2>&1 && ip link set hf0 up")) {
		print_message("a network namespace needs root, and iproute2\n");
		skip();
	}
	assert_int_equal(doctor_look_at("hf0", NOWHERE, &found, &error), 0);
	assert_string_equal(found.driver, "veth");
	assert_true(found.up);
	assert_int_equal(found.mtu, 1500);
	assert_true(found.rx_queues >= 1);
	assert_int_equal(found.would, SHIELD_NATIVE);
	assert_int_equal(found.program, 0);
	assert_int_equal(doctor_look_at("hf1", NOWHERE, &found, &error), 0);
	assert_false(found.up);

	program = bpf_prog_load(BPF_PROG_TYPE_XDP, "somebody_s", "GPL", pass, 2, NULL);
	if (program < 0) {
		print_message("a program needs CAP_BPF\n");
		skip();
	}
	assert_int_equal(bpf_xdp_attach((int)if_nametoindex("hf0"), program, XDP_FLAGS_DRV_MODE, NULL), 0);
	assert_int_equal(doctor_look_at("hf0", NOWHERE, &found, &error), 0);
	assert_int_not_equal(found.program, 0);
	assert_string_equal(found.program_name, "somebody_s");
	assert_false(found.program_ours);
	assert_int_equal(found.would, SHIELD_DETACHED);
	assert_true(found.would_known);
	close(program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_host_is_looked_at),
		cmocka_unit_test(what_is_not_there_is_said),
		cmocka_unit_test(loopback_is_known),
		cmocka_unit_test(veth_is_native_and_a_program_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
