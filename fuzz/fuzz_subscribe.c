/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input up to its first NUL is what a stranger types as an address, or sends as a token. An address that is taken
 * stands in a mail without making a line of its own; a token that is read is of the digits that it was made of.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "record/subscriptions.h"
#include "tell/mail.h"

static unsigned lines_of(const char *octets)
{
	unsigned lines = 0;

	for (; *octets; octets++)
		lines += *octets == '\n';
	return lines;
}

static void put_into_mail(const char *address)
{
	struct mail mail = { .from = "a@example.org",
		             .to = "b@example.org",
		             .from_name = "",
		             .subject = "s",
		             .body = "b\n",
		             .id = "1",
		             .unsubscribe = "",
		             .date_s = 1 };
	char *plain, *octets;
	size_t length;

	REQUIRE(mail_write(&mail, &plain, &length) == 0);
	mail.to = address;
	REQUIRE(mail_write(&mail, &octets, &length) == 0);
	REQUIRE(length == strlen(octets) && lines_of(octets) == lines_of(plain));
	free(plain);
	free(octets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char address[MAIL_ADDRESS_SIZE], again[MAIL_ADDRESS_SIZE], *text = malloc(size + 1);
	enum token_purpose purpose;
	uint64_t number;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (mail_address_read(text, false, address) == 0) {
		REQUIRE(strlen(address) == strlen(text) && strlen(address) < MAIL_ADDRESS_SIZE);
		REQUIRE(mail_address_read(address, false, again) == 0 && strcmp(address, again) == 0);
		put_into_mail(address);
	} else {
		REQUIRE(mail_address_read(text, true, address) != 0);
	}
	if (subscriptions_token_read(text, &purpose, &number) == 0) {
		REQUIRE(purpose < TOKEN_PURPOSES && number > 0 && strlen(text) < SUBSCRIPTIONS_TOKEN_SIZE);
		REQUIRE(strspn(text, "0123456789abcdef") == strlen(text));
	}
	free(text);
	return 0;
}
