/* SPDX-License-Identifier: Apache-2.0 */
/* "holdfast.reader/1": places in files, buckets that are not over, signals that wait. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/reader.h"

#define SCHEMA "holdfast.reader/1"

/* ---- writing ---- */

static json_t *place_json(const struct tail *tail)
{
	struct tail_place place = tail_place(tail);

	return json_pack("{ss sI sI sI sI sI}", "file", tail->path, "device", (json_int_t)place.device, "inode",
	                 (json_int_t)place.inode, "offset", (json_int_t)place.offset, "head_length",
	                 (json_int_t)place.head_length, "head", (json_int_t)place.head_hash);
}

static json_t *bucket_json(const char *component, const struct access_bucket *bucket)
{
	json_t *bins = json_array();

	for (unsigned i = 0; i < ACCESS_BINS; i++)
		if (bucket->bins[i])
			(void)json_array_append_new(bins, json_pack("[iI]", (int)i, (json_int_t)bucket->bins[i]));
	return json_pack("{ss sI sI sI sI so}", "component", component, "bucket", (json_int_t)bucket->bucket_ns,
	                 "answers", (json_int_t)bucket->answers, "bad", (json_int_t)bucket->bad, "unanswered",
	                 (json_int_t)bucket->unanswered, "bins", bins);
}

static json_t *signal_json(const struct signal_count *signal)
{
	return json_pack("{ss sI ss sI sI sI}", "component", signal->component, "bucket", (json_int_t)signal->bucket_ns,
	                 "kind", signal_kind_name(signal->kind), "good", (json_int_t)signal->good, "bad",
	                 (json_int_t)signal->bad, "value", (json_int_t)signal->value);
}

int log_reader_state_write(const struct reader *reader, char **text)
{
	json_t *places = json_array(), *buckets = json_array(), *signals = json_array(), *all;

	for (unsigned i = 0; i < reader->source_count; i++)
		if (reader->sources[i].tail && reader->sources[i].tail->place.known)
			(void)json_array_append_new(places, place_json(reader->sources[i].tail));
	for (unsigned i = 0; i < reader->component_count; i++)
		for (unsigned k = 0; k < ACCESS_BUCKETS_MAX; k++)
			if (reader->components[i]->count.buckets[k].bucket_ns >= 0)
				(void)json_array_append_new(buckets,
				                            bucket_json(reader->components[i]->id,
				                                        &reader->components[i]->count.buckets[k]));
	for (unsigned i = 0; i < reader->waiting_count; i++)
		(void)json_array_append_new(signals, signal_json(&reader->waiting[i]));
	all = json_pack("{ss so so so}", "schema", SCHEMA, "places", places, "buckets", buckets, "signals", signals);
	*text = all ? json_dumps(all, JSON_COMPACT) : NULL;
	json_decref(all);
	return *text ? 0 : -ENOMEM;
}

/* ---- reading ---- */

static struct reader_component *component_of(const struct reader *reader, const char *id)
{
	for (unsigned i = 0; i < reader->component_count; i++)
		if (strcmp(reader->components[i]->id, id) == 0)
			return reader->components[i];
	return NULL;
}

/* Of files that are not read any more nothing is kept. */
static bool read_place(struct reader *reader, json_t *item)
{
	json_int_t device, inode, offset, head_length, head;
	const char *path;

	if (json_unpack(item, "{ss sI sI sI sI sI}", "file", &path, "device", &device, "inode", &inode, "offset",
	                &offset, "head_length", &head_length, "head", &head) != 0 ||
	    offset < 0 || head_length < 0 || head_length > TAIL_HEAD_MAX || head_length > offset)
		return false;
	for (unsigned i = 0; i < reader->source_count; i++) {
		struct reader_source *source = &reader->sources[i];
		struct tail_place place = { .device = (uint64_t)device,
			                    .inode = (uint64_t)inode,
			                    .offset = (uint64_t)offset,
			                    .head_length = (uint32_t)head_length,
			                    .head_hash = (uint64_t)head,
			                    .known = true };

		if (source->tail && strcmp(source->config->file, path) == 0)
			tail_init(source->tail, path, &place);
	}
	return true;
}

static bool read_bins(json_t *bins, struct access_bucket *bucket)
{
	json_t *item;
	size_t i;

	json_array_foreach(bins, i, item)
	{
		json_int_t bin, times;

		if (json_unpack(item, "[II]", &bin, &times) != 0 || bin < 0 || bin >= ACCESS_BINS || times < 0 ||
		    times > UINT32_MAX)
			return false;
		bucket->bins[bin] = (uint32_t)times;
		bucket->timed += (uint64_t)times;
	}
	return json_is_array(bins);
}

static bool is_bucket(json_int_t bucket_ns)
{
	return bucket_ns >= 0 && bucket_ns % COUNT_BUCKET_NS == 0;
}

static bool read_bucket(struct reader *reader, json_t *item, unsigned used[CONFIG_LOGS_MAX])
{
	struct access_bucket bucket = { .bucket_ns = -1 };
	json_int_t bucket_ns, answers, bad, unanswered;
	struct reader_component *component;
	const char *id;
	json_t *bins;

	if (json_unpack(item, "{ss sI sI sI sI so}", "component", &id, "bucket", &bucket_ns, "answers", &answers, "bad",
	                &bad, "unanswered", &unanswered, "bins", &bins) != 0 ||
	    !is_bucket(bucket_ns) || bad < 0 || answers < bad || unanswered < 0 || !read_bins(bins, &bucket) ||
	    bucket.timed > (uint64_t)answers)
		return false;
	component = component_of(reader, id);
	if (!component)
		return true;
	for (unsigned i = 0; i < reader->component_count; i++) {
		if (reader->components[i] != component)
			continue;
		if (used[i] == ACCESS_BUCKETS_MAX)
			return false;
		bucket.bucket_ns = bucket_ns;
		bucket.answers = (uint64_t)answers;
		bucket.bad = (uint64_t)bad;
		bucket.unanswered = (uint64_t)unanswered;
		component->count.buckets[used[i]++] = bucket;
	}
	return true;
}

static bool read_signal(struct reader *reader, json_t *item)
{
	struct signal_count signal = { .bucket_ns = 0 };
	json_int_t bucket_ns, good, bad, value;
	const char *id, *kind;

	if (json_unpack(item, "{ss sI ss sI sI sI}", "component", &id, "bucket", &bucket_ns, "kind", &kind, "good",
	                &good, "bad", &bad, "value", &value) != 0 ||
	    !component_id_ok(id) || !is_bucket(bucket_ns) || !signal_kind_find(kind, &signal.kind) || good < 0 ||
	    good > UINT32_MAX || bad < 0 || bad > UINT32_MAX || value < 0 || value > UINT32_MAX ||
	    reader->waiting_count == READER_WAITING_MAX)
		return false;
	memcpy(signal.component, id, strlen(id) + 1);
	signal.bucket_ns = bucket_ns;
	signal.good = (uint32_t)good;
	signal.bad = (uint32_t)bad;
	signal.value = (uint32_t)value;
	reader->waiting[reader->waiting_count++] = signal;
	return true;
}

/* As if nothing had been kept. */
static void forget(struct reader *reader)
{
	for (unsigned i = 0; i < reader->source_count; i++)
		if (reader->sources[i].tail)
			tail_init(reader->sources[i].tail, reader->sources[i].config->file, NULL);
	for (unsigned i = 0; i < reader->component_count; i++)
		for (unsigned k = 0; k < ACCESS_BUCKETS_MAX; k++)
			reader->components[i]->count.buckets[k].bucket_ns = -1;
	reader->waiting_count = 0;
}

int log_reader_state_read(struct reader *reader, const char *text, size_t length)
{
	json_t *all = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL), *places, *buckets, *signals, *item;
	unsigned used[CONFIG_LOGS_MAX] = { 0 };
	const char *schema;
	size_t i;
	bool good = all &&
	            json_unpack(all, "{ss so so so}", "schema", &schema, "places", &places, "buckets", &buckets,
	                        "signals", &signals) == 0 &&
	            strcmp(schema, SCHEMA) == 0 && json_is_array(places) && json_is_array(buckets) &&
	            json_is_array(signals);

	if (good) {
		json_array_foreach(places, i, item) good = good && read_place(reader, item);
		json_array_foreach(buckets, i, item) good = good && read_bucket(reader, item, used);
		json_array_foreach(signals, i, item) good = good && read_signal(reader, item);
		if (!good)
			forget(reader);
	}
	json_decref(all);
	return good ? 0 : -EBADMSG;
}
