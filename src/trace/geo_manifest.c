/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/file.h"
#include "base/time.h"
#include "trace/geo_inside.h"

#define MANIFEST_MAX 65536

/* Opaque, so that who includes the header needs no JSON: a json_t. */
struct geo_manifest;

static json_t *root_of(const struct geo_manifest *manifest)
{
	return (json_t *)(uintptr_t)manifest;
}

/* The text of a file that is there and not too large. */
static int read_text(int fd, char text[MANIFEST_MAX], size_t *length)
{
	struct stat status;
	int result;

	if (fstat(fd, &status) != 0)
		return -errno;
	if (!S_ISREG(status.st_mode) || status.st_size > MANIFEST_MAX)
		return -EBADMSG;
	result = file_read_at(fd, text, (size_t)status.st_size, 0);
	if (result == 0)
		*length = (size_t)status.st_size;
	return result;
}

static int parse(const char *text, size_t length, struct geo_manifest **manifest)
{
	json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	const char *schema = json_string_value(json_object_get(root, "schema"));

	if (!schema || strcmp(schema, GEO_MANIFEST_SCHEMA) != 0 || !json_is_array(json_object_get(root, "databases"))) {
		json_decref(root);
		return -EBADMSG;
	}
	*manifest = (struct geo_manifest *)root;
	return 0;
}

int geo_manifest_open(const char *folder, struct geo_manifest **manifest)
{
	char *path, *text;
	size_t length = 0;
	int fd, result;

	*manifest = NULL;
	if (asprintf(&path, "%s/%s", folder, GEO_MANIFEST) < 0)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	free(path);
	if (fd < 0)
		return errno == ENOENT ? 0 : -EBADMSG;
	result = -ENOMEM;
	text = malloc(MANIFEST_MAX);
	if (!text)
		goto close_fd;
	result = read_text(fd, text, &length);
	result = result == 0 ? parse(text, length, manifest) : -EBADMSG;
	free(text);
close_fd:
	(void)close(fd);
	return result;
}

const json_t *geo_manifest_json(const struct geo_manifest *manifest)
{
	return root_of(manifest);
}

void geo_manifest_close(struct geo_manifest *manifest)
{
	json_decref(root_of(manifest));
}

static void copy(const json_t *entry, const char *key, char text[GEO_NAME_SIZE])
{
	const json_t *value = json_object_get(entry, key);

	if (json_is_string(value))
		networks_text(json_string_value(value), json_string_length(value), text, GEO_NAME_SIZE);
}

static bool says(const json_t *entry, const char *key, const char *text)
{
	const char *said = json_string_value(json_object_get(entry, key));

	return said && strcmp(said, text) == 0;
}

void geo_describe(const struct geo_manifest *manifest, const char *path, struct geo_database *about)
{
	const json_t *databases = json_object_get(root_of(manifest), "databases"), *entry;
	const char *slash = strrchr(path, '/');
	const char *file = slash ? slash + 1 : path, *dot = strrchr(file, '.');
	char built[GEO_NAME_SIZE] = "";
	struct capture_time time;
	size_t i;

	networks_text(file, dot && dot > file ? (size_t)(dot - file) : strlen(file), about->name, sizeof(about->name));
	json_array_foreach(databases, i, entry)
	{
		if (!says(entry, "file", file) || !says(entry, "sha256", about->sha256))
			continue;
		copy(entry, "name", about->name);
		copy(entry, "licence", about->licence);
		copy(entry, "version", about->version);
		copy(entry, "built", built);
		if (time_parse(built, &time) == 0)
			about->built_ns = time.ns;
		return;
	}
}
