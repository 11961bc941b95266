/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input up to its first NUL is a text; an observation is made of all of it, repeated. What parses prints to a text
 * that parses to an equal match and prints the same; what does not parse errs inside the text. A match holds exactly
 * where all of its terms do, and no packet meets both a term and its negation.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "defend/match.h"

static struct observation observe(const uint8_t *data, size_t size)
{
	struct observation observation;
	uint8_t *octets = (uint8_t *)&observation;

	memset(&observation, 0, sizeof(observation));
	for (size_t i = 0; size && i < sizeof(observation); i++)
		octets[i] = data[(i * 7 + size / 2) % size];
	if (size & 1) { /* else hardly any would be IPv4 */
		observation.src = address_from_ipv4(observation.src.octets);
		observation.dst = address_from_ipv4(observation.dst.octets);
	}
	observation.payload_kept %= OBSERVATION_PAYLOAD_MAX + 1;
	return observation;
}

static void evaluate(const struct match *match, const struct observation *observation)
{
	bool all = true;

	for (unsigned i = 0; i < match->count; i++) {
		struct match_term opposite = match->terms[i];
		bool hit = match_term_test(&match->terms[i], observation);

		opposite.negated = !opposite.negated;
		REQUIRE(!hit || !match_term_test(&opposite, observation));
		REQUIRE(!match_term_equal(&match->terms[i], &opposite));
		all = all && hit;
	}
	REQUIRE(match_test(match, observation) == all);
}

static void survive(const struct match *match)
{
	char text[MATCH_TEXT_SIZE], again[MATCH_TEXT_SIZE];
	struct match_error error;
	struct match second;

	REQUIRE(match_format(match, text) == text);
	REQUIRE(strlen(text) < sizeof(text));
	REQUIRE(match_parse(text, &second, &error) == 0);
	REQUIRE(second.count == match->count);
	for (unsigned i = 0; i < match->count; i++)
		REQUIRE(match_term_equal(&match->terms[i], &second.terms[i]));
	REQUIRE(strcmp(match_format(&second, again), text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct observation observation = observe(data, size);
	struct match_error error = { SIZE_MAX, "" };
	struct match match;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (match_parse(text, &match, &error) == 0) {
		REQUIRE(match.count >= 1 && match.count <= MATCH_TERMS_MAX);
		evaluate(&match, &observation);
		survive(&match);
	} else {
		REQUIRE(error.offset <= strlen(text));
		REQUIRE(error.message[0] != '\0' && memchr(error.message, '\0', sizeof(error.message)));
	}
	free(text);
	return 0;
}
