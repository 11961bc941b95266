/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map of sources that a service knows, as a test fills and reads it: each stands in a line that a hash of its
 * address and of its service's name says. Services are named by their place in the table, times are ticks
 * (abi/shield.h).
 */
#ifndef HOLDFAST_TESTS_BPF_KNOWN_H
#define HOLDFAST_TESTS_BPF_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prefix.h"

uint64_t known_service_name(unsigned service); /* what the hash has of its name */
uint32_t known_tick_ago(unsigned ago_s);

/* As if the source had come first and last in these ticks. */
void known_make_at(const uint8_t src[16], unsigned service, uint32_t first, uint32_t last);
/* … so long ago. */
void known_make(const uint8_t src[16], unsigned service, unsigned first_s, unsigned last_s);
bool known_is_noted_at(const struct address *src, unsigned service);
bool known_is_noted(const char *src, unsigned service);
void known_forget(void); /* everybody */

#endif
