/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What browsers report of connections that failed: Network Error Logging (W3C, www.w3.org/TR/network-error-logging) by
 * the Reporting API, a body of type application/reports+json:
 *
 *     [{ "age": 420, "type": "network-error", "url": "https://www.example.org/", "user_agent": "…",
 *        "body": { "sampling_fraction": 0.5, "elapsed_time": 18, "phase": "connection", "type": "tcp.timed_out", "protocol": "",
 *                  "method": "GET", "status_code": 0, "server_ip": "192.0.2.1", "referrer": "" } }]
 *
 * Of that host, type, phase, status, fraction and age are looked at, and nothing else is kept. Reports of other types
 * are passed over.
 */
#ifndef HOLDFAST_TELL_NEL_H
#define HOLDFAST_TELL_NEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEL_BODY_MAX 65536 /* octets */
#define NEL_REPORTS_MAX 64 /* of a body: later ones are counted as left out */
#define NEL_HOST_SIZE 256
#define NEL_AGE_MAX_MS (15 * 60 * 1000) /* older ones say nothing of now */
#define NEL_WEIGHT_MAX 1000000
#define NEL_GROUP "holdfast" /* the endpoint's name, in the headers */
#define NEL_PATH "/nel"
#define NEL_URL_MAX 256
#define NEL_MAX_AGE_S 604800u /* so long a browser keeps what the headers say */

enum nel_meaning {
	NEL_GOOD,    /* "ok": it was served */
	NEL_BAD,     /* the service could not be reached, or failed */
	NEL_NEUTRAL, /* says nothing of the service: the user gave up, or asked for what is not there */
	NEL_MEANINGS
};

struct nel_report {
	char host[NEL_HOST_SIZE]; /* small letters, no port */
	const char *type;         /* of the table */
	enum nel_meaning meaning;
	uint32_t weight; /* how many it stands for: 1 / sampling_fraction, at least 1 */
};

/* What became of a body's reports. */
struct nel_counts {
	uint32_t taken;
	uint32_t other;    /* of another type than network-error */
	uint32_t unknown;  /* a type that the specification does not have */
	uint32_t late;     /* older than NEL_AGE_MAX_MS */
	uint32_t wrong;    /* lacks what it should have, or has it wrong */
	uint32_t left_out; /* beyond NEL_REPORTS_MAX */
};

/* 0; -EBADMSG: no such body. `report` is called for each that is taken. */
int nel_read(const char *octets, size_t length, void (*report)(void *context, const struct nel_report *report),
             void *context, struct nel_counts *counts);

/* How a server is told to add a header to its answers. */
enum nel_server { NEL_PLAIN, NEL_NGINX, NEL_APACHE, NEL_HAPROXY, NEL_SERVERS };

bool nel_server_find(const char *word, enum nel_server *server);
/* "plain", "nginx", "apache", "haproxy". */
const char *nel_server_name(enum nel_server server);

struct nel_policy {
	const char *url;      /* of the public role: "https://status.example.org" */
	uint32_t success_ppm; /* of a million requests that went well, so many are reported */
	uint32_t failure_ppm;
	bool subdomains;
};

#define NEL_HEADERS_SIZE 2048

/*
 * The headers that have browsers report: Reporting-Endpoints, Report-To, NEL, each as a line of the server's
 * configuration. 0; -EINVAL: the URL is none of https, or has what a header must not have; a share is more than all.
 */
int nel_headers(const struct nel_policy *policy, enum nel_server server, char text[NEL_HEADERS_SIZE]);

#endif
