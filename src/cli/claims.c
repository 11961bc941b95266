/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/claims.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/books.h"
#include "cli/command.h"
#include "tell/facts.h"
#include "cli/say.h"
#include "record/ledger.h"

struct loading {
	struct books *books;
	struct claims_group *group;
	struct record_error *error;
	size_t left_out; /* beyond CLAIMS_TOLD_MAX */
};

struct latest {
	json_t *json; /* NULL: it was not tested */
	bool approved;
};

static int take_verdict(void *context, const struct ledger_verdict *verdict)
{
	struct latest *latest = context;

	json_decref(latest->json);
	latest->json = json_loads(verdict->json, JSON_REJECT_DUPLICATES, NULL);
	latest->approved = verdict->approved_ns != 0;
	return latest->json ? 0 : -EBADMSG;
}

static int take_claim(void *context, const struct ledger_claim *claim)
{
	struct loading *loading = context;
	struct claims_group *group = loading->group;
	struct latest latest = { NULL, false };
	json_t *texts;
	int result;

	if (group->count == CLAIMS_TOLD_MAX) {
		loading->left_out++;
		return 0;
	}
	result = ledger_verdict_each(loading->books->ledger, claim->id, take_verdict, &latest, loading->error);
	texts = json_pack("{ss ss ss ss ss so?}", "id", claim->id, "by", claim->by, "text", claim->text, "url",
	                  claim->url, "predicate", claim->predicate, "latest", latest.json);
	if (!texts || json_array_append_new(group->owner, texts) != 0)
		return result ? result : -ENOMEM;
	group->told[group->count++] = (struct analysis_claim){
		.id = fact_text(texts, "id"),
		.by = fact_text(texts, "by"),
		.text = fact_text(texts, "text"),
		.url = fact_text(texts, "url"),
		.predicate = fact_text(texts, "predicate"),
		.at_ns = claim->at_ns,
		.verdict = fact_text(latest.json, "verdict"),
		.word = fact_text(latest.json, "word"),
		.confidence = fact_text(latest.json, "confidence"),
		.cap = fact_text(latest.json, "cap"),
		.reason = fact_text(latest.json, "reason"),
		.internal = !latest.approved,
	};
	return result;
}

/* Those that may be told first, else as they were added. */
static void put_approved_first(struct claims_group *group)
{
	struct analysis_claim ordered[CLAIMS_TOLD_MAX];
	size_t count = 0;

	for (unsigned internal = 0; internal < 2; internal++) {
		for (size_t i = 0; i < group->count; i++)
			if (group->told[i].internal == (internal == 1))
				ordered[count++] = group->told[i];
		if (!internal)
			group->approved = count;
	}
	memcpy(group->told, ordered, count * sizeof(ordered[0]));
}

static int load_group(struct books *books, struct claims_group *group)
{
	struct record_error error = { .message = "out of memory" };
	struct loading loading = { .books = books, .group = group, .error = &error };
	int result = -ENOMEM;

	group->told = calloc(CLAIMS_TOLD_MAX, sizeof(*group->told));
	group->owner = json_array();
	if (group->told && group->owner)
		result = ledger_claim_each(books->ledger, group->incident, take_claim, &loading, &error);
	if (result != 0)
		return books_refuse(books, result, &error);
	if (loading.left_out)
		say_error(books->command,
		          "of the claims about an incident the first %d are told; 'holdfast claim list' has all",
		          CLAIMS_TOLD_MAX);
	put_approved_first(group);
	return COMMAND_DONE;
}

int claims_load(const char *command, const char *config, const uint64_t *incidents, uint32_t count,
                struct claims *claims)
{
	struct books books;
	int status;

	*claims = (struct claims){ .count = 0 };
	status = books_open(&books, command, config, NULL, false);
	if (status != COMMAND_DONE)
		return status;
	for (uint32_t i = 0; i < count && i < INCIDENT_LIST_MAX && status == COMMAND_DONE; i++) {
		claims->groups[claims->count].incident = incidents[i];
		status = load_group(&books, &claims->groups[claims->count++]);
	}
	books_close(&books);
	if (status != COMMAND_DONE)
		claims_fini(claims);
	return status;
}

void claims_fini(struct claims *claims)
{
	for (uint32_t i = 0; i < claims->count; i++) {
		free(claims->groups[i].told);
		json_decref(claims->groups[i].owner);
	}
	claims->count = 0;
}

size_t claims_about(const struct claims *claims, uint64_t incident, const struct analysis_claim **told)
{
	for (uint32_t i = 0; i < claims->count; i++) {
		const struct claims_group *group = &claims->groups[i];

		if (group->incident != incident)
			continue;
		*told = group->told;
		return claims->all ? group->count : group->approved;
	}
	return 0;
}

size_t claims_of(const void *context, const struct finding *finding, const struct analysis_claim **told)
{
	return claims_about(context, finding->incident->id, told);
}

void claims_say_left_out(const char *command, const struct claims *claims)
{
	const struct analysis_claim *first = NULL;
	size_t count = 0;

	for (uint32_t i = 0; i < claims->count; i++) {
		const struct claims_group *group = &claims->groups[i];

		if (group->count > group->approved && !first)
			first = &group->told[group->approved];
		count += group->count - group->approved;
	}
	if (first)
		say_error(
			command,
			"%zu of the claims are left out of what others read: no second person has approved of telling "
			"%s; 'holdfast claim approve %s'",
			count, count == 1 ? "it" : "them", first->id);
}
