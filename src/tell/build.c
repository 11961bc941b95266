/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jansson writes all reals of a text with one precision: 17 digits make .97 a 0.96999999999999997, and six digits are
 * not what a trace is read back from. So the text is written here, real by real with as many as it needs; strings are
 * jansson's.
 */
#include "tell/build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "detect/incident_id.h"
#include "tell/words.h"

#define INDENT 2
#define DIGITS_MIN 6
#define DIGITS_MAX 17 /* enough for any double */
#define REAL_SIZE 40

void build_set(struct build *b, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		b->failed = true;
}

void build_append(struct build *b, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		b->failed = true;
}

json_t *build_integer(uint64_t n)
{
	return json_integer(n <= INT64_MAX ? (json_int_t)n : (json_int_t)INT64_MAX);
}

json_t *build_time(int64_t ns)
{
	char text[TIME_TEXT_SIZE];

	return json_string(time_format((struct capture_time){ ns }, text));
}

json_t *build_time_or_null(int64_t ns)
{
	return ns ? build_time(ns) : json_null();
}

json_t *build_incident(uint64_t incident)
{
	char id[INCIDENT_ID_SIZE];

	return incident ? json_string(incident_id_format(incident, id)) : json_null();
}

json_t *build_text(const char *text, size_t max)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *clean, *at;
	json_t *value;

	if (!text)
		return json_null();
	clean = malloc(strlen(text) * (sizeof(replacement) - 1) + 1);
	if (!clean)
		return NULL;
	at = clean;
	while (*text) {
		uint32_t code;
		size_t length = words_utf8(text, &code), put = length ? length : sizeof(replacement) - 1;

		if (put > max - (size_t)(at - clean))
			break;
		memcpy(at, length ? text : replacement, put);
		at += put;
		text += length ? length : 1;
	}
	*at = '\0';
	value = json_string(clean);
	free(clean);
	return value;
}

/* ---- writing ---- */

struct writer {
	FILE *out;
	unsigned depth;
	int result;
};

static void write_value(struct writer *w, json_t *value);

static void new_line(struct writer *w)
{
	(void)fprintf(w->out, "\n%*s", (int)(w->depth * INDENT), "");
}

static void write_real(struct writer *w, double n)
{
	char text[REAL_SIZE], *exponent;

	for (int digits = DIGITS_MIN; digits <= DIGITS_MAX; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, n);
		if (strtod(text, NULL) == n)
			break;
	}
	exponent = strchr(text, 'e');
	if (!exponent) {
		(void)fprintf(w->out, "%s%s", text, strchr(text, '.') ? "" : ".0");
		return;
	}
	*exponent++ = '\0';
	(void)fprintf(w->out, "%se%ld", text, strtol(exponent, NULL, 10));
}

static void write_string(struct writer *w, const char *text)
{
	json_t *value = json_string(text);
	char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

	if (quoted)
		(void)fputs(quoted, w->out);
	else
		w->result = -ENOMEM;
	free(quoted);
	json_decref(value);
}

/* NOLINTBEGIN(misc-no-recursion): as deep as what is built here */
static void write_array(struct writer *w, const json_t *array)
{
	if (json_array_size(array) == 0) {
		(void)fputs("[]", w->out);
		return;
	}
	w->depth++;
	for (size_t i = 0; i < json_array_size(array); i++) {
		(void)fputc(i ? ',' : '[', w->out);
		new_line(w);
		write_value(w, json_array_get(array, i));
	}
	w->depth--;
	new_line(w);
	(void)fputc(']', w->out);
}

static void write_object(struct writer *w, json_t *object)
{
	bool first = true;

	if (json_object_size(object) == 0)
		(void)fputs("{}", w->out);
	w->depth++;
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		(void)fputc(first ? '{' : ',', w->out);
		new_line(w);
		write_string(w, json_object_iter_key(at));
		(void)fputs(": ", w->out);
		write_value(w, json_object_iter_value(at));
		first = false;
	}
	w->depth--;
	if (!first) {
		new_line(w);
		(void)fputc('}', w->out);
	}
}

static void write_value(struct writer *w, json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		write_object(w, value);
		break;
	case JSON_ARRAY:
		write_array(w, value);
		break;
	case JSON_STRING:
		write_string(w, json_string_value(value));
		break;
	case JSON_INTEGER:
		(void)fprintf(w->out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		write_real(w, json_real_value(value));
		break;
	case JSON_TRUE:
		(void)fputs("true", w->out);
		break;
	case JSON_FALSE:
		(void)fputs("false", w->out);
		break;
	case JSON_NULL:
		(void)fputs("null", w->out);
		break;
	}
}
/* NOLINTEND(misc-no-recursion) */

int build_write(FILE *out, json_t *root)
{
	struct writer w = { .out = out };

	errno = 0;
	write_value(&w, root);
	if (fputc('\n', out) == EOF || fflush(out) != 0 || ferror(out))
		return errno ? -errno : -EIO;
	return w.result;
}
