/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pictures FOLDER: documents with the picture of attack and harm, of made-up days, always the same octets: what
 * browsers are shown. day.html has all that a picture can have, hour.html little and of an hour, week.html much,
 * hostile.html names that are markup, and long ones.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tell/picture.h"

#define MINUTE (60 * NS_PER_S)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define MIDNIGHT (1773100800 * NS_PER_S) /* 2026-03-10 00:00 UTC */
#define AT(hour, minute) (MIDNIGHT + (hour)*HOUR + (minute)*MINUTE)
#define HOSTILE "</p><script>alert(1)</script>\"'&amp;<b onmouseover=alert(2)>"
#define LONG_NAME "a-name-of-two-and-thirty-letters"

/* Numbers that look like chance, and are none. */
static uint32_t rough(uint32_t at, uint32_t below)
{
	uint32_t x = at * 2654435761U;

	x ^= x >> 15;
	x *= 2246822519U;
	return (x ^ x >> 13) % below;
}

static int write_picture(const char *folder, const char *name, const struct picture *p, const char *title)
{
	char path[4096];
	FILE *out;
	int result;

	(void)snprintf(path, sizeof(path), "%s/%s.html", folder, name);
	out = fopen(path, "we");
	if (!out)
		return -errno;
	result = picture_document(out, p, title);
	if (fclose(out) != 0 && result == 0)
		result = -errno;
	return result;
}

/* ---- what is put in ---- */

static void put_attack(struct picture *p, int64_t from_ns, int64_t stopped_ns, int64_t to_ns, uint64_t pps,
                       const char *id)
{
	static struct series series;
	struct picture_attack attack = { .from_ns = from_ns, .to_ns = to_ns };

	series = (struct series){ .from = { from_ns - 30 * MINUTE }, .step_ns = MINUTE };
	series.count = (uint32_t)((to_ns - from_ns) / MINUTE) + 60;
	series.count = series.count < SERIES_POINTS_MAX ? series.count : SERIES_POINTS_MAX;
	for (uint32_t i = 0; i < series.count; i++) {
		int64_t at = series.from.ns + i * MINUTE;
		uint64_t usual = 2400 + rough(i, 400), more = at >= from_ns && at < to_ns ? pps - rough(i, 20000) : 0;

		series.points[i] = (struct course_point){
			.seconds = 60,
			.arrived = 60 * (usual + more),
			.dropped = at >= stopped_ns ? 60 * more : 0,
			.answered = 60 * usual,
			.lost = more && at < stopped_ns ? 60 * usual * 7 / 10 : 0,
		};
	}
	picture_series(p, &series);
	(void)snprintf(attack.id, sizeof(attack.id), "%s", id);
	(void)snprintf(attack.vector, sizeof(attack.vector), "NTP reflection");
	picture_attack(p, &attack);
}

/* `times` as many reports as usual from one time to another, a part of them from sources that are dropped. */
static void put_reports(struct picture *p, const char *component, int64_t from_ns, int64_t to_ns, uint32_t times,
                        uint32_t shielded_percent, bool usual)
{
	for (int64_t at = p->from_ns; at < picture_end(p); at += COUNT_BUCKET_NS) {
		uint32_t bucket = (uint32_t)(at / COUNT_BUCKET_NS), mean = 5 + (uint32_t)(at % DAY / HOUR) / 4;
		bool more = at >= from_ns && at < to_ns;
		struct report_count count = { .bucket_ns = at, .raw = mean / 2 + rough(bucket, mean + 1) };
		struct baseline_usual known = { OUTAGE_WEEKS_KNOWN, mean, 2.0 * mean, 8 };

		count.raw *= more ? times : 1;
		count.shielded = more ? count.raw * shielded_percent / 100 : 0;
		count.accepted = count.raw - count.shielded;
		(void)snprintf(count.component, sizeof(count.component), "%s", component);
		picture_report(p, &count);
		if (usual)
			picture_usual(p, component, at, &known);
	}
}

static void put_signals(struct picture *p, const char *component, enum signal_kind kind, int64_t from_ns, int64_t to_ns,
                        uint32_t bad_percent)
{
	for (int64_t at = p->from_ns; at < picture_end(p); at += COUNT_BUCKET_NS) {
		uint32_t bucket = (uint32_t)(at / COUNT_BUCKET_NS) * SIGNAL_KINDS + kind;
		bool more = at >= from_ns && at < to_ns;
		struct signal_count count = { .bucket_ns = at, .kind = kind };

		count.bad = more ? bad_percent + rough(bucket, 10) : rough(bucket, 40) == 0;
		count.bad = count.bad < 100 ? count.bad : 100;
		count.good = 100 - count.bad;
		(void)snprintf(count.component, sizeof(count.component), "%s", component);
		picture_signal(p, &count);
	}
}

static void put_mark(struct picture *p, enum picture_mark_kind kind, int64_t at_ns, int64_t to_ns, const char *id,
                     const char *text)
{
	struct picture_mark mark = { .kind = kind, .at_ns = at_ns, .to_ns = to_ns };

	(void)snprintf(mark.id, sizeof(mark.id), "%s", id);
	(void)snprintf(mark.text, sizeof(mark.text), "%s", text);
	picture_mark(p, &mark);
}

/* ---- pictures ---- */

static void put_outage(struct picture *p, const char *component, int64_t delay_ns)
{
	struct harm harm = { .outage = { .began_ns = AT(9, 40),
		                         .ended_ns = AT(18, 0),
		                         .reports = 9800,
		                         .excess = 9100,
		                         .raw = 10400,
		                         .shielded = 600 },
		             .belief = { .permyriad = 9880, .word = BELIEF_PARTIAL_OUTAGE },
		             .incident = 0xd1,
		             .delay_ns = delay_ns };
	const struct cause_interval intervals[] = {
		{ AT(9, 40), AT(11, 30), CAUSE_ATTACK, false, 0xd1, 3400 },
		{ AT(12, 45), AT(13, 20), CAUSE_OWN_CHANGE, true, 2, 1200 },
		{ AT(13, 20), AT(15, 0), CAUSE_ATTACK, false, 0xd2, 3100 },
		{ AT(16, 0), AT(17, 40), CAUSE_PROVIDER, false, 3, 1800 },
		{ AT(17, 40), AT(18, 0), CAUSE_UNKNOWN, false, 0, 500 },
	};

	(void)snprintf(harm.outage.component, sizeof(harm.outage.component), "%s", component);
	memcpy(harm.causes.intervals, intervals, sizeof(intervals));
	harm.causes.intervals_count = sizeof(intervals) / sizeof(intervals[0]);
	harm.causes.shares[CAUSE_ATTACK].value = 6500;
	harm.causes.shares[CAUSE_OWN_CHANGE].value = 1200;
	harm.causes.shares[CAUSE_PROVIDER].value = 1800;
	harm.causes.shares[CAUSE_UNKNOWN].value = 500;
	picture_outage(p, "o1", &harm);
}

static void make_day(struct picture *p)
{
	picture_init(p, AT(9, 28), AT(18, 40));
	put_attack(p, AT(9, 28), AT(9, 46), AT(11, 32), 92000, "00000000000000d1");
	put_attack(p, AT(12, 38), AT(12, 39), AT(14, 53), 148000, "00000000000000d2");
	put_reports(p, "login", AT(9, 40), AT(11, 30), 18, 12, true);
	put_reports(p, "login", AT(12, 45), AT(15, 0), 28, 12, false);
	put_reports(p, "login", AT(16, 0), AT(18, 0), 14, 0, false);
	put_signals(p, "login", SIGNAL_PROBE, AT(9, 35), AT(11, 30), 70);
	put_signals(p, "login", SIGNAL_EDGE_5XX, AT(12, 45), AT(14, 50), 44);
	put_signals(p, "login", SIGNAL_CONNECTIONS, AT(9, 30), AT(9, 50), 80);
	put_signals(p, "login", SIGNAL_NEL, AT(9, 35), AT(18, 0), 35);
	put_outage(p, "login", 12 * MINUTE);
	put_mark(p, PICTURE_OWN_CHANGE, AT(12, 51), AT(13, 20), "e2", "limits of the load balancer are raised");
	put_mark(p, PICTURE_PROVIDER, AT(15, 55), AT(17, 44), "e3",
	         "a carrier loses packets between Paris and Frankfurt");
	put_mark(p, PICTURE_MAINTENANCE, AT(9, 0), AT(9, 20), "e1", "a database moves to new disks");
	put_mark(p, PICTURE_STATEMENT, AT(9, 52), AT(9, 52), "s1 (fr)", "Une partie des internautes ne nous joint pas");
	put_mark(p, PICTURE_STATEMENT, AT(10, 20), AT(10, 20), "s2 (fr)", "L’attaque est filtrée");
	put_mark(p, PICTURE_STATEMENT, AT(10, 24), AT(10, 24), "s3 (en)", "The attack is being filtered");
	put_mark(p, PICTURE_STATEMENT, AT(18, 20), AT(18, 20), "s4 (fr)", "C’est rétabli");
}

static void make_hour(struct picture *p)
{
	picture_init(p, AT(9, 28), AT(9, 40));
	put_attack(p, AT(9, 28), AT(9, 29), AT(9, 40), 22000, "00000000000000d1");
	put_reports(p, "web", AT(9, 30), AT(9, 40), 9, 0, false);
	put_mark(p, PICTURE_STATEMENT, AT(9, 36), AT(9, 36), "s1 (en)", "We are investigating");
}

static void make_week(struct picture *p)
{
	static const char *const components[] = { "web", "login", "api", LONG_NAME };
	char id[PICTURE_ID_SIZE];

	picture_init(p, MIDNIGHT - 3 * DAY, MIDNIGHT + 4 * DAY);
	put_attack(p, AT(9, 28), AT(9, 46), AT(11, 32), 1480000, "00000000000000d1");
	for (unsigned i = 0; i < sizeof(components) / sizeof(components[0]); i++) {
		put_reports(p, components[i], AT(9, 40), AT(18, 0), 20 + 300 * i, 10 * i, i > 0);
		put_signals(p, components[i], SIGNAL_PROBE, AT(9, 35), AT(18, 30), 60 + 10 * i);
		put_outage(p, components[i], i ? -90 * MINUTE : 12 * MINUTE);
	}
	for (unsigned i = 0; i < 70; i++) {
		(void)snprintf(id, sizeof(id), "e%u", i + 1);
		put_mark(p, (enum picture_mark_kind)(i % PICTURE_MARKS), MIDNIGHT - 2 * DAY + i * 37 * MINUTE,
		         MIDNIGHT - 2 * DAY + i * 37 * MINUTE, id, "one of many");
	}
}

static void make_hostile(struct picture *p)
{
	make_day(p);
	put_reports(p, LONG_NAME, AT(9, 40), AT(11, 30), 3000, 50, true);
	put_outage(p, LONG_NAME, 0);
	put_mark(p, PICTURE_PROVIDER, AT(14, 0), AT(14, 0), HOSTILE, HOSTILE HOSTILE);
	put_mark(p, PICTURE_STATEMENT, AT(14, 1), AT(14, 1), "s9 (en)",
	         "Words without an end: "
	         "Donaudampfschifffahrtsgesellschaftskapitaenswitwenundwaisenversicherungsanstaltsgebaeudeverwaltung");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name, *title;
		void (*make)(struct picture *p);
	} pictures[] = {
		{ "day", "Outage o1 of login", make_day },
		{ "hour", "Outage o2 of web", make_hour },
		{ "week", "Outage o3 of " LONG_NAME, make_week },
		{ "hostile", "Outage o4 of " HOSTILE, make_hostile },
	};
	struct picture *p = malloc(sizeof(*p));
	int result = p && argc == 2 ? 0 : -EINVAL;

	for (size_t i = 0; i < sizeof(pictures) / sizeof(pictures[0]) && result == 0; i++) {
		pictures[i].make(p);
		result = write_picture(argv[1], pictures[i].name, p, pictures[i].title);
	}
	free(p);
	if (result != 0)
		(void)fprintf(stderr, "pictures: %s\n", strerror(-result));
	return result ? 1 : 0;
}
