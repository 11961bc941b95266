/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The picture of attack, defence and harm (tell/picture.h), filled with what is on record and in the archive of
 * incidents.
 */
#ifndef HOLDFAST_CLI_JOINED_H
#define HOLDFAST_CLI_JOINED_H

#include <stdint.h>

#include "record/ledger.h"
#include "tell/picture.h"

/* What it is made from; both are borrowed. */
struct joined_source {
	struct ledger *ledger;
	const char *folder; /* of incidents; NULL: none are asked */
	int64_t now_ns;     /* ends what lasts */
};

/*
 * Around [from_ns, to_ns), and around the outages that overlap it or go with the incident of that number (0: none). The
 * picture is the caller's, by free(). 0 or -errno.
 */
int joined_make(const struct joined_source *source, int64_t from_ns, int64_t to_ns, uint64_t incident,
                struct picture **picture, struct record_error *error);

#endif
