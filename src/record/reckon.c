/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three passes over the counts: which components there are, for the threshold depends on how many; their outages; and
 * of each outage what its buckets and the weeks before them say of places, symptoms and signals.
 */
#include "record/reckon.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/archive.h"
#include "record/ledger_inside.h"
#include "record/outages.h"
#include "record/reckon_inside.h"

#define SETTLED_NS (86400LL * NS_PER_S) /* an outage that has been over for so long is not told anew each time */
#define WHOLE_NS (86400LL * NS_PER_S)   /* how often all is gone through: events and attacks may have come late */
#define FRESH_NS (86400LL * NS_PER_S)   /* counting goes on: where nothing came, there was nothing */
#define MILLI 1000
#define SCAN "scan"

/* ---- components ---- */

static int64_t end_of(const struct reckoner *r)
{
	return count_bucket(r->now_ns);
}

uint32_t reckon_component_at(struct reckoner *r, const char *id)
{
	struct reckon_result *result = &r->standing;

	if (r->last_component < result->components_count && strcmp(result->components[r->last_component].id, id) == 0)
		return r->last_component;
	for (r->last_component = 0; r->last_component < result->components_count; r->last_component++)
		if (strcmp(result->components[r->last_component].id, id) == 0)
			break;
	return r->last_component;
}

static int meet(void *context, const struct report_count *count)
{
	struct reckoner *r = context;
	struct reckon_result *result = &r->standing;
	uint32_t which = reckon_component_at(r, count->component);
	struct reckon_component *component = &result->components[which];

	if (which == COMPONENTS_MAX) {
		result->components_refused++;
		return 0;
	}
	if (which == result->components_count) {
		result->components_count++;
		memcpy(component->id, count->component, sizeof(component->id));
		component->first_ns = count->bucket_ns;
	}
	component->last_ns = count->bucket_ns;
	component->reports += count->accepted;
	r->latest_ns = count->bucket_ns > r->latest_ns ? count->bucket_ns : r->latest_ns;
	return 0;
}

/* ---- outages ---- */

static int take_outage(struct reckoner *r, const struct surge *surge, bool lasting)
{
	struct found *found;

	if (r->found_count == FOUND_MAX)
		return ledger_refuse(r->error, -ENOBUFS, "the record has more outages than can be reckoned at a time",
		                     "");
	found = &r->found[r->found_count];
	if (!surge_outage(surge, &found->outage))
		return 0;
	found->buckets = surge->buckets_count;
	found->lasting = lasting;
	found->number = 0;
	found->excess_milli = calloc(SURGE_BUCKETS_MAX, sizeof(*found->excess_milli));
	found->expected_milli = calloc(surge->buckets_count, sizeof(*found->expected_milli));
	r->found_count++;
	if (!found->excess_milli || !found->expected_milli)
		return -ENOMEM;
	(void)surge_excess(surge, found->excess_milli);
	for (uint32_t i = 0; i < found->buckets; i++)
		found->expected_milli[i] = surge->buckets[i].expected_milli;
	return 0;
}

/* Nothing from its last bucket up to `bucket`, then what was summed up. */
static int feed(struct reckoner *r, struct stream *stream, int64_t bucket, uint64_t count)
{
	struct surge *surge = stream->surge;
	int result = 0;

	while (result == 0 && surge->bucket != INT64_MIN && surge->bucket + 1 < bucket)
		if (surge_add(surge, surge->bucket + 1, 0) == SURGE_OVER)
			result = take_outage(r, surge, false);
	if (result == 0 && surge_add(surge, bucket, count < UINT32_MAX ? (uint32_t)count : UINT32_MAX) == SURGE_OVER)
		result = take_outage(r, surge, false);
	return result;
}

static int sum_up(void *context, const struct report_count *count)
{
	struct reckoner *r = context;
	uint32_t which = reckon_component_at(r, count->component);
	int64_t bucket = count->bucket_ns / COUNT_BUCKET_NS;
	struct stream *stream = &r->streams[which];
	int result = 0;

	if (which == r->standing.components_count)
		return 0;
	if (stream->bucket != bucket) {
		if (stream->bucket >= 0)
			result = feed(r, stream, stream->bucket, stream->count);
		stream->bucket = bucket;
		stream->count = 0;
	}
	stream->count += count->accepted;
	return result;
}

/* Up to the last bucket that is over, or that anybody counted in. */
static int end_streams(struct reckoner *r)
{
	int64_t end_ns = r->fresh ? end_of(r) : r->latest_ns + COUNT_BUCKET_NS;
	int64_t last = end_ns / COUNT_BUCKET_NS - 1;
	int result = 0;

	for (uint32_t i = 0; i < r->standing.components_count && result == 0; i++) {
		struct reckon_component *component = &r->standing.components[i];
		struct stream *stream = &r->streams[i];
		struct surge *surge = stream->surge;

		if (stream->bucket >= 0)
			result = feed(r, stream, stream->bucket, stream->count);
		stream->bucket = -1;
		while (result == 0 && surge->bucket < last)
			if (surge_add(surge, surge->bucket + 1, 0) == SURGE_OVER)
				result = take_outage(r, surge, false);
		if (result == 0 && surge->is_out && !surge->over)
			result = take_outage(r, surge, true);
		component->basis = surge->usual.basis;
		component->usual_milli =
			surge->usual.basis == OUTAGE_NOTHING_KNOWN ? 0 : (uint32_t)(surge->usual.mean * MILLI + 0.5);
	}
	return result;
}

static int begin_streams(struct reckoner *r)
{
	for (uint32_t i = 0; i < r->standing.components_count; i++) {
		r->streams[i].surge = malloc(sizeof(*r->streams[i].surge));
		if (!r->streams[i].surge)
			return -ENOMEM;
		surge_init(r->streams[i].surge, r->standing.components[i].id, r->standing.components_count);
		r->streams[i].bucket = -1;
	}
	return 0;
}

static void drop(struct found *found)
{
	free(found->excess_milli);
	free(found->expected_milli);
	found->excess_milli = NULL;
	found->expected_milli = NULL;
}

/* Those that may have gone on are found anew. */
static void drop_lasting(struct reckoner *r)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < r->found_count; i++)
		if (r->found[i].lasting)
			drop(&r->found[i]);
		else
			r->found[kept++] = r->found[i];
	r->found_count = kept;
}

static void forget(struct reckoner *r)
{
	for (uint32_t i = 0; i < COMPONENTS_MAX; i++)
		free(r->streams[i].surge);
	for (uint32_t i = 0; i < r->found_count; i++)
		drop(&r->found[i]);
	memset(r->streams, 0, sizeof(r->streams));
	memset(&r->standing, 0, sizeof(r->standing));
	r->found_count = r->last_component = 0;
	r->latest_ns = r->end_ns = 0;
	r->warm = false;
}

/* What came since the last time; -EAGAIN: with that, all has to be gone through. */
static int meet_new(struct reckoner *r)
{
	uint32_t known = r->standing.components_count;
	int result = outages_report_each(r->ledger, NULL, r->end_ns, end_of(r), meet, r, r->error);
	bool fresh = r->now_ns - r->latest_ns < FRESH_NS;

	if (result != 0)
		return result;
	/*
	 * How high the threshold is depends on how many there are, and where streams end on whether counting goes on.
	 */
	if (r->warm && (known != r->standing.components_count || fresh != r->fresh))
		return -EAGAIN;
	r->fresh = fresh;
	return 0;
}

static int find_outages(struct reckoner *r)
{
	int result = meet_new(r);

	if (result == -EAGAIN) {
		forget(r);
		result = meet_new(r);
	}
	if (result == 0 && !r->warm) {
		r->whole_ns = r->now_ns;
		result = begin_streams(r);
	}
	if (result != 0 || r->standing.components_count == 0)
		return result;
	if (r->warm && !r->fresh) /* nothing came, and nothing is said of the time since */
		return 0;
	drop_lasting(r);
	result = outages_report_each(r->ledger, NULL, r->end_ns, end_of(r), sum_up, r, r->error);
	return result == 0 ? end_streams(r) : result;
}

/* ---- what explains them ---- */

/* Room for one more behind `count`: what holds a power of two of them doubles. */
static int grow(void **list, size_t count, size_t size)
{
	void *grown;

	if (count & (count - 1))
		return 0;
	grown = reallocarray(*list, count ? 2 * count : 1, size);
	if (!grown)
		return -ENOMEM;
	*list = grown;
	return 0;
}

static int add_era(struct cause_era **eras, size_t *count, struct cause_era era)
{
	void *list = *eras;

	if (grow(&list, *count, sizeof(era)) != 0)
		return -ENOMEM;
	*eras = list;
	(*eras)[(*count)++] = era;
	return 0;
}

static int add_event(void *context, const struct ledger_event *event)
{
	struct reckoner *r = context;
	int64_t ended = event->ended_ns ? event->ended_ns : r->now_ns;

	return add_era(&r->events, &r->events_count,
	               (struct cause_era){ event->began_ns, ended > event->began_ns ? ended : event->began_ns,
	                                   event->kind == LEDGER_PROVIDER ? CAUSE_PROVIDER : CAUSE_OWN_CHANGE,
	                                   (uint64_t)ledger_number(event->id, 'e') });
}

static int read_attacks(struct reckoner *r, const char *folder)
{
	struct archive_incident *incidents = NULL;
	int count = folder ? archive_list(folder, ARCHIVE_INCIDENTS_MAX, &incidents) : 0, result = 0;

	if (count == -ENOENT)
		return 0;
	if (count < 0)
		return ledger_refuse(r->error, count, "the archived incidents cannot be read", "");
	for (int i = 0; i < count && result == 0; i++) {
		const struct archive_incident *incident = &incidents[i];
		int64_t ended = incident->ended_ns                ? incident->ended_ns
		                : incident->state == ARCHIVE_OPEN ? r->now_ns
		                                                  : incident->began_ns;

		if (strcmp(incident->vector, SCAN) == 0)
			continue;
		result = add_era(&r->attacks, &r->attacks_count,
		                 (struct cause_era){ incident->began_ns, ended, CAUSE_ATTACK, incident->id });
	}
	free(incidents);
	return result;
}

static int remember(void *context, const struct outages_outage *outage)
{
	struct reckoner *r = context;
	struct known *known;
	void *list = r->known;

	if (grow(&list, r->known_count, sizeof(*known)) != 0)
		return -ENOMEM;
	r->known = list;
	known = &r->known[r->known_count++];
	*known = (struct known){ .number = outage->number, .began_ns = outage->began_ns, .ended_ns = outage->ended_ns };
	(void)snprintf(known->component, sizeof(known->component), "%s", outage->component);
	return 0;
}

/* ---- all of it ---- */

/* What was told of an outage long over holds until all is gone through again. */
static bool is_settled(const struct reckoner *r, const struct found *found)
{
	return !found->lasting && found->number && found->outage.ended_ns + SETTLED_NS < r->now_ns;
}

static int tell_all(struct reckoner *r)
{
	struct reckon_result *standing = &r->standing;
	int result = 0;

	for (uint32_t i = 0; i < standing->components_count; i++) {
		standing->components[i].outages = 0;
		standing->components[i].outage = 0;
		standing->components[i].status = COMPONENT_OPERATIONAL;
		standing->components[i].word = BELIEF_NOTHING;
	}
	for (uint32_t i = 0; i < r->found_count && result == 0; i++) {
		struct found *found = &r->found[i];

		standing->components[reckon_component_at(r, found->outage.component)].outages++;
		if (found->excess_milli)
			result = reckon_tell(r, found);
		if (result == 0 && is_settled(r, found))
			drop(found);
	}
	standing->outages = r->found_count;
	return result;
}

static void end_run(struct reckoner *r)
{
	free(r->known);
	free(r->attacks);
	free(r->events);
	r->known = NULL;
	r->attacks = r->events = NULL;
	r->known_count = r->attacks_count = r->events_count = 0;
}

/* Numbers that outages of earlier runs have are not given to others. */
static void take_numbers(struct reckoner *r)
{
	for (uint32_t i = 0; i < r->found_count; i++)
		for (size_t k = 0; k < r->known_count && r->found[i].number; k++)
			if (r->known[k].number == r->found[i].number)
				r->known[k].taken = true;
}

/* Whether what was gone through is still all there is, but for what came behind it. */
static bool is_whole(const struct reckoner *r, int64_t imports)
{
	return r->warm && imports == r->imports && end_of(r) >= r->end_ns && r->now_ns >= r->whole_ns &&
	       r->now_ns - r->whole_ns < WHOLE_NS;
}

static int count_imports(struct reckoner *r, int64_t *imports)
{
	int code = database_ask(r->ledger->database, "SELECT count(*) FROM report_import", imports);

	return code == SQLITE_OK ? 0 : database_fail(r->error, "the record cannot be read", r->ledger->database, code);
}

static int run(struct reckoner *r, const char *folder)
{
	int64_t imports = 0;
	int result = count_imports(r, &imports);

	if (result != 0)
		return result;
	if (!is_whole(r, imports))
		forget(r);
	r->imports = imports;
	r->standing.added = r->standing.places_refused = 0;
	result = find_outages(r);
	if (result == 0)
		result = ledger_event_each(r->ledger, add_event, r, r->error);
	if (result == 0)
		result = read_attacks(r, folder);
	if (result == 0)
		result = outages_each(r->ledger, NULL, remember, r, r->error);
	take_numbers(r);
	return result == 0 ? tell_all(r) : result;
}

int reckoner_new(struct reckoner **reckoner)
{
	struct reckoner *r = calloc(1, sizeof(*r));

	if (r)
		r->found = calloc(FOUND_MAX, sizeof(*r->found));
	if (!r || !r->found) {
		free(r);
		return -ENOMEM;
	}
	*reckoner = r;
	return 0;
}

void reckoner_free(struct reckoner *reckoner)
{
	if (!reckoner)
		return;
	forget(reckoner);
	free(reckoner->found);
	free(reckoner);
}

void reckoner_forget(struct reckoner *reckoner)
{
	forget(reckoner);
}

int reckoner_run(struct reckoner *reckoner, struct ledger *ledger, const char *folder, int64_t now_ns,
                 struct reckon_result *result, struct record_error *error)
{
	int code;

	memset(result, 0, sizeof(*result));
	*error = (struct record_error){ .message = "" };
	reckoner->ledger = ledger;
	reckoner->error = error;
	reckoner->result = &reckoner->standing;
	reckoner->now_ns = now_ns;
	code = run(reckoner, folder);
	end_run(reckoner);
	if (code != 0) {
		forget(reckoner);
		return code;
	}
	reckoner->warm = true;
	reckoner->end_ns = end_of(reckoner);
	*result = reckoner->standing;
	return 0;
}

int reckon(struct ledger *ledger, const char *folder, int64_t now_ns, struct reckon_result *result,
           struct record_error *error)
{
	struct reckoner *reckoner;
	int code = reckoner_new(&reckoner);

	memset(result, 0, sizeof(*result));
	*error = (struct record_error){ .message = "" };
	if (code != 0)
		return code;
	code = reckoner_run(reckoner, ledger, folder, now_ns, result, error);
	reckoner_free(reckoner);
	return code;
}
