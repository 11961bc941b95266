/* SPDX-License-Identifier: Apache-2.0 */
/* What mails say, each language in one column. What was published stands in them as it is. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tell/mail.h"
#include "tell/status_inside.h"

enum mail_word {
	MAIL_CORRECTS,
	MAIL_WITHDRAWN,
	MAIL_AFFECTS,
	MAIL_NOW,
	MAIL_BEFORE,
	MAIL_ALL,
	MAIL_WHY,
	MAIL_STOP,
	MAIL_ASK_SUBJECT,
	MAIL_ASK,
	MAIL_ASK_HOW,
	MAIL_ASK_NOT,
	MAIL_WORDS
};

/* clang-format off */
static const char *const words[MAIL_WORDS][LANGUAGES] = {
	[MAIL_CORRECTS] = { "This corrects what was said before.", "Ceci corrige ce qui a été dit auparavant." },
	[MAIL_WITHDRAWN] = { "A statement was withdrawn: it no longer holds.", "Un communiqué a été retiré : il n'est plus valable." },
	[MAIL_AFFECTS] = { "Affected:", "Concerne :" },
	[MAIL_NOW] = { "%s is now: %s", "%s est maintenant : %s" },
	[MAIL_BEFORE] = { "Before: %s. Since: %s.", "Avant : %s. Depuis : %s." },
	[MAIL_ALL] = { "All that is known:", "Tout ce qui est connu :" },
	[MAIL_WHY] = { "This is sent to %s, who asked for it.", "Ce message est envoyé à %s, sur demande." },
	[MAIL_STOP] = { "No more of these:", "Ne plus recevoir ces messages :" },
	[MAIL_ASK_SUBJECT] = { "Please confirm: messages of the status page", "À confirmer : messages de la page d'état" },
	[MAIL_ASK] = { "Somebody, you perhaps, wants %s to be told when something happens on this status page:",
	               "Quelqu'un, vous peut-être, demande que %s soit informé de ce qui se passe sur cette page d'état :" },
	[MAIL_ASK_HOW] = { "If that is so, open this address within two days and press the button:",
	                   "Si c'est le cas, ouvrez cette adresse dans les deux jours et appuyez sur le bouton :" },
	[MAIL_ASK_NOT] = { "If not, there is nothing to do: nothing more is sent, and the address is forgotten.",
	                   "Sinon, il n'y a rien à faire : rien d'autre ne sera envoyé, et l'adresse sera oubliée." },
};
/* clang-format on */

struct letter {
	FILE *out;
	enum language language;
};

static void plain(FILE *out, const char *text)
{
	(void)fputs(text, out);
}

/* A sentence; each "%s" in it is the next of the arguments. */
static void fill(const struct letter *letter, const char *pattern, ...)
{
	va_list arguments;

	va_start(arguments, pattern);
	words_fill(letter->out, pattern, plain, arguments);
	va_end(arguments);
}

/* A line of the table, with what belongs into it. */
static void say(const struct letter *letter, enum mail_word word, ...)
{
	va_list arguments;

	va_start(arguments, word);
	words_fill(letter->out, words[word][letter->language], plain, arguments);
	va_end(arguments);
	(void)fputc('\n', letter->out);
}

static const char *text_of(const struct status_page *page, const char *const texts[LANGUAGES], enum language language)
{
	enum language given;

	return status_text(page, texts, language, &given);
}

/* One line for a subject: what would end it becomes a blank. */
__attribute__((format(printf, 2, 3))) static void put_subject(char subject[MAIL_SUBJECT_MAX + 1], const char *format,
                                                              ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(subject, MAIL_SUBJECT_MAX + 1, format, arguments);
	va_end(arguments);
	for (char *at = subject; *at; at++)
		if ((unsigned char)*at < ' ' || *at == '\177')
			*at = ' ';
}

/* A moment, in which mail may break a line anywhere. */
static const char *moment(enum language language, int64_t ns, char text[LANGUAGE_TEXT_SIZE])
{
	(void)language_date_time(language, (struct capture_time){ ns }, text);
	for (char *at = text; *at; at++)
		if (*at == WORDS_TIE[0])
			*at = ' ';
	return text;
}

/* clang-format off */
static const struct {
	const char *subject[LANGUAGES], *said[LANGUAGES]; /* said: with a moment in it, or two */
} works_words[MAIL_WORKS] = {
	[MAIL_WORKS_ANNOUNCED] = { { "Planned works", "Travaux planifiés" },
	                           { "Planned works: they begin on %s and are to last until %s.",
	                             "Travaux planifiés : ils commencent le %s et doivent durer jusqu'au %s." } },
	[MAIL_WORKS_BEGUN] = { { "Planned works have begun", "Les travaux planifiés ont commencé" },
	                       { "The planned works have begun, on %s; they are to last until %s.",
	                         "Les travaux planifiés ont commencé le %s ; ils doivent durer jusqu'au %s." } },
	[MAIL_WORKS_ENDED] = { { "Planned works are over", "Les travaux planifiés sont terminés" },
	                       { "The planned works, begun on %s, are over since %s.",
	                         "Les travaux planifiés, commencés le %s, sont terminés depuis le %s." } },
	[MAIL_WORKS_OFF] = { { "Planned works are called off", "Les travaux planifiés sont annulés" },
	                     { "The works that were planned from %s to %s are called off.",
	                       "Les travaux prévus du %s au %s sont annulés." } },
};
/* clang-format on */

const char *mail_works_word(enum mail_works works, enum language language)
{
	return works == MAIL_WORKS_NONE ? "" : works_words[works].subject[language];
}

static void tell_works(const struct letter *letter, const struct mail_news *news,
                       const struct status_incident *incident)
{
	const struct status_update *update = incident->updates_count ? &incident->updates[0] : NULL;
	char from[LANGUAGE_TEXT_SIZE], until[LANGUAGE_TEXT_SIZE];

	(void)fprintf(letter->out, "%s\n\n", text_of(news->page, incident->name, news->language));
	fill(letter, works_words[news->works].said[news->language],
	     moment(news->language, incident->scheduled_from_ns, from),
	     moment(news->language, incident->scheduled_until_ns, until));
	(void)fputs("\n\n", letter->out);
	if (update && news->works != MAIL_WORKS_OFF && *text_of(news->page, update->body, news->language))
		(void)fprintf(letter->out, "%s\n\n", text_of(news->page, update->body, news->language));
}

static void tell_incident(const struct letter *letter, const struct mail_news *news,
                          const struct status_incident *incident)
{
	char when[LANGUAGE_TEXT_SIZE];
	bool listed = false;

	if (news->works)
		tell_works(letter, news, incident);
	else
		(void)fprintf(letter->out, "%s\n%s\n\n", news->title, moment(news->language, news->at_ns, when));
	if (news->withdrawn)
		say(letter, MAIL_WITHDRAWN);
	else if (news->correction)
		say(letter, MAIL_CORRECTS);
	if (news->text[0])
		(void)fprintf(letter->out, "%s%s\n\n", news->withdrawn || news->correction ? "\n" : "", news->text);
	for (uint32_t i = 0; i < incident->components_count; i++) {
		const struct status_component *component = status_find(news->page, incident->components[i]);

		if (!component)
			continue;
		if (!listed)
			say(letter, MAIL_AFFECTS);
		listed = true;
		(void)fprintf(letter->out, "- %s\n", text_of(news->page, component->name, news->language));
	}
	if (listed)
		(void)fputc('\n', letter->out);
}

static int tell(const struct letter *letter, const struct mail_news *news, char subject[MAIL_SUBJECT_MAX + 1])
{
	const struct status_incident *incident =
		news->given ? news->given : status_find_incident(news->page, news->incident);
	const struct status_component *component = status_find(news->page, news->component);
	const char *page = text_of(news->page, news->page->title, news->language);
	enum component_status before, after;
	char when[LANGUAGE_TEXT_SIZE];

	if (news->incident[0]) {
		if (!incident)
			return -ENOENT;
		if (news->works)
			put_subject(subject, "[%.80s] %s – %.100s", page, mail_works_word(news->works, news->language),
			            text_of(news->page, incident->name, news->language));
		else
			put_subject(subject, "[%.80s] %.150s", page, news->title);
		tell_incident(letter, news, incident);
		return 0;
	}
	if (!component || !status_change_find(news->page, news->component, news->since_ns, &before, &after))
		return -ENOENT;
	put_subject(subject, "[%.80s] %.80s: %s", page, text_of(news->page, component->name, news->language),
	            status_component_word(news->language, after));
	say(letter, MAIL_NOW, text_of(news->page, component->name, news->language),
	    status_component_word(news->language, after));
	say(letter, MAIL_BEFORE, status_component_word(news->language, before),
	    moment(news->language, news->since_ns, when));
	(void)fputc('\n', letter->out);
	return 0;
}

static int finish(struct letter *letter, char **text, int result, char **body)
{
	if (fclose(letter->out) != 0 && result == 0)
		result = -ENOMEM;
	if (result == 0)
		*body = *text;
	else
		free(*text);
	return result;
}

int mail_news_write(const struct mail_news *news, char subject[MAIL_SUBJECT_MAX + 1], char **body)
{
	char *text = NULL;
	size_t size = 0;
	struct letter letter = { .out = open_memstream(&text, &size), .language = news->language };
	int result;

	if (!letter.out)
		return -ENOMEM;
	result = tell(&letter, news, subject);
	if (result == 0) {
		say(&letter, MAIL_ALL);
		(void)fprintf(letter.out, "%s/%s\n\n-- \n", news->page->url, status_folder(news->page, news->language));
		say(&letter, MAIL_WHY, news->to);
		if (news->unsubscribe[0]) {
			say(&letter, MAIL_STOP);
			(void)fprintf(letter.out, "%s\n", news->unsubscribe);
		}
	}
	return finish(&letter, &text, result, body);
}

int mail_question_write(const struct status_page *page, enum language language, const char *to, const char *confirm,
                        char subject[MAIL_SUBJECT_MAX + 1], char **body)
{
	char *text = NULL;
	size_t size = 0;
	struct letter letter = { .out = open_memstream(&text, &size), .language = language };

	if (!letter.out)
		return -ENOMEM;
	put_subject(subject, "[%.80s] %s", text_of(page, page->title, language), words[MAIL_ASK_SUBJECT][language]);
	say(&letter, MAIL_ASK, to);
	(void)fprintf(letter.out, "%s/%s\n\n", page->url, status_folder(page, language));
	say(&letter, MAIL_ASK_HOW);
	(void)fprintf(letter.out, "%s\n\n", confirm);
	say(&letter, MAIL_ASK_NOT);
	return finish(&letter, &text, 0, body);
}
