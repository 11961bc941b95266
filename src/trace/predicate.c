/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The language of claims, what joins its terms; the grammar stands in predicate.h, terms in predicate_term.h.
 *
 * Terms are read from left to right, once; "and", "or", "not" and parentheses wait on a stack until what they join has
 * been read (Dijkstra's shunting yard), so that neither depth nor length of a text moves the stack of the processor.
 * The printer goes the same way: each node's text is made of those of its operands, which stand next to each other.
 *
 * Where the grammar leaves room: "not" binds closest, then "and", then "or". Printed, each mixture of "and" and "or"
 * has parentheses.
 */
#include "trace/predicate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/predicate_inside.h"
#include "trace/predicate_reader.h"
#include "trace/predicate_term.h"

bool predicate_joins(const struct predicate_node *node)
{
	return node->kind == PREDICATE_AND || node->kind == PREDICATE_OR || node->kind == PREDICATE_NOT;
}

/* ---- reading ---- */

/* What waits on the stack for its operand: enum predicate_kind of and, or, not; or this. */
#define OPEN_PARENTHESIS (-1)

struct joiner {
	struct reader reader;
	struct predicate *predicate;
	uint32_t terms;
	unsigned depth;
	int waiting[PREDICATE_DEPTH_MAX];
	size_t waiting_at[PREDICATE_DEPTH_MAX];
};

static int wait(struct joiner *j, int what, size_t at)
{
	if (j->depth == PREDICATE_DEPTH_MAX) {
		j->reader.at = at;
		return reader_refuse(&j->reader, "nested more than %d deep", PREDICATE_DEPTH_MAX);
	}
	j->waiting[j->depth] = what;
	j->waiting_at[j->depth++] = at;
	return 0;
}

static unsigned precedence(int kind)
{
	return kind == PREDICATE_NOT ? 3 : kind == PREDICATE_AND ? 2 : kind == PREDICATE_OR ? 1 : 0;
}

/* What waits and binds at least so close has all it needs. There is a node for each: terms and nots are bounded. */
static void join(struct joiner *j, unsigned at_least)
{
	while (j->depth && precedence(j->waiting[j->depth - 1]) >= at_least) {
		struct predicate_node *node = &j->predicate->nodes[j->predicate->count++];

		memset(node, 0, sizeof(*node));
		node->kind = (enum predicate_kind)j->waiting[--j->depth];
	}
}

static unsigned count_nots(const struct joiner *j)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < j->predicate->count; i++)
		count += j->predicate->nodes[i].kind == PREDICATE_NOT;
	for (unsigned i = 0; i < j->depth; i++)
		count += j->waiting[i] == PREDICATE_NOT;
	return count;
}

/* Up to the end of a term. */
static int want_operand(struct joiner *j)
{
	struct predicate_node node;
	int result;

	for (;;) {
		size_t at;

		reader_skip_space(&j->reader);
		at = j->reader.at;
		if (reader_take(&j->reader, '('))
			result = wait(j, OPEN_PARENTHESIS, at);
		else if (reader_take_word(&j->reader, "not"))
			result = count_nots(j) < PREDICATE_DEPTH_MAX
			                 ? wait(j, PREDICATE_NOT, at)
			                 : reader_refuse(&j->reader, "too many times 'not'");
		else
			break;
		if (result != 0)
			return result;
	}
	if (j->terms == PREDICATE_TERMS_MAX)
		return reader_refuse(&j->reader, "more than %d terms", PREDICATE_TERMS_MAX);
	result = term_read(&j->reader, &node);
	if (result != 0)
		return result;
	j->terms++;
	j->predicate->nodes[j->predicate->count++] = node;
	return 0;
}

static int close_parenthesis(struct joiner *j)
{
	join(j, 1);
	if (j->depth == 0) {
		j->reader.at--;
		return reader_refuse(&j->reader, "this ')' has no '('");
	}
	j->depth--;
	return 0;
}

static int read_all(struct joiner *j)
{
	for (;;) {
		int result = want_operand(j);
		size_t at;

		if (result != 0)
			return result;
		while (reader_take(&j->reader, ')')) {
			result = close_parenthesis(j);
			if (result != 0)
				return result;
		}
		at = j->reader.at;
		if (j->reader.text[at] == '\0')
			break;
		if (reader_take_word(&j->reader, "and")) {
			join(j, precedence(PREDICATE_AND));
			result = wait(j, PREDICATE_AND, at);
		} else if (reader_take_word(&j->reader, "or")) {
			join(j, precedence(PREDICATE_OR));
			result = wait(j, PREDICATE_OR, at);
		} else {
			return reader_refuse_found(&j->reader,
			                           j->depth ? "'and', 'or', ')' or the end" : "'and', 'or' or the end");
		}
		if (result != 0)
			return result;
	}
	join(j, 1);
	if (j->depth > 0) {
		j->reader.at = j->waiting_at[j->depth - 1];
		return reader_refuse(&j->reader, "this '(' has no ')'");
	}
	return 0;
}

/* ---- printing ---- */

/* A part of the text being made: what the nodes so far have left to be joined. */
struct piece {
	size_t at;
	unsigned precedence; /* of what it is: a term 4 */
};

/* Makes room of `length` octets at `at` and copies them in; terms that stand there or behind move. False: no room. */
static bool insert(struct predicate *predicate, uint32_t before, size_t at, const char *text)
{
	size_t length = strlen(text), whole = strlen(predicate->text);

	if (whole + length > PREDICATE_TEXT_MAX)
		return false;
	memmove(predicate->text + at + length, predicate->text + at, whole - at + 1);
	memcpy(predicate->text + at, text, length);
	for (uint32_t i = 0; i < before; i++)
		if (!predicate_joins(&predicate->nodes[i]) && predicate->nodes[i].text_at >= at)
			predicate->nodes[i].text_at += (uint32_t)length;
	return true;
}

static bool enclose(struct predicate *predicate, uint32_t before, const struct piece *piece, size_t end)
{
	return insert(predicate, before, end, ")") && insert(predicate, before, piece->at, "(");
}

/* The last two pieces become one. */
static bool write_pair(struct predicate *predicate, uint32_t node, struct piece *left, struct piece *right)
{
	unsigned mine = precedence((int)predicate->nodes[node].kind);
	size_t before = strlen(predicate->text);

	/* An "and" among "or", an "or" among "and", and on the right what would have come first on the left. */
	if (right->precedence < 3 && !enclose(predicate, node, right, before))
		return false;
	if (left->precedence < 3 && left->precedence != mine && !enclose(predicate, node, left, right->at))
		return false;
	/* What was put before `right` has moved it. */
	right->at += (left->precedence < 3 && left->precedence != mine) ? 2 : 0;
	left->precedence = mine;
	return insert(predicate, node, right->at, mine == precedence(PREDICATE_AND) ? " and " : " or ");
}

static bool write_not(struct predicate *predicate, uint32_t node, struct piece *piece)
{
	if (piece->precedence < 3 && !enclose(predicate, node, piece, strlen(predicate->text)))
		return false;
	piece->precedence = 3;
	return insert(predicate, node, piece->at, "not ");
}

static bool write_text(struct predicate *predicate)
{
	struct piece pieces[PREDICATE_TERMS_MAX] = { { 0, 0 } };
	unsigned count = 0;

	for (uint32_t i = 0; i < predicate->count; i++) {
		struct predicate_node *node = &predicate->nodes[i];
		struct writer w = { "", 0 };

		if (node->kind == PREDICATE_NOT) {
			if (!write_not(predicate, i, &pieces[count - 1]))
				return false;
			continue;
		}
		if (predicate_joins(node)) {
			count--;
			if (!write_pair(predicate, i, &pieces[count - 1], &pieces[count]))
				return false;
			continue;
		}
		term_put(&w, node);
		pieces[count] = (struct piece){ strlen(predicate->text), 4 };
		node->text_at = (uint32_t)pieces[count++].at;
		node->text_length = (uint32_t)w.length;
		if (node->text_at + w.length > PREDICATE_TEXT_MAX)
			return false;
		memcpy(predicate->text + node->text_at, w.text, w.length + 1);
	}
	return true;
}

int predicate_parse(const char *text, struct predicate **predicate, size_t *at, char error[PREDICATE_ERROR_SIZE])
{
	struct joiner j = { .reader = { .text = text } };
	int result = 0;

	j.reader.error = error;
	j.predicate = calloc(1, sizeof(*j.predicate));
	if (!j.predicate)
		return -ENOMEM;
	if (strlen(text) > PREDICATE_TEXT_MAX) {
		j.reader.at = PREDICATE_TEXT_MAX;
		result = reader_refuse(&j.reader, "longer than %d octets", PREDICATE_TEXT_MAX);
	}
	if (result == 0)
		result = read_all(&j);
	if (result == 0 && !write_text(j.predicate)) {
		j.reader.at = 0;
		result = reader_refuse(&j.reader, "longer than %d octets once it is written out", PREDICATE_TEXT_MAX);
	}
	if (result != 0) {
		*at = j.reader.at;
		predicate_free(j.predicate);
		return result;
	}
	*predicate = j.predicate;
	return 0;
}

void predicate_free(struct predicate *predicate)
{
	free(predicate);
}

const char *predicate_text(const struct predicate *predicate)
{
	return predicate->text;
}
