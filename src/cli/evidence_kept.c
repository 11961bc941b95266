/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles that are kept: listed, erased from when somebody says so, and when their time is over. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/time.h"
#include "cli/archived.h"
#include "cli/books.h"
#include "cli/command.h"
#include "cli/evidence.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"
#include "detect/incident_id.h"
#include "record/archive.h"
#include "record/bundle.h"
#include "record/expiry.h"
#include "record/ledger.h"
#include "tell/build.h"

#define DAY_NS (86400 * NS_PER_S)

struct kept {
	char folder[CONFIG_PATH_SIZE]; /* state_dir */
	char record[RECORD_PATH_SIZE];
	int64_t now_ns;
	uint32_t days;
	struct ledger *ledger;
	bool json;
	json_t *list;
};

static int begin(struct kept *kept, const char *config, bool write)
{
	struct config configuration;
	struct record_error error;
	int status = place_configuration("evidence", config, &configuration), result;

	if (status != COMMAND_DONE)
		return status;
	*kept = (struct kept){ .now_ns = books_now(), .days = configuration.evidence_days };
	(void)snprintf(kept->folder, sizeof(kept->folder), "%s", configuration.state_dir);
	config_fini(&configuration);
	if (snprintf(kept->record, sizeof(kept->record), "%s" LEDGER_FILE, kept->folder) >= (int)sizeof(kept->record))
		kept->record[0] = '\0';
	result = ledger_open(kept->record, write, &kept->ledger, &error);
	if (result == 0)
		return COMMAND_DONE;
	say_error(kept->record, "%s%s%s", error.message, error.advice[0] ? "; " : "", error.advice);
	return COMMAND_BAD;
}

static void end(struct kept *kept)
{
	ledger_close(kept->ledger);
	json_decref(kept->list);
}

static int refuse_record(const struct kept *kept, const struct record_error *error)
{
	say_error(kept->record, "%s%s%s", error->message, error->advice[0] ? "; " : "", error->advice);
	return COMMAND_BAD;
}

/* ---- listing ---- */

static int list_one(void *context, const struct ledger_evidence *evidence)
{
	struct kept *kept = context;
	char made[TIME_TEXT_SIZE], until[TIME_TEXT_SIZE], incident[INCIDENT_ID_SIZE];

	incident_id_format(evidence->incident, incident);
	if (kept->json)
		return json_array_append_new(
			kept->list,
			json_pack("{s:s,s:s,s:o,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:s}", "id", evidence->id, "incident",
		                  incident, "made", build_time_or_null(evidence->made_ns), "path", evidence->path,
		                  "head", evidence->head, "sha256", evidence->sha256, "key", evidence->key, "tlp",
		                  evidence->tlp, "personal_data_until", build_time_or_null(evidence->until_ns),
		                  "erased", build_time_or_null(evidence->erased_ns), "erased_why",
		                  evidence->erased_why));
	(void)time_format((struct capture_time){ evidence->made_ns }, made);
	(void)time_format((struct capture_time){ evidence->erased_ns ? evidence->erased_ns : evidence->until_ns },
	                  until);
	(void)printf("%-4s %.8s  %.16s  %-17s %s%.10s  %s\n", evidence->id, incident, made,
	             evidence->key[0] ? evidence->key : "not signed",
	             evidence->erased_ns  ? "erased "
	             : evidence->until_ns ? "until "
	                                  : "kept",
	             evidence->erased_ns || evidence->until_ns ? until : "", evidence->path);
	return 0;
}

int evidence_list(const char *config, bool json)
{
	struct kept kept;
	struct record_error error = { .message = "out of memory" };
	int status = begin(&kept, config, false), result;

	if (status != COMMAND_DONE)
		return status;
	kept.json = json;
	kept.list = json_array();
	result = ledger_evidence_each(kept.ledger, 0, list_one, &kept, &error);
	if (result != 0)
		status = refuse_record(&kept, &error);
	else
		status = json ? order_print_json("holdfast.evidence/1", json_pack("{s:O}", "bundles", kept.list))
		              : output_finish();
	end(&kept);
	return status;
}

/* ---- erasing ---- */

static void say_refused(void *context, const char *path, int result, const struct bundle_fault *fault)
{
	(void)context;
	if (result == -EBADMSG)
		say_error(path, "%s%s%s at octet %" PRIu64 "; nothing is erased in what is no whole bundle",
		          fault->member, fault->member[0] ? ": " : "", fault->what, fault->offset);
	else
		say_error(path, "cannot be erased: %s", strerror(-result));
}

/* Of a bundle from elsewhere, and without a record, the file is all there is to change, and that is said. */
int evidence_erase(const char *config, const char *bundle)
{
	struct kept kept = { .ledger = NULL };
	struct record_error error = { .message = "" };
	struct expiry expiry = { .why = "asked for", .refused = say_refused };
	char *path = realpath(bundle, NULL);
	int status;

	if (!path) {
		say_error(bundle, "%s; name a bundle", strerror(errno));
		return COMMAND_BAD;
	}
	status = begin(&kept, config, true);
	if (status != COMMAND_DONE)
		kept.now_ns = books_now();
	expiry.now_ns = kept.now_ns;
	expiry.wanted = path;
	status = expiry_run(kept.ledger, &expiry, &error) == 0 ? COMMAND_DONE : refuse_record(&kept, &error);
	if (expiry.failed)
		status = COMMAND_BAD;
	if (status == COMMAND_DONE)
		(void)printf("%s: packets, addresses and decisions are erased; their sums stay\n", bundle);
	if (status == COMMAND_DONE && expiry.rows == 0)
		say_error(bundle,
		          "no bundle at that path is on record here as one that was not erased yet: the erasure stands "
		          "in the bundle alone");
	end(&kept);
	free(path);
	return status == COMMAND_DONE ? output_finish() : status;
}

int evidence_expire(const char *config)
{
	struct kept kept;
	struct record_error error = { .message = "" };
	struct expiry expiry = { .why = EXPIRY_KEPT, .refused = say_refused };
	int status = begin(&kept, config, true), streams = 0;

	if (status != COMMAND_DONE)
		return status;
	expiry.now_ns = kept.now_ns;
	if (expiry_run(kept.ledger, &expiry, &error) != 0)
		status = refuse_record(&kept, &error);
	if (status == COMMAND_DONE && expiry.failed)
		status = COMMAND_BAD;
	if (kept.days)
		streams = archive_expire(kept.folder, kept.now_ns - (int64_t)kept.days * DAY_NS);
	if (streams < 0 && streams != -ENOENT)
		status = archived_refuse(kept.folder, streams);
	(void)printf("%u bundles and %d streams erased\n", expiry.erased, streams > 0 ? streams : 0);
	if (expiry.missing)
		(void)printf("%u bundles were no longer where they had been written\n", expiry.missing);
	end(&kept);
	return status == COMMAND_DONE ? output_finish() : status;
}
