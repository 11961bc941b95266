/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages by which people subscribe to a status page by mail: the form, what is said after it, and the two that links in
 * mails lead to, which show a button, since programs that look through mail follow links, and press none. English and
 * French, no script. None of them says whether an address, or a link, is known.
 */
#ifndef HOLDFAST_TELL_SUBSCRIBE_PAGE_H
#define HOLDFAST_TELL_SUBSCRIBE_PAGE_H

#include <stdio.h>

#include "tell/language.h"

enum subscribe_page_kind {
	SUBSCRIBE_FORM,
	SUBSCRIBE_WRONG,   /* what was sent is no address: the form again */
	SUBSCRIBE_BUSY,    /* too much at a time: the form is not shown */
	SUBSCRIBE_ASKED,   /* a question is on its way, if need be */
	SUBSCRIBE_CONFIRM, /* a button */
	SUBSCRIBE_CONFIRMED,
	SUBSCRIBE_LEAVE, /* a button */
	SUBSCRIBE_LEFT,
	SUBSCRIBE_CUT, /* the link is none of a mail, or not all of it */
	SUBSCRIBE_PAGES
};

/* One of what may be chosen. */
struct subscribe_page_component {
	const char *id, *name;
};

struct subscribe_page {
	enum language language;
	enum subscribe_page_kind kind;
	const char *title;                                 /* whose page it is; "": not said */
	const char *token;                                 /* behind a button; else "" */
	const struct subscribe_page_component *components; /* fewer than two: nothing is to be chosen */
	unsigned components_count;
};

/* 0 or -EIO. */
int subscribe_page_write(FILE *out, const struct subscribe_page *page);

#endif
