/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of geo: how a database's octets become ranges, and what a folder's manifest says of it. */
#ifndef HOLDFAST_TRACE_GEO_INSIDE_H
#define HOLDFAST_TRACE_GEO_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "trace/geo.h"
#include "trace/networks.h"
#include "trace/ranges.h"

/* A country as a value of ranges: its two letters, the first one higher. */
#define GEO_LETTER_BITS 8
#define GEO_LETTER_MASK 0xffU

struct geo_reading {
	struct networks *names;            /* those of the networks are added */
	struct ranges countries, networks; /* zeroed before; to be freed whatever comes of it */
	int64_t built_ns;
	bool ipv4_only;
};

/* 0, with what there is; -EBADMSG with `why`, a constant; -E2BIG: more than a bound; -ENOMEM. */
int geo_read_mmdb(const uint8_t *octets, size_t size, struct geo_reading *reading, const char **why);
/*
 * Lines of first, last, and then: a country; a network's number and name; or number, country and name (iptoasn's),
 * parted by commas, with quotes or not, or by tabs. Sorted by first within each family; where they overlap, the one
 * before counts. The same, and with -EBADMSG the line, from 1.
 */
int geo_read_lines(const char *text, size_t size, struct geo_reading *reading, const char **why, size_t *line);
/* What two letters are worth: 0 where they are no country. Small ones count as large ones. */
uint32_t geo_country_value(const char *text, size_t length);

/* ---- manifest.json, which `geo update` writes ---- */

#define GEO_MANIFEST "manifest.json"
#define GEO_MANIFEST_SCHEMA "holdfast.geo/1"

struct geo_manifest; /* opaque */

/* 0, with NULL where the folder has none; -EBADMSG: it is not one; -ENOMEM. */
int geo_manifest_open(const char *folder, struct geo_manifest **manifest);
/* All of it, as JSON of the schema; as long as the manifest. */
const json_t *geo_manifest_json(const struct geo_manifest *manifest);
void geo_manifest_close(struct geo_manifest *manifest);
/*
 * Name, licence, version and age of a file; where the manifest is NULL, or knows the file with other octets, only its
 * name.
 */
void geo_describe(const struct geo_manifest *manifest, const char *path, struct geo_database *about);

#endif
