/* SPDX-License-Identifier: Apache-2.0 */
/* A predicate's terms, between the words that join them. */
#ifndef HOLDFAST_TRACE_PREDICATE_TERM_H
#define HOLDFAST_TRACE_PREDICATE_TERM_H

#include "trace/predicate_inside.h"
#include "trace/predicate_reader.h"

/* 0, or the reader's -EINVAL; the node is then of no use. */
int term_read(struct reader *r, struct predicate_node *node);
/* Nothing of a node that joins others. */
void term_put(struct writer *w, const struct predicate_node *node);

#endif
