/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of whom the shield is dropping. What is read is in order, within its bounds, and found as by looking at each;
 * what is written of it is read again and the same. A mistake has a line that the text has, or the one behind its end.
 */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "impact/dropped.h"

static void check_list(const struct dropped_list *list, uint32_t most)
{
	REQUIRE(list->count <= most && list->ipv4 <= list->count);
	for (uint32_t i = 0; i < list->count; i++) {
		const struct prefix *prefix = &list->prefixes[i];

		REQUIRE(prefix->length > 0 && prefix->is_ipv4 == (i < list->ipv4));
		REQUIRE(i == 0 || !prefix_covers(&list->prefixes[i - 1], prefix));
	}
}

static bool has(const struct dropped_list *list, const struct address *address)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (prefix_contains(&list->prefixes[i], address))
			return true;
	return false;
}

/* Each prefix's first address, and the one before it. */
static void check_found(const struct dropped *dropped, const struct dropped_list *list)
{
	for (uint32_t i = 0; i < list->count && i < 64; i++) {
		struct address address = list->prefixes[i].address;

		REQUIRE(dropped_has(dropped, &address) ==
		        (has(&dropped->dropping, &address) && !has(&dropped->passing, &address)));
		address.octets[15]--;
		REQUIRE(dropped_has(dropped, &address) ==
		        (has(&dropped->dropping, &address) && !has(&dropped->passing, &address)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dropped_error error = { .line = 0 };
	struct dropped dropped, again;
	char *text, *text_again;
	size_t length, length_again;
	uint64_t lines = 1;

	if (dropped_read((const char *)data, size, &dropped, &error) != 0) {
		for (size_t i = 0; i < size; i++)
			lines += data[i] == '\n';
		REQUIRE(error.line >= 1 && error.line <= lines && error.what[0] != '\0');
		return 0;
	}
	check_list(&dropped.dropping, DROPPED_MAX);
	check_list(&dropped.passing, DROPPED_PASSING_MAX);
	check_found(&dropped, &dropped.dropping);
	check_found(&dropped, &dropped.passing);
	REQUIRE(dropped_write(&dropped, &text, &length) == 0);
	REQUIRE(dropped_read(text, length, &again, &error) == 0);
	REQUIRE(dropped_write(&again, &text_again, &length_again) == 0);
	REQUIRE(length == length_again && memcmp(text, text_again, length) == 0);
	free(text);
	free(text_again);
	dropped_fini(&dropped);
	dropped_fini(&again);
	return 0;
}
