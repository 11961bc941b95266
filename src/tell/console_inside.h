/* SPDX-License-Identifier: Apache-2.0 */
/* What the console's pages say (console_words.c): one row of the table each, in each language; "%s" is a hole. */
#ifndef HOLDFAST_TELL_CONSOLE_INSIDE_H
#define HOLDFAST_TELL_CONSOLE_INSIDE_H

#include <stddef.h>

#include "tell/language.h"

/* X(NAME, English, French) */
/* clang-format off */
#define CONSOLE_WORDS(X) \
	X(CONSOLE, "Holdfast console", "Console Holdfast") \
	X(SKIP, "To the content", "Aller au contenu") \
	X(MENU, "Menu", "Menu") \
	X(OVERVIEW, "Overview", "Vue d’ensemble") \
	X(DRAFT, "Draft", "Rédiger") \
	X(COMPONENTS, "Components", "Composants") \
	X(EVENTS, "Events", "Événements") \
	X(AUDIT, "Audit log", "Journal d’audit") \
	X(SIGN_IN, "Sign in", "Se connecter") \
	X(SIGN_OUT, "Sign out", "Se déconnecter") \
	X(SIGNED_IN, "Signed in as %s (%s)", "Connecté : %s (%s)") \
	X(TOKEN, "Token", "Jeton") \
	X(TOKEN_HELP, "Your operator’s token, as ‘holdfast console token’ printed it.", "Votre jeton d’opérateur, tel que « holdfast console token » l’a affiché.") \
	X(LANGUAGE, "Language", "Langue") \
	X(TOKEN_WRONG, "No token of that kind is known.", "Ce jeton est inconnu.") \
	X(TOKEN_WAIT, "Too many wrong tokens: wait a minute.", "Trop de jetons erronés : attendez une minute.") \
	X(ROLE_READ, "may read", "lecture") \
	X(ROLE_OPERATE, "may operate", "exploitation") \
	X(ROLE_PUBLISH, "may publish", "publication") \
	X(DUE, "What is due", "Échéances") \
	X(NOTHING_DUE, "Nothing is open, and nothing is due.", "Rien n’est ouvert, rien n’est dû.") \
	X(WHAT, "What", "Quoi") \
	X(WHEN, "When", "Quand") \
	X(IN_TIME, "in %s", "dans %s") \
	X(OVERDUE, "overdue since %s", "en retard de %s") \
	X(UPDATE_OF, "Next word on %s", "Prochaine parole sur %s") \
	X(OUTAGES, "Outages that users feel", "Pannes ressenties") \
	X(NO_OUTAGES, "No outage is on record.", "Aucune panne enregistrée.") \
	X(INCIDENTS, "Incidents of the shield", "Incidents du bouclier") \
	X(NO_INCIDENTS, "No incident is on record.", "Aucun incident enregistré.") \
	X(STATEMENTS, "Statements", "Communiqués") \
	X(NO_STATEMENTS, "No statement is on record.", "Aucun communiqué enregistré.") \
	X(COMPONENT, "Component", "Composant") \
	X(BEGAN, "Began", "Début") \
	X(ENDED, "Ended", "Fin") \
	X(LASTS, "it lasts", "en cours") \
	X(BELIEF, "Belief", "Certitude") \
	X(PUBLISHED_AS, "Published as", "Publié comme") \
	X(CAUSE, "Cause", "Cause") \
	X(INCIDENT, "Incident", "Incident") \
	X(VECTOR, "Vector", "Vecteur") \
	X(TARGET, "Target", "Cible") \
	X(STATE, "State", "État") \
	X(KIND, "Kind", "Type") \
	X(TITLE, "Title", "Titre") \
	X(MATTER, "Matter %s", "Affaire %s") \
	X(AWARE, "Known since", "Connu depuis") \
	X(AWARE_HELP, "Since when people have known of the incident; the law counts from then, to be checked by counsel. A person says it.", "Depuis quand l’incident est connu de personnes ; la loi compte à partir de là, à faire vérifier par un juriste. C’est une personne qui le dit.") \
	X(AWARE_BY, "Known since %s, as %s has noted.", "Connu depuis le %s, selon %s.") \
	X(AWARE_NOT, "Nobody has said since when this has been known.", "Personne n’a dit depuis quand c’est connu.") \
	X(EXEMPT, "Not needed here", "Pas requis ici") \
	X(EXEMPT_HELP, "Why the law does not ask you for this report: it is kept with your name, and the report is due no more. To be checked by counsel.", "Pourquoi la loi ne vous demande pas ce rapport : c’est gardé avec votre nom, et le rapport n’est plus dû. À faire vérifier par un juriste.") \
	X(EXEMPT_BY, "%s (%s, %s)", "%s (%s, le %s)") \
	X(NEEDED, "Needed after all", "Requis tout de même") \
	X(NEEDED_HELP, "The report is due again. Why, if you like: it is kept with your name.", "Le rapport est de nouveau dû. Pourquoi, si vous voulez : c’est gardé avec votre nom.") \
	X(SUGGESTED, "The machine recognised it at %s.", "La machine l’a reconnu le %s.") \
	X(REVISION, "Revision %s by %s, %s; hash %s", "Révision %s par %s, %s ; empreinte %s") \
	X(PUBLIC, "public", "public") \
	X(INTERNAL, "internal", "interne") \
	X(EVIDENCE, "What it rests on", "Sur quoi elle repose") \
	X(WORD_OF, "The word of %s", "La parole de %s") \
	X(FORM_ONLY, "A form: it says nothing of what happened.", "Un formulaire : ne dit rien de ce qui s’est passé.") \
	X(HOLDS, "holds", "vérifié") \
	X(BREAKS, "does not hold: ", "ne tient pas : ") \
	X(ACTS, "What was done", "Ce qui a été fait") \
	X(ACT_OF, "%s, revision %s, by %s, %s", "%s, révision %s, par %s, %s") \
	X(EDIT, "Edit", "Modifier") \
	X(APPROVE, "Approve", "Approuver") \
	X(APPROVE_HELP, "You say that this revision is true, as you have read it here.", "Vous affirmez que cette révision est vraie, telle que lue ici.") \
	X(APPROVE_TWO, "It holds a claim of others: two different people have to approve. %s has.", "Il contient l’affirmation d’un tiers : deux personnes différentes doivent approuver. Fait par %s.") \
	X(PUBLISH, "Publish", "Publier") \
	X(PUBLISH_LOOK, "Look at what the public will see", "Voir ce que le public verra") \
	X(PUBLISH_CONFIRM, "This, and nothing else, is published:", "Ceci, et rien d’autre, sera publié :") \
	X(PUBLISH_NOW, "Publish it now", "Publier maintenant") \
	X(SUBMIT, "Note that it was handed in", "Noter la remise") \
	X(SUBMIT_CONFIRM, "This was handed to the authority:", "Ceci a été remis à l’autorité :") \
	X(WITHDRAW, "Withdraw", "Retirer") \
	X(WITHDRAW_HELP, "It stays on record and on the page, marked, with the reason.", "Il reste au registre et sur la page, marqué, avec le motif.") \
	X(REASON, "Reason", "Motif") \
	X(BACK, "Back", "Retour") \
	X(GO_ON, "Draft what comes next", "Rédiger la suite") \
	X(CORRECT, "Draft a correction", "Rédiger un correctif") \
	X(DRAFT_OF, "Of", "Au sujet de") \
	X(DRAFT_NONE, "no incident: what I say below", "aucun incident : ce que je dis ci-dessous") \
	X(DRAFT_NEXT, "what comes next", "la suite") \
	X(SINCE, "Since (UTC)", "Depuis (UTC)") \
	X(UNTIL, "Until (UTC)", "Jusqu’à (UTC)") \
	X(TIME_HELP, "As 09:40, the last time that it was so, or 2026-03-10T09:40. Empty: not said.", "Par exemple 09:40, la dernière fois qu’il était cette heure, ou 2026-03-10T09:40. Vide : non dit.") \
	X(TIME_NEEDED, "As 09:40, the last time that it was so, or 2026-03-10T09:40.", "Par exemple 09:40, la dernière fois qu’il était cette heure, ou 2026-03-10T09:40.") \
	X(TIME_AHEAD, "As 2027-03-10T09:40.", "Par exemple 2027-03-10T09:40.") \
	X(COMPONENT_HELP, "What is concerned, as the public knows it.", "Ce qui est touché, tel que le public le nomme.") \
	X(OWN_SENTENCE, "A sentence of your own", "Une phrase de vous") \
	X(CLAIM, "A public claim to include", "Affirmation publique à inclure") \
	X(CLAIM_HELP, "Then two people have to approve.", "Deux personnes devront alors approuver.") \
	X(MAKE_DRAFT, "Make the draft", "Créer le projet") \
	X(EDITING, "Edit %s", "Modifier %s") \
	X(SENTENCE, "Sentence %s", "Phrase %s") \
	X(KEEP, "its evidence holds for the new words too", "ses preuves valent aussi pour les nouveaux mots") \
	X(EMPTY_GONE, "A sentence left empty is taken out. What you change becomes your word, and loses its links unless you keep them.", "Une phrase vide est retirée. Ce que vous changez devient votre parole et perd ses liens, sauf si vous les gardez.") \
	X(NEW_SENTENCE, "One more sentence", "Une phrase de plus") \
	X(SAVE, "Save as the next revision", "Enregistrer comme révision suivante") \
	X(STATUS, "Status", "État") \
	X(NOW_IS, "Now", "Actuellement") \
	X(NO_COMPONENTS, "There are no components yet.", "Il n’y a encore aucun composant.") \
	X(UNKNOWN_STATE, "not said", "non dit") \
	X(EVENT_ADD, "Add an event", "Ajouter un événement") \
	X(EVENT_TEXT, "What happened", "Ce qui s’est passé") \
	X(EVENT_URL, "Where it is told (URL, may be empty)", "Où c’est raconté (URL, facultatif)") \
	X(NO_EVENTS, "No event is on record.", "Aucun événement enregistré.") \
	X(ADD, "Add", "Ajouter") \
	X(WHO, "Who", "Qui") \
	X(OBJECT, "Of", "Objet") \
	X(OUTCOME, "Outcome", "Résultat") \
	X(NO_AUDIT, "Nothing was done yet.", "Rien n’a encore été fait.") \
	X(DONE, "Done: %s", "Fait : %s") \
	X(REFUSED, "Refused", "Refusé") \
	X(NOT_ALLOWED, "Your token may not do that.", "Votre jeton ne le permet pas.") \
	X(BAD_FORM, "The form does not come from your session; go back, and try again.", "Ce formulaire ne vient pas de votre session ; revenez et réessayez.") \
	X(NOT_THERE, "There is no such page.", "Cette page n’existe pas.") \
	X(LEFT_OUT, "Left out, for their facts are missing", "Omis, faute de preuves") \
	X(FIRST_NOTICE, "First notice", "Premier avis") \
	X(UPDATE, "Update", "Point d’étape") \
	X(RESOLUTION, "Resolution", "Résolution") \
	X(CORRECTION, "Correction", "Correctif") \
	X(POSTMORTEM, "Post-mortem", "Bilan") \
	X(NIS2_24H, "NIS2 early warning (24 h)", "NIS2 alerte précoce (24 h)") \
	X(NIS2_72H, "NIS2 notification (72 h)", "NIS2 notification (72 h)") \
	X(NIS2_MONTH, "NIS2 final report (one month)", "NIS2 rapport final (un mois)") \
	X(GDPR_33, "GDPR Article 33 (72 h)", "RGPD article 33 (72 h)") \
	X(WORKS, "Planned works", "Travaux prévus") \
	X(STATE_DRAFT, "draft", "projet") \
	X(STATE_APPROVED, "approved", "approuvé") \
	X(STATE_PUBLISHED, "published", "publié") \
	X(STATE_SUBMITTED, "handed in", "remis") \
	X(STATE_WITHDRAWN, "withdrawn", "retiré") \
	X(CAUSE_ATTACK, "an attack", "une attaque") \
	X(CAUSE_OWN, "a change of our own", "un changement de notre part") \
	X(CAUSE_PROVIDER, "a provider’s failure", "une défaillance d’un prestataire") \
	X(CAUSE_UNKNOWN, "not known", "inconnue") \
	X(CAUSE_NOT_SAID, "not said", "non dite") \
	X(EVENT_MAINTENANCE, "maintenance work", "une maintenance") \
	X(BELIEF_NOTHING, "nothing", "rien") \
	X(BELIEF_REPORTS, "more reports of users than usual", "plus de signalements que d’ordinaire") \
	X(BELIEF_LOOKING, "being looked into", "recherche en cours") \
	X(BELIEF_PARTLY, "partial outage", "panne partielle") \
	X(BELIEF_DOWN, "major outage", "panne majeure") \
	X(OUTCOME_DONE, "done", "fait") \
	X(OUTCOME_REFUSED, "refused", "refusé") \
	X(OUTCOME_FAILED, "failed", "échoué") \
	X(DEED_SIGN_IN, "signed in", "connexion") \
	X(DEED_SIGN_OUT, "signed out", "déconnexion") \
	X(DEED_DRAFT, "statement drafted", "communiqué rédigé") \
	X(DEED_EDIT, "statement edited", "communiqué modifié") \
	X(DEED_APPROVE, "statement approved", "communiqué approuvé") \
	X(DEED_PUBLISH, "statement published", "communiqué publié") \
	X(DEED_SUBMIT, "report handed in", "rapport remis") \
	X(DEED_WITHDRAW, "statement withdrawn", "communiqué retiré") \
	X(DEED_EXEMPT, "said whether a report is needed", "besoin d’un rapport noté") \
	X(DEED_AWARE, "said since when it is known", "moment de la connaissance noté") \
	X(DEED_STATE, "state of a component said", "état d’un composant dit") \
	X(DEED_EVENT, "event added", "événement ajouté") \
	X(DEED_COMPONENT_ADD, "component added", "composant ajouté") \
	X(DEED_COMPONENT_CHANGE, "component changed", "composant modifié") \
	X(DEED_COMPONENT_REMOVE, "component removed", "composant retiré") \
	X(DEED_WORKS_ADD, "works announced", "travaux annoncés") \
	X(DEED_WORKS_CANCEL, "works cancelled", "travaux annulés") \
	X(DEED_LANGUAGE, "language chosen", "langue choisie") \
	X(IS_VALUE, "value", "valeur") \
	X(IS_COUNT, "how many", "nombre") \
	X(IS_SUM, "sum", "somme") \
	X(IS_MIN, "smallest", "plus petite valeur") \
	X(IS_MAX, "largest", "plus grande valeur") \
	X(PHASE, "How far one has come (of an update)", "Où l’on en est (point d’étape)") \
	X(PHASE_AS_BEFORE, "as before", "comme avant") \
	X(PHASE_IDENTIFIED, "the cause is known", "la cause est connue") \
	X(PHASE_MONITORING, "a remedy is in place", "un remède est en place") \
	X(NEXT, "The next word is promised", "La prochaine parole est promise") \
	X(NEXT_NOT, "not at all", "sans promesse") \
	X(TRANSLATE, "Say it in another language", "Le dire dans une autre langue") \
	X(TRANSLATES, "%s in another language, from the same facts. What a person wrote is left out; add it by editing.", "%s dans une autre langue, à partir des mêmes faits. Ce qu’une personne a écrit est laissé de côté ; ajoutez-le en modifiant.") \
	X(TRANSLATION_OF, "translation of %s", "traduction de %s") \
	X(CORRECTION_OF, "correction of %s", "correctif de %s") \
	X(CORRECTS, "It corrects %s.", "Il corrige %s.") \
	X(GOES_ON, "It goes on from %s.", "Il fait suite à %s.") \
	X(CLAIM_NONE, "none", "aucune") \
	X(NOW_UTC, "Now it is %s.", "Il est %s.") \
	X(ORIGINAL, "What went wrong was told in English:", "Cela n’a pas pu se faire. Le système l’a dit en anglais :") \
	X(ALARM_OVERDUE, "Overdue: %s.", "En retard : %s.") \
	X(ALARM_NEXT, "Next due in %s.", "Prochaine échéance dans %s.") \
	X(LAST_SAID, "Last said %s ago.", "Dernière parole il y a %s.") \
	X(MOMENT, "less than a minute", "moins d’une minute") \
	X(DRAFT_UPDATE, "Draft the update", "Rédiger le point d’étape") \
	X(DRAFT_REPORT, "Draft the report", "Rédiger le rapport") \
	X(OPEN_DRAFT, "Open %s", "Ouvrir %s") \
	X(DRAFT_NEW, "Draft a statement", "Rédiger un communiqué") \
	X(OF_INCIDENT, "incident %s", "incident %s") \
	X(HANDED_IN_AT, "handed in on %s", "remis le %s") \
	X(DUE_AT, "due %s", "échéance : %s") \
	X(ID, "ID", "Identifiant") \
	X(ID_HELP, "1 to 32 of a-z, 0-9 and ‘-’; it stays for good.", "1 à 32 caractères parmi a-z, 0-9 et « - » ; il ne change plus.") \
	X(NAME_EN, "Name in English", "Nom en anglais") \
	X(NAME_FR, "Name in French", "Nom en français") \
	X(DESCRIPTION_EN, "What it is for, in English", "À quoi il sert, en anglais") \
	X(DESCRIPTION_FR, "What it is for, in French", "À quoi il sert, en français") \
	X(TEXT_EN, "What the public is told, in English", "Ce que le public apprend, en anglais") \
	X(TEXT_FR, "What the public is told, in French", "Ce que le public apprend, en français") \
	X(GROUP, "Group", "Groupe") \
	X(GROUP_NONE, "in none", "dans aucun") \
	X(IS_GROUP, "it is a group of components", "c’est un groupe de composants") \
	X(HIDDEN, "it is not shown on the page, but in its JSON", "il n’est pas montré sur la page, mais dans son JSON") \
	X(POSITION, "Position", "Position") \
	X(POSITION_HELP, "From 1. Empty: behind all others, or as it is.", "À partir de 1. Vide : après tous les autres, ou inchangée.") \
	X(COMPONENT_ADD, "Add a component", "Ajouter un composant") \
	X(COMPONENT_CHANGE, "Component %s", "Composant %s") \
	X(COMPONENT_SAVE, "Save", "Enregistrer les changements") \
	X(COMPONENT_REMOVE, "Take it off the page", "Le retirer de la page") \
	X(COMPONENT_REMOVE_HELP, "What was said of it stays on record; its ID is not given to another.", "Ce qui en a été dit reste au registre ; son identifiant n’est plus donné.") \
	X(A_GROUP, "a group", "un groupe") \
	X(IS_HIDDEN, "not shown", "non montré") \
	X(STATE_SET, "Say how one fares", "Dire l’état d’un composant") \
	X(CAUSE_HELP, "It is kept, not shown.", "Elle est gardée, pas montrée.") \
	X(NO_WORKS, "No works are planned.", "Aucuns travaux ne sont prévus.") \
	X(WORKS_ADD, "Announce works", "Annoncer des travaux") \
	X(WORKS_TOUCH, "What they touch", "Ce qu’ils touchent") \
	X(FROM, "From (UTC)", "De (UTC)") \
	X(TO, "To (UTC)", "À (UTC)") \
	X(WORKS_PLANNED, "planned", "prévus") \
	X(WORKS_UNDER_WAY, "under way", "en cours") \
	X(WORKS_OVER, "over", "terminés") \
	X(WORKS_CANCELLED, "cancelled", "annulés") \
	X(WORKS_CANCEL, "Cancel", "Annuler") \
	X(SET, "Set", "Enregistrer")
/* clang-format on */

enum console_word {
#define X(name, en, fr) CONSOLE_WORD_##name,
	CONSOLE_WORDS(X)
#undef X
		CONSOLE_WORDS_COUNT
};

const char *console_word(enum language language, enum console_word word);

/* Names that JSON has, each of one group: "draft" of CONSOLE_STATES. */
enum console_terms {
	CONSOLE_STATES,   /* of statements; acts have the same names */
	CONSOLE_CAUSES,   /* of outages and of a component's state; "": not said */
	CONSOLE_EVENTS,   /* kinds */
	CONSOLE_BELIEFS,  /* as what an outage is published */
	CONSOLE_OUTCOMES, /* of what is in the audit log */
	CONSOLE_DEEDS,    /* what was done */
	CONSOLE_ISES,     /* what a link makes of values */
	CONSOLE_PHASES,   /* of an update; "": as before */
	CONSOLE_PLANS,    /* how works stand */
};

struct console_term {
	const char *name;
	enum console_terms group;
	enum console_word word;
};

extern const struct console_term console_terms[];
extern const size_t console_terms_count;

/* NULL: there is none of that name. */
const struct console_term *console_term_find(enum console_terms group, const char *name);

#endif
