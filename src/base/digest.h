/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums that say which octets something was: SHA-256 and SHA-512 (FIPS 180-4), through libmd, and by whom who shares a
 * key (HMAC, RFC 2104). SHA-1 is for names alone (RFC 4122).
 */
#ifndef HOLDFAST_BASE_DIGEST_H
#define HOLDFAST_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SHA1_SIZE 20
#define DIGEST_SHA256_SIZE 32
#define DIGEST_SHA512_SIZE 64
#define DIGEST_SHA256_TEXT_SIZE 65 /* in hexadecimal, and the zero at its end */

void digest_sha1(const void *octets, size_t count, uint8_t sum[DIGEST_SHA1_SIZE]);
void digest_sha256(const void *octets, size_t count, uint8_t sum[DIGEST_SHA256_SIZE]);
void digest_sha512(const void *octets, size_t count, uint8_t sum[DIGEST_SHA512_SIZE]);
/* Small letters. */
void digest_sha256_text(const void *octets, size_t count, char text[DIGEST_SHA256_TEXT_SIZE]);
/* In hexadecimal, small letters. */
void digest_text(const uint8_t sum[DIGEST_SHA256_SIZE], char text[DIGEST_SHA256_TEXT_SIZE]);
/* HMAC-SHA256; a key of any length. */
void digest_hmac_sha256(const void *key, size_t key_count, const void *octets, size_t count,
                        uint8_t sum[DIGEST_SHA256_SIZE]);
/* Compared in a time that does not tell how much of them is the same. */
bool digest_equal(const void *a, const void *b, size_t count);
/*
 * SHA-256 of all that a descriptor's file holds, read from its beginning; where it stands is left alone. `length`
 * octets it was. 0 or -errno.
 */
int digest_sha256_file(int descriptor, char text[DIGEST_SHA256_TEXT_SIZE], uint64_t *length);

#endif
