/* SPDX-License-Identifier: Apache-2.0 */
/* The key beside the record, and what it signs: tokens of subscribers, IDs of deliveries. */
#include "record/subscriptions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/hex.h"
#include "record/ledger_inside.h"

#define MAC_OCTETS 16 /* of a token: 128 bits */
#define MAC_DIGITS (2 * MAC_OCTETS)
#define DELIVERY_ID_OCTETS ((SUBSCRIPTIONS_DELIVERY_ID_SIZE - 1) / 2)
#define NUMBER_DIGITS_MAX 15 /* hexadecimal */
#define KEY_TEXT_SIZE HEX_SIZE(SUBSCRIPTIONS_KEY_OCTETS)

static const char purposes[TOKEN_PURPOSES] = { [TOKEN_CONFIRM] = 'c', [TOKEN_LEAVE] = 'e' };

static int read_key(int fd, struct subscriptions_key *key)
{
	char text[KEY_TEXT_SIZE];
	int result = file_read_at(fd, text, sizeof(text), 0);

	if (result == 0)
		result = hex_read(text, key->octets, sizeof(key->octets));
	explicit_bzero(text, sizeof(text));
	return result;
}

/* Written beside its place and linked there: who comes second finds the first one's, whole. */
static int make_key(const char *path, const char *state_dir)
{
	uint8_t octets[SUBSCRIPTIONS_KEY_OCTETS];
	char made[RECORD_PATH_SIZE + 8], text[KEY_TEXT_SIZE];
	struct stat owner;
	int fd, result;

	(void)snprintf(made, sizeof(made), "%.*s.XXXXXX", RECORD_PATH_SIZE - 1, path);
	fd = mkostemp(made, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	randombytes_buf(octets, sizeof(octets));
	hex_write(octets, sizeof(octets), text);
	text[KEY_TEXT_SIZE - 1] = '\n';
	result = file_write(fd, text, sizeof(text));
	explicit_bzero(text, sizeof(text));
	explicit_bzero(octets, sizeof(octets));
	if (result == 0 && stat(state_dir, &owner) == 0 && geteuid() == 0)
		(void)!fchown(fd, owner.st_uid, owner.st_gid);
	if (result == 0 && fsync(fd) != 0)
		result = -errno;
	(void)close(fd);
	if (result == 0 && link(made, path) != 0 && errno != EEXIST)
		result = -errno;
	(void)unlink(made);
	return result == 0 ? file_sync_folder(state_dir) : result;
}

int subscriptions_key_open(const char *state_dir, struct subscriptions_key *key, struct record_error *error)
{
	struct subscriptions_key read;
	char path[RECORD_PATH_SIZE];
	int fd, result = 0;

	if (snprintf(path, sizeof(path), "%s" SUBSCRIPTIONS_KEY_FILE, state_dir) >= (int)sizeof(path))
		return ledger_refuse(error, -ENAMETOOLONG, "the path of the record is too long", "");
	if (sodium_init() < 0)
		return ledger_refuse(error, -EIO, "libsodium cannot begin", "");
	if (access(path, F_OK) != 0)
		result = make_key(path, state_dir);
	fd = result == 0 ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (result == 0)
		result = fd < 0 ? -errno : read_key(fd, &read);
	if (fd >= 0)
		(void)close(fd);
	if (result == 0)
		*key = read;
	else
		(void)ledger_refuse(error, result,
		                    result == -EBADMSG ? "subscriptions.key beside the record is no key"
		                                       : "subscriptions.key beside the record cannot be read or made",
		                    "it must be readable by its owner, root or the user that `user:` names");
	explicit_bzero(&read, sizeof(read));
	return result;
}

void subscriptions_token(const struct subscriptions_key *key, enum token_purpose purpose, uint64_t subscriber,
                         const char *nonce, char token[SUBSCRIPTIONS_TOKEN_SIZE])
{
	char text[128], digits[MAC_DIGITS + 1];
	uint8_t sum[DIGEST_SHA256_SIZE];
	int length = snprintf(text, sizeof(text), "token/%c/%llu/%.64s", purposes[purpose],
	                      (unsigned long long)subscriber, nonce);

	digest_hmac_sha256(key->octets, sizeof(key->octets), text, (size_t)length, sum);
	hex_write(sum, MAC_OCTETS, digits);
	(void)snprintf(token, SUBSCRIPTIONS_TOKEN_SIZE, "%c%llx%s", purposes[purpose], (unsigned long long)subscriber,
	               digits);
}

int subscriptions_token_read(const char *token, enum token_purpose *purpose, uint64_t *subscriber)
{
	const char *which = token[0] ? memchr(purposes, token[0], sizeof(purposes)) : NULL;
	size_t length = strlen(token), digits = which && length > 1 + MAC_DIGITS ? length - 1 - MAC_DIGITS : 0;
	uint64_t number = 0;

	if (digits == 0 || digits > NUMBER_DIGITS_MAX || token[1] == '0' || strspn(token, "0123456789abcdef") != length)
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		number = number << 4 | (uint64_t)hex_digit(token[1 + i]);
	*purpose = (enum token_purpose)(which - purposes);
	*subscriber = number;
	return 0;
}

void subscriptions_delivery_id(const struct subscriptions_key *key, const struct delivery *delivery,
                               char id[SUBSCRIPTIONS_DELIVERY_ID_SIZE])
{
	uint8_t sum[DIGEST_SHA256_SIZE];
	char text[96];
	int length = snprintf(text, sizeof(text), "delivery/%llu/%lld", (unsigned long long)delivery->id,
	                      (long long)delivery->queued_ns);

	digest_hmac_sha256(key->octets, sizeof(key->octets), text, (size_t)length, sum);
	hex_write(sum, DELIVERY_ID_OCTETS, id);
}
