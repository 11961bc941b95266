/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An archive of the npm registry, the input being what is packed in it: packed here with gzip's stored blocks, so that
 * the search is among archives and not among broken gzip; an input that begins with gzip's own mark is taken as it is.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "trace/package.h"

#define STORED_MAX 65535
#define OVERHEAD 64
#define MEMBERS 2

/* RFC 1952, and RFC 1951 section 3.2.4. */
static size_t store(const uint8_t *data, size_t size, uint8_t *to)
{
	static const uint8_t head[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
	uint32_t sum = 0xffffffff;
	size_t at = sizeof(head);

	memcpy(to, head, sizeof(head));
	to[at++] = 1;
	to[at++] = (uint8_t)size;
	to[at++] = (uint8_t)(size >> 8);
	to[at++] = (uint8_t)~size;
	to[at++] = (uint8_t)(~size >> 8);
	if (size)
		memcpy(to + at, data, size);
	at += size;
	for (size_t i = 0; i < size; i++) {
		sum ^= data[i];
		for (unsigned bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (sum & 1 ? 0xedb88320 : 0);
	}
	for (unsigned i = 0; i < 4; i++)
		to[at++] = (uint8_t)(~sum >> 8 * i);
	for (unsigned i = 0; i < 4; i++)
		to[at++] = (uint8_t)((uint64_t)size >> 8 * i);
	return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct package_member members[MEMBERS] = { { .name = "package/x.mmdb", .max = 1 << 20 },
		                                   { .name = "package/y.csv", .max = 600 } };
	char error[PACKAGE_ERROR_SIZE];
	uint8_t *archive;
	size_t length = size;
	int result;

	if (size > STORED_MAX)
		return 0;
	archive = malloc(size + OVERHEAD);
	if (!archive)
		return 0;
	if (size >= 2 && data[0] == 0x1f && data[1] == 0x8b)
		memcpy(archive, data, size);
	else
		length = store(data, size, archive);
	result = package_unpack(archive, length, members, MEMBERS, error);
	REQUIRE(result == 0 || result == -ENOMEM || (result == -EBADMSG && error[0] && strlen(error) < sizeof(error)));
	for (unsigned i = 0; i < MEMBERS; i++) {
		REQUIRE(members[i].size <= members[i].max);
		free(members[i].octets);
	}
	free(archive);
	return 0;
}
