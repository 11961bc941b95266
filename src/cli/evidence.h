/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles that were made: which there are, and what becomes of them. Each gives the exit status (command.h). */
#ifndef HOLDFAST_CLI_EVIDENCE_H
#define HOLDFAST_CLI_EVIDENCE_H

#include <stdbool.h>

/* Those on record, as a page or as JSON. */
int evidence_list(const char *config, bool json);
/* Packets, addresses and decisions in it are erased now, and that is recorded. */
int evidence_erase(const char *config, const char *bundle);
/* Those whose time is over; and streams of incidents. */
int evidence_expire(const char *config);

#endif
