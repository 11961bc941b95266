/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/form.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "tell/words.h"

/* `length` octets of `text`, decoded in their place and ended by NUL; they only get fewer. */
static int decode(char *text, size_t length)
{
	size_t to = 0;

	for (size_t from = 0; from < length; from++) {
		char c = text[from];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = from + 2 < length ? hex_digit(text[from + 1]) : -1;
			int low = from + 2 < length ? hex_digit(text[from + 2]) : -1;

			if (high < 0 || low < 0)
				return -EBADMSG;
			c = (char)(high * 16 + low);
			from += 2;
		}
		if (c == '\0')
			return -EBADMSG;
		text[to++] = c;
	}
	text[to] = '\0';
	for (const char *at = text; *at;) {
		uint32_t code;
		size_t octets = words_utf8(at, &code);

		if (octets == 0)
			return -EBADMSG;
		at += octets;
	}
	return 0;
}

/* One "name=value" of `length` octets, behind which there is room for a NUL. */
static int add(struct form *form, char *part, size_t length)
{
	char *equals = memchr(part, '=', length);
	size_t name_length = equals ? (size_t)(equals - part) : length;
	char *value = equals ? equals + 1 : part + length;
	int result;

	if (form->count == FORM_FIELDS_MAX)
		return -E2BIG;
	result = decode(value, length - (size_t)(value - part));
	if (result == 0)
		result = decode(part, name_length);
	if (result == 0)
		form->fields[form->count++] = (struct form_field){ part, value };
	return result;
}

int form_read(const char *body, size_t length, struct form **form)
{
	struct form *f = malloc(sizeof(*f) + length + 1);
	int result = 0;

	if (!f)
		return -ENOMEM;
	f->count = 0;
	memcpy(f->text, body, length);
	f->text[length] = '\0';
	for (size_t at = 0; at < length && result == 0;) {
		char *end = memchr(f->text + at, '&', length - at);
		size_t part = end ? (size_t)(end - f->text) - at : length - at;

		if (part)
			result = add(f, f->text + at, part);
		at += part + 1;
	}
	if (result == 0)
		*form = f;
	else
		free(f);
	return result;
}

const char *form_get(const struct form *form, const char *name)
{
	for (unsigned i = 0; i < form->count; i++)
		if (strcmp(form->fields[i].name, name) == 0)
			return form->fields[i].value;
	return "";
}
