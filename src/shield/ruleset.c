/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule is a conjunction, and a packet's key is a row of words. A term that asks for one value becomes bits of mask
 * and value; so does that the packet has the field at all, for a term on one that it has not is false. What is left is
 * ranges, and negated terms of more than one word's worth ("unless").
 *
 * Terms that contradict each other, or ask for what no packet in the kernel can have, make a rule that holds for none:
 * NOTHING, a range that excludes all lengths.
 */
#include "shield/ruleset.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "observe/protocol.h"

#define FIELD_MAX 65535u

struct compiler {
	struct shield_rule *rule;
	struct shield_error *error;
	bool nothing; /* holds for no packet */
};

static int cannot(struct compiler *c, const char *what, unsigned most)
{
	(void)snprintf(c->error->message, sizeof(c->error->message),
	               "the shield's table takes at most %u %s in one rule", most, what);
	(void)snprintf(c->error->advice, sizeof(c->error->advice), "split the match in two rules, or leave terms out");
	return -EOPNOTSUPP;
}

/* Bits that a packet must have so. Two terms may ask the same, or contradict each other. */
static void require(struct compiler *c, unsigned word, uint64_t mask, uint64_t value)
{
	uint64_t both = c->rule->mask[word] & mask;

	if ((c->rule->value[word] ^ value) & both)
		c->nothing = true;
	c->rule->mask[word] |= mask;
	c->rule->value[word] |= value & mask;
}

static void require_field(struct compiler *c, enum shield_field field, uint16_t mask, uint16_t value)
{
	struct shield_key key_mask = { 0 }, key_value = { 0 };
	unsigned word = (unsigned)field / 4;

	key_mask.field[field] = mask;
	key_value.field[field] = value;
	require(c, word, key_mask.field_word[word], key_value.field_word[word]);
}

static void require_has(struct compiler *c, uint16_t has)
{
	require_field(c, SHIELD_F_HAS, has, has);
}

static int add_range(struct compiler *c, enum shield_field field, uint32_t low, uint32_t high, bool negated)
{
	struct shield_rule *rule = c->rule;

	if (low > FIELD_MAX || low > high) { /* no packet in the kernel is that long */
		c->nothing |= !negated;
		return 0;
	}
	if (high > FIELD_MAX)
		high = FIELD_MAX;
	if (low == high && !negated) {
		require_field(c, field, FIELD_MAX, (uint16_t)low);
		return 0;
	}
	if (low == 0 && high == FIELD_MAX) {
		c->nothing |= negated;
		return 0;
	}
	if (rule->range_count == SHIELD_RULE_RANGES_MAX)
		return cannot(c, "ranges", SHIELD_RULE_RANGES_MAX);
	rule->ranges[rule->range_count++] = (struct shield_range){
		.low = (uint16_t)low,
		.high = (uint16_t)high,
		.field = (uint8_t)field,
		.negated = negated,
	};
	return 0;
}

static int add_unless(struct compiler *c, unsigned word, const uint64_t mask[2], const uint64_t value[2])
{
	struct shield_rule *rule = c->rule;
	struct shield_unless unless = { .word = word, .mask = { mask[0], mask[1] }, .value = { value[0], value[1] } };

	if (rule->unless_count == SHIELD_RULE_UNLESS_MAX)
		return cannot(c, "negated terms", SHIELD_RULE_UNLESS_MAX);
	if (word == SHIELD_WORDS - 1) /* two words in a row: the one before, of which nothing is asked, and this */
		unless = (struct shield_unless){ .word = word - 1, .mask = { 0, mask[0] }, .value = { 0, value[0] } };
	rule->unless[rule->unless_count++] = unless;
	return 0;
}

/* Words of mask and value, or their contrary. At most two words hold bits of a term, and they are neighbours. */
static int add_words(struct compiler *c, const struct shield_key *mask, const struct shield_key *value, bool negated)
{
	uint64_t masks[SHIELD_WORDS + 1] = { 0 }, values[SHIELD_WORDS + 1] = { 0 };
	unsigned first = 0;

	memcpy(masks, mask, sizeof(*mask));
	memcpy(values, value, sizeof(*value));
	if (!negated) {
		for (unsigned i = 0; i < SHIELD_WORDS; i++)
			require(c, i, masks[i], values[i]);
		return 0;
	}
	while (first < SHIELD_WORDS && masks[first] == 0)
		first++;
	if (first == SHIELD_WORDS) { /* not all of them: none */
		c->nothing = true;
		return 0;
	}
	return add_unless(c, first, &masks[first], &values[first]);
}

/* Whether a network of IPv6 is around ::ffff:0:0/96, where the key has the addresses of IPv4. */
static bool is_around_ipv4(const struct prefix *prefix)
{
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff };
	uint8_t mask[16];

	prefix_mask(prefix, mask);
	for (unsigned i = 0; i < sizeof(mask); i++)
		if ((mapped[i] & mask[i]) != prefix->address.octets[i])
			return false;
	return !prefix->is_ipv4;
}

static int add_net(struct compiler *c, bool is_src, const struct prefix *prefix, bool negated)
{
	struct shield_key mask = { 0 }, value = { 0 };

	/*
	 * Such a network holds no address of IPv4 all the same: the family is asked as well, which is the
	 * destination's.
	 */
	if (is_around_ipv4(prefix)) {
		if (prefix->length == 0) {
			mask.field[SHIELD_F_HAS] = value.field[SHIELD_F_HAS] = SHIELD_HAS_IPV6;
			return add_words(c, &mask, &value, negated);
		}
		if (negated) {
			(void)snprintf(c->error->message, sizeof(c->error->message),
			               "the shield's table cannot say 'not' of a network that ::ffff:0:0/96 is in");
			(void)snprintf(c->error->advice, sizeof(c->error->advice), "leave the term out");
			return -EOPNOTSUPP;
		}
		require_has(c, SHIELD_HAS_IPV6);
	}
	prefix_mask(prefix, is_src ? mask.src : mask.dst);
	memcpy(is_src ? value.src : value.dst, prefix->address.octets, 16);
	return add_words(c, &mask, &value, negated);
}

static int add_flag(struct compiler *c, enum shield_field field, uint16_t mask, uint16_t value, bool negated)
{
	struct shield_key key_mask = { 0 }, key_value = { 0 };

	key_mask.field[field] = mask;
	key_value.field[field] = value;
	return add_words(c, &key_mask, &key_value, negated);
}

static int add_payload(struct compiler *c, const struct match_term *term)
{
	unsigned from = term->value.payload.from, length = term->value.payload.length;
	struct shield_key mask = { 0 }, value = { 0 };

	if (length > MATCH_PAYLOAD_MAX || from + length > SHIELD_PAYLOAD_MAX) {
		c->nothing = true;
		return 0;
	}
	memset(mask.payload + from, 0xff, length);
	memcpy(value.payload + from, term->value.payload.octets, length);
	if (add_range(c, SHIELD_F_PAYLOAD_KEPT, from + length, FIELD_MAX, false))
		return -EOPNOTSUPP;
	return add_words(c, &mask, &value, term->negated);
}

/* Which field a term is about, and what a packet has that has the field. */
/* clang-format off */
static const struct {
	enum shield_field field;
	uint16_t has;
} about[MATCH_FIELDS] = {
	[MATCH_PROTO]          = { SHIELD_F_PROTOCOL, 0 },
	[MATCH_SRC_PORT]       = { SHIELD_F_SRC_PORT, SHIELD_HAS_PORTS },
	[MATCH_DST_PORT]       = { SHIELD_F_DST_PORT, SHIELD_HAS_PORTS },
	[MATCH_LENGTH]         = { SHIELD_F_LENGTH, 0 },
	[MATCH_TTL]            = { SHIELD_F_TTL, 0 },
	[MATCH_IP_ID]          = { SHIELD_F_IP_ID, SHIELD_HAS_IPV4 },
	[MATCH_WINDOW]         = { SHIELD_F_WINDOW, SHIELD_HAS_TCP },
	[MATCH_MSS]            = { SHIELD_F_MSS, SHIELD_HAS_MSS },
	[MATCH_ICMP_TYPE]      = { SHIELD_F_ICMP_TYPE, SHIELD_HAS_ICMP },
	[MATCH_ICMP_CODE]      = { SHIELD_F_ICMP_CODE, SHIELD_HAS_ICMP },
	[MATCH_PAYLOAD_LENGTH] = { SHIELD_F_PAYLOAD_LENGTH, SHIELD_HAS_PAYLOAD },
};
/* clang-format on */

static int add_term(struct compiler *c, const struct match_term *term)
{
	struct shield_key mask = { 0 }, value = { 0 };

	if (match_takes_range(term->field)) {
		require_has(c, about[term->field].has);
		return add_range(c, about[term->field].field, term->value.range.low, term->value.range.high,
		                 term->negated);
	}
	switch ((int)term->field) {
	case MATCH_IP:
		return add_flag(c, SHIELD_F_HAS, SHIELD_HAS_IPV4, SHIELD_HAS_IPV4, term->negated);
	case MATCH_IP6:
		return add_flag(c, SHIELD_F_HAS, SHIELD_HAS_IPV6, SHIELD_HAS_IPV6, term->negated);
	case MATCH_TCP:
		return add_range(c, SHIELD_F_PROTOCOL, PROTOCOL_TCP, PROTOCOL_TCP, term->negated);
	case MATCH_UDP:
		return add_range(c, SHIELD_F_PROTOCOL, PROTOCOL_UDP, PROTOCOL_UDP, term->negated);
	case MATCH_ICMP:
		return add_range(c, SHIELD_F_PROTOCOL, PROTOCOL_ICMP, PROTOCOL_ICMP, term->negated);
	case MATCH_ICMP6:
		return add_range(c, SHIELD_F_PROTOCOL, PROTOCOL_ICMPV6, PROTOCOL_ICMPV6, term->negated);
	case MATCH_FRAGMENT:
		return add_flag(c, SHIELD_F_HAS, SHIELD_HAS_FRAGMENT, SHIELD_HAS_FRAGMENT, term->negated);
	case MATCH_DF:
		require_has(c, SHIELD_HAS_IPV4);
		return add_flag(c, SHIELD_F_HAS, SHIELD_HAS_DF, SHIELD_HAS_DF, term->negated);
	case MATCH_SRC_NET:
	case MATCH_DST_NET:
		return add_net(c, term->field == MATCH_SRC_NET, &term->value.prefix, term->negated);
	case MATCH_TCP_FLAGS:
		require_has(c, SHIELD_HAS_TCP);
		return add_range(c, SHIELD_F_TCP_FLAGS, term->value.flags, term->value.flags, term->negated);
	case MATCH_OPTIONS:
		require_has(c, SHIELD_HAS_TCP);
		mask.tcp_options = UINT64_MAX;
		value.tcp_options = term->value.options;
		return add_words(c, &mask, &value, term->negated);
	case MATCH_PAYLOAD:
		return add_payload(c, term);
	default:
		break;
	}
	c->nothing = true;
	return 0;
}

int ruleset_compile_rule(const struct rule *rule, struct shield_rule *compiled, struct shield_error *error)
{
	static const enum shield_action actions[] = {
		[RULE_NONE] = SHIELD_COUNT,
		[RULE_DROP] = SHIELD_DROP,
		[RULE_RATE_LIMIT] = SHIELD_RATE,
	};
	struct shield_rule made = { 0 };
	struct compiler c = { .rule = &made, .error = error };
	int result;

	if ((unsigned)rule->action >= sizeof(actions) / sizeof(actions[0])) {
		(void)snprintf(error->message, sizeof(error->message), "action '%s' is not one of the shield's",
		               rule_action_name(rule->action));
		(void)snprintf(error->advice, sizeof(error->advice), "it drops, limits the rate, or counts");
		return -EOPNOTSUPP;
	}
	made.action = (uint32_t)actions[rule->action];
	made.rate_pps = rule->action == RULE_RATE_LIMIT ? rule->rate_pps : 0;
	/* ::/0 is the scope that holds all of both families. */
	if (rule->scope.is_ipv4 || rule->scope.length != 0) {
		result = add_net(&c, false, &rule->scope, false);
		if (result)
			return result;
	}
	for (unsigned i = 0; i < rule->match.count && i < MATCH_TERMS_MAX; i++) {
		result = add_term(&c, &rule->match.terms[i]);
		if (result)
			return result;
	}
	if (c.nothing) {
		made.range_count = 1;
		made.ranges[0] = (struct shield_range){ .high = FIELD_MAX, .field = SHIELD_F_LENGTH, .negated = 1 };
	}
	*compiled = made;
	return 0;
}

/* What a rule asks of one field alone: one value, or one range of them, or nothing. */
enum asks { ASKS_NOTHING, ASKS_VALUE, ASKS_RANGE };

/* `piece`: enum shield_field, or another of the SHIELD_PIECES. */
static enum asks asked_of(const struct shield_rule *rule, uint32_t piece, struct shield_range *asked)
{
	uint16_t mask, value;

	memcpy(&mask, (const uint8_t *)rule->mask + piece * sizeof(mask), sizeof(mask));
	memcpy(&value, (const uint8_t *)rule->value + piece * sizeof(value), sizeof(value));
	*asked = (struct shield_range){ .high = FIELD_MAX };
	if (mask == FIELD_MAX) {
		asked->low = asked->high = value;
		return ASKS_VALUE;
	}
	/* One range narrows well enough: the rule itself is looked at for the rest. */
	for (unsigned i = 0; i < rule->range_count; i++)
		if (rule->ranges[i].field == piece) {
			*asked = rule->ranges[i];
			return ASKS_RANGE;
		}
	return ASKS_NOTHING;
}

static void mark_values(uint32_t from, uint32_t to, uint32_t (*bin)(uint32_t value), uint64_t bit, __u64 *vector)
{
	for (uint32_t i = from; i < to; i++)
		vector[bin(i)] |= bit;
}

/* Bins of a vector in which a packet that meets the rule can be. */
static void mark(const struct shield_rule *rule, uint32_t piece, uint32_t (*bin)(uint32_t value), uint64_t bit,
                 __u64 vector[SHIELD_BINS])
{
	struct shield_range asked;

	if (asked_of(rule, piece, &asked) == ASKS_NOTHING) {
		for (unsigned i = 0; i < SHIELD_BINS; i++)
			vector[i] |= bit;
	} else if (asked.negated) {
		mark_values(0, asked.low, bin, bit, vector);
		mark_values(asked.high + 1u, FIELD_MAX + 1, bin, bit, vector);
	} else {
		mark_values(asked.low, asked.high + 1u, bin, bit, vector);
	}
}

/* Of destinations only a single one narrows anything. */
static void mark_dst(const struct shield_rule *rule, uint64_t bit, __u64 vector[SHIELD_BINS])
{
	bool one = rule->mask[SHIELD_WORD_DST] == UINT64_MAX && rule->mask[SHIELD_WORD_DST + 1] == UINT64_MAX;

	for (unsigned i = 0; i < SHIELD_BINS; i++)
		if (!one || i == shield_fold(&rule->value[SHIELD_WORD_DST]))
			vector[i] |= bit;
}

static uint32_t port_bin(uint32_t port)
{
	return SHIELD_PORT_BIN(port);
}

static uint32_t length_bin(uint32_t length)
{
	return SHIELD_LENGTH_BIN(length);
}

static uint32_t protocol_bin(uint32_t protocol)
{
	return protocol & (SHIELD_BINS - 1);
}

/* Words that the rule asks nothing of, a bit each. */
static uint32_t unasked(const struct shield_rule *rule)
{
	uint32_t words = 0;

	for (unsigned i = 0; i < SHIELD_WORDS; i++)
		if (rule->mask[i] == 0 && rule->value[i] == 0)
			words |= 1u << i;
	return words;
}

static bool alike(const struct shield_range *a, const struct shield_range *b)
{
	return a->low == b->low && a->high == b->high && a->negated == b->negated;
}

/* How many different things rules ask of a piece of the key. */
static unsigned different(const struct shield_ruleset *set, uint32_t piece)
{
	struct shield_range asked[SHIELD_RULES_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < set->count; i++) {
		unsigned k = 0;

		if (asked_of(&set->rules[i], piece, &asked[count]) == ASKS_NOTHING)
			continue;
		while (k < count && !alike(&asked[k], &asked[count]))
			k++;
		count += k == count;
	}
	return count;
}

void ruleset_finish(struct shield_ruleset *set)
{
	unsigned most = 0;

	/* Behind these are destinations, which by_dst is of. */
	for (uint32_t piece = 0; piece < SHIELD_WORD_DST * 4; piece++) {
		bool has_vector = piece == SHIELD_F_PROTOCOL || piece == SHIELD_F_SRC_PORT ||
		                  piece == SHIELD_F_DST_PORT || piece == SHIELD_F_LENGTH;
		unsigned count = has_vector ? 0 : different(set, piece);

		if (count > most) {
			most = count;
			set->other = piece;
		}
	}
	memset(set->by_other, 0, sizeof(set->by_other));
	for (unsigned i = 0; i < set->count; i++)
		mark(&set->rules[i], set->other, port_bin, 1ULL << i, set->by_other);
}

int ruleset_add(struct shield_ruleset *set, const struct shield_rule *rule)
{
	const struct {
		__u64 *vector;
		enum shield_field field;
		uint32_t (*bin)(uint32_t value);
	} vectors[] = {
		{ set->by_protocol, SHIELD_F_PROTOCOL, protocol_bin },
		{ set->by_src_port, SHIELD_F_SRC_PORT, port_bin },
		{ set->by_dst_port, SHIELD_F_DST_PORT, port_bin },
		{ set->by_length, SHIELD_F_LENGTH, length_bin },
	};
	struct shield_key mask;

	if (set->count == SHIELD_RULES_MAX)
		return -ENOSPC;
	for (unsigned v = 0; v < sizeof(vectors) / sizeof(vectors[0]); v++)
		mark(rule, vectors[v].field, vectors[v].bin, 1ULL << set->count, vectors[v].vector);
	mark_dst(rule, 1ULL << set->count, set->by_dst);
	memcpy(&mask, rule->mask, sizeof(mask));
	if (mask.tcp_options || mask.field[SHIELD_F_HAS] & SHIELD_HAS_MSS)
		set->needs |= SHIELD_NEED_OPTIONS;
	for (unsigned i = 0; i < rule->unless_count; i++)
		for (unsigned k = 0; k < 2; k++)
			if (rule->unless[i].mask[k] && rule->unless[i].word + k == SHIELD_WORD_OPTIONS)
				set->needs |= SHIELD_NEED_OPTIONS;
	for (unsigned i = 0; i < rule->range_count; i++)
		if (rule->ranges[i].field == SHIELD_F_PAYLOAD_KEPT)
			set->needs |= SHIELD_NEED_PAYLOAD;
	if (mask.field[SHIELD_F_PAYLOAD_KEPT])
		set->needs |= SHIELD_NEED_PAYLOAD;
	set->rules[set->count] = *rule;
	set->rules[set->count++].skip = unasked(rule);
	return 0;
}
