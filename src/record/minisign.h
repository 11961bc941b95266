/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and signatures as minisign 0.11 has them, so that anybody checks them without holdfast (`minisign -V`):
 *
 *     secret key  two lines: a comment; base64 of "Ed" kdf "B2" salt(32) opslimit(8) memlimit(8) box(104)
 *                 box = key ID(8) Ed25519 secret key(64) BLAKE2b-256(104 - 32 octets before, with "Ed" in front)(32)
 *                 kdf "Sc": the box is XORed with scrypt(password, salt); kdf of two zero octets: it is plain
 *     public key  two lines: a comment; base64 of "Ed" key ID(8) public key(32)
 *     signature   four lines: a comment; base64 of "ED" key ID(8) Ed25519(BLAKE2b-512 of the file);
 *                 "trusted comment: …"; base64 of Ed25519(signature(64) and that comment)
 *
 * Limits are little-endian. A key's ID is told as minisign tells it: a number of 64 bits, its lowest octet first in the
 * file, in sixteen upper-case hexadecimal digits.
 *
 * Functions return 0 or -errno; -EBADMSG: it is none, or broken. Files from outside are read to their bound and no
 * further.
 */
#ifndef HOLDFAST_RECORD_MINISIGN_H
#define HOLDFAST_RECORD_MINISIGN_H

#include <stddef.h>
#include <stdint.h>

#define MINISIGN_ID_SIZE 17
#define MINISIGN_COMMENT_SIZE 1024         /* of a trusted comment, with its NUL */
#define MINISIGN_TEXT_SIZE 2048            /* of any of these files */
#define MINISIGN_DIGEST 64                 /* octets of BLAKE2b-512 */
#define MINISIGN_MEMORY_MAX (1u << 30)     /* octets that a password's scrypt may take */
#define MINISIGN_OPERATIONS_MAX (1u << 30) /* that it may take */
#define MINISIGN_PASSWORD_MAX 1024

/* In memory that is not swapped out, where the system gives any; gone with minisign_key_free(). */
struct minisign_key; /* opaque */

struct minisign_public {
	uint8_t id[8], key[32];
};

struct minisign_signature {
	uint8_t id[8], signature[64], global[64];
	char comment[MINISIGN_COMMENT_SIZE]; /* trusted where minisign_check_comment() says so */
};

/* A new key. -ENOMEM. */
int minisign_key_new(struct minisign_key **key);
/*
 * -EKEYREJECTED: the password is wrong; -ENOKEY: it needs one and `password` is NULL; -EFBIG: it wants more memory or
 * operations than that.
 */
int minisign_key_read(const char *text, size_t length, const char *password, struct minisign_key **key);
/* As text; `password` NULL: plain. */
int minisign_key_write(const struct minisign_key *key, const char *password, char text[MINISIGN_TEXT_SIZE]);
void minisign_key_free(struct minisign_key *key);
void minisign_key_public(const struct minisign_key *key, struct minisign_public *public);

/* The text of a file, its comment and the key. 0; -EBADMSG: it is none. */
int minisign_public_read(const char *text, size_t length, struct minisign_public *public);
void minisign_public_write(const struct minisign_public *public, char text[MINISIGN_TEXT_SIZE]);
/* "4A7C…", sixteen digits. */
const char *minisign_id(const uint8_t id[8], char text[MINISIGN_ID_SIZE]);

/* The digest of `fd`, from its first octet to its last. */
int minisign_digest(int fd, uint8_t digest[MINISIGN_DIGEST]);
/* -EINVAL: the comment is too long, or not one line. */
int minisign_sign(const struct minisign_key *key, const uint8_t digest[MINISIGN_DIGEST], const char *comment,
                  char text[MINISIGN_TEXT_SIZE]);
int minisign_signature_read(const char *text, size_t length, struct minisign_signature *signature);
/* 0; -ENOKEY: it is another key's; -EKEYREJECTED: it is not of this file. */
int minisign_check_file(const struct minisign_public *public, const struct minisign_signature *signature,
                        const uint8_t digest[MINISIGN_DIGEST]);
/* The same of its trusted comment, which holds whatever became of the file. */
int minisign_check_comment(const struct minisign_public *public, const struct minisign_signature *signature);

#endif
