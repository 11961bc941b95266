/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers may ask of `holdfast serve`: the section `public`. */
#ifndef HOLDFAST_DAEMON_CONFIG_PUBLIC_H
#define HOLDFAST_DAEMON_CONFIG_PUBLIC_H

#include <stdbool.h>
#include <stdint.h>

#include "impact/component.h"
#include "impact/count.h"

#define CONFIG_LISTEN_MAX 4
#define CONFIG_LISTEN_SIZE 64
#define CONFIG_SITES_MAX 64
#define CONFIG_VANTAGES_MAX 24 /* as many keys as a message has descriptors for */
#define CONFIG_HOST_SIZE 256
#define CONFIG_PUBLIC_PATH_SIZE 128

struct config_listen {
	char text[CONFIG_LISTEN_SIZE]; /* "127.0.0.1:8080" */
};

/* A host of which browsers report, and the component that it is. */
struct config_site {
	char host[CONFIG_HOST_SIZE];
	char component[COMPONENT_ID_SIZE];
};

/* Who may report what it probed. */
struct config_vantage {
	char name[VANTAGE_SIZE];
	uint32_t network; /* its AS */
	char key_file[CONFIG_PUBLIC_PATH_SIZE];
};

struct config_public {
	unsigned listen_count; /* 0: there is no public role */
	struct config_listen listen[CONFIG_LISTEN_MAX];
	uint32_t connections, per_address;
	uint32_t network_reports; /* of one network, in five minutes, that count */
	char tls_cert[CONFIG_PUBLIC_PATH_SIZE], tls_key[CONFIG_PUBLIC_PATH_SIZE]; /* "": plain HTTP */
	char gatus_key_file[CONFIG_PUBLIC_PATH_SIZE];                             /* "": Gatus may not */
	char dropped[CONFIG_PUBLIC_PATH_SIZE]; /* who the shield is dropping; "": as `run` writes it into state_dir */
	bool nel;
	char component[COMPONENT_ID_SIZE]; /* what reports are about that name none */
	unsigned site_count, vantage_count;
	struct config_site *sites;       /* owned */
	struct config_vantage *vantages; /* owned */
};

#endif
