/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said of a service by its users: components, of which a status page has a row each; what a user meets; where
 * from. Words are stable: they stand in the record, in files and in JSON.
 */
#ifndef HOLDFAST_IMPACT_COMPONENT_H
#define HOLDFAST_IMPACT_COMPONENT_H

#include <stdbool.h>

#define COMPONENT_ID_SIZE 33 /* 1 to 32 of a-z, 0-9 and '-', NUL-terminated */
#define REGION_SIZE 8        /* ISO 3166-1 ("FR"), or 3166-2 ("FR-IDF"), or "": not known */
#define COMPONENTS_MAX 256

/* As Statuspage has them, from what concerns nobody to what concerns all; maintenance is apart. */
enum component_status {
	COMPONENT_OPERATIONAL,
	COMPONENT_DEGRADED,
	COMPONENT_PARTIAL_OUTAGE,
	COMPONENT_MAJOR_OUTAGE,
	COMPONENT_MAINTENANCE,
	COMPONENT_STATUSES
};

enum symptom { SYMPTOM_UNREACHABLE, SYMPTOM_ERROR_PAGE, SYMPTOM_SLOW, SYMPTOM_LOGIN, SYMPTOM_OTHER, SYMPTOMS };

/* Who counted. */
enum report_source { REPORT_FORM, REPORT_NEL, REPORT_IMPORT, REPORT_GATUS, REPORT_SOURCES };

/* "operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance". */
const char *component_status_name(enum component_status value);
bool component_status_find(const char *word, enum component_status *value);
/* "cannot_reach", "error_page", "slow", "cannot_log_in", "other". */
const char *symptom_name(enum symptom value);
bool symptom_find(const char *word, enum symptom *value);
/* "form", "nel", "import", "gatus". */
const char *report_source_name(enum report_source value);
bool report_source_find(const char *word, enum report_source *value);

bool component_id_ok(const char *id);
/* Of the form of a country's or a part's code; whether there is such a place is not known here. "" is good. */
bool region_ok(const char *region);

#endif
