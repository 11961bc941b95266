/* SPDX-License-Identifier: Apache-2.0 */
/*
 * geo FOLDER [ADDRESSES]: how much processor time the databases of a folder take to open, and how many addresses a
 * second they are asked about, on this processor; then libmaxminddb alone, its bare look-ups of the same addresses in
 * each MMDB there, with one value read from each answer. The addresses: IPv4 at random, the same in order, IPv6 at
 * random below prefixes that are in use. Prints lines of words and a number; run makes a table of them.
 */
#include <dirent.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <maxminddb.h>

#include "base/prefix.h"
#include "trace/geo.h"

#define ADDRESSES 2000000
#define DATABASES_MAX 4
#define PATH_SIZE 4096

static double now_s(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

static int compare(const void *a, const void *b)
{
	return address_compare(a, b);
}

/* 1.0.0.0 to 223.255.255.255 */
static void draw_ipv4(struct address *addresses, size_t count)
{
	uint64_t state = 1;

	for (size_t i = 0; i < count; i++) {
		uint64_t random = draw(&state);
		const uint8_t octets[4] = { (uint8_t)(1 + random % 223), (uint8_t)(random >> 8),
			                    (uint8_t)(random >> 16), (uint8_t)(random >> 24) };

		addresses[i] = address_from_ipv4(octets);
	}
}

static void draw_ipv6(struct address *addresses, size_t count)
{
	static const uint8_t first[] = { 0x20, 0x24, 0x26, 0x28, 0x2a };
	uint64_t state = 2;

	for (size_t i = 0; i < count; i++) {
		uint64_t high = draw(&state), low = draw(&state);
		uint8_t octets[16];

		memcpy(octets, &high, sizeof(high));
		memcpy(octets + 8, &low, sizeof(low));
		octets[0] = first[high % sizeof(first)];
		octets[1] &= 0x0f;
		addresses[i] = address_from_ipv6(octets);
	}
}

static void ask(const struct geo *geo, const char *what, const struct address *addresses, size_t count)
{
	uint64_t known = 0;
	double began = now_s();

	for (size_t i = 0; i < count; i++) {
		struct geo_place place;

		geo_look_up(geo, &addresses[i], &place);
		known += place.country[0][0] != '\0';
	}
	printf("holdfast %s %.0f known %.2f\n", what, (double)count / (now_s() - began), (double)known / (double)count);
}

static void ask_library(MMDB_s *libraries, unsigned databases, const char *what, const struct address *addresses,
                        size_t count)
{
	uint64_t known = 0;
	double began = now_s();

	for (size_t i = 0; i < count; i++) {
		struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
		struct sockaddr_in in = { .sin_family = AF_INET };
		const struct sockaddr *asked = (struct sockaddr *)&in6;

		memcpy(&in6.sin6_addr, addresses[i].octets, 16);
		memcpy(&in.sin_addr, addresses[i].octets + 12, 4);
		if (address_is_ipv4(&addresses[i]))
			asked = (struct sockaddr *)&in;
		for (unsigned d = 0; d < databases; d++) {
			int error = 0;
			MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&libraries[d], asked, &error);
			MMDB_entry_data_s data;

			if (!error && found.found_entry &&
			    MMDB_get_value(&found.entry, &data, "country_code", NULL) == MMDB_SUCCESS && d == 0)
				known += data.has_data;
		}
	}
	printf("libmaxminddb %s %.0f known %.2f\n", what, (double)count / (now_s() - began),
	       (double)known / (double)count);
}

/* By name, as geo has them. */
static unsigned open_libraries(const char *folder, MMDB_s libraries[DATABASES_MAX])
{
	struct dirent **entries;
	int found = scandir(folder, &entries, NULL, alphasort);
	unsigned count = 0;

	for (int i = 0; i < found; i++) {
		size_t length = strlen(entries[i]->d_name);
		char path[PATH_SIZE];

		(void)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		if (length > 5 && strcmp(entries[i]->d_name + length - 5, ".mmdb") == 0 && count < DATABASES_MAX &&
		    MMDB_open(path, MMDB_MODE_MMAP, &libraries[count]) == MMDB_SUCCESS)
			count++;
		free(entries[i]);
	}
	if (found >= 0)
		free(entries);
	return count;
}

int main(int argc, char **argv)
{
	size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : ADDRESSES;
	struct address *addresses = calloc(count ? count : 1, sizeof(*addresses));
	MMDB_s libraries[DATABASES_MAX];
	char error[GEO_ERROR_SIZE];
	struct geo *geo = NULL;
	struct rusage usage;
	unsigned databases;
	double began = now_s();

	if (argc < 2 || !addresses || geo_open_folder(argv[1], &geo, error) != 0) {
		fprintf(stderr, "geo: FOLDER [ADDRESSES]; the folder as `holdfast geo update` fills it\n");
		return 1;
	}
	printf("holdfast open %.3f\n", now_s() - began);
	(void)getrusage(RUSAGE_SELF, &usage);
	printf("holdfast memory %ld\n", usage.ru_maxrss);
	databases = open_libraries(argv[1], libraries);
	printf("databases %zu %zu libraries %u\n", geo_count(geo, GEO_COUNTRIES), geo_count(geo, GEO_NETWORKS),
	       databases);
	draw_ipv4(addresses, count);
	ask(geo, "ipv4", addresses, count);
	ask_library(libraries, databases, "ipv4", addresses, count);
	qsort(addresses, count, sizeof(addresses[0]), compare);
	ask(geo, "ipv4-sorted", addresses, count);
	ask_library(libraries, databases, "ipv4-sorted", addresses, count);
	draw_ipv6(addresses, count);
	ask(geo, "ipv6", addresses, count);
	ask_library(libraries, databases, "ipv6", addresses, count);
	for (unsigned d = 0; d < databases; d++)
		MMDB_close(&libraries[d]);
	geo_close(geo);
	free(addresses);
	return 0;
}
