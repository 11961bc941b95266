/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast evidence: what is known of an incident as one file that anybody opens and nobody changes unseen
 * (record/bundle.h), with a signature beside it; and what becomes of such files when the time of keeping personal data
 * is over.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/time.h"
#include "cli/archived.h"
#include "cli/books.h"
#include "cli/command.h"
#include "cli/evidence.h"
#include "cli/evidence_inside.h"
#include "cli/exhibit.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"
#include "cli/tape.h"
#include "record/bundle.h"
#include "record/ledger.h"
#include "record/minisign.h"
#include "tell/build.h"

#define KEY_FILE "/evidence.key"
#define DAY_NS (86400 * NS_PER_S)

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "ID", OPTION_INTO(struct evidence_options, name), .too_many = "one at a time",
	  .help = "of 'holdfast incidents', as much of it as is needed; or latest. Without it: lists the bundles that were made" },
	{ .name = "write", .letter = 'o', .value = "BUNDLE", OPTION_INTO(struct evidence_options, out),
	  .help = "the bundle, a tar file; its signature is BUNDLE.minisig" },
	{ .name = "payload", OPTION_INTO(struct evidence_options, payload),
	  .help = "with what packets carried, and the stream from which all is told anew; else headers only" },
	{ .name = "capture", .value = "FILE", OPTION_INTO(struct evidence_options, capture),
	  .help = "a capture that has the incident's packets: they are taken from there, as they were on the wire" },
	{ .name = "tlp", .value = "LABEL", OPTION_INTO(struct evidence_options, tlp),
	  .help = "who may have it, by TLP 2.0: red, amber+strict (the standard), amber, green, clear" },
	{ .name = "key", .value = "FILE", OPTION_INTO(struct evidence_options, key),
	  .help = "minisign's secret key to sign with; else evidence.key in the state_dir, if it is there" },
	{ .name = "password-file", .value = "FILE", OPTION_INTO(struct evidence_options, password_file),
	  .help = "its first line is the key's password" },
	{ .name = "retain", .value = "TIME", OPTION_INTO(struct evidence_options, retain),
	  .minimum = 60 * NS_PER_S, .maximum = 3650 * DAY_NS,
	  .help = "when packets and addresses in it are to be erased; else record.evidence_days" },
	{ .name = "new-key", .value = "FILE", OPTION_INTO(struct evidence_options, new_key),
	  .help = "make a key: the secret one FILE, the public one FILE.pub" },
	{ .name = "erase", .value = "BUNDLE", OPTION_INTO(struct evidence_options, erase),
	  .help = "erase packets and addresses in it now; their sums stay, and the reason" },
	{ .name = "expire", OPTION_INTO(struct evidence_options, expire),
	  .help = "erase what has been kept long enough: in recorded bundles, and streams of incidents" },
	OPTION_JSON_ROW(struct evidence_options, "as JSON", "holdfast.evidence/1"),
	PLACE_CONFIG_ROW(struct evidence_options),
};
/* clang-format on */

static const struct option_table table = {
	.command = "evidence",
	.synopsis = "ID|latest -o BUNDLE [--payload] [--capture FILE] [--tlp LABEL] [--key FILE] [--retain TIME]\n"
		    "       holdfast evidence [--new-key FILE | --erase BUNDLE | --expire]",
	.purpose =
		"Puts what is known of a recorded incident into one file: packets, counters, decisions, rules, sources, the trace, claims\n"
		"and verdicts, each with its sum, chained and signed. 'holdfast verify' checks it anywhere, without this host. Nothing is\n"
		"sent.\n",
	.notes = "Exit status: 0 done, 1 there is no such incident, or it could not be written, 2 wrong usage.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast evidence latest -o incident.tar --key evidence.key\n",
	OPTION_ROWS(rows),
};

int evidence_refuse_memory(void)
{
	say_error("evidence", "out of memory; free some");
	return COMMAND_BAD;
}

static int refuse_record(const char *path, const struct record_error *error)
{
	say_error(path, "%s%s%s", error->message, error->advice[0] ? "; " : "", error->advice);
	return COMMAND_BAD;
}

void evidence_note(struct evidence_making *making, int result)
{
	if (result != 0 && making->failed == 0)
		making->failed = result;
}

/* ---- keys ---- */

static int make_key(const struct evidence_options *options)
{
	char text[MINISIGN_TEXT_SIZE], id[MINISIGN_ID_SIZE], *password, *public_path = NULL;
	struct minisign_public public;
	struct minisign_key *key;
	int status = keys_password(options->password_file, &password), result;

	if (status != COMMAND_DONE)
		return status;
	result = minisign_key_new(&key);
	if (result == 0) {
		minisign_key_public(key, &public);
		result = minisign_key_write(key, password, text);
		minisign_key_free(key);
	}
	if (result == 0 && asprintf(&public_path, "%s.pub", options->new_key) < 0)
		result = -ENOMEM;
	if (result == 0)
		result = keys_write_new(options->new_key, text, 0600);
	explicit_bzero(text, sizeof(text));
	if (result == 0) {
		minisign_public_write(&public, text);
		result = keys_write_new(public_path, text, 0644);
	}
	free(password);
	free(public_path);
	if (result != 0) {
		say_error(options->new_key, "cannot make a key there: %s; name another file", strerror(-result));
		return COMMAND_BAD;
	}
	(void)printf(
		"key %s: secret in %s, public in %s.pub; give the public one to whoever is to check, by a way of its "
		"own\n",
		minisign_id(public.id, id), options->new_key, options->new_key);
	return output_finish();
}

/* ---- the manifest ---- */

static json_t *packets_json(const struct evidence_making *making)
{
	const struct exhibit_facts *facts = exhibit_facts(making->exhibit);
	const struct evidence_options *options = making->options;
	json_t *json =
		json_pack("{s:s,s:b,s:b,s:I,s:I,s:I,s:I,s:I,s:I}", "from",
	                  options->capture              ? "capture"
	                  : making->archived.has_stream ? "stream"
	                                                : "none",
	                  "synthesised", making->synthesised, "payload", options->payload, "written",
	                  (json_int_t)facts->packets, "left_out", (json_int_t)facts->packets_left_out,
	                  "seconds_left_out", (json_int_t)facts->seconds_left_out, "addresses",
	                  (json_int_t)facts->sources, "addresses_packets_left_out", (json_int_t)facts->sources_left_out,
	                  "decisions_left_out", (json_int_t)facts->decisions_left_out);

	if (json && options->capture)
		(void)json_object_set_new(json, "capture",
		                          json_pack("{s:s,s:s}", "name", tape_name(options->capture), "sha256",
		                                    making->capture_sha256));
	return json;
}

/* The sum of what is running. */
static json_t *executable_json(void)
{
	char sum[BUNDLE_HEX_SIZE];
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	bool known = fd >= 0 && bundle_sum(fd, sum) == 0;

	if (fd >= 0)
		(void)close(fd);
	return known ? json_string(sum) : json_null();
}

static json_t *databases_json(const struct evidence_making *making)
{
	json_t *trace = making->trace ? json_loads(making->trace, JSON_REJECT_DUPLICATES, NULL) : NULL;
	json_t *databases = json_object_get(trace, "databases"),
	       *json = databases ? json_incref(databases) : json_array();

	json_decref(trace);
	return json;
}

static void describe(struct evidence_making *making)
{
	const struct archive_incident *head = &making->archived.head;
	char label[32], host_made[TIME_TEXT_SIZE];

	(void)snprintf(label, sizeof(label), "TLP:%s", making->options->tlp);
	for (char *at = label; *at; at++)
		*at = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
	(void)time_format((struct capture_time){ making->made_ns }, host_made);
	making->about =
		json_pack("{s:s,s:s,s:{s:s,s:o},s:o,s:{s:o,s:s,s:o,s:o,s:s,s:s,s:s},s:o,s:o}", "tlp", label, "made",
	                  host_made, "holdfast", "version", HOLDFAST_VERSION, "executable_sha256", executable_json(),
	                  "personal_data_until", build_time_or_null(making->until_ns), "incident", "id",
	                  build_incident(head->id), "state", archive_state_name(head->state), "began",
	                  build_time_or_null(head->began_ns), "ended", build_time_or_null(head->ended_ns), "target",
	                  head->target, "vector", head->vector, "service", head->service, "databases",
	                  databases_json(making), "packets", packets_json(making));
	if (!making->about)
		evidence_note(making, -ENOMEM);
}

/* ---- writing ---- */

static void add_file(struct evidence_making *making, struct bundle_making *bundle, enum bundle_segment segment,
                     FILE *file)
{
	struct stat status;

	bundle->segments[segment].fd = -1;
	if (!file)
		return;
	if (fflush(file) != 0 || fstat(fileno(file), &status) != 0) {
		evidence_note(making, -errno);
		return;
	}
	bundle->segments[segment].fd = fileno(file);
	bundle->segments[segment].octets = (uint64_t)status.st_size;
}

static FILE *segment_file(const struct evidence_making *making, enum bundle_segment segment)
{
	bool seen = making->archived.has_stream || making->options->capture;

	switch (segment) {
	case BUNDLE_PACKETS:
		return seen ? exhibit_packets(making->exhibit) : NULL;
	case BUNDLE_COUNTERS:
		return seen ? exhibit_counters(making->exhibit) : NULL;
	case BUNDLE_DECISIONS:
		return exhibit_decisions(making->exhibit);
	case BUNDLE_SOURCES:
		return exhibit_sources(making->exhibit);
	case BUNDLE_ANALYSIS:
	case BUNDLE_TRACE:
	case BUNDLE_CLAIMS:
	case BUNDLE_STATEMENTS:
	case BUNDLE_RULES:
	case BUNDLE_STREAM:
	case BUNDLE_SEGMENTS:
	default:
		return making->files[segment];
	}
}

static int write_bundle(struct evidence_making *making, char head[BUNDLE_HEX_SIZE])
{
	struct bundle_making bundle = { .about = making->about, .made_s = making->made_ns / NS_PER_S };
	struct output output;
	int result, closed;

	for (unsigned i = 0; i < BUNDLE_SEGMENTS; i++)
		add_file(making, &bundle, (enum bundle_segment)i, segment_file(making, (enum bundle_segment)i));
	if (making->failed != 0) {
		say_error("evidence", "what is known cannot be put together: %s",
		          making->failed == -E2BIG ? "more was published of it than a bundle takes"
		          : making->failed == -ENOSPC || making->failed == -EIO ? "is there room in /tmp?"
		                                                                : strerror(-making->failed));
		return COMMAND_BAD;
	}
	result = output_open(&output, making->options->out);
	if (result == 0) {
		result = bundle_write(&bundle, fileno(output.file), head);
		closed = output_close(&output, result != 0);
		result = result ? result : closed;
	}
	if (result == 0)
		return COMMAND_DONE;
	say_error(say_output(making->options->out), "cannot write the bundle: %s; name another file",
	          strerror(-result));
	return COMMAND_BAD;
}

/* BUNDLE.minisig; `id` is the key's. */
static int sign(const struct evidence_making *making, const struct minisign_key *key, const char *head,
                char id[MINISIGN_ID_SIZE])
{
	char comment[MINISIGN_COMMENT_SIZE], text[MINISIGN_TEXT_SIZE], made[TIME_TEXT_SIZE], *path = NULL;
	struct minisign_public public;
	uint8_t digest[MINISIGN_DIGEST];
	int fd = open(making->options->out, O_RDONLY | O_CLOEXEC), result = fd < 0 ? -errno : 0;

	if (result == 0)
		result = minisign_digest(fd, digest);
	if (fd >= 0)
		(void)close(fd);
	(void)snprintf(comment, sizeof(comment), BUNDLE_SCHEMA " head=%s incident=%016" PRIx64 " made=%s", head,
	               making->archived.head.id, time_format((struct capture_time){ making->made_ns }, made));
	if (result == 0)
		result = minisign_sign(key, digest, comment, text);
	if (result == 0 && asprintf(&path, "%s.minisig", making->options->out) < 0)
		result = -ENOMEM;
	if (result == 0)
		result = output_write(path, text);
	free(path);
	minisign_key_public(key, &public);
	(void)minisign_id(public.id, id);
	if (result == 0)
		return COMMAND_DONE;
	say_error(making->options->out, "the bundle is there, its signature is not: %s", strerror(-result));
	return COMMAND_BAD;
}

/* What was made is noted in the record, where there is one that may be written. */
static void record_bundle(const struct evidence_making *making, const char *head, const char *key_id)
{
	char sum[BUNDLE_HEX_SIZE], *path = realpath(making->options->out, NULL);
	struct ledger_evidence evidence = { .incident = making->archived.head.id,
		                            .made_ns = making->made_ns,
		                            .until_ns = making->until_ns,
		                            .path = path ? path : making->options->out,
		                            .head = head,
		                            .sha256 = sum,
		                            .key = key_id,
		                            .tlp = making->options->tlp };
	int fd = open(making->options->out, O_RDONLY | O_CLOEXEC);
	struct record_error error = { .message = "" };
	struct ledger *ledger = NULL;
	int result = fd >= 0 ? bundle_sum(fd, sum) : -errno;

	if (fd >= 0)
		(void)close(fd);
	if (result == 0)
		result = ledger_open(making->record, true, &ledger, &error);
	if (result == 0)
		result = ledger_evidence_add(ledger, &evidence, NULL, &error);
	if (result != 0)
		say_error(making->record,
		          "the bundle is there and is not noted in the record (%s): nothing erases it in time",
		          error.message[0] ? error.message : strerror(-result));
	ledger_close(ledger);
	free(path);
}

static int find_key(const struct evidence_making *making, struct minisign_key **key)
{
	char path[CONFIG_PATH_SIZE + sizeof(KEY_FILE)];

	*key = NULL;
	if (making->options->key)
		return keys_take(making->options->key, making->options->password_file, key);
	(void)snprintf(path, sizeof(path), "%s" KEY_FILE, making->archived.folder);
	if (access(path, R_OK) == 0)
		return keys_take(path, making->options->password_file, key);
	return COMMAND_DONE;
}

static int make_with_key(struct evidence_making *making, const struct minisign_key *key)
{
	char head[BUNDLE_HEX_SIZE], id[MINISIGN_ID_SIZE] = "";
	int status = evidence_take_analysis(making);

	if (status != COMMAND_DONE)
		return status;
	evidence_take_trace(making);
	evidence_take_claims(making);
	evidence_take_statements(making);
	evidence_take_rules(making);
	status = evidence_take_exhibit(making);
	if (status != COMMAND_DONE)
		return status;
	evidence_take_stream(making);
	describe(making);
	status = write_bundle(making, head);
	if (status == COMMAND_DONE && key)
		status = sign(making, key, head, id);
	if (status != COMMAND_DONE)
		return status;
	record_bundle(making, head, id);
	if (!key)
		say_error("evidence", "the bundle is not signed; 'holdfast evidence --new-key %s%s' makes a key for it",
		          making->archived.folder, KEY_FILE);
	(void)printf("%s: head %s, %s%s\n", making->options->out, head, key ? "signed by key " : "not signed", id);
	return output_finish();
}

static int open_ledger(struct evidence_making *making)
{
	struct record_error error;
	int result;

	if (snprintf(making->record, sizeof(making->record), "%s" LEDGER_FILE, making->archived.folder) >=
	    (int)sizeof(making->record))
		return COMMAND_DONE;
	result = ledger_open(making->record, false, &making->ledger, &error);
	if (result == 0 || result == -ENOENT)
		return COMMAND_DONE;
	return refuse_record(making->record, &error);
}

static int make_bundle(const struct evidence_options *options)
{
	struct evidence_making *making = calloc(1, sizeof(*making));
	struct minisign_key *key = NULL;
	int status;

	if (!making)
		return evidence_refuse_memory();
	making->options = options;
	making->made_ns = books_now();
	status = place_configuration("evidence", options->config, &making->config);
	if (status != COMMAND_DONE) {
		free(making);
		return status;
	}
	making->until_ns = options->retain.ns ? making->made_ns + options->retain.ns
	                   : making->config.evidence_days
	                           ? making->made_ns + (int64_t)making->config.evidence_days * DAY_NS
	                           : 0;
	status = archived_find("evidence", options->config, options->name, &making->archived);
	if (status == COMMAND_DONE)
		status = find_key(making, &key);
	if (status == COMMAND_DONE)
		status = open_ledger(making);
	output_watch_signals();
	if (status == COMMAND_DONE)
		status = make_with_key(making, key);
	minisign_key_free(key);
	ledger_close(making->ledger);
	exhibit_free(making->exhibit);
	for (unsigned i = 0; i < BUNDLE_SEGMENTS; i++)
		if (making->files[i])
			(void)fclose(making->files[i]);
	json_decref(making->about);
	json_decref(making->whole);
	free(making->trace);
	config_fini(&making->config);
	free(making);
	return status;
}

int evidence_command(int argc, char **argv)
{
	struct evidence_options options = { .tlp = "amber+strict" };
	unsigned ways;
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	ways = (options.name ? 1u : 0u) + (options.new_key ? 1u : 0u) + (options.erase ? 1u : 0u) +
	       (options.expire ? 1u : 0u);
	if (ways > 1)
		return options_refuse(&table, "an incident, --new-key, --erase and --expire are things apart");
	if (options.name && !options.out)
		return options_refuse(&table, "where is the bundle to be written: -o BUNDLE");
	if (options.name && strcmp(options.out, "-") == 0)
		return options_refuse(&table, "a bundle has a file, for its signature is beside it");
	if (options.out && !options.name)
		return options_refuse(&table, "of which incident: an ID, or latest");
	if (!bundle_tlp(options.tlp))
		return options_refuse(&table, "no label '%.20s'; TLP 2.0 has red, amber+strict, amber, green, clear",
		                      options.tlp);
	if (options.capture && strcmp(options.capture, "-") == 0)
		return options_refuse(&table, "the capture is read to the end twice: it has to be a file");
	if (options.new_key)
		return make_key(&options);
	if (options.name)
		return make_bundle(&options);
	if (options.erase)
		return evidence_erase(options.config, options.erase);
	return options.expire ? evidence_expire(options.config) : evidence_list(options.config, options.json);
}
