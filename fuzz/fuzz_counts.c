/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts of reports as CSV and as JSON: whatever is read is a count that the record takes, mistakes are within the
 * text, and their lines go up.
 */
#include <errno.h>
#include <string.h>

#include "harness.h"
#include "tell/report_json.h"

struct seen {
	const char *octets;
	size_t length;
	uint64_t line;
};

static int take(void *context, const struct report_count *count)
{
	(void)context;
	REQUIRE(count->bucket_ns >= 0 && count->bucket_ns <= REPORT_TEXT_TIME_MAX &&
	        count->bucket_ns % COUNT_BUCKET_NS == 0);
	REQUIRE(component_id_ok(count->component) && region_ok(count->region));
	REQUIRE(count->symptom < SYMPTOMS && count->source < REPORT_SOURCES);
	REQUIRE(count->raw <= REPORT_TEXT_COUNT_MAX && (uint64_t)count->accepted + count->shielded <= count->raw);
	return 0;
}

static void mind(void *context, uint64_t line, const char *what, const char *text, size_t length)
{
	struct seen *seen = context;

	REQUIRE(line >= seen->line && line >= 1);
	REQUIRE(what[0] != '\0');
	REQUIRE(length == 0 || (text >= seen->octets && text + length <= seen->octets + seen->length));
	seen->line = line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct report_count preset = { .component = "site",
		                                    .symptom = SYMPTOM_OTHER,
		                                    .source = REPORT_IMPORT };
	struct seen seen = { (const char *)data, size, 0 };
	const struct report_sink sink = { take, mind, &seen };
	int result = report_text_read(seen.octets, size, &preset, &sink);

	REQUIRE(result == 0 || result == -EBADMSG);
	seen.line = 0;
	result = report_json_read(seen.octets, size, &preset, &sink);
	REQUIRE(result == 0 || result == -EBADMSG);
	return 0;
}
