/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Gatus, and whoever writes to its external endpoints, says of an endpoint: POST
 * /api/v1/endpoints/KEY/external?success=…
 */
#ifndef HOLDFAST_TELL_GATUS_H
#define HOLDFAST_TELL_GATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "impact/component.h"

#define GATUS_BEFORE "/api/v1/endpoints/"
#define GATUS_BEHIND "/external"
#define GATUS_DURATION_MAX_MS 3600000

struct gatus_report {
	char component[COMPONENT_ID_SIZE]; /* the key; Gatus' '_' between group and name is '-' here */
	bool success;
	uint32_t ms; /* 0: not said */
};

/*
 * `path` is whole; `duration` is as Go writes it ("1.5s", "1m2s", "250ms"), or NULL. 0; -ENOENT: the path is none of
 * these, or its key no component's; -EINVAL: success is neither "true" nor "false", or the duration is none.
 */
int gatus_read(const char *path, const char *success, const char *duration, struct gatus_report *report);

#endif
