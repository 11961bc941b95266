/* SPDX-License-Identifier: Apache-2.0 */
/* Busy days that are no attack, and the scans that are not floods. */
#ifndef SYNTH_INNOCENT_H
#define SYNTH_INNOCENT_H

#include "normal.h"

/* NFS version 3 reads over UDP: 8 KiB answers in fragments, both to and from the platform. */
void innocent_nfs(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t per_s);
/* Players that send and get small datagrams all the time. */
void innocent_game(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t players);
/* A control connection, then UDP and TCP as fast as the line goes, in both directions. */
void innocent_speed_test(struct world *w, int64_t from_ns);
/* Connections older than the capture, seen in one direction only. */
void innocent_backup(struct world *w, int64_t to_ns, uint32_t connections);
/*
 * Connections older than the capture that hardly say a word, as applications on telephones keep them: each sends, once
 * in 20 to 40 s, an answer to a keep-alive, a keep-alive of its own (RFC 9293 section 3.8.4) or a WebSocket pong.
 */
void innocent_idle(struct world *w, int64_t to_ns, uint32_t connections);
/*
 * Clients of a server that does not answer any more: so many a second begin to connect, each asks again as its system
 * does, browsers with a second connection, and some give up.
 */
void innocent_unanswered(struct world *w, struct load l);
/* One source, so many ports of the target, at so many a second. */
void scan_ports(struct world *w, int64_t from_ns, uint32_t ports, uint32_t per_s, char label);
/* One source, one port over the target's whole prefix, as ZMap (identification 54321) does. */
void scan_hosts(struct world *w, int64_t from_ns, uint16_t port, uint32_t per_s, char label);

#endif
