/* SPDX-License-Identifier: Apache-2.0 */
/* How long, as people write it: "90s", "5m", "1h", "7d", or several in falling order, "1h30m". */
#ifndef HOLDFAST_BASE_DURATION_H
#define HOLDFAST_BASE_DURATION_H

#include <stdint.h>

#define DURATION_TEXT_SIZE 32

/* 0, or -EINVAL (also for a number without a unit), -ERANGE where it does not fit. */
int duration_parse(const char *text, int64_t *ns);
/* "1h30m", whole seconds, cut; "0s" where there is none or it is negative. Returns `text`. */
const char *duration_format(int64_t ns, char text[DURATION_TEXT_SIZE]);

#endif
