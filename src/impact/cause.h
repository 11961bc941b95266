/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can explain an outage: attacks, changes of one's own, providers' failures, each an era. An era can explain what
 * happens while it lasts and CAUSE_RECOVERY_NS after, of an outage that did not begin before it. What only one cause
 * can explain is that one's for sure (low); what several can is any one's (high), and shared for the value. What began
 * before a cause may have been kept up by it: that counts for its high alone. That something came with something else
 * does not prove that it made it.
 *
 * Claims about causes are tested with the same (trace/claim_cause.c).
 */
#ifndef HOLDFAST_IMPACT_CAUSE_H
#define HOLDFAST_IMPACT_CAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "impact/outage.h"

#define CAUSE_EARLY_NS (60 * NS_PER_S)      /* clocks differ, and outages are measured from minute to minute */
#define CAUSE_RECOVERY_NS (1800 * NS_PER_S) /* an outage may last so much longer than its cause */
#define CAUSE_ERAS_MAX 257                  /* an attack and CLAIM_EVENTS_MAX events */
#define CAUSE_PIECES_MAX (2 * CAUSE_ERAS_MAX + 1)

enum cause { CAUSE_ATTACK, CAUSE_OWN_CHANGE, CAUSE_PROVIDER, CAUSE_UNKNOWN, CAUSES };

struct cause_era {
	int64_t from_ns, to_ns; /* to: without recovery */
	enum cause cause;
	uint64_t reference; /* whose it is: an incident's ID, an event's number */
};

/* A part of an outage in which the same causes come into question. */
struct cause_piece {
	int64_t from_ns, to_ns;
	bool can[CAUSES];     /* CAUSE_UNKNOWN: no other can */
	bool touches[CAUSES]; /* the same, had the outage not begun before it */
	uint32_t count;       /* how many causes can, CAUSE_UNKNOWN left out */
};

/* Of an outage; shares in hundredths of a per cent of its excess. */
struct cause_share {
	uint32_t low, value, high;
};

#define CAUSE_INTERVALS_MAX 64

/* What the page and the statement say: each interval of the outage with its cause. */
struct cause_interval {
	int64_t from_ns, to_ns;
	enum cause cause;   /* the one that can; of several the one that began last; CAUSE_UNKNOWN: none */
	bool several;       /* others can, too */
	uint64_t reference; /* of that era; 0 */
	uint32_t share;     /* of the excess, hundredths of a per cent */
};

struct cause_account {
	struct cause_share shares[CAUSES];
	uint32_t intervals_count;
	struct cause_interval intervals[CAUSE_INTERVALS_MAX]; /* in order; further ones are part of the last */
};

/* By value, NULL behind the last. */
extern const char *const cause_names[CAUSES + 1];
/* "attack", "own_change", "provider", "unknown": stable words. */
const char *cause_name(enum cause value);
bool cause_find(const char *word, enum cause *value);

/* Whether an era can explain what is at `at_ns` of an outage that began at `began_ns`. */
bool cause_explains(const struct cause_era *era, int64_t began_ns, int64_t at_ns);
/*
 * Cuts [from_ns, to_ns) of an outage that began at from_ns into pieces, at most CAUSE_PIECES_MAX, of the first
 * CAUSE_ERAS_MAX eras; returns how many.
 */
uint32_t cause_cut(const struct cause_era *eras, uint32_t count, int64_t from_ns, int64_t to_ns,
                   struct cause_piece pieces[CAUSE_PIECES_MAX]);
/*
 * Of an outage whose buckets, from its beginning on, have so many reports more than is usual, in thousandths. Each of
 * its waves counts as one that began by itself; an era may have begun within the bucket in which a wave did. -ENOMEM.
 */
int cause_account(const struct cause_era *eras, uint32_t count, const struct outage *outage,
                  const uint64_t *excess_milli, uint32_t buckets, struct cause_account *account);

#endif
