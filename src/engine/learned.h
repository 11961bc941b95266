/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an engine has learned in peace, as octets: engine_save() and engine_restore() are the doors to it.
 *
 *     octets = mark version seconds
 *              count { address family-and-length kind known-seconds packets unsettled [season season] }
 *                                                                                           what is usual, in order
 *              seen limit count { priority observation }                                    normal packets
 *              sum
 *
 * Seasons are there where the highest bit of the kind is set (measure/season.h says how). Numbers are varints
 * (base/varint.h) but for priorities, limit and sum, which are eight octets, the highest first. What was learned has
 * one form: reading it and writing it again gives the same octets.
 *
 * The sample forgets: what is handed on has its priority raised by its age, so that newer packets take the place of
 * older ones, half of them in LEARNED_HALF_S of peace, and it is spread over days.
 */
#ifndef HOLDFAST_ENGINE_LEARNED_H
#define HOLDFAST_ENGINE_LEARNED_H

#include <stddef.h>
#include <stdint.h>

#include "measure/sample.h"
#include "measure/usual.h"

#define LEARNED_SAMPLE_MAX 131072 /* packets */
#define LEARNED_SUM_SIZE 8
#define LEARNED_HALF_S 302400 /* half a week */

struct learned {
	uint64_t seconds; /* of peace, that the sample spans */
	uint32_t usual_count;
	struct usual *usual; /* after learned_read() owned, else the caller's */
	struct sample normal;
};

/* A priority after so many seconds more. */
uint64_t learned_age(uint64_t priority, uint64_t seconds);
/* The caller frees *octets. 0 or -ENOMEM. */
int learned_write(const struct learned *learned, uint8_t **octets, size_t *length);
/*
 * Any octets: 0, -ENOMEM, -EBADMSG where they are none, or -EPROTONOSUPPORT: another version's. learned_fini() is due
 * after 0.
 */
int learned_read(const uint8_t *octets, size_t length, struct learned *learned);
/* What stands at the end of octets so long. Against chance, not against malice: whoever can write them can decide. */
uint64_t learned_sum(const uint8_t *octets, size_t length);
void learned_fini(struct learned *learned);

#endif
