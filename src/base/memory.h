/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for large tables that are looked up at random: zeroed, beginning on a cache line, and on huge pages where the
 * system has them, so that a look-up waits for one line of memory and not for page tables as well.
 */
#ifndef HOLDFAST_BASE_MEMORY_H
#define HOLDFAST_BASE_MEMORY_H

#include <stddef.h>

#define MEMORY_LINE 64 /* octets of a cache line */

/* NULL where there is none. Freed with memory_table_free() and the same size. */
void *memory_table_new(size_t size);
void memory_table_free(void *table, size_t size);

#endif
