/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attack, defence and harm on one time axis: what came and what of it was dropped, how those fared who are answered,
 * what users reported beside what is usual, what probes and the edge saw, what explains it, what else happened and what
 * was said. Lanes one above the other, as a section of a report in HTML, with the same in numbers below.
 *
 * Whoever fills a picture allocates it (it is large). Times are nanoseconds since the Unix epoch.
 */
#ifndef HOLDFAST_TELL_PICTURE_H
#define HOLDFAST_TELL_PICTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "impact/baseline.h"
#include "impact/count.h"
#include "impact/harm.h"
#include "tell/report.h"
#include "tell/series.h"

#define PICTURE_POINTS_MAX 512
#define PICTURE_LANES_MAX 24
#define PICTURE_ATTACKS_MAX 64
#define PICTURE_SPANS_MAX 128
#define PICTURE_MARKS_MAX 64
#define PICTURE_TEXT_SIZE 256
#define PICTURE_ID_SIZE 40

enum picture_kind {
	PICTURE_ATTACK, /* parts: dropped, arrived; packets a second */
	PICTURE_USERS,  /* parts: got in, all; packets a second of those who are answered */
	/* parts: accepted, left out as the shield was dropping their source, at least and at most usual */
	PICTURE_REPORTS,
	PICTURE_PROBES, /* this and the next: parts: bad, good */
	PICTURE_EDGE,
	PICTURE_CONNECTIONS,
	PICTURE_HANDSHAKES,
	PICTURE_NEL,
	PICTURE_KINDS
};

#define PICTURE_PARTS 4

struct picture_lane {
	enum picture_kind kind;
	char component[COMPONENT_ID_SIZE]; /* "": of the host */
	uint64_t parts[PICTURE_PARTS][PICTURE_POINTS_MAX];
	bool known[PICTURE_POINTS_MAX]; /* whether anything was measured */
	bool usual;                     /* reports: what is usual is known of some of it */
};

struct picture_attack {
	int64_t from_ns, to_ns; /* to_ns: of one that goes on, the end of the picture */
	char id[PICTURE_ID_SIZE], vector[PICTURE_ID_SIZE];
};

struct picture_span {
	char outage[PICTURE_ID_SIZE], component[COMPONENT_ID_SIZE];
	struct cause_interval interval;
};

enum picture_mark_kind { PICTURE_OWN_CHANGE, PICTURE_PROVIDER, PICTURE_MAINTENANCE, PICTURE_STATEMENT, PICTURE_MARKS };

struct picture_mark {
	enum picture_mark_kind kind;
	int64_t at_ns, to_ns; /* to_ns: at_ns where it has no length */
	char id[PICTURE_ID_SIZE];
	char text[PICTURE_TEXT_SIZE];
};

/* Of an outage that is in the picture. */
struct picture_outage {
	char id[PICTURE_ID_SIZE], component[COMPONENT_ID_SIZE];
	int64_t began_ns, ended_ns; /* ended_ns 0: it lasts */
	uint64_t reports, raw, shielded, excess;
	uint32_t belief; /* hundredths of a per cent */
	enum belief_word word;
	uint64_t incident; /* the attack that it goes with; 0: none */
	int64_t delay_ns;  /* from that attack to it */
	struct cause_share shares[CAUSES];
};

#define PICTURE_OUTAGES_MAX 8

struct picture {
	int64_t from_ns, step_ns; /* of a point of the shield's lanes */
	int64_t bucket_ns;        /* of one of all others: a multiple of COUNT_BUCKET_NS */
	uint32_t count, buckets;  /* points of them; both cover the same time */
	uint32_t lanes_count, lanes_refused;
	struct picture_lane lanes[PICTURE_LANES_MAX];
	uint32_t attacks_count, attacks_refused, spans_count, spans_refused, marks_count, marks_refused;
	uint32_t outages_count, outages_refused;
	struct picture_attack attacks[PICTURE_ATTACKS_MAX];
	struct picture_span spans[PICTURE_SPANS_MAX];
	struct picture_mark marks[PICTURE_MARKS_MAX];
	struct picture_outage outages[PICTURE_OUTAGES_MAX];
};

/* ---- Filling one: picture_fill.c ---- */

/* Empty, of the time around [from_ns, to_ns): whole buckets, with some quiet before and after. */
void picture_init(struct picture *picture, int64_t from_ns, int64_t to_ns);
int64_t picture_end(const struct picture *picture);
/* Of what is outside the picture these take nothing. Counts come in any order. */
void picture_series(struct picture *picture, const struct series *series);
void picture_attack(struct picture *picture, const struct picture_attack *attack);
void picture_report(struct picture *picture, const struct report_count *count);
void picture_signal(struct picture *picture, const struct signal_count *count);
/* What is usual in the bucket of five minutes that begins at `bucket_ns`. */
void picture_usual(struct picture *picture, const char *component, int64_t bucket_ns,
                   const struct baseline_usual *usual);
/* The largest PICTURE_OUTAGES_MAX are kept, each with what explains it. */
void picture_outage(struct picture *picture, const char *id, const struct harm *harm);
/* Kept in the order of time. */
void picture_mark(struct picture *picture, const struct picture_mark *mark);
/* Whether it has anything that users felt or were told: without, an attack's other plots say it all. */
bool picture_has_harm(const struct picture *picture);
/* Whether a point of a lane is one of buckets. */
bool picture_in_buckets(enum picture_kind kind);

/* ---- Telling it ---- */

/* What is told of it in words: marked paragraphs (tell/paper.h). picture_table.c */
void picture_say(const struct picture *picture, void (*paragraph)(void *context, const char *words), void *context);
/*
 * The figure and its tables, in a section of its own. `number`: of this picture in its document. picture.c,
 * picture_table.c
 */
void picture_write(const struct report *r, const struct picture *picture, unsigned number);
void picture_write_tables(const struct report *r, const struct picture *picture);
/* The whole document of an outage; `title` is plain text. 0 or -errno. */
int picture_document(FILE *out, const struct picture *picture, const char *title);

/* Names as people read them. */
extern const char *const picture_cause_words[CAUSES];
extern const char *const picture_mark_words[PICTURE_MARKS];
/* "09:40", with its day where the picture is of several. `size` of text: WORDS_SIZE. */
const char *picture_clock(const struct picture *picture, int64_t ns, char *text);

#endif
