/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The services of a host, as the configuration names them (YAML; `services:` in holdfast.yaml, and whatever `analyze
 * --services` is given):
 *
 *     services:
 *       - { name: web, addresses: [192.0.2.10, "2001:db8::10"], tcp: [80, 443], udp: [443], path: local }
 *
 * The whole configuration may be given; of its other keys trusted_proxies means here what it means there, and mode and
 * shield are known and mean nothing.
 */
#ifndef HOLDFAST_CLI_SERVICES_H
#define HOLDFAST_CLI_SERVICES_H

#include "base/prefix.h"
#include "engine/engine.h"

#define SERVICES_FILE_MAX (1u << 20) /* octets of a configuration */
#define SERVICES_MAX 1024
#define SERVICES_ADDRESSES_MAX 64 /* of one service */
#define SERVICES_PORTS_MAX 1024   /* of one service and protocol */
#define SERVICES_NAME_MAX 64      /* octets */
#define SERVICES_ERROR_SIZE 512

struct services; /* opaque */

/* NULL with one line in `error` (without the path; with line and column where they are known). */
struct services *services_load(const char *path, char error[SERVICES_ERROR_SIZE]);
void services_free(struct services *services);

/*
 * The service that a finding's target is: the only one with an address in the target (or around it); of several, the
 * only one that has one of the ports attacked. NULL where that leaves none or more than one. `context` is a struct
 * services.
 */
const char *services_name(const void *context, const struct finding *finding);
/* Proxies that users come through: what comes from them is nobody's address. Borrowed. */
const struct prefix *services_trusted(const struct services *services, uint32_t *count);

#endif
