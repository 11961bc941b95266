/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console's pages of statements: what each sentence says, to whom, on what it rests; and what may be done with it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tell/console_html.h"
#include "tell/console_pieces.h"
#include "tell/facts.h"
#include "tell/statement.h"
#include "tell/status_inside.h"

#define NONE CONSOLE_WORDS_COUNT
#define SHOWN 12 /* digits of a hash */

static const char *number_text(uint64_t number, char text[24])
{
	(void)snprintf(text, 24, "%" PRIu64, number);
	return text;
}

/* ---- sentences ---- */

static void link_of(const view_t *v, const json_t *link)
{
	char *value = json_dumps(json_object_get(link, "value"), JSON_ENCODE_ANY | JSON_COMPACT);

	console_raw(v, "<li><strong>");
	console_text(v, value ? value : "");
	console_raw(v, "</strong> (<code>");
	console_text(v, fact_text(link, "fact"));
	console_raw(v, "</code>, ");
	console_term(v, CONSOLE_ISES, fact_text(link, "is"));
	console_raw(v, ", <code>");
	console_text(v, fact_text(link, "in"));
	console_raw(v, " ");
	console_text(v, fact_text(link, "at"));
	console_raw(v, "</code>)</li>");
	free(value);
}

/* What does not hold of a sentence; else that it does. */
static void holds(const view_t *v, const json_t *kept, size_t number)
{
	bool good = true;
	json_t *mistake;
	size_t i;

	json_array_foreach(json_object_get(kept, "mistakes"), i, mistake)
	{
		if (fact_count(mistake, "sentence") != number)
			continue;
		good = false;
		console_raw(v, "<li class=\"down\"><span class=\"badge\">");
		console_say(v, CONSOLE_WORD_BREAKS);
		console_sentence_say(v, fact_text(mistake, "text"));
		console_raw(v, "</span></li>");
	}
	if (good) {
		console_raw(v, "<li class=\"ok\"><span class=\"badge\">");
		console_say(v, CONSOLE_WORD_HOLDS);
		console_raw(v, "</span></li>");
	}
}

static void evidence(const view_t *v, const json_t *kept, const json_t *sentence, size_t number)
{
	const char *basis = fact_text(sentence, "basis");
	const json_t *links = json_object_get(sentence, "evidence");
	json_t *link;
	size_t i;

	if (strcmp(basis, "form") == 0) {
		console_element(v, "small", CONSOLE_WORD_FORM_ONLY);
		return;
	}
	if (strcmp(basis, "word") == 0) {
		console_raw(v, "<small>");
		console_say(v, CONSOLE_WORD_WORD_OF, fact_text(sentence, "by"));
		console_raw(v, "</small>");
	}
	if (json_array_size(links) == 0)
		return;
	console_raw(v, "<details><summary>");
	console_say(v, CONSOLE_WORD_EVIDENCE);
	console_raw(v, "</summary><ul class=\"links\">");
	json_array_foreach(links, i, link)
	{
		link_of(v, link);
	}
	holds(v, kept, number);
	console_raw(v, "</ul></details>");
}

static void sentences(const view_t *v, const json_t *kept)
{
	const json_t *statement = json_object_get(kept, "statement");
	json_t *sentence;
	size_t i;

	console_raw(v, "<ol class=\"sentences\" lang=\"");
	console_text(v, fact_text(statement, "lang"));
	console_raw(v, "\">\n");
	json_array_foreach(json_object_get(statement, "sentences"), i, sentence)
	{
		bool internal = statement_is_internal(sentence);

		(void)fprintf(v->out, "<li><span class=\"badge %s\" lang=\"%s\">", internal ? "deg" : "ok",
		              language_code(v->language));
		console_say(v, internal ? CONSOLE_WORD_INTERNAL : CONSOLE_WORD_PUBLIC);
		console_raw(v, "</span><div><p>");
		console_text(v, fact_text(sentence, "text"));
		(void)fprintf(v->out, "</p><div lang=\"%s\">", language_code(v->language));
		evidence(v, kept, sentence, i + 1);
		console_raw(v, "</div></div></li>\n");
	}
	console_raw(v, "</ol>\n");
}

static void left_out(const view_t *v, const json_t *statement)
{
	const json_t *list = json_object_get(statement, "left_out");
	json_t *one;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	console_raw(v, "<details><summary>");
	console_say(v, CONSOLE_WORD_LEFT_OUT);
	console_raw(v, "</summary><ul class=\"links\">");
	json_array_foreach(list, i, one)
	{
		console_raw(v, "<li><code>");
		console_text(v, fact_text(one, "template"));
		console_raw(v, "</code> ");
		console_sentence_say(v, fact_text(one, "why"));
		console_raw(v, "</li>");
	}
	console_raw(v, "</ul></details>\n");
}

/* What a name of the group is called; the name where it is none. */
static const char *term_word(const view_t *v, enum console_terms group, const char *name)
{
	const struct console_term *term = console_term_find(group, name);

	return term ? console_word(v->language, term->word) : name;
}

static void acts(const view_t *v, const json_t *kept)
{
	const json_t *list = json_object_get(kept, "acts");
	json_t *act;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	console_element(v, "h3", CONSOLE_WORD_ACTS);
	console_raw(v, "<ul class=\"meta\">");
	json_array_foreach(list, i, act)
	{
		char when[LANGUAGE_TEXT_SIZE], revision[24];

		console_raw(v, "<li>");
		console_say(v, CONSOLE_WORD_ACT_OF, term_word(v, CONSOLE_STATES, fact_text(act, "act")),
		            number_text(fact_count(act, "revision"), revision), fact_text(act, "by"),
		            console_when(v, act, "at", when));
		console_raw(v, "</li>");
	}
	console_raw(v, "</ul>\n");
}

/* ---- what may be done ---- */

static void approve(const view_t *v, const json_t *kept)
{
	const char *id = fact_text(kept, "id");
	char had[24];

	console_form(v, "approve", id);
	console_hidden(v, "hash", fact_text(kept, "sha256"));
	console_raw(v, "<button>");
	console_say(v, CONSOLE_WORD_APPROVE);
	console_raw(v, " <span class=\"hidden\">");
	console_text(v, id);
	console_raw(v, "</span></button><br><small>");
	console_say(v, CONSOLE_WORD_APPROVE_HELP);
	console_raw(v, "</small>");
	if (fact_count(kept, "approvals_wanted") > 1) {
		console_raw(v, "<br><small>");
		console_say(v, CONSOLE_WORD_APPROVE_TWO, number_text(fact_count(kept, "approvals"), had));
		console_raw(v, "</small>");
	}
	console_raw(v, "</form>\n");
}

/* What comes next, and stands out: to tell it. */
static void tell(const view_t *v, const char *id, bool public)
{
	console_raw(v, "<span class=\"first\">");
	console_go(v, public ? "/publish/" : "/submit/", id, public ? CONSOLE_WORD_PUBLISH_LOOK : CONSOLE_WORD_SUBMIT);
	console_raw(v, "</span>");
}

/* As record/statement_desk.h has it. */
static bool may_be_translated(const json_t *kept)
{
	return strcmp(fact_text(kept, "kind"), "correction") != 0 &&
	       !*fact_text(json_object_get(kept, "statement"), "translates");
}

static void actions(const view_t *v, const json_t *kept)
{
	const char *id = fact_text(kept, "id"), *state = fact_text(kept, "state");
	bool public = json_is_true(json_object_get(kept, "public"));
	bool over = strcmp(state, "draft") != 0 && strcmp(state, "approved") != 0;
	bool ready = fact_count(kept, "approvals") >= fact_count(kept, "approvals_wanted");
	char path[64];

	if (!console_may(v, CONSOLE_OPERATE))
		return;
	console_raw(v, "<div class=\"actions\">\n");
	if (!over) {
		console_go(v, "/edit/", id, CONSOLE_WORD_EDIT);
		if (!ready)
			approve(v, kept);
		else if (console_may(v, CONSOLE_PUBLISH))
			tell(v, id, public);
	} else {
		console_go(v, "/draft?after=", id, CONSOLE_WORD_GO_ON);
		if (public)
			console_go(v, "/draft?corrects=", id, CONSOLE_WORD_CORRECT);
		if (strcmp(state, "published") == 0 && console_may(v, CONSOLE_PUBLISH))
			console_go(v, "/withdraw/", id, CONSOLE_WORD_WITHDRAW);
	}
	if (strcmp(state, "withdrawn") != 0 && may_be_translated(kept)) {
		(void)snprintf(path, sizeof(path),
		               "/draft?lang=%.8s&translates=", fact_text(json_object_get(kept, "statement"), "lang"));
		console_go(v, path, id, CONSOLE_WORD_TRANSLATE);
	}
	console_raw(v, "</div>\n");
}

/* What of it says the same in another language, or is corrected by it; how far one has come. */
static void relation(const view_t *v, const json_t *kept)
{
	static const struct {
		const char *key;
		enum console_word word;
	} all[] = { { "translates", CONSOLE_WORD_TRANSLATION_OF }, { "corrects", CONSOLE_WORD_CORRECTION_OF } };
	const json_t *statement = json_object_get(kept, "statement");

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!*fact_text(statement, all[i].key))
			continue;
		console_raw(v, ", ");
		console_say(v, all[i].word, fact_text(statement, all[i].key));
	}
	if (*fact_text(statement, "phase")) {
		console_raw(v, ", ");
		console_term(v, CONSOLE_PHASES, fact_text(statement, "phase"));
	}
}

static void head_of(const view_t *v, const json_t *kept)
{
	char when[LANGUAGE_TEXT_SIZE], revision[24], hash[SHOWN + 1];

	(void)snprintf(hash, sizeof(hash), "%.*s", SHOWN, fact_text(kept, "sha256"));
	console_raw(v, "<p class=\"meta\">");
	console_kind(v, fact_text(kept, "kind"));
	console_raw(v, ", <strong>");
	console_term(v, CONSOLE_STATES, fact_text(kept, "state"));
	console_raw(v, "</strong>");
	relation(v, kept);
	console_raw(v, ". ");
	console_say(v, CONSOLE_WORD_REVISION, number_text(fact_count(kept, "revision"), revision),
	            fact_text(kept, "made_by"), console_when(v, kept, "made", when), hash);
	console_raw(v, "</p>\n");
}

static void one_statement(const view_t *v, const json_t *kept)
{
	const json_t *statement = json_object_get(kept, "statement");

	console_raw(v, "<section class=\"card\" id=\"");
	console_text(v, fact_text(kept, "id"));
	console_raw(v, "\">\n<h2>");
	console_text(v, fact_text(kept, "id"));
	console_raw(v, " \xc2\xb7 <span lang=\"");
	console_text(v, fact_text(statement, "lang"));
	console_raw(v, "\">");
	console_text(v, fact_text(statement, "title"));
	console_raw(v, "</span></h2>\n");
	head_of(v, kept);
	sentences(v, kept);
	left_out(v, statement);
	acts(v, kept);
	actions(v, kept);
	console_raw(v, "</section>\n");
}

static void aware(const view_t *v, const json_t *matter)
{
	const json_t *known = json_object_get(matter, "aware");
	char when[LANGUAGE_TEXT_SIZE];

	if (!*fact_text(matter, "incident"))
		return;
	console_section(v, CONSOLE_WORD_AWARE);
	console_raw(v, "<p>");
	if (*console_when(v, known, "at", when))
		console_say(v, CONSOLE_WORD_AWARE_BY, when, fact_text(known, "by"));
	else
		console_say(v, CONSOLE_WORD_AWARE_NOT);
	if (*console_when(v, matter, "suggested", when)) {
		console_raw(v, " ");
		console_say(v, CONSOLE_WORD_SUGGESTED, when);
	}
	console_raw(v, "</p>\n");
	if (console_may(v, CONSOLE_OPERATE)) {
		console_element(v, "p class=\"meta\"", CONSOLE_WORD_AWARE_HELP);
		console_form(v, "aware", fact_text(matter, "incident"));
		console_hidden(v, "thread", fact_text(matter, "thread"));
		console_time(v, "at", CONSOLE_WORD_SINCE, true);
		console_submit(v, CONSOLE_WORD_SET, false);
		console_raw(v, "</form>\n");
	}
	console_raw(v, "</section>\n");
}

void console_html_matter(const struct console_view *v, const json_t *matter)
{
	json_t *kept;
	size_t i;

	console_begin(v, CONSOLE_WORD_MATTER, fact_text(matter, "thread"));
	console_due(v, json_object_get(matter, "due"));
	json_array_foreach(json_object_get(matter, "statements"), i, kept)
	{
		one_statement(v, kept);
	}
	aware(v, matter);
	console_end(v);
}

/* ---- edit ---- */

static void choice(const view_t *v, const char *type, const char *name, size_t number, const char *value, bool checked,
                   enum console_word word)
{
	(void)fprintf(v->out, "<label class=\"choice\"><input type=\"%s\" name=\"%s%zu\" value=\"%s\"%s>", type, name,
	              number, value, checked ? " checked" : "");
	console_say(v, word);
	console_raw(v, "</label>");
}

/* One sentence of the form; `sentence` NULL: a new one. */
static void edit_sentence(const view_t *v, const json_t *sentence, size_t number, const char *lang)
{
	bool internal = statement_is_internal(sentence);
	char name[32];

	(void)snprintf(name, sizeof(name), "%zu", number);
	console_raw(v, "<fieldset><legend>");
	if (sentence)
		console_say(v, CONSOLE_WORD_SENTENCE, name);
	else
		console_say(v, CONSOLE_WORD_NEW_SENTENCE);
	(void)fprintf(v->out, "</legend>\n<textarea rows=\"3\" name=\"t%zu\" lang=\"", number);
	console_text(v, lang);
	console_raw(v, "\" aria-label=\"");
	if (sentence)
		console_say(v, CONSOLE_WORD_SENTENCE, name);
	else
		console_say(v, CONSOLE_WORD_NEW_SENTENCE);
	console_raw(v, "\">");
	console_text(v, fact_text(sentence, "text"));
	console_raw(v, "</textarea>\n");
	choice(v, "radio", "a", number, "public", !internal, CONSOLE_WORD_PUBLIC);
	choice(v, "radio", "a", number, "internal", internal, CONSOLE_WORD_INTERNAL);
	if (json_array_size(json_object_get(sentence, "evidence")))
		choice(v, "checkbox", "k", number, "keep", false, CONSOLE_WORD_KEEP);
	console_raw(v, "</fieldset>\n");
}

void console_html_edit(const struct console_view *v, const json_t *kept)
{
	const json_t *statement = json_object_get(kept, "statement");
	const json_t *list = json_object_get(statement, "sentences");
	char revision[24];
	json_t *sentence;
	size_t i;

	console_begin(v, CONSOLE_WORD_EDITING, fact_text(kept, "id"));
	head_of(v, kept);
	console_element(v, "p", CONSOLE_WORD_EMPTY_GONE);
	console_form(v, "edit", fact_text(kept, "id"));
	console_hidden(v, "revision", number_text(fact_count(kept, "revision"), revision));
	console_field(v, "title", CONSOLE_WORD_TITLE, NONE, "text", fact_text(statement, "title"), true);
	json_array_foreach(list, i, sentence)
	{
		edit_sentence(v, sentence, i + 1, fact_text(statement, "lang"));
	}
	if (json_array_size(list) < STATEMENT_SENTENCES_MAX)
		edit_sentence(v, NULL, json_array_size(list) + 1, fact_text(statement, "lang"));
	console_submit(v, CONSOLE_WORD_SAVE, false);
	console_raw(v, "</form>\n");
	console_end(v);
}

/* ---- publish, withdraw ---- */

static void back(const view_t *v, const json_t *kept)
{
	console_raw(v, "<p><a href=\"/matter/");
	console_text(v, fact_text(kept, "thread"));
	console_raw(v, "\">");
	console_say(v, CONSOLE_WORD_BACK);
	console_raw(v, "</a></p>\n");
}

void console_html_publish(const struct console_view *v, const json_t *kept)
{
	const json_t *statement = json_object_get(kept, "statement");
	bool public = json_is_true(json_object_get(kept, "public"));

	console_begin(v, public ? CONSOLE_WORD_PUBLISH : CONSOLE_WORD_SUBMIT, "");
	head_of(v, kept);
	console_element(v, "p", public ? CONSOLE_WORD_PUBLISH_CONFIRM : CONSOLE_WORD_SUBMIT_CONFIRM);
	console_raw(v, "<article class=\"word\" lang=\"");
	console_text(v, fact_text(statement, "lang"));
	console_raw(v, "\"><h2>");
	console_text(v, fact_text(statement, "title"));
	console_raw(v, "</h2>\n");
	status_paragraphs(v->out, fact_text(kept, "text"), NULL);
	console_raw(v, "</article>\n");
	console_form(v, public ? "publish" : "submit", fact_text(kept, "id"));
	console_hidden(v, "hash", fact_text(kept, "sha256"));
	console_submit(v, public ? CONSOLE_WORD_PUBLISH_NOW : CONSOLE_WORD_SUBMIT, public);
	console_raw(v, "</form>\n");
	back(v, kept);
	console_end(v);
}

void console_html_withdraw(const struct console_view *v, const json_t *kept)
{
	console_begin(v, CONSOLE_WORD_WITHDRAW, "");
	head_of(v, kept);
	console_raw(v, "<p><strong lang=\"");
	console_text(v, fact_text(json_object_get(kept, "statement"), "lang"));
	console_raw(v, "\">");
	console_text(v, fact_text(json_object_get(kept, "statement"), "title"));
	console_raw(v, "</strong></p>\n");
	console_form(v, "withdraw", fact_text(kept, "id"));
	console_field(v, "text", CONSOLE_WORD_REASON, CONSOLE_WORD_WITHDRAW_HELP, "textarea", "", true);
	console_submit(v, CONSOLE_WORD_WITHDRAW, true);
	console_raw(v, "</form>\n");
	back(v, kept);
	console_end(v);
}

/* ---- what the law asks for ---- */

void console_html_exempt(const struct console_view *v, const json_t *due)
{
	enum console_word title = console_due_is_exempt(due) ? CONSOLE_WORD_NEEDED : CONSOLE_WORD_EXEMPT;
	char id[9], when[LANGUAGE_TEXT_SIZE];

	console_begin(v, title, "");
	(void)snprintf(id, sizeof(id), "%s", fact_text(due, "incident"));
	console_raw(v, "<p>");
	console_kind(v, fact_text(due, "kind"));
	console_raw(v, ", ");
	console_say(v, CONSOLE_WORD_OF_INCIDENT, id);
	console_raw(v, ", ");
	console_say(v, CONSOLE_WORD_DUE_AT, console_when(v, due, "due", when));
	console_raw(v, "</p>\n");
	console_form(v, "exempt", fact_text(due, "incident"));
	console_hidden(v, "kind", fact_text(due, "kind"));
	if (title == CONSOLE_WORD_NEEDED)
		console_hidden(v, "needed", "1");
	console_field(v, "why", CONSOLE_WORD_REASON,
	              title == CONSOLE_WORD_NEEDED ? CONSOLE_WORD_NEEDED_HELP : CONSOLE_WORD_EXEMPT_HELP, "textarea",
	              "", title == CONSOLE_WORD_EXEMPT);
	console_submit(v, title, false);
	console_raw(v, "</form>\n<p><a href=\"/\">");
	console_say(v, CONSOLE_WORD_BACK);
	console_raw(v, "</a></p>\n");
	console_end(v);
}
