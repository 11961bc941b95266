/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sentences of the record and of other rooms, which say them in English alone: why something is refused or left out,
 * what does not hold. A row has as many holes ("%s"; "%d" of digits alone) in both languages.
 * tests/cli/console_words.py reads those rooms' files, and wants a row here for whatever they say that the console
 * shows.
 */
#include "tell/console_sentences.h"

#include <stdio.h>
#include <string.h>

#define HOLES_MAX 4

/* clang-format off */
static const struct {
	const char *en, *fr;
} sentences[] = {
	/* what is done with statements (record/statement_desk.c, statement_draft.c, statements.c, statement_facts.c) */
	{ "there is no s%d", "s%d n’existe pas" },
	{ "what is on record as s%d is no statement", "ce qui est enregistré comme s%d n’est pas un communiqué" },
	{ "its sentences are not what their links say: %s mistakes", "ses phrases ne disent pas ce que disent leurs liens : %s erreurs" },
	{ "it is published, and stays as it is", "il est publié et reste tel quel" },
	{ "it is not what you have read: revision %s is %s", "ce n’est pas ce que vous avez lu : la révision %s est %s" },
	{ "it is for an authority, not for the public", "il est destiné à une autorité, pas au public" },
	{ "it is for the public", "il est destiné au public" },
	{ "nobody has approved it as it is now", "personne ne l’a approuvé tel qu’il est maintenant" },
	{ "it holds a claim, and only one person has approved it", "il contient une affirmation, et une seule personne l’a approuvé" },
	{ "no sentence of it is for the public", "aucune de ses phrases n’est destinée au public" },
	{ "say why; it is published with the withdrawal", "dites pourquoi ; c’est publié avec le retrait" },
	{ "say of which incident", "dites de quel incident" },
	{ "that is no report to an authority", "ce n’est pas un rapport à une autorité" },
	{ "say why it is not needed", "dites pourquoi il n’est pas requis" },
	{ "the text is too long, or no UTF-8", "le texte est trop long, ou n’est pas de l’UTF-8" },
	{ "there is no such statement", "ce communiqué n’existe pas" },
	{ "somebody else has edited it since", "quelqu’un d’autre l’a modifié depuis" },
	{ "it has as many revisions as are kept", "il a autant de révisions que l’on en garde" },
	{ "it has been edited since", "il a été modifié depuis" },
	{ "it is not what was shown", "ce n’est pas ce qui a été montré" },
	{ "that has been done already", "c’est déjà fait" },
	{ "it is published", "il est publié" },
	{ "it is not published", "il n’est pas publié" },
	{ "what the statement rests on is not kept", "ce sur quoi repose le communiqué n’est pas conservé" },
	{ "what the statement rests on has been changed", "ce sur quoi repose le communiqué a été altéré" },
	{ "s%d is not published", "s%d n’est pas publié" },
	{ "s%d is in that language", "s%d est déjà dans cette langue" },
	{ "neither a correction nor a translation is translated", "ni un correctif ni une traduction ne se traduit" },
	{ "a phase is of an update", "une phase est celle d’un point d’étape" },
	{ "a name is longer than 64 octets or cannot be shown, or the analysis is not this incident's",
	  "un nom dépasse 64 octets ou ne peut être affiché, ou l’analyse n’est pas celle de cet incident" },
	{ "incidents/%s.json cannot be read: %s", "incidents/%s.json est illisible : %s" },
	{ "there is no incident %s", "l’incident %s n’existe pas" },
	{ "there is no claim %s", "l’affirmation %s n’existe pas" },
	{ "that is not in the past", "ce n’est pas dans le passé" },

	/* what is asked for (record/statement_desk.h) */
	{ "say which published statement is corrected", "dites quel communiqué publié est corrigé" },
	{ "a translation takes all from its statement: nothing else can be said", "une traduction reprend tout de son communiqué : rien d’autre ne peut être dit" },
	{ "say of what: an incident, or since when", "dites de quoi : un incident, ou depuis quand" },

	/* components, works, events (record/components.c, ledger.c) */
	{ "there is no such component", "ce composant n’existe pas" },
	{ "that cannot be the ID of a component", "cela ne peut être l’identifiant d’un composant" },
	{ "a component wants a name in one language at least", "il faut au composant un nom dans une langue au moins" },
	{ "a group cannot be in a group", "un groupe ne peut être dans un groupe" },
	{ "there is no such group", "ce groupe n’existe pas" },
	{ "there are as many components as a page shows", "il y a autant de composants qu’une page en montre" },
	{ "there is or was a component of that ID", "un composant de cet identifiant existe ou a existé" },
	{ "there are components in that group", "il y a des composants dans ce groupe" },
	{ "a state cannot begin in the future: it lies ahead; what is planned are works", "un état ne peut commencer dans le futur ; ce qui est prévu, ce sont des travaux" },
	{ "there is no such cause; there are attack, own_change, provider, unknown", "cette cause n’existe pas" },
	{ "the works end before they begin", "les travaux finissent avant de commencer" },
	{ "the works want a name in one language at least", "il faut aux travaux un nom dans une langue au moins" },
	{ "the works touch nothing: name the components", "les travaux ne touchent rien : nommez les composants" },
	{ "not all of these components are on the page", "tous ces composants ne sont pas sur la page" },
	{ "those works are cancelled already", "ces travaux sont déjà annulés" },
	{ "there are no such works", "ces travaux n’existent pas" },
	{ "say what happened", "dites ce qui s’est passé" },
	{ "say since when", "dites depuis quand" },
	{ "it cannot end before it began", "cela ne peut finir avant d’avoir commencé" },
	{ "there is no such claim", "cette affirmation n’existe pas" },
	{ "the record was opened to be read", "le registre a été ouvert en lecture" },
	{ "the record has as many of these as it keeps", "le registre en contient autant qu’il en garde" },
	{ "the path of the record is too long", "le chemin du registre est trop long" },
	{ "there is no memory", "la mémoire manque" },
	{ "the %s is longer than %s octets", "trop long, plus de %2$ octets : %1$" },
	{ "the %s is no UTF-8", "pas de l’UTF-8 : %s" },
	{ "the %s is no JSON of at most %s octets", "pas du JSON d’au plus %2$ octets : %1$" },

	/* what these are called in such a sentence */
	{ "name", "le nom" },
	{ "French name", "le nom français" },
	{ "description", "la description" },
	{ "French description", "la description française" },
	{ "text", "le texte" },
	{ "French text", "le texte français" },
	{ "cause", "la cause" },
	{ "list of components", "la liste des composants" },
	{ "name of who adds", "le nom de qui ajoute" },
	{ "name of who cancels", "le nom de qui annule" },
	{ "name of who sets it", "le nom de qui le dit" },
	{ "event", "l’événement" },
	{ "URL", "l’URL" },

	/* the database (record/database.c, SQLite) and the C library */
	{ "the record cannot be read: %s", "le registre est illisible : %s" },
	{ "the record cannot be written: %s", "le registre ne peut être écrit : %s" },
	{ "the record cannot be opened: %s", "le registre ne peut être ouvert : %s" },
	{ "the record cannot be brought up to date: %s", "le registre ne peut être mis à jour : %s" },
	{ "the database there is no record of holdfast's", "la base de données qui s’y trouve n’est pas un registre de Holdfast" },
	{ "the record has schema %s, this holdfast knows them up to %s", "le registre a le schéma %s, ce Holdfast les connaît jusqu’à %s" },
	{ "database is locked", "la base est verrouillée" },
	{ "database or disk is full", "la base ou le disque est plein" },
	{ "attempt to write a readonly database", "la base est en lecture seule" },
	{ "unable to open database file", "le fichier ne s’ouvre pas" },
	{ "disk I/O error", "erreur d’entrée-sortie du disque" },
	{ "database disk image is malformed", "la base est endommagée" },
	{ "file is not a database", "le fichier n’est pas une base" },
	{ "No such file or directory", "fichier ou dossier absent" },
	{ "Permission denied", "accès refusé" },
	{ "No space left on device", "disque plein" },
	{ "Cannot allocate memory", "mémoire insuffisante" },
	{ "Read-only file system", "système de fichiers en lecture seule" },
	{ "Input/output error", "erreur d’entrée-sortie" },
	{ "Invalid argument", "valeur refusée" },
	{ "Bad message", "contenu endommagé" },
	{ "Numerical result out of range", "valeur hors limites" },
	{ "File too large", "fichier trop grand" },

	/* a statement that was edited (tell/statement_form.c, statement_read.c) */
	{ "what ends at line %s has no words; take its head out as well", "une partie est sans mots (ligne %s)" },
	{ "line %s: there is one title", "ligne %s : il n’y a qu’un titre" },
	{ "the title is no UTF-8", "le titre n’est pas de l’UTF-8" },
	{ "the words that end before line %s are no UTF-8", "les mots avant la ligne %s ne sont pas de l’UTF-8" },
	{ "line %s: [3 public], [3 internal keep], [+ public] or [title] begins a part", "ligne %s : une partie commence par [3 public], [3 internal keep], [+ public] ou [title]" },
	{ "line %s: there is no sentence %s", "ligne %s : la phrase %s n’existe pas" },
	{ "line %s: sentence %s is there twice", "ligne %s : la phrase %s y est deux fois" },
	{ "line %s: words before the first [title] or [1 public]", "ligne %s : des mots avant le premier [title] ou [1 public]" },
	{ "line %s: more than %s octets in one sentence", "ligne %s : plus de %s octets dans une phrase" },
	{ "the title is missing; begin it with [title]", "le titre manque" },
	{ "there is no sentence %s; it has %s", "la phrase %s n’existe pas ; il y en a %s" },
	{ "sentence %s is not made as sentences are", "la phrase %s n’est pas faite comme une phrase" },
	{ "sentence %s has no text that can be shown, or more than %s octets", "la phrase %s n’a pas de texte affichable, ou plus de %s octets" },
	{ "sentence %s has no list of links, or more than %s", "la phrase %s n’a pas de liste de liens, ou plus de %s" },
	{ "link %s of sentence %s is none", "le lien %s de la phrase %s n’en est pas un" },
	{ "the pattern of sentence %s is none", "le modèle de la phrase %s n’en est pas un" },
	{ "sentence %s has a pattern or a template, and not both", "la phrase %s a un modèle ou un gabarit, et non les deux" },
	{ "sentence %s is told of evidence, and has none", "la phrase %s se dit prouvée, et n’a aucune preuve" },
	{ "sentence %s does not say whose word it is", "la phrase %s ne dit pas de qui elle est la parole" },
	{ "sentence %s is a form without a pattern", "la phrase %s est un formulaire sans modèle" },
	{ "it is no holdfast.statement/1", "ce n’est pas un communiqué (holdfast.statement/1)" },
	{ "what stands before its sentences is not as in holdfast.statement/1", "ce qui précède ses phrases (le titre, par exemple) n’est pas comme le veut holdfast.statement/1" },
	{ "it has no list of sentences, or more than %s", "il n’a pas de liste de phrases, ou plus de %s" },
	{ "%s of %s, of %s, is %s", "%s de %s, dans %s, est %s" },
	{ "there is nothing at %s of %s", "il n’y a rien à %s dans %s" },
	{ "its links make another text of it", "ses liens donnent un autre texte" },
	{ "value", "la valeur" },
	{ "count", "le nombre" },
	{ "sum", "la somme" },
	{ "min", "le minimum" },
	{ "max", "le maximum" },

	/* why a draft leaves a sentence out (tell/statement_table.c, statement_make.c) */
	{ "what is on record of it is not as it is told", "ce qui en est enregistré n’est pas dit ainsi" },
	{ "there are more of these than are told", "il y en a plus qu’il n’en est dit" },
	{ "it is too long, or there is no room for another sentence", "elle est trop longue, ou il n’y a plus de place" },
	{ "no incident is on record", "aucun incident n’est enregistré" },
	{ "the incident has no end yet", "l’incident n’a pas encore de fin" },
	{ "the wave has no beginning", "la vague n’a pas de début" },
	{ "the wave has no end yet", "la vague n’a pas encore de fin" },
	{ "the wave has no peak", "la vague n’a pas de pic" },
	{ "senders were not counted", "les émetteurs n’ont pas été comptés" },
	{ "whether senders are real was not looked at", "on n’a pas regardé si les émetteurs sont réels" },
	{ "what the rules leave over was not measured", "ce que les règles laissent passer n’a pas été mesuré" },
	{ "no rule was found", "aucune règle n’a été trouvée" },
	{ "what it would cost to rent was not made out", "ce que coûterait sa location n’a pas été établi" },
	{ "no filter was made while it was watched", "aucun filtre n’a été posé pendant l’observation" },
	{ "it was not watched live, so no filter's counts are known", "il n’a pas été observé en direct : les comptes des filtres sont inconnus" },
	{ "users' traffic was not measured", "le trafic des usagers n’a pas été mesuré" },
	{ "how full the links were was not measured", "le remplissage des liens n’a pas été mesuré" },
	{ "what the links lost was not measured", "les pertes des liens n’ont pas été mesurées" },
	{ "the incident is of no service that is configured", "l’incident ne touche aucun service configuré" },
	{ "nobody said since when (--since)", "personne n’a dit depuis quand" },
	{ "nobody said since when it is well again (--until)", "personne n’a dit depuis quand tout est rétabli" },
	{ "nobody said what is concerned (--component)", "personne n’a dit ce qui est touché" },
	{ "no next update was promised", "aucun prochain point n’a été promis" },
	{ "no record of incidents is at hand", "aucun registre d’incidents n’est disponible" },
	{ "it corrects nothing that was published", "il ne corrige rien de publié" },
	{ "the event is of no kind", "l’événement n’a pas de type" },
	{ "the event has no beginning", "l’événement n’a pas de début" },
	{ "the event has no end", "l’événement n’a pas de fin" },
	{ "the event has no words", "l’événement n’a pas de texte" },
	{ "no outage was measured", "aucune panne n’a été mesurée" },
	{ "the outage has no end yet", "la panne n’a pas encore de fin" },
	{ "no attack goes with the outage", "aucune attaque n’accompagne la panne" },
	{ "the claim was not tested ('holdfast claim test')", "l’affirmation n’a pas été vérifiée" },
	{ "nothing was published", "rien n’a été publié" },
	{ "nobody said since when it has been known ('holdfast statement aware')", "personne n’a dit depuis quand c’est connu" },

	/* the console itself (daemon/console_site.c, console_deeds.c) */
	{ "a time is in UTC, as 09:40 or 2026-03-10T09:40", "une heure est en UTC, comme 09:40 ou 2026-03-10T09:40" },
	{ "that is no statement's ID, as s1", "ce n’est pas l’identifiant d’un communiqué, comme s1" },
	{ "there is no such kind of statement", "ce type de communiqué n’existe pas" },
	{ "there is no such language", "cette langue n’existe pas" },
	{ "there is no such phase", "cette phase n’existe pas" },
	{ "there is no such incident", "cet incident n’existe pas" },
	{ "somebody else has edited it since; what you typed is not kept", "quelqu’un d’autre l’a modifié depuis ; ce que vous avez tapé n’est pas gardé" },
	{ "nothing is changed", "rien n’est changé" },
	{ "it has been edited since it was shown; look at it again", "il a été modifié depuis qu’il a été montré ; relisez-le" },
	{ "say since when, which is not in the future", "dites depuis quand, ce qui n’est pas dans le futur" },
	{ "there is no such component, or no such state", "ce composant n’existe pas, ou cet état" },
	{ "there is no such kind of event", "ce type d’événement n’existe pas" },
	{ "a position is a number from 1 to 256", "une position est un nombre de 1 à 256" },
	{ "the update is promised in at most a day", "le point suivant est promis sous un jour au plus" },
	{ "say from when to when the works last", "dites de quand à quand durent les travaux" },
	{ "these are more components than one list holds; plan several works",
	  "c’est plus de composants qu’une liste n’en contient ; prévoyez plusieurs travaux" },
	{ "it is done, but the audit log could not be written: %s", "c’est fait, mais le journal d’audit n’a pu être écrit : %s" },
	{ "no such token", "jeton inconnu" },
	{ "the form is not of this session", "le formulaire n’est pas de cette session" },
	{ "the role may not", "le rôle ne le permet pas" },
};
/* clang-format on */

struct hole {
	const char *at;
	size_t length;
};

/* The next hole of a pattern: "%s", or "%d", where digits alone stand; NULL: there is none. */
static const char *next_hole(const char *pattern)
{
	for (; *pattern; pattern++)
		if (pattern[0] == '%' && (pattern[1] == 's' || pattern[1] == 'd'))
			return pattern;
	return NULL;
}

/*
 * Where in `text` the hole ends that `pattern` begins behind: where what follows it begins, behind the last at the
 * text's end.
 */
static const char *hole_end(const char *pattern, const char *text)
{
	const char *next = next_hole(pattern);
	size_t literal = next ? (size_t)(next - pattern) : strlen(pattern), length = strlen(text);

	if (!next)
		return length >= literal ? text + length - literal : NULL;
	for (; *text; text++)
		if (strncmp(text, pattern, literal) == 0)
			return text;
	return NULL;
}

/* What stands in the holes of `pattern`, where `text` is one of that pattern; returns how many, or -1. */
static int match(const char *pattern, const char *text, struct hole holes[HOLES_MAX])
{
	int count = 0;

	for (;;) {
		const char *hole = next_hole(pattern), *end;
		size_t literal = hole ? (size_t)(hole - pattern) : strlen(pattern);

		if (strncmp(pattern, text, literal) != 0)
			return -1;
		text += literal;
		if (!hole)
			return *text ? -1 : count;
		pattern = hole + 2;
		end = hole_end(pattern, text);
		if (count == HOLES_MAX || !end ||
		    (hole[1] == 'd' && (end == text || strspn(text, "0123456789") != (size_t)(end - text))))
			return -1;
		holes[count++] = (struct hole){ text, (size_t)(end - text) };
		text = end;
	}
}

/* What stands in a hole may be a sentence itself; false: it is none, and stands as it is. */
typedef bool translate_hole(const struct hole *hole, char *text, size_t size);

/* A sentence with its holes filled: "%s" and "%d" are the next, "%2$" the second. */
static void fill(const char *pattern, const struct hole *holes, translate_hole *inner, char *text, size_t size)
{
	size_t used = 0;
	int next = 0;

	while (*pattern && used + 1 < size) {
		int which = -1;

		if (next_hole(pattern) == pattern) {
			which = next++;
			pattern += 2;
		} else if (pattern[0] == '%' && pattern[1] && pattern[2] == '$') {
			which = pattern[1] - '1';
			pattern += 3;
		}
		if (which < 0) {
			text[used++] = *pattern++;
			continue;
		}
		if (!inner || !inner(&holes[which], text + used, size - used))
			(void)snprintf(text + used, size - used, "%.*s", (int)holes[which].length, holes[which].at);
		used += strlen(text + used);
	}
	text[used] = '\0';
}

static bool translate(const struct hole *whole, translate_hole *inner, char *text, size_t size)
{
	char english[CONSOLE_SENTENCE_SIZE];
	struct hole holes[HOLES_MAX];

	if (whole->length == 0 || whole->length >= sizeof(english))
		return false;
	(void)snprintf(english, sizeof(english), "%.*s", (int)whole->length, whole->at);
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		if (match(sentences[i].en, english, holes) >= 0) {
			fill(sentences[i].fr, holes, inner, text, size);
			return true;
		}
	}
	return false;
}

static bool innermost(const struct hole *hole, char *text, size_t size)
{
	return translate(hole, NULL, text, size);
}

static bool inner(const struct hole *hole, char *text, size_t size)
{
	return translate(hole, innermost, text, size);
}

bool console_sentence(enum language language, const char *english, char text[CONSOLE_SENTENCE_SIZE])
{
	if (language == LANGUAGE_FR)
		return translate(&(struct hole){ english, strlen(english) }, inner, text, CONSOLE_SENTENCE_SIZE);
	(void)snprintf(text, CONSOLE_SENTENCE_SIZE, "%s", english);
	return true;
}
