/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A nonce is 24 octets in hexadecimal: when (4), its number (8), the first 12 of HMAC-SHA-256(key, both). Its number
 * names a bit in a ring, which the number as far ahead takes over.
 *
 * Tables of sources and networks are of open addresses and hold what came in one bucket. A slot's key is never 0.
 */
#include "impact/intake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/octets.h"

#define SOURCES (1u << INTAKE_SOURCES_BITS)
#define NETWORKS (1u << INTAKE_NETWORKS_BITS)
#define PLACED (1u << INTAKE_PLACED_BITS)
#define NONCE_BITS_MIN 3
#define NONCE_OCTETS 24
#define NONCE_SAID 12 /* of them what is said, before the sum */
#define MARK_OCTETS 56
#define HALF 2
#define CELLS_PLACED (INTAKE_CELLS_MAX / HALF) /* of those between two drains, that say where */
#define CELLS_NETWORKS (CELLS_PLACED / 4 * 3)

enum mark_kind { MARK_FORM = 1, MARK_NEL };

struct source {
	uint64_t key;
	uint32_t count;
};

struct network {
	uint64_t key;
	uint32_t accepted;
};

/* What came in a bucket, for the verdict. */
struct tally {
	int64_t bucket_ns;
	uint64_t raw, accepted, capped, shielded, nonces_wrong, nonces_good;
	bool halved;
};

struct intake {
	struct intake_options options;
	uint8_t source_key[INTAKE_KEY_SIZE];
	uint8_t nonce_keys[2][INTAKE_KEY_SIZE]; /* in use; before it */
	uint64_t network_seed;
	int64_t key_since_ns;
	bool before_holds;
	uint64_t next_number;
	uint64_t nonces; /* a power of two */
	uint8_t *used;   /* a bit each */
	struct source sources[SOURCES];
	unsigned sources_count, level;
	struct network networks[NETWORKS + 1]; /* the last: all that have no slot */
	unsigned networks_count;
	/* cells of the bucket that say where, by hash: what is on record of five minutes stays bounded */
	uint64_t placed[PLACED];
	unsigned placed_count;
	struct tally now, before;
	struct report_count cells[INTAKE_CELLS_MAX];
	unsigned cells_count;
	struct signal_count signals[INTAKE_SIGNALS_MAX];
	unsigned signals_count;
	struct intake_counts counts;
};

static const char *const results[INTAKE_RESULTS] = {
	[INTAKE_ACCEPTED] = "accepted",       [INTAKE_REPEATED] = "repeated",       [INTAKE_CAPPED] = "network_capped",
	[INTAKE_SHIELDED] = "shielded",       [INTAKE_SAMPLED] = "sampled_out",     [INTAKE_NO_ROOM] = "no_room",
	[INTAKE_NONCE_WRONG] = "nonce_wrong", [INTAKE_NONCE_EARLY] = "nonce_early", [INTAKE_NONCE_LATE] = "nonce_late",
	[INTAKE_NONCE_USED] = "nonce_used",
};

const char *intake_result_name(enum intake_result result)
{
	return result < INTAKE_RESULTS ? results[result] : "unknown";
}

const char *intake_flood_name(enum intake_flood reason)
{
	static const char *const words[INTAKE_FLOOD_REASONS] = { "few_sources", "one_network", "shielded", "nonces",
		                                                 "many_sources" };
	unsigned i;

	for (i = 0; i + 1 < INTAKE_FLOOD_REASONS && !((unsigned)reason >> i & 1); i++)
		;
	return words[i];
}

static void bucket_clear(struct intake *intake)
{
	memset(intake->sources, 0, sizeof(intake->sources));
	memset(intake->networks, 0, sizeof(intake->networks));
	memset(intake->placed, 0, sizeof(intake->placed));
	intake->sources_count = intake->networks_count = intake->placed_count = intake->level = 0;
}

/* The bucket of `now` is the one that is counted; a clock that was set back counts in the later one. */
static void turn(struct intake *intake, struct capture_time now)
{
	int64_t bucket = count_bucket(now.ns);

	if (bucket <= intake->now.bucket_ns && intake->now.bucket_ns - bucket <= COUNT_BUCKET_NS)
		return;
	intake->before = intake->now;
	intake->now = (struct tally){ .bucket_ns = bucket };
	bucket_clear(intake);
}

static void set_key(struct intake *intake, const uint8_t key[INTAKE_KEY_SIZE], struct capture_time now)
{
	static const char *const uses[] = { "source", "nonce", "network" };
	uint8_t sums[3][DIGEST_SHA256_SIZE];

	for (unsigned i = 0; i < 3; i++)
		digest_hmac_sha256(key, INTAKE_KEY_SIZE, uses[i], strlen(uses[i]), sums[i]);
	memcpy(intake->source_key, sums[0], INTAKE_KEY_SIZE);
	memcpy(intake->nonce_keys[0], sums[1], INTAKE_KEY_SIZE);
	intake->network_seed = octets_get_be(sums[2], 8);
	intake->key_since_ns = now.ns;
	explicit_bzero(sums, sizeof(sums));
}

int intake_new(const struct intake_options *options, const uint8_t key[INTAKE_KEY_SIZE], struct capture_time now,
               struct intake **intake)
{
	struct intake *made;

	if (!options->network_cap || options->nonce_bits < NONCE_BITS_MIN || options->nonce_bits > INTAKE_NONCES_BITS)
		return -EINVAL;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->nonces = UINT64_C(1) << options->nonce_bits;
	made->used = calloc(made->nonces / 8, 1);
	if (!made->used) {
		free(made);
		return -ENOMEM;
	}
	made->options = *options;
	made->now.bucket_ns = made->before.bucket_ns = count_bucket(now.ns);
	set_key(made, key, now);
	*intake = made;
	return 0;
}

void intake_free(struct intake *intake)
{
	if (!intake)
		return;
	free(intake->used);
	explicit_bzero(intake, sizeof(*intake));
	free(intake);
}

bool intake_key_due(const struct intake *intake, struct capture_time now)
{
	return now.ns - intake->key_since_ns >= INTAKE_KEY_S * NS_PER_S || now.ns < intake->key_since_ns;
}

void intake_rekey(struct intake *intake, const uint8_t key[INTAKE_KEY_SIZE], struct capture_time now)
{
	memcpy(intake->nonce_keys[1], intake->nonce_keys[0], INTAKE_KEY_SIZE);
	intake->before_holds = true;
	set_key(intake, key, now);
	bucket_clear(intake);
}

static void nonce_sum(const uint8_t key[INTAKE_KEY_SIZE], const uint8_t said[NONCE_SAID], uint8_t sum[NONCE_SAID])
{
	uint8_t whole[DIGEST_SHA256_SIZE];

	digest_hmac_sha256(key, INTAKE_KEY_SIZE, said, NONCE_SAID, whole);
	memcpy(sum, whole, NONCE_SAID);
}

const char *intake_nonce(struct intake *intake, struct capture_time now, char text[INTAKE_NONCE_TEXT_SIZE])
{
	uint8_t octets[NONCE_OCTETS];
	uint64_t number = intake->next_number++, bit = number % intake->nonces;

	(void)octets_put_u32_be(octets, (uint32_t)(now.ns / NS_PER_S));
	(void)octets_put_u64_be(octets + 4, number);
	nonce_sum(intake->nonce_keys[0], octets, octets + NONCE_SAID);
	intake->used[bit / 8] &= (uint8_t) ~(1u << bit % 8);
	intake->counts.nonces++;
	hex_write(octets, sizeof(octets), text);
	return text;
}

/* INTAKE_ACCEPTED: it was good, and is used up. */
static enum intake_result nonce_take(struct intake *intake, struct capture_time now, const char *text)
{
	uint8_t octets[NONCE_OCTETS], sum[NONCE_SAID];
	uint64_t number, bit;
	int64_t age;
	bool ours = false;

	if (!text || strlen(text) != INTAKE_NONCE_TEXT_SIZE - 1 || hex_read(text, octets, sizeof(octets)) != 0)
		return INTAKE_NONCE_WRONG;
	for (unsigned i = 0; i < 1u + intake->before_holds; i++) {
		nonce_sum(intake->nonce_keys[i], octets, sum);
		ours |= digest_equal(sum, octets + NONCE_SAID, NONCE_SAID);
	}
	if (!ours)
		return INTAKE_NONCE_WRONG;
	age = now.ns / NS_PER_S - (int64_t)octets_get_be(octets, 4);
	number = octets_get_be(octets + 4, 8);
	if (age < INTAKE_NONCE_EARLY_S)
		return INTAKE_NONCE_EARLY;
	if (age > INTAKE_NONCE_LATE_S)
		return INTAKE_NONCE_LATE;
	if (number >= intake->next_number || intake->next_number - number > intake->nonces) {
		intake->counts.nonces_pushed_out++;
		return INTAKE_NONCE_LATE;
	}
	bit = number % intake->nonces;
	if (intake->used[bit / 8] >> bit % 8 & 1)
		return INTAKE_NONCE_USED;
	intake->used[bit / 8] |= (uint8_t)(1u << bit % 8);
	return INTAKE_ACCEPTED;
}

/* A source, as far as it is known here: nobody without the key gets from it to an address. */
static uint64_t source_mark(const struct intake *intake, enum mark_kind kind, const struct address *address,
                            const char *component)
{
	struct prefix prefix = prefix_of(address, address_is_ipv4(address) ? INTAKE_SOURCE_V4 : INTAKE_SOURCE_V6);
	uint8_t octets[MARK_OCTETS] = { (uint8_t)kind }, sum[DIGEST_SHA256_SIZE];

	memcpy(octets + 1, prefix.address.octets, sizeof(prefix.address.octets));
	(void)strncpy((char *)octets + 1 + sizeof(prefix.address.octets), component, COMPONENT_ID_SIZE - 1);
	digest_hmac_sha256(intake->source_key, INTAKE_KEY_SIZE, octets, sizeof(octets), sum);
	return octets_get_be(sum, 8) | UINT64_C(1) << 63; /* never 0 */
}

static bool in_sample(uint64_t mark, unsigned level)
{
	return !(mark & ((UINT64_C(1) << level) - 1));
}

static struct source *source_slot(struct source *sources, uint64_t mark)
{
	unsigned i = (unsigned)(mark >> 32) % SOURCES; /* not the bits by which it is sampled */

	while (sources[i].key && sources[i].key != mark)
		i = (i + 1) % SOURCES;
	return &sources[i];
}

/*
 * Every second source is forgotten: what is left moves to where it belongs now. -ENOMEM where there is no memory to do
 * it with.
 */
static int halve(struct intake *intake)
{
	struct source *kept = calloc(SOURCES, sizeof(*kept));
	unsigned count = 0;

	if (!kept)
		return -ENOMEM;
	intake->level++;
	for (unsigned i = 0; i < SOURCES; i++)
		if (intake->sources[i].key && in_sample(intake->sources[i].key, intake->level)) {
			*source_slot(kept, intake->sources[i].key) = intake->sources[i];
			count++;
		}
	memcpy(intake->sources, kept, sizeof(intake->sources));
	free(kept);
	intake->sources_count = count;
	intake->counts.sources_halved++;
	intake->now.halved = true;
	return 0;
}

/* A source says something, for the how manieth time in this bucket? INTAKE_ACCEPTED: it counts. */
static enum intake_result source_take(struct intake *intake, uint64_t mark)
{
	struct source *slot;

	if (!in_sample(mark, intake->level))
		return INTAKE_SAMPLED;
	slot = source_slot(intake->sources, mark);
	if (!slot->key) {
		if (intake->sources_count >= SOURCES / HALF) {
			if (intake->level >= INTAKE_LEVEL_MAX || halve(intake))
				return INTAKE_NO_ROOM;
			if (!in_sample(mark, intake->level))
				return INTAKE_SAMPLED;
			slot = source_slot(intake->sources, mark);
		}
		slot->key = mark;
		intake->sources_count++;
	}
	if (slot->count >= INTAKE_SOURCE_MAX)
		return INTAKE_REPEATED;
	slot->count++;
	return INTAKE_ACCEPTED;
}

static struct network *network_of(struct intake *intake, enum mark_kind kind, const struct address *address,
                                  uint32_t network)
{
	struct prefix prefix = prefix_of(address, address_is_ipv4(address) ? INTAKE_NETWORK_V4 : INTAKE_NETWORK_V6);
	uint64_t key = network ? hash_2(intake->network_seed, network, (uint64_t)kind)
	                       : hash_address(intake->network_seed + (uint64_t)kind, &prefix.address);
	unsigned i;

	key |= UINT64_C(1) << 63;
	for (i = (unsigned)key % NETWORKS; intake->networks[i].key; i = (i + 1) % NETWORKS)
		if (intake->networks[i].key == key)
			return &intake->networks[i];
	if (intake->networks_count >= NETWORKS / HALF) {
		intake->counts.networks_refused++;
		return &intake->networks[NETWORKS];
	}
	intake->networks_count++;
	intake->networks[i].key = key;
	return &intake->networks[i];
}

static enum intake_fate fate_of(const struct intake *intake, const struct address *source)
{
	return intake->options.shielded ? intake->options.shielded(intake->options.context, source)
	                                : INTAKE_FATE_UNKNOWN;
}

/* What the rules say of one more from there; `weight` is what it stands for. */
static enum intake_result judge(struct intake *intake, enum mark_kind kind, const struct address *source,
                                enum intake_fate fate, uint32_t network, const char *component, uint32_t *weight)
{
	struct network *of = network_of(intake, kind, source, network);
	uint64_t cap = (uint64_t)intake->options.network_cap * (network ? INTAKE_AS_NETWORKS : 1);
	enum intake_result result;

	if (fate == INTAKE_FATE_DROPPED)
		return INTAKE_SHIELDED;
	if (of->accepted >= cap)
		return INTAKE_CAPPED;
	result = source_take(intake, source_mark(intake, kind, source, component));
	if (result != INTAKE_ACCEPTED)
		return result;
	*weight *= 1u << intake->level;
	of->accepted += *weight;
	return INTAKE_ACCEPTED;
}

static bool same_cell(const struct report_count *a, const struct report_count *b)
{
	return a->bucket_ns == b->bucket_ns && a->network == b->network && a->symptom == b->symptom &&
	       a->source == b->source && !strcmp(a->component, b->component) && !strcmp(a->region, b->region);
}

static struct report_count *cell_find(struct intake *intake, const struct report_count *of, unsigned most)
{
	for (unsigned i = intake->cells_count; i--;)
		if (same_cell(&intake->cells[i], of))
			return &intake->cells[i];
	if (intake->cells_count >= most)
		return NULL;
	intake->cells[intake->cells_count] = *of;
	return &intake->cells[intake->cells_count++];
}

/* Whether the bucket has room for one more cell that says where, or has that one already. */
static bool may_place(struct intake *intake, const struct report_count *of)
{
	uint64_t words[(COMPONENT_ID_SIZE + REGION_SIZE + sizeof(uint64_t)) / sizeof(uint64_t)] = { 0 };
	uint64_t key = hash_2(intake->network_seed, of->network, (uint64_t)of->symptom);
	unsigned i;

	memcpy(words, of->component, sizeof(of->component));
	memcpy((char *)words + sizeof(of->component), of->region, sizeof(of->region));
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		key = hash_2(key, words[i], i);
	key |= 1; /* never 0 */
	for (i = (unsigned)(key >> 32) % PLACED; intake->placed[i]; i = (i + 1) % PLACED)
		if (intake->placed[i] == key)
			return true;
	if (intake->placed_count >= (of->network ? INTAKE_PLACED_NETWORKS_MAX : INTAKE_PLACED_MAX))
		return false;
	intake->placed_count++;
	intake->placed[i] = key;
	return true;
}

/*
 * Where a report is counted. NULL: nowhere. A flood from everywhere costs the networks first: there are more of them
 * than regions.
 */
static struct report_count *cell_of(struct intake *intake, const struct report_count *report)
{
	struct report_count of = { .bucket_ns = intake->now.bucket_ns,
		                   .symptom = report->symptom,
		                   .source = REPORT_FORM,
		                   .network = report->network };
	bool left_out = false;

	(void)snprintf(of.component, sizeof(of.component), "%s", report->component);
	(void)snprintf(of.region, sizeof(of.region), "%s", report->region);
	while (of.network || of.region[0]) {
		unsigned most = of.network ? CELLS_NETWORKS : CELLS_PLACED;
		struct report_count *cell = may_place(intake, &of) ? cell_find(intake, &of, most) : NULL;

		if (cell)
			return cell;
		intake->counts.places_left_out += !left_out;
		left_out = true;
		if (of.network)
			of.network = 0;
		else
			of.region[0] = '\0';
	}
	return cell_find(intake, &of, INTAKE_CELLS_MAX);
}

static void add(uint32_t *sum, uint32_t more)
{
	if (__builtin_add_overflow(*sum, more, sum))
		*sum = UINT32_MAX;
}

/* false: there is no room for it. */
static bool signal_add(struct intake *intake, enum signal_kind kind, const char *component, uint32_t good, uint32_t bad)
{
	struct signal_count *signal = NULL;

	for (unsigned i = 0; i < intake->signals_count && !signal; i++)
		if (intake->signals[i].kind == kind && intake->signals[i].bucket_ns == intake->now.bucket_ns &&
		    !strcmp(intake->signals[i].component, component))
			signal = &intake->signals[i];
	if (!signal) {
		if (intake->signals_count == INTAKE_SIGNALS_MAX)
			return false;
		signal = &intake->signals[intake->signals_count++];
		*signal = (struct signal_count){ .bucket_ns = intake->now.bucket_ns, .kind = kind };
		(void)strncpy(signal->component, component, COMPONENT_ID_SIZE - 1);
	}
	add(&signal->good, good);
	add(&signal->bad, bad);
	return true;
}

/* A report whose nonce was good. */
static enum intake_result report_take(struct intake *intake, const struct address *source,
                                      const struct report_count *report)
{
	struct report_count *cell = cell_of(intake, report);
	enum intake_fate fate = fate_of(intake, source);
	enum intake_result result;
	uint32_t weight = 1;

	intake->now.raw++;
	if (!cell)
		return INTAKE_NO_ROOM;
	add(&cell->raw, 1);
	result = judge(intake, MARK_FORM, source, fate, report->network, report->component, &weight);
	if (result == INTAKE_SHIELDED) {
		intake->now.shielded++;
		add(&cell->shielded, 1);
	} else if (result == INTAKE_ACCEPTED) {
		intake->now.accepted++;
		add(&cell->accepted, weight);
		if (cell->raw < cell->accepted + cell->shielded) /* an estimate says more than what has come so far */
			cell->raw = cell->accepted + cell->shielded;
	}
	intake->now.capped += result == INTAKE_CAPPED;
	if (fate != INTAKE_FATE_UNKNOWN)
		(void)signal_add(intake, SIGNAL_FILTERED, report->component, fate == INTAKE_FATE_PASSES,
		                 fate == INTAKE_FATE_DROPPED);
	return result;
}

enum intake_result intake_report(struct intake *intake, struct capture_time now, const char *nonce,
                                 const struct address *source, const struct report_count *report)
{
	enum intake_result result;

	turn(intake, now);
	result = nonce_take(intake, now, nonce);
	if (result == INTAKE_ACCEPTED) {
		intake->now.nonces_good++;
		result = report_take(intake, source, report);
	} else if (result == INTAKE_NONCE_WRONG || result == INTAKE_NONCE_USED) {
		intake->now.nonces_wrong++;
	}
	intake->counts.results[result]++;
	return result;
}

enum intake_result intake_nel(struct intake *intake, struct capture_time now, const struct address *source,
                              uint32_t network, const char *component, bool failed, uint32_t weight)
{
	enum intake_result result;

	turn(intake, now);
	if (weight > INTAKE_WEIGHT_MAX)
		weight = INTAKE_WEIGHT_MAX;
	if (!weight)
		weight = 1;
	result = judge(intake, MARK_NEL, source, fate_of(intake, source), network, component, &weight);
	if (result == INTAKE_ACCEPTED &&
	    !signal_add(intake, SIGNAL_NEL, component, failed ? 0 : weight, failed ? weight : 0))
		result = INTAKE_NO_ROOM;
	intake->counts.results[result]++;
	return result;
}

unsigned intake_drain(struct intake *intake, struct report_count *reports, unsigned most)
{
	unsigned count = intake->cells_count < most ? intake->cells_count : most;

	intake->cells_count -= count;
	memcpy(reports, intake->cells + intake->cells_count, count * sizeof(*reports));
	return count;
}

unsigned intake_drain_signals(struct intake *intake, struct signal_count *signals, unsigned most)
{
	unsigned count = intake->signals_count < most ? intake->signals_count : most;

	intake->signals_count -= count;
	memcpy(signals, intake->signals + intake->signals_count, count * sizeof(*signals));
	return count;
}

static unsigned suspected(const struct tally *t)
{
	unsigned reasons = t->halved ? INTAKE_FLOOD_MANY : 0;

	if (t->raw >= INTAKE_FLOOD_MIN) {
		uint64_t repeated = t->raw - t->accepted - t->shielded - t->capped;

		if (repeated > t->raw / 4 * 3 && !t->halved)
			reasons |= INTAKE_FLOOD_SOURCES;
		if (t->capped >= t->raw / 2)
			reasons |= INTAKE_FLOOD_NETWORK;
		if (t->shielded >= t->raw / 2)
			reasons |= INTAKE_FLOOD_SHIELDED;
	}
	if (t->nonces_wrong >= INTAKE_FLOOD_MIN && t->nonces_wrong > t->nonces_good)
		reasons |= INTAKE_FLOOD_NONCES;
	return reasons;
}

unsigned intake_flood(struct intake *intake, struct capture_time now)
{
	turn(intake, now);
	return suspected(&intake->now) |
	       (intake->before.bucket_ns == intake->now.bucket_ns - COUNT_BUCKET_NS ? suspected(&intake->before) : 0);
}

struct intake_counts intake_counts(const struct intake *intake)
{
	return intake->counts;
}
