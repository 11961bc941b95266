/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast geo update: brings databases from the npm registry, where the ip-location-db project publishes them. Of each
 * package the registry says version, licence, where its archive is, and the SHA-512 of that; an archive with another is
 * refused. What is taken of it must open as a database before it takes the place of the one that is there, at once and
 * whole. What was brought, and from where, stands in manifest.json beside it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/geo.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"
#include "tell/facts.h"
#include "tell/fetch.h"
#include "trace/geo_inside.h"
#include "trace/package.h"

#define REGISTRY "https://registry.npmjs.org"
#define SCOPE "@ip-location-db/"
#define SCOPE_IN_URL "@ip-location-db%%2f" /* for printf() */
#define PACKAGES_MAX 16
#define NAME_MAX_OCTETS 48
#define NAME_MAX_TEXT "48"
#define VERSION_MAX_OCTETS 48
#define ANSWER_MAX ((size_t)1 << 20)    /* what a registry says of a package */
#define ARCHIVE_MAX ((size_t)192 << 20) /* a package, packed */
#define HOUR_DIGITS 10                  /* 2026061719 */
#define URL_SIZE FETCH_URL_SIZE
#define MEMBER_SIZE 128
#define MEMBERS 2
#define FILE_MODE 0644 /* others read them: the daemon's engine has no rights of its own */
#define FOLDER_MODE 0755
#define WORD_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-"
#define VERSION_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-"

static const char *const usual[] = { "geo-whois-asn-country-mmdb", "iptoasn-country-mmdb", "asn" };

struct options {
	const char *to, *from, *config;
	struct option_words packages;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "PACKAGE...", OPTION_INTO(struct options, packages), .maximum = PACKAGES_MAX,
	  .help = "of " SCOPE ", as NAME or NAME@VERSION; else the usual ones:\n"
		  "geo-whois-asn-country-mmdb, iptoasn-country-mmdb, asn" },
	{ .name = "to", .value = "DIR", OPTION_INTO(struct options, to),
	  .help = "the folder; else what 'geo' of the configuration says, else\n" GEO_FOLDER },
	{ .name = "from", .value = "REGISTRY", OPTION_INTO(struct options, from),
	  .help = "an npm registry by https, or by http of this machine; else\n" REGISTRY },
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table table = {
	.command = "geo update",
	.synopsis = "[PACKAGE...] [--to DIR] [--from REGISTRY]",
	.purpose =
		"Brings the databases of countries and networks, or newer ones, from the npm registry. What does not have the\n"
		"hash that the registry names is refused; what is there stays until what is new is whole.\n",
	.notes = "Exit status: 0 all are there, 1 one or more could not be brought, 2 wrong usage.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast geo update\n",
	OPTION_ROWS(rows),
};

/* ---- what is to be brought ---- */

struct wanted {
	char package[NAME_MAX_OCTETS + 1];
	char version[VERSION_MAX_OCTETS + 1]; /* "latest" */
	/* An MMDB package has one file for both families; one of lines two, which become one behind each other. */
	bool lines;
	char file[MEMBER_SIZE];
	char members[MEMBERS][MEMBER_SIZE];
	size_t members_count;
};

static bool all_of(const char *text, size_t length, size_t max, const char *characters)
{
	return length > 0 && length <= max && strspn(text, characters) >= length;
}

static bool parse_wanted(const char *text, struct wanted *wanted)
{
	static const char end[] = "-mmdb";
	size_t length = strcspn(text, "@"), base;
	const char *version = text[length] ? text + length + 1 : "latest";

	memset(wanted, 0, sizeof(*wanted));
	if (!all_of(text, length, NAME_MAX_OCTETS, WORD_CHARACTERS) ||
	    !all_of(version, strlen(version), VERSION_MAX_OCTETS, VERSION_CHARACTERS))
		return false;
	memcpy(wanted->package, text, length);
	memcpy(wanted->version, version, strlen(version));
	wanted->lines = length < sizeof(end) || strcmp(wanted->package + length - strlen(end), end) != 0;
	base = wanted->lines ? length : length - strlen(end);
	(void)snprintf(wanted->file, sizeof(wanted->file), "%.*s%s", (int)base, text, wanted->lines ? ".csv" : ".mmdb");
	if (wanted->lines) {
		(void)snprintf(wanted->members[0], MEMBER_SIZE, "package/%.*s-ipv4.csv", (int)base, text);
		(void)snprintf(wanted->members[1], MEMBER_SIZE, "package/%.*s-ipv6.csv", (int)base, text);
		wanted->members_count = 2;
	} else {
		(void)snprintf(wanted->members[0], MEMBER_SIZE, "package/%s", wanted->file);
		wanted->members_count = 1;
	}
	return true;
}

/* ---- files ---- */

/* The folder and those above it. 0 or -errno. */
static int make_folder(const char *path)
{
	int result = file_make_parents(path, FOLDER_MODE);

	return result == 0 && mkdir(path, FOLDER_MODE) != 0 && errno != EEXIST ? -errno : result;
}

/* Whole, on the disk, and only then in its place. 0 or -errno. */
static int write_file(const char *folder, const char *name, const void *octets, size_t size)
{
	char *new = NULL, *final = NULL;
	int fd, result = -ENOMEM;

	if (asprintf(&new, "%s/.%s.XXXXXX", folder, name) < 0)
		return -ENOMEM;
	if (asprintf(&final, "%s/%s", folder, name) < 0)
		goto free_new;
	fd = mkostemp(new, O_CLOEXEC);
	result = -errno;
	if (fd < 0)
		goto free_final;
	result = file_write(fd, octets, size);
	if (result == 0 && (fchmod(fd, FILE_MODE) != 0 || fsync(fd) != 0))
		result = -errno;
	if (close(fd) != 0 && result == 0)
		result = -errno;
	if (result == 0 && rename(new, final) != 0)
		result = -errno;
	if (result != 0)
		(void)unlink(new);
	if (result == 0)
		result = file_sync_folder(folder);
free_final:
	free(final);
free_new:
	free(new);
	return result;
}

/* ---- the manifest ---- */

struct update {
	const char *folder, *registry;
	json_t *manifest; /* owned */
};

static json_t *entry_of(const struct update *update, const char *file)
{
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(update->manifest, "databases"), i, entry)
	{
		if (strcmp(fact_text(entry, "file"), file) == 0)
			return entry;
	}
	return NULL;
}

static json_t *load_manifest(const char *folder)
{
	struct geo_manifest *read = NULL;
	json_t *manifest = NULL;

	/* One that cannot be read is begun anew. */
	if (geo_manifest_open(folder, &read) == 0 && read)
		manifest = json_deep_copy(geo_manifest_json(read));
	geo_manifest_close(read);
	return manifest ? manifest : json_pack("{s:s, s:[]}", "schema", GEO_MANIFEST_SCHEMA, "databases");
}

static int save_entry(struct update *update, json_t *entry)
{
	json_t *list = json_object_get(update->manifest, "databases"),
	       *old = entry_of(update, fact_text(entry, "file"));
	char *text = NULL;
	int result = -ENOMEM;

	if (!entry)
		return -ENOMEM;
	if (old ? json_object_clear(old) != 0 || json_object_update(old, entry) != 0
	        : json_array_append(list, entry) != 0)
		goto drop;
	text = json_dumps(update->manifest, JSON_INDENT(2));
	if (text)
		result = write_file(update->folder, GEO_MANIFEST, text, strlen(text));
	free(text);
drop:
	json_decref(entry);
	return result;
}

/* ---- one package ---- */

/* Says what came of fetching, if it is not good. */
static bool fetched(const struct wanted *wanted, const char *url, int result, const char *what)
{
	if (result == 0)
		return true;
	if (result == -EPERM)
		say_error(wanted->package, "%.200s is no place that is fetched from: https is, or http of this machine",
		          url);
	else if (result == -EFBIG)
		say_error(wanted->package, "%.200s is larger than is taken", url);
	else if (result == -ENOSYS)
		say_error(wanted->package, "libcurl is missing; install libcurl4");
	else if (result == -ENOMEM)
		say_error(wanted->package, "out of memory; free some");
	else
		say_error(wanted->package, "cannot fetch %.200s: %s", url, what);
	return false;
}

/* What the registry says: version, dist.integrity, dist.tarball are texts. NULL, said. */
static json_t *ask(const struct update *update, const struct wanted *wanted)
{
	char url[URL_SIZE], what[FETCH_WHAT_SIZE], name[sizeof(SCOPE) + NAME_MAX_OCTETS];
	uint8_t *octets = NULL;
	const json_t *dist;
	json_t *answer;
	size_t size = 0;

	(void)snprintf(url, sizeof(url), "%.256s/" SCOPE_IN_URL "%." NAME_MAX_TEXT "s/%." NAME_MAX_TEXT "s",
	               update->registry, wanted->package, wanted->version);
	if (!fetched(wanted, url, fetch_get(url, ANSWER_MAX, &octets, &size, what), what))
		return NULL;
	answer = json_loadb((const char *)octets, size, JSON_REJECT_DUPLICATES, NULL);
	free(octets);
	dist = json_object_get(answer, "dist");
	(void)snprintf(name, sizeof(name), SCOPE "%." NAME_MAX_TEXT "s", wanted->package);
	if (strcmp(fact_text(answer, "name"), name) == 0 &&
	    all_of(fact_text(answer, "version"), strlen(fact_text(answer, "version")), VERSION_MAX_OCTETS,
	           VERSION_CHARACTERS) &&
	    *fact_text(dist, "integrity") && *fact_text(dist, "tarball"))
		return answer;
	say_error(wanted->package,
	          "what the registry says is no description of this package with its version and hash");
	json_decref(answer);
	return NULL;
}

/* Whether what the registry describes is what is there. */
static bool is_there(const struct update *update, const struct wanted *wanted, const json_t *answer)
{
	const json_t *entry = entry_of(update, wanted->file);
	char error[GEO_ERROR_SIZE], *path = NULL;
	const char *paths[1];
	struct geo *geo = NULL;
	bool there = false;

	if (strcmp(fact_text(entry, "version"), fact_text(answer, "version")) != 0 ||
	    strcmp(fact_text(entry, "integrity"), fact_text(json_object_get(answer, "dist"), "integrity")) != 0 ||
	    asprintf(&path, "%s/%s", update->folder, wanted->file) < 0)
		return false;
	paths[0] = path;
	if (geo_open_files(paths, 1, &geo, error) == 0)
		there = strcmp(fact_text(entry, "sha256"),
		               geo_database(geo, geo_count(geo, GEO_COUNTRIES) ? GEO_COUNTRIES : GEO_NETWORKS, 0)
		                       ->sha256) == 0;
	geo_close(geo);
	free(path);
	return there;
}

/* The file's octets out of the archive; NULL, said. */
static uint8_t *unpack(const struct wanted *wanted, const uint8_t *archive, size_t archive_size, size_t *size)
{
	struct package_member members[MEMBERS] = { { .octets = NULL } };
	char error[PACKAGE_ERROR_SIZE];
	uint8_t *whole = NULL;
	size_t sum = 0;
	int result;

	for (size_t i = 0; i < wanted->members_count; i++) {
		members[i].name = wanted->members[i];
		members[i].max = GEO_FILE_MAX / MEMBERS;
	}
	result = package_unpack(archive, archive_size, members, wanted->members_count, error);
	for (size_t i = 0; result == 0 && i < wanted->members_count; i++) {
		if (!members[i].octets) {
			(void)snprintf(error, sizeof(error), "there is no %s in it", wanted->members[i]);
			result = -EBADMSG;
		}
		sum += members[i].size;
	}
	if (result == 0)
		whole = malloc(sum + 1);
	for (size_t i = 0, at = 0; i < wanted->members_count; i++) {
		if (whole && members[i].size)
			memcpy(whole + at, members[i].octets, members[i].size);
		at += members[i].size;
		free(members[i].octets);
	}
	if (result == -EBADMSG)
		say_error(wanted->package, "the archive is refused: %s", error);
	else if (!whole)
		say_error(wanted->package, "out of memory; free some");
	*size = sum;
	return whole;
}

/* Versions of this project end in the hour they were made: 2.3.2026061719. "" where one does not. */
static const char *made_at(const char *version, char text[TIME_TEXT_SIZE])
{
	const char *hour = strrchr(version, '.');

	text[0] = '\0';
	if (hour && strlen(hour + 1) == HOUR_DIGITS && strspn(hour + 1, "0123456789") == HOUR_DIGITS)
		(void)snprintf(text, TIME_TEXT_SIZE,
		               "%.4s-%.2s-%.2s"
		               "T%.2s:00:00Z",
		               hour + 1, hour + 5, hour + 7, hour + 9);
	return text;
}

static json_t *describe(const struct wanted *wanted, const json_t *answer, const uint8_t *octets, size_t size)
{
	char sum[DIGEST_SHA256_TEXT_SIZE], package[sizeof(SCOPE) + NAME_MAX_OCTETS], now[TIME_TEXT_SIZE],
		built[TIME_TEXT_SIZE];
	const json_t *dist = json_object_get(answer, "dist");
	const char *dot = strrchr(wanted->file, '.');

	digest_sha256_text(octets, size, sum);
	(void)snprintf(package, sizeof(package), SCOPE "%." NAME_MAX_TEXT "s", wanted->package);
	(void)time_format((struct capture_time){ (int64_t)time(NULL) * NS_PER_S }, now);
	return json_pack("{s:s, s:s%, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s}", "file", wanted->file, "name",
	                 wanted->file, (size_t)(dot - wanted->file), "package", package, "version",
	                 fact_text(answer, "version"), "licence", fact_text(answer, "license"), "sha256", sum,
	                 "integrity", fact_text(dist, "integrity"), "source", fact_text(dist, "tarball"), "octets",
	                 (json_int_t)size, "built", made_at(fact_text(answer, "version"), built), "installed", now);
}

/* Puts it in its place, once it has opened. COMMAND_DONE or, said, COMMAND_BAD. */
static int install(struct update *update, const struct wanted *wanted, const json_t *answer, const uint8_t *octets,
                   size_t size)
{
	char error[GEO_ERROR_SIZE];
	struct geo *geo = NULL;
	int result = geo_open_octets(wanted->file, octets, size, &geo, error);

	geo_close(geo);
	if (result == 0) {
		result = write_file(update->folder, wanted->file, octets, size);
		if (result == 0)
			result = save_entry(update, describe(wanted, answer, octets, size));
		if (result != 0)
			say_error(update->folder, "cannot write there: %s", strerror(-result));
	} else {
		say_error(wanted->package, "what is in it is refused: %s",
		          result == -EBADMSG ? error : strerror(-result));
	}
	if (result != 0)
		return COMMAND_BAD;
	(void)printf("%s: brought, version %s\n", wanted->file, fact_text(answer, "version"));
	return COMMAND_DONE;
}

static int bring_archive(struct update *update, const struct wanted *wanted, const json_t *answer)
{
	const json_t *dist = json_object_get(answer, "dist");
	const char *url = fact_text(dist, "tarball");
	char what[FETCH_WHAT_SIZE];
	uint8_t *archive = NULL, *octets = NULL;
	size_t archive_size = 0, size = 0;
	int status = COMMAND_BAD, checked;

	if (!fetched(wanted, url, fetch_get(url, ARCHIVE_MAX, &archive, &archive_size, what), what))
		return COMMAND_BAD;
	checked = package_check(archive, archive_size, fact_text(dist, "integrity"));
	if (checked == 0)
		octets = unpack(wanted, archive, archive_size, &size);
	else
		say_error(wanted->package, "the archive is refused: %s",
		          checked == -EINVAL ? "the registry names no SHA-512 of it"
		                             : "it does not have the hash that the registry names");
	free(archive);
	if (octets)
		status = install(update, wanted, answer, octets, size);
	free(octets);
	return status;
}

static int bring(struct update *update, const struct wanted *wanted)
{
	json_t *answer = ask(update, wanted);
	int status = COMMAND_DONE;

	if (!answer)
		return COMMAND_BAD;
	if (is_there(update, wanted, answer))
		(void)printf("%s: version %s is there\n", wanted->file, fact_text(answer, "version"));
	else
		status = bring_archive(update, wanted, answer);
	json_decref(answer);
	return status;
}

/* ---- the command ---- */

static int bring_all(struct update *update, const struct wanted *wanted, size_t count)
{
	int worst = COMMAND_DONE, result = make_folder(update->folder), finished;

	if (result != 0) {
		say_error(update->folder, "cannot make this folder: %s", strerror(-result));
		return COMMAND_BAD;
	}
	update->manifest = load_manifest(update->folder);
	if (!update->manifest) {
		say_error("geo update", "out of memory; free some");
		return COMMAND_BAD;
	}
	for (size_t i = 0; i < count; i++)
		if (bring(update, &wanted[i]) != COMMAND_DONE)
			worst = COMMAND_BAD;
	json_decref(update->manifest);
	finished = output_finish();
	return finished == COMMAND_DONE ? worst : finished;
}

int geo_update_command(int argc, char **argv)
{
	struct options options = { .from = REGISTRY };
	struct wanted wanted[PACKAGES_MAX];
	struct update update = { .manifest = NULL };
	size_t count;
	char *folder;
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	count = options.packages.count ? options.packages.count : sizeof(usual) / sizeof(usual[0]);
	for (size_t i = 0; i < count; i++) {
		const char *text = options.packages.count ? options.packages.words[i] : usual[i];

		if (!parse_wanted(text, &wanted[i]))
			return options_refuse(&table, "'%.64s' is no package: write NAME or NAME@VERSION", text);
	}
	if (!fetch_can(options.from) || strlen(options.from) > URL_SIZE / 2)
		return options_refuse(&table, "'%.64s' is no registry: write an https URL", options.from);
	status = geo_find_folder("geo update", options.to, options.config, &folder);
	if (status != COMMAND_DONE)
		return status;
	update.folder = folder;
	update.registry = options.from;
	status = bring_all(&update, wanted, count);
	free(folder);
	return status;
}
