/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of access logs: the first octet says in which format they are read, and what is read counts. Times, states and
 * sizes are within their bounds, and no answer is lost between a line and its bucket.
 */
#include <errno.h>
#include <string.h>

#include "harness.h"
#include "impact/access_count.h"
#include "tell/access_json.h"

static uint64_t answers;

static int take(void *context, const struct access_bucket *bucket)
{
	struct signal_count signals[2];
	unsigned count = access_bucket_signals(bucket, "site", signals);

	(void)context;
	REQUIRE(bucket->bucket_ns >= 0 && bucket->bucket_ns % COUNT_BUCKET_NS == 0);
	REQUIRE(bucket->bad <= bucket->answers && bucket->timed <= bucket->answers);
	REQUIRE(count <= 2);
	answers += bucket->answers + bucket->unanswered;
	return 0;
}

static void check(const struct access_entry *entry)
{
	REQUIRE(entry->time_ns >= 0);
	REQUIRE(entry->status <= 999);
	REQUIRE(entry->bytes >= ACCESS_UNKNOWN);
	REQUIRE(entry->duration_us >= ACCESS_UNKNOWN && entry->duration_us < ACCESS_DURATION_MAX_US);
	REQUIRE(memchr(entry->method, '\0', sizeof(entry->method)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct access_count count;
	struct access_log log = { .format = size > 0 ? (enum access_format)(data[0] % ACCESS_FORMATS) : ACCESS_AUTO };
	const char *at = (const char *)data + (size > 0), *end = (const char *)data + size;
	uint64_t read = 0;

	answers = 0;
	access_count_init(&count, NULL, 0, take, NULL);
	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		size_t length = line_end ? (size_t)(line_end - at) : (size_t)(end - at);
		struct access_entry entry;
		const char *why = NULL;
		int result = access_line_read(&log, at, length, &entry, &why);

		REQUIRE(result == 0 || result == -ENODATA || (result == -EBADMSG && why));
		if (result == 0) {
			check(&entry);
			REQUIRE(access_count_add(&count, &entry) == 0);
			read++;
		}
		at += length + 1;
	}
	REQUIRE(access_count_end(&count, INT64_MAX) == 0);
	REQUIRE(answers == read);
	return 0;
}
