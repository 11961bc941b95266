/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "daemon/alert_files.h"
#include "daemon/deliver_inside.h"
#include "tell/http_status.h"

#define LOOK_MAX 64 /* rows of the queue that are looked at in a turn, of each kind */
#define SECRETS_MAX 16384

/* What is under way. */
struct parcel {
	uint64_t delivery, subscriber; /* delivery 0: free */
	enum subscriber_kind kind;
	uint32_t attempts;
	int64_t queued_ns;
	unsigned webhook; /* in the configuration */
};

struct deliver {
	struct deliver_maker maker;
	struct post *post;
	struct parcel parcels[POST_MAX];
	struct deliver_counts counts;
	uint64_t seed;
	int lock;
	unsigned looked;
	struct deliver_item items[LOOK_MAX];
};

/* ---- beginning and end ---- */

static int read_secret(const char *path, char key[ALERT_SECRET_SIZE], char error[CONFIG_ERROR_SIZE])
{
	int fd = alert_key_open(path, error), result;

	if (fd < 0)
		return fd;
	result = alert_key_read(fd, key);
	if (result != 0)
		(void)snprintf(error, CONFIG_ERROR_SIZE, "%s: cannot be read", path);
	(void)close(fd);
	return result;
}

/* The next line of what is left of a text. */
static int take_line(char **left, char key[ALERT_SECRET_SIZE])
{
	size_t length = strcspn(*left, "\n");

	if (length == 0 || length >= ALERT_SECRET_SIZE)
		return -EINVAL;
	memcpy(key, *left, length);
	key[length] = '\0';
	*left += length + ((*left)[length] == '\n');
	return 0;
}

/* Each from its file, or of `left`. */
static int take_all(const struct config *config, char *left, struct deliver_secrets *secrets,
                    char error[CONFIG_ERROR_SIZE])
{
	char key[ALERT_SECRET_SIZE];
	int result = 0;

	if (config->mail.password_file[0])
		result = left ? take_line(&left, secrets->password)
		              : read_secret(config->mail.password_file, secrets->password, error);
	for (unsigned i = 0; result == 0 && i < config->webhook_count; i++) {
		result = left ? take_line(&left, key) : read_secret(config->webhooks[i].secret_file, key, error);
		if (result == 0 && webhook_secret_read(key, &secrets->webhooks[i]) != 0) {
			(void)snprintf(
				error, CONFIG_ERROR_SIZE,
				"%s: is no secret of a webhook; write whsec_ and base64 of 24 to 64 octets there",
				config->webhooks[i].secret_file);
			result = -EINVAL;
		}
		explicit_bzero(key, sizeof(key));
	}
	return result;
}

int deliver_secrets_read(const struct config *config, const char *lines, struct deliver_secrets *secrets,
                         char error[CONFIG_ERROR_SIZE])
{
	void *text = NULL;
	size_t length = 0;
	int fd, result;

	memset(secrets, 0, sizeof(*secrets));
	if (!lines)
		return take_all(config, NULL, secrets, error);
	(void)snprintf(error, CONFIG_ERROR_SIZE, "%.100s: has no line for each key that the configuration names",
	               lines);
	fd = open(lines, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	result = file_read_all(fd, SECRETS_MAX, &text, &length);
	(void)close(fd);
	if (result != 0)
		return result;
	result = take_all(config, text, secrets, error);
	explicit_bzero(text, length);
	free(text);
	return result;
}

static int refuse(struct record_error *error, int result, const char *message, const char *advice)
{
	(void)snprintf(error->message, sizeof(error->message), "%s", message);
	(void)snprintf(error->advice, sizeof(error->advice), "%s", advice);
	return result;
}

/* The file stays, and is its folder's owner's: whoever is next locks the same. */
static int take_lock(const char *state_dir, int *lock, struct record_error *error)
{
	char path[CONFIG_PATH_SIZE + sizeof(DELIVER_LOCK)];
	struct stat owner;
	int fd, result = 0;

	(void)snprintf(path, sizeof(path), "%s" DELIVER_LOCK, state_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return refuse(error, -errno, "subscriptions.lock in the state_dir cannot be opened",
		              "deliver as the user that has it");
	if (stat(state_dir, &owner) == 0 && geteuid() == 0)
		(void)!fchown(fd, owner.st_uid, owner.st_gid);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		result = errno == EWOULDBLOCK ? refuse(error, -EALREADY, "somebody else is delivering", "")
		                              : refuse(error, -errno, "subscriptions.lock cannot be locked", "");
	if (result == 0)
		*lock = fd;
	else
		(void)close(fd);
	return result;
}

/* Web servers that are configured become subscribers, those that are no more leave. */
static int put_webhooks(const struct deliver *d, int64_t now_ns, struct record_error *error)
{
	const struct config *config = d->maker.config;
	enum language first = config->page.language_count ? config->page.languages[0] : LANGUAGE_EN;
	struct subscriber rows[CONFIG_WEBHOOKS_MAX];

	for (unsigned i = 0; i < config->webhook_count; i++)
		rows[i] = (struct subscriber){ .kind = SUBSCRIBER_WEBHOOK,
			                       .name = config->webhooks[i].name,
			                       .lang = config->webhooks[i].lang[0] ? config->webhooks[i].lang
			                                                           : language_code(first),
			                       .components = config->webhooks[i].components,
			                       .nonce = "",
			                       .added_by = "configuration" };
	return subscriptions_webhooks(d->maker.ledger, rows, config->webhook_count, now_ns, error);
}

static int begin(struct deliver *d, int64_t now_ns, struct record_error *error)
{
	unsigned repeats = 0;
	int result = take_lock(d->maker.config->state_dir, &d->lock, error);

	if (result == 0)
		result = subscriptions_key_open(d->maker.config->state_dir, &d->maker.key, error);
	if (result == 0)
		result = subscriptions_recover(d->maker.ledger, now_ns, &repeats, error);
	if (result == 0)
		result = put_webhooks(d, now_ns, error);
	d->counts.repeats = repeats;
	if (result != 0)
		return result;
	result = post_new(&d->post);
	return result == 0 ? 0 : refuse(error, result, "libcurl, which sends it, cannot be loaded", "install libcurl4");
}

int deliver_new(const struct config *config, struct ledger *ledger, const struct deliver_secrets *secrets,
                uint64_t seed, int64_t now_ns, struct deliver **deliver, struct record_error *error)
{
	struct deliver *made = calloc(1, sizeof(*made));
	int result;

	if (!made)
		return refuse(error, -ENOMEM, "there is no memory", "");
	made->maker = (struct deliver_maker){ .config = config, .ledger = ledger, .secrets = secrets };
	made->seed = seed;
	made->lock = -1;
	result = begin(made, now_ns, error);
	if (result == 0)
		*deliver = made;
	else
		deliver_free(made);
	return result;
}

void deliver_free(struct deliver *deliver)
{
	if (!deliver)
		return;
	post_free(deliver->post);
	deliver_maker_fini(&deliver->maker);
	if (deliver->lock >= 0)
		(void)close(deliver->lock);
	free(deliver);
}

unsigned deliver_busy(const struct deliver *deliver)
{
	unsigned busy = 0;

	for (unsigned i = 0; i < POST_MAX; i++)
		busy += deliver->parcels[i].delivery != 0;
	return busy;
}

struct deliver_counts deliver_counts(const struct deliver *deliver)
{
	return deliver->counts;
}

/* ---- what becomes of one ---- */

static int end_as(struct deliver *d, uint64_t delivery, enum delivery_state state, const char *what, int64_t at_ns,
                  int64_t next_ns, struct record_error *error)
{
	const struct delivery_end end = { .state = state, .error = what, .at_ns = at_ns, .next_ns = next_ns };
	uint64_t *const counters[DELIVERY_STATES] = { [DELIVERY_QUEUED] = &d->counts.again,
		                                      [DELIVERY_SENT] = &d->counts.sent,
		                                      [DELIVERY_SPARED] = &d->counts.spared,
		                                      [DELIVERY_DEAD] = &d->counts.dead };

	if (counters[state])
		(*counters[state])++;
	return subscriptions_end(d->maker.ledger, delivery, &end, error);
}

/* Again after a pause, of which *next_ns is the end; unless it has been tried long enough: then it is dead, and 0. */
static int try_again(struct deliver *d, const struct parcel *parcel, const char *what, int64_t now_ns, int64_t *next_ns,
                     struct record_error *error)
{
	bool old = parcel->attempts >= SUBSCRIPTIONS_ATTEMPTS || now_ns - parcel->queued_ns > SUBSCRIPTIONS_OLD_NS;

	*next_ns = old ? 0 : now_ns + subscriptions_pause_ns(parcel->attempts, hash_2(d->seed, parcel->delivery, 0));
	return end_as(d, parcel->delivery, old ? DELIVERY_DEAD : DELIVERY_QUEUED, what, now_ns, *next_ns, error);
}

/* It failed: what waits for the same server waits as long as it does. */
static int put_back(struct deliver *d, const struct parcel *parcel, const struct post_result *ended, int64_t now_ns,
                    struct record_error *error)
{
	bool mail = parcel->kind == SUBSCRIBER_MAIL;
	bool never = mail ? ended->result == -EPERM
	                  : ended->status == HTTP_STATUS_GONE || (ended->result == -EPERM && !ended->status);
	int64_t next_ns;
	int result;

	if (never)
		return end_as(d, parcel->delivery, DELIVERY_DEAD, ended->what, now_ns, 0, error);
	result = try_again(d, parcel, ended->what, now_ns, &next_ns, error);
	if (result == 0 && next_ns && (!mail || !ended->reached))
		result = subscriptions_put_off(d->maker.ledger, mail ? 0 : parcel->subscriber, next_ns, error);
	return result;
}

static int settle(struct deliver *d, int64_t now_ns, struct record_error *error)
{
	struct post_result ended;
	int result = 0;

	while (result == 0 && post_next(d->post, &ended)) {
		struct parcel parcel = d->parcels[ended.token];

		d->parcels[ended.token] = (struct parcel){ .delivery = 0 };
		result = ended.result == 0 ? end_as(d, parcel.delivery, DELIVERY_SENT, ended.what, now_ns, 0, error)
		                           : put_back(d, &parcel, &ended, now_ns, error);
	}
	return result;
}

/* ---- sending ---- */

static int look(void *context, const struct delivery *row)
{
	struct deliver *d = context;

	if (d->looked < LOOK_MAX)
		deliver_item_copy(&d->items[d->looked++], row);
	return 0;
}

/* "example.org:8443" of a URL. */
static bool same_host(const char *a, const char *b)
{
	const char *host_a = strstr(a, "://"), *host_b = strstr(b, "://");
	size_t length;

	if (!host_a || !host_b)
		return false;
	length = strcspn(host_a + 3, "/?#");
	return length == strcspn(host_b + 3, "/?#") && strncasecmp(host_a + 3, host_b + 3, length) == 0;
}

/* A slot that it may have; NULL: it is to wait. */
static struct parcel *slot_for(struct deliver *d, const struct deliver_item *item)
{
	const struct config *config = d->maker.config;
	bool mail = item->row.to.kind == SUBSCRIBER_MAIL;
	unsigned mails = 0, same = 0, webhook = mail ? config->webhook_count : deliver_webhook(config, item->name);
	struct parcel *slot = NULL;

	for (unsigned i = 0; i < POST_MAX; i++) {
		const struct parcel *parcel = &d->parcels[i];

		if (!parcel->delivery) {
			slot = &d->parcels[i];
			continue;
		}
		if (parcel->subscriber == item->row.to.id)
			return NULL;
		mails += parcel->kind == SUBSCRIBER_MAIL;
		same += webhook < config->webhook_count && parcel->webhook < config->webhook_count &&
		        same_host(config->webhooks[webhook].url, config->webhooks[parcel->webhook].url);
	}
	return mail ? mails < DELIVER_MAIL_MAX ? slot : NULL : same < DELIVER_HOST_MAX ? slot : NULL;
}

static int send_one(struct deliver *d, const struct deliver_item *item, int64_t now_ns, struct record_error *error)
{
	struct parcel *slot = slot_for(d, item), parcel;
	int64_t next_ns;
	const char *why;
	int result;

	if (!slot)
		return 0;
	result = subscriptions_begin(d->maker.ledger, item->row.id, error);
	if (result != 0)
		return result == -ENOENT ? 0 : result;
	*slot = (struct parcel){ .delivery = item->row.id,
		                 .subscriber = item->row.to.id,
		                 .kind = item->row.to.kind,
		                 .attempts = item->row.attempts + 1,
		                 .queued_ns = item->row.queued_ns,
		                 .webhook = item->row.to.kind == SUBSCRIBER_MAIL
		                                    ? d->maker.config->webhook_count
		                                    : deliver_webhook(d->maker.config, item->name) };
	result = deliver_send(&d->maker, d->post, item, now_ns, (uint64_t)(slot - d->parcels), &why, error);
	if (result == 0)
		return 0;
	parcel = *slot;
	*slot = (struct parcel){ .delivery = 0 };
	if (result == -ENOENT)
		return end_as(d, item->row.id, DELIVERY_SPARED, why, now_ns, 0, error);
	if (result == -EPERM)
		return end_as(d, item->row.id, DELIVERY_DEAD, why, now_ns, 0, error);
	return try_again(d, &parcel, *why ? why : strerror(-result), now_ns, &next_ns, error);
}

static int send_due(struct deliver *d, enum subscriber_kind kind, int64_t now_ns, struct record_error *error)
{
	int result;

	d->looked = 0;
	result = subscriptions_due(d->maker.ledger, kind, now_ns, LOOK_MAX, look, d, error);
	for (unsigned i = 0; result == 0 && i < d->looked; i++)
		result = send_one(d, &d->items[i], now_ns, error);
	return result;
}

int deliver_turn(struct deliver *deliver, int64_t now_ns, int timeout_ms, struct record_error *error)
{
	int result = subscriptions_queue(deliver->maker.ledger, now_ns, error);

	for (unsigned kind = 0; result == 0 && kind < SUBSCRIBER_KINDS; kind++)
		result = send_due(deliver, (enum subscriber_kind)kind, now_ns, error);
	return result == 0 ? deliver_wait(deliver, now_ns, timeout_ms, error) : result;
}

int deliver_wait(struct deliver *deliver, int64_t now_ns, int timeout_ms, struct record_error *error)
{
	if (deliver_busy(deliver) && post_wait(deliver->post, NULL, 0, timeout_ms) != 0)
		return refuse(error, -EIO, "libcurl failed", "");
	return settle(deliver, now_ns, error);
}
