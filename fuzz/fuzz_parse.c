/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An Ethernet frame. What the parser that runs in the kernel makes of it, compiled for this machine, is what the
 * decoder makes of it, but for what tests/bpf/outer.c explains; and what is not asked for is not read, and changes
 * nothing else.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "tests/bpf/outer.h"

#define FRAME_MAX 32767
#define NEEDS_ALL (SHIELD_NEED_OPTIONS | SHIELD_NEED_PAYLOAD)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t length = (uint32_t)size;
	struct shield_key key, wanted_key;
	enum shield_reason is, wanted;
	struct observation o;
	uint8_t *frame;

	if (size > FRAME_MAX)
		return 0;
	/* Memory just large enough. */
	frame = malloc(size ? size : 1);
	if (!frame)
		abort();
	if (size)
		memcpy(frame, data, size);
	wanted = outer_expected(outer_decode(frame, length, &o), &o, &wanted_key);
	is = outer_parse(frame, length, NEEDS_ALL, &key);
	REQUIRE(is <= SHIELD_PASS_LAST);
	REQUIRE(!outer_difference(is, &key, wanted, &wanted_key) || outer_explained(frame, length, is));
	for (uint32_t needs = 0; needs < NEEDS_ALL; needs++) {
		struct shield_key less, expected = key;

		if (!(needs & SHIELD_NEED_PAYLOAD)) {
			memset(expected.payload, 0, sizeof(expected.payload));
			expected.field[SHIELD_F_PAYLOAD_KEPT] = 0;
		}
		if (!(needs & SHIELD_NEED_OPTIONS)) {
			expected.tcp_options = 0;
			expected.field[SHIELD_F_MSS] = 0;
			expected.field[SHIELD_F_HAS] &= (uint16_t)~SHIELD_HAS_MSS;
		}
		REQUIRE(outer_parse(frame, length, needs, &less) == is);
		REQUIRE(memcmp(&less, &expected, sizeof(less)) == 0);
	}
	free(frame);
	return 0;
}
