/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever the input, the records cover it from the first octet on without gap or overlap, packets lie inside their
 * records, and the walk ends. Of a packed input that holds of what it unpacks to, as far as one cares to look.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "observe/capture.h"
#include "observe/unpack.h"

#define UNPACKED_LOOK (32u << 20)

static volatile uint8_t sink;

/* Reads all octets, so that the sanitizer sees a span that leaves the input. */
static void touch(const uint8_t *octets, size_t length)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + octets[i]);
	sink = sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[CAPTURE_ERROR_SIZE] = "";
	struct capture *capture = capture_open_memory(data, size, error);
	struct capture_record record;
	enum capture_kind kind;
	uint64_t covered = 0;
	int packed = size >= 4 && unpack_recognise(data) != UNPACK_NONE;

	if (!capture) {
		REQUIRE(error[0] != '\0' && !strchr(error, '\n'));
		return 0;
	}
	REQUIRE(capture_size(capture) == size);
	do {
		kind = capture_next(capture, &record);
		REQUIRE(record.offset == covered);
		if (kind == CAPTURE_PACKET || kind == CAPTURE_OTHER || kind == CAPTURE_CUT) {
			REQUIRE(record.raw_length > 0);
			REQUIRE(packed || (record.raw_length <= size - covered && record.raw == data + covered));
			touch(record.raw, record.raw_length);
			covered += record.raw_length;
		}
		if (kind == CAPTURE_PACKET) {
			REQUIRE(record.data >= record.raw);
			REQUIRE(record.captured <= (size_t)(record.raw + record.raw_length - record.data));
			REQUIRE(record.original >= record.captured);
			REQUIRE(record.link_type <= UINT16_MAX);
		}
		REQUIRE(packed ? capture_position(capture) <= size : capture_position(capture) == covered);
		REQUIRE((capture_error(capture)[0] != '\0') == (kind == CAPTURE_CUT || kind == CAPTURE_BROKEN));
	} while ((kind == CAPTURE_PACKET || kind == CAPTURE_OTHER) && (!packed || covered < UNPACKED_LOOK));
	REQUIRE(kind == CAPTURE_BROKEN || packed || covered == size);
	if (kind == CAPTURE_BROKEN || kind == CAPTURE_CUT || kind == CAPTURE_END)
		REQUIRE(capture_next(capture, &record) == CAPTURE_END && record.offset == covered &&
		        record.raw_length == 0);
	capture_close(capture);
	return 0;
}
