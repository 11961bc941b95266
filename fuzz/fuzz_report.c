/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input up to its first NUL is a report of `holdfast analyze --json`, what follows is a capture (a small one of the
 * harness's own where nothing does); `holdfast try` applies the one to the other. An odd number of octets asks for its
 * summary in JSON.
 *
 * Whatever they are, it ends with 0 or 1 and never with anything else. What it wrote reads to its end and holds as many
 * packets as the summary says have passed; where it ended well and no packet was dropped, these are the capture's
 * octets but for lengths of sections; where the report is refused, nothing was written.
 *
 * The same octets are given to the report in HTML as the name of a file and of a service: it stays sound.
 *
 * No file is made: both inputs are anonymous memory, and the output is a pipe that holds all of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>

#include "harness.h"
#include "cli/command.h"
#include "engine/engine.h"
#include "html.h"
#include "observe/capture.h"
#include "tell/analysis.h"
#include "tell/words.h"

#define INPUT_MAX (48u << 10) /* a pipe holds 64 KiB */
#define PATH_SIZE 32

/* Two packets to 192.0.2.1, a second apart: a SYN to port 443 and a UDP packet from port 123. */
static const uint8_t small_capture[] = {
	0xd4, 0xc3, 0xb2, 0xa1, 2,    0,  4,    0,  0,    0,  0,    0, 0,  0,    0,   0,    0,   0,    4,
	0,    101,  0,    0,    0,    0,  0,    0,  0,    0,  0,    0, 0,  40,   0,   0,    0,   40,   0,
	0,    0,    0x45, 0,    0,    40, 0,    1,  0x40, 0,  64,   6, 0,  0,    198, 51,   100, 7,    192,
	0,    2,    1,    0x30, 0x39, 1,  0xbb, 0,  0,    0,  1,    0, 0,  0,    0,   0x50, 2,   0xff, 0xff,
	0,    0,    0,    0,    1,    0,  0,    0,  0,    0,  0,    0, 36, 0,    0,   0,    36,  0,    0,
	0,    0x45, 0,    0,    36,   0,  2,    0,  0,    57, 17,   0, 0,  203,  0,   113,  9,   192,  0,
	2,    1,    0,    123,  0,    80, 0,    16, 0,    0,  0xd7, 0, 3,  0x2a, 0,   6,    0,   0x48,
};

struct octets {
	const uint8_t *data;
	size_t size;
};

/* ---- what the command reads and writes ---- */

struct place {
	int descriptor;
	char path[PATH_SIZE];
};

static void place_name(struct place *place)
{
	snprintf(place->path, sizeof(place->path), "/proc/self/fd/%d", place->descriptor);
}

static void fill(struct place *place, const char *name, struct octets octets)
{
	if (!place->path[0]) {
		place->descriptor = memfd_create(name, MFD_CLOEXEC);
		REQUIRE(place->descriptor >= 0);
		place_name(place);
	}
	REQUIRE(ftruncate(place->descriptor, 0) == 0);
	for (size_t done = 0; done < octets.size;) {
		ssize_t put = pwrite(place->descriptor, octets.data + done, octets.size - done, (off_t)done);

		REQUIRE(put > 0);
		done += (size_t)put;
	}
}

/* What stands in the pipe. */
static size_t drain(int from, uint8_t *buffer, size_t size)
{
	size_t done = 0;

	for (;;) {
		ssize_t got = read(from, buffer + done, size - done);

		if (got < 0 && errno == EAGAIN)
			return done;
		REQUIRE(got > 0);
		done += (size_t)got;
	}
}

/* ---- what it may have written ---- */

/* -1 where it cannot be read to its end. */
static long count_packets(struct octets octets)
{
	char error[CAPTURE_ERROR_SIZE];
	struct capture *capture = capture_open_memory(octets.data, octets.size, error);
	struct capture_record record;
	enum capture_kind kind;
	long count = 0;

	if (!capture)
		return -1;
	while ((kind = capture_next(capture, &record)) == CAPTURE_PACKET || kind == CAPTURE_OTHER)
		count += kind == CAPTURE_PACKET;
	capture_close(capture);
	return kind == CAPTURE_END ? count : -1;
}

static long number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	REQUIRE(json_is_integer(value));
	return (long)json_integer_value(value);
}

static void check_summary(const char *text, struct octets in, struct octets out)
{
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const json_t *rules = json_object_get(root, "rules"), *rule;
	long passed, dropped, by_rules = 0;
	size_t i;

	REQUIRE(root && json_is_array(rules));
	passed = number(root, "passed");
	dropped = number(root, "dropped");
	REQUIRE(number(root, "packets") == passed + dropped);
	REQUIRE(number(root, "not_ip") + number(root, "undecodable") <= passed + dropped);
	json_array_foreach(rules, i, rule)
	{
		REQUIRE(number(rule, "dropped") <= number(rule, "matched"));
		by_rules += number(rule, "dropped");
	}
	REQUIRE(by_rules == dropped);
	REQUIRE(out.size == 0 || count_packets(out) == passed);
	if (json_is_false(json_object_get(root, "truncated"))) {
		REQUIRE(count_packets(in) == passed + dropped);
		REQUIRE(dropped > 0 || out.size == in.size);
	}
	json_decref(root);
}

/* ---- the report in HTML of an attack, where files and services bear such a name ---- */

static const char *hostile(const void *context, const struct finding *finding)
{
	(void)finding;
	return context;
}

static struct engine *attacked(void)
{
	struct engine *e = engine_new(1);

	REQUIRE(e);
	for (uint32_t i = 0; i < 600; i++) {
		const uint8_t from[4] = { 8, 8, (uint8_t)(i >> 8), (uint8_t)i }, to[4] = { 192, 0, 2, 1 };
		struct packet packet = { .observation = { .src = address_from_ipv4(from),
			                                  .dst = address_from_ipv4(to),
			                                  .time = { (int64_t)i * NS_PER_MS },
			                                  .flags = OBSERVATION_PORTS,
			                                  .protocol = 17,
			                                  .src_port = 11211,
			                                  .dst_port = 80,
			                                  .length = 1400,
			                                  .payload_length = 1372,
			                                  .weight = 1 } };

		engine_prepare(e, &packet);
		engine_observe(e, &packet, 1);
	}
	REQUIRE(engine_finish(e) == 0 && engine_count(e) == 1);
	return e;
}

static void check_names(struct octets text)
{
	static struct engine *engine;
	char *name = malloc(text.size + 1), *html = NULL;
	const char *const files[] = { name, "-", name };
	struct analysis_input input = { .files = files,
		                        .files_count = 3,
		                        .packets = 600,
		                        .truncated = true,
		                        .service_of = hostile,
		                        .service_context = name,
		                        .error = name };
	size_t size = 0;
	FILE *out = open_memstream(&html, &size);

	REQUIRE(name && out);
	memcpy(name, text.data, text.size);
	name[text.size] = '\0';
	if (!engine)
		engine = attacked();
	REQUIRE(report_write(out, &input, engine, NULL) == 0 && fclose(out) == 0);
	REQUIRE(html_is_sound(html, size));
	free(html);
	free(name);
}

/* ---- */

/* UTF-8, a line or several, without anything that a terminal obeys: whatever of the report is in it. */
static void check_complaint(const char *text, size_t size)
{
	REQUIRE(strlen(text) == size);
	while (*text) {
		uint32_t code;
		size_t length = words_utf8(text, &code);

		REQUIRE(length > 0 && (code == '\n' || (code >= ' ' && code < 0x7f) || code > 0x9f));
		REQUIRE(code < 0x202a || code > 0x202e); /* changes of direction */
		text += length;
	}
}

/* What the command says goes nowhere, what a sanitizer says stays on the descriptor; so the streams are exchanged. */
static int try_it(char *report, char *input, char *output, bool json, char **summary)
{
	static char name[] = "try", rules[] = "--rules", write_to[] = "-w", as_json[] = "--json";
	char *arguments[] = { name, rules, report, input, write_to, output, json ? as_json : NULL, NULL };
	FILE *saved_out = stdout, *saved_err = stderr;
	size_t said = 0, size = 0;
	char *complaint = NULL;
	int status;

	stdout = open_memstream(summary, &size);
	stderr = open_memstream(&complaint, &said);
	REQUIRE(stdout && stderr);
	status = try_command(json ? 7 : 6, arguments);
	REQUIRE(fclose(stdout) == 0 && fclose(stderr) == 0);
	stdout = saved_out;
	stderr = saved_err;
	/* Who is refused is told why. */
	REQUIRE(status == COMMAND_DONE || (status == COMMAND_BAD && said > 0));
	check_complaint(complaint, said);
	free(complaint);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct place report, input;
	static uint8_t written[2 * INPUT_MAX];
	struct octets text = { data, size }, capture = { small_capture, sizeof(small_capture) }, out = { written, 0 };
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	struct place output;
	int ends[2], status;
	char *summary = NULL;

	if (size > INPUT_MAX)
		return 0;
	if (nul) {
		text.size = (size_t)(nul - data);
		capture = (struct octets){ nul + 1, size - text.size - 1 };
	}
	check_names(text);
	fill(&report, "report", text);
	fill(&input, "capture", capture);
	REQUIRE(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
	output.descriptor = ends[1];
	place_name(&output);

	status = try_it(report.path, input.path, output.path, size & 1, &summary);
	out.size = drain(ends[0], written, sizeof(written));
	close(ends[0]);
	close(ends[1]);
	REQUIRE(out.size <= capture.size);
	if (status == COMMAND_DONE)
		REQUIRE(count_packets(out) >= 0);
	if (size & 1 && summary[0])
		check_summary(summary, capture, out);
	if (!summary[0])
		REQUIRE(status == COMMAND_BAD && out.size == 0);
	free(summary);
	return 0;
}
