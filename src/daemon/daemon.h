/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's two doors: what `holdfast run` calls, and by which its own processes come in. */
#ifndef HOLDFAST_DAEMON_DAEMON_H
#define HOLDFAST_DAEMON_DAEMON_H

/* argv[1] of a process that the daemon starts: main calls daemon_role() for it and nothing else. */
#define DAEMON_ROLE_WORD "--role"
#define DAEMON_SOCKET_NAME "control.sock" /* in run_dir */

/* Defends this host until it is told to end. `config_path` NULL: as config_load(). Returns the exit status. */
int daemon_run(const char *config_path);
/* argc and argv as main got them. Returns the exit status. */
int daemon_role(int argc, char **argv);

#endif
