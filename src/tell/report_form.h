/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "I have a problem": the page by which users report, and the body that their browsers send of it. No script, no
 * cookie, no account, nothing free to type: each field is one of a list. English and French.
 */
#ifndef HOLDFAST_TELL_REPORT_FORM_H
#define HOLDFAST_TELL_REPORT_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "impact/component.h"
#include "tell/language.h"

#define REPORT_FORM_MAX 1024 /* octets of a body */
#define REPORT_FORM_FIELDS_MAX 8
#define REPORT_FORM_NONCE_SIZE 65
#define REPORT_FORM_NAME_SIZE 256 /* octets of a component's name */
#define REPORT_FORM_TYPE "application/x-www-form-urlencoded"

/*
 * What a body says: component and symptom are sure to be there, the others may be "". Whether there is such a
 * component, who takes it knows.
 */
struct report_form {
	char component[COMPONENT_ID_SIZE];
	enum symptom symptom;
	char region[REGION_SIZE]; /* of the page's list, or "" */
	char nonce[REPORT_FORM_NONCE_SIZE];
};

/*
 * Reads "component=login&symptom=slow&region=FR-IDF&nonce=…". 0; -EBADMSG: it is none: not so encoded, no UTF-8, fields
 * twice, unknown, too many, too long; -EINVAL: component or symptom is missing, or what is there is not in the list.
 */
int report_form_read(const char *octets, size_t length, struct report_form *form);

struct report_form_component {
	char id[COMPONENT_ID_SIZE];
	char name[REPORT_FORM_NAME_SIZE];
};

/* Why the page is shown. */
enum report_form_state {
	REPORT_FORM_NEW,
	REPORT_FORM_AGAIN, /* it was open too long, or was sent before: please send it again */
	REPORT_FORM_WRONG, /* something is missing in it */
	REPORT_FORM_BUSY,  /* too much at a time: in a while, please */
	REPORT_FORM_TAKEN, /* thanks: no form */
	REPORT_FORM_STATES
};

struct report_form_page {
	enum language language;
	enum report_form_state state;
	const char *title;                              /* whose service it is; "": not said */
	const struct report_form_component *components; /* none: the whole service is asked about alone */
	unsigned components_count;
	const char *whole;                /* the ID of the whole service, where there are none */
	const char *nonce;                /* "" where there is no form */
	const struct report_form *filled; /* what was sent before, or NULL */
	bool located;                     /* country and network are looked up by the address: the page says so */
};

/* 0 or -EIO. */
int report_form_write(FILE *out, const struct report_form_page *page);
/* Where the page of a language is: "/en/report", "/fr/report". */
const char *report_form_path(enum language language);

#endif
