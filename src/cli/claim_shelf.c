/* SPDX-License-Identifier: Apache-2.0 */
/* Claims on record, kept beyond the call in which the ledger gives them (claim_inside.h). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cli/archived.h"
#include "cli/claim_inside.h"
#include "detect/incident_id.h"
#include "tell/build.h"

#define ROOM_FIRST 16

json_t *claim_shelf_json(const struct ledger_claim *claim)
{
	char at[TIME_TEXT_SIZE], added[TIME_TEXT_SIZE], id[INCIDENT_ID_SIZE];

	incident_id_format(claim->incident, id);
	return json_pack("{ss ss so ss? so so ss ss so}", "id", claim->id, "incident", id, "by",
	                 build_text(claim->by, LEDGER_TEXT_MAX), "at",
	                 claim->at_ns ? time_format((struct capture_time){ claim->at_ns }, at) : NULL, "url",
	                 build_text(claim->url, LEDGER_TEXT_MAX), "text", build_text(claim->text, LEDGER_TEXT_MAX),
	                 "predicate", claim->predicate, "added",
	                 time_format((struct capture_time){ claim->added_ns }, added), "added_by",
	                 build_text(claim->added_by, LEDGER_TEXT_MAX));
}

static void kept_free(struct kept *kept)
{
	for (size_t i = 0; i < sizeof(kept->texts) / sizeof(kept->texts[0]); i++)
		free(kept->texts[i]);
}

static int keep(struct kept *kept, const struct ledger_claim *claim)
{
	const char **const texts[] = { &kept->claim.by, &kept->claim.url, &kept->claim.text, &kept->claim.predicate,
		                       &kept->claim.added_by };

	kept->claim = *claim;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		kept->texts[i] = strdup(*texts[i]);
		if (!kept->texts[i]) {
			kept_free(kept);
			return -ENOMEM;
		}
		*texts[i] = kept->texts[i];
	}
	return 0;
}

static bool begins_so(uint64_t id, const char *name)
{
	char text[INCIDENT_ID_SIZE];

	incident_id_format(id, text);
	return *name && strncmp(text, name, strlen(name)) == 0;
}

static int shelve(void *context, const struct ledger_claim *claim)
{
	struct claim_shelf *shelf = context;
	int result;

	if (shelf->name && !begins_so(claim->incident, shelf->name))
		return 0;
	if (shelf->count == shelf->room) {
		size_t room = shelf->room ? 2 * shelf->room : ROOM_FIRST;
		struct kept *claims = realloc(shelf->claims, room * sizeof(*claims));

		if (!claims)
			return -ENOMEM;
		memset(claims + shelf->room, 0, (room - shelf->room) * sizeof(*claims));
		shelf->claims = claims;
		shelf->room = room;
	}
	result = keep(&shelf->claims[shelf->count], claim);
	shelf->count += result == 0;
	return result;
}

void claim_shelf_free(struct claim_shelf *shelf)
{
	for (size_t i = 0; i < shelf->count; i++)
		kept_free(&shelf->claims[i]);
	free(shelf->claims);
}

/* "latest" becomes an ID. */
int claim_resolve(const struct claim_options *options, const char **name, char id[INCIDENT_ID_SIZE])
{
	struct archived archived;
	int status;

	if (!*name || strcmp(*name, "latest") != 0 || options->report)
		return COMMAND_DONE;
	status = archived_find("claim", options->config, *name, &archived);
	if (status == COMMAND_DONE) {
		incident_id_format(archived.head.id, id);
		*name = id;
	}
	return status;
}

int claim_shelf_find(struct books *books, const char *name, struct claim_shelf *shelf)
{
	struct record_error error = { .message = "" };
	int result;

	*shelf = (struct claim_shelf){ .name = NULL };
	if (name && name[0] == 'c' && name[1] >= '0' && name[1] <= '9' && strlen(name) < INCIDENT_ID_SIZE - 1) {
		result = ledger_claim_find(books->ledger, name, shelve, shelf, &error);
		/* An incident's ID may look like that, too. */
		if (result != -ENOENT)
			return result == 0 ? COMMAND_DONE : books_refuse(books, result, &error);
	}
	shelf->name = name;
	result = ledger_claim_each(books->ledger, 0, shelve, shelf, &error);
	return result == 0 ? COMMAND_DONE : books_refuse(books, result, &error);
}
