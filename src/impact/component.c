/* SPDX-License-Identifier: Apache-2.0 */
#include "impact/component.h"

#include <string.h>

#include "impact/count.h"
#include "impact/outage.h"
#include "impact/words.h"

static const char *const statuses[COMPONENT_STATUSES + 1] = {
	[COMPONENT_OPERATIONAL] = "operational",       [COMPONENT_DEGRADED] = "degraded_performance",
	[COMPONENT_PARTIAL_OUTAGE] = "partial_outage", [COMPONENT_MAJOR_OUTAGE] = "major_outage",
	[COMPONENT_MAINTENANCE] = "under_maintenance",
};
static const char *const symptoms[SYMPTOMS + 1] = {
	[SYMPTOM_UNREACHABLE] = "cannot_reach", [SYMPTOM_ERROR_PAGE] = "error_page", [SYMPTOM_SLOW] = "slow",
	[SYMPTOM_LOGIN] = "cannot_log_in",      [SYMPTOM_OTHER] = "other",
};
static const char *const sources[REPORT_SOURCES + 1] = {
	[REPORT_FORM] = "form",
	[REPORT_NEL] = "nel",
	[REPORT_IMPORT] = "import",
	[REPORT_GATUS] = "gatus",
};
static const char *const kinds[SIGNAL_KINDS + 1] = {
	[SIGNAL_PROBE] = "probe",       [SIGNAL_EDGE_5XX] = "edge_5xx",
	[SIGNAL_LATENCY] = "latency",   [SIGNAL_CONNECTIONS] = "connections",
	[SIGNAL_NEL] = "nel",           [SIGNAL_CANARY] = "canary",
	[SIGNAL_FILTERED] = "filtered", [SIGNAL_HANDSHAKES] = "handshakes",
};
const char *const outage_basis_names[OUTAGE_BASES + 1] = {
	[OUTAGE_NOTHING_KNOWN] = "nothing",
	[OUTAGE_HOURS_KNOWN] = "hours",
	[OUTAGE_DAYS_KNOWN] = "days",
	[OUTAGE_WEEKS_KNOWN] = "weeks",
};
const char *const outage_place_kind_names[OUTAGE_PLACE_KINDS + 1] = {
	[OUTAGE_COUNTRY] = "country",
	[OUTAGE_REGION] = "region",
	[OUTAGE_NETWORK] = "network",
};

bool words_find(const char *const *words, unsigned count, const char *word, unsigned *which)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(words[i], word) == 0) {
			*which = i;
			return true;
		}
	}
	return false;
}

WORDS(component_status, enum component_status, statuses)
WORDS(symptom, enum symptom, symptoms)
WORDS(report_source, enum report_source, sources)
WORDS(signal_kind, enum signal_kind, kinds)
WORDS(outage_basis, enum outage_basis, outage_basis_names)
WORDS(outage_place_kind, enum outage_place_kind, outage_place_kind_names)

static bool upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

bool component_id_ok(const char *id)
{
	size_t length = strlen(id);

	return length >= 1 && length < COMPONENT_ID_SIZE &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

bool region_ok(const char *region)
{
	size_t length = strlen(region);

	if (length == 0)
		return true;
	if (length < 2 || length >= REGION_SIZE || !upper(region[0]) || !upper(region[1]))
		return false;
	if (length == 2)
		return true;
	if (region[2] != '-' || length < 4 || length > 6)
		return false;
	for (const char *c = region + 3; *c; c++)
		if (!upper(*c) && !digit(*c))
			return false;
	return true;
}
