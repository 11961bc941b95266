/* SPDX-License-Identifier: Apache-2.0 */
/* How an incident's number is written: on screens, in JSON, in the names of files. */
#ifndef HOLDFAST_DETECT_INCIDENT_ID_H
#define HOLDFAST_DETECT_INCIDENT_ID_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#define INCIDENT_ID_SIZE 17

/* "0123456789abcdef" */
static inline const char *incident_id_format(uint64_t id, char text[INCIDENT_ID_SIZE])
{
	(void)snprintf(text, INCIDENT_ID_SIZE, "%016" PRIx64, id);
	return text;
}

#endif
