/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <errno.h>
#include <sha1.h>
#include <sha2.h>
#include <sys/types.h>
#include <unistd.h>

#define HIGH_SHIFT 4
#define LOW_MASK 0xf
#define BLOCK 16384

void digest_sha1(const void *octets, size_t count, uint8_t sum[DIGEST_SHA1_SIZE])
{
	SHA1_CTX state;

	SHA1Init(&state);
	SHA1Update(&state, octets, count);
	SHA1Final(sum, &state);
}

void digest_sha256(const void *octets, size_t count, uint8_t sum[DIGEST_SHA256_SIZE])
{
	SHA2_CTX state;

	SHA256Init(&state);
	SHA256Update(&state, octets, count);
	SHA256Final(sum, &state);
}

void digest_sha512(const void *octets, size_t count, uint8_t sum[DIGEST_SHA512_SIZE])
{
	SHA2_CTX state;

	SHA512Init(&state);
	SHA512Update(&state, octets, count);
	SHA512Final(sum, &state);
}

static void write_text(const uint8_t sum[DIGEST_SHA256_SIZE], char text[DIGEST_SHA256_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < DIGEST_SHA256_SIZE; i++) {
		text[2 * i] = digits[sum[i] >> HIGH_SHIFT];
		text[2 * i + 1] = digits[sum[i] & LOW_MASK];
	}
	text[DIGEST_SHA256_TEXT_SIZE - 1] = '\0';
}

void digest_sha256_text(const void *octets, size_t count, char text[DIGEST_SHA256_TEXT_SIZE])
{
	uint8_t sum[DIGEST_SHA256_SIZE];

	digest_sha256(octets, count, sum);
	write_text(sum, text);
}

int digest_sha256_file(int descriptor, char text[DIGEST_SHA256_TEXT_SIZE], uint64_t *length)
{
	uint8_t block[BLOCK], sum[DIGEST_SHA256_SIZE];
	uint64_t all = 0;
	SHA2_CTX state;

	SHA256Init(&state);
	for (;;) {
		ssize_t got = pread(descriptor, block, sizeof(block), (off_t)all);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		SHA256Update(&state, block, (size_t)got);
		all += (uint64_t)got;
	}
	SHA256Final(sum, &state);
	write_text(sum, text);
	*length = all;
	return 0;
}
