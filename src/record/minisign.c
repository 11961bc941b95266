/* SPDX-License-Identifier: Apache-2.0 */
#include "record/minisign.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#define BLOCK 65536
#define LINES_MAX 4
#define OPS_LIMIT crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_INTERACTIVE
#define MEMORY_LIMIT crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_INTERACTIVE

static const char trusted[] = "trusted comment: ";
static const char untrusted[] = "untrusted comment: ";

struct minisign_key {
	uint8_t id[8], secret[crypto_sign_SECRETKEYBYTES];
	uint8_t public[crypto_sign_PUBLICKEYBYTES];
};

/* What is XORed with what the password gives. */
struct box {
	uint8_t id[8], secret[64], sum[32];
};

struct secret_file {
	uint8_t algorithm[2], kdf[2], sum_algorithm[2], salt[32], operations[8], memory[8];
	struct box box;
};

struct public_file {
	uint8_t algorithm[2], id[8], key[32];
};

struct signature_file {
	uint8_t algorithm[2], id[8], signature[64];
};

_Static_assert(sizeof(struct secret_file) == 158 && sizeof(struct public_file) == 42 &&
                       sizeof(struct signature_file) == 74,
               "as they lie in files, without gaps");

static int begin(void)
{
	return sodium_init() < 0 ? -ENOMEM : 0;
}

/* ---- texts ---- */

struct line {
	const char *text;
	size_t length;
};

/*
 * Lines, the last one's end may be missing; -EBADMSG where there are others than `wanted`, or octets that are no text.
 */
static int split(const char *text, size_t length, struct line lines[LINES_MAX], unsigned wanted)
{
	unsigned count = 0;

	if (length >= MINISIGN_TEXT_SIZE || memchr(text, '\0', length))
		return -EBADMSG;
	while (length > 0) {
		const char *end = memchr(text, '\n', length);
		size_t taken = end ? (size_t)(end - text) : length;

		if (count == wanted)
			return -EBADMSG;
		lines[count++] = (struct line){ text, taken };
		text += taken + (end ? 1 : 0);
		length -= taken + (end ? 1 : 0);
	}
	return count == wanted ? 0 : -EBADMSG;
}

static int decode(struct line line, void *octets, size_t size)
{
	size_t got = 0;

	return sodium_base642bin(octets, size, line.text, line.length, NULL, &got, NULL,
	                         sodium_base64_VARIANT_ORIGINAL) == 0 &&
	                       got == size
	               ? 0
	               : -EBADMSG;
}

static bool has_prefix(struct line line, const char *prefix)
{
	return line.length >= strlen(prefix) && memcmp(line.text, prefix, strlen(prefix)) == 0;
}

/* Two lines: a comment and what it is about, at most 158 octets. */
static void write_two(const char *comment, const void *octets, size_t size, char text[MINISIGN_TEXT_SIZE])
{
	char encoded[256];

	(void)sodium_bin2base64(encoded, sizeof(encoded), octets, size, sodium_base64_VARIANT_ORIGINAL);
	(void)snprintf(text, MINISIGN_TEXT_SIZE, "%s%s\n%s\n", untrusted, comment, encoded);
	sodium_memzero(encoded, sizeof(encoded)); /* it may be a secret */
}

const char *minisign_id(const uint8_t id[8], char text[MINISIGN_ID_SIZE])
{
	for (int i = 0; i < 8; i++)
		(void)snprintf(text + (ptrdiff_t)2 * i, 3, "%02X", id[7 - i]);
	return text;
}

/* ---- keys ---- */

static void sum_of(const struct box *box, uint8_t sum[32])
{
	crypto_generichash_state state;

	(void)crypto_generichash_init(&state, NULL, 0, 32);
	(void)crypto_generichash_update(&state, (const uint8_t *)"Ed", 2);
	(void)crypto_generichash_update(&state, box->id, sizeof(box->id));
	(void)crypto_generichash_update(&state, box->secret, sizeof(box->secret));
	(void)crypto_generichash_final(&state, sum, 32);
}

static uint64_t little(const uint8_t octets[8])
{
	uint64_t number = 0;

	for (int i = 7; i >= 0; i--)
		number = number << 8 | octets[i];
	return number;
}

static void put_little(uint64_t number, uint8_t octets[8])
{
	for (int i = 0; i < 8; i++)
		octets[i] = (uint8_t)(number >> (8 * i));
}

/* To and from what a password makes of it: the same both times. */
static int mix(struct secret_file *file, const char *password)
{
	uint8_t stream[sizeof(struct box)], *octets = (uint8_t *)&file->box;
	uint64_t operations = little(file->operations), memory = little(file->memory);

	if (strlen(password) > MINISIGN_PASSWORD_MAX)
		return -EINVAL;
	if (memory > MINISIGN_MEMORY_MAX || operations > MINISIGN_OPERATIONS_MAX)
		return -EFBIG;
	if (crypto_pwhash_scryptsalsa208sha256(stream, sizeof(stream), password, strlen(password), file->salt,
	                                       operations, (size_t)memory) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(stream); i++)
		octets[i] ^= stream[i];
	sodium_memzero(stream, sizeof(stream));
	return 0;
}

int minisign_key_new(struct minisign_key **key)
{
	struct minisign_key *made = begin() == 0 ? sodium_malloc(sizeof(*made)) : NULL;

	if (!made)
		return -ENOMEM;
	randombytes_buf(made->id, sizeof(made->id));
	(void)crypto_sign_keypair(made->public, made->secret);
	*key = made;
	return 0;
}

void minisign_key_free(struct minisign_key *key)
{
	sodium_free(key);
}

void minisign_key_public(const struct minisign_key *key, struct minisign_public *public)
{
	memcpy(public->id, key->id, sizeof(public->id));
	memcpy(public->key, key->public, sizeof(public->key));
}

/* The box in the clear becomes a key. */
static int take_box(const struct box *box, int wrong, struct minisign_key **key)
{
	struct minisign_key *made;
	uint8_t sum[32];

	sum_of(box, sum);
	if (sodium_memcmp(sum, box->sum, sizeof(sum)) != 0)
		return wrong;
	made = sodium_malloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	memcpy(made->id, box->id, sizeof(made->id));
	memcpy(made->secret, box->secret, sizeof(made->secret));
	(void)crypto_sign_ed25519_sk_to_pk(made->public, made->secret);
	*key = made;
	return 0;
}

int minisign_key_read(const char *text, size_t length, const char *password, struct minisign_key **key)
{
	struct secret_file file;
	struct line lines[LINES_MAX];
	bool plain;
	int result = begin();

	if (result == 0)
		result = split(text, length, lines, 2);
	if (result == 0)
		result = has_prefix(lines[0], untrusted) ? decode(lines[1], &file, sizeof(file)) : -EBADMSG;
	if (result != 0)
		return result;
	plain = file.kdf[0] == 0 && file.kdf[1] == 0;
	if (memcmp(file.algorithm, "Ed", 2) != 0 || memcmp(file.sum_algorithm, "B2", 2) != 0 ||
	    (!plain && memcmp(file.kdf, "Sc", 2) != 0))
		result = -EBADMSG;
	else if (!plain)
		result = password ? mix(&file, password) : -ENOKEY;
	if (result == 0)
		result = take_box(&file.box, plain ? -EBADMSG : -EKEYREJECTED, key);
	sodium_memzero(&file, sizeof(file));
	return result;
}

int minisign_key_write(const struct minisign_key *key, const char *password, char text[MINISIGN_TEXT_SIZE])
{
	struct secret_file file = { .algorithm = "Ed", .sum_algorithm = "B2" };
	int result = 0;

	memcpy(file.box.id, key->id, sizeof(file.box.id));
	memcpy(file.box.secret, key->secret, sizeof(file.box.secret));
	sum_of(&file.box, file.box.sum);
	if (password) {
		memcpy(file.kdf, "Sc", 2);
		randombytes_buf(file.salt, sizeof(file.salt));
		put_little(OPS_LIMIT, file.operations);
		put_little(MEMORY_LIMIT, file.memory);
		result = mix(&file, password);
	}
	if (result == 0)
		write_two(password ? "minisign encrypted secret key" : "minisign secret key", &file, sizeof(file),
		          text);
	sodium_memzero(&file, sizeof(file));
	return result;
}

int minisign_public_read(const char *text, size_t length, struct minisign_public *public)
{
	struct line lines[LINES_MAX];
	struct public_file file;
	int result = split(text, length, lines, 2);

	if (result == 0)
		result = has_prefix(lines[0], untrusted) ? decode(lines[1], &file, sizeof(file)) : -EBADMSG;
	if (result == 0 && memcmp(file.algorithm, "Ed", 2) != 0)
		result = -EBADMSG;
	if (result != 0)
		return result;
	memcpy(public->id, file.id, sizeof(public->id));
	memcpy(public->key, file.key, sizeof(public->key));
	return 0;
}

void minisign_public_write(const struct minisign_public *public, char text[MINISIGN_TEXT_SIZE])
{
	struct public_file file = { .algorithm = "Ed" };
	char id[MINISIGN_ID_SIZE], comment[64];

	memcpy(file.id, public->id, sizeof(file.id));
	memcpy(file.key, public->key, sizeof(file.key));
	(void)snprintf(comment, sizeof(comment), "minisign public key %s", minisign_id(public->id, id));
	write_two(comment, &file, sizeof(file), text);
}

/* ---- signatures ---- */

int minisign_digest(int fd, uint8_t digest[MINISIGN_DIGEST])
{
	uint8_t block[BLOCK];
	crypto_generichash_state state;
	ssize_t got;
	off_t at = 0;

	(void)crypto_generichash_init(&state, NULL, 0, MINISIGN_DIGEST);
	while ((got = pread(fd, block, sizeof(block), at)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		(void)crypto_generichash_update(&state, block, (size_t)got);
		at += got;
	}
	(void)crypto_generichash_final(&state, digest, MINISIGN_DIGEST);
	return 0;
}

/* What the global signature is over. Returns its length. */
static size_t global_message(const uint8_t signature[64], const char *comment,
                             uint8_t message[64 + MINISIGN_COMMENT_SIZE])
{
	size_t length = strnlen(comment, MINISIGN_COMMENT_SIZE);

	memcpy(message, signature, 64);
	for (size_t i = 0; i < length; i++)
		message[64 + i] = (uint8_t)comment[i];
	return 64 + length;
}

int minisign_sign(const struct minisign_key *key, const uint8_t digest[MINISIGN_DIGEST], const char *comment,
                  char text[MINISIGN_TEXT_SIZE])
{
	struct signature_file file = { .algorithm = "ED" };
	uint8_t message[64 + MINISIGN_COMMENT_SIZE], global[64];
	char id[MINISIGN_ID_SIZE], first[64], encoded[128];
	size_t length;

	if (strlen(comment) >= MINISIGN_COMMENT_SIZE || strpbrk(comment, "\r\n"))
		return -EINVAL;
	memcpy(file.id, key->id, sizeof(file.id));
	(void)crypto_sign_detached(file.signature, NULL, digest, MINISIGN_DIGEST, key->secret);
	length = global_message(file.signature, comment, message);
	(void)crypto_sign_detached(global, NULL, message, length, key->secret);
	(void)snprintf(first, sizeof(first), "signature of key %s", minisign_id(key->id, id));
	write_two(first, &file, sizeof(file), text);
	(void)sodium_bin2base64(encoded, sizeof(encoded), global, sizeof(global), sodium_base64_VARIANT_ORIGINAL);
	length = strlen(text);
	(void)snprintf(text + length, MINISIGN_TEXT_SIZE - length, "%s%s\n%s\n", trusted, comment, encoded);
	return 0;
}

int minisign_signature_read(const char *text, size_t length, struct minisign_signature *signature)
{
	struct minisign_signature read;
	struct signature_file file;
	struct line lines[LINES_MAX];
	int result = split(text, length, lines, 4);

	if (result == 0 && (!has_prefix(lines[0], untrusted) || !has_prefix(lines[2], trusted) ||
	                    lines[2].length - strlen(trusted) >= sizeof(read.comment)))
		result = -EBADMSG;
	if (result == 0)
		result = decode(lines[1], &file, sizeof(file));
	if (result == 0)
		result = decode(lines[3], read.global, sizeof(read.global));
	if (result == 0 && memcmp(file.algorithm, "ED", 2) != 0)
		result = -EBADMSG;
	if (result != 0)
		return result;
	memcpy(read.id, file.id, sizeof(read.id));
	memcpy(read.signature, file.signature, sizeof(read.signature));
	length = lines[2].length - strlen(trusted);
	memcpy(read.comment, lines[2].text + strlen(trusted), length);
	read.comment[length] = '\0';
	*signature = read;
	return 0;
}

int minisign_check_file(const struct minisign_public *public, const struct minisign_signature *signature,
                        const uint8_t digest[MINISIGN_DIGEST])
{
	if (memcmp(public->id, signature->id, sizeof(public->id)) != 0)
		return -ENOKEY;
	return crypto_sign_verify_detached(signature->signature, digest, MINISIGN_DIGEST, public->key) == 0
	               ? 0
	               : -EKEYREJECTED;
}

int minisign_check_comment(const struct minisign_public *public, const struct minisign_signature *signature)
{
	uint8_t message[64 + MINISIGN_COMMENT_SIZE];
	size_t length = global_message(signature->signature, signature->comment, message);

	if (memcmp(public->id, signature->id, sizeof(public->id)) != 0)
		return -ENOKEY;
	return crypto_sign_verify_detached(signature->global, message, length, public->key) == 0 ? 0 : -EKEYREJECTED;
}
