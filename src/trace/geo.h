/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where addresses are said to be: databases of countries and of networks (autonomous systems), each asked about each
 * address. They disagree, so none is "the" answer. Formats: MaxMind DB 2.0 (trace/mmdb.h), with MaxMind's nested
 * records ({"country":{"iso_code":"UA"}}, {"autonomous_system_number":…,"autonomous_system_organization":…}) and the
 * flat ones of open sets ({"country_code":"UA"}); networks from CSV, too: first,last,number,name.
 *
 * A database is octets from outside: whatever is in it, a look-up ends, and says at worst that nothing is known.
 */
#ifndef HOLDFAST_TRACE_GEO_H
#define HOLDFAST_TRACE_GEO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prefix.h"

#define GEO_COUNTRY_DATABASES_MAX 4
#define GEO_NETWORK_DATABASES_MAX 1
#define GEO_ERROR_SIZE 256
#define GEO_NAME_SIZE 64
#define GEO_HASH_SIZE 65                   /* SHA-256 in hexadecimal */
#define GEO_COUNTRY_SIZE 3                 /* ISO 3166-1 alpha-2; "" where nothing is known */
#define GEO_FILE_MAX ((uint64_t)256 << 20) /* octets of a database */
#define GEO_FOLDER "/var/lib/holdfast/geo"
#define GEO_OLD_S (180 * 86400) /* a database older than the incident by more is said to be from another time */

#define GEO_CODES ((size_t)26 * 26) /* pairs of capital letters, of which countries have some */

enum geo_kind { GEO_COUNTRIES, GEO_NETWORKS };

/* What is said of a database wherever its answers are. */
struct geo_database {
	enum geo_kind kind;
	char name[GEO_NAME_SIZE];    /* its file's name, or the package's: "iptoasn-country" */
	char licence[GEO_NAME_SIZE]; /* "" where it is not known */
	char version[GEO_NAME_SIZE]; /* of the package, or "" */
	char sha256[GEO_HASH_SIZE];
	int64_t built_ns; /* since the Unix epoch; 0: it does not say */
	bool ipv4_only;
};

struct geo; /* opaque */

struct geo_place {
	char country[GEO_COUNTRY_DATABASES_MAX]
		    [GEO_COUNTRY_SIZE]; /* by country database, in the order of geo_database() */
	uint32_t network;               /* AS number; 0: not known */
};

/*
 * Opens what is in a folder (a `manifest.json` that `geo update` wrote says names, licences and versions; any *.mmdb
 * and *.csv without one are taken as they are), or the files named. -ENOENT: none is there; -EBADMSG with `error`
 * naming which file is what wrong: the others are open all the same where `geo` is not NULL.
 */
int geo_open_folder(const char *folder, struct geo **geo, char error[GEO_ERROR_SIZE]);
int geo_open_files(const char *const *paths, size_t count, struct geo **geo, char error[GEO_ERROR_SIZE]);
/* The same of what would be in a file of that name. */
int geo_open_octets(const char *name, const uint8_t *octets, size_t size, struct geo **geo, char error[GEO_ERROR_SIZE]);
void geo_close(struct geo *geo);

/* Databases of a kind, and each: the geo's. */
size_t geo_count(const struct geo *geo, enum geo_kind kind);
const struct geo_database *geo_database(const struct geo *geo, enum geo_kind kind, size_t index);
/* Which pair of letters a country's code is, the first letter's first; GEO_CODES: it is none. And back. */
size_t geo_code_index(const char country[GEO_COUNTRY_SIZE]);
void geo_code_at(size_t index, char country[GEO_COUNTRY_SIZE]);
/* Never fails: what is not known is empty. Changes nothing, so threads may share one geo. */
void geo_look_up(const struct geo *geo, const struct address *address, struct geo_place *place);
/* The name of a network, "" where none is known. Valid as long as `geo`. */
const char *geo_network_name(const struct geo *geo, uint32_t network);

#endif
