/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be said of one incident, now that the input has ended: what its packets show, and which rules would have
 * stopped them at what cost.
 */
#ifndef HOLDFAST_ENGINE_FINDING_H
#define HOLDFAST_ENGINE_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "defend/passage.h"
#include "defend/signature.h"
#include "detect/incident.h"
#include "trace/spoofing.h"

#define FINDING_FAMILIES_MAX 24
#define FINDING_PORTS_MAX 8

struct finding_family {
	const char *name;
	const char *mark;
	uint64_t packets; /* estimated from the incident's sample, exact while that holds every packet */
};

/* What is to be said of one incident. */
struct finding {
	const struct incident *incident;
	struct window *total;       /* all vectors together; without its sample; NULL where only rules were asked for */
	uint64_t sources;           /* different addresses */
	uint64_t networks;          /* that these are in: /24, IPv6 /48 */
	uint32_t sources_error_ppm; /* of `sources`, and 0: as in struct incident_sources */
	uint64_t destinations;
	uint32_t ports_count; /* destination ports that hold at least a twentieth each; none where ports are spread */
	uint16_t ports[FINDING_PORTS_MAX];
	uint32_t families_count;
	struct finding_family families[FINDING_FAMILIES_MAX];
	struct spoofing spoofing;
	struct signature_set signatures;
	struct passage passage; /* what these would have let pass over incident->timeline; of a scan nothing is known */
	const char *advice;     /* what helps where no rule is safe or none is enough; NULL where rules are */
	bool carpet, pulse, burst, multi_vector;
	bool both_directions; /* packets from the target were seen too: what it asked for would be known */
};

/* What was there beside the incident. */
struct finding_context {
	const struct sample *normal; /* packets of no incident, settled */
	struct capture_time first, last;
	uint64_t learned_seconds; /* that `normal` spans besides */
	/* What rules are sought for, and beside how much; NULL and 0: all there is. See struct engine_search. */
	const struct observation *const *attack;
	uint32_t attack_count;
	uint32_t attack_max, normal_max;
	bool young, rules_only;
};

/* Whether a packet to an incident's scope came while it lasted, or so near that it is neither attack nor peace. */
bool finding_is_of_incident(const struct incident *incident, const struct observation *observation);
/* 0 or -ENOMEM; finding_fini() is due either way. The incident must outlive the finding. */
int finding_make(struct finding *finding, const struct incident *incident, const struct finding_context *context);
void finding_fini(struct finding *finding);

#endif
