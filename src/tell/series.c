/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/series.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/share.h"
#include "tell/build.h"
#include "tell/paper.h"

#define STEP_MAX_S 86400
#define RATE_MAX (1ULL << 53) /* beyond it doubles are not whole, and no link is that fast */
#define LATEST_POINTS 2
#define PERCENT_MAX 1000 /* an interface may say a lower speed than it has */

/* A row: a number for each point, per second of `seconds`. */
static const struct row {
	const char *key;
	size_t sum, seconds;
} rows[] = {
#define ROW(key, sum, seconds)                                                                  \
	{                                                                                       \
		key, offsetof(struct course_point, sum), offsetof(struct course_point, seconds) \
	}
	ROW("arrived_pps", arrived, seconds),        ROW("dropped_pps", dropped, seconds),
	ROW("answered_pps", answered, seconds),      ROW("lost_pps", lost, seconds),
	ROW("handshakes_pps", handshakes, seconds),  ROW("link_bps", link_bits, link_seconds),
	ROW("link_pps", link_packets, link_seconds), ROW("link_lost_pps", link_lost, link_seconds),
#undef ROW
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static uint64_t *sum_of(struct course_point *point, const struct row *row)
{
	return (uint64_t *)((char *)point + row->sum);
}

static uint32_t *seconds_of(struct course_point *point, const struct row *row)
{
	return (uint32_t *)((char *)point + row->seconds);
}

static uint64_t rate_of(const struct course_point *point, const struct row *row)
{
	uint64_t sum = *(const uint64_t *)((const char *)point + row->sum);
	uint32_t seconds = *(const uint32_t *)((const char *)point + row->seconds);

	return seconds ? sum / seconds : 0;
}

json_t *series_json(const struct series *series)
{
	struct build b = { .failed = false };
	json_t *object = json_object(), *percent = json_array();

	build_set(&b, object, "from", build_time(series->from.ns));
	build_set(&b, object, "step_s", json_integer(series->step_ns / NS_PER_S));
	for (size_t i = 0; i < ROWS; i++) {
		json_t *array = json_array();

		for (uint32_t k = 0; k < series->count; k++) {
			const struct course_point *point = &series->points[k];
			bool known = *(const uint32_t *)((const char *)point + rows[i].seconds) > 0;

			build_append(&b, array, known ? build_integer(rate_of(point, &rows[i])) : json_null());
		}
		build_set(&b, object, rows[i].key, array);
	}
	for (uint32_t k = 0; k < series->count; k++) {
		const struct course_point *point = &series->points[k];
		bool known = point->link_seconds > 0 && point->link_percent >= 0;

		build_append(&b, percent, known ? json_integer(point->link_percent) : json_null());
	}
	build_set(&b, object, "link_percent", percent);
	if (!b.failed)
		return object;
	json_decref(object);
	return NULL;
}

/* ---- reading ---- */

static bool number_of(const json_t *value, uint64_t most, uint64_t *number)
{
	json_int_t n = json_is_integer(value) ? json_integer_value(value) : -1;

	if (n < 0 || (uint64_t)n > most)
		return false;
	*number = (uint64_t)n;
	return true;
}

/* Rates become sums over one second; a point is known in all of its rows or, of traffic or links, in none. */
static void read_point(const json_t *json, uint32_t at, struct course_point *point)
{
	uint64_t number;

	*point = (struct course_point){ .seconds = 1, .link_seconds = 1, .link_percent = -1 };
	for (size_t i = 0; i < ROWS; i++)
		if (!number_of(json_array_get(json_object_get(json, rows[i].key), at), RATE_MAX,
		               sum_of(point, &rows[i])))
			*seconds_of(point, &rows[i]) = 0;
	if (number_of(json_array_get(json_object_get(json, "link_percent"), at), PERCENT_MAX, &number))
		point->link_percent = (int32_t)number;
}

bool series_read(const json_t *json, struct series *series)
{
	const json_t *from = json_object_get(json, "from");
	size_t count = json_array_size(json_object_get(json, rows[0].key));
	uint64_t step_s;

	series->count = 0;
	if (!number_of(json_object_get(json, "step_s"), STEP_MAX_S, &step_s) || step_s == 0 ||
	    count > SERIES_POINTS_MAX || !json_is_string(from) ||
	    time_parse(json_string_value(from), &series->from) != 0)
		return false;
	series->step_ns = (int64_t)step_s * NS_PER_S;
	series->count = (uint32_t)count;
	for (uint32_t i = 0; i < series->count; i++)
		read_point(json, i, &series->points[i]);
	return true;
}

/* ---- telling ---- */

const struct course_point *series_at(const struct series *series, struct capture_time time)
{
	int64_t since = time_since(time, series->from);

	if (since < 0 || series->count == 0 || since / series->step_ns >= (int64_t)series->count)
		return NULL;
	return &series->points[since / series->step_ns];
}

struct sums {
	uint64_t seconds, arrived, dropped, answered, lost, handshakes, link_bps; /* rates, summed over points */
	uint64_t link_points, link_lost;
	int32_t percent; /* highest */
};

static void take(struct sums *sums, const struct course_point *point)
{
	if (point->seconds) {
		sums->seconds++;
		sums->arrived += point->arrived / point->seconds;
		sums->dropped += point->dropped / point->seconds;
		sums->answered += point->answered / point->seconds;
		sums->lost += point->lost / point->seconds;
		sums->handshakes += point->handshakes / point->seconds;
	}
	if (point->link_seconds) {
		uint64_t bps = point->link_bits / point->link_seconds;

		sums->link_points++;
		sums->link_lost += point->link_lost;
		sums->link_bps = bps > sums->link_bps ? bps : sums->link_bps;
		sums->percent = point->link_percent > sums->percent ? point->link_percent : sums->percent;
	}
}

static void say_users(const struct sums *before, const struct sums *during, struct draft *d)
{
	char text[WORDS_SIZE];

	if (during->answered == 0) {
		draft_add(d, "No packet of a user who is answered was seen while it lasted.");
	} else if (during->lost == 0) {
		draft_add(d, GREEN "No packet of a user who is answered was dropped while it lasted" PLAIN);
		draft_add(d, ", of %s packets a second that were seen.",
		          words_count(during->answered / during->seconds, text));
	} else {
		draft_add(d, YELLOW "%s of the packets of users who are answered were dropped" PLAIN,
		          words_share_up(share_ppm(during->lost, during->answered), text));
		draft_add(d, " while it lasted, of %s packets a second that were seen.",
		          words_count(during->answered / during->seconds, text));
	}
	if (during->handshakes || before->handshakes) {
		draft_add(d, " New connections: %s a second",
		          words_count((during->handshakes + during->seconds / 2) / during->seconds, text));
		if (before->seconds)
			draft_add(d, ", and %s in the time before",
			          words_count((before->handshakes + before->seconds / 2) / before->seconds, text));
		draft_add(d, ".");
	}
}

static void say_links(const struct sums *during, struct draft *d)
{
	char text[WORDS_SIZE];

	draft_add(d, " Its links carried at most %s", words_scaled(during->link_bps, "bit/s", text));
	if (during->percent > 0)
		draft_add(d, ", %" PRId32 WORDS_TIE "%% of what the fullest of them can", during->percent);
	else if (during->percent == 0)
		draft_add(d, ", less than 1" WORDS_TIE "%% of what the fullest of them can");
	if (during->link_lost)
		draft_add(d, "; " YELLOW "they lost %s packets before anybody saw them" PLAIN,
		          words_count(during->link_lost, text));
	draft_add(d, ".");
}

void series_say(const struct series *series, struct capture_time began, struct capture_time ended, struct draft *draft)
{
	struct sums before = { .percent = -1 }, during = { .percent = -1 };

	for (uint32_t i = 0; i < series->count; i++) {
		struct capture_time from = time_plus(series->from, time_times(series->step_ns, i));
		struct capture_time to = time_plus(from, series->step_ns);

		if (time_since(to, began) <= 0)
			take(&before, &series->points[i]);
		else if (time_since(from, ended) <= 0)
			take(&during, &series->points[i]);
	}
	if (during.seconds)
		say_users(&before, &during, draft);
	if (during.link_points)
		say_links(&during, draft);
}

/* ---- outages ---- */

/* Answered and not dropped, a second; the point is known. */
static uint64_t served(const struct course_point *point)
{
	return (point->answered > point->lost ? point->answered - point->lost : 0) / point->seconds;
}

static int by_size(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* The median of what was served before; 0: too little is known of it. */
static uint64_t usual_before(const struct series *series, struct capture_time began)
{
	uint64_t rates[SERIES_POINTS_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < series->count; i++) {
		struct capture_time to = time_plus(series->from, time_times(series->step_ns, i + 1));

		if (time_since(to, began) <= 0 && series->points[i].seconds)
			rates[count++] = served(&series->points[i]);
	}
	if (time_times(series->step_ns, count) < SERIES_BEFORE_S * NS_PER_S)
		return 0;
	qsort(rates, count, sizeof(rates[0]), by_size);
	return rates[count / 2] >= SERIES_USERS_PPS ? rates[count / 2] : 0;
}

static bool is_down(const struct course_point *point, uint64_t usual)
{
	return point->seconds && served(point) < usual / SERIES_OUTAGE_PARTS;
}

/* From the point `first` to before `end`. */
static struct claim_span span_of(const struct series *series, uint32_t first, uint32_t end, uint64_t usual)
{
	struct claim_span span = { .began_ns = time_plus(series->from, time_times(series->step_ns, first)).ns };
	uint64_t sum = 0;

	for (uint32_t i = first; i < end; i++)
		sum += served(&series->points[i]);
	if (end < series->count)
		span.ended_ns = time_plus(series->from, time_times(series->step_ns, end)).ns;
	span.lost = (double)(PPM - share_ppm(sum, usual * (end - first))) / PPM;
	return span;
}

bool series_outages(const struct series *series, struct capture_time began, struct capture_time ended,
                    struct claim_span *spans, uint32_t max, uint32_t *count)
{
	uint64_t usual = usual_before(series, began);
	uint32_t found = 0, first = 0;

	if (usual == 0)
		return false;
	for (uint32_t i = 0; i < series->count; i++) {
		struct capture_time from = time_plus(series->from, time_times(series->step_ns, i));

		if (series->points[i].seconds == 0 && time_since(from, began) >= 0 && time_since(from, ended) < 0)
			return false;
	}
	/* Of an attack that goes on the latest second is still being measured. */
	if (time_since(ended, time_plus(series->from, time_times(series->step_ns, series->count))) >
	    LATEST_POINTS * series->step_ns)
		return false;
	for (uint32_t i = 0; i <= series->count && found < max; i++) {
		if (i < series->count && is_down(&series->points[i], usual))
			continue;
		if (i > first && time_times(series->step_ns, i - first) >= SERIES_OUTAGE_S * NS_PER_S)
			spans[found++] = span_of(series, first, i, usual);
		first = i + 1;
	}
	*count = found;
	return true;
}
