/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quiet STREAMS [BUCKET]: counts of a stream from standard input, one a line, from that bucket on; prints how many
 * alarms they raise. quiet --speed COMPONENTS REGIONS: a year of made-up counts of so many components and of their
 * regions, and how many seconds that took.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "impact/surge.h"
#include "impact/where.h"

#define YEAR 105120
#define FIRST 5900000

static struct surge surge;

static int alarms_of(uint32_t streams, int64_t bucket)
{
	char line[32];
	int alarms = 0;

	surge_init(&surge, "series", streams);
	for (; fgets(line, sizeof(line), stdin); bucket++)
		alarms += surge_add(&surge, bucket, (uint32_t)strtoul(line, NULL, 10)) == SURGE_BEGAN;
	return alarms;
}

static uint32_t noise(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

/* Places of one outage of half a day, with four weeks before it. */
static int find_places(uint32_t regions, uint32_t *state)
{
	uint32_t expected[144];
	struct outage outage;
	struct where *where;
	int result = where_new((int64_t)FIRST * COUNT_BUCKET_NS, 144, &where);

	for (unsigned i = 0; i < 144; i++)
		expected[i] = 5000;
	for (int64_t bucket = -8064; bucket < 144 && result == 0; bucket++)
		for (unsigned i = 0; i < (bucket < 0 ? 5 : 100) && result == 0; i++) {
			struct report_count count = { .bucket_ns = (FIRST + bucket) * COUNT_BUCKET_NS, .accepted = 1 };
			uint32_t which = noise(state) % regions;

			count.region[0] = (char)('A' + which % 26);
			count.region[1] = (char)('A' + which / 26 % 26);
			result = where_add(where, &count);
		}
	if (result == 0)
		where_find(where, expected, &outage);
	where_free(where);
	return result;
}

static int speed(uint32_t components, uint32_t regions)
{
	uint32_t state = 1;
	clock_t began = clock();
	double took;

	for (uint32_t i = 0; i < components; i++) {
		surge_init(&surge, "speed", components);
		for (int64_t bucket = 0; bucket < YEAR; bucket++)
			(void)surge_add(&surge, FIRST + bucket, noise(&state) % 12);
		if (find_places(regions, &state) != 0)
			return 1;
	}
	took = (double)(clock() - began) / CLOCKS_PER_SEC;
	(void)printf("%.2f\n", took);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "--speed") == 0)
		return speed((uint32_t)strtoul(argv[2], NULL, 10), (uint32_t)strtoul(argv[3], NULL, 10));
	if (argc < 2)
		return 2;
	(void)printf("%d\n",
	             alarms_of((uint32_t)strtoul(argv[1], NULL, 10), argc > 2 ? strtoll(argv[2], NULL, 10) : FIRST));
	return 0;
}
