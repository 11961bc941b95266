/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input up to its first NUL is a text. What parses prints to a text that parses to equal nodes and prints the same;
 * each term stands in the text where it says; operands are there for all that joins them. What does not parse errs
 * inside the text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "trace/predicate_inside.h"

static void require_equal(const struct predicate_node *a, const struct predicate_node *b)
{
	REQUIRE(a->kind == b->kind && a->compare == b->compare && a->key == b->key && a->by_packets == b->by_packets);
	REQUIRE(a->counted == b->counted && a->cause == b->cause && a->network == b->network);
	REQUIRE(a->number.mantissa == b->number.mantissa && a->number.exponent == b->number.exponent);
	REQUIRE(memcmp(&a->value, &b->value, sizeof(a->value)) == 0);
	REQUIRE(a->duration_ns / 1000000000 == b->duration_ns / 1000000000);
	REQUIRE(a->from.dated == b->from.dated && a->from.ns == b->from.ns && a->to.ns == b->to.ns);
	REQUIRE(strcmp(a->name, b->name) == 0);
	REQUIRE(a->text_at == b->text_at && a->text_length == b->text_length);
}

static void survive(const struct predicate *predicate)
{
	const char *text = predicate_text(predicate);
	char error[PREDICATE_ERROR_SIZE];
	struct predicate *second;
	size_t at, depth = 0;

	REQUIRE(strlen(text) <= PREDICATE_TEXT_MAX);
	REQUIRE(predicate_parse(text, &second, &at, error) == 0);
	REQUIRE(strcmp(predicate_text(second), text) == 0);
	REQUIRE(second->count == predicate->count && predicate->count <= PREDICATE_NODES_MAX);
	for (uint32_t i = 0; i < predicate->count; i++) {
		const struct predicate_node *node = &predicate->nodes[i];

		require_equal(node, &second->nodes[i]);
		if (node->kind == PREDICATE_NOT) {
			REQUIRE(depth >= 1);
		} else if (predicate_joins(node)) {
			REQUIRE(depth >= 2);
			depth--;
		} else {
			REQUIRE(node->text_at + node->text_length <= strlen(text) && node->text_length > 0);
			REQUIRE(node->text_at == 0 || strchr(" (", text[node->text_at - 1]));
			depth++;
		}
	}
	REQUIRE(depth == 1);
	predicate_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[PREDICATE_ERROR_SIZE] = "";
	struct predicate *predicate;
	char *text = malloc(size + 1);
	size_t at = SIZE_MAX;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (predicate_parse(text, &predicate, &at, error) == 0) {
		survive(predicate);
		predicate_free(predicate);
	} else {
		REQUIRE(at <= strlen(text));
		REQUIRE(error[0] != '\0' && memchr(error, '\0', sizeof(error)));
	}
	free(text);
	return 0;
}
