/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An outage as the reports of users measure it: when it began, was worst, ended; its waves; where it was. That is a
 * measurement, and says nothing of whether the service was down: belief.h does.
 *
 * Times are nanoseconds since the Unix epoch and ends of buckets (count.h): "began" is the beginning of the first
 * bucket, "ended" the end of the last. Counts are of reports that were accepted.
 */
#ifndef HOLDFAST_IMPACT_OUTAGE_H
#define HOLDFAST_IMPACT_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "impact/component.h"

#define OUTAGE_WAVES_MAX 32
#define OUTAGE_PLACES_MAX 16
#define OUTAGE_PRONOUNCED_NS (1800 * NS_PER_S) /* what is most pronounced is rounded out to this */

/* What is usual is known how well. */
enum outage_basis {
	OUTAGE_NOTHING_KNOWN, /* too little has been counted: no alarm is possible yet */
	OUTAGE_HOURS_KNOWN,   /* the hours before: EARS C2 of quarters of an hour */
	OUTAGE_DAYS_KNOWN,    /* the days before at that hour: EARS C2 of days */
	OUTAGE_WEEKS_KNOWN,   /* four weeks and more: each hour of the week */
	OUTAGE_BASES
};

struct outage_wave {
	int64_t began_ns, peak_began_ns, peak_ended_ns;
	int64_t ended_ns; /* 0: it lasts */
	uint64_t reports, excess;
};

enum outage_place_kind { OUTAGE_COUNTRY, OUTAGE_REGION, OUTAGE_NETWORK, OUTAGE_PLACE_KINDS };

/* Where there were more reports than elsewhere, by a scan statistic; or, where it is everywhere, the largest. */
struct outage_place {
	enum outage_place_kind kind;
	char region[REGION_SIZE]; /* country or region; of a network "" */
	uint32_t network;
	int64_t from_ns, to_ns; /* the window, 5 to 120 minutes, in which it stands out most */
	uint64_t reports, expected_milli;
	uint32_t score_milli; /* log-likelihood ratio, thousandths */
};

struct outage {
	char component[COMPONENT_ID_SIZE];
	int64_t began_ns;                     /* the last bucket in which nothing had accumulated, and what follows */
	int64_t alarm_ns;                     /* when it was known */
	int64_t peak_began_ns, peak_ended_ns; /* the quarter of an hour with most reports */
	int64_t pronounced_from_ns,
		pronounced_to_ns;       /* the shortest time with 80 % of the excess, rounded out to half hours */
	int64_t ended_ns;               /* 0: it lasts */
	uint64_t reports, peak_reports; /* in all; in that quarter of an hour */
	uint64_t excess;                /* of them, more than is usual */
	uint64_t symptoms[SYMPTOMS];
	uint64_t raw, shielded; /* of all that came: those left out because the shield was dropping their source */
	enum outage_basis basis;
	uint32_t waves_count, waves_joined; /* joined: more than OUTAGE_WAVES_MAX, which are part of the last */
	struct outage_wave waves[OUTAGE_WAVES_MAX];
	bool global; /* 60 % of the regions that report at all have more than three times as many as usual */
	uint32_t regions_up, regions; /* how many have; of how many */
	uint32_t places_count;
	struct outage_place places[OUTAGE_PLACES_MAX]; /* the most likely first */
};

/* By value, NULL behind the last. */
extern const char *const outage_basis_names[OUTAGE_BASES + 1];
extern const char *const outage_place_kind_names[OUTAGE_PLACE_KINDS + 1];
/* "nothing", "hours", "days", "weeks": stable words. */
const char *outage_basis_name(enum outage_basis value);
bool outage_basis_find(const char *word, enum outage_basis *value);
/* "country", "region", "network". */
const char *outage_place_kind_name(enum outage_place_kind value);
bool outage_place_kind_find(const char *word, enum outage_place_kind *value);

#endif
