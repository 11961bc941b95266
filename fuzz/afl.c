/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes an executable for AFL++ of a harness: one process takes many inputs, handed over in shared memory
 * (persistent mode), each copied into exactly as much memory as it is long, so that a sanitizer sees the first octet
 * read beyond it. Without afl-fuzz around it, it takes one input from standard input. Needs afl-clang-fast, from whose
 * compiler the macros are; -Dafl=true.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); /* NOLINT(readability-identifier-naming): libFuzzer's */

#ifdef __AFL_FUZZ_TESTCASE_LEN

/* The compiler's own macros do not live up to the project's warnings. */
#pragma clang diagnostic ignored "-Wcast-qual"
#pragma clang diagnostic ignored "-Wshorten-64-to-32"

#define AFL_ROUNDS 10000 /* inputs before a new process: enough to be fast, few enough for what might pile up */

__AFL_FUZZ_INIT();

int main(void)
{
	const uint8_t *given;

	__AFL_INIT();
	given = __AFL_FUZZ_TESTCASE_BUF;
	while (__AFL_LOOP(AFL_ROUNDS)) {
		ssize_t length = __AFL_FUZZ_TESTCASE_LEN;
		uint8_t *input;

		if (length < 0)
			break;
		input = malloc(length ? (size_t)length : 1);
		if (!input)
			abort();
		memcpy(input, given, (size_t)length);
		(void)LLVMFuzzerTestOneInput(input, (size_t)length);
		free(input);
	}
	return 0;
}

#else
#error "fuzz/afl.c is for afl-clang-fast"
#endif
