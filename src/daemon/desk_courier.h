/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process of the desk's that publishes the page, or delivers to subscribers, so that the desk waits for no disk,
 * rsync, ssh or server: it runs `holdfast page publish`, or `holdfast subscription deliver`, with the configuration in
 * force, by the same program. It is made before the desk gives up what that takes (another program's beginning, the
 * files of ssh), is of the same user, and ends with the desk, with all that it has begun.
 */
#ifndef HOLDFAST_DAEMON_DESK_COURIER_H
#define HOLDFAST_DAEMON_DESK_COURIER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

#define DESK_COURIER_NS (600 * NS_PER_S) /* that one publication may take, with all its targets */
#define DESK_COURIER_WHAT_SIZE 256

enum desk_errand { DESK_PUBLISHES, DESK_DELIVERS };

struct desk_courier_result {
	int32_t result;                    /* 0, or -errno */
	char what[DESK_COURIER_WHAT_SIZE]; /* what was said last; "" */
};

/*
 * Begins it: *channel is the desk's end, at which a struct desk_courier_result comes after each publication. `config`
 * and `key` are descriptors that anybody may open again; key -1: the configuration's. 0 or -errno.
 */
int desk_courier_begin(enum desk_errand errand, int config, int key, int *channel);
/* Asks for a publication. 0; -EAGAIN: it has one before it. */
int desk_courier_ask(int channel);
/* What came of one. False: nothing yet. *gone: nothing more will come. */
bool desk_courier_answer(int channel, struct desk_courier_result *result, bool *gone);

#endif
