/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands that are asked about countries have in common: where the databases are, and what is wrong with
 * them.
 */
#ifndef HOLDFAST_CLI_GEO_H
#define HOLDFAST_CLI_GEO_H

#include "trace/geo.h"

/*
 * The folder: `asked`, as typed, or (NULL) what the configuration says; it is the caller's to free. COMMAND_DONE or,
 * said, the exit status: also where the configuration says off.
 */
int geo_find_folder(const char *command, const char *asked, const char *config, char **folder);
/*
 * Opens it, and says what is wrong with any of its files. *geo may be NULL after COMMAND_BAD, and not be: then the
 * others are open.
 */
int geo_open_said(const char *command, const char *folder, struct geo **geo);
/* `holdfast geo update`, behind these words. */
int geo_update_command(int argc, char **argv);

#endif
