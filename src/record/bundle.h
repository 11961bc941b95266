/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An evidence bundle: one tar file (POSIX ustar), which anybody opens with what there is, and of which no octet is
 * free:
 *
 *     manifest.json     "holdfast.bundle/1": what the bundle is about, and its segments with size, SHA-256 and chain
 *     head.txt          the head of the chain: 64 hexadecimal digits and a newline
 *     erased.json       only where something was erased: "holdfast.erased/1", what, when, why
 *     the segments      in the manifest's order, which is that of bundle_segment_name(); those that were erased are not there
 *
 *     H_0 = 32 zero octets, H_i = SHA-256(H_{i-1} ‖ SHA-256(segment_i)), head = SHA-256(H_n ‖ SHA-256(manifest.json))
 *
 * Headers of members are written one way only (mode 0444, no owner, the time of the manifest), padding is zero, and
 * behind the last member come two blocks of zeros and nothing else. So the head, which a signature names, stands for
 * every octet, and the same evidence gives the same file.
 *
 * A bundle that is read is octets from outside: bounded, nothing in it is believed before its sum is right, and what is
 * wrong first is named. Functions return 0 or -errno.
 */
#ifndef HOLDFAST_RECORD_BUNDLE_H
#define HOLDFAST_RECORD_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define BUNDLE_SCHEMA "holdfast.bundle/1"
#define BUNDLE_ERASED_SCHEMA "holdfast.erased/1"
#define BUNDLE_BLOCK 512
#define BUNDLE_HASH 32
#define BUNDLE_HEX_SIZE 65               /* with its NUL */
#define BUNDLE_MANIFEST_MAX (256u << 10) /* octets; of erased.json as well */
#define BUNDLE_SEGMENT_MAX (4ULL << 30)  /* octets of one */
#define BUNDLE_JSON_MAX (80u << 20)      /* octets of a segment that is taken into memory */
#define BUNDLE_WHY_MAX 160

enum bundle_segment {
	BUNDLE_ANALYSIS,   /* analysis.json: what was found, as it was recorded */
	BUNDLE_TRACE,      /* trace.json: the roll-up that verdicts rest on */
	BUNDLE_CLAIMS,     /* claims.jsonl: claims, verdicts on them, events: a line each */
	BUNDLE_STATEMENTS, /* statements.jsonl: what was published, and the documents it rests on: a line each */
	BUNDLE_RULES,      /* rules.jsonl: rules that were proposed or in force */
	BUNDLE_DECISIONS,  /* decisions.jsonl: what the engine ordered and people did, and when */
	BUNDLE_COUNTERS,   /* counters.jsonl: what came to the target, by the second */
	BUNDLE_SOURCES,    /* sources.jsonl: by network and country; single addresses where they are real */
	BUNDLE_PACKETS,    /* packets.pcapng */
	BUNDLE_STREAM,     /* stream.hfs: all that the engine was told; only where payload is wanted */
	BUNDLE_SEGMENTS,
};

/* "analysis.json". */
const char *bundle_segment_name(enum bundle_segment segment);
/* Whether addresses of single hosts may be in it, which are erased when the time of keeping them is over. */
bool bundle_segment_is_personal(enum bundle_segment segment);

/* "amber+strict", "amber", "green", "clear", "red": labels of TLP 2.0. NULL: it is none. */
const char *bundle_tlp(const char *name);

/* SHA-256 of a file from its first octet to its last, in hexadecimal. */
int bundle_sum(int fd, char text[BUNDLE_HEX_SIZE]);
/* The same of octets. */
void bundle_sum_of(const void *octets, size_t length, char text[BUNDLE_HEX_SIZE]);

/* ---- writing ---- */

struct bundle_making {
	const json_t *about; /* members of the manifest, beside schema and segments; borrowed */
	int64_t made_s;      /* since the Unix epoch, > 0: the time of all members */
	struct {
		int fd; /* -1: there is none; read from its beginning to `octets` */
		uint64_t octets;
	} segments[BUNDLE_SEGMENTS];
};

/* To `out`, from where it stands. -EFBIG: a segment, or the manifest, is larger than may be. */
int bundle_write(const struct bundle_making *making, int out, char head[BUNDLE_HEX_SIZE]);

/* ---- reading ---- */

enum bundle_state { BUNDLE_ABSENT, BUNDLE_WHOLE, BUNDLE_ERASED };

/* The first thing that is not as it should be. */
struct bundle_fault {
	char member[64]; /* "packets.pcapng", "manifest.json", …; "": the file as such */
	uint64_t offset; /* in the file: where the member begins, or the octet that is wrong */
	char what[200];
};

struct bundle {
	json_t *manifest; /* owned */
	char head[BUNDLE_HEX_SIZE];
	int64_t made_s;
	struct bundle_part {
		enum bundle_state state;
		uint64_t at, octets; /* where it is in the file */
		char sha256[BUNDLE_HEX_SIZE];
		int64_t erased_s;
		char erased_why[BUNDLE_WHY_MAX];
	} parts[BUNDLE_SEGMENTS];
};

/*
 * Reads it all and holds every octet to its sum. -EBADMSG with `fault`; -ENOMEM, -EIO. bundle_fini() is due after 0.
 * That all is as the head says does not say who made it: that is a signature's to say.
 */
int bundle_read(int fd, struct bundle *bundle, struct bundle_fault *fault);
void bundle_fini(struct bundle *bundle);
/*
 * A segment whole, with a NUL behind it; the caller frees it. -ENOENT where it is not there, -EFBIG beyond
 * BUNDLE_JSON_MAX.
 */
int bundle_text(const struct bundle *bundle, int fd, enum bundle_segment segment, char **text, size_t *length);

/*
 * The same bundle to `out`, without those of `wanted` that it has: manifest and head stay, erased.json says when and
 * why. What was erased before stays so. -ENOENT: nothing of that is in it.
 */
int bundle_erase(const struct bundle *bundle, int fd, const bool wanted[BUNDLE_SEGMENTS], int64_t now_s,
                 const char *why, int out);

#endif
