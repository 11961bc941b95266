/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the status page says, in each of its languages: one table. '%s' is filled in by whoever prints the row; a row
 * has as many in each language, and in the same order.
 */
#include "tell/status_inside.h"

/* clang-format off */
static const char *const words[STATUS_WORDS][LANGUAGES] = {
	[WORD_STATUS_OF] = { "Status of %s", "État de %s" },
	[WORD_SKIP] = { "To what stands now", "Aller à l’état actuel" },
	[WORD_LANGUAGES] = { "Languages", "Langues" },

	[WORD_ALL_WELL] = { "All systems operational", "Tout fonctionne" },
	[WORD_WELL_BUT_OPEN] = { "An incident is being worked on", "Un incident est en cours de traitement" },
	[WORD_MAINTENANCE_NOW] = { "Maintenance under way", "Maintenance en cours" },
	[WORD_SOME_DEGRADED] = { "Some systems are impaired", "Certains services fonctionnent moins bien" },
	[WORD_SOME_PARTLY] = { "Partial outage", "Panne partielle" },
	[WORD_SOME_DOWN] = { "Major outage", "Panne majeure" },
	[WORD_NOTHING_SHOWN] = { "No components are shown yet", "Aucun composant n’est encore affiché" },

	[WORD_MADE] = { "As of %s", "Situation au %s" },
	[WORD_HOLDS] = { "This page holds until %s.", "Cette page est valable jusqu’au %s." },
	[WORD_STALE] = { "If it is later than that, a newer page could not be published, and what stands here may no longer be true.",
	                 "Passé ce moment, une page plus récente n’a pas pu être publiée, et ce qui est écrit ici n’est peut-être plus vrai." },
	[WORD_OPEN_TAB] = { "You opened this page a while ago. Load it again to see what stands now.",
	                    "Vous avez ouvert cette page il y a un moment. Rechargez-la pour voir la situation actuelle." },

	[WORD_NOW] = { "Current incidents", "Incidents en cours" },
	[WORD_PLANNED] = { "Scheduled maintenance", "Maintenance planifiée" },
	[WORD_COMPONENTS] = { "Components", "Composants" },
	[WORD_NUMBERS] = { "In numbers", "En chiffres" },
	[WORD_PAST] = { "Past incidents", "Incidents passés" },
	[WORD_METHOD] = { "What we measure, and what we do not know", "Ce que nous mesurons, et ce que nous ne savons pas" },

	[WORD_AFFECTS] = { "Affects %s", "Touche %s" },
	[WORD_SINCE] = { "Since %s", "Depuis le %s" },
	[WORD_FROM_TO] = { "From %s to %s", "Du %s au %s" },
	[WORD_LASTED] = { "%s, lasted %s", "%s, durée %s" },
	[WORD_CORRECTION] = { "Correction", "Rectification" },
	[WORD_CORRECTED] = { "Corrected since: see the correction above.", "Rectifié depuis : voir la rectification ci-dessus." },
	[WORD_WITHDRAWN] = { "Withdrawn: %s", "Retiré : %s" },
	[WORD_UPDATE] = { "Update", "Mise à jour" },
	[WORD_UNDER_WAY] = { "Under way until %s", "En cours jusqu’au %s" },
	[WORD_NO_PAST] = { "No incident in the last %s days.", "Aucun incident ces %s derniers jours." },
	[WORD_ALL_HISTORY] = { "All incidents, month by month", "Tous les incidents, mois par mois" },
	[WORD_LEFT_OUT] = { "%s older incidents are not shown.", "%s incidents plus anciens ne sont pas affichés." },

	[WORD_DAYS_AGO] = { "90 days ago", "il y a 90 jours" },
	[WORD_DAYS_AGO_SHORT] = { "45 days ago", "il y a 45 jours" },
	[WORD_TODAY] = { "today", "aujourd’hui" },
	[WORD_UP] = { "%s without outage", "%s sans panne" },
	[WORD_UNKNOWN] = { "not known", "inconnu" },
	[WORD_DAY_BY_DAY] = { "Day by day", "Jour par jour" },
	[WORD_KNOWN_SINCE] = { "known since %s", "connu depuis le %s" },
	[WORD_BAR] = { "%s: the last 90 days, one bar a day. Told in words under “Day by day”.",
	               "%s : les 90 derniers jours, une barre par jour. En toutes lettres sous « Jour par jour »." },

	[WORD_HISTORY] = { "Incident history", "Historique des incidents" },
	[WORD_HISTORY_OF] = { "Incidents of %s", "Incidents : %s" },
	[WORD_BACK] = { "To what stands now", "Retour à l’état actuel" },
	[WORD_NOTHING_THEN] = { "Nothing was reported in this month.", "Rien n’a été signalé ce mois-là." },
	[WORD_MONTHS] = { "Months", "Mois" },
	[WORD_EARLIER] = { "Earlier: %s", "Avant : %s" },
	[WORD_LATER] = { "Later: %s", "Après : %s" },

	[WORD_CHART_ABOUT] = { "From %s to %s. Largest value: %s, at %s.", "Du %s au %s. Valeur la plus haute : %s, le %s." },
	[WORD_CHART_NONE] = { "From %s to %s: none.", "Du %s au %s : aucun." },
	[WORD_CHART_TABLE] = { "The numbers, hour by hour", "Les chiffres, heure par heure" },
	[WORD_CHART_WHEN] = { "From", "À partir de" },
	[WORD_CHART_HOW_MANY] = { "How many", "Combien" },
	[WORD_CHART_UNKNOWN] = { "not measured", "non mesuré" },
	[WORD_REPORTS_TITLE] = { "Reports of trouble, every 15 minutes: ", "Signalements de difficultés, par quart d’heure : " },
	[WORD_REPORTS_MEANING] = {
		"What users told us, and what their browsers reported by themselves. Rounded to 5; fewer than 10 in 15 minutes are left out and shown as none. Only components with more than that are shown, at most 8: those with the most.",
		"Ce que les usagers nous ont signalé, et ce que leurs navigateurs ont signalé d’eux-mêmes. Arrondi à 5 ; moins de 10 par quart d’heure est laissé de côté et montré comme rien. Seuls les composants qui en ont davantage sont montrés, 8 au plus : ceux qui en ont le plus." },

	[WORD_METHOD_PAGE] = {
		"This page is a file, not a service. It is written anew whenever something changes, and put where the services it speaks of do not stand: it can be read when they cannot.",
		"Cette page est un fichier, pas un service. Elle est réécrite à chaque changement et déposée ailleurs que les services dont elle parle : on peut la lire quand eux ne répondent plus." },
	[WORD_METHOD_DAYS] = {
		"A day’s bar shows the worst of that day (UTC); how high its colour reaches shows for how long. An empty bar is a day of which nothing is known, which is not the same as a good one.",
		"La barre d’un jour montre le pire de ce jour (UTC) ; la hauteur de la couleur montre combien de temps cela a duré. Une barre vide est un jour dont on ne sait rien, ce qui n’est pas un bon jour." },
	[WORD_METHOD_UP] = {
		"“Without outage” is the share of the known time in which there was neither a partial nor a major outage, rounded down. Slowness and maintenance are shown, but not counted as outage.",
		"« Sans panne » est la part du temps connu sans panne partielle ni majeure, arrondie vers le bas. Les ralentissements et les maintenances sont montrés, mais ne comptent pas comme pannes." },
	[WORD_METHOD_TIMES] = {
		"Times are in UTC. The beginning of an outage is when it was first measured or reported; it may have begun earlier for some.",
		"Les heures sont en UTC. Le début d’une panne est le moment où elle a été mesurée ou signalée pour la première fois ; pour certains, elle a pu commencer plus tôt." },
	[WORD_METHOD_CAUSE] = {
		"What is said of causes is what is known when it is said. We do not say who is behind an attack: addresses do not tell.",
		"Ce qui est dit des causes est ce que l’on sait au moment de l’écrire. Nous ne disons pas qui est derrière une attaque : les adresses ne le révèlent pas." },
	[WORD_METHOD_UNKNOWN] = {
		"We do not see your own network, nor every way to us. If you cannot reach us while all is green here, the fault may lie between, or we have not seen it yet.",
		"Nous ne voyons ni votre propre réseau, ni tous les chemins qui mènent à nous. Si vous ne pouvez pas nous joindre alors que tout est vert ici, la panne est peut-être entre nous, ou nous ne l’avons pas encore vue." },
	[WORD_METHOD_CORRECTIONS] = {
		"What was published is not erased. A mistake is put right by a correction, which says so.",
		"Ce qui a été publié n’est pas effacé. Une erreur est réparée par une rectification, qui le dit." },

	[WORD_FOLLOW] = { "Follow", "Suivre" },
	[WORD_FOLLOW_TEXT] = { "As a feed, or by a program:", "Par un flux, ou par un programme :" },
	[WORD_FOLLOW_MAIL] = { "Be told by mail", "Être informé par courriel" },
	[WORD_CHECK] = { "Check that this page is ours", "Vérifier que cette page est bien la nôtre" },
	[WORD_CHECK_TEXT] = {
		"SHA256SUMS lists every file of this page, and is signed. With minisign:",
		"SHA256SUMS liste tous les fichiers de cette page et porte une signature. Avec minisign :" },
	[WORD_REPORT] = { "Something does not work for you?", "Quelque chose ne fonctionne pas ?" },
	[WORD_REPORT_LINK] = { "Report a problem", "Signaler un problème" },
	[WORD_UNSIGNED] = { "This page is not signed.", "Cette page n’est pas signée." },
};

static const char *const component_words[COMPONENT_STATUSES][LANGUAGES] = {
	[COMPONENT_OPERATIONAL] = { "Operational", "Opérationnel" },
	[COMPONENT_DEGRADED] = { "Degraded performance", "Performances réduites" },
	[COMPONENT_PARTIAL_OUTAGE] = { "Partial outage", "Panne partielle" },
	[COMPONENT_MAJOR_OUTAGE] = { "Major outage", "Panne majeure" },
	[COMPONENT_MAINTENANCE] = { "Under maintenance", "En maintenance" },
};

static const struct {
	const char *name, *told[LANGUAGES];
} phases[STATUS_PHASES] = {
	[STATUS_INVESTIGATING] = { "investigating", { "Investigating", "Recherche en cours" } },
	[STATUS_IDENTIFIED] = { "identified", { "Identified", "Cause identifiée" } },
	[STATUS_MONITORING] = { "monitoring", { "Monitoring", "Sous surveillance" } },
	[STATUS_RESOLVED] = { "resolved", { "Resolved", "Résolu" } },
	[STATUS_POSTMORTEM] = { "postmortem", { "Post-mortem", "Retour d’expérience" } },
	[STATUS_SCHEDULED] = { "scheduled", { "Scheduled", "Planifiée" } },
	[STATUS_IN_PROGRESS] = { "in_progress", { "In progress", "En cours" } },
	[STATUS_VERIFYING] = { "verifying", { "Verifying", "Vérification" } },
	[STATUS_COMPLETED] = { "completed", { "Completed", "Terminée" } },
}, impacts[STATUS_IMPACTS] = {
	[STATUS_NONE] = { "none", { "No impact", "Sans effet" } },
	[STATUS_MINOR] = { "minor", { "Minor", "Mineur" } },
	[STATUS_MAJOR] = { "major", { "Major", "Majeur" } },
	[STATUS_CRITICAL] = { "critical", { "Critical", "Critique" } },
};

/* As Statuspage writes them (status.description of its summary.json). */
static const char *const indicators[STATUS_IMPACTS] = {
	[STATUS_NONE] = "All Systems Operational", [STATUS_MINOR] = "Minor Service Outage",
	[STATUS_MAJOR] = "Partial System Outage", [STATUS_CRITICAL] = "Major Service Outage",
};
/* clang-format on */

const char *status_word(enum language language, enum status_word word)
{
	return words[word][language];
}

const char *status_component_word(enum language language, enum component_status status)
{
	return component_words[status][language];
}

const char *status_phase_word(enum language language, enum status_phase phase)
{
	return phases[phase].told[language];
}

const char *status_impact_word(enum language language, enum status_impact impact)
{
	return impacts[impact].told[language];
}

const char *status_phase_name(enum status_phase phase)
{
	return phases[phase].name;
}

const char *status_impact_name(enum status_impact impact)
{
	return impacts[impact].name;
}

const char *status_indicator_name(enum status_impact indicator)
{
	return indicators[indicator];
}

const char *status_reports_title(enum language language)
{
	return status_word(language, WORD_REPORTS_TITLE);
}

const char *status_reports_meaning(enum language language)
{
	return status_word(language, WORD_REPORTS_MEANING);
}

const char *status_folder(const struct status_page *page, enum language language)
{
	static const char *const folders[LANGUAGES] = { [LANGUAGE_EN] = "en/", [LANGUAGE_FR] = "fr/" };

	return page->languages_count && page->languages[0] == language ? "" : folders[language];
}
