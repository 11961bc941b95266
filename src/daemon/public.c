/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public role: HTTP for strangers. Unprivileged; it reads the published page and nothing else, knows no database,
 * and what it counts goes to the desk every two seconds; whom the shield is dropping the desk hands it as a descriptor.
 * One thread; what it answers is site.c's, what a stranger may cost http_server.c's.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/file.h"
#include "daemon/alert_files.h"
#include "daemon/log.h"
#include "daemon/message.h"
#include "daemon/public_dropped.h"
#include "daemon/sandbox.h"
#include "daemon/serve_role.h"
#include "daemon/site.h"

#define REQUEST_MS 15000
#define ANSWER_MS 30000
#define IDLE_S 15
#define HEADER_OCTETS 8192
#define TLS_FILE_MAX 65536
#define DRAIN_NS (2 * NS_PER_S)
#define DRAIN_MESSAGES_MAX 64 /* in one go: the rest waits for the next */
#define TELL_NS NS_PER_S

struct public_role {
	struct serve_life life;
	struct http_server *servers[SERVE_LISTENERS_MAX];
	unsigned server_count;
	struct site *site;
	struct geo *geo;              /* NULL: there is none */
	struct serve_message message; /* scratch */
	char keys[CONFIG_VANTAGES_MAX][ALERT_SECRET_SIZE], gatus_key[ALERT_SECRET_SIZE];
	char flood[SERVE_TEXT_SIZE];
	struct public_dropped dropped;
	int64_t drain_ns, tell_ns;
};

static int64_t now_ms(void *context)
{
	(void)context;
	return role_monotonic_ns() / NS_PER_MS;
}

static void handle(void *context, const struct http_server_request *request, struct http_server_reply *reply)
{
	struct public_role *role = context;

	site_set_time(role->site, (struct capture_time){ role_wall_ns() }, now_ms(NULL));
	site_answer(role->site, request, reply);
}

/* What a stranger asks of subscriptions is the desk's. */
static int ask(void *context, const struct serve_message *message)
{
	struct public_role *role = context;

	return serve_role_send(&role->life, message);
}

/* What the shield does with who reports. */
static enum intake_fate fate_of(void *context, const struct address *source)
{
	struct public_role *role = context;

	return public_dropped_fate(&role->dropped, source, (struct capture_time){ role_wall_ns() });
}

/* ---- beginning ---- */

/* Gatus' token, then each vantage point's key: serve.c's row has them in this order. */
static int read_keys(struct public_role *role, char error[CONFIG_ERROR_SIZE])
{
	const struct config_public *of = &role->life.config.public_role;
	unsigned at = 0;
	int result = 0;

	if (of->gatus_key_file[0])
		result = at < role->life.file_count ? alert_key_read(role->life.files[at], role->gatus_key) : -EBADMSG;
	at += of->gatus_key_file[0] != '\0';
	for (unsigned i = 0; i < of->vantage_count && result == 0; i++, at++)
		result = at < role->life.file_count ? alert_key_read(role->life.files[at], role->keys[i]) : -EBADMSG;
	if (result != 0)
		(void)snprintf(error, CONFIG_ERROR_SIZE, "a key cannot be read: %s", strerror(-result));
	return result;
}

/* The caller frees it. */
static int read_tls(const char *path, char **text, char error[CONFIG_ERROR_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int result = fd < 0 ? -errno : 0;
	void *octets = NULL;
	size_t length;

	if (result == 0)
		result = file_read_all(fd, TLS_FILE_MAX, &octets, &length);
	if (fd >= 0)
		(void)close(fd);
	if (result != 0) {
		(void)snprintf(error, CONFIG_ERROR_SIZE, "%s: %s", path, strerror(-result));
		return result;
	}
	*text = octets;
	return 0;
}

static int begin_servers(struct public_role *role, const char *certificate, const char *key,
                         char error[CONFIG_ERROR_SIZE])
{
	const struct config *config = &role->life.config;
	struct http_server_options options = {
		.connections = config->public_role.connections,
		.per_address = config->public_role.per_address < config->public_role.connections
		                       ? config->public_role.per_address
		                       : config->public_role.connections,
		.header_octets = HEADER_OCTETS,
		.body_octets = SITE_BODY_MAX,
		.request_ms = REQUEST_MS,
		.answer_ms = ANSWER_MS,
		.idle_s = IDLE_S,
		.proxies = config->trusted_proxies.prefixes,
		.proxies_count = config->trusted_proxies.count,
		.certificate = certificate,
		.key = key,
		.now_ms = now_ms,
		.handle = handle,
		.context = role,
	};
	int result = getrandom(&options.seed, sizeof(options.seed), 0) == sizeof(options.seed) ? 0 : -EIO;

	for (unsigned i = 0; i < role->life.listener_count && result == 0; i++) {
		options.listener = role->life.listeners[i];
		result = http_server_new(&options, &role->servers[i]);
		if (result == 0) {
			role->life.listeners[i] = -1; /* the server's */
			role->server_count++;
		}
	}
	if (result != 0)
		(void)snprintf(error, CONFIG_ERROR_SIZE, "nothing can be served: %s%s", strerror(-result),
		               certificate ? "; do tls_cert and tls_key go together?" : "");
	return result;
}

static int begin_listening(struct public_role *role, char error[CONFIG_ERROR_SIZE])
{
	const struct config_public *of = &role->life.config.public_role;
	char *certificate = NULL, *key = NULL;
	int result = 0;

	if (!of->tls_cert[0] != !of->tls_key[0]) {
		(void)snprintf(error, CONFIG_ERROR_SIZE,
		               "public: tls_cert and tls_key come together; name both or none");
		return -EINVAL;
	}
	if (of->tls_cert[0])
		result = read_tls(of->tls_cert, &certificate, error);
	if (result == 0 && of->tls_key[0])
		result = read_tls(of->tls_key, &key, error);
	if (result == 0)
		result = begin_servers(role, certificate, key, error);
	if (key)
		explicit_bzero(key, strlen(key));
	free(certificate);
	free(key);
	return result;
}

static int begin_site(struct public_role *role)
{
	const char *keys[CONFIG_VANTAGES_MAX];
	struct site_options options = { .config = &role->life.config,
		                        .gatus_key = role->gatus_key,
		                        .shielded = fate_of,
		                        .geo = role->geo,
		                        .ask = ask,
		                        .context = role };
	int result;

	for (unsigned i = 0; i < role->life.config.public_role.vantage_count; i++)
		keys[i] = role->keys[i];
	options.vantage_keys = keys;
	if (getrandom(options.key, sizeof(options.key), 0) != sizeof(options.key))
		return -EIO;
	result = site_new(&options, (struct capture_time){ role_wall_ns() }, now_ms(NULL), &role->site);
	explicit_bzero(options.key, sizeof(options.key));
	explicit_bzero(role->keys, sizeof(role->keys));
	explicit_bzero(role->gatus_key, sizeof(role->gatus_key));
	return result;
}

/* The page's folder is exchanged for another when it is published: what is opened to this role is the one around it. */
static int confine(const struct config *config)
{
	char folder[CONFIG_PATH_SIZE], *slash;
	int result;

	message_text(folder, sizeof(folder), config->page.directory);
	slash = strrchr(folder, '/');
	if (slash && slash != folder)
		*slash = '\0';
	result = sandbox_confine(NULL, slash && slash != folder ? folder : NULL);
	if (result == -ENOENT)
		result = sandbox_confine(NULL, NULL);
	return sandbox_excuse(result);
}

static int begin(void *state, const struct role_start *start, char error[CONFIG_ERROR_SIZE])
{
	struct public_role *role = state;
	int result = read_keys(role, error);

	if (result == 0)
		result = begin_listening(role, error);
	if (result == 0) {
		(void)snprintf(error, CONFIG_ERROR_SIZE, "the public role cannot begin");
		role->dropped.wanted = role->life.config.public_role.dropped[0] != '\0';
		result = sandbox_give_up(start->uid, start->gid);
	}
	if (result == 0) { /* octets from outside: read without root's rights, but while files can still be opened */
		role->geo = places_open(role->life.config.geo);
		result = begin_site(role);
	}
	if (result == 0)
		result = confine(&role->life.config);
	return result == 0 ? sandbox_filter(ROLE_PUBLIC) : result;
}

/* ---- life ---- */

static bool next_counts(void *context, struct serve_message *message)
{
	const struct public_role *role = context;

	return site_drain(role->site, message);
}

static void drain(struct public_role *role, int64_t now_ns)
{
	role->drain_ns = now_ns + DRAIN_NS;
	serve_role_drain(&role->life, next_counts, role, DRAIN_MESSAGES_MAX);
}

static void count_servers(const struct public_role *role, struct serve_message *message)
{
	struct http_server_counts sum = { 0 };

	for (unsigned i = 0; i < role->server_count; i++) {
		struct http_server_counts of = http_server_counts(role->servers[i]);

#define X(name, says) sum.name += of.name;
		HTTP_SERVER_COUNTERS(X)
#undef X
		sum.open += of.open;
	}
	serve_role_count(message, "connections_open", sum.open);
	serve_role_count(message, "requests", sum.requests);
	serve_role_count(message, "refused_full", sum.refused_full);
	serve_role_count(message, "refused_address", sum.refused_address);
	serve_role_count(message, "evicted", sum.evicted);
	serve_role_count(message, "slow", sum.slow_requests + sum.slow_answers);
	serve_role_count(message, "headers_refused", sum.headers_refused);
	serve_role_count(message, "bodies_refused", sum.bodies_refused);
	serve_role_count(message, "forwarded_refused", sum.forwarded_refused);
}

static void count_site(const struct public_role *role, struct serve_message *message)
{
	struct site_counts site = site_counts(role->site);
	struct intake_counts intake = site_intake_counts(role->site);
	struct site_files_counts page = site_page_counts(role->site);

	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "reports", site.reports },
		{ "located", site.located },
		{ "accepted", intake.results[INTAKE_ACCEPTED] },
		{ "repeated", intake.results[INTAKE_REPEATED] },
		{ "network_capped", intake.results[INTAKE_CAPPED] },
		{ "shielded", intake.results[INTAKE_SHIELDED] },
		{ "places_left_out", intake.places_left_out },
		{ "sampled_out", intake.results[INTAKE_SAMPLED] },
		{ "no_room", intake.results[INTAKE_NO_ROOM] },
		{ "nonces_wrong", intake.results[INTAKE_NONCE_WRONG] },
		{ "nonces_used", intake.results[INTAKE_NONCE_USED] },
		{ "nonces_pushed_out", intake.nonces_pushed_out },
		{ "forms_refused", site.forms_refused },
		{ "nel_reports", site.nel_reports },
		{ "nel_passed_over", site.nel_passed_over },
		{ "gatus", site.gatus },
		{ "probes", site.probes },
		{ "probes_again", site.probes_again },
		{ "probe_ids_pushed_out", site.ids_pushed_out },
		{ "keys_refused", site.refused_key },
		{ "methods_refused", site.refused_method },
		{ "types_refused", site.refused_type },
		{ "bodies_unread", site.refused_body },
		{ "signals_refused", site.signals_refused },
		{ "subscribe_taken", site.subscribe_taken },
		{ "subscribe_limited", site.subscribe_limited },
		{ "subscribe_wrong", site.subscribe_wrong },
		{ "page_pushed_out", page.pushed_out },
		{ "page_too_large", page.too_large },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		serve_role_count(message, rows[i].name, rows[i].value);
}

static void tell(struct public_role *role, int64_t now_ns)
{
	struct serve_message *message = &role->message;
	struct capture_time now = { role_wall_ns() };
	char flood[SERVE_TEXT_SIZE], dropped[SERVE_TEXT_SIZE];

	role->tell_ns = now_ns + TELL_NS;
	(void)site_flood(role->site, flood);
	if (strcmp(flood, role->flood) != 0) {
		if (flood[0])
			LOG_SAY(LOG_WARNING, "reports are suspected to be a flood: %s", flood);
		else
			LOG_SAY(LOG_NOTICE, "reports are no longer suspected to be a flood");
		message_text(role->flood, sizeof(role->flood), flood);
	}
	serve_message_init(message, SERVE_COUNTED, 0);
	public_dropped_state(&role->dropped, now, dropped);
	if (flood[0])
		(void)snprintf(message->counted.state, sizeof(message->counted.state), "flood suspected: %.60s%s%.150s",
		               flood, dropped[0] ? "; " : "", dropped);
	else
		message_text(message->counted.state, sizeof(message->counted.state), dropped[0] ? dropped : "ok");
	count_servers(role, message);
	count_site(role, message);
	public_dropped_count(&role->dropped, now, message);
	serve_role_count(message, "lost", role->life.lost);
	serve_role_tell(message);
}

static void rekey(struct public_role *role)
{
	uint8_t key[INTAKE_KEY_SIZE];

	site_set_time(role->site, (struct capture_time){ role_wall_ns() }, now_ms(NULL));
	if (!site_key_due(role->site) || getrandom(key, sizeof(key), 0) != sizeof(key))
		return;
	site_rekey(role->site, key);
	explicit_bzero(key, sizeof(key));
}

/* What a desk answers is nobody's who asks here. */
static void hear_desk(void *context, const struct serve_message *message, int fd)
{
	struct public_role *role = context;

	if (message->type == SERVE_DROPPED)
		public_dropped_take(&role->dropped, fd, message->dropped.result);
}

static int wait(struct public_role *role, int64_t now_ns)
{
	struct pollfd fds[SERVE_LISTENERS_MAX + 2] = { { .fd = ROLE_FD_PARENT, .events = POLLIN },
		                                       { .fd = role->life.desk, .events = POLLIN } };
	int64_t until = role->tell_ns < role->drain_ns ? role->tell_ns : role->drain_ns;
	int timeout = until > now_ns ? (int)((until - now_ns) / NS_PER_MS) + 1 : 0;

	for (unsigned i = 0; i < role->server_count; i++) {
		int server = http_server_timeout_ms(role->servers[i]);

		timeout = server < timeout ? server : timeout;
		fds[2 + i] = (struct pollfd){ .fd = http_server_fd(role->servers[i]), .events = POLLIN };
	}
	if (poll(fds, 2 + role->server_count, timeout) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[1].revents)
		serve_role_hear_desk(&role->life, hear_desk, role);
	return fds[0].revents ? serve_role_heed(&role->life) : 0;
}

static void live(void *state)
{
	struct public_role *role = state;

	for (;;) {
		int64_t now_ns = role_monotonic_ns();

		(void)alarm(ROLE_ALARM_S);
		if (wait(role, now_ns) != 0)
			break;
		for (unsigned i = 0; i < role->server_count; i++)
			(void)http_server_run(role->servers[i]);
		now_ns = role_monotonic_ns();
		if (now_ns >= role->drain_ns)
			drain(role, now_ns);
		if (now_ns >= role->tell_ns) {
			rekey(role);
			tell(role, now_ns);
		}
	}
	drain(role, role_monotonic_ns());
}

static void end(void *state)
{
	struct public_role *role = state;

	for (unsigned i = 0; i < role->server_count; i++)
		http_server_free(role->servers[i]);
	site_free(role->site);
	public_dropped_fini(&role->dropped);
	geo_close(role->geo);
}

int public_role(const struct role_start *start)
{
	static const struct serve_role_stages stages = { sizeof(struct public_role), begin, live, end };

	return serve_role_live(&stages, start);
}
