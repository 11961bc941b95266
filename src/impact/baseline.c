/* SPDX-License-Identifier: Apache-2.0 */
#include "impact/baseline.h"

#include <stdbool.h>
#include <string.h>

#include "base/real.h"

#define DAY_HOURS 24
#define GUARD_DAYS 2
#define C2_DAYS 7
#define C2_DAYS_MIN 3 /* that are known */
#define RECENT_MIN 12 /* buckets behind the guard */
#define TRIM_SHARE 10 /* one in so many goes at each end */

/* What some buckets come to. */
struct moments {
	double sum, squares, buckets;
};

void baseline_init(struct baseline *baseline)
{
	memset(baseline, 0, sizeof(*baseline));
	baseline->first_hour = INT64_MIN;
}

static const struct baseline_cell *cell_at(const struct baseline *baseline, int64_t hour)
{
	const struct baseline_cell *cell;

	if (hour < 0)
		return NULL;
	cell = &baseline->cells[hour / BASELINE_HOURS % BASELINE_WEEKS][hour % BASELINE_HOURS];
	return cell->buckets && cell->week == (uint32_t)(hour / BASELINE_HOURS) ? cell : NULL;
}

void baseline_learn(struct baseline *baseline, int64_t hour, uint32_t count)
{
	uint32_t week = (uint32_t)(hour / BASELINE_HOURS);
	struct baseline_cell *cell = &baseline->cells[week % BASELINE_WEEKS][hour % BASELINE_HOURS];

	if (baseline->first_hour == INT64_MIN)
		baseline->first_hour = hour;
	if (cell->week != week)
		*cell = (struct baseline_cell){ .week = week };
	if (cell->sum <= UINT32_MAX - count) {
		cell->sum += count;
		cell->squares += (uint64_t)count * count;
		cell->buckets++;
	}
	baseline->recent[baseline->recent_at] = count;
	baseline->recent_at = (baseline->recent_at + 1) % BASELINE_RECENT;
	baseline->recent_count += baseline->recent_count < BASELINE_RECENT;
}

void baseline_forget(struct baseline *baseline, int64_t hour, uint32_t count)
{
	struct baseline_cell *cell = &baseline->cells[hour / BASELINE_HOURS % BASELINE_WEEKS][hour % BASELINE_HOURS];

	if (cell->week == (uint32_t)(hour / BASELINE_HOURS) && cell->buckets > 0 && cell->sum >= count) {
		cell->sum -= count;
		cell->squares -= (uint64_t)count * count;
		cell->buckets--;
	}
	if (baseline->recent_count > 0) {
		baseline->recent_count--;
		baseline->recent_at = (baseline->recent_at + BASELINE_RECENT - 1) % BASELINE_RECENT;
	}
}

static void add(struct moments *m, double weight, double sum, double squares, double buckets)
{
	m->sum += weight * sum;
	m->squares += weight * squares;
	m->buckets += weight * buckets;
}

/* Of one hour of the week over the weeks, without the highest and lowest tenth of them; false: too few are known. */
static bool trimmed(const struct baseline *baseline, int64_t hour, struct moments *m)
{
	const struct baseline_cell *known[BASELINE_WEEKS];
	unsigned count = 0, cut;

	for (int64_t week = 1; week <= BASELINE_WEEKS; week++) {
		const struct baseline_cell *cell = cell_at(baseline, hour - week * BASELINE_HOURS);
		unsigned at = count;

		if (!cell)
			continue;
		/* Means are compared without dividing. */
		for (; at > 0 &&
		       (uint64_t)cell->sum * known[at - 1]->buckets < (uint64_t)known[at - 1]->sum * cell->buckets;
		     at--)
			known[at] = known[at - 1];
		known[at] = cell;
		count++;
	}
	*m = (struct moments){ 0, 0, 0 };
	cut = count / TRIM_SHARE;
	for (unsigned i = cut; i + cut < count; i++)
		add(m, 1, known[i]->sum, (double)known[i]->squares, known[i]->buckets);
	return count >= BASELINE_WEEKS_MIN - 1; /* one may have been left out for an outage */
}

/* Of that hour on the days of C2. */
static bool days(const struct baseline *baseline, int64_t hour, int64_t beside, struct moments *m)
{
	unsigned count = 0;

	*m = (struct moments){ 0, 0, 0 };
	for (int64_t day = GUARD_DAYS + 1; day <= GUARD_DAYS + C2_DAYS; day++) {
		const struct baseline_cell *cell = cell_at(baseline, hour - day * DAY_HOURS + beside);

		if (!cell)
			continue;
		add(m, 1, cell->sum, (double)cell->squares, cell->buckets);
		count++;
	}
	return count >= C2_DAYS_MIN;
}

/* ¼-½-¼ of means and of variances: a rhythm from hour to hour is no dispersion. */
static bool smooth(const struct baseline *baseline, int64_t hour, bool by_weeks, double *mean, double *variance)
{
	static const double weights[] = { 0.25, 0.5, 0.25 };
	double total = 0, of_mean = 0, of_variance = 0;

	for (int64_t beside = -1; beside <= 1; beside++) {
		struct moments m;
		double weight = weights[beside + 1], middle;

		if (!(by_weeks ? trimmed(baseline, hour + beside, &m) : days(baseline, hour, beside, &m))) {
			if (beside == 0)
				return false;
			continue;
		}
		middle = m.sum / m.buckets;
		total += weight;
		of_mean += weight * middle;
		if (m.buckets > 1)
			of_variance += weight * (m.squares - m.sum * middle) / (m.buckets - 1);
	}
	*mean = of_mean / total;
	*variance = of_variance / total;
	return true;
}

static bool hours(const struct baseline *baseline, double *mean, double *variance)
{
	struct moments m = { 0, 0, 0 };
	uint32_t behind, first = baseline->recent_at + BASELINE_RECENT - baseline->recent_count;

	if (baseline->recent_count < BASELINE_GUARD + RECENT_MIN)
		return false;
	behind = baseline->recent_count - BASELINE_GUARD;
	for (uint32_t i = 0; i < behind; i++) {
		double count = baseline->recent[(first + i) % BASELINE_RECENT];

		add(&m, 1, count, count * count, 1);
	}
	*mean = m.sum / m.buckets;
	*variance = (m.squares - m.sum * *mean) / (m.buckets - 1);
	return true;
}

void baseline_at(const struct baseline *baseline, int64_t hour, struct baseline_usual *usual)
{
	double mean = 0, variance = 0;

	usual->basis = OUTAGE_NOTHING_KNOWN;
	if (baseline->first_hour != INT64_MIN) {
		if (hour - baseline->first_hour >= (int64_t)BASELINE_WEEKS_MIN * BASELINE_HOURS &&
		    smooth(baseline, hour, true, &mean, &variance))
			usual->basis = OUTAGE_WEEKS_KNOWN;
		else if (smooth(baseline, hour, false, &mean, &variance))
			usual->basis = OUTAGE_DAYS_KNOWN;
		else if (hours(baseline, &mean, &variance))
			usual->basis = OUTAGE_HOURS_KNOWN;
	}
	usual->mean = mean > BASELINE_MEAN_MIN ? mean : BASELINE_MEAN_MIN;
	usual->variance = variance > usual->mean ? variance : usual->mean;
	usual->dispersion =
		variance > usual->mean ? usual->mean * usual->mean / (variance - usual->mean) : REAL_INFINITY;
}
