/* SPDX-License-Identifier: Apache-2.0 */
/* A table of words for each place that takes one: by them a term is read, and written as it would be typed. */
#include "trace/predicate_term.h"

#include <inttypes.h>
#include <string.h>

#include "base/duration.h"
#include "trace/predicate_value.h"

static const struct reader_word plain_terms[] = {
	{ "spoofed", PREDICATE_SPOOFED },
	{ "coordinated", PREDICATE_COORDINATED },
	{ "amplified", PREDICATE_AMPLIFIED },
	{ NULL, 0 },
};
static const struct reader_word keys[] = {
	{ "country", PREDICATE_COUNTRY },
	{ "network", PREDICATE_NETWORK },
	{ "vector", PREDICATE_VECTOR },
	{ "family", PREDICATE_MARKS },
	{ NULL, 0 },
};
static const struct reader_word bys[] = { { "sources", false }, { "packets", true }, { NULL, 0 } };
static const struct reader_word counteds[] = {
	{ "sources", PREDICATE_SOURCES },   { "packets", PREDICATE_PACKETS },
	{ "networks", PREDICATE_NETWORKS }, { "countries", PREDICATE_COUNTRIES },
	{ "devices", PREDICATE_DEVICES },   { "waves", PREDICATE_WAVES },
	{ "vectors", PREDICATE_VECTORS },   { NULL, 0 },
};
static const struct reader_word causes[] = {
	{ "attack", PREDICATE_ATTACK },
	{ "change", PREDICATE_CHANGE },
	{ "provider", PREDICATE_PROVIDER },
	{ "unknown", PREDICATE_UNKNOWN },
	{ NULL, 0 },
};
/* Longer ones first where one begins the other. */
static const struct reader_word compares[] = {
	{ ">=", PREDICATE_AT_LEAST }, { "<=", PREDICATE_AT_MOST }, { ">", PREDICATE_ABOVE },
	{ "<", PREDICATE_BELOW },     { "=", PREDICATE_EQUAL },    { NULL, 0 },
};

static const char a_term[] = "a term such as 'share(country=UA) >= 0.5' or 'spoofed'";

/* ---- reading ---- */

static int read_compare(struct reader *r, struct predicate_node *node)
{
	reader_skip_space(r);
	for (const struct reader_word *c = compares; c->text; c++)
		if (strncmp(r->text + r->at, c->text, strlen(c->text)) == 0) {
			r->at += strlen(c->text);
			node->compare = (enum predicate_compare)c->value;
			if (node->compare == PREDICATE_EQUAL && r->text[r->at] == '=')
				r->at++;
			reader_skip_space(r);
			return 0;
		}
	return reader_refuse_found(r, "one of >= <= > < =");
}

static int read_share(struct reader *r, struct predicate_node *node)
{
	int value = 0, by = 0, result = reader_want(r, '(');

	node->kind = PREDICATE_SHARE;
	if (result == 0)
		result = reader_want_one_of(r, keys, "country, network, vector or family", &value);
	if (result == 0)
		result = reader_want(r, '=');
	if (result != 0)
		return result;
	node->key = (enum predicate_key)value;
	node->by_packets = node->key == PREDICATE_VECTOR || node->key == PREDICATE_MARKS;
	switch (node->key) {
	case PREDICATE_COUNTRY:
		result = value_read_country(r, node->name);
		break;
	case PREDICATE_NETWORK:
		result = value_read_network(r, &node->network);
		break;
	case PREDICATE_VECTOR:
		result = value_read_vector(r, node->name);
		break;
	case PREDICATE_MARKS:
		result = value_read_name(r, "a family's name such as mirai", node->name);
		break;
	}
	if (result == 0 && reader_take(r, ',')) {
		size_t began;

		reader_skip_space(r);
		if (!reader_take_word(r, "by"))
			return reader_refuse_found(r, "'by=sources' or 'by=packets'");
		result = reader_want(r, '=');
		reader_skip_space(r);
		began = r->at;
		if (result == 0)
			result = reader_want_one_of(r, bys, "sources or packets", &by);
		node->by_packets = by;
		if (result == 0 && node->key == PREDICATE_MARKS && !by) {
			r->at = began;
			return reader_refuse(r, "of a family only packets are counted: expected packets");
		}
	}
	if (result == 0)
		result = reader_want(r, ')');
	if (result == 0)
		result = read_compare(r, node);
	return result == 0 ? value_read_share(r, node) : result;
}

static int read_count(struct reader *r, struct predicate_node *node)
{
	int value = 0, result = reader_want(r, '(');

	node->kind = PREDICATE_COUNT;
	if (result == 0)
		result = reader_want_one_of(r, counteds,
		                            "sources, packets, networks, countries, devices, waves or vectors", &value);
	node->counted = (enum predicate_counted)value;
	if (result == 0)
		result = reader_want(r, ')');
	if (result == 0)
		result = read_compare(r, node);
	return result == 0 ? value_read_count(r, node) : result;
}

static int read_family(struct reader *r, struct predicate_node *node)
{
	int result = reader_want(r, '(');

	node->kind = PREDICATE_FAMILY;
	if (result == 0)
		result = value_read_name(r, "a family's name such as mirai", node->name);
	return result == 0 ? reader_want(r, ')') : result;
}

static int read_compared(struct reader *r, struct predicate_node *node, enum predicate_kind kind,
                         int (*want)(struct reader *r, struct predicate_node *node))
{
	int result = read_compare(r, node);

	node->kind = kind;
	return result == 0 ? want(r, node) : result;
}

static int read_size(struct reader *r, struct predicate_node *node)
{
	return read_compared(r, node, PREDICATE_SIZE_BPS, value_read_rate);
}

static int read_duration(struct reader *r, struct predicate_node *node)
{
	return read_compared(r, node, PREDICATE_DURATION, value_read_duration);
}

static int read_cost(struct reader *r, struct predicate_node *node)
{
	return read_compared(r, node, PREDICATE_COST, value_read_money);
}

static int read_outage(struct reader *r, struct predicate_node *node)
{
	size_t began;
	int result;

	reader_skip_space(r);
	if (strchr("<>=", r->text[r->at]) && r->text[r->at])
		return read_compared(r, node, PREDICATE_OUTAGE_LENGTH, value_read_duration);
	node->kind = PREDICATE_OUTAGE;
	if (!reader_take_word(r, "within"))
		return 0;
	node->kind = PREDICATE_OUTAGE_WITHIN;
	result = value_read_time(r, &node->from);
	if (result != 0)
		return result;
	reader_skip_space(r);
	if (strncmp(r->text + r->at, "..", 2) != 0)
		return reader_refuse_found(r, "'..' between two times");
	r->at += 2;
	reader_skip_space(r);
	began = r->at;
	result = value_read_time(r, &node->to);
	if (result == 0 && node->from.dated != node->to.dated) {
		r->at = began;
		return reader_refuse(r, "expected both times with a date, or none");
	}
	if (result == 0 && node->from.dated && node->to.ns <= node->from.ns) {
		r->at = began;
		return reader_refuse(r, "expected the earlier time first");
	}
	return result;
}

static int read_equals(struct reader *r)
{
	int result = reader_want(r, '=');

	if (result == 0 && r->text[r->at] == '=')
		r->at++;
	return result;
}

static int read_cause(struct reader *r, struct predicate_node *node)
{
	int value = 0, result = read_equals(r);

	node->kind = PREDICATE_CAUSE;
	if (result == 0)
		result = reader_want_one_of(r, causes, "attack, change, provider or unknown", &value);
	node->cause = (enum predicate_cause)value;
	return result;
}

static int read_actor(struct reader *r, struct predicate_node *node)
{
	int result = read_equals(r);

	node->kind = PREDICATE_ACTOR;
	return result == 0 ? value_read_name(r, "a name, in \" where it has spaces", node->name) : result;
}

static const struct term {
	const char *word;
	int (*want)(struct reader *r, struct predicate_node *node);
} terms[] = {
	{ "share", read_share },   { "count", read_count }, { "family", read_family },
	{ "size", read_size },     { "cost", read_cost },   { "duration", read_duration },
	{ "outage", read_outage }, { "cause", read_cause }, { "actor", read_actor },
};

int term_read(struct reader *r, struct predicate_node *node)
{
	memset(node, 0, sizeof(*node));
	for (const struct reader_word *p = plain_terms; p->text; p++)
		if (reader_take_word(r, p->text)) {
			node->kind = (enum predicate_kind)p->value;
			return 0;
		}
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++)
		if (reader_take_word(r, terms[i].word))
			return terms[i].want(r, node);
	return reader_refuse_found(r, a_term);
}

/* ---- printing ---- */

static void put_share(struct writer *w, const struct predicate_node *node)
{
	writer_put(w, "share(%s=", writer_word(keys, (int)node->key));
	if (node->key == PREDICATE_NETWORK)
		writer_put(w, "%" PRIu32, node->network);
	else
		value_put_name(w, node->name);
	if (node->by_packets != (node->key == PREDICATE_VECTOR || node->key == PREDICATE_MARKS))
		writer_put(w, ", by=%s", writer_word(bys, node->by_packets));
	writer_put(w, ") %s ", writer_word(compares, (int)node->compare));
	value_put_number(w, &node->number, 0);
}

void term_put(struct writer *w, const struct predicate_node *node)
{
	char duration[DURATION_TEXT_SIZE];
	const char *compare = writer_word(compares, (int)node->compare);

	switch (node->kind) {
	case PREDICATE_SHARE:
		put_share(w, node);
		break;
	case PREDICATE_COUNT:
		writer_put(w, "count(%s) %s ", writer_word(counteds, (int)node->counted), compare);
		value_put_number(w, &node->number, 0);
		break;
	case PREDICATE_FAMILY:
		writer_put(w, "family(");
		value_put_name(w, node->name);
		writer_put(w, ")");
		break;
	case PREDICATE_SIZE_BPS:
	case PREDICATE_SIZE_PPS:
		writer_put(w, "size %s ", compare);
		value_put_rate(w, node);
		break;
	case PREDICATE_DURATION:
	case PREDICATE_OUTAGE_LENGTH:
		writer_put(w, "%s %s %s", node->kind == PREDICATE_DURATION ? "duration" : "outage", compare,
		           duration_format(node->duration_ns, duration));
		break;
	case PREDICATE_COST:
		writer_put(w, "cost %s ", compare);
		value_put_number(w, &node->number, 0);
		writer_put(w, " USD");
		break;
	case PREDICATE_OUTAGE_WITHIN:
		writer_put(w, "outage within ");
		value_put_time(w, &node->from);
		writer_put(w, "..");
		value_put_time(w, &node->to);
		break;
	case PREDICATE_CAUSE:
		writer_put(w, "cause = %s", writer_word(causes, (int)node->cause));
		break;
	case PREDICATE_ACTOR:
		writer_put(w, "actor = ");
		value_put_name(w, node->name);
		break;
	case PREDICATE_OUTAGE:
		writer_put(w, "outage");
		break;
	case PREDICATE_SPOOFED:
	case PREDICATE_COORDINATED:
	case PREDICATE_AMPLIFIED:
	case PREDICATE_AND:
	case PREDICATE_OR:
	case PREDICATE_NOT:
		writer_put(w, "%s", writer_word(plain_terms, (int)node->kind));
		break;
	}
}
