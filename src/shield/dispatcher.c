/* SPDX-License-Identifier: Apache-2.0 */
#include "shield/dispatcher.h"

#include <errno.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <shield.skel.h>
#include <xdp/libxdp.h>

#define OURS "shield_xdp"
#define SECTION "xdp.frags"
#define OLDER_MAX 8 /* of ours on one interface: more than one only where somebody was killed in between */

static int quiet(enum libxdp_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

/* The programs that are attached, by a dispatcher; NULL where there is none. */
static struct xdp_multiprog *dispatched(unsigned ifindex)
{
	struct xdp_multiprog *all;

	(void)libxdp_set_print(quiet);
	all = xdp_multiprog__get_from_ifindex((int)ifindex);
	if (libxdp_get_error(all))
		return NULL;
	if (xdp_multiprog__is_legacy(all)) {
		xdp_multiprog__close(all);
		return NULL;
	}
	return all;
}

/* Up to OLDER_MAX of the shield's; they belong to `all`. */
static unsigned ours(const struct xdp_multiprog *all, struct xdp_program *found[OLDER_MAX])
{
	struct xdp_program *program = NULL;
	unsigned count = 0;

	while (count < OLDER_MAX && (program = xdp_multiprog__next_prog(program, all)))
		if (strcmp(xdp_program__name(program), OURS) == 0)
			found[count++] = program;
	return count;
}

bool dispatcher_is_there(unsigned ifindex)
{
	struct xdp_multiprog *all = dispatched(ifindex);

	if (!all)
		return false;
	xdp_multiprog__close(all);
	return true;
}

bool dispatcher_runs_ours(unsigned ifindex)
{
	struct xdp_multiprog *all = dispatched(ifindex);
	struct xdp_program *found[OLDER_MAX];
	bool runs;

	if (!all)
		return false;
	runs = ours(all, found) > 0;
	xdp_multiprog__close(all);
	return runs;
}

static unsigned detach(const struct xdp_multiprog *all, unsigned ifindex, struct xdp_program *programs[],
                       unsigned count)
{
	unsigned detached = 0;

	for (unsigned i = 0; i < count; i++)
		if (xdp_program__detach(programs[i], (int)ifindex, xdp_multiprog__attach_mode(all), 0) == 0)
			detached++;
	return detached;
}

unsigned dispatcher_detach(unsigned ifindex)
{
	struct xdp_multiprog *all = dispatched(ifindex);
	struct xdp_program *found[OLDER_MAX];
	unsigned detached;

	if (!all)
		return 0;
	detached = detach(all, ifindex, found, ours(all, found));
	xdp_multiprog__close(all);
	return detached;
}

/* The same programs once more, not yet loaded, over the shield's maps. */
static struct shield_bpf *copy_programs(const struct shield *shield)
{
	struct shield_bpf *copy = shield_bpf__open();
	int result = copy ? 0 : -errno;

	for (unsigned i = 0; i < SHIELD_MAPS && !result; i++)
		result = bpf_map__reuse_fd(bpf_object__find_map_by_name(copy->obj, shield_map_name((enum shield_map)i)),
		                           shield->maps.fd[i]);
	if (result) {
		shield_bpf__destroy(copy);
		errno = -result;
		return NULL;
	}
	return copy;
}

int dispatcher_attach(const struct shield *shield, unsigned ifindex)
{
	struct xdp_multiprog *all = dispatched(ifindex);
	struct xdp_program *older[OLDER_MAX], *program;
	struct shield_bpf *copy;
	unsigned count;
	int result;

	if (!all)
		return -ENOENT;
	copy = copy_programs(shield);
	if (!copy) {
		result = -errno;
		goto close_all;
	}
	program = xdp_program__from_bpf_obj(copy->obj, SECTION);
	result = (int)libxdp_get_error(program);
	if (result)
		goto destroy_copy;
	count = ours(all, older);
	result = xdp_program__attach(program, (int)ifindex, xdp_multiprog__attach_mode(all), 0);
	if (!result)
		(void)detach(all, ifindex, older, count);
	xdp_program__close(program); /* what is attached stays */
destroy_copy:
	shield_bpf__destroy(copy);
close_all:
	xdp_multiprog__close(all);
	return result;
}
