/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What strangers say of a service, taken while some of them lie: reports of users by the form, failures that browsers
 * report. Pure: time, keys and what else is known come with the calls. doc/public.md says why each rule is as it is.
 *
 * - A form carries a nonce of ours: when it was given out, its number, and an HMAC over both. It is good once, and
 *   between INTAKE_NONCE_EARLY_S and INTAKE_NONCE_LATE_S after it was given out. Which were used is a bit each, by
 *   number.
 * - Of a source (an IPv4 /24, an IPv6 /48) INTAKE_SOURCE_MAX reports of a component count in a bucket; of a network
 *   (its AS, else an IPv4 /16, an IPv6 /32) so many as the caller says.
 * - Sources that the shield is dropping count as `shielded`, not as accepted.
 * - Where more sources come than the table holds, every second one is forgotten by its keyed hash, and the others stand
 *   for two, and so on: each is taken with the known probability 1/2^level and counts 2^level. Nobody without the key
 *   can tell which.
 * - All that came is in `raw`.
 *
 * Of sources only a keyed hash is held, until the bucket is over; the key goes every 24 hours (intake_rekey()).
 */
#ifndef HOLDFAST_IMPACT_INTAKE_H
#define HOLDFAST_IMPACT_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prefix.h"
#include "impact/count.h"

#define INTAKE_SOURCE_MAX 3
#define INTAKE_SOURCE_V4 24
#define INTAKE_SOURCE_V6 48
#define INTAKE_NETWORK_V4 16
#define INTAKE_NETWORK_V6 32
#define INTAKE_AS_NETWORKS 16 /* so many such networks an autonomous system counts for: an access provider has dozens */
#define INTAKE_SOURCES_BITS 16  /* slots of sources of a bucket: 65,536, half of them used at most */
#define INTAKE_NETWORKS_BITS 13 /* 8,192, likewise; those beyond are one network together */
#define INTAKE_CELLS_MAX 2048   /* of reports between two calls of intake_drain(); beyond it, places are left out */
#define INTAKE_PLACED_BITS 13
/* Cells of a bucket that say where, and of them those that say which network: beyond it, that is left out. */
#define INTAKE_PLACED_MAX (1u << (INTAKE_PLACED_BITS - 1))
#define INTAKE_PLACED_NETWORKS_MAX (INTAKE_PLACED_MAX / 4 * 3)
#define INTAKE_LEVEL_MAX 10
#define INTAKE_SIGNALS_MAX (2 * COMPONENTS_MAX)
#define INTAKE_NONCES_BITS 23 /* numbers that are remembered: 8,388,608, of 1 bit (1 MiB) */
#define INTAKE_NONCE_EARLY_S 2
#define INTAKE_NONCE_LATE_S 3600
#define INTAKE_NONCE_TEXT_SIZE 49 /* 48 of 0-9, a-f, NUL */
#define INTAKE_KEY_SIZE 32
#define INTAKE_KEY_S 86400
#define INTAKE_WEIGHT_MAX 100 /* what one report of a browser stands for, by its sampling fraction, at most */
#define INTAKE_FLOOD_MIN 100  /* reports of a bucket before anything is suspected */

struct intake; /* opaque; about 3 MiB, whatever comes */

/* What the shield does with a source. */
enum intake_fate {
	INTAKE_FATE_UNKNOWN, /* nobody says so now */
	INTAKE_FATE_PASSES,
	INTAKE_FATE_DROPPED,
};

struct intake_options {
	/*
	 * reports of a network that are accepted in a bucket, at least 1; of an autonomous system INTAKE_AS_NETWORKS
	 * times it
	 */
	uint32_t network_cap;
	unsigned nonce_bits; /* numbers that are remembered; 3 to INTAKE_NONCES_BITS */
	/* NULL: there is nobody to ask. */
	enum intake_fate (*shielded)(void *context, const struct address *source);
	void *context;
};

enum intake_result {
	INTAKE_ACCEPTED,
	INTAKE_REPEATED, /* its source has said so often enough */
	INTAKE_CAPPED,   /* its network has */
	INTAKE_SHIELDED,
	INTAKE_SAMPLED, /* another source stands for it */
	INTAKE_NO_ROOM, /* for its cell, nor for one without a place */
	/* Not counted as reports: the form has to be sent again. */
	INTAKE_NONCE_WRONG, /* none, or not ours, or of a key that is gone */
	INTAKE_NONCE_EARLY,
	INTAKE_NONCE_LATE,
	INTAKE_NONCE_USED,
	INTAKE_RESULTS
};

/* Why a bucket's reports are suspected to be a flood; bits. */
enum intake_flood {
	INTAKE_FLOOD_SOURCES = 1,  /* few sources sent more than three of four */
	INTAKE_FLOOD_NETWORK = 2,  /* half came from networks that were at their cap */
	INTAKE_FLOOD_SHIELDED = 4, /* half came from what the shield is dropping */
	INTAKE_FLOOD_NONCES = 8,   /* more forms had a wrong or used nonce than a good one */
	INTAKE_FLOOD_MANY = 16,    /* more sources than the table holds: what is counted is an estimate */
};
#define INTAKE_FLOOD_REASONS 5

struct intake_counts {
	uint64_t results[INTAKE_RESULTS]; /* of the form and of browsers together */
	uint64_t nonces;                  /* given out */
	uint64_t nonces_pushed_out;       /* so many others were given out since that it was too old */
	uint64_t sources_halved;          /* how often every second source was forgotten */
	uint64_t networks_refused;        /* had no slot of their own */
	uint64_t places_left_out;         /* reports that are counted without their network, or without any place */
};

/* `key`: random, secret. 0 or -ENOMEM, -EINVAL. */
int intake_new(const struct intake_options *options, const uint8_t key[INTAKE_KEY_SIZE], struct capture_time now,
               struct intake **intake);
void intake_free(struct intake *intake); /* keys are overwritten */
/* Is it time for another key? */
bool intake_key_due(const struct intake *intake, struct capture_time now);
/* Sources are hashed by this from here on; nonces of the key before stay good until they are late. */
void intake_rekey(struct intake *intake, const uint8_t key[INTAKE_KEY_SIZE], struct capture_time now);
/* A nonce for a form. Returns `text`. */
const char *intake_nonce(struct intake *intake, struct capture_time now, char text[INTAKE_NONCE_TEXT_SIZE]);
/*
 * A report by the form. Of `report` component, region, symptom, network (0: not known) are looked at; who reads it has
 * compared them with lists. A nonce that was good is used up.
 */
enum intake_result intake_report(struct intake *intake, struct capture_time now, const char *nonce,
                                 const struct address *source, const struct report_count *report);
/*
 * What a browser says it met, a failure or none, which stands for `weight` of them: a signal, no report, under the same
 * rules of sources and networks.
 */
enum intake_result intake_nel(struct intake *intake, struct capture_time now, const struct address *source,
                              uint32_t network, const char *component, bool failed, uint32_t weight);
/*
 * Counts since the last call, at most so many; 0: there are no more. Signals are SIGNAL_NEL, and SIGNAL_FILTERED of
 * those of the form's reports whose sources' fate was known.
 */
unsigned intake_drain(struct intake *intake, struct report_count *reports, unsigned most);
unsigned intake_drain_signals(struct intake *intake, struct signal_count *signals, unsigned most);
/* Bits of enum intake_flood: of the bucket of `now` so far, or of the one before it where that is over. */
unsigned intake_flood(struct intake *intake, struct capture_time now);
/* "few_sources", "one_network", "shielded", "nonces", "many_sources". */
const char *intake_flood_name(enum intake_flood reason);
const char *intake_result_name(enum intake_result result);
struct intake_counts intake_counts(const struct intake *intake);

#endif
