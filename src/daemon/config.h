/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: YAML, of which every key has a default and a bound; both stand in tables: config.c, and
 * config_SECTION.c. Unknown keys are errors. All that is wrong with a file is told at once, each with its line and
 * column.
 *
 *     mode: observe | enforce            what a shield that is new begins with
 *     user: holdfast                     whom engine and recorder run as
 *     state_dir: /var/lib/holdfast       the record
 *     run_dir: /run/holdfast             the control socket
 *     bpffs_dir: /sys/fs/bpf/holdfast    what is pinned
 *     geo: /var/lib/holdfast/geo | off   databases of countries and networks
 *     prices: path                       what attacks are offered for; else the table built in
 *     shield:
 *       interfaces: [eth0]
 *       generic: false                   slow generic XDP will do where the driver has none
 *       nftables: true                   so will nftables
 *       block_capacity: 1048576          prefixes per family
 *       sample_budget: 20000             samples a second
 *       block_for: 1h                    how long a block holds for which nothing else is said
 *       management: { ports: [22], from: [prefix...] }
 *     services:
 *       - { name: web, addresses: [prefix...], tcp: [port...], udp: [port...], path: local | forwarded,
 *           syn_cookies: auto, per_source_pps: 0, fallback: limit }
 *     record: { incidents_max: 1024, streams_max: 64, stream_mib: 256, streams_mib: 4096,
 *               evidence_days: 30 }
 *     allow: [prefix...]   allow_files: [path...]   block_files: [path...]
 *     trusted_proxies: [prefix...]
 *     alerts:
 *       - { name: pager, type: pagerduty | slack | telegram | alertmanager | webhook | script, url: URL,
 *           key_file: path, chat: "...", script: path, min_pps: 0 }
 *     page:                              the public status page
 *       title: ..., title_fr: ...        what it is about
 *       url: URL                         where it will stand
 *       report_url: URL                  where users report problems, if not at /report of `public`
 *       languages: [en, fr]              the first is at its root
 *       stale_after: 1h                  how long a page holds
 *       key_file: path                   minisign's secret key, without a password
 *       directory: path                  where it is written
 *       measured: false                  what is measured of components is shown
 *       publish_every: 5m | off          how often `holdfast serve` writes it anew
 *       targets:                         to which it is copied
 *         - { name: WORD, rsync: "USER@HOST:/PATH", ssh_key: path, known_hosts: path, ssh_port: 22 }
 *     probes:                            what is checked from outside, by `holdfast serve` or `holdfast probe --run`
 *       every: 60s
 *       vantage: WORD, network: 64496    what this place is called, and the network it is in
 *       home: URL, key_file: path        where a place that is elsewhere reports to
 *       ca_file: path                    certificates that are trusted, instead of the system's
 *       canaries: [URL...]               places that surely are up
 *       checks:
 *         - { name: WORD, component: WORD, target: URL, timeout: 10s, expect_status: N, expect_text: "...",
 *             resolver: ADDRESS }
 *     mail: { smtp: "smtp://HOST:587", from: ADDRESS, name: ..., user: ..., password_file: path, ca_file: path,
 *             public_url: URL, tls: required | none }   who takes mail to subscribers
 *     webhooks:                          web servers that are told what is published
 *       - { name: WORD, url: URL, secret_file: path, components: [ID...], lang: en | fr }
 *     console:                           what operators do by a browser, of `holdfast serve`
 *       listen: 127.0.0.1:8081           loopback alone
 *       tokens:
 *         - name: WORD                   who it is; the same as their login's, if they have one
 *           role: read | operate | publish
 *           token: sha256:HEX            as `holdfast console token` prints it
 *     public:                            what strangers may ask of `holdfast serve`
 *       listen: ["127.0.0.1:8080"]       none: nothing
 *       connections: 1024, per_address: 32
 *       network_reports: 300             of one network, in five minutes, that count
 *       tls_cert: path, tls_key: path    else plain HTTP
 *       gatus_key_file: path             the token of Gatus' external endpoint
 *       dropped: path                    whom the shield drops; else as `run` writes it into state_dir
 *       nel: true                        browsers' own reports
 *       component: service               what reports are about that name none
 *       sites: [{ host: WORD, component: WORD }]             of which browsers report; none: any, as `component`
 *       vantages: [{ name: WORD, network: ASN, key_file: path }]   who may report what it probed
 *     logs:                              access logs that `holdfast serve` reads
 *       - { component: WORD, file: path | syslog: ADDRESS:PORT, from: [prefix...], format: auto, zone: "+00:00" }
 */
#ifndef HOLDFAST_DAEMON_CONFIG_H
#define HOLDFAST_DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prefix.h"
#include "daemon/config_console.h"
#include "daemon/config_public.h"
#include "daemon/prefix_file.h"
#include "defend/fallback.h"
#include "impact/probe.h"
#include "impact/access_log.h"
#include "impact/component.h"
#include "shield/shield.h"
#include "tell/alert.h"
#include "tell/language.h"

#define CONFIG_DEFAULT_PATH "/etc/holdfast/holdfast.yaml"
#define CONFIG_VARIABLE "HOLDFAST_CONFIG"
#define CONFIG_STATE_DIR "/var/lib/holdfast"
#define CONFIG_RUN_DIR "/run/holdfast"
#define CONFIG_FILE_MAX (1u << 20) /* octets */
#define CONFIG_RESOLVER_SIZE 64    /* of an address and a port */
#define CONFIG_PATH_SIZE 128       /* of a directory or file that it names */
#define CONFIG_RUN_DIR_MAX 90      /* octets; "/control.sock" behind it fits into a socket's address */
#define CONFIG_USER_SIZE 33
#define CONFIG_INTERFACE_SIZE 16 /* IFNAMSIZ */
#define CONFIG_SERVICES_MAX (SHIELD_SERVICES_MAX - 1)
#define CONFIG_MANAGEMENT_MAX 8 /* ports, networks, and their product; the rest of the guard is for what is learned */
#define CONFIG_FILES_MAX 16     /* allow_files, and block_files */
#define CONFIG_BLOCK_DAYS_MAX 90
#define CONFIG_ERRORS_MAX 32
#define CONFIG_ERROR_SIZE 320

struct config_ports {
	uint16_t *ports; /* owned */
	unsigned count;
};

struct config_service {
	char name[SHIELD_NAME_SIZE];
	struct prefix_list addresses;
	struct config_ports tcp, udp;
	bool forwarded;                  /* path: what it is for stands behind this host */
	enum shield_cookies syn_cookies; /* under a flood of SYNs the shield answers them in the host's stead */
	uint32_t per_source_pps;
	enum fallback_allowed fallback; /* where no signature is safe */
};

#define CONFIG_ALERTS_MAX 16

/* Whom to tell. */
struct config_alert {
	struct alert_target target;
	char key_file[CONFIG_PATH_SIZE]; /* "": none */
	char script[CONFIG_PATH_SIZE];
};

#define CONFIG_PAGE_TITLE_SIZE 128
#define CONFIG_PAGE_TARGETS_MAX 8
#define CONFIG_RSYNC_SIZE 256

/* A server that the status page is copied to. */
struct config_page_target {
	char name[ALERT_NAME_SIZE];
	char rsync[CONFIG_RSYNC_SIZE];                                 /* "user@host:/path" */
	char ssh_key[CONFIG_PATH_SIZE], known_hosts[CONFIG_PATH_SIZE]; /* "": ssh's own */
	uint32_t ssh_port;
};

#define CONFIG_LOGS_MAX 16
#define CONFIG_LOG_FROM_MAX 64

/* An access log: a file that is added to, or datagrams of syslog. */
struct config_log {
	char component[COMPONENT_ID_SIZE];
	char file[CONFIG_PATH_SIZE];     /* "": by syslog */
	char syslog[CONFIG_LISTEN_SIZE]; /* as it was written; it listens at: */
	struct address listen;
	uint16_t port;
	struct prefix_list from; /* who may send; none: this host alone */
	enum access_format format;
	int32_t zone_s;
};

struct config_page {
	char title[LANGUAGES][CONFIG_PAGE_TITLE_SIZE]; /* "": as in another language, or the host's name */
	char url[ALERT_URL_SIZE];                      /* "": nobody said */
	char report_url[ALERT_URL_SIZE]; /* where users report; "": at the page's own host, if it is public */
	unsigned language_count;
	enum language languages[LANGUAGES];
	int64_t stale_after_ns;
	char key_file[CONFIG_PATH_SIZE];  /* "": page.key in the state_dir, if it is there */
	char directory[CONFIG_PATH_SIZE]; /* "": nobody said */
	bool measured;            /* states of components follow what is measured, where no operator said otherwise */
	int64_t publish_every_ns; /* 0: off */
	unsigned target_count;
	struct config_page_target *targets; /* owned */
};

#define CONFIG_MAILBOX_SIZE 255

/* The server that takes mail to subscribers; smtp "": there is none. */
struct config_mail {
	char smtp[ALERT_URL_SIZE]; /* "smtp://mail.example.org:587", "smtps://…" */
	char from[CONFIG_MAILBOX_SIZE], name[CONFIG_PAGE_TITLE_SIZE];
	char user[CONFIG_MAILBOX_SIZE], password_file[CONFIG_PATH_SIZE]; /* "": nobody is asked */
	char ca_file[CONFIG_PATH_SIZE];                                  /* "": the system's */
	char public_url[ALERT_URL_SIZE]; /* where the public role is reached; "": page.url */
	bool no_tls;
};

#define CONFIG_WEBHOOKS_MAX 16
#define CONFIG_WEBHOOK_COMPONENTS_MAX 15
#define CONFIG_WEBHOOK_COMPONENTS_SIZE 512

#define CONFIG_LANG_SIZE 4

struct config_webhook {
	char name[ALERT_NAME_SIZE];
	char url[ALERT_URL_SIZE];
	char secret_file[CONFIG_PATH_SIZE];
	char components[CONFIG_WEBHOOK_COMPONENTS_SIZE]; /* IDs with commas between; "": all */
	char lang[CONFIG_LANG_SIZE];                     /* "en"; "": the page's first */
};

struct config_file {
	char path[CONFIG_PATH_SIZE];
};

/* What is checked, and of what component that speaks. Texts are good as impact/probe.h has it. */
struct config_probe {
	char name[PROBE_NAME_SIZE];
	char component[COMPONENT_ID_SIZE];
	char target[PROBE_TARGET_SIZE];
	int64_t timeout_ns;
	uint32_t expect_status; /* 0: 200 to 299 */
	char expect_text[PROBE_TEXT_SIZE];
	char resolver[CONFIG_RESOLVER_SIZE];
};

struct config_probes {
	int64_t every_ns;
	char vantage[VANTAGE_SIZE]; /* "": this host, where the record is */
	uint32_t network;           /* 0: not known */
	char home[ALERT_URL_SIZE];  /* "": what is counted stays here */
	char key_file[CONFIG_PATH_SIZE], ca_file[CONFIG_PATH_SIZE];
	unsigned canary_count;
	char canaries[PROBE_CANARIES_MAX][PROBE_TARGET_SIZE];
	unsigned check_count;
	struct config_probe *checks; /* owned */
};

struct config {
	bool enforce;
	char user[CONFIG_USER_SIZE];
	char state_dir[CONFIG_PATH_SIZE], run_dir[CONFIG_PATH_SIZE], bpffs_dir[CONFIG_PATH_SIZE];
	char geo[CONFIG_PATH_SIZE];    /* "": off */
	char prices[CONFIG_PATH_SIZE]; /* "": those built in */
	unsigned interface_count;
	char interfaces[SHIELD_INTERFACES_MAX][CONFIG_INTERFACE_SIZE];
	bool generic, nftables;
	uint32_t block_capacity, sample_budget;
	int64_t block_for_ns;
	uint32_t incidents_max, streams_max, stream_mib, streams_mib; /* of the record */
	uint32_t evidence_days;                                       /* that personal data are kept; 0: for ever */
	struct config_ports management_ports;
	struct prefix_list management_from;
	unsigned service_count;
	struct config_service *services; /* owned */
	struct prefix_list allow, trusted_proxies;
	unsigned allow_file_count, block_file_count;
	struct config_file *allow_files, *block_files; /* owned */
	unsigned alert_count;
	struct config_alert *alerts; /* owned */
	struct config_page page;
	struct config_probes probes;
	struct config_mail mail;
	unsigned webhook_count;
	struct config_webhook *webhooks; /* owned */
	struct config_public public_role;
	struct config_console console;
	struct config_log *logs; /* owned */
	unsigned log_count;
};

/* "FILE:LINE:COLUMN: what is wrong; what to do", without an end of line. */
struct config_errors {
	unsigned count, more; /* more: for which there was no room */
	char lines[CONFIG_ERRORS_MAX][CONFIG_ERROR_SIZE];
};

/* Every default; to be ended by config_fini() like what was loaded. -ENOMEM. */
int config_init(struct config *config);
void config_fini(struct config *config);
void config_probe_check(const struct config_probe *probe, struct probe_check *check);
void config_canary_check(const char *target, struct probe_check *check);

/*
 * `path` NULL: what $HOLDFAST_CONFIG names, else CONFIG_DEFAULT_PATH, which may be missing: then every default holds.
 * 0; -EINVAL with errors->count > 0, also for a file that cannot be read; -ENOMEM. *config is written only on success.
 */
int config_load(const char *path, struct config *config, struct config_errors *errors);
/* The same of a text in memory; `name` is what it is called in errors. */
int config_parse(const char *text, size_t length, const char *name, struct config *config,
                 struct config_errors *errors);
/* What config_load() would read, as text that is the caller's to free; "" for the default file that is missing. */
int config_read(const char *path, char **text, size_t *length, const char **name, struct config_errors *errors);
/*
 * Whether rsync can be given it, and a shell far away too: [USER@]HOST:/PATH, of letters, digits and "._-" alone, and
 * "/".
 */
bool config_rsync_is_good(const char *target);
/*
 * Reads allow_files, block_files, prices, and the keys and scripts of alerts, webhooks and mail to see that they can
 * be: 0, or -EINVAL. What else `holdfast serve` reads it complains of itself.
 */
int config_check_files(const struct config *config, struct config_errors *errors);

#endif
