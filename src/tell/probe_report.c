/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/probe_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/time.h"
#include "tell/build.h"

#define SCHEMA "holdfast.probe/1"
#define COUNT_MAX 1000000
#define TIMESTAMP_SIZE 24
#define HEXADECIMAL "0123456789abcdef"

int probe_report_write(const struct probe_report *report, char **text, size_t *length)
{
	struct build b = { .failed = false };
	json_t *root = json_object(), *signals = json_array();
	char *made;

	build_set(&b, root, "schema", json_string(SCHEMA));
	build_set(&b, root, "id", json_string(report->id));
	build_set(&b, root, "vantage", json_string(report->vantage));
	for (uint32_t i = 0; i < report->count && i < PROBE_REPORT_SIGNALS_MAX; i++) {
		const struct signal_count *signal = &report->signals[i];
		json_t *row = json_object();

		build_set(&b, row, "bucket", build_time(signal->bucket_ns));
		build_set(&b, row, "component", json_string(signal->component));
		build_set(&b, row, "kind", json_string(signal_kind_name(signal->kind)));
		build_set(&b, row, "good", build_integer(signal->good));
		build_set(&b, row, "bad", build_integer(signal->bad));
		build_set(&b, row, "value", build_integer(signal->value));
		build_append(&b, signals, row);
	}
	build_set(&b, root, "signals", signals);
	made = b.failed ? NULL : json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (!made)
		return -ENOMEM;
	*length = strlen(made);
	*text = made;
	return 0;
}

/* A member that is a text of 1 to `size` - 1 octets without a zero in it. */
static bool take_text(const json_t *object, const char *name, char *text, size_t size)
{
	const json_t *value = json_object_get(object, name);
	size_t length = json_string_length(value);

	if (!json_is_string(value) || length == 0 || length >= size || strlen(json_string_value(value)) != length)
		return false;
	memcpy(text, json_string_value(value), length + 1);
	return true;
}

static bool take_count(const json_t *object, const char *name, uint32_t *count)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > COUNT_MAX)
		return false;
	*count = (uint32_t)json_integer_value(value);
	return true;
}

static bool take_signal(const json_t *row, struct signal_count *signal)
{
	char time[TIME_TEXT_SIZE], kind[VANTAGE_SIZE];
	struct capture_time bucket;

	if (!json_is_object(row) || !take_text(row, "bucket", time, sizeof(time)) || time_parse(time, &bucket) != 0 ||
	    bucket.ns < 0 || bucket.ns % COUNT_BUCKET_NS != 0)
		return false;
	if (!take_text(row, "component", signal->component, sizeof(signal->component)) ||
	    !component_id_ok(signal->component))
		return false;
	if (!take_text(row, "kind", kind, sizeof(kind)) || !signal_kind_find(kind, &signal->kind) ||
	    (signal->kind != SIGNAL_PROBE && signal->kind != SIGNAL_CANARY))
		return false;
	signal->bucket_ns = bucket.ns;
	return take_count(row, "good", &signal->good) && take_count(row, "bad", &signal->bad) &&
	       take_count(row, "value", &signal->value);
}

static bool take_report(const json_t *root, struct probe_report *report)
{
	const json_t *signals = json_object_get(root, "signals");
	char schema[sizeof(SCHEMA)];

	if (!json_is_object(root) || !take_text(root, "schema", schema, sizeof(schema)) || strcmp(schema, SCHEMA) != 0)
		return false;
	if (!take_text(root, "id", report->id, sizeof(report->id)) ||
	    strspn(report->id, HEXADECIMAL) != sizeof(report->id) - 1)
		return false;
	if (!take_text(root, "vantage", report->vantage, sizeof(report->vantage)) ||
	    !component_id_ok(report->vantage) || !json_is_array(signals))
		return false;
	if (json_array_size(signals) == 0 || json_array_size(signals) > PROBE_REPORT_SIGNALS_MAX)
		return false;
	for (size_t i = 0; i < json_array_size(signals); i++) {
		struct signal_count *signal = &report->signals[report->count++];

		if (!take_signal(json_array_get(signals, i), signal))
			return false;
		memcpy(signal->vantage, report->vantage, sizeof(signal->vantage));
	}
	return true;
}

int probe_report_read(const char *text, size_t length, struct probe_report *report)
{
	struct probe_report *read;
	json_t *root;
	int result;

	if (length > PROBE_REPORT_SIZE_MAX)
		return -EBADMSG;
	root = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	if (!root)
		return -EBADMSG;
	read = calloc(1, sizeof(*read));
	result = !read ? -ENOMEM : take_report(root, read) ? 0 : -EBADMSG;
	json_decref(root);
	if (result == 0)
		*report = *read;
	free(read);
	return result;
}

void probe_report_sign(const void *key, size_t key_length, int64_t timestamp_s, const char *text, size_t length,
                       char signature[DIGEST_SHA256_TEXT_SIZE])
{
	static const char nothing[DIGEST_SHA256_SIZE];
	char whole[TIMESTAMP_SIZE + PROBE_REPORT_SIZE_MAX];
	uint8_t sum[DIGEST_SHA256_SIZE];
	int begin = snprintf(whole, TIMESTAMP_SIZE, "%" PRId64 ".", timestamp_s);

	if (length > PROBE_REPORT_SIZE_MAX) { /* no report: nobody's signature */
		digest_text((const uint8_t *)nothing, signature);
		return;
	}
	memcpy(whole + begin, text, length);
	digest_hmac_sha256(key, key_length, whole, (size_t)begin + length, sum);
	digest_text(sum, signature);
}

bool probe_report_signed(const void *key, size_t key_length, int64_t now_s, int64_t timestamp_s, const char *text,
                         size_t length, const char *signature)
{
	char right[DIGEST_SHA256_TEXT_SIZE];
	int64_t apart;

	if (length > PROBE_REPORT_SIZE_MAX || strlen(signature) != sizeof(right) - 1 ||
	    __builtin_sub_overflow(now_s, timestamp_s, &apart) || apart > PROBE_REPORT_SKEW_S ||
	    apart < -PROBE_REPORT_SKEW_S)
		return false;
	probe_report_sign(key, key_length, timestamp_s, text, length, right);
	return digest_equal(right, signature, sizeof(right) - 1);
}

size_t probe_report_key(const char *octets, size_t length)
{
	while (length > 0 && octets[length - 1] != '\0' && strchr(" \t\r\n", octets[length - 1]))
		length--;
	return length >= PROBE_REPORT_KEY_MIN && length <= PROBE_REPORT_KEY_MAX ? length : 0;
}
