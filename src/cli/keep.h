/* SPDX-License-Identifier: Apache-2.0 */
/* What an analysis found, into a folder as the daemon's recorder leaves it: incidents, and their traces as roll-ups. */
#ifndef HOLDFAST_CLI_KEEP_H
#define HOLDFAST_CLI_KEEP_H

#include "engine/engine.h"
#include "tell/analysis.h"

/* `live` NULL: it was a capture. The folder is made where it is not there. COMMAND_DONE or, said, the exit status. */
int keep_incidents(const char *folder, const struct analysis_input *input, const struct engine *engine,
                   const struct analysis_live *live);

#endif
