/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of nft.h share: a table that is open, and how nftables is spoken to (nft_talk.c). Commands are lines
 * of nft(8); what is asked comes as the objects of libnftables-json(5).
 */
#ifndef HOLDFAST_SHIELD_NFT_INSIDE_H
#define HOLDFAST_SHIELD_NFT_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>
#include <nftables/libnftables.h>

#include "abi/shield.h"
#include "shield/maps.h"
#include "shield/nft.h"
#include "shield/shield.h"

#define NFT_LENGTHS 129 /* of prefixes, 0 to 128 */

struct nft_shield {
	struct nft_ctx *context;
	char name[NFT_NAME_MAX];
	uint32_t capacity;
	unsigned guards;                  /* sets guard_0 to guard_(n - 1) */
	bool has[2][2][NFT_LENGTHS];      /* sets of prefixes: enum nft_list, IPv4 and IPv6, length */
	uint32_t rules[SHIELD_RULES_MAX]; /* numbers */
	unsigned rule_count;
};

/* Fills *error in; returns `code`. */
int nft_refuse(struct shield_error *error, int code, const char *message, const char *advice);

/* To be freed by nft_ctx_free(); what it says is kept in its buffers. */
int nft_context_new(struct nft_ctx **context, struct shield_error *error);
/* Runs lines of commands: 0, or -errno with what nftables said. */
int nft_run(struct nft_ctx *context, const char *commands, struct shield_error *error);

/* Commands are written to a stream in memory, and run as one transaction. */
struct nft_script {
	char *text;
	size_t size;
	FILE *stream;
};

int nft_script_begin(struct nft_script *script); /* 0, or -ENOMEM */
/* Ends the script, whatever comes of it. */
int nft_script_run(struct nft_script *script, struct nft_shield *nft, struct shield_error *error);
/* Ends one that is not to be run. */
void nft_script_drop(struct nft_script *script);

/*
 * What `list ...` answers: an array of objects, each of one member, for the caller to free. `terse`: sets without
 * elements.
 */
__attribute__((format(printf, 5, 6))) int nft_ask(struct nft_shield *nft, bool terse, json_t **objects,
                                                  struct shield_error *error, const char *format, ...);
/* The whole table, tersely. */
int nft_ask_table(struct nft_shield *nft, json_t **objects, struct shield_error *error);
/* A member of an object that is a text; "" where there is none. */
const char *nft_text(const json_t *object, const char *member);
/* A counter among the objects; 0 where it is none of them. */
struct shield_count nft_count_named(const json_t *objects, const char *name);

/* " timeout 7s" of an element; nothing where it has no end (INT64_MAX). */
void nft_say_end(FILE *stream, int64_t for_ns);
/* The value of a set's element, and how long it is there (INT64_MAX: it has no end). */
const json_t *nft_element(const json_t *element, int64_t *left_ns);
/* Protocols in a set for so long: what a packet's protocol is looked up in while something holds. */
void nft_say_protocols(FILE *stream, const struct nft_shield *nft, const char *set, int64_t for_ns);
/* How long such a set holds: 0 where it does no more. */
int nft_read_protocols(struct nft_shield *nft, const char *set, int64_t *left_ns, struct shield_error *error);

#endif
