/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Databases of countries and networks, as `geo` of the configuration names them, for roles: read whole while a role
 * begins, before it confines itself, and anew when it is begun anew. What they say of an address is one place, or none.
 */
#ifndef HOLDFAST_DAEMON_PLACES_H
#define HOLDFAST_DAEMON_PLACES_H

#include "impact/component.h"
#include "trace/geo.h"

struct place {
	char region[REGION_SIZE]; /* a country ("FR"); "": not known, or databases disagree */
	uint32_t network;         /* AS number; 0: not known */
};

/* What is in the folder, for the caller to close; NULL: none is there ("": off). What is wrong is logged. */
struct geo *places_open(const char *folder);
/* The country is the one that most databases say, if one is. `geo` NULL: nothing is known. */
struct place places_find(const struct geo *geo, const struct address *address);

#endif
