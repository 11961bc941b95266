/* SPDX-License-Identifier: Apache-2.0 */
/* The daemons' doors: what `holdfast run` and `holdfast serve` call, and by which its own processes come in. */
#ifndef HOLDFAST_DAEMON_DAEMON_H
#define HOLDFAST_DAEMON_DAEMON_H

/* argv[1] of a process that the daemon starts: main calls daemon_role() for it and nothing else. */
#define DAEMON_ROLE_WORD "--role"
#define DAEMON_SOCKET_NAME "control.sock" /* in run_dir */
#define DAEMON_DROPPED_NAME "dropped"     /* in state_dir: who is being dropped, as impact/dropped.h has it */
#define DAEMON_SERVE_PID_NAME "serve.pid" /* in run_dir; locked while `holdfast serve` runs */

/* Defends this host until it is told to end. `config_path` NULL: as config_load(). Returns the exit status. */
int daemon_run(const char *config_path);
/* Serves the public word until it is told to end. */
int daemon_serve(const char *config_path);
/* argc and argv as main got them. Returns the exit status. */
int daemon_role(int argc, char **argv);

#endif
