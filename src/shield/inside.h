/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the shield share, and nobody else sees. */
#ifndef HOLDFAST_SHIELD_INSIDE_H
#define HOLDFAST_SHIELD_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/shield.h"
#include "shield/maps.h"
#include "shield/shield.h"

#define PIN_PATH_SIZE 512
#define NEXT_DIR "next"
#define LINK_PREFIX "link_"
#define CLOCK_PIN "clock"

/*
 * A struct of options for libbpf, zero to its end: libbpf refuses one whose padding is not, and an initializer leaves
 * that as the stack was.
 */
#define OPTIONS_BEGIN(options) (memset(&(options), 0, sizeof(options)), (options).sz = sizeof(options))

struct shield_bpf;

/* What the pinned maps said of their mode, whatever their layout. */
struct shield_before {
	__u32 mode;
	__u64 enforce_until;
};

struct shield {
	enum shield_origin origin;
	char dir[PIN_PATH_SIZE];     /* bpffs_dir */
	char pins[PIN_PATH_SIZE];    /* where the maps are pinned now */
	struct shield_bpf *programs; /* NULL: opened by its pins alone */
	int clock_fd;
	int dir_fd; /* locked as long as programs are loaded */
	struct shield_maps maps;
	struct shield_config *config;     /* shared with the kernel */
	struct shield_ruleset *set;       /* where the next table of rules is put together */
	int64_t retired[SHIELD_RULESETS]; /* CLOCK_MONOTONIC when a table went out of force; 0: never was in it */
	struct shield_pace pace;
	struct shield_before before;
	bool generic;
};

/* Fill *error; shield_fail() returns `code`. */
__attribute__((format(printf, 3, 4))) int shield_fail(struct shield_error *error, int code, const char *format, ...);
__attribute__((format(printf, 2, 3))) void shield_advise(struct shield_error *error, const char *format, ...);

#define SHIELD_CPUS_MAX 8192 /* what Linux can be built for */

/* A store that the kernel sees whole, and behind all that were made before it. */
#define PUBLISH(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)

/* ---- pins.c ---- */

/* dir/name: 0 or -ENAMETOOLONG. */
int pin_path(char path[PIN_PATH_SIZE], const char *dir, const char *name);
/*
 * Calls `each` with path and name of everything in a directory until it returns not 0; one that is not there is empty.
 */
int pin_each(const char *dir, int (*each)(const char *path, const char *name, void *context), void *context);

/* Whether a folder of pins can be there. */
enum pin_place {
	PIN_NO_PATH,   /* not absolute, or too long */
	PIN_MOUNTED,   /* it is in a bpf file system, or would be */
	PIN_USUAL,     /* it would be at the usual place of one, which is mounted when it is made */
	PIN_ELSEWHERE, /* there is no bpf file system */
};
enum pin_place pin_place_of(const char *dir);
/* Makes it where it is not there. */
int pin_make_dir(const char *dir, struct shield_error *error);
/*
 * The folder as a descriptor, to hold as long as the shield is open: two that write the same maps would undo each
 * other's rules (-EBUSY). Where the bpf file system is mounted for everybody, who makes the folder first owns it, and
 * could put other maps in the pins' place: -EPERM.
 */
int pin_hold_dir(const char *dir, int *held, struct shield_error *error);
/*
 * What the pinned config says of its layout: 0 where nothing is pinned, -EBADMSG where that cannot be told; and in
 * *before of its mode, which is at the same place in all layouts.
 */
int pin_layout(const char *dir, struct shield_before *before);

/* CLOCK_MONOTONIC, which the kernel's programs read, too. */
int64_t shield_monotonic_ns(void);

#endif
