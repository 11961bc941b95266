/* SPDX-License-Identifier: Apache-2.0 */
/* How every command speaks on standard error: `holdfast: WHERE: what is wrong; what to do`, safe for a terminal. */
#ifndef HOLDFAST_CLI_SAY_H
#define HOLDFAST_CLI_SAY_H

/* One line. `where` is a file, or a command. What a terminal would obey becomes "?": a file may have any name. */
__attribute__((format(printf, 2, 3))) void say_error(const char *where, const char *format, ...);
/* One line that says all itself, "FILE:LINE:COLUMN: what is wrong; what to do". */
void say_line(const char *line);
/* What "-" stands for, or the path itself. */
const char *say_input(const char *path);
const char *say_output(const char *path);

#endif
