/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in a predicate's terms: numbers with their units, times, names. Read, each begins at the present place,
 * and -EINVAL is the reader's; written, each is in its one form, which reads as the same.
 */
#ifndef HOLDFAST_TRACE_PREDICATE_VALUE_H
#define HOLDFAST_TRACE_PREDICATE_VALUE_H

#include <stdint.h>

#include "trace/predicate_inside.h"
#include "trace/predicate_reader.h"

/* Into `number` and `value`; a rate's unit decides `kind`; a duration into `duration_ns` and `value`. */
int value_read_share(struct reader *r, struct predicate_node *node);
int value_read_count(struct reader *r, struct predicate_node *node);
int value_read_money(struct reader *r, struct predicate_node *node);
int value_read_rate(struct reader *r, struct predicate_node *node);
int value_read_duration(struct reader *r, struct predicate_node *node);

int value_read_time(struct reader *r, struct predicate_time *time);

/* `expected`: what is wanted, for the message. A country comes in capitals, a vector is one of the catalogue. */
int value_read_name(struct reader *r, const char *expected, char name[PREDICATE_NAME_SIZE]);
int value_read_country(struct reader *r, char name[PREDICATE_NAME_SIZE]);
int value_read_network(struct reader *r, uint32_t *network);
int value_read_vector(struct reader *r, char name[PREDICATE_NAME_SIZE]);

/* `shift`: the unit's exponent, 0 for none. */
void value_put_number(struct writer *w, const struct predicate_number *number, int shift);
void value_put_rate(struct writer *w, const struct predicate_node *node);
void value_put_name(struct writer *w, const char *name);
void value_put_time(struct writer *w, const struct predicate_time *time);

#endif
