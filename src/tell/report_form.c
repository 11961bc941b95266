/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/report_form.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tell/form.h"
#include "tell/markup.h"
#include "tell/status_inside.h"
#include "tell/style.h"

/* ---- places ---- */

/* Where users are likely to be; names in both languages. What is not here is not said. */
static const struct place {
	const char *code, *name[LANGUAGES];
} places[] = {
	{ "FR-ARA", { "Auvergne-Rhône-Alpes", "Auvergne-Rhône-Alpes" } },
	{ "FR-BFC", { "Bourgogne-Franche-Comté", "Bourgogne-Franche-Comté" } },
	{ "FR-BRE", { "Brittany", "Bretagne" } },
	{ "FR-CVL", { "Centre-Val de Loire", "Centre-Val de Loire" } },
	{ "FR-COR", { "Corsica", "Corse" } },
	{ "FR-GES", { "Grand Est", "Grand Est" } },
	{ "FR-HDF", { "Hauts-de-France", "Hauts-de-France" } },
	{ "FR-IDF", { "Île-de-France", "Île-de-France" } },
	{ "FR-NOR", { "Normandy", "Normandie" } },
	{ "FR-NAQ", { "Nouvelle-Aquitaine", "Nouvelle-Aquitaine" } },
	{ "FR-OCC", { "Occitanie", "Occitanie" } },
	{ "FR-PDL", { "Pays de la Loire", "Pays de la Loire" } },
	{ "FR-PAC", { "Provence-Alpes-Côte d’Azur", "Provence-Alpes-Côte d’Azur" } },
	{ "FR-971", { "Guadeloupe", "Guadeloupe" } },
	{ "FR-972", { "Martinique", "Martinique" } },
	{ "FR-973", { "French Guiana", "Guyane" } },
	{ "FR-974", { "Réunion", "La Réunion" } },
	{ "FR-976", { "Mayotte", "Mayotte" } },
	{ "FR", { "France, elsewhere", "France, ailleurs" } },
	{ "DE", { "Germany", "Allemagne" } },
	{ "AT", { "Austria", "Autriche" } },
	{ "BE", { "Belgium", "Belgique" } },
	{ "CA", { "Canada", "Canada" } },
	{ "DK", { "Denmark", "Danemark" } },
	{ "ES", { "Spain", "Espagne" } },
	{ "US", { "United States", "États-Unis" } },
	{ "FI", { "Finland", "Finlande" } },
	{ "IE", { "Ireland", "Irlande" } },
	{ "IT", { "Italy", "Italie" } },
	{ "LU", { "Luxembourg", "Luxembourg" } },
	{ "NL", { "Netherlands", "Pays-Bas" } },
	{ "PL", { "Poland", "Pologne" } },
	{ "PT", { "Portugal", "Portugal" } },
	{ "GB", { "United Kingdom", "Royaume-Uni" } },
	{ "SE", { "Sweden", "Suède" } },
	{ "CH", { "Switzerland", "Suisse" } },
};

static bool place_find(const char *code)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!strcmp(places[i].code, code))
			return true;
	return false;
}

/* 0; -EBADMSG: there is no such field; -EINVAL: its value is not of its list. */
static int take(const struct form_field *field, struct report_form *form, bool *has_symptom)
{
	if (!strcmp(field->name, "component")) {
		if (!component_id_ok(field->value))
			return -EINVAL;
		memcpy(form->component, field->value, strlen(field->value) + 1);
	} else if (!strcmp(field->name, "symptom")) {
		*has_symptom = symptom_find(field->value, &form->symptom);
		return *has_symptom ? 0 : -EINVAL;
	} else if (!strcmp(field->name, "region")) {
		if (field->value[0] && !place_find(field->value))
			return -EINVAL;
		memcpy(form->region, field->value, strlen(field->value) + 1);
	} else if (!strcmp(field->name, "nonce")) {
		if (strlen(field->value) >= sizeof(form->nonce))
			return -EINVAL;
		memcpy(form->nonce, field->value, strlen(field->value) + 1);
	} else {
		return -EBADMSG;
	}
	return 0;
}

/* What our own page never sends: fields that come twice, or many. */
static int take_all(const struct form *sent, struct report_form *form)
{
	bool has_symptom = false;
	int wrong = 0;

	if (sent->count > REPORT_FORM_FIELDS_MAX)
		return -EBADMSG;
	for (unsigned i = 0; i < sent->count; i++) {
		int result = take(&sent->fields[i], form, &has_symptom);

		for (unsigned other = 0; other < i; other++)
			if (!strcmp(sent->fields[other].name, sent->fields[i].name))
				return -EBADMSG;
		if (result == -EBADMSG)
			return result;
		wrong = result ? result : wrong;
	}
	return wrong || !form->component[0] || !has_symptom ? -EINVAL : 0;
}

int report_form_read(const char *octets, size_t length, struct report_form *form)
{
	struct report_form read = { .component = "" };
	struct form *sent;
	int result;

	if (length > REPORT_FORM_MAX)
		return -EBADMSG;
	result = form_read(octets, length, &sent);
	if (result != 0)
		return result == -ENOMEM ? result : -EBADMSG;
	result = take_all(sent, &read);
	free(sent);
	if (result == 0)
		*form = read;
	return result;
}

/* ---- the page ---- */

enum word {
	TITLE,
	LEAD,
	WHAT,
	HOW,
	WHERE,
	NOT_SAID,
	NOT_NEEDED,
	WHOLE,
	SEND,
	STATUS,
	PRIVACY,
	LOCATED,
	MEANT,
	WORDS_OF_FORM
};

/* clang-format off */
static const char *const form_words[WORDS_OF_FORM][LANGUAGES] = {
	[TITLE] = { "Report a problem", "Signaler un problème" },
	[LEAD] = { "Tell us what does not work. A few answers, and you are done.", "Dites-nous ce qui ne fonctionne pas. Quelques réponses suffisent." },
	[WHAT] = { "What is it about?", "De quoi s’agit-il ?" },
	[HOW] = { "What happens?", "Que se passe-t-il ?" },
	[WHERE] = { "Where are you? (optional)", "Où êtes-vous ? (facultatif)" },
	[NOT_SAID] = { "I would rather not say", "Je préfère ne pas le dire" },
	[NOT_NEEDED] = { "Not said: the country follows from the address", "Non précisé : le pays se déduit de l’adresse" },
	[WHOLE] = { "The service as a whole", "Le service dans son ensemble" },
	[SEND] = { "Send", "Envoyer" },
	[STATUS] = { "Status page", "Page d’état" },
	[PRIVACY] = { "No account, no cookie, no script. Your address is not kept: it is turned into a number by a key that exists in memory alone and is thrown away every 24 hours, so that nobody is counted too often. What we keep is how many people reported what, in five minutes.",
		"Ni compte, ni cookie, ni script. Votre adresse n’est pas conservée : une clé, qui n’existe qu’en mémoire et que nous détruisons toutes les 24 heures, la change en un nombre, afin que personne ne soit compté trop souvent. Nous gardons seulement combien de personnes ont signalé quoi, par tranche de cinq minutes." },
	[LOCATED] = { "From your address we derive your country and your provider’s network, and count by these: how many people of which country and network.",
		"De votre adresse nous déduisons votre pays et le réseau de votre fournisseur, et nous comptons selon ceux-ci : combien de personnes, de quel pays et de quel réseau." },
	[MEANT] = { "A report counts, but does not open a request: nobody will answer it in person.",
		"Un signalement est compté, mais n’ouvre pas de demande : personne n’y répondra individuellement." },
};

static const char *const states[REPORT_FORM_STATES][LANGUAGES] = {
	[REPORT_FORM_NEW] = { "", "" },
	[REPORT_FORM_AGAIN] = { "This form was open for too long, or was sent before, or too fast. Please send it again.",
		"Ce formulaire est resté ouvert trop longtemps, a déjà été envoyé, ou l’a été trop vite. Merci de l’envoyer de nouveau." },
	[REPORT_FORM_WRONG] = { "Something is missing. Please answer the first two questions.", "Il manque quelque chose. Merci de répondre aux deux premières questions." },
	[REPORT_FORM_BUSY] = { "Too many reports are coming in at this moment. Please try again in a few minutes.", "Trop de signalements arrivent en ce moment. Merci de réessayer dans quelques minutes." },
	[REPORT_FORM_TAKEN] = { "Thank you. Your report has been taken.", "Merci. Votre signalement est pris en compte." },
};

static const char *const symptom_words[SYMPTOMS][LANGUAGES] = {
	[SYMPTOM_UNREACHABLE] = { "I cannot reach it", "Impossible d’y accéder" },
	[SYMPTOM_ERROR_PAGE] = { "I see an error page", "Une page d’erreur s’affiche" },
	[SYMPTOM_SLOW] = { "It is slow", "C’est lent" },
	[SYMPTOM_LOGIN] = { "I cannot log in", "Impossible de se connecter à mon compte" },
	[SYMPTOM_OTHER] = { "Something else", "Autre chose" },
};

static const char *const form_style[] = {
	"form { margin: 1.5rem 0 0; }\n",
	"fieldset { border: 0; margin: 0 0 1.6rem; padding: 0; min-width: 0; }\n",
	"legend, .ask { display: block; padding: 0; margin: 0 0 .5rem; font-weight: 600; font-size: 1.05rem; }\n",
	".choice { display: flex; align-items: center; gap: .7rem; min-height: 2.75rem; padding: .35rem .9rem; margin: 0 0 .4rem; border: 1px solid var(--rule); border-radius: .6rem; background: var(--card); cursor: pointer; }\n",
	".choice:hover { border-color: var(--accent); }\n",
	".choice:has(:checked) { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }\n",
	".choice input { flex: none; width: 1.15rem; height: 1.15rem; margin: 0; accent-color: var(--accent); }\n",
	"select { width: 100%; min-height: 2.75rem; padding: .35rem .7rem; font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--soft); border-radius: .6rem; }\n",
	"button { min-height: 2.9rem; padding: .4rem 2rem; font: inherit; font-weight: 650; color: var(--page); background: var(--accent); border: 0; border-radius: .6rem; cursor: pointer; }\n",
	"button:hover { filter: brightness(1.1); }\n",
	":focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }\n",
	".told { padding: .9rem 1.2rem; border-radius: .7rem; border: 1px solid var(--fill); background: var(--wash); color: var(--word); font-weight: 600; max-width: none; }\n",
	"body.form { max-width: 38rem; }\n",
	NULL,
};
/* clang-format on */

const char *report_form_path(enum language language)
{
	static const char *const paths[LANGUAGES] = { [LANGUAGE_EN] = "/en/report", [LANGUAGE_FR] = "/fr/report" };

	return paths[language];
}

struct page {
	FILE *out;
	const struct report_form_page *of;
};

static void raw(const struct page *p, const char *markup)
{
	(void)fputs(markup, p->out);
}

static void word(const struct page *p, enum word which)
{
	markup_text(p->out, form_words[which][p->of->language]);
}

static void lines(const struct page *p, const char *const *style)
{
	for (; *style; style++)
		raw(p, *style);
}

static void head(const struct page *p)
{
	(void)fprintf(p->out, "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n",
	              language_code(p->of->language));
	raw(p, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	       "<meta name=\"robots\" content=\"noindex\">\n<title>");
	word(p, TITLE);
	if (p->of->title[0]) {
		raw(p, " – ");
		markup_text(p->out, p->of->title);
	}
	raw(p, "</title>\n<style>\n");
	lines(p, style_base);
	lines(p, status_style);
	lines(p, form_style);
	raw(p,
	    "</style>\n</head>\n<body class=\"form\">\n<header class=\"masthead\">\n<p class=\"site\"><a href=\"/\">");
	if (p->of->title[0])
		markup_text(p->out, p->of->title);
	else
		word(p, STATUS);
	(void)fprintf(p->out, "</a></p>\n<nav aria-label=\"%s\"><ul class=\"languages\">\n",
	              status_word(p->of->language, WORD_LANGUAGES));
	for (unsigned i = 0; i < LANGUAGES; i++) {
		const char *code = language_code((enum language)i), *name = language_name((enum language)i);

		if ((enum language)i == p->of->language)
			(void)fprintf(p->out, "<li><span aria-current=\"true\">%s</span></li>\n", name);
		else
			(void)fprintf(p->out, "<li><a href=\"%s\" hreflang=\"%s\" lang=\"%s\">%s</a></li>\n",
			              report_form_path((enum language)i), code, code, name);
	}
	raw(p, "</ul></nav>\n</header>\n<main id=\"content\">\n<h1>");
	word(p, TITLE);
	raw(p, "</h1>\n");
}

static void choice(const struct page *p, const char *name, const char *value, const char *label, bool checked)
{
	(void)fprintf(p->out, "<label class=\"choice\"><input type=\"radio\" name=\"%s\" value=\"", name);
	markup_text(p->out, value);
	(void)fprintf(p->out, "\"%s required> <span>", checked ? " checked" : "");
	markup_text(p->out, label);
	raw(p, "</span></label>\n");
}

static void ask_component(const struct page *p)
{
	const struct report_form_page *of = p->of;

	if (!of->components_count) {
		(void)fprintf(p->out, "<input type=\"hidden\" name=\"component\" value=\"");
		markup_text(p->out, of->whole);
		raw(p, "\">\n");
		return;
	}
	raw(p, "<fieldset>\n<legend>");
	word(p, WHAT);
	raw(p, "</legend>\n");
	for (unsigned i = 0; i < of->components_count; i++)
		choice(p, "component", of->components[i].id, of->components[i].name,
		       of->components_count == 1 ||
		               (of->filled && !strcmp(of->filled->component, of->components[i].id)));
	raw(p, "</fieldset>\n");
}

static void ask_symptom(const struct page *p)
{
	raw(p, "<fieldset>\n<legend>");
	word(p, HOW);
	raw(p, "</legend>\n");
	for (unsigned i = 0; i < SYMPTOMS; i++)
		choice(p, "symptom", symptom_name((enum symptom)i), symptom_words[i][p->of->language],
		       p->of->filled && p->of->filled->symptom == (enum symptom)i);
	raw(p, "</fieldset>\n");
}

static void ask_place(const struct page *p)
{
	raw(p, "<fieldset>\n<label class=\"ask\" for=\"region\">");
	word(p, WHERE);
	raw(p, "</label>\n<select id=\"region\" name=\"region\">\n<option value=\"\">");
	word(p, p->of->located ? NOT_NEEDED : NOT_SAID);
	raw(p, "</option>\n");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		bool was = p->of->filled && !strcmp(p->of->filled->region, places[i].code);

		(void)fprintf(p->out, "<option value=\"%s\"%s>", places[i].code, was ? " selected" : "");
		markup_text(p->out, places[i].name[p->of->language]);
		raw(p, "</option>\n");
	}
	raw(p, "</select>\n</fieldset>\n");
}

static void form(const struct page *p)
{
	(void)fprintf(p->out, "<form method=\"post\" action=\"%s\">\n", report_form_path(p->of->language));
	ask_component(p);
	ask_symptom(p);
	ask_place(p);
	raw(p, "<input type=\"hidden\" name=\"nonce\" value=\"");
	markup_text(p->out, p->of->nonce);
	raw(p, "\">\n<p><button type=\"submit\">");
	word(p, SEND);
	raw(p, "</button></p>\n</form>\n");
}

int report_form_write(FILE *out, const struct report_form_page *page)
{
	const struct page p = { out, page };
	bool asks = page->state != REPORT_FORM_TAKEN && page->state != REPORT_FORM_BUSY;

	head(&p);
	if (page->state != REPORT_FORM_NEW) {
		(void)fprintf(out, "<p class=\"told %s\" role=\"status\">",
		              page->state == REPORT_FORM_TAKEN ? "ok" : "deg");
		markup_text(out, states[page->state][page->language]);
		raw(&p, "</p>\n");
	}
	if (asks) {
		raw(&p, "<p>");
		word(&p, LEAD);
		raw(&p, "</p>\n");
		form(&p);
	}
	raw(&p, "<p class=\"quiet\">");
	word(&p, MEANT);
	raw(&p, "</p>\n<p><a href=\"/\">");
	word(&p, STATUS);
	raw(&p, "</a></p>\n</main>\n<footer>\n<p>");
	word(&p, PRIVACY);
	if (page->located) {
		raw(&p, " ");
		word(&p, LOCATED);
	}
	raw(&p, "</p>\n</footer>\n</body>\n</html>\n");
	return ferror(out) ? -EIO : 0;
}
