/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection of libmicrohttpd's has one of ours beside it, in a list by age of what it waits for and in a chain of
 * its address's hash. It is in one of two phases: it waits for a request (from its beginning, or the answer before), or
 * its answer is under way. Both have a time by which they are over; what is late is shut, and the library does the
 * rest.
 */
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/hash.h"
#include "tell/http_server.h"
#include "tell/http_status.h"

#define CHAINS 1024 /* a power of two */
#define TURN_MS 1000
#define REPLY_POOL 4096 /* octets of a connection's memory beside the request's header: for the answer's */
#define ADDRESS_V6 64

struct connection {
	struct connection *next, *before; /* by when it began what it is in, the longest ago first */
	struct connection *in_chain;      /* of its address's */
	struct address address;           /* whom it counts for */
	int64_t since_ms, late_ms;
	int fd;
	bool counted; /* by its address: no proxy */
	bool asked;   /* its request is being answered */
	bool begun;   /* of a request the line was there */
	bool shut;
};

struct body {
	char *octets;
	size_t length, room;
	bool too_large;
};

struct http_page {
	struct MHD_Response *response;
	unsigned status;
};

struct http_server {
	struct http_server_options options;
	struct prefix *proxies;
	struct MHD_Daemon *daemon;
	struct http_server_counts counts;
	struct connection *first, *last;
	struct connection *chains[CHAINS];
	unsigned open;
	int64_t looked_ms;
};

static const char *const methods[HTTP_SERVER_METHODS] = {
	[HTTP_SERVER_GET] = "GET",         [HTTP_SERVER_HEAD] = "HEAD",   [HTTP_SERVER_POST] = "POST",
	[HTTP_SERVER_OPTIONS] = "OPTIONS", [HTTP_SERVER_OTHER] = "other",
};

const char *http_server_method_name(enum http_server_method method)
{
	return methods[method];
}

static enum http_server_method method_of(const char *word)
{
	unsigned i;

	for (i = 0; i < HTTP_SERVER_OTHER; i++)
		if (!strcmp(word, methods[i]))
			return (enum http_server_method)i;
	return HTTP_SERVER_OTHER;
}

static struct address address_of(const struct sockaddr *from)
{
	if (from->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, from, sizeof(v6));
		return address_from_ipv6(v6.sin6_addr.s6_addr);
	}
	if (from->sa_family == AF_INET) {
		struct sockaddr_in v4;
		uint8_t octets[4];

		memcpy(&v4, from, sizeof(v4));
		memcpy(octets, &v4.sin_addr.s_addr, sizeof(octets));
		return address_from_ipv4(octets);
	}
	return (struct address){ { 0 } };
}

/* Whose bound an address counts for. */
static struct address counted_as(const struct address *address)
{
	return address_is_ipv4(address) ? *address : prefix_of(address, ADDRESS_V6).address;
}

static bool is_proxy(const struct http_server *server, const struct address *address)
{
	size_t i;

	for (i = 0; i < server->options.proxies_count; i++)
		if (prefix_contains(&server->proxies[i], address))
			return true;
	return false;
}

static struct connection **chain_of(struct http_server *server, const struct address *address)
{
	return &server->chains[hash_address(server->options.seed, address) % CHAINS];
}

static void list_remove(struct http_server *server, struct connection *c)
{
	*(c->before ? &c->before->next : &server->first) = c->next;
	*(c->next ? &c->next->before : &server->last) = c->before;
	c->next = c->before = NULL;
}

static void list_append(struct http_server *server, struct connection *c)
{
	c->before = server->last;
	*(server->last ? &server->last->next : &server->first) = c;
	server->last = c;
}

/* It waits for a request, from now on. */
static void wait_for_request(struct http_server *server, struct connection *c)
{
	c->since_ms = server->options.now_ms(server->options.context);
	c->late_ms = c->since_ms + server->options.request_ms;
	c->asked = c->begun = false;
}

static void shut(struct connection *c, uint64_t *counter)
{
	c->shut = true;
	(*counter)++;
	(void)shutdown(c->fd, SHUT_RDWR);
}

/* All connections are taken: who has asked nothing for the longest time goes, if that was long. */
static void evict(struct http_server *server)
{
	int64_t now = server->options.now_ms(server->options.context);
	struct connection *c;

	for (c = server->first; c && c->since_ms + HTTP_SERVER_EVICT_MS <= now; c = c->next)
		if (!c->asked && !c->shut) {
			shut(c, &server->counts.evicted);
			return;
		}
}

static enum MHD_Result admit(void *context, const struct sockaddr *from, socklen_t length)
{
	struct http_server *server = context;
	struct address peer = address_of(from), address = counted_as(&peer);
	const struct connection *c;
	unsigned of_address = 0;

	(void)length;
	if (server->open >= server->options.connections) {
		server->counts.refused_full++;
		evict(server);
		return MHD_NO;
	}
	if (is_proxy(server, &peer))
		return MHD_YES;
	for (c = *chain_of(server, &address); c; c = c->in_chain)
		of_address += address_equal(&c->address, &address);
	if (of_address >= server->options.per_address) {
		server->counts.refused_address++;
		return MHD_NO;
	}
	return MHD_YES;
}

static void begin(struct http_server *server, struct MHD_Connection *connection, void **place)
{
	const union MHD_ConnectionInfo *from = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct connection *c = calloc(1, sizeof(*c));
	struct address peer;

	*place = NULL;
	server->counts.connections++;
	if (!c || !from || !fd) {
		free(c);
		return; /* it is answered nothing: see answer() */
	}
	*place = c;
	peer = address_of(from->client_addr);
	c->fd = fd->connect_fd;
	c->address = counted_as(&peer);
	c->counted = !is_proxy(server, &peer);
	if (c->counted) {
		struct connection **chain = chain_of(server, &c->address);

		c->in_chain = *chain;
		*chain = c;
	}
	wait_for_request(server, c);
	list_append(server, c);
	server->open++;
}

static void end(struct http_server *server, struct connection *c)
{
	if (c->counted) {
		struct connection **at = chain_of(server, &c->address);

		while (*at && *at != c)
			at = &(*at)->in_chain;
		if (*at)
			*at = c->in_chain;
	}
	server->counts.headers_refused += c->begun && !c->asked && !c->shut;
	list_remove(server, c);
	server->open--;
	free(c);
}

static void notice(void *context, struct MHD_Connection *connection, void **place,
                   enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		begin(context, connection, place);
	else if (*place)
		end(context, *place);
}

static struct connection *connection_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* A request's first line was read. What it has is kept by the library. */
static void *line_read(void *context, const char *uri, struct MHD_Connection *connection)
{
	struct connection *c = connection_of(connection);

	(void)context;
	(void)uri;
	if (c)
		c->begun = true;
	return NULL;
}

/* An answer is sent, or never will be. */
static void completed(void *context, struct MHD_Connection *connection, void **place,
                      enum MHD_RequestTerminationCode code)
{
	struct http_server *server = context;
	struct connection *c = connection_of(connection);
	struct body *body = *place;

	(void)code;
	if (body) {
		free(body->octets);
		free(body);
		*place = NULL;
	}
	if (c && !c->shut) {
		server->counts.headers_refused += c->begun && !c->asked;
		wait_for_request(server, c);
		list_remove(server, c);
		list_append(server, c);
	}
}

/* The last lines of X-Forwarded-For: a proxy may add a line of its own behind those that a client made up. */
struct forwarded {
	const char *lines[HTTP_SERVER_FORWARDED_MAX];
	unsigned count;
};

static enum MHD_Result note_forwarded(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct forwarded *forwarded = context;

	(void)kind;
	if (strcasecmp(name, "X-Forwarded-For") != 0)
		return MHD_YES;
	if (forwarded->count == HTTP_SERVER_FORWARDED_MAX)
		memmove(forwarded->lines, forwarded->lines + 1, --forwarded->count * sizeof(forwarded->lines[0]));
	forwarded->lines[forwarded->count++] = value ? value : "";
	return MHD_YES;
}

/* Of a line, the last that is no proxy: 0; -ENOENT: all are; -EBADMSG: one is no address, or more than `left`. */
static int last_stranger(const struct http_server *server, const char *text, unsigned *left, struct address *peer)
{
	const char *stop = text + strlen(text);

	for (;;) {
		char word[ADDRESS_TEXT_SIZE];
		const char *start;
		struct prefix prefix;
		size_t length;

		while (stop > text && (stop[-1] == ' ' || stop[-1] == ','))
			stop--;
		if (stop == text)
			return -ENOENT;
		for (start = stop; start > text && start[-1] != ',' && start[-1] != ' ';)
			start--;
		length = (size_t)(stop - start);
		if (length >= sizeof(word) || (*left)-- == 0)
			return -EBADMSG;
		memcpy(word, start, length);
		word[length] = '\0';
		if (prefix_parse(word, &prefix) || strchr(word, '/'))
			return -EBADMSG;
		if (!is_proxy(server, &prefix.address)) {
			*peer = prefix.address;
			return 0;
		}
		stop = start;
	}
}

/* Who asks, behind proxies: the last of those named that is none. false where there is nobody. */
static bool behind_proxy(const struct http_server *server, struct MHD_Connection *connection, struct address *peer)
{
	struct forwarded forwarded = { .count = 0 };
	unsigned left = HTTP_SERVER_FORWARDED_MAX;
	int result = -ENOENT;

	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, note_forwarded, &forwarded);
	while (forwarded.count > 0 && result == -ENOENT)
		result = last_stranger(server, forwarded.lines[--forwarded.count], &left, peer);
	return result == 0;
}

static bool add_fields(struct MHD_Response *response, const char *type, const struct http_server_field *fields,
                       size_t count)
{
	size_t i;

	if (type && MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) != MHD_YES)
		return false;
	for (i = 0; i < count; i++)
		if (MHD_add_response_header(response, fields[i].name, fields[i].value) != MHD_YES)
			return false;
	return true;
}

static struct MHD_Response *response_new(const char *type, const void *body, size_t length,
                                         const struct http_server_field *fields, size_t count)
{
	struct MHD_Response *response;
	union {
		const void *in;
		void *out;
	} octets = { .in = body ? body : "" }; /* copied: never written to */

	response = MHD_create_response_from_buffer(length, octets.out, MHD_RESPMEM_MUST_COPY);
	if (response && !add_fields(response, type, fields, count)) {
		MHD_destroy_response(response);
		response = NULL;
	}
	return response;
}

int http_page_new(unsigned status, const char *type, const void *body, size_t length,
                  const struct http_server_field *fields, size_t fields_count, struct http_page **page)
{
	struct http_page *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->status = status;
	made->response = response_new(type, body, length, fields, fields_count);
	if (!made->response) {
		free(made);
		return -ENOMEM;
	}
	*page = made;
	return 0;
}

void http_page_free(struct http_page *page)
{
	if (!page)
		return;
	MHD_destroy_response(page->response); /* whoever is still being sent it holds it */
	free(page);
}

void http_server_add_field(struct http_server_reply *reply, const char *name, const char *value)
{
	if (reply->fields_count < HTTP_SERVER_REPLY_FIELDS_MAX)
		reply->fields[reply->fields_count++] = (struct http_server_field){ name, value };
}

/* The answer goes out: so long it may take. */
static enum MHD_Result send_reply(struct http_server *server, struct MHD_Connection *connection, struct connection *c,
                                  const struct http_server_reply *reply, size_t length)
{
	struct MHD_Response *made = NULL;
	unsigned status = reply->page ? reply->page->status : reply->status;
	enum MHD_Result sent;

	if (!reply->page) {
		made = response_new(reply->type, reply->body, reply->body_length, reply->fields, reply->fields_count);
		if (!made ||
		    (reply->close && MHD_add_response_header(made, MHD_HTTP_HEADER_CONNECTION, "close") != MHD_YES)) {
			if (made)
				MHD_destroy_response(made);
			server->counts.failed++;
			return MHD_NO;
		}
	}
	c->asked = true;
	c->since_ms = server->options.now_ms(server->options.context);
	c->late_ms = c->since_ms + server->options.answer_ms + (int64_t)(length * 1000 / HTTP_SERVER_RATE_MIN);
	list_remove(server, c);
	list_append(server, c);
	server->counts.requests++;
	sent = MHD_queue_response(connection, status ? status : HTTP_STATUS_INTERNAL_ERROR,
	                          made ? made : reply->page->response);
	if (made)
		MHD_destroy_response(made);
	return sent;
}

static enum MHD_Result refuse(struct http_server *server, struct MHD_Connection *connection, struct connection *c,
                              unsigned status, const char *text)
{
	const struct http_server_reply reply = {
		.status = status, .type = "text/plain", .body = text, .body_length = strlen(text), .close = true
	};

	return send_reply(server, connection, c, &reply, reply.body_length);
}

/* More of a body. -EFBIG beyond the bound; -ENOMEM. */
static int take(const struct http_server *server, struct body *body, const char *octets, size_t count)
{
	if (body->too_large || count > server->options.body_octets - body->length) {
		body->too_large = true;
		return -EFBIG;
	}
	if (body->length + count + 1 > body->room) {
		size_t room = body->length + count + 1 > 2 * body->room ? body->length + count + 1 : 2 * body->room;
		char *grown = realloc(body->octets, room);

		if (!grown)
			return -ENOMEM;
		body->octets = grown;
		body->room = room;
	}
	memcpy(body->octets + body->length, octets, count);
	body->length += count;
	body->octets[body->length] = '\0';
	return 0;
}

static bool announced_too_large(const struct http_server *server, struct MHD_Connection *connection)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return length && strtoull(length, NULL, 10) > server->options.body_octets;
}

static enum MHD_Result ask(struct http_server *server, struct MHD_Connection *connection, struct connection *c,
                           const char *path, const char *method, const struct body *body)
{
	const union MHD_ConnectionInfo *from = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct http_server_reply reply = { 0 };
	struct http_server_request request = {
		.method = method_of(method),
		.path = path,
		.body = body->octets ? body->octets : "",
		.body_length = body->length,
		.secure = server->options.certificate != NULL,
		.inside = connection,
	};

	if (!from)
		return MHD_NO;
	request.peer = address_of(from->client_addr);
	if (server->options.proxies_count && is_proxy(server, &request.peer) &&
	    !behind_proxy(server, connection, &request.peer)) {
		server->counts.forwarded_refused++;
		return refuse(server, connection, c, HTTP_STATUS_BAD_REQUEST, "No X-Forwarded-For.\n");
	}
	server->options.handle(server->options.context, &request, &reply);
	return send_reply(server, connection, c, &reply, reply.body_length);
}

/* Called for a request when its header is there, for each part of its body, and at its end. */
static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *octets, size_t *count, void **place)
{
	struct http_server *server = context;
	struct connection *c = connection_of(connection);
	struct body *body = *place;

	(void)version;
	if (!c)
		return MHD_NO;
	if (!body) {
		if (announced_too_large(server, connection)) {
			server->counts.bodies_refused++;
			return refuse(server, connection, c, HTTP_STATUS_CONTENT_TOO_LARGE, "Too large.\n");
		}
		*place = calloc(1, sizeof(*body));
		if (!*place)
			server->counts.failed++;
		return *place ? MHD_YES : MHD_NO;
	}
	if (*count) {
		int err = take(server, body, octets, *count);

		*count = 0; /* what is too large is read on, and forgotten, for as long as a request may take */
		if (err == -ENOMEM)
			server->counts.failed++;
		return err == -ENOMEM ? MHD_NO : MHD_YES;
	}
	if (body->too_large) {
		server->counts.bodies_refused++;
		return refuse(server, connection, c, HTTP_STATUS_CONTENT_TOO_LARGE, "Too large.\n");
	}
	return ask(server, connection, c, path, method, body);
}

const char *http_server_header(const struct http_server_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->inside, MHD_HEADER_KIND, name);
}

const char *http_server_query(const struct http_server_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->inside, MHD_GET_ARGUMENT_KIND, name);
}

static bool options_ok(const struct http_server_options *o)
{
	return o->listener >= 0 && o->connections && o->connections <= HTTP_SERVER_CONNECTIONS_MAX && o->per_address &&
	       o->per_address <= o->connections && o->header_octets >= HTTP_SERVER_HEADER_MIN &&
	       o->header_octets <= HTTP_SERVER_HEADER_MAX && o->body_octets <= HTTP_SERVER_BODY_MAX && o->request_ms &&
	       o->answer_ms && o->idle_s && !o->certificate == !o->key && o->now_ms && o->handle;
}

static struct MHD_Daemon *start(struct http_server *server)
{
	const struct http_server_options *o = &server->options;
	unsigned flags = MHD_USE_EPOLL | MHD_USE_TURBO | (o->certificate ? MHD_USE_TLS : 0);
	union {
		const char *in;
		char *out;
	} certificate = { .in = o->certificate }, key = { .in = o->key }; /* the library's table has no const */
	const struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, certificate.out },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, key.out },
		{ MHD_OPTION_END, 0, NULL },
	}, none[] = { { MHD_OPTION_END, 0, NULL } };

	/*
	 * The library stops listening at its bound: ours is below it, so that who comes then is refused, and counted.
	 */
	return MHD_start_daemon(flags, 0, admit, server, answer, server, MHD_OPTION_LISTEN_SOCKET, o->listener,
	                        MHD_OPTION_CONNECTION_LIMIT, o->connections + 1, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	                        o->header_octets + REPLY_POOL, MHD_OPTION_CONNECTION_TIMEOUT, o->idle_s,
	                        MHD_OPTION_NOTIFY_CONNECTION, notice, server, MHD_OPTION_NOTIFY_COMPLETED, completed,
	                        server, MHD_OPTION_URI_LOG_CALLBACK, line_read, server, MHD_OPTION_ARRAY,
	                        o->certificate ? tls : none, MHD_OPTION_END);
}

int http_server_new(const struct http_server_options *options, struct http_server **server)
{
	struct http_server *made;

	if (!options_ok(options))
		return -EINVAL;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->options = *options;
	if (options->proxies_count) {
		made->proxies = calloc(options->proxies_count, sizeof(*made->proxies));
		if (!made->proxies) {
			free(made);
			return -ENOMEM;
		}
		memcpy(made->proxies, options->proxies, options->proxies_count * sizeof(*made->proxies));
	}
	made->options.proxies = made->proxies;
	made->daemon = start(made);
	if (!made->daemon) {
		free(made->proxies);
		free(made);
		return -EINVAL;
	}
	made->options.key = NULL; /* the library has its own by now */
	*server = made;
	return 0;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	MHD_stop_daemon(server->daemon);
	free(server->proxies);
	free(server);
}

int http_server_fd(const struct http_server *server)
{
	return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int http_server_timeout_ms(struct http_server *server)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(server->daemon, &ms) == MHD_YES && ms < TURN_MS)
		return (int)ms;
	return TURN_MS;
}

/* Whoever is late. The list is by beginnings, and times differ: all are looked at, once a turn. */
static void end_late(struct http_server *server)
{
	int64_t now = server->options.now_ms(server->options.context);
	struct connection *c;

	if (now - server->looked_ms < TURN_MS / 2)
		return;
	server->looked_ms = now;
	for (c = server->first; c; c = c->next)
		if (!c->shut && c->late_ms <= now)
			shut(c, c->asked ? &server->counts.slow_answers : &server->counts.slow_requests);
}

int http_server_run(struct http_server *server)
{
	end_late(server);
	return MHD_run(server->daemon) == MHD_YES ? 0 : -EIO;
}

struct http_server_counts http_server_counts(const struct http_server *server)
{
	struct http_server_counts counts = server->counts;

	counts.open = server->open;
	return counts;
}
