/* SPDX-License-Identifier: Apache-2.0 */
/* How pages in HTML look: lines of CSS, to be written one behind the other; the last is NULL. */
#ifndef HOLDFAST_TELL_STYLE_H
#define HOLDFAST_TELL_STYLE_H

extern const char *const style_base[];                              /* colours, type: for every page, and first */
extern const char *const style_chart[];                             /* chart.h */
extern const char *const style_report[], *const style_report_too[]; /* before style_chart, and behind it */
extern const char *const style_picture[];                           /* picture.h: behind all of them */

#endif
