/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets and rules drawn at random, from few values, so that the ones meet the others: each rule is made of terms that
 * a packet drawn for it meets, of all kinds that the match language knows, and now and then one that it does not.
 */
#ifndef HOLDFAST_BENCH_DRAWN_H
#define HOLDFAST_BENCH_DRAWN_H

#include <stdint.h>

#include "abi/shield.h"
#include "bpf/packet.h"

void drawn_packet(uint64_t *random, struct packet *packet);
/*
 * A table of `count` rules that drop, or count where bit r of `counts` is set; none expires, and rule r's counter is r.
 * Those that the table cannot say are drawn again.
 */
void drawn_ruleset(uint64_t *random, uint32_t count, uint64_t counts, struct shield_ruleset *set);

#endif
