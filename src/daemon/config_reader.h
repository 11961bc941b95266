/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reads the configuration: tables of keys, and how a value of each kind is read. Who reads a value complains of
 * what is wrong with it, and goes on; nothing is put into a field then.
 *
 * A section of the file (a key at its top) has a file of its own, config_SECTION.c, with
 *
 *     const struct config_key config_SECTION_keys[];  a mapping's: offsets are those of struct config
 *     void config_SECTION_init(...), _fini(...)       what a table cannot say; what is owned
 *
 * or, where the section is a list, its reader, which calls config_read_items(). It is declared below, stands in a row
 * of config_keys (config.c), in config_init() and config_fini() if it has those, in the description in config.h, in the
 * manual and in dist/holdfast.yaml.
 */
#ifndef HOLDFAST_DAEMON_CONFIG_READER_H
#define HOLDFAST_DAEMON_CONFIG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#include "daemon/config.h"

#define CONFIG_REPEATED_MAX 60 /* octets of a value that an error repeats */
#define CONFIG_KEYS_MAX 32     /* of one mapping */

struct config_reader {
	yaml_document_t document;
	const char *name;
	struct config_errors *errors;
	bool out_of_memory;
};

struct config_key;
/* Reads `node` into the field at `field`, or complains. */
typedef void config_read_value(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                               void *field);

/* The last row of a table has no name. */
struct config_key {
	const char *name;
	config_read_value *read;
	size_t offset;
	int64_t low, high;             /* of the number, the time, the text's octets, or the list's length */
	int64_t standard;              /* what holds where the key is missing */
	const char *standard_is;       /* the same for texts */
	const struct config_key *keys; /* of a mapping within */
	bool is_enum;                  /* the field is one, and `standard` its value */
	bool needed;
};

__attribute__((format(printf, 2, 3))) void config_complain_of_file(struct config_errors *errors, const char *format,
                                                                   ...);
__attribute__((format(printf, 3, 4))) void config_complain(struct config_reader *reader, const yaml_mark_t *mark,
                                                           const char *format, ...);

/* ---- nodes ---- */

/* "a list", "a mapping", "one value". */
const char *config_kind_of(const yaml_node_t *node);
/* Nothing is written there, or null. */
bool config_is_nothing(const yaml_node_t *node);
/* The text of a node that is one value, or NULL after a complaint. `name` is what it is called. */
const char *config_scalar(struct config_reader *reader, const char *name, const yaml_node_t *node);
/* A scalar of at most key->high octets, without control characters; NULL after a complaint. */
const char *config_short_text(struct config_reader *reader, const struct config_key *key, const char *name,
                              const yaml_node_t *node);
/* The same of a path that means one place whoever reads it, from wherever. */
const char *config_path_text(struct config_reader *reader, const struct config_key *key, const char *name,
                             const yaml_node_t *node);
/* Digits alone, as a number. */
bool config_digits(const char *text, int64_t *value);

/* ---- values ---- */

config_read_value config_read_number;   /* uint32_t, from low to high */
config_read_value config_read_bool;     /* bool */
config_read_value config_read_choice;   /* bool: of two words, "FALSE|TRUE" in standard_is; the default is the first */
config_read_value config_read_duration; /* int64_t, nanoseconds, from low to high */
config_read_value config_read_name;     /* char[high + 1] */
config_read_value config_read_word; /* the same, of letters, digits, '_', '-' and '.': what is typed behind a command */
config_read_value config_read_url;  /* char[high + 1]: http or https, no user in it */
config_read_value config_read_path; /* char[high + 1] */
config_read_value config_read_prefixes; /* struct prefix_list */
config_read_value config_read_ports;    /* struct config_ports */
config_read_value config_read_mapping;  /* key->keys, whose fields stand in the struct around it: its own offset is 0 */

/* ---- lists and mappings ---- */

/* How many items a list has that is not longer than `high`; 0 for none, and after a complaint. */
unsigned config_list_length(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                            int64_t high);
const yaml_node_t *config_list_item(struct config_reader *reader, const yaml_node_t *node, unsigned i);
/* Zeroed, the caller's; NULL where memory is at an end, which is noted. */
void *config_list_new(struct config_reader *reader, unsigned count, size_t size);

/* Of a list of mappings. */
struct config_items {
	const char *what;  /* "a service" */
	const char *wants; /* "a name and addresses" */
	/*
	 * "services": each is to have a name of its own, which is the first field of its struct; NULL: they need not.
	 */
	const char *several;
	const struct config_key *keys;
	size_t size; /* of an item's struct */
	/* NULL, or what no single key can say; called for an item with which nothing is wrong so far. */
	void (*check)(struct config_reader *reader, const yaml_node_t *node, const void *item);
};

/*
 * At most key->high structs, the caller's, with their number; NULL where memory is at an end. What they own is theirs.
 */
void *config_read_items(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                        const struct config_items *items, unsigned *count);
/* Fills in what holds where a key is missing; a field that no row has a standard for stays as it is. */
void config_set_standards(const struct config_key *keys, void *base);
/* `what` is what the mapping is called. */
void config_read_keys(struct config_reader *reader, const char *what, const struct config_key *keys,
                      const yaml_node_t *node, void *base);

/* ---- sections in files of their own ---- */

extern const struct config_key config_page_keys[];
void config_page_init(struct config_page *page);
void config_page_fini(struct config_page *page);
extern const struct config_key config_probes_keys[];
void config_probes_fini(struct config_probes *probes);
extern const struct config_key config_console_keys[];
void config_console_fini(struct config_console *console);
extern const struct config_key config_public_keys[];
void config_public_fini(struct config_public *public_role);

extern const struct config_key config_mail_keys[];
/* What no single key can say; once all is read. */
void config_mail_check(struct config_reader *reader, const yaml_node_t *root, const struct config *config);
config_read_value config_read_webhooks; /* config.webhooks */
config_read_value config_read_logs;     /* the list */
void config_logs_fini(struct config *config);

#endif
