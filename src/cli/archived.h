/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents that the daemon has recorded, found and read without it; what goes wrong is said. */
#ifndef HOLDFAST_CLI_ARCHIVED_H
#define HOLDFAST_CLI_ARCHIVED_H

#include <stdbool.h>

#include <jansson.h>

#include "daemon/config.h"
#include "record/archive.h"

#define ARCHIVED_PATH_SIZE ARCHIVE_FILE_PATH_SIZE

struct archived {
	char folder[CONFIG_PATH_SIZE]; /* state_dir */
	struct archive_incident head;
	char stream[ARCHIVED_PATH_SIZE];
	bool has_stream;
};

/* COMMAND_DONE or, said, the exit status. `config` NULL: the usual one. */
int archived_folder(const char *command, const char *config, char folder[CONFIG_PATH_SIZE]);
/* `name`: the beginning of an ID, or "latest". */
int archived_find(const char *command, const char *config, const char *name, struct archived *archived);
/* Its file, an object with a member "analysis": the caller's. */
int archived_read(const struct archived *archived, json_t **whole);
/* Says why a folder or file of the archive cannot be read. COMMAND_BAD. */
int archived_refuse(const char *folder, int result);

#endif
