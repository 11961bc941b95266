/* SPDX-License-Identifier: Apache-2.0 */
/* What the console's pages say (console_words.c): one row of the table each, in each language; "%s" is a hole. */
#ifndef HOLDFAST_TELL_CONSOLE_INSIDE_H
#define HOLDFAST_TELL_CONSOLE_INSIDE_H

#include "tell/language.h"

/* X(NAME, English, French) */
#define CONSOLE_WORDS(X)                                                                                                 \
	X(CONSOLE, "Holdfast console", "Console Holdfast")                                                               \
	X(SKIP, "To the content", "Aller au contenu")                                                                    \
	X(MENU, "Menu", "Menu")                                                                                          \
	X(OVERVIEW, "Overview", "Vue d’ensemble")                                                                        \
	X(DRAFT, "Draft", "Rédiger")                                                                                     \
	X(COMPONENTS, "Components", "Composants")                                                                        \
	X(EVENTS, "Events", "Événements")                                                                                \
	X(AUDIT, "Audit log", "Journal d’audit")                                                                         \
	X(SIGN_IN, "Sign in", "Se connecter")                                                                            \
	X(SIGN_OUT, "Sign out", "Se déconnecter")                                                                        \
	X(SIGNED_IN, "Signed in as %s (%s)", "Connecté : %s (%s)")                                                       \
	X(TOKEN, "Token", "Jeton")                                                                                       \
	X(TOKEN_HELP, "Your operator’s token, as ‘holdfast console token’ printed it.",                                  \
	  "Votre jeton d’opérateur, tel que « holdfast console token » l’a affiché.")                                    \
	X(LANGUAGE, "Language", "Langue")                                                                                \
	X(TOKEN_WRONG, "No token of that kind is known.", "Ce jeton est inconnu.")                                       \
	X(TOKEN_WAIT, "Too many wrong tokens: wait a minute.", "Trop de jetons erronés : attendez une minute.")          \
	X(ROLE_READ, "may read", "lecture")                                                                              \
	X(ROLE_OPERATE, "may operate", "exploitation")                                                                   \
	X(ROLE_PUBLISH, "may publish", "publication")                                                                    \
	X(DUE, "What is due", "Échéances")                                                                               \
	X(NOTHING_DUE, "Nothing is open, and nothing is due.", "Rien n’est ouvert, rien n’est dû.")                      \
	X(WHAT, "What", "Quoi")                                                                                          \
	X(WHEN, "When", "Quand")                                                                                         \
	X(LEFT, "Left", "Reste")                                                                                         \
	X(IN_TIME, "in %s", "dans %s")                                                                                   \
	X(OVERDUE, "overdue since %s", "en retard de %s")                                                                \
	X(HANDED_IN, "handed in", "remis")                                                                               \
	X(UPDATE_OF, "Next word on %s", "Prochaine parole sur %s")                                                       \
	X(REPORT_OF, "%s of incident %s", "%s de l’incident %s")                                                         \
	X(OUTAGES, "Outages that users feel", "Pannes ressenties")                                                       \
	X(NO_OUTAGES, "No outage is on record.", "Aucune panne enregistrée.")                                            \
	X(INCIDENTS, "Incidents of the shield", "Incidents du bouclier")                                                 \
	X(NO_INCIDENTS, "No incident is on record.", "Aucun incident enregistré.")                                       \
	X(STATEMENTS, "Statements", "Communiqués")                                                                       \
	X(NO_STATEMENTS, "No statement is on record.", "Aucun communiqué enregistré.")                                   \
	X(COMPONENT, "Component", "Composant")                                                                           \
	X(BEGAN, "Began", "Début")                                                                                       \
	X(ENDED, "Ended", "Fin")                                                                                         \
	X(LASTS, "it lasts", "en cours")                                                                                 \
	X(BELIEF, "Belief", "Certitude")                                                                                 \
	X(PUBLISHED_AS, "Published as", "Publié comme")                                                                  \
	X(CAUSE, "Cause", "Cause")                                                                                       \
	X(INCIDENT, "Incident", "Incident")                                                                              \
	X(VECTOR, "Vector", "Vecteur")                                                                                   \
	X(TARGET, "Target", "Cible")                                                                                     \
	X(STATE, "State", "État")                                                                                        \
	X(KIND, "Kind", "Type")                                                                                          \
	X(TITLE, "Title", "Titre")                                                                                       \
	X(MATTER, "Matter %s", "Affaire %s")                                                                             \
	X(AWARE, "Known since", "Connu depuis")                                                                          \
	X(AWARE_HELP, "Since when people have known of the incident; the law counts from then. A person says it.",       \
	  "Depuis quand l’incident est connu de personnes ; la loi compte à partir de là. C’est une personne qui " \
	  "le dit.")                                                                                                     \
	X(AWARE_BY, "Known since %s, as %s has noted.", "Connu depuis le %s, selon %s.")                                 \
	X(AWARE_NOT, "Nobody has said since when this has been known.", "Personne n’a dit depuis quand c’est connu.")    \
	X(SUGGESTED, "The machine recognised it at %s.", "La machine l’a reconnu le %s.")                                \
	X(SET, "Set", "Enregistrer")                                                                                     \
	X(REVISION, "Revision %s by %s, %s; hash %s", "Révision %s par %s, %s ; empreinte %s")                           \
	X(SENTENCES, "Sentences", "Phrases")                                                                             \
	X(PUBLIC, "public", "public")                                                                                    \
	X(INTERNAL, "internal", "interne")                                                                               \
	X(EVIDENCE, "What it rests on", "Sur quoi elle repose")                                                          \
	X(WORD_OF, "The word of %s", "La parole de %s")                                                                  \
	X(FORM_ONLY, "A form: it says nothing of what happened.",                                                        \
	  "Un formulaire : ne dit rien de ce qui s’est passé.")                                                          \
	X(HOLDS, "holds", "vérifié")                                                                                     \
	X(BREAKS, "does not hold: %s", "ne tient pas : %s")                                                              \
	X(ACTS, "What was done", "Ce qui a été fait")                                                                    \
	X(ACT_OF, "%s, revision %s, by %s, %s", "%s, révision %s, par %s, %s")                                           \
	X(EDIT, "Edit", "Modifier")                                                                                      \
	X(APPROVE, "Approve", "Approuver")                                                                               \
	X(APPROVE_HELP, "You say that this revision is true, as you have read it here.",                                 \
	  "Vous affirmez que cette révision est vraie, telle que lue ici.")                                              \
	X(APPROVE_TWO, "It holds a claim of others: two different people have to approve. %s has.",                      \
	  "Il contient l’affirmation d’un tiers : deux personnes différentes doivent approuver. Fait par %s.")           \
	X(PUBLISH, "Publish", "Publier")                                                                                 \
	X(PUBLISH_LOOK, "Look at what the public will see", "Voir ce que le public verra")                               \
	X(PUBLISH_CONFIRM, "This, and nothing else, is published:", "Ceci, et rien d’autre, sera publié :")              \
	X(PUBLISH_NOW, "Publish it now", "Publier maintenant")                                                           \
	X(SUBMIT, "Note that it was handed in", "Noter la remise")                                                       \
	X(SUBMIT_CONFIRM, "This was handed to the authority:", "Ceci a été remis à l’autorité :")                        \
	X(WITHDRAW, "Withdraw", "Retirer")                                                                               \
	X(WITHDRAW_HELP, "It stays on record and on the page, marked, with the reason.",                                 \
	  "Il reste au registre et sur la page, marqué, avec le motif.")                                                 \
	X(REASON, "Reason", "Motif")                                                                                     \
	X(BACK, "Back", "Retour")                                                                                        \
	X(GO_ON, "Draft what comes next", "Rédiger la suite")                                                            \
	X(CORRECT, "Draft a correction", "Rédiger un correctif")                                                         \
	X(DRAFT_OF, "Of", "Au sujet de")                                                                                 \
	X(DRAFT_NONE, "no incident: what I say below", "aucun incident : ce que je dis ci-dessous")                      \
	X(DRAFT_NEXT, "what comes next", "la suite")                                                                     \
	X(SINCE, "Since (UTC)", "Depuis (UTC)")                                                                          \
	X(UNTIL, "Until (UTC)", "Jusqu’à (UTC)")                                                                         \
	X(TIME_HELP, "As 2026-03-10T09:40. Empty: not said.", "Par exemple 2026-03-10T09:40. Vide : non dit.")           \
	X(COMPONENT_HELP, "What is concerned, as the public knows it.",                                                  \
	  "Ce qui est touché, tel que le public le nomme.")                                                              \
	X(OWN_SENTENCE, "A sentence of your own", "Une phrase de vous")                                                  \
	X(CLAIM, "A public claim to include (c1)", "Affirmation publique à inclure (c1)")                                \
	X(CLAIM_HELP, "Then two people have to approve.", "Deux personnes devront alors approuver.")                     \
	X(MAKE_DRAFT, "Make the draft", "Créer le projet")                                                               \
	X(EDITING, "Edit %s", "Modifier %s")                                                                             \
	X(SENTENCE, "Sentence %s", "Phrase %s")                                                                          \
	X(AUDIENCE, "For", "Pour")                                                                                       \
	X(KEEP, "its evidence holds for the new words too", "ses preuves valent aussi pour les nouveaux mots")           \
	X(EMPTY_GONE,                                                                                                    \
	  "A sentence left empty is taken out. What you change becomes your word, and loses its links "                  \
	  "unless you keep them.",                                                                                       \
	  "Une phrase vide est retirée. Ce que vous changez devient votre parole et perd ses liens, sauf si vous "      \
	  "les gardez.")                                                                                                 \
	X(NEW_SENTENCE, "One more sentence", "Une phrase de plus")                                                       \
	X(SAVE, "Save as the next revision", "Enregistrer comme révision suivante")                                      \
	X(STATUS, "Status", "État")                                                                                      \
	X(NOW_IS, "Now", "Actuellement")                                                                                 \
	X(NO_COMPONENTS, "There are no components; ‘holdfast page component add’ adds one.",                             \
	  "Aucun composant ; « holdfast page component add » en ajoute un.")                                             \
	X(UNKNOWN_STATE, "not said", "non dit")                                                                          \
	X(EVENT_ADD, "Add an event", "Ajouter un événement")                                                             \
	X(EVENT_TEXT, "What happened", "Ce qui s’est passé")                                                             \
	X(EVENT_URL, "Where it is told (URL, may be empty)", "Où c’est raconté (URL, facultatif)")                       \
	X(NO_EVENTS, "No event is on record.", "Aucun événement enregistré.")                                            \
	X(ADD, "Add", "Ajouter")                                                                                         \
	X(WHO, "Who", "Qui")                                                                                             \
	X(OBJECT, "Of", "Objet")                                                                                         \
	X(OUTCOME, "Outcome", "Résultat")                                                                                \
	X(NO_AUDIT, "Nothing was done yet.", "Rien n’a encore été fait.")                                                \
	X(DONE, "Done: %s", "Fait : %s")                                                                                 \
	X(REFUSED, "Refused", "Refusé")                                                                                  \
	X(NOT_ALLOWED, "Your token may not do that.", "Votre jeton ne le permet pas.")                                   \
	X(BAD_FORM, "The form does not come from your session; go back, and try again.",                                 \
	  "Ce formulaire ne vient pas de votre session ; revenez et réessayez.")                                         \
	X(NOT_THERE, "There is no such page.", "Cette page n’existe pas.")                                               \
	X(LEFT_OUT, "Left out, for their facts are missing", "Omis, faute de preuves")                                   \
	X(FIRST_NOTICE, "First notice", "Premier avis")                                                                  \
	X(UPDATE, "Update", "Point d’étape")                                                                             \
	X(RESOLUTION, "Resolution", "Résolution")                                                                        \
	X(CORRECTION, "Correction", "Correctif")                                                                         \
	X(POSTMORTEM, "Post-mortem", "Bilan")                                                                            \
	X(NIS2_24H, "NIS2 early warning (24 h)", "NIS2 alerte précoce (24 h)")                                           \
	X(NIS2_72H, "NIS2 notification (72 h)", "NIS2 notification (72 h)")                                              \
	X(NIS2_MONTH, "NIS2 final report (one month)", "NIS2 rapport final (un mois)")                                   \
	X(GDPR_33, "GDPR Article 33 (72 h)", "RGPD article 33 (72 h)")

enum console_word {
#define X(name, en, fr) CONSOLE_WORD_##name,
	CONSOLE_WORDS(X)
#undef X
		CONSOLE_WORDS_COUNT
};

const char *console_word(enum language language, enum console_word word);

#endif
