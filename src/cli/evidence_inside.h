/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle in the making: what evidence.c is asked for, and evidence_take.c fetches for it. */
#ifndef HOLDFAST_CLI_EVIDENCE_INSIDE_H
#define HOLDFAST_CLI_EVIDENCE_INSIDE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "cli/archived.h"
#include "cli/exhibit.h"
#include "cli/options.h"
#include "daemon/config.h"
#include "record/bundle.h"
#include "record/ledger.h"

struct evidence_options {
	const char *config, *name, *out, *capture, *key, *password_file, *tlp, *new_key, *erase;
	struct option_duration retain;
	bool payload, expire, json;
};

struct evidence_making {
	const struct evidence_options *options;
	struct archived archived;
	struct config config;
	struct ledger *ledger; /* NULL: there is none */
	char record[RECORD_PATH_SIZE];
	json_t *whole;          /* the incident's file */
	const json_t *incident; /* in its analysis */
	char *trace;            /* NULL: there is none */
	struct exhibit *exhibit;
	FILE *files[BUNDLE_SEGMENTS]; /* NULL: there is none, or it is the exhibit's */
	json_t *about;
	int64_t made_ns, until_ns;
	bool synthesised;
	char capture_sha256[BUNDLE_HEX_SIZE];
	int failed; /* the first that went wrong on the way */
};

/* Keeps the first thing that went wrong. */
void evidence_note(struct evidence_making *making, int result);
/* Says so; COMMAND_BAD. */
int evidence_refuse_memory(void);

/*
 * Each fetches what its segment is made of, in this order. What merely fails is noted; those that give a status say
 * themselves what is wrong where it is not COMMAND_DONE.
 */
/* analysis.json: the octets that were recorded. */
int evidence_take_analysis(struct evidence_making *making);
/* trace.json: the latest roll-up; else that of the analysis. */
void evidence_take_trace(struct evidence_making *making);
/* claims.jsonl: what was claimed of the incident, what was found of that, and what else happened. */
void evidence_take_claims(struct evidence_making *making);
/* statements.jsonl: what was published of it, and what each statement rests on. evidence_statements.c */
void evidence_take_statements(struct evidence_making *making);
/* A line of a segment, whose file is made with the first; takes the reference. */
void evidence_line(struct evidence_making *making, enum bundle_segment segment, json_t *line);
/* rules.jsonl: what was proposed, and what became of rules. */
void evidence_take_rules(struct evidence_making *making);
/* Packets, counters, decisions, sources. */
int evidence_take_exhibit(struct evidence_making *making);
/* With --payload: all that the engine was told, so that all can be told anew. */
void evidence_take_stream(struct evidence_making *making);

#endif
