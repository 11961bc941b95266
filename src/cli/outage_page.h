/* SPDX-License-Identifier: Apache-2.0 */
/* An outage for people: what was measured, what may be said of it, what explains it, and what is not known. */
#ifndef HOLDFAST_CLI_OUTAGE_PAGE_H
#define HOLDFAST_CLI_OUTAGE_PAGE_H

#include "impact/harm.h"
#include "record/reckon.h"
#include "tell/paper.h"

/* Of all in a list: one line each, under a first. */
void outage_page_head(const struct paper *paper);
void outage_page_line(const struct paper *paper, const struct harm *harm);
/* All of one. */
void outage_page_show(const struct paper *paper, const struct harm *harm);
/* What is usual of a component is known how well. */
void outage_page_component(const struct paper *paper, const struct reckon_component *component);
/* "elevated user reports": what may be published, for people. */
const char *outage_page_word(enum belief_word word);

#endif
