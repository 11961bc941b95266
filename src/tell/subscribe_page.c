/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/subscribe_page.h"

#include <errno.h>

#include "tell/markup.h"
#include "tell/status_inside.h"
#include "tell/style.h"

enum subscribe_word { HEAD, ADDRESS, WHICH, SEND, STATUS, LEAD, SUBSCRIBE_WORDS };

/* clang-format off */
static const char *const words[SUBSCRIBE_WORDS][LANGUAGES] = {
	[HEAD] = { "Be told by mail", "Être informé par courriel" },
	[ADDRESS] = { "Your address", "Votre adresse" },
	[WHICH] = { "Only of these (none chosen: of everything)", "Seulement à propos de (aucun choix : de tout)" },
	[SEND] = { "Subscribe", "S'abonner" },
	[STATUS] = { "Status", "État" },
	[LEAD] = { "What is published on this page comes to your box. First there is a mail with a link, by which you confirm.",
	           "Ce qui est publié sur cette page arrive dans votre boîte. D'abord vient un message avec un lien, par lequel vous confirmez." },
};

/* What is said, and the button, of each page; NULL: it has none. */
static const struct {
	const char *said[LANGUAGES], *button[LANGUAGES], *action;
} pages[SUBSCRIBE_PAGES] = {
	[SUBSCRIBE_FORM] = { .said = { NULL, NULL } },
	[SUBSCRIBE_WRONG] = { .said = { "That is no address of mail, or a choice that is no longer there.", "Ce n'est pas une adresse de courriel, ou un choix qui n'existe plus." } },
	[SUBSCRIBE_BUSY] = { .said = { "Too many are asking right now. Please try again in ten minutes.",
	                               "Trop de demandes en ce moment. Merci de réessayer dans dix minutes." } },
	[SUBSCRIBE_ASKED] = { .said = { "Thank you. Unless that address is a subscriber already, or was asked lately, a mail is on its way to it: open the link in it.",
	                                "Merci. Sauf si cette adresse est déjà abonnée ou a reçu une demande récemment, un message lui est envoyé : ouvrez le lien qu'il contient." } },
	[SUBSCRIBE_CONFIRM] = { .said = { "You asked to be told by mail what is published here.",
	                                  "Vous avez demandé à être informé par courriel de ce qui est publié ici." },
	                        .button = { "Yes, tell me", "Oui, informez-moi" }, .action = "/confirm" },
	[SUBSCRIBE_CONFIRMED] = { .said = { "Thank you. If the link was whole and not older than two days, you are told from now on.",
	                                    "Merci. Si le lien était complet et n'avait pas plus de deux jours, vous serez informé dès maintenant." } },
	[SUBSCRIBE_LEAVE] = { .said = { "You are told by mail what is published here.",
	                                "Vous êtes informé par courriel de ce qui est publié ici." },
	                      .button = { "No more mail", "Ne plus recevoir de courriel" }, .action = "/unsubscribe" },
	[SUBSCRIBE_LEFT] = { .said = { "Done. No more mail is sent, and your address is erased.",
	                               "C'est fait. Plus aucun courriel ne sera envoyé, et votre adresse est effacée." } },
	[SUBSCRIBE_CUT] = { .said = { "That link is not whole, so nothing was done. Please copy all of it from the mail.",
	                              "Ce lien n'est pas complet, rien n'a été fait. Merci de le copier en entier depuis le message." } },
};
/* clang-format on */

struct writer {
	FILE *out;
	const struct subscribe_page *of;
};

static void raw(const struct writer *w, const char *markup)
{
	(void)fputs(markup, w->out);
}

static void word(const struct writer *w, enum subscribe_word which)
{
	markup_text(w->out, words[which][w->of->language]);
}

static void head(const struct writer *w)
{
	(void)fprintf(
		w->out,
		"<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"robots\" content=\"noindex\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>",
		language_code(w->of->language));
	word(w, HEAD);
	raw(w, "</title>\n<style>\n");
	for (const char *const *line = style_base; *line; line++)
		raw(w, *line);
	for (const char *const *line = status_style; *line; line++)
		raw(w, *line);
	raw(w, "</style>\n</head>\n<body>\n<header class=\"masthead\">\n<p class=\"site\"><a href=\"/\">");
	if (w->of->title[0])
		markup_text(w->out, w->of->title);
	else
		word(w, STATUS);
	raw(w, "</a></p>\n</header>\n<main id=\"content\">\n<h1>");
	word(w, HEAD);
	raw(w, "</h1>\n");
}

static void choose(const struct writer *w)
{
	if (w->of->components_count < 2)
		return;
	raw(w, "<fieldset>\n<legend>");
	word(w, WHICH);
	raw(w, "</legend>\n");
	for (unsigned i = 0; i < w->of->components_count; i++) {
		raw(w, "<label><input type=\"checkbox\" name=\"component\" value=\"");
		markup_text(w->out, w->of->components[i].id);
		raw(w, "\"> ");
		markup_text(w->out, w->of->components[i].name);
		raw(w, "</label><br>\n");
	}
	raw(w, "</fieldset>\n");
}

static void ask(const struct writer *w)
{
	raw(w, "<p>");
	word(w, LEAD);
	(void)fprintf(w->out,
	              "</p>\n<form method=\"post\" action=\"/subscribe\">\n"
	              "<input type=\"hidden\" name=\"lang\" value=\"%s\">\n<p><label for=\"address\">",
	              language_code(w->of->language));
	word(w, ADDRESS);
	raw(w,
	    "</label><br>\n<input id=\"address\" name=\"address\" type=\"email\" autocomplete=\"email\" maxlength=\"254\" "
	    "required></p>\n");
	choose(w);
	raw(w, "<p><button type=\"submit\">");
	word(w, SEND);
	raw(w, "</button></p>\n</form>\n");
}

int subscribe_page_write(FILE *out, const struct subscribe_page *page)
{
	const struct writer w = { out, page };
	const char *said = pages[page->kind].said[page->language], *button = pages[page->kind].button[page->language];

	head(&w);
	if (said) {
		raw(&w, "<p role=\"status\">");
		markup_text(out, said);
		raw(&w, "</p>\n");
	}
	if (button) {
		(void)fprintf(out, "<form method=\"post\" action=\"%s?token=", pages[page->kind].action);
		markup_text(out, page->token);
		(void)fprintf(out, "&amp;lang=%s\">\n<p><button type=\"submit\">", language_code(page->language));
		markup_text(out, button);
		raw(&w, "</button></p>\n</form>\n");
	}
	if (page->kind == SUBSCRIBE_FORM || page->kind == SUBSCRIBE_WRONG)
		ask(&w);
	raw(&w, "</main>\n</body>\n</html>\n");
	return ferror(out) ? -EIO : 0;
}
