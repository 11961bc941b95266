/* SPDX-License-Identifier: Apache-2.0 */
/* Standard output as a sheet of paper: how wide, whether it has colours, whether it knows more than ASCII. */
#ifndef HOLDFAST_CLI_SCREEN_H
#define HOLDFAST_CLI_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "tell/paper.h"

/* `width` 0: that of the terminal; it is brought into the bounds of tell/analysis.h. Colours only on a terminal. */
struct paper screen_paper(uint64_t width, bool no_color);

/* What an environment variable says; NULL where it is not set or empty. */
const char *screen_environment(const char *variable);

#endif
