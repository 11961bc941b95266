/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capture files, read as a chain of records: what a file is, by its first octets, and what is said where it is none.
 * The formats are in pcap.c and pcapng.c, the octets are looked at through input.c.
 *
 * A file that grows is read as long as it was when it was opened.
 */
#include "observe/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "observe/container.h"
#include "observe/unpack.h"
#include "observe/input.h"

#define MAGIC_SIZE 4 /* octets that tell what a file is */

enum capture_kind capture_broken(struct capture *capture, struct capture_record *record, const char *format, ...)
{
	uint64_t offset = input_offset(&capture->input);
	int used = snprintf(capture->error, sizeof(capture->error), "offset %" PRIu64 ": ", offset);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(capture->error + used, sizeof(capture->error) - (size_t)used, format, arguments);
	va_end(arguments);
	*record = (struct capture_record){ .offset = offset };
	capture->state = STATE_END;
	return CAPTURE_BROKEN;
}

enum capture_kind capture_ran_out(struct capture *capture, struct capture_record *record, const char *what,
                                  size_t length)
{
	size_t left = input_left(&capture->input);
	uint64_t offset = input_offset(&capture->input);

	if (capture->input.fault)
		return capture_broken(capture, record, "cannot read on: %s", input_fault(&capture->input));
	capture->state = STATE_END;
	*record = (struct capture_record){ .offset = offset };
	if (left == 0)
		return CAPTURE_END;
	(void)snprintf(capture->error, sizeof(capture->error),
	               "offset %" PRIu64 ": the input ends inside a %s: %zu of %zu octets are there", offset, what,
	               left, length);
	record->raw = capture->input.at;
	record->raw_length = left;
	capture->input.at = capture->input.end;
	return CAPTURE_CUT;
}

enum capture_kind capture_hand_out(struct capture *capture, struct capture_record *record, size_t length)
{
	*record = (struct capture_record){
		.raw = capture->input.at,
		.raw_length = length,
		.offset = input_offset(&capture->input),
	};
	capture->input.at += length;
	return CAPTURE_OTHER;
}

static const struct {
	uint8_t length;
	uint8_t magic[8];
	const char *says;
} strangers[] = {
	{ 2, { 0x1f, 0x8b }, "compressed twice, inside with gzip; decompress it once" },
	{ 4, { 0x28, 0xb5, 0x2f, 0xfd }, "compressed twice, inside with zstd; decompress it once" },
	{ 6, { 0xfd, '7', 'z', 'X', 'Z', 0 }, "compressed with xz; decompress it first" },
	{ 3, { 'B', 'Z', 'h' }, "compressed with bzip2; decompress it first" },
	{ 4, { 0x04, 0x22, 0x4d, 0x18 }, "compressed with lz4; decompress it first" },
	{ 4, { 'P', 'K', 0x03, 0x04 }, "a zip archive; unpack it first" },
	{ 6, { '7', 'z', 0xbc, 0xaf, 0x27, 0x1c }, "a 7z archive; unpack it first" },
	{ 8, { 's', 'n', 'o', 'o', 'p', 0, 0, 0 }, "a snoop capture; convert it with `editcap -F pcap`" },
	{ 4, { 'G', 'M', 'B', 'U' }, "a Network Monitor capture; convert it with `editcap -F pcap`" },
	{ 4, { 'R', 'T', 'S', 'S' }, "a Network Monitor capture; convert it with `editcap -F pcap`" },
};

#define TEXT_LOOK 64 /* octets that must look like text before it is called that */

static bool looks_like_text(const uint8_t *octets, size_t length)
{
	for (size_t i = 0; i < length && i < TEXT_LOOK; i++) {
		bool blank = octets[i] == '\t' || octets[i] == '\n' || octets[i] == '\r';

		if ((octets[i] < 0x20 && !blank) || octets[i] == 0x7f)
			return false;
	}
	return true;
}

int capture_refuse(const struct capture *capture, char error[CAPTURE_ERROR_SIZE])
{
	size_t left = input_left(&capture->input);
	const uint8_t *at = capture->input.at;

	if (capture->input.fault) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "cannot read: %s", input_fault(&capture->input));
		return -capture->input.fault;
	}
	if (left == 0) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "empty: not even a file header");
		return -ENODATA;
	}
	/* Less is of nothing; least of all of what would have been unpacked with more. */
	for (size_t i = 0; left >= MAGIC_SIZE && i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		if (left >= strangers[i].length && memcmp(at, strangers[i].magic, strangers[i].length) == 0) {
			(void)snprintf(error, CAPTURE_ERROR_SIZE, "%s", strangers[i].says);
			return -EPROTONOSUPPORT;
		}
	}
	if (looks_like_text(at, left))
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "text, not a capture (pcap or pcapng)");
	else if (left < MAGIC_SIZE)
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "ends at offset %zu: too short for a capture", left);
	else
		(void)snprintf(error, CAPTURE_ERROR_SIZE,
		               "neither pcap nor pcapng: begins with %02x %02x %02x %02x, no magic known here", at[0],
		               at[1], at[2], at[3]);
	return -EPROTONOSUPPORT;
}

/* Reads the magic, and the header behind it. 0, or -errno with *error filled. */
static int start(struct capture *capture, char error[CAPTURE_ERROR_SIZE])
{
	enum unpack_format format;
	uint32_t magic;

	if (!input_holds(&capture->input, MAGIC_SIZE))
		return capture_refuse(capture, error);
	format = unpack_recognise(capture->input.at);
	if (format != UNPACK_NONE) {
		if (input_unpack(&capture->input, format)) {
			(void)snprintf(error, CAPTURE_ERROR_SIZE, "out of memory");
			return -ENOMEM;
		}
		if (!input_holds(&capture->input, MAGIC_SIZE))
			return capture_refuse(capture, error);
	}
	if (input_u32(capture->input.at, true) == PCAPNG_MAGIC)
		return pcapng_start(capture, error);
	if (pcap_recognise(capture->input.at, &magic, &capture->big_endian))
		return pcap_start(capture, magic, error);
	return capture_refuse(capture, error);
}

struct capture *capture_open(const char *path, char error[CAPTURE_ERROR_SIZE])
{
	bool standard_input = strcmp(path, "-") == 0;
	struct capture *capture = calloc(1, sizeof(*capture));
	struct stat status;
	uint64_t length = UINT64_MAX;
	int descriptor;

	if (!capture) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "out of memory");
		return NULL;
	}
	descriptor = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	capture->close_descriptor = descriptor >= 0 && !standard_input;
	capture->input.descriptor = descriptor;
	if (descriptor < 0 || fstat(descriptor, &status)) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "cannot open: %s", input_errno_text(errno));
		goto undo;
	}
	if (S_ISDIR(status.st_mode)) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "a directory, not a capture");
		goto undo;
	}
	/* Standard input may stand anywhere in its file, and files of size 0 may still have content (/proc). */
	if (!standard_input && S_ISREG(status.st_mode) && status.st_size > 0) {
		capture->size = length = (uint64_t)status.st_size;
		/* Reads ahead further; a hint, so its failure does not matter. */
		(void)posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	if (input_read(&capture->input, descriptor, length)) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "out of memory");
		goto undo;
	}
	if (start(capture, error))
		goto undo;
	return capture;
undo:
	capture_close(capture);
	return NULL;
}

struct capture *capture_open_memory(const void *data, size_t length, char error[CAPTURE_ERROR_SIZE])
{
	struct capture *capture = calloc(1, sizeof(*capture));

	if (!capture) {
		(void)snprintf(error, CAPTURE_ERROR_SIZE, "out of memory");
		return NULL;
	}
	input_over(&capture->input, data, length);
	capture->size = length;
	if (start(capture, error)) {
		capture_close(capture);
		return NULL;
	}
	return capture;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	if (capture->close_descriptor)
		(void)close(capture->input.descriptor);
	input_fini(&capture->input);
	free(capture->interfaces);
	free(capture);
}

enum capture_kind capture_next(struct capture *capture, struct capture_record *record)
{
	if (__builtin_expect(capture->state == STATE_PCAP, 1))
		return pcap_next(capture, record);
	switch (capture->state) {
	case STATE_PCAP:
		break;
	case STATE_PCAPNG:
		return pcapng_next(capture, record);
	case STATE_PCAP_HEADER:
		capture->state = STATE_PCAP;
		return capture_hand_out(capture, record, PCAP_FILE_HEADER);
	case STATE_END:
		break;
	}
	*record = (struct capture_record){ .offset = input_offset(&capture->input) };
	return CAPTURE_END;
}

const char *capture_error(const struct capture *capture)
{
	return capture->error;
}

uint64_t capture_position(const struct capture *capture)
{
	return input_position(&capture->input);
}

uint64_t capture_size(const struct capture *capture)
{
	return capture->size;
}
