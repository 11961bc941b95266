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
 * To other hosts it goes by rsync over ssh, run as a child with a list of arguments that a table below has, no shell
 * between and a limit on its time. There --delay-updates puts all files in place at the end.
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
#include "cli/place.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "daemon/child.h"
#include "daemon/page_settings.h"
#include "record/page.h"
#include "tell/build.h"
#include "tell/words.h"

#define KEY_FILE "/page.key"
#define SUMS "SHA256SUMS"
#define SIGNATURE SUMS ".minisig"
#define RSYNC_NS (120 * NS_PER_S)
#define RSYNC_SILENT "--timeout=30" /* seconds without an octet */
#define PATH_SIZE 512
#define FILE_MAX (64u << 20) /* octets of a file that is checked */
#define SUMS_MAX (1u << 20)  /* the same of SHA256SUMS */
#define FILES_OPEN 16        /* that walking a folder takes */

/* Everything that publishing needs, found before anything is written. */
struct publishing {
	const struct page_options *options;
	struct config config;
	struct books books;
	struct page *page;
	struct minisign_key *key;             /* NULL: not signed */
	char public_text[MINISIGN_TEXT_SIZE]; /* of it, the second line: base64 */
	char out[PATH_SIZE], made[PATH_SIZE]; /* where to, and beside it */
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

static int make_folders(const char *path)
{
	char folder[PATH_SIZE];

	(void)snprintf(folder, sizeof(folder), "%s", path);
	for (char *at = folder + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(folder, 0755) != 0 && errno != EEXIST)
			return -errno;
		*at = '/';
	}
	return 0;
}

static int write_file(const struct publishing *p, const char *name, const char *octets, size_t length)
{
	char path[PATH_SIZE];
	int fd, result;

	if (snprintf(path, sizeof(path), "%s/%s", p->made, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	result = make_folders(path);
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
		path[PATH_SIZE];
	const struct status_page *status = page_status(p->page);
	uint8_t digest[MINISIGN_DIGEST];
	int fd, result;

	(void)snprintf(path, sizeof(path), "%.*s/" SUMS, PATH_SIZE - 16, p->made);
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
	return result == 0 ? write_file(p, SIGNATURE, text, strlen(text)) : result;
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
		result = write_file(p, SUMS, p->sums_text, p->sums_length);
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
	(void)nftw(path, remove_one, FILES_OPEN, FTW_DEPTH | FTW_PHYS);
}

/* What is being looked at, for nftw() hands no context on; one folder at a time. */
static struct {
	const char *sums;
	size_t skip;
	char stranger[PATH_SIZE];
} looked;

static bool is_listed(const char *sums, const char *name)
{
	size_t length = strlen(name);

	if (strcmp(name, SUMS) == 0 || strcmp(name, SIGNATURE) == 0)
		return true;
	for (const char *line = sums; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t here = strcspn(line, "\n");

		if (here == length + DIGEST_SHA256_TEXT_SIZE + 1 && strncmp(line + here - length, name, length) == 0)
			return true;
	}
	return false;
}

static int look_at(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)place;
	if (kind == FTW_D || (kind == FTW_F && is_listed(looked.sums, path + looked.skip)))
		return 0;
	(void)snprintf(looked.stranger, sizeof(looked.stranger), "%s", path);
	return 1;
}

/* SHA256SUMS of a folder; the caller frees it. */
static int read_sums(const char *folder, char **text)
{
	char path[PATH_SIZE];
	struct stat status;
	int fd, result;

	if (snprintf(path, sizeof(path), "%s/" SUMS, folder) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	result = fstat(fd, &status) == 0 ? 0 : -errno;
	if (result == 0 && (!S_ISREG(status.st_mode) || status.st_size > SUMS_MAX))
		result = -EFBIG;
	*text = result == 0 ? calloc(1, (size_t)status.st_size + 1) : NULL;
	if (result == 0)
		result = *text ? file_read_at(fd, *text, (size_t)status.st_size, 0) : -ENOMEM;
	(void)close(fd);
	if (result != 0) {
		free(*text);
		*text = NULL;
	}
	return result;
}

/* That nothing but an earlier page, or nothing at all, is where it shall be. */
static int check_place(const char *out, bool *there)
{
	char *sums = NULL;
	int result;

	*there = access(out, F_OK) == 0;
	if (!*there)
		return COMMAND_DONE;
	if (rmdir(out) == 0) {
		*there = false;
		return COMMAND_DONE;
	}
	result = read_sums(out, &sums);
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
	looked.sums = sums;
	looked.skip = strlen(out) + 1;
	looked.stranger[0] = '\0';
	result = nftw(out, look_at, FILES_OPEN, FTW_PHYS);
	free(sums);
	if (result == 0)
		return COMMAND_DONE;
	say_error(out, "holds %s, which is of no page; it would be lost: move it away",
	          looked.stranger[0] ? looked.stranger : "something");
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
	size_t length = strlen(p->out);

	while (length > 1 && p->out[length - 1] == '/')
		p->out[--length] = '\0';
	if (snprintf(p->made, sizeof(p->made), "%.*s.XXXXXX", PATH_SIZE - 128, p->out) >= PATH_SIZE - 120) {
		say_error("page", "the path of the folder is too long; give a shorter one");
		return COMMAND_BAD;
	}
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

/* ---- to other hosts ---- */

static int copy_to(const struct publishing *p, const struct config_page_target *target)
{
	char ssh[PATH_SIZE * 2], from[PATH_SIZE], said[CHILD_SAID_SIZE];
	const char *const arguments[] = { "rsync",
		                          "--recursive",
		                          "--times",
		                          "--checksum",
		                          "--delay-updates",
		                          "--chmod=D755,F644",
		                          RSYNC_SILENT,
		                          "--rsh",
		                          ssh,
		                          "--",
		                          from,
		                          target->rsync,
		                          NULL };
	int length = snprintf(
		ssh, sizeof(ssh),
		"ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10 -o ServerAliveInterval=10 "
		"-o ForwardAgent=no -o ForwardX11=no -p %u",
		(unsigned)target->ssh_port);
	int result;

	if (target->ssh_key[0])
		length += snprintf(ssh + length, sizeof(ssh) - (size_t)length, " -o IdentitiesOnly=yes -i %s",
		                   target->ssh_key);
	if (target->known_hosts[0])
		(void)snprintf(ssh + length, sizeof(ssh) - (size_t)length, " -o UserKnownHostsFile=%s",
		               target->known_hosts);
	(void)snprintf(from, sizeof(from), "%.*s/", PATH_SIZE - 2, p->out);
	result = child_run(arguments, NULL, 0, RSYNC_NS, said);
	switch (-result) {
	case 0:
		(void)printf("copied to %s\n", target->rsync);
		return COMMAND_DONE;
	case ENOENT:
		say_error(target->rsync, "there is no rsync here; install it");
		break;
	case ETIME:
		say_error(target->rsync, "rsync took longer than %lld s and was ended; what is there stands",
		          (long long)(RSYNC_NS / NS_PER_S));
		break;
	default:
		say_error(target->rsync, "rsync could not copy it: %s; what is there stands",
		          *said ? said : strerror(-result));
	}
	return COMMAND_BAD;
}

/* rsync takes the command of ssh apart at spaces, and a shell's signs mean something to it. */
static bool is_plain_path(const char *path)
{
	return strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") == strlen(path) &&
	       strlen(path) < CONFIG_PATH_SIZE && path[0] != '-';
}

static int take_target(const struct page_options *options, struct config_page_target *target)
{
	const char *const files[] = { options->ssh_key ? options->ssh_key : "",
		                      options->known_hosts ? options->known_hosts : "" };

	if (!config_rsync_is_good(options->rsync) || strlen(options->rsync) >= sizeof(target->rsync))
		return options_refuse(&page_table,
		                      "--rsync wants user@host:/path, of letters, digits, '.', '_' and '-'");
	if (!is_plain_path(files[0]) || !is_plain_path(files[1]))
		return options_refuse(&page_table,
		                      "paths of --ssh-key and --known-hosts want letters, digits and ._-/ only");
	*target = (struct config_page_target){ .ssh_port = (uint32_t)options->ssh_port };
	(void)snprintf(target->rsync, sizeof(target->rsync), "%s", options->rsync);
	(void)snprintf(target->ssh_key, sizeof(target->ssh_key), "%s", files[0]);
	(void)snprintf(target->known_hosts, sizeof(target->known_hosts), "%s", files[1]);
	return COMMAND_DONE;
}

static int copy_to_all(const struct publishing *p)
{
	struct config_page_target target = { 0 };
	int status = COMMAND_DONE;

	if (p->options->rsync) {
		status = take_target(p->options, &target);
		return status == COMMAND_DONE ? copy_to(p, &target) : status;
	}
	for (unsigned i = 0; i < p->config.page.target_count; i++) {
		const struct config_page_target *one = &p->config.page.targets[i];

		if (!is_plain_path(one->ssh_key) || !is_plain_path(one->known_hosts)) {
			say_error(one->name, "ssh_key and known_hosts want letters, digits and ._-/ only");
			status = COMMAND_BAD;
		} else if (copy_to(p, one) != COMMAND_DONE) {
			status = COMMAND_BAD; /* the others get it all the same */
		}
	}
	return status;
}

int page_publish(const struct page_options *options)
{
	struct config_page_target target = { 0 };
	struct publishing p;
	char until[WORDS_SIZE];
	int status = options->rsync ? take_target(options, &target) : COMMAND_DONE;

	if (status == COMMAND_DONE)
		status = begin(&p, options);
	if (status != COMMAND_DONE)
		return status;
	(void)snprintf(p.out, sizeof(p.out), "%s", options->out ? options->out : p.config.page.directory);
	if (!p.out[0]) {
		end(&p);
		return options_refuse(&page_table, "where to? -o DIR says it, or page.directory of the configuration");
	}
	status = publish_to(&p);
	if (status == COMMAND_DONE) {
		(void)printf("%s: %u files%s, holds until %s UTC\n", p.out, p.files,
		             p.key ? ", signed" : ", not signed",
		             words_date_time((struct capture_time){ page_status(p.page)->stale_ns }, until));
		(void)fflush(stdout);
		status = copy_to_all(&p);
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

/* ---- verify ---- */

static int check_signature(const char *folder, const char *public_key, char comment[MINISIGN_COMMENT_SIZE])
{
	char path[PATH_SIZE], sums[PATH_SIZE], *text = NULL;
	struct minisign_signature signature;
	struct minisign_public public;
	uint8_t digest[MINISIGN_DIGEST];
	size_t length = 0;
	int status = keys_public(public_key, &public), result, fd;

	if (status != COMMAND_DONE)
		return status;
	(void)snprintf(path, sizeof(path), "%.*s/" SIGNATURE, PATH_SIZE - 32, folder);
	(void)snprintf(sums, sizeof(sums), "%.*s/" SUMS, PATH_SIZE - 32, folder);
	result = keys_read_small(path, &text, &length);
	if (result == 0)
		result = minisign_signature_read(text, length, &signature);
	free(text);
	fd = result == 0 ? open(sums, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (result == 0)
		result = fd < 0 ? -errno : minisign_digest(fd, digest);
	if (fd >= 0)
		(void)close(fd);
	if (result == 0)
		result = minisign_check_file(&public, &signature, digest);
	if (result == 0)
		result = minisign_check_comment(&public, &signature);
	if (result == 0) {
		memcpy(comment, signature.comment, MINISIGN_COMMENT_SIZE);
		return COMMAND_DONE;
	}
	say_error(path, "%s",
	          result == -ENOKEY         ? "is of another key"
	          : result == -EKEYREJECTED ? "is not of this page"
	          : result == -EBADMSG      ? "is no signature of minisign's"
	                                    : strerror(-result));
	return COMMAND_BAD;
}

/* Whether the file has the sum. A name that leads out of the folder is refused. */
static int check_file(const char *folder, const char *sum, const char *name)
{
	char path[PATH_SIZE], found[DIGEST_SHA256_TEXT_SIZE];
	struct stat status;
	char *octets = NULL;
	int fd, result;

	if (name[0] == '/' || strstr(name, "..") ||
	    snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return -EINVAL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	result = fstat(fd, &status) != 0 ? -errno : !S_ISREG(status.st_mode) || status.st_size > FILE_MAX ? -EFBIG : 0;
	if (result == 0) {
		octets = malloc((size_t)status.st_size + 1);
		result = octets ? file_read_at(fd, octets, (size_t)status.st_size, 0) : -ENOMEM;
	}
	(void)close(fd);
	if (result == 0) {
		digest_sha256_text(octets, (size_t)status.st_size, found);
		result = strcmp(found, sum) == 0 ? 0 : -EBADMSG;
	}
	free(octets);
	return result;
}

static int check_files(const char *folder, char *sums, unsigned *files)
{
	int status = COMMAND_DONE;
	char *next = NULL;

	for (char *line = strtok_r(sums, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		char *name = line + DIGEST_SHA256_TEXT_SIZE + 1;
		int result = -EINVAL;

		if (strlen(line) > DIGEST_SHA256_TEXT_SIZE + 1 && strncmp(name - 2, "  ", 2) == 0) {
			name[-2] = '\0';
			result = check_file(folder, line, name);
		} else {
			name = line;
		}
		(*files)++;
		if (result == 0)
			continue;
		say_error(folder, "%.100s: %s", name,
		          result == -EBADMSG  ? "is another file than was signed"
		          : result == -EINVAL ? "is no line of " SUMS
		                              : strerror(-result));
		status = COMMAND_BAD;
	}
	return status;
}

int page_verify(const struct page_options *options)
{
	char comment[MINISIGN_COMMENT_SIZE] = "", folder[PATH_SIZE], *sums = NULL, *copy = NULL;
	unsigned files = 0;
	int status = COMMAND_DONE, result;

	(void)snprintf(folder, sizeof(folder), "%.*s", PATH_SIZE - 64, options->id);
	for (size_t length = strlen(folder); length > 1 && folder[length - 1] == '/';)
		folder[--length] = '\0';
	result = read_sums(folder, &sums);
	if (result == 0)
		copy = sums ? strdup(sums) : NULL;
	if (result == 0 && !copy)
		result = -ENOMEM;
	if (result != 0) {
		free(sums);
		say_error(folder, "its " SUMS " cannot be read: %s", strerror(-result));
		return COMMAND_BAD;
	}
	if (options->public_key)
		status = check_signature(folder, options->public_key, comment);
	if (status == COMMAND_DONE)
		status = check_files(folder, copy, &files);
	looked.sums = sums;
	looked.skip = strlen(folder) + 1;
	looked.stranger[0] = '\0';
	if (status == COMMAND_DONE && nftw(folder, look_at, FILES_OPEN, FTW_PHYS) != 0) {
		say_error(folder, "%s is in no list, and nobody signed it", looked.stranger);
		status = COMMAND_BAD;
	}
	free(sums);
	free(copy);
	if (status != COMMAND_DONE)
		return status;
	(void)printf("%s: whole, %u files; %s\n", folder, files,
	             options->public_key ? comment : "whose it is was not checked: --public-key FILE does");
	return output_finish();
}
