/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <sha1.h>
#include <sha2.h>

#include "base/hex.h"

/* RFC 2104 */
#define BLOCK 64
#define INNER 0x36
#define OUTER 0x5c
#define READ_AT_ONCE 16384

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

void digest_text(const uint8_t sum[DIGEST_SHA256_SIZE], char text[DIGEST_SHA256_TEXT_SIZE])
{
	hex_write(sum, DIGEST_SHA256_SIZE, text);
}

void digest_sha256_text(const void *octets, size_t count, char text[DIGEST_SHA256_TEXT_SIZE])
{
	uint8_t sum[DIGEST_SHA256_SIZE];

	digest_sha256(octets, count, sum);
	digest_text(sum, text);
}

void digest_hmac_sha256(const void *key, size_t key_count, const void *octets, size_t count,
                        uint8_t sum[DIGEST_SHA256_SIZE])
{
	uint8_t inner[BLOCK] = { 0 }, outer[BLOCK];
	SHA2_CTX state;

	if (key_count > BLOCK)
		digest_sha256(key, key_count, inner);
	else if (key_count > 0)
		memcpy(inner, key, key_count);
	for (unsigned i = 0; i < BLOCK; i++) {
		outer[i] = inner[i] ^ OUTER;
		inner[i] ^= INNER;
	}
	SHA256Init(&state);
	SHA256Update(&state, inner, sizeof(inner));
	SHA256Update(&state, octets, count);
	SHA256Final(sum, &state);
	SHA256Init(&state);
	SHA256Update(&state, outer, sizeof(outer));
	SHA256Update(&state, sum, DIGEST_SHA256_SIZE);
	SHA256Final(sum, &state);
}

bool digest_equal(const void *a, const void *b, size_t count)
{
	const volatile uint8_t *left = a, *right = b;
	uint8_t differs = 0;

	for (size_t i = 0; i < count; i++)
		differs |= left[i] ^ right[i];
	return differs == 0;
}

int digest_sha256_file(int descriptor, char text[DIGEST_SHA256_TEXT_SIZE], uint64_t *length)
{
	uint8_t octets[READ_AT_ONCE], sum[DIGEST_SHA256_SIZE];
	uint64_t all = 0;
	SHA2_CTX state;

	SHA256Init(&state);
	for (;;) {
		ssize_t got = pread(descriptor, octets, sizeof(octets), (off_t)all);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		SHA256Update(&state, octets, (size_t)got);
		all += (uint64_t)got;
	}
	SHA256Final(sum, &state);
	digest_text(sum, text);
	*length = all;
	return 0;
}
