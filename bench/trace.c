/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace SOURCES GEO_FOLDER|-: what tracing an incident of so many sources takes. Addresses are drawn from all of
 * IPv4 that is routed and said to be relays of a reflection, so that every one is looked up.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/hash.h"
#include "trace/trace.h"

#define HELD_MAX (1u << 21)

/* Of this process alone: others may be busy. */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct address address_of(uint64_t i)
{
	uint64_t hash = hash_2(1, i, 0);
	uint8_t octets[4] = { (uint8_t)(1 + hash % 223), (uint8_t)(hash >> 16), (uint8_t)(hash >> 24),
		              (uint8_t)(hash >> 32) };

	return address_from_ipv4(octets);
}

static uint8_t reflection(void)
{
	for (size_t i = VECTOR_FIRST_REFLECTION; i < vector_count(); i++)
		if (strcmp(vector_get((uint8_t)i)->name, "ntp_reflection") == 0)
			return (uint8_t)i;
	abort();
}

static void fill(struct incident *incident, uint64_t sources)
{
	struct incident_part *part = &incident->parts[0];

	for (uint64_t i = 0; i < sources; i++) {
		struct observation o = { .time.ns = (int64_t)(i * 60 * NS_PER_S / sources),
			                 .src = address_of(i),
			                 .weight = 1,
			                 .length = 468,
			                 .flags = OBSERVATION_PORTS,
			                 .protocol = 17,
			                 .src_port = 123 };
		struct keys keys;

		keys_make(&keys, &o, 7);
		window_add(part->window, &o, &keys);
		roster_add(part->roster, &o, &keys, (uint32_t)(i % 2));
		incident->packets++;
		incident->bytes += o.length;
		incident->waves[i % 2].packets++;
		incident->waves[i % 2].bytes += o.length;
	}
}

int main(int argc, char **argv)
{
	struct incident *incident = calloc(1, sizeof(*incident));
	struct trace *trace = calloc(1, sizeof(*trace));
	struct trace_input input = { .incident = incident, .observed = 1 };
	struct rusage usage;
	char error[GEO_ERROR_SIZE] = "";
	double began, filled, made;

	if (argc != 3 || !incident || !trace)
		return 2;
	if (strcmp(argv[2], "-") != 0 && geo_open_folder(argv[2], &input.geo, error) != 0) {
		fprintf(stderr, "trace: %s\n", error);
		return 1;
	}
	incident->waves_count = 2;
	incident->waves[0].ended.ns = incident->waves[1].ended.ns = incident->ended.ns = 60 * NS_PER_S;
	incident->parts_count = 1;
	incident->parts[0] = (struct incident_part){ .kind = reflection(),
		                                     .window = window_new(INCIDENT_SAMPLE),
		                                     .roster = roster_new(HELD_MAX) };
	input.total = incident->parts[0].window;
	began = now();
	fill(incident, strtoull(argv[1], NULL, 10));
	filled = now();
	if (trace_make(&input, trace) != 0)
		return 1;
	made = now();
	getrusage(RUSAGE_SELF, &usage);
	printf("%" PRIu64 " sources held, %" PRIu64
	       " located, %u rows: filled %.2f s, traced %.2f s of a processor, %ld MiB at most\n",
	       trace->held, trace->located_sources, trace->rows_count, filled - began, made - filled,
	       usage.ru_maxrss / 1024);
	trace_fini(trace);
	geo_close(input.geo);
	window_free(incident->parts[0].window);
	roster_free(incident->parts[0].roster);
	free(incident);
	free(trace);
	return 0;
}
