/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/webhook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/digest.h"
#include "tell/status_inside.h"

static const char secret_begins[] = "whsec_";

int webhook_secret_read(const char *text, struct webhook_secret *secret)
{
	struct webhook_secret read;
	size_t begins = strlen(secret_begins);

	if (strncmp(text, secret_begins, begins) != 0 ||
	    base64_read(text + begins, strlen(text + begins), read.octets, sizeof(read.octets), &read.count) != 0 ||
	    read.count < WEBHOOK_SECRET_MIN)
		return -EINVAL;
	*secret = read;
	return 0;
}

void webhook_sign(const struct webhook_secret *secret, const char *id, int64_t timestamp_s, const char *body,
                  size_t length, char lines[WEBHOOK_HEADERS][WEBHOOK_HEADER_SIZE])
{
	char head[WEBHOOK_ID_SIZE + 32], signature[BASE64_SIZE(DIGEST_SHA256_SIZE)] = "";
	int count = snprintf(head, sizeof(head), "%.*s.%lld.", WEBHOOK_ID_SIZE - 1, id, (long long)timestamp_s);
	uint8_t sum[DIGEST_SHA256_SIZE];
	char *whole = malloc((size_t)count + length + 1);

	/* Without memory the signature is empty, which no receiver takes: it is sent again another time. */
	if (whole) {
		memcpy(whole, head, (size_t)count);
		memcpy(whole + count, body, length);
		digest_hmac_sha256(secret->octets, secret->count, whole, (size_t)count + length, sum);
		base64_write(sum, sizeof(sum), signature);
		free(whole);
	}
	(void)snprintf(lines[0], WEBHOOK_HEADER_SIZE, "webhook-id: %.*s", WEBHOOK_ID_SIZE - 1, id);
	(void)snprintf(lines[1], WEBHOOK_HEADER_SIZE, "webhook-timestamp: %lld", (long long)timestamp_s);
	(void)snprintf(lines[2], WEBHOOK_HEADER_SIZE, "webhook-signature: v1,%s", signature);
}

int webhook_body(const struct status_page *page, const struct webhook_event *event, char **body, size_t *length)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int result;

	if (!out)
		return -ENOMEM;
	result = status_event_write(out, page, event);
	if (fclose(out) != 0 && result == 0)
		result = -ENOMEM;
	if (result != 0) {
		free(text);
		return result;
	}
	*body = text;
	*length = size;
	return 0;
}
