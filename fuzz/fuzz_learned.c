/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an engine has learned, but for the sum at its end, which is put there: what is read of it, if anything is, gives
 * the same octets when it is written.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/learned.h"
#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *octets = malloc(size + LEARNED_SUM_SIZE), *again;
	uint64_t sum = learned_sum(data, size);
	struct learned learned;
	size_t length;

	if (!octets)
		return 0;
	if (size)
		memcpy(octets, data, size);
	for (unsigned i = 0; i < LEARNED_SUM_SIZE; i++)
		octets[size + i] = (uint8_t)(sum >> (56 - 8 * i));
	if (learned_read(octets, size + LEARNED_SUM_SIZE, &learned) == 0) {
		if (learned_write(&learned, &again, &length) == 0) {
			REQUIRE(length == size + LEARNED_SUM_SIZE && memcmp(again, octets, length) == 0);
			free(again);
		}
		learned_fini(&learned);
	}
	free(octets);
	return 0;
}
