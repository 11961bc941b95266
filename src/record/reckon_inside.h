/* SPDX-License-Identifier: Apache-2.0 */
/* What reckon.c, which goes through the counts, and reckon_outage.c, which says all of one outage, share. */
#ifndef HOLDFAST_RECORD_RECKON_INSIDE_H
#define HOLDFAST_RECORD_RECKON_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "impact/cause.h"
#include "impact/outage.h"
#include "impact/surge.h"
#include "record/reckon.h"

#define FOUND_MAX 4096 /* outages of a record */

struct stream {
	struct surge *surge;
	int64_t bucket; /* that is being summed up */
	uint64_t count;
};

struct found {
	struct outage outage;
	uint32_t buckets;
	uint64_t *excess_milli; /* NULL, and so the other: it is over, and told for the last time */
	uint32_t *expected_milli;
	bool lasting;    /* as of the last bucket: it may go on */
	uint64_t number; /* on record; 0: not told yet */
};

/* On record. */
struct known {
	uint64_t number;
	char component[COMPONENT_ID_SIZE];
	int64_t began_ns, ended_ns;
	bool taken;
};

struct reckoner {
	/* Of one time that it is done. */
	struct ledger *ledger;
	struct record_error *error;
	struct reckon_result *result;
	int64_t now_ns;
	/* Kept to the next time. */
	bool warm;         /* there was one before, and its streams stand at end_ns */
	bool fresh;        /* they stand there because counting goes on (FRESH_NS) */
	int64_t end_ns;    /* the end of the last bucket that was looked at */
	int64_t whole_ns;  /* when all was gone through; wall time */
	int64_t imports;   /* files that had been put in */
	int64_t latest_ns; /* the last bucket with reports */
	struct reckon_result standing;
	struct stream streams[COMPONENTS_MAX];
	struct found *found;
	uint32_t found_count, last_component;
	/* Likewise of one time. */
	struct known *known;
	size_t known_count;
	struct cause_era *attacks, *events;
	size_t attacks_count, events_count;
};

/* Where the component stands; components_count: it is none of them. */
uint32_t reckon_component_at(struct reckoner *r, const char *id);
/* Puts on record what is known of an outage; its number, and how its component stands by it. */
int reckon_tell(struct reckoner *r, struct found *found);

#endif
