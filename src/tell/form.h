/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A form as a browser sends it: application/x-www-form-urlencoded, "name=value&name=value", '+' a space and %41 an
 * octet. What comes from outside is taken whole or not at all: names and values are UTF-8 without NUL.
 */
#ifndef HOLDFAST_TELL_FORM_H
#define HOLDFAST_TELL_FORM_H

#include <stddef.h>

#define FORM_FIELDS_MAX 1024

struct form {
	unsigned count;
	struct form_field {
		const char *name, *value;
	} fields[FORM_FIELDS_MAX];
	char text[]; /* what they point into */
};

/* The caller's, to be freed by free(). -EBADMSG: it is none; -E2BIG: it has more fields; -ENOMEM. */
int form_read(const char *body, size_t length, struct form **form);
/* The first of that name; "" where there is none. */
const char *form_get(const struct form *form, const char *name);

#endif
