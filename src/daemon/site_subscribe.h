/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subscriptions by mail, as strangers ask for them: pages and what is asked of the desk. Pure but for `ask`.
 *
 * Of a network (IPv4 /24, IPv6 /48) so many requests in ten minutes go to the desk, of all so many; the desk has bounds
 * of its own, by address. Whatever becomes of a request, who asked is shown the same.
 */
#ifndef HOLDFAST_DAEMON_SITE_SUBSCRIBE_H
#define HOLDFAST_DAEMON_SITE_SUBSCRIBE_H

#include "daemon/serve_message.h"
#include "record/subscriptions.h"
#include "tell/http_server.h"
#include "tell/subscribe_page.h"

#define SITE_SUBSCRIBE_MS 600000
#define SITE_SUBSCRIBE_NETWORKS 4096 /* those that fall together share one */
#define SITE_SUBSCRIBE_NETWORK_MAX 5
#define SITE_SUBSCRIBE_ALL_MAX 500
#define SITE_SUBSCRIBE_LINKS_MAX 20000 /* confirmed, and left */
#define SITE_SUBSCRIBE_BODY_MAX 16384  /* an address, and all components there may be */

struct site_subscribe {
	int64_t since_ms;
	uint32_t all, links;
	uint8_t networks[SITE_SUBSCRIBE_NETWORKS];
	uint64_t seed;
	uint64_t taken, limited, wrong;
	uint64_t id; /* of the latest question to the desk */
	/* What may be chosen: the caller's, who keeps it. */
	const struct subscribe_page_component *components;
	unsigned components_count;
};

/* What is answered: a page, with its status; where `message` has a type, it is to be sent to the desk first. */
struct site_subscribe_answer {
	struct subscribe_page page;
	unsigned status;
	char token[SERVE_TOKEN_SIZE];
	struct serve_message message;
};

_Static_assert(SERVE_COMPONENTS_SIZE == SUBSCRIPTIONS_COMPONENTS_SIZE, "what is asked for is what is kept");

/* Whether a path is one of these: /subscribe, /confirm, /unsubscribe. */
bool site_subscribe_is(const char *path);
/* `language`: where the request names none. */
void site_subscribe_answer(struct site_subscribe *site, const struct http_server_request *request, int64_t now_ms,
                           enum language language, struct site_subscribe_answer *answer);

#endif
