/* SPDX-License-Identifier: Apache-2.0 */
/* What the report in HTML looks like: on a screen, light and dark, on a phone and on paper. Nothing is fetched. */
#ifndef HOLDFAST_TELL_STYLE_H
#define HOLDFAST_TELL_STYLE_H

/* Lines, closed by NULL. */
extern const char *const report_style[];

#endif
