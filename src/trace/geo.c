/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database is read whole, hashed, and turned into tables (ranges.h) before anybody asks: octets that are looked up
 * later are ours, so neither what is in a file nor what becomes of it matters any more. From each record two things are
 * taken: the country that a database puts the address in, and the network that announces it. Files that have both count
 * as both.
 *
 * "country" is where a network is said to be used. MaxMind's "registered_country", which says where its holder signed a
 * contract, is not taken in its place: of a record that has only this, nothing is known.
 */
#include "trace/geo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/hash.h"
#include "trace/geo_inside.h"
#include "trace/networks.h"
#include "trace/ranges.h"

#define FILES_MAX 64 /* databases of a folder that are looked at */

struct table {
	struct geo_database about;
	struct ranges ranges;
};

struct geo {
	size_t counts[2]; /* by kind */
	struct table countries[GEO_COUNTRY_DATABASES_MAX];
	struct table networks[GEO_NETWORK_DATABASES_MAX];
	struct networks names;
};

static const char too_much[] = "it has more than is taken of a database";

static const size_t kind_max[] = {
	[GEO_COUNTRIES] = GEO_COUNTRY_DATABASES_MAX,
	[GEO_NETWORKS] = GEO_NETWORK_DATABASES_MAX,
};

static struct table *tables(struct geo *geo, enum geo_kind kind)
{
	return kind == GEO_COUNTRIES ? geo->countries : geo->networks;
}

/* ---- one database ---- */

/* The first that is wrong is said; 0 is never returned. */
__attribute__((format(printf, 3, 4))) static int refuse(char error[GEO_ERROR_SIZE], const char *path,
                                                        const char *format, ...)
{
	const char *name = strrchr(path, '/');
	char shown[GEO_NAME_SIZE], what[GEO_ERROR_SIZE - GEO_NAME_SIZE - 2];
	va_list arguments;

	if (error[0])
		return -EBADMSG;
	name = name ? name + 1 : path;
	networks_text(name, strlen(name), shown, sizeof(shown));
	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	(void)snprintf(error, GEO_ERROR_SIZE, "%s: %s", shown, what);
	return -EBADMSG;
}

/* All of a regular file, for the caller to free. */
static int read_whole(const char *path, uint8_t **octets, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), result;
	uint8_t *read = NULL;
	struct stat status = { .st_mode = 0 };

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		result = S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL;
		goto close_fd;
	}
	result = -EFBIG;
	if ((uint64_t)status.st_size > GEO_FILE_MAX)
		goto close_fd;
	result = -ENOMEM;
	read = malloc((size_t)status.st_size + 1);
	if (!read)
		goto close_fd;
	result = file_read_at(fd, read, (size_t)status.st_size, 0);
	if (result == 0) {
		*octets = read;
		*size = (size_t)status.st_size;
		read = NULL;
	}
	free(read);
close_fd:
	(void)close(fd);
	return result;
}

static bool has_values(const struct ranges *ranges)
{
	return ranges->count4 > 0 || ranges->count6 > 0;
}

static int keep(struct geo *geo, enum geo_kind kind, const struct geo_database *about, struct ranges *ranges,
                const char *path, char error[GEO_ERROR_SIZE])
{
	struct table *table = &tables(geo, kind)[geo->counts[kind]];
	int result;

	if (geo->counts[kind] == kind_max[kind])
		return refuse(error, path, "beyond the %zu databases of %s that are asked", kind_max[kind],
		              kind == GEO_COUNTRIES ? "countries" : "networks");
	result = ranges_finish(ranges);
	if (result == -E2BIG)
		return refuse(error, path, "%s", too_much);
	if (result != 0)
		return result;
	table->about = *about;
	table->about.kind = kind;
	table->ranges = *ranges;
	memset(ranges, 0, sizeof(*ranges));
	geo->counts[kind]++;
	return 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length > end_length && strcmp(text + length - end_length, end) == 0;
}

/* What is taken of the octets; -EBADMSG is said. */
static int read_database(struct geo *geo, const char *path, const uint8_t *octets, size_t size,
                         struct geo_database *about, char error[GEO_ERROR_SIZE])
{
	struct geo_reading reading = { .names = &geo->names };
	const char *why = "";
	size_t line = 0;
	int result;

	if (ends_with(path, ".mmdb"))
		result = geo_read_mmdb(octets, size, &reading, &why);
	else
		result = geo_read_lines((const char *)octets, size, &reading, &why, &line);
	if (result == 0 && !has_values(&reading.countries) && !has_values(&reading.networks)) {
		why = "it says nothing of countries, nor of networks";
		result = -EBADMSG;
	}
	if (result == -E2BIG) {
		why = too_much;
		result = -EBADMSG;
	}
	if (result == -EBADMSG && line > 0)
		(void)refuse(error, path, "line %zu: %s", line, why);
	else if (result == -EBADMSG)
		(void)refuse(error, path, "%s", why);
	if (reading.built_ns) /* else what the manifest says, if it does */
		about->built_ns = reading.built_ns;
	about->ipv4_only = reading.ipv4_only;
	if (result == 0 && has_values(&reading.countries))
		result = keep(geo, GEO_COUNTRIES, about, &reading.countries, path, error);
	if (result == 0 && has_values(&reading.networks))
		result = keep(geo, GEO_NETWORKS, about, &reading.networks, path, error);
	ranges_fini(&reading.countries);
	ranges_fini(&reading.networks);
	return result;
}

/* 0; -EBADMSG, said; -ENOMEM. */
static int add_octets(struct geo *geo, const char *path, const uint8_t *octets, size_t size,
                      const struct geo_manifest *manifest, char error[GEO_ERROR_SIZE])
{
	struct geo_database about = { .name = "" };

	digest_sha256_text(octets, size, about.sha256);
	if (!geo->names.slots) {
		uint64_t words[2];

		memcpy(words, about.sha256, sizeof(words));
		geo->names.seed = hash_fold(words[0], words[1]);
	}
	geo_describe(manifest, path, &about);
	return read_database(geo, path, octets, size, &about, error);
}

static int add_file(struct geo *geo, const char *path, const struct geo_manifest *manifest, char error[GEO_ERROR_SIZE])
{
	uint8_t *octets = NULL;
	size_t size = 0;
	int result = read_whole(path, &octets, &size);

	if (result == -ENOMEM)
		return result;
	if (result == -EFBIG)
		return refuse(error, path, "larger than %u MiB", (unsigned)(GEO_FILE_MAX >> 20));
	if (result != 0)
		return refuse(error, path, "cannot be read: %s", strerror(-result));
	result = add_octets(geo, path, octets, size, manifest, error);
	free(octets);
	return result;
}

/* ---- many ---- */

/* What stands after all were tried; `result` is what came of the worst. */
static int finish(struct geo *made, int result, struct geo **geo)
{
	bool some = made->counts[GEO_COUNTRIES] + made->counts[GEO_NETWORKS] > 0;

	if (!some || (result != 0 && result != -EBADMSG)) {
		geo_close(made);
		made = NULL;
	}
	if (result == 0 && !some)
		result = -ENOENT;
	if (result == 0 || result == -EBADMSG)
		*geo = made;
	return result;
}

static int add_all(struct geo *geo, const char *const *paths, size_t count, const struct geo_manifest *manifest,
                   char error[GEO_ERROR_SIZE])
{
	int worst = 0;

	for (size_t i = 0; i < count; i++) {
		int result = add_file(geo, paths[i], manifest, error);

		if (result == -ENOMEM)
			return result;
		worst = worst ? worst : result;
	}
	return worst;
}

int geo_open_files(const char *const *paths, size_t count, struct geo **geo, char error[GEO_ERROR_SIZE])
{
	struct geo *made = calloc(1, sizeof(*made));

	error[0] = '\0';
	if (!made)
		return -ENOMEM;
	return finish(made, add_all(made, paths, count, NULL, error), geo);
}

int geo_open_octets(const char *name, const uint8_t *octets, size_t size, struct geo **geo, char error[GEO_ERROR_SIZE])
{
	struct geo *made = calloc(1, sizeof(*made));

	error[0] = '\0';
	if (!made)
		return -ENOMEM;
	return finish(made, add_octets(made, name, octets, size, NULL, error), geo);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Paths of what may be a database, by name. At most FILES_MAX: true where there are more. */
static int list(const char *folder, char *paths[FILES_MAX], size_t *count, bool *more)
{
	DIR *entries = opendir(folder);
	const struct dirent *entry;
	int result = 0;

	*count = 0;
	*more = false;
	if (!entries)
		return errno == ENOTDIR ? -ENOENT : -errno;
	while (result == 0 && (entry = readdir(entries))) {
		char *path;

		if (entry->d_name[0] == '.' || (!ends_with(entry->d_name, ".mmdb") &&
		                                !ends_with(entry->d_name, ".csv") && !ends_with(entry->d_name, ".tsv")))
			continue;
		*more = *count == FILES_MAX;
		if (*more)
			break;
		if (asprintf(&path, "%s/%s", folder, entry->d_name) < 0)
			result = -ENOMEM;
		else
			paths[(*count)++] = path;
	}
	(void)closedir(entries);
	qsort(paths, *count, sizeof(paths[0]), by_name);
	return result;
}

int geo_open_folder(const char *folder, struct geo **geo, char error[GEO_ERROR_SIZE])
{
	struct geo *made = calloc(1, sizeof(*made));
	struct geo_manifest *manifest = NULL;
	char *paths[FILES_MAX] = { NULL };
	size_t count = 0;
	int result = -ENOMEM;
	bool more;

	error[0] = '\0';
	if (!made)
		return -ENOMEM;
	result = list(folder, paths, &count, &more);
	if (result == 0)
		result = geo_manifest_open(folder, &manifest);
	if (result == -EBADMSG) /* without it they are what they are */
		result = refuse(error, GEO_MANIFEST, "cannot be read as JSON of " GEO_MANIFEST_SCHEMA);
	if (more)
		result = refuse(error, folder, "more than %d databases", FILES_MAX);
	if (result == 0 || result == -EBADMSG) {
		int added = add_all(made, (const char *const *)paths, count, manifest, error);

		result = added ? added : result;
	}
	for (size_t i = 0; i < count; i++)
		free(paths[i]);
	geo_manifest_close(manifest);
	return finish(made, result, geo);
}

void geo_close(struct geo *geo)
{
	if (!geo)
		return;
	for (unsigned kind = GEO_COUNTRIES; kind <= GEO_NETWORKS; kind++)
		for (size_t i = 0; i < geo->counts[kind]; i++)
			ranges_fini(&tables(geo, kind)[i].ranges);
	networks_fini(&geo->names);
	free(geo);
}

size_t geo_count(const struct geo *geo, enum geo_kind kind)
{
	return geo->counts[kind];
}

const struct geo_database *geo_database(const struct geo *geo, enum geo_kind kind, size_t index)
{
	return kind == GEO_COUNTRIES ? &geo->countries[index].about : &geo->networks[index].about;
}

void geo_look_up(const struct geo *geo, const struct address *address, struct geo_place *place)
{
	memset(place, 0, sizeof(*place));
	for (size_t i = 0; i < geo->counts[GEO_COUNTRIES]; i++) {
		uint32_t country = ranges_find(&geo->countries[i].ranges, address);

		place->country[i][0] = (char)(country >> GEO_LETTER_BITS);
		place->country[i][1] = (char)(country & GEO_LETTER_MASK);
	}
	if (geo->counts[GEO_NETWORKS] > 0)
		place->network = ranges_find(&geo->networks[0].ranges, address);
}

const char *geo_network_name(const struct geo *geo, uint32_t network)
{
	return networks_name(&geo->names, network);
}
