/* SPDX-License-Identifier: Apache-2.0 */
/* What every harness has: the function that the fuzzers call, and a requirement whose breach they see. */
#ifndef HOLDFAST_FUZZ_HARNESS_H
#define HOLDFAST_FUZZ_HARNESS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); /* NOLINT(readability-identifier-naming): libFuzzer's */

#define REQUIRE(condition)        \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

#endif
