/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two octets say how many more the packet had than were kept; the rest is a payload. What is said of it holds: flags
 * and numbers agree with each other and with the lengths, a request that says where its header block ends says the same
 * when the body behind it is left out, and no shorter piece of it ends earlier.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "observe/http.h"

static void agree(const struct http *http, size_t kept, size_t whole)
{
	REQUIRE(http->method > HTTP_NONE && http->method <= HTTP_OTHER);
	REQUIRE(http->headers <= HTTP_HEADERS_MAX);
	REQUIRE((http->order != 0) == (http->headers != 0));
	REQUIRE(!(http->flags & HTTP_CUT) == (kept == whole));
	REQUIRE(http->body <= whole);
	REQUIRE(http->body == 0 || (http->flags & HTTP_ENDED));
	REQUIRE(http->length == 0 || (http->flags & HTTP_LENGTH));
	REQUIRE(!(http->flags & HTTP_NAMED) || (http->flags & HTTP_QUERY));
	REQUIRE((http->flags & HTTP_QUERY) ? http->names != 0 : http->names == 0 && http->target == http->path);
	REQUIRE(http->target != 0 && http->path != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t kept = size < 2 ? 0 : size - 2, whole = size < 2 ? 0 : kept + data[0] + 256u * data[1];
	uint8_t *payload = malloc(kept); /* not one octet more: the sanitizer is to see who reads it */
	struct http http, shorter;

	if (!payload && kept)
		return 0;
	if (kept)
		memcpy(payload, data + 2, kept);
	(void)http_ends_block(payload, kept);
	REQUIRE(http_status(payload, kept) <= 999);
	if (http_read(payload, kept, whole, &http)) {
		agree(&http, kept, whole);
		if ((http.flags & (HTTP_ENDED | HTTP_CUT)) == HTTP_ENDED && http.body < UINT16_MAX) {
			size_t head = kept - http.body;

			REQUIRE(http_ends_block(payload, head));
			REQUIRE(http_read(payload, head, head, &shorter));
			REQUIRE(shorter.body == 0 && shorter.flags == http.flags && shorter.order == http.order &&
			        shorter.target == http.target && shorter.length == http.length);
			if (http_read(payload, head - 1, head - 1, &shorter))
				REQUIRE(!(shorter.flags & HTTP_ENDED));
		}
	}
	free(payload);
	return 0;
}
