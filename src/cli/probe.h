/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of `holdfast probe` share: probe.c checks what was typed, probe_run.c what the configuration says, for
 * good.
 */
#ifndef HOLDFAST_CLI_PROBE_H
#define HOLDFAST_CLI_PROBE_H

/* The exit status, said. `config` NULL: the usual one. */
int probe_run(const char *config);

#endif
