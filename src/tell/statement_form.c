/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tell/build.h"
#include "tell/statement_inside.h"

#define WORDS_IN_HEAD 3
#define WORD_SIZE 16
#define DECIMAL 10

static json_t *sentence_at(const json_t *statement, size_t number)
{
	return json_array_get(json_object_get(statement, "sentences"), number - 1);
}

/* ---- what becomes of a sentence ---- */

/* `old` NULL: it is a new one. A new reference. */
static json_t *sentence_of(struct build *b, const json_t *old, const char *text, enum statement_audience audience,
                           bool keep_links, const char *by)
{
	const char *words = json_string_value(json_object_get(old, "text"));
	const json_t *section = json_object_get(old, "section");
	json_t *sentence = old ? json_deep_copy(old) : json_object();
	json_t *evidence = old && keep_links ? json_deep_copy(json_object_get(old, "evidence")) : json_array();

	if (words && strcmp(words, text) == 0) {
		build_set(b, sentence, "audience", json_string(statement_audience_names[audience]));
		json_decref(evidence);
		return sentence;
	}
	json_decref(sentence);
	sentence = json_object();
	build_set(b, sentence, "template", json_null());
	build_set(b, sentence, "section", section ? json_deep_copy(section) : json_null());
	build_set(b, sentence, "audience", json_string(statement_audience_names[audience]));
	build_set(b, sentence, "basis", json_string(statement_basis_names[STATEMENT_WORD]));
	build_set(b, sentence, "by", json_string(by));
	build_set(b, sentence, "text", json_string(text));
	build_set(b, sentence, "pattern", json_null());
	build_set(b, sentence, "evidence", evidence);
	return sentence;
}

/* Takes `sentences` and `title`, which may be NULL: as it was. */
static int finish(struct build *b, const json_t *statement, json_t *title, json_t *sentences, json_t **edited,
                  char error[STATEMENT_ERROR_SIZE])
{
	json_t *whole = json_deep_copy(statement);
	int result;

	if (title)
		build_set(b, whole, "title", title);
	build_set(b, whole, "sentences", sentences);
	result = b->failed ? -ENOMEM : statement_read(whole, error);
	if (result == 0 && json_equal(whole, statement))
		result = -EALREADY;
	if (result == 0)
		*edited = whole;
	else
		json_decref(whole);
	return result;
}

int statement_edit(const json_t *statement, size_t number, const char *text, enum statement_audience audience,
                   bool keep_links, const char *by, json_t **edited, char error[STATEMENT_ERROR_SIZE])
{
	size_t count = json_array_size(json_object_get(statement, "sentences"));
	struct build b = { .failed = false };
	json_t *sentences;

	if (number == 0 || number > count + (text != NULL))
		return statement_wrong(error, "there is no sentence %zu; it has %zu", number, count);
	sentences = json_array();
	for (size_t i = 1; i <= count + (text != NULL && number > count); i++) {
		json_t *old = i <= count ? sentence_at(statement, i) : NULL;

		if (i != number)
			build_append(&b, sentences, json_incref(old));
		else if (text)
			build_append(&b, sentences, sentence_of(&b, old, text, audience, keep_links, by));
	}
	return finish(&b, statement, NULL, sentences, edited, error);
}

/* ---- writing ---- */

static void write_words(FILE *out, const char *text)
{
	(void)fprintf(out, "%s%s\n\n", *text == '[' || *text == '#' || *text == '\\' ? "\\" : "", text);
}

int statement_form_write(const json_t *statement, const char *id, uint64_t revision, FILE *out)
{
	json_t *sentence;
	size_t i;

	(void)fprintf(
		out,
		"# %s, revision %llu: %s, %s. Lines that begin with '#' are left out.\n"
		"# A sentence whose words you change becomes your word and loses its links to the record; [3 public keep]\n"
		"# keeps them. What you take out is gone. [+ public] begins a new one. internal ones are never published.\n\n"
		"[title]\n",
		id, (unsigned long long)revision, json_string_value(json_object_get(statement, "kind")),
		json_string_value(json_object_get(statement, "lang")));
	write_words(out, statement_title(statement));
	json_array_foreach(json_object_get(statement, "sentences"), i, sentence)
	{
		(void)fprintf(out, "[%zu %s]\n", i + 1, json_string_value(json_object_get(sentence, "audience")));
		write_words(out, json_string_value(json_object_get(sentence, "text")));
	}
	return ferror(out) ? -EIO : 0;
}

/* ---- reading ---- */

struct form {
	const json_t *statement;
	const char *by;
	char *error;
	struct build build;
	json_t *title, *sentences;
	bool taken[STATEMENT_SENTENCES_MAX];
	/* of what is being read */
	bool any, is_title, keep_links;
	enum statement_audience audience;
	size_t number; /* 0: a new one */
	char text[STATEMENT_TEXT_MAX + 2];
	size_t length;
	unsigned line;
};

static int end_part(struct form *f)
{
	json_t *old = f->number ? sentence_at(f->statement, f->number) : NULL;

	if (!f->any)
		return 0;
	f->text[f->length] = '\0';
	if (f->length == 0)
		return statement_wrong(f->error, "what ends at line %u has no words; take its head out as well",
		                       f->line);
	if (f->is_title && f->title)
		return statement_wrong(f->error, "line %u: there is one title", f->line);
	if (f->is_title) {
		f->title = json_string(f->text);
		return f->title ? 0 : statement_wrong(f->error, "the title is no UTF-8");
	}
	build_append(&f->build, f->sentences, sentence_of(&f->build, old, f->text, f->audience, f->keep_links, f->by));
	return f->build.failed ? statement_wrong(f->error, "the words that end before line %u are no UTF-8", f->line)
	                       : 0;
}

/* "[3 public keep]": what is between the brackets, word by word. */
static int begin_part(struct form *f, const char *head, size_t length)
{
	char words[WORDS_IN_HEAD][WORD_SIZE] = { "" };
	unsigned count = 0;
	char *end;

	for (size_t at = 1; at < length && head[at] != ']';) {
		size_t word = strcspn(head + at, " ]\n");

		if (count == WORDS_IN_HEAD || word >= WORD_SIZE || at + word >= length)
			return statement_wrong(
				f->error, "line %u: [3 public], [3 internal keep], [+ public] or [title] begins a part",
				f->line);
		memcpy(words[count], head + at, word);
		words[count][word] = '\0';
		count += word > 0;
		at += word + (head[at + word] == ' ');
	}
	f->any = true;
	f->length = 0;
	f->number = 0;
	f->is_title = count == 1 && strcmp(words[0], "title") == 0;
	if (f->is_title)
		return 0;
	f->audience = STATEMENT_PUBLIC;
	while (f->audience < STATEMENT_AUDIENCES && strcmp(words[1], statement_audience_names[f->audience]) != 0)
		f->audience++;
	f->keep_links = count == WORDS_IN_HEAD && strcmp(words[2], "keep") == 0;
	if (f->audience == STATEMENT_AUDIENCES || (count == WORDS_IN_HEAD && !f->keep_links))
		return statement_wrong(f->error,
		                       "line %u: [3 public], [3 internal keep], [+ public] or [title] begins a part",
		                       f->line);
	if (strcmp(words[0], "+") == 0)
		return 0;
	f->number = words[0][0] >= '1' && words[0][0] <= '9' ? strtoul(words[0], &end, DECIMAL) : 0;
	if (f->number == 0 || *end || f->number > json_array_size(json_object_get(f->statement, "sentences")))
		return statement_wrong(f->error, "line %u: there is no sentence %.15s", f->line, words[0]);
	if (f->taken[f->number - 1])
		return statement_wrong(f->error, "line %u: sentence %zu is there twice", f->line, f->number);
	f->taken[f->number - 1] = true;
	return 0;
}

/* Lines are joined by a space; spaces at their ends go. */
static int add_words(struct form *f, const char *line, size_t length)
{
	if (length && *line == '\\') {
		line++;
		length--;
	}
	while (length && (*line == ' ' || *line == '\t')) {
		line++;
		length--;
	}
	while (length && (line[length - 1] == ' ' || line[length - 1] == '\t' || line[length - 1] == '\r'))
		length--;
	if (length == 0)
		return 0;
	if (!f->any)
		return statement_wrong(f->error, "line %u: words before the first [title] or [1 public]", f->line);
	if (f->length + 1 + length > STATEMENT_TEXT_MAX)
		return statement_wrong(f->error, "line %u: more than %d octets in one sentence", f->line,
		                       STATEMENT_TEXT_MAX);
	if (f->length)
		f->text[f->length++] = ' ';
	memcpy(f->text + f->length, line, length);
	f->length += length;
	return 0;
}

static int read_line(struct form *f, const char *line, size_t length)
{
	int result;

	f->line++;
	if (*line == '#')
		return 0;
	if (*line != '[')
		return add_words(f, line, length);
	result = end_part(f);
	return result == 0 ? begin_part(f, line, length) : result;
}

int statement_form_read(const json_t *statement, const char *form, const char *by, json_t **edited,
                        char error[STATEMENT_ERROR_SIZE])
{
	struct form *f = calloc(1, sizeof(*f));
	int result = f ? 0 : -ENOMEM;

	if (!f)
		return result;
	f->statement = statement;
	f->by = by;
	f->error = error;
	f->sentences = json_array();
	while (result == 0 && *form) {
		size_t length = strcspn(form, "\n");

		result = read_line(f, form, length);
		form += length + (form[length] == '\n');
	}
	if (result == 0)
		result = end_part(f);
	if (result == 0 && !f->title)
		result = statement_wrong(error, "the title is missing; begin it with [title]");
	if (result == 0) {
		result = finish(&f->build, statement, f->title, f->sentences, edited, error);
	} else {
		json_decref(f->title);
		json_decref(f->sentences);
	}
	free(f);
	return result;
}
