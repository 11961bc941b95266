/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 1. Items: for each header field, the values and ranges that a good part of the attack has in common. Items of little
 *    use alone stay, for they may be what makes a pair narrow.
 * 2. One bitmap per item over A, B and V; a beam search (BEAM_WIDTH, BEAM_DEPTH) over conjunctions, AND and popcount.
 * 3. Score: coverage - BOUND_WEIGHT x bound, in parts per million. Where B is large, one half of it is searched on and
 *    the other half judges, for trying thousands of candidates on the same sample flatters the winner.
 */
#include "defend/search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/octets.h"
#include "base/share.h"
#include "base/topk.h"
#include "observe/protocol.h"

#define ITEMS_MAX 192
#define VALUES_PER_FIELD 6
#define ITEM_SHARE 32      /* an item holds at least a thirty-second of what is left of the attack */
#define RANGED_FIELDS 4    /* with `highest` in the table of fields */
#define RANGES_PER_FIELD 6 /* all and trimmed, each on two sides and on either */
#define NETWORK_LEVELS 3
#define NETWORKS_PER_LEVEL 4
#define PROTOCOLS 256
#define NETWORK_SHARE 8 /* a network holds at least an eighth of it */
#define BEAM_WIDTH 32
#define BEAM_DEPTH 6
#define BOUND_WEIGHT 50
#define RANK_LAST 10 /* single sources: behind all ranks of the table of fields */
#define SPECIFIC_TERMS 5
#define SPECIFIC_KEEPS_PPM 998000 /* of a rule's coverage, for one more term */
#define SPECIFIC_BONUS_PPM 30000
#define HELD_OUT_FROM 20000     /* packets in B from which on half of it is held out */
#define VERIFIED_NOISE_PPM 2000 /* verification errs too: some of V may be attack */

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

GETTER(get_fragment, true, (o->flags & OBSERVATION_FRAGMENT) != 0)
GETTER(get_df, address_is_ipv4(&o->dst), (o->flags & OBSERVATION_DF) != 0)
GETTER(get_flags, o->flags &OBSERVATION_TCP, o->tcp.flags)
GETTER(get_options, o->flags &OBSERVATION_TCP, o->tcp.options)
GETTER(get_payload_length, !(o->flags & OBSERVATION_LATER_FRAGMENT), o->payload_length)
GETTER(get_payload_0, o->payload_kept >= 4, octets_get_be(o->payload, 4))
GETTER(get_payload_4, o->payload_kept >= 8, octets_get_be(o->payload + 4, 4))

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

_Static_assert(FIELDS *VALUES_PER_FIELD + RANGED_FIELDS * RANGES_PER_FIELD + ITEM_SHARE +
                               NETWORK_LEVELS * NETWORKS_PER_LEVEL <=
                       ITEMS_MAX,
               "there is room for each item; of ranges of protocols there are no more than an item's share allows");

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
		(void)octets_put_u32_be(term.value.payload.octets, (uint32_t)value);
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

struct candidate {
	uint32_t count;
	uint16_t items[BEAM_DEPTH];
	int64_t score;
	uint64_t caught; /* of what is left of A */
	uint64_t *bits;
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
	struct candidate beams[2][BEAM_WIDTH];
	struct candidate best, trial;
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

	if (s->items_count == ITEMS_MAX) /* never: see there */
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

/*
 * A flood of ever other protocols has no value in common. What it has is that nobody uses them: ranges of what comes,
 * between the protocols that peace has or that are always in use.
 */
static void add_protocols(struct search *s, const struct field *f, const uint64_t *values, uint32_t count,
                          uint64_t left)
{
	bool used[PROTOCOLS] = {
		[PROTOCOL_ICMP] = true, [PROTOCOL_TCP] = true, [PROTOCOL_UDP] = true, [PROTOCOL_ICMPV6] = true
	};
	uint32_t counts[PROTOCOLS] = { 0 };

	for (uint32_t i = 0; i < s->input->baseline_count; i++)
		used[s->input->baseline[i]->protocol] = true;
	for (uint32_t i = 0; i < s->input->verified_count; i++)
		used[s->input->verified[i]->protocol] = true;
	for (uint32_t i = 0; i < count; i++)
		counts[values[i]]++;
	for (uint32_t at = 0; at < PROTOCOLS; at++) {
		struct match_term term = { .field = f->field, .value.range.low = at };
		uint64_t within = 0;

		if (used[at] || counts[at] == 0)
			continue;
		for (; at < PROTOCOLS && !used[at]; at++) {
			within += counts[at];
			if (counts[at])
				term.value.range.high = at;
		}
		if (term.value.range.high > term.value.range.low && within * ITEM_SHARE >= left)
			add_item(s, &term, f->rank);
	}
}

/* Sources only where they are few: a forged or widespread source says nothing. */
static void add_networks(struct search *s, uint64_t left)
{
	static const uint8_t ipv4[NETWORK_LEVELS] = { 32, 24, 16 }, ipv6[NETWORK_LEVELS] = { 128, 64, 48 };

	/* One limit for a network would be shared by whoever else is in it. */
	for (unsigned level = 0; level < (s->input->clients_only ? 1 : NETWORK_LEVELS); level++) {
		struct topk topk = { 0 };

		for (uint32_t i = 0; i < s->input->attack_count; i++) {
			const struct observation *o = s->input->attack[i];
			struct prefix network;
			struct topk_key key = { 0, 0 };

			if (!is_left(s, i))
				continue;
			network = prefix_of(&o->src, address_is_ipv4(&o->src) ? ipv4[level] : ipv6[level]);
			key.high = octets_get_be(network.address.octets, 8);
			key.low = octets_get_be(network.address.octets + 8, 8);
			topk_add(&topk, key, 1);
		}
		topk_sort(&topk);
		for (uint32_t i = 0; i < topk.used && i < NETWORKS_PER_LEVEL; i++) {
			struct match_term term = { .field = MATCH_SRC_NET };
			struct address address;

			if ((topk.entries[i].count - topk.entries[i].error) * NETWORK_SHARE < left)
				break;
			(void)octets_put_u64_be(address.octets, topk.entries[i].key.high);
			(void)octets_put_u64_be(address.octets + 8, topk.entries[i].key.low);
			term.value.prefix = prefix_of(&address, address_is_ipv4(&address) ? ipv4[level] : ipv6[level]);
			add_item(s, &term, level == 0 ? RANK_LAST : 0);
		}
	}
}

int search_begin(struct search *s)
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
		if (fields[f].field == MATCH_PROTO)
			add_protocols(s, &fields[f], values, count, left);
		if (fields[f].highest && count * 2ull > left)
			add_ranges(s, &fields[f], values, count);
	}
	add_networks(s, left);
	free(values);
	return 0;
}

/* ------------------------------------------------------------------ beam */

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

/* What one more item is joined with: the conjunction before it, or itself. */
static const uint64_t *bits_of(const struct search *s, const struct candidate *base, uint32_t item)
{
	return base ? base->bits : s->items[item].bits;
}

/* The trial becomes `base` (NULL: nothing) and one more item; false: that is none, or it catches nothing. */
static bool try_item(struct search *s, const struct candidate *base, uint32_t item)
{
	struct candidate *trial = &s->trial;

	trial->count = 0;
	if (base) {
		trial->count = base->count;
		memcpy(trial->items, base->items, sizeof(trial->items));
		/* Items in order only: each set once. */
		if (item <= trial->items[trial->count - 1] || has_field(s, trial, &s->items[item].term))
			return false;
	}
	trial->items[trial->count++] = (uint16_t)item;
	and_rows(trial->bits, s->items[item].bits, bits_of(s, base, item), s->words_a);
	trial->caught = count_and(trial->bits, s->left, s->words_a);
	return trial->caught > 0;
}

/* The best of what comes of one more item in each of `from` (NULL: of single items), into `to`; how many. */
static uint32_t grow_beam(struct search *s, const struct candidate *from, uint32_t used, struct candidate *to)
{
	struct candidate *trial = &s->trial;
	uint32_t grown = 0;

	for (uint32_t i = 0; i < (from ? used : 1); i++) {
		const struct candidate *base = from ? &from[i] : NULL;

		for (uint32_t k = 0; k < s->items_count; k++) {
			if (!try_item(s, base, k))
				continue;
			trial->score = score_caught(s, trial->caught) + specific_bonus(s, trial);
			/* Of most this is enough to see that they are none of the best. */
			if (grown == BEAM_WIDTH && trial->score <= to[BEAM_WIDTH - 1].score)
				continue;
			and_rows(trial->bits + s->words_a, s->items[k].bits + s->words_a,
			         bits_of(s, base, k) + s->words_a, s->words_b + s->words_v);
			trial->score -= score_lost(s, trial->bits);
			keep_best(to, &grown, trial, s->words);
		}
	}
	return grown;
}

static void copy_candidate(struct candidate *into, const struct candidate *from, uint32_t words)
{
	uint64_t *bits = into->bits;

	*into = *from;
	into->bits = bits;
	memcpy(bits, from->bits, words * sizeof(*bits));
}

bool search_run(struct search *s, bool pointed)
{
	struct candidate *best = &s->best, *from = NULL;
	uint32_t used = 0;

	best->count = 0;
	for (uint32_t depth = 0; depth < BEAM_DEPTH; depth++) {
		struct candidate *to = s->beams[depth & 1];
		const struct candidate *first;

		used = grow_beam(s, from, used, to);
		if (used == 0)
			break;
		first = first_of(s, to, used, pointed);
		if (first && (best->count == 0 || first->score > best->score))
			copy_candidate(best, first, s->words);
		from = to;
	}
	return best->count > 0;
}

static bool is_range(const struct match_term *term)
{
	return (term->field == MATCH_LENGTH || term->field == MATCH_PAYLOAD_LENGTH || term->field == MATCH_TTL ||
	        term->field == MATCH_MSS) &&
	       term->value.range.low != term->value.range.high;
}

void search_specialise(struct search *s)
{
	struct candidate *c = &s->best;
	uint64_t *scratch = s->trial.bits;

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

/* ------------------------------------------------------------------ what was found */

struct search_found search_found(const struct search *s)
{
	const struct candidate *c = &s->best;
	struct search_found found = {
		.covered = count_and(c->bits, NULL, s->words_a),
		.caught = c->caught,
		.judges = count_and(s->judging, NULL, s->words_b),
		.hits = count_and(row_b(s, c->bits), s->judging, s->words_b),
		.verified_hits = count_and(row_v(s, c->bits), NULL, s->words_v),
	};
	uint16_t order[BEAM_DEPTH];

	memcpy(order, c->items, sizeof(order));
	/* In the order of the table of fields: protocol first. */
	for (uint32_t i = 1; i < c->count; i++)
		for (uint32_t j = i; j > 0 && order[j - 1] > order[j]; j--) {
			uint16_t swap = order[j];

			order[j] = order[j - 1];
			order[j - 1] = swap;
		}
	for (uint32_t i = 0; i < c->count; i++)
		found.match.terms[found.match.count++] = s->items[order[i]].term;
	return found;
}

void search_take(struct search *s)
{
	for (uint32_t i = 0; i < s->words_a; i++)
		s->left[i] &= ~s->best.bits[i];
}

uint64_t search_left(const struct search *s)
{
	return count_and(s->left, NULL, s->words_a);
}

/* ------------------------------------------------------------------ life */

static uint32_t words_for(uint32_t bits)
{
	return bits / 64 + 1;
}

int search_new(const struct signature_input *input, struct search **search)
{
	struct search *s = calloc(1, sizeof(*s));
	uint64_t *rows;

	if (!s)
		return -ENOMEM;
	s->input = input;
	s->words_a = words_for(input->attack_count);
	s->words_b = words_for(input->baseline_count);
	s->words_v = words_for(input->verified_count);
	s->words = s->words_a + s->words_b + s->words_v;
	rows = calloc((size_t)s->words * (2 * ITEMS_MAX + 2 * BEAM_WIDTH + 2) + s->words_a + 2 * (size_t)s->words_b,
	              sizeof(*rows));
	if (!rows) {
		free(s);
		return -ENOMEM;
	}
	s->arena = rows;
	for (unsigned i = 0; i < BEAM_WIDTH; i++) {
		s->beams[0][i].bits = rows + (size_t)s->words * (2 * ITEMS_MAX + i);
		s->beams[1][i].bits = rows + (size_t)s->words * (2 * ITEMS_MAX + BEAM_WIDTH + i);
	}
	s->best.bits = rows + (size_t)s->words * (2 * ITEMS_MAX + 2 * BEAM_WIDTH);
	s->trial.bits = rows + (size_t)s->words * (2 * ITEMS_MAX + 2 * BEAM_WIDTH + 1);
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
	*search = s;
	return 0;
}

void search_free(struct search *s)
{
	if (!s)
		return;
	free(s->arena);
	free(s);
}
