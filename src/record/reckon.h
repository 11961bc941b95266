/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what was counted to outages on record: the counts of a record are gone through once, component by component, by
 * the detectors of impact; what explains an outage is found among archived incidents and events; what is new, or is
 * known better now, is added to the record. The same record and archive give the same outages, whenever that is done.
 */
#ifndef HOLDFAST_RECORD_RECKON_H
#define HOLDFAST_RECORD_RECKON_H

#include <stdint.h>

#include "impact/belief.h"
#include "impact/cause.h"
#include "impact/component.h"
#include "impact/outage.h"
#include "record/ledger.h"

/* What is known of a component, as of its last bucket. */
struct reckon_component {
	char id[COMPONENT_ID_SIZE];
	int64_t first_ns, last_ns; /* buckets with reports */
	uint64_t reports;
	enum outage_basis basis;
	uint32_t usual_milli; /* reports in a bucket, thousandths; 0 where nothing is known */
	uint32_t outages;
	/* As of the outage that lasts; outage 0: there is none. */
	uint64_t outage;  /* its number */
	int64_t began_ns; /* when it did */
	enum component_status status;
	enum belief_word word;
	enum cause cause; /* of more than half of it */
};

struct reckon_result {
	uint32_t outages, added; /* found; of them new or changed on record */
	uint32_t components_count, components_refused;
	uint32_t places_refused;
	struct reckon_component components[COMPONENTS_MAX];
};

/*
 * `folder`: where incidents are archived; NULL: none are asked. `now_ns`: nothing is looked at of buckets that are not
 * over by then. 0 or -errno.
 */
int reckon(struct ledger *ledger, const char *folder, int64_t now_ns, struct reckon_result *result,
           struct record_error *error);

struct reckoner; /* opaque: how far it has been gone through */

/*
 * The same, again and again: each time only what came since is gone through, with the same outcome. `added`,
 * `places_refused` are of this time. An outage that is long over is told anew once a day, when all is gone through.
 * -ENOMEM.
 */
int reckoner_new(struct reckoner **reckoner);
void reckoner_free(struct reckoner *reckoner);
/*
 * A count was added to a bucket that had been over: the next time all is gone through. Imports are seen by themselves.
 */
void reckoner_forget(struct reckoner *reckoner);
int reckoner_run(struct reckoner *reckoner, struct ledger *ledger, const char *folder, int64_t now_ns,
                 struct reckon_result *result, struct record_error *error);

/* What signals alone say of a component in buckets of [from_ns, to_ns), against those of a week before. 0 or -errno. */
int reckon_signals(struct ledger *ledger, const char *component, int64_t from_ns, int64_t to_ns, struct belief *belief,
                   struct record_error *error);
/* The same with `count` probes, as they see it at this moment (impact/present.h), instead of those of the buckets. */
int reckon_present(struct ledger *ledger, const char *component, int64_t from_ns, int64_t to_ns,
                   const struct belief_probe *probes, uint32_t count, struct belief *belief,
                   struct record_error *error);

#endif
