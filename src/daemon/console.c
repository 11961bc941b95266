/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console's role: HTTP for operators on loopback. Unprivileged; it opens the record as commands do, and reads
 * incidents of the state_dir. What it answers is console_site.c's, what a peer may cost http_server.c's.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/console_site.h"
#include "daemon/message.h"
#include "daemon/sandbox.h"
#include "daemon/serve_role.h"

#define CONNECTIONS 64
#define REQUEST_MS 15000
#define ANSWER_MS 30000
#define IDLE_S 30
#define HEADER_OCTETS 16384
#define TELL_NS NS_PER_S

struct console {
	struct serve_life life;
	struct http_server *server;
	struct console_site site;
	struct serve_message message; /* scratch */
	int64_t tell_ns;
};

static int64_t now_ms(void *context)
{
	(void)context;
	return role_monotonic_ns() / NS_PER_MS;
}

static int64_t now_ns(void *context)
{
	(void)context;
	return role_wall_ns();
}

static int64_t steady_ns(void *context)
{
	(void)context;
	return role_monotonic_ns();
}

static int fill_random(void *context, void *octets, size_t count)
{
	(void)context;
	return getrandom(octets, count, 0) == (ssize_t)count ? 0 : -EIO;
}

/* ---- beginning ---- */

static int begin_server(struct console *console)
{
	struct http_server_options options = { .connections = CONNECTIONS,
		                               .per_address = CONNECTIONS,
		                               .header_octets = HEADER_OCTETS,
		                               .body_octets = HTTP_SERVER_BODY_MAX,
		                               .request_ms = REQUEST_MS,
		                               .answer_ms = ANSWER_MS,
		                               .idle_s = IDLE_S,
		                               .now_ms = now_ms,
		                               .handle = console_site_handle,
		                               .context = &console->site };
	int result;

	if (console->life.listener_count == 0)
		return -EBADF;
	result = fill_random(NULL, &options.seed, sizeof(options.seed));
	options.listener = console->life.listeners[0];
	if (result == 0)
		result = http_server_new(&options, &console->server);
	if (result == 0)
		console->life.listeners[0] = -1; /* the server's */
	return result;
}

static void begin_site(struct console *console)
{
	const struct config *config = &console->life.config;
	struct console_site *site = &console->site;

	(void)snprintf(site->ledger, sizeof(site->ledger), "%s" LEDGER_FILE, config->state_dir);
	message_text(site->folder, sizeof(site->folder), config->state_dir);
	site->now_ns = now_ns;
	site->steady_ns = steady_ns;
	site->random = fill_random;
	for (unsigned i = 0; i < config->console.token_count; i++)
		(void)console_door_add(&site->door, config->console.tokens[i].name, config->console.tokens[i].role,
		                       config->console.tokens[i].sum);
}

static int give_up(const struct config *config, const struct role_start *start)
{
	int result = sandbox_give_up(start->uid, start->gid);

	(void)umask(0027);
	if (result == 0)
		result = sandbox_excuse(sandbox_confine(config->state_dir, NULL));
	return result == 0 ? sandbox_filter(ROLE_CONSOLE) : result;
}

static int begin(void *state, const struct role_start *start, char error[CONFIG_ERROR_SIZE])
{
	struct console *console = state;
	int result;

	begin_site(console);
	result = begin_server(console);
	if (result == 0)
		result = give_up(&console->life.config, start);
	if (result != 0)
		(void)snprintf(error, CONFIG_ERROR_SIZE, "the console cannot begin: %s", strerror(-result));
	return result;
}

/* ---- life ---- */

static void tell(struct console *console, int64_t now)
{
	struct http_server_counts counts = http_server_counts(console->server);
	struct serve_message *message = &console->message;

	console->tell_ns = now + TELL_NS;
	serve_message_init(message, SERVE_COUNTED, 0);
	(void)snprintf(message->counted.state, sizeof(message->counted.state), "ok");
	serve_role_count(message, "connections_open", counts.open);
	serve_role_count(message, "requests", counts.requests);
	serve_role_count(message, "refused_full", counts.refused_full + counts.refused_address);
	serve_role_count(message, "tokens_refused", console->site.door.refused);
	serve_role_count(message, "tokens_limited", console->site.door.limited);
	serve_role_count(message, "sessions_pushed_out", console->site.door.pushed_out);
	serve_role_count(message, "hosts_refused", console->site.refused_hosts);
	serve_role_count(message, "forms_refused", console->site.refused_forms);
	serve_role_tell(message);
}

static int wait(struct console *console)
{
	struct pollfd fds[] = { { .fd = ROLE_FD_PARENT, .events = POLLIN },
		                { .fd = console->life.desk, .events = POLLIN },
		                { .fd = http_server_fd(console->server), .events = POLLIN } };

	if (poll(fds, sizeof(fds) / sizeof(fds[0]), http_server_timeout_ms(console->server)) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[1].revents)
		serve_role_hear_desk(&console->life, NULL, NULL);
	return fds[0].revents ? serve_role_heed(&console->life) : 0;
}

static void live(void *state)
{
	struct console *console = state;

	for (;;) {
		int64_t now = role_monotonic_ns();

		(void)alarm(ROLE_ALARM_S);
		if (wait(console) != 0)
			return;
		(void)http_server_run(console->server);
		if (now >= console->tell_ns)
			tell(console, now);
	}
}

static void end(void *state)
{
	struct console *console = state;

	if (console->server)
		http_server_free(console->server);
	console_site_fini(&console->site);
}

int console_role(const struct role_start *start)
{
	static const struct serve_role_stages stages = { sizeof(struct console), begin, live, end };

	return serve_role_live(&stages, start);
}
