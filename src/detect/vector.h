/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attack-vector catalogue: one table. A row says how a packet of the vector is recognised on its own, which count
 * of such packets is evidence, and what to say about it: every word about a vector stands here and nowhere else.
 * Sources of ports and marks: US-CERT TA14-017A and later public reports.
 */
#ifndef HOLDFAST_DETECT_VECTOR_H
#define HOLDFAST_DETECT_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observe/observation.h"

enum vector_class {
	VECTOR_REFLECTION,   /* answers that the target never asked for; sources are real relays */
	VECTOR_STATELESS,    /* floods that need no conversation: sources may be forged */
	VECTOR_CONVERSATION, /* needs a completed handshake: sources are real */
	VECTOR_APPLICATION,  /* the same, and shows in what is said: not counted in tracks, see detect/http_watch.h */
	VECTOR_SCAN,
};

/*
 * How many packets in which time are evidence, and from how many sources at least. "Crowd" bounds hold when that many
 * sources take part; "lone" bounds hold for any number. 0 = no such bound. A flood of spoofed SYNs shows by its
 * thousands of sources at 30 packets/s; a single source shows by its rate alone.
 */
struct evidence {
	uint32_t lone_100ms, lone_1s, lone_10s;
	uint32_t crowd_100ms, crowd_100ms_sources;
	uint32_t crowd_1s, crowd_1s_sources;
	uint32_t crowd_10s, crowd_10s_sources;
	uint32_t crowd_60s, crowd_60s_sources;
	/* as lone_1s where few conversations carry the packets, as a call or a download does; 0 = lone_1s */
	uint32_t stream_1s;
	/* factor on crowd bounds there: calls and game clients seen from one side look like that too; 0 = 1 */
	uint32_t stream_crowd;
	uint32_t unheard_long; /* … on windows of 10 s and more: any public service is asked so much by and by; 0 = 1 */
	uint32_t unheard;      /* factor where no answer of the target was ever seen; 0 = 1 */
	uint32_t answered_1s; /* packets per second that are evidence although the target answers; 0 = never */
	/* over 10 s and more: packets per source up to which a crowd is one; clients of a dead server retry; 0 = any */
	uint8_t repeat_max;
	/* of all packets of the kind that must be unsettled: slow clients of a busy service are no flood */
	uint8_t unsettled_percent;
	uint8_t settle_slots; /* 100 ms slots to wait for an answer before a packet counts as unsettled … */
	/* … where the target may be slow, or down: by then who is in earnest has asked again; 0 = as ever */
	uint8_t again_slots;
};

struct vector {
	const char *name;
	const char *title; /* for people: "NTP reflection" */
	enum vector_class class;
	uint8_t protocol;                                    /* 0 = any */
	uint16_t src_port;                                   /* reflections: 0 = any (the mark decides) */
	bool (*mark)(const struct observation *observation); /* NULL = the port alone */
	const struct evidence *evidence;
	const char *explanation; /* for people: what the packets are and do to whom they hit; no full stop */
	const char *advice;      /* … what helps where no packet filter is safe */
};

/* Rows that code refers to by name. Reflections known by their port follow VECTOR_FIRST_REFLECTION. */
/* clang-format off */
enum vector_id {
	VECTOR_NONE,
	VECTOR_SYN, VECTOR_SYN_ACK, VECTOR_ACK, VECTOR_RST, VECTOR_FIN, VECTOR_XMAS, VECTOR_NULL, VECTOR_TCP_CONNECTION,
	VECTOR_UDP, VECTOR_FRAGMENT, VECTOR_ICMP, VECTOR_ICMP_ERROR, VECTOR_GRE, VECTOR_GRE_INSIDE,
	VECTOR_IP_PROTOCOL, VECTOR_IP_INSIDE, VECTOR_LAND,
	VECTOR_DNS_QUERY, VECTOR_QUIC, VECTOR_DHCP, VECTOR_ONE_WAY, VECTOR_QUESTION, VECTOR_IP_STREAM,
	VECTOR_SCAN_PORTS, VECTOR_SCAN_HOSTS, VECTOR_HTTP, VECTOR_SLOW_HTTP, VECTOR_DISCOVERY,
	/* named only after the fact, by what the sum of packets shows: see detect/naming.c */
	VECTOR_UDP_REFLECTION, VECTOR_SYN_ACK_REFLECTION, VECTOR_MIDDLEBOX_REFLECTION,
	VECTOR_FIRST_REFLECTION,
};
/* clang-format on */

/* The catalogue: rows [0, count), a constant each; any other id is VECTOR_NONE's row. */
size_t vector_count(void);
const struct vector *vector_get(uint8_t id);
/* Whether a packet of this kind may be a look of a scan at a port. */
bool vector_is_probe(uint8_t id);
/* What a packet that nobody asked for could be part of. */
uint8_t vector_recognise(const struct observation *observation);
/* What a question would be recognised as that this datagram of a service answers. */
uint8_t vector_of_question(const struct observation *answer);
/* The reflection whose service the given UDP port is, VECTOR_NONE where there is none. */
uint8_t vector_of_service(uint16_t port);

#endif
