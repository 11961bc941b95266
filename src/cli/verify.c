/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast verify: whether a bundle is as it was made, who made it, and whether what it concludes follows from what it
 * holds. Offline, with nothing but the file, its signature and a public key. The first thing that differs is named.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/time.h"
#include "cli/command.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/recompute.h"
#include "cli/say.h"
#include "record/bundle.h"
#include "record/minisign.h"
#include "tell/facts.h"

struct options {
	const char *bundle, *public_key, *signature;
	bool json;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "BUNDLE", OPTION_INTO(struct options, bundle), .missing = "no bundle to verify", .too_many = "one at a time",
	  .help = "what 'holdfast evidence' wrote" },
	{ .name = "public-key", .value = "FILE", OPTION_INTO(struct options, public_key),
	  .help = "minisign's public key of whoever says that the bundle is theirs; without it nothing says who made it" },
	{ .name = "signature", .value = "FILE", OPTION_INTO(struct options, signature),
	  .help = "the signature; else BUNDLE.minisig" },
	OPTION_JSON_ROW(struct options, "as JSON", "holdfast.verification/1"),
};
/* clang-format on */

static const struct option_table table = {
	.command = "verify",
	.synopsis = "BUNDLE [--public-key FILE] [--signature FILE] [--json]",
	.purpose =
		"Checks an evidence bundle anywhere, without a daemon or a network: its signature, the chain of its segments, every\n"
		"octet; then computes its verdicts and numbers anew. Names the first thing that differs. What was erased when its time\n"
		"was over is said to be.\n",
	.notes = "Exit status: 0 all is as it was made, 1 something differs, or it is no bundle, 2 wrong usage.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast verify incident.tar --public-key evidence.key.pub\n",
	OPTION_ROWS(rows),
};

struct check {
	const struct options *options;
	struct bundle bundle;
	int fd;
	bool erased;
	/* Of the signature: */
	bool has_signature, checked, file_changed;
	char key[MINISIGN_ID_SIZE], comment[MINISIGN_COMMENT_SIZE];
	struct recomputed recomputed;
};

/* ---- the signature ---- */

/* -errno; -EFBIG where it is too long to be one. */
static int read_text(const char *path, char text[MINISIGN_TEXT_SIZE], size_t *length)
{
	FILE *file = fopen(path, "rbe");
	int result;

	if (!file)
		return -errno;
	*length = fread(text, 1, MINISIGN_TEXT_SIZE, file);
	result = ferror(file) ? -EIO : *length == MINISIGN_TEXT_SIZE ? -EFBIG : 0;
	(void)fclose(file);
	return result;
}

/* Whether the comment names the head that the bundle has. */
static bool names_head(const struct check *check)
{
	const char *at = strstr(check->comment, " head=");

	return at && strncmp(at + 6, check->bundle.head, BUNDLE_HEX_SIZE - 1) == 0 &&
	       (at[5 + BUNDLE_HEX_SIZE] == '\0' || at[5 + BUNDLE_HEX_SIZE] == ' ');
}

static int check_with(struct check *check, const char *path, const struct minisign_signature *signature,
                      const struct minisign_public *public)
{
	uint8_t digest[MINISIGN_DIGEST];
	char id[MINISIGN_ID_SIZE];
	int result = minisign_check_comment(public, signature);

	if (result == -ENOKEY) {
		say_error(path, "is of key %s, not of key %s", check->key, minisign_id(public->id, id));
		return COMMAND_BAD;
	}
	if (result != 0) {
		say_error(path, "its trusted comment is not that key's");
		return COMMAND_BAD;
	}
	if (!names_head(check)) {
		say_error(path, "signs another head than the bundle's, %s", check->bundle.head);
		return COMMAND_BAD;
	}
	result = minisign_digest(check->fd, digest);
	if (result == 0)
		result = minisign_check_file(public, signature, digest);
	/* The head stands for what was erased, too: its signature is as good as the file's was. */
	check->file_changed = result == -EKEYREJECTED && check->erased;
	if (result != 0 && !check->file_changed) {
		say_error(path, result == -EKEYREJECTED ? "is not of this file" : "cannot be checked: %s",
		          strerror(-result));
		return COMMAND_BAD;
	}
	check->checked = true;
	return COMMAND_DONE;
}

static int check_signature(struct check *check)
{
	const struct options *options = check->options;
	char text[MINISIGN_TEXT_SIZE], *made = NULL;
	struct minisign_signature signature;
	struct minisign_public public;
	const char *path = options->signature;
	size_t length = 0;
	int status = COMMAND_DONE, result;

	if (!path && asprintf(&made, "%s.minisig", options->bundle) < 0) {
		say_error("verify", "out of memory");
		return COMMAND_BAD;
	}
	path = path ? path : made;
	result = read_text(path, text, &length);
	if (result == -ENOENT && !options->signature && !options->public_key) {
		free(made);
		return COMMAND_DONE;
	}
	if (result == 0)
		result = minisign_signature_read(text, length, &signature);
	if (result != 0) {
		say_error(path, result == -EBADMSG || result == -EFBIG ? "is no signature of minisign's" : "%s",
		          strerror(-result));
		status = COMMAND_BAD;
	} else {
		check->has_signature = true;
		(void)minisign_id(signature.id, check->key);
		memcpy(check->comment, signature.comment, sizeof(check->comment));
		if (options->public_key)
			status = keys_public(options->public_key, &public);
		if (status == COMMAND_DONE && options->public_key)
			status = check_with(check, path, &signature, &public);
	}
	free(made);
	return status;
}

/* ---- telling ---- */

static const char *date(int64_t s, char text[TIME_TEXT_SIZE])
{
	(void)time_format((struct capture_time){ s > INT64_MAX / NS_PER_S ? INT64_MAX : s * NS_PER_S }, text);
	text[10] = '\0';
	return text;
}

static const char *signature_words(const struct check *check)
{
	return !check->has_signature ? "none: nothing says who made it"
	       : !check->checked     ? "there, and not checked: name the key with --public-key"
	       : check->file_changed ? "good for the head (what was erased is not in the file that was signed)"
	                             : "good";
}

static int tell(const struct check *check)
{
	const json_t *manifest = check->bundle.manifest, *incident = json_object_get(manifest, "incident");
	const struct recomputed *r = &check->recomputed;
	char text[TIME_TEXT_SIZE];

	(void)printf("%s  incident %s  made %s by holdfast %s\n", fact_text(manifest, "tlp"), fact_text(incident, "id"),
	             fact_text(manifest, "made"), fact_text(json_object_get(manifest, "holdfast"), "version"));
	(void)printf("whole: every octet is as head %s says\n", check->bundle.head);
	(void)printf("signature: %s%s%s\n", signature_words(check), check->has_signature ? "; key " : "", check->key);
	for (unsigned i = 0; i < BUNDLE_SEGMENTS; i++) {
		const struct bundle_part *part = &check->bundle.parts[i];

		if (part->state == BUNDLE_ERASED)
			(void)printf("%s: erased by policy, %s (%s)\n", bundle_segment_name((enum bundle_segment)i),
			             date(part->erased_s, text), part->erased_why);
	}
	(void)printf("verdicts: %u computed anew, all the same\n", r->verdicts);
	if (r->sentences)
		(void)printf("statements: %u published sentences, each as its evidence says\n", r->sentences);
	(void)printf("numbers: %u computed anew, all the same%s%s\n", r->numbers, r->note[0] ? "; " : "", r->note);
	return output_finish();
}

static int tell_json(const struct check *check)
{
	const struct recomputed *r = &check->recomputed;
	json_t *erased = json_array(), *whole;
	bool failed = false;

	for (unsigned i = 0; i < BUNDLE_SEGMENTS; i++) {
		const struct bundle_part *part = &check->bundle.parts[i];
		char text[TIME_TEXT_SIZE];

		if (part->state == BUNDLE_ERASED)
			failed |= json_array_append_new(erased, json_pack("{s:s,s:s,s:s}", "segment",
			                                                  bundle_segment_name((enum bundle_segment)i),
			                                                  "date", date(part->erased_s, text), "why",
			                                                  part->erased_why)) != 0;
	}
	whole = json_pack("{s:s,s:s,s:O,s:{s:b,s:b,s:b,s:s},s:o,s:{s:I,s:I,s:I,s:s}}", "schema",
	                  "holdfast.verification/1", "head", check->bundle.head, "manifest", check->bundle.manifest,
	                  "signature", "there", check->has_signature, "checked", check->checked, "of_head_only",
	                  check->file_changed, "key", check->key, "erased", erased, "computed_anew", "verdicts",
	                  (json_int_t)r->verdicts, "numbers", (json_int_t)r->numbers, "sentences",
	                  (json_int_t)r->sentences, "note", r->note);
	failed = failed || !whole || json_dumpf(whole, stdout, JSON_INDENT(1)) != 0 || putchar('\n') == EOF;
	json_decref(whole);
	if (!failed)
		return output_finish();
	say_error("standard output", "cannot be written");
	return COMMAND_BAD;
}

static int refuse(const char *path, const struct bundle_fault *fault)
{
	say_error(path, "%s%s%s (octet %" PRIu64 "): it is not as it was made", fault->member,
	          fault->member[0] ? ": " : "", fault->what, fault->offset);
	return COMMAND_BAD;
}

static int verify(struct check *check)
{
	const char *path = check->options->bundle;
	struct recompute_fault differs;
	struct bundle_fault fault;
	int result = bundle_read(check->fd, &check->bundle, &fault), status;

	if (result == -EBADMSG)
		return refuse(path, &fault);
	if (result != 0) {
		say_error(path, "cannot be read: %s", strerror(-result));
		return COMMAND_BAD;
	}
	for (unsigned i = 0; i < BUNDLE_SEGMENTS; i++)
		check->erased = check->erased || check->bundle.parts[i].state == BUNDLE_ERASED;
	status = check_signature(check);
	if (status == COMMAND_DONE) {
		result = recompute(&check->bundle, check->fd, &check->recomputed, &differs);
		if (result == -EBADMSG)
			say_error(path, "%s: %s", differs.member, differs.what);
		else if (result != 0)
			say_error(path, "cannot be computed anew: %s", strerror(-result));
		status = result ? COMMAND_BAD : check->options->json ? tell_json(check) : tell(check);
	}
	bundle_fini(&check->bundle);
	return status;
}

int verify_command(int argc, char **argv)
{
	struct options options = { .bundle = NULL };
	struct check check = { .options = &options };
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	check.fd = open(options.bundle, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (check.fd < 0) {
		say_error(options.bundle, "%s", strerror(errno));
		return COMMAND_BAD;
	}
	status = verify(&check);
	(void)close(check.fd);
	return status;
}
