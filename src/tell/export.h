/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An incident and its trace in the formats that others read. None of it is sent anywhere: who exports a file decides
 * where it goes. Addresses of sources are in it only where they are real; relays are called relays. Claims are in it
 * only where they are handed over. The same incident gives the same octets: identifiers are made of what they name.
 */
#ifndef HOLDFAST_TELL_EXPORT_H
#define HOLDFAST_TELL_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/prefix.h"
#include "engine/finding.h"
#include "tell/analysis.h"
#include "trace/trace.h"

#define EXPORT_ERROR_SIZE 160
#define EXPORT_SOURCES_MAX 10000 /* those with most packets; more are said to be left out */
#define EXPORT_PORTS_MAX 8
#define EXPORT_TEXT_SIZE 254 /* of an organisation or an address of mail */
#define EXPORT_NAME_SIZE 80  /* of a report's file */

/* Traffic Light Protocol 2.0 of FIRST. */
enum export_tlp { EXPORT_CLEAR, EXPORT_GREEN, EXPORT_AMBER, EXPORT_AMBER_STRICT, EXPORT_RED };

/* A source whose address is real. */
struct export_source {
	struct address address;
	uint64_t packets, octets;
	int64_t first_ns, last_ns;
	uint32_t vector; /* of the trace's: the one that it sent most for */
	uint32_t network;
	bool reflectors; /* a relay */
};

struct export
{
	const struct trace *trace; /* borrowed, as all pointers but `sources` */
	struct prefix scope;
	uint16_t ports[EXPORT_PORTS_MAX];
	uint32_t ports_count;
	bool has_sources; /* false: what was exported knows none one by one */
	uint32_t sources_count;
	struct export_source *sources; /* owned; most packets first */
	uint64_t sources_left_out;
	const struct analysis_claim *claims;
	size_t claims_count;
	enum export_tlp tlp;
	const char *organisation, *contact; /* who reports; NULL: not said */
};

/*
 * Of a finding and its trace, which must outlive the export. `geo` may be NULL; what comes from `trusted` proxies is no
 * source. 0 or -ENOMEM; export_fini() is due after 0.
 */
int export_init(struct export *export, const struct finding *finding, const struct trace *trace, const struct geo *geo,
                const struct prefix *trusted, uint32_t trusted_count);
/*
 * Of what an analysis said of an incident: no sources. -EBADMSG with `error`; `trace` is filled and the caller's to
 * end.
 */
int export_init_json(struct export *export, const json_t *incident, struct trace *trace, char error[EXPORT_ERROR_SIZE]);
void export_fini(struct export *export);

/* "clear", "green", "amber", "amber+strict", "red"; -EINVAL. */
int export_tlp_parse(const char *text, enum export_tlp *tlp);
const char *export_tlp_name(enum export_tlp tlp);

/* Each writes an object and a newline to *text, which the caller frees; 0 or -ENOMEM. */
/* STIX 2.1 (OASIS Standard, 10 June 2021): a bundle. */
int export_stix(const struct export *export, char **text);
/* MISP core format (draft-dulaunoy-misp-core-format): an event, with objects ddos (version 6) and ddos-claim (1). */
int export_misp(const struct export *export, char **text);
/* RFC 4180, for people and their spreadsheets: a row for each country, network and source that is known. */
int export_csv(const struct export *export, char **text);
/*
 * XARF 4 (xarf.org/schemas/v4, types/connection-ddos.json): the report of one source, and a name for its file. -EINVAL
 * where it is a relay: its operator is told of an open service, not of an attack; or where nobody reports.
 */
int export_xarf(const struct export *export, const struct export_source *source, char **text,
                char name[EXPORT_NAME_SIZE]);

#endif
