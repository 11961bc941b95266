/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parser_truth KEY_OBJECT FOLDER...: what the parser of the kernel makes of every packet of real captures is what the
 * decoder makes of it, and so it is of packets in which some octets were changed. Speaks TAP, four cases a folder below
 * HOLDFAST_DATA (default ../shared/data): the parser compiled for this machine, and the same in the kernel
 * (tests/bpf/key.bpf.c, by BPF_PROG_TEST_RUN), which is skipped where programs may not be loaded; the packets as they
 * are, and changed.
 *
 * A frame in the kernel is all there is of it, so the decoder is told that too. Captures that are not of Ethernet get
 * its header in front, where what they have instead says what follows; others are counted. A difference fails its case
 * unless outer_explained() says why it is to be; how often is printed. So is how often each reason was met.
 */
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "key.h"
#include "observe/capture.h"
#include "outer.h"
#include "packet.h"
#include "shield/maps.h"

#define FRAME_MAX 3400 /* of a test run in the kernel, in one page */
#define ETHERNET 14
#define SHOWN 20 /* differences shown of a case */
#define FILES_MAX 4096
#define WHYS_MAX 8

static struct {
	struct bpf_object *object;
	int program; /* -1: not had */
	const struct key_answer *answer;
} kernel = { .program = -1 };

struct tally {
	unsigned long frames, differences, skipped_links, short_frames;
	unsigned long reasons[SHIELD_REASONS];
	struct {
		const char *why;
		unsigned long count;
	} whys[WHYS_MAX];
};

static char *files[FILES_MAX];
static unsigned file_count;
static unsigned failures;

__attribute__((format(printf, 2, 0))) static int only_warns(enum libbpf_print_level level, const char *format,
                                                            va_list arguments)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

/* Why the kernel is not asked, or NULL. */
static const char *load(const char *path)
{
	const struct bpf_map *map;
	void *memory;

	if (geteuid() != 0)
		return "loading a program needs root";
	kernel.object = bpf_object__open_file(path, NULL);
	if (!kernel.object)
		return "the program's object cannot be read";
	errno = 0;
	if (bpf_object__load(kernel.object) != 0) {
		if (errno == EPERM)
			return "loading a program is not permitted";
		printf("Bail out! the kernel refuses the program: %s\n", strerror(errno));
		exit(1);
	}
	map = bpf_object__find_map_by_name(kernel.object, "answer");
	memory = mmap(NULL, sizeof(struct key_answer), PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);
	if (memory == MAP_FAILED)
		return "its map cannot be looked at";
	kernel.answer = memory;
	kernel.program = bpf_program__fd(bpf_object__find_program_by_name(kernel.object, "tell_key"));
	return NULL;
}

static bool ask_kernel(const uint8_t *data, uint32_t length, enum shield_reason *reason, struct shield_key *key)
{
	struct bpf_test_run_opts options = {
		.sz = sizeof(options), .data_in = data, .data_size_in = length, .repeat = 1
	};

	if (bpf_prog_test_run_opts(kernel.program, &options) != 0)
		return false;
	*reason = (enum shield_reason)kernel.answer->reason;
	memcpy(key, &kernel.answer->key, sizeof(*key));
	return true;
}

static void explain(struct tally *tally, const char *why)
{
	unsigned i = 0;

	while (i < WHYS_MAX - 1 && tally->whys[i].why && tally->whys[i].why != why)
		i++;
	tally->whys[i].why = why;
	tally->whys[i].count++;
}

static void hold(const uint8_t *data, uint32_t length, bool in_kernel, const char *file, unsigned long number,
                 struct tally *tally)
{
	struct shield_key key, wanted_key;
	enum shield_reason is, wanted;
	struct observation o;
	const char *why, *difference;

	wanted = outer_expected(outer_decode(data, length, &o), &o, &wanted_key);
	if (!in_kernel) {
		is = outer_parse(data, length, SHIELD_NEED_OPTIONS | SHIELD_NEED_PAYLOAD, &key);
	} else if (length < ETHERNET) {
		tally->short_frames++; /* no driver hands on such a frame, and the test run takes none */
		return;
	} else if (!ask_kernel(data, length, &is, &key)) {
		printf("# %s: packet %lu: the kernel does not run it: %s\n", file, number, strerror(errno));
		tally->differences++;
		return;
	}
	tally->frames++;
	tally->reasons[is < SHIELD_REASONS ? is : 0]++;
	difference = outer_difference(is, &key, wanted, &wanted_key);
	if (!difference)
		return;
	why = outer_explained(data, length, is);
	if (why) {
		explain(tally, why);
		return;
	}
	if (tally->differences++ < SHOWN)
		printf("# %s: packet %lu: %s\n", file, number, difference);
}

/* Captures of other links: how long their header is, and of what type what follows is; 0 where that is not known. */
static uint16_t link_header(const struct capture_record *record, uint32_t *length)
{
	const uint8_t *data = record->data;
	uint32_t captured = record->captured;

	switch (record->link_type) {
	case 0: /* NULL, LOOP: a number for the family, by which system's count nobody says */
	case 108:
		*length = 4;
		break;
	case 12: /* raw IP */
	case 14:
	case 101:
	case 228:
	case 229:
		*length = 0;
		break;
	case 113: /* Linux cooked */
		*length = 16;
		return captured >= 16 ? (uint16_t)(data[14] << 8 | data[15]) : 0;
	case 276:
		*length = 20;
		return captured >= 20 ? (uint16_t)(data[0] << 8 | data[1]) : 0;
	default:
		return 0;
	}
	if (captured <= *length)
		return 0;
	return data[*length] >> 4 == 6 ? 0x86dd : 0x0800;
}

static void hold_record(const struct capture_record *record, bool in_kernel, const char *file, unsigned long number,
                        struct tally *tally)
{
	static uint8_t frame[FRAME_MAX];
	uint32_t length = record->captured, header;
	const uint8_t *data = record->data;
	uint16_t type;

	if (record->link_type != 1) {
		type = link_header(record, &header);
		if (type == 0) {
			tally->skipped_links++;
			return;
		}
		memset(frame, 2, ETHERNET);
		frame[12] = (uint8_t)(type >> 8);
		frame[13] = (uint8_t)type;
		data += header;
		length -= header;
		if (length > FRAME_MAX - ETHERNET)
			length = FRAME_MAX - ETHERNET;
		memcpy(frame + ETHERNET, data, length);
		data = frame;
		length += ETHERNET;
	}
	hold(data, length < FRAME_MAX ? length : FRAME_MAX, in_kernel, file, number, tally);
}

static uint64_t random_state;

static void hold_changed(const struct capture_record *record, bool in_kernel, const char *file, unsigned long number,
                         struct tally *tally)
{
	static uint8_t frame[FRAME_MAX];
	struct capture_record changed = *record;

	if (changed.captured > FRAME_MAX)
		changed.captured = FRAME_MAX;
	memcpy(frame, record->data, changed.captured);
	packet_change(frame, &changed.captured, &random_state);
	changed.data = frame;
	hold_record(&changed, in_kernel, file, number, tally);
}

static void hold_file(const char *file, bool in_kernel, bool changed, struct tally *tally)
{
	char error[CAPTURE_ERROR_SIZE];
	struct capture *capture = capture_open(file, error);
	struct capture_record record;
	enum capture_kind kind;

	if (!capture) {
		printf("# %s: %s\n", file, error);
		return;
	}
	for (unsigned long number = 0; (kind = capture_next(capture, &record)) != CAPTURE_END;)
		if (kind == CAPTURE_PACKET)
			(changed ? hold_changed : hold_record)(&record, in_kernel, file, ++number, tally);
	capture_close(capture);
}

static int take_file(const char *path, const struct stat *status, int type, struct FTW *where)
{
	static const char *const endings[] = { ".pcap", ".pcapng", ".cap" };
	const char *dot = strrchr(path, '.');

	(void)status;
	(void)where;
	for (unsigned i = 0; type == FTW_F && dot && i < 3; i++)
		if (strcmp(dot, endings[i]) == 0 && file_count < FILES_MAX)
			files[file_count++] = strdup(path);
	return 0;
}

static void report(unsigned number, const char *folder, const char *how, const struct tally *tally)
{
	bool failed = tally->differences != 0 || tally->frames == 0;

	for (unsigned i = 0; i < SHIELD_REASONS; i++)
		if (tally->reasons[i])
			printf("# %s: %lu\n", shield_reason_name((enum shield_reason)i), tally->reasons[i]);
	for (unsigned i = 0; i < WHYS_MAX && tally->whys[i].why; i++)
		printf("# explained: %lu: %s\n", tally->whys[i].count, tally->whys[i].why);
	if (tally->skipped_links)
		printf("# of another kind of link: %lu\n", tally->skipped_links);
	if (tally->short_frames)
		printf("# shorter than an Ethernet header: %lu\n", tally->short_frames);
	printf("%sok %u - %s %s: %lu frames, %lu differences\n", failed ? "not " : "", number, folder, how,
	       tally->frames, tally->differences);
	fflush(stdout);
	failures += failed;
}

int main(int count, char **arguments)
{
	const char *data = getenv("HOLDFAST_DATA"), *why;
	unsigned number = 0;

	if (count < 3) {
		fputs("usage: parser_truth KEY_OBJECT FOLDER...\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	libbpf_set_print(only_warns);
	printf("1..%d\n", 4 * (count - 2));
	why = load(arguments[1]);
	for (int i = 2; i < count; i++) {
		char path[4096];

		file_count = 0;
		(void)snprintf(path, sizeof(path), "%s/%s", data ? data : "../shared/data", arguments[i]);
		(void)nftw(path, take_file, 16, FTW_PHYS);
		for (unsigned way = 0; way < 4; way++) {
			static const char *const ways[] = { "in memory", "in the kernel", "changed, in memory",
				                            "changed, in the kernel" };
			const char *how = ways[way];
			bool in_kernel = way % 2, changed = way >= 2;
			struct tally tally = { .frames = 0 };

			number++;
			random_state = number;
			if (file_count == 0 || (in_kernel && why)) {
				printf("ok %u - %s %s # SKIP %s\n", number, arguments[i], how,
				       file_count ? why : "no captures there");
				continue;
			}
			for (unsigned j = 0; j < file_count; j++)
				hold_file(files[j], in_kernel, changed, &tally);
			report(number, arguments[i], how, &tally);
		}
		while (file_count > 0)
			free(files[--file_count]);
	}
	bpf_object__close(kernel.object);
	return failures != 0;
}
