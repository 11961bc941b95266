/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the shield comes to interfaces and goes from them: in a network namespace of the test's own, with a folder of its
 * own in the bpf file system. Skipped where programs may not be loaded.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "shield/inside.h"
#include "shield/shield.h"

static struct {
	char dir[64];
	bool can;
} the;

static void command(const char *text)
{
	if (system(text) != 0) /* NOLINT(cert-env33-c): of this file's own words */
		fail_msg("%s", text);
}

static int opened(void **state)
{
	(void)state;
	(void)snprintf(the.dir, sizeof(the.dir), "/sys/fs/bpf/hf-attach-%d", (int)getpid());
	the.can = geteuid() == 0 && unshare(CLONE_NEWNET) == 0;
	return 0;
}

static int try_open(struct shield **shield, struct shield_error *error)
{
	const struct shield_options options = { .bpffs_dir = the.dir,
		                                .block_capacity = SHIELD_BLOCK_CAPACITY_MIN,
		                                .generic = true };

	return shield_open(&options, shield, error);
}

static struct shield *open_shield(void)
{
	struct shield_error error;
	struct shield *shield;

	if (try_open(&shield, &error) != 0)
		fail_msg("%s", error.message);
	return shield;
}

static void attach(struct shield *shield, const char *interface)
{
	struct shield_error error;
	enum shield_hook hook;

	if (shield_attach(shield, interface, &hook, &error) != 0)
		fail_msg("%s", error.message);
	assert_true(hook != SHIELD_DETACHED);
}

static unsigned listed(const struct shield *shield, struct shield_interface interfaces[SHIELD_INTERFACES_MAX])
{
	unsigned count;

	assert_int_equal(shield_interfaces(shield, interfaces, &count), 0);
	return count;
}

static void take_away(struct shield *shield)
{
	struct shield_error error;
	unsigned removed;

	shield_close(shield);
	if (shield_remove(the.dir, &removed, &error) != 0)
		fail_msg("%s", error.message);
}

static bool has_program(const char *interface)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "ip link show dev %s | grep -q xdp", interface);
	return system(text) == 0; /* NOLINT(cert-env33-c): as above */
}

#define NEED_RIGHTS             \
	do {                    \
		(void)state;    \
		if (!the.can)   \
			skip(); \
	} while (0)

static void an_interface_with_a_dot_in_its_name(void **state)
{
	struct shield_interface interfaces[SHIELD_INTERFACES_MAX];
	struct shield_error error;
	struct shield *shield;

	NEED_RIGHTS;
	command("ip link add up0.100 type veth peer name far0");
	shield = open_shield();
	attach(shield, "up0.100");
	assert_int_equal(listed(shield, interfaces), 1);
	assert_string_equal(interfaces[0].name, "up0.100");
	shield_close(shield);
	shield = open_shield();
	assert_int_equal(shield_origin(shield), SHIELD_TAKEN_OVER);
	attach(shield, "up0.100");
	assert_int_equal(listed(shield, interfaces), 1);
	assert_int_equal(shield_detach(shield, "up0.100", &error), 0);
	assert_int_equal(listed(shield, interfaces), 0);
	assert_false(has_program("up0.100"));
	take_away(shield);
	command("ip link del up0.100");
}

static void an_interface_that_is_renamed(void **state)
{
	struct shield_interface interfaces[SHIELD_INTERFACES_MAX];
	struct shield_error error;
	struct shield *shield;

	NEED_RIGHTS;
	command("ip link add up0 type veth peer name up1");
	shield = open_shield();
	attach(shield, "up0");
	command("ip link set up0 name wan0");
	assert_int_equal(listed(shield, interfaces), 1);
	assert_string_equal(interfaces[0].name, "wan0");
	assert_int_equal(shield_detach(shield, "up0", &error), 0); /* nobody is called so */
	assert_true(has_program("wan0"));
	attach(shield, "wan0");
	assert_int_equal(listed(shield, interfaces), 1);
	/* Two that change names with each other. */
	attach(shield, "up1");
	command("ip link set wan0 name spare0 && ip link set up1 name wan0 && ip link set spare0 name up1");
	attach(shield, "wan0");
	attach(shield, "up1");
	assert_int_equal(listed(shield, interfaces), 2);
	assert_int_equal(shield_detach(shield, "wan0", &error), 0);
	assert_false(has_program("wan0"));
	assert_true(has_program("up1"));
	take_away(shield);
	assert_false(has_program("up1"));
	command("ip link del up1");
}

static void an_interface_without_ethernet(void **state)
{
	struct shield_error error;
	struct shield *shield;
	enum shield_hook hook;

	NEED_RIGHTS;
	if (access("/dev/net/tun", R_OK | W_OK) != 0)
		skip();
	command("ip tuntap add dev tun0 mode tun");
	shield = open_shield();
	assert_int_equal(shield_attach(shield, "tun0", &hook, &error), -EOPNOTSUPP);
	assert_false(has_program("tun0"));
	assert_int_equal(shield_attach(shield, "lo", &hook, &error), 0);
	take_away(shield);
	command("ip link del tun0");
}

static void what_others_have_put_there_stays(void **state)
{
	struct shield *shield;
	char path[128];

	NEED_RIGHTS;
	command("ip link add up0 type veth peer name far0");
	shield = open_shield();
	attach(shield, "up0");
	(void)snprintf(path, sizeof(path), "%s/others", the.dir);
	assert_int_equal(mkdir(path, 0700), 0);
	command("tc filter add dev up0 ingress pref 7 bpf bytecode '1,6 0 0 0'");
	take_away(shield);
	assert_false(has_program("up0"));
	command("tc filter show dev up0 ingress | grep -q bytecode");
	command("! tc filter show dev up0 egress | grep -q bpf");
	assert_int_equal(rmdir(path), 0);
	/* A queue that nobody else uses goes with the shield. */
	command("tc qdisc del dev up0 clsact");
	shield = open_shield();
	attach(shield, "up0");
	take_away(shield);
	command("! tc qdisc show dev up0 | grep -q clsact");
	assert_int_equal(access(the.dir, F_OK), -1);
	command("ip link del up0");
}

static void one_has_the_shield_open(void **state)
{
	struct shield *shield, *second;
	struct shield_error error;

	NEED_RIGHTS;
	shield = open_shield();
	assert_int_equal(try_open(&second, &error), -EBUSY);
	/* Who only reads it, or ends it, may. */
	assert_int_equal(shield_open_pinned(the.dir, &second, &error), 0);
	shield_close(second);
	shield_close(shield);
	take_away(open_shield());
}

static void a_folder_of_somebody_else_is_not_used(void **state)
{
	struct shield_error error;
	struct shield *shield;

	NEED_RIGHTS;
	assert_int_equal(mkdir(the.dir, 0700), 0);
	assert_int_equal(chown(the.dir, 1, 1), 0);
	assert_int_equal(try_open(&shield, &error), -EPERM);
	assert_int_equal(chown(the.dir, 0, 0), 0);
	assert_int_equal(chmod(the.dir, 0770), 0);
	assert_int_equal(try_open(&shield, &error), -EPERM);
	assert_int_equal(chmod(the.dir, 0700), 0);
	take_away(open_shield());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interface_with_a_dot_in_its_name),
		cmocka_unit_test(an_interface_that_is_renamed),
		cmocka_unit_test(an_interface_without_ethernet),
		cmocka_unit_test(what_others_have_put_there_stays),
		cmocka_unit_test(one_has_the_shield_open),
		cmocka_unit_test(a_folder_of_somebody_else_is_not_used),
	};

	return cmocka_run_group_tests(tests, opened, NULL);
}
