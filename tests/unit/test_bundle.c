/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles: what is written is read, and the same evidence gives the same file; each octet that is changed, missing or
 * too many is named; what is erased keeps its sum. Keys and signatures, and that minisign takes them, if it is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "record/bundle.h"
#include "record/minisign.h"

#define OCTETS_MAX 65536

static char analysis[] = "{\"incidents\":[]}\n", packets[1500], sources[512];

static int memory(const void *octets, size_t length)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, octets, length), (ssize_t)length);
	return fd;
}

/* A bundle of three segments, the last of which ends where a block does. */
static int make(char head[BUNDLE_HEX_SIZE])
{
	struct bundle_making making = { .made_s = 1700000000 };
	json_t *about = json_pack("{s:s,s:s}", "tlp", "TLP:AMBER+STRICT", "made", "2023-11-14T22:13:20.000000Z");
	int out = memfd_create("bundle", MFD_CLOEXEC);

	memset(packets, 'p', sizeof(packets));
	memset(sources, 's', sizeof(sources));
	for (int i = 0; i < BUNDLE_SEGMENTS; i++)
		making.segments[i].fd = -1;
	making.about = about;
	making.segments[BUNDLE_ANALYSIS].fd = memory(analysis, strlen(analysis));
	making.segments[BUNDLE_ANALYSIS].octets = strlen(analysis);
	making.segments[BUNDLE_PACKETS].fd = memory(packets, sizeof(packets));
	making.segments[BUNDLE_PACKETS].octets = sizeof(packets);
	making.segments[BUNDLE_SOURCES].fd = memory(sources, sizeof(sources));
	making.segments[BUNDLE_SOURCES].octets = sizeof(sources);
	assert_int_equal(bundle_write(&making, out, head), 0);
	for (int i = 0; i < BUNDLE_SEGMENTS; i++)
		if (making.segments[i].fd >= 0)
			(void)close(making.segments[i].fd);
	json_decref(about);
	return out;
}

static size_t octets_of(int fd, uint8_t octets[OCTETS_MAX])
{
	ssize_t got = pread(fd, octets, OCTETS_MAX, 0);

	assert_in_range(got, 1, OCTETS_MAX - 1);
	return (size_t)got;
}

static void read_well(int fd, struct bundle *bundle)
{
	struct bundle_fault fault;

	if (bundle_read(fd, bundle, &fault) != 0)
		fail_msg("%s at %llu: %s", fault.member, (unsigned long long)fault.offset, fault.what);
}

static void what_is_written_is_read(void **state)
{
	char head[BUNDLE_HEX_SIZE], again[BUNDLE_HEX_SIZE], *text;
	static uint8_t octets[OCTETS_MAX], other[OCTETS_MAX];
	struct bundle bundle;
	size_t length;
	int fd = make(head), second = make(again);

	(void)state;
	assert_string_equal(head, again);
	length = octets_of(fd, octets);
	assert_int_equal(octets_of(second, other), length);
	assert_memory_equal(octets, other, length);
	read_well(fd, &bundle);
	assert_string_equal(bundle.head, head);
	assert_string_equal(json_string_value(json_object_get(bundle.manifest, "tlp")), "TLP:AMBER+STRICT");
	assert_int_equal(bundle.parts[BUNDLE_ANALYSIS].state, BUNDLE_WHOLE);
	assert_int_equal(bundle.parts[BUNDLE_TRACE].state, BUNDLE_ABSENT);
	assert_int_equal(bundle_text(&bundle, fd, BUNDLE_ANALYSIS, &text, &length), 0);
	assert_string_equal(text, analysis);
	free(text);
	assert_int_equal(bundle_text(&bundle, fd, BUNDLE_TRACE, &text, &length), -ENOENT);
	bundle_fini(&bundle);
	(void)close(fd);
	(void)close(second);
}

/* Which member an offset is in, by what the bundle says of itself. */
static const char *member_at(const struct bundle *bundle, size_t at, size_t length)
{
	if (at >= length - 2 * BUNDLE_BLOCK)
		return "";
	for (int i = BUNDLE_SEGMENTS - 1; i >= 0; i--)
		if (bundle->parts[i].state == BUNDLE_WHOLE && at >= bundle->parts[i].at - BUNDLE_BLOCK)
			return bundle_segment_name((enum bundle_segment)i);
	return "manifest.json head.txt erased.json analysis.json"; /* erased.json by another name is what is next */
}

/* Every octet of it, changed by one bit and by all. */
static void each_octet_counts_in(int fd)
{
	static uint8_t octets[OCTETS_MAX];
	struct bundle whole, bundle;
	struct bundle_fault fault;
	size_t length = octets_of(fd, octets);

	read_well(fd, &whole);
	for (size_t at = 0; at < length; at++)
		for (int way = 0; way < 2; way++) {
			uint8_t changed = (uint8_t)(octets[at] ^ (way ? 0xff : 1 << at % 8));

			assert_int_equal(pwrite(fd, &changed, 1, (off_t)at), 1);
			if (bundle_read(fd, &bundle, &fault) != -EBADMSG)
				fail_msg("octet %zu of %zu does not count", at, length);
			if (!strstr(member_at(&whole, at, length), fault.member) || fault.what[0] == '\0' ||
			    fault.offset > length)
				fail_msg("octet %zu: %s at %llu: %s", at, fault.member,
				         (unsigned long long)fault.offset, fault.what);
			assert_int_equal(pwrite(fd, &octets[at], 1, (off_t)at), 1);
		}
	read_well(fd, &bundle);
	bundle_fini(&bundle);
	bundle_fini(&whole);
}

static void each_octet_counts(void **state)
{
	char head[BUNDLE_HEX_SIZE];
	int fd = make(head);

	(void)state;
	each_octet_counts_in(fd);
	(void)close(fd);
}

static void each_length_counts(void **state)
{
	char head[BUNDLE_HEX_SIZE];
	static uint8_t octets[OCTETS_MAX];
	struct bundle bundle;
	struct bundle_fault fault;
	int fd = make(head);
	size_t length = octets_of(fd, octets);

	(void)state;
	for (size_t cut = 0; cut < length; cut++) {
		int shorter = memory(octets, cut);

		assert_int_equal(bundle_read(shorter, &bundle, &fault), -EBADMSG);
		assert_string_equal(fault.what, "the file ends too early");
		(void)close(shorter);
	}
	assert_int_equal(ftruncate(fd, (off_t)length + 1), 0);
	assert_int_equal(bundle_read(fd, &bundle, &fault), -EBADMSG);
	assert_string_equal(fault.what, "1 octets are behind its end");
	(void)close(fd);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(bundle_read(fd, &bundle, &fault), -EBADMSG);
	(void)close(fd);
}

static void what_is_erased_keeps_its_sum(void **state)
{
	const bool first[BUNDLE_SEGMENTS] = { [BUNDLE_PACKETS] = true, [BUNDLE_STREAM] = true };
	const bool all[BUNDLE_SEGMENTS] = { [BUNDLE_PACKETS] = true, [BUNDLE_SOURCES] = true };
	char head[BUNDLE_HEX_SIZE];
	struct bundle bundle, after;
	int fd = make(head), erased = memfd_create("erased", MFD_CLOEXEC), twice = memfd_create("twice", MFD_CLOEXEC);

	(void)state;
	read_well(fd, &bundle);
	assert_int_equal(bundle_erase(&bundle, fd, first, 1800000000, "30 days are over", erased), 0);
	read_well(erased, &after);
	assert_string_equal(after.head, head);
	assert_int_equal(after.parts[BUNDLE_PACKETS].state, BUNDLE_ERASED);
	assert_int_equal(after.parts[BUNDLE_PACKETS].erased_s, 1800000000);
	assert_string_equal(after.parts[BUNDLE_PACKETS].erased_why, "30 days are over");
	assert_string_equal(after.parts[BUNDLE_PACKETS].sha256, bundle.parts[BUNDLE_PACKETS].sha256);
	assert_int_equal(after.parts[BUNDLE_SOURCES].state, BUNDLE_WHOLE);
	assert_int_equal(bundle_erase(&after, erased, first, 1, "again", twice), -ENOENT);
	assert_int_equal(bundle_erase(&after, erased, all, 0, "no time", twice), -EINVAL);
	each_octet_counts_in(erased);
	assert_int_equal(bundle_erase(&after, erased, all, 1800000001, "asked for", twice), 0);
	bundle_fini(&after);
	read_well(twice, &after);
	assert_int_equal(after.parts[BUNDLE_PACKETS].erased_s, 1800000000);
	assert_string_equal(after.parts[BUNDLE_SOURCES].erased_why, "asked for");
	bundle_fini(&after);
	bundle_fini(&bundle);
	(void)close(fd);
	(void)close(erased);
	(void)close(twice);
}

static void words(void **state)
{
	(void)state;
	assert_string_equal(bundle_tlp("amber+strict"), "amber+strict");
	assert_null(bundle_tlp("white"));
	assert_true(bundle_segment_is_personal(BUNDLE_PACKETS));
	assert_false(bundle_segment_is_personal(BUNDLE_TRACE));
}

/* ---- keys ---- */

static void keys_are_read_back(void **state)
{
	char text[MINISIGN_TEXT_SIZE], secret[MINISIGN_TEXT_SIZE], id[MINISIGN_ID_SIZE];
	struct minisign_key *key, *again;
	struct minisign_public public, read;

	(void)state;
	assert_int_equal(minisign_key_new(&key), 0);
	minisign_key_public(key, &public);
	minisign_public_write(&public, text);
	assert_int_equal(minisign_public_read(text, strlen(text), &read), 0);
	assert_memory_equal(&public, &read, sizeof(read));
	assert_int_equal(strlen(minisign_id(public.id, id)), 16);
	assert_int_equal(minisign_key_write(key, NULL, secret), 0);
	assert_int_equal(minisign_key_read(secret, strlen(secret), NULL, &again), 0);
	minisign_key_public(again, &read);
	assert_memory_equal(&public, &read, sizeof(read));
	minisign_key_free(again);
	assert_int_equal(minisign_key_read(secret, strlen(secret) - 9, NULL, &again), -EBADMSG);
	assert_int_equal(minisign_key_read(text, strlen(text), NULL, &again), -EBADMSG);
	secret[139] = secret[139] == 'A' ? 'B' : 'A';
	assert_int_equal(minisign_key_read(secret, strlen(secret), NULL, &again), -EBADMSG);

	assert_int_equal(minisign_key_write(key, "open sesame", secret), 0);
	assert_int_equal(minisign_key_read(secret, strlen(secret), NULL, &again), -ENOKEY);
	assert_int_equal(minisign_key_read(secret, strlen(secret), "open barley", &again), -EKEYREJECTED);
	assert_int_equal(minisign_key_read(secret, strlen(secret), "open sesame", &again), 0);
	minisign_key_public(again, &read);
	assert_memory_equal(&public, &read, sizeof(read));
	minisign_key_free(again);
	minisign_key_free(key);
}

static void signatures_are_checked(void **state)
{
	char text[MINISIGN_TEXT_SIZE], long_comment[MINISIGN_COMMENT_SIZE + 1];
	uint8_t digest[MINISIGN_DIGEST], other[MINISIGN_DIGEST];
	struct minisign_signature signature;
	struct minisign_public public;
	struct minisign_key *key;
	int fd = memory("abc", 3);

	(void)state;
	assert_int_equal(minisign_key_new(&key), 0);
	minisign_key_public(key, &public);
	assert_int_equal(minisign_digest(fd, digest), 0);
	assert_int_equal(digest[0], 0xba); /* RFC 7693, appendix A */
	assert_int_equal(digest[63], 0x23);
	assert_int_equal(minisign_sign(key, digest, "head=12", text), 0);
	assert_int_equal(minisign_signature_read(text, strlen(text), &signature), 0);
	assert_string_equal(signature.comment, "head=12");
	assert_int_equal(minisign_check_file(&public, &signature, digest), 0);
	assert_int_equal(minisign_check_comment(&public, &signature), 0);
	memcpy(other, digest, sizeof(other));
	other[5] ^= 1;
	assert_int_equal(minisign_check_file(&public, &signature, other), -EKEYREJECTED);
	signature.comment[6] = '3';
	assert_int_equal(minisign_check_comment(&public, &signature), -EKEYREJECTED);
	public.id[0] ^= 1;
	assert_int_equal(minisign_check_file(&public, &signature, digest), -ENOKEY);
	assert_int_equal(minisign_check_comment(&public, &signature), -ENOKEY);
	assert_int_equal(minisign_sign(key, digest, "two\nlines", text), -EINVAL);
	memset(long_comment, 'x', sizeof(long_comment) - 1);
	long_comment[sizeof(long_comment) - 1] = '\0';
	assert_int_equal(minisign_sign(key, digest, long_comment, text), -EINVAL);
	for (size_t cut = 0; cut < strlen(text) - 1; cut++)
		assert_int_equal(minisign_signature_read(text, cut, &signature), -EBADMSG);
	minisign_key_free(key);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(each_octet_counts),
		cmocka_unit_test(each_length_counts),
		cmocka_unit_test(what_is_erased_keeps_its_sum),
		cmocka_unit_test(words),
		cmocka_unit_test(keys_are_read_back),
		cmocka_unit_test(signatures_are_checked),
	};

	return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
