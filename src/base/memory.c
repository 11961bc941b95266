/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"

#include <stdint.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20) /* of x86-64 and, with pages of 4 KiB, of arm64 */

/* Address space for alignment on both sides is taken and given back at once. */
void *memory_table_new(size_t size)
{
	size_t whole = (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1), before;
	uint8_t *space = mmap(NULL, whole + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (space == MAP_FAILED)
		return NULL;
	before = (HUGE_PAGE - ((uintptr_t)space & (HUGE_PAGE - 1))) & (HUGE_PAGE - 1);
	if (before > 0)
		(void)munmap(space, before);
	(void)munmap(space + before + whole, HUGE_PAGE - before); /* never nothing: before < HUGE_PAGE */
	/* A hint: without huge pages it is slower, not wrong. */
	(void)madvise(space + before, whole, MADV_HUGEPAGE);
	return space + before;
}

void memory_table_free(void *table, size_t size)
{
	if (table)
		(void)munmap(table, (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
}
