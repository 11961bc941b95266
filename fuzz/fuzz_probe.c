/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What strangers say to a probe, or as one: a report that is read holds its bounds and is the same when it is written
 * and read again; a target that is one (a server names one where it redirects to) is the same by the URL that is made
 * of it; what a certificate says of its end is a time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "impact/probe.h"
#include "tell/probe_report.h"

static void read_report(const char *text, size_t length)
{
	static struct probe_report report, again;
	char *written = NULL;
	size_t size = 0;
	int result = probe_report_read(text, length, &report);

	REQUIRE(result == 0 || result == -EBADMSG);
	if (result != 0)
		return;
	REQUIRE(report.count > 0 && report.count <= PROBE_REPORT_SIGNALS_MAX);
	for (uint32_t i = 0; i < report.count; i++) {
		REQUIRE(component_id_ok(report.signals[i].component));
		REQUIRE(report.signals[i].bucket_ns >= 0 && report.signals[i].bucket_ns % COUNT_BUCKET_NS == 0);
		REQUIRE(report.signals[i].kind == SIGNAL_PROBE || report.signals[i].kind == SIGNAL_CANARY);
	}
	REQUIRE(probe_report_write(&report, &written, &size) == 0);
	REQUIRE(size > PROBE_REPORT_SIZE_MAX || probe_report_read(written, size, &again) == 0);
	REQUIRE(size > PROBE_REPORT_SIZE_MAX || memcmp(&report, &again, sizeof(report)) == 0);
	free(written);
}

static void read_target(const char *text)
{
	struct probe_target target, again;
	char url[PROBE_URL_SIZE];
	const char *what = NULL;
	int64_t s;

	if (probe_target_parse(text, &target, &what) != 0) {
		REQUIRE(what && *what);
	} else if (target.type == PROBE_HTTP) {
		(void)probe_target_url(&target, url);
		if (strlen(url) < PROBE_TARGET_SIZE) {
			REQUIRE(probe_target_parse(url, &again, &what) == 0);
			REQUIRE(strcmp(again.host, target.host) == 0 && again.port == target.port &&
			        again.tls == target.tls && strcmp(again.path, target.path) == 0);
		}
	}
	(void)probe_certificate_time(text, &s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	REQUIRE(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	read_report(text, size);
	read_target(text);
	free(text);
	return 0;
}
