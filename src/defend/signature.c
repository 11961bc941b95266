/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 1. Items: for each header field, the values and ranges that a good part of the attack has in common. Items of little use alone stay, for they may
 *    be what makes a pair narrow.
 * 2. One bitmap per item over A, B and V; a beam search (BEAM_WIDTH, BEAM_DEPTH) over conjunctions, AND and popcount.
 * 3. Score: coverage - BOUND_WEIGHT x bound, in parts per million. Where B is large, one half of it is searched on and the other half judges,
 *    for trying thousands of candidates on the same sample flatters the winner.
 * 4. The winner is made as specific as it can be without losing coverage; then what it leaves is mined again.
 */
#include "defend/signature.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/share.h"
#include "base/topk.h"
#include "observe/protocol.h"

#define ITEMS_MAX 192
#define VALUES_PER_FIELD 6
#define ITEM_SHARE 32 /* an item holds at least a thirty-second of what is left of the attack */
#define NETWORKS_PER_LEVEL 4
#define NETWORK_SHARE 8 /* a network holds at least an eighth of it */
#define BEAM_WIDTH 32
#define BEAM_DEPTH 6
#define BOUND_WEIGHT 50
#define RULE_ADDS_PPM 20000 /* a rule that catches less than a fiftieth is not worth having */
#define RANK_LAST 10        /* single sources: behind all ranks of the table of fields */
#define SPECIFIC_TERMS 5
#define SPECIFIC_KEEPS_PPM 998000 /* of a rule's coverage, for one more term */
#define SPECIFIC_BONUS_PPM 30000
#define HELD_OUT_FROM 20000 /* packets in B from which on half of it is held out */
#define LIMIT_PPS_MIN 10
#define LIMIT_CLIENT_PPS 50 /* what a person's browser needs */
#define VERIFIED_LOST_PPM 10000
#define VERIFIED_NOISE_PPM 2000 /* verification errs too: some of V may be attack */
#define OPENINGS_LOST_PPM \
	10000 /* a rule on SYNs may lose at most this share of normal ones, however few they are among all packets */

/* Poisson upper limits at 95 % for 0, 1, 2 … events, in thousandths, rounded up (Garwood 1936). */
static const uint32_t poisson_95[] = { 2996,  4744,  6296,  7754,  9154,  10514, 11843, 13149, 14435, 15706, 16963,
	                               18208, 19443, 20669, 21887, 23098, 24302, 25500, 26693, 27879, 29063 };

#define BOUND_HITS_MAX 1000000000000000 /* 1.645 sqrt(k) is far below a thousandth of k there */
#define POISSON_TABLE (sizeof(poisson_95) / sizeof(poisson_95[0]))

static uint64_t square_root(uint64_t n)
{
	uint64_t low = 0, high = 1ull << 32;

	while (low + 1 < high) {
		uint64_t middle = (low + high) / 2;

		if (middle * middle <= n)
			low = middle;
		else
			high = middle;
	}
	return low;
}

uint32_t signature_bound_ppm(uint64_t hits, uint64_t n)
{
	__extension__ typedef unsigned __int128 wide;
	wide upper; /* in thousandths */

	if (n == 0)
		return PPM;
	if (hits < POISSON_TABLE)
		upper = poisson_95[hits];
	else if (hits > BOUND_HITS_MAX) /* its own share, and as much again as the largest bound below adds */
		upper = (wide)hits * 1000 + (wide)hits;
	else /* normal approximation with its first correction, rounded up: k + 1 + 1.645 sqrt(k + 1) + 0.7 */
		upper = (hits + 1) * 1000 + (square_root((hits + 1) * 10000) + 1) * 1645 / 100 + 700;
	upper = (upper * 1000 + n - 1) / n;
	return upper > PPM ? PPM : (uint32_t)upper;
}

/* ------------------------------------------------------------------ fields */

struct field {
	enum match_field field;
	bool (*get)(const struct observation *o, uint64_t *value); /* NULL: match_field_value() */
	uint32_t highest;                                          /* > 0: a range of values makes sense too */
	uint8_t rank; /* order in which a rule is made more specific; 0 = only where it is needed */
};

#define GETTER(name, condition, expression)                            \
	static bool name(const struct observation *o, uint64_t *value) \
	{                                                              \
		if (!(condition))                                      \
			return false;                                  \
		*value = (uint64_t)(expression);                       \
		return true;                                           \
	}

static uint64_t octets_at(const uint8_t *octets, unsigned count)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < count; i++)
		value = value << 8 | octets[i];
	return value;
}

GETTER(get_fragment, true, (o->flags & OBSERVATION_FRAGMENT) != 0)
GETTER(get_df, address_is_ipv4(&o->dst), (o->flags & OBSERVATION_DF) != 0)
GETTER(get_flags, o->flags &OBSERVATION_TCP, o->tcp.flags)
GETTER(get_options, o->flags &OBSERVATION_TCP, o->tcp.options)
GETTER(get_payload_length, !(o->flags & OBSERVATION_LATER_FRAGMENT), o->payload_length)
GETTER(get_payload_0, o->payload_kept >= 4, octets_at(o->payload, 4))
GETTER(get_payload_4, o->payload_kept >= 8, octets_at(o->payload + 4, 4))

static const struct field fields[] = {
	{ MATCH_PROTO, NULL, 0, 1 },
	{ MATCH_SRC_PORT, NULL, 0, 2 },
	{ MATCH_TCP_FLAGS, get_flags, 0, 3 },
	{ MATCH_ICMP_TYPE, NULL, 0, 3 },
	{ MATCH_ICMP_CODE, NULL, 0, 4 },
	{ MATCH_LENGTH, NULL, 65535, 5 },
	{ MATCH_OPTIONS, get_options, 0, 6 },
	{ MATCH_WINDOW, NULL, 0, 7 },
	{ MATCH_DST_PORT, NULL, 0, 8 },
	{ MATCH_PAYLOAD, get_payload_0, 0, 9 },
	{ MATCH_PAYLOAD, get_payload_4, 0, 0 },
	{ MATCH_TTL, NULL, 255, 0 },
	{ MATCH_IP_ID, NULL, 0, 0 },
	{ MATCH_FRAGMENT, get_fragment, 0, 0 },
	{ MATCH_DF, get_df, 0, 0 },
	{ MATCH_MSS, NULL, 65535, 0 },
	{ MATCH_PAYLOAD_LENGTH, get_payload_length, 65535, 0 },
};

static bool value_of(const struct field *f, const struct observation *o, uint64_t *value)
{
	uint32_t number;

	if (f->get)
		return f->get(o, value);
	if (!match_field_value(f->field, o, &number))
		return false;
	*value = number;
	return true;
}

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static struct match_term term_of(const struct field *f, uint64_t value)
{
	struct match_term term = { .field = f->field };

	switch ((int)f->field) {
	case MATCH_PROTO:
		if (value == PROTOCOL_TCP)
			term.field = MATCH_TCP;
		else if (value == PROTOCOL_UDP)
			term.field = MATCH_UDP;
		else if (value == PROTOCOL_ICMP)
			term.field = MATCH_ICMP;
		else if (value == PROTOCOL_ICMPV6)
			term.field = MATCH_ICMP6;
		else
			term.value.range.low = term.value.range.high = (uint32_t)value;
		break;
	case MATCH_FRAGMENT:
	case MATCH_DF:
		term.negated = value == 0;
		break;
	case MATCH_TCP_FLAGS:
		term.value.flags = (uint8_t)value;
		break;
	case MATCH_OPTIONS:
		term.value.options = value;
		break;
	case MATCH_PAYLOAD:
		term.value.payload.from = f->get == get_payload_4 ? 4 : 0;
		term.value.payload.length = 4;
		for (unsigned i = 0; i < 4; i++)
			term.value.payload.octets[i] = (uint8_t)(value >> (24 - 8 * i));
		break;
	default:
		term.value.range.low = term.value.range.high =
			(uint32_t)value; /* all others in the table take a range */
		break;
	}
	return term;
}

/* ------------------------------------------------------------------ bitmaps */

struct item {
	struct match_term term;
	uint8_t rank;
	uint64_t *bits; /* over A, B, V in one row */
};

struct search {
	const struct signature_input *input;
	uint32_t words_a, words_b, words_v, words;
	bool held_out;
	uint64_t *judging;   /* mask over B: the half that judges; all where nothing is held out */
	uint64_t *searching; /* mask over B: the half that is searched on */
	uint64_t *left;      /* mask over A: what no rule catches yet */
	uint64_t *arena;     /* rows of items, and of those of the search before */
	uint64_t searched;   /* packets of B that are searched on */
	uint64_t left_count; /* packets of A in `left` */
	bool upper;          /* which half of the arena new rows go to */
	uint32_t items_count, before_count;
	struct item items[ITEMS_MAX], before[ITEMS_MAX];
};

/* Without a table or an instruction that not all processors have; the compiler does several at a time. */
static uint64_t ones(uint64_t word)
{
	word -= word >> 1 & 0x5555555555555555u;
	word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
	word += word >> 8;
	word += word >> 16;
	return (word + (word >> 32)) & 0x7f;
}

static uint64_t count_and(const uint64_t *a, const uint64_t *mask, uint32_t words)
{
	uint64_t count = 0;

	if (!mask)
		mask = a;
	for (uint32_t i = 0; i < words; i++)
		count += ones(a[i] & mask[i]);
	return count;
}

static void fill_bits(uint64_t *bits, const struct observation *const *list, uint32_t count,
                      const struct match_term *term)
{
	for (uint32_t i = 0; i < count; i++)
		if (match_term_test(term, list[i]))
			bits[i / 64] |= 1ull << (i % 64);
}

/* The row of a term that was looked at in the search before, or NULL: the packets are the same each time. */
static const uint64_t *row_before(const struct search *s, const struct match_term *term)
{
	for (uint32_t i = 0; i < s->before_count; i++)
		if (match_term_equal(&s->before[i].term, term))
			return s->before[i].bits;
	return NULL;
}

/* What was found last is what was found before; its rows stay where they are. */
static void forget_items(struct search *s)
{
	memcpy(s->before, s->items, s->items_count * sizeof(*s->items));
	s->before_count = s->items_count;
	s->items_count = 0;
	s->upper = !s->upper;
}

static void add_item(struct search *s, const struct match_term *term, uint8_t rank)
{
	struct item *item = &s->items[s->items_count];
	const uint64_t *known;

	if (s->items_count == ITEMS_MAX)
		return;
	for (uint32_t i = 0; i < s->items_count; i++)
		if (match_term_equal(&s->items[i].term, term))
			return;
	item->term = *term;
	item->rank = rank;
	item->bits = s->arena + (size_t)(s->items_count + (s->upper ? ITEMS_MAX : 0)) * s->words;
	s->items_count++;
	known = row_before(s, term);
	if (known) {
		memcpy(item->bits, known, s->words * sizeof(*item->bits));
		return;
	}
	memset(item->bits, 0, s->words * sizeof(*item->bits));
	fill_bits(item->bits, s->input->attack, s->input->attack_count, term);
	fill_bits(item->bits + s->words_a, s->input->baseline, s->input->baseline_count, term);
	fill_bits(item->bits + s->words_a + s->words_b, s->input->verified, s->input->verified_count, term);
}

static bool is_left(const struct search *s, uint32_t i)
{
	return s->left[i / 64] >> (i % 64) & 1;
}

static int by_value(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* All values' range, and the range without the outermost halves of a percent. */
static void add_ranges(struct search *s, const struct field *f, uint64_t *values, uint32_t count)
{
	uint32_t trims[2] = { 0, count / 200 };

	qsort(values, count, sizeof(*values), by_value);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t low = values[trims[i]], high = values[count - 1 - trims[i]];
		struct match_term term = { .field = f->field };

		if (low == high || (high - low) * 2 > f->highest)
			continue;
		term.value.range.low = (uint32_t)low;
		term.value.range.high = (uint32_t)high;
		add_item(s, &term, f->rank);
		/* One-sided, as a person would say it. */
		if (f->field == MATCH_LENGTH || f->field == MATCH_TTL || f->field == MATCH_PAYLOAD_LENGTH) {
			term.value.range.high = f->highest;
			add_item(s, &term, 0);
			term.value.range.low = 0;
			term.value.range.high = (uint32_t)high;
			add_item(s, &term, 0);
		}
	}
}

static void add_values(struct search *s, const struct field *f, struct topk *topk, uint64_t left)
{
	topk_sort(topk);
	for (uint32_t i = 0, added = 0; i < topk->used && added < VALUES_PER_FIELD; i++) {
		struct match_term term = term_of(f, topk->entries[i].key.low);

		if ((topk->entries[i].count - topk->entries[i].error) * ITEM_SHARE < left)
			continue;
		add_item(s, &term, f->rank);
		added++;
	}
}

/* Sources only where they are few: a forged or widespread source says nothing. */
static void add_networks(struct search *s, uint64_t left)
{
	static const uint8_t ipv4[] = { 32, 24, 16 }, ipv6[] = { 128, 64, 48 };

	/* One limit for a network would be shared by whoever else is in it. */
	for (unsigned level = 0; level < (s->input->clients_only ? 1 : 3); level++) {
		struct topk topk = { 0 };

		for (uint32_t i = 0; i < s->input->attack_count; i++) {
			const struct observation *o = s->input->attack[i];
			struct prefix network;
			struct topk_key key = { 0, 0 };

			if (!is_left(s, i))
				continue;
			network = prefix_of(&o->src, address_is_ipv4(&o->src) ? ipv4[level] : ipv6[level]);
			key.high = octets_at(network.address.octets, 8);
			key.low = octets_at(network.address.octets + 8, 8);
			topk_add(&topk, key, 1);
		}
		topk_sort(&topk);
		for (uint32_t i = 0; i < topk.used && i < NETWORKS_PER_LEVEL; i++) {
			struct match_term term = { .field = MATCH_SRC_NET };
			struct address address;

			if ((topk.entries[i].count - topk.entries[i].error) * NETWORK_SHARE < left)
				break;
			for (unsigned j = 0; j < 8; j++) {
				address.octets[j] = (uint8_t)(topk.entries[i].key.high >> (56 - 8 * j));
				address.octets[j + 8] = (uint8_t)(topk.entries[i].key.low >> (56 - 8 * j));
			}
			term.value.prefix = prefix_of(&address, address_is_ipv4(&address) ? ipv4[level] : ipv6[level]);
			add_item(s, &term, level == 0 ? RANK_LAST : 0);
		}
	}
}

static int make_items(struct search *s)
{
	uint64_t *values = malloc(((size_t)s->input->attack_count + 1) * sizeof(*values));
	uint64_t left = count_and(s->left, NULL, s->words_a);

	if (!values)
		return -ENOMEM;
	forget_items(s);
	s->left_count = left;
	for (size_t f = 0; f < FIELDS; f++) {
		struct topk topk = { 0 };
		uint32_t count = 0;

		if (s->input->clients_only && fields[f].field != MATCH_PROTO && fields[f].field != MATCH_DST_PORT)
			continue;
		for (uint32_t i = 0; i < s->input->attack_count; i++) {
			if (!is_left(s, i) || !value_of(&fields[f], s->input->attack[i], &values[count]))
				continue;
			topk_add(&topk, topk_number(values[count]), 1);
			count++;
		}
		add_values(s, &fields[f], &topk, left);
		if (fields[f].highest && count * 2ull > left)
			add_ranges(s, &fields[f], values, count);
	}
	add_networks(s, left);
	free(values);
	return 0;
}

/* ------------------------------------------------------------------ beam */

struct candidate {
	uint32_t count;
	uint16_t items[BEAM_DEPTH];
	int64_t score;
	uint64_t caught; /* of what is left of A */
	uint64_t *bits;
};

static const uint64_t *row_b(const struct search *s, const uint64_t *bits)
{
	return bits + s->words_a;
}

static const uint64_t *row_v(const struct search *s, const uint64_t *bits)
{
	return bits + s->words_a + s->words_b;
}

/* Where no normal traffic can tell a narrow rule from a wide one, what is specific counts for itself. */
static int64_t specific_bonus(const struct search *s, const struct candidate *c)
{
	int64_t bonus = 0;

	for (uint32_t i = 0; i < c->count; i++)
		if (s->items[c->items[i]].rank && bonus < 3 * SPECIFIC_BONUS_PPM)
			bonus += SPECIFIC_BONUS_PPM;
	return s->input->baseline_count ? 0 : bonus;
}

/* By what it catches alone; the full score is never higher. */
static int64_t score_caught(const struct search *s, uint64_t caught)
{
	return (int64_t)(caught * PPM / (s->left_count ? s->left_count : 1));
}

/* What it costs. */
static int64_t score_lost(const struct search *s, const uint64_t *bits)
{
	int64_t lost = 0, verified = 0;

	if (s->searched)
		lost = (int64_t)BOUND_WEIGHT *
		       signature_bound_ppm(count_and(row_b(s, bits), s->searching, s->words_b), s->searched);
	if (s->input->verified_count)
		verified = (int64_t)(count_and(row_v(s, bits), NULL, s->words_v) * PPM / s->input->verified_count) -
		           VERIFIED_NOISE_PPM;
	return lost + (verified > 0 ? BOUND_WEIGHT * verified : 0);
}

static bool has_field(const struct search *s, const struct candidate *c, const struct match_term *term)
{
	for (uint32_t i = 0; i < c->count; i++) {
		const struct match_term *mine = &s->items[c->items[i]].term;

		/* One length says the other. */
		if ((mine->field == MATCH_LENGTH && term->field == MATCH_PAYLOAD_LENGTH) ||
		    (mine->field == MATCH_PAYLOAD_LENGTH && term->field == MATCH_LENGTH))
			return true;
		if (mine->field == term->field &&
		    !(term->field == MATCH_PAYLOAD && mine->value.payload.from != term->value.payload.from))
			return true;
	}
	return false;
}

static void keep_best(struct candidate *beam, uint32_t *used, const struct candidate *c, uint32_t words)
{
	uint32_t at = *used;
	uint64_t *bits;

	/* Equal sets of packets are one candidate: the shorter came first. */
	for (uint32_t i = 0; i < *used; i++)
		if (beam[i].score == c->score && beam[i].caught == c->caught &&
		    memcmp(beam[i].bits, c->bits, words * sizeof(*c->bits)) == 0)
			return;
	while (at > 0 && beam[at - 1].score < c->score)
		at--;
	if (at == BEAM_WIDTH)
		return;
	if (*used < BEAM_WIDTH)
		(*used)++;
	bits = beam[*used - 1].bits;
	memmove(&beam[at + 1], &beam[at], (*used - 1 - at) * sizeof(*beam));
	beam[at] = *c;
	beam[at].bits = bits;
	memcpy(bits, c->bits, words * sizeof(*bits));
}

static void and_rows(uint64_t *into, const uint64_t *a, const uint64_t *b, uint32_t words)
{
	for (uint32_t i = 0; i < words; i++)
		into[i] = a[i] & b[i];
}

/* The terms of a candidate, as its items lie. */
static struct match match_of(const struct search *s, const struct candidate *c)
{
	struct match match = { 0 };

	for (uint32_t i = 0; i < c->count; i++)
		match.terms[match.count++] = s->items[c->items[i]].term;
	return match;
}

/* Whether it says of which protocol, service or content, and not only of what size. */
static bool names_a_kind(const struct match *match)
{
	for (unsigned i = 0; i < match->count; i++)
		if (match->terms[i].field != MATCH_LENGTH && match->terms[i].field != MATCH_PAYLOAD_LENGTH &&
		    match->terms[i].field != MATCH_TTL && match->terms[i].field != MATCH_DF &&
		    match->terms[i].field != MATCH_FRAGMENT)
			return true;
	return false;
}

bool signature_is_pointed(const struct match *match)
{
	bool transport = false, one_length = false;

	for (unsigned i = 0; i < match->count; i++) {
		const struct match_term *term = &match->terms[i];

		if (term->negated)
			continue;
		switch (term->field) {
		case MATCH_UDP:
		case MATCH_TCP:
			transport = true;
			break;
		case MATCH_LENGTH:
		case MATCH_PAYLOAD_LENGTH:
			one_length = one_length || term->value.range.low == term->value.range.high;
			break;
		case MATCH_ICMP:
		case MATCH_ICMP6:
		case MATCH_PROTO:
		case MATCH_FRAGMENT:
		case MATCH_SRC_PORT:
		case MATCH_DST_PORT:
		case MATCH_IP_ID:
		case MATCH_WINDOW:
		case MATCH_MSS:
		case MATCH_ICMP_TYPE:
		case MATCH_ICMP_CODE:
		case MATCH_SRC_NET:
		case MATCH_TCP_FLAGS:
		case MATCH_OPTIONS:
		case MATCH_PAYLOAD:
			return true;
		case MATCH_IP:
		case MATCH_IP6:
		case MATCH_DF:
		case MATCH_TTL:
		case MATCH_DST_NET:
		case MATCH_FIELDS:
			break;
		}
	}
	return transport && one_length;
}

/* The first of a beam, or, of those that say what they drop, the first; NULL where there is none. */
static const struct candidate *first_of(const struct search *s, const struct candidate *beam, uint32_t used,
                                        bool pointed)
{
	for (uint32_t i = 0; i < used; i++) {
		struct match match = match_of(s, &beam[i]);

		if (!pointed || signature_is_pointed(&match))
			return &beam[i];
	}
	return NULL;
}

/* The best conjunction for what is left, `pointed`: of those that say what they drop; false where nothing catches enough. */
static bool beam_search(struct search *s, bool pointed, struct candidate *best, struct candidate beams[2][BEAM_WIDTH],
                        struct candidate *trial)
{
	uint32_t used = 0;

	best->count = 0;
	for (uint32_t depth = 0; depth < BEAM_DEPTH; depth++) {
		struct candidate *from = beams[depth & 1], *to = beams[(depth + 1) & 1];
		const struct candidate *first;
		uint32_t next = 0;

		for (uint32_t i = 0; i < (depth ? used : 1); i++) {
			for (uint32_t k = 0; k < s->items_count; k++) {
				trial->count = depth ? from[i].count : 0;
				if (depth) {
					memcpy(trial->items, from[i].items, sizeof(trial->items));
					/* Items in order only: each set once. */
					if (k <= trial->items[trial->count - 1] ||
					    has_field(s, trial, &s->items[k].term))
						continue;
				}
				trial->items[trial->count++] = (uint16_t)k;
				and_rows(trial->bits, s->items[k].bits, depth ? from[i].bits : s->items[k].bits,
				         s->words_a);
				trial->caught = count_and(trial->bits, s->left, s->words_a);
				if (trial->caught == 0)
					continue;
				trial->score = score_caught(s, trial->caught) + specific_bonus(s, trial);
				/* Of most this is enough to see that they are none of the best. */
				if (next == BEAM_WIDTH && trial->score <= to[BEAM_WIDTH - 1].score)
					continue;
				and_rows(trial->bits + s->words_a, s->items[k].bits + s->words_a,
				         (depth ? from[i].bits : s->items[k].bits) + s->words_a,
				         s->words_b + s->words_v);
				trial->score -= score_lost(s, trial->bits);
				keep_best(to, &next, trial, s->words);
			}
		}
		used = next;
		if (used == 0)
			break;
		first = first_of(s, to, used, pointed);
		if (first && (best->count == 0 || first->score > best->score)) {
			uint64_t *bits = best->bits;

			*best = *first;
			best->bits = bits;
			memcpy(bits, first->bits, s->words * sizeof(*bits));
		}
	}
	return best->count > 0;
}

static bool is_range(const struct match_term *term)
{
	return (term->field == MATCH_LENGTH || term->field == MATCH_PAYLOAD_LENGTH || term->field == MATCH_TTL ||
	        term->field == MATCH_MSS) &&
	       term->value.range.low != term->value.range.high;
}

/* What the caught packets have in common anyway is said too: a narrower rule costs nothing. */
static void specialise(struct search *s, struct candidate *c, uint64_t *scratch)
{
	for (uint8_t rank = 1; rank <= RANK_LAST; rank++) {
		for (uint32_t k = 0; k < s->items_count && c->count < BEAM_DEPTH; k++) {
			uint64_t caught;

			if (s->items[k].rank != rank || has_field(s, c, &s->items[k].term) ||
			    (s->input->young && is_range(&s->items[k].term)) ||
			    (rank > 1 && c->count >= SPECIFIC_TERMS))
				continue;
			and_rows(scratch, c->bits, s->items[k].bits, s->words);
			caught = count_and(scratch, s->left, s->words_a);
			if (caught * PPM < c->caught * SPECIFIC_KEEPS_PPM)
				continue;
			memcpy(c->bits, scratch, s->words * sizeof(*scratch));
			c->items[c->count++] = (uint16_t)k;
			c->caught = caught;
		}
	}
}

/* ------------------------------------------------------------------ rules */

__attribute__((format(printf, 2, 3))) static void say(struct signature *signature, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(signature->reason, sizeof(signature->reason), format, arguments);
	va_end(arguments);
}

static bool only_opens(const struct match *match)
{
	for (unsigned i = 0; i < match->count; i++)
		if (match->terms[i].field == MATCH_TCP_FLAGS && !match->terms[i].negated)
			return (match->terms[i].value.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	return false;
}

/* Of the normal packets that open a connection, how many does a rule on opening packets match? In parts per million. */
static uint32_t openings_lost_ppm(const struct signature_input *input, const struct match *match)
{
	uint64_t openings = 0, lost = 0;

	for (uint32_t i = 0; i < input->baseline_count; i++) {
		const struct observation *o = input->baseline[i];

		if (!(o->flags & OBSERVATION_TCP) || (o->tcp.flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
			continue;
		openings++;
		lost += match_test(match, o);
	}
	return openings ? (uint32_t)(lost * PPM / openings) : 0;
}

static void choose_action(const struct signature_input *input, struct signature *g, uint32_t budget_used)
{
	bool opens = only_opens(&g->match);
	uint32_t openings_ppm = opens ? openings_lost_ppm(input, &g->match) : 0;
	/* What was seen, apart from what a small sample leaves possible. */
	bool hardly_any = (uint64_t)g->baseline_hits * PPM <= (uint64_t)g->baseline_samples * SIGNATURE_DROP_PPM;
	uint32_t lost_milli_percent = (g->bound_ppm + 9) / 10; /* rounded up: it is an upper bound */
	uint64_t usual;

	g->action = RULE_NONE;
	if (!g->has_bound) {
		say(g,
		    "no normal traffic to this target was seen before or after: what the rule would cost cannot be known");
	} else if ((uint64_t)g->verified_hits * PPM > (uint64_t)g->verified_samples * VERIFIED_LOST_PPM) {
		g->action = opens ? RULE_CHALLENGE : RULE_NONE;
		say(g, "%u of %u packets of users who are being served meanwhile match", g->verified_hits,
		    g->verified_samples);
	} else if (openings_ppm > OPENINGS_LOST_PPM) {
		g->action = RULE_CHALLENGE;
		say(g, "%u.%u %% of the normal new connections look the same: let each prove its address (SYN cookies)",
		    openings_ppm / 10000, openings_ppm / 1000 % 10);
	} else if (input->clients_only && g->bound_ppm <= SIGNATURE_LIMIT_PPM && hardly_any) {
		g->action = RULE_RATE_LIMIT;
		g->rate_limit_pps = LIMIT_CLIENT_PPS;
		say(g, "%u of %u normal packets match; these clients are real, so they are limited and not dropped",
		    g->baseline_hits, g->baseline_samples);
	} else if (g->bound_ppm <= SIGNATURE_DROP_PPM && budget_used + g->bound_ppm <= SIGNATURE_BUDGET_PPM) {
		g->action = RULE_DROP;
		say(g, "%u of %u normal packets match: with 95 %% confidence at most %u.%03u %% would be lost",
		    g->baseline_hits, g->baseline_samples, lost_milli_percent / 1000, lost_milli_percent % 1000);
	} else if (g->bound_ppm <= SIGNATURE_LIMIT_PPM && hardly_any) {
		usual = input->baseline_packets * g->baseline_hits / (g->baseline_samples ? g->baseline_samples : 1) /
		        (input->baseline_seconds ? input->baseline_seconds : 1);
		g->action = RULE_RATE_LIMIT;
		g->rate_limit_pps = (uint32_t)(2 * usual + LIMIT_PPS_MIN);
		say(g,
		    "%u of %u normal packets match: a drop is not proven safe (up to %u.%03u %% lost), so what is usual may pass",
		    g->baseline_hits, g->baseline_samples, lost_milli_percent / 1000, lost_milli_percent % 1000);
	} else if (opens) {
		g->action = RULE_CHALLENGE;
		say(g, "not proven safe on %u normal packets: let each new connection prove its address (SYN cookies)",
		    g->baseline_samples);
	} else if (g->baseline_hits == 0) {
		say(g, "no normal packet matches, but %u are too few to prove it safe (up to %u.%01u %% lost)",
		    g->baseline_samples, lost_milli_percent / 1000, lost_milli_percent / 100 % 10);
	} else {
		say(g, "%u of %u normal packets match: too many to lose", g->baseline_hits, g->baseline_samples);
	}
}

static bool names_clients(const struct match *match)
{
	for (unsigned i = 0; i < match->count; i++)
		if (match->terms[i].field == MATCH_SRC_NET)
			return true;
	return false;
}

static void make_signature(const struct search *s, const struct candidate *c, uint32_t budget_used, struct signature *g)
{
	const struct signature_input *input = s->input;
	uint64_t judges = count_and(s->judging, NULL, s->words_b);
	uint16_t order[BEAM_DEPTH];

	*g = (struct signature){ 0 };
	memcpy(order, c->items, sizeof(order));
	/* In the order of the table of fields: protocol first. */
	for (uint32_t i = 1; i < c->count; i++)
		for (uint32_t j = i; j > 0 && order[j - 1] > order[j]; j--) {
			uint16_t swap = order[j];

			order[j] = order[j - 1];
			order[j - 1] = swap;
		}
	for (uint32_t i = 0; i < c->count; i++)
		g->match.terms[g->match.count++] = s->items[order[i]].term;
	g->coverage_ppm = (uint32_t)(count_and(c->bits, NULL, s->words_a) * PPM / input->attack_count);
	g->added_ppm = (uint32_t)(c->caught * PPM / input->attack_count);
	g->has_bound = judges > 0;
	g->baseline_samples = (uint32_t)judges;
	g->baseline_hits = (uint32_t)count_and(row_b(s, c->bits), s->judging, s->words_b);
	g->bound_ppm = signature_bound_ppm(g->baseline_hits, judges);
	g->verified_samples = input->verified_count;
	g->verified_hits = (uint32_t)count_and(row_v(s, c->bits), NULL, s->words_v);
	choose_action(input, g, budget_used);
}

/*
 * "length 40-1500", "udp and ttl 48-56" hold no normal packet where none is known that could be so. Of two, one that says
 * what it drops, if that catches half as much; on sizes alone none is taken.
 */
static bool find_best(struct search *s, struct candidate *best, struct candidate beams[2][BEAM_WIDTH],
                      struct candidate *trial)
{
	struct match match;
	uint64_t caught;
	bool kind;

	if (!beam_search(s, false, best, beams, trial))
		return false;
	specialise(s, best, trial->bits);
	match = match_of(s, best);
	if (signature_is_pointed(&match))
		return true;
	kind = names_a_kind(&match);
	caught = best->caught;
	if (!beam_search(s, true, best, beams, trial) || (kind && best->caught * 2 < caught)) {
		if (!kind || !beam_search(s, false, best, beams, trial))
			return false;
	}
	specialise(s, best, trial->bits);
	return true;
}

static int find_rules(struct search *s, struct candidate *best, struct candidate beams[2][BEAM_WIDTH],
                      struct candidate *trial, struct signature_set *set)
{
	uint32_t budget_used = 0, attack = s->input->attack_count;

	while (set->count < SIGNATURES_MAX &&
	       count_and(s->left, NULL, s->words_a) * PPM > (uint64_t)attack * SIGNATURE_RESIDUAL_PPM) {
		struct signature *g = &set->signatures[set->count];

		if (make_items(s) < 0)
			return -ENOMEM;
		if (!find_best(s, best, beams, trial))
			break;
		if (best->caught * PPM < (uint64_t)attack * RULE_ADDS_PPM)
			break;
		make_signature(s, best, budget_used, g);
		if (s->input->clients_only && !names_clients(&g->match))
			break;
		/* "length 40-1500" is a description, not a rule. */
		if (!g->has_bound && !names_a_kind(&g->match))
			break;
		/*
		 * A rule that is neither safe nor a challenge is worth saying only where it shows what is missing to
		 * prove it.
		 */
		if (g->action == RULE_NONE && g->has_bound && g->baseline_hits + g->verified_hits > 0)
			break;
		set->count++;
		if (g->action == RULE_DROP)
			budget_used += g->bound_ppm;
		for (uint32_t i = 0; i < s->words_a; i++)
			s->left[i] &= ~best->bits[i];
	}
	return 0;
}

static uint32_t residual(const struct signature_input *input, const struct signature_set *set)
{
	uint64_t through = 0;

	if (input->attack_count == 0)
		return PPM;
	for (uint32_t i = 0; i < input->attack_count; i++) {
		bool caught = false;

		for (uint32_t j = 0; j < set->count && !caught; j++)
			caught = (set->signatures[j].action == RULE_DROP ||
			          set->signatures[j].action == RULE_RATE_LIMIT) &&
			         match_test(&set->signatures[j].match, input->attack[i]);
		through += !caught;
	}
	return (uint32_t)(through * PPM / input->attack_count);
}

static uint32_t words_for(uint32_t bits)
{
	return bits / 64 + 1;
}

int signature_find(const struct signature_input *input, struct signature_set *set)
{
	struct search *s = calloc(1, sizeof(*s));
	struct candidate beams[2][BEAM_WIDTH], best, trial;
	uint64_t *rows = NULL;
	int rc = -ENOMEM;

	*set = (struct signature_set){ .sampled = input->attack_count, .residual_ppm = PPM };
	if (!s)
		return rc;
	s->input = input;
	s->words_a = words_for(input->attack_count);
	s->words_b = words_for(input->baseline_count);
	s->words_v = words_for(input->verified_count);
	s->words = s->words_a + s->words_b + s->words_v;
	rows = calloc((size_t)s->words * (2 * ITEMS_MAX + 2 * BEAM_WIDTH + 2) + s->words_a + 2 * (size_t)s->words_b,
	              sizeof(*rows));
	if (!rows)
		goto free_search;
	s->arena = rows;
	for (unsigned i = 0; i < BEAM_WIDTH; i++) {
		beams[0][i].bits = rows + (size_t)s->words * (2 * ITEMS_MAX + i);
		beams[1][i].bits = rows + (size_t)s->words * (2 * ITEMS_MAX + BEAM_WIDTH + i);
	}
	best.bits = rows + (size_t)s->words * (2 * ITEMS_MAX + 2 * BEAM_WIDTH);
	trial.bits = rows + (size_t)s->words * (2 * ITEMS_MAX + 2 * BEAM_WIDTH + 1);
	s->left = rows + (size_t)s->words * (2 * ITEMS_MAX + 2 * BEAM_WIDTH + 2);
	s->judging = s->left + s->words_a;
	s->searching = s->judging + s->words_b;
	s->held_out = input->baseline_count >= HELD_OUT_FROM;
	for (uint32_t i = 0; i < input->attack_count; i++)
		s->left[i / 64] |= 1ull << (i % 64);
	for (uint32_t i = 0; i < input->baseline_count; i++) {
		if (!s->held_out || i % 2 == 0)
			s->searching[i / 64] |= 1ull << (i % 64);
		if (!s->held_out || i % 2 == 1)
			s->judging[i / 64] |= 1ull << (i % 64);
	}
	s->searched = count_and(s->searching, NULL, s->words_b);
	rc = find_rules(s, &best, beams, &trial, set);
	set->residual_ppm = residual(input, set);
	free(rows);
free_search:
	free(s);
	return rc;
}
