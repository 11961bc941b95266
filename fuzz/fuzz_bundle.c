/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles and what goes with them are octets from outside. The input is read as a bundle, and as a key or a signature.
 * To get behind the sums, which a fuzzer does not find, it is made the claims of a bundle that is whole, too, and that
 * is computed anew. What can be read can be erased from, and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/recompute.h"
#include "harness.h"
#include "record/bundle.h"
#include "record/minisign.h"

static int memory(const void *octets, size_t length)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, octets, length) == (ssize_t)length);
	return fd;
}

static void erase(const struct bundle *bundle, int fd)
{
	const bool all[BUNDLE_SEGMENTS] = {
		[BUNDLE_PACKETS] = true, [BUNDLE_SOURCES] = true, [BUNDLE_ANALYSIS] = true
	};
	struct bundle_fault fault;
	struct bundle after;
	int out = memory("", 0);

	if (bundle_erase(bundle, fd, all, 1, "fuzz", out) == 0) {
		REQUIRE(bundle_read(out, &after, &fault) == 0);
		REQUIRE(strcmp(after.head, bundle->head) == 0);
		bundle_fini(&after);
	}
	(void)close(out);
}

static void read_one(int fd)
{
	struct recompute_fault differs;
	struct recomputed recomputed;
	struct bundle_fault fault;
	struct bundle bundle;

	if (bundle_read(fd, &bundle, &fault) != 0)
		return;
	(void)recompute(&bundle, fd, &recomputed, &differs);
	erase(&bundle, fd);
	bundle_fini(&bundle);
}

/* The first octet says which segment the others are. */
static void wrap(const uint8_t *data, size_t size)
{
	static const char analysis[] = "{\"incidents\":[{\"id\":\"f\",\"packets\":0,\"bytes\":0}]}";
	struct bundle_making making = { .made_s = 1 };
	json_t *about = json_pack("{s:{s:s,s:s},s:{s:i,s:i}}", "incident", "id", "f", "state", "final", "packets",
	                          "written", 0, "addresses", 0);
	char head[BUNDLE_HEX_SIZE];
	unsigned segment = data[0] % BUNDLE_SEGMENTS;
	int out = memory("", 0);

	for (unsigned i = 0; i < BUNDLE_SEGMENTS; i++)
		making.segments[i].fd = -1;
	making.about = about;
	making.segments[BUNDLE_ANALYSIS].fd = memory(analysis, strlen(analysis));
	making.segments[BUNDLE_ANALYSIS].octets = strlen(analysis);
	if (segment == BUNDLE_ANALYSIS)
		(void)close(making.segments[BUNDLE_ANALYSIS].fd);
	making.segments[segment].fd = memory(data + 1, size - 1);
	making.segments[segment].octets = size - 1;
	REQUIRE(bundle_write(&making, out, head) == 0);
	read_one(out);
	for (unsigned i = 0; i < BUNDLE_SEGMENTS; i++)
		if (making.segments[i].fd >= 0)
			(void)close(making.segments[i].fd);
	(void)close(out);
	json_decref(about);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct minisign_signature signature;
	struct minisign_public public = { .id = { 0 } };
	struct minisign_key *key;
	char *text = malloc(size + 1);
	int fd = memory(data, size);

	REQUIRE(text);
	memcpy(text, data, size);
	text[size] = '\0';
	read_one(fd);
	(void)close(fd);
	if (size > 0)
		wrap(data, size);
	if (minisign_public_read(text, size, &public) == 0) {
		char again[MINISIGN_TEXT_SIZE];

		minisign_public_write(&public, again);
	}
	if (minisign_signature_read(text, size, &signature) == 0)
		(void)minisign_check_comment(&public, &signature);
	if (minisign_key_read(text, size, NULL, &key) == 0) /* no password: its work is not for a fuzzer */
		minisign_key_free(key);
	free(text);
	return 0;
}
