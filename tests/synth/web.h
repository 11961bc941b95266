/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 in clear text on port 80 of the target: what people, programs and machines ask for on busy days, and what
 * attack tools do to it. Of an attack's connections only what its clients say is labelled as the attack: requests,
 * their pieces, closed windows. Handshakes, acknowledgements and the server's side are what the attack makes hosts send
 * (label r).
 */
#ifndef SYNTH_WEB_H
#define SYNTH_WEB_H

#include "normal.h"
#include "reflect.h"

#define WEB_PLAIN_PORT 80

struct web_attack {
	char label;
	int64_t from_ns, to_ns;
	uint32_t per_s;       /* floods: requests of all machines together, at scale 100 */
	uint32_t connections; /* slow: held at once, at scale 100 */
	const struct pool *pool;
	bool overwhelms; /* the server cannot answer most of it */
};

/* A new connection for each request, each for another query with another parameter name. */
void web_flood_names(struct world *w, const struct web_attack *a);
/* Each machine keeps its connections and asks for the same page again and again. */
void web_flood_botnet(struct world *w, const struct web_attack *a);
/* A header line every ten seconds, no end of the header. */
void web_slow_header(struct world *w, const struct web_attack *a);
/* A long body is announced and comes octet by octet. */
void web_slow_body(struct world *w, const struct web_attack *a);
/* A large answer is asked for and not taken. */
void web_slow_read(struct world *w, const struct web_attack *a);

/*
 * People with browsers: a page and what belongs to it. The server answers within delay_ns at most, and refuses one in
 * `refused` (0: none).
 */
void web_people(struct world *w, struct load l, int64_t delay_ns, uint32_t refused);
/* One client that follows links, thirty a second, on two connections. */
void web_crawler(struct world *w, int64_t from_ns, int64_t to_ns);
/* Machines that ask whether the server is well, each once a second, in one way. */
void web_monitors(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t monitors);
/* One client that asks for one page as fast as it is answered, a connection each. */
void web_load_test(struct world *w, int64_t from_ns, int64_t to_ns);
/*
 * Clients whose requests wait for something to happen, half a minute and more; one in three speaks WebSocket instead.
 */
void web_waiting(struct world *w, int64_t to_ns, uint32_t clients);
/* One application on many telephones, all of which ask for the same thing once a second. */
void web_polling(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t clients);
/* Clients that upload megabytes. */
void web_uploads(struct world *w, int64_t from_ns, uint32_t clients);
/*
 * Clients on bad lines: requests in two pieces with seconds between, uploads that stall, answers that they are slow to
 * take.
 */
void web_slow_lines(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t clients);
/* A few caches that fetch for everybody else, on connections that they keep. */
void web_caches(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t per_s);
/* Everybody comes through sixty proxies, each request on a new connection, most for one page. */
void web_proxies(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t per_s);
/* The application of web_polling, on telephones of which several share an address. */
void web_translated(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t clients, uint32_t addresses);

#endif
