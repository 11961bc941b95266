/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of HTTP conversations made by hand, for the tests behind the waist. */
#ifndef HOLDFAST_TESTS_UNIT_MADE_HTTP_H
#define HOLDFAST_TESTS_UNIT_MADE_HTTP_H

#include "made.h"

/* One connection from a client to a server, as far as it has come. */
struct made_connection {
	struct address client, server;
	uint16_t client_port, server_port;
	uint32_t seq, ack; /* the client's */
};

static inline struct made_connection made_connection(struct address client, uint16_t client_port, struct address server,
                                                     uint16_t server_port)
{
	return (struct made_connection){
		client, server, client_port, server_port, client_port * 1000u, 77000u + client_port
	};
}

/* Any number of octets of which the text is the beginning. */
static inline struct observation made_say(struct made_connection *c, int64_t ns, const char *text, uint16_t length)
{
	struct observation o =
		made_tcp(ns, c->client, c->client_port, c->server, c->server_port, TCP_PSH | TCP_ACK, c->seq, c->ack);

	made_payload(&o, text, strlen(text), length);
	if (length == strlen(text)) {
		if (http_read((const uint8_t *)text, length, length, &o.http))
			o.flags |= OBSERVATION_HTTP;
		if (http_ends_block((const uint8_t *)text, length))
			o.flags |= OBSERVATION_BLOCK_END;
	}
	c->seq += length;
	return o;
}

static inline struct observation made_text(struct made_connection *c, int64_t ns, const char *text)
{
	return made_say(c, ns, text, (uint16_t)strlen(text));
}

/* The client takes so many octets of an answer. */
static inline struct observation made_ack(struct made_connection *c, int64_t ns, uint32_t octets, uint16_t window)
{
	struct observation o;

	c->ack += octets;
	o = made_tcp(ns, c->client, c->client_port, c->server, c->server_port, TCP_ACK, c->seq, c->ack);
	o.tcp.window = window;
	return o;
}

static inline struct observation made_end(struct made_connection *c, int64_t ns, bool by_server)
{
	if (by_server)
		return made_tcp(ns, c->server, c->server_port, c->client, c->client_port, TCP_FIN | TCP_ACK, c->ack,
		                c->seq);
	return made_tcp(ns, c->client, c->client_port, c->server, c->server_port, TCP_FIN | TCP_ACK, c->seq, c->ack);
}

/* The server's answer begins. */
static inline struct observation made_answer(struct made_connection *c, int64_t ns, const char *text)
{
	struct observation o =
		made_tcp(ns, c->server, c->server_port, c->client, c->client_port, TCP_PSH | TCP_ACK, c->ack, c->seq);

	made_payload(&o, text, strlen(text), (uint16_t)strlen(text));
	return o;
}

#endif
