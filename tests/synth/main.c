/* SPDX-License-Identifier: Apache-2.0 */
/*
 * synth: writes captures of attacks and of busy days, with the truth about them. It reads nothing, listens to nothing
 * and sends nothing: files are its only output. Usage: README.md.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

#define EXIT_USAGE 2
#define SCALE_MAX 1000u

struct options {
	const char *out, *truth, *labels;
	uint64_t seed;
	uint32_t scale_pc;
	enum trace_format format;
	uint16_t vlan;
	enum wrap wrap;
	bool one_way, v6;
};

static int usage(FILE *to)
{
	fputs("usage: synth list\n"
	      "       synth SCENARIO -o FILE [--truth FILE] [--labels FILE] [--seed N] [--scale PERCENT]\n"
	      "             [--format pcap|pcapng] [--vlan ID] [--wrap HOW] [--one-way] [--ipv6]\n"
	      "example: synth ntp_reflection -o ntp.pcap --truth ntp.json --seed 7\n",
	      to);
	return to == stdout ? 0 : EXIT_USAGE;
}

static bool number(const char *text, uint64_t lo, uint64_t hi, uint64_t *out)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || v < lo || v > hi)
		return false;
	*out = v;
	return true;
}

static int list(void)
{
	struct scenario s;

	for (unsigned int i = 0; scenario_at(i, &s); i++)
		printf("%-26s %s\n", s.name, s.help);
	return fflush(stdout) || ferror(stdout) ? 1 : 0;
}

static bool parse(int argc, char **argv, struct options *o)
{
	enum {
		OPT_TRUTH = 256,
		OPT_LABELS,
		OPT_SEED,
		OPT_SCALE,
		OPT_FORMAT,
		OPT_VLAN,
		OPT_WRAP,
		OPT_ONE_WAY,
		OPT_IPV6
	};
	static const struct option longs[] = {
		{ "truth", required_argument, NULL, OPT_TRUTH },   { "labels", required_argument, NULL, OPT_LABELS },
		{ "seed", required_argument, NULL, OPT_SEED },     { "scale", required_argument, NULL, OPT_SCALE },
		{ "format", required_argument, NULL, OPT_FORMAT }, { "vlan", required_argument, NULL, OPT_VLAN },
		{ "wrap", required_argument, NULL, OPT_WRAP },     { "one-way", no_argument, NULL, OPT_ONE_WAY },
		{ "ipv6", no_argument, NULL, OPT_IPV6 },           { NULL, 0, NULL, 0 },
	};
	uint64_t n = 0;
	int c;

	*o = (struct options){ .seed = 1, .scale_pc = 100, .format = TRACE_PCAP };
	while ((c = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
		switch (c) {
		case 'o':
			o->out = optarg;
			break;
		case OPT_TRUTH:
			o->truth = optarg;
			break;
		case OPT_LABELS:
			o->labels = optarg;
			break;
		case OPT_SEED:
			if (!number(optarg, 0, UINT64_MAX, &o->seed))
				return false;
			break;
		case OPT_SCALE:
			if (!number(optarg, 1, SCALE_MAX, &n))
				return false;
			o->scale_pc = (uint32_t)n;
			break;
		case OPT_FORMAT:
			if (strcmp(optarg, "pcap") != 0 && strcmp(optarg, "pcapng") != 0)
				return false;
			o->format = optarg[4] ? TRACE_PCAPNG : TRACE_PCAP;
			break;
		case OPT_VLAN:
			if (!number(optarg, 1, 4094, &n))
				return false;
			o->vlan = (uint16_t)n;
			break;
		case OPT_WRAP:
			if (!wrap_find(optarg, &o->wrap))
				return false;
			break;
		case OPT_ONE_WAY:
			o->one_way = true;
			break;
		case OPT_IPV6:
			o->v6 = true;
			break;
		default:
			return false;
		}
	}
	return true;
}

static int told(int err, const char *path)
{
	if (err)
		fprintf(stderr, "synth: %s: %s\n", path, strerror(-err));
	return err ? 1 : 0;
}

static int make(const struct scenario *s, const struct options *o)
{
	struct world w;
	int rc;

	world_init(&w, o->seed, o->scale_pc, o->v6, s->index);
	w.vlan = o->vlan;
	w.wrap = o->wrap;
	w.one_way = o->one_way;
	s->play(&w, s);
	trace_settle(&w.trace, o->format);
	rc = told(trace_write(&w.trace, o->format, WORLD_EPOCH_S, o->out), o->out);
	if (!rc && o->labels)
		rc = told(trace_write_labels(&w.trace, o->labels), o->labels);
	if (!rc && o->truth)
		rc = told(world_write_truth(&w, s->name, o->truth), o->truth);
	world_fini(&w);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o;
	struct scenario s;

	if (argc >= 2 && strcmp(argv[1], "--help") == 0)
		return usage(stdout);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return list();
	if (!parse(argc, argv, &o) || optind != argc - 1 || !o.out)
		return usage(stderr);
	if (!scenario_find(argv[optind], &s)) {
		fprintf(stderr, "synth: %s: no such scenario; see synth list\n", argv[optind]);
		return EXIT_USAGE;
	}
	if (o.v6 && !s.v6) {
		fprintf(stderr, "synth: %s: has no IPv6 form; leave out --ipv6\n", s.name);
		return EXIT_USAGE;
	}
	return make(&s, &o);
}
