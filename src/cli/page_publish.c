/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page is put in place whole: all files are written into a folder beside the one that is wanted, with SHA256SUMS and
 * its signature, synced, and the two folders change their names in one step of the kernel's (RENAME_EXCHANGE). Who
 * reads finds the old page or the new one, and a crash leaves one of the two. What was there before is then removed:
 * only a folder that holds nothing but a page of ours is ever replaced.
 *
 * A folder rather than file by file, because a page is one thing: its signature is of all files together, and a reader
 * who gets the new index with the old history would find the sum wrong.
 *
 * To other hosts it goes from there (page_copy.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/digest.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/keys.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/page.h"
#include "cli/page_copy.h"
#include "cli/page_folder.h"
#include "cli/place.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "daemon/page_settings.h"
#include "record/page.h"
#include "tell/build.h"
#include "tell/words.h"

#define KEY_FILE "/page.key"

/* Everything that publishing needs, found before anything is written. */
struct publishing {
	const struct page_options *options;
	struct config config;
	struct books books;
	struct page *page;
	struct minisign_key *key;                                     /* NULL: not signed */
	char public_text[MINISIGN_TEXT_SIZE];                         /* of it, the second line: base64 */
	char out[PAGE_FOLDER_PATH_SIZE], made[PAGE_FOLDER_PATH_SIZE]; /* where to, and beside it */
	FILE *sums;
	char *sums_text;
	size_t sums_length;
	unsigned files;
	uint64_t octets;
};

/* ---- what stands ---- */

static int gather(struct publishing *p)
{
	struct page_settings_kept kept;
	struct record_error error = { .message = "" };
	int status = books_open(&p->books, "page", p->options->config, p->options->record, false), result;

	if (status != COMMAND_DONE)
		return status;
	result = page_gather(p->books.ledger, page_settings_of(&p->config, p->public_text, &kept),
	                     books_now() / NS_PER_US * NS_PER_US, &p->page, &error);
	if (result != 0)
		status = books_refuse(&p->books, result, &error);
	books_close(&p->books);
	return status;
}

static int find_key(struct publishing *p)
{
	char path[CONFIG_PATH_SIZE + sizeof(KEY_FILE)], *line;
	const char *file = p->options->key ? p->options->key : p->config.page.key_file;
	struct minisign_public public;
	int status;

	if (!*file) {
		(void)snprintf(path, sizeof(path), "%s" KEY_FILE, p->config.state_dir);
		if (access(path, R_OK) != 0)
			return COMMAND_DONE;
		file = path;
	}
	status = keys_take(file, p->options->password_file, &p->key);
	if (status != COMMAND_DONE)
		return status;
	minisign_key_public(p->key, &public);
	minisign_public_write(&public, p->public_text);
	line = strchr(p->public_text, '\n');
	if (line)
		memmove(p->public_text, line + 1, strlen(line + 1) + 1);
	p->public_text[strcspn(p->public_text, "\n")] = '\0';
	return COMMAND_DONE;
}

static void end(struct publishing *p)
{
	page_free(p->page);
	minisign_key_free(p->key);
	config_fini(&p->config);
	if (p->sums)
		(void)fclose(p->sums);
	free(p->sums_text);
}

static int begin(struct publishing *p, const struct page_options *options)
{
	int status;

	*p = (struct publishing){ .options = options };
	status = place_configuration("page", options->config, &p->config);
	if (status != COMMAND_DONE)
		return status;
	status = find_key(p);
	if (status == COMMAND_DONE)
		status = gather(p);
	if (status != COMMAND_DONE)
		end(p);
	return status;
}

/* ---- files ---- */

static int write_file(const struct publishing *p, const char *name, const char *octets, size_t length)
{
	char path[PAGE_FOLDER_PATH_SIZE];
	int fd, result;

	if (snprintf(path, sizeof(path), "%s/%s", p->made, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	result = file_make_parents(path, 0755);
	if (result != 0)
		return result;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	result = file_write(fd, octets, length);
	/* Whatever the umask: it is for all to read. */
	if (result == 0 && (fchmod(fd, 0644) != 0 || fsync(fd) != 0))
		result = -errno;
	(void)close(fd);
	return result;
}

static int put_file(void *context, const char *path, const char *type, const char *octets, size_t length)
{
	struct publishing *p = context;
	char sum[DIGEST_SHA256_TEXT_SIZE];
	int result = write_file(p, path, octets, length);

	(void)type; /* the server finds it by the name */
	digest_sha256_text(octets, length, sum);
	(void)fprintf(p->sums, "%s  %s\n", sum, path);
	p->files++;
	p->octets += length;
	return result;
}

static int sign(const struct publishing *p)
{
	char comment[MINISIGN_COMMENT_SIZE], text[MINISIGN_TEXT_SIZE], made[TIME_TEXT_SIZE], until[TIME_TEXT_SIZE],
		path[PAGE_FOLDER_PATH_SIZE];
	const struct status_page *status = page_status(p->page);
	uint8_t digest[MINISIGN_DIGEST];
	int fd, result;

	(void)snprintf(path, sizeof(path), "%.*s/" PAGE_FOLDER_SUMS, PAGE_FOLDER_OUT_MAX + 7, p->made);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	result = minisign_digest(fd, digest);
	(void)close(fd);
	(void)snprintf(comment, sizeof(comment), "holdfast.page/1 generated_at=%s stale_after=%s",
	               time_format((struct capture_time){ status->generated_ns }, made),
	               time_format((struct capture_time){ status->stale_ns }, until));
	if (result == 0)
		result = minisign_sign(p->key, digest, comment, text);
	return result == 0 ? write_file(p, PAGE_FOLDER_SIGNATURE, text, strlen(text)) : result;
}

static int write_all(struct publishing *p)
{
	int result;

	p->sums = open_memstream(&p->sums_text, &p->sums_length);
	if (!p->sums)
		return -ENOMEM;
	result = status_files(page_status(p->page), put_file, p);
	if (fclose(p->sums) != 0 && result == 0)
		result = -ENOMEM;
	p->sums = NULL;
	if (result == 0)
		result = write_file(p, PAGE_FOLDER_SUMS, p->sums_text, p->sums_length);
	if (result == 0 && p->key)
		result = sign(p);
	return result == 0 ? file_sync_folder(p->made) : result;
}

/* ---- in its place ---- */

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path) == 0 ? 0 : -1;
}

static void remove_folder(const char *path)
{
	(void)nftw(path, remove_one, PAGE_FOLDER_OPEN_MAX, FTW_DEPTH | FTW_PHYS);
}

/* That nothing but an earlier page, or nothing at all, is where it shall be. */
static int check_place(const char *out, bool *there)
{
	char stranger[PAGE_FOLDER_PATH_SIZE], *sums = NULL;
	int result;

	*there = access(out, F_OK) == 0;
	if (!*there)
		return COMMAND_DONE;
	if (rmdir(out) == 0) {
		*there = false;
		return COMMAND_DONE;
	}
	result = page_folder_sums(out, &sums);
	if (result == -ENOENT || result == -ENOTDIR || result == -EFBIG) {
		say_error(
			out,
			"holds other things than a page of holdfast's, which it would replace; name a folder of its own");
		return COMMAND_BAD;
	}
	if (result != 0) {
		say_error(out, "what is there cannot be read: %s", strerror(-result));
		return COMMAND_BAD;
	}
	result = page_folder_look(out, sums, stranger);
	free(sums);
	if (result == 0)
		return COMMAND_DONE;
	say_error(out, "holds %s, which is of no page; it would be lost: move it away",
	          result == -EEXIST ? stranger : "something that cannot be read");
	return COMMAND_BAD;
}

static int put_in_place(const struct publishing *p, bool there)
{
	if (renameat2(AT_FDCWD, p->made, AT_FDCWD, p->out, there ? RENAME_EXCHANGE : RENAME_NOREPLACE) != 0)
		return -errno;
	(void)file_sync_folder_of(p->out);
	if (there)
		remove_folder(p->made); /* which is the old one now */
	return 0;
}

static int publish_to(struct publishing *p)
{
	bool there;
	int status, result;

	(void)snprintf(p->made, sizeof(p->made), "%.*s.XXXXXX", PAGE_FOLDER_OUT_MAX, p->out);
	status = check_place(p->out, &there);
	if (status != COMMAND_DONE)
		return status;
	if (!mkdtemp(p->made)) {
		say_error(p->out, "cannot write beside it: %s; its parent has to be there and yours", strerror(errno));
		return COMMAND_BAD;
	}
	result = chmod(p->made, 0755) == 0 ? write_all(p) : -errno;
	if (result == 0)
		result = put_in_place(p, there);
	if (result == 0)
		return COMMAND_DONE;
	remove_folder(p->made);
	say_error(p->out,
	          result == -EBUSY || result == -EXDEV || result == -EINVAL
	                  ? "cannot be exchanged in one step (%s); name a folder that is no mount point"
	                  : "cannot be published: %s; what was there before stands",
	          strerror(-result));
	return COMMAND_BAD;
}

int page_publish(const struct page_options *options)
{
	struct publishing p;
	char until[WORDS_SIZE];
	const char *out;
	int status = page_copy_check(options);

	if (status == COMMAND_DONE)
		status = begin(&p, options);
	if (status != COMMAND_DONE)
		return status;
	out = options->out ? options->out : p.config.page.directory;
	status = *out ? page_folder_name(out, p.out)
	              : options_refuse(&page_table, "where to? -o DIR says it, or page.directory of the configuration");
	if (status == COMMAND_DONE)
		status = publish_to(&p);
	if (status == COMMAND_DONE) {
		(void)printf("%s: %u files%s, holds until %s UTC\n", p.out, p.files,
		             p.key ? ", signed" : ", not signed",
		             words_date_time((struct capture_time){ page_status(p.page)->stale_ns }, until));
		(void)fflush(stdout);
		status = page_copy(options, &p.config.page, p.out);
	}
	end(&p);
	return status == COMMAND_DONE ? output_finish() : status;
}

/* ---- show ---- */

static json_t *show_json(const struct status_page *page)
{
	json_t *components = json_array(), *incidents = json_array();
	char made[TIME_TEXT_SIZE], until[TIME_TEXT_SIZE];

	for (uint32_t i = 0; i < page->components_count; i++)
		(void)json_array_append_new(
			components,
			json_pack("{ss ss sb}", "id", page->components[i].id, "status",
		                  component_status_name(status_of(page, &page->components[i], page->generated_ns)),
		                  "shown", page->components[i].showcase));
	for (uint32_t i = 0; i < page->incidents_count; i++) {
		const struct status_incident *one = &page->incidents[i];

		(void)json_array_append_new(incidents,
		                            json_pack("{ss so so sb sb si}", "id", one->id, "name",
		                                      build_text(one->name[LANGUAGE_EN], STATUS_TEXT_MAX), "name_fr",
		                                      build_text(one->name[LANGUAGE_FR], STATUS_TEXT_MAX), "open",
		                                      status_is_open(one), "planned", status_is_planned(one), "updates",
		                                      (int)one->updates_count));
	}
	return json_pack("{ss ss ss so so}", "generated_at",
	                 time_format((struct capture_time){ page->generated_ns }, made), "stale_after",
	                 time_format((struct capture_time){ page->stale_ns }, until), "url", page->url, "components",
	                 components, "incidents", incidents);
}

static void show_lines(const struct status_page *page)
{
	struct paper paper = screen_paper(0, false);
	unsigned open = 0;

	for (uint32_t i = 0; i < page->components_count; i++) {
		const struct status_component *one = &page->components[i];
		enum component_status status = status_of(page, one, page->generated_ns);
		struct draft d = { .length = 0 };

		draft_add(&d, "%s%-16s" PLAIN " %s%s", status == COMPONENT_OPERATIONAL ? GREEN : RED, one->id,
		          component_status_name(status),
		          one->is_group   ? " (group)"
		          : one->showcase ? ""
		                          : " (hidden)");
		paper_line(&paper, 0, d.text);
	}
	if (page->components_count == 0)
		paper_line(&paper, 0, "no components; 'holdfast page component add' puts one on the page");
	for (uint32_t i = 0; i < page->incidents_count; i++) {
		const struct status_incident *one = &page->incidents[i];
		struct draft d = { .length = 0 };

		if (!status_is_open(one))
			continue;
		open++;
		draft_add(&d, BOLD "%-5s" PLAIN " %s, %u %s", one->id,
		          one->name[LANGUAGE_EN][0] ? one->name[LANGUAGE_EN] : one->name[LANGUAGE_FR],
		          (unsigned)one->updates_count, one->updates_count == 1 ? "update" : "updates");
		paper_line(&paper, 0, d.text);
	}
	if (!open)
		paper_line(&paper, 0, "nothing is open");
}

int page_show(const struct page_options *options)
{
	struct publishing p;
	int status = begin(&p, options);

	if (status != COMMAND_DONE)
		return status;
	if (options->json) {
		status = order_print_json("holdfast.page/1", show_json(page_status(p.page)));
	} else {
		show_lines(page_status(p.page));
		status = output_finish();
	}
	end(&p);
	return status;
}
