/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers post to the public role. The first octet says what: a form, Gatus' duration, browsers' reports. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "tell/gatus.h"
#include "tell/nel.h"
#include "tell/report_form.h"

static void take(void *context, const struct nel_report *report)
{
	unsigned *count = context;

	(*count)++;
	REQUIRE(report->weight && report->weight <= NEL_WEIGHT_MAX);
	REQUIRE(report->host[0] && strlen(report->host) < NEL_HOST_SIZE);
}

static void read_form(const char *octets, size_t length)
{
	struct report_form form;

	if (report_form_read(octets, length, &form) != 0)
		return;
	REQUIRE(component_id_ok(form.component) && region_ok(form.region));
	REQUIRE((unsigned)form.symptom < SYMPTOMS && length <= REPORT_FORM_MAX);
}

static void read_duration(const uint8_t *octets, size_t length)
{
	struct gatus_report report;
	char text[256];

	if (length >= sizeof(text))
		return;
	memcpy(text, octets, length);
	text[length] = '\0';
	if (gatus_read(GATUS_BEFORE "a" GATUS_BEHIND, "true", text, &report) == 0)
		REQUIRE(report.ms <= GATUS_DURATION_MAX_MS);
	(void)gatus_read(text, "true", NULL, &report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nel_counts counts;
	unsigned taken = 0;

	if (!size)
		return 0;
	if (data[0] == 'f') {
		read_form((const char *)data + 1, size - 1);
		return 0;
	}
	if (data[0] == 'g') {
		read_duration(data + 1, size - 1);
		return 0;
	}
	if (nel_read((const char *)data + 1, size - 1, take, &taken, &counts) == 0)
		REQUIRE(taken == counts.taken && taken <= NEL_REPORTS_MAX);
	return 0;
}
